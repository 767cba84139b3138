//! An event as a message: DingTalk markdown in one of two languages, within a number of bytes.
//!
//! Pure functions: the time is an argument, and nothing here knows of sockets.

mod capacity;
mod console_link;
mod details;
mod digest;
mod i18n;
mod json;
mod markdown;
mod time;

pub use capacity::{Room, portions};
pub use i18n::Language;

use crate::event::catalog;
use crate::event::{Event, EventTime, Level};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use markdown::{BREAK, PARAGRAPH, plain};
use serde::Serialize;
use std::borrow::Cow;

/// Most bytes of a request body that the chatbot takes (its error 460101 names the number).
pub const MAX_BYTES: usize = 20_000;

/// Longest name or id of a resource that is shown, in characters.
const MAX_NAME: usize = 100;

/// How one route wants its messages.
#[derive(Debug, Clone)]
pub struct Style {
    /// The language of all words.
    pub language: Language,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The chatbot's keyword, appended where the text does not hold it already.
    pub keyword: Option<String>,
    /// Whom to mention, and when.
    pub mentions: Mentions,
}

/// Whom a message mentions, and for which levels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Mobile numbers, as the group's members registered them.
    pub mobiles: Vec<String>,
    /// DingTalk user ids.
    pub user_ids: Vec<String>,
    /// Everybody.
    pub all: bool,
    /// Levels that mention; an event that is over never does.
    pub levels: Vec<Level>,
}

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Shown in notifications and in the list of conversations, not in the message itself.
    pub title: String,
    /// The message, in DingTalk's markdown subset.
    pub text: String,
    /// Whom it mentions.
    pub at: At,
}

/// The `at` object of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct At {
    /// Mobile numbers; each stands in the text as `@number` too.
    pub at_mobiles: Vec<String>,
    /// User ids; each stands in the text as `@id` too.
    pub at_user_ids: Vec<String>,
    /// Everybody.
    pub is_at_all: bool,
}

impl Message {
    /// The request body: JSON in raw UTF-8, with the idempotency key.
    pub fn body(&self, msg_uuid: &str) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            msgtype: &'static str,
            markdown: Markdown<'a>,
            at: &'a At,
            msg_uuid: &'a str,
        }
        #[derive(Serialize)]
        struct Markdown<'a> {
            title: &'a str,
            text: &'a str,
        }
        let body = Body {
            msgtype: "markdown",
            markdown: Markdown {
                title: &self.title,
                text: &self.text,
            },
            at: &self.at,
            msg_uuid,
        };
        // Some line breaks and quotes are escaped; more than that is rare.
        let length = self.frame_len() + self.title.len() + self.text.len() * 9 / 8;
        let mut out = Vec::with_capacity(length);
        // Strings, lists and a flag: there is nothing in it that cannot be serialised.
        match serde_json::to_writer(&mut out, &body) {
            Ok(()) => out,
            Err(_) => Vec::new(),
        }
    }

    /// The size of the request body in bytes, whatever the key (keys are UUIDs).
    pub fn size(&self) -> usize {
        self.frame_len() + json::escaped_len(&self.title) + json::escaped_len(&self.text)
    }

    /// Whether the request body has at most `budget` bytes.
    fn fits(&self, budget: usize) -> bool {
        // Most are so short that nothing need be counted.
        let most = json::MAX_ESCAPED * (self.title.len() + self.text.len());
        self.frame_len() + most <= budget || self.size() <= budget
    }

    /// What the request body has beside title and text.
    fn frame_len(&self) -> usize {
        const FRAME: &str = r#"{"msgtype":"markdown","markdown":{"title":"","text":""},"at":{"atMobiles":[],"atUserIds":[],"isAtAll":},"msgUuid":"00000000-0000-0000-0000-000000000000"}"#;
        FRAME.len()
            + json::list_len(&self.at.at_mobiles)
            + json::list_len(&self.at.at_user_ids)
            + if self.at.is_at_all { 4 } else { 5 }
    }
}

