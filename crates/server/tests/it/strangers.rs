//! Requests that nobody would send, with every role's session and with tokens of programs and of apps that people of
//! each role allowed everything, over every route: none of them is a fault of the server, none takes long, and none tells of a person whom the one who asks may not know.
//!
//! A run is a seed and a number of requests; how many were sent, and what came, is printed; the same seed sends the same.
//! `HOMECOMING_STRANGERS=100000` sends more than the few of every run, `HOMECOMING_STRANGERS_SEED` others.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use server::clock::Stopwatch;

use crate::disclosures::routes;
use crate::hardening::raw;
use crate::served::{Folder, Served, get, homecoming_done};
use crate::smart::apps::{register, sign_in, through};

mod chance;
mod request;

use chance::Dice;
use request::{Known, request};

/// How many requests a run has unless it is told.
const REQUESTS: u64 = 3_000;

/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Who asks, and with what.
pub struct Stranger {
    name: &'static str,
    code: Option<&'static str>,
    /// The app that acts for them; nothing if they ask themselves.
    app: Option<&'static str>,
    header: String,
    /// Whom they may know: nobody, or those of whom this says something.
    may_know: MayKnow,
}

/// Whose names may be in an answer.
#[derive(Clone, Copy, PartialEq)]
enum MayKnow {
    /// Nobody's.
    Nobody,
    /// Those of whoever has this code.
    Themself,
    /// What they may know is the policy's to say, and tested elsewhere.
    Some,
}

const PEOPLE: [(&str, &str, MayKnow); 10] = [
    ("caseworker", "demo-caseworker-1", MayKnow::Some),
    ("prescriber", "demo-prescriber", MayKnow::Some),
    ("supervisor", "demo-supervisor", MayKnow::Some),
    ("officer", "demo-officer-1", MayKnow::Some),
    ("inspector", "demo-inspector", MayKnow::Some),
    ("evaluator", "demo-evaluator", MayKnow::Some),
    ("participant", "demo-participant-1", MayKnow::Themself),
    ("sponsor", "demo-sponsor", MayKnow::Nobody),
    ("administrator", "demo-administrator", MayKnow::Nobody),
    ("nobody", "", MayKnow::Nobody),
];

/// Apps, for whom they act, and what for: inspectors and evaluators read for what no app is for.
const APPS: [(&str, &str, &str, &str, MayKnow); 7] = [
    (
        "app-a",
        "TREAT",
        "caseworker's app",
        "demo-caseworker-2",
        MayKnow::Some,
    ),
    (
        "app-b",
        "TREAT",
        "prescriber's app",
        "demo-prescriber",
        MayKnow::Some,
    ),
    (
        "app-c",
        "HOPERAT",
        "supervisor's app",
        "demo-supervisor",
        MayKnow::Some,
    ),
    (
        "app-d",
        "HOPERAT",
        "officer's app",
        "demo-officer-2",
        MayKnow::Some,
    ),
    (
        "app-e",
        "PATRQT",
        "participant's app",
        "demo-participant-1",
        MayKnow::Themself,
    ),
    (
        "app-f",
        "HOPERAT",
        "sponsor's app",
        "demo-sponsor",
        MayKnow::Nobody,
    ),
    (
        "app-g",
        "HSYSADMIN",
        "administrator's app",
        "demo-administrator",
        MayKnow::Nobody,
    ),
];

/// What each app asks for.
const APP_SCOPE: &str = "user/*.cruds openid fhirUser";

const CLIENTS: [(&str, &str, MayKnow); 3] = [
    ("writer", "system/*.cruds log.read", MayKnow::Some),
    ("questionnaires", "system/Questionnaire.rs", MayKnow::Nobody),
    ("mirror", "log.read", MayKnow::Nobody),
];

/// What tells a person: their whole name, either way round, and their numbers.
fn canaries(patient: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    for name in patient["name"].as_array().into_iter().flatten() {
        let family = name["family"].as_str().unwrap_or_default();
        let given = name["given"][0].as_str().unwrap_or_default();
        if !family.is_empty() && !given.is_empty() {
            found.push(format!("{family}, {given}"));
            found.push(format!("{given} {family}"));
        }
    }
    for identifier in patient["identifier"].as_array().into_iter().flatten() {
        found.extend(identifier["value"].as_str().map(str::to_owned));
    }
    found
}

