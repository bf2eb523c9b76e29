//! The accounting of disclosures: as a page, as a file of values, and what of it is held back.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use casework::DAY;
use casework::accounting::{Exempt, REACH, Shown, Statement, Suspension, exempt};
use ledger::disclosure::What;
use policy::{Action, Kind};

use super::access::{Lookup, about_since, purpose, told_to, what_was_asked};
use super::consents::known;
use super::scanned::Form;
use super::{Asked, away, download, person, see};
use crate::accounting::{self, HeldBack};
use crate::consent::{self, is_person};
use crate::error::{Error, ErrorKind};
use crate::permit::Thing;
use crate::release::Given;
use crate::web::accounting::{self as web, Context, Row, csv, page};
use crate::web::path;
use crate::web::when::RecordedAt;

/// How many rows are on a page, unless all of them are asked for.
const PAGE: usize = 200;

/// `GET /people/{id}/accounting`
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (shell, mut given) = person::about(&asked, &id)?;
        let themself = may_see(&asked, &id)?;
        let now = asked.moment();
        let everything = asked.param("what") == Some("all");
        let (mut rows, left_out) = rows(&asked, &id, everything)?;
        let page_rows = match asked.param(web::ROWS) {
            Some(_) => rows.len(),
            None => PAGE,
        };
        let more = rows.len().saturating_sub(page_rows) as u64;
        rows.truncate(page_rows);
        tell(&asked, &id, &rows, &mut given);
        let alias = asked.programme.ledger().person(&id);
        // They are about nobody, so that only what follows here decides who is told of them.
        let held = accounting::suspensions(&asked.unbound(), alias)?;
        let held = held.into_iter().map(|found| {
            let one = found.suspension;
            web::Suspension {
                id: found.id,
                why: format!(
                    "{}, {}, on {}: {}",
                    one.official,
                    one.statement.words(),
                    crate::web::when::day(one.stated),
                    one.citation
                ),
                from: one.recorded_at,
                until: one.lifted.unwrap_or(i64::MAX).min(one.until),
                in_force: one.in_force(now),
                agency: one.agency,
            }
        });
        let context = Context {
            themself,
            everything,
            from: now - REACH,
            rows,
            more,
            left_out,
            suspensions: held.collect(),
            may_suspend: asked.who.user.role == "officer",
            person: id,
            shell,
        };
        Ok(asked.answer(page(&context), given))
    })
    .await
}

/// `GET /people/{id}/accounting.csv`
pub async fn file(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (_, mut given) = person::about(&asked, &id)?;
        may_see(&asked, &id)?;
        let everything = asked.param("what") == Some("all");
        let (rows, _) = rows(&asked, &id, everything)?;
        tell(&asked, &id, &rows, &mut given);
        let mut response = download("accounting.csv", csv(&rows));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        );
        Ok(asked.gives(response, What::Page, given))
    })
    .await
}

/// `POST /people/{id}/accounting`: holds a part back.
pub async fn suspend(
    asked: Asked,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let form = Form::read(&headers, body).await?;
    let asked = known(asked, &id, None).await?;
    let statement = form.text("statement");
    let statement = Statement::ALL
        .into_iter()
        .find(|one| one.code() == statement);
    let day = |name: &str| {
        form.day(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "A day is missing or malformed: write it as 2026-03-01.",
            )
        })
    };
    let suspension = Suspension {
        agency: form.text("agency").to_owned(),
        official: form.text("official").to_owned(),
        statement: statement.ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                "Choose whether the statement was made in writing or by word of mouth.",
            )
        })?,
        citation: form.text("citation").to_owned(),
        stated: day("stated")?,
        until: day("until")? + DAY,
        recorded_at: 0,
        lifted: None,
    };
    accounting::suspend(&asked.programme, &asked.who, &id, suspension).await?;
    Ok(see(&path::accounting(&id)))
}

