//! An index that keeps what is least: the heads of resources, of which a crash takes any part that was not saved.
//!
//! It keeps the promise of the real one and nothing more: it holds the changes of the first so many entries, it says
//! how many, and whoever opens it applies the rest from the ledger.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ledger::{Action, Head, Heads, Ledger};

use crate::chance::Chance;
use crate::model::Name;

/// The heads, with the changes that led to them in the ledger's order.
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

    /// Applies a change.
    pub fn apply(&mut self, name: Name, head: Head) {
        self.heads.insert(name.clone(), head);
        self.changes.push((name, head));
    }

    /// Writes everything to its files.
    pub fn save(&mut self) {
        self.saved = self.changes.len();
    }

    /// A crash: some of what was not saved is gone.
    pub fn crash(&mut self, chance: &mut Chance) {
        let unsaved = (self.changes.len() - self.saved) as u64;
        self.changes
            .truncate(self.saved + chance.below(unsaved + 1) as usize);
        self.saved = self.changes.len();
        self.heads = self.changes.iter().cloned().collect();
    }

    /// Applies what the ledger has and it has not.
    pub fn catch_up(&mut self, ledger: &Ledger) -> Result<(), String> {
        let covers = self.changes.len() as u64;
        let size = ledger.size().map_err(|e| format!("the size: {e}"))?;
        if covers > size {
            return Err(format!(
                "the index covers {covers} entries, the ledger has {size}: it lost some"
            ));
        }
        let from = covers + u64::from(self.boasts && covers < size && covers > 0);
        let failed = ledger.scan(from, |raw| {
            let change = raw
                .entry()
                .and_then(|entry| Ok((entry, ledger.unseal(&raw)?)));
            match change {
                Err(e) => ControlFlow::Break(e.to_string()),
                Ok((entry, content)) => {
                    let Some((kind, id)) = ledger::content::name(&content.stored) else {
                        return ControlFlow::Break("a content without a name".to_owned());
                    };
                    let name = (kind.to_owned(), id.to_owned());
                    let before = self.heads.get(&name);
                    let head = Head {
                        number: before.map_or(entry.position, |head| head.number),
                        version: entry.version,
                        position: entry.position,
                        deleted: entry.action == Action::Delete,
                    };
                    self.apply(name, head);
                    ControlFlow::Continue(())
                }
            }
        });
        match failed {
            Ok(None) => Ok(()),
            Ok(Some(what)) => Err(what),
            Err(e) => Err(e.to_string()),
        }
    }

    /// The heads as it has them.
    pub fn heads(&self) -> &HashMap<Name, Head> {
        &self.heads
    }
}

impl Heads for Forgetful {
    fn head(&self, kind: &str, id: &str) -> Option<Head> {
        self.heads.get(&(kind.to_owned(), id.to_owned())).copied()
    }
}
