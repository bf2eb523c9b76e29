//! What lies beside the lines: every body held against its line, opened and unpacked. On many threads, no disk.

use std::collections::HashMap;

use evidence::content::KeyName;

use super::opening::Opened;
use super::window::Window;
use crate::content::{self, Content};
use crate::entry::{Aliases, Line};
use crate::sealing::{Row, Sealing, Unopened};
use crate::witnessed::LogName;

/// What contents are opened and named with. What is not there is not checked.
#[derive(Clone, Copy)]
pub(super) struct With<'k> {
    /// The keys, and what the contents are sealed for.
    pub(super) sealing: Option<&'k Sealing>,
    /// The key of the aliases.
    pub(super) aliases: Option<&'k Aliases>,
    /// The names of the keys that were destroyed before the audit began, by slot.
    pub(super) destroyed: &'k HashMap<u32, KeyName>,
}

/// Opens every content of a window.
pub(super) fn open(window: &Window, with: With<'_>) -> Opened {
    let mut opened = Opened::from(window.from, LogName::Record);
    for (position, line, row) in window.rows() {
        opened.to = position + 1;
        // What is missing, or a line that does not read, is said by whoever follows the lines.
        if let (Some(line), Some(row)) = (line.and_then(|line| Line::parse(line).ok()), row) {
            opened.content(position, &line, row, with);
        }
    }
    opened
}

impl Opened {
    fn content(&mut self, position: u64, line: &Line<'_>, row: Row<'_>, with: With<'_>) {
        if content::sealed(row.body) != line.sealed {
            self.faults.at(
                position,
                "its sealed content is not the one that its line covers",
            );
        }
        let Some(sealing) = with.sealing else {
            return;
        };
        match sealing.open(line, row) {
            Ok(content) => {
                self.bytes += content.stored.len() as u64;
                self.committed(position, line, &content, with.aliases);
            }
            // Whether it had to be is asked of the key, once for all that it sealed.
            Err(Unopened::Erased) => {
                let slot = u32::try_from(row.slot).ok();
                let name = slot.and_then(|slot| with.destroyed.get(&slot));
                if name.is_some_and(|name| !sealing.is_under(name, line, row)) {
                    self.faults.at(
                        position,
                        "its sealed content is not under the key that `key_use` names for it, which was destroyed",
                    );
                }
            }
            Err(Unopened::Damaged(what)) => self.faults.at(position, what),
        }
    }

    fn committed(
        &mut self,
        position: u64,
        line: &Line<'_>,
        content: &Content,
        aliases: Option<&Aliases>,
    ) {
        if content::commitment(&content.salt, &content.stored) != line.commitment {
            self.faults.at(
                position,
                "its content or salt is not what its line commits to",
            );
        }
        let named = match (content::name(&content.stored), aliases) {
            (None, _) => false,
            (Some((kind, id)), Some(aliases)) => {
                kind == line.kind && aliases.id_in_line(kind, id) == line.id
            }
            (Some((kind, id)), None) => {
                kind == line.kind && (id == line.id || line.id.starts_with('~'))
            }
        };
        if !named {
            self.faults.at(
                position,
                format_args!("its content is not of {}/{}", line.kind, line.id),
            );
        }
    }
}
