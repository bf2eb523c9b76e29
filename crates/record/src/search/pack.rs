//! All values of one version in few bytes, read back without unpacking what is not asked for.
//!
//! A row is a sequence of items in the order of [`extract`](super::extract):
//!
//! ```text
//! item    = header [varint: parameter - previous, if the high half of the header is 15] payload
//! header  = parameter minus previous item's parameter (0..=14) << 4 | tag
//! text    = varint n: n even: n/2 bytes of UTF-8; n odd: number (n-1)/2 of a static table
//! id      = 0: text | 1: 10 bytes, 16 letters Crockford base32 | 2: 16 bytes, UUID
//! decimal = varint: exponent zigzag * 2 + sign; varint: coefficient
//! ```
//!
//! A value that occurs again under another parameter (`patient` and `subject`, `code` and
//! `combo-code`) is written once; the second is the distance back to the first. Rows are made and
//! read by the same program only: they hold numbers of parameters, kinds and table places.

use std::borrow::Cow;

use super::systems::{CODES, SYSTEMS};
use super::{Decimal, Indexed, ParamId};
use crate::definitions;

mod tag {
    pub(super) const SAME: u8 = 0;
    pub(super) const TOKEN: u8 = 1;
    pub(super) const TOKEN_IMPLIED: u8 = 2;
    pub(super) const TOKEN_WITHOUT_CODE: u8 = 3;
    pub(super) const STRING: u8 = 4;
    pub(super) const DATE: u8 = 5;
    pub(super) const NUMBER: u8 = 6;
    /// The unit as shown is the code.
    pub(super) const QUANTITY: u8 = 7;
    pub(super) const QUANTITY_WITH_UNIT: u8 = 8;
    pub(super) const RANGE: u8 = 9;
    pub(super) const REFERENCE: u8 = 10;
    pub(super) const URL: u8 = 11;
    pub(super) const URI: u8 = 12;
}

/// Packs values sorted by parameter, as [`extract`](super::extract) gives them.
pub fn pack(values: &[(ParamId, Indexed)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let mut starts: Vec<usize> = Vec::with_capacity(values.len());
    let mut previous = 0u16;
    for (at, (param, value)) in values.iter().enumerate() {
        let start = out.len();
        let delta = param.0.saturating_sub(previous);
        previous = param.0;
        let high = delta.min(15) as u8;
        // Looking back is for the short rows of most kinds; a long one has hundreds of codes.
        let from = at.saturating_sub(24);
        let same = (from..at)
            .find(|&earlier| values[earlier].0 != *param && is_same(&values[earlier].1, value));
        let body = same.map(|earlier| start - starts[earlier]);
        out.push(high << 4);
        if high == 15 {
            varint(u128::from(delta), &mut out);
        }
        let tag = match body {
            Some(distance) => {
                varint(distance as u128, &mut out);
                // The distance goes to the item that holds the value itself.
                starts.push(starts[same.unwrap_or_default()]);
                tag::SAME
            }
            None => {
                starts.push(start);
                write(value, &mut out)
            }
        };
        out[start] |= tag;
    }
    out
}

/// Equal, digits of decimals included.
fn is_same(a: &Indexed, b: &Indexed) -> bool {
    let digits = |value: &Indexed| match value {
        Indexed::Number(value) | Indexed::Quantity { value, .. } => [value.exponent, 0],
        Indexed::Range { low, high, .. } => {
            [low, high].map(|end| end.map_or(0, |end| end.exponent))
        }
        _ => [0, 0],
    };
    a == b && digits(a) == digits(b)
}

fn write(value: &Indexed, out: &mut Vec<u8>) -> u8 {
    match value {
        Indexed::Token { system, code } => {
            let tag = match (system, code) {
                (Some(_), Some(_)) => tag::TOKEN,
                (None, Some(_)) => tag::TOKEN_IMPLIED,
                (_, None) => tag::TOKEN_WITHOUT_CODE,
            };
            match (system, code) {
                (Some(system), Some(code)) => {
                    text(system, SYSTEMS, out);
                    text(code, CODES, out);
                }
                (None, Some(code)) => text(code, CODES, out),
                (Some(system), None) => {
                    out.push(1);
                    text(system, SYSTEMS, out);
                }
                (None, None) => out.push(0),
            }
            tag
        }
        Indexed::String(string) => {
            text(string, &[], out);
            tag::STRING
        }
        Indexed::Date { start, end } => {
            date(*start, *end, out);
            tag::DATE
        }
        Indexed::Number(value) => {
            decimal(*value, out);
            tag::NUMBER
        }
        Indexed::Quantity {
            value,
            system,
            code,
            unit,
        } => {
            decimal(*value, out);
            text(system, SYSTEMS, out);
            text(code, &[], out);
            if unit == code {
                return tag::QUANTITY;
            }
            text(unit, &[], out);
            tag::QUANTITY_WITH_UNIT
        }
        Indexed::Range {
            low,
            high,
            system,
            code,
            unit,
        } => {
            out.push(u8::from(low.is_some()) | u8::from(high.is_some()) << 1);
            for end in [low, high].into_iter().flatten() {
                decimal(*end, out);
            }
            text(system, SYSTEMS, out);
            text(code, &[], out);
            text(unit, &[], out);
            tag::RANGE
        }
        Indexed::Reference { kind, id: target } => match kind.and_then(definitions::kind_number) {
            Some(number) => {
                out.push(number);
                id(target, out);
                tag::REFERENCE
            }
            None => {
                url(target, out);
                tag::URL
            }
        },
        Indexed::Uri(uri) => {
            url(uri, out);
            tag::URI
        }
    }
}

/// The packed values of one version.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    row: &'a [u8],
}

