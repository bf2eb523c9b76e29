//! Which engine, and what a search costs: the figures of crates/index/README.md.
//!
//! ```text
//! cargo bench -p index --bench engines -- --folder DIR [--count 100000,1000000] [--engine NAME]...
//! ```
//!
//! DIR holds FHIR transaction bundles or NDJSON. Their resources are multiplied under fresh
//! identities until there are enough, and what the index would write for them goes to the index
//! as sorted runs, to the index live, to fjall as batches, and to redb. CPU is that of all threads, so work put off to
//! the background counts; what it takes to make the resources does not. Without `--folder` it does
//! nothing, so that running every bench is harmless.
#![allow(clippy::disallowed_methods, reason = "a measurement asks the clock")]
#![allow(missing_docs, reason = "a program")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use index::{Change, Index, Search, prepare};
use record::search::{Indexed, ParamId, extract, parse_criteria};
use record::time::RecordedAt;

const CHUNK: usize = 10_000;
const BATCH: usize = 100;
const TRANSACTION: usize = 300;

struct Resource {
    kind: String,
    id: String,
    values: Vec<(ParamId, Indexed<'static>)>,
}

fn main() {
    let mut folder = None;
    let mut counts = vec![100_000];
    let mut engines: Vec<String> = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--folder" => folder = args.next().map(PathBuf::from),
            "--engine" => engines.extend(args.next()),
            "--count" => {
                let list = args.next().unwrap_or_default();
                counts = list
                    .split(',')
                    .map(|n| n.parse().expect("a count"))
                    .collect();
            }
            _ => {}
        }
    }
    let Some(folder) = folder else {
        println!("give --folder DIR with FHIR bundles to measure");
        return;
    };
    let resources = load(&folder);
    println!("{} resources read", resources.len());
    let scratch = std::env::temp_dir().join(format!("homecoming-engines-{}", std::process::id()));
    println!(
        "| resources | engine | resources/s | CPU us each | bytes each | prefix scan us/hit | point read us |"
    );
    println!("|---|---|---|---|---|---|---|");
    for count in counts {
        for engine in ["sorted runs", "live", "fjall batches", "redb"] {
            if !engines.is_empty() && !engines.iter().any(|name| engine.contains(name.as_str())) {
                continue;
            }
            let dir = scratch.join(engine.replace(' ', "-"));
            std::fs::create_dir_all(&dir).expect("a folder");
            match engine {
                "redb" => redb(&dir, &resources, count),
                "fjall batches" => fjall(&dir, &resources, count),
                _ => ours(&dir, &resources, count, engine),
            }
            std::fs::remove_dir_all(&dir).expect("removed");
        }
    }
    let _ = std::fs::remove_dir_all(&scratch);
}

/// Resources of all files below, extracted once.
fn load(folder: &Path) -> Vec<Resource> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    let mut out = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let text = resolved(&text);
        let Ok(doc) = record::json::Doc::parse(text.as_bytes()) else {
            continue;
        };
        let Some(entries) = doc.root().get("entry") else {
            continue;
        };
        for entry in entries.items() {
            let Some(resource) = entry.get("resource") else {
                continue;
            };
            let values = extract(resource)
                .into_iter()
                .map(|(id, value)| (id, value.into_owned()));
            let (kind, id) = (string(resource, "resourceType"), string(resource, "id"));
            out.push(Resource {
                kind,
                id,
                values: values.collect(),
            });
        }
    }
    out
}

fn string(value: record::json::Value, name: &str) -> String {
    value
        .get(name)
        .and_then(|v| v.as_str())
        .map(|s| s.to_string())
        .unwrap_or_default()
}

