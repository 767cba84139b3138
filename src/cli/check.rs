//! `check`: the configuration in words, without its secrets.

use crate::config::{Config, ResourceConfig};
use crate::event::Level;
use crate::message::RenderOptions;
use crate::report::counted;
use crate::route::{Pattern, QuietHours, Route};

/// Describes every route: what it sends, to whom and how.
pub(super) fn describe(config: &Config) -> String {
    let routes: Vec<String> = config.routes.iter().map(describe_route).collect();
    let resources = describe_resources(config.resources.as_ref());
    format!(
        "The configuration is valid.\n\n{}\n{resources}",
        routes.join("\n")
    )
}

/// Describes what is looked up, and how.
fn describe_resources(resources: Option<&ResourceConfig>) -> String {
    let Some(resources) = resources else {
        return "resources are not looked up\n".to_owned();
    };
    let role = resources.role.as_ref();
    let others = role.map_or(
        "are not asked for (RESOURCE_ROLE is not set)".to_owned(),
        |role| {
            format!(
                "with the role {}, assumed at {}",
                role.as_str(),
                resources.sts
            )
        },
    );
    let regions = list(
        &resources.regions,
        String::as_str,
        "the function's own region",
    );
    let maintenance = format!("by ecs:DescribeInstanceHistoryEvents in {regions}");
    let lines = [
        ("instances", "name, addresses and tags by ecs:DescribeInstances".to_owned()),
        ("disks", "name, tags and instance by ecs:DescribeDisks".to_owned()),
        ("maintenance", maintenance),
        ("at", resources.ecs.to_string()),
        ("identity", "the function's role, else ALIBABA_CLOUD_ACCESS_KEY_ID, _SECRET and ALIBABA_CLOUD_SECURITY_TOKEN; without, nothing is asked".to_owned()),
        ("other accounts", others),
    ];
    let mut text = "resources are looked up\n".to_owned();
    for (label, value) in lines {
        text.push_str(&format!("  {label:<14} {value}\n"));
    }
    text
}

fn describe_route(route: &Route) -> String {
    let (endpoint, filter, options) = (&route.endpoint, &route.filter, &route.render_options);
    let limits = endpoint.limits();
    let per_minute = limits.per_minute;
    let apart = match limits.min_gap.as_millis() {
        0 => String::new(),
        ms => format!(", {ms} ms apart"),
    };
    let zone = options.zone.iana_name().unwrap_or("?");
    let fallback = route.fallback.as_ref().map(ToString::to_string);
    let patterns = |patterns: &[Pattern], if_empty| list(patterns, Pattern::as_str, if_empty);
    let schedule = &route.schedule;
    let lines = [
        ("chatbot", endpoint.to_string()),
        ("fallback", fallback.unwrap_or("none".to_owned())),
        ("keyword", endpoint.keyword().unwrap_or("none").to_owned()),
        ("mentions", mentions(options)),
        (
            "owner's tag",
            options.mention_tag.clone().unwrap_or("none".to_owned()),
        ),
        (
            "rate limit",
            format!("{per_minute} messages a minute{apart}"),
        ),
        ("levels", levels(&filter.levels)),
        ("include", patterns(&filter.include, "none")),
        ("exclude", patterns(&filter.exclude, "none")),
        ("accounts", patterns(&filter.accounts, "all")),
        ("regions", patterns(&filter.regions, "all")),
        ("resources", patterns(&filter.resources, "all")),
        ("not resources", patterns(&filter.resources_exclude, "none")),
        ("tags", patterns(&filter.tags, "all")),
        ("not tags", patterns(&filter.tags_exclude, "none")),
        ("quiet hours", quiet_hours(filter.quiet_hours.as_ref())),
        ("language", options.language.as_str().to_owned()),
        ("time zone", zone.to_owned()),
        ("digest at", all(&schedule.digest_at)),
        ("remind before", all(&schedule.remind_before)),
        ("alive at", all(&schedule.heartbeat_at)),
        ("shown tags", list(&options.tags, String::as_str, "none")),
        ("account names", account_names(options)),
        ("console", options.console.as_str().to_owned()),
    ];
    let mut text = format!("route {}\n", route.name);
    for (label, value) in lines {
        text.push_str(&format!("  {label:<14} {value}\n"));
    }
    text
}

/// Lists what is due when, as the variables have it.
fn all<T: ToString>(times: &[T]) -> String {
    let times: Vec<String> = times.iter().map(ToString::to_string).collect();
    list(&times, String::as_str, "never")
}

fn quiet_hours(hours: Option<&QuietHours>) -> String {
    hours.map_or("none".to_owned(), |hours| {
        let (start, end) = (hours.span.start, hours.span.end);
        let span = format!("{}-{}", start.strftime("%H:%M"), end.strftime("%H:%M"));
        format!("{span} for {}", levels(&hours.levels))
    })
}

fn account_names(options: &RenderOptions) -> String {
    let names: Vec<String> = (options.accounts.names.iter())
        .map(|(id, name)| format!("{id}={name}"))
        .collect();
    list(&names, String::as_str, "none")
}

fn mentions(options: &RenderOptions) -> String {
    let mentions = &options.mentions;
    let count = mentions.mobiles.len() + mentions.user_ids.len();
    if count == 0 && !mentions.all {
        return "nobody".to_owned();
    }
    let all = if mentions.all { "everybody and " } else { "" };
    let people = counted(count, "person", "people");
    format!("{all}{people} for {}", levels(&options.mention_levels))
}

fn levels(levels: &[Level]) -> String {
    list(levels, |level| level.as_str(), "none")
}

fn list<T>(items: &[T], text: impl Fn(&T) -> &str, if_empty: &str) -> String {
    match items {
        [] => if_empty.to_owned(),
        _ => items.iter().map(text).collect::<Vec<_>>().join(","),
    }
}
