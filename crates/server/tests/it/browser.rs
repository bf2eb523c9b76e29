//! What only a browser can tell: accessibility as axe sees it, no sideways scrolling at 320 pixels,
//! charts that stay readable in forced colours, visible focus, small loads, and the whole way
//! through without JavaScript.
//!
//! [`check_pages`] does it to a server that runs; the first test does it to every sample page,
//! served by a few lines of its own with the real headers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use serde_json::Value;
use server::{assets, web};

use super::served::{Folder, Served};
use super::webdriver::Browser;

const AXE: &str = include_str!("../vendor/axe.min.js");

/// Most bytes of a first load, as they come over the wire.
const FIRST_LOAD_BYTES_MAX: u64 = 60_000;
/// Most requests of a page.
const REQUESTS_MAX: u64 = 6;

/// Signs in and looks at every path, wide and narrow; then walks through without JavaScript.
/// `base_url` is `http://127.0.0.1:8180`; the paths begin with a slash and may have parameters.
/// Where there is no browser it does nothing, and says so.
pub fn check_pages(base_url: &str, sign_in_code: &str, paths: &[&str]) {
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.size(1280, 900);
    walk_without_scripts(&browser, base_url, sign_in_code);
    sign_in(&browser, base_url, sign_in_code);
    let urls: Vec<String> = paths
        .iter()
        .map(|path| format!("{base_url}{path}"))
        .collect();
    let mut faults = Vec::new();
    for url in &urls {
        faults.extend(look(&browser, url, &[1280, 320]));
        faults.extend(stand(&browser, url));
    }
    faults.extend(loads(
        &browser,
        &format!("{base_url}{}", web::path::CASELOAD),
    ));
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

fn sign_in(browser: &Browser, base_url: &str, code: &str) {
    browser.go(&format!("{base_url}{}", web::path::SIGN_IN));
    browser.follow(&format!("button[value='{code}']"));
    assert!(
        browser.has("form.user"),
        "not signed in: {}",
        browser.text("main")
    );
}

/// Everything that a caseworker does with links and forms alone.
fn walk_without_scripts(browser: &Browser, base_url: &str, code: &str) {
    browser.scripts(false);
    sign_in(browser, base_url, code);
    browser.go(&format!("{base_url}{}", web::path::CASELOAD));
    browser.follow("table.caseload th[scope=row] a");
    assert!(
        browser.has("section.banner") && browser.has("svg.score, section.scores"),
        "no person"
    );
    let person = browser.title();
    browser.follow("section.banner li:nth-child(2) a");
    assert!(
        browser.has("svg.timeline.wide") && browser.has("svg.timeline.square"),
        "no two timelines"
    );
    if browser.has(".steps a[rel=prev]") {
        browser.follow(".steps a[rel=prev]");
        assert!(
            browser.title().contains("AS KNOWN ON"),
            "{}",
            browser.title()
        );
        browser.follow(".compare .move a");
        assert!(
            !browser.title().contains("AS KNOWN ON"),
            "{}",
            browser.title()
        );
    }
    browser.follow(".facts-table th[scope=row] a");
    assert!(
        browser.has("section.receipt a[download]"),
        "no receipt to download"
    );
    browser.follow(".wordmark");
    browser.follow(".move button");
    assert!(
        browser.title().starts_with("AS KNOWN ON") && browser.has("body.then section.strip"),
        "the caseload as of today: {}",
        browser.title()
    );
    browser.follow(".strip .move a");
    assert!(browser.has("body.now"), "there is no way back to now");
    let family: String = person.chars().take_while(|c| c.is_alphanumeric()).collect();
    browser.write(".quick input[type=search]", &family);
    browser.follow(".quick button");
    assert!(browser.has("main tbody a"), "{family} is not found");
    browser.follow("form.user button");
    assert!(browser.has("#one-time"), "not signed out");
    browser.scripts(true);
}

/// One page at some widths: what axe says, and whether it must be scrolled sideways.
fn look(browser: &Browser, url: &str, widths: &[u32]) -> Vec<String> {
    let mut faults = Vec::new();
    for width in widths {
        browser.size(*width, 900);
        browser.go(url);
        faults.extend(
            axe(browser)
                .into_iter()
                .map(|fault| format!("{url} at {width}: {fault}")),
        );
        let wide = browser
            .run("return document.documentElement.scrollWidth")
            .as_u64()
            .unwrap_or(u64::MAX);
        if wide > u64::from(*width) {
            faults.push(format!("{url} at {width}: the page is {wide} pixels wide"));
        }
    }
    faults
}

/// One page by keyboard and in forced colours.
fn stand(browser: &Browser, url: &str) -> Vec<String> {
    let mut faults = Vec::new();
    browser.size(1280, 900);
    browser.go(url);
    // A key that comes before the page was ever drawn is lost.
    browser.wait_for(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))",
    );
    browser.tabulator();
    let stop = browser.wait_for(
        "const done = arguments[0], until = performance.now() + 2000;\
         (function look() {\
            const at = document.activeElement;\
            if (at !== document.body || performance.now() > until) done(at.tagName + '.' + at.className);\
            else setTimeout(look, 20);\
         })()",
    );
    if stop != "A.usa-skipnav" {
        faults.push(format!(
            "{url}: the first stop of the keyboard is {stop}, not the way past the header"
        ));
    }
    // It glides in, within 150 ms.
    let shown = browser.wait_for(
        "const done = arguments[0]; setTimeout(() => done(document.activeElement.getBoundingClientRect().top >= 0), 250)",
    );
    if shown != true {
        faults.push(format!(
            "{url}: the skip link has the focus and cannot be seen"
        ));
    }
    browser.forced_colours(true);
    let unreadable = browser.run(
        "return [...document.querySelectorAll('svg.chart text')].filter(text => {\
            const words = getComputedStyle(text), plate = getComputedStyle(text.ownerSVGElement.querySelector('.plate'));\
            return words.forcedColorAdjust !== 'none' || words.fill === plate.fill;\
        }).length",
    );
    if unreadable != 0 {
        faults.push(format!(
            "{url}: {unreadable} words of its charts vanish in forced colours"
        ));
    }
    browser.forced_colours(false);
    faults
}

