//! Keys in escrow: a file of sealed keys, and shares of the key that seals it.
//!
//! The file is of no use without enough shares, and the shares are of no use without the file. It is
//! a text whose head says what is in it:
//!
//! ```text
//! homecoming-escrow/1
//! <programme>
//! <wrapping 22 | person 22>
//! <set of shares> <how many are needed> <of how many>
//! <key commitment 32 | keys | tag 16, base64>
//! ```
//!
//! The key that seals it is drawn for this one use, so the nonce is zero; encryption key and key
//! commitment are derived from it and the head, as those of a body are.

use std::fmt;

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::body::Class;
use crate::key::{Key, Wrapping};
use crate::shamir::{self, JoinError, Share, SplitError};

const HEADER: &str = "homecoming-escrow/1";
const DOMAIN: &[u8] = b"homecoming/escrow/1\n";
const COMMITMENT: usize = 32;
const TAG: usize = 16;

/// What is put in escrow.
#[derive(Clone)]
pub enum Escrowed {
    /// The wrapping key: with a copy of the keyrings, everything.
    Wrapping(Key),
    /// One person's keys, by the person's alias.
    Person([u8; 16], Vec<Slot>),
}

/// One of a person's keys.
#[derive(Clone)]
pub struct Slot {
    /// For which class of content.
    pub class: Class,
    /// Since which epoch.
    pub epoch: u32,
    /// Where it is in the keyring.
    pub slot: u32,
    /// The key itself.
    pub key: Key,
}

/// Of what keys are: the head of the file says it to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The wrapping key with this id.
    Wrapping([u8; 16]),
    /// The person with this alias.
    Person([u8; 16]),
}

/// The file: what it says of itself, and the sealed keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The programme's name.
    pub programme: String,
    /// Of what the keys are.
    pub subject: Subject,
    /// Which set of shares opens it.
    pub set: String,
    /// How many shares are needed.
    pub need: u8,
    /// How many there are.
    pub of: u8,
    sealed: Vec<u8>,
}

/// Why a bundle does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EscrowError {
    /// Not a bundle.
    #[error("this is not a file of escrowed keys: a line of it does not read")]
    NotABundle,
    /// Shares of something else.
    #[error("share {0} is not of this file: it says set {1}, the file says set {2}")]
    OtherSet(u8, String, String),
    /// The shares do not do it.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The shares fit, the file does not.
    #[error("the file of escrowed keys was altered")]
    Altered,
}

