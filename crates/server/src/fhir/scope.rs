//! Who is asking, and what their token lets them do.
//!
//! A token is presented as `Authorization: Bearer ...`; only its SHA-256 is ever looked up or
//! kept. What a token grants is remembered for [`REMEMBERED`] so that a read costs no query of
//! the desk; a token that is withdrawn therefore works at most that much longer. Scopes are
//! SMART App Launch 2.2's `system/Kind.cruds`, with `*` for all kinds, and version 1's `.read`,
//! `.write` and `.*`. Beside them there is `log.read`: the log's tiles and entries, and no resource.
//! Nothing is granted that is not written in a scope.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, header};
use policy::{Kind, Purpose};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::permit::Who;
use crate::programme::{Actor, Programme};

/// How long a token's grant is believed without asking the desk again, in microseconds.
pub const REMEMBERED: i64 = 5_000_000;
/// How many tokens are remembered; when there are more, all are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// What somebody does with a resource.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Create.
    Create,
    /// Read, vread, history of an instance, receipt.
    Read,
    /// Update.
    Update,
    /// Delete.
    Delete,
    /// Search, and every condition that is a search.
    Search,
}

impl Verb {
    const fn bit(self) -> u8 {
        match self {
            Verb::Create => 1,
            Verb::Read => 2,
            Verb::Update => 4,
            Verb::Delete => 8,
            Verb::Search => 16,
        }
    }

    /// As it stands in "may not ... Observation".
    pub const fn word(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Read => "read",
            Verb::Update => "update",
            Verb::Delete => "delete",
            Verb::Search => "search",
        }
    }
}

/// What a client may do: kinds (none for all of them) and the verbs allowed on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    rows: Vec<(Option<String>, u8)>,
    log: bool,
    text: String,
}

