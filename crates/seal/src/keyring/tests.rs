//! Keyrings over a disk in memory that can be made to fail.

use std::collections::HashMap;
use std::sync::Mutex;

use super::*;

const NAME: &str = "ledger.keyring";
const PROGRAMME: &str = "homecoming.example/north";

/// How the next write goes.
#[derive(Clone, Copy, Default, PartialEq)]
enum Next {
    #[default]
    Well,
    /// Reported as failed, and not done.
    FailsUndone,
    /// Reported as failed, though it is done.
    FailsDone,
}

#[derive(Default)]
struct Memory {
    files: Mutex<HashMap<String, Vec<u8>>>,
    next: Mutex<Next>,
}

impl Disk for Memory {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.lock().expect("files").get(name).cloned())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let next = std::mem::take(&mut *self.next.lock().expect("next"));
        if next != Next::FailsUndone {
            let mut files = self.files.lock().expect("files");
            files.insert(name.to_owned(), bytes.to_vec());
        }
        match next {
            Next::Well => Ok(()),
            _ => Err(io::Error::other("made to fail")),
        }
    }

    fn destroy(&self, name: &str) -> io::Result<()> {
        self.files.lock().expect("files").remove(name);
        Ok(())
    }
}

fn wrapping(byte: u8) -> Wrapping {
    Wrapping::new(Key::from_bytes([byte; 32]))
}

fn chance() -> impl FnMut(&mut [u8]) {
    let mut state = 1u64;
    move |out| {
        for byte in out {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    }
}

fn made(slots: u32) -> (Arc<Memory>, Keyring) {
    let disk = Arc::new(Memory::default());
    let ring = Keyring::create(disk.clone(), NAME, PROGRAMME, &wrapping(1)).expect("created");
    ring.reserve(slots, &mut chance()).expect("reserved");
    (disk, ring)
}

fn opened(disk: &Arc<Memory>, byte: u8) -> Result<Keyring, KeyringError> {
    Keyring::open(disk.clone(), NAME, PROGRAMME, &wrapping(byte))
}

fn keys(ring: &Keyring) -> Vec<Result<[u8; 32], KeyError>> {
    (0..ring.len())
        .map(|slot| ring.key(slot).map(|key| *key.as_bytes()))
        .collect()
}

#[test]
fn reserved_keys_differ_and_are_there_after_opening() {
    let (disk, ring) = made(20);
    let before = keys(&ring);
    assert_eq!(
        (ring.len(), ring.is_empty(), ring.destroyed()),
        (20, false, vec![])
    );
    let mut distinct: Vec<_> = before.iter().map(|key| key.expect("a key")).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 20);
    assert_eq!(keys(&opened(&disk, 1).expect("opens")), before);
    // Fewer than there are: nothing happens. More: the ones that are there stay.
    ring.reserve(5, &mut chance()).expect("nothing to do");
    assert_eq!(keys(&ring), before);
    ring.reserve(21, &mut chance()).expect("one more");
    assert_eq!(keys(&ring)[..20], before);
    assert_eq!(ring.key(21).expect_err("none"), KeyError::Unknown(21));
}

#[test]
fn a_destroyed_key_is_gone_and_the_others_need_the_new_wrapping_key() {
    let (disk, ring) = made(6);
    let before = keys(&ring);
    let old_file = disk.read(NAME).expect("read").expect("a file");
    ring.destroy(&[1, 4], &wrapping(2)).expect("destroyed");
    let check = |ring: &Keyring| {
        for (slot, (was, is)) in (0..).zip(before.iter().zip(keys(ring))) {
            match slot {
                1 | 4 => assert_eq!(is, Err(KeyError::Destroyed(slot))),
                _ => assert_eq!(is, *was),
            }
        }
        assert_eq!(ring.destroyed(), [1, 4]);
    };
    check(&ring);
    check(&opened(&disk, 2).expect("opens under the new one"));
    assert_eq!(ring.wrapping_id(), wrapping(2).id());
    let refused = opened(&disk, 1).expect_err("the old one opens nothing");
    assert!(matches!(refused, KeyringError::OtherWrapping));
    // An old copy of the file does not open under the new wrapping key.
    disk.replace(NAME, &old_file).expect("put back");
    let refused = opened(&disk, 2).expect_err("an old copy");
    assert!(matches!(refused, KeyringError::OtherWrapping));
}

#[test]
fn nothing_of_a_destroyed_or_old_wrapped_key_is_left_in_the_file() {
    let (disk, ring) = made(6);
    let before = disk.read(NAME).expect("read").expect("a file");
    ring.destroy(&[3], &wrapping(2)).expect("destroyed");
    let after = disk.read(NAME).expect("read").expect("a file");
    for slot in 0..6 {
        let at = HEAD + slot * WRAPPED;
        let (was, is) = (&before[at..at + WRAPPED], &after[at..at + WRAPPED]);
        assert!(
            was.iter().zip(is).filter(|(a, b)| a == b).count() < 8,
            "{slot}"
        );
        assert_eq!(is == DESTROYED, slot == 3);
    }
}

