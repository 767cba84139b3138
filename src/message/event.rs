//! The message of a single event, and what a digest says in the same words.

use super::details::names;
use super::renderer::Renderer;
use super::status::{icon, is_resolved, over_icon, tone, upcoming_start};
use super::{Foreign, Line, Link, MAX_DETAILS, MAX_NAME, Message, Text};
use super::{alarm, console_link, i18n};
use crate::event::catalog::{self, Entry};
use crate::event::{Event, EventTime};
use std::collections::BTreeSet;

/// Longest name of an event that is shown, in characters.
const MAX_EVENT_NAME: usize = 2 * MAX_NAME;
/// Most regions, accounts or actors that are shown of one group.
pub(super) const MAX_LISTED: usize = 5;
/// So many characters of an event's id are shown: enough to find it in the log.
const ID_CHARS: usize = 8;

impl Renderer<'_> {
    /// The message of a single event.
    pub(super) fn event(&self, event: &Event) -> Message {
        let headline = self.headline(&[event]);
        let (tags, details) = self.cut(self.tag_lines(event), self.details(event));
        let mut lines = self.lines(event, tags);
        lines.extend(details);
        Message {
            language: self.options.language,
            title: self.title(event, headline.clone()),
            heading: Text::from(icon(event)).and(headline),
            tone: tone(event),
            lines,
            sections: Vec::new(),
            note: Some(self.advice(&[event])),
            link: self.link(console_link::of_event(event, self.options.console)),
            footer: footer(event),
            mentions: self.mentions(&[event]),
        }
    }

    /// Cuts the lines of tags and those of details together. What is left out is counted.
    pub(super) fn cut(
        &self,
        mut tags: Vec<Line>,
        mut details: Vec<Line>,
    ) -> (Vec<Line>, Vec<Line>) {
        let limit = self.limit.min(MAX_DETAILS);
        let hidden = (tags.len() + details.len()).saturating_sub(limit);
        tags.truncate(limit);
        details.truncate(limit - tags.len());
        if hidden > 0 {
            details.push(Line::without_label(Text::own(self.select(
                format_args!("…… 另有 {hidden} 项未显示"),
                format_args!("… and {hidden} more not shown"),
            ))));
        }
        (tags, details)
    }

    /// What happened: the title, and which API call by whom or which alarm it was. The events say
    /// the same, but an actor is named only if it is that of all.
    pub(super) fn headline(&self, events: &[&Event]) -> Text {
        let event = events[0];
        let is_of_all = events.iter().all(|other| other.actor == event.actor);
        let actor = self.actors(&[event]).filter(|_| is_of_all);
        let rule = alarm::rule(event).and_then(|rule| Text::foreign(rule, MAX_NAME));
        let parts = [self.operation(event), actor, rule];
        let parts = parts.into_iter().flatten();
        parts.fold(self.event_title(event), |title, part| {
            title.with(" · ").and(part)
        })
    }

    /// The catalog's title, else the one in the event, else the event's name.
    fn event_title(&self, event: &Event) -> Text {
        let product = event.product.as_deref();
        let is_of_ecs = product.is_none_or(|product| product.eq_ignore_ascii_case("ECS"));
        match entry(event) {
            // The catalog's titles of API calls speak of ECS.
            Some(_) if event.operation.is_some() && !is_of_ecs => {
                return self.select("API 调用", "API call").into();
            }
            Some(entry) => return self.select(entry.title.zh, entry.title.en).into(),
            None => {}
        }
        let titles = &event.titles;
        let title = self.select(titles.zh.as_deref(), titles.en.as_deref());
        let headline = Text::foreign(title.unwrap_or(&event.name), MAX_EVENT_NAME)
            .unwrap_or_else(|| self.select("未命名事件", "unnamed event").into());
        // Other products reuse names of ECS: name the product.
        let product = event.product.as_deref();
        let product = product.filter(|product| is_other_product(product, &event.name));
        match product.and_then(|product| Text::foreign(product, MAX_NAME)) {
            Some(product) => product.with(" ").and(headline),
            None => headline,
        }
    }

    /// For notifications and the list of conversations: how bad, what, and which resource.
    fn title(&self, event: &Event, headline: Text) -> Text {
        let title = Text::from(icon(event)).and(headline);
        let parts = [self.status(event), self.short_name(event)];
        let parts = parts.into_iter().flatten();
        parts.fold(title, |title, part| title.with(" · ").and(part))
    }

    /// The name of the resource, else its id.
    pub(super) fn short_name(&self, event: &Event) -> Option<Text> {
        self.name(event).or_else(|| id(event)).map(Text::from)
    }

    /// Level, status, resources, region, account, the tags and times, and what is ahead.
    fn lines(&self, event: &Event, tags: Vec<Line>) -> Vec<Line> {
        let mut lines = self.about(event, self.select("时间", "Time"), tags);
        lines.extend(self.planned(event));
        lines.extend(self.planned_release(event));
        lines
    }

    /// When planned work begins.
    pub(super) fn planned(&self, event: &Event) -> Option<Line> {
        let planned = self.countdown(&upcoming_start(event)?)?;
        Some(Line::new(self.select("计划时间", "Planned for"), planned).strong())
    }

    /// When a spot instance is released.
    pub(super) fn planned_release(&self, event: &Event) -> Option<Line> {
        let release = self.release(event.release_at()?);
        Some(Line::new(self.select("释放时间", "Release"), release).strong())
    }

    /// Level, status, resources, region, account, the tags and times. `time_label` says what the
    /// event's time is.
    pub(super) fn about(
        &self,
        event: &Event,
        time_label: &'static str,
        tags: Vec<Line>,
    ) -> Vec<Line> {
        let language = self.options.language;
        let level =
            Text::from(i18n::level_icon(event.level)).with(i18n::level_word(event.level, language));
        let status = self.status(event);
        let time = |time: &Option<EventTime>| self.time(time.as_ref()?);
        let about = [
            (self.select("级别", "Level"), Some(level)),
            (
                self.select("状态", "Status"),
                status.map(|status| Text::from(over_icon(event)).and(status)),
            ),
            (
                i18n::resource_label(event.resource_kind.as_deref(), language),
                self.resource(event, None),
            ),
            (
                i18n::related_label(event.arn_resource_kind.as_deref(), language),
                self.arn_resource(event),
            ),
            (
                self.select("地域", "Region"),
                event.region.as_deref().and_then(|id| self.region(id)),
            ),
            (self.select("账号", "Account"), self.account(event)),
        ];
        let times = [
            (time_label, time(&event.time)),
            (
                self.select("投递时间", "Published"),
                time(&event.envelope_time),
            ),
        ];
        let line = |(label, value): (&'static str, Option<Text>)| Some(Line::new(label, value?));
        let about = about.into_iter().filter_map(line).chain(tags);
        about.chain(times.into_iter().filter_map(line)).collect()
    }

    /// The resource's name, id and tags as digests have them.
    pub(super) fn listed_resource(&self, event: &Event) -> Text {
        self.resource(event, self.tag_list(event))
            .unwrap_or_else(|| self.select("未说明资源", "no resource given").into())
    }

    /// The resource's name and id, as far as they are known: `name (id)`. What is `beside` them
    /// follows in the parentheses.
    pub(super) fn resource(&self, event: &Event, beside: Option<Text>) -> Option<Text> {
        let (first, id) = match (self.name(event), id(event)) {
            (Some(name), id) => (name, id),
            (None, id) => (id?, None),
        };
        let inside = [id.map(Text::from), beside].into_iter().flatten();
        let inside = Text::join(inside, self.select("；", "; "));
        Some(match inside {
            Some(inside) => self.with_parentheses(first.into(), inside),
            None => first.into(),
        })
    }

    /// `name (id)`, or what there is of it.
    pub(super) fn name_with_id(&self, name: Option<Foreign>, id: Option<Foreign>) -> Option<Text> {
        match (name, id) {
            (Some(name), Some(id)) => Some(self.with_parentheses(name.into(), id.into())),
            (name, id) => name.or(id).map(Text::from),
        }
    }

    fn with_parentheses(&self, text: Text, inside: Text) -> Text {
        let (open, close) = self.select(("（", "）"), (" (", ")"));
        text.with(open).and(inside).with(close)
    }

    /// The resource of the event's ARN, where nothing else in the message names it.
    fn arn_resource(&self, event: &Event) -> Option<Text> {
        let id = event.arn_resource_id.as_deref()?;
        let is_named = event.resource_id.as_deref() == Some(id) || names(event, id);
        Text::foreign(id, MAX_NAME).filter(|_| !is_named)
    }

    /// Joins what differs among values, each once and in order, five at most.
    pub(super) fn first_few<'a>(
        &self,
        values: impl Iterator<Item = &'a str>,
        text: impl Fn(&'a str) -> Option<Text>,
    ) -> Option<Text> {
        let values: BTreeSet<&str> = values.collect();
        self.few(values.into_iter(), text)
    }

    /// Joins values, five at most.
    pub(super) fn few<'a>(
        &self,
        mut values: impl Iterator<Item = &'a str>,
        text: impl Fn(&'a str) -> Option<Text>,
    ) -> Option<Text> {
        let shown = values.by_ref().take(MAX_LISTED).filter_map(text);
        let shown = Text::join(shown, self.options.language.list_separator())?;
        Some(match values.next() {
            None => shown,
            Some(_) => shown.with(" …"),
        })
    }

    /// The region's name, where it is known, and its id.
    pub(super) fn region(&self, id: &str) -> Option<Text> {
        let shown = Text::foreign(id, MAX_NAME)?;
        Some(match i18n::region_name(id, self.options.language) {
            Some(name) => Text::from(name).with(" ").and(shown),
            None => shown,
        })
    }

    /// What to do about events of the same name and status.
    pub(super) fn advice(&self, events: &[&Event]) -> Line {
        self.advice_line(self.advice_words(events))
    }

    pub(super) fn advice_line(&self, advice: &'static str) -> Line {
        Line::new(self.advice_label(), advice.into())
    }

    pub(super) fn advice_label(&self) -> &'static str {
        self.select("建议", "What to do")
    }

    /// What to do, in words of ours.
    pub(super) fn advice_words(&self, events: &[&Event]) -> &'static str {
        let event = events[0];
        let is_released = |event: &&Event| event.release_at().is_some_and(|at| at <= self.now);
        if is_resolved(event) {
            self.select(
                "告警已恢复，请确认业务正常。",
                "The alert is resolved; check that all is back to normal.",
            )
        } else if events.iter().all(is_released) {
            // A ban or a repetition may bring the notice late.
            self.select(
                "实例此时已释放，请确认流量已切走，并补充实例。",
                "The release has happened by now; check that traffic has moved, and replace the instance.",
            )
        } else {
            match entry(event).map(|entry| entry.advice(event.status.as_deref())) {
                Some(advice) => self.select(advice.zh, advice.en),
                None => self.select(
                    "本程序的事件目录中没有此事件，请在控制台或产品文档中查看其含义。",
                    "This event is not in the notifier's catalog; look up its meaning in the console or the product's documentation.",
                ),
            }
        }
    }

    pub(super) fn link(&self, url: Option<String>) -> Option<Link> {
        let label = self.select("在控制台查看", "Open in the console");
        url.map(|url| Link { label, url })
    }
}

