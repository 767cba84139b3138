//! Schedules batches: which event goes into which message, which message is sent next, to which
//! chatbot and when. All invocations of one instance share it.
//!
//! A plain state machine: the time is an argument, and nothing here blocks. It has no thread of its
//! own: an invocation that waits asks [`Scheduler::next`] what to do, and makes the request that it
//! is handed. As in the group commit of a database, the first event is sent at once, and what
//! arrives while its chatbot is busy or waits for its rate leaves together in the next message.
//!
//! ```text
//! enqueue ─► waiting ─► batch ─► in flight ─► settled: delivered or failed
//!    │                    ▲          │ retry, next secret, shorten, fallback
//!    └─► duplicate        └──────────┘
//! ```

use super::batch::{BatchState, OutgoingMessage};
use super::dedup::DedupCache;
use super::endpoint::{Banned, Endpoints};
use super::keys::EventKey;
use super::outcome::{DeliveryResult, Failure, Outcome};
use super::queue::{Queue, Settled};
use super::remedies;
use super::retry::NextStep;
use super::target::{Role, Target};
use super::timestamps::Timestamps;
use crate::channel::{Attempt, Channel, Class, SendOptions};
use crate::event::Event;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A message that the chat called too long is shortened to this part of what it takes, or to half
/// of what was sent.
const SHORTENED_PART: usize = 4;
/// With less time than this left, no attempt is begun.
const MIN_ATTEMPT: Duration = Duration::from_millis(50);

/// The queues of all routes and the state of all chatbots.
pub(super) struct Scheduler {
    /// By the number of the route.
    queues: Vec<Queue>,
    endpoints: Endpoints,
    dedup: DedupCache,
}

/// An event as one invocation waits for it.
pub(super) struct PendingEvent {
    key: EventKey,
    /// When the invocation brought it.
    since: Timestamps,
    pub(super) settled: Settled,
}

impl PendingEvent {
    /// Returns the outcome once the event is settled.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let (outcome, at) = self.settled.get()?;
        Some(Outcome {
            duration: at.elapsed_since(self.since),
            ..outcome.clone()
        })
    }
}

/// What a waiting invocation is to do.
pub(super) enum Action {
    /// Make this request, and [`Scheduler::record`] it.
    Send(SendRequest),
    /// Wait until then, or until something changes.
    WaitUntil(Instant),
    /// Wait until something changes.
    Wait,
    /// Look for outcomes: something was settled. Other invocations have to look as well.
    Recheck,
    /// Fail: there is no time left for what would have to happen. [`Scheduler::cancel`] the events.
    GiveUp(Failure),
}

/// One request, to be made without holding the scheduler.
pub(super) struct SendRequest {
    pub(super) route: usize,
    pub(super) target: Arc<Target>,
    pub(super) role: Role,
    pub(super) options: SendOptions,
    /// With the body of the last attempt, if there was one.
    pub(super) message: OutgoingMessage,
}

impl SendRequest {
    pub(super) fn channel(&self) -> &dyn Channel {
        self.target.channel(self.role)
    }
}

impl Scheduler {
    pub(super) fn new(targets: Vec<Target>) -> Scheduler {
        Scheduler {
            endpoints: Endpoints::new(&targets),
            queues: targets.into_iter().map(Queue::new).collect(),
            dedup: DedupCache::default(),
        }
    }

    /// Returns the chatbots of a route.
    pub(super) fn target(&self, route: usize) -> Arc<Target> {
        Arc::clone(&self.queues[route].target)
    }

    /// Accepts an event for a route. One that the route delivered before is settled at once.
    pub(super) fn enqueue(
        &mut self,
        route: usize,
        key: EventKey,
        event: &Arc<Event>,
        now: Timestamps,
    ) -> PendingEvent {
        let settled = if self.dedup.contains(route, key, now) {
            let duplicate = Outcome::without_message(DeliveryResult::Duplicate);
            Arc::new((duplicate, now).into())
        } else {
            self.queues[route].enqueue(key, event, now)
        };
        PendingEvent {
            key,
            since: now,
            settled,
        }
    }

    /// Takes back the events that are not settled, because their invocation has no time left, and
    /// returns the outcomes of all. A message in flight goes on.
    pub(super) fn cancel(
        &mut self,
        route: usize,
        events: &[PendingEvent],
        failure: Failure,
        now: Timestamps,
    ) -> Vec<Outcome> {
        let queue = &mut self.queues[route];
        let mut cancel = |event: &PendingEvent| {
            let mut outcome = match queue.cancel(event.key) {
                // It was sent, or was about to be sent again: report what the last attempt came to.
                Some(outcome) => outcome.clone(),
                None => Outcome::without_message(DeliveryResult::Failed(failure)),
            };
            let no_time = || remedies::no_time(failure);
            outcome.remedy.get_or_insert_with(no_time);
            outcome.duration = now.elapsed_since(event.since);
            outcome
        };
        let outcomes = events
            .iter()
            .map(|event| event.outcome().unwrap_or_else(|| cancel(event)))
            .collect();
        queue.drop_abandoned(now);
        outcomes
    }

