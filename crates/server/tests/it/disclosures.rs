//! Every address of the server, asked once: what gives something out is on the access log before
//! it is given, and what gives nothing out is on a short list (`disclosures/nothing.txt`).

use std::collections::BTreeSet;
use std::path::Path;

use ledger::access::AccessLog;

use crate::people::Person;
use crate::served::{Folder, Served, homecoming_done, programme};

/// The sources that routes stand in.
const SOURCES: [&str; 5] = [
    include_str!("../../src/router.rs"),
    include_str!("../../src/oauth.rs"),
    include_str!("../../src/transparency.rs"),
    include_str!("../../src/metrics.rs"),
    include_str!("../../src/pages.rs"),
];

/// Where the pages' addresses have names.
const PATHS: &str = include_str!("../../src/web/path.rs");

const NOTHING: &str = include_str!("disclosures/nothing.txt");

/// Who asks.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Client,
    Officer,
    /// A caseworker whose case `p` is.
    Caseworker,
    Inspector,
    Nobody,
}

/// What is expected on the access log: nothing, or a way of giving out and how many versions.
type Expected = Option<(&'static str, u64)>;

struct Row {
    method: &'static str,
    route: &'static str,
    who: Who,
    path: &'static str,
    body: &'static str,
    expected: Expected,
}

const fn row(
    method: &'static str,
    route: &'static str,
    who: Who,
    path: &'static str,
    body: &'static str,
    expected: Expected,
) -> Row {
    Row {
        method,
        route,
        who,
        path,
        body,
        expected,
    }
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:t","value":"1"}],
    "generalPractitioner":[{"reference":"Practitioner/w"}]}"#;
const BATCH: &str = r#"{"resourceType":"Bundle","type":"batch","entry":[
    {"request":{"method":"GET","url":"Patient/p"}},
    {"request":{"method":"GET","url":"Observation?patient=p"}}]}"#;
const TRANSACTION: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
    {"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:t|1"}},
    {"request":{"method":"GET","url":"Observation/o"}}]}"#;
const ERASURE: &str = "person=p&scope=record&basis=gdpr-17-1-b&citation=written+withdrawal+of+consent,+file+note&examined=yes";
const RULE: &str = "text=@id(%22less%22)+@because(%22Less.%22)+forbid+(principal,+action+%3D%3D+Action::%22govern%22,+resource)+when+%7B+context.untold+%7D;&against=0&why=The+board+decided+so.";
const APP: &str = "name=chart&scope=patient/*.rs+launch+launch/patient&purpose=TREAT&proof=public&redirects=https://app.example/back&launch=https://app.example/launch";
const ASKS: &str = "response_type=code&client_id=chart&redirect_uri=https://app.example/back&scope=patient/*.rs+launch/patient&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&person=p&aud=";
/// A form with a file, as browsers send it; `{from}` and `{to}` are days around the present one.
const WARRANT: &str = "--x\r\nContent-Disposition: form-data; name=\"inspector\"\r\n\r\nuser/4\r\n\
    --x\r\nContent-Disposition: form-data; name=\"issuer\"\r\n\r\nInspector General\r\n\
    --x\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\nIG-7\r\n\
    --x\r\nContent-Disposition: form-data; name=\"persons\"\r\n\r\np\r\n\
    --x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\ncare\r\n\
    --x\r\nContent-Disposition: form-data; name=\"from\"\r\n\r\n{from}\r\n\
    --x\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n{to}\r\n\
    --x\r\nContent-Disposition: form-data; name=\"paper\"; filename=\"p.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
    %PDF-1.7 a paper\r\n--x--\r\n";
const COVER: &str =
    "owner=Practitioner/w&delegate=Practitioner/w2&whose=all&from={from}&to={to}&why=annual+leave";
const WRITES: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
    {"resource":{"resourceType":"Basic","id":"b","code":{"text":"x"}},"request":{"method":"PUT","url":"Basic/b"}}]}"#;

use Who::{Caseworker, Client, Inspector, Nobody, Officer};

/// Addresses of forms that change the record: here they are sent so that they do.
const STEPS: [&str; 4] = ["/erasures", "/warrants", "/break-glass", "/cover"];

