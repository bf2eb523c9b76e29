//! Signing in through an organisation, against a small provider of our own that can misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use server::clock::Clock;
use server::sign_in::one_time;
use sha2::{Digest, Sha256};

use super::people::{Browser, PASSWORD, Person, secret_on};
use super::served::{Folder, Served, begun, homecoming_done};

/// The provider's key, PKCS #8, and the two halves of its public one. Made for this test.
const KEY: [&str; 3] = [
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEMMhML8BqSa+NVb77gYPbF2HDQjWKvhH9EuJfzaUZi2hRANCAARf444EzLEtzFjQqdWgQecZ2KfQ7NI9IvOzhcilA/6pAnDfp9QHQ3VxGMoDM43f5Lv3v6qqAT+Ce/aq6qtfEvlu",
    "X-OOBMyxLcxY0KnVoEHnGdin0OzSPSLzs4XIpQP-qQI",
    "cN-n1AdDdXEYygMzjd_ku_e_qqoBP4J79qrqq18S-W4",
];
/// Somebody else's.
const OTHER_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyN89esNYe2weqTSuOVHRvBD2fqQj8ahixOOA+NrHdnmhRANCAASk4dD5NNql59SooZruDUOeAX1lHol16gwSzixWmB3y72HKK2aTgN1r18qwawBPpvGHKFvjf8l6kwhjS6zKCT5j";

const CLIENT: &str = "homecoming-test";
const SECRET: &str = "a secret that the provider gave";

/// How the provider answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Honest,
    OtherIssuer,
    OtherAudience,
    SecondAudience,
    OtherParty,
    OtherNonce,
    Over,
    NoSignature,
    OurSecret,
    OtherKey,
    Altered,
    NoToken,
    Redirects,
    Huge,
}

#[derive(Default)]
struct Inside {
    mood: Option<Mood>,
    subject: String,
    /// What was asked for at the authorization endpoint, by the code that was given.
    asked: Vec<(String, Vec<(String, String)>)>,
    exchanged: Vec<String>,
    /// When the person signed in there, if it says so, in seconds.
    signed_in: Option<i64>,
    /// How often it was asked what it says of itself.
    discovered: u32,
    /// Whether it says that its answers say who gives them (RFC 9207).
    announces: bool,
}

/// A provider that runs until the test ends.
#[derive(Clone)]
struct Provider {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
}

