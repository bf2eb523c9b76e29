//! Every route, asked by everybody: the outcome is a table in the tree, so that a no which becomes a yes is
//! a line in a diff. What is open to whoever comes along is on a short list by name.
//!
//! `ROUTES_WRITE=1 cargo test -p homecoming --test it routes` writes the table anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::disclosures;
use crate::permits::Ward;

const TABLE: &str = include_str!("routes/table.txt");

/// What is open to nobody in particular, and why.
const OPEN: &[(&str, &str)] = &[
    (
        "GET /.well-known/smart-configuration",
        "a client reads it to learn how to get a token",
    ),
    (
        "GET /fhir/.well-known/smart-configuration",
        "the same, where FHIR's base is",
    ),
    (
        "GET /.well-known/openid-configuration",
        "the same, for whoever has an id_token",
    ),
    ("GET /oauth/jwks", "public keys"),
    (
        "GET /oauth/authorize",
        "what an app asks for is checked before one signs in",
    ),
    ("POST /oauth/token", "a client shows there who it is"),
    ("POST /oauth/revoke", "a client shows there who it is"),
    ("GET /enrol", "one enrols there, with a code"),
    (
        "POST /enrol/passkey/done",
        "without a ceremony that was begun there is nothing to end",
    ),
    ("POST /sign-in/passkey", "one signs in there"),
    ("POST /sign-in/passkey/done", "one signs in there"),
    ("GET /assets/{name}", "the files of the program itself"),
    (
        "GET /fhir/metadata",
        "a client reads it to learn how to sign in",
    ),
    (
        "GET /log/{slug}/{*rest}",
        "checkpoints and keys are for everybody to keep",
    ),
    (
        "GET /metrics",
        "how the machine does, and nothing of anybody",
    ),
    ("GET /sign-in", "one signs in there"),
];

