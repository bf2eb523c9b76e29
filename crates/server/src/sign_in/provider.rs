//! Signing in through an organisation: OpenID Connect, authorization code with PKCE.
//!
//! An account there is linked to a user here by issuer and subject, and only by somebody who holds a
//! code that an officer gave them, or is signed in and has lately shown that it is them; never by a name or
//! an address that the provider asserts. State, nonce and verifier stay at the desk, sealed, and are taken
//! once by the browser that began; what it began in a session, it comes back to in that session, or not at
//! all.
//!
//! A provider may let somebody through who signed in there hours ago. So a session that begins with it is as
//! old as the provider says that this is (`auth_time`); where somebody must show that it is them, the
//! provider is asked to have them sign in.
//!
//! What is refused: another state, another issuer (RFC 9207's `iss`, which must be there where the provider
//! says that it is; the metadata's, the token's),
//! another audience or authorised party, another nonce, a token that is over, one without a signature, one
//! signed with our own secret. Requests go to the provider alone: no redirects, ten seconds, a megabyte. What
//! it says of itself is remembered for five minutes and asked for by one request at a time, so that strangers
//! who begin to sign in make nobody work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use desk::{Provider, Session, User};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
    CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata,
    RedirectUrl, TokenResponse,
};
use serde::{Deserialize, Serialize};

use super::{How, SignedIn, Visitor, limits};
use crate::error::{Error, ErrorKind};
use crate::programme::Programme;
use crate::web::path;

const KIND: &str = "provider";

/// What a provider's client secret is, where it is sealed.
pub const SEALED_KIND: &str = "client-secret";

/// The most that a provider's answer may be, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// How far a provider's clock may be behind ours, in microseconds.
const SKEW: i64 = 60_000_000;

/// How long a provider may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Signatures that are believed: with a key of the provider's that everybody can look up.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How long what a provider says of itself is remembered, in microseconds.
const KEPT: i64 = 300_000_000;

/// How long it is left alone after it could not be reached, or after its keys were asked for because of a token.
const LEFT_ALONE: i64 = 10_000_000;

/// What a provider may say of itself besides what the library knows.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Announced {
    /// Its answers say who gives them (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Announced {}

type Metadata = ProviderMetadata<
    Announced,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// When a provider was asked what it says of itself, and that; nothing if it could not be reached.
type Asked = Option<(i64, Option<Metadata>)>;

/// What providers say of themselves, by issuer. Whoever asks holds the issuer's lock, so that others wait for
/// the one answer.
#[derive(Default)]
pub struct Known(Mutex<HashMap<String, Arc<Mutex<Asked>>>>);

impl Known {
    /// What a provider says of itself, not longer ago than `oldest` microseconds.
    fn of(&self, provider: &Provider, now: i64, oldest: i64) -> Result<Metadata, Error> {
        let of_issuer = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(provider.issuer.clone()).or_default().clone()
        };
        let mut asked = of_issuer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, said)) = &*asked {
            let lasts = said.as_ref().map_or(LEFT_ALONE, |_| oldest);
            if (*at..at.saturating_add(lasts)).contains(&now) {
                return said.clone().ok_or_else(unreached);
            }
        }
        let said = discover(provider);
        *asked = Some((now, said.as_ref().ok().cloned()));
        said
    }
}

/// What is remembered until the browser comes back.
#[derive(Serialize, Deserialize)]
struct State {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    what_for: WhatFor,
    began_us: i64,
}

/// What somebody goes to a provider for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhatFor {
    /// Signing in.
    SignIn,
    /// Linking an account, in this session.
    Link(i64),
    /// Showing again that it is them, in this session.
    Again(i64),
}

/// Where the browser goes, and the cookie that it comes back with.
pub struct Sent {
    /// The provider's address.
    pub to: String,
    /// The `Set-Cookie` value.
    pub cookie: String,
}

