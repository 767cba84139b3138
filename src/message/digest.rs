//! Several events as one message: grouped by event and status, the worst first, every resource named
//! as long as there is room, and what is not named counted.

use super::i18n::{self, Language};
use super::markdown::{BREAK, PARAGRAPH, plain};
use super::time;
use super::{At, MAX_NAME, Message, Style, at_words, with_keyword};
use super::{advice, code, console_link, named, push_link, status, what_happened};
use crate::event::catalog;
use crate::event::{Event, EventTime, Level};
use jiff::Timestamp;

/// Events that say the same of different resources.
struct Group<'a> {
    events: Vec<&'a Event>,
    /// `name (id)` of each resource and how often it stands there, in order of appearance.
    resources: Vec<(String, usize)>,
}

/// A group in words, all but the names of its resources: they alone depend on how much is shown.
struct Words<'a> {
    /// Heading, and the label of the resources.
    before: String,
    resources: &'a [(String, usize)],
    /// Regions, time, advice and code.
    after: String,
    events: usize,
}

/// How much of a digest is shown.
#[derive(Clone, Copy)]
struct Extent {
    groups: usize,
    resources: usize,
}

/// The message of several events, in at most `budget` bytes as sent.
///
/// Named resources give way first, evenly over the groups, then whole groups from the mildest on;
/// both are counted. Keyword, mentions and footer stay.
pub(super) fn render(events: &[&Event], style: &Style, now: Timestamp, budget: usize) -> Message {
    let groups = group(events, style.language);
    let asking = events
        .iter()
        .find(|event| super::asks_to_mention(event, style));
    let (at, at_text) = match asking {
        Some(_) => at_words(style),
        None => (At::default(), String::new()),
    };
    let mut message = Message {
        title: title(events, &groups, style.language),
        text: String::new(),
        at,
    };
    let head = head(events, &groups, style);
    let tail = tail(events, &at_text, style.language);
    let words: Vec<Words> = groups
        .iter()
        .map(|group| in_words(group, style, now))
        .collect();
    let mut fits = |extent| {
        let mut text = head.clone();
        draw(&words, extent, style.language, &mut text);
        text.push_str(&tail);
        message.text = with_keyword(text, style.keyword.as_deref(), &at_text);
        message.fits(budget)
    };
    let most = groups.iter().map(|g| g.resources.len()).max().unwrap_or(0);
    let mut extent = Extent {
        groups: groups.len(),
        resources: most,
    };
    if !fits(extent) {
        extent.resources = largest(1, most, |resources| {
            fits(Extent {
                resources,
                ..extent
            })
        });
        if !fits(extent) {
            extent.groups = largest(1, groups.len(), |groups| fits(Extent { groups, ..extent }));
            fits(extent);
        }
    }
    message
}

/// The largest number from `low` to `high` that passes, given that smaller ones pass if larger ones do; else `low`.
fn largest(low: usize, high: usize, mut passes: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (low, high.max(low));
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

/// Groups by event, status and level; the worst first, what is over behind what is not, then the largest.
fn group<'a>(events: &[&'a Event], language: Language) -> Vec<Group<'a>> {
    let mut order: Vec<Group<'a>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for event in events {
        let key = (event.product.as_deref(), event.full_name(), event.level);
        let place = *places.entry(key).or_insert_with(|| {
            order.push(Group {
                events: Vec::new(),
                resources: Vec::new(),
            });
            order.len() - 1
        });
        if let Some(group) = order.get_mut(place) {
            group.events.push(event);
        }
    }
    for group in &mut order {
        let mut seen = std::collections::HashMap::new();
        for event in &group.events {
            let name = resource(event, language);
            let place = *seen.entry(name.clone()).or_insert_with(|| {
                group.resources.push((name, 0));
                group.resources.len() - 1
            });
            if let Some((_, count)) = group.resources.get_mut(place) {
                *count += 1;
            }
        }
    }
    order.sort_by_key(|group| {
        let first = group.events.first();
        let level = first.and_then(|event| event.level);
        let over = first.is_some_and(|event| event.is_final());
        (gravity(level), over, std::cmp::Reverse(group.events.len()))
    });
    order
}

