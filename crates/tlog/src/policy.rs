//! Trust policies (C2SP tlog-policy): which logs are known, which witnesses, and how many of them it takes.
//!
//! ```text
//! log ward.example/log+4d7b9a1c+AQ…
//! witness veterans veterans.example+0c1d…+BA… https://veterans.example/witness
//! witness university university.example+83ab…+BA…
//! witness court court.example+91f2…+Bg…
//! group outside 2 veterans university court
//! quorum outside
//! ```
//!
//! A checkpoint that is cosigned by fewer than the quorum is a [`Shortfall`]:
//! its log may show others another one.

use std::collections::HashMap;
use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::{CosignatureError, WitnessKey};
use crate::encoding::number;
use crate::note::{KeyError, NoteError, Signature, SignedNote, VerifierKey};

/// A policy longer than this is refused, in bytes.
pub const POLICY_BYTES_MAX: usize = 1 << 20;

/// The quorum that asks for no witness.
const NONE: &str = "none";

/// Which logs, which witnesses, and how many of them.
#[derive(Clone, Debug)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
}

/// A log that the policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its key, whose name is the log's origin.
    pub key: VerifierKey,
    /// Where it is served, if the policy says so; not looked into.
    pub url: Option<String>,
}

/// A witness that the policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it; other than its key's name.
    pub name: String,
    /// Its key.
    pub key: WitnessKey,
    /// Where checkpoints are submitted to it, if the policy says so: the part before `/add-checkpoint`.
    pub url: Option<String>,
}

/// So many of its members.
#[derive(Clone, Debug)]
struct Group {
    needed: usize,
    members: Vec<Member>,
}

/// What a name stands for: its place among the witnesses or the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Why a policy is refused, and at which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy {fault}")]
pub struct PolicyError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: PolicyFault,
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The policy is longer than [`POLICY_BYTES_MAX`].
    #[error("goes beyond {POLICY_BYTES_MAX} bytes")]
    TooLong,
    /// The last line has no end, so that something may be missing.
    #[error("does not end: the policy may be cut off")]
    CutOff,
    /// The line holds a control character other than a tab.
    #[error("holds a control character")]
    Control,
    /// The line is neither UTF-8 nor a comment.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// The line begins with a word that means nothing here.
    #[error("does not begin with log, witness, group or quorum")]
    Keyword,
    /// The line has too few words or too many.
    #[error("does not have the words that its first one asks for")]
    Words,
    /// The key cannot be read.
    #[error("has no proper key: {0}")]
    Key(KeyError),
    /// The same public key stands on an earlier line for a log, or for a witness, whatever its name.
    #[error("has a public key that an earlier line has already")]
    SameKey,
    /// The name is taken, or it is `none`.
    #[error("gives a name that is taken")]
    NameTaken,
    /// No line before has defined the name.
    #[error("uses the name {0}, which no line before it defines")]
    Unknown(String),
    /// A name is a member of two groups, or twice of one.
    #[error("uses the name {0}, which is a member of a group already")]
    MemberTwice(String),
    /// The number of members needed is not `all`, `any` or 1 to the number of members.
    #[error("asks for a number of members that is not all, any or from 1 to as many as there are")]
    Needed,
    /// A second quorum.
    #[error("is a second quorum")]
    SecondQuorum,
    /// No line has the quorum.
    #[error("is the last one, and none has said the quorum")]
    NoQuorum,
}

/// One witness's cosignature that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// What the policy calls the witness.
    pub witness: String,
    /// The name of its key.
    pub key: String,
    /// When it cosigned, by its own clock: seconds since 1970.
    pub time: u64,
}

/// Enough witnesses cosigned; these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quorum {
    /// All the policy's witnesses that cosigned, in the policy's order; empty only if the policy asks for none.
    pub cosigned: Vec<Cosigned>,
}

impl Quorum {
    /// The latest time at which a witness cosigned, in seconds since 1970.
    pub fn latest(&self) -> Option<u64> {
        self.cosigned.iter().map(|cosigned| cosigned.time).max()
    }
}

/// Too few witnesses cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Those who did, in the policy's order.
    pub cosigned: Vec<Cosigned>,
    /// The names of the witnesses that did not, in the policy's order.
    pub absent: Vec<String>,
    /// The quorum in words.
    pub quorum: String,
}