impl Provider {
    fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let provider = Provider {
            address: listener.local_addr().expect("its address"),
            inside: Arc::default(),
        };
        let own = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                own.answer(stream);
            }
        });
        provider
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    fn set(&self, mood: Mood, subject: &str) {
        let mut inside = self.inside.lock().expect("a lock");
        inside.mood = Some(mood);
        inside.subject = subject.to_owned();
    }

    fn answer(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        let _ = reader.read_line(&mut line);
        let address = line.split(' ').nth(1).unwrap_or("/").to_owned();
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or_default();
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => authorization = value.trim().to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        let _ = reader.read_exact(&mut body);
        let body = String::from_utf8_lossy(&body).into_owned();
        let path = address.split('?').next().unwrap_or("/");
        let mut stream = reader.into_inner();
        let mood = self
            .inside
            .lock()
            .expect("a lock")
            .mood
            .unwrap_or(Mood::Honest);
        let (status, text) = match path {
            "/.well-known/openid-configuration" => {
                self.inside.lock().expect("a lock").discovered += 1;
                (200, self.metadata().to_string())
            }
            "/keys" => (200, keys().to_string()),
            "/token" if mood == Mood::Redirects => (302, String::new()),
            "/token" if mood == Mood::Huge => (200, " ".repeat(3 << 20)),
            "/token" => self.token(&body, &authorization),
            _ => (404, String::new()),
        };
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nlocation: {}/token2\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            self.issuer(),
            text.len()
        );
    }

    fn metadata(&self) -> Value {
        let issuer = self.issuer();
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            // It says more than is believed.
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported":
                self.inside.lock().expect("a lock").announces,
        })
    }

    /// What the person's browser would do there: they sign in, and are sent back with a code.
    fn signs_in(&self, address: &str) -> Vec<(String, String)> {
        let (endpoint, query) = address.split_once('?').expect("parameters");
        assert_eq!(endpoint, format!("{}/authorize", self.issuer()));
        let asked = decoded(query);
        let get = |name: &str| value(&asked, name).to_owned();
        assert_eq!(get("response_type"), "code");
        assert_eq!(get("client_id"), CLIENT);
        assert_eq!(get("scope"), "openid");
        assert_eq!(get("code_challenge_method"), "S256");
        let mut inside = self.inside.lock().expect("a lock");
        let code = format!("code-{}", inside.asked.len());
        let back = vec![
            ("code".to_owned(), code.clone()),
            ("state".to_owned(), get("state")),
            ("iss".to_owned(), self.issuer()),
        ];
        inside.asked.push((code, asked));
        back
    }

    fn token(&self, body: &str, authorization: &str) -> (u16, String) {
        let form = decoded(body);
        let mut inside = self.inside.lock().expect("a lock");
        let code = value(&form, "code").to_owned();
        let basic = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
        let asked = inside.asked.iter().find(|(given, _)| *given == code);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(value(&form, "code_verifier")));
        let fits = asked.is_some_and(|(_, asked)| {
            value(asked, "code_challenge") == challenge
                && value(asked, "redirect_uri") == value(&form, "redirect_uri")
        });
        if !fits || authorization != format!("Basic {basic}") || inside.exchanged.contains(&code) {
            return (400, json!({ "error": "invalid_grant" }).to_string());
        }
        let nonce = value(&asked.expect("it is there").1, "nonce").to_owned();
        let mood = inside.mood.unwrap_or(Mood::Honest);
        let subject = inside.subject.clone();
        inside.exchanged.push(code);
        let signed_in = inside.signed_in;
        drop(inside);
        let mut answer = json!({ "access_token": "x", "token_type": "Bearer", "expires_in": 60 });
        if mood != Mood::NoToken {
            answer["id_token"] = json!(self.id_token(mood, &subject, &nonce, signed_in));
        }
        (200, answer.to_string())
    }

    fn id_token(&self, mood: Mood, subject: &str, nonce: &str, signed_in: Option<i64>) -> String {
        let now = Clock::System.now().0 / 1_000_000;
        let mut claims = json!({
            "iss": self.issuer(), "sub": subject, "aud": CLIENT, "nonce": nonce,
            "iat": now, "exp": now + 300, "email": "first.officer@example.org", "name": "First officer",
        });
        if let Some(at) = signed_in {
            claims["auth_time"] = json!(at);
        }
        match mood {
            Mood::OtherIssuer => claims["iss"] = json!("https://id.evil.example"),
            Mood::OtherAudience => claims["aud"] = json!("somebody-else"),
            Mood::SecondAudience => claims["aud"] = json!([CLIENT, "somebody-else"]),
            Mood::OtherParty => claims["azp"] = json!("somebody-else"),
            Mood::OtherNonce => claims["nonce"] = json!("another"),
            Mood::Over => claims["exp"] = json!(now - 60),
            _ => {}
        }
        let key = |text: &str| EncodingKey::from_ec_der(&STANDARD.decode(text).expect("base64"));
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("k1".to_owned());
        let sign = |header: &Header, key: &EncodingKey| {
            jsonwebtoken::encode(header, &claims, key).expect("a token")
        };
        match mood {
            Mood::NoSignature => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims))
            }
            Mood::OurSecret => sign(
                &Header::new(Algorithm::HS256),
                &EncodingKey::from_secret(SECRET.as_bytes()),
            ),
            Mood::OtherKey => sign(&header, &key(OTHER_KEY)),
            Mood::Altered => {
                let token = sign(&header, &key(KEY[0]));
                let parts: Vec<&str> = token.split('.').collect();
                claims["sub"] = json!("somebody-else");
                format!(
                    "{}.{}.{}",
                    parts[0],
                    URL_SAFE_NO_PAD.encode(claims.to_string()),
                    parts[2]
                )
            }
            _ => sign(&header, &key(KEY[0])),
        }
    }
}

fn keys() -> Value {
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k1", "x": KEY[1], "y": KEY[2] }] })
}

