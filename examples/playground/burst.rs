//! Sends many events in a short time.

use crate::cloud;
use crate::lab::Lab;
use crate::samples::{self, fresh_with_resource};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Concurrent invocations: the instance concurrency of `s.yaml`.
pub const CONCURRENCY: usize = 100;
/// Events of one burst.
const MAX_EVENTS: usize = 1_000;
/// The time over which a burst is spread.
const MAX_SECONDS: f64 = 120.0;

/// The samples of a mixed burst, used in turn. Other bursts use the first one only.
const KINDS: [&str; 6] = [
    "eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json",
    "eventbridge/Instance-StateChange-Stopped.json",
    "eventbridge/Instance-PreemptibleInstanceInterruption.json",
    "eventbridge/Instance-SystemFailure.Reboot-Executing.json",
    "eventbridge/Disk-Stalled-Executed.json",
    "eventbridge/Instance-StateChange-Running.json",
];

/// Runs one burst at a time.
#[derive(Default)]
pub struct Bursts {
    is_running: AtomicBool,
    is_stopped: AtomicBool,
    /// The number of the latest burst.
    last: AtomicUsize,
}

/// The parameters of a burst.
pub struct Plan {
    /// The number of events.
    pub count: usize,
    /// The time over which they are spread.
    pub seconds: f64,
    /// Sends several kinds of events.
    pub mixed: bool,
}

/// The invocations of a burst so far.
struct Progress {
    started: usize,
    done: usize,
    /// Counts by outcome.
    outcomes: BTreeMap<String, usize>,
}

impl Bursts {
    /// Starts a burst in the background.
    ///
    /// # Errors
    /// If a burst is running, the plan is out of range, or the samples cannot be read.
    pub fn start(self: &Arc<Self>, lab: &Arc<Lab>, plan: Plan) -> Result<(), String> {
        if !(1..=MAX_EVENTS).contains(&plan.count) || !(0.0..=MAX_SECONDS).contains(&plan.seconds) {
            return Err(format!(
                "a burst has 1 to {MAX_EVENTS} events in 0 to {MAX_SECONDS} seconds"
            ));
        }
        let kinds = if plan.mixed {
            KINDS.as_slice()
        } else {
            &KINDS[..1]
        };
        let kinds: Vec<String> = kinds
            .iter()
            .map(|file| samples::read(file))
            .collect::<Result<_, _>>()?;
        if self.is_running.swap(true, Ordering::SeqCst) {
            return Err("a burst is under way already".into());
        }
        self.is_stopped.store(false, Ordering::SeqCst);
        let (bursts, lab) = (Arc::clone(self), Arc::clone(lab));
        std::thread::spawn(move || {
            bursts.run(&lab, &plan, &kinds);
            bursts.is_running.store(false, Ordering::SeqCst);
        });
        Ok(())
    }

    /// Starts no more invocations. Those that have started complete.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
    }

    fn run(&self, lab: &Lab, plan: &Plan, kinds: &[String]) {
        let burst = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        let start = Instant::now();
        let interval = Duration::from_secs_f64(plan.seconds) / plan.count as u32;
        let next = AtomicUsize::new(0);
        let progress = Mutex::new(Progress {
            started: 0,
            done: 0,
            outcomes: BTreeMap::new(),
        });
        let change = |change: &dyn Fn(&mut Progress)| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut progress);
            self.publish(lab, burst, plan, &progress);
        };
        std::thread::scope(|scope| {
            for _ in 0..plan.count.min(CONCURRENCY) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= plan.count {
                            return;
                        }
                        self.wait_until(start + interval * number as u32);
                        if self.is_stopped.load(Ordering::SeqCst) {
                            return;
                        }
                        let kind = kinds.get(number % kinds.len()).map_or("", String::as_str);
                        change(&|progress| progress.started += 1);
                        let payload = fresh_with_resource(kind, number, lab.clock.time());
                        cloud::add_instance_of(&lab.cloud, &payload, number);
                        let answer = lab.fire(&payload, Some(burst));
                        let outcome = outcome(&answer.body);
                        change(&|progress| {
                            progress.done += 1;
                            *progress.outcomes.entry(outcome.clone()).or_default() += 1;
                        });
                    }
                });
            }
        });
        let progress = progress
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        self.is_stopped.store(true, Ordering::SeqCst);
        self.publish(lab, burst, plan, &progress);
    }

    /// Waits until this moment or until the burst is stopped.
    fn wait_until(&self, then: Instant) {
        while !self.is_stopped.load(Ordering::SeqCst) {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    fn publish(&self, lab: &Lab, burst: usize, plan: &Plan, progress: &Progress) {
        let is_stopped = self.is_stopped.load(Ordering::SeqCst);
        let is_finished =
            progress.done == plan.count || is_stopped && progress.done == progress.started;
        lab.journal.publish(
            "burst",
            &json!({
                "type": "burst", "number": burst, "count": plan.count,
                "done": progress.done, "outcomes": progress.outcomes, "finished": is_finished,
            }),
        );
    }
}

/// Returns the outcome of an invocation's only event, or the type of the failure.
fn outcome(body: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = answer["errorType"]
        .as_str()
        .or_else(|| answer["events"][0]["routes"][0]["outcome"].as_str());
    text.unwrap_or("no answer").to_owned()
}
