//! Sends ECS system events to groups in DingTalk, Lark, WeCom and Slack.
//!
//! The way of one event through the code:
//!
//! ```text
//!             ┌ fc-runtime: HTTP, hooks, deadlines ┐
//! POST /invoke ─► notifier ─► trigger ─► inventory ─► route ─► delivery ─► channel ─► http
//!                    ▲                     └► aliyun ─► http    │
//!                    └───────── report: answer, log ◄───────────┘
//! ```
//!
//! By file, from the top down. Imports go downwards only. A file without a folder is in the folder
//! of the one before it.
//!
//! | File | Content |
//! |---|---|
//! | `main.rs` | starts the command line |
//! | `cli.rs` | arguments, exit codes, serving |
//! | `cli/check.rs`, `live.rs`, `preview.rs` | the commands `check`, `check --live`, `preview` |
//! | `cli/send.rs` | the command `send`: batches, interruption |
//! | `cli/send/item.rs`, `outcome.rs` | the parts of the files; what became of them, as a table |
//! | `cli/send/rest.rs` | the file of what was not delivered |
//! | `cli/history.rs` | the command `history` |
//! | `app.rs` | composition root: configuration → notifier; the function that the runtime calls |
//! | `config/mod.rs` | environment variables → routes and network settings, every fault at once |
//! | `config/route.rs` | the values of one route |
//! | `config/chat.rs`, `chatbot.rs` | what each chat has; a route's chatbots and mentions |
//! | `config/list.rs`, `pattern.rs`, `value.rs` | lists; patterns that can match; single values |
//! | `config/resources.rs`, `network.rs` | how to look resources up; proxy and certificates |
//! | `config/variables.rs` | the known names |
//! | `notifier.rs` | one invocation: payload → events → decisions → delivery → report |
//! | `notifier/tick.rs`, `counts.rs` | a timer's tick; what the instance has done so far |
//! | `trigger.rs` | what a payload is: events, or the tick of a timer |
//! | `reminder.rs` | a tick → events of our own: digest, reminders, sign of life |
//! | `report.rs` | outcomes as a value: answer, name of the failure, log lines |
//! | `history.rs` | log lines → what became of events, and which were never shown |
//! | `history/answer.rs` | what a log tells, also as JSON |
//! | `history/lines.rs`, `text.rs` | text → log lines, wherever they stand; bytes → text |
//! | `log.rs` | JSON lines on standard output, never past the deadline |
//! | `route.rs` | routes, filters, and why an event is sent or not |
//! | `route/quiet_hours.rs` | hours in which some levels are not sent |
//! | `delivery/mod.rs` | brings the threads of invocations to the scheduler; makes the requests |
//! | `delivery/scheduler.rs` | decides which message is sent next, to which chatbot and when |
//! | `delivery/queue.rs`, `batch.rs` | the events that wait on a route; a message and its events |
//! | `delivery/endpoint.rs` | the state of a chatbot: its ban and until when, busy, accepted secret |
//! | `delivery/rate_limit.rs` | the pace of a chatbot |
//! | `delivery/retry.rs` | what follows an attempt: retry and its waits, next secret, shorten, ban |
//! | `delivery/keys.rs` | the key of an event; the idempotency key of a message (`msgUuid`) |
//! | `delivery/dedup.rs`, `unconfirmed.rs` | what was delivered; what may have been shown |
//! | `delivery/outcome.rs`, `remedies.rs` | the outcome of an event; what to do about a failure |
//! | `delivery/target.rs`, `timestamps.rs` | the chatbots of a route; both clocks at one moment |
//! | `channel/mod.rs`, `code.rs` | the trait `Channel`: all that delivery knows of a chat; its codes |
//! | `channel/chat.rs`, `endpoint.rs` | the chats; a chatbot of any of them as it is configured |
//! | `channel/address.rs`, `secret.rs`, `placeholder.rs` | parts of what is configured |
//! | `channel/variables.rs` | the names of a route's variables, for remedies |
//! | `channel/escape.rs`, `markup.rs` | text from an event; the lines of a message |
//! | `channel/request.rs`, `answer.rs`, `unreachable.rs` | a request; its answer; if none came |
//! | `channel/dingtalk/mod.rs` | DingTalk: its limits, one request |
//! | `channel/dingtalk/webhook.rs`, `sign.rs` | the address; the signature |
//! | `channel/dingtalk/markdown.rs` | a message in DingTalk's markup, escaped; the JSON body |
//! | `channel/dingtalk/response.rs`, `remedy.rs` | what a response means; what to do about it |
//! | `channel/lark/mod.rs` | Lark and Feishu: their limits, one request |
//! | `channel/lark/webhook.rs`, `sign.rs` | the address; the signature, which is in the body |
//! | `channel/lark/card.rs` | a message as a card; the JSON body |
//! | `channel/lark/response.rs`, `remedy.rs` | what a response means; what to do about it |
//! | `channel/wecom/mod.rs`, `webhook.rs` | WeCom: its limits, one request; the address |
//! | `channel/wecom/content.rs` | a message as markdown or text; the JSON body |
//! | `channel/wecom/response.rs`, `remedy.rs` | what a response means; what to do about it |
//! | `channel/slack/mod.rs`, `webhook.rs` | Slack: its limits, one request; the address |
//! | `channel/slack/blocks.rs` | a message as blocks; the JSON body |
//! | `channel/slack/response.rs`, `remedy.rs` | what a response means; what to do about it |
//! | `message/mod.rs` | a message as a value |
//! | `message/event.rs`, `details.rs`, `digest.rs` | the message of one event; of many |
//! | `message/renderer.rs` | what every part of a message is written with |
//! | `message/capacity.rs`, `fit.rs` | how many events fit into one message; what fits of it |
//! | `message/status.rs` | what has become of the matter: words and icons |
//! | `message/alarm.rs`, `api_call.rs` | what only threshold alarms and records of API calls say |
//! | `message/known.rs`, `mentions.rs` | what a look-up adds; whom a message mentions |
//! | `message/own.rs`, `share.rs` | what the function says by itself; what an event takes in a list |
//! | `message/upcoming.rs`, `reminder.rs` | lists of upcoming maintenance; the reminder of one event |
//! | `message/account.rs` | the account, where it needs mention |
//! | `message/text.rs`, `i18n.rs` | own and foreign text; the words in Chinese and English |
//! | `message/fields.rs`, `values.rs` | labels of keys; words for their values |
//! | `message/time.rs`, `console_link.rs` | times and countdowns; links to the console |
//! | `inventory/mod.rs` | trait `Inventory`: whoever knows resources |
//! | `inventory/directory.rs`, `cache.rs` | look-ups of events; what was said, and for how long |
//! | `inventory/calls.rs`, `pace.rs` | the calls at each place, and how often they may be made |
//! | `inventory/ecs.rs`, `maintenance.rs` | the ECS API as an inventory; its system events → events |
//! | `aliyun/mod.rs` | the API of Alibaba Cloud: instances, disks, roles of other accounts |
//! | `aliyun/credentials.rs`, `endpoint.rs` | an identity; the address for a region |
//! | `aliyun/query.rs`, `sign.rs` | parameters and signature of a call |
//! | `aliyun/role.rs` | roles of other accounts |
//! | `aliyun/answer.rs`, `error.rs` | what came back; what went wrong, and what to do about it |
//! | `aliyun/resource.rs`, `system_event.rs` | instances and disks; planned maintenance |
//! | `aliyun/member.rs` | tolerant reading of JSON |
//! | `http/mod.rs` | the one HTTP client: one request with time limits by phase |
//! | `http/config.rs`, `proxy.rs`, `dns.rs` | certificates; proxy; name lookups |
//! | `http/connector.rs`, `error.rs`, `redact.rs` | what was sent, and why a request failed |
//! | `clock.rs`, `parallel.rs` | time as an argument; the same work for several items at once |
//! | `crates/ecs-event` | [`event`]: bytes → events; why the function speaks by itself; [`schedule`] |

#![forbid(unsafe_code)]

pub mod aliyun;
pub mod app;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod history;
pub mod http;
pub mod inventory;
pub mod log;
pub mod message;
pub mod notifier;
mod parallel;
mod reminder;
mod report;
pub mod route;
#[cfg(test)]
mod testing;
pub mod trigger;

// A crate of its own, because it is optimized otherwise: see the profiles in Cargo.toml.
pub use ecs_event as event;
pub use ecs_event::schedule;

/// The allocator of the deployed binary. musl's own returns memory to the system and asks for it
/// again in every invocation. Elsewhere the system's is as good.
#[cfg(target_env = "musl")]
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

// Links memcpy and memmove in place of musl's.
#[cfg(all(target_env = "musl", target_arch = "x86_64"))]
use musl_memcpy as _;
