//! An incoming webhook of Slack: its checks and answers.
//!
//! Sources: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>

mod blocks;
mod mrkdwn;

use crate::arrival::{Answer, Arrival, Checked, is_json};
use crate::json;
use crate::rate::Turn;
use crate::record::Delivery;
use crate::robot::{Robot, State};
use crate::shown::Shown;
use blocks::Wrong;
use fake_http::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// The path of a webhook up to its three segments.
pub(crate) const PATH: &str = "/services/";
/// So many calls at once, and as many in each such time after that.
const LIMIT: (usize, Duration) = (5, Duration::from_secs(5));
/// A longer fallback is cut, in characters.
const MAX_TEXT: usize = 40_000;
/// Of attachments.
const MAX_ATTACHMENTS: usize = 100;

/// Returns an answer: a word as text.
pub(crate) fn word(status: u16, word: &str) -> Answer {
    Answer {
        code: word.to_owned(),
        response: Response::html(status, word),
    }
}

/// Accepts or refuses a call. The order of checks is assumed.
pub(crate) fn check(arrival: &mut Arrival) -> Checked {
    let robot = find(arrival)?;
    if arrival.behaviour.throttling {
        check_rate(arrival, robot)?;
    }
    let request = arrival.request;
    let invalid = || word(400, "invalid_payload");
    if request.method != "POST" || request.header("host").is_none() || !is_json(request) {
        return Err(invalid());
    }
    let body = json::object(&request.body).ok_or_else(invalid)?;
    let fallback = match body.get("text") {
        None => "",
        Some(text) => text.as_str().ok_or_else(invalid)?,
    };
    let cut = fallback.char_indices().nth(MAX_TEXT);
    let fallback = cut.map_or(fallback, |(at, _)| fallback.split_at(at).0);
    let attachments = body["attachments"].as_array().map_or(0, Vec::len);
    if attachments > MAX_ATTACHMENTS {
        return Err(word(400, "too_many_attachments"));
    }
    let has_blocks = match body.get("blocks") {
        None => false,
        Some(Value::Array(blocks)) => !blocks.is_empty(),
        Some(_) => return Err(word(400, "invalid_blocks_format")),
    };
    if !has_blocks && attachments == 0 && fallback.trim().is_empty() {
        return Err(word(400, "no_text"));
    }
    delivery(arrival, robot, body.clone(), fallback, has_blocks)
}

/// Finds the webhook by its three segments.
fn find<'a>(arrival: &Arrival<'a>) -> Result<&'a Robot, Answer> {
    let path = arrival.request.path();
    let Some(token) = path.strip_prefix(PATH) else {
        return Err(word(404, "no_service"));
    };
    let Some(robot) = arrival.robots.iter().find(|robot| robot.token == token) else {
        // The third segment is the secret.
        let place = |token: &str| token.rsplit_once('/').map(|(place, _)| place.to_owned());
        let is_known = place(token).is_some_and(|own| {
            let mut places = arrival.robots.iter().map(|robot| place(&robot.token));
            own.contains('/') && places.any(|known| known.as_ref() == Some(&own))
        });
        return Err(if is_known {
            word(403, "invalid_token")
        } else {
            word(404, "no_service")
        });
    };
    match robot.state {
        State::Active => Ok(robot),
        State::Removed => Err(word(404, "no_service")),
        State::Stopped => Err(word(404, "no_active_hooks")),
        State::GroupGone => Err(word(404, "channel_not_found")),
        State::Archived => Err(word(410, "channel_is_archived")),
        State::Forbidden => Err(word(403, "action_prohibited")),
    }
}

/// Who goes on sending during a pause is switched off.
fn check_rate(arrival: &mut Arrival, robot: &Robot) -> Result<(), Answer> {
    let behaviour = arrival.behaviour;
    let limit = robot.limits.as_ref().and_then(|limits| limits.first());
    let limit = *limit.unwrap_or(&LIMIT);
    let rate = arrival.rates.entry(robot.token.clone()).or_default();
    let early = match rate.pass_bucket(limit, behaviour.pause, behaviour.patience, arrival.now) {
        Turn::Pass => return Ok(()),
        Turn::Off => return Err(word(404, "no_active_hooks")),
        Turn::Early(ms) => ms.div_ceil(1_000).max(1),
    };
    let mut answer = word(429, "rate_limited");
    if behaviour.json_rate_limit {
        let body = json!({ "retry_after": early, "ok": false, "error": "rate_limited" });
        answer.response = Response::json(429, body.to_string());
    }
    if behaviour.retry_after {
        answer.response = answer.response.header("Retry-After", early.to_string());
    }
    Err(answer)
}

fn delivery(
    arrival: &Arrival,
    robot: &Robot,
    body: Value,
    text: &str,
    has_blocks: bool,
) -> Result<Delivery, Answer> {
    let text = mrkdwn::read(text, false);
    let first_line = text.text.lines().next().unwrap_or_default().to_owned();
    let (mut shown, fallback, title) = if has_blocks {
        let message = blocks::read(&body["blocks"]).map_err(|wrong| match wrong {
            // Slack does not say what is wrong with which block.
            Wrong::Invalid => word(400, "invalid_blocks"),
            Wrong::TooLong => word(400, "msg_blocks_too_long"),
        })?;
        let title = message.title.unwrap_or(first_line);
        (message.shown, text, title)
    } else {
        (text, Shown::default(), first_line)
    };
    for attachment in body["attachments"].as_array().into_iter().flatten() {
        for part in ["pretext", "title", "text"] {
            let part = attachment[part].as_str().unwrap_or_default();
            shown.append(mrkdwn::read(part, false));
        }
    }
    Ok(Delivery {
        clock_ms: arrival.now,
        token: robot.token.clone(),
        form: if has_blocks { "blocks" } else { "text" }.to_owned(),
        title,
        color: None,
        shown,
        fallback,
        body,
    })
}
