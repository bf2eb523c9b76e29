//! One question to a policy.

use policy::{Action, Facts, Kind, Policy, Purpose, Request, Role, Subject, Verdict};

/// Decides one question.
pub fn decide(
    policy: &Policy,
    role: Role,
    purpose: Purpose,
    action: Action,
    kind: Kind,
    labels: &[&str],
    facts: Facts,
) -> Verdict {
    policy.decide(&Request {
        subject: Subject {
            role,
            name: "user/7",
        },
        purpose,
        action,
        kind,
        labels,
        facts,
    })
}
