//! What each event name means: title, level and advice by status.
//!
//! The data stand in `data/ecs-events.json`, compiled from the event lists of the ECS, EventBridge and
//! CloudMonitor documentation; `build.rs` turns them into a static table, so nothing is parsed at start.

use crate::event::Level;
use crate::event::{Map, Value};

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// What is known of one event name.
#[derive(Debug)]
pub struct Entry {
    /// The name without status.
    pub name: &'static str,
    /// The product as CloudMonitor writes it.
    pub product: &'static str,
    /// The type on EventBridge, where it is known to appear there.
    pub eventbridge_type: Option<&'static str>,
    /// What happened.
    pub title: Text,
    /// Statuses that the event is known to have.
    pub statuses: &'static [&'static str],
    advice: Text,
    advice_by_status: &'static [(&'static str, Text)],
    levels: Levels,
    /// The project's own suggestion where no list or page states a level.
    suggested: Option<Level>,
    /// A field of the event's data whose value decides the level.
    by_field: Option<(&'static str, &'static [(&'static str, Level)])>,
}

#[derive(Debug)]
enum Levels {
    Undocumented,
    Always(Level),
    ByStatus(&'static [(&'static str, Level)]),
}

/// By name, sorted.
static ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// All that is known.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// What is known of `name` as an event of `product`. Other products reuse names of ECS for things of
/// their own, so the product must fit where it is known; disks are told as ECS or as EBS.
pub fn find(product: Option<&str>, name: &str) -> Option<&'static Entry> {
    let place = ENTRIES
        .binary_search_by(|entry| entry.name.cmp(name))
        .ok()?;
    let entry = ENTRIES.get(place)?;
    let is_block_or_server = |product: &str| {
        ["ECS", "EBS"]
            .iter()
            .any(|p| p.eq_ignore_ascii_case(product))
    };
    let fits = product.is_none_or(|product| {
        product.eq_ignore_ascii_case(entry.product)
            || is_block_or_server(product) && is_block_or_server(entry.product)
    });
    fits.then_some(entry)
}

/// What is known of an EventBridge type (`ecs:Instance:StateChange`).
pub fn find_by_type(eventbridge_type: &str) -> Option<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.eventbridge_type == Some(eventbridge_type))
}

impl Entry {
    /// The level of an event of this name with this status and these data; `None` where nothing says.
    pub fn level(&self, status: Option<&str>, details: &Map) -> Option<Level> {
        if let Some((field, values)) = self.by_field
            && let Some(value) = details.get(field).and_then(Value::as_str)
            && let Some((_, level)) = values.iter().find(|(known, _)| *known == value)
        {
            return Some(*level);
        }
        let documented = match self.levels {
            Levels::Undocumented => None,
            Levels::Always(level) => Some(level),
            Levels::ByStatus(levels) => levels
                .iter()
                .find(|(known, _)| status.is_some_and(|status| status.eq_ignore_ascii_case(known)))
                // A status that the list lacks changes nothing where all the others agree.
                .or_else(|| {
                    levels
                        .first()
                        .filter(|first| levels.iter().all(|l| l.1 == first.1))
                })
                .map(|(_, level)| *level),
        };
        documented.or(self.suggested)
    }

    /// What to do about it.
    pub fn advice(&self, status: Option<&str>) -> Text {
        self.advice_by_status
            .iter()
            .find(|(known, _)| status.is_some_and(|status| status.eq_ignore_ascii_case(known)))
            .map_or(self.advice, |(_, advice)| *advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_whole() {
        assert_eq!(entries().len(), 89);
        assert!(entries().is_sorted_by(|a, b| a.name < b.name));
        for entry in entries() {
            assert!(std::ptr::eq(
                find(Some(entry.product), entry.name).unwrap(),
                entry
            ));
            if let Some(kind) = entry.eventbridge_type {
                assert!(std::ptr::eq(find_by_type(kind).unwrap(), entry), "{kind}");
            }
        }
    }

    #[test]
    fn another_products_event_does_not_take_the_meaning_of_ecs() {
        let name = "Instance:SystemMaintenance.Reboot";
        assert!(find(Some("ECS"), name).is_some() && find(None, name).is_some());
        assert!(find(Some("ebs"), "Disk:Stalled").is_some());
        assert!(find(Some("MongoDB"), name).is_none() && find(Some("ENS"), name).is_none());
    }

    #[test]
    fn a_level_follows_the_status_the_result_or_what_all_statuses_agree_on() {
        let none = Map::new();
        let level = |name, status, details: &Map| find(None, name).unwrap().level(status, details);
        let expiry = "Instance:InstanceExpiration.Stop";
        assert_eq!(
            level(expiry, Some("Scheduled"), &none),
            Some(Level::Critical)
        );
        assert_eq!(level(expiry, Some("avoided"), &none), Some(Level::Info));
        assert_eq!(level(expiry, Some("Odd"), &none), None);
        assert_eq!(
            level("Instance:SystemMaintenance.Stop", Some("Inquiring"), &none),
            Some(Level::Critical)
        );
        assert_eq!(
            level("Instance:AutoReactivateCompleted", None, &none),
            Some(Level::Info)
        );
        assert_eq!(level("Disk:DiskIOHang", None, &none), None);
        let disk = "Disk:DiskOperationCompleted";
        for (result, expected) in [
            ("failed", Level::Warn),
            ("accomplished", Level::Info),
            ("odd", Level::Info),
        ] {
            let details = Map::from_iter([("result".to_owned(), Value::from(result))]);
            assert_eq!(level(disk, Some(result), &details), Some(expected));
        }
    }

    #[test]
    fn advice_follows_the_status() {
        let entry = find(None, "Instance:SystemMaintenance.Reboot").unwrap();
        assert!(entry.advice(Some("Failed")).en.contains("open a ticket"));
        assert_ne!(entry.advice(Some("Failed")), entry.advice(None));
    }
}
