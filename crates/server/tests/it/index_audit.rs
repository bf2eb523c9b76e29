//! `homecoming audit` and the index: it holds what the ledger gives, whatever happened, and whoever makes it
//! hold anything else is found out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use casework::erasure::{Scope, Step};
use index::{Change, Forgotten, Index};

use crate::erasing::World;
use crate::served::{Folder, Served, get, homecoming, homecoming_done, programme};

/// What an audit says of it, and its exit code.
fn audit(data: &str) -> (Option<i32>, serde_json::Value) {
    let output = homecoming(&["audit", "--data", data, "--json"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let said = serde_json::from_str(&said).unwrap_or_else(|_| {
        panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), said)
}

#[track_caller]
fn sound(data: &str, entries: u64) {
    let (code, said) = audit(data);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said["faults"], serde_json::json!([]));
    assert_eq!(said["index"]["compared"], true, "{said}");
    assert_eq!(said["index"]["entries"], entries, "{said}");
    assert!(!Path::new(data).join("index.audit").exists());
}

fn send(served: &Served, token: &str, method: &str, path: &str, body: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let (url, bearer) = (served.url(path), format!("Bearer {token}"));
    if method == "DELETE" {
        let answer = agent.delete(url).header("Authorization", &bearer).call();
        return answer.expect("an answer").status().as_u16();
    }
    let request = match method {
        "PUT" => agent.put(url),
        _ => agent.post(url),
    };
    let answer = request
        .header("Authorization", &bearer)
        .header("Content-Type", "application/fhir+json")
        .send(body);
    answer.expect("an answer").status().as_u16()
}

fn observation(id: &str, status: &str, value: u32) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"{status}","code":{{"text":"sleep"}},"subject":{{"reference":"Patient/anna"}},"effectiveDateTime":"2026-03-0{}","valueInteger":{value}}}"#,
        1 + value % 9
    )
}

/// A patient and scores that change, go and come back; a transaction of three.
fn write(served: &Served, token: &str) {
    let put = |path: &str, body: &str| {
        let status = send(served, token, "PUT", path, body);
        assert!(matches!(status, 200 | 201), "{path}: {status}");
    };
    let patient = r#"{"resourceType":"Patient","id":"anna","name":[{"family":"Reyes"}]}"#;
    put("/fhir/Patient/anna", patient);
    for at in 0..4 {
        let path = format!("/fhir/Observation/score-{at}");
        put(
            &path,
            &observation(&format!("score-{at}"), "preliminary", at),
        );
        put(&path, &observation(&format!("score-{at}"), "final", at));
    }
    assert_eq!(
        send(served, token, "DELETE", "/fhir/Observation/score-1", ""),
        204
    );
    put(
        "/fhir/Observation/score-1",
        &observation("score-1", "final", 7),
    );
    let entry = |at: u32| {
        let body = observation(&format!("score-{at}"), "amended", at);
        format!(
            r#"{{"resource":{body},"request":{{"method":"PUT","url":"Observation/score-{at}"}}}}"#
        )
    };
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{},{},{}]}}"#,
        entry(2),
        entry(3),
        entry(9)
    );
    assert_eq!(send(served, token, "POST", "/fhir", &bundle), 200);
}

/// Entries that there are after [`write`], the registration of its client with them.
const WRITTEN: u64 = 15;

/// A programme with what [`write`] makes, its server killed in the middle of nothing, and then stopped after a start
/// that found everything in its files.
fn ward(name: &str) -> (Folder, String, String) {
    let folder = Folder::new(name);
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    write(&served, &token);
    drop(served);
    homecoming_done(&["rebuild", "--data", &data]);
    (folder, data, token)
}

fn open(data: &str) -> Index {
    let fingerprint = record::search::parameters().fingerprint();
    Index::open(&Path::new(data).join("index"), fingerprint).expect("the index")
}

/// What is said of the index alone; everything of the record must be in order.
#[track_caller]
fn faults(data: &str) -> Vec<String> {
    let (code, said) = audit(data);
    assert_eq!(code, Some(1), "{said}");
    let faults: Vec<String> = said["faults"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|fault| Some(fault.as_str()?.to_owned()))
        .collect();
    assert_eq!(said["faults_of_index"], faults.len(), "{said}");
    assert!(faults.iter().all(|fault| fault.starts_with("The index: ")));
    faults
}

