//! Several events as one message: grouped by event and status, the worst first, every resource named
//! as long as there is room, and what is not named counted.

use super::markdown::{BREAK, PARAGRAPH, plain};
use super::words::{self, Language};
use super::{At, MAX_NAME, Message, Style, at_words, with_keyword};
use super::{advice, code, countdown, link, status, what_happened, when};
use crate::catalogue;
use crate::event::{Event, Level, Moment};
use jiff::Timestamp;

/// Events that say the same of different resources.
struct Group<'a> {
    events: Vec<&'a Event>,
    /// `name (id)` of each resource and how often it stands there, in order of appearance.
    resources: Vec<(String, usize)>,
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
    let draw = |extent| draw(events, &groups, extent, style, now, &at, &at_text);
    let fits = |extent| draw(extent).size() <= budget;
    let most = groups.iter().map(|g| g.resources.len()).max().unwrap_or(0);
    let all = Extent {
        groups: groups.len(),
        resources: most,
    };
    if fits(all) {
        return draw(all);
    }
    let resources = largest(1, most, |resources| fits(Extent { resources, ..all }));
    let one = Extent { resources, ..all };
    if fits(one) {
        return draw(one);
    }
    let groups = largest(1, groups.len(), |groups| fits(Extent { groups, ..one }));
    draw(Extent { groups, ..one })
}

/// The largest number from `low` to `high` that passes, given that smaller ones pass if larger ones do; else `low`.
fn largest(low: usize, high: usize, passes: impl Fn(usize) -> bool) -> usize {
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

/// Groups by event, status and level; the worst first, then the largest.
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
        let level = group.events.first().and_then(|event| event.level);
        (gravity(level), std::cmp::Reverse(group.events.len()))
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
    let named = |text: &Option<String>| {
        text.as_deref()
            .map(|text| plain(text, MAX_NAME))
            .filter(|text| !text.is_empty())
    };
    match (named(&event.resource_name), named(&event.resource_id)) {
        (Some(name), Some(id)) => language.parenthesis(&name, &id),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => language.pick("未说明资源".into(), "resource not told".into()),
    }
}

fn draw(
    events: &[&Event],
    groups: &[Group],
    extent: Extent,
    style: &Style,
    now: Timestamp,
    at: &At,
    at_text: &str,
) -> Message {
    let language = style.language;
    let worst = groups
        .first()
        .and_then(|group| group.events.first())
        .and_then(|event| event.level);
    let icon = words::level_icon(worst);
    let count = language.pick(
        format!("{} 条 ECS 事件", events.len()),
        format!("{} ECS events", events.len()),
    );
    let mut text = format!("### {icon} {count}{PARAGRAPH}{}", levels(events, language));
    if let Some(span) = span(events, style) {
        text.push_str(BREAK);
        text.push_str(&language.line(language.pick("时间", "Time"), &span));
    }
    let mut unnamed = 0;
    for group in groups.iter().take(extent.groups) {
        text.push_str(PARAGRAPH);
        unnamed += draw_group(group, extent.resources, style, now, &mut text);
    }
    let left: usize = groups
        .iter()
        .skip(extent.groups)
        .map(|g| g.events.len())
        .sum();
    if left + unnamed > 0 {
        text.push_str(PARAGRAPH);
        text.push_str(&language.pick(
            format!("……另有 {} 条事件未列出，函数日志中逐条记录", left + unnamed),
            format!(
                "… {} more events are not listed here; the function's log names every one",
                left + unnamed
            ),
        ));
    }
    if let Some(link) = link::console_of(events) {
        let word = language.pick("在控制台查看", "Open in the console");
        text.push_str(&format!("{PARAGRAPH}[{word}]({link})"));
    }
    text.push_str(&format!("{PARAGRAPH}CloudMonitor · ECS · {count}"));
    if !at_text.is_empty() {
        text.push_str(PARAGRAPH);
        text.push_str(at_text);
    }
    let first = groups.first().and_then(|g| g.events.first());
    let what = first.map_or(String::new(), |event| heading(event, language));
    let more = if groups.len() > 1 {
        language.pick(" 等", " and others")
    } else {
        ""
    };
    Message {
        title: format!("{icon} {count} · {what}{more}"),
        text: with_keyword(text, style.keyword.as_deref(), at_text),
        at: at.clone(),
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
        let icon = words::level_icon(level);
        (count > 0).then(|| format!("{icon} {} {count}", words::level_word(level, language)))
    })
    .collect::<Vec<_>>()
    .join(" · ")
}