/// A bundle with its references to its own entries as an import makes them.
fn resolved(text: &str) -> String {
    let mut kinds = BTreeMap::new();
    if let Ok(doc) = record::json::Doc::parse(text.as_bytes())
        && let Some(entries) = doc.root().get("entry")
    {
        for entry in entries.items() {
            let Some(resource) = entry.get("resource") else {
                continue;
            };
            let url = string(entry, "fullUrl");
            kinds.insert(url, string(resource, "resourceType"));
        }
    }
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split("\"urn:uuid:").enumerate() {
        if at > 0 {
            out.push('"');
            let url = part
                .get(..36)
                .map(|id| format!("urn:uuid:{id}"))
                .unwrap_or_default();
            if let Some(kind) = kinds.get(&url) {
                out.push_str(kind);
                out.push('/');
            } else {
                out.push_str("urn:uuid:");
            }
        }
        out.push_str(part);
    }
    out
}

/// The same value of another copy: what looks like a UUID gets a new start.
fn renamed(value: Indexed<'static>, copy: u32) -> Indexed<'static> {
    match value {
        Indexed::Reference { kind, id } => Indexed::Reference {
            kind,
            id: fresh(&id, copy).into(),
        },
        Indexed::Token { system, code } => Indexed::Token {
            system,
            code: code.map(|code| fresh(&code, copy).into()),
        },
        other => other,
    }
}

fn fresh(id: &str, copy: u32) -> String {
    let is_uuid = id.len() == 36 && id.bytes().filter(|b| *b == b'-').count() == 4;
    match is_uuid && copy > 0 {
        true => {
            let start = u32::from_str_radix(&id[..8], 16).unwrap_or(0);
            format!("{:08x}{}", start ^ copy.wrapping_mul(0x9e37_79b9), &id[8..])
        }
        false => id.to_owned(),
    }
}

/// Copies made, `CHUNK` at a time; `each` gets the first position of a chunk and its changes.
/// Returns the CPU that making and preparing them took.
fn feed(
    resources: &[Resource],
    count: usize,
    mut each: impl FnMut(&[Change]),
) -> (Duration, Duration) {
    let (mut making, mut preparing) = (Duration::ZERO, Duration::ZERO);
    let mut position = 0;
    while position < count {
        let started = thread_cpu();
        let made: Vec<_> = (position..count.min(position + CHUNK))
            .map(|at| {
                let resource = &resources[at % resources.len()];
                let copy = (at / resources.len()) as u32;
                let values: Vec<_> = resource
                    .values
                    .iter()
                    .map(|(id, value)| (*id, renamed(value.clone(), copy)))
                    .collect();
                (&resource.kind, fresh(&resource.id, copy), values)
            })
            .collect();
        making += thread_cpu() - started;
        let started = thread_cpu();
        let prepared: Vec<_> = made
            .iter()
            .map(|(kind, _, values)| prepare(kind, values))
            .collect();
        preparing += thread_cpu() - started;
        let changes: Vec<_> = prepared
            .iter()
            .enumerate()
            .map(|(at, prepared)| {
                let number = (position + at) as u64;
                let end = (at + 1) % TRANSACTION == 0 || at + 1 == prepared_len(&made);
                Change {
                    position: number,
                    recorded_at: RecordedAt(1_700_000_000_000_000 + number as i64),
                    number,
                    id: made[at].1.as_str().into(),
                    version: 1,
                    deleted: false,
                    prepared,
                    last_in_transaction: end,
                }
            })
            .collect();
        each(&changes);
        position += made.len();
    }
    (making, preparing)
}

fn prepared_len<T>(made: &[T]) -> usize {
    made.len()
}

fn row(count: usize, engine: &str, spent: Spent, bytes: u64, scan: f64, point: f64) {
    println!(
        "| {count} | {engine} | {:.0} | {:.1} | {} | {scan:.2} | {point:.2} |",
        count as f64 / spent.wall.as_secs_f64(),
        spent.cpu.as_secs_f64() * 1e6 / count as f64,
        bytes / count as u64,
    );
}

struct Spent {
    wall: Duration,
    cpu: Duration,
}

fn ours(dir: &Path, resources: &[Resource], count: usize, engine: &str) {
    let index = Index::open(dir, 1).expect("opened");
    let started = process_cpu();
    let mut wall = Duration::ZERO;
    let (making, preparing);
    if engine == "sorted runs" {
        let mut bulk = index.bulk();
        (making, preparing) = feed(resources, count, |changes| {
            let started = Instant::now();
            for change in changes {
                bulk.push(change).expect("pushed");
            }
            wall += started.elapsed();
        });
        let started = Instant::now();
        bulk.finish().expect("finished");
        wall += started.elapsed();
    } else {
        (making, preparing) = feed(resources, count, |changes| {
            let mut transactions: Vec<Change> = changes.to_vec();
            for (at, change) in transactions.iter_mut().enumerate() {
                change.last_in_transaction = (at + 1) % BATCH == 0 || at + 1 == changes.len();
            }
            let started = Instant::now();
            for batch in transactions.chunks(BATCH) {
                index.apply(batch).expect("applied");
            }
            wall += started.elapsed();
        });
    }
    settle();
    let cpu = process_cpu() - started - making - preparing;
    index.checkpoint().expect("on disk");
    let (scan, point) = probe_index(&index, resources, count);
    row(
        count,
        engine,
        Spent { wall, cpu },
        index.disk_bytes(),
        scan,
        point,
    );
    println!(
        "  prepare: {:.2} us each",
        preparing.as_secs_f64() * 1e6 / count as f64
    );
    for (name, bytes) in index.disk_bytes_by_map() {
        println!("  {name}: {:.1} bytes each", bytes as f64 / count as f64);
    }
    searches(&index, resources, count);
    drop(index);
    let started = Instant::now();
    let index = Index::open(dir, 1).expect("opened again");
    println!(
        "  opened again in {:.1} ms, covering {}",
        ms(started.elapsed()),
        index.applied()
    );
}

/// A few seconds for the background, as long as it is busy.
fn settle() {
    for _ in 0..60 {
        let before = process_cpu();
        std::thread::sleep(Duration::from_millis(250));
        if process_cpu() - before < Duration::from_millis(5) {
            return;
        }
    }
}

/// Through the index: postings per hit (a count of a kind), and heads.
fn probe_index(index: &Index, resources: &[Resource], count: usize) -> (f64, f64) {
    let (criteria, _) = parse_criteria("Observation", &[], "");
    let search = Search {
        criteria: &criteria,
        as_of: u64::MAX,
        count: 0,
        after: None,
        total: true,
    };
    index.search(&search).expect("counted");
    let started = thread_cpu();
    let total = index.search(&search).expect("counted").total.unwrap_or(1);
    let scan = (thread_cpu() - started).as_secs_f64() * 1e6 / total as f64;
    let ids: Vec<_> = (0..20_000)
        .map(|at| at * 7919 % count)
        .map(|at| {
            let resource = &resources[at % resources.len()];
            (
                &resource.kind,
                fresh(&resource.id, (at / resources.len()) as u32),
            )
        })
        .collect();
    let mut point = f64::MAX;
    for _ in 0..2 {
        let started = thread_cpu();
        for (kind, id) in &ids {
            assert!(index.head(kind, id).expect("read").is_some());
        }
        point = (thread_cpu() - started).as_secs_f64() * 1e6 / ids.len() as f64;
    }
    (scan, point)
}

/// What searches cost, in CPU of this thread, over many people.
fn searches(index: &Index, resources: &[Resource], count: usize) {
    let people: Vec<String> = (0..count)
        .filter(|at| resources[at % resources.len()].kind == "Patient")
        .map(|at| {
            fresh(
                &resources[at % resources.len()].id,
                (at / resources.len()) as u32,
            )
        })
        .collect();
    let people: Vec<_> = (0..200).map(|at| &people[at * 31 % people.len()]).collect();
    let size = index.applied();
    for query in [
        "Observation?patient=*&code=8302-2&_sort=-date",
        "Observation?patient=*&code=8302-2",
        "Observation?patient=*&_sort=-date",
        "Observation?patient=*&category=laboratory&_sort=-date",
        "Observation?patient=*",
        "Observation?code=8302-2",
        "Observation?code=8302-2&date=ge2018",
        "Observation?_sort=-date",
        "Observation?_sort=-_lastUpdated",
        "Observation?",
        "Condition?patient=*",
        "Patient?family=da",
        "Patient?_id=*",
    ] {
        let (kind, query) = query.split_once('?').expect("a query");
        let mut best = [f64::MAX; 2];
        let mut hits = [0; 2];
        for (which, as_of) in [(0, size), (1, size / 2), (0, size), (1, size / 2)] {
            let started = thread_cpu();
            hits[which] = 0;
            for person in &people {
                let query = query.replace('*', person);
                let pairs: Vec<(String, String)> = query
                    .split('&')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
                    .collect();
                let (criteria, findings) = parse_criteria(kind, &pairs, "");
                assert!(findings.is_empty(), "{findings:?}");
                let search = Search {
                    criteria: &criteria,
                    as_of,
                    count: 50,
                    after: None,
                    total: false,
                };
                hits[which] += index.search(&search).expect("searched").hits.len();
            }
            let us = (thread_cpu() - started).as_secs_f64() * 1e6 / people.len() as f64;
            best[which] = best[which].min(us);
        }
        println!(
            "  {kind}?{query}: {:.1} us CPU, {:.1} hits; as of half {:.1} us",
            best[0],
            hits[0] as f64 / people.len() as f64,
            best[1]
        );
    }
}

fn fjall(dir: &Path, resources: &[Resource], count: usize) {
    use fjall::{Database, KeyspaceCreateOptions};
    const NAMES: [&str; 5] = ["past", "posting", "time", "head", "row"];
    let empty = Index::open(&dir.join("empty"), 1).expect("opened");
    let path = dir.join("fjall");
    let db = Database::builder(&path)
        .cache_size(64 << 20)
        .open()
        .expect("created");
    let spaces: BTreeMap<&str, _> = NAMES
        .iter()
        .map(|name| {
            (
                *name,
                db.keyspace(name, KeyspaceCreateOptions::default)
                    .expect("a keyspace"),
            )
        })
        .collect();
    let started = process_cpu();
    let mut wall = Duration::ZERO;
    let (making, preparing) = feed(resources, count, |changes| {
        let started = Instant::now();
        for changes in changes.chunks(BATCH) {
            let mut batch = db.batch();
            let put = |name: &'static str, key: &[u8], value: &[u8]| {
                batch.insert(&spaces[name], key, value);
            };
            empty.dry_run(changes, put).expect("gathered");
            batch.commit().expect("committed");
        }
        wall += started.elapsed();
    });
    settle();
    let cpu = process_cpu() - started - making - preparing;
    let bytes: u64 = spaces.values().map(fjall::Keyspace::disk_space).sum();
    let kind = record::definitions::kind_number("Observation").expect("a kind");
    let mut scan = f64::MAX;
    let mut point = f64::MAX;
    let keys: Vec<_> = spaces["head"]
        .iter()
        .map(|entry| entry.key().expect("a key"))
        .enumerate()
        .filter(|(at, _)| at * 7919 % count < 20_000)
        .map(|(_, key)| key)
        .collect();
    for _ in 0..2 {
        let started = thread_cpu();
        let postings = spaces["posting"].range(&[kind, 0, 0][..]..&[kind, 0, 1][..]);
        let seen = postings.filter_map(|entry| entry.key().ok()).count();
        scan = (thread_cpu() - started).as_secs_f64() * 1e6 / seen as f64;
        let started = thread_cpu();
        for key in &keys {
            assert!(spaces["head"].get(key).expect("read").is_some());
        }
        point = (thread_cpu() - started).as_secs_f64() * 1e6 / keys.len() as f64;
    }
    row(
        count,
        "fjall batches",
        Spent { wall, cpu },
        bytes,
        scan,
        point,
    );
    drop(spaces);
    drop(db);
    let started = Instant::now();
    let db = Database::builder(&path)
        .cache_size(64 << 20)
        .open()
        .expect("opened again");
    println!("  opened again in {:.1} ms", ms(started.elapsed()));
    drop(db);
}

