//! Threshold alarms of CloudMonitor: which rule, which metric, and how far it went.

use super::renderer::Renderer;
use super::{Foreign, Language, Line, MAX_NAME, Text};
use crate::event::{Event, Level};
use serde_json::Value;

/// The name of the event that a threshold alarm becomes.
pub(super) const NAME: &str = "CloudMonitor:ThresholdAlarm";

/// Longest number, unit or time that is shown, in characters.
const MAX_AMOUNT: usize = 60;

/// An alarm's state in words; `None` for an unknown one.
pub(super) fn state(state: &str, language: Language) -> Option<&'static str> {
    let (zh, en) = match state {
        "ALERT" => ("报警中", "In alarm"),
        "OK" => ("已恢复", "Recovered"),
        "INSUFFICIENT_DATA" => ("数据不足", "Not enough data"),
        _ => return None,
    };
    Some(language.select(zh, en))
}

/// The name of the rule that raised the alarm.
pub(super) fn rule(event: &Event) -> Option<&str> {
    (event.name == NAME).then(|| text(event, "alertName"))?
}

/// Returns true if the value is in a line of [`Renderer::alarm`], stands elsewhere in the message,
/// or is of no use to a person.
pub(super) fn is_omitted(event: &Event, key: &str, value: &Value) -> bool {
    let is_level = || event.level.is_some() && value.as_str().and_then(Level::parse) == event.level;
    match key {
        "alertName" | "metricName" | "rawMetricName" | "curValue" | "unit" | "expression"
        | "lastTime" => true,
        "ruleId" | "transId" | "metricProject" => true,
        "namespace" => value == "acs_ecs_dashboard",
        "groupId" => text(event, "productGroupName").is_some(),
        // An alarm that is over has its state for a level.
        "triggerLevel" => is_level() || value.as_str() == event.status.as_deref(),
        "preTriggerLevel" => is_level() || value == "null",
        _ => false,
    }
}

fn text<'a>(event: &'a Event, key: &str) -> Option<&'a str> {
    let text = event.details.get(key)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

impl Renderer<'_> {
    /// What the alarm says: rule, metric, value, condition, how long.
    pub(super) fn alarm(&self, event: &Event) -> Vec<Line> {
        if event.name != NAME {
            return Vec::new();
        }
        let shown = |text: &str| Text::foreign(text, MAX_NAME);
        // One metric has two names.
        let metric = text(event, "metricName").or(text(event, "rawMetricName"));
        let condition = text(event, "expression").and_then(|text| self.condition(event, text));
        let lines = [
            (self.select("报警规则", "Rule"), rule(event).and_then(shown)),
            (self.select("指标", "Metric"), metric.and_then(shown)),
            (self.select("当前值", "Value"), value(event)),
            (self.select("条件", "Condition"), condition),
            (
                self.select("持续时间", "Lasted"),
                text(event, "lastTime").and_then(|text| self.duration(text)),
            ),
        ];
        lines
            .into_iter()
            .filter_map(|(label, value)| Some(Line::new(label, value?)))
            .collect()
    }

    /// `$Average>=95` in words; what has another form is shown verbatim.
    fn condition(&self, event: &Event, expression: &str) -> Option<Text> {
        let in_words = || {
            let at = expression.find(['<', '>', '=', '!'])?;
            let (statistic, rest) = expression.split_at(at);
            let operators = [">=", "<=", "==", "!=", ">", "<", "="];
            let operator = operators
                .into_iter()
                .find(|known| rest.starts_with(known))?;
            let threshold = rest[operator.len()..].trim();
            threshold.parse::<f64>().ok()?;
            let statistic = match statistic.trim().trim_start_matches('$') {
                "Average" => self.select("平均值", "average"),
                "Maximum" => self.select("最大值", "maximum"),
                "Minimum" => self.select("最小值", "minimum"),
                "Value" => self.select("值", "value"),
                "Sum" => self.select("总和", "sum"),
                _ => return None,
            };
            let operator = match operator {
                ">=" => " ≥ ",
                "<=" => " ≤ ",
                ">" => self.select(" 大于 ", " above "),
                "<" => self.select(" 小于 ", " below "),
                "!=" => " ≠ ",
                _ => " = ",
            };
            Some(
                Text::from(statistic)
                    .with(operator)
                    .and(with_unit(event, threshold)?),
            )
        };
        in_words().or_else(|| Text::foreign(expression, MAX_NAME))
    }

    /// `5分钟` in words; what has another form is shown verbatim.
    fn duration(&self, text: &str) -> Option<Text> {
        let in_words = || {
            let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            let count: u32 = number.parse().ok()?;
            let (zh, en) = match text[number.len()..].trim() {
                "秒" | "s" => ("秒", "s"),
                "分" | "分钟" | "min" | "m" => ("分钟", "min"),
                "小时" | "h" => ("小时", "h"),
                "天" | "d" => ("天", "d"),
                _ => return None,
            };
            let unit = self.select(zh, en);
            Some(Text::own(format_args!("{count} {unit}")))
        };
        in_words().or_else(|| Text::foreign(text, MAX_AMOUNT))
    }
}

