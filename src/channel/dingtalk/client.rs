//! One attempt.

use super::resolver::{ByHost, Names};
use super::tls::Tls;
use super::watch::{Trace, Way};
use super::webhook::Signature;
use super::{Attempt, Class, Options, Phase, ProxyChoice, Reason, Secret, Webhook};
use super::{failure, remedy, response, sign, text};
use crate::clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use ureq::http::{HeaderMap, header};
use ureq::{Agent, Error};

/// The longest time that one attempt takes.
const LIMIT: Duration = Duration::from_secs(8);

/// With less time than this nothing is begun.
const LEAST: Duration = Duration::from_millis(20);

/// The longest time to look up a name, and again to connect.
const SETUP_LIMIT: Duration = Duration::from_secs(3);

/// A connection that rested for longer is not trusted: the instance may have been frozen, or a gateway on the way may
/// have forgotten it.
const TRUSTED: Duration = Duration::from_secs(5);

/// The longest answer that is read; DingTalk's are below 1 KiB.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// The longest head of an answer. There is a buffer of this size, of which every page takes its time when it is touched
/// first.
const ANSWER_HEAD_LIMIT: usize = 8 * 1024;

const USER_AGENT: &str = concat!("ecs-dingtalk-notifier/", env!("CARGO_PKG_VERSION"));

/// The way to DingTalk: connections and name lookups of one instance. Make one and keep it.
pub struct Client {
    clock: Arc<dyn Clock>,
    names: Names,
    proxy: ProxyChoice,
    agent: Agent,
    /// When each `host[:port]` was used last. Wall-clock time: the monotonic clock may stand still in a freeze.
    last_use: Mutex<ByHost<SystemTime>>,
}

/// An answer, its body as far as it could be read.
struct Received {
    status: u16,
    headers: HeaderMap,
    body: Result<Vec<u8>, Error>,
}

impl Client {
    /// Makes a client; nothing is sent.
    ///
    /// # Errors
    ///
    /// What is wrong with the options.
    pub fn new(clock: Arc<dyn Clock>, options: Options) -> Result<Client, String> {
        let tls = Tls::new(options.extra_roots_pem.as_deref())
            .map_err(|fault| format!("the file of CA certificates {fault}"))?;
        let names = Names::new(clock.clone());
        Ok(Client {
            agent: agent(tls, &names),
            clock,
            names,
            proxy: options.proxy,
            last_use: Mutex::default(),
        })
    }

    /// Sends `body` (JSON, UTF-8) once, signed at this moment if there is a secret, and tells what became of it.
    ///
    /// Takes 8 s at most (3 s to look up the name, 3 s to connect) and never goes past `deadline` (a time of the
    /// client's [`Clock`]); with less than 20 ms left nothing is begun. `fresh` makes a new connection: ask for it
    /// when sending again.
    pub fn attempt(
        &self,
        webhook: &Webhook,
        secret: Option<&Secret>,
        body: &[u8],
        deadline: Instant,
        fresh: bool,
    ) -> Attempt {
        let limit = deadline
            .saturating_duration_since(self.clock.now())
            .min(LIMIT);
        if limit < LEAST {
            return failure::too_late();
        }

        let signature = secret.map(|secret| Signature::new(self.timestamp_ms(), secret));
        let request = Request {
            url: webhook.url(signature.as_ref()),
            webhook,
            body,
            begun: Instant::now(),
            limit,
        };
        let mut attempt = self.run(&request, fresh);

        let base64 = signature.as_ref().map_or("", Signature::as_base64);
        let encoded = sign::encode(base64);
        let secret = secret.map_or("", Secret::expose);
        attempt.detail = text::clean(
            &attempt.detail,
            &[webhook.token(), secret, base64, &encoded],
        );
        attempt
    }

