//! What lies beside an entry's line: the stored JSON, compressed, and what the line commits to.
//!
//! A body has a format number, so that content of every age can be read:
//!
//! | format | body |
//! |---|---|
//! | 3 | sealed ([`seal::seal`]); inside is the salt and a zstd frame made with the embedded dictionary 1, content size in its header, no checksum, no dictionary id |
//!
//! Two hashes in the line cover it: the commitment is taken over the stored JSON and a salt,
//! which whoever may read it can check, and the other over the sealed body, which anybody can
//! check, also when the key is gone. Nothing here touches the disk.

use std::cell::RefCell;
use std::sync::LazyLock;

pub use evidence::content::{Content, KeyName, Salt, Sealed, commitment, name, sealed};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe;

/// The format that is written today.
pub const FORMAT: u8 = 3;

/// The largest content that is kept, in bytes of stored JSON.
///
/// A body says how large it is before it is unpacked; one that claims more was
/// not written here.
pub const STORED_BYTES_MAX: usize = 64 << 20;

/// 3 costs 3 us for a resource of 1.2 KB; 6 would save 6 % of the bytes for five times that.
const LEVEL: i32 = 3;

const DICTIONARY: &[u8] = include_bytes!("../dictionary/1.zdict");
static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(compressor());
    static DECOMPRESSOR: RefCell<Decompressor<'static>> = RefCell::new(
        Decompressor::with_prepared_dictionary(&DECODER).expect("the embedded dictionary is valid"),
    );
}

/// Why a body could not be unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// It does not unpack.
    #[error("the content does not unpack")]
    Unpack,
    /// It claims to be larger than anything that is kept.
    #[error("the content claims to be larger than {STORED_BYTES_MAX} bytes")]
    TooLarge,
}

/// Packs stored JSON, before it is sealed. Runs on the caller's thread; about 3 us for 1.2 KB.
///
/// # Panics
/// If memory runs out.
pub fn compress(stored: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let body = compressor
            .compress(stored)
            .expect("a buffer of the bound's size holds every frame");
        // The buffer was made for the worst case, the body is kept in a queue.
        Vec::from(&body[..])
    })
}

/// Unpacks what [`compress`] packed into the stored JSON.
pub fn decompress(body: &[u8]) -> Result<Vec<u8>, ContentError> {
    let size = match zstd_safe::get_frame_content_size(body) {
        Ok(Some(size)) => size,
        Ok(None) | Err(_) => return Err(ContentError::Unpack),
    };
    if size > STORED_BYTES_MAX as u64 {
        return Err(ContentError::TooLarge);
    }
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor
            .decompress(body, size as usize)
            .ok()
            .filter(|stored| stored.len() as u64 == size)
            .ok_or(ContentError::Unpack)
    })
}

fn compressor() -> Compressor<'static> {
    let mut compressor =
        Compressor::with_prepared_dictionary(&ENCODER).expect("the embedded dictionary is valid");
    // The format number says which dictionary; four bytes for each resource are worth having.
    compressor
        .set_parameter(zstd_safe::CParameter::DictIdFlag(false))
        .expect("the parameter exists");
    compressor
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};
    use tlog::Hash;

    use super::*;

    const OBSERVATION: &[u8] = br#"{"resourceType":"Observation","id":"0123456789abcdef","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body Weight"}]},"valueQuantity":{"value":81.50,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}"#;

    #[test]
    fn the_dictionary_is_the_one_that_stored_content_was_packed_with() {
        let hash: Hash = Sha256::digest(DICTIONARY).into();
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "88c9c9f4426f4b44c4c29c8f59618191752329d7e03823fb3738c3567f1de7dd"
        );
    }

    #[test]
    fn what_was_packed_unpacks_to_the_same_bytes() {
        for stored in [&b""[..], b"{}", OBSERVATION, &[0xff; 100_000]] {
            assert_eq!(decompress(&compress(stored)).as_deref(), Ok(stored));
        }
    }

    #[test]
    fn a_short_resource_shrinks_to_less_than_half() {
        let body = compress(OBSERVATION);
        assert!(body.len() * 2 < OBSERVATION.len(), "{} bytes", body.len());
    }

    #[test]
    fn a_body_that_is_not_ours_is_refused() {
        let check = |body: &[u8], expect| assert_eq!(decompress(body), Err(expect));
        let body = compress(OBSERVATION);
        check(b"", ContentError::Unpack);
        check(b"not a frame", ContentError::Unpack);
        check(&body[..body.len() - 1], ContentError::Unpack);
        // A frame header that claims 2^40 bytes.
        let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        bomb.extend((1u64 << 40).to_le_bytes());
        check(&bomb, ContentError::TooLarge);
    }
}
