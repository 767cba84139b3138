//! ECS events: the wire shapes in which they arrive, and the one [`Event`] that they all become.
//!
//! Pure: no network, no clock, no settings.
//!
//! By file, from the top down. Imports go downwards only, but for an event and its occasion, which
//! hold each other.
//!
//! | File | Content |
//! |---|---|
//! | `file.rs` | a file of what was stored → its parts: events, and what is none, each with its place |
//! | `payload.rs` | bytes → events, in whatever they are wrapped |
//! | `decode.rs`, `wrapper.rs` | a text → its JSON; objects that hold an event |
//! | `xml.rs` | the XML of a queue → the bodies of its messages |
//! | `cloud_event.rs`, `cloud_monitor.rs`, `metric_alarm.rs` | the wire shapes |
//! | `event.rs` | the one [`Event`]; `complete` derives level, status, resource |
//! | `occasion.rs` | why the function speaks by itself |
//! | `schedule.rs` | times of day, leads, and what is due at a tick |
//! | `name.rs`, `resource.rs` | name and status; the resource |
//! | `catalog.rs` | title, advice and level by name |
//! | `secret.rs` | hides the values of an event's data that are secret by their name |
//! | `region.rs`, `known.rs` | the known regions; what a look-up found out |
//! | `field.rs` | tolerant reading of JSON |
//! | `level.rs`, `time.rs` | the levels; the formats of times |

#![forbid(unsafe_code)]

pub mod catalog;
mod cloud_event;
mod cloud_monitor;
mod decode;
mod event;
mod field;
mod file;
mod known;
mod level;
mod metric_alarm;
mod name;
mod occasion;
mod payload;
pub mod region;
mod resource;
pub mod schedule;
mod secret;
mod time;
mod wrapper;
mod xml;

pub use catalog::known_names;
pub use event::{Event, Titles};
pub use field::into_object;
pub use file::{Content, Part, read_file};
pub use known::{Known, Lookup};
pub use level::Level;
pub use name::type_name;
pub use occasion::{AccessError, LookupHealth, Occasion, OccasionKind, Vitals};
pub use payload::{LeftOut, LeftOutKind, ParseError, Parsed, parse};
pub use time::EventTime;
