//! Prints the samples as Markdown.

use crate::machine;
use crate::pin::Cpus;
use crate::programs::{Kind, Programs};
use benches::stats::{Summary, count, digits, summary};
use benches::work::SIZES;
use std::collections::BTreeMap;

/// A figure of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    Open,
    AnsweredTls,
    AnsweredTlsOneRoot,
    AnsweredPlain,
    MemoryFirst,
    /// All invocations delivered: the time-lapse build and the peers.
    MemoryDelivered,
    /// All invocations but one burst filtered: the notifier as deployed.
    MemoryMixed,
    Warm,
    WarmLong,
    Rate(usize),
}

/// All samples of a run.
pub struct Report {
    samples: BTreeMap<(Figure, Kind), Vec<f64>>,
    inside: BTreeMap<(&'static str, usize), Vec<f64>>,
    webhook: Vec<f64>,
    invocations: usize,
}

/// The peers in the order of their columns.
const PEERS: [Kind; 4] = [Kind::Forwarder, Kind::Go, Kind::Node, Kind::Python];

const MS: f64 = 1e-3;
const US: f64 = 1.0;
const KIB_IN_MB: f64 = 1_024.0 / 1e6;

impl Report {
    pub fn new(invocations: usize) -> Report {
        Report {
            samples: BTreeMap::new(),
            inside: BTreeMap::new(),
            webhook: Vec::new(),
            invocations,
        }
    }

    pub fn add(&mut self, figure: Figure, kind: Kind, samples: &[f64]) {
        self.samples
            .entry((figure, kind))
            .or_default()
            .extend(samples);
    }

    pub fn webhook(&mut self, samples: &[f64]) {
        self.webhook.extend(samples);
    }

    pub fn inside(&mut self, work: &'static str, size: usize, nanoseconds: f64) {
        self.inside
            .entry((work, size))
            .or_default()
            .push(nanoseconds);
    }

    fn of(&self, figure: Figure, kind: Kind) -> Option<Summary> {
        // These figures need the time-lapse build; a note below the table says so.
        let kind = match (figure, kind) {
            (Figure::MemoryDelivered | Figure::WarmLong, Kind::Notifier) => Kind::TimeLapse,
            _ => kind,
        };
        summary(self.samples.get(&(figure, kind))?)
    }

    fn median(&self, figure: Figure, kind: Kind) -> Option<f64> {
        Some(self.of(figure, kind)?.median)
    }

    fn inside_median(&self, work: &'static str, size: usize) -> Option<f64> {
        Some(summary(self.inside.get(&(work, size))?)?.median)
    }

    /// Returns the ratio of two programs' medians.
    fn ratio(&self, figure: Figure, of: Kind, to: Kind) -> Option<f64> {
        Some(self.median(figure, of)? / self.median(figure, to)?)
    }

