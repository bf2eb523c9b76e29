//! What is written when and by whom, put in order at the end.

use super::staff::Staff;
use super::{DemoTransaction, DemoWrite, Method};
use serde_json::Value;
use std::collections::HashMap;

/// The transactions, in the order in which they were thought of.
pub struct Journal {
    end: i64,
    /// When each resource was last written: a later version must not be thought of as earlier.
    last: HashMap<String, i64>,
    pending: Vec<DemoTransaction>,
}

impl Journal {
    /// An empty journal that takes nothing after `end`.
    pub fn new(end: i64) -> Journal {
        Journal {
            end,
            last: HashMap::new(),
            pending: Vec::with_capacity(16_000),
        }
    }

    /// Writes resources down at a moment. False if that moment has not come yet: then nothing is
    /// written, and the demo programme does not know of it.
    pub fn put(&mut self, at: i64, by: &Staff, resources: Vec<Value>) -> bool {
        let writes = resources.iter().map(|r| write(Method::Put, r)).collect();
        self.in_sequence(at, &resources);
        self.transaction(at, by.actor(), by.purpose, writes)
    }

    /// Writes what the person entered.
    pub fn put_by_patient(&mut self, at: i64, id: &str, resources: Vec<Value>) -> bool {
        let writes = resources.iter().map(|r| write(Method::Put, r)).collect();
        self.transaction(at, format!("Patient/{id}"), "PATRQT", writes)
    }

    /// What was written of a kind about a person before a moment: id and version of each resource, in
    /// the order of its last writing.
    pub fn written_about(&self, kind: &str, person: &str, before: i64) -> Vec<(String, u32)> {
        let (kind, person) = (
            format!("\"resourceType\":\"{kind}\""),
            format!("\"Patient/{person}\""),
        );
        let mut found: Vec<(String, u32)> = Vec::new();
        let mut transactions: Vec<&DemoTransaction> = self.pending.iter().collect();
        transactions.retain(|transaction| transaction.recorded_at < before);
        transactions.sort_by_key(|transaction| transaction.recorded_at);
        for write in transactions
            .iter()
            .flat_map(|transaction| &transaction.writes)
        {
            if write.method != Method::Put
                || !write.json.contains(&person)
                || !write.json.contains(&kind)
            {
                continue;
            }
            let Ok(resource) = serde_json::from_str::<Value>(&write.json) else {
                continue;
            };
            let id = resource["id"].as_str().unwrap_or_default().to_owned();
            let before = found.iter().position(|(known, _)| *known == id);
            let version = before.map_or(1, |at| found.remove(at).1 + 1);
            found.push((id, version));
        }
        found
    }

    /// Deletes a resource.
    pub fn delete(&mut self, at: i64, by: &Staff, resource: &Value) -> bool {
        self.transaction(
            at,
            by.actor(),
            by.purpose,
            vec![write(Method::Delete, resource)],
        )
    }

    fn in_sequence(&mut self, at: i64, resources: &[Value]) {
        if cfg!(debug_assertions) && at < self.end {
            for resource in resources {
                let id = resource["id"].as_str().unwrap_or_default().to_owned();
                let before = self.last.insert(id, at);
                debug_assert!(
                    before.is_none_or(|b| b < at),
                    "written backwards: {resource}"
                );
            }
        }
    }

    fn transaction(
        &mut self,
        at: i64,
        actor: String,
        purpose: &'static str,
        writes: Vec<DemoWrite>,
    ) -> bool {
        let in_time = at < self.end;
        if in_time {
            self.pending.push(DemoTransaction {
                recorded_at: at,
                actor,
                purpose,
                writes,
            });
        }
        in_time
    }

    /// The transactions in order of time, no two at the same microsecond.
    pub fn in_order(mut self) -> Vec<DemoTransaction> {
        self.pending.sort_by_key(|t| t.recorded_at);
        let mut last = i64::MIN;
        for transaction in &mut self.pending {
            transaction.recorded_at = transaction.recorded_at.max(last + 1);
            last = transaction.recorded_at;
        }
        self.pending
    }
}

fn write(method: Method, resource: &Value) -> DemoWrite {
    DemoWrite {
        method,
        json: resource.to_string(),
    }
}
