//! Integration tests.

mod events;
mod fc;
mod platform;
mod robot;
mod samples;
