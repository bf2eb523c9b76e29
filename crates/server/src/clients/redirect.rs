//! Addresses that people are sent to: exact, and nothing that leads astray.

/// Characters that an address may have.
fn is_plain(address: &str) -> bool {
    (1..=500).contains(&address.len())
        && address
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}*#".contains(&byte))
}

/// Scheme, host with port, and the rest of an address.
fn parts(address: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = address.split_once(':')?;
    let begins = scheme.bytes().next()?.is_ascii_lowercase();
    let fits = begins
        && scheme
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b));
    if !fits {
        return None;
    }
    match rest.strip_prefix("//") {
        None => Some((scheme, "", rest)),
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            Some((scheme, &rest[..end], &rest[end..]))
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b))
}

/// Nothing, or a sentence about why an app cannot be sent people to this address.
pub fn check(address: &str, is_public: bool) -> Result<(), String> {
    let wrong = |why: &str| {
        Err(format!(
            "`{address}` cannot be an address to send people to: {why}."
        ))
    };
    if !is_plain(address) {
        return wrong("it has characters that no address has, a fragment (#) or a wildcard (*)");
    }
    let Some((scheme, host, _)) = parts(address) else {
        return wrong("it has no scheme; write it whole, as https://app.example/back");
    };
    match scheme {
        "https" if is_host(host) => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => wrong("http is only for this machine (127.0.0.1); use https"),
        "https" => wrong("its host is in lower case, without a user's name"),
        // RFC 8252: a telephone's app has a scheme of its own, which is a domain turned round.
        _ if is_public && scheme.contains('.') => Ok(()),
        _ => wrong(
            "its scheme is none of https, http to this machine, or, for an app without a secret, one like org.example.app",
        ),
    }
}

/// The same for the address that an app is opened at.
pub fn check_launch(address: &str) -> Result<(), String> {
    check(address, false)
}

/// The origin of an address, as browsers write it; nothing for an app's own scheme.
pub fn origin(address: &str) -> Option<String> {
    let (scheme, host, _) = parts(address)?;
    if host.is_empty() || !matches!(scheme, "https" | "http") {
        return None;
    }
    let default = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default).unwrap_or(host);
    Some(format!("{scheme}://{host}"))
}

/// What a page's policy must allow for a form to end at an address.
pub fn form_action(address: &str) -> String {
    match (origin(address), parts(address)) {
        (Some(origin), _) => origin,
        (None, Some((scheme, ..))) => format!("{scheme}:"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_addresses_of_apps_are_taken() {
        for (address, public, taken) in [
            ("https://app.example/back", false, true),
            ("https://app.example:8443/back?a=b", false, true),
            ("http://127.0.0.1:9000/back", true, true),
            ("http://[::1]:9000/", true, true),
            ("http://localhost/back", true, true),
            ("org.example.app:/back", true, true),
            ("org.example.app:/back", false, false),
            ("http://app.example/back", false, false),
            ("http://127.0.0.1.evil.example/", false, false),
            ("http://localhost@evil.example/", false, false),
            ("https://user@app.example/", false, false),
            ("https://app.example/#x", false, false),
            ("https://*.example/", false, false),
            ("https://app.example/a b", false, false),
            ("https://app.example/\r\nSet-Cookie: a=b", false, false),
            ("https://APP.example/", false, false),
            ("https:///back", false, false),
            ("https:app.example", false, false),
            ("javascript:alert(1)", true, false),
            ("data:text/html,x", true, false),
            ("//app.example/", true, false),
            ("/back", true, false),
            ("", true, false),
        ] {
            assert_eq!(check(address, public).is_ok(), taken, "{address}");
        }
    }

    #[test]
    fn an_origin_is_what_a_browser_would_say() {
        for (address, expected) in [
            ("https://app.example/back?x", Some("https://app.example")),
            ("https://app.example:443/", Some("https://app.example")),
            ("https://app.example:8443", Some("https://app.example:8443")),
            ("http://127.0.0.1:9000/back", Some("http://127.0.0.1:9000")),
            ("org.example.app:/back", None),
        ] {
            assert_eq!(origin(address).as_deref(), expected, "{address}");
        }
        assert_eq!(form_action("org.example.app:/back"), "org.example.app:");
        assert_eq!(form_action("https://a.example/x"), "https://a.example");
    }
}