    /// Decides what a waiting invocation of this route does now.
    pub(super) fn next(&mut self, route: usize, now: Timestamps, deadline: Instant) -> Action {
        // Which chatbot comes next, and from when on. A batch stays with its chatbot; what is new
        // chooses one.
        let queue = &self.queues[route];
        let current = queue.batches.front();
        let (role, not_before) = match current.map(|batch| (batch.state, batch.role)) {
            // Another invocation makes the attempt, and records it for all.
            Some((BatchState::InFlight, _)) => return Action::Wait,
            Some((BatchState::Waiting { not_before }, role)) => (role, not_before),
            None if queue.is_idle() => return Action::Wait,
            Some((BatchState::Queued, _)) | None => (self.starting_role(route, now), now.monotonic),
        };
        let chatbot = self.queues[route].target.channel(role);
        let endpoint = self.endpoints.of(chatbot);

        // A banned chatbot gets no request. The ban may last for longer than any invocation, so
        // what waits for it moves to the fallback or fails at once.
        if let Some(banned) = endpoint.banned_until(now) {
            self.give_up_on_ban(route, role, banned, now);
            return Action::Recheck;
        }
        // One request at a time. Its end wakes all who wait.
        if endpoint.busy {
            return Action::Wait;
        }

        // The turn comes when the rate allows it and the wait before a retry is over. An invocation
        // that cannot live to see it leaves at once, and EventBridge repeats its events.
        let allowed = endpoint.rate.ready_at(now.monotonic);
        let at = allowed.max(not_before);
        if at.max(now.monotonic) + MIN_ATTEMPT > deadline {
            return Action::GiveUp(if allowed > not_before {
                Failure::Throttled
            } else {
                Failure::Deadline
            });
        }
        if at > now.monotonic {
            return Action::WaitUntil(at);
        }

        // Routes that share a chatbot take turns: the one that has waited longest comes first, or a
        // busy route would starve the others. Its own invocations send for it.
        if self.is_rival_older(route, chatbot.id(), now) {
            return Action::Wait;
        }
        Action::Send(self.begin_attempt(route, role, now))
    }

    /// Takes in what a request came to. Its message has a body if it was encoded.
    pub(super) fn record(&mut self, request: &SendRequest, attempt: &Attempt, now: Timestamps) {
        // The chatbot is free for the next request. One that never left does not count against the
        // rate.
        let endpoint = self.endpoints.of(request.channel());
        endpoint.busy = false;
        if attempt.left() {
            endpoint.rate.ended(now.monotonic);
        } else {
            endpoint.rate.give_back();
        }

        // What is known of the message from now on, should an invocation leave before it is
        // settled.
        let queue = &mut self.queues[request.route];
        let batch = queue.batches.front_mut();
        let batch = batch.expect("a batch in flight stays");
        batch.retry_at(now.monotonic);
        batch.message.body = request.message.body.clone();
        batch.new_connection = true;
        batch.unconfirmed |= attempt.class == Class::Unclear;
        batch.outcome.add_attempt(attempt);

        let channel = request.channel();
        let secrets = channel.secrets();
        match (batch.retry).on_result(attempt, secrets, channel.deduplicates()) {
            NextStep::Delivered => {
                endpoint.delivered(request.options.secret);
                if attempt.remedy.is_some() {
                    batch.left_out = Some(remedies::remark(attempt));
                }
                self.settle(request.route, DeliveryResult::Delivered, now);
            }
            // Any invocation that waits and still has time makes the next attempt.
            NextStep::Retry(wait) => batch.retry_at(now.monotonic + wait),
            NextStep::Repeat(wait) => {
                batch.change(|form| form.is_repeat = true);
                batch.retry_at(now.monotonic + wait);
            }
            NextStep::WithoutMentions => {
                batch.change(|form| form.without_mentions = true);
                batch.left_out = Some(remedies::left_out("mentions", attempt));
            }
            NextStep::Plain => {
                batch.change(|form| form.is_plain = true);
                batch.left_out = Some(remedies::left_out("formatting", attempt));
            }
            NextStep::NextSecret => {
                batch.next_secret = Some((request.options.secret + 1) % secrets);
            }
            NextStep::Shorten => {
                // Whatever the chat's limit is, what comes next is shorter than what was too long.
                let sent = batch.message.body.take();
                let sent = sent.expect("a refused message was encoded").size;
                let limit = request.channel().limits().max_size;
                batch.message.max_size = (limit / SHORTENED_PART).min(sent / 2);
            }
            NextStep::Banned(time, ban) => {
                let banned = endpoint.ban(ban, time, now);
                let remedy = remedies::banned(&request.target, request.role, banned, Some(attempt));
                batch.outcome.remedy = Some(remedy);
                self.give_up(request.route, Failure::Throttled, now);
            }
            NextStep::Refused => self.give_up(request.route, Failure::Refused, now),
            // Only a ban or a refusal moves a message to the fallback. This one may have been
            // shown, and the fallback would show it again.
            NextStep::Unreachable => {
                let result = DeliveryResult::Failed(Failure::Unreachable);
                self.settle(request.route, result, now);
            }
        }
        // The invocations that wait for the batch may have left while it was in flight.
        self.queues[request.route].drop_abandoned(now);
    }

