//! Programs that act for themselves: a token for a signed assertion, once, for minutes, for what is registered.

use std::io::{Read as _, Write as _};

use super::*;
use crate::served::{Folder, get, programme};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p"}"#;

#[test]
fn a_program_that_signs_gets_a_token_for_what_is_registered() {
    let folder = Folder::new("smart-backend");
    let (data, all) = programme(&folder);
    register_key(
        &data,
        "lab",
        "system/Patient.rs system/Observation.cruds",
        7,
    );
    let served = Served::start(&data);
    let put = agent()
        .put(served.url("/fhir/Patient/p"))
        .header("Authorization", &format!("Bearer {all}"))
        .header("Content-Type", "application/fhir+json")
        .send(PATIENT)
        .expect("the server answers");
    assert_eq!(put.status().as_u16(), 201);

    let (status, said) = token_by(
        &served,
        &assertion("lab", &served, 7),
        "system/Patient.cruds system/Medication.r",
    );
    assert_eq!(status, 200, "{said}");
    assert_eq!(said["token_type"], "Bearer");
    assert_eq!(said["expires_in"], 300);
    assert_eq!(
        said["scope"], "system/Patient.rs",
        "no more than is registered"
    );
    assert!(said["refresh_token"].is_null());
    let token = text(&said, "access_token");
    assert_eq!(get(&served.url("/fhir/Patient/p"), Some(token)).0, 200);
    assert_eq!(
        get(&served.url("/fhir/Observation?patient=p"), Some(token)).0,
        403,
        "what was not asked for is not granted"
    );

    // What is disabled is so at once: nothing new, and after the few seconds that a grant is remembered nothing old.
    homecoming_done(&["client", "disable", "lab", "--data", &data]);
    let (status, said) = token_by(&served, &assertion("lab", &served, 7), "system/Patient.r");
    assert_eq!((status, &said["error"]), (401, &json!("invalid_client")));
    let mut last = 200;
    for _ in 0..20 {
        (last, _) = get(&served.url("/fhir/Patient/p"), Some(token));
        if last != 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    assert_eq!(last, 401, "a disabled client's token goes on");
}

#[test]
fn an_rsa_key_signs_as_well() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let der: &[u8] = include_bytes!("client.der");
    let folder = Folder::new("smart-rsa");
    let (data, _) = programme(&folder);
    let (modulus, exponent) = modulus_of(der);
    let set = json!({ "keys": [{ "kty": "RSA", "kid": "r", "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent) }] });
    let file = format!("{data}/rsa.jwks");
    std::fs::write(&file, set.to_string()).expect("it is written");
    homecoming_done(&[
        "client",
        "add",
        "rsa",
        "--data",
        &data,
        "--scope",
        "system/*.rs",
        "--proof",
        "key",
        "--keys",
        &file,
    ]);
    let served = Served::start(&data);
    let sign = |algorithm: Algorithm| {
        let mut head = Header::new(algorithm);
        head.kid = Some("r".to_owned());
        encode(
            &head,
            &claims("rsa", &served),
            &EncodingKey::from_rsa_der(der),
        )
        .expect("it signs")
    };
    let (status, said) = token_by(&served, &sign(Algorithm::RS384), "system/*.rs");
    assert_eq!(status, 200, "{said}");
    for other in [Algorithm::RS256, Algorithm::RS512, Algorithm::PS384] {
        let (status, said) = token_by(&served, &sign(other), "system/*.rs");
        assert_eq!(status, 401, "{other:?}: {said}");
    }
}

/// Modulus and exponent of a PKCS#1 key: the second and third number in it.
fn modulus_of(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut at = 0;
    let mut take = |inside: bool| {
        at += 1;
        let mut length = usize::from(der[at]);
        at += 1;
        if length > 127 {
            let bytes = length - 128;
            length = der[at..at + bytes]
                .iter()
                .fold(0, |all, byte| all << 8 | usize::from(*byte));
            at += bytes;
        }
        let from = at;
        if !inside {
            at += length;
        }
        der[from..from + length].to_vec()
    };
    take(true);
    take(false);
    let number = |bytes: Vec<u8>| bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    (number(take(false)), number(take(false)))
}

#[test]
fn every_confusion_of_an_assertion_is_refused() {
    let folder = Folder::new("smart-confusion");
    let (data, _) = programme(&folder);
    register_key(&data, "lab", "system/*.rs", 7);
    register_key(&data, "other", "system/*.rs", 8);
    let served = Served::start(&data);
    let head = json!({ "alg": "ES384", "kid": "k" });
    let with = |name: &str, value: Json| {
        let mut claims = claims("lab", &served);
        claims[name] = value;
        claims
    };
    let unsigned = {
        let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
        format!(
            "{}.{}.",
            part(&json!({ "alg": "none" })),
            part(&claims("lab", &served))
        )
    };
    for (what, assertion) in [
        ("alg none", unsigned),
        (
            "HS256 under the public key",
            jwt(
                &json!({ "alg": "HS256", "kid": "k" }),
                &claims("lab", &served),
                7,
            ),
        ),
        (
            "another kid",
            jwt(
                &json!({ "alg": "ES384", "kid": "x" }),
                &claims("lab", &served),
                7,
            ),
        ),
        (
            "a path for a kid",
            jwt(
                &json!({ "alg": "ES384", "kid": "../../keys/log.key" }),
                &claims("lab", &served),
                7,
            ),
        ),
        (
            "a key that comes along",
            jwt(
                &json!({ "alg": "ES384", "kid": "z", "jwk": jwk(9, "z") }),
                &claims("lab", &served),
                9,
            ),
        ),
        (
            "an address that comes along",
            jwt(
                &json!({ "alg": "ES384", "kid": "k", "jku": "http://127.0.0.1:1/" }),
                &claims("lab", &served),
                7,
            ),
        ),
        (
            "another client's key",
            jwt(&head, &claims("lab", &served), 8),
        ),
        (
            "another client's name",
            jwt(&head, &with("iss", json!("other")), 7),
        ),
        (
            "nobody's name",
            jwt(
                &head,
                &json!({ "iss": "nobody", "sub": "nobody", "jti": "1" }),
                7,
            ),
        ),
        (
            "the FHIR address as audience",
            jwt(&head, &with("aud", json!(served.url("/fhir"))), 7),
        ),
        (
            "another server as audience",
            jwt(
                &head,
                &with("aud", json!("https://evil.example/oauth/token")),
                7,
            ),
        ),
        ("ended", jwt(&head, &with("exp", json!(now() - 1)), 7)),
        (
            "too long",
            jwt(&head, &with("exp", json!(now() + 4_000)), 7),
        ),
        (
            "from the future",
            jwt(&head, &with("nbf", json!(now() + 100)), 7),
        ),
        ("without a number", jwt(&head, &with("jti", json!(null)), 7)),
        ("no JWT", "a.b.c".to_owned()),
    ] {
        let (status, said) = token_by(&served, &assertion, "system/*.rs");
        assert_eq!(status, 401, "{what}: {said}");
        assert_eq!(said["error"], "invalid_client", "{what}");
    }
    // An audience that a Host header names is not ours, whatever we are called in it.
    let (status, said) = form(
        &served.url("/oauth/token"),
        &[
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            (
                "client_assertion",
                &jwt(
                    &head,
                    &with("aud", json!("http://evil.example/oauth/token")),
                    7,
                ),
            ),
            ("scope", "system/*.rs"),
        ],
        &[("Host", "evil.example")],
    );
    assert_eq!(status, 503, "{said}");
}

#[test]
fn an_assertion_is_good_once_even_over_a_restart() {
    let folder = Folder::new("smart-replay");
    let (data, _) = programme(&folder);
    register_key(&data, "lab", "system/*.rs", 7);
    let served = Served::start(&data);
    let address = served.address.to_string();
    let once = assertion("lab", &served, 7);
    assert_eq!(token_by(&served, &once, "system/*.rs").0, 200);
    let (status, said) = token_by(&served, &once, "system/*.rs");
    assert_eq!(status, 401, "{said}");
    assert!(text(&said, "error_description").contains("jti"), "{said}");
    drop(served);
    let served = Served::start_with(&data, &["--listen", &address]);
    assert_eq!(
        token_by(&served, &once, "system/*.rs").0,
        401,
        "after a restart"
    );
    assert_eq!(
        token_by(&served, &assertion("lab", &served, 7), "system/*.rs").0,
        200
    );
}

#[test]
fn what_a_client_is_not_registered_for_it_does_not_get() {
    let folder = Folder::new("smart-scopes");
    let (data, _) = programme(&folder);
    register_key(&data, "lab", "system/Patient.r", 7);
    homecoming_done(&[
        "client",
        "add",
        "web",
        "--data",
        &data,
        "--scope",
        "user/*.rs",
        "--proof",
        "secret",
        "--redirect",
        "https://app.example/back",
    ]);
    let served = Served::start(&data);
    for scope in [
        "system/Observation.r",
        "user/*.rs",
        "patient/*.rs launch/patient",
        "log.read",
        "nonsense",
    ] {
        let (status, said) = token_by(&served, &assertion("lab", &served, 7), scope);
        assert_eq!(
            (status, &said["error"]),
            (400, &json!("invalid_scope")),
            "{scope}"
        );
    }
    let url = served.url("/oauth/token");
    for (what, fields, headers, status, error) in [
        (
            "no grant",
            vec![("scope", "x")],
            vec![],
            400,
            "invalid_request",
        ),
        (
            "by name alone",
            vec![
                ("grant_type", "client_credentials"),
                ("client_id", "lab"),
                ("scope", "system/*.rs"),
            ],
            vec![],
            401,
            "invalid_client",
        ),
        (
            "by a wrong secret",
            vec![("grant_type", "client_credentials"), ("scope", "user/*.rs")],
            vec![("Authorization", "Basic d2ViOndyb25n")],
            401,
            "invalid_client",
        ),
        (
            "a secret in the form",
            vec![
                ("grant_type", "client_credentials"),
                ("client_id", "web"),
                ("client_secret", "x"),
            ],
            vec![],
            400,
            "invalid_request",
        ),
        (
            "twice",
            vec![
                ("grant_type", "client_credentials"),
                ("grant_type", "refresh_token"),
            ],
            vec![],
            400,
            "invalid_request",
        ),
        (
            "a password",
            vec![("grant_type", "password"), ("client_id", "lab")],
            vec![],
            401,
            "invalid_client",
        ),
    ] {
        let (seen, said) = form(&url, &fields, &headers);
        assert_eq!(
            (seen, &said["error"]),
            (status, &json!(error)),
            "{what}: {said}"
        );
    }
    assert_eq!(get(&url, None).0, 405);
}

#[test]
fn keys_are_fetched_from_where_they_were_registered() {
    let folder = Folder::new("smart-jwks");
    let (data, _) = programme(&folder);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!(
        "http://{}/jwks",
        listener.local_addr().expect("it is bound")
    );
    let set = json!({ "keys": [jwk(7, "k")] }).to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{set}",
                set.len()
            );
        }
    });
    homecoming_done(&[
        "client",
        "add",
        "lab",
        "--data",
        &data,
        "--scope",
        "system/*.rs",
        "--proof",
        "key",
        "--keys-url",
        &address,
    ]);
    let served = Served::start(&data);
    let (status, said) = token_by(&served, &assertion("lab", &served, 7), "system/*.rs");
    assert_eq!(
        status, 401,
        "keys inside the network are not fetched unless it is allowed: {said}"
    );
    drop(served);
    let served = Served::start_with(&data, &["--jwks-inside"]);
    let (status, said) = token_by(&served, &assertion("lab", &served, 7), "system/*.rs");
    assert_eq!(status, 200, "{said}");
    let named = jwt(
        &json!({ "alg": "ES384", "kid": "k", "jku": address }),
        &claims("lab", &served),
        7,
    );
    assert_eq!(
        token_by(&served, &named, "system/*.rs").0,
        200,
        "the registered address may be named"
    );
}

