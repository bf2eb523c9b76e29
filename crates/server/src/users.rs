//! Who may sign in, changed and on the record.
//!
//! Each change is a Basic with a code of `urn:homecoming:governance` and a sentence, sealed under the
//! programme's key; a participant's is in their chain. The line names the actor and nobody else. The
//! change and the entry that the record is owed about it are one transaction of the desk; the entry
//! follows at once, or when the server runs again ([`settle`]).

use desk::{NewUser, Owed, User};
use evidence::erasure::GOVERNANCE;
use ledger::Expect;
use serde_json::json;

use crate::error::{Error, ErrorKind};
use crate::programme::{Actor, Draft, Programme, RecordedAt, Work};
use crate::sign_in::enrolment::{CODE_MICROS, SHORT_CODE_MICROS, new_code};
use crate::sign_in::{ROLES, actor_name};

/// What users' resources are identified by.
pub const USER: &str = "urn:homecoming:user";

/// What a passkey is recognised by in the record and in signatures.
pub const PASSKEY: &str = "urn:homecoming:passkey";

/// A way to sign in.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// A passkey, by what it is recognised by.
    Passkey(&'a str),
    /// A password with one-time passwords.
    Password,
    /// An account at an organisation.
    Provider(&'a str),
}

impl Way<'_> {
    /// "A passkey".
    pub fn words(&self) -> String {
        match self {
            Way::Passkey(_) => "A passkey".to_owned(),
            Way::Password => "A password with one-time codes".to_owned(),
            Way::Provider(name) => format!("An account at {name}"),
        }
    }
}

/// What happened to a user.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// They were added.
    Added,
    /// They have another role, or another place.
    Changed,
    /// They cannot sign in any more.
    Disabled,
    /// They can again.
    Enabled,
    /// They got a code to enrol with.
    CodeGiven,
    /// They set up a way in.
    WayAdded(Way<'a>),
    /// They took one away.
    WayRemoved(Way<'a>),
    /// An officer asks that they get a new way in, and why.
    RecoveryAsked(&'a str),
    /// Another officer refused it.
    RecoveryRefused,
    /// Another officer approved it, who asked being named.
    RecoveryApproved(&'a str),
}

impl Event<'_> {
    /// Its code in [`GOVERNANCE`].
    pub fn code(&self) -> &'static str {
        match self {
            Event::Added => "user-added",
            Event::Changed => "user-changed",
            Event::Disabled => "user-disabled",
            Event::Enabled => "user-enabled",
            Event::CodeGiven => "user-code-given",
            Event::WayAdded(_) => "user-way-added",
            Event::WayRemoved(_) => "user-way-removed",
            Event::RecoveryAsked(_) => "user-recovery-asked",
            Event::RecoveryRefused => "user-recovery-refused",
            Event::RecoveryApproved(_) => "user-recovery-approved",
        }
    }

    fn sentence(&self, user: &User) -> String {
        let who = format!("{} (user/{})", user.name, user.id);
        let mut stands = format!(" as {}", user.role);
        if user.practitioner.is_some() || user.patient.is_some() {
            stands += &format!(", acting as {}", actor_name(user));
        }
        if let Some(organisation) = &user.organisation {
            stands += &format!(", of {organisation}");
        }
        if let Some(supervisor) = user.supervisor {
            stands += &format!(", answering to user/{supervisor}");
        }
        match self {
            Event::Added => format!("{who} was added{stands}."),
            Event::Changed => format!("{who} now stands{stands}."),
            Event::Disabled => format!("{who} can no longer sign in."),
            Event::Enabled => format!("{who} can sign in again."),
            Event::CodeGiven => format!("{who} was given a code to enrol with."),
            Event::WayAdded(way) => format!(
                "{} was added for {who}{stands} to sign in with.",
                way.words()
            ),
            Event::WayRemoved(way) => format!("{} of {who} was removed.", way.words()),
            Event::RecoveryAsked(why) => {
                format!("A new way to sign in is asked for, for {who}. Why: {why}")
            }
            Event::RecoveryRefused => format!("A new way to sign in for {who} was refused."),
            Event::RecoveryApproved(asker) => format!(
                "A new way to sign in for {who}, asked for by {asker}, was approved: what they signed in \
                 with before is gone."
            ),
        }
    }
}

/// Where a programme's changes of users come from: its clock and its chance.
pub struct Hand<'a> {
    /// Microseconds since the Unix epoch.
    pub now_us: i64,
    /// Randomness.
    pub chance: &'a crate::chance::Chance,
}

