//! Messages of events in the other chats: each is taken, within its limits, and shows nothing of an
//! event's making but text.

use crate::message::{Setting, each_message};
use ecs_dingtalk_notifier::channel::{Body, lark, slack, wecom};
use ecs_dingtalk_notifier::event::Event;
use ecs_dingtalk_notifier::message::{self, Line, Mentionable, Mentions, Message, RenderOptions};
use fake_chats::{Behaviour, Chat, Delivery, Kind, LinkKind, Robot, StyleKind};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, OnceLock, PoisonError};

const MAX_EVENTS: usize = 400;
const TOKEN: &str = "T0000/B0000/0123456789abcdef";

/// Checks the messages of the events that `input` stands for, as [`message`](crate::message) reads
/// it.
pub fn check(input: &[u8]) {
    each_message(input, |events, setting| {
        // More of the same are left out the same way, and take longer.
        let events = &events[..events.len().min(MAX_EVENTS)];
        for kind in [Kind::Lark, Kind::WeCom, Kind::Slack] {
            check_message(kind, events, setting);
        }
    });
}

/// What a chat can mention, with as many people as the setting has.
fn options(kind: Kind, setting: &Setting) -> RenderOptions {
    let Mentions {
        mobiles,
        user_ids,
        all,
    } = &setting.options.mentions;
    let id = |n: usize| match kind {
        Kind::Lark => format!("ou_{n:032x}"),
        Kind::WeCom => format!("user-{n}@x.y_z"),
        Kind::Slack => format!("{}{n:08}", ["U", "W", "S"][n % 3]),
    };
    let (mobiles, is_user_id): (&[String], fn(&str) -> bool) = match kind {
        Kind::Lark => (&[], lark::is_user_id),
        Kind::WeCom => (mobiles, message::is_user_id),
        Kind::Slack => (&[], slack::is_user_id),
    };
    RenderOptions {
        mentions: Mentions {
            mobiles: mobiles.to_vec(),
            user_ids: (0..user_ids.len()).map(id).collect(),
            all: *all,
        },
        mentionable: Mentionable {
            mobiles: kind == Kind::WeCom,
            is_half_as_long: kind == Kind::WeCom,
            is_user_id,
        },
        ..setting.options.clone()
    }
}

fn check_message(kind: Kind, events: &[&Event], setting: &Setting) {
    let options = options(kind, setting);
    let keyword = setting.keyword.as_deref();
    let (max_size, forms) = match kind {
        Kind::Lark => (lark::MAX_BYTES, 1),
        Kind::WeCom => (wecom::content::MAX_MARKDOWN, 1),
        // In blocks, and without.
        Kind::Slack => (slack::blocks::MAX_CHARACTERS, 2),
    };
    for form in 0..forms {
        let encode = |message: &Message| match kind {
            Kind::Lark => lark::card::encode(message, keyword),
            Kind::WeCom => wecom::content::encode(message),
            Kind::Slack => slack::blocks::encode(message, form == 1),
        };
        let (message, body) =
            message::encode_within(events, &options, setting.now, max_size, encode);
        assert!(body.size <= max_size, "{} of {max_size}", body.size);
        let delivery = delivered(kind, &body);
        check_shown(kind, &message, &delivery);
        if kind == Kind::Lark {
            let texts = format!("{} {}", delivery.title, delivery.shown.text);
            for word in ["CloudMonitor", "ECS", keyword.unwrap_or_default()] {
                assert!(texts.contains(word), "{word} in {texts}");
            }
        }
    }
}

/// The chats, one message at a time.
fn chats() -> &'static Mutex<[Chat; 3]> {
    static CHATS: OnceLock<Mutex<[Chat; 3]>> = OnceLock::new();
    CHATS.get_or_init(|| {
        let start = |kind| {
            let behaviour = Behaviour {
                throttling: false,
                ..Behaviour::default()
            };
            let builder = Chat::builder(kind).robot(Robot::new(TOKEN));
            let started = builder.behaviour(behaviour).start();
            started.expect("a free port")
        };
        Mutex::new([Kind::Lark, Kind::WeCom, Kind::Slack].map(start))
    })
}

/// Sends the body and returns what the chat shows.
fn delivered(kind: Kind, body: &Body) -> Delivery {
    let chats = chats().lock().unwrap_or_else(PoisonError::into_inner);
    let chat = chats.iter().find(|chat| chat.kind() == kind);
    let chat = chat.expect("every kind has a chat");
    chat.clear();
    let webhook = chat.webhook(TOKEN);
    let origin = format!("http://{}", chat.addr());
    let target = webhook.strip_prefix(&origin).expect("the webhook is here");
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        chat.addr(),
        body.bytes.len()
    );
    let mut stream = TcpStream::connect(chat.addr()).expect("the chat listens");
    let request = [head.as_bytes(), &body.bytes].concat();
    stream.write_all(&request).expect("the chat reads");
    // The message is recorded before it is answered. This waits over interruptions by signals.
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status).expect("the chat answers");
    let mut deliveries = chat.deliveries();
    assert_eq!(
        deliveries.len(),
        1,
        "{} to {}",
        String::from_utf8_lossy(&status),
        String::from_utf8_lossy(&body.bytes)
    );
    deliveries.remove(0)
}

