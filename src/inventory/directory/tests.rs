use super::super::cache::MAX_RESOURCES;
use super::*;
use crate::aliyun::Source;
use crate::clock::ManualClock;
use crate::event::Known;
use crate::testing;
use std::sync::mpsc;
use std::thread;
use std::time::SystemTime;

/// A call that was made: where, and for which ids.
type Made = (Place, Vec<String>);
/// What an inventory says to a call.
type Says = Box<dyn Fn(&Place, &[String]) -> Result<Vec<Resource>, Refusal> + Send + Sync>;

/// An inventory that records its calls.
struct Fake {
    calls: Arc<Mutex<Vec<Made>>>,
    says: Says,
}

impl Inventory for Fake {
    fn resources(
        &self,
        place: &Place,
        ids: &[String],
        _credentials: &Credentials,
        _deadline: Instant,
    ) -> Result<Vec<Resource>, Refusal> {
        let call = (place.clone(), ids.to_vec());
        self.calls.lock().unwrap().push(call);
        (self.says)(place, ids)
    }

    fn maintenance(
        &self,
        _region: &str,
        _credentials: &Credentials,
        _deadline: Instant,
    ) -> Result<Vec<Event>, MaintenanceError> {
        unreachable!("nobody asks for maintenance")
    }
}

struct Bench {
    directory: Directory,
    clock: Arc<ManualClock>,
    calls: Arc<Mutex<Vec<Made>>>,
}

impl Bench {
    fn new(
        says: impl Fn(&Place, &[String]) -> Result<Vec<Resource>, Refusal> + Send + Sync + 'static,
    ) -> Bench {
        // Half past a minute.
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_010);
        let (clock, calls) = (ManualClock::frozen_at(begin), Arc::default());
        let inventory = Fake {
            calls: Arc::clone(&calls),
            says: Box::new(says),
        };
        Bench {
            directory: Directory::new(Box::new(inventory), clock.clone(), false),
            clock,
            calls,
        }
    }

    fn look_up(&self, events: &[Event]) -> LookedUp {
        let events: Vec<Arc<Event>> = events.iter().cloned().map(Arc::new).collect();
        let asker = Asker {
            credentials: &credentials(),
            account: Some("1"),
            deadline: self.clock.now() + Duration::from_secs(60),
        };
        self.directory.look_up(&events, asker, |_| true)
    }

    fn look_up_one(&self, event: Event) -> (Option<Lookup>, Option<String>) {
        let found = self.look_up(&[event]);
        let [event] = found.events.as_slice() else {
            panic!()
        };
        let known = event.known.as_ref();
        (event.lookup, known.and_then(|known| known.name.clone()))
    }

    fn calls(&self) -> Vec<Made> {
        self.calls.lock().unwrap().clone()
    }
}

fn credentials() -> Credentials {
    Credentials::temporary("id", "secret", "token", Source::Invocation).unwrap()
}

/// The resource, called as its id with `name-` before it.
fn resource(id: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        known: Known {
            name: Some(format!("name-{id}")),
            tags: vec![("of".to_owned(), id.to_owned())],
            ..Known::default()
        },
        instance_id: None,
    }
}

fn all(_: &Place, ids: &[String]) -> Result<Vec<Resource>, Refusal> {
    Ok(ids.iter().rev().map(|id| resource(id)).collect())
}

fn refusal(lookup: Lookup) -> Refusal {
    Refusal {
        lookup,
        retry_after: None,
        remedy: format!("remedy of {}", lookup.as_str()),
    }
}

fn instance(n: usize) -> Event {
    testing::event(n)
}

fn found(name: &str) -> (Option<Lookup>, Option<String>) {
    (Some(Lookup::Found), Some(name.to_owned()))
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn what_was_found_is_known_for_ten_minutes() {
    let bench = Bench::new(all);
    let name = format!("name-{}", instance(1).resource_id.unwrap());
    assert_eq!(bench.look_up_one(instance(1)), found(&name));
    let cached = (Some(Lookup::Cached), Some(name.clone()));
    assert_eq!(bench.look_up_one(instance(1)), cached);
    bench.clock.advance(10 * MINUTE - Duration::from_secs(1));
    assert_eq!(bench.look_up_one(instance(1)), cached);
    assert_eq!(bench.calls().len(), 1);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.look_up_one(instance(1)), found(&name));
    assert_eq!(bench.calls().len(), 2);
    // After the clock was set back, nothing counts.
    bench.clock.shift_wall(-3_600_000);
    assert_eq!(bench.look_up_one(instance(1)), found(&name));
}

#[test]
fn what_is_absent_is_asked_for_again_after_a_minute() {
    let bench = Bench::new(|_, _| Ok(Vec::new()));
    for _ in 0..2 {
        let absent = (Some(Lookup::Absent), None);
        assert_eq!(bench.look_up_one(instance(1)), absent);
    }
    bench.clock.advance(MINUTE);
    bench.look_up_one(instance(1));
    assert_eq!(bench.calls().len(), 2);
}

