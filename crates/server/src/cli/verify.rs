//! `homecoming verify`: checks a receipt (of an entry, or of a leaf of the access log) offline and says in plain words what it proved.

use std::path::PathBuf;

use tlog::note::VerifierKey;

use super::Stop;

#[derive(clap::Args)]
pub struct Args {
    /// The receipt, as downloaded from a page or from `$receipt`
    file: PathBuf,
    /// The log's public key, from someone you trust; without it the receipt's own is used, and
    /// said so
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let text = std::fs::read(&args.file).map_err(|error| {
        Stop::CouldNotRun(format!("{} cannot be read: {error}", args.file.display()))
    })?;
    let key = match &args.key {
        None => None,
        Some(key) => Some(key.parse::<VerifierKey>().map_err(|error| {
            Stop::WrongUse(format!(
                "--key is not a verifier key (name+hash+base64): {error}"
            ))
        })?),
    };
    let verified = match ledger::disclosure::receipt::is_one(&text) {
        true => ledger::disclosure::receipt::verify(&text, key.as_ref())
            .map(|report| (report.proved, report.not_proved)),
        false => ledger::receipt::verify(&text, key.as_ref())
            .map(|report| (report.proved, report.not_proved)),
    };
    match verified {
        Ok((proved, not_proved)) => {
            if args.json {
                say!(
                    "{}",
                    serde_json::json!({
                        "verified": true, "proved": proved, "not_proved": not_proved,
                    })
                );
            } else {
                say!("VERIFIED: {}\n\nThis receipt proves:", args.file.display());
                for line in &proved {
                    say!("  - {line}");
                }
                say!("\nIt does not prove:");
                for line in &not_proved {
                    say!("  - {line}");
                }
            }
            Ok(())
        }
        Err(problem) => {
            if args.json {
                say!(
                    "{}",
                    serde_json::json!({ "verified": false, "reason": problem.to_string() })
                );
            } else {
                say!("NOT VERIFIED: {}", args.file.display());
                say!("  {problem}");
            }
            Err(Stop::Finding)
        }
    }
}
