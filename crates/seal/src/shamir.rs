//! A secret in shares: any few of them bring it back, fewer say nothing about it.
//!
//! Shamir's scheme over GF(2^8) with the polynomial of AES, byte by byte. A share is one line of
//! text that says in plain words what it is for and what it can do:
//!
//! ```text
//! homecoming-share/1 <index> <need> <of> <set> <data> <check> <words>
//! ```
//!
//! Set and data are base64url; the check is over all the rest, against slips of whoever copies it.
//! Behind the secret, what is shared holds a hash of it and the set, so that joining says whether
//! it brought the right secret back.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const HEADER: &str = "homecoming-share/1";
const DIGEST: usize = 16;
const SET: usize = 12;
const CHECK: usize = 6;

/// The longest words that a share carries.
const WORDS_MAX: usize = 1_000;
/// The longest secret that is shared.
const SECRET_MAX: usize = 1_024;

/// One share of a secret. Its data are secret as far as enough others are known.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    index: u8,
    need: u8,
    of: u8,
    set: [u8; SET],
    data: Zeroizing<Vec<u8>>,
    words: String,
}

/// Why a secret is not shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Not two or more of at most 255.
    #[error(
        "a secret is shared so that 2 or more of at most 255 shares are needed, not {need} of {of}"
    )]
    Numbers {
        /// How many shares bring it back.
        need: u8,
        /// How many there are.
        of: u8,
    },
    /// Too long to be a key.
    #[error("only secrets of 1 to {SECRET_MAX} bytes are shared")]
    Length,
    /// The words do not fit on a line.
    #[error("what a share says must be one line of at most {WORDS_MAX} bytes")]
    Words,
}

/// Why shares do not bring a secret back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Nothing to join.
    #[error("no share was given")]
    None,
    /// Shares of different secrets.
    #[error("the shares are of different secrets: share {0} does not belong to the first one")]
    Mixed(u8),
    /// Not enough of them.
    #[error("{have} different shares were given, and {need} are needed")]
    TooFew {
        /// How many different ones there are.
        have: usize,
        /// How many are needed.
        need: u8,
    },
    /// They do not fit together.
    #[error("the shares do not bring back what was shared: at least one of them was altered")]
    Altered,
}

/// Why a line of text is not a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Something else altogether.
    #[error("this is not a share: a share begins with {HEADER}")]
    NotAShare,
    /// A part does not read.
    #[error("the {0} of the share does not read")]
    Part(&'static str),
    /// A slip in copying.
    #[error("the share was copied with a slip: its check does not fit")]
    Check,
}

impl Share {
    /// Which one it is, from 1.
    pub fn index(&self) -> u8 {
        self.index
    }

    /// How many are needed.
    pub fn need(&self) -> u8 {
        self.need
    }

    /// How many there are.
    pub fn of(&self) -> u8 {
        self.of
    }

    /// What it says of itself.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Whether both are of the same secret, shared at the same time.
    pub fn belongs_with(&self, other: &Share) -> bool {
        (self.set, self.need, self.of, self.data.len())
            == (other.set, other.need, other.of, other.data.len())
    }

    /// Tells sets of shares apart: 16 characters.
    pub fn set(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.set)
    }

    /// Reads the line that [`Display`](fmt::Display) writes; the line end may be there or not.
    pub fn parse(text: &str) -> Result<Share, ShareError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let mut parts = text.splitn(8, ' ');
        if parts.next() != Some(HEADER) {
            return Err(ShareError::NotAShare);
        }
        let mut part = |name| parts.next().ok_or(ShareError::Part(name));
        let index = number(part("number")?).ok_or(ShareError::Part("number"))?;
        let need = number(part("number needed")?).ok_or(ShareError::Part("number needed"))?;
        let of = number(part("number of all")?).ok_or(ShareError::Part("number of all"))?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let set = decode(part("set")?).and_then(|set| set.try_into().ok());
        let data = decode(part("data")?).map(Zeroizing::new);
        let check = part("check")?;
        let share = Share {
            index,
            need,
            of,
            set: set.ok_or(ShareError::Part("set"))?,
            data: data.ok_or(ShareError::Part("data"))?,
            words: part("words")?.to_owned(),
        };
        if share.check() != check {
            return Err(ShareError::Check);
        }
        if !are_words(&share.words) {
            return Err(ShareError::Part("words"));
        }
        if !are_numbers(need, of) || index > of {
            return Err(ShareError::Part("number"));
        }
        if !(DIGEST + 1..=DIGEST + SECRET_MAX).contains(&share.data.len()) {
            return Err(ShareError::Part("data"));
        }
        Ok(share)
    }

    /// Everything before the check.
    fn front(&self) -> Zeroizing<String> {
        let data = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*self.data));
        let Share {
            index, need, of, ..
        } = self;
        Zeroizing::new(format!(
            "{HEADER} {index} {need} {of} {} {}",
            self.set(),
            *data
        ))
    }

    fn check(&self) -> String {
        let hash = Sha256::new()
            .chain_update(self.front().as_bytes())
            .chain_update(b"\n")
            .chain_update(&self.words)
            .finalize();
        URL_SAFE_NO_PAD.encode(&hash[..CHECK])
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", *self.front(), self.check(), self.words)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of {}, {})", self.index, self.of, self.set())
    }
}

