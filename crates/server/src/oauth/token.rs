//! The token endpoint: codes, refresh tokens and signed assertions to access tokens.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::{AppGrant, Bound, NewGrant, Spent, User};
use serde_json::{Value as Json, json};

use super::{Form, Refused, answer, answers, client, issuer};
use crate::clients::{Proof, Registered};
use crate::error::Error;
use crate::fhir::scope::{Context, Extra, Scopes};
use crate::fhir::{Api, away};

const SECOND: i64 = 1_000_000;
/// How long the token of a program that acts for itself lives, in seconds.
const ITSELF_SECONDS: i64 = 300;
/// How long the token of an app that acts for a person lives, in seconds.
const PERSON_SECONDS: i64 = 900;
/// How long an app may go on while the person has left, in microseconds: 90 days.
pub const OFFLINE: i64 = 90 * 86_400 * SECOND;
/// The longest that an app may go on while the person stays signed in, in microseconds: a working day.
pub const ONLINE: i64 = 12 * 3_600 * SECOND;
/// How long a grant without a refresh token lasts: a code's life and a token's, in microseconds.
pub const ONCE: i64 = (60 + PERSON_SECONDS) * SECOND;

/// `POST /oauth/token`
pub async fn post(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&headers, body).await?;
    let kind = form.need("grant_type")?.to_owned();
    let client = client::of_request(&api, &headers, &form).await?;
    match kind.as_str() {
        "client_credentials" => for_itself(&api, &client, &form),
        "authorization_code" => of_code(&api, &headers, &client, &form).await,
        "refresh_token" => of_refresh(&api, &headers, &client, &form).await,
        _ => Err(Refused::new(
            "unsupported_grant_type",
            "`grant_type` is one of authorization_code, refresh_token and client_credentials.",
        )),
    }
}

/// A program that acts for itself (SMART backend services).
fn for_itself(api: &Api, client: &Registered, form: &Form) -> Result<Response, Refused> {
    if client.registration.proof != Proof::Key {
        return Err(Refused::new(
            "unauthorized_client",
            "Only a client that signs with a key of its own acts for itself.",
        ));
    }
    let (asked, _) = Scopes::read(form.need("scope")?);
    let granted = client
        .scopes
        .of_asked(&asked)
        .without_context(Context::Patient)
        .without_context(Context::User);
    let granted = EXTRAS_OF_PEOPLE
        .iter()
        .fold(granted, |scopes, extra| scopes.without(*extra));
    if granted.is_empty() {
        return Err(Refused::new(
            "invalid_scope",
            format!(
                "Nothing of what was asked for is registered for this client: it may `{}`.",
                client.scopes
            ),
        ));
    }
    let now = api.now();
    let scope = granted.to_string();
    let until = now + ITSELF_SECONDS * SECOND;
    let desk = api.programme().desk();
    let grant = desk
        .allow(
            &NewGrant {
                client: &client.name,
                user: None,
                scope: &scope,
                patient: None,
                session: None,
                online: false,
                authenticated_us: now,
                expires_us: until,
            },
            now,
        )
        .map_err(Error::desk)?;
    let token = desk
        .new_app_token(grant, "access", &scope, now, until, &mut |bytes| {
            api.programme().chance().fill(bytes)
        })
        .map_err(Error::desk)?;
    Ok(answer(
        StatusCode::OK,
        &json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": ITSELF_SECONDS,
            "scope": scope,
        }),
    ))
}

/// What only a person allows.
const EXTRAS_OF_PEOPLE: [Extra; 6] = [
    Extra::OpenId,
    Extra::FhirUser,
    Extra::Launch,
    Extra::LaunchPatient,
    Extra::Offline,
    Extra::Online,
];

async fn of_code(
    api: &Api,
    headers: &HeaderMap,
    client: &Registered,
    form: &Form,
) -> Result<Response, Refused> {
    let (code, redirect) = (form.need("code")?, form.need("redirect_uri")?);
    let verifier = form.need("code_verifier")?;
    let fits = |grant: &AppGrant, bound: &Bound| {
        grant.client.name == client.name
            && bound.redirect == redirect
            && answers(verifier, &bound.challenge)
    };
    let spent = api
        .programme()
        .desk()
        .spend_code(code, api.now(), &fits)
        .map_err(Error::desk)?;
    match spent {
        Spent::Good((grant, bound)) => {
            let (scope, nonce) = (&grant.scope, bound.nonce.as_deref());
            issue(api, headers, client, &grant, scope, nonce).await
        }
        Spent::Again => Err(Refused::grant(
            "This code was used before. Somebody else may have it, so everything that it led to has ended.",
        )),
        Spent::Unknown => Err(Refused::grant(
            "The code is not known, has ended, or does not go with this client, address and verifier.",
        )),
    }
}

