//! What every page stands in: title, banner, navigation, the form that moves the instant, footer,
//! and the frame of the past.

use maud::{DOCTYPE, Markup, html};

use super::path;
use super::when::{self, RecordedAt};
use crate::assets;

/// What every page is told.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The programme's name.
    pub programme: String,
    /// Who is signed in.
    pub user: Option<User>,
    /// When the page is made: microseconds, from the server's clock.
    pub made_at: i64,
    /// Entries in the record as shown.
    pub size: u64,
    /// The page shows what was known at this instant; `None`: now.
    pub as_of: Option<AsKnown>,
    /// Path of this page, without parameters.
    pub path: String,
    /// Its parameters but for `_asof`, kept when the instant is moved.
    pub keep: Vec<(String, String)>,
    /// The person whom the page is about.
    pub banner: Option<Banner>,
    /// The page was shown to somebody before, and is drawn again.
    pub again: Option<Again>,
    /// Records that whoever is signed in has opened by breaking the glass.
    pub glass: Vec<Glass>,
    /// What outside witnesses say; `None`: there are none.
    pub outside: Option<Outside>,
    /// What for it is read, if somebody reads it.
    pub reading: Option<Reading>,
}

/// What for a page is read, and what else it could be read for.
#[derive(Clone, Debug)]
pub struct Reading {
    /// In words, after "for": "treatment".
    pub words: String,
    /// The page is for this alone, whatever was chosen.
    pub is_fixed: bool,
    /// What can be chosen instead: code, words, whether it is chosen now.
    pub choices: Vec<(String, String, bool)>,
}

/// A record that is open because somebody broke the glass.
#[derive(Clone, Debug)]
pub struct Glass {
    /// The id of the Task.
    pub id: String,
    /// Id of the Patient.
    pub person: String,
    /// Their name.
    pub name: String,
    /// Until when.
    pub until: i64,
}

/// What was shown before: to whom, when and what for.
#[derive(Clone, Debug)]
pub struct Again {
    /// Whom it was shown to: "R. Osei".
    pub who: String,
    /// What for, in words: "treatment".
    pub purpose: String,
    /// What it was, in words: "the caseload".
    pub what: String,
    /// When.
    pub at: RecordedAt,
    /// Its leaf in the access log.
    pub position: u64,
    /// Whether what is drawn gives out just what the leaf lists.
    pub same: bool,
    /// Whether some of what was shown is not for whoever looks now.
    pub left_out: bool,
}

/// What outside witnesses say of the record as a whole, whatever is shown of it.
#[derive(Clone, Debug)]
pub struct Outside {
    /// How many entries enough of them have cosigned.
    pub cosigned: u64,
    /// Why nothing is recorded at present, if so: a sentence or a few.
    pub refusal: Option<String>,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct User {
    /// As shown: "R. Osei".
    pub name: String,
    /// In words: "caseworker".
    pub role: String,
    /// How many notices about their account they have not seen.
    pub unseen: u64,
    /// Where their role leads them, the first page first.
    pub places: Vec<Way>,
    /// When they are signed out by themselves; `None` where that says nothing.
    pub session: Option<Ends>,
}

/// A way to a place in the navigation.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where.
    pub place: Place,
    /// Its address.
    pub address: String,
    /// What it is called: "Caseload".
    pub words: &'static str,
}

/// When a session ends if nothing more is asked for.
#[derive(Copy, Clone, Debug)]
pub struct Ends {
    /// The instant, in microseconds.
    pub at: i64,
    /// Seconds until then.
    pub left: i64,
    /// Seconds before it that there is a warning.
    pub warning: i64,
}

/// The instant of a page that shows the past.
#[derive(Copy, Clone, Debug)]
pub struct AsKnown {
    /// Everything recorded up to and including this instant is shown.
    pub at: RecordedAt,
    /// How many entries were recorded since, and are not.
    pub since: u64,
}

/// Who the person is, on every page and every printout about them.
#[derive(Clone, Debug)]
pub struct Banner {
    /// Id of the Patient.
    pub id: String,
    /// As shown: "Haddad, Samir".
    pub name: String,
    /// What tells this person from another: "he/him", "41, born 3 Feb 1985", "VR-26-1149".
    pub facts: Vec<String>,
    /// Where they stand: "Goal work".
    pub stage: Option<String>,
    /// What must not be overlooked.
    pub flags: Vec<String>,
    /// The erasure that is asked for: the id of its Task, and where it stands.
    pub erasure: Option<(String, String)>,
}

