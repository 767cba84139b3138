//! The calls: who may make them, with which parameters, and their answers.

use crate::fleet::Fleet;
use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::sign;
use crate::state::State;
use crate::system_event::STATUSES;
use fake_http::http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::RangeInclusive;

/// A call that the service knows.
struct Action {
    name: &'static str,
    version: &'static str,
    permission: &'static str,
    parameters: &'static [&'static str],
}

/// Parameters with which a client may ask for one resource after the other, and those that a test
/// of a client never sends, are not here: they are refused as unknown.
const ACTIONS: [Action; 4] = [
    Action {
        name: "DescribeInstances",
        version: "2014-05-26",
        permission: "ecs:DescribeInstances",
        parameters: &[
            "RegionId",
            "InstanceIds",
            "MaxResults",
            "NextToken",
            "DryRun",
        ],
    },
    Action {
        name: "DescribeDisks",
        version: "2014-05-26",
        permission: "ecs:DescribeDisks",
        parameters: &["RegionId", "DiskIds", "MaxResults", "NextToken", "DryRun"],
    },
    Action {
        name: "DescribeInstanceHistoryEvents",
        version: "2014-05-26",
        permission: "ecs:DescribeInstanceHistoryEvents",
        // An eighth status is one too many.
        parameters: &[
            "RegionId",
            "InstanceEventCycleStatus.1",
            "InstanceEventCycleStatus.2",
            "InstanceEventCycleStatus.3",
            "InstanceEventCycleStatus.4",
            "InstanceEventCycleStatus.5",
            "InstanceEventCycleStatus.6",
            "InstanceEventCycleStatus.7",
            "MaxResults",
            "NextToken",
            "DryRun",
        ],
    },
    Action {
        name: "AssumeRole",
        version: "2015-04-01",
        permission: "sts:AssumeRole",
        parameters: &["RoleArn", "RoleSessionName", "DurationSeconds"],
    },
];

/// The parameters with the statuses of system events are numbered.
pub(crate) const STATUS: &str = "InstanceEventCycleStatus";

/// The page size where a call asks for none.
const DEFAULT_PAGE: usize = 10;

/// The longest time that a role may be assumed for, in seconds.
const MAX_SESSION: u64 = 3600;

/// What a call lists.
struct List<'a> {
    /// The members that lead to the list.
    outer: &'static str,
    inner: &'static str,
    /// What `MaxResults` may be.
    sizes: RangeInclusive<usize>,
    /// By their ids.
    found: Vec<(&'a String, Value)>,
}

/// Checks a call and makes its answer.
pub(crate) fn answer(state: &mut State, request: &Request) -> Result<Value, Refusal> {
    if request.path() != "/" || !["GET", "POST"].contains(&request.method.as_str()) {
        let message = "Specified api is not found, please check your url and method.";
        return Err(Refusal::new(404, "InvalidAction.NotFound", message));
    }
    let name = request.header("x-acs-action").unwrap_or_default();
    let version = request.header("x-acs-version").unwrap_or_default();
    let Some(action) = ACTIONS.iter().find(|action| action.name == name) else {
        let message = "Specified api is not found, please check your url and method.";
        return Err(Refusal::new(404, "InvalidAction.NotFound", message));
    };
    if action.version != version {
        let message = "Specified parameter Version is not valid.";
        return Err(Refusal::new(400, "InvalidVersion", message));
    }
    let now_ms = state.clock.now_ms();
    let account = sign::verify(request, &state.identities, &mut state.nonces, now_ms)?;
    let parameters = Parameters::read(request);
    parameters.only(action.parameters)?;
    check_permission(state, action, &account)?;
    if action.name == "AssumeRole" {
        return assume_role(state, &account, &parameters);
    }

    let region = parameters.required("RegionId")?;
    if !state.regions.contains(region) {
        let message = "The specified RegionId does not exist.";
        return Err(Refusal::new(404, "InvalidRegionId.NotFound", message));
    }
    if parameters.get("DryRun") == Some("true") {
        let message = "Request validation has been passed with DryRun flag set.";
        return Err(Refusal::new(400, "DryRunOperation", message));
    }
    let none = Fleet::default();
    let fleet = state.fleets.get(&(account, region.to_owned()));
    let fleet = fleet.unwrap_or(&none);
    let List {
        outer,
        inner,
        sizes,
        mut found,
    } = match action.name {
        "DescribeInstances" => instances(fleet, region, &parameters)?,
        "DescribeDisks" => disks(fleet, region, &parameters)?,
        _ => events(fleet, &parameters)?,
    };
    // No order is promised. This one is the same on every page.
    let order = BuildHasherDefault::<DefaultHasher>::default();
    found.sort_by_key(|(id, _)| order.hash_one(id));

    let size = page_size(&parameters, sizes)?;
    let size = state.page_size.map_or(size, |limit| size.min(limit));
    let offset = match parameters
        .get("NextToken")
        .filter(|token| !token.is_empty())
    {
        None => 0,
        Some(token) => token
            .strip_prefix("page+")
            .and_then(|token| token.strip_suffix("=="))
            .and_then(|offset| offset.parse().ok())
            .ok_or_else(|| Refusal::parameter("NextToken"))?,
    };
    let total = found.len();
    let next = match offset + size < total {
        true => format!("page+{}==", offset + size),
        false => String::new(),
    };
    let page = found.into_iter().skip(offset).take(size);
    let page: Vec<Value> = page.map(|(_, shown)| shown).collect();
    Ok(json!({
        "RequestId": state.request_id(),
        "TotalCount": total,
        "PageNumber": 1,
        "PageSize": size,
        "NextToken": next,
        outer: { inner: page },
    }))
}

