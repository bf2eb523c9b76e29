//! Cosignatures (C2SP tlog-cosignature 1.0.1): a witness's word that a checkpoint follows from all it saw of the log before.
//!
//! A cosignature is a signature line on the checkpoint's note. It holds the
//! time at which the witness gave it, which it signs along, in seconds since
//! 1970. There are two kinds, [`Algorithm`]: Ed25519 (type 4), which signs the
//! whole text of the note, and ML-DSA-44 (type 6), which withstands quantum
//! computers and signs the origin, the size and the root, but no extension
//! lines.
//!
//! Stricter than the specification in one thing: a cosignature without a time
//! (0) is refused, because no witness may answer one for a checkpoint.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;
use ml_dsa::MlDsa44;
use ml_dsa::signature::Keypair;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{
    KeyError, KeyParts, Signature, SignedNote, ed25519_public, ed25519_signed, join_key,
    join_secret_key, key_id, key_label,
};

/// The largest time that a cosignature may hold, in seconds since 1970.
pub const TIMESTAMP_MAX: u64 = i64::MAX as u64;

/// How many bytes the time takes at the beginning of a cosignature.
const TIMESTAMP_BYTES: usize = size_of::<u64>();

/// How many bytes an ML-DSA-44 public key has.
const ML_DSA_44_KEY_BYTES: usize = 1312;

/// What a witness signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519, signature type 4: 72 bytes a cosignature.
    Ed25519,
    /// ML-DSA-44 (FIPS 204), signature type 6: 2,428 bytes a cosignature.
    MlDsa44,
}

impl Algorithm {
    /// The byte that stands for it in a key's text and id.
    fn kind(self) -> u8 {
        match self {
            Algorithm::Ed25519 => 0x04,
            Algorithm::MlDsa44 => 0x06,
        }
    }

    fn of(kind: Option<u8>) -> Result<Self, KeyError> {
        match kind {
            Some(0x04) => Ok(Algorithm::Ed25519),
            Some(0x06) => Ok(Algorithm::MlDsa44),
            _ => Err(KeyError::Type),
        }
    }
}

/// Why a checkpoint is not cosigned, or cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The note's text is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// None of the signatures is by the witness.
    #[error("the checkpoint is not cosigned by {key}")]
    NotCosigned {
        /// The witness's key, as `name+id`.
        key: String,
    },
    /// A signature that names the witness's key is not by it, or the checkpoint is not what it signed.
    #[error("the cosignature by {key} does not fit the checkpoint")]
    BadSignature {
        /// The witness's key, as `name+id`.
        key: String,
    },
    /// The time is 0 or more than [`TIMESTAMP_MAX`].
    #[error("the cosignature by {key} is of no possible time")]
    Timestamp {
        /// The witness's key, as `name+id`.
        key: String,
    },
    /// ML-DSA-44 only: the name of the log is longer than 255 bytes.
    #[error("the log's name is too long for a cosignature by {key}")]
    Origin {
        /// The witness's key, as `name+id`.
        key: String,
    },
}

/// A witness's public key and the name it goes by; its text is `name+id+base64`.
#[derive(Clone)]
pub struct WitnessKey {
    name: String,
    id: u32,
    key: PublicKey,
}

#[derive(Clone)]
enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    MlDsa44(Box<ml_dsa::VerifyingKey<MlDsa44>>),
}

impl WitnessKey {
    /// Reads a key's text, `name+id+base64`, of type 4 or 6.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let parts = KeyParts::split(text)?;
        let algorithm = Algorithm::of(parts.kind())?;
        let key = match algorithm {
            Algorithm::Ed25519 => {
                PublicKey::Ed25519(ed25519_public(parts.material(algorithm.kind())?)?)
            }
            Algorithm::MlDsa44 => {
                let bytes: &[u8; ML_DSA_44_KEY_BYTES] = parts.material(algorithm.kind())?;
                PublicKey::MlDsa44(Box::new(ml_dsa::VerifyingKey::decode(bytes.into())))
            }
        };
        let key = WitnessKey::new(parts.name, key)?;
        parts.expect_id(key.id)?;
        Ok(key)
    }

    fn new(name: &str, key: PublicKey) -> Result<Self, KeyError> {
        let mut key = WitnessKey {
            name: name.to_owned(),
            id: 0,
            key,
        };
        if key.algorithm() == Algorithm::MlDsa44 && u8::try_from(name.len()).is_err() {
            return Err(KeyError::Name);
        }
        key.id = key_id(name, key.algorithm().kind(), &key.bytes())?;
        Ok(key)
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: with the name, what a cosignature is attributed by.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What the witness signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
            PublicKey::MlDsa44(_) => Algorithm::MlDsa44,
        }
    }

    /// The public key alone, without name and type: 32 or 1,312 bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.key {
            PublicKey::Ed25519(key) => key.as_bytes().to_vec(),
            PublicKey::MlDsa44(key) => key.encode().to_vec(),
        }
    }

    /// Checks that this witness cosigned the checkpoint, and gives the time at which it did:
    /// seconds since 1970, the latest if it did so several times.
    ///
    /// Every signature that names this key must be good. Signatures by other keys,
    /// the log's among them, say nothing here.
    pub fn verify(&self, note: &SignedNote) -> Result<u64, CosignatureError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let mut latest = None;
        for signature in note.signatures() {
            if signature.is_named(&self.name, self.id) {
                let time = self.time_of(signature.bytes(), note.text(), &checkpoint)?;
                latest = latest.max(Some(time));
            }
        }
        latest.ok_or_else(|| CosignatureError::NotCosigned { key: self.label() })
    }

    /// As [`verify`](WitnessKey::verify), of one signature that names this key.
    pub(crate) fn verify_one(
        &self,
        note: &SignedNote,
        signature: &Signature,
    ) -> Result<u64, CosignatureError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        self.time_of(signature.bytes(), note.text(), &checkpoint)
    }

    fn time_of(
        &self,
        cosignature: &[u8],
        text: &str,
        checkpoint: &Checkpoint,
    ) -> Result<u64, CosignatureError> {
        let key = || self.label();
        let bad = || CosignatureError::BadSignature { key: key() };
        let (time, signature) = cosignature
            .split_first_chunk::<TIMESTAMP_BYTES>()
            .ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        if time == 0 || time > TIMESTAMP_MAX {
            return Err(CosignatureError::Timestamp { key: key() });
        }
        let is_signed = match &self.key {
            PublicKey::Ed25519(key) => ed25519_signed(key, &timed_text(text, time), signature),
            PublicKey::MlDsa44(key) => {
                let message = cosigned_message(&self.name, time, checkpoint)
                    .ok_or_else(|| CosignatureError::Origin { key: self.label() })?;
                ml_dsa::Signature::try_from(signature)
                    .is_ok_and(|signature| key.verify_with_context(&message, &[], &signature))
            }
        };
        if !is_signed {
            return Err(bad());
        }
        Ok(time)
    }

    /// Name and id, as errors name the key.
    pub(crate) fn label(&self) -> String {
        key_label(&self.name, self.id)
    }
}

