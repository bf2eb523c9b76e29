//! What the programme did about its own record: erasures, which destroy keys; restorations, which lose entries; maps of heads.
//!
//! A key that is destroyed without an act on the record that names it is a fault: it was taken away
//! by somebody who had no right to. An act that says it is done, while the key is still there, is
//! one too. It takes what its scope covers and what was recorded before the position that it says, and as much as it says:
//! who has a key's name can make what looks like more under it. A restoration accounts for persons' keys that were gone by then, and for no others: the
//! programme's own are never erased.

use std::collections::BTreeMap;

use evidence::content::KeyName;
use evidence::erasure::{self, Act};
use evidence::gone::{self, KeysGone};
use evidence::heads::{self, Map};
use record::time::RecordedAt;
use seal::Class;
use tlog::Hash;
use tlog::note::VerifierKey;

use super::faults::Faults;
use super::key_use::{Destroyed, Gone};
use super::restored::{self, Restoration};
use super::walk::Walk;
use crate::entry::{Alias, Line};
use crate::store::Identity;

/// The kinds of resources that acts are.
pub(super) fn may_be_act(line: &Line<'_>) -> bool {
    matches!(line.kind, "Task" | "Basic")
}

/// A map of heads must be what the lines before it give.
fn check_map(position: u64, map: &Map, walk: &Walk, faults: &mut Faults) {
    if map.size > position {
        return faults.at(
            position,
            format_args!(
                "its map of heads covers {} entries, more than there were",
                map.size
            ),
        );
    }
    let Some(heads) = walk.heads_at(map.size) else {
        return faults.at(
            position,
            format_args!(
                "its map of heads covers only {} entries: it is too old to be checked",
                map.size
            ),
        );
    };
    if heads.len() as u64 != map.persons || heads::root(&heads) != Some(map.root) {
        faults.at(
            position,
            format_args!(
                "its map of heads is not the one that the first {} entries give: somebody's entries are withheld from it, or added",
                map.size
            ),
        );
    }
}

/// A key that an erasure said it destroys.
struct Taken {
    /// Whose it is.
    person: Alias,
    /// Where the erasure says so.
    position: u64,
    /// What it calls the key.
    name: KeyName,
    is_whole_record: bool,
    /// It takes what was recorded before this position.
    below: u64,
}

impl Taken {
    /// Whether a key and what it sealed is what the erasure may take; what is wrong otherwise.
    fn may_take(&self, destroyed: &Destroyed) -> Result<(), &'static str> {
        let covers = match destroyed.class {
            Some(Class::Record) => self.is_whole_record,
            Some(Class::Notes) => true,
            _ => false,
        };
        match () {
            () if destroyed.person != Some(self.person) => Err("is of somebody else"),
            () if !covers => Err("takes something else"),
            () if destroyed.last >= self.below => Err("takes only what came before it"),
            () => Ok(()),
        }
    }
}

/// Every act, as it is found.
#[derive(Default)]
pub(super) struct Acts {
    /// Keys that an erasure said it destroys.
    carried_out: BTreeMap<u32, Taken>,
    /// Keys of which an erasure says that they are gone: where, and when.
    done: BTreeMap<u32, (u64, RecordedAt)>,
    /// Which access log the last map of heads names, and where that map is.
    access: Option<(Option<VerifierKey>, u64)>,
    /// Restorations that lost entries, the first first.
    pub(super) restorations: Vec<Restoration>,
    /// What restorations say in persons' chains of keys that were gone, by position and time.
    told: Vec<(u64, RecordedAt, KeysGone)>,
    /// Erasures' steps, by position.
    pub(super) steps: Vec<(u64, Act)>,
}

