//! The words of ours in a message, in both languages.

use crate::event::Level;
use crate::event::region::REGIONS;

/// The language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The value of `MESSAGE_LANGUAGE`: `zh` or `en`.
    pub fn as_str(self) -> &'static str {
        self.select("zh", "en")
    }

    /// Returns one of two texts.
    pub(super) fn select<T>(self, zh: T, en: T) -> T {
        match self {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    /// What stands between a label and its value.
    pub fn colon(self) -> &'static str {
        self.select("：", ": ")
    }

    /// Every member of a group, as a mention has it.
    pub fn everyone(self) -> &'static str {
        self.select("所有人", "all")
    }

    /// What stands between the items of a list.
    pub(super) fn list_separator(self) -> &'static str {
        self.select("、", ", ")
    }
}

/// The icon of a level and a blank; `None` is unknown.
pub(super) fn level_icon(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Critical) => "🔴 ",
        Some(Level::Warn) => "🟠 ",
        Some(Level::Info) => "🔵 ",
        None => "⚪ ",
    }
}

/// A level in words; `None` is unknown.
pub(super) fn level_word(level: Option<Level>, language: Language) -> &'static str {
    let (zh, en) = match level {
        Some(Level::Critical) => ("严重", "Critical"),
        Some(Level::Warn) => ("警告", "Warning"),
        Some(Level::Info) => ("通知", "Info"),
        None => ("未知", "Unknown"),
    };
    language.select(zh, en)
}

/// The kind of a resource in words; `kind` as ARNs have it.
pub(super) fn resource_label(kind: Option<&str>, language: Language) -> &'static str {
    known_kind(kind, language).unwrap_or(language.select("资源", "Resource"))
}

/// The kind of a resource that stands beside the one that an event is about.
pub(super) fn related_label(kind: Option<&str>, language: Language) -> &'static str {
    known_kind(kind, language).unwrap_or(language.select("相关资源", "Related resource"))
}

fn known_kind(kind: Option<&str>, language: Language) -> Option<&'static str> {
    let (zh, en) = match kind? {
        "instance" => ("实例", "Instance"),
        "disk" => ("云盘", "Disk"),
        "snapshot" => ("快照", "Snapshot"),
        "eni" => ("弹性网卡", "Network interface"),
        "image" => ("镜像", "Image"),
        "securitygroup" => ("安全组", "Security group"),
        "vpc" => ("专有网络", "VPC"),
        "vswitch" => ("交换机", "vSwitch"),
        _ => return None,
    };
    Some(language.select(zh, en))
}

/// A region's name; `None` for one that the table lacks.
pub(super) fn region_name(id: &str, language: Language) -> Option<&'static str> {
    let region = REGIONS.iter().find(|region| region.id == id)?;
    Some(language.select(region.zh, region.en))
}
