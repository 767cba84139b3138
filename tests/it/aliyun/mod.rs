//! Calls of the ECS and STS API, against a stand-in that verifies signatures on its own.

mod failures;
mod lookups;
mod system_events;

use ecs_dingtalk_notifier::aliyun::{Api, Credentials, Endpoint, Source};
use ecs_dingtalk_notifier::clock::{Clock, ManualClock};
use ecs_dingtalk_notifier::http::{Client, HttpConfig, RootCertificates};
use fake_aliyun::{Cloud, Identity};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ACCOUNT: &str = "1234567890123456";
const OTHER_ACCOUNT: &str = "6543210987654321";
const REGION: &str = "cn-hangzhou";
const ROLE: &str = "acs:ram::6543210987654321:role/ecs-notifier-read";

/// Longer than any answer takes that comes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client, its clock, and the cloud that it calls.
struct Bench {
    api: Api,
    clock: Arc<ManualClock>,
    cloud: Cloud,
    identity: Identity,
    credentials: Credentials,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(Cloud::start())
    }

    fn with(cloud: Cloud) -> Bench {
        let root_certificates = cloud
            .ca_pem()
            .map(|pem| RootCertificates::from_pem(pem.as_bytes()).unwrap());
        let http = HttpConfig {
            root_certificates,
            ..HttpConfig::default()
        };
        let clock = ManualClock::running();
        let endpoint = Endpoint::parse(&cloud.endpoint()).unwrap();
        let api = Api::new(
            Arc::new(Client::new(clock.clone(), http)),
            clock.clone(),
            endpoint.clone(),
            endpoint,
        );
        let identity = cloud.role_identity(ACCOUNT);
        let credentials = temporary(&identity);
        Bench {
            api,
            clock,
            cloud,
            identity,
            credentials,
        }
    }

    fn deadline(&self) -> Instant {
        self.clock.now() + PATIENCE
    }
}

/// Returns the identity as an invocation brings it.
fn temporary(identity: &Identity) -> Credentials {
    let token = identity.token.as_deref().unwrap();
    Credentials::temporary(&identity.id, &identity.secret, token, Source::Invocation).unwrap()
}

/// Returns the identity as the environment holds it.
fn from_environment(identity: &Identity) -> Credentials {
    let lookup = |name: &str| match name {
        "ALIBABA_CLOUD_ACCESS_KEY_ID" => Some(identity.id.clone()),
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET" => Some(identity.secret.clone()),
        "ALIBABA_CLOUD_SECURITY_TOKEN" => identity.token.clone(),
        _ => None,
    };
    Credentials::from_environment(lookup).unwrap()
}
