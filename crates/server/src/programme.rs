//! A programme: its ledger, its index and its one writer, behind one handle.
//!
//! Everything that reads goes through a [`View`], the record as of one size, so that "now" and
//! "as known then" are the same code with another number. Everything that writes goes through
//! [`Programme::submit`]: one thread orders the transactions, commits many of them with one
//! fsync, brings them into the index, and only then answers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use desk::Desk;
use index::Index;
pub use ledger::Expect;
use ledger::access::{AccessLog, Draft as Disclosed, Logged};
use ledger::log::Log;
use ledger::witnessed::LogName;
use ledger::{Alias, Keys, Ledger};
use policy::Policy;
pub use record::time::RecordedAt;
use tokio::sync::{mpsc, oneshot};

use crate::amendment;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::cosigning::Cosigning;
use crate::error::{Error, ErrorKind};
use crate::permit::Permits;
use crate::sign_in::provider;
use crate::sign_in::sealed::Sealer;
use crate::site::Site;
use crate::standing::{self, Standing};

mod disclosing;
mod draft;
pub mod erase;
mod gathering;
mod head_map;
mod index_audit;
pub mod keys;
mod named;
mod notices;
mod offline;
mod open;
mod replay;
mod view;
mod whose;
mod writer;

pub use draft::{Draft, says_governance};
pub use index_audit::{IndexHow, Indexed, audit_index};
pub use offline::{Batch, Offline, Writing};
pub use open::{About, DemoPerson, create, erasure_delay_least, rebuild};
pub use view::{AsOf, Page, Search, Version, View};
pub use whose::Whose;

/// Who acts and what for, as the entry will name them.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Opaque name of the actor, without personal data: `client/NAME`, `user/ID`, `import`.
    pub name: String,
    /// A code of HL7's PurposeOfUse, such as `TREAT` or `HOPERAT`.
    pub purpose: String,
}

/// Computes the drafts of a transaction from the newest state.
pub type Decide = Box<dyn FnOnce(&View) -> Result<Vec<Draft>, Error> + Send>;

/// One transaction to be written.
pub enum Work {
    /// Needs nothing but the expectations in its drafts.
    Ready(Vec<Draft>),
    /// Depends on a search (conditional create, update, delete, references): run by the writer
    /// when everything before it is committed and nothing after it is.
    Deferred(Decide),
    /// Carries out the erasure of this Task, when the transaction that says so is decided.
    Erase(String, Decide),
}

/// What became of a transaction.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The instant that all its entries share.
    pub recorded_at: RecordedAt,
    /// One for each draft, in order.
    pub writes: Vec<Written>,
}

/// What became of one draft.
#[derive(Clone, Debug)]
pub struct Written {
    /// FHIR resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// The version that this write made.
    pub version: u32,
    /// Its place in the ledger.
    pub position: u64,
    /// Whether the resource did not exist before (or was deleted).
    pub created: bool,
}

/// What is called when the ledger cannot go on; it must not return to normal service.
pub type OnFatal = Box<dyn Fn(&dyn std::fmt::Display) + Send + Sync>;

struct Inner {
    data: PathBuf,
    about: About,
    ledger: Ledger,
    access: AccessLog,
    known: whose::Known,
    standing: standing::Known,
    index: Index,
    desk: Desk,
    sealer: Sealer,
    providers: provider::Known,
    /// Where it is reached from outside, once somebody has said so.
    site: OnceLock<Site>,
    cosigning: Arc<Cosigning>,
    permits: Permits,
    clock: Clock,
    chance: Chance,
    /// How many entries everyone may see: committed, synced and indexed.
    visible: AtomicU64,
    /// How many erasures were carried out since the start: what was kept in memory before may hold
    /// what is gone.
    erasures: AtomicU64,
    /// How many groups were committed since the start, one flush each.
    commits: AtomicU64,
    on_fatal: OnFatal,
}

impl Inner {
    /// The index, to be asked by ids.
    fn named(&self) -> named::Named<'_> {
        named::Named {
            index: &self.index,
            ledger: &self.ledger,
        }
    }

    /// Lets everyone see the first `size` entries.
    fn make_visible(&self, size: u64) {
        self.visible.store(size, Ordering::Release);
        self.cosigning.grown(LogName::Record);
    }

    /// Tells whoever submits the access log to witnesses that it has grown.
    fn disclosed(&self) {
        self.cosigning.grown(LogName::Access);
    }
}

