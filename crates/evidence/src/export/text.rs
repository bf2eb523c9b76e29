//! The text of an export, written and read.

use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tlog::Hash;
use tlog::note::VerifierKey;

use super::{Content, Export, HEADER, Item, Problem, Section};
use crate::content::Sealed;
use crate::entry::{Alias, decimal};
use crate::heads::Place;

/// More hashes, entries or bytes than a file can hold are not reserved for.
const RESERVED_MAX: usize = 1 << 16;

impl Export {
    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let (person, key) = (self.person, &self.record.key);
        // Writing to memory does not fail.
        let _ = writeln!(out, "{HEADER}\nperson {person}\nlog {key}");
        let _ = writeln!(out, "entries {}", self.record.items.len());
        for item in &self.record.items {
            write_item(item, &mut out);
        }
        out.extend_from_slice(b"map\n");
        write_item(&self.map, &mut out);
        let _ = writeln!(out, "head {} {}", self.place.index, self.place.hashes.len());
        write_hashes(&self.place.hashes, &mut out);
        write_proof(&self.record, &mut out);
        if let Some(access) = &self.access {
            let _ = writeln!(out, "access {}\nleaves {}", access.key, access.items.len());
            for item in &access.items {
                write_item(item, &mut out);
            }
            write_proof(access, &mut out);
        }
        out.extend_from_slice(b"end\n");
        out
    }

    /// Reads a file; what it says is not to be used before [`verify`](Export::verify).
    pub fn parse(file: &[u8]) -> Result<Export, Problem> {
        let mut reader = Reader {
            rest: file,
            line: 1,
        };
        if reader.line("the name of the format")? != HEADER {
            return Err(reader.refuse("the name of the format"));
        }
        let person = reader.word("person", "the person's alias", Alias::parse)?;
        let key = reader.key("log", "the log's public key")?;
        let items = reader.items("entries", "the number of entries")?;
        if reader.line("the word map")? != "map" {
            return Err(reader.refuse("the word map"));
        }
        let map = reader.item()?;
        let (index, count) = reader.word("head", "the head's place", |text| {
            let (index, count) = text.split_once(' ')?;
            Some((decimal(index)?, usize::try_from(decimal(count)?).ok()?))
        })?;
        let place = Place {
            index,
            hashes: reader.hashes(count)?,
        };
        let (hashes, checkpoint) = reader.proof()?;
        let record = Section {
            key,
            items,
            hashes,
            checkpoint,
        };
        let access = match reader.is_next(b"access ") {
            false => None,
            true => {
                let key = reader.key("access", "the access log's public key")?;
                let items = reader.items("leaves", "the number of leaves")?;
                let (hashes, checkpoint) = reader.proof()?;
                Some(Section {
                    key,
                    items,
                    hashes,
                    checkpoint,
                })
            }
        };
        if reader.line("the word end")? != "end" || !reader.rest.is_empty() {
            return Err(reader.refuse("the word end, and nothing after it"));
        }
        let export = Export {
            person,
            record,
            map,
            place,
            access,
        };
        // One export has one text.
        match export.write() == file {
            true => Ok(export),
            false => Err(reader.refuse("the only form of what it says")),
        }
    }
}

fn write_item(item: &Item, out: &mut Vec<u8>) {
    out.extend_from_slice(item.line.as_bytes());
    match &item.content {
        Content::Here { salt, stored } => {
            let _ = write!(
                out,
                "\ncontent {} {}\n",
                STANDARD.encode(salt),
                stored.len()
            );
            out.extend_from_slice(stored);
            out.push(b'\n');
        }
        Content::Erased(sealed) => {
            let (head, rest) = (STANDARD.encode(sealed.head), STANDARD.encode(sealed.rest));
            let _ = writeln!(out, "\nerased {head} {rest}");
        }
        Content::Withheld => out.extend_from_slice(b"\nwithheld\n"),
    }
}

fn write_hashes(hashes: &[Hash], out: &mut Vec<u8>) {
    for hash in hashes {
        out.extend_from_slice(STANDARD.encode(hash).as_bytes());
        out.push(b'\n');
    }
}

fn write_proof(section: &Section, out: &mut Vec<u8>) {
    let _ = writeln!(out, "proof {}", section.hashes.len());
    write_hashes(&section.hashes, out);
    let _ = writeln!(out, "checkpoint {}", section.checkpoint.len());
    out.extend_from_slice(section.checkpoint.as_bytes());
}

/// Takes a file apart, and knows at which line it is.
struct Reader<'f> {
    rest: &'f [u8],
    line: usize,
}

