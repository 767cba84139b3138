//! What the stand-ins for DingTalk and for Alibaba Cloud's API have in common: the server side of
//! HTTP/1.1, certificates, and a state that connections share.

#![forbid(unsafe_code)]

pub mod http;
pub mod tls;
mod watched;

pub use watched::Watched;
