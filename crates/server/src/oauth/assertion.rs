//! A client proves who it is by signing (`private_key_jwt`, RFC 7523, as SMART backend services narrow it).
//!
//! | what | must be |
//! |---|---|
//! | `alg` | RS384 or ES384, and the one that the key is for |
//! | `kid` | the name of one of the client's registered keys |
//! | `jku`, if there | the registered address of the keys |
//! | `crit` | not there |
//! | `iss`, `sub` | the client |
//! | `aud` | our token endpoint, alone |
//! | `exp` | in the future, at most five minutes |
//! | `iat`, `nbf`, if there | not in the future |
//! | `jti` | new: kept at the desk until `exp`, over restarts |
//!
//! Nothing in a token chooses a key or an algorithm; it can only name one that an officer registered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value as Json};

use super::jwks::Key;

/// What such an assertion is called.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The largest one, in bytes.
const BYTES_MAX: usize = 8 << 10;
/// How long it may be good at the most, in seconds.
const LASTS_MAX: i64 = 300;
/// How far two clocks may be apart, in seconds.
const SKEW: i64 = 10;

/// An assertion that was taken apart and not believed yet.
pub struct Assertion<'t> {
    algorithm: Algorithm,
    /// The key that it names.
    pub kid: String,
    /// Where it says that the key is.
    pub jku: Option<String>,
    claims: Map<String, Json>,
    message: &'t str,
    signature: &'t str,
}

/// What is left when all is checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Proven {
    /// To be used once.
    pub jti: String,
    /// Until when it must be remembered that it was, in microseconds.
    pub until: i64,
}

impl<'t> Assertion<'t> {
    /// Takes one apart. The error is a sentence about what is wrong with it.
    pub fn read(text: &'t str) -> Result<Assertion<'t>, &'static str> {
        if text.len() > BYTES_MAX {
            return Err("the assertion is too large");
        }
        let (message, signature) = text.rsplit_once('.').ok_or("the assertion is no JWT")?;
        let (head, body) = message.split_once('.').ok_or("the assertion is no JWT")?;
        if body.contains('.') {
            return Err("the assertion is no JWT");
        }
        let head = object(head)?;
        let text = |name: &str| head.get(name).and_then(Json::as_str);
        if head.contains_key("crit") {
            return Err("the assertion has a header that must be understood (`crit`), and none is");
        }
        let algorithm = match text("alg") {
            Some("RS384") => Algorithm::RS384,
            Some("ES384") => Algorithm::ES384,
            _ => return Err("the assertion is signed otherwise than with RS384 or ES384"),
        };
        Ok(Assertion {
            algorithm,
            kid: text("kid")
                .ok_or("the assertion names no key (`kid`)")?
                .to_owned(),
            jku: text("jku").map(str::to_owned),
            claims: object(body)?,
            message,
            signature,
        })
    }

    /// Whom it says it is from; not proven.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Json::as_str)
    }

    /// Checks everything but whether it was used before. `now` in microseconds.
    pub fn check(
        &self,
        client: &str,
        keys: &[Key],
        audience: &str,
        now: i64,
    ) -> Result<Proven, &'static str> {
        let key = keys
            .iter()
            .find(|key| key.kid == self.kid)
            .ok_or("the assertion names a key (`kid`) that the client does not have")?;
        if key.algorithm != self.algorithm {
            return Err("the assertion is signed with another algorithm than its key is for");
        }
        if !key.fits(self.signature, self.message.as_bytes()) {
            return Err("the assertion's signature does not fit");
        }
        let text = |name: &str| self.claims.get(name).and_then(Json::as_str);
        if text("iss") != Some(client) || text("sub") != Some(client) {
            return Err("the assertion is not from this client about itself (`iss`, `sub`)");
        }
        let ours = match self.claims.get("aud") {
            Some(Json::String(one)) => one == audience,
            Some(Json::Array(all)) => {
                matches!(all.as_slice(), [Json::String(one)] if one == audience)
            }
            _ => false,
        };
        if !ours {
            return Err(
                "the assertion is for somebody else (`aud` must be the token endpoint alone)",
            );
        }
        let second = now.div_euclid(1_000_000);
        let exp = self
            .time("exp")?
            .ok_or("the assertion never ends (`exp`)")?;
        if exp <= second {
            return Err("the assertion has ended (`exp`)");
        }
        if exp > second + LASTS_MAX + SKEW {
            return Err("the assertion is good for more than five minutes (`exp`)");
        }
        for begins in ["iat", "nbf"] {
            if self.time(begins)?.is_some_and(|at| at > second + SKEW) {
                return Err("the assertion is from the future (`iat`, `nbf`)");
            }
        }
        let jti = text("jti")
            .filter(|jti| (1..=256).contains(&jti.len()))
            .ok_or("the assertion has no number of its own (`jti`)")?;
        Ok(Proven {
            jti: jti.to_owned(),
            until: (exp + SKEW) * 1_000_000,
        })
    }

    /// A time in whole seconds; with a fraction the second that it is in.
    fn time(&self, name: &str) -> Result<Option<i64>, &'static str> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(value) => match value
                .as_i64()
                .or_else(|| value.as_f64().map(|at| at as i64))
            {
                Some(at) if (0..=1 << 40).contains(&at) => Ok(Some(at)),
                _ => Err("the assertion has a time that is none"),
            },
        }
    }
}

fn object(part: &str) -> Result<Map<String, Json>, &'static str> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| "the assertion is no JWT")?;
    serde_json::from_slice(&bytes).map_err(|_| "the assertion is no JWT")
}

#[cfg(test)]
mod tests;
