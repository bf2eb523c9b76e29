//! A programme without a server: for `import` and for making the demo.
//!
//! The same ledger and the same rules as behind the server, but the caller is the writer, groups
//! are as large as it likes, and the index is written in sorted runs.

use std::path::Path;

use index::{Bulk, Index};
use ledger::access::{self, AccessLog, Recorder};
use ledger::{Appender, ImportMark, Keys, Ledger, Transaction};
use record::time::RecordedAt;

use super::draft::{GOVERNANCE_KINDS, Governance, says_governance};
use super::named::Named;
use super::open::{Opened, open};
use super::writer::{governance_refused, refusal, refused_whole};

use super::{Actor, Draft, head_map};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::error::Error;

/// An open programme that only its holder writes.
pub struct Offline {
    ledger: Ledger,
    access: AccessLog,
    appender: Appender,
    recorder: Recorder,
    index: Index,
    clock: Clock,
    chance: Chance,
}

/// One transaction for [`Writing::write`].
pub struct Batch {
    /// Who acts and what for.
    pub actor: Actor,
    /// When it is recorded, if not now.
    pub at: Option<RecordedAt>,
    /// What is written.
    pub drafts: Vec<Draft>,
    /// What of an input file this is, so that it is not brought in twice.
    pub mark: Option<ImportMark>,
}

impl Offline {
    /// Takes the programme's lock and brings the index up.
    pub fn open(
        data: &Path,
        keys: Keys,
        clock: Clock,
        chance: Chance,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Offline, Error> {
        let Opened {
            ledger,
            access,
            appender,
            recorder,
            index,
            // The next server records that interrupted erasures are done.
            ..
        } = open(data, keys, &chance, progress)?;
        Ok(Offline {
            ledger,
            access,
            appender,
            recorder,
            index,
            clock,
            chance,
        })
    }

    /// Records that something is given out; only then may it be.
    pub fn disclose(&mut self, disclosure: access::Draft) -> Result<(), Error> {
        let (clock, chance) = (&self.clock, &self.chance);
        let mut now = || clock.now();
        let mut fill = |bytes: &mut [u8]| chance.fill(bytes);
        match self.recorder.commit(&[disclosure], &mut now, &mut fill) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refused)) => Err(refusal(&refused)),
            Err(error) => Err(refused_whole(&error)),
        }
    }

    /// The read side of the ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The access log.
    pub fn access(&self) -> &AccessLog {
        &self.access
    }

    /// The keys of its contents.
    pub fn keys(&self) -> &Keys {
        self.ledger.keys()
    }

    /// From here on everybody's contents are sealed under new keys. Gives the epoch's number.
    pub fn begin_epoch(&mut self) -> Result<u32, Error> {
        self.appender
            .begin_epoch()
            .map_err(|error| refused_whole(&error))
    }

    /// Randomness.
    pub(super) fn chance(&self) -> &Chance {
        &self.chance
    }

    /// Begins to write; [`Writing::finish`] ends it.
    pub fn writing(&mut self) -> Writing<'_> {
        Writing {
            ledger: &self.ledger,
            access: &self.access,
            appender: &mut self.appender,
            index: &self.index,
            bulk: self.index.bulk(),
            clock: &self.clock,
            chance: &self.chance,
        }
    }
}

/// Writes in progress. What is committed stays, even if this is dropped without
/// [`Writing::finish`]: the index is brought up at the next start.
pub struct Writing<'o> {
    ledger: &'o Ledger,
    access: &'o AccessLog,
    appender: &'o mut Appender,
    index: &'o Index,
    bulk: Bulk<'o>,
    clock: &'o Clock,
    chance: &'o Chance,
}

impl<'o> Writing<'o> {
    /// Commits a group with one fsync, or a few if there are deletions among it. For each batch:
    /// how many resources it wrote, or why not.
    pub fn write(&mut self, batches: Vec<Batch>) -> Result<Vec<Result<usize, Error>>, Error> {
        let mut results = Vec::with_capacity(batches.len());
        let mut group = Vec::with_capacity(batches.len());
        for batch in batches {
            if let Some(refused) = self.says_for_programme(&batch)? {
                if !group.is_empty() {
                    results.extend(self.commit(std::mem::take(&mut group))?);
                }
                results.push(Err(refused));
                continue;
            }
            // Whose record a deletion is taken from is read back from what is committed.
            if batch.drafts.iter().any(Draft::is_deletion) && !group.is_empty() {
                results.extend(self.commit(std::mem::take(&mut group))?);
            }
            group.push(batch);
        }
        if !group.is_empty() {
            results.extend(self.commit(group)?);
        }
        Ok(results)
    }

