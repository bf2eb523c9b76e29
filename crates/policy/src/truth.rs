//! The whole policy, asked: every role, purpose, kind and action in every combination of facts that matters.
//!
//! The crate's test writes the answers down as a table (`tests/it/truth.txt`). [`changes`] compares two
//! policies by the same questions, so that whoever changes one sees beforehand what opens and what closes.

use crate::ask::{Consent, Facts, Request, Subject, Warrant};
use crate::policy::Policy;
use crate::words::{Action, Kind, Purpose, Role};

/// A combination of facts, with a name.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// Its name.
    pub name: &'static str,
    /// The facts.
    pub facts: Facts,
}

/// The combinations of facts that matter.
pub fn situations() -> Vec<Situation> {
    let none = Facts {
        same_programme: true,
        ..Facts::default()
    };
    let of = |name, facts| Situation { name, facts };
    let caseload = Facts {
        on_caseload: true,
        ..none
    };
    let own = Facts {
        is_self: true,
        ..none
    };
    let supervises = Facts {
        supervises: true,
        ..none
    };
    let referred = Facts {
        referred: true,
        ..none
    };
    let registered = Facts {
        registered: true,
        ..none
    };
    let of_programme = Facts {
        of_programme: true,
        ..registered
    };
    let permitted = |facts| Facts {
        consent: Consent::Permitted,
        ..facts
    };
    let refused = |facts| Facts {
        consent: Consent::Refused,
        ..facts
    };
    let untold = |facts| Facts {
        untold: true,
        ..facts
    };
    let glass = |facts| Facts {
        break_glass: true,
        ..facts
    };
    let warrant = |warrant| Facts { warrant, ..none };
    vec![
        of(
            "all but the programme",
            Facts {
                same_programme: false,
                is_self: true,
                on_caseload: true,
                on_care_team: true,
                delegated: true,
                supervises: true,
                wrote_it: true,
                newcomer: true,
                own_part: true,
                referred: true,
                consent: Consent::Permitted,
                warrant: Warrant::CourtOrder,
                break_glass: true,
                untold: false,
                registered: true,
                of_programme: true,
            },
        ),
        of("no relation", none),
        of("self", own),
        of(
            "self, own part",
            Facts {
                own_part: true,
                ..own
            },
        ),
        of("self, not told yet", untold(own)),
        of("self, refused", refused(own)),
        of("caseload", caseload),
        of("caseload, refused", refused(caseload)),
        of("caseload, consent", permitted(caseload)),
        of("caseload, not told yet", untold(caseload)),
        of(
            "care team",
            Facts {
                on_care_team: true,
                ..none
            },
        ),
        of(
            "covering",
            Facts {
                delegated: true,
                ..none
            },
        ),
        of("supervises", supervises),
        of("supervises, refused", refused(supervises)),
        of(
            "author",
            Facts {
                wrote_it: true,
                ..none
            },
        ),
        of(
            "newcomer",
            Facts {
                newcomer: true,
                ..none
            },
        ),
        of("consent", permitted(none)),
        of("refused", refused(none)),
        of("not told yet", untold(none)),
        of("glass", glass(none)),
        of("glass, caseload", glass(caseload)),
        of("glass, refused", glass(refused(none))),
        of("referred", referred),
        of("referred, consent", permitted(referred)),
        of(
            "referred, own part",
            Facts {
                own_part: true,
                ..referred
            },
        ),
        of(
            "referred, author",
            Facts {
                wrote_it: true,
                ..referred
            },
        ),
        of("warrant elsewhere", warrant(Warrant::Elsewhere)),
        of("warrant", warrant(Warrant::Covers)),
        of("court order", warrant(Warrant::CourtOrder)),
        of("warrant, refused", refused(warrant(Warrant::Covers))),
        of("registered", registered),
        of("registered, consent", permitted(registered)),
        of("registered, refused", refused(registered)),
        of("registered, of the programme", of_programme),
        of(
            "registered, of the programme, refused",
            refused(of_programme),
        ),
    ]
}

/// Labels that every comparison asks about, one at a time.
pub const LABELS: [&str; 6] = ["R", "V", "PSYTHPN", "SUD", "HIV", "NODSCLCD"];

