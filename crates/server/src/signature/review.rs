//! Every signature on a record, held against the entry that it is of, by whoever audits it.

use std::path::Path;

use evidence::signature::{Flaw, Signed};
use ledger::Ledger;
use ledger::audit::{Fault, How};

/// The signatures that do not fit. Without keys there are none to be read. A line or a content that does not read is
/// passed over: the audit of the record has said so.
pub fn faults(data: &Path, how: &How) -> Vec<Fault> {
    let Some(keys) = how.keys_now() else {
        return Vec::new();
    };
    let keys_of = how.keys_of.as_deref().unwrap_or(data);
    let opened = Ledger::open_with(data, keys_of, 1, keys)
        .map_err(|error| error.to_string())
        .and_then(|ledger| match ledger.size() {
            Ok(size) => Ok((ledger, size)),
            Err(error) => Err(error.to_string()),
        });
    match opened {
        Ok((ledger, size)) => (0..size)
            .filter(|at| is_signature(&ledger, *at))
            .filter_map(|at| fault(&ledger, at))
            .collect(),
        Err(why) => vec![Fault {
            position: None,
            what: format!("The signatures could not be looked at: {why}"),
        }],
    }
}

fn is_signature(ledger: &Ledger, at: u64) -> bool {
    let entry = ledger.entry(at);
    entry.is_ok_and(|entry| entry.is_some_and(|entry| entry.kind == "Provenance"))
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