/// Puts keys in escrow: the file, and the shares that open it. `words` is asked what each share says.
pub fn seal(
    programme: &str,
    escrowed: &Escrowed,
    (need, of): (u8, u8),
    words: &dyn Fn(u8) -> String,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<(Bundle, Vec<Share>), SplitError> {
    if programme.contains('\n') {
        return Err(SplitError::Words);
    }
    let key = Key::draw(chance);
    let shares = shamir::split(key.as_bytes(), need, of, words, chance)?;
    let mut bundle = Bundle {
        programme: programme.to_owned(),
        subject: escrowed.subject(),
        set: shares[0].set(),
        need,
        of,
        sealed: Vec::new(),
    };
    let head = bundle.head();
    let derived = derive(&key, &head);
    bundle.sealed.extend_from_slice(&derived[32..]);
    bundle.sealed.extend_from_slice(&escrowed.write());
    let tag = cipher(&derived)
        .encrypt_inout_detached(
            &Nonce::default(),
            head.as_bytes(),
            (&mut bundle.sealed[COMMITMENT..]).into(),
        )
        .expect("a few keys are not too long");
    bundle.sealed.extend_from_slice(&tag);
    Ok((bundle, shares))
}

impl Bundle {
    /// Reads the file.
    pub fn parse(text: &str) -> Result<Bundle, EscrowError> {
        Bundle::read(text).ok_or(EscrowError::NotABundle)
    }

    fn read(text: &str) -> Option<Bundle> {
        let mut lines = text.split('\n');
        if lines.next()? != HEADER {
            return None;
        }
        let programme = lines.next()?.to_owned();
        let (what, id) = lines.next()?.split_once(' ')?;
        let id = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
        let subject = match what {
            "wrapping" => Subject::Wrapping(id),
            "person" => Subject::Person(id),
            _ => return None,
        };
        let mut numbers = lines.next()?.split(' ');
        let bundle = Bundle {
            programme,
            subject,
            set: numbers.next()?.to_owned(),
            need: numbers.next()?.parse().ok()?,
            of: numbers.next()?.parse().ok()?,
            sealed: STANDARD.decode(lines.next()?).ok()?,
        };
        (bundle.to_string() == text).then_some(bundle)
    }

    /// Opens it with enough of its shares.
    pub fn open(&self, shares: &[Share]) -> Result<Escrowed, EscrowError> {
        for share in shares {
            if share.set() != self.set {
                return Err(EscrowError::OtherSet(
                    share.index(),
                    share.set(),
                    self.set.clone(),
                ));
            }
        }
        let joined = shamir::join(shares)?;
        let key = joined[..].try_into().map_err(|_| EscrowError::Altered)?;
        let key = Key::from_bytes(key);
        let head = self.head();
        let derived = derive(&key, &head);
        let (text, tag) = self
            .sealed
            .strip_prefix(&derived[32..])
            .and_then(|rest| rest.split_last_chunk::<TAG>())
            .ok_or(EscrowError::Altered)?;
        let mut text = Zeroizing::new(text.to_vec());
        cipher(&derived)
            .decrypt_inout_detached(
                &Nonce::default(),
                head.as_bytes(),
                (&mut text[..]).into(),
                &Tag::from(*tag),
            )
            .map_err(|_| EscrowError::Altered)?;
        Escrowed::read(self.subject, &text).ok_or(EscrowError::Altered)
    }

    fn head(&self) -> String {
        let (what, id) = match self.subject {
            Subject::Wrapping(id) => ("wrapping", id),
            Subject::Person(id) => ("person", id),
        };
        let Bundle {
            programme,
            set,
            need,
            of,
            ..
        } = self;
        let id = URL_SAFE_NO_PAD.encode(id);
        format!("{HEADER}\n{programme}\n{what} {id}\n{set} {need} {of}\n")
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}{}", self.head(), STANDARD.encode(&self.sealed))
    }
}

/// A key of a person, as it lies in the bundle: class 1, epoch 4, slot 4, key 32.
const ROW: usize = 1 + 4 + 4 + 32;

impl Escrowed {
    fn subject(&self) -> Subject {
        match self {
            Escrowed::Wrapping(key) => Subject::Wrapping(Wrapping::new(key.clone()).id()),
            Escrowed::Person(alias, _) => Subject::Person(*alias),
        }
    }

    fn write(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Escrowed::Wrapping(key) => Zeroizing::new(key.as_bytes().to_vec()),
            Escrowed::Person(_, slots) => {
                let mut out = Zeroizing::new(Vec::with_capacity(slots.len() * ROW));
                for slot in slots {
                    out.push(slot.class as u8);
                    out.extend_from_slice(&slot.epoch.to_be_bytes());
                    out.extend_from_slice(&slot.slot.to_be_bytes());
                    out.extend_from_slice(slot.key.as_bytes());
                }
                out
            }
        }
    }

    fn read(subject: Subject, text: &[u8]) -> Option<Escrowed> {
        let escrowed = match subject {
            Subject::Wrapping(_) => Escrowed::Wrapping(Key::from_bytes(text.try_into().ok()?)),
            Subject::Person(alias) => {
                let (rows, odd) = text.as_chunks::<ROW>();
                let slots = rows.iter().map(Slot::read).collect::<Option<_>>()?;
                odd.is_empty().then_some(Escrowed::Person(alias, slots))?
            }
        };
        (escrowed.subject() == subject).then_some(escrowed)
    }
}

impl Slot {
    fn read(row: &[u8; ROW]) -> Option<Slot> {
        let (class, rest) = row.split_first()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (slot, rest) = rest.split_first_chunk()?;
        Some(Slot {
            class: Class::from_number(*class)?,
            epoch: u32::from_be_bytes(*epoch),
            slot: u32::from_be_bytes(*slot),
            key: Key::from_bytes(*rest.first_chunk()?),
        })
    }
}

fn derive(key: &Key, head: &str) -> Zeroizing<[u8; 64]> {
    key.expand(&[DOMAIN, head.as_bytes()].concat())
}

fn cipher(derived: &[u8; 64]) -> Aes256GcmSiv {
    Aes256GcmSiv::new_from_slice(&derived[..32]).expect("an encryption key has 32 bytes")
}

#[cfg(test)]
mod tests;
