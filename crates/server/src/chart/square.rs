//! The square frame: what was recorded, as known at an instant.
//!
//! Across is when it happened, up is when it was recorded, on the same scale; on the diagonal the
//! two are the same day. A late entry hangs above the diagonal on a stroke as long as its delay; a
//! plan lies below it. Every version has its own square mark, and a dotted line leads from what
//! was said to what was said instead. Above the line of the instant nothing was known yet: that
//! part is hatched, and its marks are open.

use maud::{Markup, html};

use super::event::{Conflict, Event, Telling, tags};
use super::{Scale, line, months, n, plate, tag, tag_width};
use crate::web::when::{self, RecordedAt};

/// What is drawn.
#[derive(Copy, Clone, Debug)]
pub struct Square<'a> {
    /// Unique on the page.
    pub id: &'a str,
    /// First and last microsecond of both axes.
    pub window: (i64, i64),
    /// As known at this instant; `None`: everything that is recorded.
    pub as_of: Option<RecordedAt>,
    /// Every event.
    pub events: &'a [Event],
    /// Every conflict.
    pub conflicts: &'a [Conflict],
}

/// The drawing, and what it had no room for.
pub struct Drawn {
    /// The chart.
    pub markup: Markup,
    /// Tags that found no room.
    pub untagged: usize,
}

const SIDE: f64 = 540.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = SIDE - 16.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = SIDE - 44.0;

/// Marks of one conflict that are closer than this share its tag.
const NEAR: f64 = 24.0;

type Room = (f64, f64, f64, f64);

fn overlap(a: Room, b: Room) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

