//! What was forgotten is nowhere: not in what can be asked, not in a byte of the files.

use std::collections::BTreeSet;
use std::path::Path;

use index::{Forgotten, Index, Search};
use record::search::Indexed;

use crate::model::{self, Model, Value, param};
use crate::property::{self, QUERIES};
use crate::scratch::{Random, Scratch};

/// Whether any file below a folder holds these bytes.
fn in_files(folder: &Path, needle: &[u8]) -> bool {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path)
                .unwrap()
                .windows(needle.len())
                .any(|window| window == needle)
            {
                return true;
            }
        }
    }
    false
}

fn patient(family: &str) -> Vec<Value> {
    vec![
        (
            param("Patient", "family"),
            Indexed::String(family.to_owned().into()),
        ),
        (
            param("Patient", "identifier"),
            Indexed::Token {
                system: Some("urn:numbers".into()),
                code: Some(format!("{family}-number").into()),
            },
        ),
    ]
}

/// A ledger in which every tenth patient has a name that is found nowhere else.
fn ledger(entries: usize) -> Model {
    let mut model = Model::default();
    for at in 0..entries {
        let person = at % (entries / 5);
        let version = at / (entries / 5);
        let id = format!("id{person:05}");
        let family = match person {
            7 => format!("kwunmatchedv{version}"),
            _ => format!("family{person:05}v{version}"),
        };
        let values = (at % 17 != 16).then(|| patient(&family));
        let gone = values.is_none() && !model.entries.iter().any(|e| e.id == id && !e.deleted);
        let values = if gone { Some(patient(&family)) } else { values };
        model.add("Patient", &id, values, at as i64, true);
    }
    model
}

/// The ledger as it reads when the contents at `erased` cannot be opened any more.
fn without(model: &Model, erased: &BTreeSet<u64>) -> Model {
    let mut left = Model::default();
    for (at, entry) in model.entries.iter().enumerate() {
        let values = (!entry.deleted && !erased.contains(&(at as u64))).then(|| {
            record::search::Values::new(&entry.values)
                .iter()
                .map(|(id, value)| (id, value.into_owned()))
                .collect()
        });
        left.add(
            entry.kind,
            &entry.id,
            values,
            entry.recorded_at,
            entry.last_in_transaction,
        );
    }
    left
}

fn fill(index: &Index, model: &Model, live: bool) {
    let changes = model.changes();
    if live {
        let mut from = 0;
        for end in model.ends() {
            index.apply(&changes[from..end as usize]).unwrap();
            from = end as usize;
        }
    } else {
        let mut bulk = index.bulk();
        for change in &changes {
            bulk.push(change).unwrap();
        }
        bulk.finish().unwrap();
    }
}

#[test]
fn no_byte_of_what_was_forgotten_is_in_a_file() {
    let model = ledger(600);
    // Person 7 has versions 1 to 5, one in a memory that never reached a file.
    let id = "id00007";
    let erased: BTreeSet<u64> = (0..600).filter(|at| at % 120 == 7).collect();
    for live in [true, false] {
        let scratch = Scratch::new();
        let mut index = Index::open(&scratch.index(), 1).unwrap();
        index.set_checkpoint_changes(90);
        fill(&index, &model, live);
        index.checkpoint().unwrap();
        // Blocks are compressed: what stands first in one is there as it is.
        index.compact().unwrap();
        assert!(
            in_files(&scratch.index(), b"kwunmatched"),
            "the test looks for what was never there"
        );
        let number = index.head("Patient", id).unwrap().unwrap().number;
        let forgotten = Forgotten {
            kind: "Patient",
            id,
            erased: &erased,
        };
        assert_eq!(index.forget(&[forgotten]).unwrap(), 5);
        index.purge().unwrap();
        for trace in [&b"kwunmatched"[..], b"unmatch", b"matchedv"] {
            assert!(!in_files(&scratch.index(), trace), "{trace:?} is in a file");
        }
        let head = index.head("Patient", id).unwrap().unwrap();
        assert_eq!((head.number, head.version, head.deleted), (number, 5, true));
        assert!(
            index
                .history("Patient", id, 600)
                .unwrap()
                .iter()
                .all(|v| v.deleted)
        );
        for query in ["family=kwunmatched", "identifier=kwunmatchedv3-number"] {
            for size in [100, 300, 600] {
                assert!(
                    hits(&index, "Patient", query, size).is_empty(),
                    "{query} as of {size}"
                );
            }
        }
        // A neighbour is found as before.
        assert_eq!(
            hits(&index, "Patient", "family=family00008v2", 300).len(),
            1
        );
        // Again, and after closing: nothing is found to forget, and nothing comes back.
        assert_eq!(index.forget(&[forgotten]).unwrap(), 5);
        index.purge().unwrap();
        drop(index);
        let index = Index::open(&scratch.index(), 1).unwrap();
        assert_eq!(index.applied(), 600);
        assert_eq!(index.head("Patient", id).unwrap(), Some(head));
        assert!(!in_files(&scratch.index(), b"unmatch"));
    }
}

