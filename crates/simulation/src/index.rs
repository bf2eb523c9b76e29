//! The index that the ledger asks where resources stand: in most seeds the least that keeps its promise, in some the
//! real one.
//!
//! | | what it is | what a crash leaves of it |
//! |---|---|---|
//! | [`Forgetful`] | the heads of resources | the changes up to any one that was not saved |
//! | [`Real`] | the crate `index`, on files of its own | each of its maps as it was saved or newer, in their order |
//!
//! Both promise the same: they hold the changes of the first so many entries, they say how many, and whoever opens
//! them applies the rest from the ledger, which does no harm where some of it was applied before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use ledger::{Action, Entry, Head, Heads, Ledger, ReadError};

use crate::chance::Chance;
use crate::model::{Content, Known, Model, Name};

mod real;

pub use real::Real;

/// What one entry changes, as an index is told.
pub(crate) struct Change {
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) kind: String,
    /// As the line has it.
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) deleted: bool,
    /// What it can be found by; nothing if it was deleted or erased.
    pub(crate) stored: Option<Vec<u8>>,
    pub(crate) last_in_transaction: bool,
}

/// One of the two.
pub(crate) enum Index {
    Least(Forgetful),
    Real(Box<Real>),
}

impl Index {
    /// Applies the model's entries from one position on, after they were committed.
    pub(crate) fn apply(
        &mut self,
        model: &Model,
        from: u64,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let new = &model.entries[from as usize..];
        let change = |(at, known): (usize, &Known)| {
            let deleted = known.action == Action::Delete;
            let next = new.get(at + 1);
            Change {
                position: from + at as u64,
                recorded_at: known.recorded_at,
                kind: known.write.kind.clone(),
                id: ledger
                    .id_in_line(&known.write.kind, &known.write.id)
                    .into_owned(),
                version: known.version,
                deleted,
                stored: (!deleted).then(|| known.write.stored.clone()),
                last_in_transaction: next.is_none_or(|next| next.recorded_at != known.recorded_at),
            }
        };
        let changes: Vec<Change> = new.iter().enumerate().map(change).collect();
        self.take(&changes)
    }

    fn take(&mut self, changes: &[Change]) -> Result<(), String> {
        match self {
            Index::Least(least) => {
                changes.iter().for_each(|change| least.apply(change));
                Ok(())
            }
            Index::Real(real) => real.apply(changes),
        }
    }

    /// Writes everything to its files.
    pub(crate) fn save(&mut self) -> Result<(), String> {
        match self {
            Index::Least(least) => least.saved = least.changes.len(),
            Index::Real(real) => real.save()?,
        }
        Ok(())
    }

    /// A crash: some of what was not saved is gone.
    pub(crate) fn crash(&mut self, chance: &mut Chance) -> Result<(), String> {
        match self {
            Index::Least(least) => {
                least.crash(chance);
                Ok(())
            }
            Index::Real(real) => real.crash(chance),
        }
    }

    /// Makes it anew, empty.
    pub(crate) fn renew(&mut self) -> Result<(), String> {
        match self {
            Index::Least(least) => {
                *least = Forgetful::new(least.boasts);
                Ok(())
            }
            Index::Real(real) => real.renew(),
        }
    }

    /// Applies what the ledger has and it has not, as the server does when it starts.
    pub(crate) fn catch_up(&mut self, ledger: &Ledger) -> Result<(), String> {
        let size = ledger.size().map_err(|e| format!("the size: {e}"))?;
        let (covers, boasts) = match self {
            Index::Least(least) => (least.changes.len() as u64, least.boasts),
            Index::Real(real) => (real.covers()?, false),
        };
        if covers > size {
            return Err(format!(
                "the index covers {covers} entries, the ledger has {size}: it lost some"
            ));
        }
        let from = covers + u64::from(boasts && covers < size && covers > 0);
        let mut changes: Vec<Change> = Vec::new();
        let failed = ledger.scan(from, |raw| {
            let read = raw.entry().map(|entry| (entry, ledger.unseal(&raw)));
            match read {
                Ok((entry, Ok(content))) => {
                    let deleted = entry.action == Action::Delete;
                    changes.push(found(entry, (!deleted).then_some(content.stored)));
                }
                Ok((entry, Err(ReadError::Erased { .. }))) => changes.push(found(entry, None)),
                Ok((_, Err(e))) | Err(e) => return ControlFlow::Break(e.to_string()),
            }
            ControlFlow::Continue(())
        });
        match failed {
            Ok(None) => {}
            Ok(Some(what)) => return Err(what),
            Err(e) => return Err(e.to_string()),
        }
        for at in 0..changes.len() {
            let next = changes.get(at + 1).map(|next| next.recorded_at);
            changes[at].last_in_transaction = next != Some(changes[at].recorded_at);
        }
        self.take(&changes)
    }