/// One request for each method of each route, in order; some routes have several ways.
const ROWS: &[Row] = &[
    row(
        "PUT",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Patient/p",
        PATIENT,
        None,
    ),
    row(
        "PUT",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Observation/o",
        r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#,
        None,
    ),
    row("POST", "/fhir", Client, "/fhir", BATCH, Some(("bundle", 2))),
    row(
        "POST",
        "/fhir",
        Client,
        "/fhir",
        TRANSACTION,
        Some(("bundle", 1)),
    ),
    row("POST", "/fhir", Client, "/fhir", WRITES, None),
    row(
        "POST",
        "/fhir/",
        Client,
        "/fhir/",
        BATCH,
        Some(("bundle", 2)),
    ),
    row("GET", "/fhir/metadata", Nobody, "/fhir/metadata", "", None),
    row(
        "GET",
        "/fhir/{kind}",
        Client,
        "/fhir/Observation?patient=p&_include=Observation:subject",
        "",
        Some(("search", 2)),
    ),
    row(
        "GET",
        "/fhir/{kind}",
        Client,
        "/fhir/Observation?_summary=count",
        "",
        Some(("search", 0)),
    ),
    row(
        "GET",
        "/fhir/{kind}",
        Client,
        "/fhir/AuditEvent?patient=p",
        "",
        Some(("search", 3 + 1)),
    ),
    row(
        "POST",
        "/fhir/{kind}",
        Client,
        "/fhir/Basic",
        r#"{"resourceType":"Basic","code":{"text":"x"}}"#,
        None,
    ),
    row(
        "POST",
        "/fhir/{kind}",
        Client,
        "/fhir/Patient?if-none-exist",
        r#"{"resourceType":"Patient"}"#,
        Some(("found", 1)),
    ),
    row(
        "PUT",
        "/fhir/{kind}",
        Client,
        "/fhir/Patient?identifier=urn:t|1",
        PATIENT,
        None,
    ),
    row(
        "DELETE",
        "/fhir/{kind}",
        Client,
        "/fhir/Basic?_id=none",
        "",
        None,
    ),
    row(
        "POST",
        "/fhir/{kind}/_search",
        Client,
        "/fhir/Observation/_search",
        "patient=p",
        Some(("search", 1)),
    ),
    row(
        "POST",
        "/fhir/{kind}/$validate",
        Client,
        "/fhir/Patient/$validate",
        PATIENT,
        None,
    ),
    row(
        "POST",
        "/fhir/{kind}/$promise",
        Client,
        "/fhir/Patient/$promise",
        PATIENT,
        None,
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Patient/p",
        "",
        Some(("read", 1)),
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Patient/p?not-modified",
        "",
        Some(("read", 0)),
    ),
    row(
        "HEAD",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Patient/p",
        "",
        Some(("read", 0)),
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Patient/nobody",
        "",
        None,
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/AuditEvent/access-0",
        "",
        Some(("read", 1)),
    ),
    row(
        "DELETE",
        "/fhir/{kind}/{id}",
        Client,
        "/fhir/Basic/b",
        "",
        None,
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}/_history",
        Client,
        "/fhir/Patient/p/_history",
        "",
        Some(("history", 2)),
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}/_history/{version}",
        Client,
        "/fhir/Patient/p/_history/1",
        "",
        Some(("version", 1)),
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}/$receipt",
        Client,
        "/fhir/Patient/p/$receipt",
        "",
        Some(("receipt", 1)),
    ),
    row(
        "GET",
        "/fhir/{kind}/{id}/_history/{version}/$receipt",
        Client,
        "/fhir/Patient/p/_history/1/$receipt",
        "",
        Some(("receipt", 1)),
    ),
    row("GET", "/", Nobody, "/", "", None),
    row("GET", "/sign-in", Nobody, "/sign-in", "", None),
    row("POST", "/sign-in", Nobody, "/sign-in", "code=wrong", None),
    row("GET", "/caseload", Nobody, "/caseload", "", None),
    row(
        "GET",
        "/caseload",
        Officer,
        "/caseload",
        "",
        Some(("page", 0)),
    ),
    row("GET", "/find", Officer, "/find?q=1", "", Some(("page", 0))),
    row("GET", "/record", Officer, "/record", "", Some(("page", 0))),
    row(
        "GET",
        "/record/checkpoint",
        Officer,
        "/record/checkpoint",
        "",
        None,
    ),
    row("GET", "/record/key", Officer, "/record/key", "", None),
    row(
        "GET",
        "/people/{id}",
        Caseworker,
        "/people/p",
        "",
        Some(("page", 3)),
    ),
    row(
        "GET",
        "/people/{id}",
        Caseworker,
        "/people/nobody",
        "",
        None,
    ),
    row(
        "GET",
        "/people/{id}/timelines",
        Caseworker,
        "/people/p/timelines",
        "",
        Some(("page", 3)),
    ),
    row(
        "GET",
        "/entries/{position}",
        Caseworker,
        "/entries/2",
        "",
        Some(("page", 1)),
    ),
    row(
        "GET",
        "/entries/{position}/receipt",
        Caseworker,
        "/entries/2/receipt",
        "",
        Some(("receipt", 1)),
    ),
    row(
        "GET",
        "/people/{id}/export",
        Officer,
        "/people/p/export",
        "",
        Some(("export", u64::MAX)),
    ),
    row(
        "GET",
        "/people/{id}/access",
        Officer,
        "/people/p/access",
        "",
        Some(("page", u64::MAX)),
    ),
    row(
        "GET",
        "/access",
        Officer,
        "/access",
        "",
        Some(("page", u64::MAX)),
    ),
    row(
        "GET",
        "/access/{position}",
        Officer,
        "/access/0",
        "",
        Some(("page", 1)),
    ),
    row(
        "GET",
        "/access/{position}/receipt",
        Officer,
        "/access/0/receipt",
        "",
        Some(("receipt", 1)),
    ),
    row(
        "GET",
        "/access/{position}/seen",
        Officer,
        "/access/2/seen",
        "",
        Some(("seen", 2)),
    ),
    row(
        "GET",
        "/assets/{name}",
        Nobody,
        "/assets/homecoming.css",
        "",
        None,
    ),
    row(
        "GET",
        "/erasures/new",
        Officer,
        "/erasures/new?person=p",
        "",
        Some(("page", 0)),
    ),
    row("GET", "/policy", Officer, "/policy", "", Some(("page", 0))),
    row(
        "POST",
        "/policy/try",
        Officer,
        "/policy/try",
        RULE,
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/policy/edit",
        Officer,
        "/policy/edit",
        RULE,
        Some(("page", 0)),
    ),
    row("POST", "/policy", Officer, "/policy", RULE, None),
    row("GET", "/policy", Officer, "/policy", "", Some(("page", 1))),
    row("POST", "/erasures", Officer, "/erasures", ERASURE, None),
    row(
        "GET",
        "/erasures",
        Officer,
        "/erasures",
        "",
        Some(("page", 0)),
    ),
    row(
        "GET",
        "/erasures/{id}",
        Officer,
        "/erasures/{made}",
        "",
        Some(("page", u64::MAX)),
    ),
    row(
        "POST",
        "/erasures/{id}/{step}",
        Officer,
        "/erasures/{made}/withdraw",
        "why=asked+for+in+error",
        None,
    ),
    row(
        "GET",
        "/.well-known/smart-configuration",
        Nobody,
        "/.well-known/smart-configuration",
        "",
        None,
    ),
    row(
        "GET",
        "/fhir/.well-known/smart-configuration",
        Nobody,
        "/fhir/.well-known/smart-configuration",
        "",
        None,
    ),
    row("GET", "/oauth/jwks", Nobody, "/oauth/jwks", "", None),
    row("POST", "/oauth/token", Nobody, "/oauth/token", "", None),
    row("POST", "/oauth/revoke", Nobody, "/oauth/revoke", "", None),
    row(
        "POST",
        "/oauth/introspect",
        Nobody,
        "/oauth/introspect",
        "",
        None,
    ),
    row("POST", "/apps", Officer, "/apps", APP, None),
    row(
        "POST",
        "/apps/{name}",
        Officer,
        "/apps/chart?change",
        APP,
        None,
    ),
    row("GET", "/apps", Officer, "/apps", "", None),
    row("GET", "/apps/new", Officer, "/apps/new", "", None),
    row("GET", "/apps/{name}", Officer, "/apps/chart", "", None),
    row(
        "GET",
        "/apps/mine",
        Officer,
        "/apps/mine",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/apps/mine/{grant}",
        Officer,
        "/apps/mine/1",
        "",
        None,
    ),
    row(
        "GET",
        "/people/{id}/apps",
        Officer,
        "/people/p/apps",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/people/{id}/apps/{name}",
        Officer,
        "/people/p/apps/chart",
        "",
        None,
    ),
    row(
        "GET",
        "/oauth/authorize",
        Officer,
        "/oauth/authorize?{app}",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/oauth/authorize",
        Officer,
        "/oauth/authorize",
        "",
        None,
    ),
    row(
        "POST",
        "/apps/{name}/{step}",
        Officer,
        "/apps/chart/disable",
        "",
        None,
    ),
    row("GET", "/metrics", Nobody, "/metrics", "", None),
    row(
        "GET",
        "/log/{slug}/{*rest}",
        Nobody,
        "/log/test-programme/checkpoint",
        "",
        None,
    ),
    row(
        "GET",
        "/log/{slug}/{*rest}",
        Nobody,
        "/log/test-programme/access/key",
        "",
        None,
    ),
    row(
        "POST",
        "/purpose",
        Caseworker,
        "/purpose",
        "purpose=COC&next=/caseload",
        None,
    ),
    row(
        "GET",
        "/warrants/new",
        Officer,
        "/warrants/new?person=p",
        "",
        Some(("page", 0)),
    ),
    row("POST", "/warrants", Officer, "/warrants", WARRANT, None),
    row(
        "GET",
        "/warrants",
        Officer,
        "/warrants",
        "",
        Some(("page", 0)),
    ),
    row(
        "GET",
        "/warrants/{id}",
        Officer,
        "/warrants/{made}",
        "",
        Some(("page", u64::MAX)),
    ),
    row(
        "GET",
        "/warrants/{id}/paper",
        Officer,
        "/warrants/{made}/paper",
        "",
        Some(("page", 1)),
    ),
    row(
        "GET",
        "/inspection",
        Inspector,
        "/inspection",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/warrants/{id}/{step}",
        Officer,
        "/warrants/{made}/revoke",
        "why=entered+in+error",
        None,
    ),
    row(
        "GET",
        "/people/{id}/break-glass",
        Caseworker,
        "/people/p/break-glass",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/people/{id}/break-glass",
        Caseworker,
        "/people/p/break-glass",
        "need=emergency&minutes=30&why=called+from+the+bridge,+nobody+reachable",
        None,
    ),
    row(
        "GET",
        "/break-glass",
        Officer,
        "/break-glass",
        "",
        Some(("page", 0)),
    ),
    row(
        "GET",
        "/break-glass/{id}",
        Officer,
        "/break-glass/{made}",
        "",
        Some(("page", 1)),
    ),
    row(
        "POST",
        "/break-glass/{id}/{step}",
        Caseworker,
        "/break-glass/{made}/end",
        "x=",
        None,
    ),
    row("POST", "/cover", Caseworker, "/cover", COVER, None),
    row("GET", "/cover", Caseworker, "/cover", "", Some(("page", 0))),
    row(
        "POST",
        "/cover/{id}/{step}",
        Caseworker,
        "/cover/{made}/end",
        "x=",
        None,
    ),
    row(
        "GET",
        "/figures",
        Officer,
        "/figures",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/sign-in/passkey",
        Nobody,
        "/sign-in/passkey",
        "{}",
        None,
    ),
    row(
        "POST",
        "/sign-in/passkey/done",
        Nobody,
        "/sign-in/passkey/done",
        r#"{"answer":{}}"#,
        None,
    ),
    row(
        "GET",
        "/sign-in/organisation",
        Nobody,
        "/sign-in/organisation?name=none",
        "",
        None,
    ),
    row(
        "GET",
        "/sign-in/organisation/back",
        Nobody,
        "/sign-in/organisation/back?code=x&state=y",
        "",
        None,
    ),
    row("GET", "/enrol", Nobody, "/enrol", "", None),
    row("POST", "/enrol", Nobody, "/enrol", "code=wrong", None),
    row(
        "POST",
        "/enrol/password",
        Nobody,
        "/enrol/password",
        "password=x",
        None,
    ),
    row(
        "POST",
        "/enrol/passkey",
        Nobody,
        "/enrol/passkey",
        "{}",
        None,
    ),
    row(
        "POST",
        "/enrol/passkey/done",
        Nobody,
        "/enrol/passkey/done",
        r#"{"answer":{}}"#,
        None,
    ),
    row(
        "GET",
        "/enrol/organisation",
        Nobody,
        "/enrol/organisation?name=none",
        "",
        None,
    ),
    row("GET", "/account", Officer, "/account", "", None),
    row(
        "POST",
        "/account/sessions",
        Officer,
        "/account/sessions",
        "session=others",
        None,
    ),
    row(
        "POST",
        "/account/ways",
        Officer,
        "/account/ways",
        "password=remove",
        None,
    ),
    row(
        "POST",
        "/account/notices",
        Officer,
        "/account/notices",
        "upto=1",
        None,
    ),
    row("GET", "/account/again", Officer, "/account/again", "", None),
    row(
        "POST",
        "/account/again",
        Officer,
        "/account/again",
        "password=x&one-time=000000",
        None,
    ),
    row(
        "POST",
        "/account/again/passkey",
        Officer,
        "/account/again/passkey",
        "{}",
        None,
    ),
    row(
        "POST",
        "/account/again/passkey/done",
        Officer,
        "/account/again/passkey/done",
        r#"{"answer":{}}"#,
        None,
    ),
    row(
        "POST",
        "/account/session",
        Officer,
        "/account/session",
        "",
        None,
    ),
    row("GET", "/drafts", Officer, "/drafts", "", None),
    row(
        "POST",
        "/drafts/drop",
        Officer,
        "/drafts/drop",
        "draft=1",
        None,
    ),
    row(
        "POST",
        "/users",
        Officer,
        "/users",
        "name=In+Care&role=participant&patient=p",
        Some(("page", 0)),
    ),
    row("GET", "/users", Officer, "/users", "", Some(("page", 0))),
    row(
        "GET",
        "/users/{id}",
        Officer,
        "/users/4",
        "",
        Some(("page", 0)),
    ),
    row(
        "POST",
        "/users/{id}/{step}",
        Officer,
        "/users/4/code",
        "",
        Some(("page", 0)),
    ),
    row(
        "GET",
        "/entries/{position}/sign",
        Caseworker,
        "/entries/1/sign",
        "",
        Some(("page", 1)),
    ),
    row(
        "POST",
        "/entries/{position}/sign",
        Caseworker,
        "/entries/1/sign",
        "meaning=reviewed&password=x",
        None,
    ),
    row(
        "POST",
        "/entries/{position}/sign/passkey",
        Caseworker,
        "/entries/1/sign/passkey",
        "{}",
        None,
    ),
    row(
        "POST",
        "/entries/{position}/sign/passkey/done",
        Caseworker,
        "/entries/1/sign/passkey/done",
        r#"{"answer":{}}"#,
        None,
    ),
    row("POST", "/sign-out", Nobody, "/sign-out", "", None),
];

