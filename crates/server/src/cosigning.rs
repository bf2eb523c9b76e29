//! What outside witnesses sign of the programme's logs: collected in the background, kept, and served.
//!
//! ```text
//! ledger ──newest checkpoint──▶ round ──one thread each──▶ witness (add-checkpoint)
//!                                 ◀──────cosignature────────┘
//!   quorum of `witness.policy` met: the cosigned checkpoint ──▶ witnessed.sqlite ──▶ receipts, /log/…, pages
//! ```
//!
//! Nothing waits for a witness, but the start for a moment ([`Cosigning::asked`]) and an erasure, which cannot be
//! taken back ([`Cosigning::refusal_to_erase`]): with all of them away the record goes on, and says how far behind the
//! cosigned size is. Two things stop it, because what would be written then could not be trusted: a witness
//! that has seen more, or something else, than there is ([`gate`]); and a clock that the witnesses contradict.
//! The same is asked before anything is written at all ([`start`]).
//!
//! Everything here is written against [`Log`], so the record and the access log are treated alike.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Duration;

use ledger::log::Log;
use ledger::witnessed::{Cosigned, LogName, Witnessed};
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::WitnessKey;
use tlog::note::SignedNote;
use tlog::policy::Policy;

use crate::clock::{Clock, Stopwatch};
use crate::error::{Error, ErrorKind};

pub mod ask;
pub mod gate;
pub mod round;
pub mod start;
pub mod submit;

use gate::{Gate, Halt};
use round::{Round, Rounds};
use submit::{Reached, Submitter};

pub use ledger::witnessed::POLICY;

/// The cosigning of a programme's logs.
pub struct Cosigning {
    policy: Option<Arc<Policy>>,
    witnesses: Vec<Reached>,
    witnessed: Witnessed,
    logs: Vec<Arc<Watched>>,
    gate: RwLock<Gate>,
    clock: Clock,
    since: Stopwatch,
    /// What our clock had more than `since` when a witness was last heard, or at the start, in microseconds.
    apart_us: AtomicI64,
    /// Whether enough witnesses have cosigned the record since the start.
    is_confirmed: AtomicBool,
    stopped: AtomicBool,
    stop: (Mutex<()>, Condvar),
}

/// One log that witnesses are asked about.
pub struct Watched {
    /// Which.
    pub name: LogName,
    /// Where it is read from.
    pub source: Arc<dyn Log>,
    state: Mutex<State>,
    changed: Condvar,
    /// The latest cosigned checkpoint that meets the policy.
    latest: RwLock<Option<Cosigned>>,
}

struct State {
    rounds: Option<Rounds>,
    witnesses: BTreeMap<String, WitnessState>,
}

/// How one witness does with one log.
#[derive(Clone, Debug, Default)]
pub struct WitnessState {
    /// What the policy calls it.
    pub name: String,
    /// The size that it cosigned last, since this server started.
    pub size: Option<u64>,
    /// When it did, by our clock, in microseconds.
    pub at_us: Option<i64>,
    /// How far its clock was ahead of ours then, in seconds.
    pub skew_s: Option<i64>,
    /// Why it did not the last time; `None` if it did.
    pub failure: Option<String>,
}

/// How one log does.
#[derive(Clone, Debug)]
pub struct Status {
    /// Which.
    pub name: LogName,
    /// How many entries it has.
    pub size: u64,
    /// The latest cosigned checkpoint.
    pub cosigned: Option<Cosigned>,
    /// Its witnesses; empty if there is no policy.
    pub witnesses: Vec<WitnessState>,
}

impl Status {
    /// How many entries no quorum has cosigned yet.
    pub fn behind(&self) -> u64 {
        let cosigned = self.cosigned.as_ref().map_or(0, |one| one.size);
        self.size.saturating_sub(cosigned)
    }
}

