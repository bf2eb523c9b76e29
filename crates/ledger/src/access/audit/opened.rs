//! What lies beside the leaves' lines: every body held against its line, opened and read. On many threads, no disk.

use std::collections::{BTreeMap, HashMap};

use evidence::content::KeyName;
use evidence::disclosure::{Told, Whom};
use evidence::trust::SKEW_MAX_US;
use record::time::RecordedAt;
use seal::Class;

use super::window::Window;
use crate::access::body::{Place, Sealing, Slot};
use crate::access::read::{Raw, Stored};
use crate::audit::opening::Opened;
use crate::read::ReadError;
use crate::witnessed::LogName;

/// What contents are opened with. What is not there is not checked.
#[derive(Clone, Copy, Default)]
pub(super) struct With<'k> {
    /// The keys, and what the contents are sealed for.
    pub(super) sealing: Option<&'k Sealing>,
    /// The names of the persons' keys that were destroyed, by slot, as the record has them.
    pub(super) destroyed: Option<&'k HashMap<u32, KeyName>>,
    /// When at the latest keys were gone.
    pub(super) gone_by: Option<&'k BTreeMap<u32, RecordedAt>>,
}

/// Opens every content of a window; without keys, only what is sealed is held against the line.
pub(super) fn open(window: &Window, with: With<'_>) -> Opened {
    let mut opened = Opened::from(window.from, LogName::Access);
    for (position, _, raw) in window.rows() {
        opened.to = position + 1;
        if let Some(raw) = raw {
            content(&raw, with, &mut opened);
        }
    }
    opened
}

fn content(raw: &Raw<'_>, with: With<'_>, opened: &mut Opened) {
    let position = raw.position;
    // What does not read was said by whoever followed the lines.
    let (Ok(leaf), Ok(slot)) = (raw.leaf(), raw.slot()) else {
        return;
    };
    let stored = match raw.stored(leaf, slot) {
        Ok(stored) => stored,
        Err(e) => return opened.faults.at(position, why(e)),
    };
    let Some(sealing) = with.sealing else { return };
    match stored.content(sealing) {
        Ok(None) => {
            if let Some(what) = erased(raw, &stored, slot, sealing, with) {
                opened.faults.at(position, what);
            }
        }
        Ok(Some((_, content))) => {
            opened.bytes += content.len() as u64;
            match Told::parse(&content) {
                Some(told) => tells(&stored, &told, opened),
                None => opened.faults.at(position, "its content does not read"),
            }
        }
        Err(e) => opened.faults.at(position, why(e)),
    }
}

/// What does not fit in a content whose key is destroyed. Nothing but the line's hash of the body tells what a row says of
/// its key: so it must lie under the key that went, and must have been recorded before that, because whoever has a
/// key's name can make what looks so.
fn erased(
    raw: &Raw<'_>,
    stored: &Stored,
    slot: Slot,
    sealing: &Sealing,
    with: With<'_>,
) -> Option<&'static str> {
    if slot.class != Class::Record {
        return Some(
            "its content is sealed under a key of the access log's own that was destroyed: no erasure takes these",
        );
    }
    let leaf = &stored.leaf;
    if !matches!(leaf.whom, Whom::One(_)) {
        return Some(
            "its content is said to lie under the key of a person's record, but it did not tell of one person alone",
        );
    }
    let is_under = |name: &KeyName| sealing.is_under(name, &Place::of(leaf), slot.class, raw.body);
    let destroyed = with.destroyed?;
    if !destroyed.get(&slot.number).is_some_and(is_under) {
        return Some(
            "its sealed content is not under the destroyed key that is said to have sealed it",
        );
    }
    let gone = with.gone_by?.get(&slot.number)?;
    (leaf.recorded_at.0 > gone.0.saturating_add(SKEW_MAX_US)).then_some(
        "its content is said to lie under a key that was destroyed before it was recorded",
    )
}

/// What does not fit, without what a reader is told to do about it.
pub(super) fn why(error: ReadError) -> String {
    match error {
        ReadError::Damaged { what, .. } => what,
        other => other.to_string(),
    }
}

/// Holds a content against its line and the persons beside it.
fn tells(stored: &Stored, told: &Told, opened: &mut Opened) {
    let position = stored.leaf.position;
    // That they do not even fit the line was said by whoever followed the lines.
    if stored.names_its_persons(None) && !stored.names_its_persons(Some(told)) {
        opened.faults.at(
            position,
            "the persons beside it are not those whom it told of",
        );
    }
    if (told.versions.len() + told.leaves.len()) as u64 != stored.leaf.versions {
        opened.faults.at(
            position,
            "its content does not list as many versions as its line says",
        );
    }
}
