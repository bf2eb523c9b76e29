//! Searches: what matches, in order, a page at a time, as of any size.
//!
//! Postings propose candidates ([`plan`], [`candidates`]), the row of the
//! version as of the size decides ([`record::search::matches`]), and the order
//! ([`order`]) makes a total sequence of what is left. Three ways lead through
//! a search, chosen by what it asks and by counting:
//!
//! * **gather**: the clause with the fewest candidates wins a race with growing
//!   limits; its candidates are judged and sorted. The usual way.
//! * **stream**: candidates come in the order of creation and are judged until
//!   the page is full.
//! * **walk**: postings are themselves in the order asked for (a date, the time
//!   of recording, a person's main date) and are judged from the right end
//!   until the page is full.
//!
//! All three give the same answer; they differ in what they cost. Which is
//! cheapest cannot be known beforehand, so the race and the ordered ways take
//! turns, each time with eight times the effort: the search costs a small
//! multiple of what the best way alone would.

mod candidates;
mod order;
mod page;
mod plan;

use std::cmp::Ordering;
use std::collections::HashSet;

use record::search::{Criteria, ParameterType, Prefix, Sort, SortBy, Test, Values, matches};
use record::time::RecordedAt;

pub use page::{Cursor, Hit, Page};

use crate::read::{self, Version};
use crate::{Error, Index, key};
use candidates::{Gathering, Range, Walk};
use order::{Order, Place};
use plan::{Access, Combined};

/// Postings of each clause that are looked at before anything else is tried.
pub(crate) const RACE_START: usize = 64;

/// One search.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// What must hold, and in which order it comes.
    pub criteria: &'a Criteria,
    /// The size as of which the record is searched; with `after`, that of the
    /// first page counts instead. More than [`Index::applied`] is that.
    pub as_of: u64,
    /// Hits wanted; 0 for none but the total.
    pub count: usize,
    /// The page before.
    pub after: Option<Cursor>,
    /// Whether to count all that match.
    pub total: bool,
}

impl Index {
    /// Runs a search. Deleted resources are never found.
    ///
    /// # Errors
    /// [`Error::Cursor`] if `after` is not from this search, else the store's.
    pub fn search(&self, search: &Search) -> Result<Page, Error> {
        let Some(kind) = crate::kind_number(search.criteria.kind) else {
            return Ok(Page {
                total: search.total.then_some(0),
                ..Page::default()
            });
        };
        let size = match search.after {
            Some(cursor) if cursor.size > self.applied() => return Err(Error::Cursor),
            Some(cursor) => cursor.size,
            None => search.as_of.min(self.applied()),
        };
        let order = Order::new(&search.criteria.sort);
        let mut run = Execution {
            index: self,
            kind,
            size,
            criteria: search.criteria,
            positions: self.positions(search.criteria, size)?,
            after: None,
            count: search.count,
            total: search.total.then_some(0),
            hits: Vec::new(),
            more: false,
            judgements_left: usize::MAX,
            order,
        };
        if let Some(cursor) = search.after {
            let version = read::version_at(self.store(), cursor.number, size)?;
            let version = version.ok_or(Error::Cursor)?;
            // A page ends with a hit, which is of the kind that is searched and is not deleted.
            let id = key::read_id(version.id()).ok_or(Error::Cursor)?;
            let head = self.head(search.criteria.kind, &id)?;
            if version.deleted || head.is_none_or(|head| head.number != cursor.number) {
                return Err(Error::Cursor);
            }
            run.after = Some(run.order.place(&version));
        }
        run.execute()?;
        let Execution {
            hits, more, total, ..
        } = run;
        let next = match hits.last() {
            Some(last) if more => Some(Cursor {
                size,
                number: last.number,
            }),
            _ => None,
        };
        Ok(Page { hits, next, total })
    }

