//! Witnesses: the protocol against the built binary, what a server does with them and without them, and the
//! log as others fetch it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use server::clock::Stopwatch;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, WitnessKey};
use tlog::note::{SignedNote, SigningKey, VerifierKey};
use tlog::policy::Policy;
use tlog::proof::Proof;
use tlog::{Tree, leaf_hash, prove_consistency, root_at};

use crate::people::Person;
use crate::restoring::{backup, copy, ends, size, with_keys_of};
use crate::served::{
    Folder, Outside, Served, access_log_key, get, homecoming, homecoming_done, log_key, programme,
    set_witnesses,
};

/// The record's measures.
const COSIGNED: &str = "homecoming_log_cosigned_entries{log=\"record\"}";
const BEHIND: &str = "homecoming_log_cosigned_behind_entries{log=\"record\"}";

/// Writes a resource; the status, and the body.
pub fn put(served: &Served, token: &str, id: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let body = format!(r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"a fact"}}}}"#);
    let mut answer = agent
        .put(served.url(&format!("/fhir/Basic/{id}")))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(body)
        .expect("an answer");
    (
        answer.status().as_u16(),
        answer.body_mut().read_to_string().expect("text"),
    )
}

/// Writes so many, each of them taken.
pub fn put_all(served: &Served, token: &str, prefix: &str, count: u64) {
    for number in 0..count {
        let (status, body) = put(served, token, &format!("{prefix}-{number}"));
        assert_eq!(status, 201, "{body}");
    }
}

/// Sends bytes as they are; what comes back until the other side ends.
fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(bytes).expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn add_checkpoint(witness: &Outside, body: &str) -> String {
    raw(
        witness.address(),
        format!(
            "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    )
}

/// The example of the specification, byte for byte, from a log that this witness does not follow.
const EXAMPLE: &str = "old 20852014\n\
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
\n\
example.com/behind-the-sofa\n\
20852163\n\
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
\n\
\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
\u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

#[test]
fn a_witness_speaks_the_protocol_to_a_client_of_bytes() {
    let folder = Folder::new("protocol");
    let key = SigningKey::from_seed("example.org/log", &[3; 32]).expect("a key");
    let tree: Tree = (0..9_u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let request = |old: u64, size: u64| {
        let checkpoint = Checkpoint {
            origin: "example.org/log".to_owned(),
            size,
            root: root_at(size, &tree).expect("a root"),
            extensions: Vec::new(),
        };
        tlog::witness::Request {
            old,
            proof: prove_consistency(old, size, &tree).expect("a proof"),
            checkpoint: SignedNote::parse(&checkpoint.sign(&key).expect("signed")).expect("a note"),
        }
        .to_string()
    };
    let path = tlog::witness::checkpoint_path("example.org/log");
    let data = folder.join("w");
    let witness = Outside::start(&data, &[&key.verifier().to_string()]);
    assert_eq!(get(&format!("{}/{path}", witness.url), None).0, 404);
    for (what, body, status, says) in [
        (
            "the specification's example",
            EXAMPLE.to_owned(),
            "404 ",
            "behind-the-sofa",
        ),
        ("nonsense", "old\n".to_owned(), "400 ", ""),
        (
            "the first",
            request(0, 4),
            "200 ",
            "\u{2014} outside.example/w ",
        ),
        (
            "again from nothing",
            request(0, 4),
            "409 ",
            "text/x.tlog.size",
        ),
        ("again from nothing", request(0, 4), "409 ", "\r\n\r\n4\n"),
        (
            "grown",
            request(4, 7),
            "200 ",
            "\u{2014} outside.example/w ",
        ),
    ] {
        let answer = add_checkpoint(&witness, &body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{what}: {answer}"
        );
        assert!(answer.contains(says), "{what}: {answer}");
    }
    let (status, note) = get(&format!("{}/{path}", witness.url), None);
    assert_eq!(status, 200);
    let note = SignedNote::parse(&note).expect("a note");
    note.verify(key.verifier()).expect("the log's signature");
    let outside = WitnessKey::parse(&witness.key).expect("its key");
    assert!(outside.verify(&note).is_ok());

    // Killed at any moment it remembers what it signed.
    let address = witness.address().to_owned();
    drop(witness);
    let witness = Outside::start_at(&data, &[], &address);
    let answer = add_checkpoint(&witness, &request(4, 9));
    assert!(answer.contains("\r\n\r\n7\n"), "{answer}");
    let words = ["witness", "show", "--data", &data, "--json"];
    let shown: serde_json::Value = serde_json::from_str(&homecoming_done(&words)).expect("JSON");
    assert_eq!(shown["logs"][0]["size"], 7);
}

#[test]
fn a_second_witness_in_the_same_folder_is_refused() {
    let folder = Folder::new("two-witnesses");
    let data = folder.join("w");
    let _first = Outside::start(&data, &[]);
    for words in [
        vec!["witness", "--data", &data, "--listen", "127.0.0.1:0"],
        vec!["witness", "add-log", "--data", &data, EXAMPLE_KEY],
    ] {
        let output = homecoming(&words);
        assert_eq!(output.status.code(), Some(3), "{words:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("another witness"), "{said}");
    }
}

const EXAMPLE_KEY: &str = "homecoming/ward-7+2b87c9fd+AXyaKyXU1DsBK1i5A7NALvqNXTjthw7Zps+g49K/bk6Z";

#[test]
fn slow_and_large_clients_do_not_hold_a_witness_up() {
    let folder = Folder::new("slow");
    let witness = Outside::start(&folder.join("w"), &[EXAMPLE_KEY]);
    // Many that say the beginning of a request and no more.
    let idle: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(witness.address()).expect("connected");
            stream
                .write_all(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Le")
                .expect("sent");
            stream
        })
        .collect();
    let before = Stopwatch::start();
    let answer = add_checkpoint(&witness, EXAMPLE);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "others wait for the slow"
    );
    let large = format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 10000000\r\n\r\n{}",
        "x".repeat(200_000)
    );
    let mut stream = TcpStream::connect(witness.address()).expect("connected");
    // It may be refused while it is still being sent.
    let _ = stream.write_all(large.as_bytes());
    let mut answer = [0; 12];
    let read = stream.read(&mut answer).unwrap_or_default();
    assert!(
        read == 0 || answer.starts_with(b"HTTP/1.1 413"),
        "{:?}",
        String::from_utf8_lossy(&answer)
    );
    let mut first = idle.into_iter().next().expect("one of them");
    first
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    let mut end = Vec::new();
    first.read_to_end(&mut end).expect("it is let go in time");
}

/// What a log serves behind a token, for a reader of tiles that others wrote.
struct Tiles<'a> {
    /// The log's address, with a slash at the end.
    at: String,
    token: &'a str,
    /// The paths that were asked for.
    asked: RefCell<BTreeSet<String>>,
}

