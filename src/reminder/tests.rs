use super::*;
use crate::config::Config;
use crate::event::LookupHealth;
use crate::testing;
use serde_json::json;

const HOOK: &str = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef";
/// 09:00 in Shanghai.
const NINE: &str = "2026-11-26T01:00:00Z";

fn at(utc: &str) -> Timestamp {
    utc.parse().unwrap()
}

fn tick(utc: &str) -> Tick {
    Tick {
        at: at(utc),
        every: SignedDuration::from_hours(1),
    }
}

fn routes(vars: &[(&str, &str)]) -> Vec<Route> {
    let vars = [&[("DINGTALK_WEBHOOK", HOOK)], vars].concat();
    let vars = vars.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    Config::from_vars(vars).unwrap().routes
}

fn planned(id: &str, status: &str, start: &str) -> Arc<Event> {
    let mut event = testing::event(1);
    event.id = Some(id.into());
    event.status = Some(status.into());
    event.details.insert("notBefore".into(), json!(start));
    Arc::new(event)
}

fn ids(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event.id.as_deref())
        .collect()
}

const EVERYTHING: [(&str, &str); 3] = [
    ("MESSAGE_DIGEST_AT", "09:00"),
    ("MESSAGE_REMIND_BEFORE", "24h,2h"),
    ("MESSAGE_HEARTBEAT_AT", "10:00"),
];

#[test]
fn what_is_due_on_any_route_is_due() {
    let routes = routes(&EVERYTHING);
    let due = |time: &str| Due::at(tick(time), &routes, at(time));
    let only_reminders = Due {
        reminders: true,
        ..Due::default()
    };
    assert_eq!(due("2026-11-26T00:00:00Z"), only_reminders);
    assert!(due(NINE).digest && !due(NINE).heartbeat);
    assert!(due("2026-11-26T02:00:00Z").heartbeat);
}

#[test]
fn after_a_day_nothing_is_due_any_more() {
    let routes = routes(&EVERYTHING);
    let due = |now: &str| Due::at(tick(NINE), &routes, at(now));
    assert!(due("2026-11-27T01:00:00Z").digest);
    assert!(due("2026-11-27T01:00:01Z").is_nothing());
    // A clock that is behind makes no tick old.
    assert!(due("2026-11-25T00:00:00Z").digest);
}

#[test]
fn reminders_come_before_the_digest_each_with_its_own_id() {
    let routes = routes(&EVERYTHING);
    let maintenance = [
        planned("e-1", "Executing", "2026-11-26T02:30:00Z"),
        planned("e-2", "Scheduled", "2026-11-26T03:00:00Z"),
        planned("e-3", "Inquiring", "2026-11-27T00:30:00Z"),
        planned("e-4", "Scheduled", "2026-11-27T01:00:01Z"),
        planned("e-5", "Scheduled", "soon"),
    ];
    let due = Due::at(tick(NINE), &routes, at(NINE));
    let events = events(&maintenance, due, tick(NINE), &routes);
    assert_eq!(
        ids(&events),
        [
            "e-2 reminder 2h 2026-11-26T01:00:00Z",
            "e-3 reminder 24h 2026-11-26T01:00:00Z",
            "e-1 digest 2026-11-26T01:00:00Z",
            "e-2 digest 2026-11-26T01:00:00Z",
            "e-3 digest 2026-11-26T01:00:00Z",
            "e-4 digest 2026-11-26T01:00:00Z",
            "e-5 digest 2026-11-26T01:00:00Z",
        ]
    );
    // All else is as it was.
    let keys: BTreeSet<u128> = events.iter().map(Event::dedup_key).collect();
    assert_eq!(keys.len(), events.len());
    assert_eq!(events[0].details, maintenance[1].details);
}

#[test]
fn the_next_is_what_has_not_begun() {
    let maintenance = [
        planned("e-1", "Executing", "2026-11-26T00:30:00Z"),
        planned("e-2", "Scheduled", "2026-11-26T03:00:00Z"),
    ];
    let found = next(&maintenance, at(NINE)).unwrap();
    assert_eq!(found.id.as_deref(), Some("e-2"));
    assert_eq!(next(&maintenance[..1], at(NINE)), None);
}

#[test]
fn own_events_are_known_to_the_catalog() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let unknown = |time| maintenance_unknown(AccessError::NoRole, tick(time), &zone);
    let first = unknown("2026-11-26T15:00:00Z");
    assert_eq!(first.level, Some(crate::event::Level::Warn));
    assert_eq!(first.id.as_deref(), Some("maintenance-unknown 2026-11-26"));
    assert_ne!(first.id, unknown("2026-11-26T16:00:00Z").id);
    let vitals = Vitals {
        version: "1",
        routes: Vec::new(),
        since: at(NINE),
        delivered: 0,
        filtered: 0,
        failed: 0,
        lookups: LookupHealth::Off,
        clock_ahead: None,
        upcoming: None,
    };
    let alive = heartbeat(vitals, tick(NINE));
    assert_eq!(alive.level, Some(crate::event::Level::Info));
    assert_eq!(alive.id.as_deref(), Some("heartbeat 2026-11-26T01:00:00Z"));
}
