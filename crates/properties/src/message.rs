//! Messages of events stay within the limit and lose no part that must stay. Text from an event
//! stays text.

use crate::markup;
use crate::recipe::{self, Draw};
use ecs_dingtalk_notifier::channel::dingtalk::MAX_BYTES;
use ecs_dingtalk_notifier::channel::dingtalk::markdown::{self, Markdown};
use ecs_dingtalk_notifier::event::{self, Event, Level};
use ecs_dingtalk_notifier::message::{self, Language, Mentions, RenderOptions, Span};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// What a message always keeps is less than this, however small its budget is.
const NEEDED: usize = MAX_BYTES / 4 * 3;
/// As long as every key.
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

struct Setting {
    options: RenderOptions,
    keyword: Option<String>,
    now: Timestamp,
    budget: usize,
    copies: usize,
}

/// Checks the messages of the events that `input` stands for.
///
/// If it begins with the byte 1 or 2, five bytes of settings follow, and then a recipe (1) or a
/// payload (2). Any other input is a payload.
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
        check_message(&[event], &setting);
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
        let title = check_message(&many, &setting);
        let count = format!(" {} ", many.len());
        assert!(format!(" {title}").contains(&count), "{title}");
    }
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
            mentions: Mentions {
                mobiles,
                user_ids,
                all: looks & 128 != 0,
            },
            mention_levels: levels,
            ..RenderOptions::new(language, TimeZone::get(zone).unwrap_or(TimeZone::UTC))
        },
        keyword,
        now,
        budget: [MAX_BYTES, MAX_BYTES, MAX_BYTES / 2, MAX_BYTES / 4][usize::from(size & 3)],
        copies: [1, 2, 30, 300][usize::from(size >> 2 & 3)],
    }
}

/// Returns true if people want to be mentioned for the event.
fn needs_people(event: &Event, options: &RenderOptions) -> bool {
    let over = ["executed", "avoided", "canceled", "cancelled"];
    let status = event.status.as_deref().unwrap_or_default().to_lowercase();
    event
        .level
        .is_some_and(|level| options.mention_levels.contains(&level))
        && !over.contains(&status.as_str())
        && (event.name.as_str(), status.as_str()) != ("CloudMonitor:ThresholdAlarm", "ok")
}

/// Checks the message of these events and returns its title.
fn check_message(events: &[&Event], setting: &Setting) -> String {
    let Setting {
        options,
        keyword,
        budget,
        now,
        ..
    } = setting;
    let keyword = keyword.as_deref();
    let encode = |message: &_| markdown::encode(message, keyword, UUID);
    let (message, body) = message::encode_within(events, options, *now, *budget, encode);
    assert!(
        body.len() <= MAX_BYTES.min(NEEDED.max(*budget)),
        "{} bytes of {budget}",
        body.len()
    );
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

    let Markdown { title, text } = markdown::write(&message, keyword);
    let json: Value = serde_json::from_slice(&body).expect("a body is JSON");
    assert_eq!(json["msgtype"], "markdown");
    assert_eq!(json["msgUuid"], UUID);
    assert_eq!(json["markdown"]["title"], title);
    assert_eq!(json["markdown"]["text"], text);

    let nobody = Mentions::default();
    let is_asked = events.iter().any(|event| needs_people(event, options));
    let who = if is_asked { &options.mentions } else { &nobody };
    assert_eq!(message.mentions, *who);
    let (mobiles, user_ids, all) = (&who.mobiles, &who.user_ids, who.all);
    assert_eq!(json["at"]["atMobiles"], Value::from(mobiles.as_slice()));
    assert_eq!(json["at"]["atUserIds"], Value::from(user_ids.as_slice()));
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

    assert!(text.contains("CloudMonitor · ECS · "), "the footer");
    let keyword = keyword.unwrap_or_default();
    assert!(text.contains(keyword), "the keyword");
    let own = text
        .strip_suffix(names.as_str())
        .expect("mentions stand last");
    let own = own.strip_suffix(' ').unwrap_or(own);
    let own = own.strip_suffix(keyword).unwrap_or(own);
    markup::check(own, &text);
    check_title(&title);
    title
}

/// The title is shown as text; where a client reads markdown even there, it finds none.
fn check_title(title: &str) {
    assert!(!title.chars().any(char::is_control), "{title:?}");
    assert!(!title.contains(markup::MARKS), "{title:?}");
    assert!(!title.contains("://"), "{title:?}");
    assert!(!title.trim().is_empty());
}
