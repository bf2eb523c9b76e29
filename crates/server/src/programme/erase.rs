//! Carrying an erasure out: the one thing that the writer does besides appending.
//!
//! In this order, each durable before the next:
//! 1. the step `carrying-out` is recorded, with what goes;
//! 2. the index's maps lose what goes, so that nobody finds it any more;
//! 3. the keys are destroyed, and the wrapping key with them;
//! 4. the index's files are written anew, and forms that were kept as drafts go if they tell of the person;
//! 5. the step `done` is recorded.
//!
//! Stopped after 1, it is finished at the next start, whatever of 2 to 4 was done: the keys are
//! destroyed (again), the index is made anew from what can still be read, all drafts go, because what they tell
//! of can no longer be known, and 5 is recorded. Before 1, nothing has happened, and as long as the witnesses have
//! not confirmed the record and the clock, 1 is refused.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use casework::erasure::{PROGRAMME, Scope, Stage, Step, Who};
use casework::proceeding::Proceeding as _;
use index::{Forgotten, Index};
use ledger::{Appender, CommitError, Ledger};
use record::search::parse_criteria;

use super::named::Named;
use super::writer::{commit_alone, decided};
use super::{Actor, AsOf, Committed, Decide, Expect, Inner, View};
use crate::erasure::{self, Found, plan, task};
use crate::error::{Error, ErrorKind};

/// After which of the five steps above the process is ended at once: for the tests of what a crash
/// leaves. 0 is never.
#[doc(hidden)]
pub static STOP_AFTER: AtomicU32 = AtomicU32::new(0);

fn stop_after(step: u32) {
    if STOP_AFTER.load(Ordering::Relaxed) == step {
        std::process::abort();
    }
}

/// Decides and carries out. The outer error is for the ledger's end; after it the process must stop,
/// and the next start finishes.
pub(super) fn carry_out(
    inner: &Arc<Inner>,
    appender: &mut Appender,
    actor: Actor,
    id: &str,
    decide: Decide,
) -> Result<Result<Committed, Error>, CommitError> {
    if let Some(why) = inner.cosigning.refusal_to_erase() {
        return Ok(Err(Error::new(ErrorKind::Unavailable, why)));
    }
    if let Err(error) = crate::backup::copies::refuse_erasing(&inner.data) {
        return Ok(Err(error));
    }
    let drafts = match decided(inner, decide) {
        Ok(drafts) => drafts,
        Err(error) => return Ok(Err(error)),
    };
    let resources = match resources(inner, id) {
        Ok(resources) => resources,
        Err(error) => return Ok(Err(error)),
    };
    // Once now, while what cannot be taken away is a reason to refuse; and again when the values are gone.
    if let Err(error) = super::index_audit::forget(&inner.data) {
        let why = "Nothing was erased: what an audit has copied of the index cannot be taken away. Remove the folders \
                   `index.audit` and `index.audit.gone` from the data directory, and try again.";
        return Ok(Err(Error::new(ErrorKind::Unavailable, why).because(error)));
    }
    let begun = match commit_alone(inner, appender, actor, drafts)? {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error)),
    };
    stop_after(1);
    let halfway = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "an erasure stopped half way; the next start finishes it");
        CommitError::Fatal(None)
    };
    let forgotten: Vec<Forgotten<'_>> = resources.iter().map(Resource::forgotten).collect();
    inner
        .index
        .forget(&forgotten)
        .map_err(|error| halfway(&error))?;
    stop_after(2);
    let view = View::new(inner, AsOf::Now);
    let found = erasure::lawful(&view, id, inner.least_delay()).map_err(|e| halfway(&e))?;
    super::index_audit::forget(&inner.data).map_err(|error| halfway(&error))?;
    destroy(inner, appender, &found).map_err(|error| halfway(&error))?;
    stop_after(3);
    inner.index.purge().map_err(|error| halfway(&error))?;
    super::index_audit::forget(&inner.data).map_err(|error| halfway(&error))?;
    forget_drafts(inner, &resources).map_err(|error| halfway(&error))?;
    if let Some(alias) = found.alias() {
        inner.known.forget(alias);
    }
    inner.permits.forget_all();
    inner.erasures.fetch_add(1, Ordering::Release);
    stop_after(4);
    done(inner, appender, found)?.map_err(|error| halfway(&error))?;
    stop_after(5);
    Ok(Ok(begun))
}

