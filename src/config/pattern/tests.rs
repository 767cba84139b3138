use super::*;
use crate::event::region::REGIONS;

type Parse = fn(&str) -> Result<Pattern, String>;

fn assert_fault(parse: Parse, text: &str, expected: &str) {
    let fault = parse(text).expect_err(text);
    assert!(fault.contains(expected), "{text}: {fault}");
}

#[test]
fn a_name_may_be_written_as_eventbridge_writes_it() {
    for (text, expected) in [
        ("ecs:Instance:StateChange", "Instance:StateChange"),
        ("ECS:instance:*", "instance:*"),
        ("ebs:Disk:*", "Disk:*"),
        ("ecs:*", "*"),
        (
            "ecs:CloudMonitor:ThresholdAlarm",
            "CloudMonitor:ThresholdAlarm",
        ),
        (
            "ecs:CloudMonitor:ThresholdAlarm:OK",
            "CloudMonitor:ThresholdAlarm:OK",
        ),
        ("Disk:Stalled:Executing", "Disk:Stalled:Executing"),
        ("Agent_Status_Stopped", "Agent_Status_Stopped"),
        ("acs.*:?", "acs.*:?"),
        // A name may be anything that a producer writes.
        ("告警:*", "告警:*"),
    ] {
        assert_eq!(name(text).unwrap().as_str(), expected);
    }
}

#[test]
fn a_name_that_no_event_has_is_a_fault() {
    for (text, expected) in [
        ("^Disk:.*$", "write the name as it is, with * for any text"),
        ("Instance:(StateChange)", "holds '('"),
        ("Disk:%", "holds '%'"),
        (
            "Disk:Stalled Disk:Full",
            "separate several patterns by commas",
        ),
        ("Disk：Stalled", "holds '：'"),
        ("Ｄisk:*", "holds 'Ｄ'"),
        ("{Disk}", "holds '{'"),
        ("!Disk:*", "holds '!'"),
        ("Disk=*", "holds '='"),
        ("ecs:", "names no event"),
        (
            "Instance:StateChange:",
            "no name ends in a colon; write \"Instance:StateChange:*\", or leave the colon out",
        ),
        (
            "ecs:CloudMonitor:Instance[SystemMaintenance.Redeploy:Avoided]",
            "here: \"Instance:SystemMaintenance.Redeploy:Avoided\"",
        ),
        ("ecs:cloudmonitor:Disk:Stalled", "here: \"Disk:Stalled\""),
        ("ebs:CloudMonitor:Disk[*]", "here: \"Disk:*\""),
        (
            "ess:CloudMonitor:AUTOSCALING[SCALEINERROR]",
            "here: \"AUTOSCALING:SCALE_IN_ERROR\"",
        ),
        (
            "cms:CloudMonitor:AgentStatusStopped",
            "here: \"Agent_Status_Stopped\"",
        ),
    ] {
        assert_fault(name, text, expected);
    }
}

#[test]
fn every_known_name_region_and_status_is_accepted() {
    for known in known_names() {
        for text in [
            known.to_owned(),
            format!("{known}:Executed"),
            format!("ecs:{known}"),
        ] {
            let pattern = name(&text).unwrap();
            assert!(pattern.matches(text.strip_prefix("ecs:").unwrap_or(&text)));
        }
    }
    for known in REGIONS {
        assert!(region(known.id).unwrap().matches(known.id));
    }
}

#[test]
fn a_region_that_may_be_new_is_accepted() {
    for text in [
        "cn-*",
        "*",
        "**",
        "*-1",
        "us-????-1",
        "cn-hangzhou*",
        "*hangzhou*",
        "CN-HANGZHOU",
        "xx-brand-new-7",
        "rus-west-1-pop",
        "cn-hangzhou-dg-a01",
        "cn-zhangbei-na61-b01",
        "cn-hangzhou-?",
        "?n-hangzhou",
        "cn?hangzhou",
        "ap-southeast-??",
    ] {
        assert!(region(text).is_ok(), "{text}: {:?}", region(text));
    }
}

#[test]
fn what_is_no_region_is_answered_with_what_to_write() {
    for (text, expected) in [
        ("杭州", "write cn-hangzhou or cn-hangzhou-finance"),
        ("华东1（杭州）", "write cn-hangzhou"),
        ("华东 1", "write cn-hangzhou"),
        ("China (Chengdu)", "write cn-chengdu"),
        ("Hong Kong", "write cn-hongkong"),
        ("hongkong", "write cn-hongkong"),
        ("hangzhou*", "write cn-hangzhou"),
        ("cn_chengdu", "write cn-chengdu"),
        ("singapore", "write ap-southeast-1"),
        ("China", "such as cn-hangzhou"),
        ("mars", "such as cn-hangzhou"),
        ("cn", "such as cn-hangzhou"),
        ("a", "such as cn-hangzhou"),
        ("cn-", "such as cn-hangzhou"),
        ("-cn", "such as cn-hangzhou"),
        ("cn--x", "such as cn-hangzhou"),
        ("???", "such as cn-hangzhou"),
        (
            "cn-hangzhou-b",
            "is the id of a zone, and events tell their region; write \"cn-hangzhou\"",
        ),
        ("us-east-1a", "write \"us-east-1\""),
        ("cn-*-b", "write \"cn-*\""),
        ("cn-beijing cn-shanghai", "is no region's id"),
    ] {
        assert_fault(region, text, expected);
    }
}

#[test]
fn an_account_is_digits() {
    for text in ["1234567890123456", "12*", "*", "????"] {
        assert!(account(text).is_ok(), "{text}");
    }
    for text in [
        "prod",
        "acs:ram::1234567890123456:root",
        "ops@example.com",
        "1234 5678",
        "１２３４",
        "1234-5678",
    ] {
        assert_fault(account, text, "such as 1234567890123456");
    }
}

#[test]
fn a_tag_has_a_key_and_a_value() {
    for text in [
        "team=payments",
        "env=prod*",
        "*=x",
        "a=",
        "团队=支付",
        "a=b=c d",
    ] {
        assert!(tag(text).is_ok(), "{text}: {:?}", tag(text));
    }
    for text in ["payments", "=x", " =x", "team:payments", "*"] {
        assert_fault(tag, text, "such as team=payments");
    }
    assert_fault(tag, "team=^pay$", "matches no tag");
}

#[test]
fn a_resource_may_be_called_nearly_anything() {
    for text in [
        "i-bp1ecr4x7k2m9q5go2go",
        "web-*",
        "测试（旧）",
        "web 01 old",
        "it's",
        "[prod] web-?",
        "192.0.2.15",
        "a/b&c+d@e=f",
        "i-am alive",
        "*",
    ] {
        assert!(resource(text).is_ok(), "{text}: {:?}", resource(text));
    }
    for (text, expected) in [
        ("acs:ecs:cn-hangzhou:1:instance/i-1", "is an ARN"),
        ("^web.*$", "with * for any text"),
        ("{web,db}-*", "with * for any text"),
        ("<instance-id>", "with * for any text"),
        (
            "i-bp1ecr4x7k2m9q5go2go d-bp1ecr4x7k2m9q5go2go",
            "holds several ids",
        ),
    ] {
        assert_fault(resource, text, expected);
    }
}
