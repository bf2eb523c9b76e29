//! A ledger in a directory of its own, with a clock and chance that a seed replays, and a naive model beside it.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use evidence::heads::{self, Map};
use ledger::audit::{How, Report, audit};
use ledger::{
    Action, Appender, Class, CommitError, Committed, Expect, Head, Heads, Keys, Ledger, Refused,
    Transaction, Write,
};
use record::time::RecordedAt;
use tlog::note::SigningKey;

/// A directory that goes away with its value.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Dir {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("ledger-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// SplitMix64.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The heads of all resources, kept by hand.
#[derive(Clone, Default)]
pub struct Model {
    pub heads: HashMap<(String, String), Head>,
}

impl Heads for Model {
    fn head(&self, kind: &str, id: &str) -> Option<Head> {
        self.heads.get(&(kind.to_owned(), id.to_owned())).copied()
    }
}

impl Model {
    pub fn apply(&mut self, transaction: &Transaction, committed: &Committed) {
        for (write, written) in transaction.writes.iter().zip(&committed.writes) {
            let head = Head {
                number: written.number,
                version: written.version,
                position: written.position,
                deleted: write.action == Action::Delete,
            };
            self.heads
                .insert((write.kind.clone(), write.id.clone()), head);
        }
    }
}

/// 2026-01-01T00:00:00Z.
pub const START_US: i64 = 1_767_225_600_000_000;

pub struct World {
    // First, so that it is closed before the directory goes.
    pub appender: Option<Appender>,
    pub model: Model,
    pub chance: Chance,
    /// What the clock says next; it goes on by a second with each question.
    pub now_us: Cell<i64>,
    pub keys: Keys,
    pub dir: Dir,
}

impl World {
    pub fn new(seed: u64) -> World {
        let dir = Dir::new();
        let mut chance = Chance::new(seed);
        let keys = ledger::create(dir.path(), "test.example/log", None, &mut |bytes| {
            chance.fill(bytes)
        })
        .unwrap();
        let appender = Appender::open(dir.path(), keys).unwrap();
        World {
            keys: appender.keys().clone(),
            appender: Some(appender),
            model: Model::default(),
            chance,
            now_us: Cell::new(START_US),
            dir,
        }
    }

    pub fn appender(&mut self) -> &mut Appender {
        self.appender.as_mut().unwrap()
    }

    /// Records a map of the heads as they stand, which names this access log.
    pub fn record_heads(&mut self, access: Option<&SigningKey>) {
        let reader = self.reader();
        let size = reader.size().unwrap();
        let heads = reader.heads_at(size).unwrap();
        let map = Map {
            size,
            persons: heads.len() as u64,
            root: heads::root(&heads).unwrap(),
            access: access.map(|key| key.verifier().clone()),
        };
        let name = format!("{}/{}", heads::KIND, heads::ID);
        let mut draft = write(Action::Update, &name, Expect::Any, None, "");
        draft.class = Class::Programme;
        draft.stored = map.stored();
        draft.packed = ledger::content::compress(&draft.stored);
        self.accept(transaction(vec![draft]));
    }

    pub fn reader(&self) -> Ledger {
        Ledger::open(self.dir.path(), 2, self.keys.clone()).unwrap()
    }

    /// What an audit finds.
    pub fn audit(&self) -> Report {
        audit(self.dir.path(), &How::with(&self.keys), &mut |_| {}).unwrap()
    }

    pub fn reopen(&mut self) {
        self.appender = None;
        let appender = Appender::open(self.dir.path(), self.keys.clone()).unwrap();
        self.keys = appender.keys().clone();
        self.appender = Some(appender);
    }

    pub fn commit(
        &mut self,
        group: &[Transaction],
    ) -> Result<Vec<Result<Committed, Refused>>, CommitError> {
        let now_us = &self.now_us;
        let mut now = || {
            now_us.set(now_us.get() + 1_000_000);
            RecordedAt(now_us.get())
        };
        let chance = &mut self.chance;
        let appender = self.appender.as_mut().unwrap();
        let outcomes = appender.commit(
            group,
            &mut now,
            &mut |bytes| chance.fill(bytes),
            &self.model,
        )?;
        for (transaction, outcome) in group.iter().zip(&outcomes) {
            if let Ok(committed) = outcome {
                self.model.apply(transaction, committed);
            }
        }
        Ok(outcomes)
    }

    /// Commits one transaction that must be accepted.
    pub fn accept(&mut self, transaction: Transaction) -> Committed {
        self.commit(&[transaction]).unwrap().remove(0).unwrap()
    }
}

pub fn stored(kind: &str, id: &str, text: &str) -> Vec<u8> {
    format!(r#"{{"resourceType":"{kind}","id":"{id}","text":{text:?}}}"#).into_bytes()
}

pub fn write(
    action: Action,
    name: &str,
    expect: Expect,
    person: Option<&str>,
    text: &str,
) -> Write {
    let (kind, id) = name.split_once('/').unwrap();
    let stored = match action {
        Action::Delete => format!(r#"{{"resourceType":"{kind}","id":"{id}"}}"#).into_bytes(),
        _ => stored(kind, id, text),
    };
    Write {
        kind: kind.to_owned(),
        id: id.to_owned(),
        action,
        expect,
        person: person.map(str::to_owned),
        class: person.map_or(Class::Programme, |_| Class::Record),
        packed: ledger::content::compress(&stored),
        stored,
    }
}

pub fn put(name: &str, expect: Expect) -> Write {
    write(Action::Update, name, expect, None, "x")
}

pub fn delete(name: &str, expect: Expect) -> Write {
    write(Action::Delete, name, expect, None, "")
}

pub fn transaction(writes: Vec<Write>) -> Transaction {
    Transaction {
        actor: "user/dana".to_owned(),
        purpose: "treatment".to_owned(),
        writes,
        source: None,
    }
}
