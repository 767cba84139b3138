//! The service's answers in the wording of its three families. Where a family's wording for a
//! refusal is not published, the nearest published wording is used.

use crate::robot::{Behaviour, Family};

/// The acceptance or a refusal, as the body of a response states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 0 is the acceptance.
    pub errcode: i64,
    /// The text for people.
    pub errmsg: String,
}

const MORE_LINK: &str = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]";
const SEARCH_LINK: &str = "或者在https://open.dingtalk.com/document/  搜索相关文档;";

/// The reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The path is not `/robot/send`.
    Path,
    /// The method is not POST.
    Method,
    /// The access token is missing.
    NoToken,
    /// The content type is not JSON.
    ContentType,
    /// The chatbot got too many calls.
    Throttled,
    /// No chatbot has this token.
    UnknownToken,
    /// The group was dissolved.
    GroupGone,
    /// The chatbot is stopped.
    Stopped,
    /// The chatbot was removed.
    Removed,
    /// This client address is not in the chatbot's list.
    Address(String),
    /// The signature's time is more than an hour off.
    Timestamp,
    /// The signature is missing or wrong.
    Signature,
    /// The body is longer than 20,000 bytes.
    TooLong,
    /// The body is not a JSON object.
    NotJson,
    /// This is not one of the five message types.
    MessageType(String),
    /// A field is missing: the refusal's code, the field's name.
    Field(i64, &'static str),
    /// The message holds none of the keywords.
    Keyword,
    /// The content policy refuses the message with this code.
    Content(i64),
    /// The month's messages are used up. The real answer is not published.
    MonthlyQuota,
}

impl Refusal {
    /// Returns the answer in the wording that `behaviour` selects.
    pub fn answer(&self, behaviour: &Behaviour) -> Answer {
        let family = behaviour.family;
        let more = if behaviour.more_link { MORE_LINK } else { "" };
        let by_family = |legacy: &str, description: &str, zh: &str| match family {
            Family::Legacy => legacy.to_owned(),
            Family::Description => description.to_owned(),
            Family::Zh => zh.to_owned(),
        };
        let (errcode, errmsg) = match self {
            Refusal::Path => (404, "请求的URI地址不存在".into()),
            Refusal::Method => (43002, "需要POST请求".into()),
            Refusal::NoToken => (40035, "缺少参数 access_token".into()),
            Refusal::ContentType if behaviour.content_type_code == 300001 => {
                (300001, "param error".into())
            }
            Refusal::ContentType => (43004, "无效的HTTP HEADER Content-Type".into()),
            Refusal::Throttled => {
                let text = match behaviour.throttle_code {
                    130101 => "send too fast, exceed 20 times per minute",
                    410100 => "发送速度太快而限流",
                    _ => "sending too many messages per minute",
                };
                (behaviour.throttle_code, text.into())
            }
            Refusal::UnknownToken => {
                let text = match behaviour.unknown_token_code {
                    400101 => "access_token不存在",
                    _ => "token is not exist",
                };
                (behaviour.unknown_token_code, text.into())
            }
            Refusal::GroupGone => (400013, "群已被解散".into()),
            Refusal::Stopped => {
                let text = "description:机器人已经停用或者未启用;solution:请让企业管理员前往开放平台后台启用对应机器人 :https://open-dev.dingtalk.com/#/";
                (400102, by_family("bot is stopped", text, text))
            }
            Refusal::Removed => (400106, "机器人不存在".into()),
            Refusal::Address(ip) => {
                let text = "description:ip 不在白名单中;solution:请联系对应群的管理员，设置机器人安全ip地址段";
                (
                    310000,
                    by_family(&format!("ip {ip} not in whitelist{more}"), text, text),
                )
            }
            Refusal::Timestamp => {
                let text = "description:机器人发送签名过期;solution:签名生成时间和发送时间请保持在 timestampms 以内;";
                (
                    310000,
                    by_family(&format!("invalid timestamp{more}"), text, text),
                )
            }
            Refusal::Signature => {
                let text = format!(
                    "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中，请确认机器人的密钥加密和填写正确;link:请参考本接口对应文档获得具体要求，{SEARCH_LINK}"
                );
                (
                    310000,
                    by_family(&format!("sign not match{more}"), &text, &text),
                )
            }
            Refusal::TooLong => (
                460101,
                by_family(
                    "message too long, exceed 20000 bytes",
                    "description: body 大小不合法;solution:请保持大小在 20000bytes 以内;",
                    "错误描述: body 大小不合法;解决方案:请保持大小在 20000bytes 以内。",
                ),
            ),
            Refusal::NotJson => (40035, "缺少参数 json".into()),
            Refusal::MessageType(kind) => {
                let text = format!(
                    "错误描述: 不支持类型 msgType:{kind} ;解决方案:请使用支持的类型;参考链接:请参考本接口对应文档查看支持的消息类型，或者在https://open.dingtalk.com/document/ 搜索对应文档;"
                );
                (400105, by_family("unsupported msgtype", &text, &text))
            }
            Refusal::Field(code, name) => {
                let text = format!(
                    "错误描述:参数 {} 缺失，或者参数格式不正确; 解决方案:请填充上对应参数;参考链接:请参考本接口对应文档查看参数获取方式，或者在https://open.dingtalk.com/document/  搜索对应文档;",
                    name.replace("->", " --》 ")
                );
                (
                    *code,
                    by_family(&format!("miss param : {name}"), &text, &text),
                )
            }
            Refusal::Keyword => {
                let text = "关键词不匹配;solution:请联系群管理员查看此机器人的关键词，并在发送的信息中包含此关键词;";
                (
                    310000,
                    by_family(
                        &format!("keywords not in content{more}"),
                        &format!("description:{text}"),
                        &format!("错误描述:{}", text.replace("solution", "解决方案")),
                    ),
                )
            }
            Refusal::Content(code) => {
                let text = match code {
                    430101 => "含有不安全的外链",
                    430102 => "含有不合适的文本",
                    430103 => "含有不合适的图片",
                    _ => "含有不合适的内容",
                };
                (*code, text.into())
            }
            Refusal::MonthlyQuota => (
                999001,
                "stand-in: monthly quota exhausted (real answer unknown)".into(),
            ),
        };
        Answer { errcode, errmsg }
    }
}

impl Answer {
    /// Returns the acceptance.
    pub fn ok() -> Answer {
        Answer {
            errcode: 0,
            errmsg: "ok".into(),
        }
    }

    /// Returns the body of the HTTP response. The service escapes `>`.
    pub fn text(&self, behaviour: &Behaviour) -> String {
        let errmsg = serde_json::Value::from(self.errmsg.as_str())
            .to_string()
            .replace('>', "\\u003E");
        let errcode = if behaviour.errcode_as_string {
            format!("\"{}\"", self.errcode)
        } else {
            self.errcode.to_string()
        };
        if behaviour.keys_reversed {
            format!("{{\"errmsg\":{errmsg},\"errcode\":{errcode}}}")
        } else {
            format!("{{\"errcode\":{errcode},\"errmsg\":{errmsg}}}")
        }
    }
}
