//! Measures what look-ups cost: the first one of an instance, a cached one, and the API alone; and
//! what a timer's tick costs.
//!
//! ```text
//! cargo bench --package benches --bench lookups    about half a minute after the build
//! ```
//!
//! Builds and starts the deployed binary. Group and API are stand-ins on loopback. Every process
//! serves deliveries without a role, then with one: the first of these asks the API, the others find
//! the answer in the cache. All have the same event but for its id. Prints medians in µs.

use benches::stats::summary;
use benches::work::{REBOOT, numbered};
use fake_aliyun::{Cloud, Identity, Instance as Machine, SystemEvent, authorize};
use fake_dingtalk::{Group, Robot};
use fake_fc::{Call, Caller, Instance};
use fake_http::http::Request;
use jiff::{SignedDuration, Timestamp};
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const ROUNDS: usize = 200;
/// Deliveries of each kind in one process: together a burst that the rate limit lets through.
const DELIVERIES: usize = 3;
const TOKEN: &str = "5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0";
const ACCOUNT: &str = "1690700000000030";
const REGION: &str = "cn-hangzhou";
const TICK: &str = r#"{"triggerTime":"NOW","triggerName":"tick","payload":"{\"task\":\"tick\"}"}"#;
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new("cargo")
        .args(["xtask", "package"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err("the package was not built".into());
    }
    let binary = root.join("target/package/bootstrap");
    let cloud = Cloud::start();
    let id = machine()?;
    let named = Machine::new(&id)
        .name("shop-web-01")
        .private(&["192.0.2.10"]);
    cloud.add_instance(
        ACCOUNT,
        REGION,
        named.tag("team", "shop").tag("env", "prod"),
    );
    let identity = cloud.role_identity(ACCOUNT);
    for (event, hours) in [("e-1", 30), ("e-2", 50), ("e-3", 70)] {
        let planned = SystemEvent::new(event, &id, "SystemMaintenance.Reboot");
        let start = Timestamp::now() + SignedDuration::from_hours(hours);
        cloud.add_event(ACCOUNT, REGION, planned.not_before(&start.to_string()));
    }

    let (mut without, mut first, mut cached, mut api) = (vec![], vec![], vec![], vec![]);
    let (mut idle, mut asking) = (vec![], vec![]);
    for round in 0..ROUNDS {
        let group = Group::start(vec![Robot::new(TOKEN)]);
        let start = |port: u16, (name, value): (&str, &str)| {
            let mut command = Command::new(&binary);
            command.env_clear().env("FC_SERVER_PORT", port.to_string());
            command.env("DINGTALK_WEBHOOK", group.webhook(TOKEN));
            command.env("RESOURCE_ENDPOINT", cloud.endpoint());
            command.env("RESOURCE_REGIONS", REGION).env(name, value);
            command
        };
        let other_time = (Timestamp::now() + SignedDuration::from_hours(12)).strftime("%H:%M");
        let digest = ("MESSAGE_DIGEST_AT", &*other_time.to_string());
        let instance = Instance::start_command(|port| start(port, digest));
        let mut caller = instance.caller();
        let mut deliver = |n: usize, identity: Option<&Identity>| {
            let call = invocation(&id, round * 100 + n, identity);
            let begun = Instant::now();
            let response = caller.call(&call);
            let took = begun.elapsed().as_secs_f64() * 1e6;
            assert_eq!(response.status, 200, "{:?}", response.json());
            took
        };
        // The first connects to the group.
        deliver(0, None);
        without.extend((1..DELIVERIES).map(|n| deliver(n, None)));
        first.push(deliver(DELIVERIES, Some(&identity)));
        cached.extend((DELIVERIES + 1..2 * DELIVERIES).map(|n| deliver(n, Some(&identity))));
        api.push(ask(&cloud, &identity, &id, round)?);

        let tick = |caller: &mut Caller| {
            let call = with_identity(Call::invoke(TICK.replace("NOW", &now())), Some(&identity));
            let begun = Instant::now();
            let response = caller.call(&call);
            let took = begun.elapsed().as_secs_f64() * 1e6;
            assert_eq!(response.body, b"{\"events\":[]}", "{:?}", response.json());
            took
        };
        idle.extend((0..DELIVERIES).map(|_| tick(&mut caller)));
        let remind = ("MESSAGE_REMIND_BEFORE", "1h");
        let reminding = Instance::start_command(|port| start(port, remind));
        let mut caller = reminding.caller();
        tick(&mut caller);
        asking.extend((1..DELIVERIES).map(|_| tick(&mut caller)));
    }
    assert_eq!(
        cloud.calls().len(),
        (2 + DELIVERIES) * ROUNDS,
        "one look-up a process, the API alone, and ticks that ask"
    );

    println!("| | median, µs |\n|---|---|");
    for (what, samples) in [
        ("warm delivery without a role", &without),
        ("with a role, the first look-up", &first),
        ("with a role, cached", &cached),
        ("the API alone, from a new connection to its answer", &api),
        ("a tick when nothing is due", &idle),
        ("a tick that asks for maintenance, and none is due", &asking),
    ] {
        let median = summary(samples).map_or(f64::NAN, |summary| summary.median);
        println!("| {what} | {median:.0} |");
    }
    Ok(())
}