impl Scopes {
    /// Reads scopes separated by spaces. The error is a sentence about the one that is wrong.
    pub fn parse(text: &str) -> Result<Scopes, String> {
        let mut rows = Vec::new();
        let mut log = false;
        for scope in text.split_whitespace() {
            if scope == crate::transparency::SCOPE {
                log = true;
                continue;
            }
            let wrong = |why: &str| {
                Err(format!(
                    "`{scope}` is not a scope that this server knows: {why}. Write `system/Observation.rs`, `system/*.cruds` or `log.read`."
                ))
            };
            let Some(rest) = scope.strip_prefix("system/") else {
                return wrong("it does not begin with `system/`");
            };
            let Some((kind, verbs)) = rest.split_once('.') else {
                return wrong("it has no verbs");
            };
            let kind = match kind {
                "*" => None,
                _ if record::definitions::kind_number(kind).is_some() => Some(kind.to_owned()),
                _ => return wrong("there is no such resource type in FHIR R4"),
            };
            let bits = match verbs {
                "read" => Verb::Read.bit() | Verb::Search.bit(),
                "write" => Verb::Create.bit() | Verb::Update.bit() | Verb::Delete.bit(),
                "*" => 31,
                _ => {
                    let mut bits = 0u8;
                    for letter in verbs.chars() {
                        let bit = match letter {
                            'c' => Verb::Create.bit(),
                            'r' => Verb::Read.bit(),
                            'u' => Verb::Update.bit(),
                            'd' => Verb::Delete.bit(),
                            's' => Verb::Search.bit(),
                            _ => return wrong("its verbs are letters of `cruds`"),
                        };
                        if bits >= bit {
                            return wrong("its verbs come in the order `cruds`, each once");
                        }
                        bits |= bit;
                    }
                    bits
                }
            };
            if bits == 0 {
                return wrong("it has no verbs");
            }
            rows.push((kind, bits));
        }
        Ok(Scopes {
            rows,
            log,
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    /// Whether any of the scopes allows it.
    pub fn allow(&self, kind: &str, verb: Verb) -> bool {
        self.rows
            .iter()
            .any(|(on, bits)| bits & verb.bit() != 0 && on.as_deref().is_none_or(|on| on == kind))
    }

    /// Whether the log's tiles and entries may be read.
    pub fn allow_log(&self) -> bool {
        self.log
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a token stands for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who acts, as entries name them.
    pub actor: Actor,
    /// What they may do.
    pub scopes: Scopes,
    /// Who it is to the policy, which decides beside the scopes.
    pub who: Arc<Who>,
    /// What they read for unless a request says otherwise.
    pub purpose: Purpose,
}

impl Grant {
    /// Nothing, or a sentence about what this client may not do.
    pub fn check(&self, kind: &str, verb: Verb) -> Result<(), Error> {
        if self.scopes.allow(kind, verb) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            format!(
                "This client may not {} {kind}: its scope is `{}`.",
                verb.word(),
                self.scopes
            ),
        ))
    }
}

/// Looks a token's SHA-256 up; `None` if there is no such token or it is withdrawn or expired.
pub type Lookup = Box<dyn Fn(&[u8; 32]) -> Result<Option<Grant>, Error> + Send + Sync>;

/// Looks tokens up at the programme's desk.
pub fn desk_lookup(programme: Programme) -> Lookup {
    Box::new(move |hash| {
        let now = programme.clock().now().0;
        let Some(token) = programme
            .desk()
            .token_of_hash(hash, now)
            .map_err(Error::desk)?
        else {
            return Ok(None);
        };
        let scopes = Scopes::parse(&token.scope).map_err(Error::internal)?;
        let name = format!("client/{}", token.client);
        let purpose = Purpose::Treatment;
        let actor = Actor {
            name: name.clone(),
            purpose: purpose.code().to_owned(),
        };
        Ok(Some(Grant {
            actor,
            scopes,
            who: Arc::new(Who::program(&name, Kind::ALL.to_vec())),
            purpose,
        }))
    })
}

/// When a grant was looked up (microseconds since the epoch), and the grant.
type Known = HashMap<[u8; 32], (i64, Arc<Grant>)>;

/// The door: tokens to grants, remembered for a few seconds.
pub struct Door {
    lookup: Lookup,
    known: Mutex<Known>,
}

impl Door {
    /// A door that asks `lookup` about tokens it does not remember.
    pub fn new(lookup: Lookup) -> Door {
        Door {
            lookup,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// The grant of the token in the request's headers. `now` in microseconds since the epoch.
    pub fn enter(&self, headers: &HeaderMap, now: i64) -> Result<Arc<Grant>, Error> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let token = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().and_then(bearer),
            (Some(_), Some(_)) => None,
            (None, _) => {
                return Err(refused(
                    "Send an access token: `Authorization: Bearer ...` (`homecoming token` makes one).",
                    "Bearer realm=\"Homecoming\"",
                ));
            }
        };
        let Some(token) = token else {
            return Err(refused(
                "The `Authorization` header is not `Bearer` and one token.",
                "Bearer realm=\"Homecoming\", error=\"invalid_request\"",
            ));
        };
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        {
            let known = self
                .known
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some((at, grant)) = known.get(&hash)
                && (*at..at.saturating_add(REMEMBERED)).contains(&now)
            {
                return Ok(grant.clone());
            }
        }
        let Some(grant) = (self.lookup)(&hash)? else {
            return Err(refused(
                "This access token is not known, or no longer valid. Ask for a new one.",
                "Bearer realm=\"Homecoming\", error=\"invalid_token\"",
            ));
        };
        let grant = Arc::new(grant);
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(hash, (now, grant.clone()));
        Ok(grant)
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    let fits = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && token.len() <= 512
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(token)
}

fn refused(message: &str, challenge: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, message).header(header::WWW_AUTHENTICATE, challenge)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn scopes_allow_what_they_say_and_nothing_else() {
        use Verb::*;
        for (scopes, kind, verb, allowed) in [
            ("", "Patient", Read, false),
            ("system/*.cruds", "Patient", Delete, true),
            ("system/*.rs", "Patient", Read, true),
            ("system/*.rs", "Patient", Search, true),
            ("system/*.rs", "Patient", Create, false),
            ("system/Patient.cu", "Patient", Create, true),
            ("system/Patient.cu", "Patient", Read, false),
            ("system/Patient.cu", "Observation", Create, false),
            (
                "system/Patient.cu system/Observation.r",
                "Observation",
                Read,
                true,
            ),
            ("system/*.read", "Observation", Search, true),
            ("system/*.read", "Observation", Update, false),
            ("system/Observation.write", "Observation", Delete, true),
            ("system/Observation.*", "Observation", Search, true),
        ] {
            let scopes = Scopes::parse(scopes).expect(scopes);
            assert_eq!(
                scopes.allow(kind, verb),
                allowed,
                "{scopes} {kind} {verb:?}"
            );
        }
    }

    #[test]
    fn who_may_read_the_log_may_not_read_the_record_and_the_other_way_round() {
        for (scopes, log, record) in [
            ("log.read", true, false),
            ("system/*.cruds", false, true),
            ("log.read system/*.rs", true, true),
            ("", false, false),
        ] {
            let scopes = Scopes::parse(scopes).expect(scopes);
            assert_eq!(scopes.allow_log(), log, "{scopes}");
            assert_eq!(scopes.allow("Patient", Verb::Read), record, "{scopes}");
        }
    }

    #[test]
    fn a_scope_that_is_not_known_is_refused() {
        for scopes in [
            "user/*.rs",
            "patient/Patient.r",
            "system/Patient",
            "system/Patient.",
            "system/Patient.sr",
            "system/Patient.rr",
            "system/Person_.r",
            "system/*.rsx",
            "log.write",
            "system/log.read",
            "openid",
        ] {
            assert!(Scopes::parse(scopes).is_err(), "{scopes}");
        }
    }

    fn headers(value: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        }
        headers
    }

    fn grant() -> Grant {
        Grant {
            actor: Actor {
                name: "client/test".to_owned(),
                purpose: "TREAT".to_owned(),
            },
            scopes: Scopes::parse("system/*.rs").expect("a scope"),
            who: Arc::new(Who::program("client/test", Kind::ALL.to_vec())),
            purpose: Purpose::Treatment,
        }
    }

    #[test]
    fn nothing_is_open_without_a_token() {
        let known: [u8; 32] = Sha256::digest(b"hc_good").into();
        let door = Door::new(Box::new(move |hash| Ok((*hash == known).then(grant))));
        for (value, expected) in [
            (None, "Bearer realm=\"Homecoming\""),
            (
                Some("Basic abc"),
                "Bearer realm=\"Homecoming\", error=\"invalid_request\"",
            ),
            (
                Some("Bearer"),
                "Bearer realm=\"Homecoming\", error=\"invalid_request\"",
            ),
            (
                Some("Bearer a b"),
                "Bearer realm=\"Homecoming\", error=\"invalid_request\"",
            ),
            (
                Some("Bearer hc_bad"),
                "Bearer realm=\"Homecoming\", error=\"invalid_token\"",
            ),
            (Some("Bearer hc_good"), "in"),
            (Some("bearer hc_good"), "in"),
        ] {
            let seen = match door.enter(&headers(value), 0) {
                Ok(_) => "in".to_owned(),
                Err(error) => error.headers[0].1.to_str().expect("text").to_owned(),
            };
            assert_eq!(seen, expected, "{value:?}");
        }
    }

    #[test]
    fn a_grant_is_remembered_for_a_few_seconds_only() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let door = Door::new(Box::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Some(grant()))
        }));
        let headers = headers(Some("Bearer hc_x"));
        for (now, expected) in [(0, 1), (1, 1), (REMEMBERED - 1, 1), (REMEMBERED, 2), (5, 3)] {
            door.enter(&headers, now).expect("it is known");
            assert_eq!(asked.load(Ordering::Relaxed), expected, "at {now}");
        }
    }
}
