//! A small log, a person's export from it, and everything that can be done to one.

use record::time::RecordedAt;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Algorithm, CosignerKey};
use tlog::note::{SignedNote, SigningKey};
use tlog::policy::Policy;
use tlog::{Tree, prove_inclusions, root_at};

use super::*;
use crate::content::{Class, KeyName, Place, commitment, left_under};
use crate::disclosure::{self, What, Whom};
use crate::entry::{Action, Line, Previous};
use crate::export;
use crate::heads::{self, Head, Map, prove_presence};
use crate::promise::{self, Evidence, Promise, Standing, Unrelated};
use crate::trust::{Distrust, Trust};

mod erased;
mod signed;
mod told;

const ORIGIN: &str = "ward.example/log";
const ACCESS: &str = "ward.example/log/access";
const PERSON: Alias = Alias([5; 16]);
const OTHER: Alias = Alias([6; 16]);
const SALT: Salt = [9; 16];
/// The name of the key that contents lie under, unless it is said otherwise.
const KEY: KeyName = [11; 32];

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(name, &[3; 32]).expect("a name")
}

fn witness() -> CosignerKey {
    CosignerKey::from_seed("w.example", Algorithm::Ed25519, &[4; 32]).expect("a name")
}

fn policy() -> Policy {
    let text = format!("witness W {}\nquorum W\n", witness().witness());
    Policy::parse(text.as_bytes()).expect("a policy")
}

/// A log that is written as a ledger writes one.
#[derive(Clone, Default)]
struct Log {
    items: Vec<Item>,
    heads: Vec<Head>,
    /// The access log that the maps name.
    access: Option<VerifierKey>,
    /// The key that is sealed under from here on, and what for; [`KEY`] for the record if it is not said.
    under: Option<(KeyName, Class)>,
    /// What is left of the contents if their keys are destroyed.
    left: Vec<Sealed>,
}

impl Log {
    fn push(&mut self, person: Option<Alias>, kind: &str, stored: Vec<u8>) {
        self.push_by("user/7", person, kind, stored);
    }

    fn push_by(&mut self, actor: &str, person: Option<Alias>, kind: &str, stored: Vec<u8>) {
        let position = self.items.len() as u64;
        let head = self
            .heads
            .iter()
            .position(|head| Some(head.person) == person);
        let previous = head.map(|at| Previous {
            number: self.heads[at].count,
            position: self.heads[at].position,
            hash: self.heads[at].hash,
        });
        let mut line = Vec::new();
        let id = match kind {
            heads::KIND => "~AAAAAAAAAAAAAAAAAAAAAA",
            _ => "0123456789abcdef",
        };
        let (name, class) = self.under.unwrap_or((KEY, Class::Record));
        let place = Place {
            log: ORIGIN,
            class,
            person: person.unwrap_or(Alias([0; 16])),
            kind,
            id,
            version: 1,
            position,
        };
        self.left.push(left_under(&name, &place));
        Line {
            position,
            recorded_at: at(position),
            actor,
            purpose: "TREAT",
            action: Action::Create,
            kind,
            id,
            version: 1,
            person,
            previous,
            commitment: commitment(&SALT, &stored),
            sealed: self.left[position as usize].hash(),
        }
        .write(&mut line);
        let line = String::from_utf8(line).expect("lines are text");
        if let Some(person) = person {
            let new = Head {
                person,
                count: previous.map_or(1, |previous| previous.number + 1),
                position,
                hash: tlog::leaf_hash(line.as_bytes()),
            };
            match head {
                Some(at) => self.heads[at] = new,
                None => self.heads.push(new),
            }
            self.heads.sort_by_key(|head| head.person);
        }
        let content = Content::Here { salt: SALT, stored };
        self.items.push(Item { line, content });
    }

    fn push_map(&mut self) {
        let map = Map {
            size: self.items.len() as u64,
            persons: self.heads.len() as u64,
            root: heads::root(&self.heads).expect("sorted"),
            access: self.access.clone(),
        };
        self.push(None, heads::KIND, map.stored());
    }

    fn tree(&self) -> Tree {
        let leaf = |item: &Item| tlog::leaf_hash(item.line.as_bytes());
        self.items.iter().map(leaf).collect()
    }

