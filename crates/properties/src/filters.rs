//! Filters that can do something: every pattern that the configuration accepts lets at least one
//! conceivable event pass, and what excludes leaves at least one.

use ecs_dingtalk_notifier::event::{self, Event, Known, Level, known_names, region::REGIONS};
use ecs_dingtalk_notifier::route::{Filter, Pattern, QuietHours, decide};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Checks the filter of one route of a valid configuration.
pub(crate) fn check(filter: &Filter) {
    for pattern in &filter.include {
        let only = Filter {
            include: vec![pattern.clone()],
            ..Filter::default()
        };
        assert_passes(&only, &named(pattern), pattern);
    }
    for pattern in &filter.exclude {
        let only = Filter {
            exclude: vec![pattern.clone()],
            ..all()
        };
        assert_held_back(&only, &named(pattern), pattern);
    }
    let exclude = Filter {
        exclude: filter.exclude.clone(),
        ..all()
    };
    let names = known_names().chain(["Brand:New", "x"]).map(str::to_owned);
    let events: Vec<_> = names.flat_map(events_called).collect();
    assert!(passes(&exclude, &events), "{:?}", filter.exclude);

    for pattern in &filter.accounts {
        let accounts = spellings(pattern).filter(|text| is(text, |b| b.is_ascii_digit()));
        let events = accounts.flat_map(|text| event(json!({ "aliyunaccountid": text })));
        let only = Filter {
            accounts: vec![pattern.clone()],
            ..all()
        };
        assert_passes(&only, &events.collect::<Vec<_>>(), pattern);
    }
    for pattern in &filter.regions {
        let known = REGIONS.iter().map(|region| region.id.to_owned());
        let regions = spellings(pattern).filter(|text| is_region(text));
        let events = known.chain(regions);
        let events = events.flat_map(|text| event(json!({ "aliyunregionid": text })));
        let only = Filter {
            regions: vec![pattern.clone()],
            ..all()
        };
        assert_passes(&only, &events.collect::<Vec<_>>(), pattern);
    }
    for pattern in filter.resources.iter().chain(&filter.resources_exclude) {
        let events: Vec<_> = spellings(pattern).flat_map(named_resource).collect();
        let only = Filter {
            resources: vec![pattern.clone()],
            ..all()
        };
        assert_passes(&only, &events, pattern);
        let but = Filter {
            resources_exclude: vec![pattern.clone()],
            ..all()
        };
        assert_held_back(&but, &events, pattern);
        assert!(passes(&but, &event(json!({}))), "an event of no resource");
    }
    for pattern in filter.tags.iter().chain(&filter.tags_exclude) {
        let events: Vec<_> = spellings(pattern).flat_map(|text| tagged(&text)).collect();
        let only = Filter {
            tags: vec![pattern.clone()],
            ..all()
        };
        assert_passes(&only, &events, pattern);
        let but = Filter {
            tags_exclude: vec![pattern.clone()],
            ..all()
        };
        assert_held_back(&but, &events, pattern);
        assert!(passes(&but, &event(json!({}))), "an event without tags");
    }
    filter.quiet_hours.iter().for_each(quiet);
}

/// A filter that lets everything pass.
fn all() -> Filter {
    Filter {
        levels: Level::ALL.to_vec(),
        ..Filter::default()
    }
}

/// In quiet hours some events wait, and at another time they do not.
fn quiet(hours: &QuietHours) {
    let filter = Filter {
        quiet_hours: Some(hours.clone()),
        ..all()
    };
    assert!(!hours.levels.is_empty());
    for level in &hours.levels {
        let events = event(json!({ "data": { "level": level.as_str() } }));
        let minutes = (0..24 * 60).map(|minute| Timestamp::from_second(minute * 60));
        let times: Vec<Timestamp> = minutes.filter_map(Result::ok).collect();
        let sent = times.iter().filter(|now| {
            let decide = |event: &Arc<Event>| decide(&filter, event, **now).send;
            events.iter().any(decide)
        });
        let sent = sent.count();
        assert!(0 < sent && sent < times.len(), "{hours:?}");
    }
}

