//! `homecoming keys escrow`: a file of sealed keys, and a file for each share.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Opening, Stop};
use crate::programme::keys;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    opening: Opening,
    /// The id of the Patient whose keys; without it, the wrapping key
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// How many shares bring the keys back
    #[arg(long, value_name = "K")]
    need: u8,
    /// How many shares there are
    #[arg(long, value_name = "N")]
    of: u8,
    /// A new folder for the file and the shares
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let mut offline = args.opening.offline()?;
    // Before anything is noted: shares that cannot be written are not made.
    folder(&args.out)?;
    let (bundle, shares) =
        keys::escrow(&mut offline, args.person.as_deref(), (args.need, args.of))?;
    write(&args.out.join("escrowed.keys"), &bundle.to_string())?;
    for share in &shares {
        let whose = match share.index() == 1 && args.person.is_some() {
            true => "-participant",
            false => "",
        };
        let name = format!("share-{}{whose}.txt", share.index());
        write(&args.out.join(name), &format!("{share}\n"))?;
    }
    say!(
        "Made {} shares in {}, any {} of which open escrowed.keys there. It is on the record.\n\
         Give each share to another person, on another medium, and delete it here; keep escrowed.keys \
         in several places. {}",
        shares.len(),
        args.out.display(),
        args.need,
        match args.person {
            Some(_) => "share-1-participant.txt is the participant's.",
            None => "They are worth nothing once the wrapping key is changed: make new ones then.",
        },
    );
    Ok(())
}

fn folder(path: &Path) -> Result<(), Stop> {
    let mut options = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut options, 0o700);
    options.create(path).map_err(|error| {
        Stop::WrongUse(format!(
            "the folder {} cannot be made: {error}. It must be a new one.",
            path.display()
        ))
    })
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| {
            Stop::CouldNotRun(format!(
                "{} cannot be written: {error}. The escrow is on the record; destroy what was \
                 written and make it again.",
                path.display()
            ))
        })
}
