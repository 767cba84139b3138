//! What goes wrong with a call, and what to do about it.
//!
//! The code decides, not the status: the documented statuses of several codes differ from page to
//! page, <https://help.aliyun.com/document_detail/48054.html>.

use super::Source;
use crate::http::redact;
use std::fmt;
use std::time::Duration;

/// A call without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub kind: ErrorKind,
    /// The API's own code, if it answered with one: `Forbidden.RAM`.
    pub code: Option<String>,
    /// The call: `DescribeInstances`.
    pub action: &'static str,
    /// One line of at most 300 characters without secrets, for the log. Not for a chat: it may
    /// repeat the API's words.
    pub detail: String,
    fault: Fault,
    /// Where the identity came from that made the call.
    source: Source,
}

/// What a failure means for the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The identity may not do this. It will not help to ask again before somebody changes that.
    Denied,
    /// The account makes too many calls of this kind in this region. They are counted in minutes.
    Throttled {
        /// How long to wait, if the API says so: 1 ms to 1 h.
        retry_after: Option<Duration>,
    },
    /// The temporary identity has ended.
    Expired,
    /// No answer of the API, or one that says that it has a failure of its own.
    Unreachable,
    /// The API refused the call for another reason, or it was not made because its parameters
    /// cannot be right. The same call would be refused again.
    Refused,
}

/// What a remedy depends on, beside the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The API said what is wrong. Boxed, because few errors have a denial.
    Coded(Option<Box<Denial>>),
    /// Nothing came, or not all of it.
    NoAnswer,
    /// Something else answered.
    NotTheApi,
    /// Nothing was asked.
    NotAsked,
}

/// What the API tells of a missing permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    /// `ecs:DescribeInstances`
    pub(super) action: Option<String>,
    /// `ImplicitDeny` or `ExplicitDeny`
    pub(super) reason: Option<String>,
}

impl ApiError {
    pub(super) fn not_asked(action: &'static str, why: &str) -> ApiError {
        let detail = format!("{why}: nothing was asked");
        ApiError::new(ErrorKind::Refused, action, detail, Fault::NotAsked)
    }

    pub(super) fn no_answer(action: &'static str, why: &str, secrets: &[&str]) -> ApiError {
        let detail = redact(why, secrets);
        ApiError::new(ErrorKind::Unreachable, action, detail, Fault::NoAnswer)
    }

    pub(super) fn not_the_api(action: &'static str, detail: String) -> ApiError {
        ApiError::new(ErrorKind::Unreachable, action, detail, Fault::NotTheApi)
    }

    /// For an answer 429 without a code.
    pub(super) fn throttled(action: &'static str, retry_after: Option<Duration>) -> ApiError {
        let kind = ErrorKind::Throttled { retry_after };
        ApiError::new(kind, action, "HTTP 429".to_owned(), Fault::Coded(None))
    }

    pub(super) fn coded(
        action: &'static str,
        code: String,
        retry_after: Option<Duration>,
        detail: String,
        denial: Option<Denial>,
    ) -> ApiError {
        let kind = match code.split('.').next().unwrap_or_default() {
            "Forbidden" | "NoPermission" => ErrorKind::Denied,
            "Throttling" => ErrorKind::Throttled { retry_after },
            "InternalError" | "ServiceUnavailable" => ErrorKind::Unreachable,
            "InvalidSecurityToken" if code == "InvalidSecurityToken.Expired" => ErrorKind::Expired,
            _ => ErrorKind::Refused,
        };
        let fault = Fault::Coded(denial.map(Box::new));
        let mut error = ApiError::new(kind, action, detail, fault);
        error.code = Some(code);
        error
    }

    fn new(kind: ErrorKind, action: &'static str, detail: String, fault: Fault) -> ApiError {
        ApiError {
            kind,
            code: None,
            action,
            detail,
            fault,
            source: Source::Invocation,
        }
    }

    pub(super) fn with_source(self, source: Source) -> ApiError {
        ApiError { source, ..self }
    }

