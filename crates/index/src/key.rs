//! Key encodings: every key that the index writes is made and read here.
//!
//! All of them are compared bytewise by the store, so an encoding is right when
//! bytes order as values do; the tests below hold it to that. Nothing here
//! reads or writes the store.
//!
//! | map | key | value |
//! |---|---|---|
//! | head | kind u8, id (packed) | where the resource is now ([`crate::row::Head`]) |
//! | row | number u40 | the current version ([`crate::row::Row`]) |
//! | past | number u40, position u40 | a superseded version |
//! | posting | kind u8, field u16, value 0..=24 bytes, number u40 | when the value held ([`crate::interval`]) |
//! | time | recorded_at u64 | size after that transaction, u40 |

/// Bytes of a number or position in a key: 40 bits, a million million entries.
pub(crate) const U40: usize = 5;
/// The longest posting key: kind, field, value, number.
pub(crate) const POSTING_MAX: usize = 32;
/// The longest value inside a posting key.
pub(crate) const VALUE_MAX: usize = POSTING_MAX - 3 - U40;
/// Bytes of folded text kept of a string value (a zero byte ends it).
pub(crate) const TEXT_MAX: usize = VALUE_MAX - 1;
/// Bytes of hash kept for tokens, references and URIs. A collision costs a
/// needless candidate, never a wrong answer: rows decide.
pub(crate) const HASH: usize = 6;

/// What a posting is about: a search parameter, or one of the index's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Field(pub u16);

impl Field {
    /// The resource exists (its number alone; no value).
    pub(crate) const EXISTS: Field = Field(0);
    /// The position of the version: `_lastUpdated` in order.
    pub(crate) const CHANGED: Field = Field(1);
    /// Person, then the kind's main date.
    pub(crate) const PERSON: Field = Field(2);
    /// Person and code, then the kind's main date.
    pub(crate) const PERSON_CODE: Field = Field(3);

    /// The field of a search parameter.
    pub(crate) fn param(id: u16) -> Field {
        Field(id + 16)
    }
}

/// A 40-bit number as its five bytes.
pub(crate) fn u40(n: u64) -> [u8; U40] {
    let b = n.to_be_bytes();
    [b[3], b[4], b[5], b[6], b[7]]
}

/// Reads the 40-bit number at the start of `bytes`.
pub(crate) fn read_u40(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(U40)
        .fold(0, |n, b| (n << 8) | u64::from(*b))
}

/// The number at the end of a posting key.
pub(crate) fn number_of(posting: &[u8]) -> u64 {
    read_u40(&posting[posting.len().saturating_sub(U40)..])
}

/// The key of a superseded version.
pub(crate) fn past(number: u64, position: u64) -> [u8; 2 * U40] {
    let mut key = [0; 2 * U40];
    key[..U40].copy_from_slice(&u40(number));
    key[U40..].copy_from_slice(&u40(position));
    key
}

/// The key of an instant: microseconds, ordered with those before 1970 first.
pub(crate) fn time(micros: i64) -> [u8; 8] {
    sortable_i64(micros)
}

/// The instant of a time key.
pub(crate) fn read_time(key: &[u8]) -> i64 {
    let mut b = [0; 8];
    let n = key.len().min(8);
    b[..n].copy_from_slice(&key[..n]);
    (u64::from_be_bytes(b) ^ (1 << 63)) as i64
}

fn sortable_i64(n: i64) -> [u8; 8] {
    ((n as u64) ^ (1 << 63)).to_be_bytes()
}

/// A happened-at instant inside a posting: seconds (40 bits), then the rest in
/// microseconds (24 bits). Ordered; most instants are whole seconds, and then
/// the last three bytes are zeroes, which compress away.
pub(crate) fn date(micros: i64) -> [u8; 8] {
    const HALF: i64 = 1 << 39;
    let seconds = micros.div_euclid(1_000_000);
    let rest = micros.rem_euclid(1_000_000) as u32;
    let seconds = (seconds.clamp(-HALF, HALF - 1) + HALF) as u64;
    let mut out = [0; 8];
    out[..5].copy_from_slice(&u40(seconds));
    out[5..].copy_from_slice(&rest.to_be_bytes()[1..]);
    out
}