fn assert_passes(filter: &Filter, events: &[Arc<Event>], pattern: &Pattern) {
    assert!(passes(filter, events), "{pattern:?} lets nothing pass");
}

fn assert_held_back(filter: &Filter, events: &[Arc<Event>], pattern: &Pattern) {
    let held_back = |event: &Arc<Event>| !decide(filter, event, Timestamp::UNIX_EPOCH).send;
    assert!(events.iter().any(held_back), "{pattern:?} excludes nothing");
}

fn passes(filter: &Filter, events: &[Arc<Event>]) -> bool {
    let passes = |event: &Arc<Event>| decide(filter, event, Timestamp::UNIX_EPOCH).send;
    events.iter().any(passes)
}

/// Events whose name the pattern was written for.
fn named(pattern: &Pattern) -> Vec<Arc<Event>> {
    spellings(pattern).flat_map(events_called).collect()
}

/// Events of this name, or of the part before the last colon in the status behind it.
fn events_called(name: String) -> Vec<Arc<Event>> {
    let whole = event(json!({ "type": format!("ecs:{name}") }));
    let with_status = name.rsplit_once(':').map(|(name, status)| {
        event(json!({ "type": format!("ecs:{name}"), "data": { "eventStatus": status } }))
    });
    let flat = json!({ "product": "ECS", "name": name, "id": "1" });
    whole
        .into_iter()
        .chain(with_status.into_iter().flatten())
        .chain(event::parse(flat.to_string().as_bytes()).events)
        .collect()
}

/// Events of a resource with this id, and of one with this name.
fn named_resource(text: String) -> Vec<Arc<Event>> {
    // Not in the event's data, where a text that looks like a secret is hidden.
    let flat = json!({ "product": "ECS", "name": "Brand:New", "id": "1", "instanceName": text });
    let named = event::parse(flat.to_string().as_bytes()).events;
    let mut events = event(json!({ "data": { "instanceId": text } }));
    events.extend(named);
    events
}

/// An event of a resource with this tag, `key=value`.
fn tagged(tag: &str) -> Option<Arc<Event>> {
    let (key, value) = tag.split_once('=')?;
    let known = Known {
        tags: vec![(key.to_owned(), value.to_owned())],
        ..Known::default()
    };
    let mut event = Event::clone(event(json!({})).first()?);
    event.known = Some(Arc::new(known));
    Some(Arc::new(event))
}

/// The event of a payload that has these fields besides the usual ones.
fn event(fields: Value) -> Vec<Arc<Event>> {
    let mut payload = json!({ "type": "ecs:Brand:New", "source": "acs.ecs", "id": "1" });
    for (name, value) in fields.as_object().into_iter().flatten() {
        payload[name] = value.clone();
    }
    event::parse(payload.to_string().as_bytes()).events
}

/// Texts that a pattern matches.
fn spellings(pattern: &Pattern) -> impl Iterator<Item = String> {
    let mut marked: Vec<String> = ["x", "1"]
        .map(|mark| pattern.as_str().replace('?', mark))
        .to_vec();
    // A region's id holds a hyphen, which any one of them may stand for.
    for (at, _) in pattern.as_str().match_indices('?') {
        let (before, behind) = pattern.as_str().split_at(at);
        marked.push(format!("{before}-{}", &behind[1..]).replace('?', "x"));
    }
    let stars = ["", "x", "x-x", "1", "xx-"];
    let spell = move |marked: String| stars.map(|star| marked.replace('*', star));
    marked.into_iter().flat_map(spell)
}

fn is(text: &str, kind: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(kind)
}

/// Returns true if a text has the form of a region's id.
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    parts
        .next()
        .is_some_and(|first| is(first, |b| b.is_ascii_alphabetic()))
        && text.contains('-')
        && parts.all(|part| is(part, |b| b.is_ascii_alphanumeric()))
}