impl Acts {
    /// A content under the programme's key that may be an act.
    pub(super) fn content(
        &mut self,
        line: &Line<'_>,
        stored: &[u8],
        before: Hash,
        walk: &Walk,
        faults: &mut Faults,
    ) {
        if line.kind == "Basic" {
            if let Some(map) = Map::read(stored) {
                check_map(line.position, &map, walk, faults);
                return self.map(line.position, map, faults);
            }
            match restored::read(line, stored, before) {
                None => {
                    if let Some(told) = KeysGone::read(stored) {
                        self.keys_gone(line, told, faults);
                    }
                }
                Some(Ok(restoration)) => self.restorations.push(restoration),
                Some(Err(why)) => faults.at(
                    line.position,
                    format_args!("it says that the record was restored with loss, but {why}"),
                ),
            }
            return;
        }
        let Some(act) = Act::read(stored) else {
            return;
        };
        if line.person != Some(act.person) {
            faults.at(
                line.position,
                "it tells of an erasure about somebody else than its line names",
            );
        }
        if let Some(goes) = &act.goes {
            if goes.slots.len() != goes.names.len() {
                faults.at(line.position, "it does not name each key that it takes");
            }
            for (slot, name) in goes.slots.iter().zip(&goes.names) {
                if act.step == erasure::CARRYING_OUT {
                    let taken = Taken {
                        person: act.person,
                        position: line.position,
                        name: *name,
                        is_whole_record: act.scope == erasure::RECORD,
                        below: goes.below,
                    };
                    self.carried_out.insert(*slot, taken);
                }
                if act.step == erasure::DONE {
                    self.done.insert(*slot, (line.position, line.recorded_at));
                }
            }
        }
        self.steps.push((line.position, act));
    }

    /// What a restoration says to somebody of their keys.
    fn keys_gone(&mut self, line: &Line<'_>, told: KeysGone, faults: &mut Faults) {
        match () {
            () if line.actor != gone::ACTOR => faults.at(
                line.position,
                "it says that keys were gone when the record was restored, but no restoration recorded it",
            ),
            () if line.person != Some(told.person) => faults.at(
                line.position,
                "it tells of keys of somebody else than its line names",
            ),
            () => self.told.push((line.position, line.recorded_at, told)),
        }
    }

    /// Whoever is told that keys were gone is told so by a restoration that names them; and everybody whose keys one found
    /// gone is told.
    fn check_told(&self, faults: &mut Faults) {
        for (position, at, told) in &self.told {
            let is_its = |restoration: &&Restoration| {
                restoration.position == told.entry && restoration.recorded_at == *at
            };
            let restoration = self.restorations.iter().find(is_its);
            let named = |restoration: &Restoration| {
                let mut slots = told.keys.iter().map(|(slot, _)| slot);
                slots.all(|slot| restoration.named.contains(slot))
            };
            if !restoration.is_some_and(named) {
                faults.at(
                    *position,
                    "it says that keys were gone when the record was restored, but no restoration names them",
                );
            }
        }
        for restoration in &self.restorations {
            for gone in &restoration.gone {
                let is_told = self.told.iter().any(|(_, _, told)| {
                    told.entry == restoration.position
                        && told.person == gone.person
                        && told.keys.contains(&(gone.slot, gone.name))
                });
                if !is_told {
                    faults.at(
                        restoration.position,
                        format_args!(
                            "it found the key {} gone, and nothing in the chain of the person whose it was says so",
                            gone.slot
                        ),
                    );
                }
            }
        }
    }

    /// Each map names the access log of the one before, unless the record was restored between them.
    fn map(&mut self, position: u64, map: Map, faults: &mut Faults) {
        if let Some((before, at)) = &self.access
            && *before != map.access
            && !self.is_restored_since(*at)
        {
            faults.at(
                position,
                format_args!(
                    "its map of heads names another access log than the one before it, entry {at}"
                ),
            );
        }
        self.access = Some((map.access, position));
    }

    /// Whether the record was restored with a loss after a position.
    fn is_restored_since(&self, position: u64) -> bool {
        let last = self.restorations.last();
        last.is_some_and(|restoration| restoration.position > position)
    }

    /// The last map names the access log that is there.
    pub(super) fn check_access(&self, key: &VerifierKey, faults: &mut Faults) {
        if let Some((Some(named), at)) = &self.access
            && named != key
            && !self.is_restored_since(*at)
        {
            faults.at(
                *at,
                format_args!(
                    "its map of heads names the access log {named}, and another one is there, {key}: the access log was \
                     replaced"
                ),
            );
        }
    }

    /// Holds the restorations against each other and against the log as it is called now. Those that do not fit account
    /// for nothing.
    pub(super) fn logs(&mut self, identity: &Identity, faults: &mut Faults) {
        restored::keep_fitting(&mut self.restorations, identity, &mut |position, what| {
            match position {
                Some(position) => faults.at(position, what),
                None => faults.say(what),
            }
        });
    }

