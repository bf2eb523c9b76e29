//! A seed, played: a ledger, its clients, an index, a witness and a network, and everything that can happen to them.
//!
//! | step | what may come of it |
//! |---|---|
//! | clients send a group | acknowledged, refused by name, refused as a whole, or nobody knows |
//! | a client takes a receipt | it verifies, now and against every later checkpoint |
//! | the server sends its checkpoint to the witness | cosigned, conflict, lost on the way |
//! | the clock jumps, forwards or back | recorded times go on, or writes are refused |
//! | trouble is armed | some later operation of the disk fails, or the power goes off in it |
//! | the write-ahead log is folded in; the server is started again; killed; the power is cut | all that was acknowledged is there |
//!
//! What must be true is in [`crate::model`] and in `play/checks.rs`. A step that finds something else ends the seed
//! with a sentence. Everything is decided by the seed, so the same seed ends with the same sentence.

use std::sync::Arc;

use ledger::{Appender, CommitError, Committed, Ledger, RecordedAt, Refused, Transaction};
use tlog::{Hash, prove_consistency};

use crate::chance::Chance;
use crate::clients;
use crate::disk::{Armed, Disk, Met, Op, Survives, Trouble};
use crate::files::Files;
use crate::index::Forgetful;
use crate::model::{Model, Predicted};
use crate::network::Network;
use crate::plant::{Plant, StoredHeads};
use crate::stage::Stage;
use crate::vfs::Mounted;
use crate::witness::{self, Answer, Request, Witness};

mod checks;

