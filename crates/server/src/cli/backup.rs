//! `homecoming backup`: a consistent copy while the programme serves, the keys apart from the record.

use std::path::PathBuf;

use ledger::audit::How;

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::backup;
use crate::clock::{Clock, Stopwatch};
use crate::error::{Error, ErrorKind};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// The folder to make the backup of the record in; there must be nothing yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The folder to make a backup of the keys in: keep it in another place than the record
    #[arg(long, value_name = "DIR")]
    keys_to: Option<PathBuf>,
    /// For scripts
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let watch = Stopwatch::start();
    let made_at = Clock::System.now().to_string();
    let passphrase = args.passphrase.read()?;
    let mut faults = Vec::new();
    let made = backup::make(
        &args.data.data,
        &args.to,
        args.keys_to.as_deref(),
        &made_at,
        &mut |copy| {
            // Opened now, not before: a person who came while the ledger was copied has a key too.
            let keys = ledger::open_keys(&args.data.data, passphrase.as_deref());
            let how = How {
                keys: Some(keys.map_err(Error::open)?),
                keys_of: Some(args.data.data.clone()),
                ..How::default()
            };
            faults.clear();
            let audited = super::audit::audited(copy, &how).map_err(|stop| {
                let why = match stop {
                    Stop::CouldNotRun(why) | Stop::WrongUse(why) => why,
                    Stop::Finding => String::new(),
                };
                Error::new(ErrorKind::Unavailable, why)
            })?;
            if audited.report.faults.is_empty() {
                return Ok(());
            }
            faults = audited.report.faults;
            Err(Error::new(
                ErrorKind::Internal,
                "The copy does not pass its audit, so it is not kept as a backup.",
            ))
        },
    );
    for fault in &faults {
        say!("FAULT: {fault}");
    }
    let made = match made {
        Err(_) if !faults.is_empty() => {
            say!(
                "\n{} faults in the copy. If `homecoming audit` finds them in {} too, the record \
                 itself is damaged: keep it as it is. No backup was made.",
                faults.len(),
                args.data.data.display()
            );
            return Err(Stop::Finding);
        }
        made => made?,
    };
    let bytes: u64 = made.manifest.files.iter().map(|file| file.bytes).sum();
    if args.json {
        say!(
            "{}",
            serde_json::json!({
                "record": made.manifest,
                "keys": made.keys,
                "seconds": watch.seconds(),
            })
        );
        return Ok(());
    }
    say!(
        "Backed up {} entries in {}: {} files, {:.1} MB, copied and read back in {:.1} s.\n\n{}",
        made.manifest.size,
        args.to.display(),
        made.manifest.files.len(),
        bytes as f64 / 1e6,
        watch.seconds(),
        made.manifest.checkpoint,
    );
    match (&made.keys, &args.keys_to) {
        (Some(keys), Some(to)) => say!(
            "The keys are in {}: {} files. They open nothing without the programme's wrapping key, \
             which is in no backup: it comes back from this machine or from the shares in escrow.",
            to.display(),
            keys.files.len()
        ),
        _ => say!(
            "The keys were not copied. Without them the backup shows lines, and no contents: \
             use --keys-to as well."
        ),
    }
    Ok(())
}
