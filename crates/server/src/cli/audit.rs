//! `homecoming audit`: reads every entry and content back and checks all of it, and the index against it.

use std::path::PathBuf;

use ledger::audit::{How, Kept, Outside, Progress, Report};
use ledger::backup::{Standing, noted};
use ledger::witnessed::LogName;
use tlog::note::VerifierKey;
use tlog::policy::Policy;

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::clock::Stopwatch;
use crate::cosigning::ask::{Said, Sought, ask};
use crate::cosigning::submit::signed;
use crate::cosigning::{POLICY, read_policy};
use crate::erasure::review;
use crate::programme::{IndexHow, Indexed, audit_index};
use crate::signature;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The directory whose keys open the contents, if not the one that is audited: for a backup
    #[arg(long, value_name = "DIR", conflicts_with = "without_keys")]
    keys_from: Option<PathBuf>,
    /// Check all that can be checked without opening a content
    #[arg(long)]
    without_keys: bool,
    /// Where to keep how far it has come in the record, so that an interrupted audit goes on; beside the ledger
    /// unless given. The access log's is kept beside it, and the index's in the data directory
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Open and compare everything anew, whatever an interrupted audit had done
    #[arg(long)]
    fresh: bool,
    /// A checkpoint of the record or of the access log that somebody kept elsewhere: it must be how the log begins
    #[arg(long, value_name = "FILE")]
    cosigned: Vec<PathBuf>,
    /// Ask the policy's witnesses what they cosigned last, and hold that against the logs
    #[arg(long)]
    ask_witnesses: bool,
    /// Which witnesses you trust, and how many of them it takes (a C2SP tlog-policy file), in place of the
    /// `witness.policy` that lies in the directory, where whoever runs the server can change it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Do not hold the index against the record, which takes about as long as making it anew
    #[arg(long)]
    without_index: bool,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let keys_of = args.keys_from.as_deref().unwrap_or(&args.data.data);
    let keys = match args.without_keys {
        true => None,
        false => Some(args.passphrase.open(keys_of)?),
    };
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let elsewhere = elsewhere(args, policy.as_ref())?;
    let how = How {
        keys,
        keys_of: args.keys_from.clone(),
        resume: args.resume.clone(),
        fresh: args.fresh,
        goes_on: true,
        policy,
        kept: elsewhere.kept,
        ..How::default()
    };
    let mut audited = audited(&args.data.data, &how)?;
    audited
        .report
        .faults
        .extend(signature::review::faults(&args.data.data, &how));
    let mut amiss_outside = audited.amiss();
    amiss_outside.extend(elsewhere.unanswered);
    amiss_outside.extend(unshown(&elsewhere.told, &how.kept, &audited));
    let watch = Stopwatch::start();
    let indexed = indexed(args, how.keys.clone())?;
    let index_seconds = watch.seconds();
    ledger::audit::finished(&args.data.data, &how);
    let copies = crate::backup::copies::of_keys(&args.data.data)?;
    let report = &audited.report;
    let (amiss, more) = match &indexed {
        Indexed::Not(_) => (&[][..], 0),
        Indexed::Compared {
            differences, more, ..
        } => (&differences[..], *more),
    };
    if args.json {
        let faults: Vec<String> = report
            .faults
            .iter()
            .map(ToString::to_string)
            .chain(amiss.iter().cloned())
            .collect();
        say!(
            "{}",
            serde_json::json!({
                "entries": report.entries,
                "leaves": audited.access.leaves,
                "bytes": report.bytes,
                "erased": report.erased,
                "opened": report.opened,
                "bytes_read": report.bytes_read,
                "resumed_at": report.resumed_at,
                "whole_file": report.whole_file,
                "seconds": audited.seconds,
                "access_log": {
                    "bytes": audited.access.bytes,
                    "bytes_read": audited.access.bytes_read,
                    "resumed_at": audited.access.resumed_at,
                    "whole_file": audited.access.whole_file,
                    "seconds": audited.access_seconds,
                },
                "faults": faults,
                "checkpoint": report.checkpoint,
                "checkpoint_of_access_log": audited.access.checkpoint,
                "witnessed": json(&report.outside),
                "witnessed_of_access_log": json(&audited.access.outside),
                "not_witnessed": amiss_outside,
                "explained": report.restorations.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "copies_of_keys": copies,
                "faults_of_index": amiss.len() as u64 + more,
                "index": match &indexed {
                    Indexed::Not(why) => serde_json::json!({ "compared": false, "why": why }),
                    Indexed::Compared {
                        covered,
                        size,
                        keys,
                        bytes,
                        resumed_at,
                        part_compared,
                        ..
                    } => serde_json::json!({
                        "compared": true, "entries": size, "on_disk": covered, "keys": keys, "bytes": bytes,
                        "resumed_at": resumed_at, "part_compared": part_compared, "seconds": index_seconds,
                    }),
                },
            })
        );
    } else {
        tell(&audited);
        tell_outside(args, &audited, &amiss_outside);
        tell_index(&indexed, index_seconds);
        for folder in &copies {
            say!(
                "NOTE: A restore left a copy of the programme's keys in {}. Nothing is erased while it is there: \
                 `homecoming keys destroy-copies`.",
                folder.join("keys").display()
            );
        }
    }
    match report.faults.is_empty() && amiss.is_empty() && amiss_outside.is_empty() {
        true => Ok(()),
        false => Err(Stop::Finding),
    }
}

