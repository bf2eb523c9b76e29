//! One request of a stranger: a route that is there, filled with what fits, what nearly fits, and what does not.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::chance::Dice;

/// What a stranger knows of the server.
pub struct Known {
    routes: Vec<(String, String)>,
    people: Vec<String>,
}

impl Known {
    /// Routes as `GET /people/{id}`, and ids of people.
    pub fn new(routes: BTreeSet<String>, people: Vec<String>) -> Known {
        let split = |route: String| {
            let (method, address) = route.split_once(' ')?;
            // Whoever signs out asks for nothing more.
            (address != "/sign-out").then(|| (method.to_owned(), address.to_owned()))
        };
        Known {
            routes: routes.into_iter().filter_map(split).collect(),
            people,
        }
    }
}

const KINDS: [&str; 16] = [
    "Patient",
    "Observation",
    "Encounter",
    "Task",
    "Basic",
    "Consent",
    "AuditEvent",
    "Communication",
    "Practitioner",
    "CarePlan",
    "QuestionnaireResponse",
    "DocumentReference",
    "Bundle",
    "CodeSystem",
    "patient",
    "Nothing",
];

/// Values that have been somebody's fault somewhere.
const NASTY: [&str; 38] = [
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "9223372036854775807",
    "null",
    "true",
    "'",
    "\"",
    "' OR 1=1 --",
    "../../keys/log.key",
    "..%2f..%2f",
    "%00",
    "%ff",
    "%",
    "%E2%80%AE",
    "%F0%9F%92%A3",
    "a%0d%0aX-Evil:%20y",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "$(id)",
    "|",
    "a|b|c",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "Patient/",
    "Patient//_history/",
    "http://169.254.169.254/",
    "gt2020",
    "ge2020-13-45",
    "2020-02-30T25:61:61Z",
    "size:18446744073709551615",
    "size:-1",
    "9999-12-31T23:59:59Z",
    "0001-01-01",
    "_history",
    "$everything",
];

const PARAMETERS: [&str; 40] = [
    "_id",
    "_lastUpdated",
    "_count",
    "_sort",
    "_include",
    "_revinclude",
    "_summary",
    "_elements",
    "_total",
    "_asof",
    "_format",
    "_pretty",
    "_cursor",
    "_has:Observation:patient:code",
    "_include:iterate",
    "patient",
    "subject",
    "code",
    "date",
    "name",
    "identifier",
    "status",
    "birthdate",
    "value-quantity",
    "q",
    "page",
    "next",
    "at",
    "from",
    "until",
    "person",
    "role",
    "stage",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "grant_type",
    "code_challenge",
    "name:exact",
];

const HEADERS: [&str; 16] = [
    "Accept: application/fhir+xml",
    "Accept: */*;q=0",
    "Accept-Datetime: Thu, 31 May 2026 20:35:00 GMT",
    "Accept-Datetime: never",
    "If-Match: W/\"1\"",
    "If-Match: *",
    "If-None-Match: W/\"99999999999999999999\"",
    "If-None-Exist: identifier=a|b",
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
    "Prefer: return=OperationOutcome; handling=strict",
    "Prefer: respond-async",
    "X-Forwarded-For: 203.0.113.5",
    "Purpose-Of-Use: TREAT",
    "Purpose-Of-Use: nonsense",
    "Origin: https://evil.example",
    "Range: bytes=0-5",
];

/// The bytes of one request.
pub fn request(dice: &mut Dice, known: &Known, header: &str, address: SocketAddr) -> Vec<u8> {
    let (method, route) = &known.routes[dice.below(known.routes.len())];
    let method = match dice.below(12) {
        0 => dice.one_of(&[
            "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE",
        ]),
        _ => method.as_str(),
    };
    let mut target = fill(dice, known, route);
    let mut sign = '?';
    for _ in 0..dice.below(4) {
        let name = dice.one_of(&PARAMETERS);
        let value = value(dice, known);
        target.push_str(&format!("{sign}{name}={}", visible(&value)));
        sign = '&';
    }
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if !dice.once_in(10) {
        head.push_str(header);
    }
    for _ in 0..dice.below(3) {
        head.push_str(dice.one_of(&HEADERS));
        head.push_str("\r\n");
    }
    let body = match method {
        "POST" | "PUT" | "PATCH" => body(dice, known, route),
        _ => Vec::new(),
    };
    let is_form = !route.starts_with("/fhir") || route.ends_with("/_search");
    let media = match (is_form, dice.once_in(12)) {
        (_, true) => dice.one_of(&[
            "text/plain",
            "application/xml",
            "multipart/form-data",
            ";;",
            "application/json-patch+json",
        ]),
        (true, _) => "application/x-www-form-urlencoded",
        (false, _) => "application/fhir+json",
    };
    head.push_str(&format!(
        "Content-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    [head.into_bytes(), body].concat()
}

/// What a request line can hold; the rest is what `hardening` sends.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' ' => "%20".to_owned(),
            '#' => "%23".to_owned(),
            c if c.is_ascii_graphic() => c.to_string(),
            c => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes)
                    .bytes()
                    .map(|byte| format!("%{byte:02X}"))
                    .collect()
            }
        })
        .collect()
}

