//! What must be true: the record as anybody would write it down, and what is not known yet.
//!
//! The model is told what the clients were told. It predicts what becomes of a group, to the version and the
//! microsecond; whatever was acknowledged it keeps for good. A group whose answer was lost is kept beside it until
//! the ledger is opened again, and must then be wholly there or not at all.

use std::collections::{BTreeSet, HashMap};

use ledger::{Action, Expect, Head, ImportMark, Transaction, Write};
use tlog::{Hash, Tree};

/// How far behind the last entry the clock may stand, as the ledger documents it.
const BEHIND_MAX_US: i64 = 300_000_000;

/// The kind and id of a resource.
pub type Name = (String, String);

/// An entry that is known to be in the ledger.
#[derive(Clone, Debug)]
pub struct Known {
    /// When, in microseconds.
    pub recorded_at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub write: Write,
    /// What the line calls it.
    pub action: Action,
    /// The version.
    pub version: u32,
    /// The first entry of its resource.
    pub number: u64,
    /// The hash of its leaf, once the line was read.
    pub leaf: Option<Hash>,
}

/// What a group is expected to come to.
#[derive(Clone, Debug, Default)]
pub struct Predicted {
    /// For each transaction: how many entries it makes and when, or by which name it is refused.
    pub outcomes: Vec<Result<(usize, i64), &'static str>>,
    /// The entries that it makes.
    pub entries: Vec<Known>,
    /// The parts of sources that it brings in.
    pub marks: Vec<(Vec<u8>, u64)>,
}

/// The record.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Everything that is known to be in, in order.
    pub entries: Vec<Known>,
    /// The parts of sources that are known to be in.
    pub marks: BTreeSet<(Vec<u8>, u64)>,
    /// The log's tree as far as lines were read.
    pub tree: Tree,
    heads: HashMap<Name, Head>,
}

impl Model {
    /// How many entries are known to be in.
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// When the last entry was recorded.
    pub fn last(&self) -> i64 {
        self.entries
            .last()
            .map_or(i64::MIN, |last| last.recorded_at)
    }

    /// The heads of all resources.
    pub fn heads(&self) -> &HashMap<Name, Head> {
        &self.heads
    }

    /// What a group will come to if the ledger takes it now.
    pub fn predict(&self, group: &[Transaction], now: i64) -> Predicted {
        let mut predicted = Predicted::default();
        let mut heads: HashMap<Name, Head> = HashMap::new();
        let mut last = self.last();
        for transaction in group {
            let mark = |mark: &ImportMark| (mark.source.clone(), mark.part);
            if let Some(mark) = transaction.source.as_ref().map(mark)
                && (self.marks.contains(&mark) || predicted.marks.contains(&mark))
            {
                predicted.outcomes.push(Err("AlreadyImported"));
                continue;
            }
            let at = match now < last.saturating_sub(BEHIND_MAX_US) {
                true => {
                    predicted.outcomes.push(Err("ClockBehind"));
                    continue;
                }
                false => now.max(last.saturating_add(1)),
            };
            let mut after = heads.clone();
            let first = self.size() + predicted.entries.len() as u64;
            match self.transaction(transaction, &mut after, first, at) {
                Err(refused) => predicted.outcomes.push(Err(refused)),
                Ok(entries) => {
                    predicted.outcomes.push(Ok((entries.len(), at)));
                    if !entries.is_empty() {
                        last = at;
                    }
                    predicted.entries.extend(entries);
                    predicted
                        .marks
                        .extend(transaction.source.as_ref().map(mark));
                    heads = after;
                }
            }
        }
        predicted
    }

    fn transaction(
        &self,
        transaction: &Transaction,
        heads: &mut HashMap<Name, Head>,
        first: u64,
        recorded_at: i64,
    ) -> Result<Vec<Known>, &'static str> {
        let mut entries = Vec::new();
        for write in &transaction.writes {
            let name = (write.kind.clone(), write.id.clone());
            let head = heads.get(&name).or_else(|| self.heads.get(&name)).copied();
            let is_there = head.is_some_and(|head| !head.deleted);
            let version = head.map_or(0, |head| head.version);
            let gone = match head {
                None => "NotFound",
                Some(_) => "Deleted",
            };
            match write.expect {
                Expect::Absent if is_there => return Err("AlreadyExists"),
                Expect::Present if !is_there => return Err(gone),
                Expect::Version(_) if head.is_none() => return Err(gone),
                Expect::Version(expected) if expected != version => {
                    return Err(match is_there {
                        true => "VersionConflict",
                        false => gone,
                    });
                }
                _ => {}
            }
            if write.action == Action::Delete && !is_there {
                return Err(gone);
            }
            let position = first + entries.len() as u64;
            let new = Head {
                number: head.map_or(position, |head| head.number),
                version: version + 1,
                position,
                deleted: write.action == Action::Delete,
            };
            heads.insert(name, new);
            entries.push(Known {
                recorded_at,
                actor: transaction.actor.clone(),
                write: write.clone(),
                action: match (write.action, is_there) {
                    (Action::Delete, _) => Action::Delete,
                    (_, true) => Action::Update,
                    (_, false) => Action::Create,
                },
                version: new.version,
                number: new.number,
                leaf: None,
            });
        }
        Ok(entries)
    }

    /// A group is in.
    pub fn take(&mut self, predicted: Predicted) {
        for entry in predicted.entries {
            let head = Head {
                number: entry.number,
                version: entry.version,
                position: self.size(),
                deleted: entry.action == Action::Delete,
            };
            let name = (entry.write.kind.clone(), entry.write.id.clone());
            self.heads.insert(name, head);
            self.entries.push(entry);
        }
        self.marks.extend(predicted.marks);
    }
}
