//! Records of API calls: what was done, by whom, from where, with what parameters.

use super::renderer::Renderer;
use super::{Foreign, Line, MAX_NAME, Text, values};
use crate::event::Event;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Longest operation or actor that is shown, in characters: as long as the names of RAM users.
const MAX_CHARS: usize = 64;
/// Most resources that are named besides the event's own.
const MAX_RELATED: usize = 10;

/// Returns true if the event is the record of an API call.
fn is_call(event: &Event) -> bool {
    event.operation.is_some()
}

/// Returns true if the value is in a line of [`Renderer::api_call`], stands elsewhere in the
/// message, or is of no use to a person.
pub(super) fn is_omitted(event: &Event, key: &str, value: &Value) -> bool {
    let is = |shown: &Option<String>| shown.as_ref().is_some_and(|shown| value == shown);
    match key {
        "eventName"
        | "userIdentity"
        | "sourceIpAddress"
        | "userAgent"
        | "serviceName"
        | "eventAttributes"
        | "requestParameters"
        | "requestParameterJson"
        | "referencedResources" => true,
        "eventVersion"
        | "eventRW"
        | "eventSource"
        | "eventCategory"
        | "apiVersion"
        | "isGlobal"
        | "responseElements"
        | "additionalEventData"
        | "resourceName" => true,
        "acsRegion" => is(&event.region),
        "eventId" => is(&event.id),
        "recipientAccountId" => is(&event.account),
        // A call without an error has an empty code, or none.
        "errorCode" | "errorMessage" => value == "",
        _ => false,
    }
}

/// The ids that the record names besides that of the event's resource.
pub(super) fn related(event: &Event) -> Vec<&str> {
    let Some(Value::Object(kinds)) = event.details.get("referencedResources") else {
        return Vec::new();
    };
    let ids = kinds.values().flat_map(|ids| match ids {
        Value::Array(ids) => ids.as_slice(),
        id => std::slice::from_ref(id),
    });
    let mut related: Vec<&str> = Vec::new();
    for id in ids.filter_map(Value::as_str) {
        if Some(id) != event.resource_id.as_deref() && !related.contains(&id) {
            related.push(id);
        }
    }
    related
}

/// An object in the event's data, which may be JSON in a text.
fn object<'a>(event: &'a Event, key: &str) -> Option<Cow<'a, Map<String, Value>>> {
    match event.details.get(key)? {
        Value::Object(map) => Some(Cow::Borrowed(map)),
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        _ => None,
    }
}

