//! The form "Whom it is about": a stand-in for the ECS API with a small fleet, and whether the
//! function's role may ask it.

use crate::chats::{MOBILES, USER_IDS};
use ecs_dingtalk_notifier::event::{self, region::REGIONS};
use fake_aliyun::{Call, Cloud, Disk, Fault, Identity, Instance};
use serde_json::{Value, json};

/// The account of the fleet.
pub const ACCOUNT: &str = "1234567890981234";
/// What the role must be allowed.
const PERMISSIONS: [&str; 3] = [
    "ecs:DescribeInstances",
    "ecs:DescribeDisks",
    "ecs:DescribeInstanceHistoryEvents",
];

type Tags = &'static [(&'static str, &'static str)];

/// An instance or a disk of the fleet.
struct Resource {
    region: &'static str,
    id: &'static str,
    name: &'static str,
    /// The private address, then the public ones.
    addresses: &'static [&'static str],
    /// The instance that a disk is attached to.
    instance: Option<&'static str>,
    tags: Tags,
}

/// The fleet: what the samples tell of these resources is true of them here.
const FLEET: [Resource; 8] = [
    instance(
        "cn-hangzhou",
        "i-bp1ecr4x7k2m9q5go2go",
        "test-host-01",
        &["10.20.0.14", "203.0.113.14"],
        &[("team", "shop"), ("env", "prod"), ("owner", MOBILES[0])],
    ),
    instance(
        "cn-hangzhou",
        "i-bp1h2k7m4q9t6w3y8c5d",
        "iZbp1h2k7m4q9t6w3y8c5dZ",
        &["192.168.1.5"],
        &[],
    ),
    instance(
        "cn-hangzhou",
        "i-bp1140abcdefghijklmn",
        "jump-host-01",
        &["10.20.0.2", "203.0.113.2"],
        &[("team", "ops"), ("env", "prod"), ("owner", USER_IDS[1])],
    ),
    instance(
        "cn-hangzhou",
        "i-bp1b64example00001",
        "shop-db-02",
        &["192.0.2.27"],
        &[("team", "shop"), ("env", "test"), ("owner", MOBILES[0])],
    ),
    disk(
        "d-t4ndyqve6h3w8z2rn4ds",
        "test-host-01-data",
        Some("i-bp1ecr4x7k2m9q5go2go"),
        &[("backup", "daily")],
    ),
    disk(
        "d-bp1bwa2n5y7s4h9ol4mi",
        "search-index-02",
        None,
        &[("team", "search"), ("env", "test")],
    ),
    instance(
        "cn-shanghai",
        "i-uf6265k8n3c9x1v0t7qt",
        "search-worker-07",
        &["10.48.0.21"],
        &[
            ("team", "search"),
            ("env", "prod"),
            ("owner", "13900000001 / manager7675"),
        ],
    ),
    // A name is nobody whom a chat can mention.
    instance(
        "cn-shanghai",
        "i-2zeg014dfo4y892z0001",
        "worker-b73",
        &["10.48.0.73"],
        &[("team", "search"), ("env", "test"), ("owner", "王小明")],
    ),
];

const fn instance(
    region: &'static str,
    id: &'static str,
    name: &'static str,
    addresses: &'static [&'static str],
    tags: Tags,
) -> Resource {
    Resource {
        region,
        id,
        name,
        addresses,
        instance: None,
        tags,
    }
}

const fn disk(
    id: &'static str,
    name: &'static str,
    instance: Option<&'static str>,
    tags: Tags,
) -> Resource {
    Resource {
        region: "cn-hangzhou",
        id,
        name,
        addresses: &[],
        instance,
        tags,
    }
}

/// Starts the stand-in with the fleet.
pub fn start() -> Cloud {
    let cloud = Cloud::start();
    for region in REGIONS {
        cloud.add_region(region.id);
    }
    for resource in &FLEET {
        let Resource {
            region, id, name, ..
        } = *resource;
        if id.starts_with("d-") {
            let disk = Disk::new(id).name(name);
            let disk = match resource.instance {
                Some(instance) => disk.attached(&[instance]),
                None => disk,
            };
            let tags = resource.tags.iter();
            let disk = tags.fold(disk, |disk, (key, value)| disk.tag(key, value));
            cloud.add_disk(ACCOUNT, region, disk);
        } else {
            let (private, public) = resource.addresses.split_at(1);
            let instance = Instance::new(id).name(name).private(private).public(public);
            let tags = resource.tags.iter();
            let instance = tags.fold(instance, |instance, (key, value)| instance.tag(key, value));
            cloud.add_instance(ACCOUNT, region, instance);
        }
    }
    cloud
}

