//! What every answer says to browsers.

use super::{raw, request};
use crate::served::{Folder, Served, homecoming_done, programme};

#[test]
fn every_answer_says_what_browsers_may_do_with_it() {
    let folder = Folder::new("headers");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for (method, target, headers, status) in [
        ("GET", "/sign-in", "", 200),
        ("GET", "/caseload", "", 303),
        ("GET", "/nothing", "", 404),
        ("GET", "/fhir/metadata", "", 200),
        ("GET", "/fhir/Patient", "", 401),
        ("GET", "/fhir/Patient", bearer.as_str(), 200),
        ("DELETE", "/fhir", bearer.as_str(), 405),
        ("GET", "/oauth/token", "", 405),
        ("GET", "/.well-known/smart-configuration", "", 200),
        ("GET", "/.well-known/openid-configuration", "", 200),
        ("GET", "/metrics", "", 200),
        ("GET", "/log/test-programme/checkpoint", "", 200),
        ("OPTIONS", "/fhir/Patient", "", 405),
        ("HEAD", "/sign-in", "", 200),
    ] {
        let answer = raw(served.address, request(method, target, headers).as_bytes());
        let place = format!("{method} {target}");
        assert_eq!(answer.status, status, "{place}: {}", answer.text);
        assert_eq!(
            answer.header("x-content-type-options"),
            "nosniff",
            "{place}"
        );
        assert_eq!(answer.header("x-frame-options"), "DENY", "{place}");
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            "same-origin",
            "{place}"
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            "same-origin",
            "{place}"
        );
        assert!(!answer.header("referrer-policy").is_empty(), "{place}");
        assert!(!answer.header("permissions-policy").is_empty(), "{place}");
        assert!(!answer.header("cache-control").is_empty(), "{place}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{place}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{place}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{place}: {policy}");
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "{place}: it is not https"
        );
        assert_eq!(answer.header("server"), "", "{place}");
    }
}

#[test]
fn only_a_configured_proxy_makes_it_https() {
    let folder = Folder::new("https");
    let (data, _) = programme(&folder);
    let forwarded = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.5\r\n";
    let ask = |served: &Served| {
        raw(
            served.address,
            request("GET", "/fhir/metadata", forwarded).as_bytes(),
        )
    };
    let served = Served::start(&data);
    let answer = ask(&served);
    assert_eq!(answer.header("strict-transport-security"), "");
    assert!(
        answer.text.contains("\"url\":\"http://"),
        "a stranger's word is taken"
    );
    drop(served);
    let served = Served::start_with(&data, &["--proxy", "127.0.0.1"]);
    let answer = ask(&served);
    assert!(
        answer
            .header("strict-transport-security")
            .starts_with("max-age=")
    );
    assert!(answer.text.contains("\"url\":\"https://127.0.0.1/fhir\""));
}

#[test]
fn pages_of_registered_apps_may_read_answers_and_others_may_not() {
    let folder = Folder::new("cors");
    let (data, token) = programme(&folder);
    homecoming_done(&[
        "client",
        "add",
        "app",
        "--data",
        &data,
        "--scope",
        "patient/*.rs launch/patient",
        "--proof",
        "public",
        "--redirect",
        "https://app.example/back",
    ]);
    let served = Served::start(&data);
    let ask = |method: &str, target: &str, origin: &str| {
        let headers = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\nAuthorization: Bearer {token}\r\n"
        );
        raw(served.address, request(method, target, &headers).as_bytes())
    };
    for (method, target, origin, allowed) in [
        (
            "GET",
            "/fhir/Patient",
            "https://app.example",
            "https://app.example",
        ),
        (
            "OPTIONS",
            "/fhir/Patient",
            "https://app.example",
            "https://app.example",
        ),
        (
            "OPTIONS",
            "/oauth/token",
            "https://app.example",
            "https://app.example",
        ),
        ("GET", "/fhir/Patient", "https://evil.example", ""),
        ("OPTIONS", "/fhir/Patient", "https://evil.example", ""),
        (
            "GET",
            "/fhir/Patient",
            "https://app.example.evil.example",
            "",
        ),
        ("GET", "/fhir/Patient", "http://app.example", ""),
        ("GET", "/fhir/Patient", "null", ""),
        ("GET", "/fhir/metadata", "https://evil.example", "*"),
        ("GET", "/.well-known/smart-configuration", "null", "*"),
        ("GET", "/sign-in", "https://app.example", ""),
        ("OPTIONS", "/caseload", "https://app.example", ""),
    ] {
        let answer = ask(method, target, origin);
        let place = format!("{method} {target} {origin}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            allowed,
            "{place}"
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            "",
            "{place}"
        );
        if method == "OPTIONS" && !allowed.is_empty() {
            assert_eq!(answer.status, 204, "{place}");
            assert!(
                answer
                    .header("access-control-allow-headers")
                    .contains("authorization")
            );
        }
    }
    homecoming_done(&["client", "disable", "app", "--data", &data]);
    let mut seen = String::new();
    for _ in 0..20 {
        seen = ask("GET", "/fhir/Patient", "https://app.example")
            .header("access-control-allow-origin")
            .to_owned();
        if seen.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    assert_eq!(seen, "", "a disabled app's pages go on reading");
}