    /// The export of the lines at these positions, as if they were all, with the map that is last.
    fn export_of(&self, positions: &[u64]) -> Export {
        let map = self.items.len() - 1;
        let item = |at: &u64| self.items[*at as usize].clone();
        let of_log = |positions: &[u64]| prove(&self.tree(), positions, ORIGIN);
        let all: Vec<u64> = positions.iter().copied().chain([map as u64]).collect();
        let (hashes, checkpoint) = of_log(&all);
        Export {
            person: PERSON,
            record: Section {
                key: key(ORIGIN).verifier().clone(),
                items: positions.iter().map(item).collect(),
                hashes,
                checkpoint,
            },
            map: self.items[map].clone(),
            place: prove_presence(&self.heads, PERSON)
                .expect("they are there")
                .1,
            access: None,
        }
    }
}

fn prove(tree: &Tree, positions: &[u64], origin: &str) -> (Vec<Hash>, String) {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: tree.size(),
        root: root_at(tree.size(), tree).expect("in memory"),
        extensions: Vec::new(),
    };
    let note = checkpoint.sign(&key(origin)).expect("sound");
    let mut note = SignedNote::parse(&note).expect("a note");
    let line = witness()
        .cosign(&note, 1_800_000_000)
        .expect("a checkpoint");
    note.put(line).expect("room");
    let hashes = prove_inclusions(positions, tree.size(), tree).expect("in memory");
    (hashes, note.to_string())
}

fn at(position: u64) -> RecordedAt {
    RecordedAt::parse("2026-05-05T09:00:00.000000Z")
        .map(|start| RecordedAt(start.0 + position as i64 * 60_000_000))
        .expect("an instant")
}

fn observation(value: u64) -> Vec<u8> {
    format!(
        "{{\"resourceType\":\"Observation\",\"id\":\"0123456789abcdef\",\"valueInteger\":{value},\n\"note\":\"ä\"}}"
    )
    .into_bytes()
}

/// Twelve entries, five of them about the person, and the map.
fn log() -> Log {
    let mut log = Log::default();
    for position in 0..12 {
        let person = match position {
            1 | 4 | 5 | 9 | 10 => Some(PERSON),
            3 => None,
            _ => Some(OTHER),
        };
        log.push(person, "Observation", observation(position));
    }
    log.push_map();
    log
}

const THEIRS: [u64; 5] = [1, 4, 5, 9, 10];

/// What is left of a leaf's content.
fn left_of_leaf(position: u64, whom: Whom) -> Sealed {
    let place = Place {
        log: ACCESS,
        class: Class::Record,
        person: match whom {
            Whom::One(person) => person,
            Whom::Nobody | Whom::Many(_) => OTHER,
        },
        kind: "disclosure",
        id: What::Page.as_str(),
        version: 0,
        position,
    };
    left_under(&KEY, &place)
}

fn access_line(position: u64, whom: Whom, stored: &[u8]) -> String {
    access_line_at(position, at(position), whom, stored)
}

fn access_line_at(position: u64, recorded_at: RecordedAt, whom: Whom, stored: &[u8]) -> String {
    let mut line = Vec::new();
    disclosure::Line {
        position,
        recorded_at,
        actor: "user/9",
        purpose: "TREAT",
        what: What::Page,
        size: 12,
        versions: 3,
        whom,
        commitment: commitment(&SALT, stored),
        sealed: left_of_leaf(position, whom).hash(),
    }
    .write(&mut line);
    String::from_utf8(line).expect("lines are text")
}

/// The export with what the access log says: two pages of the person, one search that found several.
fn with_access() -> Export {
    let stored = br#"{"address":"/people/x"}"#.to_vec();
    let here = || Content::Here {
        salt: SALT,
        stored: stored.clone(),
    };
    let lines = [
        (access_line(0, Whom::One(PERSON), &stored), Some(here())),
        (access_line(1, Whom::One(OTHER), &stored), None),
        (
            access_line(2, Whom::Many(3), &stored),
            Some(Content::Withheld),
        ),
        (access_line(3, Whom::One(PERSON), &stored), Some(here())),
    ];
    let tree: Tree = lines
        .iter()
        .map(|(line, _)| tlog::leaf_hash(line.as_bytes()))
        .collect();
    let (hashes, checkpoint) = prove(&tree, &[0, 2, 3], ACCESS);
    let items = lines.into_iter().filter_map(|(line, content)| {
        let content = content?;
        Some(Item { line, content })
    });
    Export {
        access: Some(Section {
            key: key(ACCESS).verifier().clone(),
            items: items.collect(),
            hashes,
            checkpoint,
        }),
        ..naming_access().export_of(&THEIRS)
    }
}

