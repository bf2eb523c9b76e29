//! The pages' handlers: each reads the record through a view, fills a context, and draws it.
//!
//! Everything that is shown comes from a [`View`] as of the instant in the address, so a page of
//! the past is the same code as a page of now. Only the steps of an erasure write to the
//! record; they are forms of our own pages.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use ledger::witnessed::LogName;
use maud::Markup;
use policy::{Action, Purpose, Verdict};

use crate::error::{Error, ErrorKind};
use crate::fhir::instant;
use crate::fhir::query::{self, Pairs};
use crate::permit::{self, Reader, Thing, Who};
use crate::programme::{Actor, AsOf, Programme, RecordedAt, View};
use crate::release::{self, Basis, Disclosure, Given, Release, What};
use crate::sign_in::{SignedIn, limits};
use crate::web::layout::{AsKnown, Ends, Outside, Reading, Shell, User};
use crate::web::{path, when};
use crate::{assets, web};

mod access;
mod account;
mod accounting;
mod allow;
mod apps;
mod break_glass;
mod caseload;
mod consents;
mod cover;
mod disputes;
mod enrol;
mod entry;
pub(crate) mod erasures;
mod export;
mod figures;
mod find;
mod form;
pub(crate) mod forms;
mod me;
mod packet;
mod person;
mod places;
mod purpose;
mod read_under;
mod record;
pub(crate) mod rules;
mod scanned;
mod seen;
mod sign;
mod sign_in;
pub(crate) mod smaller;
mod timelines;
pub(crate) mod warrants;

mod users;

/// The largest form that enters a warrant: its scan, and the fields beside it.
const WARRANT_BYTES_MAX: usize = crate::warrant::SCAN_BYTES_MAX + (64 << 10);