impl<'f> Reader<'f> {
    fn refuse(&self, expected: &'static str) -> Problem {
        Problem::Form {
            line: self.line,
            expected,
        }
    }

    /// The next line, without its end.
    fn line(&mut self, expected: &'static str) -> Result<&'f str, Problem> {
        let end = self.rest.iter().position(|b| *b == b'\n');
        let end = end.ok_or_else(|| self.refuse(expected))?;
        let line = str::from_utf8(&self.rest[..end]).map_err(|_| self.refuse(expected))?;
        self.rest = &self.rest[end + 1..];
        self.line += 1;
        Ok(line)
    }

    fn is_next(&self, word: &[u8]) -> bool {
        self.rest.starts_with(word)
    }

    /// A line of a word and what follows it.
    fn word<T>(
        &mut self,
        word: &str,
        expected: &'static str,
        read: impl Fn(&'f str) -> Option<T>,
    ) -> Result<T, Problem> {
        let line = self.line(expected)?;
        line.strip_prefix(word)
            .and_then(|rest| rest.strip_prefix(' '))
            .and_then(read)
            .ok_or_else(|| self.refuse(expected))
    }

    fn key(&mut self, word: &str, expected: &'static str) -> Result<VerifierKey, Problem> {
        self.word(word, expected, |text| VerifierKey::parse(text).ok())
    }

    /// So many bytes.
    fn bytes(&mut self, count: usize, expected: &'static str) -> Result<&'f [u8], Problem> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.refuse(expected))?;
        self.rest = rest;
        self.line += bytes.iter().filter(|b| **b == b'\n').count();
        Ok(bytes)
    }

    fn items(&mut self, word: &str, expected: &'static str) -> Result<Vec<Item>, Problem> {
        let count = self.word(word, expected, count)?;
        let mut items = Vec::with_capacity(count.min(RESERVED_MAX));
        for _ in 0..count {
            items.push(self.item()?);
        }
        Ok(items)
    }

    fn item(&mut self) -> Result<Item, Problem> {
        let line = self.line("an entry's line")?.to_owned();
        let expected = "a content, or that there is none";
        let content = match self.line(expected)? {
            "withheld" => Content::Withheld,
            text => match text.strip_prefix("erased ") {
                Some(left) => Content::Erased(sealed(left).ok_or_else(|| self.refuse(expected))?),
                None => self.content(text, expected)?,
            },
        };
        Ok(Item { line, content })
    }

    fn content(&mut self, text: &str, expected: &'static str) -> Result<Content, Problem> {
        let (salt, length) = text
            .strip_prefix("content ")
            .and_then(|rest| rest.split_once(' '))
            .and_then(|(salt, length)| {
                let salt = STANDARD.decode(salt).ok()?.try_into().ok()?;
                Some((salt, count(length)?))
            })
            .ok_or_else(|| self.refuse(expected))?;
        let stored = self.bytes(length, "a content of the length that was said")?;
        if self.bytes(1, "the end of a content")? != b"\n" {
            return Err(self.refuse("the end of a content"));
        }
        Ok(Content::Here {
            salt,
            stored: stored.to_vec(),
        })
    }

    fn hashes(&mut self, count: usize) -> Result<Vec<Hash>, Problem> {
        let expected = "a hash in base64";
        let mut hashes = Vec::with_capacity(count.min(RESERVED_MAX));
        for _ in 0..count {
            let line = self.line(expected)?;
            let hash = STANDARD
                .decode(line)
                .ok()
                .and_then(|hash| hash.try_into().ok());
            hashes.push(hash.ok_or_else(|| self.refuse(expected))?);
        }
        Ok(hashes)
    }

    fn proof(&mut self) -> Result<(Vec<Hash>, String), Problem> {
        let length = self.word("proof", "the number of hashes", count)?;
        let hashes = self.hashes(length)?;
        let expected = "a signed checkpoint";
        let length = self.word("checkpoint", expected, count)?;
        let text = self.bytes(length, expected)?;
        let text = str::from_utf8(text).map_err(|_| self.refuse(expected))?;
        Ok((hashes, text.to_owned()))
    }
}

/// What is left of an erased content.
fn sealed(text: &str) -> Option<Sealed> {
    let (head, rest) = text.split_once(' ')?;
    Some(Sealed {
        head: STANDARD.decode(head).ok()?.try_into().ok()?,
        rest: STANDARD.decode(rest).ok()?.try_into().ok()?,
    })
}

fn count(text: &str) -> Option<usize> {
    usize::try_from(decimal(text)?).ok()
}
