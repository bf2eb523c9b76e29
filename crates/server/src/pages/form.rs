//! What a form of our own pages sends: fields, and at most one file.
//!
//! A form with a file comes as `multipart/form-data` (RFC 7578), any other as
//! `application/x-www-form-urlencoded`. The whole body is in memory and bounded, so the parts are only
//! looked up in it; what is not well formed is refused with one sentence.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use crate::error::{Error, ErrorKind};
use crate::fhir::query::{self, Pairs};

/// The largest form without a file, in bytes.
pub const BYTES_MAX: usize = 64 << 10;

/// The most parts that a form with a file has.
const PARTS_MAX: usize = 200;

/// A form that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    fields: Pairs,
    file: Option<File>,
    /// The field that a file came in, or would have if one had been chosen.
    file_field: Option<String>,
}

/// A file that came with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The media type that the browser said.
    pub media_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Form {
    /// Reads a form. That it stands on a page of ours has been looked at before ([`super::forms`]).
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Form, Error> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if let Some(boundary) = boundary(kind) {
            return multipart(body, &boundary).ok_or_else(|| {
                Error::new(
                    ErrorKind::Malformed,
                    "The form and its file did not arrive whole. Go back, and send it again.",
                )
            });
        }
        if body.len() > BYTES_MAX {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "That is more than the form takes.",
            ));
        }
        Ok(Form {
            fields: query::decode(&String::from_utf8_lossy(body))?,
            ..Form::default()
        })
    }

    /// All fields, and the one for a file.
    pub(super) fn into_parts(self) -> (Pairs, Option<String>) {
        (self.fields, self.file_field)
    }

    /// The first value of a field; empty if it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All values of a field.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let fields = self.fields.iter().filter(move |(given, _)| given == name);
        fields.map(|(_, value)| value.as_str())
    }

    /// The file, if one was chosen.
    pub fn file(&self) -> Option<&File> {
        self.file.as_ref().filter(|file| !file.bytes.is_empty())
    }

    /// One of a closed list, by its code.
    pub fn chosen<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        code: fn(T) -> &'static str,
    ) -> Result<T, Error> {
        let given = self.field(name);
        all.iter()
            .copied()
            .find(|one| code(*one) == given)
            .ok_or_else(|| {
                let codes: Vec<&str> = all.iter().copied().map(code).collect();
                Error::new(
                    ErrorKind::Malformed,
                    format!(
                        "Something must be chosen there ({name}), one of: {}.",
                        codes.join(", ")
                    ),
                )
            })
    }

    /// The beginning of a day in UTC; nothing if the field is empty.
    pub fn day(&self, name: &str, words: &str) -> Result<Option<i64>, Error> {
        let text = self.field(name).trim();
        if text.is_empty() {
            return Ok(None);
        }
        let parsed = record::time::parse_interval(text).filter(|_| record::time::is_date(text));
        let Some(at) = parsed.filter(|at| at.end - at.start == casework::DAY) else {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("{words} is no day: write it as 2026-03-01."),
            ));
        };
        Ok(Some(at.start))
    }

    /// The beginning of a day in UTC, which must be there.
    pub fn must_day(&self, name: &str, words: &str) -> Result<i64, Error> {
        self.day(name, words)?.ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                format!("{words} is missing: write it as 2026-03-01."),
            )
        })
    }
}

/// The boundary of a multipart form.
fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';');
    let kind = parts.next()?.trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parts.find_map(|part| part.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (1..=70)
        .contains(&boundary.len())
        .then(|| boundary.to_owned())
}

