use super::super::program::{CompileError, Datatype};
use super::*;
use std::collections::{BTreeMap, BTreeSet};

fn compile(parameter: &Parameter) -> Result<Program, CompileError> {
    let parsed = expression::parse(parameter.expression).expect("every expression parses");
    let mut program = Program::new();
    program.add(parameter.kind, parameter.id, &parsed)?;
    Ok(program)
}

#[test]
fn all_but_the_named_parameters_compile() {
    let (mut compiled, mut refused) = (0, Vec::new());
    for parameter in parameters().all() {
        if !parameter.of_type.is_supported() {
            continue;
        }
        match compile(parameter) {
            Ok(program) if program.selects_nothing() => {
                refused.push(format!(
                    "{}.{}: selects nothing",
                    parameter.kind, parameter.code
                ));
            }
            Ok(_) => compiled += 1,
            Err(error) => refused.push(format!("{}.{}: {error}", parameter.kind, parameter.code)),
        }
    }
    println!("{compiled}");
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn pairs_without_a_meaning_are_these() {
    let mut pairs: BTreeMap<(ParameterType, Datatype), BTreeSet<String>> = BTreeMap::new();
    for parameter in parameters().all() {
        if let Ok(program) = compile(parameter) {
            for datatype in program.datatypes() {
                pairs
                    .entry((parameter.of_type, datatype))
                    .or_default()
                    .insert(parameter.definition.to_owned());
            }
        }
    }
    for (pair, of) in pairs {
        println!(
            "{pair:?} {} {:?}",
            of.len(),
            of.iter().take(3).collect::<Vec<_>>()
        );
    }
}
