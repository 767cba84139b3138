//! Moments and waits in words.

use super::i18n::Language;
use super::markdown::plain;
use crate::event::EventTime;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A moment in the zone, to the second, with the zone's offset: `2026-11-25 09:01:00 (UTC+08:00)`.
pub(super) fn moment(moment: &EventTime, zone: &TimeZone) -> String {
    match moment {
        EventTime::At(at) => {
            let offset = zone.to_offset(*at);
            let local = offset.to_datetime(*at);
            let mut out = minute(local);
            two(&mut out, ':', local.second().into());
            let seconds = offset.seconds();
            out.push_str(if seconds < 0 { " (UTC-" } else { " (UTC+" });
            digits(&mut out, seconds.abs() / 3600, 2);
            two(&mut out, ':', seconds.abs() / 60 % 60);
            // Local mean times of old have seconds.
            if seconds % 60 != 0 {
                two(&mut out, ':', seconds.abs() % 60);
            }
            out.push(')');
            out
        }
        EventTime::Text(text) => plain(text, 60).into_owned(),
    }
}

/// `2026-11-25 09:01`. By hand: times are most of what formatting a message costs.
fn minute(local: DateTime) -> String {
    // Room for what the caller adds.
    let mut out = String::with_capacity(32);
    let year = i32::from(local.year());
    if year < 0 {
        out.push('-');
    }
    digits(
        &mut out,
        year.abs(),
        if (-999..0).contains(&year) { 3 } else { 4 },
    );
    two(&mut out, '-', local.month().into());
    two(&mut out, '-', local.day().into());
    two(&mut out, ' ', local.hour().into());
    two(&mut out, ':', local.minute().into());
    out
}

fn two(out: &mut String, before: char, number: i32) {
    out.push(before);
    digits(out, number, 2);
}

/// The last `width` digits of a number that is not negative.
fn digits(out: &mut String, number: i32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_i32.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

/// A planned moment with the wait until then: `in 2 days 14 h, 2026-11-25 09:01`.
pub(super) fn countdown(
    planned: &EventTime,
    now: Timestamp,
    zone: &TimeZone,
    language: Language,
) -> String {
    let EventTime::At(at) = planned else {
        return moment(planned, zone);
    };
    let local = minute(zone.to_datetime(*at));
    let minutes = at.as_second().saturating_sub(now.as_second()) / 60;
    if *at <= now {
        return language.pick(format!("{local}（已到时间）"), format!("{local} (due)"));
    }
    let wait = match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => language.pick("不到 1 分钟".into(), "less than 1 min".into()),
        (0, 0, m) => language.pick(format!("{m} 分钟"), format!("{m} min")),
        (0, h, m) => language.pick(format!("{h} 小时 {m} 分钟"), format!("{h} h {m} min")),
        (1, h, _) => language.pick(format!("1 天 {h} 小时"), format!("1 day {h} h")),
        (d, h, _) => language.pick(format!("{d} 天 {h} 小时"), format!("{d} days {h} h")),
    };
    language.pick(format!("{wait}后，{local}"), format!("in {wait}, {local}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_stands_in_the_zone_with_its_offset() {
        let at = EventTime::At("2026-11-25T01:01:00Z".parse().unwrap());
        for (zone, expected) in [
            ("Asia/Shanghai", "2026-11-25 09:01:00 (UTC+08:00)"),
            ("UTC", "2026-11-25 01:01:00 (UTC+00:00)"),
            ("America/New_York", "2026-11-24 20:01:00 (UTC-05:00)"),
            ("Asia/Kathmandu", "2026-11-25 06:46:00 (UTC+05:45)"),
        ] {
            assert_eq!(moment(&at, &TimeZone::get(zone).unwrap()), expected);
        }
        let odd = EventTime::Text("[soon](x)".into());
        assert_eq!(moment(&odd, &TimeZone::UTC), "［soon］(x)");
    }

    #[test]
    fn a_countdown_tells_the_wait_and_the_local_time() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let planned = EventTime::At("2026-11-25T01:01:00Z".parse().unwrap());
        for (now, en, zh) in [
            (
                "2026-11-22T11:00:30Z",
                "in 2 days 14 h, 2026-11-25 09:01",
                "2 天 14 小时后，2026-11-25 09:01",
            ),
            (
                "2026-11-24T00:01:00Z",
                "in 1 day 1 h, 2026-11-25 09:01",
                "1 天 1 小时后，2026-11-25 09:01",
            ),
            (
                "2026-11-24T20:31:00Z",
                "in 4 h 30 min, 2026-11-25 09:01",
                "4 小时 30 分钟后，2026-11-25 09:01",
            ),
            (
                "2026-11-25T00:56:00Z",
                "in 5 min, 2026-11-25 09:01",
                "5 分钟后，2026-11-25 09:01",
            ),
            (
                "2026-11-25T01:00:30Z",
                "in less than 1 min, 2026-11-25 09:01",
                "不到 1 分钟后，2026-11-25 09:01",
            ),
            (
                "2026-11-25T01:01:00Z",
                "2026-11-25 09:01 (due)",
                "2026-11-25 09:01（已到时间）",
            ),
            (
                "2027-11-25T01:01:00Z",
                "2026-11-25 09:01 (due)",
                "2026-11-25 09:01（已到时间）",
            ),
        ] {
            let now = now.parse().unwrap();
            assert_eq!(countdown(&planned, now, &zone, Language::En), en);
            assert_eq!(countdown(&planned, now, &zone, Language::Zh), zh);
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_written_as_the_library_would(
            second in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
            near in 0_i64..4_000_000_000,
            zone in prop::sample::select(&["Asia/Shanghai", "America/St_Johns", "Africa/Monrovia", "UTC"][..]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            for second in [second, near] {
                let at = Timestamp::from_second(second).unwrap();
                let expected = at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S (UTC%:z)").to_string();
                prop_assert_eq!(moment(&EventTime::At(at), &zone), expected);
            }
        }
    }
}
