//! Is a resource what FHIR R4 says it is?
//!
//! Structure only: elements that exist, how often, of which type, in which format; one form of a choice; the codes of
//! required value sets that HL7 enumerates; where a reference may lead; and that nothing in a narrative runs. Not: other
//! invariants, slices, profiles, terminology. A resource that passes can be stored, searched and served without surprises; whether it makes sense is
//! asked elsewhere.
//!
//! Judging walks the tape once and allocates nothing until something is wrong.

mod narrative;
mod primitive;

#[cfg(test)]
mod tests;

use crate::definitions::{
    Definitions, Element, Kinds, Primitive, Shape, Type, definitions, kind_number,
};
use crate::finding::{Finding, Severity};
use crate::json::Value;
use crate::reference::Reference;
use std::fmt::Write as _;

/// No more findings than this are given for one resource.
pub const FINDINGS_MAX: usize = 100;

/// What is wrong with a resource. It may be stored if no finding is an error ([`Finding::is_error`]).
///
/// ```
/// let doc = record::json::Doc::parse(br#"{"resourceType":"Patient","birthDate":"1990-02-30"}"#).unwrap();
/// let findings = record::validate::validate(doc.root());
/// assert_eq!(findings[0].expression, "Patient.birthDate");
/// ```
pub fn validate(resource: Value<'_>) -> Vec<Finding> {
    let mut judge = Judge {
        definitions: definitions(),
        findings: Vec::new(),
    };
    judge.resource(resource, None, Role::Outermost);
    judge.findings
}

/// Where a resource stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Outermost,
    Contained,
    /// In an entry of a Bundle or a parameter.
    Inside,
}

/// A place in the resource: a list from the inside out, on the stack.
#[derive(Clone, Copy)]
struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    name: &'p str,
    /// Which item of a list.
    item: Option<usize>,
}

impl Place<'_> {
    fn write(&self, out: &mut String) {
        if let Some(outer) = self.outer {
            outer.write(out);
            out.push('.');
        }
        out.extend(self.name.chars().take(64));
        if let Some(item) = self.item {
            let _ = write!(out, "[{item}]");
        }
    }
}

struct Judge {
    definitions: &'static Definitions,
    findings: Vec<Finding>,
}

impl Judge {
    #[cold]
    fn error(&mut self, code: &'static str, place: Place<'_>, message: impl Into<String>) {
        self.finding(Severity::Error, code, place, message.into());
    }

    fn finding(
        &mut self,
        severity: Severity,
        code: &'static str,
        place: Place<'_>,
        message: String,
    ) {
        // Warnings must not crowd out what the resource is refused for.
        let max = match severity {
            Severity::Error => FINDINGS_MAX,
            _ => FINDINGS_MAX / 2,
        };
        if self.findings.len() < max {
            let mut expression = String::new();
            place.write(&mut expression);
            self.findings.push(Finding {
                severity,
                code,
                expression,
                message,
            });
        }
    }

    fn resource(&mut self, value: Value<'_>, place: Option<Place<'_>>, role: Role) {
        let root = place.unwrap_or(Place {
            outer: None,
            name: "Resource",
            item: None,
        });
        if !value.is_object() {
            return self.error("structure", root, "A resource is a JSON object.");
        }
        let Some(named) = value.get("resourceType") else {
            return self.error(
                "required",
                root,
                "The resource does not say its type: resourceType is missing.",
            );
        };
        let Some(kind) = named.as_str().and_then(|name| self.definitions.kind(name)) else {
            return self.error(
                "structure",
                root,
                "resourceType does not name a resource type of FHIR R4.",
            );
        };
        let place = place.unwrap_or(Place {
            name: kind.name,
            ..root
        });
        self.object(value, kind, place, role);
    }