impl std::error::Error for Shortfall {}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.cosigned.iter().map(|c| c.witness.as_str()).collect();
        let by = match names.as_slice() {
            [] => "no witness".to_owned(),
            names => format!("only {}", names.join(", ")),
        };
        let Shortfall { quorum, absent, .. } = self;
        let absent = absent.join(", ");
        write!(
            f,
            "the checkpoint is cosigned by {by}, and the policy asks for {quorum}; missing: {absent}"
        )
    }
}

/// Why a checkpoint does not do for a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The note or the checkpoint is malformed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is of a log that the policy does not know.
    #[error("the checkpoint is of the log {origin}, which the policy does not know")]
    UnknownLog {
        /// The log that the checkpoint names.
        origin: String,
    },
    /// The log's signature is missing or bad.
    #[error(transparent)]
    Log(NoteError),
    /// A cosignature that names a witness's key is not by it.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// Too few witnesses cosigned.
    #[error(transparent)]
    Shortfall(#[from] Shortfall),
}

impl Policy {
    /// Reads a policy file; strict, and the error says which line is wrong.
    ///
    /// Names and URLs are UTF-8 here; the specification leaves other bytes possible.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            let line = text[..POLICY_BYTES_MAX].split(|b| *b == b'\n').count();
            return Err(PolicyFault::TooLong.at(line));
        }
        let mut reader = Reader::default();
        let mut line = 0;
        for bytes in text.split_inclusive(|b| *b == b'\n') {
            line += 1;
            reader.line(bytes).map_err(|fault| fault.at(line))?;
        }
        let quorum = reader.quorum.ok_or(PolicyFault::NoQuorum.at(line))?;
        Ok(Policy {
            logs: reader.logs,
            witnesses: reader.witnesses,
            groups: reader.groups,
            quorum,
        })
    }

    /// The policy that knows no log and asks for no witness: what `quorum none` alone says.
    pub fn without_witnesses() -> Self {
        Policy {
            logs: Vec::new(),
            witnesses: Vec::new(),
            groups: Vec::new(),
            quorum: None,
        }
    }

    /// The logs, in the file's order.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses, in the file's order.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether the quorum asks for any witness at all.
    pub fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// The quorum in words: `2 of (veterans, university, court)`, or `no witness`.
    pub fn quorum(&self) -> String {
        self.quorum
            .map_or_else(|| "no witness".to_owned(), |member| self.words(member))
    }

    /// Checks a signed checkpoint whole: a log of the policy signed it, and the quorum cosigned it.
    pub fn check(&self, note: &str) -> Result<(Checkpoint, Quorum), CheckError> {
        let note = SignedNote::parse(note).map_err(CheckpointError::from)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let of_log = |log: &&Log| log.key.name() == checkpoint.origin;
        let keys = self.logs.iter().filter(of_log).map(|log| log.key.clone());
        let keys: Vec<VerifierKey> = keys.collect();
        if keys.is_empty() {
            return Err(CheckError::UnknownLog {
                origin: checkpoint.origin,
            });
        }
        note.verify_any(&keys).map_err(CheckError::Log)?;
        let quorum = self.check_quorum(&note)?;
        Ok((checkpoint, quorum))
    }

    /// Checks the cosignatures alone: the log's own signature is not looked at.
    ///
    /// Every cosignature that names one of the policy's witnesses must be good,
    /// even if there are enough without it.
    pub fn check_quorum(&self, note: &SignedNote) -> Result<Quorum, CheckError> {
        let mut cosigned = Vec::new();
        let mut absent = Vec::new();
        let mut has_cosigned = vec![false; self.witnesses.len()];
        for (witness, has_cosigned) in self.witnesses.iter().zip(&mut has_cosigned) {
            match witness.key.verify(note) {
                Ok(time) => {
                    *has_cosigned = true;
                    cosigned.push(Cosigned {
                        witness: witness.name.clone(),
                        key: witness.key.name().to_owned(),
                        time,
                    });
                }
                Err(CosignatureError::NotCosigned { .. }) => absent.push(witness.name.clone()),
                Err(bad) => return Err(bad.into()),
            }
        }
        match self.quorum {
            Some(member) if !self.is_met(member, &has_cosigned) => Err(Shortfall {
                cosigned,
                absent,
                quorum: self.quorum(),
            }
            .into()),
            _ => Ok(Quorum { cosigned }),
        }
    }

    /// Whether a signature names the key of one of the witnesses.
    pub(crate) fn knows(&self, signature: &Signature) -> bool {
        let mut keys = self.witnesses.iter().map(|witness| &witness.key);
        keys.any(|key| signature.is_named(key.name(), key.id()))
    }

    /// A group's members are defined on lines before it, so this ends.
    fn is_met(&self, member: Member, has_cosigned: &[bool]) -> bool {
        match member {
            Member::Witness(at) => has_cosigned[at],
            Member::Group(at) => {
                let Group { members, needed } = &self.groups[at];
                let met = members.iter().filter(|m| self.is_met(**m, has_cosigned));
                met.count() >= *needed
            }
        }
    }

    fn words(&self, member: Member) -> String {
        match member {
            Member::Witness(at) => self.witnesses[at].name.clone(),
            Member::Group(at) => {
                let Group { members, needed } = &self.groups[at];
                let members: Vec<String> = members.iter().map(|m| self.words(*m)).collect();
                format!("{needed} of ({})", members.join(", "))
            }
        }
    }
}

