//! The one place that asks the machine for randomness, and what is made of it.

use std::sync::{Arc, Mutex};

/// Fills buffers with random bytes: from the operating system, or replayed from a seed.
#[derive(Clone)]
pub enum Chance {
    /// The operating system's generator. The only choice for anything real.
    System,
    /// A small seeded generator (splitmix64); for generated programmes, tests and benchmarks.
    Seeded(Arc<Mutex<u64>>),
}

impl Chance {
    /// The same seed gives the same bytes.
    pub fn seeded(seed: u64) -> Chance {
        Chance::Seeded(Arc::new(Mutex::new(seed)))
    }

    /// Fills `out`. A machine without randomness cannot run this programme at all.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one source of randomness"
    )]
    pub fn fill(&self, out: &mut [u8]) {
        match self {
            Chance::System => {
                getrandom::fill(out).expect("the operating system gives random bytes")
            }
            Chance::Seeded(state) => {
                let mut state = state
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                for chunk in out.chunks_mut(8) {
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut z = *state;
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    z ^= z >> 31;
                    chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }

    /// A new resource id: 80 random bits as 16 characters of Crockford's base32.
    pub fn id(&self) -> String {
        let mut bits = [0u8; 10];
        self.fill(&mut bits);
        crockford(&bits)
    }
}

/// Ten bytes as 16 characters of lower-case Crockford base32 (no i, l, o, u).
pub fn crockford(bits: &[u8; 10]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut out = String::with_capacity(16);
    for half in bits.chunks(5) {
        let word = half
            .iter()
            .fold(0u64, |acc, byte| acc << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            out.push(ALPHABET[(word >> (5 * place)) as usize & 31] as char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_bytes_make_sixteen_characters_in_order() {
        assert_eq!(crockford(&[0; 10]), "0000000000000000");
        assert_eq!(crockford(&[255; 10]), "zzzzzzzzzzzzzzzz");
        assert_eq!(
            crockford(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 32]),
            "0000000100000010"
        );
    }

    #[test]
    fn a_seed_replays() {
        assert_eq!(Chance::seeded(7).id(), Chance::seeded(7).id());
        assert_ne!(Chance::seeded(7).id(), Chance::seeded(8).id());
    }
}
