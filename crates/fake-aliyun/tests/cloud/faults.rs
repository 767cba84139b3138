use super::*;
use fake_aliyun::Fault;
use std::time::Instant;

const QUERY: &str = "RegionId=cn-hangzhou";

/// Makes a call. Returns head and body of the response.
fn raw(cloud: &Cloud, identity: &Identity) -> (String, Vec<u8>) {
    let mut request = request(cloud, identity, "DescribeInstances", QUERY);
    let authorization = authorize(&request, &identity.id, &identity.secret);
    set(&mut request, "Authorization", &authorization);
    send(cloud, &request)
}

#[test]
fn a_queued_fault_is_for_one_call_and_a_standing_one_for_all() {
    let (cloud, identity) = cloud();
    let code = |action| ask(&cloud, &identity, action, QUERY).1["Code"].clone();
    cloud.fault(Fault::InternalError);
    assert_eq!(code("DescribeInstances"), "InternalError");
    assert_eq!(code("DescribeInstances"), Value::Null);
    cloud.fault_on("DescribeDisks", Fault::InternalError);
    assert_eq!(code("DescribeInstances"), Value::Null);
    assert_eq!(code("DescribeDisks"), "InternalError");
    cloud.set_standing_fault(Some(Fault::InternalError));
    for _ in 0..3 {
        assert_eq!(code("DescribeInstances"), "InternalError");
    }
    cloud.set_standing_fault(None);
    assert_eq!(code("DescribeInstances"), Value::Null);
    assert_eq!(cloud.calls().len(), 8);
}

#[test]
fn each_fault_shows() {
    let (cloud, identity) = cloud();
    let ask = |fault| {
        cloud.fault(fault);
        raw(&cloud, &identity)
    };
    let (head, body) = ask(Fault::Throttled {
        retry_after_ms: Some(1500),
    });
    assert!(
        head.contains("HTTP/1.1 400") && head.contains("x-acs-retry-after: 1500"),
        "{head}"
    );
    assert_eq!(parse((head, body)).1["Code"], "Throttling.User");
    let (head, _) = ask(Fault::Throttled {
        retry_after_ms: None,
    });
    assert!(!head.contains("x-acs-retry-after"), "{head}");
    let refused = parse(ask(Fault::Refuse {
        status: 418,
        code: "Teapot".into(),
    }));
    assert_eq!(
        (refused.0, &refused.1["Code"]),
        (418, &Value::from("Teapot"))
    );
    assert_eq!(parse(ask(Fault::InternalError)).0, 500);
    let (head, _) = ask(Fault::Html { status: 502 });
    assert!(
        head.contains("HTTP/1.1 502") && head.contains("text/html"),
        "{head}"
    );
    assert!(str::from_utf8(&ask(Fault::Garbage).1).is_err());
    let (_, half) = ask(Fault::HalfJson);
    assert!(half.len() > 100 && serde_json::from_slice::<Value>(&half).is_err());
    assert_eq!(ask(Fault::EmptyObject).1, b"{}");
    assert_eq!(ask(Fault::Empty).1, b"");
    assert_eq!(ask(Fault::Huge).1.len(), 5 << 20);
    assert_eq!(ask(Fault::Reset).0, "");
    let lower = parse(ask(Fault::LowerCase)).1;
    assert!(
        lower["instances"]["instance"][0]["instanceId"].is_string(),
        "{lower}"
    );
    assert_eq!(parse(ask(Fault::EndlessPages)).1["NextToken"], "page+0==");
    let foreign = parse(ask(Fault::Foreign)).1;
    assert_eq!(
        foreign["Instances"]["Instance"].as_array().unwrap().len(),
        12
    );

    cloud.deny(ACCOUNT, "ecs:DescribeInstances");
    let (_, xml) = ask(Fault::Xml);
    assert!(
        String::from_utf8(xml)
            .unwrap()
            .contains("<Code>Forbidden.RAM</Code>")
    );
}

#[test]
fn slow_calls_are_answered_late_and_held_ones_when_released() {
    let (cloud, identity) = cloud();
    cloud.fault(Fault::Slow(Duration::from_millis(50)));
    let begun = Instant::now();
    assert_eq!(parse(raw(&cloud, &identity)).0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(50));

    cloud.fault(Fault::Hold);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| parse(raw(&cloud, &identity)).0);
        assert!(cloud.wait_until_held(1, Duration::from_secs(5)));
        // Others are served meanwhile.
        assert_eq!(parse(raw(&cloud, &identity)).0, 200);
        assert!(!held.is_finished());
        cloud.release_held();
        assert_eq!(held.join().unwrap(), 200);
    });
}

#[test]
fn a_call_that_hangs_ends_with_the_stand_in() {
    let (cloud, identity) = cloud();
    cloud.fault(Fault::Hang);
    let request = request(&cloud, &identity, "DescribeInstances", QUERY);
    let address = cloud.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\n\r\n", request.target);
    stream.write_all(head.as_bytes()).unwrap();
    cloud.wait_for_calls(1, Duration::from_secs(5));
    drop(cloud);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}
