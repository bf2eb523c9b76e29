//! The access log's line: what an auditor reads of one disclosure, and what the leaf is made from.
//!
//! ```text
//! hca1 <position> <recorded at> <actor> <purpose> <what> <record size> <versions> <person> <commitment> <sealed>
//! ```
//!
//! Written and refused as strictly as an entry's line ([`crate::entry`]): one line has one reading
//! and one text.
//!
//! | field | what it is |
//! |---|---|
//! | position | the leaf's place in the access log, from 0 |
//! | recorded at | when the log took it, which is before the answer was let go; later than the leaf before |
//! | actor, purpose | who was answered, and what for |
//! | what | how it was given out: a word of [`What`] |
//! | record size | as of how many entries of the record the answer was drawn |
//! | versions | how many versions (or leaves of this log) the answer gave out whole |
//! | person | `p` and the alias of the one person it told of; `+n` if it told of n; `-` if of nobody |
//! | commitment | salted hash of the content ([`crate::content::commitment`]): the address, and which versions |
//! | sealed | hash of the body as it is stored ([`crate::content::sealed`]) |
//!
//! The line holds no personal data: it names the reader, never what was read. Who holds the
//! content as well knows the address that was asked and every position that was given out.

use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use record::json::{Doc, Value, write_string};
use record::time::RecordedAt;
use tlog::Hash;

use crate::entry::{
    self, Alias, LineError, check_name, decimal, hash_from_text, is_instant, write_hash,
    write_number,
};

pub mod receipt;

/// How something was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A resource, as it stood.
    Read,
    /// One version of a resource.
    Version,
    /// The versions of a resource.
    History,
    /// What a search found.
    Search,
    /// The answer to a batch or transaction.
    Bundle,
    /// What a conditional write found instead of writing.
    Found,
    /// A receipt.
    Receipt,
    /// A page.
    Page,
    /// What somebody was shown before, shown again.
    Seen,
    /// A person's export.
    Export,
}

impl What {
    /// All of them.
    pub const ALL: [What; 10] = [
        What::Read,
        What::Version,
        What::History,
        What::Search,
        What::Bundle,
        What::Found,
        What::Receipt,
        What::Page,
        What::Seen,
        What::Export,
    ];

    /// The word in the line.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Read => "read",
            What::Version => "version",
            What::History => "history",
            What::Search => "search",
            What::Bundle => "bundle",
            What::Found => "found",
            What::Receipt => "receipt",
            What::Page => "page",
            What::Seen => "seen",
            What::Export => "export",
        }
    }

    fn parse(text: &str) -> Option<What> {
        What::ALL.into_iter().find(|what| what.as_str() == text)
    }
}

/// Whom a disclosure told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Nobody in particular.
    Nobody,
    /// One person.
    One(Alias),
    /// So many, at least two.
    Many(u64),
}

impl Whom {
    /// Of the persons that a disclosure told of, each once.
    pub fn of(persons: &[Alias]) -> Whom {
        match persons {
            [] => Whom::Nobody,
            [one] => Whom::One(*one),
            many => Whom::Many(many.len() as u64),
        }
    }
}

/// A line, read or to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The leaf's place in the access log.
    pub position: u64,
    /// When the log took it.
    pub recorded_at: RecordedAt,
    /// Who was answered, as lines write names.
    pub actor: &'a str,
    /// What for, as lines write names.
    pub purpose: &'a str,
    /// How it was given out.
    pub what: What,
    /// As of how many entries of the record.
    pub size: u64,
    /// How many versions were given out.
    pub versions: u64,
    /// Whom it told of.
    pub whom: Whom,
    /// What the content hashes to.
    pub commitment: Hash,
    /// What the stored body hashes to.
    pub sealed: Hash,
}

