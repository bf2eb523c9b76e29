//! Golden values: scores, missing answers, critical items, and every rule of change.

use super::*;

/// LOINC's check digit (modulus 10, double-add-double) over the part before the hyphen.
fn well_formed(code: &str) -> bool {
    let Some((digits, check)) = code.split_once('-') else {
        return false;
    };
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = if place % 2 == 0 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    check == ((10 - sum % 10) % 10).to_string()
}

fn codes() -> Vec<Code> {
    all()
        .iter()
        .flat_map(|i| {
            std::iter::once(i.panel)
                .chain(i.scales.iter().map(|s| s.code))
                .chain(i.items.iter().map(|x| x.code))
                .chain(i.answers.iter().map(|a| a.code))
        })
        .collect()
}

#[test]
fn every_loinc_term_passes_its_check_digit() {
    let loinc: Vec<_> = codes()
        .into_iter()
        .filter(|c| c.system == LOINC && !c.code.starts_with("LA"))
        .collect();
    assert_eq!(loinc.len(), 1 + 1 + 1 + 2 + 10);
    for code in loinc {
        assert!(well_formed(code.code), "{}", code.code);
    }
    assert!(!well_formed("69689-6"));
}

#[test]
fn no_code_stands_for_two_things() {
    let mut seen = std::collections::HashMap::new();
    for code in codes() {
        if let Some(other) = seen.insert((code.system, code.code), code.display) {
            assert_eq!(other, code.display, "{}", code.code);
        }
    }
}

#[test]
fn every_instrument_is_whole() {
    for i in all() {
        assert_eq!(i.scales[0].key, "total", "{}", i.key);
        assert!(!i.notice.is_empty() && !i.sources.is_empty() && !i.window.is_empty());
        for (place, item) in i.items.iter().enumerate() {
            assert_eq!(usize::from(item.number), place + 1, "{}", i.key);
            assert_eq!(item.link, item.number.to_string());
        }
        let highest = i.answers.iter().map(|a| u16::from(a.value)).max().unwrap();
        for scale in i.scales {
            assert_eq!(
                scale.max,
                highest * scale.items.len() as u16,
                "{}",
                scale.key
            );
            assert_eq!(
                by_score(scale.code.system, scale.code.code).unwrap().1,
                scale
            );
        }
        for rule in i.rules {
            assert!(i.scale(rule.scale).is_some(), "{}", rule.key);
            assert!(!rule.citation.full.is_empty());
            assert_eq!(i.rule(rule.key), Some(rule), "{} is not unique", rule.key);
        }
        assert_eq!(by_url(&format!("{}|{}", i.url, i.version)), Some(i));
    }
}

#[test]
fn totals_and_scales() {
    struct Row(&'static str, &'static str, &'static [(&'static str, u16)]);
    let table = [
        Row(
            "pcl-5",
            "00000000000000000000",
            &[("total", 0), ("arousal", 0)],
        ),
        Row(
            "pcl-5",
            "44444444444444444444",
            &[
                ("total", 80),
                ("intrusion", 20),
                ("avoidance", 8),
                ("mood", 28),
                ("arousal", 24),
            ],
        ),
        Row(
            "pcl-5",
            "32103214012340321034",
            &[
                ("total", 39),
                ("intrusion", 9),
                ("avoidance", 3),
                ("mood", 14),
                ("arousal", 13),
            ],
        ),
        Row("phq-9", "000000000", &[("total", 0), ("phq-2", 0)]),
        Row("phq-9", "333333333", &[("total", 27), ("phq-2", 6)]),
        Row("phq-9", "120312010", &[("total", 10), ("phq-2", 3)]),
        Row(
            "nsi",
            "4444444444444444444444",
            &[
                ("total", 88),
                ("cognitive", 16),
                ("vestibular", 12),
                ("somatosensory", 28),
                ("affective", 24),
            ],
        ),
        Row(
            "nsi",
            "0000000400040000000000",
            &[
                ("total", 8),
                ("cognitive", 0),
                ("vestibular", 0),
                ("somatosensory", 0),
                ("affective", 0),
            ],
        ),
        Row(
            "nsi",
            "1210203101021234012301",
            &[
                ("total", 30),
                ("cognitive", 10),
                ("vestibular", 4),
                ("somatosensory", 6),
                ("affective", 7),
            ],
        ),
    ];
    for Row(key, answers, expect) in table {
        let answers: Vec<_> = answers.bytes().map(|b| Some(b - b'0')).collect();
        let scores = score(by_key(key).unwrap(), &answers).unwrap();
        for &(scale, value) in expect {
            assert_eq!(scores.value(scale), Some(value), "{key} {scale}");
        }
    }
}

