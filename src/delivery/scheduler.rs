//! Schedules batches: which event goes into which message, which message is sent next, to which
//! chatbot and when. All invocations of one instance share it.
//!
//! A plain state machine: the time is an argument, and nothing here blocks. It has no thread of its
//! own: an invocation that waits asks [`Scheduler::next`] what to do, and makes the request that it
//! is handed. As in the group commit of a database, the first event is sent at once, and what
//! arrives while its chatbot is busy or waits for its rate leaves together in the next message.
//!
//! ```text
//! enqueue ─► waiting ─► batch ─► in flight ─► delivered, or failed ─► collect
//!    │                    ▲          │ retry, next secret, shorten, fallback
//!    └─ duplicate         └──────────┘
//! ```

use super::batch::{Batch, BatchState};
use super::dedup::DedupCache;
use super::endpoint::{Banned, EndpointState};
use super::ids::{EndpointId, EntryId, EventKey, RouteId};
use super::outcome::{DeliveryResult, Failure, Outcome};
use super::queue::Queue;
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
    /// By [`RouteId`].
    queues: Vec<Queue>,
    /// By [`EndpointId`].
    endpoints: Vec<EndpointState>,
    dedup: DedupCache,
}

/// Where an event stands that an invocation brought.
#[derive(Debug, Clone, Copy)]
pub(super) enum Enqueued {
    /// The route delivered it before.
    Duplicate,
    /// It waits: [`Scheduler::collect`] or [`Scheduler::cancel`] it.
    Waiting(EntryId),
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
    /// Fail: there is no time left for what would have to happen. [`Scheduler::cancel`] every
    /// event.
    GiveUp(Failure),
}

/// One request, to be made without holding the scheduler.
pub(super) struct SendRequest {
    pub(super) route: RouteId,
    pub(super) target: Arc<Target>,
    pub(super) role: Role,
    endpoint: EndpointId,
    pub(super) options: SendOptions,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) uuid: String,
    /// The body of the last attempt. `None` where it is to be encoded within `max_bytes`.
    pub(super) body: Option<Arc<Vec<u8>>>,
    pub(super) max_bytes: usize,
}

impl SendRequest {
    pub(super) fn channel(&self) -> &dyn Channel {
        self.target.channel(self.role)
    }
}

impl Scheduler {
    pub(super) fn new(targets: Vec<Target>) -> Scheduler {
        let mut ids: Vec<String> = Vec::new();
        let mut limits: Vec<u32> = Vec::new();
        let mut endpoint = |channel: &dyn Channel| {
            let per_minute = channel.limits().per_minute;
            let known = ids.iter().position(|id| id == channel.id());
            let place = known.unwrap_or_else(|| {
                ids.push(channel.id().to_owned());
                limits.push(per_minute);
                ids.len() - 1
            });
            // Routes that share a chatbot share its rate: the lowest of their limits holds.
            limits[place] = limits[place].min(per_minute);
            EndpointId(place)
        };
        let queues = targets
            .into_iter()
            .map(|target| {
                let primary = endpoint(target.channel.as_ref());
                let fallback = target.fallback.as_deref().map(&mut endpoint);
                Queue::new(Arc::new(target), primary, fallback)
            })
            .collect();
        Scheduler {
            queues,
            endpoints: limits.into_iter().map(EndpointState::new).collect(),
            dedup: DedupCache::default(),
        }
    }

    /// Accepts an event for a route.
    pub(super) fn enqueue(
        &mut self,
        route: RouteId,
        key: EventKey,
        event: &Arc<Event>,
        now: Timestamps,
    ) -> Enqueued {
        if self.dedup.contains(route, key, now) {
            return Enqueued::Duplicate;
        }
        Enqueued::Waiting(self.queues[route.0].enqueue(key, event, now))
    }

    /// Returns the outcome of an event once it is settled; `begun` is when the invocation brought
    /// it.
    pub(super) fn collect(
        &mut self,
        route: RouteId,
        id: EntryId,
        begun: Timestamps,
    ) -> Option<Outcome> {
        let (outcome, at) = self.queues[route.0].collect(id)?;
        Some(Outcome {
            duration: at.elapsed_since(begun),
            ..outcome
        })
    }

