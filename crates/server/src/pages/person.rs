//! The person on one screen.

use axum::extract::Path;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casework::codes;
use instruments::Instrument;
use maud::Markup;
use policy::{Action, Kind, Purpose};

use super::{Asked, away};
use crate::case::attention::{self, State};
use crate::case::{Case, Names, Telling, Thing, events, first_of, of_kind, scores, words};
use crate::chart::score::{Band, Cut, Score, Series};
use crate::error::{Error, ErrorKind};
use crate::permit;
use crate::release::Given;
use crate::web::layout::{Banner, Shell};
use crate::web::person::{Closed, Context, Fact, Medication, Next, Note, Owed, page};
use crate::web::when::{self, Happened, RecordedAt};

/// How many notes are shown.
const NOTES_MAX: usize = 4;

/// How much of a note is shown before it goes on elsewhere, in characters.
const NOTE_CHARACTERS: usize = 420;

/// How many medications and problems are shown, each.
const ROWS_MAX: usize = 12;

pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (markup, given) = draw(&asked, &id)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

pub(super) fn draw(asked: &Asked, id: &str) -> Result<(Markup, Given), Error> {
    let case = case(asked, id)?;
    let things = case.things();
    let mut context = context(asked, &case, &things)?;
    super::erasures::mark(asked, &mut context.shell)?;
    let mut given = given(asked, &case);
    context.disputed = super::disputes::rows(asked, id, &mut given)?;
    Ok((page(&context), given))
}

/// The case of a person whom the view knows.
pub(super) fn case(asked: &Asked, id: &str) -> Result<Case, Error> {
    Case::read(&asked.view, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            if asked.view.is_now() {
                "There is no such person in the record, or none whom you may know of. Look for them \
                 by name under Find."
            } else {
                "There was no such person in the record at that instant, or none whom you may know \
                 of. Go back to now, or to a later instant."
            },
        )
    })
}

/// The top of a page about a person, and that the page tells of them.
pub(super) fn about(asked: &Asked, id: &str) -> Result<(Shell, Given), Error> {
    let case = case(asked, id)?;
    let things = case.things();
    let state = attention::state(&things, &Names::new(&asked.view), asked.moment());
    let mut shell = asked.shell();
    shell.banner = banner(&case, &things, &state, asked.moment());
    super::erasures::mark(asked, &mut shell)?;
    let mut given = Given::new();
    given.person(asked.programme.ledger().person(id));
    Ok((shell, given))
}

/// What a page about one person gives out: every version that it is drawn from.
pub(super) fn given(asked: &Asked, case: &Case) -> Given {
    let person = asked.programme.ledger().person(&case.patient);
    let mut given = Given::new();
    given.person(person);
    for position in case.positions() {
        given.at(position, Some(person));
    }
    given
}