    /// Prints all tables.
    pub fn print(&self, programs: &Programs, cpus: Cpus) {
        let peers: Vec<Kind> = PEERS
            .into_iter()
            .filter(|kind| programs.find(*kind).is_some())
            .collect();
        println!("### Footprint\n");
        print!("| | notifier | target: reached |");
        for peer in &peers {
            print!(" {} |", programs.find(*peer).map_or("", |p| p.name()));
        }
        println!("\n|---|---|---|{}", "---|".repeat(peers.len()));
        let row = |title: &str, figure: Figure, scale: f64, target: Option<String>| {
            self.row(&peers, title, figure, scale, target.unwrap_or_default());
        };
        row(
            "start to port open, ms",
            Figure::Open,
            MS,
            self.target_open(),
        );
        row(
            "start to first answer, TLS webhook, ms ²",
            Figure::AnsweredTls,
            MS,
            self.target_tls(),
        );
        row(
            "… trusting one authority only, ms",
            Figure::AnsweredTlsOneRoot,
            MS,
            None,
        );
        row(
            "start to first answer, plain webhook, ms",
            Figure::AnsweredPlain,
            MS,
            None,
        );
        row(
            "warm invocation, plain webhook, 1 connection, µs",
            Figure::Warm,
            US,
            self.target_warm(),
        );
        self.row_beyond(&peers);
        row(
            "… in a long-lived process, µs ¹",
            Figure::WarmLong,
            US,
            None,
        );
        row(
            "memory after the first invocation over TLS, MB",
            Figure::MemoryFirst,
            KIB_IN_MB,
            None,
        );
        let many = count(self.invocations as f64);
        row(
            &format!("memory after {many} invocations over TLS, all delivered, MB ¹"),
            Figure::MemoryDelivered,
            KIB_IN_MB,
            self.target_memory(),
        );
        row(
            "… 6 delivered, the others filtered, MB",
            Figure::MemoryMixed,
            KIB_IN_MB,
            None,
        );
        for connections in [1, 8, 100] {
            let title = format!("filtered invocations a second, {connections} at once");
            let target = self.target_rate(connections);
            row(&title, Figure::Rate(connections), 1.0, target);
        }
        self.row_events(&peers);
        size_row(programs, &peers, "binary, MB", |p| p.binary, None);
        size_row(programs, &peers, "zip, MB", |p| p.zip, Some(1.8));
        println!(
            "\nMedian (quartiles) of {} starts and {} warm invocations a program; × is the peer's figure divided by the notifier's.",
            self.count(Figure::Open),
            self.count(Figure::Warm)
        );
        println!(
            "¹ The notifier built with a clock that jumps over its chatbot's pace of 18 messages a minute, otherwise as deployed."
        );
        println!(
            "² The authority of this webhook is named in SSL_CERT_FILE and replaces those that are compiled in: fewer to load than in service, and one handshake."
        );
        println!("{}", machine::described(programs, &peers, cpus));
        for problem in &programs.left_out {
            println!("Left out: {problem}.");
        }
        self.print_growth();
    }

    fn count(&self, figure: Figure) -> usize {
        self.of(figure, Kind::Notifier).map_or(0, |s| s.count)
    }

    fn row(&self, peers: &[Kind], title: &str, figure: Figure, scale: f64, target: String) {
        let own = self.of(figure, Kind::Notifier);
        print!(
            "| {title} | {} | {target} |",
            own.map_or(String::new(), |s| format!(
                "**{}** {}",
                digits(s.median * scale),
                quartiles(s, scale)
            ))
        );
        for peer in peers {
            let cell = self.of(figure, *peer).map_or(String::new(), |s| {
                let ratio = own.map_or(String::new(), |own| {
                    format!(", {} ×", digits(s.median / own.median))
                });
                format!(
                    "{} {}{ratio}",
                    digits(s.median * scale),
                    quartiles(s, scale)
                )
            });
            print!(" {cell} |");
        }
        println!();
    }

    /// Prints the time of a warm invocation without the webhook's own.
    fn row_beyond(&self, peers: &[Kind]) {
        let Some(webhook) = summary(&self.webhook) else {
            return;
        };
        let beyond = |kind| Some(self.median(Figure::Warm, kind)? - webhook.median);
        let own = beyond(Kind::Notifier);
        print!(
            "| … beyond the webhook's own {} µs | {} | |",
            digits(webhook.median),
            own.map_or(String::new(), |v| format!("**{}**", digits(v)))
        );
        for peer in peers {
            let cell = match (beyond(*peer), own) {
                (Some(value), Some(own)) => format!("{}, {} ×", digits(value), digits(value / own)),
                _ => String::new(),
            };
            print!(" {cell} |");
        }
        println!();
    }

    fn row_events(&self, peers: &[Kind]) {
        let Some(each) = self.inside_median("single", 64) else {
            return;
        };
        let rate = 1e9 / each;
        println!(
            "| parse, decide, render: events a second on one core | **{}** | |{}",
            digits(rate),
            " |".repeat(peers.len())
        );
    }

    fn target_open(&self) -> Option<String> {
        let times = self.ratio(Figure::Open, Kind::Notifier, Kind::Forwarder)?;
        Some(format!(
            "≤ 2 × C: {} ×, {}",
            digits(times),
            verdict(times <= 2.0)
        ))
    }

