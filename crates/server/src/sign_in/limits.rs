//! How long a session lasts, by role: without use, and in any case.
//!
//! Who sees much of many people, or decides who may sign in, has the short ones; who sits with people
//! all day has a working day. NIST SP 800-63B (AAL2) allows an hour and a day at most.

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// How long a session lasts, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Without use.
    pub idle_us: i64,
    /// In any case.
    pub absolute_us: i64,
}

/// An enrolment lasts as long as setting up a way to sign in takes.
pub const ENROLMENT: Limits = Limits {
    idle_us: 30 * MINUTE,
    absolute_us: 30 * MINUTE,
};

/// Before a session ends by itself there is a warning, so long before.
pub const WARNING_US: i64 = 3 * MINUTE;

/// For so long after somebody has shown that it is them, they need not show it again to change what
/// they sign in with.
pub const FRESH_US: i64 = 10 * MINUTE;

/// Those of a role.
pub fn of(role: &str) -> Limits {
    let (idle, absolute) = match role {
        "caseworker" | "prescriber" | "supervisor" => (30 * MINUTE, 12 * HOUR),
        "participant" => (30 * MINUTE, 8 * HOUR),
        _ => (15 * MINUTE, 8 * HOUR),
    };
    Limits {
        idle_us: idle,
        absolute_us: absolute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_has_a_session_that_outlasts_the_standard() {
        for role in crate::sign_in::ROLES {
            let limits = of(role);
            assert!(limits.idle_us <= HOUR && limits.absolute_us <= 24 * HOUR);
            assert!(limits.idle_us > 2 * WARNING_US && limits.absolute_us > limits.idle_us);
        }
    }
}
