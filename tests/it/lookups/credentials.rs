//! With whose identity it asks: that of the invocation, else that of the environment, never a
//! mixture, and without either nothing.

use super::{Stage, brought, stopped};
use crate::platform::Call;
use fake_aliyun::{Cloud, Identity};
use serde_json::{Value, json};

const ID: &str = "i-bp1a";
const VARIABLES: [&str; 3] = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
];

fn parts(identity: &Identity) -> [&str; 3] {
    let token = identity.token.as_deref().unwrap_or_default();
    [&identity.id, &identity.secret, token]
}

/// A process with this identity in its environment.
fn with_environment(make: impl Fn(&Cloud) -> Identity) -> (Stage, Identity) {
    let cloud = Cloud::start();
    let identity = make(&cloud);
    let endpoint = cloud.endpoint();
    let vars: Vec<_> = VARIABLES.into_iter().zip(parts(&identity)).collect();
    let stage = Stage::with(cloud, &endpoint, &vars);
    stage.add([ID]);
    (stage, identity)
}

fn role(cloud: &Cloud) -> Identity {
    cloud.role_identity(super::ACCOUNT)
}

fn invoke(stage: &Stage, headers: impl Fn(Call) -> Call) -> Value {
    let call = headers(Call::invoke(json!([stopped(ID)]).to_string()));
    stage.instance.caller().call(&call).success()
}

/// The ids of the identities that called.
fn callers(stage: &Stage) -> Vec<String> {
    let calls = stage.cloud.calls();
    for call in &calls {
        assert_eq!(call.status, 200, "{call:?}");
    }
    let authorization = |call: &fake_aliyun::Call| call.header("authorization").unwrap().to_owned();
    let id = |text: String| {
        let (_, rest) = text.split_once("Credential=").unwrap();
        rest.split(',').next().unwrap().to_owned()
    };
    calls.iter().map(authorization).map(id).collect()
}

#[test]
fn the_identity_of_the_invocation_comes_first() {
    let (mut stage, environment) = with_environment(role);
    invoke(&stage, |call| brought(call, &stage.identity));
    assert_eq!(stage.line(0)["lookup"], "found");
    assert_eq!(callers(&stage), [stage.identity.id.clone()]);
    assert_ne!(stage.identity.id, environment.id);
    assert!(stage.complaints().is_empty());
}

#[test]
fn each_invocation_asks_with_its_own_identity() {
    let stage = Stage::new(&[]);
    stage.add([ID, "i-bp1b"]);
    let later = role(&stage.cloud);
    invoke(&stage, |call| brought(call, &stage.identity));
    stage.cloud.expire(&stage.identity);
    let call = brought(Call::invoke(stopped("i-bp1b").to_string()), &later);
    stage.instance.caller().call(&call).success();
    assert_eq!(stage.line(1)["lookup"], "found");
    assert_eq!(callers(&stage), [stage.identity.id.clone(), later.id]);
}

#[test]
fn when_headers_are_missing_the_environment_serves() {
    let key = |cloud: &Cloud| cloud.key(super::ACCOUNT);
    for make in [role as fn(&Cloud) -> Identity, key] {
        let (stage, environment) = with_environment(make);
        invoke(&stage, |call| call);
        assert_eq!(stage.line(0)["lookup"], "found");
        assert_eq!(callers(&stage), [environment.id]);
    }
}

/// As a local emulator sends them, or with one part missing or broken.
#[test]
fn an_incomplete_identity_is_not_completed() {
    let (stage, environment) = with_environment(role);
    let other = role(&stage.cloud);
    let [id, secret, token] = parts(&other);
    let headers: [&dyn Fn(Call) -> Call; 6] = [
        &|call| call.empty_headers(),
        &|call| call.identity(id, secret, ""),
        &|call| call.identity(id, "", token),
        &|call| call.identity("", secret, token),
        &|call| call.header("x-fc-access-key-id", id),
        &|call| call.header("x-fc-security-token", token),
    ];
    for (n, headers) in headers.iter().enumerate() {
        // Each about an instance of its own.
        let instance = format!("i-bp1n{n}");
        stage.add([instance.as_str()]);
        let call = headers(Call::invoke(stopped(&instance).to_string()));
        stage.instance.caller().call(&call).success();
        assert_eq!(stage.line(n)["lookup"], "found");
    }
    assert_eq!(callers(&stage), vec![environment.id; 6]);
}

#[test]
fn without_an_identity_nothing_is_asked_and_nothing_said() {
    let some = "LTAI5tFakeKeyIdOnly";
    for vars in [
        &[][..],
        &[(VARIABLES[0], some)],
        &[(VARIABLES[1], "fAkEsEcReTwItHoUtId")],
        &[(VARIABLES[0], some), (VARIABLES[1], " ")],
        &[(VARIABLES[2], "CAISfakeTokenAlone")],
    ] {
        let mut stage = Stage::new(vars);
        stage.add([ID]);
        invoke(&stage, |call| call);
        invoke(&stage, Call::empty_headers);
        let [id, secret, _] = parts(&stage.identity);
        invoke(&stage, |call| call.identity(id, secret, ""));
        for n in 0..3 {
            assert_eq!(stage.line(n)["outcome"], "delivered");
            assert!(stage.line(n).get("lookup").is_none(), "{vars:?}");
        }
        assert!(stage.cloud.calls().is_empty(), "{vars:?}");
        assert!(stage.complaints().is_empty());
    }
}

#[test]
fn when_look_ups_are_off_nothing_is_asked() {
    let mut stage = Stage::new(&[("RESOURCE_LOOKUP", "off")]);
    stage.add([ID]);
    invoke(&stage, |call| brought(call, &stage.identity));
    assert!(stage.line(0).get("lookup").is_none());
    assert!(stage.line(0).get("resourceName").is_none());
    assert!(stage.cloud.calls().is_empty());
    assert!(stage.complaints().is_empty());
}

/// Hooks have no events. They must not ask with an identity that comes with them.
#[test]
fn hooks_ask_nothing() {
    let (stage, _) = with_environment(role);
    for (method, hook) in [("POST", "/initialize"), ("GET", "/pre-stop")] {
        let call = brought(Call::new(method, hook), &stage.identity);
        assert_eq!(stage.instance.caller().call(&call).status, 200);
    }
    assert!(stage.cloud.calls().is_empty());
}