impl<'a> Hand<'a> {
    fn of(programme: &'a Programme) -> Hand<'a> {
        Hand {
            now_us: programme.clock().now().0,
            chance: programme.chance(),
        }
    }

    /// The entry that the record is owed about something that happened to a user.
    pub fn owed(&self, user: &User, event: &Event<'_>, actor: &str) -> Owed {
        let id = self.chance.id();
        let mut identifiers = vec![json!({ "system": USER, "value": format!("user/{}", user.id) })];
        if let Event::WayAdded(Way::Passkey(key)) | Event::WayRemoved(Way::Passkey(key)) = event {
            identifiers.push(json!({ "system": PASSKEY, "value": key }));
        }
        let mut body = json!({
            "resourceType": "Basic",
            "id": id,
            "identifier": identifiers,
            "code": {
                "coding": [{ "system": GOVERNANCE, "code": event.code() }],
                "text": event.sentence(user),
            },
        });
        if let Some(patient) = &user.patient {
            body["subject"] = json!({ "reference": format!("Patient/{patient}") });
        }
        body["created"] = json!(RecordedAt(self.now_us).to_string()[..10]);
        Owed {
            id,
            actor: actor.to_owned(),
            person: user.patient.clone(),
            body: body.to_string(),
            created_us: self.now_us,
        }
    }
}

impl Hand<'_> {
    /// The entry that the record is owed about an organisation's provider.
    pub fn owed_of_provider(&self, name: &str, issuer: &str, added: bool, actor: &str) -> Owed {
        let id = self.chance.id();
        let (code, words) = match added {
            true => (
                "provider-added",
                "can be linked to users, who then sign in with them",
            ),
            false => ("provider-removed", "open nothing any more"),
        };
        let body = json!({
            "resourceType": "Basic",
            "id": id,
            "code": {
                "coding": [{ "system": GOVERNANCE, "code": code }],
                "text": format!("Accounts at {name} ({issuer}) {words}."),
            },
            "created": RecordedAt(self.now_us).to_string()[..10],
        });
        Owed {
            id,
            actor: actor.to_owned(),
            person: None,
            body: body.to_string(),
            created_us: self.now_us,
        }
    }
}

/// Puts on the record what the desk owes it.
pub async fn settle(programme: &Programme) -> Result<(), Error> {
    for owed in programme.desk().owed().map_err(Error::desk)? {
        tracing::info!(entry = owed.id, actor = owed.actor, "users were changed");
        let draft = Draft::governance(
            "Basic",
            &owed.id,
            Expect::Absent,
            owed.body.into_bytes(),
            owed.person.as_deref(),
        )?;
        let purpose = match owed.actor.as_str() {
            "operator" => "HSYSADMIN",
            _ => "HOPERAT",
        };
        let actor = Actor {
            name: owed.actor,
            purpose: purpose.to_owned(),
        };
        match programme.submit(actor, Work::Ready(vec![draft])).await {
            Ok(_) => {}
            // It is there: whoever wrote it was stopped before saying so.
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::Stale) => {}
            Err(error) => return Err(error),
        }
        programme.desk().settled(&owed.id).map_err(Error::desk)?;
    }
    Ok(())
}

/// Puts something on the record that changed nothing but what the desk keeps of credentials.
pub async fn note(
    programme: &Programme,
    user: &User,
    event: &Event<'_>,
    actor: &str,
) -> Result<(), Error> {
    let owed = Hand::of(programme).owed(user, event, actor);
    programme.desk().owe(&owed).map_err(Error::desk)?;
    settle(programme).await
}

/// Adds somebody who enrols with a code: their id and the code. Of the first officer, whom nobody added,
/// the record begins to speak when they enrol.
pub fn add(
    desk: &desk::Desk,
    hand: &Hand<'_>,
    new: &NewUser<'_>,
    actor: &str,
    first: bool,
) -> Result<(i64, String), Error> {
    let id = add_only(desk, hand, new, actor, first)?;
    let code = new_code(hand.chance);
    let lasts = if first {
        SHORT_CODE_MICROS
    } else {
        CODE_MICROS
    };
    desk.give_code(id, &code, hand.now_us, hand.now_us + lasts, None)
        .map_err(told)?;
    Ok((id, code))
}

/// Adds somebody without a code.
fn add_only(
    desk: &desk::Desk,
    hand: &Hand<'_>,
    new: &NewUser<'_>,
    actor: &str,
    first: bool,
) -> Result<i64, Error> {
    check(desk, new)?;
    let owed = |id| {
        let user = User {
            id,
            name: new.name.to_owned(),
            role: new.role.to_owned(),
            practitioner: new.practitioner.map(str::to_owned),
            patient: new.patient.map(str::to_owned),
            organisation: new.organisation.map(str::to_owned),
            supervisor: new.supervisor,
            disabled: false,
            created_us: hand.now_us,
        };
        (!first).then(|| hand.owed(&user, &Event::Added, actor))
    };
    desk.add_user(new, hand.now_us, owed).map_err(told)
}

/// Whether only an officer gives somebody this role, lets them in or takes them out of it: every role that
/// reads or governs what is recorded about people. The administrator sees to the others.
pub fn is_officers_to_give(role: &str) -> bool {
    !matches!(role, "sponsor" | "administrator")
}

