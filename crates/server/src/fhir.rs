//! FHIR R4 over HTTP: one request understood ([`Ask`]), one answer made ([`Answer`]).
//!
//! Each interaction is a file in FHIR's words and has two halves: a handler that axum calls, and
//! a function from an [`Ask`] to an [`Answer`], which a batch calls for its entries, too. Every
//! read goes through a view of the programme as of some size, so "now" and "as known then" are
//! the same code. Resources are served as the stored text; nothing here turns a number into a
//! float and back.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use record::time::RecordedAt;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::oauth::Smart;
use crate::permit::{Reader, purpose, write};
use crate::programme::{Actor, AsOf, Committed, Programme, Version, View, Work};
use crate::rate::Rates;
use crate::release::{Disclosure, Given, Release, What};
use negotiate::{Format, Prefer, Tags};
use scope::{Door, Grant};

pub mod audit_event;
pub mod batch;
pub mod body;
pub mod bundle;
pub mod capabilities;
pub mod conditional;
pub mod create;
pub mod delete;
pub mod elements;
pub mod history;
pub mod instant;
pub mod negotiate;
pub mod outcome;
pub mod pretty;
pub mod promise;
pub mod put;
pub mod query;
pub mod read;
pub mod receipt;
pub mod scope;
pub mod search;
pub mod update;
pub mod validate;
pub mod vread;

/// What the operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that clients reach `/fhir` under, without a slash at the end; if none is
    /// given it is taken from each request's `Host`.
    pub base: Option<String>,
    /// The largest bundle at `/fhir`, in bytes.
    pub bundle_bytes_max: usize,
    /// The largest body elsewhere, in bytes.
    pub resource_bytes_max: usize,
    /// How many requests a second an address, and an account, may make; none for as many as they like.
    pub rate: Option<u32>,
    /// Clients' keys may be fetched from addresses that only this network reaches.
    pub keys_inside: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            base: None,
            bundle_bytes_max: 64 << 20,
            resource_bytes_max: 4 << 20,
            rate: Some(50),
            keys_inside: false,
        }
    }
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    programme: Programme,
    door: Door,
    clock: Clock,
    settings: Settings,
    started_at: RecordedAt,
    requests: AtomicU64,
    capabilities: capabilities::Cache,
    smart: Smart,
    rates: Rates,
    origins: Mutex<(i64, Arc<HashSet<String>>)>,
}

impl Api {
    /// The API of a programme, with the door that its clients come in through.
    pub fn new(programme: Programme, door: Door, clock: Clock, settings: Settings) -> Api {
        let started_at = clock.now();
        let smart = Smart::new(&programme, settings.keys_inside);
        let rates = Rates::new(settings.rate);
        Api(Arc::new(Inner {
            smart,
            rates,
            origins: Mutex::new((i64::MIN, Arc::default())),
            programme,
            door,
            clock,
            settings,
            started_at,
            requests: AtomicU64::new(0),
            capabilities: capabilities::Cache::default(),
        }))
    }

    /// The programme that is served.
    pub fn programme(&self) -> &Programme {
        &self.0.programme
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whose token the request carries, and what it grants.
    pub fn enter(&self, headers: &HeaderMap) -> Result<Arc<Grant>, Error> {
        self.0.door.enter(headers, self.0.clock.now().0)
    }

    /// Whether the request carries a token that was good when it was last looked up.
    pub fn remembers(&self, headers: &HeaderMap) -> bool {
        self.0.door.remembers(headers)
    }

    /// The time now, in microseconds.
    pub fn now(&self) -> i64 {
        self.0.clock.now().0
    }

    /// What the token server shares.
    pub fn smart(&self) -> &Smart {
        &self.0.smart
    }

    /// How often somebody may ask.
    pub fn rates(&self) -> &Rates {
        &self.0.rates
    }

    /// Whether an origin is one of a registered, enabled app.
    pub fn is_registered_origin(&self, origin: &str) -> bool {
        let now = self.now();
        let mut known = self
            .0
            .origins
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !(known.0..known.0.saturating_add(scope::REMEMBERED)).contains(&now) {
            match crate::clients::origins(&self.0.programme) {
                Ok(origins) => *known = (now, Arc::new(origins)),
                Err(error) => {
                    log(&error, "origins");
                    return false;
                }
            }
        }
        known.1.contains(origin)
    }

    /// A name for a request, to find it in the log again: when the server was started, and the
    /// request's number since.
    pub fn next_request_id(&self) -> String {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", self.0.started_at.0 / 1_000_000)
    }

    /// The address of `/fhir` as the client sees it.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        if let Some(base) = &self.0.settings.base {
            return base.clone();
        }
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .filter(|host| {
                host.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b))
            })
            .unwrap_or("localhost");
        let secure = headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto == "https");
        format!("{}://{host}/fhir", if secure { "https" } else { "http" })
    }
}

