//! Integration tests.

mod binary;
mod delivery;
mod deploy;
mod events;
mod messages;
mod platform;
mod playground;
mod properties;
mod robot;
mod samples;
mod secrets;
mod support;
mod torture;
