//! Integration tests.

mod delivery;
mod events;
mod fc;
mod messages;
mod platform;
mod robot;
mod samples;
mod support;
