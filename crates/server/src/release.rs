//! What an answer gives out of the record, and the layer that lets nothing go unrecorded.
//!
//! Every answer that is not an error says what it gives out: it carries a [`Release`]. The
//! outermost layer ([`let_go`]) takes it, has the access log record it, waits until that is on the
//! disk, and only then lets the answer go. It fails closed: an answer without a release is not
//! given (500), and one whose leaf cannot be written is not given (503).
//!
//! What counts:
//!
//! - A **version** that is served whole counts, and so does each version that a page about one
//!   person is drawn from. A page that sums many people up (the caseload, a list of people found)
//!   names the people and gives no version out whole.
//! - **Not modified** (304) tells that somebody's record stands as it did: a disclosure of no
//!   versions about that person. Otherwise a client could watch a person for changes unseen.
//! - A **search that finds nothing** tells that there is nothing: whoever is named in it as the
//!   patient is told of, with no versions.
//! - **HEAD** gives out no version, only that there is one.
//! - A **write** that answers with what its sender sent discloses nothing ([`ECHO`]); that it was
//!   made, of what and by whom, is an entry of the record itself. What a conditional create finds
//!   instead is a disclosure.
//! - An **error** discloses nothing but that the request was refused; one that tells that something is
//!   there, or is not, says so ([`Error::giving`]), and is recorded like any other answer.

use std::collections::BTreeSet;

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use ledger::Alias;
use ledger::access::Draft;
pub use ledger::disclosure::Basis;
use ledger::disclosure::Told;
pub use ledger::disclosure::What;
use policy::Purpose;
use record::json::Doc;

use crate::error::{self, Error};
use crate::permit::{Thing, ordered};
use crate::programme::{Actor, AsOf, Programme, Version};

/// What an answer gives out; an extension of every response that is not an error, and of those errors
/// that tell something.
#[derive(Clone, Debug)]
pub enum Release {
    /// This.
    Of(Box<Disclosure>),
    /// Nothing of anybody's record, and why not.
    Nothing(&'static str),
}

/// An answer to a write gives back what its sender sent, and the version that it made of it.
pub const ECHO: &str = "a write is answered with what its sender sent";

/// One answer, as the access log will know it.
#[derive(Clone, Debug)]
pub struct Disclosure {
    /// Who is answered, and what for.
    pub actor: Actor,
    /// Everything that warrants and break-glasses may call them.
    pub names: Vec<String>,
    /// How it is given out.
    pub what: What,
    /// The path and query that were asked for, with the instant if one was asked for.
    pub address: String,
    /// What the client may do, where that decides what an answer holds.
    pub scope: String,
    /// As of how many entries the answer was drawn.
    pub size: u64,
    /// How many there were.
    pub whole: u64,
    /// What is given out.
    pub given: Given,
    /// On what it rests, if on more than the role and the purpose of who is answered.
    pub basis: Basis,
}

/// Versions, leaves of the access log, and persons that an answer gives out or tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    versions: Vec<u64>,
    leaves: Vec<u64>,
    persons: Vec<Alias>,
}

impl Given {
    /// Nothing yet.
    pub fn new() -> Given {
        Given::default()
    }

    /// One version, whole.
    pub fn of(version: &Version) -> Given {
        let mut given = Given::new();
        given.version(version);
        given
    }

    /// That a version is there, without what it says.
    pub fn that(version: &Version) -> Given {
        Given {
            persons: version.about.into_iter().collect(),
            ..Given::new()
        }
    }

    /// A version, whole.
    pub fn version(&mut self, version: &Version) {
        self.at(version.position, version.about);
    }

    /// The version at a position, whole.
    pub fn at(&mut self, position: u64, about: Option<Alias>) {
        self.versions.push(position);
        self.persons.extend(about);
    }

    /// Something of a person.
    pub fn person(&mut self, person: Alias) {
        self.persons.push(person);
    }

    /// A leaf of the access log, and those whom it tells of.
    pub fn leaf(&mut self, position: u64, persons: &[Alias]) {
        self.leaves.push(position);
        self.persons.extend(persons);
    }

    /// Whether it is nothing.
    pub fn is_nothing(&self) -> bool {
        self.versions.is_empty() && self.leaves.is_empty() && self.persons.is_empty()
    }

    /// All that another one gives.
    pub fn add(&mut self, other: Given) {
        self.versions.extend(other.versions);
        self.leaves.extend(other.leaves);
        self.persons.extend(other.persons);
    }

    /// Those whom it tells of, each once.
    pub fn persons(&self) -> Vec<Alias> {
        let mut persons = self.persons.clone();
        persons.sort_unstable();
        persons.dedup();
        persons
    }

    /// The positions of leaves that are given out, ascending, each once.
    pub fn leaves(&self) -> Vec<u64> {
        let mut leaves = self.leaves.clone();
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }

    /// The positions of versions that are given out, ascending, each once.
    pub fn versions(&self) -> Vec<u64> {
        let mut versions = self.versions.clone();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}

impl Disclosure {
    /// Adds on which Consents it rests and which notice goes with it, where its maker said nothing of that.
    pub(crate) fn owing(mut self, owed: Basis) -> Disclosure {
        for (said, owed) in [
            (&mut self.basis.consent, owed.consent),
            (&mut self.basis.notice, owed.notice),
        ] {
            if said.is_empty() {
                *said = owed;
            }
        }
        self
    }

