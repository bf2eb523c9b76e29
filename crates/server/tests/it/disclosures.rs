//! Every address of the server, asked once: what gives something out is on the access log before
//! it is given, and what gives nothing out is on a short list (`disclosures/nothing.txt`).

use std::collections::BTreeSet;
use std::path::Path;

use ledger::access::AccessLog;

use crate::people::Person;
use crate::served::{Folder, Served, homecoming_done, programme};

mod rows;

use rows::Who::{Caseworker, Client, Inspector, Nobody, Officer};
use rows::{ASKS, ROWS, Row, STEPS};

/// The sources that routes stand in.
const SOURCES: [&str; 5] = [
    include_str!("../../src/router.rs"),
    include_str!("../../src/oauth.rs"),
    include_str!("../../src/transparency.rs"),
    include_str!("../../src/metrics.rs"),
    include_str!("../../src/pages.rs"),
];

/// Where the pages' addresses have names.
const PATHS: &str = include_str!("../../src/web/path.rs");

const NOTHING: &str = include_str!("disclosures/nothing.txt");

/// The keys of a data directory, to read beside its server.
pub fn keys(data: &str) -> ledger::Keys {
    ledger::open_keys(Path::new(data), None).expect("the keys open")
}

/// Every method and route that the sources name.
pub fn routes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in SOURCES {
        for part in source.split(".route(").skip(1) {
            let mut depth = 1;
            let end = part
                .find(|c| {
                    depth += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    depth == 0
                })
                .expect("it ends");
            let (address, handlers) = part[..end].split_once(',').expect("a route has a handler");
            let address = match address.trim().strip_prefix("path::") {
                None => address.trim().trim_matches('"').to_owned(),
                Some(name) => {
                    let line = format!("pub const {name}: &str = \"");
                    let at = PATHS.find(&line).expect("the address has a name") + line.len();
                    PATHS[at..].split('"').next().expect("text").to_owned()
                }
            };
            let mut methods = 0;
            for method in ["get", "post", "put", "delete"] {
                let call = format!("{method}(");
                let begins = handlers.trim_start().starts_with(&call);
                if begins || handlers.contains(&format!(".{call}")) {
                    found.insert(format!("{} {address}", method.to_uppercase()));
                    methods += 1;
                }
            }
            assert!(
                methods > 0,
                "{address} is asked in a way that this test does not know"
            );
        }
    }
    found
}

#[test]
fn every_route_is_asked_and_either_recorded_or_listed() {
    let routes = routes();
    assert!(routes.len() > 30, "the routes are not found any more");
    let asked = |row: &&Row| row.method != "HEAD";
    let rows: BTreeSet<String> = ROWS
        .iter()
        .filter(asked)
        .map(|row| format!("{} {}", row.method, row.route))
        .collect();
    assert_eq!(
        rows, routes,
        "a route without a row, or a row without a route"
    );
    let recorded: BTreeSet<String> = ROWS
        .iter()
        .filter(|row| row.expected.is_some())
        .map(|row| format!("{} {}", row.method, row.route))
        .collect();
    let silent: Vec<&String> = rows.iter().filter(|row| !recorded.contains(*row)).collect();
    let listed: Vec<&str> = NOTHING.lines().collect();
    assert_eq!(silent, listed, "tests/it/disclosures/nothing.txt");
}

