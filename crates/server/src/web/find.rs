//! Finding a person by name, number or date of birth.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page; `keep` holds `q`.
    pub shell: Shell,
    /// What was asked for; empty when nothing was.
    pub query: String,
    /// Who was found, best first.
    pub people: Vec<Found>,
    /// Address of the next page of them.
    pub more: Option<String>,
}

/// A person who was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Id of the Patient.
    pub id: String,
    /// "Haddad, Samir".
    pub name: String,
    /// "3 Feb 1985 (41)".
    pub born: String,
    /// "VR-26-1149", and what else they are known by.
    pub numbers: Vec<String>,
    /// Where they stand, and with whom: "Goal work, R. Osei".
    pub stage: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let shell = &context.shell;
    let main = html! {
        form class="inline" role="search" action=(path::FIND) method="get" {
            @if let Some(then) = shell.as_of { input type="hidden" name=(path::AS_OF) value=(super::when::exact(then.at.0)); }
            div {
                label for="q" { "Name, number or date of birth" }
                input class="usa-input" id="q" type="search" name="q" value=(context.query) autocomplete="off" aria-describedby="q-hint";
            }
            button class="usa-button" type="submit" { "Find" }
            p class="hint" id="q-hint" { "The beginning is enough: \"had\", \"VR-26-11\", \"1985-02\"." }
        }
        @if context.query.is_empty() {
            p { "Nobody is shown until you ask." }
        } @else if context.people.is_empty() {
            p class="lead" { "Nobody found for \"" bdi { (context.query) } "\"" @if shell.is_then() { " among those recorded then" } "." }
            ul {
                li { "Try only the first letters, or another spelling." }
                li { "Try the number on a letter, or the date of birth." }
                @if shell.is_then() { li { a href=(shell.here(None)) { "Look among everyone recorded until now" } "." } }
            }
        } @else {
            div class="tablebox" { table class="usa-table usa-table--compact stacks" {
                caption { (layout::counted(context.people.len() as u64, "person", "people")) " found for \"" bdi { (context.query) } "\"" }
                thead { tr { th scope="col" { "Person" } th scope="col" { "Born" } th scope="col" { "Numbers" } th scope="col" { "Where they stand" } } }
                tbody {
                    @for found in &context.people {
                        tr {
                            th scope="row" { a href=(shell.to(&path::person(&found.id))) { bdi { (found.name) } } }
                            td data-label="Born" { (found.born) }
                            td data-label="Numbers" { bdi { (found.numbers.join(", ")) } }
                            td data-label="Stands" { bdi { (found.stage) } }
                        }
                    }
                }
            } }
            @if let Some(more) = &context.more { p { a href=(shell.to(more)) { "More people" } } }
        }
    };
    layout::page(
        shell,
        Page {
            title: "Find a person",
            place: Place::Find,
            compares: false,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let found = |id: &str, name: &str| Found {
        id: id.into(),
        name: name.into(),
        born: "3 Feb 1985 (41)".into(),
        numbers: vec!["VR-26-1149".into()],
        stage: "Goal work, R. Osei".into(),
    };
    let with = |shell: Shell, query: &str| Shell {
        keep: vec![("q".into(), query.into())],
        ..shell
    };
    let nobody = Context {
        shell: samples::now(path::FIND),
        query: String::new(),
        people: Vec::new(),
        more: None,
    };
    let some = Context {
        shell: with(samples::now(path::FIND), "had"),
        query: "had".into(),
        people: vec![
            found("a1", "Haddad, Samir"),
            found("a2", "Hadley, Ruth"),
            found("a3", samples::LONG),
        ],
        more: Some("/find?q=had&page=2".into()),
    };
    vec![
        ("asked-nothing", nobody.clone()),
        ("some", some.clone()),
        (
            "none",
            Context {
                query: "zzz".into(),
                people: Vec::new(),
                ..some.clone()
            },
        ),
        (
            "none-then",
            Context {
                shell: with(samples::then(path::FIND), "zzz"),
                query: "zzz".into(),
                people: Vec::new(),
                more: None,
            },
        ),
        (
            "some-then",
            Context {
                shell: with(samples::then(path::FIND), "had"),
                ..some.clone()
            },
        ),
        (
            "hostile",
            Context {
                shell: with(samples::now(path::FIND), samples::HOSTILE),
                query: samples::HOSTILE.into(),
                people: vec![Found {
                    id: samples::HOSTILE.into(),
                    name: samples::HOSTILE.into(),
                    born: samples::HOSTILE.into(),
                    numbers: vec![samples::HOSTILE.into(), samples::LONG.into()],
                    stage: samples::LONG.into(),
                }],
                more: None,
            },
        ),
    ]
}
