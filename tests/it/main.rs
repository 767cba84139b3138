//! Integration tests.

mod aliyun;
mod binary;
mod chats;
mod delivery;
mod deploy;
mod dingtalk;
mod docs;
mod events;
mod history;
mod live;
mod lookups;
mod map;
mod messages;
mod platform;
mod playground;
mod properties;
mod reminders;
mod resilience;
mod samples;
mod secrets;
mod send;
mod settings;
mod support;