/// The conditions that a request names.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// `If-Match`: the version that the client worked on.
    pub if_match: Option<Tags>,
    /// `If-None-Match`: versions that the client has.
    pub if_none_match: Option<Tags>,
    /// `If-Modified-Since`, in seconds since the epoch.
    pub if_modified_since: Option<i64>,
    /// `If-None-Exist`: a search that must find nothing.
    pub if_none_exist: Option<String>,
}

impl Conditions {
    fn read(headers: &HeaderMap) -> Result<Conditions, Error> {
        let tags = |name: HeaderName| match negotiate::text(headers, name.clone())? {
            None => Ok(None),
            Some(text) => Tags::parse(name.as_str(), text).map(Some),
        };
        Ok(Conditions {
            if_match: tags(header::IF_MATCH)?,
            if_none_match: tags(header::IF_NONE_MATCH)?,
            // RFC 9110: a date that cannot be read is as if it were not there.
            if_modified_since: negotiate::text(headers, header::IF_MODIFIED_SINCE)?
                .and_then(instant::from_http_date),
            if_none_exist: negotiate::text(headers, HeaderName::from_static("if-none-exist"))?
                .map(|text| text.trim_start_matches('?').to_owned()),
        })
    }
}

/// Carries the notice of 42 CFR 2.32 with an answer that gives out what it is owed with; what is stored is
/// given as it is stored.
const REDISCLOSURE_NOTICE: HeaderName = HeaderName::from_static("redisclosure-notice");

/// One request, understood and let in.
#[derive(Clone)]
pub struct Ask {
    /// What all requests share.
    pub api: Api,
    /// Who asks and what they may do.
    pub grant: Arc<Grant>,
    /// Whose eyes the record is read with, and what for.
    pub reader: Reader,
    /// The address of `/fhir` as the client sees it, without a slash at the end.
    pub base: String,
    /// The query's parameters, without `_format`, `_pretty` and `_asof`.
    pub params: query::Pairs,
    /// How the answer is to be written.
    pub format: Format,
    /// What the client would like.
    pub prefer: Prefer,
    /// What the client makes its request depend on.
    pub conditions: Conditions,
    /// The state of the record that was asked for, if one was.
    pub as_of: Option<AsOf>,
    /// If a state was asked for: the path below `/fhir`, to name the same thing as of now.
    pub path: String,
    /// What was asked for, as the access log will have it: path and query, with the instant.
    pub address: String,
}

