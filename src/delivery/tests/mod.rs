//! Tests of the whole engine, with fake channels and clocks.

mod dispatcher;
mod forgetful;
mod scenarios;
mod simulation;
mod storm;
mod stress;

use super::{Target, aborted};
use crate::channel::{
    Attempt, Ban, Body, Channel, Class, Code, EncodeOptions, Limits, Phase, SendOptions,
};
use crate::event::Event;
use crate::message::{Language, Message, RenderOptions};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Instant;

/// Numbers that look random and are the same for the same seed.
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A chatbot that answers by a function.
struct FakeChannel<S> {
    id: String,
    limits: Limits,
    secrets: usize,
    deduplicates: bool,
    send: S,
}

impl<S> Channel for FakeChannel<S>
where
    S: Fn(&[u8], SendOptions, Instant) -> Attempt + Send + Sync,
{
    fn chat(&self) -> &'static str {
        "Fake"
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn secrets(&self) -> usize {
        self.secrets
    }

    fn deduplicates(&self) -> bool {
        self.deduplicates
    }

    /// The key in the first line, what is shown of the message in the second, and whether it is
    /// plain in the third.
    fn encode(&self, message: &Message, options: &EncodeOptions) -> Body {
        let shown = (&message.lines, &message.sections);
        let (title, footer, who) = (&message.title, &message.footer, &message.mentions.user_ids);
        let body = format!(
            "{}\n{title} {shown:?} {footer} {who:?}\n{}",
            options.key, options.is_plain
        );
        body.into_bytes().into()
    }

    fn send(&self, body: &[u8], options: SendOptions, deadline: Instant) -> Attempt {
        (self.send)(body, options, deadline)
    }

    fn ban_remedy(&self, ban: Ban) -> String {
        format!("mend {ban:?} at {}", self.id)
    }
}

fn channel<S>(id: &str, send: S) -> FakeChannel<S>
where
    S: Fn(&[u8], SendOptions, Instant) -> Attempt + Send + Sync,
{
    FakeChannel {
        id: id.to_owned(),
        limits: Limits::new(20, 20_000),
        secrets: 0,
        deduplicates: true,
        send,
    }
}

fn target(route: &str, channel: Arc<dyn Channel>) -> Target {
    Target {
        route: route.to_owned(),
        channel,
        fallback: None,
        options: RenderOptions::new(Language::En, TimeZone::UTC),
    }
}

pub(in crate::delivery) fn event(n: usize) -> Arc<Event> {
    Arc::new(crate::testing::event(n))
}

pub(in crate::delivery) fn attempt(class: Class, errcode: Option<i64>) -> Attempt {
    Attempt {
        class,
        errcode: errcode.map(Code::Number),
        phase: Phase::Answer,
        detail: String::new(),
        ..aborted()
    }
}