impl Tiles<'_> {
    fn get(&self, path: &str) -> Vec<u8> {
        self.asked.borrow_mut().insert(path.to_owned());
        let mut answer = ureq::get(format!("{}{path}", self.at))
            .header("Authorization", &format!("Bearer {}", self.token))
            .call()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        answer.body_mut().read_to_vec().expect("bytes")
    }

    /// The line at a position, read as tlog-tiles says: each behind its length in two bytes.
    fn line(&self, position: u64, size: u64) -> Vec<u8> {
        let number = position / 256;
        let path = match size - number * 256 {
            width @ ..256 => format!("tile/entries/{number:03}.p/{width}"),
            _ => format!("tile/entries/{number:03}"),
        };
        let bundle = self.get(&path);
        let mut rest = bundle.as_slice();
        let mut lines = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (line, behind) = behind.split_at(u16::from_be_bytes(*length).into());
            lines.push(line.to_vec());
            rest = behind;
        }
        assert!(rest.is_empty(), "{path} ends in the middle of a length");
        lines.swap_remove((position % 256) as usize)
    }
}

impl tlog_tiles::TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Theirs names the height, too, as the checksum database does.
        let path = |tile: &tlog_tiles::Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles.iter().map(|tile| self.get(&path(tile))).collect())
    }

    fn save_tiles(&self, _tiles: &[tlog_tiles::Tile], _data: &[Vec<u8>]) {}
}

/// A signed checkpoint as other people's programs read it.
fn read_by_others(note: &str, key: &str) -> tlog_tiles::Checkpoint {
    let verifier = signed_note::StandardVerifier::new(key).expect("a key");
    let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    let note = signed_note::Note::from_bytes(note.as_bytes()).expect("a note");
    note.verify(&known).expect("the log's signature");
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!(Some(checkpoint.origin()), key.split('+').next());
    checkpoint
}

