//! What somebody uses and where they are, as roughly as a list of one's own sessions needs it.
//!
//! The whole `User-Agent` and the whole address would say more about a person than that list does any
//! good; neither is kept.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// "Firefox on Linux"; never anything that a browser says word for word.
pub fn family(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let first = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(sign, _)| text.contains(sign));
        found.map(|(_, words)| *words)
    };
    // Everybody says that they are Safari, Edge says that it is Chrome: the particular ones first.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "an unknown program".to_owned(),
    }
}

/// "192.0.2.x", "2001:db8:12::x", "this machine".
pub fn place(address: Option<IpAddr>) -> String {
    match address {
        None => "an unknown address".to_owned(),
        Some(address) if address.is_loopback() => "this machine".to_owned(),
        Some(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.x")
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::x")
        }
    }
}

/// What failures from an address are counted by: whoever has one IPv6 address has a whole /64.
pub fn counted(address: Option<IpAddr>) -> String {
    match address {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_rough() {
        let check = |agent: &'static str, expect: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().expect("a header"));
            assert_eq!(family(&headers), expect, "{agent}");
        };
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox on Linux",
        );
        check(
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML) Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1",
            "Safari on iPhone",
        );
        check("curl/8.5 <script>", "an unknown program");
        let at = |text: &str| Some(text.parse().expect("an address"));
        assert_eq!(place(at("192.0.2.77")), "192.0.2.x");
        assert_eq!(place(at("2001:db8:12:34::1")), "2001:db8:12::x");
        assert_eq!(place(at("127.0.0.1")), "this machine");
        assert_eq!(counted(at("2001:db8:12:34:5::1")), "2001:db8:12:34::/64");
        assert_eq!(counted(at("192.0.2.77")), "192.0.2.77");
    }
}
