//! One's own account: what happened, how one signs in, where one is signed in.

use maud::{Markup, html};

use super::layout::{self, Page, Place, Shell};
use super::when::{self, RecordedAt};
use super::{path, samples};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// As for every page.
    pub shell: Shell,
    /// What one should know, the newest first.
    pub notices: Vec<Notice>,
    /// How many forms that came too late are kept.
    pub drafts: u64,
    /// One's passkeys.
    pub passkeys: Vec<Passkey>,
    /// When the password was set, if there is one.
    pub password: Option<i64>,
    /// Accounts at organisations, by issuer.
    pub accounts: Vec<Account>,
    /// Where one is signed in, the last used first.
    pub sessions: Vec<Session>,
    /// Whether ways in can be set up at all: not by the made-up people of a demonstration.
    pub real: bool,
}

/// Something that one should know.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// When it came.
    pub at: i64,
    /// Sentences.
    pub words: String,
}

/// One passkey.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// The credential's id, in base64url.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// When it was added.
    pub added: i64,
    /// When it was last used.
    pub used: Option<i64>,
    /// What its public key is recognised by, in signatures.
    pub fingerprint: String,
}

/// One account at an organisation.
#[derive(Clone, Debug)]
pub struct Account {
    /// The issuer.
    pub issuer: String,
    /// What the organisation is called; nothing if it opens nothing here any more.
    pub name: Option<String>,
    /// When it was linked.
    pub since: i64,
}

/// One session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// "Firefox on Linux".
    pub agent: String,
    /// "192.0.2.x".
    pub place: String,
    /// "with a passkey".
    pub how: String,
    /// When it began.
    pub began: i64,
    /// When it was last used.
    pub used: i64,
    /// When it ends by itself.
    pub ends: i64,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// The page.
pub fn page(context: &Context) -> Markup {
    let main = html! {
        @if !context.notices.is_empty() {
            section class="panel halted" aria-labelledby="notices" {
                h2 id="notices" { "You should know" }
                ul class="plain rows" { @for notice in &context.notices { li { (time(notice.at)) ": " (notice.words) } } }
                form action=(path::ACCOUNT_NOTICES) method="post" class="stack" {
                    input type="hidden" name="upto" value=(context.notices[0].id);
                    button class="usa-button usa-button--outline small" type="submit" { "I have read this" }
                }
            }
        }
        @if context.drafts > 0 {
            p { a href=(path::DRAFTS) { (layout::counted(context.drafts, "form that came too late is kept", "forms that came too late are kept")) } "." }
        }
        div class="columns" {
            section class="panel" aria-labelledby="ways" {
                h2 id="ways" { "How you sign in" }
                @if !context.real {
                    p { "You are one of the demonstration's people and sign in with one click. Nothing can be set up here." }
                } @else {
                    (ways(context))
                    p { a class="usa-button usa-button--outline small" href=(path::ENROL) { "Add a way, or change the password" } }
                }
            }
            section class="panel full" aria-labelledby="sessions" {
                h2 id="sessions" { "Where you are signed in" }
                (layout::scrolling("Sessions", sessions(context)))
                form action=(path::ACCOUNT_SESSIONS) method="post" class="stack" {
                    button class="usa-button" type="submit" name="session" value="others" { "Sign out everywhere else" }
                    button class="usa-button usa-button--outline" type="submit" name="session" value="all" { "Sign out everywhere, here too" }
                }
            }
        }
    };
    layout::page(
        &context.shell,
        Page {
            title: "Your account",
            place: Place::Elsewhere,
            compares: true,
            main,
        },
    )
}

