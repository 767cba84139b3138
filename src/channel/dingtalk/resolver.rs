//! Name lookups, remembered for a minute.
//!
//! The HTTP library asks for the address on every request, pooled connection or not. And it asks for both address
//! families at once, which fails under musl when a name server answers the IPv6 question badly.

use super::watch::Trace;
use crate::clock::Clock;
use dns_lookup::{AddrFamily, AddrInfoHints, SockType, getaddrinfo};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

const LIFETIME: Duration = Duration::from_secs(60);

/// How long a lookup is waited for by all who come; later ones ask anew. It may have been lost in a freeze.
const HOPE: Duration = Duration::from_secs(6);

/// As many addresses as the library takes.
const MOST_ADDRESSES: usize = 16;

/// Asks for a host's addresses; none if there are none or nobody could be asked.
type Lookup = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Addresses by host, with the wall-clock time of the answer: an instance may be frozen for hours.
type Answers = ByHost<(SystemTime, Vec<IpAddr>)>;

/// Something for each host; they are few.
#[derive(Debug)]
pub(super) struct ByHost<T>(Vec<(String, T)>);

impl<T> Default for ByHost<T> {
    fn default() -> ByHost<T> {
        ByHost(Vec::new())
    }
}

impl<T> ByHost<T> {
    pub(super) fn get(&self, host: &str) -> Option<&T> {
        let (_, found) = self.0.iter().find(|(known, _)| known == host)?;
        Some(found)
    }

    pub(super) fn insert(&mut self, host: &str, value: T) {
        match self.0.iter_mut().find(|(known, _)| known == host) {
            Some((_, old)) => *old = value,
            None => self.0.push((host.to_owned(), value)),
        }
    }

    fn remove(&mut self, host: &str) {
        self.0.retain(|(known, _)| known != host);
    }
}

/// A lookup under way, which all who need it wait for.
struct Asked {
    since: Instant,
    found: Mutex<Option<Vec<IpAddr>>>,
    done: Condvar,
}

/// A resolver with a memory; clones share it.
#[derive(Clone)]
pub(super) struct Names {
    answers: Arc<Mutex<Answers>>,
    under_way: Arc<Mutex<ByHost<Arc<Asked>>>>,
    lookup: Arc<Lookup>,
    clock: Arc<dyn Clock>,
}

impl Names {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Names {
        Names {
            answers: Arc::default(),
            under_way: Arc::default(),
            lookup: Arc::new(system_lookup),
            clock,
        }
    }

    /// Forgets all addresses. For when one of them did not take a connection.
    pub(super) fn forget(&self) {
        *self.answers() = ByHost::default();
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, host: &str) -> Option<Vec<IpAddr>> {
        let answers = self.answers();
        let (since, addresses) = answers.get(host)?;
        let age = self.clock.wall().duration_since(*since).ok()?;
        (age < LIFETIME).then(|| addresses.clone())
    }

    fn addresses(&self, host: &str, timeout: NextTimeout) -> Result<Vec<IpAddr>, Error> {
        if let Some(addresses) = literal(host).or_else(|| self.remembered(host)) {
            return Ok(addresses);
        }
        match self.ask(host)?.wait(*timeout.after) {
            Some(addresses) if addresses.is_empty() => Err(Error::HostNotFound),
            Some(addresses) => Ok(addresses),
            None => Err(Error::Timeout(timeout.reason)),
        }
    }

    /// Joins the lookup of this host that is under way, or begins one.
    fn ask(&self, host: &str) -> Result<Arc<Asked>, Error> {
        let mut under_way = self.under_way();
        let current = under_way.get(host);
        if let Some(asked) = current.filter(|asked| asked.since.elapsed() < HOPE) {
            return Ok(Arc::clone(asked));
        }
        let asked = Arc::new(Asked {
            since: Instant::now(),
            found: Mutex::default(),
            done: Condvar::new(),
        });
        let mut answering = Answering {
            names: self.clone(),
            host: host.to_owned(),
            asked: Arc::clone(&asked),
            found: Vec::new(),
        };
        // A lookup cannot be interrupted, so it gets a thread. An answer that comes too late serves the next attempt.
        thread::Builder::new().spawn(move || answering.look_up())?;
        under_way.insert(host, Arc::clone(&asked));
        Ok(asked)
    }