#[test]
fn who_was_released_still_has_a_name() {
    let is_gone = Arc::new(Mutex::new(false));
    let gone = Arc::clone(&is_gone);
    let bench = Bench::new(move |place, ids| match *gone.lock().unwrap() {
        true => Ok(Vec::new()),
        false => all(place, ids),
    });
    let (_, name) = bench.look_up_one(instance(1));
    *is_gone.lock().unwrap() = true;
    for _ in 0..3 {
        bench.clock.advance(10 * MINUTE);
        let cached = (Some(Lookup::Cached), name.clone());
        assert_eq!(bench.look_up_one(instance(1)), cached);
        assert_eq!(bench.look_up_one(instance(1)), cached);
    }
    assert_eq!(bench.calls().len(), 4);
}

#[test]
fn a_refusal_counts_as_long_as_it_would_be_repeated() {
    let seconds = Duration::from_secs;
    for (lookup, retry_after, pause) in [
        (Lookup::Denied, None, Some(5 * MINUTE)),
        (Lookup::Denied, Some(Duration::ZERO), None),
        // The next full minute begins in half a minute.
        (Lookup::Throttled, None, Some(seconds(30))),
        (Lookup::Throttled, Some(seconds(7)), Some(seconds(7))),
        (Lookup::Unreachable, None, None),
        (Lookup::Expired, None, None),
    ] {
        let bench = Bench::new(move |_, _| {
            Err(Refusal {
                retry_after,
                ..refusal(lookup)
            })
        });
        for n in 1..3 {
            let looked_up = bench.look_up(&[instance(n), instance(n)]);
            assert_eq!(looked_up.events[0].lookup, Some(lookup));
            assert_eq!(looked_up.events[0].known, None);
            let remedy = format!("remedy of {}", lookup.as_str());
            assert_eq!(looked_up.problem, Some(remedy));
        }
        let calls = bench.calls().len();
        assert_eq!(calls, if pause.is_some() { 1 } else { 2 }, "{lookup:?}");
        if let Some(pause) = pause {
            bench.clock.advance(pause - seconds(1));
            bench.look_up_one(instance(1));
            assert_eq!(bench.calls().len(), 1, "{lookup:?}");
            bench.clock.advance(seconds(1));
            bench.look_up_one(instance(1));
            assert_eq!(bench.calls().len(), 2, "{lookup:?}");
        }
    }
}

#[test]
fn what_was_known_is_used_where_nothing_can_be_asked() {
    let is_denied = Arc::new(Mutex::new(false));
    let denied = Arc::clone(&is_denied);
    let bench = Bench::new(move |place, ids| match *denied.lock().unwrap() {
        true => Err(refusal(Lookup::Denied)),
        false => all(place, ids),
    });
    let (_, name) = bench.look_up_one(instance(1));
    *is_denied.lock().unwrap() = true;
    bench.clock.advance(10 * MINUTE);
    assert_eq!(bench.look_up_one(instance(1)), (Some(Lookup::Denied), name));
}

#[test]
fn a_disk_has_its_own_name_and_that_of_its_instance() {
    let bench = Bench::new(|place, ids| {
        let mut found = all(place, ids)?;
        if place.kind == Kind::Disk {
            found[0].instance_id = Some("i-host".to_owned());
        }
        Ok(found)
    });
    let disk = Event {
        resource_id: Some("d-1".into()),
        ..instance(1)
    };
    let looked_up = bench.look_up(&[disk]);
    let known = looked_up.events[0].known.as_ref().unwrap();
    assert_eq!(known.name.as_deref(), Some("name-d-1"));
    assert_eq!(known.instance_name.as_deref(), Some("name-i-host"));
    // Its own tags come first.
    assert_eq!(known.tag("OF"), Some("d-1"));
    assert_eq!(known.tags.len(), 2);
    let kinds: Vec<Kind> = bench.calls().iter().map(|call| call.0.kind).collect();
    assert_eq!(kinds, [Kind::Disk, Kind::Instance]);
}

#[test]
fn what_cannot_be_asked_for_is_not() {
    let bench = Bench::new(all);
    let with = |change: &dyn Fn(&mut Event)| {
        let mut event = instance(1);
        change(&mut event);
        event
    };
    let set = |text: &str| Some(text.to_owned());
    for event in [
        with(&|event| event.source = "acs.rds".into()),
        with(&|event| event.resource_id = None),
        with(&|event| event.resource_id = set("eni-1")),
        with(&|event| event.resource_id = set("i-1&Action=x")),
        with(&|event| event.region = None),
        with(&|event| event.region = set("evil.example/")),
        with(&|event| event.region = set("../cn")),
        with(&|event| event.region = set("cn hangzhou")),
        with(&|event| event.region = set("")),
        with(&|event| event.account = set("2")),
    ] {
        assert_eq!(bench.look_up_one(event), (None, None));
    }
    assert!(bench.calls().is_empty());
    let own = with(&|event| event.account = set("1"));
    assert_eq!(bench.look_up_one(own).0, Some(Lookup::Found));
}

