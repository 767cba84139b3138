//! When the function speaks by itself.

use super::{HOOK, faults, read};
use crate::schedule::Schedule;

fn schedules(more: &[(&str, &str)]) -> Vec<Schedule> {
    let vars = [&[("DINGTALK_WEBHOOK", HOOK)], more].concat();
    let routes = read(&vars).unwrap().routes.into_iter();
    routes.map(|route| route.schedule).collect()
}

/// What a schedule says, as the variables would have it.
fn shown(schedule: &Schedule) -> [String; 3] {
    fn list<T: ToString>(times: &[T]) -> String {
        let times: Vec<String> = times.iter().map(ToString::to_string).collect();
        times.join(",")
    }
    [
        list(&schedule.digest_at),
        list(&schedule.remind_before),
        list(&schedule.heartbeat_at),
    ]
}

#[test]
fn times_and_leads_are_read() {
    let vars = [
        ("MESSAGE_DIGEST_AT", "9:00, Mon-Fri 17:30\nsat 10:00,09:00"),
        ("MESSAGE_REMIND_BEFORE", "2d, 24h,90m,1d"),
        ("MESSAGE_HEARTBEAT_AT", "FRI-mon 00:00, Fri-Mon  23:59"),
        ("MESSAGE_TIME_ZONE", "Europe/Berlin"),
    ];
    let [schedule] = schedules(&vars).try_into().unwrap();
    assert_eq!(
        shown(&schedule),
        [
            "09:00,Mon-Fri 17:30,Sat 10:00",
            "48h,24h,90m",
            "Fri-Mon 00:00,Fri-Mon 23:59"
        ]
    );
    assert_eq!(schedule.zone.iana_name(), Some("Europe/Berlin"));
}

#[test]
fn nothing_is_due_unless_it_is_set() {
    let [schedule] = schedules(&[]).try_into().unwrap();
    assert_eq!(shown(&schedule), ["", "", ""]);
    assert!(!schedule.needs_maintenance());
}

#[test]
fn a_further_route_inherits_what_is_due_unless_it_says_none() {
    let further = "DINGTALK_WEBHOOK__B";
    let vars = [
        ("MESSAGE_DIGEST_AT", "09:00"),
        ("MESSAGE_REMIND_BEFORE", "1h"),
        ("MESSAGE_HEARTBEAT_AT", "08:00"),
        (further, HOOK),
        ("MESSAGE_DIGEST_AT__B", "none"),
        ("MESSAGE_REMIND_BEFORE__B", "24h"),
    ];
    let [first, second] = schedules(&vars).try_into().unwrap();
    assert_eq!(shown(&first), ["09:00", "1h", "08:00"]);
    assert_eq!(shown(&second), ["", "24h", "08:00"]);
}

#[test]
fn what_is_no_time_is_answered_with_what_to_write() {
    for text in [
        "9",
        "09",
        "0900",
        "09:0",
        "24:00",
        "09:60",
        "9am",
        "-9:00",
        "09:00:00",
        "daily 09:00",
        "Mon",
        "Mon 09:00 UTC",
        "Monday 09:00",
        "Mon-Fri",
        "Mon/Fri 09:00",
        "一 09:00",
        "09：00",
        "Mon-Fri-Sun 09:00",
        "0 0 9 * * *",
        "none,09:00",
    ] {
        for variable in ["MESSAGE_DIGEST_AT", "MESSAGE_HEARTBEAT_AT"] {
            let reported = faults(&[("DINGTALK_WEBHOOK", HOOK), (variable, text)]);
            let [fault] = reported.as_slice() else {
                panic!("{text}: {reported:?}");
            };
            assert!(fault.starts_with(&format!("{variable}: ")), "{fault}");
            assert!(fault.contains("Mon-Fri 09:00"), "{fault}");
        }
    }
    for text in [
        "24", "24 hours", "1.5h", "0h", "-1h", "1h30m", "31d", "30s", "1w", "h", "none,1h",
    ] {
        let vars = [("DINGTALK_WEBHOOK", HOOK), ("MESSAGE_REMIND_BEFORE", text)];
        let [fault] = faults(&vars).try_into().unwrap();
        assert!(fault.contains("from 1m to 30d, such as 24h,1h"), "{fault}");
    }
    for text in [",", "09:00;10:00", "\"09:00\"", "09:00，10:00"] {
        let reported = faults(&[("DINGTALK_WEBHOOK", HOOK), ("MESSAGE_DIGEST_AT", text)]);
        assert_eq!(reported.len(), 1, "{text}: {reported:?}");
    }
}

#[test]
fn what_needs_the_api_is_a_fault_without_it() {
    for (variable, value) in [
        ("MESSAGE_DIGEST_AT", "09:00"),
        ("MESSAGE_REMIND_BEFORE", "1h"),
    ] {
        for suffix in ["", "__B"] {
            let name = format!("{variable}{suffix}");
            let vars = [
                ("DINGTALK_WEBHOOK", HOOK),
                ("DINGTALK_WEBHOOK__B", HOOK),
                ("RESOURCE_LOOKUP", "off"),
                (&name, value),
            ];
            let [fault] = faults(&vars).try_into().unwrap();
            assert!(
                fault.starts_with("RESOURCE_LOOKUP: is off, but "),
                "{fault}"
            );
        }
    }
    // A sign of life needs nobody.
    let vars = [
        ("RESOURCE_LOOKUP", "off"),
        ("MESSAGE_HEARTBEAT_AT", "09:00"),
    ];
    assert_eq!(schedules(&vars).len(), 1);
}

#[test]
fn regions_are_ids_and_no_patterns() {
    let vars = [
        ("DINGTALK_WEBHOOK", HOOK),
        (
            "RESOURCE_REGIONS",
            "cn-hangzhou, CN-Beijing\ncn-hangzhou,cn-brandnew-1",
        ),
    ];
    let resources = read(&vars).unwrap().resources.unwrap();
    assert_eq!(
        resources.regions,
        ["cn-hangzhou", "cn-beijing", "cn-brandnew-1"]
    );
    for (text, expected) in [
        ("cn-*", "is a pattern"),
        ("cn-hangzhou-h", "write \"cn-hangzhou\""),
        ("杭州", "write cn-hangzhou"),
        ("../", "is no region's id"),
        (",", "holds commas but no region"),
    ] {
        let [fault] = faults(&[vars[0], ("RESOURCE_REGIONS", text)])
            .try_into()
            .unwrap();
        assert!(fault.starts_with("RESOURCE_REGIONS: "), "{fault}");
        assert!(fault.contains(expected), "{fault}");
    }
    let [fault] = faults(&[vars[0], ("RESOURCE_REGIONS__B", "cn-hangzhou")])
        .try_into()
        .unwrap();
    assert!(fault.contains("is of the whole function"), "{fault}");
}
