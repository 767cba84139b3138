//! Alibaba Cloud's API, as far as it says whom an event is about, and what is still to come:
//! instances, disks, their system events, and the roles of other accounts.
//!
//! Each call is one signed request, made once, before the caller's deadline. What comes out is a
//! value or an [`ApiError`] with a remedy. Ids, secrets and tokens of identities appear in no text
//! of this module. Knows neither the events that arrive nor chats.
//!
//! - `answer`: status and body → JSON, or what went wrong
//! - `credentials`: an identity, and where it came from
//! - `endpoint`: addresses with `{region}` in them; what a region's id looks like
//! - `error`: the kinds of failures, and what to do about each
//! - `member`: tolerant reading of JSON
//! - `query`: parameters as the signature wants them
//! - `resource`: JSON → [`Instance`], [`Disk`]
//! - `role`: roles of other accounts
//! - `sign`: the signature
//! - `system_event`: JSON → [`SystemEvent`], page by page

mod answer;
mod credentials;
mod endpoint;
mod error;
mod member;
mod query;
mod resource;
mod role;
mod sign;
mod system_event;

pub use answer::{Answer, Page, read_page};
pub use credentials::{Credentials, Source};
pub use endpoint::Endpoint;
pub(crate) use endpoint::is_region;
pub use error::{ApiError, ErrorKind};
pub use query::query;
pub(crate) use resource::is_id;
pub use resource::{Disk, Instance, Resource};
pub use role::Role;
pub use system_event::{SystemEvent, read_system_events};

use crate::clock::{Clock, to_timestamp};
use crate::http;
use answer::{read, read_credentials};
use jiff::Timestamp;
use role::is_arn;
use serde_json::{Map, Value};
use sign::{Unsigned, nonce, sign};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// The most ids of one call: `InstanceIds` and `DiskIds` take no more.
pub const MAX_IDS: usize = 100;

/// The most pages that are read of one list. A hundred ids fit on one page, and a server that makes
/// its pages as small as it may (10) needs ten.
const MAX_PAGES: usize = 10;

/// The longest answer that is read: 100 instances take some hundred KB.
const MAX_RESPONSE_BYTES: u64 = 4 * 1024 * 1024;

/// The version of the ECS API.
const ECS: &str = "2014-05-26";
/// The version of the STS API.
const STS: &str = "2015-04-01";

/// How the identity of an assumed role is named in the other account's audit log.
const SESSION_NAME: &str = "ecs-dingtalk-notifier";

/// How long an assumed role is asked for: no role allows less than this as its maximum.
const SESSION_SECONDS: &str = "3600";

/// Calls the API. Keeps nothing between calls but connections.
pub struct Api {
    http: Arc<http::Client>,
    clock: Arc<dyn Clock>,
    ecs: Endpoint,
    sts: Endpoint,
}

