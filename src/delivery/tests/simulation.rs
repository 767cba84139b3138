//! Bursts, bans and slow chatbots on a clock that is only counted: every invocation, every request
//! and every response is an entry in one queue of moments, so that a run is the same each time.

use super::{FakeChannel, Rng, attempt, channel, event, target};
use crate::channel::{Attempt, Ban, Channel, Class, Limits};
use crate::delivery::keys::EventKey;
use crate::delivery::scheduler::{Action, PendingEvent, Scheduler, SendRequest};
use crate::delivery::target::Role;
use crate::delivery::{DeliveryResult, Failure, Outcome, Target, Timestamps, aborted};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Targets whose chatbots have these ids, with this limit of messages a minute.
pub(super) fn targets(ids: &[&str], per_minute: u32, fallback: Option<&str>) -> Vec<Target> {
    targets_within(ids, Limits::new(per_minute, 20_000), fallback)
}

/// Targets whose chatbots have these ids and limits.
pub(super) fn targets_within(ids: &[&str], limits: Limits, fallback: Option<&str>) -> Vec<Target> {
    let channel = |id: &str| -> Arc<dyn Channel> {
        // The simulation answers in place of the channels.
        let channel = channel(id, |_, _, _| unreachable!());
        Arc::new(FakeChannel { limits, ..channel })
    };
    ids.iter()
        .enumerate()
        .map(|(n, id)| Target {
            fallback: fallback.map(channel),
            ..target(&format!("route-{n}"), channel(id))
        })
        .collect()
}

/// How the simulated chatbots behave.
#[derive(Clone, Copy)]
pub(super) struct ChannelProfile {
    pub(super) latency: fn(&mut Rng) -> Duration,
    /// Of 100 requests, how many are answered with "busy" and not shown.
    pub(super) busy: u64,
    /// Of 100 requests, how many are shown but never answered.
    pub(super) lost: u64,
    /// From this moment on, the primary chatbots are banned for ten minutes.
    pub(super) ban: Option<Duration>,
}

pub(super) const FAIR: ChannelProfile = ChannelProfile {
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
    pending: Vec<(usize, PendingEvent)>,
    wakes: Option<Duration>,
    sending: bool,
    done: bool,
}

/// When an event arrives on a route: (when, route, events, time to answer in).
pub(super) type Arrival = (Duration, usize, Vec<usize>, Duration);

pub(super) struct Simulation {
    begin: Timestamps,
    pub(super) now: Duration,
    scheduler: Scheduler,
    rng: Rng,
    profile: ChannelProfile,
    invocations: Vec<Invocation>,
    /// Requests in flight, by when they come back and whose they are.
    in_flight: BTreeMap<(Duration, usize), (SendRequest, Attempt)>,
    /// When requests were made, by chatbot.
    pub(super) requests: HashMap<String, Vec<Duration>>,
    /// Messages shown, by key. A repeat of a key is not shown again.
    pub(super) shown: BTreeMap<String, Vec<(usize, usize)>>,
    /// The keys of all requests.
    pub(super) keys: Vec<String>,
    pub(super) failed: Vec<(usize, usize, Failure)>,
    pub(super) delivered: usize,
    pub(super) duplicates: usize,
    /// When each route had something shown first.
    pub(super) first_shown: BTreeMap<usize, Duration>,
    /// The threads that came last wake first, as they may.
    pub(super) newest_first: bool,
}

impl Simulation {
    pub(super) fn new(targets: Vec<Target>, profile: ChannelProfile, seed: u64) -> Simulation {
        Simulation {
            begin: Timestamps {
                monotonic: Instant::now() + seconds(1000),
                wall: SystemTime::now(),
            },
            now: Duration::ZERO,
            scheduler: Scheduler::new(targets),
            rng: Rng::new(seed),
            profile,
            invocations: Vec::new(),
            in_flight: BTreeMap::new(),
            requests: HashMap::new(),
            shown: BTreeMap::new(),
            keys: Vec::new(),
            failed: Vec::new(),
            delivered: 0,
            duplicates: 0,
            first_shown: BTreeMap::new(),
            newest_first: false,
        }
    }

    fn at(&self, time: Duration) -> Timestamps {
        self.begin.plus(time)
    }

