//! Bursts, bans and slow chatbots on a clock that is only counted: every invocation, every request
//! and every answer is an entry in one queue of moments, so that a run is the same each time.

use crate::channel::{Attempt, Ban, Class, Phase};
use crate::config::Config;
use crate::delivery::queue::Ticket;
use crate::delivery::scheduler::{Admission, Desk, Job, Turn};
use crate::delivery::{Delivery, Failure, Now, lost};
use crate::event::{Event, Level};
use crate::route::Route;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const MINUTE: Duration = Duration::from_secs(60);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Numbers that look random and are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

pub(in crate::delivery) fn event(n: usize) -> Arc<Event> {
    Arc::new(Event {
        source: "acs.ecs".into(),
        id: Some(format!("event-{n}")),
        name: "Instance:SystemFailure.Reboot".into(),
        status: Some("Executing".into()),
        level: Some(Level::Critical),
        product: Some("ECS".into()),
        resource_id: Some(format!("i-{n:020}")),
        resource_kind: Some("instance".into()),
        resource_name: None,
        region: Some("cn-hangzhou".into()),
        account: None,
        time: None,
        envelope_time: None,
        titles: Default::default(),
        details: Default::default(),
    })
}

/// Routes to the chatbots of these tokens, with the configured limit.
pub(in crate::delivery) fn routes(
    tokens: &[&str],
    limit: &str,
    fallback: Option<&str>,
) -> Vec<Route> {
    let hook = |token: &str| format!("https://oapi.dingtalk.com/robot/send?access_token={token}");
    let mut vars = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        let suffix = if n == 0 {
            String::new()
        } else {
            format!("__R{n}")
        };
        vars.push((format!("DINGTALK_WEBHOOK{suffix}"), hook(token)));
        vars.push((format!("DINGTALK_RATE_LIMIT{suffix}"), limit.to_owned()));
        if let Some(fallback) = fallback {
            vars.push((format!("DINGTALK_FALLBACK_WEBHOOK{suffix}"), hook(fallback)));
        }
    }
    Config::from_vars(vars).unwrap().routes
}

pub(in crate::delivery) fn attempt(class: Class, errcode: Option<i64>) -> Attempt {
    Attempt {
        class,
        errcode,
        phase: Phase::Answer,
        detail: String::new(),
        ..lost()
    }
}

/// How the simulated chatbots behave.
#[derive(Clone, Copy)]
struct Weather {
    latency: fn(&mut Dice) -> Duration,
    /// Of 100 requests, how many are answered with "busy" and not shown.
    busy: u64,
    /// Of 100 requests, how many are shown but never answered.
    lost: u64,
    /// From this moment on for ten minutes, the first chatbot says that it is throttled.
    ban: Option<Duration>,
}

const FAIR: Weather = Weather {
    latency: |_| Duration::from_millis(80),
    busy: 0,
    lost: 0,
    ban: None,
};

/// One invocation: some events for one route, and the time it has.
struct Invocation {
    route: usize,
    events: Vec<usize>,
    deadline: Duration,
    waiting: Vec<(usize, Ticket)>,
    wakes: Option<Duration>,
    attempting: bool,
    done: bool,
}

struct World {
    begin: Now,
    now: Duration,
    desk: Desk,
    dice: Dice,
    weather: Weather,
    invocations: Vec<Invocation>,
    /// Attempts on the wire, by when they come back.
    wire: BTreeMap<(Duration, usize), (Job, Attempt)>,
    /// Requests by chatbot.
    requests: HashMap<String, Vec<Duration>>,
    /// Messages shown, by key; a repeat of a key is not shown again.
    shown: BTreeMap<String, Vec<(usize, usize)>>,
    keys: Vec<String>,
    failed: Vec<(usize, usize, Failure)>,
    delivered: usize,
    duplicates: usize,
    routes: Vec<Route>,
    /// When each route first had something shown.
    first_shown: BTreeMap<usize, Duration>,
    /// The threads that came last wake first, as they may.
    newest_first: bool,
}

impl World {
    fn new(routes: Vec<Route>, weather: Weather, seed: u64) -> World {
        World {
            begin: Now {
                mono: Instant::now() + seconds(1000),
                wall: SystemTime::now(),
            },
            now: Duration::ZERO,
            desk: Desk::new(&routes),
            dice: Dice::new(seed),
            weather,
            invocations: Vec::new(),
            wire: BTreeMap::new(),
            requests: HashMap::new(),
            shown: BTreeMap::new(),
            keys: Vec::new(),
            failed: Vec::new(),
            delivered: 0,
            duplicates: 0,
            routes,
            first_shown: BTreeMap::new(),
            newest_first: false,
        }
    }

