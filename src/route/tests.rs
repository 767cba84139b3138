use super::*;
use crate::testing;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// 07:59:59 in Shanghai.
const NOW: Timestamp = Timestamp::constant(-1, 0);

fn event(name: &str, status: Option<&str>, level: Option<Level>) -> Event {
    Event {
        name: name.into(),
        status: status.map(Into::into),
        level,
        resource_id: Some("i-1".into()),
        resource_name: Some("web-01".into()),
        account: Some("1234567890123456".into()),
        ..testing::event(1)
    }
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().copied().map(Pattern::new).collect()
}

/// Quiet hours in Shanghai.
fn quiet(start: &str, end: &str, levels: &[Level]) -> QuietHours {
    QuietHours {
        span: DaySpan {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
        },
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        levels: levels.to_vec(),
    }
}

/// What a look-up found: a name and tags.
fn known(name: Option<&str>, tags: &[(&str, &str)]) -> Option<Arc<Known>> {
    let tags = tags
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    Some(Arc::new(Known {
        name: name.map(str::to_owned),
        tags: tags.collect(),
        ..Known::default()
    }))
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
        let decision = decide(&filter, &event("A:B", None, level), NOW);
        assert_eq!(decision, expected, "{level:?}");
    }
}

#[test]
fn the_order_of_conditions_is_fixed() {
    let stopped = Event {
        known: known(None, &[("env", "prod")]),
        ..event("Instance:StateChange", Some("Stopped"), Some(Level::Info))
    };
    let mut filter = serious();
    let rule = |filter: &Filter| {
        let d = decide(filter, &stopped, NOW);
        (d.send, d.rule)
    };
    assert_eq!(rule(&filter), (false, "EVENT_LEVELS"));
    filter.include = patterns(&["Instance:StateChange:Stopped"]);
    assert_eq!(rule(&filter), (true, "EVENT_INCLUDE"));
    filter.quiet_hours = Some(quiet("22:00", "08:00", &[Level::Info]));
    assert_eq!(rule(&filter), (false, "EVENT_QUIET_HOURS"));
    filter.tags = patterns(&["env=test"]);
    assert_eq!(rule(&filter), (false, "EVENT_TAGS"));
    filter.resources = patterns(&["db-*"]);
    assert_eq!(rule(&filter), (false, "EVENT_RESOURCES"));
    filter.regions = patterns(&["cn-beijing"]);
    assert_eq!(rule(&filter), (false, "EVENT_REGIONS"));
    filter.accounts = patterns(&["2*"]);
    assert_eq!(rule(&filter), (false, "EVENT_ACCOUNTS"));
    filter.tags_exclude = patterns(&["env=prod"]);
    assert_eq!(rule(&filter), (false, "EVENT_TAGS_EXCLUDE"));
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
        assert!(decide(&filter, &stopped, NOW).send, "{include}");
    }
    for resource in ["i-1", "WEB-*"] {
        let filter = Filter {
            resources: patterns(&[resource]),
            include: patterns(&["*"]),
            ..serious()
        };
        assert!(decide(&filter, &stopped, NOW).send, "{resource}");
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
        assert_eq!(decide(&filter, &stalled, NOW).send, send, "{resource}");
    }
}

// A network interface whose instance moved: the message shows the instance.
#[test]
fn a_resource_is_found_by_the_id_in_the_arn_too() {
    let moved = Event {
        arn_resource_id: Some("eni-1".into()),
        ..event("Instance:VSwitchChanged", None, Some(Level::Critical))
    };
    let filter = |resources: &[&str], exclude: &[&str]| Filter {
        resources: patterns(resources),
        resources_exclude: patterns(exclude),
        ..serious()
    };
    assert!(decide(&filter(&["eni-*"], &[]), &moved, NOW).send);
    assert!(!decide(&filter(&[], &["eni-1"]), &moved, NOW).send);
}

#[test]
fn a_resource_is_found_by_the_name_that_was_looked_up() {
    let unnamed = Event {
        resource_name: None,
        known: known(Some("db-03"), &[]),
        ..event("A:B", None, Some(Level::Critical))
    };
    for (resource, send) in [("DB-*", true), ("i-1", true), ("web-*", false)] {
        let filter = Filter {
            resources: patterns(&[resource]),
            ..serious()
        };
        assert_eq!(decide(&filter, &unnamed, NOW).send, send, "{resource}");
    }
}

