//! Apps that people start: the code flow from the app's side and the person's, and every way round it that we know.

use super::*;
use crate::served::{Folder, get};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "https://app.example/back";

/// Signs in with a demo's code; the cookie.
pub fn sign_in(served: &Served, code: &str) -> String {
    let answer = agent()
        .post(served.url("/sign-in"))
        .send_form([("code", code)])
        .expect("the server answers");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

/// Registers an app that people start, on the record at once.
pub fn register(served: &Served, data: &str, name: &str, scope: &str, more: &[&str]) {
    let mut words = vec![
        "client",
        "add",
        name,
        "--data",
        data,
        "--scope",
        scope,
        "--redirect",
        BACK,
        "--proof",
        "public",
    ];
    words.extend(more);
    homecoming_done(&words);
    settled(served, name);
}

/// The record has a client as it is once somebody asks for a token.
pub fn settled(served: &Served, name: &str) {
    let nothing = [
        ("grant_type", "authorization_code"),
        ("client_id", name),
        ("code", "x"),
    ];
    let _ = form(&served.url("/oauth/token"), &nothing, &[]);
}

/// The whole way of an app through a browser that is signed in, which allows all that it asks for; what it gets, or where
/// the browser is sent instead.
pub fn through(
    served: &Served,
    cookie: &str,
    client: &str,
    scope: &str,
    person: &str,
) -> Result<Json, String> {
    let aud = served.url("/fhir");
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", BACK),
        ("scope", scope),
        ("state", "s-1"),
        ("aud", &aud),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("person", person),
        ("decision", "allow"),
    ];
    fields.extend(scope.split(' ').map(|word| ("keep", word)));
    let mut answer = agent()
        .post(served.url("/oauth/authorize"))
        .header("Cookie", cookie)
        .send_form(fields)
        .expect("the server answers");
    let to = location(&answer);
    let code = part(&to, "code");
    if code.is_empty() {
        let page = answer.body_mut().read_to_string().unwrap_or_default();
        return Err(format!("{} {to} {page}", answer.status()));
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("redirect_uri", BACK),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let (status, said) = form(&served.url("/oauth/token"), &fields, &[]);
    match status {
        200 => Ok(said),
        _ => Err(format!("{status} {said}")),
    }
}

/// A demo with apps registered, and a person of the first caseworker's.
pub(super) struct World {
    pub(super) served: Served,
    pub(super) data: String,
    pub(super) caseworker: String,
    pub(super) person: String,
    other: String,
    secret: String,
    _folder: Folder,
}

const SCOPE: &str =
    "launch launch/patient patient/*.cruds user/*.rs openid fhirUser offline_access online_access";

impl World {
    pub(super) fn new(name: &str) -> World {
        let folder = Folder::new(name);
        let data = folder.join("demo");
        let served = Served::demo(&data);
        let add = |name: &str, more: &[&str]| {
            let mut words = vec![
                "client",
                "add",
                name,
                "--data",
                &data,
                "--scope",
                SCOPE,
                "--redirect",
                BACK,
            ];
            words.extend(more);
            homecoming_done(&words)
        };
        add(
            "chart",
            &[
                "--proof",
                "public",
                "--launch",
                "https://app.example/launch",
            ],
        );
        add("other", &["--proof", "public"]);
        let secret = add("desk", &["--proof", "secret"]);
        let secret = secret.lines().last().expect("a secret").to_owned();
        let caseworker = sign_in(&served, "demo-caseworker-1");
        for client in ["chart", "other"] {
            settled(&served, client);
        }
        let (_, caseload) = page(&served, &caseworker, "/caseload");
        let mut people = caseload.split("href=\"/people/").skip(1).map(|part| {
            part.split(['"', '?', '/'])
                .next()
                .expect("an id")
                .to_owned()
        });
        let person = people.next().expect("a person");
        let other = people.find(|id| *id != person).expect("another");
        World {
            served,
            data,
            caseworker,
            person,
            other,
            secret,
            _folder: folder,
        }
    }

    /// What an app asks; with other values, or without some (empty).
    fn request<'r>(&'r self, change: &[(&'r str, &'r str)]) -> Vec<(&'r str, String)> {
        let mut all = vec![
            ("response_type", "code".to_owned()),
            ("client_id", "chart".to_owned()),
            ("redirect_uri", BACK.to_owned()),
            ("scope", "launch/patient patient/*.rs".to_owned()),
            ("state", "s-1".to_owned()),
            ("aud", self.served.url("/fhir")),
            ("code_challenge", CHALLENGE.to_owned()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        for (name, value) in change {
            all.retain(|(known, _)| known != name);
            if !value.is_empty() {
                all.push((name, (*value).to_owned()));
            }
        }
        all
    }

    /// Asks with a browser that is signed in; status, `Location`, page.
    fn ask(&self, request: &[(&str, String)]) -> (u16, String, String) {
        let pairs = request.iter().map(|(name, value)| (*name, value.as_str()));
        let address = format!("/oauth/authorize?{}", server::fhir::query::encode(pairs));
        let mut answer = agent()
            .get(self.served.url(&address))
            .header("Cookie", &self.caseworker)
            .call()
            .expect("the server answers");
        (
            answer.status().as_u16(),
            location(&answer),
            answer.body_mut().read_to_string().unwrap_or_default(),
        )
    }

    /// Decides; where the browser is sent.
    fn decide(&self, request: &[(&str, String)], kept: &[&str], decision: &str) -> (u16, String) {
        let mut fields: Vec<(&str, &str)> = request
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        fields.extend(kept.iter().map(|scope| ("keep", *scope)));
        fields.push(("decision", decision));
        let answer = agent()
            .post(self.served.url("/oauth/authorize"))
            .header("Cookie", &self.caseworker)
            .send_form(fields)
            .expect("the server answers");
        (answer.status().as_u16(), location(&answer))
    }

    /// The whole way to a code.
    fn code(&self, change: &[(&str, &str)], kept: &[&str]) -> String {
        let mut change = change.to_vec();
        if !change.iter().any(|(name, _)| *name == "person") {
            change.push(("person", &self.person));
        }
        let (status, to) = self.decide(&self.request(&change), kept, "allow");
        assert_eq!(status, 303, "{to}");
        assert!(to.starts_with(BACK), "{to}");
        part(&to, "code")
    }

    /// A code for a token.
    fn redeem(&self, code: &str, change: &[(&str, &str)]) -> (u16, Json) {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "chart"),
            ("redirect_uri", BACK),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in change {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        form(&self.served.url("/oauth/token"), &fields, &[])
    }

    pub(super) fn refresh(&self, token: &str, scope: Option<&str>) -> (u16, Json) {
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("client_id", "chart"),
            ("refresh_token", token),
        ];
        fields.extend(scope.map(|scope| ("scope", scope)));
        form(&self.served.url("/oauth/token"), &fields, &[])
    }

    pub(super) fn read(&self, path: &str, token: &str) -> u16 {
        get(&self.served.url(path), Some(token)).0
    }
}

pub(super) fn page(served: &Served, cookie: &str, path: &str) -> (u16, String) {
    let mut answer = agent()
        .get(served.url(path))
        .header("Cookie", cookie)
        .call()
        .expect("the server answers");
    (
        answer.status().as_u16(),
        answer.body_mut().read_to_string().unwrap_or_default(),
    )
}

pub(super) fn location<B>(answer: &ureq::http::Response<B>) -> String {
    let at = answer.headers().get("location");
    at.map(|at| at.to_str().expect("text").to_owned())
        .unwrap_or_default()
}

/// A parameter of an address.
fn part(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap_or((address, ""));
    let pairs = server::fhir::query::decode(query).expect("a query");
    let found = pairs.into_iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value).unwrap_or_default()
}