#[test]
fn what_no_route_wants_is_not_asked_for() {
    let bench = Bench::new(all);
    let asker = Asker {
        credentials: &credentials(),
        account: None,
        deadline: bench.clock.now() + MINUTE,
    };
    let events = [Arc::new(instance(1)), Arc::new(instance(2))];
    let wanted = |event: &Event| event.id.as_deref() == Some("event-2");
    let looked_up = bench.directory.look_up(&events, asker, wanted);
    assert_eq!(looked_up.events[0].lookup, None);
    assert_eq!(looked_up.events[1].lookup, Some(Lookup::Found));
    assert_eq!(bench.calls()[0].1.len(), 1);
}

#[test]
fn other_accounts_are_places_of_their_own() {
    let mut bench = Bench::new(all);
    bench.directory.reaches_other_accounts = true;
    let other = |account: &str| Event {
        account: Some(account.into()),
        ..instance(1)
    };
    let events = [instance(1), other("1"), other("2"), other("prod")];
    let looked_up = bench.look_up(&events);
    let lookups: Vec<_> = looked_up.events.iter().map(|event| event.lookup).collect();
    let found = Some(Lookup::Found);
    assert_eq!(lookups, [found, found, found, None]);
    let mut accounts: Vec<_> = bench
        .calls()
        .into_iter()
        .map(|call| call.0.account)
        .collect();
    accounts.sort();
    assert_eq!(accounts, [None, Some("2".to_owned())]);
}

#[test]
fn more_than_a_hundred_ids_are_several_calls() {
    let bench = Bench::new(all);
    let events: Vec<Event> = (0..1050).map(instance).collect();
    let looked_up = bench.look_up(&events);
    let is_found = |event: &Arc<Event>| event.lookup == Some(Lookup::Found);
    assert!(looked_up.events.iter().all(is_found));
    let sizes: Vec<usize> = bench.calls().iter().map(|call| call.1.len()).collect();
    assert_eq!(sizes, [[100; 10].as_slice(), &[50]].concat());
}

#[test]
fn calls_take_a_second_or_a_quarter_of_the_time_left() {
    let clock = ManualClock::frozen_at(SystemTime::UNIX_EPOCH);
    let (send, deadlines) = mpsc::channel();
    struct Deadlines(Mutex<mpsc::Sender<Instant>>);
    impl Inventory for Deadlines {
        fn resources(
            &self,
            _place: &Place,
            _ids: &[String],
            _credentials: &Credentials,
            deadline: Instant,
        ) -> Result<Vec<Resource>, Refusal> {
            self.0.lock().unwrap().send(deadline).unwrap();
            Ok(Vec::new())
        }

        fn maintenance(
            &self,
            _region: &str,
            _credentials: &Credentials,
            _deadline: Instant,
        ) -> Result<Vec<Event>, MaintenanceError> {
            unreachable!("nobody asks for maintenance")
        }
    }
    let inventory = Box::new(Deadlines(Mutex::new(send)));
    let directory = Directory::new(inventory, clock.clone(), false);
    for (n, left, expected) in [(1, 60_000, 1_000), (2, 4_000, 1_000), (3, 2_000, 500)] {
        let asker = Asker {
            credentials: &credentials(),
            account: None,
            deadline: clock.now() + Duration::from_millis(left),
        };
        directory.look_up(&[Arc::new(instance(n))], asker, |_| true);
        let deadline = deadlines.try_recv().unwrap();
        assert_eq!((deadline - clock.now()).as_millis(), expected);
        // The next call need not wait.
        clock.advance(Duration::from_secs(10));
    }
    // Without any time, nothing is asked.
    let asker = Asker {
        credentials: &credentials(),
        account: None,
        deadline: clock.now(),
    };
    let looked_up = directory.look_up(&[Arc::new(instance(4))], asker, |_| true);
    assert_eq!(looked_up.events[0].lookup, Some(Lookup::Unreachable));
    assert!(deadlines.try_recv().is_err());
}

/// A bench whose first call waits until it is released, and the means to do so.
fn held() -> (Arc<Bench>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (begin, begun) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let (begin, released) = (Mutex::new(begin), Mutex::new(released));
    let bench = Bench::new(move |place, ids| {
        // Later calls do not wait: nobody listens any more.
        if begin.lock().unwrap().send(()).is_ok() {
            let _ = released.lock().unwrap().recv();
        }
        all(place, ids)
    });
    (Arc::new(bench), begun, release)
}

