//! The line: what an auditor reads of one entry, and what the log's leaf is made from.
//!
//! ```text
//! hc2 <position> <recorded at> <actor> <purpose> <action> <Kind>/<id>/<version> <person> <previous> <commitment> <sealed>
//! ```
//!
//! UTF-8, single spaces, no line end. One line has one reading and one text:
//! parsing refuses whatever writing would not have written.
//!
//! | field | what it is |
//! |---|---|
//! | position | the entry's place in the ledger, from 0 |
//! | recorded at | RFC 3339, UTC, six decimals; the same for all entries of a transaction, and later than those before |
//! | actor, purpose | who wrote, and what for; bytes other than letters, digits and `. _ ~ : / @ + -` as `%41`; empty is `-` |
//! | action | `create` (there was no current version), `update` or `delete` |
//! | Kind/id/version | the resource, its id or an alias of it, its version from 1 |
//! | person | the alias of the person it is about, or `-` |
//! | previous | number in the person's chain (from 1), position and leaf hash of that person's entry before this one, or `-`: leaving one out shows |
//! | commitment | salted hash of the content ([`crate::content::commitment`]) |
//! | sealed | hash of the sealed content as it is kept ([`crate::content::sealed`]): it can be checked when the key is gone |
//!
//! A line holds no personal data, whatever ids a client picks: an id is written
//! as it is only if it looks drawn by lot (a random UUID, or 16 letters and
//! digits as the server draws them), otherwise as `~` and a keyed hash; a person
//! always as `p` and a keyed hash. Whoever mirrors the log learns no names.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use record::time::RecordedAt;
use tlog::Hash;

use crate::mac::Mac;

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// There was no current version before.
    Create,
    /// There was a current version before.
    Update,
    /// The resource has no current version any more.
    Delete,
}

impl Action {
    /// The word in the line.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }

    fn parse(text: &str) -> Option<Action> {
        [Action::Create, Action::Update, Action::Delete]
            .into_iter()
            .find(|action| action.as_str() == text)
    }
}

/// A keyed hash that stands for an id: without the key it leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias(pub [u8; 16]);

impl Alias {
    /// Reads the 22 characters of base64url.
    pub fn parse(text: &str) -> Option<Alias> {
        // The decoder wants room for whole groups of three bytes.
        let mut bytes = [0; 18];
        if text.len() != 22 || URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) != Ok(16) {
            return None;
        }
        bytes.first_chunk().copied().map(Alias)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 22];
        match URL_SAFE_NO_PAD.encode_slice(self.0, &mut text) {
            Ok(length) => f.write_str(std::str::from_utf8(&text[..length]).unwrap_or_default()),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alias({self})")
    }
}

/// The key of the aliases, with which HMAC-SHA256 makes them.
#[derive(Clone)]
pub struct Aliases(Mac);

impl Aliases {
    /// From the 32 bytes of `keys/alias.key`.
    pub fn new(key: &[u8; 32]) -> Aliases {
        Aliases(Mac::new(key))
    }

    /// The alias of a resource: the first 16 bytes of HMAC-SHA256(key, `Kind/id`).
    pub fn alias(&self, kind: &str, id: &str) -> Alias {
        let hash = self.0.hash(&[kind.as_bytes(), b"/", id.as_bytes()]);
        Alias(*hash.first_chunk().expect("a hash has 32 bytes"))
    }

    /// The alias of a person, by the id of their Patient resource; or by `~` and the alias itself,
    /// which no id looks like, once that is all that is left of them.
    pub fn person(&self, patient: &str) -> Alias {
        match patient.strip_prefix('~').and_then(Alias::parse) {
            Some(alias) => alias,
            None => self.alias("Patient", patient),
        }
    }

    /// The id as the line writes it: as it is if [`is_opaque`], else `~` and the alias.
    pub fn id_in_line<'a>(&self, kind: &str, id: &'a str) -> Cow<'a, str> {
        if is_opaque(id) {
            Cow::Borrowed(id)
        } else {
            Cow::Owned(format!("~{}", self.alias(kind, id)))
        }
    }
}

impl fmt::Debug for Aliases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aliases(..)")
    }
}

/// Whether an id can be shown to strangers: it looks drawn by lot, so it says nothing of anyone.
///
/// Two forms pass: a lower-case UUID with a version (1 to 8) and variant in their
/// places, which a number padded to a UUID does not have; and 16 characters of
/// Crockford's base32 with at least four letters, so that a card or record number
/// of 16 digits does not pass.
pub fn is_opaque(id: &str) -> bool {
    let id = id.as_bytes();
    match id.len() {
        16 => {
            let drawn =
                |b: &u8| b.is_ascii_digit() || b.is_ascii_lowercase() && !b"ilou".contains(b);
            let letters = id.iter().filter(|b| b.is_ascii_lowercase()).count();
            id.iter().all(drawn) && letters >= 4
        }
        36 => id.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            14 => (b'1'..=b'8').contains(b),
            19 => b"89ab".contains(b),
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
        }),
        _ => false,
    }
}

