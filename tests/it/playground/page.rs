//! Tests of the page in a real browser.

use super::browser::{Browser, ENTER, TAB, browser};
use super::{Playground, checked};
use serde_json::json;
use std::time::Duration;

/// The sample that the tests fire.
const STOPPED: &str = "[data-file='eventbridge/Instance-StateChange-Stopped.json']";
/// The number of messages of the first samples.
pub const FIRST: usize = 5;

/// Starts a playground and a wide browser with its page in English. Returns `None` if no browser is
/// installed.
pub fn desktop() -> Option<(Playground, Browser)> {
    let browser = browser(1440, 900)?;
    let playground = Playground::start(&[("MESSAGE_LANGUAGE", "en")]);
    open(&playground, &browser, "?lang=en&theme=light");
    Some((playground, browser))
}

pub fn open(playground: &Playground, browser: &Browser, query: &str) {
    browser.open(&format!("{}/{query}", playground.url));
    browser.wait(&format!("{MESSAGES} === {FIRST}"));
}

/// An expression for the number of messages.
pub const MESSAGES: &str = "document.querySelectorAll('#log .message').length";
/// The newest message.
pub const NEWEST: &str = "#log .message:last-child";
/// The newest invocation.
const INVOCATION: &str = "#invocations li:first-child";

pub fn wait_for_text(browser: &Browser, selector: &str, text: &str) {
    let text = json!(text);
    browser.wait(&format!(
        "Boolean(document.querySelector({})?.innerText.includes({text}))",
        json!(selector)
    ));
}

#[test]
fn a_click_on_a_sample_shows_message_and_invocation() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    browser.fill("#search", "stopped.json eventbridge/");
    browser.wait("document.querySelectorAll('#samples .sample').length === 1");
    browser.click(STOPPED);
    browser.wait(&format!("{MESSAGES} === {}", FIRST + 1));
    let message = browser.text(&format!("{NEWEST} .bubble"));
    assert!(
        message.contains("Instance status changed") && message.contains("Status: Stopped"),
        "{message}"
    );
    // The title is in the list of conversations and not in the message.
    let title = "🔵 Instance status changed · Stopped · test-host-01";
    assert_eq!(browser.text("#entry-title"), title);
    assert!(!message.contains(title), "{message}");
    let link = browser.value(&format!(
        "[...document.querySelectorAll('{NEWEST} .bubble a')].map((a) => [a.host, a.target, a.rel])"
    ));
    let expected = json!([["ecs.console.aliyun.com", "_blank", "noopener noreferrer"]]);
    assert_eq!(link, expected);
    let is_in_view = format!(
        "document.querySelector('{NEWEST}').getBoundingClientRect().bottom <= document.querySelector('#log').getBoundingClientRect().bottom"
    );
    browser.wait(&is_in_view);

    // The invocation is beside the message.
    wait_for_text(&browser, INVOCATION, "delivered");
    wait_for_text(&browser, NEWEST, "1 invocation");
    browser.click(&format!("{INVOCATION} summary"));
    for part in [
        "POST /invoke",
        "msgUuid",
        "\"outcome\":\"delivered\"",
        "errcode 0",
        "EVENT_INCLUDE",
    ] {
        let part = part.replace("\":\"", "\": \"");
        wait_for_text(&browser, &format!("{INVOCATION} .detail"), &part);
    }

    browser.click("#repeat");
    wait_for_text(&browser, INVOCATION, "duplicate");
    assert_eq!(browser.value(MESSAGES), FIRST + 1);

    // A change of the language changes the page's texts, not the messages.
    browser.click("#language");
    wait_for_text(&browser, "#repeat", "重复上一个事件");
    wait_for_text(&browser, INVOCATION, "重复");
    wait_for_text(&browser, NEWEST, "Status: Stopped");

    let foreign = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => !name.startsWith(location.origin))";
    assert_eq!(browser.value(foreign), json!([]));
    assert_eq!(browser.console_messages(), Vec::<String>::new());
    drop(playground);
}