/// Splits a secret into `of` shares, `need` of which bring it back. `words` says what share `index`
/// is for and what it can do: one line, and nothing that is not for its holder's eyes.
pub fn split(
    secret: &[u8],
    need: u8,
    of: u8,
    words: &dyn Fn(u8) -> String,
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<Share>, SplitError> {
    if !are_numbers(need, of) {
        return Err(SplitError::Numbers { need, of });
    }
    if !(1..=SECRET_MAX).contains(&secret.len()) {
        return Err(SplitError::Length);
    }
    let mut set = [0; SET];
    chance(&mut set);
    // One row of coefficients to a power; the row of power 0 is the secret and its digest.
    let mut rows = vec![Zeroizing::new(secret.to_vec())];
    rows[0].extend_from_slice(&digest(&set, secret));
    for _ in 1..need {
        let mut row = Zeroizing::new(vec![0; secret.len() + DIGEST]);
        chance(&mut row);
        rows.push(row);
    }
    let mut shares = Vec::with_capacity(of.into());
    for index in 1..=of {
        let words = words(index);
        if !are_words(&words) {
            return Err(SplitError::Words);
        }
        let mut data = Zeroizing::new(vec![0; secret.len() + DIGEST]);
        for row in rows.iter().rev() {
            for (sum, coefficient) in data.iter_mut().zip(row.iter()) {
                *sum = times(*sum, index) ^ coefficient;
            }
        }
        shares.push(Share {
            index,
            need,
            of,
            set,
            data,
            words,
        });
    }
    Ok(shares)
}

/// Brings a secret back from enough of its shares.
pub fn join(shares: &[Share]) -> Result<Zeroizing<Vec<u8>>, JoinError> {
    let first = shares.first().ok_or(JoinError::None)?;
    let mut used: Vec<&Share> = Vec::new();
    for share in shares {
        if !share.belongs_with(first) {
            return Err(JoinError::Mixed(share.index));
        }
        if !used.iter().any(|other| other.index == share.index) {
            used.push(share);
        }
    }
    if used.len() < first.need.into() {
        return Err(JoinError::TooFew {
            have: used.len(),
            need: first.need,
        });
    }
    used.truncate(first.need.into());
    // Lagrange's interpolation at 0; in this field minus is plus.
    let mut out = Zeroizing::new(vec![0; first.data.len()]);
    for share in &used {
        let mut weight = 1;
        for other in used.iter().filter(|other| other.index != share.index) {
            weight = times(
                weight,
                times(other.index, inverse(other.index ^ share.index)),
            );
        }
        for (sum, byte) in out.iter_mut().zip(share.data.iter()) {
            *sum ^= times(weight, *byte);
        }
    }
    let secret_len = out.len() - DIGEST;
    if digest(&first.set, &out[..secret_len]) != out[secret_len..] {
        return Err(JoinError::Altered);
    }
    out.truncate(secret_len);
    Ok(out)
}

fn digest(set: &[u8; SET], secret: &[u8]) -> [u8; DIGEST] {
    let hash = Sha256::new()
        .chain_update(b"homecoming/shamir/1\n")
        .chain_update(set)
        .chain_update(secret)
        .finalize();
    *hash.first_chunk().expect("a hash has 32 bytes")
}

/// The product in GF(2^8), in the same steps whatever the factors.
fn times(a: u8, b: u8) -> u8 {
    let (mut a, mut product) = (a, 0);
    for bit in 0..8 {
        product ^= a & (b >> bit & 1).wrapping_neg();
        a = (a << 1) ^ (0x1b & (a >> 7).wrapping_neg());
    }
    product
}

/// a^254, which is 1/a.
fn inverse(a: u8) -> u8 {
    (0..7).fold(1, |power, _| {
        let power = times(power, a);
        times(power, power)
    })
}

fn are_numbers(need: u8, of: u8) -> bool {
    need >= 2 && need <= of
}

fn are_words(words: &str) -> bool {
    words.len() <= WORDS_MAX && !words.chars().any(char::is_control)
}

/// A number from 1 to 255 in its only form.
fn number(text: &str) -> Option<u8> {
    let number = text.parse::<u8>().ok().filter(|number| *number > 0)?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests;
