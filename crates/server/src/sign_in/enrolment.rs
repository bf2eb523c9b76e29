//! Setting up how somebody will sign in, with a code that an officer gave them.
//!
//! The code is used up when it is entered. From then on there is half an hour to choose: a passkey, an
//! account at an organisation's provider, or a password with one-time passwords.

use desk::User;
use zeroize::Zeroizing;

use super::{Visitor, by_password, one_time, password};
use crate::chance::Chance;
use crate::error::Error;
use crate::programme::Programme;

/// A code is good for this long, in microseconds: a fortnight.
pub const CODE_MICROS: i64 = 14 * 24 * 3_600_000_000;

/// The first officer's, and what recovery gives, is good for this long: it is used at once or not at all.
pub const SHORT_CODE_MICROS: i64 = 24 * 3_600_000_000;

/// A new code: 100 random bits in four groups of five letters and digits.
pub fn new_code(chance: &Chance) -> String {
    let letters: String = (0..2).map(|_| chance.id()[..10].to_owned()).collect();
    [
        &letters[..5],
        &letters[5..10],
        &letters[10..15],
        &letters[15..],
    ]
    .join("-")
}

/// The kind of ceremony that keeps a secret between showing it and its first code.
const KIND: &str = "new-secret";

/// The secret that this browser is shown for an authenticator app: the one that it was shown before,
/// or a new one. Gives the cookie that keeps it.
pub fn secret(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
) -> Result<(Zeroizing<Vec<u8>>, String), Error> {
    let kind = format!("{KIND} {}", user.id);
    let secret = match visitor.take_ceremony(programme, &kind)? {
        Some(secret) => secret,
        None => one_time::draw(programme.chance()),
    };
    let cookie = visitor.begin_ceremony(programme, &kind, &secret)?;
    Ok((secret, cookie))
}

/// What came of choosing a password.
#[derive(Debug)]
pub enum Chosen {
    /// It is set, and so are one-time passwords.
    Set,
    /// It may not be, and why, as a sentence; with the cookie that keeps the secret for another try.
    Refused(&'static str, Option<String>),
}

/// Sets a password and one-time passwords, if all of it fits.
pub fn choose_password(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
    chosen: &str,
    again: &str,
    code: &str,
) -> Result<Chosen, Error> {
    let kind = format!("{KIND} {}", user.id);
    let Some(secret) = visitor.take_ceremony(programme, &kind)? else {
        return Ok(Chosen::Refused(
            "That took too long. Read the new secret into your authenticator app and try again.",
            None,
        ));
    };
    let now = programme.clock().now().0;
    let step = one_time::step(&secret, code, now);
    let refusal = match (password::refuse(chosen, &user.name), step) {
        (Some(why), _) => Some(why),
        (None, _) if chosen != again => {
            Some("The two passwords are not the same. Type both again.")
        }
        (None, None) => Some(
            "The one-time code is not the one that the app should show now. Check that the app has this \
             secret and that your device's clock is right.",
        ),
        (None, Some(_)) => None,
    };
    if let Some(why) = refusal {
        let cookie = visitor.begin_ceremony(programme, &kind, &secret)?;
        return Ok(Chosen::Refused(why, Some(cookie)));
    }
    let chance = programme.chance();
    let hash = password::hash(chosen, chance)?;
    let whose = by_password::whose(user);
    let sealed = programme
        .sealer()
        .seal(by_password::SEALED_KIND, &whose, &secret, chance);
    let step = step.unwrap_or_else(|| one_time::step_at(now));
    programme
        .desk()
        .set_password(user.id, &hash, &sealed, step, now)
        .map_err(Error::desk)?;
    Ok(Chosen::Set)
}
