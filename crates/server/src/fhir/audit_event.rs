//! AuditEvent: the access log, as FHIR asks for it.
//!
//! A leaf is served as the AuditEvent `access-N`, N being its position: made from the leaf when it
//! is asked for, kept nowhere else, and never written by a client. AuditEvents that clients store
//! are resources like any other. A search answers with both, in one order, the newest first: a leaf
//! by when it was recorded, a stored one by what it says itself (`AuditEvent.recorded`).
//!
//! What a criterion means is `record::search::matches`'s to say, of a leaf as of a stored version:
//! every search parameter of AuditEvent works. `patient` finds its leaves by the log's own index of
//! persons; anything else looks through the log backwards, so much at a time that a page comes
//! soon, and leads on with `next`.

use ledger::access::Disclosed;
use record::json::Doc;
use record::search::{Criteria, SortBy, Values, extract, matches, pack};
use record::time;

use super::bundle::{Bundle, Mode};
use super::elements::Elements;
use super::instant::Memento;
use super::negotiate::printable;
use super::scope::Verb;
use super::search::wanted::Wanted;
use super::{Answer, Ask, outcome, query};
use crate::error::{Error, ErrorKind};
use crate::permit::leaf::shown;
use crate::programme::{AsOf, Search, Version, View};
use crate::release::{Given, What};

mod leaf;

/// The kind that the access log is served as.
pub const KIND: &str = "AuditEvent";

/// What the ids of leaves begin with.
const PREFIX: &str = "access-";

/// How many leaves one page looks through at the most.
const SCANNED_MAX: usize = 20_000;

/// How many leaves are read at a time.
const PART: usize = 256;

/// The position of the leaf that an id names.
pub fn position(kind: &str, id: &str) -> Option<u64> {
    let digits = id.strip_prefix(PREFIX).filter(|_| kind == KIND)?;
    let canonical = digits == "0" || !digits.starts_with('0');
    let plain = canonical && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// Refuses to write what the access log alone says.
pub fn refuse_write(kind: &str, id: &str) -> Result<(), Error> {
    match position(kind, id) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "{kind}/{id} is the access log's own word and is not written by anybody. Choose another id."
            ),
        )),
    }
}

/// One leaf as a resource; `version` can only be the first.
pub fn read(ask: &Ask, position: u64, version: Option<&str>, what: What) -> Result<Answer, Error> {
    let programme = ask.api.programme();
    let view = ask.view();
    let found = match version {
        None | Some("1") => programme.access().leaf(position).map_err(Error::ledger)?,
        Some(_) => None,
    };
    let found = found.filter(|one| view.instant().is_none_or(|at| one.leaf.recorded_at <= at));
    let found = match found {
        Some(one) => {
            let json = leaf::resource(programme, &one)?;
            is_for(ask, &view, Verb::Read, &one, &json)?.then_some((one, json))
        }
        None => None,
    };
    let Some((disclosed, json)) = found else {
        return Err(super::read::nothing(
            KIND,
            &format!("{PREFIX}{position}"),
            ask,
        ));
    };
    let mut given = Given::new();
    given.leaf(position, &disclosed.persons);
    Ok(Answer {
        version: Some((1, disclosed.leaf.recorded_at)),
        ..Answer::read(ask, &view, json, what, given)
    })
}

/// Whether whoever asks may see a leaf, and all whom it told of: an AuditEvent names them all. Their scopes are about
/// the AuditEvent that it is.
fn is_for(ask: &Ask, view: &View, verb: Verb, one: &Disclosed, json: &[u8]) -> Result<bool, Error> {
    if !shown(view, &ask.reader, one)?.is_some_and(|shown| shown.is_whole) {
        return Ok(false);
    }
    let doc = Doc::parse(json).map_err(Error::internal)?;
    Ok(ask.reader.admits(KIND, verb, &one.persons, doc.root()))
}

/// Where a page begins: below which leaf, of the record of which size, after which stored version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    leaf: u64,
    size: u64,
    number: Option<u64>,
}

impl Cursor {
    fn text(self) -> String {
        let number = self.number.map(|number| format!("-{number:x}"));
        format!(
            "{:x}.{:x}{}",
            self.leaf,
            self.size,
            number.unwrap_or_default()
        )
    }

