//! The codes and texts of refusals.

use super::{TOKEN, group_with, markdown, post, request};
use fake_dingtalk::{Behaviour, Family, Robot, State};
use serde_json::{Value, json};

#[test]
fn every_refusal_has_the_code_and_wording_of_its_family() {
    let families = [Family::Legacy, Family::Description, Family::Zh];
    type Setup = fn(&mut Robot);
    let none: Setup = |_| {};
    let send = format!("/robot/send?access_token={TOKEN}");
    let json_type = "application/json";
    let good = markdown().to_string();
    let long = json!({"msgtype": "text", "text": {"content": "x".repeat(20_000)}}).to_string();
    // setup, method, target, content type, body, code, words in each family
    type Row<'a> = (Setup, &'a str, String, &'a str, &'a str, i64, [&'a str; 3]);
    let rows: Vec<Row> = vec![
        (
            none,
            "POST",
            "/robot/other".into(),
            json_type,
            &good,
            404,
            ["请求的URI地址不存在"; 3],
        ),
        (
            none,
            "GET",
            send.clone(),
            json_type,
            "",
            43002,
            ["需要POST请求"; 3],
        ),
        (
            none,
            "POST",
            "/robot/send".into(),
            json_type,
            &good,
            40035,
            ["缺少参数 access_token"; 3],
        ),
        (
            none,
            "POST",
            send.clone(),
            "text/plain",
            &good,
            43004,
            ["无效的HTTP HEADER Content-Type"; 3],
        ),
        (
            none,
            "POST",
            "/robot/send?access_token=x".into(),
            json_type,
            &good,
            300005,
            ["token is not exist"; 3],
        ),
        (
            |r| r.state = State::GroupGone,
            "POST",
            send.clone(),
            json_type,
            &good,
            400013,
            ["群已被解散"; 3],
        ),
        (
            |r| r.state = State::Stopped,
            "POST",
            send.clone(),
            json_type,
            &good,
            400102,
            [
                "bot is stopped",
                "description:机器人已经停用",
                "机器人已经停用",
            ],
        ),
        (
            |r| r.state = State::Removed,
            "POST",
            send.clone(),
            json_type,
            &good,
            400106,
            ["机器人不存在"; 3],
        ),
        (
            |r| r.ip_allow = Some(vec!["1.1.1.1".into()]),
            "POST",
            send.clone(),
            json_type,
            &good,
            310000,
            [
                "ip 203.0.113.9 not in whitelist",
                "ip 不在白名单中",
                "ip 不在白名单中",
            ],
        ),
        (
            |r| r.secret = Some("SECx".into()),
            "POST",
            send.clone(),
            json_type,
            &good,
            310000,
            ["sign not match, more: [", "签名不匹配", "签名不匹配"],
        ),
        (
            |r| r.secret = Some("SECx".into()),
            "POST",
            format!("{send}&timestamp=1&sign=x"),
            json_type,
            &good,
            310000,
            ["invalid timestamp", "签名过期", "签名过期"],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            &long,
            460101,
            ["exceed 20000 bytes", "description: body", "错误描述: body"],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            "{",
            40035,
            ["缺少参数 json"; 3],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            "[]",
            40035,
            ["缺少参数 json"; 3],
        ),
        (
            none,
            "POST",
            send.clone(),
            json_type,
            r#"{"msgtype":"image"}"#,
            400105,
            [
                "unsupported msgtype",
                "不支持类型 msgType:image",
                "不支持类型 msgType:image",
            ],
        ),
        (
            |r| r.keywords = vec!["Alert".into()],
            "POST",
            send.clone(),
            json_type,
            &good,
            310000,
            [
                "keywords not in content",
                "description:关键词不匹配",
                "错误描述:关键词不匹配;解决方案",
            ],
        ),
        (
            |r| r.monthly_limit = Some(0),
            "POST",
            send.clone(),
            json_type,
            &good,
            999001,
            ["monthly quota"; 3],
        ),
    ];
    for (setup, method, target, content_type, body, code, words) in rows {
        for (family, words) in families.into_iter().zip(words) {
            let group = group_with(Robot::new(TOKEN));
            group.configure(TOKEN, setup);
            group.set_behaviour(Behaviour {
                family,
                ..Behaviour::default()
            });
            let (_, answer) = request(&group, method, &target, content_type, body);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["errcode"], code, "{target} {answer}");
            assert!(
                answer["errmsg"].as_str().unwrap().contains(words),
                "{family:?}: {answer}"
            );
            assert!(group.deliveries().is_empty());
        }
    }
}

