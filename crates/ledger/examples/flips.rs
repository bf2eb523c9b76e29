//! Flips every byte of a ledger's file in turn: `cargo run --release -p ledger --example flips -- DIR [EVERY]`.
//!
//! DIR is a data directory at rest; its file is as before at the end. EVERY 1 (the default) takes
//! all bytes, 10 each tenth. How it is done, and why that is the same as a whole audit for each
//! byte, is said in `ledger::audit::flips`.
#![expect(clippy::print_stdout, reason = "it prints what it found")]

use std::path::Path;
use std::process::ExitCode;

use ledger::audit::flips::Sound;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(dir) = args.next() else {
        eprintln!("usage: flips DIR [EVERY]");
        return ExitCode::from(2);
    };
    let every: usize = args.next().map_or(1, |n| n.parse().expect("a number"));
    let dir = Path::new(&dir);
    let keys = ledger::open_keys(dir, None).expect("the keys open");
    let mut sound = Sound::read(dir, &keys).expect("it is sound");
    let length = sound.length();
    let flipped = sound
        .flip((0..length).step_by(every), &mut |done| {
            if done % 50_000 == 0 {
                eprintln!("{done} of {} bytes", length / every as u64);
            }
        })
        .expect("the file can be written");
    println!("{} bytes flipped, {} found", flipped.bytes, flipped.found);
    for (what, count) in &flipped.silent {
        let at = flipped.silent_at[what];
        println!("{count:>9} say nothing: {what} (the first at {at})");
    }
    println!(
        "{:>9} change a mark of an import, which is not part of the record",
        flipped.marks
    );
    let (seen, tried) = flipped.pages_check;
    println!("of {tried} of these, SQLite's own check of the pages notices {seen}");
    for (at, what) in &flipped.escaped {
        println!("ESCAPED: byte {at}: {what}");
    }
    match flipped.escaped.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
