//! The webhook URL of a chatbot.

use crate::channel::address::{self, Address};
use crate::http::Uri;
use std::fmt;

const EXAMPLE: &str = "write the URL that the chatbot's settings show and nothing else: https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…";

const PATH: &str = "/cgi-bin/webhook/send";

/// A chatbot's webhook. Shown masked, because its key is the permission to post.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    base: String,
    /// Must appear in no text.
    pub(super) key: String,
    id: String,
}

impl Webhook {
    /// Parses the URL as WeCom shows it. Accepts any https host, and plain http for loopback
    /// addresses only.
    ///
    /// # Errors
    ///
    /// What is wrong and what to write instead, without any part of the URL.
    pub fn parse(text: &str) -> Result<Webhook, String> {
        Webhook::read(text).map_err(|problem| format!("{problem}: {EXAMPLE}"))
    }

    fn read(text: &str) -> Result<Webhook, &'static str> {
        let address = Address::parse_alone(text)?;
        if !address.path.ends_with(PATH) {
            return Err(if address.path.contains("/cgi-bin/webhook/upload_media") {
                "is the address for files, not for messages"
            } else if address.path.contains("/cgi-bin/message/") {
                "is the address of an application, not of a group's chatbot"
            } else {
                "is not the address of a group's chatbot"
            });
        }
        let mut keys = address
            .query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("key="));
        let key = match (keys.next(), keys.next()) {
            (None, _) => return Err("holds no key"),
            (Some(_), Some(_)) => return Err("holds more than one key"),
            (Some(key), None) => key,
        };
        if let Some(problem) = address::token_problem(key) {
            return Err(problem);
        }
        let (scheme, authority) = (address.scheme, address.authority);
        let base = format!("{scheme}://{authority}{}?{}", address.path, address.query);
        address::url(&base)?;
        Ok(Webhook {
            base,
            id: format!("wecom:{authority}:{}", address::hash_of(key)),
            key: key.to_owned(),
        })
    }

    /// Returns `https://host/path?key=abcd…`, with at most four characters of the key.
    pub fn masked(&self) -> String {
        let (place, _query) = self.base.split_once('?').expect("the key is in the query");
        // A host or path may repeat the key.
        let place = place.replace(&self.key, "…");
        format!("{place}?key={}…", address::masked(&self.key))
    }

    /// Identifies the chatbot: [`Channel::id`](crate::channel::Channel::id).
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn host_url(&self) -> Uri {
        address::host_url(&self.base)
    }

    /// The URL, which must appear in no text.
    pub(super) fn url(&self) -> Uri {
        address::url(&self.base).expect("it was read as one")
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa";

    #[test]
    fn any_edition_is_taken_and_shown_masked() {
        for host in [
            "https://qyapi.weixin.qq.com",
            "https://wx.example.gov.cn/x",
            "http://localhost:9",
        ] {
            let webhook = Webhook::parse(&format!("{host}{PATH}?key={KEY}")).unwrap();
            assert_eq!(webhook.url().to_string(), format!("{host}{PATH}?key={KEY}"));
            assert_eq!(webhook.masked(), format!("{host}{PATH}?key=693a…"));
            assert!(!format!("{webhook:?} {}", webhook.id()).contains(KEY));
        }
    }

    #[test]
    fn faults_say_what_to_write_and_nothing_of_the_url() {
        let host = "https://qyapi.weixin.qq.com";
        for (text, expected) in [
            (
                format!("{host}/cgi-bin/webhook/upload_media?key={KEY}&type=file"),
                "for files",
            ),
            (
                format!("{host}/cgi-bin/message/send?access_token={KEY}"),
                "an application",
            ),
            (format!("{host}/x?key={KEY}"), "is not the address"),
            (format!("{host}{PATH}"), "holds no key"),
            (format!("{host}{PATH}?key="), "ends before"),
            (
                format!("{host}{PATH}?key={KEY}&key={KEY}"),
                "more than one key",
            ),
            (format!("{host}{PATH}?key=<{KEY}>"), "a placeholder"),
            (format!("{host}{PATH}?key=KEY,{KEY}"), "more than one"),
            (
                format!("http://qyapi.weixin.qq.com{PATH}?key={KEY}"),
                "is not https",
            ),
        ] {
            let fault = Webhook::parse(&text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
            assert!(fault.ends_with(EXAMPLE) && !fault.contains(KEY), "{fault}");
        }
    }
}
