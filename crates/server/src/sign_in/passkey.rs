//! WebAuthn's ceremonies: adding a passkey, signing in with one, showing again that it is them.
//!
//! The browser gets a challenge; what it must be answered with stays at the desk, sealed, bound to the
//! browser by a cookie, and is taken once. The authenticator must have verified its user, so a
//! passkey is two factors. No name is typed: the passkey says whose it is.

use desk::User;
use serde_json::Value as Json;
use webauthn_rs::prelude::{
    COSEKeyType, DiscoverableAuthentication, DiscoverableKey, ECDSACurve, EDDSACurve, Passkey,
    PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Url, Uuid, Webauthn, WebauthnBuilder,
};

use super::Visitor;
use crate::error::{Error, ErrorKind};
use crate::programme::Programme;
use crate::site::Site;

const SIGN_IN: &str = "passkey-sign-in";
const AGAIN: &str = "passkey-again";
const ADD: &str = "passkey-add";

/// What the browser is asked, and the cookie that binds the answer to it.
pub struct Asked {
    /// The options, as WebAuthn's JSON has them.
    pub options: Json,
    /// The `Set-Cookie` value.
    pub cookie: String,
}

fn refused(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "That passkey was not accepted. Try again, or sign in another way.",
    )
    .because(source)
}

fn too_late() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "That took too long, or was answered before. Reload the page and try again.",
    )
}

/// Where passkeys cannot be made, and what to do about it.
fn not_here() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "Passkeys need Homecoming to be reached by name over TLS, or at http://localhost. Whoever runs it \
         says where with --base.",
    )
}

fn webauthn(site: &Site, programme: &Programme) -> Result<Webauthn, Error> {
    if !site.takes_passkeys() {
        return Err(not_here());
    }
    let origin = Url::parse(&site.origin()).map_err(Error::internal)?;
    WebauthnBuilder::new(site.name(), &origin)
        .and_then(|builder| builder.rp_name(programme.name()).build())
        .map_err(Error::internal)
}

fn read<T: serde::de::DeserializeOwned>(answer: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(answer).map_err(|error| {
        Error::new(ErrorKind::Malformed, "That is no answer of a passkey.").because(error)
    })
}

/// Asks the browser to make a passkey for somebody.
pub fn begin_adding(programme: &Programme, user: &User, visitor: &Visitor) -> Result<Asked, Error> {
    let desk = programme.desk();
    let handle = desk
        .handle(user.id, &mut |bytes| programme.chance().fill(bytes))
        .map_err(Error::desk)?;
    let there = desk.passkeys(user.id).map_err(Error::desk)?;
    let there = there.into_iter().map(|one| one.id).collect();
    let (options, state) = webauthn(&visitor.site, programme)?
        .start_passkey_registration(
            Uuid::from_bytes(handle),
            &user.name,
            &user.name,
            Some(there),
        )
        .map_err(Error::internal)?;
    let mut options = serde_json::to_value(options).map_err(Error::internal)?;
    // The passkey itself must know whose it is, so that no name is typed to sign in with it.
    let selection = &mut options["publicKey"]["authenticatorSelection"];
    selection["residentKey"] = "required".into();
    selection["requireResidentKey"] = true.into();
    let kind = format!("{ADD} {}", user.id);
    let state = serde_json::to_vec(&state).map_err(Error::internal)?;
    let cookie = visitor.begin_ceremony(programme, &kind, &state)?;
    Ok(Asked { options, cookie })
}

/// Takes the passkey that the browser made; gives what it is recognised by.
pub fn add(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
    name: &str,
    answer: &[u8],
) -> Result<String, Error> {
    let kind = format!("{ADD} {}", user.id);
    let state = visitor
        .take_ceremony(programme, &kind)?
        .ok_or_else(too_late)?;
    let state: PasskeyRegistration = serde_json::from_slice(&state).map_err(Error::internal)?;
    let answer: RegisterPublicKeyCredential = read(answer)?;
    let passkey = webauthn(&visitor.site, programme)?
        .finish_passkey_registration(&answer, &state)
        .map_err(refused)?;
    let body = serde_json::to_string(&passkey).map_err(Error::internal)?;
    let id = passkey.cred_id().to_vec();
    let now = programme.clock().now().0;
    programme
        .desk()
        .add_passkey(user.id, &id, name, &body, now)
        .map_err(|error| match error {
            desk::Error::Taken { .. } => Error::new(
                ErrorKind::Conflict,
                "This passkey is set up here already. Sign in with it.",
            ),
            error => Error::desk(error),
        })?;
    Ok(fingerprint(&id, &body))
}

/// Asks the browser for any passkey of this site.
pub fn begin_sign_in(programme: &Programme, visitor: &Visitor) -> Result<Asked, Error> {
    let (options, state) = webauthn(&visitor.site, programme)?
        .start_discoverable_authentication()
        .map_err(Error::internal)?;
    let options = serde_json::to_value(options).map_err(Error::internal)?;
    let state = serde_json::to_vec(&state).map_err(Error::internal)?;
    let cookie = visitor.begin_ceremony(programme, SIGN_IN, &state)?;
    Ok(Asked { options, cookie })
}