    /// Whether an act before a position took a key away.
    pub(super) fn took(&self, slot: u32, position: u64) -> bool {
        let carried_out = self.carried_out.get(&slot);
        let gone = |restoration: &Restoration| {
            restoration.position < position && restoration.named.contains(&slot)
        };
        carried_out.is_some_and(|taken| taken.position < position)
            || self.restorations.iter().any(gone)
    }

    /// Holds what is destroyed against the acts, and notes with each restoration what was gone by then. Gives the
    /// persons' keys that no act accounts for.
    pub(super) fn check(&mut self, destroyed: &[Destroyed], faults: &mut Faults) -> Vec<Gone> {
        for (slot, (position, _)) in &self.done {
            if !destroyed.iter().any(|destroyed| destroyed.slot == *slot) {
                faults.at(
                    *position,
                    format_args!(
                        "it says that the key {slot} was destroyed, but it is still there"
                    ),
                );
            }
        }
        let mut unsaid = Vec::new();
        for one in destroyed {
            let Destroyed {
                person,
                class: _,
                slot,
                name,
                first,
                last,
                count,
            } = one;
            let gone = person.map(|person| Gone {
                slot: *slot,
                person,
                name: name.unwrap_or_default(),
                contents: *count,
            });
            let taken = self.carried_out.get(slot);
            let taken = taken.map(|taken| (taken, taken.may_take(one)));
            if let Some((taken, Ok(()))) = taken {
                if Some(taken.name) != *name {
                    faults.at(
                        taken.position,
                        format_args!("it names the key {slot} otherwise than `key_use` does"),
                    );
                }
                continue;
            }
            // A key that sealed anything later was there when the record was restored.
            let found_gone = self.restorations.iter_mut().find(|restoration| {
                restoration.named.contains(slot) && *last < restoration.position
            });
            if let (Some(gone), Some(restoration)) = (gone, found_gone) {
                restoration.gone.push(gone);
                continue;
            }
            let others = count - 1;
            faults.at(
                *first,
                match taken {
                    Some((taken, Err(why))) => format!(
                        "the key {slot} of its content and of {others} others was destroyed, the last of them entry \
                         {last}, and no erasure on the record may take that: the one of entry {} {why}",
                        taken.position
                    ),
                    _ => format!(
                        "the key {slot} of its content and of {others} others was destroyed, and no erasure on the \
                         record says so"
                    ),
                },
            );
            unsaid.extend(gone);
        }
        self.check_counts(destroyed, faults);
        self.check_told(faults);
        unsaid
    }

    /// An erasure takes as many contents as it says; one that is not done may not have come so far.
    fn check_counts(&self, destroyed: &[Destroyed], faults: &mut Faults) {
        for (position, act) in &self.steps {
            let Some(goes) = act
                .goes
                .as_ref()
                .filter(|_| act.step == erasure::CARRYING_OUT)
            else {
                continue;
            };
            let is_its = |slot: &u32| {
                let taken = self.carried_out.get(slot);
                taken.is_some_and(|taken| taken.position == *position)
            };
            // A key that came back from escrow, and went again, counts with the later one.
            if !goes.slots.iter().all(is_its) {
                continue;
            }
            // What it may not take was said by itself.
            let its = |one: &&Destroyed| {
                goes.slots.contains(&one.slot) && self.carried_out[&one.slot].may_take(one).is_ok()
            };
            let (mut keys, mut gone) = (0, 0_u64);
            for one in destroyed.iter().filter(its) {
                keys += 1;
                gone = gone.saturating_add(one.count);
            }
            let is_done = keys == goes.slots.len()
                && goes.slots.iter().all(|slot| self.done.contains_key(slot));
            if gone > goes.entries || (is_done && gone < goes.entries) {
                faults.at(
                    *position,
                    format_args!(
                        "it says that {} contents go, and {gone} lay under the keys that it took",
                        goes.entries
                    ),
                );
            }
        }
    }

    /// When at the latest each key was gone that an erasure took or a restoration missed.
    pub(super) fn gone_by(&self) -> BTreeMap<u32, RecordedAt> {
        let found = self.restorations.iter().flat_map(|restoration| {
            let slots = restoration.gone.iter().map(|gone| gone.slot);
            slots.map(|slot| (slot, restoration.recorded_at))
        });
        let mut by: BTreeMap<u32, RecordedAt> = found.collect();
        by.extend(self.done.iter().map(|(slot, (_, at))| (*slot, *at)));
        by
    }
}