    /// Takes out what an erasure takes away. The files are written anew only by [`Index::purge`].
    pub(crate) fn forget(&mut self, model: &Model, ledger: &Ledger) -> Result<(), String> {
        let mut names: BTreeMap<Name, BTreeSet<u64>> = BTreeMap::new();
        for (position, known) in model.entries.iter().enumerate() {
            if known.content == Content::Going {
                let name = (known.write.kind.clone(), known.write.id.clone());
                names.entry(name).or_default().insert(position as u64);
            }
        }
        match self {
            Index::Least(least) => {
                least.forget(names.values().flatten());
                Ok(())
            }
            Index::Real(real) => real.forget(&names, ledger),
        }
    }

    /// Writes the files anew, so that nothing of what was forgotten stays in them.
    pub(crate) fn purge(&mut self) -> Result<(), String> {
        match self {
            Index::Least(_) => Ok(()),
            Index::Real(real) => real.purge(),
        }
    }

    /// It knows what the model knows; `chance` draws what is asked of it.
    pub(crate) fn agrees(
        &self,
        model: &Model,
        ledger: &Ledger,
        chance: &mut Chance,
    ) -> Result<(), String> {
        let heads = HeadsOf {
            index: self,
            ledger,
        };
        for ((kind, id), head) in model.heads() {
            let found = heads.head(kind, id);
            if found != Some(head) {
                return Err(format!(
                    "the index is not what the ledger gives: it has {kind}/{id} at {found:?}, the ledger gives {head:?}"
                ));
            }
        }
        match self {
            Index::Least(least) if least.heads.len() != model.heads().count() => {
                Err("the index has resources that the ledger does not have".to_owned())
            }
            Index::Least(_) => Ok(()),
            Index::Real(real) => {
                real.lists(model, ledger)?;
                real.finds(model, chance)
            }
        }
    }
}

fn found(entry: Entry, stored: Option<Vec<u8>>) -> Change {
    Change {
        position: entry.position,
        recorded_at: entry.recorded_at.0,
        kind: entry.kind,
        id: entry.id,
        version: entry.version,
        deleted: stored.is_none(),
        stored,
        last_in_transaction: false,
    }
}

/// An index beside the ledger that it is of, as the server asks it: by the id that the lines have.
pub(crate) struct HeadsOf<'i> {
    pub(crate) index: &'i Index,
    pub(crate) ledger: &'i Ledger,
}

impl Heads for HeadsOf<'_> {
    fn head(&self, kind: &str, id: &str) -> Option<Head> {
        let in_line = self.ledger.id_in_line(kind, id);
        match self.index {
            Index::Least(least) => {
                let name = (kind.to_owned(), in_line.into_owned());
                least.heads.get(&name).copied()
            }
            Index::Real(real) => real.head(kind, &in_line),
        }
    }
}

/// The heads by the ids that lines have, with the changes that led to them in the ledger's order.
#[derive(Clone, Debug, Default)]
pub struct Forgetful {
    changes: Vec<(Name, Head)>,
    heads: HashMap<Name, Head>,
    saved: usize,
    boasts: bool,
}

impl Forgetful {
    /// An empty index. `boasts` plants a bug: it says that it covers one entry more than it holds.
    pub fn new(boasts: bool) -> Forgetful {
        Forgetful {
            boasts,
            ..Forgetful::default()
        }
    }

    fn apply(&mut self, change: &Change) {
        let name = (change.kind.clone(), change.id.clone());
        let before = self.heads.get(&name);
        let head = Head {
            number: before.map_or(change.position, |head| head.number),
            version: change.version,
            position: change.position,
            deleted: change.deleted,
        };
        self.heads.insert(name.clone(), head);
        self.changes.push((name, head));
    }

    fn crash(&mut self, chance: &mut Chance) {
        let unsaved = (self.changes.len() - self.saved) as u64;
        self.changes
            .truncate(self.saved + chance.below(unsaved + 1) as usize);
        self.saved = self.changes.len();
        self.heads = self.changes.iter().cloned().collect();
    }

    fn forget<'p>(&mut self, positions: impl Iterator<Item = &'p u64>) {
        for position in positions {
            if let Some((_, head)) = self.changes.get_mut(*position as usize) {
                head.deleted = true;
            }
        }
        self.heads = self.changes.iter().cloned().collect();
    }
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("the index: {e}")),
        _ => Ok(()),
    }
}
