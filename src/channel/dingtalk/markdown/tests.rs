use super::*;
use crate::event::{Event, Level};
use crate::message::{Foreign, Language, RenderOptions, compose};
use crate::testing;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// Foreign text as it stands in a message.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    if let Some(words) = Foreign::new(text, 100) {
        escape(&mut out, words.as_str());
    }
    out
}

#[test]
fn what_has_a_meaning_loses_it_and_names_stay_readable() {
    for (text, expected) in [
        ("web-01", "web-01"),
        ("iZbp1h2k7m4q9t6w3y8c5dZ", "iZbp1h2k7m4q9t6w3y8c5dZ"),
        ("AUTOSCALING:SCALE_IN_START", "AUTOSCALING:SCALE_IN_START"),
        ("_x_ __y__", "＿x＿ ＿＿y＿＿"),
        ("[a](http://evil.example)", "［a］(http:／/evil.example)"),
        ("www.evil.example wwww.b", "www．evil.example wwww.b"),
        ("中www.evil.example", "中www．evil.example"),
        ("<font color=red>x</font>", "＜font color=red＞x＜/font＞"),
        ("@13800000000 &lt;", "＠13800000000 ＆lt;"),
        ("# one\n## two\r\n\ttail  ", "＃ one ## two tail"),
        ("a\u{202e}b\u{200b}c\u{0}d", "abc d"),
        ("http:/\u{200b}/evil.example", "http:／/evil.example"),
        ("**b** `c` ~~d~~ \\[e", "＊＊b＊＊ ｀c｀ ～～d～～ ＼［e"),
        ("//evil.example a/b ///", "／/evil.example a/b ／／/"),
        ("$x$ y^2^ {#id .class}", "＄x＄ y＾2＾ ｛#id .class｝"),
    ] {
        assert_eq!(escaped(text), expected);
    }
}

#[test]
fn escaping_looks_at_its_own_text_alone() {
    let mut out = String::from("www");
    escape(&mut out, ".x");
    escape(&mut out, "#y");
    assert_eq!(out, "www.x＃y");
}

#[test]
fn the_body_is_json_in_raw_utf_8() {
    let options = RenderOptions {
        mentions: Mentions {
            mobiles: vec!["13800000000".into()],
            ..Mentions::default()
        },
        mention_levels: vec![Level::Critical],
        ..RenderOptions::new(Language::Zh, TimeZone::UTC)
    };
    let event = Event {
        name: "实例\"".into(),
        region: None,
        ..testing::event(1)
    };
    let message = compose(&[&event], &options, Timestamp::UNIX_EPOCH);
    let body = String::from_utf8(encode(&message, None, "key")).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"msgtype":"markdown","markdown":{"title":"🔴 实例\" · 执行中 · i-00000000000000000001","#,
            r####""text":"### 🔴 实例\"\n\n**级别**：🔴 严重  \n**状态**：执行中  \n"####,
            r#"**实例**：i-00000000000000000001\n\n"#,
            r#"**建议**：本程序的事件目录中没有此事件，请在控制台或产品文档中查看其含义。\n\n"#,
            r#"CloudMonitor · ECS · 实例\":Executing · event-1\n\n@13800000000"},"#,
            r#""at":{"atMobiles":["13800000000"],"atUserIds":[],"isAtAll":false},"msgUuid":"key"}"#,
        )
    );
}

proptest! {
    #[test]
    fn no_character_with_a_meaning_survives(text in "\\PC{0,80}|[\\[\\]<>()@&*`#!_~|$^{}\\\\:/wW. \\n\u{200b}]{0,80}") {
        let out = escaped(&text);
        prop_assert!(!out.contains(['[', ']', '<', '>', '@', '&', '*', '`', '~', '|', '$', '^', '{', '}', '\\']), "{}", out);
        prop_assert!(!out.contains(char::is_control), "{}", out);
        prop_assert!(!out.contains("//"), "{}", out);
        prop_assert!(!out.starts_with('#'));
        let lower = out.to_lowercase();
        let www = lower.match_indices("www.").any(|(at, _)| {
            !lower[..at].ends_with(|c: char| c.is_alphanumeric())
        });
        prop_assert!(!www, "{}", out);
        // An underscore stays between letters and digits alone.
        let chars: Vec<char> = out.chars().collect();
        for (place, _) in chars.iter().enumerate().filter(|(_, c)| **c == '_') {
            let inside = place > 0 && chars[place - 1].is_alphanumeric()
                && chars.get(place + 1).is_some_and(|c| c.is_alphanumeric());
            prop_assert!(inside, "{}", out);
        }
    }
}
