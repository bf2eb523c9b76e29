//! What the server notes of what witnesses have signed: durable when it is served, and never more than there is.

use ledger::witnessed::LogName;
use tlog::checkpoint::Checkpoint;

use super::World;
use crate::witness::{self, place};

/// What is known to be noted of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    /// The latest cosigned checkpoint that was noted, and its size.
    kept: Option<(u64, String)>,
    /// Later ones of which nobody knows whether they are noted.
    maybe: Vec<(u64, String)>,
    /// The largest size that the witness was noted to have cosigned.
    seen: u64,
}

impl World<'_> {
    /// A cosigned checkpoint is noted; from then on it is served.
    pub(super) fn note_cosigned(
        &mut self,
        log: LogName,
        size: u64,
        note: String,
    ) -> Result<(), String> {
        let Some(beside) = self
            .server
            .as_ref()
            .and_then(|server| server.beside.as_ref())
        else {
            return Ok(());
        };
        let outcome = beside.witnessed.add(log, size, &note, self.clock_us);
        let noted = &mut self.noted[place(log)];
        match outcome {
            Ok(()) if self.disk.is_powered() => {
                noted.kept = Some((size, note));
                noted.maybe.clear();
                Ok(())
            }
            Ok(()) => {
                noted.maybe.push((size, note));
                Ok(())
            }
            Err(e) => {
                noted.maybe.push((size, note));
                match self.disk.is_powered() {
                    // The server goes on, and does not serve it.
                    true => self.expect_trouble(&format!("what was cosigned is not noted: {e}")),
                    false => Ok(()),
                }
            }
        }
    }

    /// A witness says that it has cosigned more than was known.
    pub(super) fn note_seen(&mut self, log: LogName, size: u64) -> Result<(), String> {
        let Some(beside) = self
            .server
            .as_ref()
            .and_then(|server| server.beside.as_ref())
        else {
            return Ok(());
        };
        match beside.witnessed.note_seen(log, witness::NAME, size) {
            Ok(()) if self.disk.is_powered() => {
                let noted = &mut self.noted[place(log)];
                noted.seen = noted.seen.max(size);
                Ok(())
            }
            Err(e) if self.disk.is_powered() => {
                self.expect_trouble(&format!("what a witness has seen is not noted: {e}"))
            }
            _ => Ok(()),
        }
    }

    /// After a start: what was noted is there, and the logs are no shorter and no others than that.
    pub(super) fn notes_hold(&mut self) -> Result<(), String> {
        for log in LogName::ALL {
            let Some(beside) = self
                .server
                .as_ref()
                .and_then(|server| server.beside.as_ref())
            else {
                return Ok(());
            };
            let read = beside
                .witnessed
                .latest(log)
                .and_then(|latest| Ok((latest, beside.witnessed.seen(log)?)));
            let (latest, seen) = match read {
                Ok(read) => read,
                Err(e) => {
                    // A read that failed because it was made to is not a finding.
                    let what = format!("what was cosigned does not read: {e}");
                    return self.expect_trouble(&what).map_err(|_| what);
                }
            };
            let noted = &mut self.noted[place(log)];
            let latest = latest.map(|cosigned| (cosigned.size, cosigned.note));
            let is_one = latest == noted.kept
                || latest
                    .as_ref()
                    .is_some_and(|latest| noted.maybe.contains(latest));
            if !is_one {
                return Err(format!(
                    "the latest cosigned checkpoint of the {log} that is noted is of {:?} entries; one of {:?} was served",
                    latest.map(|latest| latest.0),
                    noted.kept.as_ref().map(|kept| kept.0)
                ));
            }
            // The start has made durable what it read.
            noted.kept.clone_from(&latest);
            noted.maybe.clear();
            let most = seen.iter().map(|seen| seen.size).max().unwrap_or(0);
            if most < noted.seen {
                return Err(format!(
                    "the witness was noted to have cosigned {} entries of the {log}, and now {most}",
                    noted.seen
                ));
            }
            if let Some((size, note)) = &latest {
                let (size, text) = (*size, note.split("\n\n").next().unwrap_or_default());
                let checkpoint = Checkpoint::parse(&format!("{text}\n"))
                    .map_err(|e| format!("what was cosigned of the {log}: {e}"))?;
                let known = match log {
                    LogName::Record => self.model.tree.size(),
                    LogName::Access => self.model.leaves_tree.size(),
                };
                if size.max(most) > self.size_of(log) {
                    return Err(format!(
                        "the {log} has {} entries, and {} are noted as cosigned",
                        self.size_of(log),
                        size.max(most)
                    ));
                }
                if size <= known && self.root_of(log, size)? != checkpoint.root {
                    return Err(format!(
                        "the {log} is not the one that is noted as cosigned"
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn size_of(&self, log: LogName) -> u64 {
        match log {
            LogName::Record => self.model.size(),
            LogName::Access => self.model.leaves.len() as u64,
        }
    }
}