impl PartialEq for WitnessKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.id, self.algorithm()) == (&other.name, other.id, other.algorithm())
            && self.bytes() == other.bytes()
    }
}

impl Eq for WitnessKey {}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.algorithm().kind();
        f.write_str(&join_key(&self.name, self.id, kind, &self.bytes()))
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({})", self.label())
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

/// A witness's secret key and the name it cosigns under.
///
/// It has no `Display`, and its `Debug` shows the name and id only: the secret
/// comes out through [`secret_text`](CosignerKey::secret_text) alone.
#[derive(Clone)]
pub struct CosignerKey {
    key: SecretKey,
    witness: WitnessKey,
}

#[derive(Clone)]
enum SecretKey {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

impl CosignerKey {
    /// The key that follows from 32 bytes of chance.
    pub fn from_seed(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let (key, public) = match algorithm {
            Algorithm::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_bytes(seed);
                let public = PublicKey::Ed25519(key.verifying_key());
                (SecretKey::Ed25519(Box::new(key)), public)
            }
            Algorithm::MlDsa44 => {
                let key = Box::new(ml_dsa::SigningKey::from_seed(seed.into()));
                let public = PublicKey::MlDsa44(Box::new(key.verifying_key()));
                (SecretKey::MlDsa44(key), public)
            }
        };
        Ok(CosignerKey {
            key,
            witness: WitnessKey::new(name, public)?,
        })
    }

    /// Reads the text that [`secret_text`](CosignerKey::secret_text) gives.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let parts = KeyParts::split_secret(text)?;
        let algorithm = Algorithm::of(parts.kind())?;
        let seed = parts.material(algorithm.kind())?;
        let key = CosignerKey::from_seed(parts.name, algorithm, seed)?;
        parts.expect_id(key.witness.id)?;
        Ok(key)
    }

    /// The secret as text, `PRIVATE+KEY+name+id+base64` of type and seed: only to be kept where
    /// nobody else reads.
    pub fn secret_text(&self) -> String {
        let WitnessKey { name, id, .. } = &self.witness;
        let seed: &[u8; 32] = match &self.key {
            SecretKey::Ed25519(key) => key.as_bytes(),
            SecretKey::MlDsa44(key) => key.as_seed().as_ref(),
        };
        join_secret_key(name, *id, self.witness.algorithm().kind(), seed)
    }

    /// The public half.
    pub fn witness(&self) -> &WitnessKey {
        &self.witness
    }

    /// Cosigns a checkpoint at a time in seconds since 1970; the signature's text is the line.
    ///
    /// Whether the checkpoint follows from those cosigned before must have been
    /// decided already ([`crate::witness::decide`]), and the decision kept.
    pub fn cosign(&self, note: &SignedNote, time: u64) -> Result<Signature, CosignatureError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let key = || self.witness.label();
        if time == 0 || time > TIMESTAMP_MAX {
            return Err(CosignatureError::Timestamp { key: key() });
        }
        let mut bytes = time.to_be_bytes().to_vec();
        match &self.key {
            SecretKey::Ed25519(secret) => {
                bytes.extend(secret.sign(&timed_text(note.text(), time)).to_bytes());
            }
            SecretKey::MlDsa44(secret) => {
                let message = cosigned_message(&self.witness.name, time, &checkpoint)
                    .ok_or_else(|| CosignatureError::Origin { key: key() })?;
                let signature = secret
                    .expanded_key()
                    .sign_deterministic(&message, &[])
                    .map_err(|_| CosignatureError::BadSignature { key: key() })?;
                bytes.extend(signature.encode());
            }
        }
        Ok(Signature::new(&self.witness.name, self.witness.id, bytes))
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosignerKey({})", self.witness.label())
    }
}

/// What an Ed25519 cosignature signs.
fn timed_text(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// What an ML-DSA-44 cosignature signs; `None` if a name is too long for it.
fn cosigned_message(cosigner: &str, time: u64, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    let mut message = b"subtree/v1\n\0".to_vec();
    message.push(cosigner.len().try_into().ok()?);
    message.extend(cosigner.as_bytes());
    message.extend(time.to_be_bytes());
    message.push(checkpoint.origin.len().try_into().ok()?);
    message.extend(checkpoint.origin.as_bytes());
    message.extend(0_u64.to_be_bytes());
    message.extend(checkpoint.size.to_be_bytes());
    message.extend(checkpoint.root);
    Some(message)
}