fn decoded(query: &str) -> Vec<(String, String)> {
    server::fhir::query::decode(query).expect("parameters")
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let found = pairs.iter().find(|(given, _)| given == name);
    found.map_or("", |(_, value)| value.as_str())
}

/// Goes to the provider from an address of ours, and comes back with what it says.
fn there_and_back(browser: &Browser, provider: &Provider, from: &str) -> super::people::Answer {
    let sent = browser.get(from);
    assert_eq!(sent.status, 303, "{}", sent.body);
    let back = provider.signs_in(&sent.location);
    browser.get(&come_back(&back))
}

/// Where a form of ours leads on to.
fn sent_on(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = browser.post(path, fields);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let link = answer
        .body
        .split("<a class=\"usa-button\" href=\"")
        .nth(1)
        .expect("a link");
    link.split('"')
        .next()
        .expect("its end")
        .replace("&amp;", "&")
}

fn come_back(back: &[(String, String)]) -> String {
    let pairs: Vec<(&str, &str)> = back
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    server::web::path::with("/sign-in/organisation/back", &pairs)
}

/// A new programme with a provider, and its first officer's code.
fn world(name: &str) -> (Folder, String, Provider, String) {
    let folder = Folder::new(name);
    let (data, code) = begun(&folder);
    let provider = Provider::start();
    let secret = folder.join("secret");
    std::fs::write(&secret, SECRET).expect("a file");
    homecoming_done(&[
        "provider",
        "add",
        "County",
        "--data",
        &data,
        "--issuer",
        &provider.issuer(),
        "--client-id",
        CLIENT,
        "--client-secret-file",
        &secret,
    ]);
    (folder, data, provider, code)
}

#[test]
fn an_organisations_account_opens_what_it_was_linked_to_and_nothing_else_does() {
    let (_folder, data, provider, code) = world("provider");
    let served = Served::start(&data);

    // Whoever the provider vouches for is nobody here, even with the officer's name and address.
    provider.set(Mood::Honest, "officer-at-county");
    let stranger = Browser::new(&served);
    let refused = there_and_back(&stranger, &provider, "/sign-in/organisation?name=County");
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("Nobody here has this account"),
        "{}",
        refused.body
    );
    assert_eq!(stranger.cookie("homecoming-session"), None);

    // With a code it is linked, once.
    let officer = Browser::new(&served);
    assert!(officer.get("/sign-in").body.contains("County"));
    assert_eq!(officer.post("/enrol", &[("code", &code)]).status, 303);
    let to = sent_on(&officer, "/enrol/organisation", &[("name", "County")]);
    let linked = officer.get(&come_back(&provider.signs_in(&to)));
    assert_eq!(
        (linked.status, &*linked.location),
        (303, "/account"),
        "{}",
        linked.body
    );
    assert!(officer.get("/account").body.contains(&provider.issuer()));
    let entered = there_and_back(
        &stranger,
        &provider,
        "/sign-in/organisation?name=County&next=/users",
    );
    assert_eq!(
        (entered.status, &*entered.location),
        (303, "/users"),
        "{}",
        entered.body
    );
    assert_eq!(stranger.get("/users").status, 200);
    assert_eq!(stranger.post("/sign-out", &[]).status, 303);

    // Everything that is wrong with a token is refused.
    for mood in [
        Mood::OtherIssuer,
        Mood::OtherAudience,
        Mood::SecondAudience,
        Mood::OtherParty,
        Mood::OtherNonce,
        Mood::Over,
        Mood::NoSignature,
        Mood::OurSecret,
        Mood::OtherKey,
        Mood::Altered,
        Mood::NoToken,
        Mood::Redirects,
        Mood::Huge,
    ] {
        provider.set(mood, "officer-at-county");
        let answer = there_and_back(&stranger, &provider, "/sign-in/organisation?name=County");
        assert_eq!(answer.status, 403, "{mood:?}: {}", answer.body);
        assert!(
            answer.body.contains("cannot be believed"),
            "{mood:?}: {}",
            answer.body
        );
        assert_eq!(stranger.cookie("homecoming-session"), None, "{mood:?}");
    }

    // The way back is taken once, by the browser that went, with its own state, from whom it asked.
    provider.set(Mood::Honest, "officer-at-county");
    let go = || {
        let sent = stranger.get("/sign-in/organisation?name=County");
        provider.signs_in(&sent.location)
    };
    let refused = |browser: &Browser, back: &[(String, String)], why: &str| {
        let answer = browser.get(&come_back(back));
        assert_eq!(answer.status, 403, "{why}: {}", answer.body);
        assert_eq!(browser.cookie("homecoming-session"), None, "{why}");
    };
    let back = go();
    refused(
        &Browser::new(&served),
        &back,
        "another browser: somebody is signed in as somebody else",
    );
    let mut other_state = go();
    other_state[1].1 = "another".to_owned();
    refused(&stranger, &other_state, "another state");
    let mut other_issuer = go();
    other_issuer[2].1 = "https://id.evil.example".to_owned();
    refused(&stranger, &other_issuer, "a mix-up of providers");
    let back = go();
    assert_eq!(stranger.get(&come_back(&back)).status, 303);
    stranger.post("/sign-out", &[]);
    refused(&stranger, &back, "a second time");
    let sent = stranger.get("/sign-in/organisation?name=County&next=https://evil.example/");
    let back = provider.signs_in(&sent.location);
    assert_eq!(
        stranger.get(&come_back(&back)).location,
        "/",
        "it leads elsewhere"
    );
}

