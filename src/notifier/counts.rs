//! What an instance has done since it started.

use crate::delivery::DeliveryResult;
use crate::event::{LookupHealth, Vitals};
use crate::report::Report;
use crate::route::Route;
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Outcomes of events on routes, without what the function says by itself.
#[derive(Debug)]
pub struct Counts {
    since: Timestamp,
    delivered: AtomicU64,
    filtered: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    pub(super) fn since(start: Timestamp) -> Counts {
        Counts {
            since: start,
            delivered: AtomicU64::new(0),
            filtered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Counts the outcomes of an invocation. Duplicates were counted before.
    pub(super) fn add(&self, report: &Report) {
        for outcome in report.outcomes.iter().flatten() {
            let result = outcome.delivery.as_ref().map(|delivery| delivery.result);
            let count = match result {
                None => &self.filtered,
                Some(DeliveryResult::Delivered) => &self.delivered,
                Some(DeliveryResult::Failed(_)) => &self.failed,
                Some(DeliveryResult::Duplicate) => continue,
            };
            count.fetch_add(1, Relaxed);
        }
    }

    /// Returns the counts so far, with all else that is the same at every tick.
    pub(super) fn vitals(&self, routes: &[Route]) -> Vitals {
        Vitals {
            version: env!("CARGO_PKG_VERSION"),
            routes: routes.iter().map(|route| route.name.clone()).collect(),
            since: self.since,
            delivered: self.delivered.load(Relaxed),
            filtered: self.filtered.load(Relaxed),
            failed: self.failed.load(Relaxed),
            lookups: LookupHealth::Off,
            clock_ahead: None,
            upcoming: None,
        }
    }
}
