//! `send`: delivers the events of files for real, and tells what became of each.
//!
//! - `item`: the parts of the files, and which of them are sent
//! - `outcome`: what became of a part, in words; the table of all
//! - `rest`: the file of what was not delivered

mod item;
mod outcome;
mod rest;

use super::{DONE, FAILED, NAME, Payload, is_option, print_error, read_files};
use super::{refuse, usage, with_config};
use crate::app;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::event::Parsed;
use crate::log::{self, Log};
use crate::message::Capacity;
use crate::notifier::Notifier;
use crate::report::{Report, counted};
use fc_runtime::Context;
use item::Item;
use outcome::Outcome;
use rest::Rest;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// The longest time that a batch takes: up to a minute until the rate allows its message, and the
/// requests with their retries.
const BATCH_TIMEOUT: Duration = Duration::from_secs(120);
/// Exit code after a second interruption.
const INTERRUPTED: i32 = 130;

/// Sends the events of the files. Fails if one was not delivered, or a part is not understood.
pub(super) fn run(arguments: &[OsString]) -> u8 {
    let (files, rest) = match parse(arguments) {
        Ok(parsed) => parsed,
        Err(problem) => return usage(&problem),
    };
    if let Some(problem) = rest.and_then(|rest| rest::refusal(rest)) {
        return refuse(problem);
    }
    match read_files(files) {
        Ok(payloads) => with_config(|config| send(config, &payloads, rest)),
        Err(problem) => refuse(problem),
    }
}

/// Returns the files and the REST that the arguments name.
fn parse(arguments: &[OsString]) -> Result<(Vec<&OsString>, Option<&OsString>), String> {
    let (mut files, mut rest) = (Vec::new(), None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--rest" {
            let file = words.next().filter(|file| *file != "-" && !is_option(file));
            let file = file.ok_or("--rest needs the name of a file that does not exist yet")?;
            if rest.replace(file).is_some() {
                return Err("send takes one --rest".to_owned());
            }
        } else if is_option(word) {
            return Err(format!("send has no option {word:?}"));
        } else {
            files.push(word);
        }
    }
    if files.is_empty() {
        return Err("send needs a FILE (- is standard input)".to_owned());
    }
    Ok((files, rest))
}

fn send(mut config: Config, payloads: &[Payload], rest: Option<&OsString>) -> u8 {
    for route in &mut config.routes {
        route.render_options.tells_lateness = true;
    }
    let notifier = app::notifier(config, Arc::new(SystemClock), Log::stdout());
    let notifier = Arc::new(app::with_environment(notifier));
    let (ticks, mut items) = item::read(payloads);
    // Before anything is sent, all of it is the rest.
    let rest = rest.map(|file| Rest::create(file, item::undelivered(&items)));
    let mut rest = match rest.transpose() {
        Ok(rest) => rest,
        Err(problem) => return refuse(problem),
    };
    if let Err(error) = stop_on_interrupt(Arc::clone(&notifier)) {
        return refuse(format!("cannot receive signals: {error}"));
    }

    let mut is_done = true;
    for (file, payload) in ticks {
        let context = Context::for_command(BATCH_TIMEOUT);
        let report = notifier.process(payload, &context);
        is_done &= print_problems(report, &format!("{file}: "));
    }
    let mut waiting = item::in_order_of_time(&items);
    let total = waiting.len();
    while !waiting.is_empty() && !notifier.dispatcher.is_stopped() {
        let batch = next_batch(&notifier, &items, &waiting);
        show_progress(total - waiting.len(), batch, total);
        let batch: Vec<usize> = waiting.drain(..batch).collect();
        send_batch(&notifier, &mut items, &batch);
        if let Some(rest) = &mut rest {
            rest.write(item::undelivered(&items));
        }
    }
    for item in &mut items {
        item.outcome.get_or_insert(Outcome::Interrupted);
    }

    // Standard output is the log, and nothing else.
    outcome::table(&items).iter().for_each(print_error);
    if let Some(rest) = rest {
        let count = item::undelivered(&items).count();
        print_error(format!(
            "{NAME}: {} not delivered, in {rest}",
            counted(count, "event", "events")
        ));
    }
    let is_failed = |item: &Item| item.outcome.as_ref().is_some_and(Outcome::is_failure);
    match is_done && !items.iter().any(is_failed) {
        true => DONE,
        false => FAILED,
    }
}

/// Returns how many of the waiting events fit into one message of each route that may take them. A
/// batch is one message, so that little is open when an interruption comes.
fn next_batch(notifier: &Notifier, items: &[Item], waiting: &[usize]) -> usize {
    let routes = notifier.routes.iter().map(|route| {
        let max_size = route.endpoint.limits().max_size;
        (route, Capacity::new(&route.render_options, max_size))
    });
    let mut routes: Vec<_> = routes.collect();
    let mut fits = |place: &&usize| {
        let event = items[**place].event();
        event.is_none_or(|event| {
            let mut takers = routes.iter_mut().filter(|(route, _)| route.may_take(event));
            takers.all(|(_, capacity)| capacity.try_add(event))
        })
    };
    waiting
        .iter()
        .take_while(|place| fits(place))
        .count()
        .max(1)
}

/// Sends the events of a batch, and notes what became of each.
fn send_batch(notifier: &Notifier, items: &mut [Item], batch: &[usize]) {
    let events = batch.iter().filter_map(|place| items[*place].event());
    let parsed = Parsed {
        events: events.map(Arc::clone).collect(),
        ..Parsed::default()
    };
    let context = Context::for_command(BATCH_TIMEOUT);
    let report = notifier.process_events(parsed, &context);
    let is_stopped = notifier.dispatcher.is_stopped();
    for (index, place) in batch.iter().enumerate() {
        items[*place].outcome = Some(Outcome::reported(&report, index, is_stopped));
    }
    print_problems(report, "");
}

/// Prints what went wrong. Returns false if something was not delivered.
fn print_problems(report: Report, file: &str) -> bool {
    if let Some(problem) = &report.problem {
        print_error(format!("{NAME}: {file}look-up: {}", log::field(problem)));
    }
    let failure = report.into_result().err();
    if let Some(failure) = &failure {
        let (name, message) = (&failure.error_type, &failure.error_message);
        print_error(format!("{NAME}: {file}{name}: {message}"));
    }
    failure.is_none()
}

/// Shows on a terminal how far the work has come, where it is more than one message. What is
/// printed next overwrites it.
fn show_progress(done: usize, batch: usize, total: usize) {
    let mut stderr = io::stderr();
    if batch < total && stderr.is_terminal() {
        let (first, last) = (done + 1, done + batch);
        let _ = write!(
            stderr,
            "sending {first} to {last} of {total} events …\x1b[K\r"
        );
    }
}

/// Lets the first Ctrl-C end the work in good order, and the second at once.
fn stop_on_interrupt(notifier: Arc<Notifier>) -> io::Result<()> {
    let (mut reader, writer) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    std::thread::spawn(move || {
        let mut next = || reader.read_exact(&mut [0]).is_ok();
        if next() {
            print_error(format!(
                "{NAME}: interrupted: waits for the request under way; once more ends at once"
            ));
            notifier.dispatcher.stop();
        }
        if next() {
            std::process::exit(INTERRUPTED);
        }
    });
    Ok(())
}
