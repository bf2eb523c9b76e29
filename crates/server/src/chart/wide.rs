//! The wide frame: what happened, as understood now, on one time axis.
//!
//! Above the axis are words, in lanes (`label`): conflicts come first, then what weighs
//! most. Beneath the axis every event has a round mark (or a bar, if it
//! went on) in the row of its kind. What has no words here has them in the table.

use maud::{Markup, html};

use super::event::{Conflict, Event, Row, tags};
use super::label::{self, CROWD, SIZE};
use super::{Lanes, Scale, fit, line, months, n, nothing, plate, text, text_width};
use crate::web::when::{self, RecordedAt};

/// What is drawn.
#[derive(Copy, Clone, Debug)]
pub struct Wide<'a> {
    /// Unique on the page.
    pub id: &'a str,
    /// First and last microsecond of the axis; events outside are not drawn.
    pub window: (i64, i64),
    /// The day that the square frame shows.
    pub as_of: Option<RecordedAt>,
    /// When the page was made.
    pub now: i64,
    /// Every event.
    pub events: &'a [Event],
    /// Every conflict.
    pub conflicts: &'a [Conflict],
}

/// The drawing, and what it had no room for.
pub struct Drawn {
    /// The chart.
    pub markup: Markup,
    /// Events that have a mark.
    pub marked: usize,
    /// Events that have words too.
    pub worded: usize,
}

pub(super) const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 30.0;
const LANE: f64 = 23.0;
const ROW: f64 = 30.0;
const BAR: f64 = 21.0;
/// Room to the right of the window's end.
const AFTER: f64 = 140.0;

/// Draws the frame's inside.
pub fn draw(wide: &Wide<'_>) -> Drawn {
    // The words of the last events need room to their right: the axis goes on for a while.
    let x = Scale::time(wide.window, (LEFT + 10.0, RIGHT - AFTER));
    let span = wide.window.1.saturating_sub(wide.window.0);
    let after = (span as f64 * (AFTER - 12.0) / (RIGHT - AFTER - LEFT - 10.0)) as i64;
    let axis_span = (wide.window.0, wide.window.1.saturating_add(after));
    let of_event = tags(wide.events.len(), wide.conflicts);
    let mut shown: Vec<usize> = (0..wide.events.len())
        .filter(|index| {
            let event = &wide.events[*index];
            let end = event
                .happened()
                .map_or(event.place(), |happened| happened.end.saturating_sub(1));
            event.place() <= wide.window.1 && end >= wide.window.0
        })
        .collect();
    shown.sort_by_key(|index| wide.events[*index].place());
    let rows = Rows::new(wide, &shown, &x);
    let lanes_at_least = ((HEIGHT - TOP - 30.0 - rows.height - 14.0) / LANE)
        .floor()
        .max(4.0) as usize;
    let labels = label::pack(
        wide.events,
        &shown,
        &of_event,
        &|at| x.inside(at as f64),
        lanes_at_least,
    );
    let lanes = labels
        .iter()
        .map(|label| label.lane + 1)
        .max()
        .unwrap_or(0)
        .max(1);
    // Few lanes stand further apart, so that the frame keeps its shape.
    let lane_tall = (LANE * lanes_at_least as f64 / lanes as f64).clamp(LANE, 1.7 * LANE);
    let axis = (HEIGHT - 40.0 - rows.height).max(TOP + lane_tall * lanes as f64 + 8.0);
    let below = axis + 30.0;
    let height = (below + rows.height + 10.0).max(HEIGHT);
    let lane_y = |lane: usize| axis - 16.0 - lane_tall * lane as f64;
    let body = html! {
        @for (at, words) in months(axis_span, 12) {
            (line("tick", (x.at(at as f64), TOP - 6.0), (x.at(at as f64), height - 8.0)))
            @if x.at(at as f64) + text_width(&words, 12.0) < WIDTH - 4.0 { (text("axis", (x.at(at as f64) + 4.0, axis + 17.0), &words)) }
        }
        (line("base", (LEFT, axis), (RIGHT, axis)))
        (instant("today", wide.now, "Today", wide, &x, (TOP - 8.0, height - 8.0)))
        @if let Some(as_of) = wide.as_of {
            (instant("asof", as_of.0, &format!("As of {}", when::day(as_of.0)), wide, &x, (TOP - 8.0, height - 8.0)))
        }
        @for label in &labels {
            @for (at, event) in &label.stems {
                (line("stem", (*at, lane_y(label.lane) + 4.0), (*at, below + rows.middle(*event) - 6.0)))
            }
        }
        (rows.draw(wide, &of_event, below))
        @for label in &labels { (label::draw(label, lane_y(label.lane))) }
    };
    let worded = labels
        .iter()
        .filter(|label| !label.words.is_empty())
        .map(|label| label.stems.len())
        .sum();
    let desc = format!(
        "{} events on one time axis from {} to {}, in rows by kind, with {} conflicts tagged C1 and on. The table below has every event.",
        shown.len(),
        when::month(wide.window.0),
        when::month(wide.window.1),
        wide.conflicts.len(),
    );
    Drawn {
        markup: plate(
            wide.id,
            "timeline wide",
            (WIDTH, height),
            "What happened, as understood now",
            &desc,
            body,
        ),
        marked: shown.len(),
        worded,
    }
}

