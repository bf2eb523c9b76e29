//! OAuth's authorization endpoint: a person who is signed in decides what an app may do.
//!
//! What is wrong with the app or the address that it wants the answer at is told here, on a page; nobody is ever sent
//! to an address that was not registered to the letter. Everything else is told to the app. The request is
//! looked at again, whole, when the decision comes: nothing of it is believed because it was shown.
//!
//! The answer says who gives it (`iss`, RFC 9207), so that an app that uses several servers cannot be made to take one for
//! another. What was allowed is an entry of the record, in the chain of the person whom it is about.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use desk::{Bound, NewGrant};
use maud::{DOCTYPE, html as markup};
use serde_json::json;

use super::{Asked, apps, away, html, see};
use crate::assets;
use crate::clients::{self, Registered, redirect};
use crate::error::{Error, ErrorKind};
use crate::fhir::Api;
use crate::fhir::query::{self, Pairs};
use crate::fhir::scope::{Context as Behalf, Extra, Scopes};
use crate::oauth::{self, token};
use crate::programme::{Actor, Draft, Expect, Programme, Work};
use crate::release::{self, Given};
use crate::web::allow::{Context, Found, Row, Stage, page};
use crate::web::path;

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 64 << 10;
/// How long a code is good, in microseconds.
const CODE: i64 = 60_000_000;
/// Says that the browser came from a page of ours.
const HERE: &str = "here";
/// What an app sends that is sent again with the decision.
const PARAMETERS: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "launch",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    HERE,
];

/// A request that may be decided about.
struct Request {
    client: Registered,
    redirect: String,
    state: String,
    scopes: Scopes,
    challenge: String,
    nonce: Option<String>,
    launch: Option<String>,
    issuer: String,
    again: Pairs,
}

/// Why there is nothing to decide.
enum Wrong {
    /// Told here: the app or its address is not known.
    Here(Error),
    /// Told to the app, at this address.
    App(String),
}

/// `GET /oauth/authorize`
pub async fn get(
    State(programme): State<Programme>,
    Extension(api): Extension<Api>,
    headers: HeaderMap,
    uri: Uri,
    asked: Result<Asked, Response>,
) -> Result<Response, Error> {
    let params = query::decode(uri.query().unwrap_or_default())?;
    let request = match understand(&api, &programme, &headers, &params) {
        Ok(request) => request,
        Err(Wrong::Here(error)) => return Err(error),
        Err(Wrong::App(address)) => return Ok(see(&address)),
    };
    let asked = match asked {
        Ok(asked) => asked.in_whole(),
        // A cookie of ours does not come along from the app's page; from one of ours it does.
        Err(_) if !params.iter().any(|(name, _)| name == HERE) => return Ok(bounce(&uri)),
        Err(sign_in) => return Ok(sign_in),
    };
    if let Some(address) = not_for(&asked, &request) {
        return Ok(see(&address));
    }
    away(move || {
        let chosen = params.iter().find(|(name, _)| name == "person");
        let query = params.iter().find(|(name, _)| name == "q");
        let person = whose(&asked, &request, chosen.map(|(_, id)| id.as_str()));
        let (stage, given) = match person {
            Whose::Refused(address) => return Ok(see(&address)),
            Whose::Choose(problem) => {
                let query = query.map(|(_, q)| q.trim().to_owned()).unwrap_or_default();
                find(&asked, query, problem)?
            }
            Whose::Of(person) => decide_on(&asked, &request, person)?,
        };
        draw(&asked, &request, stage, given)
    })
    .await
}

