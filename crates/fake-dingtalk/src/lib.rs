//! A stand-in for a DingTalk group with its chatbots, on loopback: it refuses what DingTalk would
//! refuse, in DingTalk's words, and shows what a client made of its answers.
//!
//! ```
//! use fake_dingtalk::{Group, Robot};
//!
//! let group = Group::start(vec![Robot::new("0123456789abcdef").keyword("CloudMonitor")]);
//! println!("post to {}", group.webhook("0123456789abcdef"));
//! assert!(group.deliveries().is_empty());
//! ```
//!
//! Time is the machine's, or an injected clock that only moves when told; nothing sleeps to keep time.
//! Nothing here was compared with the live service beyond what is published of it.

#![forbid(unsafe_code)]

mod admin;
mod answers;
mod cable;
mod checks;
mod fault;
pub mod http;
mod record;
mod robot;
mod server;
mod sign;
mod tls;

pub use answers::{Answer, Refusal};
pub use cable::{Cable, Cut, Place};
pub use fault::Fault;
pub use record::{Call, Delivery};
pub use robot::{Behaviour, Family, Robot, State};
pub use server::Close;
pub use sign::sign;
pub use tls::Certificate;

use server::Shared;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A running stand-in; dropping it ends it.
pub struct Group {
    shared: Arc<Shared>,
    address: SocketAddr,
    admin: SocketAddr,
    ca_pem: Option<String>,
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// How a group is to be.
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

    /// Injects a clock that stands at this moment, in milliseconds since 1970.
    pub fn clock_ms(mut self, ms: u64) -> Self {
        self.clock_ms = Some(ms);
        self
    }

    /// Speaks TLS, with a certificate that nobody knows; see [`Group::ca_pem`].
    pub fn tls(self) -> Self {
        self.certificate(Certificate::Good)
    }

    /// Speaks TLS, with this certificate.
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// Listens there instead of on a free port of 127.0.0.1.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.bind = address;
        self
    }

    /// Starts the group.
    ///
    /// # Errors
    /// If it cannot listen, or the certificates cannot be made.
    pub fn start(self) -> io::Result<Group> {
        let identity = self.tls.map(tls::identity).transpose()?;
        let (config, ca_pem) = match identity {
            Some(identity) => (Some(identity.config), Some(identity.ca_pem)),
            None => (None, None),
        };
        let listener = TcpListener::bind(self.bind)?;
        let admin = TcpListener::bind("127.0.0.1:0")?;
        let (address, admin_address) = (listener.local_addr()?, admin.local_addr()?);
        let shared = Arc::new(Shared::new(
            self.robots,
            self.behaviour,
            self.clock_ms,
            config,
            address,
        ));
        let stopped = Arc::new(AtomicBool::new(false));
        let threads = vec![
            std::thread::spawn({
                let shared = Arc::clone(&shared);
                move || shared.serve(&listener)
            }),
            std::thread::spawn({
                let (shared, stopped) = (Arc::clone(&shared), Arc::clone(&stopped));
                move || admin::serve(&shared, &admin, || stopped.load(Ordering::SeqCst))
            }),
        ];
        Ok(Group {
            shared,
            address,
            admin: admin_address,
            ca_pem,
            stopped,
            threads,
        })
    }
}

