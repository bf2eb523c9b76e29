//! A person's record is erased: the steps in the server's order, each durable before the next, and what a start finds.
//!
//! | step | stopped after it |
//! |---|---|
//! | 1. that it is being carried out is recorded, with what goes | the next start destroys the keys, makes the index anew, records that it is done |
//! | 2. the index forgets | the same |
//! | 3. the keys are destroyed, and the wrapping key is changed | the same, and destroying what is destroyed does no harm |
//! | 4. the index's files are written anew | the same |
//! | 5. that it is done is recorded | nothing is left to do |
//!
//! The steps are those of `programme/erase.rs` and `programme/open.rs` in the server, which knows who may have what
//! erased; here it is done to anybody.

use ledger::erasure::{
    CARRYING_OUT, DONE, ERASURE, GOVERNANCE, KIND, PART, PERSON, STEP, key_name_text,
};
use ledger::{Action, Class, Expect, Transaction, Write};

use super::World;
use crate::clients::PERSONS;
use crate::model::{Content, Erasure};
use crate::plant::Plant;

impl World<'_> {
    /// The record of a person is erased, or their therapy notes.
    pub(super) fn erase(&mut self) -> Result<(), String> {
        let person = *self.chance.pick(&PERSONS);
        let notes = self.chance.one_in(3);
        let Some(server) = &self.server else {
            return Ok(());
        };
        if self.model.is_erased(person) || !self.model.has_key(person) {
            return Ok(());
        }
        let uses = match server.ledger.slots_of(person) {
            Ok(uses) => uses,
            Err(e) => {
                let what = format!("the keys of a person do not read: {e}");
                return self.expect_trouble(&what).map_err(|_| what);
            }
        };
        let destroyed = server.appender.keys().ledger().destroyed();
        let mut keys: Vec<_> = uses
            .iter()
            .filter(|one| !notes || one.class == Class::Notes)
            .map(|one| (one.slot, one.name))
            .filter(|(slot, _)| !destroyed.contains(slot))
            .collect();
        keys.sort_unstable();
        if keys.is_empty() {
            return Ok(());
        }
        let (slots, names) = keys.into_iter().unzip();
        let erasure = Erasure {
            task: format!("erasure{}", self.model.erasures.len()),
            person: person.to_owned(),
            slots,
            names,
            notes,
            stage: crate::model::Stage::Begun,
        };
        // A clock that is behind would refuse it.
        self.clock_us = self.clock_us.max(self.model.last());
        self.note(|| format!("an erasure of {person}, of the notes alone: {notes}"));
        if self.plant == Some(Plant::KeysBeforeRecord) {
            self.destroy(&erasure)?;
        }
        let begun = self.says(&erasure, CARRYING_OUT);
        if !self.send(&[begun])? || self.model.unfinished().is_none() {
            return Ok(());
        }
        let Some(server) = &self.server else {
            return Ok(());
        };
        self.index.forget(&self.model, &server.ledger)?;
        if !self.destroy(&erasure)? {
            return Ok(());
        }
        self.index.purge()?;
        self.done(&erasure)
    }

    /// After a start: what was interrupted is finished, and then the index knows what the model knows.
    pub(super) fn finish_erasure(&mut self) -> Result<(), String> {
        let interrupted = self.model.unfinished().cloned();
        let interrupted = match self.plant {
            Some(Plant::ErasureNotFinished) => None,
            _ => interrupted,
        };
        if let Some(erasure) = &interrupted {
            self.clock_us = self.clock_us.max(self.model.last());
            self.note(|| "  an erasure is finished that was interrupted".to_owned());
            if !self.destroy(erasure)? {
                return Ok(());
            }
            if self.plant != Some(Plant::IndexNotForgotten) {
                self.index.renew()?;
            }
        }
        self.catch_up()?;
        match &interrupted {
            Some(erasure) => self.done(erasure),
            None => Ok(()),
        }
    }

    /// The keys go. After the therapy notes alone everybody gets new ones. Gives whether the server still runs.
    fn destroy(&mut self, erasure: &Erasure) -> Result<bool, String> {
        let Some(server) = &mut self.server else {
            return Ok(false);
        };
        let chance = &mut self.chance;
        let keys = server.appender.keys().clone();
        let outcome = keys
            .destroy(&erasure.slots, &mut |bytes| chance.fill(bytes))
            .map_err(|e| e.to_string());
        let powered = self.disk.is_powered();
        if outcome.is_ok() && powered {
            self.model.destroyed(&erasure.task);
            if let Some(beside) = &mut server.beside {
                beside.recorder.forget_keys();
            }
        }
        let outcome = outcome.and_then(|()| match erasure.notes {
            true => server
                .appender
                .begin_epoch()
                .map(drop)
                .map_err(|e| e.to_string()),
            false => Ok(()),
        });
        match outcome {
            Ok(()) => Ok(self.disk.is_powered()),
            Err(what) => {
                // The server stops: the next start finishes.
                self.stopped = true;
                if self.disk.is_powered() {
                    self.expect_trouble(&format!("keys are not destroyed: {what}"))?;
                }
                Ok(false)
            }
        }
    }

    /// It is recorded that nothing is left.
    fn done(&mut self, erasure: &Erasure) -> Result<(), String> {
        let done = self.says(erasure, DONE);
        if !self.send(&[done])? {
            // Whatever became of it, the next start looks.
            self.stopped = true;
        }
        Ok(())
    }

    /// The Task that says how far an erasure is, as an auditor reads it.
    fn says(&self, erasure: &Erasure, step: &str) -> Transaction {
        let alias = self
            .server
            .as_ref()
            .map(|server| server.ledger.person(&erasure.person).to_string())
            .unwrap_or_default();
        let code = |system: &str, code: &str| {
            format!(r#"{{"coding":[{{"system":"{system}","code":"{code}"}}]}}"#)
        };
        let output = |system: &str, name: &str, number: u64| {
            let kind = code(system, name);
            format!(r#"{{"type":{kind},"valueInteger":{number}}}"#)
        };
        let gone = |content: Content| content != Content::There;
        let kinds = match step {
            CARRYING_OUT => self.model.goes(&erasure.person, erasure.notes),
            _ => Default::default(),
        };
        let entries = match step {
            CARRYING_OUT => kinds.values().sum(),
            _ => self
                .model
                .entries
                .iter()
                .filter(|known| gone(known.content))
                .count() as u64,
        };
        let mut outputs = vec![
            output(PART, "below", self.model.size()),
            output(PART, "entries", entries),
        ];
        outputs.extend(kinds.iter().map(|(kind, count)| output(KIND, kind, *count)));
        outputs.extend(
            erasure
                .slots
                .iter()
                .map(|slot| output(PART, "key", u64::from(*slot))),
        );
        outputs.extend(erasure.names.iter().map(|name| {
            let (kind, name) = (code(PART, "key-name"), key_name_text(name));
            format!(r#"{{"type":{kind},"valueString":"{name}"}}"#)
        }));
        let scope = match erasure.notes {
            true => "therapy-notes",
            false => "record",
        };
        let stored = format!(
            r#"{{"resourceType":"Task","id":"{}","identifier":[{{"system":"{PERSON}","value":"{alias}"}}],"status":"in-progress","businessStatus":{},"intent":"order","code":{},"input":[{{"type":{},"valueCode":"{scope}"}}],"output":[{}]}}"#,
            erasure.task,
            code(STEP, step),
            code(GOVERNANCE, ERASURE),
            code(PART, "scope"),
            outputs.join(",")
        )
        .into_bytes();
        Transaction {
            actor: "programme".to_owned(),
            purpose: "HOPERAT".to_owned(),
            writes: vec![Write {
                kind: "Task".to_owned(),
                id: erasure.task.clone(),
                action: Action::Update,
                expect: Expect::Any,
                person: Some(erasure.person.clone()),
                class: Class::Programme,
                packed: ledger::content::compress(&stored),
                stored,
            }],
            source: None,
        }
    }
}
