//! What caseworkers write after a session: short, plain, about this person, never graphic.
//!
//! A note is put together from fragments: how the person came in, how they sleep, what was
//! talked about, what was done with it, what was agreed. A fragment may have slots: words of
//! the person's own life, and `{this|that}` choices. A fragment that needs a wife or a dog is
//! only used for who has one, and nobody gets the same fragment again before the others of its
//! list have been used.

mod fragments;

use super::chance::Chance;
use super::person::{Life, Person, Pronoun};
use std::cell::RefCell;
use std::collections::HashSet;

use fragments::{
    AGREED, CALLS, CAME, DONE, FORGETS, FORGETS_CALLED, MEDICINE, MISSED, NEXT, REACHED, SAFETY,
    SLEEP, TOPICS, TRACKS,
};

/// What was written.
pub struct Text {
    /// One line: what it was about.
    pub topic: &'static str,
    /// The note.
    pub body: String,
}

/// Writes the notes of one person, remembering what has been used.
pub struct Notes<'p> {
    pronoun: Pronoun,
    life: &'p Life,
    chance: Chance,
    /// What anybody has written, so that no two notes are alike.
    written: &'p RefCell<HashSet<String>>,
    /// By a list's first fragment: which of it have been used.
    used: Vec<(&'static str, Vec<usize>)>,
}

/// How the person is at the moment, for the fragments that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tide {
    /// Better than at the start.
    Better,
    /// Much as at the start.
    Same,
    /// Worse than at the start.
    Worse,
}

impl<'p> Notes<'p> {
    /// The notes of this person.
    pub fn new(person: &'p Person, seed: u64, written: &'p RefCell<HashSet<String>>) -> Notes<'p> {
        Notes {
            pronoun: person.pronoun,
            life: &person.life,
            chance: Chance::new(seed, 1_000 + person.place as u64),
            written,
            used: Vec::new(),
        }
    }

    /// A session's note. `stage`: 0 intake to 3 discharge plan; `forgets`: 0 not at all to 3 a good deal.
    pub fn session(&mut self, stage: usize, tide: Tide, forgets: usize) -> Text {
        self.unlike_others(|notes| notes.one_session(stage, tide, forgets))
    }

    fn one_session(&mut self, stage: usize, tide: Tide, forgets: usize) -> Text {
        let (topic, lines) = {
            let of_stage: Vec<_> = TOPICS
                .iter()
                .filter(|t| t.stages.contains(&stage))
                .collect();
            let topic = self.chance.pick(&of_stage);
            (topic.name, topic.lines)
        };
        let mut body = vec![self.from(CAME)];
        if self.chance.percent(70) {
            body.push(self.from(SLEEP[tide as usize]));
        }
        let mut about = vec![self.from(lines), self.from(lines)];
        if self.chance.percent(45) {
            about.push(self.from(lines));
        }
        about.dedup();
        body.extend(about);
        if self.chance.percent(40) {
            body.push(self.from(TRACKS[tide as usize]));
        }
        if forgets > 0 && self.chance.percent(35 + 20 * forgets) {
            body.push(self.from(FORGETS[(forgets - 1).min(2)]));
        }
        body.push(self.from(DONE));
        if self.chance.percent(80) {
            body.push(self.from(AGREED));
        }
        if self.chance.percent(60) {
            body.push(self.from(NEXT));
        }
        Text {
            topic,
            body: body.join(" "),
        }
    }

    /// A few lines after a telephone call.
    pub fn call(&mut self, forgets: usize) -> Text {
        self.unlike_others(|notes| notes.one_call(forgets))
    }

    fn one_call(&mut self, forgets: usize) -> Text {
        let mut body = vec![self.from(CALLS), self.from(AGREED)];
        if forgets > 1 && self.chance.percent(40) {
            body.insert(1, self.from(FORGETS_CALLED));
        } else if self.chance.percent(60) {
            body.insert(1, self.from(CALLS));
        }
        body.dedup();
        Text {
            topic: "Check-in",
            body: body.join(" "),
        }
    }

    /// After a visit to the prescriber.
    pub fn medication(&mut self, what: &str) -> Text {
        self.unlike_others(|notes| {
            let (one, two) = (notes.from(MEDICINE), notes.from(MEDICINE));
            Text {
                topic: "Medication review",
                body: format!("{one} {two} {what}"),
            }
        })
    }

    /// After a call about safety.
    pub fn safety(&mut self) -> Text {
        self.unlike_others(|notes| {
            let (one, two) = (notes.from(SAFETY), notes.from(SAFETY));
            Text {
                topic: "Safety plan reviewed",
                body: format!("{one} {two} {}", notes.from(NEXT)),
            }
        })
    }

    /// After somebody did not come.
    pub fn missed(&mut self) -> Text {
        self.unlike_others(|notes| Text {
            topic: "Did not attend",
            body: format!(
                "Did not come. {} {}",
                notes.from(MISSED),
                notes.from(REACHED)
            ),
        })
    }

    /// Writes until nobody has written the same before.
    fn unlike_others(&mut self, write: impl Fn(&mut Self) -> Text) -> Text {
        let mut text = write(self);
        for _ in 0..40 {
            if self.written.borrow_mut().insert(text.body.clone()) {
                break;
            }
            text = write(self);
        }
        text
    }

    /// One fragment of a list, filled in.
    fn from(&mut self, list: &'static [&'static str]) -> String {
        let key = list[0];
        let place = match self.used.iter().position(|(k, _)| *k == key) {
            Some(place) => place,
            None => {
                self.used.push((key, Vec::new()));
                self.used.len() - 1
            }
        };
        let fits = |text: &str| {
            (self.life.partner.is_some() || !text.contains("{partner}"))
                && (self.life.child.is_some() || !text.contains("{child}"))
                && (self.life.pet.is_some() || !text.contains("{pet}"))
        };
        let mut open: Vec<usize> = (0..list.len())
            .filter(|n| fits(list[*n]) && !self.used[place].1.contains(n))
            .collect();
        if open.is_empty() {
            let last = self.used[place].1.last().copied();
            self.used[place].1.clear();
            open = (0..list.len())
                .filter(|n| fits(list[*n]) && Some(*n) != last)
                .collect();
        }
        let chosen = self.chance.pick(&open);
        self.used[place].1.push(chosen);
        self.fill(list[chosen])
    }

    fn fill(&mut self, text: &str) -> String {
        let out = self.expand(text);
        let mut whole = capital(&out);
        for end in [". ", "? "] {
            let parts: Vec<String> = whole.split(end).map(capital).collect();
            whole = parts.join(end);
        }
        match self.pronoun {
            Pronoun::They => plural(&whole),
            _ => whole,
        }
    }

    /// Puts words into the slots; a choice may hold slots of its own.
    fn expand(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 32);
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let mut depth = 0;
            let close = rest[open..].find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            let Some(close) = close else { break };
            out.push_str(&rest[..open]);
            let word = self.word(&rest[open + 1..open + close]);
            out.push_str(&word);
            rest = &rest[open + close + 1..];
        }
        out.push_str(rest);
        out
    }

    fn word(&mut self, slot: &str) -> String {
        const NUMBERS: [&str; 13] = [
            "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve",
        ];
        let choices = choices(slot);
        if choices.len() > 1 {
            let choice = self.chance.pick(&choices);
            return self.expand(choice);
        }
        if let Some((low, high)) = slot.split_once('-')
            && let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>())
        {
            let number = self.chance.between(low, high);
            return NUMBERS
                .get(number as usize)
                .map_or_else(|| number.to_string(), |word| (*word).to_owned());
        }
        let life = self.life;
        match slot {
            "they" => self.pronoun.subject(),
            "them" => self.pronoun.object(),
            "their" => self.pronoun.possessive(),
            "self" => self.pronoun.reflexive(),
            "partner" => life.partner.unwrap_or("partner"),
            "child" => life.child.unwrap_or("child"),
            "pet" => life.pet.unwrap_or("dog"),
            "hobby" => life.hobby,
            "aim" => life.aim,
            "kin" => life.kin,
            "work" => life.work,
            "day" => self.chance.pick(&[
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday",
            ]),
            other => other,
        }
        .to_owned()
    }
}

