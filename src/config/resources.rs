//! How resources are looked up: `RESOURCE_*`, which are of the whole function.

use super::route::{Reader, unique};
use super::{pattern, value};
use crate::aliyun::{Endpoint, Role};

/// How to ask for resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceConfig {
    /// `RESOURCE_ENDPOINT`: where the ECS API is.
    pub ecs: Endpoint,
    /// `RESOURCE_STS_ENDPOINT`: where roles are assumed.
    pub sts: Endpoint,
    /// `RESOURCE_REGIONS`: where upcoming maintenance is asked for. Empty: in the function's own.
    pub regions: Vec<String>,
    /// `RESOURCE_ROLE`: the role that is assumed for resources of other accounts.
    pub role: Option<Role>,
}

/// Reads `RESOURCE_*`. Returns `None` if nothing is to be looked up.
pub(super) fn resource_config(reader: &mut Reader) -> Option<ResourceConfig> {
    let ecs = reader.value("RESOURCE_ENDPOINT", Endpoint::parse);
    let sts = reader.value("RESOURCE_STS_ENDPOINT", Endpoint::parse);
    let role = reader.value("RESOURCE_ROLE", Role::parse);
    let regions = reader.list("RESOURCE_REGIONS", "region", pattern::region_id);
    let is_on = reader
        .value("RESOURCE_LOOKUP", value::lookup)
        .unwrap_or(true);
    is_on.then(|| ResourceConfig {
        ecs: ecs.unwrap_or_else(Endpoint::ecs),
        sts: sts.unwrap_or_else(Endpoint::sts),
        regions: unique(regions),
        role,
    })
}
