//! The caseload: one's own people, those who need something first; for officers everyone, by name.

use std::cmp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::response::Response;
use casework::attention::{Rule, Severity, Standing};
use casework::break_glass::ROLES;
use maud::Markup;
use policy::{Action, Facts, Kind, Purpose, Role};
use record::search::parse_criteria;
use record::sensitivity::{self, Tells};

use super::{Asked, away, person};
use crate::case::attention::{State, state};
use crate::case::{Case, Names, Telling, events, of_kind, scores, words};
use crate::error::Error;
use crate::permit::{self, Thing};
use crate::programme::{Search, Version, View};
use crate::release::Given;
use crate::web::caseload::{Choice, Context, Need, NextContact, Row, Trend, page};
use crate::web::path;

/// Above so many people a list is in the order of names, a page at a time: to order by attention
/// everyone's case must be read.
const ORDERED_MAX: usize = 250;

/// How many people are on a page of such a list.
const PAGE: usize = 60;

pub async fn get(Extension(known): Extension<Arc<Known>>, asked: Asked) -> Result<Response, Error> {
    away(move || {
        let (markup, given) = draw(&asked, &known)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

pub(super) fn draw(asked: &Asked, known: &Known) -> Result<(Markup, Given), Error> {
    let context = context(asked, known)?;
    let mut given = Given::new();
    for row in &context.people {
        given.person(asked.programme.ledger().person(&row.id));
    }
    Ok((page(&context), given))
}

/// Whose row it is, and for whom: what is so of the person for them decides what they see of it, under
/// the policy of a generation.
type Key = (String, String, Purpose, Facts, u64);

/// What was worked out of the people on caseloads, kept while nothing new is recorded about them
/// and the hour lasts: the sentences count in hours and days. Whoever has consented to something or refused
/// it is worked out each time: what a consent opens depends on the moment.
#[derive(Default)]
pub struct Known {
    people: Mutex<HashMap<Key, (u64, i64, Placed)>>,
    /// How many erasures there had been: after another one, all of it goes.
    erasures: AtomicU64,
}

/// How many people are kept; beyond that it begins anew.
const KNOWN_MAX: usize = 5_000;

impl Known {
    /// The person as of now, worked out or remembered.
    fn placed(
        &self,
        asked: &Asked,
        id: &str,
        names: &Names<'_>,
        mine: Option<&str>,
    ) -> Result<Option<Placed>, Error> {
        let lock = || self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let erasures = asked.programme.erasures();
        if self.erasures.swap(erasures, Ordering::AcqRel) != erasures {
            lock().clear();
        }
        let head = asked
            .programme
            .ledger()
            .chain_head(id)
            .map_err(Error::ledger)?;
        let Some(head) = head.filter(|_| asked.view.is_now()) else {
            return Ok(placed(asked, id, names)?.map(|one| one.seen_by(mine)));
        };
        let policy = asked.view.policy_generation();
        let alias = asked.view.alias(id);
        if !asked.view.related(alias)?.consents.is_empty() {
            return Ok(placed(asked, id, names)?.map(|one| one.seen_by(mine)));
        }
        let hour = asked.moment().div_euclid(casework::HOUR);
        let reader = &asked.reader;
        let facts = asked.view.facts(reader, alias)?;
        let key = (
            id.to_owned(),
            reader.who().name.clone(),
            reader.purpose(),
            facts,
            policy,
        );
        let kept = lock()
            .get(&key)
            .filter(|kept| (kept.0, kept.1) == (head, hour))
            .cloned();
        if let Some((_, _, one)) = kept {
            return Ok(Some(one.seen_by(mine)));
        }
        let Some(one) = placed(asked, id, names)? else {
            return Ok(None);
        };
        let mut kept = lock();
        if kept.len() >= KNOWN_MAX {
            kept.clear();
        }
        kept.insert(key, (head, hour, one.clone()));
        Ok(Some(one.seen_by(mine)))
    }
}

/// One person, and what decides their place.
#[derive(Clone)]
struct Placed {
    row: Row,
    standing: Standing,
    /// Reference and name of whose case it is.
    caseworker: Option<(String, String)>,
    mine: bool,
    next: i64,
}

impl Placed {
    /// The same for one reader: on somebody else's case it says whose it is.
    fn seen_by(mut self, mine: Option<&str>) -> Placed {
        if let Some((reference, name)) = &self.caseworker {
            self.mine = mine == Some(reference.as_str());
            if !self.mine {
                self.row.stage = format!("{}, {name}", self.row.stage);
            }
        }
        self
    }
}

fn context(asked: &Asked, known: &Known) -> Result<Context, Error> {
    let mine = asked
        .whose()
        .user
        .practitioner
        .as_ref()
        .map(|id| format!("Practitioner/{id}"));
    let eyes = asked.eyes()?;
    let is_officer = eyes.role == Role::Officer;
    let whose = match asked.param("whose") {
        _ if is_officer => "everyone",
        Some("unowned") if eyes.role != Role::Evaluator => "unowned",
        _ => "mine",
    };
    let given = asked.param("order");
    let says_needs = cares(eyes.role);
    let orders: &[_] = match says_needs {
        true => &[
            ("Needs attention first", "attention"),
            ("By name", "name"),
            ("By next contact", "next"),
        ],
        false => &[("By name", "name"), ("By next contact", "next")],
    };
    let order = orders.iter().find(|(_, key)| given == Some(*key));
    let order = order.or(orders.first()).map_or("name", |(_, key)| *key);
    let ids = match whose {
        "mine" => permit::people::own(&asked.view, &eyes, asked.reader.now())?,
        "unowned" => unowned(asked, everyone(&asked.view)?)?,
        _ => everyone(&asked.view)?,
    };
    let total = ids.len();
    let names = Names::new(&asked.view);
    // What is in the records is not for officers, so nothing of it can order them.
    let by_name_only = is_officer || total > ORDERED_MAX;
    let page_number: usize = asked
        .param("page")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let ids: Vec<String> = if by_name_only {
        ids.into_iter()
            .skip(page_number.saturating_mul(PAGE))
            .take(PAGE)
            .collect()
    } else {
        ids
    };
    let mut rows = Vec::with_capacity(ids.len());
    for id in &ids {
        if let Some(one) = known.placed(asked, id, &names, mine.as_deref())? {
            rows.push(one);
        }
    }
    mark_covered(asked, &mut rows)?;
    match (by_name_only, order) {
        (true, _) => {}
        (false, "name") => rows.sort_by(by_name),
        (false, "next") => rows.sort_by(|a, b| a.next.cmp(&b.next).then(by_name(a, b))),
        (false, _) => rows.sort_by(|a, b| a.standing.cmp(&b.standing).then(by_name(a, b))),
    }
    let shown = if by_name_only { total } else { rows.len() };
    let address = |whose: &str, order: &str| {
        path::with(path::CASELOAD, &[("whose", whose), ("order", order)])
    };
    let supervises = eyes.role == Role::Supervisor;
    let unowned_too = ("Without a caseworker", "unowned");
    let choices = match eyes.role {
        Role::Caseworker | Role::Prescriber => vec![("Mine", "mine"), unowned_too],
        Role::Supervisor => vec![("My staff\u{2019}s", "mine"), unowned_too],
        _ => Vec::new(),
    };
    Ok(Context {
        title: match whose {
            "mine" if supervises => "My staff\u{2019}s caseload".to_owned(),
            "mine" if eyes.role == Role::Evaluator => "People referred to me".to_owned(),
            "mine" => "My caseload".to_owned(),
            "unowned" => "People without a caseworker".to_owned(),
            _ => "Everyone in the record".to_owned(),
        },
        shown: choices
            .into_iter()
            .map(|(words, key)| Choice {
                words: words.to_owned(),
                address: address(key, order),
                current: key == whose,
            })
            .collect(),
        orders: if by_name_only {
            Vec::new()
        } else {
            orders
                .iter()
                .map(|(words, key)| Choice {
                    words: (*words).to_owned(),
                    address: address(whose, key),
                    current: *key == order,
                })
                .collect()
        },
        says_needs,
        parted: !by_name_only && order == "attention",
        total: shown as u64,
        more: (by_name_only && page_number.saturating_add(1).saturating_mul(PAGE) < total).then(
            || {
                let next = (page_number + 1).to_string();
                path::with(
                    path::CASELOAD,
                    &[("whose", whose), ("order", order), ("page", &next)],
                )
            },
        ),
        people: rows.into_iter().map(|one| one.row).collect(),
        reviews: reviews(asked)?,
        shell: asked.shell(),
    })
}

/// Says of whom whoever looks covers for, and until when.
fn mark_covered(asked: &Asked, rows: &mut [Placed]) -> Result<(), Error> {
    let (standing, names) = (asked.programme.standing()?, &asked.reader.who().names);
    if standing.covered_by(names, asked.moment()).next().is_none() {
        return Ok(());
    }
    for one in rows.iter_mut().filter(|one| !one.mine) {
        let Some((owner, name)) = &one.caseworker else {
            continue;
        };
        let person = asked.view.alias(&one.row.id).to_string();
        let covers = standing.covers(names, owner, &person, asked.moment());
        one.row.cover = covers.map(|(_, cover)| (name.clone(), cover.end()));
    }
    Ok(())
}

/// Opened records that wait for a review by whoever looks, and how many of them are overdue.
fn reviews(asked: &Asked) -> Result<(u64, u64), Error> {
    if !matches!(asked.reader.who().role, Role::Supervisor | Role::Officer) {
        return Ok((0, 0));
    }
    let (mut waiting, mut overdue) = (0, 0);
    let moment = asked.moment();
    for found in crate::break_glass::all(&asked.unbound(), None)? {
        let broken = &found.broken;
        if broken.review.is_some() || broken.lasts(moment) {
            continue;
        }
        if crate::break_glass::supervises(&asked.programme, &asked.whose().user, &broken.reader)? {
            waiting += 1;
            overdue += u64::from(broken.is_overdue(moment));
        }
    }
    Ok((waiting, overdue))
}

fn by_name(one: &Placed, other: &Placed) -> cmp::Ordering {
    one.row
        .name
        .to_lowercase()
        .cmp(&other.row.name.to_lowercase())
}

/// Everyone whom the reader may know, in the order of names.
fn everyone(view: &View) -> Result<Vec<String>, Error> {
    let (criteria, _) = parse_criteria("Patient", &[("_sort".to_owned(), "family".to_owned())], "");
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = view.search(&Search {
            criteria: &criteria,
            count: 1_000,
            after,
            total: false,
        })?;
        ids.extend(page.hits.iter().filter_map(Version::person));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(ids),
        }
    }
}

/// Those of them who are nobody's case yet.
fn unowned(asked: &Asked, ids: Vec<String>) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for id in ids {
        let facts = asked.view.facts(&asked.reader, asked.view.alias(&id))?;
        if facts.newcomer {
            found.push(id);
        }
    }
    Ok(found)
}

