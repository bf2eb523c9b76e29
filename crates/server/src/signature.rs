//! Electronic signatures on entries: asked for, written, and found again.
//!
//! What a signature is and when it fits is `evidence::signature`'s. Here somebody who has just shown that it
//! is them signs the newest version of something, with a passkey whose challenge is the statement, or
//! with a password and a one-time code, for which the server stands. The signature is an entry of its own,
//! in the chain of whom the signed one is about.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use desk::User;
use evidence::content::first_name;
use evidence::signature::{
    ACTOR, Assertion, ENTRY, Flaw, MEANINGS, Meaning, Proof, SIGNATURE, Signed, Statement, WEBAUTHN,
};
use ledger::{Expect, entry::Entry};
use record::time::RecordedAt;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Draft, Programme, Search, Version, View, Work};
use crate::sign_in::{Visitor, actor_name, passkey};

pub mod review;

/// The most signatures that are shown with one thing.
const SHOWN_MAX: usize = 50;

const KIND: &str = "sign";

/// What somebody is about to sign.
#[derive(Clone, Debug)]
pub struct Offered {
    /// What they sign.
    pub statement: Statement,
    /// The version, as FHIR refers to it.
    pub reference: String,
    /// Whom it is about: the Patient's id.
    pub person: Option<String>,
}

/// What is kept between asking a passkey and its answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    position: u64,
    meaning: String,
    at: i64,
}

fn refused(words: &str) -> Error {
    Error::new(ErrorKind::Refused, words)
}

/// What somebody would sign; why not, if they may not.
pub fn offer(
    programme: &Programme,
    view: &View,
    user: &User,
    version: &Version,
    meaning: Meaning,
    at: i64,
) -> Result<Offered, Error> {
    if !view.is_now() {
        return Err(refused("Nothing is signed in the past. Go back to now."));
    }
    let newest = view.stands(&version.kind, &version.id)?;
    if newest != Some(version.version) || version.deleted {
        return Err(refused(
            "Only the newest version of something can be signed, and nothing that was deleted. Open the newest \
             one.",
        ));
    }
    if version.kind == "Provenance" {
        return Err(refused("A signature is not signed in turn."));
    }
    let actor = actor_name(user);
    let wrote_it = version.actor == actor;
    if meaning == Meaning::Authored && !wrote_it {
        return Err(refused(
            "You did not record this, so you cannot sign it as its author. Sign it as reviewed, approved or \
             witnessed.",
        ));
    }
    if meaning == Meaning::Approved && wrote_it {
        return Err(refused(
            "You recorded this yourself; somebody else must approve it.",
        ));
    }
    let entry = view.entry(version.position)?;
    let entry = entry.ok_or_else(|| Error::internal("a version without an entry"))?;
    Ok(Offered {
        statement: Statement {
            log: first_name(programme.ledger().verifier().name()).to_owned(),
            position: version.position,
            line: tlog::leaf_hash(entry.line.as_bytes()),
            meaning,
            actor,
            name: user.name.clone(),
            at: RecordedAt(at),
        },
        reference: format!(
            "{}/{}/_history/{}",
            version.kind, version.id, version.version
        ),
        person: version.person(),
    })
}

/// Asks a passkey of theirs to sign: WebAuthn's options, and the cookie that binds the answer.
pub fn ask(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
    offered: &Offered,
) -> Result<passkey::Asked, Error> {
    let keys = programme.desk().passkeys(user.id).map_err(Error::desk)?;
    let keys: Vec<Json> = keys
        .iter()
        .filter(|one| passkey::public(&one.body).is_some_and(|(algorithm, _)| signs(algorithm)))
        .map(|one| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(&one.id) }))
        .collect();
    if keys.is_empty() || !visitor.site.takes_passkeys() {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "You have no passkey that can sign here. Use your password and a one-time code.",
        ));
    }
    let kept = Kept {
        position: offered.statement.position,
        meaning: offered.statement.meaning.word().to_owned(),
        at: offered.statement.at.0,
    };
    let state = serde_json::to_vec(&kept).map_err(Error::internal)?;
    let kind = format!("{KIND} {}", user.id);
    Ok(passkey::Asked {
        options: json!({ "publicKey": {
            "challenge": URL_SAFE_NO_PAD.encode(offered.statement.challenge()),
            "rpId": visitor.site.name(),
            "allowCredentials": keys,
            "userVerification": "required",
            "timeout": 300_000,
        } }),
        cookie: visitor.begin_ceremony(programme, &kind, &state)?,
    })
}

/// Whether a key of this algorithm can be checked by anybody with `evidence` alone.
fn signs(algorithm: i64) -> bool {
    matches!(algorithm, -7 | -8)
}

/// What was offered to this browser: position, meaning and instant.
pub fn asked_for(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
) -> Result<(u64, Meaning, i64), Error> {
    let kind = format!("{KIND} {}", user.id);
    let kept = visitor.take_ceremony(programme, &kind)?;
    let kept: Option<Kept> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
    kept.and_then(|kept| Some((kept.position, Meaning::parse(&kept.meaning)?, kept.at)))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Forbidden,
                "That took too long, or was signed already. Reload the page and try again.",
            )
        })
}

