use super::*;
use crate::clock::{ManualClock, SystemClock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use ureq::Timeout;
use ureq::unversioned::transport::time;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(5);
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn within(limit: Duration) -> NextTimeout {
    NextTimeout {
        after: time::Duration::Exact(limit),
        reason: Timeout::Resolve,
        ..NextTimeout::default()
    }
}

/// A cache, and how often it looked a name up.
fn counting(
    clock: Arc<dyn Clock>,
    lookup: impl Fn(usize) -> Vec<IpAddr> + Send + Sync + 'static,
) -> (DnsCache, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let cache = DnsCache {
        lookup: Arc::new(move |_: &str| lookup(counted.fetch_add(1, Ordering::SeqCst))),
        ..DnsCache::new(clock)
    };
    (cache, count)
}

#[test]
fn an_answer_serves_for_a_minute_of_wall_time() {
    let clock = ManualClock::frozen_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1000));
    let (cache, count) = counting(clock.clone(), |_| vec![ADDRESS]);
    // At the end the clock is set back to before the latest answer.
    for (second, expected) in [(0, 1), (59, 1), (60, 2), (59, 3), (60, 3)] {
        clock.shift_wall(1000 * second);
        assert_eq!(
            cache.addresses("h.example", within(LONG)).unwrap(),
            [ADDRESS]
        );
        assert_eq!(count.load(Ordering::SeqCst), expected, "second {second}");
    }
    cache.invalidate();
    cache.addresses("h.example", within(LONG)).unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[test]
fn a_late_answer_ends_one_attempt_and_serves_the_next() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let (cache, count) = counting(Arc::new(SystemClock), move |_| {
        held.lock().unwrap().recv().unwrap();
        vec![ADDRESS]
    });
    let late = cache.addresses("h.example", within(SHORT));
    assert!(matches!(late, Err(Error::Timeout(Timeout::Resolve))));
    release.send(()).unwrap();
    while cache.entries()["h.example"].pending.is_some() {
        thread::yield_now();
    }
    let next = cache.addresses("h.example", within(SHORT));
    assert_eq!(next.unwrap(), [ADDRESS]);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn requests_join_the_lookup_that_is_under_way() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let (cache, count) = counting(Arc::new(SystemClock), move |_| {
        // Fails, and so no longer waits, once the sender is dropped.
        let _ = held.lock().unwrap().recv();
        vec![ADDRESS]
    });
    let late = cache.addresses("h.example", within(SHORT));
    assert!(matches!(late, Err(Error::Timeout(Timeout::Resolve))));
    thread::scope(|scope| {
        let others: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| cache.addresses("h.example", within(LONG)).unwrap()))
            .collect();
        // Each of them either waits by now or finds the answer.
        thread::sleep(Duration::from_millis(20));
        drop(release);
        for other in others {
            assert_eq!(other.join().unwrap(), [ADDRESS]);
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn a_failure_of_an_abandoned_lookup_is_ignored() {
    let (cache, _) = counting(Arc::new(SystemClock), |_| Vec::new());
    let current = Some(Instant::now());
    let entry = Entry {
        pending: current,
        ..Entry::default()
    };
    cache.entries().insert("h.example".into(), entry);
    cache.look_up("h.example", Instant::now() - LONG);
    let entry = &cache.entries()["h.example"];
    assert_eq!((entry.pending, entry.answered_at), (current, None));
}

#[test]
fn a_lookup_that_panics_finds_nothing() {
    let (cache, _) = counting(Arc::new(SystemClock), |number| {
        assert_ne!(number, 0);
        vec![ADDRESS]
    });
    let nothing = cache.addresses("h.example", within(LONG));
    assert!(matches!(nothing, Err(Error::HostNotFound)));
    let next = cache.addresses("h.example", within(LONG));
    assert_eq!(next.unwrap(), [ADDRESS]);
}

#[test]
fn a_failure_is_not_kept() {
    let (cache, count) = counting(Arc::new(SystemClock), |_| Vec::new());
    for _ in 0..2 {
        let nothing = cache.addresses("h.example", within(LONG));
        assert!(matches!(nothing, Err(Error::HostNotFound)));
    }
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[test]
fn addresses_and_localhost_need_no_lookup() {
    let (cache, _) = counting(Arc::new(SystemClock), |_| panic!("a lookup"));
    for (uri, expected) in [
        ("http://127.0.0.2:81/", &["127.0.0.2:81"][..]),
        ("https://[::1]/", &["[::1]:443"]),
        ("http://LOCALHOST/", &["127.0.0.1:80", "[::1]:80"]),
    ] {
        let uri: Uri = uri.parse().unwrap();
        let found = cache.resolve(&uri, &Config::default(), within(LONG));
        let found: Vec<String> = found.unwrap().iter().map(SocketAddr::to_string).collect();
        assert_eq!(found, expected);
    }
}
