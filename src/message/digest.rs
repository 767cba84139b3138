//! Several events as one message: grouped by event and status, the worst first.

use super::event::{Renderer, code, final_icon, upcoming_start};
use super::fit::{Group, Limits, Resource};
use super::{Line, Message, Text};
use super::{console_link, i18n};
use crate::event::catalog;
use crate::event::{Event, EventTime, Level};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Most regions that are shown of one group.
const MAX_REGIONS: usize = 5;

/// Events with the same name, status and level. There is always at least one.
struct EventGroup<'a>(Vec<&'a Event>);

impl<'a> EventGroup<'a> {
    /// Stands for all of them.
    fn first(&self) -> &'a Event {
        self.0[0]
    }
}

impl Renderer<'_> {
    /// The message of several events.
    pub(super) fn digest(&self, events: &[&Event]) -> Message {
        let groups = group(events);
        let worst = groups.first().expect("a message has an event").first();
        let icon = i18n::level_icon(worst.level);
        let count = self.count(events);
        let is_final = events.iter().all(|event| event.is_final());
        let should_mention = events.iter().any(|event| self.should_mention(event));
        let more = self.select(" 等", " and others");
        Message {
            language: self.options.language,
            level: worst.level,
            is_final,
            title: Text::from(icon)
                .with(" ")
                .with(if is_final { final_icon(worst) } else { "" })
                .and(count.clone())
                .with(" · ")
                .and(self.group_headline(worst))
                .with(if groups.len() > 1 { more } else { "" }),
            heading: Text::from(icon).with(" ").and(count.clone()),
            lines: self.summary(events),
            details: Vec::new(),
            groups: groups.iter().map(|group| self.group(group)).collect(),
            advice: None,
            link: self.link(console_link::of_events(events)),
            footer: Text::from("CloudMonitor · ECS · ").and(count),
            mentions: self.mentions(should_mention),
            limits: Limits::DEFAULT,
        }
    }

    fn count(&self, events: &[&Event]) -> Text {
        // Events of other products may be among them.
        let (zh, en) = if events.iter().all(|event| console_link::is_ecs(event)) {
            (" ECS ", "ECS ")
        } else {
            ("", "")
        };
        let events = events.len();
        Text::own(self.select(
            format!("{events} 条{zh}事件"),
            format!("{events} {en}events"),
        ))
    }

    /// How many events of each level there are, and their times.
    fn summary(&self, events: &[&Event]) -> Vec<Line> {
        let mut levels = [
            Some(Level::Critical),
            Some(Level::Warn),
            Some(Level::Info),
            None,
        ];
        levels.sort_by_key(|level| severity_rank(*level));
        let counts = levels.into_iter().filter_map(|level| {
            let count = events.iter().filter(|event| event.level == level).count();
            let word = i18n::level_word(level, self.options.language);
            let icon = i18n::level_icon(level);
            (count > 0).then(|| Text::own(format!("{icon} {word} {count}")))
        });
        let counts = Text::join(counts, " · ").map(Line::without_label);
        let times = self
            .times(events)
            .map(|times| Line::new(self.select("时间", "Time"), times));
        counts.into_iter().chain(times).collect()
    }

    /// First and last time of the events.
    fn times(&self, events: &[&Event]) -> Option<Text> {
        let times = || {
            events.iter().filter_map(|event| match &event.time {
                Some(EventTime::At(at)) => Some(*at),
                _ => None,
            })
        };
        let (first, last) = (times().min()?, times().max()?);
        let shown = self.time(&EventTime::At(first))?;
        if first == last {
            return Some(shown);
        }
        Some(shown.with(" — ").and(self.time(&EventTime::At(last))?))
    }

    /// What happened, with the status.
    fn group_headline(&self, event: &Event) -> Text {
        let entry = catalog::find(event.product.as_deref(), &event.name);
        let headline = self.headline(event, entry);
        match self.status(event) {
            Some(status) => headline.with(" · ").and(status),
            None => headline,
        }
    }

    fn group(&self, group: &EventGroup) -> Group {
        let first = group.first();
        let language = self.options.language;
        let mut lines = Vec::new();
        if let Some(regions) = self.regions(group) {
            lines.push(Line::new(self.select("地域", "Region"), regions));
        }
        if let Some(planned) = self.soonest_start(group) {
            let label = self.select("最早计划时间 notBefore", "Planned from (notBefore)");
            lines.push(Line::new(label, planned).strong());
        }
        let entry = catalog::find(first.product.as_deref(), &first.name);
        lines.push(self.advice(first, entry));
        lines.push(Line::new(self.select("事件", "Event"), code(first)));
        Group {
            heading: Text::from(i18n::level_icon(first.level))
                .with(" ")
                .with(final_icon(first))
                .and(self.group_headline(first)),
            events: group.0.len(),
            label: i18n::resource_label(first.resource_kind.as_deref(), language),
            resources: self.resources(group),
            lines,
        }
    }

    /// The resources of the events, each once, in order of appearance.
    fn resources(&self, group: &EventGroup) -> Vec<Resource> {
        let mut resources: Vec<Resource> = Vec::new();
        let mut places = HashMap::new();
        for event in &group.0 {
            let name = match self.resource(event) {
                Some(name) => name,
                None => self.select("未说明资源", "resource not told").into(),
            };
            let place = *places.entry(name.clone()).or_insert(resources.len());
            match resources.get_mut(place) {
                Some(resource) => resource.events += 1,
                None => resources.push(Resource { name, events: 1 }),
            }
        }
        resources
    }

    fn regions(&self, group: &EventGroup) -> Option<Text> {
        let regions = group.0.iter().filter_map(|event| event.region.as_deref());
        let mut regions: Vec<&str> = regions.collect();
        regions.sort_unstable();
        regions.dedup();
        let shown = regions.iter().take(MAX_REGIONS);
        let shown = shown.filter_map(|id| self.region(id));
        let separator = self.options.language.list_separator();
        let shown = Text::join(shown, separator)?;
        Some(if regions.len() > MAX_REGIONS {
            shown.with(" …")
        } else {
            shown
        })
    }

    /// The earliest start of planned work, with the wait until then.
    fn soonest_start(&self, group: &EventGroup) -> Option<Text> {
        let starts = group.0.iter().filter_map(|event| upcoming_start(event));
        let soonest = starts.min_by_key(|start| match start {
            EventTime::At(at) => *at,
            EventTime::Text(_) => Timestamp::MAX,
        })?;
        self.countdown(&soonest)
    }
}

/// Groups by event, status and level. The worst come first; of one level, final events come last,
/// and larger groups before smaller ones.
fn group<'a>(events: &[&'a Event]) -> Vec<EventGroup<'a>> {
    let mut groups: Vec<EventGroup<'a>> = Vec::new();
    let mut places = HashMap::new();
    for event in events {
        let key = (event.product.as_deref(), event.full_name(), event.level);
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.0.push(event),
            None => groups.push(EventGroup(vec![event])),
        }
    }
    groups.sort_by_key(|group| {
        let first = group.first();
        (
            severity_rank(first.level),
            first.is_final(),
            Reverse(group.0.len()),
        )
    });
    groups
}

/// The order of levels: an unknown one may be bad, and stands before what is known to be mild.
fn severity_rank(level: Option<Level>) -> u8 {
    match level {
        Some(Level::Critical) => 0,
        Some(Level::Warn) => 1,
        None => 2,
        Some(Level::Info) => 3,
    }
}
