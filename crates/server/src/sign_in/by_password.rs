//! Signing in with a name, a password and a one-time password, all three at once.
//!
//! One answer for everything that does not fit, whatever it is, and the same work for it: nobody
//! learns here who may sign in, or which of the three was right.

use desk::User;
use tokio::sync::Semaphore;

use super::throttle::Tries;
use super::{Visitor, one_time, password};
use crate::error::{Error, ErrorKind};
use crate::programme::Programme;

/// How many passwords are stretched at once: each takes 46 MiB and a core.
static STRETCHING: Semaphore = Semaphore::const_new(2);

/// How long anybody waits for that.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// After so many wrong one-time passwords with the right password its owner is told.
const TOLD_AFTER: u32 = 3;

/// What kind of thing the secret of one-time passwords is, where it is sealed.
pub const SEALED_KIND: &str = "one-time";

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// It is them.
    Is(User),
    /// Something does not fit.
    Wrong,
    /// Too many tries: seconds until the next is taken.
    Wait(i64),
}

/// Checks what was typed.
pub async fn check(
    programme: &Programme,
    visitor: &Visitor,
    name: &str,
    password: &str,
    code: &str,
) -> Result<Outcome, Error> {
    let turn = tokio::time::timeout(PATIENCE, STRETCHING.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Error::new(
            ErrorKind::Unavailable,
            "Too many people are signing in at this moment. Wait a minute and try again.",
        ));
    };
    let (programme, visitor) = (programme.clone(), visitor.clone());
    let typed = [name, password, code].map(|text| zeroize::Zeroizing::new(text.to_owned()));
    tokio::task::spawn_blocking(move || {
        let [name, password, code] = &typed;
        decide(&programme, &visitor, name, password, code)
    })
    .await
    .map_err(Error::internal)?
}

fn decide(
    programme: &Programme,
    visitor: &Visitor,
    name: &str,
    password: &str,
    code: &str,
) -> Result<Outcome, Error> {
    let (desk, now) = (programme.desk(), programme.clock().now().0);
    let user = desk.user_named(name.trim()).map_err(Error::desk)?;
    let user = user.filter(|user| !user.disabled);
    let tries = Tries::of(
        desk,
        name,
        user.as_ref(),
        &visitor.counted,
        visitor.device().as_deref(),
        now,
    )?;
    let wait = tries.wait(desk, now)?;
    if wait > 0 {
        tracing::warn!(account = account(&user), "a try to sign in came too soon");
        return Ok(Outcome::Wait(wait.div_euclid(1_000_000) + 1));
    }
    let kept = match &user {
        Some(user) => desk.password(user.id).map_err(Error::desk)?,
        None => None,
    };
    let fits = password::fits(password, kept.as_ref().map(|kept| kept.hash.as_str()))?;
    let secret = match (&user, &kept) {
        (Some(user), Some(kept)) => {
            let whose = whose(user);
            programme
                .sealer()
                .open(SEALED_KIND, &whose, &kept.secret)
                .map(Some)?
        }
        _ => None,
    };
    let nobodys = [0; one_time::SECRET];
    let step = one_time::step(
        secret.as_ref().map_or(&nobodys[..], |secret| secret),
        code,
        now,
    );
    let is_new = match (&user, step, fits) {
        (Some(user), Some(step), true) => desk.use_step(user.id, step).map_err(Error::desk)?,
        _ => false,
    };
    let account = account(&user);
    match user.filter(|_| is_new) {
        Some(user) => {
            tries.succeeded(desk)?;
            Ok(Outcome::Is(user))
        }
        None => {
            tracing::warn!(
                account,
                with_password = fits,
                "a try to sign in was refused"
            );
            let told = tries.failed(desk, fits, now)?;
            if fits && told == TOLD_AFTER {
                warn(programme, name, now)?;
            }
            Ok(Outcome::Wrong)
        }
    }
}

/// For the log: which account was tried, by number; what was typed is not for it.
fn account(user: &Option<User>) -> i64 {
    user.as_ref().map_or(0, |user| user.id)
}

/// Tells somebody that their password is known.
fn warn(programme: &Programme, name: &str, now: i64) -> Result<(), Error> {
    let desk = programme.desk();
    let Some(user) = desk.user_named(name.trim()).map_err(Error::desk)? else {
        return Ok(());
    };
    let words = "Somebody gave your password several times, with one-time codes that were wrong. If this was \
                 not you, your password is known to somebody: change it, and tell an officer of the programme.";
    desk.tell(user.id, words, now).map_err(Error::desk)
}

/// What a user's secrets are bound to.
pub fn whose(user: &User) -> String {
    format!("user/{}", user.id)
}
