//! About this record: its size, its root, its key.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::Markup;
use policy::{Action, Kind, Role};
use record::search::Criteria;
use tlog::policy::Policy;

use super::{Asked, away, download};
use crate::cosigning::Cosigning;
use crate::error::Error;
use crate::permit::Thing;
use crate::programme::{AsOf, Search};
use crate::release::{self, Given};
use crate::web::record::{Context, Log, Witness, page};
use crate::web::when::RecordedAt;

/// The kinds that are counted, in the order of their names.
const COUNTED: [&str; 16] = [
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "Condition",
    "Consent",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "Goal",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Patient",
    "Procedure",
    "QuestionnaireResponse",
    "Task",
];

pub async fn get(asked: Asked) -> Result<Response, Error> {
    away(move || {
        // How much there is, of nobody in particular.
        let (markup, given) = draw(&asked)?;
        Ok(asked.answer(markup, given))
    })
    .await
}

pub(super) fn draw(asked: &Asked) -> Result<(Markup, Given), Error> {
    let ledger = asked.programme.ledger();
    let view = &asked.view;
    let first = view.entry(0)?.map(|entry| entry.recorded_at);
    let mut kinds = Vec::new();
    // Sums over many are for some; a sponsor's are made with more care, elsewhere.
    let sums = asked.decide(Action::Read, &Thing::of(Kind::Aggregate))?;
    let counted = match sums.allowed && asked.reader.who().role != Role::Sponsor {
        true => &COUNTED[..],
        false => &[],
    };
    let whole = asked.programme.view(match view.is_now() {
        true => AsOf::Now,
        false => AsOf::Size(view.size()),
    });
    for kind in counted.iter().copied() {
        let criteria = Criteria::all(kind);
        let all = Search {
            criteria: &criteria,
            count: 0,
            after: None,
            total: true,
        };
        let count = whole.search(&all)?.total.unwrap_or_default();
        if count > 0 {
            kinds.push((kind.to_owned(), count));
        }
    }
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let checkpoint = ledger.checkpoint().map_err(Error::ledger)?;
    let context = Context {
        shell: asked.shell(),
        origin: ledger.origin().to_owned(),
        root: STANDARD.encode(ledger.root_at(view.size()).map_err(Error::ledger)?),
        recorded: first
            .zip(view.recorded_at())
            .map(|(first, last)| (RecordedAt(first.0), RecordedAt(last.0))),
        key: ledger.verifier().to_string(),
        checkpoint_size: checkpoint
            .lines()
            .nth(1)
            .and_then(|line| line.parse().ok())
            .unwrap_or_default(),
        checkpoint,
        logs: logs(asked.programme.cosigning())?,
        quorum: asked.programme.cosigning().policy().map(Policy::quorum),
        kinds,
        software: format!("Homecoming {}", env!("CARGO_PKG_VERSION")),
    };
    Ok((page(&context), Given::new()))
}

/// How the logs do with their witnesses; nothing if there are none.
fn logs(cosigning: &Cosigning) -> Result<Vec<Log>, Error> {
    if cosigning.policy().is_none() {
        return Ok(Vec::new());
    }
    let logs = cosigning.status()?.into_iter().map(|log| Log {
        name: log.name.to_string(),
        size: log.size,
        cosigned: log.cosigned.map(|one| (one.size, one.at_us)),
        witnesses: log
            .witnesses
            .into_iter()
            .map(|witness| Witness {
                name: witness.name,
                cosigned: witness.size.zip(witness.at_us),
                ahead_s: witness.skew_s,
                failure: witness.failure,
            })
            .collect(),
    });
    Ok(logs.collect())
}

pub async fn checkpoint(asked: Asked) -> Result<Response, Error> {
    let text = asked
        .programme
        .ledger()
        .checkpoint()
        .map_err(Error::ledger)?;
    let file = download("checkpoint.txt", text);
    Ok(release::nothing(
        file,
        "a checkpoint is for everybody to keep",
    ))
}

pub async fn key(asked: Asked) -> Result<Response, Error> {
    let file = download(
        "log.vkey",
        format!("{}\n", asked.programme.ledger().verifier()),
    );
    Ok(release::nothing(
        file,
        "a public key is for everybody to keep",
    ))
}
