//! `homecoming bench`: the figures that the product is held to, measured on this machine.
//!
//! Bundles are copied under fresh identities until there are enough resources; then the real
//! commands run as processes of their own: `import`, `serve` (start-up, reads, searches now and
//! as of half the history), `rebuild`. Every figure stands beside the rate of fsyncs of the disk
//! and the CPU time per operation, because machines are noisy. `bench simulate` plays seeds instead.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::Stop;
use crate::chance::Chance;
use crate::clock::Stopwatch;

mod audits;
mod decisions;
mod fresh;
mod load;
mod machine;
mod receipts;
mod simulate;

/// How often now and then are measured in turns.
const TURNS: u32 = 5;

/// How many requests are drawn from; enough that caches of one answer do not decide.
const DISTINCT_REQUESTS: usize = 2_000;

/// What `homecoming bench` takes.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    instead: Option<Instead>,
    /// A folder of FHIR transaction bundles (`*.json`), such as Synthea's
    #[arg(long, value_name = "DIR", required = true)]
    from: Option<PathBuf>,
    /// How many resources to import
    #[arg(long, default_value_t = 100_000)]
    resources: usize,
    /// A folder for the input and the data (made, and removed at the end)
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Seconds per load loop
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Leave the data where it is
    #[arg(long)]
    keep: bool,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// What else can be run.
#[derive(clap::Subcommand)]
enum Instead {
    /// Play the ledger on a disk that fails, by seeds; a seed that finds something is printed
    Simulate(simulate::Args),
    /// Measure how long the policy takes to decide
    Policy(decisions::Args),
    /// Measure each part of an audit of a programme that is at rest
    Audit(audits::Args),
}

/// Prints each figure as it comes and keeps it for the JSON form.
struct Sheet {
    json: bool,
    figures: serde_json::Map<String, Value>,
}

impl Sheet {
    fn new(json: bool) -> Sheet {
        Sheet {
            json,
            figures: serde_json::Map::new(),
        }
    }

    fn put(&mut self, name: &str, figure: Value) {
        if !self.json {
            say!("{name:<34} {}", line(&figure));
        }
        self.figures.insert(name.to_owned(), figure);
    }
}

fn line(figure: &Value) -> String {
    match figure {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect::<Vec<_>>()
            .join("  "),
        other => other.to_string(),
    }
}

/// Rounds to what a noisy machine can tell.
fn round(value: f64, digits: i32) -> Value {
    let scale = 10f64.powi(digits);
    json!((value * scale).round() / scale)
}

/// Measures, prints each figure as it comes, and removes what it made unless told to keep it.
pub fn run(args: &Args) -> Result<(), Stop> {
    match &args.instead {
        Some(Instead::Simulate(args)) => return simulate::run(args),
        Some(Instead::Policy(args)) => return decisions::run(args),
        Some(Instead::Audit(args)) => return audits::run(args),
        None => {}
    }
    let Some(from) = &args.from else {
        return Err(Stop::WrongUse("say --from DIR".to_owned()));
    };
    let work = args.work.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("homecoming-bench-{}", std::process::id()))
    });
    let outcome = measure(args, from, &work);
    if !args.keep {
        // What cannot be removed is said by the next run, which finds the folder not empty.
        let _ = std::fs::remove_dir_all(&work);
    }
    outcome
}

