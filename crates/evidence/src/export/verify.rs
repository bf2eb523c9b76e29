//! What an export proves, and every way in which it can fail to.

use record::time::RecordedAt;
use tlog::checkpoint::Checkpoint;
use tlog::note::{SignedNote, VerifierKey};
use tlog::policy::Quorum;
use tlog::{Hash, leaf_hash, verify_inclusions};

use super::erased::{Erasures, Lost, Missing};
use super::signatures::Signatures;
use super::{Content, Export, Item, Problem, Section};
use crate::content;
use crate::disclosure::{Leaf, Whom};
use crate::entry::{Alias, Entry};
use crate::erasure::Act;
use crate::gone::{self, KeysGone};
use crate::heads::{self, Head, Map, verify_presence};
use crate::trust::{Trust, check_times};

const RECORD: &str = "log";
const ACCESS: &str = "access log";

/// What an export proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In plain words, a sentence each: what is now certain.
    pub proved: Vec<String>,
    /// In plain words: what must not be concluded from it.
    pub not_proved: Vec<String>,
    /// Whose export it is.
    pub person: Alias,
    /// The entries, the oldest first, each with its stored JSON unless it was erased.
    pub entries: Vec<(Entry, Option<Vec<u8>>)>,
    /// How much of the log the map covers: complete up to there.
    pub map: Map,
    /// When the map was recorded: the file is complete as of the map's size, which was counted by then.
    pub as_of: RecordedAt,
    /// The log's size and root as it signed them.
    pub checkpoint: Checkpoint,
    /// The witnesses that cosigned it, of those that the reader's policy knows.
    pub quorum: Quorum,
    /// The key that signed.
    pub key: VerifierKey,
    /// What the access log says of the person, the oldest first.
    pub disclosures: Vec<Leaf>,
}

impl Export {
    /// Verifies an export, offline.
    pub fn verify(&self, trust: &Trust<'_>) -> Result<Report, Problem> {
        let distrust = |why| Problem::Distrust { log: RECORD, why };
        let key = &self.record.key;
        let (checkpoint, quorum) = trust.open(&self.record.checkpoint, key).map_err(distrust)?;
        let entries = self.chain()?;
        let (map_entry, map) = self.map()?;
        self.head(&entries, &map)?;

        let mut leaves: Vec<(u64, Hash)> = entries.iter().map(leaf_of).collect();
        leaves.push(leaf_of(&map_entry));
        verify_inclusions(
            &leaves,
            checkpoint.size,
            &self.record.hashes,
            &checkpoint.root,
        )
        .map_err(|why| Problem::Inclusion { log: RECORD, why })?;

        let erasures = self.contents(&entries)?;
        let access = self.access.as_ref();
        let access = access
            .map(|access| self.disclosures(access, trust, &map, &erasures))
            .transpose()?;
        let times = entries.iter().chain([&map_entry]);
        let times = times.map(|entry| (entry.position, entry.recorded_at));
        let contradicted = check_times(&quorum, times).map_err(distrust)?;
        let mut report = Report {
            proved: Vec::new(),
            not_proved: Vec::new(),
            person: self.person,
            entries: entries
                .into_iter()
                .zip(&self.record.items)
                .map(|(entry, item)| (entry, stored(item).map(<[u8]>::to_vec)))
                .collect(),
            map,
            as_of: map_entry.recorded_at,
            checkpoint,
            quorum,
            key: key.clone(),
            disclosures: Vec::new(),
        };
        let signatures = Signatures::of(&report.entries, key.name())?;
        report.say(trust, &map_entry, access.as_ref(), &erasures, signatures);
        report.not_proved.extend(contradicted);
        report.disclosures = access.map(|access| access.leaves).unwrap_or_default();
        Ok(report)
    }

