//! Who is asking, and what their token lets them do.
//!
//! A token is presented as `Authorization: Bearer ...`; only its SHA-256 is ever looked up or
//! kept. What a token grants is remembered for [`REMEMBERED`] so that a read costs no query of
//! the desk; a token that another process withdraws, such as the command line, therefore works at most that much
//! longer. What this one took back is so at once ([`desk::Desk::taken_back`]). Scopes are SMART App Launch 2.2's ([`Scopes`]). Beside them
//! there is `log.read`: the log's tiles and entries, and no resource.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, header};
use desk::User;
use policy::{Kind, Purpose};
use sha2::{Digest, Sha256};

use crate::clients::{self, Proof, Registered};
use crate::error::{Error, ErrorKind};
use crate::permit::{Narrow, Reader, Who};
use crate::programme::{Actor, Programme};
use crate::sign_in::SignedIn;

mod scopes;

pub use scopes::{Context, Extra, Scope, Scopes};

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
    /// The client that acts.
    pub client: String,
    /// The user for whom it acts; nobody for a program that acts for itself.
    pub user: Option<User>,
    /// The one person whose record it was started on.
    pub patient: Option<String>,
    /// Of what acts for a person: the kinds of record that it is registered for, if that leaves some out. What a
    /// program sees that acts for itself is in `who`.
    pub kinds: Option<Vec<Kind>>,
}

impl Grant {
    /// Of a program that acts for itself.
    pub fn of_client(actor: Actor, scopes: Scopes, who: Who, purpose: Purpose) -> Grant {
        let client = actor.name.strip_prefix("client/").unwrap_or_default();
        Grant {
            client: client.to_owned(),
            actor,
            scopes,
            who: Arc::new(who),
            purpose,
            user: None,
            patient: None,
            kinds: None,
        }
    }

    /// What the access log keeps of it: what the client may do and see, and for whom it acts.
    pub fn told(&self) -> String {
        let mut told = self.scopes.to_string();
        if self.user.is_some() {
            told.push_str(&format!(" app={}", self.client));
        }
        if let Some(patient) = &self.patient {
            told.push_str(&format!(" patient={patient}"));
        }
        if let Some(kinds) = &self.kinds {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            told.push_str(&format!(" kinds={}", kinds.join(",")));
        }
        told
    }

    /// The grant that was told so, to draw again what it was shown, for the eyes of whoever looks at it again.
    pub fn again(actor: Actor, told: &str, reader: &Reader) -> Result<Grant, Error> {
        let mut scopes = Vec::new();
        let who = reader.who().clone();
        let mut grant = Grant::of_client(actor, Scopes::default(), who, reader.purpose());
        for word in told.split_whitespace() {
            match word.split_once('=') {
                Some(("app", client)) => grant.client = client.to_owned(),
                Some(("patient", patient)) => grant.patient = Some(patient.to_owned()),
                Some(("kinds", kinds)) => {
                    grant.kinds = Some(kinds.split(',').filter_map(Kind::parse).collect());
                }
                _ => scopes.push(word),
            }
        }
        grant.scopes = Scopes::parse(&scopes.join(" ")).map_err(Error::internal)?;
        Ok(grant)
    }

    /// A reader who sees no more than the client may, too: of one person, what answers to the scopes' queries, the kinds
    /// of record that it is registered for.
    pub fn narrow(&self, programme: &Programme, reader: Reader) -> Reader {
        if !self.scopes.narrow() && self.kinds.is_none() {
            return reader;
        }
        let launched = self
            .patient
            .as_deref()
            .map(|patient| programme.ledger().person(patient));
        reader.narrowed(Narrow {
            scopes: self.scopes.clone(),
            launched,
            kinds: self.kinds.clone(),
        })
    }

    /// Nothing, or a sentence about what this client may not do.
    pub fn check(&self, kind: &str, verb: Verb) -> Result<(), Error> {
        if self.scopes.allow(kind, verb) {
            return Ok(());
        }
        Err(lacking(format!(
            "This client may not {} {kind}: its scope is `{}`.",
            verb.word(),
            self.scopes
        )))
    }
}

