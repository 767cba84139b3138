//! How much of a message is shown, and how it is made short enough.

use super::{Line, Message, Text};
use std::borrow::Cow;

/// Most lines of a single event's own data that are shown; the rest is counted.
const MAX_DETAILS: usize = 60;

/// Events of a digest that say the same of different resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) heading: Text,
    pub(super) events: usize,
    /// What kind of resources they are.
    pub(super) label: &'static str,
    /// In order of appearance.
    pub(super) resources: Vec<Resource>,
    pub(super) lines: Vec<Line>,
}

/// A resource of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// Name and id.
    pub(super) name: Text,
    /// How many of the group's events are about it.
    pub(super) events: usize,
}

/// One group of a digest as far as it is shown.
#[derive(Debug)]
pub struct Section<'a> {
    /// What happened.
    pub heading: &'a Text,
    /// How many events there are in the group.
    pub events: usize,
    /// The names of the resources, and how many events are not named.
    pub resources: Line,
    /// What is said of all of them.
    pub lines: &'a [Line],
}

/// How much of a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    details: usize,
    /// Per group.
    resources: usize,
    groups: usize,
}

impl Limits {
    /// What a message shows where the number of bytes does not matter.
    pub(super) const DEFAULT: Limits = Limits {
        details: MAX_DETAILS,
        resources: usize::MAX,
        groups: usize::MAX,
    };
}

impl Group {
    fn shown(&self, limits: Limits) -> &[Resource] {
        &self.resources[..limits.resources.min(self.resources.len())]
    }

    /// Counts the events whose resource is not shown.
    fn unnamed(&self, limits: Limits) -> usize {
        let shown = self.shown(limits).len();
        self.resources[shown..].iter().map(|r| r.events).sum()
    }
}

impl Message {
    /// The lines below the heading, as far as they are shown, and the count of those that are not.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'_, Line>> {
        let shown = self.shown_details();
        let hidden = self.details.len() - shown;
        let note = (hidden > 0).then(|| {
            Line::without_label(Text::own(self.language.select(
                format!("…… 另有 {hidden} 项未显示"),
                format!("… and {hidden} more not shown"),
            )))
        });
        let lines = self.lines.iter().chain(&self.details[..shown]);
        lines.map(Cow::Borrowed).chain(note.map(Cow::Owned))
    }

    /// The groups of a digest, as far as they are shown.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let groups = self.groups.iter().take(self.limits.groups);
        groups.map(|group| Section {
            heading: &group.heading,
            events: group.events,
            resources: self.resources(group),
            lines: &group.lines,
        })
    }

    /// The count of a digest's events that no section names; `None` where all are named.
    pub fn unlisted(&self) -> Option<Text> {
        let groups = self.groups.iter().enumerate();
        let count: usize = groups
            .map(|(place, group)| {
                if place < self.limits.groups {
                    group.unnamed(self.limits)
                } else {
                    group.events
                }
            })
            .sum();
        (count > 0).then(|| {
            Text::own(self.language.select(
                format!("……另有 {count} 条事件未列出，函数日志中逐条记录"),
                format!(
                    "… {count} more events are not listed here; the function's log names every one"
                ),
            ))
        })
    }

    fn resources(&self, group: &Group) -> Line {
        let names = group.shown(self.limits).iter().map(|resource| {
            let name = resource.name.clone();
            match resource.events {
                1 => name,
                events => name.and(Text::own(format!(" ×{events}"))),
            }
        });
        let separator = self.language.list_separator();
        let mut names = Text::join(names, separator).unwrap_or_default();
        let unnamed = group.unnamed(self.limits);
        if unnamed > 0 {
            names = names.and(Text::own(self.language.select(
                format!(" 等，另有 {unnamed} 条"),
                format!(" and {unnamed} more"),
            )));
        }
        Line::new(group.label, names)
    }

    fn shown_details(&self) -> usize {
        self.limits.details.min(self.details.len())
    }

    /// Shows less of the message, step by step, until what `encode` makes of it has at most
    /// `max_bytes` bytes. Returns these bytes.
    ///
    /// A single event loses lines of its own data, from the last one on. A digest names fewer
    /// resources in each group, then shows fewer groups, from the mildest on. What is left out is
    /// counted. All else stays, and exceeds `max_bytes` where that is smaller than it needs.
    pub fn fit(&mut self, max_bytes: usize, encode: impl Fn(&Message) -> Vec<u8>) -> Vec<u8> {
        let mut body = encode(self);
        while body.len() > max_bytes && self.shown_details() > 0 {
            self.limits.details = self.shown_details() - 1;
            body = encode(self);
        }
        if body.len() > max_bytes && !self.groups.is_empty() {
            self.shorten_digest(|message| encode(message).len() <= max_bytes);
            body = encode(self);
        }
        body
    }

    fn shorten_digest(&mut self, fits: impl Fn(&Message) -> bool) {
        let largest_group = self.groups.iter().map(|g| g.resources.len()).max();
        self.limits.resources = binary_search_max(largest_group.unwrap_or(1), |resources| {
            self.limits.resources = resources;
            fits(self)
        });
        // With one resource each the groups may still be too many.
        if !fits(self) {
            self.limits.groups = binary_search_max(self.groups.len(), |groups| {
                self.limits.groups = groups;
                fits(self)
            });
        }
    }
}

/// Returns the largest number from 1 to `high` that passes, given that smaller ones pass if larger
/// ones do; 1 where none passes.
fn binary_search_max(high: usize, mut passes: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (1, high.max(1));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if passes(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_that_passes_is_found() {
        for high in 1..20 {
            for limit in 0..25 {
                let found = binary_search_max(high, |number| number <= limit);
                assert_eq!(found, limit.clamp(1, high), "{high} {limit}");
            }
        }
        assert_eq!(binary_search_max(0, |_| true), 1);
    }
}
