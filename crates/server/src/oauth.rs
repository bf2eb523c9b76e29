//! SMART on FHIR 2.2: how programs come to what they may do.
//!
//! ```text
//! /.well-known/smart-configuration   what there is (also below /fhir)
//! /.well-known/openid-configuration  the same for whoever knows OpenID Connect alone
//! /oauth/authorize                   a person decides what an app may do     (a page)
//! /oauth/token                       codes, refresh tokens and signed assertions to access tokens
//! /oauth/revoke  /oauth/introspect   taking one back; what one stands for
//! /oauth/jwks                        the keys that id_tokens are signed with
//! ```
//!
//! An app never gets more than the least of four: what an officer registered, what it asks for, what the person left
//! ticked, and what policy lets that person do. Access tokens are random, live for minutes, and are kept as hashes;
//! refresh tokens are used once, and a second use ends everything that the first led to. A code is bound to its client,
//! address and PKCE challenge (S256 alone).
//!
//! What an assertion is for and where a code leads depends on this server's own address. It is configured
//! (`serve --base`); without that only the machine itself is answered, so that nobody can name our address for us.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value as Json, json};

use crate::error::{Error, ErrorKind};
use crate::fhir::query::{self, Pairs};
use crate::fhir::{Api, body};
use crate::programme::Programme;
use crate::release;
use crate::router::Drawn;

pub mod assertion;
pub mod client;
pub mod discovery;
pub mod fetch;
pub mod introspect;
pub mod jwks;
pub mod revoke;
pub mod signing;
pub mod token;

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 64 << 10;

/// What is shared by all of it.
pub struct Smart {
    /// Clients' keys from their own addresses.
    pub fetched: fetch::Fetched,
    /// The keys that id_tokens are signed with.
    pub signing: signing::Signing,
}

impl Smart {
    /// For a programme; `inside`: keys may be fetched from this network, too.
    pub fn new(programme: &Programme, inside: bool) -> Smart {
        Smart {
            fetched: fetch::Fetched::new(inside),
            signing: signing::Signing::of(programme.data()),
        }
    }
}

/// The address space of the token server, but for the page on which a person decides.
pub fn routes(api: Api) -> Router {
    Router::new()
        .route("/.well-known/smart-configuration", get(discovery::smart))
        .route(
            "/fhir/.well-known/smart-configuration",
            get(discovery::smart),
        )
        .route("/.well-known/openid-configuration", get(discovery::openid))
        .route("/oauth/jwks", get(discovery::jwks))
        .route("/oauth/token", post(token::post))
        .route("/oauth/revoke", post(revoke::post))
        .route("/oauth/introspect", post(introspect::post))
        .with_state(api)
}

/// Why an answer of the token server gives nothing of the record out.
const TOKENS: &str = "a token says nothing of what it opens";

/// A refusal in OAuth's words, or another error.
pub enum Refused {
    /// RFC 6749, 5.2.
    OAuth {
        /// Its code.
        code: &'static str,
        /// A sentence for whoever wrote the client.
        why: String,
    },
    /// Anything else.
    Other(Error),
}

impl Refused {
    /// A refusal with its code.
    pub fn new(code: &'static str, why: impl Into<String>) -> Refused {
        Refused::OAuth {
            code,
            why: why.into(),
        }
    }

    /// The request cannot be understood.
    pub fn request(why: impl Into<String>) -> Refused {
        Refused::new("invalid_request", why)
    }

    /// A code or refresh token that is good for nothing.
    pub fn grant(why: impl Into<String>) -> Refused {
        Refused::new("invalid_grant", why)
    }

    /// The client is not known, or did not prove that it is the one.
    pub fn client(why: impl Into<String>) -> Refused {
        Refused::new("invalid_client", why)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Other(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (code, why) = match self {
            Refused::OAuth { code, why } => (code, why),
            Refused::Other(error) => return error.into_response(),
        };
        let status = match code {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = answer(status, &json!({ "error": code, "error_description": why }));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"Homecoming\""),
            );
        }
        response.extensions_mut().insert(Drawn);
        response
    }
}

/// An error that came from elsewhere, as clients of the token server read it.
pub fn of_error(error: &Error) -> Response {
    let code = match error.status() {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        // Of an access token (RFC 6750, 3.1): clients that are not believed are refused in OAuth's words ([`Refused`]).
        StatusCode::UNAUTHORIZED => "invalid_token",
        StatusCode::FORBIDDEN => "insufficient_scope",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let said = json!({ "error": code, "error_description": error.message });
    answer(error.status(), &said)
}

/// JSON that nobody keeps.
fn answer(status: StatusCode, said: &Json) -> Response {
    let mut response = Response::new(Body::from(said.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    release::nothing(response, TOKENS)
}

/// A form, in which everything stands once.
pub struct Form(Pairs);

impl Form {
    /// From a request's body.
    async fn read(headers: &HeaderMap, body: Body) -> Result<Form, Refused> {
        let media = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next());
        if !media.is_some_and(|media| {
            media
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        }) {
            return Err(Refused::request(
                "Send a form: `Content-Type: application/x-www-form-urlencoded`.",
            ));
        }
        let bytes = body::read(headers, body, FORM_BYTES_MAX).await?;
        let text =
            std::str::from_utf8(&bytes).map_err(|_| Refused::request("The form is not UTF-8."))?;
        Form::of(query::decode(text)?)
    }

    /// From pairs that were read already.
    pub(crate) fn of(pairs: Pairs) -> Result<Form, Refused> {
        for (place, (name, _)) in pairs.iter().enumerate() {
            if pairs[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refused::request(format!(
                    "`{}` stands there twice.",
                    crate::fhir::negotiate::printable(name)
                )));
            }
        }
        Ok(Form(pairs))
    }

    /// What one of its parameters says; nothing if it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// What one must say.
    fn need(&self, name: &str) -> Result<&str, Refused> {
        self.get(name)
            .ok_or_else(|| Refused::request(format!("`{name}` is missing.")))
    }
}

/// This server's own address, without a slash at the end: configured, or the machine itself.
pub(crate) fn issuer(api: &Api, headers: &HeaderMap) -> Result<String, Error> {
    let base = api.base(headers);
    let own = base.strip_suffix("/fhir").unwrap_or(&base).to_owned();
    let is_configured = api.settings().base.is_some();
    let host = own.split_once("://").map_or("", |(_, host)| host);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    match is_configured || matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        true => Ok(own),
        false => Err(Error::new(
            ErrorKind::Unavailable,
            "This server does not know the address that it is reached under, so nobody can sign in \
             to it from elsewhere. Whoever runs it starts it with `--base https://…`.",
        )),
    }
}

/// Whether PKCE's verifier is one, and fits the challenge (S256).
pub(crate) fn answers(verifier: &str, challenge: &str) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::{Digest, Sha256};
    let fits = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    fits && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

/// Whether a text can be a challenge of S256.
pub(crate) fn is_challenge(challenge: &str) -> bool {
    challenge.len() == 43
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_answers_its_challenge_alone() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge));
        assert!(answers(verifier, challenge));
        assert!(!answers(challenge, challenge));
        assert!(!answers("short", challenge));
        assert!(!answers(&verifier.replace('d', " "), challenge));
        assert!(!is_challenge(""));
        assert!(!is_challenge(&challenge.replace('E', "+")));
    }

    #[test]
    fn what_stands_twice_in_a_form_is_refused() {
        let pair = |name: &str| (name.to_owned(), "x".to_owned());
        assert!(Form::of(vec![pair("scope"), pair("code")]).is_ok());
        assert!(Form::of(vec![pair("scope"), pair("scope")]).is_err());
    }
}
