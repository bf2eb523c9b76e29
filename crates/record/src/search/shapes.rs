//! Which elements a type has and of what types they are: what the compiler of expressions must know
//! to spell `Observation.value` as `valueQuantity`, `valueString`... and to know what it found there.

use crate::definitions::{self, Kinds, definitions};

/// One way in which an element may occur: under which JSON key, and what it then is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) key: &'static str,
    /// A datatype, `Resource`, or, for an element that is defined in place, its path.
    pub(super) of_type: String,
    /// The kinds that a reference may lead to; `None` if to any, or if it is no reference.
    pub(super) targets: Option<Kinds>,
}

/// The ways in which the element `name` occurs in `context` (a type, or the path of an element that
/// is defined in place). Empty if there is no such element.
pub(super) fn shapes(context: &str, name: &str) -> Vec<Shape> {
    let definitions = definitions();
    let elements = definitions
        .type_named(context)
        .map_or(&[][..], |of_type| of_type.elements());
    elements
        .iter()
        .filter(|element| element.path_name == name)
        .map(|element| Shape {
            key: element.name,
            targets: definitions.targets(element),
            of_type: match element.shape {
                definitions::Shape::Primitive(primitive) => lower_first(&format!("{primitive:?}")),
                definitions::Shape::Object(id) => definitions.type_of(id).name.to_owned(),
                definitions::Shape::Resource => "Resource".to_owned(),
            },
        })
        .collect()
}

/// Whether `of_type` is `wanted` or a specialisation of it.
pub(super) fn is_a(of_type: &str, wanted: &str) -> bool {
    let is_resource = || definitions().kind(of_type).is_some();
    of_type == wanted
        || match wanted {
            "Resource" | "DomainResource" => is_resource(),
            "Quantity" => matches!(of_type, "Age" | "Count" | "Distance" | "Duration"),
            "uri" => matches!(of_type, "canonical" | "oid" | "url" | "uuid"),
            "string" => matches!(of_type, "code" | "id" | "markdown"),
            "integer" => matches!(of_type, "positiveInt" | "unsignedInt"),
            _ => false,
        }
}

/// The name of a type as the end of a choice's key has it, to the type: `String` to `string`.
pub(super) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_ascii_lowercase().to_string() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_where_they_are_defined() {
        for (context, name, expect) in [
            (
                "Patient",
                "deceased",
                "deceasedBoolean:boolean deceasedDateTime:dateTime",
            ),
            ("Patient", "contact", "contact:Patient.contact"),
            ("Patient.contact", "name", "name:HumanName"),
            ("Patient.contact", "extension", "extension:Extension"),
            ("Patient", "meta", "meta:Meta"),
            ("Patient", "extension", "extension:Extension"),
            ("Questionnaire.item", "item", "item:Questionnaire.item"),
            ("Bundle.entry", "resource", "resource:Resource"),
            ("Age", "value", "value:decimal"),
            ("Patient", "nothing", ""),
        ] {
            let found: Vec<_> = shapes(context, name)
                .iter()
                .map(|s| format!("{}:{}", s.key, s.of_type))
                .collect();
            assert_eq!(found.join(" "), expect, "{context}.{name}");
        }
        assert!(
            shapes("Extension", "value")
                .iter()
                .any(|s| s.key == "valueCodeableConcept")
        );
    }
}