/// Reads a policy; the error names the file and the line.
pub fn read_policy(file: &Path) -> Result<Policy, Error> {
    let refused = |why: String| {
        Error::new(
            ErrorKind::Unavailable,
            format!(
                "The witness policy `{}` cannot be used: {why}. Correct it, or remove it to go on without \
                 witnesses.",
                file.file_name().unwrap_or_default().to_string_lossy()
            ),
        )
    };
    let text = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    let policy = Policy::parse(&text).map_err(|error| refused(error.to_string()))?;
    for witness in policy.witnesses() {
        let fits = witness
            .url
            .as_deref()
            .is_none_or(|url| url.starts_with("http://") || url.starts_with("https://"));
        if !fits {
            return Err(refused(format!(
                "the address of the witness {} does not begin with https:// or http://",
                witness.name
            )));
        }
    }
    Ok(policy)
}

impl Cosigning {
    /// Opens what is known of a programme's witnesses. [`start::check_all`] comes first.
    pub fn open(
        data: &Path,
        logs: Vec<(LogName, Arc<dyn Log>)>,
        clock: Clock,
    ) -> Result<Cosigning, Error> {
        let file = data.join(POLICY);
        let policy = match file.exists() {
            true => Some(Arc::new(read_policy(&file)?)),
            false => None,
        };
        let witnessed = Witnessed::open(data).map_err(Error::internal)?;
        let witnesses = policy.as_deref().map(reached).unwrap_or_default();
        let mut watched = Vec::new();
        for (name, source) in logs {
            let latest = witnessed.latest(name).map_err(Error::internal)?;
            let state = State {
                rounds: policy.clone().map(Rounds::new),
                witnesses: witnesses
                    .iter()
                    .map(|witness| {
                        let state = WitnessState {
                            name: witness.name.clone(),
                            ..WitnessState::default()
                        };
                        (witness.name.clone(), state)
                    })
                    .collect(),
            };
            watched.push(Arc::new(Watched {
                name,
                source,
                state: Mutex::new(state),
                changed: Condvar::new(),
                latest: RwLock::new(latest.filter(|one| is_enough(policy.as_deref(), &one.note))),
            }));
        }
        let since = Stopwatch::start();
        Ok(Cosigning {
            policy,
            witnesses,
            witnessed,
            logs: watched,
            gate: RwLock::default(),
            apart_us: AtomicI64::new(apart_us(&clock, &since)),
            is_confirmed: AtomicBool::new(false),
            clock,
            since,
            stopped: AtomicBool::new(false),
            stop: Default::default(),
        })
    }

    /// Begins to submit. Nothing is submitted before, so an import or a rebuild asks nobody.
    pub fn start(self: &Arc<Self>) -> Result<(), Error> {
        for log in &self.logs {
            for witness in &self.witnesses {
                let submitter = Submitter::new(self.clone(), log.clone(), witness.clone());
                std::thread::Builder::new()
                    .name(format!("witness {}", witness.name))
                    .spawn(move || submitter.run())
                    .map_err(Error::internal)?;
            }
        }
        Ok(())
    }

    /// Waits until every witness has been asked once about every log and has answered or failed, or so long. What
    /// they say of the past and of the clock is then known before the first write.
    pub fn asked(&self, most: Duration) {
        let waiting = Stopwatch::start();
        let is_asked = |log: &Arc<Watched>| {
            let state = log.state();
            let mut each = state.witnesses.values();
            each.all(|witness| witness.size.is_some() || witness.failure.is_some())
        };
        while !self.witnesses.is_empty()
            && !self.logs.iter().all(is_asked)
            && waiting.elapsed() < most
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Has the threads end after what they are at.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stop.1.notify_all();
        for log in &self.logs {
            log.changed.notify_all();
        }
    }

    /// Says that a log has grown.
    pub fn grown(&self, name: LogName) {
        if !self.witnesses.is_empty()
            && let Some(log) = self.log(name)
        {
            log.changed.notify_all();
        }
    }

    /// The policy, if there is one.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    /// The latest checkpoint of a log that enough witnesses cosigned.
    pub fn latest(&self, name: LogName) -> Option<Cosigned> {
        let log = self.log(name)?;
        let latest = log.latest.read().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }

    /// What is kept of all that was cosigned.
    pub fn witnessed(&self) -> &Witnessed {
        &self.witnessed
    }

    /// Why nothing may be written at present.
    pub fn refusal(&self) -> Option<String> {
        if self.witnesses.is_empty() {
            return None;
        }
        self.seen_gate().refusal(self.moved_s())
    }

