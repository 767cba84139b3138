//! A storm of events at each chat, at its default rate, on a clock that is only counted.

use super::Rng;
use super::simulation::{Arrival, ChannelProfile, FAIR, Simulation, seconds, targets_within};
use crate::channel::Limits;
use crate::config::Config;
use std::time::Duration;

const EVENTS: usize = 1_000;

/// A chat's own limits: so many requests within so long.
type Windows = &'static [(usize, Duration)];

/// The limits of a route that has nothing but a webhook, and those of its chat.
fn chats() -> [(&'static str, Limits, Windows); 3] {
    const MINUTE: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);
    let limits = |variable: &str, webhook: &str| {
        let vars = [(variable.to_owned(), webhook.to_owned())];
        Config::from_vars(vars).unwrap().routes[0].endpoint.limits()
    };
    [
        (
            "Lark",
            limits(
                "LARK_WEBHOOK",
                "https://open.feishu.cn/open-apis/bot/v2/hook/0a1b2c3d",
            ),
            &[(100, MINUTE), (5, SECOND)],
        ),
        (
            "WeCom",
            limits(
                "WECOM_WEBHOOK",
                "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0a1b2c3d",
            ),
            &[(20, MINUTE)],
        ),
        (
            "Slack",
            limits(
                "SLACK_WEBHOOK",
                "https://hooks.slack.com/services/T0A/B0B/0a1b2c3d",
            ),
            &[(60, MINUTE), (1, SECOND)],
        ),
    ]
}

fn check(simulation: &Simulation, limits: Limits, own: &[(usize, Duration)]) {
    simulation.check(limits.per_minute as usize);
    for times in simulation.requests.values() {
        for (limit, window) in own {
            for (i, first) in times.iter().enumerate() {
                let within = times[i..].iter().take_while(|at| **at - *first < *window);
                let count = within.count();
                assert!(count <= *limit, "{count} in {window:?} from {first:?}");
            }
        }
        let is_apart = |pair: &[Duration]| pair[1] - pair[0] >= limits.min_gap;
        assert!(times.windows(2).all(is_apart), "{times:?}");
    }
}

fn run(name: &str, limits: Limits, profile: ChannelProfile, arrivals: Vec<Arrival>) -> Simulation {
    let mut simulation = Simulation::new(targets_within(&["a", "a"], limits, None), profile, 11);
    simulation.run(arrivals);
    let requests: usize = simulation.requests.values().map(Vec::len).sum();
    let messages = simulation.shown.len();
    println!(
        "{name}: {EVENTS} events, {messages} messages, {requests} requests in {:?}",
        simulation.now
    );
    simulation
}

#[test]
fn a_storm_of_1000_events_breaks_no_limit_of_a_chat_and_loses_none() {
    let slow = ChannelProfile {
        latency: |rng: &mut Rng| Duration::from_millis(20 + rng.below(3_000)),
        ..FAIR
    };
    for (name, limits, own) in chats() {
        for (what, gap, profile) in [
            ("within ten seconds", Duration::from_millis(10), FAIR),
            ("within five minutes", Duration::from_millis(300), FAIR),
            ("at a slow chat", Duration::from_millis(50), slow),
        ] {
            // Two routes of one chatbot, in turn.
            let arrivals = (0..EVENTS).map(|n| (gap * n as u32, n % 2, vec![n], seconds(59)));
            let simulation = run(
                &format!("{name}, {what}"),
                limits,
                profile,
                arrivals.collect(),
            );
            check(&simulation, limits, own);
            assert_eq!((simulation.delivered, simulation.failed.len()), (EVENTS, 0));
        }
        // All at once, in one payload.
        let all = vec![(Duration::ZERO, 0, (0..EVENTS).collect(), seconds(59))];
        let simulation = run(&format!("{name}, one payload"), limits, FAIR, all);
        check(&simulation, limits, own);
        assert_eq!((simulation.delivered, simulation.failed.len()), (EVENTS, 0));
    }
}

/// Retries count as well.
#[test]
fn retries_in_a_storm_break_no_limit_of_a_chat() {
    let busy = ChannelProfile { busy: 20, ..FAIR };
    for (name, limits, own) in chats() {
        let arrivals = (0..EVENTS).map(|n| {
            (
                Duration::from_millis(20) * n as u32,
                n % 2,
                vec![n],
                seconds(59),
            )
        });
        let simulation = run(&format!("{name}, busy"), limits, busy, arrivals.collect());
        check(&simulation, limits, own);
        assert_eq!(simulation.delivered + simulation.failed.len(), EVENTS);
    }
}