    /// The entries are the person's, each the one after the one before.
    fn chain(&self) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.record.items.len());
        for (item, number) in self.record.items.iter().zip(1_u64..) {
            let entry = read(item, number as usize)?;
            let position = entry.position;
            if entry.person != Some(self.person) {
                return Err(Problem::OtherPerson { position });
            }
            let before = entries.last();
            if before.is_some_and(|before| before.position >= position) {
                return Err(Problem::Order { position });
            }
            let said = entry.previous.map_or(1, |previous| previous.number + 1);
            if said > number {
                return Err(Problem::LeftOut {
                    count: said - number,
                    position,
                    number: said,
                });
            }
            if said < number {
                return Err(Problem::Order { position });
            }
            if let (Some(before), Some(previous)) = (before, entry.previous)
                && (before.position, leaf_hash(before.line.as_bytes()))
                    != (previous.position, previous.hash)
            {
                return Err(Problem::Link {
                    position: before.position,
                    next: position,
                });
            }
            entries.push(entry);
        }
        match entries.is_empty() {
            true => Err(Problem::Empty),
            false => Ok(entries),
        }
    }

    /// The entry of the map of heads, and the map.
    fn map(&self) -> Result<(Entry, Map), Problem> {
        let entry = read(&self.map, self.record.items.len() + 1)?;
        let Content::Here { salt, stored } = &self.map.content else {
            return Err(Problem::Map("its content is missing"));
        };
        // A line shows its id as an alias, because the id says something.
        if entry.kind != heads::KIND || !entry.id.starts_with('~') {
            return Err(Problem::Map("the entry is of something else"));
        }
        if content::commitment(salt, stored) != entry.commitment {
            return Err(Problem::Map("its content is not what its entry commits to"));
        }
        let map = Map::read(stored).ok_or(Problem::Map("its content is something else"))?;
        if map.size > entry.position {
            return Err(Problem::Map("it covers entries that came after it"));
        }
        Ok((entry, map))
    }

    /// The chain ends where the map says.
    fn head(&self, entries: &[Entry], map: &Map) -> Result<(), Problem> {
        let Some(last) = entries.last() else {
            return Err(Problem::Empty);
        };
        let head = Head {
            person: self.person,
            count: entries.len() as u64,
            position: last.position,
            hash: leaf_hash(last.line.as_bytes()),
        };
        let is_covered = last.position < map.size;
        match verify_presence(map, &head, &self.place) {
            Ok(()) if is_covered => Ok(()),
            _ => Err(Problem::Head {
                entries: entries.len(),
                last: last.position,
            }),
        }
    }

    /// Every content is what its line commits to; where some are gone, erasures account for just these.
    fn contents(&self, entries: &[Entry]) -> Result<Erasures, Problem> {
        let mut steps = Vec::new();
        let mut lost = Vec::new();
        let mut missing = Vec::new();
        for (entry, item) in entries.iter().zip(&self.record.items) {
            let position = entry.position;
            match &item.content {
                Content::Here { salt, stored } => {
                    if content::commitment(salt, stored) != entry.commitment {
                        return Err(Problem::Content { position });
                    }
                    check_resource(entry, stored)?;
                    let act = Act::read(stored).filter(|act| act.person == self.person);
                    steps.extend(act.map(|act| (entry, act)));
                    lost.extend(self.lost(entry, stored));
                }
                Content::Erased(sealed) => {
                    if sealed.hash() != entry.sealed {
                        return Err(Problem::Content { position });
                    }
                    missing.push(Missing { entry, sealed });
                }
                Content::Withheld => return Err(Problem::Missing { position }),
            }
        }
        let mut erasures = Erasures::read(&steps, lost)?;
        erasures.account_for(self.first_name(), &missing)?;
        Ok(erasures)
    }

    /// What a restoration says in the chain of keys that were gone.
    fn lost(&self, entry: &Entry, stored: &[u8]) -> Option<Lost> {
        let (_, log) = content::generation(self.record.key.name());
        if log < 2 || entry.actor != gone::ACTOR {
            return None;
        }
        // The restoration's own entry comes first.
        let keys = KeysGone::read(stored)
            .filter(|keys| keys.person == self.person && keys.entry < entry.position)?;
        Some(Lost {
            position: entry.position,
            recorded_at: entry.recorded_at,
            keys,
            missing: 0,
        })
    }

    /// What contents are sealed for, whatever the log is called by now.
    fn first_name(&self) -> &str {
        content::first_name(self.record.key.name())
    }

    fn disclosures(
        &self,
        access: &Section,
        trust: &Trust<'_>,
        map: &Map,
        erasures: &Erasures,
    ) -> Result<Access, Problem> {
        if let Some(named) = map.access.as_ref().filter(|named| **named != access.key) {
            return Err(Problem::OtherAccessLog {
                found: access.key.to_string(),
                named: named.to_string(),
            });
        }
        let distrust = |why| Problem::Distrust { log: ACCESS, why };
        if access.key.name() != format!("{}/access", self.record.key.name()) {
            let found = access.key.to_string();
            return Err(distrust(crate::trust::Distrust::UnknownLog { found }));
        }
        // The reader's key and the policy's logs are the record's; the witnesses may follow both.
        let (checkpoint, _) = Trust::default()
            .open(&access.checkpoint, &access.key)
            .map_err(distrust)?;
        // Below the quorum it is the log's own word alone, and the report says so.
        let quorum = SignedNote::parse(&access.checkpoint)
            .ok()
            .and_then(|note| trust.policy?.check_quorum(&note).ok())
            .unwrap_or_default();
        let first_name = format!("{}/access", self.first_name());
        let mut leaves = Vec::with_capacity(access.items.len());
        let mut told_of_several = 0;
        for (item, number) in access.items.iter().zip(1..) {
            let leaf = Leaf::parse(item.line.as_bytes()).map_err(|error| Problem::Line {
                number,
                what: error.to_string(),
            })?;
            let position = leaf.position;
            match (leaf.whom, &item.content) {
                (Whom::One(alias), _) if alias != self.person => {
                    return Err(Problem::OtherPerson { position });
                }
                (Whom::One(_), Content::Here { salt, stored }) => {
                    if content::commitment(salt, stored) != leaf.commitment {
                        return Err(Problem::Content { position });
                    }
                }
                (Whom::One(_), Content::Erased(sealed)) => {
                    if sealed.hash() != leaf.sealed {
                        return Err(Problem::Content { position });
                    }
                    if !erasures.took_disclosure(&first_name, self.person, &leaf, sealed) {
                        return Err(Problem::Missing { position });
                    }
                }
                (Whom::Many(_), Content::Withheld) => told_of_several += 1,
                _ => return Err(Problem::Missing { position }),
            }
            leaves.push(leaf);
        }
        let hashes: Vec<(u64, Hash)> = leaves
            .iter()
            .map(|leaf| (leaf.position, leaf_hash(leaf.line.as_bytes())))
            .collect();
        verify_inclusions(&hashes, checkpoint.size, &access.hashes, &checkpoint.root)
            .map_err(|why| Problem::Inclusion { log: ACCESS, why })?;
        let times = leaves.iter().map(|leaf| (leaf.position, leaf.recorded_at));
        let contradicted = check_times(&quorum, times).map_err(distrust)?;
        Ok(Access {
            leaves,
            told_of_several,
            quorum,
            contradicted,
            size: checkpoint.size,
            is_named: map.access.is_some(),
        })
    }
}