/// One of the places in the navigation.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The caseload.
    Caseload,
    /// Finding a person.
    Find,
    /// About this record.
    Record,
    /// Who was shown what.
    Access,
    /// Erasures.
    Erasures,
    /// Programs and apps.
    Apps,
    /// Warrants.
    Warrants,
    /// Records that were opened by breaking the glass.
    Opened,
    /// Who covers for whom.
    Cover,
    /// Sums over many people.
    Figures,
    /// Who may sign in.
    Users,
    /// Nowhere of these: a person, an entry, an error.
    Elsewhere,
}

/// A page's own part.
pub struct Page<'a> {
    /// For the title and the heading: "Caseload".
    pub title: &'a str,
    /// Where it belongs in the navigation.
    pub place: Place,
    /// Whether the page itself compares two instants: it then brings a form of its own.
    pub compares: bool,
    /// Everything beneath the heading.
    pub main: Markup,
}

impl Shell {
    /// The address of a link in this page: who looks at the past stays in it.
    pub fn to(&self, address: &str) -> String {
        match self.as_of {
            Some(then) => path::with(address, &[(path::AS_OF, &when::exact(then.at.0))]),
            None => address.to_owned(),
        }
    }

    /// The address of this page as of another instant, or of now.
    pub fn here(&self, at: Option<RecordedAt>) -> String {
        let mut parameters: Vec<(&str, &str)> = self
            .keep
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let instant = at.map(|at| when::exact(at.0));
        if let Some(instant) = &instant {
            parameters.push((path::AS_OF, instant));
        }
        path::with(&self.path, &parameters)
    }

    /// Whether whoever is signed in has this page in their navigation.
    pub fn leads_to(&self, place: Place) -> bool {
        let mut ways = self.user.iter().flat_map(|user| &user.places);
        ways.any(|way| way.place == place)
    }

    /// Whether the page shows the past.
    pub fn is_then(&self) -> bool {
        self.as_of.is_some()
    }

    fn as_known(&self) -> Option<String> {
        self.as_of
            .map(|then| format!("AS KNOWN ON {}", when::minute(then.at.0)))
    }
}

/// The whole document.
pub fn page(shell: &Shell, page: Page<'_>) -> Markup {
    let as_known = shell.as_known();
    let who = shell.banner.as_ref().map(|banner| banner.name.as_str());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title {
                    @if let Some(words) = &as_known { (words) ": " }
                    @if shell.again.is_some() { "Shown again: " }
                    (page.title)
                    @if let Some(who) = who { @if !page.title.contains(who) { " \u{b7} " (who) } }
                    " \u{b7} Homecoming"
                }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                link rel="icon" type="image/svg+xml" href=(assets::path("mark.svg"));
                link rel="stylesheet" href=(assets::path("uswds.css"));
                link rel="stylesheet" href=(assets::path("homecoming.css"));
            }
            body class=(if shell.is_then() { "then" } else { "now" }) {
                a class="usa-skipnav" href="#main" { "Skip to the page" }
                div class="sheet" {
                    (running(shell))
                    @if let Some(then) = shell.as_of { (strip(shell, then)) }
                    (top(shell, page.place))
                    @if let Some(ends) = shell.user.as_ref().and_then(|user| user.session) { (ending(ends)) }
                    @if let Some(banner) = &shell.banner { (person(shell, banner)) }
                    @if let Some(what_for) = &shell.reading { (reading(shell, what_for)) }
                    main id="main" tabindex="-1" {
                        div class="headline" {
                            h1 {
                                @if shell.again.is_some() { "Shown again: " }
                                (page.title)
                                @if let Some(words) = &as_known { " " span class="then-words" { (words) } }
                            }
                            @if shell.user.is_some() && !shell.is_then() && !page.compares { (move_form(shell)) }
                        }
                        @for glass in &shell.glass { (broken(shell, glass)) }
                        @if let Some(again) = &shell.again { (shown_again(again)) }
                        @if let Some(why) = shell.outside.as_ref().and_then(|outside| outside.refusal.as_ref()) {
                            section class="panel halted" role="alert" aria-label="Nothing is recorded" {
                                p { (urgent_mark()) " " strong { "The record is shut for writing." } " " bdi { (why) } }
                            }
                        }
                        (page.main)
                    }
                    (footer(shell))
                    @if let Some(words) = &as_known {
                        div class="running last" aria-hidden="true" { p class="running-then" { (frame_mark(true)) " " (words) " UTC. NOT NOW." } }
                    }
                }
            }
        }
    }
}

