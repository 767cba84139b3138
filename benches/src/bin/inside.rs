//! Times work inside a process that is built like the deployed function.
//!
//! `inside WORK EVENTS MS` prints the nanoseconds for one event: the median of as many repeats as
//! fit into MS milliseconds.

use benches::stats::summary;
use benches::work::{self, Waiting, Whole};
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, events, ms] = arguments.as_slice() else {
        return Err("usage: inside single|pure|whole|waiting EVENTS MS".into());
    };
    let (events, time) = (events.parse()?, Duration::from_millis(ms.parse()?));
    let samples = match work.as_str() {
        // One message for each payload of one event.
        "single" => {
            let (route, payloads) = (work::route(), work::singles(events));
            repeat(
                time,
                || (),
                |()| {
                    for payload in &payloads {
                        black_box(work::pure(&route, black_box(payload)));
                    }
                },
            )
        }
        "pure" => {
            let (route, payload) = (work::route(), work::payload(events));
            repeat(
                time,
                || (),
                |()| {
                    black_box(work::pure(&route, black_box(&payload)));
                },
            )
        }
        "whole" => repeat(
            time,
            || Whole::new(events),
            |whole| {
                black_box(whole.run());
            },
        ),
        "waiting" => repeat(
            time,
            || Waiting::new(events),
            |waiting| {
                black_box(waiting.run());
            },
        ),
        other => return Err(format!("no work is called {other}").into()),
    };
    let each = summary(&samples).ok_or("no sample")?.median / events as f64;
    println!("{each}");
    Ok(())
}

/// Returns the nanoseconds of each repeat: at least three, after a first one that is not counted.
/// They do not include `prepare` and dropping its result.
fn repeat<T>(time: Duration, prepare: impl Fn() -> T, run: impl Fn(&T)) -> Vec<f64> {
    run(&prepare());
    let mut samples = Vec::new();
    let begun = Instant::now();
    while samples.len() < 3 || begun.elapsed() < time {
        let prepared = prepare();
        let from = Instant::now();
        run(&prepared);
        samples.push(from.elapsed().as_nanos() as f64);
    }
    samples
}
