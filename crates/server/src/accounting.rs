//! Accounting of disclosures, between the rules (`casework::accounting`), the access log, and the record
//! that suspensions are entries of.
//!
//! A suspension is a Basic that the programme writes, about nobody: an entry in the person's own chain
//! would tell them what it is to keep back. It names them by their alias, and it is sealed under the
//! programme's key. Lifting it is its next version; when it has ended, the person is told that it was.

use casework::accounting::{Refusal, Shown, Statement, Suspension};
use evidence::erasure::{GOVERNANCE, PERSON};
use ledger::access::Disclosed;
use ledger::{Alias, Expect};
use record::json::{Doc, Value};
use record::search::parse_criteria;
use record::time::RecordedAt;
use serde_json::json;

use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, AsOf, Draft, Programme, Search, View, Work};
use crate::sign_in::SignedIn;

/// What the Basic is, among what the programme says about its record.
const CODE: &str = "accounting-suspended";
/// What its parts stand under.
const PART: &str = "urn:homecoming:accounting";
/// The most suspensions of one person that are weighed.
const SUSPENSIONS_MAX: usize = 200;

/// A suspension as the record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The Basic's id.
    pub id: String,
    /// Its newest entry.
    pub position: u64,
    /// Its newest version.
    pub version: u32,
    /// What it says.
    pub suspension: Suspension,
}

/// All suspensions of a person's accounting, the newest first.
pub fn suspensions(view: &View, person: Alias) -> Result<Vec<Found>, Error> {
    let params = [
        ("code".to_owned(), format!("{GOVERNANCE}|{CODE}")),
        ("identifier".to_owned(), format!("{PERSON}|{person}")),
    ];
    let (criteria, _) = parse_criteria("Basic", &params, "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: SUSPENSIONS_MAX,
        after: None,
        total: false,
    })?;
    let mut found = Vec::new();
    for hit in page.hits {
        found.extend(find(view, &hit.id, person)?);
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.suspension.recorded_at));
    Ok(found)
}

fn find(view: &View, id: &str, person: Alias) -> Result<Option<Found>, Error> {
    let history = view.history("Basic", id)?;
    let (Some(newest), Some(first)) = (history.first(), history.last()) else {
        return Ok(None);
    };
    let Ok(doc) = Doc::parse(&first.stored) else {
        return Ok(None);
    };
    let root = doc.root();
    let of = root.get("identifier").and_then(|all| all.items().next());
    let same = of.and_then(|one| one.str_at(&["value"])) == Some(person.to_string().as_str());
    let Some(mut suspension) = read(root, first.recorded_at.0).filter(|_| same) else {
        return Ok(None);
    };
    suspension.lifted = (newest.version > first.version).then_some(newest.recorded_at.0);
    Ok(Some(Found {
        id: id.to_owned(),
        position: newest.position,
        version: newest.version,
        suspension,
    }))
}

/// Records a suspension of a person's accounting.
pub async fn suspend(
    programme: &Programme,
    who: &SignedIn,
    patient: &str,
    mut suspension: Suspension,
) -> Result<(), Error> {
    let (id, alias) = (programme.new_id(), programme.ledger().person(patient));
    let (clock, officer) = (programme.clock().clone(), is_officer(who));
    let patient = patient.to_owned();
    let decide = move |view: &View| {
        if view
            .read("Patient", &patient)?
            .is_none_or(|found| found.deleted)
        {
            return Err(crate::consent::act::nobody());
        }
        let now = clock.now().0;
        suspension.recorded_at = now;
        suspension.check(officer, now).map_err(|r| refused(&r))?;
        let stored = write(&id, alias, &suspension, false);
        Ok(vec![Draft::governance(
            "Basic",
            &id,
            Expect::Absent,
            stored,
            None,
        )?])
    };
    programme
        .submit(actor(who), Work::Deferred(Box::new(decide)))
        .await?;
    Ok(())
}

/// Ends a suspension before its time.
pub async fn lift(
    programme: &Programme,
    who: &SignedIn,
    patient: &str,
    id: &str,
) -> Result<(), Error> {
    if !is_officer(who) {
        return Err(refused(&Refusal::NotAnOfficer));
    }
    let alias = programme.ledger().person(patient);
    let (clock, id) = (programme.clock().clone(), id.to_owned());
    let decide = move |view: &View| {
        let found = find(view, &id, alias)?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "There is no such suspension of this accounting.",
            )
        })?;
        if !found.suspension.in_force(clock.now().0) {
            return Err(refused(&Refusal::NotInForce));
        }
        let stored = write(&id, alias, &found.suspension, true);
        let expect = Expect::Version(found.version);
        Ok(vec![Draft::governance("Basic", &id, expect, stored, None)?])
    };
    programme
        .submit(actor(who), Work::Deferred(Box::new(decide)))
        .await?;
    Ok(())
}

/// What of the access log is held back from a person now. What they ask is answered with the record as
/// it is now, whatever instant they look at.
pub struct HeldBack {
    suspensions: Vec<Suspension>,
    users: Vec<desk::User>,
    now: i64,
}

