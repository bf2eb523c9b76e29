//! Who sees what, asked of a real server: what is for somebody is there, and what is not is as if it were
//! not there.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use server::clock::Stopwatch;

use crate::people::{Browser, Person};
use crate::served::{Folder, Served, get, homecoming, homecoming_done, programme};

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// A programme with two people, each in the care of another caseworker, and everybody who looks at
/// them.
pub struct Ward {
    folder: Folder,
    pub served: Served,
    pub token: String,
    pub agent: ureq::Agent,
    pub cookies: Vec<(&'static str, String)>,
    people: Vec<Person>,
}

/// What there is of each person.
const KINDS: [&str; 7] = [
    "identity",
    "schedule",
    "care",
    "restricted",
    "very",
    "notes",
    "sud",
];

/// Who signs in: what they are called here, role, id of the Practitioner.
const STAFF: [(&str, &str, &str); 6] = [
    ("supervisor", "supervisor", "s1"),
    ("hers", "caseworker", "w1"),
    ("his", "caseworker", "w2"),
    ("doctor", "prescriber", "d1"),
    ("stranger", "caseworker", "w3"),
    ("officer", "officer", ""),
];

/// Those without a place among the staff: what they are called here, role, and for the person whose
/// record it is the id of the Patient.
const OTHERS: [(&str, &str, &str); 5] = [
    ("herself", "participant", "a"),
    ("inspector", "inspector", ""),
    ("evaluator", "evaluator", ""),
    ("sponsor", "sponsor", ""),
    ("administrator", "administrator", ""),
];

impl Ward {
    pub fn open(name: &str) -> Ward {
        let folder = Folder::new(name);
        let (data, token) = programme(&folder);
        let mut codes = Vec::new();
        for (called, role, practitioner) in STAFF {
            let mut words = vec!["user", "add", called, "--data", &data, "--role", role];
            if !practitioner.is_empty() {
                words.extend(["--practitioner", practitioner]);
            }
            if ["w1", "w2", "d1"].contains(&practitioner) {
                words.extend(["--supervisor", "supervisor"]);
            }
            let added = homecoming_done(&words);
            codes.push((called, added.lines().last().expect("a code").to_owned()));
        }
        for (called, role, patient) in OTHERS {
            let mut words = vec!["user", "add", called, "--data", &data, "--role", role];
            if !patient.is_empty() {
                words.extend(["--patient", patient]);
            }
            let added = homecoming_done(&words);
            codes.push((called, added.lines().last().expect("a code").to_owned()));
        }
        let served = Served::start(&data);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        let mut ward = Ward {
            folder,
            served,
            token,
            agent,
            cookies: Vec::new(),
            people: Vec::new(),
        };
        for (called, code) in codes {
            let person = Person::enrol(&ward.served, called, &code);
            ward.cookies.push((called, person.browser.cookies()));
            ward.people.push(person);
        }
        ward.fill();
        ward
    }

