//! What to change and where: one line for every way in which a request can fail.

use super::Meaning;
use crate::channel::unreachable::not_the_chat;
use crate::channel::{Ban, Chat, Variables};
use crate::http;
use std::time::SystemTime;

const CLOCK: &str = "the signature's time is over an hour off DingTalk's clock: the clock that the function runs on is wrong; set it right, or on Function Compute report it to the platform";

/// Returns the remedy for a response. For a ban it is [`banned`].
pub(super) fn answered(meaning: Meaning, variables: &Variables) -> Option<String> {
    let (webhook, secret, keyword) = (&variables.webhook, &variables.secret, &variables.keyword);
    Some(match meaning {
        Meaning::Delivered | Meaning::Unclear | Meaning::Throttled { .. } => return None,
        Meaning::Busy => "DingTalk says that it is busy (errcode -1): nothing is to be changed; EventBridge repeats the event".into(),
        Meaning::NotDingTalk => not_dingtalk(variables),
        Meaning::Keyword => format!("the chatbot's keyword is not in the message: set {keyword} to the keyword shown in the chatbot's security settings (letter case matters)"),
        Meaning::Signature => format!("the signature does not match: set {secret} to the secret (SEC…) shown in the chatbot's security settings, the one that belongs to {webhook}"),
        Meaning::Clock => CLOCK.into(),
        Meaning::Address => format!("the chatbot takes messages from listed addresses only: add the function's public address to the list in the chatbot's security settings, or choose signing there and set {secret} (a function's address changes)"),
        Meaning::Token => format!("DingTalk knows no such access_token: copy the webhook URL from the chatbot's settings into {webhook} again"),
        Meaning::Stopped => format!("the chatbot is disabled: enable it in the group's settings or the developer console, or set {webhook} to another chatbot"),
        Meaning::Removed => format!("the chatbot is no longer in the group: add a chatbot to the group and set {webhook} (and {secret}) to the new one"),
        Meaning::GroupGone => format!("the group was dissolved: add a chatbot to another group and set {webhook} (and {secret}) to it"),
        Meaning::TooLong => "the message is over DingTalk's 20,000 bytes: send fewer events in one message".into(),
        Meaning::UnsafeContent => "DingTalk's content policy objects to something in the message, most likely to what the event itself says: look the event up in the log".into(),
        Meaning::Parameter => "DingTalk misses something in the message: that is a fault of this program, please report it with the text of the error".into(),
        Meaning::Redirected => format!("the address redirects, and redirects are not followed: set {webhook} to the chatbot's own URL, or look for a gateway that answers in DingTalk's place"),
        Meaning::HttpStatus => format!("the address answers as DingTalk's chatbots do not: check that {webhook} is the chatbot's URL, and look for a gateway that answers in DingTalk's place"),
        Meaning::Endpoint => format!("the address is not a chatbot's: copy the webhook URL (https://…/robot/send?access_token=…) from the chatbot's settings into {webhook} again"),
        Meaning::Quota => "the organisation's monthly quota of DingTalk calls is used up: an administrator can enlarge it in the developer console".into(),
        Meaning::Unknown => format!("DingTalk refuses for a reason that this program does not know: see its text, and compare the chatbot's security settings with {webhook}, {secret} and {keyword}"),
    })
}

/// Returns the remedy for a refused time, with the difference between the response's `Date` and the
/// wall clock where it is known.
pub(super) fn clock(date: Option<SystemTime>, now: SystemTime) -> String {
    let Some(date) = date else {
        return CLOCK.into();
    };
    match now.duration_since(date) {
        Ok(ahead) => format!("{CLOCK}; it is {} s ahead of DingTalk's", ahead.as_secs()),
        Err(behind) => format!(
            "{CLOCK}; it is {} s behind DingTalk's",
            behind.duration().as_secs()
        ),
    }
}

