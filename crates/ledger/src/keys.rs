//! The keys of contents: two keyrings, the wrapping key over them, and whoever wraps that.
//!
//! ```text
//! keys/provider.key    the machine's secret; never part of a backup of keys
//! keys/programme.key   the wrapping key, wrapped by the provider
//! keys/ledger.keyring  a key for each person, class and epoch, wrapped under the wrapping key
//! keys/access.keyring  the keys of the access log, likewise
//! keys/desk.keyring    one key, for what the desk keeps sealed, likewise; made when it is first asked for
//! ```
//!
//! Destroying keys takes four steps, each durable before the next: `programme.key` gets a second,
//! new wrapping key beside the current one; each keyring is replaced by one without the destroyed
//! keys, wrapped under the new one; `programme.key` loses the old one. Stopped in between,
//! [`Keys::settle`] finishes at the next start with what both wrapping keys open. Afterwards an old
//! copy of a keyring opens only with an old copy of `programme.key` and what unwraps that.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seal::{Disk, FileProvider, Key, KeyProvider, Keyring, KeyringError, ProviderError, Wrapping};

mod folder;

pub use folder::Folder;

const PROVIDER: &str = "provider.key";
const PROGRAMME: &str = "programme.key";
const LEDGER: &str = "ledger.keyring";
const ACCESS: &str = "access.keyring";
const DESK: &str = "desk.keyring";

/// How often opening looks again when the wrapping key changed while it looked.
const LOOKS: u32 = 5;

/// Why the keys cannot be made, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file is not there.
    #[error("the key `keys/{0}` is missing; restore it from a backup of the keys")]
    Missing(&'static str),
    /// A file does not read.
    #[error("the key `keys/{0}` is damaged; restore it from a backup of the keys")]
    Damaged(&'static str),
    /// There are keys already.
    #[error("there are keys in this directory already")]
    AlreadyThere,
    /// The provider refuses.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The keys are not under a `provider.key`, and what was asked for is about one.
    #[error(
        "`keys/programme.key` was not wrapped with a provider.key: either another provider protects the keys, and they \
         open with that one alone, or the file is damaged; nothing was changed. If nothing opens it any more, move \
         `keys/programme.key` away and bring the wrapping key back from its shares with `homecoming keys recover`, \
         which makes a provider.key"
    )]
    OtherProvider,
    /// The provider knows of no passphrases.
    #[error(
        "the keys are protected by {0}, to which there is no passphrase; nothing was changed. Who may use it is settled \
         there; `homecoming keys rotate` changes the wrapping key"
    )]
    NoPassphrase(String),
    /// A keyring cannot be used.
    #[error("`keys/{file}`: {source}")]
    Keyring {
        /// The file's name.
        file: &'static str,
        /// What is wrong with it.
        source: KeyringError,
    },
    /// A change has failed before, and nobody knows how much of it is on the disk.
    #[error("the keys could not be written before; start again to see what is on the disk")]
    Broken,
    /// The directory cannot be read or written.
    #[error("the directory of the keys cannot be read or written")]
    Io(#[from] io::Error),
}

/// The keys of a programme's contents, open. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    disk: Arc<dyn Disk>,
    programme: String,
    ledger: Keyring,
    access: Keyring,
    /// Held while anything but a reservation of slots changes.
    held: Mutex<Held>,
}

#[derive(Clone)]
struct Held {
    provider: Arc<dyn KeyProvider>,
    current: Wrapped,
    /// The one that a change that is not finished leads to.
    next: Option<Wrapped>,
    /// A write has failed. It is not tried again: after that nobody knows what is on the disk.
    broken: bool,
}

/// A wrapping key, and as the provider wrapped it.
#[derive(Clone)]
struct Wrapped {
    key: Wrapping,
    bytes: Vec<u8>,
}

