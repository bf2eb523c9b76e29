//! Disputed entries: those of a person, the form that disputes one, one of them, and its steps.

use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use casework::dispute::{Dispute, Ground, Stage, Step};
use policy::Kind;
use record::json::Doc;

use super::consents::{known, must_see};
use super::scanned::Form;
use super::{Asked, away, entry, person, see};
use crate::case::words;
use crate::consent::is_person;
use crate::dispute::{self, Found};
use crate::error::{Error, ErrorKind};
use crate::programme::{Version, View};
use crate::release::Given;
use crate::web::dispute::{Beside, Context, Entry, May, Text, page};
use crate::web::when::{self, RecordedAt};
use crate::web::{disputes, path};

/// How much of an account a list shows, in characters.
const SHOWN_CHARACTERS: usize = 160;

/// `GET /people/{id}/disputes`
pub async fn list(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let (shell, mut given) = person::about(&asked, &id)?;
        must_see(&asked, &id)?;
        let rows = rows(&asked, &id, &mut given)?;
        let context = disputes::Context {
            themself: is_person(&asked.who, &id),
            shell,
            rows,
        };
        Ok(asked.answer(disputes::page(&context), given))
    })
    .await
}

/// What a person disputes, the newest first, with what that gives out.
pub(super) fn rows(
    asked: &Asked,
    id: &str,
    given: &mut Given,
) -> Result<Vec<disputes::Row>, Error> {
    let now = asked.moment();
    let alias = asked.programme.ledger().person(id);
    let mut rows = Vec::new();
    for found in dispute::of_person(&asked.view, id)? {
        let account = found.texts.first().map_or("", |text| text.words.as_str());
        let mut shown: String = account.chars().take(SHOWN_CHARACTERS).collect();
        if shown.len() < account.len() {
            shown.push('\u{2026}');
        }
        for position in &found.positions {
            given.at(*position, Some(alias));
        }
        for text in &found.texts {
            given.at(text.position, Some(alias));
        }
        rows.push(disputes::Row {
            what: what(&asked.view, &found)?,
            account: shown,
            raised_at: RecordedAt(found.dispute.raised_at),
            stands: stands(&found.dispute, now),
            overdue: found.dispute.is_overdue(now),
            id: found.id,
        });
    }
    Ok(rows)
}

/// `GET /entries/{position}/dispute`
pub async fn form(asked: Asked, Path(position): Path<String>) -> Result<Response, Error> {
    away(move || {
        let version = entry::at(&asked, &position)?;
        let patient = version.person().ok_or_else(nobody)?;
        let (shell, mut given) = person::about(&asked, &patient)?;
        given.version(&version);
        let who = dispute::who(&asked.who, &patient, Some(version.actor.as_str()));
        let now = asked.now();
        let raise = Dispute::raise(&who, "as it will be written", now).map(|_| ());
        let context = Context {
            id: String::new(),
            themself: who.themself,
            entry: shown(&version, None)?,
            stands: String::new(),
            overdue: false,
            owner: None,
            ground: None,
            texts: Vec::new(),
            may: May {
                raise: asked
                    .view
                    .is_now()
                    .then(|| raise.map_err(|refusal| casework::sentence(&refusal))),
                ..May::default()
            },
            shell,
        };
        Ok(asked.answer(page(&context), given))
    })
    .await
}

/// `POST /entries/{position}/dispute`
pub async fn raise(
    asked: Asked,
    Path(position): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let form = Form::read(&headers, body).await?;
    // What somebody may not see they cannot dispute; it is not there to them.
    let (asked, version) = tokio::task::spawn_blocking(move || {
        let version = entry::at(&asked, &position)?;
        Ok::<_, Error>((asked, version))
    })
    .await
    .map_err(Error::internal)??;
    let text = form.text("text");
    let patient = version.person().ok_or_else(nobody)?;
    let asked = known(asked, &patient, Some(Kind::Care)).await?;
    let (programme, actor) = (&asked.programme, asked.actor());
    let id = dispute::raise(programme, &asked.who, actor, version.position, text).await?;
    Ok(see(&path::dispute(&id)))
}

