//! Opening: what is kept, what is thrown away and said so.

use std::path::Path;

use index::{Error, Index, Opened};

use crate::model::{self, Model};
use crate::scratch::{Random, Scratch};

fn small() -> Model {
    let random = &mut Random::new(3);
    let mut model = Model::default();
    for at in 0..40 {
        let id = format!("r{}", at % 9);
        model.add(
            "Patient",
            &id,
            Some(model::values(random, "Patient")),
            at,
            true,
        );
    }
    model
}

fn written(dir: &Path, model: &Model) {
    let index = Index::open(dir, 1).unwrap();
    assert_eq!(*index.opened(), Opened::Empty);
    index.apply(&model.changes()).unwrap();
}

#[test]
fn an_index_that_was_closed_is_kept() {
    let model = small();
    let scratch = Scratch::new();
    written(&scratch.index(), &model);
    let index = Index::open(&scratch.index(), 1).unwrap();
    assert_eq!(*index.opened(), Opened::Kept);
    assert_eq!(index.applied(), model.size());
    let head = index.head("Patient", "r3").unwrap();
    assert_eq!(head, model.history("Patient", "r3", 40).first().copied());
}

#[test]
fn an_index_of_other_definitions_is_replaced() {
    let model = small();
    let scratch = Scratch::new();
    written(&scratch.index(), &model);
    let index = Index::open(&scratch.index(), 2).unwrap();
    assert!(
        matches!(index.opened(), Opened::Replaced { .. }),
        "{:?}",
        index.opened()
    );
    assert_eq!(index.applied(), 0);
    index.apply(&model.changes()).unwrap();
    assert_eq!(index.applied(), model.size());
}

#[test]
fn an_open_index_is_not_opened_twice_nor_deleted() {
    let model = small();
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    index.apply(&model.changes()).unwrap();
    assert!(matches!(
        Index::open(&scratch.index(), 1).err(),
        Some(Error::Busy)
    ));
    assert!(matches!(
        Index::open(&scratch.index(), 2).err(),
        Some(Error::Busy)
    ));
    assert_eq!(index.head("Patient", "r3").unwrap().unwrap().version, 5);
}

/// Every file, in turn: emptied, cut in half, or with a byte changed. The index
/// opens with what it has, or is replaced; it never refuses to open.
#[test]
fn a_damaged_index_opens_or_is_replaced() {
    let model = small();
    let scratch = Scratch::new();
    let whole = scratch.path().join("whole");
    {
        let index = Index::open(&whole, 1).unwrap();
        let mut bulk = index.bulk();
        let changes = model.changes();
        for change in &changes[..30] {
            bulk.push(change).unwrap();
        }
        bulk.finish().unwrap();
        index.apply(&changes[30..]).unwrap();
    }
    let mut replaced = 0;
    let files = files_below(&whole);
    assert!(files.len() > 5);
    for file in &files {
        for damage in 0..3 {
            let dir = scratch.index();
            copy(&whole, &dir);
            let path = dir.join(file);
            let mut bytes = std::fs::read(&path).unwrap();
            match damage {
                0 => bytes.clear(),
                1 => bytes.truncate(bytes.len() / 2),
                _ => {
                    let Some(at) = bytes.iter().rposition(|b| *b != 0) else {
                        continue;
                    };
                    bytes[at / 2] ^= 0x40;
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            let index = Index::open(&dir, 1).unwrap();
            assert!(index.applied() <= model.size());
            if let Opened::Replaced { .. } = index.opened() {
                replaced += 1;
                index.apply(&model.changes()).unwrap();
                assert_eq!(index.head("Patient", "r3").unwrap().unwrap().version, 5);
            }
            drop(index);
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
    assert!(replaced > 0);
}

fn files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => out.push(path.strip_prefix(dir).unwrap().to_owned()),
            }
        }
    }
    out.sort();
    out
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(&file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), target).unwrap();
    }
}
