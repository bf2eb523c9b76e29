//! The parameters of every kind, from HL7's definitions (definitions/search-parameters.tsv), and
//! their compiled programs.
//!
//! A definition with several bases is one parameter for each of them; one of `Resource` is one for
//! every kind. `_id` and `_lastUpdated` are not here: they ask about the entry, not about what the
//! resource says (see [`super::Criteria`]).

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use super::ParamId;
use super::expression;
use super::program::{Program, reachable};
use super::systems::{CODES, SYSTEMS};
use crate::definitions;

/// Counts the changes to how values are extracted or packed that the definitions do not show.
const FORMAT: [u8; 1] = [1];

/// What kind of values a parameter has, and so how they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterType {
    /// Codes and identifiers.
    Token,
    /// Text, compared by its beginning, without case and accents.
    String,
    /// Instants and periods.
    Date,
    /// Other resources.
    Reference,
    /// Amounts with units.
    Quantity,
    /// Plain numbers.
    Number,
    /// Addresses, compared exactly.
    Uri,
    /// Several values that belong together. Not supported.
    Composite,
    /// With a meaning of its own. Not supported.
    Special,
}

impl ParameterType {
    /// FHIR's word for it.
    pub fn name(self) -> &'static str {
        match self {
            ParameterType::Token => "token",
            ParameterType::String => "string",
            ParameterType::Date => "date",
            ParameterType::Reference => "reference",
            ParameterType::Quantity => "quantity",
            ParameterType::Number => "number",
            ParameterType::Uri => "uri",
            ParameterType::Composite => "composite",
            ParameterType::Special => "special",
        }
    }

    fn named(name: &str) -> Option<ParameterType> {
        use ParameterType as T;
        [
            T::Token,
            T::String,
            T::Date,
            T::Reference,
            T::Quantity,
            T::Number,
            T::Uri,
            T::Composite,
            T::Special,
        ]
        .into_iter()
        .find(|of_type| of_type.name() == name)
    }

    /// Whether parameters of this type have values.
    pub fn is_supported(self) -> bool {
        !matches!(self, ParameterType::Composite | ParameterType::Special)
    }
}

/// One search parameter of one kind.
#[derive(Debug)]
pub struct Parameter {
    /// Its number.
    pub id: ParamId,
    /// The kind that it searches.
    pub kind: &'static str,
    /// Its name in a search.
    pub code: &'static str,
    /// The type of its values.
    pub of_type: ParameterType,
    /// HL7's targets; empty: any, or not a reference.
    declared: Vec<&'static str>,
    targets: OnceLock<Vec<&'static str>>,
    /// HL7's expression, with the ways of all its bases.
    pub expression: &'static str,
    /// HL7's id of the definition.
    pub definition: &'static str,
}

impl Parameter {
    /// The kinds that a reference may lead to; empty: any, or not a reference. Of what HL7 declares
    /// for all bases of a definition together, only what can be found in this kind.
    pub fn targets(&self) -> &[&'static str] {
        self.targets
            .get_or_init(|| match expression::parse(self.expression) {
                Ok(parsed) => reachable(self.kind, &parsed, &self.declared),
                Err(_) => self.declared.clone(),
            })
    }

    /// The canonical URL of HL7's definition.
    pub fn url(&self) -> String {
        format!("http://hl7.org/fhir/SearchParameter/{}", self.definition)
    }
}

/// All search parameters.
#[derive(Debug)]
pub struct Parameters {
    all: Vec<Parameter>,
    kinds: HashMap<&'static str, Kind>,
}

#[derive(Debug)]
struct Kind {
    first: u16,
    end: u16,
    program: OnceLock<Program>,
}

/// The registry. Made at its first use, the program of a kind at that kind's first use.
pub fn parameters() -> &'static Parameters {
    static ALL: LazyLock<Parameters> =
        LazyLock::new(|| Parameters::read(include_str!("../../definitions/search-parameters.tsv")));
    &ALL
}

