//! Who signed the entries of an export, with keys of their own.

use super::Problem;
use crate::entry::Entry;
use crate::signature::{Proof, Signed};

/// What is to be said about the signatures in a file.
#[derive(Default)]
pub(super) struct Signatures {
    /// A sentence for each that fits and is the signer's own key's.
    pub proved: Vec<String>,
    /// A sentence for each that cannot be checked, or that the server alone vouches for.
    pub not_proved: Vec<String>,
    /// How many entries have a signature of a key of the signer's own.
    pub signed: usize,
}

impl Signatures {
    /// Of these entries, with what each holds. One that does not fit is a fault: nobody could have recorded it as it
    /// is.
    pub fn of(entries: &[(Entry, Option<Vec<u8>>)], log: &str) -> Result<Signatures, Problem> {
        let mut found = Signatures::default();
        let mut signed = Vec::new();
        for (entry, stored) in entries {
            let Some(one) = stored
                .as_deref()
                .and_then(|stored| Signed::read(stored, log))
            else {
                continue;
            };
            let position = one.statement.position;
            let target = entries.iter().find(|(entry, _)| entry.position == position);
            let what = match target {
                Some((target, _)) => format!("Entry {position} ({})", target.kind),
                None => format!("Entry {position}"),
            };
            // What is not in the file may still not be what this key signed.
            let checked = match target {
                Some((target, _)) => one.check(target),
                None => one.check_alone(),
            };
            match (checked, &one.proof) {
                (Err(flaw), _) if flaw.shows_forgery() => {
                    return Err(Problem::Signature {
                        position,
                        signature: entry.position,
                        flaw,
                    });
                }
                _ if target.is_none() => found.not_proved.push(format!(
                    "What entry {} signs: entry {position} is not in this file.",
                    entry.position
                )),
                (Err(flaw), _) => {
                    found
                        .not_proved
                        .push(format!("That {what} was {one}: {flaw}."));
                }
                (Ok(()), Proof::Passkey(_)) => {
                    signed.push(position);
                    found.proved.push(format!(
                        "{what} was {one}, a key that the server does not have. The signature fits it as it is here."
                    ));
                }
                (Ok(()), Proof::Server) => {
                    found.not_proved.push(format!("That {what} was {one}."));
                }
            }
        }
        signed.sort_unstable();
        signed.dedup();
        found.signed = signed.len();
        if found.signed > 0 {
            found.not_proved.push(
                "Whose the passkeys are: compare their numbers with what the signers have under their names, or \
                 with the entries that say when each was set up."
                    .to_owned(),
            );
        }
        Ok(found)
    }
}
