//! Chats beside DingTalk: their messages, and what follows from their answers.

mod answers;
mod commands;
mod messages;
mod rows;

use ecs_dingtalk_notifier::channel::{Body, Chat, lark, slack, wecom};
use ecs_dingtalk_notifier::event::Event;
use ecs_dingtalk_notifier::message::{self, Message, RenderOptions};
use jiff::Timestamp;

/// The chats of this folder.
const CHATS: [Chat; 3] = [Chat::Lark, Chat::WeCom, Chat::Slack];

/// The most that a chat takes, as its bodies count it.
fn max_size(chat: Chat) -> usize {
    match chat {
        Chat::DingTalk => unreachable!("it has tests of its own"),
        Chat::Lark => lark::MAX_BYTES,
        Chat::WeCom => wecom::content::MAX_MARKDOWN,
        Chat::Slack => slack::blocks::MAX_CHARACTERS,
    }
}

/// The request body of these events in a chat.
fn encode(
    chat: Chat,
    events: &[&Event],
    options: &RenderOptions,
    now: Timestamp,
) -> (Message, Body) {
    let encode = |message: &Message| match chat {
        Chat::DingTalk => unreachable!("it has tests of its own"),
        Chat::Lark => lark::card::encode(message, None),
        Chat::WeCom => wecom::content::encode(message),
        Chat::Slack => slack::blocks::encode(message, false),
    };
    message::encode_within(events, options, now, max_size(chat), encode)
}