#[test]
fn strangers_who_begin_to_sign_in_make_nobody_ask_the_provider() {
    let (_folder, data, provider, _) = world("provider-asked");
    let served = Served::start(&data);
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let browser = Browser::new(&served);
            std::thread::spawn(move || {
                let sent = browser.get("/sign-in/organisation?name=County");
                assert_eq!(sent.status, 303, "{}", sent.body);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("an answer");
    }
    assert_eq!(provider.inside.lock().expect("a lock").discovered, 1);
}

#[test]
fn a_provider_that_says_who_answers_is_not_believed_without_it() {
    let (_folder, data, provider, _) = world("provider-says-who");
    provider.inside.lock().expect("a lock").announces = true;
    let served = Served::start(&data);
    let browser = Browser::new(&served);
    let go = || {
        let sent = browser.get("/sign-in/organisation?name=County");
        provider.signs_in(&sent.location)
    };
    let mut back = go();
    assert_eq!(back.pop().expect("iss").0, "iss");
    let answer = browser.get(&come_back(&back));
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("does not say from which"),
        "{}",
        answer.body
    );
    // With it, it is believed as far as that: nobody here has the account.
    let answer = browser.get(&come_back(&go()));
    assert!(answer.body.contains("Nobody here has this account"));
}

#[test]
fn an_account_is_linked_in_the_session_that_asked_for_it_or_not_at_all() {
    let (_folder, data, provider, _) = world("provider-linking");
    let served = Served::start(&data);
    let dana = Person::added(&served, &data, "Dana Whitfield", "caseworker");
    provider.set(Mood::Honest, "dana-at-county");
    let operator = |words: &[&str]| {
        let said = homecoming_done(&[words, &["Dana Whitfield", "--data", &data]].concat());
        said.lines().last().expect("words").to_owned()
    };
    let go = |browser: &Browser| {
        let to = sent_on(browser, "/enrol/organisation", &[("name", "County")]);
        come_back(&provider.signs_in(&to))
    };
    let refused = |browser: &Browser, back: &str, why: &str| {
        let answer = browser.get(back);
        assert_eq!(answer.status, 403, "{why}: {}", answer.body);
        assert!(answer.body.contains("has ended"), "{why}: {}", answer.body);
        let stranger = Browser::new(&served);
        let entered = there_and_back(&stranger, &provider, "/sign-in/organisation?name=County");
        assert!(
            entered.body.contains("Nobody here has this account"),
            "{why}: {}",
            entered.body
        );
    };
    // Only a form of ours begins it.
    assert_eq!(
        dana.browser.get("/enrol/organisation?name=County").status,
        405
    );
    let back = go(&dana.browser);
    dana.browser.post("/sign-out", &[]);
    assert_eq!(dana.sign_in(&dana.browser).status, 303);
    refused(&dana.browser, &back, "another session of hers");
    let back = go(&dana.browser);
    operator(&["user", "disable"]);
    refused(&dana.browser, &back, "she is disabled");
    operator(&["user", "enable"]);
    assert_eq!(dana.sign_in(&dana.browser).status, 303);
    let back = go(&dana.browser);
    let code = operator(&["user", "code", "--instead"]);
    refused(&dana.browser, &back, "a recovery");
    // Whoever entered her code, until she has another.
    let thief = Browser::new(&served);
    assert_eq!(thief.post("/enrol", &[("code", &code)]).status, 303);
    let back = go(&thief);
    let code = operator(&["user", "code"]);
    refused(&thief, &back, "another code");
    let back = go(&{
        let browser = Browser::new(&served);
        assert_eq!(browser.post("/enrol", &[("code", &code)]).status, 303);
        browser
    });
    let answer = dana.browser.get(&back);
    assert_eq!(answer.status, 403, "another browser: {}", answer.body);
}

