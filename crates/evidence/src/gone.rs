//! Keys that were gone when a record was restored, as the person's own chain tells it: a `Basic` under the programme's key.
//!
//! A restoration that lost an erasure's entries finds keys destroyed and nothing that says why. Its own entry names
//! them, and is in nobody's chain; so there is one more for each person, recorded with it. It tells what happened to
//! the contents, and not why:
//!
//! | where | what |
//! |---|---|
//! | `code.coding` | `urn:homecoming:governance` \| `keys-gone` |
//! | `identifier` | `urn:homecoming:person` \| the person's alias |
//! | extension [`PART`], part `entry` | the position of the restoration's own entry |
//! | part `contents` | how many contents lay under the keys |
//! | part `key`, one each | slot and [name](crate::content::KeyName) of a key: `17:BwcH…` |

use record::json::{Doc, Value};

use crate::content::KeyName;
use crate::entry::{Alias, decimal};
use crate::erasure::{self, key_name};

/// The code of such an entry, in [`erasure::GOVERNANCE`].
pub const KEYS_GONE: &str = "keys-gone";

/// The extension that holds the others; each of them is `PART`, a colon, and its name.
pub const PART: &str = "urn:homecoming:keys-gone";

/// Who restores, as the line says it.
pub const ACTOR: &str = "restore";

/// What such an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysGone {
    /// Whose keys.
    pub person: Alias,
    /// Where the restoration's own entry is.
    pub entry: u64,
    /// How many contents lay under them.
    pub contents: u64,
    /// Each with its slot.
    pub keys: Vec<(u32, KeyName)>,
}

impl KeysGone {
    /// Reads a stored content; nothing if it is something else.
    pub fn read(stored: &[u8]) -> Option<KeysGone> {
        let doc = Doc::parse(stored).ok()?;
        let root = doc.root();
        if root.str_at(&["resourceType"]) != Some("Basic")
            || erasure::code(root.get("code"), erasure::GOVERNANCE) != Some(KEYS_GONE)
        {
            return None;
        }
        let person = items(root, "identifier")?
            .find(|one| one.str_at(&["system"]) == Some(erasure::PERSON))?
            .str_at(&["value"])
            .and_then(Alias::parse)?;
        let all = items(root, "extension")?.find(|one| one.str_at(&["url"]) == Some(PART))?;
        let mut gone = KeysGone {
            person,
            entry: 0,
            contents: 0,
            keys: Vec::new(),
        };
        for part in items(all, "extension")? {
            let name = part.str_at(&["url"])?.strip_prefix(PART)?;
            let value = part.str_at(&["valueString"])?;
            match name {
                ":entry" => gone.entry = decimal(value)?,
                ":contents" => gone.contents = decimal(value)?,
                ":key" => {
                    let (slot, name) = value.split_once(':')?;
                    let slot = u32::try_from(decimal(slot)?).ok()?;
                    gone.keys.push((slot, key_name(name)?));
                }
                _ => return None,
            }
        }
        Some(gone)
    }
}

fn items<'d>(of: Value<'d>, name: &str) -> Option<impl Iterator<Item = Value<'d>>> {
    of.get(name).map(Value::items)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: &str = r#"{"resourceType":"Basic","id":"0123456789abcdef","identifier":[{"system":"urn:homecoming:person","value":"BwcHBwcHBwcHBwcHBwcHBw"}],"extension":[{"url":"urn:homecoming:keys-gone","extension":[{"url":"urn:homecoming:keys-gone:entry","valueString":"9"},{"url":"urn:homecoming:keys-gone:contents","valueString":"4"},{"url":"urn:homecoming:keys-gone:key","valueString":"17:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}]}],"code":{"coding":[{"system":"urn:homecoming:governance","code":"keys-gone"}]}}"#;

    #[test]
    fn a_basic_says_which_keys_were_gone() {
        let gone = KeysGone {
            person: Alias([7; 16]),
            entry: 9,
            contents: 4,
            keys: vec![(17, [7; 32])],
        };
        assert_eq!(KeysGone::read(GONE.as_bytes()), Some(gone));
        for (from, to) in [
            ("\"Basic\"", "\"Task\""),
            ("\"keys-gone\"", "\"keys-rotated\""),
            ("urn:homecoming:governance", "urn:example"),
            ("urn:homecoming:person", "urn:example"),
            ("BwcHBwcHBwcHBwcHBwcHBw\"", "john-smith\""),
            ("\"urn:homecoming:keys-gone\"", "\"urn:example\""),
            ("keys-gone:entry", "keys-gone:other"),
            ("urn:homecoming:keys-gone:entry", "urn:example:entry"),
            ("\"9\"", "\"09\""),
            ("\"4\"", "\"-4\""),
            ("17:Bwc", "17Bwc"),
            ("17:Bwc", "99999999999:Bwc"),
            ("17:Bwc", "x:Bwc"),
            ("17:Bwc", "17:wc"),
            ("valueString\":\"17", "valueCode\":\"17"),
            ("\"identifier\"", "\"identifies\""),
            (
                "\"extension\":[{\"url\":\"urn:homecoming:keys-gone\"",
                "\"extensions\":[{\"url\":\"urn:homecoming:keys-gone\"",
            ),
            (
                ",\"extension\":[{\"url\":\"urn:homecoming:keys-gone:entry\"",
                ",\"extensions\":[{\"url\":\"urn:homecoming:keys-gone:entry\"",
            ),
        ] {
            let changed = GONE.replacen(from, to, 1);
            assert_ne!(changed, GONE, "{from}");
            assert_eq!(KeysGone::read(changed.as_bytes()), None, "{from}");
        }
        assert_eq!(KeysGone::read(b"{"), None);
    }
}
