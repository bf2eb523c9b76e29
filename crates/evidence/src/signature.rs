//! Electronic signatures: who signed an entry, when, and what it means (21 CFR Part 11).
//!
//! What is signed is a short text, the [`Statement`]. It names the log, the entry with the hash of its
//! line, what the signature means, who signs, and when. The line commits to the content, to its time
//! and to its place, so a signature moved to anything else does not fit, and it can be checked after
//! the content is erased. The log is named as it was called first: after a restoration that lost entries
//! it goes on under another name with those that are left, and what was signed of them still fits. Of an
//! entry that took the place of a lost one it does not: its line is another.
//!
//! ```text
//! homecoming-signature/1
//! <the log's first name>
//! entry <position> <hash of the line, base64>
//! meaning <authored | reviewed | approved | witnessed>
//! by <the actor, as lines name them>
//! name <the printed name>
//! at <instant>
//! ```
//!
//! With a passkey the signer's own key signs: WebAuthn's challenge is the SHA-256 of that text, and what
//! the authenticator answered lies in the record, so that anybody checks it offline with the public key.
//! With a password the server says that it was given; that is not the signer's key, and is not called so.
//!
//! A signature is a `Provenance` with the code `signature` of [`GOVERNANCE`], in the chain of the person
//! whom the entry is about.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::Verifier as _;
use record::json::{Doc, Value};
use record::time::RecordedAt;
use sha2::{Digest, Sha256};
use tlog::{Hash, leaf_hash};

use crate::content::first_name;
use crate::entry::Entry;
use crate::erasure::GOVERNANCE;

/// The code that says that a Provenance is a signature.
pub const SIGNATURE: &str = "signature";

/// What the entry that is signed is identified by: its position and the hash of its line.
pub const ENTRY: &str = "urn:homecoming:entry";

/// What signers are identified by: as lines name actors.
pub const ACTOR: &str = "urn:homecoming:actor";

/// The format of a passkey's answer in `Provenance.signature.data`.
pub const WEBAUTHN: &str = "application/vnd.homecoming.webauthn+json";

/// The code system of what signatures mean.
pub const MEANINGS: &str = "urn:iso-astm:E1762-95:2013";

/// What a signature means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The signer wrote it, and stands for it.
    Authored,
    /// The signer has read and examined it.
    Reviewed,
    /// The signer agrees that it takes effect.
    Approved,
    /// The signer was there when it happened.
    Witnessed,
}

impl Meaning {
    /// All of them.
    pub const ALL: [Meaning; 4] = [
        Meaning::Authored,
        Meaning::Reviewed,
        Meaning::Approved,
        Meaning::Witnessed,
    ];

    /// The word in statements and addresses, and in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Meaning::Authored => "authored",
            Meaning::Reviewed => "reviewed",
            Meaning::Approved => "approved",
            Meaning::Witnessed => "witnessed",
        }
    }

    /// The code of ASTM E1762, as FHIR uses it, and its display.
    pub fn code(self) -> (&'static str, &'static str) {
        match self {
            Meaning::Authored => ("1.2.840.10065.1.12.1.1", "Author's Signature"),
            Meaning::Reviewed => ("1.2.840.10065.1.12.1.13", "Review Signature"),
            Meaning::Approved => ("1.2.840.10065.1.12.1.5", "Verification Signature"),
            Meaning::Witnessed => ("1.2.840.10065.1.12.1.9", "Event Witness Signature"),
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Meaning> {
        Meaning::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// What somebody signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What the programme's log was called first ([`first_name`]), whatever it is called by now.
    pub log: String,
    /// The entry's place in it.
    pub position: u64,
    /// The hash of the entry's line.
    pub line: Hash,
    /// What the signature means.
    pub meaning: Meaning,
    /// Who signs, as lines name actors.
    pub actor: String,
    /// Their name, as it is printed.
    pub name: String,
    /// When they sign.
    pub at: RecordedAt,
}

impl Statement {
    /// The text. A line end in a name would say something else: it is written as a space.
    pub fn text(&self) -> String {
        let plain = |text: &str| text.replace(|c: char| c.is_control(), " ");
        format!(
            "homecoming-signature/1\n{}\nentry {} {}\nmeaning {}\nby {}\nname {}\nat {}\n",
            plain(&self.log),
            self.position,
            STANDARD.encode(self.line),
            self.meaning.word(),
            plain(&self.actor),
            plain(&self.name),
            self.at
        )
    }

    /// What a passkey is asked to sign: the SHA-256 of the text.
    pub fn challenge(&self) -> [u8; 32] {
        Sha256::digest(self.text()).into()
    }

    /// How the entry is identified in the Provenance.
    pub fn entry(&self) -> String {
        format!("{} {}", self.position, STANDARD.encode(self.line))
    }
}

/// What stands behind a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A passkey's answer.
    Passkey(Assertion),
    /// The server's word that the signer gave a password and a one-time password.
    Server,
}

/// A passkey's answer, and the key that it must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// COSE's number of the algorithm: -7 (ES256) or -8 (EdDSA).
    pub algorithm: i64,
    /// The public key: 65 bytes of SEC1 for ES256, 32 for Ed25519.
    pub key: Vec<u8>,
    /// What the authenticator says of itself.
    pub authenticator: Vec<u8>,
    /// What the browser says of the ceremony, as JSON.
    pub client: Vec<u8>,
    /// The signature over both.
    pub signature: Vec<u8>,
}

