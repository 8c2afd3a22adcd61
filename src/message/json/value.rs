//! One field's value as JSON, both ways.

use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::grammar::{Cell, Field, Layout};
use crate::wire::{Columns, RECORD_LENGTH};

/// The key of a value that is given as its characters.
pub(super) const RAW: &str = "raw";
/// The key of a value that is given as its bytes, two hexadecimal digits each.
pub(super) const RAW_HEX: &str = "raw_hex";

/// A value as it is shown.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Shown<'a> {
    /// Text as it stands, without trailing spaces.
    Text(&'a str),
    /// An amount or a date.
    Decoded(String),
    /// All of its characters.
    Raw(&'a str),
    /// Bytes that are not all printable ASCII.
    Hex(String),
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Decoded(text) => serializer.serialize_str(text),
            Self::Raw(text) => serializer.collect_map([(RAW, text)]),
            Self::Hex(text) => serializer.collect_map([(RAW_HEX, text)]),
        }
    }
}

/// Bytes as characters if all are printable ASCII, or else as hexadecimal digits.
pub(super) fn raw(bytes: &[u8]) -> Shown<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) => Shown::Raw(text),
        _ => Shown::Hex(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

/// A field's value; `None` if it is left out.
pub(super) fn shown<'a>(
    layout: &Layout,
    field: &Field,
    row: &'a Columns,
    blank: &Columns,
) -> Option<Shown<'a>> {
    let bytes = field.cell.raw(row);
    let as_made = bytes == field.cell.raw(blank);
    if as_made && (field.cell.is_blank(row) || layout.record.as_bytes() == bytes) {
        return None;
    }
    let whole = raw(bytes);
    let Shown::Raw(text) = whole else { return Some(whole) };
    let decoded = decoded(field, row);
    let candidate = decoded.as_deref().unwrap_or_else(|| text.trim_end_matches(' '));
    let mut again = *row;
    if put(field, &mut again, candidate).is_err() || again != *row {
        return Some(whole);
    }
    Some(decoded.map_or_else(|| Shown::Text(text.trim_end_matches(' ')), Shown::Decoded))
}

/// A field's value as JSON; `None` if it is left out.
#[must_use]
pub fn field_value(layout: &Layout, field: &Field, row: &Columns) -> Option<Value> {
    // Texts and objects of texts are always JSON.
    shown(layout, field, row, &layout.blank()).and_then(|value| serde_json::to_value(value).ok())
}

/// The amount or date that stands in a field for one.
pub(in crate::message) fn decoded(field: &Field, row: &Columns) -> Option<String> {
    if field.cell.date_format().is_some() {
        return field.cell.date(row).ok().flatten().map(|date| date.to_string());
    }
    if is_amount(field) {
        return field.cell.decimal(row).ok().flatten().map(|amount| amount.to_string());
    }
    None
}

pub(super) fn is_amount(field: &Field) -> bool {
    field.decimals.is_some() && field.cell.class().is_numeric()
}

/// Writes a value.
///
/// # Errors
/// What the field expects instead.
pub fn put_value(field: &Field, row: &mut Columns, value: &Value) -> Result<(), String> {
    match value {
        Value::Null => {
            field.cell.put_blank(row);
            Ok(())
        }
        Value::String(text) => put(field, row, text),
        Value::Number(number) => put(field, row, &number.to_string()),
        Value::Object(_) => {
            let bytes = raw_bytes(value).ok_or("a value, {\"raw\":\"…\"} or {\"raw_hex\":\"…\"}")?;
            put_bytes(field.cell, row, &bytes)
        }
        Value::Bool(_) | Value::Array(_) => Err("text, an amount or a date".to_owned()),
    }
}

fn put(field: &Field, row: &mut Columns, text: &str) -> Result<(), String> {
    let cell = field.cell;
    if text.is_empty() {
        cell.put_blank(row);
        return Ok(());
    }
    if field.is_filler() {
        return put_bytes(cell, row, text.as_bytes());
    }
    let written = if field.cell.date_format().is_some() {
        let date = Date::from_str(text).map_err(|_| "a date such as 2026-08-03")?;
        cell.put_date(row, date)
    } else if is_amount(field) {
        let amount = Decimal::from_str_exact(text).map_err(|_| "a decimal number")?;
        cell.put_decimal(row, amount)
    } else {
        cell.put_text(row, text)
    };
    written.map_err(|_| {
        let (width, decimals) = (cell.width(), cell.decimals());
        if let Some(format) = cell.date_format() {
            format!("a date that {} can hold", format.name())
        } else if is_amount(field) {
            format!("an amount of at most {width} digits, {decimals} of them decimals")
        } else {
            expected_text(cell, text)
        }
    })
}

/// What a field of text expects, said of a text that it cannot hold.
fn expected_text(cell: Cell, text: &str) -> String {
    let length = text.chars().count();
    crate::model::cannot_travel(text, false).unwrap_or_else(|| match cell.width() {
        width if length > width => format!("at most {width} characters, not {length}"),
        width => format!("at most {width} characters: {}", cell.class().in_words()),
    })
}

fn put_bytes(cell: Cell, row: &mut Columns, bytes: &[u8]) -> Result<(), String> {
    let target = &mut row[cell.first_column() - 1..cell.last_column()];
    if bytes.len() > target.len() {
        return Err(format!("at most {} characters", target.len()));
    }
    target.fill(b' ');
    target[..bytes.len()].copy_from_slice(bytes);
    Ok(())
}

/// The bytes of a `raw` or `raw_hex` object.
fn raw_bytes(value: &Value) -> Option<Vec<u8>> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    if let Some(text) = object.get(RAW) {
        return text.as_str().map(|text| text.as_bytes().to_vec());
    }
    let digits = object.get(RAW_HEX)?.as_str()?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// The columns of a record that is given as `raw` or `raw_hex`.
pub(super) fn raw_record(value: &Value) -> Option<Columns> {
    let bytes = raw_bytes(value).filter(|bytes| bytes.len() <= RECORD_LENGTH)?;
    let mut columns = [b' '; RECORD_LENGTH];
    columns[..bytes.len()].copy_from_slice(&bytes);
    Some(columns)
}

/// The record as CBP's own programs would write it: lower case becomes upper case, and numbers that
/// are filled with spaces on the left are filled with zeros. A canonical record stays as it is.
#[must_use]
pub fn canonical(layout: Option<&Layout>, row: &Columns) -> Columns {
    let mut folded = *row;
    folded.make_ascii_uppercase();
    let fields = layout.map_or(&[][..], |layout| &layout.fields);
    for field in
        fields.iter().filter(|field| field.cell.class().is_numeric() && field.cell.date_format().is_none())
    {
        let target = &mut folded[field.cell.first_column() - 1..field.cell.last_column()];
        let spaces = target.iter().take_while(|&&byte| byte == b' ').count();
        let (leading, digits) = target.split_at_mut(spaces);
        if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
            leading.fill(b'0');
        }
    }
    folded
}
