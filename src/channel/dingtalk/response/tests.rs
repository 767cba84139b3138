use super::*;
use proptest::prelude::*;
use serde_json::json;

const T: Meaning = Meaning::Throttled {
    retry_after: CHATBOT_BAN,
    ban: Ban::Chatbot,
};
const ADDRESS: Meaning = Meaning::Throttled {
    retry_after: ADDRESS_BAN,
    ban: Ban::Address,
};

fn now() -> SystemTime {
    // Sun, 06 Nov 1994 08:49:37 GMT
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

fn read(status: u16, body: &str) -> Verdict {
    classify(status, None, body.as_bytes(), now())
}

const MORE: &str = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]";
const SEE: &str = "link:请参考本接口对应文档获得具体要求，或者在https://open.dingtalk.com/document/  搜索相关文档;";

/// Every code that DingTalk is known to answer, with every text seen for it, and what it means.
fn table() -> Vec<(i64, String, Meaning)> {
    use Meaning::*;
    let known = [
        (0, "ok", Delivered),
        (0, "", Delivered),
        (-1, "系统繁忙", Busy),
        (22, "not found", Endpoint),
        (404, "请求的URI地址不存在", Endpoint),
        (40035, "缺少参数 json", Parameter),
        (40035, "缺少参数 access_token", Token),
        (41001, "缺少access_token参数", Token),
        (43002, "需要POST请求", Endpoint),
        (43003, "需要HTTPS请求", Endpoint),
        (43004, "无效的HTTP HEADER Content-Type", Endpoint),
        (
            43005,
            "需要Content-Type为application/json;charset=UTF-8",
            Endpoint,
        ),
        (43009, "需要POST JSON", Endpoint),
        (90002, "", T),
        (90018, "", T),
        (90020, "", Quota),
        (90030, "Webhook 消息发送次数已达上限", Quota),
        (90030, "webhook monthly Quota exceeded", Quota),
        (90031, "本月免费额度已用完", Quota),
        (90030, "", Unknown),
        (90030, "每分钟发送次数已达上限", Unknown),
        (101002, "message is too long", TooLong),
        (130101, "send too fast, exceed 20 times per minute", T),
        (130101, "send too fast", T),
        (300001, "token is not exist", Token),
        (
            300001,
            "description: robot 不存在；solution:请确认 token 是否正确；",
            Token,
        ),
        (300001, "机器人不存在", Token),
        (300001, "param error", Parameter),
        (300001, "msgtype  is null", Parameter),
        (300001, "", Unknown),
        (300005, "token is not exist", Token),
        (302033, "", Unknown),
        (310000, "ip 203.0.113.9 not in whitelist", Address),
        (
            310000,
            "description:ip 不在白名单中;solution:请联系对应群的管理员，设置机器人安全ip地址段",
            Address,
        ),
        (310000, "invalid timestamp", Clock),
        (
            310000,
            "description:机器人发送签名过期;solution:签名生成时间和发送时间请保持在 timestampms 以内;",
            Clock,
        ),
        (
            310000,
            "错误描述:机器人发送签名过期;解决方案:签名生成时间和发送时间请保持在 timestampms 以内;",
            Clock,
        ),
        (310000, "sign not match", Signature),
        (310000, "sign.not.match", Signature),
        (
            310000,
            "错误描述:机器人发送签名不匹配;解决方案:请确认签名和生成签名的时间戳必须都放在调用的网址中，请确认机器人的密钥加密和填写正确;",
            Signature,
        ),
        (310000, "keywords not in content", Keyword),
        (310000, "keywords.not.match", Keyword),
        (
            310000,
            "description:关键词不匹配;solution:请联系群管理员查看此机器人的关键词，并在发送的信息中包含此关键词;",
            Keyword,
        ),
        (
            310000,
            "错误描述:关键词不匹配;解决方案:请联系群管理员查看此机器人的关键词，并在发送的信息中包含此关键词;",
            Keyword,
        ),
        (310000, "机器人签名有误", Signature),
        (310000, "something new", Unknown),
        (310000, "", Unknown),
        (400013, "群已被解散", GroupGone),
        (400101, "access_token不存在", Token),
        (400102, "bot is stopped", Stopped),
        (
            400102,
            "description:机器人已经停用或者未启用;solution:请让企业管理员前往开放平台后台启用对应机器人 :https://open-dev.dingtalk.com/#/",
            Stopped,
        ),
        (400105, "unsupported msgtype", Parameter),
        (
            400105,
            "错误描述: 不支持类型 msgType:image ;解决方案:请使用支持的类型;参考链接:请参考本接口对应文档查看支持的消息类型",
            Parameter,
        ),
        (400106, "机器人不存在", Removed),
        (
            400402,
            "错误描述:参数 markdown --》 title 缺失，或者参数格式不正确; 解决方案:请填充上对应参数;",
            Parameter,
        ),
        (401104, "miss param : file->fileType", Parameter),
        (410100, "发送速度太快而限流", T),
        (430101, "含有不安全的外链", UnsafeContent),
        (430102, "含有不合适的文本", UnsafeContent),
        (430103, "含有不合适的图片", UnsafeContent),
        (430104, "含有不合适的内容", UnsafeContent),
        (460101, "message too long, exceed 20000 bytes", TooLong),
        (
            460101,
            "description: body 大小不合法;solution:请保持大小在 20000bytes 以内;",
            TooLong,
        ),
        (
            460101,
            "错误描述: body 大小不合法;解决方案:请保持大小在 20000bytes 以内。",
            TooLong,
        ),
        (660026, "sending too many messages per minute", T),
        (
            999001,
            "stand-in: monthly quota exhausted (real answer unknown)",
            Quota,
        ),
        (1, "send forbidden", Unknown),
        (i64::MAX, "x", Unknown),
        (i64::MIN, "x", Unknown),
    ];
    let mut table: Vec<(i64, String, Meaning)> = known
        .into_iter()
        .map(|(code, text, class)| (code, text.to_owned(), class))
        .collect();
    for (text, reason) in [
        ("keywords not in content", Keyword),
        ("sign not match", Signature),
        ("invalid timestamp", Clock),
        ("ip 1.2.3.4 not in whitelist", Address),
        (
            "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中，请确认机器人的密钥加密和填写正确;",
            Signature,
        ),
    ] {
        table.push((310_000, format!("{text}{MORE}"), reason));
        table.push((310_000, format!("{text}{SEE}"), reason));
    }
    let parameters = (400_201..=400_202)
        .chain(400_301..=400_304)
        .chain(400_401..=400_403)
        .chain(400_501..=400_510)
        .chain(400_601..=400_605)
        .chain([400_899, 401_001, 401_199]);
    for code in parameters {
        table.push((code, "miss param : markdown->title".into(), Parameter));
    }
    for code in [400_104, 400_200, 400_900, 401_200, 42_999, 44_000, 430_200] {
        table.push((code, "beside a range".into(), Unknown));
    }
    table
}

