//! Who waits for what, and what leaves next: all that the invocations of one instance share.
//!
//! Like a database's group commit: the first event goes out at once; what arrives while its chatbot
//! is busy, or waits for its turn, leaves together in the next message. There is no thread of its
//! own: an invocation that waits asks [`Desk::next`] what to do, and whoever is told to send, sends.
//! The time is an argument throughout, and nothing here blocks.

use super::dedup::Memory;
use super::endpoint::Robot;
use super::queue::{Queue, Ticket, Told};
use super::retry::{Progress, Step};
use super::{Delivery, Failure, Now, remedies};
use crate::channel::dingtalk::{Endpoint, MAX_BYTES};
use crate::channel::{Attempt, Class, Phase};
use crate::event::Event;
use crate::route::Route;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How large a message may be after the chatbot called it too long.
const SHORTENED_BYTES: usize = MAX_BYTES / 4;
/// With less time than this left, an attempt is not begun.
const MIN_ATTEMPT: Duration = Duration::from_millis(50);

/// The shared state of all routes and chatbots.
pub(super) struct Desk {
    queues: Vec<Queue>,
    robots: Vec<Robot>,
    memory: Memory,
    last_ticket: u64,
}

/// What an invocation that brings an event is told.
pub(super) enum Admission {
    /// The route was given it already.
    Duplicate,
    /// It waits, perhaps together with its twin.
    Waits(Ticket),
}

/// What a waiting invocation is to do.
pub(super) enum Turn {
    /// Make this attempt, and [`Desk::record`] it.
    Attempt(Job),
    /// Wait until then, or until something changes.
    WaitUntil(Instant),
    /// Wait until something changes.
    Wait,
    /// Something was settled: look again.
    Look,
    /// There is no time left for what would have to happen: [`Desk::leave`] with this.
    Leave(Failure),
}

/// One attempt to be made without holding the desk.
pub(super) struct Job {
    pub(super) route: usize,
    robot: usize,
    pub(super) at_fallback: bool,
    pub(super) secret: usize,
    pub(super) fresh: bool,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) uuid: String,
    pub(super) body: Option<Arc<Vec<u8>>>,
    pub(super) budget: usize,
}

impl Desk {
    pub(super) fn new(routes: &[Route]) -> Desk {
        let mut keys: Vec<(String, u32)> = Vec::new();
        let mut place = |endpoint: &Endpoint| {
            let (key, limit) = (endpoint.webhook.rate_limit_key(), endpoint.rate_limit);
            let place = keys
                .iter()
                .position(|(known, _)| *known == key)
                .unwrap_or_else(|| {
                    keys.push((key, limit));
                    keys.len() - 1
                });
            // Routes that share a chatbot share its pace: the most careful of them sets it.
            if let Some((_, known)) = keys.get_mut(place) {
                *known = limit.min(*known);
            }
            place
        };
        let queues = routes
            .iter()
            .map(|route| {
                let first = place(&route.endpoint);
                let fallback = route.fallback.as_ref().map(&mut place);
                Queue::new(route.clone(), first, fallback)
            })
            .collect();
        Desk {
            queues,
            robots: keys.iter().map(|(_, limit)| Robot::new(*limit)).collect(),
            memory: Memory::default(),
            last_ticket: 0,
        }
    }

    /// Takes an event for a route. Its identity is worked out before, while nobody waits for the desk.
    pub(super) fn admit(
        &mut self,
        route: usize,
        identity: &Arc<str>,
        event: &Arc<Event>,
        now: Now,
    ) -> Admission {
        if self.memory.knows(route, identity, now) {
            return Admission::Duplicate;
        }
        let Some(queue) = self.queues.get_mut(route) else {
            return Admission::Duplicate;
        };
        if let Some(ticket) = queue.by_event.get(identity)
            && let Some(twin) = queue.entries.get_mut(ticket)
        {
            twin.waiters += 1;
            return Admission::Waits(*ticket);
        }
        if let Some(doubt) = queue.doubts.take(identity, now) {
            return match queue.revive(doubt, identity, now, &mut self.last_ticket) {
                Some(ticket) => Admission::Waits(ticket),
                None => Admission::Duplicate,
            };
        }
        let ticket = queue.enter(identity, event, 1, now, &mut self.last_ticket);
        queue.waiting.push_back(ticket);
        Admission::Waits(ticket)
    }
}

