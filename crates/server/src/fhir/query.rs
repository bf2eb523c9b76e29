//! Query strings and form bodies: decoded to pairs, in their order, and written again.
//!
//! Strict where it matters: a percent sign without two hexadecimal digits, or bytes that are not
//! UTF-8, are an error that names the parameter, never a silently different value.

use crate::error::{Error, ErrorKind};

/// Decoded names and values in the order they were given.
pub type Pairs = Vec<(String, String)>;

/// Decodes `a=b&c=d` as browsers and FHIR clients write it (`+` is a space).
pub fn decode(text: &str) -> Result<Pairs, Error> {
    let mut pairs = Vec::new();
    for piece in text.split('&') {
        if piece.is_empty() {
            continue;
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let name = unescape(name, true).map_err(|problem| bad("a parameter's name", problem))?;
        let value = unescape(value, true).map_err(|problem| bad(&format!("`{name}`"), problem))?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Decodes one segment of a path.
pub fn decode_segment(text: &str) -> Result<String, Error> {
    unescape(text, false).map_err(|problem| bad("The address", problem))
}

/// Writes pairs as a query string, without the question mark.
pub fn encode<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

fn bad(place: &str, problem: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("{place} {problem}."))
}

fn unescape(text: &str, plus: bool) -> Result<String, &'static str> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let hex = |offset: usize| {
                    bytes
                        .get(at + offset)
                        .and_then(|byte| (*byte as char).to_digit(16))
                };
                let (Some(high), Some(low)) = (hex(1), hex(2)) else {
                    return Err("has a `%` that is not followed by two hexadecimal digits");
                };
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            b'+' if plus => {
                out.push(b' ');
                at += 1;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_err(|_| "is not UTF-8")
}

fn escape(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte as char),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b',' | b'$' | b'*' => out.push(byte as char),
            _ => {
                out.push('%');
                out.push(HEX[(byte >> 4) as usize] as char);
                out.push(HEX[(byte & 15) as usize] as char);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_decode() {
        for (text, expected) in [
            ("", "[]"),
            ("a=b", r#"[("a", "b")]"#),
            ("a", r#"[("a", "")]"#),
            ("a=b&&c=d=e", r#"[("a", "b"), ("c", "d=e")]"#),
            ("a=b&a=c", r#"[("a", "b"), ("a", "c")]"#),
            (
                "identifier=urn%3Ax%7C1+2",
                r#"[("identifier", "urn:x|1 2")]"#,
            ),
            ("name=J%C3%BCrgen", r#"[("name", "Jürgen")]"#),
        ] {
            assert_eq!(
                format!("{:?}", decode(text).expect(text)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_bad_escape_names_the_parameter() {
        for (text, expected) in [
            (
                "name=%4",
                "`name` has a `%` that is not followed by two hexadecimal digits.",
            ),
            (
                "name=%zz",
                "`name` has a `%` that is not followed by two hexadecimal digits.",
            ),
            ("name=%ff", "`name` is not UTF-8."),
        ] {
            assert_eq!(decode(text).expect_err(text).message, expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let pairs = [("a b", "ü|&=+%"), ("date", "ge2020-01-01T00:00:00+02:00")];
        let text = encode(pairs);
        let back = decode(&text).expect("it was just written");
        assert!(back.iter().map(|(a, b)| (a.as_str(), b.as_str())).eq(pairs));
    }
}
