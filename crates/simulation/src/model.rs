//! What must be true: the record as anybody would write it down, and what is not known yet.
//!
//! The model is told what the clients were told. It predicts what becomes of a group, to the version and the
//! microsecond; whatever was acknowledged it keeps for good. A group whose answer was lost is kept beside it until
//! the ledger is opened again, and must then be wholly there or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger::content::KeyName;
use ledger::disclosure::{Told, What};
use ledger::erasure::{Act, CARRYING_OUT, DONE};
use ledger::{Action, Alias, Class, Expect, Head, ImportMark, Transaction, Write};
use tlog::{Hash, Tree};

/// How far behind the last entry the clock may stand, as the ledger documents it.
const BEHIND_MAX_US: i64 = 300_000_000;

/// The kind and id of a resource.
pub type Name = (String, String);

/// An entry that is known to be in the ledger.
#[derive(Clone, Debug)]
pub struct Known {
    /// When, in microseconds.
    pub recorded_at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub write: Write,
    /// What the line calls it.
    pub action: Action,
    /// The version.
    pub version: u32,
    /// The first entry of its resource.
    pub number: u64,
    /// The hash of its leaf, once the line was read.
    pub leaf: Option<Hash>,
    /// Whether its content can be read.
    pub content: Content,
    /// A hash of the row and its key as they were when the content was opened and found right.
    pub opened: Option<u64>,
}

/// Whether a content can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// It must be there.
    #[default]
    There,
    /// An erasure of it has begun: it may be there or not.
    Going,
    /// It must not be there.
    Gone,
}

/// An erasure of which it is on the record that it was begun.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The Task's id.
    pub task: String,
    /// Whose record.
    pub person: String,
    /// The keys that go.
    pub slots: Vec<u32>,
    /// Their names, in the same order.
    pub names: Vec<KeyName>,
    /// Whether the therapy notes alone go.
    pub notes: bool,
    /// How far it is known to be.
    pub stage: Stage,
}

/// How far an erasure is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The step before the first key is destroyed is on the record.
    Begun,
    /// The keys are destroyed.
    Destroyed,
    /// That it is done is on the record.
    Done,
}

/// A leaf of the access log that is known to be in.
#[derive(Clone, Debug)]
pub struct KnownLeaf {
    /// When, in microseconds.
    pub recorded_at: i64,
    /// Who was told.
    pub actor: String,
    /// How.
    pub what: What,
    /// As of how many entries.
    pub size: u64,
    /// Whom it told of.
    pub persons: Vec<Alias>,
    /// What was asked and given out.
    pub told: Told,
    /// Under whose key it is sealed, if it is a person's.
    pub under: Option<String>,
    /// The hash of its leaf, once the line was read.
    pub leaf: Option<Hash>,
}

/// What a group is expected to come to.
#[derive(Clone, Debug, Default)]
pub struct Predicted {
    /// For each transaction: how many entries it makes and when, or by which name it is refused.
    pub outcomes: Vec<Result<(usize, i64), &'static str>>,
    /// The entries that it makes.
    pub entries: Vec<Known>,
    /// The parts of sources that it brings in.
    pub marks: Vec<(Vec<u8>, u64)>,
}

/// The record.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Everything that is known to be in, in order.
    pub entries: Vec<Known>,
    /// The parts of sources that are known to be in.
    pub marks: BTreeSet<(Vec<u8>, u64)>,
    /// The log's tree as far as lines were read.
    pub tree: Tree,
    /// The disclosures that are known to be recorded, in order.
    pub leaves: Vec<KnownLeaf>,
    /// The access log's tree as far as leaves were read.
    pub leaves_tree: Tree,
    /// The erasures that are on the record, in the order in which they were begun.
    pub erasures: Vec<Erasure>,
    heads: HashMap<Name, Head>,
}

impl Model {
    /// How many entries are known to be in.
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// When the last entry was recorded.
    pub fn last(&self) -> i64 {
        self.entries
            .last()
            .map_or(i64::MIN, |last| last.recorded_at)
    }