/// The log whose map names the access log.
fn naming_access() -> Log {
    let mut log = log();
    log.items.pop();
    log.access = Some(key(ACCESS).verifier().clone());
    log.push_map();
    log
}

/// What a reader does with a file.
fn check(file: &[u8]) -> Result<Report, Problem> {
    let policy = policy();
    let verifier = key(ORIGIN).verifier().clone();
    Export::parse(file)?.verify(&Trust {
        key: Some(&verifier),
        policy: Some(&policy),
    })
}

#[test]
fn an_export_proves_that_these_are_all_the_entries() {
    let export = log().export_of(&THEIRS);
    let file = export.write();
    assert!(is_one(&file));
    assert_eq!(Export::parse(&file), Ok(export));
    let report = check(&file).expect("it verifies");
    assert_eq!(
        (
            report.entries.len(),
            report.map.size,
            report.checkpoint.size
        ),
        (5, 12, 13)
    );
    assert_eq!(report.quorum.cosigned.len(), 1);
    assert!(
        report.proved[0].starts_with("These 5 entries are all that the log ward.example/log says")
    );
    assert!(
        report
            .proved
            .iter()
            .any(|s| s.contains("cosigned: W at 2027-01-15T08:00:00"))
    );
    assert!(
        report
            .not_proved
            .iter()
            .any(|s| s.contains("asserted by the server"))
    );
    let unknown = Export::parse(&file).and_then(|export| export.verify(&Trust::default()));
    let unknown = unknown.expect("it verifies by its own key");
    assert!(unknown.not_proved[0].starts_with("Whose log it is."));
    // Fewer hashes than five proofs of their own would have.
    assert!(log().export_of(&THEIRS).record.hashes.len() < 12);
}

#[test]
fn whatever_was_dropped_added_or_reordered_is_found() {
    let log = log();
    let refused = |positions: &[u64]| check(&log.export_of(positions).write()).unwrap_err();
    // The proofs are made again for what is left: it is the chain and the map that give it away.
    assert_eq!(
        refused(&[4, 5, 9, 10]),
        Problem::LeftOut {
            count: 1,
            position: 4,
            number: 2
        }
    );
    assert_eq!(
        refused(&[1, 4, 10]),
        Problem::LeftOut {
            count: 2,
            position: 10,
            number: 5
        }
    );
    assert_eq!(
        refused(&[1, 4, 5, 9]),
        Problem::Head {
            entries: 4,
            last: 9
        }
    );
    assert_eq!(
        refused(&[1]),
        Problem::Head {
            entries: 1,
            last: 1
        }
    );
    assert_eq!(refused(&[]), Problem::Empty);
    assert_eq!(
        refused(&[1, 2, 4, 5, 9, 10]),
        Problem::OtherPerson { position: 2 }
    );
    assert_eq!(
        refused(&[1, 3, 4, 5, 9, 10]),
        Problem::OtherPerson { position: 3 }
    );
    let swap = |one: usize, two: usize| {
        let mut export = log.export_of(&THEIRS);
        export.record.items.swap(one, two);
        check(&export.write()).unwrap_err()
    };
    assert_eq!(
        swap(1, 2),
        Problem::LeftOut {
            count: 1,
            position: 5,
            number: 3
        }
    );
    assert_eq!(
        swap(0, 4),
        Problem::LeftOut {
            count: 4,
            position: 10,
            number: 5
        }
    );
    let mut twice = log.export_of(&THEIRS);
    twice.record.items.insert(1, twice.record.items[0].clone());
    assert_eq!(check(&twice.write()), Err(Problem::Order { position: 1 }));
    // Another history, rehashed and signed anew by the log, but not cosigned by the witness.
    let mut forged = Log::default();
    for position in 0..12 {
        let person = match position {
            1 | 4 | 9 | 10 => Some(PERSON),
            _ => Some(OTHER),
        };
        forged.push(person, "Observation", observation(position));
    }
    forged.push_map();
    let mut export = forged.export_of(&[1, 4, 9, 10]);
    let mut note = SignedNote::parse(&export.record.checkpoint).expect("a note");
    note = SignedNote::sign(note.text(), &key(ORIGIN)).expect("a text");
    export.record.checkpoint = note.to_string();
    assert!(matches!(
        check(&export.write()),
        Err(Problem::Distrust {
            log: "log",
            why: Distrust::Witnesses(_)
        })
    ));
}

