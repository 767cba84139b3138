//! Time zones by name, from data that are compiled in: the runtime's image need not have any.
//!
//! The IANA database's rules since 2010, shortened by `build/zones.rs`; earlier times are told with the
//! offset that held then.

use jiff::tz::TimeZone;

/// Names, one a line.
static NAMES: &str = include_str!(concat!(env!("OUT_DIR"), "/zones.txt"));

// Where the rules of each name begin and end.
include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// The rules, in TZif.
static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/zones.tzif"));

/// The zone of this name (`Asia/Shanghai`), in any letter case; `None` for one that there is not.
pub fn find(name: &str) -> Option<TimeZone> {
    let mut names = NAMES.lines().zip(&PLACES);
    let (name, (begin, end)) = names.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let rules = RULES.get(usize::from(*begin)..usize::from(*end))?;
    TimeZone::tzif(name, rules).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{Timestamp, ToSpan, tz};

    #[test]
    fn every_zone_is_there_and_tells_since_2010_what_the_whole_database_tells() {
        let names: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        assert!(names.len() > 500);
        assert_eq!(names.len(), PLACES.len());
        let first: Timestamp = "2010-01-01T00:00:00Z".parse().unwrap();
        for name in names {
            let (ours, whole) = (find(&name).unwrap(), TimeZone::get(&name).unwrap());
            let mut moments = vec![first];
            let until: Timestamp = "2050-01-01T00:00:00Z".parse().unwrap();
            // Just before and at each change, and once a month.
            for change in whole
                .following(first)
                .take_while(|change| change.timestamp() < until)
            {
                moments.push(change.timestamp());
                moments.push(change.timestamp() - 1.nanoseconds());
            }
            moments.extend((0..12 * 90).map(|month| first + (month * 730).hours()));
            for moment in moments.into_iter().filter(|moment| *moment >= first) {
                assert_eq!(
                    ours.to_offset(moment),
                    whole.to_offset(moment),
                    "{name} {moment}"
                );
            }
            assert_eq!(
                ours.to_offset(Timestamp::MIN),
                whole.to_offset(first),
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_found_in_any_letter_case_and_others_are_not() {
        for (name, found) in [
            ("Asia/Shanghai", Some("Asia/Shanghai")),
            ("asia/shanghai", Some("Asia/Shanghai")),
            ("utc", Some("UTC")),
            ("ZULU", Some("Zulu")),
            ("Africa/Abidjan", Some("Africa/Abidjan")),
            ("", None),
            ("Asia", None),
            ("Asia/Shanghai ", None),
            ("Zz", None),
        ] {
            let zone = find(name);
            assert_eq!(
                zone.as_ref().and_then(|zone| zone.iana_name()),
                found,
                "{name}"
            );
        }
    }
}