/// `tlog_tiles` fetches the tiles, holds them against the later checkpoint, and proves from them that the earlier tree
/// is the beginning of the later, and that lines are in it.
fn check_by_others(tiles: &Tiles<'_>, key: &str, earlier: &str, later: &str) {
    let (earlier, later) = (read_by_others(earlier, key), read_by_others(later, key));
    let (old, size, root) = (earlier.size(), later.size(), *later.hash());
    assert!(0 < old && old < size, "{old} and {size}");
    let reader = tlog_tiles::TileHashReader::new(size, root, tiles);
    let proof = tlog_tiles::prove_tree(size, old, &reader).expect("the tiles fit the checkpoint");
    tlog_tiles::check_tree(&proof, size, root, old, *earlier.hash()).expect("it has only grown");
    for position in [0, old - 1, old, size - 1] {
        let line = tiles.line(position, size);
        let leaf = tlog_tiles::record_hash(&line);
        let proof = tlog_tiles::prove_record(size, position, &reader).expect("a proof");
        tlog_tiles::check_record(&proof, size, root, position, leaf).expect("the line is there");
        let other = tlog_tiles::record_hash(&[&line[..], b"!"].concat());
        assert!(tlog_tiles::check_record(&proof, size, root, position, other).is_err());
    }
}

/// Follows the log as a mirror would, with nothing but what is served.
#[test]
fn the_log_can_be_followed_and_checked_from_outside() {
    let folder = Folder::new("mirror");
    let (data, token) = programme(&folder);
    let (key, access_key) = (log_key(&data), access_log_key(&data));
    let witness = Outside::start(&folder.join("w"), &[&key, &access_key]);
    set_witnesses(&data, &[&witness], "1");
    let words = [
        "client", "add", "mirror", "--data", &data, "--scope", "log.read",
    ];
    homecoming_done(&words);
    let mirror = homecoming_done(&["token", "--data", &data, "--client", "mirror"]);
    let mirror = mirror.trim();
    let served = Served::start(&data);
    let entry = |number: usize| {
        format!(
            r#"{{"resource":{{"resourceType":"Basic","id":"b-{number}","code":{{"text":"x"}}}},"request":{{"method":"PUT","url":"Basic/b-{number}"}}}}"#
        )
    };
    let entries: Vec<String> = (0..300).map(entry).collect();
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    );
    ureq::post(served.url("/fhir"))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(bundle)
        .expect("taken");
    served.until_cosigned(300);

    let log = |path: &str| served.url(&format!("/log/test-programme/{path}"));
    let (status, text) = get(&log("key"), None);
    assert_eq!((status, text.trim()), (200, key.as_str()));
    let verifier = VerifierKey::parse(&key).expect("a key");
    let (_, note) = get(&log("checkpoint"), None);
    let checkpoint = Checkpoint::open(&note, &verifier, verifier.name()).expect("signed");
    assert!(checkpoint.size >= 300);
    let outside = WitnessKey::parse(&witness.key).expect("its key");
    outside
        .verify(&SignedNote::parse(&note).expect("a note"))
        .expect("the cosigned checkpoint is served");
    let (_, newest) = get(&log("checkpoint?latest"), None);
    Checkpoint::open(&newest, &verifier, verifier.name()).expect("signed");

    let fetch = |path: &str| {
        let mut answer = ureq::get(log(path))
            .header("Authorization", &format!("Bearer {mirror}"))
            .call()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let kind = answer.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        assert_eq!(kind, "application/octet-stream", "{path}");
        let cache = answer.headers()["cache-control"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(cache.contains("immutable"), "{path}: {cache}");
        answer.body_mut().read_to_vec().expect("bytes")
    };
    let last = (checkpoint.size % 256) as u16;
    let mut tree = Tree::new();
    for (path, width) in [
        ("tile/entries/000".to_owned(), 256),
        (format!("tile/entries/001.p/{last}"), last),
    ] {
        let bundle = fetch(&path);
        for leaf in tlog::entries::read_bundle(&bundle, width).expect("a bundle") {
            tree.push(leaf_hash(leaf));
        }
    }
    assert_eq!(root_at(checkpoint.size, &tree), Ok(checkpoint.root));
    let hashes = fetch("tile/0/000");
    assert_eq!(hashes.len(), tlog::TILE_BYTES);
    let above = fetch("tile/1/000.p/1");
    assert_eq!(above, tlog::tile_root(&hashes));

    // Both logs again, with programs of others alone, from a checkpoint of before to one of after.
    let read = |times: u32| {
        for _ in 0..times {
            let (status, body) = get(&served.url("/fhir/Basic/b-1"), Some(&token));
            assert_eq!(status, 200, "{body}");
        }
    };
    let checkpoints = || {
        ["record", "access"].map(|name| {
            let entries = served.measure(&format!("homecoming_log_entries{{log=\"{name}\"}}"));
            let cosigned = format!("homecoming_log_cosigned_entries{{log=\"{name}\"}}");
            served.until(&cosigned, |size| Some(size) >= entries);
            let path = match name {
                "access" => "access/checkpoint",
                _ => "checkpoint",
            };
            get(&log(path), None).1
        })
    };
    read(3);
    let earlier = checkpoints();
    read(10);
    put_all(&served, &token, "more", 10);
    let later = checkpoints();
    let logs = [("", &key, "tile/1/000.p/1"), ("access/", &access_key, "")];
    for ((at, key, above), (earlier, later)) in logs.into_iter().zip(earlier.iter().zip(&later)) {
        let tiles = Tiles {
            at: log(at),
            token: mirror,
            asked: RefCell::default(),
        };
        check_by_others(&tiles, key, earlier, later);
        let asked = tiles.asked.into_inner();
        for part in ["tile/0/", "tile/entries/", above] {
            let is_asked = asked.iter().any(|path| path.starts_with(part));
            assert!(is_asked, "{part} of {key}: {asked:?}");
        }
    }

    for (path, token, expected) in [
        ("tile/0/000", None, 401),
        ("tile/0/000", Some(token.as_str()), 403),
        ("tile/0/002", Some(mirror), 404),
        ("tile/0/0", Some(mirror), 404),
        ("tile/entries/001", Some(mirror), 404),
        ("access/tile/0/000.p/1", None, 401),
        ("access/tile/0/000.p/1", Some(token.as_str()), 403),
        ("access/tile/entries/000.p/1", Some(token.as_str()), 403),
        ("access/tile/0/001", Some(mirror), 404),
        ("nothing", Some(mirror), 404),
    ] {
        let (status, body) = get(&log(path), token);
        assert_eq!(status, expected, "{path}: {body}");
        assert!(!body.contains('<'), "{path} is answered as text: {body}");
    }
    let (status, _) = get(&served.url("/log/another/checkpoint"), None);
    assert_eq!(status, 404);
    let (status, body) = get(&served.url("/fhir/Basic/b-1"), Some(mirror));
    assert_eq!(status, 403, "a mirror reads no record: {body}");
}

