//! What lies beside the leaves' lines: every body held against its line, opened and read. On many threads, no disk.

use evidence::disclosure::Told;

use super::window::Window;
use crate::access::body::Sealing;
use crate::access::read::{Raw, Stored};
use crate::audit::opening::Opened;
use crate::read::ReadError;
use crate::witnessed::LogName;

/// Opens every content of a window; without keys, only what is sealed is held against the line.
pub(super) fn open(window: &Window, sealing: Option<&Sealing>) -> Opened {
    let mut opened = Opened::from(window.from, LogName::Access);
    for (position, _, raw) in window.rows() {
        opened.to = position + 1;
        if let Some(raw) = raw {
            content(&raw, sealing, &mut opened);
        }
    }
    opened
}

fn content(raw: &Raw<'_>, sealing: Option<&Sealing>, opened: &mut Opened) {
    let position = raw.position;
    // What does not read was said by whoever followed the lines.
    let (Ok(leaf), Ok(slot)) = (raw.leaf(), raw.slot()) else {
        return;
    };
    let stored = match raw.stored(leaf, slot) {
        Ok(stored) => stored,
        Err(e) => return opened.faults.at(position, why(e)),
    };
    let Some(sealing) = sealing else { return };
    match stored.content(sealing) {
        Ok(None) => {}
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
