//! What somebody was shown of persons in a time: for a warrant and for a break-glass.

use ledger::Alias;
use ledger::access::Disclosed;

use super::Asked;
use super::access::{Lookup, what_was_asked};
use crate::error::Error;
use crate::permit::leaf::Shown;
use crate::release::Given;
use crate::standing::names_task;
use crate::web::layout;
use crate::web::warrant::Read;
use crate::web::when::RecordedAt;

/// How many readings are listed.
const LISTED_MAX: usize = 200;

/// Who was shown it, of whom, and when.
pub struct Wanted<'w> {
    /// The reader's names as an actor.
    pub readers: &'w [String],
    /// Of these persons; of everybody without any.
    pub persons: &'w [Alias],
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// Whether the persons are named to whoever looks.
    pub named: bool,
    /// The id of the Task that it was read under. A leaf that names another is left out; one that names none
    /// is of before they did, or its content was erased.
    pub task: String,
}

/// The readings, newest first, and how many more there are.
pub fn reads(
    asked: &Asked,
    wanted: &Wanted<'_>,
    given: &mut Given,
) -> Result<(Vec<Read>, u64), Error> {
    let log = asked.programme.access();
    let bound = super::access::bound(asked)?;
    let size_at = |at: i64| {
        log.size_at(record::time::RecordedAt(at))
            .map_err(Error::ledger)
    };
    let (first, last) = (
        size_at(wanted.from - 1)?,
        size_at(wanted.until - 1)?.min(bound),
    );
    let mut positions: Vec<u64> = match wanted.persons {
        [] => (first..last).rev().collect(),
        persons => {
            let mut positions = Vec::new();
            for person in persons {
                let about = log.positions_about(*person, last, usize::MAX);
                let about = about.map_err(Error::ledger)?;
                positions.extend(about.into_iter().take_while(|position| *position >= first));
            }
            positions
        }
    };
    positions.sort_unstable_by(|a, b| b.cmp(a));
    positions.dedup();
    let mut whom = Lookup::new(asked);
    let mut reads = Vec::new();
    let mut more = 0;
    for position in positions {
        let Some(one) = log.leaf(position).map_err(Error::ledger)? else {
            continue;
        };
        if one.persons.is_empty() || !is_under(wanted, &one) {
            continue;
        }
        if reads.len() >= LISTED_MAX {
            more += 1;
            continue;
        }
        given.leaf(position, &one.persons);
        reads.push(read(&mut whom, &one, wanted.named)?);
    }
    Ok((reads, more))
}

/// Whether it was read under the Task that is asked about: it says so, or it says nothing and was read by
/// whom that Task names.
fn is_under(wanted: &Wanted<'_>, one: &Disclosed) -> bool {
    let basis = one.told.as_ref().map(|told| &told.basis);
    let rests = basis.map(|basis| [basis.warrant.as_str(), basis.break_glass.as_str()]);
    match rests {
        Some(rests) if rests != ["", ""] => {
            rests.iter().any(|tasks| names_task(tasks, &wanted.task))
        }
        _ => wanted.readers.contains(&one.leaf.actor),
    }
}

fn read(whom: &mut Lookup<'_>, one: &Disclosed, named: bool) -> Result<Read, Error> {
    let leaf = &one.leaf;
    let shown = Shown {
        persons: match named {
            true => one.persons.clone(),
            false => Vec::new(),
        },
        is_whole: named,
    };
    let (about, others) = whom.about(one, &shown)?;
    let names: Vec<&str> = about.iter().map(|one| one.name.as_str()).collect();
    let others = match others {
        0 => String::new(),
        others if about.is_empty() => layout::counted(others, "person", "persons"),
        others => format!(" and {others} more"),
    };
    Ok(Read {
        position: leaf.position,
        at: RecordedAt(leaf.recorded_at.0),
        what: what_was_asked(
            leaf,
            one.told
                .as_ref()
                .filter(|_| named)
                .map(|told| told.address.as_str()),
        ),
        whose: format!("{}{others}", names.join("; ")),
        versions: leaf.versions,
    })
}
