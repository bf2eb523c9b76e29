//! That a person's head is in the map, or that none is.

use tlog::{Hash, ProofError, Tree, prove_inclusion, verify_inclusion};

use super::{Head, Map};
use crate::entry::Alias;

/// A head's place in a map: its number among the sorted heads, and the way to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The head's number in the map, from 0.
    pub index: u64,
    /// The hashes from the leaf to the root, lowest first (RFC 6962, 2.1.1).
    pub hashes: Vec<Hash>,
}

/// That a map has no head of somebody: the two heads between which it would be, next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The last head of a smaller alias; none if there is no smaller one.
    pub before: Option<(Head, Place)>,
    /// The first head of a larger alias; none if there is no larger one.
    pub after: Option<(Head, Place)>,
}

/// The head of a person and its place, if the map has one. `heads` must be sorted, each person once.
pub fn prove_presence(heads: &[Head], person: Alias) -> Option<(Head, Place)> {
    let at = heads
        .binary_search_by_key(&person, |head| head.person)
        .ok()?;
    placed(heads, at)
}

/// The two neighbours of a person who is not in the map. `heads` must be sorted, each person once.
pub fn prove_absence(heads: &[Head], person: Alias) -> Option<Absence> {
    let at = heads
        .binary_search_by_key(&person, |head| head.person)
        .err()?;
    Some(Absence {
        before: at.checked_sub(1).and_then(|at| placed(heads, at)),
        after: placed(heads, at),
    })
}

fn placed(heads: &[Head], at: usize) -> Option<(Head, Place)> {
    let head = *heads.get(at)?;
    let tree: Tree = heads.iter().map(Head::leaf).collect();
    let index = at as u64;
    let hashes = prove_inclusion(index, tree.size(), &tree).ok()?;
    Some((head, Place { index, hashes }))
}

/// Checks that a map has this head.
pub fn verify_presence(map: &Map, head: &Head, place: &Place) -> Result<(), ProofError> {
    verify_inclusion(
        place.index,
        map.persons,
        &head.leaf(),
        &place.hashes,
        &map.root,
    )
}

/// Checks that a map, if it is sorted, has no head of this person. That it is sorted shows only who
/// makes it again from all lines, as a mirror does.
pub fn verify_absence(map: &Map, person: Alias, absence: &Absence) -> Result<(), ProofError> {
    let neighbours = [&absence.before, &absence.after];
    for (head, place) in neighbours.into_iter().flatten() {
        verify_presence(map, head, place)?;
    }
    // The two are next to each other, or one of them is at an end.
    let next = absence
        .before
        .as_ref()
        .map_or(0, |(_, place)| place.index + 1);
    let is_next = match &absence.after {
        Some((_, place)) => place.index == next,
        None => next == map.persons,
    };
    let is_between = absence
        .before
        .as_ref()
        .is_none_or(|(head, _)| head.person < person)
        && absence
            .after
            .as_ref()
            .is_none_or(|(head, _)| person < head.person);
    match is_next && is_between {
        true => Ok(()),
        false => Err(ProofError::Order),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads;

    /// Heads of the aliases 10, 20, 30 … .
    fn heads(count: u8) -> (Vec<Head>, Map) {
        let head = |n: u8| Head {
            person: Alias([10 * n; 16]),
            count: u64::from(n),
            position: u64::from(n) + 100,
            hash: [n; 32],
        };
        let heads: Vec<Head> = (1..=count).map(head).collect();
        let map = Map {
            size: 1000,
            persons: heads.len() as u64,
            root: heads::root(&heads).expect("they are sorted"),
            access: None,
        };
        (heads, map)
    }

    #[test]
    fn everybody_in_the_map_is_proved_present_and_nobody_else() {
        for count in 0..=25 {
            let (heads, map) = heads(count);
            for byte in 0..=255 {
                let person = Alias([byte; 16]);
                let present = byte > 0 && byte % 10 == 0 && byte / 10 <= count;
                let presence = prove_presence(&heads, person);
                let absence = prove_absence(&heads, person);
                assert_eq!((presence.is_some(), absence.is_some()), (present, !present));
                if let Some((head, place)) = presence {
                    assert_eq!(head.person, person);
                    assert_eq!(verify_presence(&map, &head, &place), Ok(()));
                    let other = Head {
                        count: head.count - 1,
                        ..head
                    };
                    assert!(verify_presence(&map, &other, &place).is_err());
                }
                if let Some(absence) = absence {
                    assert_eq!(verify_absence(&map, person, &absence), Ok(()));
                    // It proves nothing of those who are there.
                    for head in &heads {
                        assert!(verify_absence(&map, head.person, &absence).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn an_absence_needs_both_neighbours() {
        let (heads, map) = heads(9);
        let person = Alias([45; 16]);
        let good = prove_absence(&heads, person).expect("45 is between 40 and 50");
        let with = |f: &dyn Fn(&mut Absence)| {
            let mut absence = good.clone();
            f(&mut absence);
            verify_absence(&map, person, &absence)
        };
        let at = |index: usize| placed(&heads, index);
        assert_eq!(with(&|_| ()), Ok(()));
        assert_eq!(with(&|a| a.before = None), Err(ProofError::Order));
        assert_eq!(with(&|a| a.after = None), Err(ProofError::Order));
        assert_eq!(with(&|a| a.before = at(2)), Err(ProofError::Order));
        assert_eq!(with(&|a| a.after = at(5)), Err(ProofError::Order));
        assert_eq!(
            with(&|a| (a.before, a.after) = (at(5), at(6))),
            Err(ProofError::Order)
        );
        let forged = |a: &mut Absence| {
            if let Some((head, _)) = &mut a.before {
                head.count += 1;
            }
        };
        assert_eq!(with(&forged), Err(ProofError::Root));
    }
}
