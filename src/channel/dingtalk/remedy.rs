//! What to change and where: one line for every way in which an attempt can fail.

use super::{Phase, Reason};
use std::time::SystemTime;

/// The remedy for a refusal.
pub(super) fn refused(reason: Reason) -> &'static str {
    match reason {
        Reason::Keyword => {
            "the chatbot's keyword is not in the message: set DINGTALK_KEYWORD to the keyword shown in the chatbot's security settings (letter case matters)"
        }
        Reason::Signature => {
            "the signature does not match: set DINGTALK_SECRET to the secret (SEC…) shown in the chatbot's security settings, the one that belongs to DINGTALK_WEBHOOK"
        }
        Reason::Clock => {
            "the signature's time is over an hour off DingTalk's clock: the clock that the function runs on is wrong; set it right, or on Function Compute report it to the platform"
        }
        Reason::Address => {
            "the chatbot takes messages from listed addresses only: add the function's public address to the list in the chatbot's security settings, or choose signing there and set DINGTALK_SECRET (a function's address changes)"
        }
        Reason::Token => {
            "DingTalk knows no such access_token: copy the webhook URL from the chatbot's settings into DINGTALK_WEBHOOK again"
        }
        Reason::Stopped => {
            "the chatbot is disabled: enable it in the group's settings or the developer console, or set DINGTALK_WEBHOOK to another chatbot"
        }
        Reason::Removed => {
            "the chatbot is no longer in the group: add a chatbot to the group and set DINGTALK_WEBHOOK (and DINGTALK_SECRET) to the new one"
        }
        Reason::GroupGone => {
            "the group was dissolved: add a chatbot to another group and set DINGTALK_WEBHOOK (and DINGTALK_SECRET) to it"
        }
        Reason::TooLong => {
            "the message is over DingTalk's 20,000 bytes: send fewer events in one message"
        }
        Reason::UnsafeContent => {
            "DingTalk's content policy objects to something in the message, most likely to what the event itself says: look the event up in the log"
        }
        Reason::Parameter => {
            "DingTalk misses something in the message: that is a fault of this program, please report it with the text of the error"
        }
        Reason::Redirected => {
            "the address redirects, and redirects are not followed: set DINGTALK_WEBHOOK to the chatbot's own URL, or look for a gateway that answers in DingTalk's place"
        }
        Reason::HttpStatus => {
            "the address answers as DingTalk's chatbots do not: check that DINGTALK_WEBHOOK is the chatbot's URL, and look for a gateway that answers in DingTalk's place"
        }
        Reason::Endpoint => {
            "the address is not a chatbot's: copy the webhook URL (https://…/robot/send?access_token=…) from the chatbot's settings into DINGTALK_WEBHOOK again"
        }
        Reason::Quota => {
            "the organisation's monthly quota of DingTalk calls is used up: an administrator can enlarge it in the developer console"
        }
        Reason::Unknown => {
            "DingTalk refuses for a reason that this program does not know: see its text, and compare the chatbot's security settings with DINGTALK_WEBHOOK, DINGTALK_SECRET and DINGTALK_KEYWORD"
        }
    }
}

/// The remedy for a ban of one chatbot.
pub(super) const THROTTLED: &str = "the chatbot got too many messages (20 a minute is its limit) and takes none for a while: keep other senders off it, lower DINGTALK_RATE_LIMIT, or set DINGTALK_FALLBACK_WEBHOOK";

/// The remedy for a ban of an address.
pub(super) const FLOODED: &str = "DingTalk shuts out the address that the function calls from, because too many calls came from it: give the function a public address of its own (VPC with a NAT gateway)";

/// The remedy for errcode -1.
pub(super) const BUSY: &str = "DingTalk says that it is busy (errcode -1): nothing is to be changed; EventBridge repeats the event";

/// The remedy for HTTP 2xx without an errcode.
pub(super) const NOT_DINGTALK: &str = "the answer is not DingTalk's: check that DINGTALK_WEBHOOK is the chatbot's URL, and look for a gateway that answers in DingTalk's place";

/// The remedy for a connection that failed, by how far it came; `proxied` if a proxy was in between.
pub(super) fn unreachable(phase: Phase, proxied: bool) -> Option<&'static str> {
    let text = match phase {
        Phase::Resolve if proxied => {
            "the proxy's name was not found: check HTTPS_PROXY or ALL_PROXY"
        }
        Phase::Resolve => {
            "the host's name was not found: check the host in DINGTALK_WEBHOOK; a function in a VPC needs internet access (a NAT gateway, or internet access allowed)"
        }
        Phase::Connect if proxied => {
            "there is no connection through the proxy: check HTTPS_PROXY, ALL_PROXY and NO_PROXY, and that the proxy allows CONNECT to DingTalk"
        }
        Phase::Connect => {
            "the host does not take the connection: check the host and port in DINGTALK_WEBHOOK; a function in a VPC needs internet access (a NAT gateway, or internet access allowed)"
        }
        Phase::Tls => {
            "the TLS handshake failed: check the host and port in DINGTALK_WEBHOOK, and look for a gateway in between"
        }
        Phase::Send | Phase::Receive => {
            "the connection broke or was too slow: nothing is to be changed if it passes; if it lasts, look at the network between the function and DingTalk"
        }
        Phase::Start | Phase::Answer => return None,
    };
    Some(text)
}

/// The remedy for a server that shows the certificate of an authority as its own.
pub(super) const CA_AS_SERVER: &str = "the server shows a certificate authority's certificate as its own, which is not accepted, not even from SSL_CERT_FILE: give the server a certificate of its own (basicConstraints CA:FALSE), signed by that authority";

/// The remedy for a certificate that was not accepted.
pub(super) const CERTIFICATE: &str = "the server's certificate is not trusted: check the host in DINGTALK_WEBHOOK; if the server has a CA of its own, name that CA's certificate file (PEM) in SSL_CERT_FILE";

/// The remedy for a refused time, with the difference between the answer's `Date` and the wall clock where it is known.
pub(super) fn clock(date: Option<SystemTime>, now: SystemTime) -> String {
    let general = refused(Reason::Clock);
    let Some(date) = date else {
        return general.to_owned();
    };
    match now.duration_since(date) {
        Ok(ahead) => format!("{general}; it is {} s ahead of DingTalk's", ahead.as_secs()),
        Err(behind) => format!(
            "{general}; it is {} s behind DingTalk's",
            behind.duration().as_secs()
        ),
    }
}