#[test]
fn a_receipt_holds_the_cosignature_once_there_is_one() {
    let folder = Folder::new("cosigned-receipt");
    let (data, token) = programme(&folder);
    let key = VerifierKey::parse(&log_key(&data)).expect("a key");
    let witness = Outside::start(&folder.join("w"), &[&key.to_string()]);
    set_witnesses(&data, &[&witness], "1");
    let policy = std::fs::read(format!("{data}/witness.policy")).expect("the policy");
    let policy = Policy::parse(&policy).expect("a policy");
    let served = Served::start(&data);
    put_all(&served, &token, "fact", 3);
    served.until_cosigned(3);
    let (status, receipt) = get(&served.url("/fhir/Basic/fact-1/$receipt"), Some(&token));
    assert_eq!(status, 200, "{receipt}");
    ledger::receipt::verify(receipt.as_bytes(), Some(&key)).expect("it verifies");
    let proof = Proof::parse(&receipt).expect("a receipt");
    let line = proof.extra.as_deref().expect("its content");
    let line = line.split(|b| *b == b'\n').nth(2).expect("the line");
    let verified = proof
        .verify_with(line, &key, key.name(), &policy)
        .expect("the quorum signed it");
    assert_eq!(verified.quorum.cosigned.len(), 1);
}

