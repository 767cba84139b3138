//! What must hold in bursts, bans and slow responses, simulated.

use super::Rng;
use super::simulation::{Arrival, ChannelProfile, FAIR, Simulation, seconds, targets};
use crate::delivery::Failure;
use std::collections::BTreeSet;
use std::time::Duration;

/// `n` single events, `gap` apart, on route 0.
fn spread(n: usize, gap: Duration, time: Duration) -> Vec<Arrival> {
    (0..n).map(|i| (gap * i as u32, 0, vec![i], time)).collect()
}

#[test]
fn a_burst_of_1000_events_costs_a_handful_of_messages() {
    let mut simulation = Simulation::new(targets(&["a"], 18, None), FAIR, 1);
    simulation.run(spread(1000, Duration::from_millis(10), seconds(59)));
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.failed.len()), (1000, 0));
    println!("1000 events in 10 s: {} messages", simulation.shown.len());
    assert!(
        simulation.shown.len() <= 9,
        "{} messages",
        simulation.shown.len()
    );
}

#[test]
fn three_events_a_second_stay_within_the_rate() {
    let mut simulation = Simulation::new(targets(&["a"], 18, None), FAIR, 2);
    simulation.run(spread(1800, Duration::from_millis(333), seconds(59)));
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.failed.len()), (1800, 0));
    println!("1800 events in 10 min: {} messages", simulation.shown.len());
    assert!(
        simulation.shown.len() <= 6 + 10 * 12 + 1,
        "{} messages",
        simulation.shown.len()
    );
}

#[test]
fn events_at_one_instant_are_two_messages_at_most() {
    let mut simulation = Simulation::new(targets(&["a"], 18, None), FAIR, 3);
    simulation.run(spread(200, Duration::ZERO, seconds(59)));
    simulation.check(18);
    assert_eq!(simulation.delivered, 200);
    assert!(simulation.shown.len() <= 2);
}

#[test]
fn the_events_of_one_payload_are_one_message() {
    let mut simulation = Simulation::new(targets(&["a"], 18, None), FAIR, 4);
    simulation.run(vec![(Duration::ZERO, 0, (0..400).collect(), seconds(59))]);
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.shown.len()), (400, 1));
}

#[test]
fn a_duplicate_joins_what_waits_and_a_repeat_sends_nothing() {
    let mut simulation = Simulation::new(targets(&["a"], 18, None), FAIR, 5);
    let time = seconds(59);
    simulation.run(vec![
        (Duration::ZERO, 0, vec![1], time),
        (Duration::from_millis(10), 0, vec![1], time),
        (Duration::from_millis(20), 0, vec![2, 2], time),
        (seconds(9), 0, vec![1, 2], time),
    ]);
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.duplicates), (4, 2));
    assert_eq!(simulation.shown.len(), 2);
}

#[test]
fn when_banned_what_waits_fails_at_once_or_uses_the_fallback() {
    let profile = ChannelProfile {
        ban: Some(seconds(5)),
        ..FAIR
    };
    let arrivals = || spread(300, Duration::from_millis(100), seconds(59));
    let mut simulation = Simulation::new(targets(&["a"], 18, None), profile, 6);
    simulation.run(arrivals());
    simulation.check(18);
    assert_eq!(simulation.delivered + simulation.failed.len(), 300);
    assert!(
        simulation
            .failed
            .iter()
            .all(|(_, _, failure)| *failure == Failure::Throttled)
    );
    let asked = &simulation.requests.values().next().unwrap();
    assert_eq!(
        asked.iter().filter(|t| **t >= seconds(5)).count(),
        1,
        "one request meets the ban, none follows"
    );
    assert!(
        simulation.now < seconds(31),
        "no invocation waits for the ban to end: {:?}",
        simulation.now
    );

    let mut simulation = Simulation::new(targets(&["a"], 18, Some("f")), profile, 6);
    simulation.run(arrivals());
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.failed.len()), (300, 0));
    assert_eq!(simulation.requests.len(), 2);
}

#[test]
fn a_slow_chatbot_gets_fuller_messages() {
    let profile = ChannelProfile {
        latency: |rng| Duration::from_millis(2000 + rng.below(4000)),
        ..FAIR
    };
    let mut simulation = Simulation::new(targets(&["a"], 18, None), profile, 7);
    simulation.run(spread(600, Duration::from_millis(50), seconds(59)));
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.failed.len()), (600, 0));
    assert!(simulation.shown.len() <= 12, "{}", simulation.shown.len());
}