fn redb(dir: &Path, resources: &[Resource], count: usize) {
    use redb::ReadableDatabase;
    const NAMES: [&str; 5] = ["past", "posting", "time", "head", "row"];
    let table = |name: &'static str| redb::TableDefinition::<&[u8], &[u8]>::new(name);
    let empty = Index::open(&dir.join("empty"), 1).expect("opened");
    let path = dir.join("redb");
    let db = redb::Builder::new()
        .set_cache_size(64 << 20)
        .create(&path)
        .expect("created");
    let started = process_cpu();
    let mut wall = Duration::ZERO;
    let (making, preparing) = feed(resources, count, |changes| {
        let started = Instant::now();
        let mut write = db.begin_write().expect("a transaction");
        write
            .set_durability(redb::Durability::None)
            .expect("without durability");
        {
            let mut tables: BTreeMap<&str, _> = NAMES
                .iter()
                .map(|name| (*name, write.open_table(table(name)).expect("a table")))
                .collect();
            let mut put = |name: &'static str, key: &[u8], value: &[u8]| {
                tables
                    .get_mut(name)
                    .expect("known")
                    .insert(key, value)
                    .expect("inserted");
            };
            empty.dry_run(changes, &mut put).expect("gathered");
        }
        write.commit().expect("committed");
        wall += started.elapsed();
    });
    let cpu = process_cpu() - started - making - preparing;
    let bytes = std::fs::metadata(&path).expect("its size").len();
    // The same two questions: all postings of a kind, and heads.
    let mut kinds: BTreeMap<u8, usize> = BTreeMap::new();
    let read = db.begin_read().expect("a read");
    let heads = read.open_table(table("head")).expect("heads");
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for (at, entry) in heads.range::<&[u8]>(..).expect("a range").enumerate() {
        let (key, _) = entry.expect("an entry");
        *kinds.entry(key.value()[0]).or_default() += 1;
        if at * 7919 % count < 20_000 {
            keys.push(key.value().to_vec());
        }
    }
    let (kind, total) = kinds.into_iter().max_by_key(|(_, n)| *n).expect("a kind");
    let postings = read.open_table(table("posting")).expect("postings");
    let mut scan = f64::MAX;
    for _ in 0..2 {
        let started = thread_cpu();
        let range = postings
            .range::<&[u8]>(&[kind, 0, 0][..]..&[kind, 0, 1][..])
            .expect("a range");
        let seen = range
            .filter(|entry| entry.as_ref().expect("an entry").0.value().len() == 8)
            .count();
        assert_eq!(seen, total);
        scan = (thread_cpu() - started).as_secs_f64() * 1e6 / total as f64;
    }
    let mut point = f64::MAX;
    for _ in 0..2 {
        let started = thread_cpu();
        for key in &keys {
            assert!(heads.get(&key[..]).expect("read").is_some());
        }
        point = (thread_cpu() - started).as_secs_f64() * 1e6 / keys.len() as f64;
    }
    row(count, "redb", Spent { wall, cpu }, bytes, scan, point);
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// CPU time of this thread.
fn thread_cpu() -> Duration {
    on_cpu("/proc/thread-self/schedstat")
}

/// CPU time of all threads.
fn process_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    tasks
        .filter_map(|task| task.ok())
        .map(|task| on_cpu(&task.path().join("schedstat").to_string_lossy()))
        .sum()
}

fn on_cpu(path: &str) -> Duration {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let nanos = text
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    Duration::from_nanos(nanos)
}
