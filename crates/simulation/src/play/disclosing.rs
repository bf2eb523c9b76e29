//! Somebody is shown something: a leaf on the access log, on the disk before the answer is given.

use ledger::access::Draft;
use ledger::disclosure::{Told, What};
use ledger::witnessed::LogName;
use ledger::{Alias, CommitError, RecordedAt};
use tlog::checkpoint::Checkpoint;
use tlog::leaf_hash;

use super::World;
use crate::clients::PERSONS;
use crate::model::{Content, KnownLeaf};
use crate::plant::Plant;

/// More than a seed ever records.
const LEAVES_MAX: usize = 10_000;

/// How far behind the last leaf the clock may stand, as for the record.
const BEHIND_MAX_US: i64 = 300_000_000;

impl World<'_> {
    /// Answers are to be given: one after the other, or several that share a flush.
    pub(super) fn disclose(&mut self) -> Result<(), String> {
        self.clock_us += self.chance.below(500_000) as i64;
        let count = 1 + self.chance.below(3);
        let mut last = self.model.last_leaf();
        let mut known = Vec::new();
        for _ in 0..count {
            let Some(leaf) = self.leaf(last) else {
                return Ok(());
            };
            last = leaf.recorded_at;
            known.push(leaf);
        }
        let behind = self.clock_us < self.model.last_leaf().saturating_sub(BEHIND_MAX_US);
        let drafts: Vec<Draft> = known
            .iter()
            .map(|leaf| {
                let (persons, told) = (leaf.persons.clone(), leaf.told.clone());
                Draft::new(&leaf.actor, "TREAT", leaf.what, leaf.size, persons, told)
            })
            .collect();
        self.note(|| format!("{count} answers are to be given"));
        let first = self.model.leaves.len() as u64;
        if self.plant == Some(Plant::AnswerBeforeLeaf) && !behind {
            self.model.leaves.extend(known.clone());
        }
        let Some(beside) = self
            .server
            .as_mut()
            .and_then(|server| server.beside.as_mut())
        else {
            return Ok(());
        };
        let (now, chance) = (RecordedAt(self.clock_us), &mut self.chance);
        let outcome = beside
            .recorder
            .commit(&drafts, &mut || now, &mut |bytes| chance.fill(bytes));
        if outcome.is_ok() && self.files.committed().is_err() {
            self.note(|| "  the late key was not written".to_owned());
        }
        match outcome {
            Ok(Err(_)) if behind => Ok(()),
            Ok(Err(refused)) => Err(format!("a disclosure is refused: {refused}")),
            Ok(Ok(_)) if behind => {
                Err("a disclosure was recorded although the clock is wrong".to_owned())
            }
            Ok(Ok(logged)) if self.disk.is_powered() => {
                let fits = logged.len() == known.len()
                    && (first..)
                        .zip(logged.iter().zip(&known))
                        .all(|(at, (logged, known))| {
                            logged.position == at && logged.recorded_at.0 == known.recorded_at
                        });
                if !fits {
                    return Err(format!("{logged:?} was answered of leaves from {first} on"));
                }
                if self.plant != Some(Plant::AnswerBeforeLeaf) {
                    self.model.leaves.extend(known);
                }
                Ok(())
            }
            Err(CommitError::Fatal(_)) if self.disk.is_powered() => {
                self.leaves_not_known(known);
                self.stopped = true;
                self.expect_trouble("a disclosure could not be recorded")
            }
            Ok(Ok(_)) | Err(_) if !self.disk.is_powered() => {
                self.leaves_not_known(known);
                Ok(())
            }
            // Nothing of them is in, and the server goes on.
            _ => self.expect_trouble("disclosures were refused as a whole"),
        }
    }

    fn leaves_not_known(&mut self, known: Vec<KnownLeaf>) {
        self.note(|| "  nobody knows whether they are recorded".to_owned());
        if self.plant != Some(Plant::AnswerBeforeLeaf) {
            self.unknown_leaves = Some(known);
        }
    }

    /// An answer about nobody, one or two persons.
    fn leaf(&mut self, last: i64) -> Option<KnownLeaf> {
        let ledger = &self.server.as_ref()?.ledger;
        let size = self.model.size();
        let mut persons: Vec<&str> = (0..self.chance.below(3))
            .map(|_| *self.chance.pick(&PERSONS))
            .collect();
        persons.sort_unstable();
        persons.dedup();
        let under = match persons[..] {
            [person] if self.model.has_key(person) && !self.model.is_erased(person) => {
                Some(person.to_owned())
            }
            _ => None,
        };
        let mut aliases: Vec<Alias> = persons.iter().map(|id| ledger.person(id)).collect();
        aliases.sort_unstable();
        let long = match self.weather.large && self.chance.one_in(20) {
            true => "%20and%20more".repeat(self.chance.below(600) as usize),
            false => String::new(),
        };
        let mut versions: Vec<u64> = (0..self.chance.below(4).min(size))
            .map(|_| self.chance.below(size))
            .collect();
        versions.sort_unstable();
        versions.dedup();
        Some(KnownLeaf {
            recorded_at: self.clock_us.max(last.saturating_add(1)),
            actor: format!("Practitioner/{}", self.chance.below(3)),
            what: *self.chance.pick(&[What::Read, What::Page, What::Search]),
            size,
            told: Told {
                address: format!("/fhir/Observation?code={}{long}", self.chance.below(1_000)),
                persons: match aliases.len() {
                    0 | 1 => Vec::new(),
                    _ => aliases.clone(),
                },
                versions,
                ..Told::default()
            },
            persons: aliases,
            under,
            leaf: None,
        })
    }

    /// Reads the leaves that were not read yet, and with them all others.
    pub(super) fn read_leaves(&mut self) -> Result<(), String> {
        match self.model.leaves_tree.size() < self.model.leaves.len() as u64 {
            true => self.all_leaves(),
            false => Ok(()),
        }
    }

    /// Every disclosure that was answered is on the access log, what nobody knew is there or not, and nothing else is.
    pub(super) fn all_leaves(&mut self) -> Result<(), String> {
        let Some(beside) = self
            .server
            .as_ref()
            .and_then(|server| server.beside.as_ref())
        else {
            return Ok(());
        };
        let size = beside.recorder.size();
        let read = beside
            .access
            .before(u64::MAX, LEAVES_MAX)
            .and_then(|leaves| Ok((leaves, beside.access.checkpoint()?)));
        let (mut leaves, checkpoint) = match read {
            Ok(read) => read,
            Err(e) => {
                // A read that failed because it was made to is not a finding.
                let what = format!("the access log does not read: {e}");
                return self.expect_trouble(&what).map_err(|_| what);
            }
        };
        leaves.reverse();
        if let Some(unknown) = self.unknown_leaves.take()
            && size == (self.model.leaves.len() + unknown.len()) as u64
        {
            self.note(|| "  the answers that nobody knew of are recorded".to_owned());
            self.model.leaves.extend(unknown);
        }
        if size != self.model.leaves.len() as u64 || leaves.len() as u64 != size {
            return Err(format!(
                "the access log has {size} leaves, of which {} can be read; {} were answered or known to be in",
                leaves.len(),
                self.model.leaves.len()
            ));
        }
        for (position, found) in leaves.iter().enumerate() {
            let known = &self.model.leaves[position];
            let leaf = leaf_hash(found.leaf.line.as_bytes());
            let fits = found.leaf.recorded_at.0 == known.recorded_at
                && found.leaf.actor == known.actor
                && found.leaf.what == known.what
                && found.leaf.size == known.size
                && known.leaf.is_none_or(|before| before == leaf);
            if !fits {
                return Err(format!(
                    "leaf {position} of the access log is not what was answered: {}",
                    found.leaf.line
                ));
            }
            let content = match &known.under {
                Some(person) => self.of_person(person),
                None => Content::There,
            };
            let right = match (&found.told, content) {
                (Some(told), Content::There | Content::Going) => {
                    *told == known.told && found.persons == known.persons
                }
                (None, Content::Going | Content::Gone) => true,
                (Some(_), Content::Gone) | (None, Content::There) => false,
            };
            if !right {
                return Err(format!(
                    "leaf {position} of the access log tells {:?}, which must be {content:?}: {:?}",
                    found.told, known.told
                ));
            }
            if known.leaf.is_none() {
                self.model.leaves_tree.push(leaf);
                self.model.leaves[position].leaf = Some(leaf);
            }
        }
        self.access_checkpoint_fits(&checkpoint)
    }

    /// Whether what was told of a person, under their key, can be read.
    fn of_person(&self, person: &str) -> Content {
        let of = self
            .model
            .erasures
            .iter()
            .find(|erasure| erasure.person == person && !erasure.notes);
        match of {
            None => Content::There,
            Some(_) if self.model.is_erased(person) => Content::Gone,
            Some(_) => Content::Going,
        }
    }

    fn access_checkpoint_fits(&self, text: &str) -> Result<(), String> {
        let Some(beside) = self
            .server
            .as_ref()
            .and_then(|server| server.beside.as_ref())
        else {
            return Ok(());
        };
        let (key, origin) = (beside.access.verifier(), beside.access.origin());
        let checkpoint = Checkpoint::open(text, key, origin)
            .map_err(|e| format!("the access log's checkpoint: {e}"))?;
        match checkpoint.size == self.model.leaves.len() as u64
            && checkpoint.root == self.root_of(LogName::Access, checkpoint.size)?
        {
            true => Ok(()),
            false => Err("the access log's checkpoint is not that of its leaves".to_owned()),
        }
    }
}
