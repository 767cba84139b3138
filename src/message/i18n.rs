//! The words of ours in a message, in both languages.

use crate::event::Level;
use crate::event::region::REGIONS;
use Field::{Text, Time};

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

/// A status in words; `None` for one without a translation, which is shown verbatim.
pub(super) fn status_word(status: &str, language: Language) -> Option<&'static str> {
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
        "RESOLVED" => ("已恢复", "Resolved"),
        _ => return None,
    };
    Some(language.select(zh, en))
}

/// The icon of a final status and a blank; empty for every other, `Failed` included.
pub(super) fn final_icon(status: &str) -> &'static str {
    let is = |word: &str| status.eq_ignore_ascii_case(word);
    if is("executed") || is("avoided") {
        "✅ "
    } else if is("canceled") || is("cancelled") {
        "🚫 "
    } else {
        ""
    }
}

/// The kind of a resource in words; `kind` as ARNs have it.
pub(super) fn resource_label(kind: Option<&str>, language: Language) -> &'static str {
    let (zh, en) = match kind {
        Some("instance") => ("实例", "Instance"),
        Some("disk") => ("云盘", "Disk"),
        Some("snapshot") => ("快照", "Snapshot"),
        Some("eni") => ("弹性网卡", "Network interface"),
        Some("image") => ("镜像", "Image"),
        _ => ("资源", "Resource"),
    };
    language.select(zh, en)
}

/// How the value of a key in an event's data is shown.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// Shown under this label (zh, en).
    Text(&'static str, &'static str),
    /// A time, shown in the configured zone.
    Time(&'static str, &'static str),
}

/// Keys that have a label, the most important first; any other key keeps its own name.
static FIELDS: &[(&str, Field)] = &[
    ("alertStatus", Text("告警状态", "Alert status")),
    ("reason", Text("原因", "Reason")),
    ("action", Text("动作", "Action")),
    ("operation", Text("操作", "Operation")),
    ("result", Text("结果", "Result")),
    ("invocationStatus", Text("执行结果", "Result")),
    ("status", Text("任务状态", "Task status")),
    ("errorCode", Text("错误码", "Error code")),
    ("errorDesc", Text("错误描述", "Error")),
    ("exitCode", Text("退出码", "Exit code")),
    ("privateIpAddress", Text("私网 IP", "Private IP")),
    ("publicIpAddress", Text("公网 IP", "Public IP")),
    ("primaryPrivateIp", Text("主私网 IP", "Primary private IP")),
    (
        "secondaryPrivateIps",
        Text("辅助私网 IP", "Secondary private IPs"),
    ),
    ("ipv4Prefixes", Text("IPv4 前缀", "IPv4 prefixes")),
    ("ipv6s", Text("IPv6 地址", "IPv6 addresses")),
    ("ipv6Prefixes", Text("IPv6 前缀", "IPv6 prefixes")),
    ("instanceId", Text("实例 ID", "Instance id")),
    ("instanceName", Text("实例名称", "Instance name")),
    ("instanceType", Text("实例规格", "Instance type")),
    ("ecsInstanceId", Text("挂载实例 ID", "Attached to")),
    (
        "ecsInstanceName",
        Text("挂载实例名称", "Attached to (name)"),
    ),
    ("device", Text("设备", "Device")),
    ("diskId", Text("云盘 ID", "Disk id")),
    ("snapshotId", Text("快照 ID", "Snapshot id")),
    ("snapshotName", Text("快照名称", "Snapshot name")),
    ("snapshotType", Text("快照类型", "Snapshot type")),
    ("eniId", Text("网卡 ID", "Network interface id")),
    ("eniStatus", Text("网卡状态", "Interface status")),
    ("vpcId", Text("专有网络", "VPC")),
    ("vswitchId", Text("交换机", "vSwitch")),
    ("sourceDedicatedHostId", Text("源宿主机", "From host")),
    ("destinationDedicatedHostId", Text("目标宿主机", "To host")),
    ("creditSpecification", Text("性能模式", "Performance mode")),
    ("operator", Text("操作者", "Operator")),
    ("spotStrategy", Text("抢占策略", "Spot strategy")),
    ("commandName", Text("命令名称", "Command")),
    ("commandId", Text("命令 ID", "Command id")),
    ("invokeId", Text("执行 ID", "Invocation id")),
    ("repeatMode", Text("执行方式", "Repeat mode")),
    ("repeats", Text("执行次数", "Repeats")),
    (
        "notBefore",
        Time("计划时间 notBefore", "Planned for (notBefore)"),
    ),
    ("executeStartTime", Time("开始时间", "Started")),
    ("executeFinishTime", Time("结束时间", "Finished")),
    ("startTime", Time("开始时间", "Started")),
    ("endTime", Time("结束时间", "Finished")),
    ("finishTime", Time("结束时间", "Finished")),
    ("intervalStart", Time("时段开始", "From")),
    ("intervalEnd", Time("时段结束", "To")),
    ("eventId", Text("系统事件 ID", "System event id")),
    ("eventTime", Time("事件时间", "Event time")),
    ("level", Text("事件级别", "Event level")),
    ("curLevel", Text("事件级别", "Event level")),
];

/// Returns the place in the order and the field of a key; `None` for a key without a label.
pub(super) fn field(key: &str) -> Option<(usize, Field)> {
    let mut fields = FIELDS.iter().enumerate();
    let (place, (_, field)) = fields.find(|(_, (known, _))| *known == key)?;
    Some((place, *field))
}

/// A region's name; `None` for one that the table lacks.
pub(super) fn region_name(id: &str, language: Language) -> Option<&'static str> {
    let region = REGIONS.iter().find(|region| region.id == id)?;
    Some(language.select(region.zh, region.en))
}