/// Who came back.
pub struct Back {
    /// Who it is.
    pub user: User,
    /// The session that they went from and came back to, unless they went to sign in.
    pub session: Option<Session>,
    /// What they went for, which is done.
    pub what_for: WhatFor,
    /// When they signed in there, in microseconds since the Unix epoch; 0 if the provider does not say.
    pub authenticated_us: i64,
    /// The provider's name.
    pub provider: String,
    /// Where they wanted to go.
    pub next: String,
}

/// Sends a browser to a provider.
pub fn send(
    programme: &Programme,
    visitor: &Visitor,
    name: &str,
    next: &str,
    what_for: WhatFor,
) -> Result<Sent, Error> {
    let provider = provider(programme, name)?;
    let metadata = metadata(programme, &provider)?;
    let (client_id, redirect) = (client_id(&provider), redirect(visitor)?);
    let client =
        CoreClient::from_provider_metadata(metadata, client_id, None).set_redirect_uri(redirect);
    let draw = || super::secret(programme.chance());
    let state = State {
        provider: provider.name,
        state: draw(),
        nonce: draw(),
        verifier: draw(),
        next: next.to_owned(),
        what_for,
        began_us: programme.clock().now().0,
    };
    let verifier = PkceCodeVerifier::new(state.verifier.clone());
    let (csrf, nonce) = (state.state.clone(), state.nonce.clone());
    let mut request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(csrf),
            || Nonce::new(nonce),
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    if matches!(what_for, WhatFor::Again(_)) {
        // With `max_age` it must say when they signed in.
        let fresh = std::time::Duration::from_micros(limits::FRESH_US.unsigned_abs());
        request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(fresh);
    }
    let (to, _, _) = request.url();
    let kept = serde_json::to_vec(&state).map_err(Error::internal)?;
    Ok(Sent {
        to: to.to_string(),
        cookie: visitor.begin_ceremony(programme, KIND, &kept)?,
    })
}

/// Takes what a browser comes back with: `code`, `state`, `iss`, `error` of the query.
pub fn take(
    programme: &Programme,
    visitor: &Visitor,
    given: impl Fn(&str) -> Option<String>,
) -> Result<Back, Error> {
    let over = || {
        refusal(
            "That took too long, was answered before, or began in another browser. Begin again.",
        )
    };
    let kept = visitor.take_ceremony(programme, KIND)?.ok_or_else(over)?;
    let kept: State = serde_json::from_slice(&kept).map_err(Error::internal)?;
    if given("state").as_deref() != Some(kept.state.as_str()) {
        return Err(over());
    }
    let provider = provider(programme, &kept.provider)?;
    let says_who = metadata(programme, &provider)?
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    let issuer = given("iss");
    if issuer.is_none() && says_who || issuer.is_some_and(|issuer| issuer != provider.issuer) {
        return Err(refusal(
            "The answer came from another organisation than the one that was asked, or does not say from \
             which. Begin again, and tell whoever runs the programme.",
        ));
    }
    let Some(code) = given("code").filter(|_| given("error").is_none()) else {
        return Err(refusal(
            "Your organisation did not sign you in. Begin again, or sign in another way.",
        ));
    };
    let Vouched {
        issuer,
        subject,
        authenticated_us,
    } = subject(programme, visitor, &provider, &kept, code)?;
    let (desk, now) = (programme.desk(), programme.clock().now().0);
    let session = match kept.what_for {
        WhatFor::SignIn => None,
        WhatFor::Link(id) | WhatFor::Again(id) => {
            let session = super::still_in(programme, visitor, id)?;
            Some(session.ok_or_else(session_over)?)
        }
    };
    if let (WhatFor::Link(id), Some(session)) = (kept.what_for, &session) {
        let is_enrolling = session.how == How::Enrolment.as_str();
        if !is_enrolling && !SignedIn::of(session).is_fresh(now) {
            return Err(session_over());
        }
        desk.link_account(id, &issuer, &subject, now)
            .map_err(|error| match error {
                desk::Error::Taken { .. } => Error::new(
                    ErrorKind::Conflict,
                    "This account of your organisation is linked to somebody here already. Sign in with it.",
                ),
                desk::Error::Unknown { .. } => session_over(),
                error => Error::desk(error),
            })?;
    }
    let user = desk
        .user_by_account(&issuer, &subject, now)
        .map_err(Error::desk)?
        .ok_or_else(|| {
            refusal(
                "Nobody here has this account. If you have a code from an officer of the programme, enrol \
                 with it and choose your organisation there.",
            )
        })?;
    if session
        .as_ref()
        .is_some_and(|session| session.user.id != user.id)
    {
        return Err(refusal(
            "Your organisation says that this is somebody else than who is signed in here. Sign in there as \
             yourself, and begin again.",
        ));
    }
    if matches!(kept.what_for, WhatFor::Again(_)) && authenticated_us < kept.began_us - SKEW {
        return Err(refusal(
            "Your organisation did not ask you to sign in again, or does not say that it did. Use a passkey or \
             a password here, or ask an officer for a code.",
        ));
    }
    Ok(Back {
        user,
        session,
        what_for: kept.what_for,
        authenticated_us,
        provider: provider.name,
        next: kept.next,
    })
}

