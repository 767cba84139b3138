//! Messages of what no sample holds: late notices, accounts, alarms, records of API calls.

use super::*;
use ecs_dingtalk_notifier::message::{AccountNames, Console};
use serde_json::Value;

const PROD: &str = "1234567890123456";
const TEST: &str = "2345678901234567";

/// The events of CloudEvents of `acs.ecs`, each of these types with these data.
pub(super) fn events(kind: &str, data: impl IntoIterator<Item = Value>) -> Vec<Event> {
    let events = data.into_iter().enumerate().map(|(n, data)| {
        json!({
            "id": format!("e000000{n}"), "source": "acs.ecs", "type": kind, "data": data,
            "time": format!("2026-11-26T02:{n:02}:14Z"), "aliyunregionid": "cn-shanghai",
        })
    });
    let payload = Value::from_iter(events).to_string();
    let events = event::parse(payload.as_bytes()).events;
    events.into_iter().map(Arc::unwrap_or_clone).collect()
}

pub(super) fn event(kind: &str, data: Value) -> Event {
    events(kind, [data]).remove(0)
}

fn spot(count: usize) -> Vec<Event> {
    let data =
        (0..count).map(|n| json!({"instanceId": format!("i-uf6{n:017}"), "action": "delete"}));
    events("ecs:Instance:PreemptibleInstanceInterruption", data)
}

fn alarm(state: &str) -> Event {
    let data = json!({
        "alertName": "ECS-内存使用率", "metricName": "Host.mem.usedutilization", "curValue": "97.39",
        "rawMetricName": "memory_usedutilization", "unit": "%", "expression": "$Average>=95",
        "lastTime": "5分钟", "triggerLevel": if state == "OK" { "OK" } else { "CRITICAL" },
        "preTriggerLevel": "WARN", "ipAddress": "192.0.2.15",
        "productGroupName": "shop", "groupId": "1000001", "metricProject": "acs_ecs",
        "namespace": "acs_ecs_dashboard", "ruleId": "applyTemplate0", "transId": "11111111-0064",
        "dimensions": {"device": "/dev/vda1"},
    });
    Event {
        name: "CloudMonitor:ThresholdAlarm".into(),
        status: Some(state.into()),
        level: Some(Level::Critical),
        product: Some("CloudMonitor".into()),
        resource_id: Some("i-bp1field0000000001".into()),
        resource_kind: Some("instance".into()),
        resource_name: Some("shop-web-01".into()),
        account: Some(PROD.into()),
        ..event("ecs:x", data)
    }
}

fn call(operation: &str, actor: &str) -> Event {
    let data = json!({
        "eventId": "e0000000", "eventName": operation, "eventRW": "Write", "eventType": "ApiCall",
        "eventVersion": 1, "isGlobal": false, "serviceName": "Ecs", "acsRegion": "cn-shanghai",
        "eventAttributes": {"SensitiveAction": "true"}, "sourceIpAddress": "203.0.113.9",
        "userAgent": "Apache-HttpClient", "requestId": "32B7EB75",
        "requestParameters": {"DiskId": "d-8vbfield0000000001", "AcsHost": "ecs.aliyuncs.com",
            "RegionId": "cn-shanghai", "Force": true},
        "referencedResources": {"ACS::ECS::Instance": ["i-8vbfield0000000001"],
            "ACS::ECS::Disk": ["d-8vbfield0000000001"]},
        "userIdentity": {"type": "ram-user", "userName": actor, "accountId": PROD,
            "principalId": "200000000000000000"},
        "errorCode": "", "errorMessage": "",
    });
    Event {
        operation: Some(operation.into()),
        actor: Some(actor.into()),
        resource_id: Some("d-8vbfield0000000001".into()),
        resource_kind: Some("disk".into()),
        ..event("ecs:ActionTrail:ApiCall", data)
    }
}

