//! What for: by role and by page, as somebody chose, as a program states.
//!
//! Every disclosure has a purpose, which the policy judges and the access log keeps. Somebody who signs
//! in reads for what their role usually reads for, until they choose another purpose that their role
//! has; the choice lasts for the session, and every page says it. A few pages are for one thing
//! only, whatever was chosen: who looked is looked at for the sake of the rules, a person's file
//! is handed over because the person asked, and an erasure is a duty of law. They say so, too.
//!
//! A program reads for what it is registered for, and may state another purpose of its role for one request
//! in the header `Purpose-Of-Use`. FHIR has no header for it; IHE IUA and SMART put it into the token, which
//! is where the usual one is here, too. An app that acts for a person reads for what it is registered for alone, and for
//! nobody whose role does nothing for that.

use axum::http::HeaderMap;
use policy::{Purpose, Role};

use crate::error::{Error, ErrorKind};
use crate::web::path;

/// The header in which a program states a purpose.
pub const HEADER: &str = "purpose-of-use";

/// What a page is for, if it is for one thing only.
pub fn of_page(role: Role, page: &str) -> Option<Purpose> {
    let purpose = if page.starts_with("/access/") && page.ends_with("/seen") {
        // What somebody was shown is seen again with one's own eyes, for one's own purpose.
        return None;
    } else if page == path::ACCESS
        || page.starts_with("/access/")
        || page.ends_with("/access")
        || page.starts_with("/people/") && page.contains("/accounting")
    {
        Purpose::Compliance
    } else if page.starts_with("/people/") && page.ends_with("/export") {
        Purpose::OwnRequest
    } else if page.starts_with(path::ERASURES) || page.starts_with(path::WARRANTS) {
        Purpose::Legal
    } else if page.starts_with(path::BREAK_GLASS) {
        Purpose::Compliance
    } else {
        return None;
    };
    Some(purpose).filter(|purpose| role.purposes().contains(purpose))
}

/// What somebody reads a page for: what it is for, else what they chose, else what is usual.
pub fn of(role: Role, page: &str, chosen: Option<Purpose>) -> Purpose {
    let chosen = chosen.filter(|purpose| role.purposes().contains(purpose));
    of_page(role, page)
        .or(chosen)
        .unwrap_or(role.usual_purpose())
}

/// What a program states in a request; nothing if it says nothing.
pub fn stated(headers: &HeaderMap) -> Result<Option<Purpose>, Error> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let code = value.to_str().ok().filter(|_| values.next().is_none());
    let purpose = code.and_then(|code| Purpose::from_code(code.trim()));
    purpose.map(Some).ok_or_else(|| {
        let codes: Vec<&str> = Purpose::ALL.iter().map(|one| one.code()).collect();
        Error::new(
            ErrorKind::Malformed,
            format!(
                "`Purpose-Of-Use` is not one code that is known here. There are: {}.",
                codes.join(", ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_for_what_it_is_for_or_what_was_chosen() {
        use Purpose::*;
        use Role::*;
        for (role, page, chosen, expected) in [
            (Caseworker, "/people/a", None, Treatment),
            (Caseworker, "/people/a", Some(Operations), Operations),
            (Caseworker, "/people/a", Some(Fitness), Treatment),
            (Caseworker, "/people/a/access", None, Compliance),
            (Caseworker, "/people/a/access", Some(Operations), Compliance),
            (Caseworker, "/people/a/export", None, OwnRequest),
            (Supervisor, "/caseload", None, Operations),
            (Supervisor, "/access", None, Compliance),
            (Supervisor, "/access/7", None, Compliance),
            (Supervisor, "/access/7/receipt", None, Compliance),
            (Supervisor, "/access/7/seen", None, Operations),
            (Officer, "/erasures/x", None, Legal),
            (Officer, "/erasures", Some(Compliance), Legal),
            (Caseworker, "/erasures", None, Treatment),
            (Officer, "/warrants/x", None, Legal),
            (Inspector, "/warrants/x", None, Investigation),
            (Supervisor, "/break-glass", None, Compliance),
            (Participant, "/people/a/access", None, OwnRequest),
            (Inspector, "/people/a/access", None, Investigation),
            (Evaluator, "/people/a", Some(Treatment), Fitness),
            (Administrator, "/record", None, Administration),
        ] {
            assert_eq!(
                of(role, page, chosen),
                expected,
                "{role:?} {page} {chosen:?}"
            );
        }
    }

    #[test]
    fn a_program_states_one_code() {
        let check = |values: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, value.parse().expect("a header"));
            }
            let seen = match stated(&headers) {
                Ok(None) => "nothing".to_owned(),
                Ok(Some(purpose)) => purpose.as_str().to_owned(),
                Err(error) => format!("{:?}", error.kind),
            };
            assert_eq!(seen, expected, "{values:?}");
        };
        check(&[], "nothing");
        check(&["TREAT"], "treatment");
        check(&[" HOPERAT "], "operations");
        check(&["treatment"], "Malformed");
        check(&["CAREMGT"], "Malformed");
        check(&[""], "Malformed");
        check(&["TREAT", "TREAT"], "Malformed");
    }
}
