//! Builds an [`Event`] from the fields that its wire shape provides.

use super::catalog;
use super::event::{Event, Titles};
use super::level::Level;
use super::name::{self, EventName};
use super::resource::{self, Arn};
use super::time::EventTime;
use serde_json::{Map, Value};

/// Keys of an event's data that may hold its level.
const LEVEL_KEYS: [&str; 3] = ["level", "curLevel", "eventLevel"];

/// What all wire shapes come down to. [`EventBuilder::build`] derives the rest.
#[derive(Default)]
pub(super) struct EventBuilder {
    pub(super) source: Option<String>,
    pub(super) id: Option<String>,
    pub(super) product: Option<String>,
    pub(super) name: EventName,
    pub(super) level: Option<Level>,
    /// `status` outside the event's data; see [`name::status`].
    pub(super) outer_status: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) resource_name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    /// Who receives the event; counts as the account only where the ARN has none.
    pub(super) subscriber: Option<String>,
    pub(super) time: Option<EventTime>,
    pub(super) envelope_time: Option<EventTime>,
    pub(super) titles: Titles,
    pub(super) details: Map<String, Value>,
}

impl EventBuilder {
    pub(super) fn build(self) -> Event {
        let product = self.product;
        let field = |key: &str| self.details.get(key).and_then(Value::as_str);
        let status = name::status(
            product.as_deref(),
            &self.name,
            &self.details,
            self.outer_status,
        );
        let level = self
            .level
            .or_else(|| {
                LEVEL_KEYS
                    .into_iter()
                    .find_map(|key| Level::parse(field(key)?))
            })
            .or_else(|| {
                let entry = catalog::find(product.as_deref(), &self.name.name)?;
                entry.level(status.as_deref(), field)
            });
        let arn = self.arn.as_deref().and_then(Arn::parse);
        let resource = resource::find(&self.name.name, arn.as_ref(), &self.details);
        let (resource_id, resource_kind) = resource.map_or((None, None), |r| (Some(r.id), r.kind));
        let source = self.source.unwrap_or_else(|| {
            let product = product.as_deref().unwrap_or("cloudmonitor");
            format!("acs.{}", product.to_ascii_lowercase())
        });
        let of_arn = |part: fn(&Arn) -> Option<String>| arn.as_ref().and_then(part);
        Event {
            source,
            id: self.id,
            status,
            level,
            resource_name: resource::name(resource_kind.as_deref(), &self.details)
                .or(self.resource_name),
            resource_id,
            resource_kind,
            region: self
                .region
                .or_else(|| of_arn(|arn| arn.region.map(str::to_owned))),
            account: self
                .account
                .or_else(|| of_arn(|arn| arn.account.map(str::to_owned)))
                .or(self.subscriber),
            time: self.time,
            envelope_time: self.envelope_time,
            titles: self.titles,
            details: self.details,
            name: self.name.name,
            product,
        }
    }
}