    /// `_lastUpdated` as positions: `None` if it is not asked; else, for each
    /// time it is, stretches one of which a version must be in.
    fn positions(&self, criteria: &Criteria, size: u64) -> Result<Vec<Vec<(u64, u64)>>, Error> {
        let before = |micros: i64| self.size_before(RecordedAt(micros));
        let mut all = Vec::with_capacity(criteria.last_updated.len());
        for tests in &criteria.last_updated {
            let mut stretches = Vec::new();
            for test in tests {
                let Test::Date { prefix, start, end } = test else {
                    continue;
                };
                let width = end.saturating_sub(*start);
                match prefix {
                    Prefix::Eq => stretches.push((before(*start)?, before(*end)?)),
                    Prefix::Ne => {
                        stretches.push((0, before(*start)?));
                        stretches.push((before(*end)?, size));
                    }
                    Prefix::Gt | Prefix::Sa => stretches.push((before(*end)?, size)),
                    Prefix::Ge => stretches.push((before(*start)?, size)),
                    Prefix::Lt | Prefix::Eb => stretches.push((0, before(*start)?)),
                    Prefix::Le => stretches.push((0, before(*end)?)),
                    Prefix::Ap => stretches.push((
                        before(start.saturating_sub(width))?,
                        before(end.saturating_add(width))?,
                    )),
                }
            }
            for (_, end) in &mut stretches {
                *end = size.min(*end);
            }
            all.push(stretches);
        }
        Ok(all)
    }
}

/// A search under way.
struct Execution<'a> {
    index: &'a Index,
    kind: u8,
    size: u64,
    criteria: &'a Criteria,
    /// Stretches of positions, one of each of which a version must be in.
    positions: Vec<Vec<(u64, u64)>>,
    order: Order<'a>,
    /// Where the last page ended.
    after: Option<Place>,
    count: usize,
    /// Matches so far, if they are counted.
    total: Option<u64>,
    hits: Vec<Hit>,
    /// There is a hit past the page.
    more: bool,
    /// Candidates that may still be judged before this way is given up.
    judgements_left: usize,
}

/// A way through the candidates in the order asked for.
enum Way<'w> {
    /// In the order of creation.
    Stream(Access),
    /// In the order of the first word: of these persons, or of all.
    Walk(Option<&'w Combined>),
}