#[test]
fn a_client_learns_what_its_own_token_stands_for_and_takes_it_back() {
    let folder = Folder::new("smart-introspect");
    let (data, all) = programme(&folder);
    register_key(&data, "lab", "system/*.rs", 7);
    register_key(&data, "gate", "system/Patient.r token.introspect", 8);
    register_key(&data, "other", "system/Patient.r", 9);
    let served = Served::start(&data);
    let (_, said) = token_by(&served, &assertion("lab", &served, 7), "system/*.rs");
    let token = text(&said, "access_token").to_owned();
    let ask = |path: &str, client: &str, seed: u8, token: &str| {
        form(
            &served.url(path),
            &[
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", &assertion(client, &served, seed)),
                ("token", token),
            ],
            &[],
        )
    };
    for (client, seed, active) in [("lab", 7, true), ("gate", 8, true), ("other", 9, false)] {
        let (status, said) = ask("/oauth/introspect", client, seed, &token);
        assert_eq!(status, 200, "{said}");
        assert_eq!(said["active"], active, "{client}");
        if active {
            assert_eq!(said["client_id"], "lab");
            assert_eq!(said["scope"], "system/*.rs");
        } else {
            assert_eq!(said.as_object().expect("an object").len(), 1, "{said}");
        }
    }
    let (_, said) = ask("/oauth/introspect", "gate", 8, &all);
    assert_eq!(said["client_id"], "tests");
    let (_, said) = ask("/oauth/introspect", "gate", 8, "hc_nothing");
    assert_eq!(said, json!({ "active": false }));

    // Or by an access token with the scope for it; without one, and without any proof, nothing is told.
    let introspect = served.url("/oauth/introspect");
    let by = |bearer: &str, more: &[(&str, &str)]| {
        let mut request = agent().post(&introspect);
        if !bearer.is_empty() {
            request = request.header("Authorization", &format!("Bearer {bearer}"));
        }
        let fields = [("token", token.as_str())]
            .into_iter()
            .chain(more.iter().copied());
        let mut answer = request.send_form(fields).expect("the server answers");
        let challenges = answer.headers().get_all("www-authenticate").iter();
        let challenges: Vec<&str> = challenges.map(|one| one.to_str().expect("text")).collect();
        let challenges = challenges.join(", ");
        let said = answer.body_mut().read_to_string().expect("text");
        let said: Json = serde_json::from_str(&said).expect("JSON");
        (answer.status().as_u16(), said, challenges)
    };
    let (_, gate) = token_by(&served, &assertion("gate", &served, 8), "token.introspect");
    let (status, said, _) = by(text(&gate, "access_token"), &[]);
    assert_eq!((status, &said["client_id"]), (200, &json!("lab")), "{said}");
    let (_, narrow) = token_by(&served, &assertion("gate", &served, 8), "system/Patient.r");
    let basic = "Basic realm=\"Homecoming\"";
    let bearer = "Bearer realm=\"Homecoming\"";
    for (what, token, more, expected) in [
        (
            "a scope for something else",
            text(&narrow, "access_token"),
            vec![],
            (
                403,
                "insufficient_scope",
                format!("{bearer}, error=\"insufficient_scope\""),
            ),
        ),
        (
            "its own token",
            &token,
            vec![],
            (
                403,
                "insufficient_scope",
                format!("{bearer}, error=\"insufficient_scope\""),
            ),
        ),
        (
            "no token of ours",
            "hc_nothing",
            vec![],
            (
                401,
                "invalid_token",
                format!("{bearer}, error=\"invalid_token\""),
            ),
        ),
        (
            "nothing",
            "",
            vec![],
            (401, "invalid_client", format!("{basic}, {bearer}")),
        ),
        (
            "two ways",
            text(&gate, "access_token"),
            vec![("client_assertion", "x")],
            (400, "invalid_request", String::new()),
        ),
    ] {
        let (status, said, challenges) = by(token, &more);
        assert_eq!(
            (status, text(&said, "error"), challenges),
            expected,
            "{what}: {said}"
        );
    }

    assert_eq!(
        ask("/oauth/revoke", "other", 9, &token).0,
        200,
        "somebody else's"
    );
    assert_eq!(
        get(&served.url("/fhir/Patient?_count=1"), Some(&token)).0,
        200
    );
    assert_eq!(ask("/oauth/revoke", "lab", 7, &token).0, 200);
    assert_eq!(
        get(&served.url("/fhir/Patient?_count=1"), Some(&token)).0,
        401,
        "at once"
    );
    let (_, said) = ask("/oauth/introspect", "lab", 7, &token);
    assert_eq!(said, json!({ "active": false }));
}

