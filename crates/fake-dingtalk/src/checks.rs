//! What the service checks, in the order in which it is taken to check.

use crate::answers::Refusal;
use crate::http::Request;
use crate::record::Delivery;
use crate::robot::{Behaviour, Robot, State};
use crate::sign::{decode_once, sign};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};

/// Most bytes of a body.
pub(crate) const MAX_BODY: usize = 20_000;
/// How far a signature's time may be off, in milliseconds.
const MAX_SKEW: u64 = 3_600_000;
/// Most people that are mentioned.
const MAX_MENTIONS: usize = 50;

/// What the service remembers of its callers.
#[derive(Default)]
pub(crate) struct Ledger {
    windows: HashMap<String, VecDeque<u64>>,
    bans: HashMap<String, u64>,
    seen: HashMap<(String, String), u64>,
    accepted: HashMap<String, usize>,
}

impl Ledger {
    /// Ends a chatbot's ban and forgets its window.
    pub(crate) fn forget_pace(&mut self, token: &str) {
        self.windows.remove(token);
        self.bans.remove(token);
    }
}

/// The outcome of an accepted call: a message to show, or `None` for one that was shown before.
pub(crate) type Accepted = Option<Delivery>;

/// Judges a call. The order is largely a choice; tests must not depend on it.
pub(crate) fn judge(
    request: &Request,
    robots: &[Robot],
    behaviour: &Behaviour,
    ledger: &mut Ledger,
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
    if behaviour.throttling {
        throttle(&token, robot, behaviour, ledger, now)?;
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
        signature(request, secret, now)?;
    }
    if request.body.len() > MAX_BODY {
        return Err(Refusal::TooLong);
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| Refusal::NoJson)?;
    if !body.is_object() {
        return Err(Refusal::NoJson);
    }
    let (title, text) = fields(&body, behaviour)?;
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
    let accepted = ledger.accepted.entry(token.clone()).or_default();
    if robot.monthly_limit.is_some_and(|limit| *accepted >= limit) {
        return Err(Refusal::Month);
    }
    let msg_uuid = body["msgUuid"].as_str().map(str::to_owned);
    if let Some(uuid) = &msg_uuid {
        let key = (token.clone(), uuid.clone());
        let kept = behaviour.dedupe.as_millis() as u64;
        if ledger
            .seen
            .get(&key)
            .is_some_and(|at| now.saturating_sub(*at) < kept)
        {
            return Ok(None);
        }
        ledger.seen.insert(key, now);
    }
    *accepted += 1;
    Ok(Some(delivery(robot, body, title, text, msg_uuid, now)))
}

fn throttle(
    token: &str,
    robot: Option<&Robot>,
    behaviour: &Behaviour,
    ledger: &mut Ledger,
    now: u64,
) -> Result<(), Refusal> {
    let (limit, window, ban) = robot.map_or((20, 60_000, 600_000), |robot| {
        (
            robot.limit,
            robot.window.as_millis() as u64,
            robot.ban.as_millis() as u64,
        )
    });
    if let Some(until) = ledger.bans.get_mut(token) {
        if now < *until {
            if behaviour.ban_prolonged {
                *until = now + ban;
            }
            return Err(Refusal::Throttled);
        }
        ledger.bans.remove(token);
        ledger.windows.remove(token);
    }
    let calls = ledger.windows.entry(token.to_owned()).or_default();
    while calls
        .front()
        .is_some_and(|at| now.saturating_sub(*at) >= window)
    {
        calls.pop_front();
    }
    calls.push_back(now);
    if calls.len() > limit {
        ledger.bans.insert(token.to_owned(), now + ban);
        return Err(Refusal::Throttled);
    }
    Ok(())
}

fn signature(request: &Request, secret: &str, now: u64) -> Result<(), Refusal> {
    let given = |name| request.query(name).filter(|value| !value.is_empty());
    let (Some(timestamp), Some(signature)) = (given("timestamp"), given("sign")) else {
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

/// Checks the message's fields in their order; gives title and text.
fn fields(body: &Value, behaviour: &Behaviour) -> Result<(String, String), Refusal> {
    let kind = body["msgtype"].as_str().unwrap_or_default();
    let object = &body[kind];
    let whole = |code, name| {
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
    match kind {
        "text" => {
            whole(400201, "text")?;
            Ok((
                String::new(),
                field(object, "content", 400202, "text->content")?,
            ))
        }
        "link" => {
            whole(400301, "link")?;
            let text = field(object, "text", 400302, "link->text")?;
            let title = field(object, "title", 400303, "link->title")?;
            field(object, "messageUrl", 400304, "link->messageUrl")?;
            Ok((title, text))
        }
        "markdown" => {
            whole(400401, "markdown")?;
            let title = field(object, "title", 400402, "markdown->title")?;
            Ok((title, field(object, "text", 400403, "markdown->text")?))
        }
        "actionCard" => {
            whole(400501, "actionCard")?;
            let title = object["title"].as_str().unwrap_or_default().to_owned();
            if behaviour.strict_cards {
                field(object, "title", 400502, "actionCard->title")?;
            }
            let text = field(object, "text", 400503, "actionCard->text")?;
            if behaviour.strict_cards {
                card_buttons(object)?;
            }
            Ok((title, text))
        }
        "feedCard" => {
            whole(400601, "feedCard")?;
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

fn card_buttons(card: &Value) -> Result<(), Refusal> {
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
