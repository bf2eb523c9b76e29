//! The PTSD Checklist for DSM-5 (PCL-5): twenty items, past month.

use crate::change::{ChangeRule, Citation, Evidence, Step, Test};
use crate::{
    Answer, Code, Cut, Direction, Instrument, Item, LOCAL_ITEM, LOCAL_SCORE, LOINC, Missing, Scale,
    TextLicence,
};

const fn answer(value: u8, code: &'static str, text: &'static str) -> Answer {
    Answer {
        value,
        text,
        code: Code {
            system: "urn:homecoming:answer:pcl-5",
            code,
            display: text,
        },
    }
}

static ANSWERS: [Answer; 5] = [
    answer(0, "0", "Not at all"),
    answer(1, "1", "A little bit"),
    answer(2, "2", "Moderately"),
    answer(3, "3", "Quite a bit"),
    answer(4, "4", "Extremely"),
];

// No LOINC codes of the single items were found; these are ours.
const fn item(number: u8, link: &'static str, code: &'static str, text: &'static str) -> Item {
    Item {
        number,
        link,
        text,
        code: Code {
            system: LOCAL_ITEM,
            code,
            display: text,
        },
        answers: &ANSWERS,
        scored: true,
    }
}

#[rustfmt::skip]
static ITEMS: [Item; 20] = [
    item(1, "1", "pcl-5-1", "Repeated, disturbing, and unwanted memories of the stressful experience?"),
    item(2, "2", "pcl-5-2", "Repeated, disturbing dreams of the stressful experience?"),
    item(3, "3", "pcl-5-3", "Suddenly feeling or acting as if the stressful experience were actually happening again (as if you were actually back there reliving it)?"),
    item(4, "4", "pcl-5-4", "Feeling very upset when something reminded you of the stressful experience?"),
    item(5, "5", "pcl-5-5", "Having strong physical reactions when something reminded you of the stressful experience (for example, heart pounding, trouble breathing, sweating)?"),
    item(6, "6", "pcl-5-6", "Avoiding memories, thoughts, or feelings related to the stressful experience?"),
    item(7, "7", "pcl-5-7", "Avoiding external reminders of the stressful experience (for example, people, places, conversations, activities, objects, or situations)?"),
    item(8, "8", "pcl-5-8", "Trouble remembering important parts of the stressful experience?"),
    item(9, "9", "pcl-5-9", "Having strong negative beliefs about yourself, other people, or the world (for example, having thoughts such as: I am bad, there is something seriously wrong with me, no one can be trusted, the world is completely dangerous)?"),
    item(10, "10", "pcl-5-10", "Blaming yourself or someone else for the stressful experience or what happened after it?"),
    item(11, "11", "pcl-5-11", "Having strong negative feelings such as fear, horror, anger, guilt, or shame?"),
    item(12, "12", "pcl-5-12", "Loss of interest in activities that you used to enjoy?"),
    item(13, "13", "pcl-5-13", "Feeling distant or cut off from other people?"),
    item(14, "14", "pcl-5-14", "Trouble experiencing positive feelings (for example, being unable to feel happiness or have loving feelings for people close to you)?"),
    item(15, "15", "pcl-5-15", "Irritable behavior, angry outbursts, or acting aggressively?"),
    item(16, "16", "pcl-5-16", "Taking too many risks or doing things that could cause you harm?"),
    item(17, "17", "pcl-5-17", "Being \"superalert\" or watchful or on guard?"),
    item(18, "18", "pcl-5-18", "Feeling jumpy or easily startled?"),
    item(19, "19", "pcl-5-19", "Having difficulty concentrating?"),
    item(20, "20", "pcl-5-20", "Trouble falling or staying asleep?"),
];

const fn scale(
    key: &'static str,
    name: &'static str,
    display: &'static str,
    code: &'static str,
    items: &'static [u8],
) -> Scale {
    Scale {
        key,
        name,
        code: Code {
            system: LOCAL_SCORE,
            code,
            display,
        },
        items,
        max: items.len() as u16 * 4,
        missing: Missing::AllRequired,
    }
}

static SCALES: [Scale; 5] = [
    Scale {
        key: "total",
        name: "PCL-5 total",
        code: Code {
            system: LOINC,
            code: "101698-9",
            display: "PCL-5 total score",
        },
        items: &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
        ],
        max: 80,
        missing: Missing::AllRequired,
    },
    scale(
        "intrusion",
        "Re-experiencing (cluster B)",
        "PCL-5 re-experiencing (cluster B)",
        "pcl-5-b",
        &[1, 2, 3, 4, 5],
    ),
    scale(
        "avoidance",
        "Avoidance (cluster C)",
        "PCL-5 avoidance (cluster C)",
        "pcl-5-c",
        &[6, 7],
    ),
    scale(
        "mood",
        "Thoughts and mood (cluster D)",
        "PCL-5 thoughts and mood (cluster D)",
        "pcl-5-d",
        &[8, 9, 10, 11, 12, 13, 14],
    ),
    scale(
        "arousal",
        "Arousal (cluster E)",
        "PCL-5 arousal (cluster E)",
        "pcl-5-e",
        &[15, 16, 17, 18, 19, 20],
    ),
];

