//! How fast documents are read and judged: `cargo run --release -p record --example speed FOLDER [--findings]`.
//!
//! Takes every `.json` file of the folder; the entries of a Bundle count as resources. Prints MB/s for parsing and
//! microseconds per resource for the rest; with `--findings`, what is found wrong, file by file.
#![expect(clippy::disallowed_methods, reason = "measuring takes a clock")]

use record::json::{Doc, write_compact};
use record::{happened, person, stored, validate};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 5;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let tells_findings = arguments.next().as_deref() == Some("--findings");
    let start = Instant::now();
    black_box(record::definitions::definitions());
    println!(
        "definitions read in {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            files.push((path.clone(), std::fs::read(&path)?));
        }
    }
    files.sort();
    let mut resources: Vec<Vec<u8>> = Vec::new();
    let mut refused = 0;
    for (path, bytes) in &files {
        let doc = match Doc::parse(bytes) {
            Ok(doc) => doc,
            Err(error) => {
                println!("{}: {error}", path.display());
                refused += 1;
                continue;
            }
        };
        let root = doc.root();
        let is_bundle = root.str_at(&["resourceType"]) == Some("Bundle");
        let entries = root
            .get("entry")
            .into_iter()
            .flat_map(|e| e.items())
            .filter_map(|e| e.get("resource"));
        let found: Vec<_> = if is_bundle {
            entries.collect()
        } else {
            vec![root]
        };
        for resource in found {
            let mut out = Vec::new();
            write_compact(resource, &mut out);
            resources.push(out);
        }
        let findings = validate::validate(root);
        if !findings.is_empty() {
            refused += 1;
        }
        if tells_findings {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            for finding in findings {
                println!(
                    "{name}\t{}\t{}\t{}",
                    finding.code, finding.expression, finding.message
                );
            }
        }
    }
    println!(
        "{} files, {} resources, {refused} files not in order",
        files.len(),
        resources.len()
    );

    let whole: usize = files.iter().map(|(_, b)| b.len()).sum();
    let per_second = measure(|| {
        files
            .iter()
            .for_each(|(_, b)| drop(black_box(Doc::parse(b))))
    });
    println!(
        "parse, files as they are: {:.0} MB/s of {:.1} MB",
        megabytes(whole) / per_second,
        megabytes(whole)
    );
    let compact: usize = resources.iter().map(Vec::len).sum();
    let seconds = measure(|| {
        resources
            .iter()
            .for_each(|b| drop(black_box(Doc::parse(b))))
    });
    let count = resources.len().max(1) as f64;
    println!(
        "parse, compact resources of {:.0} bytes: {:.0} MB/s, {:.2} us each",
        compact as f64 / count,
        megabytes(compact) / seconds,
        seconds * 1e6 / count
    );
    let docs: Vec<Doc<'_>> = resources
        .iter()
        .filter_map(|b| Doc::parse(b).ok())
        .collect();
    let each =
        |name: &str, seconds: f64| println!("{name}: {:.2} us per resource", seconds * 1e6 / count);
    each(
        "validate",
        measure(|| {
            docs.iter()
                .for_each(|d| drop(black_box(validate::validate(d.root()))))
        }),
    );
    each(
        "stored::write",
        measure(|| {
            docs.iter()
                .for_each(|d| drop(black_box(stored::write(d.root(), "x", &mut |_| None))))
        }),
    );
    each(
        "happened and person",
        measure(|| {
            for doc in &docs {
                black_box((happened::happened(doc.root()), person::person(doc.root())));
            }
        }),
    );
    Ok(())
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The best of some rounds, in seconds.
fn measure(work: impl Fn()) -> f64 {
    let round = || {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}
