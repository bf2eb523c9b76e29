//! What can go wrong, in the words of the person who has to deal with it.
//!
//! Every handler answers `Result<_, Error>`. The kind decides the HTTP status and the FHIR issue
//! code through one table ([`ErrorKind::row`]); the message is a sentence that names the thing
//! and says what to do next; the source is for the log alone and never leaves the machine. An
//! error becomes a response in two steps: here it gets its status and headers and travels in the
//! response's extensions; the router then renders it, as an OperationOutcome under `/fhir` and
//! as a page elsewhere. `error/every_kind.txt` shows each kind as it is rendered: it is checked
//! by a test and is the documentation of what a client can meet.

use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use record::finding::Finding;

use crate::release::Given;

/// What sort of thing went wrong. Closed: a new kind needs a row in [`ErrorKind::row`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request cannot be read: malformed JSON, a bad header, a bad parameter.
    Malformed,
    /// The request can be read, but its content is not what FHIR R4 allows; see the findings.
    Invalid,
    /// Asks for something that this server does not do.
    Unsupported,
    /// Nobody, or nobody known, is asking.
    Unauthenticated,
    /// Whoever is asking may not do this.
    Forbidden,
    /// There is nothing here (or nothing that the one who asks may know of).
    NotFound,
    /// There was something here, and it was deleted.
    Deleted,
    /// There was something here, and its key was destroyed: nobody can read it any more.
    Erased,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// None of the formats that the client accepts can be made.
    NotAcceptable,
    /// Two writes exclude each other.
    Conflict,
    /// The client worked on a version that is no longer the current one.
    Stale,
    /// A condition that must find one resource finds several.
    Ambiguous,
    /// The body is larger than the limit.
    TooLarge,
    /// The body came too slowly.
    TooSlow,
    /// Whoever is asking has asked too often.
    TooOften,
    /// The body is in a format that this server does not read.
    WrongMedia,
    /// Well-formed and valid, but a rule of the programme or of the transaction refuses it.
    Refused,
    /// The disk is full: nothing was written.
    Full,
    /// The server cannot do it at present (starting, stopping, overloaded).
    Unavailable,
    /// A fault of the server's own.
    Internal,
}

/// One row of the table from kinds to what the outside sees.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// HTTP status.
    pub status: StatusCode,
    /// Code from FHIR's issue-type value set.
    pub code: &'static str,
    /// Headline of the page that shows it.
    pub title: &'static str,
}

impl ErrorKind {
    /// All kinds, in the order of their rows.
    pub const ALL: [ErrorKind; 21] = [
        ErrorKind::Malformed,
        ErrorKind::Invalid,
        ErrorKind::Unsupported,
        ErrorKind::Unauthenticated,
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::Deleted,
        ErrorKind::Erased,
        ErrorKind::MethodNotAllowed,
        ErrorKind::NotAcceptable,
        ErrorKind::Conflict,
        ErrorKind::Stale,
        ErrorKind::Ambiguous,
        ErrorKind::TooLarge,
        ErrorKind::TooSlow,
        ErrorKind::TooOften,
        ErrorKind::WrongMedia,
        ErrorKind::Refused,
        ErrorKind::Full,
        ErrorKind::Unavailable,
        ErrorKind::Internal,
    ];

    /// The one table from kinds to status, issue code and headline.
    pub const fn row(self) -> Row {
        use ErrorKind::*;
        let (status, code, title) = match self {
            Malformed => (
                StatusCode::BAD_REQUEST,
                "structure",
                "That could not be read",
            ),
            Invalid => (StatusCode::BAD_REQUEST, "invalid", "That is not valid"),
            Unsupported => (
                StatusCode::BAD_REQUEST,
                "not-supported",
                "That is not supported",
            ),
            Unauthenticated => (StatusCode::UNAUTHORIZED, "login", "Please sign in"),
            Forbidden => (StatusCode::FORBIDDEN, "forbidden", "You may not do this"),
            NotFound => (StatusCode::NOT_FOUND, "not-found", "There is nothing here"),
            Deleted => (StatusCode::GONE, "deleted", "This was deleted"),
            Erased => (StatusCode::GONE, "deleted", "This was erased"),
            MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "not-supported",
                "That cannot be done here",
            ),
            NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "not-supported",
                "That format is not available",
            ),
            Conflict => (
                StatusCode::CONFLICT,
                "conflict",
                "Two changes exclude each other",
            ),
            Stale => (
                StatusCode::PRECONDITION_FAILED,
                "conflict",
                "This has changed meanwhile",
            ),
            Ambiguous => (
                StatusCode::PRECONDITION_FAILED,
                "multiple-matches",
                "More than one was found",
            ),
            TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-long",
                "That is too large",
            ),
            TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "That came too slowly",
            ),
            TooOften => (
                StatusCode::TOO_MANY_REQUESTS,
                "throttled",
                "That was asked too often",
            ),
            WrongMedia => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-supported",
                "That format is not read",
            ),
            Refused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "business-rule",
                "That cannot be recorded",
            ),
            Full => (
                StatusCode::INSUFFICIENT_STORAGE,
                "no-store",
                "The disk is full",
            ),
            Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "transient",
                "Not available at present",
            ),
            Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "exception",
                "Something went wrong here",
            ),
        };
        Row {
            status,
            code,
            title,
        }
    }
}

