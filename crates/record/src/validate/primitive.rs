//! The formats of FHIR's primitive types, by hand: no regular expressions.

use super::narrative;
use crate::definitions::Primitive;
use crate::json::{Kind, Value};
use crate::reference::is_id;
use crate::time;

/// FHIR's limit for a string, in bytes.
const STRING_MAX: usize = 1024 * 1024;

/// Is the value of this type? If not, a sentence about what the type wants.
#[inline]
pub(super) fn check(primitive: Primitive, value: Value<'_>) -> Result<(), &'static str> {
    let (is_right, sentence) = match primitive {
        Primitive::Boolean => (
            value.as_bool().is_some(),
            "This is true or false, without quotes.",
        ),
        Primitive::Decimal => (
            value.kind() == Kind::Number,
            "This is a number, without quotes.",
        ),
        Primitive::Integer => (
            integer(value, i64::from(i32::MIN)),
            "This is a whole number of at most 31 bits, without quotes.",
        ),
        Primitive::UnsignedInt => (
            integer(value, 0),
            "This is a whole number from 0 on, without quotes.",
        ),
        Primitive::PositiveInt => (
            integer(value, 1),
            "This is a whole number from 1 on, without quotes.",
        ),
        _ => {
            let Some(text) = value.as_str() else {
                return Err("This is a string, in quotes.");
            };
            if text.is_empty() {
                return Err("A string must not be empty; leave the element out instead.");
            }
            return string(primitive, value, text);
        }
    };
    if is_right { Ok(()) } else { Err(sentence) }
}

fn integer(value: Value<'_>, min: i64) -> bool {
    // A number with a fraction or an exponent does not parse.
    value
        .as_i64()
        .is_some_and(|n| (min..=i64::from(i32::MAX)).contains(&n))
}

#[inline]
fn string(primitive: Primitive, value: Value<'_>, text: &str) -> Result<(), &'static str> {
    let (is_right, sentence) = match primitive {
        Primitive::Code => (
            is_code(text),
            "A code has no space at its ends, no two spaces in a row, and no line break.",
        ),
        Primitive::Id => (
            is_id(text),
            "An id has 1 to 64 characters: letters, digits, - and dots.",
        ),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => (
            !text.chars().any(char::is_whitespace),
            "A URI has no white space.",
        ),
        Primitive::Oid => (is_oid(text), "An OID is written urn:oid:1.2.3."),
        Primitive::Uuid => (
            is_uuid(text),
            "A UUID is written urn:uuid: and 32 hexadecimal digits in five groups.",
        ),
        Primitive::Date => (
            time::is_date(text),
            "A date is YYYY, YYYY-MM or YYYY-MM-DD, and must exist.",
        ),
        Primitive::DateTime => (
            time::is_date_time(text),
            "A dateTime is a date, or YYYY-MM-DDThh:mm:ss with a zone (Z or +hh:mm), and must exist.",
        ),
        Primitive::Instant => (
            time::is_instant(text),
            "An instant is YYYY-MM-DDThh:mm:ss with a zone (Z or +hh:mm), and must exist.",
        ),
        Primitive::Time => (time::is_time(text), "A time is hh:mm:ss, without a zone."),
        Primitive::Base64Binary => (
            is_base64(text),
            "This is base64, in groups of four, with its padding.",
        ),
        Primitive::Xhtml => return narrative::check(text),
        _ => (
            text.len() <= STRING_MAX
                && (!value.has_escapes() || !has_control(text))
                && !is_blank(text),
            "A string has at most 1 MB, is not blank, and has no control characters but tab, line feed and return.",
        ),
    };
    if is_right { Ok(()) } else { Err(sentence) }
}

#[inline]
fn is_blank(text: &str) -> bool {
    // The first character decides for all but the strangest.
    text.as_bytes()[0] <= b' ' && text.chars().all(char::is_whitespace)
}

fn has_control(text: &str) -> bool {
    text.bytes()
        .any(|b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'))
}

#[inline]
fn is_code(text: &str) -> bool {
    let mut after_space = true;
    for b in text.bytes() {
        if b == b' ' {
            if after_space {
                return false;
            }
            after_space = true;
        } else if b < b' ' {
            return false;
        } else {
            after_space = false;
        }
    }
    !after_space
}

fn is_oid(text: &str) -> bool {
    let Some(parts) = text.strip_prefix("urn:oid:") else {
        return false;
    };
    let is_number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let mut parts = parts.split('.');
    parts
        .next()
        .is_some_and(|first| matches!(first, "0" | "1" | "2"))
        && parts.clone().next().is_some()
        && parts.all(is_number)
}

fn is_uuid(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    digits.len() == 36
        && digits.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn is_base64(text: &str) -> bool {
    let mut count = 0_usize;
    let mut padding = 0_usize;
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            b'=' if padding < 2 => padding += 1,
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            _ => return false,
        }
        count += 1;
    }
    count > 0 && count.is_multiple_of(4)
}
