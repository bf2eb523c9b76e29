//! How a person's scores go, and the answers that add up to them.

use super::chance::Chance;
use super::person::{Person, Track};

/// The hidden course under one person's scores.
pub struct Trajectory {
    track: Track,
    enrolled: i64,
    base: f64,
    swing: f64,
    low_mood: f64,
    body: f64,
    memory: f64,
    /// When the study medicine was begun and stopped, in days.
    study: Option<(i64, Option<i64>)>,
    habits: [Vec<f64>; 3],
}

/// Rises from 0 towards 1; half way after `half`. (No `exp`: it is not the same everywhere.)
fn towards(weeks: f64, half: f64) -> f64 {
    let weeks = weeks.max(0.0);
    weeks / (weeks + half)
}

impl Trajectory {
    /// The course of this person. `study`: days on which the study medicine is begun and stopped.
    pub fn new(
        person: &Person,
        study: Option<(i64, Option<i64>)>,
        chance: &mut Chance,
    ) -> Trajectory {
        let (base, swing) = match person.track {
            Track::Improving => (46.0 + 6.0 * chance.normal(), 24.0 + 14.0 * chance.unit()),
            Track::Unchanged => (44.0 + 8.0 * chance.normal(), 8.0 * chance.unit() - 4.0),
            Track::Worsening => (34.0 + 4.0 * chance.normal(), 26.0 + 8.0 * chance.unit()),
            Track::Forgetting => (52.0 + 5.0 * chance.normal(), 30.0 + 6.0 * chance.unit()),
        };
        let habit = |count: usize, chance: &mut Chance| -> Vec<f64> {
            (0..count).map(|_| 0.6 + 0.8 * chance.unit()).collect()
        };
        Trajectory {
            track: person.track,
            enrolled: person.enrolled,
            base: base.clamp(20.0, 70.0),
            swing,
            low_mood: 0.24 + 0.08 * chance.unit(),
            body: 14.0 + 12.0 * chance.unit(),
            memory: 3.0 + 3.0 * chance.unit(),
            study,
            habits: [habit(20, chance), habit(8, chance), habit(22, chance)],
        }
    }

    /// Weeks for which the study medicine has been taken on a day, stopped or not.
    pub fn study_weeks(&self, day: i64) -> f64 {
        let Some((start, stop)) = self.study else {
            return 0.0;
        };
        let until = stop.map_or(day, |stop| day.min(stop));
        ((until - start) as f64 / 7.0).max(0.0)
    }

    /// Distress on the scale of the PCL-5, without noise.
    fn distress(&self, day: i64) -> f64 {
        let weeks = (day - self.enrolled) as f64 / 7.0;
        match self.track {
            Track::Improving => self.base - self.swing * towards(weeks, 14.0),
            Track::Unchanged => self.base + self.swing * towards(weeks, 20.0),
            Track::Worsening => self.base + self.swing * towards(weeks, 18.0),
            Track::Forgetting => {
                self.base
                    - 4.0 * towards(weeks, 20.0)
                    - self.swing * towards(self.study_weeks(day), 9.0)
            }
        }
    }

    /// -1 better, 0 the same, 1 worse than at the start.
    pub fn tide(&self, day: i64) -> i32 {
        match self.distress(day) - self.base {
            d if d <= -9.0 => -1,
            d if d >= 9.0 => 1,
            _ => 0,
        }
    }

    /// How much memory has gone: 0 not at all to 3 a good deal.
    pub fn forgets(&self, day: i64) -> usize {
        match self.study_weeks(day) {
            w if w < 4.0 => 0,
            w if w < 10.0 => 1,
            w if w < 20.0 => 2,
            _ => 3,
        }
    }

    /// Twenty answers of the PCL-5.
    pub fn pcl5(&self, day: i64, chance: &mut Chance) -> Vec<u8> {
        let total = self.distress(day) + 2.6 * chance.normal();
        spread(total.clamp(1.0, 79.0) as u16, 4, &self.habits[0], chance)
    }

    /// Nine answers of the PHQ-9; the ninth is given.
    pub fn phq9(&self, day: i64, ninth: u8, chance: &mut Chance) -> Vec<u8> {
        let total = self.distress(day) * self.low_mood + 1.3 * chance.normal();
        let mut answers = spread(total.clamp(0.0, 23.0) as u16, 3, &self.habits[1], chance);
        answers.push(ninth);
        answers
    }

    /// Twenty-two answers of the NSI.
    pub fn nsi(&self, day: i64, chance: &mut Chance) -> Vec<u8> {
        let eased = self.body * (0.6 + 0.4 * self.distress(day) / self.base);
        let rest = (eased + 1.6 * chance.normal()).clamp(2.0, 70.0);
        let lost = 10.5 * towards(self.study_weeks(day), 14.0);
        let memory = (self.memory + lost + 0.7 * chance.normal()).clamp(0.0, 16.0);
        let others: Vec<f64> = (0..22)
            .filter(|i| !(12..16).contains(i))
            .map(|i| self.habits[2][i])
            .collect();
        let mut answers = spread(rest as u16, 4, &others, chance);
        let cognitive = spread(memory.round() as u16, 4, &self.habits[2][12..16], chance);
        answers.splice(12..12, cognitive);
        answers
    }
}

/// Answers from 0 to `max`, one for each weight, that add up to `total` (as far as there is room);
/// heavier items get more.
pub fn spread(total: u16, max: u8, weights: &[f64], chance: &mut Chance) -> Vec<u8> {
    let sum: f64 = weights.iter().sum();
    let mut answers: Vec<u8> = weights
        .iter()
        .map(|w| (f64::from(total) * w / sum).clamp(0.0, f64::from(max)) as u8)
        .collect();
    let room = usize::from(max) * answers.len();
    let mut left =
        usize::from(total).min(room) - answers.iter().map(|a| usize::from(*a)).sum::<usize>();
    while left > 0 {
        let place = chance.below(answers.len());
        if answers[place] < max {
            answers[place] += 1;
            left -= 1;
        }
    }
    // Nobody fills in a form evenly: move a few points about.
    for _ in 0..answers.len() / 3 {
        let (from, to) = (chance.below(answers.len()), chance.below(answers.len()));
        if from != to && answers[from] > 0 && answers[to] < max {
            answers[from] -= 1;
            answers[to] += 1;
        }
    }
    answers
}

/// The total with its digits the wrong way round, or ten too many: what a tired hand copies.
pub fn miscopied(total: u16) -> u16 {
    let turned = total % 10 * 10 + total / 10;
    if total >= 10 && turned != total && turned <= 80 {
        turned
    } else {
        (total + 10).min(80)
    }
}

/// Days between two fillings of the same form.
pub const EVERY: [(&str, i64); 3] = [("pcl-5", 26), ("phq-9", 26), ("nsi", 40)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_add_up_to_the_total_or_to_what_there_is_room_for() {
        let mut chance = Chance::new(3, 3);
        for total in 0..=90u16 {
            let weights: Vec<f64> = (0..20).map(|_| 0.6 + chance.unit()).collect();
            let answers = spread(total, 4, &weights, &mut chance);
            let sum: u16 = answers.iter().map(|a| u16::from(*a)).sum();
            assert_eq!(sum, total.min(80));
            assert!(answers.iter().all(|a| *a <= 4));
        }
    }

    #[test]
    fn a_miscopied_total_is_another_one_on_the_scale() {
        for total in 0..=80 {
            assert!(miscopied(total) <= 80);
            assert!(total == 80 || miscopied(total) != total, "{total}");
        }
    }
}
