//! The calls of Function Compute and their responses.

use super::{Server, echo};
use fake_fc::Call;
use fc_runtime::{Context, Failure, Handler};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Fails its first initialization, panics in its second, succeeds from the third on.
#[derive(Default)]
struct Moody {
    initializations: AtomicUsize,
}

impl Handler for Moody {
    fn invoke(&self, event: &[u8], _: &Context) -> Result<Value, Failure> {
        match event {
            b"fail" => Err(Failure::new("InvalidEvent", "no event: fail")),
            b"fail in part" => {
                let outcome = json!({ "events": ["one"] });
                Err(Failure {
                    outcome: Some(outcome),
                    ..Failure::new(String::from("Throttled"), "later")
                })
            }
            b"panic" => panic!("the secret is SECRET"),
            _ => Ok(json!({ "events": [] })),
        }
    }

    fn initialize(&self, _: &Context) -> Result<(), Failure> {
        match self.initializations.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Failure::new(
                "InvalidConfiguration",
                "DINGTALK_WEBHOOK is missing",
            )),
            1 => panic!("the secret is SECRET"),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_success_is_200_in_status_and_header_with_the_value() {
    let server = Server::start(Moody::default());
    let response = server.caller().invoke("{}");
    assert_eq!(response.success(), json!({ "events": [] }));
}

#[test]
fn a_failure_is_404_in_status_and_header_with_the_error() {
    let server = Server::start(Moody::default());
    let mut caller = server.caller();
    let response = caller.invoke("fail");
    assert_eq!(response.failure(404), "InvalidEvent");
    let expected =
        json!({ "errorMessage": "no event: fail", "errorType": "InvalidEvent", "stackTrace": [] });
    assert_eq!(response.json(), expected);
    let response = caller.invoke("fail in part");
    assert_eq!(response.failure(404), "Throttled");
    assert_eq!(response.json()["outcome"], json!({ "events": ["one"] }));
    assert!(!response.closes());
}

#[test]
fn a_panic_fails_only_its_invocation_without_its_message() {
    let server = Server::start(Moody::default());
    let mut caller = server.caller();
    for _ in 0..3 {
        let response = caller.invoke("panic");
        assert_eq!(response.failure(404), "Panic");
        assert!(!String::from_utf8_lossy(&response.body).contains("SECRET"));
        caller.invoke("next").success();
    }
}

#[test]
fn initialize_answers_200_or_404_and_may_be_called_again() {
    let server = Server::start(Moody::default());
    let mut caller = server.caller();
    let call = Call::new("POST", "/initialize").header("x-fc-control-path", "/initialize");
    let response = caller.call(&call);
    assert_eq!(response.failure(404), "InvalidConfiguration");
    assert_eq!(
        response.json()["errorMessage"],
        "DINGTALK_WEBHOOK is missing"
    );
    let response = caller.call(&call);
    assert_eq!(response.failure(404), "Panic");
    assert!(!String::from_utf8_lossy(&response.body).contains("SECRET"));
    caller.call(&call).success();
    caller.call(&call).success();
}

#[test]
fn hooks_and_probes_answer_200() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    for (method, path) in [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/ready"),
        ("HEAD", "/ready"),
        ("GET", "/ready?probe=1"),
        ("GET", "http://127.0.0.1:9000/ready"),
        ("GET", "/pre-stop"),
        ("GET", "/pre-freeze"),
        ("POST", "/initialize"),
    ] {
        let response = caller.call(&Call::new(method, path));
        assert_eq!(
            (response.status, response.header("x-fc-status")),
            (200, Some("200")),
            "{method} {path}"
        );
    }
}

#[test]
fn unknown_paths_and_methods_never_reach_the_handler() {
    let server =
        Server::start(|_: &[u8], _: &Context| -> Result<Value, Failure> { unreachable!() });
    let mut caller = server.caller();
    for path in [
        "/nowhere",
        "/invoke/",
        "/INVOKE",
        "//invoke",
        "/http-invoke",
        "/2020/invoke",
    ] {
        let response = caller.call(
            &Call::new("POST", path)
                .header("x-fc-control-path", "/invoke")
                .body("{}"),
        );
        assert_eq!(response.failure(404), "NotFound");
        assert!(
            response.json()["errorMessage"]
                .as_str()
                .unwrap()
                .contains(path)
        );
    }
    for (method, path, allow) in [
        ("GET", "/invoke", "POST"),
        ("PUT", "/invoke", "POST"),
        ("post", "/invoke", "POST"),
        ("GET", "/initialize", "POST"),
        ("POST", "/pre-stop", "GET"),
        ("POST", "/pre-freeze", "GET"),
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/ready", "GET, HEAD"),
    ] {
        let response = caller.call(&Call::new(method, path));
        assert_eq!(response.failure(405), "MethodNotAllowed", "{method} {path}");
        assert_eq!(response.header("allow"), Some(allow));
        let message = response.json()["errorMessage"].to_string();
        assert!(message.contains("events go to POST /invoke"), "{message}");
    }
}

