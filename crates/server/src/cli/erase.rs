//! `homecoming erase`: the steps of an erasure without a server, by the same rules as its pages.
//!
//! Whoever takes a step signs in with their own name, password and one-time code, as on the pages; a
//! second officer needs the second officer's. While a server runs it holds the lock, and its pages are the way.

use std::path::PathBuf;
use std::time::Duration;

use casework::erasure::{Basis, Scope, Told, Untold};
use clap::Subcommand;
use desk::User;

use super::passphrase::Passphrase;
use super::{Data, Stop, serve};
use crate::erasure::{self, Found};
use crate::error::Error;
use crate::fhir::query::Pairs;
use crate::pages::erasures::{name, of_form, stands};
use crate::programme::{AsOf, Programme};
use crate::sign_in::Visitor;
use crate::sign_in::by_password::{self, Outcome};

/// How long carrying out waits for the witnesses' answers at most.
const WITNESSES_ASKED: Duration = Duration::from_secs(20);

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// Where, and who.
#[derive(clap::Args)]
struct At {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// A file with three lines: name, password and one-time code of the officer who does this; in a demo, their code
    #[arg(long, value_name = "FILE")]
    code_file: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Ask for an erasure; prints its id
    Request {
        #[command(flatten)]
        at: At,
        /// The id of the Patient
        #[arg(long, value_name = "ID")]
        person: String,
        /// How much
        #[arg(long, value_parser = Scope::ALL.map(Scope::code))]
        scope: String,
        /// The lawful basis
        #[arg(long, value_parser = Basis::ALL.map(Basis::code))]
        basis: String,
        /// What it is in this case: court and order, law and section; without naming the person
        #[arg(long)]
        citation: String,
        /// That duties to keep the record were looked for, and none was found
        #[arg(long)]
        examined: bool,
    },
    /// Approve one that another officer asked for
    Approve {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
    },
    /// Record that the person was told (--how, --on), or why not (--not-told, --why)
    Notice {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
        /// How the person was told
        #[arg(long, value_parser = Told::ALL.map(Told::code), requires = "on", conflicts_with = "not_told")]
        how: Option<String>,
        /// On which day, as 2026-03-01
        #[arg(long, value_name = "DAY")]
        on: Option<String>,
        /// The lawful reason why the person is not told
        #[arg(long, value_parser = Untold::ALL.map(Untold::code), requires = "why")]
        not_told: Option<String>,
        /// Which order, which attempts
        #[arg(long)]
        why: Option<String>,
    },
    /// Put something in its way; anybody on the staff may
    Hold {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
        /// What stands in the way, and who says so
        #[arg(long)]
        why: String,
    },
    /// Lift a hold
    Release {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
        /// Which hold
        #[arg(long, value_name = "NUMBER")]
        hold: u32,
        /// Why it no longer stands in the way
        #[arg(long)]
        why: String,
    },
    /// Refuse it
    Refuse {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Withdraw it
    Withdraw {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
        /// Why, and at whose wish
        #[arg(long)]
        why: String,
    },
    /// Erase for good, if all of the rules are met
    CarryOut {
        #[command(flatten)]
        at: At,
        /// The erasure
        id: String,
    },
    /// Say where erasures stand
    Status {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        passphrase: Passphrase,
        /// One erasure; all of them without it
        id: Option<String>,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let mut form: Pairs = Vec::new();
    let mut add = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    let (at, id, step) = match &args.what {
        What::Request {
            at,
            person,
            scope,
            basis,
            citation,
            examined,
        } => return request(at, person, scope, basis, citation, *examined),
        What::Status {
            data,
            passphrase,
            id,
            json,
        } => return status(data, passphrase, id.as_deref(), *json),
        What::Approve { at, id } => (at, id, "approve"),
        What::Notice {
            at,
            id,
            how,
            on,
            not_told,
            why,
        } => match (how, on, not_told) {
            (Some(how), Some(on), None) => {
                add("how", how);
                add("happened", on);
                (at, id, "tell")
            }
            (None, _, Some(ground)) => {
                add("ground", ground);
                add("why", why.as_deref().unwrap_or_default());
                (at, id, "leave-untold")
            }
            _ => {
                return Err(Stop::WrongUse(
                    "say how and on which day the person was told (--how, --on), or for which \
                     lawful reason not (--not-told, --why)"
                        .to_owned(),
                ));
            }
        },
        What::Hold { at, id, why } => {
            add("why", why);
            (at, id, "hold")
        }
        What::Release { at, id, hold, why } => {
            add("hold", &hold.to_string());
            add("why", why);
            (at, id, "release")
        }
        What::Refuse { at, id, why } => {
            add("why", why);
            (at, id, "refuse")
        }
        What::Withdraw { at, id, why } => {
            add("why", why);
            (at, id, "withdraw")
        }
        What::CarryOut { at, id } => {
            add("sure", "yes");
            (at, id, "carry-out")
        }
    };
    let (programme, user) = open(at)?;
    let step = of_form(step, &form)?;
    let carries_out = matches!(args.what, What::CarryOut { .. });
    if carries_out {
        // What cannot be taken back waits for them; the server has them asked all the time.
        programme.cosigning().start()?;
        programme.cosigning().asked(WITNESSES_ASKED);
    }
    let taken = block_on(erasure::take(&programme, &user, id, step));
    if carries_out {
        programme.cosigning().stop();
    }
    taken?;
    let found = find(&programme, id)?;
    say!("{}", stands(&found.erasure));
    Ok(())
}

fn request(
    at: &At,
    person: &str,
    scope: &str,
    basis: &str,
    citation: &str,
    examined: bool,
) -> Result<(), Stop> {
    let (programme, user) = open(at)?;
    let scope = Scope::ALL.into_iter().find(|one| one.code() == scope);
    let scope = scope.unwrap_or(Scope::Record);
    let basis = Basis::ALL.into_iter().find(|one| one.code() == basis);
    let asked = erasure::request(&programme, &user, person, scope, basis, citation, examined);
    let id = block_on(asked)?;
    say!("{id}");
    Ok(())
}

fn status(data: &Data, passphrase: &Passphrase, id: Option<&str>, json: bool) -> Result<(), Stop> {
    let programme = serve::open(&data.data, passphrase)?;
    let all = match id {
        Some(id) => vec![find(&programme, id)?],
        None => {
            let view = programme.view(AsOf::Now);
            erasure::all(&view, None, programme.erasure_delay_least())?
        }
    };
    if json {
        let all: Vec<_> = all.iter().map(as_json).collect();
        say!("{}", serde_json::Value::Array(all));
        return Ok(());
    }
    for found in &all {
        let request = &found.erasure.request;
        say!(
            "{}\t{}\t{}",
            found.id,
            request.scope.code(),
            stands(&found.erasure)
        );
        for (approver, _) in &found.erasure.approvals {
            say!("\tapproved by {}", name(&programme, approver));
        }
        for hold in found.erasure.open_holds() {
            say!("\thold {}: {}", hold.number, hold.why);
        }
        for unlawful in &found.unlawful {
            say!("\tUNLAWFUL: {unlawful}");
        }
    }
    if all.iter().any(|found| !found.unlawful.is_empty()) {
        return Err(Stop::Finding);
    }
    Ok(())
}

fn as_json(found: &Found) -> serde_json::Value {
    let request = &found.erasure.request;
    serde_json::json!({
        "id": found.id,
        "person": request.person,
        "scope": request.scope.code(),
        "basis": request.basis.map(Basis::code),
        "status": found.erasure.task_status(),
        "approvals": found.erasure.approvals.len(),
        "holds": found.erasure.open_holds().count(),
        "entries": found.goes.as_ref().map(|goes| goes.entries),
        "unlawful": found.unlawful.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn open(at: &At) -> Result<(Programme, User), Stop> {
    let code = std::fs::read_to_string(&at.code_file).map_err(|error| {
        Stop::CouldNotRun(format!(
            "who acts cannot be read from {}: {error}",
            at.code_file.display()
        ))
    })?;
    let programme = serve::open(&at.data.data, &at.passphrase).map_err(|stop| match stop {
        Stop::CouldNotRun(why) => Stop::CouldNotRun(format!(
            "{why}\nIf a server runs on this directory, take the step on its page /erasures."
        )),
        stop => stop,
    })?;
    let user = who(&programme, &code)?;
    Ok((programme, user))
}

/// Who the file says that acts: three lines with name, password and one-time code; in a demo, the code of
/// one of its people.
pub(super) fn who(programme: &Programme, text: &str) -> Result<User, Stop> {
    let mut lines = text.trim().lines().map(str::trim);
    let mut line = || lines.next().unwrap_or_default();
    let (name, password, code) = (line(), line(), line());
    let demo = programme.demo_people();
    if let Some(person) = demo.iter().find(|person| person.code == name) {
        let user = programme.desk().user_named(&person.name);
        if let Some(user) = user.map_err(Error::desk)? {
            return Ok(user);
        }
    }
    let visitor = Visitor::at_the_machine();
    match block_on(by_password::check(programme, &visitor, name, password, code))? {
        Outcome::Is(user) => Ok(user),
        Outcome::Wrong => Err(Stop::WrongUse(
            "that file must hold three lines that fit together: the officer's name, their password, and the \
             one-time code that their app shows now"
                .to_owned(),
        )),
        Outcome::Wait(seconds) => Err(Stop::WrongUse(format!(
            "too many tries; the next one is taken in {seconds} seconds"
        ))),
    }
}

fn find(programme: &Programme, id: &str) -> Result<Found, Stop> {
    let view = programme.view(AsOf::Now);
    erasure::find(&view, id, programme.erasure_delay_least())?
        .ok_or_else(|| Stop::WrongUse(format!("there is no erasure {id}")))
}

pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Stop::CouldNotRun(error.to_string()))?;
    Ok(runtime.block_on(work)?)
}
