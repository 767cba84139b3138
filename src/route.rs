//! Routes: which events a group gets, and by which variable that was decided.

mod quiet_hours;

use crate::channel::Endpoint;
use crate::event::{Event, EventTime, Known, Level, Lookup, Occasion, OccasionKind};
use crate::message::RenderOptions;
use crate::schedule::Schedule;
use jiff::Timestamp;
pub use quiet_hours::{DaySpan, QuietHours};
use serde_json::Value;
use wildmatch::WildMatch;

/// Which events one group gets, through which chatbot, and how they look.
#[derive(Debug, Clone)]
pub struct Route {
    /// `default`, or the name behind `__` in lower case.
    pub name: String,
    /// What the variables of this route end with: empty for `default`, else `__NAME`.
    pub suffix: String,
    /// Which events it takes.
    pub filter: Filter,
    /// When it is told what is coming, and that the function is alive.
    pub schedule: Schedule,
    /// The group's chatbot.
    pub endpoint: Endpoint,
    /// A second chatbot of the same group.
    pub fallback: Option<Endpoint>,
    /// Language, zone and mentions.
    pub render_options: RenderOptions,
}

impl Route {
    /// Decides whether the route takes `event` at `now`.
    ///
    /// What the function says by itself comes when it is due on this route. What it says of itself
    /// passes no filter: a route that filters warnings must learn nevertheless that nobody warns.
    pub fn decide(&self, event: &Event, now: Timestamp) -> Decision {
        let Some(occasion) = event.occasion.as_deref() else {
            return decide(&self.filter, event, now);
        };
        let (is_due, rule) = self.is_due(occasion, event);
        let passes_no_filter = matches!(
            occasion.kind,
            OccasionKind::Heartbeat(_) | OccasionKind::MaintenanceUnknown(_)
        );
        if is_due && !passes_no_filter {
            return decide(&self.filter, event, now);
        }
        Decision { send: is_due, rule }
    }

    /// Returns true if the route may take the event, whatever is found out about its resource.
    pub fn may_take(&self, event: &Event) -> bool {
        let is_due = |occasion: &Occasion| self.is_due(occasion, event).0;
        event.occasion.as_deref().is_none_or(is_due) && may_take(&self.filter, event)
    }

    /// Returns true if the route wants this now, and the variable that says so.
    fn is_due(&self, occasion: &Occasion, event: &Event) -> (bool, &'static str) {
        const DIGEST: &str = "MESSAGE_DIGEST_AT";
        const REMINDER: &str = "MESSAGE_REMIND_BEFORE";
        let (schedule, tick) = (&self.schedule, occasion.tick);
        match &occasion.kind {
            OccasionKind::Digest => (schedule.wants_digest(tick), DIGEST),
            OccasionKind::Reminder(lead) => {
                let wanted = match event.not_before() {
                    Some(EventTime::At(start)) => schedule.lead(tick, start),
                    _ => None,
                };
                (wanted == Some(*lead), REMINDER)
            }
            OccasionKind::Heartbeat(_) => (schedule.wants_heartbeat(tick), "MESSAGE_HEARTBEAT_AT"),
            OccasionKind::MaintenanceUnknown(_) if schedule.wants_digest(tick) => (true, DIGEST),
            // What begins soon is not known either.
            OccasionKind::MaintenanceUnknown(_) => (!schedule.remind_before.is_empty(), REMINDER),
        }
    }
}

/// Which events one route takes. An empty list of patterns is no condition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// `EVENT_LEVELS`; empty is `none`.
    pub levels: Vec<Level>,
    /// `EVENT_INCLUDE`: sent at any level.
    pub include: Vec<Pattern>,
    /// `EVENT_EXCLUDE`: never sent.
    pub exclude: Vec<Pattern>,
    /// `EVENT_ACCOUNTS`.
    pub accounts: Vec<Pattern>,
    /// `EVENT_REGIONS`.
    pub regions: Vec<Pattern>,
    /// `EVENT_RESOURCES`.
    pub resources: Vec<Pattern>,
    /// `EVENT_RESOURCES_EXCLUDE`.
    pub resources_exclude: Vec<Pattern>,
    /// `EVENT_TAGS`, each on the text `key=value` of a tag.
    pub tags: Vec<Pattern>,
    /// `EVENT_TAGS_EXCLUDE`.
    pub tags_exclude: Vec<Pattern>,
    /// `EVENT_QUIET_HOURS` and `EVENT_QUIET_LEVELS`.
    pub quiet_hours: Option<QuietHours>,
}