/// `GET /disputes/{id}`
pub async fn get(asked: Asked, Path(id): Path<String>) -> Result<Response, Error> {
    away(move || {
        let found = dispute::find(&asked.view, &id)?.ok_or_else(missing)?;
        let (shell, mut given) = person::about(&asked, &found.patient)?;
        let alias = asked.programme.ledger().person(&found.patient);
        for position in &found.positions {
            given.at(*position, Some(alias));
        }
        for text in &found.texts {
            given.at(text.position, Some(alias));
        }
        let (kind, of, version) = &found.disputed;
        let disputed = disputed(&asked.view, &found)?;
        if let Disputed::Said(disputed) = &disputed {
            given.version(disputed);
        }
        // Whoever answers may be one who may not read it, as of a therapy note, and it may have been erased; its line
        // says who recorded it all the same.
        let line = asked.unbound().entry_of(kind, of, *version)?;
        let recorded_by = line.as_ref().map(|line| line.actor.as_str());
        let who = dispute::who(&asked.who, &found.patient, recorded_by);
        let now = asked.moment();
        let decide = |step: &Step| {
            let decided = found
                .dispute
                .decide(step, &who, "as it will be written", asked.now());
            decided.map_err(|refusal| casework::sentence(&refusal))
        };
        let staff = who.answers && !who.themself;
        let open = found.dispute.stage == Stage::Open;
        let offer = |offered: bool, step: &Step| offered.then(|| decide(step));
        let may = match asked.view.is_now() {
            true => May {
                raise: None,
                answer: offer(staff && open, &Step::Agree { amended: None }),
                extend: offer(staff && open, &Step::Extend),
                state: offer(found.dispute.stage == Stage::Disagreed, &Step::State)
                    .filter(Result::is_ok),
                withdraw: offer(open, &Step::Withdraw).filter(Result::is_ok),
            },
            false => May::default(),
        };
        let context = Context {
            themself: who.themself,
            entry: match &disputed {
                Disputed::Said(disputed) => shown(disputed, amended(&asked.view, &found)?)?,
                Disputed::Erased | Disputed::Unseen => Entry {
                    what: disputed.what()?,
                    position: line.as_ref().map_or(0, |line| line.position),
                    version: *version,
                    erased: matches!(disputed, Disputed::Erased),
                    facts: Vec::new(),
                    amended: amended(&asked.view, &found)?,
                },
            },
            stands: stands(&found.dispute, now),
            overdue: found.dispute.is_overdue(now),
            owner: match (&found.owner, open) {
                (Some(owner), true) => Some(
                    crate::case::Names::new(&asked.view)
                        .at(&owner.actor)
                        .unwrap_or_else(|| owner.name.clone()),
                ),
                _ => None,
            },
            ground: ground(&found).map(|ground| ground.words().to_owned()),
            texts: texts(&found),
            may,
            id,
            shell,
        };
        Ok(asked.answer(page(&context), given))
    })
    .await
}

/// `POST /disputes/{id}/{step}`
pub async fn step(
    asked: Asked,
    Path((id, step)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let form = Form::read(&headers, body).await?;
    let step = match step.as_str() {
        "agree" => Step::Agree { amended: None },
        "disagree" => {
            let code = form.text("ground");
            let ground = Ground::ALL.into_iter().find(|one| one.code() == code);
            let ground = ground.ok_or_else(|| {
                Error::new(
                    ErrorKind::Malformed,
                    "Choose the ground on which you disagree.",
                )
            })?;
            Step::Disagree { ground }
        }
        "extend" => Step::Extend,
        "state" => Step::State,
        "withdraw" => Step::Withdraw,
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                "There is no such step of a dispute.",
            ));
        }
    };
    let (asked, found) = {
        let id = id.clone();
        tokio::task::spawn_blocking(move || {
            let found = dispute::find(&asked.view, &id)?;
            Ok::<_, Error>((asked, found))
        })
        .await
        .map_err(Error::internal)??
    };
    let found = found.ok_or_else(missing)?;
    let asked = known(asked, &found.patient, Some(Kind::Governance)).await?;
    let (programme, actor) = (&asked.programme, asked.actor());
    dispute::take(programme, &asked.who, actor, &id, step, form.text("text")).await?;
    Ok(see(&path::dispute(&id)))
}

