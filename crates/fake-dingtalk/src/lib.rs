//! A stand-in for a DingTalk group with its chatbots, on loopback. It refuses what DingTalk would
//! refuse, in DingTalk's words, and records every call and every message.
//!
//! ```
//! use fake_dingtalk::{Group, Robot};
//!
//! let group = Group::start(vec![Robot::new("0123456789abcdef").keyword("CloudMonitor")]);
//! println!("post to {}", group.webhook("0123456789abcdef"));
//! assert!(group.deliveries().is_empty());
//! ```
//!
//! Time is the machine's, or that of an injected clock that moves only when a test moves it.
//! The behaviour follows published documents and reports. It was not compared with the live
//! service.

#![forbid(unsafe_code)]

mod admin;
mod answers;
mod checks;
mod fault;
mod record;
mod robot;
mod server;
mod sign;

pub use answers::{Answer, Refusal};
pub use fake_http::tls::Certificate;
pub use fake_http::{Close, ConnectionFault, FaultyProxy, Offset, http};
pub use fault::Fault;
pub use record::{Call, Delivery};
pub use robot::{Behaviour, Family, Robot, State};
pub use sign::sign;

use admin::Admin;
use fake_http::Server;
use server::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A running stand-in. Dropping it stops it.
pub struct Group {
    shared: Arc<Shared>,
    server: Server,
    admin: Server,
}

/// Builds a [`Group`].
pub struct GroupBuilder {
    robots: Vec<Robot>,
    behaviour: Behaviour,
    clock_ms: Option<u64>,
    tls: Option<Certificate>,
    bind: SocketAddr,
}

impl GroupBuilder {
    /// Adds a chatbot.
    pub fn robot(mut self, robot: Robot) -> Self {
        self.robots.push(robot);
        self
    }

    /// Sets the behaviour of the service.
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Injects a clock that stands still at this moment, in milliseconds since 1970.
    pub fn clock_ms(mut self, ms: u64) -> Self {
        self.clock_ms = Some(ms);
        self
    }

    /// Serves TLS with a certificate of its own authority, which is [`Group::ca_pem`].
    pub fn tls(self) -> Self {
        self.certificate(Certificate::Good)
    }

    /// Serves TLS with this certificate.
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// Listens at this address instead of a free port of 127.0.0.1.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.bind = address;
        self
    }

    /// Starts the group.
    ///
    /// # Errors
    /// If the address is taken, or the certificates cannot be made.
    pub fn start(self) -> io::Result<Group> {
        let shared = Arc::new(Shared::new(self.robots, self.behaviour, self.clock_ms));
        let server = Server::start(self.bind, self.tls, Arc::clone(&shared))?;
        let admin = Arc::new(Admin(Arc::clone(&shared)));
        let admin = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), None, admin)?;
        Ok(Group {
            shared,
            server,
            admin,
        })
    }
}