    /// Judges an object against its type.
    fn object(&mut self, value: Value<'_>, of: &'static Type, place: Place<'_>, role: Role) {
        // Bits of the elements that are there, and of those with a companion (`_birthDate`).
        let mut seen = 0_u128;
        let mut companions = 0_u128;
        let mut is_empty = true;
        for (key, member) in value.entries() {
            is_empty = false;
            if let Some(element) = of.element(key) {
                let bit = 1 << element.number;
                if seen & bit != 0 {
                    self.second_form(element, place);
                }
                seen |= bit;
                if role == Role::Contained && key == "contained" {
                    self.error(
                        "structure",
                        place,
                        "A contained resource cannot contain others.",
                    );
                } else {
                    self.element(member, element, value, &place);
                }
            } else if let Some(element) = companion_of(of, key) {
                let bit = 1 << element.number;
                if companions & bit != 0 {
                    self.second_form(element, place);
                }
                companions |= bit;
                self.companion(member, element, value, &place);
            } else if !(of.is_resource && key == "resourceType") {
                let unknown = Place {
                    outer: Some(&place),
                    name: key,
                    item: None,
                };
                self.error(
                    "structure",
                    unknown,
                    format!("{} has no element of this name in FHIR R4.", of.name),
                );
            }
        }
        if is_empty {
            return self.error(
                "structure",
                place,
                "An object must not be empty; leave the element out instead.",
            );
        }
        if seen & companions != 0 {
            self.companions_of_choices(value, of, seen, place);
        }
        let missing = of.required & !(seen | companions);
        if missing != 0 {
            self.missing(of, missing, place);
        }
        if let Some((value_bit, nested_bit)) = of.either {
            match ((seen | companions) & value_bit != 0, seen & nested_bit != 0) {
                (true, true) => self.error(
                    "structure",
                    place,
                    "An extension has either a value or extensions of its own, not both.",
                ),
                (false, false) => {
                    self.error(
                        "structure",
                        place,
                        "An extension needs a value or extensions of its own.",
                    );
                }
                _ => {}
            }
        }
    }

    #[cold]
    fn second_form(&mut self, element: &Element, outer: Place<'_>) {
        let place = Place {
            outer: Some(&outer),
            name: element.path_name,
            item: None,
        };
        self.error(
            "structure",
            place,
            format!(
                "Only one form of {0}[x] may be given, and {0} has two.",
                element.path_name
            ),
        );
    }

    /// A companion belongs to the form that was given: `_valueString` cannot stand beside `valueQuantity`.
    #[cold]
    fn companions_of_choices(
        &mut self,
        value: Value<'_>,
        of: &'static Type,
        seen: u128,
        place: Place<'_>,
    ) {
        for (key, _) in value.entries() {
            let Some(element) = companion_of(of, key).filter(|e| e.is_choice) else {
                continue;
            };
            if seen & (1 << element.number) != 0 && value.get(element.name).is_none() {
                self.second_form(element, place);
            }
        }
    }

    #[cold]
    fn missing(&mut self, of: &Type, missing: u128, outer: Place<'_>) {
        let mut told = 0_u128;
        for element in of.elements() {
            let bit = 1 << element.number;
            if missing & bit == 0 || told & bit != 0 {
                continue;
            }
            told |= bit;
            let place = Place {
                outer: Some(&outer),
                name: element.path_name,
                item: None,
            };
            self.error(
                "required",
                place,
                format!(
                    "{} needs {}, and it is missing.",
                    of.name, element.path_name
                ),
            );
        }
    }

    fn element(
        &mut self,
        value: Value<'_>,
        element: &'static Element,
        owner: Value<'_>,
        outer: &Place<'_>,
    ) {
        let place = Place {
            outer: Some(outer),
            name: element.path_name,
            item: None,
        };
        if !element.is_list {
            if value.is_array() {
                return self.error(
                    "structure",
                    place,
                    "This element occurs once: it is no list in JSON.",
                );
            }
            return self.single(value, element, owner, place);
        }
        if !value.is_array() {
            return self.error(
                "structure",
                place,
                "This element may repeat: in JSON it is a list, also for one.",
            );
        }
        let mut is_empty = true;
        for (number, item) in value.items().enumerate() {
            is_empty = false;
            let place = Place {
                item: Some(number),
                ..place
            };
            self.single(item, element, owner, place);
        }
        if is_empty {
            self.error(
                "structure",
                place,
                "A list must not be empty; leave the element out instead.",
            );
        }
    }

    #[inline]
    fn single(
        &mut self,
        value: Value<'_>,
        element: &'static Element,
        owner: Value<'_>,
        place: Place<'_>,
    ) {
        match element.shape {
            Shape::Primitive(Primitive::Code) => match primitive::check(Primitive::Code, value) {
                Ok(()) => self.code(value, element, place),
                Err(message) => self.no_primitive(value, message, element, owner, place),
            },
            Shape::Primitive(primitive) => {
                if let Err(message) = primitive::check(primitive, value) {
                    self.no_primitive(value, message, element, owner, place);
                }
            }
            Shape::Object(id) => {
                let of = self.definitions.type_of(id);
                if !value.is_object() {
                    return self.error(
                        "structure",
                        place,
                        format!("A {} is an object in JSON.", of.name),
                    );
                }
                self.object(value, of, place, Role::Inside);
                if let Some(targets) = self.definitions.targets(element) {
                    self.target(value, targets, place);
                }
            }
            Shape::Resource => {
                let role = if element.name == "contained" {
                    Role::Contained
                } else {
                    Role::Inside
                };
                self.resource(value, Some(place), role);
            }
        }
    }

