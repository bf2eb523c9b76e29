//! What whoever pays may see: sums over whole months, with everything left out from which somebody could
//! be told.

use casework::suppression::{COUNT_LEAST, Cell};
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples, when};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The first moment that is not counted any more: the beginning of a month.
    pub until: i64,
    /// The tables.
    pub tables: Vec<Table>,
}

/// One table of counts.
#[derive(Clone, Debug)]
pub struct Table {
    /// "People by month of arrival and stage".
    pub title: String,
    /// What is counted, and how: a sentence or two.
    pub about: String,
    /// What the rows are: "Arrived".
    pub row_head: String,
    /// What the columns are.
    pub columns: Vec<String>,
    /// Each row: its name and its cells, one for each column.
    pub rows: Vec<(String, Vec<Cell>)>,
    /// How many cells are left out.
    pub left_out: u64,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        p class="lead" {
            "Counts of people up to the end of " strong { (when::month(context.until - 1)) } ", as recorded by then. "
            "Nobody can be told from them, and no person\u{2019}s record can be opened from here."
        }
        p {
            "A count of 1 to " (COUNT_LEAST - 1) " is left out (" (hidden()) "), and so are others from which it could be worked out. "
            "Only whole months are counted, so that two days cannot be subtracted from each other; two months can. "
            "That you look is on the access log."
        }
        div class="columns" { @for (place, table) in context.tables.iter().enumerate() {
            section class="panel full" aria-labelledby={ "t" (place) } {
                h2 id={ "t" (place) } { (table.title) }
                p { (table.about) }
                @if table.rows.is_empty() { p { "There is nobody to count." } } @else {
                    (layout::scrolling(&table.title, html! { table class="usa-table usa-table--compact bare" {
                        thead { tr { th scope="col" { (table.row_head) } @for column in &table.columns { th scope="col" class="num" { (column) } } } }
                        tbody { @for (name, cells) in &table.rows { tr {
                            th scope="row" { (name) }
                            @for cell in cells { td class="num" { @match cell { Cell::Count(count) => { (layout::count(*count)) } Cell::LeftOut => { (hidden()) } } } }
                        } } }
                    } }))
                    @if table.left_out > 0 { p class="hint" { (layout::counted(table.left_out, "number is", "numbers are")) " left out." } }
                }
            }
        } }
    };
    layout::page(
        shell,
        Page {
            title: "Figures",
            place: Place::Figures,
            compares: false,
            main,
        },
    )
}

/// The sign for a number that is left out.
fn hidden() -> Markup {
    html! { span aria-hidden="true" { "\u{2013}" } span class="unseen" { "left out" } }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let table = |title: &str| Table {
        title: title.into(),
        about:
            "Each person once, by the month in which they came, and where they stand at the end."
                .into(),
        row_head: "Arrived".into(),
        columns: vec!["Intake".into(), "Goal work".into(), "All".into()],
        rows: vec![
            (
                "Sep 2026".into(),
                vec![Cell::LeftOut, Cell::LeftOut, Cell::Count(14)],
            ),
            (
                "Oct 2026".into(),
                vec![Cell::Count(0), Cell::Count(1_234), Cell::Count(1_234)],
            ),
        ],
        left_out: 2,
    };
    let mut shell = samples::now(path::FIGURES);
    if let Some(user) = &mut shell.user {
        user.name = "Gwendolyn Pryce".into();
        user.role = "sponsor".into();
    }
    let until = when::at_day(2026, 11, 1);
    vec![
        (
            "some",
            Context {
                shell: shell.clone(),
                until,
                tables: vec![table("People by month of arrival and stage")],
            },
        ),
        (
            "none",
            Context {
                shell: samples::then(path::FIGURES),
                until: when::at_day(2026, 5, 1),
                tables: vec![Table {
                    rows: Vec::new(),
                    left_out: 0,
                    ..table("People by month of arrival and stage")
                }],
            },
        ),
        (
            "hostile",
            Context {
                shell,
                until,
                tables: vec![Table {
                    about: samples::HOSTILE.into(),
                    columns: vec![samples::HOSTILE.into(), samples::LONG.into(), "All".into()],
                    ..table(samples::LONG)
                }],
            },
        ),
    ]
}
