//! Integration tests.

mod fc;
mod platform;