/// A signature, read from its Provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub statement: Statement,
    /// What stands behind it.
    pub proof: Proof,
}

/// Why a signature does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is of another entry, or the entry's line was altered.
    #[error("it is of another entry, or of another version of this one")]
    OtherEntry,
    /// What the browser and the authenticator said is not about this statement.
    #[error("the passkey signed something else")]
    OtherStatement,
    /// The authenticator did not verify who used it.
    #[error("the passkey's user was not verified")]
    Unverified,
    /// The signature is not the key's.
    #[error("the signature is not the key's")]
    Signature,
    /// A kind of key that cannot be checked here.
    #[error("the key is of a kind that is not checked here")]
    Algorithm,
}

impl Flaw {
    /// Whether it shows that something was altered or made up, and not only that it cannot be checked here. The
    /// programme checks a signature before it records it, and nobody else writes one.
    pub fn shows_forgery(self) -> bool {
        self != Flaw::Algorithm
    }
}

impl Assertion {
    /// What the key is recognised by: 32 hexadecimal digits of its SHA-256.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.key)
    }

    /// Whether this key signed this statement.
    pub fn check(&self, statement: &Statement) -> Result<(), Flaw> {
        let client = Doc::parse(&self.client).map_err(|_| Flaw::OtherStatement)?;
        let client = client.root();
        let challenge = URL_SAFE_NO_PAD.encode(statement.challenge());
        if client.str_at(&["type"]) != Some("webauthn.get")
            || client.str_at(&["challenge"]) != Some(challenge.as_str())
        {
            return Err(Flaw::OtherStatement);
        }
        // 32 bytes of the site's hash, then the flags: 1 somebody was there, 4 and it was verified who.
        match self.authenticator.get(32) {
            Some(flags) if self.authenticator.len() >= 37 && flags & 5 == 5 => {}
            _ => return Err(Flaw::Unverified),
        }
        let mut signed = self.authenticator.clone();
        signed.extend_from_slice(&Sha256::digest(&self.client));
        match self.algorithm {
            -7 => {
                use p256::ecdsa::signature::Verifier as _;
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.key);
                let signature = p256::ecdsa::Signature::from_der(&self.signature);
                let (Ok(key), Ok(signature)) = (key, signature) else {
                    return Err(Flaw::Signature);
                };
                key.verify(&signed, &signature).map_err(|_| Flaw::Signature)
            }
            -8 => {
                let key = <[u8; 32]>::try_from(self.key.as_slice())
                    .ok()
                    .and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(&key).ok());
                let signature = ed25519_dalek::Signature::from_slice(&self.signature).ok();
                let (Some(key), Some(signature)) = (key, signature) else {
                    return Err(Flaw::Signature);
                };
                key.verify(&signed, &signature).map_err(|_| Flaw::Signature)
            }
            _ => Err(Flaw::Algorithm),
        }
    }

    /// As it lies in `Provenance.signature.data`, before base64.
    pub fn to_json(&self) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!(
            "{{\"alg\":{},\"publicKey\":\"{}\",\"authenticatorData\":\"{}\",\"clientDataJSON\":\"{}\",\"signature\":\"{}\"}}",
            self.algorithm,
            text(&self.key),
            text(&self.authenticator),
            text(&self.client),
            text(&self.signature)
        )
    }

    fn read(json: &[u8]) -> Option<Assertion> {
        let doc = Doc::parse(json).ok()?;
        let root = doc.root();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(root.str_at(&[name])?).ok();
        Some(Assertion {
            algorithm: root.get("alg")?.as_i64()?,
            key: bytes("publicKey")?,
            authenticator: bytes("authenticatorData")?,
            client: bytes("clientDataJSON")?,
            signature: bytes("signature")?,
        })
    }
}

