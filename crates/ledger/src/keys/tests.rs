//! Keys in a directory: what opens, what a change leaves behind, and every place it can stop at.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use seal::KeyError;

use super::*;

const PROGRAMME_NAME: &str = "homecoming.example/north";

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

/// A disk that stops for good at one of its writes: before it, or after it though it says not.
#[derive(Default)]
struct Memory {
    files: Mutex<HashMap<String, Vec<u8>>>,
    /// How many writes go well; the next one fails, and all after it.
    well: AtomicUsize,
    and_the_failing_one_is_done: bool,
}

impl Memory {
    fn with(files: HashMap<String, Vec<u8>>, well: usize, done: bool) -> Arc<Memory> {
        Arc::new(Memory {
            files: Mutex::new(files),
            well: well.into(),
            and_the_failing_one_is_done: done,
        })
    }

    fn files(&self) -> HashMap<String, Vec<u8>> {
        self.files.lock().expect("files").clone()
    }
}

impl Disk for Memory {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.lock().expect("files").get(name).cloned())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let well = self.well.load(Ordering::Relaxed);
        self.well.store(well.saturating_sub(1), Ordering::Relaxed);
        if well > 0 || self.and_the_failing_one_is_done {
            let mut files = self.files.lock().expect("files");
            files.insert(name.to_owned(), bytes.to_vec());
        }
        match well {
            0 => Err(io::Error::other("made to fail")),
            _ => Ok(()),
        }
    }

    fn destroy(&self, name: &str) -> io::Result<()> {
        self.files.lock().expect("files").remove(name);
        Ok(())
    }
}

fn made() -> HashMap<String, Vec<u8>> {
    let disk = Memory::with(HashMap::new(), usize::MAX, false);
    let mut chance = chance();
    let keys = Keys::create_on(disk.clone(), PROGRAMME_NAME, None, &mut chance).expect("created");
    keys.ledger().reserve(4, &mut chance).expect("reserved");
    keys.access().reserve(2, &mut chance).expect("reserved");
    keys.desk(&mut chance).expect("made");
    disk.files()
}

fn all(keys: &Keys) -> Vec<Result<[u8; 32], KeyError>> {
    let of = |ring: &Keyring, count: u32| -> Vec<_> {
        (0..count)
            .map(|slot| ring.key(slot).map(|key| *key.as_bytes()))
            .collect()
    };
    [of(keys.ledger(), 4), of(keys.access(), 2)].concat()
}

/// A change may stop at any of its writes, each in both ways: done, and not done. Whatever is found
/// then opens, has every key that was not to be destroyed, and goes on to the end.
#[test]
fn a_change_that_stops_anywhere_loses_no_key_and_can_be_finished() {
    let files = made();
    let keys = Keys::open_on(Memory::with(files.clone(), 0, false), None).expect("opens");
    let before = all(&keys);
    let desk = |keys: &Keys| *keys.desk(&mut chance()).expect("there").as_bytes();
    let desk_before = desk(&keys);
    let mut stopped = 0;
    for done in [false, true] {
        for well in 0..6 {
            let disk = Memory::with(files.clone(), well, done);
            let keys = Keys::open_on(disk.clone(), None).expect("opens");
            let outcome = keys.destroy(&[1, 3], &mut chance());
            if well == 5 {
                outcome.expect("five writes are enough");
            } else {
                outcome.expect_err("it was stopped");
                // Nothing is tried again on a disk that has failed.
                assert!(keys.destroy(&[1, 3], &mut chance()).is_err());
                stopped += 1;
            }
            let disk = Memory::with(disk.files(), usize::MAX, false);
            let keys = Keys::open_on(disk.clone(), None).expect("opens after the stop");
            for (slot, (was, is)) in before.iter().zip(all(&keys)).enumerate() {
                let may_be_gone = slot == 1 || slot == 3;
                assert!(
                    is == *was || may_be_gone && is.is_err(),
                    "{well} {done} {slot}"
                );
            }
            assert_eq!(desk(&keys), desk_before, "{well} {done}");
            keys.settle().expect("settled");
            let settled = disk.files();
            assert!(!settled[PROGRAMME].windows(5).any(|w| w == b"next "));
            keys.destroy(&[1, 3], &mut chance()).expect("again");
            let keys = Keys::open_on(disk, None).expect("opens");
            assert_eq!(desk(&keys), desk_before, "{well} {done}");
            for (slot, (was, is)) in before.iter().zip(all(&keys)).enumerate() {
                match slot {
                    1 | 3 => assert_eq!(is, Err(KeyError::Destroyed(slot as u32))),
                    _ => assert_eq!(is, *was),
                }
            }
        }
    }
    assert_eq!(stopped, 10);
}

