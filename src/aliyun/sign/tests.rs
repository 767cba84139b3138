use super::*;
use crate::aliyun::query;
use std::collections::HashSet;

/// A request, what its query and the hash of its canonical form are, and its signature.
struct Vector {
    host: &'static str,
    action: &'static str,
    version: &'static str,
    date: &'static str,
    nonce: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    query: &'static str,
    hash: &'static str,
    signature: &'static str,
}

impl Vector {
    fn check(&self, credentials: &Credentials) -> Signed {
        let query = query(self.parameters);
        assert_eq!(query, self.query);
        let signed = sign(
            &Unsigned {
                host: self.host,
                action: self.action,
                version: self.version,
                query: &query,
                date: self.date.parse().unwrap(),
                nonce: self.nonce,
            },
            credentials,
        );
        let is_signed = |name: &str| name == "host" || name.starts_with("x-acs-");
        let headers: Vec<_> = (signed.headers.iter())
            .filter(|(name, _)| is_signed(name))
            .cloned()
            .collect();
        let (canonical, names) = canonical_request("POST", &query, &headers, EMPTY_BODY);
        assert_eq!(hex(&Sha256::digest(&canonical)), self.hash);
        assert_eq!(signed.signature, self.signature);
        let [id, ..] = credentials.parts();
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={}",
            self.signature
        );
        assert!(signed.headers.contains(&("authorization", authorization)));
        signed
    }
}

fn key(id: &str, secret: &str, token: &str) -> Credentials {
    Credentials::from_environment(|name| {
        let value = match name {
            "ALIBABA_CLOUD_ACCESS_KEY_ID" => id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET" => secret,
            _ => token,
        };
        Some(value.to_owned())
    })
    .unwrap()
}

/// Published by Alibaba Cloud.
#[test]
fn the_signature_of_a_key_equals_the_published_one() {
    let vector = Vector {
        host: "ecs.cn-shanghai.aliyuncs.com",
        action: "RunInstances",
        version: "2014-05-26",
        date: "2023-10-26T10:22:32Z",
        nonce: "3156853299f313e23d1673dc12e1703d",
        parameters: &[
            ("RegionId", "cn-shanghai"),
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            ),
        ],
        query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
        hash: "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
        signature: "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
    };
    let signed = vector.check(&key("YourAccessKeyId", "YourAccessKeySecret", ""));
    let has_token = |(name, _): &(&str, String)| *name == "x-acs-security-token";
    assert!(!signed.headers.iter().any(has_token));
}