impl Desk {
    /// What became of the event, once it is settled, and since when that is known.
    pub(super) fn collect(&mut self, route: usize, ticket: Ticket) -> Option<(Delivery, Now)> {
        let queue = self.queues.get_mut(route)?;
        let settled = queue.entries.get(&ticket)?.settled.clone()?;
        queue.let_go(ticket);
        Some(settled)
    }

    /// Takes the event back, because the invocation that waits for it has no time left. What is on
    /// the wire stays there, and nobody sends it again: call [`Desk::left`] when all are taken back.
    pub(super) fn leave(&mut self, route: usize, ticket: Ticket, why: Failure) -> Delivery {
        let mut delivery = Delivery {
            failure: Some(why),
            ..Delivery::default()
        };
        let Some(queue) = self.queues.get_mut(route) else {
            return delivery;
        };
        // It was sent, or was about to be sent again: what the last answer said is worth telling.
        if let Some(shipment) = queue.shipment_of(ticket) {
            delivery = shipment.told.clone().delivery(shipment);
            delivery.failure = Some(Failure::Deadline);
        }
        if delivery.remedy.is_none() {
            delivery.remedy = Some(remedies::no_time(why));
        }
        queue.let_go(ticket);
        delivery
    }

    /// An invocation of this route has left.
    pub(super) fn left(&mut self, route: usize, now: Now) {
        if let Some(queue) = self.queues.get_mut(route) {
            queue.drop_orphans(now);
        }
    }

    /// What a waiting invocation of this route is to do now.
    pub(super) fn next(&mut self, route: usize, now: Now, deadline: Instant) -> Turn {
        let Some(queue) = self.queues.get_mut(route) else {
            return Turn::Wait;
        };
        let (at_fallback, not_before) = match &queue.shipment {
            Some(shipment) if shipment.driven => return Turn::Wait,
            Some(shipment) => (shipment.at_fallback, shipment.not_before),
            None if queue.is_idle() => return Turn::Wait,
            None => (self.starts_at_fallback(route, now), now.mono),
        };
        let Some(robot) = self.robot_of(route, at_fallback) else {
            return Turn::Wait;
        };
        let Some(state) = self.robots.get_mut(robot) else {
            return Turn::Wait;
        };
        if let Some(reopens) = state.closed_until(now) {
            self.closed(route, at_fallback, reopens, now);
            return Turn::Look;
        }
        if state.busy {
            return Turn::Wait;
        }
        let turn = state.ready_at(now);
        let at = turn.max(not_before);
        if at.max(now.mono) + MIN_ATTEMPT > deadline {
            return Turn::Leave(if turn > not_before {
                Failure::Throttled
            } else {
                Failure::Deadline
            });
        }
        if at > now.mono {
            return Turn::WaitUntil(at);
        }
        if self.is_rival_older(route, robot, now) {
            return Turn::Wait;
        }
        match self.begin(route, robot, at_fallback, now) {
            Some(job) => Turn::Attempt(job),
            None => Turn::Wait,
        }
    }