/// What an id_token claims, for an app that knows the server's address alone and OpenID Connect.
fn id_token(served: &Served, client: &str, token: &str) -> Result<Json, String> {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    let json = |url: &str| -> Json {
        let (status, body) = get(url, None);
        assert_eq!(status, 200, "{url}: {body}");
        serde_json::from_str(&body).expect("JSON")
    };
    let found = json(&served.url("/.well-known/openid-configuration"));
    let keys = json(text(&found, "jwks_uri"));
    let head = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
    let named = |key: &&Json| key["kid"].as_str() == head.kid.as_deref();
    let key = keys["keys"]
        .as_array()
        .and_then(|all| all.iter().find(named));
    let key = key.ok_or_else(|| format!("{:?} is not in {keys}", head.kid))?;
    let key = DecodingKey::from_rsa_components(text(key, "n"), text(key, "e")).expect("a key");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[client]);
    rules.set_issuer(&[text(&found, "issuer")]);
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    let claims = jsonwebtoken::decode::<Json>(token, &key, &rules);
    claims
        .map(|token| token.claims)
        .map_err(|error| error.to_string())
}

#[test]
fn an_app_gets_what_the_person_allows_and_no_more() {
    let world = World::new("smart-app");
    let whole = "launch/patient patient/*.rs patient/Observation.cruds system/*.rs log.read openid fhirUser";
    let request = world.request(&[("scope", whole), ("nonce", "n-1")]);
    let (status, _, page) = world.ask(&request);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Choose a person for an app"), "{page}");
    let person = world.person.clone();
    let request = world.request(&[("scope", whole), ("nonce", "n-1"), ("person", &person)]);
    let (status, _, page) = world.ask(&request);
    assert_eq!(status, 200);
    for words in [
        "See everything in the record of this one person",
        "patient/Observation.cruds",
        "Learn that it is you",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert!(
        !page.contains("value=\"system/"),
        "what no person may allow is not asked"
    );
    // The person takes writing away.
    let (status, to) = world.decide(&request, &["patient/*.rs", "openid", "fhirUser"], "allow");
    assert_eq!(status, 303);
    assert_eq!(part(&to, "state"), "s-1");
    assert_eq!(
        part(&to, "iss"),
        world.served.url(""),
        "mix-up: who answers is said"
    );
    let (status, said) = world.redeem(&part(&to, "code"), &[]);
    assert_eq!(status, 200, "{said}");
    let scope = text(&said, "scope");
    assert!(
        scope.contains("patient/*.rs") && !scope.contains("cruds"),
        "{scope}"
    );
    assert_eq!(said["patient"], person);
    assert!(said["refresh_token"].is_null(), "it was not asked for");
    let token = text(&said, "access_token");
    assert_eq!(world.read(&format!("/fhir/Patient/{person}"), token), 200);
    assert_eq!(
        world.read(&format!("/fhir/Patient/{}", world.other), token),
        404,
        "another person, whom its user may see"
    );
    let found = get(&world.served.url("/fhir/Patient"), Some(token)).1;
    assert!(
        found.contains(&person) && !found.contains(&world.other),
        "{found}"
    );
    let written = agent()
        .post(world.served.url("/fhir/Observation"))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{person}"}}}}"#))
        .expect("the server answers");
    assert_eq!(written.status().as_u16(), 403, "what was taken away");

    // The id_token is ours, about whoever signed in, for this app and this time.
    let id = text(&said, "id_token");
    let claims = id_token(&world.served, "chart", id).expect("it is ours");
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["aud"], "chart");
    assert!(text(&claims, "fhirUser").contains("/fhir/Practitioner/"));
    let (head, rest) = id.split_once('.').expect("three parts");
    let changed = rest.replacen(
        &rest[20..21],
        if &rest[20..21] == "A" { "B" } else { "A" },
        1,
    );
    assert!(id_token(&world.served, "chart", &format!("{head}.{changed}")).is_err());
    assert!(
        id_token(&world.served, "other", id).is_err(),
        "another app's"
    );

    // It is on the record, in the person's chain, and the person who allowed it ends it.
    let (_, mine) = self::page(&world.served, &world.caseworker, "/apps/mine");
    let at = mine.find("action=\"/apps/mine/").expect("it is listed") + 8;
    let end = mine[at..].split('"').next().expect("an address");
    let ended = agent()
        .post(world.served.url(end))
        .header("Cookie", &world.caseworker)
        .send_empty()
        .expect("the server answers");
    assert_eq!(ended.status().as_u16(), 303);
    assert_eq!(
        world.read(&format!("/fhir/Patient/{person}"), token),
        401,
        "at once"
    );
}