    /// Why nothing may be shown at present.
    pub fn refusal_to_show(&self) -> Option<String> {
        if self.witnesses.is_empty() {
            return None;
        }
        self.seen_gate().refusal_to_show(self.moved_s())
    }

    /// Why nothing may be erased at present: what cannot be taken back waits for a witness.
    pub fn refusal_to_erase(&self) -> Option<String> {
        self.refusal().or_else(|| {
            (!self.witnesses.is_empty() && !self.is_confirmed.load(Ordering::Acquire)).then(|| {
                "Nothing is erased at present: what is erased cannot be brought back, and the witnesses of this record \
                 have not confirmed it and its clock since the server was started. Do it again when they can be \
                 reached; the page of the record and `homecoming_witness_up` in /metrics say how they do."
                    .to_owned()
            })
        })
    }

    /// How far our clock has moved ahead of the time that has passed since a witness was last heard, in seconds.
    fn moved_s(&self) -> i64 {
        let moved = apart_us(&self.clock, &self.since) - self.apart_us.load(Ordering::Relaxed);
        moved.div_euclid(1_000_000)
    }

    /// How all logs do.
    pub fn status(&self) -> Result<Vec<Status>, Error> {
        self.logs
            .iter()
            .map(|log| {
                Ok(Status {
                    name: log.name,
                    size: log.source.newest().map_err(Error::ledger)?.size,
                    cosigned: self.latest(log.name),
                    witnesses: log.state().witnesses.values().cloned().collect(),
                })
            })
            .collect()
    }

    /// A log itself.
    pub fn source(&self, name: LogName) -> Option<Arc<dyn Log>> {
        self.log(name).map(|log| log.source.clone())
    }

