//! Words above the axis of the wide frame, in lanes that never collide.
//!
//! Words run to the right of their stem, so a set of labels is laid out from right to left, in
//! stairs, and no stem ever crosses words. First every conflict's tag finds its place (conflicts
//! so close that their stems would touch share a label); then events are given words one by one,
//! in the order of their weight, as long as all of them still find a lane. Where there are too
//! many conflicts for stairs, their tags stand in columns, and nothing has words.

use maud::{Markup, html};

use super::event::Event;
use super::{fit, n, tag, tag_width, text_width};
use crate::web::when;

/// Size of the words, in pixels.
pub(super) const SIZE: f64 = 13.5;
/// More events than this are drawn smaller, with shorter words.
pub(super) const CROWD: usize = 60;
/// Widest words.
const WORDS_WIDE: f64 = 330.0;
/// Lanes that tags alone may take.
const LANES_MOST: usize = 16;
/// How far apart columns of tags stand.
const COLUMN: f64 = 46.0;
/// Conflicts whose stems are closer than this share a label.
const NEAR: f64 = 12.0;

/// A label that has found its place.
pub(super) struct Label {
    /// From the axis upwards, from 0.
    pub lane: usize,
    /// Where its stems stand, and the event of each.
    pub stems: Vec<(f64, usize)>,
    left: f64,
    tags: Vec<usize>,
    date: String,
    /// What happened; empty if only the tags found room.
    pub words: String,
}

/// How words are set.
#[derive(Copy, Clone)]
struct Style {
    /// There are many events: shorter words.
    crowded: bool,
    /// The events are so far apart that a day without its year says nothing.
    long: bool,
}

/// One or more events that want a label: their stems from left to right.
#[derive(Clone)]
struct Wish {
    stems: Vec<(f64, usize)>,
    tags: Vec<usize>,
    worded: bool,
    width: f64,
}

impl Wish {
    fn left(&self) -> f64 {
        self.stems[0].0
    }

    fn right_stem(&self) -> f64 {
        self.stems[self.stems.len() - 1].0
    }

    fn tags_wide(&self) -> f64 {
        self.tags.iter().map(|tag| tag_width(*tag) + 4.0).sum()
    }

    /// Date and words, in the room to the right of the tags.
    fn words(&self, events: &[Event], style: Style) -> (String, String) {
        let first = &events[self.stems[0].1];
        let date = if style.long {
            when::month(first.place())
        } else {
            when::day_short(first.place())
        };
        let more = match self.stems.len() {
            1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        let used = self.left()
            + self.tags_wide()
            + text_width(&date, SIZE)
            + text_width(&more, SIZE)
            + 16.0;
        let room = (super::wide::WIDTH - used).min(if style.crowded {
            WORDS_WIDE / 2.0
        } else {
            WORDS_WIDE
        });
        (date, fit(&first.now().what, SIZE, room) + &more)
    }

    fn with_words(&self, events: &[Event], style: Style) -> Wish {
        let (date, words) = self.words(events, style);
        let width = self.tags_wide() + text_width(&date, SIZE) + text_width(&words, SIZE) + 12.0;
        Wish {
            worded: true,
            width,
            ..self.clone()
        }
    }
}

/// Labels for as many of the shown events as there is room for. `shown` is in the order of time,
/// `lanes_most` says how many lanes words may fill.
pub(super) fn pack(
    events: &[Event],
    shown: &[usize],
    tags: &[Vec<usize>],
    place: &dyn Fn(i64) -> f64,
    lanes_most: usize,
) -> Vec<Label> {
    let places = || shown.iter().map(|index| events[*index].place());
    let span = places()
        .max()
        .unwrap_or(0)
        .saturating_sub(places().min().unwrap_or(0));
    let style = Style {
        crowded: shown.len() > CROWD,
        long: span > 400 * when::DAY,
    };
    let stem = |index: usize| (place(events[index].place()), index);
    let mut chosen = tagged(shown, tags, &stem, NEAR);
    // From right to left, as `lay` wants them.
    chosen.reverse();
    let Some(needed) = lay(&chosen, LANES_MOST) else {
        return columns(&tagged(shown, tags, &stem, COLUMN));
    };
    let needed = needed.into_iter().max().map_or(0, |lane| lane + 1);
    let most = needed.max(lanes_most);
    // Words for the conflicts, in the order of their tags.
    let mut order: Vec<usize> = chosen.iter().map(|wish| wish.stems[0].1).collect();
    order.sort_by_key(|index| tags[*index].first().copied());
    for event in order {
        let Some(at) = chosen.iter().position(|wish| wish.stems[0].1 == event) else {
            continue;
        };
        let bare = chosen[at].clone();
        chosen[at] = bare.with_words(events, style);
        if lay(&chosen, most).is_none() {
            chosen[at] = bare;
        }
    }
    // Words for the others: what weighs most first, later before earlier.
    let mut others: Vec<usize> = shown
        .iter()
        .copied()
        .filter(|index| tags[*index].is_empty())
        .collect();
    others.sort_by_key(|index| {
        (
            std::cmp::Reverse(events[*index].row.weight()),
            events[*index].place().saturating_neg(),
        )
    });
    for event in others {
        let wish = Wish {
            stems: vec![stem(event)],
            tags: Vec::new(),
            worded: false,
            width: 0.0,
        }
        .with_words(events, style);
        let at = chosen.partition_point(|other| other.left() > wish.left());
        chosen.insert(at, wish);
        if lay(&chosen, most).is_none() {
            chosen.remove(at);
        }
    }
    let lanes = lay(&chosen, most).unwrap_or_default();
    chosen
        .into_iter()
        .zip(lanes)
        .map(|(wish, lane)| {
            let (date, words) = if wish.worded {
                wish.words(events, style)
            } else {
                Default::default()
            };
            Label {
                lane,
                left: wish.left() - 3.0,
                stems: wish.stems,
                tags: wish.tags,
                date,
                words,
            }
        })
        .collect()
}

/// The conflicts' tags, those of neighbours together, from left to right.
fn tagged(
    shown: &[usize],
    tags: &[Vec<usize>],
    stem: &dyn Fn(usize) -> (f64, usize),
    near: f64,
) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = Vec::new();
    for index in shown
        .iter()
        .copied()
        .filter(|index| !tags[*index].is_empty())
    {
        let at = stem(index);
        match wishes.last_mut() {
            Some(wish) if at.0 - wish.left() < near => wish.stems.push(at),
            _ => wishes.push(Wish {
                stems: vec![at],
                tags: Vec::new(),
                worded: false,
                width: 0.0,
            }),
        }
        let Some(wish) = wishes.last_mut() else {
            continue;
        };
        for tag in &tags[index] {
            if !wish.tags.contains(tag) {
                wish.tags.push(*tag);
            }
        }
        wish.width = wish.tags_wide() + 2.0;
    }
    wishes
}

