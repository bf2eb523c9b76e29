//! Where the two times of a person's facts do not agree.
//!
//! Every fact has a time at which it happened and, for each of its versions, a time at which
//! it was recorded. [`discrepancies`] reads all facts of one person together and says which were
//! recorded late, moved back in time, corrected, contradicted or taken back. What is found
//! depends only on the versions given: leave out what was recorded after an instant and the
//! answer is what could have been found then.
//!
//! A new version is not in itself a correction: an appointment that is kept, a task that is done,
//! a prescription that ends go their way. [`is_progress`] is the table of what may move on.

use crate::span::{DAY, Span, length};

/// One thing in the record, with all its versions.
#[derive(Debug, Clone)]
pub struct Fact<'a> {
    /// FHIR resource type.
    pub kind: &'a str,
    /// What it is, for a sentence: "Session 4".
    pub what: String,
    /// Its versions, oldest first; never empty.
    pub versions: Vec<Version<'a>>,
}

/// One version of a fact.
#[derive(Debug, Clone)]
pub struct Version<'a> {
    /// When it was recorded.
    pub recorded_at: i64,
    /// When it says that it happened.
    pub happened: Option<Span>,
    /// What it says that happened.
    pub act: Act<'a>,
    /// Top-level elements that differ from the version before; empty for the first.
    pub changed: Vec<&'a str>,
    /// Whether it takes the fact out of the record (deleted, or entered in error).
    pub withdrawn: bool,
}

/// What a version says that happened, as far as it can contradict something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'a> {
    /// The person and a member of staff met or spoke.
    Attended,
    /// A contact that did not take place.
    Missed,
    /// A dose was given.
    Given(&'a str),
    /// A medicine was taken until then (`None`: still).
    Taken {
        /// Which medicine; compared as it is.
        medicine: &'a str,
        /// When it was stopped.
        until: Option<i64>,
    },
    /// Consent was given to something.
    Consented(&'a str),
    /// Consent to something was withdrawn or refused.
    Withdrew(&'a str),
    /// Something was done that needs this consent.
    NeedsConsent(&'a str),
    /// Long before the programme: never late.
    History,
    /// Not final yet: what comes after it corrects nothing.
    Draft,
    /// Anything else.
    Other,
}

/// Why a fact has a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Recorded longer after it happened than its kind allows.
    Late {
        /// How long after, in microseconds.
        delay: i64,
        /// What is allowed.
        limit: i64,
        /// Places of other facts of the same day that were recorded as late on the same day, and
        /// of which there is nothing else to say: they have no tag of their own.
        with: Vec<usize>,
    },
    /// A later version moved it back in time.
    Backdated {
        /// Number of the version that moved it, from 1.
        version: usize,
        /// By how much, in microseconds.
        by: i64,
    },
    /// A later version changed what it says.
    Corrected {
        /// Number of the version, from 1.
        version: usize,
        /// The elements that changed and are not mere progress.
        elements: Vec<String>,
    },
    /// Its own versions say that it took place and that it did not.
    Reversed {
        /// Number of the version that turned it round.
        version: usize,
        /// Whether the last word is that it took place.
        now_attended: bool,
    },
    /// Taken out of the record.
    TakenBack {
        /// Number of the version that did it.
        version: usize,
    },
    /// Two contacts at the same time.
    AtOnce {
        /// Place of the other fact.
        other: usize,
    },
    /// A dose given after the medicine had been stopped.
    GivenAfterStop {
        /// Place of the fact that says when it was stopped.
        stopped: usize,
        /// How long after.
        after: i64,
        /// Whether the stop had been recorded by then.
        known: bool,
    },
    /// Done without the consent that it needs: after this withdrawal.
    WithoutConsent {
        /// Places of the facts that needed it.
        others: Vec<usize>,
        /// How many of them happened before the withdrawal was on the record.
        unknowing: usize,
    },
}

/// One tagged disagreement, anchored in one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// "C1", "C2"... in order of when the anchor happened.
    pub tag: String,
    /// Place of the fact that it is about.
    pub fact: usize,
    /// Every reason; at least one.
    pub reasons: Vec<Reason>,
    /// What is wrong: sentences.
    pub sentence: String,
}

impl Conflict {
    /// The anchor and every other fact that takes part.
    pub fn facts(&self) -> impl Iterator<Item = usize> + '_ {
        let others = self.reasons.iter().flat_map(|reason| match reason {
            Reason::Late { with, .. } => with.clone(),
            Reason::AtOnce { other } => vec![*other],
            Reason::GivenAfterStop { stopped, .. } => vec![*stopped],
            Reason::WithoutConsent { others, .. } => others.clone(),
            _ => Vec::new(),
        });
        std::iter::once(self.fact).chain(others)
    }
}