#[test]
fn a_burst_of_200_events_is_shown_in_few_digests() {
    let Some((_playground, browser)) = desktop() else {
        return;
    };
    browser.click("#burst summary");
    browser.fill("#burst-form [name=count]", "200");
    browser.fill("#burst-form [name=seconds]", "0");
    browser.click("#burst-form [type=submit]");
    let over = "document.querySelector('#burst-tally').innerText.startsWith('200 of 200')";
    browser.wait_for(over, Duration::from_secs(90));
    // Every sixth event of a mixed burst has level INFO.
    assert_eq!(
        browser.text("#burst-tally"),
        "200 of 200 answered: delivered 167, filtered 33"
    );
    wait_for_text(&browser, "#log", "ECS events");
    let counts = format!(
        "[...document.querySelectorAll('#log .about button')].slice({FIRST}).map((button) => parseInt(button.innerText)).reduce((a, b) => a + b, 0)"
    );
    browser.wait(&format!("({counts}) === 167"));
    let messages = browser.value(MESSAGES).as_u64().unwrap() as usize - FIRST;
    assert!((2..=20).contains(&messages), "{messages} messages");
    let title = browser.text("#entry-title");
    assert!(title.contains("ECS events"), "{title}");
}

#[test]
fn a_fault_of_the_group_shows_answer_and_remedy() {
    let Some((_playground, browser)) = desktop() else {
        return;
    };
    browser.click("nav [data-view=break]");
    browser.click("[data-fault=keyword]");
    wait_for_text(&browser, "#health", "Wrong keyword");
    browser.click("nav [data-view=fire]");
    browser.click(STOPPED);
    wait_for_text(&browser, INVOCATION, "Refused");
    wait_for_text(&browser, INVOCATION, "set DINGTALK_KEYWORD to the keyword");
    browser.click("nav [data-view=break]");
    wait_for_text(&browser, "#says", "set DINGTALK_KEYWORD to the keyword");
    wait_for_text(&browser, "#wire li", "errcode 310000");
    assert_eq!(browser.value(MESSAGES), FIRST);

    browser.click("[data-fault=none]");
    wait_for_text(&browser, "#health", "All is well");
    browser.click("nav [data-view=fire]");
    browser.click(STOPPED);
    browser.wait(&format!("{MESSAGES} === {}", FIRST + 1));
}

#[test]
fn a_denied_role_shows_remedy_and_the_message_lacks_the_name() {
    let Some((_playground, browser)) = desktop() else {
        return;
    };
    const REBOOT: &str =
        "[data-file='eventbridge/Instance-SystemMaintenance.Reboot-Scheduled.json']";
    let count = |more: usize| format!("{MESSAGES} === {}", FIRST + more);
    browser.click(REBOOT);
    browser.wait(&count(1));
    wait_for_text(&browser, NEWEST, "test-host-01");
    assert_eq!(browser.text(&format!("{NEWEST} .mention")), "@13800000000");

    browser.click("nav [data-view=whom]");
    wait_for_text(&browser, "#fleet", "search-worker-07");
    wait_for_text(&browser, "#fleet", "owner=13800000000");
    wait_for_text(&browser, "#look-up", "found · 1 API call");
    assert!(browser.value("document.querySelector('[value=role]').checked") == true);
    browser.click(".access [value=denied]");
    wait_for_text(&browser, "#health", "ECS API: Denied");
    wait_for_text(&browser, "#look-up", "None since the last change");
    browser.wait("document.activeElement.value === 'denied'");
    browser.click("nav [data-view=fire]");
    browser.click(REBOOT);
    browser.wait(&count(2));
    let message = browser.text(&format!("{NEWEST} .bubble"));
    assert!(!message.contains("test-host-01"), "{message}");
    let remedy = "allow the function's role ecs:DescribeInstances on all resources";
    wait_for_text(&browser, INVOCATION, "delivered");
    wait_for_text(&browser, INVOCATION, remedy);
    browser.click(&format!("{INVOCATION} summary"));
    for part in ["\"lookup\": \"denied\"", "HTTP 403 Forbidden.RAM", remedy] {
        wait_for_text(&browser, &format!("{INVOCATION} .detail"), part);
    }
    browser.click("nav [data-view=whom]");
    wait_for_text(&browser, "#look-up", remedy);
    browser.click(".access [value=role]");
    wait_for_text(&browser, "#health", "All is well");

    // The form filters by tag.
    browser.click("nav [data-view=configure]");
    assert_eq!(
        browser.value("document.querySelector('#MESSAGE_TAGS').value"),
        "team,env"
    );
    browser.fill("#EVENT_TAGS", "team=search");
    browser.click("#configure-form [type=submit]");
    wait_for_text(&browser, "#env", "EVENT_TAGS='team=search'");
    browser.click("nav [data-view=fire]");
    browser.click(REBOOT);
    wait_for_text(&browser, INVOCATION, "filtered");
    assert_eq!(browser.console_messages(), Vec::<String>::new());
}

