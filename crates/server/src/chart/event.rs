//! What both timelines draw: events with every telling of them, and the conflicts between the
//! two times. Facts only; the words for delays and states are made here, once for chart and table.

use crate::web::when::{self, Happened, RecordedAt};

/// The row of the wide frame that an event belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Visits, calls, sessions, missed appointments.
    Contact,
    /// Instruments and other measurements.
    Score,
    /// Courses of medication.
    Medicine,
    /// Notes and documents.
    Note,
    /// Conditions, procedures, referrals, plans.
    Care,
    /// Consents, flags, notices, and what else the programme does.
    Programme,
    /// Service and its end.
    Service,
}

impl Row {
    /// Its name beside the row.
    pub fn words(self) -> &'static str {
        match self {
            Row::Contact => "Contacts",
            Row::Score => "Scores",
            Row::Medicine => "Medicines",
            Row::Note => "Notes",
            Row::Care => "Care",
            Row::Programme => "Programme",
            Row::Service => "Service",
        }
    }

    /// How much an event of this row wants words in the chart when room is short: more is more.
    pub(super) fn weight(self) -> u8 {
        match self {
            Row::Programme => 6,
            Row::Service => 5,
            Row::Medicine => 4,
            Row::Care => 3,
            Row::Contact => 2,
            Row::Note => 1,
            Row::Score => 0,
        }
    }
}

/// One version of what was said about an event.
#[derive(Clone, Debug)]
pub struct Telling {
    /// When the ledger took it.
    pub recorded_at: RecordedAt,
    /// When it is said to have happened, if that is said.
    pub happened: Option<Happened>,
    /// What is said, in a few words.
    pub what: String,
    /// Whether this version takes the event back (a deletion, or "entered in error").
    pub withdrawn: bool,
    /// Place in the ledger.
    pub position: u64,
}

/// One event: its tellings, oldest first, at least one.
#[derive(Clone, Debug)]
pub struct Event {
    /// The row it is drawn in.
    pub row: Row,
    /// The first version.
    pub first: Telling,
    /// Every later version, oldest first.
    pub later: Vec<Telling>,
}

/// How the two times, or two tellings, disagree.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Disagreement {
    /// Recorded long after it happened.
    Late,
    /// Recorded late, and put in order before things that were recorded first.
    Backdated,
    /// What was recorded was changed afterwards.
    Corrected,
    /// Recorded, then taken back.
    Withdrawn,
    /// Two entries that cannot both be so.
    Conflicting,
}

impl Disagreement {
    /// "Recorded late".
    pub fn words(self) -> &'static str {
        match self {
            Disagreement::Late => "Recorded late",
            Disagreement::Backdated => "Backdated",
            Disagreement::Corrected => "Corrected",
            Disagreement::Withdrawn => "Taken back",
            Disagreement::Conflicting => "Conflict",
        }
    }
}

/// A conflict; its tag is C and its place in the list, from 1.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// What kind it is.
    pub kind: Disagreement,
    /// One sentence; the page names the events before it.
    pub words: String,
    /// The events that it is about: places in the list of events.
    pub events: Vec<usize>,
}

/// What was known of an event at an instant.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// Recorded, as it is understood now.
    Known,
    /// Recorded, but otherwise than it is understood now.
    KnownOtherwise,
    /// It had happened and was not recorded.
    NotRecorded,
    /// It was recorded ahead, and had not happened.
    Planned,
    /// It had neither happened nor been recorded.
    NotYet,
}

impl Knowledge {
    /// For the table.
    pub fn words(self) -> &'static str {
        match self {
            Knowledge::Known => "Known",
            Knowledge::KnownOtherwise => "Known otherwise",
            Knowledge::NotRecorded => "Happened, not recorded",
            Knowledge::Planned => "Planned, known ahead",
            Knowledge::NotYet => "Not happened yet",
        }
    }

    /// The mark before the words: known is filled, unknown is open, not yet is a dash.
    pub fn mark(self) -> &'static str {
        match self {
            Knowledge::Known => "\u{25a0}",
            Knowledge::KnownOtherwise => "\u{25e7}",
            Knowledge::NotRecorded => "\u{25a1}",
            Knowledge::Planned => "\u{25a3}",
            Knowledge::NotYet => "\u{2013}",
        }
    }
}

impl Event {
    /// Every version, oldest first.
    pub fn tellings(&self) -> impl DoubleEndedIterator<Item = &Telling> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The telling in force now.
    pub fn now(&self) -> &Telling {
        self.later.last().unwrap_or(&self.first)
    }

    /// The telling in force at an instant.
    pub fn then(&self, at: RecordedAt) -> Option<&Telling> {
        self.tellings()
            .rev()
            .find(|telling| telling.recorded_at <= at)
    }

    /// When it happened, as understood now; a withdrawn event keeps its last known time.
    pub fn happened(&self) -> Option<Happened> {
        self.tellings().rev().find_map(|telling| telling.happened)
    }

    /// Where it stands on the axis: when it happened, or when it was recorded.
    pub fn place(&self) -> i64 {
        self.happened()
            .map_or(self.first.recorded_at.0, |happened| happened.start)
    }

    /// Days between when it happened and when it was first recorded.
    pub fn delay_days(&self) -> Option<i64> {
        Some(when::delay_days(self.happened()?, self.first.recorded_at))
    }

    /// What was known of it at an instant.
    pub fn known(&self, at: RecordedAt) -> Knowledge {
        let begun = self
            .happened()
            .is_none_or(|happened| happened.start <= at.0);
        match self.then(at) {
            Some(then) if then.position == self.now().position && begun => Knowledge::Known,
            Some(then) if then.position == self.now().position => Knowledge::Planned,
            Some(_) => Knowledge::KnownOtherwise,
            None if begun => Knowledge::NotRecorded,
            None => Knowledge::NotYet,
        }
    }
}

/// The tags of each event, as conflict numbers from 1.
pub fn tags(events: usize, conflicts: &[Conflict]) -> Vec<Vec<usize>> {
    let mut found = vec![Vec::new(); events];
    for (index, conflict) in conflicts.iter().enumerate() {
        for event in &conflict.events {
            if let Some(tags) = found.get_mut(*event) {
                tags.push(index + 1);
            }
        }
    }
    found
}