/// `POST /oauth/authorize`: the decision.
pub async fn post(
    State(programme): State<Programme>,
    Extension(api): Extension<Api>,
    headers: HeaderMap,
    asked: Asked,
    body: Bytes,
) -> Result<Response, Error> {
    if body.len() > FORM_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "That is more than the form takes.",
        ));
    }
    let sent = query::decode(&String::from_utf8_lossy(&body))?;
    let (kept, rest): (Pairs, Pairs) = sent.into_iter().partition(|(name, _)| name == "keep");
    let request = match understand(&api, &programme, &headers, &rest) {
        Ok(request) => request,
        Err(Wrong::Here(error)) => return Err(error),
        Err(Wrong::App(address)) => return Ok(see(&address)),
    };
    let field = |name: &str| rest.iter().find(|(given, _)| given == name);
    let field = |name: &str| field(name).map(|(_, value)| value.as_str());
    if field("decision") != Some("allow") {
        let why = "The person did not allow it.";
        return Ok(see(&request.refused("access_denied", why)));
    }
    if let Some(address) = not_for(&asked, &request) {
        return Ok(see(&address));
    }
    let person = match whose(&asked, &request, field("person")) {
        Whose::Of(person) => person,
        Whose::Refused(address) => return Ok(see(&address)),
        Whose::Choose(_) => {
            return Err(Error::new(
                ErrorKind::Refused,
                "It was not said whose record the app is to work with. Start the app again.",
            ));
        }
    };
    let keeps = |word: &str| kept.iter().any(|(_, scope)| scope == word);
    let mut scopes = request.scopes.keep(keeps);
    for extra in ASKED {
        if scopes.has(extra) && !keeps(extra.word()) {
            scopes = scopes.without(extra);
        }
    }
    if scopes.is_empty() {
        let why = "The person took everything away.";
        return Ok(see(&request.refused("access_denied", why)));
    }
    // What goes on for months is not allowed by whoever finds a browser open.
    let now = programme.clock().now().0;
    if scopes.has(Extra::Offline) && !asked.who.is_fresh(now) {
        return Ok(see(&again(&request, person.as_ref().map(|(id, _)| id))));
    }
    if let Some(launch) = &request.launch
        && !programme.desk().end_launch(launch).map_err(Error::desk)?
    {
        let why = "The launch was used already.";
        return Ok(see(&request.refused("invalid_request", why)));
    }
    let person = person.map(|(id, _)| id);
    allow(&asked, &request, &scopes, person).await
}

/// Scopes that are no matter of kinds of record, and that the person decides about one by one.
const ASKED: [Extra; 4] = [
    Extra::OpenId,
    Extra::FhirUser,
    Extra::Offline,
    Extra::Online,
];

impl Request {
    /// The app's address with an answer.
    fn answered(&self, pairs: &[(&str, &str)]) -> String {
        answered(&self.redirect, &self.state, &self.issuer, pairs)
    }

    fn refused(&self, code: &str, why: &str) -> String {
        self.answered(&[("error", code), ("error_description", why)])
    }

    /// Whether it works with one person's record.
    fn is_of_one(&self) -> bool {
        self.launch.is_some()
            || self.scopes.has(Extra::LaunchPatient)
            || self.scopes.is_for(Behalf::Patient)
    }
}

fn answered(redirect: &str, state: &str, issuer: &str, pairs: &[(&str, &str)]) -> String {
    let sign = if redirect.contains('?') { '&' } else { '?' };
    let all = pairs
        .iter()
        .copied()
        .chain([("state", state), ("iss", issuer)])
        .filter(|(_, value)| !value.is_empty());
    format!("{redirect}{sign}{}", query::encode(all))
}