#[test]
fn whatever_was_altered_is_found() {
    let log = log();
    let with = |f: &dyn Fn(&mut Export)| {
        let mut export = log.export_of(&THEIRS);
        f(&mut export);
        check(&export.write()).unwrap_err()
    };
    let other = |value: u64| Content::Here {
        salt: SALT,
        stored: observation(value),
    };
    assert_eq!(
        with(&|e| e.record.items[2].content = other(99)),
        Problem::Content { position: 5 }
    );
    assert_eq!(
        with(&|e| e.record.items[2].content = Content::Erased(log.left[5])),
        Problem::Missing { position: 5 }
    );
    assert_eq!(
        with(&|e| e.record.items[2].content = Content::Erased(log.left[4])),
        Problem::Content { position: 5 }
    );
    assert_eq!(
        with(&|e| e.record.items[2].content = Content::Withheld),
        Problem::Missing { position: 5 }
    );
    let reword = |line: &str| line.replace("user/7", "user/8");
    assert_eq!(
        with(&|e| e.record.items[1].line = reword(&e.record.items[1].line)),
        Problem::Link {
            position: 4,
            next: 5
        }
    );
    assert_eq!(
        with(&|e| e.record.items[4].line = reword(&e.record.items[4].line)),
        Problem::Head {
            entries: 5,
            last: 10
        }
    );
    assert!(matches!(
        with(&|e| e.map.line = reword(&e.map.line)),
        Problem::Inclusion { log: "log", .. }
    ));
    assert_eq!(
        with(&|e| e.map.content = Content::Erased(log.left[12])),
        Problem::Map("its content is missing")
    );
    assert_eq!(
        with(&|e| e.map = e.record.items[0].clone()),
        Problem::Map("the entry is of something else")
    );
    assert_eq!(
        with(&|e| e.map.content = other(1)),
        Problem::Map("its content is not what its entry commits to")
    );
    assert!(matches!(
        with(&|e| e.place.index ^= 1),
        Problem::Head { .. }
    ));
    assert!(matches!(
        with(&|e| e.person = OTHER),
        Problem::OtherPerson { position: 1 }
    ));
    assert!(matches!(
        with(&|e| e.record.key = key("else").verifier().clone()),
        Problem::Distrust {
            why: Distrust::OtherKey { .. },
            ..
        }
    ));
    assert!(matches!(
        with(&|e| e.record.items[0].line.clear()),
        Problem::Line { number: 1, .. }
    ));
}

