//! The one clock of function, group and API: the machine's, moved ahead by the form "Time".

use crate::settings::Problem;
use ecs_dingtalk_notifier::clock::{self, Clock, SystemClock};
use jiff::civil::{DateTime, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How far ahead one move goes at most.
const MAX_MOVE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The machine's clock, and how far it was moved ahead. It runs in real time and never goes back.
#[derive(Default)]
pub struct MovableClock {
    ahead_ms: AtomicI64,
}

impl MovableClock {
    /// Returns the time that it shows.
    pub fn time(&self) -> Timestamp {
        clock::to_timestamp(self.wall())
    }

    /// Returns how far it is ahead of the machine's, in milliseconds.
    pub fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::SeqCst)
    }

    /// Moves it ahead to `then`, when it is `now`. The problem tells the time in `zone`.
    ///
    /// # Errors
    /// If that is in its past, or too far ahead.
    pub fn move_to(&self, then: Timestamp, now: Timestamp, zone: &TimeZone) -> Result<(), Problem> {
        let by = then.duration_since(now);
        let shown = zone.to_datetime(now).strftime("%Y-%m-%d %H:%M:%S");
        if by.is_negative() {
            return Err(Problem::Playground(format!(
                "the clock never goes back: it is {shown} already"
            )));
        }
        if by > MAX_MOVE {
            return Err(Problem::Playground(format!(
                "the clock goes a year ahead at most, and it is {shown}"
            )));
        }
        // Rounded up: it must not show a time before `then`.
        let ms = by.as_millis() as i64 + 1;
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
        Ok(())
    }
}

impl Clock for MovableClock {
    /// The machine's own. A move is to the function as if its instance had been frozen in between,
    /// as Function Compute freezes idle ones: it costs invocations under way none of their time.
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now() + Duration::from_millis(self.ahead_ms().unsigned_abs())
    }

    fn sleep_duration_until(&self, then: Instant) -> Duration {
        SystemClock.sleep_duration_until(then)
    }
}

/// Where the clock is moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The next tick of the timer that `s.yaml` deploys: the next full hour.
    Tick,
    /// The next 09:00.
    Morning,
    /// A time of the day, as a clock on the wall shows it.
    At(DateTime),
}

impl Goal {
    /// Parses what the page sends: `tick`, `morning` or `2026-11-28T09:00`.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn parse(text: &str) -> Result<Goal, Problem> {
        let problem = || Problem::Playground("write a time such as 2026-11-28T09:00".into());
        match text {
            "tick" => Ok(Goal::Tick),
            "morning" => Ok(Goal::Morning),
            _ => text.parse().map(Goal::At).map_err(|_| problem()),
        }
    }

    /// Returns when that is for clocks in `zone`; `None` beyond the end of the calendar.
    pub fn after(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let in_zone = |at: DateTime| zone.to_timestamp(at).ok();
        match self {
            Goal::Tick => Some(next_hour(now)),
            Goal::Morning => {
                let today = zone.to_datetime(now).date();
                let morning = in_zone(today.to_datetime(time(9, 0, 0, 0)))?;
                if morning > now {
                    return Some(morning);
                }
                let tomorrow = today.checked_add(1.day()).ok()?;
                in_zone(tomorrow.to_datetime(time(9, 0, 0, 0)))
            }
            Goal::At(at) => in_zone(at),
        }
    }
}

/// Returns the first full hour after `now`.
pub fn next_hour(now: Timestamp) -> Timestamp {
    let seconds = now.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(3600) + 3600).unwrap_or(now)
}

/// Returns the event of the timer that `s.yaml` deploys.
pub fn tick(at: Timestamp) -> String {
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(r#"{{"triggerTime":"{at}","triggerName":"tick","payload":"{{\"task\":\"tick\"}}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecs_dingtalk_notifier::trigger::{self, Trigger};

    #[test]
    fn it_runs_on_where_it_was_moved_and_never_goes_back() {
        let clock = MovableClock::default();
        let then = clock.time() + 5.hours();
        let go = |then| clock.move_to(then, clock.time(), &TimeZone::UTC);
        go(then).unwrap();
        let late = clock.time().duration_since(then);
        assert!(late > SignedDuration::ZERO && late < SignedDuration::from_secs(10));
        let further = then + 20.hours();
        go(further).unwrap();
        assert!(clock.time() > further);
        let ahead = clock.ahead_ms();
        for (odd, why) in [
            (further, "never goes back"),
            (then, "never goes back"),
            (further + (24 * 367).hours(), "a year ahead at most"),
        ] {
            let problem = go(odd).unwrap_err().text();
            assert!(problem.contains(why), "{problem}");
        }
        assert_eq!(clock.ahead_ms(), ahead);
    }

    #[test]
    fn waits_take_real_time() {
        let clock = MovableClock::default();
        let now = clock.time();
        clock.move_to(now + 5.hours(), now, &TimeZone::UTC).unwrap();
        let wait = clock.sleep_duration_until(clock.now() + Duration::from_secs(60));
        assert!(wait > Duration::from_secs(50), "{wait:?}");
    }

    #[test]
    fn the_next_tick_and_the_next_morning_are_later_than_now() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (now, tick, morning) in [
            (
                "2026-11-26T00:59:59Z",
                "2026-11-26T01:00:00Z",
                "2026-11-26T01:00:00Z",
            ),
            (
                "2026-11-26T01:00:00Z",
                "2026-11-26T02:00:00Z",
                "2026-11-27T01:00:00Z",
            ),
            (
                "2026-11-26T16:30:00.5Z",
                "2026-11-26T17:00:00Z",
                "2026-11-27T01:00:00Z",
            ),
        ] {
            let now = now.parse().unwrap();
            let after = |goal: Goal| goal.after(now, &zone).unwrap().to_string();
            assert_eq!(after(Goal::Tick), tick, "{now}");
            assert_eq!(after(Goal::Morning), morning, "{now}");
        }
        let goal = Goal::parse("2026-11-28T09:30").unwrap();
        let at = goal.after(Timestamp::UNIX_EPOCH, &zone).unwrap();
        assert_eq!(at.to_string(), "2026-11-28T01:30:00Z");
        assert!(Goal::parse("soon").is_err() && Goal::parse("").is_err());
    }

    #[test]
    fn the_function_takes_it_for_a_tick() {
        let at = "2026-11-26T01:00:00Z".parse().unwrap();
        let Trigger::Tick(parsed) = trigger::parse(tick(at).as_bytes()) else {
            panic!("{}", tick(at));
        };
        assert_eq!(parsed.at, at);
    }
}
