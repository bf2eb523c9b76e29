//! Who is at the other end: the address that limits count, and whether the way there is encrypted.
//!
//! A proxy in front of the server is the only one that connects to it, and says in `X-Forwarded-For` and
//! `X-Forwarded-Proto` for whom. Only configured proxies are believed; from anybody else these headers, and all others
//! that proxies write, are taken away before anything can look at them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};

/// Whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address that they have, as far as we can know.
    pub address: IpAddr,
    /// They are on this machine, and no proxy speaks for somebody else.
    pub is_local: bool,
    /// All the way, as far as we can know.
    pub is_encrypted: bool,
}

/// Addresses with a common beginning: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(own).checked_shr(shift) == u32::from(other).checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(own).checked_shr(shift) == u128::from(other).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("`{text}` is no address or network; write 10.0.0.7 or 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address = canonical(address.parse().map_err(|_| wrong())?);
        let most = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let bits = match bits {
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= most)
                .ok_or_else(wrong)?,
            None => most,
        };
        Ok(Network { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[Network]>);

impl Proxies {
    /// These.
    pub fn new(networks: &[Network]) -> Proxies {
        Proxies(networks.into())
    }

    /// Whether an address is one of them.
    pub fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }
}

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What proxies write; nobody else may.
const PROXIES_ALONE: [HeaderName; 6] = [
    FOR,
    PROTO,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("forwarded"),
];

/// Finds out who asks, and leaves of what proxies write only `X-Forwarded-Proto: https`, where it is so.
pub(super) fn introduce<B>(
    request: &mut Request<B>,
    address: IpAddr,
    is_tls: bool,
    proxies: &Proxies,
) -> Peer {
    let headers = request.headers_mut();
    let by_proxy = proxies.hold(address);
    let peer = match by_proxy {
        false => Peer {
            address,
            is_local: address.is_loopback(),
            is_encrypted: is_tls,
        },
        true => Peer {
            address: forwarded_for(headers, proxies).unwrap_or(address),
            is_local: false,
            is_encrypted: headers.get(&PROTO).is_some_and(|proto| proto == "https"),
        },
    };
    for name in PROXIES_ALONE {
        headers.remove(name);
    }
    if peer.is_encrypted {
        headers.insert(PROTO, HeaderValue::from_static("https"));
    }
    peer
}

/// The last address in `X-Forwarded-For` that no proxy of ours has: what stands before it anybody may have written.
fn forwarded_for(headers: &HeaderMap, proxies: &Proxies) -> Option<IpAddr> {
    let mut addresses = Vec::new();
    for value in headers.get_all(&FOR) {
        let text = value.to_str().ok()?;
        addresses.extend(text.split(',').map(|part| address_in(part.trim())));
    }
    addresses
        .into_iter()
        .rev()
        .map_while(|address| address)
        .find(|address| !proxies.hold(*address))
}

/// An address with or without a port and brackets.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[');
    let address = bare
        .parse()
        .ok()
        .or_else(|| bare.split_once(']')?.0.parse().ok())
        .or_else(|| bare.split_once(':')?.0.parse().ok())?;
    Some(canonical(address))
}

/// An IPv4 address as such, however it came.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What one customer of a network provider has: the address itself, or a /64.
pub fn network_of(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Whether an address is one that everybody can reach: not this machine, a private network, a link, or nothing.
pub fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            match (a, b) {
                // NAT64 (64:ff9b::/96) and 6to4 lead to the IPv4 address inside.
                (0x64, 0xff9b) => {
                    let [.., w, x, y, z] = address.octets();
                    is_public_v4(Ipv4Addr::new(w, x, y, z))
                }
                (0x2002, _) => {
                    let [_, _, w, x, y, z, ..] = address.octets();
                    is_public_v4(Ipv4Addr::new(w, x, y, z))
                }
                (0x2001, 0..0x200 | 0xdb8) => false,
                // 2000::/3 is all that is given out for the Internet.
                _ => a & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || (a == 100 && (b & 0xc0) == 64)
        || (a == 169 && b == 254)
        || (a == 172 && (b & 0xf0) == 16)
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 198 && (b & 0xfe) == 18)
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_a_configured_proxy_speaks_for_others() {
        let proxies = Proxies::new(&[
            "10.0.0.0/8".parse().expect("a network"),
            "::1".parse().expect("an address"),
        ]);
        for (from, forwarded, proto, is, local, encrypted) in [
            ("203.0.113.9", "", "", "203.0.113.9", false, false),
            (
                "203.0.113.9",
                "127.0.0.1",
                "https",
                "203.0.113.9",
                false,
                false,
            ),
            (
                "127.0.0.1",
                "203.0.113.5",
                "https",
                "127.0.0.1",
                true,
                false,
            ),
            (
                "10.0.0.7",
                "203.0.113.5",
                "https",
                "203.0.113.5",
                false,
                true,
            ),
            (
                "10.0.0.7",
                "203.0.113.5",
                "http",
                "203.0.113.5",
                false,
                false,
            ),
            ("10.0.0.7", "", "https", "10.0.0.7", false, true),
            // The first is what the client wrote itself.
            (
                "10.0.0.7",
                "127.0.0.1, 203.0.113.5",
                "https",
                "203.0.113.5",
                false,
                true,
            ),
            (
                "10.0.0.7",
                "203.0.113.5, 10.1.2.3",
                "https",
                "203.0.113.5",
                false,
                true,
            ),
            (
                "10.0.0.7",
                "203.0.113.5, junk",
                "https",
                "10.0.0.7",
                false,
                true,
            ),
            (
                "::1",
                "[2001:db8::1]:443",
                "https",
                "2001:db8::1",
                false,
                true,
            ),
            (
                "::1",
                "203.0.113.5:8080",
                "https",
                "203.0.113.5",
                false,
                true,
            ),
            (
                "::1",
                "::ffff:203.0.113.5",
                "https",
                "203.0.113.5",
                false,
                true,
            ),
        ] {
            let mut request = Request::new(());
            for (name, value) in [(FOR, forwarded), (PROTO, proto)] {
                if !value.is_empty() {
                    let value = HeaderValue::from_str(value).expect("a header");
                    request.headers_mut().insert(name, value);
                }
            }
            request
                .headers_mut()
                .insert("forwarded", HeaderValue::from_static("for=1.1.1.1"));
            let peer = introduce(&mut request, at(from), false, &proxies);
            let expected = Peer {
                address: at(is),
                is_local: local,
                is_encrypted: encrypted,
            };
            assert_eq!(peer, expected, "{from} {forwarded}");
            let left: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
            let proto: &[&str] = if encrypted {
                &["x-forwarded-proto"]
            } else {
                &[]
            };
            assert_eq!(left, proto, "{from} {forwarded}");
        }
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        for (network, address, holds) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("::/0", "2001:db8:1::1", true),
            ("::/0", "192.0.2.7", false),
        ] {
            let network: Network = network.parse().expect(network);
            assert_eq!(network.holds(at(address)), holds, "{network} {address}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "1.2.3.4/x"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_inside_is_told_from_what_everybody_can_reach() {
        for (address, public) in [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.1.1", false),
            ("172.31.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("198.18.0.1", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("2606:4700::1111", true),
            ("2001:db8::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::808:808", true),
            ("2002:7f00:1::", false),
            ("2002:808:808::", true),
        ] {
            assert_eq!(is_public(at(address)), public, "{address}");
        }
    }
}
