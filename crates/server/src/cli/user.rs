//! `homecoming user`: the people who sign in.

use clap::Subcommand;
use desk::{Desk, NewUser};

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
        /// What they sign in with: one word, such as `r.example`
        name: String,
        /// The name that colleagues see; the same, if it is not given
        #[arg(long, value_name = "NAME")]
        full_name: Option<String>,
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
        What::Add { name, full_name, data, role, practitioner } => {
            let desk = open(&data.data)?;
            let code = add(
                &desk,
                NewUser {
                    name,
                    full_name: full_name.as_deref().unwrap_or(name),
                    role,
                    practitioner: practitioner.as_deref(),
                },
            )?;
            println!("{name} ({role}) signs in with this code, which is shown only now:\n{code}");
            Ok(())
        }
        What::List { data } => {
            for user in open(&data.data)?.users().map_err(|error| cannot(&error))? {
                println!("{}\t{}\t{}", user.name, user.role, user.full_name);
            }
            Ok(())
        }
    }
}

/// Adds someone with a new code, and gives the code.
pub(super) fn add(desk: &Desk, user: NewUser<'_>) -> Result<String, Stop> {
    desk.add_user(user, Clock::System.now().0).map_err(|error| cannot(&error))?;
    desk.new_code(user.name, &mut |bytes| Chance::System.fill(bytes)).map_err(|error| cannot(&error))
}
