//! Where the server is reached from outside. Passkeys are bound to it, cookies are kept by it, other
//! organisations send people back to it, and forms from anywhere else are refused.
//!
//! Said with `--base`; otherwise it is whatever address the browser asked for, over plain HTTP, which
//! is right on one's own machine and for nothing else.

use axum::http::{HeaderMap, header};

use crate::error::{Error, ErrorKind};

/// An origin that people reach the server at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    https: bool,
    host: String,
}

impl Site {
    /// From `https://record.example.org`, with a port if it is not the usual one.
    pub fn parse(base: &str) -> Result<Site, Error> {
        let refused = || {
            Error::new(
                ErrorKind::Malformed,
                "The base is the address that people reach Homecoming at, without a path: \
                 https://record.example.org, or http://localhost:8180.",
            )
        };
        let (scheme, rest) = base.split_once("://").ok_or_else(refused)?;
        let host = rest.strip_suffix('/').unwrap_or(rest).to_lowercase();
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(refused()),
        };
        match is_host(&host) {
            true => Ok(Site { https, host }),
            false => Err(refused()),
        }
    }

    /// The address that a request was sent to, over plain HTTP.
    pub fn asked_for(headers: &HeaderMap) -> Site {
        let host = headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .map(str::to_lowercase)
            .filter(|host| is_host(host));
        Site {
            https: false,
            host: host.unwrap_or_else(|| "localhost".to_owned()),
        }
    }

    /// `https://record.example.org`.
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The name without a port: what passkeys are bound to.
    pub fn name(&self) -> &str {
        match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &self.host,
        }
    }

    /// Whether browsers make passkeys for it: over TLS or on one's own machine, and by name.
    pub fn takes_passkeys(&self) -> bool {
        let name = self.name();
        let is_own = name == "localhost" || name.ends_with(".localhost");
        let is_name = name.contains(|c: char| c.is_ascii_alphabetic()) && !name.starts_with('[');
        is_name && (self.https || is_own)
    }

    /// The name of a cookie of ours: over TLS with the prefix that binds it to this host.
    pub fn cookie(&self, name: &str) -> String {
        match self.https {
            true => format!("__Host-{name}"),
            false => name.to_owned(),
        }
    }

    /// A `Set-Cookie` value; `seconds` 0 takes the cookie away.
    pub fn set_cookie(&self, name: &str, value: &str, seconds: i64) -> String {
        let secure = if self.https { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
            self.cookie(name)
        )
    }

    /// The value of a cookie of ours.
    pub fn read_cookie(&self, headers: &HeaderMap, name: &str) -> Option<String> {
        let wanted = self.cookie(name);
        headers.get_all(header::COOKIE).iter().find_map(|value| {
            value.to_str().ok()?.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                (name == wanted && !value.is_empty()).then(|| value.to_owned())
            })
        })
    }
}

/// A host's name or address, perhaps with a port.
fn is_host(host: &str) -> bool {
    (1..=255).contains(&host.len())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
        && !host.starts_with(['.', ':', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_an_origin_and_nothing_more() {
        let check = |base: &str, expect: Option<(&str, &str, bool)>| {
            let site = Site::parse(base).ok();
            let found = site
                .as_ref()
                .map(|site| (site.origin(), site.name(), site.takes_passkeys()));
            let found = found.as_ref().map(|(a, b, c)| (a.as_str(), *b, *c));
            assert_eq!(found, expect, "{base}");
        };
        let at = |origin, name, passkeys| Some((origin, name, passkeys));
        check(
            "https://Record.example.org/",
            at("https://record.example.org", "record.example.org", true),
        );
        check(
            "https://record.example.org:8443",
            at(
                "https://record.example.org:8443",
                "record.example.org",
                true,
            ),
        );
        check(
            "http://localhost:8180",
            at("http://localhost:8180", "localhost", true),
        );
        check(
            "http://record.example.org",
            at("http://record.example.org", "record.example.org", false),
        );
        check(
            "http://127.0.0.1:8180",
            at("http://127.0.0.1:8180", "127.0.0.1", false),
        );
        check(
            "https://[::1]:8180",
            at("https://[::1]:8180", "[::1]", false),
        );
        check("https://record.example.org/path", None);
        check("https://user@record.example.org", None);
        check("javascript://x", None);
        check("record.example.org", None);
        check("https://", None);
        check("https://a b", None);
    }

    #[test]
    fn a_cookie_over_tls_is_bound_to_the_host() {
        let site = Site::parse("https://record.example.org").expect("a site");
        assert_eq!(
            site.set_cookie("s", "v", 60),
            "__Host-s=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            "s=plain; __Host-s=bound".parse().expect("a header"),
        );
        assert_eq!(site.read_cookie(&headers, "s").as_deref(), Some("bound"));
        let own = Site::asked_for(&headers);
        assert_eq!(own.read_cookie(&headers, "s").as_deref(), Some("plain"));
        assert_eq!(own.read_cookie(&headers, "t"), None);
    }
}
