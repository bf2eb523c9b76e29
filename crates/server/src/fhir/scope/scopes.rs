//! Scopes as SMART App Launch 2.2 writes them: read, compared, narrowed, and put into words.
//!
//! ```text
//! patient/Observation.rs?category=laboratory    of the launched person's, only these
//! user/*.cruds                                  whatever the person who signed in may
//! system/Patient.r                              for a program that acts for itself
//! launch/patient openid fhirUser offline_access log.read
//! ```
//!
//! Version 1's words are read and written again as they came: `patient/*.read` is `patient/*.rs`, and an app that asked for
//! it and got it finds it in the answer.
//!
//! A query is the search's own: [`record::search`] decides whether a version answers to it, so a scope
//! cannot mean one thing in a search and another in a read. A scope never grants what is not written.

use std::fmt;

use record::search::{Criteria, Values, extract, matches, pack, parse_criteria};

use super::Verb;

/// On whose behalf a scope is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// What is about the one person that the app was started on.
    Patient,
    /// What the person who signed in may see.
    User,
    /// A program that acts for itself.
    System,
}

impl Context {
    const ALL: [Context; 3] = [Context::Patient, Context::User, Context::System];

    /// As it stands before the slash.
    pub const fn word(self) -> &'static str {
        match self {
            Context::Patient => "patient",
            Context::User => "user",
            Context::System => "system",
        }
    }
}

/// Scopes that are not about a kind of resource.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extra {
    /// The log's tiles and lines.
    Log,
    /// What other clients' tokens stand for.
    Introspect,
    /// An id_token: who signed in.
    OpenId,
    /// In it, which resource that is.
    FhirUser,
    /// Started from a page of ours.
    Launch,
    /// A person is chosen at the start.
    LaunchPatient,
    /// Goes on when the user has left.
    Offline,
    /// Goes on while the user is signed in.
    Online,
}

impl Extra {
    const ALL: [Extra; 8] = [
        Extra::Log,
        Extra::Introspect,
        Extra::OpenId,
        Extra::FhirUser,
        Extra::Launch,
        Extra::LaunchPatient,
        Extra::Offline,
        Extra::Online,
    ];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Extra::Log => crate::transparency::SCOPE,
            Extra::Introspect => "token.introspect",
            Extra::OpenId => "openid",
            Extra::FhirUser => "fhirUser",
            Extra::Launch => "launch",
            Extra::LaunchPatient => "launch/patient",
            Extra::Offline => "offline_access",
            Extra::Online => "online_access",
        }
    }
}

/// One scope on resources.
#[derive(Clone, Debug)]
pub struct Scope {
    /// On whose behalf.
    pub context: Context,
    /// The kind; none for all of them.
    pub kind: Option<String>,
    /// The verbs, a bit each.
    bits: u8,
    /// Whether the verbs were written as one of version 1's words.
    is_v1: bool,
    /// The query as it was written, without the question mark; empty for none.
    query: String,
    criteria: Option<Criteria>,
}

/// What it allows is compared, not the version of SMART that it is written in.
impl PartialEq for Scope {
    fn eq(&self, other: &Scope) -> bool {
        self.context == other.context
            && self.kind == other.kind
            && self.bits == other.bits
            && self.query == other.query
    }
}

