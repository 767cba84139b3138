//! Whatever the API does, the message goes out in time, and one line says what to change.

use super::{ACCOUNT, REGION, Stage, add, outcomes, stalled, stopped};
use crate::platform::PATIENCE;
use fake_aliyun::{Cloud, Fault, Instance};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Processes that run at once. They wait most of the time.
const AT_ONCE: usize = 8;
/// How much longer than its second a look-up may take on a busy machine.
const SLACK: Duration = Duration::from_secs(6);

/// What the API does, and what must come of it.
struct Row {
    name: String,
    fault: Option<Fault>,
    /// Changes what the API knows or allows.
    change: fn(&Stage),
    lookup: &'static str,
    /// Texts in the line on stderr.
    said: Vec<String>,
    /// The next invocation, about another instance, asks nothing; `None` where that depends on the
    /// time of the day.
    remembered: Option<bool>,
}

fn row(name: &str, fault: Fault, lookup: &'static str, said: &[&str]) -> Row {
    Row {
        name: name.to_owned(),
        fault: Some(fault),
        change: |_| {},
        lookup,
        said: said.iter().map(|text| text.to_string()).collect(),
        remembered: Some(false),
    }
}

fn refusal(status: u16, code: &str, lookup: &'static str, remedy: &str) -> Row {
    let code = code.to_owned();
    let fault = Fault::Refuse {
        status,
        code: code.clone(),
    };
    row(&code, fault, lookup, &[&code, remedy])
}

/// Sends events to a process whose API fails, and checks what comes of it.
fn check(mut stage: Stage, row: &Row) {
    let name = &row.name;
    let ids = ["i-bp1a", "i-bp1b", "i-bp1c", "i-bp1d"];
    stage.add(ids);
    (row.change)(&stage);
    stage.cloud.set_standing_fault(row.fault.clone());

    // Several events, in one payload, of two kinds of resources.
    let events = [stopped(ids[0]), stopped(ids[1]), stalled("d-bp1a")];
    let begun = Instant::now();
    let answer = stage.invoke(&events).success();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1) + SLACK, "{name}: {took:?}");
    assert_eq!(outcomes(&answer), ["delivered"; 3], "{name}");
    let calls = stage.cloud.calls().len();
    let one = stage.invoke(&[stopped(ids[2])]).success();
    assert_eq!(outcomes(&one), ["delivered"], "{name}");
    let more_calls = stage.cloud.calls().len() - calls;
    for n in 0..4 {
        let line = stage.line(n);
        assert_eq!(line["lookup"], row.lookup, "{name}: {line}");
        assert_eq!(line["outcome"], "delivered", "{name}");
        assert!(line.get("resourceName").is_none(), "{name}: {line}");
    }
    let shown: Vec<String> = (stage.group.deliveries().iter())
        .map(|delivery| delivery.text.clone())
        .collect();
    assert_eq!(shown.len(), 2, "{name}");
    for id in [ids[0], ids[1], "d-bp1a"] {
        assert!(shown[0].contains(id), "{name}: {}", shown[0]);
    }
    assert!(shown[1].contains(ids[2]), "{name}: {}", shown[1]);
    if let Some(remembered) = row.remembered {
        let expected = if remembered { 0 } else { 1 };
        let is_asked = !stage.cloud.calls().is_empty();
        assert_eq!(more_calls, if is_asked { expected } else { 0 }, "{name}");
    }

    // One line for each invocation, and nothing in it that nobody may see.
    let complaints = stage.complaints();
    assert_eq!(complaints.len(), 2, "{name}: {complaints:?}");
    for line in &complaints {
        assert_eq!(line.matches("look-up").count(), 1, "{name}: {line}");
        assert!(!line.contains(ACCOUNT), "{name}: {line}");
    }
    for text in &row.said {
        assert!(complaints[1].contains(text), "{name}: {complaints:?}");
    }
}

fn check_all(rows: Vec<Row>) {
    for rows in rows.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            for row in rows {
                scope.spawn(move || check(Stage::new(&[]), row));
            }
        });
    }
}

