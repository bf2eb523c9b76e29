//! Registered clients: who a program is, how it proves that, and what it may do, on the record.
//!
//! The desk has the registration as it stands, so that the command line can change one while the server runs. What
//! counts is on the record: each change is one version of `Basic/client-NAME`, sealed under the programme's key, with
//! whoever made it in its line. A registration whose latest change is not there yet lets nobody in
//! ([`on_record`]); it is written at the start, when an officer changes something on a page, and before the client is
//! let in for the first time since.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use desk::{Client, ClientChange, ClientState};
use policy::{Kind, Purpose, Role};
use record::json::Doc;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::chance::Chance;
use crate::error::{Error, ErrorKind};
use crate::fhir::scope::{Context, Extra, Scopes};
use crate::programme::{Actor, AsOf, Draft, Expect, Programme, Work};

pub mod redirect;

/// Code of what the record says about a client.
const CODE: &str = "client";
/// System of the extensions that say it.
const SAYS: &str = "urn:homecoming:client";
/// What a registration is for.
const PURPOSE: &str = "HOPERAT";

/// What a client may be there for.
pub fn purposes() -> &'static [Purpose] {
    Role::Client.purposes()
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// By a token that whoever has the machine made for it (`homecoming token`).
    #[default]
    Token,
    /// Not at all: an app in a browser or on a telephone.
    Public,
    /// By a secret (`client_secret_basic`).
    Secret,
    /// By signing (`private_key_jwt`).
    Key,
}

impl Proof {
    /// All of them.
    pub const ALL: [Proof; 4] = [Proof::Token, Proof::Public, Proof::Secret, Proof::Key];

    /// As forms and the command line write it.
    pub const fn code(self) -> &'static str {
        match self {
            Proof::Token => "token",
            Proof::Public => "public",
            Proof::Secret => "secret",
            Proof::Key => "key",
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Proof::Token => "by a token that is made on this server",
            Proof::Public => "not at all: an app in a browser or on a telephone",
            Proof::Secret => "by a secret that it keeps",
            Proof::Key => "by signing with a key of its own",
        }
    }
}

/// All of a registration but name and scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Registration {
    /// What people call it: "Growth Chart".
    pub title: String,
    /// Who answers for it.
    pub organisation: String,
    /// What it is there for; empty is treatment.
    pub purpose: String,
    /// How it proves who it is.
    pub proof: Proof,
    /// Where people are sent back to.
    pub redirects: Vec<String>,
    /// Where it is opened from a person's page.
    pub launch: Option<String>,
    /// Its public keys (a JWK Set).
    pub keys: Option<Json>,
    /// Where its public keys are.
    pub keys_url: Option<String>,
    /// Which of the [`SENSITIVE`] kinds of record it sees beside all others.
    pub sees: Vec<String>,
    /// Whether it works for the programme itself, under a qualified service organisation agreement
    /// (42 CFR 2.11): then it sees what it is registered for of substance use without the person's consent.
    pub of_programme: bool,
}

/// The kinds of record that a client sees only if its registration names them, and what they are called.
pub const SENSITIVE: [(Kind, &str); 3] = [
    (Kind::Notes, "therapy notes"),
    (Kind::Sud, "substance use"),
    (Kind::Restricted, "what is labelled as restricted"),
];

/// A client with its registration read.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its name, the `client_id`.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The rest.
    pub registration: Registration,
    /// Nothing that it sends is answered.
    pub disabled: bool,
    /// SHA-256 of its secret.
    pub secret: Option<[u8; 32]>,
    /// The record has it as it is.
    pub is_recorded: bool,
}

impl Registered {
    /// From what the desk has.
    pub fn read(client: &Client) -> Result<Registered, Error> {
        Ok(Registered {
            name: client.name.clone(),
            scopes: Scopes::parse(&client.scope).map_err(Error::internal)?,
            registration: serde_json::from_str(&client.document).map_err(Error::internal)?,
            disabled: client.disabled,
            secret: client.secret,
            is_recorded: client.is_recorded(),
        })
    }

    /// As entries name it.
    pub fn actor(&self) -> Actor {
        Actor {
            name: format!("client/{}", self.name),
            purpose: self.purpose().code().to_owned(),
        }
    }

    /// What it is there for; what cannot be read is treatment, as where nothing is said.
    pub fn purpose(&self) -> Purpose {
        Purpose::from_code(self.registration.purpose())
            .filter(|purpose| purposes().contains(purpose))
            .unwrap_or(Purpose::Treatment)
    }