    fn at(&self, time: Duration) -> Now {
        self.begin.plus(time)
    }

    /// Runs until every invocation has answered. `arrivals` are (when, route, events, time to answer in).
    fn run(&mut self, mut arrivals: Vec<(Duration, usize, Vec<usize>, Duration)>) {
        arrivals.sort();
        arrivals.reverse();
        loop {
            let next = [
                arrivals.last().map(|a| a.0),
                self.wire.keys().next().map(|k| k.0),
                self.invocations
                    .iter()
                    .filter(|i| !i.done && !i.attempting)
                    .filter_map(|i| i.wakes)
                    .min(),
            ];
            let Some(next) = next.into_iter().flatten().min() else {
                break;
            };
            assert!(next >= self.now, "time runs forward");
            self.now = next;
            let mut woken = BTreeSet::new();
            while arrivals.last().is_some_and(|a| a.0 <= self.now) {
                let (_, route, events, time) = arrivals.pop().unwrap();
                woken.insert(self.invocations.len());
                self.arrive(route, events, self.now + time);
            }
            while let Some(entry) = self
                .wire
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                let ((_, who), (job, attempt)) = entry.remove_entry();
                let body = Arc::new(vec![1]);
                let now = self.at(self.now);
                self.desk.record(&job, body, &attempt, now);
                self.invocations[who].attempting = false;
                woken.extend(0..self.invocations.len());
            }
            for (n, invocation) in self.invocations.iter().enumerate() {
                if invocation.wakes.is_some_and(|at| at <= self.now) {
                    woken.insert(n);
                }
            }
            // Whoever changes something wakes all others, as a condition variable would.
            while let Some(who) = if self.newest_first {
                woken.pop_last()
            } else {
                woken.pop_first()
            } {
                if self.poll(who) {
                    woken.extend(0..self.invocations.len());
                }
            }
        }
        assert!(
            self.invocations.iter().all(|i| i.done),
            "every invocation has answered"
        );
    }

    fn arrive(&mut self, route: usize, events: Vec<usize>, deadline: Duration) {
        let now = self.at(self.now);
        let mut waiting = Vec::new();
        for n in &events {
            let event = event(*n);
            let identity = Arc::from(event.dedup_key());
            match self.desk.admit(route, &identity, &event, now) {
                Admission::Waits(ticket) => waiting.push((*n, ticket)),
                Admission::Duplicate => self.duplicates += 1,
            }
        }
        self.invocations.push(Invocation {
            route,
            events,
            deadline,
            waiting,
            wakes: Some(self.now),
            attempting: false,
            done: false,
        });
    }

    /// What the thread of an invocation would do now; true if others must look again.
    fn poll(&mut self, who: usize) -> bool {
        let now = self.at(self.now);
        let invocation = &mut self.invocations[who];
        if invocation.done || invocation.attempting {
            return false;
        }
        let (route, deadline) = (invocation.route, invocation.deadline);
        let mut settled: Vec<(usize, Delivery)> = Vec::new();
        invocation
            .waiting
            .retain(|(n, ticket)| match self.desk.collect(route, *ticket) {
                Some((delivery, _)) => {
                    settled.push((*n, delivery));
                    false
                }
                None => true,
            });
        let finished = invocation.waiting.is_empty();
        for (n, delivery) in settled {
            self.count(n, route, &delivery);
        }
        if finished {
            self.finish(who);
            return false;
        }
        let turn = if self.now >= deadline {
            Turn::Leave(Failure::Deadline)
        } else {
            let deadline = self.begin.mono + deadline;
            self.desk.next(route, now, deadline)
        };
        let invocation = &mut self.invocations[who];
        match turn {
            Turn::Attempt(job) => {
                invocation.attempting = true;
                invocation.wakes = None;
                self.send(who, job, deadline);
                false
            }
            Turn::WaitUntil(at) => {
                invocation.wakes = Some((at - self.begin.mono).min(deadline));
                assert!(invocation.wakes > Some(self.now), "a wait has a length");
                false
            }
            Turn::Wait => {
                invocation.wakes = Some(deadline);
                false
            }
            Turn::Look => true,
            Turn::Leave(why) => {
                for (n, ticket) in std::mem::take(&mut self.invocations[who].waiting) {
                    let delivery = self.desk.leave(route, ticket, why);
                    self.count(n, route, &delivery);
                }
                self.desk.left(route, now);
                self.finish(who);
                true
            }
        }
    }

    fn finish(&mut self, who: usize) {
        let invocation = &mut self.invocations[who];
        invocation.done = true;
        assert!(
            self.now <= invocation.deadline,
            "answered {:?} after {:?}",
            self.now,
            invocation.deadline
        );
        assert!(!invocation.events.is_empty());
    }

    fn count(&mut self, n: usize, route: usize, delivery: &Delivery) {
        match delivery.failure {
            Some(failure) => self.failed.push((route, n, failure)),
            None => {
                self.delivered += 1;
                let uuid = delivery.message_uuid.as_ref().unwrap();
                assert!(
                    self.shown[uuid].contains(&(route, n)),
                    "what is called delivered was shown"
                );
            }
        }
    }

    /// The chatbot's side of an attempt that leaves now.
    fn send(&mut self, who: usize, job: Job, deadline: Duration) {
        let route = &self.routes[job.route];
        let robot = route
            .robot_at(job.at_fallback)
            .unwrap()
            .webhook
            .rate_limit_key();
        let is_first = !job.at_fallback;
        self.requests.entry(robot).or_default().push(self.now);
        self.keys.push(job.uuid.clone());
        assert!(!job.events.is_empty(), "a message holds something");
        self.first_shown.entry(job.route).or_insert(self.now);
        let banned = self
            .weather
            .ban
            .is_some_and(|from| is_first && self.now >= from && self.now < from + 10 * MINUTE);
        let dice = self.dice.below(100);
        let events: Vec<(usize, usize)> = job
            .events
            .iter()
            .map(|e| {
                (
                    job.route,
                    e.id.as_ref().unwrap()["event-".len()..].parse().unwrap(),
                )
            })
            .collect();
        let mut latency = (self.weather.latency)(&mut self.dice);
        let mut answer = if banned {
            attempt(
                Class::Throttled {
                    retry_after: 10 * MINUTE,
                    ban: Ban::Chatbot,
                },
                Some(130101),
            )
        } else if dice < self.weather.busy {
            attempt(Class::Unclear, Some(-1))
        } else {
            self.shown.entry(job.uuid.clone()).or_insert(events);
            if dice < self.weather.busy + self.weather.lost {
                latency = Duration::MAX;
            }
            attempt(Class::Delivered, Some(0))
        };
        let limit = seconds(8).min(deadline - self.now);
        if latency > limit {
            latency = limit;
            answer = Attempt {
                by_deadline: limit < seconds(8),
                ..lost()
            };
        }
        self.wire.insert((self.now + latency, who), (job, answer));
    }

    /// What must hold at the end of every run.
    fn check(&self, limit: usize) {
        for (robot, times) in &self.requests {
            for (i, first) in times.iter().enumerate() {
                let minute = times[i..]
                    .iter()
                    .take_while(|t| **t - *first <= MINUTE)
                    .count();
                assert!(
                    minute <= limit,
                    "{minute} requests to {robot} in the minute from {first:?}"
                );
            }
        }
        let mut seen = BTreeSet::new();
        for pair in self.shown.values().flatten() {
            assert!(seen.insert(*pair), "{pair:?} stands in two messages");
        }
    }
}

