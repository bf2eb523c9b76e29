//! Which elements a type has and of what types they are: what the compiler of expressions must know
//! to spell `Observation.value` as `valueQuantity`, `valueString`... and to know what it found there.

use std::collections::HashMap;
use std::sync::LazyLock;

static SHAPES: LazyLock<Shapes> =
    LazyLock::new(|| Shapes::read(include_str!("../../definitions/structures.txt")));

struct Shapes {
    /// Path of an element, without `[x]`, to whether it is a choice, and its types.
    elements: HashMap<String, (bool, Vec<&'static str>)>,
    base_of: HashMap<&'static str, &'static str>,
    /// What `*` stands for.
    any: Vec<&'static str>,
}

/// One way in which an element may occur: under which JSON key, and what it then is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) key: String,
    /// A type, or, for an element that is defined in place, its path.
    pub(super) of_type: String,
}

/// The ways in which the element `name` occurs in `context` (a type, or the path of an element that
/// is defined in place). Empty if there is no such element.
pub(super) fn shapes(context: &str, name: &str) -> Vec<Shape> {
    SHAPES.element(context, name)
}

/// Whether `of_type` is `wanted` or a specialisation of it.
pub(super) fn is_a(of_type: &str, wanted: &str) -> bool {
    let mut at = Some(of_type);
    while let Some(name) = at {
        if name == wanted {
            return true;
        }
        at = SHAPES.base_of.get(name).copied();
    }
    false
}

impl Shapes {
    fn read(text: &'static str) -> Shapes {
        let mut shapes =
            Shapes { elements: HashMap::new(), base_of: HashMap::new(), any: Vec::new() };
        let mut place: Vec<&'static str> = Vec::new();
        for line in text.lines() {
            let depth = line.len() - line.trim_start().len();
            let mut words = line.split_ascii_whitespace();
            if depth == 0 {
                let words: Vec<_> = words.filter(|word| *word != "abstract").collect();
                place = words.get(1).copied().into_iter().collect();
                if let [_, name, ":", base] = words[..] {
                    shapes.base_of.insert(name, base);
                }
                continue;
            }
            let Some(name) = words.next() else { continue };
            place.truncate(depth);
            place.push(name.trim_end_matches("[x]"));
            let types = words
                .skip(1)
                .filter(|word| !word.starts_with('!'))
                .map(|word| word.split('(').next().unwrap_or(word))
                .collect();
            shapes.elements.insert(place.join("."), (name.ends_with("[x]"), types));
        }
        shapes.any =
            shapes.elements.get("Extension.value").map(|(_, types)| types.clone()).unwrap_or_default();
        shapes
    }

    fn element(&self, context: &str, name: &str) -> Vec<Shape> {
        let path = format!("{context}.{name}");
        let Some((is_choice, types)) = self.elements.get(&path) else {
            let base = if context.contains('.') {
                self.elements.get(context).and_then(|(_, types)| types.first().copied())
            } else {
                self.base_of.get(context).copied()
            };
            return base.map_or(Vec::new(), |base| self.element(base, name));
        };
        let types = if types.as_slice() == ["*"] { &self.any } else { types };
        types
            .iter()
            .map(|of_type| Shape {
                key: if *is_choice { choice_key(name, of_type) } else { name.to_owned() },
                of_type: match of_type.strip_prefix('=') {
                    Some(path) => path.to_owned(),
                    None if matches!(*of_type, "BackboneElement" | "Element") => path.clone(),
                    None => (*of_type).to_owned(),
                },
            })
            .collect()
    }
}

fn choice_key(name: &str, of_type: &str) -> String {
    let (first, rest) = of_type.split_at(1);
    format!("{name}{}{rest}", first.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_where_they_are_defined() {
        for (context, name, expect) in [
            ("Patient", "deceased", "deceasedBoolean:boolean deceasedDateTime:dateTime"),
            ("Patient", "contact", "contact:Patient.contact"),
            ("Patient.contact", "name", "name:HumanName"),
            ("Patient.contact", "extension", "extension:Extension"),
            ("Patient", "meta", "meta:Meta"),
            ("Patient", "extension", "extension:Extension"),
            ("Questionnaire.item", "item", "item:Questionnaire.item"),
            ("Age", "value", "value:decimal"),
            ("Patient", "nothing", ""),
        ] {
            let found: Vec<_> =
                shapes(context, name).iter().map(|s| format!("{}:{}", s.key, s.of_type)).collect();
            assert_eq!(found.join(" "), expect, "{context}.{name}");
        }
        assert!(shapes("Extension", "value").iter().any(|s| s.key == "valueCodeableConcept"));
    }
}
