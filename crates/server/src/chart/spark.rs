//! A small trend: a line without axes, the first and the last value marked. Only ever drawn
//! beside the words that say the same.

use maud::{Markup, html};

use super::{Scale, n};

const WIDTH: f64 = 112.0;
const HEIGHT: f64 = 28.0;

/// One value: when (microseconds) and how much.
pub type Point = (i64, f64);

/// Draws the trend on the whole scale of the instrument, so that two people's trends compare.
/// The last mark is square in a page of the past (`then`), round otherwise.
/// Decorative by itself: the words stand beside it, and it is hidden from screen readers.
pub fn draw(points: &[Point], scale: (f64, f64), then: bool) -> Markup {
    let mut points = points.to_vec();
    points.sort_by_key(|point| point.0);
    let span = (
        points.first().map_or(0, |point| point.0),
        points.last().map_or(0, |point| point.0),
    );
    let x = Scale::time(span, (5.0, WIDTH - 6.0));
    let y = Scale {
        from: scale,
        to: (HEIGHT - 4.0, 4.0),
    };
    let at = |point: &Point| (x.at(point.0 as f64), y.inside(point.1));
    let path: Vec<String> = points
        .iter()
        .map(|point| {
            let (x, y) = at(point);
            format!("{},{}", n(x), n(y))
        })
        .collect();
    html! {
        svg class="spark" viewBox={ "0 0 " (n(WIDTH)) " " (n(HEIGHT)) } width=(n(WIDTH)) height=(n(HEIGHT))
            aria-hidden="true" focusable="false" {
            rect class="plate" width=(n(WIDTH)) height=(n(HEIGHT)) {}
            line class="grid" x1="0" y1=(n(HEIGHT - 4.0)) x2=(n(WIDTH)) y2=(n(HEIGHT - 4.0)) {}
            @if points.len() > 1 { polyline class="line" points=(path.join(" ")) {} }
            @if let (Some(first), Some(last)) = (points.first(), points.last()) {
                @if points.len() > 1 { (mark("open", at(first), 2.5, then)) }
                (mark("dot", at(last), 3.5, then))
            }
        }
    }
}

fn mark(class: &str, (x, y): (f64, f64), half: f64, then: bool) -> Markup {
    html! {
        @if then {
            rect class=(class) x=(n(x - half)) y=(n(y - half)) width=(n(2.0 * half)) height=(n(2.0 * half)) {}
        } @else {
            circle class=(class) cx=(n(x)) cy=(n(y)) r=(n(half)) {}
        }
    }
}
