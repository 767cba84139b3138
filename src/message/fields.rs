//! The keys of an event's data that have a label, in both languages.

use Field::{Text, Time};

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
    ("alertState", Text("报警状态", "Alarm state")),
    ("metricName", Text("指标", "Metric")),
    ("dimensions", Text("维度", "Dimensions")),
    ("productGroupName", Text("应用分组", "Group")),
    ("triggerLevel", Text("报警级别", "Alarm level")),
    ("preTriggerLevel", Text("此前级别", "Level before")),
    ("reason", Text("原因", "Reason")),
    ("action", Text("动作", "Action")),
    ("operation", Text("操作", "Operation")),
    ("result", Text("结果", "Result")),
    ("invocationStatus", Text("执行结果", "Result")),
    ("status", Text("任务状态", "Task status")),
    ("errorCode", Text("错误码", "Error code")),
    ("errorDesc", Text("错误描述", "Error")),
    ("errorMessage", Text("错误描述", "Error")),
    ("impact", Text("影响", "Impact")),
    ("exitCode", Text("退出码", "Exit code")),
    ("privateIpAddress", Text("私网 IP", "Private IP")),
    ("publicIpAddress", Text("公网 IP", "Public IP")),
    ("primaryPrivateIp", Text("主私网 IP", "Primary private IP")),
    (
        "secondaryPrivateIps",
        Text("辅助私网 IP", "Secondary private IPs"),
    ),
    ("ipAddress", Text("IP 地址", "IP address")),
    ("ipGroup", Text("IP 地址", "IP addresses")),
    ("ipv4Prefixes", Text("IPv4 前缀", "IPv4 prefixes")),
    ("ipv6s", Text("IPv6 地址", "IPv6 addresses")),
    ("ipv6Prefixes", Text("IPv6 前缀", "IPv6 prefixes")),
    ("instanceId", Text("实例 ID", "Instance id")),
    ("instanceName", Text("实例名称", "Instance name")),
    ("instanceType", Text("实例规格", "Instance type")),
    ("vmName", Text("实例", "Instance")),
    ("ecsInstanceId", Text("挂载实例 ID", "Attached to")),
    (
        "ecsInstanceName",
        Text("挂载实例名称", "Attached to (name)"),
    ),
    ("device", Text("设备", "Device")),
    ("diskId", Text("云盘 ID", "Disk id")),
    ("diskName", Text("云盘名称", "Disk name")),
    ("imageId", Text("镜像 ID", "Image id")),
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
    ("referencedResources", Text("相关资源", "Related resources")),
    ("changedTagKeys", Text("变更的标签", "Changed tags")),
    ("InactiveDisks", Text("残留磁盘", "Leftover disks")),
    ("spotStrategy", Text("抢占策略", "Spot strategy")),
    ("commandName", Text("命令名称", "Command")),
    ("commandId", Text("命令 ID", "Command id")),
    ("invokeId", Text("执行 ID", "Invocation id")),
    ("repeatMode", Text("执行方式", "Repeat mode")),
    ("repeats", Text("执行次数", "Repeats")),
    ("notBefore", Time("计划时间", "Planned for")),
    ("executeStartTime", Time("开始时间", "Started")),
    ("executeFinishTime", Time("结束时间", "Finished")),
    ("startTime", Time("开始时间", "Started")),
    ("endTime", Time("结束时间", "Finished")),
    ("finishTime", Time("结束时间", "Finished")),
    ("intervalStart", Time("时段开始", "From")),
    ("intervalEnd", Time("时段结束", "To")),
    ("regionId", Text("地域", "Region")),
    ("acsRegion", Text("地域", "Region")),
    ("product", Text("产品", "Product")),
    ("namespace", Text("命名空间", "Namespace")),
    ("groupId", Text("应用分组 ID", "Group id")),
    (
        "tianjimonVersion",
        Text("云监控插件版本", "CloudMonitor agent"),
    ),
    ("opsCode", Text("运维事件码", "Operation code")),
    ("bizEventId", Text("业务事件 ID", "Source event id")),
    ("eventId", Text("系统事件 ID", "System event id")),
    ("eventTime", Time("事件时间", "Event time")),
    ("level", Text("事件级别", "Event level")),
    ("curLevel", Text("事件级别", "Event level")),
    ("eventLevel", Text("事件级别", "Event level")),
    ("userId", Text("账号 ID", "Account id")),
    ("messageBody", Text("消息内容", "Message")),
    ("messageId", Text("消息 ID", "Message id")),
    ("data_base64", Text("数据（Base64）", "Data (Base64)")),
];

/// Returns the place in the order and the field of a key; `None` for a key without a label.
pub(super) fn field(key: &str) -> Option<(usize, Field)> {
    let mut fields = FIELDS.iter().enumerate();
    let (place, (_, field)) = fields.find(|(_, (known, _))| *known == key)?;
    Some((place, *field))
}