/// Reads a request from the beginning.
fn understand(
    api: &Api,
    programme: &Programme,
    headers: &HeaderMap,
    params: &Pairs,
) -> Result<Request, Wrong> {
    let here = |kind, why: &str| Wrong::Here(Error::new(kind, why));
    let value = |name: &str| {
        let found = params.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    for name in PARAMETERS {
        if params.iter().filter(|(given, _)| given == name).count() > 1 {
            let why = format!("The app sent `{name}` twice, so nobody can say what it means.");
            return Err(here(ErrorKind::Malformed, &why));
        }
    }
    let issuer = oauth::issuer(api, headers).map_err(Wrong::Here)?;
    let found = programme
        .desk()
        .client(value("client_id"))
        .map_err(|error| Wrong::Here(Error::desk(error)))?;
    let client = match found {
        Some(client) if !client.disabled && client.is_recorded() => {
            Some(Registered::read(&client).map_err(Wrong::Here)?)
        }
        _ => None,
    };
    let client = client
        .filter(|client| client.registration.asks_people())
        .ok_or_else(|| {
            here(
                ErrorKind::Refused,
                "An app that is not registered here asks to use this record. Nothing was given to it. If you \
                 expected it to work, tell an officer its name.",
            )
        })?;
    let redirect = value("redirect_uri").to_owned();
    if !client.registration.redirects.contains(&redirect) {
        return Err(here(
            ErrorKind::Refused,
            "The app wants the answer at an address that is not registered for it. Nothing was given to it: \
             somebody may be pretending to be this app. Tell an officer.",
        ));
    }
    let state = value("state").to_owned();
    let app = |code: &str, why: &str| {
        let pairs = [("error", code), ("error_description", why)];
        Wrong::App(answered(&redirect, &state, &issuer, &pairs))
    };
    for name in ["request", "request_uri", "registration"] {
        if !value(name).is_empty() {
            let code = format!("{name}_not_supported");
            return Err(app(&code, "Parameters are sent as they are here."));
        }
    }
    if value("response_type") != "code" {
        return Err(app("unsupported_response_type", "Only `code` is answered."));
    }
    if !matches!(value("response_mode"), "" | "query") {
        return Err(app("invalid_request", "The answer is in the query."));
    }
    if state.is_empty() || state.len() > 1_000 {
        return Err(app("invalid_request", "`state` is missing or too long."));
    }
    let challenge = value("code_challenge").to_owned();
    if value("code_challenge_method") != "S256" || !oauth::is_challenge(&challenge) {
        let why = "PKCE is needed: `code_challenge` with `code_challenge_method=S256`.";
        return Err(app("invalid_request", why));
    }
    let aud = value("aud").trim_end_matches('/');
    if aud != format!("{issuer}/fhir") {
        let why = "`aud` is not the address of this server's FHIR.";
        return Err(app("invalid_request", why));
    }
    if value("prompt").split(' ').any(|word| word == "none") {
        let why = "A person must decide, so it cannot be done unseen.";
        return Err(app("interaction_required", why));
    }
    let (wanted, _) = Scopes::read(value("scope"));
    let scopes = client
        .scopes
        .of_asked(&wanted)
        .without_context(Behalf::System)
        .without(Extra::Log)
        .without(Extra::Introspect);
    if scopes.is_empty() {
        let why = "Nothing of what was asked for is registered for this app.";
        return Err(app("invalid_scope", why));
    }
    let some = |name: &str| Some(value(name).to_owned()).filter(|text| !text.is_empty());
    let launch = some("launch");
    if launch.is_some() && !scopes.has(Extra::Launch) {
        let why =
            "`launch` needs the scope `launch`, which is not registered or was not asked for.";
        return Err(app("invalid_scope", why));
    }
    if some("nonce").is_some_and(|nonce| nonce.len() > 500) {
        return Err(app("invalid_request", "`nonce` is too long."));
    }
    let again = PARAMETERS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), some(name)?)))
        .collect();
    Ok(Request {
        challenge,
        nonce: some("nonce"),
        launch,
        redirect: redirect.clone(),
        state: state.clone(),
        issuer: issuer.clone(),
        client,
        scopes,
        again,
    })
}

/// Where the app is told that it is registered for what whoever is signed in does nothing for.
fn not_for(asked: &Asked, request: &Request) -> Option<String> {
    let role = asked.reader.who().role;
    let why = format!(
        "This app is registered for {}, and a {} does nothing here for that.",
        request.client.purpose().words(),
        role.as_str()
    );
    (!request.client.is_for(role)).then(|| request.refused("access_denied", &why))
}

/// Where whoever is signed in shows again that it is them, and comes back to decide.
fn again(request: &Request, person: Option<&String>) -> String {
    let mut pairs: Vec<(&str, &str)> = request
        .again
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.extend(person.map(|id| ("person", id.as_str())));
    let next = path::with(path::AUTHORIZE, &pairs);
    path::with(path::AGAIN, &[("next", &next)])
}

/// Whose record it is about.
enum Whose {
    /// Of this person, or of whomever its user may see.
    Of(Option<(String, String)>),
    /// Of somebody who must be chosen, with what is wrong with the last choice.
    Choose(Option<String>),
    /// The app is told no, at this address.
    Refused(String),
}

