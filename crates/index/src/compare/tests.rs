//! The worked example of ARCHITECTURE.md, with every key of every map tampered with.

use std::path::PathBuf;

use record::search::Indexed;

use super::*;
use crate::{Change, Prepared, prepare};

/// A patient, and an observation that changes, is deleted and returns.
fn example(index: &Index) {
    let param = |kind: &str, code: &str| parameters().lookup(kind, code).unwrap().id;
    let patient = prepare(
        "Patient",
        &[(param("Patient", "family"), Indexed::String("Reyes".into()))],
    );
    let observation = |status: &'static str| {
        let mut values = vec![
            (
                param("Observation", "status"),
                Indexed::Token {
                    system: None,
                    code: Some(status.into()),
                },
            ),
            (
                param("Observation", "patient"),
                Indexed::Reference {
                    kind: Some("Patient"),
                    id: "a".into(),
                },
            ),
        ];
        values.sort_by_key(|(id, _)| *id);
        prepare("Observation", &values)
    };
    let versions: [(u64, u64, &str, u32, bool, Prepared); 5] = [
        (0, 0, "a", 1, false, patient),
        (1, 1, "b", 1, false, observation("preliminary")),
        (2, 1, "b", 2, false, observation("final")),
        (3, 1, "b", 3, true, prepare("Observation", &[])),
        (4, 1, "b", 4, false, observation("final")),
    ];
    for (position, number, id, version, deleted, prepared) in &versions {
        let change = Change {
            position: *position,
            recorded_at: RecordedAt(*position as i64 * 3_600_000_000),
            number: *number,
            id: (*id).into(),
            version: *version,
            deleted: *deleted,
            prepared,
            last_in_transaction: true,
        };
        index.apply(&[change]).unwrap();
    }
}

