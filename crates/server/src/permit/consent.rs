//! What the person's consents say of a thing that somebody is about to read or take away.
//!
//! The rule is `casework::consent`; here is who asks, as consents name them, and what is asked for. A thing
//! that is known by its kind alone is asked of as such: what a consent says of some of it is said when
//! that is read.

use casework::Span;
use casework::consent::{
    self, Action as Does, Answer, Asked, Data, Recipient, TREATING, consented,
};
use policy::{Action, Consent, Facts, Kind, Role};
use record::search::parse_criteria;

use super::related::Record;
use super::{Permits, Reader, Thing};
use crate::error::Error;
use crate::programme::Search;

/// What is said of a thing, and by which version of which Consent.
pub(super) struct Said {
    /// What.
    pub consent: Consent,
    /// `Consent/9x…/_history/2`, if it is permitted by one.
    pub by: Option<String>,
}

impl Said {
    /// Something without a Consent behind it.
    pub fn only(consent: Consent) -> Said {
        Said { consent, by: None }
    }
}

/// A version of a Consent, as the access log names it.
fn version(consent: &consent::Consent) -> String {
    format!("Consent/{}/_history/{}", consent.id, consent.version)
}

/// How many organisations somebody can be of.
const ORGANISATIONS_MAX: usize = 20;

impl Reader {
    /// What is said of it.
    pub(super) fn consent(
        &self,
        permits: &Permits,
        record: &dyn Record,
        action: Action,
        thing: &Thing<'_>,
        facts: &Facts,
    ) -> Result<Said, Error> {
        let does = match action {
            Action::Export => Does::Disclose,
            // Whoever is outside of the programme is given what they read.
            Action::Know | Action::Read => match self.who().role {
                Role::Evaluator | Role::Inspector => Does::Disclose,
                _ => Does::Use,
            },
            _ => return Ok(Said::only(Consent::Silent)),
        };
        let Some(about) = thing
            .about
            .filter(|_| permits.has_consents() && !facts.is_self)
        else {
            return Ok(Said::only(Consent::Silent));
        };
        let related = permits.related(record, about)?;
        if related.consents.is_empty() {
            return Ok(Said::only(Consent::Silent));
        }
        let role = self.who().role.as_str();
        let classes = [role, TREATING];
        let classes = &classes[..if facts.treats() { 2 } else { 1 }];
        let organisations = self.organisations(record)?;
        let references: Vec<&str> = self
            .who()
            .names
            .iter()
            .chain(organisations)
            .map(String::as_str)
            .collect();
        let mut labels: Vec<&str> = thing.labels.iter().map(|label| &**label).collect();
        for kind in thing.kinds.each() {
            labels.extend(match kind {
                Kind::Notes => Some(record::sensitivity::THERAPY_NOTE),
                Kind::Sud => Some("SUD"),
                _ => None,
            });
        }
        let text = |name: &str| {
            let found = thing.resource.and_then(|resource| resource.str_at(&[name]));
            found.unwrap_or_default()
        };
        let class = text("resourceType");
        let reference = match text("id") {
            "" => String::new(),
            id => format!("{class}/{id}"),
        };
        let mut codes = Vec::new();
        if let Some(resource) = thing.resource {
            crate::consent::codings(resource, &mut codes);
        }
        let happened = thing.resource.and_then(record::happened::happened);
        let asked = Asked {
            at: self.now(),
            action: does,
            purpose: self.purpose().code(),
            recipient: Recipient {
                references: &references,
                classes,
            },
            data: Data {
                class,
                reference: &reference,
                labels: &labels,
                codes: &codes,
                happened: happened.map(|happened| Span {
                    start: happened.start,
                    end: happened.end,
                }),
            },
        };
        Ok(match consented(&related.consents, &asked) {
            Answer::Permitted(consent) => Said {
                consent: Consent::Permitted,
                by: Some(version(consent)),
            },
            Answer::Refused(_) => Said::only(Consent::Refused),
            Answer::Silent => Said::only(Consent::Silent),
        })
    }

    /// The organisations that somebody from outside works for, as the record says now: a release to one is
    /// a release to whoever reads for it.
    fn organisations(&self, record: &dyn Record) -> Result<&[String], Error> {
        if let Some(known) = self.0.organisations.get() {
            return Ok(known);
        }
        let mut found = Vec::new();
        let outside = matches!(self.who().role, Role::Evaluator | Role::Inspector);
        let names = self.who().names.iter().filter(|_| outside);
        for id in names.filter_map(|name| name.strip_prefix("Practitioner/")) {
            let params = [
                ("practitioner".to_owned(), id.to_owned()),
                ("active".to_owned(), "true".to_owned()),
            ];
            let (criteria, _) = parse_criteria("PractitionerRole", &params, "");
            let page = record.page(&Search {
                criteria: &criteria,
                count: ORGANISATIONS_MAX,
                after: None,
                total: false,
            })?;
            for version in page.hits {
                let doc = record::json::Doc::parse(&version.stored).map_err(Error::internal)?;
                let organisation = doc.root().str_at(&["organization", "reference"]);
                found.extend(organisation.map(str::to_owned));
            }
        }
        Ok(self.0.organisations.get_or_init(|| found))
    }
}
