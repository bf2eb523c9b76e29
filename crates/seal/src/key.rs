//! Keys: 32 bytes that are wiped when they go, and what is derived from them.

use std::fmt;

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret of 32 bytes. It is wiped when it goes, and says nothing when it is printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// From 32 bytes that were drawn by lot or derived from such.
    pub fn from_bytes(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// Draws a key.
    pub fn draw(chance: &mut dyn FnMut(&mut [u8])) -> Key {
        let mut key = Key([0; 32]);
        chance(&mut key.0);
        key
    }

    /// The bytes themselves, for putting them into shares or under another key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA256-Expand with this key as the pseudorandom key: two blocks, 64 bytes.
    pub(crate) fn expand(&self, info: &[u8]) -> Zeroizing<[u8; 64]> {
        let mac = Mac::new(&self.0);
        let mut out = Zeroizing::new([0; 64]);
        out[..32].copy_from_slice(&*mac.hash(&[info, &[1]]));
        let first = Zeroizing::new(*out.first_chunk::<32>().expect("64 bytes have 32"));
        out[32..].copy_from_slice(&*mac.hash(&[&*first, info, &[2]]));
        out
    }

    /// The key's name: what it can be told from every other key by, and not be found out from.
    ///
    /// It is no secret of the first rank, and it is not for everybody either: whoever has it can tell which sealed
    /// bodies were made with the key, and open none of them. They can also make the beginning of a body for something new,
    /// as if it were sealed with the key; nothing opens that. While the key is there it is damage; when the key is
    /// destroyed, whoever asks under which key a body lay holds against the erasure that it was recorded before.
    pub fn name(&self) -> [u8; 32] {
        *self.derive(b"homecoming/key/name/1\n").as_bytes()
    }

    /// Another key, for the purpose that `info` names: the first block of HKDF-SHA256-Expand.
    pub fn derive(&self, info: &[u8]) -> Key {
        Key(*Mac::new(&self.0).hash(&[info, &[1]]))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// HMAC-SHA256 over parts, one behind the other.
pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    *Mac::new(key).hash(parts)
}

/// HMAC-SHA256 with both halves of the key hashed beforehand.
struct Mac {
    inner: Sha256,
    outer: Sha256,
}

impl Mac {
    fn new(key: &[u8; 32]) -> Mac {
        let half = |pad: u8| {
            let mut block = Zeroizing::new([pad; 64]);
            for (b, k) in block.iter_mut().zip(key) {
                *b ^= k;
            }
            Sha256::new().chain_update(*block)
        };
        Mac {
            inner: half(0x36),
            outer: half(0x5c),
        }
    }

    fn hash(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let hash = self.outer.clone().chain_update(inner.finalize()).finalize();
        Zeroizing::new(hash.into())
    }
}

/// The bytes that wrapping adds to 32.
const TAG: usize = 16;

/// A wrapped key: ciphertext and tag.
pub(crate) const WRAPPED: usize = 32 + TAG;

/// The programme's wrapping key, ready for use: every key of a keyring is wrapped under it.
///
/// Wrapping is deterministic: the nonce is the slot's number, and AES-GCM-SIV then gives away no
/// more than whether the same key was wrapped for the same slot twice.
#[derive(Clone)]
pub struct Wrapping {
    key: Key,
    cipher: Aes256GcmSiv,
}

impl Wrapping {
    /// From the wrapping key itself.
    pub fn new(key: Key) -> Wrapping {
        Wrapping {
            cipher: Aes256GcmSiv::new(key.as_bytes().into()),
            key,
        }
    }

    /// The wrapping key, for whoever wraps it in turn or puts it into shares.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Tells wrapping keys apart without giving them away.
    pub fn id(&self) -> [u8; 16] {
        let id = self.key.derive(b"homecoming/wrapping/id/1\n");
        *id.as_bytes().first_chunk().expect("32 bytes have 16")
    }

    /// Vouches for bytes that are not secret: HMAC-SHA256 under a key derived for that.
    pub(crate) fn vouch(&self, parts: &[&[u8]]) -> [u8; 32] {
        let key = self.key.derive(b"homecoming/wrapping/file/1\n");
        *Mac::new(key.as_bytes()).hash(parts)
    }

    pub(crate) fn wrap(&self, key: &Key, slot: u32, bound: &[u8]) -> [u8; WRAPPED] {
        let mut out = [0; WRAPPED];
        let (text, tag) = out.split_at_mut(32);
        text.copy_from_slice(key.as_bytes());
        let made = self
            .cipher
            .encrypt_inout_detached(&slot_nonce(slot), bound, text.into())
            .expect("32 bytes are not too long");
        tag.copy_from_slice(&made);
        out
    }

    pub(crate) fn unwrap(&self, wrapped: &[u8; WRAPPED], slot: u32, bound: &[u8]) -> Option<Key> {
        let mut key = Key([0; 32]);
        key.0.copy_from_slice(&wrapped[..32]);
        let tag = Tag::try_from(&wrapped[32..]).ok()?;
        self.cipher
            .decrypt_inout_detached(&slot_nonce(slot), bound, (&mut key.0[..]).into(), &tag)
            .ok()?;
        Some(key)
    }
}

impl fmt::Debug for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapping(..)")
    }
}

fn slot_nonce(slot: u32) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[..4].copy_from_slice(&slot.to_le_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex"))
            .collect()
    }

    /// RFC 5869, appendix A.1: the pseudorandom key, the info, and the first 42 bytes.
    #[test]
    fn keys_are_derived_as_rfc_5869_does() {
        let key = hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let key = Key::from_bytes(key.try_into().expect("32 bytes"));
        let info = hex("f0f1f2f3f4f5f6f7f8f9");
        let expect = hex(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        );
        assert_eq!(key.expand(&info)[..42], expect[..]);
        assert_eq!(key.derive(&info).as_bytes()[..], expect[..32]);
    }

    #[test]
    fn a_key_says_nothing_when_it_is_printed() {
        let key = Key::from_bytes([0xab; 32]);
        assert_eq!(format!("{key:?}"), "Key(..)");
        assert_eq!(format!("{:?}", Wrapping::new(key)), "Wrapping(..)");
    }

    #[test]
    fn a_wrapped_key_opens_only_as_it_was_wrapped() {
        let key = Key::from_bytes([1; 32]);
        let wrapping = Wrapping::new(Key::from_bytes([2; 32]));
        let wrapped = wrapping.wrap(&key, 7, b"ring");
        let opens = |wrapping: &Wrapping, wrapped: &[u8; WRAPPED], slot, bound: &[u8]| {
            wrapping
                .unwrap(wrapped, slot, bound)
                .is_some_and(|found| found.as_bytes() == key.as_bytes())
        };
        assert!(opens(&wrapping, &wrapped, 7, b"ring"));
        assert!(!opens(&wrapping, &wrapped, 8, b"ring"));
        assert!(!opens(&wrapping, &wrapped, 7, b"rink"));
        let other = Wrapping::new(Key::from_bytes([3; 32]));
        assert!(!opens(&other, &wrapped, 7, b"ring"));
        assert_ne!(other.id(), wrapping.id());
        for at in 0..WRAPPED {
            let mut altered = wrapped;
            altered[at] ^= 0x10;
            assert!(!opens(&wrapping, &altered, 7, b"ring"), "byte {at}");
        }
    }
}
