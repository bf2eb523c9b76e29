//! What every answer says to browsers, whatever it is: what may run, frame, embed or read it.
//!
//! A handler that says something itself (a page its policy, an asset how long it keeps) is not overruled. CORS lets the
//! pages of registered apps read FHIR and the token endpoint, and everybody the documents that say how to sign in.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::release;

/// For whatever is not a page: it may do nothing.
const NOTHING: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Said where nothing else is said already.
const ALWAYS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, NOTHING),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()",
    ),
];

/// Once a browser has been here over TLS it comes no other way.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// What a page of a registered app may read of an answer besides its body.
const EXPOSED: &str = "content-location, etag, last-modified, link, location, memento-datetime, \
     redisclosure-notice, retry-after, www-authenticate, x-request-id";

/// What a page of a registered app may send.
const ALLOWED: &str = "accept, accept-datetime, authorization, content-type, if-match, \
     if-modified-since, if-none-exist, if-none-match, prefer, purpose-of-use, x-request-id";

/// How long a browser keeps what it was told, in seconds.
const KEPT: &str = "600";

/// Adds what every answer says.
pub fn secure(headers: &mut HeaderMap, is_encrypted: bool) {
    for (name, value) in ALWAYS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if is_encrypted {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static(HSTS));
    }
}

/// Who else may read an answer from a page of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody: it says how to sign in.
    Everybody,
    /// Apps from the origins of their redirect addresses.
    Registered,
    /// Nobody.
    Nobody,
}

/// For whom an address is.
pub fn audience(path: &str) -> Audience {
    match path {
        "/.well-known/smart-configuration"
        | "/fhir/.well-known/smart-configuration"
        | "/.well-known/openid-configuration"
        | "/fhir/metadata"
        | "/oauth/jwks" => Audience::Everybody,
        "/oauth/token" | "/oauth/revoke" => Audience::Registered,
        _ if path == "/fhir" || path.starts_with("/fhir/") => Audience::Registered,
        _ => Audience::Nobody,
    }
}

/// What is told to a page elsewhere: nothing if it is not one that may read this.
pub fn share(
    headers: &mut HeaderMap,
    path: &str,
    origin: Option<&HeaderValue>,
    is_registered: impl FnOnce(&str) -> bool,
) {
    let Some(origin) = origin else { return };
    let allowed = match audience(path) {
        Audience::Everybody => HeaderValue::from_static("*"),
        Audience::Registered if origin.to_str().is_ok_and(is_registered) => origin.clone(),
        Audience::Registered | Audience::Nobody => return,
    };
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    // A page that may read it may do so from another origin.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
}

/// Whether a request only asks what may be sent (a CORS preflight).
pub fn is_preflight(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && audience(path) != Audience::Nobody
}

/// The answer to that; [`share`] says to whom it applies.
pub fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, HEAD, POST, PUT, DELETE",
        ),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED),
        (header::ACCESS_CONTROL_MAX_AGE, KEPT),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    release::nothing(response, "it says what may be sent here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shared_with_registered_apps_and_how_to_sign_in_with_everybody() {
        let app = "https://app.example";
        for (path, origin, shared) in [
            ("/fhir/Patient", app, Some(app)),
            ("/fhir/Patient", "https://evil.example", None),
            ("/fhir/Patient", "null", None),
            ("/fhir/metadata", "https://evil.example", Some("*")),
            ("/.well-known/smart-configuration", "null", Some("*")),
            ("/.well-known/openid-configuration", "null", Some("*")),
            ("/oauth/token", app, Some(app)),
            ("/oauth/token", "https://evil.example", None),
            ("/oauth/introspect", app, None),
            ("/caseload", app, None),
            ("/fhirx", app, None),
        ] {
            let mut headers = HeaderMap::new();
            let origin = HeaderValue::from_static(origin);
            share(&mut headers, path, Some(&origin), |origin| origin == app);
            let seen = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(
                seen.map(|value| value.to_str().expect("text")),
                shared,
                "{path} {origin:?}"
            );
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }

    #[test]
    fn a_page_of_an_app_may_send_what_the_api_reads() {
        let response = preflight();
        let allowed = response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS]
            .to_str()
            .expect("text");
        let allowed: Vec<&str> = allowed.split(", ").collect();
        for name in [
            crate::permit::purpose::HEADER,
            "accept",
            "accept-datetime",
            "authorization",
            "content-type",
            "if-match",
            "if-modified-since",
            "if-none-exist",
            "if-none-match",
            "prefer",
        ] {
            assert!(allowed.contains(&name), "{name} is not in {allowed:?}");
        }
    }

    #[test]
    fn what_a_handler_says_itself_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        secure(&mut headers, true);
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], HSTS);
        let mut headers = HeaderMap::new();
        secure(&mut headers, false);
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