/// Returns the remedy for a ban.
pub(super) fn banned(ban: Ban, variables: &Variables) -> String {
    let (rate_limit, fallback_webhook) = (&variables.rate_limit, &variables.fallback_webhook);
    match ban {
        Ban::Chatbot => format!("the chatbot got too many messages (20 a minute is its limit) and takes none for a while: keep other senders off it, lower {rate_limit}, or set {fallback_webhook}"),
        Ban::Address => "DingTalk shuts out the address that the function calls from, because too many calls came from it: give the function a public address of its own (VPC with a NAT gateway)".into(),
    }
}

/// Returns the remedy for a request without a whole response.
pub(super) fn unreachable(error: &http::Error, variables: &Variables) -> Option<String> {
    crate::channel::unreachable::remedy(error, Chat::DingTalk, variables)
}

fn not_dingtalk(variables: &Variables) -> String {
    not_the_chat(Chat::DingTalk, variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Cause, Phase};

    const REFUSALS: [Meaning; 16] = [
        Meaning::Keyword,
        Meaning::Signature,
        Meaning::Clock,
        Meaning::Address,
        Meaning::Token,
        Meaning::Stopped,
        Meaning::Removed,
        Meaning::GroupGone,
        Meaning::TooLong,
        Meaning::UnsafeContent,
        Meaning::Parameter,
        Meaning::Redirected,
        Meaning::HttpStatus,
        Meaning::Endpoint,
        Meaning::Quota,
        Meaning::Unknown,
    ];

    /// Every remedy with these names.
    fn all(variables: &Variables) -> Vec<String> {
        let error = |phase, cause| http::Error {
            phase,
            cause,
            detail: String::new(),
            proxied: false,
            by_deadline: false,
        };
        let phases = [Phase::Resolve, Phase::Connect, Phase::Tls, Phase::Send];
        let causes = [
            Cause::NotHttp,
            Cause::AuthorityAsServer,
            Cause::UntrustedCertificate {
                has_own_roots: false,
            },
            Cause::UntrustedCertificate {
                has_own_roots: true,
            },
        ];
        let errors = phases.map(|phase| error(phase, Cause::Other));
        let errors = errors
            .into_iter()
            .chain(causes.map(|cause| error(Phase::Tls, cause)));
        let meanings = REFUSALS;
        let meanings = meanings
            .into_iter()
            .chain([Meaning::Busy, Meaning::NotDingTalk]);
        let bans = [Ban::Chatbot, Ban::Address].map(|ban| banned(ban, variables));
        errors
            .map(|error| unreachable(&error, variables).unwrap())
            .chain(meanings.map(|meaning| answered(meaning, variables).unwrap()))
            .chain(bans)
            .collect()
    }

    fn names(texts: &[String]) -> Vec<&str> {
        texts
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .filter(|word| word.starts_with("DINGTALK_"))
            .collect()
    }

    #[test]
    fn every_variable_has_the_suffix_of_its_route() {
        let texts = all(&Variables::new(Chat::DingTalk, "__ONCALL", false));
        let mut names = names(&texts);
        assert!(
            names.iter().all(|name| name.ends_with("__ONCALL")),
            "{names:?}"
        );
        names.sort_unstable();
        names.dedup();
        let expected = [
            "FALLBACK_WEBHOOK",
            "KEYWORD",
            "RATE_LIMIT",
            "SECRET",
            "WEBHOOK",
        ];
        assert_eq!(
            names,
            expected.map(|name| format!("DINGTALK_{name}__ONCALL"))
        );
    }

    #[test]
    fn remedies_of_a_fallback_name_its_own_variables() {
        let texts = all(&Variables::new(Chat::DingTalk, "", true));
        let names = names(&texts);
        assert!(!names.contains(&"DINGTALK_WEBHOOK") && !names.contains(&"DINGTALK_SECRET"));
        assert!(names.contains(&"DINGTALK_FALLBACK_SECRET"));
    }

    #[test]
    fn a_remedy_is_one_line() {
        for text in all(&Variables::new(Chat::DingTalk, "__ONCALL", true)) {
            assert!(
                !text.is_empty() && !text.contains(char::is_control),
                "{text:?}"
            );
        }
    }
}
