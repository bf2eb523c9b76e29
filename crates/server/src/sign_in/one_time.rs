//! One-time passwords (RFC 6238): six digits that an authenticator app shows for half a minute.
//!
//! Each time step is taken once. The step before and after the present one count, too, for clocks
//! that are a little off.

use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::chance::Chance;

/// The secret's length in bytes: what RFC 4226 recommends.
pub const SECRET: usize = 20;

const STEP_SECONDS: i64 = 30;
const MICROS: i64 = 1_000_000;

/// A new secret.
pub fn draw(chance: &Chance) -> Zeroizing<Vec<u8>> {
    let mut secret = Zeroizing::new(vec![0; SECRET]);
    chance.fill(&mut secret);
    secret
}

/// The time step that a code is of, if it is of one that counts now.
pub fn step(secret: &[u8], code: &str, now_us: i64) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let seconds = u64::try_from(now_us / MICROS).ok()?;
    let step = clockwork(secret).check(&digits, seconds)?;
    i64::try_from(step).ok()
}

/// The time step of an instant: codes of it and of earlier ones were used when nothing was yet.
pub fn step_at(now_us: i64) -> i64 {
    now_us / MICROS / STEP_SECONDS
}

/// The code that counts at an instant, for tests.
pub fn code(secret: &[u8], now_us: i64) -> String {
    let seconds = u64::try_from(now_us / MICROS).unwrap_or_default();
    clockwork(secret).generate(seconds).to_string()
}

/// What an authenticator app reads from a QR code.
pub fn address(secret: &[u8], programme: &str, name: &str) -> Zeroizing<String> {
    use crate::web::path::encode;
    // A colon would end the label.
    let plain = |text: &str| encode(&text.replace(':', " "));
    Zeroizing::new(format!(
        "otpauth://totp/{}:{}?secret={}&issuer={}",
        plain(programme),
        plain(name),
        &*spelled(secret),
        plain(programme)
    ))
}

/// The secret as people type it: base32, in upper case.
pub fn spelled(secret: &[u8]) -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = Zeroizing::new(String::with_capacity(secret.len().div_ceil(5) * 8));
    for chunk in secret.chunks(5) {
        let mut five = Zeroizing::new([0; 8]);
        five[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(*five);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            out.push(ALPHABET[(bits >> (35 - 5 * place)) as usize & 31] as char);
        }
    }
    out
}

fn clockwork(secret: &[u8]) -> Totp {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_skew(1)
        .build_noncompliant()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = b"12345678901234567890";
        for (seconds, expect) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let now = seconds * MICROS;
            assert_eq!(code(secret, now), expect);
            assert_eq!(step(secret, expect, now), Some(seconds / 30));
            let spaced = format!("{} {}", &expect[..3], &expect[3..]);
            assert_eq!(step(secret, &spaced, now + 30 * MICROS), Some(seconds / 30));
            assert_eq!(step(secret, expect, now + 61 * MICROS), None, "it is over");
        }
        assert_eq!(step(secret, "", 59 * MICROS), None);
        assert_eq!(step(secret, "28708", 59 * MICROS), None);
    }

    /// RFC 4648, section 10, without padding.
    #[test]
    fn a_secret_is_spelled_in_base32() {
        for (bytes, expect) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(&**spelled(bytes.as_bytes()), expect);
        }
        let address = address(b"foobar", "Ward: 7", "R. Osei");
        assert_eq!(
            &**address,
            "otpauth://totp/Ward%20%207:R.%20Osei?secret=MZXW6YTBOI&issuer=Ward%20%207"
        );
    }
}
