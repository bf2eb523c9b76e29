//! What a person needs: the facts that `casework` judges, read from the case.

use casework::attention::{Clock, Facts, Finding, ItemNine, Measure, Note, Session, attention};
use casework::codes;
use instruments::Instrument;

use super::{Names, Telling, Thing, first_of, of_kind, scores, words};

/// The next contact.
#[derive(Clone, Debug)]
pub struct Contact {
    /// When it begins, in microseconds.
    pub at: i64,
    /// "Session 12, in person".
    pub how: String,
    /// With whom.
    pub with: Option<String>,
    /// Place of its entry.
    pub position: u64,
}

/// What a caseload says of one person.
#[derive(Clone, Debug)]
pub struct State {
    /// In the programme at present.
    pub in_programme: bool,
    /// "Goal work"; nothing for who was never in it.
    pub stage: Option<String>,
    /// When and how they left it.
    pub ended: Option<i64>,
    /// Reference of whose case it is, and their name.
    pub caseworker: Option<(String, String)>,
    /// The next contact that is booked and has no outcome.
    pub next: Option<Contact>,
    /// When they were last reached, and how.
    pub last: Option<(i64, String)>,
    /// What they need, worst first.
    pub findings: Vec<Finding>,
}

/// Reads what a person needs at a moment (microseconds).
pub fn state(things: &[Thing<'_>], names: &Names<'_>, now: i64) -> State {
    let episode = of_kind(things, "EpisodeOfCare").max_by_key(|episode| {
        episode
            .period("period")
            .map_or(i64::MIN, |(start, _)| start)
    });
    let status = episode.and_then(|episode| episode.text(&["status"]));
    let in_programme = matches!(status, Some("active" | "onhold" | "planned" | "waitlist"));
    let stage = episode.and_then(|episode| words::concept(episode.resource().get("type")));
    let enrolled = episode
        .and_then(|episode| episode.period("period"))
        .map(|(start, _)| start);
    let ended = episode
        .filter(|_| !in_programme)
        .and_then(|episode| episode.period("period"))
        .map(|(_, end)| end)
        .filter(|end| *end < i64::MAX);
    let caseworker = episode
        .and_then(|episode| episode.resource().get("careManager"))
        .or_else(|| {
            let patient = of_kind(things, "Patient").next()?;
            patient
                .resource()
                .get("generalPractitioner")?
                .items()
                .next()
        })
        .and_then(|reference| {
            let name = names.of(Some(reference))?;
            Some((
                reference
                    .str_at(&["reference"])
                    .unwrap_or_default()
                    .to_owned(),
                name,
            ))
        });
    let next = of_kind(things, "Appointment")
        .filter(|booked| {
            matches!(
                booked.text(&["status"]),
                Some("booked" | "pending" | "arrived")
            )
        })
        .filter_map(|booked| Some(contact(booked, names, booked.instant("start")?)))
        .min_by_key(|contact| contact.at);
    let attended = |encounter: &&Telling<'_>| encounter.text(&["status"]) == Some("finished");
    let reached = of_kind(things, "Encounter")
        .filter(attended)
        .filter_map(|encounter| Some((encounter.happened()?.start, encounter)))
        .filter(|(start, _)| *start <= now)
        .max_by_key(|(start, _)| *start);
    let last = reached
        .map(|(start, encounter)| (start, words::words("Encounter", encounter.resource()).what));
    let missed_since = of_kind(things, "Encounter")
        .filter(|encounter| encounter.text(&["status"]) == Some("cancelled"))
        .filter_map(|encounter| encounter.happened())
        .filter(|at| last.as_ref().is_none_or(|(last, _)| at.start > *last) && at.start <= now)
        .count() as u32;

    let owed = owed(things, names);
    let clocks = owed
        .iter()
        .map(|owed| Clock {
            what: &owed.what,
            owner: owed.owner.as_deref(),
            due: owed.due,
        })
        .collect();
    let sessions = sessions(things);
    let facts = Facts {
        now,
        in_programme,
        next_contact: next.as_ref().map(|next| next.at),
        last_contact: last.as_ref().map(|(at, _)| *at),
        enrolled,
        missed_since,
        clocks,
        measures: instruments::all()
            .iter()
            .flat_map(|one| measures(things, one))
            .collect(),
        item_nine: item_nine(things),
        sessions: sessions
            .iter()
            .map(|(what, ended, note)| Session {
                what,
                ended: *ended,
                note: *note,
            })
            .collect(),
    };
    let findings = attention(&facts);
    State {
        in_programme,
        stage,
        ended,
        caseworker,
        next,
        last,
        findings,
    }
}

fn contact(booked: &Telling<'_>, names: &Names<'_>, at: i64) -> Contact {
    let resource = booked.resource();
    let kinds = resource.get("serviceType");
    let what = booked
        .text(&["description"])
        .map(str::to_owned)
        .or_else(|| words::concept(kinds))
        .unwrap_or_else(|| "Contact".to_owned());
    let mode =
        words::code_in(kinds, codes::MODE).and_then(|mode| codes::shown(&codes::MODES, mode));
    let with = resource
        .get("participant")
        .into_iter()
        .flat_map(|all| all.items())
        .find_map(|one| {
            let actor = one.get("actor")?;
            let is_staff = actor.str_at(&["reference"])?.starts_with("Practitioner");
            is_staff.then(|| names.of(Some(actor)))?
        });
    Contact {
        at,
        how: match mode {
            Some(mode) => format!("{what}, {}", mode.to_lowercase()),
            None => what,
        },
        with,
        position: booked.told.position,
    }
}

/// Something that we owe a person.
pub struct Owed {
    /// "Housing letter".
    pub what: String,
    /// Whose it is.
    pub owner: Option<String>,
    /// Until when, in microseconds.
    pub due: Option<i64>,
    /// Place of its entry.
    pub position: u64,
}

/// Open tasks, the most urgent first.
pub fn owed(things: &[Thing<'_>], names: &Names<'_>) -> Vec<Owed> {
    let mut owed: Vec<Owed> = of_kind(things, "Task")
        .filter(|task| {
            !matches!(
                task.text(&["status"]),
                Some("completed" | "cancelled" | "rejected" | "failed")
            )
        })
        .map(|task| Owed {
            what: task
                .text(&["description"])
                .map(str::to_owned)
                .or_else(|| words::concept(task.resource().get("code")))
                .unwrap_or_else(|| "Task".to_owned()),
            owner: names.of(task.resource().get("owner")),
            due: task
                .text(&["restriction", "period", "end"])
                .and_then(record::time::parse_interval)
                .map(|time| time.start),
            position: task.told.position,
        })
        .collect();
    owed.sort_by_key(|owed| owed.due.unwrap_or(i64::MAX));
    owed
}

/// The first and the latest score of each scale that has a rule of change, by the scale's first rule.
fn measures(things: &[Thing<'_>], instrument: &'static Instrument) -> Vec<Measure> {
    instrument
        .scales
        .iter()
        .filter_map(|scale| {
            let rule = instrument.rules_for(scale.key).next()?;
            let dated = scores::of_scale(things, instrument, scale);
            let (first, last) = (dated.first()?, dated.last()?);
            Some(Measure {
                instrument,
                rule,
                baseline: first.score.value,
                latest: last.score.value,
                latest_at: last.happened.start,
                count: dated.len() as u32,
            })
        })
        .collect()
}

/// The latest answer to PHQ-9 item 9, and when the person was next reached.
fn item_nine(things: &[Thing<'_>]) -> Option<ItemNine> {
    let instrument = instruments::by_key("phq-9")?;
    let critical = instrument.critical.first()?;
    let item = instrument
        .items
        .iter()
        .find(|item| item.number == critical.item)?;
    let (at, value) = of_kind(things, "QuestionnaireResponse")
        .filter(|response| {
            response
                .text(&["questionnaire"])
                .and_then(instruments::by_url)
                .map(|one| one.key)
                == Some(instrument.key)
        })
        .filter_map(|response| {
            let asked = response
                .resource()
                .get("item")?
                .items()
                .find(|asked| asked.str_at(&["linkId"]) == Some(item.link))?;
            let answer = asked.get("answer")?.items().next()?.get("valueCoding")?;
            let value = item.value_of(answer.str_at(&["system"])?, answer.str_at(&["code"])?)?;
            Some((response.happened()?.start, value))
        })
        .max_by_key(|(at, _)| *at)?;
    let followed_up = of_kind(things, "Encounter")
        .filter(|encounter| encounter.text(&["status"]) == Some("finished"))
        .filter_map(|encounter| encounter.happened())
        .map(|happened| happened.start)
        .filter(|start| *start > at)
        .min();
    Some(ItemNine {
        value,
        at,
        followed_up,
    })
}

/// Sessions that took place: what, when they ended, and how it stands with the note.
fn sessions(things: &[Thing<'_>]) -> Vec<(String, i64, Note)> {
    of_kind(things, "Encounter")
        .filter(|encounter| {
            encounter.text(&["status"]) == Some("finished")
                && words::code_in(encounter.resource().get("type"), codes::CONTACT)
                    == Some("session")
        })
        .filter_map(|encounter| {
            let end = encounter
                .period("period")
                .map(|(_, end)| end)
                .filter(|end| *end < i64::MAX)?;
            let reference = format!("Encounter/{}", encounter.told.id);
            let note = of_kind(things, "DocumentReference").find(|note| {
                let about = note.resource().at(&["context", "encounter"]);
                about.is_some_and(|about| {
                    about
                        .each()
                        .any(|one| one.str_at(&["reference"]) == Some(&reference))
                })
            });
            let state = match note {
                None => Note::Missing,
                Some(note) if note.text(&["docStatus"]) == Some("preliminary") => Note::Draft,
                Some(note) => Note::Kept {
                    recorded_at: first_of(things, note).told.recorded_at.0,
                },
            };
            Some((
                words::words("Encounter", encounter.resource()).what,
                end,
                state,
            ))
        })
        .collect()
}
