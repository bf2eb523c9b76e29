//! A person's export, as a file to keep.

use axum::extract::Path;
use axum::response::Response;
use ledger::disclosure::What;
use ledger::witnessed::LogName;

use super::{Asked, away, download, person};
use crate::accounting::HeldBack;
use crate::consent::is_person;
use crate::error::Error;
use crate::handing_out;

/// `GET /people/{id}/export`: of the record as it is now, whatever instant the page was of.
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    let programme = asked.programme.clone();
    programme.count(&id).await?;
    away(move || {
        // Whoever may not see the person gets the answer of a person who is not there.
        person::case(&asked, &id)?;
        let cosigned = programme.cosigning().latest(LogName::Record);
        let note = cosigned.as_ref().map(|cosigned| cosigned.note.as_str());
        // What is held back from the person for a time, they do not carry away meanwhile.
        let held = is_person(&asked.who, &id) && HeldBack::from(&programme, &id)?.is_any();
        let access = (!held).then(|| programme.access());
        let (export, given) = handing_out::export(programme.ledger(), access, note, &id)?;
        let text = String::from_utf8(export.write()).map_err(Error::internal)?;
        let file = download(&format!("{id}.homecoming-export"), text);
        Ok(asked.gives(file, What::Export, given))
    })
    .await
}