    /// As the access log takes it, with all that it rests on.
    async fn ready(mut self, programme: &Programme, is_head: bool) -> Result<Draft, Error> {
        if is_head {
            self.basis = Basis::default();
        }
        let purpose = Purpose::from_code(&self.actor.purpose);
        let rests = matches!(purpose, Some(Purpose::Investigation | Purpose::Emergency));
        let now = programme.clock().now().0;
        let keeps = !self.given.leaves.is_empty() && programme.standing()?.is_any_untold(now);
        if !rests && !keeps {
            return Ok(self.draft(is_head));
        }
        let programme = programme.clone();
        crate::fhir::away(move || {
            if rests {
                self.rest_on(&programme, now)?;
            }
            if keeps {
                self.keep_back(&programme, now)?;
            }
            Ok(self.draft(is_head))
        })
        .await
    }

    /// Adds on which warrant or break-glass it rests: what is given out for an investigation or an
    /// emergency is given out under one, and the leaf says under which. It is the one that opened what is
    /// given; where nothing of a person is given but that they are here, or not, it is any that opens
    /// something of them.
    fn rest_on(&mut self, programme: &Programme, now: i64) -> Result<(), Error> {
        let standing = programme.standing()?;
        let whole = programme.view(AsOf::Now);
        let (mut warrants, mut glass) = (BTreeSet::new(), BTreeSet::new());
        let mut left: BTreeSet<Alias> = self.given.persons.iter().copied().collect();
        for position in self.given.versions() {
            let Some(version) = error::left(whole.at(position))? else {
                continue;
            };
            let Some(person) = version.about else {
                continue;
            };
            let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
            let thing = Thing::from(doc.root());
            let alias = person.to_string();
            let by = ordered::opened_by(&standing, &self.names, &alias, &thing, now);
            if !by.0.is_empty() || !by.1.is_empty() {
                left.remove(&person);
            }
            warrants.extend(by.0);
            glass.extend(by.1);
        }
        for person in left {
            let person = person.to_string();
            warrants.extend(standing.warrants_for(&self.names, &person, now));
            let open = standing.break_glass(&self.names, &person, None, false, now);
            glass.extend(open.ok().map(|(id, _)| id));
        }
        self.basis.warrant = tasks(&warrants);
        self.basis.break_glass = tasks(&glass);
        Ok(())
    }

    /// Adds which warrants keep a leaf that is given out from a person for a time: they keep from them that
    /// somebody looked at it, too.
    fn keep_back(&mut self, programme: &Programme, now: i64) -> Result<(), Error> {
        let standing = programme.standing()?;
        let mut kept = BTreeSet::new();
        for position in self.given.leaves() {
            let one = programme.access().leaf(position).map_err(Error::ledger)?;
            if let Some(one) = &one {
                for person in &one.persons {
                    kept.extend(standing.kept_by(one, &person.to_string(), now));
                }
            }
        }
        self.basis.kept = tasks(&kept);
        Ok(())
    }

    /// As the access log takes it; of the head of an answer without what the answer would have given.
    fn draft(mut self, is_head: bool) -> Draft {
        if is_head {
            self.given.versions.clear();
            self.given.leaves.clear();
        }
        let Given {
            versions,
            leaves,
            persons,
        } = self.given;
        let told = Told {
            address: self.address,
            scope: self.scope,
            whole: Some(self.whole).filter(|whole| *whole != self.size),
            versions,
            leaves,
            persons: Vec::new(),
            basis: self.basis,
        };
        Draft::new(
            &self.actor.name,
            &self.actor.purpose,
            self.what,
            self.size,
            persons,
            told,
        )
    }
}

/// Tasks as a leaf lists them.
fn tasks(ids: &BTreeSet<&str>) -> String {
    let names: Vec<String> = ids.iter().map(|id| format!("Task/{id}")).collect();
    names.join(", ")
}

/// An answer on its way out: recorded if it gives anything out, refused if it does not say. An error
/// that says nothing gives nothing out.
pub async fn let_go(programme: &Programme, method: &Method, mut response: Response) -> Response {
    let status = response.status();
    if status.is_server_error() {
        return response;
    }
    match response.extensions_mut().remove::<Release>() {
        Some(Release::Nothing(_)) => response,
        None if status.is_client_error() => response,
        Some(Release::Of(disclosure)) => {
            let is_head = *method == Method::HEAD;
            let draft = match disclosure.ready(programme, is_head).await {
                Ok(draft) => draft,
                Err(error) => return error.into_response(),
            };
            match programme.disclose(draft).await {
                Ok(_) => response,
                Err(error) => error.into_response(),
            }
        }
        None => Error::internal("an answer that does not say what it gives out was not given")
            .into_response(),
    }
}

/// Marks a response that gives nothing of anybody's record out.
pub fn nothing(mut response: Response, why: &'static str) -> Response {
    response.extensions_mut().insert(Release::Nothing(why));
    response
}
