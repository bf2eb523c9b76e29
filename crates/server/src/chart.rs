//! Charts: SVG drawn on the server from plain facts. No script, no style of its own (`class`
//! attributes only; `assets/homecoming.css` holds every colour), no clock, no record.
//!
//! Every chart is one `<svg role="img">` with a title and a description, on a white plate that
//! forced colours leave alone. A chart never carries a fact that the table beside it does not.
//! Words are packed into lanes by their measured width ([`text_width`]), so that labels never
//! collide, and what does not fit stays in the table: the chart says how many.

pub mod event;
mod label;
pub mod score;
pub mod spark;
pub mod square;
pub mod wide;

use maud::{Markup, PreEscaped, html};

use crate::web::when;

/// The outer element of a chart: `id` must be unique on the page.
pub(crate) fn plate(
    id: &str,
    class: &str,
    size: (f64, f64),
    title: &str,
    desc: &str,
    body: Markup,
) -> Markup {
    let (title_id, desc_id) = (format!("{id}-title"), format!("{id}-desc"));
    html! {
        svg class={ "chart " (class) } viewBox={ "0 0 " (n(size.0)) " " (n(size.1)) } role="img"
            aria-labelledby=(title_id) aria-describedby=(desc_id) {
            title id=(title_id) { (title) }
            desc id=(desc_id) { (desc) }
            rect class="plate" width=(n(size.0)) height=(n(size.1)) {}
            (body)
        }
    }
}

/// A number for an SVG attribute: at most one decimal, and always finite.
pub(crate) fn n(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let tenths = (value * 10.0).round() as i64;
    if tenths % 10 == 0 {
        (tenths / 10).to_string()
    } else {
        format!("{:.1}", tenths as f64 / 10.0)
    }
}

/// A straight line.
pub(crate) fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Markup {
    html! { line class=(class) x1=(n(from.0)) y1=(n(from.1)) x2=(n(to.0)) y2=(n(to.1)) {} }
}

/// Words, anchored at their start.
pub(crate) fn text(class: &str, at: (f64, f64), words: &str) -> Markup {
    html! { text class=(class) x=(n(at.0)) y=(n(at.1)) { (words) } }
}

/// Ready markup that holds nothing.
pub(crate) fn nothing() -> Markup {
    PreEscaped(String::new())
}

/// A boxed conflict tag ("C1") whose left edge and middle are given; [`tag_width`] wide.
pub(crate) fn tag(number: usize, left: f64, middle: f64) -> Markup {
    let width = tag_width(number);
    html! {
        g class="tag" {
            rect x=(n(left)) y=(n(middle - 9.0)) width=(n(width)) height="18" {}
            text x=(n(left + width / 2.0)) y=(n(middle + 4.5)) { "C" (number) }
        }
    }
}

/// How wide the tag of a conflict is.
pub(crate) fn tag_width(number: usize) -> f64 {
    14.0 + 8.0 * (1 + number.max(1).ilog10() + 1) as f64
}

/// How wide words are in the system's sans-serif faces, in pixels at a font size: a little more
/// than the widest of the usual ones, because an overestimate only costs room.
pub fn text_width(words: &str, size: f64) -> f64 {
    let em: f64 = words
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '\'' | '.' | ',' | ':' | ';' | '|' | '!' => 0.30,
            'f' | 't' | 'r' | 'I' | ' ' | '(' | ')' | '[' | ']' | '/' | '-' => 0.38,
            'm' | 'M' | 'W' | '@' | '%' => 0.95,
            'w' | 'A'..='Z' | '&' | '+' | '<' | '=' | '>' | '#' => 0.76,
            '\u{0}'..='\u{2ff}' => 0.60,
            _ => 1.05,
        })
        .sum();
    em * size
}

/// Words cut to a width, with an ellipsis where something is missing.
pub fn fit(words: &str, size: f64, width: f64) -> String {
    if text_width(words, size) <= width {
        return words.to_owned();
    }
    let mut kept = String::new();
    for c in words.chars() {
        if text_width(&kept, size) + text_width(&c.to_string(), size) + size > width {
            break;
        }
        kept.push(c);
    }
    format!("{}\u{2026}", kept.trim_end())
}

/// A straight map from one range to another. An empty range maps to its middle.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Scale {
    pub from: (f64, f64),
    pub to: (f64, f64),
}