/// What axe has against the page.
fn axe(browser: &Browser) -> Vec<String> {
    browser.run(&format!("{AXE}; return 0"));
    let found = browser.wait_for(
        "const done = arguments[0];\
         axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
            .then(result => done(result.violations.map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', '))))\
            .catch(error => done(['axe failed: ' + error]))",
    );
    words(&found)
}

fn words(value: &Value) -> Vec<String> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The weight of a page when nothing is cached.
fn loads(browser: &Browser, url: &str) -> Vec<String> {
    browser.devtools("Network.clearBrowserCache", serde_json::json!({}));
    browser.go(url);
    let measured = browser.run(
        "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];\
         return [all.reduce((sum, one) => sum + one.transferSize, 0), all.length]",
    );
    let (bytes, requests) = (
        measured[0].as_u64().unwrap_or(u64::MAX),
        measured[1].as_u64().unwrap_or(u64::MAX),
    );
    println!("{url}: {bytes} bytes in {requests} requests");
    let mut faults = Vec::new();
    if bytes > FIRST_LOAD_BYTES_MAX || requests > REQUESTS_MAX {
        faults.push(format!(
            "{url}: a first load is {bytes} bytes in {requests} requests"
        ));
    }
    faults
}

#[test]
fn every_sample_page_is_accessible_and_narrow() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = sample_pages();
    let address = serve(pages.clone());
    let mut faults = Vec::new();
    let mut seen = "";
    for (name, _) in &pages {
        let url = format!("http://{address}/{name}");
        let page = name.split('-').next().unwrap_or_default();
        // The first sample of a page stands for all of them where the content hardly matters.
        if page == seen {
            faults.extend(look(&browser, &url, &[320]));
        } else {
            faults.extend(look(&browser, &url, &[1280, 320]));
            faults.extend(stand(&browser, &url));
        }
        seen = page;
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

fn sample_pages() -> Vec<(String, String)> {
    web::samples::every_page()
        .into_iter()
        .map(|page| (format!("{}-{}", page.page, page.name), page.html))
        .collect()
}

/// Serves the sample pages and the assets until the test ends, one request a connection.
fn serve(pages: Vec<(String, String)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let pages = &pages;
            let mut stream = stream;
            let mut head = Vec::new();
            let mut part = [0; 4096];
            while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => head.extend_from_slice(&part[..count]),
                }
            }
            let line = String::from_utf8_lossy(&head);
            let path = line.split(' ').nth(1).unwrap_or("/");
            let (kind, body) = match (
                assets::at(path),
                pages.iter().find(|page| path == format!("/{}", page.0)),
            ) {
                (Some(asset), _) => (asset.content_type, asset.bytes),
                (None, Some((_, html))) => ("text/html; charset=utf-8", html.as_bytes()),
                (None, None) => ("text/plain", "".as_bytes()),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-security-policy: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                assets::CONTENT_SECURITY_POLICY,
                body.len()
            );
            let _ = stream.write_all(body);
        }
    });
    address
}

/// The demo as it is served: every page of it, in a real browser.
#[test]
fn every_page_of_the_demo_stands_up_to_a_browser() {
    let folder = Folder::new("demo");
    let served = Served::demo(&folder.join("demo"));
    let cookie = sign_in_by_form(&served, "demo-caseworker-1");
    let caseload = page(&served, &cookie, "/caseload");
    let person = first_link(&caseload, "/people/");
    let timelines = page(&served, &cookie, &format!("{person}/timelines"));
    let entry = first_link(&timelines, "/entries/");
    let paths = [
        "/caseload".to_owned(),
        "/caseload?whose=everyone&order=name".to_owned(),
        "/caseload?_asof=2026-06-01".to_owned(),
        person.clone(),
        format!("{person}/timelines"),
        format!("{person}/timelines?_asof=2026-09-15"),
        entry.clone(),
        "/find?q=a".to_owned(),
        "/record".to_owned(),
        "/nothing-here".to_owned(),
    ];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    check_pages(&served.url(""), "demo-caseworker-1", &paths);
}

/// Signs in without a browser: the session's cookie.
fn sign_in_by_form(served: &Served, code: &str) -> String {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let answer = agent
        .post(served.url("/sign-in"))
        .send_form([("code", code), ("next", "/caseload")])
        .expect("the server answers");
    assert_eq!(answer.status().as_u16(), 303);
    let cookie = answer
        .headers()
        .get("set-cookie")
        .expect("a cookie")
        .to_str()
        .expect("text");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

fn page(served: &Served, cookie: &str, path: &str) -> String {
    let agent = ureq::Agent::new_with_defaults();
    let mut answer = agent
        .get(served.url(path))
        .header("Cookie", cookie)
        .call()
        .expect("the page is there");
    answer.body_mut().read_to_string().expect("a page is text")
}

fn first_link(page: &str, prefix: &str) -> String {
    let at = page.find(&format!("href=\"{prefix}")).expect("a link") + 6;
    page[at..]
        .split(['"', '?'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
