//! Two weeks of hourly ticks, some late, some repeated, some lost with their instance, while 40
//! planned events come, move and are called off.

use super::*;
use fake_aliyun::Fault;
use std::collections::{BTreeMap, BTreeSet};

const HOUR: i64 = 3600;
const HOURS: i64 = 14 * 24;
const EVENTS: usize = 40;
const LEADS: [i64; 2] = [24 * HOUR, HOUR];

/// Numbers that look random and are the same for the same seed.
struct Rng(u64);

impl Rng {
    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + (self.0 % (high - low + 1) as u64) as i64
    }
}

/// Planned work, in seconds of the simulation.
struct Work {
    published: i64,
    start: i64,
    end: i64,
    /// It is put off or brought forward, and when that is decided.
    moved: Option<(i64, i64)>,
    canceled: Option<i64>,
}

impl Work {
    /// Nothing changes in the first half of an hour, so that a tick and its repeat see the same.
    fn random(rng: &mut Rng) -> Work {
        let mut late_in_hour = |low: i64, high: i64| {
            rng.between(low, high) * HOUR + rng.between(30 * 60, 59 * 60 + 59)
        };
        let published = late_in_hour(-40, HOURS - 20);
        let decided = published + late_in_hour(1, 20) / HOUR * HOUR;
        let mut start = late_in_hour(30, 120) + published / HOUR * HOUR;
        let moved_to = start / HOUR * HOUR + late_in_hour(-8, 60);
        let end = late_in_hour(1, 3);
        let kind = rng.between(0, 3);
        if rng.between(0, 3) == 0 {
            start = start / HOUR * HOUR;
        }
        let last_start = if kind == 0 { moved_to } else { start };
        Work {
            published,
            start,
            end: last_start / HOUR * HOUR + end,
            moved: (kind == 0).then_some((decided, moved_to)),
            canceled: (kind == 1).then_some(decided),
        }
    }

    fn start_at(&self, now: i64) -> i64 {
        match self.moved {
            Some((decided, start)) if decided <= now => start,
            _ => self.start,
        }
    }

    /// The status at a time; `None` before it is published.
    fn status_at(&self, now: i64) -> Option<&'static str> {
        if now < self.published {
            None
        } else if self.canceled.is_some_and(|at| at <= now) {
            Some("Canceled")
        } else if now >= self.end {
            Some("Executed")
        } else if now >= self.start_at(now) {
            Some("Executing")
        } else {
            Some("Scheduled")
        }
    }
}

/// What becomes of a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    InTime,
    Late,
    Repeated,
    /// The instance died after the messages were out.
    LostAfter,
    /// The instance died before it could read anything.
    LostBefore,
}

fn fate(rng: &mut Rng) -> Fate {
    match rng.between(0, 9) {
        0..=4 => Fate::InTime,
        5 | 6 => Fate::Late,
        7 => Fate::Repeated,
        8 => Fate::LostAfter,
        _ => Fate::LostBefore,
    }
}

fn time(seconds: i64) -> String {
    // A Monday, 00:00 in UTC.
    let start: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let at = Timestamp::from_second(start.as_second() + seconds);
    at.unwrap().to_string()
}

/// Makes the cloud show the work as it is at a time.
fn show(stage: &Stage, works: &[Work], now: i64) {
    for (number, work) in works.iter().enumerate() {
        if let Some(status) = work.status_at(now) {
            let (_, event) = planned(number, &time(work.start_at(now)));
            stage.cloud.add_event(ACCOUNT, REGION, event.status(status));
        }
    }
}

#[test]
fn each_digest_and_reminder_that_is_due_is_shown_once_and_no_other() {
    let mut rng = Rng(0x9e37_79b9_7f4a_7c15);
    let works: Vec<Work> = (0..EVENTS).map(|_| Work::random(&mut rng)).collect();
    let vars = [
        ("MESSAGE_DIGEST_AT", "09:00"),
        ("MESSAGE_REMIND_BEFORE", "24h,1h"),
    ];
    let mut stage = Stage::at(&time(0), &vars);
    (0..EVENTS).for_each(|number| stage.add_instance(number));
    let mut reminded: BTreeMap<(usize, i64), usize> = BTreeMap::new();
    let (mut digests, mut fates) = (0, BTreeMap::new());
    for hour in 1..=HOURS {
        let at = hour * HOUR;
        let fate = fate(&mut rng);
        *fates.entry(format!("{fate:?}")).or_insert(0) += 1;
        let late = if fate == Fate::Late {
            rng.between(1, 20 * 60)
        } else {
            0
        };
        let now = at + late;
        stage.set_time(&time(now));
        show(&stage, &works, now);
        let send = |stage: &Stage| stage.send(&tick(&time(at))).0;
        match fate {
            Fate::InTime | Fate::Late => {}
            Fate::Repeated => {
                send(&stage).unwrap();
                stage.set_time(&time(now + 120));
            }
            Fate::LostAfter => {
                send(&stage).unwrap();
                stage.restart();
                stage.set_time(&time(now + 120));
            }
            Fate::LostBefore => {
                stage.cloud.fault_on(MAINTENANCE, Fault::Reset);
                assert_eq!(send(&stage).unwrap_err().0, "Unreachable");
                stage.restart();
                stage.set_time(&time(now + 120));
            }
        }
        send(&stage).unwrap();

        // What the group should have seen, said as the contract says it.
        let active = |number: &usize| works[*number].status_at(now);
        let begins_within =
            |number: &usize, span: i64, then: i64| works[*number].start_at(now) <= then + span;
        let mut due = BTreeSet::new();
        for lead in LEADS {
            let scheduled = (0..EVENTS).filter(|number| active(number) == Some("Scheduled"));
            let new = scheduled.filter(|number| {
                begins_within(number, lead, at) && !begins_within(number, lead, at - HOUR)
            });
            for number in new {
                due.insert(number);
                *reminded.entry((number, lead)).or_default() += 1;
            }
        }
        let listed: BTreeSet<usize> = (0..EVENTS)
            .filter(|number| matches!(active(number), Some("Scheduled" | "Executing")))
            .collect();
        let is_nine = hour % 24 == 1;
        let mut expected = Vec::new();
        if !due.is_empty() {
            expected.push((true, due));
        }
        if is_nine && !listed.is_empty() {
            expected.push((false, listed));
            digests += 1;
        }
        let shown: Vec<(bool, BTreeSet<usize>)> = stage
            .shown()
            .iter()
            .map(|shown| {
                let numbers = named(text(shown)).into_iter().collect();
                (shown.title.contains("Reminder"), numbers)
            })
            .collect();
        assert_eq!(shown, expected, "at {} ({fate:?})", time(at));
    }
    // The simulation did what it is for.
    assert_eq!(fates.len(), 5, "{fates:?}");
    assert!(fates.values().all(|count| *count > 15), "{fates:?}");
    assert_eq!(digests, 14);
    assert!(reminded.len() > 40, "{}", reminded.len());
    assert!(works.iter().filter(|work| work.moved.is_some()).count() > 5);
    assert!(works.iter().filter(|work| work.canceled.is_some()).count() > 5);
}
