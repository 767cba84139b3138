//! Events to messages: within the limit, whole, and nothing in them that an event wrote there to be more than text.

use crate::markup;
use crate::recipe::{self, Draw};
use ecs_dingtalk_notifier::channel::dingtalk::MAX_BYTES;
use ecs_dingtalk_notifier::channel::dingtalk::markdown::{self, Markdown};
use ecs_dingtalk_notifier::event::{self, Event, Level};
use ecs_dingtalk_notifier::message::{self, Language, Mentions, RenderOptions, Span};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// A message of any smaller budget keeps what it must keep, and that is promised to be less than this.
const NEEDED: usize = MAX_BYTES / 4 * 3;
/// A key as long as any.
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// How a message is to look, and how many events there are.
struct Setting {
    options: RenderOptions,
    keyword: Option<String>,
    now: Timestamp,
    budget: usize,
    copies: usize,
}

/// Checks the messages of the events that `input` stands for. Where it begins with the byte 1 or 2, five bytes of
/// settings follow; behind them stands a recipe (1) or a payload (2). Anything else is a payload.
pub fn check(input: &[u8]) {
    let (mut settings, payload) = match input.split_first() {
        Some((1, rest)) => {
            let (settings, recipe) = rest.split_at(rest.len().min(5));
            (Draw(settings), recipe::payload(&[&[1], recipe].concat()))
        }
        Some((2, rest)) => {
            let (settings, payload) = rest.split_at(rest.len().min(5));
            (Draw(settings), payload.to_vec())
        }
        _ => (Draw(&[]), input.to_vec()),
    };
    let setting = setting(&mut settings);
    let events = event::parse(&payload).events;
    for event in events.iter().take(8) {
        let message = rendered(&[event], &setting);
        let asked = asks(event, &setting.options);
        check_message(&message, &setting, asked);
    }
    if events.is_empty() {
        return;
    }
    let many: Vec<Event> = (0..setting.copies)
        .flat_map(|copy| {
            events.iter().take(40).map(move |event| Event {
                resource_id: event.resource_id.as_ref().map(|id| format!("{id}{copy}")),
                ..Event::clone(event)
            })
        })
        .collect();
    let many: Vec<&Event> = many.iter().collect();
    if many.len() > 1 {
        let message = rendered(&many, &setting);
        let asked = many.iter().any(|event| asks(event, &setting.options));
        check_message(&message, &setting, asked);
        let count = format!(" {} ", many.len());
        assert!(
            format!(" {}", message.title).contains(&count),
            "{}",
            message.title
        );
    }
}

/// The message of these events as DingTalk gets it.
fn rendered(events: &[&Event], setting: &Setting) -> Markdown {
    let keyword = setting.keyword.as_deref();
    let mut message = message::compose(events, &setting.options, setting.now);
    let body = message.fit(setting.budget, |message| {
        markdown::encode(message, keyword, UUID)
    });
    let written = markdown::write(&message, keyword);
    assert_eq!(written.body(UUID), body, "the body is what is written");
    if let Some(link) = &message.link {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/?=".contains(&byte);
        assert!(link.url.starts_with("https://ecs.console.aliyun.com/"));
        assert!(link.url.bytes().all(is_plain), "{}", link.url);
    }
    for span in message.title.spans() {
        if let Span::Foreign(words) = span {
            check_foreign(words.as_str());
        }
    }
    written
}

/// Foreign text is one line of visible characters.
fn check_foreign(words: &str) {
    assert!(!words.is_empty());
    assert!(!words.chars().any(char::is_control), "{words:?}");
    assert!(!words.contains("  "), "{words:?}");
}

