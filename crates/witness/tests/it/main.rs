//! A witness that is lied to, interrupted, and whose disk fails.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use tlog::checkpoint::Checkpoint;
use tlog::note::{SignedNote, SigningKey};
use tlog::witness::Request;
use tlog::{Tree, leaf_hash, prove_consistency, root_at};
use witness::{Folder, Memory, OpenError, Witness, create, follow};

const NOW: u64 = 1_800_000_000;

/// How the next write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    Never,
    /// It is not done.
    Undone,
    /// It is done, but reported as failed.
    Done,
}

type Files = HashMap<String, Vec<u8>>;

/// A memory that can fail in both ways. Clones share it: a clone is what a restart finds.
#[derive(Clone)]
struct Frail(Arc<Mutex<(Files, Fails)>>);

impl Frail {
    fn new() -> Frail {
        Frail(Arc::new(Mutex::new((HashMap::new(), Fails::Never))))
    }

    fn fail(&self, how: Fails) {
        self.0.lock().expect("no panic").1 = how;
    }

    fn put(&self, name: &str, bytes: Option<&[u8]>) {
        let files = &mut self.0.lock().expect("no panic").0;
        match bytes {
            Some(bytes) => files.insert(name.to_owned(), bytes.to_vec()),
            None => files.remove(name),
        };
    }

    fn names(&self, end: &str) -> Vec<String> {
        let files = &self.0.lock().expect("no panic").0;
        files
            .keys()
            .filter(|name| name.ends_with(end))
            .cloned()
            .collect()
    }
}

impl Memory for Frail {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().expect("no panic").0.get(name).cloned())
    }

    fn replace(&self, name: &str, bytes: &[u8], _secret: bool) -> io::Result<()> {
        let (files, fails) = &mut *self.0.lock().expect("no panic");
        if *fails != Fails::Undone {
            files.insert(name.to_owned(), bytes.to_vec());
        }
        match fails {
            Fails::Never => Ok(()),
            _ => Err(io::Error::other("the disk failed")),
        }
    }
}

/// A log whose leaves are numbers, and a fork of it from some leaf on.
struct Log {
    key: SigningKey,
    tree: Tree,
}

impl Log {
    fn new(name: &str) -> Log {
        Log::forked(name, u64::MAX)
    }

    fn forked(name: &str, from: u64) -> Log {
        let leaf = |n: u64| leaf_hash(format!("{}{n}", if n < from { "" } else { "x" }).as_bytes());
        Log {
            key: SigningKey::from_seed(name, &[7; 32]).expect("a key"),
            tree: (0..40).map(leaf).collect(),
        }
    }

    fn checkpoint(&self, size: u64) -> String {
        Checkpoint {
            origin: self.key.name().to_owned(),
            size,
            root: root_at(size, &self.tree).expect("it has so many leaves"),
            extensions: Vec::new(),
        }
        .sign(&self.key)
        .expect("signed")
    }

    fn request(&self, old: u64, size: u64) -> String {
        Request {
            old,
            proof: match old <= size {
                true => prove_consistency(old, size, &self.tree).expect("it has so many leaves"),
                false => Vec::new(),
            },
            checkpoint: SignedNote::parse(&self.checkpoint(size)).expect("a note"),
        }
        .to_string()
    }
}

fn seeds() -> impl FnMut(&mut [u8]) {
    let mut next = 0;
    move |bytes| {
        next += 1;
        bytes.fill(next);
    }
}

fn witness() -> (Frail, Witness) {
    let memory = Frail::new();
    create(&memory, "w", &mut seeds()).expect("made");
    follow(&memory, Log::new("ward").key.verifier()).expect("followed");
    let open = Witness::open(Box::new(memory.clone())).expect("opened");
    (memory, open)
}

