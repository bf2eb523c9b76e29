//! Signed notes (C2SP signed-note 1.0.0): text and the lines of those who signed it. Ed25519 only.
//!
//! The text of a note means nothing before [`SignedNote::verify`] has accepted
//! it. Signatures by unknown keys are carried along and ignored: that is how
//! witnesses add theirs, and how a key is replaced.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

use crate::encoding::{from_base64, to_base64};

/// A note longer than this is refused, in bytes.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// A note with more signatures than this is refused.
pub const SIGNATURES_MAX: usize = 100;

/// The signature type of plain Ed25519 signatures over the note's text.
const ED25519: u8 = 0x01;

/// What a signature line starts with.
const DASH: &str = "\u{2014} ";

/// What a signing key's text starts with.
const SECRET: &str = "PRIVATE+KEY+";

/// Why a key's text, name or bytes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A part is missing: a key has a name, an id and the key itself, with `+` between them.
    #[error("the key is not of the form name+id+base64")]
    Form,
    /// The name is empty or holds a space, a control character or a `+`.
    #[error("the key's name is empty or holds a space, a control character or a plus sign")]
    Name,
    /// The id is not eight lower-case hex digits.
    #[error("the key's id is not eight lower-case hex digits")]
    Id,
    /// The id belongs to another name or key.
    #[error("the key's id is {found:08x}, but its name and key make {computed:08x}")]
    OtherId {
        /// The id as it was given.
        found: u32,
        /// The id that the name and the key have.
        computed: u32,
    },
    /// The last part is not canonical base64.
    #[error("the key is not canonical base64")]
    Base64,
    /// The key is not for plain Ed25519 signatures.
    #[error("the key is of a type that is not known here (only Ed25519 notes, type 1, are)")]
    Type,
    /// The bytes are not an Ed25519 key that can be relied on.
    #[error("the key is not a sound Ed25519 key")]
    Key,
}

/// Why a note is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note is longer than [`NOTE_BYTES_MAX`].
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// The note holds a control character other than the end of a line.
    #[error("the note holds a control character at byte {at}")]
    Control {
        /// Where, in bytes from the note's beginning.
        at: usize,
    },
    /// The text is empty or its last line has no end.
    #[error("the note's text does not end with the end of a line")]
    Text,
    /// No blank line parts the text from signatures.
    #[error("no blank line parts the note's text from its signatures")]
    NoSignatures,
    /// There are more signatures than [`SIGNATURES_MAX`].
    #[error("the note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// A signature's line is malformed.
    #[error("signature line {number} {fault}")]
    SignatureLine {
        /// The line's number among the signature lines, from 1.
        number: usize,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// None of the signatures is by the key that was expected.
    #[error("the note is not signed by the key {key}")]
    NotSigned {
        /// The expected key, as `name+id`.
        key: String,
    },
    /// A signature that names the expected key is not by it, or the text is not what it signed.
    #[error("the signature by the key {key} does not fit the note's text")]
    BadSignature {
        /// The expected key, as `name+id`.
        key: String,
    },
}

/// What is wrong with a signature's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The line does not end.
    #[error("is cut off")]
    CutOff,
    /// The line does not start with a dash and a space.
    #[error("does not start with an em dash and a space")]
    Dash,
    /// The name is empty or holds a character that it must not, or nothing follows it.
    #[error("has no proper key name")]
    Name,
    /// The signature is not canonical base64.
    #[error("is not canonical base64")]
    Base64,
    /// The signature is too short to hold a key's id and anything more.
    #[error("is too short")]
    Short,
}

/// A public key and the name it goes by; its text is `name+id+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// Reads a key's text, `name+id+base64`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, id, material) = split_key(text)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&material).map_err(|_| KeyError::Key)?;
        if key.is_weak() {
            return Err(KeyError::Key);
        }
        let key = VerifierKey::new(name, key)?;
        key.expect_id(id)?;
        Ok(key)
    }

    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let mut hasher = Sha256::new();
        hasher.update(name);
        hasher.update([b'\n', ED25519]);
        hasher.update(key.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        Ok(VerifierKey {
            name: name.to_owned(),
            id: u32::from_be_bytes([a, b, c, d]),
            key,
        })
    }

    fn expect_id(&self, found: u32) -> Result<(), KeyError> {
        if found != self.id {
            return Err(KeyError::OtherId {
                found,
                computed: self.id,
            });
        }
        Ok(())
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: with the name, what a signature is attributed by.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Name and id, as errors name the key.
    fn label(&self) -> String {
        format!("{}+{:08x}", self.name, self.id)
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        // Strict: one text and one key have one signature that verifies.
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join_key(&self.name, self.id, self.key.as_bytes()))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

/// A secret key and the name it signs under.
///
/// It has no `Display`, and its `Debug` shows the public key only: the secret
/// comes out through [`secret_text`](SigningKey::secret_text) alone.
#[derive(Clone)]
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl SigningKey {
    /// The key that follows from 32 bytes of chance.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(SigningKey { key, verifier })
    }

    /// Reads the text that [`secret_text`](SigningKey::secret_text) gives.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, id, seed) = split_key(text.strip_prefix(SECRET).ok_or(KeyError::Form)?)?;
        let key = SigningKey::from_seed(name, &seed)?;
        key.verifier.expect_id(id)?;
        Ok(key)
    }

    /// The secret as text, `PRIVATE+KEY+name+id+base64`: only to be kept where nobody else reads.
    pub fn secret_text(&self) -> String {
        let VerifierKey { name, id, .. } = &self.verifier;
        format!("{SECRET}{}", join_key(name, *id, self.key.as_bytes()))
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn signature(&self, text: &str) -> Signature {
        Signature {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            bytes: self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier.label())
    }
}

