//! Random ledgers, searched as of every size, against the model.

use index::{Cursor, Hit, Index, Limits, Search};

use crate::model::{self, KINDS, Model};
use crate::scratch::{Random, Scratch};

/// Everything that can be asked, a few values each.
pub const QUERIES: &[(&str, &str)] = &[
    ("Observation", ""),
    ("Observation", "patient=p1"),
    ("Observation", "patient=Patient/p2"),
    ("Observation", "patient=p0,p1&_sort=-date"),
    ("Observation", "patient=p2&code=8867-4&_sort=-date"),
    ("Observation", "patient=p2&code=8867-4&_sort=date"),
    (
        "Observation",
        "patient=p2&code=a,b&_sort=-date,_lastUpdated",
    ),
    (
        "Observation",
        "patient=p1&code=A&date=ge2020-01-20&_sort=-date",
    ),
    ("Observation", "patient=p1&code=A"),
    (
        "Observation",
        "patient=p1&category=a&_sort=date,-_lastUpdated",
    ),
    ("Observation", "subject=p1"),
    ("Observation", "subject=Patient/p1&_sort=date"),
    ("Observation", "subject:Patient=p0&code=b"),
    ("Observation", "subject=Group/p1"),
    ("Observation", "subject=http://a/x"),
    ("Observation", "code=8867-4"),
    ("Observation", "code=http://loinc.org|8867-4"),
    ("Observation", "code=|a"),
    ("Observation", "code=http://s|"),
    ("Observation", "code=a,b,nothing"),
    ("Observation", "code=a&code=b"),
    ("Observation", "code:not=a"),
    ("Observation", "code:missing=true"),
    ("Observation", "code:missing=false&_sort=code"),
    ("Observation", "status=final&category=a"),
    ("Observation", "date=2020-01-15"),
    ("Observation", "date=2020-01"),
    ("Observation", "date=ne2020-01"),
    ("Observation", "date=gt2020-01-20"),
    ("Observation", "date=ge2020-01-20&date=lt2020-02-10"),
    ("Observation", "date=lt2020-01-10"),
    ("Observation", "date=gt2020-01-20T10:00:00Z"),
    ("Observation", "date=ge2020-01-20T10:00:00Z"),
    ("Observation", "date=lt2020-01-20T10:00:00Z"),
    ("Observation", "date=le2020-01-20T10:00:00Z&_sort=-date"),
    ("Observation", "date=ap2020-02-20T10:00:00Z"),
    ("Observation", "date=le2020-01-10&_sort=status"),
    ("Observation", "date=sa2020-02-01"),
    ("Observation", "date=eb2020-01-20"),
    ("Observation", "date=ap2020-01-20"),
    ("Observation", "_sort=date"),
    ("Observation", "_sort=-date"),
    ("Observation", "_sort=-date,code"),
    ("Observation", "_sort=status,-date"),
    ("Observation", "_sort=_lastUpdated"),
    ("Observation", "_sort=-_lastUpdated"),
    ("Observation", "_sort=value-quantity"),
    ("Observation", "_sort=-value-quantity"),
    ("Observation", "_sort=value-string"),
    ("Observation", "_sort=-value-string,date"),
    ("Observation", "_sort=subject"),
    ("Observation", "status=final&_sort=-date"),
    ("Observation", "status=final&_sort=date"),
    ("Observation", "value-quantity=5.4"),
    ("Observation", "value-quantity=gt5|http://u|mg"),
    ("Observation", "value-quantity=le100"),
    ("Observation", "value-quantity=ne5.4||kg"),
    ("Observation", "value-quantity=ap100"),
    ("Observation", "value-quantity=sa5,eb0"),
    ("Observation", "value-string=smi"),
    ("Observation", "_lastUpdated=ge1970-01-01T00:00:01Z"),
    (
        "Observation",
        "_lastUpdated=lt1970-01-01T00:00:02Z&_sort=-_lastUpdated",
    ),
    (
        "Observation",
        "_lastUpdated=ne1970-01-01T00:00:01Z&status=final",
    ),
    (
        "Observation",
        "_lastUpdated=1970-01-01T00:00:01Z,1970-01-01T00:00:03Z",
    ),
    ("Observation", "_lastUpdated=ap1970-01-01T00:00:01Z"),
    ("Observation", "_id=r1,r2,r3"),
    ("Observation", "_id=r1,r2,r3&_sort=-date"),
    ("Observation", "_id=r4&_id=r4,r5&status=final"),
    ("Patient", ""),
    ("Patient", "family=smi"),
    ("Patient", "family=Smith"),
    ("Patient", "family:exact=Smith"),
    ("Patient", "family:contains=ER"),
    ("Patient", "family=muller,ng"),
    ("Patient", "family=van der Berg the longer o"),
    ("Patient", "family:exact=van der Berg, the longer two"),
    ("Patient", "gender=male&_sort=family"),
    ("Patient", "gender:not=male&_sort=-family"),
    ("Patient", "_sort=family,-birthdate"),
    ("Patient", "_sort=birthdate"),
    ("Patient", "general-practitioner=p1"),
    ("RiskAssessment", "probability=100"),
    ("RiskAssessment", "probability=1e2"),
    ("RiskAssessment", "probability=gt0.2&_sort=-probability"),
    ("RiskAssessment", "probability=lt5.40"),
    ("RiskAssessment", "_sort=probability"),
    ("ValueSet", "url=http://a/x"),
    ("ValueSet", "url:below=http://a"),
    ("ValueSet", "url:above=http://a/x/y/z"),
    ("ValueSet", "name=s&_sort=url"),
];