/// What a token vouches for.
struct Vouched {
    issuer: String,
    subject: String,
    /// When they signed in there; 0 if it does not say.
    authenticated_us: i64,
}

fn session_over() -> Error {
    refusal(
        "The session that you went from has ended, or it is too long ago that you showed that it is you. Sign \
         in, or enrol with a new code, and begin again.",
    )
}

/// Exchanges a code for a token, and believes it as far as it proves itself.
fn subject(
    programme: &Programme,
    visitor: &Visitor,
    provider: &Provider,
    kept: &State,
    code: String,
) -> Result<Vouched, Error> {
    let secret = match &provider.secret {
        Some(sealed) => {
            let open = programme
                .sealer()
                .open(SEALED_KIND, &provider.issuer, sealed)?;
            let text = std::str::from_utf8(&open).map_err(Error::internal)?;
            Some(ClientSecret::new(text.to_owned()))
        }
        None => None,
    };
    let client = CoreClient::from_provider_metadata(
        metadata(programme, provider)?,
        client_id(provider),
        secret,
    )
    .set_redirect_uri(redirect(visitor)?);
    let unbelieved = |source: Box<dyn std::error::Error + Send + Sync>| {
        refusal(
            "What your organisation answered cannot be believed, so you are not signed in. Begin again; if \
             it happens again, tell whoever runs the programme.",
        )
        .because(source)
    };
    let answer = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| unbelieved(error.into()))?
        .set_pkce_verifier(PkceCodeVerifier::new(kept.verifier.clone()))
        .request(&ask)
        // What a provider says may hold what was sent: the kind of failure is enough.
        .map_err(|error| {
            unbelieved(
                match error {
                    openidconnect::RequestTokenError::Request(error) => error.to_string(),
                    openidconnect::RequestTokenError::ServerResponse(_) => {
                        "the provider refused the code".to_owned()
                    }
                    _ => "the provider's answer does not read".to_owned(),
                }
                .into(),
            )
        })?;
    let token = answer
        .id_token()
        .ok_or_else(|| unbelieved("there is no id_token".into()))?;
    let now = programme.clock().now().0;
    let nonce = Nonce::new(kept.nonce.clone());
    let clock = move || chrono::DateTime::from_timestamp_micros(now).unwrap_or_default();
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(SIGNATURES)
        .set_time_fn(clock);
    let newer;
    let claims = match token.claims(&verifier, &nonce) {
        // It may have another key by now than the one that is remembered.
        Err(openidconnect::ClaimsVerificationError::SignatureVerification(_)) => {
            let metadata = programme.providers().of(provider, now, LEFT_ALONE)?;
            newer = CoreClient::from_provider_metadata(metadata, client_id(provider), None);
            let verifier = newer
                .id_token_verifier()
                .set_allowed_algs(SIGNATURES)
                .set_time_fn(clock);
            token.claims(&verifier, &nonce)
        }
        claims => claims,
    };
    let claims = claims.map_err(|error| unbelieved(kind_of(&error).into()))?;
    // The library leaves this to us: a token that was asked for by another party is not for us.
    let party = claims.authorized_party();
    if party.is_some_and(|party| *party != client_id(provider)) {
        return Err(unbelieved("the id_token was given to another party".into()));
    }
    Ok(Vouched {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().as_str().to_owned(),
        authenticated_us: claims.auth_time().map_or(0, |at| at.timestamp_micros()),
    })
}

