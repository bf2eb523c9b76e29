//! Fetching a client's keys from its own address, without being led anywhere else.
//!
//! The address was registered by an officer, but what it leads to is somebody else's: so only https, to port 443 or above
//! 1023, to addresses that everybody can reach (checked on the address that is connected to, not on an earlier answer of
//! DNS), without a redirect, with a small answer in little time. `--jwks-inside` lets an installation whose clients are on
//! its own network fetch from there, and over http.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::jwks::{self, Key};
use crate::serving::peer::is_public;

/// The largest JWK Set, in bytes.
const BYTES_MAX: u64 = 64 << 10;
/// How long fetching one may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// How long a set is believed, in microseconds.
const KEPT: i64 = 300_000_000;
/// How soon a set is fetched again when it lacks a key, or could not be fetched; in microseconds.
const AGAIN: i64 = 10_000_000;
/// How many sets are kept.
const KEPT_MAX: usize = 500;

/// Nothing, or a sentence about why keys are not fetched from this address.
pub fn check(address: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("Keys are not fetched from `{address}`: {why}."));
    let fits = address.len() <= 500 && address.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(uri) = Some(address)
        .filter(|_| fits)
        .and_then(|text| text.parse::<Uri>().ok())
    else {
        return wrong("it is no address; write it whole, as https://app.example/jwks.json");
    };
    if uri.scheme_str() != Some("https") && uri.scheme_str() != Some("http") {
        return wrong("it is fetched over https");
    }
    let Some(authority) = uri.authority().filter(|all| !all.as_str().contains('@')) else {
        return wrong("it has no host, or a user's name");
    };
    match authority.port_u16() {
        None | Some(443 | 1024..) => Ok(()),
        Some(_) => wrong("its port belongs to something else"),
    }
}

/// What is known of one address.
#[derive(Clone, Default)]
struct Known {
    /// When it was last asked, in microseconds.
    asked: Option<i64>,
    /// The last set that came, and when.
    set: Option<(i64, Arc<Vec<Key>>)>,
    /// Held by whoever asks it: one at a time.
    asking: Arc<Mutex<()>>,
}

impl Known {
    /// The set, as long as it is believed.
    fn believed(&self, now: i64) -> Option<Arc<Vec<Key>>> {
        let (at, keys) = self.set.as_ref()?;
        (now.saturating_sub(*at) < KEPT).then(|| keys.clone())
    }

    /// What is answered without asking; nothing if it must be asked.
    fn answer(&self, kid: &str, now: i64) -> Option<Result<Arc<Vec<Key>>, String>> {
        let believed = self.believed(now);
        if let Some(keys) = &believed
            && keys.iter().any(|key| key.kid == kid)
        {
            return Some(Ok(keys.clone()));
        }
        let lately = |asked| now.saturating_sub(asked) < AGAIN;
        self.asked
            .is_some_and(lately)
            .then(|| believed.ok_or_else(|| "its keys could not be fetched just now".to_owned()))
    }
}

/// Keys that were fetched, and when.
pub struct Fetched {
    agent: ureq::Agent,
    inside: bool,
    sets: Mutex<HashMap<String, Known>>,
}

impl Fetched {
    /// Nothing fetched yet; `inside`: from this network, too, and over http.
    pub fn new(inside: bool) -> Fetched {
        let config = ureq::Agent::config_builder()
            .https_only(!inside)
            .max_redirects(0)
            .http_status_as_error(true)
            .proxy(None)
            .timeout_global(Some(TIME_MAX))
            .build();
        Fetched {
            agent: ureq::Agent::with_parts(config, DefaultConnector::default(), Outside { inside }),
            inside,
            sets: Mutex::new(HashMap::new()),
        }
    }

    /// The keys at an address, of which one should be named so. `now` in microseconds. It may take seconds.
    ///
    /// A set that came is believed for its time even if the address does not answer meanwhile: a name of a key that
    /// nobody has, sent by anybody, takes nothing from those who have one.
    pub fn keys(&self, address: &str, kid: &str, now: i64) -> Result<Arc<Vec<Key>>, String> {
        let lock = || self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = {
            let mut sets = lock();
            if sets.len() >= KEPT_MAX && !sets.contains_key(address) {
                sets.clear();
            }
            sets.entry(address.to_owned()).or_default().clone()
        };
        if let Some(answer) = known.answer(kid, now) {
            return answer;
        }
        let _alone = known.asking.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever was before us may have brought it.
        let before = lock().get(address).cloned();
        if let Some(answer) = before.and_then(|known| known.answer(kid, now)) {
            return answer;
        }
        let outcome = self.fetch(address);
        let mut sets = lock();
        let known = sets.entry(address.to_owned()).or_insert(known.clone());
        known.asked = Some(now);
        if let Ok(keys) = &outcome {
            known.set = Some((now, keys.clone()));
        }
        outcome
    }

    fn fetch(&self, address: &str) -> Result<Arc<Vec<Key>>, String> {
        check(address)?;
        if !self.inside && address.starts_with("http:") {
            return Err("its keys are not at an https address".to_owned());
        }
        let fetched = self
            .agent
            .get(address)
            .header("Accept", "application/json")
            .call();
        let answer = fetched.map_err(|error| format!("its keys could not be fetched: {error}"))?;
        if answer.status().as_u16() != 200 {
            return Err(format!(
                "its keys could not be fetched: {}",
                answer.status()
            ));
        }
        let mut text = Vec::new();
        let mut body = answer.into_body().into_reader().take(BYTES_MAX + 1);
        body.read_to_end(&mut text)
            .map_err(|_| "its keys did not come whole".to_owned())?;
        if text.len() as u64 > BYTES_MAX {
            return Err("its keys are more than 64 KB".to_owned());
        }
        let set = serde_json::from_slice(&text).map_err(|_| "its keys are no JSON".to_owned())?;
        jwks::read(&set).map(Arc::new)
    }
}