/// Where each route is asked: about the person who is `hers`. Forms come empty: who may use them is
/// told apart from who may not by what they are refused for.
const PATHS: &[(&str, &str)] = &[
    ("/", "/"),
    ("/access", "/access"),
    ("/access/{position}", "/access/{leaf}"),
    ("/access/{position}/receipt", "/access/{leaf}/receipt"),
    ("/access/{position}/seen", "/access/{leaf}/seen"),
    (
        "/.well-known/smart-configuration",
        "/.well-known/smart-configuration",
    ),
    (
        "/fhir/.well-known/smart-configuration",
        "/fhir/.well-known/smart-configuration",
    ),
    (
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration",
    ),
    ("/apps", "/apps"),
    ("/apps/mine", "/apps/mine"),
    ("/apps/mine/{grant}", "/apps/mine/1"),
    ("/apps/new", "/apps/new"),
    ("/apps/{name}", "/apps/none"),
    ("/apps/{name}/{step}", "/apps/none/disable"),
    ("/oauth/authorize", "/oauth/authorize"),
    ("/oauth/introspect", "/oauth/introspect"),
    ("/oauth/jwks", "/oauth/jwks"),
    ("/oauth/revoke", "/oauth/revoke"),
    ("/oauth/token", "/oauth/token"),
    ("/people/{id}/apps", "/people/a/apps"),
    ("/people/{id}/apps/{name}", "/people/a/apps/none"),
    ("/assets/{name}", "{asset}"),
    ("/break-glass", "/break-glass"),
    ("/break-glass/{id}", "/break-glass/none"),
    ("/break-glass/{id}/{step}", "/break-glass/none/end"),
    ("/caseload", "/caseload"),
    ("/cover", "/cover"),
    ("/cover/{id}/{step}", "/cover/none/end"),
    ("/disputes/{id}", "/disputes/none"),
    ("/disputes/{id}/{step}", "/disputes/none/agree"),
    ("/entries/{position}/dispute", "/entries/{entry}/dispute"),
    ("/entries/{position}", "/entries/{entry}"),
    ("/entries/{position}/receipt", "/entries/{entry}/receipt"),
    ("/erasures", "/erasures"),
    ("/erasures/new", "/erasures/new?person=a"),
    ("/erasures/{id}", "/erasures/none"),
    ("/erasures/{id}/{step}", "/erasures/none/approve"),
    ("/fhir", "/fhir"),
    ("/fhir/", "/fhir/"),
    ("/fhir/metadata", "/fhir/metadata"),
    ("/fhir/{kind}", "/fhir/Observation?patient=a"),
    (
        "/fhir/{kind}/_search",
        "/fhir/Observation/_search?patient=a",
    ),
    ("/fhir/{kind}/$promise", "/fhir/Observation/$promise"),
    ("/fhir/{kind}/$validate", "/fhir/Observation/$validate"),
    (
        "/fhir/{kind}/{id}/$validate",
        "/fhir/Observation/o/$validate",
    ),
    ("/fhir/{kind}/{id}", "/fhir/Observation/care-of-a"),
    (
        "/fhir/{kind}/{id}/_history",
        "/fhir/Observation/care-of-a/_history",
    ),
    (
        "/fhir/{kind}/{id}/_history/{version}",
        "/fhir/Observation/care-of-a/_history/1",
    ),
    (
        "/fhir/{kind}/{id}/$receipt",
        "/fhir/Observation/care-of-a/$receipt",
    ),
    (
        "/fhir/{kind}/{id}/_history/{version}/$receipt",
        "/fhir/Observation/care-of-a/_history/1/$receipt",
    ),
    ("/figures", "/figures"),
    ("/find", "/find?q=okafor"),
    ("/inspection", "/inspection"),
    ("/log/{slug}/{*rest}", "/log/test-programme/checkpoint"),
    ("/metrics", "/metrics"),
    ("/me", "/me"),
    ("/people/{id}/accounting", "/people/a/accounting"),
    ("/people/{id}/accounting.csv", "/people/a/accounting.csv"),
    (
        "/people/{id}/accounting/{suspension}/lift",
        "/people/a/accounting/none/lift",
    ),
    ("/people/{id}/consents", "/people/a/consents"),
    (
        "/people/{id}/consents/new",
        "/people/a/consents/new?about=recording",
    ),
    ("/people/{id}/consents/{consent}", "/people/a/consents/none"),
    (
        "/people/{id}/consents/{consent}/{step}",
        "/people/a/consents/none/withdraw",
    ),
    ("/people/{id}/disputes", "/people/a/disputes"),
    ("/people/{id}", "/people/a"),
    ("/people/{id}/access", "/people/a/access"),
    ("/people/{id}/break-glass", "/people/a/break-glass"),
    ("/people/{id}/export", "/people/a/export"),
    ("/people/{id}/timelines", "/people/a/timelines"),
    ("/policy", "/policy"),
    ("/policy/edit", "/policy/edit"),
    ("/policy/try", "/policy/try"),
    ("/purpose", "/purpose"),
    ("/record", "/record"),
    ("/record/checkpoint", "/record/checkpoint"),
    ("/record/key", "/record/key"),
    ("/sign-in", "/sign-in"),
    ("/sign-in/passkey", "/sign-in/passkey"),
    ("/sign-in/passkey/done", "/sign-in/passkey/done"),
    ("/sign-in/organisation", "/sign-in/organisation?name=none"),
    (
        "/sign-in/organisation/back",
        "/sign-in/organisation/back?code=x&state=y",
    ),
    ("/enrol", "/enrol"),
    ("/enrol/password", "/enrol/password"),
    ("/enrol/passkey", "/enrol/passkey"),
    ("/enrol/passkey/done", "/enrol/passkey/done"),
    ("/enrol/organisation", "/enrol/organisation"),
    ("/account", "/account"),
    ("/account/sessions", "/account/sessions"),
    ("/account/ways", "/account/ways"),
    ("/account/notices", "/account/notices"),
    ("/account/again", "/account/again"),
    ("/account/again/passkey", "/account/again/passkey"),
    ("/account/again/passkey/done", "/account/again/passkey/done"),
    ("/account/again/organisation", "/account/again/organisation"),
    ("/account/session", "/account/session"),
    ("/drafts", "/drafts"),
    ("/drafts/drop", "/drafts/drop"),
    ("/users", "/users"),
    ("/users/{id}", "/users/999"),
    ("/users/{id}/{step}", "/users/999/code"),
    ("/entries/{position}/sign", "/entries/{entry}/sign"),
    (
        "/entries/{position}/sign/passkey",
        "/entries/{entry}/sign/passkey",
    ),
    (
        "/entries/{position}/sign/passkey/done",
        "/entries/{entry}/sign/passkey/done",
    ),
    ("/sign-out", "/sign-out"),
    ("/warrants", "/warrants"),
    ("/warrants/new", "/warrants/new"),
    ("/warrants/{id}", "/warrants/none"),
    ("/warrants/{id}/paper", "/warrants/none/paper"),
    ("/warrants/{id}/{step}", "/warrants/none/revoke"),
];

/// Who asks, in the order of the table's columns.
const COLUMNS: [&str; 13] = [
    "nobody",
    "herself",
    "hers",
    "stranger",
    "doctor",
    "supervisor",
    "inspector",
    "evaluator",
    "sponsor",
    "officer",
    "administrator",
    "token",
    "elsewhere",
];