impl Ask {
    /// Understands the head of a request by somebody who is let in already.
    fn understand(api: &Api, parts: &Parts, grant: Arc<Grant>) -> Result<Ask, Error> {
        let headers = &parts.headers;
        let params = query::decode(parts.uri.query().unwrap_or(""))?;
        let as_of = match negotiate::text(headers, HeaderName::from_static("accept-datetime"))? {
            Some(text) => Some(instant::accept_datetime(text)?),
            None => None,
        };
        // A parameter goes before the header.
        let asked_at = match as_of {
            Some(AsOf::Instant(at)) if params.iter().all(|(name, _)| name != "_asof") => {
                Some(query::encode([("_asof", instant::to_fhir(at).as_str())]))
            }
            _ => None,
        };
        let purpose = match purpose::stated(headers)? {
            // An officer registered it for one thing, and the person who allowed it was told which.
            Some(stated) if grant.user.is_some() && stated != grant.purpose => {
                return Err(Error::new(
                    ErrorKind::Forbidden,
                    format!(
                        "This app is registered for {}, so it reads for nothing else. Leave out `Purpose-Of-Use`.",
                        grant.purpose.words()
                    ),
                ));
            }
            Some(stated) => stated,
            None => grant.purpose,
        };
        let mut ask = Ask {
            api: api.clone(),
            reader: grant.narrow(
                api.programme(),
                Reader::new(grant.who.clone(), purpose, api.0.clock.now().0)?,
            ),
            grant,
            base: api.base(headers),
            params: Vec::new(),
            format: Format::default(),
            prefer: Prefer::read(headers),
            conditions: Conditions::read(headers)?,
            as_of,
            path: String::new(),
            address: parts
                .uri
                .path_and_query()
                .map_or_else(String::new, |whole| whole.as_str().to_owned()),
        };
        if let Some(text) = &asked_at {
            let sign = if ask.address.contains('?') { '&' } else { '?' };
            ask.address.push(sign);
            ask.address.push_str(text);
        }
        // A receipt is a text whatever the client accepts.
        let accept = match parts.uri.path().ends_with("/$receipt") {
            true => None,
            false => negotiate::text(headers, header::ACCEPT)?,
        };
        ask.take(params, accept)?;
        if ask.as_of.is_some() {
            let path = parts.uri.path();
            ask.path = path.strip_prefix("/fhir").unwrap_or(path).to_owned();
        }
        Ok(ask)
    }

    /// Takes decoded parameters, those of every request out of them.
    fn take(&mut self, params: query::Pairs, accept: Option<&str>) -> Result<(), Error> {
        let (mut format, mut pretty) = (None, None);
        for (name, value) in params {
            match name.as_str() {
                "_format" => format = Some(value),
                "_pretty" => pretty = Some(value),
                "_asof" => self.as_of = Some(instant::as_of(&value)?),
                _ => self.params.push((name, value)),
            }
        }
        if accept.is_some() || format.is_some() || pretty.is_some() {
            self.format = negotiate::format(accept, format.as_deref(), pretty.as_deref())?;
        }
        Ok(())
    }

    /// A request that was answered before, to be answered again as of then; for the eyes of whoever
    /// looks at it again, and for nobody's answer.
    pub(crate) fn again(
        api: &Api,
        actor: Actor,
        scopes: &str,
        as_of: AsOf,
        reader: &Reader,
    ) -> Result<Ask, Error> {
        let grant = Grant::again(actor, scopes, reader)?;
        Ok(Ask {
            api: api.clone(),
            reader: grant.narrow(api.programme(), reader.clone()),
            grant: Arc::new(grant),
            base: api.base(&HeaderMap::new()),
            params: Vec::new(),
            format: Format::default(),
            prefer: Prefer::default(),
            conditions: Conditions::default(),
            as_of: Some(as_of),
            path: String::new(),
            address: String::new(),
        })
    }

    /// Answers what an address below `/fhir` asks for, if it is one that reads.
    pub(crate) fn read_again(&mut self, address: &str) -> Result<Answer, Error> {
        let address = batch::entry::Address::parse(&self.base, address)?;
        batch::alone::read(self, address)
    }

    /// The record as the request wants it, as far as whoever asks may see it.
    pub fn view(&self) -> View {
        self.view_of(self.as_of.unwrap_or(AsOf::Now))
    }

    /// The same of another state.
    pub fn view_of(&self, as_of: AsOf) -> View {
        self.api.programme().view(as_of).seen_by(&self.reader)
    }

    /// Whoever asks, and what for, as what they write will name it.
    pub fn actor(&self) -> Actor {
        Actor {
            purpose: self.reader.purpose().code().to_owned(),
            ..self.grant.actor.clone()
        }
    }