fn measure(args: &Args, from: &Path, work: &Path) -> Result<(), Stop> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| Stop::CouldNotRun(format!("{what}: {error}"))
    };
    if work
        .read_dir()
        .is_ok_and(|mut inside| inside.next().is_some())
    {
        return Err(Stop::WrongUse(format!(
            "--work {} is not empty",
            work.display()
        )));
    }
    let input = work.join("input");
    let data = work.join("data");
    std::fs::create_dir_all(&input).map_err(failed("the folder for the input"))?;
    let mut sheet = Sheet::new(args.json);
    sheet.put("machine", machine::describe());
    sheet.put(
        "fsyncs of the disk, per s",
        round(machine::fsyncs_per_s(work).map_err(failed("fsync"))?, 0),
    );
    let made = fresh::copies(from, &input, args.resources)
        .map_err(|why| Stop::CouldNotRun(format!("--from {}: {why}", from.display())))?;
    sheet.put(
        "input",
        json!({ "resources": made.resources, "MB": made.bytes / 1_000_000 }),
    );

    let program = std::env::current_exe().map_err(failed("this program"))?;
    let homecoming = |words: &[&str]| -> Command {
        let mut command = Command::new(&program);
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    };
    let data_text = data.display().to_string();
    let input_text = input.display().to_string();
    done(
        homecoming(&["init", "--data", &data_text, "--name", "bench"]),
        "init",
    )?;
    done(
        homecoming(&[
            "client",
            "add",
            "bench",
            "--data",
            &data_text,
            "--scope",
            "system/*.cruds",
            "--sees",
            "notes,sud,restricted",
            "--part-of-programme",
        ]),
        "client add",
    )?;

    let import = machine::run(homecoming(&["import", "--data", &data_text, &input_text]))
        .map_err(failed("import"))?;
    if !import.success {
        return Err(Stop::CouldNotRun(
            "import did not end well; run it by hand to see".into(),
        ));
    }
    let count = made.resources as f64;
    let disk = machine::bytes_under(&data) as f64;
    let ledger = machine::bytes_of(&data, "ledger.sqlite") as f64;
    sheet.put(
        "import",
        json!({
            "resources_per_s": round(count / import.seconds, 0),
            "cpu_ms_per_resource": round(import.cpu_seconds * 1e3 / count, 4),
            "bytes_on_disk_per_resource": round(disk / count, 0),
            "of_these_ledger": round(ledger / count, 0),
            "seconds": round(import.seconds, 2),
            "peak_memory_MB": round(import.peak_bytes as f64 / 1e6, 0),
        }),
    );

    let rebuild =
        machine::run(homecoming(&["rebuild", "--data", &data_text])).map_err(failed("rebuild"))?;
    sheet.put(
        "rebuild",
        json!({
            "resources_per_s": round(count / rebuild.seconds, 0),
            "cpu_ms_per_resource": round(rebuild.cpu_seconds * 1e3 / count, 4),
            "peak_memory_MB": round(rebuild.peak_bytes as f64 / 1e6, 0),
        }),
    );

    let token = homecoming(&["token", "--data", &data_text, "--client", "bench"])
        .stdout(Stdio::piped())
        .output()
        .map_err(failed("token"))?;
    let token = String::from_utf8_lossy(&token.stdout).trim().to_owned();
    let served = Served::start(&program, &data_text)?;
    sheet.put("start-up, s", round(served.start_seconds, 3));
    load_loops(args, &served, &token, made.resources, &mut sheet)?;
    let patients = patients(&served, &token)?;
    receipts::measure(&served, &token, &patients, args.seconds, &mut sheet)?;
    drop(served);
    if args.json {
        say!("{}", Value::Object(sheet.figures));
    }
    Ok(())
}

fn done(mut command: Command, what: &str) -> Result<(), Stop> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Stop::CouldNotRun(format!("`{what}` ended with {status}"))),
        Err(error) => Err(Stop::CouldNotRun(format!(
            "`{what}` could not start: {error}"
        ))),
    }
}

/// A server of its own process, stopped when dropped.
struct Served {
    child: Child,
    address: std::net::SocketAddr,
    start_seconds: f64,
}