    /// Whether it proves who it is in another way by a new registration.
    pub fn reproves(&self, new: &Registration) -> bool {
        self.registration.proof != new.proof
    }

    /// Whether somebody of a role does anything for what it is there for, so that it can act for them.
    pub fn is_for(&self, role: Role) -> bool {
        role.purposes().contains(&self.purpose())
    }

    /// What people call it; its name, if nobody said.
    pub fn title(&self) -> &str {
        match self.registration.title.as_str() {
            "" => &self.name,
            title => title,
        }
    }
}

impl Registration {
    /// What it is there for.
    pub fn purpose(&self) -> &str {
        match self.purpose.as_str() {
            "" => Purpose::Treatment.code(),
            purpose => purpose,
        }
    }

    /// The kinds of record that it is registered for.
    pub fn kinds(&self) -> Vec<Kind> {
        let sees = |kind: Kind| {
            let sensitive = SENSITIVE.iter().any(|(one, _)| *one == kind);
            !sensitive || self.sees.iter().any(|word| word == kind.as_str())
        };
        Kind::ALL
            .iter()
            .copied()
            .filter(|kind| sees(*kind))
            .collect()
    }

    /// The same, or nothing if that is all of them.
    pub fn kinds_but_all(&self) -> Option<Vec<Kind>> {
        Some(self.kinds()).filter(|kinds| kinds.len() < Kind::ALL.len())
    }

    /// What of the sensitive kinds it sees, in words.
    pub fn sees_words(&self) -> String {
        let kinds = self.kinds();
        let seen = SENSITIVE.iter().filter(|(kind, _)| kinds.contains(kind));
        let seen: Vec<&str> = seen.map(|(_, words)| *words).collect();
        match seen.as_slice() {
            [] => "no therapy notes, nothing of substance use and nothing restricted".to_owned(),
            seen => seen.join(", "),
        }
    }

    /// Whether it sees records of substance use.
    pub fn sees_substance_use(&self) -> bool {
        self.kinds().contains(&Kind::Sud)
    }

    /// Whether people are sent to it, to decide what it may do.
    pub fn asks_people(&self) -> bool {
        !self.redirects.is_empty()
    }

    /// Nothing, or a sentence about what does not fit together.
    pub fn check(&self, name: &str, scopes: &Scopes) -> Result<(), String> {
        if !is_name(name) {
            return Err(format!(
                "A client's name is 1 to 40 letters, digits, - and _; `{name}` is not."
            ));
        }
        for text in [&self.title, &self.organisation] {
            if text.chars().count() > 100 || text.chars().any(char::is_control) {
                return Err(
                    "Title and organisation are at most 100 characters of one line.".to_owned(),
                );
            }
        }
        if !purposes().iter().any(|one| one.code() == self.purpose()) {
            let codes: Vec<&str> = purposes().iter().map(|one| one.code()).collect();
            return Err(format!(
                "`{}` is no purpose that a client is there for; choose one of {}.",
                self.purpose,
                codes.join(", ")
            ));
        }
        if self.of_programme && !self.sees_substance_use() {
            return Err(
                "That it is part of the programme matters for substance use alone; let it see that as well."
                    .to_owned(),
            );
        }
        for word in &self.sees {
            if !SENSITIVE.iter().any(|(kind, _)| kind.as_str() == word) {
                return Err(format!(
                    "`{word}` is no kind of record that a client is registered for; there are notes, sud and restricted."
                ));
            }
        }
        for address in &self.redirects {
            redirect::check(address, self.proof == Proof::Public)?;
        }
        if let Some(address) = &self.launch {
            redirect::check_launch(address)?;
        }
        if scopes.is_empty() {
            return Err("A client needs a scope, such as `system/Observation.rs`.".to_owned());
        }
        self.check_keys()?;
        self.check_scopes(scopes)
    }

    fn check_keys(&self) -> Result<(), String> {
        match (self.proof, &self.keys, &self.keys_url) {
            (Proof::Key, None, None) => Err(
                "A client that signs needs its public keys: a JWK Set, or the address of one."
                    .to_owned(),
            ),
            (Proof::Key, Some(_), Some(_)) => {
                Err("Give the keys or their address, not both.".to_owned())
            }
            (Proof::Key, Some(keys), None) => crate::oauth::jwks::read(keys).map(|_| ()),
            (Proof::Key, None, Some(address)) => crate::oauth::fetch::check(address),
            (_, None, None) => Ok(()),
            _ => Err("Only a client that signs has keys.".to_owned()),
        }
    }