#[test]
fn a_request_that_is_not_in_order_leads_nowhere_else() {
    let world = World::new("smart-requests");
    // Told here: nobody is sent to an address that is not registered.
    for (what, change) in [
        ("an unknown app", [("client_id", "nobody")]),
        ("an app for itself", [("client_id", "demo")]),
        (
            "another address",
            [("redirect_uri", "https://evil.example/")],
        ),
        (
            "a longer address",
            [("redirect_uri", "https://app.example/back/")],
        ),
        (
            "a query at the address",
            [("redirect_uri", "https://app.example/back?x=y")],
        ),
        (
            "another case",
            [("redirect_uri", "https://app.example/BACK")],
        ),
        (
            "a user in the address",
            [("redirect_uri", "https://app.example@evil.example/back")],
        ),
        (
            "a path up",
            [("redirect_uri", "https://app.example/back/../evil")],
        ),
        (
            "a header in the address",
            [("redirect_uri", "https://app.example/back\r\nX: y")],
        ),
        ("no address", [("redirect_uri", "")]),
        ("a script", [("redirect_uri", "javascript:alert(1)")]),
    ] {
        let (status, to, page) = world.ask(&world.request(&change));
        assert_eq!((status, to.as_str()), (422, ""), "{what}: {page}");
    }
    // Told to the app.
    for (what, change, error) in [
        (
            "no PKCE",
            vec![("code_challenge", ""), ("code_challenge_method", "")],
            "invalid_request",
        ),
        (
            "plain PKCE",
            vec![("code_challenge_method", "plain")],
            "invalid_request",
        ),
        (
            "PKCE without a method",
            vec![("code_challenge_method", "")],
            "invalid_request",
        ),
        (
            "a short challenge",
            vec![("code_challenge", "abc")],
            "invalid_request",
        ),
        ("no state", vec![("state", "")], "invalid_request"),
        (
            "another server",
            vec![("aud", "https://other.example/fhir")],
            "invalid_request",
        ),
        ("no aud", vec![("aud", "")], "invalid_request"),
        (
            "implicit",
            vec![("response_type", "token")],
            "unsupported_response_type",
        ),
        (
            "hybrid",
            vec![("response_type", "code id_token")],
            "unsupported_response_type",
        ),
        (
            "a fragment",
            vec![("response_mode", "fragment")],
            "invalid_request",
        ),
        ("unseen", vec![("prompt", "none")], "interaction_required"),
        (
            "a request object",
            vec![("request", "x.y.z")],
            "request_not_supported",
        ),
        (
            "nothing registered",
            vec![("scope", "system/*.rs nonsense")],
            "invalid_scope",
        ),
        (
            "a launch that is none",
            vec![("scope", "launch patient/*.rs"), ("launch", "hc_x")],
            "invalid_request",
        ),
    ] {
        let (status, to, page) = world.ask(&world.request(&change));
        assert_eq!(status, 303, "{what}: {page}");
        assert!(to.starts_with(&format!("{BACK}?")), "{what}: {to}");
        assert_eq!(part(&to, "error"), error, "{what}: {to}");
        assert!(part(&to, "code").is_empty(), "{what}");
    }
    let mut twice = world.request(&[]);
    twice.push(("redirect_uri", "https://evil.example/".to_owned()));
    assert_eq!(world.ask(&twice).0, 400);
    // Refused, and everything taken away.
    let person = world.person.clone();
    let request = world.request(&[("person", &person)]);
    let (_, to) = world.decide(&request, &["patient/*.rs"], "refuse");
    assert_eq!(part(&to, "error"), "access_denied");
    // A decision from another site is none.
    let answer = agent()
        .post(world.served.url("/oauth/authorize"))
        .header("Cookie", &world.caseworker)
        .header("Origin", "https://evil.example")
        .send_form(request.iter().map(|(name, value)| (*name, value.as_str())))
        .expect("the server answers");
    assert_eq!(answer.status().as_u16(), 403);
    // Whoever is not signed in comes by one page of ours, and then to the sign-in, and back.
    let pairs = request.iter().map(|(name, value)| (*name, value.as_str()));
    let address = format!("/oauth/authorize?{}", server::fhir::query::encode(pairs));
    let (status, page) = get(&world.served.url(&address), None);
    assert_eq!(status, 200);
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
    let answer = agent()
        .get(world.served.url(&format!("{address}&here=1")))
        .call()
        .expect("the server answers");
    assert!(
        location(&answer).starts_with("/sign-in?next=%2Foauth%2Fauthorize"),
        "{}",
        location(&answer)
    );
}