#[test]
fn when_the_api_refuses_the_message_goes_out_without() {
    let permission = "allow the function's role ecs:DescribeInstances on all resources";
    let identity = "it does not know the function's identity";
    let changed = "something on the way changes requests";
    let clock = "set the clock right";
    let own = "nothing to change: the API has a failure of its own";
    let quota = "ask Quota Center for more calls of DescribeInstances";
    let other = "set RESOURCE_LOOKUP=off";
    let denied = |code| Row {
        remembered: Some(true),
        ..refusal(403, code, "denied", permission)
    };
    let throttled = |status, code| Row {
        // Until the next minute, which may have begun.
        remembered: None,
        ..refusal(status, code, "throttled", quota)
    };
    let mut rows = vec![
        denied("Forbidden.RAM"),
        denied("Forbidden.Unauthorized"),
        denied("NoPermission"),
        throttled(400, "Throttling"),
        throttled(403, "Throttling.User"),
        throttled(429, "Throttling.Api"),
        Row {
            remembered: Some(true),
            ..row(
                "a throttled call that says for how long",
                Fault::Throttled {
                    retry_after_ms: Some(60_000),
                },
                "throttled",
                &["Throttling.User", quota],
            )
        },
    ];
    for (status, code, lookup, remedy) in [
        (
            400,
            "InvalidSecurityToken.Expired",
            "expired",
            "the next invocation brings a new identity",
        ),
        (400, "InvalidSecurityToken.Malformed", "denied", identity),
        (
            403,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "denied",
            identity,
        ),
        (400, "MissingSecurityToken", "denied", identity),
        (404, "InvalidAccessKeyId.NotFound", "denied", identity),
        (400, "InvalidAccessKeyId.Inactive", "denied", identity),
        (400, "SignatureDoesNotMatch", "denied", changed),
        (403, "IncompleteSignature", "denied", changed),
        (400, "InvalidTimeStamp.Expired", "denied", clock),
        (400, "InvalidTimeStamp.Format", "denied", clock),
        (
            400,
            "SignatureNonceUsed",
            "denied",
            "the next call is signed anew",
        ),
        (404, "InvalidInstanceId.NotFound", "denied", other),
        (
            404,
            "InvalidRegionId.NotFound",
            "denied",
            "it does not know the event's region",
        ),
        (400, "MissingParameter", "denied", other),
        (403, "InvalidParameter", "denied", other),
        (400, "InvalidTagCount", "denied", other),
        (500, "InternalError", "unreachable", own),
        (503, "ServiceUnavailable", "unreachable", own),
    ] {
        rows.push(refusal(status, code, lookup, remedy));
    }
    check_all(rows);
}

/// As the API itself decides it, with the words that it knows.
#[test]
fn when_the_role_or_identity_is_not_enough_the_line_says_why() {
    let permission = "allow the function's role ecs:DescribeInstances on all resources";
    let state = |name: &str, change, lookup, said: &[&str]| Row {
        fault: None,
        change,
        ..row(name, Fault::Hang, lookup, said)
    };
    let deny = |stage: &Stage| {
        for action in ["ecs:DescribeInstances", "ecs:DescribeDisks"] {
            stage.cloud.deny(ACCOUNT, action);
        }
    };
    let deny_briefly = |stage: &Stage| {
        for action in ["ecs:DescribeInstances", "ecs:DescribeDisks"] {
            stage.cloud.deny(ACCOUNT, action);
        }
        stage.cloud.set_denial_detail(false);
    };
    let denied = |row: Row| Row {
        remembered: Some(true),
        ..row
    };
    let by_xml = Row {
        fault: Some(Fault::Xml),
        ..state("in XML", deny, "denied", &["Forbidden.RAM", permission])
    };
    let in_lower_case = Row {
        fault: Some(Fault::LowerCase),
        ..state("in lower case", deny, "denied", &[permission])
    };
    check_all(vec![
        denied(state(
            "without permission",
            deny,
            "denied",
            &["Forbidden.RAM", permission, "(ImplicitDeny)"],
        )),
        denied(state(
            "without a detail",
            deny_briefly,
            "denied",
            &["Forbidden.RAM", permission],
        )),
        denied(by_xml),
        denied(in_lower_case),
        state(
            "an identity that has ended",
            |stage| stage.cloud.expire(&stage.identity),
            "expired",
            &["InvalidSecurityToken.Expired"],
        ),
        state(
            "an identity that nobody knows",
            |stage| stage.cloud.forget(&stage.identity),
            "denied",
            &["InvalidAccessKeyId.NotFound"],
        ),
        state(
            "clocks that differ",
            |stage| stage.cloud.advance(Duration::from_secs(16 * 60)),
            "denied",
            &["InvalidTimeStamp.Expired", "set the clock right"],
        ),
    ]);
}

#[test]
fn when_no_answer_of_the_api_comes_the_message_goes_out_without() {
    let unreachable = |name: &str, fault, said: &[&str]| row(name, fault, "unreachable", said);
    let stranger = "what answered is not the API";
    let silent = "let the function reach the internet";
    let html = |status| Fault::Html { status };
    check_all(vec![
        unreachable("hang", Fault::Hang, &[silent, "DescribeInstances"]),
        unreachable("slow", Fault::Slow(Duration::from_secs(20)), &[silent]),
        unreachable("reset", Fault::Reset, &[silent]),
        unreachable("huge", Fault::Huge, &["RESOURCE_ENDPOINT"]),
        unreachable("garbage", Fault::Garbage, &["HTTP 200", stranger]),
        unreachable("half", Fault::HalfJson, &["HTTP 200", stranger]),
        unreachable("empty", Fault::Empty, &["HTTP 200", stranger]),
        unreachable("{}", Fault::EmptyObject, &["HTTP 200", stranger]),
        unreachable("a page", html(200), &["HTTP 200", stranger]),
        unreachable("a redirect", html(302), &["HTTP 302", stranger]),
        unreachable("a portal", html(403), &["HTTP 403", stranger]),
        unreachable("a gateway", html(502), &["HTTP 502", stranger]),
    ]);
}