/// What is said of a thing, to stand beside one of its versions, with what that gives out.
pub(super) fn beside(
    asked: &Asked,
    patient: &str,
    version: &Version,
    given: &mut Given,
) -> Result<Vec<Beside>, Error> {
    let now = asked.moment();
    let mut out = Vec::new();
    for found in dispute::of_person(&asked.view, patient)? {
        let (kind, id, of) = &found.disputed;
        if (kind, id) != (&version.kind, &version.id) {
            continue;
        }
        for text in &found.texts {
            given.at(text.position, version.about);
        }
        out.push(Beside {
            of_version: (*of != version.version).then_some(*of),
            stands: stands(&found.dispute, now),
            texts: texts(&found),
            id: found.id,
        });
    }
    Ok(out)
}

fn texts(found: &Found) -> Vec<Text> {
    let text = |text: &dispute::Text| Text {
        kind: text.kind.clone(),
        author: text.author.clone(),
        recorded_at: RecordedAt(text.recorded_at),
        words: text.words.clone(),
        position: text.position,
    };
    found.texts.iter().map(text).collect()
}

fn ground(found: &Found) -> Option<Ground> {
    let code = found.ground.as_deref()?;
    Ground::ALL.into_iter().find(|one| one.code() == code)
}

/// A disputed version, as far as it is there for whoever looks.
enum Disputed {
    /// What it says.
    Said(Version),
    /// It was erased, and they may know.
    Erased,
    /// It is not for them.
    Unseen,
}

impl Disputed {
    /// What it is, in words.
    fn what(&self) -> Result<String, Error> {
        Ok(match self {
            Disputed::Said(version) => {
                let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
                words::words(&version.kind, doc.root()).what
            }
            Disputed::Erased => "An entry that was erased".to_owned(),
            Disputed::Unseen => "An entry that is not for you to read".to_owned(),
        })
    }
}

fn disputed(view: &View, found: &Found) -> Result<Disputed, Error> {
    let (kind, id, version) = &found.disputed;
    match view.vread(kind, id, *version) {
        Ok(Some(version)) => Ok(Disputed::Said(version)),
        Ok(None) => Ok(Disputed::Unseen),
        Err(error) if error.kind == ErrorKind::Erased => Ok(Disputed::Erased),
        Err(error) => Err(error),
    }
}

/// Where the version is that puts it right, if whoever looks may see its line: it may have been erased since.
fn amended(view: &View, found: &Found) -> Result<Option<u64>, Error> {
    let (kind, id, _) = &found.disputed;
    match found.amended {
        Some(version) => Ok(view
            .entry_of(kind, id, version)?
            .map(|entry| entry.position)),
        None => Ok(None),
    }
}

fn shown(version: &Version, amended: Option<u64>) -> Result<Entry, Error> {
    let doc = Doc::parse(&version.stored).map_err(Error::internal)?;
    Ok(Entry {
        what: words::words(&version.kind, doc.root()).what,
        position: version.position,
        version: version.version,
        erased: false,
        facts: entry::leaves(doc.root()),
        amended,
    })
}

/// What a dispute is about, in words.
pub(super) fn what(view: &View, found: &Found) -> Result<String, Error> {
    disputed(view, found)?.what()
}

/// How a dispute stands, in words.
pub(super) fn stands(dispute: &Dispute, now: i64) -> String {
    let on = dispute.ended_at.map(when::day).unwrap_or_default();
    match dispute.stage {
        Stage::Open if dispute.is_overdue(now) => {
            format!("An answer was owed by {}", when::day(dispute.due))
        }
        Stage::Open if dispute.extended => format!(
            "An answer is owed by {}, after 30 days more",
            when::day(dispute.due)
        ),
        Stage::Open => format!("An answer is owed by {}", when::day(dispute.due)),
        Stage::Agreed => format!("The programme agreed on {on}"),
        Stage::Disagreed => format!("The programme did not agree on {on}"),
        Stage::Stated => format!(
            "The programme did not agree on {on}, and the person\u{2019}s statement stands beside that"
        ),
        Stage::Withdrawn => format!("The person took it back on {on}"),
    }
}

fn nobody() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "The record has no such entry about a person, so there is nothing to dispute.",
    )
}

fn missing() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "There is no such dispute in the record.",
    )
}