#[test]
fn an_index_is_what_the_ledger_gives_while_it_is_served_after_a_kill_and_after_a_rebuild() {
    let folder = Folder::new("index-audit");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    write(&served, &token);
    // It serves; what was written is in its memory and perhaps in no file.
    sound(&data, WRITTEN);
    let (status, _) = get(
        &served.url("/fhir/Observation?status=amended"),
        Some(&token),
    );
    assert_eq!(status, 200);
    drop(served);
    // It was killed, and the files cover what they cover.
    sound(&data, WRITTEN);
    homecoming_done(&["rebuild", "--data", &data]);
    sound(&data, WRITTEN);
    let (_, said) = audit(&data);
    assert_eq!(said["index"]["on_disk"], WRITTEN);
    // Nothing is a fault where there is none, or none of this version.
    std::fs::remove_dir_all(format!("{data}/index")).expect("removed");
    let (code, said) = audit(&data);
    assert_eq!((code, &said["index"]["compared"]), (Some(0), &false.into()));
    let output = homecoming(&["audit", "--data", &data, "--without-index"]);
    assert!(output.status.success());
}

#[test]
fn an_index_is_what_the_ledger_gives_after_an_erasure_of_all_or_of_the_notes() {
    for scope in [Scope::Record, Scope::Notes] {
        let folder = Folder::new("index-audit-erased");
        let data = folder.join("data");
        let world = World::new(data.as_ref());
        // As an audit that was killed would leave it.
        let left = folder.path().join("data/index.audit");
        std::fs::create_dir(&left).expect("a folder");
        std::fs::write(left.join("found"), "Zwyntholm").expect("written");
        let id = world.ready(scope);
        world.take(1, &id, Step::CarryOut).expect("carried out");
        assert!(
            !left.exists(),
            "copies of the index go with what was erased"
        );
        let (code, said) = audit(&data);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said["index"]["compared"], true, "{said}");
        world.close();
        let (code, said) = audit(&data);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said["index"]["compared"], true, "{said}");
        assert_ne!(said["erased"], 0, "{said}");
    }
}

