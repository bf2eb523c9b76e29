//! `homecoming init`: a new programme, with its keys, its log and its first officer.

use desk::NewUser;

use super::client::open;
use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::chance::Chance;
use crate::programme::{self, About};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The programme's name, as people will see it
    #[arg(long)]
    name: String,
    /// The first officer's name, as colleagues will see it
    #[arg(long, default_value = "First officer")]
    officer: String,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let data = &args.data.data;
    let about = About {
        name: args.name.clone(),
        demo: Vec::new(),
        erasure_delay_days: None,
        complaints: None,
    };
    let passphrase = args.passphrase.read()?;
    programme::create(data, &about, passphrase.as_deref(), &Chance::System)?;
    let officer = NewUser {
        name: &args.officer,
        role: "officer",
        ..NewUser::default()
    };
    let code = super::user::add(&open(data)?, &officer, true)?;
    say!(
        "Made the programme \"{}\" in {}.\n\n\
         {} enrols with this, within a day. It works once and is shown only now:\n\
         http://localhost:8180/enrol#{code}\n{code}\n\n\
         Next:\n  homecoming serve --data {1}\n  homecoming import --data {1} PATH...\n  \
         homecoming client add NAME --data {1} --scope 'system/*.cruds'\n\n\
         Keep a copy of {1}/keys in another place: without the log's key nothing new can be \
         recorded, and without the others nothing can be read.\n{3}",
        args.name,
        data.display(),
        args.officer,
        match passphrase {
            Some(_) =>
                "The keys open only with the passphrase and this machine's provider.key: keep the \
                 passphrase, too, and elsewhere.",
            None =>
                "The keys have no passphrase: whoever can read that folder can read the record. \
                 `--passphrase-file FILE` gives them one.",
        },
    );
    Ok(())
}
