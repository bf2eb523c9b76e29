//! The two timelines of a person.

use axum::extract::Path;
use axum::response::Response;
use maud::Markup;

use super::{Asked, away, person};
use crate::case::{Names, attention, events};
use crate::error::{Error, ErrorKind};
use crate::release::Given;
use crate::web::timelines::{Context, Span, page};
use crate::web::{path, when};

/// The page always holds everything that is recorded now; `_asof` moves its square frame only.
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (markup, given) = draw(&asked, &id)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

pub(super) fn draw(answered: &Asked, id: &str) -> Result<(Markup, Given), Error> {
    let as_of = answered
        .as_known()
        .filter(|_| answered.again.is_none() || answered.param(path::AS_OF).is_some());
    let asked = answered.in_whole();
    let case = person::case(&asked, id)?;
    let things = case.things();
    let now = asked.now();
    let state = attention::state(&things, &Names::new(&asked.view), now);
    let mut shell = asked.shell();
    shell.banner = person::banner(&case, &things, &state, now);
    super::erasures::mark(&asked, &mut shell)?;
    let found = events::events(&things);
    let whole = whole(&found.events, now);
    let window = match (day(&asked, "from")?, day(&asked, "to")?) {
        (None, None) => usual(&found.events, whole, now),
        (from, to) => {
            let (from, to) = (
                from.unwrap_or(whole.0),
                to.map_or(whole.1, |to| to + when::DAY),
            );
            if from < to { (from, to) } else { whole }
        }
    };
    let mut given = person::given(&asked, &case);
    let context = Context {
        disputed: super::disputes::rows(&asked, id, &mut given)?,
        as_of,
        spans: spans(&asked, whole, now),
        window,
        events: found.events,
        conflicts: found.conflicts,
        shell,
    };
    Ok((page(&context), given))
}

fn day(asked: &Asked, name: &str) -> Result<Option<i64>, Error> {
    let Some(text) = asked.param(name) else {
        return Ok(None);
    };
    match record::time::parse_interval(text).filter(|_| record::time::is_date(text)) {
        Some(at) => Ok(Some(at.start)),
        None => Err(Error::new(
            ErrorKind::Malformed,
            format!("`{name}` is not a day. Write it like 2026-05-31."),
        )),
    }
}

/// How far ahead of now what is planned is drawn.
const AHEAD: i64 = 45 * when::DAY;

type Window = (i64, i64);

/// From the first event that has a date to now, with a margin.
fn whole(events: &[crate::chart::event::Event], now: i64) -> Window {
    let first = events
        .iter()
        .flat_map(|event| {
            event
                .happened()
                .map(|at| at.start)
                .into_iter()
                .chain([event.first.recorded_at.0])
        })
        .filter(|start| *start > i64::MIN / 2)
        .min()
        .unwrap_or(now - 365 * when::DAY);
    let last = events
        .iter()
        .filter_map(|event| event.happened())
        .map(|at| at.start)
        .filter(|start| *start < now + AHEAD)
        .max()
        .unwrap_or(now)
        .max(now);
    let margin = ((last - first) / 40).clamp(when::DAY, 14 * when::DAY);
    (first - margin, last + margin)
}

/// What one usually wants to see: the time in which the record was written, and a little before;
/// a history of decades would press everything else to the edge.
fn usual(events: &[crate::chart::event::Event], whole: Window, now: i64) -> Window {
    let recorded = events
        .iter()
        .map(|event| event.first.recorded_at.0)
        .min()
        .unwrap_or(now);
    let margin = ((now - recorded) / 30).max(7 * when::DAY);
    if recorded > now - 2 * when::DAY {
        // All of it was recorded just now, as after an import: show what it tells of.
        return whole;
    }
    ((recorded - margin).max(whole.0), whole.1)
}

fn spans(asked: &Asked, whole: Window, now: i64) -> Vec<Span> {
    let chosen = (
        asked.param("from").map(str::to_owned),
        asked.param("to").map(str::to_owned),
    );
    let today = when::iso_day(now);
    let mut spans = vec![Span {
        words: "Time in the programme".to_owned(),
        parameters: None,
        current: chosen == (None, None),
    }];
    let choices = [
        ("Everything", whole.0),
        ("12 months", now - 365 * when::DAY),
        ("3 months", now - 91 * when::DAY),
    ];
    for (words, from) in choices {
        let parameters = (when::iso_day(from), today.clone());
        spans.push(Span {
            words: words.to_owned(),
            current: chosen == (Some(parameters.0.clone()), Some(parameters.1.clone())),
            parameters: Some(parameters),
        });
    }
    spans
}
