//! How strings are read when a search compares them: lower case, without accents, without
//! punctuation, and with every run of white space as one space (FHIR R4 search, 3.1.1.4.8).
//! `Muñoz`, `MUNOZ` and `munoz` are one name; so are `O'Brien` and `OBrien`.
//!
//! Folding is for comparing only. What is stored and shown keeps its letters.

mod table;

use std::sync::LazyLock;

/// The folded letters of a string, made one at a time.
///
/// White space at the start is left out; a run of it elsewhere is one space; at the end it stays as
/// one space until [`fold`] trims it.
pub fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut lowered = text.chars().flat_map(char::to_lowercase);
    let mut pending: &'static [char] = &[];
    let mut space = false;
    let mut started = false;
    let mut held: Option<char> = None;
    std::iter::from_fn(move || {
        loop {
            if let Some((first, rest)) = pending.split_first() {
                pending = rest;
                return Some(*first);
            }
            let next = match held.take() {
                Some(held) => held,
                None => match lowered.next() {
                    Some(next) => next,
                    None if space => {
                        space = false;
                        return started.then_some(' ');
                    }
                    None => return None,
                },
            };
            if next.is_whitespace() {
                space = true;
                continue;
            }
            if is_ignored(next) {
                continue;
            }
            if space && started {
                space = false;
                held = Some(next);
                return Some(' ');
            }
            space = false;
            started = true;
            if next.is_ascii() {
                return Some(next);
            }
            match plain(next) {
                Some(spelling) => pending = spelling,
                None => return Some(next),
            }
        }
    })
}

/// The folded form of a whole string. Text of punctuation only keeps it (lower-cased), so that it
/// never folds to nothing, which every string starts with.
pub fn fold(text: &str) -> String {
    let mut out: String = folded(text).collect();
    if out.ends_with(' ') {
        out.pop();
    }
    if out.is_empty() {
        return text.trim().to_lowercase();
    }
    out
}

/// Whether the folded `text` starts with `prefix`, which is folded already.
pub fn starts_with(text: &str, prefix: &str) -> bool {
    let mut letters = folded(text);
    if prefix.chars().all(|wanted| letters.next() == Some(wanted)) {
        return true;
    }
    // Text of punctuation only folds to itself.
    !prefix.is_empty() && folded(text).next().is_none() && fold(text).starts_with(prefix)
}

fn is_ignored(letter: char) -> bool {
    letter.is_ascii_punctuation()
        || letter.is_control()
        || matches!(letter,
            '\u{0300}'..='\u{036F}'     // combining marks
            | '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{FEFF}'     // soft hyphen, zero width
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}'     // dashes, quotation marks, dots
            | '\u{02B0}'..='\u{02FF}'   // modifier letters, such as the okina written as an apostrophe
            | '\u{00A1}' | '\u{00AB}' | '\u{00B4}' | '\u{00B7}' | '\u{00BB}' | '\u{00BF}')
}

fn plain(letter: char) -> Option<&'static [char]> {
    /// A letter, and where its plain spelling begins and how long it is.
    type Row = (char, u16, u8);
    static TABLE: LazyLock<(Vec<Row>, Vec<char>)> = LazyLock::new(|| {
        let mut letters = Vec::new();
        let mut spellings = Vec::new();
        for (spelling, read_as_it) in table::PLAIN {
            let start = spellings.len() as u16;
            spellings.extend(spelling.chars());
            let length = (spellings.len() - start as usize) as u8;
            letters.extend(read_as_it.chars().map(|letter| (letter, start, length)));
        }
        letters.sort_unstable();
        (letters, spellings)
    });
    let (letters, spellings) = &*TABLE;
    let found = letters.binary_search_by_key(&letter, |row| row.0).ok()?;
    let (_, start, length) = letters[found];
    Some(&spellings[start as usize..start as usize + length as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        for (text, expect) in [
            ("Muñoz", "munoz"),
            ("MUNOZ", "munoz"),
            ("mun\u{0303}oz", "munoz"),
            ("O'Brien", "obrien"),
            ("O\u{2019}Brien", "obrien"),
            ("Anne-Marie", "annemarie"),
            ("  de  la\tTorre ", "de la torre"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("Łódź", "lodz"),
            ("Æsir Øre", "aesir ore"),
            ("Nguyễn Thị", "nguyen thi"),
            ("Ёлка", "елка"),
            ("Σίσυφος", "σισυφοσ"),
            ("İzmir", "izmir"),
            ("ﬁ", "ﬁ"),
            ("渡辺", "渡辺"),
            ("St. Louis", "st louis"),
            ("a - b", "a b"),
            ("-", "-"),
            ("", ""),
            ("   ", ""),
        ] {
            assert_eq!(fold(text), expect, "{text:?}");
        }
    }

    #[test]
    fn a_prefix_is_compared_without_copying() {
        for (text, prefix, expect) in [
            ("Muñoz", "mun", true),
            ("Muñoz", "munoz", true),
            ("Muñoz", "munozz", false),
            ("de  la Torre", "de la", true),
            ("de la Torre", "la", false),
            ("Straße", "stras", true),
            ("-", "-", true),
            ("a", "-", false),
            ("--", "-", true),
            ("anything", "", true),
        ] {
            assert_eq!(starts_with(text, prefix), expect, "{text:?} {prefix:?}");
        }
    }

    #[test]
    fn every_letter_of_the_table_folds_to_something_that_stays() {
        for (spelling, letters) in table::PLAIN {
            assert_eq!(fold(spelling), *spelling);
            for letter in letters.chars() {
                assert_eq!(fold(&letter.to_string()), *spelling, "{letter}");
            }
        }
    }
}
