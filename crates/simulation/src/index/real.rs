//! The real index, on files in memory: a crash leaves any state of them that its contract allows.
//!
//! Its maps reach the disk one after the other, and the file that says how much they hold after all of them. So a
//! crash leaves the first so many maps newer and the rest as they were. Here that is put together from two copies of
//! the folder: one of when it was saved last, one of now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use index::{Forgotten, Prepared, Search};
use ledger::{Action, Head, Ledger, RecordedAt};
use record::json::Doc;
use record::search::{extract, parameters, parse_criteria};

use super::{Change, remove};
use crate::chance::Chance;
use crate::clients::{KINDS, STATUSES};
use crate::model::{Content, Model, Name};

/// The maps in the order in which they reach the disk, and after them what says how much they hold.
const PARTS: [&str; 6] = ["past", "posting", "time", "head", "row", "cover"];

/// A small block cache is enough for a few entries.
const CACHE_BYTES: u64 = 1 << 20;

/// The crate `index`, and its files as they were saved last.
pub struct Real {
    folder: PathBuf,
    saved: PathBuf,
    /// Always there but for a moment in between.
    index: Option<index::Index>,
    /// A planted bug: what says how much the files hold is written before them.
    hasty: bool,
}

fn told(error: index::Error) -> String {
    format!("the index: {error}")
}

impl Real {
    /// An empty index in a folder.
    pub fn new(folder: &Path, hasty: bool) -> Result<Real, String> {
        let mut real = Real {
            folder: folder.join("index"),
            saved: folder.join("index-saved"),
            index: None,
            hasty,
        };
        real.renew()?;
        Ok(real)
    }

    pub(super) fn renew(&mut self) -> Result<(), String> {
        self.index = None;
        remove(&self.folder)?;
        self.open()?;
        self.save()
    }

    fn open(&mut self) -> Result<(), String> {
        let fingerprint = parameters().fingerprint();
        let opened = index::Index::open_with(&self.folder, fingerprint, CACHE_BYTES);
        self.index = Some(opened.map_err(told)?);
        Ok(())
    }

    fn index(&self) -> Result<&index::Index, String> {
        self.index.as_ref().ok_or("the index is closed".to_owned())
    }

    pub(super) fn covers(&self) -> Result<u64, String> {
        Ok(self.index()?.applied())
    }

    /// Closes it, which writes everything, and keeps a copy of the files.
    pub(super) fn save(&mut self) -> Result<(), String> {
        self.index = None;
        remove(&self.saved)?;
        copy(&self.folder, &self.saved)?;
        self.open()
    }

    pub(super) fn crash(&mut self, chance: &mut Chance) -> Result<(), String> {
        self.index = None;
        let mut newer = chance.below(PARTS.len() as u64 + 1) as usize;
        if chance.one_in(3) {
            newer = 0;
        }
        for (number, part) in PARTS.iter().enumerate() {
            let early = self.hasty && *part == "cover";
            if number < newer || early {
                continue;
            }
            let (to, from) = (self.folder.join(part), self.saved.join(part));
            match from.is_dir() {
                true => {
                    remove(&to)?;
                    copy(&from, &to)?;
                }
                false => {
                    std::fs::copy(&from, &to).map_err(|e| format!("the index: {e}"))?;
                }
            }
        }
        self.open()?;
        if let index::Opened::Replaced { why } = self.index()?.opened() {
            return Err(format!("the index cannot be used after a crash: {why}"));
        }
        // What is there now can be lost only by a crash after what is saved next.
        self.save()
    }

    pub(super) fn apply(&mut self, changes: &[Change]) -> Result<(), String> {
        let index = self.index()?;
        let mut rest = changes;
        // A transaction at a time: a number is asked of the index as it is by then.
        while !rest.is_empty() {
            let end = rest.iter().position(|change| change.last_in_transaction);
            let (now, later) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            rest = later;
            let prepared: Vec<Prepared> = now.iter().map(prepared).collect::<Result<_, _>>()?;
            let mut told_of: BTreeMap<(&str, &str), u64> = BTreeMap::new();
            let mut all = Vec::with_capacity(now.len());
            for (change, prepared) in now.iter().zip(&prepared) {
                let name = (change.kind.as_str(), change.id.as_str());
                let number = match (change.version, told_of.get(&name)) {
                    (1, _) => change.position,
                    (_, Some(number)) => *number,
                    (_, None) => {
                        let head = self.head(&change.kind, &change.id);
                        head.ok_or_else(|| {
                            let at = change.position;
                            format!("the index has nothing of what entry {at} changes")
                        })?
                        .number
                    }
                };
                told_of.insert(name, number);
                all.push(index::Change {
                    position: change.position,
                    recorded_at: RecordedAt(change.recorded_at),
                    number,
                    id: change.id.as_str().into(),
                    version: change.version,
                    deleted: change.deleted,
                    prepared,
                    last_in_transaction: change.last_in_transaction,
                });
            }
            index.apply(&all).map_err(told)?;
        }
        Ok(())
    }

