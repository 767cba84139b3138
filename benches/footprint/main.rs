//! Measures the binary as it is deployed beside what a user would write instead, in one run.
//!
//! ```text
//! cargo bench --package benches --bench footprint              about two minutes, once all is built
//! cargo bench --package benches --bench footprint -- --quick   below one minute, once all is built
//! cargo bench --package benches --bench footprint -- --cost    only what a month costs
//! ```
//!
//! Prints Markdown: the figures with their targets, growth, and what a month costs. Builds what it
//! measures by itself: `cargo xtask package`, and the peers of `benches/peers/` as far as their
//! languages are there. What each figure means is in `benches/README.md`.
//!
//! Every round takes all programs in another random order, so that a slow spell of the machine falls
//! on all of them; the figures are medians over the rounds.

mod machine;
mod measure;
mod pin;
mod process;
mod programs;
mod report;
mod sink;

use benches::cost::Billed;
use benches::work::SIZES;
use measure::{Bench, keeps_no_pace};
use pin::{Cpus, pinned};
use process::Starter;
use programs::{Kind, Program, Programs, Roots};
use report::{Figure, Report};
use sink::Sink;
use std::error::Error;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// What one invocation takes for the calculation of a month: nearly all of it DingTalk's answer.
const INVOCATION_MS: f64 = 200.0;

/// How much is measured.
struct Plan {
    rounds: usize,
    /// Of the rounds, those in which the longer measurements are made.
    long_rounds: usize,
    /// Deliveries to one chatbot in a row.
    steady: usize,
    /// Invocations after which memory is read.
    invocations: usize,
    /// How long throughput is measured at a time.
    throughput: Duration,
    /// How long work inside a process is repeated.
    inside: Duration,
}

