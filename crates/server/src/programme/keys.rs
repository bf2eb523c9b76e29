//! What is done to the keys of a programme, each act with its entry on the record.
//!
//! The entry comes first: keys that were handed out or put back without one would be worse than an
//! entry about an act that then failed, which whoever reads it can see from the keys.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use casework::erasure::Scope;
use evidence::erasure::{Act, GOVERNANCE};
use ledger::{Alias, Class, Expect, Keys, Ledger};
use seal::escrow::{self, Bundle, Escrowed, Slot};
use seal::shamir::Share;
use seal::{KeyError, Wrapping};

use super::{Actor, Batch, Draft, Offline};
use crate::erasure::plan;
use crate::error::{Error, ErrorKind};

/// What was done, by its code in [`GOVERNANCE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A new epoch, a new wrapping key, or both.
    Rotated,
    /// Another passphrase, or none.
    Passphrase,
    /// Shares were made.
    Escrowed,
    /// Keys came back from shares.
    Recovered,
}

impl Done {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Done::Rotated => "keys-rotated",
            Done::Passphrase => "keys-passphrase",
            Done::Escrowed => "keys-escrowed",
            Done::Recovered => "keys-recovered",
        }
    }
}

/// How the keys of a programme stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which epoch is written under.
    pub epoch: u32,
    /// How many keys there are, used or not, destroyed or not.
    pub made: u32,
    /// How many are in use, or were.
    pub used: u32,
    /// The keys that were destroyed.
    pub destroyed: Vec<u32>,
    /// Those of them that no erasure on the record accounts for, and no restoration.
    pub unaccounted: Vec<u32>,
    /// Those that were gone when the record was restored: each with the position of the entry that says so.
    pub restored: Vec<(u32, u64)>,
    /// Keys that an erasure on the record says are gone, and that are there.
    pub returned: Vec<u32>,
}

impl Standing {
    /// Reads how they stand, and compares with the erasures on the record.
    pub fn of(ledger: &Ledger) -> Result<Standing, Error> {
        let keyring = ledger.keys().ledger();
        let (used, epoch) = ledger.keys_in_use().map_err(Error::ledger)?;
        let destroyed: BTreeSet<u32> = keyring.destroyed().into_iter().collect();
        let erased = Erased::of(ledger)?;
        let mut unaccounted: BTreeSet<u32> = destroyed.difference(&erased.taken).copied().collect();
        let mut restored = Vec::new();
        if !unaccounted.is_empty() {
            for restoration in ledger.restorations().map_err(Error::ledger)? {
                let gone = restoration.gone.iter().map(|gone| gone.slot);
                let gone = gone.filter(|slot| unaccounted.remove(slot));
                restored.extend(gone.map(|slot| (slot, restoration.position)));
            }
        }
        Ok(Standing {
            epoch,
            made: keyring.len(),
            used,
            unaccounted: unaccounted.into_iter().collect(),
            restored,
            returned: erased.done.difference(&destroyed).copied().collect(),
            destroyed: destroyed.into_iter().collect(),
        })
    }
}

/// The keys that erasures on the record take away.
struct Erased {
    /// Destroyed ones: from the step on that comes before the first key is destroyed.
    taken: BTreeSet<u32>,
    /// Those of which an erasure that may take them says that they are gone, also if they are there.
    done: BTreeSet<u32>,
}

/// What lies under a key.
struct Beneath {
    /// The last entry.
    last: u64,
    /// Whom it is about.
    person: Option<Alias>,
    /// Of which class the content is.
    class: Class,
}

impl Beneath {
    /// Whether it is of the person whom an erasure is about, and in its scope.
    fn is_in(&self, act: &Act) -> bool {
        let scope = Scope::ALL
            .into_iter()
            .find(|scope| scope.code() == act.scope);
        self.person == Some(act.person)
            && scope.is_some_and(|scope| plan::covers(scope, self.class))
    }
}