impl Execution<'_> {
    fn execute(&mut self) -> Result<(), Error> {
        if !self.criteria.ids.is_empty() {
            let numbers = self.by_id()?;
            return self.gathered(numbers);
        }
        if self.asks_nothing() && self.total.is_some() {
            self.total = Some(self.count_everything()?);
            if self.count == 0 {
                return Ok(());
            }
            // The page itself need not count again.
            let total = self.total.take();
            let done = self.choose();
            self.total = total;
            return done;
        }
        self.choose()
    }

    fn asks_nothing(&self) -> bool {
        self.criteria.clauses.is_empty() && self.positions.is_empty()
    }

    fn choose(&mut self) -> Result<(), Error> {
        // In the order of creation a person's own postings serve as well.
        let combined = plan::combined(self.kind, self.criteria)
            .filter(|combined| !self.order.is_plain() || combined.clauses.len() > 1);
        let covered = |at: usize| combined.as_ref().is_some_and(|c| c.clauses.contains(&at));
        let mut accesses: Vec<Access> = self
            .criteria
            .clauses
            .iter()
            .enumerate()
            .filter(|(at, _)| !covered(*at))
            .filter_map(|(_, clause)| plan::access(self.kind, clause))
            .collect();
        for stretches in &self.positions {
            accesses.push(plan::changed(self.kind, stretches));
        }
        let alone = accesses.len() + usize::from(combined.is_some()) <= 1;
        let way = self.way_in_order(combined.as_ref(), &accesses);
        accesses.extend(combined.as_ref().map(Combined::access));
        match &way {
            // Nothing else proposes candidates, so nothing can be quicker.
            Some(way @ Way::Walk(combined))
                if accesses.is_empty() || (alone && combined.is_some()) =>
            {
                return self.follow(way).map(drop);
            }
            Some(way @ Way::Stream(access))
                if accesses.is_empty() || (alone && accesses.contains(access)) =>
            {
                return self.follow(way).map(drop);
            }
            _ => {}
        }
        if accesses.is_empty() {
            accesses.push(plan::everything(self.kind));
        }
        let mut race: Vec<Gathering> = accesses
            .iter()
            .map(|access| Gathering::new(access.ranges.clone(), self.size))
            .collect();
        let mut limit = RACE_START.min(self.index.race_max);
        let mut budget = limit + self.count.saturating_mul(4);
        loop {
            for at in 0..race.len() {
                if race[at].advance(self.index.store(), limit)? {
                    let numbers = race.swap_remove(at).into_numbers();
                    return self.gathered(numbers);
                }
            }
            if let Some(way) = &way {
                self.judgements_left = budget;
                let done = self.follow(way)?;
                self.judgements_left = usize::MAX;
                if done {
                    return Ok(());
                }
                self.hits.clear();
                self.more = false;
            }
            limit = limit.saturating_mul(8);
            budget = budget.saturating_mul(8);
        }
    }

    /// How candidates can come in the order asked for, so that a full page is
    /// the end of it. A count needs them all, in any order.
    fn way_in_order<'w>(
        &self,
        combined: Option<&'w Combined>,
        accesses: &[Access],
    ) -> Option<Way<'w>> {
        if self.total.is_some() {
            return None;
        }
        let Some(word) = self.order.first() else {
            let ordered = accesses.iter().find(|access| access.ordered.is_some());
            return Some(Way::Stream(match ordered {
                Some(access) => access.clone(),
                None => plan::everything(self.kind),
            }));
        };
        match combined {
            Some(combined) if plan::is_main_date(self.kind, word) => {
                Some(Way::Walk(Some(combined)))
            }
            _ => order::walkable(self.kind, word).map(|_| Way::Walk(None)),
        }
    }

    /// Follows a way until the page is full, there is no more (`true`), or too
    /// many candidates did not match (`false`).
    fn follow(&mut self, way: &Way) -> Result<bool, Error> {
        match way {
            Way::Stream(access) => self.stream(access),
            Way::Walk(combined) => self.walk(*combined),
        }
    }

    /// The numbers of the resources that `_id` names.
    fn by_id(&self) -> Result<Vec<u64>, Error> {
        let Some(ids) = self.criteria.ids.iter().min_by_key(|ids| ids.len()) else {
            return Ok(Vec::new());
        };
        let mut numbers = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.index.version_at(self.criteria.kind, id, self.size)?;
            numbers.extend(found.map(|found| found.number));
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// Counts a kind from its postings alone.
    fn count_everything(&self) -> Result<u64, Error> {
        let mut all = Gathering::new(plan::everything(self.kind).ranges, self.size);
        all.advance(self.index.store(), usize::MAX)?;
        Ok(all.into_numbers().len() as u64)
    }

    /// The version of a candidate, if it matches.
    fn judge(&self, number: u64) -> Result<Option<Version>, Error> {
        let Some(version) = read::version_at(self.index.store(), number, self.size)? else {
            return Ok(None);
        };
        if version.deleted {
            return Ok(None);
        }
        let within = |stretches: &Vec<(u64, u64)>| {
            stretches
                .iter()
                .any(|(start, end)| (*start..*end).contains(&version.position))
        };
        if !self.positions.iter().all(within) {
            return Ok(None);
        }
        if !self.criteria.ids.is_empty() {
            let id = key::read_id(version.id()).ok_or(Error::Corrupt("id"))?;
            if !self.criteria.id_matches(&id) {
                return Ok(None);
            }
        }
        let values = Values::new(version.values());
        let holds = self
            .criteria
            .clauses
            .iter()
            .all(|clause| matches(&values, clause));
        Ok(holds.then_some(version))
    }

    /// Adds a hit to the page; says whether more are needed.
    fn give(&mut self, hit: Hit) -> bool {
        if self.hits.len() < self.count {
            self.hits.push(hit);
        } else {
            self.more = true;
        }
        !self.more
    }

    fn is_after(&self, place: &Place) -> bool {
        self.after
            .as_ref()
            .is_none_or(|after| self.order.compare(place, after) == Ordering::Greater)
    }

    /// All candidates are known: judge, sort, cut.
    fn gathered(&mut self, numbers: Vec<u64>) -> Result<(), Error> {
        if self.order.is_plain() {
            let after = self.after.as_ref().map(|after| after.number);
            for number in numbers {
                let is_after = after.is_none_or(|after| number > after);
                if self.total.is_none() && !is_after {
                    continue;
                }
                let Some(version) = self.judge(number)? else {
                    continue;
                };
                if let Some(total) = &mut self.total {
                    *total += 1;
                }
                if is_after && !self.give(hit(&version)) && self.total.is_none() {
                    break;
                }
            }
            return Ok(());
        }
        let mut found = Vec::new();
        for number in numbers {
            if let Some(version) = self.judge(number)? {
                found.push((self.order.place(&version), hit(&version)));
            }
        }
        if let Some(total) = &mut self.total {
            *total += found.len() as u64;
        }
        self.give_sorted(found);
        Ok(())
    }

    /// Sorts what was found and gives what comes after the last page; says
    /// whether more are needed.
    fn give_sorted(&mut self, mut found: Vec<(Place, Hit)>) -> bool {
        found.retain(|(place, _)| self.is_after(place));
        let wanted = self.count - self.hits.len() + 1;
        let order = &self.order;
        if found.len() > wanted.saturating_mul(4) {
            found.select_nth_unstable_by(wanted, |a, b| order.compare(&a.0, &b.0));
            found.truncate(wanted);
        }
        found.sort_unstable_by(|a, b| order.compare(&a.0, &b.0));
        found.into_iter().all(|(_, hit)| self.give(hit))
    }

    /// Candidates in the order of creation, until the page is full; `false` if
    /// given up.
    fn stream(&mut self, access: &Access) -> Result<bool, Error> {
        let skip = access.ordered.unwrap_or_default();
        let after = self.after.as_ref().map(|after| after.number);
        let ranges: Vec<_> = match after {
            None => access.ranges.clone(),
            Some(after) => access
                .ranges
                .iter()
                .map(|range| range.after(after))
                .collect(),
        };
        let mut walk = Walk::new(self.index.store(), &ranges, skip, false, self.size)?;
        let mut last = after;
        while let Some(step) = walk.step()? {
            let number = step.number();
            if last.is_some_and(|last| number <= last) {
                continue;
            }
            last = Some(number);
            if !self.may_judge() {
                return Ok(false);
            }
            if let Some(version) = self.judge(number)?
                && !self.give(hit(&version))
            {
                break;
            }
        }
        Ok(true)
    }

    fn may_judge(&mut self) -> bool {
        self.judgements_left = self.judgements_left.saturating_sub(1);
        self.judgements_left > 0
    }

    /// Postings in the order asked for, until the page is full; then what has
    /// no value. A posting counts only where the version's place says so, so
    /// that each resource comes once. `false` if given up.
    fn walk(&mut self, combined: Option<&Combined>) -> Result<bool, Error> {
        let Some(word) = self.order.first().copied() else {
            return Ok(true);
        };
        let prefixes = match combined {
            Some(combined) => combined.dated(true),
            None => order::walkable(self.kind, &word).unwrap_or_default(),
        };
        if self.after.as_ref().is_none_or(Place::has_value) {
            match self.walk_values(&word, &prefixes)? {
                Walked::Full => return Ok(true),
                Walked::GivenUp => return Ok(false),
                Walked::All => {}
            }
        }
        if let SortBy::LastUpdated = word.by {
            return Ok(true);
        }
        let rest = match combined {
            Some(combined) => combined.dated(false),
            None => vec![plan::everything_prefix(self.kind)],
        };
        self.walk_rest(&rest, word.descending)
    }

    /// Walks those that have a value for the first word.
    fn walk_values(&mut self, word: &Sort, prefixes: &[Vec<u8>]) -> Result<Walked, Error> {
        let mut start = self.after.as_ref().and_then(|after| after.walked(word));
        if let (SortBy::LastUpdated, true, None) = (word.by, word.descending, &start) {
            // What was recorded later need not be passed over one by one.
            start = Some(key::u40(self.size).to_vec());
        }
        let ranges: Vec<_> = prefixes
            .iter()
            .map(|prefix| order::range_from(prefix, start.as_deref(), word.descending))
            .collect();
        let skip = prefixes.first().map_or(0, Vec::len);
        let mut walk = Walk::new(
            self.index.store(),
            &ranges,
            skip,
            word.descending,
            self.size,
        )?;
        // Texts are cut in postings, and a second word orders what the first
        // does not: then what shares a posting's order is sorted together.
        let cut = matches!(word.by, SortBy::Parameter(p) if p.of_type == ParameterType::String);
        let grouped = cut || self.order.only().is_none();
        let mut group: Vec<(Place, Hit)> = Vec::new();
        let mut seen: HashSet<u64> = HashSet::new();
        let mut group_order: Vec<u8> = Vec::new();
        while let Some(step) = walk.step()? {
            if group_order != step.order() {
                if !group.is_empty() && !self.give_sorted(std::mem::take(&mut group)) {
                    return Ok(Walked::Full);
                }
                seen.clear();
                group_order.clear();
                group_order.extend_from_slice(step.order());
            }
            let number = step.number();
            if !seen.insert(number) {
                continue;
            }
            if !self.may_judge() {
                return Ok(Walked::GivenUp);
            }
            let Some(version) = self.judge(number)? else {
                continue;
            };
            let place = self.order.place(&version);
            if place.walked(word).as_deref() != Some(step.order()) {
                continue;
            }
            if grouped {
                group.push((place, hit(&version)));
            } else if self.is_after(&place) && !self.give(hit(&version)) {
                return Ok(Walked::Full);
            }
        }
        match self.give_sorted(group) {
            true => Ok(Walked::All),
            false => Ok(Walked::Full),
        }
    }

    /// Walks those that have no value for the first word; `false` if given up.
    fn walk_rest(&mut self, prefixes: &[Vec<u8>], descending: bool) -> Result<bool, Error> {
        let only = self.order.only().is_some();
        let ranges: Vec<_> = prefixes
            .iter()
            .map(|prefix| Range::prefix(prefix))
            .collect();
        let skip = prefixes.first().map_or(0, Vec::len);
        let mut walk = Walk::new(self.index.store(), &ranges, skip, descending, self.size)?;
        let mut found = Vec::new();
        let mut last = None;
        while let Some(step) = walk.step()? {
            let number = step.number();
            if last == Some(number) {
                continue;
            }
            last = Some(number);
            if !self.may_judge() {
                return Ok(false);
            }
            let Some(version) = self.judge(number)? else {
                continue;
            };
            let place = self.order.place(&version);
            if place.has_value() {
                continue;
            }
            if !only {
                found.push((place, hit(&version)));
            } else if self.is_after(&place) && !self.give(hit(&version)) {
                return Ok(true);
            }
        }
        self.give_sorted(found);
        Ok(true)
    }
}

/// How a walk over values ended.
enum Walked {
    /// The page is full.
    Full,
    /// There are no more.
    All,
    /// Too many candidates did not match.
    GivenUp,
}

fn hit(version: &Version) -> Hit {
    Hit {
        number: version.number,
        position: version.position,
        version: version.version,
    }
}
