//! `homecoming bench audit`: how fast each part of an audit is, beside how fast the same files are read.

use std::io::Read;
use std::path::{Path, PathBuf};

use ledger::audit::{How, Progress};
use serde_json::{Value, json};

use super::super::Data;
use super::super::passphrase::Passphrase;
use super::{Sheet, Stop, machine, round};
use crate::clock::Stopwatch;
use crate::programme::{IndexHow, Indexed, audit_index};

/// What `homecoming bench audit` takes.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// How often each part is done
    #[arg(long, default_value_t = 3)]
    turns: u32,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Audits a programme whose server is at rest, part by part.
pub fn run(args: &Args) -> Result<(), Stop> {
    let mut sheet = Sheet::new(args.json);
    let data = &args.data.data;
    let keys = args.passphrase.open(data)?;
    let could_not = |error: &dyn std::fmt::Display| Stop::CouldNotRun(error.to_string());
    sheet.put("machine", machine::describe());
    for (name, path) in [
        ("ledger.sqlite, read from end to end", "ledger.sqlite"),
        ("access.sqlite, read from end to end", "access.sqlite"),
        ("the index's files, read from end to end", "index"),
    ] {
        let mut best = Measured::default();
        for _ in 0..args.turns {
            let measured = measured(|| {
                let read = read_through(&data.join(path));
                Ok((0, read.map_err(|error| could_not(&error))?))
            })?;
            best = best.or(measured);
        }
        sheet.put(name, best.figures());
    }
    let how = How {
        fresh: true,
        resume: Some(progress_file()),
        ..How::with(&keys)
    };
    for name in ["the record", "the access log", "the index"] {
        let mut best = Measured::default();
        for _ in 0..args.turns {
            let measured = measured(|| match name {
                "the record" => {
                    let report = ledger::audit::audit(data, &how, &mut |_: Progress| {});
                    let report = report.map_err(|error| could_not(&error))?;
                    sound(report.faults.is_empty(), name)?;
                    Ok((report.entries, report.bytes_read))
                }
                "the access log" => {
                    let report = ledger::access::audit(data, &how, &mut |_: Progress| {});
                    let report = report.map_err(|error| could_not(&error))?;
                    sound(report.faults.is_empty(), name)?;
                    Ok((report.leaves, report.bytes_read))
                }
                _ => {
                    let how = IndexHow {
                        fresh: true,
                        ..IndexHow::default()
                    };
                    match audit_index(data, keys.clone(), how, &mut |_, _| {})? {
                        Indexed::Not(why) => Err(Stop::CouldNotRun(why)),
                        Indexed::Compared {
                            size,
                            bytes,
                            differences,
                            ..
                        } => {
                            sound(differences.is_empty(), name)?;
                            Ok((size, bytes))
                        }
                    }
                }
            })?;
            best = best.or(measured);
        }
        sheet.put(name, best.figures());
    }
    if args.json {
        say!("{}", Value::Object(sheet.figures));
    }
    Ok(())
}

/// The best of some turns.
#[derive(Clone, Copy, Default)]
struct Measured {
    entries: u64,
    bytes: u64,
    seconds: f64,
    cpu_seconds: f64,
}

impl Measured {
    fn or(self, other: Measured) -> Measured {
        match self.seconds > 0.0 && self.seconds < other.seconds {
            true => self,
            false => other,
        }
    }

    fn figures(self) -> Value {
        let seconds = self.seconds.max(1e-6);
        let mut figures = json!({
            "MB": round(self.bytes as f64 / 1e6, 1),
            "seconds": round(self.seconds, 2),
            "MB/s": round(self.bytes as f64 / 1e6 / seconds, 0),
        });
        if self.entries > 0 {
            figures["entries"] = json!(self.entries);
            figures["entries/s"] = round(self.entries as f64 / seconds, 0);
            let million = self.entries as f64 / 1e6;
            figures["CPU s a million"] = round(self.cpu_seconds / million, 1);
        }
        figures
    }
}

fn measured(work: impl FnOnce() -> Result<(u64, u64), Stop>) -> Result<Measured, Stop> {
    let (watch, cpu) = (Stopwatch::start(), machine::cpu_seconds(std::process::id()));
    let (entries, bytes) = work()?;
    Ok(Measured {
        entries,
        bytes,
        seconds: watch.seconds(),
        cpu_seconds: machine::cpu_seconds(std::process::id()) - cpu,
    })
}

fn sound(is_sound: bool, name: &str) -> Result<(), Stop> {
    match is_sound {
        true => Ok(()),
        false => Err(Stop::CouldNotRun(format!(
            "There are faults of {name}: run `homecoming audit`."
        ))),
    }
}

/// Not beside the ledger, where an interrupted audit may have left its own.
fn progress_file() -> PathBuf {
    std::env::temp_dir().join(format!(
        "homecoming-bench-audit-{}.progress",
        std::process::id()
    ))
}

/// Reads a file, or every file below a folder, from end to end; gives how many bytes there were.
fn read_through(path: &Path) -> std::io::Result<u64> {
    if path.is_dir() {
        let mut bytes = 0;
        for entry in std::fs::read_dir(path)? {
            bytes += read_through(&entry?.path())?;
        }
        return Ok(bytes);
    }
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(bytes),
            read => bytes += read as u64,
        }
    }
}