    /// Writes one transaction, if whoever asks may make each of its writes: all of it or nothing.
    pub async fn submit(&self, work: Work) -> Result<Committed, Error> {
        let programme = self.api.programme();
        let work = write::checked(&programme.view(AsOf::Now), &self.reader, work)?;
        programme.submit(self.actor(), work).await
    }

    /// The response to an answer, or to an error with what it tells.
    pub(crate) fn respond(&self, outcome: Result<Answer, Error>) -> Response {
        let mut error = match outcome {
            Ok(answer) => return answer.respond(self),
            Err(error) => error,
        };
        let given = error.gives.take();
        let mut response = error.into_response();
        if let Some(given) = given {
            let release = self.release(What::Found, *given, self.view().size());
            response.extensions_mut().insert(release);
        }
        response
    }

    /// What an answer gives out, drawn from so many entries.
    fn release(&self, what: What, given: Given, size: u64) -> Release {
        let basis = self.reader.basis(&given);
        Release::Of(Box::new(Disclosure {
            actor: self.actor(),
            names: self.reader.who().names.clone(),
            what,
            address: self.address.clone(),
            scope: self.grant.told(),
            size,
            whole: self.api.programme().view(AsOf::Now).size(),
            given,
            basis,
        }))
    }

    /// Refuses a write into the past.
    pub fn refuse_as_of(&self) -> Result<(), Error> {
        match self.as_of {
            None => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Refused,
                "The past cannot be written to: leave out `_asof` and `Accept-Datetime`.",
            )),
        }
    }

    /// Refuses parameters where none has a meaning (unless the client asked for leniency).
    pub fn refuse_params(&self) -> Result<(), Error> {
        match self.params.first() {
            Some((name, _)) if self.prefer.handling != Some(negotiate::Handling::Lenient) => {
                Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`{}` has no meaning here.", negotiate::printable(name)),
                ))
            }
            _ => Ok(()),
        }
    }
}

impl FromRequestParts<Api> for Ask {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Ask, Error> {
        let grant = api.enter(&parts.headers)?;
        Ask::understand(api, parts, grant)
    }
}

/// Logs an error with what lies behind it. What only the client did wrong is logged quietly.
pub(crate) fn log(error: &Error, request: &str) {
    if error.status().is_server_error() {
        tracing::error!(request, kind = ?error.kind, "{}", error.for_operator());
    } else {
        // The sentence names what was asked for, perhaps by an id that says who it is: it was told to
        // the client, and a log keeps it longer than an erasure may let it.
        tracing::debug!(request, kind = ?error.kind, "refused");
    }
}

/// Runs work that reads much or computes long away from the threads that serve connections.
pub(crate) async fn away<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}

/// Refuses what is not a resource type of R4.
pub fn known_kind(kind: &str) -> Result<(), Error> {
    if record::definitions::kind_number(kind).is_some() {
        return Ok(());
    }
    if kind.starts_with(['_', '$']) {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "`{}` of the whole server is not supported; ask for one resource type at a time.",
                negotiate::printable(kind)
            ),
        ));
    }
    Err(Error::new(
        ErrorKind::NotFound,
        format!(
            "There is no resource type `{}` in FHIR R4.",
            negotiate::printable(kind)
        ),
    ))
}

/// Refuses what is not a FHIR id.
pub fn known_id(id: &str) -> Result<(), Error> {
    let fits = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    if fits {
        return Ok(());
    }
    if id.starts_with(['_', '$']) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is not possible for a whole resource type, or not supported.",
                negotiate::printable(id)
            ),
        ));
    }
    Err(Error::new(
        ErrorKind::Malformed,
        format!(
            "`{}` is not an id: ids are 1 to 64 letters, digits, `-` and `.`.",
            negotiate::printable(id)
        ),
    ))
}

/// What an answer carries.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    None,
    /// A resource, as compact JSON.
    Resource(Vec<u8>),
    /// A resource that many answers share.
    Shared(Bytes),
    /// Something that is not a resource: media type and text.
    Text(&'static str, String),
}

