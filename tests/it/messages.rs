//! Every sample as the message that it becomes, in both languages.

pub(crate) mod occasions;
mod owners;
mod picture;
mod situations;

use crate::samples::{REBOOT, index, sample};
use ecs_dingtalk_notifier::channel::dingtalk::MAX_BYTES;
use ecs_dingtalk_notifier::channel::dingtalk::markdown;
use ecs_dingtalk_notifier::event::{self, Event, EventTime, Level};
use ecs_dingtalk_notifier::message::{self, Language, Line, Mentions, RenderOptions, Span};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use pulldown_cmark::{Event as Markdown, Options, Parser, Tag};
use serde_json::json;
use std::sync::Arc;

/// A key as long as any.
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn options(language: Language) -> RenderOptions {
    RenderOptions {
        mentions: Mentions {
            mobiles: vec!["13800000000".into()],
            user_ids: vec!["manager7675".into()],
            all: false,
        },
        mention_levels: vec![Level::Critical],
        ..RenderOptions::new(language, TimeZone::get("Asia/Shanghai").unwrap())
    }
}

/// Two days and a half before the planned time of the maintenance samples.
fn now() -> Timestamp {
    "2019-04-09T11:00:00Z".parse().unwrap()
}

/// A message as DingTalk gets it.
struct Message {
    title: String,
    text: String,
    mentions: Mentions,
    body: Vec<u8>,
}

fn render(event: &Event, language: Language) -> Message {
    render_all(&[event], &options(language), None)
}

fn render_all(events: &[&Event], options: &RenderOptions, keyword: Option<&str>) -> Message {
    render_within(events, options, keyword, MAX_BYTES)
}

/// The message as DingTalk gets it in at most `max_bytes` bytes.
fn render_within(
    events: &[&Event],
    options: &RenderOptions,
    keyword: Option<&str>,
    max_bytes: usize,
) -> Message {
    render_at(now(), events, options, keyword, max_bytes)
}

fn render_at(
    now: Timestamp,
    events: &[&Event],
    options: &RenderOptions,
    keyword: Option<&str>,
    max_bytes: usize,
) -> Message {
    let encode = |message: &_| markdown::encode(message, keyword, UUID);
    let (message, body) = message::encode_within(events, options, now, max_bytes, encode);
    let markdown::Markdown { title, text } = markdown::write(&message, keyword);
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let Mentions {
        mobiles,
        user_ids,
        all,
    } = &message.mentions;
    let expected = json!({
        "msgtype": "markdown",
        "markdown": {"title": title, "text": text},
        "at": {"atMobiles": mobiles, "atUserIds": user_ids, "isAtAll": all},
        "msgUuid": UUID,
    });
    assert_eq!(json, expected);
    Message {
        title,
        text,
        mentions: message.mentions,
        body,
    }
}

fn size(message: &Message) -> usize {
    message.body.len()
}

fn shown(message: &Message) -> String {
    let Mentions {
        mobiles,
        user_ids,
        all,
    } = &message.mentions;
    format!(
        "title: {}\nmentions: {mobiles:?} {user_ids:?} {all}\n\n{}",
        message.title, message.text
    )
}

#[test]
fn messages_of_all_samples_match_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots/messages");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for row in index() {
        let file = row["file"].as_str().unwrap();
        let parsed = event::parse(sample(file).as_bytes());
        assert!(parsed.errors.is_empty(), "{file}: {:?}", parsed.errors);
        let mut text = String::new();
        for event in &parsed.events {
            for language in [Language::Zh, Language::En] {
                text.push_str(&shown(&render(event, language)));
                text.push_str("\n\n════\n\n");
            }
        }
        let name = file
            .replace(['/', ' '], "-")
            .replace(".json", "")
            .replace(".txt", "");
        insta::assert_snapshot!(name, text.trim_end_matches("\n\n════\n\n"));
    }
}

/// All spans of a message.
fn spans(message: &message::Message) -> Vec<&Span> {
    let texts = [&message.title, &message.heading, &message.footer];
    let headings = message.sections.iter().map(|section| &section.heading);
    let lines: Vec<&Line> = message
        .sections
        .iter()
        .flat_map(|section| &section.lines)
        .chain(&message.lines)
        .chain(&message.note)
        .collect();
    let values = lines.iter().map(|line| &line.value);
    let texts = texts.into_iter().chain(headings).chain(values);
    let labels = lines.iter().filter_map(|line| line.label.as_ref());
    texts.flat_map(|text| text.spans()).chain(labels).collect()
}

