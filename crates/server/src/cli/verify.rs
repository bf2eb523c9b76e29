//! `homecoming verify`: checks a receipt offline and says in plain words what it proved.

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
    let text = std::fs::read_to_string(&args.file).map_err(|error| {
        Stop::CouldNotRun(format!("{} cannot be read: {error}", args.file.display()))
    })?;
    let key = match &args.key {
        None => None,
        Some(key) => Some(key.parse::<VerifierKey>().map_err(|error| {
            Stop::WrongUse(format!("--key is not a verifier key (name+hash+base64): {error}"))
        })?),
    };
    match ledger::receipt::verify(&text, key.as_ref()) {
        Ok(report) => {
            let sentences = report.sentences();
            if args.json {
                println!("{}", serde_json::json!({ "verified": true, "says": sentences }));
            } else {
                println!("VERIFIED: {}\n", args.file.display());
                for sentence in &sentences {
                    println!("{sentence}");
                }
            }
            Ok(())
        }
        Err(problem) => {
            if args.json {
                println!("{}", serde_json::json!({ "verified": false, "reason": problem.to_string() }));
            } else {
                println!("NOT VERIFIED: {}", args.file.display());
                println!("  {problem}");
            }
            Err(Stop::Finding)
        }
    }
}
