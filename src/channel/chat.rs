//! The chats, their names, and which of them an address belongs to.

/// A chat whose chatbots are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chat {
    DingTalk,
    /// Lark, and Feishu in China.
    Lark,
    WeCom,
    Slack,
}

impl Chat {
    pub const ALL: [Chat; 4] = [Chat::DingTalk, Chat::Lark, Chat::WeCom, Chat::Slack];

    /// The name in texts for people.
    pub fn name(self) -> &'static str {
        match self {
            Chat::DingTalk => "DingTalk",
            Chat::Lark => "Lark",
            Chat::WeCom => "WeCom",
            Chat::Slack => "Slack",
        }
    }

    /// What the names of its variables begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Chat::DingTalk => "DINGTALK_",
            Chat::Lark => "LARK_",
            Chat::WeCom => "WECOM_",
            Chat::Slack => "SLACK_",
        }
    }

    /// Returns the chat that an address plainly belongs to, by its host or path; `None` for one that
    /// may be any chat's, such as that of a gateway.
    pub fn of_url(url: &str) -> Option<Chat> {
        let lower = url.trim().to_ascii_lowercase();
        let rest = lower.split_once("://").map_or(&*lower, |(_, rest)| rest);
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match before_query.find('/') {
            Some(at) => before_query.split_at(at),
            None => (before_query, ""),
        };
        let host = authority.split(':').next().unwrap_or_default();
        let is_at = |domain: &str| {
            let before = host.strip_suffix(domain);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let is_of = |domains: &[&str]| domains.iter().any(|domain| is_at(domain));
        let has_token = query
            .split('&')
            .any(|pair| pair.starts_with("access_token="));
        let is_slack_path = || {
            let ids = path.strip_prefix("/services/").map(|ids| ids.split('/'));
            ids.is_some_and(|ids| ids.count() == 3)
        };
        if is_of(&["dingtalk.com", "dingtalk.io"]) {
            Some(Chat::DingTalk)
        } else if is_of(&["feishu.cn", "larksuite.com", "larkoffice.com"]) {
            Some(Chat::Lark)
        } else if is_at("qyapi.weixin.qq.com") {
            Some(Chat::WeCom)
        } else if is_of(&["slack.com", "slack-gov.com"]) {
            Some(Chat::Slack)
        } else if has_token {
            // A gateway before DingTalk may have any path.
            path.ends_with("/robot/send").then_some(Chat::DingTalk)
        } else if path.contains("/open-apis/bot/") {
            Some(Chat::Lark)
        } else if path.contains("/cgi-bin/webhook/send") {
            Some(Chat::WeCom)
        } else {
            is_slack_path().then_some(Chat::Slack)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_host_or_path_tells_the_chat() {
        for (url, expected) in [
            (
                "https://oapi.dingtalk.com/robot/send?access_token=a",
                Some(Chat::DingTalk),
            ),
            ("oapi.dingtalk.io", Some(Chat::DingTalk)),
            (
                "https://gw.example.com/robot/send?access_token=a",
                Some(Chat::DingTalk),
            ),
            ("https://gw.example.com/services/a/b/c?access_token=a", None),
            (
                " HTTPS://Open.Feishu.cn/open-apis/bot/v2/hook/a",
                Some(Chat::Lark),
            ),
            ("https://open.larksuite.com/x", Some(Chat::Lark)),
            (
                "http://127.0.0.1:8080/open-apis/bot/v2/hook/a",
                Some(Chat::Lark),
            ),
            (
                "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a",
                Some(Chat::WeCom),
            ),
            (
                "http://localhost/cgi-bin/webhook/send?key=a",
                Some(Chat::WeCom),
            ),
            (
                "https://hooks.slack.com/services/T0/B0/x",
                Some(Chat::Slack),
            ),
            (
                "https://hooks.slack-gov.com/services/T0/B0/x",
                Some(Chat::Slack),
            ),
            ("http://127.0.0.1:1/services/T0/B0/x", Some(Chat::Slack)),
            ("https://notslack.com/x", None),
            ("https://example.com", None),
            ("", None),
        ] {
            assert_eq!(Chat::of_url(url), expected, "{url}");
        }
    }
}
