//! The proxy that injects connection faults.

use super::{TOKEN, markdown};
use fake_dingtalk::{ConnectionFault, FaultyProxy, Group, Offset, Robot};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn the_proxy_relays_and_injects_each_fault() {
    let group = Group::start(vec![Robot::new(TOKEN)]);
    let proxy = FaultyProxy::to(group.addr());
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(proxy.addr())?;
        stream.set_read_timeout(Some(Duration::from_millis(300)))?;
        let body = markdown().to_string();
        let head = format!(
            "POST /robot/send?access_token={TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut answer = vec![0; 20];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    assert!(ask().unwrap().starts_with("HTTP/1.1 200"));
    let (upstream, downstream) = proxy.relayed();
    assert!(upstream > 200 && downstream > 20, "{upstream} {downstream}");
    for (offset, shows) in [
        (Offset::Upstream(0), 0),
        (Offset::Upstream(upstream - 1), 0),
        (Offset::Downstream(0), 1),
        (Offset::Downstream(15), 1),
    ] {
        for (fault, kind) in [
            (ConnectionFault::Close, ErrorKind::UnexpectedEof),
            (ConnectionFault::Reset, ErrorKind::ConnectionReset),
            (ConnectionFault::Stall, ErrorKind::WouldBlock),
        ] {
            let before = group.deliveries().len();
            proxy.inject(offset, fault, false);
            assert_eq!(ask().unwrap_err().kind(), kind, "{offset:?} {fault:?}");
            assert_eq!(
                group.deliveries().len(),
                before + shows,
                "{offset:?} {fault:?}"
            );
            assert_eq!(proxy.injected(), 1);
        }
        proxy.inject(
            offset,
            ConnectionFault::Delay(Duration::from_millis(20)),
            false,
        );
        assert!(ask().unwrap().starts_with("HTTP/1.1 200"));
        proxy.inject(offset, ConnectionFault::Hold, true);
        std::thread::scope(|scope| {
            let asked = scope.spawn(ask);
            assert!(proxy.wait_until_injected(Duration::from_secs(10)));
            proxy.release();
            let _ = asked.join();
        });
        proxy.clear_fault();
        assert!(ask().unwrap().starts_with("HTTP/1.1 200"));
        group.clear();
    }
    proxy.inject(Offset::Downstream(9), ConnectionFault::Corrupt, false);
    let corrupted = ask().unwrap();
    assert!(
        corrupted.starts_with("HTTP/1.1 ") && !corrupted.contains("200"),
        "{corrupted}"
    );
}
