//! A seed, played: a ledger, its clients, an index, a witness and a network, and everything that can happen to them.
//!
//! | step | what may come of it |
//! |---|---|
//! | clients send a group | acknowledged, refused by name, refused as a whole, or nobody knows |
//! | somebody is shown something | it is on the access log before, or the answer is not given |
//! | a person's record is erased | keys and index are rid of it, or it is finished at the next start |
//! | a client takes a receipt | it verifies, now and against every later checkpoint |
//! | the server sends its checkpoint to the witness | cosigned, conflict, lost on the way |
//! | the clock jumps, forwards or back | recorded times go on, or writes are refused |
//! | trouble is armed | some later operation of the disk fails, or the power goes off in it |
//! | the write-ahead log is folded in; the server is started again; killed; the power is cut | all that was acknowledged is there |
//!
//! Not every seed plays all of it: what is beside the record (access log, what witnesses have signed), erasures and the
//! real index each have their share of the seeds, because a world in which everything happens takes its time.
//!
//! What must be true is in [`crate::model`] and in `play/checks.rs`. A step that finds something else ends the seed
//! with a sentence. Everything is decided by the seed, so the same seed ends with the same sentence.

use std::sync::Arc;

use ledger::witnessed::LogName;
use ledger::{CommitError, Committed, RecordedAt, Refused, Transaction};
use tlog::{Hash, prove_consistency};

use crate::chance::Chance;
use crate::clients;
use crate::disk::{Armed, Disk, Met, Op, Survives, Trouble};
use crate::files::Files;
use crate::index::{Forgetful, HeadsOf, Index, Real};
use crate::model::{Content, KnownLeaf, Model, Predicted};
use crate::network::Network;
use crate::plant::{Plant, StoredHeads};
use crate::server::Server;
use crate::stage::Stage;
use crate::vfs::Mounted;
use crate::witness::{self, Answer, Request, Witness, place};

mod checks;
mod disclosing;
mod erasing;
mod noting;

use noting::Noted;

/// 2026-01-01T00:00:00Z.
const START_US: i64 = 1_767_225_600_000_000;

/// Of how many seeds one plays the access log and what witnesses have signed, erasures, and the real index.
const BESIDE_ONE_IN: u64 = 4;
const ERASURES_ONE_IN: u64 = 6;
const REAL_INDEX_ONE_IN: u64 = 128;

/// How a seed is played.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The bug that is planted.
    pub plant: Option<Plant>,
    /// Whether every step and every operation of the disks is noted.
    pub trace: bool,
}

/// A seed that found nothing.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// How much happened.
    pub counts: Counts,
    /// A hash of every operation on the ledger's disk: the same whenever the seed is played.
    pub digest: u64,
    /// What was noted, if it was to be.
    pub trace: Vec<String>,
}

/// A seed that found something.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The seed.
    pub seed: u64,
    /// What is not as it must be.
    pub what: String,
    /// What was noted, if it was to be.
    pub trace: Vec<String>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries in the ledger at the end.
    pub entries: u64,
    /// Operations on the ledger's disk.
    pub operations: u64,
    /// Operations that failed or in which the power went off.
    pub troubles: u64,
    /// Starts of the server from its disk.
    pub starts: u64,
    /// Power cuts, of the ledger's machine and of the witness's.
    pub power_cuts: u64,
    /// Groups whose answer was lost and that were there afterwards.
    pub unknown_in: u64,
    /// Groups whose answer was lost and that were not.
    pub unknown_out: u64,
    /// Receipts taken.
    pub receipts: u64,
    /// Checkpoints cosigned.
    pub cosigned: u64,
    /// Disclosures recorded on the access log.
    pub disclosures: u64,
    /// Erasures carried out to their end.
    pub erasures: u64,
    /// Seeds that played the real index.
    pub real_indexes: u64,
}