/// Our own words are the same for every chat, and nothing from an event is among them.
#[test]
fn own_words_hold_no_markup_and_nothing_foreign() {
    const MARK: &str = "qzqz";
    let samples = index();
    let samples = samples
        .iter()
        .map(|row| sample(row["file"].as_str().unwrap()));
    let mut events: Vec<Event> = samples
        .flat_map(|text| event::parse(text.as_bytes()).events)
        .map(Arc::unwrap_or_clone)
        .collect();
    events.push(hostile(MARK));
    let all: Vec<&Event> = events.iter().collect();
    let batches = events.iter().map(|event| vec![event]).chain([all]);
    for batch in batches {
        for language in [Language::Zh, Language::En] {
            let options = options(language);
            // In full, and as short as can be, so that the notes are there too.
            for max_bytes in [usize::MAX, 0] {
                let encode = |message: &_| markdown::encode(message, None, UUID);
                let (message, _) =
                    message::encode_within(&batch, &options, now(), max_bytes, encode);
                for span in spans(&message) {
                    let Span::Own(words) = span else { continue };
                    for mark in ["**", "#", "](", "//", "@", "<", "\n", MARK] {
                        assert!(!words.contains(mark), "{mark} in {words}");
                    }
                }
            }
        }
    }
}

#[test]
fn samples_show_resource_region_level_code_and_local_time() {
    for row in index() {
        let file = row["file"].as_str().unwrap();
        if row["event"].is_null() {
            continue;
        }
        let parsed = event::parse(sample(file).as_bytes());
        let [event] = parsed.events.as_slice() else {
            panic!("{file}: {} events", parsed.events.len());
        };
        for (language, words) in [
            (Language::Zh, ["严重", "警告", "通知", "未知"]),
            (Language::En, ["Critical", "Warning", "Info", "Unknown"]),
        ] {
            let text = render(event, language).text;
            let has = |what: &str| assert!(text.contains(what), "{file}: no {what} in\n{text}");
            if let Some(resource) = row["resource"].as_str() {
                has(resource);
            }
            has(row["region"].as_str().unwrap());
            let code = row["event"].as_str().unwrap();
            has(code.strip_prefix("mongodb ").unwrap_or(code));
            has("CloudMonitor");
            has("ECS");
            let level = ["level_in_event", "level_in_catalogue"]
                .iter()
                .find_map(|key| row[*key].as_str())
                .and_then(Level::parse);
            match level {
                // By its result: the index tells the level of the type.
                Some(_) if file == "eventbridge/Disk-DiskOperationCompleted-failed.json" => {
                    has(words[1])
                }
                Some(Level::Critical) => has(words[0]),
                Some(Level::Warn) => has(words[1]),
                Some(Level::Info) => has(words[2]),
                // The catalogue's own suggestion stands in: a finished task is worth knowing.
                None => has(words[2]),
            }
            if let Some(time) = row["time_utc"].as_str() {
                let utc: Timestamp = time.parse().unwrap();
                let local = utc.to_zoned_datetime(TimeZone::get("Asia/Shanghai").unwrap());
                has(&local.strftime("%Y-%m-%d %H:%M:%S (UTC+08:00)").to_string());
            }
        }
    }
}

#[test]
fn planned_work_counts_down_and_what_is_over_does_not() {
    let parsed = event::parse(sample(REBOOT).as_bytes());
    let event = &parsed.events[0];
    let text = render(event, Language::En).text;
    assert!(text.contains("in 2 days 14 h, 2019-04-12 09:01"), "{text}");
    let text = render(event, Language::Zh).text;
    assert!(text.contains("2 天 14 小时后，2019-04-12 09:01"), "{text}");
    let avoided = Event {
        status: Some("Avoided".into()),
        ..Event::clone(event)
    };
    let text = render(&avoided, Language::En).text;
    assert!(
        !text.contains("in 2 days") && text.contains("2019-04-12 09:01:01"),
        "{text}"
    );
}

