//! People who enrol and sign in as a browser does, with links, forms and cookies.

use std::cell::RefCell;
use std::collections::BTreeMap;

use server::clock::Clock;
use server::sign_in::one_time;

use super::served::{Served, homecoming_done};

/// A password that may be chosen.
pub const PASSWORD: &str = "tin harbour violet spoon";

const SECOND: i64 = 1_000_000;

/// A browser: it keeps cookies and follows nothing by itself.
pub struct Browser {
    base: String,
    agent: ureq::Agent,
    cookies: RefCell<BTreeMap<String, String>>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub location: String,
    pub retry_after: Option<String>,
    pub clear_site_data: Option<String>,
    pub set_cookies: Vec<String>,
    pub body: String,
}

impl Browser {
    /// One without cookies.
    pub fn new(served: &Served) -> Browser {
        Browser {
            base: served.url(""),
            agent: ureq::Agent::config_builder()
                .max_redirects(0)
                .http_status_as_error(false)
                .build()
                .into(),
            cookies: RefCell::default(),
        }
    }

    /// The cookies, as a request sends them.
    pub fn cookies(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// One cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Puts a cookie in, or takes it out.
    pub fn set_cookie(&self, name: &str, value: Option<&str>) {
        let mut cookies = self.cookies.borrow_mut();
        match value {
            Some(value) => cookies.insert(name.to_owned(), value.to_owned()),
            None => cookies.remove(name),
        };
    }

    /// A request with these headers besides.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Cookie", self.cookies());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        let mut answer = self.agent.run(request).expect("the server answers");
        let text = |name: &str| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().expect("text").to_owned())
        };
        let (location, retry_after) = (text("location").unwrap_or_default(), text("retry-after"));
        let clear_site_data = text("clear-site-data");
        let set: Vec<String> = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().expect("text").to_owned())
            .collect();
        for cookie in &set {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            let gone = cookie.contains("Max-Age=0");
            self.set_cookie(name, (!gone).then_some(value));
        }
        Answer {
            status: answer.status().as_u16(),
            location,
            retry_after,
            clear_site_data,
            set_cookies: set,
            body: answer.body_mut().read_to_string().unwrap_or_default(),
        }
    }

    /// Opens a page.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Sends a form.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[kind], &form(fields))
    }
}

/// Fields as a form sends them.
pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = server::web::path::encode;
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

/// Somebody who has enrolled with a password and one-time codes.
pub struct Person {
    pub name: String,
    pub secret: Vec<u8>,
    pub browser: Browser,
    /// Which code they use next: one of the step before, the present one or the next.
    next: RefCell<i64>,
}

impl Person {
    /// Enrols with a code; they are then signed in.
    pub fn enrol(served: &Served, name: &str, code: &str) -> Person {
        let browser = Browser::new(served);
        let entered = browser.post("/enrol", &[("code", code)]);
        assert_eq!(
            (entered.status, &*entered.location),
            (303, "/enrol"),
            "{}",
            entered.body
        );
        let page = browser.get("/enrol");
        let secret = secret_on(&page.body);
        let person = Person {
            name: name.to_owned(),
            secret,
            browser,
            next: RefCell::new(-1),
        };
        let fields = [
            ("password", PASSWORD),
            ("again", PASSWORD),
            ("one-time", &person.code()),
        ];
        let done = person.browser.post("/enrol/password", &fields);
        assert_eq!(
            (done.status, &*done.location),
            (303, "/account"),
            "{}",
            done.body
        );
        person
    }

    /// Adds somebody on the command line and enrols them.
    pub fn added(served: &Served, data: &str, name: &str, role: &str) -> Person {
        let said = homecoming_done(&["user", "add", name, "--data", data, "--role", role]);
        let code = said.lines().last().expect("a code").to_owned();
        Person::enrol(served, name, &code)
    }

    /// A one-time code that was not used yet: there are three without waiting, then it waits for the next.
    pub fn code(&self) -> String {
        let now = Clock::System.now().0;
        let step = one_time::step_at(now);
        let mut next = self.next.borrow_mut();
        // -1: none was used yet. Otherwise the step after the last one.
        let wanted = if *next < 0 { step - 1 } else { *next };
        while one_time::step_at(Clock::System.now().0) + 1 < wanted {
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        let wanted = wanted.max(one_time::step_at(Clock::System.now().0) - 1);
        *next = wanted + 1;
        one_time::code(&self.secret, wanted * 30 * SECOND)
    }

    /// Signs in, in a browser.
    pub fn sign_in(&self, browser: &Browser) -> Answer {
        browser.post(
            "/sign-in",
            &[
                ("name", &self.name),
                ("password", PASSWORD),
                ("one-time", &self.code()),
            ],
        )
    }
}

/// The secret that an enrolment page shows.
pub fn secret_on(page: &str) -> Vec<u8> {
    let at = page.find("Secret: <code").expect("a secret");
    let spelled = page[at..].split('>').nth(1).expect("its text");
    let spelled = spelled.split('<').next().expect("its end");
    let mut bits = 0u64;
    let mut count = 0;
    let mut out = Vec::new();
    for c in spelled.chars().filter(|c| !c.is_whitespace()) {
        let value = match c {
            'A'..='Z' => c as u64 - 'A' as u64,
            '2'..='7' => c as u64 - '2' as u64 + 26,
            _ => panic!("{spelled} is no base32"),
        };
        bits = bits << 5 | value;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}
