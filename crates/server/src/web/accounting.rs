//! The accounting of disclosures (45 CFR 164.528): who was given something of a person, where they are,
//! what it was and what for. To print, to keep as a file, and for officers to hold a part of it back.

use casework::accounting::Statement;
use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// The parameter that asks for all rows on one page.
pub const ROWS: &str = "rows";

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; with a banner.
    pub shell: Shell,
    /// The Patient's id.
    pub person: String,
    /// Whether the person looks at it themself.
    pub themself: bool,
    /// Whether everything is shown, or only what the rule asks for.
    pub everything: bool,
    /// From when on.
    pub from: i64,
    /// What was shown, newest first.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub more: u64,
    /// How many the rule does not ask for, and that are left out here.
    pub left_out: u64,
    /// Parts that are held back, or were.
    pub suspensions: Vec<Suspension>,
    /// Whether whoever looks may hold a part back.
    pub may_suspend: bool,
}

/// One disclosure.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its leaf in the access log.
    pub position: u64,
    /// When.
    pub at: RecordedAt,
    /// To whom.
    pub who: String,
    /// For whom they work, and where that is, as far as is known.
    pub whose: String,
    /// What it was.
    pub what: String,
    /// What for.
    pub purpose: String,
    /// On which consent or warrant it rested.
    pub basis: String,
    /// Why the rule does not ask for it, if so.
    pub exempt: Option<&'static str>,
    /// Whether it is held back from the person now.
    pub held_back: bool,
}

/// A part that is held back, or was.
#[derive(Clone, Debug)]
pub struct Suspension {
    /// The Basic's id.
    pub id: String,
    /// Which agency.
    pub agency: String,
    /// Who of it, how and when it was said, and why.
    pub why: String,
    /// From when to when.
    pub from: i64,
    /// The end that was set, or when it was lifted.
    pub until: i64,
    /// Whether it holds now.
    pub in_force: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let here = path::accounting(&context.person);
    let choice = |everything: bool, words: &str| {
        let address = match everything {
            true => path::with(&here, &[("what", "all")]),
            false => here.clone(),
        };
        html! { a href=(shell.to(&address)) aria-current=[(context.everything == everything).then_some("page")] { (words) } }
    };
    let main = html! {
        p class="lead" {
            @if context.themself { "Who was given something of what is written about you, since " } @else { "Who was given something of this person\u{2019}s record, since " }
            (when::time(context.from, &when::day(context.from)))
            ": six years back, as 45 CFR 164.528 has it. The access log itself leaves nothing out."
        }
        div class="choices" {
            nav aria-label="How much" { (choice(false, "What the law asks for")) (choice(true, "Everything")) }
            @if !shell.is_then() {
                nav aria-label="To keep" {
                    a href=(path::with(&path::accounting_csv(&context.person), if context.everything { &[("what", "all")][..] } else { &[] })) download { "As a file for a spreadsheet (CSV)" }
                    span class="hint" {
                        "To keep it as a PDF, print "
                        @if context.more > 0 { (every_row(context, "all of it on one page")) } @else { "this page" }
                        " to a file."
                    }
                }
            }
        }
        @if context.rows.is_empty() {
            p { "Nothing" @if !context.everything { " that the law asks for" } @if shell.is_then() { " until then" } "." }
        } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption { (layout::counted(context.more.saturating_add(context.rows.len() as u64), "disclosure", "disclosures")) ", newest first" }
                thead { tr { th scope="col" { "When" } th scope="col" { "To whom" } th scope="col" { "What" } th scope="col" { "What for" } @if context.everything { th scope="col" { "In the law" } } } }
                tbody { @for row in &context.rows { (one(context, row)) } }
            } }
        }
        @if context.more > 0 {
            p { "And " (layout::count(context.more)) " before these: " (every_row(context, "show all of them, to print")) ". The file has them all, too." }
        }
        @if context.left_out > 0 {
            p class="hint" {
                (layout::counted(context.left_out, "disclosure is", "disclosures are")) " left out that the law does not ask for: "
                "for care, payment and running the programme, to the person themself, and what they agreed to in writing. "
                (choice(true, "Show everything"))
            }
        }
        (held(context))
    };
    layout::page(
        shell,
        Page {
            title: "Who was told",
            place: Place::Elsewhere,
            compares: false,
            main,
        },
    )
}

