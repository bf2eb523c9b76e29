//! Attack 9: the clock is tampered with.

use std::sync::Arc;
use std::time::Duration;

use casework::erasure::{Scope, Step};
use server::chance::Chance;
use server::clock::Clock;
use server::programme::{self, About, Actor, AsOf, Draft, Expect, Programme, Work};
use witness::{Folder as Memory, Witness};

use super::says;
use crate::erasing::{PERSON, World};
use crate::served::{Folder, Served, get, log_key, programme as new_programme};
use crate::witnesses::put;

/// A witness in this process, whose clock the test sets.
struct Clocked {
    url: String,
    key: String,
    clock: Clock,
}

impl Clocked {
    fn start(folder: &Folder, log: &str, clock: Clock) -> Clocked {
        let memory = Memory::at(&folder.path().join("clocked")).expect("a folder");
        witness::create(&memory, "clocked", &mut |bytes| Chance::System.fill(bytes)).expect("made");
        witness::follow(&memory, &log.parse().expect("a key")).expect("followed");
        let witness = Witness::open(Box::new(memory)).expect("opened");
        let key = witness.keys().next().expect("a key").to_string();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let its_clock = clock.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                server::witnessing::serve(
                    listener,
                    Arc::new(witness),
                    its_clock,
                    std::future::pending(),
                )
                .await;
            });
        });
        Clocked { url, key, clock }
    }
}

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn a_clock_that_the_witness_contradicts_stops_writing_until_they_agree() {
    let folder = Folder::new("skew");
    let (data, token) = new_programme(&folder);
    let now = || Clock::System.now().0;
    let witness = Clocked::start(&folder, &log_key(&data), Clock::standing_at(now()));
    let policy = format!("witness w0 {} {}\nquorum w0\n", witness.key, witness.url);
    std::fs::write(format!("{data}/witness.policy"), policy).expect("written");
    let served = Served::start(&data);
    let skew = "homecoming_witness_clock_ahead_seconds{log=\"record\",witness=\"w0\"}";
    served.until(skew, |seconds| seconds.abs() < 60.0);
    assert_eq!(put(&served, &token, "before").0, 201);

    // The server's clock falls an hour behind, as the witness sees it.
    witness.clock.set(now() + HOUR_US);
    assert_eq!(put(&served, &token, "unnoticed").0, 201);
    served.until("homecoming_writes_refused", |value| value == 1.0);
    let (status, body) = put(&served, &token, "while");
    assert_eq!(status, 503, "{body}");
    says(
        &body,
        &[
            "clock is",
            "seconds behind the clock of the witness w0",
            "limit is 120",
            "Set the clock right",
        ],
    );

    // What is read is recorded with the earlier time, which does no harm.
    let read = served.url("/fhir/Basic/before");
    assert_eq!(get(&read, Some(&token)).0, 200);

    witness.clock.set(now());
    served.until("homecoming_writes_refused", |value| value == 0.0);
    assert_eq!(put(&served, &token, "after").0, 201);

    // An hour ahead: a leaf of that time would shut the log for an hour once the clock is right.
    witness.clock.set(now() - HOUR_US);
    served.until("homecoming_writes_refused", |value| value == 1.0);
    let (status, body) = get(&read, Some(&token));
    assert_eq!(status, 503, "{body}");
    says(
        &body,
        &[
            "Nothing is shown or recorded",
            "ahead of the clock of the witness w0",
            "Set the clock right",
        ],
    );
    assert_eq!(put(&served, &token, "ahead").0, 503);

    witness.clock.set(now());
    served.until("homecoming_writes_refused", |value| value == 0.0);
    assert_eq!(get(&read, Some(&token)).0, 200);
    assert_eq!(put(&served, &token, "right").0, 201);
}

/// An erasure's delay is counted by the clock, and what is erased cannot be brought back.
#[test]
fn nothing_is_erased_that_no_witness_has_confirmed_or_by_a_clock_that_one_contradicts() {
    let folder = Folder::new("skewed-erasure");
    let data = folder.path().join("data");
    let world = World::new(&data);
    let id = world.ready(Scope::Record);
    let now = world.clock.now().0;
    world.close();
    let witness = Clocked::start(
        &folder,
        &log_key(&folder.join("data")),
        Clock::standing_at(now),
    );
    let carried_out = |url: &str, its_clock: i64| {
        let policy = format!("witness w0 {} {url}\nquorum w0\n", witness.key);
        std::fs::write(data.join("witness.policy"), policy).expect("written");
        witness.clock.set(its_clock);
        let world = World::open(&data, now);
        let cosigning = world.programme.cosigning().clone();
        cosigning.start().expect("started");
        cosigning.asked(Duration::from_secs(60));
        let outcome = world.take(1, &id, Step::CarryOut);
        cosigning.stop();
        let view = world.programme.view(AsOf::Now);
        let is_there = view.read("Patient", PERSON).is_ok();
        assert_eq!(is_there, outcome.is_err());
        drop(view);
        world.close();
        outcome.map_err(|error| error.message)
    };
    // The witness is away; its clock is a month behind, because ours was set ahead; it agrees.
    let away = carried_out("http://127.0.0.1:1", now).expect_err("refused");
    says(
        &away,
        &["Nothing is erased at present", "have not confirmed"],
    );
    let ahead = carried_out(&witness.url, now - 30 * 24 * HOUR_US).expect_err("refused");
    says(&ahead, &["ahead of the clock of the witness w0"]);
    carried_out(&witness.url, now).expect("erased");
}

/// Without any witness, too: what is recorded later never has the earlier time.
#[test]
fn a_clock_that_is_set_back_never_takes_the_recorded_time_back() {
    let folder = Folder::new("set-back");
    let data = folder.path().join("data");
    let about = About {
        name: "Set back".to_owned(),
        demo: Vec::new(),
        erasure_delay_days: None,
        complaints: None,
    };
    let clock = Clock::System.now().0;
    let clock = Clock::standing_at(clock);
    let start = clock.now().0;
    programme::create(&data, &about, None, &Chance::System).expect("made");
    let keys = ledger::open_keys(&data, None).expect("keys");
    let programme = Programme::open(
        &data,
        keys,
        clock.clone(),
        Chance::System,
        &mut |_, _| {},
        Box::new(|why| panic!("{why}")),
    )
    .expect("opened");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let write = |id: &str| {
        let stored = format!("{{\"resourceType\":\"Basic\",\"id\":\"{id}\"}}").into_bytes();
        let draft = Draft::stored("Basic", id, Expect::Any, stored).expect("a draft");
        let actor = Actor {
            name: "tests".to_owned(),
            purpose: "TREAT".to_owned(),
        };
        runtime.block_on(programme.submit(actor, Work::Ready(vec![draft])))
    };
    let mut last = write("a").expect("taken").recorded_at;
    for (set_to, is_taken) in [
        (start - 60_000_000, true),
        (start - HOUR_US, false),
        (start - 400 * 24 * HOUR_US, false),
        (-1, false),
        (start + 1, true),
    ] {
        clock.set(set_to);
        match write("a") {
            Ok(committed) => {
                assert!(is_taken, "{set_to}");
                assert!(committed.recorded_at > last, "{set_to}");
                last = committed.recorded_at;
            }
            Err(error) => {
                assert!(!is_taken, "{set_to}: {error}");
                says(&error.message, &["clock", "Nothing was written"]);
            }
        }
    }
}
