//! The binary: see the library for the way of an event.

fn main() {}