impl Counts {
    /// Adds those of another seed.
    pub fn add(&mut self, other: &Counts) {
        self.entries += other.entries;
        self.operations += other.operations;
        self.troubles += other.troubles;
        self.starts += other.starts;
        self.power_cuts += other.power_cuts;
        self.unknown_in += other.unknown_in;
        self.unknown_out += other.unknown_out;
        self.receipts += other.receipts;
        self.cosigned += other.cosigned;
        self.disclosures += other.disclosures;
        self.erasures += other.erasures;
        self.real_indexes += other.real_indexes;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} entries, {} operations of the disk, {} of them failed, {} starts after {} power \
             cuts and other ends, {} groups in and {} out whose answer was lost, {} receipts, {} \
             cosignatures, {} disclosures, {} erasures, the real index in {} seeds",
            self.entries,
            self.operations,
            self.troubles,
            self.starts,
            self.power_cuts,
            self.unknown_in,
            self.unknown_out,
            self.receipts,
            self.cosigned,
            self.disclosures,
            self.erasures,
            self.real_indexes
        )
    }
}

/// What may happen in a seed. Seeds differ in it, because a world in which everything fails never gets far.
#[derive(Clone, Copy, Debug)]
struct Weather {
    errors: bool,
    power_cuts: bool,
    full: bool,
    large: bool,
    clock_jumps: bool,
    /// The access log and what witnesses have signed are played.
    beside: bool,
    erasures: bool,
}

/// A message between the server and the witness.
#[derive(Clone, Debug)]
enum Message {
    Ask(Request),
    Tell(Answer),
}

/// A receipt that a client has.
struct Receipt {
    position: u64,
    leaf: Hash,
    size: u64,
    root: Hash,
}

struct World<'s> {
    stage: &'s Stage,
    plant: Option<Plant>,
    weather: Weather,
    chance: Chance,
    disk: Arc<Disk>,
    files: Arc<Files>,
    mounted: Option<Mounted>,
    /// The server; nothing while it is down.
    server: Option<Server>,
    /// It has found that it cannot go on, and its process is about to end: nothing of it is closed in order.
    stopped: bool,
    clock_us: i64,
    index: Index,
    model: Model,
    /// What nobody knows the end of yet.
    unknown: Option<Predicted>,
    /// The same of disclosures.
    unknown_leaves: Option<Vec<KnownLeaf>>,
    receipts: Vec<Receipt>,
    network: Network<Message>,
    witness: Witness,
    /// What the server believes that the witness has cosigned of each log.
    believed: [u64; 2],
    /// What the server has noted of that.
    noted: [Noted; 2],
    /// The checkpoint that was found right last, and its size.
    verified: (String, u64),
    /// For planted bugs: something of an earlier time.
    old_copy: Option<crate::disk::Image>,
    old_heads: StoredHeads,
    counts: Counts,
    trace: Option<Vec<String>>,
}

/// Plays a seed.
pub fn play(stage: &Stage, seed: u64, options: Options) -> Result<Played, Finding> {
    let mut world = World::new(stage, seed, options).map_err(|what| Finding {
        seed,
        what,
        trace: Vec::new(),
    })?;
    let outcome = world.run();
    world.note(|| "the end".to_owned());
    let trace = world.trace.take().unwrap_or_default();
    match outcome {
        Ok(()) => {
            world.counts.operations = world.disk.ops();
            world.counts.entries = world.model.size();
            world.counts.cosigned = world
                .witness
                .cosigned
                .iter()
                .map(|log| log.len() as u64)
                .sum();
            world.counts.disclosures = world.model.leaves.len() as u64;
            world.counts.erasures = world.model.erasures.len() as u64;
            Ok(Played {
                counts: world.counts,
                digest: world.disk.digest(),
                trace,
            })
        }
        Err(what) => Err(Finding { seed, what, trace }),
    }
}

