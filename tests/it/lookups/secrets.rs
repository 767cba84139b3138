//! Identities are shown nowhere, and the watch for secrets would see them.

use super::{ACCOUNT, Stage, bench, brought, stopped};
use crate::platform::{Call, Instance, PATIENCE};
use crate::support::{Bench, TOKEN, group};
use ecs_dingtalk_notifier::aliyun::Credentials;
use ecs_dingtalk_notifier::event::Event;
use ecs_dingtalk_notifier::inventory::{
    Directory, Inventory, MaintenanceError, Place, Refusal, Resource,
};
use ecs_dingtalk_notifier::notifier::Notifier;
use fake_aliyun::{Cloud, Fault, Identity};
use fake_dingtalk::Fault as ChatFault;
use fc_runtime::Context;
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

const ID: &str = "i-bp1a";

/// A request's id is shown in the log. Here it is a part of an identity.
#[test]
fn the_watch_sees_a_shown_identity() {
    let cloud = Cloud::start();
    let [in_header, in_variable] = [(); 2].map(|()| cloud.role_identity(ACCOUNT));
    for identity in [&in_header, &in_variable] {
        let token = identity.token.as_deref().unwrap();
        for (name, part, shown) in [
            ("ID", &identity.id, identity.id.as_str()),
            ("SECRET", &identity.secret, &identity.secret[4..20]),
            ("TOKEN", &token.to_owned(), &token[100..120]),
        ] {
            let group = group();
            let webhook = group.webhook(TOKEN);
            let mut vars = vec![("DINGTALK_WEBHOOK", webhook.as_str())];
            let mut call = Call::invoke(stopped(ID).to_string()).request_id(shown);
            if identity == &in_header {
                call = match name {
                    "ID" => call.identity(part, "", ""),
                    "SECRET" => call.identity("", part, ""),
                    _ => call.identity("", "", part),
                };
            } else {
                vars.push(match name {
                    "ID" => ("ALIBABA_CLOUD_ACCESS_KEY_ID", part),
                    "SECRET" => ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", part),
                    _ => ("ALIBABA_CLOUD_SECURITY_TOKEN", part),
                });
            }
            let instance = Instance::start(&vars);
            instance.caller().call(&call);
            instance.wait_for_stdout_line(0, PATIENCE);
            let watch = AssertUnwindSafe(|| drop(instance));
            assert!(catch_unwind(watch).is_err(), "{name} was not seen");
        }
    }
}

/// The watch over each process would see it.
#[test]
fn failed_invocations_show_no_identity() {
    let cloud = Cloud::start();
    let environment = cloud.role_identity(ACCOUNT);
    let token = environment.token.clone().unwrap();
    let endpoint = cloud.endpoint();
    let vars = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", environment.id.as_str()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", &environment.secret),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", &token),
    ];
    let stage = Stage::with(cloud, &endpoint, &vars);
    let bring = |call: Call| {
        stage
            .instance
            .caller()
            .call(&brought(call, &stage.identity))
    };
    for payload in [
        json!(7),
        json!([{}, stopped(ID)]),
        json!({"id": stage.identity.token}),
    ] {
        let answer = bring(Call::invoke(payload.to_string()));
        assert_eq!(answer.failure(404), "InvalidEvent");
    }
    // The API quotes what was signed, token included, where the secret is wrong.
    let wrong_secret = Identity {
        secret: "a-wrong-secret-of-this-test".into(),
        ..stage.identity.clone()
    };
    let identities = [Some(&wrong_secret), Some(&stage.identity), None];
    let faults = [None, Some(Fault::Hang), Some(Fault::Reset)];
    for (n, (identity, fault)) in identities.into_iter().zip(faults).enumerate() {
        fault.into_iter().for_each(|fault| stage.cloud.fault(fault));
        let refusal = r#"{"errcode":310000,"errmsg":"x"}"#;
        stage.group.fault(ChatFault::Answer(refusal.into()));
        let call = Call::invoke(stopped(&format!("i-bp1n{n}")).to_string());
        let call = match identity {
            Some(identity) => brought(call, identity),
            None => call,
        };
        let answer = stage.instance.caller().call(&call);
        assert_eq!(answer.failure(404), "Refused");
        stage
            .instance
            .wait_for_stderr("look-up: DescribeInstances: ");
    }
    let codes = stage.cloud.calls().into_iter().map(|call| call.code);
    let codes: Vec<String> = codes.flatten().collect();
    assert_eq!(codes, ["SignatureDoesNotMatch"]);
    assert!(!bring(Call::new("GET", "/invoke")).failure(405).is_empty());
    let wrong = Instance::start(&[("DINGTALK_WEBHOOK", "nonsense"), vars[0], vars[1], vars[2]]);
    let call = brought(Call::invoke(stopped(ID).to_string()), &stage.identity);
    let answer = wrong.caller().call(&call);
    assert_eq!(answer.failure(404), "InvalidConfiguration");
}

/// Panics with all that it was given.
struct Panicking;

impl Inventory for Panicking {
    fn resources(
        &self,
        place: &Place,
        ids: &[String],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Resource>, Refusal> {
        panic!("{place:?}, {ids:?}, {credentials:?}, {deadline:?}");
    }

    fn maintenance(
        &self,
        _region: &str,
        _credentials: &Credentials,
        _deadline: Instant,
    ) -> Result<Vec<Event>, MaintenanceError> {
        unreachable!("nobody asks for maintenance")
    }
}

#[test]
fn a_panic_shows_no_identity() {
    let (group, cloud) = (group(), Cloud::start());
    let Bench {
        notifier,
        clock,
        credentials,
        ..
    } = bench(&group, &cloud, &[]);
    let notifier = Notifier {
        directory: Some(Directory::new(Box::new(Panicking), clock, false)),
        ..notifier
    };
    let mut context = Context::for_command(Duration::from_secs(60));
    context.credentials = credentials.clone();
    let payload = stopped(ID).to_string();
    let result = catch_unwind(AssertUnwindSafe(|| {
        notifier.handle(payload.as_bytes(), &context)
    }));
    let panic = result.unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains(ID) && said.contains("Credentials"), "{said}");
    let all = format!("{said} {context:?}");
    let own = credentials.unwrap();
    for part in [
        own.access_key_id(),
        own.access_key_secret(),
        own.security_token(),
    ] {
        assert!(!all.contains(&part[..12]), "{all}");
    }
}
