//! An answer of Alibaba Cloud's API: resources, system events or an error, all bounded, and no text
//! of an error holds an identity. Beside it, what an event may put into a request: parameters and
//! regions.

use crate::answer::split;
use ecs_dingtalk_notifier::aliyun::{
    Answer, ApiError, Disk, Endpoint, ErrorKind, Instance, Page, Resource, SystemEvent, query,
    read_page, read_system_events,
};
use ecs_dingtalk_notifier::http::Uri;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

/// Id, secret and token: they replace the bytes 1, 2 and 3 of a body, and must not come out again.
const SECRETS: [&str; 3] = [
    "STS.NVq7hp2vx9lk4tz8wm",
    "8wmQ4tz9lkR2vx7hpS",
    "CAIS9lk4tz8wm7hp2vx+/q7hp2vx9lk4tz8wm==",
];
/// So many characters of a secret are a leak.
const PART: usize = 12;
/// What is asked for.
const ASKED: [&str; 4] = [
    "i-1",
    "i-bp1exampleexample0001",
    "d-1",
    "d-bp1exampleexample0001",
];
const MAX_CHARS: usize = 256;
/// The statuses of events that have not ended.
const STATUSES: [&str; 3] = ["Scheduled", "Inquiring", "Executing"];

/// Checks an answer. The first line holds the status and, after a blank, the header
/// `x-acs-retry-after` if there is one; the rest is the body. Without a status it is 200, and all
/// bytes are the body. The same bytes are also read as parameters of a call (`NAME=VALUE&…`), as a
/// region and as an endpoint.
pub fn check(input: &[u8]) {
    check_resources::<Instance>(input, |instance| {
        check_name(&instance.id, &instance.name, &instance.tags);
        let Instance {
            private_addresses,
            public_addresses,
            ..
        } = instance;
        for addresses in [private_addresses, public_addresses] {
            assert!(addresses.len() <= 21);
            assert!(addresses.iter().all(|text| text.parse::<IpAddr>().is_ok()));
        }
        let texts = [
            &instance.instance_type,
            &instance.zone,
            &instance.resource_group,
        ];
        texts
            .into_iter()
            .flatten()
            .for_each(|text| check_text(text));
    });
    check_resources::<Disk>(input, |disk| {
        check_name(&disk.id, &disk.name, &disk.tags);
        assert!(disk.instance_ids.len() <= 50);
        let is_id = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(disk.instance_ids.iter().all(|id| id.chars().all(is_id)));
    });
    let read = |answer: &Answer| read_system_events(answer, &SECRETS);
    check_page(input, 2000, read, check_system_events);
    let text = String::from_utf8_lossy(input);
    check_query(&text);
    check_region(&text);
    check_endpoint(&text);
}

fn check_resources<T: Resource + Debug + PartialEq>(input: &[u8], check_resource: impl Fn(&T)) {
    let read = |answer: &Answer| read_page::<T>(answer, &ASKED, &SECRETS);
    check_page(input, 512, read, |resources, _| {
        let ids: BTreeSet<&str> = resources.iter().map(T::id).collect();
        assert_eq!(ids.len(), resources.len(), "each once");
        assert!(
            ids.iter().all(|id| ASKED.contains(id)),
            "none but those asked for"
        );
        resources.iter().for_each(&check_resource);
    });
}

/// Reads a page twice. Checks its elements together with the JSON that they come from.
fn check_page<T: Debug + PartialEq>(
    input: &[u8],
    max_token: usize,
    read: impl Fn(&Answer) -> Result<Page<T>, ApiError>,
    check_elements: impl Fn(&[T], &Value),
) {
    let (status, retry_after, body) = split(input);
    let body: Vec<u8> = body
        .iter()
        .flat_map(|byte| match byte {
            1..=3 => SECRETS[usize::from(byte - 1)].as_bytes(),
            _ => std::slice::from_ref(byte),
        })
        .copied()
        .collect();
    let answer = Answer {
        status,
        retry_after: retry_after.as_deref(),
        body: &body,
    };
    let result = read(&answer);
    assert_eq!(read(&answer), result);
    match result {
        Ok(Page { elements, next }) => {
            assert!((200..300).contains(&status));
            let value: Value = serde_json::from_slice(&body).expect("a success is JSON");
            assert!(value.get("RequestId").or(value.get("requestId")).is_some());
            assert!(next.is_none_or(|token| (1..=max_token).contains(&token.len())));
            check_elements(&elements, &value);
        }
        Err(error) => check_error(&error, status, &String::from_utf8_lossy(input)),
    }
}

