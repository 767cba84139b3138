use super::*;
use proptest::prelude::*;
use serde_json::json;

/// What a text becomes.
fn shown(text: &str) -> String {
    masked(text).unwrap_or_else(|| text.to_owned())
}

#[test]
fn names_of_secrets_are_known_in_any_spelling() {
    for name in [
        "password",
        "Password",
        "PASSWORD",
        "rootPassword",
        "pass_word",
        "db-password-2",
        "Passwd",
        "pwd",
        "DB_PWD",
        "secret",
        "ClientSecret",
        "AccessKeySecret",
        "token",
        "ClientToken",
        "security_token",
        "userData",
        "user_data",
        "USER-DATA",
        "User Data",
        "user.data",
        "AccessKeyId",
        "access key",
        "private_key",
        "PrivateKeyBody",
        "credentials",
    ] {
        assert!(is_secret(name.as_bytes()), "{name}");
    }
    for name in [
        "",
        "_",
        "pass",
        "passport",
        "key",
        "keyPairName",
        "data",
        "user",
        "userName",
        "credit",
        "creditSpecification",
        "spotStrategy",
        "p",
        "passwor",
        "se_cre",
        "tok",
        "instanceId",
    ] {
        assert!(!is_secret(name.as_bytes()), "{name}");
    }
}

#[test]
fn values_of_secrets_are_hidden_at_any_depth() {
    let mut data = json!({
        "Password": "x1", "tokens": 7, "privateKey": {"a": "x2"}, "Credential": ["x3"], "userData": 1.5, "pwd": " ",
        "secret": null, "hasPassword": false, "accessKey": "", "name": "web", "n": 7,
        "list": [{"password": "x4"}, [{"a": {"TOKEN": "x5"}}], "password=x6", 8],
        "text": "{\"Password\":\"x7\"}",
    });
    mask(data.as_object_mut().unwrap());
    let hidden = json!({
        "Password": "***", "tokens": "***", "privateKey": "***", "Credential": "***", "userData": "***", "pwd": "***",
        "secret": null, "hasPassword": false, "accessKey": "", "name": "web", "n": 7,
        "list": [{"password": "***"}, [{"a": {"TOKEN": "***"}}], "password=***", 8],
        "text": "{\"Password\":\"***\"}",
    });
    assert_eq!(data, hidden);
}