/// Requests in order, each with the status that it must get, and the body of a 409.
#[test]
fn every_request_gets_the_status_that_the_specification_asks_for() {
    let (memory, witness) = witness();
    let (log, fork, other) = (
        Log::new("ward"),
        Log::forked("ward", 3),
        Log::new("elsewhere"),
    );
    let stranger = Log {
        key: SigningKey::from_seed("ward", &[8; 32]).expect("a key"),
        tree: Log::new("ward").tree,
    };
    let bad_proof = log.request(5, 9).replacen(
        "old 5\n",
        "old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        1,
    );
    let empty_with_proof = log.request(0, 5).replacen(
        "old 0\n",
        "old 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        1,
    );
    for (what, body, status, says) in [
        ("nonsense", "nonsense".to_owned(), 400, ""),
        ("nothing", String::new(), 400, ""),
        (
            "a log that it does not follow",
            other.request(0, 5),
            404,
            "",
        ),
        ("another key for the log", stranger.request(0, 5), 403, ""),
        ("a proof where none is due", empty_with_proof, 422, ""),
        (
            "an old size that it never saw",
            log.request(4, 5),
            409,
            "0\n",
        ),
        ("the first checkpoint", log.request(0, 5), 200, ""),
        ("the same again from nothing", log.request(0, 5), 409, "5\n"),
        ("the same again", log.request(5, 5), 200, ""),
        ("a proof that does not fit", bad_proof, 422, ""),
        ("a fork of the same size", fork.request(5, 5), 422, ""),
        ("a longer fork", fork.request(5, 9), 422, ""),
        (
            "an old size beyond the checkpoint",
            log.request(9, 8),
            400,
            "",
        ),
        ("the log, grown", log.request(5, 9), 200, ""),
        ("an older size", log.request(5, 8), 409, "9\n"),
        ("grown again", log.request(9, 40), 200, ""),
    ] {
        let answer = witness.add_checkpoint(body.as_bytes(), NOW);
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert!(answer.body.contains(says), "{what}: {}", answer.body);
        let is_size = answer.content_type == "text/x.tlog.size";
        assert_eq!(is_size, status == 409, "{what}");
    }
    assert_eq!(
        witness.logs().collect::<Vec<_>>(),
        [("ward", 40)],
        "only what was cosigned is remembered"
    );
    assert!(
        !memory.names(".fork").is_empty(),
        "requests that prove a fork are kept"
    );
}

#[test]
fn a_cosignature_verifies_with_both_keys_and_what_is_served_holds_it() {
    let (_, witness) = witness();
    let log = Log::new("ward");
    let answer = witness.add_checkpoint(log.request(0, 5).as_bytes(), NOW);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let note = format!("{}{}", log.checkpoint(5), answer.body);
    let note = SignedNote::parse(&note).expect("a note");
    let keys: Vec<_> = witness.keys().collect();
    assert_eq!(keys.len(), 2);
    for key in keys {
        assert_eq!(key.verify(&note), Ok(NOW), "{key}");
    }
    let path = tlog::witness::checkpoint_path("ward");
    let name = path.split('/').next().expect("a name");
    let served = witness.checkpoint(name).expect("it cosigned one");
    assert_eq!(served, note.to_string());
    assert_eq!(witness.checkpoint("nonsense"), None);
}

/// Whatever happens to the disk, a restart finds the last tree that was cosigned, or a later one.
#[test]
fn a_witness_whose_disk_fails_cosigns_nothing_more_and_never_goes_back() {
    for how in [Fails::Undone, Fails::Done] {
        let (memory, witness) = witness();
        let log = Log::new("ward");
        assert_eq!(
            witness
                .add_checkpoint(log.request(0, 5).as_bytes(), NOW)
                .status,
            200
        );
        memory.fail(how);
        let failed = witness.add_checkpoint(log.request(5, 9).as_bytes(), NOW);
        assert_eq!(failed.status, 500, "{}", failed.body);
        assert!(
            !failed.body.contains('\u{2014}'),
            "nothing was signed: {}",
            failed.body
        );
        assert!(witness.has_failed());
        // Even if the disk comes back: nobody knows what it holds.
        memory.fail(Fails::Never);
        for request in [log.request(5, 9), log.request(9, 12), log.request(5, 5)] {
            let answer = witness.add_checkpoint(request.as_bytes(), NOW);
            assert_eq!(answer.status, 503, "{}", answer.body);
        }
        let again = Witness::open(Box::new(memory.clone())).expect("opened");
        let expected = if how == Fails::Done { 9 } else { 5 };
        assert_eq!(again.logs().collect::<Vec<_>>(), [("ward", expected)]);
        let fork = Log::forked("ward", 2);
        let answer = again.add_checkpoint(fork.request(expected, 12).as_bytes(), NOW);
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
}

#[test]
fn two_requests_at_once_do_not_take_the_witness_back() {
    let (memory, witness) = witness();
    let log = Log::new("ward");
    assert_eq!(
        witness
            .add_checkpoint(log.request(0, 1).as_bytes(), NOW)
            .status,
        200
    );
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (witness, log) = (&witness, &log);
            scope.spawn(move || {
                let mut old = 1;
                for size in (2 + worker..40).step_by(3) {
                    let answer = witness.add_checkpoint(log.request(old, size).as_bytes(), NOW);
                    old = match answer.status {
                        200 => size,
                        409 => answer.body.trim().parse().expect("a size"),
                        400 => old,
                        status => panic!("{status}: {}", answer.body),
                    };
                }
            });
        }
    });
    let last = witness.logs().next().expect("a log").1;
    assert!(last > 30, "it went on to {last}");
    let again = Witness::open(Box::new(memory)).expect("opened");
    assert_eq!(again.logs().next(), Some(("ward", last)));
}

