//! The wall clock is set, by hours and to either side, at every point where something depends on it. What waits or is
//! limited in time goes by the monotonic clock; signatures and what must see a freeze go by the wall clock.

use super::{event, shown};
use crate::platform::PATIENCE;
use crate::support::{Bench, FALLBACK_TOKEN, SECRET, TOKEN, group};
use fake_dingtalk::{Fault, Group};
use std::time::Duration;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Ahead and behind: within what DingTalk takes, beyond it, by days, and to before 1970.
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

#[test]
fn between_deliveries_a_wrong_clock_is_named_and_the_right_one_completes_it() {
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
        // The log tells how long it took, not how far the clock went.
        for line in bench.lines.all() {
            assert!(
                line["durationMs"].as_u64().unwrap() < 60_000,
                "{jump}: {line}"
            );
        }
    }
}

#[test]
fn while_an_attempt_is_under_way_and_while_a_retry_waits() {
    for jump in JUMPS {
        let group = group();
        let bench = bench(&group, &[]);
        // The message is shown, its answer held back; meanwhile the clock goes. The answer counts all the same.
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
    // Between an attempt whose answer is lost and its retry.
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
fn during_a_ban_a_clock_that_goes_back_prolongs_nothing() {
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
fn during_a_ban_a_clock_that_goes_ahead_costs_one_request_at_most() {
    // It cannot be told from a freeze, in which the monotonic clock may stand still while the ban ends.
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

#[test]
fn the_memory_of_a_day_outlives_a_clock_that_goes_back_and_none_that_goes_ahead_shows_twice() {
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
fn the_pace_goes_by_the_monotonic_clock_alone() {
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

#[test]
fn names_and_connections_are_not_trusted_after_a_jump_and_fallbacks_work_on() {
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
