//! What each event name means: title, level and advice by status.
//!
//! The data come from `data/ecs-events.json`, compiled from the event lists of the ECS, EventBridge
//! and CloudMonitor documentation. `build.rs` checks them and turns them into a static table.

use super::level::Level;

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
    pub name: &'static str,
    /// The product as CloudMonitor writes it.
    pub product: &'static str,
    /// The type on EventBridge, where the event is known to appear there.
    pub eventbridge_type: Option<&'static str>,
    /// What happened.
    pub title: LocalizedText,
    /// Statuses that the event is known to have.
    pub statuses: &'static [&'static str],
    advice: LocalizedText,
    advice_by_status: &'static [(&'static str, LocalizedText)],
    levels: Levels,
    /// The project's own choice where no list or page states a level.
    fallback_level: Option<Level>,
    /// A field of the event's data whose value decides the level.
    level_by_field: Option<(&'static str, &'static [(&'static str, Level)])>,
}

#[derive(Debug)]
enum Levels {
    Unknown,
    Always(Level),
    ByStatus(&'static [(&'static str, Level)]),
}

/// Sorted by name.
static ENTRIES: &[Entry] = {
    use Level::{Critical, Info, Warn};
    use Levels::{Always, ByStatus, Unknown};
    include!(concat!(env!("OUT_DIR"), "/catalog.rs"))
};

/// Returns all entries, sorted by name.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// Returns the entry of `name` as an event of `product`.
///
/// Other products reuse names of ECS with other meanings, so the product must fit where it is
/// known. Disks belong to ECS or EBS, depending on the producer.
pub fn find(product: Option<&str>, name: &str) -> Option<&'static Entry> {
    let index = ENTRIES
        .binary_search_by(|entry| entry.name.cmp(name))
        .ok()?;
    let entry = &ENTRIES[index];
    let is_ecs_or_ebs = |product: &str| {
        ["ECS", "EBS"]
            .iter()
            .any(|p| p.eq_ignore_ascii_case(product))
    };
    let fits = product.is_none_or(|product| {
        product.eq_ignore_ascii_case(entry.product)
            || is_ecs_or_ebs(product) && is_ecs_or_ebs(entry.product)
    });
    fits.then_some(entry)
}

/// Returns the entry of an EventBridge type (`ecs:Instance:StateChange`).
pub fn find_by_type(eventbridge_type: &str) -> Option<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.eventbridge_type == Some(eventbridge_type))
}

impl Entry {
    /// Returns the level of an event of this name. `field` returns the text of a field of its data.
    pub fn level<'a>(
        &self,
        status: Option<&str>,
        field: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<Level> {
        if let Some((key, levels)) = self.level_by_field
            && let Some(value) = field(key)
            && let Some((_, level)) = levels.iter().find(|(known, _)| *known == value)
        {
            return Some(*level);
        }
        let documented = match self.levels {
            Levels::Unknown => None,
            Levels::Always(level) => Some(level),
            Levels::ByStatus(levels) => by_status(levels, status).or_else(|| {
                // A status that the list lacks changes nothing where all the others agree.
                let (_, first) = levels.first()?;
                levels.iter().all(|(_, l)| l == first).then_some(*first)
            }),
        };
        documented.or(self.fallback_level)
    }

    /// Returns what to do about it.
    pub fn advice(&self, status: Option<&str>) -> LocalizedText {
        by_status(self.advice_by_status, status).unwrap_or(self.advice)
    }
}

/// Returns the value for `status`, in any letter case.
fn by_status<T: Copy>(table: &[(&str, T)], status: Option<&str>) -> Option<T> {
    let status = status?;
    let row = table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(status));
    row.map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert_eq!(entries().len(), 89);
        assert!(entries().is_sorted_by(|a, b| a.name < b.name));
        for entry in entries() {
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
        let level = |name, status| find(None, name).unwrap().level(status, |_| None);
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
            let field = |key: &str| Some(result).filter(|_| key == "result");
            assert_eq!(disk.level(Some(result), field), Some(expected));
        }
    }

    #[test]
    fn advice_follows_the_status() {
        let entry = find(None, "Instance:SystemMaintenance.Reboot").unwrap();
        assert!(entry.advice(Some("Failed")).en.contains("open a ticket"));
        assert_ne!(entry.advice(Some("Failed")), entry.advice(None));
    }
}
