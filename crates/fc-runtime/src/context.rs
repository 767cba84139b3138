//! What is known about one invocation beside its event.

use super::head::Head;
use std::time::{Duration, Instant};

/// The time limit of an invocation that tells none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that Function Compute lets a function run.
const MAX_TIMEOUT: Duration = Duration::from_secs(86_400);
/// Time that is kept for the answer's way back; of short time limits a third.
const MARGIN: Duration = Duration::from_secs(1);

/// One invocation, from the `x-fc-*` headers. Holds no credentials. Every header may be absent or empty.
#[derive(Debug, Clone)]
pub struct Context {
    /// The platform's id of the request, opaque text of no fixed format; empty when absent.
    pub request_id: String,
    /// When the answer must be ready: the arrival of the request's first byte, plus [`timeout`](Context::timeout), less
    /// 1 s, or less a third of the timeout where that is less.
    pub deadline: Instant,
    /// The function's time limit as told (`x-fc-function-timeout`, seconds), at most a day; 60 s where it is not told.
    pub timeout: Duration,
    /// Name of the function.
    pub function_name: Option<String>,
    /// Region id: `cn-hangzhou`.
    pub region: Option<String>,
    /// Id of the account that owns the function.
    pub account_id: Option<String>,
    /// Version or alias that was called: `LATEST`.
    pub qualifier: Option<String>,
    /// How many times the platform has repeated this asynchronous call. The header is not documented.
    pub retry_count: Option<u32>,
}

impl Context {
    /// The time left until the deadline; zero when it is over.
    pub fn remaining(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    /// A context for running a handler outside Function Compute: the deadline is `timeout` (at most a day) from now.
    pub fn for_command(timeout: Duration) -> Context {
        let timeout = timeout.min(MAX_TIMEOUT);
        Context {
            request_id: String::new(),
            deadline: Instant::now() + timeout,
            timeout,
            function_name: None,
            region: None,
            account_id: None,
            qualifier: None,
            retry_count: None,
        }
    }

    /// The context of a request whose first byte came at `arrived`.
    pub(super) fn of(head: &Head, arrived: Instant) -> Context {
        let field = |name| head.field(name).map(str::to_owned);
        let timeout = head
            .field("x-fc-function-timeout")
            .and_then(seconds)
            .unwrap_or(DEFAULT_TIMEOUT);
        Context {
            request_id: field("x-fc-request-id").unwrap_or_default(),
            deadline: arrived + timeout.saturating_sub(MARGIN.min(timeout / 3)),
            timeout,
            function_name: field("x-fc-function-name"),
            region: field("x-fc-region"),
            account_id: field("x-fc-account-id"),
            qualifier: field("x-fc-qualifier"),
            retry_count: head
                .field("x-fc-retry-count")
                .and_then(|text| text.parse().ok()),
        }
    }
}

/// Reads seconds, whole or decimal, more than 0. `f64` would take `inf`, `1e9` and `-1` as well.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = whole.bytes().fold(0_u64, |seconds, digit| {
        seconds
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    let nanos = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    let duration = Duration::from_secs(seconds.min(MAX_TIMEOUT.as_secs()))
        + Duration::from_nanos(nanos.into());
    (!duration.is_zero()).then_some(duration.min(MAX_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&str, &str)]) -> Head {
        Head {
            fields: fields
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            ..Head::default()
        }
    }

    #[test]
    fn the_timeout_is_whole_or_decimal_seconds_and_sixty_when_it_is_not_told() {
        let millis = |text| {
            Context::of(&head(&[("X-Fc-Function-Timeout", text)]), Instant::now())
                .timeout
                .as_millis()
        };
        assert_eq!(millis("3"), 3_000);
        assert_eq!(millis("0.5"), 500);
        assert_eq!(millis(".25"), 250);
        assert_eq!(millis("07."), 7_000);
        assert_eq!(millis("1.0015999999999"), 1_001);
        assert_eq!(millis("86400.5"), 86_400_000);
        assert_eq!(millis("99999999999999999999"), 86_400_000);
        for odd in [
            "", "0", "0.0", "-1", "inf", "NaN", "1e3", "3s", ".", "1.2.3", " 3",
        ] {
            assert_eq!(millis(odd), 60_000, "{odd:?}");
        }
        assert_eq!(
            Context::of(&Head::default(), Instant::now())
                .timeout
                .as_secs(),
            60
        );
    }

    #[test]
    fn the_deadline_leaves_a_second_or_a_third_of_the_timeout() {
        let arrived = Instant::now();
        let left = |text| {
            Context::of(&head(&[("x-fc-function-timeout", text)]), arrived)
                .remaining(arrived)
                .as_millis()
        };
        assert_eq!(left("60"), 59_000);
        assert_eq!(left("3"), 2_000);
        assert_eq!(left("1.5"), 1_000);
        assert_eq!(left("0.3"), 200);
        let context = Context::of(&head(&[("x-fc-function-timeout", "1")]), arrived);
        assert_eq!(
            context.remaining(arrived + Duration::from_secs(5)),
            Duration::ZERO
        );
    }

    #[test]
    fn absent_fields_are_none_and_the_request_id_is_opaque() {
        let context = Context::of(
            &head(&[("x-fc-request-id", "1-67a5/é"), ("x-fc-retry-count", "x")]),
            Instant::now(),
        );
        assert_eq!(context.request_id, "1-67a5/é");
        assert_eq!(
            (context.function_name, context.region, context.retry_count),
            (None, None, None)
        );
        assert_eq!(Context::of(&Head::default(), Instant::now()).request_id, "");
    }

    #[test]
    fn a_command_has_the_whole_of_its_time_and_no_absurd_amount_of_it() {
        let context = Context::for_command(Duration::MAX);
        assert_eq!(context.timeout, MAX_TIMEOUT);
        assert!(context.remaining(Instant::now()) > Duration::from_secs(86_000));
    }
}
