//! Points in time and waits, in words.

use super::renderer::Renderer;
use super::text::Text;
use crate::event::{Event, EventTime};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Longest time of an unknown format that is shown, in characters.
const MAX_CHARS: usize = 60;
/// An event that is sent longer than this after it happened is late. EventBridge's own retries take
/// less, mostly.
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// No queue keeps an event longer than this. What is older was never lost, but is a sample.
const KEPT: SignedDuration = SignedDuration::from_hours(15 * 24);

/// Formats a time in `zone`, to the second and with the zone's offset:
/// `2026-11-25 09:01:00 (UTC+08:00)`.
pub fn format_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S (UTC%:z)")
        .to_string()
}

impl Renderer<'_> {
    /// A time of an event; `None` where nothing can be shown.
    pub(super) fn time(&self, time: &EventTime) -> Option<Text> {
        match time {
            EventTime::At(at) => Some(Text::own(format_time(*at, &self.options.zone))),
            EventTime::Text(text) => Text::foreign(text, MAX_CHARS),
        }
    }

    /// A planned time with the wait until then: `in 2 days 14 h, 2026-11-25 09:01`.
    pub(super) fn countdown(&self, planned: &EventTime) -> Option<Text> {
        let EventTime::At(at) = planned else {
            return self.time(planned);
        };
        Some(self.wait(*at, self.due()))
    }

    /// Says when a message was sent that holds an event of an hour to 15 days before, where the route
    /// wants to tell.
    pub(super) fn lateness(&self, events: &[&Event]) -> Option<Text> {
        let is_late = |event: &&Event| match event.time {
            Some(EventTime::At(at)) => {
                let age = self.now.duration_since(at);
                age > LATE && age <= KEPT
            }
            _ => false,
        };
        let tells = self.options.tells_lateness && events.iter().any(is_late);
        tells.then(|| {
            let now = self.minute(self.now);
            Text::own(self.select(
                format_args!("补发于 {now}"),
                format_args!("sent again {now}"),
            ))
        })
    }

    fn due(&self) -> &'static str {
        self.select("（已到时间）", " (due)")
    }

    /// When a spot instance is released, with the wait until then.
    pub(super) fn release(&self, at: Timestamp) -> Text {
        // Nobody calls a release off, so it has happened.
        let past = self.select("（已过，实例已释放）", " (already past: released)");
        self.wait(at, past)
    }

    /// The wait until a time, and the time; with `past` behind it where it has come.
    fn wait(&self, at: Timestamp, past: &'static str) -> Text {
        let local = self.minute(at);
        match self.remaining(at) {
            Some(wait) => Text::own(self.select(
                format_args!("{wait}，{local}"),
                format_args!("{wait}, {local}"),
            )),
            None => Text::own(local).with(past),
        }
    }

    /// The time of day of planned work, with the wait until then: `09:01, in 2 days 14 h`.
    pub(super) fn time_of_day(&self, at: Timestamp) -> Text {
        let time = self.local(at).strftime("%H:%M").to_string();
        match self.remaining(at) {
            Some(wait) => Text::own(self.select(
                format_args!("{time}，{wait}"),
                format_args!("{time}, {wait}"),
            )),
            None => Text::own(time).with(self.due()),
        }
    }

    /// A day: `Wed 2026-11-25`. In Chinese the year stands there only if it is not the present one.
    pub(super) fn day(&self, date: Date) -> String {
        const DAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
        let english = date.strftime("%a %Y-%m-%d");
        let (year, month, day) = (date.year(), date.month(), date.day());
        let weekday = DAYS[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
        let year = match self.date(self.now).year() == year {
            true => String::new(),
            false => format!("{year}年"),
        };
        self.select(
            format!("{year}{month}月{day}日 周{weekday}"),
            english.to_string(),
        )
    }

    /// The day in the zone.
    pub(super) fn date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// A time to the minute: `2026-11-25 09:01`.
    pub(super) fn minute(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The wait until a time: `in 2 days 14 h`; `None` where it has come.
    pub(super) fn remaining(&self, at: Timestamp) -> Option<String> {
        if at <= self.now {
            return None;
        }
        let minutes = (at.as_second() - self.now.as_second()) / 60;
        let wait = match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
            (0, 0, 0) => self.select("不到 1 分钟".into(), "less than 1 min".into()),
            (0, 0, m) => self.select(format!("{m} 分钟"), format!("{m} min")),
            (0, h, m) => self.select(format!("{h} 小时 {m} 分钟"), format!("{h} h {m} min")),
            (1, h, _) => self.select(format!("1 天 {h} 小时"), format!("1 day {h} h")),
            (d, h, _) => self.select(format!("{d} 天 {h} 小时"), format!("{d} days {h} h")),
        };
        Some(self.select(format!("{wait}后"), format!("in {wait}")))
    }

    fn local(&self, at: Timestamp) -> DateTime {
        self.options.zone.to_datetime(at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Language, RenderOptions};
    use super::*;

    fn options(language: Language, zone: &str) -> RenderOptions {
        RenderOptions::new(language, TimeZone::get(zone).unwrap())
    }

    #[test]
    fn times_are_shown_in_the_zone_with_its_offset() {
        let at: Timestamp = "2026-11-25T01:01:00Z".parse().unwrap();
        for (zone, expected) in [
            ("Asia/Shanghai", "2026-11-25 09:01:00 (UTC+08:00)"),
            ("UTC", "2026-11-25 01:01:00 (UTC+00:00)"),
            ("America/New_York", "2026-11-24 20:01:00 (UTC-05:00)"),
            ("Asia/Kathmandu", "2026-11-25 06:46:00 (UTC+05:45)"),
        ] {
            assert_eq!(format_time(at, &TimeZone::get(zone).unwrap()), expected);
        }
        // All times that there are can be written, also those with an offset to the second.
        let monrovia = TimeZone::get("Africa/Monrovia").unwrap();
        for (at, expected) in [
            (
                "1900-01-01T00:00:00Z".parse().unwrap(),
                "1899-12-31 23:16:52 (UTC-00:43:08)",
            ),
            (Timestamp::MIN, "-9999-01-02 01:16:51 (UTC-00:43:08)"),
            (Timestamp::MAX, "9999-12-30 22:00:00 (UTC+00:00)"),
        ] {
            assert_eq!(format_time(at, &monrovia), expected);
        }
    }

    #[test]
    fn times_of_unknown_format_are_foreign() {
        let options = options(Language::En, "UTC");
        let renderer = Renderer {
            options: &options,
            now: Timestamp::UNIX_EPOCH,
            limit: usize::MAX,
        };
        let odd = EventTime::Text("[soon](x)".into());
        let expected = Text::foreign("[soon](x)", 60);
        assert_eq!(renderer.time(&odd), expected);
        assert_eq!(renderer.countdown(&odd), expected);
        assert_eq!(renderer.time(&EventTime::Text("\u{200b}".into())), None);
    }

    #[test]
    fn what_is_sent_long_after_it_happened_says_when() {
        let happened: Timestamp = "2026-11-25T01:01:00Z".parse().unwrap();
        let event = |at| Event {
            time: at,
            ..Event::default()
        };
        let late = event(Some(EventTime::At(happened)));
        let unknown = [event(None), event(Some(EventTime::Text("soon".into())))];
        for (language, expected) in [
            (Language::Zh, "补发于 2026-11-25 10:01"),
            (Language::En, "sent again 2026-11-25 10:01"),
        ] {
            let mut options = options(language, "Asia/Shanghai");
            let lateness = |options: &RenderOptions, now: Timestamp, events: &[&Event]| {
                let renderer = Renderer {
                    options,
                    now,
                    limit: usize::MAX,
                };
                renderer.lateness(events).map(|text| text.to_string())
            };
            let hour = happened + SignedDuration::from_hours(1);
            let later = hour + SignedDuration::from_secs(1);
            assert_eq!(lateness(&options, later, &[&late]), None);
            options.tells_lateness = true;
            assert_eq!(lateness(&options, hour, &[&late]), None);
            let shown = lateness(&options, later, &[&unknown[0], &late]);
            assert_eq!(shown.as_deref(), Some(expected));
            let kept = happened + SignedDuration::from_hours(15 * 24);
            assert!(lateness(&options, kept, &[&late]).is_some());
            let sample = kept + SignedDuration::from_secs(1);
            assert_eq!(lateness(&options, sample, &[&late]), None);
            assert_eq!(lateness(&options, later, &unknown.each_ref()), None);
        }
    }

    #[test]
    fn a_day_has_its_weekday_and_in_chinese_a_year_only_if_it_is_another() {
        let now = "2026-11-25T17:00:00Z".parse().unwrap();
        for (at, zh, en) in [
            ("2026-11-28T15:59:00Z", "11月28日 周六", "Sat 2026-11-28"),
            ("2026-11-28T16:00:00Z", "11月29日 周日", "Sun 2026-11-29"),
            (
                "2026-12-31T16:00:00Z",
                "2027年1月1日 周五",
                "Fri 2027-01-01",
            ),
            ("2026-11-29T16:00:00Z", "11月30日 周一", "Mon 2026-11-30"),
        ] {
            let shown = [Language::Zh, Language::En].map(|language| {
                let options = options(language, "Asia/Shanghai");
                let renderer = Renderer {
                    options: &options,
                    now,
                    limit: usize::MAX,
                };
                renderer.day(renderer.date(at.parse().unwrap()))
            });
            assert_eq!(shown, [zh, en]);
        }
        // All times that there are have a day.
        for at in [Timestamp::MIN, Timestamp::MAX] {
            for zone in ["Pacific/Kiritimati", "Africa/Monrovia"] {
                let options = options(Language::Zh, zone);
                let renderer = Renderer {
                    options: &options,
                    now: at,
                    limit: usize::MAX,
                };
                assert!(renderer.day(renderer.date(at)).contains(" 周"));
                assert!(renderer.time_of_day(at).to_string().contains(":"));
            }
        }
    }

    #[test]
    fn a_countdown_shows_the_wait_and_the_local_time() {
        let (zh, en) = (
            options(Language::Zh, "Asia/Shanghai"),
            options(Language::En, "Asia/Shanghai"),
        );
        let planned = EventTime::At("2026-11-25T01:01:00Z".parse().unwrap());
        for (now, expected_en, expected_zh) in [
            (
                "2026-11-22T11:00:30Z",
                "in 2 days 14 h, 2026-11-25 09:01",
                "2 天 14 小时后，2026-11-25 09:01",
            ),
            (
                "2026-11-24T00:01:00Z",
                "in 1 day 1 h, 2026-11-25 09:01",
                "1 天 1 小时后，2026-11-25 09:01",
            ),
            (
                "2026-11-24T20:31:00Z",
                "in 4 h 30 min, 2026-11-25 09:01",
                "4 小时 30 分钟后，2026-11-25 09:01",
            ),
            (
                "2026-11-25T00:56:00Z",
                "in 5 min, 2026-11-25 09:01",
                "5 分钟后，2026-11-25 09:01",
            ),
            (
                "2026-11-25T01:00:30Z",
                "in less than 1 min, 2026-11-25 09:01",
                "不到 1 分钟后，2026-11-25 09:01",
            ),
            (
                "2026-11-25T01:01:00Z",
                "2026-11-25 09:01 (due)",
                "2026-11-25 09:01（已到时间）",
            ),
            (
                "2027-11-25T01:01:00Z",
                "2026-11-25 09:01 (due)",
                "2026-11-25 09:01（已到时间）",
            ),
        ] {
            let now = now.parse().unwrap();
            for (options, expected) in [(&en, expected_en), (&zh, expected_zh)] {
                let shown = Renderer {
                    options,
                    now,
                    limit: usize::MAX,
                }
                .countdown(&planned)
                .unwrap();
                assert_eq!(shown.to_string(), expected);
            }
        }
    }
}
