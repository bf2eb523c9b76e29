//! Who was shown what: of one person, of everybody, and one leaf of the access log.

use std::collections::HashMap;

use axum::extract::Path;
use axum::response::Response;
use ledger::Alias;
use ledger::access::Disclosed;
use ledger::disclosure::{Leaf, What, Whom};
use ledger::witnessed::LogName;
use maud::Markup;
use policy::{Action, Kind, Purpose, Role};

use super::{Asked, away, download, person};
use crate::accounting::HeldBack;
use crate::case::{Case, Names, attention};
use crate::consent::{is_person, own_record};
use crate::error::{Error, ErrorKind, left};
use crate::permit::Thing;
use crate::permit::leaf::{self, Shown};
use crate::programme::Whose;
use crate::release::Given;
use crate::web::access::{About, Context, Notice, Opened, Reader, Row, page};
use crate::web::when::RecordedAt;
use crate::web::{leaf as page_of_leaf, path};

/// How many rows are on a page.
const PAGE: usize = 100;

/// How many times a page of leaves is read to find those that are for whoever looks.
const PARTS_MAX: usize = 50;

/// How many of a person's newest leaves are counted by who looked.
const COUNTED_MAX: usize = 2_000;

/// How many people a row names, and how many entries a leaf lists.
const NAMED_MAX: usize = 3;
const LISTED_MAX: usize = 50;

