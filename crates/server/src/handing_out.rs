//! What is handed out to a participant: their export.

use evidence::export::{Content, Export};
use ledger::access::{AccessLog, Disclosed};
use ledger::disclosure::Leaf;
use ledger::{Disclosures, Entry, Ledger};

use crate::error::{Error, ErrorKind};
use crate::release::Given;

/// The latest cosigned checkpoint of each log, as far as there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cosigned<'n> {
    /// The record's.
    pub record: Option<&'n str>,
    /// The access log's.
    pub access: Option<&'n str>,
}

/// A person's export and what it gives out.
///
/// It is complete as of the latest cosigned checkpoint, if that has a map of heads that counts
/// entries about the person, otherwise as of the newest checkpoint. Of the access log it has those leaves that
/// are wanted, as of its own latest cosigned checkpoint, if there is one.
pub fn export(
    ledger: &Ledger,
    access: &AccessLog,
    cosigned: Cosigned<'_>,
    patient: &str,
    wanted: &dyn Fn(&Disclosed) -> bool,
) -> Result<(Export, Given), Error> {
    if ledger.chain_head(patient).map_err(Error::ledger)?.is_none() {
        return Err(Error::new(
            ErrorKind::NotFound,
            "The record has nothing about this person.",
        ));
    }
    let under = |note: Option<&str>| {
        let disclosures = Disclosures {
            log: access,
            cosigned: cosigned.access,
            wanted,
        };
        let export = ledger.export(patient, note, Some(disclosures));
        export.map_err(Error::ledger)
    };
    let cosigned = cosigned.record.map(|note| under(Some(note))).transpose()?;
    let export = match cosigned.flatten() {
        Some(export) => export,
        None => under(None)?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "The record has not yet counted an entry about this person. It counts once a minute: try again then.",
            )
        })?,
    };
    let given = given(&export)?;
    Ok((export, given))
}

fn given(export: &Export) -> Result<Given, Error> {
    let mut given = Given::new();
    given.person(export.person);
    for item in &export.record.items {
        let entry = Entry::parse(item.line.as_bytes()).map_err(Error::internal)?;
        if matches!(item.content, Content::Here { .. }) {
            given.at(entry.position, Some(export.person));
        }
    }
    for item in export.access.iter().flat_map(|access| &access.items) {
        let leaf = Leaf::parse(item.line.as_bytes()).map_err(Error::internal)?;
        given.leaf(leaf.position, &[export.person]);
    }
    Ok(given)
}
