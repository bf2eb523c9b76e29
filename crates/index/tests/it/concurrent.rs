//! A read as of a size gives the same answer while others write.

use std::sync::atomic::{AtomicBool, Ordering};

use index::{Index, Limits, Search};

use crate::model;
use crate::property::{self, QUERIES};
use crate::scratch::{Random, Scratch};

#[test]
fn searches_as_of_a_size_stand_still_while_others_write() {
    let model = property::ledger(&mut Random::new(31), 900);
    let changes = model.changes();
    let ends = model.ends();
    let half = *ends.iter().find(|end| **end >= 300).unwrap();
    let scratch = Scratch::new();
    let mut index = Index::open(&scratch.index(), 1).unwrap();
    index.set_checkpoint_changes(10);
    index.apply(&changes[..half as usize]).unwrap();
    let asked: Vec<_> = QUERIES
        .iter()
        .step_by(4)
        .flat_map(|(kind, query)| [half / 2, half].map(|size| (*kind, *query, size)))
        .map(|(kind, query, size)| {
            let criteria = model::criteria(kind, query);
            let expect = model.search(&criteria, size);
            (
                criteria,
                size,
                expect,
                format!("{kind}?{query} as of {size}"),
            )
        })
        .collect();
    let done = AtomicBool::new(false);
    let index = &index;
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let (done, asked, model) = (&done, &asked, &model);
            scope.spawn(move || {
                let mut random = Random::new(reader);
                let mut searches = 0;
                while !done.load(Ordering::Relaxed) || searches < 200 {
                    let (criteria, as_of, expect, name) = random.pick(asked);
                    let search = Search {
                        criteria,
                        as_of: *as_of,
                        count: 1_000,
                        after: None,
                        total: false,
                    };
                    assert_eq!(index.search(&search).unwrap().hits, *expect, "{name}");
                    let entry = random.pick(&model.entries[..half as usize]);
                    let history = model.history(entry.kind, &entry.id, half);
                    assert_eq!(index.history(entry.kind, &entry.id, half).unwrap(), history);
                    let at = index.version_at(entry.kind, &entry.id, half).unwrap();
                    assert_eq!(at, history.first().copied());
                    searches += 1;
                }
            });
        }
        let mut at = half as usize;
        for (turn, end) in ends.iter().filter(|end| **end > half).enumerate() {
            let end = *end as usize;
            if turn % 5 == 4 {
                let mut bulk = index.bulk_within(Limits {
                    changes: 2,
                    bytes: usize::MAX,
                });
                for change in &changes[at..end] {
                    bulk.push(change).unwrap();
                }
                bulk.finish().unwrap();
            } else {
                index.apply(&changes[at..end]).unwrap();
            }
            at = end;
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(index.applied(), model.size());
}
