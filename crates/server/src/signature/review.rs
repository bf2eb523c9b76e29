//! Every signature on a record, held against the entry that it is of, by whoever audits it.

use std::ops::ControlFlow;
use std::path::Path;

use evidence::signature::{Flaw, Signed};
use ledger::Ledger;
use ledger::audit::{Fault, How};

/// How many lines are looked through at a time: a moment over all would keep a server's write-ahead log from being
/// folded in.
const PART: u64 = 65_536;

/// The signatures that do not fit. Without keys there are none to be read.
///
/// Where a line or a content is missing the looking ends: the audit of the record has said that it is, and nothing that
/// comes after is passed as sound.
pub fn faults(data: &Path, how: &How) -> Vec<Fault> {
    let Some(keys) = how.keys_now() else {
        return Vec::new();
    };
    let keys_of = how.keys_of.as_deref().unwrap_or(data);
    let Ok(ledger) = Ledger::open_with(data, keys_of, 1, keys) else {
        return Vec::new();
    };
    let (mut faults, mut from) = (Vec::new(), 0);
    loop {
        let (next, found) = part(&ledger, from);
        faults.extend(found.into_iter().filter_map(|at| fault(&ledger, at)));
        if next == from {
            return faults;
        }
        from = next;
    }
}

/// Where the part of the lines that begins here ends, and which of its entries may be signatures.
fn part(ledger: &Ledger, from: u64) -> (u64, Vec<u64>) {
    let (mut next, mut found) = (from, Vec::new());
    // What ends it too early ends the next part before it begins.
    let _ = ledger.scan(from, |raw| {
        next = raw.position + 1;
        if str::from_utf8(raw.line).is_ok_and(|line| line.contains(" Provenance/")) {
            found.push(raw.position);
        }
        match next - from < PART {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    (next, found)
}

/// What is wrong with the signature in an entry, if it is one and does not fit.
fn fault(ledger: &Ledger, at: u64) -> Option<Fault> {
    let content = ledger.content(at).ok()?;
    let signed = Signed::read(&content.stored, ledger.origin())?;
    let position = signed.statement.position;
    let fits = match ledger.entry(position).ok()? {
        Some(entry) => signed.check(&entry),
        None => Err(Flaw::OtherEntry),
    };
    let flaw = fits.err().filter(|flaw| flaw.shows_forgery())?;
    Some(Fault {
        position: Some(at),
        what: format!(
            "Entry {at}: the signature in it does not fit entry {position}: {flaw}. The programme records no such \
             signature, so one of the two was forged"
        ),
    })
}
