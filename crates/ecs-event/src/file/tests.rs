use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Event number `n`, with quotes, brackets and letters of several bytes in its data.
fn event(n: usize) -> Value {
    json!({
        "id": format!("id-{n}"), "source": "acs.ecs", "specversion": "1.0",
        "type": "ecs:Instance:StateChange", "time": "2026-11-25T01:01:00Z",
        "data": {"resourceId": format!("i-bp1example{n:010}"), "state": "Stopped", "note": "\"店\" {<&>] 🚀 #"},
    })
}

fn text(n: usize) -> String {
    event(n).to_string()
}

fn record(payload: impl Into<Value>, error: Value) -> Value {
    json!({
        "timestamp": "2026-11-25T01:05:00Z",
        "requestContext": {"requestId": "1-6c", "functionArn": "acs:fc:cn-hangzhou:1:functions/other", "condition": "", "approximateInvokeCount": 4},
        "requestPayload": payload.into(),
        "responseContext": {"statusCode": 200, "functionError": error},
        "responsePayload": "{}",
    })
}

fn failed(payload: impl Into<Value>) -> Value {
    record(payload, json!("UnhandledInvocationError"))
}

/// A message of a queue as EventBridge passes it on.
fn queue_event(body: &str) -> Value {
    json!({
        "id": "1", "source": "example", "specversion": "1.0", "type": "mns:Queue:SendMessage",
        "data": {"requestId": "2", "messageId": "3", "messageBody": body},
    })
}

