//! The score chart: one instrument over time, the band within which a change means nothing, the
//! cut-off with its source, and the courses of medication beneath.
//!
//! Severity is never coloured. A mark's shape says how it stands to the band: open inside it,
//! filled beyond it on the better side, a filled diamond on the worse side. The round marks of
//! now are square when the page shows what was known then.

use maud::{Markup, html};

use super::{Lanes, Scale, fit, line, months, n, plate, text, text_width};
use crate::web::when::{self, Happened, RecordedAt};

/// One instrument's scores of one person.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its short name: "PCL-5".
    pub name: String,
    /// Its long name.
    pub long_name: String,
    /// Lowest and highest possible score.
    pub scale: (f64, f64),
    /// Whether a higher score is worse.
    pub higher_is_worse: bool,
    /// In the order in which they happened.
    pub points: Vec<Score>,
    /// Around the first score: what lies inside is no reliable change.
    pub band: Option<Band>,
    /// A line to know of, never a diagnosis.
    pub cut: Option<Cut>,
    /// The change in one sentence.
    pub change: Option<String>,
}

/// One score.
#[derive(Clone, Debug)]
pub struct Score {
    /// When the person answered.
    pub happened: Happened,
    /// When the ledger took it.
    pub recorded_at: RecordedAt,
    /// The score.
    pub value: f64,
    /// The score as it was written.
    pub words: String,
    /// A remark for the table: "Corrected from 41", "Item 9 answered above 0".
    pub remark: Option<String>,
    /// Place in the ledger.
    pub position: u64,
}

/// A change of `by` points from `baseline` or more is reliable.
#[derive(Clone, Debug)]
pub struct Band {
    /// The score that it is counted from.
    pub baseline: f64,
    /// Points.
    pub by: f64,
    /// Who says so, beside the line: "Marx 2022".
    pub source: String,
    /// The rule and its source in full, for the table.
    pub says: String,
}

/// A published cut-off.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The score at which it is reached.
    pub value: f64,
    /// Who says so, beside the line: "National Center for PTSD".
    pub source: String,
    /// What it says and its source in full, for the table.
    pub says: String,
}

/// A course of medication.
#[derive(Clone, Debug)]
pub struct Course {
    /// "Prazosin 2 mg".
    pub what: String,
    /// From when to when; open when it goes on.
    pub happened: Happened,
}

/// How a chart is drawn.
#[derive(Copy, Clone, Debug)]
pub struct Drawing<'a> {
    /// Unique on the page.
    pub id: &'a str,
    /// First and last microsecond of the axis.
    pub span: (i64, i64),
    /// Smaller, for beside another.
    pub small: bool,
    /// The page shows what was known then: square marks.
    pub then: bool,
}

/// Where a score stands to the band.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing to compare with, or no reliable change.
    Within,
    /// Reliably better.
    Better,
    /// Reliably worse.
    Worse,
}

impl Series {
    /// Where a score stands to the band.
    pub fn standing(&self, value: f64) -> Standing {
        let Some(band) = &self.band else {
            return Standing::Within;
        };
        let up = value - band.baseline;
        if up.abs() < band.by {
            Standing::Within
        } else if (up > 0.0) == self.higher_is_worse {
            Standing::Worse
        } else {
            Standing::Better
        }
    }

    /// The words for [`Series::standing`].
    pub fn standing_words(&self, value: f64) -> &'static str {
        match (self.standing(value), &self.band) {
            (_, None) => "no rule of change",
            (Standing::Within, _) => "no reliable change",
            (Standing::Better, _) => "reliable improvement",
            (Standing::Worse, _) => "reliable worsening",
        }
    }
}

