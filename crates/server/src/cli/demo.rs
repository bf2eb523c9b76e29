//! `homecoming demo`: a generated programme, served at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

mod ordered;

use super::Stop;
use super::client::cannot;
use super::passphrase::Passphrase;
use super::serve::{Limits, Reached, listen, open, serve};
use crate::chance::Chance;
use crate::clock::{Clock, Stopwatch};
use crate::demo::{self, DemoWrite};
use crate::error::Error;
use crate::programme::{self, About, Actor, Batch, DemoPerson, Draft, Expect, Offline, Writing};

/// The same people and the same events in every demo; only the dates move with the day it is made.
const SEED: u64 = 2018;

/// The programme's name.
const NAME: &str = "Homecoming demo";

/// How many writes are committed at a time.
const GROUP_WRITES: usize = 2_000;

#[derive(clap::Args)]
pub struct Args {
    /// Where the generated programme is kept; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "homecoming-demo")]
    data: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8180")]
    listen: SocketAddr,
    /// Where people reach it, if not at the address that it listens on
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    #[command(flatten)]
    limits: Limits,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    crate::log::start();
    let watch = Stopwatch::start();
    let listener = listen(args.listen)?;
    if !args.data.join("ledger.sqlite").exists() {
        make(&args.data, args.passphrase.read()?.as_deref())?;
    }
    let people = About::read(&args.data)?.demo;
    if people.is_empty() {
        return Err(Stop::WrongUse(format!(
            "{} holds a programme of your own, not the demo. Serve it with `homecoming serve`, or \
             name another folder for the demo with --data.",
            args.data.display()
        )));
    }
    // Held until the end: when we are gone, however we went, the witness ends, too.
    let witness = DemoWitness::start(&args.data);
    let programme = open(&args.data, &args.passphrase)?;
    let reached = Reached {
        base: args.base.clone(),
        ..Reached::default()
    };
    serve(listener, programme, &args.limits, &reached, |address, _| {
        say!(
            "Homecoming serves its demo at http://{address}/ (FHIR at http://{address}/fhir), \
             ready after {:.2} s.\n\nSign in as:",
            watch.seconds()
        );
        for person in &people {
            say!(
                "  {:<28} {:<12} code {}",
                person.name,
                person.role,
                person.code
            );
        }
        match &witness {
            Ok(witness) => say!(
                "\nAn outside witness, a process of its own, cosigns the record at {}; its files are in {}.",
                witness.url,
                witness_folder(&args.data).display()
            ),
            Err(why) => say!("\nNo outside witness: {why}"),
        }
        say!(
            "\nAll people and events are generated. The data is in {}; delete that folder for a \
             new demo. Ctrl-C stops the server and the witness.",
            args.data.display()
        );
    })
}

/// Makes the demo beside its place and moves it there when it is whole.
fn make(data: &Path, passphrase: Option<&[u8]>) -> Result<(), Stop> {
    let io = |error: std::io::Error| {
        Stop::CouldNotRun(format!(
            "the demo cannot be made in {}: {error}",
            data.display()
        ))
    };
    if data.exists() && std::fs::read_dir(data).map_err(io)?.next().is_some() {
        return Err(Stop::WrongUse(format!(
            "{} is not empty and holds no programme. Name another folder with --data.",
            data.display()
        )));
    }
    let making = data.with_extension("making");
    if making.exists() {
        std::fs::remove_dir_all(&making).map_err(io)?;
    }
    eprintln!("Making the demo: about 60 participants, 8 staff, 18 months.");
    let now = Clock::System.now().0;
    let chance = Chance::seeded(SEED);
    let first = demo::generate(SEED, now)
        .next()
        .map_or(now, |transaction| transaction.recorded_at);
    let clock = Clock::standing_at(first - 1);
    // Keys are real even here: a demo on a reachable address must not sign with a known key.
    let users = demo::users(SEED, now);
    let people = users
        .iter()
        .map(|user| DemoPerson {
            name: user.name.clone(),
            role: user.role.to_owned(),
            code: user.sign_in_code.to_owned(),
        })
        .collect();
    let about = About {
        name: NAME.to_owned(),
        demo: people,
        erasure_delay_days: None,
        complaints: Some(
            "The Ombudsperson for Veterans (made up), 1 Assembly Square, telephone 555-0100"
                .to_owned(),
        ),
    };
    let keys = programme::create(&making, &about, passphrase, &Chance::System)?;
    let mut offline = Offline::open(&making, keys, clock, chance, &mut |_, _| {})?;
    add_users(&making, &users, now)?;
    let mut ordered = ordered::batches(&making, offline.ledger(), SEED, now)?
        .into_iter()
        .peekable();
    let mut writing = offline.writing();
    let mut group = Vec::new();
    let mut writes = 0;
    for transaction in demo::generate(SEED, now) {
        let before = Some(record::time::RecordedAt(transaction.recorded_at));
        while let Some(batch) = ordered.next_if(|batch| batch.at <= before) {
            writes += batch.drafts.len();
            group.push(batch);
        }
        let drafts = transaction
            .writes
            .iter()
            .map(draft)
            .collect::<Result<Vec<Draft>, Error>>()?;
        writes += drafts.len();
        group.push(Batch {
            actor: Actor {
                name: transaction.actor,
                purpose: transaction.purpose.to_owned(),
            },
            at: Some(record::time::RecordedAt(transaction.recorded_at)),
            drafts,
            mark: None,
        });
        if writes >= GROUP_WRITES {
            write(&mut writing, &mut group)?;
            writes = 0;
        }
    }
    group.extend(ordered);
    write(&mut writing, &mut group)?;
    writing.finish()?;
    let logs = [offline.ledger().verifier(), offline.access().verifier()];
    make_witness(data, &logs)?;
    drop(offline);

    if data.exists() {
        std::fs::remove_dir(data).map_err(io)?;
    }
    std::fs::rename(&making, data).map_err(io)
}