/// Looks a token's SHA-256 up; `None` if there is no such token or it is withdrawn or expired.
pub type Lookup = Box<dyn Fn(&[u8; 32]) -> Result<Option<Grant>, Error> + Send + Sync>;

/// Looks tokens up at the programme's desk.
fn desk_lookup(programme: Programme) -> Lookup {
    Box::new(move |hash| {
        let (desk, now) = (programme.desk(), programme.clock().now().0);
        if let Some(token) = desk.token_of_hash(hash, now).map_err(Error::desk)? {
            let Some(client) = desk.client(&token.client).map_err(Error::desk)? else {
                return Ok(None);
            };
            clients::on_record(&programme, &client)?;
            let client = Registered::read(&client)?;
            if client.registration.proof != Proof::Token {
                return Ok(None);
            }
            let scopes = client.scopes.clone();
            return Ok(Some(of_program(&client, scopes)));
        }
        let found = desk.app_token_of_hash(hash, now).map_err(Error::desk)?;
        let Some(token) = found.filter(|token| token.kind == "access") else {
            return Ok(None);
        };
        clients::on_record(&programme, &token.grant.client)?;
        let client = Registered::read(&token.grant.client)?;
        // What was taken out of the registration since is no longer allowed.
        let granted = Scopes::parse(&token.scope).map_err(Error::internal)?;
        let scopes = client.scopes.of_asked(&granted);
        let Some(id) = token.grant.user else {
            return Ok(Some(of_program(&client, scopes)));
        };
        let Some(user) = desk.user(id).map_err(Error::desk)? else {
            return Ok(None);
        };
        let signed_in = SignedIn {
            user: user.clone(),
            session: None,
        };
        let who = signed_in.permitted_as(&programme)?;
        // Registered since for what a person of this role does nothing for.
        if !client.is_for(who.role) {
            return Ok(None);
        }
        let purpose = client.purpose();
        Ok(Some(Grant {
            actor: Actor {
                purpose: purpose.code().to_owned(),
                ..signed_in.actor()
            },
            scopes,
            who: Arc::new(who),
            purpose,
            client: client.name,
            user: Some(user),
            patient: token.grant.patient,
            kinds: client.registration.kinds_but_all(),
        }))
    })
}

/// What a program that acts for itself may do.
fn of_program(client: &Registered, scopes: Scopes) -> Grant {
    let actor = client.actor();
    let who = Who::program(&actor.name, client.registration.kinds())
        .of_programme(client.registration.of_programme);
    Grant::of_client(actor, scopes, who, client.purpose())
}

/// What tokens grant, as far as it was looked up lately.
#[derive(Default)]
struct Known {
    /// How often something had been taken back when it was.
    taken_back: u64,
    /// When each was looked up (microseconds since the epoch), and the grant.
    grants: HashMap<[u8; 32], (i64, Arc<Grant>)>,
    /// Those that were good when they were last looked up, whatever was taken back since.
    good: HashSet<[u8; 32]>,
}

impl Known {
    /// Forgets all of it, if something was taken back since.
    fn unless_taken_back(&mut self, taken_back: u64) {
        if self.taken_back != taken_back {
            self.taken_back = taken_back;
            self.grants.clear();
        }
    }
}

/// The door: tokens to grants, remembered for a few seconds.
pub struct Door {
    lookup: Lookup,
    taken_back: Box<dyn Fn() -> u64 + Send + Sync>,
    known: Mutex<Known>,
}

impl Door {
    /// A door that asks `lookup` about tokens it does not remember.
    pub fn new(lookup: Lookup) -> Door {
        Door {
            lookup,
            taken_back: Box::new(|| 0),
            known: Mutex::default(),
        }
    }

    /// The door that asks a programme's desk.
    pub fn of(programme: Programme) -> Door {
        let desk = programme.clone();
        Door {
            taken_back: Box::new(move || desk.desk().taken_back()),
            ..Door::new(desk_lookup(programme))
        }
    }

    /// Whether the token in the request's headers was good when it was last looked up, however long ago. It opens
    /// nothing by that; but whoever brings it does not guess.
    pub fn remembers(&self, headers: &HeaderMap) -> bool {
        let Ok(token) = presented(headers) else {
            return false;
        };
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self
            .known
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        known.good.contains(&hash)
    }