fn instances<'a>(
    fleet: &'a Fleet,
    region: &str,
    parameters: &Parameters,
) -> Result<List<'a>, Refusal> {
    let ids = parameters.ids("InstanceIds")?;
    let is_asked = |id: &String| ids.as_ref().is_none_or(|ids| ids.contains(id));
    let found = fleet.instances.iter().filter(|(id, _)| is_asked(id));
    Ok(List {
        outer: "Instances",
        inner: "Instance",
        sizes: 1..=100,
        found: found.map(|(id, own)| (id, own.shown(region))).collect(),
    })
}

fn disks<'a>(fleet: &'a Fleet, region: &str, parameters: &Parameters) -> Result<List<'a>, Refusal> {
    let ids = parameters.ids("DiskIds")?;
    let is_asked = |id: &String| ids.as_ref().is_none_or(|ids| ids.contains(id));
    let found = fleet.disks.iter().filter(|(id, _)| is_asked(id));
    Ok(List {
        outer: "Disks",
        inner: "Disk",
        sizes: 10..=500,
        found: found.map(|(id, own)| (id, own.shown(region))).collect(),
    })
}

/// Lists the events that have one of the statuses asked for. Without any, those that have ended.
fn events<'a>(fleet: &'a Fleet, parameters: &Parameters) -> Result<List<'a>, Refusal> {
    let asked = parameters.numbered(STATUS);
    if !asked
        .iter()
        .all(|status| STATUSES.contains(&status.as_str()))
    {
        return Err(Refusal::parameter(STATUS));
    }
    let found = fleet.events.iter().filter(|(_, own)| own.is_listed(&asked));
    Ok(List {
        outer: "InstanceSystemEventSet",
        inner: "InstanceSystemEventType",
        sizes: 10..=100,
        found: found.map(|(id, own)| (id, own.shown())).collect(),
    })
}

/// Reads `MaxResults`, which must be one of `sizes`. Less than 10 counts as 10.
fn page_size(parameters: &Parameters, sizes: RangeInclusive<usize>) -> Result<usize, Refusal> {
    match parameters.get("MaxResults").map(str::parse::<usize>) {
        None => Ok(DEFAULT_PAGE),
        Some(Ok(size)) if sizes.contains(&size) => Ok(size.max(DEFAULT_PAGE)),
        Some(_) => Err(Refusal::parameter("MaxResults")),
    }
}

fn check_permission(state: &State, action: &Action, account: &str) -> Result<(), Refusal> {
    let permission = (account.to_owned(), action.permission.to_owned());
    if !state.denied.contains(&permission) {
        return Ok(());
    }
    let code = match action.name {
        "AssumeRole" => "NoPermission",
        _ => "Forbidden.RAM",
    };
    let message = format!("The user of account {account} is not authorized to do this.");
    let mut refusal = Refusal::new(403, code, message);
    refusal.denied = state.has_denial_detail.then(|| {
        json!({
            "AuthAction": action.permission,
            "AuthPrincipalType": "AssumedRoleUser",
            "AuthPrincipalOwnerId": account,
            "AuthPrincipalDisplayName": "ecs-notifier:example-session",
            "NoPermissionType": "ImplicitDeny",
            "PolicyType": "AccountLevelIdentityBasedPolicy",
            "EncodedDiagnosticMessage": "AQEAAExample",
        })
    });
    Err(refusal)
}

fn assume_role(
    state: &mut State,
    account: &str,
    parameters: &Parameters,
) -> Result<Value, Refusal> {
    let arn = parameters.required("RoleArn")?;
    let session = parameters.required("RoleSessionName")?;
    let is_session = |c: u8| c.is_ascii_alphanumeric() || b".@-_".contains(&c);
    if !(2..=64).contains(&session.len()) || !session.bytes().all(is_session) {
        let message = "The parameter RoleSessionName is wrongly formed.";
        return Err(Refusal::new(
            400,
            "InvalidParameter.RoleSessionName",
            message,
        ));
    }
    let seconds = match parameters.get("DurationSeconds").map(str::parse) {
        None => MAX_SESSION,
        Some(Ok(seconds)) if (900..=MAX_SESSION).contains(&seconds) => seconds,
        Some(_) => {
            let message = "The specified parameter DurationSeconds is not valid.";
            return Err(Refusal::new(
                400,
                "InvalidParameter.DurationSeconds",
                message,
            ));
        }
    };
    match state.roles.get(arn) {
        None => {
            let message = "The role not exists.";
            return Err(Refusal::new(404, "EntityNotExist.Role", message));
        }
        Some(trusted) if !trusted.contains(account) => {
            let message =
                "You are not authorized to do this action. You should be authorized by RAM.";
            return Err(Refusal::new(403, "NoPermission", message));
        }
        Some(_) => {}
    }
    let owner = arn.split(':').nth(3).unwrap_or_default();
    let ends_ms = state.clock.now_ms() + seconds * 1000;
    let identity = state.issue(owner, true, Some(ends_ms));
    let end = i64::try_from(ends_ms / 1000).unwrap_or_default();
    let end = Timestamp::from_second(end).unwrap_or_default();
    Ok(json!({
        "RequestId": state.request_id(),
        "AssumedRoleUser": {
            "Arn": format!("{arn}/{session}"),
            "AssumedRoleId": format!("300000000000000000:{session}"),
        },
        "Credentials": {
            "AccessKeyId": identity.id,
            "AccessKeySecret": identity.secret,
            "SecurityToken": identity.token,
            "Expiration": end.to_string(),
        },
    }))
}
