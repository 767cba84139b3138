//! A custom bot of Lark or Feishu: its checks and answers.
//!
//! Source: <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>

mod card;
mod form;
mod markdown;
mod sign;

pub use sign::sign;

use crate::arrival::{Answer, Arrival, Checked, is_json};
use crate::behaviour::{Behaviour, Success};
use crate::json;
use crate::record::Delivery;
use crate::robot::{Robot, State};
use crate::shown::Shown;
use fake_http::Response;
use form::Message;
use serde_json::{Value, json};
use std::time::Duration;

/// The path of a webhook up to its token.
pub(crate) const PATH: &str = "/open-apis/bot/v2/hook/";
/// In bytes.
const MAX_BODY: usize = 20_000;
/// The largest difference between a signature's time and the service's, in seconds.
const MAX_SKEW: u64 = 3_600;
/// Calls within a time.
const LIMITS: [(usize, Duration); 2] =
    [(5, Duration::from_secs(1)), (100, Duration::from_secs(60))];

/// Why a call is refused, if not for the rate limit.
enum Refusal {
    NoSuchPath,
    Token,
    Address,
    TooLong,
    BadRequest,
    MessageType,
    SignatureOrClock,
    Keyword,
    Mention,
    Card(&'static str),
}

impl Refusal {
    fn answer(&self, behaviour: &Behaviour) -> Answer {
        let card = |code: i64, text: &str| {
            let text =
                format!("Failed to create card content, ext=ErrCode: {code}; ErrMsg: {text}; ");
            answer(200, 11246, &text)
        };
        match self {
            Refusal::NoSuchPath => answer(404, 99991201, "resource not find"),
            Refusal::Token => answer(
                200,
                19001,
                "param invalid: incoming webhook access token invalid",
            ),
            Refusal::Address => answer(200, 19022, "Ip Not Allowed"),
            Refusal::TooLong if behaviour.too_long_code == 9499 => {
                Refusal::BadRequest.answer(behaviour)
            }
            Refusal::TooLong => answer(
                200,
                behaviour.too_long_code,
                "the message exceeds the size limit",
            ),
            Refusal::BadRequest => answer(behaviour.bad_request_status, 9499, "Bad Request"),
            Refusal::MessageType => answer(200, 19002, "params error, msg_type need"),
            Refusal::SignatureOrClock => answer(
                200,
                19021,
                "sign match fail or timestamp is not within one hour from current time",
            ),
            Refusal::Keyword => answer(200, 19024, "Key Words Not Found"),
            Refusal::Mention => card(100290, "invalid user resource (at/person) in your card"),
            Refusal::Card(what) => card(200621, &format!("parse card json err, {what}")),
        }
    }
}

/// Returns an answer with a code.
pub(crate) fn answer(status: u16, code: i64, text: &str) -> Answer {
    let body = json!({ "code": code, "data": {}, "msg": text }).to_string();
    Answer {
        code: code.to_string(),
        response: Response::new(status, "application/json; charset=utf-8", body),
    }
}

/// Returns the answer to an accepted message.
pub(crate) fn accepted(behaviour: &Behaviour) -> Answer {
    let body = match behaviour.success {
        Success::Both => {
            json!({
                "StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success",
            })
        }
        Success::Code => json!({ "code": 0, "data": {}, "msg": "success" }),
        Success::StatusCode => {
            json!({ "Extra": null, "StatusCode": 0, "StatusMessage": "success" })
        }
    };
    let mut answer = answer(200, 0, "");
    answer.response.body = body.to_string().into_bytes();
    answer
}

/// Accepts or refuses a call. Only that the token comes first is documented of the order.
pub(crate) fn check(arrival: &mut Arrival) -> Checked {
    let behaviour = arrival.behaviour;
    let refuse = |refusal: Refusal| refusal.answer(behaviour);
    let path = arrival.request.path();
    let token = path
        .strip_prefix(PATH)
        .ok_or(Refusal::NoSuchPath)
        .map_err(refuse)?;
    let robot = arrival.robots.iter().find(|robot| robot.token == token);
    let robot = robot
        .filter(|robot| robot.state == State::Active)
        .ok_or(Refusal::Token)
        .map_err(refuse)?;
    if behaviour.throttling {
        let limits = robot.limits.as_deref().unwrap_or(&LIMITS);
        let rate = arrival.rates.entry(token.to_owned()).or_default();
        if !rate.pass_window(limits, behaviour.throttled_calls_count, arrival.now) {
            // Both answers were reported, so clients must know both.
            return Err(if rate.throttled % 2 == 1 {
                answer(200, 11232, "frequency limited psm[stand-in]")
            } else {
                answer(400, 9499, "too many request")
            });
        }
    }
    check_message(arrival, robot).map_err(refuse)
}

fn check_message(arrival: &Arrival, robot: &Robot) -> Result<Delivery, Refusal> {
    let Arrival {
        request, behaviour, ..
    } = arrival;
    if request.method != "POST"
        || request.header("host").is_none()
        || !request.query_string().is_empty()
        || !is_json(request)
    {
        return Err(Refusal::BadRequest);
    }
    if let Some(allowed) = &robot.ip_allow {
        let peer = request.header("x-test-peer").unwrap_or("127.0.0.1");
        if !allowed.iter().any(|ip| ip == peer) {
            return Err(Refusal::Address);
        }
    }
    if request.body.len() > MAX_BODY {
        return Err(Refusal::TooLong);
    }
    let body = json::object(&request.body).ok_or(Refusal::BadRequest)?;
    if let Some(secret) = &robot.secret {
        check_signature(&body, secret, arrival.now / 1_000)?;
    }
    let Message {
        form,
        title,
        color,
        mut shown,
        note,
    } = form::read(&body)?;
    check_mentions(&form, &mut shown, &note, robot)?;
    let mut searched = format!("{title}\n{}", shown.text);
    if behaviour.note_has_keywords {
        searched.push_str(&format!("\n{}", note.text));
    }
    let has_keyword = |keyword: &String| searched.contains(keyword.as_str());
    if !robot.keywords.is_empty() && !robot.keywords.iter().any(has_keyword) {
        return Err(Refusal::Keyword);
    }
    shown.append(note);
    Ok(Delivery {
        clock_ms: arrival.now,
        token: robot.token.clone(),
        form,
        title,
        color,
        shown,
        fallback: Default::default(),
        body,
    })
}

/// A signature in a header or in the query does not count.
fn check_signature(body: &Value, secret: &str, now_s: u64) -> Result<(), Refusal> {
    let timestamp = match &body["timestamp"] {
        Value::String(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.parse().ok()
        }
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    let timestamp = timestamp.filter(|timestamp| now_s.abs_diff(*timestamp) <= MAX_SKEW);
    let expected = timestamp.map(|timestamp| sign(timestamp, secret));
    match (expected, body["sign"].as_str()) {
        (Some(expected), Some(own)) if own == expected => Ok(()),
        _ => Err(Refusal::SignatureOrClock),
    }
}

/// A card with an unknown mention is refused as a whole. Elsewhere nobody is mentioned by it.
fn check_mentions(
    form: &str,
    shown: &mut Shown,
    note: &Shown,
    robot: &Robot,
) -> Result<(), Refusal> {
    // Bots know no addresses and no numbers, whoever the members are.
    let is_id = |id: &str| {
        !id.is_empty()
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let is_known = |id: &String| id == "all" || (is_id(id) && robot.is_member(id));
    let mut all = shown.mentions.iter().chain(&note.mentions);
    if !robot.may_mention_all && all.clone().any(|id| id == "all") {
        return Err(Refusal::Mention);
    }
    if form == "interactive" && !all.all(is_known) {
        return Err(Refusal::Mention);
    }
    shown.mentions.retain(is_known);
    Ok(())
}