/// The access log is a log like the record: what was read is cosigned, too.
#[test]
fn what_was_read_is_witnessed_like_what_was_written() {
    let folder = Folder::new("both-logs");
    let (data, token) = programme(&folder);
    let (record, access) = (log_key(&data), access_log_key(&data));
    let witness = Outside::start(&folder.join("w"), &[&record, &access]);
    set_witnesses(&data, &[&witness], "1");
    let served = Served::start(&data);
    put_all(&served, &token, "fact", 1);
    for _ in 0..3 {
        let (status, body) = get(&served.url("/fhir/Basic/fact-0"), Some(&token));
        assert_eq!(status, 200, "{body}");
    }
    served.until_cosigned(1);
    served.until("homecoming_log_cosigned_entries{log=\"access\"}", |size| {
        size >= 3.0
    });
    let key = VerifierKey::parse(&access).expect("a key");
    let (_, note) = get(&served.url("/log/test-programme/access/checkpoint"), None);
    Checkpoint::open(&note, &key, key.name()).expect("signed by the access log");
    let outside = WitnessKey::parse(&witness.key).expect("its key");
    outside
        .verify(&SignedNote::parse(&note).expect("a note"))
        .expect("cosigned");
}

/// What is handed out of the access log carries the cosignatures, so that a policy with a quorum believes it.
#[test]
fn what_was_told_of_a_person_is_proved_under_what_witnesses_signed() {
    let folder = Folder::new("told");
    let (data, token) = programme(&folder);
    let logs = [log_key(&data), access_log_key(&data)];
    let witness = Outside::start(&folder.join("w"), &[&logs[0], &logs[1]]);
    set_witnesses(&data, &[&witness], "1");
    let policy = format!("{data}/witness.policy");
    let verify = |file: &str, key: &str| {
        let output = homecoming(&["verify", file, "--key", key, "--policy", &policy]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said)
    };
    let added = [
        "user", "add", "Officer", "--data", &data, "--role", "officer",
    ];
    let added = homecoming_done(&added);
    let code = added.lines().last().expect("a code");
    let receipt = folder.join("disclosure.receipt");
    {
        let served = Served::start(&data);
        let officer = Person::enrol(&served, "Officer", code);
        let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
        agent
            .put(served.url("/fhir/Patient/anna"))
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json")
            .send(r#"{"resourceType":"Patient","id":"anna"}"#)
            .expect("taken");
        let read = || get(&served.url("/fhir/Patient/anna"), Some(&token)).0;
        assert_eq!(read(), 200);
        let entries = served.measure("homecoming_log_entries{log=\"record\"}");
        served.until_cosigned(entries.expect("it is measured") as u64);
        let cosigned = "homecoming_log_cosigned_entries{log=\"access\"}";
        let size = served.until(cosigned, |size| size >= 1.0);
        let text = officer.browser.get("/access/0/receipt").body;
        std::fs::write(&receipt, text).expect("it is kept");
        // The receipt was a disclosure itself, and what follows is asked about a person again.
        assert_eq!(read(), 200);
        served.until(cosigned, |now| now >= size + 2.0);
    }
    let (code, said) = verify(&receipt, &logs[1]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("Outside witnesses saw the access log"),
        "{said}"
    );
    let export = folder.join("anna.export");
    let exported = || {
        let words = [
            "export", "--data", &data, "--person", "anna", "--out", &export,
        ];
        homecoming_done(&words)
    };
    // It counts the entries and is a disclosure; then both are cosigned.
    exported();
    {
        let served = Served::start(&data);
        for log in ["record", "access"] {
            let entries = served.measure(&format!("homecoming_log_entries{{log=\"{log}\"}}"));
            let cosigned = format!("homecoming_log_cosigned_entries{{log=\"{log}\"}}");
            served.until(&cosigned, |size| Some(size) >= entries);
        }
    }
    exported();
    let (code, said) = verify(&export, &logs[0]);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "Outside witnesses saw the access log",
        "The access log whose key the map of heads names",
        " disclosures as they are here",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("have not cosigned"), "{said}");
}