impl<'a> Values<'a> {
    /// Over a row that [`pack`] made. A row that is cut or altered ends early; it never panics.
    pub fn new(row: &'a [u8]) -> Values<'a> {
        Values { row }
    }

    /// All values, sorted by parameter.
    pub fn iter(self) -> impl Iterator<Item = (ParamId, Indexed<'a>)> {
        Items::new(self.row).map_while(move |item| Some((item.param, item.read(self.row)?)))
    }

    /// The values of one parameter.
    pub fn of(self, param: ParamId) -> impl Iterator<Item = Indexed<'a>> {
        Items::new(self.row)
            .skip_while(move |item| item.param < param)
            .take_while(move |item| item.param == param)
            .map_while(move |item| item.read(self.row))
    }

    /// Whether the parameter has any value.
    pub fn has(self, param: ParamId) -> bool {
        Items::new(self.row)
            .find(|item| item.param >= param)
            .is_some_and(|item| item.param == param)
    }
}

struct Item {
    param: ParamId,
    start: usize,
    tag: u8,
    payload: usize,
}

impl Item {
    fn read<'a>(&self, row: &'a [u8]) -> Option<Indexed<'a>> {
        let (tag, payload) = if self.tag == tag::SAME {
            let mut reader = Reader {
                row,
                at: self.payload,
            };
            let distance = usize::try_from(reader.varint()?).ok()?;
            let at = self.start.checked_sub(distance).filter(|_| distance > 0)?;
            let header = *row.get(at)?;
            let mut reader = Reader { row, at: at + 1 };
            if header >> 4 == 15 {
                reader.varint()?;
            }
            (header & 15, reader.at)
        } else {
            (self.tag, self.payload)
        };
        Reader { row, at: payload }.value(tag)
    }
}

/// Steps over items without making their values.
struct Items<'a> {
    reader: Reader<'a>,
    previous: u16,
}

impl<'a> Items<'a> {
    fn new(row: &'a [u8]) -> Items<'a> {
        Items {
            reader: Reader { row, at: 0 },
            previous: 0,
        }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let start = self.reader.at;
        let header = self.reader.byte()?;
        let delta = match header >> 4 {
            15 => u16::try_from(self.reader.varint()?).ok()?,
            delta => u16::from(delta),
        };
        self.previous = self.previous.checked_add(delta)?;
        let (param, tag) = (ParamId(self.previous), header & 15);
        let payload = self.reader.at;
        self.reader.skip(tag)?;
        Some(Item {
            param,
            start,
            tag,
            payload,
        })
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    row: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.row.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.row.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn varint(&mut self) -> Option<u128> {
        let mut value = 0u128;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self, table: &'static [&'static str]) -> Option<&'a str> {
        let number = usize::try_from(self.varint()?).ok()?;
        if number % 2 == 1 {
            return table.get(number / 2).copied();
        }
        std::str::from_utf8(self.bytes(number / 2)?).ok()
    }

    fn skip_texts(&mut self, count: usize) -> Option<()> {
        for _ in 0..count {
            let number = usize::try_from(self.varint()?).ok()?;
            if number % 2 == 0 {
                self.bytes(number / 2)?;
            }
        }
        Some(())
    }

    fn skip_id(&mut self) -> Option<()> {
        match self.byte()? {
            CROCKFORD => self.bytes(10).map(drop),
            UUID | URN_UUID => self.bytes(16).map(drop),
            _ => self.skip_texts(1),
        }
    }

