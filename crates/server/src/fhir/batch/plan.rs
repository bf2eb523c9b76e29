//! A transaction, planned: who each entry is, what every reference becomes, and the drafts.
//!
//! 1. Every entry is read; each error names its entry.
//! 2. Conditions are searched, in the state of the record before the transaction, and give each
//!    entry its identity: the id that it has, that it finds, or that it gets.
//! 3. Two entries with one identity are refused: which of them would win?
//! 4. Every resource is validated, its references rewritten (`urn:uuid`, full addresses,
//!    searches), and made into a draft: on all cores, as nothing here depends on another entry.
//! 5. The drafts are put in FHIR's order: DELETE, POST, PUT; reads come after, but one that would fail already
//!    refuses the whole.
//!
//! What was found by searching is kept in [`Checks`], so that the writer can see whether it is
//! still so without planning again. Nothing here writes.

use std::collections::HashMap;
use std::sync::Mutex;

use record::json::Value;
use record::reference::{self, Reference};

use super::alone;
use super::entry::{self, Address, Entry, Method};
use crate::error::{Error, ErrorKind};
use crate::fhir::conditional::{self, Found};
use crate::fhir::negotiate::{Return, Tags, printable};
use crate::fhir::scope::Verb;
use crate::fhir::{Ask, Conditions, audit_event, delete, put, query};
use crate::programme::{Draft, Expect, Version, View};
use crate::release::Given;

/// A transaction that is ready for the writer.
pub struct Plan {
    /// What is to be written, in FHIR's order.
    pub drafts: Vec<Draft>,
    /// What becomes of each entry, in the request's order.
    pub slots: Vec<Slot>,
    /// What was found by searching.
    pub checks: Checks,
    /// Whom that tells of.
    pub given: Given,
}

/// What becomes of one entry.
pub enum Slot {
    /// It is written.
    Written {
        /// Its place among the drafts.
        draft: usize,
        /// The stored form, if the client wants it back.
        stored: Option<Vec<u8>>,
        /// Whether it is a deletion.
        deleted: bool,
    },
    /// A conditional create that found its resource.
    Found(Box<Version>),
    /// A deletion of nothing.
    Nothing,
    /// A read, done when the rest is recorded.
    Read {
        /// Of what.
        address: Address,
        /// Under which conditions.
        conditions: Conditions,
    },
}

/// What a plan found by searching, and which deletions found nothing to delete.
#[derive(Default)]
pub struct Checks {
    /// Kind, search, and the id that it found.
    searches: Vec<(String, String, Option<String>)>,
    /// Kind and id of what was not there.
    absent: Vec<(String, String)>,
}

impl Checks {
    /// Whether there is nothing to look at again.
    pub fn is_empty(&self) -> bool {
        self.searches.is_empty() && self.absent.is_empty()
    }

