//! Instances and disks, read from the API's JSON:
//! <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeinstances>.
//!
//! Names and tags are chosen by whoever owns the resource: foreign text, as that of events.

use super::member::{list, object, text};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// The most addresses of each kind that are kept.
const MAX_ADDRESSES: usize = 20;

/// The most tags that are kept. The API allows 20.
const MAX_TAGS: usize = 50;

/// The most instances of one disk that are kept. The API allows 16.
const MAX_ATTACHMENTS: usize = 50;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instance {
    pub id: String,
    /// `None` also for the default name, which is the id.
    pub name: Option<String>,
    /// In a VPC or, for old ones, in the classic network. Each parses as an [`IpAddr`].
    pub private_addresses: Vec<String>,
    /// Assigned ones, then an elastic one. Each parses as an [`IpAddr`].
    pub public_addresses: Vec<String>,
    /// `ecs.g7.large`
    pub instance_type: Option<String>,
    /// `cn-hangzhou-h`
    pub zone: Option<String>,
    /// Keys and values, in the order of the answer. A value may be empty.
    pub tags: Vec<(String, String)>,
    /// The id of the resource group: `rg-…`.
    pub resource_group: Option<String>,
    /// When a subscription ends. `None` for what is paid by use: the API then reports a time too,
    /// which means nothing.
    pub expires: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    pub id: String,
    /// `None` also for the default name, which is the id.
    pub name: Option<String>,
    /// The instances that it is attached to. None if it is detached, several with multi-attach.
    pub instance_ids: Vec<String>,
    /// Keys and values, in the order of the answer. A value may be empty.
    pub tags: Vec<(String, String)>,
}

/// What the API lists by id.
pub trait Resource: Sized {
    /// The call that lists it.
    const ACTION: &'static str;
    /// The parameter with the ids, as a JSON array in one text.
    const IDS: &'static str;
    /// The members that lead to the list.
    const LIST: (&'static str, &'static str);

    /// Reads an element of the list. `None` without an id.
    fn read(value: &Value) -> Option<Self>;

    fn id(&self) -> &str;
}

impl Resource for Instance {
    const ACTION: &'static str = "DescribeInstances";
    const IDS: &'static str = "InstanceIds";
    const LIST: (&'static str, &'static str) = ("Instances", "Instance");

    fn read(value: &Value) -> Option<Instance> {
        let value = value.as_object()?;
        let id = text(value, "InstanceId")?;
        let expires = text(value, "InstanceChargeType")
            .filter(|paid| paid == "PrePaid")
            .and_then(|_| time(&text(value, "ExpiredTime")?));
        Some(Instance {
            name: text(value, "InstanceName").filter(|name| *name != id),
            private_addresses: private_addresses(value),
            public_addresses: public_addresses(value),
            instance_type: text(value, "InstanceType"),
            zone: text(value, "ZoneId"),
            tags: tags(value),
            resource_group: text(value, "ResourceGroupId"),
            expires,
            id,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Resource for Disk {
    const ACTION: &'static str = "DescribeDisks";
    const IDS: &'static str = "DiskIds";
    const LIST: (&'static str, &'static str) = ("Disks", "Disk");

    fn read(value: &Value) -> Option<Disk> {
        let value = value.as_object()?;
        let id = text(value, "DiskId")?;
        let mut instance_ids: Vec<String> = Vec::new();
        for attachment in list(value, "Attachments", "Attachment") {
            let id = attachment.as_object().and_then(|a| text(a, "InstanceId"));
            instance_ids.extend(id.filter(|id| is_id(id) && !instance_ids.contains(id)));
        }
        // With multi-attach it names any one of them, or none.
        if instance_ids.is_empty() {
            instance_ids.extend(text(value, "InstanceId").filter(|id| is_id(id)));
        }
        instance_ids.truncate(MAX_ATTACHMENTS);
        Some(Disk {
            name: text(value, "DiskName").filter(|name| *name != id),
            instance_ids,
            tags: tags(value),
            id,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// Returns true for what looks like an id of an instance or a disk: `i-bp1…`, `d-bp1…`. Nothing
/// else is asked for.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && (text.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Returns the addresses in the VPC; in the classic network, where there are none, the inner ones;
/// where neither is told, those of the network interfaces.
fn private_addresses(instance: &Map<String, Value>) -> Vec<String> {
    let vpc = object(instance, "VpcAttributes");
    let found = vpc.map_or(Vec::new(), |vpc| {
        addresses(list(vpc, "PrivateIpAddress", "IpAddress"))
    });
    if !found.is_empty() {
        return found;
    }
    let found = addresses(list(instance, "InnerIpAddress", "IpAddress"));
    if !found.is_empty() {
        return found;
    }
    let interfaces = list(instance, "NetworkInterfaces", "NetworkInterface");
    let primary = |interface: &Value| text(interface.as_object()?, "PrimaryIpAddress");
    valid(interfaces.iter().filter_map(primary))
}

fn public_addresses(instance: &Map<String, Value>) -> Vec<String> {
    let assigned = list(instance, "PublicIpAddress", "IpAddress");
    let assigned = assigned.iter().filter_map(Value::as_str);
    let elastic = object(instance, "EipAddress").and_then(|eip| text(eip, "IpAddress"));
    valid(assigned.map(str::to_owned).chain(elastic))
}

fn addresses(list: &[Value]) -> Vec<String> {
    valid(list.iter().filter_map(Value::as_str).map(str::to_owned))
}

/// Returns those that are IP addresses, each once.
fn valid(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for text in texts.take(MAX_ADDRESSES) {
        if text.parse::<IpAddr>().is_ok() && !addresses.contains(&text) {
            addresses.push(text);
        }
    }
    addresses
}

fn tags(resource: &Map<String, Value>) -> Vec<(String, String)> {
    let tag = |tag: &Value| {
        let tag = tag.as_object()?;
        Some((
            text(tag, "TagKey")?,
            text(tag, "TagValue").unwrap_or_default(),
        ))
    };
    let tags = list(resource, "Tags", "Tag").iter().filter_map(tag);
    tags.take(MAX_TAGS).collect()
}

/// Parses `2027-01-31T16:00Z`: without seconds, which other calls have.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