impl Scope {
    fn read(text: &str) -> Result<Scope, &'static str> {
        let (context, rest) = text.split_once('/').ok_or("it is of no known form")?;
        let context = Context::ALL
            .into_iter()
            .find(|one| one.word() == context)
            .ok_or("it does not begin with `patient/`, `user/` or `system/`")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, verbs) = rest.split_once('.').ok_or("it has no verbs")?;
        let kind = match kind {
            "*" => None,
            _ if record::definitions::kind_number(kind).is_some() => Some(kind.to_owned()),
            _ => return Err("there is no such resource type in FHIR R4"),
        };
        let bits = bits(verbs)?;
        let criteria = match (query, &kind) {
            ("", _) => None,
            (_, None) => return Err("a query needs a resource type, not `*`"),
            (query, Some(kind)) => Some(criteria(kind, query)?),
        };
        Ok(Scope {
            context,
            kind,
            bits,
            is_v1: query.is_empty() && WORDS.iter().any(|(_, word)| *word == verbs),
            query: query.to_owned(),
            criteria,
        })
    }

    fn is_of(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|own| own == kind)
    }

    fn has(&self, verb: Verb) -> bool {
        self.bits & verb.bit() != 0
    }

    /// What both allow, and nothing else; nothing if that is nothing. On another's behalf is another scope.
    fn both(&self, other: &Scope) -> Option<Scope> {
        let kind = match (&self.kind, &other.kind) {
            (own, None) => own,
            (None, other) => other,
            (Some(own), Some(other)) if own == other => &self.kind,
            (Some(_), Some(_)) => return None,
        };
        let bits = self.bits & other.bits;
        if self.context != other.context || bits == 0 {
            return None;
        }
        // What holds more conditions already holds the other's.
        let (query, criteria) = if self.answers_to(other) {
            (self.query.clone(), self.criteria.clone())
        } else if other.answers_to(self) {
            (other.query.clone(), other.criteria.clone())
        } else {
            let query = format!("{}&{}", self.query, other.query);
            let criteria = criteria(kind.as_deref()?, &query).ok()?;
            (query, Some(criteria))
        };
        Some(Scope {
            context: self.context,
            kind: kind.clone(),
            bits,
            is_v1: false,
            query,
            criteria,
        })
    }

    /// What its query asks, one by one; all of it must hold.
    fn conditions(&self) -> impl Iterator<Item = &str> {
        self.query.split('&').filter(|one| !one.is_empty())
    }

    /// Whether each condition of another one's query stands in its own.
    fn answers_to(&self, other: &Scope) -> bool {
        other
            .conditions()
            .all(|one| self.conditions().any(|own| own == one))
    }

    /// Whether it allows nothing that another one does not, as far as that can be told from how they are written.
    fn is_within(&self, other: &Scope) -> bool {
        self.context == other.context
            && self.bits & !other.bits == 0
            && (other.kind.is_none() || other.kind == self.kind)
            && self.answers_to(other)
    }

    /// Whether a version is among what it is about.
    fn holds(&self, stored: record::json::Value<'_>) -> bool {
        let Some(criteria) = &self.criteria else {
            return true;
        };
        let row = pack(&extract(stored));
        let values = Values::new(&row);
        let id = stored.str_at(&["id"]).unwrap_or_default();
        criteria.id_matches(id)
            && criteria
                .clauses
                .iter()
                .all(|clause| matches(&values, clause))
    }

    /// What it allows, in words for whoever decides about it: "See Observations (only: category is
    /// laboratory)".
    pub fn words(&self) -> String {
        let whose = match self.context {
            Context::Patient => "of this one person",
            Context::User => "of everybody whom you may see",
            Context::System => "of everybody, without anybody signed in",
        };
        let mut doing = Vec::new();
        match (self.has(Verb::Read), self.has(Verb::Search)) {
            (true, true) => doing.push("see"),
            (true, false) => doing.push("see one by one"),
            (false, true) => doing.push("search"),
            (false, false) => {}
        }
        for (verb, word) in [
            (Verb::Create, "add"),
            (Verb::Update, "change"),
            (Verb::Delete, "delete"),
        ] {
            if self.has(verb) {
                doing.push(word);
            }
        }
        let doing = match doing.split_last() {
            Some((last, before)) if !before.is_empty() => {
                format!("{} and {last}", before.join(", "))
            }
            Some((last, _)) => (*last).to_owned(),
            None => String::new(),
        };
        let what = match &self.kind {
            Some(kind) => crate::case::words::kind(kind),
            None => "everything in the record".to_owned(),
        };
        let mut doing = doing.chars();
        let doing = doing
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + doing.as_str())
            .unwrap_or_default();
        let only = match self.query.is_empty() {
            true => String::new(),
            false => format!(
                ", only where {}",
                self.query.replace('&', " and ").replace('=', " is ")
            ),
        };
        format!("{doing} {what} {whose}{only}")
    }

    /// Whether it lets anything be changed.
    pub fn writes(&self) -> bool {
        [Verb::Create, Verb::Update, Verb::Delete]
            .into_iter()
            .any(|verb| self.has(verb))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_deref().unwrap_or("*");
        write!(f, "{}/{kind}.", self.context.word())?;
        if let Some((_, word)) = WORDS
            .iter()
            .find(|(bits, _)| self.is_v1 && *bits == self.bits)
        {
            return f.write_str(word);
        }
        for (verb, letter) in LETTERS {
            if self.has(verb) {
                f.write_str(letter)?;
            }
        }
        match self.query.is_empty() {
            true => Ok(()),
            false => write!(f, "?{}", self.query),
        }
    }
}