fn setting(draw: &mut Draw) -> Setting {
    let looks = draw.byte();
    let language = if looks & 1 == 0 {
        Language::Zh
    } else {
        Language::En
    };
    let keyword = match looks >> 1 & 7 {
        0 | 1 => None,
        2 => Some("CloudMonitor".to_owned()),
        3 => Some("报警".to_owned()),
        4 => Some("\"".repeat(200)),
        5 => Some("🚨".repeat(50)),
        6 => Some("实例".to_owned()),
        _ => Some("a".to_owned()),
    };
    let people = usize::from(draw.byte()) % 52;
    let (mobiles, user_ids) = match people {
        51 => ((0..50).map(|n| format!("{n:064}")).collect(), Vec::new()),
        50 => (
            Vec::new(),
            (0..50)
                .map(|n| format!("{n:04}{}", "长".repeat(20)))
                .collect(),
        ),
        count => (
            (0..count / 2).map(|n| format!("138{n:08}")).collect(),
            (count / 2..count).map(|n| format!("user-{n}")).collect(),
        ),
    };
    let levels = match looks >> 4 & 3 {
        0 => vec![Level::Critical],
        1 => Level::ALL.to_vec(),
        2 => Vec::new(),
        _ => vec![Level::Warn, Level::Info],
    };
    let zone = draw.pick(&[
        "Asia/Shanghai",
        "UTC",
        "America/St_Johns",
        "Pacific/Kiritimati",
        "Asia/Kathmandu",
    ]);
    let now = match draw.below(4) {
        0 => "2019-04-09T11:00:00Z"
            .parse()
            .unwrap_or(Timestamp::UNIX_EPOCH),
        1 => Timestamp::MIN,
        2 => Timestamp::MAX,
        _ => Timestamp::UNIX_EPOCH,
    };
    let size = draw.byte();
    Setting {
        options: RenderOptions {
            language,
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            mentions: Mentions {
                mobiles,
                user_ids,
                all: looks & 128 != 0,
            },
            mention_levels: levels,
        },
        keyword,
        now,
        budget: [MAX_BYTES, MAX_BYTES, MAX_BYTES / 2, MAX_BYTES / 4][usize::from(size & 3)],
        copies: [1, 2, 30, 300][usize::from(size >> 2 & 3)],
    }
}

/// Whether an event is one that the people want to be mentioned for.
fn asks(event: &Event, options: &RenderOptions) -> bool {
    let over = ["executed", "avoided", "canceled", "cancelled"];
    let status = event.status.as_deref().unwrap_or_default().to_lowercase();
    event
        .level
        .is_some_and(|level| options.mention_levels.contains(&level))
        && !over.contains(&status.as_str())
}

fn check_message(message: &Markdown, setting: &Setting, asked: bool) {
    let Setting {
        options,
        keyword,
        budget,
        ..
    } = setting;
    let body = message.body(UUID);
    assert!(
        body.len() <= MAX_BYTES.min(NEEDED.max(*budget)),
        "{} bytes of {budget}",
        body.len()
    );

    let json: Value = serde_json::from_slice(&body).expect("a body is JSON");
    assert_eq!(json["msgtype"], "markdown");
    assert_eq!(json["msgUuid"], UUID);
    assert_eq!(json["markdown"]["title"], message.title.as_str());
    assert_eq!(json["markdown"]["text"], message.text.as_str());

    let who = &options.mentions;
    let (mobiles, user_ids, all) = if asked {
        (who.mobiles.as_slice(), who.user_ids.as_slice(), who.all)
    } else {
        (&[][..], &[][..], false)
    };
    assert_eq!(message.at.at_mobiles, mobiles);
    assert_eq!(message.at.at_user_ids, user_ids);
    assert_eq!(message.at.is_at_all, all);
    assert_eq!(json["at"]["atMobiles"], Value::from(mobiles));
    assert_eq!(json["at"]["atUserIds"], Value::from(user_ids));
    assert_eq!(json["at"]["isAtAll"], all);
    let mut names: Vec<String> = mobiles
        .iter()
        .chain(user_ids)
        .map(|id| format!("@{id}"))
        .collect();
    if all {
        names.push(
            if options.language == Language::Zh {
                "@所有人"
            } else {
                "@all"
            }
            .to_owned(),
        );
    }
    let names = names.join(" ");

    assert!(message.text.contains("CloudMonitor · ECS · "), "the footer");
    let keyword = keyword.as_deref().unwrap_or_default();
    assert!(message.text.contains(keyword), "the keyword");
    let own = message
        .text
        .strip_suffix(names.as_str())
        .expect("mentions stand last");
    let own = own.strip_suffix(' ').unwrap_or(own);
    let own = own.strip_suffix(keyword).unwrap_or(own);
    markup::check(own, &message.text);
    check_title(&message.title);
}

/// The title is shown as text; where a client reads markdown even there, it finds none.
fn check_title(title: &str) {
    assert!(!title.chars().any(char::is_control), "{title:?}");
    assert!(!title.contains(markup::MARKS), "{title:?}");
    assert!(!title.contains("://"), "{title:?}");
    assert!(!title.trim().is_empty());
}