#[test]
fn ticks_are_fired_at_the_time_to_which_the_clock_is_moved() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    browser.click("nav [data-view=time]");
    wait_for_text(&browser, "#told", "None yet");
    wait_for_text(&browser, "#ahead", "Asia/Shanghai · as on this computer");
    let plan = "[...document.querySelectorAll('#plan li')].map((e) => e.innerText)";
    let plan = browser.value(plan);
    for (index, part) in [
        "search-worker-07 · cn-shanghai",
        "jump-host-01 · cn-hangzhou",
        "worker-b73 · cn-shanghai",
        "disk d-t4ndyqve6h3w8z2rn4ds",
        "shop-db-02 · cn-hangzhou",
    ]
    .iter()
    .enumerate()
    {
        let line = plan[index].as_str().unwrap();
        assert!(line.contains(part), "{line}");
    }
    wait_for_text(&browser, "#planned-0", "in progress");
    wait_for_text(&browser, "#planned-3", "awaits your confirmation · in 3 d");

    // With the keyboard.
    let next = browser.text("#tick");
    let hour = next.strip_prefix("Next tick, ").unwrap().to_owned();
    browser.run("document.querySelector('#tick').focus()", json!([]));
    browser.press(ENTER);
    wait_for_text(&browser, "#told", "delivered · #7 · Tick of");
    wait_for_text(&browser, "#told", &hour);
    browser.wait("document.querySelectorAll('#told li button').length > 0");
    wait_for_text(&browser, "#clock", &format!("{hour}:"));
    wait_for_text(&browser, "#ahead", "ahead of this computer");
    wait_for_text(&browser, INVOCATION, "Tick of ");
    wait_for_text(&browser, INVOCATION, &hour);
    wait_for_text(&browser, &format!("{NEWEST} .who"), &format!("{hour}:"));
    assert_eq!(browser.value("document.activeElement.id"), "tick");

    browser.click("nav [data-view=fire]");
    browser.click("#repeat");
    wait_for_text(&browser, INVOCATION, "duplicate");
    browser.click("nav [data-view=time]");
    wait_for_text(&browser, "#told", "All of it was told before");
    let shown = "document.querySelectorAll('#told li').length";
    assert_eq!(browser.value(shown), 0);

    browser.click("#morning");
    wait_for_text(&browser, "#clock", " 09:00:");
    wait_for_text(&browser, "#told", "#9 · Tick of");
    wait_for_text(&browser, "#told", "09:00");
    browser.click("#told li button");
    browser.wait("document.activeElement.classList.contains('message')");

    // Nothing was due.
    let form = json!({
        "vars": {"MESSAGE_DIGEST_AT": "09:00", "MESSAGE_LANGUAGE": "en"},
        "signing": true, "fallback": false, "more": "",
    });
    assert_eq!(playground.post("/configure", &form).0, 200);
    let messages = browser.value(MESSAGES);
    browser.click("#tick");
    wait_for_text(&browser, "#told", "nothing due · #10 · Tick of");
    wait_for_text(&browser, "#told", "The group gets no message");
    wait_for_text(&browser, INVOCATION, "nothing due");
    assert_eq!(browser.value(MESSAGES), messages);

    assert_eq!(browser.console_messages(), Vec::<String>::new());

    // Any later time, and no earlier one.
    browser.click("#set summary");
    browser.wait("document.querySelector('#set-to').value !== ''");
    let set = |to: &str, is_with_tick: bool| {
        let script = "document.querySelector('#set-to').value = arguments[0]; document.querySelector('#set-tick').checked = arguments[1]";
        browser.run(script, json!([to, is_with_tick]));
        browser.click("#set-form [type=submit]");
    };
    set("2020-01-01T00:00", true);
    wait_for_text(&browser, "#set-problem", "the clock never goes back: it is");
    let later = "const d = new Date(Date.now() + 40 * 24 * 3600000).toISOString(); return d.slice(0, 11) + '12:34'";
    let later = browser.run(later, json!([]));
    set(later.as_str().unwrap(), false);
    let shown = later.as_str().unwrap().replace('T', " ");
    wait_for_text(&browser, "#clock", &shown);
    browser.wait("document.querySelector('#set-problem').hidden");
    wait_for_text(&browser, "#planned-4", "over");
    wait_for_text(&browser, INVOCATION, "#10");
}