/// The keys of a data directory, to read beside its server.
pub fn keys(data: &str) -> ledger::Keys {
    ledger::open_keys(Path::new(data), None).expect("the keys open")
}

/// Every method and route that the sources name.
pub fn routes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in SOURCES {
        for part in source.split(".route(").skip(1) {
            let mut depth = 1;
            let end = part
                .find(|c| {
                    depth += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    depth == 0
                })
                .expect("it ends");
            let (address, handlers) = part[..end].split_once(',').expect("a route has a handler");
            let address = match address.trim().strip_prefix("path::") {
                None => address.trim().trim_matches('"').to_owned(),
                Some(name) => {
                    let line = format!("pub const {name}: &str = \"");
                    let at = PATHS.find(&line).expect("the address has a name") + line.len();
                    PATHS[at..].split('"').next().expect("text").to_owned()
                }
            };
            let mut methods = 0;
            for method in ["get", "post", "put", "delete"] {
                let call = format!("{method}(");
                let begins = handlers.trim_start().starts_with(&call);
                if begins || handlers.contains(&format!(".{call}")) {
                    found.insert(format!("{} {address}", method.to_uppercase()));
                    methods += 1;
                }
            }
            assert!(
                methods > 0,
                "{address} is asked in a way that this test does not know"
            );
        }
    }
    found
}

