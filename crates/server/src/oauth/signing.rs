//! The keys that id_tokens are signed with: ES384, made by this server, changed every quarter.
//!
//! They lie in `keys/tokens.keys`, a line each: when it was made, and the key. They open no content, and losing them costs
//! nothing but a sign-in: the next start makes new ones. The one before the newest stays published, for tokens that
//! were signed just before the change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p384::ecdsa::signature::Signer as _;
use p384::ecdsa::{Signature, SigningKey};
use seal::Disk as _;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::programme::Programme;

/// The file in `keys/`.
const FILE: &str = "tokens.keys";
/// How long a key signs, in microseconds: 90 days.
const SIGNS: i64 = 90 * 86_400_000_000;
/// How many keys are kept.
const KEPT: usize = 2;

/// One key.
struct Own {
    made: i64,
    key: SigningKey,
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

    /// The keys, the newest first; a new one is made if there is none, or it has signed for long enough.
    fn keys(&self, programme: &Programme, now: i64) -> Result<Arc<Vec<Own>>, Error> {
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
            let mut all = vec![Own {
                made: now,
                key: new_key(programme),
            }];
            all.extend(Arc::into_inner(keys).unwrap_or_default());
            all.truncate(KEPT);
            disk.replace(FILE, &write(&all)).map_err(Error::internal)?;
            keys = Arc::new(all);
        }
        *kept = Some(keys.clone());
        Ok(keys)
    }

    /// The public keys, as a JWK Set.
    pub fn public(&self, programme: &Programme, now: i64) -> Result<Json, Error> {
        let keys = self.keys(programme, now)?;
        let each: Vec<Json> = keys.iter().map(|own| public(&own.key)).collect();
        Ok(json!({ "keys": each }))
    }

    /// A signed token with these claims.
    pub fn sign(&self, programme: &Programme, now: i64, claims: &Json) -> Result<String, Error> {
        let keys = self.keys(programme, now)?;
        let own = keys
            .first()
            .ok_or_else(|| Error::internal("no key to sign with"))?;
        let head = json!({ "alg": "ES384", "kid": kid(&own.key), "typ": "JWT" });
        let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&head), part(claims));
        let signature: Signature = own.key.sign(message.as_bytes());
        Ok(format!(
            "{message}.{}",
            URL_SAFE_NO_PAD.encode(signature.to_bytes())
        ))
    }
}

fn new_key(programme: &Programme) -> SigningKey {
    loop {
        let mut bytes = Zeroizing::new([0u8; 48]);
        programme.chance().fill(&mut *bytes);
        // One number in 2^190 is too large to be a key.
        if let Ok(key) = SigningKey::from_slice(&*bytes) {
            return key;
        }
    }
}

fn read(text: &[u8]) -> Vec<Own> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let one = |line: &str| {
        let (made, key) = line.split_once(' ')?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(key).ok()?);
        Some(Own {
            made: made.parse().ok()?,
            key: SigningKey::from_slice(&bytes).ok()?,
        })
    };
    text.lines().filter_map(one).collect()
}

fn write(keys: &[Own]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(keys.len() * 128));
    for own in keys {
        let bytes = Zeroizing::new(own.key.to_bytes());
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
        text.extend_from_slice(own.made.to_string().as_bytes());
        text.push(b' ');
        text.extend_from_slice(encoded.as_bytes());
        text.push(b'\n');
    }
    text
}

/// The two coordinates of a public key.
fn coordinates(key: &SigningKey) -> (String, String) {
    let point = key.verifying_key().to_encoded_point(false);
    let part = |at: Option<&[u8]>| URL_SAFE_NO_PAD.encode(at.unwrap_or_default());
    (
        part(point.x().map(|x| x.as_slice())),
        part(point.y().map(|y| y.as_slice())),
    )
}

/// A key's name: its thumbprint (RFC 7638).
fn kid(key: &SigningKey) -> String {
    let (x, y) = coordinates(key);
    let canonical = format!("{{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}");
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

fn public(key: &SigningKey) -> Json {
    let (x, y) = coordinates(key);
    json!({ "kty": "EC", "crv": "P-384", "use": "sig", "alg": "ES384", "kid": kid(key), "x": x, "y": y })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let keys = [3, 5].map(|seed| Own {
            made: i64::from(seed),
            key: SigningKey::from_slice(&[seed; 48]).expect("a key"),
        });
        let back = read(&write(&keys));
        assert_eq!(back.len(), 2);
        assert_eq!(kid(&back[1].key), kid(&keys[1].key));
        assert_eq!(back[1].made, 5);
        assert!(read(b"junk\n1 junk\n").is_empty());
    }
}
