//! Which resource an event is about, and where and whose it is.

use super::catalog::is_api_call;
use super::field::{string, text};
use serde_json::{Map, Value};

/// Kinds of resources whose ids are in an event's data: `instanceId`, `diskId`, ….
pub(super) const KINDS: [&str; 6] = ["instance", "disk", "snapshot", "eni", "image", "group"];

/// An Alibaba Cloud resource name: `acs:ecs:cn-hangzhou:1234:instance/i-x`. What is a placeholder
/// in it is absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub(super) region: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    kind: &'a str,
    id: Option<&'a str>,
}

impl Arn<'_> {
    /// Parses one; returns `None` for texts that only look like one.
    ///
    /// The documentation of EventBridge prints `acs.ecs:cn-hangzhou:1234:215672`: it has region and
    /// account, but no resource.
    pub(super) fn parse(text: &str) -> Option<Arn<'_>> {
        let place = match text.trim().strip_prefix("acs:") {
            Some(rest) => rest.split_once(':')?.1,
            None => text.trim().strip_prefix("acs.")?.split_once(':')?.1,
        };
        let mut parts = place.splitn(3, ':');
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let (kind, id) = resource.split_once('/').unwrap_or_default();
        Some(Arn {
            region: told(region),
            account: told(account),
            kind,
            id: told(id.rsplit_once('/').map_or(id, |(_, last)| last)),
        })
    }

    /// Returns true if this is the id of the resource.
    pub(super) fn names(&self, id: &str) -> bool {
        self.id == Some(id)
    }

    /// Returns id and kind of the resource.
    pub(super) fn resource(&self) -> Option<(String, Option<String>)> {
        Some((self.id?.to_owned(), Some(kind_in_words(self.kind))))
    }
}

/// Returns the part of an ARN, unless it is a placeholder: `<resource-id>`, `*` or masked.
fn told(part: &str) -> Option<&str> {
    let is_placeholder = part.trim().is_empty() || part.starts_with('<') || part.contains('*');
    (!is_placeholder).then_some(part)
}

/// Returns id and kind of an event's resource: by the id that fits its name or `resourceId` in its
/// data, else by its ARN, else by any id in its data.
///
/// The id that fits the name comes first because of `Instance:VSwitchChanged`, whose ARN is that of
/// a network interface.
pub(super) fn find(
    name: &str,
    arn: Option<&Arn>,
    details: &Map<String, Value>,
) -> Option<(String, Option<String>)> {
    let by_arn = || arn?.resource();
    let by_kind = |kind: &str| {
        let id = text(details, &format!("{kind}Id"))?;
        // CloudMonitor writes 0 for no group.
        (id != "0").then(|| (id, Some(kind.to_owned())))
    };
    let own = match name.split(':').next()? {
        "Instance" | "CloudAssistant" => by_kind("instance"),
        "Disk" => by_kind("disk"),
        "Snapshot" => by_kind("snapshot"),
        "NetworkInterface" => by_kind("eni"),
        "Image" => by_kind("image"),
        _ if is_api_call(name) => by_arn().or_else(|| first_referenced(details)),
        _ => None,
    };
    let by_resource_id = || {
        let id = text(details, "resourceId")?;
        match Arn::parse(&id) {
            Some(arn) => arn.resource(),
            None => Some((id, kind_of_type(details))),
        }
    };
    own.or_else(by_resource_id)
        .map(|(id, kind)| match arn {
            Some(arn) if arn.names(&id) => (id, Some(kind_in_words(arn.kind))),
            _ => (id, kind),
        })
        .or_else(by_arn)
        .or_else(|| KINDS.into_iter().find_map(by_kind))
}

/// Returns the first resource that the record of an API call refers to:
/// `{"ACS::ECS::Disk": ["d-x"]}`.
fn first_referenced(details: &Map<String, Value>) -> Option<(String, Option<String>)> {
    let referenced = details.get("referencedResources")?.as_object()?;
    let (kind, id) = referenced.iter().find_map(|(kind, ids)| {
        let id = match ids {
            Value::Array(ids) => ids.iter().find_map(Value::as_str),
            other => other.as_str(),
        };
        Some((kind, id.filter(|id| !id.trim().is_empty())?))
    })?;
    Some((id.to_owned(), Some(kind_in_words(kind))))
}

/// Returns the kind of a resource type: `instance` for `ALIYUN::ECS::Instance`.
fn kind_of_type(details: &Map<String, Value>) -> Option<String> {
    string(details, "resourceType").map(kind_in_words)
}

/// Returns a kind as ARNs of ECS have it: `disk` for `Disk` and for `ACS::ECS::Disk`.
fn kind_in_words(kind: &str) -> String {
    let last = kind.rsplit_once("::").map_or(kind, |(_, last)| last);
    if last.eq_ignore_ascii_case("networkinterface") {
        return "eni".to_owned();
    }
    last.to_ascii_lowercase()
}

/// Returns the name of the resource in the event's data.
pub(super) fn name(kind: Option<&str>, details: &Map<String, Value>) -> Option<String> {
    let has_name = |kind: &&str| ["disk", "snapshot", "eni", "image"].contains(kind);
    let kind = kind.filter(has_name).unwrap_or("instance");
    text(details, &format!("{kind}Name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<[Option<&str>; 3]> {
        Arn::parse(text).map(|arn| [arn.region, arn.account, arn.id])
    }

    #[test]
    fn an_arn_tells_region_account_and_resource() {
        for (text, expected) in [
            (
                "acs:ecs:cn-a:1:instance/i-1",
                [Some("cn-a"), Some("1"), Some("i-1")],
            ),
            (
                "acs:ecs:cn-a:1:eni/x/eni-1",
                [Some("cn-a"), Some("1"), Some("eni-1")],
            ),
            ("acs:ecs:cn-a::disk/d-1", [Some("cn-a"), None, Some("d-1")]),
            ("acs:ecs::1:disk/d-1", [None, Some("1"), Some("d-1")]),
            ("acs:ecs:cn-a:1:215672", [Some("cn-a"), Some("1"), None]),
            ("acs.ecs:cn-a:1:215672", [Some("cn-a"), Some("1"), None]),
            (" acs.ecs:cn-a:1:a/b ", [Some("cn-a"), Some("1"), Some("b")]),
        ] {
            assert_eq!(parts(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "acs",
            "acs:",
            "acs:ecs:cn-a:1",
            "acs.ecs:cn-a:1",
            "ecs:cn-a:1:a/b",
            "i-1",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn placeholders_in_an_arn_are_absent() {
        for (text, expected) in [
            (
                "acs:ecs:cn-a:1:instance/<resource-id>",
                [Some("cn-a"), Some("1"), None],
            ),
            ("acs:ecs:*:*:*", [None, None, None]),
            (
                "acs:ecs:<region>:<account>:instance/i-1",
                [None, None, Some("i-1")],
            ),
            (
                "acs:ecs:cn-a:16***04:instance/i-b***2",
                [Some("cn-a"), None, None],
            ),
            ("acs:ecs: : :instance/", [None, None, None]),
        ] {
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }
}