/// Finds the addresses of a name that everybody can reach, and forgets the others.
#[derive(Debug)]
struct Outside {
    inside: bool,
}

impl Resolver for Outside {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut reachable = self.empty();
        for address in found.iter() {
            if self.inside || is_public(address.ip()) {
                reachable.push(*address);
            }
        }
        match reachable.is_empty() {
            true => Err(ureq::Error::HostNotFound),
            false => Ok(reachable),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn addresses_that_lead_elsewhere_are_refused() {
        for (address, taken) in [
            ("https://app.example/jwks.json", true),
            ("https://app.example:8443/jwks.json", true),
            ("https://app.example:25/", false),
            ("https://user@app.example/", false),
            ("file:///etc/passwd", false),
            ("gopher://app.example/", false),
            ("//app.example/", false),
            ("https://app.example/\r\nHost: x", false),
            ("", false),
        ] {
            assert_eq!(check(address).is_ok(), taken, "{address}");
        }
    }

    /// Answers every request with this; counts them.
    fn serve(answer: String) -> (String, Arc<AtomicUsize>) {
        serve_each(vec![answer])
    }

    /// Answers one request with each of these, and all others with the last; counts them.
    fn serve_each(answers: Vec<String>) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let before = counted.fetch_add(1, Ordering::SeqCst);
                let answer = &answers[before.min(answers.len() - 1)];
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (format!("http://{address}/jwks"), count)
    }

    fn whole(status: &str, headers: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    const SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-384","kid":"a","x":"qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3","y":"NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f"}]}"#;

    #[test]
    fn nothing_inside_is_reached_unless_it_is_allowed() {
        let (address, count) = serve(whole("200 OK", "", SET));
        let https = address.replace("http:", "https:");
        for from in [&address, &https] {
            assert!(Fetched::new(false).keys(from, "a", 0).is_err(), "{from}");
        }
        let named = https.replace("127.0.0.1", "localhost");
        assert!(Fetched::new(false).keys(&named, "a", 0).is_err());
        assert_eq!(count.load(Ordering::SeqCst), 0, "somebody was connected to");
        assert_eq!(
            Fetched::new(true)
                .keys(&address, "a", 0)
                .expect("keys")
                .len(),
            1
        );
    }

    #[test]
    fn keys_are_kept_and_fetched_again_in_good_time() {
        let (address, count) = serve(whole("200 OK", "", SET));
        let fetched = Fetched::new(true);
        for (kid, now, expected) in [
            ("a", 0, 1),
            ("a", KEPT - 1, 1),
            ("a", KEPT, 2),
            // A key that is not there yet is looked for, but not at every request.
            ("b", KEPT + 1, 2),
            ("b", KEPT + AGAIN, 3),
            ("b", KEPT + AGAIN + 1, 3),
        ] {
            fetched.keys(&address, kid, now).expect("keys");
            assert_eq!(count.load(Ordering::SeqCst), expected, "{kid} at {now}");
        }
    }

    #[test]
    fn a_set_is_believed_while_its_address_fails() {
        let (address, count) = serve_each(vec![
            whole("200 OK", "", SET),
            whole("500 Internal Server Error", "", ""),
        ]);
        let fetched = Fetched::new(true);
        let seen = |kid: &str, now: i64| {
            let keys = fetched.keys(&address, kid, now);
            let named = keys.map(|keys| keys.iter().any(|key| key.kid == kid));
            (named.ok(), count.load(Ordering::SeqCst))
        };
        for (kid, now, expected) in [
            ("a", 0, (Some(true), 1)),
            ("b", AGAIN, (None, 2)),
            ("a", AGAIN + 1, (Some(true), 2)),
            ("b", AGAIN + 1, (Some(false), 2)),
            ("b", 2 * AGAIN, (None, 3)),
            ("a", KEPT - 1, (Some(true), 3)),
            // Not for longer than if nobody had asked for the other one.
            ("a", KEPT, (None, 4)),
            ("a", KEPT + 1, (None, 4)),
        ] {
            assert_eq!(seen(kid, now), expected, "{kid} at {now}");
        }
    }

    #[test]
    fn an_address_is_asked_by_one_at_a_time() {
        let (address, count) = serve(whole("200 OK", "", SET));
        let fetched = Fetched::new(true);
        let all = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    all.wait();
                    assert_eq!(fetched.keys(&address, "a", 0).expect("keys").len(), 1);
                });
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_answer_that_is_not_a_small_set_is_refused() {
        let large = format!(
            "{{\"keys\":[],\"x\":\"{}\"}}",
            "x".repeat(BYTES_MAX as usize)
        );
        for (what, answer) in [
            (
                "a redirect",
                whole("302 Found", "Location: http://127.0.0.1:1/\r\n", ""),
            ),
            ("an error", whole("404 Not Found", "", SET)),
            ("no JSON", whole("200 OK", "", "hello")),
            ("too large", whole("200 OK", "", &large)),
        ] {
            let (address, count) = serve(answer);
            let fetched = Fetched::new(true);
            assert!(fetched.keys(&address, "a", 0).is_err(), "{what}");
            // And whoever asks again at once does not make us ask again.
            assert!(fetched.keys(&address, "a", 1).is_err(), "{what}");
            assert_eq!(count.load(Ordering::SeqCst), 1, "{what}");
        }
    }
}
