//! What warrants and break-glasses say of exactly this: a person, a kind of record, and when it happened.
//!
//! The rules are `casework`'s; who asks, and what, becomes their question here. A kind that they have no
//! word for (what governs the record) is opened by no warrant, and by a break-glass as the person is.

use casework::Span;
use casework::warrant::When;
use policy::{Facts, Kind, Role, Warrant};

use super::{Thing, Who};
use crate::standing::Standing;

/// Adds it to the facts about a thing, of one of the kinds that it is.
pub(super) fn tell(
    who: &Who,
    standing: &Standing,
    person: &str,
    thing: &Thing<'_>,
    kind: Kind,
    now: i64,
    facts: &mut Facts,
) {
    let named = casework::kind::Kind::parse(kind.as_str());
    if who.role == Role::Inspector {
        facts.warrant = warrant(who, standing, person, thing, kind, now);
    } else {
        let open = standing.break_glass(&who.names, person, named, false, now);
        facts.break_glass = open.is_ok();
    }
    facts.untold = thing.untold;
}

fn warrant(
    who: &Who,
    standing: &Standing,
    person: &str,
    thing: &Thing<'_>,
    kind: Kind,
    now: i64,
) -> Warrant {
    let elsewhere = || match standing.warrants_of(&who.names).next() {
        Some(_) => Warrant::Elsewhere,
        None => Warrant::None,
    };
    let Some(named) = casework::kind::Kind::parse(kind.as_str()) else {
        return elsewhere();
    };
    match standing.warrant(&who.names, person, Some(named), when(thing), now) {
        Ok((_, warrant)) if warrant.order.court => Warrant::CourtOrder,
        Ok(_) => Warrant::Covers,
        Err(_) => elsewhere(),
    }
}

/// The Tasks of the warrants and of the break-glasses that open a thing about a person to somebody.
pub(crate) fn opened_by<'s>(
    standing: &'s Standing,
    names: &[String],
    person: &str,
    thing: &Thing<'_>,
    now: i64,
) -> (Vec<&'s str>, Vec<&'s str>) {
    let (mut warrants, mut glass) = (Vec::new(), Vec::new());
    for kind in thing.kinds.each() {
        let named = casework::kind::Kind::parse(kind.as_str());
        if named.is_some() {
            let opens = standing.warrant(names, person, named, when(thing), now);
            warrants.extend(opens.ok().map(|(id, _)| id));
        }
        let opens = standing.break_glass(names, person, named, false, now);
        glass.extend(opens.ok().map(|(id, _)| id));
    }
    (warrants, glass)
}

/// When it happened, as far as it says so; where nothing in particular is asked about, it is asked
/// whether a kind of record is open.
fn when(thing: &Thing<'_>) -> When {
    let happened = match thing.resource {
        Some(resource) => record::happened::happened(resource),
        None if thing.author.is_empty() => return When::Any,
        None => None,
    };
    happened.map_or(When::Unknown, |at| {
        When::At(Span {
            start: at.start,
            end: at.end,
        })
    })
}