    /// Whether everything is still as it was found.
    pub fn hold(&self, ask: &Ask, view: &View) -> Result<bool, Error> {
        for (kind, query, found) in &self.searches {
            match conditional::find(view, &ask.base, kind, query) {
                Ok(now) if now.id() == found.as_deref() => {}
                // Planning again says which entry it is.
                _ => return Ok(false),
            }
        }
        for (kind, id) in &self.absent {
            if delete::is_there(view, kind, id)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What is known of an entry once it has an identity.
enum Aim {
    Put {
        kind: String,
        id: String,
        expect: Expect,
    },
    Delete {
        kind: String,
        id: String,
        expect: Expect,
    },
    Found(Box<Version>),
    Nothing,
    Read,
}

/// Whom the searches of a plan tell of.
type Told = Mutex<Given>;

/// Everything that references of the transaction are resolved with.
struct Names<'p> {
    ask: &'p Ask,
    view: &'p View,
    told: &'p Told,
    /// Full address of an entry to `Kind/id`.
    full_urls: HashMap<&'p str, String>,
    /// `Kind?search` to the `Kind/id` of the entry that is written under this condition.
    promised: HashMap<String, String>,
    /// `Kind?search` to the `Kind/id` that it found, searched when first met.
    searched: Mutex<HashMap<String, String>>,
}

/// How many findings a refusal tells.
const FINDINGS_MAX: usize = 100;

/// Plans a transaction against a state of the record. An error tells what was found before it.
pub fn plan(ask: &Ask, view: &View, root: Value<'_>) -> Result<Plan, Error> {
    let told = Told::default();
    let made = planned(ask, view, root, &told);
    let given = told.into_inner().unwrap_or_else(|p| p.into_inner());
    match made {
        Ok(plan) => Ok(Plan { given, ..plan }),
        Err(error) => Err(error.giving(given)),
    }
}

fn planned(ask: &Ask, view: &View, root: Value<'_>, told: &Told) -> Result<Plan, Error> {
    let mut entries = Vec::new();
    for (number, value) in super::entries(root)?.into_iter().enumerate() {
        let entry = Entry::read(&ask.base, number, value)
            .map_err(|error| error.within(&entry::place(number)))?;
        entries.push(entry);
    }
    let mut checks = Checks::default();
    let mut aims = Vec::with_capacity(entries.len());
    for entry in &entries {
        let aim = aim(ask, view, entry, &mut checks, told)
            .map_err(|error| error.within(&entry.place()))?;
        aims.push(aim);
    }
    refuse_doubles(&entries, &aims)?;
    refuse_failing_reads(ask, &entries, &aims)?;
    let names = names(ask, view, &entries, &aims, told)?;
    let made = make_all(&entries, &aims, &names)?;

    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|number| entries[*number].method);
    let mut slots: Vec<Option<Slot>> = Vec::new();
    slots.resize_with(entries.len(), || None);
    let mut drafts = Vec::new();
    let mut made: Vec<Option<Made>> = made.into_iter().map(Some).collect();
    let mut aims: Vec<Option<Aim>> = aims.into_iter().map(Some).collect();
    for number in order {
        let slot = match (made[number].take(), aims[number].take()) {
            (
                Some(Made::Draft {
                    draft,
                    stored,
                    deleted,
                }),
                _,
            ) => {
                drafts.push(*draft);
                Slot::Written {
                    draft: drafts.len() - 1,
                    stored,
                    deleted,
                }
            }
            (_, Some(Aim::Found(version))) => Slot::Found(version),
            (_, Some(Aim::Read)) => Slot::Read {
                address: entries[number].address.clone(),
                conditions: entries[number].conditions.clone(),
            },
            _ => Slot::Nothing,
        };
        slots[number] = Some(slot);
    }
    for (text, target) in names
        .searched
        .into_inner()
        .unwrap_or_else(|p| p.into_inner())
    {
        if let (Some((kind, query)), Some((_, id))) = (text.split_once('?'), target.split_once('/'))
        {
            checks
                .searches
                .push((kind.to_owned(), query.to_owned(), Some(id.to_owned())));
        }
    }
    Ok(Plan {
        drafts,
        slots: slots.into_iter().flatten().collect(),
        checks,
        given: Given::new(),
    })
}

/// Searches for what a condition or a reference means, and notes whom the outcome tells of.
fn find(ask: &Ask, view: &View, kind: &str, text: &str, told: &Told) -> Result<Found, Error> {
    ask.grant.check(kind, Verb::Search)?;
    let found = conditional::find(view, &ask.base, kind, text)?;
    let params = query::decode(text)?;
    let given = conditional::told(ask.api.programme(), &ask.base, kind, &params, &found);
    told.lock().unwrap_or_else(|p| p.into_inner()).add(given);
    Ok(found)
}

/// Gives an entry its identity.
fn aim(
    ask: &Ask,
    view: &View,
    entry: &Entry<'_>,
    checks: &mut Checks,
    told: &Told,
) -> Result<Aim, Error> {
    let mut search = |kind: &str, query: &str| {
        let found = find(ask, view, kind, query, told)?;
        checks.searches.push((
            kind.to_owned(),
            query.to_owned(),
            found.id().map(str::to_owned),
        ));
        Ok::<_, Error>(found)
    };
    let expected = match &entry.conditions.if_match {
        None => Expect::Any,
        Some(Tags::Any) => Expect::Present,
        Some(Tags::Versions(versions)) => match versions.as_slice() {
            [version] => Expect::Version(*version),
            _ => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    "`ifMatch` names several versions; a write follows one.",
                ));
            }
        },
    };
    let own_id = entry
        .resource
        .and_then(|resource| resource.get("id"))
        .and_then(Value::as_str);
    match (entry.method, &entry.address) {
        (Method::Get, _) => Ok(Aim::Read),
        (Method::Post, Address::Kind { kind, .. }) => {
            ask.grant.check(kind, Verb::Create)?;
            if let Some(query) = &entry.conditions.if_none_exist
                && let Found::One(version) = search(kind, query)?
            {
                return Ok(Aim::Found(version));
            }
            let id = ask.api.programme().new_id();
            Ok(Aim::Put {
                kind: kind.clone(),
                id,
                expect: Expect::Absent,
            })
        }
        (Method::Put, Address::One { kind, id, .. }) => {
            ask.grant.check(kind, Verb::Update)?;
            if let Some(resource) = entry.resource {
                put::must_have_id(resource, kind, id)?;
            }
            refuse_missing(view, kind, id, expected)?;
            Ok(Aim::Put {
                kind: kind.clone(),
                id: id.clone(),
                expect: expected,
            })
        }
        (Method::Put, Address::Kind { kind, query }) => {
            ask.grant.check(kind, Verb::Update)?;
            let found = search(kind, query)?;
            let (id, expect) = conditional::target(kind, &found, own_id, expected)?;
            let id = id.unwrap_or_else(|| ask.api.programme().new_id());
            Ok(Aim::Put {
                kind: kind.clone(),
                id,
                expect,
            })
        }
        (Method::Delete, Address::One { kind, id, .. }) => {
            ask.grant.check(kind, Verb::Delete)?;
            audit_event::refuse_write(kind, id)?;
            let there = delete::is_there(view, kind, id)?;
            if !there && expected == Expect::Any {
                checks.absent.push((kind.clone(), id.clone()));
                return Ok(Aim::Nothing);
            }
            refuse_missing(view, kind, id, expected)?;
            let expect = if expected == Expect::Any {
                Expect::Present
            } else {
                expected
            };
            Ok(Aim::Delete {
                kind: kind.clone(),
                id: id.clone(),
                expect,
            })
        }
        (Method::Delete, Address::Kind { kind, query }) => {
            ask.grant.check(kind, Verb::Delete)?;
            match search(kind, query)? {
                Found::Nothing => Ok(Aim::Nothing),
                Found::One(version) => Ok(Aim::Delete {
                    kind: kind.clone(),
                    id: version.id.clone(),
                    expect: Expect::Present,
                }),
            }
        }
        _ => Err(Error::new(
            ErrorKind::Malformed,
            "Its address does not fit its method.",
        )),
    }
}