#[test]
fn a_code_goes_with_its_app_its_address_and_its_verifier_once() {
    let world = World::new("smart-codes");
    let code = world.code(&[], &["patient/*.rs"]);
    let basic = {
        use base64::engine::general_purpose::STANDARD;
        format!(
            "Basic {}",
            STANDARD.encode(format!("desk:{}", world.secret))
        )
    };
    for (what, change) in [
        ("another app", vec![("client_id", "other")]),
        (
            "another address",
            vec![("redirect_uri", "https://evil.example/")],
        ),
        (
            "another verifier",
            vec![(
                "code_verifier",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX",
            )],
        ),
        (
            "the challenge for a verifier",
            vec![("code_verifier", CHALLENGE)],
        ),
    ] {
        let (status, said) = world.redeem(&code, &change);
        assert_eq!(
            (status, &said["error"]),
            (400, &json!("invalid_grant")),
            "{what}: {said}"
        );
    }
    assert_eq!(
        world.redeem(&code, &[("code_verifier", "")]).0,
        400,
        "no verifier"
    );
    let (status, _) = form(
        &world.served.url("/oauth/token"),
        &[
            ("grant_type", "authorization_code"),
            ("redirect_uri", BACK),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ],
        &[("Authorization", &basic)],
    );
    assert_eq!(status, 400, "another app that proves who it is");
    // None of that has spoiled it.
    let (status, said) = world.redeem(&code, &[]);
    assert_eq!(status, 200, "{said}");
    let token = text(&said, "access_token").to_owned();
    let path = format!("/fhir/Patient/{}", world.person);
    assert_eq!(world.read(&path, &token), 200);
    // Used again: somebody else has it, so all that it led to ends.
    let (status, said) = world.redeem(&code, &[]);
    assert_eq!((status, &said["error"]), (400, &json!("invalid_grant")));
    assert_eq!(world.read(&path, &token), 401);

    // A confidential app proves who it is, or gets nothing.
    let code = world.code(&[("client_id", "desk")], &["patient/*.rs"]);
    assert_eq!(
        world.redeem(&code, &[("client_id", "desk")]).0,
        401,
        "by name alone"
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let (status, said) = form(
        &world.served.url("/oauth/token"),
        &fields,
        &[("Authorization", &basic)],
    );
    assert_eq!(status, 200, "{said}");
}

#[test]
fn a_refresh_token_is_used_once_and_never_for_more() {
    let world = World::new("smart-refresh");
    let scope = [("scope", "launch/patient patient/*.rs offline_access")];
    let code = world.code(&scope, &["patient/*.rs", "offline_access"]);
    let (_, said) = world.redeem(&code, &[]);
    let first = text(&said, "refresh_token").to_owned();
    let path = format!("/fhir/Patient/{}", world.person);
    for more in [
        "patient/*.cruds",
        "user/*.rs",
        "patient/*.rs log.read",
        "system/*.rs",
    ] {
        let (status, said) = world.refresh(&first, Some(more));
        assert_eq!(
            (status, &said["error"]),
            (400, &json!("invalid_scope")),
            "{more}: {said}"
        );
    }
    // An access token refreshes nothing, and a refresh token opens nothing.
    assert_eq!(world.refresh(text(&said, "access_token"), None).0, 400);
    assert_eq!(world.read(&path, &first), 401);
    let (status, said) = world.refresh(&first, Some("patient/Patient.r"));
    assert_eq!(status, 200, "less may be asked for: {said}");
    assert_eq!(said["scope"], "patient/Patient.r");
    let second = text(&said, "refresh_token").to_owned();
    assert_ne!(first, second);
    let (status, said) = world.refresh(&second, None);
    assert_eq!(status, 200);
    assert!(
        text(&said, "scope").contains("patient/*.rs"),
        "what was narrowed once is not lost: {said}"
    );
    let (third, access) = (text(&said, "refresh_token"), text(&said, "access_token"));
    assert_eq!(world.read(&path, access), 200);
    // The first one comes again: whoever has it, nothing of the family is good any more.
    assert_eq!(world.refresh(&first, None).0, 400);
    assert_eq!(world.refresh(third, None).0, 400);
    assert_eq!(world.read(&path, access), 401);

    // Of an app that goes on only while its user is signed in.
    let scope = [("scope", "launch/patient patient/*.rs online_access")];
    let code = world.code(&scope, &["patient/*.rs", "online_access"]);
    let (_, said) = world.redeem(&code, &[]);
    let (_, said) = world.refresh(text(&said, "refresh_token"), None);
    let token = text(&said, "refresh_token").to_owned();
    let out = agent()
        .post(world.served.url("/sign-out"))
        .header("Cookie", &world.caseworker)
        .send_empty()
        .expect("the server answers");
    assert_eq!(out.status().as_u16(), 303);
    assert_eq!(world.refresh(&token, None).0, 400);

    // Of an app that is disabled.
    homecoming_done(&["client", "disable", "chart", "--data", &world.data]);
    let (status, said) = world.refresh(&token, None);
    assert_eq!((status, &said["error"]), (401, &json!("invalid_client")));
}

#[test]
fn who_the_person_is_learns_whoever_was_told_so() {
    let world = World::new("smart-who");
    register_key(&world.data, "gate", "token.introspect", 8);
    let whole = "launch/patient patient/Patient.rs openid fhirUser";
    for (kept, sub, fhir_user) in [
        (vec!["patient/Patient.rs"], false, false),
        (vec!["patient/Patient.rs", "openid"], true, false),
        // Without an id_token there is nothing that could say it.
        (vec!["patient/Patient.rs", "fhirUser"], false, false),
        (vec!["patient/Patient.rs", "openid", "fhirUser"], true, true),
    ] {
        let code = world.code(&[("scope", whole)], &kept);
        let (status, said) = world.redeem(&code, &[]);
        assert_eq!(status, 200, "{said}");
        assert_eq!(said["id_token"].is_string(), sub, "{kept:?}");
        let (_, gate) = token_by(
            &world.served,
            &assertion("gate", &world.served, 8),
            "token.introspect",
        );
        let bearer = format!("Bearer {}", text(&gate, "access_token"));
        let (status, known) = form(
            &world.served.url("/oauth/introspect"),
            &[("token", text(&said, "access_token"))],
            &[("Authorization", &bearer)],
        );
        assert_eq!((status, &known["active"]), (200, &json!(true)), "{known}");
        assert_eq!(known["sub"].is_string(), sub, "{kept:?}: {known}");
        assert_eq!(
            known["fhirUser"].is_string(),
            fhir_user,
            "{kept:?}: {known}"
        );
        // Whatever the token came with of where the app was started.
        for name in ["scope", "patient", "need_patient_banner"] {
            assert_eq!(known[name], said[name], "{name}: {known}");
            assert!(!known[name].is_null(), "{name}: {known}");
        }
    }
}

#[test]
fn an_app_that_asks_for_more_gets_what_it_is_registered_for() {
    let world = World::new("smart-wider");
    let narrow = "patient/Observation.rs?category=survey";
    register(
        &world.served,
        &world.data,
        "survey",
        &format!("launch/patient {narrow} patient/Patient.rs"),
        &[],
    );
    let asks = [
        ("client_id", "survey"),
        ("scope", "launch/patient patient/*.read"),
        ("person", &world.person),
    ];
    let (status, _, page) = world.ask(&world.request(&asks));
    assert_eq!(status, 200);
    for scope in [narrow, "patient/Patient.rs"] {
        let box_of = format!("name=\"keep\" value=\"{scope}\"");
        assert!(
            page.contains(&box_of),
            "the person is not asked for {scope}: {page}"
        );
    }
    assert!(!page.contains("everything in the record"), "{page}");
    // What the app asked for is nothing that the person could have left.
    for (kept, granted) in [
        (
            vec![narrow, "patient/Patient.rs"],
            format!("{narrow} patient/Patient.rs launch/patient"),
        ),
        (
            vec![narrow, "patient/*.read"],
            format!("{narrow} launch/patient"),
        ),
    ] {
        let code = world.code(&asks, &kept);
        let (status, said) = world.redeem(&code, &[("client_id", "survey")]);
        assert_eq!(status, 200, "{said}");
        assert_eq!(text(&said, "scope"), granted);
    }
    // Version 1's words come back where they are granted as they were asked for.
    let code = world.code(
        &[("scope", "launch/patient patient/*.read")],
        &["patient/*.read"],
    );
    let (status, said) = world.redeem(&code, &[]);
    assert_eq!(status, 200, "{said}");
    assert_eq!(text(&said, "scope"), "patient/*.read launch/patient");
    let path = format!("/fhir/Patient/{}", world.person);
    assert_eq!(world.read(&path, text(&said, "access_token")), 200);
}

#[test]
fn an_app_is_opened_on_a_person_by_whoever_opens_it() {
    let world = World::new("smart-launch");
    let (status, apps) = page(
        &world.served,
        &world.caseworker,
        &format!("/people/{}/apps", world.person),
    );
    assert_eq!(status, 200);
    assert!(apps.contains("Open "), "{apps}");
    let open = |cookie: &str| {
        let answer = agent()
            .post(
                world
                    .served
                    .url(&format!("/people/{}/apps/chart", world.person)),
            )
            .header("Cookie", cookie)
            .send_empty()
            .expect("the server answers");
        location(&answer)
    };
    let to = open(&world.caseworker);
    assert!(to.starts_with("https://app.example/launch?"), "{to}");
    assert_eq!(part(&to, "iss"), world.served.url("/fhir"));
    let launch = part(&to, "launch");
    let change = [
        ("scope", "launch patient/*.rs"),
        ("launch", launch.as_str()),
    ];
    // Another app cannot use it, nor whoever did not open it.
    let mut theirs = change.to_vec();
    theirs.push(("client_id", "other"));
    assert_eq!(
        part(&world.ask(&world.request(&theirs)).1, "error"),
        "invalid_request"
    );
    let supervisor = open(&sign_in(&world.served, "demo-supervisor"));
    let not_mine = part(&supervisor, "launch");
    let change_not_mine = [
        ("scope", "launch patient/*.rs"),
        ("launch", not_mine.as_str()),
    ];
    assert_eq!(
        part(&world.ask(&world.request(&change_not_mine)).1, "error"),
        "invalid_request"
    );
    // Its person is the one it was opened on, whoever is named beside.
    let mut named = change.to_vec();
    named.push(("person", &world.other));
    let (status, to) = world.decide(&world.request(&named), &["patient/*.rs"], "allow");
    assert_eq!(status, 303, "{to}");
    let (_, said) = world.redeem(&part(&to, "code"), &[]);
    assert_eq!(said["patient"], world.person, "{said}");
    assert_eq!(
        world.read(
            &format!("/fhir/Patient/{}", world.other),
            text(&said, "access_token")
        ),
        404
    );
    // Once.
    let (_, to) = world.decide(&world.request(&change), &["patient/*.rs"], "allow");
    assert_eq!(part(&to, "error"), "invalid_request");
}

#[test]
fn a_query_in_a_scope_lets_through_what_answers_to_it() {
    let world = World::new("smart-granular");
    let narrow = "patient/Observation.rs?category=survey";
    let scope = format!("launch/patient {narrow}");
    let code = world.code(&[("scope", &scope)], &[narrow]);
    let (status, said) = world.redeem(&code, &[]);
    assert_eq!(status, 200, "{said}");
    let narrow_token = text(&said, "access_token").to_owned();
    let code = world.code(&[], &["patient/*.rs"]);
    let (_, said) = world.redeem(&code, &[]);
    let wide_token = text(&said, "access_token").to_owned();
    let count = |query: &str, token: &str| {
        let path = format!(
            "/fhir/Observation?patient={}&_count=500{query}",
            world.person
        );
        let (status, body) = get(&world.served.url(&path), Some(token));
        assert_eq!(status, 200, "{body}");
        let bundle: Json = serde_json::from_str(&body).expect("JSON");
        bundle["entry"].as_array().map_or(0, Vec::len)
    };
    let (all, surveys) = (
        count("", &wide_token),
        count("&category=survey", &wide_token),
    );
    assert!(
        all > surveys && surveys > 0,
        "{all} {surveys}: the demo has both"
    );
    assert_eq!(count("", &narrow_token), surveys);
    assert_eq!(
        world.read(&format!("/fhir/Patient/{}", world.person), &narrow_token),
        403
    );
}