/// Draws the frame's inside.
pub fn draw(square: &Square<'_>) -> Drawn {
    // The plot itself is square too: as wide as it is high.
    let side = (RIGHT - LEFT).min(BOTTOM - TOP);
    let (right, bottom) = (LEFT + side, TOP + side);
    let x = Scale::time(square.window, (LEFT, right));
    let y = Scale::time(square.window, (bottom, TOP));
    let of_event = tags(square.events.len(), square.conflicts);
    let shown: Vec<usize> = (0..square.events.len())
        .filter(|index| {
            (square.window.0..=square.window.1).contains(&square.events[*index].place())
        })
        .collect();
    let place = |event: &Event, telling: &Telling| {
        let happened = telling
            .happened
            .map_or(event.place(), |happened| happened.start);
        (
            x.inside(happened as f64),
            y.inside(telling.recorded_at.0 as f64),
        )
    };
    let known = |telling: &Telling| square.as_of.is_none_or(|at| telling.recorded_at <= at);
    let line_y = square.as_of.map(|at| y.inside(at.0 as f64));

    let mut taken: Vec<Room> = Vec::new();
    let mut wanted: Vec<(usize, f64, f64)> = Vec::new();
    for index in &shown {
        let event = &square.events[*index];
        for telling in event.tellings() {
            let (cx, cy) = place(event, telling);
            taken.push((cx - 7.0, cy - 7.0, cx + 7.0, cy + 7.0));
        }
        let happened = event
            .first
            .happened
            .map_or(event.place(), |happened| happened.start);
        let (cx, cy) = place(event, &event.first);
        let same_day = y.inside(happened as f64);
        taken.push((cx - 3.0, cy.min(same_day), cx + 3.0, cy.max(same_day)));
        // A tag stands at the telling that made the conflict: the last.
        let (cx, cy) = place(event, event.now());
        for number in &of_event[*index] {
            // One tag does for the marks of one conflict that lie together.
            let beside = |other: &(usize, f64, f64)| {
                other.0 == *number && (other.1 - cx).abs() < NEAR && (other.2 - cy).abs() < NEAR
            };
            if !wanted.iter().any(beside) {
                wanted.push((*number, cx, cy));
            }
        }
    }
    let line_words = square.as_of.map(|at| format!("As of {}", when::day(at.0)));
    let words_at = line_y.map(|at| {
        if at + 22.0 < bottom {
            at + 17.0
        } else {
            at - 8.0
        }
    });
    if let (Some(words), Some(at)) = (&line_words, words_at) {
        taken.push((
            right - super::text_width(words, 13.0) - 8.0,
            at - 13.0,
            right,
            at + 5.0,
        ));
    }
    let (tags, untagged) = place_tags(
        wanted,
        &mut taken,
        (LEFT + 2.0, TOP + 2.0, right - 2.0, bottom - 2.0),
    );

    let late = shown
        .iter()
        .filter(|index| {
            square.events[**index]
                .delay_days()
                .is_some_and(|days| days > 0)
        })
        .count();
    let unknown = shown
        .iter()
        .filter(|index| !known(&square.events[**index].first))
        .count();
    let body = html! {
        @if let Some(line_y) = line_y {
            defs {
                pattern id={ (square.id) "-hatch" } width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    line class="hatch" x1="0" y1="0" x2="0" y2="8" {}
                }
            }
            rect class="unknown" x=(n(LEFT)) y=(n(TOP)) width=(n(side)) height=(n((line_y - TOP).max(0.0)))
                fill={ "url(#" (square.id) "-hatch)" } {}
        }
        @for (at, words) in months(square.window, 6) {
            (line("grid", (x.at(at as f64), TOP), (x.at(at as f64), bottom)))
            (line("grid", (LEFT, y.at(at as f64)), (right, y.at(at as f64))))
            text class={ "axis " @if x.at(at as f64) > right - 40.0 { "end" } @else { "start" } } x=(n(x.at(at as f64))) y=(n(bottom + 16.0)) { (words) }
            @if y.at(at as f64) > TOP + 6.0 {
                text class="axis end" x=(n(LEFT - 6.0)) y=(n(y.at(at as f64) + 4.0)) {
                    @let mut parts = words.split(' ');
                    (parts.next().unwrap_or_default())
                    @if let Some(year) = parts.next() { tspan x=(n(LEFT - 6.0)) dy="13" { (year) } }
                }
            }
        }
        rect class="field" x=(n(LEFT)) y=(n(TOP)) width=(n(side)) height=(n(side)) {}
        (line("diagonal", (LEFT, bottom), (right, TOP)))
        text class="axis middle" x=(n(LEFT + side / 2.0)) y=(n(bottom + 33.0)) { "when it happened \u{2192}" }
        text class="axis middle" x="12" y=(n(TOP + side / 2.0)) transform={ "rotate(-90 12 " (n(TOP + side / 2.0)) ")" } { "when it was recorded \u{2192}" }
        @if let (Some(line_y), Some(words), Some(words_y)) = (line_y, &line_words, words_at) {
            (line("asof", (LEFT, line_y), (right, line_y)))
            text class="instant asof end" x=(n(right - 5.0)) y=(n(words_y)) { (words) }
            @if line_y - TOP > 40.0 {
                text class="instant unknown" x=(n(LEFT + 8.0)) y=(n(TOP + 17.0)) { "Not yet recorded" }
            }
        }
        @for placed in &tags {
            (line("leader", (placed.left + tag_width(placed.number) / 2.0, placed.middle), placed.mark))
        }
        @for index in &shown {
            @let event = &square.events[*index];
            (strokes(event, &place, &y))
        }
        @for index in &shown {
            @let event = &square.events[*index];
            @for telling in event.tellings() {
                @let (cx, cy) = place(event, telling);
                @let in_force = event.tellings().rev().find(|telling| known(telling)).map(|telling| telling.position) == Some(telling.position);
                g {
                    title {
                        (telling.what) ", recorded " (telling.recorded_at.words())
                        @for number in &of_event[*index] { " (C" (number) ")" }
                    }
                    (mark((cx, cy), if shown.len() > 60 { 4.5 } else { 6.0 }, known(telling), in_force, telling.withdrawn))
                }
            }
        }
        @for placed in &tags { (tag(placed.number, placed.left, placed.middle)) }
    };
    let desc = format!(
        "{} events: across, when each happened; up, when it was recorded. {} were recorded a day or more after they happened. {}The table below has every event.",
        shown.len(),
        late,
        match square.as_of {
            Some(at) => format!(
                "As known on {}, {} were not yet recorded. ",
                when::minute(at.0),
                unknown
            ),
            None => String::new(),
        },
    );
    let title = match square.as_of {
        Some(at) => format!("What was recorded, as known on {}", when::day(at.0)),
        None => "What was recorded, as known today".to_owned(),
    };
    Drawn {
        markup: plate(
            square.id,
            "timeline square",
            (SIDE, bottom + 44.0),
            &title,
            &desc,
            body,
        ),
        untagged,
    }
}

