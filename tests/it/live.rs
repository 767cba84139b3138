//! `check --live`: one line a thing, good or with its remedy, and no message.

use crate::platform::run;
use crate::support::{FALLBACK_TOKEN, SECRET, TOKEN, group};
use fake_aliyun::{Cloud, Fault, Identity};
use fake_dingtalk::{Certificate, Group, Robot};

const ACCOUNT: &str = "1234567890123456";
const HOST: &str = "127.0.0.1";

/// Runs the command. Returns the exit code and the lines.
fn check(vars: &[(&str, &str)]) -> (i32, Vec<String>) {
    let output = run(&["check", "--live"], vars, "");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines = stdout.lines().map(str::to_owned);
    (output.status.code().unwrap(), lines.collect())
}

/// Checks a chatbot alone.
fn chatbot(webhook: &str, more: &[(&str, &str)]) -> (i32, Vec<String>) {
    let own = [("DINGTALK_WEBHOOK", webhook), ("RESOURCE_LOOKUP", "off")];
    let (code, mut lines) = check(&[&own, more].concat());
    let last = lines.pop().unwrap();
    assert_eq!(last, "note  look-ups: off (RESOURCE_LOOKUP)");
    (code, lines)
}

/// Checks the permissions of an identity.
fn permissions(cloud: &Cloud, identity: &Identity, group: &Group) -> (i32, Vec<String>) {
    let vars = [
        ("DINGTALK_WEBHOOK", group.webhook(TOKEN)),
        ("RESOURCE_ENDPOINT", cloud.endpoint()),
        ("RESOURCE_REGIONS", "cn-hangzhou".to_owned()),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", identity.id.clone()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", identity.secret.clone()),
        (
            "ALIBABA_CLOUD_SECURITY_TOKEN",
            identity.token.clone().unwrap(),
        ),
    ];
    let vars: Vec<(&str, &str)> = vars
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (code, lines) = check(&vars);
    (code, lines[2..].to_vec())
}

#[test]
fn when_all_is_well_every_line_is_good_and_nothing_is_sent() {
    let group = group();
    let fallback = group.webhook(FALLBACK_TOKEN);
    let more = [
        ("DINGTALK_SECRET", SECRET),
        ("DINGTALK_FALLBACK_WEBHOOK", &fallback),
    ];
    let (code, lines) = chatbot(&group.webhook(TOKEN), &more);
    assert_eq!((code, lines.len()), (0, 4), "{lines:?}");
    for (line, expected) in lines.iter().zip([
        format!("good  route default: {HOST} answers"),
        "good  route default: this clock is ".to_owned(),
        format!("good  route default, fallback: {HOST} answers"),
        "good  route default, fallback: this clock is ".to_owned(),
    ]) {
        assert!(line.starts_with(&expected), "{line}");
    }
    // Nothing of the chatbot is in the request.
    assert_eq!(group.visits(), ["", ""]);
    assert!(group.calls().is_empty() && group.deliveries().is_empty());
}

#[test]
fn a_clock_that_is_off_is_bad_where_it_signs() {
    let group = group();
    group.set_clock_offset_ms(-55 * 60 * 1000);
    let webhook = group.webhook(TOKEN);
    let (code, lines) = chatbot(&webhook, &[("DINGTALK_SECRET", SECRET)]);
    assert_eq!(code, 1);
    assert!(
        lines[1].starts_with("bad   route default: this clock is 3"),
        "{lines:?}"
    );
    assert!(lines[1].ends_with(" s ahead: set it right, or signatures are refused"));
    let (code, lines) = chatbot(&webhook, &[]);
    assert!(code == 0 && lines[1].starts_with("good"), "{lines:?}");
}

#[test]
fn what_is_wrong_with_the_way_has_a_remedy() {
    let stranger = Group::builder()
        .robot(Robot::new(TOKEN))
        .certificate(Certificate::Good)
        .start()
        .unwrap();
    let token = format!("robot/send?access_token={TOKEN}");
    let nowhere = format!("https://no-such-host.invalid/{token}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let refused = format!("http://{address}/{token}");
    let proxy = format!("http://{address}");
    for (webhook, more, expected) in [
        (
            stranger.webhook(TOKEN),
            &[][..],
            "certificate is not trusted: check the host in DINGTALK_WEBHOOK",
        ),
        (
            nowhere.clone(),
            &[],
            "name was not found: check the host in DINGTALK_WEBHOOK",
        ),
        (refused, &[], "the host does not take the connection"),
        (
            nowhere,
            &[("HTTPS_PROXY", proxy.as_str())],
            "no connection through the proxy: check HTTPS_PROXY",
        ),
    ] {
        let (code, lines) = chatbot(&webhook, more);
        let [line] = lines.try_into().unwrap();
        assert_eq!(code, 1, "{line}");
        assert!(line.starts_with("bad   route default: "), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn a_role_is_told_which_permission_it_lacks() {
    let (group, cloud) = (group(), Cloud::start());
    let identity = cloud.role_identity(ACCOUNT);
    let actions = [
        "DescribeInstances",
        "DescribeDisks",
        "DescribeInstanceHistoryEvents",
    ];
    let (code, lines) = permissions(&cloud, &identity, &group);
    let good =
        actions.map(|action| format!("good  look-ups: ecs:{action} is allowed in cn-hangzhou"));
    assert_eq!((code, &lines[..]), (0, &good[..]));
    for (place, action) in actions.iter().enumerate() {
        let permission = format!("ecs:{action}");
        cloud.deny(ACCOUNT, &permission);
        let (code, lines) = permissions(&cloud, &identity, &group);
        assert_eq!(code, 1);
        let bad = format!("bad   look-ups: {permission} in cn-hangzhou: Forbidden.RAM: allow ");
        assert!(lines[place].starts_with(&bad), "{lines:?}");
        assert_eq!(
            lines.iter().filter(|line| line.starts_with("good")).count(),
            2
        );
        cloud.allow(ACCOUNT, &permission);
    }
    cloud.set_standing_fault(Some(Fault::InternalError));
    let (code, lines) = permissions(&cloud, &identity, &group);
    assert!(
        code == 1 && lines.iter().all(|line| line.starts_with("bad")),
        "{lines:?}"
    );
}

#[test]
fn what_cannot_be_checked_is_said_and_is_not_bad() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let (code, lines) = check(&[("DINGTALK_WEBHOOK", webhook.as_str())]);
    assert_eq!(code, 0);
    assert!(
        lines[2].starts_with("note  look-ups: not checked: there is no identity"),
        "{lines:?}"
    );
    let identity = [
        ("DINGTALK_WEBHOOK", webhook.as_str()),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tExampleExample"),
        (
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ExampleExampleExampleExample30",
        ),
    ];
    let (code, lines) = check(&identity);
    assert_eq!(code, 0);
    assert!(
        lines[2].ends_with("set RESOURCE_REGIONS to the regions to ask in"),
        "{lines:?}"
    );
}

#[test]
fn faults_of_the_configuration_come_first() {
    let output = run(
        &["check", "--live"],
        &[("DINGTALK_WEBHOOK", "nonsense")],
        "",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    let output = run(&["check", "--dead"], &[], "");
    assert_eq!(output.status.code(), Some(2));
}
