//! What came back from a call: a value or an [`ApiError`].

use super::error::Denial;
use super::member::{list, member, object, text};
use super::{ApiError, Credentials, Resource, Source};
use crate::http::redact;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// The longest code of an error.
const MAX_CODE: usize = 100;

/// The longest token of a next page: together with a hundred ids it must fit into a request line.
const MAX_TOKEN: usize = 512;

/// Longer pauses are no use to whoever waits.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// An HTTP response that was read to its end.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    /// The header `x-acs-retry-after`, in milliseconds.
    pub retry_after: Option<&'a str>,
    pub body: &'a [u8],
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Those that were asked for, in the order of the answer.
    pub elements: Vec<T>,
    /// The token of the next page.
    pub next: Option<String>,
}

impl<T: Resource> Page<T> {
    /// Takes each of those that were asked for once.
    pub(super) fn read(answer: &Map<String, Value>, asked: &[&str]) -> Page<T> {
        let (outer, inner) = T::LIST;
        let mut elements: Vec<T> = Vec::new();
        for resource in list(answer, outer, inner).iter().filter_map(T::read) {
            let id = resource.id();
            // Nobody asked for others, and memory for them is not set aside.
            if asked.contains(&id) && !elements.iter().any(|known| known.id() == id) {
                elements.push(resource);
            }
        }
        let token = member(answer, "NextToken").and_then(Value::as_str);
        let next = token.filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN);
        Page {
            elements,
            next: next.map(str::to_owned),
        }
    }
}

/// Reads one page of the list of `T`, of which the ids in `asked` were asked for. Takes each
/// once.
///
/// # Errors
///
/// What the API refused, or that this is no answer of the API. No text of it holds any of the
/// `secrets`.
pub fn read_page<T: Resource>(
    answer: &Answer,
    asked: &[&str],
    secrets: &[&str],
) -> Result<Page<T>, ApiError> {
    let answer = read(answer, T::ACTION, secrets)?;
    Ok(Page::read(&answer, asked))
}

/// Reads the JSON object of a success.
pub(super) fn read(
    answer: &Answer,
    action: &'static str,
    secrets: &[&str],
) -> Result<Map<String, Value>, ApiError> {
    let Answer { status, body, .. } = *answer;
    let value = serde_json::from_slice(body).unwrap_or_default();
    let object = match value {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let is_safe = |code: &String| {
        let mut secrets = secrets.iter().filter(|secret| !secret.is_empty());
        is_code(code) && !secrets.any(|secret| code.contains(secret))
    };
    let code = text(&object, "Code").or_else(|| xml_code(body));
    match code.filter(is_safe) {
        Some(code) => Err(refusal(answer, action, code, &object, secrets)),
        // Every answer of the API has its own id. A page of something in between has none, and
        // must not look like an empty list.
        None if (200..300).contains(&status) && member(&object, "RequestId").is_some() => {
            Ok(object)
        }
        None if status == 429 => Err(ApiError::throttled(action, retry_after(answer))),
        None => {
            let detail = format!("HTTP {status}, but no answer of the API");
            Err(ApiError::not_the_api(action, detail))
        }
    }
}

/// Reads what the API refused.
fn refusal(
    answer: &Answer,
    action: &'static str,
    code: String,
    body: &Map<String, Value>,
    secrets: &[&str],
) -> ApiError {
    let denial = object(body, "AccessDeniedDetail").map(|told| {
        // Whatever else it holds names accounts and users.
        let word = |name| text(told, name).filter(|text| is_word(text));
        Denial {
            action: word("AuthAction"),
            reason: word("NoPermissionType"),
        }
    });
    let mut detail = format!("HTTP {}, {code}", answer.status);
    // Not yet cut: half of a secret could remain.
    let message = member(body, "Message").and_then(Value::as_str);
    if let Some(message) = message.filter(|_| has_harmless_message(action, &code)) {
        detail = format!("{detail}: {message}");
    }
    ApiError::coded(
        action,
        code,
        retry_after(answer),
        redact(&detail, secrets),
        denial,
    )
}

/// Returns true if the message beside this code repeats parameters at most, none of which is an
/// account. Others name accounts and roles, and that of `SignatureDoesNotMatch` quotes the headers,
/// token included.
fn has_harmless_message(action: &str, code: &str) -> bool {
    let harmless = [
        "InternalError",
        "InvalidParameter",
        "MissingParameter",
        "ServiceUnavailable",
        "Throttling",
    ];
    action != "AssumeRole" && harmless.iter().any(|start| code.starts_with(start))
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let ms: u64 = answer.retry_after?.trim().parse().ok()?;
    (ms > 0).then(|| Duration::from_millis(ms).min(MAX_RETRY_AFTER))
}

/// Returns the code in an error of the API in XML, which some gateways write.
fn xml_code(body: &[u8]) -> Option<String> {
    let body = str::from_utf8(body).ok()?;
    let (_, error) = body.split_once("<Error>")?;
    let (_, code) = error.split_once("<Code>")?;
    let (code, _) = code.split_once("</Code>")?;
    Some(code.trim().to_owned())
}

/// Returns true for codes: `InvalidSecurityToken.Expired`.
fn is_code(text: &str) -> bool {
    text.len() <= MAX_CODE
        && (text.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Returns true for names of actions and of reasons: `ecs:DescribeInstances`, `ImplicitDeny`.
fn is_word(text: &str) -> bool {
    text.len() <= MAX_CODE
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b':')
}

/// Reads the identity of an assumed role, and when it ends.
pub(super) fn read_credentials(answer: &Map<String, Value>) -> Option<(Credentials, Timestamp)> {
    let given = object(answer, "Credentials")?;
    // Unlike names, a token must not be cut.
    let part = |name| member(given, name)?.as_str();
    let credentials = Credentials::temporary(
        part("AccessKeyId")?,
        part("AccessKeySecret")?,
        part("SecurityToken")?,
        Source::AssumedRole,
    )?;
    Some((credentials, part("Expiration")?.parse().ok()?))
}

#[cfg(test)]
mod tests;
