//! HTTP scripts that a FHIR person can read, run against the router over a real programme.
//!
//! Each file of `scripts/` is a programme of its own and runs from top to bottom:
//!
//! ```text
//! ### What is shown            a title; everything until the next one is one exchange
//! @clock 2026-03-01T08:00:00Z  the programme's clock, where it stands until it is moved
//! @token reader                who asks: all (the default), reader, observer, writer, none, or whoever a
//!                              person's app asks for: hers, his, supervisor, herself, officer...
//! POST /fhir/Patient           the request: its line, its headers, its body
//! Content-Type: application/fhir+json
//!
//! {"resourceType":"Patient"}
//! => 201                       the status; below it headers, and below a blank line the body
//! Location: {{base}}/Patient/{{id}}/_history/1
//!
//! "birthDate":"1980-01-01"     must occur in the body
//! ! "deceased"                 must not occur
//! = {"whole":"body"}           is the whole body
//! ```
//!
//! `{{name}}` stands for what it was at its first use, which may be anything without a quotation
//! mark, a comma or white space; `{{*}}` is anything of the kind, `{{base}}` the server's `/fhir`.
//! A header `Name: -` must be missing. `X-Fill: N` is not sent: it makes `{{fill}}` N letters.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use policy::{Kind, Role};
use record::time::RecordedAt;
use server::chance::Chance;
use server::clock::Clock;
use server::fhir::scope::{Door, Grant, Scopes};
use server::fhir::{Api, Settings};
use server::permit::Who;
use server::programme::{self, About, Actor, Programme};
use sha2::{Digest, Sha256};

use crate::served::Folder;

/// Tokens and their scopes.
const TOKENS: [(&str, &str); 12] = [
    ("all", "system/*.cruds"),
    ("reader", "system/*.rs"),
    ("observer", "system/Observation.cruds system/Patient.r"),
    ("writer", "system/Observation.cu"),
    ("sparing", "system/*.cruds"),
    ("hers", "system/*.cruds"),
    ("his", "system/*.cruds"),
    ("supervisor", "system/*.cruds"),
    ("herself", "system/*.cruds"),
    ("evaluator", "system/*.cruds"),
    ("officer", "system/*.cruds"),
    ("administrator", "system/*.cruds"),
];

/// Who asks with a token: a program, or somebody by an app of theirs.
fn who(token: &str) -> Who {
    let name = |name: &str| vec![name.to_owned()];
    let person = |role, own: &str| Who {
        role,
        name: own.to_owned(),
        names: name(own),
        registered: Vec::new(),
        ..Who::program("", Vec::new())
    };
    match token {
        "sparing" => {
            let sensitive = [Kind::Notes, Kind::Sud, Kind::Restricted];
            let mut kinds = Kind::ALL.to_vec();
            kinds.retain(|kind| !sensitive.contains(kind));
            Who::program("client/sparing", kinds)
        }
        "hers" => person(Role::Caseworker, "Practitioner/w1"),
        "his" => person(Role::Caseworker, "Practitioner/w2"),
        "supervisor" => Who {
            staff: name("Practitioner/w1"),
            ..person(Role::Supervisor, "Practitioner/s1")
        },
        "herself" => Who {
            patient: Some("a".to_owned()),
            ..person(Role::Participant, "Patient/a")
        },
        "evaluator" => person(Role::Evaluator, "Practitioner/e1"),
        "officer" => person(Role::Officer, "user/9"),
        "administrator" => person(Role::Administrator, "user/8"),
        _ => Who::program("client/tests", Kind::ALL.to_vec()),
    }
}

/// Serves a new programme in this process.
pub struct Server {
    pub address: SocketAddr,
    clock: Clock,
    _runtime: tokio::runtime::Runtime,
    _folder: Folder,
}

