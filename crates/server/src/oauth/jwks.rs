//! Clients' public keys: a JWK Set, read for the two algorithms that are accepted and nothing else.
//!
//! A key says with which algorithm it is used by what it is: RSA of at least 2,048 bits for RS384, a point of P-384 for
//! ES384. So nobody can choose another by writing it into a token, and a public key is never taken for a shared secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value as Json;

/// The most keys in a set.
const KEYS_MAX: usize = 20;
/// RSA keys between these sizes are taken, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// One key.
#[derive(Clone)]
pub struct Key {
    /// Its name in the set.
    pub kid: String,
    /// The one algorithm that it is for.
    pub algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    /// Whether a signature of a message is this key's.
    pub fn fits(&self, signature: &str, message: &[u8]) -> bool {
        jsonwebtoken::crypto::verify(signature, message, &self.key, self.algorithm).unwrap_or(false)
    }
}

/// Reads a JWK Set. Keys for other things are passed over; one that should do and does not is an error, as a sentence.
pub fn read(set: &Json) -> Result<Vec<Key>, String> {
    let Some(listed) = set.get("keys").and_then(Json::as_array) else {
        return Err("The keys are no JWK Set: write {\"keys\":[…]}.".to_owned());
    };
    if listed.len() > KEYS_MAX {
        return Err(format!("The JWK Set has more than {KEYS_MAX} keys."));
    }
    let mut keys: Vec<Key> = Vec::new();
    for one in listed {
        if let Some(key) = key(one)? {
            if keys.iter().any(|known| known.kid == key.kid) {
                return Err(format!("Two keys are named `{}`.", key.kid));
            }
            keys.push(key);
        }
    }
    match keys.is_empty() {
        true => Err(
            "There is no key for RS384 or ES384 in the JWK Set: an RSA key of 2,048 bits or more, \
             or one on P-384."
                .to_owned(),
        ),
        false => Ok(keys),
    }
}

fn key(one: &Json) -> Result<Option<Key>, String> {
    let text = |name: &str| one.get(name).and_then(Json::as_str);
    if ["d", "p", "q", "dp", "dq", "qi", "k"]
        .iter()
        .any(|private| one.get(private).is_some())
    {
        return Err(
            "The JWK Set holds a private or shared key. Take it out of use: it has been seen now. \
             Register the public key of another."
                .to_owned(),
        );
    }
    if text("use").is_some_and(|used| used != "sig") {
        return Ok(None);
    }
    let algorithm = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => Algorithm::RS384,
        (Some("EC"), Some("P-384")) => Algorithm::ES384,
        _ => return Ok(None),
    };
    let named = match algorithm {
        Algorithm::RS384 => "RS384",
        _ => "ES384",
    };
    if text("alg").is_some_and(|alg| alg != named) {
        return Ok(None);
    }
    let Some(kid) = text("kid").filter(|kid| (1..=200).contains(&kid.len())) else {
        return Err("A key in the JWK Set has no `kid`.".to_owned());
    };
    let part = |name: &str| {
        let text = text(name).unwrap_or_default();
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| (text.to_owned(), bytes))
            .ok_or_else(|| format!("The key `{kid}` has no `{name}` that can be read."))
    };
    let key = match algorithm {
        Algorithm::RS384 => {
            let ((n, modulus), (e, exponent)) = (part("n")?, part("e")?);
            let bits = modulus.len() * 8 - modulus[0].leading_zeros() as usize;
            let exponent = exponent.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
            if !RSA_BITS.contains(&bits) || exponent < 3 || exponent % 2 == 0 {
                return Err(format!(
                    "The key `{kid}` is not one that can be relied on: RSA keys have 2,048 to 8,192 bits."
                ));
            }
            DecodingKey::from_rsa_components(&n, &e)
        }
        _ => {
            let ((x, one), (y, other)) = (part("x")?, part("y")?);
            let mut point = vec![4];
            point.extend_from_slice(&one);
            point.extend_from_slice(&other);
            if p384::PublicKey::from_sec1_bytes(&point).is_err() {
                return Err(format!("The key `{kid}` is no point of P-384."));
            }
            DecodingKey::from_ec_components(&x, &y)
        }
    }
    .map_err(|_| format!("The key `{kid}` cannot be read."))?;
    Ok(Some(Key {
        kid: kid.to_owned(),
        algorithm,
        key,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3";
    const Y: &str = "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f";

    #[test]
    fn a_set_is_read_for_what_is_accepted() {
        let good = json!({ "kty": "EC", "crv": "P-384", "kid": "a", "x": X, "y": Y });
        let with = |name: &str, value: Json| {
            let mut one = good.clone();
            one[name] = value;
            json!({ "keys": [one] })
        };
        let set = |one: Json| json!({ "keys": [one] });
        for (what, keys, outcome) in [
            ("good", set(good.clone()), Some(1)),
            ("other use", with("use", json!("enc")), None),
            ("other algorithm", with("alg", json!("ES256")), None),
            ("private", with("d", json!("AAAA")), None),
            ("no kid", with("kid", json!("")), None),
            ("not on the curve", with("y", json!(X)), None),
            ("short", with("x", json!("AQ")), None),
            ("no set", good.clone(), None),
            ("empty", json!({ "keys": [] }), None),
            ("twice", json!({ "keys": [good, good] }), None),
            (
                "shared",
                set(json!({ "kty": "oct", "kid": "a", "k": "AAAA" })),
                None,
            ),
            (
                "small RSA",
                set(json!({ "kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB" })),
                None,
            ),
            (
                "large RSA",
                set(json!({ "kty": "RSA", "kid": "a", "e": "AQAB",
                    "n": URL_SAFE_NO_PAD.encode([0xff; 256]) })),
                Some(1),
            ),
            (
                "even exponent",
                set(json!({ "kty": "RSA", "kid": "a", "e": "AQAC",
                    "n": URL_SAFE_NO_PAD.encode([0xff; 256]) })),
                None,
            ),
        ] {
            assert_eq!(read(&keys).ok().map(|keys| keys.len()), outcome, "{what}");
        }
    }
}
