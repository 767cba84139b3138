//! Verifies the signature of a request, independently of the client under test: from the bytes that
//! came, not from what the client meant.

use crate::identity::Known;
use crate::refusal::Refusal;
use crate::request::Parameters;
use fake_http::http::Request;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Dates may be so many milliseconds off.
const MAX_SKEW_MS: u64 = 15 * 60 * 1000;

/// The three parts of an `Authorization` header.
pub(crate) struct Authorization<'a> {
    pub(crate) id: &'a str,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(crate) fn read(request: &'a Request) -> Option<Authorization<'a>> {
        let value = request.header("authorization")?;
        let parts = value.strip_prefix("ACS3-HMAC-SHA256 ")?;
        let mut parts = parts.split(',');
        let mut part = |name: &str| parts.next()?.strip_prefix(name);
        let authorization = Authorization {
            id: part("Credential=")?,
            signed: part("SignedHeaders=")?,
            signature: part("Signature=")?,
        };
        parts.next().is_none().then_some(authorization)
    }
}

/// Verifies who sent a request, that it is whole, and that it is new. Returns the account.
pub(crate) fn verify(
    request: &Request,
    identities: &HashMap<String, Known>,
    nonces: &mut HashSet<String>,
    now_ms: u64,
) -> Result<String, Refusal> {
    let incomplete = |what: &str| {
        let message = format!("The request signature does not conform to the standards: {what}.");
        Refusal::new(400, "IncompleteSignature", message)
    };
    let authorization = Authorization::read(request).ok_or_else(|| incomplete("Authorization"))?;
    let header = |name| request.header(name).ok_or_else(|| incomplete(name));
    let hash = header("x-acs-content-sha256")?;
    let date = header("x-acs-date")?;
    let nonce = header("x-acs-signature-nonce")?;

    // The time.
    let date_ms = parse_date(date).ok_or_else(|| {
        let message = "Specified time stamp or date value is not well formatted.";
        Refusal::new(400, "InvalidTimeStamp.Format", message)
    })?;
    if date_ms.abs_diff(now_ms) > MAX_SKEW_MS {
        let message = "Specified time stamp or date value is expired.";
        return Err(Refusal::new(400, "InvalidTimeStamp.Expired", message));
    }

    // The identity, with its token.
    let Some(known) = identities.get(authorization.id) else {
        let message = "Specified access key is not found.";
        return Err(Refusal::new(404, "InvalidAccessKeyId.NotFound", message));
    };
    check_token(
        request.header("x-acs-security-token"),
        known,
        identities,
        now_ms,
    )?;

    // The signature: over all headers that matter, and with the hash of what came.
    let (names, canonical) = canonical(request);
    if names != authorization.signed {
        return Err(incomplete("SignedHeaders"));
    }
    let expected = signature(&canonical, &known.identity.secret);
    if expected != authorization.signature || hash != hexadecimal(&Sha256::digest(&request.body)) {
        // As the real one may: the client must not repeat this.
        let message = format!(
            "Specified signature is not matched with our calculation. server string to sign is:\
             {canonical}"
        );
        return Err(Refusal::new(400, "SignatureDoesNotMatch", message));
    }

    if !nonces.insert(nonce.to_owned()) {
        let message = "Specified signature nonce was used already.";
        return Err(Refusal::new(400, "SignatureNonceUsed", message));
    }
    Ok(known.identity.account.clone())
}

fn check_token(
    token: Option<&str>,
    known: &Known,
    identities: &HashMap<String, Known>,
    now_ms: u64,
) -> Result<(), Refusal> {
    let refuse = |code: &str| {
        Err(Refusal::new(
            400,
            code,
            "Specified SecurityToken is not valid.",
        ))
    };
    match (token, &known.identity.token) {
        (None, Some(_)) => refuse("MissingSecurityToken"),
        (Some(token), own) if own.as_deref() != Some(token) => {
            let owns = |other: &Known| other.identity.token.as_deref() == Some(token);
            match identities.values().any(owns) {
                true => refuse("InvalidSecurityToken.MismatchWithAccessKey"),
                false => refuse("InvalidSecurityToken.Malformed"),
            }
        }
        _ if known.ends_ms.is_some_and(|end| end <= now_ms) => {
            refuse("InvalidSecurityToken.Expired")
        }
        _ => Ok(()),
    }
}