    /// Two people, `a` and `b`, each with something of every kind whose text is `kind-of-person`.
    fn fill(&self) {
        for (id, practitioner, family) in [("a", "w1", "Okafor"), ("b", "w2", "Lindqvist")] {
            let subject = json!({ "reference": format!("Patient/{id}") });
            let said = |kind: &str| format!("{kind}-of-{id}");
            let label = |system: &str, code: &str| json!({ "security": [{ "system": system, "code": code }] });
            self.put(json!({ "resourceType": "Patient", "id": id,
                "name": [{ "family": family, "given": [said("identity")] }],
                "generalPractitioner": [{ "reference": format!("Practitioner/{practitioner}") }] }));
            self.put(json!({ "resourceType": "Encounter", "id": said("schedule"), "status": "finished",
                "class": { "code": "AMB" }, "type": [{ "text": said("schedule") }], "subject": subject,
                "period": { "start": "2026-01-01T10:00:00Z", "end": "2026-01-01T11:00:00Z" } }));
            self.put(
                json!({ "resourceType": "Observation", "id": said("care"), "status": "final",
                "code": { "text": said("care") }, "subject": subject }),
            );
            self.put(json!({ "resourceType": "Observation", "id": said("restricted"), "status": "final",
                "meta": label(CONFIDENTIALITY, "R"), "code": { "text": said("restricted") }, "subject": subject }));
            self.put(json!({ "resourceType": "Observation", "id": said("very"), "status": "final",
                "meta": label(CONFIDENTIALITY, "V"), "code": { "text": said("very") }, "subject": subject }));
            self.put(json!({ "resourceType": "DocumentReference", "id": said("notes"), "status": "current",
                "meta": label(ACT_CODE, "PSYTHPN"), "description": said("notes"), "subject": subject,
                "content": [{ "attachment": { "contentType": "text/plain", "data": "c2FpZA==" } }] }));
            self.put(
                json!({ "resourceType": "Condition", "id": said("sud"), "subject": subject,
                "code": { "text": said("sud"), "coding": [
                    { "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F10.20" }] } }),
            );
        }
        self.put(
            json!({ "resourceType": "CareTeam", "id": "team-of-a", "status": "active",
            "subject": { "reference": "Patient/a" },
            "participant": [{ "member": { "reference": "Practitioner/d1" } }] }),
        );
        for (_, _, practitioner) in STAFF {
            if !practitioner.is_empty() {
                self.put(json!({ "resourceType": "Practitioner", "id": practitioner,
                    "name": [{ "family": format!("name-of-{practitioner}") }] }));
            }
        }
    }

    /// The data directory.
    pub fn data(&self) -> String {
        self.folder.join("data")
    }

    pub fn put(&self, resource: Value) {
        let path = format!(
            "/fhir/{}/{}",
            resource["resourceType"].as_str().expect("a type"),
            resource["id"].as_str().expect("an id")
        );
        let mut answer = self
            .agent
            .put(self.served.url(&path))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/fhir+json")
            .send(resource.to_string())
            .expect("the server answers");
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        assert!(status < 300, "{path}: {status} {text}");
    }

    /// What somebody's browser sends.
    pub fn cookie(&self, who: &str) -> &str {
        let mut all = self.cookies.iter();
        let found = all.find(|(called, _)| *called == who);
        &found.expect("somebody who signs in").1
    }

    /// Somebody signs in once more.
    pub fn sign_in_again(&mut self, who: &str) {
        let person = self.people.iter().find(|person| person.name == who);
        let browser = Browser::new(&self.served);
        let answer = person.expect("somebody").sign_in(&browser);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = self.cookies.iter_mut().find(|(called, _)| *called == who);
        cookie.expect("somebody who signs in").1 = browser.cookies();
    }

    /// Where the newest version of a resource is in the ledger.
    pub fn position(&self, reference: &str) -> u64 {
        let path = format!("/fhir/{reference}/$receipt");
        let mut answer = self
            .agent
            .get(self.served.url(&path))
            .header("Authorization", format!("Bearer {}", self.token))
            .call()
            .expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("a receipt");
        let line = text.lines().find_map(|line| line.strip_prefix("index "));
        let index = line.unwrap_or_else(|| panic!("{path}: {text}"));
        index.parse().expect("a position")
    }

    /// Where what there is of `a` is, in the order of [`KINDS`].
    pub fn positions(&self) -> Vec<u64> {
        let of = |kind: &&str| match *kind {
            "identity" => self.position("Patient/a"),
            "schedule" => self.position("Encounter/schedule-of-a"),
            "notes" => self.position("DocumentReference/notes-of-a"),
            "sud" => self.position("Condition/sud-of-a"),
            kind => self.position(&format!("Observation/{kind}-of-a")),
        };
        KINDS.iter().map(of).collect()
    }

    /// Status and body of a page that somebody asks for, without what differs with every request.
    pub fn page(&self, who: &str, path: &str) -> (u16, String) {
        let (_, cookie) = self
            .cookies
            .iter()
            .find(|(called, _)| *called == who)
            .expect("somebody who signs in");
        let mut answer = self
            .agent
            .get(self.served.url(path))
            .header("Cookie", cookie)
            .call()
            .expect("the server answers");
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (status, text)
    }

