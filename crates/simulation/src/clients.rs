//! What clients send: random transactions about a few persons and resources, so that they meet.

use ledger::{Action, Expect, ImportMark, Transaction, Write};

use seal::Class;

use crate::chance::Chance;

/// How many resources there are to write.
const RESOURCES: u64 = 10;

/// Their kinds.
pub const KINDS: [&str; 4] = ["Observation", "Task", "Communication", "Basic"];

/// What their status may be, of the kinds that have one.
pub const STATUSES: [&str; 3] = ["final", "completed", "preliminary"];

/// The persons that entries are about: some with ids that say something, one drawn by lot.
pub const PERSONS: [&str; 4] = ["anna", "omar", "0123456789abcdef", "ruth"];

/// The source that imports come from.
pub const SOURCE: &[u8] = b"a file";

/// What texts are made of: what JSON has as it is.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How many letters of six bits a word of 64 gives.
const LETTERS_IN_WORD: usize = 10;

/// A group of transactions, as the server gathers them while the one before is synced.
pub fn group(chance: &mut Chance, large: bool) -> Vec<Transaction> {
    let count = match chance.below(4) {
        0 => 1 + chance.below(6),
        1 => 2,
        _ => 1,
    };
    (0..count).map(|_| transaction(chance, large)).collect()
}

fn transaction(chance: &mut Chance, large: bool) -> Transaction {
    let count = match chance.below(5) {
        0 => 2 + chance.below(4),
        _ => 1,
    };
    Transaction {
        actor: format!("user/{}", chance.below(3)),
        purpose: "TREAT".to_owned(),
        writes: (0..count).map(|_| write(chance, large)).collect(),
        source: chance.one_in(6).then(|| ImportMark {
            source: SOURCE.to_vec(),
            part: chance.below(8),
        }),
    }
}

fn write(chance: &mut Chance, large: bool) -> Write {
    let number = chance.below(RESOURCES);
    let kind = KINDS[(number % KINDS.len() as u64) as usize];
    let id = match number % 3 {
        0 => format!("r{number}"),
        _ => format!("{number:x}bcdefghjkmnpqrs"),
    };
    let expect = match chance.below(8) {
        0 => Expect::Absent,
        1 => Expect::Present,
        2 => Expect::Version(1 + chance.below(3) as u32),
        _ => Expect::Any,
    };
    let delete = chance.one_in(6);
    let stored = match delete {
        true => format!(r#"{{"resourceType":"{kind}","id":"{id}"}}"#),
        false => {
            let (status, text) = (*chance.pick(&STATUSES), text(chance, large));
            format!(
                r#"{{"resourceType":"{kind}","id":"{id}","status":"{status}","text":"{text}"}}"#
            )
        }
    }
    .into_bytes();
    // Resources keep to their person, as records do, but for a few that move.
    let person = match chance.below(10) {
        0 => Some(*chance.pick(&PERSONS)),
        _ => PERSONS.get((number % 5) as usize).copied(),
    };
    Write {
        kind: kind.to_owned(),
        id,
        action: match delete {
            true => Action::Delete,
            false => Action::Update,
        },
        expect,
        person: person.map(str::to_owned),
        class: match (person, chance.below(8)) {
            (None, _) => Class::Programme,
            (_, 0) => Class::Notes,
            _ => Class::Record,
        },
        packed: ledger::content::compress(&stored),
        stored,
    }
}

/// Letters of six bits each, of which nothing can be packed but that: from nothing to several pages of the database.
fn text(chance: &mut Chance, large: bool) -> String {
    let words = match chance.below(20) {
        0 if large => 500 + chance.below(3_000),
        1 | 2 => chance.below(200),
        _ => chance.below(8),
    };
    let mut text = String::with_capacity(words as usize * LETTERS_IN_WORD);
    for _ in 0..words {
        let word = chance.next();
        let letter = |at: usize| char::from(LETTERS[(word >> (6 * at)) as usize % LETTERS.len()]);
        text.extend((0..LETTERS_IN_WORD).map(letter));
    }
    text
}
