use super::lines::MAX_OBJECT;
use super::*;
use crate::log::Line;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

fn line(id: &str, outcome: &'static str, time: &str) -> String {
    let line = Line {
        time,
        request_id: "1-00000000-11111111-222222222222",
        event_id: id,
        event: "Instance:SystemFailure.Reboot:Executing",
        level: "CRITICAL",
        resource: Some("i-bp1exampleexample0001"),
        resource_name: Some("web 1"),
        route: "default",
        outcome,
        rule: "EVENT_LEVELS",
        remedy: (outcome == "failed").then_some(
            "DINGTALK_WEBHOOK: copy it again (\"gone\" {1}) 机器人被停用后需要重新添加机器人",
        ),
        ..Line::default()
    };
    let mut text = Vec::new();
    line.append_to(&mut text);
    String::from_utf8(text).unwrap().trim_end().to_owned()
}

fn read(input: impl AsRef<[u8]>) -> Answer {
    let mut history = History::default();
    history.read(&mut input.as_ref()).unwrap();
    history.into_answer()
}

/// The whole answer as one value.
fn json(answer: &Answer) -> Value {
    let mut json = answer.to_json();
    json["neverShown"] = answer
        .never_shown
        .iter()
        .map(NeverShown::to_value)
        .collect();
    json
}

fn never_shown(answer: &Answer) -> Vec<String> {
    let id = |event: &NeverShown| event.to_value()["eventId"].as_str().unwrap().to_owned();
    answer.never_shown.iter().map(id).collect()
}

const DAY: [&str; 4] = [
    "2026-11-25T01:00:00.000Z",
    "2026-11-25T02:00:00.000Z",
    "2026-11-25T03:00:00.000Z",
    "2026-11-25T04:00:00.000Z",
];

/// Lines of every outcome; `b` alone was never shown.
fn sample() -> Vec<String> {
    vec![
        line("a", "failed", DAY[1]),
        line("b", "failed", DAY[0]),
        line("a", "delivered", DAY[2]),
        line("b", "failed", DAY[3]),
        line("c", "filtered", DAY[1]),
        line("d", "duplicate", DAY[1]),
    ]
}

#[test]
fn an_answer_has_every_outcome_by_route() {
    let answer = read(sample().join("\n"));
    let expected = RouteCounts {
        events: 4,
        delivered: 1,
        duplicate: 1,
        filtered: [("EVENT_LEVELS".to_owned(), 1.into())]
            .into_iter()
            .collect(),
        failed: 2,
        failed_but_shown: 1,
        messages: 0,
    };
    assert_eq!(answer.routes, [("default".to_owned(), expected)]);
    assert_eq!(answer.span, Some((DAY[0].to_owned(), DAY[3].to_owned())));
    assert_eq!(
        json(&answer)["neverShown"],
        json!([{
            "time": DAY[3], "requestId": "1-00000000-11111111-222222222222", "eventId": "b",
            "event": "Instance:SystemFailure.Reboot:Executing", "level": "CRITICAL",
            "resource": "i-bp1exampleexample0001", "resourceName": "web 1", "route": "default",
            "remedy": "DINGTALK_WEBHOOK: copy it again (\"gone\" {1}) 机器人被停用后需要重新添加机器人", "tries": 2
        }])
    );
}

