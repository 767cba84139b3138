//! Watches the groups: calls to chatbots, and messages.

use super::Lab;
use crate::chat;
use crate::chats::{Call, facts};
use crate::faults::GroupFault;
use crate::other_chats;
use ecs_dingtalk_notifier::channel::Chat;
use ecs_dingtalk_notifier::clock::Clock;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What DingTalk, Lark and WeCom answer to a chatbot that got too many messages.
const THROTTLED: [&str; 6] = ["660026", "130101", "410100", "11232", "9499", "45009"];

/// A watcher that saw nothing for so long looks again.
const TIMEOUT: Duration = Duration::from_secs(3600);

impl Lab {
    /// Publishes calls to a chat's chatbots and messages in its group as they arrive.
    pub(super) fn watch(&self, chat: Chat) {
        match self.groups.other(chat) {
            None => self.watch_dingtalk(),
            Some(other) => self.watch_other(chat, other),
        }
    }

    fn watch_dingtalk(&self) {
        let (mut calls_seen, mut shown) = (0, 0);
        let group = &self.groups.dingtalk;
        let [_, fallback] = facts(Chat::DingTalk).tokens;
        loop {
            let (calls, deliveries) = group.wait_for_activity(calls_seen, shown, TIMEOUT);
            calls_seen += calls.len();
            shown += deliveries.len();
            for call in &calls {
                self.add_call(&call.into());
            }
            for delivery in &deliveries {
                let call = calls
                    .iter()
                    .find(|call| !call.duplicate && call.body.as_ref() == Some(&delivery.body));
                let bytes = call.map_or(0, |call| call.raw_body.len());
                let number = self.next_message();
                let message = chat::to_json(number, delivery, bytes, delivery.token == fallback);
                self.journal.publish(&format!("message-{number}"), &message);
            }
        }
    }

    fn watch_other(&self, chat: Chat, other: &fake_chats::Chat) {
        let (mut calls_seen, mut shown) = (0, 0);
        loop {
            let (calls, deliveries) = other.wait_for_activity(calls_seen, shown, TIMEOUT);
            calls_seen += calls.len();
            shown += deliveries.len();
            for call in &calls {
                self.add_call(&Call::of(chat, call));
            }
            for delivery in &deliveries {
                let call = calls
                    .iter()
                    .find(|call| call.body.as_ref() == Some(&delivery.body));
                let bytes = call.map_or(0, |call| call.raw_body.len());
                let at = call.map_or_else(Instant::now, |call| call.at);
                let number = self.next_message();
                let message = other_chats::to_json(number, chat, delivery, bytes);
                let key = format!("message-{number}");
                self.invocations.add_message(key, at, message);
            }
        }
    }

    fn next_message(&self) -> usize {
        self.messages.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn add_call(&self, call: &Call) {
        self.invocations.add_call(call);
        self.update_state(call);
    }

    /// Updates the state after a call to the main chatbot of the group's chat.
    fn update_state(&self, call: &Call) {
        let mut state = self.lock();
        let chat = state.settings.chat;
        if call.is_of_fallback() || call.chat != chat {
            return;
        }
        let code = call.code.as_deref();
        let is_throttled = code.is_some_and(|code| THROTTLED.contains(&code));
        let banned_for = match (call.status, state.fault) {
            (_, fault) if fault.is_over_after_one_call() => {
                GroupFault::end(&self.groups, chat);
                state.fault = GroupFault::None;
                0
            }
            (None, GroupFault::Flood) => 300,
            _ if is_throttled && chat == Chat::DingTalk => 600,
            // Lark answers a message that it cannot read with the same code.
            _ if is_throttled && !call.answer.contains("Bad Request") => 60,
            (Some(429), _) => {
                let answer: Value = serde_json::from_str(&call.answer).unwrap_or_default();
                answer["retry_after"].as_u64().unwrap_or(60)
            }
            _ => return,
        };
        if banned_for > 0 {
            state.banned_until = Some(self.clock.wall() + Duration::from_secs(banned_for));
        }
        self.publish(&state);
    }
}
