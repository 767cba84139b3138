//! One invocation at a time, on a clock that jumps to whatever is waited for.

use super::simulation::{attempt, event, routes};
use crate::channel::dingtalk::Endpoint;
use crate::channel::{Attempt, Class, SendOptions};
use crate::clock::Clock;
use crate::delivery::{Dispatcher, Failure, Transport};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

struct JumpingClock {
    begin: Instant,
    wall: SystemTime,
    passed: Mutex<Duration>,
}

impl JumpingClock {
    fn pass(&self, time: Duration) {
        *self.passed.lock().unwrap() += time;
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Instant {
        self.begin + *self.passed.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        self.wall + *self.passed.lock().unwrap()
    }

    fn sleep_duration_until(&self, then: Instant) -> Duration {
        self.pass(then.saturating_duration_since(self.now()));
        Duration::ZERO
    }
}

/// Gives each answer after so long, the last one first.
struct Script(Arc<JumpingClock>, Mutex<Vec<(Duration, Class)>>);

impl Transport for Script {
    fn attempt(
        &self,
        _endpoint: &Endpoint,
        _body: &[u8],
        _options: SendOptions,
        _deadline: Instant,
    ) -> Attempt {
        let (time, class) = self.1.lock().unwrap().pop().unwrap();
        self.0.pass(time);
        attempt(class, None)
    }
}

#[test]
fn what_was_settled_behind_an_event_that_was_not_is_told_as_it_was_settled() {
    let second = Duration::from_secs(1);
    let clock = Arc::new(JumpingClock {
        begin: Instant::now(),
        wall: SystemTime::now(),
        passed: Mutex::default(),
    });
    let mut answers = vec![(second, Class::Unclear); 4];
    answers.push((second, Class::Delivered));
    answers.push((60 * second, Class::Unclear));
    answers.reverse();
    let script = Script(Arc::clone(&clock), Mutex::new(answers));
    let dispatcher = Dispatcher::new(
        &routes(&["aaaaaaaaaaaa"], "20", None),
        script,
        clock.clone(),
    );

    let first = dispatcher.deliver(0, &[event(1)], clock.now() + 59 * second);
    assert_eq!(first[0].failure, Some(Failure::Unreachable));
    // Its message goes first, as it was; then comes the new event's, which stands before it in the payload.
    let again = dispatcher.deliver(0, &[event(2), event(1)], clock.now() + 59 * second);
    assert_eq!(again[0].failure, Some(Failure::Deadline));
    assert_eq!(again[1].failure, None);
    assert_eq!(again[1].duration, second);
    assert!(again[0].duration >= 61 * second);
}
