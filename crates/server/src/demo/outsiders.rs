//! Those who sign in and do not work with people in the programme: officers and the administrator,
//! and from outside of it an inspector, an evaluator and the sponsor.

use super::chance::Chance;
use super::staff::Staff;

/// Who keeps the record in order. They care for nobody, so the record does not name them.
const OFFICERS: [(&str, &str); 3] = [
    ("Imani Sandoval", "demo-officer-1"),
    ("Henrik Lindqvist", "demo-officer-2"),
    ("Farida Rahmani", "demo-officer-3"),
];

/// Runs the machine.
const ADMINISTRATOR: (&str, &str) = ("Teodor Blum", "demo-administrator");

/// Investigates, under a warrant.
const INSPECTOR: (&str, &str, &str) = (
    "Solveig Aldana",
    "demo-inspector",
    "Office of the Inspector General",
);

/// Pays, and sees aggregates.
const SPONSOR: (&str, &str, &str) = (
    "Gwendolyn Pryce",
    "demo-sponsor",
    "Homeland Resettlement Fund",
);

/// For whom the evaluator works.
pub const BOARD: &str = "Fitness Evaluation Board";

/// The outsiders whom the record names, with ids that depend on the seed alone.
pub struct Outsiders {
    /// Judges fitness for duty; care refers people to them, so they are in the record.
    pub evaluator: Staff,
    /// Id of their role there.
    pub evaluator_role: String,
    /// Id of the organisation that they work for.
    pub board: String,
}

impl Outsiders {
    /// Those of this seed.
    pub fn new(seed: u64) -> Outsiders {
        let mut chance = Chance::new(seed, 4);
        Outsiders {
            evaluator: Staff {
                id: chance.id(),
                given: "Marcus",
                family: "Ferreira",
                prefix: "Dr.",
                role: "evaluator",
                title: "Fitness evaluator",
                number: "F-001",
                code: "demo-evaluator",
                purpose: "HOPERAT",
            },
            evaluator_role: chance.id(),
            board: chance.id(),
        }
    }
}

/// Name, role, code and organisation of everybody whom the record does not name.
pub fn unnamed() -> Vec<(
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
)> {
    let officers = OFFICERS.map(|(name, code)| (name, "officer", code, None));
    let (name, code) = ADMINISTRATOR;
    let outside = |(name, code, organisation), role| (name, role, code, Some(organisation));
    officers
        .into_iter()
        .chain([
            (name, "administrator", code, None),
            outside(INSPECTOR, "inspector"),
            outside(SPONSOR, "sponsor"),
        ])
        .collect()
}
