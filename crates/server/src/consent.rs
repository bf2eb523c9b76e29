//! What a person has consented to, between the rules (`casework::consent`) and the record.
//!
//! A Consent is an ordinary resource of the person's record, also where a program wrote it; here it
//! is read for those who decide what may be seen ([`of_person`]), and written for the person who
//! gives, narrows or withdraws it, or for whoever enters what they signed on paper ([`act`]). A change is decided in the writer's thread, when everything before it
//! is recorded; it holds from the entry on.

use casework::consent::Consent;
use policy::Purpose;
use record::json::Value;
use record::search::parse_criteria;

use crate::error::Error;
use crate::programme::{Search, Version, View};
use crate::sign_in::SignedIn;

pub mod act;
pub mod document;
pub mod packet;
pub mod write;

/// The most Consents of one person that are weighed; more is an error, and an error is a refusal.
const CONSENTS_MAX: usize = 500;

/// The Consents of a person as a view has them, the newest version of each.
pub fn of_person(view: &View, patient: &str) -> Result<Vec<Consent>, Error> {
    let found = versions(view, patient)?;
    Ok(found.iter().filter_map(read).collect())
}

/// One version of a Consent, as the rules take it.
pub fn read(version: &Version) -> Option<Consent> {
    document::read(&version.stored, version.version, version.position)
}

/// The newest version of each Consent of a person.
pub fn versions(view: &View, patient: &str) -> Result<Vec<Version>, Error> {
    let params = [("patient".to_owned(), patient.to_owned())];
    let (criteria, _) = parse_criteria("Consent", &params, "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: CONSENTS_MAX,
        after: None,
        total: false,
    })?;
    match page.next {
        None => Ok(page.hits),
        Some(_) => Err(Error::internal(
            "more Consents of one person than can be weighed",
        )),
    }
}

/// Every coding in a resource, system and code: what a Consent can name it by. Without a system, that is empty.
pub fn codings<'d>(value: Value<'d>, out: &mut Vec<(&'d str, &'d str)>) {
    if value.is_object() {
        if let Some(code) = value.str_at(&["code"]) {
            out.push((value.str_at(&["system"]).unwrap_or_default(), code));
        }
        value.entries().for_each(|(_, inner)| codings(inner, out));
    } else if value.is_array() {
        value.items().for_each(|inner| codings(inner, out));
    }
}

/// Whether somebody is the person whose record it is: signed in as a participant, with this Patient.
pub fn is_person(who: &SignedIn, patient: &str) -> bool {
    own_record(who).as_deref() == Some(patient)
}

/// The Patient whom somebody who is signed in is, if they are a participant.
pub fn own_record(who: &SignedIn) -> Option<String> {
    let name = who.actor().name;
    let id = name
        .strip_prefix("Patient/")
        .filter(|_| who.user.role == "participant")?;
    Some(id.to_owned())
}

/// What a purpose is called.
pub fn purpose_words(code: &str) -> String {
    match Purpose::from_code(code) {
        Some(purpose) => purpose.words().to_owned(),
        None => code.to_owned(),
    }
}

/// A day in words, for what is kept for ever: "3 May 2026".
fn day(micros: i64) -> String {
    crate::web::when::day(micros)
}