/// The table as numbers, as strings, and beside other fields.
#[test]
fn every_known_code_and_text_has_its_meaning() {
    for (code, text, meaning) in table() {
        let bodies = [
            json!({"errcode": code, "errmsg": text}).to_string(),
            json!({"errcode": code.to_string(), "errmsg": text}).to_string(),
            format!(
                "{{\"errmsg\":{},\"errcode\":{code},\"more\":[1]}}",
                json!(text)
            ),
        ];
        for body in bodies {
            let verdict = read(200, &body);
            assert_eq!(verdict.meaning, meaning, "{body}");
            assert_eq!(verdict.errcode, Some(code), "{body}");
            let attempt = verdict.attempt(
                &Variables::new(crate::channel::Chat::DingTalk, "", false),
                &[],
            );
            assert_eq!(attempt.phase, Phase::Answer);
            let has_remedy = !matches!(meaning, Meaning::Delivered | Meaning::Throttled { .. });
            assert_eq!(attempt.remedy.is_some(), has_remedy, "{body}");
            if !text.is_empty() {
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let unknown = meaning == Meaning::Unknown;
                let prefix = if unknown {
                    format!("errcode {code}: ")
                } else {
                    String::new()
                };
                assert_eq!(attempt.detail, prefix + &words);
            }
        }
    }
}

