//! Messages of the function about itself, and which one it is where it speaks by itself.

use super::event::{code, footer_of};
use super::renderer::Renderer;
use super::{Foreign, Line, MAX_NAME, Message, Span, Text, Tone, i18n};
use crate::event::{AccessError, Event, LookupHealth, OccasionKind, Vitals};
use jiff::SignedDuration;
use std::sync::Arc;

/// Longest reason that is shown, in characters.
const MAX_REASON: usize = 300;
/// Most names of routes that are shown.
const MAX_ROUTES: usize = 20;
/// A clock that is off by so much at most is right.
const IN_STEP: SignedDuration = SignedDuration::from_secs(2);
/// A clock that is off by more soon makes signatures worthless.
const FAR_OFF: SignedDuration = SignedDuration::from_mins(5);

impl Renderer<'_> {
    /// The message of events of the function's own making.
    pub(super) fn own(&self, kind: &OccasionKind, events: &[&Event]) -> Message {
        match (kind, events) {
            (OccasionKind::Digest, _) => self.upcoming(events),
            (OccasionKind::Reminder(_), [event]) => self.reminder(event),
            (OccasionKind::Reminder(_), _) => self.reminders(events),
            (OccasionKind::Heartbeat(vitals), [event]) => self.heartbeat(event, vitals),
            (OccasionKind::MaintenanceUnknown(cause), [event]) => {
                self.maintenance_unknown(event, cause)
            }
            // Each of them is alone.
            (OccasionKind::Heartbeat(_) | OccasionKind::MaintenanceUnknown(_), _) => {
                self.digest(events)
            }
        }
    }

    /// A sign of life. It says in its heading if somebody should read on.
    fn heartbeat(&self, event: &Event, vitals: &Vitals) -> Message {
        let heading = match concerns(vitals) {
            0 => self
                .select("💚 通知函数运行正常", "💚 The notifier is alive")
                .into(),
            1 => self
                .select(
                    "💛 通知函数在运行，有 1 处需要关注",
                    "💛 The notifier is alive, with 1 thing to look at",
                )
                .into(),
            count => Text::own(self.select(
                format!("💛 通知函数在运行，有 {count} 处需要关注"),
                format!("💛 The notifier is alive, with {count} things to look at"),
            )),
        };
        let lines = [
            self.outcomes(vitals),
            self.next_maintenance(vitals),
            self.lookups(&vitals.lookups),
            self.clock(vitals.clock_ahead),
            self.routes(&vitals.routes),
            Line::new(self.select("版本", "Version"), vitals.version.into()),
        ];
        let tone = match concerns(vitals) {
            0 => Tone::Good,
            _ => Tone::Warn,
        };
        self.about_itself(event, heading, lines.into(), None, tone)
    }

    /// Why nobody knows what is ahead.
    fn maintenance_unknown(&self, event: &Event, cause: &AccessError) -> Message {
        let language = self.options.language;
        let icon = Text::from(i18n::level_icon(event.level));
        let title = self.select("无法读取计划维护", "Upcoming maintenance cannot be read");
        let level = icon.clone().with(i18n::level_word(event.level, language));
        let lines = vec![
            Line::new(self.select("级别", "Level"), level),
            Line::new(self.select("原因", "Reason"), self.reason(cause)).strong(),
            Line::new(
                self.select("影响", "Meanwhile"),
                self.select(
                    "摘要和提醒暂停，事件通知照常发送。",
                    "No digests and no reminders; notices of events still come.",
                )
                .into(),
            ),
        ];
        let remedy = self.remedy(cause);
        let remedy = remedy.map(|remedy| Line::new(self.advice_label(), remedy));
        let tone = Tone::of_level(event.level);
        self.about_itself(event, icon.with(title), lines, remedy, tone)
    }

    fn about_itself(
        &self,
        event: &Event,
        heading: Text,
        lines: Vec<Line>,
        note: Option<Line>,
        tone: Tone,
    ) -> Message {
        Message {
            language: self.options.language,
            title: heading.clone(),
            heading,
            tone,
            lines,
            sections: Vec::new(),
            note,
            link: None,
            footer: footer_of(code(event)),
            mentions: self.mentions(&[event]),
        }
    }

    fn outcomes(&self, vitals: &Vitals) -> Line {
        let Vitals {
            delivered,
            filtered,
            failed,
            ..
        } = vitals;
        let value = if [*delivered, *filtered, *failed] == [0; 3] {
            self.select("尚无事件".into(), "no events yet".into())
        } else {
            self.select(
                format!("已送达 {delivered}，已过滤 {filtered}，失败 {failed}"),
                format!("{delivered} delivered, {filtered} filtered, {failed} failed"),
            )
        };
        let since = self.minute(vitals.since);
        let label = self.select(
            format!("自启动（{since}）以来"),
            format!("Since its start ({since})"),
        );
        let line = Line::new(Span::Own(label.into()), Text::own(value));
        strong_if(*failed > 0, line)
    }

    fn next_maintenance(&self, vitals: &Vitals) -> Line {
        let value = match &vitals.upcoming {
            None => self.select("未知", "not known").into(),
            Some((_, 0)) => self.select("无", "none").into(),
            Some((None, count)) => self.in_all(*count),
            Some((Some(next), count)) => self.next(next, *count),
        };
        Line::new(self.select("下次维护", "Next maintenance"), value)
    }

    fn next(&self, next: &Arc<Event>, count: usize) -> Text {
        let planned = next.not_before().and_then(|at| self.countdown(&at));
        let parts = [planned, self.resource(next, None)].into_iter().flatten();
        match Text::join(parts, " · ") {
            Some(next) if count == 1 => next,
            Some(next) => next.with(" · ").and(self.in_all(count)),
            None => self.in_all(count),
        }
    }

    fn in_all(&self, count: usize) -> Text {
        Text::own(self.select(format!("共 {count} 项"), format!("{count} in all")))
    }

    fn lookups(&self, lookups: &LookupHealth) -> Line {
        let label = self.select("资源查询", "Look-ups");
        match lookups {
            LookupHealth::Off => Line::new(label, self.select("已关闭", "off").into()),
            LookupHealth::Work => Line::new(label, self.select("正常", "working").into()),
            LookupHealth::Fail(cause) => {
                let words = [Some(self.reason(cause)), self.remedy(cause)];
                let value = Text::join(words.into_iter().flatten(), self.select("", " "));
                let line = Line::new(label, value.expect("there is a reason"));
                strong_if(is_concern(cause), line)
            }
        }
    }

    fn clock(&self, ahead: Option<SignedDuration>) -> Line {
        let value = match ahead {
            None => self.select("偏差未知", "not compared yet").into(),
            Some(ahead) if ahead.unsigned_abs() <= IN_STEP.unsigned_abs() => self
                .select("与机器人一致", "in step with the chatbot's")
                .into(),
            Some(ahead) => Text::own(self.offset(ahead)),
        };
        let line = Line::new(self.select("时钟", "Clock"), value);
        strong_if(is_far_off(ahead), line)
    }

    fn offset(&self, ahead: SignedDuration) -> String {
        let seconds = ahead.unsigned_abs().as_secs();
        let size = match seconds {
            ..120 => self.select(format!("{seconds} 秒"), format!("{seconds} s")),
            _ => {
                let minutes = seconds / 60;
                self.select(format!("{minutes} 分钟"), format!("{minutes} min"))
            }
        };
        if ahead.is_negative() {
            self.select(
                format!("比机器人慢 {size}"),
                format!("{size} behind the chatbot's"),
            )
        } else {
            self.select(
                format!("比机器人快 {size}"),
                format!("{size} ahead of the chatbot's"),
            )
        }
    }

    fn routes(&self, routes: &[String]) -> Line {
        let shown = routes.iter().take(MAX_ROUTES);
        let shown = shown.filter_map(|name| Text::foreign(name, MAX_NAME));
        let shown = Text::join(shown, self.options.language.list_separator());
        let shown = shown.unwrap_or_else(|| "-".into());
        let value = match routes.len() {
            ..=MAX_ROUTES => shown,
            _ => shown.with(" …"),
        };
        Line::new(self.select("路由", "Routes"), value)
    }

    /// Why the API could not be read.
    fn reason(&self, cause: &AccessError) -> Text {
        match cause {
            AccessError::NoRole => self
                .select("函数没有角色。", "The function has no role.")
                .into(),
            AccessError::NoRegion => self
                .select("没有指定要查询的地域。", "No region is named to ask.")
                .into(),
            AccessError::Denied { permission } => Text::from(self.select(
                "函数的角色没有权限 ",
                "The function's role lacks the permission ",
            ))
            .with(shown(permission))
            .with(self.select("。", ".")),
            AccessError::Other(reason) => shown(reason).into(),
        }
    }

    /// What to do about it; `None` where the reason says so itself.
    fn remedy(&self, cause: &AccessError) -> Option<Text> {
        let remedy = match cause {
            AccessError::NoRole => self.select(
                "请为函数配置角色：在 .env 中设置 ROLE，或在 template.yml 中设置 CreateRole，然后重新部署。",
                "Give it one: set ROLE in .env, or CreateRole in template.yml, and deploy again.",
            ),
            AccessError::NoRegion => self.select(
                "请在环境变量 RESOURCE_REGIONS 中写明地域，例如 cn-hangzhou。",
                "Name regions in the environment variable RESOURCE_REGIONS, such as cn-hangzhou.",
            ),
            AccessError::Denied { .. } => self.select(
                "请在 RAM 中为该角色授予此权限。",
                "Grant the role this permission in RAM.",
            ),
            AccessError::Other(_) => return None,
        };
        Some(remedy.into())
    }
}

/// Words from an API or of the configuration.
fn shown(text: &str) -> Span {
    Foreign::new(text, MAX_REASON).map_or(Span::from("-"), Span::from)
}

fn strong_if(is_strong: bool, line: Line) -> Line {
    if is_strong { line.strong() } else { line }
}

/// How many lines of a sign of life somebody should look at.
fn concerns(vitals: &Vitals) -> usize {
    let lookups = match &vitals.lookups {
        LookupHealth::Fail(cause) => is_concern(cause),
        LookupHealth::Off | LookupHealth::Work => false,
    };
    let all = [vitals.failed > 0, lookups, is_far_off(vitals.clock_ahead)];
    all.into_iter().filter(|is_concern| *is_concern).count()
}

/// Returns false for what may be meant so.
fn is_concern(cause: &AccessError) -> bool {
    matches!(cause, AccessError::Denied { .. } | AccessError::Other(_))
}

fn is_far_off(ahead: Option<SignedDuration>) -> bool {
    ahead.is_some_and(|ahead| ahead.unsigned_abs() > FAR_OFF.unsigned_abs())
}