/// The point of changing the wrapping key: copies of the keyrings from before an erasure are worth
/// nothing with the keys of after it.
#[test]
fn an_old_copy_of_a_keyring_does_not_open_with_the_new_programme_key() {
    let files = made();
    let disk = Memory::with(files.clone(), usize::MAX, false);
    let keys = Keys::open_on(disk.clone(), None).expect("opens");
    keys.destroy(&[2], &mut chance()).expect("destroyed");
    for file in [LEDGER, ACCESS] {
        let mut mixed = disk.files();
        mixed.insert(file.to_owned(), files[file].clone());
        let refused = Keys::open_on(Memory::with(mixed, 0, false), None).expect_err(file);
        assert_eq!(
            refused.to_string(),
            format!(
                "`keys/{file}`: the keyring is wrapped under another wrapping key: it is older or \
                 newer than the programme's key"
            )
        );
    }
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let whole = made();
    for (file, sentence) in [
        (PROVIDER, "the key `keys/provider.key` is missing"),
        (PROGRAMME, "the key `keys/programme.key` is missing"),
        (LEDGER, "the key `keys/ledger.keyring` is missing"),
        (ACCESS, "the key `keys/access.keyring` is missing"),
    ] {
        let mut files = whole.clone();
        files.remove(file);
        let refused = Keys::open_on(Memory::with(files, 0, false), None).expect_err(file);
        assert!(refused.to_string().starts_with(sentence), "{refused}");
        for at in 0..whole[file].len() {
            let mut files = whole.clone();
            files.get_mut(file).expect("there")[at] ^= 1;
            let outcome = Keys::open_on(Memory::with(files, 0, false), None);
            assert!(outcome.is_err(), "{file}, byte {at}");
        }
    }
}

#[test]
fn a_passphrase_is_set_changed_and_taken_away() {
    let disk = Memory::with(made(), usize::MAX, false);
    let open = |passphrase: Option<&str>| {
        Keys::open_on(disk.clone(), passphrase.map(str::as_bytes)).map(|keys| all(&keys))
    };
    let before = open(None).expect("opens");
    let mut chance = chance();
    chance(&mut [0; 100]);
    for (from, to) in [
        (None, Some("one")),
        (Some("one"), Some("two")),
        (Some("two"), None),
    ] {
        let keys = Keys::open_on(disk.clone(), from.map(str::as_bytes)).expect("opens");
        let wrapping = keys.wrapping().id();
        let passphrase = to.map(str::as_bytes);
        keys.set_passphrase(passphrase, &mut chance).expect("set");
        assert_ne!(keys.wrapping().id(), wrapping);
        assert_eq!(all(&keys), before);
        assert_eq!(open(to).expect("opens"), before);
        assert!(open(from).is_err());
    }
}

#[test]
fn keys_are_not_made_over_keys() {
    let disk = Memory::with(made(), usize::MAX, false);
    let again = Keys::create_on(disk.clone(), PROGRAMME_NAME, None, &mut chance());
    assert!(matches!(again, Err(KeysError::AlreadyThere)));
    assert_eq!(disk.files(), made());
}

#[test]
fn whoever_has_them_open_sees_what_another_reserved_only_when_they_look_again() {
    let disk = Memory::with(made(), usize::MAX, false);
    let open = || Keys::open_on(disk.clone(), None).expect("opens");
    let (reader, writer) = (open(), open());
    writer.ledger().reserve(9, &mut chance()).expect("reserved");
    writer.destroy(&[0], &mut chance()).expect("destroyed");
    assert_eq!(reader.ledger().len(), 4);
    let again = reader.reopened().expect("opens again");
    assert_eq!(again.ledger().len(), 9);
    let gone = again.ledger().key(0).expect_err("destroyed");
    assert_eq!(gone, KeyError::Destroyed(0));
}

