//! Sets the wall clock forward and back at every point where something depends on it. Waits and
//! limits use the monotonic clock; signatures and the detection of a freeze use the wall clock.

use super::{event, shown};
use crate::platform::PATIENCE;
use crate::support::{Bench, FALLBACK_TOKEN, SECRET, TOKEN, group};
use fake_dingtalk::{Fault, Group};
use std::time::Duration;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// In seconds: within and beyond what DingTalk accepts, by days, and to before 1970.
const JUMPS: [i64; 8] = [
    HOUR / 2,
    -HOUR / 2,
    3 * HOUR,
    -3 * HOUR,
    30 * DAY,
    -30 * DAY,
    9_000 * DAY,
    -25_000 * DAY,
];

fn bench(group: &Group, more: &[(&str, &str)]) -> Bench {
    let webhook = group.webhook(TOKEN);
    let mut vars = vec![
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("DINGTALK_SECRET", SECRET),
        ("EVENT_LEVELS", "CRITICAL,WARN,INFO"),
    ];
    vars.extend_from_slice(more);
    Bench::new(&vars)
}

fn send(bench: &Bench, number: usize) -> Result<(), (String, String)> {
    bench.handle(&event(number).to_string()).0
}

/// With the right clock, the repeat delivers the event.
#[test]
fn when_the_clock_jumps_between_deliveries_the_error_names_it() {
    for jump in JUMPS {
        let group = group();
        let bench = bench(&group, &[]);
        assert_eq!(send(&bench, 1), Ok(()));
        bench.clock.shift_wall(1000 * jump);
        let result = send(&bench, 2);
        if jump.abs() < HOUR {
            assert_eq!(result, Ok(()), "{jump}");
        } else {
            let (error, message) = result.unwrap_err();
            assert_eq!(error, "Refused", "{jump}");
            assert!(message.contains("clock"), "{jump}: {message}");
            bench.clock.shift_wall(0);
            assert_eq!(send(&bench, 2), Ok(()), "{jump}");
        }
        assert_eq!(shown(&group.deliveries(), 2), 1, "{jump}");
        // The duration in the log is not affected by the jump.
        for line in bench.lines.all() {
            assert!(
                line["durationMs"].as_u64().unwrap() < 60_000,
                "{jump}: {line}"
            );
        }
    }
}

#[test]
fn when_the_clock_jumps_during_an_attempt_or_retry_it_delivers() {
    for jump in JUMPS {
        let group = group();
        let bench = bench(&group, &[]);
        // The clock jumps while the answer is held; the answer still counts.
        group.fault(Fault::Hold);
        std::thread::scope(|scope| {
            let sent = scope.spawn(|| send(&bench, 1));
            assert!(group.wait_until_held(1, PATIENCE));
            bench.clock.shift_wall(1000 * jump);
            group.release();
            assert_eq!(sent.join().unwrap(), Ok(()), "{jump}");
        });
        assert_eq!(shown(&group.deliveries(), 1), 1, "{jump}");
        for line in bench.lines.all() {
            assert!(
                line["durationMs"].as_u64().unwrap() < 60_000,
                "{jump}: {line}"
            );
        }
    }
    // The clock jumps between an attempt whose answer is lost and its retry.
    let group = group();
    let bench = bench(&group, &[]);
    group.faults([Fault::AcceptThenReset, Fault::AcceptThenReset]);
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| send(&bench, 1));
        for jump in [1_800, -1_800, 0, 600]
            .iter()
            .cycle()
            .take_while(|_| !sent.is_finished())
        {
            bench.clock.shift_wall(1000 * (*jump));
            std::thread::yield_now();
        }
        assert_eq!(sent.join().unwrap(), Ok(()));
    });
    assert_eq!(shown(&group.deliveries(), 1), 1);
}