/// What was found over all facts of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// For each fact how long after it happened it was first recorded; `None` where it has no time.
    pub delays: Vec<Option<i64>>,
    /// The tagged disagreements in order of time.
    pub conflicts: Vec<Conflict>,
}

impl Reading {
    /// The tags of one fact.
    pub fn tags(&self, fact: usize) -> impl Iterator<Item = &str> {
        self.conflicts
            .iter()
            .filter(move |c| c.facts().any(|f| f == fact))
            .map(|c| c.tag.as_str())
    }
}

/// How long after it happened a fact of this kind may be recorded; `None`: any time.
pub fn limit(kind: &str) -> Option<i64> {
    Some(match kind {
        "Consent" | "AdverseEvent" | "MedicationAdministration" | "Flag" => DAY,
        "Encounter"
        | "DocumentReference"
        | "Observation"
        | "QuestionnaireResponse"
        | "Media"
        | "MedicationRequest"
        | "Communication" => 3 * DAY,
        "MedicationStatement"
        | "EpisodeOfCare"
        | "Goal"
        | "Condition"
        | "Procedure"
        | "Immunization" => 7 * DAY,
        _ => return None,
    })
}

/// Whether a new value of this element is the ordinary course of things and no correction.
pub fn is_progress(kind: &str, element: &str) -> bool {
    match kind {
        // What a person or a place is called or where they live changes; that is not an error.
        "Patient" | "Practitioner" | "PractitionerRole" | "Organization" | "Location"
        | "RelatedPerson" | "CareTeam" | "Questionnaire" => true,
        _ if matches!(element, "meta" | "text") => true,
        "Appointment" => matches!(
            element,
            "status" | "start" | "end" | "cancelationReason" | "participant" | "minutesDuration"
        ),
        "EpisodeOfCare" => matches!(
            element,
            "status" | "statusHistory" | "type" | "careManager" | "team" | "period"
        ),
        "Task" => matches!(
            element,
            "status" | "statusReason" | "lastModified" | "output" | "owner" | "executionPeriod"
        ),
        "Goal" => matches!(
            element,
            "lifecycleStatus" | "achievementStatus" | "statusDate" | "statusReason" | "note"
        ),
        "MedicationRequest" => matches!(element, "status" | "statusReason"),
        "MedicationStatement" => matches!(
            element,
            "status" | "statusReason" | "dateAsserted" | "effectivePeriod"
        ),
        "Consent" | "Flag" => matches!(element, "status" | "period"),
        "DocumentReference" => {
            matches!(element, "docStatus" | "authenticator" | "status" | "date")
        }
        "Encounter" => matches!(element, "status" | "statusHistory" | "appointment"),
        "QuestionnaireResponse" | "Observation" => matches!(element, "status" | "issued"),
        _ => element == "status",
    }
}

/// The elements that say when something happened.
fn is_time(element: &str) -> bool {
    matches!(
        element,
        "period"
            | "effectiveDateTime"
            | "effectivePeriod"
            | "effectiveInstant"
            | "date"
            | "dateTime"
            | "authored"
            | "authoredOn"
            | "context"
            | "occurrenceDateTime"
            | "createdDateTime"
            | "createdPeriod"
            | "sent"
    )
}

