//! What must hold of any input, tried with the fuzz targets' seeds, with inputs near them, with
//! recipes and with noise.
//!
//! The same checks as those of the fuzz targets, which go on where these end.

use proptest::prelude::*;
use proptest::sample::Index;
use std::path::{Path, PathBuf};

/// The files in a folder and below, in a stable order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    files.sort();
    files
}

/// What a property's fuzz target begins with.
fn seeds(property: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = files(&root.join("fuzz/seeds").join(property));
    if ["chats", "events", "message"].contains(&property) {
        found.extend(files(&root.join("tests/events")));
    }
    if property == "chats" {
        found.extend(files(&root.join("fuzz/seeds/message")));
    }
    assert!(!found.is_empty());
    found
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn check(property: &str) -> fn(&[u8]) {
    let (_, check) = properties::ALL
        .iter()
        .find(|(name, _)| *name == property)
        .unwrap();
    *check
}

/// A change of bytes: from a place on so many give way to others.
type Change = (Index, usize, Vec<u8>);

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for (place, length, others) in changes {
        let from = place.index(bytes.len() + 1);
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, others);
    }
    bytes
}

/// Inputs near the seeds, recipes (which begin with the byte 1) and noise.
fn inputs(property: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let noise = |most: usize| proptest::collection::vec(any::<u8>(), 0..most);
    let piece = prop_oneof![
        noise(4),
        "[\\[\\]<>()@&*`#!_~|\\\\:/w.\\-=+$^{}\u{200b}\" \\r\\n0-9a]{1,6}"
            .prop_map(String::into_bytes),
        proptest::sample::select(seeds(property))
            .prop_map(|seed| seed.into_iter().take(200).collect()),
    ];
    let change = (any::<Index>(), 0..20usize, piece);
    let near = (
        proptest::sample::select(seeds(property)),
        proptest::collection::vec(change, 1..6),
    );
    prop_oneof![
        3 => near.prop_map(|(seed, changes)| changed(seed, changes)),
        2 => noise(400).prop_map(|recipe| [&[1], recipe.as_slice()].concat()),
        1 => noise(200),
    ]
}

#[test]
fn every_property_holds_for_its_seeds() {
    let folders = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds"));
    for path in folders {
        let folder = path.parent().and_then(Path::file_name).unwrap();
        assert!(
            properties::ALL.iter().any(|(name, _)| *folder == **name),
            "{}",
            path.display()
        );
    }
    for (name, check) in properties::ALL {
        for seed in seeds(name) {
            check(&seed);
        }
    }
}

/// A failing input is made a seed by hand, so that the fuzz targets use it as well.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(count)
    }
}

proptest! {
    // Each case is dozens of requests.
    #![proptest_config(cases(128))]

    #[test]
    fn any_events_become_messages_of_every_chat(input in inputs("chats")) {
        check("chats")(&input);
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_bytes_become_events_or_faults(input in inputs("events")) {
        check("events")(&input);
    }

    #[test]
    fn any_file_gives_each_event_as_it_came(input in inputs("file")) {
        check("file")(&input);
    }

    #[test]
    fn any_events_become_messages_within_limit_without_markup(input in inputs("message")) {
        check("message")(&input);
    }

    #[test]
    fn any_answer_is_delivered_on_a_parsed_0_only(input in inputs("answer")) {
        check("answer")(&input);
    }

    #[test]
    fn any_answer_of_the_api_is_read_within_bounds(input in inputs("aliyun")) {
        check("aliyun")(&input);
    }

    #[test]
    fn any_environment_is_valid_or_has_faults_without_secrets(input in inputs("environment")) {
        check("environment")(&input);
    }

    #[test]
    fn any_list_is_a_fault_or_a_filter_that_does_something(
        variable in proptest::sample::select(&[
            "DINGTALK_AT_MOBILES", "DINGTALK_AT_USER_IDS", "DINGTALK_AT_LEVELS", "DINGTALK_SECRET",
            "EVENT_LEVELS", "EVENT_INCLUDE", "EVENT_EXCLUDE", "EVENT_ACCOUNTS", "EVENT_REGIONS",
            "EVENT_RESOURCES", "EVENT_RESOURCES_EXCLUDE", "EVENT_TAGS", "EVENT_TAGS_EXCLUDE", "EVENT_QUIET_HOURS", "MESSAGE_ACCOUNTS",
        ][..]),
        text in "(\\PC{0,12}|[a-zA-Z0-9:._*?,\u{2} -]{0,12}|[0-9*?+:,-]{0,16}|(ecs:|cn-|\\*|\\?|-|1|a|:){0,6}){1,3}",
    ) {
        let webhook = "DINGTALK_WEBHOOK=https://oapi.dingtalk.com/robot/send?access_token=abcdefgh";
        check("environment")(format!("{webhook}\n{variable}={text}").as_bytes());
    }

    #[test]
    fn any_split_of_any_requests_gives_the_same(input in inputs("framing")) {
        check("framing")(&input);
    }
}

proptest! {
    // Each opens connections.
    #![proptest_config(cases(256))]

    #[test]
    fn any_peer_is_answered_while_others_are_served(input in inputs("server")) {
        check("server")(&input);
    }

    #[test]
    fn any_answer_over_a_socket_is_delivered_on_a_parsed_0_only(input in inputs("wire")) {
        check("wire")(&input);
    }
}