#[test]
fn when_the_clock_goes_back_a_ban_is_not_prolonged() {
    let group = group();
    let bench = bench(&group, &[]);
    group.fault(Fault::Answer(
        r#"{"errcode":130101,"errmsg":"send too fast"}"#.into(),
    ));
    assert_eq!(send(&bench, 1).unwrap_err().0, "Throttled");
    bench.clock.shift_wall(1000 * (-5 * HOUR));
    bench.clock.advance(Duration::from_secs(590));
    assert_eq!(send(&bench, 1).unwrap_err().0, "Throttled");
    assert_eq!(group.calls().len(), 1);
    bench.clock.advance(Duration::from_secs(15));
    bench.clock.shift_wall(1000 * (-HOUR / 2));
    assert_eq!(send(&bench, 1), Ok(()));
    assert_eq!(shown(&group.deliveries(), 1), 1);
}

#[test]
fn when_the_clock_goes_ahead_a_ban_costs_one_request_at_most() {
    // A jump looks like a freeze, during which the monotonic clock may stand still while the ban
    // ends.
    let group = group();
    let bench = bench(&group, &[]);
    let ban = Fault::Answer(r#"{"errcode":130101,"errmsg":"send too fast"}"#.into());
    group.faults([ban.clone(), ban]);
    assert_eq!(send(&bench, 1).unwrap_err().0, "Throttled");
    bench.clock.shift_wall(1000 * (HOUR / 2));
    for _ in 0..5 {
        assert_eq!(send(&bench, 1).unwrap_err().0, "Throttled");
        bench.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(group.calls().len(), 2);
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(send(&bench, 1), Ok(()));
}

/// A clock that goes ahead by a day ends the record, but DingTalk still knows the message's key.
#[test]
fn when_the_clock_jumps_a_repeat_is_not_shown_again() {
    for jump in JUMPS {
        let group = group();
        let bench = bench(&group, &[]);
        assert_eq!(send(&bench, 1), Ok(()));
        bench.clock.shift_wall(1000 * jump);
        let known = bench.handle(&event(1).to_string());
        if jump < DAY {
            assert_eq!(known.0, Ok(()), "{jump}");
            assert_eq!(
                known.1["events"][0]["routes"][0]["outcome"], "duplicate",
                "{jump}"
            );
            assert_eq!(group.calls().len(), 1, "{jump}");
        }
        bench.clock.shift_wall(0);
        assert_eq!(send(&bench, 1), Ok(()), "{jump}");
        assert_eq!(shown(&group.deliveries(), 1), 1, "{jump}");
    }
}

#[test]
fn the_rate_limit_uses_the_monotonic_clock_alone() {
    for jump in JUMPS {
        let group = group();
        let bench = bench(&group, &[("DINGTALK_RATE_LIMIT", "3")]);
        assert_eq!(send(&bench, 1), Ok(()));
        bench.clock.shift_wall(1000 * jump);
        let within = Duration::from_secs(10);
        let (error, _) = bench
            .handle_within(&event(2).to_string(), within)
            .0
            .unwrap_err();
        assert_eq!(error, "Throttled", "{jump}");
        assert_eq!(group.calls().len(), 1, "{jump}");
        bench.clock.shift_wall(0);
        bench.clock.advance(Duration::from_secs(31));
        assert_eq!(send(&bench, 2), Ok(()), "{jump}");
    }
}

/// The fallback still works then.
#[test]
fn after_a_jump_connections_are_not_reused() {
    for jump in [HOUR / 2, -HOUR / 2] {
        let group = group();
        let fallback = group.webhook(FALLBACK_TOKEN);
        let bench = bench(&group, &[("DINGTALK_FALLBACK_WEBHOOK", &fallback)]);
        assert_eq!(send(&bench, 1), Ok(()));
        bench.clock.shift_wall(1000 * jump);
        group.fault(Fault::Answer(r#"{"errcode":660026,"errmsg":"x"}"#.into()));
        assert_eq!(send(&bench, 2), Ok(()));
        let calls = group.calls();
        assert_eq!(calls.len(), 3);
        assert_ne!(calls[0].connection, calls[1].connection);
        assert_eq!(calls[2].token, FALLBACK_TOKEN);
        assert_eq!(shown(&group.deliveries(), 2), 1);
    }
}
