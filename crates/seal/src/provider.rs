//! Who wraps the programme's wrapping key.
//!
//! [`FileProvider`] does it with a machine's secret (`provider.key`) and, if there is one, a
//! passphrase that only people know. A hardware module, a TPM or a vault fills the same trait.
//!
//! What the file provider writes:
//!
//! ```text
//! homecoming-wrapped/1\n | provider's id 8 | memory in KiB 4 | passes 4 | salt 16 | nonce 12 | wrapped key 48 | SHA-256 8
//! ```
//!
//! No memory and no passes: there is no passphrase. Everything before the wrapped key, and the
//! context, are its associated data.

use std::sync::Arc;

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::key::Key;

/// Why a wrapping key cannot be wrapped or unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A passphrase is needed, and none was given.
    #[error(
        "the programme's key is protected by a passphrase; give the file that holds it with --passphrase-file"
    )]
    NeedsPassphrase,
    /// There is no passphrase to the key, and one was given.
    #[error(
        "a passphrase was given, but the programme's key has none; set one with `homecoming keys passphrase`"
    )]
    NeedlessPassphrase,
    /// The passphrase is not the one.
    #[error("the passphrase is not the one that the programme's key was protected with")]
    WrongPassphrase,
    /// Wrapped by another provider: another machine's secret.
    #[error(
        "the programme's key was wrapped with another provider.key; a key backup needs the provider.key of its machine, or escrowed shares"
    )]
    OtherProvider,
    /// Not what was written.
    #[error("the wrapped key of the programme is damaged")]
    Damaged,
    /// The provider is there but does not answer, or refuses.
    #[error("the key provider cannot be used: {0}")]
    Unavailable(String),
}

/// Wraps and unwraps the programme's wrapping key. It never sees any other key.
pub trait KeyProvider: Send + Sync {
    /// What it is, in a few words for the operator.
    fn describe(&self) -> &str;

    /// Wraps a key; `context` says what for, and the same must be said to unwrap it.
    fn wrap(
        &self,
        key: &Key,
        context: &[u8],
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, ProviderError>;

    /// Unwraps what [`wrap`](KeyProvider::wrap) made.
    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Key, ProviderError>;

    /// The same provider under another passphrase, or none; `None` if it is one that knows of no passphrases.
    fn with_passphrase(&self, _passphrase: Option<&[u8]>) -> Option<Arc<dyn KeyProvider>> {
        None
    }
}

const MAGIC: &[u8] = b"homecoming-wrapped/1\n";
const ID: usize = 8;
const COST: usize = 4;
const SALT: usize = 16;
const NONCE: usize = 12;
const WRAPPED: usize = 32 + 16;
const CHECK: usize = 8;
const HEAD: usize = MAGIC.len() + ID + 2 * COST + SALT + NONCE;

/// What stretching a passphrase costs whoever guesses it, at each guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// 64 MiB, three passes: RFC 9106's second recommended choice, with one lane.
    const PASSPHRASE: Cost = Cost {
        memory_kib: 64 * 1024,
        passes: 3,
    };

    /// No passphrase, nothing to stretch.
    const NONE: Cost = Cost {
        memory_kib: 0,
        passes: 0,
    };

    /// More than this is not ours; a damaged file shall not take all memory.
    fn is_sane(self) -> bool {
        self == Cost::NONE
            || ((8..=1 << 20).contains(&self.memory_kib) && (1..=64).contains(&self.passes))
    }
}

/// A secret in a file of the machine, and perhaps a passphrase.
pub struct FileProvider {
    secret: Key,
    passphrase: Option<Zeroizing<Vec<u8>>>,
}

impl FileProvider {
    /// From the bytes of `provider.key`, and the passphrase if there is one.
    pub fn new(secret: Key, passphrase: Option<&[u8]>) -> FileProvider {
        FileProvider {
            secret,
            passphrase: passphrase.map(|text| Zeroizing::new(text.to_vec())),
        }
    }

    /// Whether wrapped bytes need a passphrase; `None` if they are no such bytes.
    pub fn needs_passphrase(wrapped: &[u8]) -> Option<bool> {
        Parts::parse(wrapped).map(|parts| parts.cost != Cost::NONE)
    }

    /// Whether wrapped bytes are a file provider's, be they whole or damaged further on.
    pub fn wrote(wrapped: &[u8]) -> bool {
        wrapped.starts_with(MAGIC)
    }

    fn id(&self) -> [u8; ID] {
        let id = self.secret.derive(b"homecoming/provider/id/1\n");
        *id.as_bytes().first_chunk().expect("32 bytes have 8")
    }

