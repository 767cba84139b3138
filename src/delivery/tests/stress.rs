//! The dispatcher with real threads: many invocations at once, a clock that runs a thousand times as
//! fast, a chatbot that is slow, busy, deaf or throttled by lot. Looks for lost wake-ups, dead locks
//! and wrong counts.
//!
//! The seed is printed; `STRESS_SEED` repeats one, `STRESS_SECONDS` makes it run longer.

use super::simulation::{Dice, attempt, event, routes};
use crate::channel::dingtalk::Endpoint;
use crate::channel::{Attempt, Ban, Class, SendOptions};
use crate::clock::Clock;
use crate::delivery::{Dispatcher, Failure, Transport, lost};
use crate::event::Event;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// How much faster than real time.
const SPEED: u32 = 1000;
/// What threads on a busy machine may be late by, in the fast clock's time: 0.3 s of real time.
const LATE: Duration = Duration::from_secs(300);

struct FastClock {
    begin: Instant,
    wall: SystemTime,
}

impl Clock for FastClock {
    fn now(&self) -> Instant {
        self.begin + self.begin.elapsed() * SPEED
    }

    fn wall(&self) -> SystemTime {
        self.wall + self.begin.elapsed() * SPEED
    }

    fn sleep_duration_until(&self, then: Instant) -> Duration {
        then.saturating_duration_since(self.now()) / SPEED
    }
}

/// A chatbot that counts what it shows, by key.
struct Lottery {
    clock: Arc<FastClock>,
    dice: Mutex<Dice>,
    /// Events by the key of the message that shows them.
    shown: Mutex<HashMap<String, String>>,
    requests: AtomicUsize,
    at_once: AtomicUsize,
}

impl Transport for Arc<Lottery> {
    fn attempt(
        &self,
        _endpoint: &Endpoint,
        body: &[u8],
        _options: SendOptions,
        deadline: Instant,
    ) -> Attempt {
        assert_eq!(
            self.at_once.fetch_add(1, Ordering::SeqCst),
            0,
            "one request at a time"
        );
        self.requests.fetch_add(1, Ordering::SeqCst);
        let lot = self.dice.lock().unwrap().below(100);
        let pause = Duration::from_micros(self.dice.lock().unwrap().below(3000));
        std::thread::sleep(pause);
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let show = || {
            let key = body["msgUuid"].as_str().unwrap().to_owned();
            let text = body["markdown"]["text"].as_str().unwrap().to_owned();
            let first = self
                .shown
                .lock()
                .unwrap()
                .entry(key)
                .or_insert_with(|| text.clone())
                .clone();
            assert_eq!(first, text, "a key stands for one text");
        };
        let answer = match lot {
            0..10 => attempt(Class::Unclear, Some(-1)),
            10..15 => {
                show();
                lost()
            }
            15..17 => attempt(Class::NotSent, None),
            17 => attempt(
                Class::Throttled {
                    retry_after: Duration::from_secs(30),
                    ban: Ban::Chatbot,
                },
                Some(130101),
            ),
            _ if self.clock.now() > deadline => Attempt {
                by_deadline: true,
                ..lost()
            },
            _ => {
                show();
                attempt(Class::Delivered, Some(0))
            }
        };
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

#[test]
fn many_threads_at_once_lose_nothing_and_hang_nowhere() {
    let from_env = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let seed = from_env("STRESS_SEED").unwrap_or(since_1970.as_nanos() as u64);
    let length = Duration::from_secs(from_env("STRESS_SECONDS").unwrap_or(2));
    println!("STRESS_SEED={seed} STRESS_SECONDS={}", length.as_secs());

    let clock = Arc::new(FastClock {
        begin: Instant::now(),
        wall: SystemTime::now(),
    });
    let lottery = Arc::new(Lottery {
        clock: Arc::clone(&clock),
        dice: Mutex::new(Dice::new(seed)),
        shown: Mutex::default(),
        requests: AtomicUsize::new(0),
        at_once: AtomicUsize::new(0),
    });
    // Two routes, one chatbot.
    let routes = routes(&["aaaaaaaaaaaa", "aaaaaaaaaaaa"], "20", None);
    let dispatcher = Dispatcher::new(&routes, Arc::clone(&lottery), clock.clone());
    let next = AtomicUsize::new(0);
    let delivered: Mutex<Vec<(usize, usize)>> = Mutex::default();
    let failed = AtomicUsize::new(0);
    let end = Instant::now() + length;
    std::thread::scope(|scope| {
        for thread in 0..24 {
            let (dispatcher, next, delivered, failed, clock) =
                (&dispatcher, &next, &delivered, &failed, &clock);
            scope.spawn(move || {
                let mut dice = Dice::new(seed ^ (thread + 1));
                while Instant::now() < end {
                    let route = dice.below(2) as usize;
                    let numbers: Vec<usize> = (0..1 + dice.below(4))
                        .map(|_| next.fetch_add(1, Ordering::SeqCst))
                        .collect();
                    let mut events: Vec<(usize, Arc<Event>)> =
                        numbers.iter().map(|n| (*n, event(*n))).collect();
                    // Repeated as EventBridge would, until it is delivered or the test is over.
                    while !events.is_empty() && Instant::now() < end + Duration::from_secs(1) {
                        let deadline = clock.now() + Duration::from_secs(2 + dice.below(58));
                        let shared: Vec<_> =
                            events.iter().map(|(_, event)| Arc::clone(event)).collect();
                        let outcomes = dispatcher.deliver(route, &shared, deadline);
                        assert!(clock.now() < deadline + LATE, "an invocation answered late");
                        assert_eq!(outcomes.len(), events.len());
                        let mut outcomes = outcomes.into_iter();
                        events.retain(|(n, _)| {
                            let outcome = outcomes.next().unwrap();
                            match outcome.failure {
                                None => {
                                    delivered.lock().unwrap().push((route, *n));
                                    false
                                }
                                Some(failure) => {
                                    assert_ne!(failure, Failure::Refused);
                                    assert!(outcome.remedy.is_some());
                                    true
                                }
                            }
                        });
                    }
                    failed.fetch_add(events.len(), Ordering::SeqCst);
                }
            });
        }
    });
    let delivered = delivered.into_inner().unwrap();
    let shown: Vec<String> = lottery.shown.lock().unwrap().values().cloned().collect();
    println!(
        "{} events delivered in {} messages and {} requests, {} still failing at the end",
        delivered.len(),
        shown.len(),
        lottery.requests.load(Ordering::SeqCst),
        failed.load(Ordering::SeqCst)
    );
    assert!(delivered.len() > 100, "the test did something");
    let mut times = HashMap::new();
    for text in &shown {
        for id in text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter(|word| word.starts_with("i-0"))
        {
            *times.entry(id.to_owned()).or_insert(0) += 1;
        }
    }
    for (_, n) in &delivered {
        // As the resource; in the link to the console it stands behind %2F, and is another word.
        let id = format!("i-{n:020}");
        assert_eq!(
            times.get(&id),
            Some(&1),
            "{id} in the messages of the group"
        );
    }
}
