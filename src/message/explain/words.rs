//! Names and values as people write them.

use crate::grammar::Field;
use crate::message::json::decoded;
use crate::wire::Columns;

/// A name of the grammar as a heading.
pub(super) fn heading(name: &str) -> String {
    let mut text = name.replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// A field's value: a date with its month's name, an amount with its decimal places and its
/// thousands apart, anything else as it stands.
pub(super) fn value(field: &Field, row: &Columns) -> String {
    if field.holds_date()
        && let Ok(Some(date)) = field.cell.date(row)
    {
        return date.strftime("%B %-d, %Y").to_string();
    }
    match decoded(field, row) {
        Some(amount) => {
            // Every data element that is called an amount is one of U.S. dollars.
            let dollars = if field.element.contains("Amount") { "$" } else { "" };
            format!("{dollars}{}", with_thousands(&amount))
        }
        None => as_it_stands(field.cell.raw(row)),
    }
}

/// Characters as they stand, without the spaces behind them; what cannot be printed is an escape.
pub(super) fn as_it_stands(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes.trim_ascii_end() {
        match byte {
            b' '..=b'~' => text.push(char::from(byte)),
            other => text.extend(std::ascii::escape_default(other).map(char::from)),
        }
    }
    text
}

/// Text in lines of words that are no longer than this, unless a word is.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.chars().count() + word.chars().count() < width => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A number with a comma between its thousands.
pub(super) fn with_thousands(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::new();
    for (index, digit) in whole.char_indices() {
        let left = whole.len() - index;
        if left % 3 == 0 && text.ends_with(|before: char| before.is_ascii_digit()) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        for (number, written) in [
            ("0.00", "0.00"),
            ("999", "999"),
            ("1000.50", "1,000.50"),
            ("-123456", "-123,456"),
            ("12345678901", "12,345,678,901"),
        ] {
            assert_eq!(with_thousands(number), written);
        }
    }
}