impl Erased {
    fn of(ledger: &Ledger) -> Result<Erased, Error> {
        let destroyed: BTreeSet<u32> = ledger.keys().ledger().destroyed().into_iter().collect();
        let mut acts: Vec<Act> = Vec::new();
        let mut last: BTreeMap<u32, u64> = BTreeMap::new();
        let stopped = ledger
            .scan(0, |raw| {
                let slot = u32::try_from(raw.slot).ok();
                last.extend(slot.map(|slot| (slot, raw.position)));
                let is_task = raw.line.split(|b| *b == b' ').nth(6);
                if !is_task.is_some_and(|resource| resource.starts_with(b"Task/")) {
                    return ControlFlow::Continue(());
                }
                match ledger.unseal(&raw) {
                    Ok(content) => {
                        acts.extend(Act::read(&content.stored));
                        ControlFlow::Continue(())
                    }
                    Err(ledger::ReadError::Erased { .. }) => ControlFlow::Continue(()),
                    Err(error) => ControlFlow::Break(error),
                }
            })
            .map_err(Error::ledger)?;
        if let Some(error) = stopped {
            return Err(Error::ledger(error));
        }
        let named: BTreeSet<u32> = acts
            .iter()
            .filter_map(|act| act.goes.as_ref())
            .flat_map(|goes| goes.slots.iter().copied())
            .collect();
        let mut beneath = BTreeMap::new();
        for (slot, last) in last.into_iter().filter(|(slot, _)| named.contains(slot)) {
            let sealed = ledger.sealed_as(&[last]).map_err(Error::ledger)?;
            let entry = ledger.entry(last).map_err(Error::ledger)?;
            for (class, _) in sealed {
                let person = entry.as_ref().and_then(|entry| entry.person);
                beneath.insert(
                    slot,
                    Beneath {
                        last,
                        person,
                        class,
                    },
                );
            }
        }
        Ok(Erased::from(&acts, &destroyed, &beneath))
    }

    fn from(acts: &[Act], destroyed: &BTreeSet<u32>, beneath: &BTreeMap<u32, Beneath>) -> Erased {
        let mut erased = Erased {
            taken: BTreeSet::new(),
            done: BTreeSet::new(),
        };
        for act in acts {
            let Some(goes) = &act.goes else { continue };
            // Under a key that was never used lies nothing that an erasure may not take.
            let beneath = |slot: &u32| beneath.get(slot);
            let is_its = |slot: &&u32| beneath(slot).is_none_or(|beneath| beneath.is_in(act));
            let came_before =
                |slot: &&u32| beneath(slot).is_none_or(|beneath| beneath.last < goes.below);
            let its = goes.slots.iter().filter(is_its);
            let is_done = act.step == evidence::erasure::DONE;
            if is_done {
                erased.done.extend(its.clone());
            }
            if is_done || act.step == evidence::erasure::CARRYING_OUT {
                let taken = its.filter(|slot| destroyed.contains(slot));
                erased.taken.extend(taken.filter(came_before));
            }
        }
        erased
    }
}

/// Raises the epoch, changes the wrapping key, or both. Gives a sentence.
pub fn rotate(offline: &mut Offline, epoch: bool, wrapping: bool) -> Result<String, Error> {
    let mut done = Vec::new();
    if epoch {
        let number = offline.begin_epoch()?;
        done.push(format!(
            "Epoch {number} has begun: what is recorded from here on is sealed under new keys."
        ));
    }
    if wrapping {
        done.push(
            "The wrapping key is changed: copies of the keyrings from before open only with copies \
             of the programme's key from before."
                .to_owned(),
        );
    }
    let sentence = done.join(" ");
    note(offline, Done::Rotated, &sentence, None)?;
    if wrapping {
        let chance = offline.chance().clone();
        offline
            .keys()
            .rotate(&mut |bytes| chance.fill(bytes))
            .map_err(keys_error)?;
    }
    Ok(sentence)
}

/// Sets, changes or takes away the passphrase, and changes the wrapping key.
pub fn set_passphrase(offline: &mut Offline, passphrase: Option<&[u8]>) -> Result<String, Error> {
    let sentence = match passphrase {
        Some(_) => {
            "The keys have another passphrase and another wrapping key: copies of the programme's \
             key from before, which open with the passphrase from before, open no keyring from now on."
        }
        None => {
            "The keys have no passphrase any more: whoever can read the folder of the keys can read \
             the record."
        }
    };
    // The record must not tell of what this provider never does.
    offline.keys().may_have_passphrase().map_err(keys_error)?;
    note(offline, Done::Passphrase, sentence, None)?;
    let chance = offline.chance().clone();
    offline
        .keys()
        .set_passphrase(passphrase, &mut |bytes| chance.fill(bytes))
        .map_err(keys_error)?;
    Ok(sentence.to_owned())
}

