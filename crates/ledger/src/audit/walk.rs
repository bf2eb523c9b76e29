//! What the lines say of each other, in order: hashes, times, chains, versions. One thread, no disk.

use std::collections::{HashMap, VecDeque};

use evidence::heads::Head;
use record::time::RecordedAt;
use sha2::{Digest, Sha256};
use tlog::{Edge, Hash};

use super::faults::Faults;
use crate::entry::{Action, Alias, Line};

/// A map of heads covers at most so many entries less than there are before it.
const RECENT_MAX: usize = 1 << 16;

/// How far the lines have been followed, and where they stand there.
pub(super) struct Walk {
    /// The tree as the lines give it.
    pub(super) edge: Edge,
    last: Option<RecordedAt>,
    /// Persons' chains.
    pub(super) chains: HashMap<Alias, Chain>,
    /// How the chains ended before the latest entries, for a map that covers fewer entries than there are before it.
    recent: VecDeque<(u64, Alias, Option<Chain>)>,
    /// Latest version of each resource, where it is, and whether it is a deletion; by half a hash of kind and id.
    versions: HashMap<[u8; 16], Latest>,
    /// Versions that say they make what was there by the lines alone.
    pub(super) made_again: Vec<MadeAgain>,
    /// How many lines were there.
    pub(super) entries: u64,
}

/// The latest version of a resource.
#[derive(Clone, Copy)]
struct Latest {
    version: u32,
    deleted: bool,
    position: u64,
}

/// A version that says it makes a resource, although the version before it was no deletion: right if that one was
/// erased by then, which is for the keys to say.
pub(super) struct MadeAgain {
    pub(super) position: u64,
    pub(super) before: u64,
    pub(super) otherwise: String,
}

/// The end of a person's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) count: u64,
    pub(super) position: u64,
    pub(super) hash: Hash,
}

/// A tile that the lines have filled.
pub(crate) struct Filled {
    pub(crate) level: u8,
    pub(crate) index: u64,
    pub(crate) hashes: Vec<u8>,
}

impl Walk {
    pub(super) fn new() -> Walk {
        Walk {
            edge: Edge::new(),
            last: None,
            chains: HashMap::new(),
            recent: VecDeque::new(),
            versions: HashMap::new(),
            made_again: Vec::new(),
            entries: 0,
        }
    }

    /// The next line. `known` is the hash that the log's tile has for it: where the line is missing, the walk goes on
    /// with that, so that the fault stays in its place.
    /// Gives the line as it reads.
    pub(super) fn line<'w>(
        &mut self,
        position: u64,
        line: Option<&'w [u8]>,
        known: Option<Hash>,
        filled: &mut Vec<Filled>,
        faults: &mut Faults,
    ) -> Option<Line<'w>> {
        let hash = match line {
            Some(line) => tlog::leaf_hash(line),
            None => known.unwrap_or_default(),
        };
        self.edge.push(hash, |tile| {
            filled.push(Filled {
                level: tile.level,
                index: tile.index,
                hashes: tile.hashes.to_vec(),
            })
        });
        let Some(bytes) = line else {
            faults.at(position, "its line is missing");
            return None;
        };
        self.entries += 1;
        let line = match Line::parse(bytes) {
            Ok(line) => line,
            Err(e) => {
                faults.at(position, e);
                return None;
            }
        };
        if line.position != position {
            faults.at(
                position,
                format_args!("its line says position {}", line.position),
            );
        }
        if let Some(last) = self.last.filter(|last| line.recorded_at < *last) {
            let what = format!(
                "it says it was recorded at {}, before the entry before it, at {last}",
                line.recorded_at
            );
            faults.at(position, what);
        }
        self.last = Some(line.recorded_at);
        self.chain(position, &line, hash, faults);
        self.version(position, &line, faults);
        Some(line)
    }

    fn chain(&mut self, position: u64, line: &Line<'_>, hash: Hash, faults: &mut Faults) {
        let Some(person) = line.person else {
            if line.previous.is_some() {
                faults.at(position, "it is about nobody, but names an entry before it");
            }
            return;
        };
        let before = self.chains.get(&person).copied();
        let named = line.previous.map(|previous| Chain {
            count: previous.number,
            position: previous.position,
            hash: previous.hash,
        });
        if named != before {
            let what = match before {
                None => "it names an entry before it, but is the first about its person".to_owned(),
                Some(before) => format!(
                    "it does not name entry {} as it stands, which is the one before it about its person",
                    before.position
                ),
            };
            faults.at(position, what);
        }
        let end = Chain {
            count: before.map_or(0, |before| before.count) + 1,
            position,
            hash,
        };
        self.chains.insert(person, end);
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((position, person, before));
    }

    /// The persons' heads as they were in the first so many entries, in the map's order; nothing if that is too long ago.
    pub(super) fn heads_at(&self, size: u64) -> Option<Vec<Head>> {
        if self.recent.len() == RECENT_MAX
            && self.recent.front().is_some_and(|oldest| oldest.0 > size)
        {
            return None;
        }
        let mut before: HashMap<Alias, Option<Chain>> = HashMap::new();
        for (_, person, chain) in self
            .recent
            .iter()
            .rev()
            .take_while(|recent| recent.0 >= size)
        {
            before.insert(*person, *chain);
        }
        let mut heads: Vec<Head> = self
            .chains
            .iter()
            .filter_map(|(person, now)| {
                let chain = before.get(person).copied().unwrap_or(Some(*now))?;
                Some(Head {
                    person: *person,
                    count: chain.count,
                    position: chain.position,
                    hash: chain.hash,
                })
            })
            .collect();
        heads.sort_unstable_by_key(|head| head.person);
        Some(heads)
    }

    fn version(&mut self, position: u64, line: &Line<'_>, faults: &mut Faults) {
        let mut name = Sha256::new();
        name.update(line.kind);
        name.update(b"/");
        name.update(line.id);
        let name: Hash = name.finalize().into();
        let name: [u8; 16] = *name.first_chunk().expect("a hash has 32 bytes");
        let deleted = line.action == Action::Delete;
        let latest = Latest {
            version: line.version,
            deleted,
            position,
        };
        let before = self.versions.insert(name, latest);
        let expected = before.map_or(1, |before| before.version.saturating_add(1));
        if line.version != expected {
            let what = format!(
                "it is version {} of {}/{}, but version {expected} comes next",
                line.version, line.kind, line.id
            );
            faults.at(position, what);
        }
        let before = before.filter(|before| !before.deleted);
        let current = before.is_some();
        if current != (line.action != Action::Create) {
            let what = format!(
                "it says {} of {}/{}, which {} at that point",
                line.action.as_str(),
                line.kind,
                line.id,
                match current {
                    true => "was there",
                    false => "was not there",
                }
            );
            match before.filter(|_| line.action == Action::Create) {
                Some(before) => self.made_again.push(MadeAgain {
                    position,
                    before: before.position,
                    otherwise: what,
                }),
                None => faults.at(position, what),
            }
        }
    }
}