#[test]
fn times_are_shown_in_the_zone_of_the_messages() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    let time = format!("document.querySelector('{NEWEST} time').innerText");
    let form = |zone| {
        json!({
            "vars": {"MESSAGE_TIME_ZONE": zone, "EVENT_LEVELS": "INFO"},
            "signing": true, "fallback": false, "more": "",
        })
    };
    // Neither has daylight saving time, and one is never where this test runs.
    let mut shown = Vec::new();
    for zone in ["Pacific/Kiritimati", "Asia/Kolkata"] {
        assert_eq!(playground.post("/configure", &form(zone)).0, 200);
        wait_for_text(&browser, "#env", zone);
        let text = browser.value(&time);
        shown.push(text.as_str().unwrap().to_owned());
    }
    let minutes = |text: &String| {
        let parts: Vec<i32> = text[text.len() - 8..][..5]
            .split(':')
            .map(|part| part.parse().unwrap())
            .collect();
        parts[0] * 60 + parts[1]
    };
    let apart = minutes(&shown[0]) - minutes(&shown[1]);
    assert_eq!(apart.rem_euclid(24 * 60), 8 * 60 + 30, "{shown:?}");
}

/// Returns the paths of all words of a language.
const PATHS: &str = "
    const { words } = await import('/words.js');
    const paths = (value, path) => typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => paths(inner, `${path}.${key}`))
        : [`${path}: ${typeof value} ${value?.length ?? ''}`.replace(/string .*/, 'string')];
    return [paths(words.en, ''), paths(words.zh, '')];
";

#[test]
fn every_word_of_the_page_is_there_in_both_languages() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    let script = format!("return (async () => {{ {PATHS} }})()");
    let paths = browser.run(&script, json!([]));
    let [en, zh] = [0, 1].map(|language| {
        let paths = paths[language].as_array().unwrap().iter();
        paths.map(|path| path.as_str().unwrap()).collect::<Vec<_>>()
    });
    assert!(en.len() > 150, "{}", en.len());
    assert_eq!(en, zh);
    for language in ["en", "zh"] {
        browser.open(&format!("{}/?lang={language}", playground.url));
        browser.wait(&format!("{MESSAGES} === {FIRST}"));
        let missing = "[...document.querySelectorAll('[data-word], .field label, #tick, #morning, #plan li > *')].filter((e) => !e.textContent || e.textContent.includes('undefined')).map((e) => e.outerHTML)";
        assert_eq!(browser.value(missing), json!([]), "{language}");
        let unlabelled = "[...document.querySelectorAll('.field label')].filter((e) => e.firstChild.nodeType !== Node.TEXT_NODE).map((e) => e.htmlFor)";
        assert_eq!(browser.value(unlabelled), json!([]), "{language}");
    }
}

#[test]
fn markup_in_an_event_is_shown_as_text() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    let form = json!({
        "vars": {"DINGTALK_AT_MOBILES": "13800000000", "EVENT_LEVELS": "INFO", "DINGTALK_AT_LEVELS": "INFO"},
        "signing": true, "fallback": false, "more": "",
    });
    assert_eq!(playground.post("/configure", &form).0, 200);
    let name = "a](https://evil.example) [b](https://evil.example/x) @13800000000 @13900000001 \
        <script>window.injected = 1</script> <img src=x onerror='window.injected = 1'> \
        <b>c</b> **d** https://evil.example www.evil.example";
    let event: String = crate::samples::sample(crate::samples::STOPPED)
        .replace("\"test-host-01\"", &json!(name).to_string());
    browser.click("#own summary");
    browser.run(
        "document.querySelector('#own-json').value = arguments[0]",
        json!([event]),
    );
    browser.click("#own-form [type=submit]");
    browser.wait(&format!("{MESSAGES} === {}", FIRST + 1));
    let elements = browser.value(&format!(
        "[...document.querySelectorAll('{NEWEST} .bubble *')].map((e) => e.localName).filter((name) => !['div', 'h3', 'p', 'br', 'strong'].includes(name))"
    ));
    // Only the function's own link and mention are elements.
    assert_eq!(elements, json!(["a", "span"]), "{}", browser.text(NEWEST));
    let strong = browser.value(&format!(
        "[...document.querySelectorAll('{NEWEST} .bubble strong')].map((e) => e.innerText).includes('d')"
    ));
    assert_eq!(strong, false);
    assert_eq!(
        browser.value(&format!("document.querySelector('{NEWEST} a').host")),
        "ecs.console.aliyun.com"
    );
    assert_eq!(browser.text(&format!("{NEWEST} .mention")), "@13800000000");
    let text = browser.text(&format!("{NEWEST} .bubble"));
    for part in ["evil.example/x", "script", "13900000001"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(browser.value("window.injected ?? null"), json!(null));
    // The name is text in the rest of the page, too.
    browser.click(&format!("{INVOCATION} summary"));
    wait_for_text(&browser, &format!("{INVOCATION} .detail"), "<script>");
    let injected = "document.querySelectorAll('main script, main b:not([data-word]):not(.who b), main img:not([src=\"/icon.svg\"])').length";
    assert_eq!(browser.value(injected), 0);
    assert_eq!(browser.console_messages(), Vec::<String>::new());
}