    fn log(&self, name: LogName) -> Option<&Arc<Watched>> {
        self.logs.iter().find(|log| log.name == name)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn now_us(&self) -> u64 {
        self.since.elapsed().as_micros() as u64
    }

    /// Waits, or not so long if the server stops.
    fn sleep(&self, wait: Duration) {
        let guard = self.stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_stopped() {
            // Whether it ended early or late, the caller looks again.
            let _ = self.stop.1.wait_timeout(guard, wait);
        }
    }

    fn seen_gate(&self) -> RwLockReadGuard<'_, Gate> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> RwLockWriteGuard<'_, Gate> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A witness will not cosign for a reason that stops writing.
    fn halt(&self, log: &Watched, witness: &str, halt: Halt) {
        // Only what is proven: whoever is on the way to a witness can say any size.
        if let Halt::Behind {
            cosigned,
            is_shown: true,
            ..
        } = halt
            && let Err(error) = self.witnessed.note_seen(log.name, witness, cosigned)
        {
            tracing::error!(%error, "what a witness has seen could not be noted");
        }
        let mut gate = self.gate();
        gate.halt(log.name, witness, halt);
        if let Some(why) = gate.refusal(self.moved_s()) {
            tracing::error!(witness, "{why}");
        }
    }

    /// A witness cosigned: its clock against ours.
    fn heard(&self, log: &Watched, witness: &str, size: u64, time: u64) {
        let now = self.clock.now().0;
        let skew = i64::try_from(time).unwrap_or(i64::MAX) - now.div_euclid(1_000_000);
        {
            let mut gate = self.gate();
            let before = gate.refusal(self.moved_s());
            gate.cosigned(log.name, witness, skew);
            self.apart_us
                .store(apart_us(&self.clock, &self.since), Ordering::Relaxed);
            let after = gate.refusal(self.moved_s());
            match (before, after) {
                (None, Some(why)) => tracing::error!(witness, "{why}"),
                (Some(_), None) => tracing::warn!(witness, "writes are taken again"),
                _ => {}
            }
        }
        let mut state = log.state();
        if let Some(state) = state.witnesses.get_mut(witness) {
            *state = WitnessState {
                name: witness.to_owned(),
                size: Some(size),
                at_us: Some(now),
                skew_s: Some(skew),
                failure: None,
            };
        }
    }

    /// Keeps a checkpoint that enough witnesses cosigned; it is served from now on.
    fn keep(&self, log: &Watched, size: u64, note: String) {
        let at_us = self.clock.now().0;
        if let Err(error) = self.witnessed.add(log.name, size, &note, at_us) {
            // What is not noted would not be missed after a restart, so it is not served either.
            tracing::error!(%error, "a cosigned checkpoint could not be kept");
            return;
        }
        if log.name == LogName::Record {
            self.is_confirmed.store(true, Ordering::Release);
        }
        let mut latest = log.latest.write().unwrap_or_else(PoisonError::into_inner);
        if latest.as_ref().is_none_or(|before| before.size <= size) {
            *latest = Some(Cosigned { size, note, at_us });
        }
    }
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_failure(&self, witness: &str, why: String) {
        if let Some(state) = self.state().witnesses.get_mut(witness) {
            state.failure = Some(why);
        }
    }

    /// Waits for a round after number `done`; `None` when the server stops.
    fn next_round(&self, cosigning: &Cosigning, done: u64) -> Option<Round> {
        let mut state = self.state();
        let mut not_before_us = 0;
        while !cosigning.is_stopped() {
            let now_us = cosigning.now_us();
            let mut wait = Duration::from_secs(1);
            // Woken by growth while the pace is kept, there is nothing to look up.
            let newest = (now_us >= not_before_us).then(|| self.newest());
            match newest {
                None => wait = Duration::from_micros(not_before_us - now_us),
                Some(Ok((note, checkpoint))) => {
                    let size = checkpoint.size;
                    let rounds = state.rounds.as_mut()?;
                    rounds.set_shut(cosigning.refusal().is_some());
                    let Ok(round) = rounds.at(now_us, size, || {
                        Ok::<_, std::convert::Infallible>((note, checkpoint))
                    });
                    if round.number > done {
                        return Some(round.clone());
                    }
                    let is_paced = round.is_met && round.size != size;
                    let until_us = rounds.until_next_us(now_us, size).max(1_000);
                    not_before_us = if is_paced { now_us + until_us } else { 0 };
                    wait = Duration::from_micros(until_us);
                }
                Some(Err(why)) => {
                    tracing::error!(log = %self.name, why, "no checkpoint to submit");
                }
            }
            state = self
                .changed
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        None
    }

    fn newest(&self) -> Result<(SignedNote, Checkpoint), String> {
        let note = self
            .source
            .checkpoint()
            .map_err(|error| error.to_string())?;
        submit::signed(&note)
    }

    /// Takes an answer; gives the witness's time.
    fn take(
        &self,
        cosigning: &Cosigning,
        round: &Round,
        key: &WitnessKey,
        body: &str,
    ) -> Result<u64, tlog::witness::AnswerError> {
        let mut state = self.state();
        let rounds = state.rounds.as_mut().expect("only a policy has submitters");
        let taken = rounds.take(round, key, body)?;
        // Kept while the state is held, so that an older one never comes after a newer one.
        if let Some((note, _)) = taken.cosigned {
            cosigning.keep(self, round.size, note);
        }
        drop(state);
        // Whoever waited for the round to be met looks again.
        self.changed.notify_all();
        Ok(taken.time)
    }
}

/// What the clock has more than the stopwatch, in microseconds.
fn apart_us(clock: &Clock, since: &Stopwatch) -> i64 {
    let passed = i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX);
    clock.now().0.saturating_sub(passed)
}

/// Witnesses by address: one may sign with several keys. One without an address cannot be asked for anything, which
/// [`ask::ask`] says.
fn reached(policy: &Policy) -> Vec<Reached> {
    let mut reached: Vec<Reached> = Vec::new();
    for witness in policy.witnesses() {
        let Some(url) = &witness.url else { continue };
        let url = url.trim_end_matches('/').to_owned();
        match reached.iter_mut().find(|known| known.url == url) {
            Some(known) => known.keys.push(witness.key.clone()),
            None => reached.push(Reached {
                name: witness.name.clone(),
                url,
                keys: vec![witness.key.clone()],
            }),
        }
    }
    reached
}

/// Whether a cosigned checkpoint still does for the policy, which may have changed since.
fn is_enough(policy: Option<&Policy>, note: &str) -> bool {
    policy.is_none_or(|policy| {
        SignedNote::parse(note).is_ok_and(|note| policy.check_quorum(&note).is_ok())
    })
}
