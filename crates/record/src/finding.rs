//! What is wrong with a resource: one thing, its place, and a sentence.

/// How bad it is, in FHIR's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Accepted, but probably not what was meant.
    Warning,
    /// The resource is refused.
    Error,
}

impl Severity {
    /// As FHIR writes it (`OperationOutcome.issue.severity`).
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One finding about a resource, as an `OperationOutcome.issue` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// FHIR's issue type: `structure`, `required`, `value`, `invalid`, `code-invalid`, `not-supported`...
    pub code: &'static str,
    /// The place, as FHIRPath: `Patient.name[0].family`.
    pub expression: String,
    /// What is wrong and what to do, for a tired person. It repeats no value from the resource.
    pub message: String,
}

impl Finding {
    /// Something for which the resource is refused.
    pub fn error(
        code: &'static str,
        expression: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            severity: Severity::Error,
            code,
            expression: expression.into(),
            message: message.into(),
        }
    }

    /// Something that is accepted, but probably not what was meant.
    pub fn warning(
        code: &'static str,
        expression: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(code, expression, message)
        }
    }

    /// Something to know, with nothing wrong.
    pub fn information(code: &'static str, message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Information,
            ..Finding::error(code, "", message)
        }
    }

    /// Is the resource refused for it?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
