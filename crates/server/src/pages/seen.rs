//! What somebody saw: a page or an answer, drawn again from its leaf in the access log.
//!
//! A page is drawn by the same code from the record as of the size in the leaf, for the reader whom
//! the leaf names, and judged at that time; what a program was sent is shown as text. What cannot
//! be asked again (a bundle, a write that found something, a receipt under a checkpoint of then) is
//! shown by the versions that the leaf lists. What is drawn is compared with the leaf, and the page
//! says so if it differs.

use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use ledger::access::Disclosed;
use ledger::disclosure::{Told, What};
use maud::Markup;
use policy::Purpose;

use super::access::{Lookup, at, purpose, what_was_asked};
use super::{Asked, access, away, caseload, entry, find, html, person, record, timelines};
use crate::consent::own_record;
use crate::error::{Error, ErrorKind, left};
use crate::fhir::{Api, Ask, Content, Gives, instant, pretty, query};
use crate::permit;
use crate::programme::{Actor, AsOf, RecordedAt};
use crate::release::Given;
use crate::sign_in::SignedIn;
use crate::web::layout::{self, Shell};
use crate::web::seen::{Context, page};
use crate::web::when;

/// How many versions are shown where the answer itself cannot be drawn.
const SHOWN_MAX: usize = 100;

/// Who saw it, and what is known of how it was drawn then.
#[derive(Clone)]
pub(super) struct Again {
    /// Whose eyes it was for.
    reader: Option<SignedIn>,
    /// The leaf.
    pub(super) position: u64,
    /// How many entries the record had.
    pub(super) whole: u64,
    /// When it was shown.
    at: RecordedAt,
    /// What is said above it.
    words: layout::Again,
}

impl Again {
    /// Whose eyes a page is drawn for.
    pub(super) fn reader<'a>(&'a self, viewer: &'a SignedIn) -> &'a SignedIn {
        self.reader.as_ref().unwrap_or(viewer)
    }

    /// When it was shown, in microseconds.
    pub(super) fn now(&self) -> i64 {
        self.at.0
    }

    /// What is said above it.
    pub(super) fn words(&self) -> layout::Again {
        self.words.clone()
    }
}

/// `GET /access/{position}/seen`
pub async fn get(
    Extension(api): Extension<Api>,
    asked: Asked,
    Path(position): Path<String>,
) -> Result<Response, Error> {
    let own = own_record(&asked.who);
    if own.is_none() {
        asked.must_oversee()?;
    }
    away(move || {
        let one = match own {
            Some(id) => of_oneself(&asked, &id, &position)?,
            // That somebody looked is for the eyes of who checks that; what they saw is for one's own.
            None => at(&asked.read_for(Purpose::Compliance)?, &position)?,
        };
        let (markup, mut given) = draw(&api, &asked, &one)?;
        given.leaf(one.leaf.position, &one.persons);
        let page = html(StatusCode::OK, asked.noticed(markup, &given));
        Ok(asked.gives(page, What::Seen, given))
    })
    .await
}

/// A leaf that tells of nobody but the person who asks.
fn of_oneself(asked: &Asked, id: &str, position: &str) -> Result<Disclosed, Error> {
    let one = at(asked, position)?;
    match one.persons == [asked.programme.ledger().person(id)] {
        true => Ok(one),
        false => Err(Error::new(
            ErrorKind::Forbidden,
            "What was shown there told of others, too, so it is not drawn again for you. The leaf's page lists what \
             of it was about you.",
        )),
    }
}

pub(super) fn draw(api: &Api, asked: &Asked, one: &Disclosed) -> Result<(Markup, Given), Error> {
    let Some(told) = &one.told else {
        return Err(Error::new(
            ErrorKind::Deleted,
            "What was shown cannot be drawn again: the key went with the person's record. The leaf \
             itself says who was shown something, when and what for.",
        ));
    };
    let mut then = then(asked, one, told)?;
    // What cannot be drawn because the whole of it was erased is shown by what is left of its versions.
    let drawn = left(redraw(api, &then, told))?;
    let (markup, given) = match drawn {
        Some(drawn) => drawn,
        None => by_versions(&then, told, None)?,
    };
    if listed(&given, one, told) {
        return Ok((markup, given));
    }
    // The page says itself that it differs, so it is drawn once more.
    let less = is_less(&given, one, told);
    if let Some(again) = &mut then.again {
        again.words.same = less;
        again.words.left_out = less;
    }
    match left(redraw(api, &then, told))? {
        Some(drawn) => Ok(drawn),
        None => by_versions(&then, told, None),
    }
}

