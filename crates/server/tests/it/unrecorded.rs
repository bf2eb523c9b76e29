//! The attack of reading without a trace, by pulling the plug: the server is killed under a load of
//! reads, at random moments, again and again. Every answer that a reader ever got is on the access
//! log afterwards, and the log verifies.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledger::access::AccessLog;

use crate::crash::Seeded;
use crate::disclosures::keys;
use crate::served::{Folder, Served, homecoming, programme};

/// How often it is killed. `HOMECOMING_KILLS` sets another number.
const KILLS: u64 = 60;

/// How many clients read at once.
const CLIENTS: u64 = 8;

/// Reads until the server is gone; every read has an address of its own.
fn read_until_gone(served: &Served, token: &str, marks: &AtomicU64, answered: &Mutex<Vec<String>>) {
    let agent = ureq::Agent::new_with_defaults();
    loop {
        let mark = marks.fetch_add(1, Ordering::Relaxed);
        let path = match mark % 3 {
            0 => format!("/fhir/Patient?_id=p,n{mark}"),
            1 => format!("/fhir/Patient/p/_history?_count={}", 1 + mark),
            _ => format!("/fhir/Observation?patient=p&identifier=n{mark}"),
        };
        let answer = agent
            .get(served.url(&path))
            .header("Authorization", &format!("Bearer {token}"))
            .call();
        let Ok(mut answer) = answer else { return };
        // An answer whose head has come has been let go.
        answered.lock().expect("no reader panics").push(path);
        if answer.body_mut().read_to_string().is_err() {
            return;
        }
    }
}

#[test]
fn no_read_was_ever_answered_that_is_not_on_the_log() {
    let from = |name: &str, otherwise| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let (seed, kills) = (from("HOMECOMING_SEED", 1), from("HOMECOMING_KILLS", KILLS));
    println!("seed {seed}, {kills} kills");
    let mut seeded = Seeded(seed);
    let folder = Folder::new("unrecorded");
    let (data, token) = programme(&folder);
    let marks = AtomicU64::new(0);
    let mut served = Served::start(&data);
    let put = ureq::put(served.url("/fhir/Patient/p"))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(r#"{"resourceType":"Patient","id":"p"}"#)
        .expect("it is written");
    assert_eq!(put.status().as_u16(), 201);
    let mut all = Vec::new();
    for _ in 0..kills {
        let answered = Mutex::new(Vec::new());
        let delay = Duration::from_micros(1_000 + seeded.below(60_000));
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| read_until_gone(&served, &token, &marks, &answered));
            }
            std::thread::sleep(delay);
            std::process::Command::new("kill")
                .args(["-9", &served.pid().to_string()])
                .status()
                .expect("kill runs");
        });
        drop(served);
        // What is on the disk, before anything starts that could put it right.
        let logged = addresses(&data);
        let answered = answered.into_inner().expect("no reader panics");
        for path in &answered {
            assert!(
                logged.contains(path),
                "{path} was answered and left no trace"
            );
        }
        all.extend(answered);
        served = Served::start(&data);
    }
    drop(served);
    let logged = addresses(&data);
    for path in &all {
        assert!(logged.contains(path), "the trace of {path} was lost later");
    }
    println!("{} answered, {} on the log", all.len(), logged.len());
    assert!(
        all.len() as u64 > kills,
        "hardly anything was read; the test shows nothing"
    );
    let audit = homecoming(&["audit", "--data", &data]);
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

fn addresses(data: &str) -> HashSet<String> {
    let log = AccessLog::open(Path::new(data), keys(data)).expect("the access log opens");
    let all = log.before(u64::MAX, 10_000_000).expect("it reads");
    all.into_iter()
        .filter_map(|one| one.told)
        .map(|told| told.address)
        .collect()
}