/// The order of levels in a digest: an unknown one may be bad, and stands before what is known to be mild.
fn gravity(level: Option<Level>) -> u8 {
    match level {
        Some(Level::Critical) => 0,
        Some(Level::Warn) => 1,
        None => 2,
        Some(Level::Info) => 3,
    }
}

fn resource(event: &Event, language: Language) -> String {
    let name = named(event.resource_name.as_deref());
    match (name, named(event.resource_id.as_deref())) {
        (Some(name), Some(id)) => {
            let (open, close) = language.parentheses();
            [&name, open, &id, close].concat()
        }
        (Some(one), None) | (None, Some(one)) => one.into_owned(),
        (None, None) => language.pick("未说明资源", "resource not told").to_owned(),
    }
}

fn count(events: &[&Event], language: Language) -> String {
    // Events of other products may be among them.
    let (zh, en) = if events.iter().all(|event| console_link::is_ecs(event)) {
        (" ECS ", "ECS ")
    } else {
        ("", "")
    };
    let events = events.len();
    language.pick(
        format!("{events} 条{zh}事件"),
        format!("{events} {en}events"),
    )
}

fn title(events: &[&Event], groups: &[Group], language: Language) -> String {
    let first = groups.first().and_then(|group| group.events.first());
    let icon = i18n::level_icon(first.and_then(|event| event.level));
    let count = count(events, language);
    let what = first.map_or(String::new(), |event| heading(event, language));
    let more = if groups.len() > 1 {
        language.pick(" 等", " and others")
    } else {
        ""
    };
    let over = first
        .and_then(|event| event.status.as_deref())
        .filter(|_| events.iter().all(|event| event.is_final()))
        .map_or("", i18n::over_icon);
    format!("{icon} {over}{count} · {what}{more}")
}

/// What stands before the groups.
fn head(events: &[&Event], groups: &[Group], style: &Style) -> String {
    let language = style.language;
    let first = groups.first().and_then(|group| group.events.first());
    let icon = i18n::level_icon(first.and_then(|event| event.level));
    let count = count(events, language);
    let mut text = format!("### {icon} {count}{PARAGRAPH}{}", levels(events, language));
    if let Some(span) = span(events, style) {
        text.push_str(BREAK);
        language.line(&mut text, language.pick("时间", "Time"), &[&span]);
    }
    text
}

/// What stands behind them.
fn tail(events: &[&Event], at_text: &str, language: Language) -> String {
    let mut text = String::new();
    if let Some(link) = console_link::console_of(events) {
        push_link(&mut text, &link, language);
    }
    let count = count(events, language);
    text.push_str(&format!("{PARAGRAPH}CloudMonitor · ECS · {count}"));
    if !at_text.is_empty() {
        text.push_str(PARAGRAPH);
        text.push_str(at_text);
    }
    text
}

/// Appends the groups as far as they are shown, and the count of what is left out.
fn draw(groups: &[Words], extent: Extent, language: Language, text: &mut String) {
    let mut left = 0;
    for (place, group) in groups.iter().enumerate() {
        if place < extent.groups {
            text.push_str(PARAGRAPH);
            left += draw_group(group, extent.resources, language, text);
        } else {
            left += group.events;
        }
    }
    if left > 0 {
        text.push_str(PARAGRAPH);
        text.push_str(&language.pick(
            format!("……另有 {left} 条事件未列出，函数日志中逐条记录"),
            format!("… {left} more events are not listed here; the function's log names every one"),
        ));
    }
}

/// How many of each level, the worst first.
fn levels(events: &[&Event], language: Language) -> String {
    [
        Some(Level::Critical),
        Some(Level::Warn),
        None,
        Some(Level::Info),
    ]
    .into_iter()
    .filter_map(|level| {
        let count = events.iter().filter(|event| event.level == level).count();
        let icon = i18n::level_icon(level);
        (count > 0).then(|| format!("{icon} {} {count}", i18n::level_word(level, language)))
    })
    .collect::<Vec<_>>()
    .join(" · ")
}