fn xml(bodies: &[String]) -> String {
    let message = |body| {
        format!(
            "  <Message>\n    <MessageId>1</MessageId>\n    <MessageBody>{body}</MessageBody>\n  </Message>\n"
        )
    };
    let messages: String = bodies.iter().map(message).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<Messages xmlns=\"http://mns.aliyuncs.com/doc/v1/\">\n{messages}</Messages>\n"
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn wrapped(text: &str, width: usize, end: &str) -> String {
    let digits = text.as_bytes().chunks(width);
    let lines = digits.map(|line| std::str::from_utf8(line).unwrap());
    lines.collect::<Vec<_>>().join(end)
}

/// What a file holds: the number of an event, or the place of something else.
#[derive(Debug, PartialEq)]
enum Found {
    Event(usize),
    LeftOut(String, LeftOutKind),
    Fault(String),
}
use Found::{Event, Fault};

fn found(file: impl AsRef<[u8]>) -> Vec<Found> {
    let parts = read_file(file.as_ref()).into_iter();
    let found = parts.map(|part| match &part.content {
        Content::Event { event, json } => {
            let number: usize = event.id.as_deref().unwrap()[3..].parse().unwrap();
            let source: Value = serde_json::from_str(json).unwrap();
            assert_eq!(source, self::event(number), "verbatim");
            Event(number)
        }
        Content::LeftOut(kind) => Found::LeftOut(part.place().to_string(), *kind),
        Content::Fault(_) => Fault(part.place().to_string()),
    });
    found.collect()
}

#[test]
fn every_shape_gives_its_events() {
    let list = json!([event(1), event(2)]);
    let lines = format!("{}\n\n{}\n", text(1), text(2));
    let pretty = format!("{:#}\n{:#}", event(1), event(2));
    for file in [
        list.to_string(),
        format!("{list:#}"),
        lines.replace('\n', "\r\n"),
        lines,
        pretty,
        format!("{}{}", text(1), text(2)),
        format!("{},\n{},", text(1), text(2)),
        format!("{}\n[{}]", text(1), text(2)),
        json!([text(1), base64(&text(2))]).to_string(),
        json!(list.to_string()).to_string(),
        failed(list.to_string()).to_string(),
        failed(list.clone()).to_string(),
        queue_event(&failed(list.to_string()).to_string()).to_string(),
        queue_event(&base64(&list.to_string())).to_string(),
        json!([[event(1)], [[event(2)]]]).to_string(),
        xml(&[base64(&text(1)), base64(&text(2))]),
        xml(&[escaped(&text(1)), format!("<![CDATA[{}]]>", text(2))]),
        xml(&[base64(&failed(text(1)).to_string()), escaped(&text(2))])
            .replace("<Mess", "<x:Mess")
            .replace("</Mess", "</x:Mess"),
        xml(&[base64(&list.to_string())]).replace('\n', ""),
        base64(&xml(&[base64(&text(1)), escaped(&text(2))])),
        format!(
            "{}\n{}",
            wrapped(&base64(&text(1)), 64, "\n"),
            wrapped(&base64(&text(2)), 64, "\n")
        ),
        json!({"Message": xml(&[base64(&list.to_string())]), "TopicOwner": "1"}).to_string(),
        base64(&lines_of(&[1, 2])),
        format!("{}\n{}\n", base64(&text(1)), base64(&text(2))),
        format!(
            "{}\r\n{}",
            STANDARD_NO_PAD.encode(text(1)),
            URL_SAFE_NO_PAD.encode(text(2))
        ),
        wrapped(&base64(&list.to_string()), 76, "\n"),
        wrapped(&base64(&list.to_string()), 70, "\r\n"),
        format!(
            "{}\n\n{}",
            wrapped(&base64(&text(1)), 64, "\n"),
            wrapped(&base64(&text(2)), 64, "\n")
        ),
    ] {
        assert_eq!(found(&file), [Event(1), Event(2)], "{file}");
        assert_eq!(found(format!("\u{feff}{file}")), [Event(1), Event(2)]);
        let units: Vec<u16> = file.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for file in [
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
            little,
            big,
        ] {
            assert_eq!(found(&file), [Event(1), Event(2)]);
        }
    }
}

fn lines_of(numbers: &[usize]) -> String {
    numbers.iter().map(|n| text(*n) + "\n").collect()
}

#[test]
fn wrapped_base64_that_ends_with_a_full_line_is_followed_by_the_next() {
    // 57 bytes are a line of 76 digits.
    let padded = |n| {
        let text = text(n);
        format!("{text}{}", " ".repeat(57 - text.len() % 57))
    };
    let lines = |n| wrapped(&base64(&padded(n)), 76, "\n");
    let file = format!("{}\n{}\n{}", lines(1), lines(2), base64(&text(3)));
    assert_eq!(found(file), [Event(1), Event(2), Event(3)]);
}

#[test]
fn one_file_may_hold_everything() {
    let file = format!(
        "{}\n{}{}\n{}\n{:#}\n{}",
        text(1),
        xml(&[base64(&text(2)), escaped(&text(3))]),
        base64(&text(4)),
        json!([event(5), 6]),
        event(7),
        wrapped(&base64(&text(8)), 60, "\n"),
    );
    let found = found(&file);
    let numbers: Vec<usize> = found
        .iter()
        .filter_map(|found| match found {
            Event(n) => Some(*n),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 7, 8]);
    assert!(found.contains(&Fault("line 14 $[1]".into())), "{found:?}");
}

#[test]
fn a_bad_part_has_its_place_and_stops_no_other() {
    for (file, expected) in [
        ("", vec![]),
        ("\u{feff} \r\n", vec![]),
        ("[]", vec![]),
        ("i-bp1example0000000001", vec![Fault("line 1".into())]),
        ("MessageId 1\nReceiptHandle 2", vec![Fault("line 1".into())]),
        ("null", vec![Fault("line 1".into())]),
        ("17", vec![Fault("line 1".into())]),
        ("]", vec![Fault("line 1".into())]),
        (
            "[1,{},[]]",
            vec![Fault("line 1 $[0]".into()), Fault("line 1 $[1]".into())],
        ),
    ] {
        assert_eq!(found(file), expected, "{file}");
    }
    let bad = |middle: &str| found(format!("{}\n{middle}\n{}", text(1), text(2)));
    for middle in [
        "{\"id\":\"cut",
        "{\"data\":",
        "{\"data\":[",
        "{\"a\" 1}",
        "{\"a\":1}}",
        "{\n  \"id\": 1,\n  \"data\": {\n    \"a\": \"b\n",
        "<Messages><Message><MessageBody>eyJ",
        "<Messages>\n  <Message>\n    <MessageId>1</Mess",
        "<html>",
        "<!DOCTYPE a><a/>",
        "nonsense",
        "eyJpZCI6IjEiLCJkYXRh",
        "eyJpZCI6IjEiLCJkYXRh\neyJpZCI6IjEiLCJkYXRh",
    ] {
        let found = bad(middle);
        assert_eq!(found[0], Event(1), "{middle}");
        assert_eq!(found.last(), Some(&Event(2)), "{middle}");
        assert_eq!(found[1], Fault("line 2".into()), "{middle}");
    }
}

#[test]
fn an_element_of_an_array_that_is_broken_stops_no_other() {
    let pretty = format!("{:#}", json!([event(1), event(2), event(3)]));
    let broken = pretty.replacen("\"id\": \"id-2\"", "\"id\": id-2", 1);
    let line = pretty
        .lines()
        .position(|line| line.contains("id-2"))
        .unwrap();
    let start = pretty
        .lines()
        .take(line)
        .filter(|line| *line == "  {")
        .count();
    assert_eq!(start, 2);
    let found = found(&broken);
    assert!(
        matches!(&found[..], [Event(1), Fault(_), Event(3)]),
        "{found:?}"
    );
}

/// Cut off anywhere, all that was whole before is there, and where it breaks off is named.
#[test]
fn what_is_cut_off_is_named_and_all_before_it_counts() {
    let all = [
        (lines_of(&[1, 2]), "}\n"),
        (json!([event(1), event(2)]).to_string(), "},{"),
        (xml(&[base64(&text(1)), base64(&text(2))]), "</MessageBody>"),
    ];
    for (file, end) in all {
        for cut in (1..file.len()).filter(|at| file.is_char_boundary(*at)) {
            let found = found(&file[..cut]);
            if cut > file.find(end).unwrap() + end.len() {
                assert_eq!(found[0], Event(1), "{}", &file[..cut]);
            }
            let is_whole = found.iter().all(|found| matches!(found, Event(_)));
            let (read, left) = file.split_at(cut);
            // Between two lines of JSON nothing is missing.
            let is_between =
                left.trim().is_empty() || found == [Event(1)] && read.ends_with(['}', '\n']);
            assert!(!is_whole || is_between, "{read}");
        }
    }
}

#[test]
fn successes_and_timers_are_left_out_with_their_place() {
    let timer =
        json!({"triggerTime": "2026-11-25T00:00:00Z", "triggerName": "tick", "payload": ""});
    let success = record(text(1), json!(""));
    let bus = json!({"id": "1", "source": "x", "specversion": "1.0", "type": "y", "data": success});
    let file = format!(
        "{timer}\n{success}\n{}\n{}\n{bus}\n{}",
        failed(timer.to_string()),
        queue_event(&success.to_string()),
        text(2),
    );
    let left_out = |place: &str, kind| Found::LeftOut(place.to_owned(), kind);
    let expected = [
        left_out("line 1", LeftOutKind::Timer),
        left_out("line 2", LeftOutKind::Success),
        left_out("line 3 $.requestPayload", LeftOutKind::Timer),
        left_out("line 4 $.data.messageBody", LeftOutKind::Success),
        left_out("line 5 $.data", LeftOutKind::Success),
        Event(2),
    ];
    assert_eq!(found(file), expected);
    // One that says nothing of an error is none.
    let mut unsure = record(text(1), json!(null));
    unsure["responseContext"]
        .as_object_mut()
        .unwrap()
        .remove("functionError");
    let mut not_reached = record(text(2), json!(""));
    not_reached["responseContext"]["statusCode"] = json!(500);
    assert_eq!(
        found(format!("{unsure}{not_reached}")),
        [Event(1), Event(2)]
    );
}

#[test]
fn base64_of_base64_has_an_end() {
    let mut file = text(1);
    for _ in 0..20 {
        // A quote makes each layer a text of its own.
        file = base64(&format!("\"{file}\""));
    }
    assert!(matches!(&found(&file)[..], [Fault(_)]));
}

proptest! {
    #[test]
    fn any_text_is_read_and_every_event_in_it_parses_alone(
        pieces in prop::collection::vec(
            prop_oneof![
                (0..9_usize).prop_map(text),
                (0..9_usize).prop_map(|n| format!("{:#}", event(n))),
                (0..9_usize).prop_map(|n| base64(&text(n))),
                (0..9_usize, 1..90_usize).prop_map(|(n, width)| wrapped(&base64(&text(n)), width, "\n")),
                (0..9_usize).prop_map(|n| xml(&[escaped(&text(n)), base64(&text(n))])),
                "[\\[\\]{}<>\",\\n\\\\ =a]{0,6}",
                "\\PC{0,12}",
                Just("<Message><MessageBody>".to_owned()),
                Just("\n".to_owned()),
            ],
            0..8,
        )
    ) {
        let file = pieces.concat();
        let parts = read_file(file.as_bytes());
        let mut line = 1;
        for part in parts {
            prop_assert!(part.line >= 1 && part.line <= file.lines().count().max(1));
            line = line.max(part.line);
            if let Content::Event { event, json } = part.content {
                prop_assert!(!json.contains('\n'));
                let again = crate::parse(json.as_bytes());
                prop_assert_eq!(&again.events[..], &[event][..]);
            }
        }
    }
}
