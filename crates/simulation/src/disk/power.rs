//! What survives: the end of a sync, of a sync that fails, and of a power cut.

use std::collections::{BTreeMap, HashMap};

use super::file::{Change, File, sectors};
use super::{SECTOR_BYTES, State};
use crate::chance::Chance;

/// How much of what was not synced a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// Nothing.
    Nothing,
    /// Everything, as if it had all been written back just before.
    Everything,
    /// The first writes in order; the last of them may be torn.
    Beginning,
    /// Each sector on its own, with so many chances in ten to be newer.
    Each(u8),
}

impl Survives {
    /// One of the ways.
    pub fn by(chance: &mut Chance) -> Survives {
        match chance.below(8) {
            0 | 1 => Survives::Nothing,
            2 => Survives::Everything,
            3 | 4 => Survives::Beginning,
            5 => Survives::Each(1),
            6 => Survives::Each(5),
            _ => Survives::Each(9),
        }
    }
}

impl File {
    /// Everything is durable, but what an earlier sync dropped and nobody wrote since.
    pub(super) fn settle(&mut self) {
        if !self.dropped.is_empty() {
            for change in &self.log {
                for sector in sectors(change.at, change.length) {
                    self.dropped.remove(&sector);
                }
            }
        }
        self.log.clear();
        self.replaced.clear();
    }

    /// Takes back the changes of each sector beyond so many, and all from `cut` on; `versions` says how many of the
    /// changes before `cut` that touch a sector it keeps.
    fn rewind(&mut self, cut: usize, versions: &HashMap<u64, usize>) {
        let mut seen: HashMap<u64, usize> = HashMap::new();
        for change in &self.log[..cut] {
            for sector in sectors(change.at, change.length) {
                *seen.entry(sector).or_default() += 1;
            }
        }
        let longest = self.log.iter().map(|change| change.size_before).max();
        let longest = longest.unwrap_or(0).max(self.cache.len() as u64);
        self.cache.resize(longest as usize, 0);
        let mut end = self.replaced.len();
        for (number, change) in self.log.iter().enumerate().rev() {
            let begin = end - change.replaced as usize;
            let old = &self.replaced[begin..end];
            end = begin;
            for sector in sectors(change.at, change.length) {
                if number < cut {
                    let ordinal = seen.get_mut(&sector).expect("it was counted");
                    *ordinal -= 1;
                    if *ordinal < versions[&sector] {
                        continue;
                    }
                }
                undo(&mut self.cache, change, sector, old);
            }
        }
    }
}

/// Puts back what a change replaced in one sector; behind the end it was zero.
fn undo(cache: &mut [u8], change: &Change, sector: u64, old: &[u8]) {
    let from = change.at.max(sector * SECTOR_BYTES);
    let to = (change.at + change.length).min((sector + 1) * SECTOR_BYTES);
    let known = to.min(change.at + change.replaced).max(from);
    let range = |from: u64, to: u64| from as usize..to as usize;
    if from < known {
        cache[range(from, known)].copy_from_slice(&old[range(from - change.at, known - change.at)]);
    }
    cache[range(known, to)].fill(0);
}

impl State {
    /// A sync failed: of each sector decide whether it is durable, dropped, or still to be synced.
    ///
    /// For simplicity a whole file stays to be synced or does not; a dropped sector looks right to everybody who
    /// reads it until the power goes off.
    pub(super) fn drop_some(&mut self, file: usize) {
        let file = &mut self.files[file];
        if self.chance.one_in(3) {
            return;
        }
        let drop_one_in = 1 + self.chance.below(3);
        // What the platter has of each sector: the cache with everything unsynced taken back.
        let mut before = File::new(file.cache.clone());
        before.log = file.log.clone();
        before.replaced = file.replaced.clone();
        before.rewind(0, &HashMap::new());
        let mut touched: Vec<u64> = Vec::new();
        for change in file.log.iter().filter(|change| !change.truncates) {
            touched.extend(sectors(change.at, change.length));
        }
        touched.sort_unstable();
        touched.dedup();
        for sector in touched {
            if !self.chance.one_in(drop_one_in) {
                file.dropped.remove(&sector);
                continue;
            }
            let from = (sector * SECTOR_BYTES) as usize;
            let to = (from + SECTOR_BYTES as usize).min(before.cache.len());
            let old = before.cache.get(from..to).unwrap_or_default().to_vec();
            file.dropped.entry(sector).or_insert(old);
        }
        file.log.clear();
        file.replaced.clear();
    }

