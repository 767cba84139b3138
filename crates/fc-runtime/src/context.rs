//! What an invocation knows beside its event.

use crate::Credentials;
use crate::head::RequestHead;
use std::time::{Duration, Instant};

/// Time limit of an invocation without the header `x-fc-function-timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest time limit that Function Compute allows.
const MAX_TIMEOUT: Duration = Duration::from_secs(86_400);
/// Time reserved for the way of the response. Of a time limit below 3 s, a third is reserved.
const RESPONSE_MARGIN: Duration = Duration::from_secs(1);

/// One invocation, from the `x-fc-*` headers of its request.
///
/// Any header may be absent or empty, as local emulators send them; the optional fields are `None`
/// then. It holds [`credentials`](Context::credentials), of which the `Debug` output shows nothing:
/// it is safe to log.
///
/// ```
/// use fc_runtime::Context;
/// use std::time::{Duration, Instant};
///
/// let context = Context::for_command(Duration::from_secs(10));
/// assert!(context.remaining(Instant::now()) > Duration::from_secs(9));
/// assert_eq!(context.function_name, None);
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    /// The platform's id of the request (`x-fc-request-id`): opaque text without a fixed format.
    /// Empty if absent.
    pub request_id: String,
    /// When the handler must have returned: when the request's first byte arrived, plus
    /// [`timeout`](Context::timeout), minus 1 s for the response. Of a timeout below 3 s, a third
    /// is subtracted instead.
    pub deadline: Instant,
    /// The function's time limit (`x-fc-function-timeout`, in seconds), at most 24 hours. 60 s if
    /// absent.
    pub timeout: Duration,
    /// The function's name (`x-fc-function-name`).
    pub function_name: Option<String>,
    /// The region's id (`x-fc-region`): `cn-hangzhou`.
    pub region: Option<String>,
    /// The id of the account that owns the function (`x-fc-account-id`).
    pub account_id: Option<String>,
    /// The version or alias that was called (`x-fc-qualifier`): `LATEST`.
    pub qualifier: Option<String>,
    /// How many times the platform has repeated this asynchronous call (`x-fc-retry-count`). The
    /// platform sends this header without documenting it.
    pub retry_count: Option<u32>,
    /// The temporary identity of the function's role (`x-fc-access-key-id`,
    /// `x-fc-access-key-secret`, `x-fc-security-token`). `None` unless all three are there and not
    /// empty, and for any call but `POST /invoke`.
    ///
    /// Take it from each invocation anew: that of an earlier one may have ended.
    pub credentials: Option<Credentials>,
}

impl Context {
    /// Returns the time from `now` until the deadline; zero if it has passed.
    pub fn remaining(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    /// Creates a context for calling a handler outside Function Compute, in a command or a test.
    ///
    /// The deadline is `timeout` from now, at most 24 hours.
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
            credentials: None,
        }
    }

    /// Creates the context of a request whose first byte arrived at `arrived`.
    pub(crate) fn new(
        head: &RequestHead,
        credentials: Option<Credentials>,
        arrived: Instant,
    ) -> Context {
        let header = |name| head.header(name).map(str::to_owned);
        let timeout = head
            .header("x-fc-function-timeout")
            .and_then(seconds)
            .unwrap_or(DEFAULT_TIMEOUT);
        Context {
            request_id: header("x-fc-request-id").unwrap_or_default(),
            deadline: arrived + timeout.saturating_sub(RESPONSE_MARGIN.min(timeout / 3)),
            timeout,
            function_name: header("x-fc-function-name"),
            region: header("x-fc-region"),
            account_id: header("x-fc-account-id"),
            qualifier: header("x-fc-qualifier"),
            retry_count: head
                .header("x-fc-retry-count")
                .and_then(|text| text.parse().ok()),
            // Hooks have no use for them.
            credentials: credentials.filter(|_| head.path() == "/invoke"),
        }
    }
}

/// Parses seconds: a decimal number above 0.
fn seconds(text: &str) -> Option<Duration> {
    // `parse` takes `inf`, `1e9` and signs too.
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    let duration = Duration::from_secs_f64(seconds.min(MAX_TIMEOUT.as_secs_f64()));
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> RequestHead {
        RequestHead {
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            ..RequestHead::default()
        }
    }

    fn context_of(head: &RequestHead, arrived: Instant) -> Context {
        Context::new(head, None, arrived)
    }

    #[test]
    fn the_timeout_is_decimal_seconds_and_60_by_default() {
        let millis = |text| {
            context_of(&head(&[("X-Fc-Function-Timeout", text)]), Instant::now())
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
            "",
            "0",
            "0.0",
            "-1",
            "+1",
            "inf",
            "NaN",
            "1e3",
            "3s",
            ".",
            "1.2.3",
            " 3",
            "0.0000000001",
        ] {
            assert_eq!(millis(odd), 60_000, "{odd:?}");
        }
        assert_eq!(
            context_of(&RequestHead::default(), Instant::now())
                .timeout
                .as_secs(),
            60
        );
    }

    #[test]
    fn the_deadline_leaves_a_second_or_a_third_of_the_timeout() {
        let arrived = Instant::now();
        let left = |text| {
            context_of(&head(&[("x-fc-function-timeout", text)]), arrived)
                .remaining(arrived)
                .as_millis()
        };
        assert_eq!(left("60"), 59_000);
        assert_eq!(left("3"), 2_000);
        assert_eq!(left("1.5"), 1_000);
        assert_eq!(left("0.3"), 200);
        let context = context_of(&head(&[("x-fc-function-timeout", "1")]), arrived);
        assert_eq!(
            context.remaining(arrived + Duration::from_secs(5)),
            Duration::ZERO
        );
    }

    #[test]
    fn absent_headers_are_none_and_the_request_id_is_opaque() {
        let context = context_of(
            &head(&[("x-fc-request-id", "1-67a5/é"), ("x-fc-retry-count", "x")]),
            Instant::now(),
        );
        assert_eq!(context.request_id, "1-67a5/é");
        assert_eq!(
            (context.function_name, context.region, context.retry_count),
            (None, None, None)
        );
        assert_eq!(
            context_of(&RequestHead::default(), Instant::now()).request_id,
            ""
        );
    }

    #[test]
    fn a_command_has_all_its_time_but_at_most_a_day() {
        let context = Context::for_command(Duration::MAX);
        assert_eq!(context.timeout, MAX_TIMEOUT);
        assert!(context.remaining(Instant::now()) > Duration::from_secs(86_000));
    }
    #[test]
    fn only_an_invocation_gets_the_credentials() {
        let credentials = Credentials::new("SECRET-1", "SECRET-2", "SECRET-3").unwrap();
        let at = |target: &str| {
            let head = RequestHead {
                target: target.to_owned(),
                ..RequestHead::default()
            };
            Context::new(&head, Some(credentials.clone()), Instant::now())
        };
        let invocation = at("/invoke?x");
        assert_eq!(invocation.credentials.as_ref(), Some(&credentials));
        assert!(!format!("{invocation:?}").contains("SECRET"));
        for other in ["/initialize", "/pre-stop", "/", "/invoked"] {
            assert_eq!(at(other).credentials, None, "{other}");
        }
        let command = Context::for_command(Duration::from_secs(1));
        assert_eq!(command.credentials, None);
    }
}
