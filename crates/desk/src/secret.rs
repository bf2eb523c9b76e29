//! Secrets: drawn, shown once, kept as hashes. Pure.
//!
//! A token or a session's secret has 256 bits of chance, so one plain SHA-256 is
//! enough. A sign-in code may have been chosen by a person: it is salted, and
//! hashed slowly (PBKDF2-HMAC-SHA256).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::Chance;

/// How often a new sign-in code is hashed: some 10 ms.
pub(crate) const ROUNDS: u32 = 60_000;

/// The letters and digits of a drawn code: none is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A secret of 32 random bytes, as base64url after a prefix that says what it is.
pub(crate) fn draw(prefix: &str, chance: Chance) -> String {
    let mut bytes = [0; 32];
    chance(&mut bytes);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// A sign-in code of 80 random bits: four groups of four letters and digits.
pub(crate) fn draw_code(chance: Chance) -> String {
    let mut bytes = [0; 16];
    chance(&mut bytes);
    let letters = bytes.map(|b| char::from(ALPHABET[usize::from(b & 31)]));
    letters
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join("-")
}

/// What is kept of a drawn secret.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// What is kept of a sign-in code. Case, spaces and hyphens do not count: it may have come by telephone.
pub(crate) fn hash_code(code: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let code: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .flat_map(char::to_lowercase)
        .collect();
    pbkdf2(code.as_bytes(), salt, rounds)
}

/// The first block of PBKDF2-HMAC-SHA256, which is all that is needed (RFC 8018, 5.2).
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut key = [0; 64];
    match password.len() <= 64 {
        true => key[..password.len()].copy_from_slice(password),
        false => key[..32].copy_from_slice(&Sha256::digest(password)),
    }
    let half = |pad: u8| Sha256::new().chain_update(key.map(|b| b ^ pad));
    let (inner, outer) = (half(0x36), half(0x5c));
    let hmac = |parts: &[&[u8]]| -> [u8; 32] {
        let mut inner = inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        outer
            .clone()
            .chain_update(inner.finalize())
            .finalize()
            .into()
    };
    let mut block = hmac(&[salt, &1u32.to_be_bytes()]);
    let mut sum = block;
    for _ in 1..rounds {
        block = hmac(&[&block]);
        sum.iter_mut().zip(block).for_each(|(s, b)| *s ^= b);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn pbkdf2_gives_the_values_of_an_independent_implementation() {
        let check = |password: &str, salt: &str, rounds, expect: &str| {
            assert_eq!(
                hex(&pbkdf2(password.as_bytes(), salt.as_bytes(), rounds)),
                expect
            );
        };
        // RFC 7914, section 11 (its first 32 bytes), then Python's hashlib.
        check(
            "passwd",
            "salt",
            1,
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
        );
        check(
            "Password",
            "NaCl",
            80_000,
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
        );
        check(
            &"x".repeat(100),
            "s",
            3,
            "3857cac27a1348771a95e77308b6c8908827d474efb9772f9248e7358c87f171",
        );
    }

    #[test]
    fn a_code_read_out_by_telephone_is_the_same_code() {
        let same = hash_code("ab12-cd34-ef56-gh78", b"s", 2);
        assert_eq!(hash_code("AB12 CD34 EF56 GH78 ", b"s", 2), same);
        assert_ne!(hash_code("ab12-cd34-ef56-gh79", b"s", 2), same);
        assert_ne!(hash_code("ab12-cd34-ef56-gh78", b"t", 2), same);
    }

    #[test]
    fn drawn_secrets_have_their_form() {
        let mut chance = |bytes: &mut [u8]| bytes.fill(0x41);
        assert_eq!(
            draw("hc_", &mut chance),
            "hc_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"
        );
        assert_eq!(draw_code(&mut chance), "1111-1111-1111-1111");
    }
}