    fn target_tls(&self) -> Option<String> {
        let figure = Figure::AnsweredTls;
        let ms = self.median(figure, Kind::Notifier)? * MS;
        let mut parts = vec![format!("≤ 2 ms: {}", verdict(ms <= 2.0))];
        parts.extend(self.target_beside_go(figure, 3.0));
        Some(parts.join("; "))
    }

    fn target_warm(&self) -> Option<String> {
        let times = self.ratio(Figure::Warm, Kind::Notifier, Kind::Forwarder)?;
        let mut parts = vec![format!(
            "≤ 3.5 × C: {} ×, {}",
            digits(times),
            verdict(times <= 3.5)
        )];
        parts.extend(self.target_beside_go(Figure::Warm, 1.2));
        Some(parts.join("; "))
    }

    /// Go's time is to be at least so many times the notifier's.
    fn target_beside_go(&self, figure: Figure, least: f64) -> Option<String> {
        let times = self.ratio(figure, Kind::Go, Kind::Notifier)?;
        Some(format!(
            "Go ≥ {least} ×: {} ×, {}",
            digits(times),
            verdict(times >= least)
        ))
    }

    fn target_rate(&self, connections: usize) -> Option<String> {
        let times = self.ratio(Figure::Rate(connections), Kind::Notifier, Kind::Go)?;
        Some(format!(
            "≥ 1.1 × Go: {} ×, {}",
            digits(times),
            verdict(times >= 1.1)
        ))
    }

    fn target_memory(&self) -> Option<String> {
        let figure = Figure::MemoryDelivered;
        let mb = self.median(figure, Kind::Notifier)? * KIB_IN_MB;
        let mut parts = vec![format!("≤ 3.6 MB: {}", verdict(mb <= 3.6))];
        if let Some(share) = self.ratio(figure, Kind::Notifier, Kind::Go) {
            parts.push(format!(
                "≤ 0.33 × Go: {} ×, {}",
                digits(share),
                verdict(share <= 0.33)
            ));
        }
        Some(parts.join("; "))
    }

    /// Prints the time for one event by the number of events in a payload.
    fn print_growth(&self) {
        println!(
            "\n### Growth\n\nMicroseconds for one event, by the number of events that come together:\n"
        );
        println!(
            "| events | parse, decide, render | whole invocation, without network | queued for one chatbot and sent, without network |\n|---|---|---|---|"
        );
        for size in SIZES {
            let cell = |work| {
                self.inside_median(work, size)
                    .map_or(String::new(), |ns| digits(ns / 1e3))
            };
            println!(
                "| {} | {} | {} | {} |",
                count(size as f64),
                cell("pure"),
                cell("whole"),
                cell("waiting")
            );
        }
    }
}

fn quartiles(summary: Summary, scale: f64) -> String {
    format!(
        "({}–{})",
        digits(summary.p25 * scale),
        digits(summary.p75 * scale)
    )
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

fn size_row(
    programs: &Programs,
    peers: &[Kind],
    title: &str,
    size: impl Fn(&crate::programs::Program) -> Option<u64>,
    most: Option<f64>,
) {
    let of = |kind| {
        programs
            .find(kind)
            .and_then(&size)
            .map(|bytes| bytes as f64 / 1e6)
    };
    let own = of(Kind::Notifier);
    let target = match (own, most) {
        (Some(mb), Some(most)) => format!("≤ {most} MB: {}", verdict(mb <= most)),
        _ => String::new(),
    };
    print!(
        "| {title} | {} | {target} |",
        own.map_or(String::new(), |mb| format!("**{}**", digits(mb)))
    );
    for peer in peers {
        let cell = match (of(*peer), own) {
            (Some(mb), Some(own)) => format!("{}, {} ×", digits(mb), digits(mb / own)),
            _ => "runtime's".to_owned(),
        };
        print!(" {cell} |");
    }
    println!();
}
