//! What became of a part of a file, in words.

use super::Item;
use crate::delivery::Failure;
use crate::event::Content;
use crate::log;
use crate::report::{Report, why_left_out};

/// What became of a part of a file.
pub(super) enum Outcome {
    /// No event, and why it is left out.
    LeftOut(&'static str),
    /// Not understood, and what is wrong.
    Fault(String),
    /// The same event stands there.
    Duplicate(String),
    /// Delivered or filtered, on every route.
    Done(String),
    /// Not delivered to a route that takes it.
    Failed(String),
    /// An interruption came first.
    Interrupted,
}

impl Outcome {
    /// Returns what becomes of a part that is no event.
    pub(super) fn of_part(content: &Content) -> Option<Outcome> {
        match content {
            Content::Event { .. } => None,
            Content::LeftOut(kind) => Some(Outcome::LeftOut(why_left_out(*kind))),
            Content::Fault(problem) => Some(Outcome::Fault(problem.clone())),
        }
    }

    /// Returns what became of event number `index` of a report.
    pub(super) fn reported(report: &Report, index: usize, is_stopped: bool) -> Outcome {
        let mut is_failed = false;
        let mut words: Vec<(&str, String)> = Vec::new();
        for (route, outcomes) in report.routes.iter().zip(&report.outcomes) {
            let outcome = &outcomes[index];
            let failure = outcome
                .delivery
                .as_ref()
                .and_then(|outcome| outcome.failure());
            is_failed |= failure.is_some();
            let word = match failure {
                Some(Failure::Deadline) if is_stopped => "not sent: interrupted".to_owned(),
                Some(failure) => format!("failed: {}", failure.as_str()),
                None if outcome.delivery.is_none() => {
                    format!("filtered by {}", outcome.rule(route))
                }
                None => outcome.as_str().to_owned(),
            };
            words.push((&route.name, word));
        }
        let text = match &words[..] {
            [(_, first), rest @ ..] if rest.iter().all(|(_, word)| word == first) => first.clone(),
            words => {
                let words = words.iter().map(|(route, word)| format!("{route} {word}"));
                words.collect::<Vec<_>>().join(", ")
            }
        };
        match is_failed {
            true => Outcome::Failed(text),
            false => Outcome::Done(text),
        }
    }

    /// Returns true if something is left to do about it.
    pub(super) fn is_failure(&self) -> bool {
        match self {
            Outcome::Fault(_) | Outcome::Failed(_) | Outcome::Interrupted => true,
            Outcome::LeftOut(_) | Outcome::Duplicate(_) | Outcome::Done(_) => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Outcome::LeftOut(why) => format!("left out: {why}"),
            Outcome::Fault(problem) => format!("not understood: {problem}"),
            Outcome::Duplicate(place) => format!("duplicate of {place}"),
            Outcome::Done(words) | Outcome::Failed(words) => words.clone(),
            Outcome::Interrupted => "not sent: interrupted".to_owned(),
        }
    }
}

/// Returns the rows of a table, one for each part in the order of the files: place, event, outcome.
pub(super) fn table(items: &[Item]) -> Vec<String> {
    let rows: Vec<[String; 3]> = items.iter().map(row).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (places, events) = (width(0), width(1));
    let lines = rows
        .iter()
        .map(|[place, event, outcome]| format!("{place:places$}  {event:events$}  {outcome}"));
    lines.collect()
}

fn row(item: &Item) -> [String; 3] {
    let event = item.event().map(|event| {
        let resource = event.resource_id.as_deref().unwrap_or("-");
        format!("{} {resource} {}", event.full_name(), event.display_id())
    });
    let outcome = item.outcome.as_ref().map(Outcome::describe);
    let texts = [
        item.place(),
        event.unwrap_or_else(|| "-".to_owned()),
        outcome.unwrap_or_default(),
    ];
    texts.map(|text| log::field(&text).into_owned())
}