/// The pages' address space.
pub fn routes(programme: Programme) -> Router {
    Router::new()
        .route("/", get(home))
        .route(path::SIGN_IN, get(sign_in::form).post(sign_in::enter))
        .route(path::SIGN_OUT, post(sign_in::leave))
        .route(path::ME, get(me::get))
        .route(path::PURPOSE, post(purpose::choose))
        .route(path::SIGN_IN_PASSKEY, post(sign_in::passkey))
        .route(path::SIGN_IN_PASSKEY_DONE, post(sign_in::passkey_done))
        .route(path::PROVIDER, get(sign_in::to_provider))
        .route(path::PROVIDER_BACK, get(sign_in::from_provider))
        .route(path::ENROL, get(enrol::form).post(enrol::enter))
        .route(path::ENROL_PASSWORD, post(enrol::password))
        .route(path::ENROL_PASSKEY, post(enrol::passkey))
        .route(path::ENROL_PASSKEY_DONE, post(enrol::passkey_done))
        .route(path::ENROL_PROVIDER, post(enrol::to_provider))
        .route(path::ACCOUNT, get(account::get))
        .route(path::ACCOUNT_SESSIONS, post(account::sessions))
        .route(path::ACCOUNT_WAYS, post(account::ways))
        .route(path::ACCOUNT_NOTICES, post(account::notices))
        .route(
            path::AGAIN,
            get(account::again).post(account::again_password),
        )
        .route(path::AGAIN_PASSKEY, post(account::again_passkey))
        .route(path::AGAIN_PASSKEY_DONE, post(account::again_passkey_done))
        .route(path::AGAIN_PROVIDER, post(account::again_provider))
        .route(path::SESSION, post(account::session))
        .route(path::DRAFTS, get(account::drafts))
        .route(path::DRAFTS_DROP, post(account::drop_draft))
        .route(path::USERS, get(users::get).post(users::add))
        .route("/users/{id}", get(users::one))
        .route("/users/{id}/{step}", post(users::step))
        .route(path::CASELOAD, get(caseload::get))
        .route(path::FIND, get(find::get))
        .route(path::RECORD, get(record::get))
        .route(path::CHECKPOINT, get(record::checkpoint))
        .route(path::KEY, get(record::key))
        .route(path::ERASURES, get(erasures::list).post(erasures::ask))
        .route(path::ERASURE_NEW, get(erasures::form))
        .route("/erasures/{id}", get(erasures::get))
        .route("/erasures/{id}/{step}", post(erasures::step))
        .route(path::POLICY, get(rules::get).post(rules::set))
        .route(path::POLICY_TRY, post(rules::attempt))
        .route(path::POLICY_EDIT, post(rules::edit))
        .route(
            path::WARRANTS,
            get(warrants::list)
                .post(warrants::enter)
                .layer(DefaultBodyLimit::max(WARRANT_BYTES_MAX)),
        )
        .route(path::WARRANT_NEW, get(warrants::form))
        .route("/warrants/{id}", get(warrants::get))
        .route("/warrants/{id}/paper", get(warrants::paper))
        .route("/warrants/{id}/{step}", post(warrants::step))
        .route(path::INSPECTION, get(warrants::inspection))
        .route(
            "/people/{id}/break-glass",
            get(break_glass::form).post(break_glass::open),
        )
        .route(path::BREAK_GLASS, get(break_glass::list))
        .route("/break-glass/{id}", get(break_glass::get))
        .route("/break-glass/{id}/{step}", post(break_glass::step))
        .route(path::COVER, get(cover::list).post(cover::enter))
        .route("/cover/{id}/{step}", post(cover::step))
        .route(path::FIGURES, get(figures::get))
        .route("/people/{id}", get(person::get))
        .route("/people/{id}/timelines", get(timelines::get))
        .route("/entries/{position}", get(entry::get))
        .route("/entries/{position}/receipt", get(entry::receipt))
        .route(
            "/people/{id}/consents",
            get(consents::list).post(consents::decide),
        )
        .route("/people/{id}/consents/new", get(consents::form))
        .route("/people/{id}/consents/{consent}", get(consents::get))
        .route("/people/{id}/consents/{consent}/{step}", post(packet::step))
        .route(
            "/people/{id}/accounting",
            get(accounting::get).post(accounting::suspend),
        )
        .route("/people/{id}/accounting.csv", get(accounting::file))
        .route(
            "/people/{id}/accounting/{suspension}/lift",
            post(accounting::lift),
        )
        .route("/people/{id}/disputes", get(disputes::list))
        .route(
            "/entries/{position}/dispute",
            get(disputes::form).post(disputes::raise),
        )
        .route("/disputes/{id}", get(disputes::get))
        .route("/disputes/{id}/{step}", post(disputes::step))
        .route(
            "/entries/{position}/sign",
            get(sign::form).post(sign::password),
        )
        .route("/entries/{position}/sign/passkey", post(sign::passkey))
        .route(
            "/entries/{position}/sign/passkey/done",
            post(sign::passkey_done),
        )
        .route("/people/{id}/access", get(access::of_person))
        .route("/people/{id}/export", get(export::get))
        .route(path::ACCESS, get(access::of_everybody))
        .route("/access/{position}", get(access::one))
        .route("/access/{position}/receipt", get(access::receipt))
        .route("/access/{position}/seen", get(seen::get))
        .route(path::AUTHORIZE, get(allow::get).post(allow::post))
        .route(path::APPS, get(apps::list).post(apps::add))
        .route(path::APP_NEW, get(apps::form))
        .route(path::APPS_MINE, get(apps::mine))
        .route("/apps/mine/{grant}", post(apps::end))
        .route("/apps/{name}", get(apps::get).post(apps::change))
        .route("/apps/{name}/{step}", post(apps::step))
        .route("/people/{id}/apps", get(apps::of_person))
        .route("/people/{id}/apps/{name}", post(apps::open))
        .route("/assets/{name}", get(asset))
        .layer(Extension(Arc::new(caseload::Known::default())))
        .layer(Extension(Arc::new(figures::Counted::default())))
        .with_state(programme.clone())
        .layer(axum::middleware::from_fn(smaller::smaller))
        .layer(axum::middleware::from_fn_with_state(
            programme,
            forms::guard,
        ))
}

/// Whoever is signed in begins where their role does; an instant goes along.
async fn home(
    State(programme): State<Programme>,
    who: Option<SignedIn>,
    uri: Uri,
) -> Result<Response, Error> {
    let Some(who) = who else {
        return Ok(see(path::SIGN_IN));
    };
    let ways = places::of(&who.permitted_as(&programme)?);
    let first = ways.first().map_or(path::RECORD, |way| &way.address);
    Ok(match uri.query() {
        Some(query) => see(&format!("{first}?{query}")),
        None => see(first),
    })
}