/// A memory that was tampered with stops the start, with a sentence.
#[test]
fn a_witness_that_has_forgotten_or_was_altered_does_not_start() {
    let (memory, witness) = witness();
    let log = Log::new("ward");
    witness.add_checkpoint(log.request(0, 5).as_bytes(), NOW);
    drop(witness);
    let name = memory.names(".seen").pop().expect("a memory");
    let good = memory.read(&name).expect("read").expect("there");
    let text = String::from_utf8(good.clone()).expect("text");
    let alone = log.checkpoint(5);
    let other = text.replacen("ward\n", "yard\n", 1);
    let smaller = text.replacen("\n5\n", "\n4\n", 1);
    for (what, bytes, says) in [
        ("gone", None, "put `"),
        ("empty", Some(Vec::new()), "altered"),
        (
            "without the witness's own signature",
            Some(alone.into_bytes()),
            "not cosigned by",
        ),
        (
            "of another log",
            Some(other.into_bytes()),
            "of the log yard",
        ),
        (
            "of another size",
            Some(smaller.into_bytes()),
            "does not fit",
        ),
        ("not text", Some(vec![0xff, 0xfe]), "not text"),
    ] {
        memory.put(&name, bytes.as_deref());
        match Witness::open(Box::new(memory.clone())) {
            Ok(_) => panic!("{what}: it started"),
            Err(error) => assert!(error.to_string().contains(says), "{what}: {error}"),
        }
    }
    memory.put(&name, Some(&good));
    assert!(Witness::open(Box::new(memory)).is_ok());
}

#[test]
fn a_log_may_have_a_second_key_and_keeps_its_memory() {
    let (memory, witness) = witness();
    let log = Log::new("ward");
    assert_eq!(
        witness
            .add_checkpoint(log.request(0, 5).as_bytes(), NOW)
            .status,
        200
    );
    drop(witness);
    let new = Log {
        key: SigningKey::from_seed("ward", &[9; 32]).expect("a key"),
        tree: Log::new("ward").tree,
    };
    follow(&memory, new.key.verifier()).expect("followed");
    assert!(matches!(
        follow(&memory, new.key.verifier()),
        Err(OpenError::Followed(_))
    ));
    let witness = Witness::open(Box::new(memory)).expect("opened");
    assert_eq!(
        witness
            .add_checkpoint(new.request(0, 9).as_bytes(), NOW)
            .status,
        409
    );
    assert_eq!(
        witness
            .add_checkpoint(new.request(5, 9).as_bytes(), NOW)
            .status,
        200
    );
}

#[test]
fn a_folder_keeps_what_it_was_given_and_has_one_holder() {
    let path = std::env::temp_dir().join(format!("homecoming-witness-{}", std::process::id()));
    let folder = Folder::at(&path).expect("a folder");
    let held = folder.hold().expect("held");
    assert!(folder.hold().is_err());
    drop(held);
    assert!(folder.hold().is_ok());
    assert!(matches!(
        follow(&folder, Log::new("ward").key.verifier()),
        Err(OpenError::Missing)
    ));
    create(&folder, "w", &mut seeds()).expect("made");
    assert!(matches!(
        create(&folder, "w", &mut seeds()),
        Err(OpenError::AlreadyThere)
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path.join("witness.key"))
            .expect("a key")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(folder.read("nothing").expect("read"), None);
    folder.replace("a", b"one", false).expect("written");
    folder.replace("a", b"two", false).expect("written");
    assert_eq!(folder.read("a").expect("read"), Some(b"two".to_vec()));
    std::fs::remove_dir_all(&path).expect("removed");
}