/// Whoever cares for people in the programme answers to its supervisor.
fn add_users(data: &Path, users: &[demo::DemoUser], now: i64) -> Result<(), Stop> {
    let desk = desk::Desk::open(data).map_err(|error| cannot(&error))?;
    let (first, others): (Vec<_>, Vec<_>) =
        users.iter().partition(|user| user.role == "supervisor");
    let mut supervisor = None;
    for user in first.into_iter().chain(others) {
        let cares = matches!(user.role, "caseworker" | "prescriber");
        let new = desk::NewUser {
            name: &user.name,
            role: user.role,
            practitioner: user.practitioner_id.as_deref(),
            patient: user.patient_id.as_deref(),
            organisation: user.organisation,
            supervisor: supervisor.filter(|_| cares),
        };
        let id = desk.add_user(&new, now, |_| None);
        let id = id.map_err(|error| cannot(&error))?;
        if user.role == "supervisor" {
            supervisor = Some(id);
        }
    }
    Ok(())
}

/// Where the demo's witness keeps its files: beside the demo and not in it, as another organisation's would.
fn witness_folder(data: &Path) -> PathBuf {
    data.with_extension("witness")
}

/// Makes the demo's witness anew: what an earlier one remembered is of another log.
fn make_witness(data: &Path, logs: &[&tlog::note::VerifierKey]) -> Result<(), Stop> {
    let could_not =
        |error: &dyn std::fmt::Display| Stop::CouldNotRun(format!("the demo's witness: {error}"));
    let folder = witness_folder(data);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| could_not(&error))?;
    }
    let folder = ::witness::Folder::at(&folder).map_err(|error| could_not(&error))?;
    ::witness::create(&folder, "demo-witness", &mut |bytes| {
        Chance::System.fill(bytes)
    })
    .map_err(|error| could_not(&error))?;
    for log in logs {
        ::witness::follow(&folder, log).map_err(|error| could_not(&error))?;
    }
    Ok(())
}

/// The demo's witness, a process of its own that ends with us.
struct DemoWitness {
    child: std::process::Child,
    url: String,
}

impl DemoWitness {
    /// Starts it and writes the policy that names it. Without one the demo goes on.
    fn start(data: &Path) -> Result<DemoWitness, String> {
        let folder = witness_folder(data);
        if !folder.join("witness.key").exists() {
            return Err(format!("there is none in {}", folder.display()));
        }
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = std::process::Command::new(program)
            .args(["witness", "--listen", "127.0.0.1:0", "--until-input-ends"])
            .arg("--data")
            .arg(folder)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let said = child.stdout.take().map(std::io::BufReader::new);
        let mut witness = DemoWitness {
            child,
            url: String::new(),
        };
        let mut lines = said.into_iter().flat_map(std::io::BufRead::lines);
        let mut line = || {
            lines
                .next()
                .and_then(Result::ok)
                .ok_or("it did not start; another demo may be running")
        };
        witness.url = line()?
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .ok_or("it did not say where it listens")?
            .trim_end_matches('/')
            .to_owned();
        let key = line()?;
        let policy = format!(
            "# Written anew whenever the demo starts.\nwitness demo {key} {}\nquorum demo\n",
            witness.url
        );
        std::fs::write(data.join(crate::cosigning::POLICY), policy)
            .map_err(|error| error.to_string())?;
        Ok(witness)
    }
}

impl Drop for DemoWitness {
    fn drop(&mut self) {
        // It ends by itself when its input does; this only makes it sooner.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn draft(write: &DemoWrite) -> Result<Draft, Error> {
    let doc = record::json::Doc::parse(write.json.as_bytes()).map_err(Error::internal)?;
    let root = doc.root();
    let text = |name: &str| {
        root.get(name)
            .and_then(|value| value.as_str())
            .map(|text| text.to_string())
            .unwrap_or_default()
    };
    let (kind, id) = (text("resourceType"), text("id"));
    match write.method {
        demo::Method::Put if crate::dispute::is_dispute(root) => {
            let stored = record::stored::write(root, &id, &mut |_| None);
            Draft::ours(&kind, &id, Expect::Any, stored)
        }
        demo::Method::Put => Draft::put(&id, Expect::Any, &kind, root, &mut |_| None),
        demo::Method::Delete => {
            // Offline nobody reads what is deleted first; without its person the deletion would
            // not be in their chain.
            let mut deletion = Draft::delete(&kind, &id, Expect::Present);
            deletion.taken_from(record::person::person(root).map(str::to_owned));
            Ok(deletion)
        }
    }
}

fn write(writing: &mut Writing<'_>, group: &mut Vec<Batch>) -> Result<(), Error> {
    for outcome in writing.write(std::mem::take(group))? {
        outcome?;
    }
    Ok(())
}