/// What is wrong with a token, without what is in it.
fn kind_of(error: &openidconnect::ClaimsVerificationError) -> &'static str {
    use openidconnect::ClaimsVerificationError as Wrong;
    match error {
        Wrong::Expired(_) => "the id_token is over",
        Wrong::InvalidAudience(_) => "the id_token is for somebody else",
        Wrong::InvalidIssuer(_) => "the id_token is of another issuer",
        Wrong::InvalidNonce(_) => "the id_token has another nonce",
        Wrong::SignatureVerification(_) => "the id_token's signature is not the provider's",
        _ => "the id_token is not one",
    }
}

fn provider(programme: &Programme, name: &str) -> Result<Provider, Error> {
    let found = programme.desk().providers().map_err(Error::desk)?;
    let found = found.into_iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "There is no such organisation here. Go back to the sign-in page and choose again.",
        )
    })
}

fn metadata(programme: &Programme, provider: &Provider) -> Result<Metadata, Error> {
    let now = programme.clock().now().0;
    programme.providers().of(provider, now, KEPT)
}

/// Asks a provider what it says of itself, and for its keys.
fn discover(provider: &Provider) -> Result<Metadata, Error> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(Error::internal)?;
    Metadata::discover(&issuer, &ask).map_err(|error| unreached().because(error))
}

fn unreached() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "Your organisation's sign-in cannot be reached at present. Try again in a minute, or sign in \
         another way.",
    )
}

fn client_id(provider: &Provider) -> ClientId {
    ClientId::new(provider.client_id.clone())
}

fn redirect(visitor: &Visitor) -> Result<RedirectUrl, Error> {
    let address = format!("{}{}", visitor.site.origin(), path::PROVIDER_BACK);
    RedirectUrl::new(address).map_err(Error::internal)
}

fn refusal(words: &'static str) -> Error {
    tracing::warn!("a sign-in through an organisation was refused");
    Error::new(ErrorKind::Forbidden, words)
}

/// Whether an issuer's address may be asked: over TLS, or on this machine.
pub fn is_reachable(issuer: &str) -> bool {
    let own = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_own = own.iter().any(|own| {
        let rest = issuer.strip_prefix(own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    (issuer.starts_with("https://") || is_own) && IssuerUrl::new(issuer.to_owned()).is_ok()
}

/// Why a provider was not reached.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("an address that is neither https nor of this machine")]
    Address,
    #[error("the provider cannot be reached")]
    Unreached(#[from] ureq::Error),
    #[error("the answer is no HTTP")]
    Http(#[from] openidconnect::http::Error),
}

/// One request to a provider.
fn ask(request: HttpRequest) -> Result<HttpResponse, AskError> {
    if !is_reachable(&request.uri().to_string()) {
        return Err(AskError::Address);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent.run(request)?;
    let mut response = openidconnect::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let body = answer
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_vec()?;
    Ok(response.body(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_tls_or_on_this_machine() {
        for (issuer, may) in [
            ("https://id.example.org", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost/realm", true),
            ("http://id.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("http://localhost@example.org", false),
            ("file:///etc/passwd", false),
            ("https://", false),
        ] {
            assert_eq!(is_reachable(issuer), may, "{issuer}");
        }
    }
}
