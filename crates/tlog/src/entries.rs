//! Bundles of entries (C2SP tlog-tiles): the data of up to 256 leaves, each after its length.
//!
//! The length is 16 bits, big-endian, and counts bytes: an entry has 65,535 at
//! most. Entry number *i* of bundle *N* is leaf 256·*N* + *i* of the log.

use crate::tile::TILE_WIDTH;

/// No entry of a bundle is longer, in bytes.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// Why entries do not make a bundle, or bytes are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry is longer than its length can say.
    #[error("entry {number} of the bundle has {bytes} bytes, and the most is {ENTRY_BYTES_MAX}")]
    TooLong {
        /// The entry's number in the bundle, from 0.
        number: usize,
        /// How many bytes it has.
        bytes: usize,
    },
    /// The last entry, or its length, is cut off.
    #[error("entry {number} of the bundle is cut off")]
    CutOff {
        /// The entry's number in the bundle, from 0.
        number: usize,
    },
    /// There are more or fewer entries than the bundle should have.
    #[error("the bundle has {found} entries, not {expected}")]
    Width {
        /// How many entries there should be: 1 to 256.
        expected: u16,
        /// How many there are; 257 stands for more than 256.
        found: usize,
    },
}

/// A bundle of these entries, in order: as many as there are, 256 at most.
pub fn write_bundle<'e>(
    entries: impl IntoIterator<Item = &'e [u8]>,
) -> Result<Vec<u8>, BundleError> {
    let mut bundle = Vec::new();
    for (number, entry) in entries.into_iter().enumerate() {
        if number == usize::from(TILE_WIDTH) {
            return Err(BundleError::Width {
                expected: TILE_WIDTH,
                found: number + 1,
            });
        }
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong {
            number,
            bytes: entry.len(),
        })?;
        bundle.extend(length.to_be_bytes());
        bundle.extend(entry);
    }
    Ok(bundle)
}

/// The entries of a bundle that should have `width` of them, 1 to 256.
pub fn read_bundle(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let number = entries.len();
        if number == usize::from(TILE_WIDTH) {
            return Err(BundleError::Width {
                expected: width,
                found: number + 1,
            });
        }
        let cut_off = BundleError::CutOff { number };
        let (length, after) = rest.split_first_chunk().ok_or(cut_off)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(cut_off)?;
        entries.push(entry);
        rest = after;
    }
    if entries.len() != usize::from(width) {
        return Err(BundleError::Width {
            expected: width,
            found: entries.len(),
        });
    }
    Ok(entries)
}
