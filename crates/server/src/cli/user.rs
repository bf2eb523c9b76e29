//! `homecoming user`: the people who sign in, for whoever has the machine.
//!
//! Every change is owed to the record and written there as soon as a server runs on the directory, by
//! the actor `operator`: this way leads past two officers, and must not lead past everybody.

use clap::Subcommand;
use desk::{Desk, NewUser, User};

use super::client::{cannot, open};
use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::error::Error;
use crate::users::{self, Event, Hand};

/// Who acts on the command line, as lines name them.
pub(super) const OPERATOR: &str = "operator";

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Add someone and print the code that they enrol with, once
    Add {
        /// The name that colleagues see, and that they sign in with
        name: String,
        #[command(flatten)]
        data: Data,
        /// What they do
        #[arg(long, value_parser = crate::sign_in::ROLES)]
        role: String,
        /// The id of their Practitioner resource: their caseload is whoever names it as general
        /// practitioner
        #[arg(long, value_name = "ID")]
        practitioner: Option<String>,
        /// Of a participant: the id of their Patient resource
        #[arg(long, value_name = "ID")]
        patient: Option<String>,
        /// For whom they work, if not for the programme
        #[arg(long, value_name = "NAME")]
        organisation: Option<String>,
        /// Whom they answer to, by name
        #[arg(long, value_name = "NAME")]
        supervisor: Option<String>,
    },
    /// Print a new code for someone to enrol with; with --instead, what they sign in with now ends
    Code {
        /// Whose
        name: String,
        #[command(flatten)]
        data: Data,
        /// Take away what they sign in with now: for the last officer, who has lost it
        #[arg(long)]
        instead: bool,
    },
    /// Keep someone from signing in; they are signed out at once
    Disable {
        /// Whom
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Let someone sign in again
    Enable {
        /// Whom
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// List them
    List {
        #[command(flatten)]
        data: Data,
    },
}

pub fn run(args: &Args) -> Result<(), Stop> {
    match &args.what {
        What::Add {
            name,
            data,
            role,
            practitioner,
            patient,
            organisation,
            supervisor,
        } => {
            let desk = open(&data.data)?;
            let new = NewUser {
                name,
                role,
                practitioner: practitioner.as_deref(),
                patient: patient.as_deref(),
                organisation: organisation.as_deref(),
                supervisor: match supervisor {
                    None => None,
                    Some(name) => Some(named(&desk, name)?.id),
                },
            };
            let code = add(&desk, &new, false)?;
            say!(
                "{name} ({role}) enrols with this code at /enrol, within two weeks. It works once and is shown \
                 only now:\n{code}"
            );
        }
        What::Code {
            name,
            data,
            instead,
        } => {
            let desk = open(&data.data)?;
            let user = named(&desk, name)?;
            if !instead && desk.ways_in(user.id).map_err(|error| cannot(&error))? > 0 {
                return Err(Stop::WrongUse(format!(
                    "{name} has enrolled already. Two officers give them a new way in on the page /users; if \
                     there are not two who can sign in, use --instead"
                )));
            }
            let code = hand(|hand| {
                if *instead {
                    let owed = hand.owed(&user, &Event::RecoveryApproved(OPERATOR), OPERATOR);
                    desk.forget_ways_in(user.id, Some(&owed))
                        .map_err(Error::desk)?;
                }
                users::give_code(&desk, hand, &user, OPERATOR)
            })?;
            say!(
                "{name} enrols with this code at /enrol. It works once and is shown only now:\n{code}"
            );
        }
        What::Disable { name, data } => able(&open(&data.data)?, name, true)?,
        What::Enable { name, data } => able(&open(&data.data)?, name, false)?,
        What::List { data } => {
            for user in open(&data.data)?.users().map_err(|error| cannot(&error))? {
                let disabled = if user.disabled { "\tdisabled" } else { "" };
                say!("{}\t{}{disabled}", user.name, user.role);
            }
        }
    }
    Ok(())
}

fn able(desk: &Desk, name: &str, disable: bool) -> Result<(), Stop> {
    let user = named(desk, name)?;
    let event = match disable {
        true => Event::Disabled,
        false => Event::Enabled,
    };
    hand(|hand| {
        let owed = hand.owed(&user, &event, OPERATOR);
        desk.disable_user(user.id, disable, Some(&owed))
            .map_err(users::told)
    })?;
    say!(
        "{} {}.",
        name,
        if disable {
            "cannot sign in any more"
        } else {
            "can sign in again"
        }
    );
    Ok(())
}

fn named(desk: &Desk, name: &str) -> Result<User, Stop> {
    let found = desk.user_named(name).map_err(|error| cannot(&error))?;
    found.ok_or_else(|| {
        Stop::WrongUse(format!(
            "there is no user named {name}; `homecoming user list` shows who there is"
        ))
    })
}

/// Does something as the operator, now.
fn hand<T>(act: impl FnOnce(&Hand<'_>) -> Result<T, Error>) -> Result<T, Stop> {
    let hand = Hand {
        now_us: Clock::System.now().0,
        chance: &Chance::System,
    };
    act(&hand).map_err(|error| match error.kind {
        crate::error::ErrorKind::Internal => error.into(),
        _ => Stop::WrongUse(error.message),
    })
}

/// Adds someone with a code to enrol with, and gives the code.
pub(super) fn add(desk: &Desk, new: &NewUser<'_>, first: bool) -> Result<String, Stop> {
    hand(|hand| users::add(desk, hand, new, OPERATOR, first).map(|(_, code)| code))
}
