//! Stand-ins for the group webhooks of other chats, on loopback: a Lark or Feishu custom bot, a
//! WeCom group robot, a Slack incoming webhook. Each refuses what the chat would refuse, with the
//! chat's codes, and records every call and every message.
//!
//! ```
//! use fake_chats::{Chat, Kind, Robot};
//!
//! let chat = Chat::start(Kind::Lark, vec![Robot::new("0123-4567").secret("demo")]);
//! println!("post to {}", chat.webhook("0123-4567"));
//! assert!(chat.deliveries().is_empty());
//! ```
//!
//! Time is the machine's, or that of an injected clock that moves only when a test moves it. No
//! answer holds a token. The behaviour follows published documents and reports. It was not compared
//! with the live services; where those disagree, [`Behaviour`] selects.

#![forbid(unsafe_code)]

mod admin;
mod arrival;
mod behaviour;
mod fault;
mod json;
mod kind;
mod lark;
mod markup;
mod rate;
mod record;
mod robot;
mod service;
mod shown;
mod slack;
mod wecom;

pub use behaviour::{Behaviour, Success};
pub use fake_http::tls::Certificate;
pub use fake_http::{Close, ConnectionFault, FaultyProxy, Offset, http};
pub use fault::Fault;
pub use kind::Kind;
pub use lark::sign;
pub use record::{Call, Delivery};
pub use robot::{Robot, State};
pub use shown::{Font, Link, LinkKind, Shown, Style, StyleKind};

use admin::Admin;
use fake_http::Server;
use service::Shared;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A running stand-in. Dropping it stops it.
pub struct Chat {
    shared: Arc<Shared>,
    server: Server,
    admin: Server,
}

/// Builds a [`Chat`].
pub struct ChatBuilder {
    kind: Kind,
    robots: Vec<Robot>,
    behaviour: Behaviour,
    clock_ms: Option<u64>,
    tls: Option<Certificate>,
    bind: SocketAddr,
}

impl ChatBuilder {
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

    /// Serves TLS with a certificate of its own authority, which is [`Chat::ca_pem`].
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

    /// Starts the stand-in.
    ///
    /// # Errors
    /// If the address is taken, or the certificates cannot be made.
    pub fn start(self) -> io::Result<Chat> {
        let shared = Shared::new(self.kind, self.robots, self.behaviour, self.clock_ms);
        let shared = Arc::new(shared);
        let server = Server::start(self.bind, self.tls, Arc::clone(&shared))?;
        let admin = Arc::new(Admin(Arc::clone(&shared)));
        let admin = Server::start(LOOPBACK.into(), None, admin)?;
        Ok(Chat {
            shared,
            server,
            admin,
        })
    }
}

/// A free port of 127.0.0.1.
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

impl Chat {
    /// Starts a chat of this kind with these chatbots and the default behaviour on a free port of
    /// 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn start(kind: Kind, robots: Vec<Robot>) -> Chat {
        let builder = robots
            .into_iter()
            .fold(Chat::builder(kind), ChatBuilder::robot);
        builder.start().expect("a free port on 127.0.0.1")
    }

    /// Returns a builder without chatbots.
    pub fn builder(kind: Kind) -> ChatBuilder {
        ChatBuilder {
            kind,
            robots: Vec::new(),
            behaviour: Behaviour::default(),
            clock_ms: None,
            tls: None,
            bind: LOOPBACK.into(),
        }
    }

    /// Returns the kind of the chat.
    pub fn kind(&self) -> Kind {
        self.shared.kind
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
        format!("{}{}", self.server.origin(), self.shared.kind.target(token))
    }

    /// Returns the certificate authority in PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.ca_pem()
    }

    /// Queues a fault for one call.
    pub fn push_fault(&self, fault: Fault) {
        self.push_faults([fault]);
    }

    /// Queues faults for the next calls, one for each.
    pub fn push_faults(&self, faults: impl IntoIterator<Item = Fault>) {
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

    /// Clears a chatbot's count of calls, and lets it send again if Slack switched it off.
    pub fn reset_rate_limit(&self, token: &str) {
        self.shared.state.change(|state| state.rates.remove(token));
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

    /// Clears calls, messages, counts of calls and faults.
    pub fn clear(&self) {
        self.shared.state.change(service::State::clear);
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