/// An instance that moved to another switch: the ARN is that of its network interface.
fn moved() -> Event {
    let data = json!({"instanceId": "i-bp1field0000000001", "vswitchId": "vsw-bp1field",
        "vpcId": "vpc-bp1field", "privateIpAddress": "192.168.0.10"});
    Event {
        arn_resource_id: Some("eni-bp1field0000000001".into()),
        arn_resource_kind: Some("eni".into()),
        ..event("ecs:Instance:VSwitchChanged", data)
    }
}

fn with_account(event: Event, account: &str) -> Event {
    Event {
        account: Some(account.into()),
        ..event
    }
}

fn resolved() -> Event {
    let data = json!({"instanceId": "i-bp1field0000000001", "eventStatus": "Executing",
        "alertStatus": "RESOLVED"});
    event("ecs:Instance:SystemFailure.Reboot", data)
}

/// The options of a function of the account `PROD`, which calls `TEST` by a name.
fn with_accounts(language: Language) -> RenderOptions {
    RenderOptions {
        accounts: AccountNames {
            own: Some(PROD.into()),
            names: [(TEST.to_owned(), "test".to_owned())].into(),
        },
        ..options(language)
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub(super) fn texts(
    now: Timestamp,
    events: &[Event],
    options: impl Fn(Language) -> RenderOptions,
) -> [Message; 2] {
    let events: Vec<&Event> = events.iter().collect();
    let languages = [Language::Zh, Language::En];
    languages.map(|language| render_at(now, &events, &options(language), None, MAX_BYTES))
}

#[test]
fn messages_of_situations_match_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots/situations");
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let now = at("2026-11-26T02:01:14Z");
    let later = at("2026-11-26T02:20:14Z");
    let over = {
        let status = |status: &str| json!({"instanceId": "i-1", "eventStatus": status});
        let statuses = ["Executed", "Avoided", "Canceled"].map(status);
        events("ecs:Instance:SystemMaintenance.Reboot", statuses)
    };
    let calls = [
        ("DeleteDisk", "alice"),
        ("DeleteDisk", "bob"),
        ("StopInstance", "alice"),
    ];
    let calls = calls
        .map(|(operation, actor)| call(operation, actor))
        .to_vec();
    let of_accounts = {
        let accounts = [PROD, TEST, "3456789012345678"];
        let events = reboots(3).into_iter().zip(accounts);
        events
            .map(|(event, account)| with_account(event, account))
            .collect()
    };
    let undecoded = json!({"instanceId": "i-1", "data_base64": "AAECAwQ="});
    for (name, now, events) in [
        ("spot", now, spot(1)),
        ("spot-late", later, spot(1)),
        ("spot-digest", at("2026-11-26T02:06:00Z"), spot(3)),
        ("spot-digest-late", later, spot(3)),
        ("all-over", now, over),
        ("resolved", now, vec![resolved()]),
        ("alarm", now, vec![alarm("ALERT")]),
        ("alarm-ok", now, vec![alarm("OK")]),
        (
            "alarms",
            now,
            vec![alarm("ALERT"), alarm("ALERT"), alarm("OK")],
        ),
        ("call", now, vec![call("DeleteDisk", "alice")]),
        ("calls", now, calls),
        ("moved", now, vec![moved()]),
        ("account-own", now, vec![with_account(moved(), PROD)]),
        ("account-named", now, vec![with_account(moved(), TEST)]),
        (
            "account-foreign",
            now,
            vec![with_account(moved(), "3456789012345678")],
        ),
        ("accounts", super::now(), of_accounts),
        (
            "undecoded",
            now,
            vec![event("ecs:Instance:StateChange", undecoded)],
        ),
    ] {
        let shown = texts(now, &events, with_accounts).map(|message| shown(&message));
        insta::assert_snapshot!(name, shown.join("\n\n════\n\n"));
    }
}

#[test]
fn a_spot_notice_that_comes_late_says_that_it_is_late() {
    let [zh, en] = texts(at("2026-11-26T02:01:14Z"), &spot(1), options);
    assert!(
        zh.text
            .contains("**释放时间**：**4 分钟后，2026-11-26 10:05**")
    );
    assert!(
        en.text
            .contains("**Release**: **in 4 min, 2026-11-26 10:05**")
    );
    let [zh, en] = texts(at("2026-11-26T02:05:14Z"), &spot(1), options);
    assert!(zh.text.contains("2026-11-26 10:05（已过，实例已释放）"));
    assert!(
        en.text
            .contains("2026-11-26 10:05 (already past: released)")
    );
    assert!(!zh.text.contains("请在释放前") && !en.text.contains("before the release"));
}

#[test]
fn a_title_of_what_is_over_begins_with_its_own_icon() {
    let data = |status: &str| json!({"instanceId": "i-1", "eventStatus": status});
    let one = |status: &str| event("ecs:Instance:SystemMaintenance.Reboot", data(status));
    for (event, icon) in [
        (one("Executed"), "✅ "),
        (one("Avoided"), "✅ "),
        (one("Canceled"), "🚫 "),
        (one("Failed"), "🔴 "),
        (alarm("OK"), "✅ "),
        (alarm("ALERT"), "🔴 "),
        (resolved(), "✅ "),
    ] {
        for events in [vec![event.clone()], vec![event.clone(), event.clone()]] {
            for message in texts(now(), &events, options) {
                let heading = format!("### {icon}");
                assert!(message.title.starts_with(icon), "{}", message.title);
                assert!(message.text.starts_with(&heading), "{}", message.text);
                let others = ["🔴", "✅", "🚫"].map(|icon| message.title.matches(icon).count());
                assert_eq!(others.iter().sum::<usize>(), 1, "{}", message.title);
                assert_eq!(message.mentions.mobiles.is_empty(), icon != "🔴 ");
            }
        }
    }
    let mixed = [one("Executed"), one("Executing")];
    assert!(texts(now(), &mixed, options)[0].title.starts_with("🔴 2"));
}

#[test]
fn calls_by_different_people_or_of_different_kind_stand_apart() {
    let calls = [
        call("DeleteDisk", "alice"),
        call("DeleteDisk", "bob"),
        call("StopDisk", "bob"),
    ];
    let [zh, en] = texts(now(), &calls, options);
    assert!(
        zh.text.contains("**🔵 API 调用事件 · DeleteDisk** × 2"),
        "{}",
        zh.text
    );
    assert!(zh.text.contains("**操作者**：alice、bob"));
    assert!(
        en.text
            .contains("**🔵 API call on an ECS resource · StopDisk · bob**  \n")
    );
}

#[test]
fn the_resource_of_the_arn_is_named_once() {
    for (data, shown) in [
        (json!({"instanceId": "i-1"}), true),
        (
            json!({"instanceId": "i-1", "eniId": "eni-bp1field0000000001"}),
            false,
        ),
    ] {
        let event = Event {
            details: data.as_object().unwrap().clone(),
            resource_id: Some("i-1".into()),
            ..moved()
        };
        for message in texts(now(), &[event], options) {
            let text = message.text;
            assert_eq!(text.matches("eni-bp1field0000000001").count(), 1, "{text}");
            assert_eq!(
                text.contains("**弹性网卡**") || text.contains("**Network interface**"),
                shown
            );
        }
    }
    let unknown = Event {
        arn_resource_kind: Some("brandnew".into()),
        ..moved()
    };
    let [zh, en] = texts(now(), &[unknown], options);
    assert!(zh.text.contains("**相关资源**：eni-"));
    assert!(en.text.contains("**Related resource**: eni-"));
}

#[test]
fn links_lead_to_the_console_of_the_site() {
    for (console, host) in [
        (Console::China, "ecs.console.aliyun.com"),
        (Console::International, "ecs.console.alibabacloud.com"),
    ] {
        let options = |language| RenderOptions {
            console,
            ..options(language)
        };
        for count in [1, 2] {
            for message in texts(now(), &spot(count), options) {
                let link = format!("url=https%3A%2F%2F{host}%2Fserver");
                assert_eq!(message.text.matches("url=").count(), 1);
                assert!(message.text.contains(&link), "{}", message.text);
            }
        }
    }
}

/// All of it at its longest, in characters that take the most room.
#[test]
fn what_calls_and_accounts_add_leaves_room_for_the_rest() {
    let long = "🚨".repeat(200);
    let mut options = with_everything(&long, 50).1;
    options.accounts.own = Some(PROD.into());
    let of_account = |n: usize| Event {
        name: long.clone(),
        operation: Some(long.clone()),
        actor: Some(format!("{n}{long}")),
        arn_resource_id: Some(format!("a{long}")),
        region: Some(format!("{n}{long}")),
        account: Some(format!("{n}{long}")),
        ..with_everything(&long, 50).0
    };
    let events: Vec<Event> = (0..100).map(of_account).collect();
    let names = events
        .iter()
        .map(|event| (event.account.clone().unwrap(), long.clone()));
    options.accounts.names = names.collect();
    for count in [1, 2, 100] {
        let events: Vec<&Event> = events.iter().take(count).collect();
        let keyword = "关键词".repeat(20);
        let message = render_at(now(), &events, &options, Some(&keyword), MAX_BYTES);
        assert!(size(&message) <= MAX_BYTES, "{}", size(&message));
        assert!(message.text.contains(&keyword));
        assert!(message.text.contains("CloudMonitor · ECS"));
        // What stays, however little room there is.
        let least = render_at(now(), &events, &options, Some(&keyword), 0);
        assert!(size(&least) <= MAX_BYTES, "{}", size(&least));
    }
}

/// Words of ours that name a key or a value of the API.
fn api_words(text: &str) -> Vec<&str> {
    const NAMES: [&str; 5] = [
        "CloudMonitor",
        "CloudAssistant",
        "DingTalk",
        "vSwitch",
        "KiB",
    ];
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let is_api_word = |word: &&str| {
        let letters = word.as_bytes().windows(2);
        let is_camel = letters
            .into_iter()
            .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
        let inner = word.trim_end_matches('.');
        (is_camel || inner.contains(['_', '.'])) && !NAMES.contains(&inner)
    };
    words.filter(is_api_word).collect()
}

#[test]
fn no_text_of_the_catalog_holds_an_api_word_or_a_wait() {
    assert_eq!(
        api_words("before notBefore, if content.status is x."),
        ["notBefore", "content.status"]
    );
    let path = format!("{}/data/ecs-events.json", env!("CARGO_MANIFEST_DIR"));
    let entries: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut count = 0;
    for entry in entries.as_array().unwrap() {
        let name = &entry["name"];
        let text = |key: &str| entry[key].as_str().unwrap();
        let by_status = entry["advice_by_status"].as_object().into_iter().flatten();
        let by_status: Vec<_> = by_status.map(|(_, advice)| advice).collect();
        let in_status = |key: &'static str| {
            by_status
                .iter()
                .map(move |advice| advice[key].as_str().unwrap())
        };
        let zh = [text("title_zh"), text("advice_zh")]
            .into_iter()
            .chain(in_status("zh"));
        let en = [text("title_en"), text("advice_en")]
            .into_iter()
            .chain(in_status("en"));
        for text in zh.clone() {
            // A word in small letters is the API's: names of products have capitals.
            let small =
                |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            assert_eq!(
                words.filter(small).collect::<Vec<_>>(),
                Vec::<&str>::new(),
                "{name}: {text}"
            );
        }
        for text in zh.chain(en) {
            count += 1;
            assert_eq!(api_words(text), Vec::<&str>::new(), "{name}: {text}");
            for wait in ["five minutes", "5 minutes", "5 分钟", "五分钟"] {
                assert!(!text.to_lowercase().contains(wait), "{name}: {text}");
            }
        }
    }
    assert!(count > 400, "{count}");
}

#[test]
fn messages_of_all_samples_hold_no_planned_time_under_its_api_name() {
    for row in index() {
        let file = row["file"].as_str().unwrap();
        for event in event::parse(sample(file).as_bytes()).events {
            for language in [Language::Zh, Language::En] {
                let text = render(&event, language).text;
                assert!(!text.contains("notBefore"), "{file}: {text}");
                assert!(!text.contains("catalogue"), "{file}: {text}");
            }
        }
    }
}
