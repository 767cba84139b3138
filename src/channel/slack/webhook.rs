//! The URL of an incoming webhook.

use crate::channel::address::{self, Address};
use crate::http::Uri;
use std::fmt;

const EXAMPLE: &str = "write the URL that the app's page \"Incoming Webhooks\" shows and nothing else: https://hooks.slack.com/services/T…/B…/…";

const PATH: &str = "/services/";

/// An incoming webhook. Shown masked, because its last part is the permission to post, and the
/// others tell the workspace.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    base: String,
    /// All that follows `/services/`, and its last part. Must appear in no text.
    pub(super) ids: String,
    pub(super) secret: String,
    id: String,
}

impl Webhook {
    /// Parses the URL as Slack shows it. Accepts any https host, and plain http for loopback
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
        let Some((before, ids)) = path.split_once(PATH) else {
            return Err(
                if path.contains("/workflows/") || path.contains("/triggers/") {
                    "is the address of a workflow, which takes its own variables only"
                } else if path.contains("/api/") {
                    "is the address of Slack's API, which needs a token; this takes an incoming webhook"
                } else {
                    "is not the address of an incoming webhook"
                },
            );
        };
        if !address.query.is_empty() {
            return Err("holds a query (from the ? on), which incoming webhooks do not have");
        }
        let parts: Vec<&str> = ids.split('/').collect();
        let [_, _, secret] = parts.as_slice() else {
            return Err("does not have three parts behind /services/");
        };
        if let Some(problem) = parts.iter().find_map(|part| address::token_problem(part)) {
            return Err(problem);
        }
        let (scheme, authority) = (address.scheme, address.authority);
        let base = format!("{scheme}://{authority}{before}{PATH}{ids}");
        address::url(&base)?;
        Ok(Webhook {
            base,
            id: format!("slack:{authority}:{}", address::hash_of(ids)),
            secret: (*secret).to_owned(),
            ids: ids.to_owned(),
        })
    }

    /// Returns `https://host/services/…`.
    pub fn masked(&self) -> String {
        let place = self.base.strip_suffix(&self.ids).unwrap_or_default();
        format!("{}…", place.replace(&self.secret, "…"))
    }

    /// Identifies the webhook: [`Channel::id`](crate::channel::Channel::id).
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

    const IDS: &str = "T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx";

    #[test]
    fn any_edition_is_taken_and_shown_masked() {
        for host in [
            "https://hooks.slack.com",
            "https://hooks.slack-gov.com",
            "http://127.0.0.1:9/x",
        ] {
            let webhook = Webhook::parse(&format!("{host}{PATH}{IDS}")).unwrap();
            assert_eq!(webhook.url().to_string(), format!("{host}{PATH}{IDS}"));
            assert_eq!(webhook.masked(), format!("{host}{PATH}…"));
            let shown = format!("{webhook:?} {}", webhook.id());
            assert!(IDS.split('/').all(|part| !shown.contains(part)), "{shown}");
        }
    }

    #[test]
    fn faults_say_what_to_write_and_nothing_of_the_url() {
        let host = "https://hooks.slack.com";
        for (text, expected) in [
            (format!("{host}/workflows/{IDS}"), "a workflow"),
            (format!("{host}/triggers/{IDS}"), "a workflow"),
            (
                "https://slack.com/api/chat.postMessage".into(),
                "Slack's API",
            ),
            (format!("{host}/{IDS}"), "is not the address"),
            (format!("{host}{PATH}T0/B0"), "three parts"),
            (format!("{host}{PATH}{IDS}/x"), "three parts"),
            (format!("{host}{PATH}T0/B0/"), "ends before"),
            (format!("{host}{PATH}T0/B0/XXXXXXXX"), "a placeholder"),
            (format!("{host}{PATH}{IDS}?x=y"), "holds a query"),
            (format!("http://hooks.slack.com{PATH}{IDS}"), "is not https"),
        ] {
            let fault = Webhook::parse(&text).unwrap_err();
            assert!(fault.contains(expected), "{text}: {fault}");
            assert!(
                fault.ends_with(EXAMPLE) && !fault.contains("T0AAAAAAA"),
                "{fault}"
            );
        }
    }
}
