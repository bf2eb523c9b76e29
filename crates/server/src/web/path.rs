//! The addresses of the pages. A link inside a page goes through [`super::layout::Shell::to`], so
//! that who looks at the past stays in it.

/// The caseload, and the first page after signing in.
pub const CASELOAD: &str = "/caseload";
/// Where whoever is signed in begins: the first page of their role.
pub const HOME: &str = "/";
/// All erasures; POST asks for one.
pub const ERASURES: &str = "/erasures";
/// The form that asks for an erasure: `person`.
pub const ERASURE_NEW: &str = "/erasures/new";
/// The policy in force: GET; POST puts another in force: `text`, `against`, `why`.
pub const POLICY: &str = "/policy";
/// What another policy would change: POST, `text`.
pub const POLICY_TRY: &str = "/policy/try";
/// The form with a text that was tried: POST, `text`.
pub const POLICY_EDIT: &str = "/policy/edit";
/// How many days of disclosures a policy is tried on.
pub const POLICY_DAYS: u32 = 30;
/// All warrants; POST enters one.
pub const WARRANTS: &str = "/warrants";
/// The form that enters a warrant: `person`.
pub const WARRANT_NEW: &str = "/warrants/new";
/// An inspector's warrants.
pub const INSPECTION: &str = "/inspection";
/// Records that were opened by breaking the glass.
pub const BREAK_GLASS: &str = "/break-glass";
/// Who covers for whom; POST hands over.
pub const COVER: &str = "/cover";
/// Sums over many people.
pub const FIGURES: &str = "/figures";
/// Finding a person: GET, `q`.
pub const FIND: &str = "/find";
/// About this record.
pub const RECORD: &str = "/record";
/// The latest signed checkpoint, as a file.
pub const CHECKPOINT: &str = "/record/checkpoint";
/// The public key that checkpoints are verified with, as a file.
pub const KEY: &str = "/record/key";
/// Everything that anybody was shown.
pub const ACCESS: &str = "/access";
/// Choosing what for one reads until signing out: POST, `purpose` and `next`.
pub const PURPOSE: &str = "/purpose";
/// Signing in: GET shows the form, POST takes `code` and `next`.
pub const SIGN_IN: &str = "/sign-in";
/// Signing out: POST.
pub const SIGN_OUT: &str = "/sign-out";
/// A participant's own view of their record, and the first page that they see.
pub const ME: &str = "/me";
/// Deciding what an app may do: GET as OAuth says, POST the decision.
pub const AUTHORIZE: &str = "/oauth/authorize";
/// The registered programs and apps; POST registers one.
pub const APPS: &str = "/apps";
/// The form that registers one.
pub const APP_NEW: &str = "/apps/new";
/// The apps that act for whoever is signed in.
pub const APPS_MINE: &str = "/apps/mine";
/// Asks for any passkey of this site: POST, answers JSON.
pub const SIGN_IN_PASSKEY: &str = "/sign-in/passkey";
/// Takes the passkey's answer: POST.
pub const SIGN_IN_PASSKEY_DONE: &str = "/sign-in/passkey/done";
/// Leads to an organisation's sign-in: GET, `name` and `next`.
pub const PROVIDER: &str = "/sign-in/organisation";
/// Where an organisation's sign-in leads back to.
pub const PROVIDER_BACK: &str = "/sign-in/organisation/back";
/// Setting up how to sign in: GET shows the form or the choices, POST takes `code`.
pub const ENROL: &str = "/enrol";
/// Choosing a password and one-time codes: POST.
pub const ENROL_PASSWORD: &str = "/enrol/password";
/// Asks for a new passkey: POST, answers JSON.
pub const ENROL_PASSKEY: &str = "/enrol/passkey";
/// Takes the new passkey: POST.
pub const ENROL_PASSKEY_DONE: &str = "/enrol/passkey/done";
/// Leads to an organisation's sign-in, to link an account there: POST, `name`.
pub const ENROL_PROVIDER: &str = "/enrol/organisation";
/// One's own account: ways in, sessions, notices.
pub const ACCOUNT: &str = "/account";
/// Ends a session of one's own: POST, `session`, or all of them but this one.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// Takes a way in away: POST, `passkey`, `password`, or `account` and `since`.
pub const ACCOUNT_WAYS: &str = "/account/ways";
/// Puts notices away: POST, `upto`.
pub const ACCOUNT_NOTICES: &str = "/account/notices";
/// Showing again that it is oneself: GET with `next`, POST with password and one-time code.
pub const AGAIN: &str = "/account/again";
/// Asks for a passkey of whoever is signed in: POST, answers JSON.
pub const AGAIN_PASSKEY: &str = "/account/again/passkey";
/// Takes its answer: POST.
pub const AGAIN_PASSKEY_DONE: &str = "/account/again/passkey/done";
/// Leads to an organisation's sign-in, to show again that it is oneself: POST, `name` and `next`.
pub const AGAIN_PROVIDER: &str = "/account/again/organisation";
/// Goes on with the session: POST.
pub const SESSION: &str = "/account/session";
/// Forms that came after a session had ended.
pub const DRAFTS: &str = "/drafts";
/// Throws one of them away: POST, `draft`.
pub const DRAFTS_DROP: &str = "/drafts/drop";
/// Who may sign in; POST adds somebody.
pub const USERS: &str = "/users";
/// The parameter that sets the instant of a page.
pub const AS_OF: &str = "_asof";