/// `GET /people/{id}/access`
pub async fn of_person(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (markup, given) = draw_person(&asked, &id)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

/// `GET /access`
pub async fn of_everybody(asked: Asked) -> Result<Response, Error> {
    asked.must_oversee()?;
    away(move || {
        let (markup, given) = draw_everybody(&asked)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

/// `GET /access/{position}`
pub async fn one(asked: Asked, Path(position): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (markup, given) = draw_leaf(&asked, &position)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

/// `GET /access/{position}/receipt`
pub async fn receipt(asked: Asked, Path(position): Path<String>) -> Result<Response, Error> {
    away(move || {
        let one = at(&asked, &position)?;
        let position = one.leaf.position;
        let cosigned = asked.programme.cosigning().latest(LogName::Access);
        let note = cosigned.as_ref().map(|one| one.note.as_str());
        let text = asked.programme.access().receipt_under(position, note);
        let file = download(&name(position), text.map_err(Error::ledger)?);
        let mut given = Given::new();
        given.leaf(position, &one.persons);
        Ok(asked.gives(file, What::Receipt, given))
    })
    .await
}

pub(super) fn draw_person(asked: &Asked, id: &str) -> Result<(Markup, Given), Error> {
    let case = person::case(asked, id)?;
    let alias = asked.programme.ledger().person(id);
    asked.must(Action::SeeAccess, &Thing::about(alias, Kind::Access))?;
    let mut shell = asked.shell();
    let things = case.things();
    let state = attention::state(&things, &Names::new(&asked.view), asked.moment());
    shell.banner = person::banner(&case, &things, &state, asked.moment());

    let log = asked.programme.access();
    let bound = bound(asked)?;
    let all = log
        .positions_about(alias, bound, usize::MAX)
        .map_err(Error::ledger)?;
    let all = told_to(asked, id, all)?;
    let mut whom = Lookup::new(asked);
    let mut given = Given::new();
    given.person(alias);
    let mut readers: HashMap<String, Reader> = HashMap::new();
    for position in all.iter().take(COUNTED_MAX) {
        let Some(one) = log.leaf(*position).map_err(Error::ledger)? else {
            continue;
        };
        given.leaf(*position, &[alias]);
        let who = whom.actor(&one.leaf.actor);
        let last = RecordedAt(one.leaf.recorded_at.0);
        let reader = readers.entry(who.clone()).or_insert(Reader {
            who,
            times: 0,
            last,
        });
        reader.times += 1;
    }
    let mut readers: Vec<Reader> = readers.into_values().collect();
    readers.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.who.cmp(&b.who)));
    let shown: Vec<u64> = all
        .iter()
        .filter(|position| before(asked).is_none_or(|before| **position < before))
        .take(PAGE + 1)
        .copied()
        .collect();
    let mut rows = Vec::new();
    for position in shown.iter().take(PAGE) {
        if let Some(one) = log.leaf(*position).map_err(Error::ledger)?
            && let Some(shown) = leaf::shown(&asked.view, &asked.reader, &one)?
        {
            given.leaf(*position, &[alias]);
            rows.push(row(&mut whom, &one, &shown)?);
        }
    }
    let more = (shown.len() > PAGE)
        .then(|| rows.last().map(|row| earlier(&asked.path, row.position)))
        .flatten();
    let context = Context {
        shell,
        total: all.len() as u64,
        readers,
        rows,
        more,
        opened: opened(asked, &mut whom, alias)?,
        notices: notices(asked, alias)?,
    };
    Ok((page(&context), given))
}

/// The leaves about a person that whoever looks may know of now: neither what a warrant keeps from the
/// person for a time, nor, if it is they who look, what an agency has held back.
pub(super) fn told_to(asked: &Asked, id: &str, all: Vec<u64>) -> Result<Vec<u64>, Error> {
    let all = told_of(asked, asked.programme.ledger().person(id), all)?;
    match is_person(&asked.who, id) {
        true => not_held_back(asked, id, all),
        false => Ok(all),
    }
}

/// The leaves about a person without those that a warrant keeps from them for a time, so that neither
/// their number nor who is counted among the readers tells of them.
fn told_of(asked: &Asked, person: Alias, all: Vec<u64>) -> Result<Vec<u64>, Error> {
    let (standing, alias) = (asked.programme.standing()?, person.to_string());
    let now = asked.reader.now();
    let sees_all = matches!(asked.reader.who().role, Role::Officer | Role::Inspector);
    if sees_all || standing.untold(&alias, now).next().is_none() {
        return Ok(all);
    }
    let log = asked.programme.access();
    let mut told = Vec::with_capacity(all.len());
    for position in all {
        let leaf = log.leaf(position).map_err(Error::ledger)?;
        if leaf.is_some_and(|one| !standing.keeps(&one, &alias, now)) {
            told.push(position);
        }
    }
    Ok(told)
}

/// Who opened the person's record though it was closed to them, as far as whoever looks may see what
/// governs the record.
fn opened(asked: &Asked, whom: &mut Lookup<'_>, person: Alias) -> Result<Vec<Opened>, Error> {
    let mut rows = Vec::new();
    for found in crate::break_glass::all(&asked.unbound(), Some(person))? {
        if asked.view.read("Task", &found.id)?.is_none() {
            continue;
        }
        let broken = &found.broken;
        rows.push(Opened {
            who: whom.actor(&broken.reader),
            why: broken.opening.why.clone(),
            need: broken.opening.need.words().to_owned(),
            from: RecordedAt(broken.from),
            until: broken.end(),
            review: broken
                .review
                .as_ref()
                .map(|review| (review.outcome.words(), review.why.clone())),
            review_due: broken.review_due(),
        });
    }
    Ok(rows)
}

/// What the person was told of warrants, newest first.
fn notices(asked: &Asked, person: Alias) -> Result<Vec<Notice>, Error> {
    let found = crate::warrant::notice::told(&asked.unbound(), person)?;
    let mut notices = Vec::new();
    for (version, text) in found {
        if asked.view.read("Communication", &version.id)?.is_some() {
            notices.push(Notice {
                at: RecordedAt(version.recorded_at.0),
                text,
                position: version.position,
            });
        }
    }
    Ok(notices)
}

pub(super) fn draw_everybody(asked: &Asked) -> Result<(Markup, Given), Error> {
    let bound = bound(asked)?;
    let below = before(asked).map_or(bound, |before| before.min(bound));
    let found = theirs(asked, below)?;
    let mut whom = Lookup::new(asked);
    let mut given = Given::new();
    let mut rows = Vec::new();
    for (one, shown) in found.iter().take(PAGE) {
        given.leaf(one.leaf.position, &shown.persons);
        rows.push(row(&mut whom, one, shown)?);
    }
    let more = (found.len() > PAGE)
        .then(|| rows.last().map(|row| earlier(path::ACCESS, row.position)))
        .flatten();
    let context = Context {
        shell: asked.shell(),
        total: bound,
        readers: Vec::new(),
        rows,
        more,
        opened: Vec::new(),
        notices: Vec::new(),
    };
    Ok((page(&context), given))
}

/// A page of leaves that are for whoever looks, and one more if there is one, newest first.
fn theirs(asked: &Asked, mut below: u64) -> Result<Vec<(Disclosed, Shown)>, Error> {
    let log = asked.programme.access();
    let mut found = Vec::new();
    for _ in 0..PARTS_MAX {
        let part = log.before(below, PAGE + 1).map_err(Error::ledger)?;
        let Some(last) = part.last() else { break };
        below = last.leaf.position;
        for one in part {
            if let Some(shown) = leaf::shown(&asked.view, &asked.reader, &one)? {
                found.push((one, shown));
            }
        }
        if found.len() > PAGE {
            break;
        }
    }
    found.truncate(PAGE + 1);
    Ok(found)
}

pub(super) fn draw_leaf(asked: &Asked, position: &str) -> Result<(Markup, Given), Error> {
    let (one, shown) = seen_at(asked, position)?;
    let leaf = &one.leaf;
    let mut whom = Lookup::new(asked);
    let mut given = Given::new();
    given.leaf(leaf.position, &shown.persons);
    let (about, others) = whom.about(&one, &shown)?;
    let mut shell = asked.shell();
    if let ([only], 0) = (about.as_slice(), others)
        && let Some(id) = &only.id
        && let Some(case) = left(Case::read(&asked.view, id))?
    {
        let things = case.things();
        let state = attention::state(&things, &Names::new(&asked.view), asked.moment());
        shell.banner = person::banner(&case, &things, &state, asked.moment());
    }
    // What was asked for, and which versions it gave out, may say of others.
    let told = one.told.as_ref().filter(|_| shown.is_whole);
    let some = |positions: &[u64]| positions.iter().take(LISTED_MAX).copied().collect();
    let positions = match (&one.told, &told) {
        (_, Some(told)) => some(&told.versions),
        (Some(told), None) => of_these(asked, &told.versions, &shown)?,
        (None, _) => Vec::new(),
    };
    let context = page_of_leaf::Context {
        position: leaf.position,
        at: RecordedAt(leaf.recorded_at.0),
        who: whom.actor(&leaf.actor),
        purpose: purpose(&leaf.purpose),
        what: what_was_asked(leaf, told.map(|told| told.address.as_str())),
        address: told.map(|told| told.address.clone()),
        about,
        others,
        size: leaf.size,
        whole: told.and_then(|told| told.whole),
        versions: leaf.versions,
        positions,
        leaves: told.map(|told| some(&told.leaves)).unwrap_or_default(),
        may_see: shell.as_of.is_none()
            && match own_record(&asked.who) {
                Some(_) => shown.is_whole,
                None => asked.who.oversees(),
            },
        line: leaf.line.clone(),
        receipt_name: name(leaf.position),
        shell,
    };
    Ok((page_of_leaf::page(&context), given))
}

/// Those of the versions that are about whom whoever looks may know of, and for them to read.
fn of_these(asked: &Asked, versions: &[u64], shown: &Shown) -> Result<Vec<u64>, Error> {
    let mut out = Vec::new();
    for position in versions {
        if out.len() == LISTED_MAX {
            break;
        }
        // What was erased is among the rest that the receipt lists.
        let version = left(asked.view.at(*position))?;
        if version.is_some_and(|one| one.about.is_some_and(|who| shown.persons.contains(&who))) {
            out.push(*position);
        }
    }
    Ok(out)
}

/// The leaf at a position, if it was there at the page's instant and is for whoever looks.
pub(super) fn at(asked: &Asked, position: &str) -> Result<Disclosed, Error> {
    seen_at(asked, position).map(|(one, _)| one)
}

/// The same, with what of it is for them.
fn seen_at(asked: &Asked, position: &str) -> Result<(Disclosed, Shown), Error> {
    let bound = bound(asked)?;
    let found = match position.parse::<u64>() {
        Ok(position) if position < bound => {
            let log = asked.programme.access();
            log.leaf(position).map_err(Error::ledger)?
        }
        _ => None,
    };
    let found = match found {
        Some(one) => leaf::shown(&asked.view, &asked.reader, &one)?.map(|shown| (one, shown)),
        None => None,
    };
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            if asked.view.is_now() {
                "The access log has no such leaf, or none that you may see."
            } else {
                "The access log had no such leaf at that instant, or none that you may see. Go back \
                 to now to see whether it came later."
            },
        )
    })
}

