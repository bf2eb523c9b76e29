//! Signing in, as people and as others try it.

use rusqlite::Connection;

use super::people::{Browser, PASSWORD, Person, form};
use super::served::{Folder, Served, begun, homecoming, homecoming_done, programme};

const PAGES: &str = include_str!("../../src/pages.rs");
const PATHS: &str = include_str!("../../src/web/path.rs");

/// A new programme that is served, with its first officer's code.
fn world(name: &str) -> (Folder, String, Served, String) {
    let folder = Folder::new(name);
    let (data, code) = begun(&folder);
    let served = Served::start(&data);
    (folder, data, served, code)
}

#[test]
fn the_first_officer_enrols_once_and_signs_in_again() {
    let (_folder, data, served, code) = world("first-officer");
    let officer = Person::enrol(&served, "First officer", &code);
    let again = Browser::new(&served).post("/enrol", &[("code", &code)]);
    assert_eq!(again.status, 403, "a code works once");
    assert!(again.body.contains("Nobody has this code"));
    let account = officer.browser.get("/account");
    assert_eq!(account.status, 200);
    assert!(
        account.body.contains("Password and one-time codes"),
        "{}",
        account.body
    );

    let browser = Browser::new(&served);
    let entered = officer.sign_in(&browser);
    assert_eq!(
        (entered.status, &*entered.location),
        (303, "/"),
        "{}",
        entered.body
    );
    assert_eq!(
        browser.get("/").location,
        "/caseload",
        "an officer's first page"
    );
    for cookie in &entered.set_cookies {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
    }
    assert_eq!(browser.get("/users").status, 200);
    // The new browser is told of on every page until it was seen, and each can end the other.
    let record = || officer.browser.get("/record").body;
    let one = "1 notice for you</a>";
    assert!(record().contains(one) && record().contains(one));
    let account = officer.browser.get("/account").body;
    assert!(
        account.contains("a browser that you had not used here before"),
        "{account}"
    );
    assert_eq!(account.matches("Sign out of").count(), 2);
    assert!(!record().contains("notice for you"), "it was seen");
    let account = officer.browser.get("/account").body;
    assert!(account.contains("a browser that you had not used here before"));
    assert_eq!(
        officer
            .browser
            .post("/account/sessions", &[("session", "others")])
            .status,
        303
    );
    assert_eq!(browser.get("/users").location, "/sign-in?next=%2Fusers");
    assert_eq!(officer.browser.get("/users").status, 200);
    let out = officer
        .browser
        .post("/account/sessions", &[("session", "all")]);
    assert_eq!(out.location, "/sign-in");
    assert_eq!(officer.browser.get("/users").status, 303);

    // What they signed in with is on the record, and the line names nobody.
    drop(served);
    let db = Connection::open(format!("{data}/ledger.sqlite")).expect("a ledger");
    let lines: String = db
        .query_row(
            "SELECT group_concat(CAST(line AS TEXT), '\n') FROM entry",
            [],
            |row| row.get(0),
        )
        .expect("lines");
    assert!(lines.contains(" user/1 HOPERAT create Basic/"), "{lines}");
    assert!(!lines.contains("First"), "{lines}");
}

#[test]
fn whoever_guesses_learns_nothing_and_gets_slow() {
    let (_folder, data, served, code) = world("guessing");
    let officer = Person::enrol(&served, "First officer", &code);
    let dana = Person::added(&served, &data, "Dana Whitfield", "caseworker");
    let stranger = Browser::new(&served);
    let guess = |name: &str, password: &str, code: &str| {
        let fields = [("name", name), ("password", password), ("one-time", code)];
        stranger.post("/sign-in", &fields)
    };
    // A wrong name, a wrong password, a wrong code: the same words and bytes.
    let plain = |name: &str, answer: super::people::Answer| {
        assert_eq!(answer.status, 403, "{name}");
        let made = answer
            .body
            .split("Made ")
            .next()
            .unwrap_or_default()
            .to_owned();
        made.replace(name, "NAME")
    };
    let nobody = plain("Nobody Atall", guess("Nobody Atall", PASSWORD, "123456"));
    let password = plain(
        "First officer",
        guess("First officer", "quite another phrase", &officer.code()),
    );
    let used = dana.code();
    let one_time = plain(
        "Dana Whitfield",
        guess("Dana Whitfield", PASSWORD, "000000"),
    );
    assert_eq!(nobody, password);
    assert_eq!(nobody, one_time);
    assert!(nobody.contains("do not fit together"));
    // A code that was used does not work again.
    assert_eq!(guess("Dana Whitfield", PASSWORD, &used).status, 303);
    assert_eq!(guess("Dana Whitfield", PASSWORD, &used).status, 403);

    // Strangers get slow...
    let mut waits = Vec::new();
    let other = Browser::new(&served);
    for _ in 0..8 {
        let fields = [
            ("name", "first officer "),
            ("password", "guess guess guess"),
            ("one-time", "123456"),
        ];
        let answer = other.post("/sign-in", &fields);
        waits.push((answer.status, answer.retry_after));
    }
    let slow = waits
        .iter()
        .find(|(status, _)| *status == 429)
        .expect("no try is refused");
    assert!(slow.1.is_some(), "it does not say how long");
    let fields = [
        ("name", "Nobody Else"),
        ("password", "guess guess guess"),
        ("one-time", "123456"),
    ];
    for _ in 0..8 {
        other.post("/sign-in", &fields);
    }
    assert_eq!(
        other.post("/sign-in", &fields).status,
        429,
        "a name that nobody has is no different"
    );
    // ... and whoever signed in from their own browser before is not held up.
    let out = officer.browser.post("/sign-out", &[]);
    assert_eq!(
        out.clear_site_data.as_deref(),
        Some("\"cache\", \"storage\"")
    );
    let own = officer.sign_in(&officer.browser);
    assert_eq!(own.status, 303, "{}", own.body);
}