#[test]
fn every_missing_field_has_its_code() {
    let group = group_with(Robot::new(TOKEN));
    group.set_behaviour(Behaviour {
        strict_cards: true,
        throttling: false,
        ..Behaviour::default()
    });
    let card = |more: Value| {
        let mut card = json!({"title": "t", "text": "x"});
        card.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"msgtype": "actionCard", "actionCard": card})
    };
    for (body, code) in [
        (json!({"msgtype": "text"}), 400201),
        (json!({"msgtype": "text", "text": {}}), 400202),
        (json!({"msgtype": "link"}), 400301),
        (json!({"msgtype": "link", "link": {"title": "t"}}), 400302),
        (json!({"msgtype": "link", "link": {"text": "x"}}), 400303),
        (
            json!({"msgtype": "link", "link": {"text": "x", "title": "t"}}),
            400304,
        ),
        (json!({"msgtype": "markdown"}), 400401),
        (
            json!({"msgtype": "markdown", "markdown": {"title": "", "text": "x"}}),
            400402,
        ),
        (
            json!({"msgtype": "markdown", "markdown": {"title": "t", "text": 7}}),
            400403,
        ),
        (json!({"msgtype": "actionCard"}), 400501),
        (
            json!({"msgtype": "actionCard", "actionCard": {"text": "x"}}),
            400502,
        ),
        (
            json!({"msgtype": "actionCard", "actionCard": {"title": "t"}}),
            400503,
        ),
        (card(json!({"singleURL": "u"})), 400504),
        (card(json!({"singleTitle": "s"})), 400505),
        (card(json!({})), 400506),
        (card(json!({"btns": [{"actionURL": "u"}]})), 400507),
        (card(json!({"btns": [{"title": "b"}]})), 400508),
        (
            card(json!({"singleTitle": "s", "singleURL": "u", "btnOrientation": 1})),
            400509,
        ),
        (json!({"msgtype": "feedCard"}), 400601),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": []}}),
            400602,
        ),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": [{}]}}),
            400603,
        ),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "t"}]}}),
            400604,
        ),
        (
            json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "t", "messageURL": "u"}]}}),
            400605,
        ),
    ] {
        assert_eq!(post(&group, "", &body)["errcode"], code, "{body}");
    }
    assert_eq!(
        post(
            &group,
            "",
            &card(json!({"singleTitle": "s", "singleURL": "u"}))
        )["errcode"],
        0
    );
}

#[test]
fn behaviour_selects_codes_and_the_form_of_answers() {
    let group = group_with(Robot::new(TOKEN));
    group.set_behaviour(Behaviour {
        errcode_as_string: true,
        keys_reversed: true,
        ..Behaviour::default()
    });
    let (_, answer) = request(
        &group,
        "POST",
        &format!("/robot/send?access_token={TOKEN}"),
        "application/json",
        &markdown().to_string(),
    );
    assert_eq!(answer, r#"{"errmsg":"ok","errcode":"0"}"#);
    let behaviour = Behaviour {
        unwanted: vec![("CloudMonitor".into(), 430102)],
        unknown_token_code: 400101,
        content_type_code: 300001,
        family: Family::Legacy,
        ..Behaviour::default()
    };
    group.set_behaviour(behaviour);
    assert_eq!(post(&group, "", &markdown())["errcode"], 430102);
    let missing = json!({"msgtype": "markdown", "markdown": {"text": "x"}}).to_string();
    let (_, answer) = request(
        &group,
        "POST",
        &format!("/robot/send?access_token={TOKEN}"),
        "application/json",
        &missing,
    );
    assert_eq!(
        answer,
        r#"{"errcode":400402,"errmsg":"miss param : markdown-\u003Etitle"}"#
    );
}