    fn skip_varints(&mut self, count: usize) -> Option<()> {
        for _ in 0..count {
            while self.byte()? >= 128 {}
        }
        Some(())
    }

    fn skip(&mut self, tag: u8) -> Option<()> {
        match tag {
            tag::SAME => self.skip_varints(1),
            tag::TOKEN => self.skip_texts(2),
            tag::TOKEN_IMPLIED | tag::STRING => self.skip_texts(1),
            tag::TOKEN_WITHOUT_CODE => match self.byte()? {
                0 => Some(()),
                _ => self.skip_texts(1),
            },
            tag::DATE => self.date().map(drop),
            tag::NUMBER => self.skip_varints(2),
            tag::QUANTITY => self.skip_varints(2).and_then(|()| self.skip_texts(2)),
            tag::QUANTITY_WITH_UNIT => self.skip_varints(2).and_then(|()| self.skip_texts(3)),
            tag::RANGE => {
                let ends = self.byte()?.count_ones() as usize;
                self.skip_varints(2 * ends)
                    .and_then(|()| self.skip_texts(3))
            }
            tag::REFERENCE => self.byte().and_then(|_| self.skip_id()),
            tag::URL | tag::URI => self.skip_id(),
            _ => None,
        }
    }

    fn decimal(&mut self) -> Option<Decimal> {
        let head = u64::try_from(self.varint()?).ok()?;
        let exponent = i32::try_from(unzigzag(head >> 1)).ok()?;
        Some(Decimal {
            negative: head & 1 == 1,
            coefficient: self.varint()?,
            exponent,
        })
    }

    fn date(&mut self) -> Option<(i64, i64)> {
        let form = self.byte()?;
        let unit = *UNITS.get(usize::from(form & 3))?;
        let mut number =
            || -> Option<i64> { unzigzag(u64::try_from(self.varint()?).ok()?).checked_mul(unit) };
        let start = if form & OPEN_START == 0 {
            number()?.checked_add(EPOCH)?
        } else {
            i64::MIN
        };
        let end = match form & (OPEN_END | ONE_UNIT) {
            0 if form & OPEN_START == 0 => number()?.checked_add(start)?,
            0 => number()?.checked_add(EPOCH)?,
            ONE_UNIT => start.checked_add(unit)?,
            _ => i64::MAX,
        };
        Some((start, end))
    }

    fn id(&mut self) -> Option<Cow<'a, str>> {
        match self.byte()? {
            CROCKFORD => Some(Cow::Owned(crockford_text(self.bytes(10)?))),
            UUID => Some(Cow::Owned(uuid_text("", self.bytes(16)?))),
            URN_UUID => Some(Cow::Owned(uuid_text("urn:uuid:", self.bytes(16)?))),
            _ => self.text(SYSTEMS).map(Cow::Borrowed),
        }
    }

    fn value(&mut self, tag: u8) -> Option<Indexed<'a>> {
        Some(match tag {
            tag::TOKEN => Indexed::Token {
                system: Some(self.text(SYSTEMS)?.into()),
                code: Some(self.text(CODES)?.into()),
            },
            tag::TOKEN_IMPLIED => Indexed::Token {
                system: None,
                code: Some(self.text(CODES)?.into()),
            },
            tag::TOKEN_WITHOUT_CODE => Indexed::Token {
                system: match self.byte()? {
                    0 => None,
                    _ => Some(self.text(SYSTEMS)?.into()),
                },
                code: None,
            },
            tag::STRING => Indexed::String(self.text(&[])?.into()),
            tag::DATE => {
                let (start, end) = self.date()?;
                Indexed::Date { start, end }
            }
            tag::NUMBER => Indexed::Number(self.decimal()?),
            tag::QUANTITY | tag::QUANTITY_WITH_UNIT => {
                let value = self.decimal()?;
                let system = self.text(SYSTEMS)?.into();
                let code = self.text(&[])?;
                let unit = if tag == tag::QUANTITY {
                    code
                } else {
                    self.text(&[])?
                };
                Indexed::Quantity {
                    value,
                    system,
                    code: code.into(),
                    unit: unit.into(),
                }
            }
            tag::RANGE => {
                let ends = self.byte()?;
                let low = if ends & 1 == 0 {
                    None
                } else {
                    Some(self.decimal()?)
                };
                let high = if ends & 2 == 0 {
                    None
                } else {
                    Some(self.decimal()?)
                };
                let system = self.text(SYSTEMS)?.into();
                let code = self.text(&[])?.into();
                Indexed::Range {
                    low,
                    high,
                    system,
                    code,
                    unit: self.text(&[])?.into(),
                }
            }
            tag::REFERENCE => {
                let kind = Some(definitions::kind_name(self.byte()?)?);
                Indexed::Reference {
                    kind,
                    id: self.id()?,
                }
            }
            tag::URL => Indexed::Reference {
                kind: None,
                id: self.id()?,
            },
            tag::URI => Indexed::Uri(self.id()?),
            _ => return None,
        })
    }
}

