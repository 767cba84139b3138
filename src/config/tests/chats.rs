//! The variables of other chats.

use super::{HOOK, faults, read};
use crate::channel::{Chat, Endpoint};
use crate::event::Level;
use std::time::Duration;

const LARK: &str =
    "https://open.feishu.cn/open-apis/bot/v2/hook/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const LARK_OTHER: &str =
    "https://open.larksuite.com/open-apis/bot/v2/hook/ffffffff-4e5f-6071-8293-a4b5c6d7e8f9";
const WECOM: &str =
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const WECOM_OTHER: &str =
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=ffffffff-4e5f-6071-8293-a4b5c6d7e8f9";
const SLACK: &str = "https://hooks.slack.com/services/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";
const SLACK_OTHER: &str =
    "https://hooks.slack.com/services/T0AAAAAAA/B0CCCCCCC/ffffffffffffffffffffffff";

fn webhook(chat: Chat) -> (&'static str, &'static str) {
    match chat {
        Chat::DingTalk => ("DINGTALK_WEBHOOK", HOOK),
        Chat::Lark => ("LARK_WEBHOOK", LARK),
        Chat::WeCom => ("WECOM_WEBHOOK", WECOM),
        Chat::Slack => ("SLACK_WEBHOOK", SLACK),
    }
}

#[test]
fn a_routes_chat_is_the_one_whose_webhook_is_set() {
    for (chat, per_minute, gap) in [
        (Chat::DingTalk, 18, 0),
        (Chat::Lark, 60, 250),
        (Chat::WeCom, 18, 0),
        (Chat::Slack, 30, 1000),
    ] {
        let config = read(&[webhook(chat)]).unwrap();
        let [route] = config.routes.as_slice() else {
            panic!()
        };
        let limits = route.endpoint.limits();
        assert_eq!(
            (route.endpoint.chat(), limits.per_minute),
            (chat, per_minute)
        );
        assert_eq!(limits.min_gap, Duration::from_millis(gap));
        assert!(route.fallback.is_none());
    }
    // Each route has its own.
    let config = read(&[
        ("DINGTALK_WEBHOOK", HOOK),
        ("LARK_WEBHOOK__OPS", LARK),
        ("SLACK_WEBHOOK__ON_CALL", SLACK),
        ("SLACK_AT_ALL__ON_CALL", "true"),
        ("WECOM_WEBHOOK__B", WECOM),
        ("MESSAGE_LANGUAGE", "en"),
    ]);
    let routes = config.unwrap().routes;
    let chats: Vec<_> = routes
        .iter()
        .map(|route| (&*route.name, route.endpoint.chat()))
        .collect();
    let expected = [
        ("default", Chat::DingTalk),
        ("b", Chat::WeCom),
        ("on_call", Chat::Slack),
        ("ops", Chat::Lark),
    ];
    assert_eq!(chats, expected);
}