struct Frame {
    width: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

const SIZE: f64 = 13.0;
const BAR: f64 = 22.0;
const BARS_MOST: usize = 6;

/// Draws one instrument, and the courses beneath it.
pub fn draw(series: &Series, courses: &[Course], how: Drawing<'_>) -> Markup {
    let (width, tall) = if how.small {
        (480.0, 150.0)
    } else {
        (840.0, 190.0)
    };
    let gutter = if how.small { 150.0 } else { 168.0 };
    let frame = Frame {
        width,
        left: 34.0,
        right: width - gutter,
        top: 16.0,
        bottom: 16.0 + tall,
    };
    let x = Scale::time(how.span, (frame.left + 8.0, frame.right - 8.0));
    let y = Scale {
        from: series.scale,
        to: (frame.bottom, frame.top),
    };
    let (bars, lanes) = bars(courses, &x, &frame, how);
    let axis = frame.bottom + 8.0 + BAR * lanes as f64;
    let height = axis + 26.0;
    let title = format!("{} over time", series.name);
    let body = html! {
        (grid(series, &y, &frame))
        (band(series, &y, &frame))
        @for (at, words) in months(how.span, if how.small { 5 } else { 9 }) {
            (line("tick", (x.at(at as f64), frame.top), (x.at(at as f64), axis)))
            text class="axis middle" x=(n(x.at(at as f64))) y=(n(axis + 17.0)) { (words) }
        }
        (bars)
        (gutter_words(series, &y, &frame))
        (marks(series, &x, &y, &frame, how.then))
    };
    plate(
        how.id,
        if how.small { "score small" } else { "score" },
        (width, height),
        &title,
        &description(series, courses, how.span),
        body,
    )
}

/// The chart in sentences.
fn description(series: &Series, courses: &[Course], span: (i64, i64)) -> String {
    let mut words = match (series.points.first(), series.points.last()) {
        (Some(first), Some(last)) if series.points.len() > 1 => format!(
            "{} scores from {} to {}: first {}, latest {} ({}).",
            series.points.len(),
            when::day(first.happened.start),
            when::day(last.happened.start),
            first.words,
            last.words,
            series.standing_words(last.value),
        ),
        (Some(only), _) => format!(
            "One score, {}, on {}.",
            only.words,
            when::day(only.happened.start)
        ),
        _ => "No score.".to_owned(),
    };
    if let Some(cut) = &series.cut {
        words.push_str(&format!(" Cut-off {} ({}).", cut.value, cut.source));
    }
    let shown = courses
        .iter()
        .filter(|course| overlaps(course, span))
        .count();
    if shown > 0 {
        words.push_str(&format!(" Beneath: {shown} courses of medication."));
    }
    words.push_str(" The table below has every value.");
    words
}

fn overlaps(course: &Course, span: (i64, i64)) -> bool {
    course.happened.start <= span.1 && course.happened.end > span.0
}

fn grid(series: &Series, y: &Scale, frame: &Frame) -> Markup {
    let (low, high) = series.scale;
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0]
        .into_iter()
        .find(|step| (high - low) / step <= 5.0)
        .unwrap_or(1000.0);
    let mut values = Vec::new();
    let mut value = (low / step).ceil() * step;
    while value <= high && values.len() < 12 {
        values.push(value);
        value += step;
    }
    html! {
        @for value in values {
            (line("grid", (frame.left, y.at(value)), (frame.right, y.at(value))))
            text class="axis end" x=(n(frame.left - 6.0)) y=(n(y.at(value) + 4.5)) { (n(value)) }
        }
    }
}

/// The band of no reliable change, and the cut-off.
fn band(series: &Series, y: &Scale, frame: &Frame) -> Markup {
    let (low, high) = series.scale;
    html! {
        @if let Some(band) = &series.band {
            @let upper = (band.baseline + band.by).min(high);
            @let lower = (band.baseline - band.by).max(low);
            rect class="band" x=(n(frame.left)) y=(n(y.at(upper))) width=(n(frame.right - frame.left))
                height=(n((y.at(lower) - y.at(upper)).max(0.0))) {}
            @for edge in [band.baseline + band.by, band.baseline - band.by] {
                @if edge > low && edge < high {
                    (line("edge", (frame.left, y.at(edge)), (frame.right, y.at(edge))))
                }
            }
        }
        @if let Some(cut) = &series.cut {
            (line("cut", (frame.left, y.inside(cut.value)), (frame.right, y.inside(cut.value))))
        }
    }
}

/// What the lines mean, beside them, at least a line of text apart.
fn gutter_words(series: &Series, y: &Scale, frame: &Frame) -> Markup {
    let (low, high) = series.scale;
    let mut words: Vec<(f64, Vec<String>)> = Vec::new();
    if let Some(band) = &series.band {
        for (edge, up) in [
            (band.baseline + band.by, true),
            (band.baseline - band.by, false),
        ] {
            if edge <= low || edge >= high {
                continue;
            }
            let what = if up == series.higher_is_worse {
                "worse"
            } else {
                "better"
            };
            let side = if up { "and up" } else { "and down" };
            words.push((y.at(edge), vec![format!("{} {side}: {what}", n(edge))]));
        }
    }
    let room = frame.width - frame.right - 14.0;
    if let Some(cut) = &series.cut {
        let mut lines = vec![format!("Cut-off {}", n(cut.value))];
        lines.extend(wrapped(&cut.source, room));
        words.push((y.inside(cut.value), lines));
    }
    words.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut next = frame.top - 4.0;
    let mut placed = Vec::new();
    for (wanted, lines) in words {
        let tall = 14.0 * lines.len() as f64;
        let top = (wanted - tall / 2.0).max(next);
        next = top + tall + 3.0;
        placed.push((wanted, top, tall, lines));
    }
    html! {
        @for (wanted, top, tall, lines) in placed {
            (line("leader", (frame.right, wanted), (frame.right + 8.0, top + tall / 2.0)))
            @for (index, words) in lines.iter().enumerate() {
                (text(if index == 0 { "note strong" } else { "note" },
                    (frame.right + 11.0, top + 11.0 + 14.0 * index as f64), &fit(words, 12.0, room)))
            }
        }
    }
}

/// Words in at most two lines of a width; what is left over ends in an ellipsis.
fn wrapped(words: &str, room: f64) -> Vec<String> {
    let cut = words
        .char_indices()
        .filter(|(at, c)| *c == ' ' && text_width(&words[..*at], 12.0) <= room)
        .map(|(at, _)| at)
        .next_back();
    match cut {
        Some(at) if text_width(words, 12.0) > room => {
            vec![words[..at].to_owned(), words[at + 1..].to_owned()]
        }
        _ => vec![words.to_owned()],
    }
}