/// One request, and its outcome in a word: the status, and where it leads to if to signing in.
fn ask(ward: &Ward, column: &str, elsewhere: &Ward, method: &str, path: &str) -> String {
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(ward.served.url(path));
    let cookie = |ward: &Ward, who: &str| {
        let found = ward.cookies.iter().find(|(called, _)| *called == who);
        found.map(|(_, cookie)| cookie.clone())
    };
    match column {
        "nobody" => {}
        "token" => request = request.header("Authorization", format!("Bearer {}", ward.token)),
        "elsewhere" => {
            request = request
                .header("Authorization", format!("Bearer {}", elsewhere.token))
                .header("Cookie", cookie(elsewhere, "officer").expect("an officer"));
        }
        who => request = request.header("Cookie", cookie(ward, who).expect("somebody")),
    }
    // A session that is ended here would be nobody's afterwards.
    if path == "/sign-out" && column != "nobody" {
        return "-".to_owned();
    }
    let request = match method {
        "GET" | "DELETE" => ward.agent.run(request.body(()).expect("a request")),
        _ if path.starts_with("/fhir") => {
            let request = request.header("Content-Type", "application/fhir+json");
            ward.agent.run(request.body("{}").expect("a request"))
        }
        _ => {
            let form = "application/x-www-form-urlencoded";
            let request = request.header("Content-Type", form);
            ward.agent.run(request.body("").expect("a request"))
        }
    };
    let mut answer = request.unwrap_or_else(|error| panic!("{column} {method} {path}: {error}"));
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    assert!(status < 500, "{column} {method} {path}: {status} {text}");
    let at = answer.headers().get("location");
    let at = at.and_then(|at| at.to_str().ok()).unwrap_or_default();
    match at.starts_with("/sign-in") {
        true => "sign-in".to_owned(),
        // Guessing gets slow: after how many tries is not this table's to say.
        false if status == 429 && path == "/sign-in" => "403".to_owned(),
        false => status.to_string(),
    }
}

fn table() -> String {
    let ward = Ward::open("routes");
    let elsewhere = Ward::open("routes-elsewhere");
    let (status, _) = ward.page("hers", "/people/a");
    assert_eq!(status, 200);
    // The first leaf that tells of her is the one of that page.
    let leaf = (0..)
        .find(|leaf| ward.page("officer", &format!("/access/{leaf}")).0 == 200)
        .expect("a leaf");
    let entry = ward.position("Observation/care-of-a");
    let (_, page) = ward.page("officer", "/record");
    let at = page.find("/assets/").expect("a style sheet");
    let asset = page[at..].split('"').next().expect("a link").to_owned();
    let routes = disclosures::routes();
    let asked: BTreeSet<&str> = routes
        .iter()
        .filter_map(|route| route.split_once(' '))
        .map(|(_, address)| address)
        .collect();
    let known: BTreeSet<&str> = PATHS.iter().map(|(route, _)| *route).collect();
    assert_eq!(
        asked, known,
        "each route is asked somewhere: tests/it/routes.rs, PATHS"
    );
    let mut table = String::from("# method and route");
    for column in COLUMNS {
        write!(table, " {column}").expect("memory");
    }
    table.push('\n');
    for route in &routes {
        let (method, address) = route.split_once(' ').expect("method and address");
        let (_, path) = PATHS
            .iter()
            .find(|(route, _)| *route == address)
            .expect("known");
        let path = path
            .replace("{leaf}", &leaf.to_string())
            .replace("{entry}", &entry.to_string())
            .replace("{asset}", &asset);
        // Deletions come last, so that there is something to see for everybody.
        if method == "DELETE" {
            continue;
        }
        row(&mut table, &ward, &elsewhere, route, method, &path);
    }
    for route in routes.iter().filter(|route| route.starts_with("DELETE ")) {
        let (method, address) = route.split_once(' ').expect("method and address");
        let (_, path) = PATHS
            .iter()
            .find(|(route, _)| *route == address)
            .expect("known");
        row(&mut table, &ward, &elsewhere, route, method, path);
    }
    table
}

fn row(table: &mut String, ward: &Ward, elsewhere: &Ward, route: &str, method: &str, path: &str) {
    write!(table, "{route}").expect("memory");
    for column in COLUMNS {
        let outcome = ask(ward, column, elsewhere, method, path);
        write!(table, " {outcome}").expect("memory");
    }
    table.push('\n');
}

#[test]
fn every_route_answers_everybody_as_the_table_says() {
    let made = table();
    if std::env::var_os("ROUTES_WRITE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/routes/table.txt");
        std::fs::write(path, &made).expect("the table is written");
        return;
    }
    for (made, kept) in made.lines().zip(TABLE.lines()) {
        assert_eq!(made, kept);
    }
    assert_eq!(made, TABLE);
}

#[test]
fn what_is_open_is_on_the_list_and_nothing_else() {
    let mut open = BTreeSet::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let (route, outcomes) = words.split_at(2);
        let refused = matches!(outcomes[0], "sign-in" | "401" | "403" | "404");
        if !refused {
            open.insert(route.join(" "));
        }
        // A cookie and a token of another programme are nobody's here.
        assert!(
            outcomes[0] == outcomes[12] || outcomes[12] == "-",
            "{line}: what is another programme's opens something"
        );
    }
    let listed: BTreeSet<String> = OPEN.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(open, listed);
}