/// Where the page's own part begins; nothing that is shown can hold it, since text is escaped.
const MAIN: &str = "<main id=\"main\" tabindex=\"-1\">";

/// A page with the notice of 42 CFR 2.32 above its own part: some of what it shows of substance use goes to
/// whoever looks on the person's consent.
pub fn with_notice(markup: Markup) -> Markup {
    let notice = html! {
        section class="panel notice" aria-label="Notice" {
            p { strong { (policy::REDISCLOSURE) } }
            p class="sub" { "Some of what stands here is shown to you because the person consented to it (42 CFR 2.32)." }
        }
    };
    let whole = markup.into_string();
    let with = format!("{MAIN}{}", notice.into_string());
    maud::PreEscaped(whole.replacen(MAIN, &with, 1))
}

/// What stands at the head of every printed sheet; never on a screen.
fn running(shell: &Shell) -> Markup {
    html! {
        div class="running" aria-hidden="true" {
            @if let Some(words) = shell.as_known() { p class="running-then" { (frame_mark(true)) " " (words) " UTC. NOT NOW." } }
            p {
                @if let Some(banner) = &shell.banner {
                    b { bdi { (banner.name) } }
                    @for fact in &banner.facts { " \u{b7} " bdi { (fact) } }
                    @if let Some(stage) = &banner.stage { " \u{b7} " bdi { (stage) } }
                    @for flag in &banner.flags { " \u{b7} \u{25b2} " b { bdi { (flag) } } }
                } @else {
                    b { "Homecoming" } " \u{b7} " bdi { (shell.programme) }
                }
            }
        }
    }
}

/// The words at the head of a page of the past; they stay in sight when it is scrolled.
fn strip(shell: &Shell, then: AsKnown) -> Markup {
    html! {
        section class="strip" aria-label="Instant of this page" {
            (frame_mark(true))
            p {
                strong { "AS KNOWN ON " (when::time(then.at.0, &when::minute(then.at.0))) " UTC" }
                " "
                span { "Not now. Read-only. " (left_out(then.since)) }
            }
            (move_form(shell))
        }
    }
}

/// Says on every page that a record is open which is otherwise closed, and ends it.
fn broken(shell: &Shell, glass: &Glass) -> Markup {
    html! {
        section class="panel halted" aria-label="Opened record" {
            form class="glass" method="post" action=(path::opened_step(&glass.id, "end")) {
                p {
                    (urgent_mark()) strong { "You have opened a record that is closed to you: " a href=(shell.to(&path::person(&glass.person))) { bdi { (glass.name) } } }
                    ", until " (when::time(glass.until, &when::minute(glass.until))) " UTC. They see it, and your supervisor reviews it. "
                    a href=(shell.to(&path::opened(&glass.id))) { "Your reason" }
                }
                button class="usa-button usa-button--secondary small" type="submit" { "End it now" }
            }
        }
    }
}

/// Whose eyes a page that is drawn again was for, above everything that it says.
fn shown_again(again: &Again) -> Markup {
    html! {
        section class="panel" aria-labelledby="again" {
            h2 id="again" { "What " bdi { (again.who) } " was shown" }
            p {
                (when::time(again.at.0, &again.at.words())) ", for " (again.purpose) ": " bdi { (again.what) } ". "
                "It is drawn again from the record as it stood; it is not now. "
                "That you look at it is on the access log, too. "
                a href=(path::with(&path::leaf(again.position), &[(path::AS_OF, &when::exact(again.at.0))])) { "Leaf " (count(again.position)) }
            }
            @if again.left_out {
                p { "Some of what was shown is not for you to see, and is left out. The leaf says how much was given out." }
            }
            @if !again.same {
                p { (urgent_mark()) strong { "What is drawn here gives out other versions or tells of other people than the log lists." } " The leaf says what was given out." }
            }
        }
    }
}

fn left_out(since: u64) -> String {
    match since {
        0 => "Nothing was recorded since.".into(),
        1 => "1 entry recorded since is left out.".into(),
        many => format!("{} entries recorded since are left out.", count(many)),
    }
}

/// The sign of the two frames: a wide one with a round mark, or a square one with a square mark.
pub fn frame_mark(then: bool) -> Markup {
    html! {
        @if then {
            svg class="framemark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
                rect x="1.5" y="1.5" width="21" height="21" {}
                rect x="6" y="6" width="12" height="12" {}
                rect class="core" x="10" y="10" width="4" height="4" {}
            }
        } @else {
            svg class="framemark" viewBox="0 0 36 24" width="36" height="24" aria-hidden="true" focusable="false" {
                rect x="1.5" y="3" width="33" height="18" {}
                circle class="core" cx="18" cy="12" r="3.5" {}
            }
        }
    }
}

