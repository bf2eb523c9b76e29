//! Searches with answers worked out by hand.

use index::{Error, Index, Search};

use crate::model::{self, Model};
use crate::scratch::{Random, Scratch};

#[test]
fn a_page_belongs_to_the_instant_of_its_first_one() {
    let random = &mut Random::new(8);
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    let mut model = Model::default();
    for at in 0..20 {
        model.add(
            "Patient",
            &format!("r{at}"),
            Some(model::values(random, "Patient")),
            at,
            true,
        );
    }
    index.apply(&model.changes()).unwrap();
    let criteria = model::criteria("Patient", "_sort=-_lastUpdated");
    let first = Search {
        criteria: &criteria,
        as_of: u64::MAX,
        count: 8,
        after: None,
        total: false,
    };
    let page = index.search(&first).unwrap();
    let numbers = |page: &index::Page| page.hits.iter().map(|hit| hit.number).collect::<Vec<_>>();
    assert_eq!(numbers(&page), (12..20).rev().collect::<Vec<_>>());
    // Everything changes before the next page is read.
    for at in 0..20 {
        model.add("Patient", &format!("r{at}"), None, 100 + at, true);
    }
    index.apply(&model.changes()[20..]).unwrap();
    let page = index
        .search(&Search {
            after: page.next,
            ..first
        })
        .unwrap();
    assert_eq!(numbers(&page), (4..12).rev().collect::<Vec<_>>());
    assert!(index.search(&first).unwrap().hits.is_empty());
}

#[test]
fn a_cursor_from_elsewhere_is_refused() {
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    let criteria = model::criteria("Patient", "");
    let after = "ff-1".parse().ok();
    let search = Search {
        criteria: &criteria,
        as_of: 9,
        count: 1,
        after,
        total: false,
    };
    assert!(matches!(index.search(&search), Err(Error::Cursor)));
}

#[test]
fn a_cursor_at_another_kind_or_at_what_was_deleted_is_refused() {
    let random = &mut Random::new(9);
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    let mut model = Model::default();
    for (at, kind) in ["Patient", "Observation", "Patient"]
        .into_iter()
        .enumerate()
    {
        let values = Some(model::values(random, kind));
        model.add(kind, &format!("r{at}"), values, at as i64, true);
    }
    model.add("Patient", "r2", None, 3, true);
    index.apply(&model.changes()).unwrap();
    let criteria = model::criteria("Patient", "");
    for (cursor, is_good) in [
        ("4-0", true),
        ("4-1", false),
        ("4-2", false),
        ("3-2", true),
        ("4-3", false),
    ] {
        let found = index.search(&Search {
            criteria: &criteria,
            as_of: 9,
            count: 1,
            after: cursor.parse().ok(),
            total: false,
        });
        match found {
            Ok(_) => assert!(is_good, "{cursor}"),
            Err(error) => assert!(!is_good && matches!(error, Error::Cursor), "{cursor}"),
        }
    }
}

#[test]
fn nothing_is_found_in_nothing() {
    let scratch = Scratch::new();
    let index = Index::open(&scratch.index(), 1).unwrap();
    for query in [
        "",
        "gender=male",
        "_sort=family",
        "_id=x",
        "_lastUpdated=gt2020",
    ] {
        let criteria = model::criteria("Patient", query);
        let search = Search {
            criteria: &criteria,
            as_of: 9,
            count: 5,
            after: None,
            total: true,
        };
        let page = index.search(&search).unwrap();
        assert_eq!(
            (page.hits.len(), page.next, page.total),
            (0, None, Some(0)),
            "{query}"
        );
    }
}