/// Who the person is, for the top of every page about them.
pub(super) fn banner(
    case: &Case,
    things: &[Thing<'_>],
    state: &State,
    moment: i64,
) -> Option<Banner> {
    let patient = things
        .iter()
        .find(|thing| thing.kind == "Patient" && thing.id == case.patient)?;
    let last = patient.last();
    let resource = last.resource();
    let mut facts = Vec::new();
    if let Some(pronouns) = pronouns(last) {
        facts.push(pronouns);
    }
    let died = last.instant("deceasedDateTime");
    if let Some(died) = died {
        facts.push(format!("died {}", when::day(died)));
    } else if resource
        .get("deceasedBoolean")
        .and_then(|value| value.as_bool())
        == Some(true)
    {
        facts.push("died".to_owned());
    }
    if let Some(born) = last.instant("birthDate") {
        facts.push(format!(
            "{}, born {}",
            when::age(born, died.map_or(moment, |died| died.min(moment))),
            when::day(born)
        ));
    }
    if let Some(number) = number(last) {
        facts.push(number);
    }
    Some(Banner {
        id: case.patient.clone(),
        name: words::name(resource).unwrap_or_else(|| "(no name recorded)".to_owned()),
        facts,
        stage: state.stage.clone(),
        flags: of_kind(things, "Flag")
            .filter(|flag| flag.text(&["status"]) == Some("active"))
            .filter_map(|flag| words::concept(flag.resource().get("code")))
            .collect(),
        erasure: None,
    })
}

fn pronouns(patient: &Telling<'_>) -> Option<String> {
    const URL: &str = "http://hl7.org/fhir/StructureDefinition/individual-pronouns";
    let found = patient
        .resource()
        .get("extension")?
        .items()
        .find(|extension| extension.str_at(&["url"]) == Some(URL))?;
    let value = found
        .get("extension")?
        .items()
        .find_map(|part| part.get("valueCodeableConcept"))?;
    let shown = words::concept(Some(value))?;
    // "he/him/his/his/himself" is said as "he/him".
    Some(shown.split('/').take(2).collect::<Vec<_>>().join("/"))
}

/// The number that the programme gave a participant, or the first identifier there is.
pub(super) fn number(patient: &Telling<'_>) -> Option<String> {
    let all = patient.resource().get("identifier")?;
    all.items()
        .find(|one| one.str_at(&["system"]) == Some(codes::PARTICIPANT_NUMBER))
        .or_else(|| all.items().next())
        .and_then(|one| one.str_at(&["value"]))
        .map(str::to_owned)
}

fn context(asked: &Asked, case: &Case, things: &[Thing<'_>]) -> Result<Context, Error> {
    let moment = asked.moment();
    let names = Names::new(&asked.view);
    let state = attention::state(things, &names, moment);
    let mut shell = asked.shell();
    shell.banner = banner(case, things, &state, moment);
    let found = events::events(things);
    let scores: Vec<Series> = instruments::all()
        .iter()
        .flat_map(|one| series(things, one))
        .collect();
    let medications = medications(things);
    Ok(Context {
        shell,
        closed: closed(asked, case, &names)?,
        next: next(&state, moment),
        owed: attention::owed(things, &names)
            .into_iter()
            .map(|owed| Owed {
                overdue: owed.due.is_some_and(|due| due < moment),
                what: owed.what,
                owner: owed.owner.unwrap_or_else(|| "nobody".to_owned()),
                due: owed.due,
                position: Some(owed.position),
            })
            .collect(),
        consents: consents(things),
        disputed: Vec::new(),
        span: span(&scores, &medications, moment),
        scores,
        medications,
        notes: notes(things, &names),
        problems: facts(things, "Condition", |_| true),
        service: facts(things, "Observation", |one| {
            words::code(one.resource().get("code")) == Some("87511-2")
        }),
        events: (found.events.len() as u64, found.conflicts.len() as u64),
    })
}

/// The kinds of record whose being closed is said, and what they are called.
const SAID: [(Kind, &str); 5] = [
    (Kind::Schedule, "Appointments"),
    (Kind::Care, "Care"),
    (Kind::Notes, "Therapy notes"),
    (Kind::Sud, "Substance use"),
    (Kind::Restricted, "What is labelled as restricted"),
];

/// What of a person is not for whoever looks. It is decided by kind, whether or not there is any.
fn closed(asked: &Asked, case: &Case, names: &Names<'_>) -> Result<Closed, Error> {
    let person = asked.view.alias(&case.patient);
    let mut closed = Closed::default();
    for (kind, what) in SAID {
        let verdict = asked.decide(Action::Read, &permit::Thing::about(person, kind))?;
        if verdict.allowed {
            continue;
        }
        match kind {
            Kind::Schedule => closed.schedule = true,
            Kind::Care => closed.care = true,
            Kind::Notes => closed.notes = true,
            _ => {}
        }
        let why = permit::words(&verdict);
        match closed.why.iter_mut().find(|(_, known)| *known == why) {
            Some((several, _)) => *several = format!("{several}, {}", what.to_lowercase()),
            None => closed.why.push((what.to_owned(), why)),
        }
    }
    if closed.care {
        let practitioners = permit::people::whose_case(&asked.view, &asked.reader, person)?;
        let named = practitioners.iter().filter_map(|one| names.at(one));
        closed.whose = named.collect();
    }
    if closed.care
        && asked
            .reader
            .who()
            .role
            .purposes()
            .contains(&Purpose::Emergency)
    {
        let reader = asked.reader.for_purpose(Purpose::Emergency)?;
        let thing = permit::Thing::about(person, Kind::Identity);
        let may = asked.view.decide(&reader, Action::BreakGlass, &thing)?;
        closed.may_break_glass = may.allowed && asked.view.is_now();
    }
    Ok(closed)
}

fn next(state: &State, moment: i64) -> Next {
    let owner = |with: Option<&String>| {
        with.cloned()
            .or_else(|| state.caseworker.as_ref().map(|(_, name)| name.clone()))
            .unwrap_or_else(|| "nobody yet".to_owned())
    };
    match (&state.next, state.in_programme, state.ended) {
        (Some(next), _, _) => Next::Planned {
            at: next.at,
            how: next.how.clone(),
            owner: owner(next.with.as_ref()),
            overdue_days: (next.at < moment).then(|| (moment - next.at) / when::DAY),
        },
        (None, false, Some(end)) => Next::Ended(format!("Left the programme {}", when::day(end))),
        (None, false, None) => Next::Ended("Not in the programme".to_owned()),
        (None, true, _) => Next::Nothing {
            owner: owner(None),
            last: state.last.as_ref().map(|(at, _)| *at),
        },
    }
}

fn consents(things: &[Thing<'_>]) -> Vec<(String, String)> {
    let mut latest: Vec<(String, i64, String)> = Vec::new();
    for consent in of_kind(things, "Consent") {
        let resource = consent.resource();
        let Some(what) = words::consent_matter(resource) else {
            continue;
        };
        let at = consent
            .instant("dateTime")
            .unwrap_or(consent.told.recorded_at.0);
        let yes = consent.text(&["status"]) == Some("active")
            && consent.text(&["provision", "type"]) != Some("deny");
        let answer = format!(
            "{}, since {}",
            if yes { "Yes" } else { "No" },
            when::day(at)
        );
        match latest.iter_mut().find(|(known, _, _)| *known == what) {
            Some(known) if known.1 <= at => *known = (what, at, answer),
            Some(_) => {}
            None => latest.push((what, at, answer)),
        }
    }
    latest
        .into_iter()
        .map(|(what, _, answer)| (what, answer))
        .collect()
}

fn series(things: &[Thing<'_>], instrument: &'static Instrument) -> Vec<Series> {
    instrument
        .scales
        .iter()
        .filter(|scale| {
            // The total, and the parts that a rule of change speaks of.
            scale.key == instrument.total().key || instrument.rules_for(scale.key).next().is_some()
        })
        .filter_map(|scale| {
            let dated = scores::of_scale(things, instrument, scale);
            let first = dated.first()?;
            let last = dated.last()?;
            let baseline = first.score.value;
            let rule = instrument.rules_for(scale.key).next();
            let lines = rule.and_then(|rule| rule.lines(baseline, scale.max));
            let by = lines.and_then(|lines| {
                let rise = lines.at_least.map(|line| line.saturating_sub(baseline));
                let fall = lines.at_most.map(|line| baseline.saturating_sub(line));
                rise.or(fall)
            });
            let cut = instrument.cuts.iter().find(|cut| cut.scale == scale.key);
            Some(Series {
                name: first.score.scale_name(),
                long_name: format!("{}, {}", instrument.title, instrument.window),
                scale: (0.0, f64::from(scale.max)),
                higher_is_worse: scores::higher_is_worse(instrument),
                band: rule.zip(by).map(|(rule, by)| Band {
                    baseline: f64::from(baseline),
                    by: f64::from(by),
                    source: rule.citation.short.to_owned(),
                    says: format!("{}: {}", rule.name, rule.citation.full),
                }),
                cut: cut.map(|cut| Cut {
                    value: f64::from(cut.at_least),
                    source: cut.citation.short.to_owned(),
                    says: format!("{}: {}", cut.says, cut.citation.full),
                }),
                change: rule.filter(|_| dated.len() > 1).map(|rule| {
                    rule.judge(instrument.direction, baseline, last.score.value)
                        .sentence()
                }),
                points: dated
                    .iter()
                    .map(|dated| Score {
                        happened: Happened {
                            start: dated.happened.start,
                            end: dated.happened.end,
                        },
                        recorded_at: RecordedAt(dated.telling.told.recorded_at.0),
                        value: f64::from(dated.score.value),
                        words: dated.score.written.clone(),
                        remark: (dated.versions > 1).then(|| format!("version {}", dated.versions)),
                        position: dated.telling.told.position,
                    })
                    .collect(),
            })
        })
        .collect()
}

/// First and last microsecond of the axis: the scores and what is taken meanwhile.
fn span(scores: &[Series], medications: &[Medication], moment: i64) -> (i64, i64) {
    let points = scores.iter().flat_map(|series| series.points.iter());
    let first = points
        .map(|point| point.happened.start)
        .chain(
            medications
                .iter()
                .filter(|one| one.drawn)
                .filter_map(|one| Some(one.happened?.start)),
        )
        .filter(|start| *start > i64::MIN / 2)
        .min()
        .unwrap_or(moment - 90 * when::DAY);
    (first.min(moment - 30 * when::DAY), moment)
}

pub(super) fn medications(things: &[Thing<'_>]) -> Vec<Medication> {
    let taken: Vec<&Telling<'_>> = of_kind(things, "MedicationStatement").collect();
    // Where nobody says what is taken, what was prescribed is the best there is.
    let shown = if taken.is_empty() {
        of_kind(things, "MedicationRequest").collect()
    } else {
        taken
    };
    let mut medications: Vec<(bool, i64, Medication)> = shown
        .into_iter()
        .map(|telling| {
            let resource = telling.resource();
            let status = telling.text(&["status"]).unwrap_or_default();
            let active = matches!(status, "active" | "intended");
            let dosage = resource
                .get("dosage")
                .or_else(|| resource.get("dosageInstruction"));
            let dose = dosage
                .and_then(|all| all.items().next())
                .and_then(|one| one.str_at(&["text"]))
                .unwrap_or_default();
            let happened = telling.happened().map(|at| {
                let end = if active && telling.told.kind == "MedicationRequest" {
                    i64::MAX
                } else {
                    at.end
                };
                Happened {
                    start: at.start,
                    end,
                }
            });
            let state = match status {
                "active" if telling.told.kind == "MedicationRequest" => "Prescribed".to_owned(),
                "active" => "Taking".to_owned(),
                "stopped" => "Stopped".to_owned(),
                "completed" => "Ended".to_owned(),
                "on-hold" => "On hold".to_owned(),
                other => words::plain(other),
            };
            let medication = Medication {
                what: words::medicine(resource).unwrap_or_else(|| "Medicine".to_owned()),
                dose: dose.to_owned(),
                state,
                drawn: happened.is_some() && telling.told.kind == "MedicationStatement",
                happened,
                position: telling.told.position,
            };
            (!active, -happened.map_or(0, |at| at.start), medication)
        })
        .collect();
    medications.sort_by_key(|(stopped, newest, _)| (*stopped, *newest));
    medications
        .into_iter()
        .map(|(_, _, medication)| medication)
        .take(ROWS_MAX)
        .collect()
}

fn notes(things: &[Thing<'_>], names: &Names<'_>) -> Vec<Note> {
    let mut notes: Vec<(i64, Note)> = of_kind(things, "DocumentReference")
        .map(|note| {
            let resource = note.resource();
            let happened = note.happened();
            let text = text_of(note).unwrap_or_default();
            let shown: String = text.chars().take(NOTE_CHARACTERS).collect();
            let drafts = note.text(&["docStatus"]) == Some("preliminary");
            let versions = note.told.version;
            let remark = match (drafts, versions) {
                (true, _) => Some("draft, not signed".to_owned()),
                (false, 1) => None,
                (false, version) => Some(format!("version {version}")),
            };
            let author = resource.get("author").and_then(|all| all.items().next());
            let recorded_at = first_of(things, note).told.recorded_at;
            let at = happened.map_or(recorded_at.0, |at| at.start);
            (
                at,
                Note {
                    title: note
                        .text(&["description"])
                        .map(str::to_owned)
                        .or_else(|| words::concept(resource.get("type")))
                        .unwrap_or_else(|| "Note".to_owned()),
                    happened: happened.map(|at| Happened {
                        start: at.start,
                        end: at.end,
                    }),
                    recorded_at: RecordedAt(recorded_at.0),
                    author: names
                        .of(author)
                        .unwrap_or_else(|| "author not recorded".to_owned()),
                    goes_on: shown.len() < text.len(),
                    text: shown,
                    remark,
                    position: note.told.position,
                },
            )
        })
        .collect();
    notes.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    notes
        .into_iter()
        .map(|(_, note)| note)
        .take(NOTES_MAX)
        .collect()
}

/// The plain text inside a DocumentReference.
pub(super) fn text_of(note: &Telling<'_>) -> Option<String> {
    note.resource().get("content")?.items().find_map(|content| {
        let attachment = content.get("attachment")?;
        let plain = attachment
            .str_at(&["contentType"])?
            .starts_with("text/plain");
        let data = attachment.str_at(&["data"]).filter(|_| plain)?;
        String::from_utf8(STANDARD.decode(data).ok()?).ok()
    })
}

fn facts(things: &[Thing<'_>], kind: &str, wanted: impl Fn(&Telling<'_>) -> bool) -> Vec<Fact> {
    let mut facts: Vec<Fact> = things
        .iter()
        .filter(|thing| thing.kind == kind)
        .filter_map(Thing::current)
        .filter(|telling| wanted(telling))
        .map(|telling| {
            let parts = telling.resource().get("component");
            let branch = parts
                .into_iter()
                .flat_map(|parts| parts.items())
                .find(|part| words::code(part.get("code")) == Some("85104-8"))
                .and_then(|part| words::concept(part.get("valueCodeableConcept")));
            Fact {
                what: branch.unwrap_or_else(|| words::words(kind, telling.resource()).what),
                happened: telling.happened().map(|at| Happened {
                    start: at.start,
                    end: at.end,
                }),
                position: telling.told.position,
            }
        })
        .collect();
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.happened.map_or(i64::MIN, |at| at.start)));
    facts.truncate(ROWS_MAX);
    facts
}