#[test]
fn with_the_witnesses_away_the_record_goes_on_and_catches_up() {
    let folder = Folder::new("away");
    let (data, token) = programme(&folder);
    let key = log_key(&data);
    let witness = Outside::start(&folder.join("w"), &[&key]);
    set_witnesses(&data, &[&witness], "1");
    let served = Served::start(&data);
    let reader = Person::added(&served, &data, "Reader", "officer");
    let record = || reader.browser.get("/record").body;
    put_all(&served, &token, "before", 2);
    // Before them are what was registered: the client and whoever reads.
    let entries = served.measure("homecoming_log_entries{log=\"record\"}");
    let entries = entries.expect("it is measured");
    served.until_cosigned(entries as u64);
    let address = witness.address().to_owned();
    drop(witness);
    put_all(&served, &token, "away", 5);
    let up = "homecoming_witness_up{log=\"record\",witness=\"w0\"}";
    served.until(up, |value| value == 0.0);
    served.until(BEHIND, |value| value == 5.0);
    assert_eq!(served.measure(COSIGNED), Some(entries));
    let page = record();
    for words in [
        ", 5 of them not yet cosigned by outside witnesses",
        "5 entries behind.",
        "it cannot be reached",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (_, receipt) = get(&served.url("/fhir/Basic/away-4/$receipt"), Some(&token));
    ledger::receipt::verify(receipt.as_bytes(), None).expect("a receipt, not cosigned yet");
    let _witness = Outside::start_at(&folder.join("w"), &[], &address);
    served.until_cosigned(entries as u64 + 5);
    served.until(BEHIND, |value| value == 0.0);
    served.until(up, |value| value == 1.0);
    let page = record();
    for words in [
        ", all of them cosigned by outside witnesses",
        "That is all of it.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("entries behind."), "{page}");
}

#[test]
fn two_of_three_witnesses_are_enough() {
    let folder = Folder::new("quorum");
    let (data, token) = programme(&folder);
    let key = log_key(&data);
    let mut witnesses: Vec<Outside> = (0..3)
        .map(|number| Outside::start(&folder.join(&format!("w{number}")), &[&key]))
        .collect();
    // One is known by the key that withstands quantum computers: with the first away it takes a key of each kind.
    witnesses[2].key = witnesses[2].ml_dsa_key.clone();
    let algorithm = |witness: &Outside| WitnessKey::parse(&witness.key).expect("a key").algorithm();
    assert_eq!(
        [1, 2].map(|number| algorithm(&witnesses[number])),
        [Algorithm::Ed25519, Algorithm::MlDsa44]
    );
    set_witnesses(&data, &[&witnesses[0], &witnesses[1], &witnesses[2]], "2");
    let mut witnesses = witnesses.into_iter();
    drop(witnesses.next());
    let served = Served::start(&data);
    for round in 1..=5 {
        put_all(&served, &token, &format!("round-{round}"), 4);
        // The first entry is the client's registration.
        served.until_cosigned(1 + 4 * round);
    }
    let policy = std::fs::read(format!("{data}/witness.policy")).expect("the policy");
    let policy = Policy::parse(&policy).expect("a policy");
    let (_, note) = get(&served.url("/log/test-programme/checkpoint"), None);
    let note = SignedNote::parse(&note).expect("a note");
    let quorum = policy.check_quorum(&note).expect("two of three");
    let names = quorum.cosigned.iter().map(|by| by.witness.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["w1", "w2"]);
    drop(witnesses.next());
    put_all(&served, &token, "alone", 1);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(
        served.measure(COSIGNED),
        Some(21.0),
        "one of three is not enough"
    );
}

/// Somebody on the way to the witness at an address, who answers in its place where `instead` does.
fn between(witness: &str, instead: impl Fn(&str) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let witness = witness.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            let is_whole = |request: &[u8]| {
                let text = String::from_utf8_lossy(request).to_lowercase();
                text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head.split("content-length:").nth(1);
                    let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
                    body.len() >= length.unwrap_or(0)
                })
            };
            while !is_whole(&request) {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&buffer[..read]),
                }
            }
            let request = String::from_utf8_lossy(&request);
            let answer = instead(&request).unwrap_or_else(|| {
                let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
                raw(&witness, request.as_bytes())
            });
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

/// An answer as it is sent.
fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A size is not signed: whoever is on the way can say one. It stops writing while it is said, not for good.
#[test]
fn a_size_that_nobody_shows_stops_writing_but_no_later_start() {
    let folder = Folder::new("liar");
    let (data, token) = programme(&folder);
    let logs = [log_key(&data), access_log_key(&data)];
    let mut witness = Outside::start(&folder.join("w"), &logs.each_ref().map(String::as_str));
    let is_lying = Arc::new(AtomicBool::new(true));
    let lies = is_lying.clone();
    witness.url = between(witness.address(), move |_| {
        let lie = || answer("409 Conflict", "999999\n");
        lies.load(Ordering::SeqCst).then(lie)
    });
    set_witnesses(&data, &[&witness], "all");
    let served = Served::start(&data);
    let (status, body) = put(&served, &token, "while");
    assert!(status == 503 && body.contains("999999"), "{status} {body}");
    is_lying.store(false, Ordering::SeqCst);
    served.until("homecoming_writes_refused", |value| value == 0.0);
    put_all(&served, &token, "after", 1);
    drop(served);
    is_lying.store(true, Ordering::SeqCst);
    let served = Served::start(&data);
    assert_eq!(put(&served, &token, "again").0, 503);
}