/// Puts keys in escrow: those of one person, or the wrapping key. Gives the file and its shares.
pub fn escrow(
    offline: &mut Offline,
    person: Option<&str>,
    (need, of): (u8, u8),
) -> Result<(Bundle, Vec<Share>), Error> {
    let keys = offline.keys().clone();
    let (escrowed, of_what) = match person {
        None => (
            Escrowed::Wrapping(keys.wrapping().key().clone()),
            "The wrapping key".to_owned(),
        ),
        Some(id) => {
            let alias = offline.ledger().person(id);
            let slots = slots_of(offline.ledger(), id)?;
            (
                Escrowed::Person(alias.0, slots),
                format!("The keys of the person {alias}"),
            )
        }
    };
    let chance = offline.chance().clone();
    let words = |index| words(keys.programme(), person.is_some(), (need, of), index);
    let (bundle, shares) = escrow::seal(
        keys.programme(),
        &escrowed,
        (need, of),
        &words,
        &mut |bytes| chance.fill(bytes),
    )
    .map_err(|error| Error::new(ErrorKind::Malformed, sentence(&error.to_string())))?;
    let participant = match person {
        Some(_) => ", share 1 of them for the participant",
        None => "",
    };
    let noted = format!(
        "{of_what} went into escrow: {of} shares{participant}, any {need} of which open the file of set {}.",
        bundle.set
    );
    note(offline, Done::Escrowed, &noted, person)?;
    Ok((bundle, shares))
}

/// What a share says of itself.
fn words(programme: &str, person: bool, (need, of): (u8, u8), index: u8) -> String {
    let rest = match need - 1 {
        1 => "one more".to_owned(),
        more => format!("{more} more"),
    };
    match person {
        true => format!(
            "Share {index} of {of}{}. With {rest} of them and the file of escrowed keys that they \
             belong to, it brings back the keys to what {programme} has recorded about one person, if \
             they were destroyed without a lawful erasure; it also lets whoever has all that and a \
             copy of the record read it. Alone it says nothing. Keep it where nobody else looks.",
            match index {
                1 => ", for the participant",
                _ => ", for a trustee",
            }
        ),
        false => format!(
            "Share {index} of {of}. With {rest} of them, the file of escrowed keys that they belong \
             to and a copy of the keyrings of the same time, it opens everything that {programme} has \
             recorded. Alone it says nothing. Keep it where nobody else looks, and destroy it when \
             you are told that the wrapping key was changed."
        ),
    }
}

fn slots_of(ledger: &Ledger, person: &str) -> Result<Vec<Slot>, Error> {
    let mut slots = Vec::new();
    for used in ledger.slots_of(person).map_err(Error::ledger)? {
        match ledger.keys().ledger().key(used.slot) {
            Ok(key) => slots.push(Slot {
                class: used.class,
                epoch: used.epoch,
                slot: used.slot,
                key,
            }),
            Err(KeyError::Destroyed(_)) => {}
            Err(error) => return Err(Error::internal(error)),
        }
    }
    if slots.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            "There is nothing recorded about this person, or its keys were destroyed: there is \
             nothing to put in escrow.",
        ));
    }
    Ok(slots)
}

/// Puts one person's keys back that were destroyed. Refused if an erasure on the record accounts for
/// it, and if a key is not the one that sealed what is there. Gives a sentence.
pub fn recover(offline: &mut Offline, alias: Alias, slots: &[Slot]) -> Result<String, Error> {
    let keys = offline.keys().clone();
    let person = format!("~{alias}");
    let uses = offline.ledger().slots_of(&person).map_err(Error::ledger)?;
    let erased = Erased::of(offline.ledger())?;
    let mut missing = Vec::new();
    for slot in slots {
        let is_theirs = uses
            .iter()
            .any(|used| (used.slot, used.class, used.epoch) == (slot.slot, slot.class, slot.epoch));
        if !is_theirs {
            return Err(Error::new(
                ErrorKind::Refused,
                "These keys are not of this ledger: it does not use them for that person.",
            ));
        }
        match keys.ledger().key(slot.slot) {
            Err(KeyError::Destroyed(_)) => {}
            _ => continue,
        }
        if erased.taken.contains(&slot.slot) {
            return Err(Error::new(
                ErrorKind::Refused,
                "These keys were destroyed by an erasure that is on the record: two officers \
                 approved it. They are not put back; destroy the file and the shares.",
            ));
        }
        if offline
            .ledger()
            .fits(slot.slot, &slot.key)
            .map_err(Error::ledger)?
            == Some(false)
        {
            return Err(Error::new(
                ErrorKind::Refused,
                "A key in the file is not the one that sealed this person's record; nothing was put \
                 back.",
            ));
        }
        missing.push(slot);
    }
    if missing.is_empty() {
        return Ok("None of these keys is missing: there was nothing to put back.".to_owned());
    }
    let noted = format!(
        "{} of the keys of the person {alias}, destroyed without an erasure on the record, are put \
         back from escrow.",
        missing.len()
    );
    note(offline, Done::Recovered, &noted, Some(&person))?;
    for slot in missing {
        keys.ledger()
            .restore(slot.slot, &slot.key)
            .map_err(Error::internal)?;
    }
    Ok(noted)
}

