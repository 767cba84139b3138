//! The message of a single event, and what a digest says in the same words.

use super::console_link;
use super::fit::Limits;
use super::i18n;
use super::{Foreign, Line, Link, MAX_NAME, Mentions, Message, RenderOptions, Text};
use crate::event::catalog::{self, Entry};
use crate::event::{Event, EventTime};
use jiff::Timestamp;

/// Longest name of an event that is shown, in characters.
const MAX_EVENT_NAME: usize = 2 * MAX_NAME;
/// Longest status without a translation that is shown, in characters.
const MAX_STATUS: usize = 60;
/// So many characters of an event's id are shown: enough to find it in the log.
const ID_CHARS: usize = 8;

/// Puts events into words.
pub(super) struct Renderer<'a> {
    pub(super) options: &'a RenderOptions,
    pub(super) now: Timestamp,
}

impl Renderer<'_> {
    /// Returns one of two texts, by language.
    pub(super) fn select<T>(&self, zh: T, en: T) -> T {
        self.options.language.select(zh, en)
    }

    /// The message of a single event.
    pub(super) fn event(&self, event: &Event) -> Message {
        let entry = catalog::find(event.product.as_deref(), &event.name);
        let headline = self.headline(event, entry);
        let icon = i18n::level_icon(event.level);
        let planned = upcoming_start(event).and_then(|planned| self.countdown(&planned));
        let details = self.details(event, planned.is_some());
        Message {
            language: self.options.language,
            level: event.level,
            is_final: event.is_final(),
            title: self.title(event, headline.clone()),
            heading: Text::from(icon).with(" ").and(headline),
            lines: self.lines(event, planned),
            details,
            groups: Vec::new(),
            advice: Some(self.advice(event, entry)),
            link: self.link(console_link::of_event(event)),
            footer: footer(event),
            mentions: self.mentions(self.should_mention(event)),
            limits: Limits::DEFAULT,
        }
    }

    /// What happened: the catalog's title, else the one in the event, else the event's name.
    pub(super) fn headline(&self, event: &Event, entry: Option<&'static Entry>) -> Text {
        if let Some(entry) = entry {
            return self.select(entry.title.zh, entry.title.en).into();
        }
        let titles = &event.titles;
        let title = self.select(titles.zh.as_deref(), titles.en.as_deref());
        let headline = match Foreign::new(title.unwrap_or(&event.name), MAX_EVENT_NAME) {
            Some(headline) => headline.into(),
            None => self.select("未命名事件", "unnamed event").into(),
        };
        // Other products reuse names of ECS: name the product.
        let product = event.product.as_deref();
        match product.filter(|product| is_other_product(product, &event.name)) {
            Some(product) => match Foreign::new(product, MAX_NAME) {
                Some(product) => Text::from(product).with(" ").and(headline),
                None => headline,
            },
            None => headline,
        }
    }

    pub(super) fn status(&self, event: &Event) -> Option<Text> {
        let status = event.status.as_deref()?;
        match i18n::status_word(status, self.options.language) {
            Some(word) => Some(word.into()),
            None => Foreign::new(status, MAX_STATUS).map(Text::from),
        }
    }

    /// For notifications and the list of conversations: how bad, what, and which resource.
    fn title(&self, event: &Event, headline: Text) -> Text {
        let name = event.resource_name.as_deref();
        let resource = shown_name(name.or(event.resource_id.as_deref()));
        let mut title = Text::from(i18n::level_icon(event.level))
            .with(" ")
            .with(final_icon(event))
            .and(headline);
        let parts = [self.status(event), resource.map(Text::from)];
        for part in parts.into_iter().flatten() {
            title = title.with(" · ").and(part);
        }
        title
    }

    /// Level, status, resource, region and times.
    fn lines(&self, event: &Event, planned: Option<Text>) -> Vec<Line> {
        let language = self.options.language;
        let icon = i18n::level_icon(event.level);
        let level = i18n::level_word(event.level, language);
        let level = Text::from(icon).with(" ").with(level);
        let mut lines = vec![Line::new(self.select("级别", "Level"), level)];
        if let Some(status) = self.status(event) {
            let status = Text::from(final_icon(event)).and(status);
            lines.push(Line::new(self.select("状态", "Status"), status));
        }
        if let Some(resource) = self.resource(event) {
            let label = i18n::resource_label(event.resource_kind.as_deref(), language);
            lines.push(Line::new(label, resource));
        }
        if let Some(region) = event.region.as_deref().and_then(|id| self.region(id)) {
            lines.push(Line::new(self.select("地域", "Region"), region));
        }
        let times = [
            (self.select("时间", "Time"), &event.time),
            (self.select("投递时间", "Published"), &event.envelope_time),
        ];
        for (label, time) in times {
            if let Some(time) = time.as_ref().and_then(|time| self.time(time)) {
                lines.push(Line::new(label, time));
            }
        }
        if let Some(planned) = planned {
            let label = self.select("计划时间 notBefore", "Planned for (notBefore)");
            lines.push(Line::new(label, planned).strong());
        }
        lines
    }

    /// The resource's name and id, as far as the event holds them: `name (id)`.
    pub(super) fn resource(&self, event: &Event) -> Option<Text> {
        let name = shown_name(event.resource_name.as_deref());
        let id = shown_name(event.resource_id.as_deref());
        match (name, id) {
            (Some(name), Some(id)) => {
                let (open, close) = self.select(("（", "）"), (" (", ")"));
                Some(Text::from(name).with(open).with(id).with(close))
            }
            (one, other) => one.or(other).map(Text::from),
        }
    }

    /// The region's name, where it is known, and its id.
    pub(super) fn region(&self, id: &str) -> Option<Text> {
        let shown = Foreign::new(id, MAX_NAME)?;
        Some(match i18n::region_name(id, self.options.language) {
            Some(name) => Text::from(name).with(" ").with(shown),
            None => shown.into(),
        })
    }

    /// What to do, by the event's status.
    pub(super) fn advice(&self, event: &Event, entry: Option<&'static Entry>) -> Line {
        let advice = match entry.map(|entry| entry.advice(event.status.as_deref())) {
            Some(advice) => self.select(advice.zh, advice.en),
            None => self.select(
                "本程序的事件目录中没有此事件，请在控制台或产品文档中查看其含义。",
                "This event is not in the notifier's catalogue; look up its meaning in the console or the product's documentation.",
            ),
        };
        Line::new(self.select("建议", "What to do"), advice)
    }

    pub(super) fn link(&self, url: Option<String>) -> Option<Link> {
        let label = self.select("在控制台查看", "Open in the console");
        url.map(|url| Link { label, url })
    }

    /// Returns true if the route wants people to be mentioned for this event.
    pub(super) fn should_mention(&self, event: &Event) -> bool {
        let levels = &self.options.mention_levels;
        event.level.is_some_and(|level| levels.contains(&level)) && !event.is_final()
    }

    pub(super) fn mentions(&self, should_mention: bool) -> Mentions {
        if should_mention {
            self.options.mentions.clone()
        } else {
            Mentions::default()
        }
    }
}