/// A number as ordered bytes (binary64: candidates only, rows decide exactly).
pub(crate) fn float(n: f64) -> [u8; 8] {
    let n = if n == 0.0 { 0.0 } else { n };
    let bits = n.to_bits();
    let bits = if bits >> 63 == 1 {
        !bits
    } else {
        bits ^ (1 << 63)
    };
    bits.to_be_bytes()
}

/// Text as it is searched: case folded, cut at [`TEXT_MAX`] bytes (between
/// characters), ended by a zero byte. Appends to `out`.
pub(crate) fn put_text(out: &mut Vec<u8>, folded: &str) {
    out.extend_from_slice(cut(folded).as_bytes());
    out.push(0);
}

/// The part of a folded text that fits into a posting.
pub(crate) fn cut(folded: &str) -> &str {
    let mut end = folded.len().min(TEXT_MAX);
    while !folded.is_char_boundary(end) {
        end -= 1;
    }
    let cut = &folded[..end];
    match cut.find('\0') {
        Some(zero) => &cut[..zero],
        None => cut,
    }
}

/// A 64-bit hash, the same on every machine and in every release that shares
/// [`crate::FORMAT`]. Not keyed: collisions cost time only.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut h: u64 = (bytes.len() as u64).wrapping_mul(K);
    let mut chunks = bytes.chunks_exact(8);
    for c in &mut chunks {
        let w = u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]);
        h = mix(h ^ w);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut b = [0; 8];
        b[..rest.len()].copy_from_slice(rest);
        h = mix(h ^ u64::from_le_bytes(b));
    }
    mix(h ^ K)
}

fn mix(x: u64) -> u64 {
    const M: u128 = 0xd6e8_feb8_6659_fd93_a076_1d64_78bd_642f;
    let wide = u128::from(x ^ 0x2d35_8dcc_aa6c_78a5).wrapping_mul(M);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// The first `n` bytes of a hash, for a key.
pub(crate) fn put_hash(out: &mut Vec<u8>, hash: u64, n: usize) {
    out.extend_from_slice(&hash.to_be_bytes()[..n]);
}

/// Starts a posting key.
pub(crate) fn put_field(out: &mut Vec<u8>, kind: u8, field: Field) {
    out.push(kind);
    out.extend_from_slice(&field.0.to_be_bytes());
}

/// The first key after all keys that start with `prefix`; `None` when there is
/// none (the prefix is empty or all 0xff).
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|b| *b != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// The head key of a resource.
pub(crate) fn head(kind: u8, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 1 + id.len());
    key.push(kind);
    put_id(&mut key, id);
    key
}

const ID_TEXT: u8 = 0;
const ID_UUID: u8 = 1;
const ID_OURS: u8 = 2;
const ID_ALIAS: u8 = 3;
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// An id in few bytes: a UUID in 16, one that a server of ours assigned in 10,
/// an alias in 16, any other as it is. One byte before it says which.
pub(crate) fn put_id(out: &mut Vec<u8>, id: &str) {
    let start = out.len();
    if put_uuid(out, id.as_bytes()) {
        return;
    }
    out.truncate(start);
    if put_ours(out, id.as_bytes()) {
        return;
    }
    out.truncate(start);
    if put_alias(out, id.as_bytes()) {
        return;
    }
    out.truncate(start);
    out.push(ID_TEXT);
    out.extend_from_slice(id.as_bytes());
}