impl Group {
    /// Starts a group with these chatbots and the default behaviour on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn start(robots: Vec<Robot>) -> Group {
        let builder = robots
            .into_iter()
            .fold(Group::builder(), GroupBuilder::robot);
        builder.start().expect("a free port on 127.0.0.1")
    }

    /// Returns a builder without chatbots.
    pub fn builder() -> GroupBuilder {
        GroupBuilder {
            robots: Vec::new(),
            behaviour: Behaviour::default(),
            clock_ms: None,
            tls: None,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Returns the address of the webhooks.
    pub fn addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the address of the admin endpoint.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.address()
    }

    /// Returns the webhook of the chatbot with this token.
    pub fn webhook(&self, token: &str) -> String {
        let origin = self.server.origin();
        format!("{origin}/robot/send?access_token={token}")
    }

    /// Returns the certificate authority in PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.ca_pem()
    }

    /// Queues a fault for one call.
    pub fn fault(&self, fault: Fault) {
        self.faults([fault]);
    }

    /// Queues faults for the next calls, one for each.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared
            .state
            .change(|state| state.faults.extend(faults));
    }

    /// Applies a fault to every call to this chatbot that has no queued fault; `None` ends that.
    /// Faults that come before a request is read have no effect here: the token is not known then.
    pub fn set_standing_fault(&self, token: &str, fault: Option<Fault>) {
        self.shared.state.change(|state| match fault {
            Some(fault) => state.standing_faults.insert(token.to_owned(), fault),
            None => state.standing_faults.remove(token),
        });
    }

    /// Adds an offset in milliseconds to the machine's clock. An injected clock is not affected.
    pub fn set_clock_offset_ms(&self, ms: i64) {
        self.shared.state.change(|state| state.clock.offset_ms = ms);
    }

    /// Ends a chatbot's ban and clears its count of calls. The messages it has shown stay.
    pub fn reset_rate_limit(&self, token: &str) {
        self.shared
            .state
            .change(|state| state.history.reset_rate_limit(token));
    }

    /// Injects a clock that stands still at this moment, in milliseconds since 1970.
    pub fn set_clock_ms(&self, ms: u64) {
        self.shared
            .state
            .change(|state| state.clock.injected_ms = Some(ms));
    }

    /// Moves the clock forward; from then on it is an injected one.
    pub fn advance(&self, time: Duration) {
        self.shared.state.change(|state| state.clock.advance(time));
    }

    /// Returns every request so far, including refused ones.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state.lock().calls.clone()
    }

    /// Returns every message shown so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state.lock().deliveries.clone()
    }

    /// Waits until `count` messages were shown or the timeout is over. Returns all messages.
    pub fn wait_for_deliveries(&self, count: usize, timeout: Duration) -> Vec<Delivery> {
        let state = self
            .shared
            .state
            .wait(timeout, |state| state.deliveries.len() >= count);
        state.deliveries.clone()
    }

    /// Waits until there were `count` requests or the timeout is over. Returns all requests.
    pub fn wait_for_calls(&self, count: usize, timeout: Duration) -> Vec<Call> {
        let state = self
            .shared
            .state
            .wait(timeout, |state| state.calls.len() >= count);
        state.calls.clone()
    }

    /// Waits until there are more calls or messages than these, or the timeout is over. Returns the
    /// new ones.
    pub fn wait_for_activity(
        &self,
        calls_seen: usize,
        deliveries_seen: usize,
        timeout: Duration,
    ) -> (Vec<Call>, Vec<Delivery>) {
        let state = self.shared.state.wait(timeout, |state| {
            state.calls.len() > calls_seen || state.deliveries.len() > deliveries_seen
        });
        let calls = state.calls.get(calls_seen..).unwrap_or_default();
        let deliveries = state.deliveries.get(deliveries_seen..).unwrap_or_default();
        (calls.to_vec(), deliveries.to_vec())
    }

    /// Changes a chatbot. Does nothing if no chatbot has this token.
    pub fn configure(&self, token: &str, change: impl FnOnce(&mut Robot)) {
        self.shared.state.change(|state| {
            if let Some(robot) = state.robots.iter_mut().find(|robot| robot.token == token) {
                change(robot);
            }
        });
    }

    /// Changes the behaviour of the service.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared
            .state
            .change(|state| state.behaviour = behaviour);
    }

    /// Closes every connection that is idle now.
    pub fn close_idle(&self, how: Close) {
        self.server.close_idle(how);
    }

    /// Lets one more call continue that [`Fault::Hold`] stopped.
    pub fn release(&self) {
        self.server.release();
    }

    /// Waits until [`Fault::Hold`] has stopped `count` calls, counted from the start. Returns false
    /// if that does not happen in time.
    pub fn wait_until_held(&self, count: usize, timeout: Duration) -> bool {
        self.server.wait_until_held(count, timeout)
    }

    /// Clears calls, messages, rate limits, bans and faults.
    pub fn clear(&self) {
        self.shared.state.change(|state| {
            state.calls.clear();
            state.deliveries.clear();
            state.faults.clear();
            state.standing_faults.clear();
            state.history = Default::default();
            state.redirect_hits = 0;
            state.visits.clear();
        });
    }

    /// Returns the queries of the requests for the page `/` so far. They tell the time and are no
    /// calls.
    pub fn visits(&self) -> Vec<String> {
        self.shared.state.lock().visits.clone()
    }

    /// Returns the number of requests to the target of a redirect; 0 if the client follows none.
    pub fn redirect_hits(&self) -> usize {
        self.shared.state.lock().redirect_hits
    }
}
