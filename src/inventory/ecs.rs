//! The ECS API as an inventory, also of other accounts.

use super::{Inventory, Kind, MaintenanceError, Place, Refusal, Resource, maintenance};
use crate::aliyun::{Api, ApiError, Credentials, Disk, ErrorKind, Instance, Role};
use crate::clock::{Clock, to_timestamp};
use crate::event::{AccessError, Event, Known, Lookup};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An assumed role is not used so shortly before its end: a call takes time.
const RESERVE: SignedDuration = SignedDuration::from_mins(5);
/// Most accounts whose roles are kept.
const MAX_ROLES: usize = 200;

/// Asks the ECS API.
pub struct EcsInventory {
    api: Api,
    clock: Arc<dyn Clock>,
    /// The role that is assumed for resources of other accounts.
    role: Option<Role>,
    /// Assumed roles by account, and when they end. Their number of issues is limited, so they are
    /// kept, other than the function's own identity.
    assumed: Mutex<HashMap<String, (Credentials, Timestamp)>>,
}

impl EcsInventory {
    pub fn new(api: Api, clock: Arc<dyn Clock>, role: Option<Role>) -> EcsInventory {
        EcsInventory {
            api,
            clock,
            role,
            assumed: Mutex::default(),
        }
    }

    /// Returns the identity that asks in this account.
    fn identity(
        &self,
        place: &Place,
        own: &Credentials,
        deadline: Instant,
    ) -> Result<Credentials, ApiError> {
        let (Some(account), Some(role)) = (&place.account, &self.role) else {
            return Ok(own.clone());
        };
        let now = to_timestamp(self.clock.wall());
        let is_usable = |until: &Timestamp| until.duration_since(now) > RESERVE;
        if let Some((assumed, until)) = self.assumed().get(account)
            && is_usable(until)
        {
            return Ok(assumed.clone());
        }
        let (region, arn) = (&place.region, role.arn(account));
        let (assumed, until) = self.api.assume_role(&arn, region, own, deadline)?;
        let mut kept = self.assumed();
        // Accounts come from events.
        kept.retain(|_, (_, until)| is_usable(until));
        if kept.len() < MAX_ROLES {
            kept.insert(account.clone(), (assumed.clone(), until));
        }
        Ok(assumed)
    }

    fn assumed(&self) -> MutexGuard<'_, HashMap<String, (Credentials, Timestamp)>> {
        self.assumed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inventory for EcsInventory {
    fn resources(
        &self,
        place: &Place,
        ids: &[String],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Resource>, Refusal> {
        let ask = || -> Result<Vec<Resource>, ApiError> {
            let identity = &self.identity(place, credentials, deadline)?;
            let region = &place.region;
            Ok(match place.kind {
                Kind::Instance => {
                    let found = self
                        .api
                        .describe_instances(region, ids, identity, deadline)?;
                    found.into_iter().map(instance).collect()
                }
                Kind::Disk => {
                    let found = self.api.describe_disks(region, ids, identity, deadline)?;
                    found.into_iter().map(disk).collect()
                }
            })
        };
        ask().map_err(|error| {
            if error.kind == ErrorKind::Expired
                && let Some(account) = &place.account
            {
                self.assumed().remove(account);
            }
            refusal(&error)
        })
    }

    fn maintenance(
        &self,
        region: &str,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Event>, MaintenanceError> {
        let found = self
            .api
            .describe_system_events(region, credentials, deadline);
        let found = found
            .map_err(|error| maintenance_error(&error))?
            .into_iter();
        Ok(found
            .map(|found| maintenance::event(found, region))
            .collect())
    }
}

/// Says what a failure means for who wants to know what is ahead.
fn maintenance_error(error: &ApiError) -> MaintenanceError {
    let remedy = refusal(error).remedy;
    let permanent = match error.kind {
        ErrorKind::Denied => Some(AccessError::Denied {
            permission: format!("ecs:{}", error.action),
        }),
        // The next call is signed anew, and the next invocation brings a new identity.
        ErrorKind::Refused if error.code.as_deref() == Some("SignatureNonceUsed") => None,
        ErrorKind::Refused => Some(AccessError::Other(remedy.clone())),
        ErrorKind::Expired | ErrorKind::Throttled { .. } | ErrorKind::Unreachable => None,
    };
    MaintenanceError { remedy, permanent }
}

fn instance(found: Instance) -> Resource {
    Resource {
        id: found.id,
        known: Known {
            name: found.name,
            private_addresses: found.private_addresses,
            public_addresses: found.public_addresses,
            tags: found.tags,
            ..Known::default()
        },
        instance_id: None,
    }
}

fn disk(found: Disk) -> Resource {
    Resource {
        id: found.id,
        known: Known {
            name: found.name,
            tags: found.tags,
            ..Known::default()
        },
        instance_id: found.instance_ids.into_iter().next(),
    }
}

fn refusal(error: &ApiError) -> Refusal {
    let (lookup, retry_after) = match error.kind {
        ErrorKind::Denied => (Lookup::Denied, None),
        ErrorKind::Throttled { retry_after } => (Lookup::Throttled, retry_after),
        ErrorKind::Expired => (Lookup::Expired, None),
        ErrorKind::Unreachable => (Lookup::Unreachable, None),
        // Such as a wrong clock: the next call may well be accepted.
        ErrorKind::Refused => (Lookup::Denied, Some(Duration::ZERO)),
    };
    let reason = error.code.as_deref().unwrap_or(&error.detail);
    Refusal {
        lookup,
        retry_after,
        remedy: format!("{}: {reason}: {}", error.action, error.remedy()),
    }
}