#[test]
fn all_values_of_each_chat_are_read() {
    let config = read(&[
        ("LARK_WEBHOOK", LARK),
        ("LARK_SECRET", "one, two"),
        ("LARK_KEYWORD", "报警"),
        ("LARK_FALLBACK_WEBHOOK", LARK_OTHER),
        ("LARK_FALLBACK_SECRET", "three"),
        (
            "LARK_AT_USER_IDS",
            "ou_7d8a6e6df7621556ce0d21922b676706,7be5fg9a",
        ),
        ("LARK_AT_ALL", "true"),
        ("LARK_AT_LEVELS", "WARN"),
        ("LARK_AT_TAG", "owner"),
        ("LARK_RATE_LIMIT", "100"),
    ]);
    let route = config.unwrap().routes.remove(0);
    let (Endpoint::Lark(own), Some(Endpoint::Lark(fallback))) = (&route.endpoint, &route.fallback)
    else {
        panic!("{route:?}")
    };
    assert_eq!((own.secrets.len(), fallback.secrets.len()), (2, 1));
    assert_eq!((own.rate_limit, fallback.rate_limit), (100, 100));
    assert_eq!(fallback.keyword.as_deref(), Some("报警"));
    let options = &route.render_options;
    assert_eq!(
        (options.mentions.user_ids.len(), options.mentions.all),
        (2, true)
    );
    assert_eq!(options.mention_levels, [Level::Warn]);
    assert!(!options.mentionable.mobiles && !(options.mentionable.is_user_id)("on_1"));

    let config = read(&[
        ("WECOM_WEBHOOK", WECOM),
        ("WECOM_FALLBACK_WEBHOOK", WECOM_OTHER),
        ("WECOM_AT_MOBILES", "13800000000"),
        ("WECOM_AT_USER_IDS", "zhang.san@corp"),
        ("WECOM_AT_ALL", "false"),
        ("WECOM_AT_LEVELS", "none"),
        ("WECOM_AT_TAG", "owner"),
        ("WECOM_RATE_LIMIT", "20"),
    ]);
    let route = config.unwrap().routes.remove(0);
    assert_eq!(route.render_options.mentions.mobiles, ["13800000000"]);
    assert_eq!(route.endpoint.limits().per_minute, 20);
    assert!(route.fallback.is_some() && route.render_options.mentionable.mobiles);

    let config = read(&[
        ("SLACK_WEBHOOK", SLACK),
        ("SLACK_FALLBACK_WEBHOOK", SLACK_OTHER),
        ("SLACK_AT_USER_IDS", "U024BE7LH, W012A3CDE, S0614TZR7"),
        ("SLACK_AT_ALL", "true"),
        ("SLACK_AT_LEVELS", "CRITICAL,WARN"),
        ("SLACK_AT_TAG", "owner"),
        ("SLACK_RATE_LIMIT", "60"),
    ]);
    let route = config.unwrap().routes.remove(0);
    assert_eq!(route.render_options.mentions.user_ids.len(), 3);
    assert_eq!(route.fallback.unwrap().limits().per_minute, 60);
}

/// The variable with a fault, and what the fault says.
type Expected = (&'static str, &'static str);

fn assert_faults(vars: &[(&str, &str)], expected: &[Expected]) {
    let reported = faults(vars);
    for (variable, text) in expected {
        let is_there = |fault: &String| {
            let problem = fault
                .strip_prefix(variable)
                .and_then(|rest| rest.strip_prefix(": "));
            problem.is_some_and(|problem| problem.contains(text))
        };
        assert!(
            reported.iter().any(is_there),
            "{variable} {text}: {reported:#?}"
        );
    }
    assert_eq!(reported.len(), expected.len(), "{reported:#?}");
    for part in ["4e5f-6071", "B0BBBBBBB", "0123456789abcdef"] {
        assert!(
            reported.iter().all(|fault| !fault.contains(part)),
            "{reported:?}"
        );
    }
}

