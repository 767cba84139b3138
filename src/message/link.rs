//! Links to the console that open in the browser.

use super::markdown::percent_encode;
use crate::event::Event;

/// The console's page for the event's resource in its region, wrapped so that DingTalk opens it in
/// the browser; `None` where the event does not tell enough for a link that leads anywhere.
///
/// The addresses are those that the console itself shows for a resource.
pub(super) fn console(event: &Event) -> Option<String> {
    let region = event.region.as_deref().filter(|r| is_id(r))?;
    if !is_ecs(event) {
        return None;
    }
    let id = event.resource_id.as_deref().filter(|id| is_id(id));
    let url = match (event.resource_kind.as_deref(), id) {
        (Some("instance"), Some(id)) => format!("{BASE}/server/{id}/detail?regionId={region}"),
        (Some("disk"), Some(id)) => format!("{BASE}/diskdetail/{id}/detail?regionId={region}"),
        (Some("snapshot"), Some(id)) => format!("{BASE}/snapshot/region/{region}?snapshotIds={id}"),
        (Some("eni"), Some(id)) => format!("{BASE}/networkInterfaces/region/{region}/detail/{id}"),
        _ => format!("{BASE}/server/region/{region}"),
    };
    Some(in_browser(&url))
}

/// The console's list of instances in the one region of all these events, if they have one in common.
pub(super) fn console_of(events: &[&Event]) -> Option<String> {
    let region = events.first()?.region.as_deref().filter(|r| is_id(r))?;
    events
        .iter()
        .all(|event| is_ecs(event) && event.region.as_deref() == Some(region))
        .then(|| in_browser(&format!("{BASE}/server/region/{region}")))
}

const BASE: &str = "https://ecs.console.aliyun.com";

fn in_browser(url: &str) -> String {
    format!(
        "dingtalk://dingtalkclient/page/link?url={}&pc_slide=false",
        percent_encode(url)
    )
}

/// Whether the ECS console is the place to look; also for an event that tells no product.
fn is_ecs(event: &Event) -> bool {
    event.product.as_deref().is_none_or(|product| {
        ["ECS", "EBS", "CloudMonitor"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(product))
    })
}

/// Ids are ASCII letters, digits and hyphens; anything else is not put into an address.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