/// A handle on an open programme. Cheap to clone.
#[derive(Clone)]
pub struct Programme {
    inner: Arc<Inner>,
    submissions: mpsc::Sender<writer::Submission>,
    disclosures: mpsc::Sender<disclosing::Submission>,
}

impl Programme {
    /// Opens a data directory, brings its index up to its ledger and starts the writer.
    /// `progress` is told the entries indexed and the entries in all.
    pub fn open(
        data: &Path,
        keys: Keys,
        clock: Clock,
        chance: Chance,
        progress: &mut dyn FnMut(u64, u64),
        on_fatal: OnFatal,
    ) -> Result<Programme, Error> {
        let opened = open::open(data, keys, &chance, progress)?;
        let desk = Desk::open(data).map_err(Error::desk)?;
        let keys = opened.appender.keys();
        let key = keys.desk(&mut |bytes| chance.fill(bytes));
        let key = key.map_err(|error| Error::open(error.into()))?;
        let sealer = Sealer::new(key, keys.programme());
        let logs: Vec<(LogName, Arc<dyn Log>)> = vec![
            (LogName::Record, Arc::new(opened.ledger.clone())),
            (LogName::Access, Arc::new(opened.access.clone())),
        ];
        let cosigning = Arc::new(Cosigning::open(data, logs, clock.clone())?);
        let permits = Permits::new(Policy::base(), &opened.index)?;
        let inner = Arc::new(Inner {
            data: data.to_owned(),
            about: opened.about,
            ledger: opened.ledger,
            access: opened.access,
            known: whose::Known::default(),
            standing: standing::Known::default(),
            index: opened.index,
            desk,
            sealer,
            providers: provider::Known::default(),
            site: OnceLock::new(),
            cosigning,
            permits,
            clock,
            chance,
            visible: AtomicU64::new(opened.appender.size()),
            erasures: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            on_fatal,
        });
        let mut appender = opened.appender;
        erase::finish(&inner, &mut appender, opened.unfinished)?;
        let policy = amendment::in_force(&View::new(&inner, AsOf::Now))?;
        inner.permits.set_policy(policy);
        let (submissions, waiting) = mpsc::channel(writer::WAITING_MAX);
        let for_writer = inner.clone();
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                // A writer that panics has lost its footing; the server must not go on without it.
                let run = std::panic::AssertUnwindSafe(|| {
                    writer::run(&for_writer, &mut appender, waiting);
                });
                if std::panic::catch_unwind(run).is_err() {
                    (for_writer.on_fatal)(&"the writer failed; start the server again");
                }
            })
            .map_err(Error::internal)?;
        let (disclosures, waiting) = mpsc::channel(disclosing::WAITING_MAX);
        let for_recorder = inner.clone();
        let mut recorder = opened.recorder;
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                let run = std::panic::AssertUnwindSafe(|| {
                    disclosing::run(&for_recorder, &mut recorder, waiting);
                });
                if std::panic::catch_unwind(run).is_err() {
                    (for_recorder.on_fatal)(&"the access log failed; start the server again");
                }
            })
            .map_err(Error::internal)?;
        head_map::see_to_it(Arc::downgrade(&inner), submissions.downgrade())
            .map_err(Error::internal)?;
        notices::see_to_it(Arc::downgrade(&inner), submissions.downgrade())
            .map_err(Error::internal)?;
        Ok(Programme {
            inner,
            submissions,
            disclosures,
        })
    }

    /// The programme's name, as given to `homecoming init`.
    pub fn name(&self) -> &str {
        &self.inner.about.name
    }

    /// To whom outside of the programme participants can complain, if that is filled in.
    pub fn complaints(&self) -> Option<&str> {
        self.inner.about.complaints.as_deref()
    }

    /// How many groups of transactions were committed since the start, one flush each.
    pub fn commits(&self) -> u64 {
        self.inner.commits.load(Ordering::Relaxed)
    }

    /// Whom anybody may sign in as; empty unless this is a demo.
    pub fn demo_people(&self) -> &[DemoPerson] {
        &self.inner.about.demo
    }

    /// Where its files are.
    pub fn data(&self) -> &Path {
        &self.inner.data
    }

    /// Where it is reached from outside: as was said when it began to serve, or else at the address
    /// that was asked for.
    pub fn site(&self, headers: &axum::http::HeaderMap) -> Site {
        match self.inner.site.get() {
            Some(site) => site.clone(),
            None => Site::asked_for(headers),
        }
    }

    /// Says where it is reached from outside; counts once.
    pub fn set_site(&self, site: Site) {
        let _ = self.inner.site.set(site);
    }

    /// Seals and opens what the desk keeps.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// What organisations' providers say of themselves.
    pub fn providers(&self) -> &provider::Known {
        &self.inner.providers
    }

    /// Users, sessions, API clients.
    pub fn desk(&self) -> &Desk {
        &self.inner.desk
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The policy in force, and what is remembered of its decisions.
    pub fn permits(&self) -> &Permits {
        &self.inner.permits
    }

    /// Randomness.
    pub fn chance(&self) -> &Chance {
        &self.inner.chance
    }

    /// The ledger, to read checkpoints and keys from.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Microseconds between telling a person and erasing, for what is asked for from now on.
    pub fn erasure_delay(&self) -> i64 {
        self.inner.about.erasure_delay(self.inner.ledger.origin())
    }

    /// The least that the rules allow here.
    pub fn erasure_delay_least(&self) -> i64 {
        self.inner.least_delay()
    }

    /// How many erasures were carried out since the start: whoever keeps something of the record in
    /// memory lets it go when this changes.
    pub fn erasures(&self) -> u64 {
        self.inner.erasures.load(Ordering::Acquire)
    }

    /// The access log: who was told what.
    pub fn access(&self) -> &AccessLog {
        &self.inner.access
    }

    /// Whom an alias in a line stands for.
    pub fn whose(&self, person: Alias) -> Result<Whose, Error> {
        self.inner.known.whose(&self.inner.ledger, person)
    }

    /// Forgets which person an alias stands for, as when they are erased.
    pub fn forget(&self, person: Alias) {
        self.inner.known.forget(person);
    }

    /// The warrants, delegations and break-glasses that are on the record as it stands.
    pub fn standing(&self) -> Result<Arc<Standing>, Error> {
        self.inner.standing.standing(|| self.view(AsOf::Now))
    }

    /// Records a disclosure. Answers when it is durable: before that nothing may be shown.
    pub async fn disclose(&self, draft: Disclosed) -> Result<Logged, Error> {
        let stopped = || disclosing::unrecorded("The server is stopping.");
        let (answer, answered) = oneshot::channel();
        self.disclosures
            .send(disclosing::Submission { draft, answer })
            .await
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// One of its logs, as others see it; `None` if this programme has no such log.
    pub fn log(&self, name: LogName) -> Option<Arc<dyn Log>> {
        self.inner.cosigning.source(name)
    }

    /// What outside witnesses have signed.
    pub fn cosigning(&self) -> &Arc<Cosigning> {
        &self.inner.cosigning
    }

    /// A new resource id: 16 characters of Crockford base32.
    pub fn new_id(&self) -> String {
        self.inner.chance.id()
    }

    /// Writes one transaction: all of it or nothing. Answers when it is durable and can be found.
    pub async fn submit(&self, actor: Actor, work: Work) -> Result<Committed, Error> {
        let stopped = || {
            Error::new(
                ErrorKind::Unavailable,
                "The server is stopping. Whether this was recorded is not known: read it back \
                 when the server runs again.",
            )
        };
        let (answer, answered) = oneshot::channel();
        self.submissions
            .send(writer::Submission {
                actor,
                work,
                answer,
            })
            .await
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Records where each person's chain ends, if the last such map does not yet cover this person's
    /// latest entry: their export is then complete as of now.
    pub async fn count(&self, patient: &str) -> Result<(), Error> {
        let (inner, person) = (self.inner.clone(), patient.to_owned());
        let owed = tokio::task::spawn_blocking(move || head_map::owed_to(&inner, &person))
            .await
            .map_err(Error::internal)??;
        if let Some(draft) = owed {
            self.submit(head_map::actor(), Work::Ready(vec![draft]))
                .await?;
        }
        Ok(())
    }

    /// The record as of some instant or size, whole. A size beyond the end is the end. What is read for
    /// somebody is read from `view(..).seen_by(reader)`.
    pub fn view(&self, as_of: AsOf) -> View {
        View::new(&self.inner, as_of)
    }
}
