use super::*;
use crate::event::testing;

fn event(name: &str, status: Option<&str>, level: Option<Level>) -> Event {
    Event {
        name: name.into(),
        status: status.map(Into::into),
        level,
        resource_id: Some("i-1".into()),
        resource_name: Some("web-01".into()),
        ..testing::event(1)
    }
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().copied().map(Pattern::new).collect()
}

fn serious() -> Filter {
    Filter {
        levels: vec![Level::Critical, Level::Warn],
        ..Filter::default()
    }
}

#[test]
fn a_pattern_matches_the_whole_value_in_any_letter_case() {
    for (pattern, value, expected) in [
        (
            "Instance:StateChange:Stopped",
            "instance:statechange:stopped",
            true,
        ),
        ("Disk:*", "Disk:Stalled:Executing", true),
        ("Disk:*", "MyDisk:Stalled", false),
        (
            "*:Avoided",
            "Instance:SystemMaintenance.Reboot:Avoided",
            true,
        ),
        ("*:Avoided", "Instance:SystemMaintenance.Reboot", false),
        ("web-??", "web-01", true),
        ("web-??", "web-1", false),
        ("web-??", "web-001", false),
        ("*", "", true),
        ("", "", true),
        ("", "x", false),
        ("?", "测", true),
        ("?", "\u{130}", true),
        ("größe-*", "GRÖSSE-1", false),
        ("größe-*", "GRÖẞE-1", true),
        ("Σ*ς", "σας", true),
        ("[a-z]\\*", "[A-Z]\\x", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("**a", "ba", true),
    ] {
        let pattern = Pattern::new(pattern);
        assert_eq!(pattern.matches(value), expected, "{pattern:?} {value}");
    }
    assert_eq!(Pattern::new("Disk:**").as_str(), "Disk:**");
}

#[test]
fn a_hostile_pattern_is_matched_in_time() {
    let pattern = "*a".repeat(200) + "b";
    assert!(!Pattern::new(&pattern).matches(&"a".repeat(2_000)));
}

// An event of unknown level is sent, unless the levels are `none`.
#[test]
fn levels_decide_last() {
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
        let expected = Decision {
            send,
            rule: "EVENT_LEVELS",
        };
        let decision = decide(&filter, &event("A:B", None, level));
        assert_eq!(decision, expected, "{level:?}");
    }
}

#[test]
fn the_order_of_conditions_is_fixed() {
    let stopped = event("Instance:StateChange", Some("Stopped"), Some(Level::Info));
    let mut filter = serious();
    let rule = |filter: &Filter| {
        let d = decide(filter, &stopped);
        (d.send, d.rule)
    };
    assert_eq!(rule(&filter), (false, "EVENT_LEVELS"));
    filter.include = patterns(&["Instance:StateChange:Stopped"]);
    assert_eq!(rule(&filter), (true, "EVENT_INCLUDE"));
    filter.resources = patterns(&["db-*"]);
    assert_eq!(rule(&filter), (false, "EVENT_RESOURCES"));
    filter.regions = patterns(&["cn-beijing"]);
    assert_eq!(rule(&filter), (false, "EVENT_REGIONS"));
    filter.resources_exclude = patterns(&["i-*"]);
    assert_eq!(rule(&filter), (false, "EVENT_RESOURCES_EXCLUDE"));
    filter.exclude = patterns(&["*:stopped"]);
    assert_eq!(rule(&filter), (false, "EVENT_EXCLUDE"));
}

// Names match with and without status, resources by id and by name.
#[test]
fn patterns_match_either_form_of_name_and_resource() {
    let stopped = event("Instance:StateChange", Some("Stopped"), Some(Level::Info));
    for include in [
        "Instance:StateChange",
        "instance:*:stopped",
        "Instance:StateChange:Sto?ped",
    ] {
        let filter = Filter {
            include: patterns(&[include]),
            ..serious()
        };
        assert!(decide(&filter, &stopped).send, "{include}");
    }
    for resource in ["i-1", "WEB-*"] {
        let filter = Filter {
            resources: patterns(&[resource]),
            include: patterns(&["*"]),
            ..serious()
        };
        assert!(decide(&filter, &stopped).send, "{resource}");
    }
}

#[test]
fn a_disk_is_found_by_the_name_of_its_instance_too() {
    let mut stalled = event("Disk:Stalled", Some("Executing"), Some(Level::Critical));
    stalled.resource_id = Some("d-1".into());
    stalled.resource_name = None;
    stalled
        .details
        .insert("ecsInstanceName".into(), "db-01".into());
    for (resource, send) in [("db-*", true), ("d-1", true), ("web-*", false)] {
        let filter = Filter {
            resources: patterns(&[resource]),
            ..serious()
        };
        assert_eq!(decide(&filter, &stalled).send, send, "{resource}");
    }
}

#[test]
fn an_event_without_region_and_resource_is_not_held_back() {
    let mut bare = event("A:B", None, Some(Level::Critical));
    bare.region = None;
    bare.resource_id = None;
    bare.resource_name = None;
    let filter = Filter {
        regions: patterns(&["cn-beijing"]),
        resources: patterns(&["db-*"]),
        resources_exclude: patterns(&["*"]),
        ..serious()
    };
    assert!(decide(&filter, &bare).send);
}