/// More scopes on resources than this are never granted at once: a few that are asked for can have very many parts.
const GRANTED_MAX: usize = 1_000;

const LETTERS: [(Verb, &str); 5] = [
    (Verb::Create, "c"),
    (Verb::Read, "r"),
    (Verb::Update, "u"),
    (Verb::Delete, "d"),
    (Verb::Search, "s"),
];

/// Version 1's words, and the verbs that they stand for.
const WORDS: [(u8, &str); 3] = [
    (Verb::Read.bit() | Verb::Search.bit(), "read"),
    (
        Verb::Create.bit() | Verb::Update.bit() | Verb::Delete.bit(),
        "write",
    ),
    (31, "*"),
];

/// The verbs of version 2, or one of version 1's words.
fn bits(verbs: &str) -> Result<u8, &'static str> {
    if let Some((bits, _)) = WORDS.iter().find(|(_, word)| *word == verbs) {
        return Ok(*bits);
    }
    if verbs.is_empty() {
        return Err("it has no verbs");
    }
    let mut bits = 0u8;
    for letter in verbs.chars() {
        let (verb, _) = LETTERS
            .into_iter()
            .find(|(_, known)| known.starts_with(letter))
            .ok_or("its verbs are letters of `cruds`")?;
        if bits >= verb.bit() {
            return Err("its verbs come in the order `cruds`, each once");
        }
        bits |= verb.bit();
    }
    Ok(bits)
}

fn criteria(kind: &str, query: &str) -> Result<Criteria, &'static str> {
    let wrong = "its query is not a search of that type";
    let pairs = crate::fhir::query::decode(query).map_err(|_| wrong)?;
    let shapes = |(name, _): &(String, String)| record::search::is_result_parameter(name);
    if pairs.is_empty() || pairs.iter().any(shapes) {
        return Err(wrong);
    }
    let (criteria, findings) = parse_criteria(kind, &pairs, "");
    // When something was recorded is no property of it that a scope could be about.
    match findings.is_empty() && criteria.last_updated.is_empty() {
        true => Ok(criteria),
        false => Err(wrong),
    }
}

/// What somebody may do: scopes on resources, and the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scopes {
    scopes: Vec<Scope>,
    extras: Vec<Extra>,
}

impl Scopes {
    /// Reads scopes separated by spaces. The error is a sentence about the one that is wrong.
    pub fn parse(text: &str) -> Result<Scopes, String> {
        let (scopes, refused) = Scopes::read(text);
        match refused.into_iter().next() {
            None => Ok(scopes),
            Some((scope, why)) => Err(format!(
                "`{scope}` is not a scope that this server knows: {why}. Write `system/Observation.rs`, \
                 `patient/*.rs`, `system/*.cruds` or `log.read`."
            )),
        }
    }

