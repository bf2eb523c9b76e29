//! `homecoming import`: brings in files, with a progress bar, resumable.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::passphrase::Passphrase;
use super::{Data, Stop};
use crate::chance::Chance;
use crate::clock::{Clock, Stopwatch};
use crate::import::{self, Progress};
use crate::programme::Offline;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// FHIR bundles or resources (*.json), NDJSON files (*.ndjson), or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// For scripts: one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// A progress bar on a terminal; nothing elsewhere.
pub(super) fn bar(length: u64, unit: &str) -> ProgressBar {
    styled(length, &format!("{{pos}} of {{len}} {unit}  {{msg}}"))
}

fn styled(length: u64, says: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
    let template = format!("{{bar:32}} {{percent:>3}} %  {says}  {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
    bar
}

pub fn run(args: &Args) -> Result<(), Stop> {
    crate::log::start();
    let files = import::files(&args.paths)?;
    if files.is_empty() {
        return Err(Stop::WrongUse(
            "there are no *.json or *.ndjson files there".to_owned(),
        ));
    }
    let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let mut programme = Offline::open(
        &args.data.data,
        args.passphrase.open(&args.data.data)?,
        Clock::System,
        Chance::System,
        &mut |reached, size| {
            if std::io::stderr().is_terminal() {
                eprint!("\rbringing the index up to the ledger: {reached} of {size} entries");
            }
        },
    )?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let progress = Progress::default();
    let watch = Stopwatch::start();
    let ended = AtomicBool::new(false);
    let troubles = std::thread::scope(|scope| {
        scope.spawn(|| draw(&progress, bytes, files.len(), &watch, &ended));
        let outcome = import::import(&mut programme, &files, cores, &progress);
        ended.store(true, Ordering::Relaxed);
        outcome
    })?;

    let seconds = watch.seconds();
    let resources = progress.resources.load(Ordering::Relaxed);
    let already = progress.already.load(Ordering::Relaxed);
    if args.json {
        let troubles: Vec<_> = troubles
            .iter()
            .map(|trouble| {
                serde_json::json!({ "file": trouble.file, "error": trouble.error.for_operator() })
            })
            .collect();
        say!(
            "{}",
            serde_json::json!({
                "files": files.len(), "resources": resources, "already": already,
                "seconds": seconds, "troubles": troubles,
            })
        );
    } else {
        say!(
            "{resources} resources from {} files in {seconds:.1} s ({:.0} per second).",
            files.len() - troubles.len(),
            resources as f64 / seconds.max(1e-9)
        );
        if already > 0 {
            say!("{already} were already there from an earlier import and were left alone.");
        }
        for trouble in &troubles {
            say!(
                "NOT IMPORTED: {}\n  {}",
                trouble.file.display(),
                trouble.error.for_operator()
            );
        }
    }
    if troubles.is_empty() {
        Ok(())
    } else {
        Err(Stop::Finding)
    }
}

/// Draws until the import has ended: a bar on a terminal, a line every ten seconds elsewhere.
fn draw(progress: &Progress, bytes: u64, files: usize, watch: &Stopwatch, ended: &AtomicBool) {
    let bar = styled(bytes, "{msg}");
    let terminal = std::io::stderr().is_terminal();
    let mut told = 0.0;
    while !ended.load(Ordering::Relaxed) {
        let seconds = watch.seconds();
        let resources = progress.resources.load(Ordering::Relaxed);
        let done = progress.bytes.load(Ordering::Relaxed);
        let rate = resources as f64 / seconds.max(1e-9);
        bar.set_position(done);
        bar.set_message(format!(
            "{resources} resources, {rate:.0} per second, file {} of {files}",
            progress.files.load(Ordering::Relaxed)
        ));
        if !terminal && seconds - told > 10.0 {
            told = seconds;
            let left = (bytes - done.min(bytes)) as f64 * seconds / (done.max(1)) as f64;
            eprintln!("{resources} resources, {rate:.0} per second, about {left:.0} s left");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