/// Whoever has the files takes a score out of what can be found, with this program's own code; the record still has it.
#[test]
fn what_was_taken_out_of_the_index_is_missed_and_a_rebuild_brings_it_back() {
    let (_folder, data, token) = ward("index-audit-hidden");
    let index = open(&data);
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let reader = ledger::Ledger::open(data.as_ref(), 1, keys).expect("the ledger");
    let id = reader.id_in_line("Observation", "score-9");
    let head = index
        .head("Observation", &id)
        .expect("read")
        .expect("there");
    let erased = BTreeSet::from([head.position]);
    let hidden = Forgotten {
        kind: "Observation",
        id: &id,
        erased: &erased,
    };
    assert_eq!(index.forget(&[hidden]).expect("hidden"), 1);
    index.purge().expect("written");
    drop(index);
    let served = Served::start(&data);
    let found = |served: &Served| {
        let (_, body) = get(
            &served.url("/fhir/Observation?patient=anna&status=amended&_summary=count"),
            Some(&token),
        );
        body
    };
    assert!(found(&served).contains("\"total\":2"), "{}", found(&served));
    // Found while it serves the lie, and at rest.
    for _ in 0..2 {
        let said = faults(&data).join("\n");
        let begun = format!("that began with entry {}", head.number);
        for expect in [
            format!(
                "the Observation {begun} is not found by `status`, under a value that it had since entry {}",
                head.number
            ),
            format!(
                "the Observation {begun} is found by its id as version 1 of entry {}, deleted, not as version 1 of entry {}",
                head.number, head.number
            ),
            format!("the newest version of the resource {begun} is said to be version 1"),
        ] {
            assert!(said.contains(&expect), "{expect}\nis not in\n{said}");
        }
        assert!(
            !said.contains("score-9") && !said.contains("anna"),
            "{said}"
        );
    }
    drop(served);
    let output = homecoming(&["audit", "--data", &data]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    for expect in [
        "Every entry, content, tile and chain is as the signed checkpoint says",
        "faults of the index. They cost no record: `homecoming rebuild`",
    ] {
        assert!(words.contains(expect), "{words}");
    }
    homecoming_done(&["rebuild", "--data", &data]);
    sound(&data, WRITTEN);
    assert!(found(&Served::start(&data)).contains("\"total\":3"));
}

/// Another value, an interval that ends elsewhere, a resource besides: an index that was made from another history.
#[test]
fn an_index_of_another_history_is_found_out() {
    let (_folder, data, _) = ward("index-audit-other");
    let keys = ledger::open_keys(data.as_ref(), None).expect("keys");
    let reader = ledger::Ledger::open(data.as_ref(), 1, keys).expect("the ledger");
    std::fs::remove_dir_all(format!("{data}/index")).expect("removed");
    let index = open(&data);
    let mut numbers = std::collections::HashMap::new();
    let all: Vec<u64> = (0..WRITTEN).collect();
    for (entry, content) in reader.versions(&all).expect("contents") {
        let mut stored = content.stored.clone();
        if entry.position == 5 {
            // The correction never was: it says what the version before it said.
            stored = String::from_utf8(stored)
                .expect("text")
                .replace("\"final\"", "\"preliminary\"")
                .into_bytes();
        }
        let (kind, id) = ledger::content::name(&stored).expect("a name");
        let id = match entry.position {
            WRITTEN_LAST => "score-8",
            _ => id,
        };
        let id = reader.id_in_line(kind, id).into_owned();
        let number = *numbers.entry(id.clone()).or_insert(entry.position);
        let deleted = entry.action == ledger::Action::Delete;
        let doc = record::json::Doc::parse(&stored).expect("JSON");
        let values = match deleted {
            true => Vec::new(),
            false => record::search::extract(doc.root()),
        };
        let prepared = index::prepare(kind, &values);
        let change = Change {
            position: entry.position,
            recorded_at: entry.recorded_at,
            number,
            id: id.into(),
            version: entry.version,
            deleted,
            prepared: &prepared,
            last_in_transaction: true,
        };
        index.apply(&[change]).expect("applied");
    }
    drop(index);
    let said = faults(&data).join("\n");
    for expect in [
        "an id leads to the Observation that began with entry 14, and the ledger gives no such id",
        "the Observation that began with entry 14 is not found by its id",
        "the newest version of the resource that began with entry 14 has another id",
        "the earlier version at entry 5 of the resource that began with entry 4 has other values than the ledger gives",
        "the Observation that began with entry 4 is found by `status` from entry 4 to entry 10, and had the value from entry 4 to entry 5",
        "the Observation that began with entry 4 is found by `status` since entry 11, and had the value from entry 5 to entry 10, since entry 11",
    ] {
        assert!(said.contains(expect), "{expect}\nis not in\n{said}");
    }
    homecoming_done(&["rebuild", "--data", &data]);
    sound(&data, WRITTEN);
}

const WRITTEN_LAST: u64 = WRITTEN - 1;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

/// The files as such: altered, cut off, missing, of more than there is.
#[test]
fn an_index_whose_files_are_damaged_is_found_out() {
    let (_folder, data, _) = ward("index-audit-damaged");
    let folder = Path::new(&data).join("index");
    let tables: Vec<PathBuf> = files(&folder)
        .into_iter()
        .filter(|file| {
            file.parent()
                .is_some_and(|folder| folder.ends_with("tables"))
        })
        .collect();
    assert!(tables.len() >= 5, "{tables:?}");
    for table in &tables {
        let sound = std::fs::read(table).expect("a table");
        // In another file, so that no link to it changes along.
        let write = |bytes: &[u8]| {
            std::fs::remove_file(table).expect("removed");
            std::fs::write(table, bytes).expect("written");
        };
        let mut altered = sound.clone();
        altered[20] ^= 0x10;
        write(&altered);
        assert!(!faults(&data).is_empty(), "{table:?} altered");
        write(&sound[..sound.len() / 2]);
        assert!(!faults(&data).is_empty(), "{table:?} cut off");
        write(&sound);
    }
    sound(&data, WRITTEN);
    for file in ["cover", "row/current"] {
        let file = folder.join(file);
        let sound = std::fs::read(&file).expect("a file");
        let mut altered = sound.clone();
        altered[0] ^= 1;
        std::fs::write(&file, &altered).expect("written");
        assert!(!faults(&data).is_empty(), "{file:?} altered");
        std::fs::write(&file, &sound).expect("written");
    }
    std::fs::remove_file(folder.join("row/current")).expect("removed");
    assert_eq!(faults(&data), ["The index: one of its files is missing"]);
    homecoming_done(&["rebuild", "--data", &data]);
    sound(&data, WRITTEN);
}