/// Computed with another implementation, for invented identities.
#[test]
fn signatures_with_a_token_equal_those_of_another_program() {
    for vector in [
        Vector {
            host: "ecs.cn-hangzhou.aliyuncs.com",
            action: "DescribeInstances",
            version: "2014-05-26",
            date: "2026-11-25T01:01:00Z",
            nonce: "00112233445566778899aabbccddeeff",
            parameters: &[
                ("RegionId", "cn-hangzhou"),
                ("InstanceIds", "[\"i-bp1exampleexample0001\"]"),
                ("MaxResults", "100"),
            ],
            query: "InstanceIds=%5B%22i-bp1exampleexample0001%22%5D&MaxResults=100\
                    &RegionId=cn-hangzhou",
            hash: "6cc7464f2012968238d5b2e976253dd152b32ed8878e30617279f67c4abc6f9f",
            signature: "56d3756127b4dc36cc98c8e759df509228152a090182f77b90f8f2a4ebe9dd75",
        },
        Vector {
            host: "sts.cn-hangzhou.aliyuncs.com",
            action: "AssumeRole",
            version: "2015-04-01",
            date: "2026-11-25T01:01:00Z",
            nonce: "00112233445566778899aabbccddeeff",
            parameters: &[
                (
                    "RoleArn",
                    "acs:ram::1234567890123456:role/ecs-notifier-read",
                ),
                ("RoleSessionName", "ecs-dingtalk-notifier"),
                ("DurationSeconds", "900"),
            ],
            query: "DurationSeconds=900\
                    &RoleArn=acs%3Aram%3A%3A1234567890123456%3Arole%2Fecs-notifier-read\
                    &RoleSessionName=ecs-dingtalk-notifier",
            hash: "7630fe378285576113e42a5b29c54a82d8fb490f448801a9fe16d8e1adff3163",
            signature: "6d5fe5d16f954056f20f5aad8c8646afe669ecebfb95d96b1c5434a6f000a51e",
        },
        Vector {
            host: "ecs.cn-hangzhou.aliyuncs.com",
            action: "DescribeInstanceHistoryEvents",
            version: "2014-05-26",
            date: "2026-11-25T01:01:00Z",
            nonce: "ffeeddccbbaa99887766554433221100",
            parameters: &[
                ("RegionId", "cn-hangzhou"),
                ("InstanceEventCycleStatus.1", "Scheduled"),
                ("InstanceEventCycleStatus.2", "Inquiring"),
                ("InstanceEventCycleStatus.3", "Executing"),
                ("NotBefore.Start", "2026-11-25T00:00:00Z"),
                ("Tag.1.Key", "团队 *~"),
                ("Tag.1.Value", "a+b/c"),
                ("MaxResults", "100"),
            ],
            query: "InstanceEventCycleStatus.1=Scheduled&InstanceEventCycleStatus.2=Inquiring\
                    &InstanceEventCycleStatus.3=Executing&MaxResults=100\
                    &NotBefore.Start=2026-11-25T00%3A00%3A00Z&RegionId=cn-hangzhou\
                    &Tag.1.Key=%E5%9B%A2%E9%98%9F%20%2A~&Tag.1.Value=a%2Bb%2Fc",
            hash: "1adc1e508f1b78d61962f97ad550d79a3f9905f9743762651b185fd3cd3293de",
            signature: "fa63b9a2d501c491616a399c49bf0541cbb77a7d96483b35b99dcaf3543febda",
        },
    ] {
        vector.check(&key(
            "STS.ExampleAccessKeyId",
            "ExampleAccessKeySecret",
            "ExampleSecurityToken",
        ));
    }
}

#[test]
fn the_canonical_request_is_that_of_the_recipe() {
    let headers = [
        ("host", "ecs.cn-hangzhou.aliyuncs.com".to_owned()),
        ("x-acs-action", " DescribeInstances ".to_owned()),
    ];
    let (canonical, names) = canonical_request("POST", "a=b", &headers, EMPTY_BODY);
    assert_eq!(names, "host;x-acs-action");
    assert_eq!(
        canonical,
        format!(
            "POST\n/\na=b\nhost:ecs.cn-hangzhou.aliyuncs.com\nx-acs-action:DescribeInstances\n\n\
             host;x-acs-action\n{EMPTY_BODY}"
        )
    );
}

/// From the tests of the official SDK for Go: no method, and two values of one header.
#[test]
fn the_signature_equals_that_of_the_official_sdk() {
    let query = query(&[("test", "ok"), ("empty", "")]);
    assert_eq!(query, "empty=&test=ok");
    let (canonical, names) = canonical_request(
        "",
        &query,
        &[("x-acs-test", "http,https".to_owned())],
        "55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23",
    );
    assert_eq!(names, "x-acs-test");
    assert_eq!(
        signature(&canonical, "secret"),
        "4ab59fffe3c5738ff8a2729f90cc04fe18b02a4b15b2102cbaf92f9ff3df2ea3"
    );
}

#[test]
fn a_fraction_of_a_second_is_cut() {
    let credentials = key("id", "secret", "");
    let request = |date: &str| Unsigned {
        host: "h",
        action: "a",
        version: "v",
        query: "",
        date: date.parse().unwrap(),
        nonce: "n",
    };
    let cut = sign(&request("2026-11-25T01:01:00.999Z"), &credentials);
    let date = ("x-acs-date", "2026-11-25T01:01:00Z".to_owned());
    assert!(cut.headers.contains(&date));
}

#[test]
fn no_two_nonces_are_equal() {
    let now = SystemTime::UNIX_EPOCH;
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(move || (0..1000).map(|_| nonce(now)).collect::<Vec<_>>()))
        .collect();
    let made = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap());
    let mut seen = HashSet::new();
    for nonce in made {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(nonce.len() == 32 && nonce.bytes().all(is_digit), "{nonce}");
        assert!(seen.insert(nonce));
    }
    assert_eq!(seen.len(), 8000);
}
