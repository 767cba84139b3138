//! What an invocation is about: events, or the tick of a timer.

use crate::event::{self, EventTime, ParseError, Parsed};
use crate::schedule::{Tick, parse_duration};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// The time between two ticks where the payload of the timer says nothing else.
const DEFAULT_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The longest time between two ticks.
const MAX_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What a payload is.
#[derive(Debug)]
pub enum Trigger {
    /// A timer's event is the whole payload.
    Tick(Tick),
    /// Anything else.
    Events(Parsed),
}

/// Parses a payload.
pub fn parse(payload: &[u8]) -> Trigger {
    let mut parsed = event::parse(payload);
    let Some(timer) = parsed.timer.take() else {
        return Trigger::Events(parsed);
    };
    match tick(&timer) {
        Ok(tick) => Trigger::Tick(tick),
        Err(error) => Trigger::Events(Parsed {
            errors: vec![error],
            ..Parsed::default()
        }),
    }
}

/// Reads the event of Function Compute's timer trigger:
/// <https://www.alibabacloud.com/help/en/functioncompute/fc/time-triggers>.
///
/// Its `payload` is the text that the trigger is configured with. What is no JSON, or names no task
/// or another one, is a tick all the same: one timer is all that this function has.
fn tick(timer: &Map<String, Value>) -> Result<Tick, ParseError> {
    let fault = |path: &str, problem: String| ParseError {
        path: path.to_owned(),
        problem,
    };
    let at = timer.get("triggerTime").and_then(EventTime::parse);
    let Some(EventTime::At(at)) = at else {
        let problem = "not the time of a timer's event, such as 2026-11-25T00:00:00Z".to_owned();
        return Err(fault("$.triggerTime", problem));
    };
    let payload = timer.get("payload").cloned();
    let payload = event::into_object(payload, "payload");
    let every = match payload.get("every") {
        None | Some(Value::Null) => DEFAULT_EVERY,
        Some(every) => every
            .as_str()
            .and_then(|text| parse_duration(text.trim()))
            .filter(|every| *every <= MAX_EVERY)
            .ok_or_else(|| {
                let problem = "not the time between two ticks; in the payload of the timer trigger write 1m to 24h, as its schedule has it: {\"task\":\"tick\",\"every\":\"10m\"}";
                fault("$.payload.every", problem.to_owned())
            })?,
    };
    Ok(Tick {
        at: whole_minute(at),
        every,
    })
}

/// A timer ticks at whole minutes, and its event may name a second behind. Spans from minute to
/// minute leave no gap.
fn whole_minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(timer: &Value) -> Trigger {
        parse(timer.to_string().as_bytes())
    }

    fn timer(payload: Value) -> Value {
        json!({"triggerTime": "2026-11-25T00:00:00Z", "triggerName": "tick", "payload": payload})
    }

    fn every(payload: Value) -> SignedDuration {
        match parsed(&timer(payload.clone())) {
            Trigger::Tick(tick) => tick.every,
            Trigger::Events(parsed) => panic!("{payload}: {:?}", parsed.errors),
        }
    }

    #[test]
    fn whatever_its_payload_says_a_timers_event_is_a_tick() {
        for payload in [
            json!(""),
            json!("{\"task\":\"tick\"}"),
            json!("{\"task\":\"digest\",\"more\":[1]}"),
            json!("awake!"),
            json!("[]"),
            json!("{"),
            json!(null),
            json!({"task": "tick"}),
        ] {
            assert_eq!(every(payload.clone()), DEFAULT_EVERY, "{payload}");
        }
        let mut without = timer(json!(""));
        without.as_object_mut().unwrap().remove("payload");
        assert!(matches!(parsed(&without), Trigger::Tick(_)));
    }

    #[test]
    fn the_payload_may_name_the_time_between_ticks() {
        for (text, minutes) in [("1m", 1), ("10m", 10), ("24h", 1440), ("1d", 1440)] {
            let payload = json!({"task": "tick", "every": text}).to_string();
            assert_eq!(every(json!(payload)), SignedDuration::from_mins(minutes));
        }
        for odd in [
            json!("25h"),
            json!("0m"),
            json!("hourly"),
            json!(10),
            json!("30s"),
        ] {
            let payload = json!({"task": "tick", "every": odd}).to_string();
            let Trigger::Events(parsed) = parsed(&timer(json!(payload))) else {
                panic!("{odd}");
            };
            assert_eq!(parsed.errors[0].path, "$.payload.every");
        }
    }

    #[test]
    fn a_tick_is_of_the_whole_minute_that_its_time_names() {
        for (time, expected) in [
            ("2026-11-25T00:00:00Z", "2026-11-25T00:00:00Z"),
            ("2026-11-25T08:00:59.999+08:00", "2026-11-25T00:00:00Z"),
        ] {
            let mut timer = timer(json!(""));
            timer["triggerTime"] = json!(time);
            let Trigger::Tick(tick) = parsed(&timer) else {
                panic!("{time}");
            };
            assert_eq!(tick.at, expected.parse().unwrap());
        }
        for odd in [json!("soon"), json!(null), json!({})] {
            let mut timer = timer(json!(""));
            timer["triggerTime"] = odd;
            let Trigger::Events(parsed) = parsed(&timer) else {
                panic!("{timer}");
            };
            assert_eq!(parsed.errors[0].path, "$.triggerTime");
        }
    }

    #[test]
    fn an_event_that_has_a_timers_members_is_an_event() {
        let mut event = timer(json!(""));
        event["type"] = json!("ecs:Instance:StateChange");
        event["source"] = json!("acs.ecs");
        let Trigger::Events(parsed) = parsed(&event) else {
            panic!("a tick");
        };
        assert_eq!(parsed.events.len(), 1);
    }

    #[test]
    fn a_tick_in_a_wrapper_is_left_out() {
        let tick = timer(json!(""));
        let record = json!({
            "requestContext": {"requestId": "1", "condition": "UnhandledInvocationError"},
            "requestPayload": tick,
        });
        let queue = json!({
            "id": "1", "source": "mns", "specversion": "1.0", "type": "mns:Queue:SendMessage",
            "data": {"messageBody": tick.to_string()},
        });
        let http = json!({"body": tick, "headers": {}});
        for payload in [json!([tick]), record, json!(tick.to_string()), queue, http] {
            let Trigger::Events(parsed) = parsed(&payload) else {
                panic!("{payload}");
            };
            assert_eq!(
                (parsed.events.len(), &parsed.errors[..]),
                (0, &[][..]),
                "{payload}"
            );
            assert_eq!(parsed.left_out.len(), 1);
        }
    }
}
