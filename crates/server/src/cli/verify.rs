//! `homecoming verify`: checks receipts, exports and promises offline, and says in plain words what they prove.

use std::path::{Path, PathBuf};

use evidence::export::{self, Export};
use evidence::promise::{self, Evidence, Promise, Standing};
use evidence::{Trust, disclosure, receipt};
use serde_json::{Value, json};
use tlog::note::VerifierKey;
use tlog::policy::Policy;

use super::Stop;
use crate::clock::Clock;

#[derive(clap::Args)]
pub struct Args {
    /// A receipt, an export or a promise, as it was downloaded or handed out
    file: PathBuf,
    /// The log's public key, from someone you trust; without it the file's own is used, and said so
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// Which logs and witnesses you trust, and how many of them it takes (a C2SP tlog-policy file)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// For a promise: the receipt or export that shows whether it was kept
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// For scripts
    #[arg(long)]
    json: bool,
}

/// What was found, in words and for scripts.
struct Found {
    /// What kind of file it is.
    what: &'static str,
    proved: Vec<String>,
    not_proved: Vec<String>,
    /// More for scripts.
    more: Value,
    /// Whether it is a finding all the same: a promise that was broken.
    is_broken: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let file = read(&args.file)?;
    let with = args.with.as_deref().map(read).transpose()?;
    let key = match &args.key {
        None => None,
        Some(key) => Some(key.parse::<VerifierKey>().map_err(|error| {
            Stop::WrongUse(format!(
                "--key is not a verifier key (name+hash+base64): {error}"
            ))
        })?),
    };
    let policy = match &args.policy {
        None => None,
        Some(path) => Some(Policy::parse(&read(path)?).map_err(|error| {
            Stop::WrongUse(format!("{} is not a policy: {error}", path.display()))
        })?),
    };
    let trust = Trust {
        key: key.as_ref(),
        policy: policy.as_ref(),
    };
    if with.is_some() && !promise::is_one(&file) {
        return Err(Stop::WrongUse(
            "--with goes with a promise, and this file is none".to_owned(),
        ));
    }
    let found = if export::is_one(&file) {
        of_export(&file, &trust)
    } else if promise::is_one(&file) {
        of_promise(&file, with.as_deref(), &trust)
    } else if disclosure::receipt::is_one(&file) {
        of_disclosure(&file, &trust)
    } else {
        of_receipt(&file, &trust)
    };
    say(args, found)
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    std::fs::read(path)
        .map_err(|error| Stop::CouldNotRun(format!("{} cannot be read: {error}", path.display())))
}

fn say(args: &Args, found: Result<Found, String>) -> Result<(), Stop> {
    let name = args.file.display();
    let is_good = found.as_ref().is_ok_and(|found| !found.is_broken);
    match found {
        Ok(found) if args.json => {
            let mut line = json!({
                "verified": !found.is_broken, "what": found.what,
                "proved": found.proved, "not_proved": found.not_proved,
            });
            if let (Some(line), Value::Object(more)) = (line.as_object_mut(), found.more) {
                line.extend(more);
            }
            say!("{line}");
        }
        Ok(found) => {
            let word = match found.is_broken {
                true => "BROKEN",
                false => "VERIFIED",
            };
            say!("{word}: {name}\n\nThis {} proves:", found.what);
            for line in &found.proved {
                say!("  - {line}");
            }
            say!("\nIt does not prove:");
            for line in &found.not_proved {
                say!("  - {line}");
            }
        }
        Err(reason) if args.json => say!("{}", json!({ "verified": false, "reason": reason })),
        Err(reason) => say!("NOT VERIFIED: {name}\n  {reason}"),
    }
    match is_good {
        true => Ok(()),
        false => Err(Stop::Finding),
    }
}

fn of_receipt(file: &[u8], trust: &Trust<'_>) -> Result<Found, String> {
    let report = receipt::verify_with(file, trust).map_err(|problem| problem.to_string())?;
    Ok(Found {
        what: "receipt",
        proved: report.proved,
        not_proved: report.not_proved,
        more: Value::Null,
        is_broken: false,
    })
}

fn of_disclosure(file: &[u8], trust: &Trust<'_>) -> Result<Found, String> {
    let report =
        disclosure::receipt::verify_with(file, trust).map_err(|problem| problem.to_string())?;
    Ok(Found {
        what: "receipt",
        proved: report.proved,
        not_proved: report.not_proved,
        more: Value::Null,
        is_broken: false,
    })
}

fn of_export(file: &[u8], trust: &Trust<'_>) -> Result<Found, String> {
    let report = Export::parse(file)
        .and_then(|export| export.verify(trust))
        .map_err(|problem| problem.to_string())?;
    Ok(Found {
        what: "export",
        more: json!({
            "entries": report.entries.len(),
            "person": report.person.to_string(),
            "complete_to": report.map.size,
            "size": report.checkpoint.size,
            "disclosures": report.disclosures.len(),
        }),
        proved: report.proved,
        not_proved: report.not_proved,
        is_broken: false,
    })
}

fn of_promise(file: &[u8], with: Option<&[u8]>, trust: &Trust<'_>) -> Result<Found, String> {
    let promise = Promise::open(file, trust).map_err(|problem| problem.to_string())?;
    let now = Clock::System.now();
    let standing = match with {
        None => promise.standing(Evidence::Nothing, now),
        Some(with) if export::is_one(with) => {
            let report = Export::parse(with)
                .and_then(|export| export.verify(trust))
                .map_err(|problem| format!("the export does not verify: {problem}"))?;
            promise.standing(Evidence::Export(&report), now)
        }
        Some(with) => {
            let report = receipt::verify_with(with, trust)
                .map_err(|problem| format!("the receipt does not verify: {problem}"))?;
            promise.standing(Evidence::Receipt(&report), now)
        }
    };
    let standing = standing.map_err(|unrelated| unrelated.to_string())?;
    let Promise {
        key, received, due, ..
    } = &promise;
    let mut proved = vec![format!(
        "The log of {} promised, at {received}, that what was handed in then for this person is on the record by {due}.",
        key.name()
    )];
    let mut not_proved = trust.not_proved(&Default::default());
    // Witnesses have no part in a promise.
    not_proved.truncate(usize::from(!trust.knows_the_log()));
    let (word, is_broken) = match standing {
        Standing::Kept {
            position,
            recorded_at,
        } => {
            proved.push(format!(
                "It was kept: what was handed in is entry {position}, recorded at {recorded_at}."
            ));
            ("kept", false)
        }
        Standing::Late {
            position,
            recorded_at,
        } => {
            proved.push(format!(
                "It was broken: what was handed in is entry {position}, but was recorded only at {recorded_at}."
            ));
            ("late", true)
        }
        Standing::Open => {
            not_proved.push("That it is kept: it is not due yet.".to_owned());
            ("open", false)
        }
        Standing::Unknown => {
            not_proved.push(
                "That it was kept or broken: it is due. Give a receipt of the entry, or an export made after that, \
                 with --with."
                    .to_owned(),
            );
            ("unknown", false)
        }
        Standing::Broken { as_of, size } => {
            proved.push(format!(
                "It was broken: the export, complete as of {size} entries that the programme counted at {as_of}, does \
                 not have it."
            ));
            ("broken", true)
        }
    };
    Ok(Found {
        what: "promise",
        proved,
        not_proved,
        more: json!({ "standing": word, "due": due.to_string() }),
        is_broken,
    })
}
