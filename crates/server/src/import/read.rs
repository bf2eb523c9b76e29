//! One input file read, checked and made ready to be written, on a worker's thread.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::Ordering;

use ledger::{ImportMark, Ledger};
use record::json::{Doc, JsonError, Value};
use record::reference::Reference;
use sha2::{Digest, Sha256};

use super::{PART_LINES, Part, Progress};
use crate::chance::crockford;
use crate::error::{Error, ErrorKind};
use crate::programme::{Draft, Expect};

/// A file that is one JSON document must fit in memory a few times over.
const DOCUMENT_BYTES_MAX: u64 = 1 << 30;

/// A line of an NDJSON file is one resource.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Reads a file and hands over its transactions.
pub(super) fn file(
    path: &Path,
    ledger: &Ledger,
    progress: &Progress,
    hand: &mut dyn FnMut(Part),
) -> Result<(), Error> {
    if path.extension().is_some_and(|ending| ending == "ndjson") {
        lines(path, ledger, progress, hand)
    } else {
        document(path, ledger, progress, hand)
    }
}

/// Whether an earlier run has brought this in already.
fn is_done(ledger: &Ledger, mark: &ImportMark) -> Result<bool, Error> {
    Ok(ledger
        .imported(&mark.source)
        .map_err(Error::ledger)?
        .contains(&mark.part))
}

fn document(
    path: &Path,
    ledger: &Ledger,
    progress: &Progress,
    hand: &mut dyn FnMut(Part),
) -> Result<(), Error> {
    let unreadable = |error: std::io::Error| super::unreadable(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > DOCUMENT_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "The file is larger than 1 GB. Split it, or bring it in as NDJSON.",
        ));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    let mark = ImportMark {
        source: Sha256::digest(&bytes).to_vec(),
        part: 0,
    };
    let doc = Doc::parse(&bytes).map_err(|error| not_json(&error))?;
    let root = doc.root();
    let kind = root.get("resourceType").and_then(Value::as_str);
    if is_done(ledger, &mark)? {
        let count = match kind {
            Some("Bundle") => root
                .get("entry")
                .map_or(0, |entries| entries.items().count()),
            _ => 1,
        };
        progress.already.fetch_add(count as u64, Ordering::Relaxed);
        return Ok(());
    }
    valid(root)?;
    let drafts = match kind {
        Some("Bundle") => bundle(root, &mark)?,
        _ => vec![as_it_is(root)?],
    };
    hand(Part { drafts, mark });
    Ok(())
}

fn not_json(error: &JsonError) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("This is not JSON that can be kept: {error}."),
    )
}

fn valid(resource: Value<'_>) -> Result<(), Error> {
    let mut findings = record::validate::validate(resource);
    findings.retain(record::finding::Finding::is_error);
    if findings.is_empty() {
        return Ok(());
    }
    let count = findings.len();
    findings.truncate(20);
    Err(Error::new(
        ErrorKind::Invalid,
        match count {
            1 => "This is not valid FHIR R4 in one place; nothing of it was imported.".to_owned(),
            _ => {
                format!("This is not valid FHIR R4 in {count} places; nothing of it was imported.")
            }
        },
    )
    .with(findings))
}

/// A resource with its own id, created or replaced.
fn as_it_is(resource: Value<'_>) -> Result<Draft, Error> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    let (Some(kind), Some(id)) = (text("resourceType"), text("id")) else {
        return Err(Error::new(
            ErrorKind::Invalid,
            "A resource outside of a transaction needs a resourceType and an id.",
        ));
    };
    Draft::put(id, Expect::Any, kind, resource, &mut |_| None)
}

/// The id that a new resource gets: from the file's hash and its place in it, so that the same
/// file brings in the same resources.
fn id_of(mark: &ImportMark, place: usize) -> String {
    let mut hash = Sha256::new();
    hash.update(b"homecoming/import/1\n");
    hash.update(&mark.source);
    hash.update((place as u64).to_be_bytes());
    let mut bits = [0u8; 10];
    bits.copy_from_slice(&hash.finalize()[..10]);
    crockford(&bits)
}

/// The drafts of a bundle: a transaction's entries by their requests, a collection's as they are.
fn bundle(root: Value<'_>, mark: &ImportMark) -> Result<Vec<Draft>, Error> {
    let entries: Vec<Value<'_>> = root
        .get("entry")
        .map(|entries| entries.items().collect())
        .unwrap_or_default();
    let mut ids: HashMap<String, String> = HashMap::with_capacity(entries.len());
    let mut targets: Vec<Target> = Vec::with_capacity(entries.len());
    let mut requested: HashMap<(String, String), usize> = HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let target = target(*entry, place, mark).map_err(|error| error.within(&at(place)))?;
        if let Some(url) = entry.get("fullUrl").and_then(Value::as_str) {
            ids.insert(url.to_owned(), format!("{}/{}", target.kind, target.id));
        }
        if entry.get("request").is_some()
            && let Some(first) = requested.insert((target.kind.clone(), target.id.clone()), place)
        {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "It writes {}/{}, as {} does. In one transaction each resource is written once.",
                    target.kind,
                    target.id,
                    at(first)
                ),
            )
            .within(&at(place)));
        }
        targets.push(target);
    }
    let mut drafts = Vec::with_capacity(entries.len());
    for (place, (entry, target)) in entries.iter().zip(&targets).enumerate() {
        let stands = entry.get("fullUrl").and_then(Value::as_str);
        let draft = match entry.get("resource") {
            // Whose record it is taken from, the writer finds out.
            None => Draft::delete(&target.kind, &target.id, target.expect),
            Some(resource) => {
                let mut lost = None;
                let draft = Draft::put(
                    &target.id,
                    target.expect,
                    &target.kind,
                    resource,
                    &mut |text| {
                        let found = in_bundle(&ids, stands, text);
                        if found.is_none() && (text.starts_with("urn:uuid:") || is_search(text)) {
                            lost.get_or_insert_with(|| text.to_owned());
                        }
                        found
                    },
                )
                .map_err(|error| error.within(&at(place)))?;
                if let Some(text) = lost {
                    return Err(Error::new(
                        ErrorKind::Invalid,
                        if is_search(&text) {
                            format!("The reference `{text}` is a search. Send this bundle to a running server instead, which resolves it.")
                        } else {
                            format!("The reference `{text}` is to nothing in this bundle.")
                        },
                    )
                    .within(&at(place)));
                }
                draft
            }
        };
        drafts.push(draft);
    }
    Ok(drafts)
}

