//! Flips every byte of both logs' files in turn: `cargo run --release -p ledger --example flips -- DIR [EVERY]`.
//!
//! DIR is a data directory at rest; its files are as before at the end. EVERY 1 (the default) takes
//! all bytes, 10 each tenth. How it is done, and why that is the same as a whole audit for each
//! byte, is said in `ledger::audit::flips`. For a store of 10,000 entries and as many leaves, run the test
//! `flips::a_flipped_bit` with `HOMECOMING_FLIPS=all`.
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
    let mut all_found = true;
    for name in ["ledger.sqlite", "access.sqlite"] {
        let sound = match name {
            "ledger.sqlite" => Sound::read(dir, &keys),
            _ => ledger::access::flips::read(dir, &keys),
        };
        let mut sound = sound.expect("it is sound");
        let length = sound.length();
        let flipped = sound
            .flip((0..length).step_by(every), &mut |done| {
                if done % 50_000 == 0 {
                    eprintln!("{name}: {done} of {} bytes", length / every as u64);
                }
            })
            .expect("the file can be written");
        println!("{name}, {length} bytes: {flipped}");
        all_found &= flipped.escaped.is_empty();
    }
    match all_found {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