const FULL: Plan = Plan {
    rounds: 40,
    long_rounds: 4,
    steady: 1_000,
    invocations: 10_000,
    throughput: Duration::from_millis(250),
    inside: Duration::from_millis(100),
};
const QUICK: Plan = Plan {
    rounds: 6,
    long_rounds: 1,
    steady: 300,
    invocations: 1_000,
    throughput: Duration::from_millis(100),
    inside: Duration::from_millis(20),
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut plan = &FULL;
    let mut only_cost = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            // cargo bench says so.
            "--bench" => {}
            "--quick" => plan = &QUICK,
            "--cost" => only_cost = true,
            other => {
                return Err(
                    format!("there is no option {other:?}; there are --quick and --cost").into(),
                );
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let settings = std::fs::read_to_string(root.join("s.yaml"))?;
    let billed = Billed::from_s_yaml(&settings, INVOCATION_MS)?;
    if only_cost {
        print!("{}", billed.shown());
        return Ok(());
    }

    let folder = root.join("target/footprint");
    std::fs::create_dir_all(&folder)?;
    eprintln!("Building the package and the peers …");
    let programs = Programs::build(&root, &folder)?;
    for problem in &programs.left_out {
        eprintln!("LEFT OUT {problem}");
    }
    let cpus = Cpus::find();
    pinned(cpus.own);
    let bench = Bench {
        sink: Sink::start(cpus.work, &folder)?,
        starter: Starter::new(cpus),
    };
    for program in &programs.all {
        bench
            .check(program)
            .map_err(|error| format!("{}: {error}", program.name()))?;
    }

    let mut report = Report::new(plan.invocations);
    let mut dice = Dice::new();
    let begun = Instant::now();
    for round in 0..plan.rounds {
        if std::io::stderr().is_terminal() {
            let seconds = begun.elapsed().as_secs();
            eprint!("\rRound {} of {}, {seconds} s ", round + 1, plan.rounds);
        }
        let is_long = round % (plan.rounds / plan.long_rounds) == 0;
        let mut tasks = tasks(&programs, is_long);
        dice.shuffle(&mut tasks);
        for task in tasks {
            task.run(&bench, plan, &programs, &mut report)?;
        }
    }
    eprintln!("\rMeasured in {} s.            ", begun.elapsed().as_secs());

    report.print(&programs, cpus);
    println!("\n### A month on Function Compute\n\n{}", billed.shown());
    Ok(())
}

/// One thing to be measured.
#[derive(Clone, Copy)]
enum Task<'a> {
    StartPlain(&'a Program),
    StartTls(&'a Program, Roots),
    Burst(&'a Program),
    Webhook,
    Steady(&'a Program),
    Memory(&'a Program),
    Throughput(&'a Program, usize),
    Inside(&'static str, usize),
}

/// What is measured in one round.
fn tasks(programs: &Programs, is_long: bool) -> Vec<Task<'_>> {
    let mut tasks = vec![Task::Webhook];
    for program in &programs.all {
        if program.kind != Kind::Lapse {
            tasks.extend([Task::StartPlain(program), Task::Burst(program)]);
            if program.does_the_job() {
                tasks.push(Task::StartTls(program, Roots::Usual));
            }
            if matches!(program.kind, Kind::Go | Kind::Python) {
                tasks.push(Task::StartTls(program, Roots::One));
            }
        }
        if !is_long {
            continue;
        }
        if program.does_the_job() {
            tasks.push(Task::Memory(program));
        }
        if keeps_no_pace(program) {
            tasks.push(Task::Steady(program));
        }
        if program.kind != Kind::Lapse {
            tasks.extend([1, 8, 100].map(|connections| Task::Throughput(program, connections)));
        }
    }
    if is_long {
        tasks.push(Task::Inside("single", 64));
        for work in ["pure", "whole", "waiting"] {
            tasks.extend(SIZES.map(|size| Task::Inside(work, size)));
        }
    }
    tasks
}

impl Task<'_> {
    fn run(
        self,
        bench: &Bench,
        plan: &Plan,
        programs: &Programs,
        report: &mut Report,
    ) -> Result<(), Box<dyn Error>> {
        let named =
            |program: &Program, error: Box<dyn Error>| format!("{}: {error}", program.name());
        match self {
            Task::StartPlain(program) => {
                let start = bench
                    .start(program, false, Roots::Usual)
                    .map_err(|e| named(program, e))?;
                report.add(Figure::Open, program.kind, &[start.open]);
                report.add(Figure::AnsweredPlain, program.kind, &[start.answered]);
            }
            Task::StartTls(program, Roots::Usual) => {
                let start = bench
                    .start(program, true, Roots::Usual)
                    .map_err(|e| named(program, e))?;
                report.add(Figure::AnsweredTls, program.kind, &[start.answered]);
                report.add(Figure::MemoryFirst, program.kind, &[start.rss]);
            }
            Task::StartTls(program, Roots::One) => {
                let start = bench
                    .start(program, true, Roots::One)
                    .map_err(|e| named(program, e))?;
                report.add(Figure::AnsweredTlsOneRoot, program.kind, &[start.answered]);
            }
            Task::Burst(program) => {
                let samples = bench.burst(program).map_err(|e| named(program, e))?;
                report.add(Figure::Warm, program.kind, &samples);
            }
            Task::Webhook => report.webhook(&bench.webhook(50)?),
            Task::Steady(program) => {
                let samples = bench
                    .steady(program, plan.steady)
                    .map_err(|e| named(program, e))?;
                report.add(Figure::WarmLong, program.kind, &samples);
            }
            Task::Memory(program) => {
                let all = keeps_no_pace(program);
                let (_, last) = bench
                    .memory(program, plan.invocations, all)
                    .map_err(|e| named(program, e))?;
                let figure = if all {
                    Figure::MemoryDelivered
                } else {
                    Figure::MemoryMixed
                };
                report.add(figure, program.kind, &[last]);
            }
            Task::Throughput(program, connections) => {
                let rate = bench
                    .throughput(program, connections, plan.throughput)
                    .map_err(|e| named(program, e))?;
                report.add(Figure::Rate(connections), program.kind, &[rate]);
            }
            Task::Inside(work, size) => {
                let each = bench.inside(&programs.inside, work, size, plan.inside)?;
                report.inside(work, size, each);
            }
        }
        Ok(())
    }
}

/// Random order, which need not be better than that.
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Dice(since_1970.map_or(1, |time| time.as_nanos() as u64) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        // Xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
