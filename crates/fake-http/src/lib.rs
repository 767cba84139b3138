//! What the stand-ins for chats and for Alibaba Cloud's API have in common: a server of HTTP/1.1
//! with certificates, answers and the ways to withhold them, a proxy that breaks connections, a
//! clock, and a state that connections share.

#![forbid(unsafe_code)]

mod clock;
mod faulty_proxy;
pub mod http;
mod reply;
mod server;
pub mod tls;
mod watched;

pub use clock::{Clock, http_date};
pub use faulty_proxy::{ConnectionFault, FaultyProxy, Offset};
pub use reply::{Reply, Response};
pub use server::{Close, Connection, Server, Service};
pub use watched::Watched;
