//! The reminder of a single event of planned work.

use super::renderer::Renderer;
use super::status::upcoming_start;
use super::upcoming::is;
use super::{Line, Message, Text};
use crate::event::{Event, EventTime};

impl Renderer<'_> {
    /// The message of the event itself, with a title and a heading that tell it from the first
    /// notice, and with the planned time on top.
    pub(super) fn reminder(&self, event: &Event) -> Message {
        let heading = self.reminder_heading(event);
        let parts = [self.unusual_status(event), self.short_name(event)];
        let parts = parts.into_iter().flatten();
        let title = |title: Text, part| title.with(" · ").and(part);
        Message {
            title: parts.fold(heading.clone(), title),
            heading,
            lines: self.reminder_lines(event),
            note: Some(self.advice_line(self.advice_now(event))),
            ..self.event(event)
        }
    }

    fn reminder_heading(&self, event: &Event) -> Text {
        let heading = Text::from(self.select("⏰ 提醒 · ", "⏰ Reminder · "));
        match self.beginning(event) {
            Some(beginning) => heading.and(beginning).with(" · "),
            None => heading,
        }
        .and(self.headline(&[event]))
    }

    /// How soon planned work begins: `begins in 23 h 10 min`. Work that waits for somebody is planned
    /// and may not begin. Where the time has passed, when that was. `None` where nobody knows.
    fn beginning(&self, event: &Event) -> Option<Text> {
        let EventTime::At(at) = upcoming_start(event)? else {
            return None;
        };
        Some(Text::own(match self.remaining(at) {
            Some(wait) if is(event, "Inquiring") => {
                self.select(format!("计划于 {wait}"), format!("planned {wait}"))
            }
            Some(wait) => self.select(format!("{wait}开始"), format!("begins {wait}")),
            None => {
                let planned = self.minute(at);
                self.select(format!("原定 {planned} 开始"), format!("was due {planned}"))
            }
        }))
    }

    /// The lines of the event, the planned time first. The event's time is that of its first notice.
    fn reminder_lines(&self, event: &Event) -> Vec<Line> {
        let (tags, details) = self.cut(self.tag_lines(event), self.details(event));
        let announced = self.select("发布时间", "Announced");
        let planned = self.planned(event).into_iter();
        planned
            .chain(self.about(event, announced, tags))
            .chain(self.planned_release(event))
            .chain(details)
            .collect()
    }
}
