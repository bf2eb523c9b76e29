//! A process that writes is killed, again and again, and starts where the
//! index says.

use std::process::{Command, Stdio};
use std::time::Duration;

use index::{Index, Limits, Opened};

use crate::model::Model;
use crate::property::{self, QUERIES};
use crate::scratch::{Random, Scratch};

const FOLDER: &str = "HOMECOMING_INDEX_TEST_FOLDER";
const ENTRIES: usize = 2_500;

fn the_ledger() -> Model {
    property::ledger(&mut Random::new(77), ENTRIES)
}

/// The writer: live in small groups, then in bulk, by turns; with checkpoints
/// and runs every few changes. Runs only when the test below starts it.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let model = the_ledger();
    let mut index = Index::open(folder.as_ref(), 1).unwrap();
    assert!(
        !matches!(index.opened(), Opened::Replaced { .. }),
        "{:?}",
        index.opened()
    );
    index.set_checkpoint_changes(25);
    let changes = model.changes();
    let ends = model.ends();
    let mut stretch = 0;
    while index.applied() < model.size() {
        let from = index.applied() as usize;
        let to = *ends
            .iter()
            .find(|end| **end as usize >= from + 60)
            .unwrap_or(&model.size()) as usize;
        stretch += 1;
        if stretch % 3 == 0 {
            let limits = Limits {
                changes: 15,
                bytes: usize::MAX,
            };
            let mut bulk = index.bulk_within(limits);
            for change in &changes[from..to] {
                bulk.push(change).unwrap();
            }
            bulk.finish().unwrap();
            continue;
        }
        let mut at = from;
        while at < to {
            let end = *ends.iter().find(|end| **end as usize > at).unwrap() as usize;
            index.apply(&changes[at..end]).unwrap();
            at = end;
        }
    }
}

#[test]
fn a_killed_writer_goes_on_where_the_index_says() {
    let scratch = Scratch::new();
    let random = &mut Random::new(6);
    let mut kills: u64 = 0;
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed::writer", "--exact"])
            .env(FOLDER, scratch.index())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Longer each time, so that a slow machine comes to an end too.
        let life = 5 + random.below(60) as u64 + 3 * kills;
        std::thread::sleep(Duration::from_millis(life));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the writer failed");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills < 300, "it never ends");
    }
    let model = the_ledger();
    let index = Index::open(&scratch.index(), 1).unwrap();
    assert_eq!(
        (index.opened(), index.applied()),
        (&Opened::Kept, model.size())
    );
    assert!(kills > 2, "killed {kills} times");
    for (kind, query) in QUERIES.iter().step_by(3) {
        for size in [model.size() / 3, model.size()] {
            property::check(&index, &model, kind, query, size, 40, 77);
        }
    }
    for entry in &model.entries {
        let history = model.history(entry.kind, &entry.id, model.size());
        assert_eq!(
            index.history(entry.kind, &entry.id, model.size()).unwrap(),
            history
        );
    }
}
