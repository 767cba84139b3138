//! The one event that all wire shapes become.

use super::field::{into_object, level, string, text};
use super::known::{Known, Lookup};
use super::level::Level;
use super::occasion::Occasion;
use super::resource::{self, Arn};
use super::time::EventTime;
use super::{catalog, name, secret};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;

/// The key in [`Event::details`] that holds the status of an alert which is no longer `TRIGGERED`.
pub(super) const ALERT_STATUS: &str = "alertStatus";

/// The name of an alarm of an alert rule on a metric.
pub(super) const METRIC_ALARM: &str = "CloudMonitor:ThresholdAlarm";

/// The name of the event that announces the end of a spot instance.
const SPOT_NOTICE: &str = "Instance:PreemptibleInstanceInterruption";
/// How long after it a spot instance is released.
const SPOT_NOTICE_PERIOD: SignedDuration = SignedDuration::from_mins(5);

/// Keys of an event's data that may hold its level.
const LEVEL_KEYS: [&str; 3] = ["level", "curLevel", "eventLevel"];

/// One event, in whatever shape it arrived.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// CloudEvents `source` (`acs.ecs`); for CloudMonitor's shapes `acs.` and the product in lower
    /// case.
    pub source: String,
    /// The event's own id; debug events have none.
    pub id: Option<String>,
    /// The name without status: `Instance:SystemMaintenance.Reboot`.
    pub name: String,
    /// `Scheduled`, `Executing`, …, or a state such as `Stopped`, or a result such as `failed`.
    pub status: Option<String>,
    /// The level that the event carries, else the catalog's; `None` if neither knows one.
    pub level: Option<Level>,
    /// The product as CloudMonitor writes it: `ECS`, `EBS`, `MongoDB`.
    pub product: Option<String>,
    /// Id of the resource that the event is about: `i-…`, `d-…`, `s-…`, `eni-…`.
    pub resource_id: Option<String>,
    /// Kind of that resource as in an ARN: `instance`, `disk`, `snapshot`, `eni`.
    pub resource_kind: Option<String>,
    /// Name of that resource, or for a disk that of the instance it is attached to.
    pub resource_name: Option<String>,
    /// Id of the resource that the event's ARN names, where that is not `resource_id`: a network
    /// interface whose instance moved.
    pub arn_resource_id: Option<String>,
    /// Kind of the resource that the event's ARN names, where its id is not `resource_id`.
    pub arn_resource_kind: Option<String>,
    /// Region id: `cn-hangzhou`.
    pub region: Option<String>,
    /// Id of the account that owns the resource.
    pub account: Option<String>,
    /// When it happened: the event's own time, else the envelope's.
    pub time: Option<EventTime>,
    /// The time of EventBridge's envelope, where it differs notably from `time`.
    pub envelope_time: Option<EventTime>,
    /// What was done, and by whom, where the event is the record of an API call: `DeleteDisk` and
    /// `alice`.
    pub operation: Option<String>,
    pub actor: Option<String>,
    /// What a look-up found out about the resource; `None` where it is not known.
    pub known: Option<Arc<Known>>,
    /// How the look-up ended; `None` if there was none.
    pub lookup: Option<Lookup>,
    /// Why the function speaks of it by itself; `None` for an event that arrived.
    pub occasion: Option<Box<Occasion>>,
    /// Titles that came with the event.
    pub titles: Titles,
    /// All other data of the event: `data` or `content`, verbatim except secrets, which are hidden.
    pub details: Map<String, Value>,
}

/// Localised names that came with an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles {
    /// Chinese (`eventRealname`, `eventNameZh`).
    pub zh: Option<String>,
    /// English; only where it is more than the event's code.
    pub en: Option<String>,
}