impl Scale {
    pub fn time(from: (i64, i64), to: (f64, f64)) -> Scale {
        Scale {
            from: (from.0 as f64, from.1 as f64),
            to,
        }
    }

    pub fn at(&self, value: f64) -> f64 {
        let span = self.from.1 - self.from.0;
        if span <= 0.0 {
            return (self.to.0 + self.to.1) / 2.0;
        }
        self.to.0 + (value - self.from.0) / span * (self.to.1 - self.to.0)
    }

    /// As [`Scale::at`], but never outside.
    pub fn inside(&self, value: f64) -> f64 {
        self.at(value.clamp(self.from.0, self.from.1.max(self.from.0)))
    }
}

/// First days of months (or of every second, third, sixth, twelfth...) inside a span, at most
/// `most` of them, each with its words: the year where it turns, else the month.
pub(crate) fn months(span: (i64, i64), most: usize) -> Vec<(i64, String)> {
    let (first, last) = (when::civil(span.0), when::civil(span.1));
    let (from, to) = (
        first.year * 12 + first.month - 1,
        last.year * 12 + last.month - 1,
    );
    let step = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12_000, 120_000]
        .into_iter()
        .find(|step| ((to - from) / step) < most as i64)
        .unwrap_or(1_200_000);
    let mut found = Vec::new();
    let mut month = from.div_euclid(step) * step;
    while month <= to {
        let start = when::at_day(month.div_euclid(12), month.rem_euclid(12) + 1, 1);
        if start >= span.0 && start <= span.1 {
            let name = when::month_name(month.rem_euclid(12) + 1);
            let year = month.div_euclid(12);
            let words = match (found.is_empty() || month.rem_euclid(12) == 0, step >= 12) {
                (_, true) => year.to_string(),
                (true, false) => format!("{name} {year}"),
                (false, false) => name.to_owned(),
            };
            found.push((start, words));
        }
        month += step;
    }
    found
}

/// Ranges of one axis that are taken, lane by lane.
#[derive(Default, Clone, Debug)]
pub(crate) struct Lanes(Vec<Vec<(f64, f64)>>);

impl Lanes {
    pub fn free(&self, lane: usize, range: (f64, f64)) -> bool {
        self.0.get(lane).is_none_or(|taken| {
            taken
                .iter()
                .all(|other| range.1 <= other.0 || other.1 <= range.0)
        })
    }

    pub fn take(&mut self, lane: usize, range: (f64, f64)) {
        if self.0.len() <= lane {
            self.0.resize(lane + 1, Vec::new());
        }
        self.0[lane].push(range);
    }

    /// Takes the first lane in which the range is free.
    pub fn pack(&mut self, range: (f64, f64)) -> usize {
        let mut lane = 0;
        while !self.free(lane, range) {
            lane += 1;
        }
        self.take(lane, range);
        lane
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_inside() {
        for (from, to, most) in [
            ((2026, 3, 5), (2026, 6, 20), 8),
            ((2024, 1, 1), (2026, 6, 20), 7),
            ((1950, 1, 1), (2026, 6, 20), 9),
            ((2026, 3, 5), (2026, 3, 5), 9),
        ] {
            let span = (
                when::at_day(from.0, from.1, from.2),
                when::at_day(to.0, to.1, to.2),
            );
            let ticks = months(span, most);
            assert!(ticks.len() <= most, "{ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|tick| tick.0 >= span.0 && tick.0 <= span.1)
            );
        }
        assert!(months((i64::MIN / 2, i64::MAX / 2), 8).len() <= 8);
    }

    #[test]
    fn packed_ranges_never_overlap() {
        let mut lanes = Lanes::default();
        let placed: Vec<usize> = [(0.0, 10.0), (5.0, 9.0), (10.0, 20.0), (8.0, 12.0)]
            .map(|range| lanes.pack(range))
            .into();
        assert_eq!(placed, [0, 1, 0, 2]);
        assert_eq!(lanes.len(), 3);
    }

    #[test]
    fn words_are_cut_to_their_room() {
        assert_eq!(fit("Short", 14.0, 100.0), "Short");
        let cut = fit(
            "Missed visit; entered as attended, corrected later",
            14.0,
            120.0,
        );
        assert!(
            cut.ends_with('\u{2026}') && text_width(&cut, 14.0) <= 130.0,
            "{cut}"
        );
    }
}
