//! `homecoming user`: the people who sign in.

use clap::Subcommand;
use desk::{Desk, NewUser, User};

use super::client::{cannot, open};
use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::Clock;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Add someone and print their sign-in code, once
    Add {
        /// The name that colleagues see
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
            let code = add(&desk, &new)?;
            say!("{name} ({role}) signs in with this code, which is shown only now:\n{code}");
            Ok(())
        }
        What::List { data } => {
            for user in open(&data.data)?.users().map_err(|error| cannot(&error))? {
                say!("{}\t{}", user.name, user.role);
            }
            Ok(())
        }
    }
}

fn named(desk: &Desk, name: &str) -> Result<User, Stop> {
    let found = desk.user_named(name).map_err(|error| cannot(&error))?;
    found.ok_or_else(|| {
        Stop::WrongUse(format!(
            "there is no user named {name}; `homecoming user list` shows who there is"
        ))
    })
}

/// Adds someone with a new code, and gives the code.
pub(super) fn add(desk: &Desk, new: &NewUser<'_>) -> Result<String, Stop> {
    if (new.role == "participant") != new.patient.is_some() {
        return Err(Stop::WrongUse(
            "a participant, and nobody else, is added with --patient ID: the Patient that they are"
                .to_owned(),
        ));
    }
    let now = Clock::System.now().0;
    let code = crate::sign_in::new_code(&Chance::System);
    let added = desk
        .add_user(new, now, |_| None)
        .and_then(|id| desk.give_code(id, &code, now, now + crate::sign_in::CODE_MICROS, None));
    added.map_err(|error| cannot(&error))?;
    Ok(code)
}
