//! How policies are read, added to and asked.

use super::*;
use crate::ask::Subject;

#[test]
fn the_base_policy_is_without_flaw() {
    let policy = match Policy::with("") {
        Ok(policy) => policy,
        Err(flaws) => panic!(
            "{}",
            flaws.iter().map(|f| format!("{f}\n")).collect::<String>()
        ),
    };
    assert!(policy.policies().len() > 30);
}

fn asked(
    role: Role,
    purpose: Purpose,
    action: Action,
    kind: Kind,
    facts: Facts,
) -> Request<'static> {
    Request {
        subject: Subject {
            role,
            name: "user/7",
        },
        purpose,
        action,
        kind,
        labels: &[],
        facts,
    }
}

#[test]
fn a_caseworker_reads_whom_they_care_for_and_is_told_what_it_takes_for_others() {
    let policy = Policy::base();
    let here = Facts {
        same_programme: true,
        ..Facts::default()
    };
    let mine = Facts {
        on_caseload: true,
        ..here
    };
    let read = |facts| {
        policy.decide(&asked(
            Role::Caseworker,
            Purpose::Treatment,
            Action::Read,
            Kind::Care,
            facts,
        ))
    };
    let verdict = read(mine);
    assert!(verdict.allowed, "{verdict:?}");
    assert_eq!(&*verdict.reasons[0].policy, "treating-team");
    let verdict = read(here);
    assert!(!verdict.allowed);
    assert!(
        verdict.reasons[0].sentence.contains("caseload"),
        "{verdict:?}"
    );
    let verdict = read(Facts::default());
    assert_eq!(&*verdict.reasons[0].policy, "other-programme");
}

#[test]
fn what_is_asked_fits_the_schema() {
    let policy = Policy::base();
    for role in Role::ALL {
        for purpose in Purpose::ALL {
            let request = Request {
                labels: &["R", "http://example.org|x"],
                ..asked(*role, *purpose, Action::Read, Kind::Care, Facts::default())
            };
            let context = Context::from_pairs(policy.names.context(&request)).expect("a context");
            cedar_policy::Request::new(
                policy.names.roles[*role as usize].clone(),
                policy.names.actions[Action::Read as usize].clone(),
                policy.names.kinds[Kind::Care as usize].clone(),
                context,
                Some(&policy.names.schema),
            )
            .expect("it fits the schema");
        }
    }
    Entities::from_entities(
        policy.entities.iter().cloned().collect::<Vec<_>>(),
        Some(&policy.names.schema),
    )
    .expect("entities fit the schema");
}

#[test]
fn what_is_remembered_is_what_would_be_worked_out() {
    let policies = [
        Policy::base(),
        Policy::with(
            r#"@id("not-seven") @because("On leave.") forbid (principal, action, resource) when { context.actor == "user/7" };"#,
        )
        .expect("a policy"),
    ];
    for policy in &policies {
        for situation in crate::truth::situations() {
            for role in Role::ALL {
                for (name, labels) in [
                    ("user/7", &[][..]),
                    ("user/8", &["V"][..]),
                    ("user/8", &["V", "SUD"][..]),
                    ("user/7", &["V\nSUD"][..]),
                ] {
                    let request = Request {
                        subject: Subject { role: *role, name },
                        labels,
                        ..asked(
                            *role,
                            role.usual_purpose(),
                            Action::Read,
                            Kind::Care,
                            situation.facts,
                        )
                    };
                    for _ in 0..2 {
                        assert_eq!(
                            policy.decide(&request),
                            policy.work_out(&request),
                            "{request:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_closed_policy_opens_nothing() {
    let policy = Policy::closed();
    for situation in crate::truth::situations() {
        for role in Role::ALL {
            for action in Action::ALL {
                for kind in Kind::ALL {
                    let request =
                        asked(*role, role.usual_purpose(), *action, *kind, situation.facts);
                    assert!(!policy.decide(&request).allowed, "{request:?}");
                }
            }
        }
    }
}
