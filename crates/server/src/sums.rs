//! Sums over everybody in a programme, for those who may know nobody in it: by whole months, and with
//! every count left out that the rules of `casework::suppression` leave out.
//!
//! A month is counted once and for all as it was recorded when it ended, and always in the same tables:
//! whoever looks later, or at another month, is shown the same numbers with the same ones left out. If
//! each look had its own, what one leaves out could be read from another.
//!
//! | table | rows | columns | counts |
//! |---|---|---|---|
//! | reach | the stage at the end of the month, and all | reached in the month, not reached, all | people in the programme at its end |
//! | change | the one instrument | better, no reliable change, worse, all | people with two scores or more by then |

use std::collections::{BTreeMap, BTreeSet, HashMap};

use casework::suppression::{Cell, Table};
use instruments::{Instrument, Verdict};
use record::json::{Doc, Value};
use record::search::parse_criteria;
use record::time::RecordedAt;

use crate::case::{Case, scores, words};
use crate::error::Error;
use crate::programme::{AsOf, Programme, Search, Version, View};
use crate::web::when;

/// How many resources are read at a time.
const PAGE: usize = 1_000;

/// What stands for a stage that is not recorded.
const NO_STAGE: &str = "Not recorded";

/// One month, counted.
#[derive(Clone, Debug)]
pub struct Month {
    /// The first moment after it.
    pub until: i64,
    /// The stages, in order of their names; the rows of `reach` before its last.
    pub stages: Vec<String>,
    /// People by stage, and whether they were reached.
    pub reach: Vec<Vec<Cell>>,
    /// How much of `reach` is left out.
    pub reach_left_out: u64,
}