#[test]
fn whoever_comes_by_their_organisation_is_as_fresh_as_it_says_and_can_take_it_away() {
    let (_folder, data, provider, code) = world("provider-fresh");
    let served = Served::start(&data);
    let officer = Browser::new(&served);
    provider.set(Mood::Honest, "officer-at-county");
    assert_eq!(officer.post("/enrol", &[("code", &code)]).status, 303);
    let to = sent_on(&officer, "/enrol/organisation", &[("name", "County")]);
    let linked = officer.get(&come_back(&provider.signs_in(&to)));
    assert_eq!(&*linked.location, "/account", "{}", linked.body);
    let told = "An account at County was added to your account.";
    assert!(officer.get("/account").body.contains(told));

    // Hours ago, or nobody knows when: they show again that it is them.
    let now = || Clock::System.now().0 / 1_000_000;
    let says = |at: Option<i64>| provider.inside.lock().expect("a lock").signed_in = at;
    let again = || {
        let fields = [("name", "County"), ("next", "/enrol")];
        let to = sent_on(&officer, "/account/again/organisation", &fields);
        let asked = decoded(to.split_once('?').expect("parameters").1);
        assert_eq!(value(&asked, "prompt"), "login");
        assert_eq!(value(&asked, "max_age"), "600");
        officer.get(&come_back(&provider.signs_in(&to)))
    };
    for at in [None, Some(now() - 3_600)] {
        says(at);
        let entered = there_and_back(&officer, &provider, "/sign-in/organisation?name=County");
        assert_eq!(entered.status, 303, "{}", entered.body);
        assert_eq!(
            officer.get("/enrol").location,
            "/account/again?next=%2Fenrol"
        );
        assert!(
            officer
                .get("/account/again")
                .body
                .contains("action=\"/account/again/organisation\"")
        );
        let not = again();
        assert_eq!(not.status, 403, "{at:?}");
        assert!(not.body.contains("did not ask you to sign in again"));
        assert_eq!(officer.get("/enrol").status, 303, "{at:?}");
    }
    says(Some(now()));
    provider.set(Mood::Honest, "somebody-else");
    assert_eq!(again().status, 403);
    provider.set(Mood::Honest, "officer-at-county");
    let shown = again();
    assert_eq!((shown.status, &*shown.location), (303, "/enrol"));
    let page = officer.get("/enrol");
    assert_eq!(page.status, 200);

    // The account goes when there is another way in.
    let account = officer.get("/account").body;
    let since = account
        .split("name=\"since\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("when it was linked");
    let issuer = provider.issuer();
    let remove = || officer.post("/account/ways", &[("account", &issuer), ("since", since)]);
    let last = remove();
    assert_eq!(last.status, 422);
    assert!(last.body.contains("only way"), "{}", last.body);
    let secret = secret_on(&page.body);
    let one_time = one_time::code(&secret, Clock::System.now().0);
    let fields = [
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("one-time", &one_time),
    ];
    let set = officer.post("/enrol/password", &fields);
    assert_eq!(&*set.location, "/account", "{}", set.body);
    assert_eq!(&*remove().location, "/account");
    let account = officer.get("/account").body;
    assert!(!account.contains(&issuer), "{account}");
    assert!(account.contains("An account at County was removed from your account."));
    let stranger = Browser::new(&served);
    let entered = there_and_back(&stranger, &provider, "/sign-in/organisation?name=County");
    assert!(entered.body.contains("Nobody here has this account"));
}
