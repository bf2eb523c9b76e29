//! Every altered byte, every other place and every other key is refused by name; and no body opens
//! under two keys, even one made with care to do so.

use aes_gcm_siv::aes::Aes256;
use aes_gcm_siv::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit as _};

use super::*;

const PERSON: [u8; 16] = [0x70; 16];
const OTHER_PERSON: [u8; 16] = [0x71; 16];
const SALT_BYTES: [u8; 16] = [0x5a; 16];
const PACKED: &[u8] = b"a packed content, somewhat longer than two blocks of sixteen bytes";

const BOUND: Bound<'static> = Bound {
    log: "homecoming.example/north",
    class: Class::Record,
    person: Some(&PERSON),
    kind: "Observation",
    id: "5q0t7v9e2k4m8n1c",
    version: 2,
    position: 48_640,
};

fn key(byte: u8) -> Key {
    Key::from_bytes([byte; 32])
}

fn sealed() -> Vec<u8> {
    seal(&key(1), [3; 12], &BOUND, &SALT_BYTES, PACKED)
}

#[test]
fn what_was_sealed_opens_and_has_the_form_that_is_described() {
    let body = sealed();
    assert_eq!(body.len(), PACKED.len() + OVERHEAD);
    assert_eq!(body[..12], [3; 12]);
    let opened = open(&key(1), &BOUND, &body).expect("opens");
    assert_eq!((opened.salt, &opened.packed[..]), (SALT_BYTES, PACKED));
    let empty = seal(&key(1), [3; 12], &BOUND, &SALT_BYTES, b"");
    let opened = open(&key(1), &BOUND, &empty).expect("opens");
    assert_eq!(opened.packed, b"");
}

/// The form is fixed: what is sealed today opens in ten years. The hash was made with other
/// people's HMAC and AES-GCM-SIV (Python's and OpenSSL's), from the description alone.
#[test]
fn the_form_does_not_change() {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(sealed());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "dd4f2f415c9dd43a9db70bda608ddd9e06232e3d51f27abd102d5702ecff33ec"
    );
}

