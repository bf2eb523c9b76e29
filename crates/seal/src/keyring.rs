//! A keyring: a file of slots, a random key each, wrapped under the programme's wrapping key.
//!
//! ```text
//! homecoming-keyring/1\n | wrapping key's id 16 | slots 4 | slot 48 ... | HMAC-SHA256 32
//! ```
//!
//! Slots are filled ahead of use, in batches, so that a new person costs no write of their own;
//! who uses which slot is for the ledger to say. A slot is used for one purpose in its life: a
//! destroyed one is all zeros and never filled with another key.
//!
//! The file is replaced whole, so there is no torn one unless the disk tears it, and then the
//! HMAC, which covers the programme and the keyring's name as well, does not hold.

use std::io;
use std::sync::{Arc, RwLock};

use crate::disk::Disk;
use crate::key::{Key, WRAPPED, Wrapping};

const MAGIC: &[u8] = b"homecoming-keyring/1\n";
const ID: usize = 16;
const COUNT: usize = 4;
const HEAD: usize = MAGIC.len() + ID + COUNT;
const VOUCHED: usize = 32;

/// What is left of a destroyed key.
const DESTROYED: [u8; WRAPPED] = [0; WRAPPED];

/// Why a slot has no key to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It was destroyed, and what it sealed is gone with it.
    #[error("the key in slot {0} was destroyed")]
    Destroyed(u32),
    /// The keyring is not that long.
    #[error("the keyring has no slot {0}: it is older than what refers to it")]
    Unknown(u32),
    /// It does not unwrap.
    #[error("the key in slot {0} is damaged")]
    Damaged(u32),
}

/// Why a keyring cannot be made, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no such file.
    #[error("there is no keyring of that name")]
    Missing,
    /// There is one already, and it is not written over.
    #[error("there is a keyring of that name already")]
    Exists,
    /// Its keys are wrapped under another wrapping key.
    #[error(
        "the keyring is wrapped under another wrapping key: it is older or newer than the programme's key"
    )]
    OtherWrapping,
    /// The file is not as it was written, or of another programme.
    #[error("the keyring is damaged, or of another programme")]
    Damaged,
    /// A key was to be put where it does not belong.
    #[error("slot {0} was not destroyed: nothing is put back over a key that is there")]
    NotDestroyed(u32),
    /// A slot that is not there.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A change has failed before and may or may not be on the disk.
    #[error("the keyring could not be written before; start again to see what is on the disk")]
    Broken,
    /// The disk failed.
    #[error("the keyring cannot be read or written")]
    Io(#[from] io::Error),
}

/// A keyring that is open. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    disk: Arc<dyn Disk>,
    name: String,
    /// What each wrapped key is bound to, besides its slot.
    bound: Vec<u8>,
    state: RwLock<State>,
}

#[derive(Clone)]
struct State {
    wrapping: Wrapping,
    slots: Vec<[u8; WRAPPED]>,
    /// A write has failed, so nobody knows which of two states the disk holds.
    broken: bool,
}

impl Keyring {
    /// Makes an empty keyring.
    pub fn create(
        disk: Arc<dyn Disk>,
        name: &str,
        programme: &str,
        wrapping: &Wrapping,
    ) -> Result<Keyring, KeyringError> {
        if disk.read(name)?.is_some() {
            return Err(KeyringError::Exists);
        }
        let state = State {
            wrapping: wrapping.clone(),
            slots: Vec::new(),
            broken: false,
        };
        let bound = bound(programme, name);
        disk.replace(name, &write(&state, &bound))?;
        Ok(Keyring::new(disk, name, bound, state))
    }

    /// Opens a keyring and checks that it is whole.
    pub fn open(
        disk: Arc<dyn Disk>,
        name: &str,
        programme: &str,
        wrapping: &Wrapping,
    ) -> Result<Keyring, KeyringError> {
        let bytes = disk.read(name)?.ok_or(KeyringError::Missing)?;
        let bound = bound(programme, name);
        let slots = parse(&bytes, &bound, wrapping)?;
        let state = State {
            wrapping: wrapping.clone(),
            slots,
            broken: false,
        };
        Ok(Keyring::new(disk, name, bound, state))
    }

    fn new(disk: Arc<dyn Disk>, name: &str, bound: Vec<u8>, state: State) -> Keyring {
        Keyring(Arc::new(Inner {
            disk,
            name: name.to_owned(),
            bound,
            state: RwLock::new(state),
        }))
    }

    /// The key in a slot, unwrapped for this use: drop it soon.
    pub fn key(&self, slot: u32) -> Result<Key, KeyError> {
        let state = self.state();
        let wrapped = state
            .slots
            .get(slot as usize)
            .ok_or(KeyError::Unknown(slot))?;
        if *wrapped == DESTROYED {
            return Err(KeyError::Destroyed(slot));
        }
        state
            .wrapping
            .unwrap(wrapped, slot, &self.0.bound)
            .ok_or(KeyError::Damaged(slot))
    }

    /// How many slots there are, destroyed ones among them.
    pub fn len(&self) -> u32 {
        self.state().slots.len() as u32
    }

