//! What is in force: warrants, delegations and break-glasses, read from the record once and kept until
//! something of them is recorded.
//!
//! Nothing here depends on the time: who asks gives the moment. What is asked is always the record as it
//! stands; whoever looks at the past does so with the permissions of now.
//!
//! A reader notes the generation, reads, and keeps what it read only if the generation is still the
//! same; the writer lets everybody see its entries first and then moves the generation on. So a warrant
//! that was revoked opens nothing for whoever asks after the revocation was answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use casework::break_glass::{self, BreakGlass};
use casework::delegation::{self, Delegation};
use casework::kind::Kind;
use casework::warrant::{self, Warrant};
use ledger::access::Disclosed;

use crate::error::Error;
use crate::programme::View;
use crate::web::path;

/// Everything that was ever entered of the three, but for what breaks the rules.
#[derive(Debug, Default)]
pub struct Standing {
    warrants: Vec<(Arc<str>, Warrant)>,
    delegations: Vec<(Arc<str>, Delegation)>,
    /// By the person's alias.
    glass: HashMap<String, Vec<(Arc<str>, BreakGlass)>>,
}

impl Standing {
    /// Reads it.
    pub fn read(view: &View) -> Result<Standing, Error> {
        let mut glass: HashMap<String, Vec<(Arc<str>, BreakGlass)>> = HashMap::new();
        for found in crate::break_glass::all(view, None)? {
            if let Some(unlawful) = found.unlawful.first() {
                tracing::error!(task = found.id, %unlawful, "a break-glass opens nothing");
                continue;
            }
            let person = found.broken.opening.person.clone();
            let of_person = glass.entry(person).or_default();
            of_person.push((found.id.into(), found.broken));
        }
        Ok(Standing {
            warrants: crate::warrant::of_rules(crate::warrant::all(view)?),
            delegations: crate::delegation::all(view)?
                .into_iter()
                .map(|found| (found.id.into(), found.delegation))
                .collect(),
            glass,
        })
    }

    /// The warrant that lets somebody read something, with the id of its Task; else the reason that is
    /// nearest to it. `names` are all the names that the reader goes by; `kind` and `happened` are of
    /// what is read, and without a kind it is asked whether anything of the person is open.
    pub fn warrant(
        &self,
        names: &[impl AsRef<str>],
        person: &str,
        kind: Option<Kind>,
        happened: warrant::When,
        now: i64,
    ) -> Result<(&str, &Warrant), warrant::Closed> {
        let mut nearest = warrant::Closed::OtherInspector;
        for name in names {
            let asked = warrant::Asked {
                inspector: name.as_ref(),
                person,
                kind,
                happened,
                now,
            };
            for (id, warrant) in &self.warrants {
                match warrant.opens(&asked) {
                    Ok(()) => return Ok((id, warrant)),
                    Err(closed) => nearest = nearest.max(closed),
                }
            }
        }
        Err(nearest)
    }

    /// All warrants for somebody, with the ids of their Tasks.
    pub fn warrants_of(&self, names: &[impl AsRef<str>]) -> impl Iterator<Item = (&str, &Warrant)> {
        self.warrants
            .iter()
            .filter(|(_, warrant)| {
                names
                    .iter()
                    .any(|name| name.as_ref() == warrant.order.inspector)
            })
            .map(|(id, warrant)| (&**id, warrant))
    }

    /// The break-glass that lets somebody read something, with the id of its Task; else the reason that
    /// is nearest to it.
    pub fn break_glass(
        &self,
        names: &[impl AsRef<str>],
        person: &str,
        kind: Option<Kind>,
        export: bool,
        now: i64,
    ) -> Result<(&str, &BreakGlass), break_glass::Closed> {
        let mut nearest = break_glass::Closed::Nothing;
        let of_person = self.glass.get(person).into_iter().flatten();
        for (id, broken) in of_person {
            for name in names {
                let asked = break_glass::Asked {
                    reader: name.as_ref(),
                    person,
                    kind,
                    export,
                    now,
                };
                match broken.opens(&asked) {
                    Ok(()) => return Ok((id, broken)),
                    Err(closed) => nearest = nearest.max(closed),
                }
            }
        }
        Err(nearest)
    }

    /// What somebody has open by breaking the glass, with the ids of the Tasks.
    pub fn open_by(
        &self,
        names: &[impl AsRef<str>],
        now: i64,
    ) -> impl Iterator<Item = (&str, &BreakGlass)> {
        self.glass
            .values()
            .flatten()
            .filter(move |(_, broken)| {
                broken.lasts(now) && names.iter().any(|name| name.as_ref() == broken.reader)
            })
            .map(|(id, broken)| (&**id, broken))
    }