/// What a public key is recognised by.
pub fn fingerprint(key: &[u8]) -> String {
    let hash = Sha256::digest(key);
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Signed {
    /// Reads a signature from the stored form of its Provenance; `log` is the log that it lies in, by any of its
    /// names. Nothing if it is something else.
    pub fn read(stored: &[u8], log: &str) -> Option<Signed> {
        let doc = Doc::parse(stored).ok()?;
        let root = doc.root();
        if root.str_at(&["resourceType"]) != Some("Provenance")
            || crate::erasure::code(root.get("activity"), GOVERNANCE) != Some(SIGNATURE)
        {
            return None;
        }
        let target = root.get("target")?.items().next()?;
        let entry = identified(target, ENTRY)?;
        let (position, line) = entry.split_once(' ')?;
        let signature = root.get("signature")?.items().next()?;
        let code = signature.get("type")?.items().next()?.str_at(&["code"])?;
        let who = signature.get("who")?;
        let statement = Statement {
            log: first_name(log).to_owned(),
            position: position.parse().ok()?,
            line: STANDARD.decode(line).ok()?.try_into().ok()?,
            meaning: Meaning::ALL.into_iter().find(|one| one.code().0 == code)?,
            actor: identified(who, ACTOR)?.to_owned(),
            name: who.str_at(&["display"])?.to_owned(),
            at: RecordedAt::parse(signature.str_at(&["when"])?)?,
        };
        let proof = match signature.str_at(&["sigFormat"]) {
            Some(WEBAUTHN) => {
                let data = STANDARD.decode(signature.str_at(&["data"])?).ok()?;
                Proof::Passkey(Assertion::read(&data)?)
            }
            _ => Proof::Server,
        };
        Some(Signed { statement, proof })
    }

    /// Whether it is of this entry as it is, and the key's. That a server said so is no flaw: it is in
    /// [`Signed::proof`].
    pub fn check(&self, entry: &Entry) -> Result<(), Flaw> {
        let found = (entry.position, leaf_hash(entry.line.as_bytes()));
        if found != (self.statement.position, self.statement.line) {
            return Err(Flaw::OtherEntry);
        }
        self.check_alone()
    }

    /// Whether it is the key's, as far as that can be told without the entry that it is of.
    pub fn check_alone(&self) -> Result<(), Flaw> {
        match &self.proof {
            Proof::Passkey(assertion) => assertion.check(&self.statement),
            Proof::Server => Ok(()),
        }
    }
}

impl Signed {
    /// In a sentence, what a signature proves without the entry that it is of; or what it does not. If it is forged,
    /// what gives it away.
    pub fn stands(&self) -> Result<Result<String, String>, Flaw> {
        let Statement { position, line, .. } = &self.statement;
        let of = format!(
            "entry {position}, whose line has the hash {},",
            STANDARD.encode(line)
        );
        match (&self.proof, self.check_alone()) {
            (_, Err(flaw)) if flaw.shows_forgery() => Err(flaw),
            (_, Err(flaw)) => Ok(Err(format!("That {of} was {self}: {flaw}."))),
            (Proof::Server, Ok(())) => Ok(Err(format!("That {of} was {self}."))),
            (Proof::Passkey(_), Ok(())) => Ok(Ok(format!(
                "It is a signature: {of} was {self}. That key signed just this."
            ))),
        }
    }
}

impl fmt::Display for Signed {
    /// "signed as authored by R. Osei (Practitioner/7k2m) at 2026-..., with the passkey 3f..."
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statement {
            meaning,
            actor,
            name,
            at,
            ..
        } = &self.statement;
        write!(
            f,
            "signed as {} by {name} ({actor}) at {at}, ",
            meaning.word()
        )?;
        match &self.proof {
            Proof::Passkey(assertion) => {
                write!(f, "with the passkey {}", assertion.fingerprint())
            }
            Proof::Server => f.write_str("with a password, as the server says"),
        }
    }
}

/// The value of a reference's identifier in a system.
fn identified<'d>(reference: Value<'d>, system: &str) -> Option<&'d str> {
    let identifier = reference.get("identifier")?;
    let is = identifier.str_at(&["system"]) == Some(system);
    identifier.str_at(&["value"]).filter(|_| is)
}

#[cfg(test)]
pub(crate) mod tests;