/// The message shows its own markup alone.
fn check_shown(kind: Kind, message: &Message, delivery: &Delivery) {
    let shown = &delivery.shown;
    let is_text = delivery.form == "text" && kind == Kind::WeCom;
    let context = || format!("{shown:?}");
    assert!(shown.emoji.is_empty(), "{}", context());
    assert!(shown.images.is_empty(), "{}", context());
    assert!(shown.ampersands.is_empty(), "{}", context());
    assert!(!delivery.title.contains(char::is_control));
    let is_plain = delivery.fallback.is_plain();
    assert!(is_plain, "{:?}", delivery.fallback);

    let link_kind = match kind {
        Kind::Lark => LinkKind::Button,
        _ if is_text => LinkKind::Bare,
        _ => LinkKind::Markup,
    };
    // Without marks around it, what an address ends with may count as punctuation.
    let address = |url: &str| match link_kind {
        LinkKind::Bare => url.trim_end_matches('_').to_owned(),
        _ => url.to_owned(),
    };
    let links = shown
        .links
        .iter()
        .map(|link| (address(&link.address), link.kind));
    let own = message
        .link
        .iter()
        .map(|link| (address(&link.url), link_kind));
    assert!(links.eq(own), "{}", context());

    let mentions = expected_mentions(kind, message, is_text);
    let sorted = |mut list: Vec<String>| {
        list.sort_unstable();
        list
    };
    assert_eq!(
        sorted(shown.mentions.clone()),
        sorted(mentions),
        "{}",
        context()
    );
    check_styles(kind, message, delivery, is_text);
}

fn expected_mentions(kind: Kind, message: &Message, is_text: bool) -> Vec<String> {
    let Mentions {
        mobiles,
        user_ids,
        all,
    } = &message.mentions;
    let mut room = wecom::content::MAX_MENTIONS;
    let has_room = |id: &&String| {
        let bytes = wecom::content::mention_bytes(id);
        let fits = kind != Kind::WeCom || is_text || bytes <= room;
        if fits {
            room = room.saturating_sub(bytes);
        }
        fits
    };
    let ids = user_ids.iter().filter(has_room).map(|id| match kind {
        Kind::Slack if id.starts_with('S') => format!("subteam^{id}"),
        _ => id.clone(),
    });
    let mut expected: Vec<String> = ids.chain(mobiles.iter().cloned()).collect();
    if *all {
        expected.push(
            if kind == Kind::Slack {
                "channel"
            } else {
                "all"
            }
            .to_owned(),
        );
    }
    expected
}

fn check_styles(kind: Kind, message: &Message, delivery: &Delivery, is_text: bool) {
    let shown = &delivery.shown;
    let lines: Vec<&Line> = (message.sections.iter())
        .flat_map(|section| &section.lines)
        .chain(&message.lines)
        .chain(&message.note)
        .collect();
    let labels = lines.iter().filter(|line| line.label.is_some()).count();
    let strong = lines.iter().filter(|line| line.is_strong).count();
    let headings = message.sections.len();
    let is_alone = kind == Kind::Slack && delivery.form == "text";
    let (bold, title, fonts) = match kind {
        Kind::WeCom if is_text => (0, 0, 0),
        // The title is a heading. It, the footer and what is strong have a colour.
        Kind::WeCom => (labels + headings, 1, strong + 2),
        Kind::Lark => (labels + headings + strong, 0, shown.fonts.len()),
        Kind::Slack => (labels + headings + strong + usize::from(is_alone), 0, 0),
    };
    let count = |kind| {
        shown
            .styles
            .iter()
            .filter(|style| style.kind == kind)
            .count()
    };
    assert_eq!(count(StyleKind::Bold), bold, "{shown:?}");
    assert_eq!(count(StyleKind::Heading), title, "{shown:?}");
    assert_eq!(shown.styles.len(), bold + title, "{shown:?}");
    assert_eq!(shown.fonts.len(), fonts, "{shown:?}");
    assert!(kind != Kind::Lark || fonts <= 1, "{shown:?}");

    let tags: BTreeSet<&str> = shown.tags.iter().map(String::as_str).collect();
    for tag in tags {
        let is_own = match kind {
            Kind::Lark => {
                ["<font color='grey'>", "</font>", "</at>"].contains(&tag)
                    || tag.starts_with("<at id=")
            }
            Kind::WeCom => {
                tag.starts_with("<font color=\"") || tag == "</font>" || tag.starts_with("<@")
            }
            Kind::Slack => {
                tag.starts_with("<https://ecs.console.")
                    || ["<@", "<!subteam^", "<!channel>"]
                        .iter()
                        .any(|own| tag.starts_with(own))
            }
        };
        assert!(is_own, "{tag} in {shown:?}");
    }
}
