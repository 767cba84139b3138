//! Queued and standing faults.

use super::{TOKEN, group_with, markdown, post, request};
use fake_dingtalk::{Close, Fault, Group, Robot};
use serde_json::json;

#[test]
fn each_queued_fault_applies_to_one_call() {
    let group = group_with(Robot::new(TOKEN));
    group.faults([
        Fault::Status {
            code: 502,
            body: "bad".into(),
            headers: vec![],
        },
        Fault::Redirect {
            code: 302,
            to_other_host: true,
        },
        Fault::TooManyRequests {
            retry_after: Some("9".into()),
        },
        Fault::Flood1111,
        Fault::CloseBeforeReading,
    ]);
    let send = format!("/robot/send?access_token={TOKEN}");
    let ask = || {
        request(
            &group,
            "POST",
            &send,
            "application/json",
            &markdown().to_string(),
        )
    };
    assert_eq!(ask(), (502, "bad".into()));
    assert_eq!(ask().0, 302);
    assert_eq!(ask().0, 429);
    assert!(ask().1.contains("1111"));
    assert_eq!(ask().0, 0, "closed without an answer");
    assert_eq!(ask().0, 200);
    assert_eq!((group.calls().len(), group.deliveries().len()), (5, 1));
    assert_eq!(group.calls()[0].query, "access_token=***");
    group.close_idle(Close::Fin);
    group.clear();
    assert!(group.calls().is_empty());
}

#[test]
fn a_standing_fault_applies_to_all_calls_to_its_chatbot() {
    let group = Group::start(vec![Robot::new(TOKEN), Robot::new("another")]);
    group.set_standing_fault(TOKEN, Some(Fault::EmptyObject));
    group.fault(Fault::StringZero);
    assert_eq!(post(&group, "", &markdown())["errcode"], "0");
    for _ in 0..2 {
        assert_eq!(post(&group, "", &markdown()), json!({}));
    }
    let (_, other) = request(
        &group,
        "POST",
        "/robot/send?access_token=another",
        "application/json",
        &markdown().to_string(),
    );
    assert_eq!(other, r#"{"errcode":0,"errmsg":"ok"}"#);
    group.set_standing_fault(TOKEN, None);
    assert_eq!(post(&group, "", &markdown())["errcode"], 0);
    assert_eq!(group.deliveries().len(), 3);
}