#[test]
fn any_content_type_and_control_path_is_accepted() {
    let server = Server::start(echo);
    let mut caller = server.caller();
    for content_type in [
        "application/octet-stream",
        "application/json",
        "text/plain; charset=gbk",
        "",
    ] {
        let call = Call::new("POST", "/invoke")
            .header("Content-Type", content_type)
            .body("event");
        assert_eq!(caller.call(&call).success()["event"], "event");
    }
    for control_path in ["/invoke", "/initialize", "/http-invoke", ""] {
        let call = Call::invoke("event").header("X-Fc-Control-Path", control_path);
        assert_eq!(caller.call(&call).success()["event"], "event");
    }
    assert_eq!(
        caller
            .call(&Call::new("POST", "/invoke").body("event"))
            .success()["event"],
        "event"
    );
}

#[test]
fn the_handler_gets_the_event_verbatim() {
    let server = Server::start(|event: &[u8], _: &Context| Ok(json!(event)));
    let mut caller = server.caller();
    for event in [
        b"\xef\xbb\xbf{}\n".as_slice(),
        b"",
        b"\0\xff\r\n\r\n",
        b"0\r\n\r\n",
    ] {
        assert_eq!(caller.invoke(event).success(), json!(event));
        assert_eq!(
            caller.call(&Call::invoke(event).chunked(2)).success(),
            json!(event)
        );
    }
}

fn describe(_: &[u8], context: &Context) -> Result<Value, Failure> {
    Ok(json!({
        "id": context.request_id,
        "timeout": context.timeout.as_millis() as u64,
        "left": context.remaining(Instant::now()).as_millis() as u64,
        "function": context.function_name,
        "region": context.region,
        "account": context.account_id,
        "qualifier": context.qualifier,
        "retries": context.retry_count,
        "token": context.credentials.as_ref().map(|own| own.security_token()),
        "debug": format!("{context:?}"),
    }))
}

#[test]
fn the_context_has_the_headers_and_hides_credentials() {
    let server = Server::start(describe);
    let call = Call::invoke("")
        .request_id("1-67a59f35-150c1267-f381ba1c085c")
        .timeout("3")
        .header("X-FC-Function-Name", "notifier")
        .header("x-fc-region", "cn-hangzhou")
        .header("x-fc-account-id", "1000000000000000")
        .header("x-fc-qualifier", "LATEST")
        .header("x-fc-retry-count", "2")
        .header("x-fc-access-key-id", "SECRET-1")
        .header("x-fc-access-key-secret", "SECRET-2")
        .header("x-fc-security-token", "SECRET-3");
    let context = server.caller().call(&call).success();
    assert_eq!(context["id"], "1-67a59f35-150c1267-f381ba1c085c");
    assert_eq!(context["timeout"], 3000);
    assert!(
        (1000..=2000).contains(&context["left"].as_u64().unwrap()),
        "{context}"
    );
    assert_eq!(context["function"], "notifier");
    assert_eq!(
        (&context["region"], &context["account"]),
        (&json!("cn-hangzhou"), &json!("1000000000000000"))
    );
    assert_eq!(
        (&context["qualifier"], &context["retries"]),
        (&json!("LATEST"), &json!(2))
    );
    assert_eq!(context["token"], "SECRET-3");
    assert!(
        !context["debug"].as_str().unwrap().contains("SECRET"),
        "{context}"
    );
}

#[test]
fn headers_may_be_absent_or_empty() {
    let server = Server::start(describe);
    let mut caller = server.caller();
    for call in [Call::invoke(""), Call::invoke("").empty_headers()] {
        let context = caller.call(&call).success();
        assert_eq!(
            (&context["id"], &context["timeout"]),
            (&json!(""), &json!(60_000))
        );
        for field in [
            "function",
            "region",
            "account",
            "qualifier",
            "retries",
            "token",
        ] {
            assert_eq!(context[field], Value::Null);
        }
    }
}

#[test]
fn the_deadline_counts_from_the_requests_first_byte() {
    let server = Server::start(describe);
    let mut caller = server.caller();
    let bytes = Call::invoke("x").timeout("3").encode();
    let begun = Instant::now();
    caller.send(&bytes[..1]);
    std::thread::sleep(Duration::from_millis(300));
    caller.send(&bytes[1..]);
    let left = caller.receive().success()["left"].as_u64().unwrap();
    assert!(
        left <= 1_750,
        "{left} ms left {:?} after the first byte",
        begun.elapsed()
    );
}
