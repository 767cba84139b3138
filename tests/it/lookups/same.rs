//! The same event is the same message, whatever was found out about its resource.

use super::{add, bench, handle, stopped};
use crate::support::group;
use ecs_dingtalk_notifier::event;
use fake_aliyun::{Cloud, Fault};
use fake_dingtalk::Group;
use serde_json::{Value, json};

/// The event as it is, and without an id.
fn events() -> [Value; 2] {
    let event = stopped("i-bp1a");
    let mut nameless = event.clone();
    nameless.as_object_mut().unwrap().remove("id");
    [event, nameless]
}

/// The group that got an event, and its log line.
fn send(event: &Value, look_up: bool) -> (Group, Value) {
    let (group, cloud) = (group(), Cloud::start());
    add(&cloud, "i-bp1a");
    let mut bench = bench(&group, &cloud, &[]);
    bench.credentials = bench.credentials.filter(|_| look_up);
    let [line] = handle(&bench, std::slice::from_ref(event))
        .try_into()
        .unwrap();
    assert_eq!(line.get("lookup").is_some(), look_up);
    assert_eq!(!cloud.calls().is_empty(), look_up);
    (group, line)
}

#[test]
fn the_key_of_a_message_does_not_depend_on_the_look_up() {
    for event in events() {
        let (group, line) = send(&event, true);
        let (bare_group, bare_line) = send(&event, false);
        let [message, bare] = [&group, &bare_group].map(|group| group.deliveries().remove(0));
        assert!(message.text.contains("name-of-i-bp1a"), "{}", message.text);
        assert!(!bare.text.contains("name-of-"), "{}", bare.text);
        assert_eq!(message.msg_uuid, bare.msg_uuid);
        assert!(message.msg_uuid.is_some());
        assert_eq!(line["eventId"], bare_line["eventId"]);
        assert_eq!(line["messageUuid"], bare_line["messageUuid"]);
    }
}

#[test]
fn a_repeat_is_a_duplicate_however_its_look_up_ends() {
    for event in events() {
        let (group, cloud) = (group(), Cloud::start());
        add(&cloud, "i-bp1a");
        let mut bench = bench(&group, &cloud, &[]);
        let credentials = bench.credentials.take();
        let events = [event];
        assert_eq!(handle(&bench, &events)[0]["outcome"], "delivered");
        bench.credentials = credentials;
        cloud.fault(Fault::InternalError);
        for (lookup, calls) in [("unreachable", 1), ("found", 2), ("cached", 2)] {
            let line = handle(&bench, &events).remove(0);
            assert_eq!(
                (&line["outcome"], &line["lookup"]),
                (&json!("duplicate"), &json!(lookup))
            );
            assert_eq!(cloud.calls().len(), calls);
        }
        assert_eq!(group.calls().len(), 1);
    }
}

/// As the answer and the log know it.
#[test]
fn an_event_without_an_id_keeps_the_one_that_is_made_of_it() {
    let [_, nameless] = events();
    let parsed = event::parse(nameless.to_string().as_bytes())
        .events
        .remove(0);
    for look_up in [true, false] {
        let (_, line) = send(&nameless, look_up);
        assert_eq!(line["eventId"], *parsed.display_id());
    }
}