/// Refuses a version that is expected of what never was there, as the request alone would be. Whether it holds of what
/// was there, the writer says.
fn refuse_missing(view: &View, kind: &str, id: &str, expected: Expect) -> Result<(), Error> {
    match expected {
        Expect::Version(_) | Expect::Present if !delete::was_there(view, kind, id)? => {
            Err(Error::new(
                ErrorKind::Stale,
                format!("There is no {kind}/{id}, so `ifMatch` cannot hold."),
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses two entries that write the same resource, or that create under the same condition.
fn refuse_doubles(entries: &[Entry<'_>], aims: &[Aim]) -> Result<(), Error> {
    let mut identities: HashMap<(&str, &str), usize> = HashMap::new();
    let mut conditions: HashMap<(&str, &str), usize> = HashMap::new();
    let mut full_urls: HashMap<&str, usize> = HashMap::new();
    for (entry, aim) in entries.iter().zip(aims) {
        let identity = match (aim, &entry.address) {
            (Aim::Put { kind, id, .. } | Aim::Delete { kind, id, .. }, _) => Some((kind, id)),
            // A deletion of nothing is meant for it all the same.
            (Aim::Nothing, Address::One { kind, id, .. }) => Some((kind, id)),
            _ => None,
        };
        if let Some((kind, id)) = identity
            && let Some(first) = identities.insert((kind, id), entry.number)
        {
            return Err(twice(first, entry, &format!("write {kind}/{id}")));
        }
        let condition = match (&entry.address, &entry.conditions.if_none_exist) {
            (Address::Kind { kind, .. }, Some(query)) if entry.method == Method::Post => {
                Some((kind.as_str(), query.as_str()))
            }
            (Address::Kind { kind, query }, _) if entry.method == Method::Put => {
                Some((kind.as_str(), query.as_str()))
            }
            _ => None,
        };
        if let Some((kind, query)) = condition
            && let Some(first) = conditions.insert((kind, query), entry.number)
        {
            let what = format!("have the same condition, `{kind}?{}`", printable(query));
            return Err(twice(first, entry, &what));
        }
        if let Some(full_url) = entry.full_url
            && entry.method != Method::Get
            && let Some(first) = full_urls.insert(full_url, entry.number)
        {
            return Err(twice(first, entry, "have the same `fullUrl`"));
        }
    }
    Ok(())
}

/// Refuses a read that would fail: then nothing of the transaction may be recorded. What the transaction itself writes
/// will be there.
fn refuse_failing_reads(ask: &Ask, entries: &[Entry<'_>], aims: &[Aim]) -> Result<(), Error> {
    let written: HashMap<(&str, &str), bool> = aims
        .iter()
        .filter_map(|aim| match aim {
            Aim::Put { kind, id, .. } => Some(((kind.as_str(), id.as_str()), true)),
            Aim::Delete { kind, id, .. } => Some(((kind.as_str(), id.as_str()), false)),
            _ => None,
        })
        .collect();
    let reads = entries.iter().filter(|entry| entry.method == Method::Get);
    for entry in reads {
        if let Address::One { kind, id, .. } = &entry.address {
            match written.get(&(kind.as_str(), id.as_str())) {
                Some(true) => continue,
                Some(false) => {
                    let gone = "It reads what another entry deletes.";
                    return Err(Error::new(ErrorKind::Deleted, gone).within(&entry.place()));
                }
                None => {}
            }
        }
        let mut read = ask.clone();
        read.conditions = entry.conditions.clone();
        alone::read(&mut read, entry.address.clone())
            .map_err(|error| error.within(&entry.place()))?;
    }
    Ok(())
}

fn twice(first: usize, second: &Entry<'_>, what: &str) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!(
            "{} and {} {what}. Nothing was written: in one transaction each resource is written once.",
            entry::place(first),
            second.place()
        ),
    )
}

/// The names by which entries refer to each other.
fn names<'p>(
    ask: &'p Ask,
    view: &'p View,
    entries: &[Entry<'p>],
    aims: &[Aim],
    told: &'p Told,
) -> Result<Names<'p>, Error> {
    let mut full_urls = HashMap::with_capacity(entries.len());
    let mut promised = HashMap::new();
    for (entry, aim) in entries.iter().zip(aims) {
        let target = match aim {
            Aim::Put { kind, id, .. } => format!("{kind}/{id}"),
            Aim::Found(version) => format!("{}/{}", version.kind, version.id),
            Aim::Delete { .. } | Aim::Nothing | Aim::Read => continue,
        };
        // A search that an entry creates or updates under means that entry.
        if let Address::Kind { kind, query } = &entry.address {
            let query = entry.conditions.if_none_exist.as_ref().unwrap_or(query);
            if !query.is_empty() {
                promised.insert(format!("{kind}?{query}"), target.clone());
            }
        }
        if let Some(full_url) = entry.full_url {
            full_urls.insert(full_url, target);
        }
    }
    Ok(Names {
        ask,
        view,
        told,
        full_urls,
        promised,
        searched: Mutex::default(),
    })
}

impl Names<'_> {
    /// What a reference in an entry becomes; nothing if it stays as it is.
    fn resolve(&self, from: Option<&str>, text: &str) -> Result<Option<String>, Error> {
        // `urn:uuid:...#part` keeps its part.
        let (whole, part) = match text.split_once('#') {
            Some((whole, _)) => (whole, &text[whole.len()..]),
            None => (text, ""),
        };
        if let Some(target) = self.full_urls.get(whole) {
            return Ok(Some(format!("{target}{part}")));
        }
        match Reference::parse(text) {
            Reference::Relative(target) => {
                // Relative to where the entry says that it stands.
                let base = from.and_then(|from| match Reference::parse(from) {
                    Reference::Absolute(base, _) => Some(base),
                    _ => None,
                });
                let Some(base) = base else { return Ok(None) };
                let full = format!("{base}/{}/{}", target.kind, target.id);
                Ok(self.full_urls.get(full.as_str()).cloned())
            }
            Reference::Absolute(..) => Ok(put::to_relative(&self.ask.base, text)),
            Reference::Conditional { kind, query } => self.search(text, kind, query).map(Some),
            Reference::Urn(_) | Reference::Contained(_) | Reference::Other(_) => Ok(None),
        }
    }

    fn search(&self, text: &str, kind: &str, query: &str) -> Result<String, Error> {
        let lock = || self.searched.lock().unwrap_or_else(|p| p.into_inner());
        if let Some(target) = self
            .promised
            .get(text)
            .cloned()
            .or_else(|| lock().get(text).cloned())
        {
            return Ok(target);
        }
        match find(self.ask, self.view, kind, query, self.told)? {
            Found::One(version) => {
                let target = format!("{kind}/{}", version.id);
                lock().insert(text.to_owned(), target.clone());
                Ok(target)
            }
            Found::Nothing => Err(Error::new(
                ErrorKind::Refused,
                format!("The reference `{}` finds nothing.", printable(text)),
            )),
        }
    }
}

/// What is made of one entry.
enum Made {
    Draft {
        draft: Box<Draft>,
        stored: Option<Vec<u8>>,
        deleted: bool,
    },
    None,
}

/// Entries that one core takes at a time.
const PIECE: usize = 32;

/// Makes all drafts, on all cores if there are many.
fn make_all(entries: &[Entry<'_>], aims: &[Aim], names: &Names<'_>) -> Result<Vec<Made>, Error> {
    let keep = names.ask.prefer.answer == Some(Return::Representation);
    let pairs: Vec<_> = entries.iter().zip(aims).collect();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let results: Vec<Result<Made, Error>> = if cores == 1 || pairs.len() <= PIECE {
        pairs
            .iter()
            .map(|(entry, aim)| make(entry, aim, names, keep))
            .collect()
    } else {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let pieces: Vec<_> = pairs.chunks(PIECE).collect();
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let piece = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(pairs) = pieces.get(piece) else {
                    return mine;
                };
                let made: Vec<_> = pairs
                    .iter()
                    .map(|(entry, aim)| make(entry, aim, names, keep))
                    .collect();
                mine.push((piece, made));
            }
        };
        let mut done = std::thread::scope(|scope| {
            let others: Vec<_> = (1..cores.min(pieces.len()))
                .map(|_| scope.spawn(worker))
                .collect();
            let mut done = worker();
            for other in others {
                match other.join() {
                    Ok(theirs) => done.extend(theirs),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_by_key(|(piece, _)| *piece);
        done.into_iter().flat_map(|(_, made)| made).collect()
    };
    let mut made = Vec::with_capacity(results.len());
    let mut refused: Option<Error> = None;
    for result in results {
        match (result, &mut refused) {
            (Ok(one), None) => made.push(one),
            (Ok(_), Some(_)) => {}
            (Err(error), None) => refused = Some(error),
            // The findings of all invalid resources are told together.
            (Err(error), Some(first)) if first.findings.len() < FINDINGS_MAX => {
                first.findings.extend(error.findings);
            }
            (Err(_), Some(_)) => {}
        }
    }
    match refused {
        Some(error) => Err(error),
        None => Ok(made),
    }
}

fn make(entry: &Entry<'_>, aim: &Aim, names: &Names<'_>, keep: bool) -> Result<Made, Error> {
    let within = |error: Error| error.within(&entry.place());
    match aim {
        Aim::Put { kind, id, expect } => {
            let Some(resource) = entry.resource else {
                return Ok(Made::None);
            };
            put::validate(resource).map_err(within)?;
            dangling(resource, names).map_err(within)?;
            let mut refused = None;
            let stored = record::stored::write(resource, id, &mut |text| match names
                .resolve(entry.full_url, text)
            {
                Ok(target) => target,
                Err(error) => {
                    refused.get_or_insert(error);
                    None
                }
            });
            if let Some(error) = refused {
                return Err(within(error));
            }
            let kept = keep.then(|| stored.clone());
            let verb = match entry.method {
                Method::Post => Verb::Create,
                _ => Verb::Update,
            };
            let draft = Draft::stored(kind, id, *expect, stored)
                .map_err(within)?
                .asked_as(verb);
            Ok(Made::Draft {
                draft: Box::new(draft),
                stored: kept,
                deleted: false,
            })
        }
        Aim::Delete { kind, id, expect } => {
            let draft = Draft::delete(kind, id, *expect);
            Ok(Made::Draft {
                draft: Box::new(draft),
                stored: None,
                deleted: true,
            })
        }
        Aim::Found(_) | Aim::Nothing | Aim::Read => Ok(Made::None),
    }
}

/// Refuses a reference to `urn:...` that no entry of the transaction has.
fn dangling(resource: Value<'_>, names: &Names<'_>) -> Result<(), Error> {
    let mut missing = None;
    reference::visit(resource, &mut |text| {
        let whole = text.split_once('#').map_or(text, |(whole, _)| whole);
        if text.starts_with("urn:") && !names.full_urls.contains_key(whole) {
            missing.get_or_insert(text);
        }
    });
    match missing {
        None => Ok(()),
        Some(text) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "It refers to `{}`, which no entry of the transaction has as its `fullUrl`. Nothing was written.",
                printable(text)
            ),
        )),
    }
}