fn ways(context: &Context) -> Markup {
    html! {
        ul class="plain rows" {
            @for passkey in &context.passkeys { li {
                form action=(path::ACCOUNT_WAYS) method="post" {
                    "Passkey " strong { bdi { (passkey.name) } } ", since " (time(passkey.added))
                    @match passkey.used { Some(at) => { ", last used " (time(at)) } None => { ", not used yet" } }
                    ". Its signatures are known by " code class="hash" { (passkey.fingerprint) } ". "
                    button class="usa-button usa-button--unstyled" type="submit" name="passkey" value=(passkey.id) aria-label=(format!("Remove the passkey {}", passkey.name)) { "Remove" }
                }
            } }
            @if let Some(at) = context.password { li {
                form action=(path::ACCOUNT_WAYS) method="post" {
                    "Password and one-time codes, since " (time(at)) ". "
                    button class="usa-button usa-button--unstyled" type="submit" name="password" value="remove" aria-label="Remove the password" { "Remove" }
                }
            } }
            @for account in &context.accounts { li {
                form action=(path::ACCOUNT_WAYS) method="post" {
                    "Your account at " @if let Some(name) = &account.name { strong { bdi { (name) } } ", " } bdi { (account.issuer) } ", since " (time(account.since)) ". "
                    input type="hidden" name="since" value=(account.since);
                    button class="usa-button usa-button--unstyled" type="submit" name="account" value=(account.issuer)
                        aria-label=(format!("Remove the account at {}", account.name.as_ref().unwrap_or(&account.issuer))) { "Remove" }
                }
            } }
        }
    }
}

fn sessions(context: &Context) -> Markup {
    html! {
        table class="usa-table usa-table--compact bare" {
            thead { tr { th scope="col" { "With" } th scope="col" { "From" } th scope="col" { "How" } th scope="col" { "Since" } th scope="col" { "Last used" } th scope="col" { "Ends" } th scope="col" { "Sign out" } } }
            tbody { @for session in &context.sessions { tr {
                th scope="row" { (session.agent) @if session.this { " (this one)" } }
                td { (session.place) }
                td { (session.how) }
                td { (time(session.began)) }
                td { (time(session.used)) }
                td { (time(session.ends)) }
                td { form action=(path::ACCOUNT_SESSIONS) method="post" {
                    button class="usa-button usa-button--unstyled" type="submit" name="session" value=(session.id)
                        aria-label=(format!("Sign out of {} since {}", session.agent, when::minute(session.began))) { "Sign out" }
                } }
            } } }
        }
    }
}

fn time(at: i64) -> Markup {
    when::time(at, &RecordedAt(at).words())
}

/// Samples of every state.
pub fn samples() -> Vec<(&'static str, Context)> {
    let session = |id: i64, agent: &str, this: bool| Session {
        id,
        agent: agent.into(),
        place: "192.0.2.x".into(),
        how: "with a passkey".into(),
        began: samples::NOW - 3 * when::HOUR,
        used: samples::NOW,
        ends: samples::NOW + when::HOUR / 2,
        this,
    };
    let passkey = |name: &str| Passkey {
        id: "c29tZS1wYXNza2V5".into(),
        name: name.into(),
        added: samples::NOW - 40 * when::DAY,
        used: Some(samples::NOW),
        fingerprint: "7Ao3 mQ9x Kd2r Tz5u".into(),
    };
    let account = |issuer: &str, name: Option<&str>| Account {
        issuer: issuer.into(),
        name: name.map(str::to_owned),
        since: samples::NOW - 20 * when::DAY,
    };
    let full = Context {
        shell: samples::now(path::ACCOUNT),
        notices: vec![Notice {
            id: 3,
            at: samples::NOW - when::DAY,
            words: "You signed in from a browser that you had not used here before: Firefox on Linux, 192.0.2.x.".into(),
        }],
        drafts: 1,
        passkeys: vec![passkey("My phone")],
        password: Some(samples::NOW - 90 * when::DAY),
        accounts: vec![
            account("https://id.lakeland.example", Some("County of Lakeland")),
            account("https://id.gone.example", None),
        ],
        sessions: vec![session(9, "Firefox on Linux", true), session(7, "Safari on iPhone", false)],
        real: true,
    };
    let hostile = Context {
        shell: samples::about_hostile(samples::now(path::ACCOUNT)),
        notices: vec![Notice {
            id: 1,
            at: 0,
            words: samples::HOSTILE.into(),
        }],
        passkeys: vec![passkey(samples::HOSTILE), passkey(samples::LONG)],
        accounts: vec![account(samples::HOSTILE, Some(samples::HOSTILE))],
        sessions: vec![session(1, samples::HOSTILE, false)],
        ..full.clone()
    };
    let demo = Context {
        notices: Vec::new(),
        drafts: 0,
        passkeys: Vec::new(),
        password: None,
        accounts: Vec::new(),
        real: false,
        ..full.clone()
    };
    vec![("full", full), ("demo", demo), ("hostile", hostile)]
}
