//! For maintainers: how long an index takes to forget a person, by its size, and how long to be made
//! anew instead.
//!
//!     cargo run --release -p index --example forgetting -- FOLDER [ENTRIES]

use std::collections::BTreeSet;
use std::path::Path;

use index::{Change, Forgotten, Index, prepare};
use record::search::{Indexed, parameters};
use record::time::RecordedAt;

/// Entries about one person.
const EACH: usize = 100;

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let out = work();
    println!("{what}: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    out
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().unwrap_or_else(|| "target/forgetting".into());
    let entries: usize = words.next().map_or(Ok(100_000), |text| text.parse())?;
    let _ = std::fs::remove_dir_all(&folder);
    let param = |code: &str| parameters().lookup("Observation", code).map(|p| p.id);
    let (Some(code), Some(patient), Some(date), Some(text)) = (
        param("code"),
        param("patient"),
        param("date"),
        param("value-string"),
    ) else {
        return Err("Observation has its parameters".into());
    };
    let prepared = |at: usize| {
        let day = (at % 3_000) as i64 * 86_400_000_000;
        let mut values = vec![
            (
                code,
                Indexed::Token {
                    system: Some("urn:codes".into()),
                    code: Some(format!("c{}", at % 211).into()),
                },
            ),
            (
                patient,
                Indexed::Reference {
                    kind: Some("Patient"),
                    id: format!("p{}", at / EACH).into(),
                },
            ),
            (
                date,
                Indexed::Date {
                    start: day,
                    end: day + 86_400_000_000,
                },
            ),
            (
                text,
                Indexed::String(format!("what was observed in {at}").into()),
            ),
        ];
        values.sort_by_key(|(id, _)| *id);
        prepare("Observation", &values)
    };
    let fill = |index: &Index| -> Result<(), index::Error> {
        let mut bulk = index.bulk();
        for at in 0..entries {
            bulk.push(&Change {
                position: at as u64,
                recorded_at: RecordedAt(at as i64),
                number: at as u64,
                id: format!("observation-{at}").into(),
                version: 1,
                deleted: false,
                prepared: &prepared(at),
                last_in_transaction: true,
            })?;
        }
        bulk.finish()
    };
    let index = Index::open(Path::new(&folder), 1)?;
    timed(&format!("making an index of {entries} entries"), || {
        fill(&index)
    })?;
    println!("{:.1} MB on disk", index.disk_bytes() as f64 / 1e6);
    let ids: Vec<String> = (0..EACH).map(|at| format!("observation-{at}")).collect();
    let erased: Vec<BTreeSet<u64>> = (0..EACH as u64).map(|at| BTreeSet::from([at])).collect();
    let forgotten: Vec<Forgotten<'_>> = ids
        .iter()
        .zip(&erased)
        .map(|(id, erased)| Forgotten {
            kind: "Observation",
            id,
            erased,
        })
        .collect();
    timed(&format!("forgetting {EACH} of them"), || {
        index.forget(&forgotten)
    })?;
    timed("writing the files anew", || index.purge())?;
    drop(index);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
