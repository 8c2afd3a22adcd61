//! The values of single fields: of their class, of their lists, at home in their columns.

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::dice::Dice;
use crate::grammar::{ClassSet, Field, Grammar, Values};
use crate::host::World;
use crate::rules::check_digit;
use crate::wire::Columns;

/// What texts are made of.
const WORDS: [&str; 16] = [
    "ACME", "HARBOR", "TRADING", "GOODS", "OF", "STEEL", "COTTON", "PARTS", "NORTH", "STAR", "LINE", "BOX",
    "TOOLS", "RED", "GLASS", "FIELD",
];
/// Signs that only class X admits, as they stand in names and descriptions.
const SIGNS: [&str; 6] = [",", "-", ".", "/", "&", "'"];

/// The codes that a field may hold, as far as they fit it.
pub(super) fn codes(grammar: &Grammar, world: &World, field: &Field) -> Vec<String> {
    let mut codes = Vec::new();
    for values in std::iter::once(&field.values).chain(&field.also) {
        match values {
            Values::Any => {}
            Values::Constant(text) => codes.push(text.as_str()),
            Values::OneOf(texts) => codes.extend(texts.iter().map(String::as_str)),
            Values::List(name) => match (world.codes(name), grammar.list(name)) {
                (held, Some(list)) if held.is_empty() => codes.extend(list.codes()),
                (held, _) => codes.extend(held),
            },
        }
    }
    let cell = field.cell;
    let fits = |code: &&str| {
        let full = code.len() == cell.width() || !field.holds_date();
        let whole = !cell.class().is_numeric() || code.bytes().all(|byte| byte.is_ascii_digit());
        full && whole
            && !code.trim().is_empty()
            && code.len() <= cell.width()
            && code.bytes().all(|byte| cell.class().admits(byte))
    };
    codes.into_iter().filter(fits).map(str::to_owned).collect()
}

/// Writes a text; a number that is shorter than its field stands at the right.
pub(super) fn put(field: &Field, text: &str, row: &mut Columns) {
    let cell = field.cell;
    let width = cell.width();
    if cell.class().is_numeric() && !field.holds_date() && text.len() < width {
        let listed = field.values != Values::Any;
        let padded = if listed { format!("{text:>width$}") } else { format!("{text:0>width$}") };
        // Whatever does not fit leaves the field as it was, and the transaction is judged as it stands.
        let _ = cell.put_text(row, &padded);
        return;
    }
    let _ = cell.put_text(row, text);
}

/// Writes a number over the whole field, as many of its last digits as fit.
pub(super) fn put_number(field: &Field, number: u64, row: &mut Columns) {
    let digits = u32::try_from(field.cell.width()).unwrap_or(u32::MAX);
    let fitting = 10_u64.checked_pow(digits).map_or(number, |limit| number % limit);
    let _ = field.cell.put_digits(row, fitting);
}

/// A value of the field's class.
pub(super) fn random(field: &Field, today: Date, row: &mut Columns, dice: &mut Dice) {
    let cell = field.cell;
    let class = cell.class();
    if field.holds_date() {
        let days = Span::new().try_days(-dice.between(1, 300));
        let day = days.ok().and_then(|days| today.checked_add(days).ok()).unwrap_or(today);
        let _ = cell.put_date(row, day);
    } else if class.is_numeric() {
        let _ = cell.put_digits(row, number(cell.width(), dice));
        if class.has(ClassSet::SIGNED) && cell.width() > 1 && dice.chance(0.3) {
            let amount = Decimal::new(-dice.between(1, 9), u32::from(cell.decimals()));
            let _ = cell.put_decimal(row, amount);
        }
    } else {
        let text = text(class, cell.width(), dice);
        let _ = cell.put_text(row, &text);
    }
}

/// Small numbers are more frequent than large ones, and none is zero.
fn number(width: usize, dice: &mut Dice) -> u64 {
    let digits = 1 + dice.below(width.min(6)) as u32;
    dice.between(1, 10_i64.pow(digits) - 1).unsigned_abs()
}

fn text(class: ClassSet, width: usize, dice: &mut Dice) -> String {
    let letters = !class.has(ClassSet::ALPHANUMERIC | ClassSet::SPECIAL);
    if width <= 12 {
        let length = if width <= 4 { width } else { width - dice.below(width / 3) };
        let form = if letters { b"A" } else { b"X" };
        return formed(&form.repeat(length), dice);
    }
    let mut text = String::new();
    let length = width - dice.below(width * 2 / 3);
    while text.len() < length {
        let word = dice.pick(&WORDS).copied().unwrap_or_default();
        text.push_str(word);
        if class.has(ClassSet::SPECIAL) && dice.chance(0.2) {
            text.push_str(dice.pick(&SIGNS).copied().unwrap_or_default());
        } else if !letters && dice.chance(0.2) {
            text.push_str(&dice.below(1000).to_string());
        }
        text.push(' ');
    }
    text.truncate(length);
    text.trim_end().to_owned()
}

/// A text of a form: `A` a letter, `N` a digit, `X` either, other signs themselves.
pub(super) fn formed(form: &[u8], dice: &mut Dice) -> String {
    const SIGNS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let one = |expected: &u8| {
        let kinds = match expected {
            b'A' => &SIGNS[10..],
            b'N' => &SIGNS[..10],
            b'X' => &SIGNS[..],
            other => std::slice::from_ref(other),
        };
        char::from(kinds[dice.below(kinds.len())])
    };
    form.iter().map(one).collect()
}

/// An entry number of seven digits with the check digit of a filer, or 0 where that has none.
pub(super) fn entry_number(number: u64, filer: &str, offsets: &[u8]) -> String {
    let digits = format!("{:07}", number % 10_000_000);
    let offset = offsets.first().copied().unwrap_or_default();
    let check = check_digit(filer, &digits).map_or(0, |digit| (digit + offset) % 10);
    format!("{digits}{check}")
}
