//! Restoring when something is lost: nothing that anybody knows of goes without words that name it, whatever log it was
//! in and whatever it was; and a restore leaves no keys behind.

use std::collections::BTreeSet;
use std::path::Path;

use casework::erasure::{Scope, Step};
use ledger::audit::restoration as part;
use ledger::{Keys, Ledger};
use serde_json::{Value, json};
use server::chance::Chance;
use server::clock::Clock;
use server::programme::{Actor, Batch, Draft, Expect, Offline};

use crate::erasing::{PERSON, World};
use crate::served::{
    Folder, Outside, Served, access_log_key, homecoming, homecoming_done, log_key, programme,
    set_witnesses,
};
use crate::witnesses::put_all;

fn said(output: &std::process::Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The command ends with this exit code and says each of these; all that it says.
#[track_caller]
pub fn ends(words: &[&str], code: i32, parts: &[&str]) -> String {
    let output = homecoming(words);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "it does not say {part:?}: {said}");
    }
    said
}

/// The words of a restore from a backup with keys that lie elsewhere.
pub fn with_keys_of<'w>(backup: &'w str, keys: &'w str, to: &'w str) -> [&'w str; 7] {
    [
        "restore",
        "--from",
        backup,
        "--keys-from",
        keys,
        "--data",
        to,
    ]
}

/// Persons, each with a few facts.
fn import(folder: &Folder, data: &str, persons: &[&str]) {
    let mut lines = String::new();
    for person in persons {
        lines += &format!("{{\"resourceType\":\"Patient\",\"id\":\"{person}\"}}\n");
        for at in 0..2 {
            lines += &format!(
                "{{\"resourceType\":\"Observation\",\"id\":\"{person}-{at}\",\"status\":\"final\",\"code\":{{\"text\":\"sleep\"}},\"subject\":{{\"reference\":\"Patient/{person}\"}},\"valueInteger\":{at}}}\n"
            );
        }
    }
    let file = folder.join(&format!("{}.ndjson", persons.concat()));
    std::fs::write(&file, lines).expect("written");
    homecoming_done(&["import", "--data", data, &file]);
}

fn made(folder: &Folder, persons: &[&str]) -> String {
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "North"]);
    import(folder, &data, persons);
    data
}