/// Returns true if the name of an event does not show that it is another product's than ECS.
fn is_other_product(product: &str, name: &str) -> bool {
    let prefix = name.get(..product.len()).unwrap_or_default();
    !product.eq_ignore_ascii_case("ECS") && !prefix.eq_ignore_ascii_case(product)
}

/// A name or an id; `None` where nothing can be shown.
fn shown_name(text: Option<&str>) -> Option<Foreign> {
    Foreign::new(text?, MAX_NAME)
}

/// The icon of the event's status; empty for a status that is not final.
pub(super) fn final_icon(event: &Event) -> &'static str {
    event.status.as_deref().map_or("", i18n::final_icon)
}

/// When planned work begins that has neither begun nor been called off.
pub(super) fn upcoming_start(event: &Event) -> Option<EventTime> {
    let upcoming = match event.status.as_deref() {
        None => true,
        Some(status) => ["Scheduled", "Inquiring"]
            .iter()
            .any(|s| s.eq_ignore_ascii_case(status)),
    };
    event.not_before().filter(|_| upcoming)
}

/// The event's name with its status, as a pattern in the configuration would have it.
pub(super) fn code(event: &Event) -> Text {
    match Foreign::new(&event.full_name(), MAX_EVENT_NAME) {
        Some(code) => code.into(),
        None => "-".into(),
    }
}

fn footer(event: &Event) -> Text {
    let footer = Text::from("CloudMonitor · ECS · ")
        .and(code(event))
        .with(" · ");
    match Foreign::new(&event.display_id(), MAX_NAME) {
        Some(id) => footer.with(id.shortened_to(ID_CHARS)),
        None => footer,
    }
}
