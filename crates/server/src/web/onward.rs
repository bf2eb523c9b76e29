//! The way to an organisation's sign-in, from a form of ours.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// What the organisation is called here.
    pub organisation: String,
    /// The address of its sign-in.
    pub to: String,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        div class="narrow" {
            p { "You sign in there and come back here." }
            p { a class="usa-button" href=(context.to) { "Go on to " bdi { (context.organisation) } } }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Your organisation",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let plain = Context {
        shell: samples::signed_out(path::ENROL),
        organisation: "County of Lakeland".into(),
        to: "https://id.lakeland.example/authorize?client_id=homecoming&state=x".into(),
    };
    let hostile = Context {
        organisation: samples::HOSTILE.into(),
        to: samples::HOSTILE.into(),
        ..plain.clone()
    };
    vec![("plain", plain), ("hostile", hostile)]
}