/// Someone who is signed in asks for a page, as of some instant.
#[derive(Clone)]
pub(crate) struct Asked {
    programme: Programme,
    who: SignedIn,
    /// Whose eyes the record is read with, and what for.
    reader: Reader,
    /// The record as of the instant asked for, as far as they may see it.
    view: View,
    path: String,
    /// What was asked for, as the access log will have it.
    address: String,
    params: Pairs,
    /// It was shown to somebody before, and is drawn again.
    again: Option<seen::Again>,
}

impl FromRequestParts<Programme> for Asked {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        programme: &Programme,
    ) -> Result<Asked, Response> {
        let who =
            <Option<SignedIn> as FromRequestParts<Programme>>::from_request_parts(parts, programme)
                .await
                .map_err(IntoResponse::into_response)?;
        let Some(who) = who else {
            let wanted = parts
                .uri
                .path_and_query()
                .map_or("/", |whole| whole.as_str());
            return Err(see(&path::with(path::SIGN_IN, &[("next", wanted)])));
        };
        Asked::read(programme, who, &parts.uri, &parts.headers).map_err(IntoResponse::into_response)
    }
}

impl Asked {
    fn read(
        programme: &Programme,
        who: SignedIn,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Asked, Error> {
        let params = query::decode(uri.query().unwrap_or_default())?;
        let asked = params
            .iter()
            .find(|(name, value)| name == path::AS_OF && !value.is_empty());
        let as_of = match (asked, headers.get("accept-datetime")) {
            (Some((_, text)), _) => instant::as_of(text)?,
            (None, Some(date)) => instant::accept_datetime(date.to_str().unwrap_or_default())?,
            (None, None) => AsOf::Now,
        };
        let mut address = uri
            .path_and_query()
            .map_or_else(String::new, |whole| whole.as_str().to_owned());
        if let (None, AsOf::Instant(at)) = (asked, as_of) {
            address = path::with(&address, &[(path::AS_OF, &when::exact(at.0))]);
        }
        let reader = who.reader(programme, uri.path())?;
        let reader = match break_glass::is_open(programme, &reader, uri.path())? {
            true => reader.for_purpose(Purpose::Emergency)?,
            false => reader,
        };
        Ok(Asked {
            programme: programme.clone(),
            address,
            who,
            view: programme.view(as_of).seen_by(&reader),
            reader,
            path: uri.path().to_owned(),
            params,
            again: None,
        })
    }

    /// Somebody asks for a page of now, without parameters.
    fn of(programme: &Programme, who: SignedIn, path: &str) -> Result<Asked, Error> {
        let reader = who.reader(programme, path)?;
        Ok(Asked {
            programme: programme.clone(),
            who,
            view: programme.view(AsOf::Now).seen_by(&reader),
            reader,
            path: path.to_owned(),
            address: path.to_owned(),
            params: Pairs::new(),
            again: None,
        })
    }

    /// The first value of a parameter.
    fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(given, value)| given == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The time now, in microseconds; of a page that is drawn again, the time it was shown.
    fn now(&self) -> i64 {
        match &self.again {
            Some(again) => again.now(),
            None => self.programme.clock().now().0,
        }
    }

    /// Everything that is recorded, as far as they may see it: as it is, or as it was when the page was
    /// shown before.
    fn whole(&self) -> View {
        let view = self.programme.view(match &self.again {
            Some(again) => AsOf::Seen(again.whole, RecordedAt(again.now())),
            None => AsOf::Now,
        });
        view.seen_by(&self.reader)
    }

    /// The same request, read for something else.
    fn read_for(&self, purpose: Purpose) -> Result<Asked, Error> {
        let reader = self.reader.for_purpose(purpose)?;
        Ok(Asked {
            view: self.view.clone().seen_by(&reader),
            reader,
            ..self.clone()
        })
    }

    /// Whether they may do something with a thing, and why or why not.
    fn decide(&self, does: Action, thing: &Thing<'_>) -> Result<Arc<Verdict>, Error> {
        self.view.decide(&self.reader, does, thing)
    }

    /// Refuses what they may not do.
    fn must(&self, does: Action, thing: &Thing<'_>) -> Result<(), Error> {
        let verdict = self.decide(does, thing)?;
        match verdict.allowed {
            true => Ok(()),
            false => Err(permit::refused(&verdict)),
        }
    }

    /// The same request of the whole record.
    fn in_whole(&self) -> Asked {
        Asked {
            view: self.whole(),
            ..self.clone()
        }
    }

    /// The record at the page's instant, whole: for what decides itself who may see what of it.
    fn unbound(&self) -> View {
        self.view.clone().unbound()
    }

    /// Whose page it is.
    fn whose(&self) -> &SignedIn {
        match &self.again {
            Some(again) => again.reader(&self.who),
            None => &self.who,
        }
    }

    /// The same, as the policy knows them.
    fn eyes(&self) -> Result<Who, Error> {
        match &self.again {
            Some(_) => self.whose().permitted_as(&self.programme),
            None => Ok(self.reader.who().clone()),
        }
    }

    /// Refuses whoever may not see what everybody was shown.
    fn must_oversee(&self) -> Result<(), Error> {
        match self.who.oversees() {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Forbidden,
                "What everybody was shown is for supervisors and officers. Who looked at a person \
                 is on that person's page.",
            )),
        }
    }

    /// The moment that the page judges from: now, or the instant that it is seen as of.
    fn moment(&self) -> i64 {
        self.view.instant().map_or_else(|| self.now(), |at| at.0)
    }

    /// The instant that the page judges from.
    fn moment_at(&self) -> RecordedAt {
        RecordedAt(self.moment())
    }

    fn as_known(&self) -> Option<AsKnown> {
        let at = self.view.instant()?;
        let whole = self.programme.view(AsOf::Now).size();
        Some(AsKnown {
            at: when::RecordedAt(at.0),
            since: whole - self.view.size(),
        })
    }

    /// What outside witnesses say, if there are any.
    fn outside(&self) -> Option<Outside> {
        let cosigning = self.programme.cosigning();
        let latest = cosigning.latest(LogName::Record);
        if cosigning.policy().is_none() && latest.is_none() {
            return None;
        }
        Some(Outside {
            cosigned: latest.map_or(0, |one| one.size),
            refusal: cosigning.refusal(),
        })
    }

    /// How many notices they have not seen. Whatever keeps them from being counted keeps no page from being
    /// drawn.
    fn unseen(&self) -> u64 {
        let unseen = self.programme.desk().notices_unseen(self.who.user.id);
        unseen.unwrap_or_default()
    }

    /// When the session ends, if nothing more is asked for; of a page that is drawn again, nothing.
    fn ends(&self) -> Option<Ends> {
        let session = self.who.session.as_ref().filter(|_| self.again.is_none())?;
        Some(Ends {
            at: session.ends_us(),
            left: (session.ends_us() - self.programme.clock().now().0) / 1_000_000,
            warning: limits::WARNING_US / 1_000_000,
        })
    }

    /// What every page is told.
    fn shell(&self) -> Shell {
        let mut shell = Shell {
            programme: self.programme.name().to_owned(),
            user: Some(User {
                name: self.who.user.name.clone(),
                role: self.who.user.role.clone(),
                unseen: self.unseen(),
                places: places::of(self.reader.who()),
                session: self.ends(),
            }),
            made_at: self.programme.clock().now().0,
            size: self.view.size(),
            as_of: self.as_known(),
            path: self.path.clone(),
            keep: self
                .params
                .iter()
                .filter(|(name, _)| name != path::AS_OF && name != "page")
                .cloned()
                .collect(),
            banner: None,
            again: None,
            glass: break_glass::opened(self),
            outside: self.outside(),
            reading: Some(self.reading()),
        };
        self.again_in(&mut shell);
        shell
    }

    /// What for the page is read, and what else it could be.
    fn reading(&self) -> Reading {
        let role = self.reader.who().role;
        let choices = role.purposes().iter().map(|purpose| {
            let chosen = *purpose == self.reader.purpose();
            (
                purpose.code().to_owned(),
                purpose.words().to_owned(),
                chosen,
            )
        });
        Reading {
            words: self.reader.purpose().words().to_owned(),
            is_fixed: permit::purpose::of_page(role, &self.path).is_some(),
            choices: choices.collect(),
        }
    }

    /// The page, with the headers that belong to its instant (RFC 7089) and with what it gives out.
    fn answer(&self, markup: Markup, given: Given) -> Response {
        let markup = self.noticed(markup, &given);
        let mut response = self.gives(html(StatusCode::OK, markup), What::Page, given);
        let headers = response.headers_mut();
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-datetime, cookie"),
        );
        if let Some(at) = self.view.instant()
            && let Ok(date) = HeaderValue::from_str(&instant::to_http_date(at))
        {
            headers.insert(HeaderName::from_static("memento-datetime"), date);
        }
        response
    }

    /// A page with the notice of 42 CFR 2.32, if something that it gives out is owed with it.
    fn noticed(&self, markup: Markup, given: &Given) -> Markup {
        match self.reader.basis(given).notice.is_empty() {
            true => markup,
            false => web::layout::with_notice(markup),
        }
    }

    /// Says what an answer gives out to whoever asked.
    fn gives(&self, response: Response, what: What, given: Given) -> Response {
        self.gives_on(Basis::default(), response, what, given)
    }

    /// The same, on a basis of its own.
    fn gives_on(&self, basis: Basis, mut response: Response, what: What, given: Given) -> Response {
        let owed = self.reader.basis(&given);
        let disclosure = Disclosure {
            actor: self.actor(),
            names: self.reader.who().names.clone(),
            what,
            address: self.address.clone(),
            scope: String::new(),
            size: self.view.size(),
            whole: self.programme.view(AsOf::Now).size(),
            given,
            basis,
        };
        let release = Release::Of(Box::new(disclosure.owing(owed)));
        response.extensions_mut().insert(release);
        response
    }

    /// Who asks, and what for.
    fn actor(&self) -> Actor {
        Actor {
            purpose: self.reader.purpose().code().to_owned(),
            ..self.who.actor()
        }
    }
}