    /// When the last disclosure was recorded.
    pub fn last_leaf(&self) -> i64 {
        self.leaves.last().map_or(i64::MIN, |last| last.recorded_at)
    }

    /// The heads of all resources. One whose latest version was erased is there as deleted.
    pub fn heads(&self) -> impl Iterator<Item = (&Name, Head)> {
        self.heads
            .iter()
            .map(|(name, head)| (name, self.as_left(*head)))
    }

    fn head(&self, name: &Name) -> Option<Head> {
        self.heads.get(name).map(|head| self.as_left(*head))
    }

    fn as_left(&self, head: Head) -> Head {
        let erased = self.entries[head.position as usize].content == Content::Gone;
        Head {
            deleted: head.deleted || erased,
            ..head
        }
    }

    /// Whether somebody's record was erased: nothing can be added to it.
    pub fn is_erased(&self, person: &str) -> bool {
        let of = |erasure: &&Erasure| erasure.person == person && !erasure.notes;
        self.erasures
            .iter()
            .filter(of)
            .any(|erasure| erasure.stage >= Stage::Destroyed)
    }

    /// Whether somebody's record has a key, which seals what the access log says of them.
    pub fn has_key(&self, person: &str) -> bool {
        let of = |known: &Known| {
            known.write.person.as_deref() == Some(person) && known.write.class == Class::Record
        };
        self.entries.iter().any(of)
    }

    /// How many contents of each kind an erasure takes away, and how many entries there are then.
    pub fn goes(&self, person: &str, notes: bool) -> BTreeMap<String, u64> {
        let mut kinds = BTreeMap::new();
        for known in self
            .entries
            .iter()
            .filter(|known| goes(known, person, notes))
        {
            *kinds.entry(known.write.kind.clone()).or_default() += 1;
        }
        kinds
    }

    /// The erasure that was begun and is not done.
    pub fn unfinished(&self) -> Option<&Erasure> {
        let open = |erasure: &&Erasure| erasure.stage < Stage::Done;
        self.erasures.iter().find(open)
    }

    /// The keys of an erasure are destroyed, for good.
    pub fn destroyed(&mut self, task: &str) {
        let Some(erasure) = self.erasures.iter_mut().find(|one| one.task == task) else {
            return;
        };
        erasure.stage = erasure.stage.max(Stage::Destroyed);
        let (person, notes) = (erasure.person.clone(), erasure.notes);
        for known in &mut self.entries {
            if known.content == Content::Going && is_of(known, &person, notes) {
                known.content = Content::Gone;
            }
        }
    }

    /// What an entry says about an erasure.
    fn act(&mut self, known: &Known) {
        let Some(act) = Some(known)
            .filter(|known| known.write.kind == "Task" && known.write.class == Class::Programme)
            .and_then(|known| Act::read(&known.write.stored))
        else {
            return;
        };
        let person = known.write.person.clone().unwrap_or_default();
        let notes = act.scope != "record";
        match act.step.as_str() {
            CARRYING_OUT => {
                for known in &mut self.entries {
                    if goes(known, &person, notes) {
                        known.content = Content::Going;
                    }
                }
                let goes = act.goes.unwrap_or_default();
                self.erasures.push(Erasure {
                    task: act.id,
                    person,
                    slots: goes.slots,
                    names: goes.names,
                    notes,
                    stage: Stage::Begun,
                });
            }
            DONE => {
                self.destroyed(&act.id);
                for erasure in &mut self.erasures {
                    if erasure.task == act.id {
                        erasure.stage = Stage::Done;
                    }
                }
            }
            _ => {}
        }
    }

