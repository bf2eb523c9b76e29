//! Registered programs and apps: officers register and change them; everybody sees and ends what acts for them.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::Launch;
use serde_json::Value as Json;

use super::{Asked, away, html, see};
use crate::clients::{self, Proof, Registered, Registration};
use crate::error::{Error, ErrorKind};
use crate::fhir::Api;
use crate::fhir::query::{self, Pairs};
use crate::fhir::scope::{Extra, Scopes};
use crate::programme::{AsOf, Programme, View};
use crate::release::{self, Given};
use crate::router::Drawn;
use crate::sign_in::SignedIn;
use crate::web::app::{Change, Context, Form, Known};
use crate::web::apps_mine::{Allowed, Opens};
use crate::web::when::RecordedAt;
use crate::web::{app, apps, apps_mine, path};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 64 << 10;
/// How long an app that was opened has to ask what it may do, in microseconds.
const LAUNCH: i64 = 300_000_000;
/// Why an answer about registrations is no disclosure of anybody's record.
const REGISTERED: &str = "registrations are about programs, not persons";

/// The list.
pub async fn list(asked: Asked) -> Result<Response, Error> {
    officer(&asked.who)?;
    let asked = asked.in_whole();
    away(move || {
        let clients = asked.programme.desk().clients().map_err(Error::desk)?;
        let rows = clients.iter().map(|client| {
            let read = Registered::read(client)?;
            Ok(apps::Row {
                title: read.title().to_owned(),
                scope: read.scopes.to_string(),
                proof: read.registration.proof.words(),
                disabled: read.disabled,
                organisation: read.registration.organisation,
                name: read.name,
            })
        });
        let context = apps::Context {
            rows: rows.collect::<Result<_, Error>>()?,
            shell: asked.shell(),
        };
        let page = html(StatusCode::OK, apps::page(&context));
        Ok(release::nothing(page, REGISTERED))
    })
    .await
}

/// The form that registers one.
pub async fn form(asked: Asked) -> Result<Response, Error> {
    officer(&asked.who)?;
    let asked = asked.in_whole();
    let form = of_registration("", &Scopes::default(), &Registration::default());
    Ok(draw(&asked, form, None, None, None, StatusCode::OK))
}

/// One of them.
pub async fn get(asked: Asked, Path(name): Path<String>) -> Result<Response, Error> {
    officer(&asked.who)?;
    let asked = asked.in_whole();
    away(move || one(&asked, &name, None, None)).await
}

/// Registers one.
pub async fn add(asked: Asked, body: Bytes) -> Result<Response, Error> {
    let sent = read(&body)?;
    officer(&asked.who)?;
    let name = field(&sent, "name").to_owned();
    let outcome = match registration(&sent) {
        Ok((scopes, registration)) => {
            let secret = (registration.proof == Proof::Secret)
                .then(|| clients::new_secret(asked.programme.chance()));
            let hash = secret.as_ref().map(|(_, hash)| *hash);
            let actor = actor(&asked.who);
            clients::put(
                &asked.programme,
                &actor,
                &name,
                &scopes,
                &registration,
                false,
                Some(hash),
            )
            .await
            .map(|()| secret)
        }
        Err(why) => Err(Error::new(ErrorKind::Refused, why)),
    };
    match outcome {
        Ok(None) => Ok(see(&path::app(&name))),
        Ok(Some((secret, _))) => {
            let asked = asked.in_whole();
            away(move || one(&asked, &name, Some(secret), None)).await
        }
        Err(error) => sent_again(&asked, &sent, None, error),
    }
}