    /// Status and body of the answer to a form that somebody sends; of a redirect, where it leads.
    pub fn post(&self, who: &str, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let (_, cookie) = self
            .cookies
            .iter()
            .find(|(called, _)| *called == who)
            .expect("somebody who signs in");
        let mut answer = self
            .agent
            .post(self.served.url(path))
            .header("Cookie", cookie)
            .send_form(form.iter().copied())
            .expect("the server answers");
        let status = answer.status().as_u16();
        let text = match answer.headers().get("location") {
            Some(at) => at.to_str().expect("text").to_owned(),
            None => answer.body_mut().read_to_string().unwrap_or_default(),
        };
        (status, text)
    }

    /// A request of the registered program: status and body.
    pub fn fhir(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.served
            .fhir(&self.agent, &self.token, method, path, body)
    }

    /// Which of the two people's kinds a page speaks of.
    pub fn speaks_of(&self, who: &str, path: &str) -> String {
        let (status, text) = self.page(who, path);
        let mut found = BTreeSet::new();
        for person in ["a", "b"] {
            for kind in KINDS {
                if text.contains(&format!("{kind}-of-{person}")) {
                    found.insert(format!("{person}:{kind}"));
                }
            }
        }
        let found: Vec<String> = found.into_iter().collect();
        format!("{status} {}", found.join(" "))
    }
}

#[test]
fn a_page_speaks_of_what_is_for_whoever_looks() {
    let ward = Ward::open("permits");
    let all_of_a = "200 a:care a:identity a:notes a:restricted a:schedule a:sud a:very";
    for (who, path, expected) in [
        ("hers", "/people/a/timelines", all_of_a),
        ("doctor", "/people/a/timelines", all_of_a),
        (
            "supervisor",
            "/people/a/timelines",
            "200 a:care a:identity a:schedule",
        ),
        ("his", "/people/a/timelines", "200 a:identity"),
        ("stranger", "/people/a/timelines", "200 a:identity"),
        ("officer", "/people/a/timelines", "200 a:identity"),
        ("his", "/people/a", "200 a:identity"),
        ("hers", "/caseload", "200 a:identity a:schedule"),
        ("his", "/caseload", "200 b:identity b:schedule"),
        ("doctor", "/caseload", "200 a:identity a:schedule"),
        ("stranger", "/caseload", "200 "),
        (
            "supervisor",
            "/caseload",
            "200 a:identity a:schedule b:identity b:schedule",
        ),
        ("officer", "/caseload", "200 a:identity b:identity"),
        ("stranger", "/find?q=okafor", "200 a:identity"),
        ("hers", "/people/nobody", "404 "),
        ("herself", "/people/a/timelines", all_of_a),
        ("herself", "/people/b/timelines", "404 "),
        ("herself", "/find?q=lindqvist", "200 "),
        ("inspector", "/people/a", "404 "),
        ("inspector", "/find?q=okafor", "200 "),
        ("evaluator", "/people/a", "404 "),
        ("evaluator", "/find?q=okafor", "200 "),
        ("sponsor", "/people/a", "404 "),
        ("sponsor", "/find?q=okafor", "200 "),
        ("administrator", "/people/a", "404 "),
        ("administrator", "/find?q=okafor", "200 "),
    ] {
        assert_eq!(ward.speaks_of(who, path), expected, "{who} {path}");
    }
    // What is closed is said, and why, and whose case it is; never whether there is any of it.
    let (_, page) = ward.page("stranger", "/people/a");
    for words in [
        "Not for you to see",
        "Therapy notes",
        "name-of-w1",
        "/people/a/break-glass",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let (_, page) = ward.page("hers", "/people/a");
    assert!(!page.contains("Not for you to see"));
    assert!(page.contains("You are reading for <strong>treatment</strong>"));
}

#[test]
fn an_entry_that_is_not_for_somebody_is_one_that_is_not_there() {
    let ward = Ward::open("hidden-entries");
    let positions = ward.positions();
    // By the places of the kinds in their list.
    for (who, seen) in [
        ("hers", "0123456"),
        ("doctor", "0123456"),
        ("supervisor", "012"),
        ("stranger", "0"),
        ("officer", "0"),
        ("herself", "0123456"),
        ("inspector", ""),
        ("evaluator", ""),
        ("sponsor", ""),
        ("administrator", ""),
    ] {
        let (status, beyond) = ward.page(who, "/entries/999999");
        assert_eq!(status, 404);
        for (place, position) in positions.iter().enumerate() {
            let path = format!("/entries/{position}");
            let (status, page) = ward.page(who, &path);
            let is_seen = seen.contains(&place.to_string());
            assert_eq!(status, if is_seen { 200 } else { 404 }, "{who} {path}");
            if !is_seen {
                assert_eq!(page, beyond, "{who} {path}");
            }
            let (receipt, _) = ward.page(who, &format!("{path}/receipt"));
            assert_eq!(receipt, status, "{who} {path}/receipt");
        }
    }
}

#[test]
fn a_client_sees_the_kinds_that_it_is_registered_for() {
    let ward = Ward::open("registered");
    let data = ward.data();
    let sees = |name: &str, more: &[&str]| {
        let mut words = vec![
            "client",
            "add",
            name,
            "--data",
            &data,
            "--scope",
            "system/*.rs",
        ];
        words.extend(more);
        homecoming_done(&words);
        let token = homecoming_done(&["token", "--data", &data, "--client", name]);
        // The record has a registration before anybody acts by it.
        for _ in 0..100 {
            if get(&ward.served.url("/fhir/Patient/a"), Some(token.trim())).0 == 200 {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let status = |path: &str| {
            get(
                &ward.served.url(&format!("/fhir/{path}")),
                Some(token.trim()),
            )
            .0
        };
        [
            status("Observation/care-of-a"),
            status("DocumentReference/notes-of-a"),
            status("Condition/sud-of-a"),
            status("Observation/restricted-of-a"),
        ]
    };
    let all = ["--sees", "notes,sud,restricted"];
    let qualified = ["--part-of-programme"];
    // Of substance use it takes the person's consent, or that the program is a part of this one.
    for (name, more, expected) in [
        ("plain", &[][..], [200, 404, 404, 404]),
        ("none", &["--sees", "nothing"], [200, 404, 404, 404]),
        ("some", &["--sees", "restricted"], [200, 404, 404, 200]),
        ("all", &all, [200, 200, 404, 200]),
        (
            "ours",
            &[all, ["--part-of-programme", "yes"]].concat(),
            [200; 4],
        ),
    ] {
        assert_eq!(sees(name, more), expected, "{name}");
    }
    let mut words = vec!["client", "add", "odd", "--data", &data, "--scope"];
    words.extend(["system/*.rs"]);
    words.extend(qualified);
    assert_eq!(homecoming(&words).status.code(), Some(2));
}

/// The token of a program that is registered for nothing that is protected.
fn plain_program(ward: &Ward) -> String {
    let data = ward.data();
    homecoming_done(&[
        "client",
        "add",
        "plain",
        "--data",
        &data,
        "--scope",
        "system/*.cruds",
        "--sees",
        "nothing",
    ]);
    let token = homecoming_done(&["token", "--data", &data, "--client", "plain"]);
    let token = token.trim().to_owned();
    let url = ward.served.url("/fhir/Patient/a");
    for _ in 0..100 {
        if get(&url, Some(&token)).0 == 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    token
}

#[test]
fn what_a_program_may_not_write_is_not_promised_and_not_made_again() {
    let ward = Ward::open("plain-program");
    let token = plain_program(&ward);
    let ask = |method: &str, path: &str, version: &str, body: &Value| {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(ward.served.url(path))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json");
        if !version.is_empty() {
            request = request.header("If-Match", version);
        }
        let answer = match body.is_null() {
            true => ward.agent.run(request.body(()).expect("a request")),
            false => {
                let body = body.to_string();
                ward.agent.run(request.body(body).expect("a request"))
            }
        };
        let mut answer = answer.expect("the server answers");
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    };
    let observation = |id: &str, person: &str, is_restricted: bool| {
        let mut resource = json!({ "resourceType": "Observation", "id": id, "status": "final",
            "code": { "text": "x" }, "subject": { "reference": format!("Patient/{person}") } });
        if is_restricted {
            resource["meta"] = json!({ "security": [{ "system": CONFIDENTIALITY, "code": "R" }] });
        }
        resource
    };
    let promise = |resource: &Value| ask("POST", "/fhir/Observation/$promise", "", resource).0;
    assert_eq!(promise(&observation("new", "a", false)), 200);
    assert_eq!(promise(&observation("new", "a", true)), 403);
    assert_eq!(promise(&observation("new", "nobody", true)), 403);
    assert_eq!(promise(&observation("restricted-of-a", "a", false)), 403);

    // What is hidden stays hidden when it is deleted: it is not made again, and nothing tells of it.
    let hidden = "/fhir/Observation/restricted-of-a";
    let resource = observation("restricted-of-a", "a", false);
    let before = ask("PUT", hidden, "", &resource);
    assert_eq!(before.0, 403, "{}", before.1);
    assert_eq!(ward.fhir("DELETE", hidden, "").0, 204);
    assert_eq!(ask("PUT", hidden, "", &resource).0, 403);
    let deleted = ask("DELETE", hidden, "W/\"2\"", &Value::Null);
    let never = ask("DELETE", "/fhir/Observation/never", "W/\"2\"", &Value::Null);
    assert_eq!(deleted.0, never.0, "{}", deleted.1);
    let renamed = never
        .1
        .replace("Observation/never", "Observation/restricted-of-a");
    assert_eq!(deleted.1, renamed);
    // What is not hidden can be deleted and made again.
    let plain = "/fhir/Observation/care-of-a";
    assert_eq!(ask("DELETE", plain, "", &Value::Null).0, 204);
    assert_eq!(
        ask("PUT", plain, "", &observation("care-of-a", "a", false)).0,
        201
    );
}

#[test]
fn a_page_that_ends_with_what_is_hidden_is_no_page() {
    let ward = Ward::open("cursors");
    let token = plain_program(&ward);
    let own = ward.position("Observation/care-of-a");
    let size = ward.position("Practitioner/d1") + 1;
    let page = |number: u64, sort: &str| {
        let path = format!("/fhir/Observation?_sort={sort}&_cursor={size:x}-{number:x}");
        get(&ward.served.url(&path), Some(&token))
    };
    let hidden = ward.position("Observation/restricted-of-a");
    let another = ward.position("Condition/sud-of-a");
    for sort in ["code", "-code", "_lastUpdated"] {
        let (status, text) = page(own, sort);
        assert_eq!(status, 200, "{text}");
        let nobody = page(size - 1, sort);
        assert_eq!(nobody.0, 400, "{}", nobody.1);
        assert_eq!(page(hidden, sort), nobody);
        assert_eq!(page(another, sort), nobody);
        assert_eq!(page(ward.position("Observation/very-of-b"), sort), nobody);
    }
}

#[test]
fn a_tie_opens_a_record_at_once_and_its_end_closes_it_at_once() {
    let ward = Ward::open("ties");
    let team = |status: &str, period: Value| {
        ward.put(
            json!({ "resourceType": "CareTeam", "id": "moved", "status": status, "period": period,
            "subject": { "reference": "Patient/a" },
            "participant": [{ "member": { "reference": "Practitioner/w3" } }] }),
        );
    };
    let sees = || ward.speaks_of("stranger", "/people/a/timelines") != "200 a:identity";
    assert!(!sees());
    team("active", json!({ "start": "2020-01-01" }));
    assert!(sees());
    team(
        "active",
        json!({ "start": "2020-01-01", "end": "2020-06-01" }),
    );
    assert!(!sees());
    team("active", json!({ "end": "2999-01-01" }));
    assert!(sees());
    team("inactive", json!({ "start": "2020-01-01" }));
    assert!(!sees());
    team("active", json!({ "start": "2020-01-01" }));
    assert!(sees());
    // It is moved to somebody else's record: the tie to the first is gone.
    ward.put(
        json!({ "resourceType": "CareTeam", "id": "moved", "status": "active",
        "subject": { "reference": "Patient/b" },
        "participant": [{ "member": { "reference": "Practitioner/w3" } }] }),
    );
    assert!(!sees());
    assert_ne!(
        ward.speaks_of("stranger", "/people/b/timelines"),
        "200 b:identity"
    );
    // A role stands for whoever has it, as long as they do.
    ward.put(
        json!({ "resourceType": "CareTeam", "id": "by-role", "status": "active",
        "subject": { "reference": "Patient/a" },
        "participant": [{ "member": { "reference": "PractitionerRole/r3" } }] }),
    );
    assert!(!sees());
    let role = |active: bool| {
        ward.put(
            json!({ "resourceType": "PractitionerRole", "id": "r3", "active": active,
            "practitioner": { "reference": "Practitioner/w3" } }),
        );
    };
    role(true);
    assert!(sees());
    role(false);
    assert!(!sees());
}

#[test]
fn a_label_closes_the_versions_before_it_too() {
    let ward = Ward::open("labels-later");
    let path = format!("/entries/{}", ward.position("Observation/care-of-a"));
    let (status, _) = ward.page("supervisor", &path);
    assert_eq!(status, 200);
    let size = ward.position("Observation/care-of-a") + 1;
    let prescribed = |label: bool| {
        let mut resource = json!({ "resourceType": "MedicationRequest", "id": "later", "status": "active",
            "intent": "order", "medicationCodeableConcept": { "text": "said-before-the-label" },
            "subject": { "reference": "Patient/a" } });
        if label {
            resource["meta"] = json!({ "security": [{ "system": CONFIDENTIALITY, "code": "R" }] });
        }
        ward.put(resource);
    };
    prescribed(false);
    let both = ward.position("MedicationRequest/later") + 1;
    let before = format!("/people/a?_asof=size:{both}");
    let (_, page) = ward.page("supervisor", &before);
    assert!(page.contains("said-before-the-label"), "{page}");
    prescribed(true);
    let (_, page) = ward.page("supervisor", &before);
    assert!(!page.contains("said-before-the-label"), "{page}");
    ward.put(
        json!({ "resourceType": "Observation", "id": "care-of-a", "status": "final",
        "meta": { "security": [{ "system": CONFIDENTIALITY, "code": "R" }] },
        "code": { "text": "care-of-a" }, "subject": { "reference": "Patient/a" } }),
    );
    let (status, _) = ward.page("supervisor", &path);
    assert_eq!(status, 404);
    assert_eq!(
        ward.speaks_of("supervisor", "/people/a/timelines"),
        "200 a:identity a:schedule"
    );
    // As of before the label, with the permissions of now.
    assert_eq!(
        ward.speaks_of(
            "supervisor",
            &format!("/people/a/timelines?_asof=size:{size}")
        ),
        "200 a:identity a:schedule"
    );
}

/// What was hidden in the middle was about the same person all along: nothing was taken back.
#[test]
fn what_is_hidden_between_two_versions_takes_nothing_back() {
    let ward = Ward::open("hidden-between");
    for label in [false, true, false] {
        let mut resource = json!({ "resourceType": "Observation", "id": "labelled-by-mistake", "status": "final",
            "code": { "text": "labelled-by-mistake" }, "subject": { "reference": "Patient/a" },
            "effectiveDateTime": "2026-01-02T10:00:00Z" });
        if label {
            resource["meta"] = json!({ "security": [{ "system": CONFIDENTIALITY, "code": "R" }] });
        }
        ward.put(resource);
    }
    let (_, page) = ward.page("supervisor", "/people/a/timelines");
    assert!(page.contains("labelled-by-mistake"), "{page}");
    assert!(!page.contains("aken back"), "{page}");
}

/// What became a therapy note stays one for the versions before it, also when its key is gone and nothing says so but
/// the class of what cannot be opened.
#[test]
fn an_erased_note_closes_the_versions_before_it_as_it_did() {
    let ward = Ward::open("notes-erased");
    let told = |label: bool| {
        let mut resource = json!({ "resourceType": "DocumentReference", "id": "became-a-note",
            "status": "current", "description": "said-before-the-label", "date": "2026-01-02T10:00:00Z",
            "type": { "text": "said-before-the-label" }, "subject": { "reference": "Patient/a" },
            "content": [{ "attachment": { "title": "said-before-the-label" } }] });
        if label {
            resource["meta"] = json!({ "security": [{ "system": ACT_CODE, "code": "PSYTHPN" }] });
        }
        ward.put(resource);
    };
    told(false);
    let first = ward.position("DocumentReference/became-a-note");
    let pages = [
        format!("/entries/{first}"),
        format!("/people/a/timelines?_asof=size:{}", first + 1),
    ];
    let tells = |ward: &Ward, who: &str| {
        let said = |path: &String| ward.page(who, path).1.contains("said-before-the-label");
        pages.iter().map(said).collect::<Vec<bool>>()
    };
    let staff = ["supervisor", "hers", "doctor", "stranger", "officer"];
    assert_eq!(tells(&ward, "supervisor"), [true, true]);
    told(true);
    let before = staff.map(|who| tells(&ward, who));
    assert_eq!(before[0], [false, false]);

    let data = ward.data();
    let Ward {
        folder,
        served,
        token,
        agent,
        cookies,
        people,
    } = ward;
    drop(served);
    let keys = ledger::Keys::open(data.as_ref(), None).expect("keys");
    let reader = ledger::Ledger::open(data.as_ref(), 1, keys.clone()).expect("the ledger");
    let uses = reader.slots_of("a").expect("read");
    let notes: Vec<u32> = uses
        .iter()
        .filter(|used| used.class == ledger::Class::Notes)
        .map(|used| used.slot)
        .collect();
    assert_eq!(notes.len(), 1);
    keys.destroy(&notes, &mut |bytes| bytes.fill(7))
        .expect("destroyed");
    drop(reader);
    let ward = Ward {
        served: Served::start(&data),
        folder,
        token,
        agent,
        cookies,
        people,
    };
    assert_eq!(staff.map(|who| tells(&ward, who)), before);
}

#[test]
fn what_is_not_for_somebody_takes_as_long_as_what_is_not_there() {
    let ward = Ward::open("timing");
    let hidden_path = format!("/entries/{}", ward.position("DocumentReference/notes-of-a"));
    let time = |path: &str| {
        let begun = Stopwatch::start();
        let (status, _) = ward.page("officer", path);
        assert_eq!(status, 404, "{path}");
        begun.elapsed()
    };
    // In turns; of many the quicker ones, which nothing else on the machine held up.
    let quick = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 4]
    };
    let measure = || {
        let (mut hidden, mut absent) = (Vec::new(), Vec::new());
        for _ in 0..150 {
            hidden.push(time(&hidden_path));
            absent.push(time("/entries/999999"));
        }
        (quick(&mut hidden), quick(&mut absent))
    };
    measure();
    let alike = |(hidden, absent): &(Duration, Duration)| {
        (0.6..1.6).contains(&(hidden.as_secs_f64() / absent.as_secs_f64()))
    };
    // A machine that is busy can hold one of them up in one measurement, not in each.
    let measured: Vec<_> = (0..4).map(|_| measure()).collect();
    assert!(measured.iter().any(alike), "hidden, absent: {measured:?}");
}