/// What is known from elsewhere than the directory that is audited.
#[derive(Default)]
struct Elsewhere {
    /// Checkpoints: those that were given, and those that witnesses show.
    kept: Vec<Kept>,
    /// Which witnesses could not be asked, and why.
    unanswered: Vec<String>,
    /// Sizes that witnesses say and do not show.
    told: Vec<Said>,
}

fn elsewhere(args: &Args, policy: Option<&Policy>) -> Result<Elsewhere, Stop> {
    let data = &args.data.data;
    let mut elsewhere = Elsewhere::default();
    if args.cosigned.is_empty() && !args.ask_witnesses {
        return Ok(elsewhere);
    }
    let could_not = |error: &dyn std::fmt::Display| Stop::CouldNotRun(error.to_string());
    let record = Standing::of(data).map_err(|error| could_not(&error))?;
    let access = ledger::access::name_and_key(data).map_err(|error| could_not(&error))?;
    let newest = [
        Some(record.checkpoint),
        Standing::of_access(data).ok().map(|one| one.checkpoint),
    ];
    let logs = [(record.origin, record.verifier), access];
    for file in &args.cosigned {
        let note = std::fs::read_to_string(file)
            .map_err(|error| could_not(&format!("{} cannot be read: {error}", file.display())))?;
        let is_of = |(origin, _): &(String, VerifierKey)| {
            signed(&note).is_ok_and(|(_, checkpoint)| checkpoint.origin == *origin)
        };
        if !logs.iter().any(is_of) {
            return Err(Stop::WrongUse(format!(
                "{} is not a checkpoint of the log {}, nor of {}.",
                file.display(),
                logs[0].0,
                logs[1].0
            )));
        }
        elsewhere.kept.push(Kept {
            source: format!("the checkpoint in {}", file.display()),
            note,
        });
    }
    if args.ask_witnesses {
        let policy = match policy {
            Some(policy) => policy.clone(),
            None => read_policy(&data.join(POLICY))?,
        };
        let noted = LogName::ALL.map(|log| noted(data, log).unwrap_or_default().last);
        let sought: Vec<Sought> = std::iter::zip(logs, std::iter::zip(newest, noted))
            .map(|((origin, key), (checkpoint, noted))| Sought {
                origin,
                verifier: Some(key),
                checkpoint,
                noted: noted.into_iter().collect(),
            })
            .collect();
        for said in ask(&policy, &sought) {
            match said {
                Ok(Said {
                    witness,
                    shown: Some(shown),
                    ..
                }) => elsewhere.kept.push(Kept {
                    source: source(&witness),
                    note: shown.note,
                }),
                Ok(said) => elsewhere.told.push(said),
                Err((witness, why)) => elsewhere
                    .unanswered
                    .push(format!("The witness {witness} could not be asked: {why}")),
            }
        }
    }
    Ok(elsewhere)
}

fn source(witness: &str) -> String {
    format!("the witness {witness}")
}

