//! What a policy would have changed: the requests on the access log, decided again under both.
//!
//! The log has what was given out, to whom and what for; each version of it is asked about again, with what is
//! so of reader and person now. So it shows what would be closed, and what is given out today only because
//! it was allowed then. What would be *opened* nobody has asked for, so the log cannot show it: for that, both
//! policies answer every question of the truth table ([`policy::truth`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use desk::User;
use ledger::Alias;
use ledger::disclosure::What;
use policy::truth::{self, Change};
use policy::{Action, Kind, Policy, Purpose, Role};
use record::json::Doc;

use crate::error::{Error, left};
use crate::permit::{Kinds, Reader, Thing, Who};
use crate::programme::{AsOf, Programme, View};

/// The most leaves that are looked at, the newest first.
const LEAVES_MAX: u64 = 50_000;
/// How many leaves are read at a time.
const PART: usize = 500;
/// The most different versions that are looked at.
const VERSIONS_MAX: usize = 200_000;

/// What a policy would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// How many disclosures were asked about again.
    pub disclosures: u64,
    /// How many versions these gave out.
    pub versions: u64,
    /// Disclosures that could not be asked about: whoever was answered is not known any more, or the purpose
    /// is none that is stated today.
    pub unknown: u64,
    /// Whether there were more than are looked at.
    pub more: bool,
    /// What would be decided otherwise, what concerns most first.
    pub flips: Vec<Flip>,
    /// What of the truth table is answered otherwise.
    pub changes: Vec<Change>,
    /// How many questions of it were asked.
    pub asked: u64,
}

/// Disclosures that one policy allows and the other does not, of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// To whom they went.
    pub role: Role,
    /// What for.
    pub purpose: Purpose,
    /// What was done.
    pub action: Action,
    /// Which kind of record it was.
    pub kind: Kind,
    /// Whether it would be allowed.
    pub allowed: bool,
    /// How many disclosures.
    pub disclosures: u64,
    /// To how many readers.
    pub readers: u64,
    /// About how many people.
    pub people: u64,
    /// What whoever asks would be told.
    pub because: String,
}

/// The sort of a flip.
type Sort = (Role, Purpose, Action, Kind, bool);

#[derive(Default)]
struct Gathered {
    disclosures: u64,
    readers: BTreeSet<String>,
    people: BTreeSet<Alias>,
    because: String,
}

/// A version as far as a decision depends on it.
struct Seen {
    about: Option<Alias>,
    author: String,
    kinds: Kinds,
    labels: Vec<String>,
}

/// Tries a policy on what was given out in the last `days`, against the one in force.
pub fn of(programme: &Programme, candidate: Policy, days: u32) -> Result<Trial, Error> {
    let view = programme.view(AsOf::Now);
    let in_force = programme.permits().policy();
    let (changes, asked) = truth::changes(&in_force, &candidate);
    let mut trial = Trial {
        changes,
        asked,
        ..Trial::default()
    };
    let candidate = view.permits_under(candidate)?;
    let users = programme.desk().users().map_err(Error::desk)?;
    let since = programme.clock().now().0 - i64::from(days) * casework::DAY;
    let log = programme.access();
    let clients = programme.desk().clients().map_err(Error::desk)?;
    let mut known = Known {
        view: &view,
        users: &users,
        clients: clients.into_iter().map(|client| client.name).collect(),
        now: programme.clock().now().0,
        readers: HashMap::new(),
        seen: HashMap::new(),
    };
    let mut gathered: BTreeMap<Sort, Gathered> = BTreeMap::new();
    let mut below = log.size().map_err(Error::ledger)?;
    'all: while below > 0 {
        let part = log.before(below, PART).map_err(Error::ledger)?;
        let Some(last) = part.last() else { break };
        below = last.leaf.position;
        for one in &part {
            if one.leaf.recorded_at.0 < since {
                break 'all;
            }
            if trial.disclosures + trial.unknown >= LEAVES_MAX || known.seen.len() >= VERSIONS_MAX {
                trial.more = true;
                break 'all;
            }
            let purpose = purpose(&one.leaf.purpose);
            let reader = purpose.and_then(|purpose| known.reader(&one.leaf.actor, purpose));
            let (Some(reader), Some(told)) = (reader, &one.told) else {
                trial.unknown += 1;
                continue;
            };
            trial.disclosures += 1;
            let action = action(one.leaf.what);
            let mut sorts: BTreeSet<Sort> = BTreeSet::new();
            for position in &told.versions {
                trial.versions += 1;
                let Some(seen) = known.version(*position)? else {
                    continue;
                };
                let thing = seen.thing();
                let (before, after) = (
                    view.decide(&reader, action, &thing)?,
                    view.decide_under(&candidate, &reader, action, &thing)?,
                );
                if before.allowed == after.allowed {
                    continue;
                }
                for kind in seen.kinds.each() {
                    let sort = (
                        reader.who().role,
                        reader.purpose(),
                        action,
                        kind,
                        after.allowed,
                    );
                    let found = gathered.entry(sort).or_default();
                    if sorts.insert(sort) {
                        found.disclosures += 1;
                    }
                    found.readers.insert(one.leaf.actor.clone());
                    found.people.extend(seen.about);
                    if found.because.is_empty() {
                        found.because = crate::permit::words(&after);
                    }
                }
            }
        }
    }
    trial.flips = gathered.into_iter().map(flip).collect();
    trial
        .flips
        .sort_by_key(|flip| std::cmp::Reverse(flip.disclosures));
    Ok(trial)
}