#[test]
fn secrets_in_texts_are_hidden_and_nothing_else() {
    for (text, expected) in [
        // JSON.
        (
            r#"{ "a" :1.50,"Password" : "x1\"x2\\" ,"b":"é/\/" }"#,
            r#"{ "a" :1.50,"Password" : "***" ,"b":"é/\/" }"#,
        ),
        (r#"{"token":12,"b":[1]}"#, r#"{"token":"***","b":[1]}"#),
        (
            r#"{"token":[{"a":"]"},2],"b":{}}"#,
            r#"{"token":"***","b":{}}"#,
        ),
        (
            r#"{"userData":{"a":{"b":"}"}}, "c":1}"#,
            r#"{"userData":"***", "c":1}"#,
        ),
        (
            r#"{"pwd":null,"token":true,"secret":"","password":false}"#,
            r#"{"pwd":null,"token":true,"secret":"","password":false}"#,
        ),
        (r#"{"\u0070assword":"x1"}"#, r#"{"\u0070assword":"***"}"#),
        (
            r#"[{"access_key":"x1"},{"access key":"x2"}]"#,
            r#"[{"access_key":"***"},{"access key":"***"}]"#,
        ),
        // JSON in JSON.
        (
            r#"{"p":"{\"Password\":\"x1\\\"x2\",\"a\":\"\\u4e2d\"}","q":1}"#,
            r#"{"p":"{\"Password\":\"***\",\"a\":\"\\u4e2d\"}","q":1}"#,
        ),
        (
            r#"{"p":"{\"Password\":12,\"a\":1}"}"#,
            r#"{"p":"{\"Password\":\"***\",\"a\":1}"}"#,
        ),
        (
            r#"{"p":"{\u0022Password\u0022:\u0022x1\u0022}"}"#,
            r#"{"p":"{\u0022Password\u0022:\u0022***\u0022}"}"#,
        ),
        (
            r#""{\"a\":\"{\\\"token\\\":7}\"}""#,
            r#""{\"a\":\"{\\\"token\\\":\\\"***\\\"}\"}""#,
        ),
        // Cut off.
        (r#"{"a":1,"password":"x1"#, r#"{"a":1,"password":"***"#),
        (
            r#"{"a":1,"password":{"b":"x1","c":"x2"#,
            r#"{"a":1,"password":"***""#,
        ),
        (r#"{"a":1,"password":12"#, r#"{"a":1,"password":"***""#),
        (
            r#"{"a":"{\"password\":\"x1"#,
            r#"{"a":"{\"password\":\"***"#,
        ),
        (
            r#"{"a":"{\"password\":\"x1\"#,
            r#"{"a":"{\"password\":\"***"#,
        ),
        (r#"{"a":1,"password""#, r#"{"a":1,"password""#),
        (r#"{"a":1,"password":"#, r#"{"a":1,"password":"#),
        (r#"password":"x1","b":2}"#, r#"password":"***","b":2}"#),
        (
            r#"password\":\"x1\\\"x2\",\"b\":2}"#,
            r#"password\":\"***\",\"b\":2}"#,
        ),
        (
            r#"a 5" disk {"password":"x1"}"#,
            r#"a 5" disk {"password":"***"}"#,
        ),
        // Pairs.
        ("a=1&password=x1&b=2", "a=1&password=***&b=2"),
        ("password=x,1&b=2", "password=***&b=2"),
        (
            "user%5Fdata=x1&user[password]=x2",
            "user%5Fdata=***&user[password]=***",
        ),
        (
            "access+key=x1&a=%7B%22token%22%3A%22x2%22%7D&b",
            "access+key=***&a=%7B%22token%22%3A%22***%22%7D&b",
        ),
        // No value of a form: the sign behind the name is not escaped.
        ("--set=password='x1%40 x2' a", "--set=password='***' a"),
        ("set=password=x1%26&a=1", "set=password=***&a=1"),
        ("a=password%3Dx1%26b=", "a=password%3D***%26b="),
        (
            "a=%7B%22token%22%3A12%7D",
            "a=%7B%22token%22%3A%22***%22%7D",
        ),
        (
            "login with password=x1 for bob",
            "login with password=*** for bob",
        ),
        ("password = x1, user = bob", "password = ***, user = bob"),
        ("user data=x1; id=2", "user data=***; id=2"),
        (
            "{instanceId=i-1, Password=x1 x2, b=c}",
            "{instanceId=i-1, Password=***, b=c}",
        ),
        ("{a=1, token={b=x1, c=x2}, d=3}", "{a=1, token=***, d=3}"),
        ("--password=\"x1 x2\" --id=3", "--password=\"***\" --id=3"),
        (
            "https://a.example/?token=x1&b=2 done",
            "https://a.example/?token=***&b=2 done",
        ),
        (
            "{'password': 'x1', 'b': 'c'}",
            "{'password': '***', 'b': 'c'}",
        ),
        (
            "{\"a\":\"b=1&password=x1\"}",
            "{\"a\":\"b=1&password=***\"}",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
        assert!(
            !shown(text).contains("x1") && !shown(text).contains("x2"),
            "{text}"
        );
    }
}

#[test]
fn texts_that_only_speak_of_secrets_stay() {
    for text in [
        "the password is too short",
        "token expired: see the console",
        "password",
        "password=",
        "\"password\"",
        "[\"password\",\"token\"]",
        "{\"a\":\"password\"}",
        "{\"reason\":\"no token, 95% = full\"}",
        "password reset id=5",
        "cHdkcGFzc3dvcmQ=",
        "cHdkcwdpwd==",
        "https://a.example/password?x=1",
        "{\"passwordless\":true}",
    ] {
        assert_eq!(masked(text), None, "{text}");
    }
}

#[test]
fn a_text_too_deep_inside_others_is_hidden_whole() {
    let mut text = r#"{"password":"x1"}"#.to_owned();
    for layer in 0..10 {
        assert!(!shown(&text).contains("x1"), "{layer}");
        text = json!({ "a": text }).to_string();
    }
}

/// Time that grows with the square of the length would be minutes.
#[test]
fn hostile_texts_take_no_longer_than_others() {
    for piece in [
        "password",
        "p_",
        "\"",
        "\\",
        "\\\"",
        "{",
        "[",
        "password=",
        "password={",
        "token,a",
        "a=%",
        "\"password\":",
        "\"password\":[\"",
        "user data ",
        "password=\"",
        "'password':'",
        "\\u0022",
        "%22",
        "password=}",
        "a=b,",
        "a=b,token;",
        "] ",
        "password\\\\\":\\\\\"",
    ] {
        let begun = std::time::Instant::now();
        let text = format!("password={}", piece.repeat(400_000 / piece.len()));
        let _ = shown(&text);
        let _ = shown(&text[9..]);
        let _ = shown(&format!("\"{}", &text[9..]));
        assert!(begun.elapsed().as_secs() < 20, "{piece}");
    }
}

/// Names and values that hold the marks that texts are made of.
fn name() -> impl Strategy<Value = String> {
    let word = prop::sample::select(
        &[
            "password",
            "Passwd",
            "PWD",
            "secret",
            "Token",
            "userData",
            "user_data",
            "USER DATA",
            "access-key",
            "privateKey",
            "Credential",
        ][..],
    );
    ("[A-Za-z]{0,4}", word, "[A-Za-z0-9]{0,3}")
        .prop_map(|(before, word, after)| format!("{before}{word}{after}"))
}

/// JSON with a secret somewhere in it, as objects, arrays and texts inside texts. `forms` is how
/// often a text is a form, which cannot be read as JSON again.
fn holding_a_secret(forms: u32) -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        "[ -~é中]{0,6}".prop_map(|text| json!(format!("S3cr{text}"))),
        "[ -~é中]{0,6}".prop_map(|text| json!(format!("{text}S3cr"))),
        "[ -~]{0,6}".prop_map(|text| json!({ "a": [format!("{text}S3cr")] })),
        Just(json!(["S3cr", 1])),
    ];
    let leaf = (name(), value).prop_map(|(name, value)| json!({ name: value }));
    leaf.prop_recursive(6, 12, 3, move |inner| {
        let key = "[a-z:=\"\\\\'& {,é]{0,5}";
        prop_oneof![
            1 => (key, inner.clone(), key)
                .prop_map(|(key, inner, other)| json!({ key: inner, "zz": other })),
            1 => (inner.clone(), key).prop_map(|(inner, other)| json!([other, inner, 1.5])),
            1 => inner.clone().prop_map(|inner| json!(inner.to_string())),
            1 => inner
                .clone()
                .prop_map(|inner| json!(serde_json::to_string_pretty(&inner).unwrap())),
            forms => inner.prop_map(|inner| {
                let form = form_urlencoded::Serializer::new(String::new())
                    .append_pair("data", &inner.to_string())
                    .finish();
                json!(format!("a=1&{form}&b=2"))
            }),
        ]
    })
}

/// What masking would make of it if every text were read and written again.
fn read_again(value: &Value) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => {
                json!(read_again(&inner).to_string())
            }
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(read_again).collect(),
        Value::Object(map) => {
            let field = |(key, value): (&String, &Value)| {
                let mut value = read_again(value);
                if is_secret(key.as_bytes()) {
                    hide(&mut value);
                }
                (key.clone(), value)
            };
            map.iter().map(field).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn no_secret_survives_in_any_nesting(value in holding_a_secret(1), cut in any::<prop::sample::Index>()) {
        let mut data = Map::from_iter([("data".to_owned(), value.clone())]);
        mask(&mut data);
        let text = Value::Object(data).to_string();
        prop_assert!(!text.contains("S3cr"), "{text}");
        let whole = value.to_string();
        prop_assert!(!shown(&whole).contains("S3cr"), "{whole} became {}", shown(&whole));
        // However it is cut, what is left of the value is hidden.
        let end = (0..=cut.index(whole.len() + 1)).rev().find(|end| whole.is_char_boundary(*end)).unwrap();
        let part = &whole[..end];
        prop_assert!(!shown(part).contains("S3cr"), "{part} became {}", shown(part));
    }

    #[test]
    fn what_is_no_secret_is_what_it_was(value in holding_a_secret(0)) {
        let mut once = value.clone();
        mask_value(&mut once);
        prop_assert_eq!(read_again(&once), read_again(&value));
    }

    #[test]
    fn texts_without_names_of_secrets_are_untouched(text in "([ -~é中]|\\\\\"|\":|%22|=|&|\\{|\\}){0,60}") {
        prop_assume!(!is_secret(text.as_bytes()));
        prop_assert_eq!(masked(&text), None);
    }

    #[test]
    fn any_text_is_masked_once_and_for_all(text in "(password|token|[ -~é中]|\\\\\"|\":|%22|\\\\u0022|=|&|\\{|\\}){0,40}") {
        let once = shown(&text);
        prop_assert_eq!(shown(&once), once);
    }
}
