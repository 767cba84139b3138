//! The whole thing on one machine, with nothing installed and no account: a stand-in for a DingTalk
//! group and the function, both on loopback. Sample events go through `POST /invoke` as Function
//! Compute would send them; the terminal shows what each invocation answered and what the group got.
//! So does a page, at the address that is printed first: it shows the group as its members would see
//! it, and lets you send, configure and break things.
//!
//! ```text
//! cargo run --example playground            # stays up for the page and for curl until Ctrl-C
//! cargo run --example playground -- --once  # no page; ends by itself, with exit code 0 if all was delivered
//! ```
//!
//! `EVENT_*` and `MESSAGE_*` of the environment are honoured: `MESSAGE_LANGUAGE=en cargo run --example playground`.
//!
//! One event's way through the files: `web` (or curl) → [`lab::Lab::fire`] → the function behind
//! `function` → the group → [`lab::Lab`]'s watcher → `chat` → `journal` → `web` → `page/page.js`.

mod burst;
mod chat;
mod function;
mod invocations;
mod journal;
mod lab;
mod mischief;
mod samples;
mod settings;
mod web;

use fake_dingtalk::Group;
use lab::Lab;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What is sent first, in this order.
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
    lab.tell_state();
    if !once {
        let page = web::serve(Arc::clone(&lab))?;
        println!("See the group on a page at   {page}");
    }
    println!("A DingTalk group stands on   {}", lab.group.addr());
    println!("The function listens on      {}", lab.invoke_url());

    let mut all_delivered = true;
    let mut shown = 0;
    for sample in FIRST {
        heading(&format!("{}/{sample}", samples::FOLDER));
        let answer = lab.fire(&samples::fresh(&samples::read(sample)?), None);
        println!(
            "the invocation answered  HTTP {} {}",
            answer.status, answer.body
        );
        all_delivered &= answer.is_success();
        shown = show(&lab.group, shown);
    }

    if !once {
        // Whoever comes to the page finds the chatbot's minute unused.
        lab.restart().map_err(|problem| problem.text())?;
        heading("Your turn (Ctrl-C ends it)");
        let url = lab.invoke_url();
        for file in [FIRST[1], "cloudmonitor/Disk-Stalled-Executing.json"] {
            println!("curl -s {url} --data-binary @{}/{file}", samples::FOLDER);
        }
        println!("curl -s {url} -d '{{\"no\": \"event\"}}'");
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