    /// Takes the answer to an attempt, and the message as it was sent.
    pub(super) fn record(&mut self, job: &Job, body: Arc<Vec<u8>>, attempt: &Attempt, now: Now) {
        let left = !matches!(
            attempt.phase,
            Phase::Start | Phase::Resolve | Phase::Connect | Phase::Tls
        );
        if let Some(robot) = self.robots.get_mut(job.robot) {
            robot.end(left);
        }
        let Some(queue) = self.queues.get_mut(job.route) else {
            return;
        };
        let Some(shipment) = &mut queue.shipment else {
            return;
        };
        shipment.driven = false;
        let sent = body.len();
        shipment.body = Some(body).filter(|body| !body.is_empty());
        shipment.fresh = true;
        shipment.doubtful |= attempt.class == Class::Unclear;
        let told = &mut shipment.told;
        told.attempts += u32::from(attempt.phase != Phase::Start);
        told.class = Some(attempt.class.as_str());
        told.errcode = attempt.errcode;
        told.remedy = Some(remedies::of(attempt));
        let secrets = queue
            .route
            .robot_at(job.at_fallback)
            .map_or(0, |robot| robot.secrets.len());
        match shipment.progress.after(attempt, secrets) {
            Step::Delivered => {
                told.remedy = None;
                if let Some(robot) = self.robots.get_mut(job.robot) {
                    robot.secret = shipment.secret;
                }
                self.settle(job.route, None, now);
            }
            // The next attempt is made by whoever waits and still has time.
            Step::Again(wait) => shipment.not_before = now.mono + wait,
            Step::OtherSecret => shipment.secret = (shipment.secret + 1) % secrets.max(1),
            Step::Shorter => {
                // Whatever the limit is: less than what was too long.
                shipment.budget = SHORTENED_BYTES.min(sent / 2);
                shipment.body = None;
            }
            Step::Throttled(pause) => {
                let reopens = match self.robots.get_mut(job.robot) {
                    Some(robot) => robot.close(pause, now),
                    None => now.wall,
                };
                let said = remedies::closed(&queue.route, reopens);
                told.remedy = Some(format!("{said} ({})", attempt.detail));
                self.give_up(job.route, Failure::Throttled, now);
            }
            Step::Refused => self.give_up(job.route, Failure::Refused, now),
            Step::Unreachable => self.settle(job.route, Some(Failure::Unreachable), now),
        }
        if let Some(queue) = self.queues.get_mut(job.route) {
            queue.drop_orphans(now);
        }
    }

    /// A new message starts at the fallback while the first chatbot is closed and the fallback is not.
    fn starts_at_fallback(&mut self, route: usize, now: Now) -> bool {
        let mut is_closed = |at_fallback| {
            let robot = self.robot_of(route, at_fallback)?;
            Some(self.robots.get_mut(robot)?.closed_until(now).is_some())
        };
        is_closed(false) == Some(true) && is_closed(true) == Some(false)
    }

    fn robot_of(&self, route: usize, at_fallback: bool) -> Option<usize> {
        let queue = self.queues.get(route)?;
        if at_fallback {
            queue.fallback
        } else {
            Some(queue.first)
        }
    }

    /// The chatbot that would be next is closed: the message moves on, or everything that waits fails at once.
    fn closed(
        &mut self,
        route: usize,
        at_fallback: bool,
        reopens: std::time::SystemTime,
        now: Now,
    ) {
        let Some(queue) = self.queues.get_mut(route) else {
            return;
        };
        if queue.shipment.is_none() {
            queue.form(at_fallback, now);
        }
        if let Some(shipment) = &mut queue.shipment {
            shipment.told.remedy = Some(remedies::closed(&queue.route, reopens));
            if shipment.told.attempts == 0 {
                shipment.told.class = None;
            }
        }
        self.give_up(route, Failure::Throttled, now);
    }

    /// This chatbot will not take the message: the fallback may, else it has failed.
    fn give_up(&mut self, route: usize, failure: Failure, now: Now) {
        let Some(queue) = self.queues.get_mut(route) else {
            return;
        };
        let Some(shipment) = &mut queue.shipment else {
            return;
        };
        if shipment.at_fallback || queue.fallback.is_none() {
            self.settle(route, Some(failure), now);
            return;
        }
        let attempts = shipment.told.attempts;
        let first = std::mem::take(&mut shipment.told);
        shipment.first_told = Some(Told {
            failure: Some(failure),
            ..first
        });
        shipment.told.attempts = attempts;
        shipment.at_fallback = true;
        shipment.progress = Progress::default();
        shipment.not_before = now.mono;
        shipment.fresh = false;
        shipment.secret = queue
            .fallback
            .and_then(|robot| self.robots.get(robot))
            .map_or(0, |robot| robot.secret);
    }