async fn of_refresh(
    api: &Api,
    headers: &HeaderMap,
    client: &Registered,
    form: &Form,
) -> Result<Response, Refused> {
    let token = form.need("refresh_token")?;
    let (desk, now) = (api.programme().desk(), api.now());
    let unknown =
        || Refused::grant("The refresh token is not known, has ended, or is another client's.");
    // Less may be asked for, never more; what cannot be had does not use the token up.
    let mut scope = None;
    if let Some(asked) = form.get("scope") {
        let (asked, refused) = Scopes::read(asked);
        let known = desk.app_token(token, now).map_err(Error::desk)?;
        if let Some(known) = known.filter(|known| known.grant.client.name == client.name) {
            let granted = Scopes::parse(&known.grant.scope).map_err(Error::internal)?;
            if !refused.is_empty() || asked.is_empty() || !granted.cover(&asked) {
                return Err(Refused::new(
                    "invalid_scope",
                    format!("More was asked for than was allowed, which is `{granted}`."),
                ));
            }
            scope = Some(asked.to_string());
        }
    }
    let spent = desk
        .spend_refresh(token, now, &|known| known.grant.client.name == client.name)
        .map_err(Error::desk)?;
    let spent = match spent {
        Spent::Good(spent) => spent,
        Spent::Again => {
            return Err(Refused::grant(
                "This refresh token was used before. Somebody else may have it, so everything that it led to has \
                 ended: ask the person again.",
            ));
        }
        Spent::Unknown => return Err(unknown()),
    };
    let grant = &spent.grant;
    let granted = Scopes::parse(&grant.scope).map_err(Error::internal)?;
    if !goes_on(client, &granted) {
        desk.end_grant(grant.id, None).map_err(Error::desk)?;
        return Err(Refused::grant(
            "This client is no longer registered to go on without asking the person.",
        ));
    }
    let scope = scope.as_deref().unwrap_or(&grant.scope);
    issue(api, headers, client, grant, scope, None).await
}

/// Whether what was allowed goes on when its access token ends, as far as the client is still registered for that.
fn goes_on(client: &Registered, granted: &Scopes) -> bool {
    let how = match granted.has(Extra::Offline) {
        true => Extra::Offline,
        false => Extra::Online,
    };
    granted.has(how) && client.scopes.has(how)
}

/// What a grant is worth: an access token, and whatever else its scope asks for.
async fn issue(
    api: &Api,
    headers: &HeaderMap,
    client: &Registered,
    grant: &AppGrant,
    scope: &str,
    nonce: Option<&str>,
) -> Result<Response, Refused> {
    let (programme, now) = (api.programme(), api.now());
    let desk = programme.desk();
    let mut chance = |bytes: &mut [u8]| programme.chance().fill(bytes);
    // What was taken out of the registration since is no longer given.
    let scopes = client
        .scopes
        .of_asked(&Scopes::parse(scope).map_err(Error::internal)?);
    let granted = Scopes::parse(&grant.scope).map_err(Error::internal)?;
    let until = grant.expires_us.min(now + PERSON_SECONDS * SECOND);
    let access = desk
        .new_app_token(
            grant.id,
            "access",
            &scopes.to_string(),
            now,
            until,
            &mut chance,
        )
        .map_err(Error::desk)?;
    let mut said = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": (until - now) / SECOND,
        "scope": scopes.to_string(),
    });
    launch_context(grant, &mut said);
    if goes_on(client, &granted) {
        let refresh = desk
            .new_app_token(
                grant.id,
                "refresh",
                &grant.scope,
                now,
                grant.expires_us,
                &mut chance,
            )
            .map_err(Error::desk)?;
        said["refresh_token"] = json!(refresh);
    }
    if scopes.has(Extra::OpenId)
        && let Some(user) = grant.user
        && let Some(user) = desk.user(user).map_err(Error::desk)?
    {
        let own = issuer(api, headers)?;
        let mut claims = json!({
            "iss": own,
            "sub": format!("user/{}", user.id),
            "aud": client.name,
            "iat": now / SECOND,
            "exp": until / SECOND,
            "auth_time": grant.authenticated_us / SECOND,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        if scopes.has(Extra::FhirUser)
            && let Some(is) = fhir_user(&user)
        {
            claims["fhirUser"] = json!(format!("{own}/fhir/{is}"));
        }
        let api = api.clone();
        let sign = move || api.smart().signing.sign(api.programme(), now, &claims);
        said["id_token"] = json!(away(sign).await?);
    }
    Ok(answer(StatusCode::OK, &said))
}

/// Says on whom an app was started: with its token, and wherever it is asked what that stands for.
pub fn launch_context(grant: &AppGrant, said: &mut Json) {
    if let Some(patient) = &grant.patient {
        said["patient"] = json!(patient);
        said["need_patient_banner"] = json!(true);
    }
}

/// The resource that a user is.
pub fn fhir_user(user: &User) -> Option<String> {
    match (&user.practitioner, &user.patient) {
        (Some(id), _) => Some(format!("Practitioner/{id}")),
        (None, Some(id)) => Some(format!("Patient/{id}")),
        (None, None) => None,
    }
}
