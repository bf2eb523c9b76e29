//! The Patient Health Questionnaire (PHQ-9): nine items and one unscored, last two weeks.

use crate::change::{ChangeRule, Citation, Evidence, Step, Test};
use crate::{
    Answer, Band, Code, Critical, Cut, Direction, Instrument, Item, LOINC, Missing, Scale,
    TextLicence,
};

const fn answer(value: u8, code: &'static str, text: &'static str) -> Answer {
    Answer {
        value,
        text,
        code: Code {
            system: LOINC,
            code,
            display: text,
        },
    }
}

static ANSWERS: [Answer; 4] = [
    answer(0, "LA6568-5", "Not at all"),
    answer(1, "LA6569-3", "Several days"),
    answer(2, "LA6570-1", "More than half the days"),
    answer(3, "LA6571-9", "Nearly every day"),
];

// The codes are not in the order of the answers: LA6575-0 comes before LA6574-3.
static DIFFICULTY: [Answer; 4] = [
    answer(0, "LA6572-7", "Not difficult at all"),
    answer(1, "LA6573-5", "Somewhat difficult"),
    answer(2, "LA6575-0", "Very difficult"),
    answer(3, "LA6574-3", "Extremely difficult"),
];

const fn item(number: u8, link: &'static str, code: &'static str, text: &'static str) -> Item {
    Item {
        number,
        link,
        text,
        code: Code {
            system: LOINC,
            code,
            display: text,
        },
        answers: &ANSWERS,
        scored: true,
    }
}

#[rustfmt::skip]
static ITEMS: [Item; 10] = [
    item(1, "1", "44250-9", "Little interest or pleasure in doing things"),
    item(2, "2", "44255-8", "Feeling down, depressed, or hopeless"),
    item(3, "3", "44259-0", "Trouble falling or staying asleep, or sleeping too much"),
    item(4, "4", "44254-1", "Feeling tired or having little energy"),
    item(5, "5", "44251-7", "Poor appetite or overeating"),
    item(6, "6", "44258-2", "Feeling bad about yourself - or that you are a failure or have let yourself or your family down"),
    item(7, "7", "44252-5", "Trouble concentrating on things, such as reading the newspaper or watching television"),
    item(8, "8", "44253-3", "Moving or speaking so slowly that other people could have noticed? Or the opposite - being so fidgety or restless that you have been moving around a lot more than usual"),
    item(9, "9", "44260-8", "Thoughts that you would be better off dead or of hurting yourself in some way"),
    Item {
        answers: &DIFFICULTY,
        scored: false,
        ..item(10, "10", "69722-7", "If you checked off any problems, how difficult have these problems made it for you to do your work, take care of things at home, or get along with other people?")
    },
];

static SCALES: [Scale; 2] = [
    Scale {
        key: "total",
        name: "PHQ-9 total",
        code: Code {
            system: LOINC,
            code: "44261-6",
            display: "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]",
        },
        items: &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        max: 27,
        missing: Missing::AllRequired,
    },
    Scale {
        key: "phq-2",
        name: "First two items (PHQ-2)",
        code: Code {
            system: LOINC,
            code: "55758-7",
            display: "Patient Health Questionnaire 2 item (PHQ-2) total score [Reported]",
        },
        items: &[1, 2],
        max: 6,
        missing: Missing::AllRequired,
    },
];

static RULES: [ChangeRule; 4] = [
    ChangeRule {
        key: "points-5",
        name: "5 points",
        scale: "total",
        test: Test::Points {
            steps: &[Step {
                tenths: 50,
                says: "meaningful",
            }],
            recovered_at_most: None,
        },
        both_ways: true,
        citation: Citation {
            short: "In common use",
            full: "5 points are commonly used; no primary source has been checked for it",
            evidence: Evidence::Unchecked,
        },
    },
    ChangeRule {
        key: "kounali-20",
        name: "20 percent of baseline",
        scale: "total",
        test: Test::Percent {
            at_least: 20,
            says: "important",
        },
        both_ways: true,
        citation: Citation {
            short: "Kounali 2022",
            full: "Kounali et al. 2022, PMC9340848: a minimal clinically important difference of about 20 percent of baseline",
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "cocm-half",
        name: "Half of baseline, or below 10",
        scale: "total",
        test: Test::HalfOrBelow { below: 10 },
        both_ways: false,
        citation: Citation {
            short: "New York CoCM 2025",
            full: "New York State Collaborative Care Medicaid Program 2025, measure of improvement",
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "hedis-remission",
        name: "Remission below 5",
        scale: "total",
        test: Test::Remission {
            baseline_above: 9,
            below: 5,
        },
        both_ways: false,
        citation: Citation {
            short: "HEDIS DRR-E",
            full: "HEDIS Depression Remission or Response (DRR-E): for a baseline above 9, remission below 5",
            evidence: Evidence::Checked,
        },
    },
];

pub(crate) const PHQ9: Instrument = Instrument {
    key: "phq-9",
    name: "PHQ-9",
    title: "Patient Health Questionnaire (PHQ-9)",
    url: "urn:homecoming:questionnaire:phq-9",
    version: "two-weeks",
    panel: Code {
        system: LOINC,
        code: "44249-1",
        display: "PHQ-9 quick depression assessment panel",
    },
    stem: "Over the last 2 weeks, how often have you been bothered by any of the following problems?",
    window: "last 2 weeks",
    answers: &ANSWERS,
    items: &ITEMS,
    scales: &SCALES,
    direction: Direction::HigherIsWorse,
    bands: &[
        Band {
            from: 0,
            name: "minimal",
        },
        Band {
            from: 5,
            name: "mild",
        },
        Band {
            from: 10,
            name: "moderate",
        },
        Band {
            from: 15,
            name: "moderately severe",
        },
        Band {
            from: 20,
            name: "severe",
        },
    ],
    cuts: &[Cut {
        scale: "total",
        at_least: 10,
        says: "Screens positive for depression; not a diagnosis",
        citation: Citation {
            short: "PHQ-9 screening line",
            full: "A total of 10 and above screens positive; below 5 is remission",
            evidence: Evidence::Checked,
        },
    }],
    rules: &RULES,
    critical: &[Critical {
        item: 9,
        at_least: 1,
        says: "Ask about suicide today: answer above \"Not at all\" to item 9, whatever the total",
    }],
    licence: TextLicence::PublicDomain,
    notice: "PHQ-9: developed by Drs Spitzer, Williams, Kroenke and colleagues. In the public domain: no permission is required to reproduce, translate, display or distribute it.",
    sources: &[
        "VistA Mental Health package, instrument 42",
        "CamCOPS, phq9",
        "LOINC panel 44249-1",
    ],
};