/// A link to all rows on one page.
fn every_row(context: &Context, words: &str) -> Markup {
    let mut parameters = vec![(ROWS, "all")];
    if context.everything {
        parameters.push(("what", "all"));
    }
    let address = path::with(&path::accounting(&context.person), &parameters);
    html! { a href=(context.shell.to(&address)) { (words) } }
}

fn one(context: &Context, row: &Row) -> Markup {
    let shell = &context.shell;
    html! {
        tr {
            th scope="row" { a href=(shell.to(&path::leaf(row.position))) { (when::time(row.at.0, &row.at.words())) } }
            td data-label="To whom" { span { bdi { (row.who) } @if !row.whose.is_empty() { div class="sub" { bdi { (row.whose) } } } } }
            td data-label="What" { bdi { (row.what) } }
            td data-label="What for" { span {
                bdi { (row.purpose) }
                @if !row.basis.is_empty() { div class="sub" { bdi { (row.basis) } } }
                @if row.held_back { div class="sub" { (layout::urgent_mark()) "held back from the person" } }
            } }
            @if context.everything { td data-label="In the law" { @match row.exempt { Some(why) => { "not asked for: " (why) } None => { strong { "asked for" } } } } }
        }
    }
}

fn held(context: &Context) -> Markup {
    let shown: Vec<&Suspension> = context
        .suspensions
        .iter()
        .filter(|one| context.may_suspend || !one.in_force)
        .collect();
    html! {
        @if !shown.is_empty() {
            section class="panel full" aria-labelledby="held" {
                h2 id="held" { "Held back for a time" }
                p { "An agency that oversees or investigates may say that telling the person would impede it. What it looked at is then left out until a day that it names (45 CFR 164.528(a)(2))." }
                ul class="plain rows" { @for one in shown { li {
                    p {
                        bdi { strong { (one.agency) } } ": from " (when::time(one.from, &when::day(one.from))) " until " (when::time(one.until, &when::day(one.until)))
                        @if one.in_force { ". " strong { "It holds now." } } @else { ". It is over, and what was left out is listed above." }
                    }
                    @if context.may_suspend { p class="sub" { bdi { (one.why) } } }
                    @if context.may_suspend && one.in_force && !context.shell.is_then() {
                        form method="post" action=(path::suspension_lift(&context.person, &one.id)) {
                            button class="usa-button usa-button--outline small" type="submit" { "End it now" }
                        }
                    }
                } } }
            }
        }
        @if context.may_suspend && !context.shell.is_then() { (form(context)) }
    }
}

fn form(context: &Context) -> Markup {
    let now = context.shell.made_at;
    html! {
        section class="panel full" aria-labelledby="hold" {
            h2 id="hold" { "Hold a part back" }
            p class="hint" { "Only on a statement of the agency. It is an entry of the record, and the person is told of it when it is over." }
            form class="stack narrow" method="post" action=(path::accounting(&context.person)) {
                label class="usa-label" for="agency" { "Which agency, as its people are registered here" }
                input class="usa-input" type="text" id="agency" name="agency" maxlength="200" required autocomplete="off";
                label class="usa-label" for="official" { "Who of it made the statement" }
                input class="usa-input" type="text" id="official" name="official" maxlength="200" required autocomplete="off";
                fieldset {
                    legend { "How" }
                    @for statement in Statement::ALL {
                        div class="tick" {
                            input type="radio" id={ "statement-" (statement.code()) } name="statement" value=(statement.code()) required;
                            label for={ "statement-" (statement.code()) } { (statement.words()) @if statement == Statement::Oral { ": for 30 days at the most" } }
                        }
                    }
                }
                label class="usa-label" for="stated" { "On which day" }
                input class="usa-input" type="date" id="stated" name="stated" required max=(when::iso_day(now));
                label class="usa-label" for="until" { "Until when: the last day" }
                input class="usa-input" type="date" id="until" name="until" required min=(when::iso_day(now));
                label class="usa-label" for="citation" { "What it says would be impeded, and the number of the paper" }
                textarea class="usa-input" id="citation" name="citation" rows="3" maxlength="1000" required {}
                button class="usa-button" type="submit" { "Hold it back" }
            }
        }
    }
}