#[test]
fn what_is_given_out_is_on_the_log_before_it_is_given() {
    let folder = Folder::new("disclosures");
    let (data, token) = programme(&folder);
    let added = homecoming_done(&["user", "add", "Asker", "--data", &data, "--role", "officer"]);
    let code = added.lines().last().expect("a code").to_owned();
    let added = homecoming_done(&[
        "user",
        "add",
        "Carer",
        "--data",
        &data,
        "--role",
        "caseworker",
        "--practitioner",
        "w",
    ]);
    let carer_code = added.lines().last().expect("a code").to_owned();
    let words = [
        "user",
        "add",
        "Inspector",
        "--data",
        &data,
        "--role",
        "inspector",
    ];
    let added = homecoming_done(&words);
    let inspector_code = added.lines().last().expect("a code").to_owned();
    let words = [
        "user",
        "add",
        "Cover",
        "--data",
        &data,
        "--role",
        "caseworker",
    ];
    homecoming_done(&[&words[..], &["--practitioner", "w2"]].concat());
    let served = Served::start(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let officer = Person::enrol(&served, "Asker", &code).browser.cookies();
    let carer = Person::enrol(&served, "Carer", &carer_code)
        .browser
        .cookies();
    let inspector = Person::enrol(&served, "Inspector", &inspector_code)
        .browser
        .cookies();
    let now = server::clock::Clock::System.now().0;
    let day = |days: i64| server::web::when::iso_day(now + days * casework::DAY);
    let (from, to) = (day(-1), day(30));
    let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");

    let (mut made, mut observed) = (String::new(), String::new());
    for row in ROWS {
        let asks = format!("{ASKS}{}", served.url("/fhir"));
        let path = &row
            .path
            .replace("{made}", &made)
            .replace("{observed}", &observed)
            .replace("{app}", &asks);
        let before = log.size().expect("it reads");
        let mut request = ureq::http::Request::builder().method(row.method).uri(
            served.url(
                &path
                    .replace("?if-none-exist", "")
                    .replace("?not-modified", "")
                    .replace('|', "%7C"),
            ),
        );
        request = match row.who {
            Client => request.header("Authorization", format!("Bearer {token}")),
            Officer => request.header("Cookie", &officer),
            Caseworker => request.header("Cookie", &carer),
            Inspector => request.header("Cookie", &inspector),
            Nobody => request,
        };
        if path.ends_with("?if-none-exist") {
            request = request
                .header("If-None-Exist", "identifier=urn:t|1")
                .header("Prefer", "return=representation");
        }
        if path.ends_with("?not-modified") {
            request = request.header("If-None-Match", "W/\"2\"");
        }
        let is_form = !row.body.starts_with('{');
        let body = row.body.replace("{from}", &from).replace("{to}", &to);
        request = match (row.body.is_empty(), is_form) {
            (true, _) => request,
            _ if row.body.starts_with("--x") => {
                request.header("Content-Type", "multipart/form-data; boundary=x")
            }
            (_, true) => request.header("Content-Type", "application/x-www-form-urlencoded"),
            _ => request.header("Content-Type", "application/fhir+json"),
        };
        let name = format!("{} {}", row.method, path);
        let mut answer = match body.as_str() {
            "" => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body).expect("a request")),
        }
        .unwrap_or_else(|error| panic!("{name}: {error}"));
        let status = answer.status().as_u16();
        if let Some(at) = answer.headers().get("location") {
            let at = at.to_str().expect("text");
            made = at.rsplit('/').next().unwrap_or_default().to_owned();
        }
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        for link in ["href=\"/break-glass/", "action=\"/cover/"] {
            let found = text.split(link).nth(1);
            let found = found.and_then(|rest| rest.split(['/', '"']).next());
            made = found.map_or(made, str::to_owned);
        }
        assert_ne!(status, 500, "{name}: {text}");
        let now = log.size().expect("it reads");
        let Some((what, versions)) = row.expected else {
            assert_eq!(now, before, "{name} ({status}) is on the access log");
            let is_step = STEPS.iter().any(|steps| path.contains(steps));
            assert!(!is_step || status == 303, "{name}: {status} {text}");
            continue;
        };
        // A wrong password draws what is to be signed once more.
        let is_wrong = row.body.contains("password=x") && status == 403;
        assert!(status < 400 || is_wrong, "{name}: {status} {text}");
        assert_eq!(now, before + 1, "{name} is not on the access log just once");
        // Keys that were made since are read anew.
        let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");
        let one = log.leaf(before).expect("it reads").expect("it is there");
        assert_eq!(one.leaf.what.as_str(), what, "{name}");
        if versions != u64::MAX {
            assert_eq!(one.leaf.versions, versions, "{name}: {:?}", one.told);
        }
        let actor = match row.who {
            Client => "client/tests",
            Caseworker => "Practitioner/w",
            Inspector => "user/4",
            Officer | Nobody => "user/2",
        };
        assert_eq!(one.leaf.actor, actor, "{name}");
        let told = one.told.expect("nobody is erased");
        if let ("search", [position]) = (what, told.versions.as_slice()) {
            observed = position.to_string();
        }
        let asked = path.split('?').next().expect("a path");
        assert!(
            told.address.starts_with(asked.trim_end_matches("/_search")),
            "{name}: {}",
            told.address
        );
    }
}

