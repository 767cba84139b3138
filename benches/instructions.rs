//! Counts instructions of the pure functions and of whole invocations with callgrind.
//!
//! `cargo xtask instructions` runs this for the deployed target, compares the counts with those in
//! `benches/instructions.json` and prints them as tables. The setup is not counted.

// gungraun's macros generate public items without documentation.
#![allow(missing_docs)]

use benches::work::{self, Waiting, Whole};
use ecs_dingtalk_notifier::channel::dingtalk::{Secret, sign};
use ecs_dingtalk_notifier::delivery::Outcome;
use ecs_dingtalk_notifier::event::Event;
use ecs_dingtalk_notifier::route::Route;
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use serde_json::Value;
use std::hint::black_box;
use std::sync::Arc;

/// A route and the events of one payload.
struct Case(Route, Vec<Arc<Event>>);

impl Case {
    fn of(events: usize) -> Case {
        Case(work::route(), work::parse(&work::payload(events)))
    }
}

fn payload_and_route(events: usize) -> (Route, Vec<u8>) {
    (work::route(), work::payload(events))
}

fn secret(_: usize) -> Secret {
    work::secret()
}

#[library_benchmark]
#[bench::one(args = (1), setup = work::payload)]
fn parse(payload: Vec<u8>) -> Vec<Arc<Event>> {
    work::parse(black_box(&payload))
}

#[library_benchmark]
#[bench::one(args = (1), setup = Case::of)]
fn decide(case: Case) -> (usize, Case) {
    let taken = work::decide(&case.0, black_box(&case.1)).len();
    (taken, case)
}

#[library_benchmark]
#[bench::one(args = (1), setup = Case::of)]
fn render(case: Case) -> (Vec<u8>, Case) {
    let events: Vec<&Event> = case.1.iter().map(Arc::as_ref).collect();
    (work::render(&case.0, black_box(&events)), case)
}

#[library_benchmark]
#[bench::one(args = (1), setup = secret)]
fn signature(secret: Secret) -> String {
    sign(black_box(1_760_000_000_000), black_box(&secret))
}

#[library_benchmark]
#[bench::thousand(args = (1_000), setup = Case::of)]
fn digest(case: Case) -> (Vec<u8>, Case) {
    let events: Vec<&Event> = case.1.iter().map(Arc::as_ref).collect();
    (work::render(&case.0, black_box(&events)), case)
}

#[library_benchmark]
#[benches::events(args = [1, 10, 100, 1_000, 10_000], setup = payload_and_route)]
fn pure((route, payload): (Route, Vec<u8>)) -> usize {
    work::pure(&route, black_box(&payload))
}

#[library_benchmark]
#[benches::events(args = [1, 10, 100, 1_000, 10_000], setup = Whole::new)]
fn whole(whole: Whole) -> (Value, Whole) {
    (black_box(&whole).run(), whole)
}

#[library_benchmark]
#[benches::events(args = [1, 10, 100, 1_000, 10_000], setup = Waiting::new)]
fn waiting(waiting: Waiting) -> (Vec<Outcome>, Waiting) {
    (black_box(&waiting).run(), waiting)
}

library_benchmark_group!(
    name = functions,
    benchmarks = [parse, decide, render, signature, digest]
);
library_benchmark_group!(name = growth, benchmarks = [pure, whole, waiting]);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [functions, growth]
);