#[test]
fn a_session_that_was_stolen_before_signing_in_is_worth_nothing() {
    let (_folder, _data, served, code) = world("fixation");
    let officer = Person::enrol(&served, "First officer", &code);
    let before = officer
        .browser
        .cookie("homecoming-session")
        .expect("a session");
    officer.sign_in(&officer.browser);
    let after = officer
        .browser
        .cookie("homecoming-session")
        .expect("a session");
    assert_ne!(before, after);
    let thief = Browser::new(&served);
    thief.set_cookie("homecoming-session", Some(&before));
    assert_eq!(thief.get("/users").status, 303);
    // An enrolment opens nothing but the pages for it.
    let added = officer
        .browser
        .post("/users", &[("name", "New One"), ("role", "caseworker")]);
    let code = added
        .body
        .split("<p class=\"big\"><code>")
        .nth(1)
        .expect("a code");
    let code = code.split('<').next().expect("its end");
    let new = Browser::new(&served);
    assert_eq!(new.post("/enrol", &[("code", code)]).status, 303);
    for path in ["/caseload", "/account", "/users", "/drafts"] {
        assert_eq!(new.get(path).status, 303, "{path}");
    }
    assert_eq!(new.get("/enrol").status, 200);
    let weak = new.post(
        "/enrol/password",
        &[
            ("password", "passwordpassword"),
            ("again", "passwordpassword"),
            ("one-time", "000000"),
        ],
    );
    assert_eq!(weak.status, 403);
    assert!(
        weak.body.contains("among the first that anybody would try"),
        "{}",
        weak.body
    );
}

/// Every form is refused when it stands on another site, whatever cookies it brings.
#[test]
fn no_form_is_taken_from_another_site() {
    let (_folder, _data, served, code) = world("other-sites");
    let officer = Person::enrol(&served, "First officer", &code);
    let mut asked = 0;
    for part in PAGES.split(".route(").skip(1) {
        let Some((address, handlers)) = part.split_once(',') else {
            continue;
        };
        let handlers = handlers.split(".route(").next().unwrap_or_default();
        let end = handlers.find("\n        .").unwrap_or(handlers.len());
        if !handlers[..end].contains("post(") {
            continue;
        }
        let address = match address.trim().strip_prefix("path::") {
            None => address.trim().trim_matches('"').to_owned(),
            Some(name) => {
                let line = format!("pub const {name}: &str = \"");
                let at = PATHS.find(&line).expect("the address has a name") + line.len();
                PATHS[at..].split('"').next().expect("text").to_owned()
            }
        };
        let address = address.replace("{id}", "1").replace("{step}", "disable");
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            let kind = ("Content-Type", "application/x-www-form-urlencoded");
            let answer = officer.browser.send(
                "POST",
                &address,
                &[kind, (name, value)],
                &form(&[("code", &code)]),
            );
            assert_eq!(answer.status, 403, "{address} from {name}: {value}");
            assert!(
                answer.body.contains("another site"),
                "{address}: {}",
                answer.body
            );
        }
        asked += 1;
    }
    assert!(asked > 15, "the forms are not found any more: {asked}");
    assert_eq!(
        officer.browser.get("/account").status,
        200,
        "none of them had any effect"
    );
    let origin = served.url("");
    let own = [("Origin", &*origin), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(
        officer
            .browser
            .send("POST", "/account/notices", &own, "")
            .status,
        303
    );
}

