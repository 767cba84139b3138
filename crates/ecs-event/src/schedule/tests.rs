use super::*;

fn at(utc: &str) -> Timestamp {
    utc.parse().unwrap()
}

fn hourly(utc: &str) -> Tick {
    Tick {
        at: at(utc),
        every: SignedDuration::from_hours(1),
    }
}

fn daily(time: &str) -> DailyTime {
    DailyTime {
        days: None,
        time: time.parse().unwrap(),
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The ticks, hour by hour from `first` on, at which a time is due.
fn due(time: DailyTime, zone: &TimeZone, first: &str, hours: i64) -> Vec<String> {
    let ticks = (0..hours).map(|hour| Tick {
        at: at(first) + hour.hours(),
        every: SignedDuration::from_hours(1),
    });
    let due = ticks.filter(|tick| time.is_due(zone, *tick));
    due.map(|tick| tick.at.to_string()).collect()
}

#[test]
fn a_tick_covers_what_came_after_the_one_before() {
    let tick = hourly("2026-11-26T01:00:00Z");
    for (time, expected) in [
        ("2026-11-26T00:00:00Z", false),
        ("2026-11-26T00:00:01Z", true),
        ("2026-11-26T01:00:00Z", true),
        ("2026-11-26T01:00:01Z", false),
    ] {
        assert_eq!(tick.covers(at(time)), expected, "{time}");
    }
}

#[test]
fn a_time_of_the_day_is_due_once_a_day() {
    let shanghai = zone("Asia/Shanghai");
    for (time, expected) in [
        ("09:00", ["2026-11-25T01:00:00Z", "2026-11-26T01:00:00Z"]),
        ("09:01", ["2026-11-25T02:00:00Z", "2026-11-26T02:00:00Z"]),
        ("00:00", ["2026-11-25T16:00:00Z", "2026-11-26T16:00:00Z"]),
        ("23:59", ["2026-11-25T16:00:00Z", "2026-11-26T16:00:00Z"]),
    ] {
        let shown = due(daily(time), &shanghai, "2026-11-24T17:00:00Z", 48);
        assert_eq!(shown, expected, "{time}");
    }
}

#[test]
fn days_of_the_week_are_those_of_the_zone() {
    let mut time = daily("00:30");
    // 2026-11-26 is a Thursday.
    for (first, last, expected) in [
        (
            Weekday::Friday,
            Weekday::Friday,
            &["2026-11-26T17:00:00Z"][..],
        ),
        (
            Weekday::Monday,
            Weekday::Thursday,
            &["2026-11-25T17:00:00Z"],
        ),
        (
            Weekday::Saturday,
            Weekday::Monday,
            &["2026-11-27T17:00:00Z", "2026-11-28T17:00:00Z"],
        ),
        (Weekday::Wednesday, Weekday::Wednesday, &[]),
    ] {
        time.days = Some((first, last));
        let shown = due(time, &zone("Asia/Shanghai"), "2026-11-25T17:00:00Z", 96);
        assert_eq!(shown, expected, "{time}");
    }
}

#[test]
fn a_time_that_is_left_out_is_done_at_the_next_that_is_not() {
    let berlin = zone("Europe/Berlin");
    // At 01:00 UTC clocks go from 02:00 to 03:00.
    for time in ["02:00", "02:01", "02:30", "02:59", "03:00"] {
        let shown = due(daily(time), &berlin, "2026-03-28T12:00:00Z", 24);
        assert_eq!(shown, ["2026-03-29T01:00:00Z"], "{time}");
    }
    // A whole day that the island left out.
    let apia = zone("Pacific/Apia");
    let shown = due(daily("09:00"), &apia, "2011-12-29T12:00:00Z", 48);
    assert_eq!(
        shown,
        [
            "2011-12-29T19:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-30T19:00:00Z"
        ]
    );
}

#[test]
fn a_time_that_comes_twice_is_done_once() {
    let berlin = zone("Europe/Berlin");
    // At 01:00 UTC clocks go from 03:00 back to 02:00.
    for (time, expected) in [
        ("02:00", "2026-10-25T00:00:00Z"),
        ("02:30", "2026-10-25T01:00:00Z"),
        ("03:00", "2026-10-25T02:00:00Z"),
    ] {
        let shown = due(daily(time), &berlin, "2026-10-24T12:00:00Z", 24);
        assert_eq!(shown, [expected], "{time}");
    }
}

#[test]
fn a_daily_tick_finds_every_time_since_the_one_before() {
    let tick = Tick {
        at: at("2026-11-26T01:00:00Z"),
        every: SignedDuration::from_hours(24),
    };
    // 09:00 on a Thursday in Shanghai.
    let on = |day, time| DailyTime {
        days: Some((day, day)),
        ..daily(time)
    };
    for (day, time, expected) in [
        (Weekday::Thursday, "09:00", true),
        (Weekday::Thursday, "09:01", false),
        (Weekday::Thursday, "00:00", true),
        (Weekday::Wednesday, "09:00", false),
        (Weekday::Wednesday, "09:01", true),
        (Weekday::Wednesday, "23:59", true),
    ] {
        let is_due = on(day, time).is_due(&zone("Asia/Shanghai"), tick);
        assert_eq!(is_due, expected, "{day:?} {time}");
    }
}

#[test]
fn of_several_leads_at_one_tick_the_shortest_counts() {
    let leads = ["2d", "90m", "1h"].map(|text| Lead::parse(text).unwrap());
    let schedule = Schedule {
        remind_before: leads.to_vec(),
        ..Schedule::none(TimeZone::UTC)
    };
    let start = at("2026-11-28T18:00:00Z");
    for (tick, expected) in [
        ("2026-11-26T17:00:00Z", None),
        ("2026-11-26T18:00:00Z", Some("48h")),
        ("2026-11-26T19:00:00Z", None),
        ("2026-11-28T17:00:00Z", Some("1h")),
        ("2026-11-28T18:00:00Z", None),
    ] {
        let lead = schedule.lead(hourly(tick), start);
        assert_eq!(
            lead.map(|lead| lead.to_string()).as_deref(),
            expected,
            "{tick}"
        );
    }
}

#[test]
fn durations_are_whole_minutes_hours_or_days() {
    for (text, minutes) in [("1m", 1), ("90m", 90), ("24h", 1440), ("2d", 2880)] {
        let duration = SignedDuration::from_mins(minutes);
        assert_eq!(parse_duration(text), Some(duration), "{text}");
    }
    for text in [
        "", "m", "24", "0h", "-1h", "1.5h", "1H", "24 h", "1h30m", "9999999m", "二h", "1实",
    ] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
    assert!(Lead::parse("30d").is_some() && Lead::parse("31d").is_none());
    assert_eq!(Lead::parse("1d"), Lead::parse("24h"));
    for (text, shown) in [("2d", "48h"), ("90m", "90m"), ("60m", "1h")] {
        assert_eq!(Lead::parse(text).unwrap().to_string(), shown);
    }
}
