//! HTTPS requests: one agent with time limits by phase, a DNS cache, a proxy and one set of
//! trusted authorities. Knows neither chats nor clouds.
//!
//! [`Client::send`] makes exactly one attempt. Whether to try again is decided by the caller, who
//! reads [`Error::may_have_arrived`]. No text of this module holds a URL.
//!
//! - `config`: proxy and authorities, as values
//! - `connector`: connections, and errors that are known to come before the request
//! - `dns`: name lookups, kept for a minute
//! - `error`: what the library's errors mean
//! - `proxy`: which hosts are reached through a proxy
//! - `redact`: texts from outside, fit for a log line

mod config;
mod connector;
mod dns;
mod error;
mod proxy;
mod redact;

pub use config::{HttpConfig, RootCertificates};
pub use error::{Cause, Error, Phase};
pub use proxy::Proxy;
pub(crate) use proxy::{host_of, is_loopback};
pub(crate) use redact::redact;
pub use ureq::http::Uri;

use crate::clock::Clock;
use connector::MarkingConnector;
use dns::DnsCache;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use ureq::http::HeaderMap;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, RequestBuilder};

/// The longest time that one attempt takes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// With less time than this no attempt is begun.
const MIN_TIME: Duration = Duration::from_millis(20);

/// The longest time to look up a name, and again to connect, which includes the TLS handshake.
const SETUP_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection that was idle for longer is not used again: the instance may have been frozen, or
/// a gateway in between may have dropped the connection.
const MAX_IDLE: Duration = Duration::from_secs(5);

/// The longest head of a response. A buffer of this size is allocated for each connection.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// The longest line of a request's head. A buffer of this size is allocated for each connection. A
/// hundred ids in a query take 3 KB to 7 KB, and a security token may take 4 KB.
const MAX_LINE_BYTES: usize = 8 * 1024;

const USER_AGENT: &str = concat!("ecs-dingtalk-notifier/", env!("CARGO_PKG_VERSION"));

/// Connections and name lookups of one instance, shared by all who send requests.
pub struct Client {
    clock: Arc<dyn Clock>,
    dns: DnsCache,
    proxy: Proxy,
    has_own_roots: bool,
    agent: Agent,
    /// When each `host[:port]` was used last, by the wall clock: the monotonic clock may stand
    /// still while the instance is frozen.
    last_use: Mutex<HashMap<String, SystemTime>>,
}

/// One request.
pub struct Request<'a> {
    pub method: Method,
    /// With scheme and host. May hold secrets.
    pub url: &'a Uri,
    /// Names and values, beside those that the client adds: `Host`, `Content-Length`,
    /// `User-Agent`, `Accept` and `Accept-Encoding`.
    pub headers: &'a [(&'a str, &'a str)],
    /// Not sent with [`Method::Get`].
    pub body: &'a [u8],
    /// A longer response body becomes an error; no more than this is read.
    pub max_response_bytes: u64,
}

/// What one request may take.
struct Limits {
    time: Duration,
    max_idle: Duration,
    proxy: Option<ureq::Proxy>,
}

