//! Lists of upcoming maintenance: what is under way, then day by day what is ahead.

use super::digest::group_by;
use super::event::{MAX_LISTED, footer_of};
use super::renderer::Renderer;
use super::status::{icon, tone};
use super::{Line, MAX_NAME, Message, Section, Text, console_link};
use crate::event::{Event, EventTime};
use jiff::Timestamp;
use jiff::civil::Date;

/// Where an event stands in the list; in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    UnderWay,
    Day(Date),
    /// There is no time that can be read.
    Unknown,
}

/// What all events of a list have in common, and no line repeats.
#[derive(Default)]
pub(super) struct Common {
    region: bool,
    account: bool,
    headline: bool,
}

impl Renderer<'_> {
    /// The digest of all maintenance that is under way or ahead.
    ///
    /// It comes every morning and mentions nobody, whatever the levels of its events are: those
    /// whom an event concerns are mentioned by its own notice and by the reminder.
    pub(super) fn upcoming(&self, events: &[&Event]) -> Message {
        let count = self.upcoming_count(events);
        self.list(events, Text::from("🗓 ").and(count.clone()), count)
    }

    /// The reminder of several events.
    pub(super) fn reminders(&self, events: &[&Event]) -> Message {
        let count = events.len();
        let is_begun = |event: &&Event| start(event).is_some_and(|at| at <= self.now);
        let heading = if events.iter().all(is_begun) {
            self.select(
                format!("⏰ 提醒：{count} 项维护已到时间"),
                format!("⏰ Reminder: {count} maintenance events were due"),
            )
        } else {
            self.select(
                format!("⏰ 提醒：{count} 项维护即将开始"),
                format!("⏰ Reminder: {count} maintenance events begin soon"),
            )
        };
        let count = self.select(
            format!("{count} 项维护"),
            format!("{count} maintenance events"),
        );
        self.list(events, Text::own(heading), Text::own(count))
    }

    fn list(&self, events: &[&Event], heading: Text, count: Text) -> Message {
        let mut events = events.to_vec();
        events.sort_by_cached_key(|event| (self.place(event), start(event)));
        let common = self.common(&events);
        let (shown, hidden) = events.split_at(self.limit.clamp(1, events.len()));
        let days = group_by(shown, |event| self.place(event));
        let days = days.iter().map(|day| self.day_section(day, &common));
        let mut sections: Vec<Section> = days.collect();
        let last = sections.last_mut();
        last.expect("one event is shown")
            .lines
            .extend(self.later(hidden.len()));
        let (note, advice) = self.kinds_of_advice(shown);
        sections.extend(advice);
        Message {
            language: self.options.language,
            title: self.list_title(heading.clone(), &events),
            heading,
            tone: (events.iter().map(|event| tone(event)).min()).expect("one event is shown"),
            lines: self.common_lines(&events, &common),
            sections,
            note,
            link: self.link(console_link::of_events(&events, self.options.console)),
            footer: footer_of(count),
            // Those of the soonest events come first.
            mentions: self.mentions(&events),
        }
    }

    fn upcoming_count(&self, events: &[&Event]) -> Text {
        let count = events.len();
        let plural = if count == 1 { "" } else { "s" };
        let under_way = events.iter().filter(|event| is_under_way(event)).count();
        Text::own(match under_way {
            0 => self.select(
                format!("{count} 项计划维护"),
                format!("{count} upcoming maintenance event{plural}"),
            ),
            all if all == count => self.select(
                format!("{count} 项维护进行中"),
                format!("{count} maintenance event{plural} under way"),
            ),
            some => self.select(
                format!("{count} 项维护（{some} 项进行中）"),
                format!("{count} maintenance event{plural} ({some} under way)"),
            ),
        })
    }

    /// The heading, when the first begins of those that are ahead, and the resource of it.
    fn list_title(&self, heading: Text, events: &[&Event]) -> Text {
        let is_ahead = |event: &&&Event| !is_under_way(event) && start(event) > Some(self.now);
        let next = events.iter().find(is_ahead);
        let wait = next.and_then(|event| self.remaining(start(event)?));
        let wait = wait.map(|wait| match events {
            [_] => wait,
            _ => self.select(format!("最早 {wait}"), format!("first {wait}")),
        });
        let resource = self.short_name(next.unwrap_or(&events[0]));
        let parts = [wait.map(Text::own), resource].into_iter().flatten();
        parts.fold(heading, |title, part| title.with(" · ").and(part))
    }

    fn place(&self, event: &Event) -> Place {
        match start(event) {
            _ if is_under_way(event) => Place::UnderWay,
            Some(at) => Place::Day(self.date(at)),
            None => Place::Unknown,
        }
    }

    fn common(&self, events: &[&Event]) -> Common {
        let first = events[0];
        let headline = self.headline(&[first]);
        let mut others = events[1..].iter();
        Common {
            region: first.region.is_some()
                && others.clone().all(|other| other.region == first.region),
            account: others.clone().all(|other| other.account == first.account),
            headline: events.len() > 1 && others.all(|other| self.headline(&[other]) == headline),
        }
    }

    /// What somebody has to do for, and what no line repeats.
    fn common_lines(&self, events: &[&Event], common: &Common) -> Vec<Line> {
        let first = events[0];
        let region = first.region.as_deref().filter(|_| common.region);
        let region = region.and_then(|id| self.region(id));
        let account = common.account.then(|| self.account(first)).flatten();
        let headline = common.headline.then(|| self.headline(&[first]));
        let shared = [
            (self.select("维护内容", "Maintenance"), headline),
            (self.select("地域", "Region"), region),
            (self.select("账号", "Account"), account),
        ];
        let shared = shared.into_iter();
        let shared = shared.filter_map(|(label, value)| Some(Line::new(label, value?)));
        self.inquiries(events).into_iter().chain(shared).collect()
    }

    /// How many events wait for somebody to decide.
    fn inquiries(&self, events: &[&Event]) -> Option<Line> {
        let count = events.iter().filter(|event| is(event, "Inquiring")).count();
        let value = self.select(
            format!("{count} 项，确认前不会执行"),
            format!("{count}; nothing happens until somebody acts"),
        );
        let label = self.select("等待您确认", "Awaiting your confirmation");
        (count > 0).then(|| Line::new(label, Text::own(value)).strong())
    }

    /// The events of one place.
    fn day_section(&self, day: &[&Event], common: &Common) -> Section {
        let lines = day.iter().map(|event| self.event_line(event, common));
        Section {
            heading: self.section_heading(day[0]),
            events: day.len(),
            named: day.len(),
            lines: lines.collect(),
        }
    }

    /// The heading under which the event stands.
    pub(super) fn section_heading(&self, event: &Event) -> Text {
        match self.place(event) {
            Place::UnderWay => self.select("进行中", "Under way").into(),
            Place::Day(date) => Text::own(self.day(date)),
            Place::Unknown => self.select("计划时间不明", "Planned time not known").into(),
        }
    }

    /// One event: how bad, when, which resource, where, whose, and what.
    pub(super) fn event_line(&self, event: &Event, common: &Common) -> Line {
        let place = self.place(event);
        let region = event.region.as_deref().filter(|_| !common.region);
        let region = region.and_then(|id| Text::foreign(id, MAX_NAME));
        let account = (!common.account).then(|| self.account(event)).flatten();
        let headline = (!common.headline).then(|| self.headline(&[event]));
        let status = self.unusual_status(event);
        let parts = [
            self.when(event, place),
            Some(self.listed_resource(event)),
            region,
            account,
            headline,
            // The heading of the section says it.
            status.filter(|_| place != Place::UnderWay),
        ];
        let parts = Text::join(parts.into_iter().flatten(), " · ");
        Line::without_label(Text::from(icon(event)).and(parts.expect("there is a resource")))
    }

    fn when(&self, event: &Event, place: Place) -> Option<Text> {
        match (place, event.not_before()?) {
            // Work that somebody hastened has a planned time that means nothing any more.
            (Place::UnderWay, EventTime::At(at)) if at > self.now => None,
            (Place::UnderWay, EventTime::At(at)) => Some(Text::own(self.minute(at))),
            (_, EventTime::At(at)) => Some(self.time_of_day(at)),
            (_, text) => self.time(&text),
        }
    }

    fn later(&self, count: usize) -> Option<Line> {
        let (verb, plural) = if count == 1 { ("is", "") } else { ("are", "s") };
        (count > 0).then(|| {
            Line::without_label(Text::own(self.select(
                format!("……另有 {count} 项较晚的未列出，函数日志中逐条记录"),
                format!(
                    "… {count} later one{plural} {verb} not listed; the function's log names every one"
                ),
            )))
        })
    }

    /// What to do, each advice once with the kinds of events that it is for. Where it is one for
    /// all, it stands alone.
    fn kinds_of_advice(&self, events: &[&Event]) -> (Option<Line>, Option<Section>) {
        let groups = group_by(events, |event| self.advice_now(event));
        if groups.len() == 1 {
            return (Some(self.advice_line(self.advice_now(events[0]))), None);
        }
        let lines = groups.iter().map(|group| {
            let line = Text::from(icon(group[0])).and(self.kinds(group));
            let line = line.with(self.options.language.colon());
            Line::without_label(line.with(self.advice_now(group[0])))
        });
        let section = Section {
            heading: self.advice_label().into(),
            events: 0,
            named: 0,
            lines: lines.collect(),
        };
        (None, Some(section))
    }

    /// What to do about an event of an own message: such a message speaks of a time that has come
    /// while the event is still `Scheduled`.
    pub(super) fn advice_now(&self, event: &Event) -> &'static str {
        if is(event, "Scheduled") && start(event).is_some_and(|at| at <= self.now) {
            return self.select(
                "计划时间已到，请保持流量切走，并在控制台查看进展。",
                "The planned time has come; keep traffic away, and see in the console how far it is.",
            );
        }
        self.advice_words(&[event])
    }

    /// The kinds of these events, each once, five at most. A status that all have stands last.
    fn kinds(&self, events: &[&Event]) -> Text {
        let first = events[0];
        let have_one_status = events.iter().all(|event| event.status == first.status);
        let kinds = group_by(events, |event| {
            let status = (!have_one_status).then_some(&event.status);
            (event.product.as_deref(), &event.name, status)
        });
        let shown = kinds.iter().take(MAX_LISTED).map(|kind| {
            if have_one_status {
                self.headline(&kind[..1])
            } else {
                self.kind(kind[0])
            }
        });
        let shown = Text::join(shown, self.options.language.list_separator());
        let shown = shown.expect("there is an event");
        let shown = match kinds.len() {
            ..=MAX_LISTED => shown,
            _ => shown.with(" …"),
        };
        match self.unusual_status(first).filter(|_| have_one_status) {
            Some(status) => shown.with(" · ").and(status),
            None => shown,
        }
    }

    /// What happens, with a status that is worth a word.
    pub(super) fn kind(&self, event: &Event) -> Text {
        let headline = self.headline(&[event]);
        match self.unusual_status(event) {
            Some(status) => headline.with(" · ").and(status),
            None => headline,
        }
    }

    /// The status in words; `None` for `Scheduled`, which all that is ahead has.
    pub(super) fn unusual_status(&self, event: &Event) -> Option<Text> {
        self.status(event).filter(|_| !is(event, "Scheduled"))
    }
}