fn hits(index: &Index, kind: &str, query: &str, size: u64) -> Vec<(u64, u32)> {
    let criteria = model::criteria(kind, query);
    let page = index
        .search(&Search {
            criteria: &criteria,
            as_of: size,
            count: 1_000,
            after: None,
            total: false,
        })
        .unwrap();
    page.hits
        .iter()
        .map(|hit| (hit.position, hit.version))
        .collect()
}

/// An index that forgot answers every search, as of every size, as one that was made from a ledger
/// in which the contents cannot be read; some resources lose all their versions, some only a few.
#[test]
fn forgetting_comes_to_the_same_as_never_having_known() {
    for seed in 0..6 {
        let random = &mut Random::new(900 + seed);
        let model = property::ledger(random, 400);
        let mut erased = BTreeSet::new();
        let mut ids: Vec<(&str, String)> = model
            .entries
            .iter()
            .map(|entry| (entry.kind, entry.id.clone()))
            .collect();
        ids.sort();
        ids.dedup();
        let mut chosen = Vec::new();
        for (kind, id) in &ids {
            let wholly = random.one_in(3);
            let partly = !wholly && random.one_in(4);
            let places = model.entries.iter().enumerate();
            let places = places.filter(|(_, entry)| entry.kind == *kind && entry.id == *id);
            let mine: BTreeSet<u64> = places
                .map(|(at, _)| at as u64)
                .filter(|_| wholly || (partly && random.one_in(2)))
                .collect();
            if !mine.is_empty() {
                erased.extend(mine.iter().copied());
                chosen.push((*kind, id.clone(), mine));
            }
        }
        assert!(chosen.len() > 3, "seed {seed} erases next to nothing");
        let expect = without(&model, &erased);
        let (one, two) = (Scratch::new(), Scratch::new());
        let index = Index::open(&one.index(), 1).unwrap();
        fill(&index, &model, seed % 2 == 0);
        let forgotten: Vec<Forgotten<'_>> = chosen
            .iter()
            .map(|(kind, id, erased)| Forgotten { kind, id, erased })
            .collect();
        index.forget(&forgotten).unwrap();
        let anew = Index::open(&two.index(), 1).unwrap();
        fill(&anew, &expect, false);
        for purged in [false, true] {
            if purged {
                index.purge().unwrap();
            }
            for (kind, query) in QUERIES {
                for size in [0, 57, 200, 311, 400] {
                    assert_eq!(
                        hits(&index, kind, query, size),
                        hits(&anew, kind, query, size),
                        "seed {seed}: {kind}?{query} as of {size}, purged: {purged}"
                    );
                }
            }
            for (kind, id) in &ids {
                assert_eq!(
                    index.history(kind, id, 400).unwrap(),
                    anew.history(kind, id, 400).unwrap(),
                    "seed {seed}: {kind}/{id}"
                );
            }
        }
        // And the two go on alike.
        let mut more = expect;
        more.add(
            "Patient",
            "someone-new",
            Some(patient("later")),
            1_000_000,
            true,
        );
        let change = &more.changes()[400..];
        index.apply(change).unwrap();
        anew.apply(change).unwrap();
        assert_eq!(hits(&index, "Patient", "family=later", 401).len(), 1);
    }
}
