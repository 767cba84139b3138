//! Events for tests.

use crate::event::{Event, Level};

/// Returns the `n`th critical event: `Instance:SystemFailure.Reboot:Executing` of an instance of
/// its own, with an id of its own. Tests change the fields that they are about.
pub(crate) fn event(n: usize) -> Event {
    Event {
        source: "acs.ecs".into(),
        id: Some(format!("event-{n}")),
        name: "Instance:SystemFailure.Reboot".into(),
        status: Some("Executing".into()),
        level: Some(Level::Critical),
        product: Some("ECS".into()),
        resource_id: Some(format!("i-{n:020}")),
        resource_kind: Some("instance".into()),
        region: Some("cn-hangzhou".into()),
        ..Event::default()
    }
}