#[test]
fn a_missing_answer_leaves_its_scales_without_a_score() {
    let nsi = by_key("nsi").unwrap();
    let mut answers = [Some(1); 22];
    answers[13] = None;
    let scores = score(nsi, &answers).unwrap();
    assert_eq!(scores.total(), None);
    assert_eq!(scores.value("cognitive"), None);
    assert_eq!(scores.value("vestibular"), Some(3));
    assert_eq!(scores.iter().next().unwrap().missing, 1);
}

#[test]
fn answers_that_are_not_on_the_form_are_refused() {
    let phq9 = by_key("phq-9").unwrap();
    assert_eq!(
        score(phq9, &[Some(0); 8]).unwrap_err().to_string(),
        "PHQ-9 has 9 scored items; 8 answers were given"
    );
    let mut answers = [Some(0); 9];
    answers[4] = Some(4);
    assert_eq!(
        score(phq9, &answers).unwrap_err().to_string(),
        "PHQ-9 item 5 is answered from 0 to 3; 4 was given"
    );
}

#[test]
fn item_nine_is_critical_even_without_a_total() {
    let phq9 = by_key("phq-9").unwrap();
    for (ninth, expect) in [(None, 0), (Some(0), 0), (Some(1), 1), (Some(3), 1)] {
        let mut answers = [None; 9];
        answers[8] = ninth;
        assert_eq!(critical(phq9, &answers).count(), expect, "{ninth:?}");
    }
    for other in ["pcl-5", "nsi"] {
        assert!(by_key(other).unwrap().critical.is_empty());
    }
}

