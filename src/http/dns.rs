//! Name lookups, kept for a minute.
//!
//! The HTTP library looks the name up for every request, even on a pooled connection.

use super::Phase;
use super::connector::Unsent;
use crate::clock::Clock;
use dns_lookup::{AddrFamily, AddrInfoHints, SockType, getaddrinfo};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is used, by the wall clock: an instance may be frozen for hours.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long others join a lookup that is under way. An older one may have been lost in a freeze.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(6);

/// As many addresses as the library takes.
const MAX_ADDRESSES: usize = 16;

/// Returns a host's addresses; none if there are none or no name server answers.
type Lookup = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// A resolver that keeps its answers; clones share them.
#[derive(Clone)]
pub(super) struct DnsCache {
    entries: Arc<Mutex<HashMap<String, Entry>>>,
    /// Notified when a lookup ends.
    ended: Arc<Condvar>,
    lookup: Arc<Lookup>,
    clock: Arc<dyn Clock>,
}

/// What is known of one host.
#[derive(Default)]
struct Entry {
    /// When the lookup that is under way began, in monotonic time.
    pending: Option<Instant>,
    /// The latest answer; empty after a failure.
    addresses: Vec<IpAddr>,
    /// Wall-clock time of the answer; `None` after a failure, or if it is not to be used again.
    answered_at: Option<SystemTime>,
}

impl DnsCache {
    pub(super) fn new(clock: Arc<dyn Clock>) -> DnsCache {
        DnsCache {
            entries: Arc::default(),
            ended: Arc::default(),
            lookup: Arc::new(system_lookup),
            clock,
        }
    }

    /// Looks every host up anew: one of its addresses may not have taken a connection.
    pub(super) fn invalidate(&self) {
        for entry in self.entries().values_mut() {
            entry.answered_at = None;
        }
    }

    fn addresses(&self, host: &str, timeout: NextTimeout) -> Result<Vec<IpAddr>, Error> {
        if let Some(addresses) = without_lookup(host) {
            return Ok(addresses);
        }
        let mut entries = self.entries();
        let entry = entries.entry(host.to_owned()).or_default();
        // A clock that was set back makes no answer fresh.
        let age = (entry.answered_at).and_then(|at| self.clock.wall().duration_since(at).ok());
        if age.is_some_and(|age| age < LIFETIME) {
            return Ok(entry.addresses.clone());
        }

        // Join the lookup that is under way, or begin one.
        let is_running = |begun: Instant| begun.elapsed() < LOOKUP_TIMEOUT;
        if !entry.pending.is_some_and(is_running) {
            let begun = Instant::now();
            let (cache, host) = (self.clone(), host.to_owned());
            // A lookup cannot be interrupted, so it gets a thread. An answer that comes too late
            // for this request serves the next one.
            thread::Builder::new().spawn(move || cache.look_up(&host, begun))?;
            entry.pending = Some(begun);
        }
        let (entries, wait) = self
            .ended
            .wait_timeout_while(entries, *timeout.after, |all| all[host].pending.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if wait.timed_out() {
            return Err(Error::Timeout(timeout.reason));
        }
        match entries[host].addresses.as_slice() {
            [] => Err(Error::HostNotFound),
            addresses => Ok(addresses.to_vec()),
        }
    }

    /// The thread's part of a lookup: even after a panic, the requests that wait get an answer.
    fn look_up(&self, host: &str, begun: Instant) {
        let found = catch_unwind(AssertUnwindSafe(|| (self.lookup)(host)));
        let addresses = found.unwrap_or_default();
        let mut entries = self.entries();
        let entry = entries.get_mut(host).expect("entries are never removed");
        // The failure of a lookup that was given up says nothing about the one that replaced it.
        if !addresses.is_empty() || entry.pending == Some(begun) {
            *entry = Entry {
                pending: None,
                answered_at: (!addresses.is_empty()).then(|| self.clock.wall()),
                addresses,
            };
            self.ended.notify_all();
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver for DnsCache {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        let is_http = uri.scheme_str() == Some("http");
        let port = uri.port_u16().unwrap_or(if is_http { 80 } else { 443 });
        let addresses = self
            .addresses(host, timeout)
            .map_err(|error| Unsent::wrap(Phase::Resolve, error))?;
        let mut resolved = self.empty();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            resolved.push(SocketAddr::new(address, port));
        }
        Ok(resolved)
    }
}

impl fmt::Debug for DnsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DnsCache")
    }
}

/// Returns the addresses of hosts that need no lookup: IP addresses (IPv6 in brackets) and
/// `localhost`.
fn without_lookup(host: &str) -> Option<Vec<IpAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Some(vec![bare.parse().ok()?])
}

/// Asks the system for IPv4, and for IPv6 only if there is none. When asked for both at once, musl
/// finds nothing if a name server answers the IPv6 question with a failure. And DingTalk's address
/// lists know IPv4 alone.
fn system_lookup(host: &str) -> Vec<IpAddr> {
    let ask = |family: AddrFamily| -> Vec<IpAddr> {
        let hints = AddrInfoHints {
            address: family.into(),
            socktype: SockType::Stream.into(),
            ..AddrInfoHints::default()
        };
        let found = getaddrinfo(Some(host), None, Some(hints)).into_iter();
        found
            .flatten()
            .flatten()
            .map(|info| info.sockaddr.ip())
            .collect()
    };
    match ask(AddrFamily::Inet) {
        none if none.is_empty() => ask(AddrFamily::Inet6),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
