//! Computes the cost of a month on Function Compute from the published unit factors.
//!
//! Usage is counted in compute units (CU), rounded up for each function and hour. The price of a CU
//! depends on region and tier and is not included. The floor is: a function that is called in an
//! hour costs at least CNY 0.01 for that hour.

use crate::stats::count;
use std::fmt::Write as _;

/// CU for one call: 75 for 10,000.
const PER_CALL: f64 = 75.0 / 10_000.0;
/// CU for one vCPU and second of an active instance.
const PER_VCPU_SECOND: f64 = 1.0;
/// CU for one GB of memory and second.
const PER_MEMORY_GB_SECOND: f64 = 0.15;
/// CU for one GB of disk and second.
const PER_DISK_GB_SECOND: f64 = 0.05;
/// The minimum for an hour with a call, in CNY.
const FLOOR_PER_HOUR: f64 = 0.01;
/// Hours of an average month.
const HOURS: f64 = 730.0;

/// The rows of the table: events a month.
const MONTHS: [f64; 3] = [100.0, 10_000.0, 1_000_000.0];

/// The billed settings of the function, and the time of an invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Billed {
    /// vCPUs.
    pub cpu: f64,
    /// Memory in MB.
    pub memory_mb: f64,
    /// Disk in MB.
    pub disk_mb: f64,
    /// Milliseconds of one invocation, nearly all of them waiting for DingTalk.
    pub invocation_ms: f64,
}

/// The cost of a month with one invocation for each event, spread evenly. That is the most
/// expensive way, because it has the most hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Month {
    /// Events.
    pub events: f64,
    /// Invocations and calls of the lifecycle hooks.
    pub calls: f64,
    /// Hours with a call.
    pub hours: f64,
    /// CU before rounding.
    pub used: f64,
    /// CU, rounded up in every hour.
    pub billed: f64,
    /// The minimum for all hours, in CNY.
    pub floor_cny: f64,
}

impl Billed {
    /// Reads `cpu`, `memorySize` and `diskSize` of `s.yaml`.
    ///
    /// # Errors
    /// If a setting is missing.
    pub fn from_s_yaml(text: &str, invocation_ms: f64) -> Result<Billed, String> {
        let setting = |name: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| format!("s.yaml has no number for {name}"))
        };
        Ok(Billed {
            cpu: setting("cpu")?,
            memory_mb: setting("memorySize")?,
            disk_mb: setting("diskSize")?,
            invocation_ms,
        })
    }

    /// Returns the CU of one invocation without those of the call.
    fn per_run(&self) -> f64 {
        let seconds = self.invocation_ms / 1_000.0;
        seconds
            * (self.cpu * PER_VCPU_SECOND
                + self.memory_mb / 1_024.0 * PER_MEMORY_GB_SECOND
                + self.disk_mb / 1_024.0 * PER_DISK_GB_SECOND)
    }

    /// Returns the cost of a month with this many events.
    ///
    /// Assumes that an instance ends after two minutes without a call. If events are further apart,
    /// each starts a new one, which is called three times: initializer, event, pre-stop. The two
    /// hooks are counted with the time of the event.
    pub fn month(&self, events: f64) -> Month {
        let apart_minutes = HOURS * 60.0 / events;
        let calls = if apart_minutes > 2.0 {
            3.0 * events
        } else {
            events
        };
        let hours = events.min(HOURS);
        let used = calls * (PER_CALL + self.per_run());
        Month {
            events,
            calls,
            hours,
            used,
            billed: hours * (used / hours).ceil(),
            floor_cny: hours * FLOOR_PER_HOUR,
        }
    }

    /// Returns the calculation and its results as Markdown.
    pub fn shown(&self) -> String {
        let mut text = format!(
            "One invocation at {cpu} vCPU, {memory} MB, disk {disk} MB, {ms} ms:\n\
             {PER_CALL} (call) + {s} s × ({cpu} × {PER_VCPU_SECOND} + {memory_gb} GB × {PER_MEMORY_GB_SECOND} + {disk_gb} GB × {PER_DISK_GB_SECOND}) = {sum:.4} CU\n\n\
             | events a month | calls | hours with a call | CU used | CU billed (rounded up each hour) | floor, CNY |\n\
             |---|---|---|---|---|---|\n",
            cpu = self.cpu,
            memory = self.memory_mb,
            disk = self.disk_mb,
            ms = self.invocation_ms,
            s = self.invocation_ms / 1_000.0,
            memory_gb = self.memory_mb / 1_024.0,
            disk_gb = self.disk_mb / 1_024.0,
            sum = PER_CALL + self.per_run(),
        );
        for month in MONTHS.map(|events| self.month(events)) {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.2} |",
                count(month.events),
                count(month.calls),
                count(month.hours),
                count(month.used),
                count(month.billed),
                month.floor_cny,
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: Billed = Billed {
        cpu: 0.05,
        memory_mb: 128.0,
        disk_mb: 0.0,
        invocation_ms: 50.0,
    };

    #[test]
    fn a_call_of_50_ms_at_the_smallest_size_is_eleven_thousandths() {
        let cu = PER_CALL + SMALLEST.per_run();
        assert!((cu - 0.010_937_5).abs() < 1e-9, "{cu}");
    }

    #[test]
    fn rare_events_pay_for_hours_and_frequent_ones_for_calls() {
        let rare = SMALLEST.month(100.0);
        assert_eq!((rare.calls, rare.hours, rare.billed), (300.0, 100.0, 100.0));
        assert!((rare.floor_cny - 1.0).abs() < 1e-9);
        let frequent = SMALLEST.month(1_000_000.0);
        assert_eq!((frequent.calls, frequent.hours), (1_000_000.0, 730.0));
        // 14.98 CU an hour become 15.
        assert_eq!(frequent.billed, 730.0 * 15.0);
        assert!((frequent.floor_cny - 7.3).abs() < 1e-9);
    }

    #[test]
    fn the_settings_are_those_of_the_deployment() {
        let text = include_str!("../../s.yaml");
        let billed = Billed::from_s_yaml(text, 200.0).unwrap();
        assert!(billed.cpu > 0.0 && billed.memory_mb >= 128.0 && billed.disk_mb >= 512.0);
        assert!(Billed::from_s_yaml("cpu: 0.1", 200.0).is_err());
    }
}
