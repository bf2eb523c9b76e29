//! Passkeys, in a real browser with an authenticator that is not real.

use std::time::Duration;

use serde_json::json;

use super::served::{Folder, Served, homecoming_done};
use super::webdriver::Browser;

/// Waits until the browser is at an address.
fn until_at(browser: &Browser, path: &str) {
    for _ in 0..100 {
        if browser.run("return location.pathname").as_str() == Some(path) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!(
        "not at {path} but at {}: {}",
        browser.run("return location.href"),
        browser.text("main")
    );
}

#[test]
fn a_passkey_is_made_and_signs_in_without_a_name() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new("passkeys");
    let data = folder.join("data");
    let said = homecoming_done(&["init", "--data", &data, "--name", "Test programme"]);
    let code = said
        .split("/enrol#")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("a code");
    let served = Served::start(&data);
    let base = format!("http://localhost:{}", served.address.port());
    browser.authenticator(true);

    // The code comes from the part of the link that is sent to nobody, and goes from the address.
    browser.go(&format!("{base}/enrol#{code}"));
    for _ in 0..50 {
        if browser.run("return location.hash").as_str() == Some("") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(
        browser.run("return location.href"),
        json!(format!("{base}/enrol"))
    );
    browser.click("form.stack button");
    until_at(&browser, "/enrol");
    browser.write("#passkey-name", "My phone");
    browser.click("button[data-passkey]");
    until_at(&browser, "/account");
    assert!(
        browser.text("main").contains("Passkey My phone"),
        "{}",
        browser.text("main")
    );

    browser.click("form.user button");
    sign_in(&browser);
    until_at(&browser, "/caseload");
    browser.go(&format!("{base}/account"));
    assert!(
        browser.text("main").contains("with a passkey"),
        "{}",
        browser.text("main")
    );
    browser.go(&format!("{base}/account/again?next=/drafts"));
    browser.click("button[data-passkey]");
    until_at(&browser, "/drafts");

    // An authenticator that does not verify its user opens nothing.
    browser.click("form.user button");
    browser.user_verified(false);
    browser.go(&format!("{base}/sign-in"));
    browser.click("button[data-passkey]");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(browser.run("return location.pathname"), json!("/sign-in"));
}

/// Signs in with the passkey: by itself where the browser offers it, or else by the button.
fn sign_in(browser: &Browser) {
    until_at(browser, "/sign-in");
    std::thread::sleep(Duration::from_millis(500));
    if browser.run("return location.pathname").as_str() == Some("/sign-in") {
        browser.click("button[data-passkey]");
    }
}