    pub(super) fn head(&self, kind: &str, id: &str) -> Option<Head> {
        let head = self.index.as_ref()?.head(kind, id).ok()??;
        Some(Head {
            number: head.number,
            version: head.version,
            position: head.position,
            deleted: head.deleted,
        })
    }

    pub(super) fn forget(
        &mut self,
        names: &BTreeMap<Name, BTreeSet<u64>>,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let in_lines: Vec<_> = names
            .keys()
            .map(|(kind, id)| ledger.id_in_line(kind, id))
            .collect();
        let forgotten: Vec<Forgotten<'_>> = names
            .iter()
            .zip(&in_lines)
            .map(|(((kind, _), erased), id)| Forgotten { kind, id, erased })
            .collect();
        self.index()?.forget(&forgotten).map_err(told)?;
        Ok(())
    }

    pub(super) fn purge(&mut self) -> Result<(), String> {
        self.index()?.purge().map_err(told)?;
        self.save()
    }

    /// It has the versions of each resource that the model has, and no others.
    pub(super) fn lists(&self, model: &Model, ledger: &Ledger) -> Result<(), String> {
        let mut versions: BTreeMap<(&str, &str), Vec<(u64, u32)>> = BTreeMap::new();
        for (position, known) in model.entries.iter().enumerate().rev() {
            let name = (known.write.kind.as_str(), known.write.id.as_str());
            let version = (position as u64, known.version);
            versions.entry(name).or_default().push(version);
        }
        for ((kind, id), must) in versions {
            let in_line = ledger.id_in_line(kind, id);
            let history = self.index()?.history(kind, &in_line, u64::MAX);
            let is: Vec<(u64, u32)> = history
                .map_err(told)?
                .iter()
                .map(|found| (found.position, found.version))
                .collect();
            if is != must {
                return Err(format!(
                    "the index lists the versions {is:?} of {kind}/{id}, which are {must:?}"
                ));
            }
        }
        Ok(())
    }

    /// A search, as of some size, finds what it must: nothing that was erased or deleted by then.
    pub(super) fn finds(&self, model: &Model, chance: &mut Chance) -> Result<(), String> {
        let as_of = match chance.one_in(2) {
            true => model.size(),
            false => chance.below(model.size() + 1),
        };
        let kind = *chance.pick(&KINDS);
        let status = *chance.pick(&STATUSES);
        let params = [("status".to_owned(), status.to_owned())];
        let (criteria, findings) = parse_criteria(kind, &params, "");
        if !findings.is_empty() {
            // Not every kind has a status.
            return Ok(());
        }
        let page = self.index()?.search(&Search {
            criteria: &criteria,
            as_of,
            count: usize::from(u16::MAX),
            after: None,
            total: false,
        });
        let page = page.map_err(told)?;
        let found: BTreeSet<u64> = page.hits.iter().map(|hit| hit.position).collect();
        let mut latest: BTreeMap<&str, u64> = BTreeMap::new();
        for (position, known) in model.entries.iter().enumerate().take(as_of as usize) {
            if known.write.kind == kind {
                latest.insert(&known.write.id, position as u64);
            }
        }
        let says = format!("\"status\":\"{status}\"");
        let must: BTreeSet<u64> = latest
            .into_values()
            .filter(|position| {
                let known = &model.entries[*position as usize];
                let text = String::from_utf8_lossy(&known.write.stored);
                known.content == Content::There
                    && known.action != Action::Delete
                    && text.contains(&says)
            })
            .collect();
        match found == must {
            true => Ok(()),
            false => Err(format!(
                "a search for {kind} with status {status} as of {as_of} finds the entries {found:?}, which are {must:?}"
            )),
        }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.index = None;
        // What cannot be removed goes with the stage.
        let _ = remove(&self.folder);
        let _ = remove(&self.saved);
    }
}

fn prepared(change: &Change) -> Result<Prepared, String> {
    let Some(stored) = &change.stored else {
        return Ok(index::prepare(&change.kind, &[]));
    };
    let doc = Doc::parse(stored).map_err(|e| format!("a content does not read: {e}"))?;
    Ok(index::prepare(&change.kind, &extract(doc.root())))
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("the index: {e}");
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &to)?,
            false => {
                std::fs::copy(&path, &to).map_err(failed)?;
            }
        }
    }
    Ok(())
}