#[test]
fn what_a_chat_lacks_is_a_fault_that_says_what_to_do() {
    for (chat, name, value, text) in [
        (Chat::WeCom, "WECOM_SECRET", "x", "have no signature"),
        (
            Chat::WeCom,
            "WECOM_FALLBACK_SECRET",
            "x",
            "have no signature",
        ),
        (Chat::WeCom, "WECOM_KEYWORD", "x", "have no keywords"),
        (Chat::Slack, "SLACK_SECRET", "x", "WEBHOOK secret"),
        (Chat::Slack, "SLACK_KEYWORD", "x", "have no keywords"),
        (
            Chat::Slack,
            "SLACK_FALLBACK_SECRET",
            "x",
            "have no signature",
        ),
        (
            Chat::Slack,
            "SLACK_AT_MOBILES",
            "13800000000",
            "set SLACK_AT_USER_IDS",
        ),
        (
            Chat::Lark,
            "LARK_AT_MOBILES",
            "13800000000",
            "set LARK_AT_USER_IDS",
        ),
        (
            Chat::Lark,
            "LARK_AT_ALLS",
            "true",
            "did you mean LARK_AT_ALL?",
        ),
        (Chat::Lark, "LARK_TOKEN", "x", "did you mean LARK_"),
        (Chat::Lark, "LARK_RATE_LIMIT", "101", "from 3 to 100"),
        (Chat::WeCom, "WECOM_RATE_LIMIT", "21", "from 3 to 20"),
        (Chat::Slack, "SLACK_RATE_LIMIT", "2", "from 3 to 60"),
        (
            Chat::Lark,
            "LARK_AT_USER_IDS",
            "on_8ed6aa67826108097d9ee143816345",
            "no union ids",
        ),
        (
            Chat::Lark,
            "LARK_AT_USER_IDS",
            "alice@example.com",
            "e-mail addresses",
        ),
        (
            Chat::Lark,
            "LARK_AT_USER_IDS",
            "all",
            "set LARK_AT_ALL=true",
        ),
        (Chat::Slack, "SLACK_AT_USER_IDS", "alice", "member ID"),
        (Chat::Slack, "SLACK_AT_USER_IDS", "@channel", "member ID"),
        (
            Chat::Slack,
            "SLACK_AT_USER_IDS",
            "everyone",
            "set SLACK_AT_ALL=true",
        ),
        (
            Chat::WeCom,
            "WECOM_AT_USER_IDS",
            "@all",
            "set WECOM_AT_ALL=true",
        ),
        (Chat::WeCom, "WECOM_AT_MOBILES", "alice", "no mobile number"),
        (Chat::Lark, "LARK_SECRET", "your-secret", "a placeholder"),
        (
            Chat::Lark,
            "LARK_SECRET",
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "last part of the webhook",
        ),
        (
            Chat::Lark,
            "LARK_FALLBACK_SECRET",
            "x1",
            "set without LARK_FALLBACK_WEBHOOK",
        ),
        (
            Chat::Lark,
            "LARK_FALLBACK_WEBHOOK",
            LARK,
            "same chatbot as LARK_WEBHOOK",
        ),
        (
            Chat::WeCom,
            "WECOM_FALLBACK_WEBHOOK",
            WECOM,
            "same chatbot as WECOM_WEBHOOK",
        ),
        (
            Chat::Slack,
            "SLACK_FALLBACK_WEBHOOK",
            SLACK,
            "same chatbot as SLACK_WEBHOOK",
        ),
        (
            Chat::Slack,
            "SLACK_FALLBACK_WEBHOOK",
            HOOK,
            "a fallback is of the route's own chat",
        ),
        (
            Chat::DingTalk,
            "DINGTALK_FALLBACK_WEBHOOK",
            WECOM,
            "WECOM_WEBHOOK__NAME",
        ),
    ] {
        let expected = [(name, text)];
        assert_faults(&[webhook(chat), (name, value)], &expected);
    }
    let ids: Vec<String> = (0..40)
        .map(|n| format!("someone-with-a-long-name-{n:02}@example.com"))
        .collect();
    assert_faults(
        &[
            ("WECOM_WEBHOOK", WECOM),
            ("WECOM_AT_USER_IDS", &ids.join(",")),
        ],
        &[(
            "WECOM_AT_USER_IDS",
            "name fewer people, or use WECOM_AT_ALL",
        )],
    );
    let ids: Vec<String> = (0..51).map(|n| format!("U{n:06}")).collect();
    assert_faults(
        &[
            ("SLACK_WEBHOOK", SLACK),
            ("SLACK_AT_USER_IDS", &ids.join(",")),
        ],
        &[("SLACK_AT_USER_IDS", "at most 50, or use SLACK_AT_ALL")],
    );
}

#[test]
fn two_chats_in_one_route_are_a_fault() {
    assert_faults(
        &[
            ("DINGTALK_WEBHOOK", HOOK),
            ("LARK_WEBHOOK", LARK),
            ("LARK_AT_ALL", "true"),
        ],
        &[(
            "LARK_WEBHOOK",
            "make a route of its own of it: LARK_WEBHOOK__NAME",
        )],
    );
    assert_faults(
        &[("WECOM_WEBHOOK__B", WECOM), ("SLACK_WEBHOOK__B", SLACK)],
        &[("SLACK_WEBHOOK__B", "is set beside WECOM_WEBHOOK__B")],
    );
    // Another chat's variables.
    assert_faults(
        &[
            ("SLACK_WEBHOOK__B", SLACK),
            ("DINGTALK_AT_ALL__B", "true"),
            ("LARK_SECRET__B", "x"),
            ("WECOM_AT_MOBILES__B", "13800000000"),
        ],
        &[
            ("DINGTALK_AT_ALL__B", "set SLACK_AT_ALL__B instead"),
            ("LARK_SECRET__B", "have no signature"),
            ("WECOM_AT_MOBILES__B", "set SLACK_AT_USER_IDS__B"),
        ],
    );
    assert_faults(
        &[("DINGTALK_WEBHOOK", HOOK), ("LARK_FALLBACK_WEBHOOK", LARK)],
        &[(
            "LARK_FALLBACK_WEBHOOK",
            "set DINGTALK_FALLBACK_WEBHOOK instead",
        )],
    );
    // Without a webhook, the other variables tell the chat.
    assert_faults(
        &[("LARK_SECRET__B", "x"), ("EVENT_LEVELS__B", "INFO")],
        &[(
            "LARK_WEBHOOK__B",
            "is not set, but other variables of this route are",
        )],
    );
}