/// First and last time of the events.
fn span(events: &[&Event], style: &Style) -> Option<String> {
    let times = || {
        events.iter().filter_map(|event| match &event.time {
            Some(Moment::At(at)) => Some(*at),
            _ => None,
        })
    };
    let (first, last) = (times().min()?, times().max()?);
    let shown = |at| when::moment(&Moment::At(at), &style.zone);
    Some(if first == last {
        shown(first)
    } else {
        format!("{} — {}", shown(first), shown(last))
    })
}

fn heading(event: &Event, language: Language) -> String {
    let entry = catalogue::find(event.product.as_deref(), &event.name);
    let what = what_happened(event, entry, language);
    match status(event, language) {
        Some(status) => format!("{what} · {status}"),
        None => what,
    }
}

/// One group; tells how many of its events are not named.
fn draw_group(
    group: &Group,
    most: usize,
    style: &Style,
    now: Timestamp,
    text: &mut String,
) -> usize {
    let language = style.language;
    let Some(first) = group.events.first() else {
        return 0;
    };
    let over = first.status.as_deref().map_or("", words::over_icon);
    text.push_str(&format!(
        "**{} {over}{}**{}",
        words::level_icon(first.level),
        heading(first, language),
        match group.events.len() {
            1 => String::new(),
            count => format!(" × {count}"),
        }
    ));
    let shown = group.resources.get(..most).unwrap_or(&group.resources);
    let names: Vec<String> = shown
        .iter()
        .map(|(name, count)| match count {
            1 => name.clone(),
            count => format!("{name} ×{count}"),
        })
        .collect();
    let unnamed: usize = group
        .resources
        .iter()
        .skip(shown.len())
        .map(|(_, count)| count)
        .sum();
    let mut list = names.join(language.pick("、", ", "));
    if unnamed > 0 {
        list.push_str(&language.pick(
            format!(" 等，另有 {unnamed} 条"),
            format!(" and {unnamed} more"),
        ));
    }
    let label = words::resource_label(first.resource_kind.as_deref(), language);
    let mut lines = vec![language.line(label, &list)];
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
            .map(|id| match words::region_name(id, language) {
                Some(name) => format!("{name} {id}"),
                None => plain(id, MAX_NAME),
            })
            .filter(|shown| !shown.is_empty())
            .collect();
        let more = if regions.len() > 5 { " …" } else { "" };
        if !shown.is_empty() {
            let shown = shown.join(language.pick("、", ", "));
            lines.push(language.line(language.pick("地域", "Region"), &format!("{shown}{more}")));
        }
    }
    let soonest = group
        .events
        .iter()
        .filter(|event| super::planned_ahead(event).is_some())
        .min_by_key(|event| match super::planned_ahead(event) {
            Some(Moment::At(at)) => at,
            _ => Timestamp::MAX,
        });
    if let Some(planned) = soonest.and_then(|event| countdown(event, style, now)) {
        let label = language.pick("最早 notBefore", "Planned from (notBefore)");
        lines.push(language.line(label, &format!("**{planned}**")));
    }
    let entry = catalogue::find(first.product.as_deref(), &first.name);
    lines.push(language.line(
        language.pick("建议", "What to do"),
        advice(first, entry, language),
    ));
    lines.push(language.line(language.pick("事件", "Event"), &code(first)));
    for line in lines {
        text.push_str(BREAK);
        text.push_str(&line);
    }
    unnamed
}
