//! The subset of FHIRPath that HL7's search parameters are written in, as a tree.
//!
//! Paths, indexes, `|`, `as`, `is`, `and`, `or`, `=`, `!=`, literals and function calls. What a
//! function means is for [`super::program`] to know; here it is only a name with arguments.
//! Precedence, tightest first: `.` and `[]`, `is` and `as`, `|`, `=` and `!=`, `and`, `or`.

/// One expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `input.name`, or `name` alone.
    Member(Option<Box<Expression>>, String),
    /// `input.name(arguments)`, or without an input.
    Call(Option<Box<Expression>>, String, Vec<Expression>),
    /// `input[number]`.
    Index(Box<Expression>, usize),
    /// `input as Type`.
    As(Box<Expression>, String),
    /// `input is Type`.
    Is(Box<Expression>, String),
    /// `a | b`.
    Union(Box<Expression>, Box<Expression>),
    /// `a = b`.
    Equal(Box<Expression>, Box<Expression>),
    /// `a != b`.
    NotEqual(Box<Expression>, Box<Expression>),
    /// `a and b`.
    And(Box<Expression>, Box<Expression>),
    /// `a or b`.
    Or(Box<Expression>, Box<Expression>),
    /// `'text'`.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
}

/// Why an expression could not be read, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct SyntaxError {
    /// Byte offset in the expression.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Reads a whole expression.
pub fn parse(source: &str) -> Result<Expression, SyntaxError> {
    let mut parser = Parser { source, offset: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.error("something follows the expression")),
    }
}