/// What an error tells, and what finding nothing tells, is on the access log before it is told.
#[test]
fn what_a_refusal_tells_is_on_the_log_too() {
    let folder = Folder::new("telling");
    let (data, token) = programme(&folder);
    let words = [
        "user",
        "add",
        "Carer",
        "--data",
        &data,
        "--role",
        "caseworker",
    ];
    let added = homecoming_done(&[&words[..], &["--practitioner", "w"]].concat());
    let code = added.lines().last().expect("a code").to_owned();
    let served = Served::start(&data);
    let carer = Person::enrol(&served, "Carer", &code).browser.cookies();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");
    let ask = |method: &str, path: &str, version: &str, body: &str| {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(served.url(path).replace('|', "%7C"));
        request = match path.starts_with("/fhir") {
            true => request.header("Authorization", format!("Bearer {token}")),
            false => request.header("Cookie", &carer),
        };
        request = match path.starts_with("/fhir") {
            true => request.header("Content-Type", "application/fhir+json"),
            false => request.header("Content-Type", "application/x-www-form-urlencoded"),
        };
        if !version.is_empty() {
            request = request.header("If-Match", version);
        }
        let mut answer = match body {
            "" => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body.to_owned()).expect("a request")),
        }
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    };
    let coded = |kind: &str, id: &str, code: &str| {
        let id = match id {
            "" => String::new(),
            id => format!(r#""id":"{id}","#),
        };
        let status = match kind {
            "Observation" => r#""status":"final","#,
            _ => "",
        };
        format!(
            r#"{{"resourceType":"{kind}",{id}{status}"code":{{"coding":[{{"code":"{code}"}}]}},
            "subject":{{"reference":"Patient/p"}}}}"#
        )
    };
    for (path, body) in [
        (
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:t","value":"1"}],
            "generalPractitioner":[{"reference":"Practitioner/w"}]}"#
                .to_owned(),
        ),
        ("Condition/c", coded("Condition", "c", "X")),
        ("Observation/o", coded("Observation", "o", "two")),
        ("Observation/o2", coded("Observation", "o2", "two")),
        ("Observation/gone", coded("Observation", "gone", "gone")),
    ] {
        let (status, text) = ask("PUT", &format!("/fhir/{path}"), "", &body);
        assert_eq!(status, 201, "{text}");
    }
    assert_eq!(ask("DELETE", "/fhir/Observation/gone", "", "").0, 204);
    let before = log.size().expect("it reads");
    assert_eq!(ask("GET", "/fhir/Patient/p", "", "").0, 200);
    let persons = |leaf: u64| {
        let one = log.leaf(leaf).expect("it reads").expect("it is there");
        one.persons
    };
    let p = persons(before);
    assert_eq!(p.len(), 1);

    let condition = coded("Condition", "", "X");
    let observation = coded("Observation", "", "two");
    let entry = |code: &str, more: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[
            {{"resource":{{"resourceType":"Basic","code":{{"text":"{code}"}},
              "subject":{{"reference":"Patient?identifier=urn:t|1"}}}},"request":{{"method":"POST","url":"Basic"}}}}{more}]}}"#
        )
    };
    let wrong = r#",{"resource":{"resourceType":"Patient","gender":7},"request":{"method":"POST","url":"Patient"}}"#;
    let by = "/fhir/Condition?patient=p&code=";
    let stale = "W/\"999\"";
    for (method, path, version, body, expected) in [
        ("PUT", format!("{by}X"), stale, condition.clone(), 412),
        ("PUT", format!("{by}Y"), stale, condition.clone(), 412),
        (
            "PUT",
            "/fhir/Observation?patient=p&code=two".to_owned(),
            "",
            observation.clone(),
            412,
        ),
        (
            "PUT",
            "/fhir/Condition?subject=p&code=X".to_owned(),
            "",
            coded("Condition", "other", "X"),
            400,
        ),
        ("DELETE", format!("{by}Y"), "", String::new(), 204),
        ("POST", "/fhir".to_owned(), "", entry("a", wrong), 400),
        ("POST", "/fhir".to_owned(), "", entry("b", ""), 200),
        (
            "GET",
            "/fhir/Observation/gone".to_owned(),
            "",
            String::new(),
            410,
        ),
        (
            "DELETE",
            "/fhir/Condition/c".to_owned(),
            stale,
            String::new(),
            412,
        ),
        (
            "PUT",
            "/fhir/Condition/c".to_owned(),
            stale,
            coded("Condition", "c", "X"),
            412,
        ),
        (
            "GET",
            format!("{by}Y&_summary=count"),
            "",
            String::new(),
            200,
        ),
        (
            "GET",
            "/fhir/Condition?subject=p&code=Y&_summary=count".to_owned(),
            "",
            String::new(),
            200,
        ),
        (
            "GET",
            "/fhir/Condition?subject:Patient=p&code=Y".to_owned(),
            "",
            String::new(),
            200,
        ),
        (
            "GET",
            "/fhir/Coverage?beneficiary=p".to_owned(),
            "",
            String::new(),
            200,
        ),
        (
            "GET",
            "/fhir/Patient?_id=p&_summary=count".to_owned(),
            "",
            String::new(),
            200,
        ),
    ] {
        let before = log.size().expect("it reads");
        let (status, text) = ask(method, &path, version, &body);
        assert_eq!(status, expected, "{method} {path}: {text}");
        let now = log.size().expect("it reads");
        assert_eq!(
            now,
            before + 1,
            "{method} {path} is not on the log just once"
        );
        assert_eq!(persons(before), p, "{method} {path}");
    }
    // What tells of nobody is not on it.
    for (method, path, body, expected) in [
        ("GET", "/fhir/Observation/never", String::new(), 404),
        ("PUT", "/fhir/Condition/c", "{}".to_owned(), 400),
        ("GET", "/fhir/Observation?encounter=p", String::new(), 200),
    ] {
        let before = log.size().expect("it reads");
        let (status, text) = ask(method, path, "", &body);
        assert_eq!(status, expected, "{method} {path}: {text}");
        let now = log.size().expect("it reads");
        let told = (before..now).flat_map(persons).count();
        assert_eq!(told, 0, "{method} {path}");
    }

    // A wrong password draws the page with what is to be signed.
    let (_, receipt) = ask("GET", "/fhir/Condition/c/$receipt", "", "");
    let line = receipt.lines().find_map(|line| line.strip_prefix("index "));
    let path = format!("/entries/{}/sign", line.expect("a position"));
    let before = log.size().expect("it reads");
    let form = "meaning=reviewed&password=not+this+one&code=000000";
    let (status, text) = ask("POST", &path, "", form);
    assert_eq!(status, 403, "{text}");
    assert_eq!(log.size().expect("it reads"), before + 1, "{text}");
    assert_eq!(persons(before), p);
}

