//! Events: the wire shapes in which they arrive, and the one [`Event`] that they all become.
//!
//! | Module | Content |
//! |---|---|
//! | `level`, `time`, `event` | what an event is made of, and what follows from its fields |
//! | `field` | tolerant reading of JSON |
//! | `catalog` | level, title and advice by name |
//! | `name`, `resource` | name and status, and the resource, in an event's data |
//! | `known` | what a look-up found out about the resource |
//! | `occasion` | why the function speaks by itself |
//! | `secret` | hides the values that are secret by their name |
//! | `region` | the known regions |
//! | `cloud_event`, `cloud_monitor`, `metric_alarm` | the wire shapes |
//! | `wrapper` | objects that hold one of these |
//! | `decode` | a text to its JSON: forms, Base64, within the memory that there is |
//! | `payload` | bytes to events, in whatever they are wrapped |

pub(crate) mod catalog;
mod cloud_event;
mod cloud_monitor;
mod decode;
#[allow(clippy::module_inception, reason = "the one event of this module")]
mod event;
mod field;
mod known;
mod level;
mod metric_alarm;
mod name;
mod occasion;
mod payload;
pub mod region;
mod resource;
mod secret;
mod time;
mod wrapper;

pub use catalog::known_names;
pub use event::{Event, Titles};
pub(crate) use field::into_object;
pub use known::{Known, Lookup};
pub use level::Level;
pub use name::type_name;
pub use occasion::{Blindness, LookupHealth, Occasion, OccasionKind, Vitals};
pub use payload::{ParseError, Parsed, parse};
pub use time::EventTime;