/// A witness need not show what it cosigned, and may do so elsewhere or late: that nothing is shown says nothing.
#[test]
fn a_witness_that_shows_nothing_is_asked_how_far_it_went() {
    let folder = Folder::new("restore-unshown");
    let (data, token) = programme(&folder);
    let logs = [log_key(&data), access_log_key(&data)];
    let witness_of = folder.join("witness");
    let witness = Outside::start(&witness_of, &[&logs[0], &logs[1]]);
    let (address, key) = (witness.address().to_owned(), witness.key.clone());
    set_witnesses(&data, &[&witness], "1");
    let record = |prefix: &str, count: u64, upto: u64| {
        let served = Served::start(&data);
        put_all(&served, &token, prefix, count);
        served.until_cosigned(upto);
    };
    let path = tlog::witness::checkpoint_path("homecoming/test-programme");
    record("fact", 2, 3);
    let (status, earlier) = get(&format!("{}/{path}", witness.url), None);
    assert_eq!(status, 200, "{earlier}");
    let old = folder.join("old");
    let had = backup(&data, &old);
    record("later", 3, had + 3);
    let aside = folder.join("aside");
    copy(&data, &aside);

    let not_found = || answer("404 Not Found", "");
    let hides = between(&address, move |request| {
        request.starts_with("GET ").then(not_found)
    });
    let knows_nothing = between(&address, move |_| Some(not_found()));
    let is_late = between(&address, move |request| {
        let is_shown = request.starts_with(&format!("GET /{path} "));
        is_shown.then(|| answer("200 OK", &earlier))
    });

    // A machine that has nothing but the newest policy.
    let fresh = folder.join("fresh");
    std::fs::create_dir_all(&fresh).expect("a folder");
    let asked_at = |url: &str| {
        let policy = format!("witness w0 {key} {url}\nquorum w0\n");
        std::fs::write(format!("{fresh}/witness.policy"), policy).expect("written");
    };
    let restore = with_keys_of(&old, &aside, &fresh);
    let without = [&restore[..], &["--without-asking", "w0"]].concat();
    let lost = format!("the witness w0 (by its word alone) has {}", had + 3);
    for url in [&hides, &is_late] {
        asked_at(url);
        ends(&restore, 3, &[&lost, "3 entries"]);
        // It was asked, so there is nobody to leave out.
        ends(&without, 3, &[&lost, "3 entries"]);
    }
    let unasked = "Not every witness could be asked";
    asked_at(&knows_nothing);
    ends(
        &restore,
        3,
        &[
            unasked,
            "w0 (it says that it knows nothing of the log homecoming/test-programme, which it has signed)",
        ],
    );
    // Of a log that may have followed, nothing is here that it could be asked with.
    drop(witness);
    let next = tlog::note::SigningKey::from_seed("homecoming/test-programme.2", &[7; 32]);
    let next = next.expect("a key").verifier().to_string();
    let witness = Outside::start_at(&witness_of, &[&next], &address);
    asked_at(&witness.url);
    ends(
        &restore,
        3,
        &[
            unasked,
            "w0 (it follows the log homecoming/test-programme.2 and does not show how far that went)",
        ],
    );
    asked_at("");
    ends(
        &restore,
        3,
        &[unasked, "w0 (its address is not in the policy)"],
    );
    let not_asked = "The witness w0 was not asked how far the record went: its address is not";
    ends(&without, 0, &[not_asked]);

    // An audit says it, too.
    let policy = format!("{fresh}/witness.policy");
    let audit = |data: &str, url: &str, code: i32, parts: &[&str]| {
        asked_at(url);
        let words = ["audit", "--data", data, "--policy", &policy];
        let how = ["--ask-witnesses", "--without-index"];
        ends(&[&words[..], &how].concat(), code, parts)
    };
    let unasked = "NOT WITNESSED: The witness w0 could not be asked: its address is not in the";
    audit(&aside, "", 1, &[unasked]);
    let says = format!(
        "NOT WITNESSED: The witness w0 says that it cosigned {} entries of homecoming/test-programme, and",
        had + 3
    );
    audit(&aside, &hides, 1, &[&format!("{says} shows nothing")]);
    let said = audit(&aside, &is_late, 0, &[]);
    assert!(!said.contains("NOT WITNESSED"), "{said}");
    let only = format!("{says} there are only {} here", size(&fresh));
    audit(&fresh, &hides, 1, &[&only]);
}

