//! Every definition of HL7 compiles, or is named here.

use std::collections::{BTreeMap, BTreeSet};

use super::super::program::{CompileError, Datatype};
use super::*;

fn compile(parameter: &Parameter) -> Result<Program, CompileError> {
    let parsed = expression::parse(parameter.expression).expect("every expression parses");
    let mut program = Program::new();
    program.add(parameter.kind, parameter.id, &parsed)?;
    Ok(program)
}

#[test]
fn all_parameters_compile() {
    let mut compiled = 0;
    let mut definitions = BTreeSet::new();
    let mut refused = Vec::new();
    for parameter in parameters()
        .all()
        .iter()
        .filter(|parameter| parameter.of_type.is_supported())
    {
        match compile(parameter) {
            Ok(program) if program.selects_nothing() => {
                refused.push(format!(
                    "{}.{}: selects nothing",
                    parameter.kind, parameter.code
                ));
            }
            Ok(_) => {
                compiled += 1;
                definitions.insert(parameter.definition);
            }
            Err(error) => refused.push(format!("{}.{}: {error}", parameter.kind, parameter.code)),
        }
    }
    assert_eq!(refused, Vec::<String>::new());
    // HL7's definitions but two (`_id`, `_lastUpdated`), once for every kind that has them.
    assert_eq!((definitions.len(), compiled), (1_332, 2_217));
}

/// Composites, and what has a meaning of its own: HL7's ids.
const NOT_SUPPORTED: &str = "
    ActivityDefinition-context-type-quantity
    ActivityDefinition-context-type-value
    ChargeItemDefinition-context-type-quantity
    ChargeItemDefinition-context-type-value
    DocumentReference-relationship
    EffectEvidenceSynthesis-context-type-quantity
    EffectEvidenceSynthesis-context-type-value
    EventDefinition-context-type-quantity
    EventDefinition-context-type-value
    Evidence-context-type-quantity
    Evidence-context-type-value
    EvidenceVariable-context-type-quantity
    EvidenceVariable-context-type-value
    ExampleScenario-context-type-quantity
    ExampleScenario-context-type-value
    Group-characteristic-value
    Library-context-type-quantity
    Library-context-type-value
    Location-near
    Measure-context-type-quantity
    Measure-context-type-value
    MolecularSequence-chromosome-variant-coordinate
    MolecularSequence-chromosome-window-coordinate
    MolecularSequence-referenceseqid-variant-coordinate
    MolecularSequence-referenceseqid-window-coordinate
    Observation-code-value-concept
    Observation-code-value-date
    Observation-code-value-quantity
    Observation-code-value-string
    Observation-combo-code-value-concept
    Observation-combo-code-value-quantity
    Observation-component-code-value-concept
    Observation-component-code-value-quantity
    PlanDefinition-context-type-quantity
    PlanDefinition-context-type-value
    Questionnaire-context-type-quantity
    Questionnaire-context-type-value
    ResearchDefinition-context-type-quantity
    ResearchDefinition-context-type-value
    ResearchElementDefinition-context-type-quantity
    ResearchElementDefinition-context-type-value
    RiskEvidenceSynthesis-context-type-quantity
    RiskEvidenceSynthesis-context-type-value
    TestScript-context-type-quantity
    TestScript-context-type-value
    conformance-context-type-quantity
    conformance-context-type-value
";

#[test]
fn what_is_not_supported_is_known_by_name() {
    let found: BTreeSet<_> = parameters()
        .all()
        .iter()
        .filter(|parameter| !parameter.of_type.is_supported())
        .map(|parameter| parameter.definition)
        .collect();
    assert_eq!(found, NOT_SUPPORTED.split_whitespace().collect());
}

#[test]
fn numbers_of_a_kind_are_consecutive_and_names_are_found() {
    let all = parameters();
    for (at, parameter) in all.all().iter().enumerate() {
        assert_eq!(usize::from(parameter.id.0), at);
        assert_eq!(all.get(parameter.id).unwrap().id, parameter.id);
        assert_eq!(
            all.lookup(parameter.kind, parameter.code).unwrap().id,
            parameter.id
        );
    }
    assert!(
        all.of_kind("Patient")
            .iter()
            .all(|parameter| parameter.kind == "Patient")
    );
    for (kind, code) in [
        ("Patient", "nothing"),
        ("Nothing", "name"),
        ("Patient", "_id"),
        ("Patient", "_lastUpdated"),
    ] {
        assert!(all.lookup(kind, code).is_none(), "{kind}.{code}");
    }
    assert_eq!(
        all.lookup("Patient", "_tag").unwrap().url(),
        "http://hl7.org/fhir/SearchParameter/Resource-tag"
    );
    assert_eq!(all.fingerprint(), all.fingerprint());
}

#[test]
fn targets_are_those_that_the_expression_can_reach() {
    for (kind, code, expect) in [
        ("Observation", "patient", "Patient"),
        ("Observation", "subject", "Device Group Location Patient"),
        ("AllergyIntolerance", "patient", "Patient"),
        ("Condition", "encounter", "Encounter"),
        ("Appointment", "practitioner", "Practitioner"),
        ("Patient", "name", ""),
    ] {
        let mut targets = parameters().lookup(kind, code).unwrap().targets().to_vec();
        targets.sort_unstable();
        assert_eq!(targets.join(" "), expect, "{kind}.{code}");
    }
}

/// Every pair of parameter type and datatype that occurs, and how many definitions have it: a new
/// version of the definitions shows here what must be converted anew.
#[test]
fn pairs_of_parameter_type_and_datatype() {
    let mut pairs: BTreeMap<(ParameterType, Datatype), BTreeSet<&str>> = BTreeMap::new();
    for parameter in parameters()
        .all()
        .iter()
        .filter(|parameter| parameter.of_type.is_supported())
    {
        for datatype in compile(parameter).unwrap().datatypes() {
            pairs
                .entry((parameter.of_type, datatype))
                .or_default()
                .insert(parameter.definition);
        }
    }
    let shown: Vec<_> = pairs
        .iter()
        .map(|((of_type, datatype), of)| format!("{} {datatype:?} {}", of_type.name(), of.len()))
        .collect();
    let expect = "
        token Boolean 17
        token Code 143
        token CodeableConcept 215
        token Coding 36
        token ContactPoint 8
        token Extension 2
        token Id 3
        token Identifier 89
        token String 24
        token Uri 2
        string Address 4
        string Extension 5
        string HumanName 5
        string Markdown 16
        string String 106
        date Age 1
        date Date 5
        date DateTime 69
        date Instant 8
        date Period 39
        date Range 1
        date String 2
        date Timing 4
        reference Canonical 75
        reference Extension 1
        reference Reference 396
        reference Resource 2
        reference Uri 3
        reference Other 1
        quantity Age 2
        quantity Duration 1
        quantity Money 3
        quantity Quantity 21
        quantity Range 18
        quantity SampledData 3
        number Decimal 2
        number Integer 4
        number Range 1
        uri Canonical 1
        uri Uri 40
        uri Url 4
    ";
    let expect: Vec<_> = expect.trim().lines().map(str::trim).collect();
    assert_eq!(shown, expect);
}
