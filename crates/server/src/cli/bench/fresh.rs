//! Copies of transaction bundles under fresh identities: every UUID in a copy is replaced by
//! another one, the same everywhere in that copy, so that nothing in it meets the original.

use std::path::Path;

use sha2::{Digest, Sha256};

/// What was made.
pub struct Made {
    pub resources: usize,
    pub bytes: u64,
}

/// Writes copies of the bundles in `from` to `to` until they hold at least `resources` resources.
pub fn copies(from: &Path, to: &Path, resources: usize) -> Result<Made, String> {
    let mut names: Vec<_> = std::fs::read_dir(from)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    names.sort();
    let bundles = names
        .iter()
        .map(|path| std::fs::read(path).map_err(|error| error.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    if bundles.is_empty() {
        return Err("there are no *.json files".to_owned());
    }
    let mut made = Made {
        resources: 0,
        bytes: 0,
    };
    for copy in 0u32.. {
        for (number, bundle) in bundles.iter().enumerate() {
            if made.resources >= resources {
                return Ok(made);
            }
            let fresh = under_fresh_identities(bundle, copy);
            made.resources += count(&fresh);
            made.bytes += fresh.len() as u64;
            std::fs::write(to.join(format!("{copy:04}-{number:04}.json")), fresh)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(made)
}

/// How many entries a bundle has: each has one `fullUrl`.
fn count(bundle: &[u8]) -> usize {
    bundle
        .windows(9)
        .filter(|window| window == b"\"fullUrl\"")
        .count()
}

fn under_fresh_identities(bundle: &[u8], copy: u32) -> Vec<u8> {
    let mut out = bundle.to_vec();
    let mut at = 0;
    while at + 36 <= out.len() {
        if out[at + 8] == b'-' && is_uuid(&out[at..at + 36]) {
            let mut hash = Sha256::new();
            hash.update(copy.to_be_bytes());
            hash.update(&out[at..at + 36]);
            let hash = hash.finalize();
            let hex: String = hash
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let mut digits = hex.bytes();
            for place in &mut out[at..at + 36] {
                if *place != b'-' {
                    *place = digits.next().unwrap_or(b'0');
                }
            }
            at += 36;
        } else {
            at += 1;
        }
    }
    out
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_its_inner_references_and_shares_none_with_the_original() {
        let bundle = br#"{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0","r":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}"#;
        let copy = String::from_utf8(under_fresh_identities(bundle, 1)).unwrap();
        let uuids: Vec<&str> = copy
            .match_indices("urn:uuid:")
            .map(|(at, _)| &copy[at..at + 45])
            .collect();
        assert_eq!(uuids.len(), 2);
        assert_eq!(uuids[0], uuids[1]);
        assert!(!copy.contains("0c3151bd"));
        assert_eq!(copy.len(), bundle.len());
        assert_eq!(count(copy.as_bytes()), 1);
    }
}