/// With a capital at the beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// The alternatives of a slot, those of slots inside it left whole.
fn choices(slot: &str) -> Vec<&str> {
    let mut depth = 0;
    slot.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == '|' && depth == 0
    })
    .collect()
}

/// The verb after "they" in the plural.
fn plural(text: &str) -> String {
    let mut after = false;
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let turned = if after {
                plural_verb(word)
            } else {
                word.to_owned()
            };
            after = matches!(word, "they" | "They");
            turned
        })
        .collect();
    words.join(" ")
}

fn plural_verb(word: &str) -> String {
    let cut = |n: usize| word[..word.len() - n].to_owned();
    match word {
        "is" => "are".into(),
        "was" => "were".into(),
        "has" => "have".into(),
        "does" | "goes" => cut(2),
        w if w.ends_with("ies") => format!("{}y", cut(3)),
        w if w.ends_with("sses") || w.ends_with("ches") || w.ends_with("shes") => cut(2),
        w if w.ends_with('s') && !w.ends_with("ss") => cut(1),
        w => w.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::people;
    use super::*;

    #[test]
    fn verbs_follow_they() {
        let table = [
            ("They wants help.", "They want help."),
            ("what they does", "what they do"),
            ("They misses the boat", "They miss the boat"),
            ("and they was tired", "and they were tired"),
            ("They tries and they laughed", "They try and they laughed"),
        ];
        for (text, expect) in table {
            assert_eq!(plural(text), expect, "{text}");
        }
    }

    #[test]
    fn fragments_fill_whole_for_everybody() {
        let written = RefCell::default();
        for person in people(7, 1_780_000_000_000_000) {
            let mut notes = Notes::new(&person, 7, &written);
            for turn in 0..60 {
                let text = notes.session(
                    turn % 4,
                    [Tide::Better, Tide::Same, Tide::Worse][turn % 3],
                    turn % 4,
                );
                let body = &text.body;
                assert!(!body.contains(['{', '}', '|']), "{body}");
                assert!(!body.contains("  ") && body.ends_with('.'), "{body}");
                assert!(body.starts_with(|c: char| c.is_uppercase()), "{body}");
                assert!(
                    !body.contains(". he ") && !body.contains(". they "),
                    "{body}"
                );
            }
        }
    }
}