/// Whose passkey answered.
pub fn sign_in(programme: &Programme, visitor: &Visitor, answer: &[u8]) -> Result<User, Error> {
    let state = visitor
        .take_ceremony(programme, SIGN_IN)?
        .ok_or_else(too_late)?;
    let state: DiscoverableAuthentication =
        serde_json::from_slice(&state).map_err(Error::internal)?;
    let answer: PublicKeyCredential = read(answer)?;
    let webauthn = webauthn(&visitor.site, programme)?;
    let (handle, id) = webauthn
        .identify_discoverable_authentication(&answer)
        .map_err(refused)?;
    let unknown = || {
        Error::new(
            ErrorKind::Forbidden,
            "That passkey is not known here any more. Sign in another way, or ask an officer for a code.",
        )
    };
    let desk = programme.desk();
    let user = desk
        .user_by_handle(handle.as_bytes())
        .map_err(Error::desk)?;
    let user = user.ok_or_else(unknown)?;
    let mut passkey = passkey_of(programme, &user, id)?.ok_or_else(unknown)?;
    let result = webauthn
        .finish_discoverable_authentication_v2(&answer, state, DiscoverableKey::from(&passkey))
        .map_err(refused)?;
    used(programme, &mut passkey, &result)?;
    Ok(user)
}

/// Asks somebody who is signed in for one of their passkeys.
pub fn begin_again(programme: &Programme, user: &User, visitor: &Visitor) -> Result<Asked, Error> {
    let desk = programme.desk();
    let passkeys = desk.passkeys(user.id).map_err(Error::desk)?;
    let passkeys: Vec<Passkey> = passkeys
        .iter()
        .filter_map(|one| serde_json::from_str(&one.body).ok())
        .collect();
    let (options, state) = webauthn(&visitor.site, programme)?
        .start_passkey_authentication(&passkeys)
        .map_err(|_| {
            Error::new(
                ErrorKind::Forbidden,
                "You have no passkey here. Use your password and a one-time code.",
            )
        })?;
    let options = serde_json::to_value(options).map_err(Error::internal)?;
    let state = serde_json::to_vec(&state).map_err(Error::internal)?;
    let kind = format!("{AGAIN} {}", user.id);
    let cookie = visitor.begin_ceremony(programme, &kind, &state)?;
    Ok(Asked { options, cookie })
}

/// Whether it is them again.
pub fn again(
    programme: &Programme,
    user: &User,
    visitor: &Visitor,
    answer: &[u8],
) -> Result<(), Error> {
    let kind = format!("{AGAIN} {}", user.id);
    let state = visitor
        .take_ceremony(programme, &kind)?
        .ok_or_else(too_late)?;
    let state: PasskeyAuthentication = serde_json::from_slice(&state).map_err(Error::internal)?;
    let answer: PublicKeyCredential = read(answer)?;
    let result = webauthn(&visitor.site, programme)?
        .finish_passkey_authentication(&answer, &state)
        .map_err(refused)?;
    let passkey = passkey_of(programme, user, result.cred_id())?;
    let mut passkey = passkey.ok_or_else(too_late)?;
    used(programme, &mut passkey, &result)
}

/// The public key of a passkey as the desk keeps it: COSE's number of the algorithm, and the key as
/// `evidence::signature` takes it. Nothing for keys that are not checked there.
pub fn public(body: &str) -> Option<(i64, Vec<u8>)> {
    let passkey: Passkey = serde_json::from_str(body).ok()?;
    match &passkey.get_public_key().key {
        COSEKeyType::EC_EC2(key) if key.curve == ECDSACurve::SECP256R1 => {
            Some((-7, [&[4][..], &key.x, &key.y].concat()))
        }
        COSEKeyType::EC_OKP(key) if key.curve == EDDSACurve::ED25519 => Some((-8, key.x.clone())),
        _ => None,
    }
}

/// What a passkey is recognised by wherever it is named: its public key's, or if that is of another kind
/// its own id's.
pub fn fingerprint(id: &[u8], body: &str) -> String {
    evidence::signature::fingerprint(&public(body).map_or_else(|| id.to_vec(), |(_, key)| key))
}

fn passkey_of(programme: &Programme, user: &User, id: &[u8]) -> Result<Option<Passkey>, Error> {
    let found = programme.desk().passkeys(user.id).map_err(Error::desk)?;
    let found = found.into_iter().find(|one| one.id == id);
    found
        .map(|one| serde_json::from_str(&one.body))
        .transpose()
        .map_err(Error::internal)
}

/// Keeps the counter; one that does not go up means that there are two of this passkey.
fn used(
    programme: &Programme,
    passkey: &mut Passkey,
    result: &webauthn_rs::prelude::AuthenticationResult,
) -> Result<(), Error> {
    passkey.update_credential(result);
    let body = serde_json::to_string(&passkey).map_err(Error::internal)?;
    let now = programme.clock().now().0;
    programme
        .desk()
        .passkey_used(result.cred_id(), &body, now)
        .map_err(Error::desk)
}