struct Access {
    leaves: Vec<Leaf>,
    told_of_several: usize,
    /// Of those that the reader's policy knows; nobody below its quorum.
    quorum: Quorum,
    contradicted: Option<String>,
    size: u64,
    /// Whether the record names its key.
    is_named: bool,
}

fn read(item: &Item, number: usize) -> Result<Entry, Problem> {
    Entry::parse(item.line.as_bytes()).map_err(|error| Problem::Line {
        number,
        what: error.to_string(),
    })
}

fn leaf_of(entry: &Entry) -> (u64, Hash) {
    (entry.position, leaf_hash(entry.line.as_bytes()))
}

fn stored(item: &Item) -> Option<&[u8]> {
    match &item.content {
        Content::Here { stored, .. } => Some(stored),
        Content::Erased(_) | Content::Withheld => None,
    }
}

/// An alias cannot be checked without the programme's key; an id that is shown as it is must be the content's.
fn check_resource(entry: &Entry, stored: &[u8]) -> Result<(), Problem> {
    let named = content::name(stored);
    let is_named = |(kind, id): (&str, &str)| {
        kind == entry.kind && (id == entry.id || entry.id.starts_with('~'))
    };
    match named {
        Some(name) if is_named(name) => Ok(()),
        named => Err(Problem::Resource {
            position: entry.position,
            content: named.map_or("nothing".to_owned(), |(kind, id)| format!("{kind}/{id}")),
            entry: format!("{}/{}", entry.kind, entry.id),
        }),
    }
}

