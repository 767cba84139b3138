//! Name servers that answer late, wrongly or never. The process gets its own `resolv.conf` in its
//! own mount namespace. The test is skipped with a note if the machine does not allow that, or port
//! 53 of a loopback address is taken.

use super::network::TempFile;
use super::{event, shown};
use crate::platform::{Call, Instance, binary};
use crate::support::{SECRET, TOKEN};
use fake_dingtalk::{Certificate, Group, Robot};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const HOST: &str = "chatbot.test";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Good,
    Late(Duration),
    Never,
    NoSuchName,
    ServerFailure,
    Rubbish,
    /// The query for an IPv4 address succeeds, the one for an IPv6 address fails.
    BadAaaa,
    /// The first address accepts no connection.
    DeadFirst,
}

/// A name server that answers every name with one address.
struct NameServer {
    address: Ipv4Addr,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl NameServer {
    fn start() -> io::Result<NameServer> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let [low, high] = (std::process::id() as u16).to_le_bytes();
        let third = COUNT.fetch_add(1, Ordering::SeqCst) as u8;
        let address = Ipv4Addr::new(127, 64 + high / 2, low, third + 1);
        let socket = UdpSocket::bind((address, 53))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let server = NameServer {
            address,
            mood: Arc::new(Mutex::new(Mood::Good)),
            asked: Arc::default(),
            stopped: Arc::default(),
        };
        let (mood, asked, stopped) = (
            Arc::clone(&server.mood),
            Arc::clone(&server.asked),
            Arc::clone(&server.stopped),
        );
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while !stopped.load(Ordering::SeqCst) {
                let Ok((size, from)) = socket.recv_from(&mut question) else {
                    continue;
                };
                asked.fetch_add(1, Ordering::SeqCst);
                let mood = *mood.lock().unwrap();
                if let Some(answer) = answer(&question[..size], mood) {
                    let socket = socket.try_clone().unwrap();
                    std::thread::spawn(move || reply(&socket, from, &answer, mood));
                }
            }
        });
        Ok(server)
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

fn reply(socket: &UdpSocket, to: SocketAddr, answer: &[u8], mood: Mood) {
    if let Mood::Late(time) = mood {
        std::thread::sleep(time);
    }
    let _ = socket.send_to(answer, to);
}

/// Returns the response to a query (RFC 1035, section 4); `None` sends none.
fn answer(question: &[u8], mood: Mood) -> Option<Vec<u8>> {
    let name_end = 12 + question.get(12..)?.iter().position(|byte| *byte == 0)? + 1;
    let asked = question.get(12..name_end + 4)?;
    let is_a = question.get(name_end + 1) == Some(&1);
    let code = match mood {
        Mood::Never => return None,
        Mood::Rubbish => return Some(b"\xff\x00rubbish, not an answer\x00\xc0\x0c".to_vec()),
        Mood::NoSuchName => 3,
        Mood::ServerFailure => 2,
        Mood::BadAaaa if !is_a => 2,
        _ => 0,
    };
    let addresses: &[[u8; 4]] = match mood {
        _ if code != 0 || !is_a => &[],
        Mood::DeadFirst => &[[127, 0, 0, 99], [127, 0, 0, 1]],
        _ => &[[127, 0, 0, 1]],
    };
    let mut answer = question.get(..2)?.to_vec();
    answer.extend([
        0x81,
        0x80 | code,
        0,
        1,
        0,
        addresses.len() as u8,
        0,
        0,
        0,
        0,
    ]);
    answer.extend_from_slice(asked);
    for address in addresses {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address);
    }
    Some(answer)
}

/// A process that looks its chatbot up at a name server of this test.
struct Stage {
    server: NameServer,
    group: Group,
    instance: Instance,
    _files: Vec<TempFile>,
}

