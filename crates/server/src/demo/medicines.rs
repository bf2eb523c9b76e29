//! What each person is prescribed, dose by dose.
//!
//! Registered medicines carry their RxNorm ingredient. The study medicine has a code of this
//! programme only: it is invented, as is everybody who takes it.

use super::chance::Chance;
use super::person::{FEATURED, Person, Track};
use super::resource::Medicine;

/// One medicine through its doses.
pub struct Plan {
    /// Which.
    pub medicine: Medicine,
    /// First days of the doses, and the doses in milligrams as written.
    pub doses: Vec<(i64, &'static str)>,
    /// Day of stopping.
    pub stop: Option<i64>,
    /// Days until the stop is written down.
    pub stop_delay: i64,
    /// The first dose is first written down with this one; put right some days later.
    pub wrong: Option<(&'static str, i64)>,
    /// Given by staff, at sessions.
    pub given: bool,
}

const fn medicine(
    code: &'static str,
    name: &'static str,
    form: &'static str,
    when: &'static str,
    reason: &'static str,
) -> Medicine {
    Medicine {
        code,
        name,
        reason,
        form,
        when,
    }
}

const SERTRALINE: Medicine = medicine(
    "36437",
    "Sertraline",
    "tablet",
    "in the morning",
    "Post-traumatic stress",
);
const PRAZOSIN: Medicine = medicine("8629", "Prazosin", "capsule", "at bedtime", "Nightmares");
const VENLAFAXINE: Medicine = medicine(
    "39786",
    "Venlafaxine",
    "capsule",
    "in the morning",
    "Post-traumatic stress",
);
const OTHERS: [(Medicine, &str); 5] = [
    (
        medicine("10737", "Trazodone", "tablet", "at bedtime", "Sleep"),
        "50",
    ),
    (
        medicine(
            "5553",
            "Hydroxyzine",
            "tablet",
            "when needed, at most twice a day",
            "Anxiety",
        ),
        "25",
    ),
    (
        medicine(
            "15996",
            "Mirtazapine",
            "tablet",
            "at bedtime",
            "Low mood and sleep",
        ),
        "15",
    ),
    (
        medicine("42347", "Bupropion", "tablet", "in the morning", "Low mood"),
        "150",
    ),
    (
        medicine(
            "8787",
            "Propranolol",
            "tablet",
            "twice a day",
            "Shaking and racing heart",
        ),
        "10",
    ),
];

/// The study medicine.
pub const STUDY: Medicine = medicine(
    "HT-0416",
    "HT-0416 (study medicine)",
    "capsule",
    "once a week, given at the session",
    "Study: distress after deployment",
);

/// Everything one person is prescribed. `today`: the last day.
pub fn plans(person: &Person, today: i64, chance: &mut Chance) -> Vec<Plan> {
    let last = person.leaves.unwrap_or(today);
    let week = |weeks: i64| person.enrolled + weeks * 7 + (weeks * 3 + person.place as i64) % 5;
    let mut out = Vec::new();
    let mut add = |medicine: Medicine, doses: &[(i64, &'static str)], stop: Option<i64>| {
        let doses: Vec<_> = doses
            .iter()
            .copied()
            .filter(|(day, _)| *day < last)
            .collect();
        if !doses.is_empty() {
            out.push(Plan {
                medicine,
                doses,
                stop: stop.filter(|day| *day < last),
                stop_delay: 0,
                wrong: None,
                given: false,
            });
        }
    };
    let began = chance.between(1, 4);
    let raised = began + chance.between(5, 9);
    if person.track == Track::Worsening {
        let change = began + chance.between(16, 24);
        add(
            SERTRALINE,
            &[(week(began), "50"), (week(raised), "100")],
            Some(week(change)),
        );
        add(
            VENLAFAXINE,
            &[(week(change), "37.5"), (week(change + 4), "75")],
            None,
        );
    } else if chance.percent(62) || matches!(person.place, 16 | 23) {
        let doses = [
            (week(began), "50"),
            (week(raised), "100"),
            (week(raised + 10), "150"),
        ];
        let steps = 1 + chance.below(3);
        let stop = chance.percent(15).then(|| week(raised + 30));
        add(SERTRALINE, &doses[..steps], stop);
    }
    if person.place == FEATURED || chance.percent(45) {
        let from = began + chance.between(1, 5);
        add(
            PRAZOSIN,
            &[
                (week(from), "1"),
                (week(from + 2), "2"),
                (week(from + 9), "5"),
            ],
            None,
        );
    }
    if chance.percent(30) {
        let (other, dose) = chance.pick(&OTHERS);
        let from = chance.between(4, 20);
        let stop = chance
            .percent(50)
            .then(|| week(from + chance.between(8, 20)));
        add(other, &[(week(from), dose)], stop);
    }
    if person.track == Track::Forgetting {
        let from = chance.between(10, 15);
        let stop = match person.place {
            FEATURED => Some(week(60)),
            place if place % 4 == 1 => Some(week(from + 28)),
            _ => None,
        };
        add(
            STUDY,
            &[(week(from), "1.25"), (week(from + 3), "2.50")],
            stop,
        );
    }
    for plan in &mut out {
        plan.given = plan.medicine == STUDY;
        if plan.given && plan.stop.is_some() && person.place == FEATURED {
            plan.stop_delay = 9;
        }
        plan.wrong = match (person.place, plan.medicine.name) {
            (FEATURED, "Prazosin") => Some(("10", 2)),
            (16 | 23, "Sertraline") => Some(("500", 3)),
            _ => None,
        };
    }
    out
}

/// The day on which the study medicine is begun, and the day on which it is stopped.
pub fn study(plans: &[Plan]) -> Option<(i64, Option<i64>)> {
    let plan = plans.iter().find(|p| p.given)?;
    Some((plan.doses.first()?.0, plan.stop))
}
