//! The service's checks. Their order is assumed; tests must not depend on it.

use crate::answers::Refusal;
use crate::http::{Request, decode_once};
use crate::record::Delivery;
use crate::robot::{Behaviour, Robot, State};
use crate::sign::sign;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};

/// In bytes.
const MAX_BODY: usize = 20_000;
/// The largest difference between a signature's time and the service's, in milliseconds.
const MAX_SKEW: u64 = 3_600_000;
/// People in `at` beyond this number are not mentioned.
const MAX_MENTIONS: usize = 50;

/// What the service stores of earlier calls.
#[derive(Default)]
pub(crate) struct History {
    /// By token: when calls came in the current window.
    windows: HashMap<String, VecDeque<u64>>,
    /// By token: when the ban ends.
    bans: HashMap<String, u64>,
    /// By token and `msgUuid`: when the message was accepted.
    seen: HashMap<(String, String), u64>,
    /// By token: how many messages were accepted.
    accepted: HashMap<String, usize>,
}

impl History {
    /// Ends a chatbot's ban and clears its window.
    pub(crate) fn reset_rate_limit(&mut self, token: &str) {
        self.windows.remove(token);
        self.bans.remove(token);
    }
}

/// The result of an accepted call: the message to show, or `None` if it was shown before.
pub(crate) type Accepted = Option<Delivery>;

/// Accepts or refuses a call at time `now`, in milliseconds since 1970.
pub(crate) fn check(
    request: &Request,
    robots: &[Robot],
    behaviour: &Behaviour,
    history: &mut History,
    now: u64,
) -> Result<Accepted, Refusal> {
    if request.path() != "/robot/send" {
        return Err(Refusal::Path);
    }
    if request.method != "POST" {
        return Err(Refusal::Method);
    }
    let token = request
        .query("access_token")
        .map(|t| decode_once(&t))
        .unwrap_or_default();
    if token.is_empty() {
        return Err(Refusal::NoToken);
    }
    let media_type = request.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::ContentType);
    }
    let robot = robots.iter().find(|robot| robot.token == token);
    // Calls with an unknown token count, too.
    if behaviour.throttling {
        check_rate_limit(&token, robot, behaviour, history, now)?;
    }
    let robot = robot.ok_or(Refusal::UnknownToken)?;
    match robot.state {
        State::Active => {}
        State::GroupGone => return Err(Refusal::GroupGone),
        State::Stopped => return Err(Refusal::Stopped),
        State::Removed => return Err(Refusal::Removed),
    }
    if let Some(allowed) = &robot.ip_allow {
        let peer = request.header("x-test-peer").unwrap_or("127.0.0.1");
        if !allowed.iter().any(|ip| ip == peer) {
            return Err(Refusal::Address(peer.to_owned()));
        }
    }
    if let Some(secret) = &robot.secret {
        check_signature(request, secret, now)?;
    }
    if request.body.len() > MAX_BODY {
        return Err(Refusal::TooLong);
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| Refusal::NotJson)?;
    if !body.is_object() {
        return Err(Refusal::NotJson);
    }
    let (title, text) = check_fields(&body, behaviour)?;
    if !robot.keywords.is_empty() {
        let all = format!("{title}\n{text}");
        if !robot
            .keywords
            .iter()
            .any(|keyword| all.contains(keyword.as_str()))
        {
            return Err(Refusal::Keyword);
        }
    }
    for (unwanted, code) in &behaviour.unwanted {
        if text.contains(unwanted) || title.contains(unwanted) {
            return Err(Refusal::Content(*code));
        }
    }
    let accepted = history.accepted.entry(token.clone()).or_default();
    if robot.monthly_limit.is_some_and(|limit| *accepted >= limit) {
        return Err(Refusal::MonthlyQuota);
    }
    // A known idempotency key is accepted and not shown again.
    let msg_uuid = body["msgUuid"].as_str().map(str::to_owned);
    if let Some(uuid) = &msg_uuid {
        let key = (token.clone(), uuid.clone());
        let kept = behaviour.dedupe.as_millis() as u64;
        if history
            .seen
            .get(&key)
            .is_some_and(|at| now.saturating_sub(*at) < kept)
        {
            return Ok(None);
        }
        history.seen.insert(key, now);
    }
    *accepted += 1;
    Ok(Some(delivery(robot, body, title, text, msg_uuid, now)))
}

/// Counts a call against its token's window; a call beyond the limit starts a ban.
fn check_rate_limit(
    token: &str,
    robot: Option<&Robot>,
    behaviour: &Behaviour,
    history: &mut History,
    now: u64,
) -> Result<(), Refusal> {
    let (limit, window, ban) = robot.map_or((20, 60_000, 600_000), |robot| {
        (
            robot.limit,
            robot.window.as_millis() as u64,
            robot.ban.as_millis() as u64,
        )
    });
    if let Some(until) = history.bans.get_mut(token) {
        if now < *until {
            if behaviour.ban_prolonged {
                *until = now + ban;
            }
            return Err(Refusal::Throttled);
        }
        history.reset_rate_limit(token);
    }
    let calls = history.windows.entry(token.to_owned()).or_default();
    while calls
        .front()
        .is_some_and(|at| now.saturating_sub(*at) >= window)
    {
        calls.pop_front();
    }
    calls.push_back(now);
    if calls.len() > limit {
        history.bans.insert(token.to_owned(), now + ban);
        return Err(Refusal::Throttled);
    }
    Ok(())
}

