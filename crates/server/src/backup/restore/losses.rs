//! What is lost if a backup is restored: one list, for the refusal, for the words that it takes, and for the record.
//!
//! | what | how it is known |
//! |---|---|
//! | entries of the backup's own log, or of its access log | somebody knows of more than the backup has |
//! | entries of a later log of the programme | what it has beyond what is in the backup, too; and that log itself |
//! | entries of an earlier log | what went on there beyond what restorations in the backup say was lost |
//! | persons' keys, and the contents under them | they are destroyed, and nothing in the backup says why: either an erasure is lost with the entry that told of it, or somebody destroyed them |
//! | what a fault of the access log says is not there; a fault of an erasure loses nothing | the audit of what was put together |
//!
//! Faults alone do not end the log: they are taken over as they are.
//!
//! The words must name each number as it is shown, so that nobody loses the keys of persons under words about a disk.

use std::collections::BTreeSet;
use std::path::Path;

use ledger::audit::{Fault, Gone, Report};
use ledger::backup::root_at;
use ledger::witnessed::LogName;

use super::known::{Knowledge, Known};
use super::refuse;
use crate::error::Error;

/// The fewest letters that words which give something up must have.
const WORDS_MIN: usize = 20;

/// How many faults are listed; of more their number is said.
pub(super) const LISTED: usize = 20;

/// Entries of one log that are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    /// The record, or the access log.
    pub of: LogName,
    /// The name of the log.
    pub log: String,
    /// Whether it is the backup's own.
    pub own: bool,
    /// The position of the first that is lost.
    pub from: u64,
    /// The position after the last that is known of.
    pub upto: u64,
    /// Whether it cannot be told how many of them are in the backup all the same.
    pub at_most: bool,
    /// Who knows of them.
    pub source: String,
    /// What they have signed, if there is a note.
    pub note: Option<String>,
}

/// All that is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Entries, by log.
    pub entries: Vec<Entries>,
    /// Persons' keys that are gone.
    pub keys: Vec<Gone>,
    /// What does not fit besides, and is taken over.
    pub beside: Beside,
}

/// What does not fit in the access log, and in what erasures did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The first of them.
    pub list: Vec<Fault>,
    /// How many there are, listed or not.
    pub count: u64,
    /// How many of them are the access log's, of which something may be lost.
    pub of_access: u64,
}

impl Beside {
    /// How many of them there are, and what they may be.
    fn sentence(&self) -> String {
        let faults = count(self.count, "fault");
        match self.of_access {
            0 => format!(
                "{} of the backup's erasures, which nothing takes back.",
                capital(&faults)
            ),
            _ => format!(
                "{} of the backup, {} of them of the access log: what these say is not there, or does not fit, may be lost.",
                capital(&faults),
                self.of_access
            ),
        }
    }

    /// The first of them, and how many more there are.
    fn sentences(&self) -> Vec<String> {
        let fault = |fault: &Fault| format!("A fault of the backup, which stays: {fault}.");
        let mut sentences: Vec<String> = self.list.iter().map(fault).collect();
        let more = self.count.saturating_sub(self.list.len() as u64);
        if more > 0 {
            sentences.push(format!(
                "{} of the backup besides: `homecoming audit` of what was restored lists them.",
                capital(&count(more, "fault"))
            ));
        }
        sentences
    }
}

impl Losses {
    /// Holds what is known against the backup and its audit.
    pub fn of(knowledge: &Knowledge, from: &Path, report: &Report) -> Result<Losses, Error> {
        let mut losses = Losses {
            entries: Vec::new(),
            keys: report.destroyed_unsaid.clone(),
            beside: Beside::default(),
        };
        for known in &knowledge.known {
            let Some(lost) = lost(knowledge, known, from, report)? else {
                continue;
            };
            match losses.entries.iter_mut().find(|one| one.log == lost.log) {
                None => losses.entries.push(lost),
                // Whoever knows of more shares at least as much with the backup.
                Some(one) => {
                    let from = one.from.max(lost.from);
                    if (lost.upto, !lost.at_most) > (one.upto, !one.at_most) {
                        *one = lost;
                    }
                    one.from = from.min(one.upto);
                }
            }
        }
        Ok(losses)
    }

    /// Whether nothing is lost that anybody knows of, and nothing wrong is taken over.
    pub fn is_empty(&self) -> bool {
        !self.end_the_log() && self.beside.count == 0
    }

    /// Whether the log ends with them, and another begins.
    pub fn end_the_log(&self) -> bool {
        !self.entries.is_empty() || !self.keys.is_empty()
    }

    /// How many persons' keys are gone.
    pub fn persons(&self) -> u64 {
        let persons: BTreeSet<_> = self.keys.iter().map(|gone| gone.person).collect();
        persons.len() as u64
    }