/// `n` single events, `gap` apart, on route 0.
fn spread(n: usize, gap: Duration, time: Duration) -> Vec<(Duration, usize, Vec<usize>, Duration)> {
    (0..n).map(|i| (gap * i as u32, 0, vec![i], time)).collect()
}

#[test]
fn a_thousand_events_in_ten_seconds_cost_a_handful_of_messages() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), FAIR, 1);
    world.run(spread(1000, Duration::from_millis(10), seconds(59)));
    world.check(18);
    assert_eq!((world.delivered, world.failed.len()), (1000, 0));
    println!("1000 events in 10 s: {} messages", world.shown.len());
    assert!(world.shown.len() <= 9, "{} messages", world.shown.len());
}

#[test]
fn three_events_a_second_for_ten_minutes_stay_within_the_pace() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), FAIR, 2);
    world.run(spread(1800, Duration::from_millis(333), seconds(59)));
    world.check(18);
    assert_eq!((world.delivered, world.failed.len()), (1800, 0));
    println!("1800 events in 10 min: {} messages", world.shown.len());
    assert!(
        world.shown.len() <= 6 + 10 * 12 + 1,
        "{} messages",
        world.shown.len()
    );
}

#[test]
fn two_hundred_at_one_instant_are_two_messages_at_most() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), FAIR, 3);
    world.run(spread(200, Duration::ZERO, seconds(59)));
    world.check(18);
    assert_eq!(world.delivered, 200);
    assert!(world.shown.len() <= 2);
}

