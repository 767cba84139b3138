//! What is known of a resource beyond its event: names, addresses and tags.
//!
//! [`Inventory`] is the one that is asked, the ECS API or a stand-in. [`Directory`] asks it seldom,
//! remembers what it said, and lets invocations that ask for the same share one call. Knows neither
//! routes nor chats.
//!
//! - `cache`: what was said, and for how long that counts
//! - `calls`: the calls at each place
//! - `directory`: events → the same events with what is known of their resources
//! - `ecs`: the ECS API as an inventory
//! - `maintenance`: the API's system events → events
//! - `pace`: how often one place is asked

mod cache;
mod calls;
mod directory;
mod ecs;
mod maintenance;
mod pace;

pub use directory::{Asker, Directory, LookedUp};
pub use ecs::EcsInventory;

use crate::aliyun::Credentials;
use crate::event::{AccessError, Event, Known, Lookup};
use std::time::{Duration, Instant};

/// Whoever knows resources.
pub trait Inventory: Send + Sync {
    /// Asks once for resources of one kind, region and account: at most
    /// [`MAX_IDS`](crate::aliyun::MAX_IDS). Resources that do not exist are missing in the answer,
    /// whose order is arbitrary. Takes no longer than until `deadline`.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    fn resources(
        &self,
        place: &Place,
        ids: &[String],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Resource>, Refusal>;

    /// Asks for the maintenance of instances in `region` that is under way or ahead, in the
    /// function's own account, in any order. Takes no longer than until `deadline`.
    ///
    /// # Errors
    ///
    /// Why there is no answer, or none that is whole.
    fn maintenance(
        &self,
        region: &str,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Event>, MaintenanceError>;
}

/// Where resources of one kind are: one call asks at one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub kind: Kind,
    /// The region's id, as an event has it: may be no region's at all.
    pub region: String,
    /// The account, where it is another than the function's own.
    pub account: Option<String>,
}

/// The kinds of resources that can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Instance,
    Disk,
}

/// A resource as the inventory knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    pub id: String,
    pub known: Known,
    /// For a disk: the instance that it is attached to.
    pub instance_id: Option<String>,
}

/// Why upcoming maintenance is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceError {
    /// What was refused, why, and what to change, in one line without secrets and accounts.
    pub remedy: String,
    /// Why it will not be known before somebody changes something; `None` if it may pass by itself.
    pub permanent: Option<AccessError>,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// [`Lookup::Denied`], `Throttled`, `Unreachable` or `Expired`.
    pub lookup: Lookup,
    /// For how long the same would be refused, where that is known.
    pub retry_after: Option<Duration>,
    /// What was refused, why, and what to change, in one line without secrets and accounts.
    pub remedy: String,
}