fn top(shell: &Shell, place: Place) -> Markup {
    let ways = shell.user.as_ref().map_or(&[][..], |user| &user.places);
    let home = ways.first().map_or("/", |way| &way.address);
    let finds = ways.iter().any(|way| way.place == Place::Find);
    html! {
        header class="top" {
            a class="wordmark" href=(shell.to(home)) {
                img src=(assets::path("mark.svg")) alt="" width="26" height="26";
                "Homecoming"
            }
            @if let Some(user) = &shell.user {
                nav aria-label="Main" {
                    ul {
                        @for way in ways {
                            li { a href=(shell.to(&way.address)) aria-current=[(place == way.place).then_some("page")] { (way.words) } }
                        }
                    }
                }
                @if finds && place != Place::Find {
                    form class="quick" role="search" action=(path::FIND) method="get" {
                        (as_of_hidden(shell))
                        input class="usa-input" type="search" name="q" aria-label="Find a person" placeholder="Find a person" autocomplete="off";
                        button class="usa-button usa-button--outline small" type="submit" { "Find" }
                    }
                }
                form class="user" action=(path::SIGN_OUT) method="post" {
                    span { a href=(shell.to(path::ACCOUNT)) { bdi { (user.name) } } ", " (user.role) }
                    @if user.unseen > 0 {
                        a class="news" href=(shell.to(path::ACCOUNT)) { (urgent_mark()) (counted(user.unseen, "notice for you", "notices for you")) }
                    }
                    button class="usa-button usa-button--unstyled" type="submit" { "Sign out" }
                }
            } @else {
                span class="programme" { bdi { (shell.programme) } }
            }
        }
    }
}

/// What for the page is read, and the form that changes it.
fn reading(shell: &Shell, reading: &Reading) -> Markup {
    html! {
        section class="reading" aria-label="What you read for" {
            p { "You are reading for " strong { (reading.words) } @if reading.is_fixed { ", which is what this page is for" } ". " a href=(shell.to(path::POLICY)) { "Who may see what" } }
            @if !reading.is_fixed && reading.choices.len() > 1 && shell.again.is_none() {
                details {
                    summary { "Read for something else" }
                    form action=(path::PURPOSE) method="post" {
                        input type="hidden" name="next" value=(shell.here(shell.as_of.map(|then| then.at)));
                        label for="reading-for" { "Until I sign out, I read for" }
                        select class="usa-input" id="reading-for" name="purpose" {
                            @for (code, words, chosen) in &reading.choices { option value=(code) selected[*chosen] { (words) } }
                        }
                        button class="usa-button small" type="submit" { "Change" }
                    }
                }
            }
        }
    }
}

/// A module of ours, for what a page cannot do without one; every page works without it.
pub fn script(name: &str) -> Markup {
    html! { script type="module" src=(assets::path(name)) {} }
}

/// The warning before a session ends by itself: shown by its module, in time.
fn ending(ends: Ends) -> Markup {
    let warn = format!(
        "You will be signed out at {} UTC unless you go on. What you have typed stays where it is.",
        when::minute(ends.at)
    );
    html! {
        section class="panel halted" id="session-ends" role="alert" aria-label="Your session ends" hidden
            data-left=(ends.left) data-warning=(ends.warning) data-warn=(warn)
            data-over="Your session has ended. If you send what you have typed, it is kept for you until you have signed in again." {
            p data-words="" {}
            form action=(path::SESSION) method="post" { button class="usa-button small" type="submit" { "Go on" } }
        }
        (script("session.js"))
    }
}

/// Keeps a form in the past.
fn as_of_hidden(shell: &Shell) -> Markup {
    html! {
        @if let Some(then) = shell.as_of {
            input type="hidden" name=(path::AS_OF) value=(when::exact(then.at.0));
        }
    }
}

