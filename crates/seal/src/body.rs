//! A sealed body: one version's content, under one key, for one place.
//!
//! ```text
//! nonce 12 | key commitment 32 | AES-256-GCM-SIV(salt 16 | packed content) | tag 16
//! ```
//!
//! From the slot's key K, the first block of HKDF-SHA256-Expand(K, info) is the encryption key, where info is
//! "homecoming/version/2\n" | nonce | place; and the key commitment is HMAC-SHA256([K's name](Key::name), info). The
//! place is also the associated data, so a body that is moved to another entry, another person or
//! another programme does not open there.
//!
//! AES-GCM-SIV alone does not commit to its key: a body can be made that opens under two keys, to
//! two texts. The key commitment is what rules that out, and since the entry's line hashes the
//! body from its first byte, the log commits to the key, its class and the place.
//!
//! That the commitment hangs from the key's name and not from the key has a reason: when the key is destroyed, its
//! name can be told, and then everybody can tell of a body whether it was sealed under it, and as what class
//! ([`is_under`]). Whoever has the name can also make the beginning of another body, which opens with no key: so it counts
//! only for what was recorded while the key was there. Without the name, commitments of one key have nothing in common that anybody could see.

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};

use crate::key::{Key, mac};

/// The first bytes of everything that a version's keys are derived from.
const DOMAIN: &[u8] = b"homecoming/version/2\n";

const NONCE: usize = 12;
const COMMITMENT: usize = 32;
const SALT: usize = 16;
const TAG: usize = 16;

/// Where the ciphertext begins.
const HEAD: usize = NONCE + COMMITMENT;

/// What a body is longer than its packed content.
pub const OVERHEAD: usize = HEAD + SALT + TAG;

/// What a content is of, as far as keys go: each class of a person has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// A person's record.
    Record = 1,
    /// A person's therapy notes.
    Notes = 2,
    /// The programme's own: no person's, or what must outlive one.
    Programme = 3,
    /// What the access log holds.
    Access = 4,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 4] = [Class::Record, Class::Notes, Class::Programme, Class::Access];

    /// The class of a number that was stored.
    pub fn from_number(number: u8) -> Option<Class> {
        Class::ALL.into_iter().find(|class| *class as u8 == number)
    }
}

/// The place that a body is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// The log's origin: the programme.
    pub log: &'a str,
    /// Which of the person's keys.
    pub class: Class,
    /// The person's alias.
    pub person: Option<&'a [u8; 16]>,
    /// The resource's kind.
    pub kind: &'a str,
    /// The resource's id as the line writes it.
    pub id: &'a str,
    /// The resource's version.
    pub version: u32,
    /// The entry's place in the log.
    pub position: u64,
}

impl Bound<'_> {
    /// Domain, nonce and place: every field behind its length, so that no two places read alike.
    /// The associated data are what follows the nonce.
    fn info(&self, nonce: &[u8; NONCE]) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        out.extend_from_slice(DOMAIN);
        out.extend_from_slice(nonce);
        let person = self.person.map_or(&[][..], |person| person);
        for field in [
            self.log.as_bytes(),
            &[self.class as u8],
            person,
            self.kind.as_bytes(),
            self.id.as_bytes(),
            &self.version.to_be_bytes(),
            &self.position.to_be_bytes(),
        ] {
            out.extend_from_slice(&(field.len() as u64).to_be_bytes());
            out.extend_from_slice(field);
        }
        out
    }
}

/// What was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What the line's commitment was salted with.
    pub salt: [u8; SALT],
    /// The content as it was packed.
    pub packed: Vec<u8>,
}

/// Why a body does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Bytes are missing.
    #[error("the sealed body is too short to be one")]
    Short,
    /// The key commitment is another one: another key, another place, or altered in its first bytes.
    #[error("the sealed body was made with another key, or for another place")]
    OtherKey,
    /// Key and place are right, the ciphertext is not.
    #[error("the sealed body was altered")]
    Altered,
}

/// Seals a packed content with its salt. A nonce may never come twice under one key; if it does all
/// the same, what is given away is whether the same content was sealed for the same place.
pub fn seal(
    key: &Key,
    nonce: [u8; NONCE],
    bound: &Bound<'_>,
    salt: &[u8; SALT],
    packed: &[u8],
) -> Vec<u8> {
    let info = bound.info(&nonce);
    let encryption = key.derive(&info);
    let commitment = mac(&key.name(), &[&info]);
    let mut body = Vec::with_capacity(OVERHEAD + packed.len());
    body.extend_from_slice(&nonce);
    body.extend_from_slice(&commitment);
    body.extend_from_slice(salt);
    body.extend_from_slice(packed);
    let tag = cipher(encryption.as_bytes())
        .encrypt_inout_detached(
            &Nonce::from(nonce),
            &info[DOMAIN.len() + NONCE..],
            (&mut body[HEAD..]).into(),
        )
        .expect("a content is shorter than 2^36 bytes");
    body.extend_from_slice(&tag);
    body
}

/// Opens a body that was sealed with this key for this place.
pub fn open(key: &Key, bound: &Bound<'_>, body: &[u8]) -> Result<Opened, OpenError> {
    if body.len() < OVERHEAD {
        return Err(OpenError::Short);
    }
    let (head, rest) = body.split_at(HEAD);
    let (nonce, commitment) = head.split_at(NONCE);
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| OpenError::Short)?;
    let info = bound.info(&nonce);
    if mac(&key.name(), &[&info]) != *commitment {
        return Err(OpenError::OtherKey);
    }
    let (text, tag) = rest.split_at(rest.len() - TAG);
    let tag = Tag::try_from(tag).map_err(|_| OpenError::Short)?;
    let mut text = text.to_vec();
    cipher(key.derive(&info).as_bytes())
        .decrypt_inout_detached(
            &Nonce::from(nonce),
            &info[DOMAIN.len() + NONCE..],
            (&mut text[..]).into(),
            &tag,
        )
        .map_err(|_| OpenError::Altered)?;
    let salt = *text.first_chunk().ok_or(OpenError::Short)?;
    text.drain(..SALT);
    Ok(Opened { salt, packed: text })
}

/// Whether a body was sealed under the key of this name, for this place. It needs no key, so it can be asked of one
/// that is destroyed.
pub fn is_under(name: &[u8; 32], bound: &Bound<'_>, body: &[u8]) -> bool {
    let Some((nonce, rest)) = body.split_first_chunk::<NONCE>() else {
        return false;
    };
    rest.starts_with(&mac(name, &[&bound.info(nonce)]))
}

fn cipher(key: &[u8]) -> Aes256GcmSiv {
    Aes256GcmSiv::new_from_slice(key).expect("an encryption key has 32 bytes")
}

#[cfg(test)]
mod tests;