/// The lines of the sample among others, in a form that a tool gives them.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let messages: Vec<String> = ["FC Invoke Start RequestId: 1".to_owned()]
        .into_iter()
        .chain(sample())
        .chain(["{ not JSON".to_owned(), "at 5\" {\"".to_owned()])
        .collect();
    let of_each = |form: &dyn Fn(&String) -> String, between: &str| {
        let all: Vec<String> = messages.iter().map(form).collect();
        all.join(between)
    };
    let envelope = |message: Value| {
        json!({"__time__": "1764032460", "__tag__": {"a": [{}]}, "message": message}).to_string()
    };
    let as_text = |message: &String| envelope(message.as_str().into());
    let as_object = |message: &String| {
        envelope(serde_json::from_str(message).unwrap_or_else(|_| message.as_str().into()))
    };
    let in_colour = |message: &String| {
        let message = message.replace("gone", "\u{1b}[7m\u{1b}[31mgone\u{1b}[0m\u{1b}[0m");
        format!("\u{1b}[36mc-1\u{1b}[0m \u{1b}[2m2026-11-25 9:01:00\u{1b}[0m {message}")
    };
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let in_csv = |message: &String| format!("1764032460,\"a,\"\"b\",{},LATEST", quoted(message));
    let glued = format!("1,\"x\",{}", quoted(&messages.join("\n")));
    let pretty: Vec<Value> = messages
        .iter()
        .map(|message| serde_json::from_str(&as_text(message)).unwrap())
        .collect();
    let raw = messages.join("\n");
    let array = format!("[{}]", of_each(&as_text, ","));
    let in_object = format!("{{\"meta\":{{}},\"data\":{array}}}");
    let utf16 = |unit: fn(u16) -> [u8; 2]| {
        let text = format!("\u{feff}{raw}");
        text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
    };
    vec![
        ("CRLF", of_each(&String::clone, "\r\n").into()),
        ("BOM", format!("\u{feff}{raw}").into()),
        (
            "prefixed",
            of_each(&|m| format!("2026-11-25 9:01:00 c-1 {m}"), "\n").into(),
        ),
        ("s logs", of_each(&in_colour, "\n\n").into()),
        ("text in JSON lines", of_each(&as_text, "\n").into()),
        ("objects in JSON lines", of_each(&as_object, "\n").into()),
        ("array", array.into()),
        ("pretty array", serde_json::to_vec_pretty(&pretty).unwrap()),
        ("object with an array", in_object.into()),
        ("CSV", of_each(&in_csv, "\r\n").into()),
        ("entries of several lines", as_text(&raw).into()),
        ("CSV of several lines", glued.into()),
        ("blank in braces", raw.replace("{\"time", "{ \"time").into()),
        (
            "CSV with it",
            of_each(&in_csv, "\n")
                .replace("{\"\"time", "{ \"\"time")
                .into(),
        ),
        ("UTF-16 LE", utf16(u16::to_le_bytes)),
        ("UTF-16 BE", utf16(u16::to_be_bytes)),
        ("raw", raw.into()),
    ]
}

#[test]
fn every_form_of_a_log_gives_the_same_answer() {
    let expected = json(&read(sample().join("\n")));
    for (form, bytes) in forms() {
        let mut answer = json(&read(bytes));
        assert_eq!(answer["linesLeftOut"], 3, "{form}");
        answer["linesLeftOut"] = 0.into();
        assert_eq!(answer, expected, "{form}");
    }
}

#[test]
fn when_an_input_comes_in_small_parts_the_answer_is_the_same() {
    /// Gives so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);
    impl Read for Drip<'_> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len());
            self.0.read(&mut to[..count])
        }
    }
    for (form, bytes) in forms() {
        let whole = json(&read(&bytes));
        for size in [1, 2, 3, 7, 100] {
            let mut history = History::default();
            history.read(&mut Drip(&bytes, size)).unwrap();
            assert_eq!(json(&history.into_answer()), whole, "{form} by {size}");
        }
    }
}

#[test]
fn a_download_in_one_object_is_read_however_long_it_is() {
    let ids = 0..20_000;
    let lines: Vec<String> = ids
        .map(|id| line(&id.to_string(), "failed", DAY[0]))
        .collect();
    let text = format!("{{\"data\":{{\"logs\":[{}]}}}}", lines.join(",\n"));
    assert!(text.len() > 4 * 1024 * 1024);
    let answer = read(text);
    assert_eq!(answer.lines.read, 20_000);
    assert_eq!(answer.never_shown.len(), 20_000);
}