fn id(event: &Event) -> Option<Foreign> {
    Foreign::new(event.resource_id.as_deref()?, MAX_NAME)
}

fn entry(event: &Event) -> Option<&'static Entry> {
    catalog::find(event.product.as_deref(), &event.name)
}

/// Returns true if the name of an event does not show that it is another product's than ECS.
fn is_other_product(product: &str, name: &str) -> bool {
    let prefix = name.get(..product.len()).unwrap_or_default();
    !product.eq_ignore_ascii_case("ECS") && !prefix.eq_ignore_ascii_case(product)
}

/// The event's name with its status, as a pattern in the configuration would have it.
pub(super) fn code(event: &Event) -> Text {
    Text::foreign(&event.full_name(), MAX_EVENT_NAME).unwrap_or_else(|| "-".into())
}

/// Begins a footer. A chatbot with the keyword `CloudMonitor` or `ECS` takes every message.
pub(super) fn footer_of(what: Text) -> Text {
    Text::from("CloudMonitor · ECS · ").and(what)
}

pub(super) fn footer(event: &Event) -> Text {
    let footer = footer_of(code(event)).with(" · ");
    let id = Foreign::new(&event.display_id(), MAX_NAME);
    let start = |id: Foreign| id.as_str().chars().take(ID_CHARS).collect::<String>();
    match id.and_then(|id| Foreign::new(&start(id), ID_CHARS)) {
        Some(id) => footer.with(id),
        None => footer,
    }
}
