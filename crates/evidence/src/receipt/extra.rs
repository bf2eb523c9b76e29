//! What both kinds of receipt, of an entry and of a disclosure, add to a tlog-proof.
//!
//! ```text
//! <header>
//! <public key of the log, as name+id+base64>
//! <line>
//! <salt, base64>
//! <content>
//! ```
//!
//! Salt and content are both empty where the content was erased.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tlog::Hash;
use tlog::note::VerifierKey;
use tlog::proof::Proof;

use super::Problem;
use crate::content::{self, Salt};
use crate::trust::{Distrust, Trust};

/// Writes the parts.
pub(crate) fn write(
    header: &[u8],
    key: &VerifierKey,
    line: &str,
    content: Option<(&Salt, &[u8])>,
) -> Vec<u8> {
    let stored = content.map_or(&[][..], |(_, stored)| stored);
    let salt = content.map(|(salt, _)| STANDARD.encode(salt));
    let mut extra = Vec::with_capacity(stored.len() + line.len() + 256);
    extra.extend_from_slice(header);
    for part in [&key.to_string(), line, salt.as_deref().unwrap_or_default()] {
        extra.push(b'\n');
        extra.extend_from_slice(part.as_bytes());
    }
    extra.push(b'\n');
    extra.extend_from_slice(stored);
    extra
}

/// Reads a file as the proof that a receipt is.
pub(crate) fn proof(receipt: &[u8]) -> Result<Proof, Problem> {
    let text = std::str::from_utf8(receipt).map_err(|e| Problem::Bytes(e.valid_up_to()))?;
    Ok(Proof::parse(text)?)
}

/// The parts as they are read: nothing of them is proved yet.
pub(crate) struct Parts<'p> {
    /// The key that the receipt names, which the reader does not distrust.
    pub(crate) key: VerifierKey,
    /// The line that is to be the leaf.
    pub(crate) line: &'p [u8],
    salt: &'p [u8],
    stored: &'p [u8],
}

impl<'p> Parts<'p> {
    /// Reads the parts of a proof; `of` is what the receipt is of, for the words of a problem.
    pub(crate) fn read(
        proof: &'p Proof,
        header: &[u8],
        of: &'static str,
        trust: &Trust<'_>,
    ) -> Result<Parts<'p>, Problem> {
        let extra = proof.extra.as_deref().ok_or(Problem::Extra("content"))?;
        let mut parts = extra.splitn(5, |b| *b == b'\n');
        let mut part = |name| parts.next().ok_or(Problem::Extra(name));
        if part("first line")? != header {
            return Err(Problem::Extra("first line"));
        }
        let key = std::str::from_utf8(part("public key")?)
            .ok()
            .and_then(|text| {
                let key = VerifierKey::parse(text).ok()?;
                (key.to_string() == text).then_some(key)
            })
            .ok_or(Problem::Extra("public key"))?;
        let (line, salt, stored) = (part(of)?, part("salt")?, part("content")?);
        trust.check_key(&key).map_err(|why| match why {
            Distrust::OtherKey { found, trusted } => Problem::OtherKey { found, trusted },
            why => Problem::Distrust(why),
        })?;
        Ok(Parts {
            key,
            line,
            salt,
            stored,
        })
    }

    /// The content, if it is what was committed to; nothing if it was erased.
    pub(crate) fn content(&self, commitment: &Hash) -> Result<Option<&'p [u8]>, Problem> {
        if self.salt.is_empty() && self.stored.is_empty() {
            return Ok(None);
        }
        let salt = STANDARD
            .decode(self.salt)
            .ok()
            .and_then(|salt| Salt::try_from(salt).ok())
            .ok_or(Problem::Extra("salt"))?;
        if content::commitment(&salt, self.stored) != *commitment {
            return Err(Problem::Content);
        }
        Ok(Some(self.stored))
    }
}
