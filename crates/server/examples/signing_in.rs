//! How long signing in takes: `cargo run --release -p homecoming --example signing_in`.
//!
//! With a name, a password and a one-time code, through everything but HTTP, one after the other and two at
//! a time; and what it takes to check what a passkey signed.

use std::time::Duration;

use desk::NewUser;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer;
use server::chance::Chance;
use server::clock::{Clock, Stopwatch};
use server::programme::{self, About, Programme};
use server::sign_in::by_password::{self, Outcome};
use server::sign_in::{Visitor, one_time, password};
use sha2::{Digest, Sha256};

const ROUNDS: usize = 100;
const BEGIN: i64 = 1_795_338_720_000_000;
const SECRET: &[u8] = b"12345678901234567890";
const PASSWORD: &str = "tin harbour violet spoon";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("homecoming-signing-in-{}", std::process::id()));
    let (clock, chance) = (Clock::standing_at(BEGIN), Chance::seeded(1));
    let about = About {
        name: "Measured".to_owned(),
        demo: Vec::new(),
        erasure_delay_days: None,
        complaints: None,
    };
    let keys = programme::create(&folder, &about, None, &chance)?;
    let programme = Programme::open(
        &folder,
        keys,
        clock.clone(),
        chance.clone(),
        &mut |_, _| {},
        Box::new(|why| panic!("the writer stopped: {why}")),
    )?;
    let desk = programme.desk();
    let users: Vec<i64> = ["One", "Two"]
        .map(|name| {
            let new = NewUser {
                name,
                role: "caseworker",
                ..NewUser::default()
            };
            desk.add_user(&new, BEGIN, |_| None)
        })
        .into_iter()
        .collect::<Result<_, _>>()?;
    for user in users {
        let hash = password::hash(PASSWORD, &chance)?;
        let sealed = programme
            .sealer()
            .seal("one-time", &format!("user/{user}"), SECRET, &chance);
        desk.set_password(user, &hash, &sealed, 0, BEGIN)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()?;
    let sign_in = async |name: &str, code: &str| {
        let watch = Stopwatch::start();
        let visitor = Visitor::at_the_machine();
        let outcome = by_password::check(&programme, &visitor, name, PASSWORD, code).await;
        assert!(
            matches!(outcome, Ok(Outcome::Is(_)) | Ok(Outcome::Wrong)),
            "{outcome:?}"
        );
        watch.elapsed()
    };
    let (mut alone, mut together, mut nobody) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let now = BEGIN + round as i64 * 90_000_000;
        clock.set(now);
        alone.push(runtime.block_on(sign_in("One", &one_time::code(SECRET, now))));
        clock.set(now + 30_000_000);
        let code = one_time::code(SECRET, now + 30_000_000);
        let (one, two) =
            runtime.block_on(async { tokio::join!(sign_in("One", &code), sign_in("Two", &code)) });
        together.extend([one, two]);
        if round <= 4 {
            nobody.push(runtime.block_on(sign_in("Nobody", "000000")));
        }
    }
    say("password and one-time code, alone", &mut alone);
    say("the same, two at a time", &mut together);
    say("a name that nobody has", &mut nobody);

    let key = SigningKey::from_slice(&[7; 32])?;
    let client =
        br#"{"type":"webauthn.get","challenge":"x","origin":"https://record.example.org"}"#;
    let message = [&[0; 37][..], &Sha256::digest(client)].concat();
    let signature: p256::ecdsa::Signature = key.sign(&message);
    let mut checks = Vec::new();
    for _ in 0..10 * ROUNDS {
        use p256::ecdsa::signature::Verifier;
        let watch = Stopwatch::start();
        key.verifying_key().verify(&message, &signature)?;
        checks.push(watch.elapsed());
    }
    say("a passkey's signature (ES256)", &mut checks);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn say(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{what}: p50 {:.2} ms, p95 {:.2} ms, of {}",
        at(0.5),
        at(0.95),
        times.len()
    );
}
