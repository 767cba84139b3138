//! Addresses of the ECS console.

use super::Console;
use crate::event::Event;

/// Returns the address of the console's page for the event's resource in its region; `None` where
/// the event does not hold enough for an address that leads anywhere.
///
/// The addresses are those that the console itself shows for a resource.
pub(super) fn of_event(event: &Event, console: Console) -> Option<String> {
    let region = event.region.as_deref().filter(|r| is_id(r))?;
    if !is_ecs(event) {
        return None;
    }
    let id = event.resource_id.as_deref().filter(|id| is_id(id));
    let base = console.address();
    Some(match (event.resource_kind.as_deref(), id) {
        (Some("instance"), Some(id)) => format!("{base}/server/{id}/detail?regionId={region}"),
        (Some("disk"), Some(id)) => format!("{base}/diskdetail/{id}/detail?regionId={region}"),
        (Some("snapshot"), Some(id)) => {
            format!("{base}/snapshot/region/{region}?snapshotIds={id}")
        }
        (Some("eni"), Some(id)) => format!("{base}/networkInterfaces/region/{region}/detail/{id}"),
        _ => instances(console, region),
    })
}

/// Returns the address of the list of instances in the region that all these events have in common.
pub(super) fn of_events(events: &[&Event], console: Console) -> Option<String> {
    let region = events.first()?.region.as_deref().filter(|r| is_id(r))?;
    events
        .iter()
        .all(|event| is_ecs(event) && event.region.as_deref() == Some(region))
        .then(|| instances(console, region))
}

fn instances(console: Console, region: &str) -> String {
    format!("{}/server/region/{region}", console.address())
}

/// Returns true if the ECS console shows the event's resource; also for an event without a product.
pub(super) fn is_ecs(event: &Event) -> bool {
    event.product.as_deref().is_none_or(|product| {
        ["ECS", "EBS", "CloudMonitor"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(product))
    })
}

/// Ids are ASCII letters, digits, hyphens and underscores; nothing else gets into an address.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