/// After the keys were taken over with the wrapping key from escrow: notes it, and destroys again
/// what an erasure on the record says is gone, should these keyrings be older than it.
pub fn taken_over(offline: &mut Offline) -> Result<String, Error> {
    let noted = "The keys were taken over with the wrapping key from escrow.";
    note(offline, Done::Recovered, noted, None)?;
    let returned = Standing::of(offline.ledger())?.returned;
    if returned.is_empty() {
        return Ok(noted.to_owned());
    }
    let chance = offline.chance().clone();
    offline
        .keys()
        .destroy(&returned, &mut |bytes| chance.fill(bytes))
        .map_err(keys_error)?;
    Ok(format!(
        "{noted} {} keys that an erasure on the record had destroyed were in this copy; they are \
         destroyed again.",
        returned.len()
    ))
}

/// Whether a bundle's wrapping key is the one that is in use.
pub fn is_current(keys: &Keys, wrapping: &seal::Key) -> bool {
    Wrapping::new(wrapping.clone()).id() == keys.wrapping().id()
}

/// One entry: a Basic with the code and the sentence.
fn note(
    offline: &mut Offline,
    done: Done,
    sentence: &str,
    person: Option<&str>,
) -> Result<(), Error> {
    let id = offline.chance().id();
    let resource = serde_json::json!({
        "resourceType": "Basic",
        "id": id,
        "code": {
            "coding": [{ "system": GOVERNANCE, "code": done.code() }],
            "text": sentence,
        },
    });
    let stored = serde_json::to_vec(&resource).map_err(Error::internal)?;
    let draft = Draft::governance("Basic", &id, Expect::Absent, stored, person)?;
    let batch = Batch {
        actor: Actor {
            name: "operator".to_owned(),
            purpose: "HSYSADMIN".to_owned(),
        },
        at: None,
        drafts: vec![draft],
        mark: None,
    };
    let mut writing = offline.writing();
    for outcome in writing.write(vec![batch])? {
        outcome?;
    }
    writing.finish()
}

fn keys_error(error: ledger::keys::KeysError) -> Error {
    Error::open(error.into())
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use evidence::erasure::Goes;

    use super::*;

    const THEIRS: Alias = Alias([7; 16]);

    fn act(step: &str, scope: &str, slots: &[u32]) -> Act {
        Act {
            id: "task".to_owned(),
            person: THEIRS,
            step: step.to_owned(),
            scope: scope.to_owned(),
            delay: None,
            goes: Some(Goes {
                below: 100,
                slots: slots.to_vec(),
                ..Goes::default()
            }),
        }
    }

    #[test]
    fn an_erasure_accounts_for_what_it_may_take_and_for_nothing_else() {
        let of = |person, class, last| Beneath {
            last,
            person,
            class,
        };
        let beneath = BTreeMap::from([
            (1, of(Some(THEIRS), Class::Record, 99)),
            (2, of(Some(THEIRS), Class::Notes, 99)),
            // Written after it, of somebody else, the programme's own.
            (3, of(Some(THEIRS), Class::Notes, 100)),
            (4, of(Some(Alias([8; 16])), Class::Notes, 99)),
            (5, of(None, Class::Programme, 99)),
        ]);
        // Slot 6 has nothing beneath it, and 7 is still there.
        let destroyed: BTreeSet<u32> = (1..=6).collect();
        let all: Vec<u32> = (1..=7).collect();
        for (step, scope, taken, done) in [
            ("carrying-out", Scope::Record.code(), &[1, 2, 6][..], 0),
            ("carrying-out", Scope::Notes.code(), &[2, 6], 0),
            // What is there again, and what was written since, was gone all the same.
            ("done", Scope::Notes.code(), &[2, 6], 4),
            ("carrying-out", "everything", &[6], 0),
            ("approved", Scope::Record.code(), &[], 0),
        ] {
            let erased = Erased::from(&[act(step, scope, &all)], &destroyed, &beneath);
            let found: Vec<u32> = erased.taken.into_iter().collect();
            assert_eq!(found, taken, "{step} {scope}");
            assert_eq!(erased.done.len(), done, "{step} {scope}");
        }
    }
}