#[test]
fn when_half_of_the_requests_fail_each_event_is_shown_once() {
    for seed in 0..40 {
        let profile = ChannelProfile { busy: 50, ..FAIR };
        let mut simulation = Simulation::new(targets(&["a"], 18, None), profile, seed);
        simulation.run(spread(300, Duration::from_millis(100), seconds(59)));
        simulation.check(18);
        assert_eq!(
            simulation.delivered + simulation.failed.len(),
            300,
            "seed {seed}"
        );
    }
}

#[test]
fn when_responses_are_lost_retries_use_the_same_key() {
    for seed in 0..40 {
        let profile = ChannelProfile { lost: 30, ..FAIR };
        let mut simulation = Simulation::new(targets(&["a"], 18, None), profile, seed);
        simulation.run(spread(100, Duration::from_millis(300), seconds(59)));
        simulation.check(18);
        assert_eq!(
            simulation.delivered + simulation.failed.len(),
            100,
            "seed {seed}"
        );
        assert!(
            simulation.keys.len() > simulation.shown.len(),
            "seed {seed}"
        );
    }
}

#[test]
fn routes_that_share_a_chatbot_share_its_rate() {
    for (ids, chatbots) in [(["a", "a"], 1), (["a", "b"], 2)] {
        let mut simulation = Simulation::new(targets(&ids, 18, None), FAIR, 8);
        let arrivals = (0..600)
            .map(|i| {
                (
                    Duration::from_millis(50) * i as u32,
                    i % 2,
                    vec![i],
                    seconds(59),
                )
            })
            .collect();
        simulation.run(arrivals);
        simulation.check(18);
        assert_eq!((simulation.delivered, simulation.failed.len()), (600, 0));
        assert_eq!(simulation.requests.len(), chatbots);
    }
}

/// Deadlines are 2 to 60 s away; that no invocation answers late is checked in every simulation.
#[test]
fn what_fails_for_lack_of_time_succeeds_when_repeated() {
    for seed in 0..20 {
        for limit in [3, 18] {
            let mut rng = Rng::new(seed);
            let profile = ChannelProfile {
                busy: 20,
                latency: |rng| Duration::from_millis(50 + rng.below(1500)),
                ..FAIR
            };
            let mut simulation = Simulation::new(targets(&["a", "b"], limit, None), profile, seed);
            let mut arrivals: Vec<_> = (0..200)
                .map(|i| {
                    let time = seconds(2 + rng.below(58));
                    (
                        Duration::from_millis(rng.below(20_000)),
                        (rng.below(2)) as usize,
                        vec![i],
                        time,
                    )
                })
                .collect();
            // EventBridge repeats with exponential decay: after 1, 2, 4, … 512 s.
            let mut wait = 1;
            let mut rounds = 0;
            loop {
                simulation.failed.clear();
                simulation.run(std::mem::take(&mut arrivals));
                simulation.check(limit as usize);
                if simulation.failed.is_empty() {
                    break;
                }
                rounds += 1;
                assert!(
                    rounds < 60,
                    "seed {seed}: still {} failing",
                    simulation.failed.len()
                );
                for (route, n, _) in simulation.failed.clone() {
                    let spread = Duration::from_millis(rng.below(1000));
                    arrivals.push((
                        simulation.now + seconds(wait) + spread,
                        route,
                        vec![n],
                        seconds(59),
                    ));
                }
                wait = (wait * 2).min(512);
            }
            let shown: BTreeSet<_> = simulation
                .shown
                .values()
                .flatten()
                .map(|(_, n)| *n)
                .collect();
            assert_eq!(shown.len(), 200, "seed {seed}: every event was shown");
        }
    }
}

#[test]
fn a_busy_route_does_not_starve_another() {
    let mut simulation = Simulation::new(targets(&["a", "a"], 18, None), FAIR, 9);
    simulation.newest_first = true;
    // Route 0 never runs dry, and its newest threads are always the first to wake.
    let mut arrivals: Vec<_> = (0..3000)
        .map(|i| {
            (
                Duration::from_millis(20) * i as u32,
                0,
                vec![i],
                seconds(59),
            )
        })
        .collect();
    arrivals.push((seconds(11), 1, vec![5000], seconds(59)));
    simulation.run(arrivals);
    simulation.check(18);
    assert_eq!((simulation.delivered, simulation.failed.len()), (3001, 0));
    assert!(
        simulation.first_shown[&1] <= seconds(21),
        "{:?}",
        simulation.first_shown[&1]
    );
}