impl Wrapped {
    fn draw(
        provider: &dyn KeyProvider,
        programme: &str,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Wrapped, ProviderError> {
        Wrapped::new(
            provider,
            programme,
            Wrapping::new(Key::draw(chance)),
            chance,
        )
    }

    fn new(
        provider: &dyn KeyProvider,
        programme: &str,
        key: Wrapping,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Wrapped, ProviderError> {
        let bytes = provider.wrap(key.key(), &context(programme), chance)?;
        Ok(Wrapped { key, bytes })
    }

    fn open(
        provider: &dyn KeyProvider,
        programme: &str,
        bytes: Vec<u8>,
    ) -> Result<Wrapped, ProviderError> {
        let key = Wrapping::new(provider.unwrap(&bytes, &context(programme))?);
        Ok(Wrapped { key, bytes })
    }
}

impl Keys {
    /// Makes the keys of a new programme in DIR/keys, which must be there. `programme` is its name
    /// for ever: every key is bound to it.
    pub fn create(
        dir: &Path,
        programme: &str,
        passphrase: Option<&[u8]>,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Keys, KeysError> {
        Keys::create_on(
            Arc::new(Folder::new(dir.join("keys"))),
            programme,
            passphrase,
            chance,
        )
    }

    /// The same, wherever the files lie.
    pub fn create_on(
        disk: Arc<dyn Disk>,
        programme: &str,
        passphrase: Option<&[u8]>,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Keys, KeysError> {
        if disk.read(PROVIDER)?.is_some() {
            return Err(KeysError::AlreadyThere);
        }
        let secret = Key::draw(chance);
        disk.replace(PROVIDER, secret.as_bytes())?;
        let provider = Arc::new(FileProvider::new(secret, passphrase));
        Keys::create_with(disk, programme, provider, chance)
    }

    /// The same, with another provider.
    pub fn create_with(
        disk: Arc<dyn Disk>,
        programme: &str,
        provider: Arc<dyn KeyProvider>,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Keys, KeysError> {
        if disk.read(PROGRAMME)?.is_some() {
            return Err(KeysError::AlreadyThere);
        }
        let current = Wrapped::draw(&*provider, programme, chance)?;
        let make = |file| {
            Keyring::create(disk.clone(), file, programme, &current.key)
                .map_err(|source| KeysError::Keyring { file, source })
        };
        let (ledger, access) = (make(LEDGER)?, make(ACCESS)?);
        let held = Held {
            provider,
            current,
            next: None,
            broken: false,
        };
        disk.replace(PROGRAMME, &held.file(programme))?;
        Ok(Keys(Arc::new(Inner {
            disk,
            programme: programme.to_owned(),
            ledger,
            access,
            held: Mutex::new(held),
        })))
    }

    /// Opens the keys of a data directory. Changes nothing, so any process may, at any time.
    pub fn open(dir: &Path, passphrase: Option<&[u8]>) -> Result<Keys, KeysError> {
        Keys::open_on(Arc::new(Folder::new(dir.join("keys"))), passphrase)
    }

    /// The same, wherever the files lie.
    pub fn open_on(disk: Arc<dyn Disk>, passphrase: Option<&[u8]>) -> Result<Keys, KeysError> {
        let open = || {
            let provider = Arc::new(FileProvider::new(secret(&*disk)?, passphrase));
            Keys::open_with(disk.clone(), provider)
        };
        match open() {
            Err(KeysError::Missing(PROVIDER) | KeysError::Provider(ProviderError::Damaged))
                if is_of_another_provider(&*disk)? =>
            {
                Err(KeysError::OtherProvider)
            }
            outcome => outcome,
        }
    }

    /// The same, with another provider.
    pub fn open_with(
        disk: Arc<dyn Disk>,
        provider: Arc<dyn KeyProvider>,
    ) -> Result<Keys, KeysError> {
        let mut seen = None;
        for _ in 0..LOOKS {
            let text = disk.read(PROGRAMME)?.ok_or(KeysError::Missing(PROGRAMME))?;
            match Keys::look(&disk, &provider, &text) {
                // The keyrings are of another wrapping key: it may have changed after it was read.
                Err(KeysError::Keyring {
                    source: KeyringError::OtherWrapping,
                    ..
                }) if seen.as_ref() != Some(&text) => seen = Some(text),
                outcome => return outcome,
            }
        }
        Err(KeysError::Damaged(PROGRAMME))
    }

    fn look(
        disk: &Arc<dyn Disk>,
        provider: &Arc<dyn KeyProvider>,
        text: &[u8],
    ) -> Result<Keys, KeysError> {
        let file = ProgrammeKey::parse(text).ok_or(KeysError::Damaged(PROGRAMME))?;
        let unwrap = |bytes| Wrapped::open(&**provider, file.programme, bytes);
        let current = unwrap(file.current)?;
        let next = file.next.map(unwrap).transpose()?;
        let open = |name| {
            let with = |wrapping| Keyring::open(disk.clone(), name, file.programme, wrapping);
            match (with(&current.key), &next) {
                (Err(KeyringError::OtherWrapping), Some(next)) => with(&next.key),
                (outcome, _) => outcome,
            }
            .map_err(|source| match source {
                KeyringError::Missing => KeysError::Missing(name),
                source => KeysError::Keyring { file: name, source },
            })
        };
        Ok(Keys(Arc::new(Inner {
            ledger: open(LEDGER)?,
            access: open(ACCESS)?,
            disk: disk.clone(),
            programme: file.programme.to_owned(),
            held: Mutex::new(Held {
                provider: provider.clone(),
                current,
                next,
                broken: false,
            }),
        })))
    }

    /// Takes the keys over with the wrapping key alone, which came back from escrow: makes a new
    /// `provider.key` and a new `programme.key` for the keyrings that are there. For a machine that is
    /// lost, or a passphrase. Refused where the keys are under a provider of another kind: they would be under
    /// files without anybody having said so. The caller holds the directory's lock.
    pub fn recover(
        dir: &Path,
        programme: &str,
        wrapping: Key,
        passphrase: Option<&[u8]>,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Keys, KeysError> {
        let disk: Arc<dyn Disk> = Arc::new(Folder::new(dir.join("keys")));
        if is_of_another_provider(&*disk)? {
            return Err(KeysError::OtherProvider);
        }
        let key = Wrapping::new(wrapping);
        let open = |file| {
            Keyring::open(disk.clone(), file, programme, &key)
                .map_err(|source| KeysError::Keyring { file, source })
        };
        let (ledger, access) = (open(LEDGER)?, open(ACCESS)?);
        let secret = Key::draw(chance);
        disk.replace(PROVIDER, secret.as_bytes())?;
        let provider = FileProvider::new(secret, passphrase);
        let held = Held {
            current: Wrapped::new(&provider, programme, key.clone(), chance)?,
            provider: Arc::new(provider),
            next: None,
            broken: false,
        };
        disk.replace(PROGRAMME, &held.file(programme))?;
        Ok(Keys(Arc::new(Inner {
            disk,
            programme: programme.to_owned(),
            ledger,
            access,
            held: Mutex::new(held),
        })))
    }

    /// Reads the files again: what another process has reserved or destroyed since then shows.
    pub fn reopened(&self) -> Result<Keys, KeysError> {
        let provider = self.held().provider.clone();
        Keys::open_with(self.0.disk.clone(), provider)
    }

    /// Finishes a change that was stopped in the middle, and clears away what it left.
    /// The caller holds the directory's lock, as for every change.
    pub fn settle(&self) -> Result<(), KeysError> {
        let mut held = self.held();
        self.0.disk.sweep()?;
        match held.next.clone() {
            Some(next) => self.wrap_anew(&mut held, &[], next),
            None => Ok(()),
        }
    }

    /// The keys of the record.
    pub fn ledger(&self) -> &Keyring {
        &self.0.ledger
    }

    /// The keys of the access log.
    pub fn access(&self) -> &Keyring {
        &self.0.access
    }

    /// The key for what the desk keeps sealed. It is no key of the record: without it people enrol
    /// anew and lose no more. Made when it is first asked for; the caller holds the directory's lock.
    pub fn desk(&self, chance: &mut dyn FnMut(&mut [u8])) -> Result<Key, KeysError> {
        let held = self.held();
        let wrong = |source| KeysError::Keyring { file: DESK, source };
        let keyring = match self.desk_keyring(&held)? {
            Some(keyring) => keyring,
            None => {
                let (disk, programme) = (self.0.disk.clone(), &self.0.programme);
                Keyring::create(disk, DESK, programme, &held.current.key).map_err(wrong)?
            }
        };
        keyring.reserve(1, chance).map_err(wrong)?;
        keyring.key(0).map_err(|error| wrong(error.into()))
    }

    /// The desk's keyring, if there is one yet.
    fn desk_keyring(&self, held: &Held) -> Result<Option<Keyring>, KeysError> {
        let open = |wrapped: &Wrapped| {
            Keyring::open(self.0.disk.clone(), DESK, &self.0.programme, &wrapped.key)
        };
        match (open(&held.current), &held.next) {
            (Err(KeyringError::Missing), _) => Ok(None),
            (Err(KeyringError::OtherWrapping), Some(next)) => open(next).map(Some),
            (outcome, _) => outcome.map(Some),
        }
        .map_err(|source| KeysError::Keyring { file: DESK, source })
    }

    /// The programme's name, which every key is bound to.
    pub fn programme(&self) -> &str {
        &self.0.programme
    }

    /// Who wraps the wrapping key, in a few words for the operator.
    pub fn provider(&self) -> String {
        self.held().provider.describe().to_owned()
    }

    /// The wrapping key, for putting it into shares.
    pub fn wrapping(&self) -> Wrapping {
        self.held().current.key.clone()
    }

    /// Destroys keys of the record, and changes the wrapping key, so that copies of the keyrings from
    /// before open nothing any more. When this returns, all of it is on the disk.
    pub fn destroy(
        &self,
        slots: &[u32],
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), KeysError> {
        let mut held = self.held();
        let next = match held.next.clone() {
            Some(next) => next,
            None => {
                let next = Wrapped::draw(&*held.provider, &self.0.programme, chance)?;
                let announced = Held {
                    next: Some(next.clone()),
                    ..held.clone()
                };
                self.write(&mut held, announced)?;
                next
            }
        };
        self.wrap_anew(&mut held, slots, next)
    }

    /// Changes the wrapping key and destroys nothing.
    pub fn rotate(&self, chance: &mut dyn FnMut(&mut [u8])) -> Result<(), KeysError> {
        self.destroy(&[], chance)
    }

    /// Wraps under another passphrase, or none, and changes the wrapping key, so that an old copy of
    /// `programme.key` with the old passphrase opens no new keyring. The provider stays; one that knows of no
    /// passphrases refuses.
    pub fn set_passphrase(
        &self,
        passphrase: Option<&[u8]>,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), KeysError> {
        let provider = self.under_passphrase(passphrase)?;
        self.settle()?;
        {
            let mut held = self.held();
            let key = held.current.key.clone();
            let changed = Held {
                current: Wrapped::new(&*provider, &self.0.programme, key, chance)?,
                provider,
                ..held.clone()
            };
            self.write(&mut held, changed)?;
        }
        self.rotate(chance)
    }

    /// Whether [`set_passphrase`](Keys::set_passphrase) is something that can be done to these keys at all.
    pub fn may_have_passphrase(&self) -> Result<(), KeysError> {
        self.under_passphrase(None).map(|_| ())
    }

    fn under_passphrase(
        &self,
        passphrase: Option<&[u8]>,
    ) -> Result<Arc<dyn KeyProvider>, KeysError> {
        let held = self.held();
        let other = held.provider.with_passphrase(passphrase);
        other.ok_or_else(|| KeysError::NoPassphrase(held.provider.describe().to_owned()))
    }

    /// Everything goes under `next`; then it is the only one.
    fn wrap_anew(&self, held: &mut Held, slots: &[u32], next: Wrapped) -> Result<(), KeysError> {
        if held.broken {
            return Err(KeysError::Broken);
        }
        for (file, keyring, slots) in [
            (LEDGER, &self.0.ledger, slots),
            (ACCESS, &self.0.access, &[]),
        ] {
            keyring
                .destroy(slots, &next.key)
                .map_err(|source| KeysError::Keyring { file, source })?;
        }
        if let Some(keyring) = self.desk_keyring(held)? {
            keyring
                .destroy(&[], &next.key)
                .map_err(|source| KeysError::Keyring { file: DESK, source })?;
        }
        let settled = Held {
            current: next,
            next: None,
            ..held.clone()
        };
        self.write(held, settled)
    }

    /// Writes `programme.key` and only then believes it.
    fn write(&self, held: &mut Held, changed: Held) -> Result<(), KeysError> {
        if held.broken {
            return Err(KeysError::Broken);
        }
        let file = changed.file(&self.0.programme);
        if let Err(error) = self.0.disk.replace(PROGRAMME, &file) {
            held.broken = true;
            return Err(error.into());
        }
        *held = changed;
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0
            .held
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.programme)
    }
}

impl Held {
    /// The file `programme.key` that says so.
    fn file(&self, programme: &str) -> Vec<u8> {
        let file = ProgrammeKey {
            programme,
            current: self.current.bytes.clone(),
            next: self.next.as_ref().map(|next| next.bytes.clone()),
        };
        file.to_string().into_bytes()
    }
}

/// What the wrapping key is wrapped for.
fn context(programme: &str) -> Vec<u8> {
    [b"homecoming/programme-key/1\n", programme.as_bytes()].concat()
}

fn secret(disk: &dyn Disk) -> Result<Key, KeysError> {
    let bytes = disk.read(PROVIDER)?.ok_or(KeysError::Missing(PROVIDER))?;
    let bytes = bytes.try_into().map_err(|_| KeysError::Damaged(PROVIDER))?;
    Ok(Key::from_bytes(bytes))
}

/// Whether the wrapping key was wrapped by something else than a [`FileProvider`]. Of a file that is not there or does
/// not read nobody can say so.
fn is_of_another_provider(disk: &dyn Disk) -> Result<bool, KeysError> {
    let text = disk.read(PROGRAMME)?.unwrap_or_default();
    let file = ProgrammeKey::parse(&text);
    Ok(file.is_some_and(|file| {
        let mut wrapped = std::iter::once(&file.current).chain(&file.next);
        wrapped.any(|bytes| !FileProvider::wrote(bytes))
    }))
}

/// The file `programme.key`: lines of text.
struct ProgrammeKey<'a> {
    programme: &'a str,
    current: Vec<u8>,
    next: Option<Vec<u8>>,
}

const HEADER: &str = "homecoming-programme-key/1";

impl ProgrammeKey<'_> {
    fn parse(bytes: &[u8]) -> Option<ProgrammeKey<'_>> {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let mut lines = text.split('\n');
        if lines.next() != Some(HEADER) {
            return None;
        }
        let programme = lines.next()?;
        let mut wrapped = |name| {
            let line = lines.next()?.strip_prefix(name)?;
            STANDARD.decode(line).ok()
        };
        let current = wrapped("current ")?;
        let next = wrapped("next ");
        let file = ProgrammeKey {
            programme,
            current,
            next,
        };
        (file.to_string().as_bytes() == bytes).then_some(file)
    }
}

impl fmt::Display for ProgrammeKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\n{}", self.programme)?;
        writeln!(f, "current {}", STANDARD.encode(&self.current))?;
        if let Some(next) = &self.next {
            writeln!(f, "next {}", STANDARD.encode(next))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