impl PolicyFault {
    fn at(self, line: usize) -> PolicyError {
        PolicyError { line, fault: self }
    }
}

/// What the lines so far have said.
#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    names: HashMap<String, Member>,
    members: Vec<Member>,
    /// The outer `Some`: there was a quorum line; the inner: it asks for somebody.
    quorum: Option<Option<Member>>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), PolicyFault> {
        let line = line.strip_suffix(b"\n").ok_or(PolicyFault::CutOff)?;
        if line
            .iter()
            .any(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f)
        {
            return Err(PolicyFault::Control);
        }
        let is_space = |b: &u8| matches!(b, b' ' | b'\t');
        match line.iter().find(|b| !is_space(b)) {
            None | Some(b'#') => return Ok(()),
            Some(_) => {}
        }
        let line = str::from_utf8(line).map_err(|_| PolicyFault::NotUtf8)?;
        let words: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, needed, members @ ..] if !members.is_empty() => {
                self.group(name, needed, members)
            }
            ["quorum", name] => self.quorum(name),
            ["log" | "witness" | "group" | "quorum", ..] => Err(PolicyFault::Words),
            _ => Err(PolicyFault::Keyword),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), PolicyFault> {
        let key = VerifierKey::parse(key).map_err(PolicyFault::Key)?;
        if self.logs.iter().any(|log| log.key.bytes() == key.bytes()) {
            return Err(PolicyFault::SameKey);
        }
        let url = url.map(str::to_owned);
        self.logs.push(Log { key, url });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), PolicyFault> {
        let key = WitnessKey::parse(key).map_err(PolicyFault::Key)?;
        if self.witnesses.iter().any(|w| w.key.bytes() == key.bytes()) {
            return Err(PolicyFault::SameKey);
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness {
            name: name.to_owned(),
            key,
            url: url.map(str::to_owned),
        });
        Ok(())
    }

    fn group(&mut self, name: &str, needed: &str, names: &[&str]) -> Result<(), PolicyFault> {
        let needed = match needed {
            "any" => Some(1),
            "all" => Some(names.len()),
            k => number(k).and_then(|k| usize::try_from(k).ok()),
        };
        let needed = needed
            .filter(|needed| (1..=names.len()).contains(needed))
            .ok_or(PolicyFault::Needed)?;
        let mut members = Vec::new();
        for name in names {
            let member = self.lookup(name)?;
            if self.members.contains(&member) {
                return Err(PolicyFault::MemberTwice((*name).to_owned()));
            }
            self.members.push(member);
            members.push(member);
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { needed, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyFault> {
        if self.quorum.is_some() {
            return Err(PolicyFault::SecondQuorum);
        }
        self.quorum = Some(match name {
            NONE => None,
            name => Some(self.lookup(name)?),
        });
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), PolicyFault> {
        if name == NONE || self.names.contains_key(name) {
            return Err(PolicyFault::NameTaken);
        }
        self.names.insert(name.to_owned(), member);
        Ok(())
    }

    fn lookup(&self, name: &str) -> Result<Member, PolicyFault> {
        let unknown = || PolicyFault::Unknown(name.to_owned());
        self.names.get(name).copied().ok_or_else(unknown)
    }
}
