//! Resources of which an erasure took some versions, met by what reads and writes them: nothing fails as a whole for
//! that, and whoever may not know of the erasure does not learn of it.

use std::path::Path;
use std::sync::Arc;

use casework::erasure::{Scope, Step};
use policy::{Kind, Purpose, Role};
use serde_json::Value;
use server::error::ErrorKind;
use server::permit::{Reader, Who, write};
use server::programme::{AsOf, Draft, Expect, Search, Work};

use crate::erasing::{OTHER, PERSON, World};
use crate::served::{Folder, Served, homecoming, registered};

const THIRD: &str = "a-third";

const HOUR: i64 = 3_600_000_000;

fn observation(person: &str) -> String {
    format!(
        r#""status":"final","code":{{"text":"scale"}},"subject":{{"reference":"Patient/{person}"}}"#
    )
}

/// What there is of kinds of which some are the programme's own words.
fn moved(person: &str) -> [(&'static str, String); 3] {
    let subject = format!(r#""subject":{{"reference":"Patient/{person}"}}"#);
    [
        ("Basic", format!(r#""code":{{"text":"x"}},{subject}"#)),
        (
            "Communication",
            format!(r#""status":"completed",{subject}"#),
        ),
        (
            "DocumentReference",
            format!(r#""status":"current",{subject},"content":[{{"attachment":{{"title":"x"}}}}]"#),
        ),
    ]
}

/// A programme in which one person's record was erased, and with it one version of some resources: the newest one, an
/// hour after the first, or of `corrected` the first one.
fn partly_erased(data: &Path) -> World {
    let world = World::new(data);
    for (person, caseworker) in [(OTHER, "w1"), (THIRD, "w3")] {
        let rest = format!(
            r#""name":[{{"family":"Plain"}}],"generalPractitioner":[{{"reference":"Practitioner/{caseworker}"}}]"#
        );
        world.put("Patient", person, &rest);
    }
    for id in ["mistaken", "mistaken-too"] {
        world.put("Observation", id, &observation(OTHER));
    }
    for (kind, rest) in moved(OTHER) {
        world.put(kind, "moved", &rest);
    }
    world.clock.set(world.clock.now().0 + HOUR);
    for id in ["mistaken", "mistaken-too"] {
        world.put("Observation", id, &observation(PERSON));
    }
    for (kind, rest) in moved(PERSON) {
        world.put(kind, "moved", &rest);
    }
    for person in [PERSON, OTHER] {
        world.put("Observation", "corrected", &observation(person));
    }
    world.put("Observation", "later", &observation(OTHER));
    let id = world.ready(Scope::Record);
    world.take(0, &id, Step::CarryOut).expect("carried out");
    world
}

fn reader(world: &World, role: Role, practitioners: &[&str], registered: Vec<Kind>) -> Reader {
    let names = practitioners.iter().map(|id| format!("Practitioner/{id}"));
    let who = Who {
        role,
        name: "somebody".to_owned(),
        names: names.collect(),
        patient: None,
        staff: Vec::new(),
        of_programme: !registered.is_empty(),
        registered,
    };
    let now = world.clock.now().0;
    Reader::new(Arc::new(who), Purpose::Treatment, now).expect("a reader")
}

#[test]
fn what_is_left_of_a_resource_is_read_and_written_by_who_may() {
    let folder = Folder::new("partly-erased");
    let data = folder.path().join("data");
    let world = partly_erased(&data);
    let view = world.programme.view(AsOf::Now);

    // A program to which all of a kind is open need not be one that may know of erasures.
    let all = Kind::ALL.to_vec();
    let mut others = all.clone();
    others.retain(|kind| *kind != Kind::Governance);
    for (registered, expected) in [(all, Err(ErrorKind::Erased)), (others, Ok(false))] {
        let program = reader(&world, Role::Client, &[], registered);
        let seen = view.clone().seen_by(&program);
        let is_there = |read: Result<Option<_>, server::error::Error>| {
            let there = read.map(|version| version.is_some());
            there.map_err(|error| error.kind)
        };
        assert_eq!(is_there(seen.read("Observation", "mistaken")), expected);
        assert_eq!(
            is_there(seen.vread("Observation", "mistaken", 1)),
            Ok(true),
            "the first version is there for both"
        );
    }

    // Pages of one hit each: one of them ends with what has lost its first version.
    let caseworker =
        |practitioners: &[&str]| reader(&world, Role::Caseworker, practitioners, Vec::new());
    let seen = view.clone().seen_by(&caseworker(&["w1"]));
    let params = [("patient".to_owned(), OTHER.to_owned())];
    let (criteria, _) = record::search::parse_criteria("Observation", &params, "");
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = seen.search(&Search {
            criteria: &criteria,
            count: 1,
            after,
            total: false,
        });
        let page = page.expect("the next page");
        found.extend(page.hits.into_iter().map(|hit| hit.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.sort_unstable();
    let scores = [0, 1, 2].map(|at| format!("{OTHER}-score-{at}"));
    let mut expected = vec!["corrected".to_owned(), "later".to_owned()];
    expected.extend(scores);
    assert_eq!(found, expected);

    // Whoever writes over what was erased writes over what is left.
    let writes = |reader: &Reader, id: &str, expect: Expect| {
        let rest = observation(THIRD);
        let stored = format!(r#"{{"resourceType":"Observation","id":"{id}",{rest}}}"#);
        let draft = Draft::stored("Observation", id, expect, stored.into_bytes());
        let work = Work::Ready(vec![draft.expect("a draft")]);
        let checked = write::checked(&view, reader, work);
        checked.map(|_| ()).map_err(|error| error.kind)
    };
    let of_third = caseworker(&["w3"]);
    assert_eq!(writes(&of_third, "new", Expect::Any), Ok(()));
    let refused = Err(ErrorKind::Forbidden);
    assert_eq!(writes(&of_third, "mistaken", Expect::Any), refused);
    let of_both = caseworker(&["w1", "w3"]);
    assert_eq!(writes(&of_both, "mistaken", Expect::Any), Ok(()));
    // To who may not know of the erasure there is nothing that has a version.
    let nothing = Err(ErrorKind::NotFound);
    assert_eq!(writes(&of_both, "mistaken", Expect::Version(2)), nothing);

    // That some of a kind are the programme's own words keeps nobody from writing what was not.
    for (kind, rest) in moved(OTHER) {
        assert_eq!(world.read(kind, "moved"), Err(ErrorKind::Erased), "{kind}");
        let written = world.write(kind, "moved", &rest);
        assert!(written.is_ok(), "{kind}: {written:?}");
        assert_eq!(world.read(kind, "moved"), Ok(true), "{kind}");
    }
}

#[test]
fn imports_and_requests_go_on_past_what_was_erased() {
    let folder = Folder::new("partly-erased-served");
    let data = folder.join("data");
    partly_erased(data.as_ref()).close();

    let put = |kind: &str, id: &str, rest: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"{kind}","id":"{id}",{rest}}},"request":{{"method":"PUT","url":"{kind}/{id}"}}}}"#
        )
    };
    let delete =
        |id: &str| format!(r#"{{"request":{{"method":"DELETE","url":"Observation/{id}"}}}}"#);
    let bundle = |entries: &[String]| {
        let entries = entries.join(",");
        format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)
    };
    let mut words = vec!["import".to_owned(), "--json".to_owned()];
    words.extend(["--data".to_owned(), data.clone()]);
    for (name, entry) in [
        ("1.json", delete("mistaken")),
        ("2.json", put("Communication", "moved", &moved(OTHER)[1].1)),
        ("3.json", put("Observation", "brought", &observation(OTHER))),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, bundle(&[entry])).expect("an input file");
        words.push(file);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = homecoming(&words);
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(said["resources"], 2, "{said}");
    let troubles = said["troubles"].as_array().expect("a list");
    assert_eq!(troubles.len(), 1, "{said}");
    let file = troubles[0]["file"].as_str().expect("a file");
    assert!(file.ends_with("1.json"), "{said}");
    let error = troubles[0]["error"].as_str().expect("a sentence");
    assert!(error.contains("Observation/mistaken was deleted"), "{said}");

    let token = registered(&data);
    let served = Served::start(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let ask = |method: &str, path: &str, version: &str, body: &str| -> (u16, Value) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(served.url(&format!("/fhir{path}")))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json");
        if !version.is_empty() {
            request = request.header("If-Match", version);
        }
        let answer = match body {
            "" => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body.to_owned()).expect("a request")),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let body = serde_json::from_str(&text).unwrap_or_default();
        (answer.status().as_u16(), body)
    };

    // The first version ended when the second was recorded, though that one was erased.
    for (at, total) in [("00:30", 1), ("02:00", 0)] {
        let path = format!("/Observation/mistaken/_history?_at=2026-03-01T{at}:00Z");
        let (status, history) = ask("GET", &path, "", "");
        assert_eq!(status, 200, "{at}: {history}");
        assert_eq!(history["total"], total, "{at}");
    }
    // And what was changed was not made, though nobody sees any more what it was before.
    let (_, history) = ask("GET", "/Observation/corrected/_history", "", "");
    assert_eq!(history["total"], 1, "{history}");
    assert_eq!(history["entry"][0]["response"]["status"], "200 OK");

    // What was erased does not come along; what is left does.
    let members = r#""hasMember":[{"reference":"Observation/mistaken"},{"reference":"Observation/corrected"}]"#;
    let body = format!(
        r#"{{"resourceType":"Observation","id":"points",{},{members}}}"#,
        observation(OTHER)
    );
    assert_eq!(ask("PUT", "/Observation/points", "", &body).0, 201);
    let path = "/Observation?_id=points&_include=Observation:has-member";
    let (status, page) = ask("GET", path, "", "");
    assert_eq!(status, 200, "{page}");
    let entries = page["entry"].as_array().expect("entries");
    let ids: Vec<&Value> = entries.iter().map(|one| &one["resource"]["id"]).collect();
    assert_eq!(ids, ["points", "corrected"], "{page}");

    // It is as little there to delete as what was deleted.
    let body = format!(
        r#"{{"resourceType":"Observation","id":"gone",{}}}"#,
        observation(OTHER)
    );
    assert_eq!(ask("PUT", "/Observation/gone", "", &body).0, 201);
    assert_eq!(ask("DELETE", "/Observation/gone", "", "").0, 204);
    for id in ["gone", "mistaken"] {
        let path = format!("/Observation/{id}");
        assert_eq!(ask("DELETE", &path, "", "").0, 204, "{id}");
        let beside = format!("beside-{id}");
        let body = bundle(&[delete(id), put("Observation", &beside, &observation(OTHER))]);
        let (status, answer) = ask("POST", "", "", &body);
        assert_eq!(status, 200, "{id}: {answer}");
        let path = format!("/Observation/{beside}");
        assert_eq!(ask("GET", &path, "", "").0, 200, "{id}");
    }

    // What is expected of it holds in a transaction as it does alone.
    for (version, alone, within) in [("W/\"1\"", 410, 410), ("W/\"2\"", 201, 200)] {
        let rest = observation(OTHER);
        let body = format!(r#"{{"resourceType":"Observation","id":"mistaken",{rest}}}"#);
        let (status, answer) = ask("PUT", "/Observation/mistaken", version, &body);
        assert_eq!(status, alone, "{version}: {answer}");
        let matched = format!(
            r#""url":"Observation/mistaken-too","ifMatch":{}"#,
            Value::from(version)
        );
        let entry = put("Observation", "mistaken-too", &rest)
            .replace(r#""url":"Observation/mistaken-too""#, &matched);
        let (status, answer) = ask("POST", "", "", &bundle(&[entry]));
        assert_eq!(status, within, "{version}: {answer}");
    }
}
