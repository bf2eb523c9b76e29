//! What is owed to one person, worst first, and the order of a caseload.
//!
//! Nobody goes nowhere: a person in the programme has a next contact with an owner and a
//! clock, or that is the first thing said about them. A high answer to PHQ-9 item 9 comes
//! before everything else until somebody has spoken with the person. A score is only called
//! worse by a named rule.

use crate::span::{DAY, ago, length};
use instruments::{ChangeRule, Instrument, Verdict};
use std::cmp::Ordering;

/// How long a session may be without a note.
pub const NOTE_DUE: i64 = 3 * DAY;
/// How long a person may go without being reached.
pub const CONTACT_DUE: i64 = 30 * DAY;
/// How long before its time a clock is shown.
pub const CLOCK_AHEAD: i64 = 3 * DAY;
/// How long an answered item 9 stays in view after somebody has followed it up.
pub const ITEM_NINE_IN_VIEW: i64 = 30 * DAY;
/// How long a main measure may go without being asked.
pub const MEASURE_DUE: i64 = 60 * DAY;
/// How far back late notes are counted.
pub const LATE_NOTES_WINDOW: i64 = 90 * DAY;

/// What is known of one person at one moment.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// The moment that is judged from.
    pub now: i64,
    /// Whether the person is in the programme at that moment. For others only item 9 is judged.
    pub in_programme: bool,
    /// The next contact: the earliest one that is booked and has no outcome. May lie in the past.
    pub next_contact: Option<i64>,
    /// When the person was last reached (attended, not missed).
    pub last_contact: Option<i64>,
    /// When the person came into the programme.
    pub enrolled: Option<i64>,
    /// Contacts missed since the person was last reached.
    pub missed_since: u32,
    /// Things we owe, not yet done.
    pub clocks: Vec<Clock<'a>>,
    /// Baselines and latest scores.
    pub measures: Vec<Measure>,
    /// The latest answer to PHQ-9 item 9.
    pub item_nine: Option<ItemNine>,
    /// Sessions that were attended, in any order.
    pub sessions: Vec<Session<'a>>,
}

/// Something owed by us.
#[derive(Debug, Clone, Copy)]
pub struct Clock<'a> {
    /// "Housing letter".
    pub what: &'a str,
    /// Who owes it; nobody is a finding of its own.
    pub owner: Option<&'a str>,
    /// When it is due; no time is a finding of its own.
    pub due: Option<i64>,
}

/// One scale, then and now.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// The instrument.
    pub instrument: &'static Instrument,
    /// The rule that judges; it names the scale.
    pub rule: &'static ChangeRule,
    /// First score.
    pub baseline: u16,
    /// Latest score.
    pub latest: u16,
    /// When the latest was asked.
    pub latest_at: i64,
    /// How many there are.
    pub count: u32,
}

/// An answer to PHQ-9 item 9.
#[derive(Debug, Clone, Copy)]
pub struct ItemNine {
    /// 0 to 3.
    pub value: u8,
    /// When it was answered.
    pub at: i64,
    /// When somebody next spoke with the person about it, or reached them at all.
    pub followed_up: Option<i64>,
}

/// A session that took place.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// "Session 14".
    pub what: &'a str,
    /// When it ended.
    pub ended: i64,
    /// Its note.
    pub note: Note,
}

/// The state of a session's note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// There is none.
    Missing,
    /// Begun and not signed.
    Draft,
    /// Signed; first recorded then.
    Kept {
        /// When it was first recorded.
        recorded_at: i64,
    },
}

/// How soon something is needed. Greater is sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// To be known; nothing is owed.
    Note,
    /// To be watched or soon due.
    Watch,
    /// Overdue: somebody owes something.
    Overdue,
    /// Today, before anything else.
    Urgent,
}

/// Which rule found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// PHQ-9 item 9 above zero.
    ItemNine,
    /// Nobody has reached the person for too long and nothing is planned.
    LostContact,
    /// No next contact.
    NoNextContact,
    /// A contact's time has passed and nobody said what came of it.
    ContactWithoutOutcome,
    /// Missed twice or more since last reached.
    MissedInARow,
    /// Not reached for long, though something is planned.
    LongSilence,
    /// A clock has run out.
    ClockOverdue,
    /// A clock has no time or no owner.
    ClockWithoutOwner,
    /// A clock is about to run out.
    ClockSoon,
    /// A session has no signed note.
    NoteOwed,
    /// A scale got worse.
    ScoreWorse,
    /// A measure has not been asked for long.
    MeasureDue,
    /// Notes were written late.
    NotesLate,
}

