//! What the stand-ins for DingTalk and for Alibaba Cloud's API have in common: the server side of
//! HTTP/1.1, and certificates.

#![forbid(unsafe_code)]

pub mod http;
pub mod tls;
