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
    /// The key is not for this use: notes are signed by keys of type 1, cosigned by those of type 4 or 6.
    #[error(
        "the key is of a type that is not known here (logs sign with type 1, witnesses cosign with type 4 or 6)"
    )]
    Type,
    /// The bytes are not a key that can be relied on.
    #[error("the key is not a sound key of its type")]
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

/// A log's public key and the name it goes by; its text is `name+id+base64`.
///
/// Witnesses have keys of their own kind: [`crate::cosignature::WitnessKey`].
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// Reads a key's text, `name+id+base64`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let parts = KeyParts::split(text)?;
        let key = VerifierKey::new(parts.name, ed25519_public(parts.material(ED25519)?)?)?;
        parts.expect_id(key.id)?;
        Ok(key)
    }

    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        Ok(VerifierKey {
            name: name.to_owned(),
            id: key_id(name, ED25519, key.as_bytes())?,
            key,
        })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: with the name, what a signature is attributed by.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The public key alone, without name and type.
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Name and id, as errors name the key.
    fn label(&self) -> String {
        key_label(&self.name, self.id)
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        ed25519_signed(&self.key, text.as_bytes(), signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join_key(&self.name, self.id, ED25519, self.key.as_bytes()))
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
        let parts = KeyParts::split_secret(text)?;
        let key = SigningKey::from_seed(parts.name, parts.material(ED25519)?)?;
        parts.expect_id(key.verifier.id)?;
        Ok(key)
    }

    /// The secret as text, `PRIVATE+KEY+name+id+base64`: only to be kept where nobody else reads.
    pub fn secret_text(&self) -> String {
        let VerifierKey { name, id, .. } = &self.verifier;
        join_secret_key(name, *id, ED25519, self.key.as_bytes())
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
        let VerifierKey { name, id, .. } = &self.verifier;
        let bytes = self.key.sign(text.as_bytes()).to_bytes();
        Signature::new(name, *id, bytes.to_vec())
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

    pub(crate) fn new(name: &str, id: u32, bytes: Vec<u8>) -> Self {
        Signature {
            name: name.to_owned(),
            id,
            bytes,
        }
    }

    fn is_by(&self, key: &VerifierKey) -> bool {
        self.is_named(&key.name, key.id)
    }

    pub(crate) fn is_named(&self, name: &str, id: u32) -> bool {
        self.name == name && self.id == id
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
        Ok(SignedNote {
            text: text.to_owned(),
            signatures: signature_lines(lines)?,
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

    /// Puts a signature that somebody else made, such as a witness, in the place of earlier ones
    /// by the same key, or at the end. Nothing is checked by that.
    ///
    /// Refused if the note would have more than [`SIGNATURES_MAX`] signatures or
    /// be longer than [`NOTE_BYTES_MAX`]; it is then unchanged.
    pub fn put(&mut self, signature: Signature) -> Result<(), NoteError> {
        let mut signatures = self.signatures.clone();
        signatures.retain(|earlier| !earlier.is_named(&signature.name, signature.id));
        signatures.push(signature);
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        let lines: usize = signatures.iter().map(|s| s.to_string().len()).sum();
        if self.text.len() + 1 + lines > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        self.signatures = signatures;
        Ok(())
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

    /// Checks that one of a signer's keys signed the text, and gives the text.
    ///
    /// Every signature that names one of the keys must be good.
    pub fn verify_any(&self, keys: &[VerifierKey]) -> Result<&str, NoteError> {
        let mut verified = None;
        for key in keys {
            match self.verify(key) {
                Err(NoteError::NotSigned { .. }) => {}
                good_or_bad => verified = Some(good_or_bad?),
            }
        }
        verified.ok_or_else(|| NoteError::NotSigned {
            key: keys.first().map_or_else(String::new, VerifierKey::label),
        })
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

/// Reads signature lines, each with its end; `lines` may be empty.
pub(crate) fn signature_lines(lines: &str) -> Result<Vec<Signature>, NoteError> {
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
    Ok(signatures)
}

pub(crate) fn refuse_control(text: &str) -> Result<(), NoteError> {
    match text.bytes().position(|b| b < b' ' && b != b'\n') {
        Some(at) => Err(NoteError::Control { at }),
        None => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c < ' ' || c == '+')
}

/// A key's text taken apart, `name+id+base64`; the base64 holds the key's type and then the key.
pub(crate) struct KeyParts<'t> {
    pub(crate) name: &'t str,
    id: u32,
    typed: Vec<u8>,
}

impl<'t> KeyParts<'t> {
    pub(crate) fn split(text: &'t str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(KeyError::Form);
        };
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if id.len() != 8 || !id.bytes().all(is_hex) {
            return Err(KeyError::Id);
        }
        Ok(KeyParts {
            name,
            id: u32::from_str_radix(id, 16).map_err(|_| KeyError::Id)?,
            typed: from_base64(base64).ok_or(KeyError::Base64)?,
        })
    }

    pub(crate) fn split_secret(text: &'t str) -> Result<Self, KeyError> {
        KeyParts::split(text.strip_prefix(SECRET).ok_or(KeyError::Form)?)
    }

    /// The key's type.
    pub(crate) fn kind(&self) -> Option<u8> {
        self.typed.first().copied()
    }

    /// The key's bytes, if it is of this type and has so many.
    pub(crate) fn material<const BYTES: usize>(&self, kind: u8) -> Result<&[u8; BYTES], KeyError> {
        match self.typed.split_first() {
            Some((&found, key)) if found == kind => key.try_into().map_err(|_| KeyError::Key),
            _ => Err(KeyError::Type),
        }
    }

    pub(crate) fn expect_id(&self, computed: u32) -> Result<(), KeyError> {
        if self.id != computed {
            return Err(KeyError::OtherId {
                found: self.id,
                computed,
            });
        }
        Ok(())
    }
}

/// The id of a key of this name, type and bytes; refused if the name is none.
pub(crate) fn key_id(name: &str, kind: u8, key: &[u8]) -> Result<u32, KeyError> {
    if !is_name(name) {
        return Err(KeyError::Name);
    }
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update([b'\n', kind]);
    hasher.update(key);
    let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
    Ok(u32::from_be_bytes([a, b, c, d]))
}

/// Name and id, as errors name a key.
pub(crate) fn key_label(name: &str, id: u32) -> String {
    format!("{name}+{id:08x}")
}

pub(crate) fn join_key(name: &str, id: u32, kind: u8, key: &[u8]) -> String {
    let typed = [&[kind], key].concat();
    format!("{}+{}", key_label(name, id), to_base64(&typed))
}

pub(crate) fn join_secret_key(name: &str, id: u32, kind: u8, key: &[u8; 32]) -> String {
    format!("{SECRET}{}", join_key(name, id, kind, key))
}

/// A point of small order would verify anything, so it is refused.
pub(crate) fn ed25519_public(bytes: &[u8; 32]) -> Result<ed25519_dalek::VerifyingKey, KeyError> {
    match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
        Ok(key) if !key.is_weak() => Ok(key),
        _ => Err(KeyError::Key),
    }
}

/// Strict: one message and one key have one signature that verifies.
pub(crate) fn ed25519_signed(
    key: &ed25519_dalek::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}
