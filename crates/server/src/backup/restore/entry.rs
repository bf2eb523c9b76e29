//! What the record says of its own restoration; `ledger::audit` reads it and says which parts it holds to be true.

use std::collections::BTreeMap;

use evidence::erasure::key_name_text;
use evidence::gone;
use ledger::Alias;
use ledger::audit::{Gone, restoration as part};
use ledger::generation::Begun;
use serde_json::{Value, json};

use super::known::Knowledge;
use super::losses::Losses;
use crate::backup::manifest::Manifest;

/// What is told.
pub(super) struct Told<'a> {
    pub manifest: &'a Manifest,
    pub knowledge: &'a Knowledge,
    pub losses: &'a Losses,
    pub words: Option<&'a str>,
    /// The log that begins, if anything is lost.
    pub begun: Option<&'a Begun>,
}

fn url(name: &str) -> String {
    format!("{}:{name}", part::ALL)
}

fn detail(name: &str, value: impl Into<String>) -> Value {
    json!({ "url": url(name), "valueString": value.into() })
}

impl Told<'_> {
    /// The resource, in the stored form.
    pub(super) fn stored(&self, id: &str) -> Vec<u8> {
        let code = match self.begun {
            None => "restore",
            Some(_) => part::WITH_LOSS,
        };
        let resource = json!({
            "resourceType": "Basic",
            "id": id,
            "extension": [{"url": part::ALL, "extension": self.details()}],
            "code": {
                "coding": [{"system": ledger::erasure::GOVERNANCE, "code": code}],
                "text": self.text(),
            },
        });
        resource.to_string().into_bytes()
    }

    /// What each person is told whose keys are gone, in the stored form, by alias. They are recorded with the
    /// restoration's own entry, which is the first after the backup's.
    pub(super) fn to_persons(
        &self,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<(Alias, String, Vec<u8>)> {
        let mut persons: BTreeMap<Alias, Vec<&Gone>> = BTreeMap::new();
        for gone in &self.losses.keys {
            persons.entry(gone.person).or_default().push(gone);
        }
        let entry = self.manifest.size;
        let told = persons.into_iter().map(|(person, keys)| {
            let id = new_id();
            let contents: u64 = keys.iter().map(|gone| gone.contents).sum();
            let part = |name: &str, value: String| {
                json!({ "url": format!("{}:{name}", gone::PART), "valueString": value })
            };
            let mut parts = vec![
                part("entry", entry.to_string()),
                part("contents", contents.to_string()),
            ];
            parts.extend(keys.iter().map(|gone| {
                part("key", format!("{}:{}", gone.slot, key_name_text(&gone.name)))
            }));
            let resource = json!({
                "resourceType": "Basic",
                "id": id,
                "identifier": [{ "system": ledger::erasure::PERSON, "value": person.to_string() }],
                "extension": [{ "url": gone::PART, "extension": parts }],
                "code": {
                    "coding": [{ "system": ledger::erasure::GOVERNANCE, "code": gone::KEYS_GONE }],
                    "text": format!(
                        "When the record was restored, the keys of {contents} contents about this person were gone, and \
                         nothing in the backup says why. Entry {entry} tells what happened and who decided."
                    ),
                },
            });
            (person, id, resource.to_string().into_bytes())
        });
        told.collect()
    }

    fn details(&self) -> Vec<Value> {
        let Told {
            manifest,
            knowledge,
            losses,
            ..
        } = self;
        let mut details = vec![
            detail("backup-made-at", &manifest.made_at),
            detail(part::ENTRIES, manifest.size.to_string()),
            detail(part::CHECKPOINT, &manifest.checkpoint),
            detail("witness-policy", knowledge.witnesses.sentence()),
        ];
        for not_asked in &knowledge.not_asked {
            let value = format!("{}: {}", not_asked.who, not_asked.why);
            details.push(detail("not-asked", value));
        }
        details.extend(self.words.map(|words| detail(part::WORDS, words)));
        let faults = losses.beside.list.iter();
        details.extend(faults.map(|fault| detail("fault", fault.to_string())));
        if losses.beside.count > 0 {
            details.push(detail("faults", losses.beside.count.to_string()));
        }
        let Some(begun) = self.begun else {
            return details;
        };
        for lost in &losses.entries {
            let mut told = vec![
                detail(part::LOG, &lost.log),
                detail(part::FROM, lost.from.to_string()),
                detail(part::UPTO, lost.upto.to_string()),
                detail("known-from", &lost.source),
            ];
            told.extend(lost.note.as_ref().map(|note| detail("last-signed", note)));
            details.push(json!({ "url": url(part::LOST), "extension": told }));
        }
        if !losses.keys.is_empty() {
            details.push(detail("persons-without-keys", losses.persons().to_string()));
            details.push(detail(
                "contents-without-keys",
                losses.contents().to_string(),
            ));
        }
        for gone in &losses.keys {
            details.push(detail(part::KEY_GONE, gone.slot.to_string()));
        }
        details.push(detail(part::ENDED, &begun.old_origin));
        details.push(detail(part::ENDED_KEY, begun.old_verifier.to_string()));
        details.push(detail(part::BEGAN, &begun.origin));
        details.push(detail(part::BEGAN_KEY, begun.verifier.to_string()));
        details
    }

    fn text(&self) -> String {
        let mut sentences = vec![format!(
            "Restored from a backup of {} entries.",
            self.manifest.size
        )];
        match (self.words, self.knowledge.farthest()) {
            (Some(words), _) => {
                sentences.push(match self.begun {
                    Some(_) => "Lost:".to_owned(),
                    None => "Taken over:".to_owned(),
                });
                // The faults themselves are parts of their own.
                sentences.extend(self.losses.in_short());
                sentences.push(format!("It was said: {words}"));
            }
            (None, Some(known)) => sentences.push(format!(
                "No entry is known to be lost: {} has {}.",
                known.source, known.size
            )),
            (None, None) => sentences.push(
                "Nobody outside of the backup was there to say how far the record went.".to_owned(),
            ),
        }
        for not_asked in &self.knowledge.not_asked {
            sentences.push(format!("{} was not asked.", not_asked.who));
        }
        sentences.push(self.knowledge.witnesses.sentence().to_owned());
        sentences.join(" ")
    }
}