    fn parse(text: &str) -> Option<Cursor> {
        let (leaf, rest) = text.split_once('.')?;
        let (size, number) = match rest.split_once('-') {
            Some((size, number)) => (size, Some(number)),
            None => (rest, None),
        };
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let cursor = Cursor {
            leaf: hex(leaf)?,
            size: hex(size)?,
            number: match number {
                Some(number) => Some(hex(number)?),
                None => None,
            },
        };
        (cursor.text() == text).then_some(cursor)
    }

    /// As the index names the place after a stored version.
    fn after(self) -> Option<index::Cursor> {
        format!("{:x}-{:x}", self.size, self.number?).parse().ok()
    }
}

/// Something found: a leaf or a stored version.
enum Hit {
    Leaf(Box<Disclosed>, Vec<u8>),
    Stored(Box<Version>),
}

/// Searches leaves and stored AuditEvents.
pub fn search(ask: &Ask, wanted: &Wanted) -> Result<Answer, Error> {
    in_order(&wanted.criteria)?;
    if wanted.count == 0 {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "What was disclosed is not counted by a search: ask for pages, without `_summary=count` and `_count=0`.",
        ));
    }
    let log = ask.api.programme().access();
    let asked = ask.params.iter().find(|(name, _)| name == "_cursor");
    let begin = match asked {
        None => {
            let view = ask.view();
            let leaf = match view.instant() {
                None => log.size(),
                Some(at) => log.size_at(at),
            };
            Cursor {
                leaf: leaf.map_err(Error::ledger)?,
                size: view.size(),
                number: None,
            }
        }
        Some((_, text)) => Cursor::parse(text).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "`_cursor` is not a page of this search. Begin again without it.",
            )
        })?,
    };
    let view = ask.view_of(match asked {
        Some(_) => AsOf::Size(begin.size),
        None => ask.as_of.unwrap_or(AsOf::Now),
    });
    let stored = stored(ask, &view, wanted, begin)?;
    let (hits, next) = merge(ask, wanted, begin, stored)?;
    answer(ask, &view, wanted, &hits, begin, next)
}

/// There is one order: the newest first.
fn in_order(criteria: &Criteria) -> Result<(), Error> {
    let fits = match criteria.sort.as_slice() {
        [] => true,
        [one] => match one.by {
            SortBy::Parameter(parameter) => parameter.code == "date" && one.descending,
            SortBy::LastUpdated => one.descending,
        },
        _ => false,
    };
    match fits {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Unsupported,
            "AuditEvents are found in one order, the newest first: `_sort=-date`.",
        )),
    }
}

/// One page of stored versions, and whether there are more.
fn stored(
    ask: &Ask,
    view: &View,
    wanted: &Wanted,
    begin: Cursor,
) -> Result<(Vec<Version>, bool), Error> {
    let mut params = ask.params.clone();
    params.retain(|(name, _)| name != "_sort");
    params.push(("_sort".to_owned(), "-date".to_owned()));
    let (criteria, _) = record::search::parse_criteria(KIND, &params, &ask.base);
    let page = view.search(&Search {
        criteria: &criteria,
        count: wanted.count,
        after: begin.after(),
        total: false,
    })?;
    Ok((page.hits, page.next.is_some()))
}

/// A page of both, the newest first, and where the next one begins.
fn merge(
    ask: &Ask,
    wanted: &Wanted,
    begin: Cursor,
    (stored, more_stored): (Vec<Version>, bool),
) -> Result<(Vec<Hit>, Option<Cursor>), Error> {
    let mut leaves = Leaves::of(ask, begin.leaf);
    let view = ask.view();
    let mut stored = stored.into_iter().peekable();
    let mut hits = Vec::new();
    let mut at = begin;
    let mut leaf = leaves.next(ask, &view, &wanted.criteria)?;
    while hits.len() < wanted.count {
        let newer = match (&leaf, stored.peek()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((one, _)), Some(other)) => one.leaf.recorded_at.0 >= recorded(other),
        };
        // Past what was looked through nobody knows what is newer than the next stored one.
        if leaf.is_none() && leaves.unfinished() {
            break;
        }
        if newer {
            if let Some((one, json)) = leaf.take() {
                at.leaf = one.leaf.position;
                hits.push(Hit::Leaf(Box::new(one), json));
            }
            leaf = leaves.next(ask, &view, &wanted.criteria)?;
        } else if let Some(version) = stored.next() {
            at.number = Some(version.number);
            hits.push(Hit::Stored(Box::new(version)));
        }
    }
    if leaf.is_none() {
        at.leaf = leaves.below;
    }
    let more = leaf.is_some() || leaves.unfinished() || stored.peek().is_some() || more_stored;
    Ok((hits, more.then_some(at)))
}