/// 2026-01-01T00:00:00Z.
const START_US: i64 = 1_767_225_600_000_000;

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
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} entries, {} operations of the disk, {} of them failed, {} starts after {} power \
             cuts and other ends, {} groups in and {} out whose answer was lost, {} receipts, {} \
             cosignatures",
            self.entries,
            self.operations,
            self.troubles,
            self.starts,
            self.power_cuts,
            self.unknown_in,
            self.unknown_out,
            self.receipts,
            self.cosigned
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
    server: Option<(Appender, Ledger)>,
    clock_us: i64,
    index: Forgetful,
    model: Model,
    /// What nobody knows the end of yet.
    unknown: Option<Predicted>,
    receipts: Vec<Receipt>,
    network: Network<Message>,
    witness: Witness,
    /// What the server believes of the witness.
    believed: u64,
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
            world.counts.cosigned = world.witness.cosigned.len() as u64;
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
        let mut of_weather = chance.split();
        let mut rather = |times: u64| of_weather.below(times) > 0;
        let weather = Weather {
            errors: rather(3),
            power_cuts: rather(4),
            full: !rather(3),
            large: !rather(3),
            clock_jumps: rather(2),
        };
        let network_is_bad = rather(3);
        let lies = options.plant.map(Plant::lies).unwrap_or_default();
        let (disk, mounted) = stage.set(chance.split(), lies);
        if options.trace {
            disk.trace();
        }
        let files = Arc::new(Files::new(disk.clone(), options.plant));
        let opened = checks::opened(stage.folder(), &files);
        let (appender, ledger) = opened.map_err(|e| format!("a new ledger does not open: {e}"))?;
        let bug = match options.plant {
            Some(Plant::WitnessSignsFirst) => Some(witness::Bug::SignsFirst),
            Some(Plant::WitnessForgets) => Some(witness::Bug::Forgets),
            Some(Plant::WitnessNotSettled) => Some(witness::Bug::NotSettled),
            _ => None,
        };
        let witness = Witness::new(
            stage.witness(),
            ledger.verifier().clone(),
            bug,
            chance.split(),
        )?;
        Ok(World {
            stage,
            plant: options.plant,
            weather,
            disk,
            files,
            mounted: Some(mounted),
            server: Some((appender, ledger)),
            clock_us: START_US,
            index: Forgetful::new(options.plant == Some(Plant::IndexAheadOfItself)),
            model: Model::default(),
            unknown: None,
            receipts: Vec::new(),
            network: Network::new(network_is_bad),
            witness,
            believed: 0,
            old_copy: None,
            old_heads: StoredHeads::new(),
            counts: Counts::default(),
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
            if !self.disk.is_powered() {
                let survives = Survives::by(&mut self.chance);
                self.start_again(Some(survives))?;
            }
            self.carry()?;
        }
        self.end()
    }

    fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
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
                self.index.save();
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
        self.clock_us += self.chance.below(2_000_000) as i64;
        let predicted = self.model.predict(&group, self.clock_us);
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
            Some(Plant::TransactionSplit) => self.commit_one_by_one(&group),
            _ => self.commit(&group),
        };
        if outcome.is_ok() && self.files.committed().is_err() {
            self.note(|| "  the late key was not written".to_owned());
        }
        match outcome {
            Ok(outcomes) if self.disk.is_powered() => {
                if self.plant != Some(Plant::TransactionSplit) {
                    checks::as_predicted(&group, &outcomes, &predicted, size)?;
                }
                if self.plant != Some(Plant::ReplyBeforeCommit) {
                    self.model.take(predicted);
                }
                for entry in &self.model.entries[size as usize..] {
                    let name = (entry.write.kind.clone(), entry.write.id.clone());
                    let head = self.model.heads()[&name];
                    self.index.apply(name, head);
                }
                Ok(())
            }
            // Whoever would have answered is gone.
            Ok(_) => {
                self.not_known(predicted);
                Ok(())
            }
            Err(CommitError::Fatal(_)) => {
                self.not_known(predicted);
                if !self.disk.is_powered() {
                    return Ok(());
                }
                self.expect_trouble("a commit failed")?;
                self.stays_stopped()?;
                let cut = self.chance.one_in(2) && self.weather.power_cuts;
                let cut = cut.then(|| Survives::by(&mut self.chance));
                self.start_again(cut)
            }
            Err(_) if !self.disk.is_powered() => {
                self.not_known(predicted);
                Ok(())
            }
            // Nothing of the group is in, and the server goes on.
            Err(CommitError::Full(_) | CommitError::Io(_) | CommitError::Keys(_)) => {
                self.expect_trouble("a commit was refused as a whole")
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
        let Some((appender, _)) = &mut self.server else {
            return Err(CommitError::Fatal(None));
        };
        let (now, chance) = (RecordedAt(self.clock_us), &mut self.chance);
        appender.commit(
            group,
            &mut || now,
            &mut |bytes| chance.fill(bytes),
            &self.index,
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
        let Some((_, ledger)) = self.server.as_ref().filter(|_| self.model.size() > 0) else {
            return Ok(());
        };
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
        if report.stored != self.model.entries[position as usize].write.stored {
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

    /// The server sends its latest checkpoint to the witness.
    fn ask_witness(&mut self) -> Result<(), String> {
        self.read_lines()?;
        let Some((appender, _)) = &self.server else {
            return Ok(());
        };
        if self.model.tree.size() < appender.size() {
            // The lines could not be read, because reading was made to fail.
            return Ok(());
        }
        let old = self.believed;
        if old > appender.size() {
            return Err(format!(
                "the witness cosigned {old} entries, the ledger has {}",
                appender.size()
            ));
        }
        let proof = prove_consistency(old, appender.size(), &self.model.tree)
            .map_err(|e| format!("no proof of consistency: {e}"))?;
        let request = Request {
            old,
            proof,
            checkpoint: appender.checkpoint().to_owned(),
        };
        let size = appender.size();
        self.note(|| format!("the checkpoint of {size} entries is sent to the witness, which is believed to have {old}"));
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
                Message::Tell(Answer::Cosigned(size) | Answer::Conflict(size)) => {
                    // An answer that was overtaken says less than is known already.
                    self.believed = self.believed.max(size);
                }
                Message::Tell(Answer::Refused(why)) => {
                    return Err(format!("the witness refuses an honest server: {why}"));
                }
            }
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
        let after = after as u32;
        self.note(|| format!("armed: {trouble:?} of {only:?} after {after}"));
        self.disk.arm(Armed {
            after,
            only,
            trouble,
        });
    }

    /// The write-ahead log is folded into the database.
    fn fold(&mut self) -> Result<(), String> {
        self.note(|| "the write-ahead log is folded in".to_owned());
        let Some((appender, _)) = &mut self.server else {
            return Ok(());
        };
        match appender.checkpoint_truncate() {
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
