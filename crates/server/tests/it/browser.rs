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

use super::webdriver::Browser;

const AXE: &str = include_str!("../vendor/axe.min.js");

/// Most bytes of a first load, as they come over the wire.
const FIRST_LOAD_BYTES_MAX: u64 = 60_000;
/// Most requests of a page.
const REQUESTS_MAX: u64 = 6;

/// Signs in and looks at every path, wide and narrow; then walks through without JavaScript.
/// `base_url` is `http://127.0.0.1:8180`; the paths begin with a slash and may have parameters.
/// Where there is no browser it does nothing, and says so.
pub fn check_pages(base_url: &str, sign_in_name: &str, sign_in_code: &str, paths: &[&str]) {
    let Some(browser) = Browser::start() else { return };
    browser.size(1280, 900);
    walk_without_scripts(&browser, base_url, sign_in_name, sign_in_code);
    sign_in(&browser, base_url, sign_in_name, sign_in_code);
    let urls: Vec<String> = paths.iter().map(|path| format!("{base_url}{path}")).collect();
    let mut faults = Vec::new();
    for url in &urls {
        faults.extend(look(&browser, url, &[1280, 320]));
        faults.extend(stand(&browser, url));
    }
    faults.extend(loads(&browser, &format!("{base_url}{}", web::path::CASELOAD)));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn sign_in(browser: &Browser, base_url: &str, name: &str, code: &str) {
    browser.go(&format!("{base_url}{}", web::path::SIGN_IN));
    browser.write("#name", name);
    browser.write("#code", code);
    browser.click("form.stack button");
    assert!(browser.has("form.user"), "{name} is not signed in: {}", browser.text("main"));
}

/// Everything that a caseworker does with links and forms alone.
fn walk_without_scripts(browser: &Browser, base_url: &str, name: &str, code: &str) {
    browser.scripts(false);
    sign_in(browser, base_url, name, code);
    browser.go(&format!("{base_url}{}", web::path::CASELOAD));
    browser.click("table.caseload th[scope=row] a");
    assert!(browser.has("section.banner") && browser.has("svg.score, section.scores"), "no person");
    let person = browser.title();
    browser.click("section.banner li:nth-child(2) a");
    assert!(browser.has("svg.timeline.wide") && browser.has("svg.timeline.square"), "no two timelines");
    if browser.has(".steps a[rel=prev]") {
        browser.click(".steps a[rel=prev]");
        assert!(browser.title().contains("AS KNOWN ON"), "{}", browser.title());
        browser.click(".compare .move a");
        assert!(!browser.title().contains("AS KNOWN ON"), "{}", browser.title());
    }
    browser.click(".facts-table th[scope=row] a");
    assert!(browser.has("section.receipt a[download]"), "no receipt to download");
    browser.click(".wordmark");
    browser.click(".move button");
    assert!(browser.title().starts_with("AS KNOWN ON") && browser.has("body.then section.strip"), "the caseload as of today: {}", browser.title());
    browser.click(".strip .move a");
    assert!(browser.has("body.now"), "there is no way back to now");
    let family: String = person.chars().take_while(|c| c.is_alphanumeric()).collect();
    browser.write(".quick input[type=search]", &family);
    browser.click(".quick button");
    assert!(browser.has("main tbody a"), "{family} is not found");
    browser.click("form.user button");
    assert!(browser.has("#code"), "not signed out");
    browser.scripts(true);
}

/// One page at some widths: what axe says, and whether it must be scrolled sideways.
fn look(browser: &Browser, url: &str, widths: &[u32]) -> Vec<String> {
    let mut faults = Vec::new();
    for width in widths {
        browser.size(*width, 900);
        browser.go(url);
        faults.extend(axe(browser).into_iter().map(|fault| format!("{url} at {width}: {fault}")));
        let wide = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap_or(u64::MAX);
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
    browser.tabulator();
    if browser.run("return document.activeElement.className") != "usa-skipnav" {
        faults.push(format!("{url}: the first stop of the keyboard is not the way past the header"));
    }
    // It glides in, within 150 ms.
    let shown = browser.wait_for(
        "const done = arguments[0]; setTimeout(() => done(document.activeElement.getBoundingClientRect().top >= 0), 250)",
    );
    if shown != true {
        faults.push(format!("{url}: the skip link has the focus and cannot be seen"));
    }
    browser.forced_colours(true);
    let unreadable = browser.run(
        "return [...document.querySelectorAll('svg.chart text')].filter(text => {\
            const words = getComputedStyle(text), plate = getComputedStyle(text.ownerSVGElement.querySelector('.plate'));\
            return words.forcedColorAdjust !== 'none' || words.fill === plate.fill;\
        }).length",
    );
    if unreadable != 0 {
        faults.push(format!("{url}: {unreadable} words of its charts vanish in forced colours"));
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
    value.as_array().expect("a list").iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}

/// The weight of a page when nothing is cached.
fn loads(browser: &Browser, url: &str) -> Vec<String> {
    browser.devtools("Network.clearBrowserCache", serde_json::json!({}));
    browser.go(url);
    let measured = browser.run(
        "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];\
         return [all.reduce((sum, one) => sum + one.transferSize, 0), all.length]",
    );
    let (bytes, requests) = (measured[0].as_u64().unwrap_or(u64::MAX), measured[1].as_u64().unwrap_or(u64::MAX));
    println!("{url}: {bytes} bytes in {requests} requests");
    let mut faults = Vec::new();
    if bytes > FIRST_LOAD_BYTES_MAX || requests > REQUESTS_MAX {
        faults.push(format!("{url}: a first load is {bytes} bytes in {requests} requests"));
    }
    faults
}

#[test]
fn every_sample_page_is_accessible_and_narrow() {
    let Some(browser) = Browser::start() else { return };
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
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn sample_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    macro_rules! render {
        ($($module:ident),*) => {$(
            for (sample, context) in web::$module::samples() {
                pages.push((format!("{}-{sample}", stringify!($module)), web::$module::page(&context).into_string()));
            }
        )*};
    }
    render!(sign_in, caseload, person, timelines, entry, find, record, error);
    pages
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
            let (kind, body) = match (assets::at(path), pages.iter().find(|page| path == format!("/{}", page.0))) {
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
