//! What every part of a message is written with: the options, the time, and how much there is room
//! for.

use super::RenderOptions;
use jiff::Timestamp;

/// Puts events into words.
pub(super) struct Renderer<'a> {
    pub(super) options: &'a RenderOptions,
    pub(super) now: Timestamp,
    /// How much is shown of what grows with the events: lines of a single event's own data, events
    /// of a list of upcoming maintenance, or groups of a digest. Beyond the number of groups it adds
    /// resources to each of them.
    pub(super) limit: usize,
}

impl Renderer<'_> {
    /// Returns one of two texts, by language.
    pub(super) fn select<T>(&self, zh: T, en: T) -> T {
        self.options.language.select(zh, en)
    }
}