/// The link to a person's entry before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its number in the person's chain, from 1.
    pub number: u64,
    /// Where it is.
    pub position: u64,
    /// The hash of its leaf.
    pub hash: Hash,
}

impl Previous {
    /// Reads `number:position:hash`.
    fn parse(text: &str) -> Option<Previous> {
        let (number, rest) = text.split_once(':')?;
        let (position, hash) = rest.split_once(':')?;
        Some(Previous {
            number: decimal(number).filter(|number| *number > 0)?,
            position: decimal(position)?,
            hash: hash_from_text(hash)?,
        })
    }
}

/// A line, read or to be written. Borrowed: nothing is copied to read one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The entry's place in the ledger.
    pub position: u64,
    /// When the ledger took it.
    pub recorded_at: RecordedAt,
    /// Who wrote it, as the line writes names ([`decode_name`]).
    pub actor: &'a str,
    /// What for, as the line writes names.
    pub purpose: &'a str,
    /// What was done.
    pub action: Action,
    /// The resource's kind.
    pub kind: &'a str,
    /// The resource's id, or `~` and its alias.
    pub id: &'a str,
    /// The resource's version, from 1.
    pub version: u32,
    /// The person it is about.
    pub person: Option<Alias>,
    /// That person's entry before.
    pub previous: Option<Previous>,
    /// What the content hashes to.
    pub commitment: Hash,
    /// What the sealed content hashes to, as it is kept.
    pub sealed: Hash,
}

/// The part of a line that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} of the line does not read")]
pub struct LineError(pub &'static str);

impl<'a> Line<'a> {
    /// Reads a line; refuses all that [`write`](Line::write) would have written otherwise.
    pub fn parse(bytes: &'a [u8]) -> Result<Line<'a>, LineError> {
        let text = std::str::from_utf8(bytes).map_err(|_| LineError("text"))?;
        let mut fields = text.split(' ');
        let mut next = |name| fields.next().ok_or(LineError(name));
        if next("format")? != "hc2" {
            return Err(LineError("format"));
        }
        let position = decimal(next("position")?).ok_or(LineError("position"))?;
        let text = next("recorded time")?;
        let recorded_at = Some(text)
            .filter(|text| is_instant(text.as_bytes()))
            .and_then(RecordedAt::parse)
            .ok_or(LineError("recorded time"))?;
        let actor = next("actor")?;
        check_name(actor).ok_or(LineError("actor"))?;
        let purpose = next("purpose")?;
        check_name(purpose).ok_or(LineError("purpose"))?;
        let action = Action::parse(next("action")?).ok_or(LineError("action"))?;
        let mut resource = next("resource")?.split('/');
        let mut part = || resource.next().ok_or(LineError("resource"));
        let (kind, id) = (part()?, part()?);
        let version = decimal(part()?)
            .and_then(|version| u32::try_from(version).ok())
            .filter(|version| *version > 0)
            .ok_or(LineError("version"))?;
        if resource.next().is_some() || !is_kind(kind) || !is_id_in_line(id) {
            return Err(LineError("resource"));
        }
        let person = match next("person")? {
            "-" => None,
            text => {
                let alias = text.strip_prefix('p').and_then(Alias::parse);
                Some(alias.ok_or(LineError("person"))?)
            }
        };
        let previous = match next("previous entry")? {
            "-" => None,
            text => Some(Previous::parse(text).ok_or(LineError("previous entry"))?),
        };
        let commitment = hash_from_text(next("commitment")?).ok_or(LineError("commitment"))?;
        let sealed = hash_from_text(next("hash of what is sealed")?)
            .ok_or(LineError("hash of what is sealed"))?;
        if fields.next().is_some() {
            return Err(LineError("end"));
        }
        Ok(Line {
            position,
            recorded_at,
            actor,
            purpose,
            action,
            kind,
            id,
            version,
            person,
            previous,
            commitment,
            sealed,
        })
    }

    /// Appends the line's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"hc2 ");
        write_number(self.position, out);
        out.push(b' ');
        write!(out, "{}", self.recorded_at).expect("writing to memory does not fail");
        for word in [self.actor, self.purpose, self.action.as_str()] {
            out.push(b' ');
            out.extend_from_slice(word.as_bytes());
        }
        out.push(b' ');
        out.extend_from_slice(self.kind.as_bytes());
        out.push(b'/');
        out.extend_from_slice(self.id.as_bytes());
        out.push(b'/');
        write_number(u64::from(self.version), out);
        match self.person {
            None => out.extend_from_slice(b" -"),
            Some(Alias(alias)) => {
                let mut text = [0; 22];
                let length = URL_SAFE_NO_PAD.encode_slice(alias, &mut text).unwrap_or(0);
                out.extend_from_slice(b" p");
                out.extend_from_slice(&text[..length]);
            }
        }
        out.push(b' ');
        match &self.previous {
            None => out.push(b'-'),
            Some(previous) => {
                write_number(previous.number, out);
                out.push(b':');
                write_number(previous.position, out);
                out.push(b':');
                write_hash(&previous.hash, out);
            }
        }
        out.push(b' ');
        write_hash(&self.commitment, out);
        out.push(b' ');
        write_hash(&self.sealed, out);
    }
}

/// A line that owns its parts: what a page or an answer shows of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line itself, as it is hashed.
    pub line: String,
    /// The entry's place in the ledger.
    pub position: u64,
    /// When the ledger took it.
    pub recorded_at: RecordedAt,
    /// Who wrote it.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// What was done.
    pub action: Action,
    /// The resource's kind.
    pub kind: String,
    /// The resource's id if it is opaque, otherwise `~` and its alias. The content has the id itself.
    pub id: String,
    /// The resource's version, from 1.
    pub version: u32,
    /// The person it is about.
    pub person: Option<Alias>,
    /// That person's entry before.
    pub previous: Option<Previous>,
    /// What the content hashes to.
    pub commitment: Hash,
    /// What the sealed content hashes to, as it is kept.
    pub sealed: Hash,
}