impl Served {
    fn start(program: &Path, data: &str) -> Result<Served, Stop> {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| Stop::CouldNotRun(format!("no free port: {error}")))?;
        let watch = Stopwatch::start();
        let child = Command::new(program)
            .args(["serve", "--data", data, "--listen", &free.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| Stop::CouldNotRun(format!("the server could not start: {error}")))?;
        let mut served = Served {
            child,
            address: free,
            start_seconds: 0.0,
        };
        loop {
            if let Ok(answer) = load::get_once(served.address, "/fhir/metadata", "")
                && answer.status == 200
            {
                served.start_seconds = watch.seconds();
                return Ok(served);
            }
            if watch.seconds() > 120.0 {
                return Err(Stop::CouldNotRun(
                    "the server was not ready after 120 s".into(),
                ));
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Served {
    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is ours, and nothing that it holds is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ids and searches that the loops draw from.
struct Requests {
    reads: Vec<String>,
    searches: Vec<String>,
}

fn load_loops(
    args: &Args,
    served: &Served,
    token: &str,
    entries: usize,
    sheet: &mut Sheet,
) -> Result<(), Stop> {
    let half = entries / 2;
    let requests = draw(served, token, half)?;
    let then: Vec<String> = requests
        .searches
        .iter()
        .map(|path| format!("{path}&_asof=size:{half}"))
        .collect();
    for clients in [1, 8, 64] {
        let run = |paths: &[String], seconds: f64| -> Result<load::Figures, Stop> {
            let figures = load::run(served.address, token, paths, clients, seconds, || {
                machine::cpu_seconds(served.child.id())
            })
            .map_err(|error| Stop::CouldNotRun(format!("load: {error}")))?;
            if figures.failed > 0 {
                return Err(Stop::CouldNotRun(format!(
                    "{} of {} requests were not answered with 200",
                    figures.failed, figures.requests
                )));
            }
            Ok(figures)
        };
        let mut put = |name: &str, figures: &load::Figures| {
            sheet.put(
                &format!("{name}, {clients} clients"),
                json!({
                    "requests_per_s": round(figures.per_s, 0),
                    "p50_ms": round(figures.p50_ms, 3),
                    "p99_ms": round(figures.p99_ms, 3),
                    "server_cpu_ms": round(figures.server_cpu_ms, 4),
                    "mean_bytes": figures.bytes / figures.requests.max(1),
                }),
            );
        };
        put("read by id", &run(&requests.reads, args.seconds)?);
        // In turns, so that whatever else the machine does falls on both.
        let mut ratios = Vec::new();
        for turn in 0..TURNS {
            let now = run(&requests.searches, args.seconds / f64::from(TURNS))?;
            let half = run(&then, args.seconds / f64::from(TURNS))?;
            ratios.push(half.server_cpu_ms / now.server_cpu_ms.max(1e-9));
            if turn + 1 == TURNS {
                put("search, now", &now);
                put("search, as of half", &half);
            }
        }
        ratios.sort_by(f64::total_cmp);
        sheet.put(
            &format!("as of half / now, CPU, {clients} clients"),
            json!({
                "median": round(ratios[ratios.len() / 2], 3),
                "least": round(ratios[0], 3),
                "most": round(ratios[ratios.len() - 1], 3),
            }),
        );
    }
    sheet.put(
        "server memory after, MB",
        round(machine::peak_bytes(served.child.id()) as f64 / 1e6, 0),
    );
    Ok(())
}

/// Asks the server itself for observations of the first half of the history, so that the same
/// searches find the same things now and as of half.
fn draw(served: &Served, token: &str, half: usize) -> Result<Requests, Stop> {
    let mut reads = Vec::new();
    let mut searches = std::collections::BTreeSet::new();
    let mut path = format!("/fhir/Observation?_count=1000&_asof=size:{half}");
    let chance = Chance::seeded(11);
    while reads.len() < 40 * DISTINCT_REQUESTS {
        let answer = load::get_once(served.address, &path, token)
            .map_err(|error| Stop::CouldNotRun(format!("load: {error}")))?;
        let bundle: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| Stop::CouldNotRun(format!("the answer is no JSON: {error}")))?;
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            let resource = &entry["resource"];
            let (Some(id), Some(patient)) = (
                resource["id"].as_str(),
                resource["subject"]["reference"].as_str(),
            ) else {
                continue;
            };
            reads.push(format!("/fhir/Observation/{id}"));
            let coding = &resource["code"]["coding"][0];
            let (Some(system), Some(code)) = (coding["system"].as_str(), coding["code"].as_str())
            else {
                continue;
            };
            searches.insert(format!(
                "/fhir/Observation?patient={}&code={}%7C{code}&_sort=-date&_count=50",
                patient.trim_start_matches("Patient/"),
                system.replace(':', "%3A").replace('/', "%2F"),
            ));
        }
        let next = bundle["link"]
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|link| {
                (link["relation"] == "next").then(|| link["url"].as_str().map(str::to_owned))?
            });
        match next
            .as_deref()
            .and_then(|url| url.find("/fhir").map(|at| url[at..].to_owned()))
        {
            Some(next) => path = next,
            None => break,
        }
    }
    let mut searches: Vec<String> = searches.into_iter().collect();
    shuffle(&mut reads, &chance);
    shuffle(&mut searches, &chance);
    reads.truncate(DISTINCT_REQUESTS);
    searches.truncate(DISTINCT_REQUESTS);
    if searches.is_empty() {
        return Err(Stop::CouldNotRun(
            "the input has no Observation of a patient".into(),
        ));
    }
    Ok(Requests { reads, searches })
}

/// Ids of people whom something can be recorded about.
fn patients(served: &Served, token: &str) -> Result<Vec<String>, Stop> {
    let answer = load::get_once(served.address, "/fhir/Patient?_count=200", token)
        .map_err(|error| Stop::CouldNotRun(format!("load: {error}")))?;
    let bundle: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| Stop::CouldNotRun(format!("the answer is no JSON: {error}")))?;
    let ids = bundle["entry"].as_array().into_iter().flatten();
    Ok(ids
        .filter_map(|entry| entry["resource"]["id"].as_str().map(str::to_owned))
        .collect())
}

fn shuffle(list: &mut [String], chance: &Chance) {
    for place in (1..list.len()).rev() {
        let mut bytes = [0u8; 8];
        chance.fill(&mut bytes);
        list.swap(
            place,
            (u64::from_le_bytes(bytes) % (place as u64 + 1)) as usize,
        );
    }
}
