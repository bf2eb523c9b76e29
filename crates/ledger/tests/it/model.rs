//! Random groups against a naive model, the ledger opened anew in between; the seed is in the failure's text.

use std::collections::HashMap;

use ledger::{Action, Committed, Expect, Refused, Transaction, Write, receipt};

use crate::world::{World, delete, transaction, write};

/// The record as anybody would write it down: all that was accepted, in order.
#[derive(Clone, Default)]
struct Naive {
    entries: Vec<(Write, u32, i64)>,
    current: HashMap<String, (u32, bool)>,
}

impl Naive {
    /// Whether a transaction is to be accepted; if so, it is written down.
    fn accept(&mut self, transaction: &Transaction, recorded_at: i64) -> bool {
        let mut after = self.clone();
        for write in &transaction.writes {
            let name = format!("{}/{}", write.kind, write.id);
            let known = after.current.get(&name).copied();
            let live = known.is_some_and(|(_, live)| live);
            let expected = match write.expect {
                Expect::Any => true,
                Expect::Absent => !live,
                Expect::Present => live,
                Expect::Version(version) => known.is_some_and(|(known, _)| known == version),
            };
            if !expected || (write.action == Action::Delete && !live) {
                return false;
            }
            let version = known.map_or(1, |(version, _)| version + 1);
            after
                .current
                .insert(name, (version, write.action != Action::Delete));
            after.entries.push((write.clone(), version, recorded_at));
        }
        *self = after;
        true
    }
}

fn random_transaction(world: &mut World) -> Transaction {
    let chance = &mut world.chance;
    let writes = (0..1 + chance.below(4))
        .map(|_| {
            let name = format!("Task/t{}", chance.below(12));
            let expect = match chance.below(6) {
                0 => Expect::Absent,
                1 => Expect::Present,
                2 => Expect::Version(1 + chance.below(4) as u32),
                _ => Expect::Any,
            };
            let person = ["anna", "omar", "0123456789abcdef"]
                .get(chance.below(4) as usize)
                .copied();
            match chance.below(4) {
                0 => delete(&name, expect),
                _ => write(
                    Action::Update,
                    &name,
                    expect,
                    person,
                    &"text ".repeat(chance.below(40) as usize),
                ),
            }
        })
        .collect();
    transaction(writes)
}

fn compare(world: &World, naive: &Naive, from: usize) {
    let reader = world.reader();
    assert_eq!(reader.size().unwrap(), naive.entries.len() as u64);
    let positions: Vec<u64> = (from as u64..naive.entries.len() as u64).collect();
    let read = reader.versions(&positions).unwrap();
    for ((entry, content), (write, version, recorded_at)) in read.iter().zip(&naive.entries[from..])
    {
        assert_eq!(content.stored, write.stored);
        assert_eq!((&entry.kind, entry.version), (&write.kind, *version));
        assert_eq!(entry.recorded_at.0, *recorded_at);
        assert_eq!(
            entry.action == Action::Delete,
            write.action == Action::Delete
        );
        assert_eq!(
            entry.person,
            write.person.as_deref().map(|person| reader.person(person))
        );
        let text = reader.receipt(entry.position).unwrap();
        receipt::verify(text.as_bytes(), Some(reader.verifier())).unwrap();
    }
}

fn run(seed: u64, groups: usize, reopen_one_in: u64) {
    let mut world = World::new(seed);
    let mut naive = Naive::default();
    for _ in 0..groups {
        let count = 1 + world.chance.below(5);
        let group: Vec<Transaction> = (0..count).map(|_| random_transaction(&mut world)).collect();
        let from = naive.entries.len();
        let outcomes: Vec<Result<Committed, Refused>> = world.commit(&group).unwrap();
        for (transaction, outcome) in group.iter().zip(&outcomes) {
            let recorded_at = outcome
                .as_ref()
                .map_or(0, |committed| committed.recorded_at.0);
            assert_eq!(
                naive.accept(transaction, recorded_at),
                outcome.is_ok(),
                "seed {seed}: {outcome:?}"
            );
        }
        if world.chance.below(reopen_one_in) == 0 {
            world.reopen();
        }
        compare(&world, &naive, from);
    }
    compare(&world, &naive, 0);
    assert_eq!(world.audit().faults, [], "seed {seed}");
}

#[test]
fn the_ledger_holds_what_a_naive_one_would() {
    for seed in 0..6 {
        run(seed, 40, 10);
    }
}

#[test]
fn the_ledger_can_be_opened_anew_at_every_point() {
    run(100, 120, 1);
}
