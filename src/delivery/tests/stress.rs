//! The dispatcher with real threads: many invocations at once, a clock that runs a thousand times
//! as fast, and a chatbot that is slow, busy, banned or does not respond, at random. Looks for lost
//! wake-ups, deadlocks and wrong counts.
//!
//! The seed is printed; `STRESS_SEED` repeats one, `STRESS_SECONDS` makes it run longer.

use super::{Rng, attempt, channel, event, target};
use crate::channel::{Attempt, Ban, Channel, Class};
use crate::clock::{Clock, ManualClock};
use crate::delivery::{DeliveryResult, Dispatcher, Failure, aborted};
use crate::event::Event;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// How much faster than real time.
const SPEED: u32 = 1000;
/// By how much a thread may be late on a busy machine, in the fast clock's time: 3 s of real time.
/// One that missed its wake-up sleeps for what is left until its deadline, in real time.
const LATE: Duration = Duration::from_secs(3 * SPEED as u64);

/// A chatbot that keeps what it shows, by key.
struct FlakyChannel {
    clock: Arc<ManualClock>,
    rng: Mutex<Rng>,
    /// Messages by key.
    shown: Mutex<HashMap<String, String>>,
    requests: AtomicUsize,
    at_once: AtomicUsize,
}

impl FlakyChannel {
    fn send(&self, body: &[u8], deadline: Instant) -> Attempt {
        assert_eq!(
            self.at_once.fetch_add(1, Ordering::SeqCst),
            0,
            "one request at a time"
        );
        self.requests.fetch_add(1, Ordering::SeqCst);
        let lot = self.rng.lock().unwrap().below(100);
        let pause = Duration::from_micros(self.rng.lock().unwrap().below(3000));
        std::thread::sleep(pause);
        let answer = match lot {
            0..10 => attempt(Class::Unclear, Some(-1)),
            10..15 => {
                self.show(body);
                aborted()
            }
            15..17 => attempt(Class::NotSent, None),
            17 => {
                let class = Class::Throttled {
                    retry_after: Duration::from_secs(30),
                    ban: Ban::Chatbot,
                };
                attempt(class, Some(130101))
            }
            _ if self.clock.now() > deadline => Attempt {
                by_deadline: true,
                ..aborted()
            },
            _ => {
                self.show(body);
                attempt(Class::Delivered, Some(0))
            }
        };
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn show(&self, body: &[u8]) {
        let body = std::str::from_utf8(body).unwrap();
        let (key, message) = body.split_once('\n').unwrap();
        let mut shown = self.shown.lock().unwrap();
        let first = shown.entry(key.to_owned()).or_insert(message.to_owned());
        assert_eq!(first, message, "a key stands for one message");
    }
}

#[test]
fn many_threads_lose_nothing_and_hang_nowhere() {
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

    let clock = ManualClock::fast(SPEED);
    let chatbot = Arc::new(FlakyChannel {
        clock: Arc::clone(&clock),
        rng: Mutex::new(Rng::new(seed)),
        shown: Mutex::default(),
        requests: AtomicUsize::new(0),
        at_once: AtomicUsize::new(0),
    });
    // Two routes, one chatbot.
    let shared: Arc<dyn Channel> = {
        let chatbot = Arc::clone(&chatbot);
        Arc::new(channel("a", move |body: &[u8], _, deadline| {
            chatbot.send(body, deadline)
        }))
    };
    let targets = vec![
        target("first", Arc::clone(&shared)),
        target("second", shared),
    ];
    let dispatcher = Dispatcher::new(targets, clock.clone());
    let next = AtomicUsize::new(0);
    let delivered: Mutex<Vec<(usize, usize)>> = Mutex::default();
    let failed = AtomicUsize::new(0);
    let end = Instant::now() + length;
    std::thread::scope(|scope| {
        for thread in 0..24 {
            let (dispatcher, next, delivered, failed, clock) =
                (&dispatcher, &next, &delivered, &failed, &clock);
            scope.spawn(move || {
                let mut rng = Rng::new(seed ^ (thread + 1));
                while Instant::now() < end {
                    let route = rng.below(2) as usize;
                    let numbers: Vec<usize> = (0..1 + rng.below(4))
                        .map(|_| next.fetch_add(1, Ordering::SeqCst))
                        .collect();
                    let mut events: Vec<(usize, Arc<Event>)> =
                        numbers.iter().map(|n| (*n, event(*n))).collect();
                    // Repeated as EventBridge would, until it is delivered or the test is over.
                    while !events.is_empty() && Instant::now() < end + Duration::from_secs(1) {
                        let deadline = clock.now() + Duration::from_secs(2 + rng.below(58));
                        let shared: Vec<_> =
                            events.iter().map(|(_, event)| Arc::clone(event)).collect();
                        let outcomes = dispatcher.deliver(route, &shared, deadline);
                        assert!(clock.now() < deadline + LATE, "an invocation answered late");
                        assert_eq!(outcomes.len(), events.len());
                        let mut outcomes = outcomes.into_iter();
                        events.retain(|(n, _)| {
                            let outcome = outcomes.next().unwrap();
                            match outcome.result {
                                DeliveryResult::Failed(failure) => {
                                    assert_ne!(failure, Failure::Refused);
                                    assert!(outcome.remedy.is_some());
                                    true
                                }
                                DeliveryResult::Delivered | DeliveryResult::Duplicate => {
                                    delivered.lock().unwrap().push((route, *n));
                                    false
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
    let shown: Vec<String> = chatbot.shown.lock().unwrap().values().cloned().collect();
    println!(
        "{} events delivered in {} messages and {} requests, {} still failing at the end",
        delivered.len(),
        shown.len(),
        chatbot.requests.load(Ordering::SeqCst),
        failed.load(Ordering::SeqCst)
    );
    assert!(delivered.len() > 100, "the test did something");
    // In how many messages each resource stands.
    let mut times: HashMap<&str, usize> = HashMap::new();
    for message in &shown {
        let words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let ids: HashSet<&str> = words.filter(|word| word.starts_with("i-0")).collect();
        for id in ids {
            *times.entry(id).or_default() += 1;
        }
    }
    for (_, n) in &delivered {
        let id = format!("i-{n:020}");
        assert_eq!(times.get(id.as_str()), Some(&1), "{id} in the messages");
    }
}