/// What is amiss with sizes that witnesses say and do not show: of them, only the number can be held against a log.
fn unshown(told: &[Said], kept: &[Kept], audited: &Audited) -> Vec<String> {
    let logs = [&audited.report.checkpoint, &audited.access.checkpoint];
    let amiss = |said: &Said| {
        let Said {
            witness,
            origin,
            size,
            ..
        } = said;
        let is_of_it = |note: &str| note.split('\n').next() == Some(origin.as_str());
        let newest = logs.iter().find(|note| is_of_it(note.as_str()));
        let here = newest.and_then(|note| signed(note).ok());
        let here = here.map_or(0, |(_, checkpoint)| checkpoint.size);
        let is_shown = kept
            .iter()
            .any(|one| one.source == source(witness) && is_of_it(&one.note));
        match (*size > here, is_shown) {
            (true, _) => Some(format!(
                "The witness {witness} says that it cosigned {size} entries of {origin}, and there are only {here} here"
            )),
            (false, false) => Some(format!(
                "The witness {witness} says that it cosigned {size} entries of {origin}, and shows nothing that could be \
                 held against them"
            )),
            (false, true) => None,
        }
    };
    told.iter().filter_map(amiss).collect()
}

/// The index against the record, if it can be and is to be.
fn indexed(args: &Args, keys: Option<ledger::Keys>) -> Result<Indexed, Stop> {
    let not = |why: &str| Ok(Indexed::Not(why.to_owned()));
    let Some(keys) = keys else {
        return not("Without keys nobody can tell what the index must hold.");
    };
    if args.without_index {
        return not("It was not asked for.");
    }
    if args.keys_from.is_some() {
        return not("The keys lie elsewhere: an index is compared where its programme's keys are.");
    }
    let bar = super::import::bar(0, "entries indexed for comparison");
    let how = IndexHow {
        fresh: args.fresh,
        ..IndexHow::default()
    };
    let indexed = audit_index(&args.data.data, keys, how, &mut |reached, size| {
        bar.set_length(size);
        bar.set_position(reached);
    });
    bar.finish_and_clear();
    Ok(indexed?)
}

/// What an audit of record and access log came to.
pub(super) struct Audited {
    /// Of the record; faults of the access log are among its faults.
    pub report: Report,
    /// Of the access log, its faults taken out.
    pub access: ledger::access::Report,
    /// How long the record took.
    pub seconds: f64,
    /// How long the access log took.
    access_seconds: f64,
}

impl Audited {
    /// What witnesses should vouch for and do not.
    fn amiss(&self) -> Vec<String> {
        let restored = self.report.restored();
        let mut amiss = self.report.outside.amiss(LogName::Record, restored);
        for what in self.access.outside.amiss(LogName::Access, restored) {
            if !amiss.contains(&what) {
                amiss.push(what);
            }
        }
        amiss
    }
}

/// Audits with a progress bar.
pub(super) fn audited(data: &std::path::Path, how: &How) -> Result<Audited, Stop> {
    let watch = Stopwatch::start();
    let bar = super::import::bar(0, "entries");
    let mut report = ledger::audit::audit(data, how, &mut |progress| {
        bar.set_length(progress.size);
        bar.set_position(progress.reached);
        bar.set_message(rates(progress, watch.seconds()));
    })
    .map_err(|error| Stop::CouldNotRun(error.to_string()))?;
    let seconds = watch.seconds();
    let access_watch = Stopwatch::start();
    bar.set_message("");
    let how = &How {
        gone_by: report.gone_by.clone(),
        ..how.clone()
    };
    let mut access = ledger::access::audit(data, how, &mut |progress| {
        bar.set_length(report.entries + progress.size);
        bar.set_position(report.entries + progress.reached);
        bar.set_message(rates(progress, access_watch.seconds()));
    })
    .map_err(|error| Stop::CouldNotRun(error.to_string()))?;
    let access_seconds = access_watch.seconds();
    let unlawful = review::faults(data, how, &report.erasures)?;
    report.faults.extend(unlawful);
    bar.finish_and_clear();
    report.erased += access.erased;
    report.faults.append(&mut access.faults);
    Ok(Audited {
        report,
        access,
        seconds,
        access_seconds,
    })
}

fn rates(progress: Progress, seconds: f64) -> String {
    let seconds = seconds.max(1e-3);
    format!(
        "{:.0} a second, {:.1} MB/s",
        progress.reached as f64 / seconds,
        progress.bytes as f64 / 1e6 / seconds
    )
}