/// A ledger of `size` entries: creations, updates, deletions and returns, in
/// transactions of one to four.
pub fn ledger(random: &mut Random, size: usize) -> Model {
    let mut model = Model::default();
    let mut clock = 0;
    let mut left = 0;
    while model.entries.len() < size {
        if left == 0 {
            left = 1 + random.below(4);
            clock += 1 + random.below(200_000) as i64;
        }
        left -= 1;
        let kind = KINDS[[0, 0, 0, 1, 2, 3][random.below(6)]];
        let id = match random.below(10) {
            0 => format!("0000000a-0000-0000-0000-0000000000{:02x}", random.below(4)),
            1 => format!("0123456789abcd{}", [10, 11][random.below(2)]),
            n => format!("r{}", n + 10 * random.below(4)),
        };
        let values = match random.one_in(6) {
            true if model.size() > 0 => None,
            _ => Some(model::values(random, kind)),
        };
        // The same thing again in one transaction is not what a ledger does.
        let end = left == 0 || model.entries.len() + 1 == size;
        model.add(kind, &id, values, clock, end);
    }
    model
}

fn all_pages(index: &Index, kind: &str, query: &str, size: u64, count: usize) -> Vec<Hit> {
    let criteria = model::criteria(kind, query);
    let mut hits = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = index
            .search(&Search {
                criteria: &criteria,
                as_of: size,
                count,
                after,
                total: false,
            })
            .expect("a page");
        assert!(page.hits.len() <= count);
        hits.extend(page.hits);
        match page.next {
            None => return hits,
            Some(next) => {
                after = Some(next.to_string().parse().expect("its own text"));
                assert_eq!(next.as_of(), size.min(index.applied()));
            }
        }
    }
}