/// Producers send times as text or as a number.
#[test]
fn planned_and_event_times_are_shown_once() {
    for (planned, time) in [
        (json!("2019-04-12T01:01:01Z"), json!("2019-04-09T04:18:26Z")),
        (json!(1_555_030_861), json!(1_554_783_506_000_i64)),
    ] {
        let payload = json!({
            "id": "e1", "source": "acs.ecs", "type": "ecs:Instance:SystemMaintenance.Reboot",
            "data": {"eventStatus": "Scheduled", "notBefore": planned, "eventTime": time},
        });
        let parsed = event::parse(payload.to_string().as_bytes());
        let text = render(&parsed.events[0], Language::En).text;
        for shown in ["Planned for", "2019-04-12 09:01", "2019-04-09 12:18:26"] {
            assert_eq!(text.matches(shown).count(), 1, "{shown} in {text}");
        }
    }
}

#[test]
fn mentions_stand_in_at_and_in_the_text_or_in_neither() {
    let parsed = event::parse(sample(REBOOT).as_bytes());
    for (status, level, mentioned) in [
        ("Scheduled", Some(Level::Critical), true),
        ("Failed", Some(Level::Critical), true),
        ("Executed", Some(Level::Critical), false),
        ("Avoided", Some(Level::Critical), false),
        ("Canceled", Some(Level::Critical), false),
        ("Scheduled", Some(Level::Warn), false),
        ("Scheduled", None, false),
    ] {
        let event = Event {
            status: Some(status.into()),
            level,
            ..Event::clone(&parsed.events[0])
        };
        let mut options = options(Language::Zh);
        options.mentions.all = true;
        let message = render_all(&[&event], &options, None);
        assert_eq!(
            message.mentions.mobiles.is_empty(),
            !mentioned,
            "{status} {level:?}"
        );
        assert_eq!(message.mentions.user_ids.is_empty(), !mentioned);
        assert_eq!(message.mentions.all, mentioned);
        for name in ["@13800000000", "@manager7675", "@所有人"] {
            assert_eq!(message.text.contains(name), mentioned, "{status} {level:?}");
        }
    }
}

#[test]
fn the_keyword_is_appended_only_where_it_is_missing() {
    let parsed = event::parse(sample(REBOOT).as_bytes());
    for (keyword, appended) in [
        ("CloudMonitor", false),
        ("ECS", false),
        ("报警", true),
        ("cloudmonitor", true),
    ] {
        let message = render_all(&[&parsed.events[0]], &options(Language::Zh), Some(keyword));
        assert_eq!(message.text.matches(keyword).count(), 1);
        let plain = render(&parsed.events[0], Language::Zh).text;
        assert_eq!(message.text != plain, appended, "{keyword}");
        assert!(
            message.text.ends_with("@13800000000 @manager7675"),
            "{}",
            message.text
        );
    }
    // It is not known if DingTalk looks for the keyword in addresses.
    for keyword in ["ecs", "pc_slide"] {
        let message = render_all(&[&parsed.events[0]], &options(Language::Zh), Some(keyword));
        assert!(
            message.text.contains(&format!("\n\n{keyword} @")),
            "{}",
            message.text
        );
    }
}

/// Foreign text in every place that an event has for it.
fn hostile(text: &str) -> Event {
    let payload = json!({
        "id": text, "source": "acs.ecs", "type": format!("ecs:{text}"), "subject": text, "time": text,
        "aliyunregionid": text,
        "data": {
            "instanceId": text, "instanceName": text, "eventStatus": text, "notBefore": text, "reason": text,
            "list": [text, {"deep": text}], "nested": {text: text}, text: text, "publicIpAddress": text,
        },
    });
    let mut events = event::parse(payload.to_string().as_bytes()).events;
    Arc::unwrap_or_clone(events.remove(0))
}

/// What a markdown reader finds in a message beyond the links, headings and bold labels of our own.
fn foreign_markup(message: &Message) -> Vec<String> {
    let mut found = Vec::new();
    let mut headings = 0;
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM;
    for item in Parser::new_ext(&message.text, options) {
        match item {
            Markdown::Start(Tag::Link { dest_url, .. })
                if dest_url.starts_with("dingtalk://dingtalkclient/page/link?url=https%3A%2F%2Fecs.console.aliyun.com%2F")
                    && dest_url.ends_with("&pc_slide=false") => {}
            Markdown::Start(Tag::Heading { .. }) => headings += 1,
            Markdown::Start(Tag::Paragraph | Tag::Strong) => {}
            Markdown::Start(tag) => found.push(format!("{tag:?}")),
            Markdown::Html(html) | Markdown::InlineHtml(html) => found.push(html.to_string()),
            Markdown::Code(code) => found.push(code.to_string()),
            Markdown::Rule => found.push("rule".into()),
            _ => {}
        }
    }
    if headings != 1 {
        found.push(format!("{headings} headings"));
    }
    for start in ["http://", "https://", "<", "@1390"] {
        if message.text.contains(start) {
            found.push(start.into());
        }
    }
    // Behind a letter or digit it begins no link.
    let mut places = message.text.match_indices("www.");
    let is_start = |at| {
        let before = message.text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric())
    };
    if places.any(|(at, _)| is_start(at)) {
        found.push("www.".into());
    }
    found
}