/// An error on its way to whoever asked.
pub struct Error {
    /// Decides status and issue code.
    pub kind: ErrorKind,
    /// What happened, to which thing, what to do next. No personal data, SQL or file names.
    pub message: String,
    /// What lies behind it, for the log only.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Single findings with their places; empty if the message says it all.
    pub findings: Vec<Finding>,
    /// Headers that belong to this answer (`Allow`, `WWW-Authenticate`, `Location`).
    pub headers: Vec<(header::HeaderName, HeaderValue)>,
    /// What of somebody's record it tells, if it tells anything.
    pub gives: Option<Box<Given>>,
}

impl Error {
    /// An error with a message for the person.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            source: None,
            findings: Vec::new(),
            headers: Vec::new(),
            gives: None,
        }
    }

    /// A fault of our own: the person learns nothing but that it happened, the log learns why.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::new(
            ErrorKind::Internal,
            "The server could not do this because of a fault of its own. It was logged; quote the request id when you report it.",
        )
        .because(source)
    }

    /// A failure of the desk: what it says is for the log and the operator.
    pub fn desk(source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::internal(source)
    }

    /// A failure of the index; a page that is not one of the search is the client's.
    pub fn index(source: index::Error) -> Error {
        match source {
            index::Error::Cursor => Error::new(
                ErrorKind::Malformed,
                "`_cursor` is not a page of this search. Begin again without it.",
            ),
            other => Error::internal(other),
        }
    }

    /// The whole story, sources and findings included, for whoever runs the program: never for
    /// an answer.
    pub fn for_operator(&self) -> String {
        let mut text = match (&self.source, self.kind) {
            // Our own faults have nothing to say but their source.
            (Some(source), ErrorKind::Internal) => chain(source.as_ref()),
            (Some(source), _) => format!("{} ({})", self.message, chain(source.as_ref())),
            (None, _) => self.message.clone(),
        };
        for finding in &self.findings {
            text.push_str(&format!("\n  {}: {}", finding.expression, finding.message));
        }
        text
    }

    /// Adds what lies behind it, for the log.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }

    /// Adds findings with their places.
    pub fn with(mut self, findings: Vec<Finding>) -> Error {
        self.findings = findings;
        self
    }

    /// Adds what of somebody's record it tells: that something is there, or that it is not.
    pub fn giving(mut self, given: Given) -> Error {
        if !given.is_nothing() {
            self.gives.get_or_insert_default().add(given);
        }
        self
    }

    /// Adds a header to the answer; one whose value cannot be a header is left out.
    pub fn header(mut self, name: header::HeaderName, value: &str) -> Error {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The same error with `place` in front of its message and of its findings' expressions,
    /// for the entry of a bundle that it happened in.
    pub fn within(mut self, place: &str) -> Error {
        self.message = format!("{place}: {}", self.message);
        for finding in &mut self.findings {
            // Those of parameters (`http.name`) have no place in the resource.
            if finding
                .expression
                .starts_with(|c: char| c.is_ascii_uppercase())
            {
                finding.expression = match finding.expression.find(['.', '[']) {
                    Some(end) => format!("{place}.resource{}", &finding.expression[end..]),
                    None => format!("{place}.resource"),
                };
            }
        }
        self
    }

    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind.row().status
    }
}

/// What an error says, and what each of its sources says.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(&format!(": {source}"));
        next = source.source();
    }
    text
}

/// What is left of what was read: an erased content counts as not there, any other error stays one.
pub fn left<T>(read: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error) if error.kind == ErrorKind::Erased => Ok(None),
        other => other,
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl IntoResponse for Error {
    /// Status and headers; the body is made by the router, which finds the error in the
    /// response's extensions.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        for (name, value) in &self.headers {
            response.headers_mut().append(name, value.clone());
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

mod stores;

#[cfg(test)]
mod tests;