impl<'a> Line<'a> {
    /// Reads a line; refuses all that [`write`](Line::write) would have written otherwise.
    pub fn parse(bytes: &'a [u8]) -> Result<Line<'a>, LineError> {
        let text = std::str::from_utf8(bytes).map_err(|_| LineError("text"))?;
        let mut fields = text.split(' ');
        let mut next = |name| fields.next().ok_or(LineError(name));
        if next("format")? != "hca1" {
            return Err(LineError("format"));
        }
        let position = decimal(next("position")?).ok_or(LineError("position"))?;
        let recorded_at = Some(next("recorded time")?)
            .filter(|text| is_instant(text.as_bytes()))
            .and_then(RecordedAt::parse)
            .ok_or(LineError("recorded time"))?;
        let actor = next("actor")?;
        check_name(actor).ok_or(LineError("actor"))?;
        let purpose = next("purpose")?;
        check_name(purpose).ok_or(LineError("purpose"))?;
        let what = What::parse(next("what was done")?).ok_or(LineError("what was done"))?;
        let size = decimal(next("record size")?).ok_or(LineError("record size"))?;
        let versions =
            decimal(next("number of versions")?).ok_or(LineError("number of versions"))?;
        let whom = whom_from_text(next("person")?).ok_or(LineError("person"))?;
        let commitment = hash_from_text(next("commitment")?).ok_or(LineError("commitment"))?;
        let sealed = hash_from_text(next("sealed hash")?).ok_or(LineError("sealed hash"))?;
        if fields.next().is_some() {
            return Err(LineError("end"));
        }
        Ok(Line {
            position,
            recorded_at,
            actor,
            purpose,
            what,
            size,
            versions,
            whom,
            commitment,
            sealed,
        })
    }

    /// Appends the line's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"hca1 ");
        write_number(self.position, out);
        out.push(b' ');
        write!(out, "{}", self.recorded_at).expect("writing to memory does not fail");
        for word in [self.actor, self.purpose, self.what.as_str()] {
            out.push(b' ');
            out.extend_from_slice(word.as_bytes());
        }
        for number in [self.size, self.versions] {
            out.push(b' ');
            write_number(number, out);
        }
        match self.whom {
            Whom::Nobody => out.extend_from_slice(b" -"),
            Whom::One(alias) => {
                out.extend_from_slice(b" p");
                let mut text = [0; 22];
                let length = URL_SAFE_NO_PAD
                    .encode_slice(alias.0, &mut text)
                    .unwrap_or(0);
                out.extend_from_slice(&text[..length]);
            }
            Whom::Many(count) => {
                out.extend_from_slice(b" +");
                write_number(count, out);
            }
        }
        for hash in [&self.commitment, &self.sealed] {
            out.push(b' ');
            write_hash(hash, out);
        }
    }
}

fn whom_from_text(text: &str) -> Option<Whom> {
    if text == "-" {
        return Some(Whom::Nobody);
    }
    if let Some(alias) = text.strip_prefix('p') {
        return Alias::parse(alias).map(Whom::One);
    }
    decimal(text.strip_prefix('+')?)
        .filter(|count| *count > 1)
        .map(Whom::Many)
}

/// A leaf that owns its parts: what a page or an answer shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The line itself, as it is hashed.
    pub line: String,
    /// The leaf's place in the access log.
    pub position: u64,
    /// When the log took it.
    pub recorded_at: RecordedAt,
    /// Who was answered.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// How it was given out.
    pub what: What,
    /// As of how many entries of the record.
    pub size: u64,
    /// How many versions were given out.
    pub versions: u64,
    /// Whom it told of.
    pub whom: Whom,
    /// What the content hashes to.
    pub commitment: Hash,
    /// What the stored body hashes to.
    pub sealed: Hash,
}

impl Leaf {
    /// Reads a line.
    pub fn parse(bytes: &[u8]) -> Result<Leaf, LineError> {
        let line = Line::parse(bytes)?;
        let name = |text, what| entry::decode_name(text).ok_or(LineError(what));
        Ok(Leaf {
            line: String::from_utf8(bytes.to_vec()).map_err(|_| LineError("text"))?,
            position: line.position,
            recorded_at: line.recorded_at,
            actor: name(line.actor, "actor")?,
            purpose: name(line.purpose, "purpose")?,
            what: line.what,
            size: line.size,
            versions: line.versions,
            whom: line.whom,
            commitment: line.commitment,
            sealed: line.sealed,
        })
    }
}

/// What lies beside a leaf's line: what exactly was asked, and what was given out.
///
/// As JSON, with the members in this order and those that say nothing left out:
///
/// ```text
/// {"address":"/fhir/Observation?patient=5q0t…","scope":"system/*.rs","whole":812,
///  "versions":"12-18,40","leaves":"3","persons":["0Qm…","7hZ…"],
///  "basis":{"recipient":"County Hospital","consent":"Consent/9x…/_history/2"}}
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The path that was asked for, with its query.
    pub address: String,
    /// What the client was allowed to do, where that decides what an answer holds.
    pub scope: String,
    /// How large the record was, if the answer was drawn of an earlier size.
    pub whole: Option<u64>,
    /// The positions of the versions that were given out, ascending, each once.
    pub versions: Vec<u64>,
    /// The positions of leaves of this log that were given out, ascending, each once.
    pub leaves: Vec<u64>,
    /// The persons that it told of, if they are several; one is in the line.
    pub persons: Vec<Alias>,
    /// On what it rests, if on more than the role and the purpose of who asked.
    pub basis: Basis,
}