#[test]
fn configuration_errors_are_shown_as_check_prints_them() {
    let Some((_playground, browser)) = desktop() else {
        return;
    };
    browser.click("nav [data-view=configure]");
    browser.fill("#EVENT_LEVELS", "SEVERE");
    browser.fill("#MESSAGE_TIME_ZONE", "Mars/Olympus");
    browser.click("#configure-form [type=submit]");
    wait_for_text(&browser, "#fault-list", "EVENT_LEVELS");
    let vars = [
        ("EVENT_INCLUDE", "Instance:StateChange:Stopped"),
        ("EVENT_LEVELS", "SEVERE"),
        ("MESSAGE_TIME_ZONE", "Mars/Olympus"),
    ];
    assert_eq!(browser.text("#fault-list"), checked(&vars));
    browser.wait("document.activeElement.id === 'faults'");
    let invalid = "[...document.querySelectorAll('[aria-invalid=true]')].map((e) => e.id)";
    assert_eq!(
        browser.value(invalid),
        json!(["EVENT_LEVELS", "MESSAGE_TIME_ZONE"])
    );

    browser.fill("#EVENT_LEVELS", "none");
    browser.fill("#MESSAGE_TIME_ZONE", "Europe/Berlin");
    browser.fill("#MESSAGE_LANGUAGE", "zh");
    browser.click("#configure-form [type=submit]");
    wait_for_text(&browser, "#env", "MESSAGE_TIME_ZONE='Europe/Berlin'");
    browser.wait("document.querySelector('#faults').hidden");
    // What was set at the start stays.
    for line in [
        "MESSAGE_DIGEST_AT='09:00'",
        "MESSAGE_REMIND_BEFORE='24h,1h'",
        "MESSAGE_HEARTBEAT_AT='09:00'",
        "RESOURCE_REGIONS='cn-hangzhou,cn-shanghai'",
    ] {
        wait_for_text(&browser, "#env", line);
    }
    browser.click("nav [data-view=fire]");
    browser.click(STOPPED);
    wait_for_text(&browser, NEWEST, "状态：已停止");
    let text = browser.text(NEWEST);
    assert!(
        text.contains("(UTC+01:00)") || text.contains("(UTC+02:00)"),
        "{text}"
    );
}

#[test]
fn the_page_can_be_used_with_the_keyboard_alone() {
    let Some((_playground, browser)) = desktop() else {
        return;
    };
    let focus = "document.activeElement.dataset?.file ?? document.activeElement.id ?? ''";
    browser.press(TAB);
    assert_eq!(
        browser.value("document.activeElement.className"),
        "skip",
        "the first element is a link to the group"
    );
    let mut walked = Vec::new();
    while browser.value(focus) != json!("eventbridge/Instance-StateChange-Stopped.json") {
        browser.press(TAB);
        let outline = browser.value("getComputedStyle(document.activeElement).outlineStyle");
        let place = browser.value(focus);
        assert_ne!(outline, "none", "the focus is not visible at {place}");
        walked.push(place);
        assert!(walked.len() < 60, "{walked:?}");
    }
    browser.press(ENTER);
    browser.wait(&format!("{MESSAGES} === {}", FIRST + 1));
    wait_for_text(&browser, INVOCATION, "delivered");
    // The focus stays on the sample.
    let place = browser.value(focus);
    assert_eq!(place, "eventbridge/Instance-StateChange-Stopped.json");
}

/// Computes WCAG 2's contrast ratio of every visible text. Returns their number and those below
/// 4.5.
pub const CONTRAST: &str = "
    const parse = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
        const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const behind = (element) => {
        for (; element; element = element.parentElement) {
            const [r, g, b, a = 1] = parse(getComputedStyle(element).backgroundColor);
            if (a === 1) return [r, g, b];
            if (a !== 0) throw new Error(`half a background: ${element.outerHTML}`);
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Map();
    let seen = 0;
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!/[\\p{L}\\p{N}]/u.test(walker.currentNode.data) || !element.checkVisibility()) continue;
        seen += 1;
        const [a, b] = [parse(getComputedStyle(element).color), behind(element)].map(luminance);
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.set(`${element.localName}.${element.className}: ${ratio.toFixed(2)}`, 1);
    }
    return [seen, [...found.keys()]];
