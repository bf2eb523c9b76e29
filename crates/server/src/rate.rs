//! How often somebody may ask, by address and by account.
//!
//! Each has a bucket that holds so many requests and fills again at a rate; a request that finds it empty is
//! refused (429) with the time after which it would not be. A bucket is one number, the moment at which it is full
//! again (the generic cell rate algorithm), so that one that is full need not be kept.
//!
//! | bucket | of | a second | at once |
//! |---|---|---|---|
//! | address | one address, for IPv6 one /64 | `--rate` (50) | ten seconds of it |
//! | account | one token or session, as presented | the same | the same |
//! | secrets | one address that brings secrets: signing in, tokens, the way through an organisation | 1 | 30 |
//! | refused | one address whose tokens were refused | 1 in 2 | 60 |
//!
//! Tokens that were refused hold up tokens and secrets alone, and none that is known to be good: whoever shares an
//! address with somebody who guesses goes on with their session or their token.
//!
//! Whoever is on the machine itself is not counted, unless a configured proxy speaks for somebody else.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, Method, header};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::serving::Peer;
use crate::serving::peer::network_of;

/// What a second is in microseconds.
const SECOND: i64 = 1_000_000;

/// How many buckets are kept; when there are more that are not full, all begin anew.
const KEPT_MAX: usize = 65_536;

/// How large buckets of one sort are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The time that one request takes to be had again, in microseconds.
    pub each: i64,
    /// How many there are in a full one.
    pub most: i64,
}

/// Who may not bring a secret more often than this.
const SECRETS: Size = Size {
    each: SECOND,
    most: 30,
};

/// Whose tokens may not be refused more often than this.
const REFUSED: Size = Size {
    each: 2 * SECOND,
    most: 60,
};

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Account([u8; 16]),
    Secrets(IpAddr),
    Refused(IpAddr),
}

/// The buckets.
pub struct Rates {
    size: Option<Size>,
    buckets: Mutex<HashMap<Key, i64>>,
}

