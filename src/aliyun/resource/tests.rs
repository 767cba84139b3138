use super::*;
use serde_json::json;

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn instance(value: Value) -> Instance {
    Instance::read(&value).unwrap()
}

#[test]
fn an_instance_is_read_whole() {
    let read = instance(json!({
        "InstanceId": "i-bp1exampleexample0001",
        "InstanceName": "shop-web-01",
        "ZoneId": "cn-hangzhou-h",
        "InstanceType": "ecs.g7.large",
        "Cpu": 2,
        "InstanceChargeType": "PrePaid",
        "ExpiredTime": "2027-01-31T16:00Z",
        "ResourceGroupId": "rg-exampleexample01",
        "VpcAttributes": { "NatIpAddress": "", "PrivateIpAddress": { "IpAddress": ["192.0.2.10"] } },
        "PublicIpAddress": { "IpAddress": ["203.0.113.7"] },
        "EipAddress": { "IpAddress": "198.51.100.20", "Bandwidth": 5 },
        "InnerIpAddress": { "IpAddress": [] },
        "NetworkInterfaces": {
            "NetworkInterface": [{ "Type": "Primary", "PrimaryIpAddress": "192.0.2.99" }],
        },
        "Tags": { "Tag": [
            { "TagKey": "owner", "TagValue": "shop-team" },
            { "TagKey": "flag", "TagValue": "" },
        ] },
        "DeletionProtection": true,
    }));
    let expected = Instance {
        id: "i-bp1exampleexample0001".into(),
        name: Some("shop-web-01".into()),
        private_addresses: vec!["192.0.2.10".into()],
        public_addresses: vec!["203.0.113.7".into(), "198.51.100.20".into()],
        instance_type: Some("ecs.g7.large".into()),
        zone: Some("cn-hangzhou-h".into()),
        tags: vec![
            ("owner".into(), "shop-team".into()),
            ("flag".into(), String::new()),
        ],
        resource_group: Some("rg-exampleexample01".into()),
        expires: Some("2027-01-31T16:00:00Z".parse().unwrap()),
    };
    assert_eq!(read, expected);
}

#[test]
fn an_id_is_enough_and_no_default_becomes_a_value() {
    let bare = Instance {
        id: "i-1".into(),
        ..Instance::default()
    };
    for value in [
        json!({ "InstanceId": "i-1" }),
        json!({ "instanceId": "i-1" }),
        json!({
            "InstanceId": "i-1",
            "InstanceName": "i-1",
            "ResourceGroupId": "",
            "EipAddress": { "IpAddress": "" },
            "InstanceChargeType": "PostPaid",
            "ExpiredTime": "2099-12-31T15:59Z",
            "Tags": {},
        }),
        json!({
            "InstanceId": "i-1",
            "InstanceName": 1,
            "ZoneId": null,
            "InstanceType": [],
            "VpcAttributes": "none",
            "PublicIpAddress": { "IpAddress": "203.0.113.7" },
            "EipAddress": [],
            "InnerIpAddress": { "IpAddress": [1, null, "no address"] },
            "NetworkInterfaces": { "NetworkInterface": ["x", {}] },
            "InstanceChargeType": "PrePaid",
            "ExpiredTime": "soon",
            "Tags": { "Tag": ["x", {}, { "TagValue": "v" }, { "TagKey": 1 }] },
        }),
    ] {
        assert_eq!(instance(value.clone()), bare, "{value}");
    }
    for none in [
        json!({}),
        json!([]),
        json!("i-1"),
        json!({ "InstanceId": 1 }),
    ] {
        assert_eq!(Instance::read(&none), None, "{none}");
        assert_eq!(Disk::read(&none), None, "{none}");
    }
}

#[test]
fn the_private_address_is_the_first_that_is_told() {
    let mut value = json!({
        "InstanceId": "i-1",
        "VpcAttributes": { "PrivateIpAddress": { "IpAddress": ["192.0.2.1", "192.0.2.1", "::1"] } },
        "InnerIpAddress": { "IpAddress": ["10.0.0.2"] },
        "NetworkInterfaces": {
            "NetworkInterface": [
                { "PrimaryIpAddress": "192.0.2.3" }, { "PrimaryIpAddress": "192.0.2.4" },
            ],
        },
    });
    let addresses = |value: &Value| instance(value.clone()).private_addresses;
    assert_eq!(addresses(&value), ["192.0.2.1", "::1"]);
    value["VpcAttributes"]["PrivateIpAddress"]["IpAddress"] = json!([]);
    assert_eq!(addresses(&value), ["10.0.0.2"]);
    value["InnerIpAddress"] = Value::Null;
    assert_eq!(addresses(&value), ["192.0.2.3", "192.0.2.4"]);
}

#[test]
fn a_disk_knows_its_instances() {
    let disk = |value: Value| Disk::read(&value).unwrap();
    let read = disk(json!({
        "DiskId": "d-1",
        "DiskName": "shop-db-data",
        "InstanceId": "i-1",
        "Attachments": { "Attachment": [{ "InstanceId": "i-1", "Device": "/dev/xvdb" }] },
        "Tags": { "Tag": [{ "TagKey": "owner", "TagValue": "shop-team" }] },
    }));
    let expected = Disk {
        id: "d-1".into(),
        name: Some("shop-db-data".into()),
        instance_ids: vec!["i-1".into()],
        tags: vec![("owner".into(), "shop-team".into())],
    };
    assert_eq!(read, expected);

    for (value, instances) in [
        (
            json!({ "DiskId": "d-1", "InstanceId": "i-1" }),
            &["i-1"][..],
        ),
        (json!({ "DiskId": "d-1", "InstanceId": "" }), &[]),
        (json!({ "DiskId": "d-1", "InstanceId": "../i" }), &[]),
        (
            json!({
                "DiskId": "d-1", "DiskName": "d-1", "InstanceId": "i-9",
                "Attachments": { "Attachment": [
                    { "InstanceId": "i-1" }, { "InstanceId": "i-2" }, { "InstanceId": "i-1" }, {},
                ] },
            }),
            &["i-1", "i-2"],
        ),
    ] {
        let read = disk(value);
        assert_eq!((read.name, read.instance_ids), (None, owned(instances)));
    }
}

#[test]
fn lists_and_texts_are_bounded() {
    let many = |count: usize, value: Value| vec![value; count];
    let addresses: Vec<String> = (0..255).map(|n| format!("192.0.2.{n}")).collect();
    let read = instance(json!({
        "InstanceId": "i-1",
        "InstanceName": "x".repeat(10_000),
        "InnerIpAddress": { "IpAddress": addresses },
        "Tags": { "Tag": many(1000, json!({ "TagKey": "k", "TagValue": "v".repeat(1000) })) },
    }));
    assert_eq!(read.name.unwrap().len(), 256);
    assert_eq!(read.private_addresses.len(), MAX_ADDRESSES);
    assert_eq!(read.tags.len(), MAX_TAGS);
    assert_eq!(read.tags[0].1.len(), 256);
}

#[test]
fn an_id_is_a_short_word() {
    for (text, expected) in [
        ("i-bp1exampleexample0001", true),
        ("d-1", true),
        ("", false),
        ("i-1\"]", false),
        ("i 1", false),
        ("../", false),
        ("实例", false),
        (&"i".repeat(65), false),
    ] {
        assert_eq!(is_id(text), expected, "{text}");
    }
}