/// One thing that is so, and what it asks of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How soon.
    pub severity: Severity,
    /// Which rule.
    pub rule: Rule,
    /// What is so: a sentence without a full stop.
    pub sentence: String,
    /// What is owed, as an instruction; nothing for what is only to be known.
    pub owed: Option<String>,
    /// Since when it has been so, or when it will be.
    pub since: i64,
}

/// Everything that is to be said about one person, worst first; within one severity the oldest first.
pub fn attention(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    item_nine(facts, &mut found);
    if facts.in_programme {
        contact(facts, &mut found);
        clocks(facts, &mut found);
        notes(facts, &mut found);
        scores(facts, &mut found);
    }
    found.sort_by(|a, b| {
        (b.severity.cmp(&a.severity))
            .then(a.since.cmp(&b.since))
            .then(a.rule.cmp(&b.rule))
            .then_with(|| a.sentence.cmp(&b.sentence))
    });
    found
}

fn item_nine(facts: &Facts, found: &mut Vec<Finding>) {
    let Some(answer) = facts.item_nine.filter(|a| a.value > 0) else {
        return;
    };
    let said = instruments::by_key("phq-9")
        .and_then(|i| i.answers.iter().find(|a| a.value == answer.value))
        .map_or("above zero", |a| a.text);
    let when = ago(answer.at, facts.now);
    match answer.followed_up {
        None => found.push(Finding {
            severity: Severity::Urgent,
            rule: Rule::ItemNine,
            sentence: format!(
                "PHQ-9 item 9 answered \u{201c}{said}\u{201d} {when}; nobody has spoken with them since"
            ),
            owed: Some("Speak with the person today and review the safety plan".into()),
            since: answer.at,
        }),
        Some(at) if facts.now - answer.at < ITEM_NINE_IN_VIEW => found.push(Finding {
            severity: Severity::Watch,
            rule: Rule::ItemNine,
            sentence: format!(
                "PHQ-9 item 9 answered \u{201c}{said}\u{201d} {when}; followed up {}",
                ago(at, facts.now)
            ),
            owed: None,
            since: answer.at,
        }),
        Some(_) => {}
    }
}

fn contact(facts: &Facts, found: &mut Vec<Finding>) {
    let now = facts.now;
    let silent_since = facts.last_contact.or(facts.enrolled);
    let silence = silent_since.map_or(0, |at| now - at);
    match facts.next_contact {
        None if silence > CONTACT_DUE => found.push(Finding {
            severity: Severity::Urgent,
            rule: Rule::LostContact,
            sentence: format!("Not reached for {} and no next contact", length(silence)),
            owed: Some("Start an outreach and set the next contact".into()),
            since: silent_since.unwrap_or(now),
        }),
        None => found.push(Finding {
            severity: Severity::Overdue,
            rule: Rule::NoNextContact,
            sentence: "No next contact".into(),
            owed: Some("Set the next contact".into()),
            since: silent_since.unwrap_or(now),
        }),
        Some(at) if at < now => found.push(Finding {
            severity: Severity::Overdue,
            rule: Rule::ContactWithoutOutcome,
            sentence: match ago(at, now).as_str() {
                "today" => "Contact was due earlier today and has no outcome".into(),
                when => format!("Contact was due {when} and has no outcome"),
            },
            owed: Some("Record what came of it and set the next contact".into()),
            since: at,
        }),
        Some(_) if silence > CONTACT_DUE => found.push(Finding {
            severity: Severity::Watch,
            rule: Rule::LongSilence,
            sentence: format!("Not reached for {}", length(silence)),
            owed: None,
            since: silent_since.unwrap_or(now),
        }),
        Some(_) => {}
    }
    if facts.missed_since >= 2 {
        found.push(Finding {
            severity: Severity::Overdue,
            rule: Rule::MissedInARow,
            sentence: format!("Missed the last {} contacts", facts.missed_since),
            owed: Some("Reach out another way".into()),
            since: silent_since.unwrap_or(now),
        });
    }
}

fn clocks(facts: &Facts, found: &mut Vec<Finding>) {
    for clock in &facts.clocks {
        let what = clock.what;
        match (clock.due, clock.owner) {
            (Some(due), _) if due <= facts.now => found.push(Finding {
                severity: Severity::Overdue,
                rule: Rule::ClockOverdue,
                sentence: match length(facts.now - due).as_str() {
                    late if facts.now - due >= DAY => format!("{what}: {late} overdue"),
                    _ => format!("{what}: due today"),
                },
                owed: Some(match clock.owner {
                    Some(owner) => format!("{what} ({owner})"),
                    None => format!("{what} (nobody owns it)"),
                }),
                since: due,
            }),
            (due, owner) if due.is_none() || owner.is_none() => found.push(Finding {
                severity: Severity::Overdue,
                rule: Rule::ClockWithoutOwner,
                sentence: format!(
                    "{what}: {}",
                    match (due, owner) {
                        (None, None) => "no owner and no due date",
                        (None, _) => "no due date",
                        _ => "no owner",
                    }
                ),
                owed: Some(format!("Give it an owner and a date: {what}")),
                since: due.unwrap_or(facts.now),
            }),
            (Some(due), _) if due - facts.now <= CLOCK_AHEAD => found.push(Finding {
                severity: Severity::Watch,
                rule: Rule::ClockSoon,
                sentence: format!("{what}: due in {}", length(due - facts.now)),
                owed: Some(what.into()),
                since: due,
            }),
            _ => {}
        }
    }
}