impl HeldBack {
    /// For one person.
    pub fn from(programme: &Programme, patient: &str) -> Result<HeldBack, Error> {
        let alias = programme.ledger().person(patient);
        let now = programme.clock().now().0;
        HeldBack::at(&programme.view(AsOf::Now), programme.desk(), alias, now)
    }

    /// The same, from a view of the whole record as it is now.
    pub(crate) fn at(
        view: &View,
        desk: &desk::Desk,
        person: Alias,
        now: i64,
    ) -> Result<HeldBack, Error> {
        let found = suspensions(view, person)?;
        Ok(HeldBack {
            suspensions: found.into_iter().map(|found| found.suspension).collect(),
            users: desk.users().map_err(Error::desk)?,
            now,
        })
    }

    /// Whether anything can be held back now.
    pub fn is_any(&self) -> bool {
        self.suspensions.iter().any(|one| one.in_force(self.now))
    }

    /// Whether a leaf is.
    pub fn holds(&self, one: &Disclosed) -> bool {
        self.is_any() && {
            let agency = agency(&self.users, one);
            let shown = Shown {
                at: one.leaf.recorded_at.0,
                purpose: &one.leaf.purpose,
                agency: agency.as_deref(),
                ..Shown::default()
            };
            self.suspensions
                .iter()
                .any(|held| held.hides(&shown, self.now))
        }
    }

    /// For whom the one who was answered works, if not for the programme.
    pub fn agency(&self, one: &Disclosed) -> Option<String> {
        agency(&self.users, one)
    }
}

fn agency(users: &[desk::User], one: &Disclosed) -> Option<String> {
    let told = one.told.as_ref().map(|told| told.basis.recipient.as_str());
    if let Some(recipient) = told.filter(|recipient| !recipient.is_empty()) {
        return Some(recipient.to_owned());
    }
    let is = |user: &&desk::User| crate::sign_in::actor_name(user) == one.leaf.actor;
    users.iter().find(is)?.organisation.clone()
}

fn is_officer(who: &SignedIn) -> bool {
    who.user.role == "officer"
}

fn actor(who: &SignedIn) -> Actor {
    Actor {
        purpose: "HLEGAL".to_owned(),
        ..who.actor()
    }
}

fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotAnOfficer => ErrorKind::Forbidden,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, casework::sentence(refusal))
}

fn write(id: &str, person: Alias, suspension: &Suspension, lifted: bool) -> Vec<u8> {
    let part = |url: &str, text: &str| json!({ "url": url, "valueString": text });
    let when =
        |url: &str, at: i64| json!({ "url": url, "valueInstant": RecordedAt(at).to_string() });
    json!({
        "resourceType": "Basic",
        "id": id,
        "extension": [{ "url": PART, "extension": [
            part("agency", &suspension.agency),
            part("official", &suspension.official),
            { "url": "statement", "valueCode": suspension.statement.code() },
            part("citation", &suspension.citation),
            when("stated", suspension.stated),
            when("until", suspension.until),
            { "url": "lifted", "valueBoolean": lifted },
        ] }],
        "identifier": [{ "system": PERSON, "value": person.to_string() }],
        "code": { "coding": [{ "system": GOVERNANCE, "code": CODE }] },
    })
    .to_string()
    .into_bytes()
}

fn read(root: Value<'_>, recorded_at: i64) -> Option<Suspension> {
    let mut extensions = root.get("extension")?.items();
    let whole = extensions.find(|one| one.str_at(&["url"]) == Some(PART))?;
    let part = |url: &str| {
        let mut parts = whole.get("extension")?.items();
        parts.find(|one| one.str_at(&["url"]) == Some(url))
    };
    let text = |url: &str| Some(part(url)?.str_at(&["valueString"])?.to_owned());
    let when = |url: &str| Some(RecordedAt::parse(part(url)?.str_at(&["valueInstant"])?)?.0);
    let statement = part("statement")?.str_at(&["valueCode"])?;
    Some(Suspension {
        agency: text("agency")?,
        official: text("official")?,
        statement: Statement::ALL
            .into_iter()
            .find(|one| one.code() == statement)?,
        citation: text("citation")?,
        stated: when("stated")?,
        until: when("until")?,
        recorded_at,
        lifted: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_reads_back_as_it_was_written() {
        let suspension = Suspension {
            agency: "Office of the \"Inspector\" General".into(),
            official: "Special Agent".into(),
            statement: Statement::Oral,
            citation: "Said on the telephone".into(),
            stated: 1_000_000,
            until: 9_000_000,
            recorded_at: 2_000_000,
            lifted: None,
        };
        let stored = write("b", Alias([7; 16]), &suspension, false);
        let doc = Doc::parse(&stored).expect("JSON");
        assert!(crate::programme::says_governance(doc.root()));
        assert_eq!(read(doc.root(), 2_000_000), Some(suspension));
        assert_eq!(
            record::person::person(doc.root()),
            None,
            "it is in nobody's chain"
        );
    }
}