/// Changes one.
pub async fn change(
    asked: Asked,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Error> {
    let sent = read(&body)?;
    officer(&asked.who)?;
    let client = known(&asked.programme, &name)?;
    let outcome = match registration(&sent) {
        Ok((scopes, registration)) => {
            let actor = actor(&asked.who);
            let disabled = client.disabled;
            clients::put(
                &asked.programme,
                &actor,
                &name,
                &scopes,
                &registration,
                disabled,
                None,
            )
            .await
        }
        Err(why) => Err(Error::new(ErrorKind::Refused, why)),
    };
    match outcome {
        Ok(()) => Ok(see(&path::app(&name))),
        Err(error) => sent_again(&asked, &sent, Some(name), error),
    }
}

/// Disables one, enables it, or gives it a new secret.
pub async fn step(
    asked: Asked,
    Path((name, step)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Error> {
    read(&body)?;
    officer(&asked.who)?;
    let client = known(&asked.programme, &name)?;
    let (programme, actor) = (&asked.programme, actor(&asked.who));
    match step.as_str() {
        "disable" | "enable" => {
            clients::put(
                programme,
                &actor,
                &name,
                &client.scopes,
                &client.registration,
                step == "disable",
                None,
            )
            .await?;
            Ok(see(&path::app(&name)))
        }
        "secret" if client.registration.proof == Proof::Secret => {
            let (secret, hash) = clients::new_secret(programme.chance());
            let now = programme.clock().now().0;
            programme
                .desk()
                .set_client_secret(&name, Some(&hash), &actor, now)
                .map_err(clients::of_desk)?;
            clients::settle(programme).await?;
            let asked = asked.in_whole();
            away(move || one(&asked, &name, Some(secret), None)).await
        }
        _ => Err(Error::new(
            ErrorKind::NotFound,
            "There is no such step for this app.",
        )),
    }
}

/// The apps that act for whoever is signed in.
pub async fn mine(asked: Asked) -> Result<Response, Error> {
    let asked = asked.in_whole();
    away(move || {
        let now = asked.programme.clock().now().0;
        let grants = asked
            .programme
            .desk()
            .grants_of(asked.who.user.id, now)
            .map_err(Error::desk)?;
        let mut given = Given::new();
        let mut allowed = Vec::with_capacity(grants.len());
        for grant in grants {
            let person = match &grant.patient {
                None => None,
                Some(id) => {
                    given.person(asked.programme.ledger().person(id));
                    name_of(&asked.view, id)?
                }
            };
            allowed.push(Allowed {
                id: grant.id,
                title: Registered::read(&grant.client)?.title().to_owned(),
                scope: grant.scope,
                person,
                since: RecordedAt(grant.created_us),
                until: RecordedAt(grant.expires_us),
            });
        }
        let context = apps_mine::Context {
            shell: asked.shell(),
            open: None,
            allowed,
        };
        Ok(asked.answer(apps_mine::page(&context), given))
    })
    .await
}

/// Ends what one was allowed.
pub async fn end(
    State(programme): State<Programme>,
    who: SignedIn,
    Path(id): Path<i64>,
    body: Bytes,
) -> Result<Response, Error> {
    read(&body)?;
    programme
        .desk()
        .end_grant(id, Some(who.user.id))
        .map_err(Error::desk)?;
    Ok(see(path::APPS_MINE))
}

/// The apps that can be opened on a person.
pub async fn of_person(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    let asked = asked.in_whole();
    away(move || {
        must_be_there(&asked.view, &id)?;
        let mut apps = Vec::new();
        for client in asked.programme.desk().clients().map_err(Error::desk)? {
            let read = Registered::read(&client)?;
            if opens(&read) {
                apps.push(Opens {
                    title: read.title().to_owned(),
                    organisation: read.registration.organisation,
                    name: read.name,
                });
            }
        }
        let context = apps_mine::Context {
            shell: asked.shell(),
            open: Some((id.clone(), apps)),
            allowed: Vec::new(),
        };
        let mut given = Given::new();
        given.person(asked.programme.ledger().person(&id));
        let mut page = asked.answer(apps_mine::page(&context), given);
        // A form here ends at the app's own address.
        let ends = launches(&asked.programme)?;
        super::allow::may_end_at(&mut page, ends.iter().map(String::as_str));
        Ok(page)
    })
    .await
}

/// Opens one: sends the browser there with a secret that stands for the person and whoever opens it.
pub async fn open(
    asked: Asked,
    Extension(api): Extension<Api>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    read(&body)?;
    let own = crate::oauth::issuer(&api, &headers)?;
    away(move || {
        must_be_there(&asked.view, &id)?;
        let client = known(&asked.programme, &name)?;
        let Some(address) = client
            .registration
            .launch
            .as_ref()
            .filter(|_| opens(&client))
        else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "This app cannot be opened from here.",
            ));
        };
        let now = asked.programme.clock().now().0;
        let launch = Launch {
            client: client.name.clone(),
            user: asked.who.user.id,
            patient: id.clone(),
        };
        let secret = asked
            .programme
            .desk()
            .new_launch(&launch, now, now + LAUNCH, &mut |bytes| {
                asked.programme.chance().fill(bytes)
            })
            .map_err(Error::desk)?;
        let sign = if address.contains('?') { '&' } else { '?' };
        let iss = format!("{own}/fhir");
        let query = query::encode([("iss", iss.as_str()), ("launch", secret.as_str())]);
        Ok(see(&format!("{address}{sign}{query}")))
    })
    .await
}

