//! The webhook URL of a chatbot.

use super::sign::{Signature, encode};
use crate::channel::Secret;
use crate::channel::address::{self, Address, hash_of};
use crate::channel::placeholder::is_placeholder;
use crate::http::Uri;
use std::fmt;

const EXAMPLE: &str = "write the URL that the chatbot's settings show: https://oapi.dingtalk.com/robot/send?access_token=…";

/// A chatbot's webhook. Shown masked, because its token is the permission to post.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The URL without `timestamp` and `sign`, in ASCII; ends in a query parameter.
    base: String,
    /// Must appear in no text.
    pub(super) token: String,
    rate_limit_key: String,
}

impl Webhook {
    /// Parses the URL as DingTalk shows it: `https://…/robot/send?access_token=…`.
    ///
    /// Accepts any https host, and plain http for loopback addresses only. Keeps the path and
    /// further query parameters as given; drops a fragment, and `timestamp` and `sign` of a URL
    /// that was copied from a request.
    ///
    /// # Errors
    ///
    /// What is wrong and what to write instead, without any part of the URL.
    pub fn parse(text: &str) -> Result<Webhook, String> {
        let fault = |what: &str| Err(format!("{what}: {EXAMPLE}"));

        let text = match address::trim(text) {
            Ok(text) => text,
            Err(problem) => return fault(problem),
        };
        match second_address(text) {
            Some(Second::Address) => {
                return fault(
                    "holds two addresses, but a route has one chatbot, and each further group is a route of its own (DINGTALK_WEBHOOK__NAME)",
                );
            }
            Some(Second::AsToken) => return fault("holds a whole address as its access_token"),
            None => {}
        }
        let Address {
            scheme,
            authority,
            path,
            query,
        } = match Address::parse(text) {
            Ok(address) => address,
            Err(problem) => return fault(problem),
        };

        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter(|pair| !matches!(pair.split('=').next(), Some("timestamp" | "sign")))
            .collect();
        let mut tokens = kept
            .iter()
            .filter_map(|pair| pair.strip_prefix("access_token="));
        let token = match (tokens.next(), tokens.next()) {
            (None | Some(""), _) => return fault("holds no access_token"),
            (Some(_), Some(_)) => return fault("holds more than one access_token"),
            (Some(token), None) => token.to_owned(),
        };
        if let Some(problem) = token_problem(&token) {
            return fault(problem);
        }

        let base = format!("{scheme}://{authority}{path}?{}", kept.join("&"));
        // With room for the signature: URLs have a longest length.
        if (base.clone() + &"x".repeat(200)).parse::<Uri>().is_err() {
            return fault("is no valid URL");
        }
        Ok(Webhook {
            base,
            rate_limit_key: format!("{authority}:{}", hash_of(&token)),
            token,
        })
    }

    /// Returns `https://host/path?access_token=abcd…`, with nothing of a token that is shorter
    /// than 8 characters.
    pub fn masked(&self) -> String {
        let token = &self.token;
        let shown = if token.len() < 8 { "" } else { &token[..4] };
        let (place, _query) = self
            .base
            .split_once('?')
            .expect("the token is in the query");
        // A host or path may repeat the token.
        format!("{}?access_token={shown}…", place.replace(token, "…"))
    }

    /// Returns the address of the host's own page: nothing of the chatbot is in it.
    pub(super) fn host_url(&self) -> Uri {
        address::host_url(&self.base)
    }

    /// Returns true if the secret is the token, which stands beside it in DingTalk's settings.
    pub fn has_token(&self, secret: &Secret) -> bool {
        self.token == secret.expose()
    }

    /// Returns what identifies the chatbot: the host and a hash of the token. Routes with the same
    /// key share the chatbot's rate limit. Not secret.
    pub fn rate_limit_key(&self) -> &str {
        &self.rate_limit_key
    }

    /// Returns the URL of one request, signed if there is a signature. It must appear in no text.
    pub(super) fn url(&self, signature: Option<&Signature>) -> Uri {
        let url = match signature {
            Some(signature) => format!(
                "{}&timestamp={}&sign={}",
                self.base,
                signature.timestamp_ms,
                encode(&signature.base64)
            ),
            None => self.base.clone(),
        };
        url.parse()
            .expect("the base is a valid URL with a query, and the rest needs no escape")
    }
}

/// A second address in the text of a webhook.
enum Second {
    /// Behind the first one.
    Address,
    /// In place of the first one's token.
    AsToken,
}

/// Finds a second address. One in another query parameter is a gateway's own affair.
fn second_address(text: &str) -> Option<Second> {
    let lower = text.to_ascii_lowercase();
    let starts = lower.match_indices("http");
    let mut starts = starts.filter(|(at, _)| {
        let rest = &lower[at + 4..];
        *at > 0 && (rest.starts_with("://") || rest.starts_with("s://"))
    });
    starts.find_map(|(at, _)| match &lower[..at] {
        before if before.ends_with("access_token=") => Some(Second::AsToken),
        before if before.ends_with('=') => None,
        _ => Some(Second::Address),
    })
}

