//! The calls: who may make them, with which parameters, and their answers.

use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::sign;
use crate::state::State;
use fake_http::http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// A call that the service knows.
struct Action {
    name: &'static str,
    version: &'static str,
    permission: &'static str,
    parameters: &'static [&'static str],
}

/// Parameters with which a client may ask for one resource after the other, and those that a test
/// of a client never sends, are not here: they are refused as unknown.
const ACTIONS: [Action; 3] = [
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
        name: "AssumeRole",
        version: "2015-04-01",
        permission: "sts:AssumeRole",
        parameters: &["RoleArn", "RoleSessionName", "DurationSeconds"],
    },
];

/// The page size where a call asks for none.
const DEFAULT_PAGE: usize = 10;

/// The longest time that a role may be assumed for, in seconds.
const MAX_SESSION: u64 = 3600;

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
    let now_ms = state.now_ms();
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
    let fleet = state.fleets.get(&(account, region.to_owned()));
    let is_instances = action.name == "DescribeInstances";
    let (ids, outer, inner) = match is_instances {
        true => ("InstanceIds", "Instances", "Instance"),
        false => ("DiskIds", "Disks", "Disk"),
    };
    let ids = parameters.ids(ids)?;
    let is_asked = |id: &String| ids.as_ref().is_none_or(|ids| ids.contains(id));
    let mut found: Vec<(&String, Value)> = match fleet {
        None => Vec::new(),
        Some(fleet) if is_instances => {
            let instances = fleet.instances.iter().filter(|(id, _)| is_asked(id));
            instances.map(|(id, own)| (id, own.shown(region))).collect()
        }
        Some(fleet) => {
            let disks = fleet.disks.iter().filter(|(id, _)| is_asked(id));
            disks.map(|(id, own)| (id, own.shown(region))).collect()
        }
    };
    // No order is promised. This one is the same on every page.
    let order = BuildHasherDefault::<DefaultHasher>::default();
    found.sort_by_key(|(id, _)| order.hash_one(id));

    let size = page_size(&parameters, is_instances)?;
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

/// Reads `MaxResults`: 1 to 100 for instances, where less than 10 counts as 10, and 10 to 500 for
/// disks.
fn page_size(parameters: &Parameters, is_instances: bool) -> Result<usize, Refusal> {
    let allowed = if is_instances { 1..=100 } else { 10..=500 };
    match parameters.get("MaxResults").map(str::parse::<usize>) {
        None => Ok(DEFAULT_PAGE),
        Some(Ok(size)) if allowed.contains(&size) => Ok(size.max(DEFAULT_PAGE)),
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
    let ends_ms = state.now_ms() + seconds * 1000;
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