fn scratch(name: &str) -> PathBuf {
    let name = format!("homecoming-compare-{}-{name}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

fn differences(found: &Index, expected: &Index) -> Vec<String> {
    let mut said = Vec::new();
    found
        .compare(expected, None, Stride::default(), &mut |told| {
            if let Told::Difference(difference) = told {
                said.push(difference.to_string());
            }
        })
        .unwrap();
    said
}

/// From every place that is told, the rest is the rest.
#[test]
fn a_comparison_goes_on_from_any_place() {
    let (expected, found) = (scratch("places-expected"), scratch("places"));
    let expected_index = Index::open(&expected, 1).unwrap();
    let index = Index::open(&found, 1).unwrap();
    example(&expected_index);
    example(&index);
    // Something is amiss in every map.
    for space in SPACES {
        let (key, _) = index
            .store()
            .scan(space, Bound::Unbounded, Bound::Unbounded)
            .last()
            .unwrap()
            .unwrap();
        let mut batch = index.store().batch().unwrap();
        batch.remove(space, &key);
        batch.finish(5);
    }
    let all = differences(&index, &expected_index);
    assert_eq!(all.len(), 5, "{all:#?}");
    let from = |place: Option<&Place>| {
        let (mut said, mut places) = (Vec::new(), Vec::new());
        index
            .compare(&expected_index, place, Stride(1), &mut |told| match told {
                Told::Difference(difference) => said.push(difference.to_string()),
                Told::Reached(place, _) => places.push((place, said.len())),
            })
            .unwrap();
        (said, places)
    };
    let (said, places) = from(None);
    assert_eq!(said, all);
    assert!(places.len() > 20, "{}", places.len());
    for (place, before) in &places {
        let kept = Place::from_bytes(&place.to_bytes()).unwrap();
        assert_eq!(&kept, place);
        assert_eq!(from(Some(&kept)).0, all[*before..], "{place:?}");
    }
    assert_eq!(Place::from_bytes(&[]), None);
    assert_eq!(Place::from_bytes(&[6, 1]), None);
    drop((index, expected_index));
    std::fs::remove_dir_all(expected).unwrap();
    std::fs::remove_dir_all(found).unwrap();
}

/// Every key of every map is taken out, given another value, and doubled under another key; each is found.
#[test]
fn whatever_is_dropped_altered_or_added_is_found() {
    let (expected, found) = (scratch("expected"), scratch("found"));
    let expected_index = Index::open(&expected, 1).unwrap();
    let index = Index::open(&found, 1).unwrap();
    example(&expected_index);
    example(&index);
    assert_eq!(differences(&index, &expected_index), [""; 0]);
    let mut planted = 0;
    for space in SPACES {
        let all: Vec<(Vec<u8>, Vec<u8>)> = index
            .store()
            .scan(space, Bound::Unbounded, Bound::Unbounded)
            .map(|entry| {
                let (key, value) = entry.unwrap();
                (key.to_vec(), value.to_vec())
            })
            .collect();
        assert!(!all.is_empty(), "{space:?}");
        let write = |key: &[u8], value: Option<&[u8]>| {
            let mut batch = index.store().batch().unwrap();
            match value {
                Some(value) => batch.put(space, key, value),
                None => batch.remove(space, key),
            }
            batch.finish(5);
        };
        for (key, value) in &all {
            write(key, None);
            let said = differences(&index, &expected_index);
            assert_eq!(said.len(), 1, "{space:?} {key:?}: {said:?}");
            let mut other = value.clone();
            match other.first_mut() {
                Some(first) => *first = first.wrapping_add(2),
                None => other = vec![0, 3],
            }
            write(key, Some(&other));
            let said = differences(&index, &expected_index);
            assert_eq!(said.len(), 1, "{space:?} {key:?}: {said:?}");
            write(key, Some(value));
            let mut besides = key.clone();
            *besides.last_mut().unwrap() ^= 0x40;
            write(&besides, Some(value));
            let said = differences(&index, &expected_index);
            assert_eq!(said.len(), 1, "{space:?} {besides:?}: {said:?}");
            write(&besides, None);
            assert_eq!(differences(&index, &expected_index), [""; 0]);
            planted += 3;
        }
    }
    assert!(planted > 60, "{planted}");
    drop((index, expected_index));
    std::fs::remove_dir_all(expected).unwrap();
    std::fs::remove_dir_all(found).unwrap();
}

/// What is said, by one example of each kind.
#[test]
fn a_difference_says_where_and_what() {
    let (expected, found) = (scratch("says-expected"), scratch("says"));
    let expected_index = Index::open(&expected, 1).unwrap();
    let index = Index::open(&found, 1).unwrap();
    example(&expected_index);
    example(&index);
    let posting = |code: &str, value: &str, number: u64| {
        let kind = crate::kind_number("Observation").unwrap();
        let id = parameters().lookup("Observation", code).unwrap().id;
        let mut key = Vec::new();
        key::put_field(&mut key, kind, Field::param(id.0));
        key::put_hash(&mut key, crate::prepare::token_hash(value), key::HASH);
        key.extend_from_slice(&key::u40(number));
        key
    };
    let mut batch = index.store().batch().unwrap();
    batch.remove(Space::Posting, &posting("status", "preliminary", 1));
    batch.put(Space::Posting, &posting("status", "final", 1), &[1, 1]);
    batch.put(Space::Posting, &posting("status", "amended", 1), &[]);
    batch.remove(Space::Past, &key::past(1, 2));
    let mut head = Vec::new();
    let wrong = Head {
        number: 1,
        position: 2,
        version: 2,
        deleted: false,
    };
    wrong.write(&mut head);
    let kind = crate::kind_number("Observation").unwrap();
    batch.put(Space::Head, &key::head(kind, "b"), &head);
    batch.remove(Space::Row, &key::u40(0));
    batch.remove(Space::Time, &key::time(7_200_000_000));
    batch.finish(5);
    let mut said = differences(&index, &expected_index);
    said.sort();
    let mut expect = [
        "the Observation that began with entry 1 is not found by `status`, under a value that it had from entry 1 to entry 2",
        "the Observation that began with entry 1 is found by `status` from entry 2 to entry 3, and had the value from entry 2 to entry 3, since entry 4",
        "the Observation that began with entry 1 is found by `status`, under a value that it never had, since entry 1",
        "the earlier version at entry 2 of the resource that began with entry 1 is not there",
        "the Observation that began with entry 1 is found by its id as version 2 of entry 2, not as version 4 of entry 4",
        "the newest version of the resource that began with entry 0 is not there",
        "it does not know that 3 entries were recorded by 1970-01-01T02:00:00.000000Z",
    ];
    expect.sort_unstable();
    assert_eq!(said, expect);
    drop((index, expected_index));
    std::fs::remove_dir_all(expected).unwrap();
    std::fs::remove_dir_all(found).unwrap();
}