/// A log that was written wrongly, but hashed, counted and signed as it is.
#[test]
fn what_a_log_wrote_wrongly_is_refused_though_it_is_proved() {
    let one = |kind: &str, stored: &[u8]| {
        let mut log = Log::default();
        log.push(Some(PERSON), kind, stored.to_vec());
        log.push_map();
        check(&log.export_of(&[0]).write())
    };
    let resource = |content: &str| {
        Err(Problem::Resource {
            position: 0,
            content: content.to_owned(),
            entry: "Observation/0123456789abcdef".to_owned(),
        })
    };
    let refused = |stored: &[u8]| one("Observation", stored).map(|_| ());
    assert_eq!(
        refused(br#"{"resourceType":"Observation","id":"0123456789abcdef"}"#),
        Ok(())
    );
    assert_eq!(
        refused(br#"{"resourceType":"Observation","id":"other"}"#),
        resource("Observation/other")
    );
    assert_eq!(
        refused(br#"{"resourceType":"Condition","id":"0123456789abcdef"}"#),
        resource("Condition/0123456789abcdef")
    );
    assert_eq!(refused(b"{}"), resource("nothing"));
    assert_eq!(refused(b""), resource("nothing"));
    // An alias says nothing of the id, but the kind is told.
    let alias = br#"{"resourceType":"Basic","id":"whatever"}"#;
    assert!(one(heads::KIND, alias).is_ok());

    // The map: something else, of what came after it, of less than the chain, of another kind.
    let with_map = |stored: Vec<u8>, kind: &str| {
        let mut log = Log::default();
        log.push(Some(PERSON), "Observation", observation(0));
        log.push(None, kind, stored);
        check(&log.export_of(&[0]).write()).map(|_| ())
    };
    let map = |size: u64| {
        let mut log = Log::default();
        log.push(Some(PERSON), "Observation", observation(0));
        Map {
            size,
            persons: 1,
            root: heads::root(&log.heads).expect("sorted"),
            access: None,
        }
        .stored()
    };
    assert_eq!(with_map(map(1), heads::KIND), Ok(()));
    let not_a_map = |why| Err(Problem::Map(why));
    assert_eq!(
        with_map(map(2), heads::KIND),
        not_a_map("it covers entries that came after it")
    );
    assert_eq!(
        with_map(alias.to_vec(), heads::KIND),
        not_a_map("its content is something else")
    );
    let as_named = |id: &str| {
        let mut log = Log::default();
        log.push(Some(PERSON), "Observation", observation(0));
        log.push_map();
        log.items[1].line = log.items[1].line.replace("~AAAAAAAAAAAAAAAAAAAAAA", id);
        check(&log.export_of(&[0]).write()).map(|_| ())
    };
    assert_eq!(as_named("~BBBBBBBBBBBBBBBBBBBBBA"), Ok(()));
    assert_eq!(
        as_named("0123456789abcdef"),
        not_a_map("the entry is of something else")
    );
    assert_eq!(
        with_map(map(1), "Observation"),
        not_a_map("the entry is of something else")
    );
    // The head is in the map, but beyond what the map says that it covers.
    assert_eq!(
        with_map(map(0), heads::KIND),
        Err(Problem::Head {
            entries: 1,
            last: 0
        })
    );

    // Numbers of the chain that go back or stand still.
    let renumbered = |number: u64| {
        let mut log = log();
        let line = &log.items[4].line;
        let previous = format!(" {}:1:", 1);
        assert!(line.contains(&previous), "{line}");
        log.items[4].line = line.replace(&previous, &format!(" {number}:1:"));
        check(&log.export_of(&THEIRS).write()).unwrap_err()
    };
    assert_eq!(
        renumbered(3),
        Problem::LeftOut {
            count: 2,
            position: 4,
            number: 4
        }
    );
    let mut log = log();
    log.items[5].line = log.items[5].line.replace(" 2:4:", " 1:4:");
    assert_eq!(
        check(&log.export_of(&THEIRS).write()).unwrap_err(),
        Problem::Order { position: 5 }
    );
    // The number is right, and the entry that it names is not the one before.
    let mut log = self::log();
    log.items[5].line = log.items[5].line.replace(" 2:4:", " 2:3:");
    assert_eq!(
        check(&log.export_of(&THEIRS).write()).unwrap_err(),
        Problem::Link {
            position: 4,
            next: 5
        }
    );
    // A checkpoint of fewer entries than the lines say.
    let mut export = self::log().export_of(&THEIRS);
    let tree: Tree = self::log()
        .items
        .iter()
        .take(11)
        .map(|item| tlog::leaf_hash(item.line.as_bytes()))
        .collect();
    (export.record.hashes, export.record.checkpoint) = prove(&tree, &[1, 4, 5, 9, 10], ORIGIN);
    assert!(matches!(
        check(&export.write()).unwrap_err(),
        Problem::Inclusion { log: "log", .. }
    ));
}

#[test]
fn every_altered_byte_of_an_export_is_found() {
    let file = with_access().write();
    assert!(check(&file).is_ok());
    // The access log's cosignature is not asked for, so it may be altered and is then nobody's.
    let free = file.len() - 5 - 120..file.len();
    for at in 0..file.len() {
        for flip in [1 << (at % 8), 0x20, 0xff] {
            let mut altered = file.clone();
            altered[at] ^= flip;
            let refused = check(&altered);
            let is_free = free.contains(&at);
            assert!(
                refused.is_err() || is_free,
                "{at}: {}",
                altered.escape_ascii()
            );
            if let Ok(report) = refused {
                let unsure = |s: &String| s.contains("have not cosigned it");
                assert!(report.not_proved.iter().any(unsure), "{at}");
            }
        }
        let mut shorter = file.clone();
        shorter.remove(at);
        assert!(check(&shorter).is_err() || free.contains(&at), "{at}");
        assert!(check(&file[..at]).is_err());
    }
    let longer = [file.as_slice(), b"\n"].concat();
    assert!(check(&longer).is_err());
}

#[test]
fn what_the_access_log_says_is_checked_too() {
    let report = check(&with_access().write()).expect("it verifies");
    assert_eq!(report.disclosures.len(), 3);
    assert!(
        report
            .proved
            .iter()
            .any(|s| s.contains("these 3 disclosures") && s.contains("; 1 of them"))
    );
    let with = |f: &dyn Fn(&mut Section)| {
        let mut export = with_access();
        if let Some(access) = &mut export.access {
            f(access);
        }
        check(&export.write()).unwrap_err()
    };
    assert!(matches!(
        with(&|a| drop(a.items.remove(0))),
        Problem::Inclusion {
            log: "access log",
            ..
        }
    ));
    assert_eq!(
        with(&|a| a.items[0].content = Content::Erased(left_of_leaf(0, Whom::One(PERSON)))),
        Problem::Missing { position: 0 }
    );
    assert_eq!(
        with(&|a| a.items[0].content = Content::Erased(left_of_leaf(1, Whom::One(PERSON)))),
        Problem::Content { position: 0 }
    );
    assert_eq!(
        with(&|a| a.items[0].content = Content::Withheld),
        Problem::Missing { position: 0 }
    );
    let other = Content::Here {
        salt: SALT,
        stored: b"{}".to_vec(),
    };
    assert_eq!(
        with(&|a| a.items[0].content = other.clone()),
        Problem::Content { position: 0 }
    );
    assert!(matches!(
        with(&|a| a.items[0].line = a.items[0].line.replace(" p", " px")),
        Problem::Line { number: 1, .. }
    ));
    let theirs = access_line(1, Whom::One(OTHER), b"{}");
    assert_eq!(
        with(&|a| a.items[0].line = theirs.clone()),
        Problem::OtherPerson { position: 1 }
    );
    assert!(matches!(
        with(&|a| a.key = key("else").verifier().clone()),
        Problem::OtherAccessLog { .. }
    ));
    let report = Export::parse(&with_access().write()).and_then(|e| e.verify(&Trust::default()));
    assert!(report.is_ok());
}

#[test]
fn an_export_below_the_quorum_is_refused() {
    let text = format!(
        "witness W {}\nwitness V {}\ngroup G all W V\nquorum G\n",
        witness().witness(),
        CosignerKey::from_seed("v", Algorithm::Ed25519, &[8; 32])
            .expect("a name")
            .witness()
    );
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let trust = Trust {
        key: None,
        policy: Some(&policy),
    };
    let refused = log().export_of(&THEIRS).verify(&trust).unwrap_err();
    assert!(refused.to_string().contains("only W"), "{refused}");
    let elsewhere = format!("log {}\nquorum none\n", key("else").verifier());
    let policy = Policy::parse(elsewhere.as_bytes()).expect("a policy");
    let trust = Trust {
        key: None,
        policy: Some(&policy),
    };
    let refused = log().export_of(&THEIRS).verify(&trust).unwrap_err();
    assert!(matches!(
        refused,
        Problem::Distrust {
            why: Distrust::UnknownLog { .. },
            ..
        }
    ));
}

#[test]
fn a_malformed_file_names_the_line() {
    let good = String::from_utf8(log().export_of(&THEIRS).write()).expect("text");
    let with = |from: &str, to: &str| Export::parse(good.replacen(from, to, 1).as_bytes());
    let table = [
        ("homecoming-export/2", "homecoming-export/1", 2),
        ("person ", "persons ", 3),
        ("log ", "log  ", 4),
        ("entries 5", "entries 05", 5),
        ("entries 5", "entries 99999999999999999999", 5),
        ("content ", "contents ", 7),
        ("\nmap\n", "\nmaps\n", 22),
        ("\nend\n", "\nend\nend\n", 49),
        ("\nend\n", "\nfin\n", 48),
    ];
    for (from, to, line) in table {
        let refused = with(from, to);
        assert!(
            matches!(refused, Err(Problem::Form { line: found, .. }) if found <= line + 4),
            "{from:?}: {refused:?}"
        );
    }
    assert!(with("entries 5", "entries 6").is_err());
    // A content that is longer than it says: where its end should be there is more of it.
    let (before, rest) = good.split_once("\ncontent ").expect("a content");
    let (salt, rest) = rest.split_once(' ').expect("a salt");
    let (length, rest) = rest.split_once('\n').expect("a length");
    let length: usize = length.parse().expect("a number");
    let less = format!("{before}\ncontent {salt} {}\n{rest}", length - 1);
    assert!(matches!(
        Export::parse(less.as_bytes()),
        Err(Problem::Form {
            expected: "the end of a content",
            ..
        })
    ));
    assert!(with("entries 5", "entries 4").is_err());
    for file in ["", "\n", "homecoming-export/2", "homecoming-export/2\n"] {
        assert!(Export::parse(file.as_bytes()).is_err());
    }
}

#[test]
fn a_promise_is_kept_open_late_or_broken() {
    let log = log();
    let report = check(&log.export_of(&THEIRS).write()).expect("it verifies");
    let promise = |content: &[u8], due: u64| Promise {
        key: key(ORIGIN).verifier().clone(),
        person: PERSON,
        received: at(3),
        due: at(due),
        content: promise::fingerprint(content).expect("an object"),
    };
    // As it was handed in: no id, other white space, another order.
    let handed_in = br#"{ "note" : "\u00e4", "valueInteger":5, "resourceType":"Observation" }"#;
    let handed_in_plainly = "{\"valueInteger\":5,\"note\":\"ä\",\"resourceType\":\"Observation\"}";
    assert_ne!(
        promise::fingerprint(handed_in),
        promise::fingerprint(handed_in_plainly.as_bytes()),
        "a text is what was written"
    );
    let five = handed_in_plainly.as_bytes();
    let never = br#"{"resourceType":"Observation","valueInteger":77}"#;
    let export = Evidence::Export(&report);
    let kept = Standing::Kept {
        position: 5,
        recorded_at: at(5),
    };
    let late = Standing::Late {
        position: 5,
        recorded_at: at(5),
    };
    let broken = Standing::Broken {
        as_of: at(12),
        size: 12,
    };
    let table = [
        (promise(five, 9), export, 20, Ok(kept)),
        (promise(five, 5), export, 20, Ok(kept)),
        (promise(five, 4), export, 20, Ok(late)),
        (promise(never, 11), export, 20, Ok(broken)),
        (promise(never, 12), export, 20, Ok(Standing::Unknown)),
        (promise(never, 30), export, 20, Ok(Standing::Open)),
        (
            promise(never, 30),
            Evidence::Nothing,
            20,
            Ok(Standing::Open),
        ),
        (
            promise(never, 30),
            Evidence::Nothing,
            31,
            Ok(Standing::Unknown),
        ),
    ];
    for (promise, evidence, now, expect) in table {
        assert_eq!(promise.standing(evidence, at(now)), expect);
    }
    let other = Promise {
        person: OTHER,
        ..promise(five, 9)
    };
    assert_eq!(other.standing(export, at(20)), Err(Unrelated::Person));
    let elsewhere = Promise {
        key: key("else").verifier().clone(),
        ..promise(five, 9)
    };
    assert_eq!(elsewhere.standing(export, at(20)), Err(Unrelated::Log));
    // A restoration that lost entries began another log, and the promise is not that one's.
    for (promised, shown, expect) in [
        (ORIGIN, "ward.example/log.2", Unrelated::Restored),
        (
            "ward.example/log.2",
            "ward.example/log.10",
            Unrelated::Restored,
        ),
        ("ward.example/log.2", ORIGIN, Unrelated::Log),
        (ORIGIN, "ward.example/logs.2", Unrelated::Log),
    ] {
        let promise = Promise {
            key: key(promised).verifier().clone(),
            ..promise(five, 9)
        };
        let mut later = report.clone();
        later.key = key(shown).verifier().clone();
        let standing = promise.standing(Evidence::Export(&later), at(20));
        assert_eq!(standing, Err(expect), "{promised} and {shown}");
    }
    // What was erased might have been it.
    let mut erased = report.clone();
    erased.entries[3].1 = None;
    let standing = promise(never, 11).standing(Evidence::Export(&erased), at(20));
    assert_eq!(standing, Ok(Standing::Unknown));
    assert!(!export::is_one(b"homecoming-promise/1\n"));
}