#[test]
fn hostile_text_stays_text() {
    for text in [
        "[click](https://evil.example)",
        "![x](http://evil.example/x.png)",
        "<https://evil.example>",
        "https://evil.example www.evil.example a@evil.example",
        "<font color=red>red</font><script>alert(1)</script><!-- x -->",
        "\n# heading\n\n- list\n1. one\n> quote\n---\n```\ncode\n```\n|a|b|\n|-|-|\n",
        "x\n===\ny",
        "@13900000000 @all @所有人",
        "**b** __b__ _i_ *i* ~~s~~ `c`",
        "\\[x\\](y) &lt;b&gt; &#64;",
        "[ref]: https://evil.example\n\n[ref]",
    ] {
        for language in [Language::Zh, Language::En] {
            let message = render(&hostile(text), language);
            assert_eq!(
                foreign_markup(&message),
                Vec::<String>::new(),
                "{text}\n{}",
                message.text
            );
            assert!(
                !message.title.contains(['<', '[', '@', '\n']),
                "{}",
                message.title
            );
        }
    }
}

#[test]
fn invisible_text_leaves_no_empty_heading_and_no_empty_label() {
    let mut event = hostile("\u{200b}");
    event.name = "\u{200b}".into();
    event.status = None;
    event.region = Some("\u{200b}".into());
    event.envelope_time = event.time.clone();
    for language in [Language::Zh, Language::En] {
        let alone = render(&event, language);
        let digest = render_all(&[&event, &event], &options(language), None);
        for message in [alone, digest] {
            assert_eq!(foreign_markup(&message), Vec::<String>::new());
            let empty = message
                .text
                .lines()
                .find(|line| line.trim_end().ends_with(['：', ':']) || line.contains("****"));
            assert_eq!(empty, None, "{}", message.text);
            let what = ["未命名事件", "unnamed event"];
            assert!(what.iter().any(|what| message.title.contains(what)));
        }
    }
}

#[test]
fn a_message_over_the_limit_loses_data_and_nothing_else() {
    let mut data = json!({"instanceId": "i-1", "eventStatus": "Executing"});
    for i in 0..200 {
        data[format!("key{i:03}")] = json!("长".repeat(400));
    }
    let payload = json!({"id": "abcdefghij", "source": "acs.ecs", "type": "ecs:Instance:SystemFailure.Reboot",
        "time": "2019-04-09T04:18:26Z", "aliyunregionid": "cn-hangzhou", "data": data});
    let event = &event::parse(payload.to_string().as_bytes()).events[0];
    for budget in [MAX_BYTES, MAX_BYTES / 4] {
        let message = render_within(&[event], &options(Language::Zh), Some("报警"), budget);
        let size = size(&message);
        assert!(size <= budget, "{size}");
        assert!(size > budget / 2, "{size} of {budget} used");
        for kept in [
            "报警",
            "@13800000000",
            "abcdefgh",
            "Instance:SystemFailure.Reboot",
            "另有",
            "建议",
        ] {
            assert!(message.text.contains(kept), "{kept}");
        }
    }
}