/// How scores stood at the end of a month.
#[derive(Clone, Debug)]
pub struct Change {
    /// Each instrument with its one row.
    pub rows: Vec<(&'static str, Vec<Cell>)>,
    /// How many numbers are left out.
    pub left_out: u64,
}

/// The beginning of the month that a moment lies in: everything before it is whole months.
pub fn whole_months_before(moment: i64) -> i64 {
    let at = when::civil(moment);
    when::at_day(at.year, at.month, 1)
}

/// The beginning of the month before one.
pub fn month_before(until: i64) -> i64 {
    let at = when::civil(until);
    when::at_day(at.year, at.month - 1, 1)
}

/// Counts the month that ends at `until`, as it was recorded then.
pub fn month(programme: &Programme, until: i64) -> Result<Month, Error> {
    let view = programme.view(AsOf::Instant(RecordedAt(until - 1)));
    let standing = standing(&view, until)?;
    let reached = reached(&view, month_before(until), until)?;
    let mut stages: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (person, stage) in &standing {
        let column = usize::from(!reached.contains(person));
        stages.entry(stage).or_default()[column] += 1;
    }
    let rows: Vec<Vec<u64>> = stages.values().map(|counts| counts.to_vec()).collect();
    let table = Table::of(&rows);
    Ok(Month {
        until,
        stages: stages.into_keys().map(str::to_owned).collect(),
        reach: match rows.is_empty() {
            true => Vec::new(),
            false => table.cells().collect(),
        },
        reach_left_out: match rows.is_empty() {
            true => 0,
            false => table.left_out() as u64,
        },
    })
}

/// Everybody who was in the programme at an instant, with their stage.
fn standing(view: &View, until: i64) -> Result<HashMap<String, String>, Error> {
    let mut latest: HashMap<String, (i64, Option<String>)> = HashMap::new();
    each(view, "EpisodeOfCare", &[], |version, episode| {
        let Some(person) = version.person() else {
            return;
        };
        let period = |key: &str| {
            let text = episode.str_at(&["period", key])?;
            record::time::parse_interval(text)
        };
        let start = period("start").map_or(i64::MIN, |start| start.start);
        let within = start < until && period("end").is_none_or(|end| end.end >= until);
        let is_open = matches!(
            episode.str_at(&["status"]),
            Some("active" | "onhold" | "planned" | "waitlist")
        );
        let stage = (is_open && within)
            .then(|| words::concept(episode.get("type")).unwrap_or_else(|| NO_STAGE.to_owned()));
        let known = latest.get(&person);
        if known.is_none_or(|(before, _)| *before <= start) {
            latest.insert(person, (start, stage));
        }
    })?;
    Ok(latest
        .into_iter()
        .filter_map(|(person, (_, stage))| Some((person, stage?)))
        .collect())
}

/// Everybody who was met or spoken with in a time.
fn reached(view: &View, from: i64, until: i64) -> Result<BTreeSet<String>, Error> {
    let params = [
        ("status", "finished".to_owned()),
        ("date", format!("ge{}", RecordedAt(from))),
        ("date", format!("lt{}", RecordedAt(until))),
    ];
    let mut reached = BTreeSet::new();
    each(view, "Encounter", &params, |version, encounter| {
        // The search knows intervals; what counts is when it began.
        let began = record::happened::happened(encounter).map(|at| at.start);
        if began.is_some_and(|began| (from..until).contains(&began)) {
            reached.extend(version.person());
        }
    })?;
    Ok(reached)
}

/// Calls `tell` with the standing version of everything that a search finds.
fn each(
    view: &View,
    kind: &'static str,
    params: &[(&str, String)],
    mut tell: impl FnMut(&Version, Value<'_>),
) -> Result<(), Error> {
    let params: Vec<(String, String)> = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let (criteria, _) = parse_criteria(kind, &params, "");
    let mut after = None;
    loop {
        let page = view.search(&Search {
            criteria: &criteria,
            count: PAGE,
            after,
            total: false,
        })?;
        for version in &page.hits {
            if let Ok(doc) = Doc::parse(&version.stored) {
                tell(version, doc.root());
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// For each instrument that anybody has two scores of: how the latest stood to the first when the month
/// ended.
pub fn change(programme: &Programme, until: i64) -> Result<Change, Error> {
    let view = programme.view(AsOf::Instant(RecordedAt(until - 1)));
    let persons = standing(&view, until)?.into_keys();
    let all = instruments::all();
    let mut counts = vec![[0u64; 3]; all.len()];
    for person in persons {
        let Some(case) = Case::read(&view, &person)? else {
            continue;
        };
        let things = case.things();
        for (instrument, counts) in all.iter().zip(&mut counts) {
            if let Some(column) = column_of(&things, instrument, until) {
                counts[column] += 1;
            }
        }
    }
    let mut rows = Vec::new();
    let mut left_out = 0;
    for (instrument, counts) in all.iter().zip(counts) {
        if counts.iter().sum::<u64>() == 0 {
            continue;
        }
        let table = Table::of(&[counts.to_vec()]);
        let row: Vec<Cell> = table.cells().next().unwrap_or_default();
        left_out += row.iter().filter(|cell| **cell == Cell::LeftOut).count() as u64;
        rows.push((instrument.name, row));
    }
    Ok(Change { rows, left_out })
}

/// Which column a person counts in: better, no reliable change, worse.
fn column_of(
    things: &[crate::case::Thing<'_>],
    instrument: &'static Instrument,
    until: i64,
) -> Option<usize> {
    let scale = instrument.total();
    let rule = instrument.rules_for(scale.key).next()?;
    let mut dated = scores::of_scale(things, instrument, scale);
    dated.retain(|score| score.happened.start < until);
    let (first, last) = (dated.first()?, dated.last()?);
    if dated.len() < 2 {
        return None;
    }
    let change = rule.judge(instrument.direction, first.score.value, last.score.value);
    Some(match change.verdict {
        Verdict::Recovered | Verdict::Better(_) => 0,
        Verdict::NoChange | Verdict::NotApplicable => 1,
        Verdict::Worse(_) => 2,
    })
}