/// Runs what reads much away from the threads that serve connections.
async fn away(
    work: impl FnOnce() -> Result<Response, Error> + Send + 'static,
) -> Result<Response, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}

/// A page with its headers.
fn html(status: StatusCode, markup: Markup) -> Response {
    let mut response = (status, markup.into_string()).into_response();
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            assets::CONTENT_SECURITY_POLICY,
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A text to be kept as a file.
fn download(name: &str, text: String) -> Response {
    let mut response = (StatusCode::OK, text).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// A redirect to another page.
fn see(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    release::nothing(response, "it leads to another address")
}

/// An error as a page; nobody's name is on it.
pub fn error_page(error: &Error) -> Response {
    let row = error.kind.row();
    let context = web::error::Context {
        shell: Shell {
            programme: "Homecoming".to_owned(),
            user: None,
            made_at: 0,
            size: 0,
            as_of: None,
            path: path::CASELOAD.to_owned(),
            keep: Vec::new(),
            banner: None,
            again: None,
            glass: Vec::new(),
            outside: None,
            reading: None,
        },
        status: row.status.as_u16(),
        title: row.title.to_owned(),
        message: error.message.clone(),
        findings: error
            .findings
            .iter()
            .map(|finding| web::error::Finding {
                place: finding.expression.clone(),
                words: finding.message.clone(),
            })
            .collect(),
        request: None,
    };
    html(row.status, web::error::page(&context))
}

async fn asset(uri: Uri, headers: HeaderMap) -> Result<Response, Error> {
    let Some(asset) = assets::at(uri.path()) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            "There is no such file. Reload the page that links to it.",
        ));
    };
    let etag = format!("\"{}\"", asset.hash);
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut response = if text(header::IF_NONE_MATCH) == Some(&etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let zipped = text(header::ACCEPT_ENCODING).is_some_and(|ways| ways.contains("gzip"));
        match asset.gzip.filter(|_| zipped) {
            Some(gzip) => ([(header::CONTENT_ENCODING, "gzip")], gzip).into_response(),
            None => asset.bytes.into_response(),
        }
    };
    let out = response.headers_mut();
    out.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    out.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    Ok(release::nothing(response, "a file of the program itself"))
}
