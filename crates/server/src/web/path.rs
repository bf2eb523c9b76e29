//! The addresses of the pages. A link inside a page goes through [`super::layout::Shell::to`], so
//! that who looks at the past stays in it.

/// The caseload, and the first page after signing in.
pub const CASELOAD: &str = "/caseload";
/// All erasures; POST asks for one.
pub const ERASURES: &str = "/erasures";
/// The form that asks for an erasure: `person`.
pub const ERASURE_NEW: &str = "/erasures/new";
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

/// One erasure, by the id of its Task.
pub fn erasure(id: &str) -> String {
    format!("/erasures/{}", encode(id))
}

/// A step of an erasure: POST.
pub fn erasure_step(id: &str, step: &str) -> String {
    format!("/erasures/{}/{step}", encode(id))
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
