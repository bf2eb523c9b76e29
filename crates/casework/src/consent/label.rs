//! Security labels, as far as consent depends on them: confidentiality, which is a scale, and
//! sensitivity, which is a tree. HL7's v3-Confidentiality and v3-ActCode.

/// Whether a label says that what it is on is not covered by a general permission.
pub fn is_sensitive(label: &str) -> bool {
    match mark(label) {
        Some(mark) => mark > NORMAL,
        None => SENSITIVE.contains(&label),
    }
}

/// Whether a label says that 42 CFR Part 2 governs what it is on.
pub fn is_part2(label: &str) -> bool {
    PART2.contains(&label)
}

/// Whether a label that a permission names covers one that is on the information.
pub fn covers(named: &str, label: &str) -> bool {
    match (mark(named), mark(label)) {
        (Some(reach), Some(mark)) => mark <= reach,
        (None, None) => {
            named == label || is_part2(label) && PART2.contains(&named) && is_whole(named)
        }
        _ => false,
    }
}

/// Whether a label in a provision speaks of information with these labels. Information without a
/// confidentiality is normal.
pub fn reaches(named: &str, labels: &[&str], denies: bool) -> bool {
    match mark(named) {
        Some(reach) => {
            let mark = labels.iter().filter_map(|label| mark(label)).max();
            let mark = mark.unwrap_or(NORMAL);
            if denies { mark >= reach } else { mark <= reach }
        }
        None => labels.iter().any(|label| covers(named, label)),
    }
}

/// Where a confidentiality stands on its scale.
fn mark(label: &str) -> Option<u8> {
    Some(match label {
        "U" => 0,
        "L" => 1,
        "M" => 2,
        "N" => NORMAL,
        "R" => 4,
        "V" => 5,
        _ => return None,
    })
}

const NORMAL: u8 = 3;

/// `ETH` is substance abuse information, of which `SUD`, `ALC`, `ETHUD` and `OPIOIDUD` are kinds; `42CFRPart2`
/// is the law itself.
const PART2: [&str; 6] = ["ETH", "SUD", "42CFRPart2", "ALC", "ETHUD", "OPIOIDUD"];

/// Whether a label of Part 2 stands for all of it.
fn is_whole(label: &str) -> bool {
    matches!(label, "ETH" | "SUD" | "42CFRPart2")
}

/// Sensitivities that a permission must name, of v3-ActCode's information sensitivities those that
/// are about a matter.
const SENSITIVE: [&str; 25] = [
    "ETH",
    "SUD",
    "42CFRPart2",
    "ALC",
    "ETHUD",
    "OPIOIDUD",
    "PSYTHPN",
    "BH",
    "COGN",
    "DVD",
    "EMOTDIS",
    "GDIS",
    "HIV",
    "MH",
    "MST",
    "PSY",
    "SCA",
    "SDV",
    "SEX",
    "SICKLE",
    "SPI",
    "STD",
    "TBOO",
    "VIO",
    "VIP",
];
