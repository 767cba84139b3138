//! A stand-in for Alibaba Cloud's ECS and STS API, on loopback. It refuses what the real one
//! refuses, with the documented codes, and records every call.
//!
//! ```
//! use fake_aliyun::{Cloud, Instance};
//!
//! let cloud = Cloud::start();
//! let identity = cloud.role_identity("1234567890123456");
//! let instance = Instance::new("i-1").name("shop-web-01").tag("owner", "shop-team");
//! cloud.add_instance("1234567890123456", "cn-hangzhou", instance);
//! println!("call {} with {}", cloud.endpoint(), identity.id);
//! assert!(cloud.calls().is_empty());
//! ```
//!
//! Signatures are verified with an implementation of its own. Time is the machine's, or that of an
//! injected clock that moves only when a test moves it. The behaviour follows published documents.
//! It was not compared with the live service.

#![forbid(unsafe_code)]

mod actions;
mod fault;
mod fleet;
mod identity;
mod record;
mod refusal;
mod request;
mod server;
mod sign;
mod state;
mod system_event;

pub use fault::Fault;
pub use fleet::{Disk, Instance};
pub use identity::Identity;
pub use record::Call;
pub use sign::authorize;
pub use system_event::SystemEvent;

use fake_http::Server;
use fake_http::tls::Certificate;
use server::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A running stand-in. Dropping it stops it.
pub struct Cloud {
    shared: Arc<Shared>,
    server: Server,
}