impl Renderer<'_> {
    /// The operation, for headings; `None` for an event that is no record of an API call.
    pub(super) fn operation(&self, event: &Event) -> Option<Text> {
        Text::foreign(event.operation.as_deref()?, MAX_CHARS)
    }

    /// Who made the calls; `None` where that is not known of any.
    pub(super) fn actors(&self, events: &[&Event]) -> Option<Text> {
        let actors = events.iter().filter_map(|event| event.actor.as_deref());
        self.first_few(actors, |actor| Text::foreign(actor, MAX_CHARS))
    }

    /// What the record of an API call says, the most important first.
    pub(super) fn api_call(&self, event: &Event) -> Vec<Line> {
        if !is_call(event) {
            return Vec::new();
        }
        let text = |key: &str| event.details.get(key)?.as_str();
        let shown = |key: &str| Text::foreign(text(key)?, MAX_NAME);
        // Most calls are of ECS.
        let service = text("serviceName").filter(|service| !service.eq_ignore_ascii_case("ECS"));
        let service = service.and_then(|service| Text::foreign(service, MAX_NAME));
        let attributes = object(event, "eventAttributes");
        let is_sensitive = attributes
            .and_then(|attributes| attributes.get("SensitiveAction").cloned())
            .is_some_and(|value| value == "true" || value == true);
        let lines = [
            (self.select("操作", "Operation"), self.operation(event)),
            (self.select("服务", "Service"), service),
            (self.select("操作者", "By"), self.actor(event)),
            (self.select("来源地址", "From"), shown("sourceIpAddress")),
            (self.select("客户端", "Client"), shown("userAgent")),
            (
                self.select("敏感操作", "Sensitive"),
                is_sensitive.then(|| self.select("是", "yes").into()),
            ),
            (self.select("参数", "Parameters"), self.parameters(event)),
            (
                self.select("相关资源", "Related resources"),
                self.related(event),
            ),
        ];
        lines
            .into_iter()
            .filter_map(|(label, value)| Some(Line::new(label, value?)))
            .collect()
    }

    /// Who made the call, and what kind of identity that is.
    fn actor(&self, event: &Event) -> Option<Text> {
        let actor = Text::foreign(event.actor.as_deref()?, MAX_CHARS)?;
        let word = |kind: &str| values::word("userIdentity.type", kind, self.options.language);
        let identity = object(event, "userIdentity");
        let kind = identity.and_then(|identity| word(identity.get("type")?.as_str()?));
        let (open, close) = self.select(("（", "）"), (" (", ")"));
        Some(match kind {
            Some(kind) => actor.with(open).with(kind).with(close),
            None => actor,
        })
    }

    /// The parameters of the call that say what it did.
    fn parameters(&self, event: &Event) -> Option<Text> {
        let keys = ["requestParameters", "requestParameterJson"];
        let Some(all) = keys.into_iter().find_map(|key| object(event, key)) else {
            return self.value(keys[0], event.details.get(keys[0])?);
        };
        let is_noise = |key: &str| {
            [
                "AcsHost",
                "AcsProduct",
                "ClientToken",
                "HostId",
                "RequestId",
            ]
            .contains(&key)
                || key == "RegionId" && all[key].as_str() == event.region.as_deref()
        };
        let told: Map<String, Value> = all
            .iter()
            .filter(|(key, _)| !is_noise(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        self.value("requestParameters", &Value::Object(told))
    }

    fn related(&self, event: &Event) -> Option<Text> {
        let related = related(event);
        let shown = related.iter().take(MAX_RELATED);
        let shown = shown.filter_map(|id| Foreign::new(id, MAX_NAME).map(Text::from));
        let shown = Text::join(shown, self.options.language.list_separator())?;
        Some(match related.len() {
            ..=MAX_RELATED => shown,
            _ => shown.with(" …"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Language, RenderOptions};
    use super::*;
    use crate::testing;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn lines(data: Value) -> Vec<String> {
        let options = RenderOptions::new(Language::En, TimeZone::UTC);
        let renderer = Renderer {
            options: &options,
            now: Timestamp::UNIX_EPOCH,
            limit: usize::MAX,
        };
        let event = Event {
            operation: Some("StopInstance".into()),
            actor: Some("alice".into()),
            details: data.as_object().unwrap().clone(),
            ..testing::event(1)
        };
        let lines = renderer.details(&event).into_iter();
        let lines = lines.map(|line| (line.label, line.value));
        lines
            .map(|(label, value)| format!("{} {value}", Text::from(label.unwrap())))
            .collect()
    }

    #[test]
    fn objects_count_also_as_json_in_a_text() {
        let identity = json!({"type": "assumed-role", "accountId": "1"});
        let parameters = json!({"InstanceId": "i-1", "ForceStop": true, "ClientToken": "x"});
        let plain = json!({"userIdentity": identity, "requestParameters": parameters});
        let text = json!({
            "userIdentity": identity.to_string(), "requestParameters": parameters.to_string(),
        });
        for data in [plain, text] {
            let expected = [
                "Operation StopInstance",
                "By alice (RAM role)",
                "Parameters ForceStop true, InstanceId i-1",
            ];
            assert_eq!(lines(data.clone()), expected, "{data}");
        }
    }

    #[test]
    fn an_error_is_shown_and_what_is_of_no_use_is_not() {
        let failed = json!({"errorCode": "Forbidden", "errorMessage": "no", "eventVersion": 1});
        assert_eq!(lines(failed)[2..], ["Error code Forbidden", "Error no"]);
        let odd = json!({"requestParameters": "a=b", "errorCode": "", "serviceName": "Rds"});
        assert_eq!(
            lines(odd)[1..],
            ["Service Rds", "By alice", "Parameters a=b"]
        );
    }

    #[test]
    fn other_resources_of_the_call_are_named_once_and_ten_at_most() {
        let own = testing::event(1).resource_id;
        let ids = |count| (0..count).map(|n| format!("d-{n:02}")).collect::<Vec<_>>();
        let data = |count| json!({"referencedResources": {"a": ids(count), "b": [own, "d-00"], "c": 5, "e": "i"}});
        let expected = "Related resources d-00, d-01, i";
        assert_eq!(lines(data(2)).last().unwrap(), expected);
        assert!(lines(data(20)).last().unwrap().ends_with("d-09 …"));
    }
}