#[test]
fn the_demonstrations_codes_open_nothing_else() {
    let (_folder, data, served, _) = world("demo-codes");
    let users = server::demo::users(2018, 1_795_348_800_000_000);
    assert!(users.len() > 15);
    let browser = Browser::new(&served);
    for user in &users {
        // Even where somebody has the same name and role.
        homecoming(&[
            "user", "add", &user.name, "--data", &data, "--role", user.role,
        ]);
        for path in ["/sign-in", "/enrol"] {
            let answer = browser.post(path, &[("code", user.sign_in_code)]);
            assert!(
                matches!(answer.status, 403 | 429),
                "{}: {}",
                user.name,
                answer.status
            );
            assert_eq!(browser.cookie("homecoming-session"), None, "{}", user.name);
        }
    }
}

#[test]
fn what_was_written_in_a_session_that_ended_is_kept_for_its_writer() {
    let (_folder, data, served, code) = world("drafts");
    let officer = Person::enrol(&served, "First officer", &code);
    let dana = Person::added(&served, &data, "Dana Whitfield", "officer");
    let desk = Connection::open(format!("{data}/desk.sqlite")).expect("a desk");
    desk.busy_timeout(std::time::Duration::from_secs(5))
        .expect("patience");
    let fields = [
        ("person", "p1"),
        ("citation", "an order of the court of Lakeland"),
    ];
    desk.execute("UPDATE session SET used_us = used_us - 3600000000", [])
        .expect("time passes");
    let sent = officer.browser.post("/erasures", &fields);
    assert_eq!(
        (sent.status, &*sent.location),
        (303, "/sign-in?next=%2Fdrafts"),
        "{}",
        sent.body
    );
    assert!(
        officer
            .browser
            .get(&sent.location)
            .body
            .contains("It is kept for you")
    );
    let sealed: Vec<u8> = desk
        .query_row("SELECT body FROM draft", [], |row| row.get(0))
        .expect("a draft");
    assert!(
        !sealed.windows(8).any(|part| part == b"Lakeland"),
        "it lies open"
    );
    // Somebody else does not find it; whoever wrote it does.
    assert_eq!(dana.sign_in(&dana.browser).status, 303);
    assert!(dana.browser.get("/drafts").body.contains("Nothing is kept"));
    assert_eq!(officer.sign_in(&officer.browser).status, 303);
    let drafts = officer.browser.get("/drafts").body;
    assert!(
        drafts.contains("an order of the court of Lakeland"),
        "{drafts}"
    );
    assert!(drafts.contains("action=\"/erasures\""), "it cannot be sent");
    assert_eq!(
        officer
            .browser
            .post("/drafts/drop", &[("draft", "1")])
            .status,
        303
    );
    assert!(
        officer
            .browser
            .get("/drafts")
            .body
            .contains("Nothing is kept")
    );
    // Without a session that anybody had, nothing is kept.
    let nobody = Browser::new(&served);
    assert_eq!(nobody.post("/erasures", &fields).status, 401);
}

