//! A participant's own page.

use axum::response::Response;
use casework::dispute::Stage;
use instruments::Direction;
use ledger::Alias;
use maud::Markup;

use super::access::{Lookup, bound, not_held_back, row};
use super::{Asked, away, disputes, person, see};
use crate::break_glass;
use crate::case::{Names, Thing, attention, scores, words};
use crate::consent::own_record;
use crate::dispute;
use crate::error::{Error, ErrorKind};
use crate::permit::leaf;
use crate::release::Given;
use crate::web::me::{Context, Event, Measure, Notice, page};
use crate::web::path;
use crate::web::person::Owed;
use crate::web::when::{self, Happened, RecordedAt};

/// How many events, looks and notices are on the page.
const EVENTS_MAX: usize = 40;
const LOOKS_MAX: usize = 8;
const NOTICES_MAX: usize = 10;

/// How much of a notice is on it, in characters.
const SHOWN_MAX: usize = 200;

/// `GET /me`
pub async fn get(asked: Asked) -> Result<Response, Error> {
    let Some(id) = own_record(&asked.who) else {
        return Ok(see(path::HOME));
    };
    away(move || {
        let (markup, given) = draw(&asked, &id)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

fn draw(asked: &Asked, id: &str) -> Result<(Markup, Given), Error> {
    let case = person::case(asked, id)?;
    let things = case.things();
    let names = Names::new(&asked.view);
    let moment = asked.moment();
    let state = attention::state(&things, &names, moment);
    let mut given = person::given(asked, &case);
    let mut shell = asked.shell();
    shell.banner = person::banner(&case, &things, &state, moment);
    super::erasures::mark(asked, &mut shell)?;
    let alias = asked.programme.ledger().person(id);

    let owed = attention::owed(&things, &names);
    let owed = owed.into_iter().map(|owed| Owed {
        overdue: owed.due.is_some_and(|due| due < moment),
        what: owed.what,
        owner: owed
            .owner
            .unwrap_or_else(|| "somebody who is not named yet".to_owned()),
        due: owed.due,
        position: Some(owed.position),
    });
    let mut open = Vec::new();
    for found in dispute::of_person(&asked.view, id)? {
        if found.dispute.stage == Stage::Open {
            let what = disputes::what(&asked.view, &found)?;
            let stands = disputes::stands(&found.dispute, moment);
            open.push((
                found.id.clone(),
                format!("{what}: {}", inside(&stands)),
                found.dispute.is_overdue(moment),
            ));
        }
    }
    let all = events(&things, &names);
    let skipped = match asked.param("skip") {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            Error::new(
                ErrorKind::Invalid,
                "`skip` is how many of the newest entries are left out: a number.",
            )
        })?,
    };
    let events: Vec<Event> = all.iter().skip(skipped).take(EVENTS_MAX).cloned().collect();
    let earlier = all.len().saturating_sub(skipped + events.len()) as u64;
    let context = Context {
        person: id.to_owned(),
        caseworker: state.caseworker.as_ref().map(|(_, name)| name.clone()),
        next: state
            .next
            .as_ref()
            .filter(|next| next.at >= moment)
            .map(|next| {
                let with = next.with.as_ref().map(|with| format!(", with {with}"));
                (next.at, format!("{}{}", next.how, with.unwrap_or_default()))
            }),
        owed: owed.collect(),
        measures: instruments::all()
            .iter()
            .filter_map(|one| measure(&things, one))
            .collect(),
        medicines: person::medications(&things),
        notices: notices(asked, id, alias)?,
        looks: looks(asked, id, &mut given, alias)?,
        disputes: open,
        events,
        skipped: skipped.min(all.len()) as u64,
        earlier,
        complaints: asked.programme.complaints().map(str::to_owned),
        export_name: format!("{id}.homecoming-export"),
        shell,
    };
    Ok((page(&context), given))
}

/// A questionnaire's total in plain words; nothing if it was never scored.
fn measure(things: &[Thing<'_>], instrument: &'static instruments::Instrument) -> Option<Measure> {
    let scale = instrument.total();
    let dated = scores::of_scale(things, instrument, scale);
    let (first, last) = (dated.first()?, dated.last()?);
    let rule = instrument
        .rules_for(scale.key)
        .next()
        .filter(|_| dated.len() > 1);
    let change =
        rule.map(|rule| rule.judge(instrument.direction, first.score.value, last.score.value));
    let day = |dated: &scores::Dated<'_, '_>| when::day(dated.happened.start);
    Some(Measure {
        name: instrument.name.to_owned(),
        asks: match instrument.key {
            "pcl-5" => "It asks how much a very stressful experience has bothered you in the past month.",
            "phq-9" => "It asks how low, tired or uninterested you have felt in the last two weeks.",
            "nsi" => "It asks about headaches, dizziness, memory, sleep and mood, as they can follow a blow to the head.",
            _ => "It is a questionnaire that you filled in.",
        }
        .to_owned(),
        goes: format!(
            "It goes from 0 to {}; {} is better.",
            scale.max,
            match instrument.direction {
                Direction::HigherIsWorse => "lower",
                _ => "higher",
            }
        ),
        went: match dated.len() {
            1 => format!("You were at {} on {}.", last.score.value, day(last)),
            _ => format!(
                "You were at {} on {} and at {} on {}.",
                first.score.value,
                day(first),
                last.score.value,
                day(last)
            ),
        },
        means: change.map(|change| format!("Compared with the first time: {}.", change.sentence().to_lowercase())),
        source: rule.filter(|_| dated.len() > 1).map(|rule| rule.citation.short.to_owned()),
    })
}

/// What is written, newest first: by when it happened, or was written if that is not said.
fn events(things: &[Thing<'_>], names: &Names<'_>) -> Vec<Event> {
    let mut all: Vec<Event> = things
        .iter()
        .filter(|thing| !matches!(thing.kind, "Patient" | "Task"))
        .filter_map(Thing::current)
        .map(|telling| Event {
            what: words::words(&telling.told.kind, telling.resource()).what,
            happened: telling.happened().map(|at| Happened {
                start: at.start,
                end: at.end,
            }),
            recorded_at: RecordedAt(telling.told.recorded_at.0),
            author: names
                .at(&telling.told.actor)
                .unwrap_or_else(|| telling.told.actor.clone()),
            position: telling.told.position,
        })
        .collect();
    all.sort_by_key(|event| {
        let at = event
            .happened
            .map_or(event.recorded_at.0, |happened| happened.start);
        (std::cmp::Reverse(at), std::cmp::Reverse(event.position))
    });
    all
}

/// A sentence within another: its first letter is small, and the names in it keep theirs.
fn inside(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The beginning of a text, marked where it was cut.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_MAX).collect();
    if short.len() < text.len() {
        short.push('\u{2026}');
    }
    short
}

/// What they were told, of an erasure, a warrant or anything else; who opened their record though it was closed to
/// them; and what was answered to their disputes.
fn notices(asked: &Asked, id: &str, alias: Alias) -> Result<Vec<Notice>, Error> {
    let view = &asked.view;
    let told = view.chain(id, |kind| kind == "Communication")?;
    let mut out = Vec::new();
    for (entry, stored) in told.into_iter().take(NOTICES_MAX) {
        let Ok(doc) = record::json::Doc::parse(&stored) else {
            continue;
        };
        let root = doc.root();
        let text = root.get("payload").and_then(|all| all.items().next());
        let text = text.and_then(|one| one.str_at(&["contentString"]));
        out.push(Notice {
            what: text.map_or_else(|| words::words("Communication", root).what, shortened),
            recorded_at: RecordedAt(entry.recorded_at.0),
            position: entry.position,
        });
    }
    let mut names = Lookup::new(asked);
    for found in break_glass::all(&asked.unbound(), Some(alias))? {
        // What governs the record is for them to know as far as the policy says.
        if view.read("Task", &found.id)?.is_none() {
            continue;
        }
        let who = names.actor(&found.broken.reader);
        let told = |what: String, at: usize| {
            let position = found.positions.get(at).copied()?;
            let recorded_at = RecordedAt(found.broken.steps.get(at)?.recorded_at);
            Some(Notice {
                what,
                recorded_at,
                position,
            })
        };
        out.extend(told(
            format!("{who} opened your record though it was closed to them"),
            0,
        ));
        if let Some(review) = &found.broken.review {
            let at = found.positions.len() - 1;
            let words = review.outcome.words().to_lowercase();
            out.extend(told(format!("That {who} opened your record: {words}"), at));
        }
    }
    for found in dispute::of_person(view, id)? {
        let (Some(ended), Stage::Agreed | Stage::Disagreed | Stage::Stated) =
            (found.dispute.ended_at, found.dispute.stage)
        else {
            continue;
        };
        let what = disputes::what(view, &found)?;
        let stands = disputes::stands(&found.dispute, asked.moment());
        out.push(Notice {
            what: format!("{what}, which you disputed: {}", inside(&stands)),
            recorded_at: RecordedAt(ended),
            position: found.positions.last().copied().unwrap_or_default(),
        });
    }
    out.sort_by_key(|notice| std::cmp::Reverse(notice.recorded_at.0));
    out.truncate(NOTICES_MAX);
    Ok(out)
}

fn looks(
    asked: &Asked,
    id: &str,
    given: &mut Given,
    alias: ledger::Alias,
) -> Result<Vec<crate::web::access::Row>, Error> {
    let log = asked.programme.access();
    let positions = log
        .positions_about(alias, bound(asked)?, LOOKS_MAX * 4)
        .map_err(Error::ledger)?;
    let mut names = Lookup::new(asked);
    let mut out = Vec::new();
    let own = format!("Patient/{id}");
    for position in not_held_back(asked, id, positions)? {
        let Some(one) = log.leaf(position).map_err(Error::ledger)? else {
            continue;
        };
        // That they looked themselves is on the whole list.
        if one.leaf.actor != own && out.len() < LOOKS_MAX {
            // What is not for them is not named on the leaf of this page either.
            if let Some(shown) = leaf::shown(&asked.view, &asked.reader, &one)? {
                given.leaf(position, &[alias]);
                out.push(row(&mut names, &one, &shown)?);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_within_another_keeps_its_names() {
        assert_eq!(
            inside("An answer is owed by 3 Aug 2026"),
            "an answer is owed by 3 Aug 2026"
        );
        assert_eq!(inside(""), "");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(shortened("told"), "told");
        let long = "\u{e9}".repeat(SHOWN_MAX + 1);
        assert_eq!(shortened(&long).chars().count(), SHOWN_MAX + 1);
        assert!(shortened(&long).ends_with('\u{2026}'));
    }
}
