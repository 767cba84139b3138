//! Runs the function and stand-ins for a DingTalk group and the ECS API on loopback, without an
//! account.
//!
//! Sample events go through `POST /invoke` as Function Compute sends them. The terminal prints the
//! answer of each invocation and the messages in the group. A page shows the group as its members
//! see it, sends events, moves the clock to the ticks of a timer, configures the function and injects
//! faults; its address is printed first.
//!
//! ```text
//! cargo run --example playground            # serves the page and curl until Ctrl-C
//! cargo run --example playground -- --once  # no page; exits, with code 0 if all was delivered
//! ```
//!
//! The function uses `EVENT_*`, `MESSAGE_*` and `DINGTALK_AT_*` of the environment:
//! `MESSAGE_LANGUAGE=en cargo run --example playground`.
//!
//! An event passes through the files in this order: `web` (or curl) → [`lab::Lab::fire`] → the
//! function in `function`, which asks the API in `cloud` → the group → the watcher in [`lab::Lab`]
//! → `chat` → `journal` → `web` → `page/page.js`. All of them take the time from `clock`.

mod burst;
mod chat;
mod clock;
mod cloud;
mod faults;
mod function;
mod invocations;
mod journal;
mod lab;
mod maintenance;
mod samples;
mod settings;
mod web;

use fake_dingtalk::Group;
use lab::Lab;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The samples that are sent at the start, in this order.
const FIRST: [&str; 6] = [
    "eventbridge/Instance-StateChange-Stopped.json",
    "eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json",
    "eventbridge/Instance-SystemFailure.Reboot-Executing.json",
    "eventbridge/Instance-PreemptibleInstanceInterruption.json",
    "eventbridge/Disk-Stalled-Executed.json",
    "eventbridge/Instance-StateChange-Running.json",
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let once = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--once") => true,
        Some(other) => return Err(format!("unknown option {other:?}; there is only --once").into()),
    };

    let (lab, server) = Lab::start()?;
    lab.publish_state();
    if !once {
        let page = web::serve(Arc::clone(&lab))?;
        println!("See the group on a page at   {page}");
    }
    println!("A DingTalk group stands on   {}", lab.group.addr());
    println!("The ECS API stands at        {}", lab.cloud.endpoint());
    println!("The function listens on      {}", lab.invoke_url());

    let mut all_delivered = true;
    let mut shown = 0;
    for sample in FIRST {
        heading(&format!("{}/{sample}", samples::FOLDER));
        let answer = lab.fire(
            &samples::fresh(&samples::read(sample)?, lab.clock.time()),
            None,
        );
        println!(
            "the invocation answered  HTTP {} {}",
            answer.status, answer.body
        );
        all_delivered &= answer.is_success();
        shown = show(&lab.group, shown);
    }

    if !once {
        // Reset the rate limit, so that the page starts with an unused one.
        lab.restart().map_err(|problem| problem.text())?;
        heading("Your turn (Ctrl-C ends it)");
        let url = lab.invoke_url();
        for file in [FIRST[1], "cloudmonitor/Disk-Stalled-Executing.json"] {
            println!("curl -s {url} --data-binary @{}/{file}", samples::FOLDER);
        }
        println!("curl -s {url} -d '{{\"no\": \"event\"}}'");
        println!(
            "Without the role that Function Compute adds, these look nothing up. The page's events do."
        );
        loop {
            lab.group
                .wait_for_deliveries(shown + 1, Duration::from_secs(3600));
            shown = show(&lab.group, shown);
        }
    }
    lab.stop();
    let _ = server.join();
    Ok(if all_delivered {
        println!(
            "\nAll {} invocations succeeded; the group got {shown} messages.",
            FIRST.len()
        );
        ExitCode::SUCCESS
    } else {
        println!("\nNot every invocation succeeded.");
        ExitCode::FAILURE
    })
}

/// Prints the messages after the first `seen`. Returns the number of all messages.
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
