//! Starting again, and what must be true then and at the end.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use ledger::audit::How;
use ledger::witnessed::LogName;
use ledger::{Committed, Entry, Raw, ReadError, Refused, Transaction};
use seal::Key;
use tlog::checkpoint::Checkpoint;
use tlog::{Hash, leaf_hash, root_at};

use super::World;
use crate::disk::{Armed, Lies, Op, Survives, Trouble};
use crate::files::Files;
use crate::model::{Content, Known, Predicted};
use crate::plant::{self, Plant};
use crate::server::{NotStarted, Server};
use crate::witness::place;

/// Audits one seed in so many at its end.
const AUDIT_ONE_IN: u64 = 16;

/// How often a start may fail because of one trouble.
const STARTS_MAX: u32 = 8;

/// An entry as it was read.
enum Seen {
    /// Row and key are those of an earlier time, when it was opened.
    AsBefore,
    /// The line, the content if it is not erased, and a hash of row and key.
    Anew(Box<Entry>, Option<Vec<u8>>, u64),
}

/// A hash of everything that decides what an entry opens to.
fn row_hash(raw: &Raw<'_>, key: Option<&Key>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in [
        raw.line,
        raw.body,
        key.map_or(&[][..], |key| key.as_bytes()),
    ] {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    hasher.write_i64(raw.format);
    hasher.write_i64(raw.class);
    hasher.finish()
}

/// Whether the server said what was to be expected.
pub(super) fn as_predicted(
    group: &[Transaction],
    outcomes: &[Result<Committed, Refused>],
    predicted: &Predicted,
    size: u64,
) -> Result<(), String> {
    if outcomes.len() != group.len() {
        return Err("not every transaction has an outcome".to_owned());
    }
    let mut at = 0;
    for (outcome, expected) in outcomes.iter().zip(&predicted.outcomes) {
        match (outcome, expected) {
            (Err(refused), Err(name)) if refused_by(refused) == *name => {}
            (Ok(committed), Ok((entries, recorded_at))) => {
                let fits = committed.recorded_at.0 == *recorded_at
                    && committed.first_position == size + at as u64
                    && committed.writes.len() == *entries
                    && committed.writes.iter().enumerate().all(|(i, written)| {
                        let known = &predicted.entries[at + i];
                        written.position == size + (at + i) as u64
                            && written.version == known.version
                            && written.number == known.number
                    });
                if !fits {
                    return Err(format!(
                        "{committed:?} was answered, expected {entries} entries at {recorded_at}"
                    ));
                }
                at += entries;
            }
            _ => return Err(format!("{outcome:?} was answered, expected {expected:?}")),
        }
    }
    Ok(())
}

fn refused_by(refused: &Refused) -> &'static str {
    match refused {
        Refused::VersionConflict { .. } => "VersionConflict",
        Refused::AlreadyExists { .. } => "AlreadyExists",
        Refused::NotFound { .. } => "NotFound",
        Refused::Deleted { .. } => "Deleted",
        Refused::AlreadyImported { .. } => "AlreadyImported",
        Refused::ClockBehind { .. } => "ClockBehind",
        Refused::ClockFarOff => "ClockFarOff",
        Refused::Erased { .. } => "Erased",
        Refused::Malformed { .. } => "Malformed",
    }
}

