//! Several events as one message: grouped by event and status, the worst first.

use super::event::{code, footer_of};
use super::renderer::Renderer;
use super::status::{icon, is_over, upcoming_start};
use super::time::format_time;
use super::{Line, Message, Section, Text, Tone};
use super::{alarm, console_link, i18n};
use crate::event::{Event, EventTime, Level};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

/// An unknown level may be bad: it stands before what is known to be mild.
const WORST_FIRST: [Option<Level>; 4] = [
    Some(Level::Critical),
    Some(Level::Warn),
    None,
    Some(Level::Info),
];

impl Renderer<'_> {
    /// The message of several events.
    pub(super) fn digest(&self, events: &[&Event]) -> Message {
        let groups = groups(events);
        let worst = &groups[0];
        // What is open comes first within a level only: a milder event may be open still.
        let icon = if events.iter().all(|event| is_over(event)) {
            icon(worst[0])
        } else {
            i18n::level_icon(worst[0].level)
        };
        let count = self.count(events);
        let more = self.select(" 等", " and others");
        let max_resources = self.limit.saturating_sub(groups.len() - 1).max(1);
        let shown = groups.iter().take(self.limit.max(1));
        let sections = shown.map(|group| self.section(group, max_resources));
        let sections: Vec<Section> = sections.collect();
        let named: usize = sections.iter().map(|section| section.named).sum();
        Message {
            language: self.options.language,
            title: Text::from(icon)
                .and(count.clone())
                .with(" · ")
                .and(self.headline_with_status(worst))
                .with(if groups.len() > 1 { more } else { "" }),
            heading: Text::from(icon).and(count.clone()),
            tone: match events.iter().all(|event| is_over(event)) {
                true => Tone::Good,
                false => Tone::of_level(worst[0].level),
            },
            lines: self.summary(events),
            sections,
            note: self.unlisted(events.len() - named),
            link: self.link(console_link::of_events(events, self.options.console)),
            footer: footer_of(count),
            // Where not all find room, the worst events come first.
            mentions: self.mentions(&groups.concat()),
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
            format_args!("{events} 条{zh}事件"),
            format_args!("{events} {en}events"),
        ))
    }

    /// How many events of each level there are, and their times.
    fn summary(&self, events: &[&Event]) -> Vec<Line> {
        let counts = WORST_FIRST.into_iter().filter_map(|level| {
            let count = events.iter().filter(|event| event.level == level).count();
            let word = i18n::level_word(level, self.options.language);
            let icon = i18n::level_icon(level);
            (count > 0).then(|| Text::own(format_args!("{icon}{word} {count}")))
        });
        let counts = Text::join(counts, " · ").map(Line::without_label);
        let times = self.times(events);
        let times = times.map(|times| Line::new(self.select("时间", "Time"), times));
        counts.into_iter().chain(times).collect()
    }

    /// First and last time of the events.
    fn times(&self, events: &[&Event]) -> Option<Text> {
        let times = events.iter().filter_map(|event| match event.time {
            Some(EventTime::At(at)) => Some(at),
            _ => None,
        });
        let (first, last) = (times.clone().min()?, times.max()?);
        let shown = |at| format_time(at, &self.options.zone);
        Some(if first == last {
            Text::own(shown(first))
        } else {
            Text::own(format_args!("{} — {}", shown(first), shown(last)))
        })
    }

    fn headline_with_status(&self, group: &[&Event]) -> Text {
        let parts = [Some(self.headline(group)), self.status(group[0])];
        Text::join(parts.into_iter().flatten(), " · ").expect("there is a headline")
    }

    fn section(&self, group: &[&Event], max_resources: usize) -> Section {
        let first = group[0];
        let (resources, named) = self.resources(group, max_resources);
        let label = i18n::resource_label(first.resource_kind.as_deref(), self.options.language);
        let mut lines = vec![Line::new(label, resources)];
        let mut add = |label, value: Option<Text>| {
            lines.extend(value.map(|value| Line::new(label, value)));
        };
        add(self.select("地域", "Region"), self.regions(group));
        add(self.select("账号", "Account"), self.accounts(group));
        // One actor alone stands in the heading.
        if group.iter().any(|event| event.actor != first.actor) {
            add(self.select("操作者", "By"), self.actors(group));
        }
        let mut add = |label, value: Option<Text>| {
            lines.extend(value.map(|value| Line::new(label, value).strong()));
        };
        let planned = self.select("最早计划时间", "Planned from");
        add(planned, self.soonest_start(group));
        let release = self.select("最早释放时间", "First release");
        add(release, self.soonest_release(group));
        lines.push(self.advice(group));
        lines.push(Line::new(self.select("事件", "Event"), code(first)));
        Section {
            heading: Text::from(icon(first)).and(self.headline_with_status(group)),
            events: group.len(),
            named,
            lines,
        }
    }

    /// Names the resources of the events, each once, in order of appearance. Returns also how many
    /// of the events are of a resource that is named.
    fn resources(&self, group: &[&Event], max: usize) -> (Text, usize) {
        let resources = group_by(group, |event| (&event.resource_name, &event.resource_id));
        let shown = resources.iter().take(max);
        let named = shown.clone().map(Vec::len).sum();
        let names = shown.map(|events| {
            // An instance may have looked it up for some of the events only.
            let event = events.iter().find(|event| event.known.is_some());
            let event = event.unwrap_or(&events[0]);
            let name = self.listed_resource(event);
            match events.len() {
                1 => name,
                count => name.and(Text::own(format_args!(" ×{count}"))),
            }
        });
        let separator = self.options.language.list_separator();
        let names = Text::join(names, separator).expect("at least one is shown");
        let names = match group.len() - named {
            0 => names,
            unnamed => names.and(Text::own(self.select(
                format_args!(" 等，另有 {unnamed} 条"),
                format_args!(" and {unnamed} more"),
            ))),
        };
        (names, named)
    }

    fn regions(&self, group: &[&Event]) -> Option<Text> {
        let regions = group.iter().filter_map(|event| event.region.as_deref());
        self.first_few(regions, |id| self.region(id))
    }

    /// The earliest start of planned work, with the wait until then.
    fn soonest_start(&self, group: &[&Event]) -> Option<Text> {
        let starts = group.iter().filter_map(|event| upcoming_start(event));
        let soonest = starts.min_by_key(|start| match start {
            EventTime::At(at) => *at,
            EventTime::Text(_) => Timestamp::MAX,
        })?;
        self.countdown(&soonest)
    }

    /// The earliest release of a spot instance that is still ahead, else the earliest.
    fn soonest_release(&self, group: &[&Event]) -> Option<Text> {
        let releases = || group.iter().filter_map(|event| event.release_at());
        let past = releases().filter(|at| *at <= self.now).count();
        let Some(next) = releases().filter(|at| *at > self.now).min() else {
            return releases().min().map(|at| self.release(at));
        };
        let next = self.release(next);
        Some(match past {
            0 => next,
            past => next.and(Text::own(self.select(
                format_args!("（另有 {past} 条已过，实例已释放）"),
                format_args!(" ({past} already past and released)"),
            ))),
        })
    }

    fn unlisted(&self, count: usize) -> Option<Line> {
        (count > 0).then(|| {
            Line::without_label(Text::own(self.select(
                format_args!("……另有 {count} 条事件未列出，函数日志中逐条记录"),
                format_args!(
                    "… {count} more events are not listed here; the function's log names every one"
                ),
            )))
        })
    }
}

/// Groups by event, status and level, API calls also by operation and alarms by rule. The worst
/// come first; of one level, events that are over come last, and larger groups before smaller ones.
fn groups<'a>(events: &[&'a Event]) -> Vec<Vec<&'a Event>> {
    let mut groups = group_by(events, |event| {
        let subject = event.operation.as_deref().or(alarm::rule(event));
        let what = (event.product.as_deref(), event.full_name(), subject);
        (what, event.level, is_over(event))
    });
    groups.sort_by_key(|group| {
        let first = group[0];
        let rank = WORST_FIRST.iter().position(|level| *level == first.level);
        (rank, is_over(first), Reverse(group.len()))
    });
    groups
}

/// Groups by `key`, in order of appearance.
pub(super) fn group_by<'a, K: Eq + Hash>(
    events: &[&'a Event],
    key: impl Fn(&'a Event) -> K,
) -> Vec<Vec<&'a Event>> {
    let mut groups: Vec<Vec<&Event>> = Vec::new();
    let mut places = HashMap::new();
    for event in events {
        let place = *places.entry(key(event)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(*event);
    }
    groups
}
