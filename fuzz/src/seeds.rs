//! Writes the corpora that every fuzzing starts from, and checks that they are read: `cargo run --bin seeds`, in this
//! folder. What each is there for is said in `SEEDS` in `lib.rs`.

use std::path::Path;

use evidence::Content;
use evidence::content::{Sealed, commitment, sealed};
use evidence::disclosure::{self, What, Whom};
use evidence::entry::{Action, Alias, Aliases, Line, Previous};
use evidence::erasure;
use evidence::export::{Content as ExportContent, Export, Item, Section};
use evidence::heads::{self, Head, Map, prove_presence};
use evidence::promise::Promise;
use homecoming_fuzz::{BOUND, ORIGIN, body_key, checkpoint, log_key, witnesses};
use record::time::RecordedAt;
use seal::escrow::{self, Escrowed, Slot};
use seal::{Class, FileProvider, Key, KeyProvider};
use tlog::Tree;
use tlog::checkpoint::Checkpoint;
use tlog::entries::write_bundle;
use tlog::note::SigningKey;
use tlog::proof::Proof;
use tlog::witness::Request;

/// What a line calls the map of persons' heads: by an alias of its id.
const MAP_IN_LINE: &str = "~BwcHBwcHBwcHBwcHBwcHBw";

fn put(target: &str, name: &str, bytes: impl AsRef<[u8]>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(name), bytes).expect("written");
}

fn main() {
    let mut state = 1u64;
    let mut chance = move |out: &mut [u8]| {
        for byte in out {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    };
    notes();
    entries();
    handed_out();
    erased();
    resources();
    keys(&mut chance);
    for (target, _) in homecoming_fuzz::TARGETS {
        homecoming_fuzz::check_seeds(target);
    }
}

fn notes() {
    let note = checkpoint();
    put("note", "cosigned", note.to_string());
    put("note", "key", log_key().verifier().to_string());
    put("note", "unsigned", note.text());
    put("cosignature", "cosigned", note.to_string());
    for (name, witness) in ["ed25519", "ml-dsa"].into_iter().zip(witnesses()) {
        put("cosignature", name, witness.witness().to_string());
    }
    let request = Request {
        old: 0,
        proof: vec![[3; 32]],
        checkpoint: note.clone(),
    };
    put("cosignature", "request", request.to_string());
    put("cosignature", "size", "42\n");
    let [one, two] = witnesses().map(|witness| witness.witness().to_string());
    put(
        "policy",
        "any",
        format!(
            "log {}\n\nwitness one {one}\nwitness two {two}\ngroup both any one two\nquorum both\n",
            log_key().verifier()
        ),
    );
    put("policy", "none", "# nobody\nquorum none\n");
}

fn entries() {
    let aliases = Aliases::new(&[4; 32]);
    let stored = br#"{"resourceType":"Observation","id":"5q0t7v9e2k4m8n1c","status":"final"}"#;
    let salt = [6; 16];
    let body = seal::seal(&body_key(), [2; 12], &BOUND, &salt, stored);
    let mut line = Line {
        position: 0,
        recorded_at: RecordedAt::parse("2026-05-05T09:12:41.300112Z").expect("an instant"),
        actor: "user/7",
        purpose: "TREAT",
        action: Action::Create,
        kind: "Observation",
        id: "5q0t7v9e2k4m8n1c",
        version: 1,
        person: Some(aliases.person("john-smith")),
        previous: None,
        commitment: commitment(&salt, stored),
        sealed: sealed(&body),
    };
    let written = |line: &Line<'_>| {
        let mut out = Vec::new();
        line.write(&mut out);
        out
    };
    let first = written(&line);
    put("entry", "first", &first);
    line.position = 7;
    line.action = Action::Update;
    line.version = 2;
    line.previous = Some(Previous {
        number: 1,
        position: 0,
        hash: tlog::leaf_hash(&first),
    });
    put("entry", "second", written(&line));
    line.person = None;
    line.previous = None;
    line.action = Action::Delete;
    line.id = "~BwcHBwcHBwcHBwcHBwcHBw";
    put("entry", "alias", written(&line));

    let tree: Tree = [&first[..], b"another", b"a third"]
        .into_iter()
        .map(tlog::leaf_hash)
        .collect();
    let root = tlog::root_at(3, &tree).expect("a root");
    let signed = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 3,
        root,
        extensions: Vec::new(),
    }
    .sign(&log_key())
    .expect("signed");
    let hashes = tlog::prove_inclusion(0, 3, &tree).expect("a proof");
    let proof = Proof {
        extra: None,
        index: 0,
        hashes: hashes.clone(),
        checkpoint: signed.clone(),
    };
    let first = String::from_utf8(first).expect("text");
    put("proof", "first", format!("{first}\n{proof}"));
    let content = Content {
        position: 0,
        salt,
        stored: stored.to_vec(),
    };
    let receipt = evidence::receipt::make(
        log_key().verifier(),
        &first,
        Some(&content),
        hashes,
        signed,
        0,
    );
    put("proof", "receipt", format!("{first}\n{receipt}"));
    put("receipt", "first", receipt);
    let bundle = write_bundle([first.as_bytes(), b"", b"x"]).expect("a bundle");
    put("tile", "bundle", [&[2][..], &bundle].concat());
    put("tile", "path", "tile/0/x001/234.p/5");
    put("tile", "entries", "tile/entries/000");
}

