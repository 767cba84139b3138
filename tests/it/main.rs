//! Integration tests.

mod events;
mod fc;
mod messages;
mod platform;
mod robot;
mod samples;
