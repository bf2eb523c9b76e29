//! Passwords: which may be chosen, how they are kept, how one is checked.
//!
//! Long, and not among those that everybody tries; nothing about digits and capitals (NIST SP
//! 800-63B, OWASP ASVS 5.0 6.2). Kept as argon2id hashes in PHC's text form, so that old ones keep
//! working when the cost is raised. Checking one costs the same whether there is such a user or not.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::chance::Chance;
use crate::error::Error;

mod guessable;

/// The fewest characters.
pub const LENGTH_LEAST: usize = 15;
/// The most bytes: what is beyond this is no password any more.
pub const BYTES_MOST: usize = 1_024;

const MEMORY_KIB: u32 = 47_104;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT: usize = 16;
const HASH: usize = 32;

/// Why a password may not be chosen, as a sentence.
pub fn refuse(password: &str, name: &str) -> Option<&'static str> {
    let length = password.chars().count();
    if length < LENGTH_LEAST {
        return Some(
            "That password is too short: it needs at least 15 characters. Four or five words that do not \
             belong together do well.",
        );
    }
    if password.len() > BYTES_MOST {
        return Some("That password is too long: at most 1,024 bytes are taken.");
    }
    if guessable::is_common(password) {
        return Some(
            "That password is among the first that anybody would try: words and rows of keys that \
             everyone uses, put together. Choose words that do not belong together.",
        );
    }
    if guessable::is_mostly(password, name) {
        return Some("That password is your name with little besides. Choose another.");
    }
    None
}

/// What is kept of a password.
pub fn hash(password: &str, chance: &Chance) -> Result<String, Error> {
    let mut salt = [0; SALT];
    chance.fill(&mut salt);
    let hash = stretch(password, &salt, (MEMORY_KIB, PASSES, LANES))?;
    Ok(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(&hash[..])
    ))
}

/// Whether a password is the one; against nothing, it takes as long and is not.
pub fn fits(password: &str, kept: Option<&str>) -> Result<bool, Error> {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| {
        format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            STANDARD_NO_PAD.encode([0; SALT]),
            STANDARD_NO_PAD.encode([0; HASH])
        )
    });
    let parsed = Kept::parse(kept.unwrap_or(&NOBODYS))
        .ok_or_else(|| Error::internal("a password's hash does not read"))?;
    let password = match password.len() > BYTES_MOST {
        true => "",
        false => password,
    };
    let found = stretch(password, &parsed.salt, parsed.cost)?;
    let same = found.len() == parsed.hash.len()
        && found
            .iter()
            .zip(&parsed.hash)
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0;
    Ok(same && kept.is_some())
}

struct Kept {
    cost: (u32, u32, u32),
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Kept {
    fn parse(text: &str) -> Option<Kept> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let mut numbers = parts.next()?.split(',');
        let mut number =
            |name: &str| -> Option<u32> { numbers.next()?.strip_prefix(name)?.parse().ok() };
        let cost = (number("m=")?, number("t=")?, number("p=")?);
        let mut bytes = || STANDARD_NO_PAD.decode(parts.next()?).ok();
        let kept = Kept {
            cost,
            salt: bytes()?,
            hash: bytes()?,
        };
        parts.next().is_none().then_some(kept)
    }
}

fn stretch(
    password: &str,
    salt: &[u8],
    (memory, passes, lanes): (u32, u32, u32),
) -> Result<Zeroizing<[u8; HASH]>, Error> {
    let params = Params::new(memory, passes, lanes, Some(HASH))
        .map_err(|error| Error::internal(error.to_string()))?;
    let mut out = Zeroizing::new([0; HASH]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out[..])
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_and_no_other() {
        let chance = Chance::seeded(1);
        let kept = hash("correct horse battery staple", &chance).expect("a hash");
        assert!(
            kept.starts_with("$argon2id$v=19$m=47104,t=2,p=1$"),
            "{kept}"
        );
        assert_ne!(
            kept,
            hash("correct horse battery staple", &chance).expect("a hash")
        );
        let check = |password: &str, kept: Option<&str>| fits(password, kept).expect("it runs");
        assert!(check("correct horse battery staple", Some(&kept)));
        assert!(!check("correct horse battery stapl", Some(&kept)));
        assert!(!check("", Some(&kept)));
        assert!(!check("correct horse battery staple", None));
        assert!(!check(&"x".repeat(BYTES_MOST + 1), None));
        assert!(fits("x", Some("$argon2i$v=19$m=8,t=1,p=1$AA$AA")).is_err());
    }

    #[test]
    fn what_everybody_tries_may_not_be_chosen() {
        let check = |password: &str, refused: bool| {
            let why = refuse(password, "Dana Whitfield");
            assert_eq!(why.is_some(), refused, "{password}: {why:?}");
        };
        check("fourteen chars", true);
        check("passwordpassword", true);
        check("Password123456!", true);
        check("qwertyuiopasdfghjkl", true);
        check("111111111111111", true);
        check("123456789012345", true);
        check("abcabcabcabcabcabc", true);
        check("iloveyou iloveyou", true);
        check("P@ssw0rdP@ssw0rd", true);
        check("letmein123letmein", true);
        check("welcome2024welcome", true);
        check("homecomingprogram", true);
        check("dana whitfield 1", true);
        check("WhitfieldDana1985", true);
        check("tin harbour violet spoon", false);
        check("w4Jq0ZsVb2LxNtE", false);
        check("eigenartige Schuhe im Flur", false);
        check("длинная фраза о снеге", false);
    }
}