/// A resource that loses versions.
struct Resource {
    kind: String,
    id: String,
    in_line: String,
    erased: BTreeSet<u64>,
}

impl Resource {
    fn forgotten(&self) -> Forgotten<'_> {
        Forgotten {
            kind: &self.kind,
            id: &self.in_line,
            erased: &self.erased,
        }
    }
}

/// What the index has of an erasure's contents, read while they can still be opened.
fn resources(inner: &Arc<Inner>, id: &str) -> Result<Vec<Resource>, Error> {
    let view = View::new(inner, AsOf::Now);
    let found = erasure::lawful(&view, id, inner.least_delay())?;
    let plan = plan::of(&view, &found.person(), found.erasure.request.scope)?;
    let mut resources: BTreeMap<(String, String), Resource> = BTreeMap::new();
    for position in plan.positions {
        let (entry, content) = inner.ledger.version(position).map_err(Error::ledger)?;
        let Some((kind, id)) = ledger::content::name(&content.stored) else {
            continue;
        };
        let resource = resources
            .entry((kind.to_owned(), id.to_owned()))
            .or_insert_with(|| Resource {
                kind: kind.to_owned(),
                id: id.to_owned(),
                in_line: entry.id.clone(),
                erased: BTreeSet::new(),
            });
        resource.erased.insert(position);
    }
    Ok(resources.into_values().collect())
}

/// Drafts that tell of what went go, too: those sent to an address of it, and those with an id of it in a field.
fn forget_drafts(inner: &Inner, resources: &[Resource]) -> Result<(), Error> {
    let ids: HashSet<&str> = resources
        .iter()
        .map(|resource| resource.id.as_str())
        .collect();
    let entries: HashSet<u64> = resources
        .iter()
        .flat_map(|resource| resource.erased.iter().copied())
        .collect();
    let tells = |text: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'))
            .any(|word| ids.contains(word))
    };
    let is_sent_to_an_entry = |path: &str| {
        let number = path.strip_prefix("/entries/")?.split('/').next()?;
        Some(entries.contains(&number.parse().ok()?))
    };
    let mut goes = |user: i64, draft: &desk::Draft| {
        let opened = inner.sealer.open_draft(user, &draft.body);
        // What does not open cannot be shown to say nothing.
        let body = opened.map(|body| String::from_utf8_lossy(&body).into_owned());
        tells(&draft.path)
            || is_sent_to_an_entry(&draft.path).unwrap_or(false)
            || body.as_deref().map_or(true, tells)
    };
    inner
        .desk
        .forget_drafts(inner.clock.now().0, &mut goes)
        .map_err(Error::desk)?;
    Ok(())
}

/// The keys go. After the therapy notes alone, everybody gets new keys, so that there can be new notes.
fn destroy(inner: &Inner, appender: &mut Appender, found: &Found) -> Result<(), Error> {
    let slots = found.goes.as_ref().map_or(&[][..], |goes| &goes.slots);
    let keys = appender.keys().clone();
    keys.destroy(slots, &mut |bytes| inner.chance.fill(bytes))
        .map_err(Error::internal)?;
    if found.erasure.request.scope == Scope::Notes {
        appender.begin_epoch().map_err(Error::internal)?;
    }
    Ok(())
}

