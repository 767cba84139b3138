//! The webhook URL of a chatbot.

use crate::channel::Secret;
use crate::channel::address::{self, Address};
use crate::http::Uri;
use std::fmt;

const EXAMPLE: &str = "write the URL that the chatbot's settings show and nothing else: https://open.feishu.cn/open-apis/bot/v2/hook/… or https://open.larksuite.com/open-apis/bot/v2/hook/…";

/// What stands before the token.
const PATH: &str = "/open-apis/bot/v2/hook/";

/// A chatbot's webhook. Shown masked, because its token is the permission to post.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    base: String,
    /// Must appear in no text.
    pub(super) token: String,
    id: String,
}

impl Webhook {
    /// Parses the URL as Lark shows it. Accepts any https host, and plain http for loopback
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
        let path = address.path;
        let Some((before, token)) = path.split_once(PATH) else {
            return Err(if path.contains("/open-apis/bot/hook/") {
                "is the address of a chatbot of the first version, which takes no cards; make a new custom bot"
            } else if path.contains("/flow/api/trigger-webhook/") {
                "is the address of an automation flow, not of a custom bot"
            } else if path.contains("/open-apis/im/") {
                "is the address of an application's interface, not of a custom bot"
            } else {
                "is not the address of a custom bot"
            });
        };
        // Lark refuses requests with more in the address.
        if !address.query.is_empty() {
            return Err("holds a query (from the ? on), which Lark's chatbots do not take");
        }
        if let Some(problem) = address::token_problem(token) {
            return Err(problem);
        }
        let (scheme, authority) = (address.scheme, address.authority);
        let base = format!("{scheme}://{authority}{before}{PATH}{token}");
        address::url(&base)?;
        Ok(Webhook {
            base,
            id: format!("lark:{authority}:{}", address::hash_of(token)),
            token: token.to_owned(),
        })
    }

    /// Returns the URL with at most four characters of the token.
    pub fn masked(&self) -> String {
        let place = self.base.strip_suffix(&self.token).unwrap_or_default();
        let place = place.replace(&self.token, "…");
        format!("{place}{}…", address::masked(&self.token))
    }

    /// Returns true if the secret is the token.
    pub fn has_token(&self, secret: &Secret) -> bool {
        self.token == secret.expose()
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

    const TOKEN: &str = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

    #[test]
    fn any_edition_is_taken_and_shown_masked() {
        for host in [
            "https://open.feishu.cn",
            "https://open.larksuite.com",
            "https://open.f.example.cn:8443/gateway",
            "http://127.0.0.1:9",
        ] {
            let webhook = Webhook::parse(&format!(" {host}{PATH}{TOKEN}\n")).unwrap();
            assert_eq!(webhook.url().to_string(), format!("{host}{PATH}{TOKEN}"));
            assert_eq!(webhook.masked(), format!("{host}{PATH}0a1b…"));
            assert!(!format!("{webhook:?} {}", webhook.id()).contains(TOKEN));
        }
    }

    #[test]
    fn faults_say_what_to_write_and_nothing_of_the_url() {
        for (text, expected) in [
            (
                format!("https://open.feishu.cn/open-apis/bot/hook/{TOKEN}"),
                "first version",
            ),
            (
                format!("https://www.feishu.cn/flow/api/trigger-webhook/{TOKEN}"),
                "an automation flow",
            ),
            (
                "https://open.feishu.cn/open-apis/im/v1/messages".into(),
                "an application's",
            ),
            (
                format!("https://open.feishu.cn{PATH}{TOKEN}?a=b"),
                "holds a query",
            ),
            (format!("https://open.feishu.cn{PATH}"), "ends before"),
            (
                format!("https://open.feishu.cn{PATH}{TOKEN}/"),
                "a placeholder",
            ),
            (
                format!("https://open.feishu.cn{PATH}xxxxxxxx"),
                "a placeholder",
            ),
            (
                format!("https://open.feishu.cn{PATH}{TOKEN},{TOKEN}"),
                "more than one",
            ),
            (
                format!("https://a{PATH}{TOKEN} https://b{PATH}{TOKEN}"),
                "two addresses",
            ),
            (
                format!("http://open.feishu.cn{PATH}{TOKEN}"),
                "is not https",
            ),
            (
                format!("https://u:p@open.feishu.cn{PATH}{TOKEN}"),
                "a user name",
            ),
            (format!("open.feishu.cn{PATH}{TOKEN}"), "does not begin"),
        ] {
            let fault = Webhook::parse(&text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
            assert!(
                fault.ends_with(EXAMPLE) && !fault.contains(TOKEN),
                "{fault}"
            );
        }
    }
}
