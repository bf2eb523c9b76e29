//! What the client sends and wants: formats, preferences, conditions.
//!
//! Only JSON is spoken. Everything here is a function of header texts, so that its tables are its
//! tests.

use axum::http::{HeaderMap, header};

use crate::error::{Error, ErrorKind};

/// FHIR's JSON media type, as answered unless the client accepts plain JSON only.
pub const FHIR_JSON: &str = "application/fhir+json";
const JSON: &str = "application/json";

/// How a body is to be written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Value of the answer's `Content-Type`.
    pub media: &'static str,
    /// Indented for people.
    pub pretty: bool,
}

impl Default for Format {
    fn default() -> Format {
        Format {
            media: FHIR_JSON,
            pretty: false,
        }
    }
}

/// Decides the format from `Accept`, `_format` (which wins) and `_pretty`.
pub fn format(
    accept: Option<&str>,
    format: Option<&str>,
    pretty: Option<&str>,
) -> Result<Format, Error> {
    let pretty = match pretty {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Error::new(
                ErrorKind::Malformed,
                "`_pretty` is `true` or `false`.",
            ));
        }
    };
    let asked = format.filter(|text| !text.is_empty()).or(accept);
    let Some(asked) = asked.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(Format {
            media: FHIR_JSON,
            pretty,
        });
    };
    // The first of the best: (quality in thousandths, media type).
    let mut best: Option<(u32, &'static str)> = None;
    for range in asked.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or("");
        let mut quality = 1000;
        let mut version_fits = true;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if name.eq_ignore_ascii_case("q") {
                quality = value
                    .parse::<f32>()
                    .map_or(0, |q| (q.clamp(0.0, 1.0) * 1000.0) as u32);
            } else if name.eq_ignore_ascii_case("fhirVersion") {
                version_fits = matches!(value.trim_matches('"'), "4.0" | "4.0.1");
            }
        }
        let Some(media) = served_as(media).filter(|_| version_fits && quality > 0) else {
            continue;
        };
        if best.is_none_or(|(most, _)| quality > most) {
            best = Some((quality, media));
        }
    }
    match best {
        Some((_, media)) => Ok(Format { media, pretty }),
        None => {
            let by = if format.is_some_and(|text| !text.is_empty()) {
                "_format"
            } else {
                "Accept"
            };
            Err(Error::new(
                ErrorKind::NotAcceptable,
                format!(
                    "This server speaks FHIR R4 in JSON only; `{by}: {}` leaves nothing that it could answer.",
                    printable(asked)
                ),
            ))
        }
    }
}

/// The media type that answers a media range, if one of ours does.
fn served_as(range: &str) -> Option<&'static str> {
    let range = range.to_ascii_lowercase();
    match range.as_str() {
        // A plus sign in a query string arrives as a space.
        "application/fhir+json"
        | "application/fhir json"
        | "json"
        | "application/json+fhir"
        | "application/*"
        | "*/*"
        | "*" => Some(FHIR_JSON),
        "application/json" | "text/json" => Some(JSON),
        _ => None,
    }
}

/// What a request body is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// A resource.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// What the body's headers say it is. JSON without any `Content-Type` is refused, too: guessing
/// is how the wrong thing gets stored.
pub fn media(headers: &HeaderMap) -> Result<Media, Error> {
    let refuse = |what: String| {
        Err(Error::new(
            ErrorKind::WrongMedia,
            format!("{what}; send `Content-Type: application/fhir+json`."),
        ))
    };
    if let Some(encoding) = text(headers, header::CONTENT_ENCODING)?
        && !encoding.eq_ignore_ascii_case("identity")
    {
        return refuse("Compressed bodies are not read".to_owned());
    }
    let Some(content) = text(headers, header::CONTENT_TYPE)? else {
        return refuse("The body has no type".to_owned());
    };
    let mut parts = content.split(';').map(str::trim);
    let media = parts.next().unwrap_or("").to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"');
        let is_utf8 = value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8");
        if name.eq_ignore_ascii_case("charset") && !is_utf8 {
            return refuse(format!("The body is in `{}`, not UTF-8", printable(value)));
        }
        if name.eq_ignore_ascii_case("fhirVersion") && !matches!(value, "4.0" | "4.0.1") {
            return refuse(format!("The body is FHIR {}, not R4", printable(value)));
        }
    }
    match media.as_str() {
        "application/fhir+json" | "application/json" | "text/json" | "application/json+fhir" => {
            Ok(Media::Json)
        }
        "application/x-www-form-urlencoded" => Ok(Media::Form),
        _ => refuse(format!("The body is `{}`", printable(&media))),
    }
}

