//! Expressions compiled into one program per kind: a tree of JSON keys that one walk over a resource
//! follows, with the parameters to be given what lies at its leaves.
//!
//! Parameters that share a way share its steps, so what a walk costs depends on the resource, not on
//! how many parameters its kind has. Keys that no parameter leads through are skipped whole. A program
//! never fails: what a resource does not have is not selected.
//!
//! `resolve()` is not followed: what a reference leads to is known by its text, by its `type`, or by
//! the resource contained under its fragment.

use super::ParamId;
use super::expression::Expression;
use super::shapes::{is_a, shapes};
use crate::definitions::{self, Kinds};
use crate::json::Value;

/// Why an expression has no program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CompileError {
    #[error("`{context}` has no element `{name}`")]
    UnknownElement { context: String, name: String },
    #[error("`{0}` is not a path")]
    NotAPath(String),
    #[error("`{0}` is not a condition")]
    NotACondition(String),
    #[error("an index is only followed at the first list of a path")]
    IndexTooDeep,
}

/// A way through a resource, and the type of what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Branch {
    steps: Vec<Step>,
    of_type: String,
    /// The kinds that a reference found there may lead to; `None` if to any.
    targets: Option<Kinds>,
}

impl Branch {
    fn root(context: &str) -> Branch {
        Branch {
            steps: Vec::new(),
            of_type: context.to_owned(),
            targets: None,
        }
    }

    /// Whether a reference found there may lead to this kind.
    fn leads_to(&self, kind: &str) -> bool {
        let number = definitions::kind_number(kind);
        let allowed = self
            .targets
            .is_none_or(|kinds| number.is_some_and(|number| kinds.contains(number)));
        let asked = self.steps.iter().all(|step| match step {
            Step::Where(Condition::RefersTo(wanted)) => wanted == kind,
            _ => true,
        });
        allowed && asked
    }
}

/// The kinds among `known` that the references selected by an expression can lead to.
pub(super) fn reachable<'k>(
    kind: &str,
    expression: &Expression,
    known: &[&'k str],
) -> Vec<&'k str> {
    let Ok(branches) = branches(kind, expression) else {
        return known.to_vec();
    };
    let reachable = |target: &&&str| branches.iter().any(|branch| branch.leads_to(target));
    known.iter().filter(reachable).copied().collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(&'static str),
    Index(usize),
    Where(Condition),
}

/// What must hold of a value for the walk to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    /// Some value on these ways is written so (`true` is "true").
    Equal(Vec<Vec<Step>>, String),
    /// There are values, and not only this one.
    NotEqual(Vec<Vec<Step>>, String),
    Exists(Vec<Vec<Step>>),
    RefersTo(String),
}

/// What a parameter selects.
#[derive(Debug, Clone, Copy)]
pub(super) enum Selected<'d> {
    /// A node of the resource, of this type.
    Node(Value<'d>, Datatype),
    /// The value of a parameter that is a condition.
    Boolean(bool),
}

/// The compiled parameters of one kind.
#[derive(Debug, Default)]
pub(super) struct Program {
    nodes: Vec<Node>,
    conditions: Vec<(ParamId, Condition)>,
}