    /// How many contents they sealed.
    pub fn contents(&self) -> u64 {
        self.keys.iter().map(|gone| gone.contents).sum()
    }

    /// Each loss in the words that whoever decides must use.
    pub fn phrases(&self) -> Vec<String> {
        let mut phrases: Vec<String> = self.entries.iter().map(Entries::phrase).collect();
        if !self.keys.is_empty() {
            phrases.push(format!("keys of {}", count(self.persons(), "person")));
            phrases.push(count(self.contents(), "content"));
        }
        if self.beside.count > 0 {
            phrases.push(count(self.beside.count, "fault"));
        }
        phrases
    }

    /// Each loss as a sentence, and the first faults, each as one.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = self.lost();
        sentences.extend(self.beside.sentences());
        sentences
    }

    /// Each loss as a sentence, and one for all faults.
    pub fn in_short(&self) -> Vec<String> {
        let mut sentences = self.lost();
        if self.beside.count > 0 {
            sentences.push(self.beside.sentence());
        }
        sentences
    }

    /// What can be said of the rest where nothing but faults is taken over.
    pub fn nothing_else(&self) -> &'static str {
        match self.beside.of_access {
            0 => "Nothing that is known of is lost.",
            _ => {
                "No entry and no key is known to be lost. Leaves of the access log may be, or what they told: each \
                 fault says it."
            }
        }
    }

    fn lost(&self) -> Vec<String> {
        let mut sentences: Vec<String> = self.entries.iter().map(Entries::sentence).collect();
        if !self.keys.is_empty() {
            sentences.push(format!(
                "The keys of {} are destroyed, and nothing in the backup says why: {} of theirs in it stay closed for \
                 good. Either an erasure is lost with the entry that told of it, or somebody destroyed them.",
                count(self.persons(), "person"),
                count(self.contents(), "content")
            ));
        }
        sentences
    }

    /// The words under which all of it is given up, if anything is lost.
    pub fn agreed<'w>(&self, size: u64, words: Option<&'w str>) -> Result<Option<&'w str>, Error> {
        let phrases: Vec<String> = self
            .phrases()
            .into_iter()
            .map(|phrase| format!("\"{phrase}\""))
            .collect();
        let what = match (self.end_the_log(), self.beside.count) {
            (true, 0) => "lost",
            (true, _) => "lost and taken over",
            (false, _) => "taken over",
        };
        let must = format!(
            "Say what happened and who decided, so that a stranger understands it in ten years, and name what is {what} \
             exactly so: {}. --lose-entries \"...\".",
            phrases.join(", ")
        );
        match (self.is_empty(), words.map(str::trim)) {
            (true, None) => Ok(None),
            (true, Some(_)) => Err(refuse(
                "Nothing would be lost as far as anybody knows, so --lose-entries has nothing to say. Leave it out."
                    .to_owned(),
            )),
            (false, None) => Err(refuse(format!(
                "Restoring this backup of {size} entries {}:\n- {}\nRestore {} backup. If there is none: {must} It will \
                 be on the record for good{}.",
                match self.end_the_log() {
                    true => "loses what is known to have been there",
                    false => "takes over what is wrong in it",
                },
                self.sentences().join("\n- "),
                match self.end_the_log() {
                    true => "a newer",
                    false => "another",
                },
                match self.end_the_log() {
                    true => ", and the record goes on as another log, because no witness signs for this one again",
                    false => "",
                },
            ))),
            (false, Some(words)) => {
                let letters = words.chars().filter(|c| c.is_alphabetic()).count();
                let long = letters >= WORDS_MIN && words.contains(' ');
                let named = self.phrases().iter().all(|phrase| names(words, phrase));
                match long && named {
                    true => Ok(Some(words)),
                    false => Err(refuse(format!(
                        "These words do not name all that is {what}:\n- {}\n{must}",
                        self.sentences().join("\n- ")
                    ))),
                }
            }
        }
    }
}

impl Entries {
    fn count(&self) -> u64 {
        self.upto - self.from
    }

    fn phrase(&self) -> String {
        let most = if self.at_most { "up to " } else { "" };
        let entries = count(self.count(), "entry");
        match (self.own, self.of) {
            (true, LogName::Record) => entries,
            (true, LogName::Access) => format!("{entries} of the access log"),
            (false, _) => format!("{most}{entries} of {}", self.log),
        }
    }