impl Report {
    /// Puts into words what was proved, and what was not.
    fn say(
        &mut self,
        trust: &Trust<'_>,
        map_entry: &Entry,
        access: Option<&Access>,
        erasures: &Erasures,
        signatures: Signatures,
    ) {
        let origin = self.key.name();
        let erased = self.entries.iter().filter(|(_, stored)| stored.is_none());
        let (count, erased) = (self.entries.len(), erased.count());
        let whole = count - erased;
        let lost: u64 = erasures.lost.iter().map(|lost| lost.missing).sum();
        let erased = erased as u64 - lost;
        let mut proved = vec![
            format!(
                "These {count} entries are all that the log {origin} says it held about this person when it had {} \
                 entries: none is left out, added, altered or in another order.",
                self.map.size
            ),
            format!(
                "The programme recorded that number itself, as entry {} at {}, and the log had {} entries when it \
                 signed for all of them, with the key {}.",
                map_entry.position, map_entry.recorded_at, self.checkpoint.size, self.key
            ),
        ];
        if let (Some((first, _)), Some((last, _))) = (self.entries.first(), self.entries.last()) {
            proved.push(format!(
                "The first was recorded at {}, the last at {}. The contents of {whole} are here exactly as they were \
                 recorded.",
                first.recorded_at, last.recorded_at
            ));
        }
        if erased > 0 {
            proved.push(format!(
                "The contents of {erased} were erased: each lay under a key that an erasure on the record took, and they \
                 are as many of each kind as the erasures say; each was asked for, approved by two others and carried \
                 out by what the chain shows. That they existed, when, and by whom stays."
            ));
        }
        for lost in erasures.lost.iter().filter(|lost| lost.missing > 0) {
            proved.push(format!(
                "The contents of {} cannot be opened any more: entry {} says that their keys were gone when the record \
                 was restored, at {}, and each lay under one of these. That they existed, when, and by whom stays.",
                lost.missing, lost.position, lost.recorded_at
            ));
        }
        proved.extend(signatures.proved);
        proved.extend(trust.proved(&self.quorum));
        let mut not_proved = trust.not_proved(&self.quorum);
        not_proved.push(format!(
            "That nothing was recorded later: this is complete up to entry {}, and ends there.",
            self.map.size.saturating_sub(1)
        ));
        not_proved.push(
            "That the programme counted rightly: whoever mirrors the whole log can make the map of heads again and \
             compare it. A promise that you were given at intake shows an entry that was never made."
                .to_owned(),
        );
        if lost > 0 {
            not_proved.push(format!(
                "Why the keys of {lost} contents were gone when the record was restored: either they were erased by law \
                 and the entries that told of it were lost, or somebody destroyed them. Nothing here tells the one from \
                 the other. The restoration's own entry says what happened and who decided: ask the programme for it, \
                 and hold an older export or a receipt against this one."
            ));
        }
        if erasures.of_notes() {
            not_proved.push(
                "That what was sealed as a therapy note when it was recorded, and taken by an erasure of these alone, was \
                 one: nothing else is left of it."
                    .to_owned(),
            );
        }
        not_proved.extend(signatures.not_proved);
        not_proved.push(match signatures.signed {
            0 => "Who wrote the entries: the names are asserted by the server, and no key of the authors' own signed them."
                .to_owned(),
            signed => format!(
                "Who wrote the others of the {count} entries: the names are asserted by the server, and a key of a \
                 signer's own signed {signed} of them."
            ),
        });
        not_proved.push(
            "That what they say is true, or that the times are right beyond their order and the witnesses' times."
                .to_owned(),
        );
        match access {
            None => not_proved
                .push("Who was told of it: the file holds nothing of the access log.".to_owned()),
            Some(access) => {
                let whose = match access.is_named {
                    true => "The access log whose key the map of heads names",
                    false => "An access log with the key that the file names",
                };
                proved.push(format!(
                    "{whose}, which had {} leaves, holds these {} disclosures as they are here; {} of them told of \
                     several persons at once, of whom the programme says that this is one.",
                    access.size,
                    access.leaves.len(),
                    access.told_of_several
                ));
                proved.extend(trust.proved_of("the access log", &access.quorum));
                if !access.is_named {
                    not_proved.push(
                        "Whose the access log is: its key is only the file's word, because the record does not name \
                         it. Anybody could have made what is said here of disclosures."
                            .to_owned(),
                    );
                }
                if access.quorum.cosigned.is_empty() {
                    not_proved.push(
                        "That everybody is shown the same access log: your policy's witnesses have not cosigned it."
                            .to_owned(),
                    );
                }
                not_proved.extend(access.contradicted.clone());
                not_proved.push(
                    "That these are all the disclosures: the access log has no map of heads."
                        .to_owned(),
                );
            }
        }
        (self.proved, self.not_proved) = (proved, not_proved);
    }
}