/// The value that the metric has now.
fn value(event: &Event) -> Option<Text> {
    match event.details.get("curValue")? {
        Value::String(value) => with_unit(event, value),
        value @ Value::Number(_) => with_unit(event, &value.to_string()),
        _ => None,
    }
}

fn with_unit(event: &Event, number: &str) -> Option<Text> {
    let number = Foreign::new(number, MAX_AMOUNT)?;
    let unit = text(event, "unit").filter(|unit| *unit != "null");
    Some(match unit.and_then(|unit| Foreign::new(unit, MAX_AMOUNT)) {
        Some(unit) if unit.as_str().starts_with('%') => Text::from(number).with(unit),
        Some(unit) => Text::from(number).with(" ").with(unit),
        None => number.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::RenderOptions;
    use super::*;
    use crate::testing;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn alarm(data: Value) -> Event {
        Event {
            name: NAME.into(),
            details: data.as_object().unwrap().clone(),
            ..testing::event(1)
        }
    }

    fn lines(data: Value, language: Language) -> Vec<String> {
        let options = RenderOptions::new(language, TimeZone::UTC);
        let renderer = Renderer {
            options: &options,
            now: Timestamp::UNIX_EPOCH,
            limit: usize::MAX,
        };
        let lines = renderer.alarm(&alarm(data));
        lines.iter().map(|line| line.value.to_string()).collect()
    }

    #[test]
    fn a_condition_of_the_known_form_is_put_into_words() {
        for (expression, unit, zh, en) in [
            ("$Average>=95", "%", "平均值 ≥ 95%", "average ≥ 95%"),
            (
                "$Maximum > 1.5",
                "ms",
                "最大值 大于 1.5 ms",
                "maximum above 1.5 ms",
            ),
            ("$Value==0", "", "值 = 0", "value = 0"),
            ("$p99>=95", "%", "$p99>=95", "$p99>=95"),
            (
                "$Average>=95 && x",
                "%",
                "$Average>=95 && x",
                "$Average>=95 && x",
            ),
            (">", "%", ">", ">"),
        ] {
            let data = json!({"expression": expression, "unit": unit});
            assert_eq!(lines(data.clone(), Language::Zh), [zh]);
            assert_eq!(lines(data, Language::En), [en]);
        }
    }

    #[test]
    fn a_duration_of_the_known_form_is_put_into_words() {
        for (text, zh, en) in [
            ("5分钟", "5 分钟", "5 min"),
            ("2小时", "2 小时", "2 h"),
            ("1小时5分钟", "1小时5分钟", "1小时5分钟"),
            ("分钟", "分钟", "分钟"),
            ("99999999999天", "99999999999天", "99999999999天"),
        ] {
            let data = json!({"lastTime": text});
            assert_eq!(lines(data.clone(), Language::Zh), [zh]);
            assert_eq!(lines(data, Language::En), [en]);
        }
    }

    #[test]
    fn the_value_has_its_unit() {
        for (data, expected) in [
            (json!({"curValue": "97.39", "unit": "%"}), vec!["97.39%"]),
            (json!({"curValue": 97, "unit": "null"}), vec!["97"]),
            (json!({"curValue": "3", "unit": "MB"}), vec!["3 MB"]),
            (json!({"curValue": [1]}), vec![]),
            (json!({"unit": "%"}), vec![]),
        ] {
            assert_eq!(lines(data.clone(), Language::En), expected, "{data}");
        }
    }
}
