//! One message to one route: attempt after attempt until an answer settles it.

use super::{Courier, Draft, Failure, timestamp};
use crate::config::{Robot, Route};
use crate::dingtalk::{Attempt, Class, Phase, Reason};
use crate::message::MAX_BYTES;
use std::time::{Duration, Instant};

/// Waits before the retries of an unclear attempt: DingTalk asks for no more than three.
const RETRY_AFTER: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// How large a message may be after the chatbot called it too long.
const SHORTENED_BYTES: usize = MAX_BYTES / 4;

/// How the sending of one message ended.
pub(super) struct Sent {
    pub(super) failure: Option<Failure>,
    pub(super) class: Option<&'static str>,
    pub(super) errcode: Option<i64>,
    pub(super) attempts: u32,
    pub(super) remedy: Option<String>,
}

/// Which of a route's two chatbots.
#[derive(Clone, Copy)]
enum Which {
    First,
    Fallback,
}

impl Courier {
    /// Sends a message to the route's chatbot, or to its fallback while the first is closed or refuses.
    pub(super) fn send(&self, route: &Route, draft: &Draft, uuid: &str, deadline: Instant) -> Sent {
        let first = self.send_to(route, Which::First, &route.robot, draft, uuid, deadline);
        let (Some(Failure::Refused | Failure::Throttled), Some(fallback)) =
            (first.failure, &route.fallback)
        else {
            return first;
        };
        let second = self.send_to(route, Which::Fallback, fallback, draft, uuid, deadline);
        let attempts = first.attempts + second.attempts;
        if second.failure.is_none() {
            return Sent { attempts, ..second };
        }
        let remedy = [&first.remedy, &second.remedy].map(|r| r.as_deref().unwrap_or("no answer"));
        let remedy = Some(format!(
            "{}; the fallback chatbot: {}",
            remedy[0], remedy[1]
        ));
        let worst = if second.failure < first.failure {
            second
        } else {
            first
        };
        Sent {
            attempts,
            remedy,
            ..worst
        }
    }

    fn send_to(
        &self,
        route: &Route,
        which: Which,
        robot: &Robot,
        draft: &Draft,
        uuid: &str,
        deadline: Instant,
    ) -> Sent {
        let key = robot.webhook.same_robot_key();
        let mut sent = Sent {
            failure: None,
            class: None,
            errcode: None,
            attempts: 0,
            remedy: None,
        };
        if let Some(reopens) = self.gates.closed_until(&key) {
            sent.failure = Some(Failure::Throttled);
            sent.remedy = Some(closed_remedy(route, reopens));
            return sent;
        }
        let mut body = draft(MAX_BYTES).body(uuid);
        let mut secret = self
            .gates
            .secret(&key)
            .min(robot.secrets.len().saturating_sub(1));
        let mut may = Chances::default();
        let mut waits = RETRY_AFTER.iter();
        let mut fresh = false;
        loop {
            let attempt = self.client.attempt(
                &robot.webhook,
                robot.secrets.get(secret),
                &body,
                deadline,
                fresh,
            );
            if attempt.phase != Phase::Start {
                sent.attempts += 1;
            }
            sent.class = Some(attempt.class.as_str());
            sent.errcode = attempt.errcode;
            sent.remedy = Some(remedy(route, which, &attempt));
            // Whatever went wrong, the next request does not trust the connection it went wrong on.
            fresh = true;
            let failure = match attempt.class {
                Class::Delivered => {
                    self.gates.remember_secret(&key, secret);
                    sent.remedy = None;
                    return sent;
                }
                _ if attempt.by_deadline => Failure::Deadline,
                Class::NotSent if may.reconnect() => continue,
                Class::NotSent => Failure::Unreachable,
                Class::Unclear => match waits.next() {
                    Some(wait) if self.clock.now() + *wait < deadline => {
                        self.clock.sleep(*wait);
                        continue;
                    }
                    Some(_) => Failure::Deadline,
                    None => Failure::Unreachable,
                },
                Class::Throttled { pause } => {
                    let reopens = self.gates.close(&key, pause);
                    sent.remedy = Some(format!(
                        "{}; {}",
                        closed_remedy(route, reopens),
                        attempt.detail
                    ));
                    Failure::Throttled
                }
                Class::Refused(Reason::Signature) if robot.secrets.len() > 1 && may.rotate() => {
                    secret = (secret + 1) % robot.secrets.len();
                    continue;
                }
                Class::Refused(Reason::Clock) if may.sign_afresh() => continue,
                Class::Refused(Reason::TooLong) if may.shorten() => {
                    body = draft(SHORTENED_BYTES).body(uuid);
                    continue;
                }
                Class::Refused(_) => Failure::Refused,
            };
            sent.failure = Some(failure);
            return sent;
        }
    }
}

/// What may be tried once and once only for one message at one chatbot.
#[derive(Default)]
struct Chances {
    reconnected: bool,
    rotated: bool,
    signed_afresh: bool,
    shortened: bool,
}

impl Chances {
    fn reconnect(&mut self) -> bool {
        !std::mem::replace(&mut self.reconnected, true)
    }

    fn rotate(&mut self) -> bool {
        !std::mem::replace(&mut self.rotated, true)
    }

    fn sign_afresh(&mut self) -> bool {
        !std::mem::replace(&mut self.signed_afresh, true)
    }

    fn shorten(&mut self) -> bool {
        !std::mem::replace(&mut self.shortened, true)
    }
}

fn closed_remedy(route: &Route, reopens: std::time::SystemTime) -> String {
    let reopens = timestamp(reopens)
        .to_zoned_datetime(route.style.zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S (UTC%:z)");
    format!("DingTalk throttles this chatbot; nothing is sent to it before {reopens}")
}

/// The remedy with the names that the variables have on this route, and what was said.
fn remedy(route: &Route, which: Which, attempt: &Attempt) -> String {
    let suffix = &route.suffix;
    let own = |text: &str| {
        let (webhook, secret) = match which {
            Which::First => ("DINGTALK_WEBHOOK", "DINGTALK_SECRET"),
            Which::Fallback => ("DINGTALK_FALLBACK_WEBHOOK", "DINGTALK_FALLBACK_SECRET"),
        };
        text.replace("DINGTALK_WEBHOOK", &format!("{webhook}{suffix}"))
            .replace("DINGTALK_SECRET", &format!("{secret}{suffix}"))
            .replace("DINGTALK_KEYWORD", &format!("DINGTALK_KEYWORD{suffix}"))
    };
    match (attempt.remedy.as_deref(), attempt.detail.as_str()) {
        (Some(remedy), "") => own(remedy),
        (Some(remedy), detail) => format!("{} ({detail})", own(remedy)),
        (None, detail) => detail.to_owned(),
    }
}
