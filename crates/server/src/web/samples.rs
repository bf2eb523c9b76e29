//! Made-up facts for the pages' samples, and every page with every one of them. For the tests that
//! render and look at every page, and for `examples/pages.rs`; nothing of it is ever served.

use super::layout::{
    Again, AsKnown, Banner, Ends, Glass, Outside, Place, Reading, Shell, User, Way,
};
use super::path;
use super::when::{self, Happened, RecordedAt};

/// The made-up present: Sunday 22 November 2026, 09:12.
pub const NOW: i64 = 1_795_338_720_000_000;
/// The made-up instant of the past: 5 May 2026, 23:59:59.
pub const THEN: i64 = 1_778_025_599_000_000;
/// Everything that must come out escaped, turned round or not at all.
pub const HOSTILE: &str = "\"><script>alert('x')</script>&amp;<b onclick=\"x\">\u{202e}txet desrever</b></title></svg><style>*{}</style>\u{0}\u{7}";
/// Longer than any room.
pub const LONG: &str = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley-Marjoribanks, \
    Hubert Blaine Adolph Charles David Earl Frederick Gerald Hubert Irvin John Kenneth Lloyd Martin Nero";

/// A page of now.
pub fn now(path: &str) -> Shell {
    Shell {
        programme: "Harbour Street Veterans Programme".into(),
        user: Some(User {
            name: "R. Osei".into(),
            role: "caseworker".into(),
            unseen: 0,
            places: ways(false),
            session: Some(Ends {
                at: NOW + 1_800_000_000,
                left: 1_800,
                warning: 180,
            }),
        }),
        made_at: NOW,
        size: 12_345,
        as_of: None,
        path: path.into(),
        keep: Vec::new(),
        banner: None,
        again: None,
        glass: Vec::new(),
        outside: Some(Outside {
            cosigned: 12_340,
            refusal: None,
        }),
        reading: Some(Reading {
            words: "treatment".into(),
            is_fixed: false,
            choices: vec![
                ("TREAT".into(), "treatment".into(), true),
                ("COC".into(), "care coordination".into(), false),
            ],
        }),
    }
}

/// Where somebody's role leads them.
fn ways(oversees: bool) -> Vec<Way> {
    let way = |place, address: &str, words| Way {
        place,
        address: address.into(),
        words,
    };
    let mut ways = vec![
        way(Place::Caseload, path::CASELOAD, "Caseload"),
        way(Place::Find, path::FIND, "Find"),
        way(Place::Record, path::RECORD, "This record"),
    ];
    if oversees {
        ways.push(way(Place::Access, path::ACCESS, "Who looked"));
    }
    ways
}

/// A page of then that is drawn again for a supervisor.
pub fn again(path: &str) -> Shell {
    Shell {
        user: Some(User {
            name: "D. Marsh".into(),
            role: "supervisor".into(),
            unseen: 1,
            places: ways(true),
            session: None,
        }),
        again: Some(Again {
            who: "R. Osei".into(),
            purpose: "treatment".into(),
            what: "the person on one screen".into(),
            at: RecordedAt(THEN),
            position: 4_711,
            same: true,
            left_out: true,
        }),
        ..then(path)
    }
}

/// The same page as known then.
pub fn then(path: &str) -> Shell {
    Shell {
        size: 7_021,
        as_of: Some(AsKnown {
            at: RecordedAt(THEN),
            since: 5_324,
        }),
        ..now(path)
    }
}

/// A page that nobody is signed in to.
pub fn signed_out(path: &str) -> Shell {
    Shell {
        user: None,
        reading: None,
        ..now(path)
    }
}

