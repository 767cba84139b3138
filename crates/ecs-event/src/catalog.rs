//! What each event name means: title, level and advice by status.
//!
//! The data come from `data/ecs-events.json`, compiled from the event lists of the ECS, EventBridge
//! and CloudMonitor documentation. `build.rs` checks them and turns them into a static table.

use super::field::string;
use super::level::Level;
use serde_json::{Map, Value};

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalizedText {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// What is known of one event name.
#[derive(Debug)]
pub struct Entry {
    /// The name without status.
    pub(super) name: &'static str,
    /// The product as CloudMonitor writes it.
    product: &'static str,
    /// The type on EventBridge, where the event is known to appear there.
    eventbridge_type: Option<&'static str>,
    /// What happened.
    pub title: LocalizedText,
    /// Statuses that the event is known to have.
    pub(super) statuses: &'static [&'static str],
    advice: LocalizedText,
    advice_by_status: &'static [(&'static str, LocalizedText)],
    /// The level for a status that `level_by_status` lacks.
    level: Option<Level>,
    level_by_status: &'static [(&'static str, Level)],
    /// The level by `result` in the event's data, before all else.
    level_by_result: &'static [(&'static str, Level)],
}

/// All entries, sorted by name.
pub(super) static ENTRIES: &[Entry] = {
    use Level::{Critical, Info, Warn};
    include!(concat!(env!("OUT_DIR"), "/catalog.rs"))
};

/// The names that the catalog knows, without status.
pub fn known_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// Returns the entry of `name` as an event of `product`.
///
/// Other products reuse names of ECS with other meanings, so the product must fit where it is
/// known. Disks belong to ECS or EBS, depending on the producer. ActionTrail records the calls of
/// all products under the same names.
pub fn find(product: Option<&str>, name: &str) -> Option<&'static Entry> {
    let index = ENTRIES.binary_search_by(|entry| entry.name.cmp(name));
    let entry = &ENTRIES[index.ok()?];
    let is_ecs_or_ebs =
        |product: &str| ["ECS", "EBS"].contains(&product.to_ascii_uppercase().as_str());
    let fits = product.is_none_or(|product| {
        product.eq_ignore_ascii_case(entry.product)
            || is_ecs_or_ebs(product) && is_ecs_or_ebs(entry.product)
            || is_api_call(name)
    });
    fits.then_some(entry)
}

/// Returns the entry of an EventBridge type (`ecs:Instance:StateChange`).
pub(super) fn find_by_type(eventbridge_type: &str) -> Option<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.eventbridge_type == Some(eventbridge_type))
}

/// Returns true for the name of an event of ActionTrail, the record of an API call.
pub(super) fn is_api_call(name: &str) -> bool {
    name.split(':').any(|part| part == "ActionTrail")
}

impl Entry {
    /// Returns the level of an event of this name with these data.
    pub(super) fn level(&self, status: Option<&str>, data: &Map<String, Value>) -> Option<Level> {
        look_up(self.level_by_result, string(data, "result"))
            .or_else(|| look_up(self.level_by_status, status))
            .or(self.level)
    }

    /// Returns what to do about it.
    pub fn advice(&self, status: Option<&str>) -> LocalizedText {
        look_up(self.advice_by_status, status).unwrap_or(self.advice)
    }
}

/// Returns the value for `key`, in any letter case.
fn look_up<T: Copy>(table: &[(&str, T)], key: Option<&str>) -> Option<T> {
    let key = key?;
    let row = table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(key));
    row.map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert_eq!(ENTRIES.len(), 92);
        assert!(ENTRIES.is_sorted_by(|a, b| a.name < b.name));
        for entry in ENTRIES {
            let found = find(Some(entry.product), entry.name).unwrap();
            assert!(std::ptr::eq(found, entry));
            if let Some(kind) = entry.eventbridge_type {
                assert!(std::ptr::eq(find_by_type(kind).unwrap(), entry), "{kind}");
            }
        }
    }

    #[test]
    fn events_of_other_products_do_not_take_the_meaning_of_ecs() {
        let name = "Instance:SystemMaintenance.Reboot";
        assert!(find(Some("ECS"), name).is_some() && find(None, name).is_some());
        assert!(find(Some("ebs"), "Disk:Stalled").is_some());
        assert!(find(Some("MongoDB"), name).is_none() && find(Some("ENS"), name).is_none());
    }

    #[test]
    fn the_level_follows_status_result_or_what_all_statuses_share() {
        let level = |name, status| find(None, name).unwrap().level(status, &Map::new());
        let expiry = "Instance:InstanceExpiration.Stop";
        assert_eq!(level(expiry, Some("Scheduled")), Some(Level::Critical));
        assert_eq!(level(expiry, Some("avoided")), Some(Level::Info));
        assert_eq!(level(expiry, Some("Odd")), None);
        let stop = "Instance:SystemMaintenance.Stop";
        assert_eq!(level(stop, Some("Inquiring")), Some(Level::Critical));
        let reactivated = "Instance:AutoReactivateCompleted";
        assert_eq!(level(reactivated, None), Some(Level::Info));
        assert_eq!(level("Disk:DiskIOHang", None), None);
        let disk = find(None, "Disk:DiskOperationCompleted").unwrap();
        for (result, expected) in [
            ("failed", Level::Warn),
            ("accomplished", Level::Info),
            ("odd", Level::Info),
        ] {
            let data = Map::from_iter([("result".to_owned(), result.into())]);
            for status in [result, "Executed"] {
                assert_eq!(disk.level(Some(status), &data), Some(expected));
            }
        }
    }

    #[test]
    fn advice_follows_the_status() {
        let entry = find(None, "Instance:SystemMaintenance.Reboot").unwrap();
        assert!(entry.advice(Some("Failed")).en.contains("open a ticket"));
        assert_ne!(entry.advice(Some("Failed")), entry.advice(None));
    }
}
