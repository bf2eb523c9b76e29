//! Consents, releases, disputes and the accounting of disclosures, from the forms to the log, against
//! the real binary.

use std::path::Path;

use ledger::access::AccessLog;
use ledger::disclosure::{Basis, Told};

use crate::disclosures::keys;
use crate::people::{PASSWORD, Person};
use crate::served::{Folder, Served, homecoming_done, programme};

/// A server, and everybody who asks it something.
struct World {
    _folder: Folder,
    data: String,
    token: String,
    served: Served,
    agent: ureq::Agent,
    person: String,
    other: String,
    carer: String,
    /// The carer, with what they sign with.
    signs: Person,
    evaluator: String,
    officer: String,
    supervisor: String,
}

/// Status and text of an answer.
type Said = (u16, String);

impl World {
    fn new(name: &str) -> World {
        let folder = Folder::new(name);
        let (data, token) = programme(&folder);
        let add = |name: &str, role: &str, more: &[&str]| {
            let mut words = vec!["user", "add", name, "--data", &data, "--role", role];
            words.extend(more);
            let said = homecoming_done(&words);
            said.lines().last().expect("a code").to_owned()
        };
        let person = add("Samir", "participant", &["--patient", "p"]);
        let other = add("Ruth", "participant", &["--patient", "q"]);
        let officer = add("O. Officer", "officer", &[]);
        // Somebody else's supervisor, who was here first.
        add("F. First", "supervisor", &["--practitioner", "f"]);
        let supervisor = add("S. Supervisor", "supervisor", &["--practitioner", "s"]);
        let theirs = ["--practitioner", "w", "--supervisor", "S. Supervisor"];
        let carer = add("C. Carer", "caseworker", &theirs);
        let evaluator = add("E. Evaluator", "evaluator", &["--practitioner", "e"]);
        let served = Served::start(&data);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        let sign_in = |name: &str, code: String| {
            let person = Person::enrol(&served, name, &code);
            person.browser.cookies()
        };
        let person = sign_in("Samir", person);
        let other = sign_in("Ruth", other);
        let signs = Person::enrol(&served, "C. Carer", &carer);
        let carer = signs.browser.cookies();
        let evaluator = sign_in("E. Evaluator", evaluator);
        let officer = sign_in("O. Officer", officer);
        let supervisor = sign_in("S. Supervisor", supervisor);
        let world = World {
            _folder: folder,
            data,
            token,
            served,
            agent,
            person,
            other,
            carer,
            signs,
            evaluator,
            officer,
            supervisor,
        };
        let of = r#""subject":{"reference":"Patient/p"}"#;
        for (kind, id, rest) in [
            ("Practitioner", "s", r#""name":[{"family":"Supervisor"}]"#.to_owned()),
            ("Practitioner", "w", r#""name":[{"family":"Carer"}]"#.to_owned()),
            ("Practitioner", "e", r#""name":[{"family":"Evaluator"}]"#.to_owned()),
            ("Organization", "board", r#""name":"Evaluation Board""#.to_owned()),
            ("PractitionerRole", "er", r#""active":true,"practitioner":{"reference":"Practitioner/e"},"organization":{"reference":"Organization/board"}"#.to_owned()),
            ("Patient", "p", r#""name":[{"family":"Haddad","given":["Samir"]}],"generalPractitioner":[{"reference":"Practitioner/w"}]"#.to_owned()),
            ("Patient", "q", r#""name":[{"family":"Hadley","given":["Ruth"]}],"generalPractitioner":[{"reference":"Practitioner/w"}]"#.to_owned()),
            ("Observation", "score", format!(r#""status":"final","code":{{"text":"scale"}},{of},"valueQuantity":{{"value":38.50}}"#)),
            ("Observation", "drinks", format!(r#""meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"ETH"}}]}},"status":"final","code":{{"text":"AUDIT"}},{of},"valueInteger":9"#)),
            ("DocumentReference", "note", format!(r#""meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}}]}},"status":"current",{of},"content":[{{"attachment":{{"title":"t"}}}}]"#)),
        ] {
            let (status, text) = world.put(kind, id, &rest);
            assert!(status < 300, "{kind}/{id}: {text}");
        }
        world
    }

    fn put(&self, kind: &str, id: &str, rest: &str) -> Said {
        let body = format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#);
        let mut answer = self
            .agent
            .put(self.served.url(&format!("/fhir/{kind}/{id}")))
            .header("Authorization", &format!("Bearer {}", self.token))
            .header("Content-Type", "application/fhir+json")
            .send(&body)
            .expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), text)
    }

    fn fhir(&self, path: &str) -> serde_json::Value {
        let url = self.served.url(&format!("/fhir/{path}"));
        let (status, text) = crate::served::get(&url, Some(&self.token));
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn get(&self, cookie: &str, path: &str) -> Said {
        let mut answer = self
            .agent
            .get(self.served.url(path))
            .header("Cookie", cookie)
            .call()
            .expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), text)
    }

    /// Registers a program that reads; its token, once the record has it.
    fn program(&self, name: &str, more: &[&str]) -> String {
        let mut words = vec!["client", "add", name, "--data", &self.data];
        words.extend(["--scope", "system/*.rs"]);
        words.extend(more);
        homecoming_done(&words);
        let token = homecoming_done(&["token", "--data", &self.data, "--client", name]);
        let token = token.trim().to_owned();
        for _ in 0..100 {
            if self.read_as(&token, "Patient/p").0 == 200 {
                return token;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("{name} is not let in");
    }

    fn read_as(&self, token: &str, path: &str) -> Said {
        crate::served::get(&self.served.url(&format!("/fhir/{path}")), Some(token))
    }

    /// The notice in the answer to a program, if it has one.
    fn notice(&self, token: &str, path: &str) -> Option<String> {
        let answer = self
            .agent
            .get(self.served.url(&format!("/fhir/{path}")))
            .header("Authorization", &format!("Bearer {token}"))
            .call()
            .expect("the server answers");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let notice = answer.headers().get("redisclosure-notice")?;
        Some(notice.to_str().expect("text").to_owned())
    }

    /// Sends a form; of a redirect, the address is the text.
    fn post(&self, cookie: &str, path: &str, form: &[(&str, &str)]) -> Said {
        let mut answer = self
            .agent
            .post(self.served.url(path))
            .header("Cookie", cookie)
            .send_form(form.iter().copied())
            .expect("the server answers");
        let status = answer.status().as_u16();
        let text = match answer.headers().get("location") {
            Some(at) => at.to_str().expect("text").to_owned(),
            None => answer.body_mut().read_to_string().expect("text"),
        };
        (status, text)
    }

    /// The 1 January after next, so that a release until then is neither over nor too long.
    fn next_year(&self) -> String {
        let answer = self
            .agent
            .get(self.served.url("/sign-in"))
            .call()
            .expect("the server answers");
        let date = answer.headers()["date"].to_str().expect("text").to_owned();
        let year: i32 = date
            .split(' ')
            .nth(3)
            .expect("a year")
            .parse()
            .expect("a number");
        format!("{}-01-01", year + 1)
    }

    /// What the access log has of the exports because of a consent, oldest first.
    fn exports(&self) -> Vec<Told> {
        let log = AccessLog::open(Path::new(&self.data), keys(&self.data)).expect("the access log");
        let size = log.size().expect("it reads");
        (0..size)
            .filter_map(|at| log.leaf(at).expect("it reads"))
            .filter(|one| one.leaf.what.as_str() == "export")
            .filter_map(|one| one.told)
            .collect()
    }

    /// On what the newest disclosure rests that somebody got at an address that ends so.
    fn basis(&self, actor: &str, address: &str) -> Basis {
        let log = AccessLog::open(Path::new(&self.data), keys(&self.data)).expect("the access log");
        let all = log.before(u64::MAX, 1_000).expect("it reads");
        let mut theirs = all.into_iter().filter(|one| one.leaf.actor == actor);
        let told = theirs.find_map(|one| one.told.filter(|told| told.address.ends_with(address)));
        told.expect("a leaf").basis
    }

    /// Releases scores and substance use to the hospital; gives the Consent's id.
    fn release(&self) -> String {
        let until = self.next_year();
        let form = [
            ("about", "release"),
            ("recipient", "County Hospital"),
            ("address", "1 Main Street"),
            ("purpose", "COC"),
            ("part", "scores"),
            ("part", "substance"),
            ("until", until.as_str()),
            ("name", "Samir Haddad"),
        ];
        let (status, text) = self.post(&self.person, "/people/p/consents", &form);
        assert_eq!(status, 303, "{text}");
        let found = self.fhir("Consent?patient=p");
        let id = found["entry"][0]["resource"]["id"].as_str().expect("an id");
        id.to_owned()
    }

    /// The entry of the score.
    fn entry(&self) -> String {
        self.entry_of("scale")
    }

    /// The entry that the person's page calls so.
    fn entry_of(&self, what: &str) -> String {
        let found = self.get(&self.person, "/me").1;
        let at = found.find(&format!("<bdi>{what}")).expect("it is there");
        let link = found[..at].rfind("/entries/").expect("a link") + 9;
        let position = found[link..].split(['"', '?']).next();
        format!("/entries/{}", position.expect("a position"))
    }

    fn packet(&self, consent: &str) -> Said {
        let path = format!("/people/p/consents/{consent}/packet");
        self.post(&self.carer, &path, &[("as", "bundle")])
    }
}

#[test]
fn a_release_gives_what_it_names_until_it_is_taken_back() {
    let world = World::new("release");
    let id = world.release();
    let (status, bundle) = world.packet(&id);
    assert_eq!(status, 200, "{bundle}");
    assert!(
        bundle.contains(r#""value":38.50"#),
        "a number keeps its digits: {bundle}"
    );
    assert!(bundle.contains(r#""id":"drinks""#), "{bundle}");
    assert!(
        !bundle.contains(r#""id":"note""#),
        "a therapy note is not named: {bundle}"
    );
    assert!(!bundle.contains("Hadley"), "somebody else is in it");
    assert!(
        bundle.contains("42 CFR part 2 prohibits unauthorized use or disclosure"),
        "{bundle}"
    );
    assert!(
        bundle.contains(&format!(r#""id":"{id}""#)),
        "the release goes with it"
    );

    // Narrowed: substance use stays out from the next time on.
    let path = format!("/people/p/consents/{id}");
    let narrow = [("part", "scores"), ("name", "Samir Haddad")];
    let (status, text) = world.post(&world.person, &format!("{path}/narrow"), &narrow);
    assert_eq!(status, 303, "{text}");
    let (status, bundle) = world.packet(&id);
    assert_eq!(status, 200, "{bundle}");
    assert!(bundle.contains(r#""id":"score""#) && !bundle.contains(r#""id":"drinks""#));
    assert!(!bundle.contains("42 CFR part 2"), "{bundle}");

    // Nobody else takes it back; the person does, and the next time nothing is given.
    let name = [("name", "Samir Haddad")];
    let (status, _) = world.post(&world.other, &format!("{path}/withdraw"), &name);
    assert!(status == 403 || status == 404, "{status}");
    let (status, text) = world.post(&world.officer, &format!("{path}/withdraw"), &name);
    assert_eq!(status, 422, "without the paper: {text}");
    let (status, text) = world.post(&world.person, &format!("{path}/withdraw"), &name);
    assert_eq!(status, 303, "{text}");
    let (status, text) = world.packet(&id);
    assert_eq!(status, 422, "{text}");
    assert!(text.contains("not in force"), "{text}");

    // What was given before stays listed, with the version that it rested on.
    let told = world.exports();
    let basis: Vec<_> = told
        .iter()
        .map(|told| (told.basis.consent.as_str(), told.basis.notice.as_str()))
        .collect();
    let version = |number: u32| format!("Consent/{id}/_history/{number}");
    assert_eq!(
        basis,
        [
            (version(1).as_str(), "42 CFR 2.32(a)(2)"),
            (version(2).as_str(), "")
        ]
    );
    assert_eq!(told[0].basis.recipient, "County Hospital");
    assert_eq!(told[0].basis.address, "1 Main Street");
    let (_, page) = world.get(&world.person, &path);
    assert!(page.contains("Taken back on"), "{page}");
    assert_eq!(page.matches("Carer</bdi>: ").count(), 2, "{page}");
    let (_, page) = world.get(&world.person, "/people/p/accounting?what=all");
    assert_eq!(
        page.matches("County Hospital, through Carer").count(),
        2,
        "{page}"
    );
}

#[test]
fn what_is_refused_by_its_code_is_in_no_packet() {
    let world = World::new("coded");
    let of = r#""subject":{"reference":"Patient/p"}"#;
    let coded = format!(
        r#""status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"44249-1"}}]}},{of},"valueInteger":3"#
    );
    let (status, text) = world.put("Observation", "coded", &coded);
    assert!(status < 300, "{text}");
    let id = world.release();
    let (status, bundle) = world.packet(&id);
    assert_eq!(status, 200, "{bundle}");
    assert!(bundle.contains(r#""id":"coded""#), "{bundle}");
    let refusal = r#""status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/p"},"dateTime":"2026-01-05","policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTOUT"}]},"provision":{"provision":[{"type":"deny","code":[{"coding":[{"system":"http://loinc.org","code":"44249-1"}]}]}]}"#;
    let refusal = refusal.replace(r#""policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTOUT"}]},"#, "");
    let (status, text) = world.put(
        "Consent",
        "by-code",
        &format!(r#"{refusal},"policy":[{{"uri":"urn:test"}}]"#),
    );
    assert!(status < 300, "{text}");
    let (status, bundle) = world.packet(&id);
    assert_eq!(status, 200, "{bundle}");
    assert!(bundle.contains(r#""id":"score""#), "{bundle}");
    assert!(!bundle.contains(r#""id":"coded""#), "{bundle}");
}

#[test]
fn a_signature_goes_with_the_version_that_it_is_of() {
    let world = World::new("signed");
    let id = world.release();
    let (_, bundle) = world.packet(&id);
    assert!(
        !bundle.contains(r#""resourceType":"Provenance""#),
        "{bundle}"
    );
    let signed = world.signs.browser.post(
        &format!("{}/sign", world.entry()),
        &[
            ("meaning", "reviewed"),
            ("password", PASSWORD),
            ("one-time", &world.signs.code()),
        ],
    );
    assert_eq!(signed.status, 303, "{}", signed.body);
    let (status, bundle) = world.packet(&id);
    assert_eq!(status, 200, "{bundle}");
    let count = |bundle: &str| bundle.matches(r#""resourceType":"Provenance""#).count();
    assert_eq!(count(&bundle), 1, "{bundle}");
    assert!(bundle.contains("C. Carer"), "{bundle}");
    let path = format!("/people/p/consents/{id}/packet");
    let (status, page) = world.post(&world.carer, &path, &[("as", "page")]);
    assert!(status == 200 && page.contains("C. Carer"), "{page}");
    // Another version is not what was signed.
    let of = r#""subject":{"reference":"Patient/p"}"#;
    let next = format!(
        r#""status":"amended","code":{{"text":"scale"}},{of},"valueQuantity":{{"value":12.5}}"#
    );
    let (status, text) = world.put("Observation", "score", &next);
    assert!(status < 300, "{text}");
    let (status, bundle) = world.packet(&id);
    assert_eq!((status, count(&bundle)), (200, 0), "{bundle}");
}

#[test]
fn a_release_says_to_whom_what_what_for_and_until_when() {
    let world = World::new("releases");
    let until = world.next_year();
    let whole = [
        ("about", "release"),
        ("recipient", "County Hospital"),
        ("address", "1 Main Street"),
        ("purpose", "COC"),
        ("part", "scores"),
        ("until", until.as_str()),
        ("name", "Samir Haddad"),
    ];
    for (without, says) in [
        ("recipient", "the name of the organisation"),
        ("address", "where the organisation is"),
        ("purpose", "what it may be used for"),
        ("part", "nothing is ticked"),
        ("until", "until when"),
        ("name", "your name"),
    ] {
        let form: Vec<_> = whole
            .iter()
            .copied()
            .filter(|(name, _)| *name != without)
            .collect();
        let (status, text) = world.post(&world.person, "/people/p/consents", &form);
        assert_eq!(status, 422, "without {without}: {text}");
        assert!(
            text.to_lowercase().contains(says),
            "without {without}: {text}"
        );
    }
    let mut notes = whole.to_vec();
    notes.push(("part", "notes"));
    let (status, text) = world.post(&world.person, "/people/p/consents", &notes);
    assert_eq!(status, 422, "{text}");
    assert!(text.contains("release of their own"), "{text}");
    // All or nothing: not one of these left anything behind.
    for nothing in ["Consent?patient=p", "Organization?name=County"] {
        let found = world.fhir(nothing);
        assert!(
            found["entry"].as_array().is_none_or(Vec::is_empty),
            "{found}"
        );
    }
}

#[test]
fn a_paper_has_a_witness_a_day_and_a_scan() {
    let world = World::new("paper");
    let sent_to = |path: &str, fields: &[(&str, &str)], scan: Option<&[u8]>| {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!(
                    "--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .as_bytes(),
            );
        }
        if let Some(scan) = scan {
            body.extend_from_slice(b"--xx\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n");
            body.extend_from_slice(scan);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--xx--\r\n");
        let mut answer = world
            .agent
            .post(world.served.url(path))
            .header("Cookie", &world.officer)
            .header("Content-Type", "multipart/form-data; boundary=xx")
            .send(&body)
            .expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), text)
    };
    let sent =
        |fields: &[(&str, &str)], scan: Option<&[u8]>| sent_to("/people/p/consents", fields, scan);
    let signed = [
        ("about", "sud"),
        ("answer", "yes"),
        ("name", "Samir Haddad"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&signed[..], more].concat();
    let (status, text) = sent(&with(&[("signed", "2026-01-05")]), Some(b"%PDF-1.7 scan"));
    assert_eq!(status, 422, "{text}");
    assert!(text.contains("Name who saw the person sign"), "{text}");
    let (status, text) = sent(
        &with(&[("witness", "M. Quintero"), ("signed", "2999-01-05")]),
        Some(b"%PDF-1.7"),
    );
    assert_eq!(
        (status, text.contains("has not come yet")),
        (422, true),
        "{text}"
    );
    let (status, text) = sent(
        &with(&[("witness", "M. Quintero"), ("signed", "2026-01-05")]),
        None,
    );
    assert_eq!(
        (status, text.contains("where the paper is kept")),
        (422, true),
        "{text}"
    );
    let (status, text) = sent(
        &with(&[("witness", "M. Quintero"), ("signed", "2026-01-05")]),
        Some(b"GIF89a"),
    );
    assert_eq!(
        (status, text.contains("PDF, a JPEG or a PNG")),
        (415, true),
        "{text}"
    );
    let (status, text) = sent(
        &with(&[("witness", "M. Quintero"), ("signed", "2026-01-05")]),
        Some(b"%PDF-1.7 scan"),
    );
    assert_eq!(status, 303, "{text}");
    let consent = &world.fhir("Consent?patient=p")["entry"][0]["resource"];
    assert!(
        consent["dateTime"]
            .as_str()
            .expect("a day")
            .starts_with("2026-01-05")
    );
    let scan = consent["sourceReference"]["reference"]
        .as_str()
        .expect("a scan");
    let scan = world.fhir(scan);
    assert_eq!(
        scan["content"][0]["attachment"]["contentType"],
        "application/pdf"
    );
    assert_eq!(scan["subject"]["reference"], "Patient/p");
    let id = consent["id"].as_str().expect("an id");
    let (_, page) = world.get(&world.person, &format!("/people/p/consents/{id}"));
    assert!(
        page.contains("on paper by Samir Haddad, seen by M. Quintero"),
        "{page}"
    );
    assert!(
        !page.contains("does not allow anybody"),
        "it has all that 42 CFR 2.31 asks for: {page}"
    );

    // It is taken back on another paper, whose scan stands with that version, the first one with the first.
    let at = format!("/people/p/consents/{id}");
    let back = [
        ("name", "Samir Haddad"),
        ("witness", "M. Quintero"),
        ("signed", "2026-01-06"),
    ];
    let (status, text) = sent_to(&format!("{at}/withdraw"), &back, Some(b"%PDF-1.7 back"));
    assert_eq!(status, 303, "{text}");
    let (_, page) = world.get(&world.person, &at);
    let mut scans: Vec<&str> = page
        .split(" (<a href=\"")
        .skip(1)
        .filter(|rest| rest.contains("\">scan</a>"))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    scans.dedup();
    assert_eq!(scans.len(), 2, "{page}");
}

#[test]
fn what_a_person_says_stands_beside_the_entry_and_is_answered() {
    let world = World::new("dispute");
    let before = world.fhir("Observation/score");
    let entry = world.entry();
    let raise = format!("{entry}/dispute");
    let (status, text) = world.post(&world.person, &raise, &[("text", "  ")]);
    assert_eq!(status, 422, "{text}");
    let (status, _) = world.post(&world.other, &raise, &[("text", "it was me")]);
    assert!(status == 403 || status == 404, "{status}");
    let words = "I was asked in a hurry & the number is wrong";
    let (status, at) = world.post(&world.person, &raise, &[("text", words)]);
    assert_eq!(status, 303, "{at}");
    let shown = "I was asked in a hurry &amp; the number is wrong";
    let (_, page) = world.get(&world.carer, &entry);
    assert!(
        page.contains("The person says that this is wrong") && page.contains(shown),
        "{page}"
    );

    // FHIR readers find both by what points at the entry, and the entry is as it was.
    let found = world
        .fhir("Observation?_id=score&_revinclude=Task:focus&_revinclude=DocumentReference:related");
    let kinds: Vec<&str> = found["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["resource"]["resourceType"].as_str().expect("a type"))
        .collect();
    assert!(
        kinds.contains(&"Task") && kinds.contains(&"DocumentReference"),
        "{kinds:?}"
    );
    assert_eq!(world.fhir("Observation/score"), before);

    // Nobody forges an answer, or a dispute, through the API.
    let id = at.rsplit('/').next().expect("an id").to_owned();
    let task = world.fhir(&format!("Task/{id}"));
    assert_eq!(task["owner"]["reference"], "Practitioner/s", "{task}");
    let mut forged = task.clone();
    forged["status"] = serde_json::json!("rejected");
    forged.as_object_mut().expect("an object").remove("meta");
    let body = forged.to_string();
    let rest = body
        .trim_start_matches('{')
        .trim_end_matches('}')
        .to_owned();
    let mut answer = world
        .agent
        .put(world.served.url(&format!("/fhir/Task/{id}")))
        .header("Authorization", &format!("Bearer {}", world.token))
        .header("Content-Type", "application/fhir+json")
        .send(&body)
        .expect("the server answers");
    assert!(
        answer.status().as_u16() >= 400,
        "{}",
        answer.body_mut().read_to_string().expect("text")
    );
    assert!(rest.contains("urn:homecoming:governance"));
    assert_eq!(world.fhir(&format!("Task/{id}"))["status"], "requested");

    // The person does not answer; the programme does, and the person has the last word.
    let (status, text) = world.post(&world.person, &format!("{at}/agree"), &[]);
    assert_eq!(
        (status, text.contains("Nobody answers their own dispute")),
        (403, true),
        "{text}"
    );
    let ground = ("ground", "accurate");
    let (status, text) = world.post(&world.supervisor, &format!("{at}/disagree"), &[ground]);
    assert_eq!(
        (status, text.contains("why you do not agree")),
        (422, true),
        "{text}"
    );
    let why = ("text", "The form in the file has this number.");
    let (status, text) = world.post(&world.supervisor, &format!("{at}/disagree"), &[ground, why]);
    assert_eq!(status, 303, "{text}");
    let (status, text) = world.post(&world.supervisor, &format!("{at}/agree"), &[]);
    assert_eq!(
        (status, text.contains("answered or taken back")),
        (422, true),
        "{text}"
    );
    let own = ("text", "It is not my form.");
    let (status, text) = world.post(&world.person, &format!("{at}/state"), &[own]);
    assert_eq!(status, 303, "{text}");
    let (_, page) = world.get(&world.carer, &entry);
    for words in [
        shown,
        "The form in the file has this number.",
        "It is not my form.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }

    // Whoever is given the entry is given what is said of it, though the release names no letters.
    let id = world.release();
    let (status, bundle) = world.packet(&id);
    assert_eq!(status, 200, "{bundle}");
    assert_eq!(
        bundle
            .matches(r#""system":"urn:homecoming:dispute""#)
            .count(),
        3,
        "{bundle}"
    );
}

#[test]
fn what_an_agency_has_held_back_is_hidden_from_the_person_until_it_ends() {
    let world = World::new("held");
    let id = world.release();
    assert_eq!(world.packet(&id).0, 200);
    let until = world.next_year();
    let form = [
        ("agency", "County  hospital"),
        ("official", "Dr. Vale"),
        ("statement", "written"),
        ("stated", "2026-01-05"),
        ("until", until.as_str()),
        ("citation", "Letter 7"),
    ];
    let (status, _) = world.post(&world.supervisor, "/people/p/accounting", &form);
    assert_eq!(status, 403);
    let mut oral = form;
    oral[2].1 = "oral";
    let (status, text) = world.post(&world.officer, "/people/p/accounting", &oral);
    assert_eq!(
        (status, text.contains("30 days at the most")),
        (422, true),
        "{text}"
    );
    let all = "/people/p/accounting?what=all";
    let sees = |cookie: &str| {
        let (status, page) = world.get(cookie, all);
        assert_eq!(status, 200, "{page}");
        page.contains("County Hospital, through")
    };
    let consent = format!("/people/p/consents/{id}");
    let listed = |cookie: &str| {
        let (status, page) = world.get(cookie, &consent);
        assert_eq!(status, 200, "{page}");
        page.contains("Carer</bdi>: ")
    };
    let exported = || {
        let (status, export) = world.get(&world.person, "/people/p/export");
        assert_eq!(status, 200, "{export}");
        export.contains(r#""basis":{"recipient":"County Hospital""#)
    };
    assert!(sees(&world.person) && listed(&world.person) && exported());
    let (status, text) = world.post(&world.officer, "/people/p/accounting", &form);
    assert_eq!(status, 303, "{text}");
    assert!(sees(&world.officer) && !sees(&world.person));
    assert!(listed(&world.officer) && !listed(&world.person));
    let (_, file) = world.get(&world.person, "/people/p/accounting.csv?what=all");
    assert!(!file.contains("County Hospital"), "{file}");
    let (_, page) = world.get(&world.person, "/people/p/access");
    assert!(!page.contains("what a release covers"), "{page}");
    let (_, page) = world.get(&world.person, all);
    assert!(
        !page.contains("Dr. Vale") && !page.contains("Letter 7"),
        "{page}"
    );
    assert!(!exported(), "the export holds what is held back");
    // The officer ends it; the person sees what was held back, and that it was.
    let (_, page) = world.get(&world.officer, all);
    let lift = page.find("/lift\"").expect("a form");
    let lift = page[..lift].rsplit('"').next().expect("an address");
    let (status, text) = world.post(&world.officer, &format!("{lift}/lift"), &[]);
    assert_eq!(status, 303, "{text}");
    assert!(sees(&world.person) && listed(&world.person) && exported());
    let (_, page) = world.get(&world.person, all);
    assert!(page.contains("Held back for a time"), "{page}");
}

#[test]
fn a_program_reads_of_substance_use_what_the_person_consents_to_while_they_do() {
    let world = World::new("program-sud");
    let lab = world.program("lab", &["--sees", "sud"]);
    let reads = || {
        let (status, _) = world.read_as(&lab, "Observation/drinks");
        let (_, found) = world.read_as(&lab, "Observation?patient=p");
        assert_eq!(found.contains(r#""id":"drinks""#), status == 200, "{found}");
        assert!(found.contains(r#""id":"score""#), "{found}");
        status
    };
    assert_eq!(reads(), 404, "without a consent");
    let form = [
        ("about", "sud"),
        ("answer", "yes"),
        ("name", "Samir Haddad"),
    ];
    let (status, text) = world.post(&world.person, "/people/p/consents", &form);
    assert_eq!(status, 303, "{text}");
    assert_eq!(reads(), 200);
    // The notice goes with it, the second time as the first, and with nothing else; and the log says on what
    // it rested.
    let words = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
    for _ in 0..2 {
        let notice = |path: &str| world.notice(&lab, path);
        assert_eq!(notice("Observation/drinks").as_deref(), Some(words));
        assert_eq!(
            notice("Observation/drinks/_history").as_deref(),
            Some(words)
        );
        assert_eq!(notice("Observation/score"), None);
        let (_, found) = world.read_as(&lab, "Observation?patient=p");
        assert!(
            found.contains(r#""resourceType":"OperationOutcome""#) && found.contains(words),
            "{found}"
        );
        let (_, found) = world.read_as(&lab, "Observation?patient=p&_id=score");
        assert!(!found.contains(words), "{found}");
    }
    assert!(
        !world
            .fhir("Observation?patient=p")
            .to_string()
            .contains(words)
    );
    let found = world.fhir("Consent?patient=p");
    let id = found["entry"][0]["resource"]["id"].as_str().expect("an id");
    let basis = world.basis("client/lab", "Observation/drinks");
    assert_eq!(basis.consent, format!("Consent/{id}/_history/1"));
    assert_eq!(basis.notice, "42 CFR 2.32(a)(2)");
    assert_eq!(world.basis("client/lab", "Observation/score").consent, "");
    let (_, page) = world.get(&world.person, &format!("/people/p/consents/{id}"));
    assert!(page.contains("the program lab"), "{page}");
    // What it was not registered for, no consent opens to it.
    let narrow = world.program("narrow", &[]);
    assert_eq!(world.read_as(&narrow, "Observation/drinks").0, 404);
    assert_eq!(world.read_as(&narrow, "Observation/score").0, 200);
    let withdraw = format!("/people/p/consents/{id}/withdraw");
    let (status, text) = world.post(&world.person, &withdraw, &[("name", "Samir Haddad")]);
    assert_eq!(status, 303, "{text}");
    assert_eq!(reads(), 404, "from the next request on");
}

#[test]
fn an_accounting_has_every_row_on_one_page_for_whoever_asks() {
    let world = World::new("rows");
    let id = world.release();
    assert_eq!(world.packet(&id).0, 200);
    // More than a page has, after the packet.
    for _ in 0..210 {
        world.fhir("Observation/score");
    }
    let rows = |path: &str| {
        let (status, page) = world.get(&world.person, path);
        assert_eq!(status, 200, "{page}");
        (page.matches("<th scope=\"row\">").count(), page)
    };
    let (count, page) = rows("/people/p/accounting?what=all");
    assert_eq!(count, 200);
    assert!(!page.contains("County Hospital, through"), "{page}");
    let all = "/people/p/accounting?rows=all&amp;what=all";
    assert!(page.contains(&format!("href=\"{all}\"")), "{page}");
    let (count, page) = rows("/people/p/accounting?rows=all&what=all");
    assert!(count > 210, "{count}");
    assert!(page.contains("County Hospital, through") && !page.contains("before these"));
    let (_, file) = world.get(&world.person, "/people/p/accounting.csv?what=all");
    assert!(file.lines().count() > 211 && file.contains("County Hospital, through"));
}

#[test]
fn what_an_officer_hands_over_has_nothing_that_is_held_back_from_the_person() {
    let world = World::new("held-export");
    let of = r#""status":"final","code":{"text":"scale"},"subject":{"reference":"Patient/q"},"valueInteger":7"#;
    assert!(world.put("Observation", "of-q", of).0 < 300);
    let until = world.next_year();
    let form = [
        ("about", "release"),
        ("recipient", "County Hospital"),
        ("address", "1 Main Street"),
        ("purpose", "COC"),
        ("part", "scores"),
        ("until", until.as_str()),
        ("name", "Ruth Hadley"),
    ];
    let (status, text) = world.post(&world.other, "/people/q/consents", &form);
    assert_eq!(status, 303, "{text}");
    let found = world.fhir("Consent?patient=q");
    let id = found["entry"][0]["resource"]["id"].as_str().expect("an id");
    let path = format!("/people/q/consents/{id}/packet");
    let (status, text) = world.post(&world.carer, &path, &[("as", "bundle")]);
    assert_eq!(status, 200, "{text}");
    let handed_over = || {
        let (status, export) = world.get(&world.officer, "/people/q/export");
        assert_eq!(status, 200, "{export}");
        export.contains(r#""basis":{"recipient":"County Hospital""#)
    };
    assert!(handed_over());
    let form = [
        ("agency", "County Hospital"),
        ("official", "Dr. Vale"),
        ("statement", "written"),
        ("stated", "2026-01-05"),
        ("until", until.as_str()),
        ("citation", "Letter 7"),
    ];
    let (status, text) = world.post(&world.officer, "/people/q/accounting", &form);
    assert_eq!(status, 303, "{text}");
    assert!(
        !handed_over(),
        "it tells the person what is held back from them"
    );
}

#[test]
fn an_export_asks_about_each_version() {
    let world = World::new("export-each");
    let observation = |code: &str| {
        format!(
            r#""status":"final","code":{{"coding":[{{"system":"urn:t","code":"{code}"}}]}},"subject":{{"reference":"Patient/q"}},"valueInteger":7"#
        )
    };
    // The newest of its kind is not the one that was refused.
    assert!(world.put("Observation", "older", &observation("X")).0 < 300);
    assert!(world.put("Observation", "newer", &observation("Y")).0 < 300);
    let export = || world.get(&world.officer, "/people/q/export").0;
    assert_eq!(export(), 200);
    let refuses = r#""status":"active",
        "scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
        "category":[{"text":"refusal"}],"policy":[{"uri":"urn:t"}],
        "patient":{"reference":"Patient/q"},"dateTime":"2026-01-01",
        "provision":{"type":"deny","code":[{"coding":[{"system":"urn:t","code":"X"}]}]}"#;
    let (status, text) = world.put("Consent", "no-x", refuses);
    assert!(status < 300, "{text}");
    assert_eq!(export(), 403);
}

#[test]
fn a_refusal_closes_the_record_to_whom_it_names_from_the_next_request_on() {
    let world = World::new("keep-from");
    let entry = world.entry();
    assert_eq!(world.get(&world.carer, &entry).0, 200);
    let form = [
        ("about", "keep-from"),
        ("answer", "yes"),
        ("from", "Practitioner/w"),
        ("name", "Samir Haddad"),
    ];
    let (status, text) = world.post(&world.person, "/people/p/consents", &form);
    assert_eq!(status, 303, "{text}");
    assert_eq!(world.get(&world.carer, &entry).0, 404);
    assert_eq!(world.get(&world.supervisor, &entry).0, 200);
    assert_eq!(world.get(&world.person, &entry).0, 200);
    let found = world.fhir("Consent?patient=p");
    let id = found["entry"][0]["resource"]["id"].as_str().expect("an id");
    let withdraw = format!("/people/p/consents/{id}/withdraw");
    let (status, text) = world.post(&world.person, &withdraw, &[("name", "Samir Haddad")]);
    assert_eq!(status, 303, "{text}");
    assert_eq!(world.get(&world.carer, &entry).0, 200);
}

#[test]
fn the_notice_stands_over_what_an_evaluator_reads_of_substance_use() {
    let world = World::new("board-sud");
    let refers = r#""status":"active","intent":"order","subject":{"reference":"Patient/p"},"performer":[{"reference":"Practitioner/e"}]"#;
    let (status, text) = world.put("ServiceRequest", "sr", refers);
    assert!(status < 300, "{text}");
    let until = world.next_year();
    let form = [
        ("about", "release"),
        ("organisation", "board"),
        ("address", "2 Main Street"),
        ("purpose", "FITEVAL"),
        ("part", "scores"),
        ("part", "substance"),
        ("until", until.as_str()),
        ("name", "Samir Haddad"),
    ];
    let (status, text) = world.post(&world.person, "/people/p/consents", &form);
    assert_eq!(status, 303, "{text}");
    let words = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
    let drinks = world.entry_of("AUDIT");
    let (status, page) = world.get(&world.evaluator, &drinks);
    assert!(status == 200 && page.contains(words), "{status} {page}");
    assert_eq!(
        world.basis("Practitioner/e", &drinks).notice,
        "42 CFR 2.32(a)(2)"
    );
    // Whoever treats the person reads it without.
    let (status, page) = world.get(&world.carer, &drinks);
    assert!(status == 200 && !page.contains(words), "{page}");
}

#[test]
fn an_evaluator_reads_what_was_released_to_their_board_and_only_while_it_is() {
    let world = World::new("board");
    let refers = r#""status":"active","intent":"order","subject":{"reference":"Patient/p"},"performer":[{"reference":"Practitioner/e"}]"#;
    let (status, text) = world.put("ServiceRequest", "sr", refers);
    assert!(status < 300, "{text}");
    let entry = world.entry();
    assert_eq!(world.get(&world.evaluator, &entry).0, 404);
    let until = world.next_year();
    let form = [
        ("about", "release"),
        ("organisation", "board"),
        ("address", "2 Main Street"),
        ("purpose", "FITEVAL"),
        ("part", "scores"),
        ("until", until.as_str()),
        ("name", "Samir Haddad"),
    ];
    let (status, text) = world.post(&world.person, "/people/p/consents", &form);
    assert_eq!(status, 303, "{text}");
    let (status, page) = world.get(&world.evaluator, &entry);
    assert_eq!((status, page.contains("42 CFR part 2")), (200, false));
    let found = world.fhir("Consent?patient=p");
    let id = found["entry"][0]["resource"]["id"].as_str().expect("an id");
    // What they read is listed with the release that they read it on.
    let basis = world.basis("Practitioner/e", &entry);
    assert_eq!(basis.consent, format!("Consent/{id}/_history/1"));
    assert_eq!(basis.notice, "");
    let (_, page) = world.get(&world.person, &format!("/people/p/consents/{id}"));
    assert!(page.contains("Evaluator</bdi>: "), "{page}");
    let withdraw = format!("/people/p/consents/{id}/withdraw");
    let (status, text) = world.post(&world.person, &withdraw, &[("name", "Samir Haddad")]);
    assert_eq!(status, 303, "{text}");
    assert_eq!(world.get(&world.evaluator, &entry).0, 404);
}