fn placed(asked: &Asked, id: &str, names: &Names<'_>) -> Result<Option<Placed>, Error> {
    let Some(case) = Case::read(&asked.view, id)? else {
        return Ok(None);
    };
    let things = case.things();
    let Some(patient) = of_kind(&things, "Patient").next() else {
        return Ok(None);
    };
    let moment = asked.moment();
    let mut state = state(&things, names, moment);
    let person = asked.view.alias(id);
    // Whoever does not care for them owes them nothing, and what is not for the reader is not said to be missing.
    if !cares(asked.reader.who().role) {
        state.findings.clear();
    } else if !asked
        .decide(Action::Read, &Thing::about(person, Kind::Notes))?
        .allowed
    {
        state
            .findings
            .retain(|finding| !matches!(finding.rule, Rule::NoteOwed | Rule::NotesLate));
    }
    let sees_schedule = asked
        .decide(Action::Read, &Thing::about(person, Kind::Schedule))?
        .allowed;
    let shows = case
        .kinds()
        .any(|kind| sensitivity::tells(kind) == Tells::Schedule);
    if !sees_schedule && !shows {
        // What is not for the reader is not said to be missing.
        return Ok(Some(known_only(patient, &case)));
    }
    let conflicts = events::events(&things).conflicts.len();
    let row = Row {
        id: case.patient.clone(),
        name: name(patient),
        number: person::number(patient).unwrap_or_default(),
        stage: stage(&state),
        cover: None,
        needs: needs(&state),
        outside: !state.in_programme,
        next: state.next.as_ref().map(|next| NextContact {
            at: next.at,
            how: next.how.clone(),
        }),
        last: state.last.clone(),
        trend: trend(&things),
        oddities: match conflicts {
            0 => Vec::new(),
            1 => vec!["1 conflict in the record".to_owned()],
            count => vec![format!("{count} conflicts in the record")],
        },
        is_closed: false,
    };
    let next = state.next.as_ref().map(|next| next.at);
    Ok(Some(Placed {
        row,
        standing: Standing::of(&state.findings, next),
        mine: false,
        caseworker: state.caseworker.clone(),
        next: next.unwrap_or(i64::MAX),
    }))
}

