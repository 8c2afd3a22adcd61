//! One field's place in a record, resolved once from its name, and the values that stand in it.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::class::ClassSet;
use crate::wire::Columns;

/// How the digits of a date are ordered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DateFormat {
    /// Two digits each of month, day and year: the wire's class D (batch chapter, B&B-7). Years 00
    /// to 69 are 2000 to 2069, 70 to 99 are 1970 to 1999.
    #[default]
    MonthDayYear,
    /// Month, day and four digits of the year, as in partner agency records.
    MonthDayCenturyYear,
    /// Four digits of the year, month and day.
    CenturyYearMonthDay,
    /// Two digits each of year, month and day, as in the records that came from the manifest system.
    YearMonthDay,
}

impl DateFormat {
    /// The word that names the format in a grammar file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MonthDayYear => "MMDDYY",
            Self::MonthDayCenturyYear => "MMDDCCYY",
            Self::CenturyYearMonthDay => "CCYYMMDD",
            Self::YearMonthDay => "YYMMDD",
        }
    }

    /// How many digits it has.
    #[must_use]
    pub fn width(self) -> usize {
        self.name().len()
    }

    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::MonthDayYear, Self::MonthDayCenturyYear, Self::CenturyYearMonthDay, Self::YearMonthDay]
            .into_iter()
            .find(|format| format.name() == name)
    }
}

/// What stands in a field is not what the field's class admits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// A character that is no digit where only digits (and leading spaces) may stand.
    #[error("not numeric")]
    NotNumeric,
    /// Digits that are no day of the calendar.
    #[error("not a calendar date")]
    NotADate,
}

/// A value does not fit the field it was to be written to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PutError {
    /// More characters or digits than the field has columns.
    #[error("{value:?} needs {needed} columns, the field has {width}")]
    TooLong {
        /// The value that was to be written.
        value: String,
        /// Columns it needs.
        needed: usize,
        /// Columns there are.
        width: usize,
    },
    /// A character outside the field's class.
    #[error("{value:?} is not of class {class}")]
    WrongClass {
        /// The value that was to be written.
        value: String,
        /// The class the field accepts.
        class: ClassSet,
    },
    /// An amount with more decimal places than the field implies, or below zero.
    #[error("{value} cannot be written with {decimals} implied decimal places")]
    NotRepresentable {
        /// The amount that was to be written.
        value: Decimal,
        /// The decimal places the field implies.
        decimals: u8,
    },
    /// A year outside the century window of a two-digit year.
    #[error("{value} cannot be written as {format}")]
    DateOutOfRange {
        /// The date that was to be written.
        value: Date,
        /// The format's name.
        format: &'static str,
    },
}

/// A field's place and class in a record: small, copied freely, resolved from a name by
/// [`Layout::cell`](super::Layout::cell) when a program starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cell {
    pub(super) start: u8,
    pub(super) end: u8,
    pub(super) class: ClassSet,
    pub(super) decimals: u8,
    pub(super) date_format: Option<DateFormat>,
}

impl Cell {
    /// The first column, counted from one.
    #[must_use]
    pub fn first_column(&self) -> usize {
        usize::from(self.start) + 1
    }

    /// The last column, counted from one.
    #[must_use]
    pub fn last_column(&self) -> usize {
        usize::from(self.end)
    }

    /// The field's columns as bits; bit 0 is column 1.
    #[must_use]
    #[inline]
    pub fn mask(&self) -> u128 {
        (u128::MAX >> (128 - self.width())) << self.start
    }

    /// How many columns the field has.
    #[must_use]
    pub fn width(&self) -> usize {
        usize::from(self.end - self.start)
    }

    /// The class that input is judged by.
    #[must_use]
    pub fn class(&self) -> ClassSet {
        self.class
    }

    /// The implied decimal places.
    #[must_use]
    pub fn decimals(&self) -> u8 {
        self.decimals
    }

    /// The order of the digits, if the field holds a date.
    #[must_use]
    pub fn date_format(&self) -> Option<DateFormat> {
        self.date_format.or_else(|| self.class.has(ClassSet::DATE).then(DateFormat::default))
    }

