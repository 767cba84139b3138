use super::*;
use proptest::prelude::*;
use std::io::{BufRead, BufReader, PipeReader};
use std::sync::{Arc, mpsc};

const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(30);

#[test]
fn when_a_field_has_no_value_it_is_left_out() {
    let line = Line {
        time: "2026-11-25T01:01:00.000Z",
        event_id: "1",
        event: "A:B",
        level: "UNKNOWN",
        route: "default",
        outcome: "filtered",
        rule: "EVENT_LEVELS",
        ..Line::default()
    };
    let mut written = Vec::new();
    line.append_to(&mut written);
    // `s logs` would take a first word with a date in it for a time.
    assert_eq!(
        String::from_utf8(written).unwrap(),
        r#"{ "time":"2026-11-25T01:01:00.000Z","eventId":"1","event":"A:B","level":"UNKNOWN","route":"default","outcome":"filtered","rule":"EVENT_LEVELS"}
"#
    );
}

/// Records each call to write.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Calls {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes lines of some 550 bytes.
fn write(log: &Log, ids: impl IntoIterator<Item = usize>, within: Duration) {
    let mut lines = Vec::new();
    for id in ids {
        let line = Line {
            event_id: &id.to_string(),
            event: &"x".repeat(500),
            ..Line::default()
        };
        line.append_to(&mut lines);
    }
    log.write(lines, within);
}

fn lost(log: &Log) -> usize {
    log.lost.load(Relaxed)
}

fn id(line: &str) -> usize {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["eventId"].as_str().unwrap().parse().unwrap()
}

#[test]
fn when_lines_are_many_a_write_has_whole_lines_up_to_4_kib() {
    for count in [0, 1, 3, 1000] {
        let calls = Calls::default();
        write(&Log::to(calls.clone()), 0..count, LONG);
        let calls = calls.0.lock().unwrap();
        let least = (count * 600).div_ceil(PIPE_BUF);
        assert!((count.min(1)..=2 * least).contains(&calls.len()));
        for call in calls.iter() {
            assert!(call.len() <= PIPE_BUF && call.ends_with(b"}\n"));
        }
        let text = String::from_utf8(calls.concat()).unwrap();
        assert!(text.lines().map(id).eq(0..count));
    }
}

#[test]
fn when_invocations_write_at_once_their_lines_do_not_mix() {
    let calls = Calls::default();
    let log = Log::to(calls.clone());
    std::thread::scope(|scope| {
        for first in [0, 100, 200, 300] {
            let log = &log;
            scope.spawn(move || write(log, first..first + 100, LONG));
        }
    });
    let text = String::from_utf8(calls.0.lock().unwrap().concat()).unwrap();
    let ids: Vec<usize> = text.lines().map(id).collect();
    assert_eq!(ids.len(), 400);
    for group in ids.chunks(100) {
        assert!(group.iter().copied().eq(group[0]..group[0] + 100));
    }
}

/// A log that writes to a pipe.
fn piped() -> (Log, PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    let polled = writer.try_clone().unwrap();
    let log = Log::new(writer, move |limit| is_writable(&polled, limit));
    (log, reader)
}

#[test]
fn when_nothing_is_read_lines_are_dropped_in_time_and_counted() {
    let (log, reader) = piped();
    let begun = Instant::now();
    write(&log, 0..1000, SHORT);
    write(&log, 1000..1010, SHORT);
    assert!(begun.elapsed() < LONG);
    let lost = lost(&log);
    assert!(lost > 10, "{lost}");

    let mut lines = BufReader::new(reader)
        .lines()
        .map(|line| id(&line.unwrap()));
    assert!(lines.by_ref().take(1010 - lost).eq(0..1010 - lost));
    // There is room again. The count is reported if stderr takes it, which the test's own may not.
    write(&log, [2000], LONG);
    drop(log);
    assert!(lines.eq([2000]));
}

