//! Instances and disks, and how the service shows them.

use crate::system_event::SystemEvent;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The resources of one account in one region.
#[derive(Default)]
pub(crate) struct Fleet {
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) disks: BTreeMap<String, Disk>,
    pub(crate) events: BTreeMap<String, SystemEvent>,
}

/// An instance. A new one runs in a VPC with one private address and is paid by use.
#[derive(Debug, Clone)]
pub struct Instance(Map<String, Value>);

/// A disk. A new one is detached.
#[derive(Debug, Clone)]
pub struct Disk(Map<String, Value>);

/// Returns a JSON object as a map.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn add_tag(resource: &mut Map<String, Value>, key: &str, value: &str) {
    let tags = resource
        .entry("Tags")
        .or_insert_with(|| json!({ "Tag": [] }));
    if let Some(list) = tags["Tag"].as_array_mut() {
        list.push(json!({ "TagKey": key, "TagValue": value }));
    }
}

impl Instance {
    /// Creates an instance whose name is its id, as it is by default.
    pub fn new(id: &str) -> Instance {
        Instance(object(json!({
            "InstanceId": id,
            "InstanceName": id,
            "HostName": "example",
            "Description": "",
            "Status": "Running",
            "ZoneId": "cn-hangzhou-h",
            "InstanceType": "ecs.g7.large",
            "InstanceTypeFamily": "ecs.g7",
            "Cpu": 2,
            "Memory": 8192,
            "OSName": "Alibaba Cloud Linux 3.2104 LTS 64 bit",
            "InstanceChargeType": "PostPaid",
            "ExpiredTime": "2099-12-31T15:59Z",
            "CreationTime": "2025-01-31T03:20Z",
            "AutoReleaseTime": "",
            "ResourceGroupId": "",
            "InstanceNetworkType": "vpc",
            "VpcAttributes": {
                "VpcId": "vpc-bp1exampleexample0001",
                "NatIpAddress": "",
                "PrivateIpAddress": { "IpAddress": ["192.0.2.10"] },
            },
            "PublicIpAddress": { "IpAddress": [] },
            "EipAddress": { "AllocationId": "", "IpAddress": "", "InternetChargeType": "" },
            "InnerIpAddress": { "IpAddress": [] },
            "NetworkInterfaces": { "NetworkInterface": [] },
            "SecurityGroupIds": { "SecurityGroupId": ["sg-bp1exampleexample0001"] },
            "OperationLocks": { "LockReason": [] },
            "DeletionProtection": false,
        })))
    }

    /// Sets the name.
    pub fn name(self, name: &str) -> Instance {
        self.with("InstanceName", json!(name))
    }

    /// Sets the private addresses.
    pub fn private(self, addresses: &[&str]) -> Instance {
        let vpc = json!({ "PrivateIpAddress": { "IpAddress": addresses } });
        self.with("VpcAttributes", vpc)
    }

    /// Sets the public addresses that are not elastic.
    pub fn public(self, addresses: &[&str]) -> Instance {
        self.with("PublicIpAddress", json!({ "IpAddress": addresses }))
    }

    /// Sets the elastic address.
    pub fn elastic(self, address: &str) -> Instance {
        self.with(
            "EipAddress",
            json!({ "IpAddress": address, "Bandwidth": 5 }),
        )
    }

    /// Adds a tag. Without one, `Tags` is missing.
    pub fn tag(mut self, key: &str, value: &str) -> Instance {
        add_tag(&mut self.0, key, value);
        self
    }

    /// Makes it a subscription until this time: `2027-01-31T16:00Z`.
    pub fn paid_until(self, time: &str) -> Instance {
        self.with("InstanceChargeType", json!("PrePaid"))
            .with("ExpiredTime", json!(time))
    }

    /// Sets a member as the service shows it.
    pub fn with(mut self, member: &str, value: Value) -> Instance {
        self.0.insert(member.to_owned(), value);
        self
    }

    /// Leaves a member out.
    pub fn without(mut self, member: &str) -> Instance {
        self.0.remove(member);
        self
    }

    pub(crate) fn id(&self) -> &str {
        self.0["InstanceId"].as_str().unwrap_or_default()
    }

    pub(crate) fn shown(&self, region: &str) -> Value {
        let mut shown = self.0.clone();
        shown.insert("RegionId".to_owned(), json!(region));
        Value::Object(shown)
    }
}

impl Disk {
    /// Creates a disk whose name is its id.
    pub fn new(id: &str) -> Disk {
        Disk(object(json!({
            "DiskId": id,
            "DiskName": id,
            "InstanceId": "",
            "Attachments": { "Attachment": [] },
            "Type": "data",
            "Category": "cloud_essd",
            "Size": 200,
            "Status": "Available",
            "ZoneId": "cn-hangzhou-h",
            "ResourceGroupId": "",
            "DiskChargeType": "PostPaid",
        })))
    }

    /// Sets the name.
    pub fn name(self, name: &str) -> Disk {
        self.with("DiskName", json!(name))
    }

    /// Attaches it to these instances. With several, `InstanceId` stays empty.
    pub fn attached(self, instances: &[&str]) -> Disk {
        let attachments: Vec<Value> = instances
            .iter()
            .map(|id| json!({ "InstanceId": id, "Device": "/dev/xvdb" }))
            .collect();
        let only = match instances {
            [id] => id,
            _ => "",
        };
        self.with("Attachments", json!({ "Attachment": attachments }))
            .with("InstanceId", json!(only))
            .with("Status", json!("In_use"))
    }

    /// Adds a tag. Without one, `Tags` is missing.
    pub fn tag(mut self, key: &str, value: &str) -> Disk {
        add_tag(&mut self.0, key, value);
        self
    }

    /// Sets a member as the service shows it.
    pub fn with(mut self, member: &str, value: Value) -> Disk {
        self.0.insert(member.to_owned(), value);
        self
    }

    pub(crate) fn id(&self) -> &str {
        self.0["DiskId"].as_str().unwrap_or_default()
    }

    pub(crate) fn shown(&self, region: &str) -> Value {
        let mut shown = self.0.clone();
        shown.insert("RegionId".to_owned(), json!(region));
        Value::Object(shown)
    }
}
