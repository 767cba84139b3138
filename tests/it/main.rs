//! Integration tests.

mod fc;
mod platform;
mod robot;
