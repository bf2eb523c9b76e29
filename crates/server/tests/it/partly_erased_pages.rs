//! The pages of somebody of whose record a part was erased: what is left is there, what is gone is said to be gone, and
//! takes nothing else with it.

use std::path::Path;

use casework::dispute::{Stage, Step as Answer};
use casework::erasure::{Scope, Step};
use server::chance::Chance;
use server::dispute;
use server::error::ErrorKind;
use server::programme::{self, About, AsOf, DemoPerson, Draft, Expect, Work};
use server::sign_in::SignedIn;

use crate::erasing::{PERSON, World};
use crate::people::{Browser, Person};
use crate::served::{Folder, Served, homecoming_done, registered};

const NOTE: &str = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]},"#;

/// Everybody who signs in: name, role, and whose record or which Practitioner they are.
const PEOPLE: [(&str, &str, &[&str]); 6] = [
    ("Officer One", "officer", &[]),
    ("Officer Two", "officer", &[]),
    ("Officer Three", "officer", &[]),
    ("Carer One", "caseworker", &["--practitioner", "w1"]),
    ("Carer Two", "caseworker", &["--practitioner", "w2"]),
    ("Person One", "participant", &["--patient", "p1"]),
];

/// A demonstration, so that no delay is waited for, with two people and a carer for each.
struct Demo {
    _folder: Folder,
    served: Served,
    token: String,
    agent: ureq::Agent,
}

