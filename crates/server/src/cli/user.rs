//! `homecoming user`: the people who sign in.

use clap::Subcommand;
use desk::Desk;

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
        } => {
            let code = add(&open(&data.data)?, name, role, practitioner.as_deref())?;
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

/// Adds someone with a new code, and gives the code.
pub(super) fn add(
    desk: &Desk,
    name: &str,
    role: &str,
    practitioner: Option<&str>,
) -> Result<String, Stop> {
    let code = crate::sign_in::new_code(&Chance::System);
    desk.add_user(name, role, practitioner, &code, Clock::System.now().0)
        .map_err(|error| cannot(&error))?;
    Ok(code)
}