/// Where all leaves about a person are that were there at the page's instant, newest first, from an instant on.
pub(super) fn about_since(asked: &Asked, person: Alias, from: i64) -> Result<Vec<u64>, Error> {
    let log = asked.programme.access();
    let before = log.size_at(record::time::RecordedAt(from.saturating_sub(1)));
    let before = before.map_err(Error::ledger)?;
    let all = log.positions_about(person, bound(asked)?, usize::MAX);
    let mut all = all.map_err(Error::ledger)?;
    all.truncate(all.partition_point(|position| *position >= before));
    Ok(all)
}

/// Those leaves that are not held back from the person whom they tell of.
pub(super) fn not_held_back(asked: &Asked, id: &str, all: Vec<u64>) -> Result<Vec<u64>, Error> {
    let held = HeldBack::from(&asked.programme, id)?;
    if !held.is_any() {
        return Ok(all);
    }
    let log = asked.programme.access();
    let mut left = Vec::with_capacity(all.len());
    for position in all {
        let one = log.leaf(position).map_err(Error::ledger)?;
        if one.is_some_and(|one| !held.holds(&one)) {
            left.push(position);
        }
    }
    Ok(left)
}

/// How many leaves there were at the page's instant; of a page that is drawn again, before it.
pub(super) fn bound(asked: &Asked) -> Result<u64, Error> {
    let log = asked.programme.access();
    let size = match (&asked.again, asked.view.instant()) {
        (Some(again), _) if again.whole == asked.view.size() => return Ok(again.position),
        (_, Some(at)) => log.size_at(at),
        (_, None) => log.size(),
    };
    size.map_err(Error::ledger)
}

