//! The whole thing on one machine, with nothing installed and no account: a stand-in for a DingTalk
//! group and the function, both on loopback. Sample events go through `POST /invoke` as Function
//! Compute would send them; the terminal shows what each invocation answered and what the group got.
//!
//! ```text
//! cargo run --example playground            # stays up for curl until Ctrl-C
//! cargo run --example playground -- --once  # ends by itself; exit code 0 if all was delivered
//! ```
//!
//! `EVENT_*` and `MESSAGE_*` of the environment are honoured: `MESSAGE_LANGUAGE=en cargo run --example playground`.

use dingtalk_group::{Group, Robot};
use ecs_dingtalk_notifier::clock::SystemClock;
use ecs_dingtalk_notifier::config::Config;
use ecs_dingtalk_notifier::courier::Courier;
use ecs_dingtalk_notifier::dingtalk::{Client, Options};
use ecs_dingtalk_notifier::fc;
use ecs_dingtalk_notifier::log::Log;
use ecs_dingtalk_notifier::notifier::{Function, Notifier};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const TOKEN: &str = "playground0000000000000000000000000000000000000000000000000000f00d";
const SECRET: &str = "SECplayground000000000000000000000000000000000000000000000000000";

/// What is sent, in this order. Paths are those of this repository, so that they can be pasted.
const SAMPLES: [&str; 6] = [
    "tests/events/eventbridge/Instance-StateChange-Stopped.json",
    "tests/events/eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json",
    "tests/events/eventbridge/Instance-SystemFailure.Reboot-Executing.json",
    "tests/events/eventbridge/Instance-PreemptibleInstanceInterruption.json",
    "tests/events/eventbridge/Disk-Stalled-Executed.json",
    "tests/events/eventbridge/Instance-StateChange-Running.json",
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let once = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--once") => true,
        Some(other) => return Err(format!("unknown option {other:?}; there is only --once").into()),
    };

    let group = Group::builder()
        .robot(Robot::new(TOKEN).secret(SECRET).keyword("CloudMonitor"))
        .start()?;
    let function = function(&group.webhook(TOKEN))?;
    // 9000 as on the platform, or any free port where that one is taken.
    let listener =
        TcpListener::bind("127.0.0.1:9000").or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let shutdown = fc::Shutdown::new();
    let server = std::thread::spawn({
        let shutdown = shutdown.clone();
        move || {
            fc::serve(
                listener,
                Arc::new(function),
                shutdown,
                fc::Limits::default(),
            )
        }
    });
    println!("A DingTalk group stands on   {}", group.addr());
    println!("The function listens on      http://{address}/invoke");

    let mut all_delivered = true;
    let mut shown = 0;
    for sample in SAMPLES {
        heading(sample);
        let answer = invoke(&format!("http://{address}/invoke"), &payload(sample)?)?;
        println!("the invocation answered  {answer}");
        all_delivered &= answer.starts_with("HTTP 200");
        shown = show(&group, shown);
    }

    if !once {
        heading("Your turn (Ctrl-C ends it)");
        println!(
            "curl -s http://{address}/invoke --data-binary @{}",
            SAMPLES[1]
        );
        println!(
            "curl -s http://{address}/invoke --data-binary @tests/events/cloudmonitor/Disk-Stalled-Executing.json"
        );
        println!("curl -s http://{address}/invoke -d '{{\"no\": \"event\"}}'");
        loop {
            group.wait_for_deliveries(shown + 1, Duration::from_secs(3600));
            shown = show(&group, shown);
        }
    }
    shutdown.request();
    let _ = server.join();
    Ok(if all_delivered {
        println!(
            "\nAll {} invocations succeeded; the group got {shown} messages.",
            SAMPLES.len()
        );
        ExitCode::SUCCESS
    } else {
        println!("\nNot every invocation succeeded.");
        ExitCode::FAILURE
    })
}

/// The function, configured for the stand-in's chatbot.
fn function(webhook: &str) -> Result<Function, Box<dyn Error>> {
    let mut vars = BTreeMap::from(
        [
            ("DINGTALK_WEBHOOK", webhook),
            ("DINGTALK_SECRET", SECRET),
            ("EVENT_INCLUDE", "Instance:StateChange:Stopped"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    vars.extend(
        std::env::vars()
            .filter(|(name, _)| name.starts_with("EVENT_") || name.starts_with("MESSAGE_")),
    );
    let config = Config::from_vars(vars).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        faults.join("\n")
    })?;
    let clock = Arc::new(SystemClock);
    let client = Client::new(clock.clone(), Options::default())?;
    let courier = Courier::new(&config.routes, client, clock.clone());
    Ok(Function::Ready(Box::new(Notifier::new(
        config,
        courier,
        clock,
        Log::stdout(),
    ))))
}

/// A sample, its planned time moved to two and a half days from now, so that there is a countdown to see.
fn payload(sample: &str) -> Result<String, Box<dyn Error>> {
    let path = format!("{}/{sample}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let planned = SystemTime::now() + Duration::from_secs(62 * 3600 + 30);
    let planned = jiff::Timestamp::try_from(planned)?.strftime("%Y-%m-%dT%H:%M:%SZ");
    Ok(text.replace("2019-04-12T01:01:01Z", &planned.to_string()))
}

/// Posts an event as the platform does, and tells status and body.
fn invoke(url: &str, event: &str) -> Result<String, Box<dyn Error>> {
    let mut answer = ureq::post(url)
        .config()
        .http_status_as_error(false)
        .build()
        .header("content-type", "application/octet-stream")
        .header("x-fc-request-id", "playground")
        .header("x-fc-function-timeout", "60")
        .send(event)?;
    Ok(format!(
        "HTTP {} {}",
        answer.status().as_u16(),
        answer.body_mut().read_to_string()?
    ))
}

/// Prints the messages that the group got since `seen`; tells how many there are now.
fn show(group: &Group, seen: usize) -> usize {
    let deliveries = group.deliveries();
    for delivery in deliveries.iter().skip(seen) {
        println!("\n┌── the group got: {}", delivery.title);
        for line in delivery.text.lines() {
            println!("│ {line}");
        }
        println!("└──");
    }
    if deliveries.len() == seen {
        println!("the group got nothing (filtered)");
    }
    deliveries.len()
}

fn heading(text: &str) {
    println!("\n═══ {text}");
}