#[derive(Debug, Default)]
struct Node {
    keys: Vec<(&'static str, u32)>,
    filters: Vec<(Filter, u32)>,
    emits: Vec<(ParamId, Datatype)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Filter {
    Index(usize),
    Where(Condition),
}

impl Program {
    pub(super) fn new() -> Program {
        Program {
            nodes: vec![Node::default()],
            conditions: Vec::new(),
        }
    }

    /// Adds one parameter of `kind`.
    pub(super) fn add(
        &mut self,
        kind: &str,
        param: ParamId,
        expression: &Expression,
    ) -> Result<(), CompileError> {
        if is_condition(expression) {
            self.conditions.push((param, condition(kind, expression)?));
            return Ok(());
        }
        for branch in branches(kind, expression)? {
            let mut at = 0;
            for step in branch.steps {
                at = self.follow(at, step);
            }
            let emit = (param, Datatype::named(&branch.of_type));
            let emits = &mut self.nodes[at as usize].emits;
            if !emits.contains(&emit) {
                emits.push(emit);
            }
        }
        Ok(())
    }

    fn follow(&mut self, at: u32, step: Step) -> u32 {
        let new = self.nodes.len() as u32;
        let node = &mut self.nodes[at as usize];
        let filter = match step {
            Step::Key(key) => {
                if let Some((_, next)) = node.keys.iter().find(|(known, _)| *known == key) {
                    return *next;
                }
                node.keys.push((key, new));
                self.nodes.push(Node::default());
                return new;
            }
            Step::Index(number) => Filter::Index(number),
            Step::Where(condition) => Filter::Where(condition),
        };
        if let Some((_, next)) = node.filters.iter().find(|(known, _)| *known == filter) {
            return *next;
        }
        node.filters.push((filter, new));
        self.nodes.push(Node::default());
        new
    }

    /// Gives `sink` whatever the parameters select in `resource`, in the order of the resource.
    pub(super) fn run<'d>(
        &self,
        resource: Value<'d>,
        sink: &mut impl FnMut(ParamId, Selected<'d>),
    ) {
        let walk = Walk {
            program: self,
            resource,
        };
        for (param, condition) in &self.conditions {
            sink(*param, Selected::Boolean(walk.holds(condition, resource)));
        }
        walk.visit(0, resource, 0, sink);
    }
}

#[cfg(test)]
impl Program {
    pub(super) fn selects_nothing(&self) -> bool {
        self.conditions.is_empty() && self.datatypes().next().is_none()
    }

    pub(super) fn datatypes(&self) -> impl Iterator<Item = Datatype> {
        self.nodes
            .iter()
            .flat_map(|node| &node.emits)
            .map(|(_, datatype)| *datatype)
    }
}

struct Walk<'p, 'd> {
    program: &'p Program,
    resource: Value<'d>,
}

impl<'d> Walk<'_, 'd> {
    fn visit(
        &self,
        at: u32,
        value: Value<'d>,
        index: usize,
        sink: &mut impl FnMut(ParamId, Selected<'d>),
    ) {
        let node = &self.program.nodes[at as usize];
        for (param, datatype) in &node.emits {
            sink(*param, Selected::Node(value, *datatype));
        }
        for (filter, next) in &node.filters {
            let passes = match filter {
                Filter::Index(number) => index == *number,
                Filter::Where(condition) => self.holds(condition, value),
            };
            if passes {
                self.visit(*next, value, index, sink);
            }
        }
        if node.keys.is_empty() {
            return;
        }
        for (key, child) in value.entries() {
            let Some((_, next)) = node.keys.iter().find(|(known, _)| *known == key) else {
                continue;
            };
            for (index, item) in child.each().enumerate() {
                if !item.is_null() {
                    self.visit(*next, item, index, sink);
                }
            }
        }
    }

    fn holds(&self, condition: &Condition, value: Value<'d>) -> bool {
        match condition {
            Condition::And(a, b) => self.holds(a, value) && self.holds(b, value),
            Condition::Or(a, b) => self.holds(a, value) || self.holds(b, value),
            Condition::Equal(ways, text) => self.any(ways, value, &|found| is_written(found, text)),
            Condition::NotEqual(ways, text) => {
                self.any(ways, value, &|found| !is_written(found, text))
            }
            Condition::Exists(ways) => self.any(ways, value, &|_| true),
            Condition::RefersTo(kind) => refers_to(self.resource, value, kind),
        }
    }

    fn any(&self, ways: &[Vec<Step>], value: Value<'d>, test: &dyn Fn(Value<'d>) -> bool) -> bool {
        ways.iter().any(|steps| self.any_on(steps, value, 0, test))
    }

    fn any_on(
        &self,
        steps: &[Step],
        value: Value<'d>,
        index: usize,
        test: &dyn Fn(Value<'d>) -> bool,
    ) -> bool {
        match steps.split_first() {
            None => test(value),
            Some((Step::Key(key), rest)) => value.get(key).is_some_and(|child| {
                child
                    .each()
                    .enumerate()
                    .any(|(index, item)| !item.is_null() && self.any_on(rest, item, index, test))
            }),
            Some((Step::Index(number), rest)) => {
                index == *number && self.any_on(rest, value, index, test)
            }
            Some((Step::Where(condition), rest)) => {
                self.holds(condition, value) && self.any_on(rest, value, index, test)
            }
        }
    }
}

/// Primitives are compared as they are written.
fn is_written(value: Value, text: &str) -> bool {
    match value.as_str() {
        Some(string) => string == text,
        None => value.raw_str() == text,
    }
}

/// Whether the reference leads to a resource of `kind`, as far as the document itself says.
fn refers_to(resource: Value, reference: Value, kind: &str) -> bool {
    match reference.get("reference").and_then(|text| text.as_str()) {
        Some(text) => match text.strip_prefix('#') {
            Some("") => resource.str_at(&["resourceType"]) == Some(kind),
            Some(id) => resource.get("contained").is_some_and(|contained| {
                contained.items().any(|inner| {
                    inner.str_at(&["id"]) == Some(id)
                        && inner.str_at(&["resourceType"]) == Some(kind)
                })
            }),
            None => match kind_in_text(text) {
                Some(found) => found == kind,
                None => reference.str_at(&["type"]) == Some(kind),
            },
        },
        None => reference.str_at(&["type"]) == Some(kind),
    }
}

/// `Patient` in `Patient/1`, `http://a.org/fhir/Patient/1` and `Patient/1/_history/2`.
fn kind_in_text(text: &str) -> Option<&str> {
    let text = text.split(['?', '#']).next().unwrap_or(text);
    let (text, last) = text.rsplit_once('/')?;
    let mut rest = text;
    if let Some((before, "_history")) = text.rsplit_once('/') {
        rest = before.rsplit_once('/')?.0;
    } else if last.is_empty() {
        return None;
    }
    let kind = rest.rsplit_once('/').map_or(rest, |(_, kind)| kind);
    let is_name = kind.starts_with(|letter: char| letter.is_ascii_uppercase())
        && kind.bytes().all(|letter| letter.is_ascii_alphanumeric());
    is_name.then_some(kind)
}

fn is_condition(expression: &Expression) -> bool {
    use Expression as E;
    match expression {
        E::And(..) | E::Or(..) | E::Equal(..) | E::NotEqual(..) | E::Is(..) => true,
        E::Call(_, name, _) => matches!(name.as_str(), "exists" | "hasExtension"),
        _ => false,
    }
}

fn branches(context: &str, expression: &Expression) -> Result<Vec<Branch>, CompileError> {
    use Expression as E;
    let root = || vec![Branch::root(context)];
    let input_of = |input: &Option<Box<E>>| match input {
        Some(input) => branches(context, input),
        None => Ok(root()),
    };
    match expression {
        E::Member(None, name) if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
            Ok(if is_a(context, name) {
                root()
            } else {
                Vec::new()
            })
        }
        E::Member(input, name) => {
            let mut out = Vec::new();
            for branch in input_of(input)? {
                out.extend(member(branch, name)?);
            }
            Ok(out)
        }
        E::Union(a, b) => {
            let mut out = branches(context, a)?;
            for branch in branches(context, b)? {
                if !out.contains(&branch) {
                    out.push(branch);
                }
            }
            Ok(out)
        }
        E::As(input, wanted) => of_type(branches(context, input)?, wanted),
        E::Call(Some(input), name, arguments) => {
            let input = branches(context, input)?;
            match (name.as_str(), arguments.as_slice()) {
                ("as" | "ofType", [E::Member(None, wanted)]) => of_type(input, wanted),
                ("where", [test]) => {
                    let mut out = Vec::new();
                    for mut branch in input {
                        let test = condition(&branch.of_type, test)?;
                        branch.steps.push(Step::Where(test));
                        out.push(branch);
                    }
                    Ok(out)
                }
                ("extension", [E::Text(url)]) => {
                    let mut out = Vec::new();
                    for branch in input {
                        out.extend(extension(branch, url)?);
                    }
                    Ok(out)
                }
                _ => Err(CompileError::NotAPath(name.clone())),
            }
        }
        E::Index(input, number) => {
            let mut out = branches(context, input)?;
            for branch in &mut out {
                // One list only, or the number would count within each of several lists.
                if !matches!(branch.steps[..], [Step::Key(_)]) {
                    return Err(CompileError::IndexTooDeep);
                }
                branch.steps.push(Step::Index(*number));
            }
            Ok(out)
        }
        other => Err(CompileError::NotAPath(format!("{other:?}"))),
    }
}

fn member(branch: Branch, name: &str) -> Result<Vec<Branch>, CompileError> {
    let found = shapes(&branch.of_type, name);
    if found.is_empty() {
        let context = branch.of_type;
        return Err(CompileError::UnknownElement {
            context,
            name: name.to_owned(),
        });
    }
    Ok(found
        .into_iter()
        .map(|shape| {
            let mut steps = branch.steps.clone();
            steps.push(Step::Key(shape.key));
            Branch {
                steps,
                of_type: shape.of_type,
                targets: shape.targets,
            }
        })
        .collect())
}

fn extension(branch: Branch, url: &str) -> Result<Vec<Branch>, CompileError> {
    let mut out = member(branch, "extension")?;
    for branch in &mut out {
        let is_it = Condition::Equal(vec![vec![Step::Key("url")]], url.to_owned());
        branch.steps.push(Step::Where(is_it));
    }
    Ok(out)
}

fn of_type(mut branches: Vec<Branch>, wanted: &str) -> Result<Vec<Branch>, CompileError> {
    branches.retain(|branch| is_a(&branch.of_type, wanted));
    Ok(branches)
}

fn condition(context: &str, expression: &Expression) -> Result<Condition, CompileError> {
    use Expression as E;
    let steps = |expression: &E| -> Result<Vec<Vec<Step>>, CompileError> {
        Ok(branches(context, expression)?
            .into_iter()
            .map(|branch| branch.steps)
            .collect())
    };
    let literal = |expression: &E| match expression {
        E::Text(text) => Some(text.clone()),
        E::Boolean(value) => Some(value.to_string()),
        _ => None,
    };
    let not_a_condition = || CompileError::NotACondition(format!("{expression:?}"));
    match expression {
        E::And(a, b) => Ok(Condition::And(
            condition(context, a)?.into(),
            condition(context, b)?.into(),
        )),
        E::Or(a, b) => Ok(Condition::Or(
            condition(context, a)?.into(),
            condition(context, b)?.into(),
        )),
        E::Equal(path, value) => Ok(Condition::Equal(
            steps(path)?,
            literal(value).ok_or_else(not_a_condition)?,
        )),
        E::NotEqual(path, value) => Ok(Condition::NotEqual(
            steps(path)?,
            literal(value).ok_or_else(not_a_condition)?,
        )),
        E::Is(input, kind) => match &**input {
            E::Call(None, name, arguments) if name == "resolve" && arguments.is_empty() => {
                Ok(Condition::RefersTo(kind.clone()))
            }
            _ => Err(not_a_condition()),
        },
        E::Call(Some(input), name, arguments) if name == "exists" && arguments.is_empty() => {
            Ok(Condition::Exists(steps(input)?))
        }
        E::Call(None, name, arguments) if name == "hasExtension" => match &arguments[..] {
            [E::Text(url)] => {
                let here = Branch::root(context);
                let ways = extension(here, url)?
                    .into_iter()
                    .map(|branch| branch.steps)
                    .collect();
                Ok(Condition::Exists(ways))
            }
            _ => Err(not_a_condition()),
        },
        _ => Err(not_a_condition()),
    }
}

macro_rules! datatypes {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// The datatypes that a conversion to search values tells apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Datatype {
            $(#[doc = $name] $variant,)+
            /// Whatever no parameter can be given a value from.
            Other,
        }

        impl Datatype {
            /// By its name in FHIR; `Other` for those not told apart.
            pub(super) fn named(name: &str) -> Datatype {
                match name {
                    $($name => Datatype::$variant,)+
                    _ => Datatype::Other,
                }
            }

            /// By the end of a choice's key: `CodeableConcept`, `String` for `string`.
            pub(super) fn of_choice(name: &str) -> Datatype {
                match Datatype::named(name) {
                    Datatype::Other => Datatype::named(&super::shapes::lower_first(name)),
                    datatype => datatype,
                }
            }
        }
    };
}

datatypes! {
    Address "Address",
    Age "Age",
    Annotation "Annotation",
    Boolean "boolean",
    Canonical "canonical",
    Code "code",
    CodeableConcept "CodeableConcept",
    Coding "Coding",
    ContactPoint "ContactPoint",
    Count "Count",
    Date "date",
    DateTime "dateTime",
    Decimal "decimal",
    Distance "Distance",
    Duration "Duration",
    Extension "Extension",
    HumanName "HumanName",
    Id "id",
    Identifier "Identifier",
    Instant "instant",
    Integer "integer",
    Markdown "markdown",
    Money "Money",
    Oid "oid",
    Period "Period",
    PositiveInt "positiveInt",
    Quantity "Quantity",
    Range "Range",
    Reference "Reference",
    Resource "Resource",
    SampledData "SampledData",
    String "string",
    Time "time",
    Timing "Timing",
    UnsignedInt "unsignedInt",
    Uri "uri",
    Url "url",
    Uuid "uuid",
}

#[cfg(test)]
mod tests;