    /// A new batch starts at the fallback while the primary chatbot is banned and the fallback is
    /// not.
    fn starting_role(&mut self, route: usize, now: Timestamps) -> Role {
        let target = &self.queues[route].target;
        let mut is_banned = |role| {
            let endpoint = self.endpoints.of(target.channel(role));
            endpoint.banned_until(now).is_some()
        };
        if target.fallback.is_some() && is_banned(Role::Primary) && !is_banned(Role::Fallback) {
            Role::Fallback
        } else {
            Role::Primary
        }
    }

    /// Returns true if another route has waited longer for the same chatbot and could send now.
    fn is_rival_older(&self, route: usize, chatbot: &str, now: Timestamps) -> bool {
        let own = self.queues[route].ready_since(now);
        let (own_since, _) = own.expect("the route could send now");
        let mut queues = self.queues.iter().enumerate();
        queues.any(|(other, queue)| {
            queue.ready_since(now).is_some_and(|(since, role)| {
                queue.target.channel(role).id() == chatbot && (since, other) < (own_since, route)
            })
        })
    }

    fn begin_attempt(&mut self, route: usize, role: Role, now: Timestamps) -> SendRequest {
        let target = Arc::clone(&self.queues[route].target);
        // A new batch starts at the fallback. Should that fail, the outcome says why the message
        // did not go to the primary chatbot.
        if self.queues[route].next_batch().role != role {
            let primary = self.endpoints.of(&*target.channel);
            let banned = primary.banned_until(now);
            let banned = banned.expect("the fallback is used while the primary chatbot is banned");
            self.give_up_on_ban(route, Role::Primary, banned, now);
        }

        let channel = target.channel(role);
        let endpoint = self.endpoints.of(channel);
        endpoint.rate.acquire(now.monotonic);
        endpoint.busy = true;
        let batch = self.queues[route].next_batch();
        batch.state = BatchState::InFlight;
        let secret = batch.next_secret.unwrap_or(endpoint.secret);
        SendRequest {
            route,
            role,
            options: SendOptions {
                // Another route may have more secrets for the same chatbot.
                secret: secret.min(channel.secrets().saturating_sub(1)),
                new_connection: batch.new_connection,
            },
            message: batch.message.clone(),
            target,
        }
    }

    /// The chatbot whose turn it is is banned: its batch moves to the fallback, or fails.
    fn give_up_on_ban(&mut self, route: usize, role: Role, banned: Banned, now: Timestamps) {
        let queue = &mut self.queues[route];
        let remedy = remedies::banned(&queue.target, role, banned, None);
        let batch = queue.next_batch();
        batch.outcome.remedy = Some(remedy);
        // An attempt that ended before its request was begun does not count as the last one.
        if batch.outcome.attempts == 0 {
            batch.outcome.class = None;
        }
        self.give_up(route, Failure::Throttled, now);
    }

    /// The chatbot will not take the batch: the fallback may, else it has failed.
    fn give_up(&mut self, route: usize, failure: Failure, now: Timestamps) {
        let queue = &mut self.queues[route];
        let has_fallback = queue.target.fallback.is_some();
        let batch = queue.batches.front_mut().expect("a batch is being sent");
        // What may have been shown is not shown by another chatbot as well, but when its events come
        // back.
        if batch.role == Role::Primary && has_fallback && !batch.retry.may_repeat() {
            batch.move_to_fallback(failure, now);
        } else {
            self.settle(route, DeliveryResult::Failed(failure), now);
        }
    }

    /// Settles every event of the batch that is being sent.
    fn settle(&mut self, route: usize, result: DeliveryResult, now: Timestamps) {
        let queue = &mut self.queues[route];
        let batch = queue.batches.pop_front().expect("a batch is being sent");
        let is_delivered = result == DeliveryResult::Delivered;
        let mut outcome = Outcome {
            result,
            ..batch.outcome
        };
        if is_delivered {
            outcome.remedy = batch.left_out;
        } else if let Some(primary) = batch.primary_outcome {
            outcome = outcome.with_primary(primary);
        }
        for (key, _) in &batch.message.events {
            queue.settle(*key, outcome.clone(), now);
            if is_delivered {
                self.dedup.insert(route, *key, now);
            }
        }
        if batch.unconfirmed && !is_delivered {
            queue.unconfirmed.insert(batch.message, now);
        }
    }
}