pub fn check(
    index: &Index,
    model: &Model,
    kind: &str,
    query: &str,
    size: u64,
    count: usize,
    seed: u64,
) {
    let criteria = model::criteria(kind, query);
    let expect = model.search(&criteria, size);
    let name = format!("{kind}?{query} as of {size}, {count} a page, seed {seed}");
    assert_eq!(all_pages(index, kind, query, size, count), expect, "{name}");
    let search = Search {
        criteria: &criteria,
        as_of: size,
        count: 3,
        after: None,
        total: true,
    };
    let page = index.search(&search).expect("a page");
    assert_eq!(page.total, Some(expect.len() as u64), "total of {name}");
    assert_eq!(page.hits, expect[..expect.len().min(3)], "{name}");
    let none = Search { count: 0, ..search };
    let page = index.search(&none).expect("a total");
    assert_eq!(
        (page.total, page.hits.len()),
        (Some(expect.len() as u64), 0),
        "{name}"
    );
}

/// Every question now, some of them as of every size.
fn check_all(index: &Index, model: &Model, random: &mut Random, seed: u64) {
    for (kind, query) in QUERIES {
        check(
            index,
            model,
            kind,
            query,
            model.size(),
            1 + random.below(7),
            seed,
        );
    }
    for size in 0..=model.size() {
        for _ in 0..8 {
            let (kind, query) = random.pick(QUERIES);
            check(index, model, kind, query, size, 1 + random.below(7), seed);
        }
    }
}

fn apply_live(index: &Index, model: &Model, random: &mut Random) {
    let changes = model.changes();
    let ends = model.ends();
    let mut from = 0;
    while from < changes.len() {
        let later: Vec<_> = ends.iter().filter(|end| **end as usize > from).collect();
        let to = **later[random.below(later.len().min(5))..]
            .first()
            .expect("an end") as usize;
        index.apply(&changes[from..to]).expect("applied");
        from = to;
    }
}

#[test]
fn searches_as_of_every_size_agree_with_the_model() {
    for seed in 1..=4 {
        let random = &mut Random::new(seed);
        let scratch = Scratch::new();
        let model = ledger(random, 110);
        let mut index = Index::open(&scratch.index(), 1).expect("opened");
        index.set_race_max([1, 2, 8, 64][seed as usize % 4]);
        apply_live(&index, &model, random);
        assert_eq!(index.applied(), model.size());
        check_all(&index, &model, random, seed);
    }
}

#[test]
fn bulk_answers_as_live_does_and_the_two_may_alternate() {
    for seed in 11..=13 {
        let random = &mut Random::new(seed);
        let scratch = Scratch::new();
        let model = ledger(random, 130);
        let index = Index::open(&scratch.index(), 1).expect("opened");
        let changes = model.changes();
        let ends = model.ends();
        let half = ends[ends.len() / 2] as usize;
        let limits = Limits {
            changes: 1 + random.below(40),
            bytes: usize::MAX,
        };
        let mut bulk = index.bulk_within(limits);
        for change in &changes[..half] {
            bulk.push(change).expect("pushed");
            let head = index.head(model.entries[change.position as usize].kind, &change.id);
            assert_eq!(
                head.expect("read").expect("gathered").position,
                change.position
            );
        }
        bulk.finish().expect("finished");
        assert_eq!(index.applied(), half as u64);
        let next = ends[ends.len() / 2 + 3] as usize;
        index.apply(&changes[half..next]).expect("applied");
        let mut bulk = index.bulk();
        for change in &changes[half / 2..] {
            bulk.push(change).expect("pushed");
        }
        bulk.finish().expect("finished");
        check_all(&index, &model, random, seed);
    }
}

#[test]
fn applying_again_from_anywhere_changes_nothing() {
    let random = &mut Random::new(21);
    let scratch = Scratch::new();
    let model = ledger(random, 90);
    let index = Index::open(&scratch.index(), 1).expect("opened");
    apply_live(&index, &model, random);
    let changes = model.changes();
    for from in [0, 1, 40, 88] {
        index.apply(&changes[from..]).expect("applied");
        let mut bulk = index.bulk();
        for change in &changes[from..] {
            bulk.push(change).expect("pushed");
        }
        bulk.finish().expect("finished");
    }
    check_all(&index, &model, random, 21);
}