impl World<'_> {
    /// The server is stopped as it should be, and started again.
    pub(super) fn restart_in_order(&mut self) -> Result<(), String> {
        self.note(|| "the server is stopped".to_owned());
        self.server = None;
        self.stopped = false;
        self.index.save()?;
        if self.plant == Some(Plant::ChainLinkSkipped) {
            self.skip_a_link();
        }
        match self.disk.is_powered() {
            true => self.start(),
            false => {
                let survives = Survives::by(&mut self.chance);
                self.start_again(Some(survives))
            }
        }
    }

    /// For a planted bug: while the server is down, a person's head is put back to what it was some time ago.
    fn skip_a_link(&mut self) {
        let folder = self.stage.folder();
        let heads = plant::heads(folder).unwrap_or_default();
        for (person, head) in &self.old_heads {
            if heads.get(person).is_some_and(|now| now != head) {
                // If the disk fails just now, the bug is not there this time.
                let _ = plant::put_back(folder, person, head);
            }
        }
        self.old_heads = heads;
    }

    /// The server's process dies, with the whole machine if `cut` says what that leaves; then it starts again.
    pub(super) fn start_again(&mut self, cut: Option<Survives>) -> Result<(), String> {
        self.fall(cut);
        self.server = None;
        let mut chance = self.chance.split();
        self.index.crash(&mut chance)?;
        if self.plant == Some(Plant::OldCopyRestored)
            && let Some(copy) = self.old_copy.take()
        {
            self.mounted = None;
            let (disk, mounted) = self
                .stage
                .set_with(&copy, self.chance.split(), Lies::default());
            self.files = Arc::new(Files::new(disk.clone(), self.plant));
            self.disk = disk;
            self.mounted = Some(mounted);
        }
        self.start()
    }

    fn fall(&mut self, cut: Option<Survives>) {
        self.stopped = false;
        self.note(|| "the server falls".to_owned());
        match cut {
            Some(survives) => {
                self.counts.power_cuts += 1;
                self.disk.power_cut(survives);
            }
            None => self.disk.kill(),
        }
    }

    /// Starts the server from its disk, whatever it takes, and looks at what is there.
    fn start(&mut self) -> Result<(), String> {
        // Starting writes too: sometimes it fails, or the power goes off in the middle of it.
        if self.chance.one_in(4) && (self.weather.errors || self.weather.power_cuts) {
            let trouble = match self.weather.power_cuts && self.chance.one_in(2) {
                true => Trouble::PowerCut,
                false => *self
                    .chance
                    .pick(&[Trouble::NotDone, Trouble::DoneButFailed]),
            };
            self.disk.arm(Armed {
                after: self.chance.below(12) as u32,
                only: match self.chance.below(4) {
                    0 => Some(Op::Sync),
                    _ => None,
                },
                of: None,
                trouble,
            });
        }
        for _ in 0..STARTS_MAX {
            self.counts.starts += 1;
            self.note(|| "the server starts".to_owned());
            match Server::start(self.stage.folder(), &self.files, self.weather.beside) {
                Ok(server) if self.disk.is_powered() => {
                    self.server = Some(server);
                    match self.look() {
                        _ if !self.disk.is_powered() => self.server = None,
                        // It has stopped again, because finishing what was interrupted failed.
                        Ok(()) if self.stopped => {
                            self.fall(None);
                            self.server = None;
                            continue;
                        }
                        outcome => return outcome,
                    }
                }
                Err(NotStarted(e)) if self.disk.is_powered() => {
                    self.expect_trouble(&format!("the ledger does not open: {e}"))?;
                    self.fall(None);
                    continue;
                }
                _ => {}
            }
            let survives = Survives::by(&mut self.chance);
            self.fall(Some(survives));
        }
        Err("the ledger does not open, however often one tries".to_owned())
    }

    /// After a start: everything acknowledged is there, what was not known is decided, and nothing else is there.
    fn look(&mut self) -> Result<(), String> {
        let Some(server) = &self.server else {
            return Ok(());
        };
        let (size, known) = (server.appender.size(), self.model.size());
        if let Some(unknown) = self.unknown.take() {
            let more = unknown.entries.len() as u64;
            match more > 0 && size == known + more {
                true => {
                    self.counts.unknown_in += 1;
                    self.note(|| "  what nobody knew is in".to_owned());
                    self.model.take(unknown);
                }
                false => {
                    self.counts.unknown_out += u64::from(more > 0);
                    // Not decided yet, if this start fails as well.
                    self.note(|| "  what nobody knew is not in".to_owned());
                }
            }
        }
        let known = self.model.size();
        if size != known {
            return Err(format!(
                "the ledger has {size} entries; {known} were acknowledged or known to be in"
            ));
        }
        self.all_lines()?;
        self.checkpoint_fits()?;
        self.all_leaves()?;
        self.notes_hold()?;
        for (log, size) in [
            (LogName::Record, self.model.size()),
            (LogName::Access, self.model.leaves.len() as u64),
        ] {
            if let Some((cosigned, _)) = self.witness.cosigned[place(log)].last()
                && *cosigned > size
            {
                return Err(format!(
                    "the witness cosigned {cosigned} entries of the {log}, which has {size}"
                ));
            }
        }
        self.finish_erasure()
    }

    /// Reads the lines that were not read yet.
    pub(super) fn read_lines(&mut self) -> Result<(), String> {
        match self.model.tree.size() < self.model.size() {
            true => self.lines_from(self.model.tree.size()),
            false => Ok(()),
        }
    }

    fn all_lines(&mut self) -> Result<(), String> {
        self.lines_from(0)
    }

    /// Every entry from a position on is what was acknowledged, with its content; one read before has not changed.
    fn lines_from(&mut self, from: u64) -> Result<(), String> {
        let Some(Server { ledger, .. }) = &self.server else {
            return Ok(());
        };
        let mut seen: Vec<Seen> = Vec::new();
        let mut keys: HashMap<i64, Option<Key>> = HashMap::new();
        let keyring = ledger.keys().ledger();
        let known = &self.model.entries;
        let scanned = ledger.scan(from, |raw| {
            let key = keys
                .entry(raw.slot)
                .or_insert_with(|| keyring.key(u32::try_from(raw.slot).ok()?).ok());
            let row = row_hash(&raw, key.as_ref());
            let before = known.get(raw.position as usize);
            // The same row under the same key was opened before, and is the same still.
            if before.is_some_and(|known| known.opened == Some(row)) {
                seen.push(Seen::AsBefore);
                return std::ops::ControlFlow::Continue(());
            }
            let opened = match ledger.unseal(&raw) {
                Ok(content) => Ok(Some(content.stored)),
                Err(ReadError::Erased { .. }) => Ok(None),
                Err(e) => Err(e),
            };
            match raw.entry().and_then(|entry| Ok((entry, opened?))) {
                Ok((entry, stored)) => {
                    seen.push(Seen::Anew(Box::new(entry), stored, row));
                    std::ops::ControlFlow::Continue(())
                }
                Err(e) => std::ops::ControlFlow::Break(e),
            }
        });
        let failed = match scanned {
            Ok(failed) => failed,
            Err(e) => Some(e),
        };
        if let Some(e) = failed {
            // A read that failed because it was made to is not a finding.
            let what = format!("the ledger does not read: {e}");
            self.expect_trouble(&what).map_err(|_| what)?;
            return Ok(());
        }
        if from + seen.len() as u64 != self.model.size() {
            return Err(format!(
                "{} entries can be read from {from} on, of {}",
                seen.len(),
                self.model.size()
            ));
        }
        for (at, seen) in seen.iter().enumerate() {
            let position = from + at as u64;
            let known = &self.model.entries[position as usize];
            let Seen::Anew(entry, stored, row) = seen else {
                continue;
            };
            let leaf = leaf_hash(entry.line.as_bytes());
            if known.leaf.is_some_and(|before| before != leaf) {
                return Err(format!("entry {position} is not the same as before"));
            }
            match (stored, known.content) {
                (Some(stored), Content::There | Content::Going)
                    if *stored == known.write.stored => {}
                (None, Content::Going | Content::Gone) => {}
                (Some(_), Content::Gone) => {
                    return Err(format!("entry {position} was erased and can be read"));
                }
                (Some(_), _) => return Err(format!("entry {position} has another content")),
                (None, Content::There) => {
                    return Err(format!(
                        "the key of entry {position} is gone, and no erasure on the record says so"
                    ));
                }
            }
            if known.leaf.is_none() {
                self.is_known(entry, position, known)?;
                self.model.tree.push(leaf);
            }
            let opened = stored.is_some().then_some(*row);
            let known = &mut self.model.entries[position as usize];
            known.leaf = Some(leaf);
            known.opened = opened;
        }
        Ok(())
    }

    fn is_known(&self, entry: &Entry, position: u64, known: &Known) -> Result<(), String> {
        let Some(Server { ledger, .. }) = &self.server else {
            return Ok(());
        };
        let mut before = self.model.entries[..position as usize]
            .iter()
            .enumerate()
            .filter(|(_, before)| before.write.person == known.write.person);
        let previous: Option<(u64, Option<Hash>)> = known
            .write
            .person
            .as_ref()
            .and_then(|_| before.next_back())
            .map(|(at, before)| (at as u64, before.leaf));
        let named = entry
            .previous
            .map(|previous| (previous.position, Some(previous.hash)));
        if named != previous {
            return Err(format!(
                "entry {position} names {:?} as its person's entry before, which is {:?}",
                named.map(|(at, _)| at),
                previous.map(|(at, _)| at)
            ));
        }
        let person = known.write.person.as_deref();
        let fits = entry.position == position
            && entry.recorded_at.0 == known.recorded_at
            && entry.actor == known.actor
            && entry.action == known.action
            && entry.kind == known.write.kind
            && entry.version == known.version
            && entry.person == person.map(|person| ledger.person(person));
        match fits {
            true => Ok(()),
            false => Err(format!(
                "entry {position} is not what was acknowledged: {}",
                entry.line
            )),
        }
    }

    /// The signed checkpoint is of this size, and of these lines.
    fn checkpoint_fits(&mut self) -> Result<(), String> {
        let Some(Server {
            appender, ledger, ..
        }) = &self.server
        else {
            return Ok(());
        };
        if self.model.tree.size() < self.model.size() {
            // The lines could not be read, because reading was made to fail.
            return Ok(());
        }
        let text = appender.checkpoint();
        // That it is signed and over these lines was seen before; neither can have changed.
        let (verified, size) = &self.verified;
        if text == verified && *size == self.model.size() {
            return Ok(());
        }
        let size = self.model.size();
        let checkpoint = Checkpoint {
            origin: ledger.origin().to_owned(),
            size,
            root: self.root_of(LogName::Record, size)?,
            extensions: Vec::new(),
        };
        // A key signs the same bytes the same way, and signing costs less than verifying. Whoever gets a checkpoint
        // or a receipt verifies it.
        let must_be = checkpoint
            .sign(self.stage.log_key())
            .map_err(|e| format!("the checkpoint that must be: {e}"))?;
        match text == must_be {
            true => {
                self.verified = (must_be, size);
                Ok(())
            }
            false => Err("the checkpoint is not that of the lines".to_owned()),
        }
    }

    pub(super) fn root_of(&self, log: LogName, size: u64) -> Result<Hash, String> {
        let tree = match log {
            LogName::Record => &self.model.tree,
            LogName::Access => &self.model.leaves_tree,
        };
        root_at(size, tree).map_err(|e| format!("the root of the {log} at {size}: {e}"))
    }

    /// The index is brought up to the ledger, and then knows what the model knows.
    pub(super) fn catch_up(&mut self) -> Result<(), String> {
        let Some(Server { ledger, .. }) = &self.server else {
            return Ok(());
        };
        if let Err(what) = self.index.catch_up(ledger) {
            return self.expect_trouble(&what).map_err(|_| what);
        }
        self.index.agrees(&self.model, ledger, &mut self.chance)
    }

    /// What the witness cosigned only grows, and is what the log has.
    pub(super) fn witness_stands_by_its_word(&mut self) -> Result<(), String> {
        for log in LogName::ALL {
            let cosigned = &self.witness.cosigned[place(log)];
            for pair in cosigned.windows(2).rev().take(2) {
                if pair[1].0 < pair[0].0 {
                    return Err(format!(
                        "the witness cosigned {} entries of the {log} after {}",
                        pair[1].0, pair[0].0
                    ));
                }
            }
            let known = match log {
                LogName::Record => self.model.tree.size(),
                LogName::Access => self.model.leaves_tree.size(),
            };
            if let Some((size, root)) = cosigned.last()
                && *size <= known
                && self.root_of(log, *size)? != *root
            {
                return Err(format!(
                    "the witness cosigned another tree of {size} entries than the {log} has"
                ));
            }
        }
        Ok(())
    }

    /// The end: nothing fails any more, and everything that was ever given out must hold.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.note(|| "nothing fails any more".to_owned());
        self.weather.errors = false;
        self.weather.power_cuts = false;
        let survives = Survives::by(&mut self.chance);
        self.start_again(Some(survives))?;
        self.disk.disarm();
        // A read may still have been made to fail by what was armed before.
        self.read_lines()?;
        self.witness.disk().disarm();
        self.start_witness_again()?;
        self.network.bad = false;
        self.witness_catches_up(LogName::Record)?;
        if self.weather.beside {
            self.read_leaves()?;
            self.witness_catches_up(LogName::Access)?;
        }
        if let Some(erasure) = self.model.unfinished() {
            return Err(format!(
                "an erasure of {} was begun and is not finished",
                erasure.person
            ));
        }
        self.receipts_hold()?;
        self.marks_hold()?;
        if self.chance.one_in(AUDIT_ONE_IN) {
            self.audit()?;
        }
        Ok(())
    }

    fn witness_catches_up(&mut self, log: LogName) -> Result<(), String> {
        let size = |world: &Self| match log {
            LogName::Record => world.model.size(),
            LogName::Access => world.model.leaves.len() as u64,
        };
        let cosigned = |world: &Self| {
            world.witness.cosigned[place(log)]
                .last()
                .map_or(0, |last| last.0)
        };
        for _ in 0..24 {
            if cosigned(self) == size(self) {
                break;
            }
            self.ask_of(log)?;
            self.carry()?;
            self.carry()?;
        }
        for (cosigned, root) in &self.witness.cosigned[place(log)] {
            if *cosigned > size(self) || self.root_of(log, *cosigned)? != *root {
                return Err(format!(
                    "the witness cosigned a tree of {cosigned} entries that the {log} does not begin with"
                ));
            }
        }
        match cosigned(self) == size(self) {
            true => Ok(()),
            false => Err(format!(
                "the witness does not catch up: it has {} entries of {} of the {log}",
                cosigned(self),
                size(self)
            )),
        }
    }

    /// Every receipt's entry is where it says, and the tree that it was proven in is how this one begins.
    fn receipts_hold(&self) -> Result<(), String> {
        for receipt in &self.receipts {
            let position = receipt.position;
            let leaf = self
                .model
                .entries
                .get(position as usize)
                .and_then(|known| known.leaf);
            if leaf != Some(receipt.leaf)
                || receipt.size > self.model.size()
                || self.root_of(LogName::Record, receipt.size)? != receipt.root
            {
                return Err(format!(
                    "the receipt of entry {position} of {} does not fit the log of {}",
                    receipt.size,
                    self.model.size()
                ));
            }
        }
        if let Some(receipt) = self.receipts.last() {
            let size = self.model.size();
            let proof = tlog::prove_consistency(receipt.size, size, &self.model.tree)
                .map_err(|e| format!("no proof of consistency: {e}"))?;
            let root = self.root_of(LogName::Record, size)?;
            tlog::verify_consistency(receipt.size, &receipt.root, size, &root, &proof)
                .map_err(|e| format!("the last receipt is not consistent with the log: {e}"))?;
        }
        Ok(())
    }

    fn marks_hold(&self) -> Result<(), String> {
        let Some(Server { ledger, .. }) = &self.server else {
            return Ok(());
        };
        let imported = ledger
            .imported(crate::clients::SOURCE)
            .map_err(|e| format!("the marks of imports: {e}"))?;
        let known: Vec<u64> = self.model.marks.iter().map(|(_, part)| *part).collect();
        match imported == known {
            true => Ok(()),
            false => Err(format!(
                "the parts {imported:?} are marked as imported, acknowledged were {known:?}"
            )),
        }
    }

    /// The ledger's own audit agrees.
    fn audit(&self) -> Result<(), String> {
        let Some(Server { appender, .. }) = &self.server else {
            return Ok(());
        };
        let how = How {
            threads: 1,
            fresh: true,
            ..How::with(appender.keys())
        };
        if self.weather.beside {
            let report = ledger::access::audit(self.stage.folder(), &how, &mut |_| {})
                .map_err(|e| format!("there is no access log to audit: {e}"))?;
            if let Some(fault) = report.faults.first() {
                return Err(format!("the audit of the access log finds: {fault}"));
            }
        }
        let report = ledger::audit::audit(self.stage.folder(), &how, &mut |_| {})
            .map_err(|e| format!("there is nothing to audit: {e}"))?;
        match report.faults.first() {
            None if report.entries == self.model.size() => Ok(()),
            None => Err(format!("the audit finds {} entries", report.entries)),
            Some(fault) => Err(format!("the audit finds: {fault}")),
        }
    }
}