    /// The break-glasses of a person, the newest first.
    pub fn glass_of(&self, person: &str) -> impl Iterator<Item = (&str, &BreakGlass)> {
        let of_person = self.glass.get(person).into_iter().flatten();
        of_person.map(|(id, broken)| (&**id, broken))
    }

    /// The delegation under which somebody may act for a person who is `owner`'s, with the id of its Task.
    pub fn covers(
        &self,
        names: &[impl AsRef<str>],
        owner: &str,
        person: &str,
        now: i64,
    ) -> Option<(&str, &Delegation)> {
        self.delegations.iter().find_map(|(id, delegation)| {
            let covers = names.iter().any(|name| {
                delegation::covers([delegation], name.as_ref(), owner, person, now).is_some()
            });
            covers.then_some((&**id, delegation))
        })
    }

    /// The delegations that are in force for somebody.
    pub fn covered_by(
        &self,
        names: &[impl AsRef<str>],
        now: i64,
    ) -> impl Iterator<Item = (&str, &Delegation)> {
        self.delegations
            .iter()
            .filter(move |(_, one)| {
                one.stage(now) == delegation::Stage::InForce
                    && names.iter().any(|name| name.as_ref() == one.cover.delegate)
            })
            .map(|(id, one)| (&**id, one))
    }

    /// All warrants that let somebody read anything of a person.
    pub fn warrants_for(
        &self,
        names: &[impl AsRef<str>],
        person: &str,
        now: i64,
    ) -> impl Iterator<Item = &str> {
        self.warrants_of(names).filter_map(move |(id, warrant)| {
            let asked = warrant::Asked {
                inspector: &warrant.order.inspector,
                person,
                kind: None,
                happened: warrant::When::Any,
                now,
            };
            warrant.opens(&asked).is_ok().then_some(id)
        })
    }

    /// Whether a leaf of the access log is kept from the person for a time: what somebody read of whom they
    /// are not told yet, and who looked at such a warrant itself, or at such a leaf.
    pub fn keeps(&self, one: &Disclosed, person: &str, now: i64) -> bool {
        self.kept_by(one, person, now).is_some()
    }

    /// The Task of the warrant that keeps a leaf from the person for a time; of several the one that
    /// does so the longest.
    pub fn kept_by(&self, one: &Disclosed, person: &str, now: i64) -> Option<&str> {
        let told = one.told.as_ref();
        let is_of_warrants = told.is_some_and(|told| told.address.starts_with(path::WARRANTS));
        let basis = told.map(|told| &told.basis);
        let rests = basis.is_some_and(|basis| !basis.warrant.is_empty());
        let keeping = self.untold(person, now).filter(|(id, warrant)| {
            let named = |tasks: &str| names_task(tasks, id);
            is_of_warrants
                || basis.is_some_and(|basis| named(&basis.warrant) || named(&basis.kept))
                // Where it does not say on what it rests, by who read.
                || !rests && warrant.order.inspector == one.leaf.actor
        });
        let last = keeping.max_by_key(|(_, warrant)| warrant.notice_due());
        last.map(|(id, _)| id)
    }

    /// The warrants, with the ids of their Tasks, of which the person is lawfully not told yet.
    pub fn untold<'s>(
        &'s self,
        person: &str,
        now: i64,
    ) -> impl Iterator<Item = (&'s str, &'s Warrant)> {
        self.warrants
            .iter()
            .filter(move |(_, warrant)| warrant.names(person) && warrant.notice_due() > now)
            .map(|(id, warrant)| (&**id, warrant))
    }

    /// Whether there is a warrant of which anybody is not told yet.
    pub fn is_any_untold(&self, now: i64) -> bool {
        let mut all = self.warrants.iter();
        all.any(|(_, warrant)| warrant.notice_due() > now)
    }
}

/// Whether Tasks, as a leaf lists them, name one.
pub fn names_task(tasks: &str, id: &str) -> bool {
    let mut all = tasks.split(", ");
    all.any(|task| task.strip_prefix("Task/") == Some(id))
}

/// What is kept of it.
#[derive(Debug, Default)]
pub struct Known(Mutex<(u64, Option<Arc<Standing>>)>);

impl Known {
    /// What is in force, read now if something of it was recorded since it was read last.
    pub fn standing(&self, view: impl FnOnce() -> View) -> Result<Arc<Standing>, Error> {
        let generation = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(standing) = &known.1 {
                return Ok(standing.clone());
            }
            known.0
        };
        let standing = Arc::new(Standing::read(&view())?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 == generation {
            known.1 = Some(standing.clone());
        }
        Ok(standing)
    }

    /// Forgets it: something of it was recorded and can be seen by everybody.
    pub fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 += 1;
        known.1 = None;
    }
}
