//! Attack 9: the clock is tampered with.

use std::sync::Arc;

use server::chance::Chance;
use server::clock::Clock;
use server::programme::{self, About, Actor, Draft, Expect, Programme, Work};
use witness::{Folder as Memory, Witness};

use super::says;
use crate::served::{Folder, Served, log_key, programme as new_programme};
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

    witness.clock.set(now());
    served.until("homecoming_writes_refused", |value| value == 0.0);
    assert_eq!(put(&served, &token, "after").0, 201);
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
