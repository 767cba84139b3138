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
    name: Place,
    product: Place,
    /// Empty where it is not known.
    eventbridge_type: Place,
    title: Words,
    statuses: List,
    advice: Words,
    /// Of [`ADVICE`].
    advice_by_status: List,
    levels: Levels,
    /// The project's own suggestion where no list or page states a level.
    suggested: Option<Level>,
    /// A field of the event's data whose value decides the level, and the values in [`LEVELS`].
    by_field: Option<(Place, List)>,
}

#[derive(Debug)]
enum Levels {
    Undocumented,
    Always(Level),
    /// Of [`LEVELS`].
    ByStatus(List),
}

/// Where a text begins and ends in [`WORDS`].
#[derive(Debug, Clone, Copy)]
struct Place(u16, u16);

/// Where a list begins and ends in the table of its kind.
#[derive(Debug, Clone, Copy)]
struct List(u16, u16);

#[derive(Debug, Clone, Copy)]
struct Words {
    zh: Place,
    en: Place,
}

/// All texts.
static WORDS: &str = include_str!(concat!(env!("OUT_DIR"), "/catalog.txt"));

// ENTRIES, sorted by name, and the tables of their lists: STATUSES, ADVICE, LEVELS.
include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

impl Place {
    fn text(self) -> &'static str {
        let (begin, end) = (usize::from(self.0), usize::from(self.1));
        WORDS.get(begin..end).unwrap_or_default()
    }

    /// Whether a text that is not empty stands here; most are told by their length.
    fn is(self, text: &str) -> bool {
        usize::from(self.1.saturating_sub(self.0)) == text.len()
            && !text.is_empty()
            && self.text() == text
    }
}

impl List {
    fn of<T>(self, table: &'static [T]) -> &'static [T] {
        let (begin, end) = (usize::from(self.0), usize::from(self.1));
        table.get(begin..end).unwrap_or_default()
    }
}

impl Words {
    fn text(self) -> Text {
        Text {
            zh: self.zh.text(),
            en: self.en.text(),
        }
    }
}

/// All that is known.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// What is known of `name` as an event of `product`. Other products reuse names of ECS for things of
/// their own, so the product must fit where it is known; disks are told as ECS or as EBS.
pub fn find(product: Option<&str>, name: &str) -> Option<&'static Entry> {
    let place = ENTRIES
        .binary_search_by(|entry| entry.name().cmp(name))
        .ok()?;
    let entry = ENTRIES.get(place)?;
    let is_block_or_server = |product: &str| {
        ["ECS", "EBS"]
            .iter()
            .any(|p| p.eq_ignore_ascii_case(product))
    };
    let fits = product.is_none_or(|product| {
        product.eq_ignore_ascii_case(entry.product())
            || is_block_or_server(product) && is_block_or_server(entry.product())
    });
    fits.then_some(entry)
}

/// What is known of an EventBridge type (`ecs:Instance:StateChange`).
pub fn find_by_type(eventbridge_type: &str) -> Option<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.eventbridge_type.is(eventbridge_type))
}

impl Entry {
    /// The name without status.
    pub fn name(&self) -> &'static str {
        self.name.text()
    }

    /// The product as CloudMonitor writes it.
    pub fn product(&self) -> &'static str {
        self.product.text()
    }

    /// The type on EventBridge, where it is known to appear there.
    pub fn eventbridge_type(&self) -> Option<&'static str> {
        Some(self.eventbridge_type.text()).filter(|text| !text.is_empty())
    }

    /// What happened.
    pub fn title(&self) -> Text {
        self.title.text()
    }

    /// Statuses that the event is known to have.
    pub fn statuses(&self) -> impl Iterator<Item = &'static str> {
        let statuses = self.statuses.of(&STATUSES).iter();
        statuses.map(|status| status.text())
    }

    /// The level of an event of this name with this status and these data; `None` where nothing says.
    pub fn level(&self, status: Option<&str>, details: &Map) -> Option<Level> {
        if let Some((field, values)) = self.by_field
            && let Some(value) = details.get(field.text()).and_then(Value::as_str)
            && let Some(level) = level_of(values, |known| known == value)
        {
            return Some(level);
        }
        let documented = match self.levels {
            Levels::Undocumented => None,
            Levels::Always(level) => Some(level),
            Levels::ByStatus(levels) => {
                level_of(levels, |known| is_status(status, known)).or_else(|| {
                    // A status that the list lacks changes nothing where all the others agree.
                    let levels = levels.of(&LEVELS);
                    let (_, first) = levels.first()?;
                    levels.iter().all(|(_, l)| l == first).then_some(*first)
                })
            }
        };
        documented.or(self.suggested)
    }

    /// What to do about it.
    pub fn advice(&self, status: Option<&str>) -> Text {
        let mut by_status = self.advice_by_status.of(&ADVICE).iter();
        by_status
            .find(|(known, _)| is_status(status, known.text()))
            .map_or(self.advice, |(_, advice)| *advice)
            .text()
    }
}

fn level_of(levels: List, is_it: impl Fn(&str) -> bool) -> Option<Level> {
    let mut levels = levels.of(&LEVELS).iter();
    let (_, level) = levels.find(|(known, _)| is_it(known.text()))?;
    Some(*level)
}

fn is_status(status: Option<&str>, known: &str) -> bool {
    status.is_some_and(|status| status.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_whole() {
        assert_eq!(entries().len(), 89);
        assert!(entries().is_sorted_by(|a, b| a.name() < b.name()));
        for entry in entries() {
            assert!(std::ptr::eq(
                find(Some(entry.product()), entry.name()).unwrap(),
                entry
            ));
            if let Some(kind) = entry.eventbridge_type() {
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
            let mut details = Map::new();
            details.insert("result", Value::from(result));
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
