//! Events: the wire shapes in which they arrive, and the one [`Event`] that they all become.
//!
//! | Module | Content |
//! |---|---|
//! | `level`, `time`, `event` | what an event is made of, and what follows from its fields |
//! | `field` | tolerant reading of JSON |
//! | `catalog` | level, title and advice by name |
//! | `name`, `resource` | name and status, and the resource, in an event's data |
//! | `known` | what a look-up found out about the resource |
//! | `region` | the known regions |
//! | `cloud_event`, `cloud_monitor` | the wire shapes |
//! | `payload` | bytes to events, in whatever they are wrapped |

pub(crate) mod catalog;
mod cloud_event;
mod cloud_monitor;
#[allow(clippy::module_inception, reason = "the one event of this module")]
mod event;
mod field;
mod known;
mod level;
mod name;
mod payload;
pub mod region;
mod resource;
#[cfg(test)]
pub(crate) mod testing;
mod time;

pub use catalog::known_names;
pub use event::{Event, Titles};
pub use known::{Known, Lookup};
pub use level::Level;
pub use name::type_name;
pub use payload::{ParseError, Parsed, parse};
pub use time::EventTime;