impl Parameters {
    /// Every parameter, sorted by kind and code; a [`ParamId`] is a place in it.
    pub fn all(&self) -> &[Parameter] {
        &self.all
    }

    /// The parameters of a kind, sorted by code; empty if there is no such kind.
    pub fn of_kind(&self, kind: &str) -> &[Parameter] {
        self.kinds.get(kind).map_or(&[], |kind| {
            &self.all[kind.first as usize..kind.end as usize]
        })
    }

    /// The parameter of that name.
    pub fn lookup(&self, kind: &str, code: &str) -> Option<&Parameter> {
        let of_kind = self.of_kind(kind);
        let at = of_kind
            .binary_search_by(|parameter| parameter.code.cmp(code))
            .ok()?;
        Some(&of_kind[at])
    }

    /// The parameter of that number.
    pub fn get(&self, id: ParamId) -> Option<&Parameter> {
        self.all.get(id.0 as usize)
    }

    /// A number that changes whenever the definitions do, and with them the meaning of [`ParamId`]s and
    /// of packed rows.
    pub fn fingerprint(&self) -> u64 {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        hash.update(FORMAT);
        let of_parameters = self.all.iter().flat_map(|parameter| {
            [
                parameter.kind,
                parameter.code,
                parameter.of_type.name(),
                parameter.expression,
            ]
        });
        for text in of_parameters
            .chain(SYSTEMS.iter().copied())
            .chain(CODES.iter().copied())
        {
            hash.update(text);
            hash.update([0]);
        }
        let digest = hash.finalize();
        u64::from_be_bytes(std::array::from_fn(|at| digest[at]))
    }

    pub(super) fn program(&self, kind: &str) -> Option<&Program> {
        let found = self.kinds.get(kind)?;
        Some(found.program.get_or_init(|| {
            let mut program = Program::new();
            for parameter in self.of_kind(kind) {
                if !parameter.of_type.is_supported() {
                    continue;
                }
                // What cannot be compiled selects nothing; a test lists all of it by name.
                if let Ok(parsed) = expression::parse(parameter.expression) {
                    let _ = program.add(kind, parameter.id, &parsed);
                }
            }
            program
        }))
    }

    fn read(table: &'static str) -> Parameters {
        let mut all: Vec<Parameter> = table.lines().flat_map(read_line).collect();
        all.sort_by_key(|parameter| (parameter.kind, parameter.code));
        let mut kinds = HashMap::new();
        for (at, parameter) in all.iter_mut().enumerate() {
            let at = at as u16;
            parameter.id = ParamId(at);
            let new = || Kind {
                first: at,
                end: at,
                program: OnceLock::new(),
            };
            kinds.entry(parameter.kind).or_insert_with(new).end = at + 1;
        }
        Parameters { all, kinds }
    }
}

fn read_line(line: &'static str) -> impl Iterator<Item = Parameter> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().unwrap_or_default();
    let (definition, bases, code, of_type) = (field(), field(), field(), field());
    let (expression, targets) = (field(), field());
    let wanted = !matches!(code, "_id" | "_lastUpdated");
    let of_type = ParameterType::named(of_type).filter(|_| wanted);
    let targets: Vec<_> = targets
        .split_ascii_whitespace()
        .filter(|kind| *kind != "*")
        .collect();
    of_type.into_iter().flat_map(move |of_type| {
        let targets = targets.clone();
        bases
            .split_ascii_whitespace()
            .flat_map(kinds_of_base)
            .map(move |kind| Parameter {
                id: ParamId(0),
                kind,
                code,
                of_type,
                declared: targets.clone(),
                targets: OnceLock::new(),
                expression,
                definition,
            })
    })
}

fn kinds_of_base(base: &'static str) -> Vec<&'static str> {
    match base {
        "Resource" | "DomainResource" => definitions::kinds().collect(),
        kind => vec![kind],
    }
}

#[cfg(test)]
mod tests;