#[test]
fn only_three_refusals_can_be_recovered_from() {
    for (meaning, recovery) in [
        (Meaning::Signature, Recovery::NextSecret),
        (Meaning::Clock, Recovery::SignAgain),
        (Meaning::TooLong, Recovery::Shorten),
        (Meaning::Keyword, Recovery::None),
        (Meaning::Token, Recovery::None),
        (Meaning::Unknown, Recovery::None),
    ] {
        assert_eq!(meaning.class(), Class::Refused(recovery));
    }
}

#[test]
fn every_status_crossed_with_every_kind_of_body() {
    let kinds = [
        r#"{"errcode":0,"errmsg":"ok"}"#,
        r#"{"errcode":300005,"errmsg":"token is not exist"}"#,
        "<html><body>Bad Gateway</body></html>",
        "",
    ];
    for status in 100..600 {
        let by_status = match status {
            200..300 => Meaning::NotDingTalk,
            300..400 => Meaning::Redirected,
            404 => Meaning::Endpoint,
            408 => Meaning::Unclear,
            413 => Meaning::TooLong,
            429 => T,
            400..500 => Meaning::HttpStatus,
            _ => Meaning::Unclear,
        };
        let zero = match status {
            200..300 => Meaning::Delivered,
            _ => by_status,
        };
        let nonzero = match status {
            429 => T,
            _ => Meaning::Token,
        };
        for (body, meaning) in kinds.iter().zip([zero, nonzero, by_status, by_status]) {
            let verdict = read(status, body);
            assert_eq!(verdict.meaning, meaning, "HTTP {status} {body}");
            assert!(!verdict.detail.is_empty());
        }
    }
}

#[test]
fn http_200_alone_does_not_mean_delivered() {
    for body in [
        "{}",
        "[]",
        "null",
        "0",
        "ok",
        "true",
        r#"{"errmsg":"ok"}"#,
        r#"{"errcode":null}"#,
        r#"{"errcode":false}"#,
        r#"{"errcode":0.0}"#,
        r#"{"errcode":0.5}"#,
        r#"{"errcode":""}"#,
        r#"{"errcode":"ok"}"#,
        r#"{"errcode":"0x0"}"#,
        r#"{"errcode":"0.0"}"#,
        r#"{"errcode":[0]}"#,
        r#"{"errcode":{"0":0}}"#,
        r#"{"ErrCode":0}"#,
        r#"{"data":{"errcode":0}}"#,
        r#"[{"errcode":0}]"#,
        r#"{"errcode":0,"errmsg":"o"#,
        r#"{"errcode":0"#,
        r#"{"errcode":0}}"#,
        r#"{"errcode":18446744073709551616}"#,
    ] {
        let verdict = read(200, body);
        assert_eq!(verdict.meaning, Meaning::NotDingTalk, "{body}");
        assert_eq!(verdict.errcode, None, "{body}");
    }
}

#[test]
fn an_address_is_banned_for_five_minutes_a_chatbot_for_ten() {
    let address = r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"0"}"#;
    let merged = r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"0","errcode": 130101,"errmsg": "send too fast, exceed 20 times per minute"}"#;
    let page = r#"<!doctype html><script>location="/_____tmd_____/punish?x5secdata=1"</script>"#;
    for status in [200, 403, 503] {
        assert_eq!(read(status, address).meaning, ADDRESS);
        assert_eq!(read(status, page).meaning, ADDRESS);
        assert_eq!(read(status, merged).meaning, T);
    }
    for body in [r#"{"status":1112}"#, "<p>punish</p>"] {
        assert_eq!(read(200, body).meaning, Meaning::NotDingTalk);
    }
}