    /// Reads those that are known; the others are given back with why not.
    pub fn read(text: &str) -> (Scopes, Vec<(String, &'static str)>) {
        let mut read = Scopes::default();
        let mut refused = Vec::new();
        for word in text.split_whitespace() {
            if let Some(extra) = Extra::ALL.into_iter().find(|one| one.word() == word) {
                if !read.extras.contains(&extra) {
                    read.extras.push(extra);
                }
                continue;
            }
            match Scope::read(word) {
                Ok(scope) if read.scopes.contains(&scope) => {}
                Ok(scope) => read.scopes.push(scope),
                Err(why) => refused.push((word.to_owned(), why)),
            }
        }
        (read, refused)
    }

    /// Whether any of the scopes allows it, on something at least.
    pub fn allow(&self, kind: &str, verb: Verb) -> bool {
        self.scopes
            .iter()
            .any(|scope| scope.has(verb) && scope.is_of(kind))
    }

    /// Whether one allows it on everything of that kind, so that no version need be looked at.
    pub fn allow_all(&self, kind: &str, verb: Verb) -> bool {
        self.scopes.iter().any(|scope| {
            scope.has(verb)
                && scope.is_of(kind)
                && scope.query.is_empty()
                && scope.context != Context::Patient
        })
    }

    /// Whether one allows it on this version; `is_theirs`: it is about the person whom the app was started on, or about
    /// nobody.
    pub fn admit(
        &self,
        kind: &str,
        verb: Verb,
        is_theirs: bool,
        stored: record::json::Value<'_>,
    ) -> bool {
        self.scopes.iter().any(|scope| {
            (is_theirs || scope.context != Context::Patient)
                && scope.has(verb)
                && scope.is_of(kind)
                && scope.holds(stored)
        })
    }

    /// Whether any of them lets through less than all of a kind, so that versions must be looked at.
    pub fn narrow(&self) -> bool {
        self.scopes
            .iter()
            .any(|scope| scope.context == Context::Patient || !scope.query.is_empty())
    }

    /// Whether the log's tiles and entries may be read.
    pub fn allow_log(&self) -> bool {
        self.has(Extra::Log)
    }

    /// Whether one of the others is among them.
    pub fn has(&self, extra: Extra) -> bool {
        self.extras.contains(&extra)
    }

    /// Those on resources.
    pub fn on_resources(&self) -> &[Scope] {
        &self.scopes
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.extras.is_empty()
    }

    /// Whether any of them is on this behalf.
    pub fn is_for(&self, context: Context) -> bool {
        self.scopes.iter().any(|scope| scope.context == context)
    }

    /// Of what is asked for, what these allow: of each scope what it has in common with these, which may be several
    /// narrower ones; never more of anything than either.
    pub fn of_asked(&self, asked: &Scopes) -> Scopes {
        let mut granted = Scopes::default();
        for scope in &asked.scopes {
            for part in self.parts(scope) {
                let at = granted.scopes.iter().position(|known| *known == part);
                match at {
                    Some(at) => granted.scopes[at].is_v1 |= part.is_v1,
                    None if granted.scopes.len() < GRANTED_MAX => granted.scopes.push(part),
                    None => {}
                }
            }
        }
        let known = |extra: &&Extra| self.extras.contains(extra);
        granted.extras = asked.extras.iter().filter(known).copied().collect();
        granted
    }

    /// What one that is asked for has in common with these, without what another part says already.
    fn parts(&self, asked: &Scope) -> Vec<Scope> {
        let mut parts: Vec<Scope> = Vec::new();
        for part in self.scopes.iter().filter_map(|own| asked.both(own)) {
            match parts
                .iter_mut()
                .find(|known| known.kind == part.kind && known.query == part.query)
            {
                Some(known) => known.bits |= part.bits,
                None => parts.push(part),
            }
        }
        for part in &mut parts {
            part.is_v1 = asked.is_v1 && *part == *asked;
        }
        let mut kept: Vec<Scope> = Vec::new();
        for part in parts {
            if !kept.iter().any(|known| part.is_within(known)) {
                kept.retain(|known| !known.is_within(&part));
                kept.push(part);
            }
        }
        kept
    }

    /// Whether all that is asked for is among these.
    pub fn cover(&self, asked: &Scopes) -> bool {
        self.of_asked(asked) == *asked
    }

    /// The same without those whose text is not listed; what is not on resources stays.
    pub fn keep(&self, kept: impl Fn(&str) -> bool) -> Scopes {
        Scopes {
            scopes: self
                .scopes
                .iter()
                .filter(|scope| kept(&scope.to_string()))
                .cloned()
                .collect(),
            extras: self.extras.clone(),
        }
    }

    /// The same without one of the others.
    pub fn without(mut self, extra: Extra) -> Scopes {
        self.extras.retain(|one| *one != extra);
        self
    }

    /// The same without those on this behalf.
    pub fn without_context(mut self, context: Context) -> Scopes {
        self.scopes.retain(|scope| scope.context != context);
        self
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for scope in &self.scopes {
            write!(f, "{space}{scope}")?;
            space = " ";
        }
        for extra in &self.extras {
            write!(f, "{space}{}", extra.word())?;
            space = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