    /// What a group will come to if the ledger takes it now.
    pub fn predict(&self, group: &[Transaction], now: i64) -> Predicted {
        let mut predicted = Predicted::default();
        let mut heads: HashMap<Name, Head> = HashMap::new();
        let mut last = self.last();
        for transaction in group {
            let mark = |mark: &ImportMark| (mark.source.clone(), mark.part);
            if let Some(mark) = transaction.source.as_ref().map(mark)
                && (self.marks.contains(&mark) || predicted.marks.contains(&mark))
            {
                predicted.outcomes.push(Err("AlreadyImported"));
                continue;
            }
            let at = match now < last.saturating_sub(BEHIND_MAX_US) {
                true => {
                    predicted.outcomes.push(Err("ClockBehind"));
                    continue;
                }
                false => now.max(last.saturating_add(1)),
            };
            let mut after = heads.clone();
            let first = self.size() + predicted.entries.len() as u64;
            match self.transaction(transaction, &mut after, first, at) {
                Err(refused) => predicted.outcomes.push(Err(refused)),
                Ok(entries) => {
                    predicted.outcomes.push(Ok((entries.len(), at)));
                    if !entries.is_empty() {
                        last = at;
                    }
                    predicted.entries.extend(entries);
                    predicted
                        .marks
                        .extend(transaction.source.as_ref().map(mark));
                    heads = after;
                }
            }
        }
        predicted
    }

    fn transaction(
        &self,
        transaction: &Transaction,
        heads: &mut HashMap<Name, Head>,
        first: u64,
        recorded_at: i64,
    ) -> Result<Vec<Known>, &'static str> {
        let mut entries = Vec::new();
        for write in &transaction.writes {
            let name = (write.kind.clone(), write.id.clone());
            let head = heads.get(&name).copied().or_else(|| self.head(&name));
            let is_there = head.is_some_and(|head| !head.deleted);
            let version = head.map_or(0, |head| head.version);
            let gone = match head {
                None => "NotFound",
                Some(_) => "Deleted",
            };
            match write.expect {
                Expect::Absent if is_there => return Err("AlreadyExists"),
                Expect::Present if !is_there => return Err(gone),
                Expect::Version(_) if head.is_none() => return Err(gone),
                Expect::Version(expected) if expected != version => {
                    return Err(match is_there {
                        true => "VersionConflict",
                        false => gone,
                    });
                }
                _ => {}
            }
            if write.action == Action::Delete && !is_there {
                return Err(gone);
            }
            let position = first + entries.len() as u64;
            let new = Head {
                number: head.map_or(position, |head| head.number),
                version: version + 1,
                position,
                deleted: write.action == Action::Delete,
            };
            heads.insert(name, new);
            entries.push(Known {
                recorded_at,
                actor: transaction.actor.clone(),
                write: write.clone(),
                action: match (write.action, is_there) {
                    (Action::Delete, _) => Action::Delete,
                    (_, true) => Action::Update,
                    (_, false) => Action::Create,
                },
                version: new.version,
                number: new.number,
                leaf: None,
                content: Content::There,
                opened: None,
            });
        }
        let erased = |write: &Write| {
            let person = write.person.as_deref();
            write.class != Class::Programme && person.is_some_and(|person| self.is_erased(person))
        };
        match transaction.writes.iter().any(erased) {
            true => Err("Erased"),
            false => Ok(entries),
        }
    }

    /// A group is in.
    pub fn take(&mut self, predicted: Predicted) {
        for entry in predicted.entries {
            let head = Head {
                number: entry.number,
                version: entry.version,
                position: self.size(),
                deleted: entry.action == Action::Delete,
            };
            let name = (entry.write.kind.clone(), entry.write.id.clone());
            self.act(&entry);
            self.heads.insert(name, head);
            self.entries.push(entry);
        }
        self.marks.extend(predicted.marks);
    }
}

/// Whether an erasure takes an entry's content away.
fn goes(known: &Known, person: &str, notes: bool) -> bool {
    known.content == Content::There && is_of(known, person, notes)
}

fn is_of(known: &Known, person: &str, notes: bool) -> bool {
    let class = match known.write.class {
        Class::Notes => true,
        Class::Record => !notes,
        _ => false,
    };
    class && known.write.person.as_deref() == Some(person)
}