impl Server {
    pub fn start(name: &str) -> Server {
        let folder = Folder::new(name);
        let at = RecordedAt::parse("2026-03-01T08:00:00Z").expect("an instant");
        let clock = Clock::standing_at(at.0);
        let chance = Chance::seeded(7);
        let data = folder.path().join("data");
        let about = About {
            name: "Scripts".to_owned(),
            demo: Vec::new(),
            erasure_delay_days: None,
            complaints: None,
        };
        let keys = programme::create(&data, &about, None, &chance).expect("a new programme");
        let on_fatal = Box::new(|why: &dyn std::fmt::Display| panic!("{why}"));
        let programme =
            Programme::open(&data, keys, clock.clone(), chance, &mut |_, _| {}, on_fatal)
                .expect("it opens");
        let known: HashMap<[u8; 32], (&str, &str)> = TOKENS
            .into_iter()
            .map(|(token, scopes)| (Sha256::digest(token).into(), (token, scopes)))
            .collect();
        let door = Door::new(Box::new(move |hash| {
            Ok(known.get(hash).map(|(token, scopes)| {
                let who = who(token);
                let purpose = who.role.usual_purpose();
                let actor = Actor {
                    name: who.name.clone(),
                    purpose: purpose.code().to_owned(),
                };
                let scopes = Scopes::parse(scopes).expect("scopes");
                Grant::of_client(actor, scopes, who, purpose)
            }))
        }));
        let settings = Settings {
            resource_bytes_max: 64 << 10,
            ..Settings::default()
        };
        let api = Api::new(programme, door, clock.clone(), settings);
        let router = server::router::router(api, axum::Router::new(), |_| {
            axum::response::Response::default()
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        runtime.spawn(async move { axum::serve(listener, router).await });
        Server {
            address,
            clock,
            _runtime: runtime,
            _folder: folder,
        }
    }
}

/// What came back.
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// The first header of that (lower-case) name, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(seen, _)| seen == name)
            .map_or("", |(_, value)| value)
    }
}