#[test]
fn when_an_object_never_ends_what_follows_is_read() {
    for begun in [
        "{\"message\":\"",
        "{",
        "{\"a\":",
        "{\"a\":[{",
        "\"{\"\"time\"\":\"\"",
        "{\"\"",
    ] {
        for between in ["\n", "\n\n", " \n{\n"] {
            let text = format!("{begun}{between}{}\n", line("a", "failed", DAY[0]));
            assert_eq!(never_shown(&read(&text)), ["a"], "{text}");
        }
    }
}

#[test]
fn when_an_object_is_longer_than_is_searched_no_more_is_kept_of_it() {
    let mut text = "{\"data\":[".to_owned();
    while text.len() < 3 * MAX_OBJECT {
        text.push_str("{\"a\":\"b\"},");
    }
    let done = Lines::default().find(&text, false, &mut |_| ());
    assert!(text.len() - done < MAX_OBJECT);
}

#[test]
fn what_is_no_escape_sequence_hides_nothing() {
    for before in [
        "\u{1b}[",
        "\u{1b}",
        "\u{1b}[1;",
        "\u{1b}\u{1b}[",
        "\u{1b}[31m",
    ] {
        let text = format!("{before}{}", line("a", "failed", DAY[0]));
        assert_eq!(never_shown(&read(&text)), ["a"], "{before:?}");
    }
}

#[test]
fn when_s_logs_wrote_a_line_over_it_is_said() {
    // The first word of the line holds a time and more.
    let text = "c-1 2026-11-25 9:01:00 \u{1b}[1;32mInvalid date\u{1b}[0m the robot's settings\"}\nInvalid date";
    let counts = read(text).lines;
    assert_eq!((counts.read, counts.left_out, counts.spoiled), (0, 2, 2));
}

#[test]
fn what_is_no_log_line_is_left_out() {
    for text in [
        r#"{"events":[{"eventId":"a","event":"E","routes":[{"route":"r","outcome":"failed"}]}]}"#,
        r#"{"eventId":"a","route":"r","outcome":"lost"}"#,
        r#"{"eventId":1,"route":"r","outcome":"failed"}"#,
        r#"{"message":7}"#,
    ] {
        let answer = read(text);
        assert_eq!((answer.lines.read, answer.lines.left_out), (0, 1), "{text}");
        assert!(answer.routes.is_empty() && answer.span.is_none());
    }
    assert_eq!(read("\n \r\n[\n]\n").lines, LineCounts::default());
}

#[test]
fn events_of_different_names_or_resources_with_one_id_are_different() {
    let failed = line("a", "failed", DAY[0]);
    let renamed = line("a", "delivered", DAY[1]).replace(":Executing", ":Executed");
    let moved = line("a", "delivered", DAY[1]).replace("0001", "0002");
    for other in [&renamed, &moved] {
        assert_eq!(never_shown(&read(format!("{failed}\n{other}"))), ["a"]);
    }
    let on_other_route = line("a", "delivered", DAY[1]).replace("default", "oncall");
    let answer = read(format!("{failed}\n{on_other_route}"));
    assert_eq!(never_shown(&answer), ["a"]);
    assert_eq!(answer.routes.len(), 2);
}

#[test]
fn a_message_counts_once_however_many_events_it_holds() {
    let sent = |id, uuid: &str, outcome| {
        line(id, outcome, DAY[0])
            .replace("\"rule\"", &format!("\"messageUuid\":\"{uuid}\",\"rule\""))
    };
    let lines = [
        sent("a", "1", "delivered"),
        sent("b", "1", "delivered"),
        sent("b", "1", "delivered"),
        sent("c", "2", "failed"),
        sent("d", "3", "delivered"),
        line("e", "duplicate", DAY[0]),
    ];
    assert_eq!(read(lines.join("\n")).messages(), 2);
}