#[test]
fn when_a_long_line_was_begun_it_is_completed_before_the_next() {
    let calls = Calls::default();
    let portions = Arc::new(AtomicUsize::new(1));
    let left = Arc::clone(&portions);
    let log = Log::new(calls.clone(), move |_| {
        let take = |left: usize| left.checked_sub(1);
        left.fetch_update(Relaxed, Relaxed, take).is_ok()
    });
    let quotes = "\"".repeat(MAX_FIELD);
    let long = Line {
        request_id: &quotes,
        event_id: "0",
        event: &quotes,
        resource: Some(&quotes),
        resource_name: Some(&quotes),
        region: Some(&quotes),
        ..Line::default()
    };
    let mut lines = Vec::new();
    long.append_to(&mut lines);
    long.append_to(&mut lines);
    log.write(lines, LONG);
    assert_eq!(calls.0.lock().unwrap().concat().len(), PIPE_BUF);
    assert_eq!(lost(&log), 1, "the second line");
    // Nothing is written, and the first line is still to be completed.
    write(&log, [1], LONG);
    assert_eq!(lost(&log), 2);

    portions.store(9, Relaxed);
    write(&log, [2], LONG);
    let text = String::from_utf8(calls.0.lock().unwrap().concat()).unwrap();
    assert!(text.lines().map(id).eq([0, 2]), "{text}");
}

#[test]
fn when_another_invocation_writes_waiting_for_it_ends_in_time() {
    let calls = Calls::default();
    let (begin, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    // Each write waits until the test releases it.
    let log = Log::new(calls.clone(), move |_| {
        begin.send(()).unwrap();
        released.recv().is_ok()
    });
    std::thread::scope(|scope| {
        scope.spawn(|| write(&log, [0], LONG));
        begun.recv().unwrap();
        write(&log, [1, 2], SHORT);
        assert_eq!(lost(&log), 2);
        drop(release);
    });
    assert_eq!(lost(&log), 3);
    // The writer was put back.
    assert!(log.lock().is_some());
    assert!(calls.0.lock().unwrap().is_empty());
}

#[test]
fn when_the_output_is_closed_nothing_waits_or_is_counted() {
    let (log, reader) = piped();
    drop(reader);
    let begun = Instant::now();
    write(&log, 0..1000, LONG);
    assert!(begun.elapsed() < LONG);
    assert_eq!(lost(&log), 0);
    assert!(log.lock().as_ref().unwrap().begun.is_empty());
}

#[test]
fn when_a_pipe_is_writable_it_takes_4_kib_without_blocking() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut written = 0;
    while is_writable(&writer, Instant::now()) {
        writer.write_all(&[0; PIPE_BUF]).unwrap();
        written += PIPE_BUF;
    }
    assert!(written >= PIPE_BUF);
    drop(reader);
    // A write would fail, and so not block.
    assert!(is_writable(&writer, Instant::now()));
}

#[test]
fn when_the_output_is_a_file_it_is_writable() {
    let file = std::fs::File::open("Cargo.toml").unwrap();
    assert!(is_writable(file, Instant::now()));
}

proptest! {
    #[test]
    fn lines_are_under_16_kib_without_control_characters(
        text in "[\"\\\\\u{0}\u{1f}a实]{0,4000}|[\u{7f}-\u{a1}]{0,9}",
    ) {
        let line = Line {
            time: &text,
            request_id: &text,
            event_id: &text,
            event: &text,
            resource: Some(&text),
            resource_name: Some(&text),
            region: Some(&text),
            account: Some(&text),
            route: &text,
            rule: &text,
            message_uuid: Some(&text),
            remedy: Some(&text),
            ..Line::default()
        };
        let json = serde_json::to_string(&line).unwrap();
        prop_assert!(json.len() <= 16 * 1024, "{}", json.len());
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert!(!read["event"].as_str().unwrap().contains(char::is_control));
    }
}