/// A moment in the zone, to the second, with the zone's offset: `2026-11-25 09:01:00 (UTC+08:00)`.
pub fn in_words(at: Timestamp, zone: &TimeZone) -> String {
    time::moment(&EventTime::At(at), zone)
}

/// The message of these events: the event's own where there is one, else a digest.
///
/// A digest groups the events, the worst first, and names every resource as long as `budget` allows;
/// the rest is counted in the message.
pub fn render_all(events: &[&Event], style: &Style, now: Timestamp, budget: usize) -> Message {
    match events {
        [event] => render(event, style, now, budget),
        events => digest::render(events, style, now, budget),
    }
}

/// The request body of the message of these events: what `encode` makes of it, shortened to at most
/// `max_bytes`.
pub fn encode_within(
    events: &[&Event],
    style: &Style,
    now: Timestamp,
    max_bytes: usize,
    encode: impl Fn(&Message) -> Vec<u8>,
) -> Vec<u8> {
    encode(&render_all(events, style, now, max_bytes))
}

/// The message of one event, as it stands at `now`, in at most `budget` bytes as sent.
///
/// What is cut to fit is the event's data, line by line from the end, and the count of what is
/// missing is told; name, status, times, advice, link, footer, keyword and mentions stay. They need
/// less than three quarters of [`MAX_BYTES`] at the very most; a smaller `budget` than they need is exceeded.
pub fn render(event: &Event, style: &Style, now: Timestamp, budget: usize) -> Message {
    let language = style.language;
    let entry = catalog::find(event.product.as_deref(), &event.name);
    let what = what_happened(event, entry, language);
    let (at, at_text) = mentions(event, style);
    let planned = countdown(event, style, now);
    let mut shown = String::with_capacity(1024);
    head(&mut shown, event, style, &what, planned.as_deref());
    let mut ends = vec![shown.len()];
    let (lines, mut hidden) = details::write(&mut shown, event, style, planned.is_some());
    ends.extend(lines);
    let tail = tail(event, style, entry, &at_text);
    let mut message = Message {
        title: title(event, &what, language),
        text: String::new(),
        at,
    };
    while let Some(end) = ends.pop() {
        let mut text = String::with_capacity(end + tail.len() + 128);
        text.push_str(shown.get(..end).unwrap_or_default());
        if hidden > 0 {
            text.push_str(BREAK);
            text.push_str(&language.pick(
                format!("…… 另有 {hidden} 项未显示"),
                format!("… and {hidden} more not shown"),
            ));
        }
        text.push_str(&tail);
        message.text = with_keyword(text, style.keyword.as_deref(), &at_text);
        if message.fits(budget) {
            break;
        }
        hidden += 1;
    }
    message
}

/// What happened, in the reader's language: the catalogue's title, else the one that came along, else the name.
fn what_happened<'a>(
    event: &'a Event,
    entry: Option<&'static catalog::Entry>,
    language: Language,
) -> Cow<'a, str> {
    if let Some(entry) = entry {
        return Cow::Borrowed(language.pick(entry.title.zh, entry.title.en));
    }
    let brought = match language {
        Language::Zh => event.titles.zh.as_deref(),
        Language::En => event.titles.en.as_deref(),
    };
    let mut what = plain(brought.unwrap_or(&event.name), 2 * MAX_NAME);
    if what.is_empty() {
        what = language.pick("未命名事件", "unnamed event").into();
    }
    match event.product.as_deref() {
        // Other products reuse names of ECS: whose event it is must be said.
        Some(product) if is_foreign(product, &event.name) => {
            Cow::Owned(format!("{} {what}", plain(product, MAX_NAME)))
        }
        _ => what,
    }
}

/// Whether an event's name does not tell that it is another product's than ECS.
fn is_foreign(product: &str, name: &str) -> bool {
    let prefix = name.get(..product.len()).unwrap_or_default();
    !product.eq_ignore_ascii_case("ECS") && !prefix.eq_ignore_ascii_case(product)
}