    /// Whether another route has waited longer for the same chatbot and could send now.
    fn is_rival_older(&self, route: usize, robot: usize, now: Now) -> bool {
        let Some(own) = self.queues.get(route).and_then(Queue::since) else {
            return false;
        };
        self.queues.iter().enumerate().any(|(other, queue)| {
            let at = match &queue.shipment {
                Some(shipment) if shipment.driven || shipment.not_before > now.mono => {
                    return false;
                }
                Some(shipment) if shipment.at_fallback => queue.fallback,
                _ => Some(queue.first),
            };
            other != route
                && at == Some(robot)
                && queue
                    .since()
                    .is_some_and(|since| (since, other) < (own, route))
        })
    }

    /// Forms the message, if it is not formed yet, and hands out its next attempt.
    fn begin(&mut self, route: usize, robot: usize, at_fallback: bool, now: Now) -> Option<Job> {
        let queue = self.queues.get_mut(route)?;
        // Why the message does not go to the first chatbot; worth telling should the fallback fail.
        let closed = self
            .robots
            .get_mut(queue.first)
            .filter(|_| at_fallback)
            .and_then(|first| first.closed_until(now));
        let state = self.robots.get_mut(robot)?;
        if queue.shipment.is_none() {
            queue.form(at_fallback, now);
            if let Some(shipment) = &mut queue.shipment {
                shipment.secret = state.secret;
                shipment.first_told = closed.map(|reopens| Told {
                    failure: Some(Failure::Throttled),
                    remedy: Some(remedies::closed(&queue.route, reopens)),
                    ..Told::default()
                });
            }
        }
        let secrets = queue
            .route
            .robot_at(at_fallback)
            .map_or(0, |r| r.secrets.len());
        let shipment = queue.shipment.as_mut()?;
        shipment.secret = shipment.secret.min(secrets.saturating_sub(1));
        shipment.driven = true;
        state.begin(now);
        Some(Job {
            route,
            robot,
            at_fallback,
            secret: shipment.secret,
            fresh: shipment.fresh,
            events: shipment
                .tickets
                .iter()
                .filter_map(|ticket| Some(Arc::clone(&queue.entries.get(ticket)?.event)))
                .collect(),
            uuid: shipment.uuid.clone(),
            body: shipment.body.clone(),
            budget: shipment.budget,
        })
    }

    /// Settles every event of the message on its way; what was delivered is remembered.
    fn settle(&mut self, route: usize, failure: Option<Failure>, now: Now) {
        let Some(queue) = self.queues.get_mut(route) else {
            return;
        };
        let Some(shipment) = queue.shipment.take() else {
            return;
        };
        let mut told = shipment.told.clone();
        told.failure = failure;
        if let (Some(_), Some(first)) = (failure, &shipment.first_told) {
            told = told.with_first(first);
        }
        let delivery = told.delivery(&shipment);
        for ticket in &shipment.tickets {
            let Some(entry) = queue.entries.get_mut(ticket) else {
                continue;
            };
            queue.by_event.remove(&entry.identity);
            if failure.is_none() {
                self.memory.remember(route, &entry.identity, now);
            }
            entry.settled = Some((delivery.clone(), now));
        }
        if failure.is_some() {
            queue.doubt(&shipment, now);
        }
        for ticket in &shipment.tickets {
            if queue
                .entries
                .get(ticket)
                .is_some_and(|entry| entry.waiters == 0)
            {
                queue.entries.remove(ticket);
            }
        }
    }
}