/// The request as it was, of the record as it was, for who looks at it now.
fn then(asked: &Asked, one: &Disclosed, told: &Told) -> Result<Asked, Error> {
    let leaf = &one.leaf;
    let params = query::decode(told.address.split_once('?').map_or("", |(_, query)| query))?;
    let asked_at = params
        .iter()
        .find(|(name, _)| name == "_asof")
        .and_then(|(_, text)| match instant::as_of(text) {
            Ok(AsOf::Instant(at)) => Some(at),
            _ => None,
        });
    // The leaf came after the page was drawn.
    let shown_at = RecordedAt(leaf.recorded_at.0 - 1);
    let mut lookup = Lookup::new(asked);
    let path = told.address.split('?').next().unwrap_or("/");
    let usual = asked.reader.purpose();
    let role = asked.reader.who().role;
    let reader = asked
        .reader
        .for_purpose(permit::purpose::of(role, path, Some(usual)))?;
    Ok(Asked {
        programme: asked.programme.clone(),
        who: asked.who.clone(),
        view: asked
            .programme
            .view(AsOf::Seen(
                leaf.size,
                asked_at.unwrap_or(shown_at).min(shown_at),
            ))
            .seen_by(&reader),
        reader,
        path: path.to_owned(),
        address: told.address.clone(),
        params,
        again: Some(Again {
            reader: who_saw(asked, &leaf.actor),
            position: leaf.position,
            whole: told.whole.unwrap_or(leaf.size),
            at: shown_at,
            words: layout::Again {
                who: lookup.actor(&leaf.actor),
                purpose: purpose(&leaf.purpose),
                what: what_was_asked(leaf, Some(&told.address)),
                at: when::RecordedAt(leaf.recorded_at.0),
                position: leaf.position,
                same: true,
                left_out: false,
            },
        }),
    })
}

/// The user whom an actor's name stands for.
fn who_saw(asked: &Asked, actor: &str) -> Option<SignedIn> {
    let users = asked.programme.desk().users().ok()?;
    let is = |user: &desk::User| match actor.split_once('/') {
        Some(("Practitioner", id)) => user.practitioner.as_deref() == Some(id),
        Some(("Patient", id)) => user.patient.as_deref() == Some(id),
        Some(("user", id)) => user.id.to_string() == id,
        _ => false,
    };
    let user = users.into_iter().find(is)?;
    Some(SignedIn {
        user,
        session: None,
    })
}

/// Draws it again; nothing if it cannot be asked again.
fn redraw(api: &Api, then: &Asked, told: &Told) -> Result<Option<(Markup, Given)>, Error> {
    let segments = then
        .path
        .split('/')
        .skip(1)
        .map(query::decode_segment)
        .collect::<Result<Vec<_>, Error>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let drawn = match segments.as_slice() {
        ["caseload"] => caseload::draw(then, &caseload::Known::default())?,
        ["find"] => find::draw(then)?,
        ["record"] => record::draw(then)?,
        ["people", id] => person::draw(then, id)?,
        ["people", id, "timelines"] => timelines::draw(then, id)?,
        ["people", id, "access"] => access::draw_person(then, id)?,
        ["entries", position] => entry::draw(then, position)?,
        ["access"] => access::draw_everybody(then)?,
        ["access", position] => access::draw_leaf(then, position)?,
        ["fhir", _, ..] => return answer(api, then, told),
        _ => return Ok(None),
    };
    Ok(Some(drawn))
}

