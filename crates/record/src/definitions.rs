//! What FHIR R4 defines: resource types, datatypes, elements, codes.
//!
//! Read once, on first use, from the text in `definitions/structures.txt` (its README describes the format); that
//! takes a few milliseconds. Names are found through small hash tables, so that judging a resource costs one lookup
//! per member. This module judges nothing.

mod load;
mod names;

pub(crate) use names::Names;

use std::sync::LazyLock;

static DEFINITIONS: LazyLock<Definitions> =
    LazyLock::new(|| load::load(include_str!("../definitions/structures.txt")));

/// All that is defined.
pub struct Definitions {
    types: Vec<Type>,
    /// The types of the resources, by number of kind.
    kinds: Vec<TypeId>,
    kind_names: Names,
    codes: Vec<Codes>,
    targets: Vec<Kinds>,
    /// The datatype Element: what stands beside a primitive, in `_birthDate`.
    element: TypeId,
}

/// The number of a type in [`Definitions`].
pub type TypeId = u16;

/// A resource type, a datatype, or the type of one nested element.
pub struct Type {
    /// `Patient`, `HumanName`; of a nested element its path, `Patient.contact`.
    pub name: &'static str,
    /// Has it a `resourceType`?
    pub is_resource: bool,
    /// All elements as JSON names them, inherited ones too, choices spelt out.
    elements: Vec<Element>,
    names: Names,
    /// One bit per element that must be there.
    pub(crate) required: u128,
    /// Of the datatype Extension: the bits of `value[x]` and `extension`, of which it has one.
    pub(crate) either: Option<(u128, u128)>,
}

/// One element as JSON names it.
#[derive(Clone)]
pub struct Element {
    /// The member's name: `birthDate`, `valueQuantity`.
    pub name: &'static str,
    /// The element's name in paths: `birthDate`, `value`.
    pub path_name: &'static str,
    /// The element's number in its type, less than 128; the forms of a choice share it.
    pub number: u8,
    /// Is it a list in JSON?
    pub is_list: bool,
    /// What it holds.
    pub shape: Shape,
    /// Is it one form of a choice (`value[x]`)?
    pub is_choice: bool,
    /// The codes that it may have.
    codes: Option<u16>,
    /// Where its reference may lead.
    targets: Option<u16>,
}

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string, number or truth value of this format.
    Primitive(Primitive),
    /// An object of this type.
    Object(TypeId),
    /// A resource of any kind.
    Resource,
}

/// FHIR's primitive types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are FHIR's")]
pub enum Primitive {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

/// The codes of one value set.
pub struct Codes {
    /// The last part of the value set's URL: `observation-status`.
    pub name: &'static str,
    names: Names,
}

/// A set of resource types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds([u64; 3]);

impl Kinds {
    /// Is this kind in it?
    pub fn contains(self, kind: u8) -> bool {
        self.0
            .get(usize::from(kind / 64))
            .is_some_and(|word| word >> (kind % 64) & 1 != 0)
    }

    fn insert(&mut self, kind: u8) {
        self.0[usize::from(kind / 64)] |= 1 << (kind % 64);
    }

    /// Their names, in order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..192)
            .filter(move |kind| self.contains(*kind))
            .filter_map(kind_name)
    }
}

/// What FHIR R4 defines. The first call reads it in.
#[inline]
pub fn definitions() -> &'static Definitions {
    &DEFINITIONS
}

/// The number of a resource type, from 0 to 145 in the order of their names; `None` for what is no resource type of
/// R4, or an abstract one.
#[inline]
pub fn kind_number(name: &str) -> Option<u8> {
    DEFINITIONS
        .kind_names
        .find(name)
        .and_then(|n| u8::try_from(n).ok())
}

/// The name of the resource type with that number.
#[inline]
pub fn kind_name(number: u8) -> Option<&'static str> {
    DEFINITIONS.kind_names.name(usize::from(number))
}

/// All resource types, in the order of their numbers.
pub fn kinds() -> impl ExactSizeIterator<Item = &'static str> {
    DEFINITIONS.kind_names.all().iter().copied()
}

impl Definitions {
    /// The type with that number.
    #[inline]
    pub fn type_of(&self, id: TypeId) -> &Type {
        &self.types[usize::from(id)]
    }

    /// The type of a resource.
    #[inline]
    pub fn kind(&self, name: &str) -> Option<&Type> {
        let number = self.kind_names.find(name)?;
        Some(self.type_of(self.kinds[number]))
    }

    /// A type by name: `HumanName`, `Patient`, `Patient.contact`. Looks through all of them.
    pub fn type_named(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|t| t.name == name)
    }

    /// The codes that an element may have; `None` if it may have any.
    #[inline]
    pub fn codes(&self, element: &Element) -> Option<&Codes> {
        element.codes.map(|number| &self.codes[usize::from(number)])
    }

    /// The kinds that an element's reference may lead to; `None` if to any.
    #[inline]
    pub fn targets(&self, element: &Element) -> Option<Kinds> {
        element
            .targets
            .map(|number| self.targets[usize::from(number)])
    }

    #[inline]
    pub(crate) fn element(&self) -> &Type {
        self.type_of(self.element)
    }
}