#[test]
fn when_the_api_cannot_be_reached_the_message_goes_out_without() {
    // Nobody listens where somebody did.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let unknown = Cloud::start_tls().unwrap();
    let untrusted = unknown.endpoint();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let never_accepted = format!("http://{}", silent.local_addr().unwrap());
    std::thread::scope(|scope| {
        for (name, endpoint, cause) in [
            ("refused", refused.as_str(), "connect"),
            ("certificate", &untrusted, "certificate"),
            ("name", "https://ecs.{region}.invalid", "name"),
            ("silent", &never_accepted, "RESOURCE_ENDPOINT"),
        ] {
            scope.spawn(move || {
                let stage = Stage::with(Cloud::start(), endpoint, &[]);
                let said = [cause, "set RESOURCE_ENDPOINT"];
                check(stage, &row(name, Fault::Hang, "unreachable", &said));
            });
        }
    });
    assert!(unknown.calls().is_empty());
}

/// The look-up ends by itself, not because the API answers or the invocation's time is over.
#[test]
fn a_message_leaves_while_the_api_still_thinks() {
    // With little time, a quarter of it is enough.
    for timeout in ["60", "3"] {
        let stage = Stage::new(&[]);
        stage.cloud.set_standing_fault(Some(Fault::Hold));
        let call = stage.call(&[stopped("i-bp1a")]).timeout(timeout);
        let mut caller = stage.instance.caller();
        caller.send_call(&call);
        assert!(stage.cloud.wait_until_held(1, PATIENCE));
        let asked = Instant::now();
        assert_eq!(stage.group.wait_for_deliveries(1, PATIENCE).len(), 1);
        let waited = asked.elapsed();
        let most = if timeout == "60" { 1_000 } else { 500 };
        assert!(waited < Duration::from_millis(most) + SLACK, "{waited:?}");
        let answer = caller.receive().success();
        assert_eq!(outcomes(&answer), ["delivered"]);
        assert_eq!(stage.line(0)["lookup"], "unreachable");
        // The call is still held.
        assert!(stage.cloud.calls().is_empty());
    }
}

#[test]
fn when_the_call_of_another_hangs_who_waits_for_it_goes_out_too() {
    let mut stage = Stage::new(&[]);
    stage.cloud.set_standing_fault(Some(Fault::Hold));
    let mut callers = [(); 3].map(|()| stage.instance.caller());
    for (n, caller) in callers.iter_mut().enumerate() {
        // The same instance, and another one.
        let id = ["i-bp1a", "i-bp1a", "i-bp1b"][n];
        caller.send_call(&stage.call(&[stopped(id)]));
        assert!(stage.cloud.wait_until_held(1, PATIENCE));
    }
    for caller in &mut callers {
        assert_eq!(outcomes(&caller.receive().success()), ["delivered"]);
    }
    for n in 0..3 {
        assert_eq!(stage.line(n)["lookup"], "unreachable");
    }
    let complaints = stage.complaints();
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    for line in complaints {
        assert_eq!(line.matches("look-up").count(), 1, "{line}");
    }
}

/// A disk takes two calls. They share the second.
#[test]
fn when_the_second_call_fails_the_first_one_counts() {
    let mut stage = Stage::new(&[]);
    let disk = fake_aliyun::Disk::new("d-bp1a").name("data-01");
    let disk = disk.attached(&["i-bp1a"]);
    stage.cloud.add_disk(ACCOUNT, REGION, disk);
    stage.cloud.fault_on("DescribeInstances", Fault::Hang);
    let answer = stage.invoke(&[stalled("d-bp1a")]).success();
    assert_eq!(outcomes(&answer), ["delivered"]);
    assert_eq!(stage.line(0)["lookup"], "found");
    assert_eq!(stage.line(0)["resourceName"], "data-01");
    assert!(stage.group.deliveries()[0].text.contains("data-01"));
    let [line] = stage.complaints().try_into().unwrap();
    assert!(line.contains("DescribeInstances"), "{line}");
}

#[test]
fn a_slow_answer_in_time_is_used_and_nothing_is_said() {
    let mut stage = Stage::new(&[]);
    stage.add(["i-bp1a"]);
    stage.cloud.fault(Fault::Slow(Duration::from_millis(100)));
    stage.invoke(&[stopped("i-bp1a")]).success();
    assert_eq!(stage.line(0)["lookup"], "found");
    assert!(stage.complaints().is_empty());
}

/// Neither is a resource of another account or region. Nothing is wrong with that.
#[test]
fn what_the_api_does_not_know_is_absent_and_nothing_is_said() {
    let mut stage = Stage::new(&[]);
    add(&stage.cloud, "i-bp1a");
    stage
        .cloud
        .add_instance("1", REGION, Instance::new("i-bp1b"));
    for (n, (id, lookup, calls)) in [
        ("i-bp1b", "absent", 1),
        ("i-bp1b", "absent", 1),
        ("i-bp1a", "found", 2),
    ]
    .into_iter()
    .enumerate()
    {
        stage.invoke(&[stopped(id)]).success();
        assert_eq!(stage.cloud.calls().len(), calls);
        assert_eq!(stage.line(n)["lookup"], lookup);
    }
    assert!(stage.complaints().is_empty());
}
