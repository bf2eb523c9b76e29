//! Writes with their receipts: what a client waits for that believes nothing which it has not verified.
//!
//! Each client records an Observation about one of the imported people, has its receipt in the answer
//! and verifies it against the log's key, as `homecoming verify` does; then the next. Beside it the
//! same with a receipt that is asked for afterwards, which is a read and waits for its leaf on the
//! access log.

use std::io::{Error, Result};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tlog::note::VerifierKey;

use super::load::{exchange, get_once, post, request};
use super::{Served, Sheet, machine, round};
use crate::cli::Stop;
use crate::clock::Stopwatch;

/// How many hashes lead to the root in a log of a million entries.
const HASHES_OF_A_MILLION: usize = 20;

/// What a hash is in a receipt: 44 characters and a line end.
const HASH_BYTES: usize = 45;

/// What a witness's signature is in a receipt: its key's id, a time and an Ed25519 signature in base64,
/// behind a name of 25 characters.
const COSIGNATURE_BYTES: usize = 135;

/// How a client comes by a receipt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// In the answer to the write.
    WithWrite,
    /// By a request of its own.
    Afterwards,
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    written_s: Vec<f64>,
    verified_s: Vec<f64>,
    refused: u64,
    receipt: Option<Receipt>,
}

/// One receipt, by the sizes of its parts.
#[derive(Clone, Copy)]
struct Receipt {
    bytes: usize,
    extra_bytes: usize,
    hashes: usize,
    signatures: usize,
}

/// Measures at 1, 8, 64 and 128 clients and puts the figures on the sheet.
pub fn measure(
    served: &Served,
    token: &str,
    patients: &[String],
    seconds: f64,
    sheet: &mut Sheet,
) -> std::result::Result<(), Stop> {
    let failed = |error: Error| Stop::CouldNotRun(format!("writes with receipts: {error}"));
    let key = key(served.address, token, patients).map_err(failed)?;
    for (clients, how) in [1, 8, 64, 128]
        .into_iter()
        .flat_map(|clients| [(clients, How::WithWrite), (clients, How::Afterwards)])
    {
        let all = |seconds| all(served.address, token, &key, patients, clients, how, seconds);
        all(1.0).map_err(failed)?;
        let before = (commits(served.address), machine::cpu_seconds(served.pid()));
        let watch = Stopwatch::start();
        let seen = all(seconds).map_err(failed)?;
        let wall = watch.seconds();
        let after = (commits(served.address), machine::cpu_seconds(served.pid()));
        let count = seen.verified_s.len() as f64;
        let flushes = after.0.zip(before.0).map(|(after, before)| after - before);
        let name = match how {
            How::WithWrite => "write to verified receipt",
            How::Afterwards => "the same, asked for afterwards",
        };
        sheet.put(
            &format!("{name}, {clients} clients"),
            json!({
                "per_s": round(count / wall, 0),
                "write_p50_ms": round(share(&seen.written_s, 0.50), 2),
                "write_p99_ms": round(share(&seen.written_s, 0.99), 2),
                "verified_p50_ms": round(share(&seen.verified_s, 0.50), 2),
                "verified_p99_ms": round(share(&seen.verified_s, 0.99), 2),
                "writes_per_fsync": flushes.map_or(Value::Null, |flushes| round(count / flushes.max(1.0), 1)),
                "server_cpu_ms": round((after.1 - before.1) * 1e3 / count.max(1.0), 4),
                "refused": seen.refused,
            }),
        );
        if let (128, How::WithWrite, Some(receipt)) = (clients, how, seen.receipt) {
            let missing = HASHES_OF_A_MILLION.saturating_sub(receipt.hashes) * HASH_BYTES
                + 3_usize.saturating_sub(receipt.signatures) * COSIGNATURE_BYTES;
            sheet.put(
                "receipt, bytes",
                json!({
                    "all": receipt.bytes,
                    // The entry's line, its content, salt and the log's key, in base64.
                    "of_these_what_is_proven": receipt.extra_bytes,
                    "hashes": receipt.hashes,
                    "signatures": receipt.signatures,
                    // Computed: with twenty hashes, the log's signature and two of witnesses.
                    "proof_at_a_million_entries_with_two_cosignatures":
                        receipt.bytes - receipt.extra_bytes + missing,
                }),
            );
        }
    }
    Ok(())
}

