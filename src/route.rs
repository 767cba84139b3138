//! The filter of one group: which events it gets, and which variable decided.

use crate::channel::dingtalk::Endpoint;
use crate::event::{Event, Level, Value};
use crate::glob::Glob;
use crate::message::Style;

/// Which events one group gets, through which chatbot, and how they look.
#[derive(Debug, Clone)]
pub struct Route {
    /// `default`, or the name behind `__` in lower case.
    pub name: String,
    /// What the variables of this route end with: empty for `default`, else `__NAME`.
    pub suffix: String,
    /// Which events it takes.
    pub filter: Filter,
    /// The group's chatbot.
    pub endpoint: Endpoint,
    /// A second chatbot of the same group.
    pub fallback: Option<Endpoint>,
    /// Language, zone, keyword and mentions.
    pub style: Style,
}

/// What one route lets through. Empty lists mean "no such condition".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// `EVENT_LEVELS`; empty is `none`.
    pub levels: Vec<Level>,
    /// `EVENT_INCLUDE`: sent whatever the level.
    pub include: Vec<Glob>,
    /// `EVENT_EXCLUDE`: never sent.
    pub exclude: Vec<Glob>,
    /// `EVENT_REGIONS`.
    pub regions: Vec<Glob>,
    /// `EVENT_RESOURCES`.
    pub resources: Vec<Glob>,
    /// `EVENT_RESOURCES_EXCLUDE`.
    pub resources_exclude: Vec<Glob>,
}

/// What became of an event at a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the route takes the event.
    pub send: bool,
    /// The variable that decided, without the route's suffix.
    pub rule: &'static str,
}