struct Parser<'s> {
    source: &'s str,
    offset: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.equality()?;
        while self.word("and") {
            left = Expression::And(Box::new(left), Box::new(self.equality()?));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.union()?;
        loop {
            if self.symbol("!=") {
                left = Expression::NotEqual(Box::new(left), Box::new(self.union()?));
            } else if self.symbol("=") {
                left = Expression::Equal(Box::new(left), Box::new(self.union()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn union(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.typed()?;
        while self.symbol("|") {
            left = Expression::Union(Box::new(left), Box::new(self.typed()?));
        }
        Ok(left)
    }

    fn typed(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.path()?;
        loop {
            if self.word("as") {
                left = Expression::As(Box::new(left), self.type_name()?);
            } else if self.word("is") {
                left = Expression::Is(Box::new(left), self.type_name()?);
            } else {
                return Ok(left);
            }
        }
    }

    fn path(&mut self) -> Result<Expression, SyntaxError> {
        let mut input = self.term()?;
        loop {
            if self.symbol(".") {
                let name = self.name()?;
                input = self.invocation(Some(input), name)?;
            } else if self.symbol("[") {
                let digits = self.take_while(|letter| letter.is_ascii_digit());
                let number = digits
                    .parse()
                    .map_err(|_| self.error("a number was expected"))?;
                if !self.symbol("]") {
                    return Err(self.error("`]` was expected"));
                }
                input = Expression::Index(Box::new(input), number);
            } else {
                return Ok(input);
            }
        }
    }

    fn term(&mut self) -> Result<Expression, SyntaxError> {
        if self.symbol("(") {
            let inner = self.or()?;
            return if self.symbol(")") {
                Ok(inner)
            } else {
                Err(self.error("`)` was expected"))
            };
        }
        if self.peek() == Some('\'') {
            return self.text().map(Expression::Text);
        }
        let name = self.name()?;
        match name.as_str() {
            "true" => Ok(Expression::Boolean(true)),
            "false" => Ok(Expression::Boolean(false)),
            _ => self.invocation(None, name),
        }
    }

    fn invocation(
        &mut self,
        input: Option<Expression>,
        name: String,
    ) -> Result<Expression, SyntaxError> {
        let input = input.map(Box::new);
        if !self.symbol("(") {
            return Ok(Expression::Member(input, name));
        }
        let mut arguments = Vec::new();
        if !self.symbol(")") {
            loop {
                arguments.push(self.or()?);
                if self.symbol(")") {
                    break;
                }
                if !self.symbol(",") {
                    return Err(self.error("`,` or `)` was expected"));
                }
            }
        }
        Ok(Expression::Call(input, name, arguments))
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        match self.peek() {
            Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => Ok(self
                .take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_')
                .into()),
            _ => Err(self.error("a name was expected")),
        }
    }

    /// `Patient`, or `FHIR.Patient`.
    fn type_name(&mut self) -> Result<String, SyntaxError> {
        let name = self.name()?;
        if name == "FHIR" && self.symbol(".") {
            self.name()
        } else {
            Ok(name)
        }
    }

    fn text(&mut self) -> Result<String, SyntaxError> {
        let start = self.offset;
        self.offset += 1;
        let inner = self
            .take_while(|letter| letter != '\'' && letter != '\\')
            .to_owned();
        if self.source[self.offset..].starts_with('\'') {
            self.offset += 1;
            return Ok(inner);
        }
        let what = if self.offset < self.source.len() {
            "escapes in text are not part of the subset"
        } else {
            "this text does not end"
        };
        Err(SyntaxError {
            offset: start,
            what,
        })
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &str {
        let rest = &self.source[self.offset..];
        let length = rest.find(|letter| !wanted(letter)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }

    fn peek(&mut self) -> Option<char> {
        let rest = &self.source[self.offset..];
        self.offset += rest.len() - rest.trim_start().len();
        self.source[self.offset..].chars().next()
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.peek();
        let found = self.source[self.offset..].starts_with(symbol);
        if found {
            self.offset += symbol.len();
        }
        found
    }

    /// A keyword between two operands; not the start of a longer name.
    fn word(&mut self, word: &str) -> bool {
        self.peek();
        let Some(rest) = self.source[self.offset..].strip_prefix(word) else {
            return false;
        };
        let ends =
            !rest.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        if ends {
            self.offset += word.len();
        }
        ends
    }

    fn error(&self, what: &'static str) -> SyntaxError {
        SyntaxError {
            offset: self.offset,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree with every operation in brackets.
    fn show(expression: &Expression) -> String {
        use Expression as E;
        match expression {
            E::Member(None, name) => name.clone(),
            E::Member(Some(input), name) => format!("{}.{name}", show(input)),
            E::Call(input, name, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(show).collect();
                let input = input
                    .as_ref()
                    .map_or(String::new(), |input| show(input) + ".");
                format!("{input}{name}({})", arguments.join(", "))
            }
            E::Index(input, number) => format!("{}[{number}]", show(input)),
            E::As(input, kind) => format!("({} as {kind})", show(input)),
            E::Is(input, kind) => format!("({} is {kind})", show(input)),
            E::Union(a, b) => format!("({} | {})", show(a), show(b)),
            E::Equal(a, b) => format!("({} = {})", show(a), show(b)),
            E::NotEqual(a, b) => format!("({} != {})", show(a), show(b)),
            E::And(a, b) => format!("({} and {})", show(a), show(b)),
            E::Or(a, b) => format!("({} or {})", show(a), show(b)),
            E::Text(text) => format!("'{text}'"),
            E::Boolean(value) => value.to_string(),
        }
    }

    #[test]
    fn operations_bind_as_fhirpath_says() {
        for (source, expect) in [
            ("Patient.name", "Patient.name"),
            ("name | alias", "(name | alias)"),
            ("a as B | c as D", "((a as B) | (c as D))"),
            (
                "(Observation.value as Quantity)",
                "(Observation.value as Quantity)",
            ),
            (
                "(Observation.value as CodeableConcept).text",
                "(Observation.value as CodeableConcept).text",
            ),
            ("Condition.onset.as(Age)", "Condition.onset.as(Age)"),
            (
                "Account.subject.where(resolve() is Patient)",
                "Account.subject.where((resolve() is Patient))",
            ),
            ("a.where(system='email')", "a.where((system = 'email'))"),
            ("Bundle.entry[0].resource", "Bundle.entry[0].resource"),
            (
                "P.d.exists() and P.d != false",
                "(P.d.exists() and (P.d != false))",
            ),
            ("a or b and c", "(a or (b and c))"),
            ("a | b = c", "((a | b) = c)"),
            ("x is FHIR.Patient", "(x is Patient)"),
            (
                "ValueSet.expansion.contains.code",
                "ValueSet.expansion.contains.code",
            ),
            ("order.asserter", "order.asserter"),
            (
                "e.extension('http://x.org/a-b')",
                "e.extension('http://x.org/a-b')",
            ),
        ] {
            assert_eq!(
                parse(source).map(|tree| show(&tree)).as_deref(),
                Ok(expect),
                "{source}"
            );
        }
    }

    #[test]
    fn what_is_outside_of_the_subset_is_refused_with_its_place() {
        for (source, offset) in [
            ("", 0),
            ("a.", 2),
            ("a b", 2),
            ("a.where(b", 9),
            ("a[x]", 2),
            ("(a", 2),
            ("'open", 0),
            ("'a\\'b'", 0),
            ("a as", 4),
            ("a > b", 2),
        ] {
            assert_eq!(
                parse(source).map_err(|error| error.offset),
                Err(offset),
                "{source}"
            );
        }
    }
}