fn check_signature(request: &Request, secret: &str, now: u64) -> Result<(), Refusal> {
    let parameter = |name| request.query(name).filter(|value| !value.is_empty());
    let (Some(timestamp), Some(signature)) = (parameter("timestamp"), parameter("sign")) else {
        return Err(Refusal::Signature);
    };
    let timestamp: u64 = timestamp.parse().map_err(|_| Refusal::Timestamp)?;
    if now.abs_diff(timestamp) > MAX_SKEW {
        return Err(Refusal::Timestamp);
    }
    if decode_once(&signature) != sign(timestamp, secret) {
        return Err(Refusal::Signature);
    }
    Ok(())
}

/// Checks that the fields of the message's type are there. Returns title and text.
fn check_fields(body: &Value, behaviour: &Behaviour) -> Result<(String, String), Refusal> {
    let msgtype = body["msgtype"].as_str().unwrap_or_default();
    let object = &body[msgtype];
    let require_object = |code, name| {
        if object.is_object() {
            Ok(())
        } else {
            Err(Refusal::Field(code, name))
        }
    };
    let field = |value: &Value, key: &str, code, name| match value[key].as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Refusal::Field(code, name)),
    };
    match msgtype {
        "text" => {
            require_object(400201, "text")?;
            Ok((
                String::new(),
                field(object, "content", 400202, "text->content")?,
            ))
        }
        "link" => {
            require_object(400301, "link")?;
            let text = field(object, "text", 400302, "link->text")?;
            let title = field(object, "title", 400303, "link->title")?;
            field(object, "messageUrl", 400304, "link->messageUrl")?;
            Ok((title, text))
        }
        "markdown" => {
            require_object(400401, "markdown")?;
            let title = field(object, "title", 400402, "markdown->title")?;
            Ok((title, field(object, "text", 400403, "markdown->text")?))
        }
        "actionCard" => {
            require_object(400501, "actionCard")?;
            let title = object["title"].as_str().unwrap_or_default().to_owned();
            if behaviour.strict_cards {
                field(object, "title", 400502, "actionCard->title")?;
            }
            let text = field(object, "text", 400503, "actionCard->text")?;
            if behaviour.strict_cards {
                check_card_buttons(object)?;
            }
            Ok((title, text))
        }
        "feedCard" => {
            require_object(400601, "feedCard")?;
            let links = object["links"].as_array().filter(|links| !links.is_empty());
            let links = links.ok_or(Refusal::Field(400602, "feedCard->links"))?;
            let mut titles = Vec::new();
            for link in links {
                titles.push(field(link, "title", 400603, "feedCard->links->title")?);
                field(link, "messageURL", 400604, "feedCard->links->messageURL")?;
                field(link, "picURL", 400605, "feedCard->links->picURL")?;
            }
            Ok((titles.join("\n"), String::new()))
        }
        other => Err(Refusal::MessageType(other.to_owned())),
    }
}

/// Checks a card's one button, or its list of buttons and their orientation.
fn check_card_buttons(card: &Value) -> Result<(), Refusal> {
    let is_set =
        |value: &Value, key: &str| value[key].as_str().is_some_and(|text| !text.is_empty());
    let missing = |code, name| Err(Refusal::Field(code, name));
    match (is_set(card, "singleTitle"), is_set(card, "singleURL")) {
        (true, true) => {}
        (true, false) => return missing(400505, "actionCard->singleURL"),
        (false, true) => return missing(400504, "actionCard->singleTitle"),
        (false, false) => {
            let Some(buttons) = card["btns"]
                .as_array()
                .filter(|buttons| !buttons.is_empty())
            else {
                return missing(400506, "actionCard->btns");
            };
            for button in buttons {
                if !is_set(button, "title") {
                    return missing(400507, "actionCard->btns->title");
                }
                if !is_set(button, "actionURL") {
                    return missing(400508, "actionCard->btns->actionURL");
                }
            }
        }
    }
    match &card["btnOrientation"] {
        Value::Null => Ok(()),
        Value::String(text) if text == "0" || text == "1" => Ok(()),
        _ => missing(400509, "actionCard->btnOrientation"),
    }
}

/// Builds the message that the group's members see.
fn delivery(
    robot: &Robot,
    body: Value,
    title: String,
    text: String,
    msg_uuid: Option<String>,
    now: u64,
) -> Delivery {
    let list = |key: &str| -> Vec<String> {
        let items = body["at"][key].as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let msgtype = body["msgtype"].as_str().unwrap_or_default().to_owned();
    let named: Vec<(String, &[String])> = list("atMobiles")
        .into_iter()
        .map(|mobile| (mobile, robot.mobiles.as_slice()))
        .chain(
            list("atUserIds")
                .into_iter()
                .map(|id| (id, robot.user_ids.as_slice())),
        )
        .collect();
    let takes_mentions = ["text", "markdown", "actionCard"].contains(&msgtype.as_str());
    let mentioned = named
        .iter()
        .take(MAX_MENTIONS)
        .filter(|(id, members)| {
            let is_member = members.is_empty() || members.contains(id);
            takes_mentions && is_member && text.contains(&format!("@{id}"))
        })
        .map(|(id, _)| id.clone())
        .collect();
    Delivery {
        clock_ms: now,
        token: robot.token.clone(),
        at_all: takes_mentions && body["at"]["isAtAll"] == true,
        mention_overflow: named.len() > MAX_MENTIONS,
        mentioned,
        msgtype,
        title,
        text,
        msg_uuid,
        body,
    }
}