/// Whether an app can be opened from a page.
fn opens(client: &Registered) -> bool {
    !client.disabled
        && client.is_recorded
        && client.registration.launch.is_some()
        && client.scopes.has(Extra::Launch)
}

fn launches(programme: &Programme) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for client in programme.desk().clients().map_err(Error::desk)? {
        let read = Registered::read(&client)?;
        if opens(&read) {
            found.extend(read.registration.launch);
        }
    }
    Ok(found)
}

/// Refuses an address of nobody, or of somebody who may not be known.
fn must_be_there(view: &View, id: &str) -> Result<(), Error> {
    match view.read("Patient", id)? {
        Some(version) if !version.deleted => Ok(()),
        _ => Err(Error::new(
            ErrorKind::NotFound,
            "There is no such person in the record. Look for them by name under Find.",
        )),
    }
}

/// The name of a person whom the reader may know.
pub(super) fn name_of(view: &View, id: &str) -> Result<Option<String>, Error> {
    let Some(version) = view.read("Patient", id)?.filter(|version| !version.deleted) else {
        return Ok(None);
    };
    let doc = record::json::Doc::parse(&version.stored).map_err(Error::internal)?;
    Ok(crate::case::words::name(doc.root()))
}

fn officer(who: &SignedIn) -> Result<(), Error> {
    match who.user.role.as_str() {
        "officer" => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Forbidden,
            "Programs and apps are registered by officers. Those that act for you are under Apps that act for you.",
        )),
    }
}

fn actor(who: &SignedIn) -> String {
    format!("user/{}", who.user.id)
}

fn known(programme: &Programme, name: &str) -> Result<Registered, Error> {
    let found = programme.desk().client(name).map_err(Error::desk)?;
    found.as_ref().map(Registered::read).unwrap_or_else(|| {
        Err(Error::new(
            ErrorKind::NotFound,
            "There is no such program or app. All of them are under Apps.",
        ))
    })
}

fn read(body: &Bytes) -> Result<Pairs, Error> {
    if body.len() > FORM_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "That is more than the form takes.",
        ));
    }
    query::decode(&String::from_utf8_lossy(body))
}

fn field<'f>(form: &'f Pairs, name: &str) -> &'f str {
    let found = form.iter().find(|(given, _)| given == name);
    found.map_or("", |(_, value)| value.trim())
}

/// What a form says; the error is a sentence about what is wrong with it.
fn registration(sent: &Pairs) -> Result<(Scopes, Registration), String> {
    let scopes = Scopes::parse(field(sent, "scope"))?;
    let proof = Proof::ALL
        .into_iter()
        .find(|one| one.code() == field(sent, "proof"))
        .ok_or("Choose how it proves who it is.")?;
    let some = |name: &str| Some(field(sent, name).to_owned()).filter(|text| !text.is_empty());
    let keys = match some("keys") {
        None => None,
        Some(text) => Some(
            serde_json::from_str::<Json>(&text)
                .map_err(|_| "Its public keys cannot be read as JSON.")?,
        ),
    };
    let registration = Registration {
        title: field(sent, "title").to_owned(),
        organisation: field(sent, "organisation").to_owned(),
        purpose: field(sent, "purpose").to_owned(),
        proof,
        redirects: field(sent, "redirects")
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect(),
        launch: some("launch"),
        keys,
        keys_url: some("keys_url"),
        // What is not ticked is not seen.
        sees: ticked(sent),
        of_programme: field(sent, "part_of_programme") == "yes",
    };
    Ok((scopes, registration))
}

/// The sensitive kinds of record that are ticked.
fn ticked(sent: &Pairs) -> Vec<String> {
    let all = sent.iter().filter(|(name, _)| name == "sees");
    all.map(|(_, word)| word.clone()).collect()
}

/// The sensitive kinds of record: word, what it is called, whether it is ticked.
fn sensitive(is_ticked: impl Fn(&str) -> bool) -> Vec<(String, String, bool)> {
    let choices = clients::SENSITIVE.iter().map(|(kind, words)| {
        let word = kind.as_str();
        (word.to_owned(), (*words).to_owned(), is_ticked(word))
    });
    choices.collect()
}