/// Adds the instance of a burst's event number `number`.
pub fn add_instance_of(cloud: &Cloud, payload: &str, number: usize) {
    for event in event::parse(payload.as_bytes()).events {
        if let (Some(id), Some(region)) = (&event.resource_id, &event.region)
            && id.starts_with("i-")
        {
            let team = ["shop", "search", "ops"][number % 3];
            let instance = Instance::new(id)
                .name(&format!("web-{number:03}"))
                .tag("team", team)
                .tag("env", "prod");
            cloud.add_instance(ACCOUNT, region, instance);
        }
    }
}

/// Returns what the page shows of the fleet.
pub fn fleet() -> Value {
    let resource = |resource: &Resource| {
        let tag = |(key, value): &(&str, &str)| format!("{key}={value}");
        json!({
            "region": resource.region, "id": resource.id, "name": resource.name,
            "addresses": resource.addresses, "instance": resource.instance,
            "tags": resource.tags.iter().map(tag).collect::<Vec<_>>(),
        })
    };
    FLEET.iter().map(resource).collect()
}

/// Whether the function can ask the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The function has a role that may ask.
    Role,
    /// The function has no role: its invocations bring no identity.
    None,
    /// The role may not ask.
    Denied,
    /// The account has made too many calls.
    Throttled,
    /// The API never answers.
    Hangs,
    /// Connections to the API break.
    Unreachable,
}

impl Access {
    /// All of them in the page's order.
    pub const ALL: [Access; 6] = [
        Access::Role,
        Access::None,
        Access::Denied,
        Access::Throttled,
        Access::Hangs,
        Access::Unreachable,
    ];

    /// Returns the name that the page uses.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Returns the one of this name.
    pub fn by_name(name: &str) -> Option<Access> {
        Access::ALL.into_iter().find(|access| access.name() == name)
    }

    /// Makes the API behave so.
    pub fn apply(self, cloud: &Cloud) {
        for permission in PERMISSIONS {
            match self {
                Access::Denied => cloud.deny(ACCOUNT, permission),
                _ => cloud.allow(ACCOUNT, permission),
            }
        }
        cloud.set_standing_fault(match self {
            Access::Role | Access::None | Access::Denied => None,
            Access::Throttled => Some(Fault::Throttled {
                retry_after_ms: None,
            }),
            Access::Hangs => Some(Fault::Hang),
            Access::Unreachable => Some(Fault::Reset),
        });
    }

    /// Returns the identity that the next invocation brings. Each has its own, so that
    /// [`calls_of`] can tell whose a call is.
    pub fn identity(self, cloud: &Cloud) -> Option<Identity> {
        (self != Access::None).then(|| cloud.role_identity(ACCOUNT))
    }
}

/// Returns what the page shows of the calls that were made with this identity.
pub fn calls_of(cloud: &Cloud, identity: &Identity) -> Vec<Value> {
    let is_own = |call: &Call| {
        let credential = format!("Credential={},", identity.id);
        let authorization = call.header("authorization");
        authorization.is_some_and(|text| text.contains(&credential))
    };
    let calls = cloud.calls().into_iter().filter(is_own);
    let shown = |call: Call| {
        json!({
            "action": call.action, "region": call.region, "ids": call.ids.len(),
            "status": call.status, "code": call.code,
        })
    };
    calls.map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn samples_of_eventbridge_tell_the_same_of_the_fleet() {
        let mut seen = 0;
        for sample in samples::all().unwrap() {
            // Other samples tell the names of other documents.
            if !sample.file.starts_with("eventbridge/Instance-") {
                continue;
            }
            for event in event::parse(sample.text.as_bytes()).events {
                let id = event.resource_id.as_deref();
                let found = FLEET.iter().find(|resource| Some(resource.id) == id);
                let Some(resource) = found else {
                    panic!("{}: {id:?} is not in the fleet", sample.file);
                };
                assert_eq!(event.region.as_deref(), Some(resource.region));
                if let Some(name) = &event.resource_name {
                    assert_eq!(name, resource.name, "{}", sample.file);
                }
                if let Some(address) = event.details.get("privateIpAddress") {
                    assert_eq!(address, resource.addresses[0], "{}", sample.file);
                }
                seen += 1;
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn owners_are_members_of_the_group() {
        let members = [MOBILES, USER_IDS].concat();
        let tags = FLEET.iter().flat_map(|resource| resource.tags);
        let owners = tags.filter(|(key, _)| *key == "owner");
        let owners = owners.flat_map(|(_, value)| value.split(" / "));
        let others: Vec<&str> = owners.filter(|who| !members.contains(who)).collect();
        assert_eq!(others, ["王小明"]);
    }

    #[test]
    fn each_choice_has_a_name_of_its_own() {
        for access in Access::ALL {
            assert_eq!(Access::by_name(&access.name()), Some(access));
        }
        let cloud = start();
        assert_eq!(Access::None.identity(&cloud), None);
        let identities = [(); 2].map(|()| Access::Role.identity(&cloud).unwrap());
        assert_ne!(identities[0], identities[1]);
    }
}