#[test]
fn of_what_comes_too_late_words_are_kept_and_neither_secrets_nor_files() {
    let (_folder, data, served, code) = world("drafts-secrets");
    let officer = Person::enrol(&served, "First officer", &code);
    let desk = Connection::open(format!("{data}/desk.sqlite")).expect("a desk");
    desk.busy_timeout(std::time::Duration::from_secs(5))
        .expect("patience");
    let kept = || -> i64 {
        desk.query_row("SELECT count(*) FROM draft", [], |row| row.get(0))
            .expect("a number")
    };
    let end = || {
        desk.execute("UPDATE session SET used_us = used_us - 3600000000", [])
            .expect("time passes")
    };
    end();
    let secrets = [
        ("meaning", "reviewed"),
        ("password", PASSWORD),
        ("one-time", "123456"),
    ];
    let signed = officer.browser.post("/entries/0/sign", &secrets);
    assert_ne!(signed.location, "/sign-in?next=%2Fdrafts");
    assert_eq!(kept(), 0, "a form that asks for a secret is kept");
    // Nor would a field of that name be kept elsewhere.
    let fields = [
        ("citation", "the order of Lakeland"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("one-time", "123456"),
    ];
    let sent = officer.browser.post("/erasures", &fields);
    assert_eq!(&*sent.location, "/sign-in?next=%2Fdrafts");
    // A form with a file: its words, on either side of the file.
    let body = "--x1\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\nLK-4711\r\n--x1\r\n\
        Content-Disposition: form-data; name=\"paper\"; filename=\"order.pdf\"\r\n\
        Content-Type: application/pdf\r\n\r\n%PDF-1.7 scanned words\r\n--x1\r\n\
        Content-Disposition: form-data; name=\"notice\"\r\n\r\nwritten for an hour\r\n--x1--\r\n";
    let large = body.replace("scanned words", &"scanned words".repeat(20_000));
    let kind = ("Content-Type", "multipart/form-data; boundary=x1");
    for (address, body) in [("/people/p1/consents", body), ("/warrants", &large)] {
        let sent = officer.browser.send("POST", address, &[kind], body);
        assert_eq!(
            (sent.status, &*sent.location),
            (303, "/sign-in?next=%2Fdrafts"),
            "{address}: {}",
            sent.body
        );
    }
    assert_eq!(kept(), 3);
    assert_eq!(officer.sign_in(&officer.browser).status, 303);
    let drafts = officer.browser.get("/drafts").body;
    for words in [
        "the order of Lakeland",
        "LK-4711",
        "written for an hour",
        "action=\"/people/p1/consents\"",
        "enctype=\"multipart/form-data\"",
        "type=\"file\" id=\"draft-3-file\" name=\"paper\"",
        "If there was one, choose it again",
    ] {
        assert!(drafts.contains(words), "{words}: {drafts}");
    }
    for secret in [PASSWORD, "123456", "scanned words"] {
        assert!(!drafts.contains(secret), "{secret}: {drafts}");
    }
}

#[test]
fn a_lost_way_in_comes_back_by_two_officers_and_all_of_it_is_on_the_record() {
    let folder = Folder::new("recovery");
    let (data, token) = programme(&folder);
    for (name, role) in [
        ("Asking", "officer"),
        ("Approving", "officer"),
        ("Teodor Blum", "administrator"),
    ] {
        homecoming_done(&["user", "add", name, "--data", &data, "--role", role]);
    }
    let served = Served::start(&data);
    let code_of = |name: &str| {
        let said = homecoming_done(&["user", "code", name, "--data", &data]);
        said.lines().last().expect("a code").to_owned()
    };
    let [asking, approving, blum] = ["Asking", "Approving", "Teodor Blum"]
        .map(|name| Person::enrol(&served, name, &code_of(name)));
    let dana = Person::added(&served, &data, "Dana Whitfield", "caseworker");
    let page = asking.browser.get("/users").body;
    let at = page.find("Dana Whitfield").expect("she is on the list");
    let link = page[..at].rsplit("href=\"").next().expect("a link");
    let link = link.split('"').next().expect("its end").to_owned();

    let step = |who: &Person, step: &str| {
        let why = (
            "why",
            "lost the phone; called back on the number that we had",
        );
        who.browser.post(&format!("{link}/{step}"), &[why])
    };
    assert_eq!(
        step(&dana, "recover").status,
        403,
        "a caseworker asks for nobody"
    );
    assert_eq!(
        step(&blum, "recover").status,
        403,
        "nor does the administrator"
    );
    assert_eq!(step(&asking, "approve").status, 422, "nothing is asked for");
    assert_eq!(step(&asking, "code").status, 422, "they have enrolled");
    assert_eq!(step(&asking, "recover").status, 303);
    assert_eq!(step(&asking, "approve").status, 403, "not by whoever asked");
    assert_eq!(
        dana.browser.get("/account").status,
        200,
        "asking changes nothing"
    );
    let approved = step(&approving, "approve");
    assert_eq!(approved.status, 200, "{}", approved.body);
    let code = approved
        .body
        .split("<p class=\"big\"><code>")
        .nth(1)
        .expect("a code");
    let code = code.split('<').next().expect("its end");
    assert_eq!(
        dana.browser.get("/account").status,
        303,
        "she is signed out"
    );
    assert_eq!(
        dana.sign_in(&dana.browser).status,
        403,
        "her old password is gone"
    );
    let dana = Person::enrol(&served, "Dana Whitfield", code);
    let account = dana.browser.get("/account").body;
    assert!(
        account.contains("Asking asked for it and Approving approved it"),
        "{account}"
    );

    // Disabled at once, by the administrator, who cannot do it to themself.
    assert_eq!(step(&blum, "disable").status, 303);
    assert_eq!(dana.browser.get("/account").status, 303);
    let own = blum.browser.post("/users/4/disable", &[]);
    assert_eq!(own.status, 403, "{}", own.body);

    let (status, text) = super::served::get(
        &served.url("/fhir/Basic?code=urn:homecoming:governance%7Cuser-recovery-approved"),
        Some(&token),
    );
    assert_eq!(status, 200);
    assert!(
        text.contains("Dana Whitfield (user/5), asked for by user/2, was approved"),
        "{text}"
    );
    for code in [
        "user-added",
        "user-code-given",
        "user-way-added",
        "user-recovery-asked",
        "user-disabled",
    ] {
        let url = served.url(&format!(
            "/fhir/Basic?code=urn:homecoming:governance%7C{code}"
        ));
        let (_, text) = super::served::get(&url, Some(&token));
        assert!(text.contains(&format!("\"{code}\"")), "{code}: {text}");
    }
}

#[test]
fn an_administrator_is_not_told_who_is_in_care() {
    let folder = Folder::new("administrator");
    let served = Served::demo(&folder.join("demo"));
    let sign_in = |code: &str| {
        let browser = Browser::new(&served);
        assert_eq!(
            browser.post("/sign-in", &[("code", code)]).status,
            303,
            "{code}"
        );
        browser
    };
    let (officer, administrator) = (sign_in("demo-officer-1"), sign_in("demo-administrator"));
    // Each role begins where its work is.
    for (code, first) in [
        ("demo-sponsor", "/figures"),
        ("demo-evaluator", "/caseload"),
        ("demo-inspector", "/inspection"),
        ("demo-participant-1", "/me"),
        ("demo-administrator", "/record"),
        ("demo-caseworker-1", "/caseload"),
    ] {
        assert_eq!(sign_in(code).get("/").location, first, "{code}");
    }
    // What an evaluator may not see is not said to be missing.
    let referred = sign_in("demo-evaluator").get("/caseload").body;
    assert!(
        referred.contains("People referred to me") && referred.contains("1 person"),
        "{referred}"
    );
    for word in ["overdue", "Needs", "Nobody needs", "In order"] {
        assert!(!referred.contains(word), "{word}: {referred}");
    }
    let all = officer.get("/users").body;
    let some = administrator.get("/users").body;
    assert!(
        all.contains(">participant<") && !some.contains(">participant<"),
        "{some}"
    );
    let row = all
        .split("<tr>")
        .find(|row| row.contains(">participant"))
        .expect("a participant");
    let link = row
        .split("href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    assert_eq!(officer.get(link).status, 200);
    let hidden = administrator.get(link);
    let absent = administrator.get("/users/4711");
    let plain = |body: &str| body.replace(link, "").replace("/users/4711", "");
    assert_eq!(
        (hidden.status, plain(&hidden.body)),
        (404, plain(&absent.body))
    );
    assert_eq!(sign_in("demo-caseworker-1").get("/users").status, 403);
}

#[test]
fn whoever_has_the_machine_gives_a_new_way_in_and_leaves_a_trace() {
    let (_folder, data, served, code) = world("machine");
    let officer = Person::enrol(&served, "First officer", &code);
    let wrong = homecoming(&["user", "code", "First officer", "--data", &data]);
    assert_eq!(wrong.status.code(), Some(2), "they can sign in as it is");
    let words = [
        "user",
        "code",
        "First officer",
        "--data",
        &data,
        "--instead",
    ];
    let said = homecoming_done(&words);
    assert_eq!(officer.browser.get("/account").status, 303);
    assert_eq!(officer.sign_in(&officer.browser).status, 403);
    let code = said.lines().last().expect("a code");
    let officer = Person::enrol(&served, "First officer", code);
    homecoming_done(&["user", "disable", "First officer", "--data", &data]);
    assert_eq!(officer.browser.get("/account").status, 303);
    homecoming_done(&["user", "enable", "First officer", "--data", &data]);
    assert_eq!(officer.sign_in(&officer.browser).status, 303);
    let listed = homecoming_done(&["user", "list", "--data", &data]);
    assert_eq!(listed, "First officer\tofficer\n");

    // What the command line did is on the record some seconds later, by whom it was.
    let db = Connection::open(format!("{data}/ledger.sqlite")).expect("a ledger");
    db.busy_timeout(std::time::Duration::from_secs(5))
        .expect("patience");
    let by_operator = || -> i64 {
        let sql = "SELECT count(*) FROM entry WHERE CAST(line AS TEXT) LIKE '% operator HSYSADMIN create Basic/%'";
        db.query_row(sql, [], |row| row.get(0)).expect("lines")
    };
    for _ in 0..150 {
        if by_operator() == 4 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{} entries of the operator", by_operator());
}