#[test]
fn the_slowest_is_told_with_its_event() {
    let slow = |id, ms: u64| {
        let duration = format!("\"durationMs\":{ms},\"rule\"");
        line(id, "delivered", DAY[0]).replace("\"rule\"", &duration)
    };
    let answer = read([slow("a", 3), slow("c", 812), slow("b", 812)].join("\n"));
    assert_eq!(answer.slowest_ms, Some(812));
    let slowest = answer.slowest.unwrap();
    // Of equals the first by time and id.
    assert_eq!(
        (&slowest["eventId"], &slowest["durationMs"]),
        (&json!("b"), &json!(812))
    );
}

#[test]
fn when_there_is_no_room_for_details_the_rest_is_counted() {
    let remedy = "x".repeat(100_000);
    let ids = 0..300;
    let long = |id: u32| line(&id.to_string(), "failed", DAY[0]).replace("copy it again", &remedy);
    let lines: Vec<String> = ids.map(long).collect();
    let answer = read(lines.join("\n"));
    let kept = answer.never_shown.len();
    assert!((150..300).contains(&kept), "{kept}");
    assert_eq!(kept + answer.more_never_shown, 300);
    // What is shown after all makes room.
    let shown = (0..200).map(|id| line(&id.to_string(), "delivered", DAY[1]));
    let lines: Vec<String> = lines
        .iter()
        .cloned()
        .chain(shown)
        .chain(lines.clone())
        .collect();
    let answer = read(lines.join("\n"));
    assert_eq!(
        (answer.never_shown.len(), answer.more_never_shown),
        (100, 0)
    );
}

#[test]
fn when_a_route_has_more_rules_than_are_told_apart_the_rest_is_counted_together() {
    let by = |rule: usize| {
        line(&rule.to_string(), "filtered", DAY[0]).replace("EVENT_LEVELS", &format!("RULE_{rule}"))
    };
    let lines: Vec<String> = (0..40).map(by).collect();
    let counts = &read(lines.join("\n")).routes[0].1;
    assert_eq!(counts.filtered.len(), MAX_RULES + 1);
    assert_eq!(counts.filtered[OTHER_RULES], 40 - MAX_RULES);
}

#[test]
fn control_characters_are_not_passed_on() {
    let mut line: Value = serde_json::from_str(&line("a", "failed", DAY[0])).unwrap();
    for member in [
        "time", "eventId", "event", "route", "remedy", "resource", "class",
    ] {
        line[member] = "\u{9b}31m\u{1b}[31m\r\n\u{7f}x".into();
    }
    line["errcode"] = json!(["\u{9b}"]);
    line["durationMs"] = 1.into();
    let text = format!(
        "{line}\n{}",
        line.to_string()
            .replace("failed", "filtered")
            .replace("EVENT_LEVELS", "\u{9b}")
    );
    let answer = read(text);
    assert_eq!(answer.lines.read, 2);
    assert!(!json(&answer).to_string().contains(char::is_control));
    assert!(!format!("{:?}", json(&answer)).contains("\\u{9b}"));
}

/// Counts in another way than the code: by route, the outcomes of each event, over all lines.
fn counted(lines: &[Value]) -> (Vec<[usize; 6]>, BTreeSet<String>) {
    let mut outcomes: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for line in lines {
        let key = (
            line["route"].as_str().unwrap(),
            line["eventId"].as_str().unwrap(),
        );
        outcomes
            .entry(key)
            .or_default()
            .insert(line["outcome"].as_str().unwrap());
    }
    let routes: BTreeSet<&str> = outcomes.keys().map(|(route, _)| *route).collect();
    let was_shown = |all: &BTreeSet<&str>| all.contains("delivered") || all.contains("duplicate");
    let count = |route: &str, is_meant: &dyn Fn(&BTreeSet<&str>) -> bool| {
        let events = outcomes.iter().filter(|((of, _), _)| *of == route);
        events.filter(|(_, all)| is_meant(all)).count()
    };
    let counts = routes.iter().map(|route| {
        [
            count(route, &|_| true),
            count(route, &|all| all.contains("delivered")),
            count(route, &|all| all.contains("duplicate")),
            count(route, &|all| all.contains("filtered")),
            count(route, &|all| all.contains("failed")),
            count(route, &|all| all.contains("failed") && was_shown(all)),
        ]
    });
    let never = outcomes
        .iter()
        .filter(|(_, all)| all.contains("failed") && !was_shown(all));
    let never = never.map(|((route, id), _)| format!("{route} {id}"));
    (counts.collect(), never.collect())
}