fn varint(mut value: u128, out: &mut Vec<u8>) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn text(text: &str, table: &[&str], out: &mut Vec<u8>) {
    match table.iter().position(|known| *known == text) {
        Some(place) => varint(place as u128 * 2 + 1, out),
        None => {
            varint(text.len() as u128 * 2, out);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn decimal(value: Decimal, out: &mut Vec<u8>) {
    let head = zigzag(i64::from(value.exponent)) << 1 | u64::from(value.negative);
    varint(u128::from(head), out);
    varint(value.coefficient, out);
}

/// Microseconds in a day, a second, a millisecond and a microsecond.
const UNITS: [i64; 4] = [86_400_000_000, 1_000_000, 1_000, 1];
/// 2010-01-01: near the dates of most records, so that their distance is short.
const EPOCH: i64 = 14_610 * UNITS[0];
const OPEN_START: u8 = 4;
const OPEN_END: u8 = 8;
const ONE_UNIT: u8 = 16;

fn date(start: i64, end: i64, out: &mut Vec<u8>) {
    // The coarsest unit that says both ends exactly.
    let fits = |at: i64, unit: i64| matches!(at, i64::MIN | i64::MAX) || at % unit == 0;
    let form = UNITS
        .iter()
        .position(|unit| fits(start, *unit) && fits(end, *unit))
        .unwrap_or(3);
    let unit = UNITS[form];
    let has_start = start != i64::MIN;
    let is_one = has_start && start.checked_add(unit) == Some(end);
    let mut flags = form as u8;
    flags |= if has_start { 0 } else { OPEN_START };
    flags |= if is_one {
        ONE_UNIT
    } else if end == i64::MAX {
        OPEN_END
    } else {
        0
    };
    out.push(flags);
    let mut number = |micros: i64| varint(u128::from(zigzag(micros / unit)), out);
    if has_start {
        number(start.saturating_sub(EPOCH));
    }
    if end != i64::MAX && !is_one {
        number(end.saturating_sub(if has_start { start } else { EPOCH }));
    }
}

const PLAIN: u8 = 0;
const CROCKFORD: u8 = 1;
const UUID: u8 = 2;
const URN_UUID: u8 = 3;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn id(id: &str, out: &mut Vec<u8>) {
    if let Some(bytes) = crockford_bytes(id) {
        out.push(CROCKFORD);
        out.extend_from_slice(&bytes);
    } else if let Some(bytes) = uuid_bytes(id) {
        out.push(UUID);
        out.extend_from_slice(&bytes);
    } else {
        out.push(PLAIN);
        text(id, SYSTEMS, out);
    }
}

fn url(url: &str, out: &mut Vec<u8>) {
    match url.strip_prefix("urn:uuid:").and_then(uuid_bytes) {
        Some(bytes) => {
            out.push(URN_UUID);
            out.extend_from_slice(&bytes);
        }
        None => id(url, out),
    }
}

fn crockford_bytes(id: &str) -> Option<[u8; 10]> {
    if id.len() != 16 {
        return None;
    }
    let mut bits = 0u128;
    for letter in id.bytes() {
        let place = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 5 | place as u128;
    }
    let bytes = bits.to_be_bytes();
    bytes[6..].try_into().ok()
}

fn crockford_text(bytes: &[u8]) -> String {
    let bits = bytes
        .iter()
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..16)
        .rev()
        .map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]))
        .collect()
}

/// Lower-case UUIDs only, so that what is read back is what was written.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let mut nibbles = 0;
    for (at, letter) in text.bytes().enumerate() {
        let nibble = match letter {
            b'-' if matches!(at, 8 | 13 | 18 | 23) => continue,
            _ if matches!(at, 8 | 13 | 18 | 23) => return None,
            b'0'..=b'9' => letter - b'0',
            b'a'..=b'f' => letter - b'a' + 10,
            _ => return None,
        };
        out[nibbles / 2] = out[nibbles / 2] << 4 | nibble;
        nibbles += 1;
    }
    Some(out)
}

fn uuid_text(prefix: &str, bytes: &[u8]) -> String {
    let mut out = String::with_capacity(prefix.len() + 36);
    out.push_str(prefix);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