fn status(event: &Event, language: Language) -> Option<Cow<'_, str>> {
    let status = event.status.as_deref()?;
    let word = match i18n::status_word(status, language) {
        Some(word) => Cow::Borrowed(word),
        None => plain(status, 60),
    };
    Some(word).filter(|word| !word.is_empty())
}

/// A name or an id as it is shown; `None` where there is nothing to show.
fn named(text: Option<&str>) -> Option<Cow<'_, str>> {
    Some(plain(text?, MAX_NAME)).filter(|shown| !shown.is_empty())
}

/// Notification and conversation list: how bad, what, which resource.
fn title(event: &Event, what: &str, language: Language) -> String {
    let resource = event
        .resource_name
        .as_deref()
        .or(event.resource_id.as_deref());
    let over = event.status.as_deref().map_or("", i18n::over_icon);
    let mut title = [i18n::level_icon(event.level), " ", over, what].concat();
    for part in [status(event, language), named(resource)]
        .into_iter()
        .flatten()
    {
        title.push_str(" · ");
        title.push_str(&part);
    }
    title
}

/// When planned work begins that has neither begun nor been called off.
fn planned_ahead(event: &Event) -> Option<EventTime> {
    let ahead = match event.status.as_deref() {
        None => true,
        Some(status) => ["Scheduled", "Inquiring"]
            .iter()
            .any(|s| s.eq_ignore_ascii_case(status)),
    };
    event.not_before().filter(|_| ahead)
}

/// The countdown to planned work that is still ahead.
fn countdown(event: &Event, style: &Style, now: Timestamp) -> Option<String> {
    let planned = planned_ahead(event)?;
    Some(time::countdown(&planned, now, &style.zone, style.language)).filter(|t| !t.is_empty())
}

/// Heading, level, status, resource, region and times.
fn head(out: &mut String, event: &Event, style: &Style, what: &str, planned: Option<&str>) {
    let language = style.language;
    let icon = i18n::level_icon(event.level);
    for piece in ["### ", icon, " ", what, PARAGRAPH] {
        out.push_str(piece);
    }
    let level = i18n::level_word(event.level, language);
    language.line(out, language.pick("级别", "Level"), &[icon, " ", level]);
    let mut line = |label, value: &[&str]| {
        out.push_str(BREAK);
        language.line(out, label, value);
    };
    if let Some(word) = status(event, language) {
        let icon = event.status.as_deref().map_or("", i18n::over_icon);
        line(language.pick("状态", "Status"), &[icon, &word]);
    }
    let label = i18n::resource_label(event.resource_kind.as_deref(), language);
    let name = named(event.resource_name.as_deref());
    match (name, named(event.resource_id.as_deref())) {
        (Some(name), Some(id)) => {
            let (open, close) = language.parentheses();
            line(label, &[&name, open, &id, close]);
        }
        (Some(one), None) | (None, Some(one)) => line(label, &[&one]),
        (None, None) => {}
    }
    if let Some(id) = &event.region {
        let shown = plain(id, MAX_NAME);
        let label = language.pick("地域", "Region");
        match i18n::region_name(id, language) {
            Some(name) => line(label, &[name, " ", &shown]),
            None if shown.is_empty() => {}
            None => line(label, &[&shown]),
        }
    }
    if let Some(time) = &event.time {
        let shown = time::moment(time, &style.zone);
        if !shown.is_empty() {
            line(language.pick("时间", "Time"), &[&shown]);
        }
    }
    if let Some(time) = &event.envelope_time {
        let shown = time::moment(time, &style.zone);
        if !shown.is_empty() {
            line(language.pick("投递时间", "Published"), &[&shown]);
        }
    }
    if let Some(planned) = planned {
        line(
            language.pick("计划时间 notBefore", "Planned for (notBefore)"),
            &["**", planned, "**"],
        );
    }
}