fn person(shell: &Shell, banner: &Banner) -> Markup {
    let (person, timelines) = (path::person(&banner.id), path::timelines(&banner.id));
    let access = path::person_access(&banner.id);
    let (consents, disputes) = (path::consents(&banner.id), path::disputes(&banner.id));
    let accounting = path::accounting(&banner.id);
    let told = |user: &User| {
        matches!(
            user.role.as_str(),
            "participant" | "caseworker" | "prescriber" | "supervisor" | "officer"
        )
    };
    let here = |address: &str| (shell.path == address).then_some("page");
    html! {
        section class="banner" aria-label="Person" {
            p class="who" {
                a href=(shell.to(&person)) { bdi { (banner.name) } }
                @for fact in &banner.facts { span { bdi { (fact) } } }
                @if let Some(stage) = &banner.stage { span class="stage" { bdi { (stage) } } }
            }
            @if !banner.flags.is_empty() {
                ul class="flags" aria-label="Flags" {
                    @for flag in &banner.flags { li { (urgent_mark()) bdi { (flag) } } }
                }
            }
            @if let Some((id, stands)) = &banner.erasure {
                p class="flags" {
                    (urgent_mark())
                    a href=(shell.to(&path::erasure(id))) { "An erasure of this record is asked for" }
                    ". " (stands)
                }
            }
            nav aria-label="This person" {
                ul {
                    li { a href=(shell.to(&person)) aria-current=[here(&person)] { "Overview" } }
                    li { a href=(shell.to(&timelines)) aria-current=[here(&timelines)] { "Two timelines" } }
                    li { a href=(shell.to(&access)) aria-current=[here(&access)] { "Who looked" } }
                    li { a href=(shell.to(&consents)) aria-current=[here(&consents)] { "Consents" } }
                    @if shell.user.as_ref().is_some_and(told) {
                        li { a href=(shell.to(&accounting)) aria-current=[here(&accounting)] { "Who was told" } }
                    }
                    li { a href=(shell.to(&disputes)) aria-current=[here(&disputes)] { "Disputes" } }
                    @if banner.erasure.is_none() && !shell.is_then() && shell.user.as_ref().is_some_and(|user| user.role == "officer") {
                        li { a href=(path::with(path::ERASURE_NEW, &[("person", &banner.id)])) { "Ask for an erasure" } }
                    }
                }
            }
        }
    }
}

/// The form that is on every page: see it as it was known on another day.
fn move_form(shell: &Shell) -> Markup {
    let value = when::iso_day(shell.as_of.map_or(shell.made_at, |then| then.at.0));
    html! {
        form class="move" action=(shell.path) method="get" aria-label="Instant" {
            @for (name, value) in &shell.keep { input type="hidden" name=(name) value=(value); }
            label for="asof" { "As of" }
            input class="usa-input" id="asof" type="date" name=(path::AS_OF) value=(value) max=(when::iso_day(shell.made_at)) required;
            button class="usa-button small" type="submit" { "Move" }
            @if shell.is_then() { a class="usa-button usa-button--outline small" href=(shell.here(None)) { "Back to now" } }
        }
    }
}

fn footer(shell: &Shell) -> Markup {
    html! {
        footer class="foot" {
            @if let Some(words) = shell.as_known() {
                p class="foot-then" { (frame_mark(true)) strong { (words) " UTC" } " Not now." }
            }
            p {
                "Homecoming, " bdi { (shell.programme) } ". "
                @if let Some(user) = &shell.user {
                    "Made " (when::time(shell.made_at, &when::minute(shell.made_at))) " for " bdi { (user.name) }
                    @if let Some(reading) = &shell.reading { ", to be read for " (reading.words) }
                    ", from the first " (count(shell.size)) " entries of "
                    a href=(shell.to(path::RECORD)) { "this record" }
                    @if let Some(outside) = &shell.outside { (cosigned(shell.size, outside.cosigned)) }
                    ". "
                }
                "All times are UTC."
                @if let Some(ends) = shell.user.as_ref().and_then(|user| user.session) {
                    " You are signed out at " (when::time(ends.at, &when::minute(ends.at))) " unless you ask for something before."
                }
            }
        }
    }
}

/// How many of the entries shown outside witnesses have cosigned.
fn cosigned(size: u64, cosigned: u64) -> Markup {
    html! {
        @match size.saturating_sub(cosigned) {
            0 => { ", all of them cosigned by outside witnesses" }
            behind => { ", " (count(behind)) " of them not yet cosigned by outside witnesses" }
        }
    }
}

/// A number with thousands apart: "12,345".
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 entry", "3 entries".
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// The sign before what is overdue or must not be overlooked.
pub fn urgent_mark() -> Markup {
    html! { span class="urgent" aria-hidden="true" { "\u{25b2}" } }
}

/// A region that scrolls sideways by itself, and can be reached by keyboard.
pub fn scrolling(label: &str, inside: Markup) -> Markup {
    html! { div class="scrolls" role="group" aria-label=(label) tabindex="0" { (inside) } }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_apart() {
        for (number, words) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(super::count(number), words);
        }
    }
}