/// Looks up one instance for each number in a thread of its own, while the first call is held until
/// all of them are there.
fn at_once(numbers: &[usize]) -> (Vec<Option<Lookup>>, Vec<Made>) {
    let (bench, begun, release) = held();
    let place = bench.directory.key(&instance(0), None).unwrap().0;
    let threads: Vec<_> = numbers
        .iter()
        .map(|n| {
            let (bench, n) = (Arc::clone(&bench), *n);
            thread::spawn(move || bench.look_up_one(instance(n)).0)
        })
        .collect();
    begun.recv().unwrap();
    // All the others have come.
    while bench.directory.lock().queue(&place).invocations < numbers.len() {
        thread::yield_now();
    }
    drop(begun);
    release.send(()).unwrap();
    let lookups = threads.into_iter().map(|thread| thread.join().unwrap());
    (lookups.collect(), bench.calls())
}

#[test]
fn invocations_that_ask_at_once_share_calls() {
    let numbers: Vec<usize> = (0..100).collect();
    let (lookups, calls) = at_once(&numbers);
    assert!(lookups.iter().all(|lookup| *lookup == Some(Lookup::Found)));
    assert_eq!(calls.len(), 2);
    // One instance alone is asked for once.
    let (lookups, calls) = at_once(&[7; 100]);
    assert!(lookups.iter().all(|lookup| *lookup == Some(Lookup::Found)));
    assert_eq!(calls.len(), 1);
}

#[test]
fn a_thousand_events_of_a_hundred_instances_cost_few_calls() {
    let bench = Bench::new(all);
    for n in 0..1_000 {
        bench.look_up_one(instance(n * 37 % 100));
        bench.clock.advance(Duration::from_millis(10));
    }
    // One after the other, nothing can be asked together.
    assert_eq!(bench.calls().len(), 100);
    // As many as a slow API lets through: what comes meanwhile leaves together.
    let bench = Bench::new(all);
    for n in 0..10 {
        let events: Vec<Event> = (0..100)
            .map(|k| instance((n * 100 + k) * 37 % 100))
            .collect();
        bench.look_up(&events);
    }
    assert_eq!(bench.calls().len(), 1);
}

#[test]
fn a_failed_call_fails_all_that_waited_for_it_and_no_later_ones() {
    let (begin, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (begin, released) = (Mutex::new(begin), Mutex::new(released));
    let bench = Arc::new(Bench::new(move |place, ids| {
        if begin.lock().unwrap().send(()).is_ok() {
            let _ = released.lock().unwrap().recv();
            return Err(refusal(Lookup::Unreachable));
        }
        all(place, ids)
    }));
    let place = bench.directory.key(&instance(0), None).unwrap().0;
    let threads: Vec<_> = [1, 1, 2]
        .into_iter()
        .map(|n| {
            let is_first = bench.calls().is_empty();
            let bench = Arc::clone(&bench);
            let thread = thread::spawn(move || bench.look_up_one(instance(n)).0);
            if is_first {
                begun.recv().unwrap();
            }
            thread
        })
        .collect();
    while bench.directory.lock().queue(&place).invocations < 3 {
        thread::yield_now();
    }
    drop(begun);
    release.send(()).unwrap();
    let lookups = threads.into_iter().map(|thread| thread.join().unwrap());
    let [unreachable, found] = [Lookup::Unreachable, Lookup::Found].map(Some);
    assert_eq!(
        lookups.collect::<Vec<_>>(),
        [unreachable, unreachable, found]
    );
    assert_eq!(bench.calls().len(), 2);
    assert_eq!(bench.look_up_one(instance(1)).0, found);
}

#[test]
fn a_panic_of_a_call_fails_one_invocation_only() {
    let bench = Bench::new(|place, ids| match ids[0].ends_with('1') {
        true => panic!("a panic on purpose"),
        false => all(place, ids),
    });
    let panicking = std::panic::AssertUnwindSafe(|| bench.look_up_one(instance(1)));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert!(bench.directory.lock().queues.is_empty());
    assert_eq!(bench.look_up_one(instance(2)).0, Some(Lookup::Found));
}

#[test]
fn memory_is_bounded() {
    let bench = Bench::new(all);
    for n in 0..60 {
        let events: Vec<Event> = (0..100).map(|k| instance(n * 100 + k)).collect();
        bench.look_up(&events);
    }
    let state = bench.directory.lock();
    assert_eq!(state.cache.len(), MAX_RESOURCES);
    assert!(state.queues.is_empty());
    drop(state);
    let calls = bench.calls().len();
    bench.look_up_one(instance(5_999));
    assert_eq!(bench.calls().len(), calls);
    // The oldest was forgotten.
    bench.look_up_one(instance(0));
    assert_eq!(bench.calls().len(), calls + 1);
}
