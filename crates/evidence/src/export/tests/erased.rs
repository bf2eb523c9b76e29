//! What erasures account for: just what they say, and only if they were lawful by the steps that the chain shows.

use super::*;
use crate::erasure::{CARRYING_OUT, DONE, key_name_text};
use crate::export::erased::{Erasures, Lost};
use crate::gone::KeysGone;
use crate::trust::SKEW_MAX_US;

/// The name of the key of the therapy notes.
const NOTES: KeyName = [12; 32];

/// What goes: the bound, how many of which kinds, and the names of the keys.
type Goes<'g> = (u64, &'g [(&'g str, u64)], &'g [KeyName]);

/// A version of an erasure's Task, with a minute between telling and carrying out.
fn task(step: &str, scope: &str, goes: Option<Goes<'_>>) -> Vec<u8> {
    let coded = |system: &str, code: &str| {
        format!(r#"{{"coding":[{{"system":"urn:homecoming:{system}","code":"{code}"}}]}}"#)
    };
    let number = |system: &str, code: &str, value: u64| {
        format!(
            r#"{{"type":{},"valueInteger":{value}}}"#,
            coded(system, code)
        )
    };
    let mut output = String::new();
    if let Some((below, kinds, names)) = goes {
        let entries = kinds.iter().map(|(_, count)| count).sum();
        let mut parts = vec![
            number("erasure", "below", below),
            number("erasure", "entries", entries),
        ];
        let each = kinds.iter();
        parts.extend(each.map(|(kind, count)| number("erasure-kind", kind, *count)));
        for (slot, name) in (0..).zip(names) {
            let (kind, name) = (coded("erasure", "key-name"), key_name_text(name));
            parts.push(number("erasure", "key", slot));
            parts.push(format!(r#"{{"type":{kind},"valueString":"{name}"}}"#));
        }
        output = format!(r#","output":[{}]"#, parts.join(","));
    }
    format!(
        r#"{{"resourceType":"Task","id":"0123456789abcdef","identifier":[{{"system":"urn:homecoming:person","value":"{PERSON}"}}],"status":"x","businessStatus":{},"intent":"order","code":{},"input":[{{"type":{},"valueCode":"{scope}"}},{}]{output}}}"#,
        coded("erasure-step", step),
        coded("governance", "erasure"),
        coded("erasure", "scope"),
        number("erasure", "delay-seconds", 60),
    )
    .into_bytes()
}

/// Steps by who takes them, with what goes in those that say so.
type Steps<'s> = &'s [(&'s str, &'s str)];

/// What an erasure needs.
const LAWFUL: Steps<'static> = &[
    ("user/7", "requested"),
    ("user/8", "approved"),
    ("user/9", "approved"),
    ("user/7", "told"),
    ("user/7", CARRYING_OUT),
    ("homecoming", DONE),
];

impl Log {
    /// An erasure by these steps.
    fn erase(&mut self, steps: Steps<'_>, scope: &str, goes: Goes<'_>) {
        for (actor, step) in steps {
            let goes = matches!(*step, CARRYING_OUT | DONE).then_some(goes);
            self.push_by(actor, Some(PERSON), "Task", task(step, scope, goes));
        }
    }

    fn observations(count: u64) -> Log {
        let mut log = Log::default();
        for value in 0..count {
            log.push(Some(PERSON), "Observation", observation(value));
        }
        log
    }

    /// The export of all, without the contents at these positions.
    fn without(&self, erased: impl IntoIterator<Item = usize>) -> Export {
        let mut log = self.clone();
        log.push_map();
        let all: Vec<u64> = (0..self.items.len() as u64).collect();
        let mut export = log.export_of(&all);
        for position in erased {
            export.record.items[position].content = Content::Erased(log.left[position]);
        }
        export
    }
}

fn checked(export: &Export) -> Result<Report, Problem> {
    check(&export.write())
}

fn counts<T>(what: &str) -> Result<T, Problem> {
    let what = what.to_owned();
    Err(Problem::Counts { what })
}

fn missing<T>(position: u64) -> Result<T, Problem> {
    Err(Problem::Missing { position })
}

#[test]
fn what_was_erased_is_accounted_for_or_missed() {
    let mut log = Log::observations(3);
    log.erase(LAWFUL, "record", (2, &[("Observation", 2)], &[KEY]));
    let found = |erased: &[usize]| checked(&log.without(erased.iter().copied()));
    let report = found(&[0, 1]).expect("an erasure accounts for both");
    let says = |s: &String| s.starts_with("The contents of 2 were erased: each lay under a key");
    assert!(report.proved.iter().any(says));
    assert_eq!(report.entries[0].1, None);
    // Another one is missing, or instead of one; or one is there that is said to be gone.
    assert_eq!(found(&[0, 1, 2]), missing(2));
    assert_eq!(found(&[0, 2]), missing(2));
    let one = "2 contents of the kind Observation are said to be gone, and only 1 are missing";
    assert_eq!(found(&[1]), counts(one));
    let none = one.replace("only 1", "only 0");
    assert_eq!(found(&[]), counts(&none));
    // What tells of the erasure cannot be missing itself.
    assert!(matches!(
        found(&[0, 1, 3]),
        Err(Problem::Unlawful { position: 7, .. })
    ));
    assert_eq!(found(&[7, 8]), missing(7));
}

/// Forty observations, a note under the key of the notes, and one that was never sealed as such.
fn with_notes() -> Log {
    let mut log = Log::observations(40);
    let note = br#"{"resourceType":"DocumentReference","id":"0123456789abcdef"}"#;
    log.under = Some((NOTES, Class::Notes));
    log.push(Some(PERSON), "DocumentReference", note.to_vec());
    log.under = None;
    log.push(Some(PERSON), "DocumentReference", note.to_vec());
    log
}

#[test]
fn an_erasure_of_one_therapy_note_accounts_for_that_note_and_for_nothing_else() {
    let one: &[(&str, u64)] = &[("DocumentReference", 1)];
    let mut log = with_notes();
    log.erase(LAWFUL, "therapy-notes", (42, one, &[NOTES]));
    let report = checked(&log.without([40])).expect("the note is accounted for");
    let says = |s: &String| s.contains("sealed as a therapy note when it was recorded");
    assert!(report.not_proved.iter().any(says));
    // The other is of the same kind, and as many are missing as the erasure says.
    assert_eq!(checked(&log.without([41])).map(|_| ()), missing(41));
    assert_eq!(checked(&log.without([40, 41])).map(|_| ()), missing(41));
    assert_eq!(checked(&log.without([5, 40])).map(|_| ()), missing(5));
    assert_eq!(checked(&log.without(0..41)).map(|_| ()), missing(0));
    // What is left of it is another's.
    let mut other = log.without([40]);
    other.record.items[40].content = Content::Erased(log.left[41]);
    let found = checked(&other).map(|_| ());
    assert_eq!(found, Err(Problem::Content { position: 40 }));
}

#[test]
fn an_erasure_of_the_therapy_notes_that_names_the_key_of_the_record_takes_nothing_of_it() {
    let mut log = with_notes();
    let all = &[("DocumentReference", 2), ("Observation", 40)][..];
    log.erase(LAWFUL, "therapy-notes", (42, all, &[KEY, NOTES]));
    assert_eq!(checked(&log.without(0..42)).map(|_| ()), missing(0));
    let mut log = with_notes();
    log.erase(LAWFUL, "record", (42, all, &[KEY, NOTES]));
    assert_eq!(checked(&log.without(0..42)).map(|_| ()), Ok(()));
}

#[test]
fn one_that_is_being_carried_out_may_not_have_come_so_far() {
    let mut log = Log::observations(3);
    log.erase(&LAWFUL[..5], "record", (3, &[("Observation", 2)], &[KEY]));
    for erased in [&[][..], &[0], &[0, 2]] {
        assert!(checked(&log.without(erased.iter().copied())).is_ok());
    }
    let what = "3 contents of the kind Observation are missing, and they name 2";
    assert_eq!(checked(&log.without(0..3)), counts(what));
    // Those that are there lie under the key that is to go, too; the other key stays.
    log.under = Some((NOTES, Class::Notes));
    log.push(Some(PERSON), "Observation", observation(9));
    assert_eq!(checked(&log.without([0, 8])), missing(8));
}

#[test]
fn several_erasures_account_each_for_what_was_there() {
    const LATER: KeyName = [13; 32];
    let mut log = Log::observations(1);
    log.under = Some((LATER, Class::Record));
    log.push(Some(PERSON), "Observation", observation(1));
    log.erase(LAWFUL, "record", (2, &[("Observation", 1)], &[KEY]));
    for value in 2..5 {
        log.push(Some(PERSON), "Observation", observation(value));
    }
    let again: Vec<Vec<u8>> = LAWFUL
        .iter()
        .map(|(_, step)| {
            let goes = matches!(*step, CARRYING_OUT | DONE).then_some((
                10,
                &[("Observation", 3), ("Task", 0)][..],
                &[LATER][..],
            ));
            let text = String::from_utf8(task(step, "record", goes)).expect("text");
            text.replace("0123456789abcdef", "fedcba9876543210")
                .into_bytes()
        })
        .collect();
    for (stored, (actor, _)) in again.into_iter().zip(LAWFUL) {
        // The log of these tests gives every line one id; an alias says nothing of it.
        log.push_by(actor, Some(PERSON), "Task", stored);
        let item = log.items.last_mut().expect("it was pushed");
        item.line = item
            .line
            .replace("0123456789abcdef", "~AAAAAAAAAAAAAAAAAAAAAA");
        let hash = tlog::leaf_hash(item.line.as_bytes());
        log.heads[0].hash = hash;
    }
    let found = |erased: &[usize]| checked(&log.without(erased.iter().copied())).map(|_| ());
    assert_eq!(found(&[0, 1, 8, 9]), Ok(()));
    // The one that came after it, instead of one of them; and as many as both say, but of the second more.
    assert_eq!(found(&[0, 1, 8, 10]), missing(10));
    let first = "1 contents of the kind Observation are said to be gone, and only 0 are missing";
    assert_eq!(found(&[1, 8, 9]), counts(first));
    let second = "3 contents of the kind Observation are said to be gone, and only 2 are missing";
    assert_eq!(found(&[0, 8, 9]), counts(second));
}

#[test]
fn one_that_was_carried_out_past_the_rules_accounts_for_nothing() {
    let check = |steps: Steps<'_>, expect: Option<&'static str>| {
        let mut log = Log::observations(1);
        log.erase(steps, "record", (1, &[("Observation", 1)], &[KEY]));
        let position = steps.iter().position(|(_, step)| *step == CARRYING_OUT);
        let expect = match (expect, position) {
            (None, _) => Ok(()),
            (Some(what), Some(at)) => Err(Problem::Unlawful {
                position: at as u64 + 1,
                what,
            }),
            (Some(_), None) => missing(0),
        };
        assert_eq!(checked(&log.without([0])).map(|_| ()), expect, "{steps:?}");
    };
    const ASKED: (&str, &str) = ("user/7", "requested");
    const ONE: (&str, &str) = ("user/8", "approved");
    const TWO: (&str, &str) = ("user/9", "approved");
    const TOLD: (&str, &str) = ("user/7", "told");
    const BEGUN: (&str, &str) = ("user/7", CARRYING_OUT);
    const END: (&str, &str) = ("homecoming", DONE);
    check(LAWFUL, None);
    check(&[ASKED, ("user/7", "not-told"), ONE, TWO, BEGUN, END], None);
    let held = ("Practitioner/a", "held");
    let lifted = ("user/8", "released");
    check(&[ASKED, ONE, held, TWO, TOLD, lifted, BEGUN], None);
    check(&[], Some("there is none"));
    check(&[ASKED, ONE, TWO, TOLD], Some("it did not come so far"));
    check(&[BEGUN, END], Some("was never asked for"));
    check(
        &[ONE, TWO, TOLD, BEGUN],
        Some("was not asked for by an officer"),
    );
    check(
        &[("client/x", "requested"), ONE, TWO, TOLD, BEGUN],
        Some("was not asked for by an officer"),
    );
    let few = "was not approved by two officers other than the one who asked for it";
    check(&[ASKED, ONE, TOLD, BEGUN, END], Some(few));
    check(&[ASKED, ONE, ONE, TOLD, BEGUN, END], Some(few));
    let cannot = "has a step before it that it cannot have";
    let own = ("user/7", "approved");
    check(&[ASKED, ONE, own, TOLD, BEGUN, END], Some(cannot));
    let program = ("client/x", "approved");
    check(&[ASKED, ONE, program, TOLD, BEGUN, END], Some(cannot));
    let refused = ("user/8", "refused");
    check(&[ASKED, ONE, TWO, TOLD, refused, BEGUN], Some(cannot));
    let untold = "came although nobody had told the person, or said why not";
    check(&[ASKED, ONE, TWO, BEGUN, END], Some(untold));
    let stood = "came although something stood in the way";
    check(&[ASKED, ONE, TWO, TOLD, held, BEGUN], Some(stood));
    let officer = "was not carried out by an officer";
    let program = ("homecoming", CARRYING_OUT);
    check(&[ASKED, ONE, TWO, TOLD, program, END], Some(officer));
    let goes_on = "goes on with a step that it cannot take";
    check(&[ASKED, ONE, TWO, TOLD, BEGUN, BEGUN], Some(goes_on));
    let by_hand = ("user/7", DONE);
    check(&[ASKED, ONE, TWO, TOLD, BEGUN, by_hand], Some(goes_on));
    let after = "goes on after its end";
    check(&[ASKED, ONE, TWO, TOLD, BEGUN, END, END], Some(after));
}

/// Steps whose contents do not fit each other.
#[test]
fn one_that_takes_something_else_than_it_may_accounts_for_nothing() {
    type Step = (&'static str, Vec<u8>);
    let goes: Goes<'_> = (1, &[("Observation", 1)], &[KEY]);
    let check = |change: &dyn Fn(&mut Vec<Step>), expect: &'static str| {
        let mut steps: Vec<Step> = LAWFUL
            .iter()
            .map(|(actor, step)| {
                let goes = matches!(*step, CARRYING_OUT | DONE).then_some(goes);
                (*actor, task(step, "record", goes))
            })
            .collect();
        change(&mut steps);
        let mut log = Log::observations(1);
        for (actor, stored) in steps {
            log.push_by(actor, Some(PERSON), "Task", stored);
        }
        let expect = Err(Problem::Unlawful {
            position: 5,
            what: expect,
        });
        assert_eq!(checked(&log.without([0])).map(|_| ()), expect);
    };
    let reword = |steps: &mut Vec<Step>, at: usize, from: &str, to: &str| {
        let text = String::from_utf8(steps[at].1.clone()).expect("text");
        assert!(text.contains(from), "{text}");
        steps[at].1 = text.replace(from, to).into_bytes();
    };
    check(
        &|steps| steps[4].1 = task(CARRYING_OUT, "record", None),
        "does not say what goes",
    );
    let numbers = "does not say of which kinds the contents are that go";
    let one = r#""code":"entries"}]},"valueInteger":1"#;
    check(
        &|steps| reword(steps, 4, one, &one.replace(":1", ":2")),
        numbers,
    );
    let below = r#""code":"below"}]},"valueInteger":1"#;
    check(
        &|steps| reword(steps, 4, below, &below.replace(":1", ":6")),
        "takes what came after it",
    );
    check(
        &|steps| reword(steps, 4, r#""code":"key-name""#, r#""code":"another""#),
        "does not name each key that goes",
    );
    check(
        &|steps| reword(steps, 4, "\"record\"", "\"therapy-notes\""),
        "takes something else than was asked for",
    );
    check(
        &|steps| reword(steps, 0, ":60}", ":61}"),
        "came before the time that it had set itself",
    );
    check(
        &|steps| reword(steps, 0, ":60}", ":9223372036854775807}"),
        "set no time for it",
    );
    check(
        &|steps| reword(steps, 0, ":60}", ":9223372036854}"),
        "came before the time that it had set itself",
    );
    check(
        &|steps| reword(steps, 5, "\"Observation\"", "\"Condition\""),
        "says at its end that something else went than at its beginning",
    );
}

#[test]
fn erasures_that_do_not_follow_each_other_account_for_nothing() {
    let mut log = Log::observations(3);
    log.erase(LAWFUL, "record", (3, &[("Observation", 2)], &[KEY]));
    let Export { record, .. } = log.without([]);
    assert_eq!(record.items.len(), 9);
    for (actor, step) in LAWFUL {
        let goes = matches!(*step, CARRYING_OUT | DONE).then_some((
            2,
            &[("Observation", 1)][..],
            &[KEY][..],
        ));
        let stored = String::from_utf8(task(step, "record", goes)).expect("text");
        let stored = stored.replace("0123456789abcdef", "fedcba9876543210");
        log.push_by(actor, Some(PERSON), "Task", stored.into_bytes());
        let item = log.items.last_mut().expect("it was pushed");
        item.line = item
            .line
            .replace("0123456789abcdef", "~AAAAAAAAAAAAAAAAAAAAAA");
        log.heads[0].hash = tlog::leaf_hash(item.line.as_bytes());
    }
    let found = checked(&log.without(0..3)).map(|_| ());
    assert_eq!(found, counts("they do not follow each other"));
}

/// Keys that were gone when the record was restored: what they sealed is accounted for, and nobody calls it erased.
#[test]
fn what_a_restoration_found_gone_is_accounted_for_and_not_explained() {
    const SECOND: &str = "ward.example/log.2";
    let told_of = |entry: u64, person: Alias, contents: u64, names: &[KeyName]| {
        let part = |name: &str, value: &str| {
            format!(r#"{{"url":"urn:homecoming:keys-gone:{name}","valueString":"{value}"}}"#)
        };
        let mut parts = vec![
            part("entry", &entry.to_string()),
            part("contents", &contents.to_string()),
        ];
        let key = |name: &KeyName| part("key", &format!("3:{}", key_name_text(name)));
        parts.extend(names.iter().map(key));
        format!(
            r#"{{"resourceType":"Basic","id":"0123456789abcdef","identifier":[{{"system":"urn:homecoming:person","value":"{person}"}}],"extension":[{{"url":"urn:homecoming:keys-gone","extension":[{}]}}],"code":{{"coding":[{{"system":"urn:homecoming:governance","code":"keys-gone"}}]}}}}"#,
            parts.join(",")
        )
        .into_bytes()
    };
    let told = |person, contents, names: &[KeyName]| told_of(3, person, contents, names);
    let with = |origin: &str, actor: &str, stored: &[u8], missing: &[usize]| {
        let mut log = Log::observations(2);
        log.under = Some((NOTES, Class::Notes));
        log.push(Some(PERSON), "Observation", observation(2));
        log.under = None;
        // In the place of the restoration's own entry.
        log.push(Some(PERSON), "Observation", observation(3));
        // The map's kind is a Basic, too.
        log.push_by(actor, Some(PERSON), "Basic", stored.to_vec());
        log.push(Some(PERSON), "Observation", observation(4));
        let mut export = log.without(missing.iter().copied());
        let map = export.map.line.clone();
        let lines = export.record.items.iter().map(|item| item.line.clone());
        let lines: Vec<String> = lines.chain([map]).collect();
        let tree: Tree = lines
            .iter()
            .map(|line| tlog::leaf_hash(line.as_bytes()))
            .collect();
        let all: Vec<u64> = (0..tree.size()).collect();
        (export.record.hashes, export.record.checkpoint) = prove(&tree, &all, origin);
        export.record.key = key(origin).verifier().clone();
        Export::parse(&export.write())?.verify(&Trust::default())
    };
    let both = told(PERSON, 3, &[KEY, NOTES]);
    let report = with(SECOND, "restore", &both, &[0, 1, 2]).expect("accounted for");
    let says = |all: &[String], what: &str| all.iter().any(|said| said.contains(what));
    assert!(says(
        &report.proved,
        "The contents of 3 cannot be opened any more: entry 4"
    ));
    assert!(!says(&report.proved, "were erased"));
    assert!(says(
        &report.not_proved,
        "Why the keys of 3 contents were gone"
    ));
    // Shares may have brought some of them back; more than it says are not gone, nor what came after it.
    assert!(with(SECOND, "restore", &both, &[0]).is_ok());
    let report = with(SECOND, "restore", &both, &[]).expect("nothing is missing");
    assert!(!says(&report.not_proved, "Why the keys"));
    let fewer = told(PERSON, 2, &[KEY, NOTES]);
    let what = "3 contents are missing under keys that were gone when the record was restored, and entry 4 says 2";
    assert_eq!(with(SECOND, "restore", &fewer, &[0, 1, 2]), counts(what));
    assert_eq!(with(SECOND, "restore", &both, &[5]), missing(5));
    assert_eq!(with(SECOND, "restore", &both, &[3]), missing(3));
    // What names itself, or something that came later, as the restoration.
    for entry in [4, 5, u64::MAX] {
        let itself = told_of(entry, PERSON, 3, &[KEY, NOTES]);
        assert_eq!(with(SECOND, "restore", &itself, &[0]), missing(0));
    }
    let notes = told(PERSON, 3, &[NOTES]);
    assert!(with(SECOND, "restore", &notes, &[2]).is_ok());
    assert_eq!(with(SECOND, "restore", &notes, &[1, 2]), missing(1));
    // Only what a restoration recorded, of this person, in a log that one began.
    assert_eq!(with(SECOND, "user/1", &both, &[0]), missing(0));
    assert_eq!(with(ORIGIN, "restore", &both, &[0]), missing(0));
    let other = told(OTHER, 3, &[KEY, NOTES]);
    assert_eq!(with(SECOND, "restore", &other, &[0]), missing(0));
}

/// Disclosures that were erased with the person, and those that cannot be in a person's file.
#[test]
fn a_disclosure_without_its_content_needs_an_erasure() {
    let stored = br#"{"address":"/people/x"}"#;
    // The content of the disclosure lies under KEY; what is erased, under the one that is given.
    let told_at = |erasure: Option<(Class, Steps<'_>, KeyName)>,
                   recorded_at: RecordedAt,
                   whom: Whom,
                   content: Content| {
        let mut log = Log::default();
        let mut erased = None;
        if let Some((class, _, name)) = erasure {
            log.under = Some((name, class));
            erased = Some(0);
        }
        log.push(Some(PERSON), "Observation", observation(0));
        if let Some((class, steps, name)) = erasure {
            let scope = match class {
                Class::Record => "record",
                Class::Notes => "therapy-notes",
            };
            log.erase(steps, scope, (1, &[("Observation", 1)], &[name]));
        }
        let line = access_line_at(0, recorded_at, whom, stored);
        let tree: Tree = [tlog::leaf_hash(line.as_bytes())].into_iter().collect();
        let (hashes, checkpoint) = prove(&tree, &[0], ACCESS);
        let mut export = log.without(erased);
        export.access = Some(Section {
            key: key(ACCESS).verifier().clone(),
            items: vec![Item { line, content }],
            hashes,
            checkpoint,
        });
        checked(&export).map(|report| report.disclosures.len())
    };
    let with = |erasure, whom, content| told_at(erasure, at(0), whom, content);
    let here = || Content::Here {
        salt: SALT,
        stored: stored.to_vec(),
    };
    let gone = |whom| Content::Erased(left_of_leaf(0, whom));
    let one = Whom::One(PERSON);
    let whole = Some((Class::Record, LAWFUL, KEY));
    let begun = Some((Class::Record, &LAWFUL[..5], KEY));
    let other = Some((Class::Record, LAWFUL, NOTES));
    let notes = Some((Class::Notes, LAWFUL, KEY));
    assert_eq!(with(None, one, here()), Ok(1));
    assert_eq!(with(whole, one, gone(one)), Ok(1));
    assert_eq!(with(begun, one, gone(one)), Ok(1));
    assert_eq!(with(None, one, gone(one)), missing(0));
    // What lay under another key did not go with it, nor does anything with the therapy notes.
    assert_eq!(with(other, one, gone(one)), missing(0));
    assert_eq!(with(other, one, here()), Ok(1));
    assert_eq!(with(notes, one, gone(one)), missing(0));
    // Nobody tells anything under a key that is gone; who has its name can make it look so.
    let skew = |done: RecordedAt, over: i64| RecordedAt(done.0 + SKEW_MAX_US + over);
    let done = at(6);
    assert_eq!(told_at(whole, skew(done, 0), one, gone(one)), Ok(1));
    assert_eq!(told_at(whole, skew(done, 1), one, gone(one)), missing(0));
    assert_eq!(told_at(whole, skew(done, 1), one, here()), Ok(1));
    assert_eq!(told_at(begun, skew(done, 1), one, gone(one)), Ok(1));
    // Nor after a restoration found it gone.
    let restored = Lost {
        position: 9,
        recorded_at: done,
        keys: KeysGone {
            person: PERSON,
            entry: 8,
            contents: 1,
            keys: vec![(3, KEY)],
        },
        missing: 0,
    };
    let erasures = Erasures::read(&[], vec![restored]).expect("no erasure");
    for (over, expect) in [(0, true), (1, false)] {
        let line = access_line_at(0, skew(done, over), one, stored);
        let leaf = disclosure::Leaf::parse(line.as_bytes()).expect("a leaf");
        let left = left_of_leaf(0, one);
        assert_eq!(
            erasures.took_disclosure(ACCESS, PERSON, &leaf, &left),
            expect
        );
    }
    let several = Whom::Many(2);
    assert_eq!(with(None, several, Content::Withheld), Ok(1));
    assert_eq!(with(None, several, here()), missing(0));
    assert_eq!(with(whole, several, gone(several)), missing(0));
    // Whoever told of nobody told nothing of this person.
    assert_eq!(with(None, Whom::Nobody, here()), missing(0));
    assert_eq!(with(None, Whom::Nobody, Content::Withheld), missing(0));
}