impl Demo {
    fn open(name: &str) -> Demo {
        let folder = Folder::new(name);
        let data = folder.join("data");
        let person = |(name, role, _): &(&str, &str, &[&str])| DemoPerson {
            name: (*name).to_owned(),
            role: (*role).to_owned(),
            code: format!("code of {name}"),
        };
        let about = About {
            name: "Partly erased".to_owned(),
            demo: PEOPLE.iter().map(person).collect(),
            erasure_delay_days: None,
            complaints: None,
        };
        programme::create(Path::new(&data), &about, None, &Chance::System).expect("a programme");
        for (name, role, more) in PEOPLE {
            let mut words = vec!["user", "add", name, "--data", &data, "--role", role];
            words.extend(more);
            homecoming_done(&words);
        }
        let token = registered(&data);
        let demo = Demo {
            served: Served::start(&data),
            _folder: folder,
            token,
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .build()
                .into(),
        };
        for (person, carer) in [("p1", "w1"), ("p2", "w2")] {
            demo.put("Practitioner", carer, r#""name":[{"family":"Carer"}]"#);
            let rest = format!(
                r#""name":[{{"family":"Quenby"}}],"generalPractitioner":[{{"reference":"Practitioner/{carer}"}}]"#
            );
            demo.put("Patient", person, &rest);
        }
        demo
    }

    fn browser(&self, name: &str) -> Browser {
        let browser = Browser::new(&self.served);
        let code = format!("code of {name}");
        let answer = browser.post("/sign-in", &[("code", &code)]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    /// A request of the program: status and body.
    fn fhir(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.served
            .fhir(&self.agent, &self.token, method, path, body)
    }

    /// Writes a version; the address of its entry.
    fn put(&self, kind: &str, id: &str, rest: &str) -> String {
        let body = format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#);
        let path = format!("/fhir/{kind}/{id}");
        let (status, said) = self.fhir("PUT", &path, &body);
        assert!(status < 300, "{path}: {said}");
        let (_, receipt) = self.fhir("GET", &format!("{path}/$receipt"), "");
        let position = receipt.lines().find_map(|line| line.strip_prefix("index "));
        let position = position.unwrap_or_else(|| panic!("{path}: {receipt}"));
        format!("/entries/{position}")
    }

    /// Writes a document about somebody; the address of its entry.
    fn document(&self, id: &str, label: &str, person: &str, says: &str) -> String {
        let rest = format!(
            r#"{label}"status":"current","subject":{{"reference":"Patient/{person}"}},"description":"{says}","content":[{{"attachment":{{"title":"t"}}}}]"#
        );
        self.put("DocumentReference", id, &rest)
    }

    /// Has somebody's therapy notes erased; the address of the erasure.
    fn erase_notes_of(&self, person: &str) -> String {
        let officers = ["Officer One", "Officer Two", "Officer Three"];
        let officers = officers.map(|name| self.browser(name));
        let form = [
            ("person", person),
            ("scope", Scope::Notes.code()),
            ("basis", "court-order"),
            ("citation", "Order 5"),
            ("examined", "yes"),
        ];
        let asked = officers[0].post("/erasures", &form);
        assert_eq!(asked.status, 303, "{}", asked.body);
        let take = |officer: usize, step: &str, form: &[(&str, &str)]| {
            let taken = officers[officer].post(&format!("{}/{step}", asked.location), form);
            assert_eq!(taken.status, 303, "{step}: {}", taken.body);
        };
        take(1, "approve", &[]);
        take(2, "approve", &[]);
        take(2, "tell", &[("how", "letter"), ("happened", "2026-01-05")]);
        take(2, "carry-out", &[("sure", "yes")]);
        asked.location
    }
}

/// A page that is there.
fn page(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// Where the first link with these words leads.
fn link(page: &str, words: &str) -> String {
    let before = page.split(&format!("\">{words}<")).next();
    let at = before.and_then(|before| before.rsplit("href=\"").next());
    at.expect("a link").to_owned()
}

/// The address of the newest leaf of the access log.
fn newest_leaf(officer: &Browser) -> String {
    let page = page(officer, "/access");
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    };
    let newest = page.split("\"/access/").filter_map(number).max();
    format!("/access/{}", newest.expect("a leaf"))
}

#[test]
fn what_is_left_of_a_record_is_on_its_pages_when_the_therapy_notes_are_gone() {
    let demo = Demo::open("partly-erased");
    let [officer, carer, other, person] =
        ["Officer One", "Carer One", "Carer Two", "Person One"].map(|name| demo.browser(name));
    let note = demo.document("note", NOTE, "p1", "confided");
    let amended = demo.document("amended", "", "p1", "said first");
    demo.document("between", "", "p1", "said first");
    demo.document("between", NOTE, "p1", "confided");
    let between = demo.document("between", "", "p1", "said third");
    demo.document("first", NOTE, "p1", "confided");
    let first = demo.document("first", "", "p1", "said second");
    let gone = demo.document("deleted", NOTE, "p1", "confided");
    let deleted = demo.fhir("DELETE", "/fhir/DocumentReference/deleted", "");
    assert_eq!(deleted.0, 204, "{}", deleted.1);
    let deletion = link(&page(&carer, &gone), "Version 2");
    // Written about the wrong person, and then about the right one.
    let mistaken = demo.document("mistaken", "", "p2", "said of another");
    demo.document("mistaken", NOTE, "p1", "confided");
    demo.document("of-other", NOTE, "p2", "confided");

    let dispute = |entry: &str| {
        let raised = person.post(&format!("{entry}/dispute"), &[("text", "It was not so")]);
        assert_eq!(raised.status, 303, "{}", raised.body);
        raised.location
    };
    let agree = |dispute: &str| {
        let agreed = carer.post(&format!("{dispute}/agree"), &[]);
        assert_eq!(agreed.status, 303, "{}", agreed.body);
    };
    let (of_note, of_amended) = (dispute(&note), dispute(&amended));
    demo.document("amended", NOTE, "p1", "confided");
    agree(&of_amended);
    assert!(page(&carer, &of_note).contains("confided"));
    let of_one = newest_leaf(&officer);
    let (_, found) = demo.fhir("GET", "/fhir/DocumentReference?_id=note,of-other", "");
    assert!(found.contains(r#""total":2"#), "{found}");
    let of_both = newest_leaf(&officer);
    let erasure = demo.erase_notes_of("p1");

    // Nothing of the person is closed by a dispute of what is gone, and it is still answered.
    let pages = ["", "/timelines", "/disputes"].map(|part| format!("/people/p1{part}"));
    for who in [&carer, &person] {
        for path in &pages {
            let text = page(who, path);
            assert!(text.contains("An entry that was erased"), "{path}: {text}");
        }
        let text = page(who, &of_note);
        assert!(
            text.contains("What it said can no longer be read"),
            "{text}"
        );
        let text = page(who, &of_amended);
        assert!(text.contains("A later version"), "{text}");
    }
    page(&officer, "/people/p1");
    let text = page(&person, "/me");
    assert!(
        text.contains("An entry that was erased: an answer"),
        "{text}"
    );
    agree(&of_note);
    let text = page(&person, "/me");
    let answered = "An entry that was erased, which you disputed: the programme agreed";
    assert!(text.contains(answered), "{text}");

    // An entry that can be read is shown, with what was erased before and after it.
    let shown = |entry: &str, there: &[&str], not: &[&str]| {
        let text = page(&carer, entry);
        for words in there {
            assert!(text.contains(words), "{entry} lacks {words}: {text}");
        }
        for words in not {
            assert!(!text.contains(words), "{entry} has {words}: {text}");
        }
    };
    let sign = "Sign this version";
    shown(
        &deletion,
        &["Version 1</a> was erased"],
        &["homecoming audit", sign],
    );
    let tombstone = carer.get(&gone);
    assert_eq!(tombstone.status, 410);
    assert!(
        tombstone.body.contains("was erased by law"),
        "{}",
        tombstone.body
    );
    let since = "Version 2</a> was recorded since, and was erased";
    shown(
        &amended,
        &["This is not the newest version", since],
        &[sign],
    );
    let before = "The version before it was erased";
    shown(
        &between,
        &[before, "Version 2</a> was erased", sign],
        &["<del>"],
    );
    shown(&first, &[before, sign], &["first recorded"]);
    // Nobody learns of the erasure of somebody else's.
    let text = page(&other, &mistaken);
    for words in ["was erased", "This is not the newest version"] {
        assert!(!text.contains(words), "{words}: {text}");
    }

    // What was shown is shown again without it, and a leaf lists the rest.
    let text = page(&officer, &format!("{of_one}/seen"));
    assert!(text.contains("Of them one was erased since"), "{text}");
    let text = page(&person, &of_both);
    assert!(
        text.contains("And 2 more; the receipt lists them all"),
        "{text}"
    );

    let text = page(&officer, &erasure);
    for words in [
        "what the access log keeps of an answer about several people",
        "what is in the records of others, or about nobody, and mentions the person;",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn whoever_wrote_what_was_erased_does_not_answer_for_it_and_a_signature_outlives_its_entry() {
    let folder = Folder::new("partly-erased-acts");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let signed_in = |at: usize| SignedIn {
        user: world.officers[at].clone(),
        session: None,
    };
    let (officer, author) = (signed_in(0), signed_in(4));
    let write = |who: &SignedIn, draft: Draft| {
        let work = Work::Ready(vec![draft]);
        let written = world.programme.submit(who.actor(), work);
        world.runtime.block_on(written).expect("written");
    };
    let stored = format!(
        r#"{{"resourceType":"DocumentReference","id":"own-note",{NOTE}"status":"current","subject":{{"reference":"Patient/{PERSON}"}},"content":[{{"attachment":{{"title":"t"}}}}]}}"#
    );
    let note = Draft::stored(
        "DocumentReference",
        "own-note",
        Expect::Absent,
        stored.into_bytes(),
    );
    write(&author, note.expect("a note"));
    let stored = format!(
        r#"{{"resourceType":"Provenance","id":"signed","target":[{{"reference":"Patient/{PERSON}/_history/1"}}],"recorded":"2026-03-01T00:00:00Z","activity":{{"coding":[{{"system":"{}","code":"signature"}}]}},"agent":[{{"who":{{"display":"O. One"}}}}]}}"#,
        evidence::erasure::GOVERNANCE
    );
    let signature = Draft::governance(
        "Provenance",
        "signed",
        Expect::Absent,
        stored.into_bytes(),
        Some(PERSON),
    );
    write(&officer, signature.expect("a signature"));
    let position = |kind: &str, id: &str| {
        let version = world.programme.view(AsOf::Now).read(kind, id);
        version.expect("read").expect("there").position
    };
    let note = position("DocumentReference", "own-note");
    let signature = position("Provenance", "signed");
    let raised = dispute::raise(
        &world.programme,
        &officer,
        officer.actor(),
        note,
        "It was not so",
    );
    let id = world.runtime.block_on(raised).expect("raised");

    let erasure = world.ready(Scope::Notes);
    world
        .take(0, &erasure, Step::CarryOut)
        .expect("carried out");
    let agree = |who: &SignedIn| {
        let step = Answer::Agree { amended: None };
        let taken = dispute::take(&world.programme, who, who.actor(), &id, step, "");
        world.runtime.block_on(taken).map_err(|error| error.kind)
    };
    assert_eq!(agree(&author), Err(ErrorKind::Forbidden));
    assert_eq!(agree(&officer), Ok(()));
    let found = dispute::find(&world.programme.view(AsOf::Now), &id);
    let found = found.expect("read").expect("there");
    assert_eq!(found.dispute.stage, Stage::Agreed);

    let erasure = world.ready(Scope::Record);
    world
        .take(0, &erasure, Step::CarryOut)
        .expect("carried out");
    world.close();
    let data = data.display().to_string();
    let served = Served::start(&data);
    let officer = Person::added(&served, &data, "O. Fresh", "officer");
    let text = page(&officer.browser, &format!("/entries/{signature}"));
    assert!(!text.contains("homecoming audit"), "{text}");
}
