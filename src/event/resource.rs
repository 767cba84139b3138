//! Which resource an event is about.

use super::field::text;
use serde_json::{Map, Value};

/// An Alibaba Cloud resource name: `acs:ecs:cn-hangzhou:1234:instance/i-x`.
pub(super) struct Arn<'a> {
    pub(super) region: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    kind: &'a str,
    id: &'a str,
}

impl Arn<'_> {
    /// Parses one; returns `None` for texts that only look like one.
    pub(super) fn parse(text: &str) -> Option<Arn<'_>> {
        let mut parts = text.splitn(5, ':');
        if parts.next() != Some("acs") {
            return None;
        }
        let _product = parts.next()?;
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (region, account) = (part(), part());
        let (kind, id) = parts.next()?.split_once('/')?;
        Some(Arn {
            region,
            account,
            kind,
            id: id.rsplit('/').next().unwrap_or(id),
        })
    }

    /// Returns the resource, unless its id is a placeholder such as `<resource-id>`.
    fn resource(&self) -> Option<Resource> {
        let is_placeholder = self.id.is_empty() || self.id.starts_with('<');
        (!is_placeholder).then(|| Resource {
            id: self.id.to_owned(),
            kind: Some(self.kind.to_owned()),
        })
    }
}

/// Id and kind of a resource.
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) kind: Option<String>,
}

/// Keys that hold ids, and the kind of resource that they name.
const IDS: [(&str, &str); 6] = [
    ("instanceId", "instance"),
    ("diskId", "disk"),
    ("snapshotId", "snapshot"),
    ("eniId", "eni"),
    ("imageId", "image"),
    ("groupId", "group"),
];

/// Returns the resource of an event: by the id that fits its name or `resourceId` in its data, else
/// by its ARN, else by any id in its data.
///
/// The id that fits the name comes first because of `Instance:VSwitchChanged`, whose ARN is that of
/// a network interface.
pub(super) fn find(
    name: &str,
    arn: Option<&Arn>,
    details: &Map<String, Value>,
) -> Option<Resource> {
    let by = |(key, kind): &(&str, &str)| {
        Some(Resource {
            id: text(details.get(*key))?,
            kind: Some((*kind).to_owned()),
        })
    };
    let own = match name.split(':').next().unwrap_or_default() {
        "Instance" | "CloudAssistant" => "instanceId",
        "Disk" => "diskId",
        "Snapshot" => "snapshotId",
        "NetworkInterface" => "eniId",
        "Image" => "imageId",
        _ => "",
    };
    let own_id = IDS.iter().find(|(key, _)| *key == own).and_then(by);
    let known = |id: String, kind: Option<String>| Resource {
        kind: arn
            .filter(|arn| arn.id == id)
            .map(|arn| arn.kind.to_owned())
            .or(kind),
        id,
    };
    own_id
        .map(|own| known(own.id, own.kind))
        .or_else(|| {
            let id = text(details.get("resourceId"))?;
            match Arn::parse(&id) {
                Some(other) => other.resource(),
                None => Some(known(id, kind_of_type(details))),
            }
        })
        .or_else(|| arn.and_then(Arn::resource))
        .or_else(|| IDS.iter().find_map(by))
}

/// Returns the kind of a resource type: `instance` for `ALIYUN::ECS::Instance`.
fn kind_of_type(details: &Map<String, Value>) -> Option<String> {
    let kind = text(details.get("resourceType"))?;
    let last = kind.rsplit("::").next()?.to_ascii_lowercase();
    Some(match last.as_str() {
        "networkinterface" => "eni".to_owned(),
        _ => last,
    })
}

/// Returns the name of the resource in the event's data.
pub(super) fn name(kind: Option<&str>, details: &Map<String, Value>) -> Option<String> {
    let key = match kind {
        Some("disk") => "diskName",
        Some("snapshot") => "snapshotName",
        Some("eni") => "eniName",
        Some("image") => "imageName",
        _ => "instanceName",
    };
    text(details.get(key))
}