    /// The bytes as they stand in the record.
    #[must_use]
    pub fn raw<'a>(&self, columns: &'a Columns) -> &'a [u8] {
        &columns[usize::from(self.start)..usize::from(self.end)]
    }

    /// Whether nothing but spaces stands in the field.
    #[must_use]
    pub fn is_blank(&self, columns: &Columns) -> bool {
        self.raw(columns).iter().all(|&byte| byte == b' ')
    }

    /// The text without the spaces around it. Bytes that are not ASCII make the whole value the
    /// replacement character, which no list and no format accepts: a finding, never a lost byte.
    #[must_use]
    pub fn text<'a>(&self, columns: &'a Columns) -> &'a str {
        match std::str::from_utf8(self.raw(columns).trim_ascii()) {
            Ok(text) if text.is_ascii() => text,
            _ => "\u{FFFD}",
        }
    }

    /// Whether this text stands in the field, spaces around it apart.
    #[must_use]
    pub fn holds(&self, columns: &Columns, text: &str) -> bool {
        self.raw(columns).trim_ascii() == text.as_bytes()
    }

    /// The text, or `None` when the field is blank.
    #[must_use]
    pub fn value<'a>(&self, columns: &'a Columns) -> Option<&'a str> {
        let text = self.text(columns);
        (!text.is_empty()).then_some(text)
    }

    /// The digits as an integer, implied decimals not applied; `None` when the field is blank.
    /// Leading spaces are accepted as zeros (field notes), trailing ones are not.
    ///
    /// # Errors
    /// Any other character than a digit.
    pub fn digits(&self, columns: &Columns) -> Result<Option<u64>, ValueError> {
        number(self.raw(columns).trim_ascii_start())
    }

    /// The amount with its implied decimals; `None` when the field is blank.
    ///
    /// # Errors
    /// Any other character than a digit, a minus sign of a signed number apart.
    pub fn decimal(&self, columns: &Columns) -> Result<Option<Decimal>, ValueError> {
        let amount = |number| Decimal::from_i128_with_scale(number, u32::from(self.decimals));
        if let Some(digits) = self.below_zero(columns) {
            return number(digits)?
                .map(|number| amount(-i128::from(number)))
                .map(Some)
                .ok_or(ValueError::NotNumeric);
        }
        Ok(self.digits(columns)?.map(|number| amount(i128::from(number))))
    }

    /// What stands behind the minus sign of a signed number.
    fn below_zero<'a>(&self, columns: &'a Columns) -> Option<&'a [u8]> {
        let signed = self.class.has(ClassSet::SIGNED);
        self.raw(columns).trim_ascii_start().strip_prefix(b"-").filter(|_| signed)
    }

    /// The date; `None` when the field is blank.
    ///
    /// # Errors
    /// Digits that are no day of the calendar, or other characters.
    pub fn date(&self, columns: &Columns) -> Result<Option<Date>, ValueError> {
        if self.is_blank(columns) {
            return Ok(None);
        }
        let raw = self.raw(columns);
        if !raw.iter().all(u8::is_ascii_digit) {
            return Err(ValueError::NotADate);
        }
        let pair = |at: usize| -> Option<i16> {
            let tens = raw.get(at)?.checked_sub(b'0')?;
            let ones = raw.get(at + 1)?.checked_sub(b'0')?;
            Some(i16::from(tens) * 10 + i16::from(ones))
        };
        let parts = match (self.date_format.unwrap_or_default(), raw.len()) {
            (DateFormat::MonthDayYear, 6) => (pair(4).map(in_window), pair(0), pair(2)),
            (DateFormat::YearMonthDay, 6) => (pair(0).map(in_window), pair(2), pair(4)),
            (DateFormat::MonthDayCenturyYear, 8) => (four(pair(4), pair(6)), pair(0), pair(2)),
            (DateFormat::CenturyYearMonthDay, 8) => (four(pair(0), pair(2)), pair(4), pair(6)),
            _ => (None, None, None),
        };
        let (Some(year), Some(month), Some(day)) = parts else {
            return Err(ValueError::NotADate);
        };
        let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else {
            return Err(ValueError::NotADate);
        };
        Date::new(year, month, day).map(Some).map_err(|_| ValueError::NotADate)
    }

    /// Writes text, left justified and filled with spaces.
    ///
    /// # Errors
    /// Text that is too long or not of the field's class.
    pub fn put_text(&self, columns: &mut Columns, text: &str) -> Result<(), PutError> {
        let bytes = text.as_bytes();
        if bytes.len() > self.width() {
            return Err(PutError::TooLong {
                value: text.to_owned(),
                needed: bytes.len(),
                width: self.width(),
            });
        }
        if !bytes.iter().all(|&byte| self.class.admits(byte)) {
            return Err(PutError::WrongClass { value: text.to_owned(), class: self.class });
        }
        let target = &mut columns[usize::from(self.start)..usize::from(self.end)];
        target[..bytes.len()].copy_from_slice(bytes);
        target[bytes.len()..].fill(b' ');
        Ok(())
    }

    /// Writes digits, right justified and filled with zeros.
    ///
    /// # Errors
    /// A number with more digits than the field has columns.
    pub fn put_digits(&self, columns: &mut Columns, number: u64) -> Result<(), PutError> {
        let target = &mut columns[usize::from(self.start)..usize::from(self.end)];
        let mut rest = number;
        for byte in target.iter_mut().rev() {
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        if rest == 0 {
            return Ok(());
        }
        let value = number.to_string();
        let needed = value.len();
        Err(PutError::TooLong { value, needed, width: self.width() })
    }

    /// Writes an amount with the field's implied decimals; one below zero with a minus sign right
    /// before its first digit and spaces before that.
    ///
    /// # Errors
    /// An amount below zero in a field without sign, with more decimal places than implied, or too large.
    pub fn put_decimal(&self, columns: &mut Columns, amount: Decimal) -> Result<(), PutError> {
        let unfit = || PutError::NotRepresentable { value: amount, decimals: self.decimals };
        let scaled = amount.normalize();
        let below_zero = scaled.is_sign_negative() && !scaled.is_zero();
        if scaled.scale() > u32::from(self.decimals) || below_zero && !self.class.has(ClassSet::SIGNED) {
            return Err(unfit());
        }
        let shift = u32::from(self.decimals) - scaled.scale();
        let mantissa = scaled.mantissa().checked_mul(10_i128.pow(shift)).ok_or_else(unfit)?;
        let number = u64::try_from(mantissa.unsigned_abs()).map_err(|_| unfit())?;
        if below_zero { self.put_below_zero(columns, number) } else { self.put_digits(columns, number) }
    }

    fn put_below_zero(&self, columns: &mut Columns, number: u64) -> Result<(), PutError> {
        let value = format!("-{number}");
        let Some(start) = self.width().checked_sub(value.len()) else {
            return Err(PutError::TooLong { needed: value.len(), width: self.width(), value });
        };
        self.put_blank(columns);
        columns[usize::from(self.start) + start..usize::from(self.end)].copy_from_slice(value.as_bytes());
        Ok(())
    }

    /// Writes a date.
    ///
    /// # Errors
    /// A year that the format cannot carry.
    pub fn put_date(&self, columns: &mut Columns, date: Date) -> Result<(), PutError> {
        let format = self.date_format.unwrap_or_default();
        let out_of_range = || PutError::DateOutOfRange { value: date, format: format.name() };
        let year = u64::try_from(date.year()).map_err(|_| out_of_range())?;
        let month = u64::from(date.month().unsigned_abs());
        let day = u64::from(date.day().unsigned_abs());
        let number = match format {
            DateFormat::MonthDayYear | DateFormat::YearMonthDay if !(1970..2070).contains(&year) => {
                return Err(out_of_range());
            }
            DateFormat::MonthDayYear => (month * 100 + day) * 100 + year % 100,
            DateFormat::YearMonthDay => (year % 100 * 100 + month) * 100 + day,
            DateFormat::MonthDayCenturyYear => (month * 100 + day) * 10_000 + year,
            DateFormat::CenturyYearMonthDay => (year * 100 + month) * 100 + day,
        };
        self.put_digits(columns, number)
    }

    /// Fills the field with spaces.
    pub fn put_blank(&self, columns: &mut Columns) {
        columns[usize::from(self.start)..usize::from(self.end)].fill(b' ');
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width() == 1 {
            write!(formatter, "{}", self.first_column())
        } else {
            write!(formatter, "{}-{}", self.first_column(), self.last_column())
        }
    }
}

/// The number that digits mean; `None` without any.
fn number(digits: &[u8]) -> Result<Option<u64>, ValueError> {
    if digits.is_empty() {
        return Ok(None);
    }
    let mut number = 0_u64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return Err(ValueError::NotNumeric);
        }
        number = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(u64::from(byte - b'0')))
            .ok_or(ValueError::NotNumeric)?;
    }
    Ok(Some(number))
}

/// The year that two digits mean.
fn in_window(year: i16) -> i16 {
    if year < 70 { 2000 + year } else { 1900 + year }
}

fn four(high: Option<i16>, low: Option<i16>) -> Option<i16> {
    Some(high? * 100 + low?)
}