    fn check_scopes(&self, scopes: &Scopes) -> Result<(), String> {
        let for_people = scopes.is_for(Context::User)
            || scopes.is_for(Context::Patient)
            || [
                Extra::OpenId,
                Extra::FhirUser,
                Extra::Launch,
                Extra::LaunchPatient,
                Extra::Offline,
                Extra::Online,
            ]
            .into_iter()
            .any(|extra| scopes.has(extra));
        let for_itself = scopes.is_for(Context::System)
            || scopes.has(Extra::Log)
            || scopes.has(Extra::Introspect);
        match (self.proof, self.asks_people()) {
            (Proof::Public | Proof::Secret, false) => {
                Err("An app that people start needs an address to send them back to.".to_owned())
            }
            (Proof::Token, true) => Err(
                "People are not sent to a client that has only a token: choose how it proves who it is."
                    .to_owned(),
            ),
            (Proof::Public | Proof::Secret, _) if for_itself => Err(format!(
                "A client that acts for itself signs with a key: `{scopes}` has a scope that is for it alone."
            )),
            (_, false) if for_people => Err(format!(
                "`{scopes}` has a scope that a person must allow, and there is no address to send them back to."
            )),
            _ => Ok(()),
        }
    }
}

/// Whether a text can be a client's name.
pub fn is_name(name: &str) -> bool {
    // These are addresses of pages.
    !matches!(name, "mine" | "new")
        && (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The id of what the record says about a client. A name has no full stop, so no two share one.
pub fn record_id(name: &str) -> String {
    format!("client-{}", name.replace('_', "."))
}

/// Registers a client, or changes one; on the record before this answers.
pub async fn put(
    programme: &Programme,
    actor: &str,
    name: &str,
    scopes: &Scopes,
    registration: &Registration,
    disabled: bool,
    new: Option<Option<[u8; 32]>>,
) -> Result<(), Error> {
    registration
        .check(name, scopes)
        .map_err(|why| Error::new(ErrorKind::Refused, why))?;
    let document = serde_json::to_string(registration).map_err(Error::internal)?;
    let scope = scopes.to_string();
    let (desk, now) = (programme.desk(), programme.clock().now().0);
    let state = ClientState {
        scope: &scope,
        document: &document,
        disabled,
        reproves: match desk.client(name).map_err(Error::desk)? {
            Some(before) => Registered::read(&before)?.reproves(registration),
            None => false,
        },
    };
    match new {
        Some(secret) => desk.register_client(name, &state, secret.as_ref(), actor, now),
        None => desk.change_client(name, &state, actor, now),
    }
    .map_err(of_desk)?;
    settle(programme).await
}

/// A failure of the desk: what the officer can do something about is said.
pub fn of_desk(error: desk::Error) -> Error {
    match error {
        desk::Error::Exists { name, .. } => Error::new(
            ErrorKind::Conflict,
            format!("There is a client named {name} already. Choose another name."),
        ),
        desk::Error::Unknown { name, .. } => Error::new(
            ErrorKind::NotFound,
            format!("There is no client named {name}. All of them are under Apps."),
        ),
        other => Error::desk(other),
    }
}

/// One at a time pays what the record is owed, so that nothing is paid twice.
static PAYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Writes to the record what it is owed about clients.
pub async fn settle(programme: &Programme) -> Result<(), Error> {
    let _alone = PAYING.lock().await;
    for change in programme.desk().client_changes().map_err(Error::desk)? {
        if !is_there(programme, &change)? {
            let id = record_id(&change.client);
            let stored = entry(&change)?;
            let draft = Draft::governance("Basic", &id, Expect::Any, stored, None)?;
            let actor = Actor {
                name: change.actor.clone(),
                purpose: PURPOSE.to_owned(),
            };
            programme.submit(actor, Work::Ready(vec![draft])).await?;
        }
        programme
            .desk()
            .client_recorded(&change)
            .map_err(Error::desk)?;
    }
    Ok(())
}

/// Whether the record has a change already: it was written and the server stopped before the desk knew.
fn is_there(programme: &Programme, change: &ClientChange) -> Result<bool, Error> {
    let view = programme.view(AsOf::Now);
    let Some(version) = view.read("Basic", &record_id(&change.client))? else {
        return Ok(false);
    };
    Ok(version.stored == entry(change)?)
}

/// Refuses a client that the record does not have as it is; writes it there first, if it can be.
pub fn on_record(programme: &Programme, client: &Client) -> Result<(), Error> {
    if client.is_recorded() {
        return Ok(());
    }
    let handle = tokio::runtime::Handle::try_current().map_err(Error::internal)?;
    // Once after a change; every other time there is nothing to wait for.
    tokio::task::block_in_place(|| handle.block_on(settle(programme)))
}

/// The origins from which pages of registered apps may read answers.
pub fn origins(programme: &Programme) -> Result<HashSet<String>, Error> {
    let mut origins = HashSet::new();
    for client in programme.desk().clients().map_err(Error::desk)? {
        if !client.disabled && client.is_recorded() {
            let redirects = Registered::read(&client)?.registration.redirects;
            origins.extend(redirects.iter().filter_map(|one| redirect::origin(one)));
        }
    }
    Ok(origins)
}

/// What the record says of a client since a change.
fn entry(change: &ClientChange) -> Result<Vec<u8>, Error> {
    let registration: Registration =
        serde_json::from_str(&change.document).map_err(Error::internal)?;
    let mut says = vec![
        says("scope", &change.scope),
        says("purpose", registration.purpose()),
        says("proof", registration.proof.code()),
        says("sees", &registration.sees_words()),
        says("revision", &change.revision.to_string()),
        says(
            "changed",
            &record::time::RecordedAt(change.created_us).to_string(),
        ),
    ];
    for (name, text) in [
        ("title", &registration.title),
        ("organisation", &registration.organisation),
    ] {
        if !text.is_empty() {
            says.push(self::says(name, text));
        }
    }
    for address in &registration.redirects {
        says.push(self::says("redirect", address));
    }
    for (name, text) in [
        ("launch", &registration.launch),
        ("keys-address", &registration.keys_url),
    ] {
        if let Some(text) = text {
            says.push(self::says(name, text));
        }
    }
    if let Some(keys) = &registration.keys {
        says.push(self::says("keys", &keys.to_string()));
    }
    let state = match (change.removed, change.disabled) {
        (true, _) => "removed",
        (false, true) => "disabled",
        (false, false) => "enabled",
    };
    says.push(self::says("state", state));
    let resource = json!({
        "resourceType": "Basic",
        "id": record_id(&change.client),
        "extension": says,
        "identifier": [{ "system": SAYS, "value": change.client }],
        "code": { "coding": [{ "system": evidence::erasure::GOVERNANCE, "code": CODE }] },
    });
    let stored = serde_json::to_vec(&resource).map_err(Error::internal)?;
    Ok(record::stored::write(
        Doc::parse(&stored).map_err(Error::internal)?.root(),
        &record_id(&change.client),
        &mut |_| None,
    ))
}

/// What a version on the record says of a client, as far as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Says {
    /// What it may do since.
    pub scope: String,
    /// `enabled`, `disabled` or `removed`.
    pub state: String,
}

impl Says {
    /// From the stored form; empty where it says nothing.
    pub fn read(stored: &[u8]) -> Says {
        let Ok(doc) = Doc::parse(stored) else {
            return Says::default();
        };
        let says = |name: &str| {
            let url = format!("{SAYS}:{name}");
            let mut all = doc
                .root()
                .get("extension")
                .into_iter()
                .flat_map(|all| all.items());
            all.find(|one| one.str_at(&["url"]) == Some(&url))
                .and_then(|one| one.str_at(&["valueString"]))
                .unwrap_or_default()
                .to_owned()
        };
        Says {
            scope: says("scope"),
            state: says("state"),
        }
    }
}

fn says(name: &str, text: &str) -> Json {
    json!({ "url": format!("{SAYS}:{name}"), "valueString": text })
}

/// A new secret of 32 random bytes, and the hash that is kept of it.
pub fn new_secret(chance: &Chance) -> (String, [u8; 32]) {
    use sha2::{Digest, Sha256};
    let mut bytes = [0u8; 32];
    chance.fill(&mut bytes);
    let secret = format!("hcs_{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = Sha256::digest(&secret).into();
    (secret, hash)
}

/// Whether a secret is the one whose hash is kept; takes the same time for any.
pub fn is_secret(kept: Option<&[u8; 32]>, given: &str) -> bool {
    use sha2::{Digest, Sha256};
    let hash: [u8; 32] = Sha256::digest(given).into();
    let kept = kept.copied().unwrap_or_default();
    let differing = kept.iter().zip(&hash).fold(0, |all, (a, b)| all | (a ^ b));
    differing == 0
}

#[cfg(test)]
mod tests;