impl Trial {
    /// In a sentence, as the entry keeps it.
    pub fn sentence(&self, days: u32) -> String {
        let count = |allowed: bool| -> u64 {
            let some = self.flips.iter().filter(|flip| flip.allowed == allowed);
            some.map(|flip| flip.disclosures).sum()
        };
        let opened = self.changes.iter().filter(|change| change.allowed).count();
        format!(
            "Tried on {} disclosures of the last {days} days: {} would have been refused, {} would be allowed again. Of \
             {} questions of the truth table, {} become a yes and {} become a no.",
            self.disclosures,
            count(false),
            count(true),
            self.asked,
            opened,
            self.changes.len() - opened,
        )
    }
}

fn flip((sort, found): (Sort, Gathered)) -> Flip {
    let (role, purpose, action, kind, allowed) = sort;
    Flip {
        role,
        purpose,
        action,
        kind,
        allowed,
        disclosures: found.disclosures,
        readers: found.readers.len() as u64,
        people: found.people.len() as u64,
        because: found.because,
    }
}

/// What is asked for when something is given out like this.
fn action(what: What) -> Action {
    match what {
        What::Export => Action::Export,
        _ => Action::Read,
    }
}

/// A purpose as it would be stated today.
fn purpose(code: &str) -> Option<Purpose> {
    match code {
        // Before purposes were stated, care managers' entries had this one.
        "CAREMGT" => Some(Purpose::Coordination),
        code => Purpose::from_code(code),
    }
}

/// Readers and versions, each looked up once.
struct Known<'a> {
    view: &'a View,
    users: &'a [User],
    clients: Vec<String>,
    now: i64,
    readers: HashMap<(String, Purpose), Option<Reader>>,
    seen: HashMap<u64, Option<Arc<Seen>>>,
}

impl Known<'_> {
    /// Whoever an actor's name stands for today.
    fn reader(&mut self, actor: &str, purpose: Purpose) -> Option<Reader> {
        let key = (actor.to_owned(), purpose);
        if let Some(reader) = self.readers.get(&key) {
            return reader.clone();
        }
        let who = match actor.strip_prefix("client/") {
            Some(name) => {
                let known = self.clients.iter().any(|client| client == name);
                known.then(|| Who::program(actor, Kind::ALL.to_vec()).of_programme(true))
            }
            None => {
                let users = self.users.iter();
                let mut all = users.filter_map(|user| Who::of_user(user, self.users));
                all.find(|who| who.is(actor))
            }
        };
        let reader = who.and_then(|who| Reader::new(Arc::new(who), purpose, self.now).ok());
        self.readers.insert(key, reader.clone());
        reader
    }

    /// A version; nothing if it was erased since.
    fn version(&mut self, position: u64) -> Result<Option<Arc<Seen>>, Error> {
        if let Some(seen) = self.seen.get(&position) {
            return Ok(seen.clone());
        }
        let seen = match left(self.view.at(position))? {
            Some(version) => {
                let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
                let thing = Thing::from(doc.root());
                Some(Arc::new(Seen {
                    about: version.about,
                    author: version.actor.clone(),
                    kinds: thing.kinds,
                    labels: thing.labels.iter().map(|label| label.to_string()).collect(),
                }))
            }
            None => None,
        };
        self.seen.insert(position, seen.clone());
        Ok(seen)
    }
}

impl Seen {
    fn thing(&self) -> Thing<'_> {
        Thing {
            about: self.about,
            author: &self.author,
            untold: false,
            own_part: false,
            released: false,
            verb: None,
            kinds: self.kinds,
            labels: self
                .labels
                .iter()
                .map(|label| label.as_str().into())
                .collect(),
            resource: None,
        }
    }
}
