//! What each event name means.
