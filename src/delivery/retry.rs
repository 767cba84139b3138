//! One message at one chatbot: what follows from each attempt.

use crate::channel::{Attempt, Ban, Class, Recovery};
use std::collections::HashSet;
use std::time::Duration;

/// Waits before the retries of an unclear attempt. DingTalk asks for at most three retries.
const RETRY_AFTER: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// What was tried already: each recovery is tried once.
#[derive(Debug, Default, Clone)]
pub(super) struct RetryState {
    /// Retries of unclear attempts.
    retries: usize,
    reconnected: bool,
    recovered: HashSet<Recovery>,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// The message is delivered.
    Delivered,
    /// Send it again after this wait.
    Retry(Duration),
    /// Send it again, signed with the next secret.
    NextSecret,
    /// Send a shorter message.
    Shorten,
    /// The chatbot is banned for this long.
    Banned(Duration, Ban),
    /// The chatbot refuses the message for good.
    Refused,
    /// All retries were used up without a clear response.
    Unreachable,
}

impl RetryState {
    /// Decides what follows from `attempt` at a chatbot with so many secrets.
    pub(super) fn on_result(&mut self, attempt: &Attempt, secrets: usize) -> NextStep {
        match attempt.class {
            Class::Delivered => NextStep::Delivered,
            // The deadline of the invocation that made the attempt cut it short, and that
            // invocation leaves. This says nothing of the chatbot, so it uses up no retry of those
            // that stay.
            Class::NotSent | Class::Unclear if attempt.by_deadline => {
                NextStep::Retry(Duration::ZERO)
            }
            Class::NotSent if !self.reconnected => {
                self.reconnected = true;
                NextStep::Retry(Duration::ZERO)
            }
            Class::NotSent => NextStep::Unreachable,
            Class::Unclear => {
                let wait = RETRY_AFTER.get(self.retries);
                self.retries += 1;
                wait.map_or(NextStep::Unreachable, |wait| NextStep::Retry(*wait))
            }
            Class::Throttled { retry_after, ban } => NextStep::Banned(retry_after, ban),
            Class::Refused(recovery) => {
                let is_first = self.recovered.insert(recovery);
                match recovery {
                    Recovery::NextSecret if is_first && secrets > 1 => NextStep::NextSecret,
                    Recovery::SignAgain if is_first => NextStep::Retry(Duration::ZERO),
                    Recovery::Shorten if is_first => NextStep::Shorten,
                    _ => NextStep::Refused,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::attempt;
    use super::*;

    fn steps(classes: &[Class], secrets: usize) -> Vec<NextStep> {
        let mut state = RetryState::default();
        classes
            .iter()
            .map(|class| state.on_result(&attempt(*class, None), secrets))
            .collect()
    }

    #[test]
    fn unclear_attempts_are_retried_three_times_not_sent_ones_once() {
        let retry = |ms| NextStep::Retry(Duration::from_millis(ms));
        assert_eq!(
            steps(&[Class::Unclear; 4], 0),
            [retry(500), retry(1000), retry(2000), NextStep::Unreachable]
        );
        // The two are counted apart.
        assert_eq!(
            steps(&[Class::NotSent, Class::Unclear, Class::NotSent], 0),
            [retry(0), retry(500), NextStep::Unreachable]
        );
    }

    #[test]
    fn each_recovery_is_tried_once() {
        for (recovery, secrets, first) in [
            (Recovery::None, 2, NextStep::Refused),
            (Recovery::NextSecret, 1, NextStep::Refused),
            (Recovery::NextSecret, 2, NextStep::NextSecret),
            (Recovery::SignAgain, 0, NextStep::Retry(Duration::ZERO)),
            (Recovery::Shorten, 0, NextStep::Shorten),
        ] {
            let twice = steps(&[Class::Refused(recovery); 2], secrets);
            assert_eq!(twice, [first, NextStep::Refused], "{recovery:?}");
        }
    }

    #[test]
    fn attempts_cut_short_by_a_deadline_use_up_no_retry() {
        for class in [Class::NotSent, Class::Unclear] {
            let mut state = RetryState::default();
            let cut_short = Attempt {
                by_deadline: true,
                ..attempt(class, None)
            };
            for _ in 0..9 {
                let step = state.on_result(&cut_short, 0);
                assert_eq!(step, NextStep::Retry(Duration::ZERO));
            }
            let step = state.on_result(&attempt(class, None), 0);
            assert!(matches!(step, NextStep::Retry(_)));
        }
    }
}