/// What a write answers with.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Return {
    /// The resource as stored.
    #[default]
    Representation,
    /// Nothing but headers.
    Minimal,
    /// An OperationOutcome.
    Outcome,
    /// Where one resource was written by a client that may read it too: the receipt of what was written. Elsewhere
    /// as `Minimal`.
    Receipt,
}

/// What becomes of search parameters that cannot be used.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Handling {
    /// They are errors.
    Strict,
    /// They are left out, and the answer says so.
    Lenient,
}

/// The `Prefer` header. What it asks that is not known is ignored, as RFC 7240 says.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Prefer {
    /// `return=`, if given.
    pub answer: Option<Return>,
    /// `handling=`, if given.
    pub handling: Option<Handling>,
}

impl Prefer {
    /// Reads all `Prefer` headers; the first of each preference counts.
    pub fn read(headers: &HeaderMap) -> Prefer {
        let mut prefer = Prefer::default();
        for value in headers.get_all("prefer") {
            for part in value.to_str().unwrap_or("").split([',', ';']) {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "return" if prefer.answer.is_none() => {
                        prefer.answer = match value {
                            "representation" => Some(Return::Representation),
                            "minimal" => Some(Return::Minimal),
                            "OperationOutcome" => Some(Return::Outcome),
                            "receipt" => Some(Return::Receipt),
                            _ => None,
                        }
                    }
                    "handling" if prefer.handling.is_none() => {
                        prefer.handling = match value {
                            "strict" => Some(Handling::Strict),
                            "lenient" => Some(Handling::Lenient),
                            _ => None,
                        }
                    }
                    _ => {}
                }
            }
        }
        prefer
    }
}

/// A version that a client names in `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any version at all.
    Any,
    /// One or more versions.
    Versions(Vec<u32>),
}

impl Tags {
    /// Whether the version is among them.
    pub fn holds(&self, version: u32) -> bool {
        match self {
            Tags::Any => true,
            Tags::Versions(versions) => versions.contains(&version),
        }
    }

    /// Reads `W/"3"`, `"3"`, a bare `3`, a list of them, or `*`. A tag that is not one of ours
    /// can match nothing and counts as version 0, which no resource has.
    pub fn parse(name: &str, text: &str) -> Result<Tags, Error> {
        let text = text.trim();
        if text == "*" {
            return Ok(Tags::Any);
        }
        let mut versions = Vec::new();
        for tag in text.split(',').map(str::trim) {
            let inner = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = match inner.strip_prefix('"') {
                Some(rest) => rest.strip_suffix('"'),
                None if !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit()) => {
                    Some(inner)
                }
                None => None,
            };
            let Some(inner) = inner else {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!(
                        "`{name}: {}` is not an entity tag; write `{name}: W/\"3\"` for version 3.",
                        printable(text)
                    ),
                ));
            };
            versions.push(inner.parse().unwrap_or(0));
        }
        Ok(Tags::Versions(versions))
    }
}

/// A header's text; an error if it is not ASCII text.
pub fn text(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, Error> {
    match headers.get(&name) {
        None => Ok(None),
        Some(value) => match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Error::new(
                ErrorKind::Malformed,
                format!("The header `{name}` is not text."),
            )),
        },
    }
}

