//! What lies beside an entry's line, unpacked, and what the line commits to.
//!
//! The commitment is taken over the stored JSON, not over how it is packed or sealed, so whoever
//! holds the JSON and its salt can check it, and whoever holds only the line learns nothing. The
//! other hash in the line is of the sealed bytes, for whoever has those without a key.
//!
//! # Under which key it lies
//!
//! A sealed body begins with its nonce and the commitment to its key:
//!
//! ```text
//! nonce 12 | HMAC-SHA256(name of the key, "homecoming/version/2\n" | nonce | place) 32 | the rest
//! ```
//!
//! and the line's hash is SHA-256("homecoming/sealed/2\n" | SHA-256(the rest) | nonce | commitment). So the line says
//! nothing of whose key it is, of which class or epoch: whoever mirrors the log cannot tell somebody's therapy notes from the
//! rest. But of a content whose key was destroyed the [beginning](Sealed) can be handed out with a hash of the rest, and the
//! erasure on the record [names](KeyName) the keys that it took: then anybody can tell that this content lay under that
//! key and as which class ([`Sealed::is_under`]). A key's name opens nothing.

use sha2::{Digest, Sha256};
use tlog::Hash;

use crate::entry::{Alias, decimal};
use crate::mac::Mac;

/// Random bytes mixed into a commitment, so that guessing the content does not confirm it.
pub type Salt = [u8; 16];

/// The first bytes of everything that a commitment hashes.
const COMMITMENT_DOMAIN: &[u8] = b"homecoming/content/1\n";

/// The first bytes of everything that the hash of a sealed content hashes.
const SEALED_DOMAIN: &[u8] = b"homecoming/sealed/2\n";

/// The first bytes of everything that commits to a key.
const KEY_DOMAIN: &[u8] = b"homecoming/version/2\n";

const NONCE: usize = 12;

/// How long the nonce and the commitment to the key are, with which a sealed body begins.
pub const HEAD: usize = NONCE + 32;

/// What a key can be told from every other one by, and not be found out from.
pub type KeyName = [u8; 32];

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

/// What an entry's line says of its content as it is kept; see above how.
///
/// It needs no key, so it can be checked when the key was destroyed. A body begins with its nonce
/// and the commitment to its key, so the line commits to the one key that opens it.
pub fn sealed(body: &[u8]) -> Hash {
    let (head, rest) = body.split_at(HEAD.min(body.len()));
    hash_of(head, &Sha256::digest(rest).into())
}

fn hash_of(head: &[u8], rest: &Hash) -> Hash {
    let hasher = Sha256::new().chain_update(SEALED_DOMAIN);
    hasher
        .chain_update(rest)
        .chain_update(head)
        .finalize()
        .into()
}

/// What of a sealed body tells under which key it lies, and that it is the one that a line covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The nonce and the commitment to the key.
    pub head: [u8; HEAD],
    /// The hash of what follows.
    pub rest: Hash,
}

impl Sealed {
    /// Of a body; nothing if it is too short to be one.
    pub fn of(body: &[u8]) -> Option<Sealed> {
        let (head, rest) = body.split_first_chunk()?;
        Some(Sealed {
            head: *head,
            rest: Sha256::digest(rest).into(),
        })
    }

    /// What the line says of it.
    pub fn hash(&self) -> Hash {
        hash_of(&self.head, &self.rest)
    }

    /// Whether the body was sealed under the key of this name, for this place.
    pub fn is_under(&self, key: &KeyName, place: &Place<'_>) -> bool {
        let (nonce, commitment) = self.head.split_at(NONCE);
        let found = Mac::new(key).hash(&[KEY_DOMAIN, nonce, &place.bytes()]);
        found == commitment
    }
}

/// What a content is of, as far as keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// A person's record; what the access log says of them lies under the same key.
    Record = 1,
    /// A person's therapy notes.
    Notes = 2,
}

/// What a body is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The first name of the log ([`first_name`]), of the access log with `/access` behind it.
    pub log: &'a str,
    /// Which of the person's keys.
    pub class: Class,
    /// The person.
    pub person: Alias,
    /// The resource's kind; of the access log `disclosure`.
    pub kind: &'a str,
    /// The resource's id as the line writes it; of the access log how it was given out.
    pub id: &'a str,
    /// The resource's version; of the access log 0.
    pub version: u32,
    /// The entry's place in the log.
    pub position: u64,
}