/// Parses `2026-11-25T01:01:00Z`, and no other form.
fn parse_date(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let is_form = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() == text;
    u64::try_from(time.as_millisecond())
        .ok()
        .filter(|_| is_form)
}

/// Returns the `Authorization` header that a request needs: for tests of the stand-in.
pub fn authorize(request: &Request, id: &str, secret: &str) -> String {
    let (names, canonical) = canonical(request);
    let signature = signature(&canonical, secret);
    format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={signature}")
}

/// Returns the names of the headers that must be signed, and the text whose hash is signed.
fn canonical(request: &Request) -> (String, String) {
    let mut headers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if name.starts_with("x-acs-") || name == "host" || name == "content-type" {
            headers.entry(name).or_default().push(value.trim());
        }
    }
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    let names = names.join(";");
    let lines: Vec<String> = headers
        .iter()
        .map(|(name, values)| format!("{name}:{}\n", values.join(",")))
        .collect();
    let canonical = [
        request.method.as_str(),
        request.path(),
        &canonical_query(request),
        &lines.concat(),
        &names,
        &hexadecimal(&Sha256::digest(&request.body)),
    ]
    .join("\n");
    (names, canonical)
}

/// Returns the query as the signature wants it, made anew from the decoded parameters.
fn canonical_query(request: &Request) -> String {
    let encode = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let Parameters(mut pairs) = Parameters::read(request);
    pairs.sort();
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn signature(canonical: &str, secret: &str) -> String {
    let hash = hexadecimal(&Sha256::digest(canonical.as_bytes()));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("ACS3-HMAC-SHA256\n{hash}").as_bytes());
    hexadecimal(&mac.finalize().into_bytes())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    /// The published example.
    fn published() -> Request {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Request {
            method: "POST".into(),
            target: "/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd\
                     &RegionId=cn-shanghai"
                .into(),
            headers: vec![
                header("Host", "ecs.cn-shanghai.aliyuncs.com"),
                header("x-acs-action", "RunInstances"),
                header("x-acs-version", "2014-05-26"),
                header("x-acs-date", "2023-10-26T10:22:32Z"),
                header("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                header(
                    "x-acs-content-sha256",
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                ),
                header(
                    "Authorization",
                    "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
                     x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
                     Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
                ),
            ],
            body: Vec::new(),
        }
    }

    fn check(request: &Request, now_ms: u64) -> Result<String, String> {
        let identity = Identity {
            id: "YourAccessKeyId".into(),
            secret: "YourAccessKeySecret".into(),
            token: None,
            account: "1".into(),
        };
        let known = Known {
            identity,
            ends_ms: None,
        };
        let identities = HashMap::from([("YourAccessKeyId".to_owned(), known)]);
        verify(request, &identities, &mut HashSet::new(), now_ms).map_err(|refusal| refusal.code)
    }

    const NOW: u64 = 1_698_315_752_000;

    #[test]
    fn the_published_example_is_accepted_within_its_time() {
        assert_eq!(check(&published(), NOW), Ok("1".into()));
        assert_eq!(check(&published(), NOW + MAX_SKEW_MS), Ok("1".into()));
        for now in [NOW + MAX_SKEW_MS + 1, NOW - MAX_SKEW_MS - 1] {
            assert_eq!(
                check(&published(), now),
                Err("InvalidTimeStamp.Expired".into())
            );
        }
    }

    type Change = fn(&mut Request);

    #[test]
    fn any_change_is_refused() {
        let changes: [(Change, &str); 9] = [
            (|r| r.method = "GET".into(), "SignatureDoesNotMatch"),
            (|r| r.target.push_str("&a=b"), "SignatureDoesNotMatch"),
            (|r| r.body.push(b'x'), "SignatureDoesNotMatch"),
            (|r| r.headers[0].1.push_str(":443"), "SignatureDoesNotMatch"),
            (|r| r.headers[5].1.clear(), "SignatureDoesNotMatch"),
            (
                |r| r.headers.push(("x-acs-other".into(), "x".into())),
                "IncompleteSignature",
            ),
            (
                |r| r.headers.push(("Content-Type".into(), "x".into())),
                "IncompleteSignature",
            ),
            (|r| drop(r.headers.remove(5)), "IncompleteSignature"),
            (|r| drop(r.headers.remove(6)), "IncompleteSignature"),
        ];
        for (at, (change, code)) in changes.into_iter().enumerate() {
            let mut request = published();
            change(&mut request);
            assert_eq!(check(&request, NOW), Err(code.into()), "change {at}");
        }
    }
}