#[test]
fn the_events_of_one_payload_are_one_message() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), FAIR, 4);
    world.run(vec![(Duration::ZERO, 0, (0..400).collect(), seconds(59))]);
    world.check(18);
    assert_eq!((world.delivered, world.shown.len()), (400, 1));
}

#[test]
fn a_twin_joins_the_one_that_waits_and_a_repeat_sends_nothing() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), FAIR, 5);
    let time = seconds(59);
    world.run(vec![
        (Duration::ZERO, 0, vec![1], time),
        (Duration::from_millis(10), 0, vec![1], time),
        (Duration::from_millis(20), 0, vec![2, 2], time),
        (seconds(9), 0, vec![1, 2], time),
    ]);
    world.check(18);
    assert_eq!((world.delivered, world.duplicates), (4, 2));
    assert_eq!(world.shown.len(), 2);
}

#[test]
fn a_ban_in_the_middle_fails_what_waits_at_once_or_moves_it_to_the_fallback() {
    let weather = Weather {
        ban: Some(seconds(5)),
        ..FAIR
    };
    let arrivals = || spread(300, Duration::from_millis(100), seconds(59));
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), weather, 6);
    world.run(arrivals());
    world.check(18);
    assert_eq!(world.delivered + world.failed.len(), 300);
    assert!(
        world
            .failed
            .iter()
            .all(|(_, _, failure)| *failure == Failure::Throttled)
    );
    let asked = &world.requests.values().next().unwrap();
    assert_eq!(
        asked.iter().filter(|t| **t >= seconds(5)).count(),
        1,
        "one request met the ban, none followed"
    );
    assert!(
        world.now < seconds(31),
        "nobody waited for the ban to end: {:?}",
        world.now
    );

    let mut world = World::new(
        routes(&["aaaaaaaaaaaa"], "18", Some("ffffffffffff")),
        weather,
        6,
    );
    world.run(arrivals());
    world.check(18);
    assert_eq!((world.delivered, world.failed.len()), (300, 0));
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn a_slow_chatbot_gets_fuller_messages() {
    let weather = Weather {
        latency: |dice| Duration::from_millis(2000 + dice.below(4000)),
        ..FAIR
    };
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), weather, 7);
    world.run(spread(600, Duration::from_millis(50), seconds(59)));
    world.check(18);
    assert_eq!((world.delivered, world.failed.len()), (600, 0));
    assert!(world.shown.len() <= 12, "{}", world.shown.len());
}

#[test]
fn a_chatbot_that_fails_half_of_its_calls_still_shows_each_event_once() {
    for seed in 0..40 {
        let weather = Weather { busy: 50, ..FAIR };
        let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), weather, seed);
        world.run(spread(300, Duration::from_millis(100), seconds(59)));
        world.check(18);
        assert_eq!(world.delivered + world.failed.len(), 300, "seed {seed}");
    }
}

#[test]
fn answers_that_are_lost_are_asked_for_again_with_the_same_key() {
    for seed in 0..40 {
        let weather = Weather { lost: 30, ..FAIR };
        let mut world = World::new(routes(&["aaaaaaaaaaaa"], "18", None), weather, seed);
        world.run(spread(100, Duration::from_millis(300), seconds(59)));
        world.check(18);
        assert_eq!(world.delivered + world.failed.len(), 100, "seed {seed}");
        assert!(world.keys.len() > world.shown.len(), "seed {seed}");
    }
}

#[test]
fn routes_that_share_a_chatbot_share_its_pace_and_take_turns() {
    for (tokens, robots) in [
        (["aaaaaaaaaaaa", "aaaaaaaaaaaa"], 1),
        (["aaaaaaaaaaaa", "bbbbbbbbbbbb"], 2),
    ] {
        let mut world = World::new(routes(&tokens, "18", None), FAIR, 8);
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
        world.run(arrivals);
        world.check(18);
        assert_eq!((world.delivered, world.failed.len()), (600, 0));
        assert_eq!(world.requests.len(), robots);
    }
}