fn fill(dice: &mut Dice, known: &Known, route: &str) -> String {
    let mut out = String::new();
    for part in route.split('{') {
        let Some((name, rest)) = part.split_once('}') else {
            out.push_str(part);
            continue;
        };
        let filled = match (name, dice.once_in(6)) {
            (_, true) => visible(dice.one_of(&NASTY)).replace(['?', '&'], ""),
            ("kind", _) => dice.one_of(&KINDS).to_owned(),
            ("id", _) => dice.pick(&known.people).to_owned(),
            ("version" | "grant", _) => dice.below(4).to_string(),
            ("position", _) => dice.below(4_000).to_string(),
            ("name", _) => dice
                .one_of(&["homecoming.css", "chart", "mine", "new"])
                .to_owned(),
            ("step", _) => dice
                .one_of(&[
                    "approve", "tell", "hold", "release", "refuse", "withdraw", "enable", "secret",
                ])
                .to_owned(),
            ("slug", _) => "harbour-street".to_owned(),
            _ => dice
                .one_of(&[
                    "checkpoint",
                    "key",
                    "tile/0/000",
                    "tile/entries/000.p/3",
                    "access/key",
                ])
                .to_owned(),
        };
        out.push_str(&filled);
        out.push_str(rest);
    }
    out
}

fn value(dice: &mut Dice, known: &Known) -> String {
    match dice.below(5) {
        0 => dice.pick(&known.people).to_owned(),
        1 => format!("Patient/{}", dice.pick(&known.people)),
        2 => dice.one_of(&KINDS).to_owned(),
        3 => dice.below(1_000).to_string(),
        _ => dice.one_of(&NASTY).to_owned(),
    }
}

/// A body that is right, or was before something happened to it.
fn body(dice: &mut Dice, known: &Known, route: &str) -> Vec<u8> {
    let person = dice.pick(&known.people).to_owned();
    let text = if route.starts_with("/fhir") && !route.ends_with("/_search") {
        match dice.below(6) {
            0 => format!(r#"{{"resourceType":"Patient","id":"{person}","name":[{{"family":"X"}}]}}"#),
            1 => format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{person}"}},"valueQuantity":{{"value":1.50}}}}"#),
            2 => format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{{"request":{{"method":"GET","url":"Observation?patient={person}"}}}},{{"request":{{"method":"DELETE","url":"Basic?_id=x"}}}}]}}"#),
            3 => format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"fullUrl":"urn:uuid:1","resource":{{"resourceType":"Basic","code":{{"text":"x"}},"subject":{{"reference":"Patient/{person}"}}}},"request":{{"method":"POST","url":"Basic","ifNoneExist":"_id=x"}}}}]}}"#),
            4 => format!(r#"{{"resourceType":"Consent","status":"active","scope":{{"text":"x"}},"category":[{{"text":"x"}}],"policyRule":{{"text":"x"}},"patient":{{"reference":"Patient/{person}"}}}}"#),
            _ => r#"{"resourceType":"Basic","code":{"coding":[{"system":"urn:homecoming:governance","code":"client"}]}}"#.to_owned(),
        }
    } else {
        let mut form = Vec::new();
        for _ in 0..dice.below(6) {
            let name = dice.one_of(&PARAMETERS).to_owned();
            let value = value(dice, known);
            form.push(format!("{name}={}", visible(&value)));
        }
        form.push(format!("person={person}&why=because&decision=allow&keep=x"));
        form.join("&")
    };
    let mut bytes = text.into_bytes();
    if dice.once_in(2) {
        for _ in 0..=dice.below(4) {
            mutate(dice, &mut bytes);
        }
    }
    bytes
}

fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes[at] = dice.below(256) as u8,
        1 => bytes.truncate(at),
        2 => {
            bytes.remove(at);
        }
        3 => {
            let until = (at + 1 + dice.below(20)).min(bytes.len());
            let again = bytes[at..until].to_vec();
            bytes.splice(at..at, again);
        }
        4 => {
            let nasty = dice.one_of(&NASTY).as_bytes().to_vec();
            bytes.splice(at..at, nasty);
        }
        _ => {
            let part = dice.one_of(&["null", "[]", "{}", "1e400", "\"\\ud800\"", "true"]);
            bytes.splice(at..at, part.bytes());
        }
    }
}
