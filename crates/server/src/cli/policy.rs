//! `homecoming policy`: the policy in force, and what another would change; and putting one in force
//! without a server, which asks no policy, so that nobody can lock everybody out for good.

use std::path::PathBuf;

use super::passphrase::Passphrase;
use super::{Data, Stop, serve};
use crate::amendment::{self, trial::Trial};
use crate::pages::rules::gathered;
use crate::programme::{AsOf, Programme};
use clap::Subcommand;
use desk::User;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print what is in force: what the programme adds to the base policy, and who set it when and why
    Show {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        passphrase: Passphrase,
        /// Print the base policy instead, which comes with the program
        #[arg(long, conflicts_with = "schema")]
        base: bool,
        /// Print the words that a policy can use instead
        #[arg(long)]
        schema: bool,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Decide what was given out again under another text, and say what would change; exit code 1 if
    /// anything would
    Try {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        passphrase: Passphrase,
        /// The text in Cedar; an empty file is the base policy alone
        file: PathBuf,
        /// How far back, in days
        #[arg(long, default_value_t = crate::web::path::POLICY_DAYS)]
        days: u32,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Put a text in force
    Set {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        passphrase: Passphrase,
        /// The text in Cedar; an empty file is the base policy alone
        file: PathBuf,
        /// Why; everybody who signs in can read it
        #[arg(long)]
        why: String,
        /// A file with the officer who does this: name, password and one-time code, a line each
        #[arg(long, value_name = "FILE")]
        code_file: PathBuf,
    },
}

pub fn run(args: &Args) -> Result<(), Stop> {
    match &args.what {
        What::Show {
            base: true, json, ..
        } => print("base", policy::BASE, *json),
        What::Show {
            schema: true, json, ..
        } => print("schema", policy::SCHEMA, *json),
        What::Show {
            data,
            passphrase,
            json,
            ..
        } => show(&serve::open(&data.data, passphrase)?, *json),
        What::Try {
            data,
            passphrase,
            file,
            days,
            json,
        } => {
            let candidate = amendment::parse(&text(file)?)?;
            let programme = serve::open(&data.data, passphrase)?;
            let trial = amendment::trial::of(&programme, candidate, *days)?;
            tell(&trial, *days, *json)
        }
        What::Set {
            data,
            passphrase,
            file,
            why,
            code_file,
        } => {
            let text = text(file)?;
            amendment::parse(&text)?;
            let programme = serve::open(&data.data, passphrase)?;
            let user = officer(&programme, code_file)?;
            set(&programme, &user, &text, why)
        }
    }
}

fn print(name: &str, text: &str, json: bool) -> Result<(), Stop> {
    match json {
        true => say!("{}", serde_json::json!({ name: text })),
        false => say!("{}", text.trim_end()),
    }
    Ok(())
}

fn show(programme: &Programme, json: bool) -> Result<(), Stop> {
    let versions = amendment::all(&programme.view(AsOf::Now))?;
    if json {
        let versions = versions.iter().map(|version| {
            serde_json::json!({
                "version": version.version,
                "recordedAt": version.recorded_at.to_string(),
                "actor": version.actor,
                "why": version.why,
                "tried": version.tried,
                "text": version.text,
            })
        });
        say!("{}", serde_json::Value::Array(versions.collect()));
        return Ok(());
    }
    let Some(standing) = versions.first() else {
        say!("The base policy alone is in force; `homecoming policy show --base` prints it.");
        return Ok(());
    };
    say!(
        "Version {} of what is added to the base policy, since {}, by {}: {}",
        standing.version,
        standing.recorded_at,
        standing.actor,
        standing.why
    );
    say!("{}", standing.tried);
    match standing.text.is_empty() {
        true => say!("It adds nothing."),
        false => say!("{}", standing.text),
    }
    Ok(())
}

fn tell(trial: &Trial, days: u32, json: bool) -> Result<(), Stop> {
    let changes = gathered(&trial.changes);
    if json {
        let flips = trial.flips.iter().map(|flip| {
            serde_json::json!({
                "role": flip.role.as_str(),
                "purpose": flip.purpose.as_str(),
                "action": flip.action.as_str(),
                "kind": flip.kind.as_str(),
                "allowed": flip.allowed,
                "disclosures": flip.disclosures,
                "readers": flip.readers,
                "people": flip.people,
                "because": flip.because,
            })
        });
        let changes = trial.changes.iter().map(|change| {
            serde_json::json!({
                "role": change.role.as_str(),
                "situation": change.situation,
                "purpose": change.purpose.as_str(),
                "action": change.action.as_str(),
                "kind": change.kind.as_str(),
                "label": change.label,
                "allowed": change.allowed,
            })
        });
        say!(
            "{}",
            serde_json::json!({
                "days": days,
                "disclosures": trial.disclosures,
                "versions": trial.versions,
                "unknown": trial.unknown,
                "more": trial.more,
                "flips": flips.collect::<Vec<_>>(),
                "questions": trial.asked,
                "changes": changes.collect::<Vec<_>>(),
            })
        );
    } else {
        say!("{}", trial.sentence(days));
        for flip in &trial.flips {
            say!(
                "{}\t{}\t{} {} for {}\t{} disclosures, {} readers, {} people\t{}",
                match flip.allowed {
                    true => "allowed again",
                    false => "refused",
                },
                flip.role.as_str(),
                flip.action.as_str(),
                flip.kind.as_str(),
                flip.purpose.words(),
                flip.disclosures,
                flip.readers,
                flip.people,
                flip.because
            );
        }
        for change in &changes {
            say!(
                "{}\t{}\t{}\t{}",
                match change.allowed {
                    true => "yes",
                    false => "no",
                },
                change.role,
                change.what,
                change.situations
            );
        }
    }
    match trial.flips.is_empty() && trial.changes.is_empty() {
        true => Ok(()),
        false => Err(Stop::Finding),
    }
}

fn set(programme: &Programme, user: &User, text: &str, why: &str) -> Result<(), Stop> {
    let candidate = amendment::parse(text)?;
    let days = crate::web::path::POLICY_DAYS;
    let sentence = amendment::trial::of(programme, candidate, days)?.sentence(days);
    let standing = amendment::standing(&programme.view(AsOf::Now))?;
    let against = standing.map_or(0, |standing| standing.version);
    let done = amendment::set(programme, user, text, why, against, &sentence);
    super::erase::block_on(done)?;
    say!("{sentence}");
    say!("It is in force.");
    Ok(())
}

fn text(file: &std::path::Path) -> Result<String, Stop> {
    std::fs::read_to_string(file)
        .map_err(|error| Stop::WrongUse(format!("{} cannot be read: {error}", file.display())))
}

fn officer(programme: &Programme, code_file: &std::path::Path) -> Result<User, Stop> {
    let text = std::fs::read_to_string(code_file).map_err(|error| {
        Stop::CouldNotRun(format!(
            "who acts cannot be read from {}: {error}",
            code_file.display()
        ))
    })?;
    super::erase::who(programme, &text)
}

#[cfg(test)]
mod tests {
    use policy::Policy;

    use super::*;

    #[test]
    fn a_text_that_would_lock_officers_out_is_refused() {
        let out = r#"@id("nobody") @because("Nobody.") forbid (principal, action, resource);"#;
        let error = amendment::parse(out).expect_err("it locks officers out");
        assert!(
            error.message.contains("lock officers out"),
            "{}",
            error.message
        );
        let some = r#"@id("less") @because("Less.") forbid (principal, action == Action::"export", resource);"#;
        assert!(amendment::parse(some).is_ok());
        assert!(amendment::parse("").is_ok());
        assert_eq!(Policy::base().added(), "");
    }
}