#[test]
fn with_deadlines_of_3_to_60_seconds_nobody_answers_late_and_what_failed_succeeds_when_repeated() {
    for seed in 0..20 {
        for limit in ["3", "18"] {
            let mut dice = Dice::new(seed);
            let weather = Weather {
                busy: 20,
                latency: |dice| Duration::from_millis(50 + dice.below(1500)),
                ..FAIR
            };
            let mut world = World::new(
                routes(&["aaaaaaaaaaaa", "bbbbbbbbbbbb"], limit, None),
                weather,
                seed,
            );
            let mut arrivals: Vec<_> = (0..200)
                .map(|i| {
                    let time = seconds(2 + dice.below(58));
                    (
                        Duration::from_millis(dice.below(20_000)),
                        (dice.below(2)) as usize,
                        vec![i],
                        time,
                    )
                })
                .collect();
            // EventBridge repeats with exponential decay: after 1, 2, 4, … 512 s.
            let mut wait = 1;
            let mut rounds = 0;
            loop {
                world.failed.clear();
                world.run(std::mem::take(&mut arrivals));
                world.check(limit.parse().unwrap());
                if world.failed.is_empty() {
                    break;
                }
                rounds += 1;
                assert!(
                    rounds < 60,
                    "seed {seed}: still {} failing",
                    world.failed.len()
                );
                for (route, n, _) in world.failed.clone() {
                    let spread = Duration::from_millis(dice.below(1000));
                    arrivals.push((
                        world.now + seconds(wait) + spread,
                        route,
                        vec![n],
                        seconds(59),
                    ));
                }
                wait = (wait * 2).min(512);
            }
            let shown: BTreeSet<_> = world.shown.values().flatten().map(|(_, n)| *n).collect();
            assert_eq!(shown.len(), 200, "seed {seed}: every event was shown");
        }
    }
}

#[test]
fn nobody_waits_while_later_ones_are_served() {
    let mut world = World::new(
        routes(&["aaaaaaaaaaaa", "aaaaaaaaaaaa"], "18", None),
        FAIR,
        9,
    );
    world.newest_first = true;
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
    world.run(arrivals);
    world.check(18);
    assert_eq!((world.delivered, world.failed.len()), (3001, 0));
    assert!(
        world.first_shown[&1] <= seconds(21),
        "{:?}",
        world.first_shown[&1]
    );
}

#[test]
fn a_twin_that_leaves_does_not_take_the_other_ones_event_along() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "3", None), FAIR, 10);
    world.run(vec![
        (Duration::ZERO, 0, vec![1], seconds(59)),
        // The next turn comes after 30 s: the first twin sees that at once and leaves, the second waits.
        (seconds(1), 0, vec![2], seconds(40)),
        (seconds(2), 0, vec![2], seconds(10)),
        (seconds(3), 0, vec![2], seconds(59)),
    ]);
    world.check(3);
    assert_eq!(
        (world.delivered, world.failed.as_slice()),
        (3, &[(0, 2, Failure::Throttled)][..])
    );
}

#[test]
fn a_long_line_that_leaves_clears_the_way_for_who_stays() {
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "3", None), FAIR, 11);
    let last = 20_000;
    world.run(vec![
        (Duration::ZERO, 0, vec![0], seconds(59)),
        (seconds(1), 0, (1..last).collect(), seconds(10)),
        (seconds(2), 0, vec![last], seconds(59)),
    ]);
    world.check(3);
    assert_eq!((world.delivered, world.failed.len()), (2, last - 1));
}

#[test]
fn those_in_a_hurry_do_not_use_up_the_retries_of_those_who_have_time() {
    let weather = Weather {
        latency: |_| seconds(3),
        ..FAIR
    };
    let mut world = World::new(routes(&["aaaaaaaaaaaa"], "20", None), weather, 12);
    world.newest_first = true;
    let mut arrivals = vec![
        (Duration::ZERO, 0, vec![1], seconds(1)),
        (seconds(1) / 2, 0, vec![1], seconds(59)),
    ];
    arrivals.extend((1..6).map(|i| (Duration::from_millis(900) * i, 0, vec![1], seconds(1))));
    world.run(arrivals);
    world.check(20);
    assert_eq!((world.delivered, world.shown.len()), (1, 1));
    assert!(world.keys.len() > 4, "{} attempts", world.keys.len());
    assert!(
        world
            .failed
            .iter()
            .all(|(_, _, failure)| *failure == Failure::Deadline)
    );
}