#[test]
fn a_witness_that_has_forgotten_what_it_signed_is_not_believed_after_a_restart_either() {
    let folder = Folder::new("forgetful");
    let (data, token) = programme(&folder);
    let logs = [log_key(&data), access_log_key(&data)];
    let logs = logs.each_ref().map(String::as_str);
    let (memory, older) = (folder.join("w"), folder.join("older"));
    let round = |prefix: &str, entries: f64| {
        let witness = Outside::start(&memory, &logs);
        set_witnesses(&data, &[&witness], "all");
        let served = Served::start(&data);
        put_all(&served, &token, prefix, 2);
        served.until(COSIGNED, |size| size == entries);
    };
    round("first", 3.0);
    let copied = std::process::Command::new("cp")
        .args(["-r", &memory, &older])
        .status();
    assert!(copied.expect("cp").success());
    round("then", 5.0);
    std::fs::remove_dir_all(&memory).expect("gone");
    std::fs::rename(&older, &memory).expect("put back");
    let witness = Outside::start(&memory, &logs);
    set_witnesses(&data, &[&witness], "all");
    let served = Served::start(&data);
    // The record goes on, without its signature.
    put_all(&served, &token, "last", 1);
    let metrics = get(&served.url("/metrics"), None).1;
    let up = "homecoming_witness_up{log=\"record\",witness=\"w0\"} 0";
    assert!(metrics.contains(up), "{metrics}");
    served.until(BEHIND, |entries| entries == 1.0);
}

#[test]
fn a_policy_that_does_not_read_stops_the_start_with_its_line() {
    let folder = Folder::new("policy");
    let (data, _) = programme(&folder);
    for (policy, says) in [
        ("quorum everybody\n", "line 1"),
        ("# ours\nwitness w nonsense\nquorum none\n", "line 2"),
        ("quorum none", "line 1"),
        ("", "quorum"),
    ] {
        let file = folder.join("policy");
        std::fs::write(&file, policy).expect("written");
        let output = homecoming(&[
            "serve",
            "--data",
            &data,
            "--listen",
            "127.0.0.1:0",
            "--witness-policy",
            &file,
        ]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains(says) && said.contains("policy"),
            "{policy:?}: {said}"
        );
        assert!(
            !std::path::Path::new(&data).join("witness.policy").exists(),
            "a bad one is not kept"
        );
    }
}

/// The command lines of the processes that a process has started, where there is a `/proc`.
fn children_of(pid: u32) -> Vec<Vec<String>> {
    let processes = std::fs::read_dir("/proc").expect("processes");
    let started = |of: &std::path::Path| {
        // After the name, which is in brackets, come the state and the parent.
        let stat = std::fs::read_to_string(of.join("stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
        let line = std::fs::read(of.join("cmdline")).ok()?;
        let words = line.split(|byte| *byte == 0);
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned());
        (parent == pid.to_string()).then(|| words.collect::<Vec<String>>())
    };
    processes
        .filter_map(|process| started(&process.ok()?.path()))
        .collect()
}

/// The demo's witness is a process of its own, and ends with the demo even if that is killed.
#[test]
fn the_demo_is_witnessed_and_its_witness_ends_with_it() {
    let folder = Folder::new("demo-witness");
    let data = folder.join("demo");
    let served = Served::demo(&data);
    let size = served.until("homecoming_log_entries{log=\"record\"}", |size| size > 0.0);
    served.until_cosigned(size as u64);
    let policy = std::fs::read_to_string(format!("{data}/witness.policy")).expect("a policy");
    let url = policy
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .expect("its address")
        .to_owned();
    let address = url.trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    if cfg!(target_os = "linux") {
        let children = children_of(served.pid());
        let is_witness = |words: &Vec<String>| words.get(1).is_some_and(|word| word == "witness");
        assert!(children.iter().any(is_witness), "{children:?}");
    }
    // Killed, without a chance to say goodbye.
    drop(served);
    let gone = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        TcpStream::connect(&address).is_err()
    });
    assert!(gone, "the witness at {address} outlives the demo");
    // Started again, the same witness knows the record.
    let served = Served::demo(&data);
    served.until_cosigned(size as u64);
}