/// Sends a whole request on a connection of its own.
pub fn send(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream
        .write_all(request.as_bytes())
        .expect("the request is sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer comes");
    let text = String::from_utf8(bytes).expect("the answer is UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("the answer has a head");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("a status line");
    Reply {
        status: status.parse().expect("a status"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// What names in a script stand for.
type Names = HashMap<String, String>;

/// Replaces the names that are known.
fn fill(text: &str, names: &Names) -> String {
    let mut out = text.to_owned();
    for (name, value) in names {
        out = out.replace(&format!("{{{{{name}}}}}"), value);
    }
    out
}

/// Matches `text` against a pattern from its beginning; gives what is left, and what was caught.
fn matched<'t>(text: &'t str, pattern: &str) -> Option<(&'t str, Vec<(String, String)>)> {
    let Some((before, rest)) = pattern.split_once("{{") else {
        return text.strip_prefix(pattern).map(|left| (left, Vec::new()));
    };
    let text = text.strip_prefix(before)?;
    let (name, after) = rest.split_once("}}")?;
    let end = text
        .find(|c: char| c == '"' || c == ',' || c.is_whitespace())
        .unwrap_or(text.len());
    // The longest that lets the rest match.
    (1..=end)
        .rev()
        .filter(|end| text.is_char_boundary(*end))
        .find_map(|end| {
            let (left, mut caught) = matched(&text[end..], after)?;
            if name != "*" {
                caught.push((name.to_owned(), text[..end].to_owned()));
            }
            Some((left, caught))
        })
}

/// Whether the pattern occurs; remembers what it caught.
fn occurs(text: &str, pattern: &str, names: &mut Names) -> bool {
    let pattern = fill(pattern, names);
    let first = pattern.split("{{").next().unwrap_or("");
    let starts: Vec<usize> = if first.is_empty() {
        (0..text.len())
            .filter(|at| text.is_char_boundary(*at))
            .collect()
    } else {
        text.match_indices(first).map(|(at, _)| at).collect()
    };
    for at in starts {
        if let Some((_, caught)) = matched(&text[at..], &pattern) {
            names.extend(caught);
            return true;
        }
    }
    false
}

fn is_whole(text: &str, pattern: &str, names: &mut Names) -> bool {
    let pattern = fill(pattern, names);
    match matched(text, &pattern) {
        Some(("", caught)) => {
            names.extend(caught);
            true
        }
        _ => false,
    }
}

/// Runs one exchange; `place` is for whoever reads a failure.
fn exchange(server: &Server, names: &mut Names, place: &str, text: &str) {
    let mut token = "all";
    let mut lines = text.lines().skip_while(|line| line.is_empty()).peekable();
    while let Some(line) = lines.next_if(|line| line.starts_with('@')) {
        match line.split_once(' ') {
            Some(("@clock", at)) => {
                let at = RecordedAt::parse(at).unwrap_or_else(|| panic!("{place}: {at}"));
                server.clock.set(at.0);
            }
            Some(("@token", who)) => token = who,
            _ => panic!("{place}: {line} is not known"),
        }
    }
    let Some(first) = lines.next() else { return };
    let mut head = format!("{} HTTP/1.1\r\n", fill(first, names));
    let mut body = String::new();
    let mut in_body = false;
    let mut status = None;
    for line in lines.by_ref() {
        if let Some(code) = line.strip_prefix("=> ") {
            status = Some(
                code.trim()
                    .parse::<u16>()
                    .unwrap_or_else(|_| panic!("{place}: {line}")),
            );
            break;
        }
        if in_body {
            body.push_str(line);
            body.push('\n');
        } else if line.is_empty() {
            in_body = true;
        } else if let Some(count) = line.strip_prefix("X-Fill: ") {
            let count = count.parse().unwrap_or_else(|_| panic!("{place}: {line}"));
            names.insert("fill".to_owned(), "x".repeat(count));
        } else {
            head.push_str(&fill(line, names));
            head.push_str("\r\n");
        }
    }
    let status = status.unwrap_or_else(|| panic!("{place}: no status is expected"));
    let body = fill(body.trim_end(), names);
    if token != "none" {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if !body.is_empty() || first.starts_with('P') {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let request = format!(
        "{head}Host: {}\r\nConnection: close\r\n\r\n{body}",
        server.address
    );
    let reply = send(server.address, &request);
    let shown = || {
        let headers: Vec<String> = reply
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!(
            "{place}\n{first}\n=> {}\n{}\n\n{}",
            reply.status,
            headers.join("\n"),
            reply.body
        )
    };
    assert_eq!(reply.status, status, "{}", shown());
    let mut in_body = false;
    for line in lines {
        if line.is_empty() {
            in_body = true;
        } else if in_body {
            let holds = match (line.strip_prefix("! "), line.strip_prefix("= ")) {
                (Some(absent), _) => !occurs(&reply.body, absent, &mut names.clone()),
                (_, Some(whole)) => is_whole(reply.body.trim_end(), whole, names),
                _ => occurs(&reply.body, line, names),
            };
            assert!(
                holds,
                "the body does not hold: {}\n{}",
                fill(line, names),
                shown()
            );
        } else {
            let (name, wanted) = line
                .split_once(": ")
                .unwrap_or_else(|| panic!("{place}: {line}"));
            let name = name.to_ascii_lowercase();
            let mut values = reply.headers.iter().filter(|(seen, _)| *seen == name);
            let holds = match wanted {
                "-" => values.next().is_none(),
                _ => values.any(|(_, value)| is_whole(value, wanted, names)),
            };
            assert!(
                holds,
                "the header does not hold: {}\n{}",
                fill(line, names),
                shown()
            );
        }
    }
    assert!(
        reply.headers.iter().any(|(name, _)| name == "x-request-id"),
        "every answer has a request id\n{}",
        shown()
    );
}

fn run(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/scripts")
        .join(name);
    let text = std::fs::read_to_string(&path).expect("the script can be read");
    let server = Server::start(name);
    let mut names = Names::new();
    names.insert("base".to_owned(), format!("http://{}/fhir", server.address));
    for part in text.split("\n### ").skip(1) {
        let (title, rest) = part.split_once('\n').unwrap_or((part, ""));
        exchange(&server, &mut names, &format!("{name}: {title}"), rest);
    }
}

macro_rules! scripts {
    ($($test:ident $file:literal,)*) => {
        $(#[test] fn $test() { run($file); })*

        #[test]
        fn every_script_is_run() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scripts");
            let mut seen: Vec<String> = std::fs::read_dir(folder)
                .expect("the scripts are there")
                .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
                .collect();
            seen.sort();
            assert_eq!(seen, [$($file),*]);
        }
    };
}

scripts! {
    nothing_is_open_by_default "access.http",
    the_past_can_be_read "as-of.http",
    what_is_read_is_on_the_access_log "audit-events.http",
    a_batch_is_its_entries "batch.http",
    the_statement_says_what_works "capabilities.http",
    conditions_are_searches "conditional.http",
    what_is_not_for_somebody_is_not_there "permits.http",
    a_promise_is_given_for_what_is_handed_in "promise.http",
    a_write_is_answered_with_its_receipt "receipts.http",
    bad_input_is_refused_with_its_place "refusals.http",
    resources_are_written_and_read "resources.http",
    resources_are_found "search.http",
    a_transaction_is_all_or_nothing "transaction.http",
}