#[test]
fn a_webhook_of_another_chat_names_the_right_variable() {
    for own in Chat::ALL {
        for other in Chat::ALL.into_iter().filter(|other| *other != own) {
            let (name, _) = webhook(own);
            let (right, url) = webhook(other);
            let name_b = format!("{name}__B");
            let reported = faults(&[(&name_b, url)]);
            let expected = format!(
                "{name_b}: is a webhook of {}: set {right}__B to it",
                other.name()
            );
            assert!(reported[0].starts_with(&expected), "{reported:?}");
        }
    }
}

/// What other programs call their variables is none of our business, unless it is nearly ours.
#[test]
fn unknown_names_are_faults_where_the_prefix_is_in_use_or_near() {
    let alone = [
        ("SLACK_TOKEN", "xoxb-1"),
        ("SLACK_SIGNING_SECRET", "x"),
        ("SLACK_SECRET", "x"),
        ("LARK_APP_ID", "cli_1"),
        ("FEISHU_APP_SECRET", "x"),
        ("WECOM_CORP_ID", "ww1"),
        ("SLACKWARE", "x"),
    ];
    let mut vars = vec![("DINGTALK_WEBHOOK", HOOK)];
    vars.extend(alone);
    assert_eq!(read(&vars).unwrap().routes.len(), 1);

    for (name, right) in [
        ("SLACK_WEBHOOK_URL", "did you mean SLACK_WEBHOOK?"),
        ("LARK_WEBHOOK_URL__B", "did you mean LARK_WEBHOOK__B?"),
        ("SLACK_WEBHOK", "did you mean SLACK_WEBHOOK?"),
        ("WECOM_WEBHOOKS", "did you mean WECOM_WEBHOOK?"),
        ("LARK_SECRETS", "did you mean LARK_SECRET?"),
        ("FEISHU_WEBHOOK", "set LARK_WEBHOOK instead"),
        ("FEISHU_WEBHOOK_URL", "did you mean LARK_WEBHOOK?"),
        ("FEISHU_SECRET__B", "set LARK_SECRET__B instead"),
        ("FEISHU_WEBHOK", "did you mean LARK_WEBHOOK?"),
        ("FEISHU_AT_MOBILES", "set LARK_AT_USER_IDS"),
    ] {
        assert_faults(&[("DINGTALK_WEBHOOK", HOOK), (name, "x")], &[(name, right)]);
    }
    // In use by another route: the prefix is ours.
    assert_faults(
        &[("SLACK_WEBHOOK__B", SLACK), ("SLACK_TOKEN", "x")],
        &[("SLACK_TOKEN", "is not a variable of the notifier")],
    );
    // Blank ones count as unset.
    assert!(
        read(&[
            ("LARK_WEBHOOK", LARK),
            ("SLACK_WEBHOOK", " "),
            ("FEISHU_SECRET", "")
        ])
        .is_ok()
    );
}

#[test]
fn a_tag_for_mentions_needs_look_ups_in_every_chat() {
    for chat in Chat::ALL {
        let name = format!("{}AT_TAG", chat.prefix());
        let vars = [webhook(chat), (&*name, "owner"), ("RESOURCE_LOOKUP", "off")];
        assert!(faults(&vars)[0].starts_with(&format!("{name}: needs look-ups")));
    }
}