/// The delay, from the diagonal up to the first telling, and the way from telling to telling.
fn strokes(event: &Event, place: &dyn Fn(&Event, &Telling) -> (f64, f64), y: &Scale) -> Markup {
    let (cx, cy) = place(event, &event.first);
    let happened = event
        .first
        .happened
        .map_or(event.place(), |happened| happened.start);
    let same_day = y.inside(happened as f64);
    let days = event.first.happened.map_or(0, |happened| {
        when::delay_days(happened, event.first.recorded_at)
    });
    let path: Vec<String> = event
        .tellings()
        .map(|telling| {
            let (cx, cy) = place(event, telling);
            format!("{},{}", n(cx), n(cy))
        })
        .collect();
    html! {
        @if days > 0 { (line("late", (cx, same_day), (cx, cy))) }
        @if days < 0 { (line("ahead", (cx, same_day), (cx, cy))) }
        @if path.len() > 1 { polyline class="instead" points=(path.join(" ")) {} }
    }
}

/// One square mark: filled if known, open if not; small if something else was said since;
/// crossed out if it takes the event back.
fn mark((x, y): (f64, f64), full: f64, known: bool, in_force: bool, withdrawn: bool) -> Markup {
    let half = if in_force || !known { full } else { 0.6 * full };
    let class = if known { "dot" } else { "open" };
    html! {
        rect class=(if withdrawn { "open" } else { class }) x=(n(x - half)) y=(n(y - half)) width=(n(2.0 * half)) height=(n(2.0 * half)) {}
        @if withdrawn {
            path class="cross" d={ "M" (n(x - half)) " " (n(y - half)) "l" (n(2.0 * half)) " " (n(2.0 * half)) "m0-" (n(2.0 * half)) "l-" (n(2.0 * half)) " " (n(2.0 * half)) } {}
        }
    }
}

/// A tag that has found its place: the mark that it belongs to, its left edge and its middle.
struct Placed {
    number: usize,
    left: f64,
    middle: f64,
    mark: (f64, f64),
}

/// A place for every tag: the nearest free one, out to 150 pixels, preferring left and above.
fn place_tags(
    wanted: Vec<(usize, f64, f64)>,
    taken: &mut Vec<Room>,
    field: Room,
) -> (Vec<Placed>, usize) {
    let mut placed = Vec::new();
    let mut untagged = 0;
    for (number, cx, cy) in wanted {
        let (wide, tall) = (tag_width(number), 18.0);
        let mut found = None;
        'search: for ring in 0..9 {
            let away = 12.0 + 17.0 * f64::from(ring);
            for (dx, dy) in [
                (-1.0, 0.0),
                (-1.0, -0.7),
                (0.0, -1.0),
                (1.0, 0.0),
                (1.0, 0.7),
                (0.0, 1.0),
                (-1.0, 0.7),
                (1.0, -0.7),
            ] {
                let middle = (cx + dx * (away + wide / 2.0), cy + dy * (away + 4.0));
                let room = (
                    middle.0 - wide / 2.0 - 1.5,
                    middle.1 - tall / 2.0 - 1.5,
                    middle.0 + wide / 2.0 + 1.5,
                    middle.1 + tall / 2.0 + 1.5,
                );
                let inside = room.0 >= field.0
                    && room.1 >= field.1
                    && room.2 <= field.2
                    && room.3 <= field.3;
                if inside && !taken.iter().any(|other| overlap(room, *other)) {
                    found = Some((room, middle));
                    break 'search;
                }
            }
        }
        match found {
            Some((room, middle)) => {
                taken.push(room);
                placed.push(Placed {
                    number,
                    left: middle.0 - wide / 2.0,
                    middle: middle.1,
                    mark: (cx, cy),
                });
            }
            None => untagged += 1,
        }
    }
    (placed, untagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_never_lie_on_each_other_or_on_a_mark() {
        let wanted: Vec<(usize, f64, f64)> = (1..=60)
            .map(|number| (number, 100.0 + number as f64 * 3.0, 200.0))
            .collect();
        let mut taken: Vec<Room> = wanted
            .iter()
            .map(|one| (one.1 - 7.0, 193.0, one.1 + 7.0, 207.0))
            .collect();
        let marks = taken.len();
        let (placed, untagged) = place_tags(wanted, &mut taken, (0.0, 0.0, 500.0, 500.0));
        assert_eq!(placed.len() + untagged, 60);
        assert!(placed.len() > 20);
        for (index, room) in taken.iter().enumerate().skip(marks) {
            assert!(
                !taken[..index].iter().any(|other| overlap(*room, *other)),
                "tag {index}"
            );
        }
    }
}