    #[inline]
    fn code(&mut self, value: Value<'_>, element: &'static Element, place: Place<'_>) {
        let (Some(codes), Some(code)) = (self.definitions.codes(element), value.as_str()) else {
            return;
        };
        if codes.contains(code) {
            return;
        }
        let message = if codes.all().len() <= 16 {
            format!(
                "The code is none of those allowed here: {}.",
                codes.all().join(", ")
            )
        } else {
            format!(
                "The code is not in the value set {}, and no other may be used here.",
                codes.name
            )
        };
        self.error("code-invalid", place, message);
    }

    /// A primitive that is not in order; `null` is, in a list, if its companion has something at that place.
    #[cold]
    fn no_primitive(
        &mut self,
        value: Value<'_>,
        message: &'static str,
        element: &Element,
        owner: Value<'_>,
        place: Place<'_>,
    ) {
        if !value.is_null() {
            return self.error("value", place, message);
        }
        let companion = owner
            .entries()
            .find(|(key, _)| key.strip_prefix('_') == Some(element.name));
        let beside = companion
            .zip(place.item)
            .and_then(|((_, list), number)| list.items().nth(number));
        if !beside.is_some_and(Value::is_object) {
            self.error(
                "structure",
                place,
                "null stands for nothing here; leave the element out instead.",
            );
        }
    }

    /// Judges `_birthDate`, `_given`: what stands beside a primitive.
    fn companion(
        &mut self,
        value: Value<'_>,
        element: &'static Element,
        owner: Value<'_>,
        outer: &Place<'_>,
    ) {
        let of = self.definitions.element();
        let main = owner.get(element.name);
        let place = Place {
            outer: Some(outer),
            name: element.path_name,
            item: None,
        };
        if value.is_array() != element.is_list || !(value.is_array() || value.is_object()) {
            let shape = if element.is_list {
                "a list"
            } else {
                "an object"
            };
            return self.error(
                "structure",
                place,
                format!("_{} is {shape} in JSON.", element.name),
            );
        }
        if !element.is_list {
            return self.object(value, of, place, Role::Inside);
        }
        let mut length = 0;
        for (number, item) in value.items().enumerate() {
            length += 1;
            let place = Place {
                item: Some(number),
                ..place
            };
            if item.is_object() {
                self.object(item, of, place, Role::Inside);
            } else if !item.is_null() {
                self.error(
                    "structure",
                    place,
                    format!("_{} holds objects and null only.", element.name),
                );
            } else if main.is_none() {
                self.error(
                    "structure",
                    place,
                    "null stands for nothing here; leave the element out instead.",
                );
            }
        }
        if length == 0 {
            self.error(
                "structure",
                place,
                "A list must not be empty; leave the element out instead.",
            );
        } else if main.is_some_and(|main| main.is_array() && main.len() != length) {
            self.error(
                "structure",
                place,
                format!("{0} and _{0} must be equally long.", element.name),
            );
        }
    }

    /// Judges where a literal reference leads, as far as its text tells. A wrong kind is a warning only: what was said
    /// is kept, four of HL7's own examples do it, and nothing breaks on it.
    fn target(&mut self, reference: Value<'_>, allowed: Kinds, place: Place<'_>) {
        let Some(target) = reference
            .get("reference")
            .and_then(|v| Reference::parse(v.as_str()?).target())
        else {
            return;
        };
        if kind_number(target.kind).is_some_and(|kind| allowed.contains(kind)) {
            return;
        }
        let names: Vec<&str> = allowed.names().collect();
        let message = format!(
            "This reference leads to {}; R4 lets it lead to {}.",
            target.kind,
            names.join(", ")
        );
        self.finding(Severity::Warning, "value", place, message);
    }
}

/// The element that a member named `_birthDate` stands beside.
#[inline]
fn companion_of(of: &'static Type, key: &str) -> Option<&'static Element> {
    let element = of.element(key.strip_prefix('_')?)?;
    matches!(element.shape, Shape::Primitive(_)).then_some(element)
}
