//! Messages of events stay within the limit and lose no part that must stay. Text from an event
//! stays text.

use crate::markup;
use crate::recipe::occasion::{Speech, occasion};
use crate::recipe::{self, Draw};
use ecs_dingtalk_notifier::channel::dingtalk::MAX_BYTES;
use ecs_dingtalk_notifier::channel::dingtalk::markdown::{self, Markdown};
use ecs_dingtalk_notifier::event::{self, Event, Known, Level, OccasionKind};
use ecs_dingtalk_notifier::message::{self, Language, Mentions, RenderOptions, Span};
use ecs_dingtalk_notifier::message::{AccountNames, Console};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a message always keeps is less than this, however small its budget is.
const NEEDED: usize = MAX_BYTES / 10 * 9;
/// As long as every key.
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";
/// What a chat would take for markup, in a name that is too long.
const HOSTILE: &str = "**x** [a](https://evil.example) <b> @all #🚨";

/// The most people that one message mentions.
const MAX_MENTIONS: usize = 50;
/// The keys of the tags that tell the check whom the tag `owner` is to mention, separated by blanks.
const TO_MOBILES: &str = "to-mobiles";
const TO_USER_IDS: &str = "to-user-ids";

pub(crate) struct Setting {
    pub(crate) options: RenderOptions,
    pub(crate) keyword: Option<String>,
    pub(crate) now: Timestamp,
    budget: usize,
    copies: usize,
    more: More,
    owners: Owners,
    speech: Speech,
}

/// What the events say besides, so that few bytes reach what only some of them hold.
#[derive(Clone, Copy)]
enum More {
    Nothing,
    /// Records of API calls, by actors of foreign accounts, with resources in their ARNs.
    Calls,
    SpotNotices,
    Alarms,
}

/// What is known of the events' resources, and what their tag `owner` holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    /// Nothing is known.
    Unknown,
    /// A number and an id.
    Both,
    /// Markup.
    Hostile,
    /// People among others who cannot be mentioned.
    Among,
    /// User ids that a chat would take for markup, and words for everybody.
    Doubtful,
    /// More than one message mentions.
    Many,
    /// Those who are configured.
    Configured,
    /// Nobody.
    Nobody,
}

/// Checks the messages of the events that `input` stands for.
///
/// If it begins with the byte 1 or 2, five bytes of settings follow, and then a recipe (1) or a
/// payload (2). Any other input is a payload.
pub fn check(input: &[u8]) {
    each_message(input, |events, setting| {
        let title = check_message(events, setting);
        let count = format!(" {} ", events.len());
        assert!(
            events.len() == 1 || format!(" {title}").replace('：', " ").contains(&count),
            "{title}"
        );
    });
}

/// Calls `check` with the events of each message that `input` stands for.
pub(crate) fn each_message(input: &[u8], check: impl Fn(&[&Event], &Setting)) {
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
        check(&[&say_more(event, &setting, 0)], &setting);
    }
    if events.is_empty() {
        return;
    }
    let many: Vec<Event> = (0..setting.copies)
        .flat_map(|copy| {
            let setting = &setting;
            events.iter().take(40).map(move |event| Event {
                resource_id: event.resource_id.as_ref().map(|id| format!("{id}{copy}")),
                ..say_more(event, setting, copy)
            })
        })
        .collect();
    let many: Vec<&Event> = many.iter().collect();
    if many.len() > 1 {
        check(&many, &setting);
    }
}

/// Returns the event with more that it could have said. The text is its own, or as bad as can be.
fn say_more(event: &Event, setting: &Setting, copy: usize) -> Event {
    let own = event.details.values().find_map(Value::as_str);
    let text = || own.map_or_else(|| HOSTILE.repeat(9), |own| format!("{own}{copy}"));
    let mut event = event.clone();
    if !setting.options.accounts.names.is_empty() || setting.options.accounts.own.is_some() {
        // Every other account has a name.
        event.account = Some(if copy.is_multiple_of(2) {
            HOSTILE.into()
        } else {
            text()
        });
    }
    if setting.owners != Owners::Unknown {
        if copy.is_multiple_of(3) {
            event.resource_name = None;
        }
        event.known = Some(Arc::new(known(setting.owners, copy, text)));
    }
    match setting.more {
        More::Nothing => {}
        More::Calls => {
            event.operation = Some(text());
            event.actor = Some(format!("{HOSTILE}{}", text()));
            event.arn_resource_id = Some(text());
            event.arn_resource_kind = Some(text());
            let call = json!({
                "userIdentity": {"type": text()}, "sourceIpAddress": text(), "userAgent": text(),
                "serviceName": text(), "requestParameters": {text(): text()},
                "referencedResources": {"ACS::ECS::Disk": [text(), HOSTILE]},
            });
            event
                .details
                .extend(call.as_object().cloned().unwrap_or_default());
        }
        More::SpotNotices => event.name = "Instance:PreemptibleInstanceInterruption".into(),
        More::Alarms => {
            event.name = "CloudMonitor:ThresholdAlarm".into();
            event.status = Some(if copy.is_multiple_of(2) {
                "OK".into()
            } else {
                text()
            });
            let alarm = json!({
                "alertName": text(), "metricName": text(), "curValue": text(), "unit": text(),
                "expression": text(), "lastTime": text(), "dimensions": format!("{{a={}}}", text()),
            });
            event
                .details
                .extend(alarm.as_object().cloned().unwrap_or_default());
        }
    }
    event.occasion = occasion(setting.speech, &event, copy, &text());
    event
}

