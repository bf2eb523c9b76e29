//! Reads `structures.txt` into tables. The file is part of the program, so whatever is wrong with it is a mistake made
//! while building: a test reads it, and loading panics with the line.

use super::{Codes, Definitions, Element, Kinds, Names, Primitive, Shape, Type, TypeId};
use std::collections::HashMap;

/// A type as the file gives it: without what it inherits.
struct Draft<'t> {
    name: String,
    base: Option<&'t str>,
    nature: Nature,
    is_abstract: bool,
    elements: Vec<Line<'t>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    Resource,
    Complex,
    Primitive,
    Nested,
}

/// One element as the file gives it.
struct Line<'t> {
    name: &'t str,
    is_required: bool,
    is_list: bool,
    types: Vec<&'t str>,
    codes: Option<&'t str>,
    /// The draft that the lines below it make.
    nested: Option<usize>,
}

pub(super) fn load(text: &'static str) -> Definitions {
    let (drafts, codes) = read(text);
    let by_name: HashMap<&str, usize> = drafts
        .iter()
        .enumerate()
        .map(|(at, d)| (d.name.as_str(), at))
        .collect();
    let is_kind = |d: &Draft<'_>| d.nature == Nature::Resource && !d.is_abstract;
    let mut kinds: Vec<usize> = (0..drafts.len())
        .filter(|at| is_kind(&drafts[*at]))
        .collect();
    kinds.sort_by(|a, b| drafts[*a].name.cmp(&drafts[*b].name));
    let kind_names = Names::new(kinds.iter().map(|at| leak(&drafts[*at].name)).collect());
    let code_sets: HashMap<&str, u16> = codes
        .iter()
        .enumerate()
        .map(|(at, c)| (c.name, short(at)))
        .collect();
    let open_types = drafts
        .iter()
        .find(|d| d.name == "Extension")
        .and_then(|d| d.elements.iter().find(|e| e.name == "value[x]"))
        .map_or(&[][..], |e| &e.types);

    let mut builder = Builder {
        drafts: &drafts,
        by_name: &by_name,
        kind_names: &kind_names,
        code_sets: &code_sets,
        open_types,
        targets: Vec::new(),
        targets_by_text: HashMap::new(),
    };
    let types: Vec<Type> = drafts.iter().map(|d| builder.finish(d)).collect();
    let targets = builder.targets;
    let element = short(by_name["Element"]);
    let kinds = kinds.into_iter().map(short).collect();
    Definitions {
        types,
        kinds,
        kind_names,
        codes,
        targets,
        element,
    }
}

fn short(at: usize) -> u16 {
    u16::try_from(at).expect("fewer than 65,536 definitions")
}

/// Names that the file spells in parts live as long as the program.
fn leak(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn read(text: &'static str) -> (Vec<Draft<'static>>, Vec<Codes>) {
    let mut drafts: Vec<Draft<'static>> = Vec::with_capacity(1024);
    let mut codes = Vec::new();
    // The drafts that the next element may belong to, by depth.
    let mut open: Vec<usize> = Vec::new();
    for line in text.lines() {
        let depth = line.len() - line.trim_start_matches(' ').len();
        let mut words = line[depth..].split(' ');
        let Some(mut first) = words.next() else {
            continue;
        };
        if depth == 0 {
            if first == "codes" {
                let name = words.next().unwrap_or_default();
                codes.push(Codes {
                    name,
                    names: Names::new(words.collect()),
                });
                continue;
            }
            let is_abstract = first == "abstract";
            if is_abstract {
                first = words.next().unwrap_or_default();
            }
            let nature = match first {
                "resource" => Nature::Resource,
                "type" => Nature::Complex,
                "primitive" => Nature::Primitive,
                _ => panic!("structures.txt: {line}"),
            };
            let name = words.next().unwrap_or_default().to_owned();
            open = vec![drafts.len()];
            drafts.push(Draft {
                name,
                base: words.nth(1),
                nature,
                is_abstract,
                elements: Vec::new(),
            });
            continue;
        }
        // Deeper than the last element's owner: the last element is of a type of its own.
        if depth > open.len() {
            let owner = open[open.len() - 1];
            let nested = drafts.len();
            let element = drafts[owner]
                .elements
                .last_mut()
                .unwrap_or_else(|| panic!("structures.txt: {line}"));
            element.nested = Some(nested);
            let base = element.types.first().copied();
            let name = format!(
                "{}.{}",
                drafts[owner].name,
                drafts[owner].elements[drafts[owner].elements.len() - 1].name
            );
            drafts.push(Draft {
                name,
                base,
                nature: Nature::Nested,
                is_abstract: false,
                elements: Vec::new(),
            });
            open.push(nested);
        }
        open.truncate(depth);
        let cardinality = words.next().unwrap_or_default();
        let mut element = Line {
            name: first,
            is_required: cardinality.starts_with('1'),
            is_list: cardinality.ends_with('*'),
            types: Vec::new(),
            codes: None,
            nested: None,
        };
        for word in words {
            match word.strip_prefix('!') {
                Some(name) => element.codes = Some(name),
                None => element.types.push(word),
            }
        }
        drafts[open[depth - 1]].elements.push(element);
    }
    (drafts, codes)
}

struct Builder<'b> {
    drafts: &'b [Draft<'static>],
    by_name: &'b HashMap<&'b str, usize>,
    kind_names: &'b Names,
    code_sets: &'b HashMap<&'static str, u16>,
    open_types: &'b [&'static str],
    targets: Vec<Kinds>,
    targets_by_text: HashMap<&'static str, u16>,
}

