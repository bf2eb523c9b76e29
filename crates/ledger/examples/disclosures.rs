//! For maintainers: what recording disclosures costs, by how many share a flush.
//!
//!     cargo run --release -p ledger --example disclosures -- FOLDER
//!
//! The folder should lie on the disk that is to be measured; what is made in it is removed.
#![expect(clippy::print_stdout, reason = "measuring prints")]

use std::path::Path;
use std::time::Duration;

use evidence::disclosure::{Told, What};
use ledger::access::{Draft, Recorder};
use ledger::{Alias, Appender, RecordedAt};

/// How long each group size is measured.
const SECONDS: f64 = 3.0;

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
    let appender = Appender::open(&dir, keys)?;
    let mut recorder = Recorder::open(&dir, &appender)?;
    println!("leaves a flush | leaves/s | flushes/s | CPU ms a leaf");
    let mut now = 1_800_000_000_000_000i64;
    for size in [1usize, 8, 64, 512] {
        let (mut leaves, mut flushes) = (0usize, 0u32);
        let (wall, cpu) = (wall()?, cpu()?);
        while (self::wall()? - wall).as_secs_f64() < SECONDS {
            let group: Vec<Draft> = (0..size).map(|n| draft(leaves + n)).collect();
            let mut clock = || {
                now += 10;
                RecordedAt(now)
            };
            recorder
                .commit(&group, &mut clock, &mut chance)?
                .map_err(|e| e.to_string())?;
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
    }
    drop(recorder);
    drop(appender);
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

/// The processor's time that this process has had.
fn cpu() -> std::io::Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
    Ok(Duration::from_nanos(nanos.unwrap_or_default()))
}
