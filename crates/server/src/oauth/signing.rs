//! The keys that id_tokens are signed with: RSA of 2,048 bits for RS256, which every app that knows OpenID Connect reads
//! and SMART demands. Made by this server, changed every quarter.
//!
//! They lie in `keys/tokens.keys`, a line each: when it was made, and the key (PKCS#8). They open no content, and losing
//! them costs nothing but a sign-in: the next one makes new ones. The one before the newest stays published, for tokens
//! that were signed just before the change.
//!
//! Making one takes a good part of a second and signing a millisecond, so neither is for a thread that others wait for.
//! `rsa` makes it and does nothing else: what it does with a key takes a time that tells of it (RUSTSEC-2023-0071). `ring`
//! signs, which blinds what it computes with.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{self, CryptoRng, RngCore};
use seal::Disk as _;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::chance::Chance;
use crate::error::Error;
use crate::programme::Programme;

/// The file in `keys/`.
const FILE: &str = "tokens.keys";
/// How long a key signs, in microseconds: 90 days.
const SIGNS: i64 = 90 * 86_400_000_000;
/// How many keys are kept.
const KEPT: usize = 2;
/// How large they are.
const BITS: usize = 2_048;
/// What they sign with, as JWTs name it.
pub const ALGORITHM: &str = "RS256";

/// One key.
struct Own {
    made: i64,
    pkcs8: Zeroizing<Vec<u8>>,
    pair: RsaKeyPair,
}

/// The keys, read when they are needed first.
pub struct Signing {
    folder: PathBuf,
    keys: Mutex<Option<Arc<Vec<Own>>>>,
}

impl Signing {
    /// Those of a data directory.
    pub fn of(data: &Path) -> Signing {
        Signing {
            folder: data.join("keys"),
            keys: Mutex::new(None),
        }
    }

    /// The keys, the newest first; if `chance` is there, a new one is made where there is none, or it has signed for
    /// long enough.
    fn keys(&self, chance: Option<&Chance>, now: i64) -> Result<Arc<Vec<Own>>, Error> {
        let mut kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |keys: &Arc<Vec<Own>>| {
            keys.first()
                .is_some_and(|key| now < key.made.saturating_add(SIGNS))
        };
        if let Some(keys) = kept.as_ref().filter(|keys| is_good(keys)) {
            return Ok(keys.clone());
        }
        let disk = ledger::keys::Folder::new(self.folder.clone());
        let text = Zeroizing::new(
            disk.read(FILE)
                .map_err(Error::internal)?
                .unwrap_or_default(),
        );
        let mut keys = Arc::new(read(&text));
        if !is_good(&keys) {
            let Some(chance) = chance else {
                return Ok(keys);
            };
            let mut all = vec![new_key(chance, now)?];
            all.extend(Arc::into_inner(keys).unwrap_or_default());
            all.truncate(KEPT);
            disk.replace(FILE, &write(&all)).map_err(Error::internal)?;
            keys = Arc::new(all);
        }
        *kept = Some(keys.clone());
        Ok(keys)
    }

    /// The public keys, as a JWK Set. `makes`: a key is made if there is none, because somebody may be about to need it.
    pub fn public(&self, programme: &Programme, now: i64, makes: bool) -> Result<Json, Error> {
        let keys = self.keys(makes.then(|| programme.chance()), now)?;
        let each: Vec<Json> = keys.iter().map(|own| public(&own.pair)).collect();
        Ok(json!({ "keys": each }))
    }

    /// A signed token with these claims.
    pub fn sign(&self, programme: &Programme, now: i64, claims: &Json) -> Result<String, Error> {
        let keys = self.keys(Some(programme.chance()), now)?;
        let own = keys
            .first()
            .ok_or_else(|| Error::internal("no key to sign with"))?;
        let head = json!({ "alg": ALGORITHM, "kid": kid(&own.pair), "typ": "JWT" });
        let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&head), part(claims));
        let mut signature = vec![0; own.pair.public().modulus_len()];
        // The signature is the same whatever the machine's randomness is: it blinds the computing alone.
        own.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .map_err(|_| Error::internal("an id_token could not be signed"))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Chance, as `rsa` asks for it.
struct Draws<'c>(&'c Chance);

impl RngCore for Draws<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for Draws<'_> {}

fn new_key(chance: &Chance, now: i64) -> Result<Own, Error> {
    let key = rsa::RsaPrivateKey::new(&mut Draws(chance), BITS).map_err(Error::internal)?;
    let der = key.to_pkcs8_der().map_err(Error::internal)?;
    of_pkcs8(now, der.to_bytes()).ok_or_else(|| Error::internal("a new RSA key is none"))
}

fn of_pkcs8(made: i64, pkcs8: Zeroizing<Vec<u8>>) -> Option<Own> {
    let pair = RsaKeyPair::from_pkcs8(&pkcs8).ok()?;
    Some(Own { made, pkcs8, pair })
}

fn read(text: &[u8]) -> Vec<Own> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let one = |line: &str| {
        let (made, key) = line.split_once(' ')?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(key).ok()?);
        of_pkcs8(made.parse().ok()?, bytes)
    };
    text.lines().filter_map(one).collect()
}

fn write(keys: &[Own]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(keys.len() * 2_048));
    for own in keys {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(own.pkcs8.as_slice()));
        text.extend_from_slice(own.made.to_string().as_bytes());
        text.push(b' ');
        text.extend_from_slice(encoded.as_bytes());
        text.push(b'\n');
    }
    text
}

/// Modulus and exponent of a public key, as JWKs write them.
fn numbers(pair: &RsaKeyPair) -> (String, String) {
    let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
    (
        URL_SAFE_NO_PAD.encode(public.n),
        URL_SAFE_NO_PAD.encode(public.e),
    )
}

/// A key's name: its thumbprint (RFC 7638).
fn kid(pair: &RsaKeyPair) -> String {
    let (n, e) = numbers(pair);
    let canonical = format!("{{\"e\":\"{e}\",\"kty\":\"RSA\",\"n\":\"{n}\"}}");
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

fn public(pair: &RsaKeyPair) -> Json {
    let (n, e) = numbers(pair);
    json!({ "kty": "RSA", "use": "sig", "alg": ALGORITHM, "kid": kid(pair), "n": n, "e": e })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let keys = [3, 5].map(|seed| {
            new_key(&Chance::seeded(seed), seed.try_into().expect("small")).expect("a key")
        });
        assert_ne!(kid(&keys[0].pair), kid(&keys[1].pair));
        let back = read(&write(&keys));
        assert_eq!(back.len(), 2);
        assert_eq!(kid(&back[1].pair), kid(&keys[1].pair));
        assert_eq!(back[1].made, 5);
        assert!(read(b"junk\n1 junk\n").is_empty());
    }

    #[test]
    fn a_key_is_of_its_size_and_the_same_for_the_same_chance() {
        let key = |seed| new_key(&Chance::seeded(seed), 0).expect("a key");
        let one = key(7);
        assert_eq!(one.pair.public().modulus_len() * 8, BITS);
        assert_eq!(numbers(&one.pair).1, "AQAB");
        assert_eq!(kid(&one.pair), kid(&key(7).pair));
    }
}
