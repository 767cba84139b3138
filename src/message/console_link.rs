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
    let path: &[&str] = match (event.resource_kind.as_deref(), id) {
        (Some("instance"), Some(id)) => &["/server/", id, "/detail?regionId=", region],
        (Some("disk"), Some(id)) => &["/diskdetail/", id, "/detail?regionId=", region],
        (Some("snapshot"), Some(id)) => &["/snapshot/region/", region, "?snapshotIds=", id],
        (Some("eni"), Some(id)) => &["/networkInterfaces/region/", region, "/detail/", id],
        _ => &["/server/region/", region],
    };
    Some(in_browser(path))
}

/// The console's list of instances in the one region of all these events, if they have one in common.
pub(super) fn console_of(events: &[&Event]) -> Option<String> {
    let region = events.first()?.region.as_deref().filter(|r| is_id(r))?;
    events
        .iter()
        .all(|event| is_ecs(event) && event.region.as_deref() == Some(region))
        .then(|| in_browser(&["/server/region/", region]))
}

const BASE: &str = "https://ecs.console.aliyun.com";

fn in_browser(path: &[&str]) -> String {
    let mut link = String::with_capacity(256);
    link.push_str("dingtalk://dingtalkclient/page/link?url=");
    percent_encode(&mut link, BASE);
    for part in path {
        percent_encode(&mut link, part);
    }
    link.push_str("&pc_slide=false");
    link
}

/// Whether the ECS console is the place to look; also for an event that tells no product.
pub(super) fn is_ecs(event: &Event) -> bool {
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