#[test]
fn any_altered_byte_is_refused_by_name() {
    let body = sealed();
    for at in 0..body.len() {
        let expect = match at {
            0..HEAD => OpenError::OtherKey,
            _ => OpenError::Altered,
        };
        for bit in 0..8 {
            let mut altered = body.clone();
            altered[at] ^= 1 << bit;
            let found = open(&key(1), &BOUND, &altered);
            assert_eq!(found, Err(expect), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_body_that_was_cut_or_grew_is_refused_by_name() {
    let body = sealed();
    for length in 0..body.len() {
        let expect = match length {
            0..OVERHEAD => OpenError::Short,
            _ => OpenError::Altered,
        };
        let found = open(&key(1), &BOUND, &body[..length]);
        assert_eq!(found, Err(expect), "{length} bytes");
    }
    let longer = [&body[..], &[0]].concat();
    assert_eq!(open(&key(1), &BOUND, &longer), Err(OpenError::Altered));
}

#[test]
fn a_name_tells_whose_body_it_is_and_opens_none() {
    let body = sealed();
    let name = key(1).name();
    assert!(is_under(&name, &BOUND, &body));
    assert!(!is_under(&key(2).name(), &BOUND, &body));
    let notes = Bound {
        class: Class::Notes,
        ..BOUND
    };
    assert!(!is_under(&name, &notes, &body));
    for length in 0..HEAD {
        assert!(!is_under(&name, &BOUND, &body[..length]), "{length} bytes");
    }
    assert!(is_under(&name, &BOUND, &body[..HEAD]));
    let as_key = open(&Key::from_bytes(name), &BOUND, &body);
    assert_eq!(as_key, Err(OpenError::OtherKey));
}

type Change = fn(&mut Bound<'static>);

#[test]
fn another_place_is_refused_whichever_part_of_it_differs() {
    let body = sealed();
    let elsewhere = |change: Change| {
        let mut bound = BOUND;
        change(&mut bound);
        assert_ne!(bound, BOUND);
        open(&key(1), &bound, &body)
    };
    let table: [(&str, Change); 14] = [
        ("log", |b| b.log = "homecoming.example/south"),
        ("log, cut", |b| b.log = "homecoming.example/nort"),
        ("log, empty", |b| b.log = ""),
        ("class", |b| b.class = Class::Notes),
        ("class", |b| b.class = Class::Access),
        ("person", |b| b.person = Some(&OTHER_PERSON)),
        ("no person", |b| b.person = None),
        ("kind", |b| b.kind = "Condition"),
        ("id", |b| b.id = "5q0t7v9e2k4m8n1d"),
        ("version", |b| b.version = 1),
        ("version", |b| b.version = 3),
        ("position", |b| b.position = 48_641),
        ("position", |b| b.position = u64::MAX),
        // The same letters, shared out otherwise among kind and id.
        ("border", |b| {
            (b.kind, b.id) = ("Observation5", "q0t7v9e2k4m8n1c")
        }),
    ];
    for (what, change) in table {
        assert_eq!(elsewhere(change), Err(OpenError::OtherKey), "{what}");
    }
}

#[test]
fn another_key_is_refused() {
    let body = sealed();
    for byte in (0..=255).filter(|byte| *byte != 1) {
        assert_eq!(open(&key(byte), &BOUND, &body), Err(OpenError::OtherKey));
    }
}

#[test]
fn the_classes_have_the_numbers_that_are_stored() {
    for class in Class::ALL {
        assert_eq!(Class::from_number(class as u8), Some(class));
    }
    let numbers = Class::ALL.map(|class| class as u8);
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(Class::from_number(0), None);
    assert_eq!(Class::from_number(5), None);
}

/// AES-GCM-SIV does not commit to its key: here is a ciphertext that opens under two. As a body it
/// opens under the one whose key commitment it carries, and under no other.
#[test]
fn a_ciphertext_made_to_open_under_two_keys_is_refused_under_the_second() {
    let nonce = [3; NONCE];
    let info = BOUND.info(&nonce);
    let place = &info[DOMAIN.len() + NONCE..];
    let [one, two] = [key(1), key(2)].map(|key| *key.derive(&info).as_bytes());
    let (ciphertext, tag) = opens_under_both(&one, &two, &nonce, place);

    // The cipher alone is fooled: it opens under both, to two texts.
    let under = |encryption: &[u8]| {
        let mut text = ciphertext.clone();
        cipher(encryption)
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                place,
                (&mut text[..]).into(),
                &Tag::from(tag),
            )
            .expect("made to open");
        text
    };
    assert_ne!(under(&one), under(&two));

    for (fits, other) in [(1, 2), (2, 1)] {
        let commitment = mac(&key(fits).name(), &[&info]);
        let body = [&nonce[..], &commitment, &ciphertext, &tag].concat();
        assert!(open(&key(fits), &BOUND, &body).is_ok());
        assert_eq!(open(&key(other), &BOUND, &body), Err(OpenError::OtherKey));
    }
}

/// Two blocks and a tag that both keys accept: the tag is chosen, and the blocks solve the two
/// equations, one for each key, that POLYVAL makes of it.
fn opens_under_both(one: &[u8], two: &[u8], nonce: &[u8; 12], place: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let sides = [one, two].map(|key| Side::new(key, nonce));
    let (tag, inverses) = (0..=255u8)
        .find_map(|byte| {
            let tag = [byte; 16];
            let inverses = [0, 1].map(|side| sides[side].decrypt(tag));
            // The cipher clears this bit before it encrypts the sum into the tag.
            let fit = inverses.iter().all(|inverse| inverse[15] & 0x80 == 0);
            fit.then_some((tag, inverses))
        })
        .expect("one in four tags fits");

    // For each key: c1 h^3 + c2 h^2 = target, with what is known moved to the right.
    let mut blocks = place.to_vec();
    blocks.resize(place.len().next_multiple_of(16), 0);
    let lengths = (place.len() as u128 * 8) | (32u128 * 8) << 64;
    let rows = [0, 1].map(|side| {
        let Side { hash, .. } = sides[side];
        let mut sum = 0;
        for block in blocks.as_chunks::<16>().0 {
            sum = dot(sum ^ u128::from_le_bytes(*block), hash);
        }
        let streams = [0, 1].map(|n| sides[side].stream(tag, n));
        sum = dot(sum ^ streams[0], hash);
        sum = dot(sum ^ streams[1], hash);
        sum = dot(sum ^ lengths, hash);
        let mut wanted = inverses[side];
        for (byte, n) in wanted.iter_mut().zip(nonce) {
            *byte ^= n;
        }
        let second = dot(hash, hash);
        (dot(second, hash), second, sum ^ u128::from_le_bytes(wanted))
    });
    let [(a, b, r), (c, d, s)] = rows;
    let scale = invert(dot(a, d) ^ dot(b, c));
    let first = dot(dot(r, d) ^ dot(b, s), scale);
    let second = dot(dot(a, s) ^ dot(c, r), scale);
    let ciphertext = [first.to_le_bytes(), second.to_le_bytes()].concat();
    (ciphertext, tag)
}

/// What AES-GCM-SIV derives from a key and a nonce (RFC 8452, section 4).
struct Side {
    hash: u128,
    cipher: Aes256,
}

impl Side {
    fn new(key: &[u8], nonce: &[u8; 12]) -> Side {
        let generator = Aes256::new_from_slice(key).expect("32 bytes");
        let mut derived = Vec::new();
        for counter in 0..6u32 {
            let mut block = [0; 16];
            block[..4].copy_from_slice(&counter.to_le_bytes());
            block[4..].copy_from_slice(nonce);
            let mut block = block.into();
            generator.encrypt_block(&mut block);
            derived.extend_from_slice(&block[..8]);
        }
        let (hash, cipher) = derived.split_first_chunk().expect("48 bytes");
        Side {
            hash: u128::from_le_bytes(*hash),
            cipher: Aes256::new_from_slice(cipher).expect("32 bytes"),
        }
    }

    fn decrypt(&self, tag: [u8; 16]) -> [u8; 16] {
        let mut block = tag.into();
        self.cipher.decrypt_block(&mut block);
        block.into()
    }

    /// Block `n` of the key stream that belongs to a tag.
    fn stream(&self, tag: [u8; 16], n: u32) -> u128 {
        let mut block = tag;
        block[15] |= 0x80;
        let counter = u32::from_le_bytes(*block.first_chunk().expect("16 bytes"));
        block[..4].copy_from_slice(&counter.wrapping_add(n).to_le_bytes());
        let mut block = block.into();
        self.cipher.encrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    }
}

/// POLYVAL's product, a b x^-128 in its field: bit by bit, dividing by x at each step.
fn dot(a: u128, b: u128) -> u128 {
    let halve = |v: u128| match v & 1 {
        0 => v >> 1,
        // x^128 + x^127 + x^126 + x^121 + 1, divided by x.
        _ => (v >> 1) ^ (1 << 127 | 1 << 126 | 1 << 125 | 1 << 120),
    };
    (0..128).fold(0, |sum, bit| {
        halve(sum ^ if a >> bit & 1 == 1 { b } else { 0 })
    })
}

/// The inverse under `dot`: the power 2^128 - 2, in `dot`'s own powers.
fn invert(a: u128) -> u128 {
    let mut power = a;
    let mut out: Option<u128> = None;
    for _ in 1..128 {
        power = dot(power, power);
        out = Some(out.map_or(power, |out| dot(out, power)));
    }
    out.expect("127 factors")
}
