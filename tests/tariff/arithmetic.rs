//! The arithmetic of hand-worked cases, evaluated without any of the code under test.

use rust_decimal::{Decimal, RoundingStrategy};

/// The value of an expression of numbers, `+ - * / ( )`, `max(a, b)`, `min(a, b)`, `cents(a)` and
/// `pow(a, n)`.
pub fn evaluate(text: &str) -> Decimal {
    let mut reader = Reader { text, at: 0 };
    let value = reader.sum();
    reader.blank();
    assert_eq!(reader.at, text.len(), "{text:?}: stuck at {:?}", &text[reader.at..]);
    value
}

/// Half up to the cent; what comes to less than a cent is zero (usage note (l)).
pub fn cents(exact: Decimal) -> Decimal {
    if exact.abs() < Decimal::new(1, 2) {
        return Decimal::ZERO;
    }
    exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// A function of two numbers.
type Two = fn(Decimal, Decimal) -> Decimal;

const TWO: [(&str, Two); 3] = [("max(", max), ("min(", min), ("pow(", power)];

fn max(left: Decimal, right: Decimal) -> Decimal {
    left.max(right)
}

fn min(left: Decimal, right: Decimal) -> Decimal {
    left.min(right)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn blank(&mut self) {
        self.at += self.text[self.at..].len() - self.text[self.at..].trim_start().len();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.blank();
        let found = self.text[self.at..].starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn sum(&mut self) -> Decimal {
        let mut value = self.product();
        loop {
            if self.take("+") {
                value += self.product();
            } else if self.take("-") {
                value -= self.product();
            } else {
                return value;
            }
        }
    }

    fn product(&mut self) -> Decimal {
        let mut value = self.factor();
        loop {
            if self.take("*") {
                value *= self.factor();
            } else if self.take("/") {
                value /= self.factor();
            } else {
                return value;
            }
        }
    }

    fn factor(&mut self) -> Decimal {
        for (name, function) in TWO {
            if self.take(name) {
                let left = self.sum();
                assert!(self.take(","), "{:?}: a comma is missing", self.text);
                let right = self.sum();
                assert!(self.take(")"), "{:?}: a parenthesis is missing", self.text);
                return function(left, right);
            }
        }
        for (name, function) in [("cents(", cents as fn(Decimal) -> Decimal), ("(", |value| value)] {
            if self.take(name) {
                let value = self.sum();
                assert!(self.take(")"), "{:?}: a parenthesis is missing", self.text);
                return function(value);
            }
        }
        self.blank();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number = rest[..end].parse().unwrap_or_else(|_| panic!("{:?}: no number at {rest:?}", self.text));
        self.at += end;
        number
    }
}

/// By squaring, unlike the program, which multiplies day by day.
fn power(base: Decimal, exponent: Decimal) -> Decimal {
    let mut exponent = u32::try_from(exponent).unwrap();
    let (mut result, mut square) = (Decimal::ONE, base);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result *= square;
        }
        square *= square;
        exponent /= 2;
    }
    result
}

#[test]
fn the_arithmetic_is_right_itself() {
    let is = |text: &str, value: &str| assert_eq!(evaluate(text), value.parse().unwrap(), "{text}");
    is("2 + 3 * 4 - 6 / 4", "12.5");
    is("(2 + 3) * max(4, 2 * 3)", "30");
    is("cents(123.545) + cents(0.004)", "123.55");
    is("pow(1 + 0.5, 3)", "3.375");
    is("min(1, 2) - 1", "0");
}