fn before(asked: &Asked) -> Option<u64> {
    asked.param("before")?.parse().ok()
}

fn earlier(address: &str, position: u64) -> String {
    path::with(address, &[("before", &position.to_string())])
}

fn name(position: u64) -> String {
    format!("disclosure-{position}.tlog-proof")
}

pub(super) fn row(whom: &mut Lookup<'_>, one: &Disclosed, shown: &Shown) -> Result<Row, Error> {
    let leaf = &one.leaf;
    let (about, others) = whom.about(one, shown)?;
    Ok(Row {
        position: leaf.position,
        at: RecordedAt(leaf.recorded_at.0),
        who: whom.actor(&leaf.actor),
        purpose: purpose(&leaf.purpose),
        what: what_was_asked(
            leaf,
            one.told
                .as_ref()
                .filter(|_| shown.is_whole)
                .map(|told| told.address.as_str()),
        ),
        versions: leaf.versions,
        about,
        others,
        earlier: one.told.as_ref().is_some_and(|told| told.whole.is_some()),
    })
}

/// Names of those who looked and of those who were looked at, each looked up once.
pub(super) struct Lookup<'a> {
    asked: &'a Asked,
    names: Names<'a>,
    users: Option<Vec<desk::User>>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(asked: &'a Asked) -> Lookup<'a> {
        Lookup {
            asked,
            names: Names::new(&asked.view),
            users: None,
        }
    }

    /// Who was answered, as people call them.
    pub(super) fn actor(&mut self, actor: &str) -> String {
        if let Some(name) = self.names.at(actor) {
            return name;
        }
        match actor.split_once('/') {
            Some(("client", client)) => format!("the program {client}"),
            Some(("user", id)) => {
                let users = self
                    .users
                    .get_or_insert_with(|| self.asked.programme.desk().users().unwrap_or_default());
                let user = users.iter().find(|user| user.id.to_string() == id);
                user.map_or_else(|| actor.to_owned(), |user| user.name.clone())
            }
            _ => actor.to_owned(),
        }
    }

    pub(super) fn about(&self, one: &Disclosed, shown: &Shown) -> Result<(Vec<About>, u64), Error> {
        let mut about = Vec::new();
        for person in shown.persons.iter().take(NAMED_MAX) {
            about.push(self.person(*person)?);
        }
        let total = match one.leaf.whom {
            Whom::Nobody => 0,
            Whom::One(_) => 1,
            Whom::Many(count) => count,
        };
        Ok((
            about,
            total.saturating_sub(shown.persons.len().min(NAMED_MAX) as u64),
        ))
    }

    fn person(&self, person: Alias) -> Result<About, Error> {
        Ok(match self.asked.programme.whose(person)? {
            Whose::Patient(id) => About {
                name: self
                    .names
                    .at(&format!("Patient/{id}"))
                    .unwrap_or_else(|| "(no name recorded)".to_owned()),
                id: Some(id),
            },
            Whose::Erased => About {
                name: "someone whose record was erased".to_owned(),
                id: None,
            },
            Whose::Nobody => About {
                name: "someone whom the record does not know".to_owned(),
                id: None,
            },
        })
    }
}