/// A provider of another kind: it keeps the keys itself and gives out numbers, as a hardware module or a vault may.
#[derive(Default)]
struct Vault {
    /// Each key, and what it was wrapped for.
    kept: Mutex<Vec<(Vec<u8>, Key)>>,
    unwrapped: AtomicUsize,
    is_away: AtomicBool,
}

impl Vault {
    /// How often it was asked to wrap, and how often it unwrapped.
    fn asked(&self) -> (usize, usize) {
        let wrapped = self.kept.lock().expect("keys").len();
        (wrapped, self.unwrapped.load(Ordering::Relaxed))
    }

    fn goes_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    fn answers(&self) -> Result<(), ProviderError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(ProviderError::Unavailable("no route to it".to_owned())),
            false => Ok(()),
        }
    }
}

impl KeyProvider for Vault {
    fn describe(&self) -> &str {
        "the vault in the cellar"
    }

    fn wrap(
        &self,
        key: &Key,
        context: &[u8],
        _chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, ProviderError> {
        self.answers()?;
        let mut kept = self.kept.lock().expect("keys");
        kept.push((context.to_vec(), key.clone()));
        Ok(format!("number {}", kept.len() - 1).into_bytes())
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Key, ProviderError> {
        self.answers()?;
        let kept = self.kept.lock().expect("keys");
        let number = wrapped.strip_prefix(b"number ").map(str::from_utf8);
        let number: Option<usize> = number.and_then(|text| text.ok()?.parse().ok());
        let (of, key) = number
            .and_then(|number| kept.get(number))
            .ok_or(ProviderError::Damaged)?;
        if of != context {
            return Err(ProviderError::Damaged);
        }
        self.unwrapped.fetch_add(1, Ordering::Relaxed);
        Ok(key.clone())
    }
}

/// Keys under a vault, with what [`made`] has under files.
fn made_under(vault: &Arc<Vault>, disk: &Arc<Memory>) -> Keys {
    let mut chance = chance();
    let keys = Keys::create_with(disk.clone(), PROGRAMME_NAME, vault.clone(), &mut chance)
        .expect("created");
    keys.ledger().reserve(4, &mut chance).expect("reserved");
    keys.access().reserve(2, &mut chance).expect("reserved");
    keys.desk(&mut chance).expect("made");
    keys
}

#[test]
fn a_provider_of_another_kind_takes_keys_through_their_life() {
    let vault = Arc::new(Vault::default());
    let disk = Memory::with(HashMap::new(), usize::MAX, false);
    let keys = made_under(&vault, &disk);
    assert_eq!(keys.provider(), "the vault in the cellar");
    assert_eq!(vault.asked(), (1, 0));
    assert!(!disk.files().contains_key(PROVIDER));
    let before = all(&keys);
    assert!(before.iter().all(Result::is_ok));

    let opened = Keys::open_with(disk.clone(), vault.clone()).expect("opens");
    assert_eq!(vault.asked(), (1, 1));
    assert_eq!(all(&opened), before);
    assert_eq!(opened.wrapping().id(), keys.wrapping().id());
    opened.destroy(&[1], &mut chance()).expect("destroyed");
    // One new wrapping key was wrapped, and of the old one nothing is left where the keys lie.
    assert_eq!(vault.asked(), (2, 1));
    let programme_key = |current: &str| {
        let current = STANDARD.encode(current);
        format!("{HEADER}\n{PROGRAMME_NAME}\ncurrent {current}\n").into_bytes()
    };
    assert_eq!(disk.files()[PROGRAMME], programme_key("number 1"));
    let left = |keys: &Keys| {
        for (slot, (was, is)) in before.iter().zip(all(keys)).enumerate() {
            match slot {
                1 => assert_eq!(is, Err(KeyError::Destroyed(1))),
                _ => assert_eq!(is, *was),
            }
        }
    };
    left(&opened);
    opened.rotate(&mut chance()).expect("rotated");
    assert_eq!(vault.asked(), (3, 1));
    assert_eq!(disk.files()[PROGRAMME], programme_key("number 2"));
    // Whoever had them open before sees it all when they look again, through the same provider.
    left(&keys.reopened().expect("opens again"));
    assert_eq!(vault.asked(), (3, 2));

    // Every key was wrapped for this programme, and for no other does it come out.
    for (context, _) in vault.kept.lock().expect("keys").iter() {
        let expected = [b"homecoming/programme-key/1\n", PROGRAMME_NAME.as_bytes()].concat();
        assert_eq!(*context, expected);
    }
    let text = String::from_utf8(disk.files()[PROGRAMME].clone()).expect("text");
    let mut others = disk.files();
    let renamed = text.replace(PROGRAMME_NAME, "homecoming.example/south");
    others.insert(PROGRAMME.to_owned(), renamed.into_bytes());
    let refused = Keys::open_with(Memory::with(others, 0, false), vault.clone());
    assert!(matches!(
        refused,
        Err(KeysError::Provider(ProviderError::Damaged))
    ));
}

#[test]
fn a_provider_that_is_away_stops_everything_before_anything_is_written() {
    const AWAY: &str = "the key provider cannot be used: no route to it";
    let away = |outcome: Result<(), KeysError>| {
        assert_eq!(outcome.expect_err("it is away").to_string(), AWAY);
    };
    let vault = Arc::new(Vault::default());
    let disk = Memory::with(HashMap::new(), usize::MAX, false);
    vault.goes_away(true);
    let created = Keys::create_with(disk.clone(), PROGRAMME_NAME, vault.clone(), &mut chance());
    away(created.map(drop));
    assert_eq!(disk.files(), HashMap::new());
    vault.goes_away(false);
    let keys = made_under(&vault, &disk);
    let (files, before) = (disk.files(), all(&keys));

    vault.goes_away(true);
    away(Keys::open_with(disk.clone(), vault.clone()).map(drop));
    away(keys.reopened().map(drop));
    away(keys.destroy(&[1], &mut chance()));
    away(keys.rotate(&mut chance()));
    assert_eq!(disk.files(), files);
    // What is open stays open, and goes on when the provider is back.
    assert_eq!(all(&keys), before);
    vault.goes_away(false);
    keys.destroy(&[1], &mut chance()).expect("destroyed");
    assert_eq!(all(&keys)[1], Err(KeyError::Destroyed(1)));

    // A change that stopped half way opens with the provider alone; then it is finished without.
    for well in 1..5 {
        let disk = Memory::with(files.clone(), well, false);
        let keys = Keys::open_with(disk.clone(), vault.clone()).expect("opens");
        keys.destroy(&[1], &mut chance())
            .expect_err("it was stopped");
        let disk = Memory::with(disk.files(), usize::MAX, false);
        vault.goes_away(true);
        away(Keys::open_with(disk.clone(), vault.clone()).map(drop));
        vault.goes_away(false);
        let keys = Keys::open_with(disk.clone(), vault.clone()).expect("opens after the stop");
        vault.goes_away(true);
        keys.settle().expect("settled");
        assert!(!disk.files()[PROGRAMME].windows(5).any(|w| w == b"next "));
        vault.goes_away(false);
        assert_eq!(all(&keys)[0], before[0], "{well}");
    }
}

#[test]
fn keys_under_another_provider_do_not_come_under_files_unasked() {
    let vault = Arc::new(Vault::default());
    let disk = Memory::with(HashMap::new(), usize::MAX, false);
    let keys = made_under(&vault, &disk);
    // With a provider.key beside it, too, which somebody may have left there.
    for stray in [None, Some(vec![7_u8; 32])] {
        if let Some(stray) = stray {
            disk.replace(PROVIDER, &stray).expect("written");
        }
        let files = disk.files();
        for passphrase in [None, Some(&b"one"[..])] {
            let refused = keys.set_passphrase(passphrase, &mut chance());
            let said = refused.expect_err("a vault has none").to_string();
            let expected = "the keys are protected by the vault in the cellar, to which there is no \
                            passphrase; nothing was changed.";
            assert!(said.starts_with(expected), "{said}");
            assert!(matches!(
                keys.may_have_passphrase(),
                Err(KeysError::NoPassphrase(_))
            ));
            let opened = Keys::open_on(disk.clone(), passphrase);
            assert!(matches!(opened, Err(KeysError::OtherProvider)));
        }
        assert_eq!(disk.files(), files);
    }
    assert_eq!(vault.asked(), (1, 0));
    assert_eq!(keys.provider(), "the vault in the cellar");
    // Under files, a file that is missing or damaged is still called that.
    let mut files = made();
    files.remove(PROVIDER);
    let refused = Keys::open_on(Memory::with(files, 0, false), None);
    assert!(matches!(refused, Err(KeysError::Missing(PROVIDER))));
    let mut files = made();
    let text = String::from_utf8(files[PROGRAMME].clone()).expect("text");
    let (head, wrapped) = text.rsplit_once("current ").expect("a wrapped key");
    let mut wrapped = STANDARD.decode(wrapped.trim()).expect("base64");
    *wrapped.last_mut().expect("bytes") ^= 1;
    let damaged = format!("{head}current {}\n", STANDARD.encode(wrapped));
    files.insert(PROGRAMME.to_owned(), damaged.into_bytes());
    let refused = Keys::open_on(Memory::with(files, 0, false), None);
    assert!(matches!(
        refused,
        Err(KeysError::Provider(ProviderError::Damaged))
    ));
}

mod on_a_real_disk {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A directory that goes when the test does.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let dir =
                std::env::temp_dir().join(format!("homecoming-keys-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).expect("a directory");
            Scratch(dir)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(&self.0)
                .expect("listed")
                .map(|entry| {
                    entry
                        .expect("an entry")
                        .file_name()
                        .into_string()
                        .expect("text")
                })
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap_or_default();
        }
    }

    #[test]
    fn files_are_replaced_and_destroyed_and_only_their_owner_reads_them() {
        let scratch = Scratch::new("replaced");
        let folder = Folder::new(scratch.0.clone());
        assert_eq!(folder.read("a.key").expect("read"), None);
        for bytes in [&b"first"[..], b"second and longer", b""] {
            folder.replace("a.key", bytes).expect("replaced");
            assert_eq!(folder.read("a.key").expect("read").as_deref(), Some(bytes));
            assert_eq!(scratch.names(), ["a.key"]);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let about = fs::metadata(scratch.0.join("a.key")).expect("there");
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
        folder.destroy("a.key").expect("destroyed");
        folder.destroy("a.key").expect("nothing to destroy");
        assert_eq!(scratch.names(), [""; 0]);
    }

    /// Whoever still has the old file open sees what became of its bytes.
    #[test]
    fn old_bytes_are_overwritten_where_they_lay() {
        use std::io::Read as _;
        let scratch = Scratch::new("overwritten");
        let folder = Folder::new(scratch.0.clone());
        let secret = vec![0x5e; 20_000];
        type Change = fn(&Folder) -> io::Result<()>;
        let changes: [Change; 2] = [
            |folder| folder.replace("a.key", b"new"),
            |folder| folder.destroy("a.key"),
        ];
        for change in changes {
            folder.replace("a.key", &secret).expect("written");
            let mut open = fs::File::open(scratch.0.join("a.key")).expect("open");
            change(&folder).expect("changed");
            let mut left = Vec::new();
            open.read_to_end(&mut left).expect("read");
            assert_eq!(left, vec![0; secret.len()]);
        }
    }

    #[test]
    fn what_an_interrupted_change_left_is_swept_and_the_key_itself_is_not() {
        let scratch = Scratch::new("swept");
        let folder = Folder::new(scratch.0.clone());
        folder.replace("a.key", b"the key").expect("written");
        let path = |name: &str| scratch.0.join(name);
        // Stopped after the second name was made, before the new file took the first.
        fs::hard_link(path("a.key"), path("a.key.old")).expect("linked");
        fs::write(path("a.key.new"), b"half a ne").expect("written");
        folder.sweep().expect("swept");
        assert_eq!(scratch.names(), ["a.key"]);
        assert_eq!(
            folder.read("a.key").expect("read").as_deref(),
            Some(&b"the key"[..])
        );
        // Stopped after that: the second name is the old file's.
        fs::write(path("a.key.old"), b"the old key").expect("written");
        let mut old = fs::File::open(path("a.key.old")).expect("open");
        folder.sweep().expect("swept");
        assert_eq!(scratch.names(), ["a.key"]);
        let mut left = Vec::new();
        io::Read::read_to_end(&mut old, &mut left).expect("read");
        assert_eq!(left, vec![0; 11]);
        // The next replacement does not need the sweeping.
        fs::hard_link(path("a.key"), path("a.key.old")).expect("linked");
        fs::write(path("a.key.new"), b"half a ne").expect("written");
        folder.replace("a.key", b"a new key").expect("replaced");
        assert_eq!(scratch.names(), ["a.key"]);
        assert_eq!(
            folder.read("a.key").expect("read").as_deref(),
            Some(&b"a new key"[..])
        );
    }

    #[test]
    fn keys_of_a_directory_open_again() {
        let scratch = Scratch::new("open");
        fs::create_dir(scratch.0.join("keys")).expect("a directory");
        let made = Keys::create(&scratch.0, PROGRAMME_NAME, None, &mut chance()).expect("made");
        made.ledger().reserve(4, &mut chance()).expect("reserved");
        made.access().reserve(2, &mut chance()).expect("reserved");
        made.destroy(&[1], &mut chance()).expect("destroyed");
        let opened = Keys::open(&scratch.0, None).expect("opens");
        opened.settle().expect("nothing to settle");
        assert_eq!(all(&opened), all(&made));
        assert_eq!(opened.programme(), PROGRAMME_NAME);
        assert_eq!(
            opened.provider(),
            "a file of this machine, without a passphrase"
        );
        assert_eq!(format!("{opened:?}"), "Keys(homecoming.example/north)");
    }

    /// Keys that come back from escrow come under files; where another provider has them, somebody must say so.
    #[test]
    fn keys_under_another_provider_are_not_recovered_under_files_unasked() {
        let scratch = Scratch::new("recovered");
        let dir = scratch.0.join("keys");
        fs::create_dir(&dir).expect("a directory");
        let folder: Arc<dyn Disk> = Arc::new(Folder::new(dir.clone()));
        let vault = Arc::new(Vault::default());
        let mut chance = chance();
        let keys = Keys::create_with(folder.clone(), PROGRAMME_NAME, vault.clone(), &mut chance)
            .expect("created");
        keys.ledger().reserve(4, &mut chance).expect("reserved");
        keys.access().reserve(2, &mut chance).expect("reserved");
        let wrapping = || keys.wrapping().key().clone();
        let programme = folder.read(PROGRAMME).expect("read");
        let refused = Keys::recover(&scratch.0, PROGRAMME_NAME, wrapping(), None, &mut chance);
        let said = refused.expect_err("a vault has them").to_string();
        for part in [
            "was not wrapped with a provider.key",
            "nothing was changed",
            "move `keys/programme.key` away",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(folder.read(PROGRAMME).expect("read"), programme);
        assert_eq!(folder.read(PROVIDER).expect("read"), None);
        let opened = Keys::open_with(folder.clone(), vault.clone()).expect("opens as before");
        assert_eq!(all(&opened), all(&keys));
        // As the error says.
        fs::rename(dir.join(PROGRAMME), scratch.0.join("aside")).expect("moved away");
        Keys::recover(&scratch.0, PROGRAMME_NAME, wrapping(), None, &mut chance)
            .expect("recovered");
        let opened = Keys::open(&scratch.0, None).expect("opens");
        assert_eq!(all(&opened), all(&keys));
        // Under files it is as ever: once more, over what is there.
        Keys::recover(&scratch.0, PROGRAMME_NAME, wrapping(), None, &mut chance)
            .expect("recovered again");
        assert_eq!(vault.asked(), (1, 1));
    }
}