impl Cloud {
    /// Starts a stand-in without TLS on a free port of 127.0.0.1. It has some regions, no resources
    /// and no identities.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn start() -> Cloud {
        Cloud::serve(None).expect("a free port on 127.0.0.1")
    }

    /// Starts one with TLS and a certificate of its own authority, which is [`Cloud::ca_pem`].
    ///
    /// # Errors
    /// If the certificates cannot be made, or there is no port to listen on.
    pub fn start_tls() -> io::Result<Cloud> {
        Cloud::serve(Some(Certificate::Good))
    }

    fn serve(certificate: Option<Certificate>) -> io::Result<Cloud> {
        let shared = Arc::new(Shared::new());
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start(bind, certificate, Arc::clone(&shared))?;
        Ok(Cloud { shared, server })
    }

    /// Returns the address of both APIs, without a path.
    pub fn endpoint(&self) -> String {
        self.server.origin()
    }

    /// Returns the certificate authority in PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.ca_pem()
    }

    /// Issues a temporary identity of a role of this account, which does not end by itself.
    pub fn role_identity(&self, account: &str) -> Identity {
        self.shared
            .state
            .change(|state| state.issue(account, true, None))
    }

    /// Issues a long-lived key of this account, which has no token.
    pub fn key(&self, account: &str) -> Identity {
        self.shared
            .state
            .change(|state| state.issue(account, false, None))
    }

    /// Ends a temporary identity.
    pub fn expire(&self, identity: &Identity) {
        self.shared.state.change(|state| {
            if let Some(known) = state.identities.get_mut(&identity.id) {
                known.ends_ms = Some(0);
            }
        });
    }

    /// Forgets an identity.
    pub fn forget(&self, identity: &Identity) {
        self.shared
            .state
            .change(|state| state.identities.remove(&identity.id));
    }

    /// Adds a region that has no resources. Resources add theirs.
    pub fn add_region(&self, region: &str) {
        self.shared
            .state
            .change(|state| state.regions.insert(region.to_owned()));
    }

    /// Adds an instance, in place of one with the same id.
    pub fn add_instance(&self, account: &str, region: &str, instance: Instance) {
        self.shared.state.change(|state| {
            let fleet = state.fleet(account, region);
            fleet.instances.insert(instance.id().to_owned(), instance);
        });
    }

    /// Adds a disk, in place of one with the same id.
    pub fn add_disk(&self, account: &str, region: &str, disk: Disk) {
        self.shared.state.change(|state| {
            let fleet = state.fleet(account, region);
            fleet.disks.insert(disk.id().to_owned(), disk);
        });
    }

    /// Removes the instance or the disk with this id, wherever it is.
    pub fn release(&self, id: &str) {
        self.shared.state.change(|state| {
            for fleet in state.fleets.values_mut() {
                fleet.instances.remove(id);
                fleet.disks.remove(id);
            }
        });
    }

    /// Adds a system event, in place of one with the same id: so it is moved, or goes on to another
    /// status.
    pub fn add_event(&self, account: &str, region: &str, event: SystemEvent) {
        self.shared.state.change(|state| {
            let fleet = state.fleet(account, region);
            fleet.events.insert(event.id().to_owned(), event);
        });
    }

    /// Removes the system event with this id, wherever it is.
    pub fn remove_event(&self, id: &str) {
        self.shared.state.change(|state| {
            for fleet in state.fleets.values_mut() {
                fleet.events.remove(id);
            }
        });
    }

    /// Adds a role (`acs:ram::<account>:role/<name>`) that identities of the account `trusted` may
    /// assume.
    pub fn add_role(&self, arn: &str, trusted: &str) {
        self.shared.state.change(|state| {
            let accounts = state.roles.entry(arn.to_owned()).or_default();
            accounts.insert(trusted.to_owned());
        });
    }

    /// Takes a permission from all identities of an account: `ecs:DescribeInstances`,
    /// `sts:AssumeRole`.
    pub fn deny(&self, account: &str, action: &str) {
        self.shared
            .state
            .change(|state| state.denied.insert((account.to_owned(), action.to_owned())));
    }

    /// Gives a permission back that [`Cloud::deny`] took.
    pub fn allow(&self, account: &str, action: &str) {
        self.shared.state.change(|state| {
            state
                .denied
                .remove(&(account.to_owned(), action.to_owned()))
        });
    }

    /// Sets whether a refusal for want of permission has `AccessDeniedDetail`. It does at first.
    pub fn set_denial_detail(&self, is_present: bool) {
        self.shared
            .state
            .change(|state| state.has_denial_detail = is_present);
    }

    /// Makes pages hold at most this many resources or events, whatever a call asks for.
    pub fn set_page_size(&self, size: usize) {
        self.shared
            .state
            .change(|state| state.page_size = Some(size));
    }

    /// Adds an offset in milliseconds to the machine's clock. An injected clock is not affected.
    pub fn set_clock_offset_ms(&self, ms: i64) {
        self.shared.state.change(|state| state.clock.offset_ms = ms);
    }

    /// Injects a clock that stands still at this time.
    pub fn set_clock(&self, time: SystemTime) {
        let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
        let ms = since_1970.unwrap_or_default().as_millis() as u64;
        self.shared
            .state
            .change(|state| state.clock.injected_ms = Some(ms));
    }

    /// Moves the clock forward; from then on it is an injected one.
    pub fn advance(&self, time: Duration) {
        self.shared.state.change(|state| state.clock.advance(time));
    }

    /// Queues a fault for one call of any action.
    pub fn fault(&self, fault: Fault) {
        self.shared
            .state
            .change(|state| state.faults.push_back((None, fault)));
    }

    /// Queues a fault for one call of this action: `DescribeDisks`.
    pub fn fault_on(&self, action: &str, fault: Fault) {
        self.shared
            .state
            .change(|state| state.faults.push_back((Some(action.to_owned()), fault)));
    }

    /// Applies a fault to every call that has no queued one; `None` ends that.
    pub fn set_standing_fault(&self, fault: Option<Fault>) {
        self.shared
            .state
            .change(|state| state.standing_fault = fault);
    }

    /// Lets one more call continue that [`Fault::Hold`] stopped.
    pub fn release_held(&self) {
        self.server.release();
    }

    /// Waits until [`Fault::Hold`] has stopped `count` calls, counted from the start. Returns false
    /// if that does not happen in time.
    pub fn wait_until_held(&self, count: usize, timeout: Duration) -> bool {
        self.server.wait_until_held(count, timeout)
    }

    /// Returns every call so far, including refused ones.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state.lock().calls.clone()
    }

    /// Returns the calls of one action so far, including refused ones.
    pub fn calls_of(&self, action: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.action == action);
        calls
    }

    /// Waits until there were `count` calls or the timeout is over. Returns all calls.
    pub fn wait_for_calls(&self, count: usize, timeout: Duration) -> Vec<Call> {
        let state = self
            .shared
            .state
            .wait(timeout, |state| state.calls.len() >= count);
        state.calls.clone()
    }

    /// Forgets the calls so far, and queued and standing faults.
    pub fn clear(&self) {
        self.shared.state.change(|state| {
            state.calls.clear();
            state.faults.clear();
            state.standing_fault = None;
        });
    }
}
