//! A group robot of WeCom: its checks and answers.
//!
//! Source: <https://developer.work.weixin.qq.com/document/path/99110>

mod form;
mod markdown;

use crate::arrival::{Answer, Arrival, Checked, is_json};
use crate::json;
use crate::record::Delivery;
use crate::robot::{Robot, State};
use fake_http::Response;
use fake_http::http::{Request, decode_once};
use serde_json::json;
use std::time::Duration;

/// The path of all webhooks.
pub(crate) const PATH: &str = "/cgi-bin/webhook/send";
/// Calls within a time.
const LIMITS: [(usize, Duration); 1] = [(20, Duration::from_secs(60))];

/// A code and its text.
type Refusal = (i64, String);

fn refuse<T>(code: i64, text: &str) -> Result<T, Refusal> {
    Err((code, text.to_owned()))
}

/// Returns the key that a request names; empty if there is none. `None` if the path is another one.
pub(crate) fn key(request: &Request) -> Option<String> {
    let key = request.query("key").map(|key| decode_once(&key));
    (request.path() == PATH).then(|| key.unwrap_or_default())
}

/// Returns an answer with a code. Texts of refusals end with what helps the service's support.
pub(crate) fn answer(status: u16, code: i64, text: &str) -> Answer {
    let text = if code == 0 {
        text.to_owned()
    } else {
        format!(
            "{text}, hint: [1700000000000000000000001], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    };
    let body = json!({ "errcode": code, "errmsg": text }).to_string();
    Answer {
        code: code.to_string(),
        response: Response::new(status, "application/json; charset=UTF-8", body),
    }
}

/// Returns the answer to an accepted message.
pub(crate) fn accepted(has_warning: bool) -> Answer {
    let text = if has_warning {
        "Warning: wrong json format. ok"
    } else {
        "ok"
    };
    answer(200, 0, text)
}

/// Returns an answer of the gateway, which knows no codes.
fn gateway(status: u16) -> Answer {
    Answer {
        code: status.to_string(),
        response: Response::html(status, format!("<html><h1>{status}</h1></html>")),
    }
}

/// Accepts or refuses a call. The order of checks is assumed.
pub(crate) fn check(arrival: &mut Arrival) -> Checked {
    let request = arrival.request;
    let Some(key) = key(request) else {
        return Err(gateway(404));
    };
    if request.header("host").is_none() {
        return Err(gateway(400));
    }
    if request.method != "POST" {
        return Err(answer(200, 43002, "require POST method"));
    }
    if !is_json(request) {
        return Err(gateway(415));
    }
    check_call(arrival, &key).map_err(|(code, text)| answer(200, code, &text))
}

fn check_call(arrival: &mut Arrival, key: &str) -> Result<Delivery, Refusal> {
    let behaviour = arrival.behaviour;
    let Some(robot) = arrival.robots.iter().find(|robot| robot.token == key) else {
        return refuse(93000, "invalid webhook url");
    };
    match robot.state {
        State::Active => {}
        State::Removed => return refuse(93000, "invalid webhook url"),
        State::Stopped | State::Forbidden => return refuse(93004, "the robot is disabled"),
        State::GroupGone | State::Archived => {
            return refuse(93008, "the robot is not in the group");
        }
    }
    if behaviour.throttling {
        let limits = robot.limits.as_deref().unwrap_or(&LIMITS);
        let rate = arrival.rates.entry(key.to_owned()).or_default();
        if !rate.pass_window(limits, behaviour.throttled_calls_count, arrival.now) {
            return refuse(45009, "api freq out of limit");
        }
    }
    check_message(arrival, robot)
}

fn check_message(arrival: &Arrival, robot: &Robot) -> Result<Delivery, Refusal> {
    let bytes = &arrival.request.body;
    if bytes.is_empty() {
        return refuse(44001, "empty post data");
    }
    let Some(body) = json::object(bytes) else {
        return refuse(44004, "Warning: wrong json format. empty content");
    };
    if arrival.behaviour.refuses_escapes && json::has_escapes_beyond_ascii(bytes) {
        return refuse(40033, "invalid charset, write characters as they are");
    }
    let (form, mut shown) = form::read(&body, arrival.behaviour)?;
    // An unknown id mentions nobody.
    shown
        .mentions
        .retain(|id| id == "all" || robot.is_member(id));
    Ok(Delivery {
        clock_ms: arrival.now,
        token: robot.token.clone(),
        form,
        title: shown.text.lines().next().unwrap_or_default().to_owned(),
        color: None,
        shown,
        fallback: Default::default(),
        body,
    })
}
