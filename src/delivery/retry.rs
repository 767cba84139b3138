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
    /// Requests without an answer, at a chat that would show a repeat again.
    lost: usize,
    recovered: HashSet<Recovery>,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// The message is delivered.
    Delivered,
    /// Send it again after this wait.
    Retry(Duration),
    /// Send it again after this wait, marked as a possible repeat.
    Repeat(Duration),
    /// Send it again, signed with the next secret.
    NextSecret,
    /// Send a shorter message.
    Shorten,
    /// Send it without mentions.
    WithoutMentions,
    /// Send it in the chat's plainest form.
    Plain,
    /// The chatbot is banned for this long.
    Banned(Duration, Ban),
    /// The chatbot refuses the message for good.
    Refused,
    /// All retries were used up without a clear response.
    Unreachable,
}

impl RetryState {
    /// Returns true if an answer was lost at a chat that would show a repeat again.
    pub(super) fn may_repeat(&self) -> bool {
        self.lost > 0
    }

    /// Decides what follows from `attempt` at a chatbot with so many secrets. `deduplicates` is
    /// [`Channel::deduplicates`](crate::channel::Channel::deduplicates).
    pub(super) fn on_result(
        &mut self,
        attempt: &Attempt,
        secrets: usize,
        deduplicates: bool,
    ) -> NextStep {
        match attempt.class {
            Class::Delivered => NextStep::Delivered,
            // Each further request may show the message once more.
            Class::Unclear if attempt.is_lost() && !deduplicates => {
                self.lost += 1;
                let wait = match attempt.by_deadline {
                    true => Duration::ZERO,
                    false => RETRY_AFTER[0],
                };
                if self.lost == 1 {
                    NextStep::Repeat(wait)
                } else {
                    NextStep::Unreachable
                }
            }
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
                    Recovery::WithoutMentions if is_first => NextStep::WithoutMentions,
                    Recovery::Plain if is_first => NextStep::Plain,
                    _ => NextStep::Refused,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::aborted;
    use super::super::tests::attempt;
    use super::*;

    fn steps(classes: &[Class], secrets: usize) -> Vec<NextStep> {
        let mut state = RetryState::default();
        classes
            .iter()
            .map(|class| state.on_result(&attempt(*class, None), secrets, true))
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
            (Recovery::WithoutMentions, 0, NextStep::WithoutMentions),
            (Recovery::Plain, 0, NextStep::Plain),
        ] {
            let twice = steps(&[Class::Refused(recovery); 2], secrets);
            assert_eq!(twice, [first, NextStep::Refused], "{recovery:?}");
        }
    }

    /// Without a key that the chat knows, there are two requests in all.
    #[test]
    fn when_a_repeat_would_show_a_lost_answer_is_followed_by_one() {
        let lost = |by_deadline| Attempt {
            by_deadline,
            ..aborted()
        };
        for (by_deadline, wait) in [(false, RETRY_AFTER[0]), (true, Duration::ZERO)] {
            let mut state = RetryState::default();
            let first = state.on_result(&lost(by_deadline), 0, false);
            assert_eq!(first, NextStep::Repeat(wait));
            // An answer that says "busy" most likely means that nothing was shown.
            let busy = state.on_result(&attempt(Class::Unclear, None), 0, false);
            assert_eq!(busy, NextStep::Retry(RETRY_AFTER[0]));
            let second = state.on_result(&lost(by_deadline), 0, false);
            assert_eq!(second, NextStep::Unreachable);
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
                let step = state.on_result(&cut_short, 0, true);
                assert_eq!(step, NextStep::Retry(Duration::ZERO));
            }
            let step = state.on_result(&attempt(class, None), 0, true);
            assert!(matches!(step, NextStep::Retry(_)));
        }
    }
}