/// Starts name server, group and process. Prints why and returns `None` if the machine does not
/// allow it.
fn stage() -> Option<Stage> {
    let may_mount = Command::new("unshare").args(["-rm", "true"]).output();
    if !may_mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: no mount namespace is to be had here (unshare -rm)");
        return None;
    }
    let server = match NameServer::start() {
        Ok(server) => server,
        Err(error) => {
            println!(
                "skipped: no name server can be run here (port 53 of a loopback address: {error})"
            );
            return None;
        }
    };
    let group = Group::builder()
        .robot(Robot::new(TOKEN).secret(SECRET))
        .certificate(Certificate::For(HOST))
        .start()
        .unwrap();
    let resolv = TempFile::with(&format!("nameserver {}\n", server.address));
    let nsswitch = TempFile::with("hosts: files dns\n");
    let ca = TempFile::with(group.ca_pem().unwrap());
    let port = group.addr().port();
    let webhook = format!("https://{HOST}:{port}/robot/send?access_token={TOKEN}");
    let mounts = format!(
        "mount --bind {} /etc/resolv.conf && {{ ! [ -e /etc/nsswitch.conf ] || mount --bind {} /etc/nsswitch.conf; }} && exec \"$0\"",
        resolv.path(),
        nsswitch.path(),
    );
    let instance = Instance::start_command(|port| {
        let program = binary(&[]);
        let mut command = Command::new("unshare");
        command
            .args(["-rm", "sh", "-c", &mounts])
            .arg(program.get_program())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DINGTALK_WEBHOOK", &webhook)
            .env("DINGTALK_SECRET", SECRET)
            .env("DINGTALK_RATE_LIMIT", "20")
            .env("EVENT_LEVELS", "CRITICAL,WARN,INFO")
            .env("SSL_CERT_FILE", ca.path())
            .env("FC_SERVER_PORT", port.to_string());
        command
    });
    Some(Stage {
        server,
        group,
        instance,
        _files: vec![resolv, nsswitch, ca],
    })
}

/// The invocation ends in time, and the repeat delivers.
#[test]
fn when_name_servers_are_late_wrong_or_silent_no_event_is_lost() {
    let second = Duration::from_secs(1);
    let cases = [
        (Mood::Good, true),
        (Mood::BadAaaa, true),
        (Mood::DeadFirst, true),
        (Mood::Late(second * 3 / 2), true),
        // Too late for the first attempt; the second one uses the response.
        (Mood::Late(second * 4), true),
        (Mood::Never, false),
        (Mood::NoSuchName, false),
        (Mood::ServerFailure, false),
        (Mood::Rubbish, false),
    ];
    std::thread::scope(|scope| {
        for (mood, delivers) in cases {
            scope.spawn(move || {
                let Some(stage) = stage() else { return };
                let invoke = |timeout: &str| {
                    let call = Call::invoke(event(1).to_string()).timeout(timeout);
                    stage.instance.caller().call(&call)
                };
                stage.server.set(mood);
                let begun = Instant::now();
                let answer = invoke("9");
                assert!(
                    begun.elapsed() < second * 11,
                    "{mood:?}: {:?}",
                    begun.elapsed()
                );
                assert!(
                    stage.server.asked.load(Ordering::SeqCst) > 0,
                    "{mood:?}: nobody was asked: {answer:?}"
                );
                if delivers {
                    assert_eq!(answer.status, 200, "{mood:?}: {answer:?}");
                } else {
                    let error = answer.failure(404);
                    assert!(
                        ["Unreachable", "Deadline"].contains(&error.as_str()),
                        "{mood:?}: {error}"
                    );
                    assert!(
                        answer.json()["errorMessage"]
                            .as_str()
                            .unwrap()
                            .contains("name"),
                        "{mood:?}: {answer:?}"
                    );
                    assert!(stage.group.calls().is_empty(), "{mood:?}");
                }
                stage.server.set(Mood::Good);
                assert_eq!(invoke("20").status, 200, "{mood:?}");
                assert_eq!(shown(&stage.group.deliveries(), 1), 1, "{mood:?}");
            });
        }
    });
}