fn is_search(text: &str) -> bool {
    matches!(Reference::parse(text), Reference::Conditional { .. })
}

/// What a reference in an entry becomes if it is to another entry. A relative one is relative to
/// where the entry says that it stands, as FHIR says of bundles.
fn in_bundle(ids: &HashMap<String, String>, stands: Option<&str>, text: &str) -> Option<String> {
    let (whole, part) = text.split_at(text.find('#').unwrap_or(text.len()));
    let found = ids.get(whole).or_else(|| {
        let Reference::Relative(target) = Reference::parse(text) else {
            return None;
        };
        let Reference::Absolute(base, _) = Reference::parse(stands?) else {
            return None;
        };
        ids.get(&format!("{base}/{}/{}", target.kind, target.id))
    })?;
    Some(format!("{found}{part}"))
}

fn at(place: usize) -> String {
    format!("Bundle.entry[{place}]")
}

/// Which resource an entry is about, and what it expects of it.
struct Target {
    kind: String,
    id: String,
    expect: Expect,
}

fn target(entry: Value<'_>, place: usize, mark: &ImportMark) -> Result<Target, Error> {
    let bad = |why: String| Err(Error::new(ErrorKind::Invalid, why));
    let resource = entry.get("resource");
    let of = |name: &str| {
        resource
            .and_then(|resource| resource.get(name))
            .and_then(Value::as_str)
    };
    let Some(request) = entry.get("request") else {
        // A collection, a searchset: what it holds is stored as it is.
        return match (of("resourceType"), of("id")) {
            (Some(kind), Some(id)) => Ok(Target {
                kind: kind.to_owned(),
                id: id.to_owned(),
                expect: Expect::Any,
            }),
            _ => bad("It has neither a `request` nor a resource with an id.".to_owned()),
        };
    };
    let word = |name: &str| {
        request
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (method, url) = (word("method"), word("url"));
    if request.get("ifNoneExist").is_some() || request.get("ifMatch").is_some() || url.contains('?')
    {
        return bad("It is conditional. Send this bundle to a running server instead.".to_owned());
    }
    let (kind, id) = url.split_once('/').unwrap_or((url, ""));
    match (method, id, of("resourceType")) {
        ("POST", "", Some(own)) if own == kind => Ok(Target {
            kind: kind.to_owned(),
            id: id_of(mark, place),
            expect: Expect::Absent,
        }),
        ("PUT", id, Some(own)) if own == kind && of("id") == Some(id) => Ok(Target {
            kind: kind.to_owned(),
            id: id.to_owned(),
            expect: Expect::Any,
        }),
        ("DELETE", id, None) if !id.is_empty() => Ok(Target {
            kind: kind.to_owned(),
            id: id.to_owned(),
            expect: Expect::Any,
        }),
        _ => bad(format!(
            "`{method} {url}` cannot be done with its resource."
        )),
    }
}

/// NDJSON: a resource a line, in parts of [`PART_LINES`].
fn lines(
    path: &Path,
    ledger: &Ledger,
    progress: &Progress,
    hand: &mut dyn FnMut(Part),
) -> Result<(), Error> {
    let unreadable = |error: std::io::Error| super::unreadable(path, &error);
    let source = hash_of(path).map_err(unreadable)?;
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let mut line = Vec::new();
    let mut number = 0usize;
    let mut part = 0u64;
    loop {
        let mark = ImportMark {
            source: source.clone(),
            part,
        };
        let done = is_done(ledger, &mark)?;
        let mut drafts = Vec::new();
        let mut read = 0;
        while read < PART_LINES {
            line.clear();
            let limit = LINE_BYTES_MAX as u64 + 1;
            let bytes = reader
                .by_ref()
                .take(limit)
                .read_until(b'\n', &mut line)
                .map_err(unreadable)?;
            if bytes == 0 {
                break;
            }
            number += 1;
            if line.len() > LINE_BYTES_MAX {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!("line {number}: it is longer than 64 MB."),
                ));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            read += 1;
            if !done {
                let in_line = |error: Error| error.within(&format!("line {number}"));
                let doc =
                    Doc::parse(line.trim_ascii()).map_err(|error| in_line(not_json(&error)))?;
                valid(doc.root()).map_err(in_line)?;
                drafts.push(as_it_is(doc.root()).map_err(in_line)?);
            }
        }
        if read == 0 {
            return Ok(());
        }
        if done {
            progress.already.fetch_add(read as u64, Ordering::Relaxed);
        } else {
            hand(Part { drafts, mark });
        }
        part += 1;
    }
}

fn hash_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut chunk = vec![0u8; 1 << 20];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hash.finalize().to_vec());
        }
        hash.update(&chunk[..read]);
    }
}