    /// Makes the attempt; its detail may still hold secrets that the answer repeats.
    fn run(&self, request: &Request, fresh: bool) -> Attempt {
        let authority = request.webhook.authority();
        let last_use = self.last_use().get(authority).copied();
        let fresh = fresh || last_use.is_some_and(|then| self.rested_too_long(then));
        let result = self.exchange(request, fresh);
        let trace = Trace::now();
        let now = self.clock.wall();
        self.last_use().insert(authority, now);

        match result {
            Ok(received) => self.answered(request, received),
            Err(error) => {
                let arrived = trace.may_have_arrived(request.body.len());
                if !arrived {
                    self.names.forget();
                }
                let https = request.webhook.is_https();
                let class = if arrived {
                    Class::Unclear
                } else {
                    Class::NotSent
                };
                let phase = failure::phase(&error, trace.phase, https);
                let proxied = self.proxy.proxy_for(request.webhook).is_some();
                failure::attempt(
                    class,
                    phase,
                    &error,
                    proxied,
                    request.ended_by_deadline(&error),
                )
            }
        }
    }

    fn exchange(&self, request: &Request, fresh: bool) -> Result<Received, Error> {
        Trace::start();
        let mut response = self
            .agent
            .post(&request.url)
            .config()
            .timeout_global(Some(request.limit))
            .timeout_resolve(Some(SETUP_LIMIT))
            .timeout_connect(Some(SETUP_LIMIT))
            .proxy(self.proxy.proxy_for(request.webhook).cloned())
            .max_idle_age(if fresh { Duration::ZERO } else { TRUSTED })
            .build()
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .send(request.body)?;
        Ok(Received {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response
                .body_mut()
                .with_config()
                .limit(ANSWER_LIMIT)
                .read_to_vec(),
        })
    }

    fn answered(&self, request: &Request, received: Received) -> Attempt {
        let now = self.clock.wall();
        let header = |name| received.headers.get(name)?.to_str().ok();
        let read = |body| response::read(received.status, header(header::RETRY_AFTER), body, now);
        let error = match &received.body {
            Ok(body) => {
                let mut attempt = read(body);
                if attempt.class == Class::Refused(Reason::Clock) {
                    let date = header(header::DATE).and_then(response::http_date);
                    attempt.remedy = Some(remedy::clock(date, now));
                }
                return attempt;
            }
            Err(error) => error,
        };
        // The status stands for itself; half a body stands for nothing.
        let by_status = read(b"");
        let by_deadline = request.ended_by_deadline(error);
        let broken = failure::attempt(by_status.class, Phase::Receive, error, false, by_deadline);
        Attempt {
            http_status: by_status.http_status,
            remedy: match by_status.class {
                Class::Unclear => broken.remedy,
                _ => by_status.remedy,
            },
            ..broken
        }
    }

    fn timestamp_ms(&self) -> u64 {
        let since_1970 = self.clock.wall().duration_since(SystemTime::UNIX_EPOCH);
        let ms = since_1970.unwrap_or_default().as_millis();
        u64::try_from(ms).unwrap_or(u64::MAX)
    }

    fn rested_too_long(&self, last_use: SystemTime) -> bool {
        match self.clock.wall().duration_since(last_use) {
            Ok(rest) => rest > TRUSTED,
            // The wall clock went back: nobody knows for how long it was.
            Err(_) => true,
        }
    }

    fn last_use(&self) -> MutexGuard<'_, ByHost<SystemTime>> {
        self.last_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request and its time.
struct Request<'a> {
    url: String,
    webhook: &'a Webhook,
    body: &'a [u8],
    begun: Instant,
    limit: Duration,
}

impl Request<'_> {
    /// Whether a timeout is due to the caller's deadline and not to the attempt's own limits.
    fn ended_by_deadline(&self, error: &Error) -> bool {
        matches!(error, Error::Timeout(_))
            && self.limit < LIMIT
            && self.begun.elapsed() + LEAST >= self.limit
    }
}

fn agent(tls: Tls, names: &Names) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .max_idle_age(TRUSTED)
        .max_idle_connections(8)
        .max_idle_connections_per_host(4)
        .max_response_header_size(ANSWER_HEAD_LIMIT)
        .input_buffer_size(ANSWER_HEAD_LIMIT)
        .output_buffer_size(4 * 1024)
        .proxy(None)
        .build();
    Agent::with_parts(config, Way::new(tls), names.clone())
}
