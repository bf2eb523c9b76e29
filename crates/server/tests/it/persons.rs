//! Whose record something is in: the pages of a person show what is about them, and nothing that
//! was put right or taken away, however it came in.

use std::path::Path;

use crate::people::Person;
use crate::served::{Folder, Served, homecoming_done};

fn write(path: &Path, name: &str, json: &str) {
    std::fs::write(path.join(name), json).expect("an input file");
}

fn condition(id: &str, person: &str) -> String {
    format!(
        r#"{{"resource":{{"resourceType":"Condition","id":"{id}","code":{{"text":"{id} condition"}},"subject":{{"reference":"{person}"}}}},"request":{{"method":"PUT","url":"Condition/{id}"}}}}"#
    )
}

fn bundle(entries: &[&str]) -> String {
    let entries = entries.join(",");
    format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)
}

/// A caseworker, the Practitioner `w`: the code to enrol with.
fn carer(data: &str) -> String {
    let added = homecoming_done(&[
        "user",
        "add",
        "Carer",
        "--data",
        data,
        "--role",
        "caseworker",
        "--practitioner",
        "w",
    ]);
    let code = added.lines().last().expect("a sign-in code");
    code.to_owned()
}

/// Enrols with a code; gives what reads a page.
fn reader(served: &Served, code: &str) -> impl Fn(&str) -> String + use<> {
    let carer = Person::enrol(served, "Carer", code);
    move |path| {
        let answer = carer.browser.get(path);
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    }
}

/// What turned out to be somebody else's is gone from a person's page also for whoever may not see the other person.
#[test]
fn what_became_somebody_elses_is_taken_away_for_those_who_do_not_see_them() {
    let folder = Folder::new("persons-apart");
    let (data, path) = (folder.join("data"), folder.path());
    homecoming_done(&["init", "--data", &data, "--name", "Persons"]);
    let code = carer(&data);
    let person = |id: &str, carer: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Patient","id":"{id}","generalPractitioner":[{{"reference":"Practitioner/{carer}"}}]}},"request":{{"method":"PUT","url":"Patient/{id}"}}}}"#
        )
    };
    let mixed_up = |id: &str| condition("mixed-up", &format!("Patient/{id}"));
    let (one, two) = (person("one", "w"), person("two", "x"));
    write(path, "1.json", &bundle(&[&one, &two, &mixed_up("one")]));
    write(path, "2.json", &bundle(&[&mixed_up("two")]));
    write(
        path,
        "3.json",
        &bundle(&[&condition("kept", "Patient/one")]),
    );
    let inputs = ["1.json", "2.json", "3.json"].map(|name| folder.join(name));
    let mut words = vec!["import", "--data", &data];
    words.extend(inputs.iter().map(String::as_str));
    homecoming_done(&words);

    let served = Served::start(&data);
    let page = reader(&served, &code);
    for (path, mixed_up, kept) in [
        ("/people/one", false, true),
        ("/people/one?_asof=size:3", true, false),
        ("/people/one?_asof=size:4", false, false),
    ] {
        let text = page(path);
        assert_eq!(text.contains("mixed-up condition"), mixed_up, "{path}");
        assert_eq!(text.contains("kept condition"), kept, "{path}");
    }
    // On the timelines it stays as what was once thought, and is taken back; not before it was.
    let timelines = page("/people/one/timelines");
    assert!(
        timelines.contains("mixed-up condition: taken back"),
        "{timelines}"
    );
    let then = page("/people/one/timelines?_asof=size:3");
    assert!(
        then.contains("Known otherwise<div class=\"sub\">as: <bdi>mixed-up condition</bdi>"),
        "{then}"
    );
}

#[test]
fn a_person_has_what_is_about_them_and_not_what_was_taken_away() {
    let folder = Folder::new("persons");
    let (data, path) = (folder.join("data"), folder.path());
    homecoming_done(&["init", "--data", &data, "--name", "Persons"]);
    let code = carer(&data);
    let person = |id: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Patient","id":"{id}","generalPractitioner":[{{"reference":"Practitioner/w"}}]}},"request":{{"method":"PUT","url":"Patient/{id}"}}}}"#
        )
    };
    let mixed_up = condition("mixed-up", "Patient/one");
    let removed = condition("removed", "Patient/one");
    let kept = condition("kept", "Patient/one");
    let (one, two) = (person("one"), person("two"));
    write(
        path,
        "1.json",
        &bundle(&[&one, &two, &mixed_up, &removed, &kept]),
    );
    write(
        path,
        "2.json",
        &bundle(&[&condition("mixed-up", "Patient/two")]),
    );
    let deletion = r#"{"request":{"method":"DELETE","url":"Condition/removed"}}"#;
    write(path, "3.json", &bundle(&[deletion]));
    // Elsewhere this person is Patient/one, too; here it is somebody new.
    let elsewhere = r#"{"fullUrl":"http://elsewhere/Patient/one","resource":{"resourceType":"Patient","name":[{"family":"Newcomer"}]},"request":{"method":"POST","url":"Patient"}}"#;
    let theirs = r#"{"fullUrl":"http://elsewhere/Condition/9","resource":{"resourceType":"Condition","code":{"text":"theirs condition"},"subject":{"reference":"Patient/one"}},"request":{"method":"POST","url":"Condition"}}"#;
    write(path, "4.json", &bundle(&[elsewhere, theirs]));
    let inputs = ["1.json", "2.json", "3.json", "4.json"].map(|name| folder.join(name));
    let mut words = vec!["import", "--data", &data];
    words.extend(inputs.iter().map(String::as_str));
    homecoming_done(&words);
    homecoming_done(&["audit", "--data", &data]);

    let served = Served::start(&data);
    let page = reader(&served, &code);
    let check = |path: &str, expected: [bool; 4]| {
        let text = page(path);
        let seen = ["mixed-up", "removed", "kept", "theirs"]
            .map(|id| text.contains(&format!("{id} condition")));
        assert_eq!(seen, expected, "{path}");
    };
    check("/people/one", [false, false, true, false]);
    check("/people/two", [true, false, false, false]);
    check("/people/one?_asof=size:5", [true, true, true, false]);
    check("/people/two?_asof=size:5", [false, false, false, false]);
    check("/people/one?_asof=size:6", [false, true, true, false]);

    // The deletion is in the chain of the person whom it is taken from.
    let entry = page("/entries/6");
    let (_, rest) = entry
        .split_once("import HOPERAT delete Condition/")
        .expect("the entry's line");
    assert!(
        rest.split(' ')
            .nth(1)
            .is_some_and(|person| person.starts_with('p')),
        "{rest:.80}"
    );

    // A state without entries is no less a state of the past.
    assert!(page("/caseload?_asof=size:0").contains("Back to now"));
}
