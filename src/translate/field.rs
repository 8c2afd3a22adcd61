//! Values of single fields.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::place::{Source, Spot};
use super::problem::shown;
use crate::grammar::Cell;
use crate::model::Coded;
use crate::wire::Columns;

/// A value does not fit its field.
pub(super) struct Misfit {
    pub(super) found: String,
    pub(super) expected: String,
}

/// A value that stands in a field, or may be absent from it.
pub(super) trait Field: Sized {
    /// Whether problems hide the value.
    const SECRET: bool = false;

    /// Whether the type suits the field, found out when names are resolved.
    fn check(_spot: &Spot) -> Result<(), &'static str> {
        Ok(())
    }

    /// The value; the error is what was expected.
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Self, &'static str>;

    /// Puts the value into a field that is blank.
    fn write(&self, spot: &Spot, columns: &mut Columns) -> Result<(), Misfit>;
}

/// A value that a field that is not blank holds.
pub(super) trait Scalar: Sized {
    const EXPECTED: &'static str;
    const SECRET: bool = false;
    const WIDTH: usize = usize::MAX;

    /// The value: `None` when blank, an error when it is another kind of value.
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Option<Self>, ()>;

    fn write(&self, cell: Cell, columns: &mut Columns) -> Result<(), Misfit>;
}

impl<T: Scalar> Field for T {
    const SECRET: bool = T::SECRET;

    fn check(spot: &Spot) -> Result<(), &'static str> {
        if spot.cell.width() <= T::WIDTH { Ok(()) } else { Err("is wider than the model's type") }
    }

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Self, &'static str> {
        match T::read(spot, source) {
            Ok(Some(value)) => Ok(value),
            _ => Err(T::EXPECTED),
        }
    }

    #[inline]
    fn write(&self, spot: &Spot, columns: &mut Columns) -> Result<(), Misfit> {
        Scalar::write(self, spot.cell, columns)
    }
}

impl<T: Scalar> Field for Option<T> {
    const SECRET: bool = T::SECRET;

    fn check(spot: &Spot) -> Result<(), &'static str> {
        <T as Field>::check(spot)
    }

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Self, &'static str> {
        T::read(spot, source).map_err(|()| T::EXPECTED)
    }

    #[inline]
    fn write(&self, spot: &Spot, columns: &mut Columns) -> Result<(), Misfit> {
        self.as_ref().map_or(Ok(()), |value| Scalar::write(value, spot.cell, columns))
    }
}

/// An indicator: the one value that the grammar lists means yes, spaces mean no.
impl Field for bool {
    fn check(spot: &Spot) -> Result<(), &'static str> {
        if spot.only().is_empty() { Err("is not an indicator of one value") } else { Ok(()) }
    }

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Self, &'static str> {
        match source.text(spot) {
            [] => Ok(false),
            only if only == spot.only() => Ok(true),
            _ => Err("the indicator's one value, or spaces"),
        }
    }

    #[inline]
    fn write(&self, spot: &Spot, columns: &mut Columns) -> Result<(), Misfit> {
        let text = if *self { spot.only() } else { &[] };
        put_bytes(spot.cell, columns, text).ok_or_else(|| Misfit {
            found: shown(text, false),
            expected: format!("at most {} characters", spot.cell.width()),
        })
    }
}

impl<T: Coded> Scalar for T {
    const EXPECTED: &'static str = T::EXPECTED;
    const SECRET: bool = T::SECRET;
    const WIDTH: usize = T::WIDTH;

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Option<Self>, ()> {
        let text = if T::KEEPS_INDENT { source.indented(spot) } else { source.text(spot) };
        if text.is_empty() {
            return Ok(None);
        }
        T::from_bytes(text).map(Some).ok_or(())
    }

    #[inline]
    fn write(&self, cell: Cell, columns: &mut Columns) -> Result<(), Misfit> {
        let bytes = self.as_bytes();
        put_bytes(cell, columns, bytes).ok_or_else(|| Misfit {
            found: shown(bytes, T::SECRET),
            expected: format!("at most {} characters", cell.width()),
        })
    }
}

/// Writes bytes at the beginning of a blank field, if they fit.
#[inline]
pub(super) fn put_bytes(cell: Cell, columns: &mut Columns, bytes: &[u8]) -> Option<()> {
    let field = &mut columns[cell.first_column() - 1..cell.last_column()];
    field.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(())
}

/// As many digits as surely fit 64 bits.
const MOST_DIGITS: usize = 19;

impl Scalar for Decimal {
    const EXPECTED: &'static str = "an amount in digits";

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Option<Self>, ()> {
        let Some(number) = <u64 as Scalar>::read(spot, source)? else { return Ok(None) };
        let (low, middle) = (number as u32, (number >> 32) as u32);
        Ok(Some(Self::from_parts(low, middle, 0, false, u32::from(spot.cell.decimals()))))
    }

    #[inline]
    fn write(&self, cell: Cell, columns: &mut Columns) -> Result<(), Misfit> {
        let exact = self.scale() == u32::from(cell.decimals());
        match u64::try_from(self.mantissa()) {
            Ok(number) if exact => cell.put_digits(columns, number),
            _ => cell.put_decimal(columns, *self),
        }
        .map_err(|error| Misfit {
            found: self.to_string(),
            expected: match self.is_sign_negative() {
                true => "an amount that is not below zero".to_owned(),
                false => unfit(&error, cell),
            },
        })
    }
}

impl Scalar for Date {
    const EXPECTED: &'static str = "a calendar date";

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Option<Self>, ()> {
        if source.is_blank(spot) {
            return Ok(None);
        }
        spot.cell.date(source.columns).map_err(|_| ())
    }

    #[inline]
    fn write(&self, cell: Cell, columns: &mut Columns) -> Result<(), Misfit> {
        cell.put_date(columns, *self)
            .map_err(|error| Misfit { found: self.to_string(), expected: unfit(&error, cell) })
    }
}

impl Scalar for u64 {
    const EXPECTED: &'static str = "a number in digits";

    #[inline]
    fn read(spot: &Spot, source: &Source<'_>) -> Result<Option<Self>, ()> {
        let digits = source.digits(spot).ok_or(())?;
        if digits.is_empty() {
            return Ok(None);
        }
        if digits.len() > MOST_DIGITS {
            return spot.cell.digits(source.columns).map_err(|_| ());
        }
        Ok(Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit & 15))))
    }

    #[inline]
    fn write(&self, cell: Cell, columns: &mut Columns) -> Result<(), Misfit> {
        cell.put_digits(columns, *self)
            .map_err(|error| Misfit { found: self.to_string(), expected: unfit(&error, cell) })
    }
}

#[cold]
fn unfit(error: &crate::grammar::PutError, cell: Cell) -> String {
    use crate::grammar::PutError;

    match error {
        PutError::DateOutOfRange { format, .. } => format!("a date that {format} can carry"),
        PutError::NotRepresentable { .. } => {
            format!("no more than {} decimal places", cell.decimals())
        }
        _ => format!("at most {} digits", cell.width()),
    }
}
