//! Who the person of an erasure is, as long as that can be read; afterwards nobody can say.

use std::collections::BTreeSet;

use desk::User;
use record::json::{Doc, Value};

use crate::error::Error;
use crate::programme::View;

/// The id of the Patient, from the person's own entries; nothing once they are erased.
pub fn id(view: &View, person: &str) -> Result<Option<String>, Error> {
    let told = view.chain(person, |kind| kind == "Patient")?;
    Ok(told
        .iter()
        .find_map(|(_, stored)| ledger::content::name(stored))
        .map(|(_, id)| id.to_owned()))
}

/// Everything by which somebody could tell who it is: names, numbers, addresses to reach them at,
/// day of birth, of every version of the Patient; and the id, if it says something.
pub fn words(view: &View, patient: &str) -> Result<Vec<String>, Error> {
    let mut words = BTreeSet::new();
    if !ledger::entry::is_opaque(patient) {
        words.insert(patient.to_owned());
    }
    for (_, stored) in view.chain(patient, |kind| kind == "Patient")? {
        let Ok(doc) = Doc::parse(&stored) else {
            continue;
        };
        let root = doc.root();
        for (element, parts) in [
            ("name", &["family", "given", "text"][..]),
            ("identifier", &["value"]),
            ("telecom", &["value"]),
            ("address", &["line", "text"]),
        ] {
            for item in items(root, element) {
                for part in parts {
                    for value in item.get(part).into_iter().flat_map(Value::each) {
                        words.extend(value.as_str().map(str::to_owned));
                    }
                }
            }
        }
        words.extend(root.str_at(&["birthDate"]).map(str::to_owned));
    }
    Ok(words.into_iter().collect())
}

/// Whether a user is the person: their Practitioner has a number of the Patient's, or the same name.
pub fn is_user(view: &View, user: &User, patient: &[u8]) -> Result<bool, Error> {
    let Ok(patient) = Doc::parse(patient) else {
        return Ok(false);
    };
    let theirs = names(patient.root());
    if theirs.contains(&folded(&[&user.name])) {
        return Ok(true);
    }
    let Some(practitioner) = &user.practitioner else {
        return Ok(false);
    };
    let Some(version) = view.read("Practitioner", practitioner)? else {
        return Ok(false);
    };
    let Ok(own) = Doc::parse(&version.stored) else {
        return Ok(false);
    };
    let same_number = items(own.root(), "identifier").any(|one| {
        items(patient.root(), "identifier").any(|other| {
            let both = |name: &str| {
                let value = one.str_at(&[name]);
                value.is_some() && value == other.str_at(&[name])
            };
            both("value") && both("system")
        })
    });
    let own_names = names(own.root());
    Ok(same_number || own_names.iter().any(|name| theirs.contains(name)))
}

/// Each name as its sorted words, so that "Samir Haddad" is "Haddad, Samir".
fn names(root: Value<'_>) -> BTreeSet<Vec<String>> {
    let mut names = BTreeSet::new();
    for name in items(root, "name") {
        let given = name.get("given").into_iter().flat_map(Value::items);
        let given = given.filter_map(Value::as_str);
        let family = name.str_at(&["family"]);
        let parts: Vec<&str> = family.into_iter().chain(given).collect();
        if parts.len() > 1 {
            names.insert(folded(&parts));
            names.insert(folded(&parts[..2]));
        }
    }
    names
}

fn folded(parts: &[&str]) -> Vec<String> {
    let text = parts.join(" ").to_lowercase();
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

fn items<'d>(root: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> {
    root.get(name).into_iter().flat_map(Value::items)
}