/// When a stored AuditEvent says that it happened, in microseconds.
fn recorded(version: &Version) -> i64 {
    Doc::parse(&version.stored)
        .ok()
        .and_then(|doc| {
            doc.root()
                .str_at(&["recorded"])
                .and_then(time::parse_interval)
        })
        .map_or(version.recorded_at.0, |at| at.start)
}

/// Leaves that answer to the criteria, newest first.
struct Leaves {
    /// Every leaf from here on was looked at.
    below: u64,
    /// Whom they must be about, if the search says one person.
    about: Option<ledger::Alias>,
    /// The only ones that can answer, newest first, if the search names ids.
    only: Option<Vec<u64>>,
    waiting: std::vec::IntoIter<Disclosed>,
    scanned: usize,
    ended: bool,
}

impl Leaves {
    fn of(ask: &Ask, below: u64) -> Leaves {
        let only = |name: &str| {
            let mut values = ask.params.iter().filter(|(given, _)| given == name);
            match (values.next(), values.next()) {
                (Some((_, value)), None) => Some(value.as_str()),
                _ => None,
            }
        };
        let about = only("patient").filter(|value| !value.contains([',', '|', '$', '\\']));
        let ids = only("_id").map(|value| {
            let mut positions: Vec<u64> = value
                .split(',')
                .filter_map(|id| position(KIND, id))
                .filter(|position| *position < below)
                .collect();
            positions.sort_unstable_by(|a, b| b.cmp(a));
            positions.dedup();
            positions
        });
        Leaves {
            below,
            about: about.map(|value| {
                let id = value.rsplit_once("Patient/").map_or(value, |(_, id)| id);
                ask.api.programme().ledger().person(id)
            }),
            only: ids,
            waiting: Vec::new().into_iter(),
            scanned: 0,
            ended: false,
        }
    }

    /// Whether there are leaves that were not looked at.
    fn unfinished(&self) -> bool {
        !self.ended
    }

    fn next(
        &mut self,
        ask: &Ask,
        view: &View,
        criteria: &Criteria,
    ) -> Result<Option<(Disclosed, Vec<u8>)>, Error> {
        loop {
            for one in self.waiting.by_ref() {
                self.below = one.leaf.position;
                let json = leaf::resource(ask.api.programme(), &one)?;
                if answers(criteria, &one, &json)? && is_for(ask, view, Verb::Search, &one, &json)?
                {
                    return Ok(Some((one, json)));
                }
            }
            if self.ended || self.scanned >= SCANNED_MAX {
                return Ok(None);
            }
            let part = self.read(ask)?;
            self.ended = part.is_empty();
            self.scanned += part.len();
            self.waiting = part.into_iter();
        }
    }

    fn read(&self, ask: &Ask) -> Result<Vec<Disclosed>, Error> {
        let log = ask.api.programme().access();
        let positions = match (&self.only, self.about) {
            (None, None) => return log.before(self.below, PART).map_err(Error::ledger),
            (Some(only), _) => {
                let below = only.iter().filter(|position| **position < self.below);
                below.take(PART).copied().collect()
            }
            (None, Some(person)) => log
                .positions_about(person, self.below, PART)
                .map_err(Error::ledger)?,
        };
        let mut part = Vec::with_capacity(positions.len());
        for position in positions {
            part.extend(log.leaf(position).map_err(Error::ledger)?);
        }
        Ok(part)
    }
}

