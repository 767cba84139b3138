//! System events as the API tells them → events.

use crate::aliyun::SystemEvent;
use crate::event::{Event, EventTime};
use serde_json::{Map, Value};

/// Returns the event that EventBridge would send: the API calls `SystemMaintenance.Reboot` what is
/// `Instance:SystemMaintenance.Reboot` there.
pub(super) fn event(found: SystemEvent, region: &str) -> Event {
    let mut details = Map::new();
    let mut add = |key: &str, value: Option<String>| {
        details.extend(value.map(|value| (key.to_owned(), Value::String(value))));
    };
    add("instanceId", found.instance_id);
    add("notBefore", found.not_before);
    add("reason", found.reason);
    for (key, value) in found.attributes {
        // Others repeat what is said already, or are for programs.
        match key.as_str() {
            "DiskId" => add("diskId", Some(value)),
            "Device" => add("device", Some(value)),
            _ => {}
        }
    }
    let published = found.published.map(Value::String);
    let event = Event {
        source: "acs.ecs".into(),
        id: Some(found.id),
        name: format!("Instance:{}", found.kind),
        status: Some(found.status),
        product: Some("ECS".into()),
        region: Some(region.to_owned()),
        time: published.as_ref().and_then(EventTime::parse),
        details,
        ..Event::default()
    };
    event.complete([None, None])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Level;
    use serde_json::json;

    #[test]
    fn a_system_event_is_what_eventbridge_would_send() {
        let found = SystemEvent {
            id: "e-1".into(),
            instance_id: Some("i-1".into()),
            kind: "SystemMaintenance.RebootAndIsolateErrorDisk".into(),
            status: "Inquiring".into(),
            published: Some("2026-11-23T02:10:00Z".into()),
            not_before: Some("2026-11-30T02:10:00Z".into()),
            reason: Some("a disk fails".into()),
            attributes: vec![
                ("DiskId".into(), "d-1".into()),
                ("Device".into(), "/dev/xvdb".into()),
                ("CanAccept".into(), "true".into()),
            ],
        };
        let told = json!({
            "id": "e-1", "source": "acs.ecs", "specversion": "1.0",
            "type": "ecs:Instance:SystemMaintenance.RebootAndIsolateErrorDisk",
            "time": "2026-11-23T02:10:00Z", "aliyunregionid": "cn-hangzhou",
            "data": {
                "instanceId": "i-1", "eventStatus": "Inquiring", "reason": "a disk fails",
                "notBefore": "2026-11-30T02:10:00Z", "diskId": "d-1", "device": "/dev/xvdb",
            },
        });
        let told = crate::event::parse(told.to_string().as_bytes()).events;
        let mut told = Event::clone(&told[0]);
        told.details.remove("eventStatus");
        assert_eq!(event(found, "cn-hangzhou"), told);
        assert_eq!(told.level, Some(Level::Critical));
    }
}