impl Group {
    /// A group with these chatbots, on a free port of 127.0.0.1, that behaves as usual.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub fn start(robots: Vec<Robot>) -> Group {
        let builder = robots
            .into_iter()
            .fold(Group::builder(), GroupBuilder::robot);
        builder.start().expect("a free port on 127.0.0.1")
    }

    /// A group to be described.
    pub fn builder() -> GroupBuilder {
        GroupBuilder {
            robots: Vec::new(),
            behaviour: Behaviour::default(),
            clock_ms: None,
            tls: None,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin endpoint listens.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin
    }

    /// The webhook of the chatbot with this token.
    pub fn webhook(&self, token: &str) -> String {
        let port = self.address.port();
        match self.ca_pem {
            Some(_) => format!("https://localhost:{port}/robot/send?access_token={token}"),
            None => format!("http://{}/robot/send?access_token={token}", self.address),
        }
    }

    /// The certificate authority of a group that speaks TLS, in PEM.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Queues a fault for the next call.
    pub fn fault(&self, fault: Fault) {
        self.faults([fault]);
    }

    /// Queues faults for the next calls, one each.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.change(|books| books.faults.extend(faults));
    }

    /// Spoils every call to this chatbot that no queued fault spoils, until `None` ends it. Not for the
    /// faults that strike before a request is read: they cannot know whom it is for.
    pub fn fault_always(&self, token: &str, fault: Option<Fault>) {
        self.shared.change(|books| match fault {
            Some(fault) => books.standing_faults.insert(token.to_owned(), fault),
            None => books.standing_faults.remove(token),
        });
    }

    /// Has the machine's clock read so many milliseconds too late (or, below 0, too early), and running on.
    /// An injected clock is not concerned.
    pub fn set_clock_offset_ms(&self, ms: i64) {
        self.shared.change(|books| books.clock_offset_ms = ms);
    }

    /// Ends a chatbot's ban and forgets its calls of the last minute. What it has shown stays.
    pub fn forget_pace(&self, token: &str) {
        self.shared.change(|books| books.ledger.forget_pace(token));
    }

    /// Sets the clock; from then on it moves only when told.
    pub fn set_clock_ms(&self, ms: u64) {
        self.shared.change(|books| books.clock_ms = Some(ms));
    }

    /// Moves the clock on.
    pub fn advance(&self, time: Duration) {
        self.shared.change(|books| {
            let now = books.now_ms();
            books.clock_ms = Some(now + time.as_millis() as u64);
        });
    }

    /// Every request so far, refused ones too.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.books().calls.clone()
    }

    /// Every message that was shown.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.books().deliveries.clone()
    }

    /// Waits until so many messages were shown, or the time is over; gives those there are.
    pub fn wait_for_deliveries(&self, count: usize, timeout: Duration) -> Vec<Delivery> {
        let books = self
            .shared
            .wait(timeout, |books| books.deliveries.len() >= count);
        books.deliveries.clone()
    }

    /// Waits until there were so many requests, or the time is over; gives those there are.
    pub fn wait_for_calls(&self, count: usize, timeout: Duration) -> Vec<Call> {
        let books = self
            .shared
            .wait(timeout, |books| books.calls.len() >= count);
        books.calls.clone()
    }

    /// Waits until there are more calls or messages than were seen already, or the time is over; gives
    /// those that are new.
    pub fn wait_for_news(
        &self,
        calls_seen: usize,
        deliveries_seen: usize,
        timeout: Duration,
    ) -> (Vec<Call>, Vec<Delivery>) {
        let books = self.shared.wait(timeout, |books| {
            books.calls.len() > calls_seen || books.deliveries.len() > deliveries_seen
        });
        let calls = books.calls.get(calls_seen..).unwrap_or_default();
        let deliveries = books.deliveries.get(deliveries_seen..).unwrap_or_default();
        (calls.to_vec(), deliveries.to_vec())
    }

    /// Changes a chatbot while it runs.
    pub fn configure(&self, token: &str, change: impl FnOnce(&mut Robot)) {
        self.shared.change(|books| {
            if let Some(robot) = books.robots.iter_mut().find(|robot| robot.token == token) {
                change(robot);
            }
        });
    }

    /// Changes the behaviour of the service while it runs.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.change(|books| books.behaviour = behaviour);
    }

    /// Closes every connection that waits for a request now.
    pub fn close_idle(&self, how: Close) {
        self.shared.close_idle(how);
    }

    /// Lets one more call go on that [`Fault::Hold`] holds back.
    pub fn release(&self) {
        self.shared.change(|books| books.released += 1);
    }

    /// Waits until [`Fault::Hold`] holds back so many calls, counted from the start; false if the time is over first.
    pub fn wait_until_held(&self, count: usize, timeout: Duration) -> bool {
        self.shared.wait(timeout, |books| books.held >= count).held >= count
    }

    /// Forgets calls, messages, windows, bans and faults.
    pub fn clear(&self) {
        self.shared.change(|books| {
            books.calls.clear();
            books.deliveries.clear();
            books.faults.clear();
            books.standing_faults.clear();
            books.ledger = Default::default();
            books.redirect_hits = 0;
        });
    }

    /// How often the target of a redirect was asked for; a client that follows none leaves it at 0.
    pub fn redirect_hits(&self) -> usize {
        self.shared.books().redirect_hits
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.shared.stop();
        let _ = TcpStream::connect(self.admin);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
