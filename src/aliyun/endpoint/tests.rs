use super::*;

#[test]
fn each_region_has_its_address() {
    let url = |text: &str, region| Endpoint::parse(text).unwrap().url(region).unwrap();
    let ecs = "https://ecs.{region}.aliyuncs.com";
    let sts = "https://sts.{region}.aliyuncs.com";
    for (endpoint, region, expected) in [
        (ecs, "cn-hangzhou", "https://ecs.cn-hangzhou.aliyuncs.com"),
        (ecs, "cn-hangzhou-finance", "https://ecs.aliyuncs.com"),
        (sts, "cn-hangzhou-finance", "https://sts.aliyuncs.com"),
        (sts, "cn-shenzhen-finance-1", "https://sts.aliyuncs.com"),
        (
            ecs,
            "cn-shenzhen-finance-1",
            "https://ecs.cn-shenzhen-finance-1.aliyuncs.com",
        ),
        (
            " HTTPS://ecs-vpc.{Region}.Aliyuncs.com:443/ ",
            "cn-hangzhou-finance",
            "https://ecs-vpc.cn-hangzhou-finance.aliyuncs.com",
        ),
        ("https://api.corp:8443", "cn-x", "https://api.corp:8443"),
        ("http://127.0.0.1:9001/", "cn-x", "http://127.0.0.1:9001"),
        ("http://localhost:80", "cn-x", "http://localhost"),
        ("http://[::1]:9001", "cn-x", "http://[::1]:9001"),
    ] {
        assert_eq!(url(endpoint, region), expected);
    }
    assert_eq!(Endpoint::parse(ecs), Ok(Endpoint::ecs()));
    assert_eq!(Endpoint::parse(sts), Ok(Endpoint::sts()));
    assert_eq!(Endpoint::ecs().to_string(), ecs);
}

#[test]
fn what_is_no_region_has_no_address() {
    let long = "a".repeat(65);
    for endpoint in [
        Endpoint::ecs(),
        Endpoint::parse("https://api.corp").unwrap(),
    ] {
        for region in [
            "",
            "a",
            "../",
            "evil.example/",
            "cn hangzhou",
            "cn-hangzhou.evil",
            "-cn",
            "cn-",
            "cn_hangzhou",
            "a@b",
            "a:1",
            "a#",
            "杭州",
            "cn-\r\nx",
            "{region}",
            &long,
        ] {
            assert_eq!(endpoint.url(region), None, "{region}");
        }
        assert!(endpoint.url(&long[1..]).is_some());
    }
}

#[test]
fn faults_say_what_to_write() {
    for (text, expected) in [
        ("", "does not begin with https://"),
        ("ecs.{region}.aliyuncs.com", "does not begin with https://"),
        ("ftp://x.example", "does not begin with https://"),
        ("https://", "no valid host"),
        ("https://:443", "no valid host"),
        ("https://x.example:0", "no valid host"),
        ("https://x.example:port", "no valid host"),
        ("https://a b.example", "no valid host"),
        ("https://a..example", "no valid host"),
        ("https://x.example/api", "more than a host"),
        ("https://x.example/{region}", "more than a host"),
        ("https://x.example?a=b", "more than a host"),
        ("https://x.example\\@y", "more than a host"),
        ("https://u:p@x.example", "a user's name"),
        ("https://{region}.{region}.example", "more than once"),
        ("https://{zone}.example", "braces"),
        ("https://{region", "braces"),
        ("https://{region}", "at the host's end"),
        ("https://ecs.{region}:8443", "at the host's end"),
        ("https://x.y-{region}", "at the host's end"),
        ("https://{region}.0.0.1", "in an IP address"),
        ("http://ecs.{region}.aliyuncs.com", "not encrypted"),
        ("http://10.0.0.1", "not encrypted"),
    ] {
        let fault = Endpoint::parse(text).unwrap_err();
        assert!(fault.contains(expected), "{text}: {fault}");
        assert!(fault.contains("write https://"), "{fault}");
    }
}
