//! Runs the function and stand-ins for a group and the ECS API on loopback, without an account. The
//! group is in DingTalk, Lark, WeCom or Slack.
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
//! `PLAYGROUND_CHAT` is the chat at the start: `dingtalk` (if it is not set), `lark`, `wecom` or
//! `slack`. The page changes it. The function uses `EVENT_*`, `MESSAGE_*` and the chat's `…_AT_*` of
//! the environment: `MESSAGE_LANGUAGE=en PLAYGROUND_CHAT=slack cargo run --example playground`.
//!
//! An event passes through the files in this order: `web` (or curl) → [`lab::Lab::fire`] → the
//! function in `function`, which asks the API in `cloud` → a group of `chats` → a watcher in
//! [`lab::Lab`] → `chat`, or `other_chats` and `markup` → `journal` → `web` → `page/page.js`. All of them take the time from `clock`.

mod burst;
mod chat;
mod chats;
mod clock;
mod cloud;
mod faults;
mod function;
mod invocations;
mod journal;
mod lab;
mod maintenance;
mod markup;
mod other_chats;
mod pairing;
mod samples;
mod settings;
mod web;

use ecs_dingtalk_notifier::channel::Chat;
use lab::Lab;
use serde_json::Value;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The variable that names the chat at the start.
const CHAT: &str = "PLAYGROUND_CHAT";
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

    let chat = match std::env::var(CHAT) {
        Err(_) => Chat::DingTalk,
        Ok(name) => chats::by_id(name.trim()).ok_or_else(|| {
            let known = Chat::ALL.map(chats::id).join(", ");
            format!("{CHAT} is {name:?}; write one of {known}")
        })?,
    };

    let (lab, server) = Lab::start(chat)?;
    lab.publish_state();
    if !once {
        let page = web::serve(Arc::clone(&lab))?;
        println!("See the group on a page at   {page}");
    }
    let group = format!("A {} group stands on", chat.name());
    println!("{group:<28} {}", lab.groups.addr(chat));
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
        shown = show(&lab, chat, shown);
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
        follow(&lab, shown);
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
fn show(lab: &Lab, chat: Chat, seen: usize) -> usize {
    let messages = lab.groups.messages(chat);
    for (title, text) in messages.iter().skip(seen) {
        print_message(title, text);
    }
    if messages.len() == seen {
        println!("the group got nothing (filtered)");
    }
    messages.len()
}

/// Prints the messages after number `shown`, of any chat, as they arrive.
fn follow(lab: &Lab, mut shown: usize) -> ! {
    let mut seen = 0;
    loop {
        for (number, entry) in lab.journal.after(seen, Duration::from_secs(3600)) {
            seen = number;
            let entry: Value = serde_json::from_str(&entry).unwrap_or_default();
            // An entry is published again when more is known of it.
            let number = entry["number"].as_u64().unwrap_or_default() as usize;
            if entry["type"] == "message" && number > shown {
                shown = number;
                let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
                print_message(&text("title"), &text("text"));
            }
        }
    }
}

fn print_message(title: &str, text: &str) {
    println!("\n┌── the group got: {title}");
    for line in text.lines() {
        println!("│ {line}");
    }
    println!("└──");
}

fn heading(text: &str) {
    println!("\n═══ {text}");
}
