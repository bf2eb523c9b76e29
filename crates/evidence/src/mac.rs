//! HMAC-SHA256 with a key of 32 bytes, both halves of it hashed beforehand.

use sha2::{Digest, Sha256};
use tlog::Hash;

/// A key, ready to hash with: what it takes of the key is done once for all that is hashed.
#[derive(Clone)]
pub(crate) struct Mac {
    inner: Sha256,
    outer: Sha256,
}

impl Mac {
    /// With a key of just 32 bytes, which fits into one block.
    pub(crate) fn new(key: &[u8; 32]) -> Mac {
        let half = |pad: u8| {
            let mut block = [pad; 64];
            for (b, k) in block.iter_mut().zip(key) {
                *b ^= k;
            }
            Sha256::new().chain_update(block)
        };
        Mac {
            inner: half(0x36),
            outer: half(0x5c),
        }
    }

    /// Over parts, one behind the other.
    pub(crate) fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let outer = self.outer.clone().chain_update(inner.finalize());
        outer.finalize().into()
    }
}
