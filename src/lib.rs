//! Sends ECS system events to DingTalk groups.
//!
//! The way of one event through the code:
//!
//! ```text
//!             ┌ fc-runtime: HTTP, hooks, deadlines ┐
//! POST /invoke ─► notifier ─► event ─► route ─► delivery ─► channel ─► http
//!                    ▲                              │
//!                    └──── report: answer, log ◄────┘
//! ```
//!
//! By file, from the top down. Imports go downwards only.
//!
//! | File | Content |
//! |---|---|
//! | `main.rs` | starts the command line |
//! | `cli.rs`, `cli/check.rs`, `cli/preview.rs` | arguments, exit codes; the commands |
//! | `app.rs` | composition root: configuration → notifier; the function that the runtime calls |
//! | `config/` | environment variables → routes and network settings, with every fault at once |
//! | `notifier.rs` | one invocation: payload → events → decisions → delivery → report |
//! | `report.rs` | outcomes as a value: answer, name of the failure, log lines |
//! | `log.rs` | JSON lines on standard output, never past the deadline |
//! | `route.rs` | routes, filters, and why an event is sent or not |
//! | `delivery/` | when and how often: `mod.rs` brings the threads, `scheduler.rs` decides |
//! | `delivery/queue.rs`, `batch.rs` | the events that wait on a route; the events of one message |
//! | `delivery/rate_limit.rs`, `endpoint.rs` | the pace of a chatbot; its ban |
//! | `delivery/retry.rs`, `remedies.rs` | what follows from an attempt; what to do about a failure |
//! | `delivery/dedup.rs`, `unconfirmed.rs` | what was delivered; what may have been shown |
//! | `channel/mod.rs` | the trait `Channel`: all that delivery knows of a chat |
//! | `channel/endpoint.rs` | chatbots as configured, one variant for each chat |
//! | `channel/dingtalk/` | DingTalk: `webhook.rs`, `sign.rs`, `markdown.rs`, `response.rs`, `remedy.rs` |
//! | `message/` | events → a structured message: `event.rs` for one, `digest.rs` for many |
//! | `message/fit.rs`, `capacity.rs` | shortens a message; how many events fit into one |
//! | `message/text.rs`, `i18n.rs` | own and foreign text; all words in Chinese and English |
//! | `event/payload.rs` | bytes → events, in whatever they are wrapped |
//! | `event/cloud_event.rs`, `cloud_monitor.rs` | wire shapes → one [`Event`](event::Event) |
//! | `event/catalog.rs`, `level.rs` | title, level and advice by name; levels |
//! | `http/` | the one HTTP client: time limits by phase, DNS cache, proxy, certificates |
//! | `clock.rs` | time as an argument |

#![forbid(unsafe_code)]

pub mod app;
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
pub mod report;
pub mod route;

/// The allocator of the deployed binary. musl's own returns memory to the system and asks for it
/// again in every invocation. Elsewhere the system's is as good.
#[cfg(target_env = "musl")]
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

// Links memcpy and memmove in place of musl's.
#[cfg(all(target_env = "musl", target_arch = "x86_64"))]
use musl_memcpy as _;