/// Records that nothing is left.
fn done(
    inner: &Arc<Inner>,
    appender: &mut Appender,
    mut found: Found,
) -> Result<Result<Committed, Error>, CommitError> {
    let who = Who {
        actor: PROGRAMME.to_owned(),
        officer: false,
        themself: false,
    };
    let now = inner.clock.now().0;
    let draft = match (found.erasure.decide(&Step::Done, &who, now), found.alias()) {
        (Ok(()), Some(alias)) => {
            found.erasure.take(Step::Done, &who, now);
            let stored = task::write(&found.id, &found.erasure, found.goes.as_ref());
            let expect = Expect::Version(found.version);
            erasure::governance("Task", &found.id, expect, stored, alias)
        }
        (Err(refusal), _) => Err(erasure::refused(&refusal)),
        (_, None) => Err(Error::internal("an erasure without a person")),
    };
    let actor = Actor {
        name: PROGRAMME.to_owned(),
        purpose: erasure::PURPOSE.to_owned(),
    };
    match draft {
        Ok(draft) => commit_alone(inner, appender, actor, vec![draft]),
        Err(error) => Ok(Err(error)),
    }
}

/// Erasures that were being carried out when the process ended. One whose steps break the rules is
/// left as it is, for whoever audits.
pub(super) fn unfinished(
    ledger: &Ledger,
    index: &Index,
    least_delay: i64,
) -> Result<Vec<Found>, Error> {
    let system = evidence::erasure::GOVERNANCE;
    let params = [
        (
            "code".to_owned(),
            format!("{system}|{}", evidence::erasure::ERASURE),
        ),
        ("status".to_owned(), "in-progress".to_owned()),
    ];
    let (criteria, _) = parse_criteria("Task", &params, "");
    let size = index.applied();
    let named = Named { index, ledger };
    let page = named.search(&index::Search {
        criteria: &criteria,
        as_of: size,
        count: usize::from(u16::MAX),
        after: None,
        total: false,
    })?;
    let mut unfinished = Vec::new();
    for hit in page.hits {
        let (_, content) = ledger.version(hit.position).map_err(Error::ledger)?;
        let Some((_, id)) = ledger::content::name(&content.stored) else {
            continue;
        };
        let history = named.history("Task", id, size)?;
        let positions: Vec<u64> = history.iter().rev().map(|found| found.position).collect();
        let versions = ledger.versions(&positions).map_err(Error::ledger)?;
        let each = versions.iter().map(|(entry, content)| {
            let (at, stored) = (entry.recorded_at.0, content.stored.as_slice());
            (entry.actor.as_str(), at, entry.position, stored)
        });
        match Found::of(each, least_delay) {
            Some(found) if !found.unlawful.is_empty() => tracing::error!(
                task = found.id,
                "an erasure that breaks the rules was begun; it is not finished"
            ),
            Some(found) if found.erasure.stage == Stage::CarryingOut => unfinished.push(found),
            _ => {}
        }
    }
    Ok(unfinished)
}

/// Destroys what an interrupted erasure was to destroy; the index must then be made anew.
pub(super) fn destroy_again(
    appender: &mut Appender,
    unfinished: &[Found],
    chance: &mut dyn FnMut(&mut [u8]),
) -> Result<(), Error> {
    let slots: Vec<u32> = unfinished
        .iter()
        .filter_map(|found| found.goes.as_ref())
        .flat_map(|goes| goes.slots.iter().copied())
        .collect();
    let keys = appender.keys().clone();
    keys.destroy(&slots, chance).map_err(Error::internal)?;
    let notes = |found: &Found| found.erasure.request.scope == Scope::Notes;
    if unfinished.iter().any(notes) {
        appender.begin_epoch().map_err(Error::internal)?;
    }
    Ok(())
}

/// Records that what was interrupted is done. The index is new by then.
pub(super) fn finish(
    inner: &Arc<Inner>,
    appender: &mut Appender,
    unfinished: Vec<Found>,
) -> Result<(), Error> {
    if !unfinished.is_empty() {
        let all = &mut |_: i64, _: &desk::Draft| true;
        let forgotten = inner.desk.forget_drafts(inner.clock.now().0, all);
        forgotten.map_err(Error::desk)?;
    }
    for found in unfinished {
        let id = found.id.clone();
        done(inner, appender, found).map_err(Error::internal)??;
        tracing::warn!(task = id, "an interrupted erasure was finished");
    }
    Ok(())
}

impl Inner {
    /// The least delay of an erasure here.
    pub(super) fn least_delay(&self) -> i64 {
        super::erasure_delay_least(self.ledger.origin())
    }
}