impl Type {
    /// The element that stands under this name in JSON.
    #[inline]
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.names.find(name).map(|at| &self.elements[at])
    }

    /// Must the element (or, of a choice, one of its forms) be there?
    pub fn requires(&self, element: &Element) -> bool {
        self.required >> element.number & 1 != 0
    }

    /// All elements as JSON names them.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }
}

impl Codes {
    /// Is this one of them?
    #[inline]
    pub fn contains(&self, code: &str) -> bool {
        self.names.find(code).is_some()
    }

    /// All of them, in HL7's order.
    pub fn all(&self) -> &[&'static str] {
        self.names.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_numbers_in_the_order_of_their_names() {
        assert_eq!(kinds().len(), 146);
        for (number, name) in kinds().enumerate() {
            let number = u8::try_from(number).unwrap();
            assert_eq!(kind_number(name), Some(number));
            assert_eq!(kind_name(number), Some(name));
        }
        assert!(kinds().is_sorted());
        for other in [
            "Resource",
            "DomainResource",
            "HumanName",
            "patient",
            "",
            "Patients",
            "Patien",
        ] {
            assert_eq!(kind_number(other), None, "{other}");
        }
        assert_eq!(kind_name(146), None);
    }

    #[test]
    fn elements_are_found_by_their_json_names() {
        let rows = [
            // type, member, path name, list, holds
            ("Patient", "birthDate", "birthDate", false, "Date"),
            ("Patient", "name", "name", true, "HumanName"),
            ("Patient", "id", "id", false, "Id"),
            ("Patient", "contained", "contained", true, "any resource"),
            ("Patient", "contact", "contact", true, "Patient.contact"),
            ("Patient", "deceasedBoolean", "deceased", false, "Boolean"),
            ("Patient.contact", "name", "name", false, "HumanName"),
            (
                "Patient.contact",
                "modifierExtension",
                "modifierExtension",
                true,
                "Extension",
            ),
            ("Observation", "valueQuantity", "value", false, "Quantity"),
            (
                "Observation.component",
                "referenceRange",
                "referenceRange",
                true,
                "Observation.referenceRange",
            ),
            (
                "Extension",
                "valueCodeableConcept",
                "value",
                false,
                "CodeableConcept",
            ),
            (
                "Parameters.parameter",
                "part",
                "part",
                true,
                "Parameters.parameter",
            ),
            (
                "Parameters.parameter",
                "valueBase64Binary",
                "value",
                false,
                "Base64Binary",
            ),
            ("Age", "value", "value", false, "Decimal"),
            ("Timing", "repeat", "repeat", false, "Timing.repeat"),
            ("Timing.repeat", "boundsPeriod", "bounds", false, "Period"),
            (
                "Bundle.entry",
                "resource",
                "resource",
                false,
                "any resource",
            ),
            ("Element", "id", "id", false, "String"),
            (
                "ElementDefinition",
                "patternDosage",
                "pattern",
                false,
                "Dosage",
            ),
        ];
        for (type_name, member, path_name, is_list, holds) in rows {
            let definitions = definitions();
            let element = definitions
                .type_named(type_name)
                .unwrap()
                .element(member)
                .unwrap_or_else(|| panic!("{member}"));
            let found = match element.shape {
                Shape::Primitive(primitive) => format!("{primitive:?}"),
                Shape::Object(id) => definitions.type_of(id).name.to_owned(),
                Shape::Resource => "any resource".to_owned(),
            };
            assert_eq!(
                (element.path_name, element.is_list, &*found),
                (path_name, is_list, holds),
                "{type_name}.{member}"
            );
        }
        for (type_name, member) in [
            ("Patient", "value"),
            ("Patient", "deceased"),
            ("Observation", "valueAddress"),
            ("Bundle", "text"),
        ] {
            assert!(
                definitions()
                    .type_named(type_name)
                    .unwrap()
                    .element(member)
                    .is_none(),
                "{type_name}.{member}"
            );
        }
    }

    #[test]
    fn codes_and_targets_are_known() {
        let observation = definitions().kind("Observation").unwrap();
        let codes = definitions()
            .codes(observation.element("status").unwrap())
            .unwrap();
        assert_eq!(codes.all().len(), 8);
        assert!(
            codes.contains("entered-in-error") && !codes.contains("done") && !codes.contains("")
        );
        let targets = definitions()
            .targets(observation.element("encounter").unwrap())
            .unwrap();
        assert_eq!(targets.names().collect::<Vec<_>>(), ["Encounter"]);
        assert!(
            definitions()
                .targets(observation.element("focus").unwrap())
                .is_none()
        );
    }
}