#[test]
fn a_name_that_could_not_be_looked_up_holds_no_event_back() {
    use Lookup::{Absent, Denied, Expired, Throttled, Unreachable};
    let filter = Filter {
        resources: patterns(&["db-*"]),
        ..serious()
    };
    let unnamed = |lookup, name: Option<&str>| Event {
        resource_name: name.map(str::to_owned),
        lookup,
        ..event("A:B", None, Some(Level::Critical))
    };
    for lookup in [Denied, Expired, Throttled, Unreachable] {
        assert!(decide(&filter, &unnamed(Some(lookup), None), NOW).send);
        // A name that the event tells is the name.
        assert!(!decide(&filter, &unnamed(Some(lookup), Some("web-1")), NOW).send);
    }
    for known in [None, Some(Absent)] {
        assert!(!decide(&filter, &unnamed(known, None), NOW).send);
    }
}

// Where the tags are not known, neither filter holds an event back: an outage of the API hides no
// event.
#[test]
fn one_tag_that_matches_one_pattern_decides() {
    let tags = [("team", "payments"), ("env", "prod-1"), ("empty", "")];
    for (known, pattern, matches) in [
        (known(None, &tags), "team=payments", true),
        (known(None, &tags), "TEAM=Pay*", true),
        (known(None, &tags), "env=prod*", true),
        (known(None, &tags), "empty=", true),
        (known(None, &tags), "*=payments", true),
        (known(None, &tags), "env=prod", false),
        (known(None, &tags), "other=*", false),
        (known(None, &[]), "team=*", false),
        (None, "team=payments", true),
    ] {
        let is_known = known.is_some();
        let event = Event {
            known,
            ..event("A:B", None, Some(Level::Critical))
        };
        let filter = |tags: &[&str], exclude: &[&str]| Filter {
            tags: patterns(tags),
            tags_exclude: patterns(exclude),
            ..serious()
        };
        let sent = decide(&filter(&["x=y", pattern], &[]), &event, NOW).send;
        assert_eq!(sent, matches, "{pattern}");
        let kept = decide(&filter(&[], &["x=y", pattern]), &event, NOW).send;
        assert_eq!(kept, !matches || !is_known, "{pattern}");
    }
}

#[test]
fn an_event_that_no_look_up_could_send_is_not_worth_one() {
    let info = event("A:B", Some("C"), Some(Level::Info));
    let critical = event("A:B", Some("C"), Some(Level::Critical));
    let with = |change: &dyn Fn(&mut Filter)| {
        let mut filter = serious();
        change(&mut filter);
        filter
    };
    assert!(may_take(&serious(), &critical) && !may_take(&serious(), &info));
    for (filter, expected) in [
        (with(&|filter| filter.include = patterns(&["A:*"])), true),
        (with(&|filter| filter.exclude = patterns(&["*:C"])), false),
        (with(&|filter| filter.accounts = patterns(&["2*"])), false),
        (with(&|filter| filter.regions = patterns(&["us-*"])), false),
        // The name that is looked up may match.
        (with(&|filter| filter.resources = patterns(&["db-*"])), true),
        (with(&|filter| filter.tags = patterns(&["a=b"])), true),
    ] {
        assert_eq!(may_take(&filter, &critical), expected, "{filter:?}");
    }
    let included = with(&|filter| filter.include = patterns(&["A:*"]));
    assert!(may_take(&included, &info));
}

#[test]
fn quiet_hours_hold_back_their_levels_at_their_times() {
    let night = quiet("22:00", "08:00", &[Level::Warn, Level::Info]);
    let noon = quiet("12:00", "13:30", &[Level::Warn]);
    for (hours, time, held_back) in [
        (&night, "21:59:59", false),
        (&night, "22:00:00", true),
        (&night, "00:00:00", true),
        (&night, "07:59:59", true),
        (&night, "08:00:00", false),
        (&noon, "11:59:59", false),
        (&noon, "12:00:00", true),
        (&noon, "13:29:59", true),
        (&noon, "13:30:00", false),
        (&noon, "00:00:00", false),
    ] {
        let now: Timestamp = format!("2026-11-25T{time}+08:00").parse().unwrap();
        let filter = Filter {
            quiet_hours: Some(hours.clone()),
            include: patterns(&["*"]),
            ..serious()
        };
        let send = |level| decide(&filter, &event("A:B", None, level), now).send;
        assert_eq!(send(Some(Level::Warn)), !held_back, "{time}");
        assert!(send(None) && send(Some(Level::Critical)), "{time}");
    }
}