    /// The grant of the token in the request's headers. `now` in microseconds since the epoch.
    pub fn enter(&self, headers: &HeaderMap, now: i64) -> Result<Arc<Grant>, Error> {
        let token = presented(headers)?;
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        // Asked before the desk is: what is taken back meanwhile is not remembered as it was.
        let taken_back = (self.taken_back)();
        {
            let mut known = self
                .known
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            known.unless_taken_back(taken_back);
            if let Some((at, grant)) = known.grants.get(&hash)
                && (*at..at.saturating_add(REMEMBERED)).contains(&now)
            {
                return Ok(grant.clone());
            }
        }
        let Some(grant) = (self.lookup)(&hash)? else {
            self.known
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .good
                .remove(&hash);
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
        if known.taken_back == taken_back {
            if known.grants.len() >= REMEMBERED_MAX {
                known.grants.clear();
            }
            if known.good.len() >= REMEMBERED_MAX {
                known.good.clear();
            }
            known.good.insert(hash);
            known.grants.insert(hash, (now, grant.clone()));
        }
        Ok(grant)
    }
}

/// The token in a request's headers.
fn presented(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(bearer),
        (Some(_), Some(_)) => None,
        (None, _) => {
            return Err(refused(
                "Send an access token: `Authorization: Bearer ...` (`homecoming token` makes one).",
                CHALLENGE,
            ));
        }
    };
    token.ok_or_else(|| {
        refused(
            "The `Authorization` header is not `Bearer` and one token.",
            "Bearer realm=\"Homecoming\", error=\"invalid_request\"",
        )
    })
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

/// How one may show who one is.
pub const CHALLENGE: &str = "Bearer realm=\"Homecoming\"";

/// A refusal because no scope of a token allows it: whoever gets a token with more may ask again (RFC 6750, 3.1).
pub fn lacking(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Forbidden, message).header(
        header::WWW_AUTHENTICATE,
        &format!("{CHALLENGE}, error=\"insufficient_scope\""),
    )
}

fn refused(message: &str, challenge: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, message).header(header::WWW_AUTHENTICATE, challenge)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn headers(value: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        }
        headers
    }

    fn grant() -> Grant {
        let actor = Actor {
            name: "client/test".to_owned(),
            purpose: "TREAT".to_owned(),
        };
        let who = Who::program("client/test", policy::Kind::ALL.to_vec());
        let scopes = Scopes::parse("system/*.rs").expect("a scope");
        Grant::of_client(actor, scopes, who, Purpose::Treatment)
    }

    #[test]
    fn what_is_told_of_a_grant_is_what_it_saw() {
        for (patient, kinds) in [
            (None, None),
            (Some("p1"), None),
            (Some("p1"), Some(vec![Kind::Identity, Kind::Care])),
            (None, Some(Vec::new())),
        ] {
            let given = Grant {
                patient: patient.map(str::to_owned),
                kinds,
                scopes: Scopes::parse("user/*.rs user/Observation.u?status=final&code=a")
                    .expect("scopes"),
                ..grant()
            };
            let reader = Reader::new(given.who.clone(), given.purpose, 0).expect("a reader");
            let again = Grant::again(given.actor.clone(), &given.told(), &reader).expect("a grant");
            assert_eq!(again.scopes, given.scopes);
            assert_eq!((again.patient, again.kinds), (given.patient, given.kinds));
        }
    }

    #[test]
    fn what_was_taken_back_is_not_remembered() {
        let (taken_back, is_good) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
        let (count, good) = (taken_back.clone(), is_good.clone());
        let door = Door {
            taken_back: Box::new(move || count.load(Ordering::Relaxed) as u64),
            ..Door::new(Box::new(move |_| {
                Ok((good.load(Ordering::Relaxed) == 1).then(grant))
            }))
        };
        let headers = headers(Some("Bearer hc_x"));
        let enters = || door.enter(&headers, 0).is_ok();
        assert!(enters());
        is_good.store(0, Ordering::Relaxed);
        assert!(enters(), "it is remembered");
        taken_back.store(1, Ordering::Relaxed);
        assert!(!enters());
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
