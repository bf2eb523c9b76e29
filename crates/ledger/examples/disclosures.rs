//! For maintainers: what recording disclosures costs, by how many share a flush, and what auditing them does.
//!
//!     cargo run --release -p ledger --example disclosures -- FOLDER
//!
//! The folder should lie on the disk that is to be measured; what is made in it is removed.
#![expect(clippy::print_stdout, reason = "measuring prints")]

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use evidence::disclosure::{Told, What};
use ledger::access::{Draft, Recorder};
use ledger::audit::How;
use ledger::{Alias, Appender, RecordedAt};

/// How long each group size is measured.
const SECONDS: f64 = 3.0;

/// How many leaves are audited, at least.
const AUDITED: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let dir = Path::new(&folder).join(format!("disclosures-{}", std::process::id()));
    let mut state = 1u64;
    let mut chance = move |bytes: &mut [u8]| {
        for b in bytes {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            *b = (state >> 56) as u8;
        }
    };
    let keys = ledger::create(&dir, "example.org/disclosures", None, &mut chance)?;
    let appender = Appender::open(&dir, keys.clone())?;
    let mut recorder = Recorder::open(&dir, &appender)?;
    println!("leaves a flush | leaves/s | flushes/s | CPU ms a leaf");
    let mut now = 1_800_000_000_000_000i64;
    // One group of so many, from a number on.
    let mut flush = |from: usize, size: usize| -> Result<(), Box<dyn std::error::Error>> {
        let group: Vec<Draft> = (0..size).map(|n| draft(from + n)).collect();
        let mut clock = || {
            now += 10;
            RecordedAt(now)
        };
        recorder
            .commit(&group, &mut clock, &mut chance)?
            .map_err(|e| e.to_string())?;
        Ok(())
    };
    let mut all = 0;
    for size in [1usize, 8, 64, 512] {
        let (mut leaves, mut flushes) = (0usize, 0u32);
        let (wall, cpu) = (wall()?, cpu()?);
        while (self::wall()? - wall).as_secs_f64() < SECONDS {
            flush(leaves, size)?;
            leaves += size;
            flushes += 1;
        }
        let seconds = (self::wall()? - wall).as_secs_f64();
        let cpu_ms = (self::cpu()? - cpu).as_secs_f64() * 1e3 / leaves as f64;
        println!(
            "{size:>14} | {:>8.0} | {:>9.0} | {cpu_ms:>13.4}",
            leaves as f64 / seconds,
            f64::from(flushes) / seconds
        );
        all += leaves;
    }
    while all < AUDITED {
        flush(all, 512)?;
        all += 512;
    }
    drop(recorder);
    drop(appender);
    let file = dir.join("access.sqlite");
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    for turn in 1..=3 {
        let began = wall()?;
        let mut bytes = Vec::new();
        std::fs::File::open(&file)?.read_to_end(&mut bytes)?;
        let read = (wall()? - began).as_secs_f64().max(0.01);
        let (began, cpu) = (wall()?, cpu_of_all()?);
        let report = ledger::access::audit(&dir, &How::with(&keys), &mut |_| {})?;
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        let seconds = (wall()? - began).as_secs_f64();
        println!(
            "audit, turn {turn}: {} leaves, {:.0} leaves/s, {:.0} MB/s of rows, {:.1} CPU s a million; \
             the file has {:.0} MB and is read at {:.0} MB/s",
            report.leaves,
            report.leaves as f64 / seconds,
            megabytes(report.bytes_read) / seconds,
            (cpu_of_all()? - cpu) * 1e6 / report.leaves as f64,
            megabytes(bytes.len() as u64),
            megabytes(bytes.len() as u64) / read,
        );
    }
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

/// A search about one of a thousand persons.
fn draft(number: usize) -> Draft {
    let mut person = [7; 16];
    person[..8].copy_from_slice(&(number as u64 % 1000).to_le_bytes());
    let told = Told {
        address: format!("/fhir/Observation?patient=5q0t7v9e2k4m8n1c&code=8867-4&_page={number}"),
        scope: "system/*.rs".to_owned(),
        versions: (number as u64..number as u64 + 20).step_by(2).collect(),
        ..Told::default()
    };
    Draft::new(
        "client/bench",
        "TREAT",
        What::Search,
        812,
        vec![Alias(person)],
        told,
    )
}

/// Seconds since the machine was started.
fn wall() -> std::io::Result<Duration> {
    let text = std::fs::read_to_string("/proc/uptime")?;
    let seconds = text.split(' ').next().and_then(|text| text.parse().ok());
    Ok(Duration::from_secs_f64(seconds.unwrap_or_default()))
}

/// Seconds of the processors' time that this process's threads have had.
fn cpu_of_all() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2);
    Ok(ticks
        .filter_map(|text| text.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0)
}

/// The processor's time that this thread has had.
fn cpu() -> std::io::Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
    Ok(Duration::from_nanos(nanos.unwrap_or_default()))
}