/// How long after it happened a fact was first recorded, not less than nothing. A fact that takes
/// more than two days (a medicine, an episode) is counted from its beginning, others from their end.
pub fn delay(happened: Span, recorded_at: i64) -> i64 {
    recorded_at.saturating_sub(due_from(happened)).max(0)
}

fn due_from(happened: Span) -> i64 {
    let brief = happened.end.saturating_sub(happened.start) <= 2 * DAY;
    if brief { happened.end } else { happened.start }
}

/// Reads all facts of one person together. Places in the answer are places in `facts`.
pub fn discrepancies(facts: &[Fact]) -> Reading {
    let known_from = facts.iter().map(recorded).min().unwrap_or(i64::MIN);
    let mut reasons: Vec<Vec<Reason>> = facts.iter().map(|fact| own(fact, known_from)).collect();
    at_once(facts, &mut reasons);
    given_after_stop(facts, &mut reasons);
    without_consent(facts, &mut reasons);
    together(facts, &mut reasons);

    let mut order: Vec<usize> = (0..facts.len())
        .filter(|&place| !reasons[place].is_empty())
        .collect();
    order.sort_by_key(|&place| (when(&facts[place]), recorded(&facts[place]), place));
    let conflicts = order
        .into_iter()
        .enumerate()
        .map(|(number, place)| Conflict {
            tag: format!("C{}", number + 1),
            fact: place,
            sentence: sentence(facts, &reasons[place]),
            reasons: std::mem::take(&mut reasons[place]),
        })
        .collect();
    Reading {
        delays: facts
            .iter()
            .map(|fact| {
                let first = fact.versions.first()?;
                (first.act != Act::History).then_some(())?;
                Some(delay(first.happened?, first.recorded_at))
            })
            .collect(),
        conflicts,
    }
}

/// What one fact's own versions say against each other. What happened before the person was on
/// the record at all (`known_from`) cannot have been recorded late.
fn own(fact: &Fact, known_from: i64) -> Vec<Reason> {
    let mut found = Vec::new();
    let Some(first) = fact.versions.first() else {
        return found;
    };
    if let (Some(happened), Some(limit)) = (first.happened, limit(fact.kind))
        && first.act != Act::History
        && due_from(happened) >= known_from
    {
        let delay = delay(happened, first.recorded_at);
        if delay > limit {
            found.push(Reason::Late {
                delay,
                limit,
                with: Vec::new(),
            });
        }
    }
    for (place, pair) in fact.versions.windows(2).enumerate() {
        let (before, after) = (&pair[0], &pair[1]);
        let version = place + 2;
        if after.withdrawn {
            if !before.withdrawn {
                found.push(Reason::TakenBack { version });
            }
            continue;
        }
        let draft = before.act == Act::Draft;
        let back = match (before.happened, after.happened) {
            (Some(b), Some(a)) => b.start.saturating_sub(a.start),
            _ => 0,
        };
        let backdated = back > 0 && !draft;
        if backdated {
            found.push(Reason::Backdated { version, by: back });
        }
        // A time that is only given more exactly, or that a plan gets when it takes place.
        let refined = match (before.happened, after.happened) {
            (Some(b), Some(a)) => b.start <= a.start && a.end <= b.end,
            (None, _) => true,
            _ => false,
        };
        let planned = before.act == Act::Other && matches!(after.act, Act::Attended | Act::Missed);
        let reversed = matches!(
            (before.act, after.act),
            (Act::Attended, Act::Missed) | (Act::Missed, Act::Attended)
        );
        if reversed {
            found.push(Reason::Reversed {
                version,
                now_attended: after.act == Act::Attended,
            });
        }
        let elements: Vec<String> = after
            .changed
            .iter()
            .filter(|element| !is_progress(fact.kind, element))
            .filter(|element| !(is_time(element) && (backdated || refined || planned)))
            .map(|element| (*element).to_owned())
            .collect();
        if !elements.is_empty() && !before.withdrawn && before.act != Act::Draft {
            found.push(Reason::Corrected { version, elements });
        }
    }
    found
}

