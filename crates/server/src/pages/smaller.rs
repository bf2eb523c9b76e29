//! Pages in fewer bytes, for browsers that ask for it (`Accept-Encoding: zstd`, which they send
//! over TLS and to this machine). The others get the page as it is.
//!
//! Compression tells the length of what is compressed together. A page holds no token or other
//! secret that its reader does not see on it, so there is nothing to be guessed that way.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// The largest page that is held in memory to be compressed, in bytes.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// Smaller pages are sent as they are, in bytes.
const WORTH_BYTES: usize = 1_000;

/// zstd's own default: a page of 150 KB takes about a millisecond.
const LEVEL: i32 = 3;

pub(super) async fn smaller(request: Request, next: Next) -> Response {
    let asked = asks(request.headers());
    let response = next.run(request).await;
    if !asked || !is_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let page = match to_bytes(body, PAGE_BYTES_MAX).await {
        Ok(page) => page,
        Err(error) => return Error::internal(error).into_response(),
    };
    if page.len() < WORTH_BYTES {
        return Response::from_parts(parts, Body::from(page));
    }
    match zstd::bulk::compress(&page, LEVEL) {
        Ok(small) => {
            parts
                .headers
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
            parts
                .headers
                .append(header::VARY, HeaderValue::from_static("accept-encoding"));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(small))
        }
        Err(_) => Response::from_parts(parts, Body::from(page)),
    }
}

/// Whether a coding named `zstd` is asked for, and not with a weight of nothing.
pub(crate) fn asks(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("zstd"));
            let refused = parts.any(|part| {
                part.strip_prefix("q=")
                    .is_some_and(|weight| weight.trim_end_matches(['0', '.']).is_empty())
            });
            named && !refused
        })
}

fn is_page(response: &Response) -> bool {
    !response.headers().contains_key(header::CONTENT_ENCODING)
        && response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_zstd_gets_it() {
        for (given, expected) in [
            ("gzip, deflate, br, zstd", true),
            ("ZSTD;q=0.5", true),
            ("gzip, zstd;q=0", false),
            ("zstd;q=0.0", false),
            ("gzip", false),
            ("zstandard", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(given));
            assert_eq!(asks(&headers), expected, "{given}");
        }
        assert!(!asks(&HeaderMap::new()));
    }
}