#[test]
fn a_duplicate_that_gives_up_leaves_the_event_to_the_other() {
    let mut simulation = Simulation::new(targets(&["a"], 3, None), FAIR, 10);
    simulation.run(vec![
        (Duration::ZERO, 0, vec![1], seconds(59)),
        // The next turn comes after 30 s: the first duplicate sees that at once and gives up, the
        // second waits.
        (seconds(1), 0, vec![2], seconds(40)),
        (seconds(2), 0, vec![2], seconds(10)),
        (seconds(3), 0, vec![2], seconds(59)),
    ]);
    simulation.check(3);
    assert_eq!(
        (simulation.delivered, simulation.failed.as_slice()),
        (3, &[(0, 2, Failure::Throttled)][..])
    );
}

#[test]
fn a_long_queue_that_gives_up_clears_the_way_for_the_rest() {
    let mut simulation = Simulation::new(targets(&["a"], 3, None), FAIR, 11);
    let last = 20_000;
    simulation.run(vec![
        (Duration::ZERO, 0, vec![0], seconds(59)),
        (seconds(1), 0, (1..last).collect(), seconds(10)),
        (seconds(2), 0, vec![last], seconds(59)),
    ]);
    simulation.check(3);
    assert_eq!(
        (simulation.delivered, simulation.failed.len()),
        (2, last - 1)
    );
}

#[test]
fn short_deadlines_do_not_use_up_the_retries_of_others() {
    let profile = ChannelProfile {
        latency: |_| seconds(3),
        ..FAIR
    };
    let mut simulation = Simulation::new(targets(&["a"], 20, None), profile, 12);
    simulation.newest_first = true;
    let mut arrivals = vec![
        (Duration::ZERO, 0, vec![1], seconds(1)),
        (seconds(1) / 2, 0, vec![1], seconds(59)),
    ];
    arrivals.extend((1..6).map(|i| (Duration::from_millis(900) * i, 0, vec![1], seconds(1))));
    simulation.run(arrivals);
    simulation.check(20);
    assert_eq!((simulation.delivered, simulation.shown.len()), (1, 1));
    assert!(
        simulation.keys.len() > 4,
        "{} attempts",
        simulation.keys.len()
    );
    assert!(
        simulation
            .failed
            .iter()
            .all(|(_, _, failure)| *failure == Failure::Deadline)
    );
}

/// Slow and busy chatbots, lost responses, bans, shared chatbots and fallbacks, in any combination:
/// what fails is repeated, until every event was shown, and none is shown twice.
#[test]
fn in_random_trouble_each_event_is_shown_once() {
    for seed in 0..16 {
        let mut rng = Rng::new(seed);
        let mut one_of = |n: u64| rng.below(n) as usize;
        let latencies: [fn(&mut Rng) -> Duration; 3] = [
            |_| Duration::from_millis(80),
            |rng| Duration::from_millis(50 + rng.below(1500)),
            |rng| Duration::from_millis(1000 + rng.below(8000)),
        ];
        let profile = ChannelProfile {
            latency: latencies[one_of(3)],
            busy: [0, 20, 30][one_of(3)],
            lost: [0, 10, 20][one_of(3)],
            ban: [None, Some(seconds(5)), Some(seconds(30))][one_of(3)],
        };
        let ids = [&["a"][..], &["a", "a"], &["a", "b"]][one_of(3)];
        let fallback = [None, Some("f")][one_of(2)];
        let limit = [3, 18][one_of(2)];
        let events = 30 + one_of(60);
        let mut simulation = Simulation::new(targets(ids, limit, fallback), profile, seed);
        simulation.newest_first = one_of(2) == 1;
        let mut arrivals: Vec<Arrival> = (0..events)
            .map(|n| {
                let at = Duration::from_millis(rng.below(40_000));
                let route = n % ids.len();
                // Some come twice.
                let with_next = (n..n + 1 + rng.below(3) as usize).step_by(ids.len());
                (at, route, with_next.collect(), seconds(1 + rng.below(58)))
            })
            .collect();
        let sent: BTreeSet<(usize, usize)> = arrivals
            .iter()
            .flat_map(|(_, route, events, _)| events.iter().map(|n| (*route, *n)))
            .collect();
        for round in 0.. {
            assert!(round < 100, "seed {seed}: events still fail");
            simulation.run(std::mem::take(&mut arrivals));
            simulation.check(limit as usize);
            let failed = std::mem::take(&mut simulation.failed);
            if failed.is_empty() {
                break;
            }
            for (route, n, _) in failed {
                let at = simulation.now + Duration::from_millis(500 + rng.below(60_000));
                arrivals.push((at, route, vec![n], seconds(2 + rng.below(58))));
            }
        }
        let shown: BTreeSet<_> = simulation.shown.values().flatten().copied().collect();
        assert!(shown.is_superset(&sent), "seed {seed}");
    }
}