#[test]
fn every_route_is_asked_and_either_recorded_or_listed() {
    let routes = routes();
    assert!(routes.len() > 30, "the routes are not found any more");
    let asked = |row: &&Row| row.method != "HEAD";
    let rows: BTreeSet<String> = ROWS
        .iter()
        .filter(asked)
        .map(|row| format!("{} {}", row.method, row.route))
        .collect();
    assert_eq!(
        rows, routes,
        "a route without a row, or a row without a route"
    );
    let recorded: BTreeSet<String> = ROWS
        .iter()
        .filter(|row| row.expected.is_some())
        .map(|row| format!("{} {}", row.method, row.route))
        .collect();
    let silent: Vec<&String> = rows.iter().filter(|row| !recorded.contains(*row)).collect();
    let listed: Vec<&str> = NOTHING.lines().collect();
    assert_eq!(silent, listed, "tests/it/disclosures/nothing.txt");
}

#[test]
fn what_is_given_out_is_on_the_log_before_it_is_given() {
    let folder = Folder::new("disclosures");
    let (data, token) = programme(&folder);
    let added = homecoming_done(&["user", "add", "Asker", "--data", &data, "--role", "officer"]);
    let code = added.lines().last().expect("a code").to_owned();
    let added = homecoming_done(&[
        "user",
        "add",
        "Carer",
        "--data",
        &data,
        "--role",
        "caseworker",
        "--practitioner",
        "w",
    ]);
    let carer_code = added.lines().last().expect("a code").to_owned();
    let words = [
        "user",
        "add",
        "Inspector",
        "--data",
        &data,
        "--role",
        "inspector",
    ];
    let added = homecoming_done(&words);
    let inspector_code = added.lines().last().expect("a code").to_owned();
    let words = [
        "user",
        "add",
        "Cover",
        "--data",
        &data,
        "--role",
        "caseworker",
    ];
    homecoming_done(&[&words[..], &["--practitioner", "w2"]].concat());
    let served = Served::start(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let officer = Person::enrol(&served, "Asker", &code).browser.cookies();
    let carer = Person::enrol(&served, "Carer", &carer_code)
        .browser
        .cookies();
    let inspector = Person::enrol(&served, "Inspector", &inspector_code)
        .browser
        .cookies();
    let now = server::clock::Clock::System.now().0;
    let day = |days: i64| server::web::when::iso_day(now + days * casework::DAY);
    let (from, to) = (day(-1), day(30));
    let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");

    let mut made = String::new();
    for row in ROWS {
        let asks = format!("{ASKS}{}", served.url("/fhir"));
        let path = &row.path.replace("{made}", &made).replace("{app}", &asks);
        let before = log.size().expect("it reads");
        let mut request = ureq::http::Request::builder().method(row.method).uri(
            served.url(
                &path
                    .replace("?if-none-exist", "")
                    .replace("?not-modified", "")
                    .replace('|', "%7C"),
            ),
        );
        request = match row.who {
            Client => request.header("Authorization", format!("Bearer {token}")),
            Officer => request.header("Cookie", &officer),
            Caseworker => request.header("Cookie", &carer),
            Inspector => request.header("Cookie", &inspector),
            Nobody => request,
        };
        if path.ends_with("?if-none-exist") {
            request = request
                .header("If-None-Exist", "identifier=urn:t|1")
                .header("Prefer", "return=representation");
        }
        if path.ends_with("?not-modified") {
            request = request.header("If-None-Match", "W/\"2\"");
        }
        let is_form = !row.body.starts_with('{');
        let body = row.body.replace("{from}", &from).replace("{to}", &to);
        request = match (row.body.is_empty(), is_form) {
            (true, _) => request,
            _ if row.body.starts_with("--x") => {
                request.header("Content-Type", "multipart/form-data; boundary=x")
            }
            (_, true) => request.header("Content-Type", "application/x-www-form-urlencoded"),
            _ => request.header("Content-Type", "application/fhir+json"),
        };
        let name = format!("{} {}", row.method, path);
        let mut answer = match body.as_str() {
            "" => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body).expect("a request")),
        }
        .unwrap_or_else(|error| panic!("{name}: {error}"));
        let status = answer.status().as_u16();
        if let Some(at) = answer.headers().get("location") {
            let at = at.to_str().expect("text");
            made = at.rsplit('/').next().unwrap_or_default().to_owned();
        }
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        for link in ["href=\"/break-glass/", "action=\"/cover/"] {
            let found = text.split(link).nth(1);
            let found = found.and_then(|rest| rest.split(['/', '"']).next());
            made = found.map_or(made, str::to_owned);
        }
        assert_ne!(status, 500, "{name}: {text}");
        let now = log.size().expect("it reads");
        let Some((what, versions)) = row.expected else {
            assert_eq!(now, before, "{name} ({status}) is on the access log");
            let is_step = STEPS.iter().any(|steps| path.contains(steps));
            assert!(!is_step || status == 303, "{name}: {status} {text}");
            continue;
        };
        assert!(status < 400, "{name}: {status} {text}");
        assert_eq!(now, before + 1, "{name} is not on the access log just once");
        // Keys that were made since are read anew.
        let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");
        let one = log.leaf(before).expect("it reads").expect("it is there");
        assert_eq!(one.leaf.what.as_str(), what, "{name}");
        if versions != u64::MAX {
            assert_eq!(one.leaf.versions, versions, "{name}: {:?}", one.told);
        }
        let actor = match row.who {
            Client => "client/tests",
            Caseworker => "Practitioner/w",
            Inspector => "user/4",
            Officer | Nobody => "user/2",
        };
        assert_eq!(one.leaf.actor, actor, "{name}");
        let told = one.told.expect("nobody is erased");
        let asked = path.split('?').next().expect("a path");
        assert!(
            told.address.starts_with(asked.trim_end_matches("/_search")),
            "{name}: {}",
            told.address
        );
    }
}