/// The size of the body counts its parts, so that what must be shown is known.
#[test]
fn a_message_shows_as_much_as_fits() {
    let options = options(Language::En);
    let shown = |events: &[&Event], max_bytes| {
        let encode = |message: &message::Message| {
            let names = |lines: &[Line]| lines[0].value.to_string().matches("web-").count();
            let names: usize = message.sections.iter().map(|s| names(&s.lines)).sum();
            let details = message.lines.iter().map(|line| line.value.to_string());
            vec![0; names + details.filter(|value| value == "detail").count()]
        };
        let (message, body) = message::encode_within(events, &options, now(), max_bytes, encode);
        (message.sections.len(), body.len())
    };

    let mut one = hostile("x");
    let details = (0..80).map(|n| (format!("key{n}"), json!("detail")));
    one.details = details.collect();
    for max_bytes in 0..=60 {
        assert_eq!(shown(&[&one], max_bytes), (0, max_bytes));
    }
    assert_eq!(shown(&[&one], 1000), (0, 60));

    // Three groups with 5, 3 and 1 resources.
    let mut events = reboots(9);
    for event in &mut events[5..] {
        event.name = "Instance:SystemFailure.Reboot".into();
    }
    events[8].name = "Instance:SystemFailure.Redeploy".into();
    let events: Vec<&Event> = events.iter().collect();
    let expected = [
        (1, 1),
        (1, 1),
        (2, 2),
        (3, 3),
        (3, 3),
        (3, 5),
        (3, 5),
        (3, 7),
        (3, 8),
        (3, 9),
        (3, 9),
    ];
    for (max_bytes, expected) in expected.into_iter().enumerate() {
        assert_eq!(shown(&events, max_bytes), expected, "{max_bytes}");
    }
}

/// An event with text in every place, options with many mentions, and a long keyword.
fn with_everything(text: &str, mentions: usize) -> (Event, RenderOptions, String) {
    let mut options = options(Language::Zh);
    options.mentions.mobiles = (0..mentions).map(|i| format!("{i:064}")).collect();
    options.mention_levels = Level::ALL.to_vec();
    let mut event = hostile(text);
    event.level = Some(Level::Critical);
    (event, options, "关键词".repeat(20))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_of_an_event_makes_no_markup(text in "[\\[\\]<>()@&*`#!_~|\\\\:/w.\\-=+ \\n\\r\\t1a长]{1,40}|\\PC{1,40}") {
        let message = render(&hostile(&text), Language::Zh);
        prop_assert_eq!(foreign_markup(&message), Vec::<String>::new(), "{}", message.text);
    }

    #[test]
    fn no_message_is_larger_than_the_chatbot_takes(text in "[\"\\\\\u{1}长a]{1,3000}", mentions in 0usize..=50) {
        let (event, options, keyword) = with_everything(&text, mentions);
        let message = render_all(&[&event], &options, Some(&keyword));
        prop_assert!(size(&message) <= MAX_BYTES, "{}", size(&message));
        prop_assert!(message.text.contains(&keyword));
        for mobile in &message.mentions.mobiles {
            let name = format!("@{mobile}");
            prop_assert!(message.text.contains(&name));
        }
        prop_assert!(message.text.contains("CloudMonitor · ECS"));
    }
}

#[test]
fn a_time_of_unknown_format_is_shown_verbatim() {
    let mut event = hostile("x");
    event.time = Some(EventTime::Text("yesterday".into()));
    assert!(
        render(&event, Language::En)
            .text
            .contains("**Time**: yesterday")
    );
}

/// Events of one kind on instances of their own, a second apart.
fn many(count: usize, kind: &str, data: serde_json::Value, region: &str) -> Vec<Event> {
    (0..count)
        .map(|n| {
            let mut data = data.clone();
            data["instanceId"] = json!(format!("i-bp1{n:017}"));
            data["instanceName"] = json!(format!("web-{n:03}"));
            let payload = json!({
                "id": format!("{kind}-{n}"), "source": "acs.ecs", "type": kind, "aliyunregionid": region,
                "time": format!("2019-04-09T04:{:02}:{:02}Z", n / 60 % 60, n % 60), "data": data,
            });
            let mut events = event::parse(payload.to_string().as_bytes()).events;
            Arc::unwrap_or_clone(events.remove(0))
        })
        .collect()
}

fn reboots(count: usize) -> Vec<Event> {
    let data = json!({"eventStatus": "Scheduled", "notBefore": "2019-04-12T01:01:01Z"});
    many(
        count,
        "ecs:Instance:SystemMaintenance.Reboot",
        data,
        "cn-hangzhou",
    )
}

fn mixed() -> Vec<Event> {
    let mut all = many(
        700,
        "ecs:Instance:StateChange",
        json!({"state": "Stopped"}),
        "cn-beijing",
    );
    all.extend(many(
        180,
        "ecs:Instance:SystemFailure.Reboot",
        json!({"eventStatus": "Executing"}),
        "cn-hangzhou",
    ));
    all.extend(many(
        60,
        "ecs:Instance:SystemFailure.Reboot",
        json!({"eventStatus": "Executed"}),
        "cn-hangzhou",
    ));
    all.extend(many(
        50,
        "ecs:Instance:PreemptibleInstanceInterruption",
        json!({"action": "delete"}),
        "cn-shanghai",
    ));
    all.extend(many(10, "ecs:Brand:New", json!({}), "xx-new-1"));
    all
}

