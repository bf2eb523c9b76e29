//! Who asks too often is told when to come again, in the form that they read; others are not held up by them.

use super::{raw, request};
use crate::served::{Folder, Served, programme};

#[test]
fn who_asks_too_often_waits() {
    let folder = Folder::new("rates");
    let (data, _) = programme(&folder);
    let served = Served::start_with(&data, &["--proxy", "127.0.0.1", "--rate", "2"]);
    let ask = |target: &str, address: &str| {
        let headers = format!("X-Forwarded-For: {address}\r\n");
        raw(served.address, request("GET", target, &headers).as_bytes())
    };
    let mut refused = None;
    for _ in 0..60 {
        let answer = ask("/fhir/metadata", "203.0.113.5");
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.expect("sixty at once are too many at two a second");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..10).contains(&wait), "{wait}");
    assert!(
        refused.text.contains("OperationOutcome"),
        "{}",
        refused.text
    );
    assert!(refused.text.contains("\"throttled\""), "{}", refused.text);
    let page = ask("/sign-in", "203.0.113.5");
    assert_eq!(page.status, 429);
    assert!(
        page.text.contains("That was asked too often"),
        "{}",
        page.text
    );
    let json = raw(
        served.address,
        request("GET", "/oauth/jwks", "X-Forwarded-For: 203.0.113.5\r\n").as_bytes(),
    );
    assert_eq!(json.status, 429);
    assert!(json.text.contains("\"error\""), "{}", json.text);
    // Somebody else is not held up, and what the first writes before the proxy's word is not believed.
    assert_eq!(ask("/fhir/metadata", "203.0.113.6").status, 200);
    assert_eq!(
        ask("/fhir/metadata", "198.51.100.1, 203.0.113.5").status,
        429
    );
}

#[test]
fn guessing_gets_slow() {
    let folder = Folder::new("guessing");
    let (data, token) = programme(&folder);
    let served = Served::start_with(&data, &["--proxy", "127.0.0.1", "--rate", "0"]);
    let post = |target: &str, body: &str, address: &str| {
        let headers = format!(
            "X-Forwarded-For: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        let text = format!("{}{body}", request("POST", target, &headers));
        raw(served.address, text.as_bytes()).status
    };
    for (target, body, address) in [
        ("/sign-in", "code=wrong", "203.0.113.5"),
        (
            "/oauth/token",
            "grant_type=authorization_code&client_id=x&code=y",
            "203.0.113.6",
        ),
        ("/oauth/introspect", "token=x", "203.0.113.7"),
    ] {
        let statuses: Vec<u16> = (0..40).map(|_| post(target, body, address)).collect();
        assert_ne!(statuses[0], 429, "{target}");
        assert_eq!(statuses[39], 429, "{target}: {statuses:?}");
    }
    // Tokens that are not good, one after another; whoever shares the address with them goes on.
    let get = |target: &str, header: &str| {
        let headers = format!("X-Forwarded-For: 203.0.113.8\r\n{header}\r\n");
        raw(served.address, request("GET", target, &headers).as_bytes()).status
    };
    let good = format!("Authorization: Bearer {token}");
    assert_eq!(get("/fhir/Patient", &good), 200);
    let mut last = 0;
    for number in 0..80 {
        let guess = format!("Authorization: Bearer hc_guess{number}");
        last = get("/fhir/Patient", &guess);
    }
    assert_eq!(last, 429);
    assert_eq!(get("/fhir/Patient", &good), 200, "a token that is known");
    assert_eq!(
        get("/caseload", "Cookie: homecoming-session=x"),
        303,
        "a session"
    );
    assert_eq!(get("/sign-in", "Accept: text/html"), 200);
}

#[test]
fn whoever_is_on_the_machine_is_not_counted() {
    let folder = Folder::new("local");
    let (data, token) = programme(&folder);
    let served = Served::start_with(&data, &["--rate", "1"]);
    let headers = format!("Authorization: Bearer {token}\r\nX-Forwarded-For: 203.0.113.5\r\n");
    for _ in 0..50 {
        let answer = raw(
            served.address,
            request("GET", "/fhir/Patient", &headers).as_bytes(),
        );
        assert_eq!(answer.status, 200);
    }
}