    fn sentence(&self) -> String {
        let Entries {
            log, from, source, ..
        } = self;
        let known = format!("{source} has {}", self.upto);
        match (self.own, self.count(), self.at_most) {
            (true, 1, _) => format!("Entry {from} of {log}: {known}."),
            (true, ..) => format!("Entries {from} to {} of {log}: {known}.", self.upto - 1),
            (false, 0, _) => format!(
                "The log {log}, which came after the backup's and ends here: {known}, all of which are in the backup."
            ),
            (false, _, false) => format!(
                "{} of another log of this programme, {log}, from {from} on: {known}.",
                capital(&count(self.count(), "entry"))
            ),
            (false, _, true) => format!(
                "{} of another log of this programme, {log}: {known}, and how many of them are in the backup cannot be \
                 told from here.",
                capital(&format!("up to {}", count(self.count(), "entry")))
            ),
        }
    }
}

/// What of that which somebody knows of is not in the backup.
fn lost(
    knowledge: &Knowledge,
    known: &Known,
    from: &Path,
    report: &Report,
) -> Result<Option<Entries>, Error> {
    let size = knowledge.size(known.of);
    let own = known.generation == knowledge.generation;
    let entries = |from: u64, at_most| Entries {
        of: known.of,
        log: known.log.clone(),
        own,
        from: from.min(known.size),
        upto: known.size,
        at_most,
        source: known.source.clone(),
        note: known.note.clone(),
    };
    if own {
        return Ok((known.size > size).then(|| entries(size, false)));
    }
    // An access log ends and begins with its record, which tells enough; a later one counts where nothing else is left
    // of that generation.
    if known.of == LogName::Access {
        let told = |one: &Known| one.of == LogName::Record && one.generation == known.generation;
        let alone = known.generation > knowledge.generation && !knowledge.known.iter().any(told);
        return Ok(alone.then(|| entries(0, true)));
    }
    let is_beginning =
        |root| Ok::<_, Error>(root_at(from, known.size).map_err(Error::open)? == root);
    let shared = match (known.shared, known.root) {
        (None, Some(root)) if known.size <= size && is_beginning(root)? => Some(known.size),
        (shared, _) => shared,
    };
    if known.generation > knowledge.generation {
        return Ok(Some(entries(shared.unwrap_or(0), shared.is_none())));
    }
    let told = report
        .restorations
        .iter()
        .filter(|restoration| restoration.ended.origin == known.log)
        .flat_map(|restoration| {
            let named = restoration.lost.iter().filter(|lost| lost.log == known.log);
            named.map(|lost| lost.upto).chain([restoration.position])
        })
        .max();
    let accounted = shared.into_iter().chain(told).max();
    Ok((known.size > accounted.unwrap_or(0))
        .then(|| entries(accounted.unwrap_or(0), accounted.is_none())))
}

/// Whether words have a phrase in them that does not go on in a longer word or number on either side.
fn names(words: &str, phrase: &str) -> bool {
    words.match_indices(phrase).any(|(at, _)| {
        let before = words[..at].chars().next_back();
        let after = words[at + phrase.len()..].chars().next();
        [before, after]
            .into_iter()
            .flatten()
            .all(|next| !next.is_alphanumeric())
    })
}

fn count(number: u64, what: &str) -> String {
    match (number, what) {
        (1, what) => format!("1 {what}"),
        (number, "entry") => format!("{number} entries"),
        (number, what) => format!("{number} {what}s"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_whole_and_the_first_are_listed() {
        let fault = |n: usize| Fault {
            position: None,
            what: format!("Leaf {n} of the access log is missing"),
        };
        let of = |count: u64, of_access: u64| Losses {
            beside: Beside {
                list: (0..LISTED.min(count as usize)).map(fault).collect(),
                count,
                of_access,
            },
            ..Losses::default()
        };
        let many = of(1_500, 1_499);
        assert_eq!(many.phrases(), ["1500 faults"]);
        let sentences = many.sentences();
        assert_eq!(sentences.len(), LISTED + 1);
        assert!(sentences[LISTED].starts_with("1480 faults of the backup besides"));
        let short = many.in_short();
        assert!(short[0].starts_with("1500 faults of the backup, 1499 of them of the access log"));
        assert_eq!(short.len(), 1);
        assert!(!many.nothing_else().contains("Nothing"));
        // An erasure past the rules loses nothing that is not lost already.
        let one = of(1, 0);
        assert_eq!(one.phrases(), ["1 fault"]);
        assert_eq!(one.sentences().len(), 1);
        assert!(one.nothing_else().contains("Nothing"));
        assert!(!one.end_the_log() && !one.is_empty());
        assert_eq!(of(0, 0), Losses::default());
    }

    #[test]
    fn a_number_is_named_whole_or_not_at_all() {
        let check = |words, expect| assert_eq!(names(words, "5 entries"), expect, "{words}");
        check("The disk failed; 5 entries are lost.", true);
        check("We lose 5 entries", true);
        check("We lose 15 entries, then", false);
        check("We lose 5 entriesx", false);
        check("15 entries or 5 entries", true);
        check("entries, five of them", false);
    }
}