/// The instance of the events.
fn machine() -> Result<String, Box<dyn Error>> {
    let event: serde_json::Value = serde_json::from_str(&numbered(REBOOT, 0))?;
    let subject = event["subject"].as_str().ok_or("no subject")?;
    Ok(subject.rsplit('/').next().unwrap_or_default().to_owned())
}

/// An event of the instance with the id `n`.
fn invocation(machine: &str, n: usize, identity: Option<&Identity>) -> Call {
    let of_its_own = format!("i-bp1{n:017}");
    let call = Call::invoke(numbered(REBOOT, n).replace(&of_its_own, machine));
    with_identity(call, identity)
}

fn now() -> String {
    Timestamp::now().to_string()
}

/// Brings an identity as Function Compute does.
fn with_identity(call: Call, identity: Option<&Identity>) -> Call {
    match identity {
        None => call,
        Some(identity) => call
            .header("x-fc-access-key-id", &identity.id)
            .header("x-fc-access-key-secret", &identity.secret)
            .header(
                "x-fc-security-token",
                identity.token.as_deref().unwrap_or_default(),
            ),
    }
}

/// Makes the same call as the function, by hand. Returns how long it took, in µs.
fn ask(cloud: &Cloud, identity: &Identity, id: &str, n: usize) -> Result<f64, Box<dyn Error>> {
    let address = cloud.endpoint().replace("http://", "");
    let query = format!("InstanceIds=%5B%22{id}%22%5D&MaxResults=100&RegionId={REGION}");
    let headers = [
        ("host", address.clone()),
        ("x-acs-action", "DescribeInstances".to_owned()),
        ("x-acs-version", "2014-05-26".to_owned()),
        (
            "x-acs-date",
            Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        ),
        ("x-acs-signature-nonce", format!("{n:032x}")),
        ("x-acs-content-sha256", EMPTY_SHA256.to_owned()),
        (
            "x-acs-security-token",
            identity.token.clone().unwrap_or_default(),
        ),
    ];
    let mut request = Request {
        method: "POST".into(),
        target: format!("/?{query}"),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
        body: Vec::new(),
    };
    let authorization = authorize(&request, &identity.id, &identity.secret);
    request
        .headers
        .push(("authorization".to_owned(), authorization));
    let mut text = format!("POST {} HTTP/1.1\r\n", request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("content-length: 0\r\n\r\n");

    let begun = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(text.as_bytes())?;
    let mut answer = vec![0; 64 * 1024];
    let read = stream.read(&mut answer)?;
    let took = begun.elapsed().as_secs_f64() * 1e6;
    let answer = String::from_utf8_lossy(&answer[..read]);
    match answer.starts_with("HTTP/1.1 200") {
        true => Ok(took),
        false => Err(answer.into_owned().into()),
    }
}