fn answers(criteria: &Criteria, one: &Disclosed, json: &[u8]) -> Result<bool, Error> {
    if !criteria.id_matches(&format!("{PREFIX}{}", one.leaf.position))
        || !criteria.last_updated_matches(one.leaf.recorded_at.0)
    {
        return Ok(false);
    }
    let doc = Doc::parse(json).map_err(Error::internal)?;
    let row = pack(&extract(doc.root()));
    let values = Values::new(&row);
    Ok(criteria
        .clauses
        .iter()
        .all(|clause| matches(&values, clause)))
}

fn answer(
    ask: &Ask,
    view: &View,
    wanted: &Wanted,
    hits: &[Hit],
    begin: Cursor,
    next: Option<Cursor>,
) -> Result<Answer, Error> {
    let first = ask.params.iter().all(|(name, _)| name != "_cursor");
    let address = |cursor: Option<String>| {
        let size = format!("size:{}", view.size());
        let pairs = wanted
            .used
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(cursor.as_deref().map(|cursor| ("_cursor", cursor)))
            .chain(ask.as_of.map(|_| ("_asof", size.as_str())));
        let text = query::encode(pairs);
        let question = if text.is_empty() { "" } else { "?" };
        format!("{}/{KIND}{question}{text}", ask.base)
    };
    let mut links = vec![("self", address((!first).then(|| begin.text())))];
    links.extend(next.map(|next| ("next", address(Some(next.text())))));
    let total = (first && next.is_none()).then_some(hits.len() as u64);
    let mut bundle = Bundle::new("searchset", total, &links);
    let mut given = super::search::asked_about(ask.api.programme(), &wanted.criteria);
    for hit in hits {
        match hit {
            Hit::Leaf(one, json) => {
                given.leaf(one.leaf.position, &one.persons);
                let id = format!("{PREFIX}{}", one.leaf.position);
                let json = picked(&wanted.elements, json)?;
                bundle.written(&ask.base, KIND, &id, &json, Mode::Match);
            }
            Hit::Stored(version) => {
                given.version(version);
                let json = picked(&wanted.elements, &version.served())?;
                bundle.found(&ask.base, version, Mode::Match, Some(&json));
            }
        }
    }
    if !wanted.ignored.is_empty() {
        bundle.told(&outcome::of_findings(&wanted.ignored));
    }
    Ok(Answer {
        memento: Memento::of(ask, view),
        ..Answer::read(ask, view, bundle.finish(), What::Search, given)
    })
}

fn picked(elements: &Option<Elements>, json: &[u8]) -> Result<Vec<u8>, Error> {
    match elements {
        Some(elements) => elements.pick(KIND, json),
        None => Ok(json.to_vec()),
    }
}

/// Refuses what cannot come along with leaves.
pub fn refuse_includes(wanted: &Wanted) -> Result<(), Error> {
    match wanted.includes.is_empty() {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is not supported for {KIND}: nothing comes along with what was disclosed.",
                printable("_include")
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_one_id() {
        for (kind, id, expected) in [
            ("AuditEvent", "access-0", Some(0)),
            ("AuditEvent", "access-12", Some(12)),
            ("AuditEvent", "access-012", None),
            ("AuditEvent", "access--1", None),
            ("AuditEvent", "access-", None),
            ("AuditEvent", "12", None),
            ("Patient", "access-12", None),
        ] {
            assert_eq!(position(kind, id), expected, "{kind}/{id}");
        }
    }

    #[test]
    fn a_cursor_comes_back_and_an_altered_one_is_refused() {
        let cursor = Cursor {
            leaf: 500,
            size: 12_200,
            number: Some(77),
        };
        let leaves_only = Cursor {
            number: None,
            ..cursor
        };
        for (cursor, text) in [(cursor, "1f4.2fa8-4d"), (leaves_only, "1f4.2fa8")] {
            assert_eq!(cursor.text(), text);
            assert_eq!(Cursor::parse(text), Some(cursor));
        }
        for text in [
            "",
            ".",
            "1f4",
            "01f4.2fa8",
            "1F4.2fa8",
            "1f4.2fa8-",
            "1f4.2fa8-4d-1",
            "+1.0",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