/// Gathers what is only late, and late together: a contact with its note and its scores has one tag.
fn together(facts: &[Fact], reasons: &mut [Vec<Reason>]) {
    let day = |at: i64| at.div_euclid(DAY);
    let late: Vec<(i64, i64, usize)> = (0..facts.len())
        .filter(|place| matches!(reasons[*place].first(), Some(Reason::Late { .. })))
        .filter_map(|place| {
            let first = facts[place].versions.first()?;
            Some((day(first.happened?.start), day(first.recorded_at), place))
        })
        .collect();
    let mut done = vec![false; late.len()];
    for (turn, (happened, recorded, _)) in late.iter().enumerate() {
        if done[turn] {
            continue;
        }
        let same: Vec<usize> = (turn..late.len())
            .filter(|other| {
                !done[*other] && late[*other].0 == *happened && late[*other].1 == *recorded
            })
            .collect();
        for other in &same {
            done[*other] = true;
        }
        let mut places: Vec<usize> = same.iter().map(|other| late[*other].2).collect();
        // The contact stands for what was written of it.
        let anchor = places
            .iter()
            .position(|place| facts[*place].kind == "Encounter")
            .unwrap_or(0);
        let anchor = places.swap_remove(anchor);
        places.retain(|place| reasons[*place].len() == 1);
        places.sort_unstable();
        for place in &places {
            reasons[*place].clear();
        }
        if let Some(Reason::Late { with, .. }) = reasons[anchor].first_mut() {
            *with = places;
        }
    }
}

/// Two contacts of one person that cannot both have taken place. The one recorded later is tagged.
fn at_once(facts: &[Fact], reasons: &mut [Vec<Reason>]) {
    let mut attended: Vec<(Span, usize)> = standing(facts)
        .filter(|(_, _, act)| *act == Act::Attended)
        .filter(|(_, span, _)| span.is_precise())
        .map(|(place, span, _)| (span, place))
        .collect();
    attended.sort_by_key(|(span, place)| (span.start, *place));
    for (i, (span, place)) in attended.iter().enumerate() {
        let rest = attended[i + 1..]
            .iter()
            .take_while(|(other, _)| other.start < span.end);
        for (other_span, other) in rest {
            if span.overlaps(other_span) {
                let (later, earlier) = if recorded(&facts[*place]) > recorded(&facts[*other]) {
                    (*place, *other)
                } else {
                    (*other, *place)
                };
                reasons[later].push(Reason::AtOnce { other: earlier });
            }
        }
    }
}

/// A dose after the medicine had been stopped, unless another course of it was running.
fn given_after_stop(facts: &[Fact], reasons: &mut [Vec<Reason>]) {
    let courses: Vec<(usize, Span, &str, Option<i64>)> = standing(facts)
        .filter_map(|(place, span, act)| match act {
            Act::Taken { medicine, until } => Some((place, span, medicine, until)),
            _ => None,
        })
        .collect();
    for (place, span, act) in standing(facts) {
        let Act::Given(medicine) = act else { continue };
        let of_it = || courses.iter().filter(|c| c.2 == medicine);
        let running = of_it().any(|(_, course, _, until)| {
            course.start <= span.start && until.is_none_or(|end| span.start < end)
        });
        if running {
            continue;
        }
        let last = of_it()
            .filter_map(|(stopped, _, _, until)| Some((*stopped, (*until)?)))
            .filter(|(_, end)| *end <= span.start)
            .max_by_key(|(_, end)| *end);
        if let Some((stopped, end)) = last {
            reasons[place].push(Reason::GivenAfterStop {
                stopped,
                after: span.start - end,
                known: stop_recorded(&facts[stopped], end) <= span.start,
            });
        }
    }
}

/// When a course's fact first said that it ended then.
fn stop_recorded(fact: &Fact, end: i64) -> i64 {
    fact.versions
        .iter()
        .find(|v| matches!(v.act, Act::Taken { until: Some(until), .. } if until <= end))
        .map_or(i64::MAX, |v| v.recorded_at)
}

