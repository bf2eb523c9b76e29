//! The eight people who work in the programme.

use super::chance::Chance;

/// One of them.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Id of the Practitioner resource.
    pub id: String,
    /// Given name.
    pub given: &'static str,
    /// Family name.
    pub family: &'static str,
    /// Before the name; often nothing.
    pub prefix: &'static str,
    /// Code of the role.
    pub role: &'static str,
    /// The role in words.
    pub title: &'static str,
    /// Staff number.
    pub number: &'static str,
    /// Sign-in code.
    pub code: &'static str,
    /// Purpose under which they write.
    pub purpose: &'static str,
}

/// Prefix, given and family name, role in code and words, number, sign-in code, purpose.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const EVERYONE: [Row; 8] = [
    (
        "",
        "Marisol",
        "Quintero",
        "coordinator",
        "Intake coordinator",
        "S-001",
        "demo-coordinator",
        "HOPERAT",
    ),
    (
        "",
        "Ruth",
        "Osei",
        "caseworker",
        "Caseworker",
        "S-002",
        "demo-caseworker-1",
        "CAREMGT",
    ),
    (
        "",
        "Desmond",
        "Whitcomb",
        "caseworker",
        "Caseworker",
        "S-003",
        "demo-caseworker-2",
        "CAREMGT",
    ),
    (
        "",
        "Priya",
        "Raghunathan",
        "caseworker",
        "Caseworker",
        "S-004",
        "demo-caseworker-3",
        "CAREMGT",
    ),
    (
        "",
        "Tomasz",
        "Borkowicz",
        "caseworker",
        "Caseworker",
        "S-005",
        "demo-caseworker-4",
        "CAREMGT",
    ),
    (
        "Dr.",
        "Anneke",
        "Vossberg",
        "prescriber",
        "Prescriber",
        "S-006",
        "demo-prescriber",
        "TREAT",
    ),
    (
        "",
        "Lorraine",
        "Baptiste",
        "supervisor",
        "Supervisor",
        "S-007",
        "demo-supervisor",
        "HOPERAT",
    ),
    (
        "",
        "Kenji",
        "Arakawa",
        "vocational",
        "Vocational counselor",
        "S-008",
        "demo-vocational",
        "CAREMGT",
    ),
];

/// How many caseworkers there are.
pub const CASEWORKERS: usize = 4;

/// All of the staff, always in the same order, with ids that depend on the seed alone.
pub struct Team(Vec<Staff>);

impl Team {
    /// The team of this seed.
    pub fn new(seed: u64) -> Team {
        let mut chance = Chance::new(seed, 1);
        Team(
            EVERYONE
                .into_iter()
                .map(
                    |(prefix, given, family, role, title, number, code, purpose)| Staff {
                        id: chance.id(),
                        prefix,
                        given,
                        family,
                        role,
                        title,
                        number,
                        code,
                        purpose,
                    },
                )
                .collect(),
        )
    }

    /// Everyone.
    pub fn all(&self) -> &[Staff] {
        &self.0
    }

    /// Takes people in.
    pub fn coordinator(&self) -> &Staff {
        &self.0[0]
    }

    /// A caseworker, numbered from 0.
    pub fn caseworker(&self, number: usize) -> &Staff {
        &self.0[1 + number % CASEWORKERS]
    }

    /// Prescribes.
    pub fn prescriber(&self) -> &Staff {
        &self.0[5]
    }

    /// Looks after the caseworkers, and puts their entries right.
    pub fn supervisor(&self) -> &Staff {
        &self.0[6]
    }

    /// Helps towards work.
    pub fn vocational(&self) -> &Staff {
        &self.0[7]
    }
}

impl Staff {
    /// "Ruth Osei", "Dr. Anneke Vossberg".
    pub fn name(&self) -> String {
        let gap = if self.prefix.is_empty() { "" } else { " " };
        format!("{}{gap}{} {}", self.prefix, self.given, self.family)
    }

    /// How the log names them.
    pub fn actor(&self) -> String {
        format!("Practitioner/{}", self.id)
    }
}