/// One answer, before it is HTTP or the entry of a bundle.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body.
    pub content: Content,
    /// The version that is answered or was made: for `ETag` and `Last-Modified`.
    pub version: Option<(u32, RecordedAt)>,
    /// `Kind/id/_history/version` of what a write made.
    pub location: Option<String>,
    /// Whether the same request can have another answer as of another instant.
    pub varies: bool,
    /// The state that was read, if one was asked for: its size and the instant to be told.
    pub memento: Option<instant::Memento>,
    /// What it gives out of the record.
    pub gives: Gives,
}

/// What an answer gives out of the record.
#[derive(Debug)]
pub enum Gives {
    /// It does not say: such an answer is not given.
    Unsaid,
    /// Nothing, and why not.
    Nothing(&'static str),
    /// This, in this way, drawn from so many entries.
    Of(What, Given, u64),
}

impl Answer {
    /// An answer with a status and nothing else.
    pub fn empty(status: StatusCode) -> Answer {
        Answer {
            status,
            content: Content::None,
            version: None,
            location: None,
            varies: false,
            memento: None,
            gives: Gives::Unsaid,
        }
    }

    /// A resource that was read from a view.
    pub fn read(ask: &Ask, view: &View, resource: Vec<u8>, what: What, given: Given) -> Answer {
        Answer {
            gives: Gives::Of(what, given, view.size()),
            content: Content::Resource(resource),
            varies: true,
            memento: instant::Memento::of(ask, view),
            ..Answer::empty(StatusCode::OK)
        }
    }

    /// A version that was read from a view.
    pub fn version(ask: &Ask, view: &View, version: &Version, what: What) -> Answer {
        Answer {
            version: Some((version.version, version.recorded_at)),
            ..Answer::read(ask, view, version.served(), what, Given::of(version))
        }
    }

    /// The HTTP response.
    pub fn respond(self, ask: &Ask) -> Response {
        let (media, body) = match self.content {
            Content::None => (None, Body::empty()),
            Content::Resource(json) if ask.format.pretty => {
                (Some(ask.format.media), Body::from(pretty::indent(&json)))
            }
            Content::Resource(json) => (Some(ask.format.media), Body::from(json)),
            Content::Shared(json) if ask.format.pretty => {
                (Some(ask.format.media), Body::from(pretty::indent(&json)))
            }
            Content::Shared(json) => (Some(ask.format.media), Body::from(json)),
            Content::Text(media, text) => (Some(media), Body::from(text)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(media) = media {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        }
        let mut set = |name: HeaderName, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.append(name, value);
            }
        };
        if let Some((version, recorded_at)) = self.version {
            set(header::ETAG, etag(version));
            set(header::LAST_MODIFIED, instant::to_http_date(recorded_at));
        }
        if let Some(location) = self.location {
            set(header::LOCATION, format!("{}/{location}", ask.base));
        }
        if self.varies {
            set(
                header::VARY,
                "accept, accept-datetime, authorization".to_owned(),
            );
            set(header::CACHE_CONTROL, "no-cache, private".to_owned());
        }
        if let Some(memento) = self.memento {
            if let Some(datetime) = memento.datetime {
                set(
                    HeaderName::from_static("memento-datetime"),
                    instant::to_http_date(datetime),
                );
            }
            set(header::LINK, memento.links(ask));
        }
        let release = match self.gives {
            Gives::Unsaid => return response,
            Gives::Nothing(why) => Release::Nothing(why),
            Gives::Of(what, given, size) => {
                if !ask.reader.basis(&given).notice.is_empty() {
                    set(REDISCLOSURE_NOTICE, policy::REDISCLOSURE.to_owned());
                }
                ask.release(what, given, size)
            }
        };
        response.extensions_mut().insert(release);
        response
    }
}

/// `W/"3"`
pub fn etag(version: u32) -> String {
    format!("W/\"{version}\"")
}
