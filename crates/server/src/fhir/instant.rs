//! As of any instant, in the web's own words: RFC 7089 (Memento).
//!
//! A client asks for a state of the record with `Accept-Datetime` (an HTTP date, whole seconds)
//! or, where it cannot set a header, with `_asof`: an instant, a date (the end of that day, UTC)
//! or `size:N` for exactly the first N entries. The answer names the state with
//! `Memento-Datetime` and, since seconds are coarse, with a link to the same thing as of the
//! exact size.

use record::time::{self, RecordedAt};

use super::Ask;
use super::negotiate::printable;
use super::query;
use crate::error::{Error, ErrorKind};
use crate::programme::{AsOf, View};

const SECOND: i64 = 1_000_000;

/// The state that `Accept-Datetime` asks for: all that was recorded by the end of that second's
/// beginning, that is, up to and including the instant it names.
pub fn accept_datetime(text: &str) -> Result<AsOf, Error> {
    match RecordedAt::parse_http_date(text) {
        Some(at) => Ok(AsOf::Instant(at)),
        None => Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "`Accept-Datetime: {}` is not an HTTP date; write it like `Thu, 31 May 2007 20:35:00 GMT`.",
                printable(text)
            ),
        )),
    }
}

/// The state that `_asof` asks for.
pub fn as_of(text: &str) -> Result<AsOf, Error> {
    if let Some(size) = text.strip_prefix("size:") {
        let digits = (1..=19).contains(&size.len()) && size.bytes().all(|b| b.is_ascii_digit());
        if digits && let Ok(size) = size.parse() {
            return Ok(AsOf::Size(size));
        }
    } else {
        // A plus sign in a query string arrives as a space.
        let text = text.trim_end().replace(' ', "+");
        if let Some(happened) = time::parse_interval(&text) {
            let at = if text.contains('T') {
                happened.start
            } else {
                happened.end - 1
            };
            return Ok(AsOf::Instant(RecordedAt(at)));
        }
    }
    Err(Error::new(
        ErrorKind::Malformed,
        format!(
            "`_asof={}` is not an instant; write it like `2024-05-01T12:00:00Z`, `2024-05-01` or `size:1200`.",
            printable(text)
        ),
    ))
}

/// Seconds since the epoch of an HTTP date.
pub fn from_http_date(text: &str) -> Option<i64> {
    RecordedAt::parse_http_date(text).map(|at| at.0.div_euclid(SECOND))
}

/// As `Last-Modified` says it: whole seconds, rounded down.
pub fn to_http_date(at: RecordedAt) -> String {
    at.to_http_date()
}

/// As FHIR's `instant`: as precisely as `meta.lastUpdated`.
pub fn to_fhir(at: RecordedAt) -> String {
    at.to_string()
}

/// A state of the record that an answer was taken from because the client asked for it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Memento {
    /// The first so many entries.
    pub size: u64,
    /// A whole second that names this state or, if the client asked for a fraction of a second,
    /// comes as near to it as a whole second can. Nothing before the first entry.
    pub datetime: Option<RecordedAt>,
}

impl Memento {
    /// The state that `view` shows, if `ask` asked for one.
    pub fn of(ask: &Ask, view: &View) -> Option<Memento> {
        let asked = ask.as_of?;
        let datetime = view.recorded_at().map(|recorded| {
            // Rounded up, so that asking for it again finds the same entries; but never past
            // what was asked for.
            let up = recorded.0.saturating_add(SECOND - 1).div_euclid(SECOND) * SECOND;
            let at = match asked {
                AsOf::Instant(asked) => up.min(asked.0.div_euclid(SECOND) * SECOND),
                AsOf::Now | AsOf::Size(_) | AsOf::Seen(..) => up,
            };
            RecordedAt(at)
        });
        Some(Memento {
            size: view.size(),
            datetime,
        })
    }

    /// The value of the `Link` header: the thing itself, and this exact state of it.
    pub fn links(&self, ask: &Ask) -> String {
        let params = ask
            .params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let plain = query::encode(params.clone());
        let size = format!("size:{}", self.size);
        let exact = query::encode(params.chain([("_asof", size.as_str())]));
        let here = format!("{}{}", ask.base, ask.path);
        let question = if plain.is_empty() { "" } else { "?" };
        let mut links = format!(
            "<{here}{question}{plain}>; rel=\"original timegate\", <{here}?{exact}>; rel=\"memento\""
        );
        if let Some(datetime) = self.datetime {
            links.push_str(&format!("; datetime=\"{}\"", to_http_date(datetime)));
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_named_by_instant_date_or_size() {
        let micros = |text: &str| time::parse_interval(text).expect(text).start;
        for (text, expected) in [
            ("size:0", Some(AsOf::Size(0))),
            ("size:123", Some(AsOf::Size(123))),
            ("size:-1", None),
            ("size:", None),
            (
                "2024-05-01T12:00:00Z",
                Some(AsOf::Instant(RecordedAt(micros("2024-05-01T12:00:00Z")))),
            ),
            (
                "2024-05-01T14:00:00+02:00",
                Some(AsOf::Instant(RecordedAt(micros("2024-05-01T12:00:00Z")))),
            ),
            (
                "2024-05-01T14:00:00 02:00",
                Some(AsOf::Instant(RecordedAt(micros("2024-05-01T12:00:00Z")))),
            ),
            (
                "2024-05-01",
                Some(AsOf::Instant(RecordedAt(
                    micros("2024-05-02T00:00:00Z") - 1,
                ))),
            ),
            ("2024-13-01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(as_of(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn accept_datetime_is_an_http_date() {
        for (text, fits) in [
            ("Thu, 31 May 2007 20:35:00 GMT", true),
            ("2007-05-31T20:35:00Z", false),
            ("Thu, 31 May 2007 20:35:00", false),
            ("", false),
        ] {
            assert_eq!(accept_datetime(text).is_ok(), fits, "{text}");
        }
    }
}