fn digest(events: &[Event], language: Language) -> Message {
    let events: Vec<&Event> = events.iter().collect();
    render_all(&events, &options(language), None)
}

#[test]
fn digests_match_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots/digests");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let two: Vec<Event> = [REBOOT, crate::samples::STOPPED]
        .iter()
        .flat_map(|file| event::parse(sample(file).as_bytes()).events)
        .map(Arc::unwrap_or_clone)
        .collect();
    for (name, events) in [
        ("two", two),
        ("thirty-reboots", reboots(30)),
        ("a-thousand-mixed", mixed()),
    ] {
        for language in [Language::Zh, Language::En] {
            let message = digest(&events, language);
            assert!(size(&message) <= MAX_BYTES, "{name}: {}", size(&message));
            insta::assert_snapshot!(format!("{name}-{}", language.as_str()), shown(&message));
        }
    }
}

#[test]
fn a_digest_names_what_fits_and_counts_the_rest() {
    for count in [2, 30, 200] {
        let text = digest(&reboots(count), Language::En).text;
        for n in 0..count {
            assert!(
                text.contains(&format!("web-{n:03} (i-bp1{n:017})")),
                "{n} of {count}"
            );
        }
        assert!(!text.contains("not listed here"));
        assert!(text.contains(&format!("{count} ECS events")));
    }
    let text = digest(&mixed(), Language::En).text;
    let named = text.matches("(i-bp1").count();
    let listed: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("… ")?.split(' ').next()?.parse().ok())
        .unwrap();
    assert_eq!(named + listed, 1000, "named and counted are all");
    assert!(text.find("Critical").unwrap() < text.find("Warning").unwrap());
}

#[test]
fn a_digest_mentions_if_one_open_event_asks_for_it() {
    let mut events = reboots(3);
    for event in &mut events {
        event.status = Some("Executed".into());
    }
    let all_over = digest(&events, Language::Zh);
    assert!(all_over.mentions.mobiles.is_empty());
    assert!(
        all_over.title.contains("✅ 3 条 ECS 事件"),
        "{}",
        all_over.title
    );
    events[2].status = Some("Failed".into());
    let message = digest(&events, Language::Zh);
    assert_eq!(message.mentions.mobiles, ["13800000000"]);
    assert!(message.text.ends_with("@13800000000 @manager7675"));
    // What is open stands before what is over, though it is fewer.
    assert!(message.title.contains("已失败"), "{}", message.title);
    events[2].level = Some(Level::Info);
    assert!(digest(&events, Language::Zh).mentions.mobiles.is_empty());
}

#[test]
fn a_digest_with_other_products_does_not_call_them_ecs() {
    let mut events = reboots(2);
    events[1].product = Some("MongoDB".into());
    assert!(digest(&events, Language::Zh).title.contains(" 2 条事件"));
    assert!(digest(&events, Language::En).title.contains(" 2 events"));
}

#[test]
fn ten_thousand_events_fit_with_keyword_and_mentions() {
    let (event, options, keyword) = with_everything("x", 50);
    let events: Vec<Event> = (0..10_000)
        .map(|n| Event {
            name: format!("Brand:Kind{n}"),
            resource_id: Some("长".repeat(90)),
            ..event.clone()
        })
        .collect();
    let events: Vec<&Event> = events.iter().collect();
    for budget in [MAX_BYTES, MAX_BYTES / 2] {
        let message = render_within(&events, &options, Some(&keyword), budget);
        assert!(size(&message) <= budget, "{}", size(&message));
        assert!(message.text.contains(&keyword));
        assert!(message.text.contains("10000 条 ECS 事件"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn text_of_the_events_in_a_digest_makes_no_markup(
        text in "[\\[\\]<>()@&*`#!_~|\\\\:/w.\\-=+ \\n\\r\\t1a长]{1,40}|\\PC{1,40}",
    ) {
        let message = digest(&[hostile(&text), hostile("other")], Language::Zh);
        prop_assert_eq!(foreign_markup(&message), Vec::<String>::new(), "{}", message.text);
    }
}