/// When planned work begins, where that can be read.
fn start(event: &Event) -> Option<Timestamp> {
    match event.not_before()? {
        EventTime::At(at) => Some(at),
        EventTime::Text(_) => None,
    }
}

pub(super) fn is(event: &Event, status: &str) -> bool {
    let own = event.status.as_deref();
    own.is_some_and(|own| own.eq_ignore_ascii_case(status))
}

fn is_under_way(event: &Event) -> bool {
    is(event, "Executing")
}

#[cfg(test)]
mod tests {
    use super::super::{Language, RenderOptions};
    use super::*;
    use crate::testing;
    use jiff::tz::TimeZone;

    fn event(n: usize, status: &str) -> Event {
        Event {
            name: format!("Brand:New{n}"),
            status: Some(status.into()),
            ..testing::event(n)
        }
    }

    fn kinds(events: &[Event]) -> String {
        let options = RenderOptions::new(Language::En, TimeZone::UTC);
        let renderer = Renderer {
            options: &options,
            now: Timestamp::UNIX_EPOCH,
            limit: usize::MAX,
        };
        let events: Vec<&Event> = events.iter().collect();
        renderer.kinds(&events).to_string()
    }

    #[test]
    fn kinds_are_named_once_and_five_at_most_with_the_status_that_all_have() {
        let new = |n| event(n, "Scheduled");
        assert_eq!(kinds(&[new(1), new(1), new(2)]), "Brand:New1, Brand:New2");
        let inquiring = |n| event(n, "Inquiring");
        assert_eq!(
            kinds(&[inquiring(1), inquiring(2)]),
            "Brand:New1, Brand:New2 · Awaiting your confirmation"
        );
        assert_eq!(
            kinds(&[new(1), inquiring(1)]),
            "Brand:New1, Brand:New1 · Awaiting your confirmation"
        );
        let six: Vec<Event> = (1..=6).map(new).collect();
        assert!(kinds(&six[..5]).ends_with(", Brand:New5"));
        assert!(kinds(&six).ends_with(", Brand:New5 …"));
    }
}
