//! search: what of one resource type answers to some criteria, page by page.
//!
//! The criteria are `record::search`'s, the order and the pages the index's; here are the
//! parameters that say how the answer looks ([`wanted`]), what comes along ([`mod@include`]), and the
//! bundle. A page's link carries the size of the ledger that the search began at, so that
//! turning pages never skips or repeats anything, whatever is recorded meanwhile.

use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use record::search::{Criteria, ReferenceTest, Test};

use record::finding::Finding;

use super::bundle::{Bundle, Mode};
use super::negotiate::Media;
use super::scope::Verb;
use super::{Answer, Ask, audit_event, body, known_kind, negotiate, outcome, query};
use crate::error::{Error, ErrorKind};
use crate::programme::{AsOf, Page, Programme, Search, Version, View};
use crate::release::{Given, What};
use wanted::{Total, Wanted};

pub mod include;
pub mod wanted;

/// `GET [base]/Kind?parameters`
pub async fn get(ask: Ask, Path(kind): Path<String>) -> Result<Response, Error> {
    if is_near(&ask) {
        return Ok(search(&ask, &kind)?.respond(&ask));
    }
    super::away(move || Ok(search(&ask, &kind)?.respond(&ask))).await
}

/// Whether a search reads so little that going away from the connection's thread would cost more
/// than it: a page of one person's things. (Going away was a quarter of such a search's time.)
fn is_near(ask: &Ask) -> bool {
    let named = |name: &str| ask.params.iter().any(|(given, _)| given == name);
    let pages_much = |(name, value): &(String, String)| {
        name.starts_with("_include")
            || name.starts_with("_revinclude")
            || (name == "_total" && value == "accurate")
            || (name == "_count" && value.len() > 2)
    };
    (named("patient") || named("_id")) && !ask.params.iter().any(pages_much)
}

/// `POST [base]/Kind/_search` with parameters in a form, the address, or both.
pub async fn post(
    mut ask: Ask,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let limit = ask.api.settings().resource_bytes_max;
    let bytes = body::read(&headers, body, limit).await?;
    // A POST without a body may leave its type out.
    if !bytes.is_empty() {
        if negotiate::media(&headers)? != Media::Form {
            return Err(Error::new(
                ErrorKind::WrongMedia,
                "The parameters of a search are a form; send `Content-Type: application/x-www-form-urlencoded`.",
            ));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::new(ErrorKind::Malformed, "The form is not UTF-8."))?;
        let params = query::decode(text)?;
        let accept = negotiate::text(&headers, axum::http::header::ACCEPT)?;
        ask.take(params, accept)?;
        if ask.path.is_empty() {
            ask.path = format!("/{kind}");
        }
        ask.address = format!("/fhir/{kind}?{text}");
    }
    super::away(move || Ok(search(&ask, &kind)?.respond(&ask))).await
}

/// Searches and answers with a bundle.
pub fn search(ask: &Ask, kind: &str) -> Result<Answer, Error> {
    known_kind(kind)?;
    ask.grant.check(kind, Verb::Search)?;
    let wanted = Wanted::read(ask, kind)?;
    if kind == audit_event::KIND {
        audit_event::refuse_includes(&wanted)?;
        return audit_event::search(ask, &wanted);
    }
    let view = match &wanted.after {
        // The pages of one search are all of one state, and of no other than the one asked for.
        Some(cursor) if ask.as_of.is_some() && ask.view().size() != cursor.as_of() => {
            return Err(Error::new(
                ErrorKind::Malformed,
                "This page belongs to another state of the record than the one asked for. Begin the search again without `_cursor`.",
            ));
        }
        Some(cursor) => ask.view_of(AsOf::Size(cursor.as_of())),
        None => ask.view(),
    };
    if wanted.count == 0 {
        return count_only(ask, kind, &view, &wanted);
    }
    let page = view.search(&Search {
        criteria: &wanted.criteria,
        count: wanted.count,
        after: wanted.after,
        total: wanted.total == Total::Accurate,
    })?;
    let total = match wanted.total {
        Total::Accurate => page.total,
        // A search that fits on its first page is counted anyway.
        Total::None if page.next.is_none() && wanted.after.is_none() => {
            Some(page.hits.len() as u64)
        }
        Total::None => None,
    };
    let along = include::along(ask, &view, &wanted, &page.hits)?;
    let links = links(ask, kind, &view, &wanted, &page);
    let mut bundle = Bundle::new("searchset", total, &links);
    let mut given = asked_about(ask.api.programme(), &wanted.criteria);
    for version in page.hits.iter().chain(&along.versions) {
        given.version(version);
    }
    for version in &page.hits {
        add(&mut bundle, ask, version, Mode::Match, &wanted)?;
    }
    for version in &along.versions {
        add(&mut bundle, ask, version, Mode::Include, &wanted)?;
    }
    let mut told = wanted.ignored.clone();
    told.extend(along.findings);
    if !ask.reader.basis(&given).notice.is_empty() {
        told.push(Finding::information("informational", policy::REDISCLOSURE));
    }
    if !told.is_empty() {
        bundle.told(&outcome::of_findings(&told));
    }
    Ok(Answer::read(
        ask,
        &view,
        bundle.finish(),
        What::Search,
        given,
    ))
}