fn whose(asked: &Asked, request: &Request, chosen: Option<&str>) -> Whose {
    let known = |id: &str| apps::name_of(&asked.view, id).ok().flatten();
    let user = &asked.who.user;
    if let Some(secret) = &request.launch {
        let now = asked.programme.clock().now().0;
        let launch = asked.programme.desk().launch(secret, now).ok().flatten();
        let fits =
            launch.filter(|launch| launch.client == request.client.name && launch.user == user.id);
        let found = fits.and_then(|launch| Some((known(&launch.patient)?, launch.patient)));
        return match found {
            Some((name, id)) => Whose::Of(Some((id, name))),
            None => Whose::Refused(request.refused(
                "invalid_request",
                "The launch is not known, has ended, or is another app's or person's.",
            )),
        };
    }
    if !request.is_of_one() {
        return Whose::Of(None);
    }
    // A participant has one record to start an app on: their own.
    if let Some(own) = &user.patient {
        return match known(own) {
            Some(name) => Whose::Of(Some((own.clone(), name))),
            None => Whose::Refused(request.refused("access_denied", "There is no record to open.")),
        };
    }
    match chosen {
        None => Whose::Choose(None),
        Some(id) => match known(id) {
            Some(name) => Whose::Of(Some((id.to_owned(), name))),
            None => Whose::Choose(Some("Choose one of those whom you find here.".to_owned())),
        },
    }
}

fn find(asked: &Asked, query: String, problem: Option<String>) -> Result<(Stage, Given), Error> {
    let mut given = Given::new();
    let mut found = Vec::new();
    for version in super::find::search(&asked.view, &query)? {
        given.person(asked.programme.ledger().person(&version.id));
        let doc = record::json::Doc::parse(&version.stored).map_err(Error::internal)?;
        found.push(Found {
            name: crate::case::words::name(doc.root())
                .unwrap_or_else(|| "(no name recorded)".to_owned()),
            facts: doc
                .root()
                .str_at(&["birthDate"])
                .map(|born| format!("born {born}"))
                .unwrap_or_default(),
            id: version.id,
        });
    }
    let stage = Stage::Whose {
        query,
        found,
        problem,
    };
    Ok((stage, given))
}

fn decide_on(
    asked: &Asked,
    request: &Request,
    person: Option<(String, String)>,
) -> Result<(Stage, Given), Error> {
    let mut given = Given::new();
    if let Some((id, _)) = &person {
        given.person(asked.programme.ledger().person(id));
    }
    let rows = request.scopes.on_resources().iter().map(|scope| Row {
        scope: scope.to_string(),
        words: scope.words(),
        writes: scope.writes(),
    });
    let extras = ASKED
        .into_iter()
        .filter(|extra| request.scopes.has(*extra))
        .map(|extra| Row {
            scope: extra.word().to_owned(),
            words: match extra {
                Extra::OpenId => "Learn that it is you",
                Extra::FhirUser => "Learn which entry of the record you are",
                Extra::Offline => "Go on when you have signed out, for at most 90 days",
                _ => "Go on as long as you are signed in",
            }
            .to_owned(),
            writes: false,
        });
    let stage = Stage::What {
        person,
        rows: rows.collect(),
        extras: extras.collect(),
    };
    Ok((stage, given))
}

fn draw(asked: &Asked, request: &Request, stage: Stage, given: Given) -> Result<Response, Error> {
    let registration = &request.client.registration;
    let goes_to = redirect::origin(&request.redirect)
        .and_then(|origin| Some(origin.split_once("://")?.1.to_owned()))
        .unwrap_or_else(|| "an app on this device".to_owned());
    let mut shell = asked.shell();
    // What the app sent is in the page's own form, and nowhere else.
    shell.keep.clear();
    let context = Context {
        shell,
        title: request.client.title().to_owned(),
        organisation: Some(registration.organisation.clone()).filter(|text| !text.is_empty()),
        purpose: request.client.purpose().words().to_owned(),
        goes_to,
        request: request.again.clone(),
        stage,
    };
    let mut response = asked.answer(page(&context), given);
    may_end_at(&mut response, std::iter::once(request.redirect.as_str()));
    Ok(response)
}

/// Lets a form of a page end at these addresses besides our own: browsers ask where a form's answer leads.
pub(super) fn may_end_at<'a>(response: &mut Response, addresses: impl Iterator<Item = &'a str>) {
    let mut ends: Vec<String> = addresses.map(redirect::form_action).collect();
    ends.sort();
    ends.dedup();
    let policy = assets::CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'",
        &format!("form-action 'self' {}", ends.join(" ")),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// A page that leads to the same address from here, so that our cookie comes along.
fn bounce(uri: &Uri) -> Response {
    let address = uri
        .path_and_query()
        .map_or(path::AUTHORIZE, |whole| whole.as_str());
    let address = path::with(address, &[(HERE, "1")]);
    let document = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "An app asks to use this record \u{b7} Homecoming" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta http-equiv="refresh" content={ "0; url=" (address) };
                link rel="stylesheet" href=(assets::path("uswds.css"));
                link rel="stylesheet" href=(assets::path("homecoming.css"));
            }
            body class="now" {
                main id="main" {
                    h1 { "An app asks to use this record" }
                    p { a href=(address) { "Go on" } }
                }
            }
        }
    };
    release::nothing(html(StatusCode::OK, document), "nobody is known to ask yet")
}