/// One call, not yet signed.
struct Call<'a> {
    endpoint: &'a Endpoint,
    region: &'a str,
    version: &'static str,
    action: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl Api {
    pub fn new(
        http: Arc<http::Client>,
        clock: Arc<dyn Clock>,
        ecs: Endpoint,
        sts: Endpoint,
    ) -> Api {
        Api {
            http,
            clock,
            ecs,
            sts,
        }
    }

    /// Asks for the instances with these ids in `region`. An id that is missing in the answer is
    /// unknown there: released, or of another region or account.
    ///
    /// Ids beyond [`MAX_IDS`] take further calls. What cannot be an id is not asked for. Without
    /// ids nothing is asked. All calls end at `deadline`, a time of the clock.
    ///
    /// # Errors
    ///
    /// The first call that fails ends this. If `region` is no region's id, nothing is asked.
    pub fn describe_instances<S: AsRef<str>>(
        &self,
        region: &str,
        ids: &[S],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Instance>, ApiError> {
        self.describe(region, ids, credentials, deadline)
    }

    /// Asks for the disks with these ids in `region`, as
    /// [`describe_instances`](Api::describe_instances) does for instances.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn describe_disks<S: AsRef<str>>(
        &self,
        region: &str,
        ids: &[S],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<Disk>, ApiError> {
        self.describe(region, ids, credentials, deadline)
    }

    /// Takes on the role `role_arn` (`acs:ram::<account>:role/<name>`) for an hour. Returns its
    /// identity and when that ends.
    ///
    /// # Errors
    ///
    /// If `role_arn` is no role or `region` no region's id, nothing is asked.
    pub fn assume_role(
        &self,
        role_arn: &str,
        region: &str,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<(Credentials, Timestamp), ApiError> {
        const ACTION: &str = "AssumeRole";
        if !is_arn(role_arn) {
            return Err(ApiError::not_asked(ACTION, "the role is none"));
        }
        let call = Call {
            endpoint: &self.sts,
            region,
            version: STS,
            action: ACTION,
            parameters: vec![
                ("RoleArn", role_arn.to_owned()),
                ("RoleSessionName", SESSION_NAME.to_owned()),
                ("DurationSeconds", SESSION_SECONDS.to_owned()),
            ],
        };
        let answer = self.send(&call, credentials, deadline)?;
        read_credentials(&answer)
            .ok_or_else(|| ApiError::not_the_api(ACTION, "the answer holds no identity".into()))
    }

    /// Asks whether the identity may make a call on instances or disks in `region`, without making
    /// it.
    ///
    /// # Errors
    ///
    /// Why it may not, or why there is no answer.
    pub fn dry_run<T: Resource>(
        &self,
        region: &str,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<(), ApiError> {
        let call = Call {
            endpoint: &self.ecs,
            region,
            version: ECS,
            action: T::ACTION,
            parameters: vec![
                ("RegionId", region.to_owned()),
                ("DryRun", "true".to_owned()),
            ],
        };
        match self.send(&call, credentials, deadline) {
            // It never succeeds: this is what it says where it would.
            Err(error) if error.code.as_deref() == Some("DryRunOperation") => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    fn describe<T: Resource, S: AsRef<str>>(
        &self,
        region: &str,
        ids: &[S],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<T>, ApiError> {
        let asked: BTreeSet<&str> = ids.iter().map(S::as_ref).filter(|id| is_id(id)).collect();
        let asked: Vec<&str> = asked.into_iter().collect();
        let mut found = Vec::new();
        for asked in asked.chunks(MAX_IDS) {
            found.extend(self.describe_chunk::<T>(region, asked, credentials, deadline)?);
        }
        Ok(found)
    }

    /// Asks for at most [`MAX_IDS`] resources, page by page.
    fn describe_chunk<T: Resource>(
        &self,
        region: &str,
        asked: &[&str],
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Vec<T>, ApiError> {
        let mut found: Vec<T> = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut parameters = vec![
                ("RegionId", region.to_owned()),
                (T::IDS, Value::from(asked).to_string()),
                // Left out, the eleventh resource is on the next page.
                ("MaxResults", MAX_IDS.to_string()),
            ];
            parameters.extend(next.take().map(|token| ("NextToken", token)));
            let call = Call {
                endpoint: &self.ecs,
                region,
                version: ECS,
                action: T::ACTION,
                parameters,
            };
            let answer = self.send(&call, credentials, deadline)?;
            let page = Page::<T>::read(&answer, asked);
            found.extend(page.elements);
            next = page.next;
            if next.is_none() || found.len() >= asked.len() {
                break;
            }
        }
        // A list that does not end may repeat itself.
        let mut seen = BTreeSet::new();
        found.retain(|resource| seen.insert(resource.id().to_owned()));
        Ok(found)
    }

    /// Signs a call and makes it once.
    fn send(
        &self,
        call: &Call,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Map<String, Value>, ApiError> {
        let Call { action, .. } = *call;
        let (Some(url), Some(host)) = (
            call.endpoint.url(call.region),
            call.endpoint.host(call.region),
        ) else {
            return Err(ApiError::not_asked(action, "the region is none"));
        };
        // The text that is signed is the text in the request line: nothing encodes it again.
        let query = query(&call.parameters);
        let Ok(url) = format!("{url}/?{query}").parse::<http::Uri>() else {
            return Err(ApiError::not_asked(action, "the parameters are too long"));
        };
        let now = self.clock.wall();
        let signed = sign(
            &Unsigned {
                host: &host,
                action,
                version: call.version,
                query: &query,
                date: to_timestamp(now),
                nonce: &nonce(now),
            },
            credentials,
        );
        let headers: Vec<(&str, &str)> = signed
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let [id, secret, token] = credentials.parts();
        let secrets = [id, secret, token, &signed.signature];
        let request = http::Request {
            method: http::Method::Post,
            url: &url,
            headers: &headers,
            body: b"",
            max_response_bytes: MAX_RESPONSE_BYTES,
        };
        let response = self.http.send(&request, deadline, false);
        let failed = |error: &http::Error| ApiError::no_answer(action, &error.detail, &secrets);
        let result = match &response {
            Err(error) => Err(failed(error)),
            Ok(response) => match &response.body {
                Err(error) => Err(failed(error)),
                Ok(body) => {
                    let answer = Answer {
                        status: response.status,
                        retry_after: response.header("x-acs-retry-after"),
                        body,
                    };
                    read(&answer, action, &secrets)
                }
            },
        };
        result.map_err(|error| error.with_source(credentials.source()))
    }
}
