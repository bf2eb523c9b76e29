//! What a form of our pages sends: pairs of names and values, and perhaps one file.
//!
//! Without a file it is `application/x-www-form-urlencoded`, with one `multipart/form-data` (RFC 7578).
//! Of the second only what browsers send is read: no nesting, no other encodings of parts.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};

use crate::error::{Error, ErrorKind};
use crate::fhir::body;
use crate::fhir::query::{self, Pairs};

/// The largest form without a file, in bytes.
const PAIRS_BYTES_MAX: usize = 256 << 10;
/// The largest file that a form takes, in bytes.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// How many parts a form has at the most.
const PARTS_MAX: usize = 200;

/// A form, read.
#[derive(Debug, Default)]
pub struct Form {
    pairs: Pairs,
    /// The file that came with it.
    pub file: Option<File>,
}

/// A file that came with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `application/pdf`, `image/jpeg` or `image/png`, by what is in it and not by what is said of it.
    pub media: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Form {
    /// Reads it; that it came from a page of ours, [`super::forms`] has seen to.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Form, Error> {
        let media = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        match boundary(media) {
            None => {
                let whole = body::read(headers, body, PAIRS_BYTES_MAX).await?;
                Ok(Form {
                    pairs: query::decode(&String::from_utf8_lossy(&whole))?,
                    file: None,
                })
            }
            Some(boundary) => {
                let most = FILE_BYTES_MAX + PAIRS_BYTES_MAX;
                let whole: Bytes = body::read(headers, body, most).await?;
                parts(&whole, &boundary)
            }
        }
    }

    /// The first value of a field, without white space around it; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// All values of a field.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let of = move |(given, _): &&(String, String)| given == name;
        self.pairs
            .iter()
            .filter(of)
            .map(|(_, value)| value.as_str())
    }

    /// The beginning of a day that a date field names.
    pub fn day(&self, name: &str) -> Option<i64> {
        let text = self.text(name);
        let parsed = record::time::parse_interval(text).filter(|_| is_day(text));
        parsed.map(|day| day.start)
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && record::time::is_date(text)
}

fn boundary(media: &str) -> Option<Vec<u8>> {
    let (kind, rest) = media.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (_, value) = rest
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let value = value.trim_matches('"');
    (1..=70)
        .contains(&value.len())
        .then(|| format!("--{value}").into_bytes())
}

fn parts(whole: &[u8], boundary: &[u8]) -> Result<Form, Error> {
    let malformed = || {
        Error::new(
            ErrorKind::Malformed,
            "The form did not arrive whole. Send it again.",
        )
    };
    let mut form = Form::default();
    let mut rest = whole.strip_prefix(boundary).ok_or_else(malformed)?;
    // Every part but the first begins after a line end and the boundary.
    let delimiter = [b"\r\n", boundary].concat();
    for _ in 0..PARTS_MAX {
        if rest.starts_with(b"--") {
            return Ok(form);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or_else(malformed)?;
        let end = find(rest, &delimiter).ok_or_else(malformed)?;
        let part = &rest[..end];
        rest = &rest[end + delimiter.len()..];
        let head = find(part, b"\r\n\r\n").ok_or_else(malformed)?;
        let (head, content) = (&part[..head], &part[head + 4..]);
        let head = std::str::from_utf8(head).map_err(|_| malformed())?;
        let named = disposition(head).ok_or_else(malformed)?;
        if !named.is_file {
            let value = String::from_utf8(content.to_vec()).map_err(|_| malformed())?;
            form.pairs.push((named.name, value));
        } else if !content.is_empty() {
            if content.len() > FILE_BYTES_MAX || form.file.is_some() {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    "One file of at most 4 MB can be sent. Scan it in black and white, or leave pages out.",
                ));
            }
            form.file = Some(File {
                media: media(content)?,
                bytes: content.to_vec(),
            });
        }
    }
    Err(malformed())
}

struct Named {
    name: String,
    is_file: bool,
}

/// The name in a part's Content-Disposition.
fn disposition(head: &str) -> Option<Named> {
    let value = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value.trim())
    })?;
    let rest = value.strip_prefix("form-data")?;
    let parameter = |wanted: &str| {
        let at = rest.find(&format!("; {wanted}=\""))? + wanted.len() + 4;
        Some(rest[at..].split('"').next()?.to_owned())
    };
    Some(Named {
        name: parameter("name")?,
        is_file: parameter("filename").is_some(),
    })
}

/// What a file is, by how it begins.
fn media(content: &[u8]) -> Result<&'static str, Error> {
    Ok(match content {
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
        _ => {
            return Err(Error::new(
                ErrorKind::WrongMedia,
                "A scan must be a PDF, a JPEG or a PNG file.",
            ));
        }
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (head, content) in parts {
            out.extend_from_slice(b"--xyz\r\nContent-Disposition: form-data; ");
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(b"\r\n\r\n");
            out.extend_from_slice(content);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"--xyz--\r\n");
        out
    }

    #[test]
    fn fields_and_a_file_are_read() {
        let whole = sent(&[
            ("name=\"witness\"", "  M. Quintero ".as_bytes()),
            ("name=\"part\"", b"scores"),
            ("name=\"part\"", b"plans"),
            (
                "name=\"scan\"; filename=\"C:\\a.pdf\"\r\nContent-Type: text/html",
                b"%PDF-1.7\r\n--xy not a boundary",
            ),
        ]);
        let form = parts(&whole, b"--xyz").expect("a form");
        assert_eq!(form.text("witness"), "M. Quintero");
        assert_eq!(form.all("part").collect::<Vec<_>>(), ["scores", "plans"]);
        assert_eq!(form.text("filename"), "");
        let file = form.file.expect("a file");
        assert_eq!(file.media, "application/pdf");
        assert_eq!(file.bytes, b"%PDF-1.7\r\n--xy not a boundary");
    }

    #[test]
    fn no_file_is_an_empty_one() {
        let whole = sent(&[("name=\"scan\"; filename=\"\"", b"")]);
        assert_eq!(parts(&whole, b"--xyz").expect("a form").file, None);
    }

    #[test]
    fn what_is_cut_off_or_no_scan_is_refused() {
        let whole = sent(&[("name=\"a\"", b"1"), ("name=\"b\"", b"2")]);
        for end in 0..whole.len() - 4 {
            assert!(parts(&whole[..end], b"--xyz").is_err(), "cut off at {end}");
        }
        let file = |content: &[u8]| {
            let whole = sent(&[("name=\"scan\"; filename=\"x\"", content)]);
            parts(&whole, b"--xyz").map_err(|error| error.kind)
        };
        assert_eq!(file(b"<html>").err(), Some(ErrorKind::WrongMedia));
        let large = [b"%PDF-".to_vec(), vec![0; FILE_BYTES_MAX]].concat();
        assert_eq!(file(&large).err(), Some(ErrorKind::TooLarge));
        let many: Vec<(&str, &[u8])> = vec![("name=\"a\"", b"1"); PARTS_MAX + 1];
        assert!(parts(&sent(&many), b"--xyz").is_err());
    }

    #[test]
    fn a_boundary_is_read_as_browsers_write_it() {
        let rows = [
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryX",
                Some("------WebKitFormBoundaryX"),
            ),
            (
                "multipart/form-data; charset=utf-8; boundary=\"a b\"",
                Some("--a b"),
            ),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=x", None),
            ("application/x-www-form-urlencoded", None),
        ];
        for (media, expect) in rows {
            let found = boundary(media).map(|b| String::from_utf8(b).expect("text"));
            assert_eq!(found.as_deref(), expect, "{media}");
        }
    }
}
