//! Forms that came after a session had ended, offered again to whoever wrote them.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// The newest first.
    pub drafts: Vec<Draft>,
}

/// One form as it was sent.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its number.
    pub id: i64,
    /// Where it goes.
    pub path: String,
    /// When it came.
    pub at: i64,
    /// Its fields.
    pub fields: Vec<(String, String)>,
    /// The field for a file, which was not kept.
    pub file: Option<String>,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        @if context.drafts.is_empty() {
            p { "Nothing is kept. " a href=(context.shell.to(path::HOME)) { "Go on" } "." }
        } @else {
            p class="lead" { "Your session had ended when you sent this, so it was not recorded. It was kept for you, sealed, for a week." }
            div class="columns" { @for draft in &context.drafts { (one(draft)) } }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Kept for you",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

fn one(draft: &Draft) -> Markup {
    let title = format!("draft-{}", draft.id);
    html! {
        article class="panel" aria-labelledby=(title) {
            h2 id=(title) { "Sent " (when::time(draft.at, &RecordedAt(draft.at).words())) }
            p { "To " code class="hash" { (draft.path) } }
            dl class="facts" { @for (name, value) in &draft.fields { dt { (name) } dd class="said" { bdi { (value) } } } }
            form action=(draft.path) method="post" class="stack" enctype=[draft.file.as_ref().map(|_| "multipart/form-data")] {
                @for (name, value) in &draft.fields { input type="hidden" name=(name) value=(value); }
                @if let Some(name) = &draft.file {
                    @let (field, hint) = (format!("{title}-file"), format!("{title}-hint"));
                    label class="usa-label" for=(field) { "The file" }
                    p class="hint" id=(hint) { "Files are not kept. If there was one, choose it again." }
                    input class="usa-input" type="file" id=(field) name=(name) aria-describedby=(hint);
                }
                button class="usa-button" type="submit" { "Send it now" }
            }
            form action=(path::DRAFTS_DROP) method="post" class="stack" {
                button class="usa-button usa-button--outline small" type="submit" name="draft" value=(draft.id) { "Throw it away" }
            }
        }
    }
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let draft = |text: &str| Draft {
        id: 4,
        path: "/erasures".into(),
        at: samples::NOW,
        fields: vec![
            ("person".into(), "0h8k2m4q6s8v0x2z".into()),
            ("citation".into(), text.into()),
        ],
        file: None,
    };
    let with_file = |text: &str| Draft {
        id: 5,
        path: path::WARRANTS.into(),
        fields: vec![("number".into(), text.into())],
        file: Some("paper".into()),
        ..draft(text)
    };
    let with = |shell: Shell, drafts| Context { shell, drafts };
    let now = || samples::now(path::DRAFTS);
    vec![
        (
            "one",
            with(now(), vec![draft("written withdrawal of consent")]),
        ),
        ("file", with(now(), vec![with_file("5:26-mj-1")])),
        ("none", with(now(), Vec::new())),
        (
            "hostile",
            with(
                samples::about_hostile(now()),
                vec![draft(samples::HOSTILE), with_file(samples::HOSTILE)],
            ),
        ),
    ]
}
