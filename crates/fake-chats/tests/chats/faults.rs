//! Faults, in the same words for every chat.

use crate::{Answer, chat_with, common::Each, post, send};
use fake_chats::{Chat, Fault, Kind};
use std::time::{Duration, Instant};

/// Sends a good message with this fault. Returns the answer, and whether the message was shown.
fn with_fault(each: &Each, chat: &Chat, fault: Fault) -> (Answer, bool) {
    chat.clear();
    chat.push_fault(fault);
    let answer = send(chat, &post(chat, each.token, &each.body));
    let calls = chat.calls();
    assert!(calls.len() < 2);
    (answer, !chat.deliveries().is_empty())
}

#[test]
fn every_fault_does_what_its_name_says() {
    for each in Each::all() {
        let chat = chat_with(each.kind, each.robot());
        let redirect = |to_other_host| Fault::Redirect {
            code: 302,
            to_other_host,
        };
        let after = Some("7".to_owned());
        for (fault, status, is_shown, body) in [
            (Fault::CloseBeforeReading, 0, false, ""),
            (Fault::ResetBeforeReading, 0, false, ""),
            (Fault::CloseAfterReading, 0, false, ""),
            (Fault::ResetAfterReading, 0, false, ""),
            (Fault::AcceptThenClose, 0, true, ""),
            (Fault::AcceptThenReset, 0, true, ""),
            (
                Fault::Delay(Duration::from_millis(1)),
                200,
                true,
                each.accepted,
            ),
            (
                Fault::SlowDrip {
                    interval: Duration::ZERO,
                },
                200,
                true,
                each.accepted,
            ),
            (Fault::Answer("hello".into()), 200, false, "hello"),
            (Fault::status(503), 503, false, "<html>error</html>"),
            (
                Fault::Html200,
                200,
                false,
                "<html><body>hello</body></html>",
            ),
            (Fault::Empty200, 200, false, ""),
            (Fault::EmptyObject, 200, false, "{}"),
            (Fault::Huge { bytes: 3 }, 200, false, "   "),
            (redirect(false), 302, false, ""),
            (redirect(true), 302, false, ""),
            (
                Fault::TooManyRequests { retry_after: after },
                429,
                false,
                "slow down",
            ),
        ] {
            let name = format!("{:?} {fault:?}", each.kind);
            let (answer, was_shown) = with_fault(&each, &chat, fault);
            assert_eq!((answer.status, was_shown), (status, is_shown), "{name}");
            assert_eq!(answer.body, body, "{name}");
        }
        let (half, was_shown) = with_fault(&each, &chat, Fault::HalfAnswer);
        assert!(was_shown && each.accepted.starts_with(&half.body));
        assert!(half.body.len() < each.accepted.len());
        let (code, was_shown) = with_fault(
            &each,
            &chat,
            Fault::Code {
                status: 418,
                code: 10101,
                text: "some_word".into(),
            },
        );
        assert_eq!((code.status, was_shown), (418, false));
        let code = code.code();
        assert!(["10101", "some_word"].contains(&code.as_str()), "{code}");
    }
}

#[test]
fn a_standing_fault_ends_when_it_is_taken_away() {
    for each in Each::all() {
        let chat = chat_with(each.kind, each.robot());
        let status = || send(&chat, &post(&chat, each.token, &each.body)).status;
        chat.set_standing_fault(each.token, Some(Fault::status(500)));
        assert_eq!((status(), status()), (500, 500));
        chat.set_standing_fault(each.token, None);
        assert_eq!(status(), 200);
    }
}

#[test]
fn calls_are_held_and_answers_withheld() {
    let each = &Each::all()[0];
    let chat = chat_with(Kind::Lark, each.robot());
    chat.push_faults([
        Fault::Hold,
        Fault::NeverAnswer,
        Fault::AcceptThenNeverAnswer,
    ]);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| send(&chat, &post(&chat, each.token, &each.body)).status);
        assert!(chat.wait_until_held(1, Duration::from_secs(10)));
        assert!(chat.deliveries().is_empty());
        chat.release();
        assert_eq!(held.join().unwrap(), 200);
    });
    let request = post(&chat, each.token, &each.body);
    let mut open = Vec::new();
    for count in 2..=3 {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(chat.addr()).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n",
            request.target,
            request.head,
            request.body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&request.body).unwrap();
        assert_eq!(
            chat.wait_for_calls(count, Duration::from_secs(10)).len(),
            count
        );
        open.push(stream);
    }
    assert_eq!(
        chat.wait_for_deliveries(2, Duration::from_secs(10)).len(),
        2
    );
    // The connections that wait for an answer do not keep the stand-in from ending.
    let start = Instant::now();
    drop(chat);
    assert!(start.elapsed() < Duration::from_secs(5));
}