/// Tags one above the other, with the stems of all of them at the foot of the column; from top to
/// bottom they are in the order of time. A column that is too high loses its last tags.
fn columns(wishes: &[Wish]) -> Vec<Label> {
    let mut labels = Vec::new();
    for wish in wishes {
        let high = wish.tags.len().min(LANES_MOST);
        for (index, tag) in wish.tags.iter().take(high).enumerate() {
            let lane = high - 1 - index;
            labels.push(Label {
                lane,
                left: wish.left() - 3.0,
                stems: if lane == 0 {
                    wish.stems.clone()
                } else {
                    Vec::new()
                },
                tags: vec![*tag],
                date: String::new(),
                words: String::new(),
            });
        }
    }
    labels
}

/// The lane of each wish (which come from right to left), if there are enough lanes.
fn lay(wishes: &[Wish], most: usize) -> Option<Vec<usize>> {
    let mut lanes: Vec<usize> = Vec::with_capacity(wishes.len());
    for (index, wish) in wishes.iter().enumerate() {
        let end = wish.left() + wish.width.max(wish.right_stem() - wish.left() + 6.0);
        let fits = |lane: usize| {
            wishes[..index].iter().zip(&lanes).all(|(other, taken)| {
                // Clear of it altogether; or above its words, with stems to the left of them.
                end <= other.left() - 6.0
                    || (*taken < lane && wish.right_stem() + 3.0 < other.left() - 3.0)
            })
        };
        lanes.push((0..most).find(|lane| fits(*lane))?);
    }
    Some(lanes)
}

/// Draws a label with its middle at a height.
pub(super) fn draw(label: &Label, y: f64) -> Markup {
    let lefts: Vec<f64> = label
        .tags
        .iter()
        .scan(label.left, |left, number| {
            let here = *left;
            *left += tag_width(*number) + 4.0;
            Some(here)
        })
        .collect();
    let tags_wide: f64 = label.tags.iter().map(|tag| tag_width(*tag) + 4.0).sum();
    html! {
        g {
            @for (number, left) in label.tags.iter().zip(&lefts) { (tag(*number, *left, y)) }
            @if !label.words.is_empty() {
                text class="label" x=(n(label.left + tags_wide + 2.0)) y=(n(y + 4.5)) {
                    tspan class="date" { (label.date) } " " (label.words)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(at: f64, width: f64) -> Wish {
        Wish {
            stems: vec![(at, 0)],
            tags: Vec::new(),
            worded: true,
            width,
        }
    }

    #[test]
    fn no_stem_crosses_words_and_no_words_lie_on_words() {
        for seed in 1..200u64 {
            let mut state = seed;
            let mut draw = |most: u64| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 % most as f64
            };
            let mut wishes: Vec<Wish> =
                (0..14).map(|_| wish(draw(800), 20.0 + draw(200))).collect();
            wishes.sort_by(|one, other| other.left().total_cmp(&one.left()));
            let Some(lanes) = lay(&wishes, 40) else {
                continue;
            };
            for (one, lane) in wishes.iter().zip(&lanes) {
                for (other, above) in wishes.iter().zip(&lanes) {
                    if std::ptr::eq(one, other) {
                        continue;
                    }
                    let words = (one.left() - 3.0, one.left() + one.width);
                    let crossed = above > lane && other.left() > words.0 && other.left() < words.1;
                    let overlap = above == lane
                        && other.left() < words.1
                        && words.0 < other.left() + other.width;
                    assert!(
                        !crossed && !overlap,
                        "seed {seed}: {words:?} in lane {lane}, {} in lane {above}",
                        other.left()
                    );
                }
            }
        }
    }
}