#[test]
fn the_difficulty_answers_count_in_the_order_of_the_form_not_of_the_codes() {
    let item = by_key("phq-9").unwrap().item_by_link("10").unwrap();
    assert!(!item.scored);
    let values = ["LA6572-7", "LA6573-5", "LA6575-0", "LA6574-3"].map(|c| item.value_of(LOINC, c));
    assert_eq!(values, [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn the_provisional_rule_wants_each_cluster() {
    let table = [
        ("20000200000000000000", Some(false)),
        ("20000220000000000000", Some(false)),
        ("20000022000000220000", Some(false)),
        ("20000202200000220000", Some(true)),
        ("11111111111111111111", Some(false)),
        ("22222222222222222222", Some(true)),
    ];
    for (answers, expect) in table {
        let answers: Vec<_> = answers.bytes().map(|b| Some(b - b'0')).collect();
        assert_eq!(provisional_ptsd(&answers), expect, "{answers:?}");
    }
    assert_eq!(provisional_ptsd(&[None; 20]), None);
    assert_eq!(provisional_ptsd(&[Some(2); 19]), None);
}

#[test]
fn phq9_bands() {
    let phq9 = by_key("phq-9").unwrap();
    let names: Vec<_> = [0, 4, 5, 9, 10, 14, 15, 19, 20, 27]
        .map(|t| phq9.band(t).unwrap().name)
        .to_vec();
    assert_eq!(
        names,
        [
            "minimal",
            "minimal",
            "mild",
            "mild",
            "moderate",
            "moderate",
            "moderately severe",
            "moderately severe",
            "severe",
            "severe",
        ]
    );
    assert!(by_key("pcl-5").unwrap().band(60).is_none());
}

#[test]
fn change_rules_say_what_they_say() {
    let table = [
        ("pcl-5", "reliable-15", 58, 49, "No reliable change (-9)"),
        ("pcl-5", "reliable-15", 58, 48, "Possible fall (-10)"),
        ("pcl-5", "reliable-15", 58, 43, "Reliable fall (-15)"),
        ("pcl-5", "reliable-15", 44, 29, "Reliable fall (-15)"),
        (
            "pcl-5",
            "reliable-15",
            44,
            28,
            "Reliable fall to 28 or less (-16)",
        ),
        ("pcl-5", "reliable-15", 38, 28, "Possible fall (-10)"),
        ("pcl-5", "reliable-15", 30, 45, "Reliable rise (+15)"),
        ("pcl-5", "reliable-15", 10, 20, "Possible rise (+10)"),
        ("pcl-5", "reliable-18", 58, 43, "No reliable change (-15)"),
        ("pcl-5", "reliable-18", 58, 40, "Reliable fall (-18)"),
        (
            "pcl-5",
            "ncptsd-legacy",
            40,
            36,
            "No clinically meaningful change (-4)",
        ),
        ("pcl-5", "ncptsd-legacy", 40, 35, "Minimal fall (-5)"),
        (
            "pcl-5",
            "ncptsd-legacy",
            40,
            30,
            "Clinically meaningful fall (-10)",
        ),
        ("pcl-5", "mid-low", 40, 32, "No important change (-8)"),
        ("pcl-5", "mid-low", 40, 31, "Important fall (-9)"),
        ("pcl-5", "mid-high", 40, 28, "No important change (-12)"),
        ("pcl-5", "mid-high", 40, 27, "Important fall (-13)"),
        ("pcl-5", "cocm-12", 40, 28, "Notable fall (-12)"),
        ("pcl-5", "cocm-12", 40, 60, "No notable change (+20)"),
        ("phq-9", "points-5", 14, 10, "No meaningful change (-4)"),
        ("phq-9", "points-5", 14, 9, "Meaningful fall (-5)"),
        ("phq-9", "points-5", 9, 14, "Meaningful rise (+5)"),
        ("phq-9", "kounali-20", 15, 12, "Important fall (-3)"),
        ("phq-9", "kounali-20", 16, 13, "No important change (-3)"),
        (
            "phq-9",
            "kounali-20",
            0,
            3,
            "20 percent of baseline does not apply (+3)",
        ),
        ("phq-9", "cocm-half", 20, 10, "Improved (-10)"),
        ("phq-9", "cocm-half", 20, 11, "Not improved (-9)"),
        ("phq-9", "cocm-half", 11, 9, "Improved (-2)"),
        (
            "phq-9",
            "hedis-remission",
            9,
            2,
            "Remission below 5 does not apply (-7)",
        ),
        ("phq-9", "hedis-remission", 10, 4, "In remission (-6)"),
        ("phq-9", "hedis-remission", 10, 5, "Not improved (-5)"),
        ("nsi", "belanger-8", 30, 37, "No reliable change (+7)"),
        ("nsi", "belanger-8", 30, 38, "Reliable rise (+8)"),
        ("nsi", "cognitive-watch-4", 5, 8, "No notable change (+3)"),
        ("nsi", "cognitive-watch-4", 5, 9, "Notable rise (+4)"),
    ];
    for (key, rule, baseline, latest, expect) in table {
        let instrument = by_key(key).unwrap();
        let rule = instrument.rule(rule).unwrap();
        let change = rule.judge(instrument.direction, baseline, latest);
        assert_eq!(change.sentence(), expect, "{key} {baseline} {latest}");
    }
}

#[test]
fn the_lines_of_a_chart() {
    let rule = by_key("pcl-5").unwrap().rules_for("total").next().unwrap();
    let lines = rule.lines(58, 80).unwrap();
    assert_eq!((lines.at_most, lines.at_least), (Some(43), Some(73)));
    let lines = rule.lines(70, 80).unwrap();
    assert_eq!((lines.at_most, lines.at_least), (Some(55), None));
    let lines = rule.lines(12, 80).unwrap();
    assert_eq!((lines.at_most, lines.at_least), (None, Some(27)));
}