/// The same rows as a file of values (RFC 4180), all of them.
pub fn csv(rows: &[Row]) -> String {
    let mut out = String::from("when,to whom,whose address,what,what for,basis,in the law\r\n");
    for row in rows {
        let law = row.exempt.unwrap_or("asked for");
        let fields = [
            when::exact(row.at.0),
            row.who.clone(),
            row.whose.clone(),
            row.what.clone(),
            row.purpose.clone(),
            row.basis.clone(),
            law.to_owned(),
        ];
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        out.push_str(&fields.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A field in quotes. What a spreadsheet would take for a formula gets a mark in front of it.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", field.replace('"', "\"\""))
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let row = |position: u64, who: &str, whose: &str, exempt| Row {
        position,
        at: samples::recorded(2026, 5, 4),
        who: who.into(),
        whose: whose.into(),
        what: "the person on one screen: 212 entries".into(),
        purpose: "an investigation".into(),
        basis: "warrant IG-26-114".into(),
        exempt,
        held_back: false,
    };
    let own = Context {
        shell: samples::about(samples::now("/people/0h8k2m4q6s8v0x2z/accounting")),
        person: "0h8k2m4q6s8v0x2z".into(),
        themself: true,
        everything: false,
        from: when::at_day(2020, 11, 22),
        rows: vec![row(
            4_711,
            "S. Aldana",
            "Office of the Inspector General",
            None,
        )],
        more: 0,
        left_out: 214,
        suspensions: vec![Suspension {
            id: "s1".into(),
            agency: "Office of the Inspector General".into(),
            why: "Special Agent in charge, in writing, on 3 Feb 2026: letter 26-114".into(),
            from: when::at_day(2026, 2, 3),
            until: when::at_day(2026, 5, 3),
            in_force: false,
        }],
        may_suspend: false,
    };
    let officer = Context {
        themself: false,
        everything: true,
        rows: vec![
            Row {
                held_back: true,
                ..row(4_712, "S. Aldana", "Office of the Inspector General", None)
            },
            row(
                4_711,
                "R. Osei",
                "",
                Some("care, payment and running the programme"),
            ),
        ],
        more: 30,
        left_out: 0,
        suspensions: vec![Suspension {
            in_force: true,
            ..own.suspensions[0].clone()
        }],
        may_suspend: true,
        ..own.clone()
    };
    vec![
        ("own", own.clone()),
        ("officer", officer.clone()),
        (
            "nothing",
            Context {
                rows: Vec::new(),
                left_out: 0,
                suspensions: Vec::new(),
                ..own.clone()
            },
        ),
        (
            "then",
            Context {
                shell: samples::about(samples::then("/people/0h8k2m4q6s8v0x2z/accounting")),
                ..own
            },
        ),
        (
            "hostile",
            Context {
                shell: samples::about_hostile(samples::now("/people/x/accounting")),
                person: samples::HOSTILE.into(),
                rows: vec![Row {
                    at: RecordedAt(i64::MAX),
                    what: samples::HOSTILE.into(),
                    purpose: samples::LONG.into(),
                    basis: samples::HOSTILE.into(),
                    held_back: true,
                    ..row(u64::MAX, samples::HOSTILE, samples::LONG, None)
                }],
                more: u64::MAX,
                left_out: u64::MAX,
                suspensions: vec![Suspension {
                    id: samples::HOSTILE.into(),
                    agency: samples::HOSTILE.into(),
                    why: samples::LONG.into(),
                    from: i64::MIN / 4,
                    until: i64::MAX,
                    in_force: true,
                }],
                ..officer
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_of_values_holds_no_formula_and_no_loose_quote() {
        for (field, expect) in [
            ("plain", "\"plain\""),
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@a", "\"'@a\""),
        ] {
            assert_eq!(super::quoted(field), expect);
        }
    }
}