/// Records what is allowed, and sends the app its code.
async fn allow(
    asked: &Asked,
    request: &Request,
    scopes: &Scopes,
    person: Option<String>,
) -> Result<Response, Error> {
    let programme = &asked.programme;
    let now = programme.clock().now().0;
    let lasts = match (scopes.has(Extra::Offline), scopes.has(Extra::Online)) {
        (true, _) => token::OFFLINE,
        (false, true) => token::ONLINE,
        (false, false) => token::ONCE,
    };
    let scope = scopes.to_string();
    on_record(asked, request, &scope, person.as_deref(), now + lasts).await?;
    let desk = programme.desk();
    let new = NewGrant {
        client: &request.client.name,
        user: Some(asked.who.user.id),
        scope: &scope,
        patient: person.as_deref(),
        session: asked.who.session.as_ref().map(|session| session.id),
        online: scopes.has(Extra::Online) && !scopes.has(Extra::Offline),
        authenticated_us: asked.who.authenticated_us().unwrap_or(now),
        expires_us: now + lasts,
    };
    let grant = desk.allow(&new, now).map_err(clients::of_desk)?;
    if scopes.has(Extra::Offline) {
        let words = format!(
            "You allowed {} to go on when you have signed out, until {}. If that was not you, end it under Apps that \
             act for you, and tell an officer.",
            request.client.title(),
            &record::time::RecordedAt(new.expires_us).to_string()[..10]
        );
        desk.tell(asked.who.user.id, &words, now)
            .map_err(Error::desk)?;
    }
    let bound = Bound {
        redirect: request.redirect.clone(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
    };
    let mut chance = |bytes: &mut [u8]| programme.chance().fill(bytes);
    let code = desk
        .new_code(grant, &bound, now + CODE, &mut chance)
        .map_err(Error::desk)?;
    Ok(see(&request.answered(&[("code", &code)])))
}

/// An entry that says what was allowed, by whom, to which app; in the chain of the person whom it is about.
async fn on_record(
    asked: &Asked,
    request: &Request,
    scope: &str,
    person: Option<&str>,
    until: i64,
) -> Result<(), Error> {
    let programme = &asked.programme;
    let id = programme.new_id();
    let says = |name: &str, text: &str| json!({ "url": format!("urn:homecoming:client:{name}"), "valueString": text });
    let resource = json!({
        "resourceType": "Basic",
        "id": id,
        "extension": [
            says("client", &request.client.name),
            says("scope", scope),
            says("until", &record::time::RecordedAt(until).to_string()),
        ],
        "code": { "coding": [{ "system": evidence::erasure::GOVERNANCE, "code": "app-allowed" }] },
    });
    let stored = serde_json::to_vec(&resource).map_err(Error::internal)?;
    let draft = Draft::governance("Basic", &id, Expect::Absent, stored, person)?;
    let actor = Actor {
        name: asked.who.actor().name,
        purpose: "HOPERAT".to_owned(),
    };
    programme.submit(actor, Work::Ready(vec![draft])).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_who_gives_it_and_keeps_what_the_app_said() {
        assert_eq!(
            answered(
                "https://app.example/back?a=b",
                "x y&z",
                "https://record.example",
                &[("code", "c")]
            ),
            "https://app.example/back?a=b&code=c&state=x%20y%26z&iss=https://record.example"
        );
        assert_eq!(
            answered("org.example.app:/back", "", "i", &[("error", "e")]),
            "org.example.app:/back?error=e&iss=i"
        );
    }

    #[test]
    fn a_form_may_end_at_the_app_and_nowhere_else() {
        let mut response = html(StatusCode::OK, markup! {});
        may_end_at(
            &mut response,
            ["https://app.example/back", "https://app.example/other"].into_iter(),
        );
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("text");
        assert!(
            policy.contains("form-action 'self' https://app.example;"),
            "{policy}"
        );
        assert!(policy.contains("default-src 'none'"), "{policy}");
    }
}
