//! What the desk keeps and must read again is sealed: secrets of one-time passwords, drafts, states
//! of ceremonies, providers' client secrets.
//!
//! The key is the one slot of `keys/desk.keyring`, wrapped under the programme's wrapping key. What is
//! sealed is bound to what it is and whose, so that a row which is moved does not open.

use seal::Key;
use seal::body::{self, Bound};
use zeroize::Zeroizing;

use crate::chance::Chance;
use crate::error::Error;

/// A kind of what is sealed: a form that came too late.
const DRAFT: &str = "draft";

/// Seals and opens what the desk keeps.
#[derive(Clone)]
pub struct Sealer {
    key: Key,
    programme: String,
}

impl Sealer {
    /// With the desk's key.
    pub fn new(key: Key, programme: &str) -> Sealer {
        Sealer {
            key,
            programme: programme.to_owned(),
        }
    }

    fn bound<'a>(&'a self, kind: &'a str, whose: &'a str) -> Bound<'a> {
        Bound {
            log: &self.programme,
            class: seal::Class::Programme,
            person: None,
            kind,
            id: whose,
            version: 0,
            position: 0,
        }
    }

    /// Seals something of a kind, for somebody.
    pub fn seal(&self, kind: &str, whose: &str, text: &[u8], chance: &Chance) -> Vec<u8> {
        let (mut nonce, mut salt) = ([0; 12], [0; 16]);
        chance.fill(&mut nonce);
        chance.fill(&mut salt);
        body::seal(&self.key, nonce, &self.bound(kind, whose), &salt, text)
    }

    /// Seals a user's draft.
    pub fn seal_draft(&self, user: i64, draft: &[u8], chance: &Chance) -> Vec<u8> {
        self.seal(DRAFT, &format!("user/{user}"), draft, chance)
    }

    /// Opens a user's draft again.
    pub fn open_draft(&self, user: i64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.open(DRAFT, &format!("user/{user}"), sealed)
    }

    /// Opens it again.
    pub fn open(
        &self,
        kind: &str,
        whose: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        match body::open(&self.key, &self.bound(kind, whose), sealed) {
            Ok(opened) => Ok(Zeroizing::new(opened.packed)),
            Err(error) => Err(Error::internal(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_for_the_same_and_nobody_else() {
        let sealer = Sealer::new(Key::from_bytes([7; 32]), "homecoming/ward-7");
        let sealed = sealer.seal("one-time", "user/7", b"secret", &Chance::seeded(1));
        assert_eq!(
            &**sealer
                .open("one-time", "user/7", &sealed)
                .expect("it opens"),
            b"secret"
        );
        assert!(sealer.open("one-time", "user/8", &sealed).is_err());
        assert!(sealer.open("draft", "user/7", &sealed).is_err());
        let other = Sealer::new(Key::from_bytes([7; 32]), "homecoming/ward-8");
        assert!(other.open("one-time", "user/7", &sealed).is_err());
    }
}