/// Returns what is wrong with a token that no chatbot can have.
fn token_problem(token: &str) -> Option<&'static str> {
    const TWICE: &str = "holds the access_token twice";
    const PLACEHOLDER: &str = "holds a placeholder in place of the access_token";
    /// Characters of every token that DingTalk gives out.
    const USUAL: usize = 64;
    let separators = [',', ';', '|'];
    if let Some((first, rest)) = token.split_once(separators) {
        let rest = rest.trim_matches(separators);
        return Some(
            match rest.is_empty() || rest.split(separators).all(|next| next == first) {
                true if rest.is_empty() => "holds more than the access_token behind access_token=",
                true => TWICE,
                false => "holds more than one access_token",
            },
        );
    }
    if token.len() > USUAL && token.is_char_boundary(token.len() / 2) {
        let (first, second) = token.split_at(token.len() / 2);
        if first == second {
            return Some(TWICE);
        }
    }
    if token.contains([
        '<', '>', '{', '}', '[', ']', '(', ')', '$', '*', '=', '"', '\'',
    ]) {
        return Some(PLACEHOLDER);
    }
    if is_placeholder(token) {
        return Some(PLACEHOLDER);
    }
    let is_secret = token.len() > USUAL && token.starts_with("SEC");
    is_secret.then_some("holds the secret (SEC…) in place of the access_token")
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, SystemTime};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn parse(text: &str) -> Webhook {
        Webhook::parse(text).unwrap()
    }

    #[test]
    fn the_url_is_kept_as_given() {
        for url in [
            "https://oapi.dingtalk.com/robot/send?access_token=abc",
            "https://oapi.dingtalk.io/robot/send?access_token=abc",
            "https://zw.example.cn:8443/gateway/robot/send?tenant=7&access_token=abc&x=%2F",
            "https://[2001:db8::1]:8443/robot/send?access_token=abc",
            "http://127.3.2.1:9/robot/send?access_token=abc",
            "http://localhost:9/robot/send?access_token=abc",
            "http://[::1]:9/robot/send?access_token=abc",
        ] {
            assert_eq!(parse(url).url(None).to_string(), url);
        }
    }

    #[test]
    fn an_old_signature_and_a_fragment_are_dropped() {
        let webhook = parse(
            " HTTPS://OAPI.dingtalk.com/robot/send?timestamp=1&access_token=abc&sign=x%3D&&k=v#top\n",
        );
        assert_eq!(
            webhook.url(None).to_string(),
            "https://oapi.dingtalk.com/robot/send?access_token=abc&k=v"
        );
    }

    #[test]
    fn the_signature_is_encoded_once_and_the_base_is_unchanged() {
        let webhook = parse("https://oapi.dingtalk.com/robot/send?access_token=abc");
        let secret =
            Secret::parse("SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68")
                .unwrap();
        let signed = "https://oapi.dingtalk.com/robot/send?access_token=abc&timestamp=1582163555000\
                      &sign=BQKsG%2BQOCl%2BbYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY%3D";
        for _ in 0..3 {
            let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_582_163_555_000);
            let signature = Signature::new(now, &secret);
            assert_eq!(webhook.url(Some(&signature)).to_string(), signed);
        }
    }

    #[test]
    fn faults_say_what_to_write_and_nothing_of_the_url() {
        for url in [
            "",
            "  ",
            "oapi.dingtalk.com/robot/send?access_token=SeCrEt99",
            "ftp://oapi.dingtalk.com/robot/send?access_token=SeCrEt99",
            "http://oapi.dingtalk.com/robot/send?access_token=SeCrEt99",
            "http://127.0.0.1.example.com/robot/send?access_token=SeCrEt99",
            "http://localhost.example.com/?access_token=SeCrEt99",
            "https://SeCrEt99:pw@oapi.dingtalk.com/robot/send?access_token=SeCrEt99",
            "https://oapi.dingtalk.com/robot/send",
            "https://oapi.dingtalk.com/robot/send?access_token=",
            "https://oapi.dingtalk.com/robot/send?access_token",
            "https://oapi.dingtalk.com/robot/send?token=SeCrEt99",
            "https://oapi.dingtalk.com/robot/send?access_token=SeCrEt99&access_token=SeCrEt99",
            "https://oapi.dingtalk.com/robot/send?access_token=<SeCrEt99>",
            "https://oapi.dingtalk.com/robot/send?access_token=SeCrEt99 ok",
            "https://oapi.dingtalk.com/robot/send?access_token=SeCrEt99\u{a0}ok",
            "https:///robot/send?access_token=SeCrEt99",
            "https://:443/robot/send?access_token=SeCrEt99",
            "https://h:0/robot/send?access_token=SeCrEt99",
            "https://h:99999/robot/send?access_token=SeCrEt99",
            "https://[::1/robot/send?access_token=SeCrEt99",
            "https://[zz]/robot/send?access_token=SeCrEt99",
            "https://h^h/robot/send?access_token=SeCrEt99",
        ] {
            let fault = Webhook::parse(url).unwrap_err();
            assert!(fault.contains("write the URL"), "{url}: {fault}");
            assert!(!fault.contains("SeCrEt99"), "{url}: {fault}");
        }
    }

    #[test]
    fn a_fault_names_what_stands_in_the_tokens_place() {
        let long = format!("{TOKEN}{TOKEN}");
        let base = "https://oapi.dingtalk.com/robot/send?access_token=";
        let other = format!("{base}fedcba98");
        for (tail, expected) in [
            ("SeCrEt99,SeCrEt99", "holds the access_token twice"),
            ("SeCrEt99;SeCrEt99", "holds the access_token twice"),
            (&long, "holds the access_token twice"),
            ("SeCrEt99|fedcba98", "holds more than one access_token"),
            ("SeCrEt99,", "holds more than the access_token"),
            (&format!("SeCrEt99,{other}"), "holds two addresses"),
            (&format!("SeCrEt99；{other}"), "holds two addresses"),
            (&format!("SeCrEt99 {other}"), "holds two addresses"),
            (&format!("SeCrEt99\n{other}"), "holds two addresses"),
            (&format!("SeCrEt99{other}"), "holds two addresses"),
            (&other, "holds a whole address as its access_token"),
            (&format!("SEC{TOKEN}"), "holds the secret (SEC…) in place"),
            ("your_token", "holds a placeholder"),
            ("YOUR-ACCESS-TOKEN", "holds a placeholder"),
            ("XXXXXX", "holds a placeholder"),
            ("xxx-xxx", "holds a placeholder"),
            ("[TOKEN]", "holds a placeholder"),
            ("ACCESS_TOKEN", "holds a placeholder"),
            ("${TOKEN}", "holds a placeholder"),
            ("...", "holds a placeholder"),
            ("SeCrEt99***", "holds a placeholder"),
            ("'SeCrEt99'", "holds a placeholder"),
        ] {
            let fault = Webhook::parse(&format!("{base}{tail}")).unwrap_err();
            assert!(fault.starts_with(expected), "{tail}: {fault}");
            assert!(fault.contains("write the URL") && !fault.contains("SeCrEt99"));
        }
        let quoted = Webhook::parse(&format!("\"{base}SeCrEt99\"")).unwrap_err();
        assert!(quoted.starts_with("stands in quotation marks"), "{quoted}");
        // A gateway may have an address of its own in its query, and test tokens may be short.
        for tail in [
            "abcdefgh&upstream=https://inner.example/x",
            "t0",
            "yo",
            "xx",
            TOKEN,
        ] {
            assert!(Webhook::parse(&format!("{base}{tail}")).is_ok(), "{tail}");
        }
    }

    #[test]
    fn a_webhook_is_shown_masked() {
        let webhook = parse(&format!(
            "https://oapi.dingtalk.com/robot/send?access_token={TOKEN}"
        ));
        let masked = "https://oapi.dingtalk.com/robot/send?access_token=0123…";
        assert_eq!(webhook.masked(), masked);
        assert_eq!(format!("{webhook:?}"), format!("Webhook({masked})"));
        let short = parse("https://oapi.dingtalk.com/robot/send?access_token=abcdefg");
        assert_eq!(
            short.masked(),
            "https://oapi.dingtalk.com/robot/send?access_token=…"
        );
    }

    #[test]
    fn the_rate_limit_key_ignores_the_rest_of_the_url() {
        let one = parse("https://OAPI.dingtalk.com/robot/send?access_token=abcdefgh");
        let same = parse("https://oapi.dingtalk.com/robot/send?a=b&access_token=abcdefgh&sign=x");
        let other = parse("https://oapi.dingtalk.com/robot/send?access_token=abcdefgi");
        assert_eq!(one.rate_limit_key(), same.rate_limit_key());
        assert_ne!(one.rate_limit_key(), other.rate_limit_key());
        assert!(!one.rate_limit_key().contains("abcdefgh"));
    }

    proptest! {
        #[test]
        fn no_text_holds_the_token(
            token in "[0-9A-Za-z]{8,80}",
            host in "[a-z]{1,12}(\\.[a-z]{2,6}){1,2}(:[1-9][0-9]{0,3})?",
            path in "(/[a-z0-9._-]{0,8}){0,3}",
            repeat in any::<bool>(),
        ) {
            let repeated = if repeat { format!("/{token}") } else { String::new() };
            let webhook = Webhook::parse(&format!("https://{host}{path}{repeated}?access_token={token}")).unwrap();
            for text in [webhook.masked(), format!("{webhook:?}"), webhook.rate_limit_key().to_owned()] {
                prop_assert!(!text.contains(&token), "{text}");
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in "\\PC{0,60}", tail in "[ -~]{0,60}") {
            let _ = Webhook::parse(&text);
            let _ = Webhook::parse(&format!("https://{tail}"));
            if let Ok(webhook) = Webhook::parse(&format!("https://h/{tail}?access_token=abcdefgh")) {
                // Parses the signed URL, or panics.
                let secret = Secret::parse("SEC").unwrap();
                webhook.url(Some(&Signature::new(SystemTime::now(), &secret)));
            }
        }
    }
}
