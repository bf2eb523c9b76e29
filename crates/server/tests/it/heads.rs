//! Where each person's chain ends is on the record: after an import, and while a server runs.

use std::time::Duration;

use ledger::Ledger;
use ledger::heads::{self, Map};
use server::chance::Chance;
use server::clock::Clock;
use server::programme::{self, About, Actor, AsOf, Batch, Draft, Expect, Offline, Programme, Work};

use crate::served::Folder;

const START_US: i64 = 1_772_352_000_000_000;

fn patient(id: &str) -> Draft {
    let stored = format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}").into_bytes();
    Draft::stored("Patient", id, Expect::Any, stored).expect("a draft")
}

fn actor() -> Actor {
    Actor {
        name: "client/tests".to_owned(),
        purpose: "TREAT".to_owned(),
    }
}

/// The map that the entry at a position holds, checked against the chains.
fn map_at(ledger: &Ledger, position: u64) -> Map {
    let content = ledger.content(position).expect("the entry is there");
    let map = Map::read(&content.stored).expect("it is a map");
    let heads = ledger.heads_at(map.size).expect("the chains can be read");
    assert_eq!(Some(map.root), heads::root(&heads));
    assert_eq!(map.persons, heads.len() as u64);
    map
}

#[test]
fn the_ends_of_all_chains_are_recorded_after_an_import_and_while_a_server_runs() {
    let folder = Folder::new("heads");
    let data = folder.path().join("data");
    let about = About {
        name: "Heads".to_owned(),
        demo: Vec::new(),
        erasure_delay_days: None,
        complaints: None,
    };
    let (clock, chance) = (Clock::standing_at(START_US), Chance::seeded(7));
    let keys = programme::create(&data, &about, None, &chance).expect("a new programme");
    let mut offline = Offline::open(
        &data,
        keys.clone(),
        clock.clone(),
        Chance::seeded(8),
        &mut |_, _| {},
    )
    .expect("it opens");
    let mut writing = offline.writing();
    let batch = Batch {
        actor: actor(),
        at: None,
        drafts: vec![patient("a"), patient("b"), patient("a")],
        mark: None,
    };
    for outcome in writing.write(vec![batch]).expect("it is written") {
        outcome.expect("it is accepted");
    }
    writing.finish().expect("it is finished");
    let map = map_at(offline.ledger(), 3);
    assert_eq!((map.size, map.persons), (3, 2));
    // Nothing new, no new map.
    offline.writing().finish().expect("it is finished");
    assert_eq!(offline.ledger().size().expect("a size"), 4);
    drop(offline);

    let on_fatal = Box::new(|why: &dyn std::fmt::Display| panic!("{why}"));
    let programme = Programme::open(&data, keys, clock.clone(), chance, &mut |_, _| {}, on_fatal)
        .expect("it opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime
        .block_on(programme.submit(actor(), Work::Ready(vec![patient("c")])))
        .expect("it is written");
    let stands = || {
        programme
            .view(AsOf::Now)
            .stands(heads::KIND, heads::ID)
            .expect("the index can be read")
    };
    // A minute has not gone by yet.
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(stands(), Some(1));
    clock.set(START_US + 61_000_000);
    for _ in 0..200 {
        if stands() == Some(2) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(stands(), Some(2));
    let map = map_at(programme.ledger(), 5);
    assert_eq!((map.size, map.persons), (5, 3));
}