/// What a look-up may find out, with the worst in every place.
fn known(owners: Owners, copy: usize, text: impl Fn() -> String) -> Known {
    let own_number = format!("139{copy:08}");
    let (owner, mobiles, user_ids) = match owners {
        Owners::Both => {
            let owner = format!("{own_number}/owner.{copy}");
            (owner, own_number, format!("owner.{copy}"))
        }
        Owners::Among => {
            let owner = format!("王小明，owner-{copy}、13900000000 +1 {HOSTILE}");
            (owner, "13900000000".to_owned(), format!("owner-{copy}"))
        }
        Owners::Many => {
            let ids: Vec<String> = (0..60).map(|n| format!("{n:02}-{copy:0>61}")).collect();
            (ids.join(","), String::new(), ids.join(" "))
        }
        Owners::Configured => {
            let owner = format!("+86-138-{:08} user-{copy}", 0);
            (owner, "13800000000".to_owned(), format!("user-{copy}"))
        }
        Owners::Doubtful => {
            let owner = "_x_ __y__ www.evil.example a@WWW.evil.example all @all everyone";
            (owner.to_owned(), String::new(), String::new())
        }
        Owners::Hostile => (HOSTILE.repeat(9), String::new(), String::new()),
        Owners::Unknown | Owners::Nobody => (" ,、".to_owned(), String::new(), String::new()),
    };
    let keys = (0..20).map(|n| (format!("key{n}"), HOSTILE.repeat(9)));
    let named = [
        ("TEAM", text()),
        ("team", "second".to_owned()),
        (HOSTILE, format!("{copy}{}", text())),
        ("empty", String::new()),
        ("OWNER", owner),
        (TO_MOBILES, mobiles),
        (TO_USER_IDS, user_ids),
    ];
    let named = named.map(|(key, value)| (key.to_owned(), value));
    Known {
        name: Some(text()),
        instance_name: Some(HOSTILE.repeat(9)),
        private_addresses: vec![text(), HOSTILE.repeat(9), "10.0.0.1".to_owned()],
        public_addresses: vec![HOSTILE.repeat(9); 9],
        tags: named.into_iter().chain(keys).collect(),
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
    let zones = [
        "Asia/Shanghai",
        "UTC",
        "America/St_Johns",
        "Pacific/Kiritimati",
        "Asia/Kathmandu",
    ];
    let place = usize::from(draw.byte());
    let zone = zones[place % zones.len()];
    let speech = Speech::of(place / zones.len());
    let moment = draw.byte();
    let owners = match moment >> 2 & 7 {
        0 => Owners::Unknown,
        1 => Owners::Both,
        2 => Owners::Hostile,
        3 => Owners::Among,
        4 => Owners::Doubtful,
        5 => Owners::Many,
        6 => Owners::Configured,
        _ => Owners::Nobody,
    };
    let mut tags = vec!["empty".to_owned(), "Team".to_owned(), HOSTILE.to_owned()];
    tags.extend((0..20).map(|n| format!("Key{n}")));
    // A few tags, many, or none.
    tags.truncate([3, 23, 1, 0][usize::from(moment >> 5 & 3)]);
    let now = match moment & 3 {
        0 => "2019-04-09T11:00:00Z"
            .parse()
            .unwrap_or(Timestamp::UNIX_EPOCH),
        1 => Timestamp::MIN,
        2 => Timestamp::MAX,
        _ => Timestamp::UNIX_EPOCH,
    };
    let size = draw.byte();
    let accounts = match size >> 4 & 3 {
        0 => AccountNames::default(),
        1 => AccountNames {
            own: Some("1234567890123456".into()),
            ..AccountNames::default()
        },
        named => AccountNames {
            own: (named == 3).then(|| HOSTILE.into()),
            names: [(HOSTILE.to_owned(), HOSTILE.repeat(5))].into(),
        },
    };
    Setting {
        options: RenderOptions {
            mentions: Mentions {
                mobiles,
                user_ids,
                all: looks & 128 != 0,
            },
            mention_levels: levels,
            mention_tag: (moment & 128 == 0).then(|| "owner".to_owned()),
            tags,
            accounts,
            console: if looks & 64 == 0 {
                Console::China
            } else {
                Console::International
            },
            ..RenderOptions::new(language, TimeZone::get(zone).unwrap_or(TimeZone::UTC))
        },
        keyword,
        now,
        budget: [MAX_BYTES, MAX_BYTES, MAX_BYTES / 2, MAX_BYTES / 4][usize::from(size & 3)],
        copies: [1, 2, 30, 300][usize::from(size >> 2 & 3)],
        more: [More::Nothing, More::Calls, More::SpotNotices, More::Alarms]
            [usize::from(size >> 6 & 3)],
        owners,
        speech,
    }
}

/// Returns true if people want to be mentioned for the event. For what comes every day nobody does.
fn needs_people(event: &Event, options: &RenderOptions) -> bool {
    let over = ["executed", "avoided", "canceled", "cancelled"];
    let status = event.status.as_deref().unwrap_or_default().to_lowercase();
    let is_resolved = event
        .details
        .get("alertStatus")
        .is_some_and(|status| status == "RESOLVED");
    let is_recovered = event.name == "CloudMonitor:ThresholdAlarm" && status == "ok";
    event
        .level
        .is_some_and(|level| options.mention_levels.contains(&level))
        && !(over.contains(&status.as_str()) || is_resolved || is_recovered)
        && !is_of(event, |kind| {
            matches!(kind, OccasionKind::Digest | OccasionKind::Heartbeat(_))
        })
}

fn is_of(event: &Event, is: impl Fn(&OccasionKind) -> bool) -> bool {
    event
        .occasion
        .as_ref()
        .is_some_and(|occasion| is(&occasion.kind))
}

/// A list of upcoming maintenance has a line for every event, or counts it.
fn check_list(message: &message::Message, events: &[&Event]) {
    let is_listed = |kind: &OccasionKind| match kind {
        OccasionKind::Digest => true,
        OccasionKind::Reminder(_) => events.len() > 1,
        _ => false,
    };
    if !is_of(events[0], is_listed) {
        return;
    }
    let days = message.sections.iter().filter(|section| section.events > 0);
    let lines = days.clone().flat_map(|section| &section.lines);
    let lines: Vec<String> = lines.map(|line| line.value.to_string()).collect();
    let shown: usize = days.map(|section| section.events).sum();
    let counts = lines.iter().filter(|line| line.starts_with('…'));
    let digits = |line: &String| {
        line.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let counted = counts.clone().map(|line| digits(line).parse().unwrap_or(0));
    assert_eq!(shown, lines.len() - counts.count());
    assert_eq!(shown + counted.sum::<usize>(), events.len(), "{lines:?}");
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
        let site = match options.console {
            Console::China => "https://ecs.console.aliyun.com/",
            Console::International => "https://ecs.console.alibabacloud.com/",
        };
        assert!(link.url.starts_with(site), "{}", link.url);
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

    check_list(&message, events);
    check_mentions(&message.mentions, events, options);
    let who = &message.mentions;
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

/// The configured people are mentioned if one of the events asks for people, and behind them as
/// many of the owners of the resources of such events as there is room for, nobody twice.
fn check_mentions(who: &Mentions, events: &[&Event], options: &RenderOptions) {
    let asking = events.iter().filter(|event| needs_people(event, options));
    let asking: Vec<_> = asking.collect();
    if asking.is_empty() {
        assert_eq!(*who, Mentions::default());
        return;
    }
    let configured = &options.mentions;
    assert_eq!(who.all, configured.all);
    let mut more = 0;
    let mut expected = 0;
    for (who, configured, tag) in [
        (&who.mobiles, &configured.mobiles, TO_MOBILES),
        (&who.user_ids, &configured.user_ids, TO_USER_IDS),
    ] {
        let owners = asking.iter().filter_map(|event| {
            options.mention_tag.as_ref()?;
            event.known.as_ref()?.tag(tag)
        });
        let owners: BTreeSet<&str> = owners.flat_map(str::split_whitespace).collect();
        // A number with and without hyphens is the same person's.
        let plain = |name: &String| name.replacen("+86", "", 1).replace('-', "");
        let is_new = |owner: &&&str| {
            !configured
                .iter()
                .any(|name| plain(name) == plain(&(**owner).to_string()))
        };
        expected += owners.iter().filter(is_new).count();
        let added = who.strip_prefix(configured.as_slice());
        let added = added.expect("the configured ones stand first");
        more += added.len();
        let mut unique = BTreeSet::new();
        for name in added {
            assert!(unique.insert(plain(name)), "{name} stands there twice");
            let is_owner = owners
                .iter()
                .any(|owner| plain(&(*owner).to_string()) == plain(name));
            assert!(is_owner, "{name} is mentioned");
        }
    }
    let room = MAX_MENTIONS.saturating_sub(configured.mobiles.len() + configured.user_ids.len());
    assert_eq!(more, expected.min(room), "{who:?}");
}

/// The title is shown as text; where a client reads markdown even there, it finds none.
fn check_title(title: &str) {
    assert!(!title.chars().any(char::is_control), "{title:?}");
    assert!(!title.contains(markup::MARKS), "{title:?}");
    assert!(!title.contains("://"), "{title:?}");
    assert!(!title.trim().is_empty());
}