/// One signature on a note, by whatever key; its text is a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that is said to have signed.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The signature itself, without the key's id.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn parse(line: &str) -> Result<Self, LineFault> {
        let line = line.strip_prefix(DASH).ok_or(LineFault::Dash)?;
        let (name, base64) = line.split_once(' ').ok_or(LineFault::Name)?;
        if !is_name(name) {
            return Err(LineFault::Name);
        }
        let bytes = from_base64(base64).ok_or(LineFault::Base64)?;
        match bytes.split_first_chunk() {
            Some((id, bytes)) if !bytes.is_empty() => Ok(Signature {
                name: name.to_owned(),
                id: u32::from_be_bytes(*id),
                bytes: bytes.to_vec(),
            }),
            _ => Err(LineFault::Short),
        }
    }

    fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id
    }
}

impl fmt::Display for Signature {
    /// The line, with its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id.to_be_bytes(), self.bytes.as_slice()].concat();
        writeln!(f, "{DASH}{} {}", self.name, to_base64(&bytes))
    }
}

/// Text and its signatures, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

impl SignedNote {
    /// Signs a text, which ends with the end of a line and holds no other control character.
    pub fn sign(text: &str, key: &SigningKey) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Text);
        }
        refuse_control(text)?;
        let note = SignedNote {
            text: text.to_owned(),
            signatures: vec![key.signature(text)],
        };
        if note.to_string().len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        Ok(note)
    }

    /// Reads a note; what it says is not to be used before [`verify`](SignedNote::verify).
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        refuse_control(note)?;
        // The text keeps the end of its last line; the blank line is dropped.
        let blank = note.rfind("\n\n").ok_or(NoteError::NoSignatures)? + 1;
        let (text, lines) = (&note[..blank], &note[blank + 1..]);
        if lines.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        let mut signatures = Vec::new();
        for (line, number) in lines.split_inclusive('\n').zip(1..) {
            if number > SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            let signature = line
                .strip_suffix('\n')
                .ok_or(LineFault::CutOff)
                .and_then(Signature::parse)
                .map_err(|fault| NoteError::SignatureLine { number, fault })?;
            signatures.push(signature);
        }
        Ok(SignedNote {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, with the end of its last line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, verified or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds one more signature over the same text.
    pub fn sign_also(&mut self, key: &SigningKey) {
        self.signatures.push(key.signature(&self.text));
    }

    /// Checks that `key` signed the text, and gives the text.
    ///
    /// Every signature that names this key must be good. Signatures by other keys
    /// say nothing and are ignored, and so may be added by anybody.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut is_signed = false;
        for signature in self.signatures.iter().filter(|s| s.is_by(key)) {
            if !key.has_signed(&self.text, &signature.bytes) {
                return Err(NoteError::BadSignature { key: key.label() });
            }
            is_signed = true;
        }
        if !is_signed {
            return Err(NoteError::NotSigned { key: key.label() });
        }
        Ok(&self.text)
    }

    /// The signatures that `key` did not make.
    pub fn signatures_besides(&self, key: &VerifierKey) -> impl Iterator<Item = &Signature> {
        self.signatures.iter().filter(|s| !s.is_by(key))
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| s.fmt(f))
    }
}

fn refuse_control(text: &str) -> Result<(), NoteError> {
    match text.bytes().position(|b| b < b' ' && b != b'\n') {
        Some(at) => Err(NoteError::Control { at }),
        None => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c < ' ' || c == '+')
}

/// Takes `name+id+base64` apart: a name, an id and 32 bytes of an Ed25519 key, each well formed.
fn split_key(text: &str) -> Result<(&str, u32, [u8; 32]), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form);
    };
    if !is_name(name) {
        return Err(KeyError::Name);
    }
    let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if id.len() != 8 || !id.bytes().all(is_hex) {
        return Err(KeyError::Id);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::Id)?;
    match from_base64(base64).ok_or(KeyError::Base64)?.split_first() {
        Some((&ED25519, key)) => Ok((name, id, key.try_into().map_err(|_| KeyError::Key)?)),
        _ => Err(KeyError::Type),
    }
}

fn join_key(name: &str, id: u32, key: &[u8; 32]) -> String {
    let typed = [&[ED25519], key.as_slice()].concat();
    format!("{name}+{id:08x}+{}", to_base64(&typed))
}
