//! Planned maintenance of the fleet: it begins at times relative to the start of the playground,
//! and goes on as its clock does.

use crate::clock::next_hour;
use crate::cloud::ACCOUNT;
use crate::samples::headline;
use ecs_dingtalk_notifier::event;
use fake_aliyun::{Cloud, SystemEvent};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

/// Maintenance of an instance.
struct Planned {
    id: &'static str,
    region: &'static str,
    instance: &'static str,
    /// The disk that it is about.
    disk: Option<&'static str>,
    kind: &'static str,
    /// Until it begins.
    status: &'static str,
    /// When it begins, in minutes after the first full hour.
    begins: i64,
    /// In hours.
    takes: i64,
}

/// Two begin within a day after the first tick and after the second: each brings a reminder.
const PLANNED: [Planned; 5] = [
    Planned {
        id: "e-uf6playground0001",
        region: "cn-shanghai",
        instance: "i-uf6265k8n3c9x1v0t7qt",
        disk: None,
        kind: "SystemMaintenance.PerformanceImpact",
        status: "Scheduled",
        begins: -150,
        takes: 72,
    },
    Planned {
        id: "e-bp1playground0002",
        region: "cn-hangzhou",
        instance: "i-bp1140abcdefghijklmn",
        disk: None,
        kind: "SystemMaintenance.Reboot",
        status: "Scheduled",
        begins: 23 * 60 + 40,
        takes: 1,
    },
    Planned {
        id: "e-uf6playground0003",
        region: "cn-shanghai",
        instance: "i-2zeg014dfo4y892z0001",
        disk: None,
        kind: "SystemMaintenance.Reboot",
        status: "Scheduled",
        begins: 24 * 60 + 40,
        takes: 1,
    },
    Planned {
        id: "e-bp1playground0004",
        region: "cn-hangzhou",
        instance: "i-bp1ecr4x7k2m9q5go2go",
        disk: Some("d-t4ndyqve6h3w8z2rn4ds"),
        kind: "SystemMaintenance.IsolateErrorDisk",
        status: "Inquiring",
        begins: (3 * 24 + 5) * 60,
        takes: 2,
    },
    Planned {
        id: "e-bp1playground0005",
        region: "cn-hangzhou",
        instance: "i-bp1b64example00001",
        disk: None,
        kind: "SystemMaintenance.Redeploy",
        status: "Scheduled",
        begins: (6 * 24 + 14) * 60,
        takes: 3,
    },
];

impl Planned {
    /// Returns when it begins and when it ends, if the playground started at `start`.
    fn times(&self, start: Timestamp) -> [Timestamp; 2] {
        let begins = next_hour(start) + self.begins.minutes();
        [begins, begins + self.takes.hours()]
    }

    fn status(&self, start: Timestamp, now: Timestamp) -> &'static str {
        let [begins, ends] = self.times(start);
        match () {
            () if now < begins => self.status,
            () if now < ends => "Executing",
            () => "Executed",
        }
    }
}

/// Lets the API tell the maintenance as it is `now`.
pub fn update(cloud: &Cloud, start: Timestamp, now: Timestamp) {
    for planned in &PLANNED {
        let text = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let [begins, _] = planned.times(start);
        let event = SystemEvent::new(planned.id, planned.instance, planned.kind)
            .status(planned.status(start, now))
            .published(&text(start - 48.hours()))
            .not_before(&text(begins))
            .reason("Example: maintenance of the host");
        let event = match planned.disk {
            Some(disk) => event.attribute("DiskId", disk),
            None => event,
        };
        cloud.add_event(ACCOUNT, planned.region, event);
    }
}

/// Returns what the page shows of it. The page itself counts down.
pub fn plan(start: Timestamp) -> Value {
    let shown = |planned: &Planned| {
        let event = json!({
            "id": planned.id, "source": "acs.ecs", "specversion": "1.0",
            "type": format!("ecs:Instance:{}", planned.kind),
            "data": {"instanceId": planned.instance},
        });
        let events = event::parse(event.to_string().as_bytes()).events;
        let (zh, en) = match events.as_slice() {
            [event] => headline(&[event]),
            _ => Default::default(),
        };
        let [begins, ends] = planned.times(start).map(Timestamp::as_millisecond);
        json!({
            "region": planned.region, "instance": planned.instance, "disk": planned.disk,
            "zh": zh, "en": en, "status": planned.status, "begins": begins, "ends": ends,
        })
    };
    PLANNED.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud;

    #[test]
    fn it_is_of_the_fleet() {
        let fleet = cloud::fleet();
        let is_there = |region: &str, id: &str| {
            let mut resources = fleet.as_array().unwrap().iter();
            resources.any(|resource| resource["region"] == region && resource["id"] == id)
        };
        for planned in &PLANNED {
            let Planned { region, id, .. } = *planned;
            assert!(is_there(region, planned.instance), "{id}");
            let disk = planned.disk;
            assert!(disk.is_none_or(|disk| is_there(region, disk)), "{id}");
        }
    }

    #[test]
    fn the_first_two_ticks_are_a_day_before_a_beginning() {
        for start in ["2026-11-26T07:00:00Z", "2026-11-26T07:59:59.9Z"] {
            let start: Timestamp = start.parse().unwrap();
            for (tick, id) in [
                ("2026-11-26T08:00:00Z", "e-bp1playground0002"),
                ("2026-11-26T09:00:00Z", "e-uf6playground0003"),
            ] {
                let tick: Timestamp = tick.parse().unwrap();
                let begins = |planned: &&Planned| {
                    let [begins, _] = planned.times(start);
                    begins > tick + 23.hours() && begins <= tick + 24.hours()
                };
                let due: Vec<_> = PLANNED.iter().filter(begins).map(|own| own.id).collect();
                assert_eq!(due, [id], "{start}");
            }
        }
    }

    #[test]
    fn it_goes_on_as_the_clock_does() {
        let start: Timestamp = "2026-11-26T07:30:00Z".parse().unwrap();
        let statuses = |hours: i64| {
            let now = start + hours.hours();
            PLANNED.each_ref().map(|own| own.status(start, now))
        };
        let (scheduled, inquiring) = ("Scheduled", "Inquiring");
        assert_eq!(
            statuses(0),
            ["Executing", scheduled, scheduled, inquiring, scheduled]
        );
        assert_eq!(
            statuses(25),
            ["Executing", "Executing", scheduled, inquiring, scheduled]
        );
        assert_eq!(statuses(7 * 24), ["Executed"; 5]);
    }

    #[test]
    fn each_has_words_in_both_languages() {
        for shown in plan(Timestamp::UNIX_EPOCH).as_array().unwrap() {
            for language in ["zh", "en"] {
                let text = shown[language].as_str().unwrap();
                assert!(text.split(' ').count() > 1, "{shown}");
            }
        }
    }
}
