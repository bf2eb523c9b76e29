//! The whole policy as a table that is checked in.
//!
//! First, for each role, what may be done without any relation to a person; then what each situation adds to
//! that or takes from it; then what a label takes away. What is in no line is a no. A no that becomes a
//! yes is one line in a diff. `UPDATE_SNAPSHOTS=1 cargo test -p policy` writes the table anew.

use std::fmt::Write as _;

use policy::truth::{LABELS, situations};
use policy::{Action, Facts, Kind, Obligation, Policy, Purpose, Role};

use crate::situation::decide;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/truth.txt");

/// The situation that all others of the same programme are compared with.
const PLAIN: &str = "no relation";

struct Table {
    policy: Policy,
    asked: u64,
    lines: u64,
    text: String,
}

impl Table {
    /// The actions that are allowed, each with what it obliges to.
    fn allowed(
        &mut self,
        role: Role,
        purpose: Purpose,
        kind: Kind,
        labels: &[&str],
        facts: Facts,
    ) -> Vec<String> {
        let mut allowed = Vec::new();
        for action in Action::ALL {
            self.asked += 1;
            let verdict = decide(&self.policy, role, purpose, *action, kind, labels, facts);
            assert!(!verdict.reasons.is_empty(), "every verdict says why");
            if !verdict.allowed {
                assert!(verdict.obligations.is_empty());
                continue;
            }
            let mut word = action.as_str().to_owned();
            for obligation in &verdict.obligations {
                word.push_str(match obligation {
                    Obligation::RedisclosureNotice => " (notice)",
                    Obligation::TellPerson => " (tell)",
                    Obligation::Review => " (review)",
                });
            }
            allowed.push(word);
        }
        allowed
    }

    /// A line with what is there beyond `before` and what is not, if there is a difference.
    fn line(&mut self, head: &str, before: &[String], after: &[String]) {
        let more = after.iter().filter(|one| !before.contains(one));
        let less = before.iter().filter(|one| !after.contains(one));
        let words: Vec<String> = more
            .map(|one| format!("+{one}"))
            .chain(less.map(|one| format!("-{one}")))
            .collect();
        if !words.is_empty() {
            self.lines += 1;
            let _ = writeln!(self.text, "{head} | {}", words.join(" "));
        }
    }
}

fn table() -> String {
    let mut table = Table {
        policy: Policy::base(),
        asked: 0,
        lines: 0,
        text: String::new(),
    };
    let situations = situations();
    let plain = situations
        .iter()
        .find(|one| one.name == PLAIN)
        .expect("the plain situation")
        .facts;
    for role in Role::ALL {
        let _ = write!(table.text, "\n== {}\n", role.as_str());
        for situation in &situations {
            for purpose in role.purposes() {
                for kind in Kind::ALL {
                    let before = match situation.facts.same_programme && situation.name != PLAIN {
                        true => table.allowed(*role, *purpose, *kind, &[], plain),
                        false => Vec::new(),
                    };
                    let after = table.allowed(*role, *purpose, *kind, &[], situation.facts);
                    let (role, name) = (role.as_str(), situation.name);
                    let (purpose, kind) = (purpose.as_str(), kind.as_str());
                    let head = format!("{role} | {name} | {purpose} | {kind}");
                    table.line(&head, &before, &after);
                }
            }
        }
    }
    for label in LABELS {
        let _ = write!(
            table.text,
            "\n== label {label}, against the same without it\n"
        );
        for role in Role::ALL {
            for situation in &situations {
                for purpose in role.purposes() {
                    for kind in [Kind::Care, Kind::Restricted] {
                        let before = table.allowed(*role, *purpose, kind, &[], situation.facts);
                        let after = table.allowed(*role, *purpose, kind, &[label], situation.facts);
                        let (role, name) = (role.as_str(), situation.name);
                        let (purpose, kind) = (purpose.as_str(), kind.as_str());
                        let head = format!("{role} | {name} | {purpose} | {kind} {label}");
                        table.line(&head, &before, &after);
                    }
                }
            }
        }
    }
    let (asked, lines, text) = (table.asked, table.lines, table.text);
    format!(
        "The base policy as a truth table, written by tests/it/truth.rs: {asked} questions, {lines} lines.\n\
         role | situation | purpose | kind of record | +may be done (what must be done with it) -may not\n\
         \"{PLAIN}\" is what a role may do anyway; the other situations say what differs from it. What\n\
         is in no line is a no, and so is every purpose that is not the role's (tests/it/properties.rs).\n{text}"
    )
}

#[test]
fn the_policy_is_what_the_table_says() {
    let table = table();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(FILE, &table).expect("the table can be written");
    }
    let checked_in = std::fs::read_to_string(FILE).unwrap_or_default();
    for (line, (is, says)) in table.lines().zip(checked_in.lines()).enumerate() {
        assert_eq!(is, says, "line {} of tests/it/truth.txt", line + 1);
    }
    assert_eq!(
        table.len(),
        checked_in.len(),
        "tests/it/truth.txt has another end"
    );
}