/// A line across the whole frame with its words at the top, on the side that has room.
fn instant(
    class: &str,
    at: i64,
    words: &str,
    wide: &Wide<'_>,
    x: &Scale,
    span: (f64, f64),
) -> Markup {
    if at < wide.window.0 || at > wide.window.1 {
        return nothing();
    }
    let place = x.at(at as f64);
    let end = place + text_width(words, SIZE) + 12.0 > WIDTH;
    html! {
        (line(class, (place, span.0 - 8.0), (place, span.1)))
        @if class == "asof" || !end {
            text class={ "instant " (class) @if end { " end" } } x=(n(if end { place - 5.0 } else { place + 5.0 }))
                y=(n(if class == "asof" { 15.0 } else { 29.0 })) { (words) }
        }
    }
}

/// Where the words of a bar begin, and what is left of them: inside it, or else after it.
fn bar_words(what: &str, from: f64, to: f64) -> (f64, String) {
    if text_width(what, 12.0) + 14.0 <= to - from {
        return (from + 8.0, what.to_owned());
    }
    let (inside, after) = (to - from - 14.0, WIDTH - to - 20.0);
    if inside > after {
        (from + 8.0, fit(what, 12.0, inside))
    } else {
        (to + 12.0, fit(what, 12.0, after.min(220.0)))
    }
}

/// The rows beneath the axis.
struct Rows {
    rows: Vec<(Row, f64, f64)>,
    /// Event, middle of its mark from the top of the rows, left and right of its bar or mark.
    marks: Vec<(usize, f64, f64, f64)>,
    height: f64,
}

impl Rows {
    fn new(wide: &Wide<'_>, shown: &[usize], x: &Scale) -> Rows {
        let mut kinds: Vec<Row> = shown.iter().map(|index| wide.events[*index].row).collect();
        kinds.sort();
        kinds.dedup();
        let mut found = Rows {
            rows: Vec::new(),
            marks: Vec::new(),
            height: 0.0,
        };
        for row in kinds {
            let of_row = || shown.iter().filter(|index| wide.events[**index].row == row);
            let is_period = |index: &&usize| {
                wide.events[**index]
                    .happened()
                    .is_some_and(|happened| happened.is_period())
            };
            let mut lanes = Lanes::default();
            if of_row().any(|index| !is_period(&index)) {
                // Points have a line of their own, above the bars.
                lanes.take(0, (f64::MIN, f64::MAX));
            }
            for index in of_row() {
                let event = &wide.events[*index];
                let from = x.inside(event.place() as f64);
                let period = event.happened().filter(|happened| happened.is_period());
                if let Some(happened) = period {
                    // What goes on has come as far as today.
                    let end = if happened.end == i64::MAX {
                        wide.now.max(happened.start)
                    } else {
                        happened.end
                    };
                    let to = x.inside(end as f64).max(from + 12.0);
                    let words = bar_words(&event.now().what, from, to);
                    let lane = lanes.pack((from - 2.0, words.0 + text_width(&words.1, 12.0) + 8.0));
                    found.marks.push((
                        *index,
                        found.height + ROW / 2.0 + BAR * lane as f64,
                        from,
                        to,
                    ));
                } else {
                    found
                        .marks
                        .push((*index, found.height + ROW / 2.0, from, from));
                }
            }
            let height = ROW + BAR * lanes.len().saturating_sub(1) as f64;
            found.rows.push((row, found.height, height));
            found.height += height;
        }
        found
    }

    fn middle(&self, event: usize) -> f64 {
        self.marks
            .iter()
            .find(|mark| mark.0 == event)
            .map_or(0.0, |mark| mark.1)
    }

    fn draw(&self, wide: &Wide<'_>, of_event: &[Vec<usize>], top: f64) -> Markup {
        let radius = if self.marks.len() > CROWD { 4.5 } else { 5.5 };
        html! {
            @for (row, from, tall) in &self.rows {
                (line("grid", (LEFT, top + from), (RIGHT, top + from)))
                text class="rowname end" x=(n(LEFT - 8.0)) y=(n(top + from + ROW / 2.0 + 4.5)) { (row.words()) }
                @let _ = tall;
            }
            @for (index, middle, from, to) in &self.marks {
                @let event = &wide.events[*index];
                @let y = top + middle;
                g {
                    title {
                        (event.happened().map(|happened| happened.words()).unwrap_or_default()) ": " (event.now().what)
                        @for number in &of_event[*index] { " (C" (number) ")" }
                    }
                    @if to > from {
                        @let goes_on = event.happened().is_some_and(|happened| happened.end > wide.now.min(wide.window.1));
                        rect class="bar" x=(n(*from)) y=(n(y - 9.0)) width=(n(to - from)) height="18" rx=(if goes_on { "0" } else { "9" }) {}
                        @if goes_on { path class="bar" d={ "M" (n(*to)) " " (n(y - 9.0)) "l8 9-8 9z" } {} }
                        @let words = bar_words(&event.now().what, *from, *to);
                        (text("bartext", (words.0, y + 4.5), &words.1))
                    } @else if event.now().withdrawn {
                        circle class="open" cx=(n(*from)) cy=(n(y)) r="5.5" {}
                        path class="cross" d={ "M" (n(from - 4.0)) " " (n(y - 4.0)) "l8 8m0-8l-8 8" } {}
                    } @else {
                        circle class="dot" cx=(n(*from)) cy=(n(y)) r=(n(radius)) {}
                    }
                }
            }
        }
    }
}
