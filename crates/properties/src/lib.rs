//! What must hold of any input whatever, once for the fuzz targets (`fuzz/`) and for the tests (`tests/it/properties.rs`).
//!
//! Each module has one `check` that takes bytes and panics where something does not hold. What the bytes mean is told
//! there; all bytes mean something, so that nothing that a fuzzer makes is wasted.

#![forbid(unsafe_code)]

pub mod answer;
pub mod environment;
pub mod events;
pub mod framing;
mod markup;
pub mod message;
pub mod recipe;
pub mod server;
pub mod wire;

/// A property's name and its check.
pub type Property = (&'static str, fn(&[u8]));

/// All of them, by the names of their fuzz targets.
pub const ALL: [Property; 7] = [
    ("answer", answer::check),
    ("environment", environment::check),
    ("events", events::check),
    ("framing", framing::check),
    ("message", message::check),
    ("server", server::check),
    ("wire", wire::check),
];
