//! The command line: what each word takes, and what its exit code means.
//!
//! Scripts outside the project rely on these words and on the exit codes: 0 done, 1 a finding
//! (something does not verify), 2 wrong use, 3 could not run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Prints a line for whoever reads standard output. That nobody reads it any more stops nothing:
/// a server outlives the terminal that it was started from.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

mod audit;
mod backup;
mod bench;
mod client;
mod demo;
mod erase;
mod export;
mod import;
mod init;
mod keys;
mod passphrase;
mod policy;
mod promise;
mod provider;
mod rebuild;
mod restore;
mod serve;
mod user;
mod verify;
mod warrant;
mod witness;

/// Everything went well.
const DONE: u8 = 0;
/// Something that was looked at does not verify.
const FINDING: u8 = 1;
/// The words on the command line make no sense.
const WRONG_USE: u8 = 2;
/// It could not run at all, or not to the end.
const COULD_NOT_RUN: u8 = 3;

/// The case record for programmes that bring soldiers home.
#[derive(Parser)]
#[command(name = "homecoming", version, about, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Serve a generated programme; prints where, and whom to sign in as
    Demo(demo::Args),
    /// Make a new programme: keys, log, first officer
    Init(init::Args),
    /// Serve a programme
    Serve(serve::Args),
    /// Bring in FHIR bundles and NDJSON files; no server needed, resumable
    Import(import::Args),
    /// API clients: add one, list them
    Client(client::ClientArgs),
    /// Print a new bearer token for a client, alone, on standard output
    Token(client::TokenArgs),
    /// People who sign in: add one, give a new code, disable, list them
    User(user::Args),
    /// Organisations through which people sign in: add one, remove one, list them
    Provider(provider::Args),
    /// Everything on the record about one person, in one file that proves it is everything
    Export(export::Args),
    /// A signed word for whoever hands something in, that it will be on the record
    Promise(promise::Args),
    /// Check a receipt, an export or a promise, offline; says in plain words what it proved
    Verify(verify::Args),
    /// Read every entry and content back and check all of it
    Audit(audit::Args),
    /// Witness other people's logs: cosign checkpoints that follow from those before
    Witness(witness::Args),
    /// Copy the programme while it serves, the keys apart from the record
    Backup(backup::Args),
    /// Make a data directory from a backup
    Restore(restore::Args),
    /// Erase a person's record by law: request, approve, notice, hold, carry-out, status
    Erase(erase::Args),
    /// Who may see what: what is in force, what another policy would change, putting one in force
    Policy(policy::Args),
    /// Warrants and opened records: list them, show one
    Warrant(warrant::WarrantArgs),
    /// Who covers for whom
    Delegation(warrant::DelegationArgs),
    /// The keys of contents: how they stand, change them, put them in escrow, bring them back
    Keys(keys::Args),
    /// Make the index anew from the ledger
    Rebuild(rebuild::Args),
    /// Measure: import, reads, searches, start-up, rebuild
    Bench(bench::Args),
}

/// Where a programme's files are.
#[derive(clap::Args, Clone)]
pub struct Data {
    /// The programme's data directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Why a command ends otherwise than with exit code 0.
pub enum Stop {
    /// Something does not verify; it has been said on standard output.
    Finding,
    /// Wrong use; the sentence says what to write instead.
    WrongUse(String),
    /// Could not run; the sentence says what, where and what to do next.
    CouldNotRun(String),
}

impl From<crate::error::Error> for Stop {
    fn from(error: crate::error::Error) -> Stop {
        Stop::CouldNotRun(error.for_operator())
    }
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let code = if error.use_stderr() { WRONG_USE } else { DONE };
            // A closed pipe while printing help is nobody's fault.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let outcome = match line.word {
        Word::Demo(args) => demo::run(&args),
        Word::Init(args) => init::run(&args),
        Word::Serve(args) => serve::run(&args),
        Word::Import(args) => import::run(&args),
        Word::Client(args) => client::run(&args),
        Word::Token(args) => client::token(&args),
        Word::User(args) => user::run(&args),
        Word::Provider(args) => provider::run(&args),
        Word::Export(args) => export::run(&args),
        Word::Promise(args) => promise::run(&args),
        Word::Verify(args) => verify::run(&args),
        Word::Audit(args) => audit::run(&args),
        Word::Witness(args) => witness::run(&args),
        Word::Backup(args) => backup::run(&args),
        Word::Restore(args) => restore::run(&args),
        Word::Erase(args) => erase::run(&args),
        Word::Policy(args) => policy::run(&args),
        Word::Warrant(args) => warrant::run(&args),
        Word::Delegation(args) => warrant::delegations(&args),
        Word::Keys(args) => keys::run(&args),
        Word::Rebuild(args) => rebuild::run(&args),
        Word::Bench(args) => bench::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::from(DONE),
        Err(Stop::Finding) => ExitCode::from(FINDING),
        Err(Stop::WrongUse(why)) => {
            eprintln!("homecoming: {why}");
            ExitCode::from(WRONG_USE)
        }
        Err(Stop::CouldNotRun(why)) => {
            eprintln!("homecoming: {why}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}
