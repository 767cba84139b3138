//! An instance is frozen between invocations: the wall clock jumps, and what was remembered counts
//! as long as it would have.

use super::{ACCOUNT, OTHER_ACCOUNT, REGION, add, bench, elsewhere, handle, stopped};
use crate::support::{Bench, group};
use fake_aliyun::{Cloud, Fault, Instance};
use fake_dingtalk::Group;
use serde_json::Value;
use std::time::Duration;

const ID: &str = "i-bp1a";

/// The function, whose clock and everybody's goes ahead while its monotonic clock stands still.
struct Frozen {
    group: Group,
    cloud: Cloud,
    bench: Bench,
    frozen: Duration,
}

impl Frozen {
    fn new(more: &[(&str, &str)]) -> Frozen {
        let (group, cloud) = (group(), Cloud::start());
        let bench = bench(&group, &cloud, more);
        Frozen {
            group,
            cloud,
            bench,
            frozen: Duration::ZERO,
        }
    }

    fn freeze(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        self.frozen += time;
        let ms = i64::try_from(self.frozen.as_millis()).unwrap();
        self.bench.clock.shift_wall(ms);
        self.group.set_clock_offset_ms(ms);
        self.cloud.advance(time);
    }

    /// Sends an event. Returns how the look-up ended, and how many calls it took.
    fn send(&self, event: Value) -> (String, usize) {
        let before = self.cloud.calls().len();
        let line = handle(&self.bench, &[event]).remove(0);
        assert_eq!(line["outcome"], "delivered");
        let lookup = line["lookup"].as_str().unwrap().to_owned();
        (lookup, self.cloud.calls().len() - before)
    }

    fn expect(&self, id: &str, lookup: &str, calls: usize) {
        assert_eq!(self.send(stopped(id)), (lookup.to_owned(), calls));
    }
}

#[test]
fn after_a_freeze_what_was_found_counts_for_ten_minutes() {
    let mut frozen = Frozen::new(&[]);
    add(&frozen.cloud, ID);
    frozen.expect(ID, "found", 1);
    frozen.freeze(590);
    frozen.expect(ID, "cached", 0);
    frozen.freeze(11);
    frozen.expect(ID, "found", 1);
}

#[test]
fn after_a_freeze_what_is_absent_counts_for_a_minute() {
    let mut frozen = Frozen::new(&[]);
    frozen.expect(ID, "absent", 1);
    frozen.freeze(50);
    frozen.expect(ID, "absent", 0);
    add(&frozen.cloud, ID);
    frozen.freeze(11);
    frozen.expect(ID, "found", 1);
}

#[test]
fn after_a_freeze_a_denial_counts_for_five_minutes() {
    let mut frozen = Frozen::new(&[]);
    add(&frozen.cloud, ID);
    frozen.cloud.deny(ACCOUNT, "ecs:DescribeInstances");
    frozen.expect(ID, "denied", 1);
    frozen.freeze(290);
    frozen.expect(ID, "denied", 0);
    frozen.cloud.allow(ACCOUNT, "ecs:DescribeInstances");
    frozen.freeze(11);
    frozen.expect(ID, "found", 1);
}

#[test]
fn after_a_freeze_throttling_ends_when_the_api_said() {
    let mut frozen = Frozen::new(&[]);
    add(&frozen.cloud, ID);
    frozen.cloud.fault(Fault::Throttled {
        retry_after_ms: Some(30_000),
    });
    frozen.expect(ID, "throttled", 1);
    frozen.freeze(25);
    frozen.expect(ID, "throttled", 0);
    frozen.freeze(6);
    frozen.expect(ID, "found", 1);
}

/// The clock was an hour ahead when something was remembered, and was set right.
#[test]
fn after_the_clock_was_set_back_nothing_counts_longer() {
    let mut frozen = Frozen::new(&[]);
    add(&frozen.cloud, ID);
    frozen
        .cloud
        .set_clock(std::time::SystemTime::now() + Duration::from_secs(600));
    frozen.bench.clock.shift_wall(600_000);
    frozen.cloud.deny(ACCOUNT, "ecs:DescribeInstances");
    frozen.expect(ID, "denied", 1);
    frozen.expect("i-bp1b", "denied", 0);
    frozen.cloud.allow(ACCOUNT, "ecs:DescribeInstances");
    frozen.bench.clock.shift_wall(0);
    frozen.cloud.set_clock(std::time::SystemTime::now());
    frozen.expect(ID, "found", 1);
    frozen.freeze(1);
    frozen.expect(ID, "cached", 0);
}

/// It is not used in its last five minutes.
#[test]
fn after_a_freeze_a_role_is_assumed_again() {
    let mut frozen = Frozen::new(&[("RESOURCE_ROLE", "acs:ram::{account}:role/reader")]);
    let arn = format!("acs:ram::{OTHER_ACCOUNT}:role/reader");
    frozen.cloud.add_role(&arn, ACCOUNT);
    for id in ["i-bp1a", "i-bp1b", "i-bp1c"] {
        frozen
            .cloud
            .add_instance(OTHER_ACCOUNT, REGION, Instance::new(id));
    }
    let theirs = |id: &str| elsewhere(&stopped(id), REGION, OTHER_ACCOUNT);
    let assumed = |frozen: &Frozen| frozen.cloud.calls_of("AssumeRole").len();
    for (id, seconds, expected) in [("i-bp1a", 0, 1), ("i-bp1b", 3_200, 1), ("i-bp1c", 110, 2)] {
        frozen.freeze(seconds);
        assert_eq!(frozen.send(theirs(id)).0, "found");
        assert_eq!(assumed(&frozen), expected, "{id}");
    }
}
