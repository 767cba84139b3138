//! System events of instances, read from the API's JSON:
//! <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeinstancehistoryevents>.
//!
//! In spite of its name the call also lists what is still to come. Reasons and attributes are
//! foreign text, as that of events that arrive.

use super::answer::read;
use super::member::{list, member, object, text};
use super::{Answer, Api, ApiError, Call, Credentials, ECS, Page};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::time::Instant;

const ACTION: &str = "DescribeInstanceHistoryEvents";

/// The parameters with the statuses that are asked for: those of events that have not ended. A call
/// without them lists only events that have.
const STATUSES: [(&str, &str); 3] = [
    ("InstanceEventCycleStatus.1", "Scheduled"),
    ("InstanceEventCycleStatus.2", "Inquiring"),
    ("InstanceEventCycleStatus.3", "Executing"),
];

/// The most events of one page: the call takes no more.
const MAX_RESULTS: usize = 100;

/// The most pages that are read of one list.
const MAX_PAGES: usize = 50;

/// The most events that a list with a further page may have: a server may ignore
/// [`MAX_RESULTS`].
const MAX_EVENTS: usize = MAX_PAGES * MAX_RESULTS;

/// The longest token of a next page. Encoded it is up to three times as long, and must fit into a
/// request line.
const MAX_TOKEN: usize = 2000;

/// The most attributes that are kept. The API knows 15 that are plain.
const MAX_ATTRIBUTES: usize = 30;

/// The longest name of an attribute.
const MAX_NAME: usize = 64;

/// A system event of an instance as the API tells it. No text is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemEvent {
    /// `e-…`. Where the API tells none: instance, kind and planned time, with blanks in between.
    pub id: String,
    pub instance_id: Option<String>,
    /// `SystemMaintenance.Reboot`; may be one that nobody has heard of.
    pub kind: String,
    /// `Scheduled`, `Inquiring` or `Executing`
    pub status: String,
    /// `2026-11-20T06:32:31Z`, but not checked to be a time.
    pub published: Option<String>,
    /// The planned time, not checked to be one.
    pub not_before: Option<String>,
    pub reason: Option<String>,
    /// What else is told in plain members: `DiskId`, `Device`. Each name is there once. Numbers and
    /// flags are written as text.
    pub attributes: Vec<(String, String)>,
}

impl SystemEvent {
    /// Reads an element of the list. `None` for what has ended, and for what lacks a type or a
    /// status, or both its id and its instance: nobody could act on it.
    fn read(value: &Value) -> Option<SystemEvent> {
        let value = value.as_object()?;
        let name = |member| text(object(value, member)?, "Name");
        let kind = name("EventType")?;
        // Also if the server does not heed what was asked for.
        let is_asked = |status: &String| STATUSES.iter().any(|(_, asked)| asked == status);
        let status = name("EventCycleStatus").filter(is_asked)?;
        let instance_id = text(value, "InstanceId");
        let not_before = text(value, "NotBefore");
        let made_up = || {
            let time = not_before.as_deref().unwrap_or_default();
            let id = format!("{} {kind} {time}", instance_id.as_deref()?);
            Some(id.trim_end().to_owned())
        };
        let id = text(value, "EventId").or_else(made_up)?;
        Some(SystemEvent {
            published: text(value, "EventPublishTime"),
            reason: text(value, "Reason"),
            attributes: object(value, "ExtendedAttribute").map_or(Vec::new(), attributes),
            id,
            instance_id,
            kind,
            status,
            not_before,
        })
    }
}

/// Returns the plain members of an object, in both spellings under the usual one.
fn attributes(told: &Map<String, Value>) -> Vec<(String, String)> {
    let plain = told.iter().filter_map(|(name, value)| {
        let (first, rest) = name.split_at_checked(1)?;
        let usual = format!("{}{rest}", first.to_ascii_uppercase());
        if name.len() > MAX_NAME || (usual != *name && told.contains_key(&usual)) {
            return None;
        }
        let value = match value {
            Value::String(_) => text(told, name)?,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return None,
        };
        Some((usual, value))
    });
    plain.take(MAX_ATTRIBUTES).collect()
}

/// Reads one page of the list of system events that have not ended.
///
/// # Errors
///
/// What the API refused, or that this is no answer of the API. No text of it holds any of the
/// `secrets`.
pub fn read_system_events(
    answer: &Answer,
    secrets: &[&str],
) -> Result<Page<SystemEvent>, ApiError> {
    read_page(&read(answer, ACTION, secrets)?)
}

fn read_page(answer: &Map<String, Value>) -> Result<Page<SystemEvent>, ApiError> {
    let elements = list(answer, "InstanceSystemEventSet", "InstanceSystemEventType");
    let next = match member(answer, "NextToken") {
        None | Some(Value::Null) => None,
        Some(Value::String(token)) if token.len() <= MAX_TOKEN => {
            Some(token.clone()).filter(|token| !token.is_empty())
        }
        // As if it were the last page, the others would be missing unnoticed.
        Some(_) => return Err(not_the_api("the token of the next page is none")),
    };
    Ok(Page {
        elements: elements.iter().filter_map(SystemEvent::read).collect(),
        next,
    })
}

fn not_the_api(why: &str) -> ApiError {
    ApiError::not_the_api(ACTION, why.to_owned())
}

impl Api {
    /// Asks for the system events of instances in `region` that have not ended: those that are
    /// `Scheduled`, `Inquiring` or `Executing`. Each is there once. All calls end at `deadline`, a
    /// time of the clock.
    ///
    /// # Errors
    ///
    /// The first call that fails ends this, and so does a list without an end: what comes out is
    /// never a part of a list. If `region` is no region's id, nothing is asked.
    pub fn describe_system_events(
        &self,
        region: &str,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<SystemEvent>, ApiError> {
        collect(|token| {
            let mut parameters = vec![
                ("RegionId", region.to_owned()),
                ("MaxResults", MAX_RESULTS.to_string()),
            ];
            parameters.extend(STATUSES.map(|(name, status)| (name, status.to_owned())));
            parameters.extend(token.map(|token| ("NextToken", token.to_owned())));
            let call = Call {
                endpoint: &self.ecs,
                region,
                version: ECS,
                action: ACTION,
                parameters,
            };
            read_page(&self.send(&call, credentials, deadline)?)
        })
    }
}

/// Asks for page after page until the list ends. Returns each event once.
fn collect(
    mut ask: impl FnMut(Option<&str>) -> Result<Page<SystemEvent>, ApiError>,
) -> Result<Vec<SystemEvent>, ApiError> {
    let mut found: Vec<SystemEvent> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let Page { elements, next } = ask(token.as_deref())?;
        let (known, is_empty) = (found.len(), elements.is_empty());
        let is_new = |event: &SystemEvent| seen.insert(event.id.clone());
        found.extend(elements.into_iter().filter(is_new));
        // A server that repeats itself has nothing to add. After an empty page others may come.
        let is_repeated = found.len() == known && (!is_empty || next == token);
        if next.is_none() || is_repeated {
            return Ok(found);
        }
        if found.len() > MAX_EVENTS {
            break;
        }
        token = next;
    }
    Err(not_the_api("the list does not end"))
}

#[cfg(test)]
mod tests;