impl Rates {
    /// With so many requests a second for each address and account; none for as many as they like. Secrets are counted
    /// anyway.
    pub fn new(a_second: Option<u32>) -> Rates {
        let size = a_second.filter(|rate| *rate > 0).map(|rate| Size {
            each: (SECOND / i64::from(rate)).max(1),
            most: i64::from(rate) * 10,
        });
        Rates {
            size,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Lets a request in, or says how long to wait. `is_known`: whether it brings a token that was good; `now` in
    /// microseconds since the epoch.
    pub fn admit(
        &self,
        peer: Option<&Peer>,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        is_known: impl FnOnce() -> bool,
        now: i64,
    ) -> Result<(), Error> {
        let Some(peer) = peer.filter(|peer| !peer.is_local) else {
            return Ok(());
        };
        let network = network_of(peer.address);
        let brings_secret = brings_secret(method, path);
        if brings_secret {
            self.take(Key::Secrets(network), SECRETS, now)?;
        }
        let could_guess =
            (brings_secret || headers.contains_key(header::AUTHORIZATION)) && !is_known();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at only: what is taken is taken when a token was refused.
        if let Some(full) = buckets.get(&Key::Refused(network)).filter(|_| could_guess) {
            let mut full = *full;
            spend(&mut full, REFUSED, now).map_err(too_often)?;
        }
        let Some(size) = self.size else { return Ok(()) };
        let account = account(headers).map(Key::Account);
        for key in [Some(Key::Address(network)), account].into_iter().flatten() {
            spend(buckets.entry(key).or_insert(now), size, now).map_err(too_often)?;
        }
        tidy(&mut buckets, now);
        Ok(())
    }

    /// Somebody brought a token, or another secret, that is not good.
    pub fn refused(&self, peer: Option<&Peer>, now: i64) {
        if let Some(peer) = peer.filter(|peer| !peer.is_local) {
            // Whether there was one left is found at the next request.
            let _ = self.take(Key::Refused(network_of(peer.address)), REFUSED, now);
        }
    }

    fn take(&self, key: Key, size: Size, now: i64) -> Result<(), Error> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = spend(buckets.entry(key).or_insert(now), size, now);
        tidy(&mut buckets, now);
        outcome.map_err(too_often)
    }
}

/// Takes one request out of a bucket that is full at `full`; the error is how many microseconds it takes until there
/// is one.
fn spend(full: &mut i64, size: Size, now: i64) -> Result<(), i64> {
    let then = (*full).max(now) + size.each;
    let over = then - now - size.each * size.most;
    match over > 0 {
        true => Err(over),
        false => {
            *full = then;
            Ok(())
        }
    }
}

/// Lets full buckets go when there are many.
fn tidy<K: Eq + Hash>(buckets: &mut HashMap<K, i64>, now: i64) {
    if buckets.len() > KEPT_MAX {
        buckets.retain(|_, full| *full > now);
        if buckets.len() > KEPT_MAX {
            buckets.clear();
        }
    }
}

fn too_often(wait: i64) -> Error {
    let seconds = (wait.max(1) + SECOND - 1) / SECOND;
    let unit = if seconds == 1 { "second" } else { "seconds" };
    Error::new(
        ErrorKind::TooOften,
        format!("That was asked too often. Wait {seconds} {unit}, then go on more slowly."),
    )
    .header(header::RETRY_AFTER, &seconds.to_string())
}

/// Whether a request is one that brings a secret to be checked, so that guessing is what it could be.
fn brings_secret(method: &Method, path: &str) -> bool {
    use crate::web::path::{AGAIN, AUTHORIZE, ENROL, ENROL_PROVIDER, PROVIDER, SIGN_IN};
    // These make us ask somebody else.
    let asks = [PROVIDER, ENROL_PROVIDER]
        .iter()
        .any(|beginning| path.starts_with(beginning));
    let signs_in = [SIGN_IN, ENROL, AGAIN]
        .iter()
        .any(|beginning| path.starts_with(beginning));
    asks || method == Method::POST && (signs_in || path.starts_with("/oauth/") && path != AUTHORIZE)
}

/// The token or session that a request comes with, whether it is good or not.
fn account(headers: &HeaderMap) -> Option<[u8; 16]> {
    let presented = headers
        .get(header::AUTHORIZATION)
        .or_else(|| headers.get(header::COOKIE))?;
    let hash: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
    hash[..16].try_into().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn peer(address: &str) -> Peer {
        Peer {
            address: address.parse().expect("an address"),
            is_local: false,
            is_encrypted: false,
        }
    }

    fn ask(rates: &Rates, peer: &Peer, path: &str, now: i64) -> Result<(), u64> {
        rates
            .admit(
                Some(peer),
                &Method::POST,
                path,
                &HeaderMap::new(),
                || false,
                now,
            )
            .map_err(waits)
    }

    fn waits(error: Error) -> u64 {
        assert_eq!(error.kind, ErrorKind::TooOften);
        let (_, value) = &error.headers[0];
        value.to_str().expect("text").parse().expect("a number")
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rates = Rates::new(Some(2));
        let one = peer("203.0.113.1");
        for _ in 0..20 {
            assert_eq!(ask(&rates, &one, "/fhir/Patient", 0), Ok(()));
        }
        assert_eq!(ask(&rates, &one, "/fhir/Patient", 0), Err(1));
        assert_eq!(ask(&rates, &one, "/fhir/Patient", SECOND / 2), Ok(()));
        assert_eq!(ask(&rates, &one, "/fhir/Patient", SECOND / 2), Err(1));
        // Somebody else has their own; a refusal costs nothing.
        assert_eq!(
            ask(&rates, &peer("203.0.113.2"), "/fhir/Patient", 0),
            Ok(())
        );
        for _ in 0..20 {
            assert_eq!(ask(&rates, &one, "/fhir/Patient", 60 * SECOND), Ok(()));
        }
        assert_eq!(ask(&rates, &one, "/fhir/Patient", 60 * SECOND), Err(1));
    }

    #[test]
    fn whoever_is_on_the_machine_is_not_counted() {
        let rates = Rates::new(Some(1));
        let mut local = peer("127.0.0.1");
        local.is_local = true;
        for _ in 0..100 {
            assert_eq!(ask(&rates, &local, "/oauth/token", 0), Ok(()));
        }
    }

    #[test]
    fn secrets_are_brought_slowly_even_where_nothing_else_is_limited() {
        let rates = Rates::new(None);
        let one = peer("203.0.113.1");
        for _ in 0..SECRETS.most {
            assert_eq!(ask(&rates, &one, "/oauth/token", 0), Ok(()));
        }
        assert_eq!(ask(&rates, &one, "/oauth/token", 0), Err(1));
        assert_eq!(ask(&rates, &one, "/fhir/Patient", 0), Ok(()));
    }

    #[test]
    fn what_makes_us_ask_a_provider_is_counted_whatever_the_method() {
        for (method, path, brings) in [
            (Method::GET, "/sign-in", false),
            (Method::POST, "/sign-in", true),
            (Method::GET, "/sign-in/organisation", true),
            (Method::GET, "/sign-in/organisation/back", true),
            (Method::HEAD, "/enrol/organisation", true),
            (Method::POST, "/account/again/organisation", true),
            (Method::GET, "/account/again", false),
            (Method::POST, "/oauth/authorize", false),
        ] {
            assert_eq!(brings_secret(&method, path), brings, "{method} {path}");
        }
    }

    #[test]
    fn whose_tokens_are_refused_often_is_not_asked_for_more_and_holds_up_nobody_else() {
        let rates = Rates::new(None);
        let one = peer("203.0.113.1");
        let ask = |header: Option<(HeaderName, &str)>, path: &str, is_known: bool, now: i64| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(name, value.parse().expect("a header"));
            }
            let method = match path {
                "/sign-in" => Method::POST,
                _ => Method::GET,
            };
            rates
                .admit(Some(&one), &method, path, &headers, || is_known, now)
                .map_err(waits)
        };
        let token = || Some((header::AUTHORIZATION, "Bearer x"));
        for _ in 0..REFUSED.most {
            assert_eq!(ask(token(), "/fhir/Patient", false, 0), Ok(()));
            rates.refused(Some(&one), 0);
        }
        assert_eq!(ask(token(), "/fhir/Patient", false, 0), Err(2));
        assert_eq!(ask(None, "/sign-in", false, 0), Err(2));
        // A session, a token that is known, and whoever brings nothing.
        let session = Some((header::COOKIE, "homecoming-session=x"));
        assert_eq!(ask(session, "/caseload", false, 0), Ok(()));
        assert_eq!(ask(token(), "/fhir/Patient", true, 0), Ok(()));
        assert_eq!(ask(None, "/sign-in/help", false, 0), Ok(()));
        assert_eq!(ask(token(), "/fhir/Patient", false, 2 * SECOND), Ok(()));
    }

    #[test]
    fn one_account_is_counted_from_wherever_it_comes() {
        let rates = Rates::new(Some(1));
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, "Bearer x".parse().expect("a header"));
        let mut refused = 0;
        for last in 0..20 {
            let one = peer(&format!("203.0.113.{last}"));
            let admitted = rates.admit(
                Some(&one),
                &Method::GET,
                "/fhir/Patient",
                &headers,
                || false,
                0,
            );
            refused += usize::from(admitted.is_err());
        }
        assert_eq!(refused, 10);
    }

    #[test]
    fn many_addresses_do_not_fill_the_memory() {
        let rates = Rates::new(Some(50));
        for number in 0..(KEPT_MAX as u32 * 2) {
            let address = std::net::Ipv4Addr::from(0x0800_0000 + number).to_string();
            let _ = ask(&rates, &peer(&address), "/fhir/Patient", 0);
        }
        assert!(rates.buckets.lock().expect("unpoisoned").len() <= KEPT_MAX + 1);
    }
}
