//! A form that may come with the scan of a paper: what somebody signed, entered by another.

use axum::body::Body;
use axum::http::HeaderMap;

use super::form;
use crate::error::{Error, ErrorKind};
use crate::fhir::body;

/// The largest scan, in bytes.
const SCAN_BYTES_MAX: usize = 4 << 20;
/// The largest form with a scan, in bytes.
const BYTES_MAX: usize = SCAN_BYTES_MAX + (256 << 10);

/// A form, read.
#[derive(Debug, Default)]
pub struct Form {
    form: form::Form,
    /// The scan that came with it.
    pub scan: Option<Scan>,
}

/// A scan that came with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// `application/pdf`, `image/jpeg` or `image/png`, by what is in it and not by what is said of it.
    pub media: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Form {
    /// Reads it.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Form, Error> {
        let whole = body::read(headers, body, BYTES_MAX).await?;
        let form = form::Form::read(headers, &whole)?;
        let scan = match form.file() {
            Some(file) if file.bytes.len() > SCAN_BYTES_MAX => {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    "A scan of at most 4 MB can be sent. Scan it in black and white, or leave pages out.",
                ));
            }
            Some(file) => Some(Scan {
                media: media(&file.bytes)?,
                bytes: file.bytes.clone(),
            }),
            None => None,
        };
        Ok(Form { form, scan })
    }

    /// The first value of a field, without white space around it; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.form.field(name).trim()
    }

    /// All values of a field.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.form.all(name)
    }

    /// The beginning of a day that a field names; nothing if it names none.
    pub fn day(&self, name: &str) -> Option<i64> {
        self.form.day(name, name).ok().flatten()
    }
}

/// What a scan is, by how it begins.
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