fn tell(audited: &Audited) {
    let (report, access) = (&audited.report, &audited.access);
    let rate = |bytes: u64, seconds: f64| bytes as f64 / 1e6 / seconds.max(1e-3);
    say!(
        "Read back {} entries and {:.1} MB of content in {:.1} s ({:.0} MB/s from the ledger).",
        report.entries,
        report.bytes as f64 / 1e6,
        audited.seconds,
        rate(report.bytes_read, audited.seconds),
    );
    say!(
        "Read back {} leaves of the access log and {:.1} MB of content in {:.1} s ({:.0} MB/s from the log).",
        access.leaves,
        access.bytes as f64 / 1e6,
        audited.access_seconds,
        rate(access.bytes_read, audited.access_seconds),
    );
    for (first, of) in [
        (report.resumed_at, "entries"),
        (access.resumed_at, "leaves of the access log"),
    ] {
        if first > 0 {
            let (done, anew) = match report.opened {
                true => ("opened", "opens"),
                false => ("held against their lines", "reads"),
            };
            say!(
                "The contents of the first {first} {of} were {done} by an earlier audit that was interrupted; \
                 its progress file says so. --fresh {anew} everything again."
            );
        }
    }
    if !report.opened {
        say!("No content was opened: without keys only what is sealed was held against its line.");
    }
    if report.erased > 0 {
        say!(
            "{} contents were erased: their keys are destroyed, and their lines stay.",
            report.erased
        );
    }
    if !report.whole_file {
        say!(
            "A server is appending: SQLite's own check of the pages left the large tables to the reading above."
        );
    }
    for restoration in &report.restorations {
        say!("EXPLAINED: {restoration}");
    }
    for fault in &report.faults {
        say!("FAULT: {fault}");
    }
    match report.faults.len() {
        0 => say!(
            "Every entry, content, tile and chain is as the signed checkpoint says:\n\n{}",
            report.checkpoint
        ),
        faults => say!(
            "\n{faults} faults of the record. Keep this directory as it is, and compare it with a backup."
        ),
    }
}

/// Who else vouches for what was read, and how far.
fn tell_outside(args: &Args, audited: &Audited, amiss: &[String]) {
    for (log, outside) in [
        (LogName::Record, &audited.report.outside),
        (LogName::Access, &audited.access.outside),
    ] {
        match &outside.newest {
            Some(newest) => say!(
                "Of the {log}, {} cosigned checkpoints were compared. The newest is of {} entries and was cosigned by \
                 {} at {}.",
                outside.cosigned,
                newest.size,
                newest.by.join(", "),
                newest.at
            ),
            None => say!("Of the {log}, 0 cosigned checkpoints were compared."),
        }
        if outside.kept > 0 {
            say!(
                "{} checkpoints of the {log} from elsewhere were compared.",
                outside.kept
            );
        }
        if outside.below > 0 {
            say!(
                "{} more that are noted of the {log} are not cosigned by enough witnesses of a policy: they were \
                 compared, and are nobody's word.",
                outside.below
            );
        }
    }
    match (&audited.report.outside.asked, &args.policy) {
        (None, _) => say!(
            "No policy asks for witnesses: that this is the record as it was, and no other, is its own keys' word."
        ),
        (Some(asked), None) => say!(
            "The policy is the one in this directory and asks for {asked}. Whoever runs the server can change it: \
             --policy takes yours."
        ),
        (Some(_), Some(_)) => {}
    }
    for what in amiss {
        say!("NOT WITNESSED: {what}.");
    }
}

fn json(outside: &Outside) -> serde_json::Value {
    serde_json::json!({
        "asked": outside.asked,
        "compared": outside.cosigned,
        "compared_below_quorum": outside.below,
        "compared_from_elsewhere": outside.kept,
        "newest": outside.newest.as_ref().map(|newest| serde_json::json!({
            "size": newest.size, "at": newest.at.to_string(), "by": newest.by,
        })),
    })
}

fn tell_index(indexed: &Indexed, seconds: f64) {
    let (covered, size, differences, more) = match indexed {
        Indexed::Not(why) => return say!("The index was not held against the record. {why}"),
        Indexed::Compared {
            covered,
            size,
            differences,
            more,
            ..
        } => (covered, size, differences, more),
    };
    if let Indexed::Compared {
        resumed_at,
        part_compared,
        ..
    } = indexed
        && *resumed_at > 0
    {
        let compared = match part_compared {
            true => ", and a part of the two was compared",
            false => "",
        };
        say!(
            "What the index must hold was made from the first {resumed_at} entries by an earlier audit that was \
             interrupted{compared}. --fresh does all of it again."
        );
    }
    for difference in differences {
        say!("FAULT: {difference}");
    }
    match differences.len() as u64 + more {
        0 => say!(
            "The index holds what {size} entries give, and nothing else ({covered} of them were in its files): \
             {seconds:.1} s."
        ),
        all => say!(
            "\n{all} faults of the index. They cost no record: `homecoming rebuild`, with no server running, \
             makes the index anew from it."
        ),
    }
}