impl Event {
    /// Returns `name:status`, or the name alone where there is no status.
    pub fn full_name(&self) -> String {
        match &self.status {
            Some(status) => format!("{}:{status}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns true if nothing will follow: the status is `Executed`, `Avoided` or `Canceled`, or
    /// that of an alarm is `OK`.
    pub fn is_final(&self) -> bool {
        let finals = ["Executed", "Avoided", "Canceled", "Cancelled"];
        self.status.as_deref().is_some_and(|status| {
            finals.iter().any(|word| word.eq_ignore_ascii_case(status))
                || self.name == METRIC_ALARM && status.eq_ignore_ascii_case("OK")
        })
    }

    /// Returns the name of the resource: the one that the event tells, else the one that was looked
    /// up.
    pub fn shown_name(&self) -> Option<&str> {
        let known = || self.known.as_ref()?.name.as_deref();
        self.resource_name.as_deref().or_else(known)
    }

    /// Returns when planned work begins at the earliest.
    pub fn not_before(&self) -> Option<EventTime> {
        EventTime::parse(self.details.get("notBefore")?)
    }

    /// Returns when a spot instance is released: five minutes after the notice.
    pub fn release_at(&self) -> Option<Timestamp> {
        match self.time {
            Some(EventTime::At(at)) if self.name == SPOT_NOTICE => {
                at.checked_add(SPOT_NOTICE_PERIOD).ok()
            }
            _ => None,
        }
    }

    /// Returns true if one message may hold both. What the function says by itself is not mixed with
    /// what has happened.
    pub fn may_share_message(&self, other: &Event) -> bool {
        match (self.occasion.as_deref(), other.occasion.as_deref()) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_like(other),
            _ => false,
        }
    }

    /// Returns a number that is the same for the same event on every instance and at every
    /// repetition, and differs for all others.
    ///
    /// EventBridge identifies an event by `source` and `id`. Some producers reuse an id for
    /// different events, so name, status and resource count too.
    pub fn dedup_key(&self) -> u128 {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text);
            hash.update([0]);
        };
        add(&self.source);
        add(&self.full_name());
        add(self.resource_id.as_deref().unwrap_or_default());
        add(&self.display_id());
        // A resolved alert has the id of the alert that began.
        if let Some(status) = string(&self.details, ALERT_STATUS) {
            add(status);
        }
        first_half(hash)
    }

    /// Returns the event's own id, or for an event without one the hash of its content.
    pub fn display_id(&self) -> Cow<'_, str> {
        match &self.id {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(self.content_hash()),
        }
    }

    /// Derives the fields that no wire shape provides, and fills those that this one lacks.
    ///
    /// Until then `status` is the one outside of the event's data, `source` may be empty, and
    /// `region` and `account` are those beside the ARNs. `arns` are texts that may be one, the one
    /// that names the resource first.
    pub fn complete(mut self, arns: [Option<&str>; 2]) -> Event {
        secret::mask(&mut self.details);
        let product = self.product.as_deref();
        if self.source.is_empty() {
            let product = product.unwrap_or("cloudmonitor").to_ascii_lowercase();
            self.source = format!("acs.{product}");
        }
        self.status = name::status(product, &self.name, &self.details, self.status);
        let status = self.status.as_deref();
        let own_level = || {
            LEVEL_KEYS
                .into_iter()
                .find_map(|key| level(&self.details, key))
        };
        let entry = catalog::find(product, &self.name);
        self.level = self
            .level
            .or_else(own_level)
            .or_else(|| entry?.level(status, &self.details));
        let [first, second] = arns.map(|arn| arn.and_then(Arn::parse));
        let inner = string(&self.details, "resourceId").and_then(Arn::parse);
        // Behind a bus of several accounts or regions, what the envelope tells besides is the bus's.
        let arns = || [&first, &second, &inner].into_iter().flatten();
        let region = arns().find_map(|arn| arn.region).map(str::to_owned);
        let account = arns().find_map(|arn| arn.account).map(str::to_owned);
        let arn = first.as_ref().or(second.as_ref());
        if self.resource_id.is_none() {
            let (id, kind) = resource::find(&self.name, arn, &self.details).unzip();
            self.resource_id = id;
            self.resource_kind = kind.flatten();
        }
        let is_other = |arn: &&Arn| !self.resource_id.as_ref().is_some_and(|id| arn.names(id));
        let (id, kind) = arn.filter(is_other).and_then(Arn::resource).unzip();
        self.arn_resource_id = id;
        self.arn_resource_kind = kind.flatten();
        self.resource_name =
            resource::name(self.resource_kind.as_deref(), &self.details).or(self.resource_name);
        self.region = region.or(self.region);
        self.account = account.or(self.account);
        if catalog::is_api_call(&self.name) {
            self.operation = text(&self.details, "eventName");
            self.actor = actor(&self.details);
        }
        self
    }

    fn content_hash(&self) -> String {
        // serde_json sorts the keys of a map, so equal content has equal text.
        let content = json!([
            self.name,
            self.status,
            self.level.map(Level::as_str),
            self.resource_id,
            self.resource_name,
            self.region,
            self.account,
            self.time.as_ref().map(|time| match time {
                EventTime::At(at) => at.to_string(),
                EventTime::Text(text) => text.clone(),
            }),
            self.details,
        ]);
        format!(
            "{:032x}",
            first_half(Sha256::new_with_prefix(content.to_string()))
        )
    }
}

/// Returns who made an API call: by name, else by id, else what it is.
fn actor(details: &Map<String, Value>) -> Option<String> {
    let identity = details.get("userIdentity").cloned();
    let identity = into_object(identity, "userName");
    ["userName", "principalId", "type"]
        .into_iter()
        .find_map(|key| text(&identity, key))
}

/// Half of a SHA-256 is enough to tell events apart.
fn first_half(hash: Sha256) -> u128 {
    let digest: [u8; 32] = hash.finalize().into();
    let (halves, _) = digest.as_chunks();
    u128::from_be_bytes(halves[0])
}
