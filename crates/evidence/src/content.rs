//! What lies beside an entry's line, unpacked, and what the line commits to.
//!
//! The commitment is taken over the stored JSON, not over how it is packed or sealed, so whoever
//! holds the JSON and its salt can check it, and whoever holds only the line learns nothing. The
//! other hash in the line is of the sealed bytes, for whoever has those without a key.

use sha2::{Digest, Sha256};
use tlog::Hash;

/// Random bytes mixed into a commitment, so that guessing the content does not confirm it.
pub type Salt = [u8; 16];

/// The first bytes of everything that a commitment hashes.
const COMMITMENT_DOMAIN: &[u8] = b"homecoming/content/1\n";

/// The first bytes of everything that the hash of a sealed content hashes.
const SEALED_DOMAIN: &[u8] = b"homecoming/sealed/1\n";

/// One version's content, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The entry that it belongs to.
    pub position: u64,
    /// What the commitment was salted with.
    pub salt: Salt,
    /// The stored JSON, exactly as it was handed in.
    pub stored: Vec<u8>,
}

/// What an entry's line says of its content: SHA-256 over a domain, the salt and the stored JSON.
pub fn commitment(salt: &Salt, stored: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(COMMITMENT_DOMAIN);
    hasher.update(salt);
    hasher.update(stored);
    hasher.finalize().into()
}

/// What an entry's line says of its content as it is kept: SHA-256 over a domain and the sealed body.
///
/// It needs no key, so it can be checked when the key was destroyed. A body begins with its nonce
/// and the commitment to its key, so the line commits to the one key that opens it.
pub fn sealed(body: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(SEALED_DOMAIN);
    hasher.update(body);
    hasher.finalize().into()
}

/// The kind and id that stored JSON begins with: `{"resourceType":"Kind","id":"id"`.
///
/// The stored form always begins so; `None` means that these bytes are not in it.
pub fn name(stored: &[u8]) -> Option<(&str, &str)> {
    let rest = stored.strip_prefix(b"{\"resourceType\":\"")?;
    let (kind, rest) = split_at_quote(rest)?;
    let rest = rest.strip_prefix(b",\"id\":\"")?;
    let (id, rest) = split_at_quote(rest)?;
    matches!(rest.first(), Some(b',' | b'}')).then_some((kind, id))
}

/// The text before the next quote, which must need no escape, and what follows the quote.
fn split_at_quote(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|b| *b == b'"')?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    (!text.contains('\\')).then_some((text, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBSERVATION: &[u8] = br#"{"resourceType":"Observation","id":"0123456789abcdef"}"#;

    #[test]
    fn the_commitment_depends_on_salt_and_content() {
        let one = commitment(&[0; 16], OBSERVATION);
        assert_eq!(one, commitment(&[0; 16], OBSERVATION));
        assert_ne!(one, commitment(&[1; 16], OBSERVATION));
        assert_ne!(one, commitment(&[0; 16], &OBSERVATION[1..]));
    }

    #[test]
    fn what_is_sealed_and_what_is_committed_to_never_hash_to_the_same() {
        assert_ne!(sealed(b"x"), sealed(b"y"));
        assert_ne!(
            sealed(&[[0; 16].as_slice(), b"x"].concat()),
            commitment(&[0; 16], b"x")
        );
    }

    #[test]
    fn the_stored_form_names_its_resource() {
        let check = |stored: &str, expect| assert_eq!(name(stored.as_bytes()), expect);
        check(
            r#"{"resourceType":"Patient","id":"a"}"#,
            Some(("Patient", "a")),
        );
        check(
            r#"{"resourceType":"Patient","id":"a","x":1}"#,
            Some(("Patient", "a")),
        );
        check(r#"{"resourceType":"Patient","id":"a""#, None);
        check(r#"{"resourceType":"Patient","id":"a\u0062"}"#, None);
        check(r#"{"resourceType":"Patient"}"#, None);
        check(r#"{"id":"a","resourceType":"Patient"}"#, None);
        check("", None);
    }
}