/// `POST /people/{id}/accounting/{suspension}/lift`
pub async fn lift(
    asked: Asked,
    Path((id, suspension)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    Form::read(&headers, body).await?;
    let asked = known(asked, &id, None).await?;
    accounting::lift(&asked.programme, &asked.who, &id, &suspension).await?;
    Ok(see(&path::accounting(&id)))
}

/// Whether the person looks themself; refuses whoever may not see who looked.
fn may_see(asked: &Asked, id: &str) -> Result<bool, Error> {
    let alias = asked.programme.ledger().person(id);
    asked.must(Action::SeeAccess, &Thing::about(alias, Kind::Access))?;
    Ok(is_person(&asked.who, id))
}

/// Takes note of what is given out of the access log.
fn tell(asked: &Asked, id: &str, rows: &[Row], given: &mut Given) {
    let alias = asked.programme.ledger().person(id);
    for row in rows {
        given.leaf(row.position, &[alias]);
    }
}

/// The rows, newest first, and how many were left out because the rule does not ask for them. What is not
/// for whoever looks yet ([`told_to`]) is neither there nor counted.
fn rows(asked: &Asked, id: &str, everything: bool) -> Result<(Vec<Row>, u64), Error> {
    let log = asked.programme.access();
    let alias = asked.programme.ledger().person(id);
    let held = HeldBack::from(&asked.programme, id)?;
    let now = asked.moment();
    let own_consents = consent::versions(&asked.unbound(), id)?;
    let mut names = Lookup::new(asked);
    let (mut rows, mut left_out) = (Vec::new(), 0);
    let positions = about_since(asked, alias, now.saturating_sub(REACH))?;
    let positions = told_to(asked, id, positions)?;
    let own = format!("Patient/{id}");
    for position in positions {
        let Some(one) = log.leaf(position).map_err(Error::ledger)? else {
            continue;
        };
        let held_back = held.holds(&one);
        let mut basis = one
            .told
            .as_ref()
            .map(|told| told.basis.clone())
            .unwrap_or_default();
        // What rests on several people's consents tells each of their own.
        let of_theirs = |version: &&str| {
            let mut own = own_consents.iter();
            own.any(|consent| version.starts_with(&format!("Consent/{}/", consent.id)))
        };
        let theirs: Vec<&str> = basis.consent.split(", ").filter(of_theirs).collect();
        basis.consent = theirs.join(", ");
        let agency = held.agency(&one);
        let leaf = &one.leaf;
        let why = exempt(
            &Shown {
                at: leaf.recorded_at.0,
                purpose: &leaf.purpose,
                themself: leaf.actor == own,
                // What was read on a consent can hold more than it covers; a packet holds just that.
                authorised: !basis.consent.is_empty() && !basis.recipient.is_empty(),
                agency: agency.as_deref(),
            },
            now,
        );
        match why {
            Some(Exempt::Old) => continue,
            Some(_) if !everything => {
                left_out += 1;
                continue;
            }
            _ => {}
        }
        let address = one.told.as_ref().map(|told| told.address.as_str());
        let how_much = crate::web::access::how_much(leaf.versions);
        let comma = if basis.address.is_empty() { "" } else { ", " };
        rows.push(Row {
            position,
            at: RecordedAt(leaf.recorded_at.0),
            who: match basis.recipient.is_empty() {
                true => names.actor(&leaf.actor),
                false => format!("{}, through {}", basis.recipient, names.actor(&leaf.actor)),
            },
            whose: match basis.recipient.is_empty() {
                true => agency.unwrap_or_default(),
                false => format!("{}{comma}{}", basis.recipient, basis.address),
            },
            what: format!("{}: {how_much}", what_was_asked(leaf, address)),
            purpose: purpose(&leaf.purpose),
            basis: on(&basis),
            exempt: why.map(Exempt::words),
            held_back,
        });
    }
    Ok((rows, left_out))
}

/// On what a disclosure rested, in words.
fn on(basis: &ledger::disclosure::Basis) -> String {
    let mut parts = Vec::new();
    for (words, what) in [
        ("on the consent", &basis.consent),
        ("under the warrant", &basis.warrant),
        ("by breaking the glass", &basis.break_glass),
        ("with the notice", &basis.notice),
    ] {
        if !what.is_empty() {
            parts.push(format!("{words} {what}"));
        }
    }
    parts.join(", ")
}
