//! Decimal numbers as FHIR writes them: exact, and with the digits that were written, because
//! `1.50` claims more than `1.5` does. Comparison is by value; precision is asked for by name.

use std::cmp::Ordering;
use std::fmt;

/// The most significant digits that are kept; longer numbers are rounded to it (half up).
pub const DIGITS_MAX: u32 = 36;
const EXPONENT_MAX: i32 = 1_000_000;

/// `coefficient * 10^exponent`, as written: `1.50` is 150 * 10^-2.
///
/// Equality and order are by value (`1.5 == 1.50`).
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    pub(super) negative: bool,
    pub(super) coefficient: u128,
    pub(super) exponent: i32,
}

impl Decimal {
    /// Reads a JSON number. `None` if it is not one, or if its exponent is past a million.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let mut coefficient: u128 = 0;
        let mut exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let mut kept = 0;
        let mut rounding = None;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return None;
            }
            let digit = u128::from(digit - b'0');
            if kept < DIGITS_MAX {
                coefficient = coefficient * 10 + digit;
                kept += u32::from(coefficient != 0);
            } else {
                rounding.get_or_insert(digit >= 5);
                exponent = exponent.checked_add(1)?;
            }
        }
        if rounding == Some(true) {
            coefficient += 1;
        }
        (exponent.abs() <= EXPONENT_MAX).then_some(Decimal {
            negative,
            coefficient,
            exponent,
        })
    }

    /// The nearest binary number. It never reverses an order, so it can sort candidates; two
    /// different decimals may share one.
    pub fn to_f64(self) -> f64 {
        if self.coefficient < (1 << 53) && (-22..=22).contains(&self.exponent) {
            // Both parts are exact, so one operation rounds correctly.
            let coefficient = self.coefficient as f64;
            let power = 10f64.powi(self.exponent.abs());
            let value = if self.exponent < 0 {
                coefficient / power
            } else {
                coefficient * power
            };
            return if self.negative && value != 0.0 {
                -value
            } else {
                value
            };
        }
        let text = format!("{}e{}", self.coefficient, self.exponent);
        let value: f64 = text.parse().unwrap_or(f64::INFINITY);
        if self.negative && value != 0.0 {
            -value
        } else {
            value
        }
    }

    /// What an unprefixed search for this number means: `[low, high)`, half a unit of the last
    /// written digit to either side. `100` is [99.5, 100.5), `1.50` is [1.495, 1.505), and a number
    /// with an exponent counts as at least two digits: `1e2` is [95, 105), as R4 has it.
    pub fn implied_range(self) -> (Decimal, Decimal) {
        let mut exact = self;
        if exact.exponent > 0 && exact.coefficient < 10 {
            exact.coefficient *= 10;
            exact.exponent -= 1;
        }
        let half = Decimal {
            negative: false,
            coefficient: 5,
            exponent: exact.exponent - 1,
        };
        (exact.minus(half), exact.plus(half))
    }

    /// `[low, high]`: a tenth to either side, for `ap`.
    pub fn tenth_around(self) -> (Decimal, Decimal) {
        let scaled = |factor| Decimal {
            coefficient: self.coefficient * factor,
            exponent: self.exponent - 1,
            ..self
        };
        let (near, far) = (scaled(9), scaled(11));
        if self.negative {
            (far, near)
        } else {
            (near, far)
        }
    }

    fn plus(self, small: Decimal) -> Decimal {
        // `small` is one digit below the last of `self`: 10 times at most 36 digits, and 5.
        let signed = self.coefficient as i128 * if self.negative { -10 } else { 10 };
        let sum = signed + small.coefficient as i128 * if small.negative { -1 } else { 1 };
        Decimal {
            negative: sum < 0,
            coefficient: sum.unsigned_abs(),
            exponent: small.exponent,
        }
    }

    fn minus(self, small: Decimal) -> Decimal {
        self.plus(Decimal {
            negative: !small.negative,
            ..small
        })
    }

    fn order_of_magnitude(self) -> (Ordering, i64) {
        if self.coefficient == 0 {
            return (Ordering::Equal, 0);
        }
        let digits = i64::from(self.coefficient.ilog10());
        let sign = if self.negative {
            Ordering::Less
        } else {
            Ordering::Greater
        };
        (sign, digits + i64::from(self.exponent))
    }
}

fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let value: i32 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let (sign, size) = self.order_of_magnitude();
        let (other_sign, other_size) = other.order_of_magnitude();
        if sign != other_sign || sign == Ordering::Equal {
            return sign.cmp(&other_sign);
        }
        let by_size = size.cmp(&other_size).then_with(|| {
            // The same number of digits before the point, so at most 38 digits after scaling.
            let shift = self.exponent.min(other.exponent);
            let scale = |d: &Decimal| d.coefficient * 10u128.pow((d.exponent - shift) as u32);
            scale(self).cmp(&scale(other))
        });
        if self.negative {
            by_size.reverse()
        } else {
            by_size
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            out.write_str("-")?;
        }
        let digits = self.coefficient.to_string();
        match self.exponent {
            0 => out.write_str(&digits),
            1.. => write!(out, "{digits}e{}", self.exponent),
            -40..0 => {
                let places = self.exponent.unsigned_abs() as usize;
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(out, "{whole}.{fraction}")
            }
            _ => write!(out, "{digits}e{}", self.exponent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn digits_stay_as_written() {
        for (text, expect) in [
            ("0", "0"),
            ("-0.0", "-0.0"),
            ("1.50", "1.50"),
            ("100", "100"),
            ("1e2", "1e2"),
            ("1E+2", "1e2"),
            ("-12.5e-3", "-0.0125"),
            ("0.000001", "0.000001"),
            ("1e-60", "1e-60"),
            (
                "123456789012345678901234567890123456",
                "123456789012345678901234567890123456",
            ),
            (
                "1234567890123456789012345678901234567",
                "123456789012345678901234567890123457e1",
            ),
            (
                "0.9999999999999999999999999999999999999",
                "1000000000000000000000000000000000000e-36",
            ),
        ] {
            let shown = decimal(text).to_string();
            let same = shown == expect || decimal(&shown) == decimal(expect);
            assert!(same, "{text}: {shown}, not {expect}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            ".5",
            "1.",
            "1e",
            "1e+",
            "1x",
            "e5",
            "1e9999999",
            "NaN",
            "1 ",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn order_is_by_value_and_exact() {
        let ascending = [
            "-1e400",
            "-100.5",
            "-100",
            "-1e-9",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000000001",
            "1.5",
            "1.50000000000000000001",
            "9.99",
            "10",
            "99",
            "100",
            "1.001e2",
            "1e400",
        ];
        for (i, low) in ascending.iter().enumerate() {
            for (j, high) in ascending.iter().enumerate() {
                assert_eq!(decimal(low).cmp(&decimal(high)), i.cmp(&j), "{low} {high}");
                let (low, high) = (decimal(low).to_f64(), decimal(high).to_f64());
                assert!(if i < j { low <= high } else { low >= high });
            }
        }
        for (one, other) in [
            ("1.5", "1.50"),
            ("0", "-0.000"),
            ("100", "1e2"),
            ("0.00", "0e5"),
        ] {
            assert_eq!(decimal(one), decimal(other));
            assert_eq!(decimal(one).to_f64(), decimal(other).to_f64());
        }
    }

    #[test]
    fn the_nearest_binary_number_is_the_one_that_rust_reads() {
        for text in [
            "1.1",
            "123456.789",
            "-0.3",
            "9007199254740993",
            "2.2250738585072011e-308",
            "72.5",
            "1e23",
        ] {
            assert_eq!(
                decimal(text).to_f64(),
                text.parse::<f64>().unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn precision_is_half_a_unit_of_the_last_digit() {
        for (text, low, high) in [
            ("100", "99.5", "100.5"),
            ("100.00", "99.995", "100.005"),
            ("1e2", "95", "105"),
            ("1.0e2", "95", "105"),
            ("5.4", "5.35", "5.45"),
            ("5.40", "5.395", "5.405"),
            ("0", "-0.5", "0.5"),
            ("-1.5", "-1.55", "-1.45"),
            ("5.4e-3", "0.00535", "0.00545"),
            (
                "123456789012345678901234567890123456",
                "123456789012345678901234567890123455.5",
                "123456789012345678901234567890123456.5",
            ),
        ] {
            let (got_low, got_high) = decimal(text).implied_range();
            if text.len() < 30 {
                assert_eq!((got_low, got_high), (decimal(low), decimal(high)), "{text}");
            } else {
                assert!(got_low < decimal(text) && decimal(text) < got_high);
            }
        }
    }

    #[test]
    fn a_tenth_around_keeps_its_order_below_zero() {
        assert_eq!(
            decimal("100").tenth_around(),
            (decimal("90"), decimal("110"))
        );
        assert_eq!(
            decimal("-100").tenth_around(),
            (decimal("-110"), decimal("-90"))
        );
    }
}
