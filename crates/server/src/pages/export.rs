//! A person's export, as a file to keep.

use axum::extract::Path;
use axum::response::Response;
use ledger::access::Disclosed;
use ledger::disclosure::What;
use ledger::witnessed::LogName;
use policy::{Action, Kind, Purpose};
use record::json::Doc;

use super::{Asked, away, download, person};
use crate::accounting::HeldBack;
use crate::consent::is_person;
use crate::error::Error;
use crate::handing_out::{self, Cosigned};
use crate::permit::Thing;
use crate::programme::AsOf;

/// `GET /people/{id}/export`: of the record as it is now, whatever instant the page was of.
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    let programme = asked.programme.clone();
    programme.count(&id).await?;
    away(move || {
        // Whoever may not see the person gets the answer of a person who is not there.
        person::case(&asked, &id)?;
        may_take_all(&asked, &id)?;
        let [record, of_access] =
            [LogName::Record, LogName::Access].map(|log| programme.cosigning().latest(log));
        let cosigned = Cosigned {
            record: record.as_ref().map(|one| one.note.as_str()),
            access: of_access.as_ref().map(|one| one.note.as_str()),
        };
        // What a warrant keeps from the person for a time is not in what is handed to them, and neither
        // is what an agency has held back.
        let (standing, now) = (programme.standing()?, programme.clock().now().0);
        let alias = programme.ledger().person(&id).to_string();
        let for_them = asked.reader.purpose() == Purpose::OwnRequest;
        let held = match for_them || is_person(&asked.who, &id) {
            true => Some(HeldBack::from(&programme, &id)?),
            false => None,
        };
        let told = |one: &Disclosed| {
            !standing.keeps(one, &alias, now) && !held.as_ref().is_some_and(|held| held.holds(one))
        };
        let (ledger, access) = (programme.ledger(), programme.access());
        let (export, given) = handing_out::export(ledger, access, cosigned, &id, &told)?;
        let text = String::from_utf8(export.write()).map_err(Error::internal)?;
        let file = download(&format!("{id}.homecoming-export"), text);
        Ok(asked.gives(file, What::Export, given))
    })
    .await
}

/// Refuses whoever may not take away everything that is in the file: it is whole, or it is not. Each version is
/// asked about by itself: a consent and a warrant can be of a code, or of a time.
fn may_take_all(asked: &Asked, id: &str) -> Result<(), Error> {
    let whole = asked.programme.view(AsOf::Now);
    for (entry, stored) in whole.chain(id, |_| true)? {
        let doc = Doc::parse(&stored).map_err(Error::internal)?;
        let thing = Thing {
            about: entry.person,
            ..Thing::from(doc.root())
        };
        asked.must(Action::Export, &thing)?;
    }
    asked.must(
        Action::Export,
        &Thing::about(asked.view.alias(id), Kind::Access),
    )
}