/// Decides whether `filter` takes `event`; the first condition that decides wins.
///
/// An event that tells no region (or no resource) is not held back by a condition on regions (or
/// resources): it cannot be known not to belong, and silence would be the worse mistake.
pub fn decide(filter: &Filter, event: &Event) -> Decision {
    let named = |globs: &[Glob]| {
        !globs.is_empty() && {
            let full_name = event.full_name();
            globs
                .iter()
                .any(|g| g.matches(&event.name) || g.matches(&full_name))
        }
    };
    // A disk's event names the disk and the instance that it is attached to.
    let told = |key: &str| event.details.get(key).and_then(Value::as_str);
    let resource = [
        event.resource_id.as_deref(),
        event.resource_name.as_deref(),
        told("instanceName"),
        told("ecsInstanceName"),
    ];
    let about = |globs: &[Glob]| {
        globs
            .iter()
            .any(|g| resource.iter().flatten().any(|value| g.matches(value)))
    };
    let drop = |rule| Decision { send: false, rule };
    let send = |rule| Decision { send: true, rule };

    if named(&filter.exclude) {
        return drop("EVENT_EXCLUDE");
    }
    if about(&filter.resources_exclude) {
        return drop("EVENT_RESOURCES_EXCLUDE");
    }
    if let Some(region) = &event.region
        && !filter.regions.is_empty()
        && !filter.regions.iter().any(|g| g.matches(region))
    {
        return drop("EVENT_REGIONS");
    }
    if !filter.resources.is_empty()
        && resource.iter().any(Option::is_some)
        && !about(&filter.resources)
    {
        return drop("EVENT_RESOURCES");
    }
    if named(&filter.include) {
        return send("EVENT_INCLUDE");
    }
    let wanted = match event.level {
        Some(level) => filter.levels.contains(&level),
        None => !filter.levels.is_empty(),
    };
    Decision {
        send: wanted,
        rule: "EVENT_LEVELS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, status: Option<&str>, level: Option<Level>) -> Event {
        Event {
            source: "acs.ecs".into(),
            id: Some("1".into()),
            name: name.into(),
            status: status.map(Into::into),
            level,
            product: Some("ECS".into()),
            resource_id: Some("i-1".into()),
            resource_kind: Some("instance".into()),
            resource_name: Some("web-01".into()),
            region: Some("cn-hangzhou".into()),
            account: None,
            time: None,
            envelope_time: None,
            titles: Default::default(),
            details: Default::default(),
        }
    }

    fn globs(patterns: &[&str]) -> Vec<Glob> {
        patterns.iter().map(|p| Glob::new(p)).collect()
    }

    fn serious() -> Filter {
        Filter {
            levels: vec![Level::Critical, Level::Warn],
            ..Filter::default()
        }
    }

    #[test]
    fn levels_decide_last_and_an_unknown_level_is_sent_unless_none() {
        for (levels, level, send) in [
            (vec![Level::Critical], Some(Level::Critical), true),
            (vec![Level::Critical], Some(Level::Warn), false),
            (vec![Level::Critical], None, true),
            (vec![], None, false),
            (vec![], Some(Level::Critical), false),
        ] {
            let filter = Filter {
                levels,
                ..Filter::default()
            };
            let decision = decide(&filter, &event("A:B", None, level));
            assert_eq!(
                decision,
                Decision {
                    send,
                    rule: "EVENT_LEVELS"
                },
                "{level:?}"
            );
        }
    }

    #[test]
    fn the_order_of_decision_is_fixed() {
        let stopped = event("Instance:StateChange", Some("Stopped"), Some(Level::Info));
        let mut filter = serious();
        let rule = |filter: &Filter| {
            let d = decide(filter, &stopped);
            (d.send, d.rule)
        };
        assert_eq!(rule(&filter), (false, "EVENT_LEVELS"));
        filter.include = globs(&["Instance:StateChange:Stopped"]);
        assert_eq!(rule(&filter), (true, "EVENT_INCLUDE"));
        filter.resources = globs(&["db-*"]);
        assert_eq!(rule(&filter), (false, "EVENT_RESOURCES"));
        filter.regions = globs(&["cn-beijing"]);
        assert_eq!(rule(&filter), (false, "EVENT_REGIONS"));
        filter.resources_exclude = globs(&["i-*"]);
        assert_eq!(rule(&filter), (false, "EVENT_RESOURCES_EXCLUDE"));
        filter.exclude = globs(&["*:stopped"]);
        assert_eq!(rule(&filter), (false, "EVENT_EXCLUDE"));
    }

    #[test]
    fn patterns_see_the_name_with_and_without_status_and_the_resource_by_id_and_name() {
        let stopped = event("Instance:StateChange", Some("Stopped"), Some(Level::Info));
        for include in [
            "Instance:StateChange",
            "instance:*:stopped",
            "Instance:StateChange:Sto?ped",
        ] {
            let filter = Filter {
                include: globs(&[include]),
                ..serious()
            };
            assert!(decide(&filter, &stopped).send, "{include}");
        }
        for resource in ["i-1", "WEB-*"] {
            let filter = Filter {
                resources: globs(&[resource]),
                include: globs(&["*"]),
                ..serious()
            };
            assert!(decide(&filter, &stopped).send, "{resource}");
        }
    }

    #[test]
    fn the_event_of_a_disk_is_found_by_the_name_of_its_instance_too() {
        let mut stalled = event("Disk:Stalled", Some("Executing"), Some(Level::Critical));
        stalled.resource_id = Some("d-1".into());
        stalled.resource_name = None;
        stalled.details.insert("ecsInstanceName", "db-01".into());
        for (resource, send) in [("db-*", true), ("d-1", true), ("web-*", false)] {
            let filter = Filter {
                resources: globs(&[resource]),
                ..serious()
            };
            assert_eq!(decide(&filter, &stalled).send, send, "{resource}");
        }
    }

    #[test]
    fn an_event_without_region_or_resource_is_not_held_back_by_them() {
        let mut bare = event("A:B", None, Some(Level::Critical));
        bare.region = None;
        bare.resource_id = None;
        bare.resource_name = None;
        let filter = Filter {
            regions: globs(&["cn-beijing"]),
            resources: globs(&["db-*"]),
            resources_exclude: globs(&["*"]),
            ..serious()
        };
        assert!(decide(&filter, &bare).send);
    }
}