/// The line, the marks, and as many values as find room: first and last before the others.
fn marks(series: &Series, x: &Scale, y: &Scale, frame: &Frame, then: bool) -> Markup {
    let places: Vec<(f64, f64)> = series
        .points
        .iter()
        .map(|point| (x.inside(point.happened.start as f64), y.inside(point.value)))
        .collect();
    let path: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{},{}", n(*x), n(*y)))
        .collect();
    let mut order: Vec<usize> = (0..places.len()).collect();
    let last = places.len().saturating_sub(1);
    order.sort_by_key(|index| {
        if *index == last {
            0
        } else if *index == 0 {
            1
        } else {
            2 + index
        }
    });
    let mut taken: Vec<(f64, f64, f64, f64)> = places
        .iter()
        .map(|(x, y)| (x - 6.0, y - 6.0, x + 6.0, y + 6.0))
        .collect();
    let mut values = Vec::new();
    for index in order {
        let (cx, cy) = places[index];
        let half = text_width(&fit(&series.points[index].words, SIZE, 90.0), SIZE) / 2.0;
        for base in [cy - 10.0, cy + 20.0] {
            let room = (cx - half, base - 11.0, cx + half, base + 2.0);
            let clear = room.1 >= frame.top - 14.0
                && room.3 <= frame.bottom + 4.0
                && !taken.iter().any(|other| {
                    room.0 < other.2 && other.0 < room.2 && room.1 < other.3 && other.1 < room.3
                });
            if clear {
                taken.push(room);
                values.push((index, base));
                break;
            }
        }
    }
    html! {
        @if places.len() > 1 { polyline class="line" points=(path.join(" ")) {} }
        @for (index, (cx, cy)) in places.iter().enumerate() {
            @let point = &series.points[index];
            g class="mark" {
                title { (when::day(point.happened.start)) ": " (point.words) ", " (series.standing_words(point.value)) }
                (mark(series.standing(point.value), then, *cx, *cy))
            }
        }
        @for (index, base) in values {
            text class="value middle" x=(n(places[index].0)) y=(n(base)) { (fit(&series.points[index].words, SIZE, 90.0)) }
        }
    }
}

/// One mark; the shape carries the meaning.
pub fn mark(standing: Standing, then: bool, x: f64, y: f64) -> Markup {
    let class = if standing == Standing::Within {
        "open"
    } else {
        "dot"
    };
    html! {
        @if standing == Standing::Worse {
            path class=(class) d={ "M" (n(x)) " " (n(y - 7.0)) "l7 7-7 7-7-7z" } {}
        } @else if then {
            rect class=(class) x=(n(x - 4.5)) y=(n(y - 4.5)) width="9" height="9" {}
        } @else {
            circle class=(class) cx=(n(x)) cy=(n(y)) r="5" {}
        }
    }
}

/// The courses of medication, in lanes. What goes on has no right end.
fn bars(courses: &[Course], x: &Scale, frame: &Frame, how: Drawing<'_>) -> (Markup, usize) {
    let mut lanes = Lanes::default();
    let mut placed = Vec::new();
    for course in courses.iter().filter(|course| overlaps(course, how.span)) {
        let from = x.inside(course.happened.start as f64);
        let to = x.inside(course.happened.end as f64).max(from + 4.0);
        let ends = course.happened.end <= how.span.1;
        // The words stand in the bar, or else behind it.
        let inside = to - from - 10.0;
        let words = if text_width(&course.what, 12.0) <= inside || inside > frame.width - to - 20.0
        {
            (from + 6.0, fit(&course.what, 12.0, inside))
        } else {
            (
                to + if ends { 5.0 } else { 14.0 },
                fit(&course.what, 12.0, frame.width - to - 20.0),
            )
        };
        let lane = lanes.pack((from, to.max(words.0 + text_width(&words.1, 12.0)) + 8.0));
        placed.push((lane, from, to, ends, words, course));
    }
    let shown = lanes.len().min(BARS_MOST);
    let hidden = placed.iter().filter(|bar| bar.0 >= shown).count();
    let top = |lane: usize| frame.bottom + 8.0 + BAR * lane as f64;
    let markup = html! {
        @for (lane, from, to, ends, words, course) in placed.iter().filter(|bar| bar.0 < shown) {
            @let y = top(*lane);
            g {
                title { (course.what) ", " (course.happened.words()) }
                rect class="bar" x=(n(*from)) y=(n(y + 2.0)) width=(n(to - from)) height=(n(BAR - 4.0)) {}
                @if !ends {
                    path class="bar on" d={ "M" (n(to - 1.0)) " " (n(y + 2.0)) "l9 " (n((BAR - 4.0) / 2.0)) "-9 " (n((BAR - 4.0) / 2.0)) "z" } {}
                }
                (text("bartext", (words.0, y + 15.0), &words.1))
            }
        }
        @if hidden > 0 {
            text class="note" x=(n(frame.right + 11.0)) y=(n(top(shown) - 6.0)) { "and " (hidden) " more below" }
        }
    };
    (markup, shown)
}