impl Limits {
    fn apply<B>(self, builder: RequestBuilder<B>, request: &Request) -> RequestBuilder<B> {
        let builder = builder
            .config()
            .timeout_global(Some(self.time))
            .timeout_resolve(Some(SETUP_TIMEOUT))
            .timeout_connect(Some(SETUP_TIMEOUT))
            .proxy(self.proxy)
            .max_idle_age(self.max_idle)
            .build();
        let headers = request.headers.iter();
        headers.fold(builder, |builder, (name, value)| {
            builder.header(*name, *value)
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// A response whose head was read.
pub struct Response {
    pub status: u16,
    headers: HeaderMap,
    /// The whole body, or why it could not be read to its end.
    pub body: Result<Vec<u8>, Error>,
}

impl Response {
    /// Returns the first header of this name if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    pub fn new(clock: Arc<dyn Clock>, config: HttpConfig) -> Client {
        let has_own_roots = config.root_certificates.is_some();
        let roots = (config.root_certificates).map_or(RootCerts::WebPki, |own| own.0);
        let settings = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            // A redirect could carry the token of a URL to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .accept_encoding("identity")
            .max_idle_age(MAX_IDLE)
            .max_idle_connections(8)
            .max_idle_connections_per_host(4)
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(MAX_HEAD_BYTES)
            .output_buffer_size(MAX_LINE_BYTES)
            // Chosen for each request; the library would read the environment.
            .proxy(None)
            .build();
        let dns = DnsCache::new(Arc::clone(&clock));
        Client {
            agent: Agent::with_parts(settings, MarkingConnector::default(), dns.clone()),
            clock,
            dns,
            proxy: config.proxy,
            has_own_roots,
            last_use: Mutex::default(),
        }
    }

    /// Sends `request` once and reads the response. Redirects are not followed.
    ///
    /// Takes at most 8 s (3 s to look up the name, 3 s to connect) and never goes past `deadline`,
    /// a time of the client's [`Clock`]; with less than 20 ms left no attempt is begun.
    /// `new_connection` leaves pooled connections aside: set it when sending again.
    ///
    /// # Errors
    ///
    /// How far the request came, why it failed, and whether the server can have received it.
    pub fn send(
        &self,
        request: &Request,
        deadline: Instant,
        new_connection: bool,
    ) -> Result<Response, Error> {
        let begun = Instant::now();
        let time_left = deadline.saturating_duration_since(self.clock.now());
        if time_left < MIN_TIME {
            return Err(Error::too_late());
        }
        let proxy = self.proxy.for_uri(request.url);
        let authority = request.url.authority().map_or("", |a| a.as_str());
        let max_idle = match new_connection || self.was_idle_too_long(authority) {
            true => Duration::ZERO,
            false => MAX_IDLE,
        };
        let limits = Limits {
            time: time_left.min(ATTEMPT_TIMEOUT),
            max_idle,
            proxy: proxy.cloned(),
        };

        let failed = |(phase, error)| {
            // A timeout is the attempt's own if there was time left.
            let is_over = time_left < ATTEMPT_TIMEOUT && begun.elapsed() + MIN_TIME >= time_left;
            Error::new(phase, &error, proxy.is_some(), self.has_own_roots, is_over)
        };
        let result = match request.method {
            Method::Get => limits.apply(self.agent.get(request.url), request).call(),
            Method::Post => limits
                .apply(self.agent.post(request.url), request)
                .send(request.body),
        };
        // Only now: after a freeze, requests that begin together all need new connections.
        let now = self.clock.wall();
        self.last_use().insert(authority.to_owned(), now);
        let mut response = result.map_err(|error| {
            let error = failed(error::split(error));
            if !error.may_have_arrived() {
                // One of the addresses may have been the cause.
                self.dns.invalidate();
            }
            error
        })?;
        Ok(Response {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: response
                .body_mut()
                .with_config()
                .limit(request.max_response_bytes)
                .read_to_vec()
                .map_err(|error| failed((Phase::Receive, error))),
        })
    }

    /// Returns true if requests for this URL go through a proxy.
    pub fn uses_proxy(&self, url: &Uri) -> bool {
        self.proxy.for_uri(url).is_some()
    }

    fn was_idle_too_long(&self, authority: &str) -> bool {
        let last_use = self.last_use().get(authority).copied();
        let idle = last_use.map(|last_use| self.clock.wall().duration_since(last_use));
        // If the wall clock was set back, the idle time is unknown.
        idle.is_some_and(|idle| idle.map_or(true, |idle| idle > MAX_IDLE))
    }

    fn last_use(&self) -> MutexGuard<'_, HashMap<String, SystemTime>> {
        self.last_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