/// The person on one screen; `id` is the Patient's.
pub fn person(id: &str) -> String {
    format!("/people/{}", encode(id))
}

/// The person's two timelines.
pub fn timelines(id: &str) -> String {
    format!("/people/{}/timelines", encode(id))
}

/// One entry of the ledger.
pub fn entry(position: u64) -> String {
    format!("/entries/{position}")
}

/// The receipt of an entry, as a file.
pub fn receipt(position: u64) -> String {
    format!("/entries/{position}/receipt")
}

/// Signing an entry.
pub fn sign(position: u64) -> String {
    format!("/entries/{position}/sign")
}

/// One erasure, by the id of its Task.
pub fn erasure(id: &str) -> String {
    format!("/erasures/{}", encode(id))
}

/// A step of an erasure: POST.
pub fn erasure_step(id: &str, step: &str) -> String {
    format!("/erasures/{}/{step}", encode(id))
}

/// One warrant, by the id of its Task.
pub fn warrant(id: &str) -> String {
    format!("/warrants/{}", encode(id))
}

/// The scan of a warrant's paper, as a file.
pub fn warrant_paper(id: &str) -> String {
    format!("/warrants/{}/paper", encode(id))
}

/// A step of a warrant: POST.
pub fn warrant_step(id: &str, step: &str) -> String {
    format!("/warrants/{}/{step}", encode(id))
}

/// One break-glass, by the id of its Task.
pub fn opened(id: &str) -> String {
    format!("/break-glass/{}", encode(id))
}

/// A step of a break-glass: POST.
pub fn opened_step(id: &str, step: &str) -> String {
    format!("/break-glass/{}/{step}", encode(id))
}

/// A step of a delegation: POST.
pub fn cover_step(id: &str, step: &str) -> String {
    format!("/cover/{}/{step}", encode(id))
}

/// One user, by number.
pub fn user(id: i64) -> String {
    format!("/users/{id}")
}

/// A step that changes a user: POST.
pub fn user_step(id: i64, step: &str) -> String {
    format!("/users/{id}/{step}")
}

/// Who looked at the person's record.
pub fn person_access(id: &str) -> String {
    format!("/people/{}/access", encode(id))
}

/// Opening the person's record in an emergency.
pub fn break_glass(id: &str) -> String {
    format!("/people/{}/break-glass", encode(id))
}

/// The person's export, as a file.
pub fn person_export(id: &str) -> String {
    format!("/people/{}/export", encode(id))
}

/// One leaf of the access log.
pub fn leaf(position: u64) -> String {
    format!("/access/{position}")
}

/// The receipt of a leaf, as a file.
pub fn leaf_receipt(position: u64) -> String {
    format!("/access/{position}/receipt")
}

/// What somebody was shown, drawn again.
pub fn seen(position: u64) -> String {
    format!("/access/{position}/seen")
}

/// What the person has consented to; POST decides.
pub fn consents(id: &str) -> String {
    format!("/people/{}/consents", encode(id))
}

/// The form that decides: `about`.
pub fn consent_new(id: &str) -> String {
    format!("/people/{}/consents/new", encode(id))
}

/// One consent of the person.
pub fn consent(id: &str, consent: &str) -> String {
    format!("/people/{}/consents/{}", encode(id), encode(consent))
}

/// Narrowing it, taking it back, or making what it releases: POST.
pub fn consent_step(id: &str, consent: &str, step: &str) -> String {
    format!("/people/{}/consents/{}/{step}", encode(id), encode(consent))
}

/// What the person disputes.
pub fn disputes(id: &str) -> String {
    format!("/people/{}/disputes", encode(id))
}

/// The form that disputes an entry; POST does.
pub fn dispute_new(position: u64) -> String {
    format!("/entries/{position}/dispute")
}

/// One dispute, by the id of its Task.
pub fn dispute(id: &str) -> String {
    format!("/disputes/{}", encode(id))
}

/// A step of a dispute: POST.
pub fn dispute_step(id: &str, step: &str) -> String {
    format!("/disputes/{}/{step}", encode(id))
}

/// The accounting of disclosures; POST suspends a part of it.
pub fn accounting(id: &str) -> String {
    format!("/people/{}/accounting", encode(id))
}

/// The same as a file of values.
pub fn accounting_csv(id: &str) -> String {
    format!("/people/{}/accounting.csv", encode(id))
}

/// Ends a suspension before its time: POST.
pub fn suspension_lift(id: &str, suspension: &str) -> String {
    format!(
        "/people/{}/accounting/{}/lift",
        encode(id),
        encode(suspension)
    )
}

/// One registered program or app; POST changes it.
pub fn app(name: &str) -> String {
    format!("/apps/{}", encode(name))
}

/// Disabling one, enabling it, giving it a new secret: POST.
pub fn app_step(name: &str, step: &str) -> String {
    format!("/apps/{}/{step}", encode(name))
}

/// Ending what one was allowed: POST.
pub fn app_end(grant: i64) -> String {
    format!("/apps/mine/{grant}")
}

/// The apps that can be opened on a person.
pub fn person_apps(id: &str) -> String {
    format!("/people/{}/apps", encode(id))
}

/// Opening one: POST.
pub fn person_app(id: &str, name: &str) -> String {
    format!("/people/{}/apps/{}", encode(id), encode(name))
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An address with query parameters added.
pub fn with(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in parameters {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(&format!("{}={}", encode(name), encode(value)));
    }
    out
}
