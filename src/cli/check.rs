//! `check`: a route in words, without its secrets.

use crate::event::Level;
use crate::message::RenderOptions;
use crate::route::{Pattern, Route};

/// What a route sends, to whom and how: one line a setting.
pub(super) fn describe(route: &Route) -> String {
    let (filter, options) = (&route.filter, &route.render_options);
    let fallback = route.fallback.as_ref();
    let lines = [
        ("chatbot", route.endpoint.to_string()),
        (
            "fallback",
            fallback.map_or("none".to_owned(), ToString::to_string),
        ),
        (
            "keyword",
            route.endpoint.keyword().unwrap_or("none").to_owned(),
        ),
        ("mentions", mentioned(options)),
        (
            "rate limit",
            format!("{} messages a minute", route.endpoint.limits().per_minute),
        ),
        ("levels", levels(&filter.levels)),
        ("include", patterns(&filter.include, "none")),
        ("exclude", patterns(&filter.exclude, "none")),
        ("regions", patterns(&filter.regions, "all")),
        ("resources", patterns(&filter.resources, "all")),
        ("not resources", patterns(&filter.resources_exclude, "none")),
        ("language", options.language.as_str().to_owned()),
        (
            "time zone",
            options.zone.iana_name().unwrap_or("?").to_owned(),
        ),
    ];
    let mut text = format!("route {}\n", route.name);
    for (label, value) in lines {
        text.push_str(&format!("  {label:<14} {value}\n"));
    }
    text
}

fn mentioned(options: &RenderOptions) -> String {
    let who = &options.mentions;
    let people = match who.mobiles.len() + who.user_ids.len() {
        0 if !who.all => return "nobody".to_owned(),
        1 => "1 person".to_owned(),
        many => format!("{many} people"),
    };
    let all = if who.all { "everybody and " } else { "" };
    format!("{all}{people} for {}", levels(&options.mention_levels))
}

fn levels(levels: &[Level]) -> String {
    match levels {
        [] => "none".to_owned(),
        levels => join(levels.iter().map(|level| level.as_str())),
    }
}

fn patterns(patterns: &[Pattern], empty: &str) -> String {
    match patterns {
        [] => empty.to_owned(),
        patterns => join(patterns.iter().map(Pattern::as_str)),
    }
}

fn join<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.collect::<Vec<_>>().join(",")
}
