//! A stand-in for a DingTalk group.
