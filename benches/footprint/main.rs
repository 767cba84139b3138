//! Measures the deployed binary beside programs that users might write instead, in one run.
//!
//! ```text
//! cargo bench --package benches --bench footprint              about two minutes after the build
//! cargo bench --package benches --bench footprint -- --quick   below one minute after the build
//! cargo bench --package benches --bench footprint -- --cost    only the cost of a month
//! ```
//!
//! Prints Markdown: the figures with their targets, growth, and the cost of a month. Builds what it
//! measures: `cargo xtask package`, and the peers in `benches/peers/` whose languages are
//! installed. `benches/README.md` explains each figure.
//!
//! Every round measures all programs in a random order, so that a slow phase of the machine affects
//! all of them. The figures are medians over the rounds.

mod machine;
mod measure;
mod pin;
mod process;
mod programs;
mod report;
mod sink;

use benches::cost::Billed;
use benches::work::SIZES;
use measure::{Bench, has_no_rate_limit};
use pin::{Cpus, pinned};
use process::Starter;
use programs::{Kind, Program, Programs, Roots};
use report::{Figure, Report};
use sink::Sink;
use std::error::Error;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// The assumed time of an invocation, nearly all of it waiting for DingTalk.
const INVOCATION_MS: f64 = 200.0;

/// The amount of measurements.
struct Plan {
    rounds: usize,
    /// The number of rounds that include the longer measurements.
    long_rounds: usize,
    /// Consecutive deliveries to one chatbot.
    steady: usize,
    /// Invocations before memory is read.
    invocations: usize,
    /// The time of one measurement of throughput.
    throughput: Duration,
    /// The time for which work inside a process is repeated.
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
            // cargo bench passes it.
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
    let mut rng = Rng::new();
    let begun = Instant::now();
    for round in 0..plan.rounds {
        if std::io::stderr().is_terminal() {
            let seconds = begun.elapsed().as_secs();
            eprint!("\rRound {} of {}, {seconds} s ", round + 1, plan.rounds);
        }
        let is_long = round % (plan.rounds / plan.long_rounds) == 0;
        let mut tasks = tasks(&programs, is_long);
        rng.shuffle(&mut tasks);
        for task in tasks {
            task.run(&bench, plan, &programs, &mut report)?;
        }
    }
    eprintln!("\rMeasured in {} s.            ", begun.elapsed().as_secs());

    report.print(&programs, cpus);
    println!("\n### A month on Function Compute\n\n{}", billed.shown());
    Ok(())
}

/// One measurement.
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

/// Returns the measurements of one round.
fn tasks(programs: &Programs, is_long: bool) -> Vec<Task<'_>> {
    let mut tasks = vec![Task::Webhook];
    for program in &programs.all {
        if program.kind != Kind::TimeLapse {
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
        if has_no_rate_limit(program) {
            tasks.push(Task::Steady(program));
        }
        if program.kind != Kind::TimeLapse {
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
                let all = has_no_rate_limit(program);
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

/// A simple random number generator for the order of measurements.
struct Rng(u64);

impl Rng {
    fn new() -> Rng {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Rng(since_1970.map_or(1, |time| time.as_nanos() as u64) | 1)
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
