//! A list of names that are found again by a hash of their length and ends.

/// An immutable list of names with an open-addressed table over it, at most half full.
pub(crate) struct Names {
    names: Vec<&'static str>,
    /// 1 + place in `names`; 0 is free.
    slots: Box<[u16]>,
}

impl Names {
    /// Of a name that occurs twice the first place is found.
    pub(crate) fn new(names: Vec<&'static str>) -> Names {
        let size = (names.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![0_u16; size].into_boxed_slice();
        for (place, name) in names.iter().enumerate() {
            let mut at = hash(name.as_bytes()) & (size - 1);
            while slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            slots[at] = u16::try_from(place + 1).unwrap_or(0);
        }
        Names { names, slots }
    }

    /// The place of a name.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash(name.as_bytes()) & mask;
        loop {
            let place = usize::from(*self.slots.get(at)?).checked_sub(1)?;
            if self.names[place] == name {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
    }

    pub(crate) fn name(&self, place: usize) -> Option<&'static str> {
        self.names.get(place).copied()
    }

    pub(crate) fn all(&self) -> &[&'static str] {
        &self.names
    }
}

/// Looks at no more than the first and last eight bytes: names are short, and a collision only costs a comparison.
#[inline]
fn hash(name: &[u8]) -> usize {
    let ends = if let (Some(first), Some(last)) = (name.first_chunk::<8>(), name.last_chunk::<8>())
    {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(27)
    } else if let (Some(first), Some(last)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else {
        name.iter().fold(0, |n, b| n << 8 | u64::from(*b))
    };
    let mixed = (ends ^ name.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as usize
}
