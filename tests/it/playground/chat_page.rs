//! Tests of the page in a real browser, with the group in another chat.

use super::Playground;
use super::browser::{Browser, browser};
use super::page::{CONTRAST, FIRST, MESSAGES, NEWEST, desktop, open, wait_for_text};
use crate::samples::REBOOT;
use serde_json::json;

/// The chats beside DingTalk, with a part of a message that is drawn in the chat's own way.
const OTHER_CHATS: [(&str, &str); 3] = [
    ("lark", ".bubble[data-color=red] .heading"),
    ("wecom", "h3 .font-warning"),
    ("slack", ".heading"),
];

/// Chooses a chat and fires a sample, which becomes the chat's first message.
fn first_message(playground: &Playground, browser: &Browser, chat: &str, file: &str) {
    browser.click(&format!("#chats [data-chat={chat}]"));
    browser.wait(&format!(
        "document.querySelector('#chats [aria-pressed=true]').dataset.chat === '{chat}' && {MESSAGES} === 0"
    ));
    assert_eq!(playground.post("/fire", &json!({ "file": file })).0, 202);
    browser.wait(&format!("{MESSAGES} === 1"));
    wait_for_text(browser, NEWEST, "1 invocation");
}

#[test]
fn the_group_moves_to_another_chat_and_back() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    for (chat, own) in OTHER_CHATS {
        first_message(&playground, &browser, chat, REBOOT);
        let title = "🔴 Instance restart because of system maintenance · Scheduled · test-host-01";
        assert_eq!(browser.text(&format!("{NEWEST} {own}")), title, "{chat}");
        assert_eq!(browser.text("#entry-title"), title);
        let link = browser.value(&format!(
            "[...document.querySelectorAll('{NEWEST} .bubble a')].map((a) => [a.host, a.target, a.rel])"
        ));
        let expected = json!([["ecs.console.aliyun.com", "_blank", "noopener noreferrer"]]);
        assert_eq!(link, expected, "{chat}");
        let mention = browser.text(&format!("{NEWEST} .mention"));
        assert!(mention.to_lowercase().contains("oncall"), "{mention}");

        // The form has the chat's own fields, and its values are kept.
        browser.click("nav [data-view=configure]");
        let prefix = chat.to_uppercase();
        let names = "[...document.querySelectorAll('#fields [name]')].map((e) => e.name)";
        let names = browser.value(names).to_string();
        assert!(names.contains(&format!("{prefix}_AT_USER_IDS")), "{names}");
        assert!(!names.contains("DINGTALK_"), "{names}");
        assert_eq!(names.contains("signing"), chat == "lark", "{names}");
        browser.fill(&format!("#{prefix}_RATE_LIMIT"), "12");
        browser.click("#configure-form [type=submit]");
        wait_for_text(&browser, "#env", &format!("{prefix}_RATE_LIMIT='12'"));
        wait_for_text(&browser, "#env", &format!("{prefix}_WEBHOOK="));

        // Its faults are shown with what they mean there.
        browser.click("nav [data-view=break]");
        browser.click("[data-fault=token]");
        let broken = browser.text("[data-fault=token] .title");
        wait_for_text(&browser, "#health", &broken);
        playground.post("/fire", &json!({ "file": REBOOT }));
        wait_for_text(&browser, "#says", &format!("{prefix}_WEBHOOK"));
        let code = match chat {
            "lark" => "HTTP 200, code 19001",
            "wecom" => "HTTP 200, errcode 93000",
            _ => "HTTP 403, invalid_token",
        };
        wait_for_text(&browser, "#wire li", code);
    }
    browser.click("#language");
    browser.click("#chats [data-chat=dingtalk]");
    browser.wait(&format!("{MESSAGES} === {FIRST}"));
    wait_for_text(&browser, "h1", "ECS → 钉钉");
    wait_for_text(&browser, "#env", "DINGTALK_SECRET='SEC'");
    wait_for_text(&browser, "#health", "一切正常");
    browser.click("#chats [data-chat=slack]");
    wait_for_text(&browser, "#env", "SLACK_RATE_LIMIT='12'");
    browser.wait(&format!("{MESSAGES} === 1"));
    assert_eq!(browser.console_messages(), Vec::<String>::new());
}