/// What is handed out to participants: an export of two entries with what the access log says, a promise, a receipt
/// of the access log.
fn handed_out() {
    let person = Aliases::new(&[4; 32]).person("john-smith");
    let at = |minute: u32| {
        RecordedAt::parse(&format!("2026-05-05T09:{minute:02}:00.000000Z")).expect("an instant")
    };
    let salt = [6; 16];
    let mut lines: Vec<String> = Vec::new();
    let mut push = |person, kind, id, previous, stored: &[u8]| {
        let position = lines.len() as u64;
        let mut out = Vec::new();
        Line {
            position,
            recorded_at: at(position as u32),
            actor: "user/7",
            purpose: "TREAT",
            action: Action::Create,
            kind,
            id,
            version: 1,
            person,
            previous,
            commitment: commitment(&salt, stored),
            sealed: [1; 32],
        }
        .write(&mut out);
        lines.push(String::from_utf8(out).expect("text"));
        tlog::leaf_hash(lines[position as usize].as_bytes())
    };
    let stored = |id: &str| {
        format!(r#"{{"resourceType":"Observation","id":"{id}","status":"final"}}"#).into_bytes()
    };
    let ids = ["5q0t7v9e2k4m8n1c", "5q0t7v9e2k4m8n1d"];
    let first = push(Some(person), "Observation", ids[0], None, &stored(ids[0]));
    let previous = Some(Previous {
        number: 1,
        position: 0,
        hash: first,
    });
    let hash = push(
        Some(person),
        "Observation",
        ids[1],
        previous,
        &stored(ids[1]),
    );
    let heads = [Head {
        person,
        count: 2,
        position: 1,
        hash,
    }];
    let map = Map {
        size: 2,
        persons: 1,
        root: heads::root(&heads).expect("one"),
        access: None,
    };
    push(None, heads::KIND, MAP_IN_LINE, None, &map.stored());
    let item = |at: usize, stored: Vec<u8>| Item {
        line: lines[at].clone(),
        content: ExportContent::Here { salt, stored },
    };
    let section = |key: &SigningKey, items: Vec<Item>, of: &[&str], proven: &[u64]| {
        let tree: Tree = of
            .iter()
            .map(|line| tlog::leaf_hash(line.as_bytes()))
            .collect();
        Section {
            key: key.verifier().clone(),
            items,
            hashes: tlog::prove_inclusions(proven, tree.size(), &tree).expect("in memory"),
            checkpoint: Checkpoint {
                origin: key.name().to_owned(),
                size: tree.size(),
                root: tlog::root_at(tree.size(), &tree).expect("in memory"),
                extensions: Vec::new(),
            }
            .sign(key)
            .expect("signed"),
        }
    };
    let of: Vec<&str> = lines.iter().map(String::as_str).collect();
    let items = vec![item(0, stored(ids[0])), item(1, stored(ids[1]))];
    let mut export = Export {
        person,
        record: section(&log_key(), items, &of, &[0, 1, 2]),
        map: item(2, map.stored()),
        place: prove_presence(&heads, person).expect("it is there").1,
        access: None,
    };
    put("export", "record", export.write());
    let told = br#"{"address":"/people/x"}"#;
    let mut leaf = Vec::new();
    disclosure::Line {
        position: 0,
        recorded_at: at(5),
        actor: "user/9",
        purpose: "TREAT",
        what: What::Page,
        size: 2,
        versions: 0,
        whom: Whom::One(person),
        commitment: commitment(&salt, told),
        sealed: [2; 32],
    }
    .write(&mut leaf);
    let leaf = String::from_utf8(leaf).expect("text");
    put("disclosure", "leaf", &leaf);
    let access_key = SigningKey::from_seed(&format!("{ORIGIN}/access"), &[8; 32]).expect("a name");
    let beside = Item {
        line: leaf.clone(),
        content: ExportContent::Here {
            salt,
            stored: told.to_vec(),
        },
    };
    export.access = Some(section(&access_key, vec![beside], &[&leaf], &[0]));
    put("export", "access", export.write());
    let checkpoint = export.access.iter().map(|access| access.checkpoint.clone());
    let receipt = disclosure::receipt::make(
        access_key.verifier(),
        &leaf,
        Some((&salt, told)),
        Vec::new(),
        checkpoint.collect(),
        0,
    );
    put("disclosure", "receipt", receipt);
    let promise = Promise {
        key: log_key().verifier().clone(),
        person,
        received: at(1),
        due: at(59),
        content: evidence::promise::fingerprint(&stored(ids[0])).expect("a resource"),
    };
    put("promise", "one", promise.sign(&log_key()).expect("signed"));
    put("promise", "resource", stored(ids[0]));
}

/// An export of somebody whose record was erased by all the steps that it takes.
fn erased() {
    let person = Aliases::new(&[4; 32]).person("john-smith");
    let salt = [6; 16];
    let observation = br#"{"resourceType":"Observation","id":"5q0t7v9e2k4m8n1c","status":"final"}"#;
    let steps = [
        ("user/7", "requested"),
        ("user/8", "approved"),
        ("user/9", "approved"),
        ("user/7", "told"),
        ("user/7", erasure::CARRYING_OUT),
        ("homecoming", erasure::DONE),
    ];
    let mut contents = vec![(
        "user/7",
        "Observation",
        "5q0t7v9e2k4m8n1c",
        observation.to_vec(),
    )];
    contents
        .extend(steps.map(|(actor, step)| (actor, "Task", "5q0t7v9e2k4m8n1d", task(person, step))));
    let mut items: Vec<Item> = Vec::new();
    let mut head = None;
    let mut left = None;
    let mut push = |actor, kind, id: &str, person, previous, stored: Vec<u8>| {
        let position = items.len() as u64;
        let bound = seal::Bound {
            log: ORIGIN,
            class: Class::Record,
            person: Some(&person_of(person)),
            kind,
            id,
            version: 1,
            position,
        };
        let body = seal::seal(&body_key(), [2; 12], &bound, &salt, &stored);
        left = left.or(Sealed::of(&body));
        let mut out = Vec::new();
        Line {
            position,
            recorded_at: RecordedAt::parse(&format!(
                "2026-05-05T09:{:02}:00.000000Z",
                position * 2
            ))
            .expect("an instant"),
            actor,
            purpose: "HLEGAL",
            action: Action::Create,
            kind,
            id,
            version: 1,
            person,
            previous,
            commitment: commitment(&salt, &stored),
            sealed: sealed(&body),
        }
        .write(&mut out);
        let line = String::from_utf8(out).expect("text");
        let hash = tlog::leaf_hash(line.as_bytes());
        items.push(Item {
            line,
            content: ExportContent::Here { salt, stored },
        });
        hash
    };
    for ((actor, kind, id, stored), number) in contents.into_iter().zip(0..) {
        let previous = head.map(|hash| Previous {
            number,
            position: number - 1,
            hash,
        });
        head = Some(push(actor, kind, id, Some(person), previous, stored));
    }
    let heads = [Head {
        person,
        count: 7,
        position: 6,
        hash: head.expect("a head"),
    }];
    let map = Map {
        size: 7,
        persons: 1,
        root: heads::root(&heads).expect("one"),
        access: None,
    };
    push(
        "homecoming",
        heads::KIND,
        MAP_IN_LINE,
        None,
        None,
        map.stored(),
    );
    items[0].content = ExportContent::Erased(left.expect("a body"));
    let tree: Tree = items
        .iter()
        .map(|item| tlog::leaf_hash(item.line.as_bytes()))
        .collect();
    let map = items.pop().expect("the map");
    let export = Export {
        person,
        record: Section {
            key: log_key().verifier().clone(),
            items,
            hashes: tlog::prove_inclusions(&[0, 1, 2, 3, 4, 5, 6, 7], tree.size(), &tree)
                .expect("in memory"),
            checkpoint: Checkpoint {
                origin: ORIGIN.to_owned(),
                size: tree.size(),
                root: tlog::root_at(tree.size(), &tree).expect("in memory"),
                extensions: Vec::new(),
            }
            .sign(&log_key())
            .expect("signed"),
        },
        map,
        place: prove_presence(&heads, person).expect("it is there").1,
        access: None,
    };
    let verified = export.verify(&evidence::Trust::default());
    assert!(verified.is_ok(), "{verified:?}");
    put("export", "erased", export.write());
}

fn person_of(person: Option<Alias>) -> [u8; 16] {
    person.map_or([0; 16], |alias| alias.0)
}

/// One step of an erasure.
fn task(person: Alias, step: &str) -> Vec<u8> {
    let coded = |system: &str, code: &str| {
        format!(r#"{{"coding":[{{"system":"urn:homecoming:{system}","code":"{code}"}}]}}"#)
    };
    let part =
        |name: &str, value: &str| format!(r#"{{"type":{},{value}}}"#, coded("erasure", name));
    let name = erasure::key_name_text(&body_key().name());
    let output = [
        part("below", r#""valueInteger":1"#),
        part("entries", r#""valueInteger":1"#),
        format!(
            r#"{{"type":{},"valueInteger":1}}"#,
            coded("erasure-kind", "Observation")
        ),
        part("key", r#""valueInteger":3"#),
        part("key-name", &format!(r#""valueString":"{name}""#)),
    ];
    let output = match step {
        erasure::CARRYING_OUT | erasure::DONE => format!(r#","output":[{}]"#, output.join(",")),
        _ => String::new(),
    };
    format!(
        r#"{{"resourceType":"Task","id":"5q0t7v9e2k4m8n1d","identifier":[{{"system":"urn:homecoming:person","value":"{person}"}}],"status":"in-progress","businessStatus":{},"intent":"order","code":{},"input":[{},{}]{output}}}"#,
        coded("erasure-step", step),
        coded("governance", "erasure"),
        part("scope", r#""valueCode":"record""#),
        part("delay-seconds", r#""valueInteger":60"#),
    )
    .into_bytes()
}

fn resources() {
    let bundle = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:0b7f3c1e-8a52-4c57-9a51-0f9d1c3f5d21","resource":{"resourceType":"Patient","id":"a","meta":{"versionId":"1","profile":["http://example.org/p"]},"name":[{"family":"Reyes","given":["J\u00f6rg"]}],"birthDate":"1989-02"},"request":{"method":"POST","url":"Patient"}},{"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"70221-5"}]},"subject":{"reference":"urn:uuid:0b7f3c1e-8a52-4c57-9a51-0f9d1c3f5d21"},"effectiveDateTime":"2026-05-05T09:12:41+02:00","valueQuantity":{"value":1.50,"unit":"mg"}},"request":{"method":"PUT","url":"Observation/b"}}]}"#;
    put("bundle", "transaction", bundle);
    let note = r#"{"resourceType":"DocumentReference","id":"n","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]},"status":"current","type":{"coding":[{"system":"http://loinc.org","code":"34866-4"}]},"subject":{"reference":"Patient/a"},"context":{"period":{"start":"2026-05","end":"2026-06-01"}},"content":[{"attachment":{"data":"YQ=="}}]}"#;
    put("bundle", "note", note);
    let task = r#"{"resourceType":"Task","id":"t","identifier":[{"system":"urn:homecoming:person","value":"BwcHBwcHBwcHBwcHBwcHBw"}],"status":"completed","businessStatus":{"coding":[{"system":"urn:homecoming:erasure-step","code":"done"}]},"intent":"order","code":{"coding":[{"system":"urn:homecoming:governance","code":"erasure"}]},"input":[{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"scope"}]},"valueCode":"record"}],"output":[{"type":{"coding":[{"system":"urn:homecoming:erasure","code":"entries"}]},"valueInteger":7}]}"#;
    put("bundle", "erasure", task);
}

fn keys(chance: &mut dyn FnMut(&mut [u8])) {
    let sealed = seal::seal(&body_key(), [2; 12], &BOUND, &[6; 16], b"a packed content");
    put("body", "sealed", sealed);
    let wrapped = FileProvider::new(body_key(), None)
        .wrap(&Key::from_bytes([8; 32]), ORIGIN.as_bytes(), chance)
        .expect("wrapped");
    put("body", "wrapped", wrapped);
    let slot = Slot {
        class: Class::Record,
        epoch: 1,
        slot: 17,
        key: Key::from_bytes([3; 32]),
    };
    let escrowed = Escrowed::Person([7; 16], vec![slot]);
    let words = |index: u8| format!("Share {index} of 3.");
    let (bundle, shares) =
        escrow::seal(ORIGIN, &escrowed, (2, 3), &words, chance).expect("in escrow");
    put("share", "bundle", bundle.to_string());
    put("share", "one", shares[0].to_string());
    put("share", "two", format!("{}\n{}\n", shares[0], shares[2]));
}