/// The parts of a multipart body; nothing if it is not well formed to its end.
fn multipart(body: &[u8], boundary: &str) -> Option<Form> {
    let mark = format!("--{boundary}");
    let mark = mark.as_bytes();
    let mut form = Form::default();
    // What stands before the first boundary is ignored, as RFC 2046 says.
    let mut rest = &body[find(body, mark)? + mark.len()..];
    for _ in 0..PARTS_MAX {
        if rest.starts_with(b"--") {
            return Some(form);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = find(rest, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&rest[..head_end]).ok()?;
        rest = &rest[head_end + 4..];
        let end = find(rest, &[&b"\r\n"[..], mark].concat())?;
        let content = &rest[..end];
        rest = &rest[end + 2 + mark.len()..];
        let (mut name, mut is_file, mut media_type) = (None, false, "application/octet-stream");
        for line in head.split("\r\n") {
            let (key, value) = line.split_once(':')?;
            if key.eq_ignore_ascii_case("content-disposition") {
                name = quoted(value, "name");
                is_file = quoted(value, "filename").is_some();
            } else if key.eq_ignore_ascii_case("content-type") {
                media_type = value.trim();
            }
        }
        match is_file {
            true => {
                form.file_field = name.map(str::to_owned);
                form.file = Some(File {
                    media_type: media_type.to_owned(),
                    bytes: content.to_vec(),
                });
            }
            false => {
                let value = String::from_utf8(content.to_vec()).ok()?;
                form.fields.push((name?.to_owned(), value));
            }
        }
    }
    None
}

/// The value of a quoted parameter.
fn quoted<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    let start = value.find(&format!("; {name}=\""))? + name.len() + 4;
    let rest = &value[start..];
    Some(&rest[..rest.find('"')?])
}

fn find(all: &[u8], wanted: &[u8]) -> Option<usize> {
    all.windows(wanted.len()).position(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const BODY: &str = "--x1\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\nIG-7 \u{e9}\r\n--x1\r\n\
        Content-Disposition: form-data; name=\"kind\"\r\n\r\ncare\r\n--x1\r\n\
        Content-Disposition: form-data; name=\"kind\"\r\n\r\nschedule\r\n--x1\r\n\
        Content-Disposition: form-data; name=\"paper\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
        %PDF-1.7\r\n--x\r\n\r\n--x1--\r\n";

    fn read(kind: &str, body: &str) -> Result<Form, ErrorKind> {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_str(kind).expect("a header");
        headers.insert(header::CONTENT_TYPE, kind);
        Form::read(&headers, &Bytes::copy_from_slice(body.as_bytes())).map_err(|error| error.kind)
    }

    #[test]
    fn a_form_with_a_file_is_read() {
        let form = read("multipart/form-data; boundary=x1", BODY).expect("a form");
        assert_eq!(form.field("number"), "IG-7 \u{e9}");
        assert_eq!(form.all("kind").collect::<Vec<_>>(), ["care", "schedule"]);
        assert_eq!(form.field("not-there"), "");
        let file = form.file().expect("a file");
        assert_eq!(file.media_type, "application/pdf");
        assert_eq!(file.bytes, b"%PDF-1.7\r\n--x\r\n");
        // Nobody chose one: browsers send it empty.
        let none = BODY.replace("%PDF-1.7\r\n--x\r\n", "");
        let form = read("multipart/form-data; boundary=x1", &none).expect("a form");
        assert_eq!(form.file(), None);
    }

    #[test]
    fn what_does_not_arrive_whole_is_refused() {
        for cut in 0..BODY.len() - 4 {
            let Some(part) = BODY.get(..cut) else {
                continue;
            };
            let outcome = read("multipart/form-data; boundary=x1", part);
            assert_eq!(outcome, Err(ErrorKind::Malformed), "cut at {cut}");
        }
        let many = format!(
            "{}--x1--",
            "--x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n".repeat(300)
        );
        assert_eq!(
            read("multipart/form-data; boundary=x1", &many),
            Err(ErrorKind::Malformed)
        );
    }

    #[test]
    fn a_form_without_a_file_is_read() {
        let form = read(
            "application/x-www-form-urlencoded",
            "why=a+b&day=2026-03-01&bad=2026-03",
        );
        let form = form.expect("a form");
        assert_eq!(form.field("why"), "a b");
        assert_eq!(
            form.day("day", "The day").ok(),
            Some(Some(1_772_323_200_000_000))
        );
        assert_eq!(form.day("none", "The day").ok(), Some(None));
        for name in ["bad", "why"] {
            assert!(form.day(name, "The day").is_err(), "{name}");
        }
        let long = "a=".to_owned() + &"b".repeat(BYTES_MAX);
        assert_eq!(
            read("application/x-www-form-urlencoded", &long),
            Err(ErrorKind::TooLarge)
        );
    }
}