    fn under_way(&self) -> MutexGuard<'_, ByHost<Arc<Asked>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// What was found; `None` when that is not known in time.
    fn wait(&self, time: Duration) -> Option<Vec<IpAddr>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .done
            .wait_timeout_while(found, time, |found| found.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

/// The thread's part of a lookup. However it ends, those who wait are told.
struct Answering {
    names: Names,
    host: String,
    asked: Arc<Asked>,
    found: Vec<IpAddr>,
}

impl Answering {
    fn look_up(&mut self) {
        self.found = (self.names.lookup)(&self.host);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let found = std::mem::take(&mut self.found);
        if !found.is_empty() {
            let answer = (self.names.clock.wall(), found.clone());
            self.names.answers().insert(&self.host, answer);
        }
        // Nobody joins a lookup that is over.
        let mut under_way = self.names.under_way();
        let current = under_way.get(&self.host);
        if current.is_some_and(|asked| Arc::ptr_eq(asked, &self.asked)) {
            under_way.remove(&self.host);
        }
        drop(under_way);
        let told = self.asked.found.lock();
        *told.unwrap_or_else(PoisonError::into_inner) = Some(found);
        self.asked.done.notify_all();
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("http") => 80,
            _ => 443,
        });
        let mut resolved = self.empty();
        for address in self
            .addresses(host, timeout)?
            .into_iter()
            .take(MOST_ADDRESSES)
        {
            resolved.push(SocketAddr::new(address, port));
        }
        Trace::resolved();
        Ok(resolved)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

/// What needs no lookup: IP addresses (IPv6 in brackets) and `localhost`.
fn literal(host: &str) -> Option<Vec<IpAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    Some(vec![bare.parse().ok()?])
}

/// Asks the system, for IPv4 first and for IPv6 only if there is none: DingTalk's address lists know IPv4 alone.
fn system_lookup(host: &str) -> Vec<IpAddr> {
    let ask = |family: AddrFamily| -> Vec<IpAddr> {
        let hints = AddrInfoHints {
            address: family.into(),
            socktype: SockType::Stream.into(),
            ..AddrInfoHints::default()
        };
        let Ok(found) = getaddrinfo(Some(host), None, Some(hints)) else {
            return Vec::new();
        };
        found.flatten().map(|info| info.sockaddr.ip()).collect()
    };
    let v4 = ask(AddrFamily::Inet);
    if v4.is_empty() {
        ask(AddrFamily::Inet6)
    } else {
        v4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::time::Instant;
    use ureq::Timeout;
    use ureq::unversioned::transport::time;

    /// A clock whose wall time is set by hand.
    #[derive(Default)]
    struct Wall(AtomicU64);

    impl Clock for Wall {
        fn now(&self) -> Instant {
            Instant::now()
        }
        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
        fn sleep_duration_until(&self, _: Instant) -> Duration {
            Duration::ZERO
        }
    }

    fn names(
        clock: Arc<dyn Clock>,
        lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static,
    ) -> Names {
        Names {
            lookup: Arc::new(lookup),
            ..Names::new(clock)
        }
    }

    fn within(limit: Duration) -> NextTimeout {
        NextTimeout {
            after: time::Duration::Exact(limit),
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        }
    }

    const LONG: Duration = Duration::from_secs(30);
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn an_answer_serves_for_a_minute_and_not_after_the_clock_went_back() {
        let clock = Arc::new(Wall::default());
        clock.0.store(1000, Ordering::SeqCst);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let names = names(clock.clone(), move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            vec![HERE]
        });
        for (second, expected) in [(1000, 1), (1059, 1), (1060, 2), (1059, 3), (1060, 3)] {
            clock.0.store(second, Ordering::SeqCst);
            assert_eq!(names.addresses("h.example", within(LONG)).unwrap(), [HERE]);
            assert_eq!(asked.load(Ordering::SeqCst), expected, "second {second}");
        }
        names.forget();
        names.addresses("h.example", within(LONG)).unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn a_late_answer_ends_one_attempt_and_serves_the_next() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let names = names(Arc::new(SystemClock), move |_| {
            held.lock().unwrap().recv().unwrap();
            vec![HERE]
        });
        let late = names.addresses("h.example", within(Duration::from_millis(5)));
        assert!(matches!(late, Err(Error::Timeout(Timeout::Resolve))));
        release.send(()).unwrap();
        while names.remembered("h.example").is_none() {
            thread::yield_now();
        }
        // The lookup would fail now: nobody releases it.
        drop(release);
        assert_eq!(names.addresses("h.example", within(LONG)).unwrap(), [HERE]);
    }

    #[test]
    fn who_asks_while_a_lookup_is_under_way_gets_its_answer_and_starts_no_other() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let names = names(Arc::new(SystemClock), move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            // Fails, and so no longer waits, for whoever comes after the first.
            let _ = held.lock().unwrap().recv();
            vec![HERE]
        });
        let late = names.addresses("h.example", within(Duration::from_millis(5)));
        assert!(matches!(late, Err(Error::Timeout(Timeout::Resolve))));
        thread::scope(|scope| {
            let others: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| names.addresses("h.example", within(LONG)).unwrap()))
                .collect();
            thread::sleep(Duration::from_millis(20));
            drop(release);
            for other in others {
                assert_eq!(other.join().unwrap(), [HERE]);
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_lookup_that_panics_finds_nothing_and_the_next_one_asks_anew() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let names = names(Arc::new(SystemClock), move |_| {
            assert_ne!(count.fetch_add(1, Ordering::SeqCst), 0);
            vec![HERE]
        });
        let nothing = names.addresses("h.example", within(LONG));
        assert!(matches!(nothing, Err(Error::HostNotFound)));
        assert_eq!(names.addresses("h.example", within(LONG)).unwrap(), [HERE]);
    }

    #[test]
    fn no_answer_is_not_remembered() {
        let names = names(Arc::new(SystemClock), |_| Vec::new());
        for _ in 0..2 {
            let nothing = names.addresses("h.example", within(LONG));
            assert!(matches!(nothing, Err(Error::HostNotFound)));
        }
        assert!(names.answers().0.is_empty());
    }

    #[test]
    fn addresses_and_localhost_need_no_lookup() {
        let names = names(Arc::new(SystemClock), |host| panic!("asked for {host}"));
        for (uri, expected) in [
            ("http://127.0.0.2:81/", &["127.0.0.2:81"][..]),
            ("https://[::1]/", &["[::1]:443"]),
            ("http://LOCALHOST/", &["127.0.0.1:80", "[::1]:80"]),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let found = names
                .resolve(&uri, &Config::default(), within(LONG))
                .unwrap();
            let found: Vec<String> = found.iter().map(SocketAddr::to_string).collect();
            assert_eq!(found, expected);
        }
    }
}
