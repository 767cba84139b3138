//! The commands: `check` tells what is looked up, `preview` asks nothing, `send` asks for real.

use super::{ACCOUNT, borrowed, stopped, vars};
use crate::platform::run;
use crate::support::{TOKEN, group};
use fake_aliyun::Cloud;
use serde_json::Value;
use std::process::Output;

const ID: &str = "i-bp1a";

/// Exit code, stdout and stderr.
fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn check(more: &[(&str, &str)]) -> (i32, String, String) {
    let webhook = format!("https://oapi.dingtalk.com/robot/send?access_token={TOKEN}");
    let mut vars = vec![("DINGTALK_WEBHOOK", webhook.as_str())];
    vars.extend(more);
    texts(run(&["check"], &vars, ""))
}

#[test]
fn check_tells_what_is_looked_up_and_how() {
    for (more, expected, other) in [
        (
            &[][..],
            &[
                "resources are looked up",
                "ecs:DescribeInstances",
                "ecs:DescribeDisks",
                "https://ecs.{region}.aliyuncs.com",
                "are not asked for (RESOURCE_ROLE is not set)",
            ][..],
            "sts.",
        ),
        (
            &[
                ("RESOURCE_ROLE", "acs:ram::{account}:role/reader"),
                ("RESOURCE_ENDPOINT", "https://ecs-vpc.{region}.aliyuncs.com"),
            ],
            &[
                "https://ecs-vpc.{region}.aliyuncs.com",
                "with the role acs:ram::{account}:role/reader, assumed at https://sts.{region}.aliyuncs.com",
            ],
            "RESOURCE_ROLE is not set",
        ),
        (
            &[("RESOURCE_LOOKUP", "off")],
            &["resources are not looked up"],
            "DescribeInstances",
        ),
    ] {
        let (code, stdout, stderr) = check(more);
        assert_eq!((code, stderr.as_str()), (0, ""));
        for text in expected {
            assert!(stdout.contains(text), "{text} in {stdout}");
        }
        assert!(!stdout.contains(other), "{other} in {stdout}");
    }
}

#[test]
fn check_tells_what_is_wrong_with_each_variable() {
    for (name, value, expected) in [
        (
            "RESOURCE_ENDPOINT",
            "http://ecs.example",
            "is not encrypted",
        ),
        (
            "RESOURCE_STS_ENDPOINT",
            "http://10.0.0.1",
            "is not encrypted",
        ),
        ("RESOURCE_ENDPOINT", "ecs.{region}.aliyuncs.com", "https://"),
        (
            "RESOURCE_ENDPOINT",
            "https://ecs.华东1.aliyuncs.com",
            "{region}",
        ),
        (
            "RESOURCE_ENDPOINT",
            "https://ecs.{杭州}.aliyuncs.com",
            "{region}",
        ),
        (
            "RESOURCE_ENDPOINT",
            "https://ecs.cn hangzhou.aliyuncs.com",
            "{region}",
        ),
        (
            "RESOURCE_ENDPOINT",
            "https://ecs.aliyuncs.com/path",
            "more than a host",
        ),
        ("RESOURCE_ENDPOINT", "https://{region}", "{region}"),
        ("RESOURCE_ROLE", "reader", "is no role"),
        (
            "RESOURCE_ROLE",
            "acs:ram::1234567890123456:role/reader",
            "{account}",
        ),
        (
            "RESOURCE_ROLE",
            "acs:ram::{account}:user/reader",
            "is no role",
        ),
        ("RESOURCE_LOOKUP", "on", "write auto"),
        ("RESOURCE_LOOKUP__B", "off", "is of the whole function"),
        (
            "RESOURCE_ROLE__B",
            "acs:ram::{account}:role/reader",
            "is of the whole function",
        ),
        ("RESOURCE_LOOKUPS", "auto", "did you mean RESOURCE_LOOKUP?"),
    ] {
        let (code, stdout, stderr) = check(&[(name, value)]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{name}={value}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with(&format!("{name}: ")), "{stderr}");
        assert!(stderr.contains(expected), "{value}: {stderr}");
    }
    // A server of one's own needs no certificate.
    let (code, _, stderr) = check(&[("RESOURCE_ENDPOINT", "http://127.0.0.1:8080")]);
    assert_eq!((code, stderr.as_str()), (0, ""));
}

/// The variables of a command whose environment holds a key.
fn with_key(
    group: &fake_dingtalk::Group,
    cloud: &Cloud,
    more: &[(&str, &str)],
) -> Vec<(String, String)> {
    let key = cloud.key(ACCOUNT);
    let mut all = vec![
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", key.id.as_str()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", &key.secret),
    ];
    all.extend(more);
    vars(group, &cloud.endpoint(), &all)
}

#[test]
fn preview_asks_nothing() {
    let (group, cloud) = (group(), Cloud::start());
    super::add(&cloud, ID);
    let vars = with_key(&group, &cloud, &[("EVENT_TAGS", "env=prod")]);
    let output = run(
        &["preview", "-"],
        &borrowed(&vars),
        &stopped(ID).to_string(),
    );
    let (code, stdout, stderr) = texts(output);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.contains(ID) && !stdout.contains("name-of-"),
        "{stdout}"
    );
    assert!(cloud.calls().is_empty() && group.calls().is_empty());
}

#[test]
fn send_asks_with_the_key_of_the_environment() {
    let (group, cloud) = (group(), Cloud::start());
    super::add(&cloud, ID);
    let vars = with_key(&group, &cloud, &[]);
    let send = || {
        texts(run(
            &["send", "-"],
            &borrowed(&vars),
            &stopped(ID).to_string(),
        ))
    };
    let (code, stdout, stderr) = send();
    assert_eq!(
        (code, stderr.lines().count()),
        (0, 1),
        "the table: {stderr}"
    );
    let line: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (line["lookup"].as_str(), line["resourceName"].as_str()),
        (Some("found"), Some("name-of-i-bp1a"))
    );
    assert!(group.deliveries()[0].text.contains("name-of-i-bp1a"));

    // What is wrong is told, and what was delivered is delivered.
    cloud.deny(ACCOUNT, "ecs:DescribeInstances");
    let (code, stdout, stderr) = send();
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("\"lookup\":\"denied\""), "{stdout}");
    assert_eq!(stderr.lines().count(), 2, "and the table: {stderr}");
    let remedy = "allow the owner of ALIBABA_CLOUD_ACCESS_KEY_ID ecs:DescribeInstances";
    assert!(
        stderr.contains(remedy) && stderr.contains("Forbidden.RAM"),
        "{stderr}"
    );
    assert!(!stderr.contains(ACCOUNT), "{stderr}");
    assert_eq!(group.deliveries().len(), 2);
}