/// A pattern with `*` (any text) and `?` (one character) that matches whole values in any letter
/// case. Any text is a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    text: String,
    wildcard: WildMatch,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Pattern {
        Pattern {
            text: text.to_owned(),
            wildcard: WildMatch::new_case_insensitive(text),
        }
    }

    /// Returns the pattern verbatim. `WildMatch` itself would show `**` as `*`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if the whole of `value` matches.
    pub fn matches(&self, value: &str) -> bool {
        self.wildcard.matches(value)
    }
}

/// The decision of a filter about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// True if the route takes the event.
    pub send: bool,
    /// The variable that decided, without the route's suffix.
    pub rule: &'static str,
}

/// Decides whether `filter` takes `event` at `now`. The first condition that applies decides.
///
/// An event without an account, region or resource is not held back by `EVENT_ACCOUNTS`,
/// `EVENT_REGIONS` or `EVENT_RESOURCES`, one whose tags are not known neither by `EVENT_TAGS` nor by
/// `EVENT_TAGS_EXCLUDE`, and one whose name could not be looked up not by `EVENT_RESOURCES`:
/// dropping an event that may belong here would be the worse mistake.
pub fn decide(filter: &Filter, event: &Event, now: Timestamp) -> Decision {
    let field = |key: &str| event.details.get(key).and_then(Value::as_str);
    let known = event.known.as_deref();
    let resource = [
        known.and_then(|known| known.name.as_deref()),
        known.and_then(|known| known.instance_name.as_deref()),
        event.resource_id.as_deref(),
        event.resource_name.as_deref(),
        event.arn_resource_id.as_deref(),
        field("instanceName"),
        // A disk's event names the instance that the disk is attached to.
        field("ecsInstanceName"),
    ];
    let matches_resource = |patterns: &[Pattern]| {
        let mut values = resource.iter().flatten();
        values.any(|value| matches_any(patterns, value))
    };
    let matches_tag = |patterns: &[Pattern], known: &Known| {
        let mut tags = known
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        tags.any(|tag| matches_any(patterns, &tag))
    };
    // An outage of the API hides no event.
    let name_is_open = event.shown_name().is_none() && event.lookup.is_some_and(Lookup::is_open);
    let quiet_hours = filter.quiet_hours.as_ref();

    let (send, rule) = if matches_name(&filter.exclude, event) {
        (false, "EVENT_EXCLUDE")
    } else if matches_resource(&filter.resources_exclude) {
        (false, "EVENT_RESOURCES_EXCLUDE")
    } else if known.is_some_and(|known| matches_tag(&filter.tags_exclude, known)) {
        (false, "EVENT_TAGS_EXCLUDE")
    } else if is_elsewhere(&filter.accounts, &event.account) {
        (false, "EVENT_ACCOUNTS")
    } else if is_elsewhere(&filter.regions, &event.region) {
        (false, "EVENT_REGIONS")
    } else if !filter.resources.is_empty()
        && resource.iter().any(Option::is_some)
        && !name_is_open
        && !matches_resource(&filter.resources)
    {
        (false, "EVENT_RESOURCES")
    } else if !filter.tags.is_empty()
        && known.is_some_and(|known| !matches_tag(&filter.tags, known))
    {
        (false, "EVENT_TAGS")
    } else if quiet_hours.is_some_and(|hours| hours.hold_back(event, now)) {
        (false, "EVENT_QUIET_HOURS")
    } else if matches_name(&filter.include, event) {
        (true, "EVENT_INCLUDE")
    } else {
        (has_level(filter, event), "EVENT_LEVELS")
    };
    Decision { send, rule }
}

/// Returns true if the filter may take the event, whatever is found out about its resource: name,
/// account, region and level do not hold it back.
pub fn may_take(filter: &Filter, event: &Event) -> bool {
    !matches_name(&filter.exclude, event)
        && !is_elsewhere(&filter.accounts, &event.account)
        && !is_elsewhere(&filter.regions, &event.region)
        && (matches_name(&filter.include, event) || has_level(filter, event))
}

fn matches_name(patterns: &[Pattern], event: &Event) -> bool {
    !patterns.is_empty()
        && (matches_any(patterns, &event.name) || matches_any(patterns, &event.full_name()))
}

/// Returns true if there are patterns, and a value that none of them matches.
fn is_elsewhere(patterns: &[Pattern], value: &Option<String>) -> bool {
    let value = value.as_ref().filter(|_| !patterns.is_empty());
    value.is_some_and(|value| !matches_any(patterns, value))
}

fn has_level(filter: &Filter, event: &Event) -> bool {
    match event.level {
        Some(level) => filter.levels.contains(&level),
        // An event of unknown level is sent unless the route wants no level at all.
        None => !filter.levels.is_empty(),
    }
}

/// Returns true if one of the patterns matches.
fn matches_any(patterns: &[Pattern], value: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(value))
}

#[cfg(test)]
mod tests;