/// Whether two officers must see to it that somebody can sign in: officers do together what one may not do
/// alone, and whoever acts as somebody did who was here before signs in their name. `but`: their number,
/// if they are there already.
pub fn needs_two(desk: &desk::Desk, new: &NewUser<'_>, but: Option<i64>) -> Result<bool, Error> {
    if new.role == "officer" {
        return Ok(true);
    }
    let same =
        |theirs: &Option<String>, own: Option<&str>| own.is_some() && theirs.as_deref() == own;
    let all = desk.users().map_err(Error::desk)?;
    Ok(all.iter().any(|user| {
        Some(user.id) != but
            && (same(&user.practitioner, new.practitioner) || same(&user.patient, new.patient))
    }))
}

/// Adds somebody on one officer's word, who gets their code when another one approves it: their id.
pub fn add_waiting(
    desk: &desk::Desk,
    hand: &Hand<'_>,
    new: &NewUser<'_>,
    officer: &User,
) -> Result<i64, Error> {
    const WHY: &str = "A new account, which two officers see to.";
    let actor = actor_name(officer);
    let id = add_only(desk, hand, new, &actor, false)?;
    let user = desk.user(id).map_err(Error::desk)?;
    let user = user.ok_or_else(|| Error::internal("a user who was just added is not there"))?;
    let owed = hand.owed(&user, &Event::RecoveryAsked(WHY), &actor);
    desk.ask_recovery(id, WHY, officer.id, hand.now_us, Some(&owed))
        .map_err(told)?;
    Ok(id)
}

/// Refuses what does not go together.
pub fn check(desk: &desk::Desk, new: &NewUser<'_>) -> Result<(), Error> {
    let refused = |words: &str| Err(Error::new(ErrorKind::Refused, words));
    if !ROLES.contains(&new.role) {
        return refused("There is no such role. Choose one of the list.");
    }
    if (new.role == "participant") != new.patient.is_some() {
        return refused(
            "A participant, and nobody else, is somebody's Patient: give its id with the role \
             participant, and leave it empty for any other.",
        );
    }
    if new.patient.is_some() && new.practitioner.is_some() {
        return refused("Somebody is a participant or a practitioner, not both in one account.");
    }
    if let Some(supervisor) = new.supervisor {
        let found = desk.user(supervisor).map_err(Error::desk)?;
        if found.is_none_or(|user| user.role != "supervisor") {
            return refused("Whom somebody answers to must be a supervisor of this programme.");
        }
    }
    Ok(())
}

/// Gives somebody another code, who has no way in yet.
pub fn give_code(
    desk: &desk::Desk,
    hand: &Hand<'_>,
    user: &User,
    actor: &str,
) -> Result<String, Error> {
    let code = new_code(hand.chance);
    let owed = hand.owed(user, &Event::CodeGiven, actor);
    let until = hand.now_us + CODE_MICROS;
    desk.give_code(user.id, &code, hand.now_us, until, Some(&owed))
        .map_err(told)?;
    Ok(code)
}

/// Approves a recovery: the code that the person enrols with.
pub fn approve_recovery(
    programme: &Programme,
    recovery: &desk::Recovery,
    user: &User,
    officer: &User,
) -> Result<String, Error> {
    if recovery.asked_by == officer.id {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "You asked for this; another officer must approve it.",
        ));
    }
    if user.id == officer.id {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "This is about yourself; two other officers must see to it.",
        ));
    }
    let hand = Hand::of(programme);
    let (desk, code) = (programme.desk(), new_code(hand.chance));
    let asker = format!("user/{}", recovery.asked_by);
    let owed = hand.owed(user, &Event::RecoveryApproved(&asker), &actor_name(officer));
    let asker_name = desk.user(recovery.asked_by).map_err(Error::desk)?;
    let before = match desk.ways_in(user.id).map_err(Error::desk)? {
        0 => "",
        _ => "; what you signed in with before was taken away",
    };
    let notice = format!(
        "You were given a new way to sign in. {} asked for it and {} approved it{before}. If you did not want this, tell an officer of the programme and somebody \
         outside of it.",
        asker_name.map_or(asker, |user| user.name),
        officer.name
    );
    desk.approve_recovery(
        recovery.id,
        officer.id,
        &code,
        hand.now_us,
        hand.now_us + SHORT_CODE_MICROS,
        &notice,
        Some(&owed),
    )
    .map_err(told)?;
    Ok(code)
}

/// What the desk refuses, in its own words where they are for people.
pub fn told(error: desk::Error) -> Error {
    use desk::Error as Refused;
    let kind = match error {
        Refused::Exists { .. } | Refused::Taken { .. } => ErrorKind::Conflict,
        Refused::Unknown { .. } => ErrorKind::NotFound,
        Refused::Name { .. } | Refused::NotNow(_) => ErrorKind::Refused,
        _ => return Error::desk(error),
    };
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let sentence: String = first.into_iter().chain(letters).chain(['.']).collect();
    Error::new(kind, sentence)
}