#[test]
fn retry_after_is_honoured_within_bounds() {
    for (header, seconds) in [
        (None, 600),
        (Some("30"), 30),
        (Some(" 30 "), 30),
        (Some("0"), 1),
        (Some("99999999"), 3600),
        (Some("soon"), 600),
        (Some("-1"), 600),
        (Some(""), 600),
        (Some("Sun, 06 Nov 1994 08:50:07 GMT"), 30),
        (Some("Sun, 06 Nov 1994 08:00:00 GMT"), 1),
        (Some("Mon, 07 Nov 1994 08:49:37 GMT"), 3600),
    ] {
        for body in ["", r#"{"errcode":130101}"#] {
            let verdict = classify(429, header, body.as_bytes(), now());
            let expected = Meaning::Throttled {
                retry_after: Duration::from_secs(seconds),
                ban: Ban::Chatbot,
            };
            assert_eq!(verdict.meaning, expected, "{header:?}");
        }
    }
    for (status, body, usual) in [
        (200, r#"{"errcode":660026}"#, 600),
        (200, r#"{"status":1111,"punish":"deny"}"#, 300),
        (429, r#"{"status":1111,"punish":"deny"}"#, 300),
    ] {
        for (header, seconds) in [(None, usual), (Some("7"), 7)] {
            let verdict = classify(status, header, body.as_bytes(), now());
            let Meaning::Throttled { retry_after, .. } = verdict.meaning else {
                panic!("{body}: {verdict:?}");
            };
            assert_eq!(retry_after, Duration::from_secs(seconds), "{body}");
        }
    }
}

#[test]
fn the_detail_is_one_short_line() {
    let body = json!({"errcode": 1, "errmsg": format!("a\r\nb\u{1b}[0m{}", "长".repeat(400))});
    let verdict = read(200, &body.to_string());
    let detail = verdict
        .attempt(
            &Variables::new(crate::channel::Chat::DingTalk, "", false),
            &[],
        )
        .detail;
    assert!(detail.starts_with("errcode 1: a b [0m长") && detail.ends_with("长…"));
    assert_eq!(detail.chars().count(), 300);
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![
        (-2i64..3).prop_map(|n| n.to_string()),
        (-2i64..3).prop_map(|n| format!("\"{n}\"")),
        any::<f64>().prop_map(|n| n.to_string()),
        Just("null".to_owned()),
        "[ -~]{0,6}",
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        (
            "[{\\[ ]{1,2}",
            "errcode|errmsg|status",
            code,
            "[}\\] ,]{0,2}"
        )
            .prop_map(
                |(open, key, value, close)| format!("{open}\"{key}\":{value}{close}").into_bytes()
            ),
    ]
}

proptest! {
    #[test]
    fn only_a_parsed_zero_is_delivered(
        status in any::<u16>(),
        ok in any::<bool>(),
        retry_after in proptest::option::of("[ -~]{0,12}"),
        body in body(),
    ) {
        let status = if ok { 200 } else { status };
        let verdict = classify(status, retry_after.as_deref(), &body, now());
        let parsed = serde_json::from_slice::<Value>(&body).ok();
        let errcode = parsed.as_ref().and_then(|value| value.get("errcode"));
        let is_zero = match errcode {
            Some(Value::Number(number)) => number.as_i64() == Some(0),
            Some(Value::String(text)) => text.trim().parse() == Ok(0i64),
            _ => false,
        };
        let expected = is_zero && (200..300).contains(&status);
        prop_assert_eq!(verdict.meaning == Meaning::Delivered, expected);
        if let Meaning::Throttled { retry_after, .. } = verdict.meaning {
            prop_assert!((1..=3600).contains(&retry_after.as_secs()));
        }
    }
}

#[test]
fn an_errmsg_that_shows_as_nothing_counts_as_none() {
    for errmsg in ["", "  ", "\\u0000\\n\\u2028"] {
        let verdict = read(200, &format!(r#"{{"errcode":18300,"errmsg":"{errmsg}"}}"#));
        assert_eq!(verdict.detail, "HTTP 200, errcode 18300 without errmsg");
    }
}
