//! What does not fit: sentences that name the place, so many and then only their number.

use std::fmt;

use crate::witnessed::LogName;

/// How many faults are listed; of more only the number is said.
const FAULTS_MAX: usize = 1_000;

/// One thing that does not fit: a sentence that names the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entry it is about, if it is about one.
    pub position: Option<u64>,
    /// The sentence.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Faults as they are gathered.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    log: LogName,
    said: Vec<Fault>,
    more: usize,
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::of(LogName::Record)
    }
}

impl Faults {
    /// None yet, of one of the logs.
    pub(crate) fn of(log: LogName) -> Faults {
        Faults {
            log,
            said: Vec::new(),
            more: 0,
        }
    }

    /// Whose faults these are, where a sentence must say so: nothing for the record.
    pub(super) fn of_log(&self) -> &'static str {
        match self.log {
            LogName::Record => "",
            LogName::Access => " of the access log",
        }
    }

    /// What one of the log's rows is called, at the beginning of a sentence; and several.
    pub(super) fn nouns(&self) -> (&'static str, &'static str) {
        match self.log {
            LogName::Record => ("Entry", "Entries"),
            LogName::Access => ("Leaf", "Leaves"),
        }
    }

    /// A fault of the whole, or of a part that is not an entry.
    pub(crate) fn say(&mut self, what: impl Into<String>) {
        self.push(Fault {
            position: None,
            what: what.into(),
        });
    }

    /// A fault of one entry.
    pub(crate) fn at(&mut self, position: u64, what: impl fmt::Display) {
        let (entry, _) = self.nouns();
        self.push(Fault {
            position: Some(position),
            what: format!("{entry} {position}: {what}"),
        });
    }

    pub(crate) fn push(&mut self, fault: Fault) {
        match self.said.len() < FAULTS_MAX {
            true => self.said.push(fault),
            false => self.more += 1,
        }
    }

    pub(crate) fn extend(&mut self, others: Faults) {
        others.said.into_iter().for_each(|fault| self.push(fault));
        self.more += others.more;
    }

    /// How many there are, listed or not.
    pub(crate) fn count(&self) -> u64 {
        (self.said.len() + self.more) as u64
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.said.iter()
    }

    /// Those of the whole first, then by entry.
    pub(crate) fn list(mut self) -> Vec<Fault> {
        self.said.sort_by_key(|fault| fault.position);
        if self.more > 0 {
            self.said.push(Fault {
                position: None,
                what: format!("{} more faults are not listed", self.more),
            });
        }
        self.said
    }
}

/// A sentence begins with a capital.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
