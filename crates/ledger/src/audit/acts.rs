//! What the programme did about its own record: erasures, which destroy keys; restorations, which lose entries; maps of heads.
//!
//! A key that is destroyed without an act on the record that names it is a fault: it was taken away
//! by somebody who had no right to. An act that says it is done, while the key is still there, is
//! one too.

use std::collections::{BTreeMap, BTreeSet};

use evidence::erasure::{self, Act};
use evidence::heads::{self, Map};
use record::json::{Doc, Value};
use record::time::RecordedAt;
use tlog::note::VerifierKey;

use super::faults::Faults;
use super::key_use::Destroyed;
use super::walk::Walk;
use crate::entry::{Alias, Line};

/// The code of a restoration that lost entries, in [`erasure::GOVERNANCE`].
pub const RESTORED_WITH_LOSS: &str = "restore-with-loss";
/// The extension of a restoration's entry that names a key which was gone already.
pub const KEY_GONE: &str = "urn:homecoming:restore:key-gone";

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

/// Every act, as it is found.
#[derive(Default)]
pub(super) struct Acts {
    /// Keys that an erasure said it destroys: whose, and where it says so.
    carried_out: BTreeMap<u32, (Alias, u64)>,
    /// Keys of which an erasure says that they are gone.
    done: BTreeMap<u32, u64>,
    /// Keys that were gone when the record was restored.
    gone: BTreeSet<u32>,
    /// When the record was last restored with a loss.
    pub(super) restored_at: Option<RecordedAt>,
    /// Which access log the last map of heads names, where that map is, and whether the record was restored since.
    access: Option<(Option<VerifierKey>, u64, bool)>,
    /// Erasures' steps, by position.
    pub(super) steps: Vec<(u64, Act)>,
}

impl Acts {
    /// A content under the programme's key that may be an act.
    pub(super) fn content(
        &mut self,
        line: &Line<'_>,
        stored: &[u8],
        walk: &Walk,
        faults: &mut Faults,
    ) {
        if line.kind == "Basic" {
            if let Some(map) = Map::read(stored) {
                check_map(line.position, &map, walk, faults);
                return self.map(line.position, map, faults);
            }
            return self.restored(line.recorded_at, stored);
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
            for slot in &goes.slots {
                if act.step == erasure::CARRYING_OUT {
                    self.carried_out.insert(*slot, (act.person, line.position));
                }
                if act.step == erasure::DONE {
                    self.done.insert(*slot, line.position);
                }
            }
        }
        self.steps.push((line.position, act));
    }

    /// Each map names the access log of the one before, unless the record was restored between them.
    fn map(&mut self, position: u64, map: Map, faults: &mut Faults) {
        if let Some((before, at, false)) = &self.access
            && *before != map.access
        {
            faults.at(
                position,
                format_args!(
                    "its map of heads names another access log than the one before it, entry {at}"
                ),
            );
        }
        self.access = Some((map.access, position, false));
    }

    /// The last map names the access log that is there.
    pub(super) fn check_access(&self, key: &VerifierKey, faults: &mut Faults) {
        if let Some((Some(named), at, false)) = &self.access
            && named != key
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

    fn restored(&mut self, recorded_at: RecordedAt, stored: &[u8]) {
        let Ok(doc) = Doc::parse(stored) else { return };
        let root = doc.root();
        if erasure::code(root.get("code"), erasure::GOVERNANCE) != Some(RESTORED_WITH_LOSS) {
            return;
        }
        self.restored_at = Some(recorded_at);
        if let Some((_, _, restored)) = &mut self.access {
            *restored = true;
        }
        let outer = root.get("extension").into_iter().flat_map(Value::items);
        for detail in
            outer.flat_map(|outer| outer.get("extension").into_iter().flat_map(Value::items))
        {
            if detail.str_at(&["url"]) == Some(KEY_GONE)
                && let Some(slot) = detail.str_at(&["valueString"])
                && let Ok(slot) = slot.parse()
            {
                self.gone.insert(slot);
            }
        }
    }

    /// Whether an act before a position took a key away.
    pub(super) fn took(&self, slot: u32, position: u64) -> bool {
        let carried_out = self.carried_out.get(&slot);
        carried_out.is_some_and(|(_, act)| *act < position) || self.gone.contains(&slot)
    }

    /// Holds what is destroyed against the acts. Gives what no act accounts for.
    pub(super) fn check<'d>(
        &self,
        destroyed: &'d [Destroyed],
        faults: &mut Faults,
    ) -> Vec<&'d Destroyed> {
        for (slot, position) in &self.done {
            if !destroyed.iter().any(|destroyed| destroyed.slot == *slot) {
                faults.at(
                    *position,
                    format_args!(
                        "it says that the key {slot} was destroyed, but it is still there"
                    ),
                );
            }
        }
        let unaccounted = |destroyed: &&Destroyed| {
            let carried_out = self
                .carried_out
                .get(&destroyed.slot)
                .is_some_and(|(person, _)| Some(*person) == destroyed.person);
            !carried_out && !self.gone.contains(&destroyed.slot)
        };
        let unaccounted: Vec<&Destroyed> = destroyed.iter().filter(unaccounted).collect();
        for Destroyed {
            slot, first, count, ..
        } in &unaccounted
        {
            faults.at(
                *first,
                format_args!(
                    "the key {slot} of its content and of {} others was destroyed, and no erasure on the record says so",
                    count - 1
                ),
            );
        }
        unaccounted
    }
}