fn add(
    bundle: &mut Bundle,
    ask: &Ask,
    version: &Version,
    mode: Mode,
    wanted: &Wanted,
) -> Result<(), Error> {
    match &wanted.elements {
        None => bundle.found(&ask.base, version, mode, None),
        Some(elements) => {
            let json = elements.pick(&version.kind, &version.served())?;
            bundle.found(&ask.base, version, mode, Some(&json));
        }
    }
    Ok(())
}

/// `_summary=count` and `_count=0`: the total alone.
fn count_only(ask: &Ask, kind: &str, view: &View, wanted: &Wanted) -> Result<Answer, Error> {
    let page = view.search(&Search {
        criteria: &wanted.criteria,
        count: 0,
        after: None,
        total: true,
    })?;
    let links = [("self", link(ask, kind, view, wanted, None))];
    let mut bundle = Bundle::new("searchset", page.total, &links);
    if !wanted.ignored.is_empty() {
        bundle.told(&outcome::of_findings(&wanted.ignored));
    }
    Ok(Answer::read(
        ask,
        view,
        bundle.finish(),
        What::Search,
        asked_about(ask.api.programme(), &wanted.criteria),
    ))
}

/// The persons whom a search names, by whatever parameter: that nothing is found about one tells
/// something, too.
pub(super) fn asked_about(programme: &Programme, criteria: &Criteria) -> Given {
    let mut named: Vec<&str> = Vec::new();
    if criteria.kind == "Patient" {
        named.extend(criteria.ids.iter().flatten().map(String::as_str));
    }
    for clause in &criteria.clauses {
        let targets = clause.parameter.targets();
        let is_of_patients = targets.is_empty() || targets.contains(&"Patient");
        for test in &clause.tests {
            match test {
                Test::Reference(ReferenceTest::Local { kind, id })
                    if kind.map_or(is_of_patients, |kind| kind == "Patient") =>
                {
                    named.push(id);
                }
                _ => {}
            }
        }
    }
    let mut given = Given::new();
    for id in named {
        given.person(programme.ledger().person(id));
    }
    given
}

fn links(
    ask: &Ask,
    kind: &str,
    view: &View,
    wanted: &Wanted,
    page: &Page,
) -> Vec<(&'static str, String)> {
    let here = wanted.after.map(|cursor| cursor.to_string());
    let mut links = vec![("self", link(ask, kind, view, wanted, here.as_deref()))];
    if let Some(next) = &page.next {
        let next = next.to_string();
        links.push(("next", link(ask, kind, view, wanted, Some(&next))));
    }
    links
}

/// The address of this search as it was understood, or of one of its pages.
fn link(ask: &Ask, kind: &str, view: &View, wanted: &Wanted, cursor: Option<&str>) -> String {
    let size = format!("size:{}", view.size());
    let pairs = wanted
        .used
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain(cursor.map(|cursor| ("_cursor", cursor)))
        .chain(ask.as_of.map(|_| ("_asof", size.as_str())));
    let text = query::encode(pairs);
    let question = if text.is_empty() { "" } else { "?" };
    format!("{}/{kind}{question}{text}", ask.base)
}

/// The search of a condition: at most two matches, so that the caller can tell one from several.
/// Everything that cannot be used is an error here.
pub fn condition(
    view: &View,
    base: &str,
    kind: &str,
    params: &query::Pairs,
) -> Result<Vec<Version>, Error> {
    let (criteria, findings) = record::search::parse_criteria(kind, params, base);
    if let Some(finding) = findings.first() {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!("The condition cannot be used. {}", finding.message),
        )
        .with(findings));
    }
    if let Some((name, _)) = params
        .iter()
        .find(|(name, _)| record::search::is_result_parameter(name))
    {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "`{}` has no meaning in a condition.",
                negotiate::printable(name)
            ),
        ));
    }
    if params.is_empty() {
        return Err(Error::new(
            ErrorKind::Malformed,
            "The condition asks for nothing, so it would match everything.",
        ));
    }
    let search = Search {
        criteria: &criteria,
        count: 2,
        after: None,
        total: false,
    };
    Ok(view.search(&search)?.hits)
}