impl<'s> World<'s> {
    fn new(stage: &'s Stage, seed: u64, options: Options) -> Result<World<'s>, String> {
        let mut chance = Chance::new(seed);
        let needs = options.plant.map(Plant::needs).unwrap_or_default();
        let mut of_weather = chance.split();
        let mut rather = |times: u64| of_weather.below(times) > 0;
        let weather = Weather {
            errors: rather(3),
            power_cuts: rather(4),
            full: !rather(3),
            large: !rather(3),
            clock_jumps: rather(2),
            beside: !rather(BESIDE_ONE_IN) || needs.beside,
            erasures: !rather(ERASURES_ONE_IN) || needs.erasures,
        };
        let network_is_bad = rather(3);
        let real_index = !rather(REAL_INDEX_ONE_IN) || needs.real_index;
        let lies = options.plant.map(Plant::lies).unwrap_or_default();
        let (disk, mounted) = stage.set(chance.split(), lies);
        if options.trace {
            disk.trace();
        }
        let files = Arc::new(Files::new(disk.clone(), options.plant));
        let server = Server::start(stage.folder(), &files, weather.beside)
            .map_err(|e| format!("a new ledger does not open: {}", e.0))?;
        let bug = match options.plant {
            Some(Plant::WitnessSignsFirst) => Some(witness::Bug::SignsFirst),
            Some(Plant::WitnessForgets) => Some(witness::Bug::Forgets),
            Some(Plant::WitnessNotSettled) => Some(witness::Bug::NotSettled),
            _ => None,
        };
        let mut logs = vec![server.ledger.verifier().clone()];
        logs.extend(
            server
                .beside
                .as_ref()
                .map(|beside| beside.access.verifier().clone()),
        );
        let witness = Witness::new(stage.witness(weather.beside), logs, bug, chance.split())?;
        let index = match real_index {
            true => {
                let hasty = options.plant == Some(Plant::CoverBeforeMaps);
                Index::Real(Box::new(Real::new(stage.folder(), hasty)?))
            }
            false => Index::Least(Forgetful::new(
                options.plant == Some(Plant::IndexAheadOfItself),
            )),
        };
        Ok(World {
            stage,
            plant: options.plant,
            weather,
            disk,
            files,
            mounted: Some(mounted),
            server: Some(server),
            stopped: false,
            clock_us: START_US,
            index,
            model: Model::default(),
            unknown: None,
            unknown_leaves: None,
            receipts: Vec::new(),
            network: Network::new(network_is_bad),
            witness,
            believed: [0; 2],
            noted: Default::default(),
            verified: Default::default(),
            old_copy: None,
            old_heads: StoredHeads::new(),
            counts: Counts {
                real_indexes: real_index.into(),
                ..Counts::default()
            },
            trace: options.trace.then(Vec::new),
            chance,
        })
    }

    /// Notes what happens, behind what the disk noted before it.
    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.extend(self.disk.take_trace());
            trace.push(what());
        }
    }

    fn run(&mut self) -> Result<(), String> {
        let steps = 12 + self.chance.below(28);
        for _ in 0..steps {
            self.step()?;
            self.up_again()?;
            self.carry()?;
        }
        self.end()
    }

    /// Starts the server again if it has stopped, or its machine has.
    fn up_again(&mut self) -> Result<(), String> {
        let cut = match (self.disk.is_powered(), self.stopped) {
            (true, false) => return Ok(()),
            (true, true) => self.chance.one_in(2) && self.weather.power_cuts,
            (false, _) => true,
        };
        let is_kill = !cut;
        let cut = cut.then(|| Survives::by(&mut self.chance));
        self.start_again(cut)?;
        // What a start reads after a failed sync may be in the system's memory alone, until it has seen to that.
        match is_kill && self.weather.power_cuts && self.chance.one_in(4) {
            true => {
                let survives = Survives::by(&mut self.chance);
                self.start_again(Some(survives))
            }
            false => Ok(()),
        }
    }

    fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..14 if self.weather.beside => self.disclose(),
            14..18 if self.weather.erasures => self.erase(),
            0..50 => self.group(),
            50..56 => self.receipt(),
            56..66 => self.ask_witness(),
            66..70 => {
                self.jump();
                Ok(())
            }
            70..84 => {
                self.arm();
                Ok(())
            }
            84..87 => self.fold(),
            87..90 => self.restart_in_order(),
            90..92 => self.start_again(None),
            92..94 if self.weather.power_cuts => {
                let survives = Survives::by(&mut self.chance);
                self.start_again(Some(survives))
            }
            94..98 => self.witness_fails(),
            _ => {
                self.index.save()?;
                if self.plant == Some(Plant::OldCopyRestored) {
                    self.old_copy = Some(self.disk.image());
                }
                Ok(())
            }
        }
    }

    /// Clients send a group, and the server commits it.
    fn group(&mut self) -> Result<(), String> {
        let group = clients::group(&mut self.chance, self.weather.large);
        self.send(&group).map(|_| ())
    }

    /// Sends a group; gives whether it was answered, and the server still runs.
    fn send(&mut self, group: &[Transaction]) -> Result<bool, String> {
        self.clock_us += self.chance.below(2_000_000) as i64;
        let predicted = self.model.predict(group, self.clock_us);
        self.note(|| {
            format!(
                "a group of {} transactions: {:?}",
                group.len(),
                predicted.outcomes
            )
        });
        let size = self.model.size();
        if self.plant == Some(Plant::ReplyBeforeCommit) {
            self.model.take(predicted.clone());
        }
        let outcome = match self.plant {
            Some(Plant::TransactionSplit) => self.commit_one_by_one(group),
            _ => self.commit(group),
        };
        if outcome.is_ok() && self.files.committed().is_err() {
            self.note(|| "  the late key was not written".to_owned());
        }
        match outcome {
            Ok(outcomes) if self.disk.is_powered() => {
                if self.plant != Some(Plant::TransactionSplit) {
                    checks::as_predicted(group, &outcomes, &predicted, size)?;
                }
                if self.plant != Some(Plant::ReplyBeforeCommit) {
                    self.model.take(predicted);
                }
                if let Some(server) = &self.server {
                    self.index.apply(&self.model, size, &server.ledger)?;
                }
                Ok(true)
            }
            // Whoever would have answered is gone.
            Ok(_) => {
                self.not_known(predicted);
                Ok(false)
            }
            Err(CommitError::Fatal(_)) => {
                self.not_known(predicted);
                if !self.disk.is_powered() {
                    return Ok(false);
                }
                self.expect_trouble("a commit failed")?;
                self.stays_stopped()?;
                self.stopped = true;
                Ok(false)
            }
            Err(_) if !self.disk.is_powered() => {
                self.not_known(predicted);
                Ok(false)
            }
            // Nothing of the group is in, and the server goes on.
            Err(CommitError::Full(_) | CommitError::Io(_) | CommitError::Keys(_)) => {
                self.expect_trouble("a commit was refused as a whole")?;
                Ok(false)
            }
        }
    }

    fn not_known(&mut self, predicted: Predicted) {
        self.note(|| "  nobody knows whether it is in".to_owned());
        match self.plant {
            Some(Plant::ReplyBeforeCommit | Plant::UnknownToldAsRefused) => {}
            _ => self.unknown = Some(predicted),
        }
    }

    fn commit(
        &mut self,
        group: &[Transaction],
    ) -> Result<Vec<Result<Committed, Refused>>, CommitError> {
        let Some(Server {
            appender, ledger, ..
        }) = &mut self.server
        else {
            return Err(CommitError::Fatal(None));
        };
        let (now, chance) = (RecordedAt(self.clock_us), &mut self.chance);
        appender.commit(
            group,
            &mut || now,
            &mut |bytes| chance.fill(bytes),
            &HeadsOf {
                index: &self.index,
                ledger,
            },
        )
    }

    /// For a planted bug: every write becomes a commit of its own.
    fn commit_one_by_one(
        &mut self,
        group: &[Transaction],
    ) -> Result<Vec<Result<Committed, Refused>>, CommitError> {
        let mut outcomes = Vec::new();
        for transaction in group {
            for write in &transaction.writes {
                let one = Transaction {
                    writes: vec![write.clone()],
                    ..transaction.clone()
                };
                outcomes.extend(self.commit(&[one])?);
            }
        }
        Ok(outcomes)
    }

    /// After a failed write or sync nothing more is acknowledged, and nothing more is tried.
    fn stays_stopped(&mut self) -> Result<(), String> {
        let group = clients::group(&mut self.chance, false);
        let before = self.disk.ops();
        let outcome = self.commit(&group);
        match (outcome, self.disk.ops() - before) {
            (Err(CommitError::Fatal(None)), 0) => Ok(()),
            (outcome, ops) => Err(format!(
                "after a failed write the ledger goes on: {outcome:?}, {ops} operations"
            )),
        }
    }

    /// The server fails only if the disk did.
    fn expect_trouble(&mut self, what: &str) -> Result<(), String> {
        match self.disk.met() {
            Met::Hit(op, trouble) => {
                self.counts.troubles += 1;
                self.note(|| format!("  {what}, because {op:?} failed ({trouble:?})"));
                Ok(())
            }
            Met::Nothing => Err(format!("{what}, although nothing on the disk failed")),
        }
    }

    /// A client takes a receipt of something that was acknowledged.
    fn receipt(&mut self) -> Result<(), String> {
        let Some(server) = self.server.as_ref().filter(|_| self.model.size() > 0) else {
            return Ok(());
        };
        let ledger = &server.ledger;
        let position = self.chance.below(self.model.size());
        let text = match ledger.receipt(position) {
            Ok(text) => text,
            Err(_) if !self.disk.is_powered() => return Ok(()),
            Err(e) => {
                let what = format!("no receipt for entry {position}: {e}");
                return self.expect_trouble(&what).map_err(|_| what);
            }
        };
        let report = ledger::receipt::verify(text.as_bytes(), Some(ledger.verifier()))
            .map_err(|e| format!("the receipt of entry {position} does not verify: {e}"))?;
        let known = &self.model.entries[position as usize];
        // One of something that was erased proves that there was an entry.
        let right = match known.content {
            Content::There => report.stored == known.write.stored,
            Content::Going => report.stored.is_empty() || report.stored == known.write.stored,
            Content::Gone => report.stored.is_empty(),
        };
        if !right {
            return Err(format!(
                "the receipt of entry {position} has another content"
            ));
        }
        self.receipts.push(Receipt {
            position,
            leaf: tlog::leaf_hash(report.entry.line.as_bytes()),
            size: report.checkpoint.size,
            root: report.checkpoint.root,
        });
        self.counts.receipts += 1;
        self.note(|| format!("a receipt of entry {position}"));
        Ok(())
    }

    /// The server sends its latest checkpoint to the witness, of one of its logs.
    fn ask_witness(&mut self) -> Result<(), String> {
        let log = match self.weather.beside && self.chance.one_in(2) {
            true => LogName::Access,
            false => LogName::Record,
        };
        self.ask_of(log)
    }

    fn ask_of(&mut self, log: LogName) -> Result<(), String> {
        match log {
            LogName::Record => self.read_lines()?,
            LogName::Access => self.read_leaves()?,
        }
        let Some(server) = &self.server else {
            return Ok(());
        };
        let (size, tree, checkpoint) = match (log, &server.beside) {
            (LogName::Record, _) => (
                server.appender.size(),
                &self.model.tree,
                Ok(server.appender.checkpoint().to_owned()),
            ),
            (LogName::Access, Some(beside)) => (
                beside.recorder.size(),
                &self.model.leaves_tree,
                beside.access.checkpoint(),
            ),
            (LogName::Access, None) => return Ok(()),
        };
        if tree.size() < size {
            // The lines could not be read, because reading was made to fail.
            return Ok(());
        }
        let old = self.believed[place(log)];
        if old > size {
            return Err(format!(
                "the witness cosigned {old} entries of the {log}, which has {size}"
            ));
        }
        let proof = prove_consistency(old, size, tree)
            .map_err(|e| format!("no proof of consistency: {e}"))?;
        let checkpoint = match checkpoint {
            Ok(checkpoint) => checkpoint,
            Err(e) => {
                let what = format!("no checkpoint of the {log}: {e}");
                return self.expect_trouble(&what).map_err(|_| what);
            }
        };
        let request = Request {
            log,
            old,
            proof,
            checkpoint,
        };
        self.note(|| format!("the checkpoint of {size} entries of the {log} is sent to the witness, which is believed to have {old}"));
        self.network.send(Message::Ask(request), &mut self.chance);
        Ok(())
    }

    /// What the network brings.
    fn carry(&mut self) -> Result<(), String> {
        for message in self.network.step() {
            match message {
                Message::Ask(request) => match self.witness.answer(&request)? {
                    Some(answer) => {
                        self.note(|| format!("the witness answers {answer:?}"));
                        self.network.send(Message::Tell(answer), &mut self.chance);
                    }
                    None => self.start_witness_again()?,
                },
                // An answer that was overtaken says less than is known already.
                Message::Tell(Answer::Cosigned { log, size, note }) => {
                    if size >= self.believed[place(log)] {
                        self.believed[place(log)] = size;
                        self.note_cosigned(log, size, note)?;
                    }
                }
                Message::Tell(Answer::Conflict(log, size)) => {
                    self.believed[place(log)] = self.believed[place(log)].max(size);
                    self.note_seen(log, size)?;
                }
                Message::Tell(Answer::Refused(why)) => {
                    return Err(format!("the witness refuses an honest server: {why}"));
                }
            }
            self.up_again()?;
        }
        self.witness_stands_by_its_word()
    }

    /// Trouble for the witness: its disk fails, or it is started again.
    fn witness_fails(&mut self) -> Result<(), String> {
        match self.chance.one_in(2) {
            true => {
                let trouble = *self.chance.pick(&[
                    Trouble::NotDone,
                    Trouble::DoneButFailed,
                    Trouble::Partly,
                    Trouble::PowerCut,
                ]);
                self.witness.disk().arm(Armed {
                    after: self.chance.below(6) as u32,
                    only: None,
                    of: None,
                    trouble,
                });
                Ok(())
            }
            false => self.start_witness_again(),
        }
    }

    fn start_witness_again(&mut self) -> Result<(), String> {
        let cut = !self.witness.disk().is_powered() || self.chance.one_in(2);
        let cut = cut.then(|| Survives::by(&mut self.chance));
        self.counts.power_cuts += u64::from(cut.is_some());
        self.note(|| format!("the witness starts again ({cut:?})"));
        self.witness.restart(cut)
    }

    /// The clock is set, or was wrong.
    fn jump(&mut self) {
        if !self.weather.clock_jumps {
            return;
        }
        let by_s = match self.chance.below(6) {
            0 => -(self.chance.below(600) as i64),
            1 => -(self.chance.below(20) as i64),
            2 => 86_400 * self.chance.below(400) as i64,
            _ => self.chance.below(4_000) as i64,
        };
        self.clock_us += by_s * 1_000_000;
        // Somebody sets it right before long.
        if self.chance.one_in(2) {
            self.clock_us = self.clock_us.max(self.model.last());
        }
        self.note(|| format!("the clock jumps by {by_s} s"));
    }

    /// Some later operation is going to fail.
    fn arm(&mut self) {
        let weather = self.weather;
        let trouble = match self.chance.below(8) {
            0 | 1 if weather.errors => Trouble::NotDone,
            2 | 3 if weather.errors => Trouble::DoneButFailed,
            4 if weather.errors => Trouble::Partly,
            5 if weather.full => Trouble::Full(1 + self.chance.below(8) as u32),
            5..8 if weather.power_cuts => Trouble::PowerCut,
            _ => return,
        };
        let only = match self.chance.below(8) {
            0 | 1 => Some(Op::Sync),
            2 => Some(Op::Truncate),
            3 => Some(Op::Delete),
            4 if weather.errors => Some(Op::Read),
            _ => None,
        };
        let only = match trouble {
            Trouble::Full(_) => Some(Op::Write),
            _ => only,
        };
        let after = match only {
            Some(Op::Sync) => self.chance.below(4),
            Some(Op::Read) => self.chance.below(10),
            Some(Op::Write) => self.chance.below(40),
            Some(_) => 0,
            None => self.chance.below(40),
        };
        // What is beside the record is written seldom: otherwise it would hardly ever be hit.
        let of = match self.weather.beside && self.chance.one_in(2) {
            true => Some(
                *self
                    .chance
                    .pick(&["access.sqlite-wal", "witnessed.sqlite-wal"]),
            ),
            false => None,
        };
        let (only, after) = match of {
            Some(_) if self.chance.one_in(2) && only.is_none() => (Some(Op::Sync), 0),
            Some(_) => (only, after / 8),
            None => (only, after),
        };
        let after = after as u32;
        self.note(|| format!("armed: {trouble:?} of {only:?} after {after}"));
        self.disk.arm(Armed {
            after,
            only,
            of,
            trouble,
        });
    }

    /// The write-ahead log is folded into the database.
    fn fold(&mut self) -> Result<(), String> {
        self.note(|| "the write-ahead log is folded in".to_owned());
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        match server.appender.checkpoint_truncate() {
            Ok(()) => Ok(()),
            Err(_) if !self.disk.is_powered() => Ok(()),
            Err(CommitError::Fatal(_)) => {
                self.expect_trouble("folding failed")?;
                self.stays_stopped()?;
                self.start_again(None)
            }
            Err(e) => Err(format!("folding is refused: {e}")),
        }
    }
}