/// What was done after its consent had been withdrawn and before it was given again.
fn without_consent(facts: &[Fact], reasons: &mut [Vec<Reason>]) {
    for (place, withdrawn, act) in standing(facts) {
        let Act::Withdrew(to) = act else { continue };
        let again = standing(facts)
            .filter(|(_, span, act)| *act == Act::Consented(to) && span.start > withdrawn.start)
            .map(|(_, span, _)| span.start)
            .min()
            .unwrap_or(i64::MAX);
        // A day is known to its end only: what was done on the day itself may have come before.
        let from = if withdrawn.is_precise() {
            withdrawn.start
        } else {
            withdrawn.end
        };
        let mut done: Vec<(i64, usize)> = standing(facts)
            .filter(|(_, span, act)| {
                *act == Act::NeedsConsent(to) && span.start >= from && span.start < again
            })
            .map(|(other, span, _)| (span.start, other))
            .collect();
        done.sort_unstable();
        if !done.is_empty() {
            let on_record = recorded(&facts[place]);
            reasons[place].push(Reason::WithoutConsent {
                unknowing: done.iter().filter(|(at, _)| *at < on_record).count(),
                others: done.into_iter().map(|(_, other)| other).collect(),
            });
        }
    }
}

/// Each fact that is still on the record and has a time: its place, that time, what it says now.
fn standing<'f>(facts: &'f [Fact]) -> impl Iterator<Item = (usize, Span, Act<'f>)> {
    facts.iter().enumerate().filter_map(|(place, fact)| {
        let last = fact.versions.last().filter(|v| !v.withdrawn)?;
        Some((place, last.happened?, last.act))
    })
}

/// When a fact happened by its latest word; without one, when it was recorded.
fn when(fact: &Fact) -> i64 {
    let mut words = fact.versions.iter().rev().filter_map(|v| v.happened);
    words.next().map_or(recorded(fact), |span| span.start)
}

fn recorded(fact: &Fact) -> i64 {
    fact.versions.first().map_or(0, |v| v.recorded_at)
}

fn sentence(facts: &[Fact], reasons: &[Reason]) -> String {
    let what = |place: usize| facts[place].what.as_str();
    let parts: Vec<String> = reasons
        .iter()
        .map(|reason| match reason {
            Reason::Late { delay, with, .. } => match with.len() {
                0 => format!("Recorded {} after it happened.", length(*delay)),
                1 => format!(
                    "Recorded {} after it happened, with one more entry of that day.",
                    length(*delay)
                ),
                more => format!(
                    "Recorded {} after it happened, with {more} more entries of that day.",
                    length(*delay)
                ),
            },
            Reason::Backdated { version, by } => {
                format!("Version {version} moved it back by {}.", length(*by))
            }
            Reason::Corrected { version, elements } => {
                format!("Version {version} changed {}.", list(elements))
            }
            Reason::Reversed {
                version,
                now_attended: false,
            } => format!("Recorded as attended; version {version} says that it was missed."),
            Reason::Reversed { version, .. } => {
                format!("Recorded as missed; version {version} says that it was attended.")
            }
            Reason::TakenBack { version } => {
                format!("Taken out of the record by version {version}.")
            }
            Reason::AtOnce { other } => {
                format!(
                    "At the same time as \u{201c}{}\u{201d}; both cannot be so.",
                    what(*other)
                )
            }
            Reason::GivenAfterStop { after, known, .. } => format!(
                "Given {} after it was stopped; the stop {} recorded then.",
                length(*after),
                if *known { "was" } else { "was not yet" }
            ),
            Reason::WithoutConsent { others, unknowing } => {
                let done: Vec<String> = others.iter().map(|o| what(*o).to_owned()).collect();
                format!(
                    "{} done after it{}.",
                    if done.len() <= 3 {
                        list(&done)
                    } else {
                        format!("{} and {} more", list(&done[..2]), done.len() - 2)
                    },
                    match (*unknowing, done.len()) {
                        (0, _) => ", though it was on the record",
                        (u, all) if u == all => ", before it was on the record",
                        _ => ", some before it was on the record",
                    }
                )
            }
        })
        .collect();
    parts.join(" ")
}

fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests;