    /// What to change and where, in one line without accounts, ids and secrets.
    pub fn remedy(&self) -> String {
        let endpoint = match self.product() {
            "sts" => "RESOURCE_STS_ENDPOINT",
            _ => "RESOURCE_ENDPOINT",
        };
        match (&self.fault, self.code.as_deref()) {
            (Fault::NotAsked, _) if self.is_about_regions() => {
                "check RESOURCE_REGIONS: one of them is no region's id".to_owned()
            }
            (Fault::NotAsked, _) => {
                "nothing to change: the event does not say where its resource is".to_owned()
            }
            (Fault::NoAnswer, _) => {
                format!(
                    "let the function reach the internet, or set {endpoint} to \
                     https://{}-vpc.{{region}}.aliyuncs.com if it has a VPC only",
                    self.product()
                )
            }
            (Fault::NotTheApi, _) => {
                format!("check {endpoint} and the proxy: what answered is not the API")
            }
            (Fault::Coded(_), None) => self.throttled_remedy(),
            (Fault::Coded(denial), Some(code)) => match self.kind {
                ErrorKind::Denied => self.denied_remedy(denial.as_deref()),
                ErrorKind::Throttled { .. } => self.throttled_remedy(),
                ErrorKind::Expired => self.expired_remedy().to_owned(),
                ErrorKind::Unreachable => {
                    "nothing to change: the API has a failure of its own".to_owned()
                }
                ErrorKind::Refused => self.refused_remedy(code, endpoint),
            },
        }
    }

    /// The product whose API was called, as permissions and hosts name it.
    fn product(&self) -> &'static str {
        match self.action {
            "AssumeRole" => "sts",
            _ => "ecs",
        }
    }

    /// Returns true if the call asks for all of a region, and not for the resources of an event.
    fn is_about_regions(&self) -> bool {
        self.action == "DescribeInstanceHistoryEvents"
    }

    fn throttled_remedy(&self) -> String {
        format!(
            "nothing to change if it passes; else ask Quota Center for more calls of {}, or call \
             it less from other tools of the account",
            self.action
        )
    }

    fn denied_remedy(&self, denial: Option<&Denial>) -> String {
        let action = match denial.and_then(|denial| denial.action.clone()) {
            Some(action) => action,
            None => format!("{}:{}", self.product(), self.action),
        };
        let reason = match denial.and_then(|denial| denial.reason.as_deref()) {
            Some(reason) => format!(" ({reason})"),
            None => String::new(),
        };
        let whom = match self.source {
            Source::Invocation => "the function's role",
            Source::Environment => "the owner of ALIBABA_CLOUD_ACCESS_KEY_ID",
            Source::AssumedRole => "the role of RESOURCE_ROLE, in the resource's account,",
        };
        if self.action == "AssumeRole" {
            return format!(
                "allow {whom} {action} on the role of RESOURCE_ROLE, and let that role trust it\
                 {reason}"
            );
        }
        format!("allow {whom} {action} on all resources{reason}")
    }

    fn expired_remedy(&self) -> &'static str {
        match self.source {
            Source::Environment => {
                "set the three variables ALIBABA_CLOUD_… to a new identity: theirs has ended"
            }
            _ => "nothing to change: the next invocation brings a new identity",
        }
    }

    fn refused_remedy(&self, code: &str, endpoint: &str) -> String {
        let is_environment = self.source == Source::Environment;
        let family = code.split('.').next().unwrap_or_default();
        match family {
            "InvalidAccessKeyId" | "InvalidSecurityToken" | "MissingSecurityToken"
                if is_environment =>
            {
                "take all three variables ALIBABA_CLOUD_… from one valid identity; a long-lived \
                 key has no token"
                    .to_owned()
            }
            "SignatureDoesNotMatch" if is_environment => {
                "check ALIBABA_CLOUD_ACCESS_KEY_SECRET: it does not belong to the id".to_owned()
            }
            "InvalidAccessKeyId" | "InvalidSecurityToken" | "MissingSecurityToken" => format!(
                "check that {endpoint} is in the function's own cloud: it does not know the \
                 function's identity"
            ),
            "SignatureDoesNotMatch" | "IncompleteSignature" => {
                format!("check {endpoint} and the proxy: something on the way changes requests")
            }
            "InvalidTimeStamp" => "set the clock right: it is more than 15 minutes off".to_owned(),
            "SignatureNonceUsed" => "nothing to change: the next call is signed anew".to_owned(),
            "InvalidRegionId" if self.is_about_regions() => {
                format!("check RESOURCE_REGIONS: {endpoint} knows no such region")
            }
            "InvalidRegionId" => format!("check {endpoint}: it does not know the event's region"),
            "EntityNotExist" | "InvalidParameter" if self.action == "AssumeRole" => {
                "check RESOURCE_ROLE: the account of the resource has no such role".to_owned()
            }
            _ if self.is_about_regions() => format!(
                "check {endpoint}; if it is right, update the function, or unset MESSAGE_DIGEST_AT \
                 and MESSAGE_REMIND_BEFORE"
            ),
            _ => format!(
                "check {endpoint}; if it is right, update the function or set RESOURCE_LOOKUP=off"
            ),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.detail)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests;