impl Place<'_> {
    /// Every field behind its length, so that no two places read alike.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        for field in [
            self.log.as_bytes(),
            &[self.class as u8],
            &self.person.0,
            self.kind.as_bytes(),
            self.id.as_bytes(),
            &self.version.to_be_bytes(),
            &self.position.to_be_bytes(),
        ] {
            out.extend_from_slice(&(field.len() as u64).to_be_bytes());
            out.extend_from_slice(field);
        }
        out
    }
}

/// What the first log of a programme was called, by the name of any of its logs: `name` of `name.2`, which a restoration
/// began. Contents stay sealed for the first.
pub fn first_name(origin: &str) -> &str {
    generation(origin).0
}

/// The first name, and which of the programme's logs it is, from 1.
pub fn generation(origin: &str) -> (&str, u64) {
    match origin.rsplit_once('.') {
        Some((first, number)) => match decimal(number) {
            Some(number) if number > 1 => (first, number),
            _ => (origin, 1),
        },
        None => (origin, 1),
    }
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

/// What is left of a body that was sealed under the key of a name.
#[cfg(test)]
pub(crate) fn left_under(key: &KeyName, place: &Place<'_>) -> Sealed {
    let nonce = [4; NONCE];
    let commitment = Mac::new(key).hash(&[KEY_DOMAIN, &nonce, &place.bytes()]);
    let mut head = [0; HEAD];
    head[..NONCE].copy_from_slice(&nonce);
    head[NONCE..].copy_from_slice(&commitment);
    Sealed {
        head,
        rest: [8; 32],
    }
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
    fn the_beginning_of_a_body_and_a_hash_of_the_rest_are_enough_for_the_line() {
        let body: Vec<u8> = (0..100).collect();
        let known = Sealed::of(&body).expect("long enough");
        assert_eq!(known.hash(), sealed(&body));
        assert_eq!(Sealed::of(&body[..HEAD - 1]), None);
        for at in 0..body.len() {
            let mut altered = body.clone();
            altered[at] ^= 1;
            assert_ne!(sealed(&altered), sealed(&body), "byte {at}");
            assert_ne!(sealed(&body[..at]), sealed(&body), "{at} bytes");
        }
    }

    /// A body that was made with other people's HMAC, from the description alone; `seal` has the same one.
    #[test]
    fn the_name_of_its_key_tells_under_which_a_body_lies() {
        let hex = |text: &str| -> Vec<u8> {
            let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
            (0..text.len()).step_by(2).map(byte).collect()
        };
        let name = hex("b5769864610ce78087fb87329f2715bfd77464259332e4a675f8b6d8ee0fc3bb");
        let name: KeyName = name.try_into().expect("32 bytes");
        let body = hex(
            "030303030303030303030303d4926faad405747768b6c5ac9071c492e7e70b49a7b35e7c53aa52565ae7533f",
        );
        let sealed = Sealed::of(&body).expect("as long as that");
        let place = Place {
            log: "homecoming.example/north",
            class: Class::Record,
            person: Alias([0x70; 16]),
            kind: "Observation",
            id: "5q0t7v9e2k4m8n1c",
            version: 2,
            position: 48_640,
        };
        assert!(sealed.is_under(&name, &place));
        assert!(!sealed.is_under(&[7; 32], &place));
        let another = Sealed {
            head: [3; HEAD],
            ..sealed
        };
        assert!(!another.is_under(&name, &place));
        type Change = fn(&mut Place<'static>);
        let changes: [Change; 7] = [
            |p| p.log = "homecoming.example/south",
            |p| p.class = Class::Notes,
            |p| p.person = Alias([0x71; 16]),
            |p| p.kind = "Condition",
            |p| p.id = "5q0t7v9e2k4m8n1d",
            |p| p.version = 1,
            |p| p.position = 0,
        ];
        for change in changes {
            let mut elsewhere = place;
            change(&mut elsewhere);
            assert!(!sealed.is_under(&name, &elsewhere), "{elsewhere:?}");
        }
    }

    #[test]
    fn every_log_of_a_programme_has_one_first_name() {
        let check = |origin, expect| assert_eq!(generation(origin), expect);
        check("homecoming/east", ("homecoming/east", 1));
        check("homecoming/east.2", ("homecoming/east", 2));
        check("homecoming/east.41", ("homecoming/east", 41));
        check("ward.example/log", ("ward.example/log", 1));
        for other in ["east.1", "east.0", "east.02", "east.x", "east."] {
            check(other, (other, 1));
        }
        assert_eq!(first_name("homecoming/east.3"), "homecoming/east");
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