";

#[test]
fn every_layout_fits_and_every_text_has_contrast() {
    for (width, height) in [(390, 844), (900, 800), (1440, 900)] {
        let Some(browser) = browser(width, height) else {
            return;
        };
        let playground = Playground::start(&[]);
        let event = json!({"file": "eventbridge/Instance-StateChange-Stopped.json"});
        playground.post("/access", &json!({"access": "denied"}));
        playground.post("/break", &json!({"fault": "throttled"}));
        for (language, theme) in [
            ("en", "light"),
            ("zh", "dark"),
            ("en", "dark"),
            ("zh", "light"),
        ] {
            open(
                &playground,
                &browser,
                &format!("?lang={language}&theme={theme}"),
            );
            // Makes a failed invocation visible.
            playground.post("/fire", &event);
            // A toast disappears by itself, so add one that stays.
            browser.wait("document.querySelectorAll('#invocations > li').length > 0");
            browser.run("document.querySelector('#toasts').append(Object.assign(document.createElement('p'), {className: 'bad', textContent: 'Throttled'}))", json!([]));
            for view in [
                "group",
                "fire",
                "time",
                "configure",
                "whom",
                "break",
                "calls",
            ] {
                browser.run(
                    "document.querySelector(`nav [data-view=${arguments[0]}]`).click()",
                    json!([view]),
                );
                if view == "configure" {
                    browser.run("const field = document.querySelector('#EVENT_LEVELS'); field.value = 'SEVERE'; field.form.requestSubmit()", json!([]));
                    wait_for_text(&browser, "#fault-list", "SEVERE");
                }
                if view == "time" {
                    browser.run("document.querySelector('#set').open = true; const field = document.querySelector('#set-to'); field.value = '2020-01-01T00:00'; field.form.requestSubmit()", json!([]));
                    wait_for_text(&browser, "#set-problem", "never goes back");
                }
                let place = format!("{width} {language} {theme} {view}");
                let contrast = browser.run(CONTRAST, json!([]));
                assert!(contrast[0].as_u64() > Some(20), "{place}: {contrast}");
                assert_eq!(contrast[1], json!([]), "{place}");
                let too_wide = "document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('main > section')].some((e) => e.scrollWidth > e.clientWidth)";
                assert_eq!(browser.value(too_wide), false, "{place}");
            }
        }
    }
}

/// Writes the pictures of README; `docs/screenshots.sh` runs it.
#[test]
#[ignore = "writes docs/playground.*.png; run docs/screenshots.sh"]
fn screenshots() {
    let folder = std::env::var("PLAYGROUND_SCREENSHOTS").expect("a folder");
    for language in ["zh", "en"] {
        let browser = browser(1320, 860).expect("a browser");
        let playground = Playground::start(&[("MESSAGE_LANGUAGE", language)]);
        open(
            &playground,
            &browser,
            &format!("?lang={language}&theme=light"),
        );
        let form = json!({
            "vars": {
                "EVENT_INCLUDE": "Instance:StateChange:Stopped", "MESSAGE_LANGUAGE": language,
                "MESSAGE_TAGS": "team,env", "DINGTALK_AT_TAG": "owner",
            },
            "signing": true, "fallback": false, "more": "",
        });
        assert_eq!(playground.post("/configure", &form).0, 200);
        for (count, file) in [
            "Instance-StateChange-Stopped.json",
            "Instance-SystemMaintenance.Reboot-Scheduled.json",
        ]
        .iter()
        .enumerate()
        {
            let file = format!("eventbridge/{file}");
            assert_eq!(playground.post("/fire", &json!({ "file": file })).0, 202);
            browser.wait(&format!("{MESSAGES} === {}", FIRST + 1 + count));
        }
        browser.wait("document.querySelector('#invocations li').className === 'delivered'");
        browser.click(&format!("{INVOCATION} summary"));
        browser.wait("document.querySelectorAll('.detail pre').length > 0");
        browser.wait("document.getAnimations().length === 0");
        browser.run(
            "document.querySelector('#toasts').replaceChildren()",
            json!([]),
        );
        let file = format!("{folder}/playground.{language}.png");
        std::fs::write(&file, browser.screenshot()).unwrap();
    }
}