fn check_error(error: &ApiError, status: u16, input: &str) {
    let (kind, code) = (error.kind, error.code.as_deref());
    let family = code.map(|code| code.split('.').next().unwrap_or_default());
    let is_throttled = family.map_or(status == 429, |family| family == "Throttling");
    assert_eq!(matches!(kind, ErrorKind::Throttled { .. }), is_throttled);
    assert_eq!(
        kind == ErrorKind::Expired,
        code == Some("InvalidSecurityToken.Expired")
    );
    if let ErrorKind::Throttled {
        retry_after: Some(time),
    } = kind
    {
        assert!(time >= Duration::from_millis(1) && time <= Duration::from_secs(3600));
    }
    if code.is_none() {
        assert!(is_throttled || kind == ErrorKind::Unreachable, "{error:?}");
    }
    let remedy = error.remedy();
    for text in [&error.detail, &remedy] {
        assert!(!text.is_empty() && text.chars().count() <= 300, "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let texts = format!("{error:?} {error} {remedy}");
    for secret in SECRETS {
        let parts = [secret.get(..PART), secret.get(secret.len() - PART..)];
        // A part that stands in the input by itself is none of our doing.
        for part in parts
            .into_iter()
            .flatten()
            .filter(|part| !input.contains(part))
        {
            assert!(!texts.contains(part), "{texts}");
        }
    }
}

fn check_name(id: &str, name: &Option<String>, tags: &[(String, String)]) {
    assert_ne!(name.as_deref(), Some(id), "the default name is none");
    name.iter().for_each(|name| check_text(name));
    assert!(tags.len() <= 50);
    for (key, value) in tags {
        check_text(key);
        assert!(value.chars().count() <= MAX_CHARS);
    }
}

fn check_text(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= MAX_CHARS);
}

/// Checks that none but those that have not ended is there, and that none of them is missing that
/// says what it needs.
fn check_system_events(events: &[SystemEvent], answer: &Value) {
    for event in events {
        assert!(!event.id.is_empty() && event.id.chars().count() <= 3 * MAX_CHARS + 2);
        assert!(STATUSES.contains(&event.status.as_str()), "{event:?}");
        let optional = [
            &event.instance_id,
            &event.published,
            &event.not_before,
            &event.reason,
        ];
        let texts = optional.into_iter().flatten().chain([&event.kind]);
        texts.for_each(|text| check_text(text));
        assert!(event.attributes.len() <= 30);
        let names: BTreeSet<&str> = event.attributes.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names.len(), event.attributes.len(), "each once");
        for (name, value) in &event.attributes {
            assert!((1..=64).contains(&name.len()));
            check_text(value);
        }
    }
    let list = answer.pointer("/InstanceSystemEventSet/InstanceSystemEventType");
    for told in list.and_then(Value::as_array).into_iter().flatten() {
        let text = |path: &str| told.pointer(path).and_then(Value::as_str);
        let (id, kind) = (text("/EventId"), text("/EventType/Name"));
        let is_open = text("/EventCycleStatus/Name").is_some_and(|name| STATUSES.contains(&name));
        let is_said = |text: &&str| !text.trim().is_empty();
        if let (Some(id), Some(_), true) = (id.filter(is_said), kind.filter(is_said), is_open) {
            let id: String = id.trim().chars().take(MAX_CHARS).collect();
            assert!(events.iter().any(|event| event.id == id), "{id}");
        }
    }
}

/// Encodes parameters as forms are, and mends where signatures differ from forms.
fn check_query(text: &str) {
    let pairs: Vec<(&str, &str)> = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let encoded = query(&pairs);
    let mut sorted: Vec<(Vec<u8>, Vec<u8>)> = pairs
        .iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    sorted.sort();
    let mend = |bytes: &[u8]| -> String {
        let form: String = form_urlencoded::byte_serialize(bytes).collect();
        form.replace('+', "%20")
            .replace('*', "%2A")
            .replace("%7E", "~")
    };
    let expected: Vec<String> = sorted
        .iter()
        .map(|(name, value)| format!("{}={}", mend(name), mend(value)))
        .collect();
    assert_eq!(encoded, expected.join("&"));
    // The HTTP library changes none of it.
    if encoded.len() < 60_000 {
        let uri: Uri = format!("https://h.example/?{encoded}")
            .parse()
            .expect("an address");
        assert_eq!(uri.query(), Some(encoded.as_str()));
    }
}

/// An event's region decides a label of the host and nothing else.
fn check_region(region: &str) {
    for (endpoint, product) in [(Endpoint::ecs(), "ecs"), (Endpoint::sts(), "sts")] {
        let Some(url) = endpoint.url(region) else {
            continue;
        };
        let uri: Uri = url.parse().expect("an address");
        let host = uri.host().expect("a host");
        let usual = format!("{product}.{region}.aliyuncs.com");
        let central = format!("{product}.aliyuncs.com");
        assert!(host == usual || host == central, "{url}");
        assert_eq!(url, format!("https://{host}"));
        assert!(region.len() <= 64 && !region.contains(|c: char| !c.is_ascii()));
    }
}

fn check_endpoint(text: &str) {
    match Endpoint::parse(text) {
        Ok(endpoint) => {
            assert_eq!(endpoint.url("../"), None);
            let url = endpoint.url("cn-hangzhou").expect("a region");
            let uri: Uri = url.parse().expect("an address");
            assert!(
                uri.host().is_some() && uri.path() == "/" && uri.query().is_none(),
                "{url}"
            );
            assert!(url.starts_with("https://") || url.starts_with("http://"));
            let again = Endpoint::parse(&endpoint.to_string());
            assert_eq!(again, Ok(endpoint));
        }
        Err(problem) => assert!(problem.contains("write https://") && problem.len() < 300),
    }
}