/// What a program was answered, as text; nothing if the request is not one that reads.
fn answer(api: &Api, then: &Asked, told: &Told) -> Result<Option<(Markup, Given)>, Error> {
    let Some(address) = told
        .address
        .strip_prefix("/fhir/")
        .filter(|address| !address.contains("$receipt"))
    else {
        return Ok(None);
    };
    let actor = Actor {
        name: "nobody".to_owned(),
        purpose: String::new(),
    };
    let mut ask = Ask::again(
        api,
        actor,
        &told.scope,
        AsOf::Seen(then.view.size(), then.moment_at()),
        &then.reader,
    )?;
    let Ok(answer) = ask.read_again(address) else {
        return Ok(None);
    };
    let (Content::Resource(json), Gives::Of(_, given, _)) = (answer.content, answer.gives) else {
        return Ok(None);
    };
    if told.versions.is_empty() && told.leaves.is_empty() && !given.versions().is_empty() {
        let words = "No version was given out whole: only that nothing had changed since the \
                     reader last asked, or that it is there.";
        return by_versions(then, told, Some(words)).map(Some);
    }
    let text = String::from_utf8_lossy(&pretty::indent(&json)).into_owned();
    let context = Context {
        shell: then.shell(),
        address: told.address.clone(),
        note: None,
        parts: vec![("The answer".to_owned(), text)],
        left_out: 0,
    };
    Ok(Some((page(&context), given)))
}

/// The versions that a leaf lists.
fn by_versions(then: &Asked, told: &Told, note: Option<&str>) -> Result<(Markup, Given), Error> {
    let mut given = Given::new();
    let mut parts = Vec::new();
    let mut erased = 0;
    for position in &told.versions {
        if parts.len() == SHOWN_MAX {
            break;
        }
        // A version that was written by the very request lies beyond the size that it began at.
        let view = then
            .programme
            .view(AsOf::Size(position + 1))
            .seen_by(&then.reader);
        let version = match view.at(*position) {
            Ok(Some(version)) => version,
            Ok(None) => continue,
            Err(error) if error.kind == ErrorKind::Erased => {
                erased += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        given.version(&version);
        let text = String::from_utf8_lossy(&pretty::indent(&version.served())).into_owned();
        let heading = format!(
            "Entry {position}: {}/{}, version {}",
            version.kind, version.id, version.version
        );
        parts.push((heading, text));
    }
    let note = note.unwrap_or(
        "What was asked cannot be asked again as it was. These are the versions that the answer \
         gave out.",
    );
    let mut note = note.to_owned();
    // Of more than are shown, the others were not looked at.
    let least = match parts.len() {
        SHOWN_MAX => "at least ",
        _ => "",
    };
    match erased {
        0 => {}
        1 => note.push_str(&format!(" Of them {least}one was erased since.")),
        many => note.push_str(&format!(" Of them {least}{many} were erased since.")),
    }
    let context = Context {
        shell: then.shell(),
        address: told.address.clone(),
        note: Some(note),
        left_out: (told.versions.len() - parts.len()) as u64,
        parts,
    };
    for person in &told.persons {
        given.person(*person);
    }
    Ok((page(&context), given))
}

/// Whether what is drawn gives out just what the leaf lists.
fn listed(given: &Given, one: &Disclosed, told: &Told) -> bool {
    let shown = told.versions.len().min(SHOWN_MAX);
    let versions = given.versions();
    (versions == told.versions || versions == told.versions[..shown])
        && given
            .persons()
            .iter()
            .all(|person| one.persons.contains(person))
}

/// Whether what is drawn gives out a part of what the leaf lists, and nothing else: who looks now may
/// see less than who looked then.
fn is_less(given: &Given, one: &Disclosed, told: &Told) -> bool {
    let all = |some: &[u64], of: &[u64]| some.iter().all(|one| of.binary_search(one).is_ok());
    all(&given.versions(), &told.versions)
        && all(&given.leaves(), &told.leaves)
        && given
            .persons()
            .iter()
            .all(|person| one.persons.contains(person))
}

impl Asked {
    /// The page that everything else stands in, for a page that is drawn again.
    pub(super) fn again_in(&self, shell: &mut Shell) {
        if let Some(again) = &self.again {
            shell.again = Some(again.words());
        }
    }
}