/// First and last time of the events.
fn span(events: &[&Event], style: &Style) -> Option<String> {
    let times = || {
        events.iter().filter_map(|event| match &event.time {
            Some(EventTime::At(at)) => Some(*at),
            _ => None,
        })
    };
    let (first, last) = (times().min()?, times().max()?);
    let shown = |at| time::moment(&EventTime::At(at), &style.zone);
    Some(if first == last {
        shown(first)
    } else {
        format!("{} — {}", shown(first), shown(last))
    })
}

fn heading(event: &Event, language: Language) -> String {
    let entry = catalog::find(event.product.as_deref(), &event.name);
    let what = what_happened(event, entry, language);
    match status(event, language) {
        Some(status) => format!("{what} · {status}"),
        None => what.into_owned(),
    }
}

/// One group; tells how many of its events are not named.
fn draw_group(group: &Words, most: usize, language: Language, text: &mut String) -> usize {
    text.push_str(&group.before);
    let (shown, hidden) = group
        .resources
        .split_at_checked(most)
        .unwrap_or((group.resources, &[]));
    for (place, (name, count)) in shown.iter().enumerate() {
        if place > 0 {
            text.push_str(language.pick("、", ", "));
        }
        text.push_str(name);
        if *count != 1 {
            text.push_str(&format!(" ×{count}"));
        }
    }
    let unnamed: usize = hidden.iter().map(|(_, count)| count).sum();
    if unnamed > 0 {
        text.push_str(&language.pick(
            format!(" 等，另有 {unnamed} 条"),
            format!(" and {unnamed} more"),
        ));
    }
    text.push_str(&group.after);
    unnamed
}

fn in_words<'a>(group: &'a Group, style: &Style, now: Timestamp) -> Words<'a> {
    let mut words = Words {
        before: String::new(),
        resources: &group.resources,
        after: String::new(),
        events: group.events.len(),
    };
    let Some(first) = group.events.first() else {
        return words;
    };
    let language = style.language;
    let over = first.status.as_deref().map_or("", i18n::over_icon);
    words.before = format!(
        "**{} {over}{}**{}{BREAK}",
        i18n::level_icon(first.level),
        heading(first, language),
        match group.events.len() {
            1 => String::new(),
            count => format!(" × {count}"),
        }
    );
    let label = i18n::resource_label(first.resource_kind.as_deref(), language);
    language.line(&mut words.before, label, &[]);

    let mut line = |label, value: &[&str]| {
        words.after.push_str(BREAK);
        language.line(&mut words.after, label, value);
    };
    let mut regions: Vec<&str> = group
        .events
        .iter()
        .filter_map(|e| e.region.as_deref())
        .collect();
    regions.sort_unstable();
    regions.dedup();
    if !regions.is_empty() {
        let shown: Vec<String> = regions
            .iter()
            .take(5)
            .map(|id| match i18n::region_name(id, language) {
                Some(name) => format!("{name} {id}"),
                None => plain(id, MAX_NAME).into_owned(),
            })
            .filter(|shown| !shown.is_empty())
            .collect();
        let more = if regions.len() > 5 { " …" } else { "" };
        if !shown.is_empty() {
            let shown = shown.join(language.pick("、", ", "));
            line(language.pick("地域", "Region"), &[&shown, more]);
        }
    }
    let soonest = group
        .events
        .iter()
        .filter_map(|event| super::planned_ahead(event))
        .min_by_key(|planned| match planned {
            EventTime::At(at) => *at,
            EventTime::Text(_) => Timestamp::MAX,
        });
    if let Some(planned) = soonest {
        let label = language.pick("最早计划时间 notBefore", "Planned from (notBefore)");
        let shown = time::countdown(&planned, now, &style.zone, language);
        if !shown.is_empty() {
            line(label, &["**", &shown, "**"]);
        }
    }
    let entry = catalog::find(first.product.as_deref(), &first.name);
    line(
        language.pick("建议", "What to do"),
        &[advice(first, entry, language)],
    );
    line(language.pick("事件", "Event"), &[&code(first)]);
    words
}