/// On what a disclosure rests, beside who was answered and what for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// For whom whoever asked works, or for whom it was made: the name of an organisation.
    pub recipient: String,
    /// The recipient's address, if known.
    pub address: String,
    /// The version of a Consent that was relied on: `Consent/9x…/_history/2`.
    pub consent: String,
    /// The warrant, by its Task; several with `, ` between them.
    pub warrant: String,
    /// The break-glass, by its Task; several with `, ` between them.
    pub break_glass: String,
    /// The notice that went with it, by its place in the law: `42 CFR 2.32(a)(2)`.
    pub notice: String,
    /// The warrants, by their Tasks, that keep it from a person for a time: it gave out a leaf of what was
    /// read under them, though it was not read under them itself.
    pub kept: String,
}

impl Basis {
    fn parts(&self) -> [(&'static str, &str); 7] {
        [
            ("recipient", &self.recipient),
            ("address", &self.address),
            ("consent", &self.consent),
            ("warrant", &self.warrant),
            ("break-glass", &self.break_glass),
            ("notice", &self.notice),
            ("kept", &self.kept),
        ]
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut before: &[u8] = b",\"basis\":{\"";
        for (name, text) in self.parts() {
            if !text.is_empty() {
                out.extend_from_slice(before);
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                write_string(text, out);
                before = b",\"";
            }
        }
        if before == b",\"" {
            out.push(b'}');
        }
    }

    fn read(value: Option<Value<'_>>) -> Basis {
        let text = |name: &str| {
            let text = value.and_then(|value| value.str_at(&[name]));
            text.unwrap_or_default().to_owned()
        };
        Basis {
            recipient: text("recipient"),
            address: text("address"),
            consent: text("consent"),
            warrant: text("warrant"),
            break_glass: text("break-glass"),
            notice: text("notice"),
            kept: text("kept"),
        }
    }
}

impl Told {
    /// The stored JSON.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.address.len() + 25 * self.persons.len());
        out.extend_from_slice(b"{\"address\":");
        write_string(&self.address, &mut out);
        if !self.scope.is_empty() {
            out.extend_from_slice(b",\"scope\":");
            write_string(&self.scope, &mut out);
        }
        if let Some(whole) = self.whole {
            out.extend_from_slice(b",\"whole\":");
            write_number(whole, &mut out);
        }
        for (name, positions) in [("versions", &self.versions), ("leaves", &self.leaves)] {
            if !positions.is_empty() {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":\"");
                write_ranges(positions, &mut out);
                out.push(b'"');
            }
        }
        for (place, person) in self.persons.iter().enumerate() {
            out.extend_from_slice(if place == 0 {
                b",\"persons\":[\""
            } else {
                b",\""
            });
            write!(out, "{person}\"").expect("writing to memory does not fail");
        }
        if !self.persons.is_empty() {
            out.push(b']');
        }
        self.basis.write(&mut out);
        out.push(b'}');
        out
    }

    /// Reads what [`write`](Told::write) wrote; `None` for anything else.
    pub fn parse(stored: &[u8]) -> Option<Told> {
        let doc = Doc::parse(stored).ok()?;
        let root = doc.root();
        let text = |name: &str| root.get(name).and_then(Value::as_str).unwrap_or_default();
        let persons = root.get("persons").into_iter().flat_map(Value::items);
        let told = Told {
            address: text("address").to_owned(),
            scope: text("scope").to_owned(),
            whole: root
                .get("whole")
                .and_then(Value::number_text)
                .and_then(decimal),
            versions: ranges(text("versions"))?,
            leaves: ranges(text("leaves"))?,
            persons: persons
                .map(|person| person.as_str().and_then(Alias::parse))
                .collect::<Option<_>>()?,
            basis: Basis::read(root.get("basis")),
        };
        (told.write() == stored).then_some(told)
    }
}

/// Ascending numbers as `3,7-9`.
fn write_ranges(numbers: &[u64], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(first) = numbers.get(at) {
        let mut last = *first;
        at += 1;
        while numbers.get(at) == Some(&last.wrapping_add(1)) {
            last = numbers[at];
            at += 1;
        }
        if !out.ends_with(b"\"") {
            out.push(b',');
        }
        write_number(*first, out);
        if last > *first {
            out.push(b'-');
            write_number(last, out);
        }
    }
}

/// How many numbers ranges may stand for: no answer gives out more versions.
const RANGES_MAX: u64 = 1 << 24;

fn ranges(text: &str) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for range in text.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (decimal(first)?, decimal(last)?);
        if last < first || last - first >= RANGES_MAX - numbers.len() as u64 {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests;