    /// Whether there is no slot yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slots whose keys were destroyed, ascending.
    pub fn destroyed(&self) -> Vec<u32> {
        (0..)
            .zip(&self.state().slots)
            .filter(|(_, wrapped)| **wrapped == DESTROYED)
            .map(|(slot, _)| slot)
            .collect()
    }

    /// The wrapping key that it is wrapped under, by id.
    pub fn wrapping_id(&self) -> [u8; 16] {
        self.state().wrapping.id()
    }

    /// Makes sure that there are `upto` slots, on the disk when this returns.
    ///
    /// The whole file is written, so ask for many at a time, and for more the more there are.
    pub fn reserve(
        &self,
        upto: u32,
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), KeyringError> {
        if self.len() >= upto {
            return Ok(());
        }
        self.change(|state, bound| {
            for slot in state.slots.len() as u32..upto {
                let key = Key::draw(chance);
                state.slots.push(state.wrapping.wrap(&key, slot, bound));
            }
            Ok(())
        })
    }

    /// Destroys keys, and wraps all that stay under another wrapping key, in one replacement of the
    /// file: a copy of the old file is then worth nothing without the old wrapping key.
    ///
    /// A slot that is destroyed already stays so. With no slots, only the wrapping key changes.
    pub fn destroy(&self, slots: &[u32], wrapping: &Wrapping) -> Result<(), KeyringError> {
        self.change(|state, bound| {
            for slot in slots {
                let wrapped = state.slots.get_mut(*slot as usize);
                *wrapped.ok_or(KeyError::Unknown(*slot))? = DESTROYED;
            }
            for (slot, wrapped) in (0..).zip(&mut state.slots) {
                if *wrapped != DESTROYED {
                    let key = state.wrapping.unwrap(wrapped, slot, bound);
                    *wrapped = wrapping.wrap(&key.ok_or(KeyError::Damaged(slot))?, slot, bound);
                }
            }
            state.wrapping = wrapping.clone();
            Ok(())
        })
    }

    /// Puts a key back into a slot that was destroyed, from escrow. Whether it is the right one only
    /// what it sealed can tell: open a body with it first.
    pub fn restore(&self, slot: u32, key: &Key) -> Result<(), KeyringError> {
        self.change(|state, bound| {
            let wrapped = state.slots.get_mut(slot as usize);
            let wrapped = wrapped.ok_or(KeyError::Unknown(slot))?;
            if *wrapped != DESTROYED {
                return Err(KeyringError::NotDestroyed(slot));
            }
            *wrapped = state.wrapping.wrap(key, slot, bound);
            Ok(())
        })
    }

    /// Changes a copy, writes it, and only then shows it: nobody uses a key that is not durable.
    fn change(
        &self,
        make: impl FnOnce(&mut State, &[u8]) -> Result<(), KeyringError>,
    ) -> Result<(), KeyringError> {
        let mut state = self
            .0
            .state
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.broken {
            return Err(KeyringError::Broken);
        }
        let mut next = state.clone();
        make(&mut next, &self.0.bound)?;
        if let Err(error) = self
            .0
            .disk
            .replace(&self.0.name, &write(&next, &self.0.bound))
        {
            state.broken = true;
            return Err(error.into());
        }
        *state = next;
        Ok(())
    }

    fn state(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.0
            .state
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({}, {} slots)", self.0.name, self.len())
    }
}

/// Programme and keyring, each behind its length.
fn bound(programme: &str, name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(programme.len() + name.len() + 16);
    for field in [programme, name] {
        out.extend_from_slice(&(field.len() as u64).to_be_bytes());
        out.extend_from_slice(field.as_bytes());
    }
    out
}

fn write(state: &State, bound: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + state.slots.len() * WRAPPED + VOUCHED);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&state.wrapping.id());
    out.extend_from_slice(&(state.slots.len() as u32).to_be_bytes());
    out.extend_from_slice(state.slots.as_flattened());
    let vouched = state.wrapping.vouch(&[bound, &out]);
    out.extend_from_slice(&vouched);
    out
}

fn parse(
    bytes: &[u8],
    bound: &[u8],
    wrapping: &Wrapping,
) -> Result<Vec<[u8; WRAPPED]>, KeyringError> {
    let damaged = || KeyringError::Damaged;
    let end = bytes
        .len()
        .checked_sub(VOUCHED)
        .filter(|end| *end >= HEAD)
        .ok_or_else(damaged)?;
    let (text, vouched) = bytes.split_at(end);
    let rest = text.strip_prefix(MAGIC).ok_or_else(damaged)?;
    let (id, rest) = rest.split_at(ID);
    if id != wrapping.id() {
        return Err(KeyringError::OtherWrapping);
    }
    if wrapping.vouch(&[bound, text]) != *vouched {
        return Err(damaged());
    }
    let (count, slots) = rest.split_at(COUNT);
    let (slots, odd) = slots.as_chunks::<WRAPPED>();
    if !odd.is_empty() || count != (slots.len() as u32).to_be_bytes() {
        return Err(damaged());
    }
    Ok(slots.to_vec())
}

#[cfg(test)]
mod tests;