/// The inverse of [`put_id`]; `None` for bytes that it never writes.
pub(crate) fn read_id(bytes: &[u8]) -> Option<String> {
    let (tag, rest) = bytes.split_first()?;
    match *tag {
        ID_TEXT => String::from_utf8(rest.to_vec()).ok(),
        ID_UUID if rest.len() == 16 => {
            let mut s = String::with_capacity(36);
            for (i, b) in rest.iter().enumerate() {
                if matches!(i, 4 | 6 | 8 | 10) {
                    s.push('-');
                }
                s.push(char::from_digit(u32::from(b >> 4), 16)?);
                s.push(char::from_digit(u32::from(b & 15), 16)?);
            }
            Some(s)
        }
        ID_OURS if rest.len() == 10 => {
            let bits = rest.iter().fold(0u128, |n, b| (n << 8) | u128::from(*b));
            Some(
                (0..16)
                    .rev()
                    .map(|i| char::from(CROCKFORD[((bits >> (5 * i)) & 31) as usize]))
                    .collect(),
            )
        }
        ID_ALIAS if rest.len() == 16 => {
            let bits = rest.iter().fold(0u128, |n, b| (n << 8) | u128::from(*b));
            let digit =
                |at: u32| char::from(BASE64URL[(bits.rotate_left(6 * at + 6) & 63) as usize]);
            let last = char::from(BASE64URL[((bits & 3) << 4) as usize]);
            Some(
                std::iter::once('~')
                    .chain((0..21).map(digit))
                    .chain([last])
                    .collect(),
            )
        }
        _ => None,
    }
}

/// An alias as lines have it: `~` and 16 bytes in base64url.
fn put_alias(out: &mut Vec<u8>, id: &[u8]) -> bool {
    let Some((b'~', text)) = id.split_first() else {
        return false;
    };
    if text.len() != 22 {
        return false;
    }
    let mut bits = 0u128;
    for (at, c) in text.iter().enumerate() {
        let Some(digit) = BASE64URL.iter().position(|d| d == c) else {
            return false;
        };
        match (at < 21, digit & 15) {
            (true, _) => bits = (bits << 6) | digit as u128,
            (false, 0) => bits = (bits << 2) | (digit >> 4) as u128,
            (false, _) => return false,
        }
    }
    out.push(ID_ALIAS);
    out.extend_from_slice(&bits.to_be_bytes());
    true
}

fn put_uuid(out: &mut Vec<u8>, id: &[u8]) -> bool {
    if id.len() != 36 {
        return false;
    }
    out.push(ID_UUID);
    let mut high = None;
    for (i, c) in id.iter().enumerate() {
        if matches!(i, 8 | 13 | 18 | 23) {
            if *c != b'-' {
                return false;
            }
            continue;
        }
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return false,
        };
        match high.take() {
            None => high = Some(digit),
            Some(h) => out.push((h << 4) | digit),
        }
    }
    true
}

fn put_ours(out: &mut Vec<u8>, id: &[u8]) -> bool {
    if id.len() != 16 {
        return false;
    }
    let mut bits = 0u128;
    for c in id {
        let Some(digit) = CROCKFORD.iter().position(|d| d == c) else {
            return false;
        };
        bits = (bits << 5) | digit as u128;
    }
    out.push(ID_OURS);
    out.extend_from_slice(&bits.to_be_bytes()[6..]);
    true
}