fn of_registration(name: &str, scopes: &Scopes, registration: &Registration) -> Form {
    Form {
        name: name.to_owned(),
        title: registration.title.clone(),
        organisation: registration.organisation.clone(),
        scope: scopes.to_string(),
        purposes: clients::purposes()
            .iter()
            .map(|one| {
                let chosen = one.code() == registration.purpose();
                (one.code().to_owned(), one.words().to_owned(), chosen)
            })
            .collect(),
        proofs: Proof::ALL
            .into_iter()
            .map(|one| {
                let chosen = one == registration.proof;
                (one.code().to_owned(), one.words().to_owned(), chosen)
            })
            .collect(),
        redirects: registration.redirects.join("\n"),
        launch: registration.launch.clone().unwrap_or_default(),
        keys: registration
            .keys
            .as_ref()
            .map(|keys| format!("{keys:#}"))
            .unwrap_or_default(),
        keys_url: registration.keys_url.clone().unwrap_or_default(),
        sees: sensitive(|word| registration.sees.iter().any(|one| one == word)),
        of_programme: registration.of_programme,
    }
}

/// What was sent, to be put right.
fn sent_again(
    asked: &Asked,
    sent: &Pairs,
    name: Option<String>,
    error: Error,
) -> Result<Response, Error> {
    if !matches!(error.kind, ErrorKind::Refused | ErrorKind::Conflict) {
        return Err(error);
    }
    let choice = |all: Vec<(String, String, bool)>, field: &str| {
        all.into_iter()
            .map(|(code, words, _)| {
                let chosen = code == field;
                (code, words, chosen)
            })
            .collect()
    };
    let plain = of_registration("", &Scopes::default(), &Registration::default());
    let text = |name: &str| field(sent, name).to_owned();
    let form = Form {
        name: name.clone().unwrap_or_else(|| text("name")),
        title: text("title"),
        organisation: text("organisation"),
        scope: text("scope"),
        purposes: choice(plain.purposes, field(sent, "purpose")),
        proofs: choice(plain.proofs, field(sent, "proof")),
        redirects: text("redirects"),
        launch: text("launch"),
        keys: text("keys"),
        keys_url: text("keys_url"),
        sees: sensitive(|word| ticked(sent).iter().any(|one| one == word)),
        of_programme: field(sent, "part_of_programme") == "yes",
    };
    let known = match &name {
        Some(name) => Some(history(asked, name)?),
        None => None,
    };
    let status = error.status();
    Ok(draw(asked, form, known, Some(error.message), None, status))
}

fn one(
    asked: &Asked,
    name: &str,
    secret: Option<String>,
    problem: Option<String>,
) -> Result<Response, Error> {
    let client = known(&asked.programme, name)?;
    let form = of_registration(name, &client.scopes, &client.registration);
    let known = history(asked, name)?;
    let status = StatusCode::OK;
    Ok(draw(asked, form, Some(known), problem, secret, status))
}

/// What the record has of one, the newest first. It is the programme's own, about nobody.
fn history(asked: &Asked, name: &str) -> Result<Known, Error> {
    let client = known(&asked.programme, name)?;
    let record = asked.programme.view(AsOf::Now);
    let versions = record.history("Basic", &clients::record_id(name))?;
    let mut changes = Vec::with_capacity(versions.len());
    for version in versions {
        let says = clients::Says::read(&version.stored);
        changes.push(Change {
            position: version.position,
            at: RecordedAt(version.recorded_at.0),
            who: super::erasures::name(&asked.programme, &version.actor),
            scope: says.scope,
            state: says.state,
        });
    }
    Ok(Known {
        disabled: client.disabled,
        has_secret: client.registration.proof == Proof::Secret,
        changes,
    })
}

fn draw(
    asked: &Asked,
    form: Form,
    known: Option<Known>,
    problem: Option<String>,
    secret: Option<String>,
    status: StatusCode,
) -> Response {
    let context = Context {
        shell: asked.shell(),
        form,
        known,
        problem,
        secret,
    };
    let mut response = release::nothing(html(status, app::page(&context)), REGISTERED);
    // What is to be put right stands in the form that was sent.
    response.extensions_mut().insert(Drawn);
    response
}