#[test]
fn destroying_twice_or_nothing_is_allowed_and_an_unknown_slot_changes_nothing() {
    let (disk, ring) = made(3);
    ring.destroy(&[2], &wrapping(2)).expect("destroyed");
    ring.destroy(&[2], &wrapping(3)).expect("still destroyed");
    ring.destroy(&[], &wrapping(4)).expect("only wrapped anew");
    let before = disk.read(NAME).expect("read");
    let refused = ring.destroy(&[0, 3], &wrapping(5)).expect_err("unknown");
    assert!(matches!(refused, KeyringError::Key(KeyError::Unknown(3))));
    assert_eq!(disk.read(NAME).expect("read"), before);
    assert!(ring.key(0).is_ok());
    assert_eq!(ring.wrapping_id(), wrapping(4).id());
}

#[test]
fn a_key_is_put_back_only_where_one_was_destroyed() {
    let (disk, ring) = made(3);
    let key = ring.key(1).expect("a key");
    let refused = ring.restore(1, &key).expect_err("it is there");
    assert!(matches!(refused, KeyringError::NotDestroyed(1)));
    let refused = ring.restore(9, &key).expect_err("no such slot");
    assert!(matches!(refused, KeyringError::Key(KeyError::Unknown(9))));
    ring.destroy(&[1], &wrapping(2)).expect("destroyed");
    ring.restore(1, &key).expect("put back");
    for ring in [ring, opened(&disk, 2).expect("opens")] {
        assert_eq!(ring.key(1).expect("a key").as_bytes(), key.as_bytes());
    }
}

#[test]
fn an_altered_or_torn_file_is_refused() {
    let (disk, _) = made(3);
    let whole = disk.read(NAME).expect("read").expect("a file");
    let check = |bytes: &[u8], what: &str| {
        disk.replace(NAME, bytes).expect("written");
        let refused = opened(&disk, 1).expect_err(what);
        let named = matches!(refused, KeyringError::Damaged | KeyringError::OtherWrapping);
        assert!(named, "{what}: {refused}");
        matches!(refused, KeyringError::OtherWrapping)
    };
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        let other = check(&altered, &format!("byte {at}"));
        let in_id = (MAGIC.len()..MAGIC.len() + ID).contains(&at);
        assert_eq!(other, in_id, "byte {at}");
    }
    for length in 0..whole.len() {
        check(&whole[..length], &format!("torn at {length}"));
    }
    check(&[&whole[..], &[0]].concat(), "longer");
    // A slot's worth of zeros in the middle is not a destroyed key: nobody vouches for it.
    let mut zeroed = whole.clone();
    zeroed[HEAD..HEAD + WRAPPED].fill(0);
    check(&zeroed, "a slot zeroed by hand");
    disk.replace(NAME, &whole).expect("written");
    assert!(opened(&disk, 1).is_ok());
}

#[test]
fn a_keyring_of_another_programme_or_name_is_refused() {
    let (disk, _) = made(3);
    let bytes = disk.read(NAME).expect("read").expect("a file");
    disk.replace("access.keyring", &bytes).expect("copied");
    for (name, programme) in [
        ("access.keyring", PROGRAMME),
        (NAME, "homecoming.example/south"),
    ] {
        let refused = Keyring::open(disk.clone(), name, programme, &wrapping(1));
        assert!(matches!(refused, Err(KeyringError::Damaged)), "{name}");
    }
    let missing = Keyring::open(disk.clone(), "none", PROGRAMME, &wrapping(1));
    assert!(matches!(missing, Err(KeyringError::Missing)));
    let again = Keyring::create(disk, NAME, PROGRAMME, &wrapping(1));
    assert!(matches!(again, Err(KeyringError::Exists)));
}

/// Both ways of failing: afterwards the keyring gives out only what was durable before, changes
/// nothing more, and opening again finds one of the two states whole.
#[test]
fn a_failed_write_changes_nothing_that_is_seen_and_stops_further_ones() {
    for (next, found) in [(Next::FailsUndone, 2), (Next::FailsDone, 8)] {
        let (disk, ring) = made(2);
        let before = keys(&ring);
        *disk.next.lock().expect("next") = next;
        let refused = ring.reserve(8, &mut chance()).expect_err("it failed");
        assert!(matches!(refused, KeyringError::Io(_)));
        assert_eq!(keys(&ring), before);
        let refused = ring.reserve(8, &mut chance()).expect_err("no second try");
        assert!(matches!(refused, KeyringError::Broken));
        let again = opened(&disk, 1).expect("opens");
        assert_eq!(again.len(), found);
        assert_eq!(keys(&again)[..2], before);
    }
}