#[test]
fn markup_in_an_event_is_text_in_every_chat() {
    let Some((playground, browser)) = desktop() else {
        return;
    };
    // A long name would be cut.
    let names = [
        (
            "[b](https://evil.example/x) <https://evil.example|c> <@U0ONCALL1> <!channel> https://evil.example",
            "evil.example/x",
        ),
        (
            "<at id=all></at> <@oncall01> <script>window.injected = 1</script> <img src=x onerror='window.injected = 1'>",
            "script",
        ),
        (
            "<font color='red'>d</font> *e* **f** &lt;b&gt; ~g~ _h_ # i",
            "font color",
        ),
    ];
    for (chat, _) in OTHER_CHATS {
        browser.click(&format!("#chats [data-chat={chat}]"));
        browser.wait(&format!("{MESSAGES} === 0"));
        for (count, (name, part)) in names.iter().enumerate() {
            let event = crate::samples::sample(crate::samples::STOPPED)
                .replace("\"test-host-01\"", &json!(name).to_string())
                // Each is an event of its own.
                .replacen("\"id\": \"", &format!("\"id\": \"{count}"), 1);
            assert_eq!(playground.post("/fire", &json!({ "json": event })).0, 202);
            browser.wait(&format!("{MESSAGES} === {}", count + 1));
            // Only the function's own link and colours are elements.
            let elements = browser.value(&format!(
                "[...document.querySelectorAll('{NEWEST} .bubble *')].map((e) => e.localName).filter((name) => !['div', 'h3', 'p', 'br', 'strong'].includes(name))"
            ));
            let expected = match chat {
                "wecom" => json!(["span", "a", "span"]),
                "lark" => json!(["span", "a"]),
                _ => json!(["a"]),
            };
            let text = browser.text(&format!("{NEWEST} .bubble"));
            assert_eq!(elements, expected, "{chat}: {text}");
            let link = format!("document.querySelector('{NEWEST} .bubble a').host");
            assert_eq!(browser.value(&link), "ecs.console.aliyun.com", "{chat}");
            let strong = format!(
                "[...document.querySelectorAll('{NEWEST} strong')].some((e) => 'ef'.includes(e.innerText))"
            );
            assert_eq!(browser.value(&strong), false, "{chat}: {text}");
            assert_eq!(browser.text(&format!("{NEWEST} .mention")), "", "{chat}");
            assert!(text.contains(part), "{chat}: {text}");
        }
    }
    assert_eq!(browser.value("window.injected ?? null"), json!(null));
    assert_eq!(browser.console_messages(), Vec::<String>::new());
}

#[test]
fn every_chats_messages_fit_and_have_contrast() {
    for (width, height) in [(390, 844), (1440, 900)] {
        let Some(browser) = browser(width, height) else {
            return;
        };
        let playground = Playground::start(&[]);
        for (chat, _) in OTHER_CHATS {
            assert_eq!(playground.post("/chat", &json!({ "chat": chat })).0, 200);
            // One of each colour.
            let files = [
                REBOOT,
                "eventbridge/Instance-StateChange-Stopped.json",
                "eventbridge/Disk-Stalled-Executed.json",
                "eventbridge/Instance-PreemptibleInstanceInterruption.json",
            ];
            for file in files {
                playground.post("/fire", &json!({ "file": file }));
            }
            for (language, theme) in [("en", "light"), ("zh", "dark")] {
                let query = format!("?lang={language}&theme={theme}&view=group");
                browser.open(&format!("{}/{query}", playground.url));
                browser.wait(&format!("{MESSAGES} > 0"));
                let place = format!("{width} {chat} {language} {theme}");
                // Some of them may have been combined.
                let all = "[...document.querySelectorAll('#invocations > li')].slice(0, 4).every((e) => e.className === 'delivered')";
                browser.wait(all);
                let contrast = browser.run(CONTRAST, json!([]));
                assert!(contrast[0].as_u64() > Some(20), "{place}: {contrast}");
                assert_eq!(contrast[1], json!([]), "{place}");
                let too_wide = "document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('main > section, #log')].some((e) => e.scrollWidth > e.clientWidth)";
                assert_eq!(browser.value(too_wide), false, "{place}");
            }
        }
    }
}

/// The height of the pictures.
const HEIGHT: u32 = 680;

/// Puts kept messages side by side, and nothing else on the page.
const SIDE_BY_SIDE: &str = "
    const columns = window.kept.map(([chat, message]) => {
        const column = document.createElement('section');
        const title = Object.assign(document.createElement('h2'), { textContent: chat });
        title.style.cssText = 'margin-bottom: 12px';
        column.append(title, message);
        return column;
    });
    document.body.replaceChildren(...columns);
    document.body.style.cssText = 'display: grid; grid-template: auto / repeat(3, minmax(0, 1fr)); gap: 18px; padding: 16px 18px; background: var(--chat); align-content: start';
    for (const about of document.querySelectorAll('.about')) about.remove();
    for (const message of document.querySelectorAll('.message')) message.style.margin = 0;
    return Math.ceil(Math.max(...[...document.querySelectorAll('.message')].map((e) => e.getBoundingClientRect().bottom)));
";

/// Writes the pictures of the other chats' messages; `docs/screenshots.sh` runs it.
#[test]
#[ignore = "writes docs/chats.*.png; run docs/screenshots.sh"]
fn screenshots() {
    let folder = std::env::var("PLAYGROUND_SCREENSHOTS").expect("a folder");
    for language in ["zh", "en"] {
        let browser = browser(1320, HEIGHT).expect("a browser");
        let playground = Playground::start(&[("MESSAGE_LANGUAGE", language)]);
        open(
            &playground,
            &browser,
            &format!("?lang={language}&theme=light"),
        );
        browser.run("window.kept = []", json!([]));
        for (chat, _) in OTHER_CHATS {
            browser.click(&format!("#chats [data-chat={chat}]"));
            browser.wait(&format!("{MESSAGES} === 0"));
            playground.post("/fire", &json!({ "file": REBOOT }));
            browser.wait(&format!("{MESSAGES} === 1"));
            let keep = "const message = document.querySelector('#log .message'); window.kept.push([document.querySelector('#chats [aria-pressed=true]').textContent, message.cloneNode(true)])";
            browser.run(keep, json!([]));
        }
        let height = browser.run(SIDE_BY_SIDE, json!([]));
        assert!(height.as_u64() <= Some(HEIGHT.into()), "{height}");
        browser.wait("document.getAnimations().length === 0");
        let file = format!("{folder}/chats.{language}.png");
        std::fs::write(&file, browser.screenshot()).unwrap();
    }
}