fn counts(answer: &Answer) -> Vec<[usize; 6]> {
    let of_route = |(_, counts): &(String, RouteCounts)| {
        let filtered = counts
            .filtered
            .values()
            .map(|count| count.as_u64().unwrap() as usize);
        [
            counts.events,
            counts.delivered,
            counts.duplicate,
            filtered.sum(),
            counts.failed,
            counts.failed_but_shown,
        ]
    };
    answer.routes.iter().map(of_route).collect()
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        text in "(\\{|\\}|\"|\"\"|\\{\"\"|\"message\":|\"a\":|\\[|\\]|,|\\\\|\u{1b}\\[|\n|\u{feff}|实){0,60}",
    ) {
        for begin in [&b""[..], b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", text.as_bytes()] {
            let answer = read([begin, &bytes, text.as_bytes()].concat());
            prop_assert_eq!(answer.never_shown_count(), 0);
        }
    }

    #[test]
    fn order_and_repeats_of_lines_change_nothing_and_the_counts_are_those_of_another_count(
        lines in proptest::collection::vec(
            (0..3usize, 0..6usize, 0..4usize, 0..4usize, any::<bool>()), 0..40
        ),
        others in proptest::collection::vec("[a-z0-9{}\"\\[\\]:, \u{1b}实]{0,20}", 0..10),
        order in any::<proptest::sample::Index>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let outcomes = ["delivered", "duplicate", "filtered", "failed"];
        let values: Vec<Value> = lines.iter().map(|(route, id, outcome, time, _)| {
            let text = line(&format!("e{id}"), outcomes[*outcome], DAY[*time]);
            let text = text.replace("\"default\"", &format!("\"r{route}\""));
            serde_json::from_str(&text).unwrap()
        }).collect();
        let mut texts: Vec<String> = values.iter().zip(&lines).map(|(value, (.., in_message))| {
            if *in_message {
                json!({"message": value.to_string()}).to_string()
            } else {
                value.to_string()
            }
        }).collect();
        let expected = json(&read(texts.join("\n")));
        let answer = read(texts.join("\n"));
        let (by_hand, never) = counted(&values);
        prop_assert_eq!(counts(&answer), by_hand);
        let names = answer.never_shown.iter().map(NeverShown::to_value);
        let names = names.map(|event| {
            let [route, id] = ["route", "eventId"].map(|name| event[name].as_str().unwrap());
            format!("{route} {id}")
        });
        prop_assert_eq!(names.collect::<BTreeSet<String>>(), never);

        let repeated = texts.clone();
        texts.extend(repeated);
        texts.extend(others);
        if !texts.is_empty() {
            let length = texts.len();
            texts.rotate_left(order.index(length));
            texts[..order.index(length)].reverse();
        }
        // In two inputs instead of one.
        let (first, second) = texts.split_at(cut.index(texts.len() + 1));
        let mut history = History::default();
        for part in [first, second] {
            history.read(&mut part.join("\n").as_bytes()).unwrap();
        }
        let mut answer = json(&history.into_answer());
        prop_assert_eq!(&answer["linesRead"], &json!(2 * values.len()));
        answer["linesRead"] = values.len().into();
        answer["linesLeftOut"] = 0.into();
        prop_assert_eq!(answer, expected);
    }
}