/// A passkey's answer, believed as far as it proves itself: one of the user's own keys, for this site,
/// over this statement.
pub fn believe(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
    statement: &Statement,
    answer: &[u8],
) -> Result<Proof, Error> {
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(
            ErrorKind::Forbidden,
            "That passkey did not sign this. Try again, or use your password.",
        )
        .because(source)
    };
    let answer: Json = serde_json::from_slice(answer).map_err(|error| wrong(error.into()))?;
    let bytes = |value: &Json| URL_SAFE_NO_PAD.decode(value.as_str().unwrap_or_default());
    let bytes = |value: &Json| bytes(value).map_err(|error| wrong(error.into()));
    let id = bytes(&answer["rawId"])?;
    let keys = programme.desk().passkeys(user.id).map_err(Error::desk)?;
    let own = keys.into_iter().find(|one| one.id == id);
    let own = own.ok_or_else(|| wrong("not one of theirs".into()))?;
    let (algorithm, key) = passkey::public(&own.body).ok_or_else(|| wrong("no key".into()))?;
    let response = &answer["response"];
    let assertion = Assertion {
        algorithm,
        key,
        authenticator: bytes(&response["authenticatorData"])?,
        client: bytes(&response["clientDataJSON"])?,
        signature: bytes(&response["signature"])?,
    };
    assertion
        .check(statement)
        .map_err(|flaw: Flaw| wrong(flaw.into()))?;
    let client: Json =
        serde_json::from_slice(&assertion.client).map_err(|error| wrong(error.into()))?;
    let here = visitor.site.origin();
    let is_here = client["origin"].as_str() == Some(here.as_str())
        && assertion
            .authenticator
            .starts_with(&Sha256::digest(visitor.site.name()));
    match is_here {
        true => Ok(Proof::Passkey(assertion)),
        false => Err(wrong("made for another site".into())),
    }
}

/// Puts a signature on the record.
pub async fn record(
    programme: &Programme,
    actor: Actor,
    offered: &Offered,
    proof: &Proof,
) -> Result<(), Error> {
    let id = programme.new_id();
    let body = provenance(&id, offered, proof).to_string().into_bytes();
    let draft = Draft::governance(
        "Provenance",
        &id,
        Expect::Absent,
        body,
        offered.person.as_deref(),
    )?;
    programme
        .submit(actor, Work::Ready(vec![draft]))
        .await
        .map(|_| ())
}

fn provenance(id: &str, offered: &Offered, proof: &Proof) -> Json {
    let statement = &offered.statement;
    let at = statement.at.to_string();
    let (code, display) = statement.meaning.code();
    let who = json!({
        "identifier": { "system": ACTOR, "value": statement.actor },
        "display": statement.name,
    });
    let mut signature = json!({
        "type": [{ "system": MEANINGS, "code": code, "display": display }],
        "when": at,
        "who": who,
        "targetFormat": "application/fhir+json",
    });
    if let Proof::Passkey(assertion) = proof {
        signature["sigFormat"] = json!(WEBAUTHN);
        signature["data"] = json!(STANDARD.encode(assertion.to_json()));
    }
    json!({
        "resourceType": "Provenance",
        "id": id,
        "target": [{
            "reference": offered.reference,
            "identifier": { "system": ENTRY, "value": statement.entry() },
        }],
        "recorded": at,
        "activity": { "coding": [{ "system": evidence::erasure::GOVERNANCE, "code": SIGNATURE }] },
        "agent": [{ "who": who }],
        "signature": [signature],
    })
}

/// A signature that was found, and whether it fits.
pub struct Found {
    /// What it says.
    pub signed: Signed,
    /// Whether it fits the entry that it is of.
    pub fits: Result<(), Flaw>,
    /// The entry that it lies in.
    pub version: Version,
}

/// The signatures on any version of something, the oldest first. Each is checked anew.
pub fn of(programme: &Programme, view: &View, kind: &str, id: &str) -> Result<Vec<Found>, Error> {
    let params = vec![("target".to_owned(), format!("{kind}/{id}"))];
    let (criteria, _) = record::search::parse_criteria("Provenance", &params, "");
    let page = view.search(&Search {
        criteria: &criteria,
        count: SHOWN_MAX,
        after: None,
        total: false,
    })?;
    let log = programme.ledger().verifier().name().to_owned();
    let mut found = Vec::new();
    for hit in page.hits {
        let Some(version) = view.read("Provenance", &hit.id)? else {
            continue;
        };
        let Some(signed) = Signed::read(&version.stored, &log) else {
            continue;
        };
        let fits = match view.entry(signed.statement.position)? {
            Some(entry) => fits(&signed, &entry, kind, id),
            None => Err(Flaw::OtherEntry),
        };
        found.push(Found {
            signed,
            fits,
            version,
        });
    }
    found.sort_by_key(|one| one.version.position);
    Ok(found)
}

fn fits(signed: &Signed, entry: &Entry, kind: &str, id: &str) -> Result<(), Flaw> {
    // An id that might say something stands in the line as an alias.
    match entry.kind == kind && (entry.id == id || entry.id.starts_with('~')) {
        true => signed.check(entry),
        false => Err(Flaw::OtherEntry),
    }
}
