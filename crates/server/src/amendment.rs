//! What a programme adds to the base policy: an amendment, each version of which is an entry.
//!
//! `Basic/policy` holds the text, why it was put in force, and what trying it first had shown; who did it and
//! when is the version's line. The version that stands is in force: it is read at the start, and again when
//! the writer has committed another one, before whoever set it is answered.
//!
//! An amendment is tried before it is set ([`trial`]), and refused if it does not fit the schema or would take
//! from officers what they would need to set another. Should one be on the record that cannot be read
//! (an older program over a newer record), nothing is open to anybody until another one is set on the
//! command line, which asks no policy: it fails closed, and says so.

use desk::User;
use policy::{Action, Facts, Flaw, Kind, Policy, Purpose, Request, Role, Subject};
use record::json::Doc;
use record::time::RecordedAt;

use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Committed, Draft, Expect, Programme, View, Work};
use crate::sign_in::actor_name;

pub mod trial;

/// The type of the resource.
pub const KIND: &str = "Basic";
/// Its id.
pub const ID: &str = "policy";
/// Its code among what the programme says about its own record.
const CODE: &str = "policy";
/// The extension that holds the text.
const TEXT: &str = "urn:homecoming:policy-text";
/// The extension that holds what trying it had shown.
const TRIED: &str = "urn:homecoming:policy-tried";
/// The longest reason, in characters.
pub const WHY_MAX: usize = 1_000;

/// One version of the amendment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1 for the first.
    pub version: u32,
    /// Its place in the ledger.
    pub position: u64,
    /// Who set it, as the line names them.
    pub actor: String,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// The text; empty: the base policy alone.
    pub text: String,
    /// Why.
    pub why: String,
    /// What trying it had shown.
    pub tried: String,
}

/// The amendment that stands in a view; nothing if there never was one.
pub fn standing(view: &View) -> Result<Option<Version>, Error> {
    Ok(view.read(KIND, ID)?.as_ref().and_then(read))
}

/// All versions in a view, the newest first.
pub fn all(view: &View) -> Result<Vec<Version>, Error> {
    Ok(view.history(KIND, ID)?.iter().filter_map(read).collect())
}

fn read(version: &crate::programme::Version) -> Option<Version> {
    let doc = Doc::parse(&version.stored).ok()?;
    let root = doc.root();
    let extension = |url: &str| {
        root.get("extension")
            .into_iter()
            .flat_map(|all| all.items())
            .find(|one| one.str_at(&["url"]) == Some(url))
            .and_then(|one| one.str_at(&["valueString"]).map(str::to_owned))
            .unwrap_or_default()
    };
    Some(Version {
        version: version.version,
        position: version.position,
        actor: version.actor.clone(),
        recorded_at: version.recorded_at,
        text: extension(TEXT),
        why: root
            .str_at(&["code", "text"])
            .unwrap_or_default()
            .to_owned(),
        tried: extension(TRIED),
    })
}

/// The policy that stands in a view: the base with the amendment, or one that refuses everything if that
/// cannot be read.
pub fn in_force(view: &View) -> Result<Policy, Error> {
    let Some(standing) = standing(view)? else {
        return Ok(Policy::base());
    };
    Policy::with(&standing.text).or_else(|flaws| {
        tracing::error!(
            version = standing.version,
            flaws = flaws.len(),
            "the amendment of the policy that is in force does not fit this program; nothing is open to \
             anybody until another one is set: homecoming policy set"
        );
        Ok(Policy::closed())
    })
}

/// Reads a text as an amendment; a refusal names every flaw.
pub fn parse(text: &str) -> Result<Policy, Error> {
    let text = text.trim();
    let policy = Policy::with(text).map_err(|flaws| flawed(&flaws))?;
    for purpose in [Purpose::Operations, Purpose::Legal] {
        let verdict = policy.decide(&Request {
            subject: Subject {
                role: Role::Officer,
                name: "user/0",
            },
            purpose,
            action: Action::Govern,
            kind: Kind::Governance,
            labels: &[],
            facts: Facts {
                same_programme: true,
                ..Facts::default()
            },
        });
        if !verdict.allowed {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "This would lock officers out: none could set another policy any more. {} Leave them the \
                     action \"govern\" for {}.",
                    crate::permit::words(&verdict),
                    purpose.words()
                ),
            ));
        }
    }
    Ok(policy)
}

/// The error for a text with flaws.
fn flawed(flaws: &[Flaw]) -> Error {
    const NAMED_MAX: usize = 10;
    let mut message = String::from("This is not taken as a policy.");
    for flaw in flaws.iter().take(NAMED_MAX) {
        message.push(' ');
        message.push_str(&flaw.to_string());
    }
    if flaws.len() > NAMED_MAX {
        message.push_str(&format!(" And {} more.", flaws.len() - NAMED_MAX));
    }
    Error::new(ErrorKind::Refused, message)
}

/// Refuses whoever is not an officer.
pub fn must_be_officer(user: &User) -> Result<(), Error> {
    match Role::parse(&user.role) {
        Some(Role::Officer) => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Forbidden,
            "Only an officer of the programme changes who may see what.",
        )),
    }
}

/// Puts a text in force, if nobody else has set one since `expected`, the version that it was tried against
/// (0: there was none).
pub async fn set(
    programme: &Programme,
    user: &User,
    text: &str,
    why: &str,
    expected: u32,
    tried: &str,
) -> Result<Committed, Error> {
    must_be_officer(user)?;
    let (text, why) = (text.trim(), why.trim());
    if why.is_empty() || why.chars().count() > WHY_MAX {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("Say why it is put in force, in at most {WHY_MAX} characters."),
        ));
    }
    parse(text)?;
    let stored = write(text, why, tried)?;
    let expect = match expected {
        0 => Expect::Absent,
        version => Expect::Version(version),
    };
    let draft = Draft::governance(KIND, ID, expect, stored, None)?;
    let actor = Actor {
        name: actor_name(user),
        purpose: Purpose::Operations.code().to_owned(),
    };
    let committed = programme.submit(actor, Work::Ready(vec![draft])).await;
    committed.map_err(|error| match error.kind {
        ErrorKind::Stale | ErrorKind::Conflict => Error::new(
            ErrorKind::Stale,
            "Somebody has put another policy in force since you tried this one. Try it again: it may \
             change other things now.",
        ),
        _ => error,
    })
}

fn write(text: &str, why: &str, tried: &str) -> Result<Vec<u8>, Error> {
    let extensions: Vec<_> = [(TEXT, text), (TRIED, tried)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(url, value)| serde_json::json!({ "url": url, "valueString": value }))
        .collect();
    let mut resource = serde_json::json!({
        "resourceType": KIND,
        "id": ID,
        "code": {
            "coding": [{ "system": evidence::erasure::GOVERNANCE, "code": CODE }],
            "text": why,
        },
    });
    if !extensions.is_empty() {
        resource["extension"] = extensions.into();
    }
    serde_json::to_vec(&resource).map_err(Error::internal)
}
