//! Reads by identity and by instant.

use index::{Error, Index};
use record::time::RecordedAt;

use crate::model::{self, Model};
use crate::scratch::{Random, Scratch};

/// One patient with many versions, now and then deleted, and another beside it.
fn long_history(versions: usize) -> Model {
    let random = &mut Random::new(5);
    let mut model = Model::default();
    for at in 0..versions {
        let values = (at % 7 != 6).then(|| model::values(random, "Patient"));
        let at = at as i64 * 10;
        model.add("Patient", "one", values, at, true);
        if at % 30 == 0 {
            model.add(
                "Patient",
                "two",
                Some(model::values(random, "Patient")),
                at + 5,
                true,
            );
        }
    }
    model
}

fn check(index: &Index, model: &Model) {
    for id in ["one", "two", "three"] {
        for size in 0..=model.size() {
            let expect = model.history("Patient", id, size);
            assert_eq!(
                index.history("Patient", id, size).unwrap(),
                expect,
                "{id} at {size}"
            );
            let at = index.version_at("Patient", id, size).unwrap();
            assert_eq!(at, expect.first().copied(), "{id} at {size}");
        }
        let now = model.history("Patient", id, model.size());
        assert_eq!(index.head("Patient", id).unwrap(), now.first().copied());
        for n in 0..=now.len() as u32 + 1 {
            let expect = now.iter().find(|found| found.version == n).copied();
            assert_eq!(index.version("Patient", id, n).unwrap(), expect, "{id}/{n}");
        }
    }
}

#[test]
fn versions_are_found_at_every_size_past_what_a_row_lists() {
    let model = long_history(200);
    let changes = model.changes();
    let live = Scratch::new();
    let index = Index::open(&live.index(), 1).unwrap();
    for change in &changes {
        index.apply(std::slice::from_ref(change)).unwrap();
    }
    check(&index, &model);
    let sorted = Scratch::new();
    let index = Index::open(&sorted.index(), 1).unwrap();
    let mut bulk = index.bulk();
    for change in &changes {
        bulk.push(change).unwrap();
    }
    bulk.finish().unwrap();
    check(&index, &model);
}

#[test]
fn an_instant_is_the_number_of_entries_recorded_until_then() {
    let model = long_history(30);
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    assert_eq!(index.recorded_bounds().unwrap(), None);
    assert_eq!(index.size_at(RecordedAt(7)).unwrap(), 0);
    index.apply(&model.changes()).unwrap();
    for instant in -3..310 {
        let at = RecordedAt(instant);
        assert_eq!(
            index.size_at(at).unwrap(),
            model.size_at(instant),
            "{instant}"
        );
        assert_eq!(
            index.size_before(at).unwrap(),
            model.size_at(instant - 1),
            "{instant}"
        );
    }
    let bounds = Some((RecordedAt(0), RecordedAt(290)));
    assert_eq!(index.recorded_bounds().unwrap(), bounds);
}

#[test]
fn what_no_index_holds_is_absent() {
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    assert_eq!(index.head("Patient", "one").unwrap(), None);
    assert_eq!(index.head("Nonsense", "one").unwrap(), None);
    assert_eq!(index.version_at("Patient", "one", 9).unwrap(), None);
    assert_eq!(index.version("Patient", "one", 1).unwrap(), None);
    assert!(index.history("Patient", "one", 9).unwrap().is_empty());
}

#[test]
fn changes_out_of_order_are_refused() {
    let model = long_history(10);
    let changes = model.changes();
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    let gap = index.apply(&changes[1..]);
    assert!(
        matches!(
            gap,
            Err(Error::Gap {
                expected: 0,
                position: 1
            })
        ),
        "{gap:?}"
    );
    let mut open = changes[0].clone();
    open.last_in_transaction = false;
    assert!(matches!(index.apply(&[open]), Err(Error::Unfinished)));
    let mut unknown = changes[0].clone();
    unknown.number = 77;
    assert!(matches!(
        index.apply(&[unknown]),
        Err(Error::Unknown { .. })
    ));
    assert_eq!(index.applied(), 0);
    index.apply(&changes).unwrap();
    check(&index, &model);
}
