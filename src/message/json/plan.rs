//! How the records of a layout are written, worked out once: most fields need no more than a key that is
//! at hand and a copy of their columns.

use std::io;

use super::text::Text;
use super::value::{RAW, Shown, is_amount, raw, shown};
use crate::grammar::{ALL_COLUMNS, Bits, ClassSet, DateFormat, Field, Grammar, Layout, any_of, columns_with};
use crate::message::outline::Item;
use crate::wire::{Columns, RECORD_LENGTH};

/// The plans of the layouts that have been met.
pub(super) struct Plans<'g> {
    of: Vec<Option<Box<RecordPlan<'g>>>>,
}

impl<'g> Plans<'g> {
    pub(super) fn new(grammar: &Grammar) -> Self {
        Self { of: std::iter::repeat_with(|| None).take(grammar.layouts().len()).collect() }
    }

    /// Writes a record with a comma behind it; `row` is what its columns are taken for.
    pub(super) fn record(
        &mut self,
        item: &Item<'g>,
        row: &Columns,
        masks: bool,
        text: &mut Text,
    ) -> io::Result<()> {
        let Some(layout) = item.layout else {
            text.value(&raw(row))?;
            text.push(",");
            return Ok(());
        };
        let plan = self.of[layout.id.index()].get_or_insert_with(|| Box::new(RecordPlan::new(layout)));
        let hidden = item.password.filter(|_| masks).map_or(0, |cell| cell.mask());
        plan.write(row, hidden, text);
        Ok(())
    }
}

/// How one layout's records are written.
struct RecordPlan<'g> {
    layout: &'g Layout,
    blank: Columns,
    /// All before the fields.
    begin: Vec<u8>,
    fields: Vec<FieldPlan>,
    /// The field of each column.
    field_at: [u8; RECORD_LENGTH],
    /// The first columns of the fields that hold something in a record that is blank otherwise.
    constants: u128,
    /// The columns of the control identifier, if it is the first of up to four columns, and their bits as a
    /// word.
    identifier: (u128, u32),
    /// The columns of fields that are never simply copied.
    never_copied: u128,
    /// The keys, one behind the other, and a block to copy beyond their end.
    keys: Vec<u8>,
    /// The columns of texts where digits, letters and signs may not stand.
    no_digit: u128,
    no_upper: u128,
    no_lower: u128,
    no_sign: u128,
    /// The most that a record takes.
    most: usize,
}

/// How one field is written.
#[derive(Clone, Copy)]
struct FieldPlan {
    mask: u128,
    /// Where the key begins among the keys.
    key: u16,
    /// Its length with its quotes, the colon and a quote.
    key_length: u8,
    start: u8,
    end: u8,
    kind: Kind,
    /// The control identifier, which is left out if it stands where it should.
    is_identifier: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// An amount with so many decimals.
    Amount(u8),
    Date(DateFormat),
    /// Something rare.
    Other,
}

/// What a record shows of its values, one bit a column.
struct Look {
    /// What is not blank.
    filled: u128,
    /// What holds digits, of numbers and dates.
    digit: u128,
    /// What may not stand there or has to be written as something else.
    special: u128,
}

/// What is copied at once.
const BLOCK: usize = 32;

/// More than the punctuation of a value takes, `{"raw_hex":""}` included, and the blocks that reach
/// beyond what is copied.
const AROUND: usize = 3 * BLOCK;

/// The most characters that a column takes: an escaped or a hexadecimal one.
const WIDEST: usize = 2;

/// Digits that surely make a number of 64 bits.
const DIGITS: usize = 19;

