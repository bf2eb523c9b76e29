//! What whoever pays may see: sums, as of the last whole month.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::response::Response;
use casework::suppression::Cell;
use policy::{Action, Kind, Purpose};

use super::{Asked, away};
use crate::error::{Error, ErrorKind};
use crate::permit::Thing;
use crate::release::Given;
use crate::sums::{self, Change, Month, month_before, whole_months_before};
use crate::web::figures::{Context, Table, page};
use crate::web::when;

/// How many months are shown, the last one included.
const MONTHS: usize = 6;

/// Who may see sums: whoever pays, and those who answer for the programme.
const ROLES: [&str; 3] = ["sponsor", "supervisor", "officer"];

/// What sums are for.
const SUMMED_FOR: [Purpose; 3] = [Purpose::Operations, Purpose::Payment, Purpose::Research];

/// Months that were counted: they do not change, unless somebody's record is erased.
#[derive(Default)]
pub struct Counted {
    months: Mutex<HashMap<Key, Arc<Month>>>,
    changes: Mutex<HashMap<Key, Arc<Change>>>,
}

/// The end of a month, and how many erasures there had been.
type Key = (i64, u64);

/// How many months are kept; beyond that it begins anew.
const COUNTED_MAX: usize = 120;

impl Counted {
    fn month(&self, asked: &Asked, until: i64) -> Result<Arc<Month>, Error> {
        let key = (until, asked.programme.erasures());
        kept(&self.months, key, || sums::month(&asked.programme, until))
    }

    fn change(&self, asked: &Asked, until: i64) -> Result<Arc<Change>, Error> {
        let key = (until, asked.programme.erasures());
        kept(&self.changes, key, || sums::change(&asked.programme, until))
    }
}

/// What is kept under a key, counted first if it is not.
fn kept<T>(
    all: &Mutex<HashMap<Key, Arc<T>>>,
    key: Key,
    count: impl FnOnce() -> Result<T, Error>,
) -> Result<Arc<T>, Error> {
    let lock = || all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(one) = lock().get(&key) {
        return Ok(one.clone());
    }
    let one = Arc::new(count()?);
    let mut all = lock();
    if all.len() >= COUNTED_MAX {
        all.clear();
    }
    all.insert(key, one.clone());
    Ok(one)
}

/// `GET /figures`
pub async fn get(
    Extension(counted): Extension<Arc<Counted>>,
    asked: Asked,
) -> Result<Response, Error> {
    if !ROLES.contains(&asked.who.user.role.as_str()) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "The figures are for whoever pays for the programme, its supervisors and its officers.",
        ));
    }
    away(move || {
        // Sums are for running the programme, unless one of the other purposes that they are for was chosen.
        let asked = match SUMMED_FOR.contains(&asked.reader.purpose()) {
            true => asked,
            false => asked.read_for(Purpose::Operations)?,
        };
        asked.must(Action::Read, &Thing::of(Kind::Aggregate))?;
        let context = context(&asked, &counted)?;
        Ok(asked.answer(page(&context), Given::new()))
    })
    .await
}

fn context(asked: &Asked, counted: &Counted) -> Result<Context, Error> {
    let until = whole_months_before(asked.moment());
    let mut months = Vec::with_capacity(MONTHS);
    let mut at = until;
    for _ in 0..MONTHS {
        months.push(counted.month(asked, at)?);
        at = month_before(at);
    }
    let last = months[0].clone();
    Ok(Context {
        shell: asked.shell(),
        until,
        tables: vec![
            reach(&last),
            course(&months),
            change(&*counted.change(asked, until)?),
        ],
    })
}

fn reach(month: &Month) -> Table {
    let names = month.stages.iter().cloned().chain(["All".to_owned()]);
    Table {
        title: "People by stage, and whether they were reached".to_owned(),
        about:
            "Everybody who was in the programme at the end of the month. Reached: met or spoken \
                with at least once in the month."
                .to_owned(),
        row_head: "Stage".to_owned(),
        columns: ["Reached", "Not reached", "All"]
            .map(str::to_owned)
            .to_vec(),
        rows: names.zip(month.reach.iter().cloned()).collect(),
        left_out: month.reach_left_out,
    }
}

/// The months' own tables, each by its row of totals and its column of totals, as they were shown for
/// that month: nothing is counted or left out anew.
fn course(months: &[Arc<Month>]) -> Table {
    let mut stages: Vec<&String> = months.iter().flat_map(|month| &month.stages).collect();
    stages.sort();
    stages.dedup();
    let mut left_out = 0;
    let rows = months.iter().map(|month| {
        let total = |row: Option<&Vec<Cell>>| row.and_then(|row| row.last().copied());
        let mut cells: Vec<Cell> = stages
            .iter()
            .map(|stage| {
                let place = month.stages.iter().position(|one| one == *stage);
                let cell = total(place.and_then(|place| month.reach.get(place)));
                cell.unwrap_or(Cell::Count(0))
            })
            .collect();
        let all = month.reach.last();
        cells.push(total(all).unwrap_or(Cell::Count(0)));
        let reached = all.and_then(|row| row.first().copied());
        cells.push(reached.unwrap_or(Cell::Count(0)));
        left_out += cells.iter().filter(|cell| **cell == Cell::LeftOut).count() as u64;
        (when::month(month.until - 1), cells)
    });
    let rows = rows.collect();
    Table {
        title: "Month by month".to_owned(),
        about:
            "Of each month the totals as they were recorded when it ended, with the same numbers \
                left out as then."
                .to_owned(),
        row_head: "At the end of".to_owned(),
        columns: stages
            .into_iter()
            .cloned()
            .chain(["All".to_owned(), "Reached".to_owned()])
            .collect(),
        rows,
        left_out,
    }
}

fn change(change: &Change) -> Table {
    Table {
        title: "How scores changed".to_owned(),
        about: "Of those who were in the programme at the end of the month and have two scores or \
                more: the latest against the first, by the first rule that the instrument has for it."
            .to_owned(),
        row_head: "Instrument".to_owned(),
        columns: ["Better", "No reliable change", "Worse", "All"]
            .map(str::to_owned)
            .to_vec(),
        rows: change
            .rows
            .iter()
            .map(|(name, cells)| ((*name).to_owned(), cells.clone()))
            .collect(),
        left_out: change.left_out,
    }
}