/// What a purpose is called.
pub(super) fn purpose(code: &str) -> String {
    match (Purpose::from_code(code), code) {
        (Some(purpose), _) => purpose.words().to_owned(),
        // Of entries and leaves from before purposes were judged.
        (None, "CAREMGT") => "care management".to_owned(),
        (None, "") => "not said".to_owned(),
        (None, other) => other.to_owned(),
    }
}

/// What was asked for, in words.
pub(super) fn what_was_asked(leaf: &Leaf, address: Option<&str>) -> String {
    let Some(address) = address else {
        return match leaf.what {
            What::Page => "a page",
            What::Seen => "what somebody had been shown",
            What::Receipt => "a receipt",
            What::Search => "a search",
            What::History => "the versions of a resource",
            What::Bundle => "a bundle of requests",
            What::Export => "an export",
            What::Read | What::Version | What::Found => "a resource",
        }
        .to_owned();
    };
    let path = address.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["caseload"] => "the caseload".to_owned(),
        ["find"] => "a search for people".to_owned(),
        ["record"] => "about this record".to_owned(),
        ["people", _] => "the person on one screen".to_owned(),
        ["people", _, "timelines"] => "the two timelines".to_owned(),
        ["people", _, "export"] => "everything about the person, as a file".to_owned(),
        ["people", _, "access"] => "who looked at this person".to_owned(),
        ["people", _, "accounting" | "accounting.csv"] => "who was told of this person".to_owned(),
        ["people", _, "consents", ..] if leaf.what == What::Export => {
            "what a release covers".to_owned()
        }
        ["people", _, "consents", ..] => "what the person consented to".to_owned(),
        ["people", _, "disputes"] | ["disputes", _] => "what the person disputes".to_owned(),
        ["entries", position, "dispute"] => format!("entry {position}, to dispute it"),
        ["me"] => "their own page".to_owned(),
        ["people", _, "break-glass"] => "the form that opens a closed record".to_owned(),
        ["warrants"] => "all warrants".to_owned(),
        ["warrants", _] => "a warrant".to_owned(),
        ["warrants", _, "paper"] => "the paper of a warrant".to_owned(),
        ["inspection"] => "an inspector's warrants".to_owned(),
        ["break-glass"] => "records that were opened".to_owned(),
        ["break-glass", _] => "how a record was opened".to_owned(),
        ["cover"] => "who covers for whom".to_owned(),
        ["figures"] => "sums over everybody".to_owned(),
        ["entries", position] => format!("entry {position}"),
        ["entries", position, "receipt"] => format!("the receipt of entry {position}"),
        ["access"] => "who looked at anybody".to_owned(),
        ["access", position] => format!("leaf {position} of the access log"),
        ["access", position, "receipt"] => format!("the receipt of leaf {position}"),
        ["access", position, "seen"] => format!("what leaf {position} had shown"),
        ["fhir"] | ["fhir", ""] => "a bundle of requests".to_owned(),
        ["fhir", kind] => match leaf.what {
            What::Found => format!("one {kind} that matched"),
            _ => format!("a search among {kind}"),
        },
        ["fhir", kind, id] => format!("{kind}/{id}"),
        ["fhir", kind, id, "_history"] => format!("all versions of {kind}/{id}"),
        ["fhir", kind, id, "_history", version] => format!("version {version} of {kind}/{id}"),
        ["fhir", kind, id, .., "$receipt"] => format!("the receipt of {kind}/{id}"),
        _ => path.to_owned(),
    }
}