    /// The power goes off: every unsynced change is decided.
    pub(super) fn lose(&mut self, survives: Survives) {
        let mut chance = self.chance.split();
        let mut names: Vec<(&String, usize)> = self
            .names
            .iter()
            .map(|(name, file)| (name, *file))
            .collect();
        names.sort_unstable();
        let first_lost: Vec<usize> = names
            .iter()
            .filter(|(name, _)| {
                self.lies
                    .first_sector_lost
                    .is_some_and(|end| name.ends_with(end))
            })
            .map(|(_, file)| *file)
            .collect();
        for (number, file) in self.files.iter_mut().enumerate() {
            file.lose(survives, &mut chance);
            if first_lost.contains(&number) {
                let to = file.cache.len().min(SECTOR_BYTES as usize);
                file.cache[..to].fill(0);
            }
        }
        self.lose_names(survives, &mut chance);
    }

    /// Folders are journaled: names survive up to some change, and none after it.
    fn lose_names(&mut self, survives: Survives, chance: &mut Chance) {
        let all = self.names_log.len();
        let kept = match survives {
            Survives::Nothing => 0,
            Survives::Everything => all,
            _ => chance.below(all as u64 + 1) as usize,
        };
        for (name, before) in self
            .names_log
            .drain(..)
            .skip(kept)
            .rev()
            .collect::<Vec<_>>()
        {
            match before {
                Some(file) => self.names.insert(name, file),
                None => self.names.remove(&name),
            };
        }
    }
}

/// How many changes touch a sector: in all, before a truncation that survives, and in the beginning that survives.
#[derive(Clone, Copy, Default)]
struct Touched {
    all: usize,
    least: usize,
    beginning: usize,
}

impl File {
    fn lose(&mut self, survives: Survives, chance: &mut Chance) {
        if !self.log.is_empty() {
            self.lose_unsynced(survives, chance);
        }
        // What was dropped and not written since is as the platter has it.
        let size = self.cache.len();
        for (sector, old) in std::mem::take(&mut self.dropped) {
            let from = ((sector * SECTOR_BYTES) as usize).min(size);
            let to = (from + SECTOR_BYTES as usize).min(size);
            let known = (from + old.len()).min(to);
            self.cache[from..known].copy_from_slice(&old[..known - from]);
            self.cache[known..to].fill(0);
        }
    }

    fn lose_unsynced(&mut self, survives: Survives, chance: &mut Chance) {
        let all = self.log.len();
        if survives == Survives::Everything {
            return self.settle();
        }
        // A truncation is journaled; what comes after one that is lost is lost with it.
        let truncations: Vec<usize> = (0..all).filter(|at| self.log[*at].truncates).collect();
        let kept = match survives {
            Survives::Nothing => 0,
            _ => chance.below(truncations.len() as u64 + 1) as usize,
        };
        let cut = truncations.get(kept).copied().unwrap_or(all);
        let barrier = match kept {
            0 => 0,
            kept => truncations[kept - 1] + 1,
        };
        // Where the beginning ends, if it is a beginning that survives.
        let whole = barrier + chance.below((cut - barrier) as u64 + 1) as usize;
        // How many changes touch each sector, and how many of them are before a truncation that survives.
        let mut touched: BTreeMap<u64, Touched> = BTreeMap::new();
        for (number, change) in self.log[..cut].iter().enumerate() {
            for sector in sectors(change.at, change.length) {
                let touched = touched.entry(sector).or_default();
                touched.all += 1;
                if number < barrier {
                    touched.least = touched.all;
                }
                if number < whole || number == whole && chance.one_in(2) {
                    touched.beginning = touched.all;
                }
            }
        }
        let mut versions = HashMap::new();
        for (sector, touched) in touched {
            let Touched { all, least, .. } = touched;
            let kept = match survives {
                Survives::Nothing => least,
                Survives::Everything => all,
                Survives::Beginning => touched.beginning.max(least),
                Survives::Each(tenths) => {
                    let mut kept = least;
                    while kept < all && chance.below(10) < u64::from(tenths) {
                        kept += 1;
                    }
                    kept
                }
            };
            if kept > least {
                // It was written since it was dropped, and that has arrived.
                self.dropped.remove(&sector);
            }
            versions.insert(sector, kept);
        }
        // The length: as some change left it, none of them before a truncation that survives.
        let sizes: Vec<u64> = (barrier..cut)
            .map(|number| self.log[number].size_before)
            .chain([match cut == all {
                true => self.cache.len() as u64,
                false => self.log[cut].size_before,
            }])
            .collect();
        let size = match survives {
            Survives::Nothing => sizes[0],
            Survives::Everything => sizes[sizes.len() - 1],
            Survives::Beginning => sizes[whole - barrier],
            Survives::Each(_) => *chance.pick(&sizes),
        };
        self.rewind(cut, &versions);
        self.cache.truncate(size as usize);
        self.log.clear();
        self.replaced.clear();
    }
}
