//! Documented values of an event's data, in words.

use super::{Language, alarm, i18n, status};
use crate::event::Level;

/// A value and its words in Chinese and English.
type Word = (&'static str, &'static str, &'static str);

/// The words by key, from the documentation of the events and of the ECS API.
///
/// An operation such as `AttachDisk` is translated where it is one of a few. The operation of an
/// API call is one of hundreds and keeps its name, by which it can be looked up.
static WORDS: &[(&str, &[Word])] = &[
    (
        "action",
        &[("delete", "释放", "Release"), ("stop", "停止", "Stop")],
    ),
    (
        "operation",
        &[
            ("AttachDisk", "挂载云盘", "Attach disk"),
            ("DetachDisk", "卸载云盘", "Detach disk"),
            (
                "AttachNetworkInterface",
                "绑定弹性网卡",
                "Attach network interface",
            ),
            (
                "DetachNetworkInterface",
                "解绑弹性网卡",
                "Detach network interface",
            ),
            (
                "CreateNetworkInterface",
                "创建弹性网卡",
                "Create network interface",
            ),
            (
                "DeleteNetworkInterface",
                "删除弹性网卡",
                "Delete network interface",
            ),
        ],
    ),
    (
        "operator",
        &[("User", "用户", "User"), ("System", "系统", "System")],
    ),
    (
        "creditSpecification",
        &[
            ("Standard", "标准模式", "Standard"),
            ("Unlimited", "无性能约束模式", "Unlimited"),
        ],
    ),
    (
        "spotStrategy",
        &[
            ("NoSpot", "非抢占式", "Not a spot instance"),
            ("SpotWithPriceLimit", "设有最高价", "With a price limit"),
            ("SpotAsPriceGo", "跟随市场价", "At the market price"),
        ],
    ),
    (
        "snapshotType",
        &[
            ("user", "手动创建", "Manual"),
            ("timer", "自动创建", "Automatic"),
            ("auto", "自动创建", "Automatic"),
            ("copied", "复制", "Copied"),
            ("imported", "导入", "Imported"),
        ],
    ),
    (
        "repeatMode",
        &[
            ("Once", "执行一次", "Once"),
            ("Period", "定时执行", "On a schedule"),
            ("NextRebootOnly", "下次启动时执行", "At the next start"),
            ("EveryReboot", "每次启动时执行", "At every start"),
        ],
    ),
    (
        "userIdentity.type",
        &[
            ("root-account", "主账号", "account owner"),
            ("ram-user", "RAM 用户", "RAM user"),
            ("assumed-role", "RAM 角色", "RAM role"),
            ("saml-user", "SSO 用户", "SSO user"),
            ("cloudsso-user", "云 SSO 用户", "CloudSSO user"),
            ("system", "阿里云服务", "Alibaba Cloud service"),
        ],
    ),
    ("preTriggerLevel", &[("OK", "正常", "Normal")]),
];

/// The words for the value of a key; `None` for one that is shown verbatim.
pub(super) fn word(key: &str, value: &str, language: Language) -> Option<&'static str> {
    match key {
        "eventStatus" | "state" | "status" | "result" | "invocationStatus" | "alertStatus"
        | "eniStatus" => return status::word(value, language),
        "alertState" => return alarm::state(value, language),
        "level" | "curLevel" | "eventLevel" | "triggerLevel" | "preTriggerLevel" => {
            if let Some(level) = Level::parse(value) {
                return Some(i18n::level_word(Some(level), language));
            }
        }
        _ => {}
    }
    let (_, words) = WORDS.iter().find(|(known, _)| *known == key)?;
    let (_, zh, en) = words.iter().find(|(known, ..)| *known == value)?;
    Some(language.select(zh, en))
}

/// Yes or no.
pub(super) fn truth(value: bool, language: Language) -> &'static str {
    if value {
        language.select("是", "yes")
    } else {
        language.select("否", "no")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_values_have_words_in_both_languages() {
        for (key, value, zh, en) in [
            ("action", "delete", "释放", "Release"),
            ("operation", "AttachDisk", "挂载云盘", "Attach disk"),
            ("result", "accomplished", "成功", "Succeeded"),
            ("invocationStatus", "Timeout", "超时", "Timed out"),
            ("eniStatus", "InUse", "使用中", "In use"),
            ("alertState", "ALERT", "报警中", "In alarm"),
            ("preTriggerLevel", "WARN", "警告", "Warning"),
            ("preTriggerLevel", "OK", "正常", "Normal"),
        ] {
            assert_eq!(word(key, value, Language::Zh), Some(zh), "{key} {value}");
            assert_eq!(word(key, value, Language::En), Some(en), "{key} {value}");
        }
    }

    #[test]
    fn a_value_has_words_under_its_own_key_alone() {
        for (key, value) in [
            ("action", "hibernate"),
            ("commandName", "Stopped"),
            ("instanceName", "delete"),
            ("level", "odd"),
            ("", ""),
        ] {
            assert_eq!(word(key, value, Language::En), None, "{key} {value}");
        }
    }
}