    /// The key that wraps: from the secret alone, or from both, so that neither is enough.
    fn wrapping(&self, cost: Cost, salt: &[u8; SALT]) -> Result<Key, ProviderError> {
        let mut info = Zeroizing::new(b"homecoming/provider/wrap/1\n".to_vec());
        info.extend_from_slice(salt);
        match &self.passphrase {
            None if cost == Cost::NONE => {}
            None => return Err(ProviderError::NeedsPassphrase),
            Some(_) if cost == Cost::NONE => return Err(ProviderError::NeedlessPassphrase),
            Some(passphrase) => {
                let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32))
                    .map_err(|_| ProviderError::Damaged)?;
                let mut stretched = Zeroizing::new([0; 32]);
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase, salt, &mut stretched[..])
                    .map_err(|error| ProviderError::Unavailable(error.to_string()))?;
                info.extend_from_slice(&stretched[..]);
            }
        }
        Ok(self.secret.derive(&info))
    }
}

impl KeyProvider for FileProvider {
    fn describe(&self) -> &str {
        match self.passphrase {
            Some(_) => "a file of this machine and a passphrase",
            None => "a file of this machine, without a passphrase",
        }
    }

    fn wrap(
        &self,
        key: &Key,
        context: &[u8],
        chance: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, ProviderError> {
        let cost = match self.passphrase {
            Some(_) => Cost::PASSPHRASE,
            None => Cost::NONE,
        };
        let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
        chance(&mut salt);
        chance(&mut nonce);
        let wrapping = self.wrapping(cost, &salt)?;
        let mut out = Vec::with_capacity(HEAD + WRAPPED + CHECK);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.id());
        out.extend_from_slice(&cost.memory_kib.to_be_bytes());
        out.extend_from_slice(&cost.passes.to_be_bytes());
        out.extend_from_slice(&salt);
        out.extend_from_slice(&nonce);
        let bound = [&out, context].concat();
        let mut text = Zeroizing::new(*key.as_bytes());
        let tag = Aes256GcmSiv::new(wrapping.as_bytes().into())
            .encrypt_inout_detached(&Nonce::from(nonce), &bound, (&mut text[..]).into())
            .map_err(|_| ProviderError::Damaged)?;
        out.extend_from_slice(&text[..]);
        out.extend_from_slice(&tag);
        out.extend_from_slice(&check(&out));
        Ok(out)
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Key, ProviderError> {
        let parts = Parts::parse(wrapped).ok_or(ProviderError::Damaged)?;
        if parts.id != self.id() {
            return Err(ProviderError::OtherProvider);
        }
        let wrapping = self.wrapping(parts.cost, &parts.salt)?;
        let bound = [parts.head, context].concat();
        let mut text = Zeroizing::new(parts.text);
        Aes256GcmSiv::new(wrapping.as_bytes().into())
            .decrypt_inout_detached(
                &Nonce::from(parts.nonce),
                &bound,
                (&mut text[..]).into(),
                &Tag::from(parts.tag),
            )
            .map_err(|_| match parts.cost {
                Cost::NONE => ProviderError::Damaged,
                _ => ProviderError::WrongPassphrase,
            })?;
        Ok(Key::from_bytes(*text))
    }

    fn with_passphrase(&self, passphrase: Option<&[u8]>) -> Option<Arc<dyn KeyProvider>> {
        Some(Arc::new(FileProvider::new(self.secret.clone(), passphrase)))
    }
}

/// What lies in wrapped bytes.
struct Parts<'a> {
    head: &'a [u8],
    id: [u8; ID],
    cost: Cost,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    text: [u8; 32],
    tag: [u8; 16],
}

impl Parts<'_> {
    /// `None` for anything that [`FileProvider`] does not write.
    fn parse(bytes: &[u8]) -> Option<Parts<'_>> {
        let (text, checked) = bytes.split_last_chunk::<CHECK>()?;
        if text.len() != HEAD + WRAPPED || check(text) != *checked {
            return None;
        }
        let rest = text.strip_prefix(MAGIC)?;
        let (id, rest) = rest.split_first_chunk()?;
        let (memory, rest) = rest.split_first_chunk()?;
        let (passes, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (wrapped, rest) = rest.split_first_chunk()?;
        let cost = Cost {
            memory_kib: u32::from_be_bytes(*memory),
            passes: u32::from_be_bytes(*passes),
        };
        Some(Parts {
            head: &text[..HEAD],
            id: *id,
            cost: Some(cost).filter(|cost| cost.is_sane())?,
            salt: *salt,
            nonce: *nonce,
            text: *wrapped,
            tag: *rest.first_chunk()?,
        })
    }
}

/// Not against malice: it tells a damaged file from a wrong passphrase.
fn check(bytes: &[u8]) -> [u8; CHECK] {
    let hash = Sha256::digest(bytes);
    *hash.first_chunk().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests;