    /// Runs until every invocation has answered.
    pub(super) fn run(&mut self, mut arrivals: Vec<Arrival>) {
        arrivals.sort();
        arrivals.reverse();
        loop {
            let next = [
                arrivals.last().map(|a| a.0),
                self.in_flight.keys().next().map(|k| k.0),
                self.invocations
                    .iter()
                    .filter(|i| !i.done && !i.sending)
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
                .in_flight
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                let ((_, who), (mut request, attempt)) = entry.remove_entry();
                request.message.body = Some(Arc::new(vec![1].into()));
                let now = self.at(self.now);
                self.scheduler.record(&request, &attempt, now);
                self.invocations[who].sending = false;
                woken.extend(0..self.invocations.len());
            }
            for (n, invocation) in self.invocations.iter().enumerate() {
                if invocation.wakes.is_some_and(|at| at <= self.now) {
                    woken.insert(n);
                }
            }
            // An invocation that changes something wakes all others, as a condition variable would.
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
        let enqueue = |n: &usize| {
            let event = event(*n);
            let key = EventKey(event.dedup_key());
            (*n, self.scheduler.enqueue(route, key, &event, now))
        };
        let pending = events.iter().map(enqueue).collect();
        self.invocations.push(Invocation {
            route,
            events,
            deadline,
            pending,
            wakes: Some(self.now),
            sending: false,
            done: false,
        });
    }

    /// Does what the thread of an invocation would do now; returns true if others must look again.
    fn poll(&mut self, who: usize) -> bool {
        let now = self.at(self.now);
        let invocation = &mut self.invocations[who];
        if invocation.done || invocation.sending {
            return false;
        }
        let (route, deadline) = (invocation.route, invocation.deadline);
        let is_settled = |(_, event): &mut (usize, PendingEvent)| event.outcome().is_some();
        let settled: Vec<_> = invocation.pending.extract_if(.., is_settled).collect();
        let finished = invocation.pending.is_empty();
        for (n, event) in settled {
            self.count(n, route, &event.outcome().unwrap());
        }
        if finished {
            self.finish(who);
            return false;
        }
        let action = if self.now >= deadline {
            Action::GiveUp(Failure::Deadline)
        } else {
            let deadline = self.begin.monotonic + deadline;
            self.scheduler.next(route, now, deadline)
        };
        let invocation = &mut self.invocations[who];
        match action {
            Action::Send(request) => {
                invocation.sending = true;
                invocation.wakes = None;
                self.send(who, request, deadline);
                false
            }
            Action::WaitUntil(at) => {
                invocation.wakes = Some((at - self.begin.monotonic).min(deadline));
                assert!(invocation.wakes > Some(self.now), "a wait has a length");
                false
            }
            Action::Wait => {
                invocation.wakes = Some(deadline);
                false
            }
            Action::Recheck => true,
            Action::GiveUp(failure) => {
                let pending = std::mem::take(&mut invocation.pending);
                let (numbers, events): (Vec<usize>, Vec<PendingEvent>) =
                    pending.into_iter().unzip();
                let outcomes = self.scheduler.cancel(route, &events, failure, now);
                for (n, outcome) in numbers.into_iter().zip(&outcomes) {
                    self.count(n, route, outcome);
                }
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

    fn count(&mut self, n: usize, route: usize, outcome: &Outcome) {
        match outcome.result {
            DeliveryResult::Failed(failure) => {
                assert!(outcome.remedy.is_some(), "a failure has a remedy");
                self.failed.push((route, n, failure));
            }
            DeliveryResult::Delivered => {
                self.delivered += 1;
                let uuid = outcome.message_uuid.as_ref().unwrap();
                assert!(
                    self.shown[uuid].contains(&(route, n)),
                    "what is reported delivered was shown"
                );
            }
            DeliveryResult::Duplicate => self.duplicates += 1,
        }
    }

    /// The chatbot's side of an attempt that leaves now.
    fn send(&mut self, who: usize, request: SendRequest, deadline: Duration) {
        let route = request.route;
        let chatbot = request.channel().id().to_owned();
        let is_primary = request.role == Role::Primary;
        self.requests.entry(chatbot).or_default().push(self.now);
        self.keys.push(request.message.uuid.clone());
        assert!(
            !request.message.events.is_empty(),
            "a message holds something"
        );
        self.first_shown.entry(route).or_insert(self.now);
        let banned = self
            .profile
            .ban
            .is_some_and(|from| is_primary && self.now >= from && self.now < from + 10 * MINUTE);
        let lot = self.rng.below(100);
        let number = |id: &str| id["event-".len()..].parse().unwrap();
        let events: Vec<(usize, usize)> = request
            .message
            .events
            .iter()
            .map(|(_, event)| (route, number(event.id.as_ref().unwrap())))
            .collect();
        let mut latency = (self.profile.latency)(&mut self.rng);
        let mut answer = if banned {
            let (retry_after, ban) = (10 * MINUTE, Ban::Chatbot);
            attempt(Class::Throttled { retry_after, ban }, Some(130101))
        } else if lot < self.profile.busy {
            attempt(Class::Unclear, Some(-1))
        } else {
            self.shown
                .entry(request.message.uuid.clone())
                .or_insert(events);
            if lot < self.profile.busy + self.profile.lost {
                latency = Duration::MAX;
            }
            attempt(Class::Delivered, Some(0))
        };
        let limit = seconds(8).min(deadline - self.now);
        if latency > limit {
            latency = limit;
            answer = Attempt {
                by_deadline: limit < seconds(8),
                ..aborted()
            };
        }
        self.in_flight
            .insert((self.now + latency, who), (request, answer));
    }

    /// Checks what must hold at the end of every run.
    pub(super) fn check(&self, limit: usize) {
        for (chatbot, times) in &self.requests {
            for (i, first) in times.iter().enumerate() {
                let minute = times[i..]
                    .iter()
                    .take_while(|t| **t - *first <= MINUTE)
                    .count();
                assert!(
                    minute <= limit,
                    "{minute} requests to {chatbot} in the minute from {first:?}"
                );
            }
        }
        let mut seen = BTreeSet::new();
        for pair in self.shown.values().flatten() {
            assert!(seen.insert(*pair), "{pair:?} stands in two messages");
        }
    }
}