#[test]
fn no_request_is_a_fault_or_tells_what_it_should_not() {
    let number = |name: &str, usual: u64| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let requests = number("HOMECOMING_STRANGERS", REQUESTS);
    let seed = number("HOMECOMING_STRANGERS_SEED", 20_261_128);
    let folder = Folder::new("strangers");
    let data = folder.join("demo");
    let served = Served::demo(&data);
    let mut strangers = Vec::new();
    for (name, scope, may_know) in CLIENTS {
        let mut words = vec!["client", "add", name, "--data", &data, "--scope", scope];
        words.extend(["--sees", "notes,sud,restricted", "--part-of-programme"]);
        homecoming_done(&words);
        let token = homecoming_done(&["token", "--data", &data, "--client", name]);
        strangers.push(Stranger {
            name,
            code: None,
            app: None,
            header: format!("Authorization: Bearer {}\r\n", token.trim()),
            may_know,
        });
    }
    let writer = strangers[0].header["Authorization: Bearer ".len()..]
        .trim()
        .to_owned();
    for (name, code, may_know) in PEOPLE {
        strangers.push(Stranger {
            name,
            code: Some(code).filter(|code| !code.is_empty()),
            app: None,
            header: String::new(),
            may_know,
        });
    }
    for (app, purpose, name, code, may_know) in APPS {
        register(&served, &data, app, APP_SCOPE, &["--purpose", purpose]);
        let token = token(&served, code, app);
        strangers.push(Stranger {
            name,
            code: Some(code),
            app: Some(app),
            header: token.unwrap_or_else(|why| panic!("{name}: {why}")),
            may_know,
        });
    }
    let (_, body) = get(&served.url("/fhir/Patient?_count=500"), Some(&writer));
    let found: serde_json::Value = serde_json::from_str(&body).expect("a bundle");
    let patients: Vec<&serde_json::Value> = found["entry"]
        .as_array()
        .expect("people")
        .iter()
        .map(|entry| &entry["resource"])
        .collect();
    let known = Known::new(
        routes(),
        patients
            .iter()
            .filter_map(|patient| patient["id"].as_str().map(str::to_owned))
            .collect(),
    );
    let own = own_name(&data, "demo-participant-1");
    // Whom one may sign in as stands on a demo's sign-in page, for everybody.
    let open = demo_names(&data);
    let everybody: Vec<(String, bool)> = patients
        .iter()
        .flat_map(|patient| {
            let all = canaries(patient);
            let is_own = all.contains(&own);
            all.into_iter().map(move |one| (one, is_own))
        })
        .filter(|(one, _)| !open.contains(one))
        .collect();
    let mut dice = Dice::new(seed);
    let (mut slowest, mut statuses) = (Duration::ZERO, BTreeMap::new());
    // How many each sent, and how many of them the API let in.
    let mut sent: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for at in 0..requests {
        if at % 400 == 0 {
            for stranger in &mut strangers {
                match (stranger.code, stranger.app) {
                    (Some(code), None) => {
                        stranger.header = format!("Cookie: {}\r\n", sign_in(&served, code));
                    }
                    // Another stranger may have ended the app by then, as the officer may.
                    (Some(code), Some(app)) => {
                        if let Ok(header) = token(&served, code, app) {
                            stranger.header = header;
                        }
                    }
                    (None, _) => {}
                }
            }
        }
        let stranger = &strangers[dice.below(strangers.len())];
        let bytes = request(&mut dice, &known, &stranger.header, served.address);
        let watch = Stopwatch::start();
        let answer = raw(served.address, &bytes);
        let took = watch.elapsed();
        slowest = slowest.max(took);
        *statuses.entry(answer.status).or_insert(0u64) += 1;
        let of = sent.entry(stranger.name).or_default();
        of.0 += 1;
        of.1 += u64::from(is_for_api(&bytes) && !matches!(answer.status, 401 | 429));
        let said = || {
            format!(
                "seed {seed}, request {at}, {}:\n{}\n=> {}",
                stranger.name,
                String::from_utf8_lossy(&bytes)
                    .chars()
                    .take(1_500)
                    .collect::<String>(),
                answer.text.chars().take(1_500).collect::<String>()
            )
        };
        assert!(answer.status < 500, "a fault: {}", said());
        assert!(took < ANSWER_MAX, "{} s: {}", took.as_secs_f32(), said());
        let leaked = everybody.iter().find(|(canary, is_own)| {
            let allowed = match stranger.may_know {
                MayKnow::Some => true,
                MayKnow::Themself => *is_own,
                MayKnow::Nobody => false,
            };
            !allowed && answer.text.contains(canary.as_str()) && !contains(&bytes, canary)
        });
        assert!(leaked.is_none(), "it tells of {leaked:?}: {}", said());
    }
    // Past what the test's own runner keeps for itself.
    let _ = writeln!(
        std::io::stderr(),
        "seed {seed}: {requests} requests, slowest {slowest:?}, {statuses:?}; sent, and let in by the API: {sent:?}"
    );
    for (_, _, name, ..) in APPS {
        let (sent, let_in) = sent.get(name).copied().unwrap_or_default();
        let enough = requests < REQUESTS || let_in > 0;
        assert!(enough, "{name}: {sent} requests, none was let in");
    }
    let (status, _) = get(&served.url("/fhir/Patient?_count=1"), Some(&writer));
    assert_eq!(status, 200, "the server is there afterwards");
}

/// What an app sends that somebody allowed everything, with a new sign-in.
fn token(served: &Served, code: &str, app: &str) -> Result<String, String> {
    let said = through(served, &sign_in(served, code), app, APP_SCOPE, "")?;
    let token = said["access_token"].as_str().unwrap_or_default();
    Ok(format!("Authorization: Bearer {token}\r\n"))
}

/// Whether a request is for what of the API needs a token.
fn is_for_api(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next();
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let address = line.split(' ').nth(1).unwrap_or_default();
    let is_open = ["/fhir/metadata", "/fhir/.well-known"];
    address.starts_with("/fhir/") && !is_open.iter().any(|open| address.starts_with(open))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// Everybody whom a demo lets one sign in as: code and name.
fn demo_people(data: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(format!("{data}/programme.json")).expect("it is there");
    let about: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let part = |person: &serde_json::Value, name: &str| {
        person[name].as_str().unwrap_or_default().to_owned()
    };
    about["demo"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|person| (part(person, "code"), part(person, "name")))
        .collect()
}

fn demo_names(data: &str) -> Vec<String> {
    demo_people(data)
        .into_iter()
        .map(|(_, name)| name)
        .collect()
}

/// The name of whoever has a code in a demo.
fn own_name(data: &str, code: &str) -> String {
    let people = demo_people(data);
    let found = people.into_iter().find(|(known, _)| known == code);
    found.map(|(_, name)| name).unwrap_or_default()
}
