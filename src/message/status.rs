//! What has become of the matter: the status in words, and the icons.

use super::renderer::Renderer;
use super::{Language, Text, Tone, alarm, i18n};
use crate::event::{Event, EventTime};

/// Longest status without a translation that is shown, in characters.
const MAX_STATUS: usize = 60;

impl Renderer<'_> {
    /// The status in words.
    pub(super) fn status(&self, event: &Event) -> Option<Text> {
        let language = self.options.language;
        // What the alert has come to replaces the status that it began with.
        let status = if is_resolved(event) {
            "RESOLVED"
        } else {
            event.status.as_deref()?
        };
        let state = alarm::state(status, language).filter(|_| event.name == alarm::NAME);
        let word = state.or_else(|| word(status, language));
        word.map(Text::from)
            .or_else(|| Text::foreign(status, MAX_STATUS))
    }
}

/// A status in words; `None` for one without a translation, which is shown verbatim.
pub(super) fn word(status: &str, language: Language) -> Option<&'static str> {
    let (zh, en) = match status {
        "Inquiring" => ("问询中（等待您确认）", "Awaiting your confirmation"),
        "Scheduled" => ("已计划（等待执行）", "Scheduled"),
        "Executing" => ("执行中", "In progress"),
        "Executed" => ("已完成", "Completed"),
        "Avoided" => ("已规避", "Avoided"),
        "Canceled" | "Cancelled" => ("已取消", "Canceled"),
        "Failed" => ("已失败", "Failed"),
        "Pending" => ("准备中", "Pending"),
        "Created" => ("已创建", "Created"),
        "Starting" => ("启动中", "Starting"),
        "Running" | "running" => ("运行中", "Running"),
        "Stopping" => ("停止中", "Stopping"),
        "Stopped" | "stopped" => ("已停止", "Stopped"),
        "Deleted" => ("已释放", "Released"),
        "started" => ("已开始", "Started"),
        "accomplished" | "success" | "Success" => ("成功", "Succeeded"),
        "failed" => ("失败", "Failed"),
        "Timeout" => ("超时", "Timed out"),
        "Aborted" => ("未能下发", "Could not be sent"),
        "Invalid" => ("无效", "Invalid"),
        "Terminated" => ("已终止", "Terminated"),
        "Available" => ("可用", "Available"),
        "InUse" | "In_use" => ("使用中", "In use"),
        "Creating" => ("创建中", "Creating"),
        "Attaching" => ("挂载中", "Attaching"),
        "Detaching" => ("卸载中", "Detaching"),
        "Deleting" => ("删除中", "Deleting"),
        "normal" => ("正常", "Normal"),
        "unnormal" => ("异常", "Abnormal"),
        "warn" | "Warn" => ("警告", "Warning"),
        "RESOLVED" => ("已恢复", "Resolved"),
        _ => return None,
    };
    Some(language.select(zh, en))
}

/// Returns true if nothing will follow: the event is final, or its alert is resolved.
pub(super) fn is_over(event: &Event) -> bool {
    event.is_final() || is_resolved(event)
}

/// Returns true if the alert that the event belongs to is resolved, whatever the event's status.
pub(super) fn is_resolved(event: &Event) -> bool {
    let status = event.details.get("alertStatus");
    status.is_some_and(|status| status == "RESOLVED")
}

/// The icon of a matter that is over and a blank; empty for every other, `Failed` included.
pub(super) fn over_icon(event: &Event) -> &'static str {
    if !is_over(event) {
        return "";
    }
    let status = event.status.as_deref().unwrap_or_default();
    let is = |word: &str| status.eq_ignore_ascii_case(word);
    if is("canceled") || is("cancelled") {
        "🚫 "
    } else {
        "✅ "
    }
}

/// The icon that a title begins with, and a blank. How bad a matter was no longer calls for
/// attention when it is over.
pub(super) fn icon(event: &Event) -> &'static str {
    match over_icon(event) {
        "" => i18n::level_icon(event.level),
        icon => icon,
    }
}

/// The tone of the event's message.
pub(super) fn tone(event: &Event) -> Tone {
    match is_over(event) {
        true => Tone::Good,
        false => Tone::of_level(event.level),
    }
}

/// When planned work begins that has neither begun nor been called off.
pub(super) fn upcoming_start(event: &Event) -> Option<EventTime> {
    let is_upcoming = event.status.as_deref().is_none_or(|status| {
        status.eq_ignore_ascii_case("Scheduled") || status.eq_ignore_ascii_case("Inquiring")
    });
    event.not_before().filter(|_| is_upcoming)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use serde_json::json;

    fn with_status(status: &str) -> Event {
        Event {
            status: Some(status.into()),
            ..testing::event(0)
        }
    }

    #[test]
    fn what_is_over_has_an_icon_of_its_own_instead_of_its_levels() {
        for (status, over, first) in [
            ("Executed", "✅ ", "✅ "),
            ("avoided", "✅ ", "✅ "),
            ("Canceled", "🚫 ", "🚫 "),
            ("Cancelled", "🚫 ", "🚫 "),
            ("Failed", "", "🔴 "),
            ("Executing", "", "🔴 "),
            // Good news of a threshold alarm, nothing known of another event.
            ("OK", "", "🔴 "),
        ] {
            let event = with_status(status);
            assert_eq!((over_icon(&event), icon(&event)), (over, first), "{status}");
        }
        let mut alarm = with_status("OK");
        alarm.name = alarm::NAME.into();
        assert_eq!((icon(&alarm), is_over(&alarm)), ("✅ ", true));
        alarm.status = Some("ALERT".into());
        assert_eq!((icon(&alarm), is_over(&alarm)), ("🔴 ", false));
    }

    #[test]
    fn a_resolved_alert_is_over_whatever_its_event_said() {
        let mut event = with_status("Executing");
        for (status, over) in [("RESOLVED", true), ("TRIGGERED", false)] {
            event.details.insert("alertStatus".into(), json!(status));
            assert_eq!(is_over(&event), over, "{status}");
        }
    }
}