// 02:30 does not exist on the first day and comes twice on the second.
#[test]
fn quiet_hours_follow_the_clock_of_their_zone() {
    let hours = QuietHours {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        ..quiet("02:30", "03:30", &[Level::Critical])
    };
    let filter = Filter {
        quiet_hours: Some(hours),
        ..serious()
    };
    for (utc, send) in [
        ("2026-03-29T00:59:59Z", true),
        ("2026-03-29T01:00:00Z", false),
        ("2026-03-29T01:30:00Z", true),
        ("2026-10-25T00:30:00Z", false),
        ("2026-10-25T01:00:00Z", true),
        ("2026-10-25T01:30:00Z", false),
    ] {
        let critical = event("A:B", None, Some(Level::Critical));
        let now = utc.parse().unwrap();
        assert_eq!(decide(&filter, &critical, now).send, send, "{utc}");
    }
}

#[test]
fn an_event_that_tells_too_little_is_not_held_back() {
    let mut bare = event("A:B", None, Some(Level::Critical));
    bare.account = None;
    bare.region = None;
    bare.resource_id = None;
    bare.resource_name = None;
    let filter = Filter {
        accounts: patterns(&["2*"]),
        regions: patterns(&["cn-beijing"]),
        resources: patterns(&["db-*"]),
        resources_exclude: patterns(&["*"]),
        ..serious()
    };
    assert!(decide(&filter, &bare, NOW).send);
}

/// A route with these variables besides its webhook.
fn route(vars: &[(&str, &str)]) -> Route {
    let hook = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";
    let vars = [&[("DINGTALK_WEBHOOK", hook)], vars].concat();
    let vars = vars.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    let config = crate::config::Config::from_vars(vars).unwrap();
    config.routes.into_iter().next().unwrap()
}

#[test]
fn what_is_said_by_itself_is_decided_by_what_is_due() {
    use crate::event::AccessError;
    use crate::schedule::{Lead, Tick};
    use OccasionKind::{Digest, MaintenanceUnknown, Reminder};
    let told = |kind: OccasionKind, level: Level| {
        let tick = Tick {
            at: "2026-11-26T01:00:00Z".parse().unwrap(),
            every: jiff::SignedDuration::from_hours(1),
        };
        let mut event = event(
            "Instance:SystemMaintenance.Reboot",
            Some("Scheduled"),
            Some(level),
        );
        let start = serde_json::json!("2026-11-27T00:30:00Z");
        event.details.insert("notBefore".into(), start);
        event.occasion = Some(Box::new(Occasion { tick, kind }));
        event
    };
    let lead = |text: &str| Reminder(Lead::parse(text).unwrap());
    let unknown = || MaintenanceUnknown(AccessError::NoRole);
    let digest = ("MESSAGE_DIGEST_AT", "09:00");
    let remind = ("MESSAGE_REMIND_BEFORE", "24h");
    for (vars, kind, level, expected) in [
        (&[digest][..], Digest, Level::Warn, (true, "EVENT_LEVELS")),
        (&[digest], Digest, Level::Info, (false, "EVENT_LEVELS")),
        (
            &[digest],
            lead("24h"),
            Level::Warn,
            (false, "MESSAGE_REMIND_BEFORE"),
        ),
        (&[remind], lead("24h"), Level::Warn, (true, "EVENT_LEVELS")),
        (
            &[remind],
            lead("1h"),
            Level::Warn,
            (false, "MESSAGE_REMIND_BEFORE"),
        ),
        (&[remind], Digest, Level::Warn, (false, "MESSAGE_DIGEST_AT")),
        // No filter holds back that nobody can warn.
        (
            &[digest, ("EVENT_LEVELS", "none")],
            unknown(),
            Level::Warn,
            (true, "MESSAGE_DIGEST_AT"),
        ),
        (
            &[remind],
            unknown(),
            Level::Warn,
            (true, "MESSAGE_REMIND_BEFORE"),
        ),
        (
            &[],
            unknown(),
            Level::Warn,
            (false, "MESSAGE_REMIND_BEFORE"),
        ),
    ] {
        let (route, event) = (route(vars), told(kind, level));
        let decision = route.decide(&event, NOW);
        assert_eq!((decision.send, decision.rule), expected, "{vars:?}");
        let is_ordinary = !matches!(event.occasion.as_ref().unwrap().kind, MaintenanceUnknown(_));
        assert!(
            !is_ordinary || route.may_take(&event) == decision.send,
            "{vars:?}"
        );
    }
}