    /// Takes an event back that is not settled, because the invocation has no time left. A message
    /// in flight goes on. Call [`Scheduler::after_cancel`] when all events are taken back.
    pub(super) fn cancel(&mut self, route: RouteId, id: EntryId, failure: Failure) -> Outcome {
        let queue = &mut self.queues[route.0];
        let mut outcome = match queue.outcome_so_far(id) {
            // It was sent, or was about to be sent again: report what the last attempt came to.
            Some(outcome) => outcome.clone(),
            None => Outcome::without_message(DeliveryResult::Failed(failure)),
        };
        if outcome.remedy.is_none() {
            outcome.remedy = Some(remedies::no_time(failure));
        }
        queue.release(id);
        outcome
    }

    /// An invocation has taken its events back.
    pub(super) fn after_cancel(&mut self, route: RouteId, now: Timestamps) {
        self.queues[route.0].drop_abandoned(now);
    }

    /// Decides what a waiting invocation of this route does now.
    pub(super) fn next(&mut self, route: RouteId, now: Timestamps, deadline: Instant) -> Action {
        // Which chatbot comes next, and from when on. A batch stays with its chatbot; what is new
        // chooses one.
        let queue = &self.queues[route.0];
        let current = queue.batch().map(|batch| (batch.state, batch.role));
        let (role, not_before) = match current {
            // Another invocation makes the attempt, and records it for all.
            Some((BatchState::InFlight, _)) => return Action::Wait,
            Some((BatchState::Waiting { not_before }, role)) => (role, not_before),
            None if queue.is_idle() => return Action::Wait,
            Some((BatchState::Queued, _)) | None => (self.starting_role(route, now), now.monotonic),
        };
        let id = self.queues[route.0].endpoint(role);
        let endpoint = &mut self.endpoints[id.0];

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
        let allowed = endpoint.ready_at(now);
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
        if self.is_rival_older(route, id, now) {
            return Action::Wait;
        }
        Action::Send(self.begin_attempt(route, role, id, now))
    }

