//! What lies beside a leaf's line, as it is stored. The one place that seals and opens it.

use evidence::content::Salt;

use crate::content;

/// Random bytes that a body takes.
pub(super) const CHANCE_BYTES: usize = 16;

/// A body, opened.
pub(super) struct Opened {
    pub(super) salt: Salt,
    pub(super) stored: Vec<u8>,
}

/// Packs a content on the caller's thread.
pub(super) fn pack(stored: &[u8]) -> Vec<u8> {
    content::compress(stored)
}

/// The body of a packed content: its salt and the content.
pub(super) fn close(salt: &Salt, packed: &[u8]) -> Vec<u8> {
    [&salt[..], packed].concat()
}

/// Opens a body; `None` if it is not one.
pub(super) fn open(body: &[u8]) -> Option<Opened> {
    let (salt, packed) = body.split_first_chunk::<16>()?;
    Some(Opened {
        salt: *salt,
        stored: content::decompress(i64::from(content::FORMAT), packed).ok()?,
    })
}