const MARX: &str =
    "Marx et al. 2022, reliable and clinically significant change in the PCL-5 in male veterans";

static RULES: [ChangeRule; 6] = [
    ChangeRule {
        key: "reliable-15",
        name: "Reliable change, 15 points",
        scale: "total",
        test: Test::Points {
            steps: &[
                Step {
                    tenths: 100,
                    says: "possible",
                },
                Step {
                    tenths: 150,
                    says: "reliable",
                },
            ],
            recovered_at_most: Some(28),
        },
        both_ways: true,
        citation: Citation {
            short: "Marx 2022, sample 1",
            full: MARX,
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "reliable-18",
        name: "Reliable change, 18 points",
        scale: "total",
        test: Test::Points {
            steps: &[Step {
                tenths: 180,
                says: "reliable",
            }],
            recovered_at_most: Some(28),
        },
        both_ways: true,
        citation: Citation {
            short: "Marx 2022, sample 2",
            full: MARX,
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "ncptsd-legacy",
        name: "5 and 10 points",
        scale: "total",
        test: Test::Points {
            steps: &[
                Step {
                    tenths: 50,
                    says: "minimal",
                },
                Step {
                    tenths: 100,
                    says: "clinically meaningful",
                },
            ],
            recovered_at_most: None,
        },
        both_ways: true,
        citation: Citation {
            short: "National Center for PTSD, earlier guidance",
            full: "National Center for PTSD: 5 points as the least response, 10 as clinically meaningful; carried over from the PCL for DSM-IV",
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "mid-low",
        name: "Minimal important difference, low estimate",
        scale: "total",
        test: Test::Points {
            steps: &[Step {
                tenths: 85,
                says: "important",
            }],
            recovered_at_most: None,
        },
        both_ways: true,
        citation: Citation {
            short: "Blanchard 2023, 8.5",
            full: "Blanchard et al. 2023, distribution-based minimal important difference of the PCL-5 in primary care: 8.5 to 12.5",
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "mid-high",
        name: "Minimal important difference, high estimate",
        scale: "total",
        test: Test::Points {
            steps: &[Step {
                tenths: 125,
                says: "important",
            }],
            recovered_at_most: None,
        },
        both_ways: true,
        citation: Citation {
            short: "Blanchard 2023, 12.5",
            full: "Blanchard et al. 2023, distribution-based minimal important difference of the PCL-5 in primary care: 8.5 to 12.5",
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "cocm-12",
        name: "Improvement, 12 points",
        scale: "total",
        test: Test::Points {
            steps: &[Step {
                tenths: 120,
                says: "notable",
            }],
            recovered_at_most: None,
        },
        both_ways: false,
        citation: Citation {
            short: "New York CoCM 2025",
            full: "New York State Collaborative Care Medicaid Program 2025, measure of improvement",
            evidence: Evidence::Checked,
        },
    },
];

pub(crate) const PCL5: Instrument = Instrument {
    key: "pcl-5",
    name: "PCL-5",
    title: "PTSD Checklist for DSM-5",
    url: "urn:homecoming:questionnaire:pcl-5",
    version: "past-month",
    panel: Code {
        system: LOINC,
        code: "101697-1",
        display: "PTSD Checklist for DSM-5 (PCL-5)",
    },
    stem: "Below is a list of problems that people sometimes have in response to a very stressful experience. In the past month, how much were you bothered by:",
    window: "past month",
    answers: &ANSWERS,
    items: &ITEMS,
    scales: &SCALES,
    direction: Direction::HigherIsWorse,
    // There are no empirical bands: a page must not colour "mild" or "moderate".
    bands: &[],
    cuts: &[Cut {
        scale: "total",
        at_least: 33,
        says: "Probable PTSD by total score; a screening line, not a diagnosis",
        citation: Citation {
            short: "National Center for PTSD",
            full: "National Center for PTSD: a cut between 31 and 33; to be set by the programme",
            evidence: Evidence::Checked,
        },
    }],
    rules: &RULES,
    critical: &[],
    licence: TextLicence::PublicDomain,
    notice: "PTSD Checklist for DSM-5 (PCL-5): Weathers, Litz, Keane, Palmieri, Marx and Schnurr (2013), National Center for PTSD. A work of the United States Government, not copyrighted.",
    sources: &[
        "VistA Mental Health package, instrument 148",
        "CamCOPS, pcl5",
    ],
};

/// The provisional DSM-5 rule over the twenty answers: an item counts at "Moderately" and above;
/// at least one of B, one of C, two of D and two of E. `None` where an answer is missing or there
/// are not twenty. It is not a diagnosis.
pub fn provisional_ptsd(answers: &[Option<u8>]) -> Option<bool> {
    if answers.len() != ITEMS.len() {
        return None;
    }
    let answers: Vec<u8> = answers.iter().copied().collect::<Option<_>>()?;
    let counted = |scale: &Scale| {
        scale
            .items
            .iter()
            .filter(|&&number| answers[usize::from(number) - 1] >= 2)
            .count()
    };
    let needed = [1, 1, 2, 2];
    Some(SCALES[1..].iter().zip(needed).all(|(s, n)| counted(s) >= n))
}
