//! Giving, narrowing and taking back: by the person, or by staff who enter what they signed on paper.

use casework::consent::offer::{NOTES, RELEASE_YEARS_MAX, Refusal};
use casework::{DAY, consent::Consent};
use ledger::Expect;
use record::json::Doc;

use super::write::{self, Paper, Said, Signed};
use crate::case::words;
use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Draft, Programme, View, Work};
use crate::sign_in::SignedIn;

/// A scan that comes with a paper.
#[derive(Clone, Debug)]
pub struct Scan {
    /// What kind of file.
    pub media: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is done.
#[derive(Clone, Debug)]
pub enum Act {
    /// A decision, new or in the place of the one before.
    Decide(Said),
    /// A new organisation is named with it.
    Release(write::Release),
    /// Less than before.
    Narrow {
        /// Which Consent.
        id: String,
        /// Parts that stay.
        keep: Vec<String>,
        /// Ends sooner.
        until: Option<i64>,
    },
    /// Nothing any more.
    Withdraw {
        /// Which Consent.
        id: String,
    },
}

/// Whether somebody decides for a person: themself, or by the paper that they signed.
pub fn may_enter(who: &SignedIn, patient: &str) -> Result<bool, Error> {
    let themself = super::is_person(who, patient);
    let staff = matches!(
        who.user.role.as_str(),
        "caseworker" | "prescriber" | "supervisor" | "officer"
    );
    match themself || staff {
        true => Ok(themself),
        false => Err(refused(&Refusal::NotThePerson)),
    }
}

/// Does it, as somebody, for what they do it; gives the Consent's id.
pub async fn take(
    programme: &Programme,
    who: &SignedIn,
    actor: Actor,
    patient: &str,
    act: Act,
    mut signed: Signed,
    scan: Option<Scan>,
) -> Result<String, Error> {
    let themself = may_enter(who, patient)?;
    let now = programme.clock().now().0;
    check_signed(themself, &signed, scan.is_some(), now).map_err(|refusal| refused(&refusal))?;
    if let Act::Decide(Said::Release(release)) | Act::Release(release) = &act {
        check_release(release, now).map_err(|refusal| refused(&refusal))?;
    }
    if let Act::Decide(Said::Offer {
        until: Some(until), ..
    }) = &act
        && *until <= now
    {
        return Err(refused(&Refusal::NoEnd));
    }
    let mut drafts = Vec::new();
    if let (Some(paper), Some(scan)) = (&mut signed.paper, scan) {
        let id = programme.new_id();
        let stored = write::scan(&id, patient, scan.media, &scan.bytes, signed.at, now);
        drafts.push(Draft::stored(
            "DocumentReference",
            &id,
            Expect::Absent,
            stored,
        )?);
        paper.scan = Some(id);
    }
    if let Act::Release(release) = &act {
        let stored = write::organisation(&release.organisation, &release.name, &release.address);
        drafts.push(Draft::stored(
            "Organization",
            &release.organisation,
            Expect::Absent,
            stored,
        )?);
    }
    let fresh = programme.new_id();
    let (patient, called) = (patient.to_owned(), programme.name().to_owned());
    let decide = move |view: &View| {
        if view
            .read("Patient", &patient)?
            .is_none_or(|found| found.deleted)
        {
            return Err(nobody());
        }
        drafts.push(draft(view, &patient, &called, &fresh, act, &signed, now)?);
        Ok(drafts)
    };
    let done = programme
        .submit(actor, Work::Deferred(Box::new(decide)))
        .await?;
    let written = done.writes.iter().find(|one| one.kind == "Consent");
    Ok(written.map(|one| one.id.clone()).unwrap_or_default())
}

fn draft(
    view: &View,
    patient: &str,
    programme: &str,
    fresh: &str,
    act: Act,
    signed: &Signed,
    now: i64,
) -> Result<Draft, Error> {
    let said = match act {
        Act::Decide(said) => said,
        Act::Release(release) => Said::Release(release),
        Act::Narrow { id, keep, until } => {
            let (version, before) = standing(view, patient, &id, now)?;
            let sooner =
                |until: &i64| *until > now && before.until().is_none_or(|end| *until <= end);
            if until.is_some_and(|until| !sooner(&until)) {
                return Err(refused(&Refusal::NotNarrower));
            }
            let stored = write::narrowed(&version.stored, &keep, until, signed)
                .ok_or_else(|| refused(&Refusal::NoParts))?;
            return Draft::stored("Consent", &id, Expect::Version(version.version), stored);
        }
        Act::Withdraw { id } => {
            let (version, _) = standing(view, patient, &id, now)?;
            let stored = write::withdrawn(&version.stored, signed)
                .ok_or_else(|| Error::internal("a stored Consent that is not JSON"))?;
            return Draft::stored("Consent", &id, Expect::Version(version.version), stored);
        }
    };
    // A decision takes the place of the one before on the same matter.
    let before = match &said {
        Said::Offer {
            offer, from: None, ..
        } => newest_about(view, patient, offer.code)?,
        _ => None,
    };
    let (id, expect) = match before {
        Some(version) => (version.id, Expect::Version(version.version)),
        None => (fresh.to_owned(), Expect::Absent),
    };
    let stored = write::consent(&id, patient, programme, &said, signed);
    Draft::stored("Consent", &id, expect, stored)
}

/// A Consent of the person that is in force.
fn standing(
    view: &View,
    patient: &str,
    id: &str,
    now: i64,
) -> Result<(crate::programme::Version, Consent), Error> {
    let version = view.read("Consent", id)?.filter(|found| !found.deleted);
    let version = version.filter(|found| found.person().as_deref() == Some(patient));
    let Some(version) = version else {
        return Err(Error::new(
            ErrorKind::NotFound,
            "There is no such consent of this person.",
        ));
    };
    let consent = super::read(&version).filter(|consent| consent.active);
    let Some(consent) = consent.filter(|consent| consent.until().is_none_or(|end| end > now))
    else {
        return Err(refused(&Refusal::NotInForce));
    };
    Ok((version, consent))
}

/// The newest Consent on a matter.
fn newest_about(
    view: &View,
    patient: &str,
    code: &str,
) -> Result<Option<crate::programme::Version>, Error> {
    let mut found = super::versions(view, patient)?;
    found.retain(|version| {
        Doc::parse(&version.stored).is_ok_and(|doc| words::consent_about(doc.root()) == Some(code))
    });
    Ok(found.into_iter().max_by_key(|version| {
        (
            super::read(version).and_then(|one| one.given),
            version.position,
        )
    }))
}

fn check_signed(themself: bool, signed: &Signed, scanned: bool, now: i64) -> Result<(), Refusal> {
    if signed.name.is_empty() {
        return Err(Refusal::NotSigned);
    }
    match &signed.paper {
        None if themself => Ok(()),
        None => Err(Refusal::NotThePerson),
        Some(Paper { witness, kept, .. }) => match () {
            () if witness.is_empty() => Err(Refusal::NoWitness),
            () if signed.at > now || signed.at == i64::MIN => Err(Refusal::NoDay),
            () if !scanned && kept.is_empty() => Err(Refusal::NoPaper),
            () => Ok(()),
        },
    }
}

fn check_release(release: &write::Release, now: i64) -> Result<(), Refusal> {
    let notes = release.parts.iter().any(|part| part.key == NOTES);
    match () {
        () if release.name.is_empty() => Err(Refusal::NoRecipient),
        () if release.address.is_empty() => Err(Refusal::NoAddress),
        () if release.purpose.1.is_empty() => Err(Refusal::NoPurpose),
        () if release.parts.is_empty() => Err(Refusal::NoParts),
        () if notes && release.parts.len() > 1 => Err(Refusal::NotesNotAlone),
        () if release.until <= now => Err(Refusal::NoEnd),
        () if release.until > now + RELEASE_YEARS_MAX * 366 * DAY => Err(Refusal::TooLong),
        () => Ok(()),
    }
}

/// A refusal by the rules, for whoever asked.
pub fn refused(refusal: &Refusal) -> Error {
    let kind = match refusal {
        Refusal::NotThePerson => ErrorKind::Forbidden,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, casework::sentence(refusal))
}

/// There is no such person, or none that whoever asks may know of.
pub fn nobody() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "There is no such person in the record. Look for them by name under Find.",
    )
}
