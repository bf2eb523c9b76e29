//! The map of heads: for each person how many entries there are and which is the last, under one root.
//!
//! A person's chain shows a gap in its middle, but not that its end was withheld. So the programme
//! records, at intervals, where every chain ends: a `Basic` resource with the root of a tree (RFC
//! 6962, like the log's own) over these lines, sorted by the bytes of the alias:
//!
//! ```text
//! <alias, 22 characters> <number of entries> <position of the last> <its leaf hash>
//! ```
//!
//! The map is itself an entry, so the log's witnesses vouch for it, and each of its versions stays.
//! It covers the first so many entries of the ledger, and says how many. It also names the key of the
//! access log, so that whoever has the record's key has that one, too.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use record::json::{Doc, Value, write_string};
use tlog::note::VerifierKey;
use tlog::{Frontier, Hash};

use crate::entry::Alias;

mod presence;

use crate::erasure::GOVERNANCE;
pub use presence::{
    Absence, Place, prove_absence, prove_presence, verify_absence, verify_presence,
};

/// The kind of the resource that holds the map.
pub const KIND: &str = "Basic";
/// Its id.
pub const ID: &str = "person-heads";
/// Its code, in the system of what a programme says of its own record.
pub const CODE: &str = "person-heads";

/// The end of a person's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose chain.
    pub person: Alias,
    /// How many entries there are about them.
    pub count: u64,
    /// The position of the last one.
    pub position: u64,
    /// The hash of its leaf.
    pub hash: Hash,
}

impl Head {
    /// Its line in the map: what a leaf of the map's tree is the hash of.
    pub fn line(&self) -> String {
        let hash = STANDARD_NO_PAD.encode(self.hash);
        format!("{} {} {} {hash}", self.person, self.count, self.position)
    }

    /// The hash of that leaf.
    pub fn leaf(&self) -> Hash {
        tlog::leaf_hash(self.line().as_bytes())
    }
}

/// The root of the map; nothing if the heads are not in order, each person once.
pub fn root(heads: &[Head]) -> Option<Hash> {
    if !heads.is_sorted_by(|one, next| one.person < next.person) {
        return None;
    }
    let mut tree = Frontier::new();
    for head in heads {
        tree.push(head.leaf());
    }
    Some(tree.root())
}

/// What the resource says: how much the map covers, its root, and which access log is the record's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// The chains end as they do in the first so many entries of the ledger.
    pub size: u64,
    /// How many persons there are.
    pub persons: u64,
    /// The root over their heads.
    pub root: Hash,
    /// The public key of the access log, if the ledger has one.
    pub access: Option<VerifierKey>,
}

impl Map {
    /// The resource in the stored form.
    pub fn stored(&self) -> Vec<u8> {
        let root = STANDARD.encode(self.root);
        let access = self.access.as_ref().map(|key| {
            let mut text = Vec::new();
            write_string(&key.to_string(), &mut text);
            let text = String::from_utf8_lossy(&text);
            format!(",{{\"url\":\"access-log\",\"valueString\":{text}}}")
        });
        format!(
            "{{\"resourceType\":\"{KIND}\",\"id\":\"{ID}\",\"extension\":[{{\"url\":\"{EXTENSION}\",\"extension\":[\
             {{\"url\":\"size\",\"valueDecimal\":{}}},{{\"url\":\"persons\",\"valueDecimal\":{}}},\
             {{\"url\":\"root\",\"valueBase64Binary\":\"{root}\"}}{}]}}],\
             \"code\":{{\"coding\":[{{\"system\":\"{GOVERNANCE}\",\"code\":\"{CODE}\"}}],\
             \"text\":\"Where the chain of each person's entries ends\"}}}}",
            self.size,
            self.persons,
            access.unwrap_or_default()
        )
        .into_bytes()
    }

    /// Reads what [`stored`](Map::stored) wrote; nothing for anything else.
    pub fn read(stored: &[u8]) -> Option<Map> {
        let doc = Doc::parse(stored).ok()?;
        let parts = doc.root().get("extension")?.items().next()?;
        let part = |name: &str, value: &str| -> Option<Value<'_>> {
            let mut parts = parts.get("extension")?.items();
            parts
                .find(|part| part.str_at(&["url"]) == Some(name))?
                .get(value)
        };
        let number = |name| part(name, "valueDecimal")?.number_text()?.parse().ok();
        let root = STANDARD
            .decode(part("root", "valueBase64Binary")?.as_str()?)
            .ok()?;
        let access = match part("access-log", "valueString") {
            Some(key) => Some(VerifierKey::parse(key.as_str()?).ok()?),
            None => None,
        };
        let map = Map {
            size: number("size")?,
            persons: number("persons")?,
            root: root.try_into().ok()?,
            access,
        };
        (map.stored() == stored).then_some(map)
    }
}

/// What the map's extension is called.
const EXTENSION: &str = "urn:homecoming:person-heads";

#[cfg(test)]
mod tests {
    use tlog::note::SigningKey;

    use super::*;

    fn head(person: u8, count: u64) -> Head {
        Head {
            person: Alias([person; 16]),
            count,
            position: 10 * count,
            hash: [person; 32],
        }
    }

    #[test]
    fn a_leaf_is_a_line_that_an_auditor_reads() {
        assert_eq!(
            head(7, 3).line(),
            "BwcHBwcHBwcHBwcHBwcHBw 3 30 BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
        );
    }

    #[test]
    fn the_root_is_over_each_person_once_in_order() {
        let check = |heads: &[Head], expect: Option<Hash>| assert_eq!(root(heads), expect);
        let (one, two) = (head(1, 1), head(2, 1));
        check(&[], Some(tlog::root_of_empty()));
        check(&[one], Some(one.leaf()));
        check(&[one, two], Some(tlog::node_hash(&one.leaf(), &two.leaf())));
        check(&[two, one], None);
        check(&[one, one], None);
        assert_ne!(root(&[one, two]), root(&[one, head(2, 2)]));
    }

    #[test]
    fn a_map_reads_only_as_it_was_written() {
        let key = SigningKey::from_seed("ward.example/\"a\"/access", &[3; 32]).expect("a name");
        for access in [None, Some(key.verifier().clone())] {
            reads_only_as_written(&Map {
                size: 1 << 40,
                persons: 0,
                root: [9; 32],
                access,
            });
        }
    }

    fn reads_only_as_written(map: &Map) {
        let stored = map.stored();
        assert_eq!(Map::read(&stored).as_ref(), Some(map));
        assert_eq!(crate::content::name(&stored), Some((KIND, ID)));
        for at in 0..stored.len() {
            let mut altered = stored.clone();
            altered[at] ^= 1;
            assert_ne!(Map::read(&altered).as_ref(), Some(map), "byte {at}");
        }
    }
}