impl Entry {
    /// Reads a line.
    pub fn parse(bytes: &[u8]) -> Result<Entry, LineError> {
        let line = Line::parse(bytes)?;
        let name = |text, what| decode_name(text).ok_or(LineError(what));
        Ok(Entry {
            line: String::from_utf8(bytes.to_vec()).map_err(|_| LineError("text"))?,
            position: line.position,
            recorded_at: line.recorded_at,
            actor: name(line.actor, "actor")?,
            purpose: name(line.purpose, "purpose")?,
            action: line.action,
            kind: line.kind.to_owned(),
            id: line.id.to_owned(),
            version: line.version,
            person: line.person,
            previous: line.previous,
            commitment: line.commitment,
            sealed: line.sealed,
        })
    }
}

/// Whether a text can be a FHIR resource type: 1 to 64 ASCII letters.
pub fn is_kind(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a text can be a FHIR id: 1 to 64 of ASCII letters, digits, `-` and `.`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// Writes an actor or a purpose so that it is one word.
pub fn encode_name(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return Cow::Borrowed("-");
    }
    if text != "-" && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    for b in text.bytes() {
        match is_plain(b) && text != "-" {
            true => out.push(b),
            false => write!(out, "%{b:02X}").unwrap_or_default(),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Reads what [`encode_name`] wrote; `None` for anything else.
pub fn decode_name(word: &str) -> Option<String> {
    if word == "-" {
        return Some(String::new());
    }
    let mut out = Vec::with_capacity(word.len());
    let mut bytes = word.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let mut digit = || (bytes.next()? as char).to_digit(16);
        out.push((digit()? * 16 + digit()?) as u8);
    }
    let text = String::from_utf8(out).ok()?;
    (encode_name(&text) == word).then_some(text)
}

/// Like [`decode_name`], without making the name when nothing is encoded.
pub(crate) fn check_name(word: &str) -> Option<()> {
    if !word.is_empty() && word.bytes().all(is_plain) {
        return Some(());
    }
    decode_name(word).map(|_| ())
}

fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._~:/@+-".contains(&b)
}

/// Whether an instant, if it is one, has the form that the line writes it in: six decimals, UTC, no leap second.
pub(crate) fn is_instant(text: &[u8]) -> bool {
    text.len() == 27 && text[10] == b'T' && text[17] < b'6' && text[19] == b'.' && text[26] == b'Z'
}

fn is_id_in_line(text: &str) -> bool {
    match text.strip_prefix('~') {
        Some(alias) => Alias::parse(alias).is_some(),
        None => is_opaque(text),
    }
}

/// A decimal number in its only form: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

pub(crate) fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut text = [0; 20];
    let mut at = text.len();
    let mut rest = number;
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
}

/// A hash as the line writes it: 43 characters of base64 without padding.
pub(crate) fn hash_from_text(text: &str) -> Option<Hash> {
    // The decoder wants room for whole groups of three bytes.
    let mut bytes = [0; 33];
    if text.len() != 43 || STANDARD_NO_PAD.decode_slice(text, &mut bytes) != Ok(32) {
        return None;
    }
    bytes.first_chunk().copied()
}

pub(crate) fn write_hash(hash: &Hash, out: &mut Vec<u8>) {
    let mut text = [0; 43];
    let length = STANDARD_NO_PAD.encode_slice(hash, &mut text).unwrap_or(0);
    out.extend_from_slice(&text[..length]);
}

#[cfg(test)]
mod tests;