    /// Takes in what a request came to, and the body that was sent (`None` if it was not encoded).
    pub(super) fn record(
        &mut self,
        request: &SendRequest,
        body: Option<Arc<Vec<u8>>>,
        attempt: &Attempt,
        now: Timestamps,
    ) {
        // The chatbot is free for the next request.
        let endpoint = &mut self.endpoints[request.endpoint.0];
        endpoint.end(attempt.left());

        // What is known of the message from now on, should an invocation leave before it is
        // settled.
        let queue = &mut self.queues[request.route.0];
        let batch = queue.batch_mut().expect("a batch in flight stays");
        batch.retry_at(now.monotonic);
        batch.body = body;
        batch.new_connection = true;
        batch.unconfirmed |= attempt.class == Class::Unclear;
        batch
            .outcome
            .add_attempt(attempt, remedies::after_attempt(attempt));

        let secrets = request.channel().secrets();
        match batch.retry.on_result(attempt, secrets) {
            NextStep::Delivered => {
                // The secret that was accepted comes first from now on.
                endpoint.secret = request.options.secret;
                self.settle(request.route, DeliveryResult::Delivered, now);
            }
            // Any invocation that waits and still has time makes the next attempt.
            NextStep::Retry(wait) => batch.retry_at(now.monotonic + wait),
            NextStep::NextSecret => batch.secret = (request.options.secret + 1) % secrets,
            NextStep::Shorten => {
                // Whatever the chat's limit is, what comes next is shorter than what was too long.
                let sent = batch.body.take().expect("a refused message was encoded");
                let limit = request.channel().limits().max_bytes;
                batch.max_bytes = (limit / SHORTENED_PART).min(sent.len() / 2);
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
        self.queues[request.route.0].drop_abandoned(now);
    }

    /// A new batch starts at the fallback while the primary chatbot is banned and the fallback is
    /// not.
    fn starting_role(&mut self, route: RouteId, now: Timestamps) -> Role {
        let queue = &self.queues[route.0];
        let (primary, fallback) = (queue.endpoint(Role::Primary), queue.fallback);
        let mut is_banned = |id: EndpointId| self.endpoints[id.0].banned_until(now).is_some();
        match fallback {
            Some(fallback) if is_banned(primary) && !is_banned(fallback) => Role::Fallback,
            _ => Role::Primary,
        }
    }

    /// Returns true if another route has waited longer for the same chatbot and could send now.
    fn is_rival_older(&self, route: RouteId, endpoint: EndpointId, now: Timestamps) -> bool {
        let age = |id: usize| Some((self.queues[id].oldest_since()?, id));
        let own = age(route.0);
        (0..self.queues.len()).any(|other| {
            let queue = &self.queues[other];
            let role = match queue.batch().map(|batch| (batch.state, batch.role)) {
                Some((BatchState::InFlight, _)) => return false,
                Some((BatchState::Waiting { not_before }, _)) if not_before > now.monotonic => {
                    return false;
                }
                Some((_, role)) => role,
                None => Role::Primary,
            };
            queue.endpoint(role) == endpoint && age(other).is_some_and(|age| Some(age) < own)
        })
    }

    /// Starts the next batch of the route at this chatbot, unless one is on its way there.
    fn start_batch(&mut self, route: RouteId, role: Role, now: Timestamps) -> &mut Batch {
        let queue = &mut self.queues[route.0];
        let secret = self.endpoints[queue.endpoint(role).0].secret;
        let primary = &mut self.endpoints[queue.endpoint(Role::Primary).0];
        let target = Arc::clone(&queue.target);
        let batch = queue.next_batch();
        if batch.state == BatchState::Queued {
            batch.start(role, secret, now);
            // Should the fallback fail, this says why the message did not go to the primary
            // chatbot.
            if role == Role::Fallback
                && let Some(banned) = primary.banned_until(now)
            {
                batch.primary_outcome = Some(Outcome {
                    remedy: Some(remedies::banned(&target, Role::Primary, banned, None)),
                    ..Outcome::without_message(DeliveryResult::Failed(Failure::Throttled))
                });
            }
        }
        batch
    }

    fn begin_attempt(
        &mut self,
        route: RouteId,
        role: Role,
        endpoint: EndpointId,
        now: Timestamps,
    ) -> SendRequest {
        self.endpoints[endpoint.0].begin(now);
        self.start_batch(route, role, now).state = BatchState::InFlight;
        let queue = &self.queues[route.0];
        let batch = queue.batch().expect("a batch was started");
        // Another route may have more secrets for the same chatbot.
        let last_secret = queue.target.channel(role).secrets().saturating_sub(1);
        SendRequest {
            route,
            target: Arc::clone(&queue.target),
            role,
            endpoint,
            options: SendOptions {
                secret: batch.secret.min(last_secret),
                new_connection: batch.new_connection,
            },
            events: queue
                .events(batch)
                .into_iter()
                .map(|(_, event)| event)
                .collect(),
            uuid: batch.uuid.clone(),
            body: batch.body.clone(),
            max_bytes: batch.max_bytes,
        }
    }

    /// The chatbot whose turn it is is banned: its batch moves to the fallback, or fails.
    fn give_up_on_ban(&mut self, route: RouteId, role: Role, banned: Banned, now: Timestamps) {
        let remedy = remedies::banned(&self.queues[route.0].target, role, banned, None);
        let batch = self.start_batch(route, role, now);
        batch.outcome.remedy = Some(remedy);
        // An attempt that ended before its request was begun does not count as the last one.
        if batch.outcome.attempts == 0 {
            batch.outcome.class = None;
        }
        self.give_up(route, Failure::Throttled, now);
    }

    /// The chatbot will not take the batch: the fallback may, else it has failed.
    fn give_up(&mut self, route: RouteId, failure: Failure, now: Timestamps) {
        let queue = &mut self.queues[route.0];
        let fallback = queue.fallback;
        let batch = queue.batch_mut().expect("a batch is being sent");
        match (batch.role, fallback) {
            (Role::Primary, Some(fallback)) => {
                let secret = self.endpoints[fallback.0].secret;
                batch.move_to_fallback(failure, secret, now);
            }
            _ => self.settle(route, DeliveryResult::Failed(failure), now),
        }
    }

    /// Settles every event of the batch that is being sent.
    fn settle(&mut self, route: RouteId, result: DeliveryResult, now: Timestamps) {
        let queue = &mut self.queues[route.0];
        let batch = queue.take_batch();
        match result {
            DeliveryResult::Delivered => {
                for (key, _) in queue.events(&batch) {
                    self.dedup.insert(route, key, now);
                }
            }
            _ => queue.keep_unconfirmed(&batch, now),
        }
        queue.settle(&batch, &batch.settled(result), now);
    }
}
