//! Choosing what for one reads: it lasts until the session ends, and every page says it.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use policy::Purpose;

use super::see;
use super::sign_in::next;
use crate::error::{Error, ErrorKind};
use crate::fhir::query;
use crate::programme::Programme;
use crate::sign_in::SignedIn;

/// `POST /purpose`: `purpose`, a code, and `next`, where to go on.
pub async fn choose(
    State(programme): State<Programme>,
    who: SignedIn,
    body: Bytes,
) -> Result<Response, Error> {
    let form = query::decode(&String::from_utf8_lossy(&body))?;
    let code = form.iter().find(|(name, _)| name == "purpose");
    let purpose = code.and_then(|(_, code)| Purpose::from_code(code));
    let role = who.permitted_as(&programme)?.role;
    let Some(purpose) = purpose.filter(|purpose| role.purposes().contains(purpose)) else {
        return Err(Error::new(
            ErrorKind::Malformed,
            "That is not something that your role reads for. Choose from the list.",
        ));
    };
    if let Some(session) = &who.session {
        programme
            .desk()
            .set_session_purpose(session.id, Some(purpose.code()))
            .map_err(Error::desk)?;
    }
    Ok(see(&next(&form)))
}
