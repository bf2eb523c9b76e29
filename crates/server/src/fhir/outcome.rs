//! OperationOutcome: what went wrong, or what was left out, as FHIR says it.

use record::finding::{Finding, Severity};
use record::json::write_string;

use crate::error::Error;

/// The outcome that a client sees for an error: one issue with the message, then one for each
/// finding. The source is not in it.
pub fn of_error(error: &Error) -> Vec<u8> {
    let mut out = begin();
    issue(&mut out, "error", error.kind.row().code, &error.message, "");
    for finding in &error.findings {
        out.push(b',');
        of_finding(&mut out, finding);
    }
    end(out)
}

/// An outcome of findings alone; used inside of bundles. An empty list says that all is well.
pub fn of_findings(findings: &[Finding]) -> Vec<u8> {
    let Some((first, rest)) = findings.split_first() else {
        return all_is_well("No issues were found.");
    };
    let mut out = begin();
    of_finding(&mut out, first);
    for finding in rest {
        out.push(b',');
        of_finding(&mut out, finding);
    }
    end(out)
}

/// An outcome that only informs.
pub fn all_is_well(message: &str) -> Vec<u8> {
    let mut out = begin();
    issue(&mut out, "information", "informational", message, "");
    end(out)
}

fn begin() -> Vec<u8> {
    br#"{"resourceType":"OperationOutcome","issue":["#.to_vec()
}

fn end(mut out: Vec<u8>) -> Vec<u8> {
    out.extend_from_slice(b"]}");
    out
}

fn of_finding(out: &mut Vec<u8>, finding: &Finding) {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "information",
    };
    issue(
        out,
        severity,
        finding.code,
        &finding.message,
        &finding.expression,
    );
}

fn issue(out: &mut Vec<u8>, severity: &str, code: &str, text: &str, expression: &str) {
    out.extend_from_slice(b"{\"severity\":");
    write_string(severity, out);
    out.extend_from_slice(b",\"code\":");
    write_string(code, out);
    out.extend_from_slice(b",\"details\":{\"text\":");
    write_string(text, out);
    out.push(b'}');
    if !expression.is_empty() {
        out.extend_from_slice(b",\"expression\":[");
        write_string(expression, out);
        out.push(b']');
    }
    out.push(b'}');
}