/// Everything that an officer is shown can be drawn again, and is just what the log lists.
#[test]
fn what_was_seen_is_drawn_again_as_it_was() {
    let folder = Folder::new("seen");
    let data = folder.join("demo");
    let served = Served::demo(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let sign_in = |code: &str| {
        let answer = agent
            .post(served.url("/sign-in"))
            .send_form([("code", code)])
            .expect("the server answers");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().unwrap_or_default().to_owned()
    };
    let get = |cookie: &str, path: &str| {
        let mut answer = agent
            .get(served.url(path))
            .header("Cookie", cookie)
            .call()
            .expect("the server answers");
        let text = answer.body_mut().read_to_string().expect("a page is text");
        (answer.status().as_u16(), text)
    };
    let main = |page: &str| {
        let at = page
            .find("<div class=\"columns\">")
            .or_else(|| page.find("<main"))
            .expect("a page");
        page[at..].to_owned()
    };
    let caseworker = sign_in("demo-caseworker-1");
    let supervisor = sign_in("demo-supervisor");
    let log = AccessLog::open(Path::new(&data), keys(&data)).expect("the access log");
    let (_, caseload) = get(&caseworker, "/caseload");
    let at = caseload.find("href=\"/people/").expect("a person") + 6;
    let person = caseload[at..]
        .split(['"', '?'])
        .next()
        .expect("a link")
        .to_owned();
    let (_, page) = get(&caseworker, &person);
    let at = page.find("href=\"/entries/").expect("an entry") + 6;
    let entry = page[at..]
        .split(['"', '?'])
        .next()
        .expect("a link")
        .to_owned();
    for path in [
        "/caseload".to_owned(),
        "/caseload?_asof=2026-06-01".to_owned(),
        "/find?q=a".to_owned(),
        "/record".to_owned(),
        person.clone(),
        format!("{person}?_asof=2026-09-01"),
        format!("{person}/timelines"),
        format!("{person}/timelines?_asof=2026-09-15"),
        format!("{person}/access"),
        entry.clone(),
    ] {
        let leaf = log.size().expect("it reads");
        let (status, before) = get(&caseworker, &path);
        assert_eq!(status, 200, "{path}");
        let (status, _) = get(&caseworker, &format!("/access/{leaf}/seen"));
        assert_eq!(
            status, 403,
            "{path}: a caseworker may not see what others saw"
        );
        let (status, again) = get(&supervisor, &format!("/access/{leaf}/seen"));
        assert_eq!(status, 200, "{path}: {again}");
        assert!(
            again.contains("<body class=\"then\">"),
            "{path}: it could be mistaken for now"
        );
        assert!(again.contains("Shown again: "), "{path}");
        assert!(
            !again.contains("What is drawn here gives out other"),
            "{path}: it is drawn differently"
        );
        if path == entry {
            // Nothing in it depends on the frame but links: the words are the same.
            let words = |page: &str| {
                let text = main(page);
                let mut out = String::new();
                let mut inside = false;
                for c in text.split("<footer").next().expect("a page").chars() {
                    match c {
                        '<' => inside = true,
                        '>' => inside = false,
                        c if !inside => out.push(c),
                        _ => {}
                    }
                }
                out
            };
            assert_eq!(words(&before), words(&again));
        }
    }
}