/// About a person.
pub fn about(shell: Shell) -> Shell {
    Shell {
        banner: Some(Banner {
            id: "0h8k2m4q6s8v0x2z".into(),
            name: "Haddad, Samir".into(),
            facts: vec![
                "he/him".into(),
                "41, born 3 Feb 1985".into(),
                "VR-26-1149".into(),
            ],
            stage: Some("Goal work".into()),
            flags: vec!["No recording of sessions".into()],
            erasure: None,
        }),
        glass: vec![Glass {
            id: "5q0t7v9e2k4m8n1c".into(),
            person: "0h8k2m4q6s8v0x2z".into(),
            name: "Haddad, Samir".into(),
            until: NOW + 3 * when::HOUR,
        }],
        ..shell
    }
}

/// About a person whose every word is hostile.
pub fn about_hostile(shell: Shell) -> Shell {
    Shell {
        programme: HOSTILE.into(),
        keep: vec![(HOSTILE.into(), HOSTILE.into())],
        user: Some(User {
            name: HOSTILE.into(),
            role: LONG.into(),
            unseen: 1_234,
            places: ways(true),
            session: None,
        }),
        banner: Some(Banner {
            id: HOSTILE.into(),
            name: HOSTILE.into(),
            facts: vec![LONG.into(), HOSTILE.into()],
            stage: Some(LONG.into()),
            flags: vec![HOSTILE.into(), LONG.into()],
            erasure: Some((HOSTILE.into(), LONG.into())),
        }),
        glass: vec![Glass {
            id: HOSTILE.into(),
            person: HOSTILE.into(),
            name: LONG.into(),
            until: NOW,
        }],
        outside: Some(Outside {
            cosigned: 0,
            refusal: Some(HOSTILE.into()),
        }),
        reading: Some(Reading {
            words: HOSTILE.into(),
            is_fixed: false,
            choices: vec![
                (HOSTILE.into(), LONG.into(), true),
                (LONG.into(), HOSTILE.into(), false),
            ],
        }),
        ..shell
    }
}

/// A whole day.
pub fn on(year: i64, month: i64, day: i64) -> Happened {
    Happened::on(when::at_day(year, month, day))
}

/// Recorded at 15:40 on a day.
pub fn recorded(year: i64, month: i64, day: i64) -> RecordedAt {
    RecordedAt(when::at_day(year, month, day) + 15 * when::HOUR + 40 * 60 * when::SECOND)
}

/// A page drawn with one of its samples.
pub struct Sample {
    /// The page's module.
    pub page: &'static str,
    /// The sample's name.
    pub name: &'static str,
    /// The page.
    pub html: String,
    /// Whether the whole page is of the past.
    pub is_then: bool,
}

/// Every page with every sample: the one list of pages that have any.
pub fn every_page() -> Vec<Sample> {
    let mut pages = Vec::new();
    macro_rules! render {
        ($($module:ident),*) => {$(
            for (name, context) in super::$module::samples() {
                pages.push(Sample {
                    page: stringify!($module),
                    name,
                    html: super::$module::page(&context).into_string(),
                    is_then: context.shell.is_then(),
                });
            }
        )*};
    }
    render!(
        sign_in,
        caseload,
        person,
        timelines,
        entry,
        erased,
        erasure,
        erasure_new,
        erasures,
        find,
        record,
        access,
        leaf,
        consents,
        consent_new,
        consent,
        packet,
        accounting,
        disputes,
        dispute,
        me,
        rules,
        rules_trial,
        seen,
        allow,
        app,
        apps,
        apps_mine,
        enrol,
        onward,
        account,
        again,
        drafts,
        users,
        user,
        sign,
        error,
        warrant,
        warrant_new,
        warrants,
        inspection,
        break_glass,
        break_glass_new,
        break_glasses,
        cover,
        figures
    );
    // With what goes above a page that shows substance use on the person's consent.
    let (_, context) = super::person::samples().swap_remove(0);
    pages.push(Sample {
        page: "person",
        name: "notice",
        html: super::layout::with_notice(super::person::page(&context)).into_string(),
        is_then: context.shell.is_then(),
    });
    pages
}