impl<'g> RecordPlan<'g> {
    fn new(layout: &'g Layout) -> Self {
        let mut begin = Text::default();
        begin.push(&format!(r#"{{"record":"{}","name":"{}","#, layout.record, layout.name));
        if !layout.variant.is_empty() {
            begin.push(&format!(r#""variant":"{}","#, layout.variant));
        }
        begin.push(r#""fields":{"#);
        let mut plan = Self {
            layout,
            blank: layout.blank(),
            begin: begin.as_bytes().to_vec(),
            fields: Vec::new(),
            field_at: [0; RECORD_LENGTH],
            constants: 0,
            identifier: (0, 0),
            never_copied: 0,
            keys: Vec::new(),
            no_digit: 0,
            no_upper: 0,
            no_lower: 0,
            no_sign: 0,
            most: begin.len() + AROUND,
        };
        layout.fields.iter().for_each(|field| plan.add(field));
        plan.keys.extend([0; BLOCK]);
        plan.begin.extend([0; BLOCK]);
        plan
    }

    fn add(&mut self, field: &Field) {
        let cell = field.cell;
        let key = if field.is_filler() {
            format!(r#""filler_{}":""#, cell.first_column())
        } else {
            format!(r#""{}":""#, field.name)
        };
        let class = cell.class();
        let kind = match cell.date_format() {
            _ if field.is_filler() => Kind::Text,
            Some(format) if format.width() == cell.width() => Kind::Date(format),
            Some(_) => Kind::Other,
            None if !is_amount(field) => Kind::Text,
            None if class.has(ClassSet::SIGNED) || cell.width() > DIGITS => Kind::Other,
            None if usize::from(cell.decimals()) >= cell.width() => Kind::Other,
            None => Kind::Amount(cell.decimals()),
        };
        if matches!(kind, Kind::Text) && !field.is_filler() {
            let unless = |admits: bool| if admits { 0 } else { cell.mask() };
            self.no_digit |= unless(class.admits(b'0'));
            self.no_upper |= unless(class.admits(b'A'));
            self.no_lower |= unless(class.admits(b'a'));
            self.no_sign |= unless(class.admits(b'!'));
        }
        let holds_constant = !cell.is_blank(&self.blank);
        let is_identifier = holds_constant && cell.raw(&self.blank) == self.layout.record.as_bytes();
        if is_identifier && cell.first_column() == 1 && cell.width() <= 4 {
            self.identifier = (cell.mask(), u32::MAX >> (8 * (4 - cell.width())));
        } else if is_identifier || matches!(kind, Kind::Other) {
            self.never_copied |= cell.mask();
        }
        self.constants |= u128::from(holds_constant) << (cell.first_column() - 1);
        self.field_at[cell.first_column() - 1..cell.last_column()].fill(self.fields.len() as u8);
        self.fields.push(FieldPlan {
            mask: cell.mask(),
            key: self.keys.len() as u16,
            key_length: key.len() as u8,
            start: cell.first_column() as u8 - 1,
            end: cell.last_column() as u8,
            kind,
            is_identifier,
        });
        self.most += key.len() + WIDEST * cell.width() + AROUND;
        self.keys.extend(key.as_bytes());
    }

    /// What a record shows of its values.
    #[inline]
    fn look(&self, row: &Columns) -> Look {
        let mut escaped = 0;
        if any_of(row, [b'"', b'\\']) {
            escaped = columns_with(row, b'"') | columns_with(row, b'\\');
        }
        if self.layout.masks.accept(row) {
            // All classes are right: what is filled of a number are digits.
            let filled = ALL_COLUMNS & !columns_with(row, b' ');
            return Look { filled, digit: filled, special: escaped };
        }
        let bits = Bits::of(row);
        let odd = bits.nonstandard();
        let wrong = odd
            | bits.digit & self.no_digit
            | bits.upper & self.no_upper
            | bits.lower & self.no_lower
            | bits.sign & self.no_sign;
        Look { filled: ALL_COLUMNS & !bits.space, digit: bits.digit, special: wrong | escaped }
    }

    /// Writes a record; what stands in the hidden columns is not told.
    fn write(&self, row: &Columns, hidden: u128, text: &mut Text) {
        let look = self.look(row);
        let Look { filled, digit, special } = look;
        // What is copied in blocks is copied beyond the last column.
        let mut source = [0; RECORD_LENGTH + 2 * BLOCK];
        source[..RECORD_LENGTH].copy_from_slice(row);

        let mut out = Cursor { out: text.room(self.most), at: 0 };
        out.blocks(&self.begin, 0, self.begin.len() - BLOCK);
        let mut rest = filled | self.constants;
        let begin = |columns: &Columns| u32::from_le_bytes([columns[0], columns[1], columns[2], columns[3]]);
        let (identifier, bits) = self.identifier;
        if (begin(row) ^ begin(&self.blank)) & bits == 0 {
            rest &= !identifier;
        }
        let unusual = special | hidden | self.never_copied | self.constants & !filled;
        // Field by field, those that are blank passed over.
        while rest != 0 {
            let index = usize::from(self.field_at[rest.trailing_zeros() as usize % RECORD_LENGTH]);
            let field = &self.fields[index];
            rest &= !field.mask;
            let (start, end) = (usize::from(field.start), usize::from(field.end));
            if unusual != 0 && unusual & field.mask != 0 {
                self.unusual(index, row, &look, hidden, &mut out);
                continue;
            }
            match field.kind {
                Kind::Text => {
                    self.key(field, &mut out);
                    let last = 128 - (filled & field.mask).leading_zeros() as usize;
                    out.blocks(&source, start, last - start);
                    out.put(b"\",");
                }
                Kind::Amount(decimals) if digit & field.mask == field.mask => {
                    self.key(field, &mut out);
                    out.amount(&source, start, end, usize::from(decimals));
                    out.put(b"\",");
                }
                Kind::Date(format) if let Some(date) = date(format, &row[start..end]) => {
                    self.key(field, &mut out);
                    out.put(&date);
                }
                _ => self.unusual(index, row, &look, hidden, &mut out),
            }
        }
        // The last field needs no comma behind it.
        out.at -= usize::from(out.out[out.at - 1] == b',');
        out.put(b"}},");
        let length = out.at;
        text.grow(length);
    }

    /// Writes a field that is not simply copied.
    #[cold]
    fn unusual(&self, index: usize, row: &Columns, look: &Look, hidden: u128, out: &mut Cursor<'_>) {
        let field = &self.fields[index];
        let (start, end) = (usize::from(field.start), usize::from(field.end));
        if field.is_identifier && row[start..end] == self.blank[start..end] {
            return;
        }
        self.key(field, out);
        if look.filled & field.mask == 0 {
            out.put(b"\",");
            return;
        }
        out.at -= 1;
        let is_number = matches!(field.kind, Kind::Amount(_) | Kind::Date(_));
        if hidden & field.mask != 0 {
            out.put(b"null,");
        } else if is_number && look.special & field.mask == 0 {
            // No number that would be written like this.
            out.put(b"{\"");
            out.put(RAW.as_bytes());
            out.put(b"\":\"");
            out.put(&row[start..end]);
            out.put(b"\"},");
        } else if let Some(value) = shown(self.layout, &self.layout.fields[index], row, &self.blank) {
            out.shown(&value);
            out.put(b",");
        }
    }

    #[inline]
    fn key(&self, field: &FieldPlan, out: &mut Cursor<'_>) {
        out.blocks(&self.keys, usize::from(field.key), usize::from(field.key_length));
    }
}

/// Where the next bytes of a record go.
struct Cursor<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Cursor<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.copy(bytes, bytes.len());
    }

    #[inline]
    fn copy(&mut self, bytes: &[u8], length: usize) {
        self.out[self.at..self.at + length].copy_from_slice(&bytes[..length]);
        self.at += length;
    }

    /// Copies in blocks: short texts of any length need no call.
    #[inline]
    fn blocks(&mut self, source: &[u8], from: usize, length: usize) {
        let mut done = 0;
        loop {
            let (to, from) = (self.at + done, from + done);
            self.out[to..to + BLOCK].copy_from_slice(&source[from..from + BLOCK]);
            done += BLOCK;
            if done >= length {
                break;
            }
        }
        self.at += length;
    }

    /// Digits as a decimal number, without zeros before it.
    #[inline]
    fn amount(&mut self, source: &[u8], mut start: usize, end: usize, decimals: usize) {
        let point = end - decimals;
        while start + 1 < point && source[start] == b'0' {
            start += 1;
        }
        self.blocks(source, start, point - start);
        if decimals > 0 {
            self.out[self.at] = b'.';
            self.at += 1;
            self.blocks(source, point, decimals);
        }
    }

    fn shown(&mut self, value: &Shown<'_>) {
        let mut rest = Text::default();
        // Texts are always JSON.
        if rest.value(value).is_ok() {
            self.put(rest.as_bytes());
        }
    }
}

/// The date that digits make, as JSON behind its first quote and with a comma behind it.
#[inline]
fn date(format: DateFormat, digits: &[u8]) -> Option<[u8; 12]> {
    let pair = |at: usize| [digits[at], digits[at + 1]];
    let ([year_high, year_low], month, day) = match format {
        DateFormat::MonthDayYear => (in_window(pair(4)), pair(0), pair(2)),
        DateFormat::YearMonthDay => (in_window(pair(0)), pair(2), pair(4)),
        DateFormat::MonthDayCenturyYear => ([pair(4), pair(6)], pair(0), pair(2)),
        DateFormat::CenturyYearMonthDay => ([pair(0), pair(2)], pair(4), pair(6)),
    };
    let [century, year, month_number, day_number] =
        [number(year_high)?, number(year_low)?, number(month)?, number(day)?];
    let is_leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
    let days = match month_number {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let [c1, c2] = year_high;
    let [y1, y2] = year_low;
    let [m1, m2] = month;
    let [d1, d2] = day;
    (1..=days).contains(&day_number).then_some([c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'"', b','])
}

/// The century of two digits of a year.
#[inline]
fn in_window(year: [u8; 2]) -> [[u8; 2]; 2] {
    [if year[0] < b'7' { *b"20" } else { *b"19" }, year]
}

#[inline]
fn number([tens, ones]: [u8; 2]) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::message::json::field_value;

    /// The obvious way to write a record, as an oracle.
    fn plainly(layout: &Layout, row: &Columns) -> Value {
        let mut fields = Map::new();
        for field in &layout.fields {
            let key = match field.is_filler() {
                true => format!("filler_{}", field.cell.first_column()),
                false => field.name.clone(),
            };
            fields.extend(field_value(layout, field, row).map(|value| (key, value)));
        }
        let mut record = json!({"record": layout.record, "name": layout.name});
        if !layout.variant.is_empty() {
            record["variant"] = json!(layout.variant);
        }
        record["fields"] = Value::Object(fields);
        record
    }

    fn compare(layout: &'static Layout, row: &Columns) -> Result<(), TestCaseError> {
        let item = Item { number: 1, row: *row, layout: Some(layout), password: None };
        let mut text = Text::default();
        let written = Plans::new(Grammar::builtin()).record(&item, row, false, &mut text);
        prop_assert!(written.is_ok());
        prop_assert_eq!(
            String::from_utf8_lossy(text.as_bytes()),
            format!("{},", plainly(layout, row)),
            "{}",
            row.escape_ascii()
        );
        Ok(())
    }

    /// A column's byte, more often one that tells something.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            6 => b'0'..=b'9',
            6 => Just(b' '),
            3 => Just(b'0'),
            3 => b'A'..=b'Z',
            1 => prop::sample::select(&b"-\"\\a#\x7f\x01\xe9"[..]),
        ]
    }

    /// A field of a record: blank, digits, spaces before digits, a date's parts or anything.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(vec![b' '; RECORD_LENGTH]),
            proptest::collection::vec(b'0'..=b'9', RECORD_LENGTH),
            proptest::collection::vec(b'0'..=b'2', RECORD_LENGTH),
            (0..6_usize, proptest::collection::vec(b'0'..=b'9', RECORD_LENGTH)).prop_map(
                |(spaces, mut digits)| {
                    digits[..spaces].fill(b' ');
                    digits
                }
            ),
            (0..40_usize, proptest::collection::vec(b'A'..=b'Z', RECORD_LENGTH)).prop_map(
                |(length, mut text)| {
                    text[length..].fill(b' ');
                    text
                }
            ),
            proptest::collection::vec(byte(), RECORD_LENGTH),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn every_record_is_written_as_the_obvious_way_does(
            index in 0..Grammar::builtin().layouts().len(),
            pieces in proptest::collection::vec(piece(), 40),
            keeps_constants in any::<bool>(),
        ) {
            let layout = &Grammar::builtin().layouts()[index];
            let mut row = if keeps_constants { layout.blank() } else { [b' '; RECORD_LENGTH] };
            for (field, piece) in layout.fields.iter().zip(pieces.iter().cycle()) {
                let columns = field.cell.first_column() - 1..field.cell.last_column();
                if !keeps_constants || field.cell.is_blank(&row) {
                    let width = columns.len();
                    row[columns].copy_from_slice(&piece[..width]);
                }
            }
            compare(layout, &row)?;
        }

        #[test]
        fn every_date_is_written_as_the_obvious_way_does(
            index in 0..Grammar::builtin().layouts().len(),
            days in proptest::collection::vec((0..10000_u32, 0..14_u32, 0..33_u32), 40),
        ) {
            let layout = &Grammar::builtin().layouts()[index];
            let mut row = layout.blank();
            for (field, (year, month, day)) in layout.fields.iter().zip(days) {
                let digits = match field.cell.date_format() {
                    Some(DateFormat::MonthDayYear) => format!("{month:02}{day:02}{:02}", year % 100),
                    Some(DateFormat::YearMonthDay) => format!("{:02}{month:02}{day:02}", year % 100),
                    Some(DateFormat::MonthDayCenturyYear) => format!("{month:02}{day:02}{year:04}"),
                    Some(DateFormat::CenturyYearMonthDay) => format!("{year:04}{month:02}{day:02}"),
                    None => continue,
                };
                if digits.len() == field.cell.width() {
                    row[field.cell.first_column() - 1..field.cell.last_column()]
                        .copy_from_slice(digits.as_bytes());
                }
            }
            compare(layout, &row)?;
        }
    }
}
