//! Measures sealing: `cargo run --release -p seal --example sealing`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measuring takes the time and prints it"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use seal::{Bound, Class, Disk, FileProvider, Key, KeyProvider, Keyring, Wrapping, shamir};

#[derive(Default)]
struct Memory(Mutex<HashMap<String, Vec<u8>>>);

impl Disk for Memory {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().expect("one thread").get(name).cloned())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.0.lock().expect("one thread");
        files.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn destroy(&self, name: &str) -> io::Result<()> {
        self.0.lock().expect("one thread").remove(name);
        Ok(())
    }
}

fn rate(what: &str, times: u32, mut run: impl FnMut(u32)) {
    run(0);
    let started = Instant::now();
    for i in 0..times {
        run(i);
    }
    let each = started.elapsed().as_secs_f64() / f64::from(times);
    println!("{what:<44} {:>10.2} us  {:>12.0}/s", each * 1e6, 1.0 / each);
}

fn main() {
    let mut state = 1u64;
    let mut chance = move |out: &mut [u8]| {
        for byte in out {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    };
    let wrapping = Wrapping::new(Key::draw(&mut chance));
    let disk = Arc::new(Memory::default());
    let ring = Keyring::create(disk, "ledger.keyring", "example.org/p", &wrapping).expect("new");
    let slots = 100_000;
    let started = Instant::now();
    ring.reserve(slots, &mut chance).expect("reserved");
    println!(
        "reserving {slots} slots: {:.1} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
    let started = Instant::now();
    let next = Wrapping::new(Key::draw(&mut chance));
    ring.destroy(&[17], &next).expect("destroyed");
    println!(
        "destroying one key of {slots}, wrapping the others anew: {:.1} ms",
        started.elapsed().as_secs_f64() * 1e3
    );

    let person = [7; 16];
    let bound = |position: u32| Bound {
        log: "homecoming.example/programme",
        class: Class::Record,
        person: Some(&person),
        kind: "Observation",
        id: "5q0t7v9e2k4m8n1c",
        version: 1,
        position: position.into(),
    };
    rate("unwrapping a slot's key", 200_000, |i| {
        black_box(ring.key(18 + i % 99_000).expect("a key"));
    });
    for length in [300, 1_000, 10_000] {
        let packed = vec![0x5a; length];
        rate(
            &format!("unwrap, derive and seal {length} bytes"),
            100_000,
            |i| {
                let key = ring.key(18 + i % 99_000).expect("a key");
                let mut nonce = [0; 12];
                nonce[..4].copy_from_slice(&i.to_le_bytes());
                black_box(seal::seal(&key, nonce, &bound(i), &[9; 16], &packed));
            },
        );
        let key = ring.key(18).expect("a key");
        let body = seal::seal(&key, [1; 12], &bound(3), &[9; 16], &packed);
        rate(
            &format!("unwrap, derive and open {length} bytes"),
            100_000,
            |_| {
                let key = ring.key(18).expect("a key");
                black_box(seal::open(&key, &bound(3), &body).expect("opens"));
            },
        );
    }
    let provider = FileProvider::new(Key::draw(&mut chance), Some(b"correct horse"));
    let wrapped = provider
        .wrap(wrapping.key(), b"programme", &mut chance)
        .expect("wrapped");
    rate("unwrapping W with a passphrase (argon2id)", 3, |_| {
        black_box(provider.unwrap(&wrapped, b"programme").expect("unwrapped"));
    });
    let words = |index: u8| format!("share {index}");
    let shares = shamir::split(&[7; 32], 3, 5, &words, &mut chance).expect("split");
    rate("joining 3 of 5 shares", 10_000, |_| {
        black_box(shamir::join(&shares[1..4]).expect("joined"));
    });
}