/// What a client sent, made safe to repeat in a sentence: short, and without control characters.
pub fn printable(text: &str) -> String {
    let mut out: String = text
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(80)
        .collect();
    if text.chars().count() > 80 {
        out.push('\u{2026}');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_format_that_we_have_is_chosen() {
        const NONE: &str = "406";
        for (accept, asked, expected) in [
            (None, None, FHIR_JSON),
            (Some(""), None, FHIR_JSON),
            (Some("*/*"), None, FHIR_JSON),
            (Some("application/json"), None, JSON),
            (Some("application/fhir+json"), None, FHIR_JSON),
            (
                Some("application/fhir+json; fhirVersion=4.0"),
                None,
                FHIR_JSON,
            ),
            (Some("application/fhir+json; fhirVersion=5.0"), None, NONE),
            (Some("application/fhir+xml"), None, NONE),
            (
                Some("application/fhir+xml, application/json;q=0.5"),
                None,
                JSON,
            ),
            (
                Some("application/json;q=0.4, application/fhir+json;q=0.5"),
                None,
                FHIR_JSON,
            ),
            (Some("application/fhir+json;q=0"), None, NONE),
            (
                Some("text/html,application/xhtml+xml,*/*;q=0.8"),
                None,
                FHIR_JSON,
            ),
            (Some("text/html"), None, NONE),
            (Some("application/fhir+xml"), Some("json"), FHIR_JSON),
            (Some("application/fhir+json"), Some("xml"), NONE),
            (None, Some("application/fhir json"), FHIR_JSON),
        ] {
            let seen = format(accept, asked, None).map_or(NONE, |format| format.media);
            assert_eq!(seen, expected, "{accept:?} {asked:?}");
        }
    }

    #[test]
    fn bodies_are_json_or_forms() {
        for (content, encoding, expected) in [
            (Some("application/fhir+json"), None, "Json"),
            (Some("application/json; charset=utf-8"), None, "Json"),
            (Some("application/json; charset=\"UTF-8\""), None, "Json"),
            (Some("application/json; charset=latin1"), None, "415"),
            (Some("application/fhir+json; fhirVersion=3.0"), None, "415"),
            (Some("application/x-www-form-urlencoded"), None, "Form"),
            (Some("application/fhir+xml"), None, "415"),
            (Some("application/json"), Some("gzip"), "415"),
            (Some("application/json"), Some("identity"), "Json"),
            (None, None, "415"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(content) = content {
                headers.insert(header::CONTENT_TYPE, content.parse().expect("a header"));
            }
            if let Some(encoding) = encoding {
                headers.insert(
                    header::CONTENT_ENCODING,
                    encoding.parse().expect("a header"),
                );
            }
            let seen = media(&headers).map_or("415".to_owned(), |media| format!("{media:?}"));
            assert_eq!(seen, expected, "{content:?} {encoding:?}");
        }
    }

    #[test]
    fn preferences_are_read_and_unknown_ones_ignored() {
        use super::{Handling::*, Return::*};
        for (text, answer, handling) in [
            ("return=minimal", Some(Minimal), None),
            (
                "return=OperationOutcome, handling=strict",
                Some(Outcome),
                Some(Strict),
            ),
            (
                "handling=lenient; return=representation",
                Some(Representation),
                Some(Lenient),
            ),
            ("return=receipt", Some(Receipt), None),
            ("respond-async", None, None),
            ("return=everything", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", text.parse().expect("a header"));
            assert_eq!(
                Prefer::read(&headers),
                Prefer { answer, handling },
                "{text}"
            );
        }
    }

    #[test]
    fn tags_are_versions() {
        for (text, expected) in [
            ("W/\"3\"", "Ok(Versions([3]))"),
            ("\"3\"", "Ok(Versions([3]))"),
            ("3", "Ok(Versions([3]))"),
            ("*", "Ok(Any)"),
            ("W/\"3\", W/\"4\"", "Ok(Versions([3, 4]))"),
            ("W/\"abc\"", "Ok(Versions([0]))"),
            ("abc", "Err"),
            ("W/\"3", "Err"),
            ("", "Err"),
        ] {
            let seen = match Tags::parse("If-Match", text) {
                Ok(tags) => format!("Ok({tags:?})"),
                Err(_) => "Err".to_owned(),
            };
            assert_eq!(seen, expected, "{text}");
        }
    }
}
