//! The formats in which events tell time, and there are many.

use super::Moment;
use super::Value;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Beyond this, a bare number counts milliseconds; as seconds it would lie past the year 5000.
const FIRST_MILLIS: f64 = 1e11;

/// Reads a time: ISO 8601 with or without separators, seconds and fractions of any length, a zone as
/// `Z`, an offset or `PRC` (which is +08:00), Unix seconds or milliseconds as a number or as text.
/// What cannot be read, or tells no zone, is kept as it came; `None` where there is nothing.
pub fn parse_moment(value: &Value) -> Option<Moment> {
    match value {
        Value::Number(number) => Some(match number.as_f64().and_then(unix) {
            Some(at) => Moment::At(at),
            None => Moment::Text(number.to_string()),
        }),
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(match parse(text.trim()) {
            Some(at) => Moment::At(at),
            None => Moment::Text(text.trim().to_owned()),
        }),
        Value::Null => None,
        odd => Some(Moment::Text(odd.to_string())),
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let digits = text.split('.').next().unwrap_or_default();
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && (9..=14).contains(&digits.len()) {
        return unix_text(text);
    }
    iso(text)
}

/// As [`unix`], by whole numbers: reading fractions of all kinds takes tables of 10 KB.
fn unix_text(text: &str) -> Option<Timestamp> {
    let mut rest = Scanner(text);
    let whole: i64 = rest.digits(text.find('.').unwrap_or(text.len()))?;
    let nanos = if rest.skip('.') { rest.fraction()? } else { 0 };
    if !rest.0.is_empty() {
        return None;
    }
    let millis = if whole < FIRST_MILLIS as i64 {
        whole * 1000 + i64::from((nanos + 500_000) / 1_000_000)
    } else {
        whole + i64::from(nanos >= 500_000_000)
    };
    Timestamp::from_millisecond(millis).ok()
}

fn unix(number: f64) -> Option<Timestamp> {
    let millis = if number.abs() < FIRST_MILLIS {
        number * 1000.0
    } else {
        number
    };
    if !millis.is_finite() || millis.abs() > 1e15 {
        return None;
    }
    Timestamp::from_millisecond(millis.round() as i64).ok()
}

fn iso(text: &str) -> Option<Timestamp> {
    let mut rest = Scanner(text);
    let year = rest.digits(4)?;
    rest.skip('-');
    let month = rest.digits(2)?;
    rest.skip('-');
    let day = rest.digits(2)?;
    if !(rest.skip('T') || rest.skip('t') || rest.skip(' ')) {
        return None;
    }
    let hour = rest.digits(2)?;
    rest.skip(':');
    let minute = rest.digits(2)?;
    let mut second = 0;
    let mut nanos = 0;
    if rest.skip(':') || rest.starts_with_digit() {
        second = rest.digits(2)?;
        if rest.skip('.') || rest.skip(',') {
            nanos = rest.fraction()?;
        }
    }
    let offset = zone(rest.0.trim())?;
    let part = |n: i64| i8::try_from(n).ok();
    let local = DateTime::new(
        i16::try_from(year).ok()?,
        part(month)?,
        part(day)?,
        part(hour)?,
        part(minute)?,
        part(second)?,
        nanos,
    )
    .ok()?;
    offset.to_timestamp(local).ok()
}

fn zone(text: &str) -> Option<Offset> {
    match text {
        "Z" | "z" | "UTC" | "GMT" => return Some(Offset::UTC),
        "PRC" | "Asia/Shanghai" => return Offset::from_seconds(8 * 3600).ok(),
        _ => {}
    }
    let mut rest = Scanner(text);
    let sign = if rest.skip('+') {
        1
    } else if rest.skip('-') {
        -1
    } else {
        return None;
    };
    let hours = rest.digits(2)?;
    rest.skip(':');
    let minutes = if rest.0.is_empty() {
        0
    } else {
        rest.digits(2)?
    };
    if !rest.0.is_empty() || hours > 18 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()?).ok()
}

/// Takes a text apart from its beginning.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(count)?;
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        number.parse().ok()
    }

    /// Digits behind the point, to nanoseconds; the rest is dropped.
    fn fraction(&mut self) -> Option<i32> {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        let nine = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
        Some(nine.fold(0, |nanos, digit| nanos * 10 + i32::from(digit - b'0')))
    }

    fn skip(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn starts_with_digit(&self) -> bool {
        self.0.starts_with(|c: char| c.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value(json: serde_json::Value) -> Value {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn every_format_met_is_read() {
        for (text, utc) in [
            ("20181226T220114.058+0800", "2018-12-26T14:01:14.058Z"),
            ("2020-11-19T21:04:41+08:00", "2020-11-19T13:04:41Z"),
            ("2022-06-15T03:22:19.965Z", "2022-06-15T03:22:19.965Z"),
            ("2022-06-24T07:43:19.33Z", "2022-06-24T07:43:19.33Z"),
            ("2020-11-19T21:04:42.179PRC", "2020-11-19T13:04:42.179Z"),
            (
                "2020-11-19T21:04:42.149Asia/Shanghai",
                "2020-11-19T13:04:42.149Z",
            ),
            ("2019-04-12T01:01:01Z", "2019-04-12T01:01:01Z"),
            ("2019-11-11T11:00Z", "2019-11-11T11:00:00Z"),
            ("2019-11-11 11:00:05 +0530", "2019-11-11T05:30:05Z"),
            (
                "2019-11-11t11:00:05.1234567891z",
                "2019-11-11T11:00:05.123456789Z",
            ),
            ("1704780333000", "2024-01-09T06:05:33Z"),
            ("1708906637.742", "2024-02-26T00:17:17.742Z"),
        ] {
            assert_eq!(
                parse_moment(&value(json!(text))),
                Some(Moment::At(utc.parse().unwrap())),
                "{text}"
            );
        }
        let at = Some(Moment::At("2024-01-09T06:05:33Z".parse().unwrap()));
        assert_eq!(parse_moment(&value(json!(1704780333000_u64))), at);
        assert_eq!(parse_moment(&value(json!(1704780333))), at);
    }

    #[test]
    fn what_cannot_be_read_is_kept() {
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
            assert_eq!(
                parse_moment(&value(json!(text))),
                Some(Moment::Text(text.into()))
            );
        }
        assert_eq!(
            parse_moment(&value(json!(1e300))),
            Some(Moment::Text("1e+300".into()))
        );
        assert_eq!(parse_moment(&value(json!("  "))), None);
        assert_eq!(parse_moment(&value(json!(null))), None);
    }

    #[test]
    fn a_number_as_text_has_one_point_at_most() {
        for text in ["1708906637.7.42", "1708906637..742", ".1708906637"] {
            assert_eq!(
                parse_moment(&value(json!(text))),
                Some(Moment::Text(text.into()))
            );
        }
        let whole = parse_moment(&value(json!("1708906637")));
        assert_eq!(parse_moment(&value(json!("1708906637."))), whole);
    }

    proptest! {
        #[test]
        fn a_number_as_text_is_read_as_the_number_is(text in "[1-9][0-9]{8,10}(\\.[0-9]{0,3})?|[1-9][0-9]{11,13}") {
            let number: f64 = text.parse().unwrap();
            prop_assert_eq!(parse(&text), unix(number));
        }

        #[test]
        fn no_text_breaks_it(text in "\\PC{0,40}|[0-9TZ:.+\\-实 ]{0,40}") {
            let _ = parse_moment(&value(json!(text)));
        }
    }
}
