//! Integration tests.

mod binary;
mod delivery;
mod deploy;
mod events;
mod fc;
mod messages;
mod platform;
mod playground;
mod properties;
mod resilience;
mod robot;
mod samples;
mod secrets;
mod support;
