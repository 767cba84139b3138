//! The formats in which events carry times.

use jiff::Timestamp;
use serde_json::Value;

/// A number below this counts seconds since 1970, a greater one milliseconds. As seconds it would
/// lie past the year 5000.
const FIRST_MILLIS: f64 = 1e11;
/// Most digits of a fraction of a second that jiff reads.
const MAX_FRACTION: usize = 9;

/// A time that an event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTime {
    /// A point in time.
    At(Timestamp),
    /// A text in an unknown format or without a zone, shown verbatim.
    Text(String),
}

impl EventTime {
    /// Parses ISO 8601, and Unix seconds or milliseconds as a number or as text.
    /// Returns `None` for null and blank texts.
    pub fn parse(value: &Value) -> Option<EventTime> {
        let (at, text) = match value {
            Value::Null => return None,
            Value::Number(number) => (number.as_f64().and_then(from_unix), number.to_string()),
            Value::String(text) => match text.trim() {
                "" => return None,
                text => (parse_text(text), text.to_owned()),
            },
            other => (None, other.to_string()),
        };
        Some(at.map_or(EventTime::Text(text), EventTime::At))
    }
}

fn parse_text(text: &str) -> Option<Timestamp> {
    let whole_digits = text.find('.').unwrap_or(text.len());
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    // A shorter or longer row of digits is no Unix time of our days; 14 may be milliseconds.
    if is_number && (9..=14).contains(&whole_digits) {
        return from_unix(text.parse().ok()?);
    }
    parse_iso(text)
}

fn from_unix(number: f64) -> Option<Timestamp> {
    let millis = if number.abs() < FIRST_MILLIS {
        number * 1000.0
    } else {
        number
    };
    // The cast saturates, and jiff refuses what is beyond its last year.
    Timestamp::from_millisecond(millis.round() as i64).ok()
}

/// Parses ISO 8601, basic or extended, as jiff reads it. Besides, the zone may be `UTC`, `GMT`,
/// `PRC` or `Asia/Shanghai`, blanks may stand before it, and a fraction may have any length.
fn parse_iso(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at(text.find(['T', 't', ' '])? + 1);
    let is_zone = |c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ',');
    let (time, zone) = rest.split_at(rest.find(is_zone).unwrap_or(rest.len()));
    let time = match time.find(['.', ',']) {
        Some(point) => &time[..time.len().min(point + 1 + MAX_FRACTION)],
        None => time,
    };
    let zone = match zone.trim_start() {
        "UTC" | "GMT" => "Z",
        "PRC" | "Asia/Shanghai" => "+08:00",
        other => other,
    };
    format!("{date}{time}{zone}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(utc: &str) -> Option<EventTime> {
        Some(EventTime::At(utc.parse().unwrap()))
    }

    fn verbatim(text: &str) -> Option<EventTime> {
        Some(EventTime::Text(text.into()))
    }

    #[test]
    fn every_known_format_is_parsed() {
        for (text, utc) in [
            ("20181226T220114.058+0800", "2018-12-26T14:01:14.058Z"),
            ("2020-11-19T21:04:41+08:00", "2020-11-19T13:04:41Z"),
            ("2020-11-19T21:04:41+08", "2020-11-19T13:04:41Z"),
            ("2022-06-15T03:22:19.965Z", "2022-06-15T03:22:19.965Z"),
            ("2022-06-24T07:43:19.33Z", "2022-06-24T07:43:19.33Z"),
            ("2020-11-19T21:04:42.179PRC", "2020-11-19T13:04:42.179Z"),
            (
                "2020-11-19T21:04:42.149Asia/Shanghai",
                "2020-11-19T13:04:42.149Z",
            ),
            ("2020-11-19 21:04:42 GMT", "2020-11-19T21:04:42Z"),
            ("2019-04-12T01:01:01Z", "2019-04-12T01:01:01Z"),
            ("2019-11-11T11:00Z", "2019-11-11T11:00:00Z"),
            ("2019-11-11 11:00:05 +0530", "2019-11-11T05:30:05Z"),
            ("2019-11-11T11:00:05,25Z", "2019-11-11T11:00:05.25Z"),
            (
                "2019-11-11t11:00:05.1234567891z",
                "2019-11-11T11:00:05.123456789Z",
            ),
            ("1704780333000", "2024-01-09T06:05:33Z"),
            ("1708906637.742", "2024-02-26T00:17:17.742Z"),
        ] {
            assert_eq!(EventTime::parse(&json!(text)), at(utc), "{text}");
        }
        let utc = "2024-01-09T06:05:33Z";
        assert_eq!(EventTime::parse(&json!(1704780333000_u64)), at(utc));
        assert_eq!(EventTime::parse(&json!(1704780333)), at(utc));
    }

    #[test]
    fn what_cannot_be_parsed_is_kept_verbatim() {
        for text in [
            "yesterday",
            "2020-13-01T00:00:00Z",
            "2020-11-19T21:04:42",
            "2020-11-19",
            "99991231T235959Z+",
            "1e400",
            "20***0",
            "2020-11-19T25:00:00Z",
            "2020-11-19T21:04:42+99:00",
            "实例",
        ] {
            assert_eq!(EventTime::parse(&json!(text)), verbatim(text));
        }
        assert_eq!(EventTime::parse(&json!(1e300)), verbatim("1e+300"));
        assert_eq!(EventTime::parse(&json!("  ")), None);
        assert_eq!(EventTime::parse(&json!(null)), None);
    }

    #[test]
    fn a_number_as_text_has_at_most_one_point() {
        for text in ["1708906637.7.42", "1708906637..742", ".1708906637"] {
            assert_eq!(EventTime::parse(&json!(text)), verbatim(text));
        }
        let whole = EventTime::parse(&json!("1708906637"));
        assert_eq!(EventTime::parse(&json!("1708906637.")), whole);
    }

    proptest! {
        /// However a time is written, it is the same time.
        #[test]
        fn all_spellings_of_a_time_are_equal(
            millis in 0_i64..4_102_444_800_000,
            (format, zone) in (
                prop::sample::select(&["%Y-%m-%dT%H:%M:%S%.3f", "%Y%m%dT%H%M%S%.3f", "%Y-%m-%d %H:%M:%S%.3f"][..]),
                prop::sample::select(&["Z", "z", "UTC", "GMT", "+00:00", "+0000", " Z", " +00"][..]),
            ),
            zeros in 0_usize..12,
        ) {
            let time = Timestamp::from_millisecond(millis).unwrap();
            let text = format!("{}{}{zone}", time.strftime(format), "0".repeat(zeros));
            prop_assert_eq!(EventTime::parse(&json!(text)), Some(EventTime::At(time)));
        }

        #[test]
        fn a_number_as_text_is_read_like_the_number(text in "[1-9][0-9]{8,10}(\\.[0-9]{1,3})?|[1-9][0-9]{11,13}") {
            let number: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(EventTime::parse(&json!(text)), EventTime::parse(&number));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[0-9TZ:.+\\-实 ]{0,40}") {
            let _ = EventTime::parse(&json!(text));
        }
    }
}
