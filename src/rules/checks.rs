//! The named checks of fields: what a list or a class cannot say. `docs/grammar.md` lists them.

use super::Reference;
use crate::grammar::{Cell, Grammar};
use crate::wire::Columns;

/// What a check sees.
pub(super) struct Case<'a> {
    /// The field's value, never blank.
    pub(super) text: &'a str,
    pub(super) columns: &'a Columns,
    /// Another field of the record, if the check asks for one.
    pub(super) beside: Option<Cell>,
    pub(super) grammar: &'a Grammar,
    pub(super) reference: &'a dyn Reference,
}

/// Whether the value is right; `None` if that cannot be decided.
type Test = fn(&Case<'_>) -> Option<bool>;

pub(super) struct Check {
    pub(super) name: &'static str,
    /// The other field it needs.
    pub(super) beside: Option<&'static str>,
    /// What a right value is.
    pub(super) expected: Expected,
    pub(super) test: Test,
}

/// What a right value is.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    Words(&'static str),
    /// It depends on the rest of the record; `None` if it cannot be computed.
    Computed(fn(&Case<'_>) -> Option<String>),
}

const fn check(name: &'static str, expected: &'static str, test: Test) -> Check {
    Check { name, beside: None, expected: Expected::Words(expected), test }
}

pub(super) const CHECKS: [Check; 18] = [
    check("numeric", "digits", |case| Some(digits(case.text))),
    Check {
        name: "entry_number",
        beside: Some("entry_filer_code"),
        expected: Expected::Computed(right_entry_number),
        test: entry_number,
    },
    check("filer_code", "a filer on file", |case| case.reference.has("filer", case.text)),
    check("calendar_month", "a month from 01 to 12", |case| {
        Some(digits(case.text) && case.text.parse().is_ok_and(|month: u8| (1..=12).contains(&month)))
    }),
    check("party_number", "a number like NN-NNNNNNN, NN-NNNNNNNXX, NNN-NN-NNNN or NNNNNN-NNNNN", |case| {
        Some(PARTY_NUMBERS.iter().any(|form| has_form(case.text, form)))
    }),
    check("party_number_current", "a number of a form in use, not NNNN-NNNNN", |case| {
        Some(!has_form(case.text, "NNNN-NNNNN"))
    }),
    check("party_number_nonzero", "a number that is not all zeros", |case| {
        let nothing = ["00-0000000", "00-000000000", "000-00-0000"].contains(&case.text);
        Some(!nothing)
    }),
    check("missing_document_first", "another code than 99, which stands behind others only", |case| {
        Some(case.text != "99")
    }),
    check("header_fee_class", "a fee class of the header", |case| fee_level(case, "header")),
    check("line_fee_class", "a fee class of a line", |case| fee_level(case, "line")),
    check("other_revenue_class", "a code of @ae_other_revenue_class", |case| {
        case.grammar.list("ae_other_revenue_class").map(|list| list.contains(case.text))
    }),
    check("no_asterisk", "no asterisk", |case| Some(!case.text.contains('*'))),
    check("invoice_number", "letters, digits and hyphens", |case| {
        Some(case.text.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'-'))
    }),
    check("visa_year", "a digit in the first place", |case| Some(digits(part(case.text, 0, 1)))),
    check("visa_country", "a country code in places 2 and 3", |case| {
        case.grammar.list("country").map(|list| list.contains(part(case.text, 1, 3)))
    }),
    check("visa_sequence", "nine characters, digits from the fourth on", |case| {
        Some(digits(part(case.text, 3, 9)) && case.text.len() == 9)
    }),
    check("case_number", "ten characters", |case| Some(case.text.len() == 10)),
    check("case_type", "A or C in the first place", |case| Some(case.text.starts_with(['A', 'C']))),
];

/// The forms of a party's number (error dictionary, condition 102).
const PARTY_NUMBERS: [&str; 4] = ["NN-NNNNNNN", "NN-NNNNNNNXX", "NNN-NN-NNNN", "NNNNNN-NNNNN"];

fn entry_number(case: &Case<'_>) -> Option<bool> {
    let filer = case.beside?.value(case.columns)?;
    let expected = check_digit(filer, case.text.get(..7)?)?;
    let found = case.text.get(7..)?.parse::<u8>().ok()?;
    let offsets = case.reference.check_digit_offsets(filer);
    Some(offsets.iter().any(|offset| (expected + offset) % 10 == found))
}

/// The entry number with the check digits that its filer may use.
fn right_entry_number(case: &Case<'_>) -> Option<String> {
    let filer = case.beside?.value(case.columns)?;
    let number = case.text.get(..7)?;
    let digit = check_digit(filer, number)?;
    let offsets = case.reference.check_digit_offsets(filer);
    let right = offsets.iter().map(|offset| {
        let digit = (digit + offset) % 10;
        format!("\"{number}{digit}\" with the check digit {digit}")
    });
    Some(right.collect::<Vec<_>>().join(" or "))
}

/// The check digit of an entry number before a filer's offset: the ten digits of filer code and
/// number by the Luhn formula, letters counted in three runs (Appendix E).
#[must_use]
pub fn check_digit(filer: &str, number: &str) -> Option<u8> {
    let mut sum = 0;
    for (place, sign) in filer.bytes().chain(number.bytes()).enumerate() {
        let digit = match sign {
            b'0'..=b'9' => sign - b'0',
            b'A'..=b'I' => sign - b'A' + 1,
            b'J'..=b'R' => sign - b'J' + 1,
            b'S'..=b'Z' => sign - b'S' + 2,
            _ => return None,
        };
        // Of ten digits every second one from the right is doubled: the odd places counted from zero.
        sum += match digit * 2 {
            _ if place % 2 == 0 => digit,
            double if double > 9 => double - 9,
            double => double,
        };
    }
    (filer.len() == 3 && number.len() == 7).then_some((10 - sum % 10) % 10)
}

fn fee_level(case: &Case<'_>, level: &str) -> Option<bool> {
    let found = case.grammar.list("ae_user_fee_class")?.value(case.text, "level")?;
    Some(found == level)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit())
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to.min(text.len())).unwrap_or_default()
}

/// `N` stands for a digit, `X` for a letter or digit.
fn has_form(text: &str, form: &str) -> bool {
    super::eval::is_like(text.as_bytes(), form.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_worked_examples() {
        for (filer, number, digit) in [
            ("B76", "0324527", 8),
            ("B76", "0000000", 7),
            ("001", "0000001", 7),
            ("ABC", "1234567", 6),
            ("JST", "7654321", 6),
            ("9Z9", "9999999", 0),
        ] {
            assert_eq!(check_digit(filer, number), Some(digit), "{filer} {number}");
        }
        assert_eq!(check_digit("B-6", "0324527"), None);
    }
}