/// Whether people are owed something by this role: to the others nothing is said of it, not that nothing is owed either.
fn cares(role: Role) -> bool {
    ROLES.contains(&role.as_str())
}

/// Somebody of whom the reader may know no more than that they are here.
fn known_only(patient: &Telling<'_>, case: &Case) -> Placed {
    Placed {
        row: Row {
            id: case.patient.clone(),
            name: name(patient),
            number: person::number(patient).unwrap_or_default(),
            stage: String::new(),
            cover: None,
            needs: Vec::new(),
            outside: false,
            next: None,
            last: None,
            trend: None,
            oddities: Vec::new(),
            is_closed: true,
        },
        standing: Standing::of(&[], None),
        mine: false,
        caseworker: None,
        next: i64::MAX,
    }
}

fn name(patient: &Telling<'_>) -> String {
    words::name(patient.resource()).unwrap_or_else(|| "(no name recorded)".to_owned())
}

fn stage(state: &State) -> String {
    match (&state.stage, state.in_programme) {
        (Some(stage), true) => stage.clone(),
        (Some(_), false) => "Left the programme".to_owned(),
        (None, _) => "Not in the programme".to_owned(),
    }
}

fn needs(state: &State) -> Vec<Need> {
    state
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Watch)
        .map(|finding| Need {
            words: finding.sentence.clone(),
            overdue: finding.severity >= Severity::Overdue,
        })
        .collect()
}

/// The first instrument that was ever used with the person.
fn trend(things: &[crate::case::Thing<'_>]) -> Option<Trend> {
    instruments::all().iter().find_map(|instrument| {
        let scale = instrument.total();
        let dated = scores::of_scale(things, instrument, scale);
        let (first, last) = (dated.first()?, dated.last()?);
        let change = instrument
            .rules_for(scale.key)
            .next()
            .filter(|_| dated.len() > 1)
            .map(|rule| {
                rule.judge(instrument.direction, first.score.value, last.score.value)
                    .sentence()
            });
        Some(Trend {
            instrument: instrument.name.to_owned(),
            latest: last.score.written.clone(),
            points: dated
                .iter()
                .map(|dated| (dated.happened.start, f64::from(dated.score.value)))
                .collect(),
            scale: (0.0, f64::from(scale.max)),
            change,
        })
    })
}