/// The log's key, from the receipt of a patient: from here on nothing is believed that it did not sign.
fn key(address: SocketAddr, token: &str, patients: &[String]) -> Result<VerifierKey> {
    let patient = patients
        .first()
        .ok_or_else(|| Error::other("the input has no Patient"))?;
    let answer = get_once(address, &format!("/fhir/Patient/{patient}/$receipt"), token)?;
    let report = ledger::receipt::verify(&answer.body, None).map_err(Error::other)?;
    Ok(report.key)
}

fn all(
    address: SocketAddr,
    token: &str,
    key: &VerifierKey,
    patients: &[String],
    clients: usize,
    how: How,
    seconds: f64,
) -> Result<Seen> {
    std::thread::scope(|scope| {
        let loops: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn(move || {
                    one(
                        address,
                        token,
                        key,
                        &patients[client % patients.len()],
                        how,
                        seconds,
                    )
                })
            })
            .collect();
        let mut all = Seen::default();
        for client in loops {
            let seen = client
                .join()
                .map_err(|_| Error::other("a client's thread ended badly"))??;
            all.written_s.extend(seen.written_s);
            all.verified_s.extend(seen.verified_s);
            all.refused += seen.refused;
            all.receipt = all.receipt.or(seen.receipt);
        }
        all.written_s.sort_unstable_by(f64::total_cmp);
        all.verified_s.sort_unstable_by(f64::total_cmp);
        Ok(all)
    })
}

fn one(
    address: SocketAddr,
    token: &str,
    key: &VerifierKey,
    patient: &str,
    how: How,
    seconds: f64,
) -> Result<Seen> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(1 << 14);
    let body = json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "29463-7", "display": "Body weight" }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "effectiveDateTime": "2026-05-05T09:12:00Z",
        "valueQuantity": { "value": 81.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg" },
    })
    .to_string();
    let prefer = match how {
        How::WithWrite => "receipt",
        How::Afterwards => "minimal",
    };
    let write = post("/fhir/Observation", token, &body, prefer);
    let mut seen = Seen::default();
    let watch = Stopwatch::start();
    while watch.seconds() < seconds {
        let whole = Stopwatch::start();
        let answer = exchange(&mut stream, &write, &mut buffer)?;
        let written = whole.seconds();
        let id = answer
            .header("location")
            .filter(|_| answer.status == 201)
            .and_then(|location| location.split("/Observation/").nth(1)?.split('/').next());
        let Some(id) = id else {
            seen.refused += 1;
            continue;
        };
        let receipt = match how {
            How::WithWrite => answer,
            How::Afterwards => {
                let ask = request(&format!("/fhir/Observation/{id}/$receipt"), token);
                exchange(&mut stream, &ask, &mut buffer)?
            }
        };
        ledger::receipt::verify(&receipt.body, Some(key)).map_err(Error::other)?;
        seen.written_s.push(written);
        seen.verified_s.push(whole.seconds());
        seen.receipt = Some(sizes(&receipt.body));
    }
    Ok(seen)
}

fn sizes(receipt: &[u8]) -> Receipt {
    let text = String::from_utf8_lossy(receipt);
    let extra = text.lines().find(|line| line.starts_with("extra "));
    let proof = tlog::proof::Proof::parse(&text).ok();
    Receipt {
        bytes: receipt.len(),
        extra_bytes: extra.map_or(0, |extra| extra.len() + 1),
        hashes: proof.map_or(0, |proof| proof.hashes.len()),
        signatures: text
            .lines()
            .filter(|line| line.starts_with('\u{2014}'))
            .count(),
    }
}

/// How often the server has flushed a group, if it says so.
fn commits(address: SocketAddr) -> Option<f64> {
    let answer = get_once(address, "/metrics", "").ok()?;
    String::from_utf8_lossy(&answer.body)
        .lines()
        .find_map(|line| line.strip_prefix("homecoming_commits ")?.parse().ok())
}

/// The time, in milliseconds, that so large a share of them took at most.
fn share(sorted_s: &[f64], share: f64) -> f64 {
    let at = ((sorted_s.len() as f64 * share) as usize).min(sorted_s.len().saturating_sub(1));
    sorted_s.get(at).copied().unwrap_or(0.0) * 1e3
}
