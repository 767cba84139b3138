//! What a look-up adds to a message: names, addresses and tags.

use super::fields::{Field, field};
use super::mentions::owners;
use super::renderer::Renderer;
use super::{Foreign, Line, MAX_NAME, RenderOptions, Text};
use crate::event::{Event, Known};
use serde_json::Value;

/// Most tags of one resource that a digest shows.
pub(super) const MAX_LISTED_TAGS: usize = 5;
/// Longest tag in a digest, in characters.
pub(super) const MAX_LISTED_TAG: usize = 40;

/// The keys of an event's data under which addresses of each kind stand, and of either kind.
const PRIVATE: [&str; 3] = [
    "privateIpAddress",
    "primaryPrivateIp",
    "secondaryPrivateIps",
];
const PUBLIC: [&str; 1] = ["publicIpAddress"];
const EITHER: [&str; 2] = ["ipAddress", "ipGroup"];

/// The names of the event's resource, the best first: what the event tells comes first.
pub(super) fn names(event: &Event) -> impl Iterator<Item = &str> {
    let told = event.resource_name.as_deref();
    let known = event.known.as_ref().and_then(|known| known.name.as_deref());
    let names = if tells_instance(event) {
        [known, told]
    } else {
        [told, known]
    };
    names.into_iter().flatten()
}

/// Returns true if the name that the event tells is that of the instance that a disk is attached
/// to. It stands in for the disk's own.
fn tells_instance(event: &Event) -> bool {
    let own = event.details.get("diskName").and_then(Value::as_str);
    is_disk(event) && own.is_none_or(|own| own.trim().is_empty())
}

fn is_disk(event: &Event) -> bool {
    event.resource_kind.as_deref() == Some("disk")
}

/// The tags that are shown, in order: each key as it is configured, and the value.
pub(super) fn tags<'a>(event: &'a Event, options: &'a RenderOptions) -> Vec<(&'a str, &'a str)> {
    let Some(known) = &event.known else {
        return Vec::new();
    };
    let mut keys: Vec<&str> = options.tags.iter().map(String::as_str).collect();
    if let Some(owner) = options.mention_tag.as_deref() {
        let is_asked = keys.iter().any(|key| key.eq_ignore_ascii_case(owner));
        // Whoever cannot be mentioned is shown.
        if !is_asked && owners(event, options).any(|owner| owner.is_none()) {
            keys.push(owner);
        }
    }
    let tag = |key| Some((key, known.tag(key)?));
    keys.into_iter().filter_map(tag).collect()
}

impl Renderer<'_> {
    /// The name of the event's resource.
    pub(super) fn name(&self, event: &Event) -> Option<Foreign> {
        names(event).find_map(|name| Foreign::new(name, MAX_NAME))
    }

    /// The tags in lines of their own.
    pub(super) fn tag_lines(&self, event: &Event) -> Vec<Line> {
        let line = |(key, value)| {
            // A tag without a value says something by being there.
            let value = Text::foreign(value, MAX_NAME).unwrap_or_else(|| "-".into());
            Some(Line::new(Foreign::new(key, MAX_NAME)?, value))
        };
        let tags = tags(event, self.options).into_iter();
        tags.filter_map(line).collect()
    }

    /// The values of the tags in a row, as the digest has them. The keys are the same for all.
    pub(super) fn tag_list(&self, event: &Event) -> Option<Text> {
        let tags = tags(event, self.options);
        let shown = |text| Text::foreign(text, MAX_LISTED_TAG);
        let listed = tags.iter().take(MAX_LISTED_TAGS);
        let listed = listed.filter_map(|(key, value)| shown(value).or_else(|| shown(key)));
        let listed = Text::join(listed, self.options.language.list_separator())?;
        Some(match tags.len() {
            ..=MAX_LISTED_TAGS => listed,
            _ => listed.with(" …"),
        })
    }

    /// Lines that the event's own data lack, each with its place in the order of the labels.
    pub(super) fn looked_up(&self, event: &Event) -> Vec<(usize, Line)> {
        let Some(known) = event.known.as_deref() else {
            return Vec::new();
        };
        let private = self.addresses(event, &known.private_addresses, &PRIVATE);
        let public = self.addresses(event, &known.public_addresses, &PUBLIC);
        let instance = self.instance_name(event, known);
        let line = |(key, value): (&str, Option<Text>)| {
            let (place, Field::Text(zh, en)) = field(key)? else {
                return None;
            };
            Some((place, Line::new(self.select(zh, en), value?)))
        };
        let lines = [
            ("privateIpAddress", private),
            ("publicIpAddress", public),
            ("ecsInstanceName", instance),
        ];
        lines.into_iter().filter_map(line).collect()
    }

    /// The looked-up addresses of one kind, where the event's data tell none of it under `keys`.
    fn addresses(&self, event: &Event, addresses: &[String], keys: &[&str]) -> Option<Text> {
        let is_told = |address: &String| {
            let told = EITHER.iter().filter_map(|key| event.details.get(*key));
            told.map(Value::to_string)
                .any(|told| told.split(['"', ',', ' ']).any(|told| told == address))
        };
        let is_any_told = keys.iter().any(|key| self.shows(event, key));
        if is_disk(event) || is_any_told || addresses.iter().any(is_told) {
            return None;
        }
        let addresses = addresses.iter().map(String::as_str);
        self.few(addresses, |address| Text::foreign(address, MAX_NAME))
    }

    /// The name of the instance that a disk is attached to, where nothing else tells it.
    fn instance_name(&self, event: &Event, known: &Known) -> Option<Text> {
        let is_told = |key| self.shows(event, key);
        if !is_disk(event) || is_told("ecsInstanceName") || is_told("instanceName") {
            return None;
        }
        let told = event.resource_name.as_ref();
        let told = told.filter(|told| tells_instance(event) && known.name.as_ref() != Some(told));
        match told {
            // It stands beside the disk's id.
            Some(_) if known.name.is_none() => None,
            told => Text::foreign(told.or(known.instance_name.as_ref())?, MAX_NAME),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::*;
    use crate::testing;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use std::sync::Arc;

    #[test]
    fn a_digest_shows_five_tags_and_says_that_there_are_more() {
        let list = |count: usize| {
            let keys = (0..count).map(|n| format!("k{n}"));
            let known = Known {
                tags: keys.clone().map(|key| (key, "v".into())).collect(),
                ..Known::default()
            };
            let event = Event {
                known: Some(Arc::new(known)),
                ..testing::event(1)
            };
            let options = RenderOptions {
                tags: keys.collect(),
                ..RenderOptions::new(Language::En, TimeZone::UTC)
            };
            let renderer = Renderer {
                options: &options,
                now: Timestamp::UNIX_EPOCH,
                limit: usize::MAX,
            };
            renderer.tag_list(&event).map(|list| list.to_string())
        };
        assert_eq!(list(0), None);
        assert_eq!(list(5).as_deref(), Some("v, v, v, v, v"));
        assert_eq!(list(6).as_deref(), Some("v, v, v, v, v …"));
    }
}
