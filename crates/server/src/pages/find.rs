//! Finding a person by name, number or date of birth.

use std::collections::HashSet;

use axum::response::Response;
use ledger::Alias;
use maud::Markup;
use policy::{Action, Kind};
use record::search::parse_criteria;

use super::{Asked, away, person};
use crate::case::{Case, Names, attention, of_kind, words};
use crate::error::Error;
use crate::permit::{self, Thing};
use crate::programme::{Search, Version, View};
use crate::release::Given;
use crate::web::find::{Context, Found, page};
use crate::web::when;

/// How many people are shown.
const SHOWN_MAX: usize = 25;

pub async fn get(asked: Asked) -> Result<Response, Error> {
    away(move || {
        let (markup, given) = draw(&asked)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

pub(super) fn draw(asked: &Asked) -> Result<(Markup, Given), Error> {
    let query = asked.param("q").unwrap_or_default().trim().to_owned();
    let mut people = Vec::new();
    let mut given = Given::new();
    let names = Names::new(&asked.view);
    let moment = asked.moment();
    for version in search(&asked.view, &query)? {
        given.person(asked.programme.ledger().person(&version.id));
        let Some(case) = Case::read(&asked.view, &version.id)? else {
            continue;
        };
        let things = case.things();
        let Some(patient) = of_kind(&things, "Patient").next() else {
            continue;
        };
        let state = attention::state(&things, &names, moment);
        let person = asked.view.alias(&version.id);
        let schedule = asked.decide(Action::Read, &Thing::about(person, Kind::Schedule))?;
        let stage = match (schedule.allowed, &state.stage, &state.caseworker) {
            // Whose case it is may be known; where they stand may not.
            (false, ..) => whose(asked, person, &names)?,
            (true, Some(stage), Some((_, name))) => format!("{stage}, {name}"),
            (true, Some(stage), None) => stage.clone(),
            (true, None, _) => "Not in the programme".to_owned(),
        };
        people.push(Found {
            id: case.patient.clone(),
            name: words::name(patient.resource())
                .unwrap_or_else(|| "(no name recorded)".to_owned()),
            born: patient
                .instant("birthDate")
                .map(|born| format!("{} ({})", when::day(born), when::age(born, moment)))
                .unwrap_or_default(),
            numbers: person::number(patient).into_iter().collect(),
            stage,
        });
    }
    let context = Context {
        shell: asked.shell(),
        query,
        people,
        more: None,
    };
    Ok((page(&context), given))
}

/// Whose case a person is, in words.
fn whose(asked: &Asked, person: Alias, names: &Names<'_>) -> Result<String, Error> {
    let practitioners = permit::people::whose_case(&asked.view, &asked.reader, person)?;
    let named: Vec<String> = practitioners
        .iter()
        .filter_map(|one| names.at(one))
        .collect();
    Ok(match named.as_slice() {
        [] => "Nobody\u{2019}s case".to_owned(),
        named => format!("With {}", named.join(", ")),
    })
}

/// People by what was typed: all words must begin a part of the name; or it is a number, or a
/// date of birth.
pub(super) fn search(view: &View, query: &str) -> Result<Vec<Version>, Error> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let escaped = |text: &str| {
        text.replace('\\', "\\\\")
            .replace(',', "\\,")
            .replace('$', "\\$")
            .replace('|', "\\|")
    };
    let mut ways: Vec<Vec<(String, String)>> = vec![
        query
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(|word| ("name".to_owned(), escaped(word)))
            .collect(),
        vec![("identifier".to_owned(), escaped(query))],
    ];
    if record::time::is_date(query) {
        ways.push(vec![("birthdate".to_owned(), query.to_owned())]);
    }
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for params in ways.iter().filter(|params| !params.is_empty()) {
        let (criteria, _) = parse_criteria("Patient", params, "");
        if criteria.clauses.is_empty() {
            continue;
        }
        let page = view.search(&Search {
            criteria: &criteria,
            count: SHOWN_MAX,
            after: None,
            total: false,
        })?;
        found.extend(
            page.hits
                .into_iter()
                .filter(|hit| seen.insert(hit.id.clone())),
        );
    }
    found.truncate(SHOWN_MAX);
    Ok(found)
}