#[test]
fn the_configuration_says_what_there_is() {
    let folder = Folder::new("smart-discovery");
    let (data, _) = programme(&folder);
    let served = Served::start(&data);
    let own = served.url("");
    for path in [
        "/.well-known/smart-configuration",
        "/fhir/.well-known/smart-configuration",
    ] {
        let (status, body) = get(&served.url(path), None);
        assert_eq!(status, 200, "{body}");
        let said: Json = serde_json::from_str(&body).expect("JSON");
        assert_eq!(text(&said, "issuer"), own);
        assert_eq!(text(&said, "token_endpoint"), served.url("/oauth/token"));
        assert_eq!(said["code_challenge_methods_supported"], json!(["S256"]));
    }
    let (_, statement) = get(&served.url("/fhir/metadata"), None);
    let statement: Json = serde_json::from_str(&statement).expect("JSON");
    let uris = &statement["rest"][0]["security"]["extension"][0];
    assert_eq!(
        uris["url"],
        "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    );
    assert_eq!(uris["extension"][1]["valueUri"], served.url("/oauth/token"));
    // What OpenID Connect Discovery 1.0 requires, or takes to be otherwise if it is not said.
    let (status, body) = get(&served.url("/.well-known/openid-configuration"), None);
    assert_eq!(status, 200, "{body}");
    let said: Json = serde_json::from_str(&body).expect("JSON");
    for (name, expected) in [
        ("issuer", json!(own)),
        (
            "authorization_endpoint",
            json!(served.url("/oauth/authorize")),
        ),
        ("token_endpoint", json!(served.url("/oauth/token"))),
        ("jwks_uri", json!(served.url("/oauth/jwks"))),
        ("response_types_supported", json!(["code"])),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
        ("request_uri_parameter_supported", json!(false)),
    ] {
        assert_eq!(said[name], expected, "{name}: {said}");
    }
    // A key for id_tokens is there as soon as an app may get one, and not before.
    let key_file = std::path::Path::new(&data).join("keys/tokens.keys");
    let keys = || -> Json {
        let (status, keys) = get(&served.url("/oauth/jwks"), None);
        assert_eq!(status, 200, "{keys}");
        serde_json::from_str(&keys).expect("JSON")
    };
    assert_eq!(keys(), json!({ "keys": [] }));
    assert!(!key_file.exists());
    super::apps::register(&served, &data, "chart", "patient/*.rs openid", &[]);
    let set = keys();
    let key = &set["keys"][0];
    assert_eq!(key["kty"], "RSA");
    assert_eq!(key["alg"], "RS256");
    let modulus = URL_SAFE_NO_PAD.decode(text(key, "n")).expect("base64");
    assert_eq!((modulus.len(), modulus[0] >> 7), (256, 1));
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(key[private].is_null(), "the private key is out: {private}");
    }
    assert_eq!(keys(), set, "it stays");
    // A configured address is the one that counts, whatever a request says.
    drop(served);
    let served = Served::start_with(&data, &["--base", "https://record.example"]);
    let (_, body) = get(&served.url("/.well-known/smart-configuration"), None);
    assert!(
        body.contains("\"issuer\":\"https://record.example\""),
        "{body}"
    );
}
