//! ECS system events, told in a DingTalk group.
//!
//! One event's way through the house:
//!
//! ```text
//! HTTP body ─ fc ─► notifier ─► event::parse ─► route::decide ─► dispatcher ─► message::compose ─► dingtalk
//!                      ▲                                                                          │
//!                      └──────────── outcome per event and route ◄────────────────────────────────┘
//! ```
//!
//! Bytes come in at one door ([`fc`]), go through pure functions and leave at one door
//! ([`dingtalk`]); the outcome walks back the same way and becomes the response and the log.

#![forbid(unsafe_code)]

pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod event;
pub mod http;
pub mod log;
pub mod message;
pub mod notifier;
pub mod route;

/// The heap of the deployed binary. musl's own gives memory back to the system, and asks for it again, in every
/// invocation, and finds its place more slowly. Elsewhere the system's is as good.
#[cfg(target_env = "musl")]
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

// Links memcpy and memmove in place of musl's.
#[cfg(all(target_env = "musl", target_arch = "x86_64"))]
use musl_memcpy as _;