/// Makes a backup; how many entries it has.
pub fn backup(data: &str, to: &str) -> u64 {
    homecoming_done(&["backup", "--data", data, "--to", to]);
    let manifest = std::fs::read(format!("{to}/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["size"].as_u64().expect("a size")
}

/// How many entries the record in a directory has.
pub fn size(data: &str) -> u64 {
    ledger::backup::Standing::of(data.as_ref())
        .expect("a ledger")
        .size
}

fn slots(data: &str, person: &str) -> BTreeSet<u32> {
    let keys = Keys::open(data.as_ref(), None).expect("keys");
    let ledger = Ledger::open(data.as_ref(), 1, keys).expect("a ledger");
    let uses = ledger.slots_of(person).expect("read");
    uses.iter().map(|used| used.slot).collect()
}

fn destroy(data: &str, person: &str) {
    let slots: Vec<u32> = slots(data, person).into_iter().collect();
    let keys = Keys::open(data.as_ref(), None).expect("keys");
    keys.destroy(&slots, &mut |bytes| Chance::System.fill(bytes))
        .expect("destroyed");
}

/// Copies a directory as it is.
pub fn copy(from: &str, to: &str) {
    let output = std::process::Command::new("cp")
        .args(["-r", from, to])
        .output();
    assert!(output.expect("cp runs").status.success());
}

/// The restorations' entries, the latest last.
fn restorations(data: &str) -> Vec<Value> {
    let keys = Keys::open(data.as_ref(), None).expect("keys");
    let ledger = Ledger::open(data.as_ref(), 1, keys).expect("a ledger");
    (0..ledger.size().expect("a size"))
        .filter_map(|position| ledger.content(position).ok())
        .filter_map(|content| serde_json::from_slice::<Value>(&content.stored).ok())
        .filter(|resource| {
            let code = resource["code"]["coding"][0]["code"].as_str();
            code.is_some_and(|code| code.starts_with("restore"))
        })
        .collect()
}

/// Whoever destroys keys and restores with words about something else finds that the words must name the keys, and that
/// every audit says it from then on.
#[test]
fn keys_that_are_gone_are_given_up_in_words_that_say_so_and_each_audit_tells() {
    let folder = Folder::new("restore-keys");
    let data = made(&folder, &["one", "two", "three"]);
    let old = folder.join("old");
    let had = backup(&data, &old);
    import(&folder, &data, &["four"]);
    let entries = format!("{} entries", size(&data) - had);
    destroy(&data, "one");
    destroy(&data, "two");
    ends(
        &["audit", "--data", &data],
        1,
        &["no erasure on the record says so"],
    );

    let restore = ["restore", "--from", &old, "--data", &data];
    fn losing_with<'a>(restore: &[&'a str], words: &'a str) -> Vec<&'a str> {
        [restore, &["--lose-entries", words]].concat()
    }
    let all = [entries.as_str(), "keys of 2 persons", "6 contents"];
    ends(&restore, 3, &all);
    let disk = format!("The disk failed on 3 May, {entries} are lost; the director decided it.");
    ends(
        &losing_with(&restore, &disk),
        3,
        &["do not name all that is lost", "keys of 2 persons"],
    );
    let other = format!("{disk} So are the keys of 12 persons and 16 contents.");
    ends(
        &losing_with(&restore, &other),
        3,
        &["do not name all that is lost"],
    );
    assert_eq!(log_key(&data), log_key(&old), "something was changed");
    let words = format!("{disk} So are the keys of 2 persons, with 6 contents, nobody knows why.");
    ends(
        &losing_with(&restore, &words),
        0,
        &["The keys of 2 persons are destroyed", "homecoming/north.2"],
    );

    let told = &restorations(&data)[0];
    let text = told["code"]["text"].as_str().expect("a text");
    for part in ["The keys of 2 persons are destroyed", "6 contents", &words] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let explained = [
        "EXPLAINED: Entry",
        "Keys of 2 persons were gone, and 6 contents with them",
        &words,
    ];
    ends(&["audit", "--data", &data], 0, &explained);
    let json = homecoming_done(&["audit", "--data", &data, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        json["explained"].as_array().map(Vec::len),
        Some(1),
        "{json}"
    );

    // What is destroyed later is no part of it.
    destroy(&data, "three");
    ends(
        &["audit", "--data", &data],
        1,
        &["EXPLAINED", "no erasure on the record says so"],
    );
}

/// Puts a Basic of the programme's own on the record, by its own code.
fn put_by_hand(data: &str, actor: &str, resource: &Value) {
    let keys = Keys::open(data.as_ref(), None).expect("keys");
    let mut programme = Offline::open(
        data.as_ref(),
        keys,
        Clock::System,
        Chance::System,
        &mut |_, _| {},
    )
    .expect("opens");
    let id = resource["id"].as_str().expect("an id");
    let stored = resource.to_string().into_bytes();
    let draft = Draft::governance("Basic", id, Expect::Absent, stored, None).expect("a draft");
    let mut writing = programme.writing();
    let batch = Batch {
        actor: Actor {
            name: actor.to_owned(),
            purpose: "HOPERAT".to_owned(),
        },
        at: None,
        drafts: vec![draft],
        mark: None,
    };
    for outcome in writing.write(vec![batch]).expect("written") {
        outcome.expect("taken");
    }
    writing.finish().expect("finished");
}

/// An entry that says "restored", in a log that goes on, accounts for nothing.
#[test]
fn an_entry_that_only_says_that_the_record_was_restored_accounts_for_no_key() {
    let folder = Folder::new("restore-forged");
    let data = made(&folder, &["one", "two"]);
    let detail = |name: &str, value: &str| json!({"url": format!("{}:{name}", part::ALL), "valueString": value});
    let mut key = [9; 32];
    key[0] = 1;
    let next = tlog::note::SigningKey::from_seed("homecoming/north.2", &key).expect("a key");
    let forged = |id: &str, entries: u64, checkpoint: &str| {
        let standing = ledger::backup::Standing::of(data.as_ref()).expect("a ledger");
        let mut details = vec![
            detail(part::ENTRIES, &entries.to_string()),
            detail(part::CHECKPOINT, checkpoint),
            detail(part::WORDS, "The disk failed and the director decided."),
            detail(part::ENDED, &standing.origin),
            detail(part::ENDED_KEY, &standing.verifier.to_string()),
            detail(part::BEGAN, "homecoming/north.2"),
            detail(part::BEGAN_KEY, &next.verifier().to_string()),
        ];
        for slot in slots(&data, "one") {
            details.push(detail(part::KEY_GONE, &slot.to_string()));
        }
        json!({
            "resourceType": "Basic",
            "id": id,
            "extension": [{"url": part::ALL, "extension": details}],
            "code": {"coding": [{"system": "urn:homecoming:governance", "code": part::WITH_LOSS}]},
        })
    };
    let now = || ledger::backup::Standing::of(data.as_ref()).expect("a ledger");
    destroy(&data, "one");
    let unsaid = "no erasure on the record says so";
    let audit = ["audit", "--data", &data];
    let standing = now();
    put_by_hand(
        &data,
        "user/1",
        &forged("0forged000000001", standing.size, &standing.checkpoint),
    );
    ends(&audit, 1, &[unsaid, "but no restoration recorded it"]);
    put_by_hand(
        &data,
        "restore",
        &forged("0forged000000002", 2, &standing.checkpoint),
    );
    ends(&audit, 1, &[unsaid, "does not end where it begins"]);
    put_by_hand(
        &data,
        "restore",
        &forged("0forged000000003", now().size, &standing.checkpoint),
    );
    ends(
        &audit,
        1,
        &[unsaid, "are not those of the checkpoint in it"],
    );
    // All that can be made up in a log that goes on: it never went on as another one.
    let standing = now();
    put_by_hand(
        &data,
        "restore",
        &forged("0forged000000004", standing.size, &standing.checkpoint),
    );
    ends(
        &audit,
        1,
        &[
            unsaid,
            "no restoration on the record says that this log, with its key, began",
        ],
    );
}

/// A later log of the programme is never behind an earlier backup, and no name is used twice.
#[test]
fn a_backup_of_an_earlier_log_takes_back_the_whole_later_one() {
    let folder = Folder::new("restore-generations");
    let data = made(&folder, &["one"]);
    let first = folder.join("first");
    let had = backup(&data, &first);
    import(&folder, &data, &["two"]);
    let longer = folder.join("longer");
    let long = backup(&data, &longer);
    let aside = folder.join("aside");
    copy(&data, &aside);
    let lost = format!(
        "The disk failed; {} entries are lost, says the director.",
        long - had
    );
    ends(
        &[
            "restore",
            "--from",
            &first,
            "--data",
            &data,
            "--lose-entries",
            &lost,
        ],
        0,
        &["homecoming/north.2"],
    );
    import(&folder, &data, &["three", "four"]);
    let (second, second_keys) = (folder.join("second"), folder.join("second-keys"));
    homecoming_done(&[
        "backup",
        "--data",
        &data,
        "--to",
        &second,
        "--keys-to",
        &second_keys,
    ]);

    // The longer backup is of the log that ended, and has entries that this one does not have.
    for from in [&first, &longer] {
        let restore = ["restore", "--from", from, "--data", &data];
        let phrase = format!("{} entries of homecoming/north.2", size(&data) - had);
        let said = ends(&restore, 3, &[&phrase, "another log of this programme"]);
        assert!(!said.contains("No entry"), "{said}");
        let words = ["--lose-entries", &lost];
        ends(
            &[&restore[..], &words].concat(),
            3,
            &["do not name all that is lost"],
        );
    }
    // From where only a checkpoint of it is left, that counts as well.
    let kept = folder.join("kept.txt");
    let standing = ledger::backup::Standing::of(data.as_ref()).expect("a ledger");
    std::fs::write(&kept, &standing.checkpoint).expect("written");
    let fresh = folder.join("fresh");
    let restore = [
        "restore",
        "--from",
        &longer,
        "--keys-from",
        &aside,
        "--data",
        &fresh,
        "--cosigned",
        &kept,
    ];
    let phrase = format!("up to {} entries of homecoming/north.2", standing.size);
    ends(&restore, 3, &[&phrase]);
    assert!(!Path::new(&fresh).exists());
    assert!(
        !Path::new(&folder.join("fresh.restoring")).exists(),
        "keys were left"
    );

    // The third log is the third, although the backup knows of no second.
    let words = format!(
        "The second log was on the broken disk: {} entries of homecoming/north.2, says the director.",
        size(&data) - had
    );
    let said = ends(
        &[
            "restore",
            "--from",
            &longer,
            "--data",
            &data,
            "--lose-entries",
            &words,
        ],
        0,
        &["homecoming/north.3"],
    );
    assert!(said.contains("homecoming/north has ended"), "{said}");
    ends(
        &["audit", "--data", &data],
        0,
        &["EXPLAINED", "homecoming/north.2 are lost"],
    );

    // What was given up once is not given up again: a backup of the second log over the first.
    ends(
        &[
            "restore",
            "--from",
            &second,
            "--keys-from",
            &second_keys,
            "--data",
            &aside,
        ],
        0,
        &["Nothing that is known of is lost"],
    );
    ends(&["audit", "--data", &aside], 0, &[]);
}

#[test]
fn a_witness_that_cannot_be_asked_is_left_out_by_name_or_nothing_is_restored() {
    let folder = Folder::new("restore-witness");
    let (data, token) = programme(&folder);
    let logs = [log_key(&data), access_log_key(&data)];
    let witness_of = folder.join("witness");
    let witness = Outside::start(&witness_of, &[&logs[0], &logs[1]]);
    let address = witness.address().to_owned();
    set_witnesses(&data, &[&witness], "1");
    let policy = std::fs::read(format!("{data}/witness.policy")).expect("a policy");
    let record = |prefix: &str, count: u64, upto: u64| {
        let served = Served::start(&data);
        put_all(&served, &token, prefix, count);
        served.until_cosigned(upto);
    };
    record("fact", 2, 3);
    let old = folder.join("old");
    let had = backup(&data, &old);
    record("later", 3, had + 3);
    drop(witness);

    let aside = folder.join("aside");
    copy(&data, &aside);
    let fresh = folder.join("fresh");
    let restore = with_keys_of(&old, &aside, &fresh);
    ends(
        &restore,
        3,
        &[
            "Not every witness could be asked",
            "w0 (",
            "--without-asking",
        ],
    );
    ends(
        &[&restore[..], &["--without-asking", "w1"]].concat(),
        3,
        &["the witness policy names no witness so"],
    );
    assert!(!Path::new(&fresh).exists());
    let said = ends(
        &[&restore[..], &["--without-asking", "w0"]].concat(),
        0,
        &["The witness w0 was not asked", "Nobody was there to ask"],
    );
    assert!(!said.contains("Nothing that is known of is lost"), "{said}");
    let told = restorations(&fresh)[0].to_string();
    assert!(
        told.contains("not-asked") && told.contains("The witness w0"),
        "{told}"
    );
    std::fs::remove_dir_all(&fresh).expect("removed");

    // There again, it says what is lost.
    let witness = Outside::start_at(&witness_of, &[], &address);
    ends(&restore, 3, &["the witness w0 has", "3 entries"]);
    // What is noted here and what lies here says so too, without stopping whoever gives the words.
    let words = "The disk failed; 3 entries are lost, and the director decided to go on.";
    let here = ["restore", "--from", &old, "--data", &data];
    ends(
        &[&here[..], &["--lose-entries", words]].concat(),
        0,
        &["homecoming/test-programme.2"],
    );
    let logs = [log_key(&data), access_log_key(&data)];
    drop(witness);
    let witness = Outside::start_at(&witness_of, &[&logs[0], &logs[1]], &address);
    assert_eq!(
        std::fs::read(format!("{data}/witness.policy")).expect("it stays"),
        policy
    );
    let size = size(&data);
    record("second", 2, size + 2);
    // The witness knows of the log that followed, whoever else has forgotten it.
    ends(
        &restore,
        3,
        &[
            "entries of homecoming/test-programme.2",
            "the witness w0 has",
        ],
    );
    drop(witness);
}

/// The access log loses leaves too, and a server would not start behind what witnesses signed of it.
#[test]
fn leaves_of_the_access_log_are_lost_in_words_as_well() {
    let folder = Folder::new("restore-access");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    put_all(&served, &token, "fact", 2);
    drop(served);
    let old = folder.join("old");
    backup(&data, &old);
    let served = Served::start(&data);
    for _ in 0..3 {
        let (status, _) = crate::served::get(&served.url("/fhir/Basic/fact-0"), Some(&token));
        assert_eq!(status, 200);
    }
    drop(served);
    let restore = ["restore", "--from", &old, "--data", &data];
    ends(&restore, 3, &["3 entries of the access log"]);
    let words = "The disk failed; 3 entries of the access log are lost, says the director.";
    ends(&[&restore[..], &["--lose-entries", words]].concat(), 0, &[]);
    drop(Served::start(&data));
    ends(&["audit", "--data", &data], 0, &["EXPLAINED"]);
}

#[test]
fn a_restore_leaves_no_keys_behind_that_an_erasure_would_not_reach() {
    let folder = Folder::new("restore-left");
    let data = made(&folder, &["one"]);
    let old = folder.join("old");
    let had = backup(&data, &old);
    import(&folder, &data, &["two"]);
    let wrapping = std::fs::read(format!("{data}/keys/programme.key")).expect("a key");
    // One that was killed left this; whoever has it open sees what becomes of its bytes.
    let restoring = folder.join("data.restoring");
    std::fs::create_dir_all(format!("{restoring}/keys")).expect("a folder");
    let left = format!("{restoring}/keys/programme.key");
    std::fs::write(&left, &wrapping).expect("written");
    let mut open = std::fs::File::open(&left).expect("open");
    ends(
        &["audit", "--data", &data],
        0,
        &["NOTE: A restore left a copy", "data.restoring"],
    );
    // Refused, and nothing of it is left.
    ends(
        &["restore", "--from", &old, "--data", &data],
        3,
        &["entries"],
    );
    assert!(!Path::new(&restoring).exists());
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut open, &mut bytes).expect("read");
    assert!(bytes.iter().all(|byte| *byte == 0) && bytes.len() == wrapping.len());

    let mut open = std::fs::File::open(format!("{data}/keys/programme.key")).expect("open");
    let words = format!(
        "The disk failed; {} entries are lost, says the director.",
        size(&data) - had
    );
    ends(
        &[
            "restore",
            "--from",
            &old,
            "--data",
            &data,
            "--lose-entries",
            &words,
        ],
        0,
        &["Its keys open nothing without `programme.key`"],
    );
    let before = folder.join("data.before-restore");
    assert!(Path::new(&format!("{before}/keys/ledger.keyring")).exists());
    for name in ["programme.key", "provider.key"] {
        assert!(
            !Path::new(&format!("{before}/keys/{name}")).exists(),
            "{name}"
        );
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut open, &mut bytes).expect("read");
    assert!(bytes.iter().all(|byte| *byte == 0) && bytes.len() == wrapping.len());
    // With the two of them it opens again, as long as nothing was erased.
    for name in ["programme.key", "provider.key"] {
        let (from, to) = (
            format!("{data}/keys/{name}"),
            format!("{before}/keys/{name}"),
        );
        std::fs::copy(from, to).expect("copied");
    }
    ends(&["audit", "--data", &before], 0, &[]);
    ends(
        &["audit", "--data", &data],
        0,
        &["NOTE", "data.before-restore"],
    );
    ends(
        &["keys", "destroy-copies", "--data", &data],
        0,
        &["data.before-restore"],
    );
    ends(
        &["keys", "destroy-copies", "--data", &data],
        0,
        &["no copies"],
    );
}

#[test]
fn nobody_is_erased_while_a_restore_has_left_a_copy_of_the_keys() {
    let folder = Folder::new("restore-erasing");
    let data = folder.join("data");
    let world = World::new(data.as_ref());
    let id = world.ready(Scope::Record);
    let left = folder.join("data.before-restore-2");
    std::fs::create_dir_all(&left).expect("a folder");
    copy(&format!("{data}/keys"), &format!("{left}/keys"));
    let refused = world.take(0, &id, Step::CarryOut).expect_err("refused");
    assert!(
        refused
            .message
            .contains("left copies of the programme's keys"),
        "{refused:?}"
    );
    ends(
        &["keys", "destroy-copies", "--data", &data],
        0,
        &["before-restore-2"],
    );
    world.take(0, &id, Step::CarryOut).expect("erased");
    world.close();
    ends(&["audit", "--data", &data], 0, &[]);
}

/// The keys are newer than the ledger: what an erasure destroyed is evidence of what is lost.
#[test]
fn a_ledger_from_before_an_erasure_is_restored_with_the_keys_from_after_it() {
    let folder = Folder::new("restore-erased");
    let data = folder.join("data");
    let world = World::new(data.as_ref());
    let id = world.ready(Scope::Record);
    world.close();
    let (old, old_keys) = (folder.join("old"), folder.join("old-keys"));
    let words = ["backup", "--data", &data, "--to", &old];
    homecoming_done(&[&words[..], &["--keys-to", &old_keys]].concat());
    let ready = ledger::RecordedAt::parse("2026-05-01T00:00:00Z").expect("a time");
    let world = World::open(data.as_ref(), ready.0);
    world.take(0, &id, Step::CarryOut).expect("erased");
    world.close();
    // The keys from before it open nothing under the wrapping key that there is now.
    ends(
        &with_keys_of(&old, &old_keys, &data),
        3,
        &["ledger.keyring", "wrapped under another wrapping key"],
    );
    let fresh = folder.join("fresh");
    let restore = with_keys_of(&old, &data, &fresh);
    ends(&restore, 3, &["keys of 1 person", "6 contents"]);
    let words =
        "The machine burnt; with it the entry about the keys of 1 person, 6 contents, is lost.";
    ends(
        &[&restore[..], &["--lose-entries", words]].concat(),
        0,
        &["homecoming/erasing.2"],
    );
    ends(
        &["audit", "--data", &fresh],
        0,
        &["EXPLAINED", "Keys of 1 person were gone"],
    );
    // So do the keys' standing, and the person's own file, which says what nobody can tell any more.
    let status = ends(
        &["keys", "status", "--data", &fresh],
        0,
        &[
            "EXPLAINED: the key in slot",
            "was gone when the record was restored",
        ],
    );
    assert!(!status.contains("FINDING"), "{status}");
    let file = folder.join("person.export");
    let export = [
        "export", "--data", &fresh, "--person", PERSON, "--out", &file,
    ];
    homecoming_done(&export);
    let verified = ends(
        &["verify", &file],
        0,
        &[
            "The contents of 6 cannot be opened any more",
            "Why the keys of 6 contents were gone",
            "Nothing here tells the one from the other",
        ],
    );
    assert!(!verified.contains("were erased:"), "{verified}");

    let world = World::open(fresh.as_ref(), ready.0);
    let view = world.programme.view(server::programme::AsOf::Now);
    let gone = view
        .read("Patient", PERSON)
        .map(|_| ())
        .expect_err("it stays erased");
    assert!(
        gone.message
            .contains("was gone when the record was restored"),
        "{gone:?}"
    );
    view.read("Patient", "someone-else")
        .expect("reads")
        .expect("there");
    drop(view);
    world.close();

    // Who says so in somebody's chain without a restoration says it in vain.
    let told = json!({
        "resourceType": "Basic",
        "id": "0forged000000009",
        "identifier": [{"system": "urn:homecoming:person", "value": "BwcHBwcHBwcHBwcHBwcHBw"}],
        "extension": [{"url": evidence::gone::PART, "extension": []}],
        "code": {"coding": [{"system": "urn:homecoming:governance", "code": evidence::gone::KEYS_GONE}]},
    });
    put_by_hand(&fresh, "user/1", &told);
    ends(
        &["audit", "--data", &fresh],
        1,
        &["but no restoration recorded it"],
    );
}

/// What the record's own audit does not look at stops a restore, too: the access log, and what erasures did.
#[test]
fn a_backup_whose_access_log_or_erasures_do_not_fit_is_restored_in_words_or_not_at_all() {
    let folder = Folder::new("restore-beside");
    let data = folder.join("data");
    World::new(data.as_ref()).close();
    let steps = vec![("user/1", 0, Step::CarryOut), ("homecoming", 1, Step::Done)];
    crate::attacks::erasure::forge(&data, steps, |_| {});
    ends(&["audit", "--data", &data], 1, &["is unlawful"]);
    let db = rusqlite::Connection::open(format!("{data}/access.sqlite")).expect("the access log");
    let changed = db.execute_batch("INSERT INTO about (person, position) VALUES (zeroblob(16), 0)");
    changed.expect("changed");
    drop(db);
    ends(
        &["audit", "--data", &data],
        1,
        &["is unlawful", "access log"],
    );
    let old = folder.join("old");
    let made = server::backup::make(
        data.as_ref(),
        old.as_ref(),
        None,
        "2026-05-03T00:00:00Z",
        &mut |_| Ok(()),
    );
    made.expect("a backup");
    let fresh = folder.join("fresh");
    let restore = with_keys_of(&old, &data, &fresh);
    let faults = "2 faults";
    let said = ends(
        &restore,
        3,
        &["takes over what is wrong in it", "is unlawful", faults],
    );
    assert!(!said.contains("another log"), "{said}");
    assert!(
        said.contains("name what is taken over exactly so"),
        "{said}"
    );
    assert!(!Path::new(&fresh).exists());
    let words = format!("An officer once went past the rules; {faults} stay, says the director.");
    let said = ends(
        &[&restore[..], &["--lose-entries", &words]].concat(),
        0,
        &[
            "Taken over:",
            "is unlawful",
            "Leaves of the access log may be",
        ],
    );
    assert!(!said.contains("Nothing that is known of is lost"), "{said}");
    assert_eq!(log_key(&fresh), log_key(&data), "the log goes on");
    let told = restorations(&fresh)[0].to_string();
    assert!(
        told.contains(&words) && told.contains("is unlawful"),
        "{told}"
    );
    ends(&["audit", "--data", &fresh], 1, &["is unlawful"]);
}

#[test]
fn an_old_witness_policy_never_replaces_the_one_that_lies_in_the_place() {
    let folder = Folder::new("restore-policy");
    let data = made(&folder, &["one"]);
    let old = folder.join("old");
    backup(&data, &old);
    let fresh = folder.join("fresh");
    ends(
        &[
            "restore",
            "--from",
            &old,
            "--keys-from",
            &data,
            "--data",
            &fresh,
        ],
        0,
        &[
            "There is no witness policy",
            "nobody outside signs for this record",
        ],
    );
    assert!(
        restorations(&fresh)[0]
            .to_string()
            .contains("There is no witness policy")
    );
    // Without witnesses that could be asked, but a policy all the same.
    let policy = "quorum none\n";
    std::fs::write(format!("{data}/witness.policy"), policy).expect("written");
    ends(
        &["restore", "--from", &old, "--data", &data],
        0,
        &["that lay here stays"],
    );
    let now = std::fs::read_to_string(format!("{data}/witness.policy")).expect("it is there");
    assert_eq!(now, policy);
}

/// Killed between the two changes of names, it leaves nothing in the place; what lay there is asked all the same.
#[test]
fn an_interrupted_restore_is_undone_by_the_next_one() {
    let folder = Folder::new("restore-killed");
    let data = made(&folder, &["one"]);
    let old = folder.join("old");
    let had = backup(&data, &old);
    import(&folder, &data, &["two"]);
    let now = size(&data);
    let before = folder.join("data.before-restore");
    let older = folder.join("data.before-restore-7");
    copy(&data, &before);
    std::fs::rename(&data, &older).expect("moved");
    std::fs::create_dir_all(folder.join("data.restoring")).expect("a folder");
    ends(
        &[
            "restore",
            "--from",
            &old,
            "--keys-from",
            &before,
            "--data",
            &data,
        ],
        3,
        &[
            "What lay in",
            "is there again",
            &format!("{} entries", now - had),
        ],
    );
    assert_eq!(size(&data), now);
    assert!(!Path::new(&older).exists());
    // Where nothing was interrupted, what lay there long ago stays what it is.
    std::fs::rename(&data, folder.join("gone")).expect("moved");
    let gone = folder.join("gone");
    ends(
        &[
            "restore",
            "--from",
            &old,
            "--keys-from",
            &gone,
            "--data",
            &data,
        ],
        0,
        &[],
    );
    assert!(Path::new(&before).exists());
}

/// Keys that are destroyed after the copy was made and before it was read back are no fault of the copy.
#[test]
fn a_backup_during_which_keys_are_destroyed_is_made_again() {
    let folder = Folder::new("backup-destroying");
    let data = made(&folder, &["one", "two"]);
    let (to, keys_to) = (folder.join("copy"), folder.join("keys"));
    let mut checks = 0;
    let mut check = |copy: &Path| {
        checks += 1;
        if checks == 1 {
            let keys = Keys::open(data.as_ref(), None).expect("keys");
            keys.rotate(&mut |bytes| Chance::System.fill(bytes))
                .expect("rotated");
            return Err(server::error::Error::new(
                server::error::ErrorKind::Internal,
                "a key of the copy was destroyed meanwhile",
            ));
        }
        let keys = Keys::open(data.as_ref(), None).expect("keys");
        let how = ledger::audit::How {
            keys_of: Some(data.clone().into()),
            ..ledger::audit::How::with(&keys)
        };
        let report = ledger::audit::audit(copy, &how, &mut |_| {}).expect("an audit");
        assert_eq!(report.faults, []);
        Ok(())
    };
    let made = server::backup::make(
        data.as_ref(),
        to.as_ref(),
        Some(keys_to.as_ref()),
        "2026-05-03T00:00:00Z",
        &mut check,
    );
    made.expect("a backup");
    assert_eq!(checks, 2);
    // The keys beside it are those from after the destruction.
    let keyring = |dir: &str| std::fs::read(format!("{dir}/keys/ledger.keyring")).expect("read");
    assert!(keyring(&keys_to) == keyring(&data));
}
