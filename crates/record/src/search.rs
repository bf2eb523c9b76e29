//! Search parameters: what can be asked of a resource, and what its answer is.
//!
//! HL7's own expressions are compiled once per kind ([`parameters`]); [`extract`] runs them over a
//! resource and gives what it can be found by; [`pack`] keeps that in few bytes. [`parse_criteria`]
//! reads what somebody asks, and [`matches`] says whether a version answers to it: it is the one
//! meaning of a search, which an index may only speed up.
//!
//! This module keeps nothing and looks nothing up: chained searches, `_include` and paging belong to
//! those who hold more than one resource.

mod criteria;
mod decimal;
mod expression;
mod extract;
mod fold;
mod matches;
mod pack;
mod parameters;
mod program;
mod shapes;
mod systems;

use std::borrow::Cow;

pub use criteria::{
    Clause, Criteria, Modifier, Prefix, ReferenceTest, Sort, SortBy, SystemTest, Test, is_defined,
    is_result_parameter, parse_criteria,
};
pub use decimal::Decimal;
pub use extract::extract;
pub use fold::fold;
pub use matches::{matches, matches_date};
pub use pack::{Values, pack};
pub use parameters::{Parameter, ParameterType, Parameters, parameters};

/// A parameter of one kind: its place in [`Parameters::all`]. The numbers of one kind are
/// consecutive. They change with the definitions, so what is stored by them goes with a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(pub u16);

/// One value that a resource can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Indexed<'a> {
    /// A code or an identifier. In a reference parameter: the reference's identifier.
    Token {
        /// `None`: implied by the element (`code`, `boolean`, `string`, contact points), and never
        /// in the way of a match. Empty: the element could have one and has none.
        system: Option<Cow<'a, str>>,
        /// `None`: there is a concept, but no code (only a text, say).
        code: Option<Cow<'a, str>>,
    },
    /// As written; folded when compared.
    String(Cow<'a, str>),
    /// Microseconds since 1970 UTC, `[start, end)`. Open ends are `i64::MIN` and `i64::MAX`.
    Date {
        /// The first microsecond.
        start: i64,
        /// The first microsecond after it.
        end: i64,
    },
    /// A plain number.
    Number(Decimal),
    /// An amount with its unit.
    Quantity {
        /// How much.
        value: Decimal,
        /// Of the code; empty if it has none.
        system: Cow<'a, str>,
        /// The coded unit; empty if it has none.
        code: Cow<'a, str>,
        /// The unit as shown; empty if it has none.
        unit: Cow<'a, str>,
    },
    /// Somewhere between two numbers or amounts, both included: a Range, or a Quantity with a
    /// comparator. `None` is an open end. The unit is empty in a number parameter.
    Range {
        /// The least.
        low: Option<Decimal>,
        /// The most.
        high: Option<Decimal>,
        /// Of the code; empty if it has none.
        system: Cow<'a, str>,
        /// The coded unit; empty if it has none.
        code: Cow<'a, str>,
        /// The unit as shown; empty if it has none.
        unit: Cow<'a, str>,
    },
    /// What a reference leads to.
    Reference {
        /// The kind of a resource of this server; `None` if `id` is a whole URL (`http:`, `urn:`, a
        /// canonical with its version, or `#` and a fragment).
        kind: Option<&'static str>,
        /// Its id, or the URL; empty if it leads nowhere (only a display).
        id: Cow<'a, str>,
    },
    /// As written, and compared so.
    Uri(Cow<'a, str>),
}

impl Indexed<'_> {
    /// The same value, owing nothing to where it came from.
    pub fn into_owned(self) -> Indexed<'static> {
        fn owned(text: Cow<str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        match self {
            Indexed::Token { system, code } => Indexed::Token {
                system: system.map(owned),
                code: code.map(owned),
            },
            Indexed::String(text) => Indexed::String(owned(text)),
            Indexed::Date { start, end } => Indexed::Date { start, end },
            Indexed::Number(value) => Indexed::Number(value),
            Indexed::Quantity {
                value,
                system,
                code,
                unit,
            } => Indexed::Quantity {
                value,
                system: owned(system),
                code: owned(code),
                unit: owned(unit),
            },
            Indexed::Range {
                low,
                high,
                system,
                code,
                unit,
            } => Indexed::Range {
                low,
                high,
                system: owned(system),
                code: owned(code),
                unit: owned(unit),
            },
            Indexed::Reference { kind, id } => Indexed::Reference {
                kind,
                id: owned(id),
            },
            Indexed::Uri(text) => Indexed::Uri(owned(text)),
        }
    }

    /// The number or amount as `[low, high]`, nearest binary numbers, open ends infinite; `None` for
    /// other values. Never reverses the order of two values, so it can sort candidates.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match self {
            Indexed::Number(value) | Indexed::Quantity { value, .. } => {
                Some((value.to_f64(), value.to_f64()))
            }
            Indexed::Range { low, high, .. } => Some((
                low.map_or(f64::NEG_INFINITY, Decimal::to_f64),
                high.map_or(f64::INFINITY, Decimal::to_f64),
            )),
            _ => None,
        }
    }
}