/// Everything that an officer is shown can be drawn again, and is just what the log lists.
#[test]
fn what_was_seen_is_drawn_again_as_it_was() {
    let folder = Folder::new("seen");
    let data = folder.join("demo");
    let served = Served::demo(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let sign_in = |code: &str| {
        let answer = agent
            .post(served.url("/sign-in"))
            .send_form([("code", code)])
            .expect("the server answers");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().unwrap_or_default().to_owned()
    };
    let get = |cookie: &str, path: &str| {
        let mut answer = agent
            .get(served.url(path))
            .header("Cookie", cookie)
            .call()
            .expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("a page is text");
        (answer.status().as_u16(), text)
    };
    let main = |page: &str| {
        let at = page
            .find("<div class=\"columns\">")
            .or_else(|| page.find("<main"))
            .expect("a page");
        page[at..].to_owned()
    };
    let caseworker = sign_in("demo-caseworker-1");
    let supervisor = sign_in("demo-supervisor");
    let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");
    let (_, caseload) = get(&caseworker, "/caseload");
    let at = caseload.find("href=\"/people/").expect("a person") + 6;
    let person = caseload[at..]
        .split(['"', '?'])
        .next()
        .expect("a link")
        .to_owned();
    let (_, page) = get(&caseworker, &person);
    let at = page.find("href=\"/entries/").expect("an entry") + 6;
    let entry = page[at..]
        .split(['"', '?'])
        .next()
        .expect("a link")
        .to_owned();
    for path in [
        "/caseload".to_owned(),
        "/caseload?_asof=2026-06-01".to_owned(),
        "/find?q=a".to_owned(),
        "/record".to_owned(),
        person.clone(),
        format!("{person}?_asof=2026-09-01"),
        format!("{person}/timelines"),
        format!("{person}/timelines?_asof=2026-09-15"),
        format!("{person}/access"),
        entry.clone(),
    ] {
        let leaf = log.size().expect("it reads");
        let (status, before) = get(&caseworker, &path);
        assert_eq!(status, 200, "{path}");
        let (status, _) = get(&caseworker, &format!("/access/{leaf}/seen"));
        assert_eq!(
            status, 403,
            "{path}: a caseworker may not see what others saw"
        );
        let (status, again) = get(&supervisor, &format!("/access/{leaf}/seen"));
        assert_eq!(status, 200, "{path}: {again}");
        assert!(
            again.contains("<body class=\"then\">"),
            "{path}: it could be mistaken for now"
        );
        assert!(again.contains("Shown again: "), "{path}");
        assert!(
            !again.contains("What is drawn here gives out other"),
            "{path}: it is drawn differently"
        );
        if path == entry {
            // Nothing in it depends on the frame but links: the words are the same.
            let words = |page: &str| {
                let text = main(page);
                let mut out = String::new();
                let mut inside = false;
                for c in text.split("<footer").next().expect("a page").chars() {
                    match c {
                        '<' => inside = true,
                        '>' => inside = false,
                        c if !inside => out.push(c),
                        _ => {}
                    }
                }
                out
            };
            // What one may do is offered to whoever looks; what was seen is not that.
            let seen = |page: &str| words(page).replace("Say that this is wrong", "");
            assert_eq!(seen(&before), seen(&again));
        }
    }
}
