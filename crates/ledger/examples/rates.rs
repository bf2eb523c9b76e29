//! Measures the ledger alone: `cargo run --release -p ledger --example rates -- RESOURCES DIR [ENTRIES] [GROUP]`.
//!
//! RESOURCES is a directory of resources in the stored form, one file each, as
//! `tools/dictionary.mjs` writes the held-out ones. They are appended under fresh
//! ids until there are ENTRIES (100,000), GROUP (1,000) to a commit, then read back.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measuring takes the time and prints it"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use ledger::{Action, Appender, Class, Expect, Head, Heads, Ledger, Transaction, Write};
use record::time::RecordedAt;

struct Nothing;

impl Heads for Nothing {
    fn head(&self, _: &str, _: &str) -> Option<Head> {
        None
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    fn id(&mut self) -> String {
        let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
        let (a, b) = (self.next(), self.next());
        (0..16)
            .map(|i| {
                let bits = if i < 8 {
                    a >> (5 * i)
                } else {
                    b >> (5 * (i - 8))
                };
                char::from(alphabet[(bits & 31) as usize])
            })
            .collect()
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(resources), Some(dir)) = (args.next(), args.next()) else {
        eprintln!("usage: rates RESOURCES DIR [ENTRIES] [GROUP]");
        std::process::exit(2);
    };
    let entries: usize = args
        .next()
        .map_or(100_000, |n| n.parse().expect("a number"));
    let group: usize = args.next().map_or(1_000, |n| n.parse().expect("a number"));
    let dir = Path::new(&dir);
    let mut chance = Chance(1);

    let mut files: Vec<_> = std::fs::read_dir(resources)
        .expect("a directory")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    let resources: Vec<String> = files
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("text"))
        .collect();

    let began = (Instant::now(), cpu());
    let mut packed = 0;
    let mut all = Vec::with_capacity(entries);
    let mut person = chance.id();
    for i in 0..entries {
        let resource = &resources[i % resources.len()];
        let (kind, old) = ledger::content::name(resource.as_bytes()).expect("the stored form");
        let id = chance.id();
        if kind == "Patient" {
            person.clone_from(&id);
        }
        let stored = resource.replacen(old, &id, 1).into_bytes();
        let body = ledger::content::compress(&stored);
        packed += body.len();
        all.push(Write {
            kind: kind.to_owned(),
            id,
            action: Action::Create,
            expect: Expect::Absent,
            person: Some(person.clone()),
            class: Class::Record,
            stored,
            packed: body,
        });
    }
    report("prepare and compress", entries, began);
    let plain: usize = all.iter().map(|write| write.stored.len()).sum();
    println!(
        "  {} bytes each, packed {}",
        plain / entries,
        packed / entries
    );

    std::fs::remove_dir_all(dir).ok();
    let keys = ledger::create(dir, "example.org/rates", None, &mut |bytes| {
        chance.fill(bytes)
    })
    .expect("made");
    let mut appender = Appender::open(dir, keys).expect("opened");
    let keys = appender.keys().clone();
    let mut groups: Vec<Transaction> = Vec::new();
    let mut all = all.into_iter().peekable();
    while all.peek().is_some() {
        groups.push(Transaction {
            actor: "import".to_owned(),
            purpose: "HOPERAT".to_owned(),
            writes: all.by_ref().take(group).collect(),
            source: None,
        });
    }
    let mut now = 1_767_225_600_000_000;
    let began = (Instant::now(), cpu());
    for transaction in &groups {
        let outcome = appender.commit(
            std::slice::from_ref(transaction),
            &mut || {
                now += 1_000;
                RecordedAt(now)
            },
            &mut |salt| chance.fill(salt),
            &Nothing,
        );
        outcome.expect("committed").remove(0).expect("accepted");
    }
    report("append", entries, began);
    appender.checkpoint_truncate().expect("folded");
    let bytes: u64 = ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"]
        .iter()
        .filter_map(|name| std::fs::metadata(dir.join(name)).ok())
        .map(|about| about.len())
        .sum();
    println!(
        "  {} bytes on disk for each entry",
        bytes as usize / entries
    );

    let began = (Instant::now(), cpu());
    drop(appender);
    Appender::open(dir, keys.clone()).expect("opened");
    report("open again", 1, began);

    let reader = Ledger::open(dir, 2, keys.clone()).expect("opened");
    let places: Vec<u64> = (0..200_000)
        .map(|_| chance.next() % entries as u64)
        .collect();
    for round in ["cold", "warm"] {
        println!("{round}:");
        let began = (Instant::now(), cpu());
        for place in &places {
            black_box(reader.content(*place).expect("there"));
        }
        report("content, one by one", places.len(), began);
        let began = (Instant::now(), cpu());
        for place in &places {
            black_box(reader.version(*place).expect("there"));
        }
        report("version, one by one", places.len(), began);
        let began = (Instant::now(), cpu());
        for fifty in places.chunks(50) {
            black_box(reader.versions(fifty).expect("there"));
        }
        report("versions, fifty at once", places.len(), began);
        let began = (Instant::now(), cpu());
        for fifty in places.chunks(50) {
            black_box(reader.contents(fifty).expect("there"));
        }
        report("contents, fifty at once", places.len(), began);
    }
    let began = (Instant::now(), cpu());
    for place in &places[..2_000] {
        black_box(reader.receipt(*place).expect("there"));
    }
    report("receipt", 2_000, began);
    let began = (Instant::now(), cpu());
    let mut seen = 0;
    reader
        .scan::<()>(0, |raw| {
            seen += reader.unseal(&raw).expect("sound").stored.len();
            std::ops::ControlFlow::Continue(())
        })
        .expect("scanned");
    report("scan and unpack", entries, began);
    black_box(seen);
    let began = (Instant::now(), cpu());
    let report_ =
        ledger::audit::audit(dir, &ledger::audit::How::with(&keys), &mut |_| {}).expect("audited");
    assert!(report_.faults.is_empty());
    report("audit", entries, began);
}

fn report(what: &str, count: usize, (began, cpu_before): (Instant, f64)) {
    let seconds = began.elapsed().as_secs_f64();
    let cpu_us = (cpu() - cpu_before) * 1e6 / count as f64;
    println!(
        "{what:<26} {:>10.0} a second, {:>8.2} us each, {cpu_us:>8.2} us of CPU",
        count as f64 / seconds,
        seconds * 1e6 / count as f64
    );
}

/// Seconds of CPU that this process has used; 0 where the system does not say.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |at: usize| {
        after
            .split_whitespace()
            .nth(at)
            .and_then(|n| n.parse::<f64>().ok())
    };
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}
