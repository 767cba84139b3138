//! Properties that hold for any input, shared by the fuzz targets (`fuzz/`) and the tests
//! (`tests/it/properties.rs`).
//!
//! Each module has a function `check` that takes bytes and panics if a property is violated. The
//! module says what the bytes mean. All bytes mean something, so no input of a fuzzer is wasted.

#![forbid(unsafe_code)]

pub mod aliyun;
pub mod answer;
pub mod chats;
pub mod environment;
pub mod events;
pub mod file;
mod filters;
pub mod framing;
mod markup;
pub mod message;
pub mod recipe;
pub mod server;
pub mod wire;

/// A property's name and its check.
pub type Property = (&'static str, fn(&[u8]));

/// All properties, by the names of their fuzz targets.
pub const ALL: [Property; 10] = [
    ("aliyun", aliyun::check),
    ("answer", answer::check),
    ("chats", chats::check),
    ("environment", environment::check),
    ("events", events::check),
    ("file", file::check),
    ("framing", framing::check),
    ("message", message::check),
    ("server", server::check),
    ("wire", wire::check),
];