/// A question that two policies answer differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub role: Role,
    /// In which situation.
    pub situation: &'static str,
    /// What for.
    pub purpose: Purpose,
    /// To do what.
    pub action: Action,
    /// With which kind of record.
    pub kind: Kind,
    /// Under which label, if it takes one.
    pub label: Option<String>,
    /// Whether it is allowed after; before it was the other way.
    pub allowed: bool,
}

/// What `after` answers differently from `before`, over the purposes that each role has; and how many
/// questions were asked.
pub fn changes(before: &Policy, after: &Policy) -> (Vec<Change>, u64) {
    let situations = situations();
    let mut labels: Vec<Option<String>> = vec![None];
    labels.extend(LABELS.iter().map(|label| Some((*label).to_owned())));
    for text in [before.added(), after.added()] {
        for label in labels_named(text) {
            if !labels.iter().flatten().any(|known| *known == label) {
                labels.push(Some(label));
            }
        }
    }
    let mut found = Vec::new();
    let mut asked = 0;
    for role in Role::ALL {
        for action in Action::ALL {
            for kind in Kind::ALL {
                if before.same_rules(after, *role, *action, *kind) {
                    continue;
                }
                for purpose in role.purposes() {
                    for situation in &situations {
                        let mut unlabelled = None;
                        for label in &labels {
                            let names: Vec<&str> = label.as_deref().into_iter().collect();
                            let request = Request {
                                subject: Subject {
                                    role: *role,
                                    name: "user/0",
                                },
                                purpose: *purpose,
                                action: *action,
                                kind: *kind,
                                labels: &names,
                                facts: situation.facts,
                            };
                            asked += 1;
                            let was = before.decide(&request).allowed;
                            let is = after.decide(&request).allowed;
                            if label.is_none() {
                                unlabelled = Some((was, is));
                            }
                            // What changes without a label changes with each; it is told once.
                            let told = label.is_some() && unlabelled == Some((was, is));
                            if was != is && !told {
                                found.push(Change {
                                    role: *role,
                                    situation: situation.name,
                                    purpose: *purpose,
                                    action: *action,
                                    kind: *kind,
                                    label: label.clone(),
                                    allowed: is,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    (found, asked)
}

/// Strings in a text that may be labels: what stands in parentheses or brackets, not after a type's name. One
/// too many costs only time.
fn labels_named(text: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let parts: Vec<&str> = text.split('"').collect();
    for pair in parts.windows(2).step_by(2) {
        let before = pair[0].trim_end();
        let opens = before.ends_with(['(', '[', ',']);
        let annotates = before.strip_suffix('(').is_some_and(|rest| {
            rest.rsplit(|c: char| !c.is_alphanumeric() && c != '@')
                .next()
                .is_some_and(|word| word.starts_with('@'))
        });
        if opens && !annotates && !pair[1].is_empty() {
            labels.push(pair[1].to_owned());
        }
    }
    labels.sort_unstable();
    labels.dedup();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_in_a_text_and_names_are_not() {
        let text = r#"@id("x") @because("Because, so.") forbid (principal == Role::"officer", action, resource)
            when { context.labels.contains("MST") || context.labels.containsAny(["a|b", "HIV"]) || context.actor == "user/7" };"#;
        assert_eq!(labels_named(text), ["HIV", "MST", "a|b"]);
        assert!(labels_named("").is_empty());
    }

    #[test]
    fn what_changes_is_found_in_both_directions() {
        let base = Policy::base();
        let text = r#"
            @id("closed") @because("Closed.")
            forbid (principal == Role::"prescriber", action == Action::"read", resource == Kind::"care") when { context.labels.contains("x|y") };
            @id("open") @because("Open.")
            permit (principal == Role::"officer", action == Action::"read", resource == Kind::"schedule") when { context.purpose == Purpose::"operations" };"#;
        let other = Policy::with(text).expect("a policy");
        let (found, asked) = changes(&base, &other);
        assert!(asked > 1_000, "{asked}");
        assert!(
            found
                .iter()
                .any(|change| change.allowed && change.role == Role::Officer)
        );
        assert!(
            found
                .iter()
                .any(|change| !change.allowed && change.label.as_deref() == Some("x|y"))
        );
        assert!(found.iter().all(|change| match change.allowed {
            true => change.role == Role::Officer && change.kind == Kind::Schedule,
            false => change.role == Role::Prescriber && change.label.as_deref() == Some("x|y"),
        }));
        assert_eq!(changes(&other, &base).0.len(), found.len());
        assert_eq!(changes(&base, &base), (Vec::new(), 0));
    }
}