impl Builder<'_> {
    fn finish(&mut self, draft: &Draft<'static>) -> Type {
        // The base's elements come first, then one's own.
        let mut chain = vec![draft];
        while let Some(base) = chain[chain.len() - 1].base {
            chain.push(&self.drafts[self.by_name[base]]);
        }
        let mut elements = Vec::new();
        let mut required = 0_u128;
        if draft.nature != Nature::Primitive {
            let lines = chain.iter().rev().flat_map(|d| &d.elements);
            for (number, line) in lines.enumerate() {
                let number = u8::try_from(number)
                    .ok()
                    .filter(|n| *n < 128)
                    .expect("fewer than 128 elements in a type");
                if line.is_required {
                    required |= 1 << number;
                }
                self.element(line, number, &mut elements);
            }
        }
        let bit = |name: &str| {
            elements
                .iter()
                .find(|e| e.path_name == name)
                .map(|e| 1 << e.number)
        };
        let either = if draft.name == "Extension" {
            bit("value").zip(bit("extension"))
        } else {
            None
        };
        Type {
            either,
            name: leak(&draft.name),
            is_resource: draft.nature == Nature::Resource,
            names: Names::new(elements.iter().map(|e| e.name).collect()),
            elements,
            required,
        }
    }

    fn element(&mut self, line: &Line<'static>, number: u8, elements: &mut Vec<Element>) {
        let choice = line.name.strip_suffix("[x]");
        let types = if line.types == ["*"] {
            self.open_types
        } else {
            &line.types
        };
        for &word in types {
            let (type_name, targets) = match word.strip_suffix(')').and_then(|w| w.split_once('('))
            {
                Some((name, targets)) => (name, Some(self.target_set(targets))),
                None => (word, None),
            };
            let name = match choice {
                Some(stem) => {
                    let (initial, rest) = type_name.split_at(1);
                    leak(&format!("{stem}{}{rest}", initial.to_ascii_uppercase()))
                }
                None => line.name,
            };
            elements.push(Element {
                name,
                path_name: choice.unwrap_or(line.name),
                number,
                is_list: line.is_list,
                is_choice: choice.is_some(),
                shape: match line.nested {
                    Some(at) => Shape::Object(short(at)),
                    None => self.shape(type_name),
                },
                codes: line.codes.map(|name| self.code_sets[name]),
                targets,
            });
        }
    }

    fn target_set(&mut self, text: &'static str) -> u16 {
        if let Some(&number) = self.targets_by_text.get(text) {
            return number;
        }
        let mut set = Kinds::default();
        for name in text.split('|') {
            let kind = self
                .kind_names
                .find(name)
                .unwrap_or_else(|| panic!("structures.txt: no kind {name}"));
            set.insert(u8::try_from(kind).expect("fewer than 256 kinds"));
        }
        let number = short(self.targets.len());
        self.targets.push(set);
        self.targets_by_text.insert(text, number);
        number
    }

    fn shape(&self, name: &str) -> Shape {
        let name = name.strip_prefix('=').unwrap_or(name);
        let at = *self
            .by_name
            .get(name)
            .unwrap_or_else(|| panic!("structures.txt: no type {name}"));
        match self.drafts[at].nature {
            Nature::Primitive => Shape::Primitive(primitive(name)),
            Nature::Resource => Shape::Resource,
            Nature::Complex | Nature::Nested => Shape::Object(TypeId::from(short(at))),
        }
    }
}

fn primitive(name: &str) -> Primitive {
    match name {
        "base64Binary" => Primitive::Base64Binary,
        "boolean" => Primitive::Boolean,
        "canonical" => Primitive::Canonical,
        "code" => Primitive::Code,
        "date" => Primitive::Date,
        "dateTime" => Primitive::DateTime,
        "decimal" => Primitive::Decimal,
        "id" => Primitive::Id,
        "instant" => Primitive::Instant,
        "integer" => Primitive::Integer,
        "markdown" => Primitive::Markdown,
        "oid" => Primitive::Oid,
        "positiveInt" => Primitive::PositiveInt,
        "string" => Primitive::String,
        "time" => Primitive::Time,
        "unsignedInt" => Primitive::UnsignedInt,
        "uri" => Primitive::Uri,
        "url" => Primitive::Url,
        "uuid" => Primitive::Uuid,
        "xhtml" => Primitive::Xhtml,
        _ => panic!("structures.txt: no primitive {name}"),
    }
}
