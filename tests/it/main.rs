//! Integration tests.

mod robot;
