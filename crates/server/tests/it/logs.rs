//! Nothing of the record, and no secret, is in what a server writes to its terminal: a whole session over the
//! demo with every line of the log switched on, and then every name in the data is looked for.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::served::{Folder, HOMECOMING, Served, get, homecoming_done};

/// A server whose every word is kept in two files; killed when dropped.
struct Talking {
    child: Child,
    said: [String; 2],
    address: String,
}

impl Talking {
    fn start(folder: &Folder, data: &str) -> Talking {
        let said = [folder.join("stdout"), folder.join("stderr")];
        let file = |path: &String| std::fs::File::create(path).expect("a file");
        let child = Command::new(HOMECOMING)
            .args(["serve", "--data", data, "--listen", "127.0.0.1:0"])
            .env("HOMECOMING_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(file(&said[0]))
            .stderr(file(&said[1]))
            .spawn()
            .expect("the server starts");
        let mut talking = Talking {
            child,
            said,
            address: String::new(),
        };
        for _ in 0..600 {
            let said = talking.said();
            let at = said
                .split("http://")
                .nth(1)
                .and_then(|rest| rest.split_once('/'));
            if let Some((address, _)) = at {
                talking.address = format!("http://{address}");
                return talking;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!(
            "the server does not say where it serves: {}",
            talking.said()
        );
    }

    /// Everything that it said so far.
    fn said(&self) -> String {
        let read = |path: &String| {
            let bytes = std::fs::read(path).expect("a file");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        self.said.iter().map(read).collect()
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What identifies people in the data: names, numbers, addresses, days of birth.
fn words_of(address: &str, token: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for kind in ["Patient", "Practitioner", "RelatedPerson"] {
        let mut next = Some(format!("{address}/fhir/{kind}?_count=200"));
        while let Some(url) = next {
            let (status, body) = get(&url, Some(token));
            assert_eq!(status, 200, "{kind}: {body}");
            let page: Value = serde_json::from_str(&body).expect("JSON");
            let entries = page["entry"].as_array().cloned().unwrap_or_default();
            for entry in &entries {
                gather(&entry["resource"], &mut words);
            }
            let links = page["link"].as_array().cloned().unwrap_or_default();
            let link = links.iter().find(|link| link["relation"] == "next");
            next = link.and_then(|link| link["url"].as_str().map(str::to_owned));
        }
    }
    words
}

fn gather(resource: &Value, words: &mut BTreeSet<String>) {
    let mut add = |value: &Value| {
        // What has less than four letters is in any text.
        if let Some(text) = value.as_str().filter(|text| text.chars().count() > 3) {
            words.insert(text.to_lowercase());
        }
    };
    let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for name in all(&resource["name"]) {
        add(&name["family"]);
        add(&name["text"]);
        all(&name["given"]).iter().for_each(&mut add);
    }
    for telecom in all(&resource["telecom"]) {
        add(&telecom["value"]);
    }
    for identifier in all(&resource["identifier"]) {
        add(&identifier["value"]);
    }
    for address in all(&resource["address"]) {
        all(&address["line"]).iter().for_each(&mut add);
        add(&address["city"]);
    }
    add(&resource["birthDate"]);
}

/// The first of the words that is in a text, as a word.
fn found<'w>(text: &str, words: &'w BTreeSet<String>) -> Option<&'w String> {
    let text = text.to_lowercase();
    words.iter().find(|word| {
        text.match_indices(word.as_str()).any(|(at, _)| {
            let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !letter(text[..at].chars().next_back())
                && !letter(text[at + word.len()..].chars().next())
        })
    })
}

#[test]
fn a_name_is_found_where_there_is_one() {
    let words = BTreeSet::from(["haddad".to_owned(), "555-0100".to_owned()]);
    for (text, expected) in [
        ("WARN no such Patient: Haddad, Samir", Some("haddad")),
        ("tel=555-0100;", Some("555-0100")),
        ("haddadin", None),
        ("", None),
    ] {
        assert_eq!(found(text, &words).map(String::as_str), expected, "{text}");
    }
}

#[test]
fn no_name_and_no_secret_is_in_the_log_of_a_whole_session() {
    let folder = Folder::new("logs");
    let data = folder.join("demo");
    drop(Served::demo(&data));
    homecoming_done(&[
        "client",
        "add",
        "reader",
        "--data",
        &data,
        "--scope",
        "system/*.cruds",
        "--sees",
        "notes,sud,restricted",
        "--part-of-programme",
    ]);
    let token = homecoming_done(&["token", "--data", &data, "--client", "reader"]);
    let token = token.trim().to_owned();
    let served = Talking::start(&folder, &data);
    let at = |path: &str| format!("{}{path}", served.address);
    let mut words = words_of(&served.address, &token);
    assert!(words.len() > 150, "only {} names in the demo", words.len());
    let some: Vec<String> = words.iter().take(40).cloned().collect();
    words.insert(token.to_lowercase());

    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let mut asked = 0;
    let mut send = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let mut request = ureq::http::Request::builder().method(method).uri(at(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            "" => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body.to_owned()).expect("a request")),
        };
        asked += 1;
        answer.map_or((0, String::new()), |mut answer| {
            let cookie = answer.headers().get("set-cookie");
            let cookie = cookie
                .and_then(|cookie| cookie.to_str().ok())
                .unwrap_or_default();
            let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
            let _ = answer.body_mut().read_to_vec();
            (answer.status().as_u16(), cookie)
        })
    };
    let about: Value = serde_json::from_slice(
        &std::fs::read(std::path::Path::new(&data).join("programme.json")).expect("it is there"),
    )
    .expect("JSON");
    let people = about["demo"]
        .as_array()
        .expect("people of the demo")
        .clone();
    let bearer = format!("Bearer {token}");
    let json = ("Content-Type", "application/fhir+json");
    let form = ("Content-Type", "application/x-www-form-urlencoded");

    // Everybody signs in before anybody fails to: many failures make the rest wait.
    let mut cookies = Vec::new();
    for person in &people {
        let code = person["code"].as_str().expect("a code");
        words.insert(code.to_lowercase());
        let (status, cookie) = send("POST", "/sign-in", &[form], &format!("code={code}"));
        let secret = cookie
            .split_once('=')
            .map(|(_, secret)| secret.to_lowercase());
        assert!(status == 303 && secret.is_some(), "{code}: {status}");
        words.extend(secret);
        cookies.push(cookie);
    }
    // As a program: what is there, what is not, and what is malformed in every way.
    for word in &some {
        let word = encoded(word);
        for path in [
            format!("/fhir/Patient?name={word}"),
            format!("/fhir/Patient/{word}"),
            format!("/fhir/{word}"),
            format!("/fhir/Patient?{word}={word}"),
            format!("/fhir/Patient?birthdate={word}&_asof={word}"),
            format!("/{word}"),
        ] {
            send("GET", &path, &[("Authorization", &bearer)], "");
            send(
                "GET",
                &path,
                &[("Authorization", &format!("Bearer {word}"))],
                "",
            );
        }
    }
    for word in &some {
        let patient = format!(r#"{{"resourceType":"Patient","name":[{{"family":"{word}"}}]}}"#);
        for (method, path, body) in [
            ("POST", "/fhir/Patient", patient.as_str()),
            ("POST", "/fhir/Patient", &patient[..patient.len() - 3]),
            (
                "POST",
                "/fhir/Patient",
                &patient.replace("family", "familie"),
            ),
            ("PUT", "/fhir/Patient/other", &patient),
            ("POST", "/fhir/Patient/$validate", &patient),
            ("POST", "/fhir", &patient),
        ] {
            send(method, path, &[("Authorization", &bearer), json], body);
        }
    }
    // As everybody who can sign in: every page, and what is not there.
    for cookie in &cookies {
        let mine = [("Cookie", cookie.as_str())];
        for path in [
            "/",
            "/caseload",
            "/record",
            "/access",
            "/erasures",
            "/policy",
            "/account",
            "/users",
        ] {
            send("GET", path, &mine, "");
        }
        for word in some.iter().take(12) {
            let word = encoded(word);
            send("GET", &format!("/find?q={word}"), &mine, "");
            send("GET", &format!("/people/{word}"), &mine, "");
            send(
                "GET",
                &format!("/people/{word}/timelines?_asof={word}"),
                &mine,
                "",
            );
            send(
                "POST",
                "/erasures",
                &[form, mine[0]],
                &format!("person={word}&citation={word}"),
            );
            send(
                "POST",
                "/policy/try",
                &[form, mine[0]],
                &format!("text={word}"),
            );
            send(
                "POST",
                "/users",
                &[form, mine[0]],
                &format!("name={word}&role={word}"),
            );
        }
    }
    for word in &some {
        let word = encoded(word);
        let fields = format!("name={word}&password={word}&one-time={word}&next=/{word}");
        send("POST", "/sign-in", &[form], &fields);
        send("POST", "/enrol", &[form], &format!("code={word}"));
    }
    assert!(asked > 1_000, "only {asked} requests");
    let said = served.said();
    assert!(said.contains("refused"), "the log says nothing of refusals");
    if let Some(word) = found(&said, &words) {
        let lines = said
            .lines()
            .filter(|line| line.to_lowercase().contains(word));
        panic!(
            "`{word}` is in the log:\n{}",
            lines.take(3).collect::<Vec<_>>().join("\n")
        );
    }
}

fn encoded(word: &str) -> String {
    word.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