/// Appends an unsigned LEB128 number.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Takes an unsigned LEB128 number off the front; `None` if it is cut off.
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0u64;
    let mut shift = 0;
    loop {
        let (b, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return Some(n);
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes each and expects the bytes in the order of the values.
    fn ordered<T: Copy + PartialOrd + std::fmt::Debug, B: AsRef<[u8]>>(
        values: &[T],
        encode: impl Fn(T) -> B,
    ) {
        for a in values {
            for b in values {
                let (x, y) = (encode(*a), encode(*b));
                assert_eq!(
                    a.partial_cmp(b),
                    Some(x.as_ref().cmp(y.as_ref())),
                    "{a:?} and {b:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_order_as_their_bytes() {
        ordered(&[0, 1, 255, 256, 65_535, 1 << 32, (1 << 40) - 1], u40);
        ordered(&[i64::MIN, -1_000_001, -1, 0, 1, 999_999, i64::MAX], time);
        ordered(
            &[
                -62_135_596_800_000_000i64,
                -1_000_001,
                -1_000_000,
                -999_999,
                -1,
                0,
                1,
                999_999,
                1_000_000,
                1_700_000_000_123_456,
                253_402_300_799_999_999,
            ],
            date,
        );
        ordered(
            &[
                f64::MIN,
                -1e300,
                -2.5,
                -1e-300,
                0.0,
                1e-300,
                0.5,
                1.0,
                120.0,
                f64::MAX,
            ],
            float,
        );
        assert_eq!(float(0.0), float(-0.0));
    }

    #[test]
    fn far_dates_saturate() {
        assert!(date(i64::MIN) <= date(-62_135_596_800_000_000));
        assert!(date(i64::MAX) >= date(253_402_300_799_999_999));
    }

    #[test]
    fn texts_order_and_are_cut_between_characters() {
        let text = |s: &str| {
            let mut out = Vec::new();
            put_text(&mut out, s);
            out
        };
        let words = ["", "a", "ab", "abc", "b", "smi", "smith", "smith jones"];
        for pair in words.windows(2) {
            assert!(text(pair[0]) < text(pair[1]), "{pair:?}");
        }
        let long = "é".repeat(30);
        assert_eq!(text(&long).len(), 22 + 1);
        assert_eq!(text("ab\0cd"), b"ab\0");
    }

    #[test]
    fn ids_come_back_as_they_were() {
        for (id, bytes) in [
            ("76f26ce3-5aac-4b16-ac35-321ff6a7f63c", 17),
            ("76F26CE3-5aac-4b16-ac35-321ff6a7f63c", 37),
            ("76f26ce35-aac-4b16-ac35-321ff6a7f63c", 37),
            ("0123456789abcdef", 11),
            ("zzzzzzzzzzzzzzzz", 11),
            ("0123456789abcdeu", 17),
            ("0123456789ABCDEF", 17),
            ("~AAAAAAAAAAAAAAAAAAAAAA", 17),
            ("~__________________Z-_w", 17),
            // Bits that an alias does not have, and lengths.
            ("~__________________Z-_x", 24),
            ("~__________________Z-_", 23),
            ("~__________________Z+_w", 24),
            ("~", 2),
            ("a", 2),
            ("", 1),
        ] {
            let mut out = Vec::new();
            put_id(&mut out, id);
            assert_eq!(out.len(), bytes, "{id}");
            assert_eq!(read_id(&out).as_deref(), Some(id));
        }
        assert_eq!(read_id(&[]), None);
        assert_eq!(read_id(&[1, 2, 3]), None);
        assert_eq!(read_id(&[9]), None);
    }

    #[test]
    fn varints_come_back_and_cut_ones_are_refused() {
        for n in [0, 1, 127, 128, 300, 1 << 35, u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, n);
            assert_eq!(take_varint(&mut &out[..]), Some(n));
            assert_eq!(take_varint(&mut &out[..out.len() - 1]), None);
        }
    }

    #[test]
    fn the_end_of_a_prefix_is_after_all_of_it() {
        assert_eq!(after_prefix(b"a"), Some(b"b".to_vec()));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff]), None);
        assert_eq!(after_prefix(&[]), None);
    }

    #[test]
    fn hashes_are_fixed_and_differ() {
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_ne!(hash(b""), hash(b"\0"));
        assert_ne!(hash(b"12345678"), hash(b"12345678\0"));
        let many: std::collections::HashSet<u64> = (0..100_000u32)
            .map(|n| hash(&n.to_le_bytes()) >> 16)
            .collect();
        assert!(many.len() > 99_990);
    }
}
