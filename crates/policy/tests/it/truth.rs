//! The whole policy as a table that is checked in: what is not in it is a no.
//!
//! A line is one role, situation, purpose and kind of record, with the actions that are allowed. A no that
//! becomes a yes is one line in a diff. `UPDATE_SNAPSHOTS=1 cargo test -p policy` writes it anew.

use std::fmt::Write as _;

use policy::truth::{LABELS, situations};
use policy::{Action, Kind, Obligation, Policy, Purpose, Role};

use crate::situation::decide;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/truth.txt");

/// The actions that are allowed, in words; a mark says what they oblige to.
fn allowed(
    policy: &Policy,
    role: Role,
    purpose: Purpose,
    kind: Kind,
    labels: &[&str],
    facts: policy::Facts,
    asked: &mut u64,
) -> String {
    let mut out = String::new();
    for action in Action::ALL {
        *asked += 1;
        let verdict = decide(policy, role, purpose, *action, kind, labels, facts);
        assert!(!verdict.reasons.is_empty(), "every verdict says why");
        if !verdict.allowed {
            assert!(verdict.obligations.is_empty());
            continue;
        }
        let _ = write!(out, " {}", action.as_str());
        for obligation in &verdict.obligations {
            out.push_str(match obligation {
                Obligation::RedisclosureNotice => "+notice",
                Obligation::TellPerson => "+tell",
                Obligation::Review => "+review",
            });
        }
    }
    out
}

fn table() -> String {
    let policy = Policy::base();
    let situations = situations();
    let (mut asked, mut lines) = (0, 0);
    let mut body = String::new();
    for role in Role::ALL {
        let _ = write!(body, "\n== {}\n", role.as_str());
        for situation in &situations {
            for purpose in Purpose::ALL {
                for kind in Kind::ALL {
                    let actions = allowed(
                        &policy,
                        *role,
                        *purpose,
                        *kind,
                        &[],
                        situation.facts,
                        &mut asked,
                    );
                    if !actions.is_empty() {
                        lines += 1;
                        let _ = writeln!(
                            body,
                            "{} | {} | {} | {} |{actions}",
                            role.as_str(),
                            situation.name,
                            purpose.as_str(),
                            kind.as_str(),
                        );
                    }
                }
            }
        }
    }
    body.push_str("\n== labels, on kinds that are otherwise open\n");
    for label in LABELS {
        for role in Role::ALL {
            for situation in &situations {
                for purpose in role.purposes() {
                    for kind in [Kind::Care, Kind::Restricted] {
                        let actions = allowed(
                            &policy,
                            *role,
                            *purpose,
                            kind,
                            &[label],
                            situation.facts,
                            &mut asked,
                        );
                        if !actions.is_empty() {
                            lines += 1;
                            let _ = writeln!(
                                body,
                                "{} | {} | {} | {} {label} |{actions}",
                                role.as_str(),
                                situation.name,
                                purpose.as_str(),
                                kind.as_str(),
                            );
                        }
                    }
                }
            }
        }
    }
    format!(
        "The base policy as a truth table, written by tests/it/truth.rs. {asked} questions were asked;\n\
         the {lines} lines below are all with a yes, and whatever is not in them is a no.\n\
         role | situation | purpose | kind of record | what may be done (+ what must be done with it)\n{body}"
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
