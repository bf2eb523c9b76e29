//! What lies beside the lines: every body unpacked and held against its line. On many threads, no disk.

use super::faults::Faults;
use super::window::{Packed, Window};
use crate::content;
use crate::entry::{Aliases, Line};

/// What a window's contents came to.
pub(super) struct Opened {
    pub(super) from: u64,
    pub(super) to: u64,
    /// How many bytes they have, unpacked.
    pub(super) bytes: u64,
    pub(super) faults: Faults,
}

/// Opens every content of a window.
pub(super) fn open(window: &Window, aliases: Option<&Aliases>) -> Opened {
    let mut opened = Opened {
        from: window.from,
        to: window.from,
        bytes: 0,
        faults: Faults::default(),
    };
    for (position, line, packed) in window.rows() {
        opened.to = position + 1;
        let Some(packed) = packed else {
            opened.faults.at(position, "its content is missing");
            continue;
        };
        let Some(stored) = unpack(position, packed, &mut opened.faults) else {
            continue;
        };
        opened.bytes += stored.len() as u64;
        // That it is missing or does not read is said by the walk.
        if let Some(line) = line.and_then(|line| Line::parse(line).ok()) {
            committed(
                position,
                &line,
                packed,
                &stored,
                aliases,
                &mut opened.faults,
            );
        }
    }
    opened
}

fn unpack(position: u64, packed: Packed<'_>, faults: &mut Faults) -> Option<Vec<u8>> {
    if content::check_sum(packed.body) != packed.check_sum {
        faults.at(position, "its packed content does not fit its check sum");
    }
    match content::decompress(packed.format, packed.body) {
        Ok(stored) => Some(stored),
        Err(e) => {
            faults.at(position, e);
            None
        }
    }
}

fn committed(
    position: u64,
    line: &Line<'_>,
    packed: Packed<'_>,
    stored: &[u8],
    aliases: Option<&Aliases>,
    faults: &mut Faults,
) {
    let salt = packed.salt.try_into();
    if !salt.is_ok_and(|salt| content::commitment(salt, stored) == line.commitment) {
        faults.at(
            position,
            "its content or salt is not what its line commits to",
        );
    }
    let named = match (content::name(stored), aliases) {
        (None, _) => false,
        (Some((kind, id)), Some(aliases)) => {
            kind == line.kind && aliases.id_in_line(kind, id) == line.id
        }
        (Some((kind, id)), None) => {
            kind == line.kind && (id == line.id || line.id.starts_with('~'))
        }
    };
    if !named {
        faults.at(
            position,
            format_args!("its content is not of {}/{}", line.kind, line.id),
        );
    }
}
