//! Which resource an event is about.

use super::field::text;
use serde_json::{Map, Value};

/// Kinds of resources whose ids are in an event's data: `instanceId`, `diskId`, ….
const KINDS: [&str; 6] = ["instance", "disk", "snapshot", "eni", "image", "group"];

/// An Alibaba Cloud resource name: `acs:ecs:cn-hangzhou:1234:instance/i-x`.
pub(super) struct Arn<'a> {
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    kind: &'a str,
    id: &'a str,
}

impl Arn<'_> {
    /// Parses one; returns `None` for texts that only look like one.
    pub(super) fn parse(text: &str) -> Option<Arn<'_>> {
        let parts: Vec<&str> = text.splitn(5, ':').collect();
        let ["acs", _product, region, account, resource] = parts[..] else {
            return None;
        };
        let (kind, id) = resource.split_once('/')?;
        let not_empty = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        Some(Arn {
            region: not_empty(region),
            account: not_empty(account),
            kind,
            id: id.rsplit_once('/').map_or(id, |(_, last)| last),
        })
    }

    /// Returns id and kind, unless the id is a placeholder such as `<resource-id>`.
    fn resource(&self) -> Option<(String, Option<String>)> {
        let is_placeholder = self.id.is_empty() || self.id.starts_with('<');
        (!is_placeholder).then(|| (self.id.to_owned(), Some(self.kind.to_owned())))
    }
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
    let by_kind = |kind: &str| {
        let id = text(details, &format!("{kind}Id"))?;
        Some((id, Some(kind.to_owned())))
    };
    let own = match name.split(':').next()? {
        "Instance" | "CloudAssistant" => by_kind("instance"),
        "Disk" => by_kind("disk"),
        "Snapshot" => by_kind("snapshot"),
        "NetworkInterface" => by_kind("eni"),
        "Image" => by_kind("image"),
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
            Some(arn) if arn.id == id => (id, Some(arn.kind.to_owned())),
            _ => (id, kind),
        })
        .or_else(|| arn?.resource())
        .or_else(|| KINDS.into_iter().find_map(by_kind))
}

/// Returns the kind of a resource type: `instance` for `ALIYUN::ECS::Instance`.
fn kind_of_type(details: &Map<String, Value>) -> Option<String> {
    let last = text(details, "resourceType")?
        .rsplit("::")
        .next()?
        .to_ascii_lowercase();
    Some(match last.as_str() {
        "networkinterface" => "eni".to_owned(),
        _ => last,
    })
}

/// Returns the name of the resource in the event's data.
pub(super) fn name(kind: Option<&str>, details: &Map<String, Value>) -> Option<String> {
    let has_name = |kind: &&str| ["disk", "snapshot", "eni", "image"].contains(kind);
    let kind = kind.filter(has_name).unwrap_or("instance");
    text(details, &format!("{kind}Name"))
}