fn notes(facts: &Facts, found: &mut Vec<Finding>) {
    let mut late = 0;
    let mut first_late = facts.now;
    for session in &facts.sessions {
        let age = facts.now - session.ended;
        let (what, state) = match session.note {
            Note::Kept { recorded_at } => {
                if recorded_at - session.ended > NOTE_DUE && age <= LATE_NOTES_WINDOW {
                    late += 1;
                    first_late = first_late.min(session.ended);
                }
                continue;
            }
            Note::Missing => (session.what, "has no note"),
            Note::Draft => (session.what, "has a note that is not signed"),
        };
        let overdue = age > NOTE_DUE;
        found.push(Finding {
            severity: if overdue {
                Severity::Overdue
            } else {
                Severity::Watch
            },
            rule: Rule::NoteOwed,
            sentence: if overdue {
                format!(
                    "Note overdue {}: {what} {state}",
                    length((age - NOTE_DUE).max(DAY))
                )
            } else {
                format!("{what} {state} yet")
            },
            owed: Some(format!("Sign the note of {what}")),
            since: session.ended,
        });
    }
    if late > 0 {
        found.push(Finding {
            severity: Severity::Note,
            rule: Rule::NotesLate,
            sentence: format!(
                "{late} {} of the last 90 days written more than {} after the session",
                if late == 1 { "note" } else { "notes" },
                length(NOTE_DUE)
            ),
            owed: None,
            since: first_late,
        });
    }
}

fn scores(facts: &Facts, found: &mut Vec<Finding>) {
    for measure in &facts.measures {
        let scale = measure
            .instrument
            .scale(measure.rule.scale)
            .unwrap_or(measure.instrument.total());
        let name = match scale.key {
            "total" => measure.instrument.name.to_owned(),
            _ => format!("{} {}", measure.instrument.name, lower(scale.name)),
        };
        let change = measure.rule.judge(
            measure.instrument.direction,
            measure.baseline,
            measure.latest,
        );
        if let (Verdict::Worse(word), true) = (change.verdict, measure.count > 1) {
            let said = change.sentence();
            let possible = word == "possible";
            found.push(Finding {
                severity: if possible {
                    Severity::Watch
                } else {
                    Severity::Overdue
                },
                rule: Rule::ScoreWorse,
                sentence: format!(
                    "{name}: {} since the first score, by {}",
                    lower(&said),
                    measure.rule.citation.short
                ),
                owed: (!possible).then(|| "Review the treatment with the person".to_owned()),
                since: measure.latest_at,
            });
        }
        if scale.key == "total" && facts.now - measure.latest_at > MEASURE_DUE {
            found.push(Finding {
                severity: Severity::Watch,
                rule: Rule::MeasureDue,
                sentence: format!("{name} last asked {}", ago(measure.latest_at, facts.now)),
                owed: Some(format!("Ask the {name} again")),
                since: measure.latest_at,
            });
        }
    }
}

/// With a small letter at the beginning, for inside a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

/// Where one person stands on a caseload. Less comes first: the worst severity, then more
/// findings of it, then the oldest of them, then the nearest next contact (none is nearest).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    worst: Option<Severity>,
    count: usize,
    since: i64,
    next_contact: Option<i64>,
}

impl Standing {
    /// The standing of a person with these findings (as [`attention`] gives them).
    pub fn of(findings: &[Finding], next_contact: Option<i64>) -> Standing {
        let worst = findings.first().map(|f| f.severity);
        Standing {
            worst,
            count: findings
                .iter()
                .filter(|f| Some(f.severity) == worst)
                .count(),
            since: findings.first().map_or(0, |f| f.since),
            next_contact,
        }
    }

    /// Whether the person needs something today: anything overdue or urgent.
    pub fn needs_something(&self) -> bool {
        self.worst >= Some(Severity::Overdue)
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.worst.cmp(&self.worst))
            .then(other.count.cmp(&self.count))
            .then(self.since.cmp(&other.since))
            .then(self.next_contact.cmp(&other.next_contact))
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests;