    /// Why a batch is refused that reads as if the programme itself said it, or changes what it said.
    fn says_for_programme(&self, batch: &Batch) -> Result<Option<Error>, Error> {
        for draft in &batch.drafts {
            let refused = match draft.says_for_programme() {
                Governance::Ours => false,
                Governance::Claims => true,
                Governance::No if GOVERNANCE_KINDS.contains(&draft.kind.as_str()) => {
                    self.is_governance(&draft.kind, &draft.id)?
                }
                Governance::No => false,
            };
            if refused {
                return Ok(Some(governance_refused(&draft.kind, &draft.id)));
            }
        }
        Ok(None)
    }

    fn named(&self) -> Named<'o> {
        Named {
            index: self.index,
            ledger: self.ledger,
        }
    }

    /// What stands at a position; nothing if it was erased.
    fn left(&self, position: u64) -> Result<Option<Vec<u8>>, Error> {
        let left = self.ledger.contents_left(&[position]);
        let content = left.map_err(Error::ledger)?.pop().flatten();
        Ok(content.map(|content| content.stored))
    }

    /// Whether a resource is what the programme itself recorded about its record. What an erasure took says nothing
    /// any more; what is left does.
    fn is_governance(&self, kind: &str, id: &str) -> Result<bool, Error> {
        let Some(head) = self.named().latest(kind, id)? else {
            return Ok(false);
        };
        let mut last = self.left(head.position)?;
        if last.is_none() {
            // Nothing that was just written is erased, so the index's files have every version.
            let history = self.named().history(kind, id, u64::MAX)?;
            for found in history.iter().filter(|found| !found.deleted) {
                last = self.left(found.position)?;
                if last.is_some() {
                    break;
                }
            }
        }
        let says = |stored: Vec<u8>| {
            record::json::Doc::parse(&stored).is_ok_and(|doc| says_governance(doc.root()))
        };
        Ok(last.is_some_and(says))
    }

    /// The person whom the current version of a resource is about; nobody if it was erased.
    fn person(&self, kind: &str, id: &str) -> Result<Option<String>, Error> {
        let Some(head) = self.named().latest(kind, id)? else {
            return Ok(None);
        };
        let Some(stored) = self.left(head.position)? else {
            return Ok(None);
        };
        let doc = record::json::Doc::parse(&stored).map_err(Error::internal)?;
        Ok(record::person::person(doc.root()).map(str::to_owned))
    }

    fn commit(&mut self, mut batches: Vec<Batch>) -> Result<Vec<Result<usize, Error>>, Error> {
        for batch in &mut batches {
            for draft in batch.drafts.iter_mut().filter(|draft| draft.is_deletion()) {
                let person = self.person(&draft.kind, &draft.id)?;
                draft.taken_from(person);
            }
        }
        let transactions: Vec<Transaction> = batches
            .iter_mut()
            .map(|batch| Transaction {
                actor: batch.actor.name.clone(),
                purpose: batch.actor.purpose.clone(),
                writes: batch
                    .drafts
                    .iter_mut()
                    .filter_map(Draft::take_write)
                    .collect(),
                source: batch.mark.take(),
            })
            .collect();
        let named = self.named();
        let mut at = batches.iter().map(|batch| batch.at);
        let outcomes = self
            .appender
            .commit(
                &transactions,
                &mut || at.next().flatten().unwrap_or_else(|| self.clock.now()),
                &mut |bytes| self.chance.fill(bytes),
                &named,
            )
            .map_err(|error| refused_whole(&error))?;
        let mut results = Vec::with_capacity(outcomes.len());
        for (outcome, batch) in outcomes.into_iter().zip(&batches) {
            match outcome {
                Ok(committed) => {
                    let last = batch.drafts.len().saturating_sub(1);
                    for (place, (draft, written)) in
                        batch.drafts.iter().zip(&committed.writes).enumerate()
                    {
                        self.bulk
                            .push(&draft.change(
                                self.ledger,
                                committed.recorded_at,
                                written,
                                place == last,
                            ))
                            .map_err(Error::index)?;
                    }
                    results.push(Ok(committed.writes.len()));
                }
                Err(refused) => results.push(Err(refusal(&refused))),
            }
        }
        Ok(results)
    }

    /// Records where each person's chain ends, if anything was written since that was last done.
    fn cover(&mut self) -> Result<(), Error> {
        let size = self.appender.size();
        if size <= head_map::covered(self.named())? {
            return Ok(());
        }
        let (draft, _) = head_map::draft(self.ledger, self.access, size)?;
        let at = self.clock.now().max(self.appender.last_recorded_at());
        let batch = Batch {
            actor: head_map::actor(),
            at: Some(at),
            drafts: vec![draft],
            mark: None,
        };
        self.commit(vec![batch])?
            .into_iter()
            .try_for_each(|outcome| outcome.map(|_| ()))
    }

    /// Records where each person's chain ends, finishes the index and folds the write-ahead log into
    /// the ledger's file.
    pub fn finish(mut self) -> Result<(), Error> {
        self.cover()?;
        self.bulk.finish().map_err(Error::index)?;
        self.appender
            .checkpoint_truncate()
            .map_err(|error| refused_whole(&error))
    }
}
