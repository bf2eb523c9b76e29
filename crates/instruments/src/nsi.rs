//! The Neurobehavioral Symptom Inventory (NSI): twenty-two items after a head injury.
//!
//! Its cognitive items (13 to 16: concentration, forgetfulness, decisions, slowed thinking)
//! are the trend by which this record watches for a treatment that takes memory away.

use crate::change::{ChangeRule, Citation, Evidence, Step, Test};
use crate::{
    Answer, Code, Direction, Instrument, Item, LOCAL_ITEM, LOCAL_SCORE, Missing, Scale, TextLicence,
};

const fn answer(
    value: u8,
    code: &'static str,
    display: &'static str,
    text: &'static str,
) -> Answer {
    Answer {
        value,
        text,
        code: Code {
            system: "urn:homecoming:answer:nsi",
            code,
            display,
        },
    }
}

#[rustfmt::skip]
static ANSWERS: [Answer; 5] = [
    answer(0, "0", "None", "None - rarely if ever present; not a problem at all."),
    answer(1, "1", "Mild", "Mild - occasionally present, but it does not disrupt activities; I can usually continue what I'm doing; doesn't really concern me."),
    answer(2, "2", "Moderate", "Moderate - often present, occasionally disrupts my activities; I can usually continue what I'm doing with some effort; I feel somewhat concerned."),
    answer(3, "3", "Severe", "Severe - frequently present and disrupts activities; I can only do things that are fairly simple or take little effort; I feel like I need help."),
    answer(4, "4", "Very severe", "Very severe - almost always present and I have been unable to perform at work, school or home due to this problem; I probably cannot function without help."),
];

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
static ITEMS: [Item; 22] = [
    item(1, "1", "nsi-1", "Feeling dizzy"),
    item(2, "2", "nsi-2", "Loss of balance"),
    item(3, "3", "nsi-3", "Poor coordination, clumsy"),
    item(4, "4", "nsi-4", "Headaches"),
    item(5, "5", "nsi-5", "Nausea"),
    item(6, "6", "nsi-6", "Vision problems, blurring, trouble seeing"),
    item(7, "7", "nsi-7", "Sensitivity to light"),
    item(8, "8", "nsi-8", "Hearing difficulty"),
    item(9, "9", "nsi-9", "Sensitivity to noise"),
    item(10, "10", "nsi-10", "Numbness or tingling on parts of my body"),
    item(11, "11", "nsi-11", "Change in taste and/or smell"),
    item(12, "12", "nsi-12", "Loss of appetite or increase appetite"),
    item(13, "13", "nsi-13", "Poor concentration, can't pay attention, easily distracted"),
    item(14, "14", "nsi-14", "Forgetfulness, can't remember things"),
    item(15, "15", "nsi-15", "Difficulty making decisions"),
    item(16, "16", "nsi-16", "Slowed thinking, difficulty getting organized, can't finish things"),
    item(17, "17", "nsi-17", "Fatigue, loss of energy, getting tired easily"),
    item(18, "18", "nsi-18", "Difficulty falling or staying asleep"),
    item(19, "19", "nsi-19", "Feeling anxious or tense"),
    item(20, "20", "nsi-20", "Feeling depressed or sad"),
    item(21, "21", "nsi-21", "Irritability, easily annoyed"),
    item(22, "22", "nsi-22", "Poor frustration tolerance, feeling easily overwhelmed by things"),
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

// The four factors follow Meterko 2012; the allocation of the items has not been checked
// against the paper. Items 8 and 12 belong to none of them.
static SCALES: [Scale; 5] = [
    scale(
        "total",
        "NSI total",
        "NSI total",
        "nsi-total",
        &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
        ],
    ),
    scale(
        "cognitive",
        "Memory and concentration",
        "NSI memory and concentration",
        "nsi-cognitive",
        &[13, 14, 15, 16],
    ),
    scale(
        "vestibular",
        "Balance",
        "NSI balance",
        "nsi-vestibular",
        &[1, 2, 3],
    ),
    scale(
        "somatosensory",
        "Body and senses",
        "NSI body and senses",
        "nsi-somatosensory",
        &[4, 5, 6, 7, 9, 10, 11],
    ),
    scale(
        "affective",
        "Mood, sleep and temper",
        "NSI mood, sleep and temper",
        "nsi-affective",
        &[17, 18, 19, 20, 21, 22],
    ),
];

static RULES: [ChangeRule; 2] = [
    ChangeRule {
        key: "belanger-8",
        name: "Reliable change, 8 points",
        scale: "total",
        test: Test::Points {
            steps: &[Step {
                tenths: 80,
                says: "reliable",
            }],
            recovered_at_most: None,
        },
        both_ways: true,
        citation: Citation {
            short: "Belanger 2016",
            full: "Belanger et al. 2016, reliable change of the NSI total in 215 active-duty service members: 8 points",
            evidence: Evidence::Checked,
        },
    },
    ChangeRule {
        key: "cognitive-watch-4",
        name: "Watch line, 4 points",
        scale: "cognitive",
        test: Test::Points {
            steps: &[Step {
                tenths: 40,
                says: "notable",
            }],
            recovered_at_most: None,
        },
        both_ways: true,
        citation: Citation {
            short: "Homecoming's own line",
            full: "No published reliable change was found for items 13 to 16. Four points are one grade on every item; the line asks for a look, it proves nothing",
            evidence: Evidence::Own,
        },
    },
];

pub(crate) const NSI: Instrument = Instrument {
    key: "nsi",
    name: "NSI",
    title: "Neurobehavioral Symptom Inventory",
    url: "urn:homecoming:questionnaire:nsi",
    version: "since-injury",
    panel: Code {
        system: LOCAL_ITEM,
        code: "nsi",
        display: "Neurobehavioral Symptom Inventory (NSI)",
    },
    stem: "Please rate the following symptoms with regard to how much they have disturbed you since your injury.",
    window: "since your injury",
    answers: &ANSWERS,
    items: &ITEMS,
    scales: &SCALES,
    direction: Direction::HigherIsWorse,
    bands: &[],
    // No diagnostic cut: it is not to be used to diagnose a brain injury.
    cuts: &[],
    rules: &RULES,
    critical: &[],
    licence: TextLicence::PresumedPublic,
    notice: "Neurobehavioral Symptom Inventory: Cicerone and Kalmar (1995), in the wording of the Departments of Veterans Affairs and Defense. Freely available; no explicit statement of the public domain has been found.",
    sources: &[
        "VistA Mental Health package, instrument 59",
        "NINDS Common Data Elements",
    ],
};