/// Advice, link and footer.
fn tail(
    event: &Event,
    style: &Style,
    entry: Option<&'static catalog::Entry>,
    at_text: &str,
) -> String {
    let language = style.language;
    let mut tail = String::with_capacity(1024);
    tail.push_str(PARAGRAPH);
    let advice = advice(event, entry, language);
    language.line(&mut tail, language.pick("建议", "What to do"), &[advice]);
    if let Some(link) = console_link::console(event) {
        push_link(&mut tail, &link, language);
    }
    let id = event.display_id();
    let id = plain(&id, MAX_NAME);
    let short = id.char_indices().nth(8).map_or(&*id, |(end, _)| &id[..end]);
    for piece in [
        PARAGRAPH,
        "CloudMonitor · ECS · ",
        &code(event),
        " · ",
        short,
    ] {
        tail.push_str(piece);
    }
    if !at_text.is_empty() {
        tail.push_str(PARAGRAPH);
        tail.push_str(at_text);
    }
    tail
}

/// The paragraph with the link to the console.
fn push_link(out: &mut String, link: &str, language: Language) {
    let word = language.pick("在控制台查看", "Open in the console");
    for piece in [PARAGRAPH, "[", word, "](", link, ")"] {
        out.push_str(piece);
    }
}

/// What to do, by the event's status.
fn advice(
    event: &Event,
    entry: Option<&'static catalog::Entry>,
    language: Language,
) -> &'static str {
    match entry.map(|entry| entry.advice(event.status.as_deref())) {
        Some(advice) => language.pick(advice.zh, advice.en),
        None => language.pick(
            "本程序的事件目录中没有此事件，请在控制台或产品文档中查看其含义。",
            "This event is not in the notifier's catalogue; look up its meaning in the console or the product's documentation.",
        ),
    }
}

/// The event's code with its status, as patterns in the configuration would name it.
fn code(event: &Event) -> String {
    match plain(&event.full_name(), 2 * MAX_NAME).into_owned() {
        code if code.is_empty() => "-".to_owned(),
        code => code,
    }
}

/// Whether this event is one that the route's people want to be mentioned for.
fn asks_to_mention(event: &Event, style: &Style) -> bool {
    let levels = &style.mentions.levels;
    event.level.is_some_and(|level| levels.contains(&level)) && !event.is_final()
}

/// Whom this event mentions: in `at`, and as it must stand in the text.
fn mentions(event: &Event, style: &Style) -> (At, String) {
    if asks_to_mention(event, style) {
        at_words(style)
    } else {
        (At::default(), String::new())
    }
}

/// The route's people: in `at`, and as they must stand in the text.
fn at_words(style: &Style) -> (At, String) {
    let who = &style.mentions;
    let at = At {
        at_mobiles: who.mobiles.clone(),
        at_user_ids: who.user_ids.clone(),
        is_at_all: who.all,
    };
    let mut text = String::new();
    let everybody = style.language.pick("所有人", "all");
    let names = who.mobiles.iter().chain(&who.user_ids).map(String::as_str);
    for name in names.chain(who.all.then_some(everybody)) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push('@');
        text.push_str(name);
    }
    (at, text)
}

/// Appends the keyword where the text does not hold it; before the mentions, which stand last.
fn with_keyword(text: String, keyword: Option<&str>, at_text: &str) -> String {
    match keyword {
        Some(keyword) if !shows(&text, keyword) => {
            let body = text.strip_suffix(at_text).unwrap_or(&text);
            if at_text.is_empty() {
                format!("{body}{PARAGRAPH}{keyword}")
            } else {
                format!("{body}{keyword} {at_text}")
            }
        }
        _ => text,
    }
}

/// Whether the text holds the keyword where it can be read: whether DingTalk looks into addresses is not known.
fn shows(text: &str, keyword: &str) -> bool {
    let mut parts = text.split("](");
    let first = parts.next().unwrap_or_default();
    first.contains(keyword)
        || parts.any(|part| {
            let (_address, shown) = part.split_once(')').unwrap_or((part, ""));
            shown.contains(keyword)
        })
}
