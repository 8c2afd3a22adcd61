//! How the records of a layout are written, worked out once: most fields need no more than a key that is
//! at hand and a copy of their columns.

use std::io;

use super::text::Text;
use super::value::{RAW, Shown, is_amount, raw, shown};
use crate::grammar::{ALL_COLUMNS, Bits, ClassSet, DateFormat, Field, Grammar, Layout, any_of, columns_with};
use crate::message::secrets::cover;
use crate::wire::{Columns, RECORD_LENGTH};

/// The plans of the layouts that have been met.
pub(super) struct Plans<'g> {
    of: Vec<Option<Box<RecordPlan<'g>>>>,
}

impl<'g> Plans<'g> {
    pub(super) fn new(grammar: &Grammar) -> Self {
        Self { of: std::iter::repeat_with(|| None).take(grammar.layouts().len()).collect() }
    }

    /// Writes a record with a comma behind it; what stands in the hidden columns is not told.
    pub(super) fn record(
        &mut self,
        layout: Option<&'g Layout>,
        row: &Columns,
        hidden: u128,
        text: &mut Text,
    ) -> io::Result<()> {
        let Some(layout) = layout else {
            let mut row = *row;
            cover(&mut row, hidden, b' ');
            text.value(&raw(&row))?;
            text.push(",");
            return Ok(());
        };
        let plan = self.of[layout.id.index()].get_or_insert_with(|| Box::new(RecordPlan::new(layout)));
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
    field_at: [u8; 128],
    /// The last columns of all fields, and of those that hold something in a record that is blank otherwise.
    last_columns: u128,
    constants: u128,
    /// The columns of the control identifier, if it is the first of up to four columns, and their bits as a
    /// word.
    identifier: (u128, u32),
    /// The columns of fields that are never simply copied.
    never_copied: u128,
    /// The columns of amounts.
    amounts: u128,
    /// The columns of texts where digits, letters and signs may not stand.
    no_digit: u128,
    no_upper: u128,
    no_lower: u128,
    no_sign: u128,
    /// The most that a record takes.
    most: usize,
}

/// How one field is written.
#[derive(Clone)]
struct FieldPlan {
    mask: u128,
    start: u8,
    end: u8,
    kind: Kind,
    /// The control identifier, which is left out if it stands where it should.
    is_identifier: bool,
    /// How much of the key is used.
    key_length: u8,
    /// The end of the value before, the key, and the quote that begins the value.
    key: [u8; LONGEST_KEY],
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

/// The keys that are copied with their values are shorter than this: nearly all, and a first part of them at
/// once.
const LONGEST_KEY: usize = 64;
const MOST_KEYS: usize = 48;

/// Room for a key, a value and what blocks reach beyond it.
const FIELD: usize = LONGEST_KEY + RECORD_LENGTH + 2 * BLOCK;

/// More than the punctuation of a value takes, `{"raw_hex":""}` included.
const AROUND: usize = 32;

/// The most characters that a column takes: an escaped or a hexadecimal one.
const WIDEST: usize = 2;

/// Digits that surely make a number of 64 bits.
const DIGITS: usize = 19;

/// What a key begins with: it ends the value before.
const BETWEEN: &str = "\",";

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
            field_at: [0; 128],
            last_columns: 0,
            constants: 0,
            identifier: (0, 0),
            never_copied: 0,
            amounts: 0,
            no_digit: 0,
            no_upper: 0,
            no_lower: 0,
            no_sign: 0,
            most: begin.len() + BLOCK + FIELD,
        };
        layout.fields.iter().for_each(|field| plan.add(field));
        plan.begin.extend([0; BLOCK]);
        plan
    }

    fn add(&mut self, field: &Field) {
        let cell = field.cell;
        let name = key_of(field);
        let class = cell.class();
        let kind = match cell.date_format() {
            _ if name.len() >= LONGEST_KEY => Kind::Other,
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
        if matches!(kind, Kind::Amount(_)) {
            self.amounts |= cell.mask();
        }
        self.last_columns |= 1 << (cell.last_column() - 1);
        self.constants |= u128::from(holds_constant) << (cell.last_column() - 1);
        self.field_at[cell.first_column() - 1..cell.last_column()].fill(self.fields.len() as u8);
        let mut key = [0; LONGEST_KEY];
        let copied = name.len().min(LONGEST_KEY);
        key[..copied].copy_from_slice(&name.as_bytes()[..copied]);
        self.fields.push(FieldPlan {
            mask: cell.mask(),
            start: cell.first_column() as u8 - 1,
            end: cell.last_column() as u8,
            kind,
            is_identifier,
            key_length: copied as u8,
            key,
        });
        self.most += name.len() + WIDEST * cell.width() + AROUND;
    }

    /// What a record shows of its values.
    #[inline]
    fn look(&self, row: &Columns) -> Look {
        let mut escaped = 0;
        if any_of(row, [b'"', b'\\']) {
            escaped = columns_with(row, b'"') | columns_with(row, b'\\');
        }
        if let Some(filled) = self.layout.masks.filled_if_right(row) {
            // All classes are right: what is filled of a number are digits.
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

    /// The last columns of the fields that are filled.
    #[inline]
    fn filled_fields(&self, filled: u128) -> u128 {
        // Where anything stands before a field's last column, the sum carries over into that and no further.
        let before = !self.last_columns;
        let carried = (filled & before) + (ALL_COLUMNS & before);
        (carried | filled) & self.last_columns
    }

    /// Writes a record; what stands in the hidden columns is not told.
    fn write(&self, row: &Columns, hidden: u128, text: &mut Text) {
        // What is copied in blocks is copied beyond the last column.
        let mut source = [0; 2 * RECORD_LENGTH];
        source[..RECORD_LENGTH].copy_from_slice(row);
        let look = self.look(row);
        let Look { filled, digit, special } = look;
        let zeros = if self.amounts & filled == 0 { 0 } else { columns_with(row, b'0') };

        let mut out = Cursor { out: text.room(self.most), at: 0, mended: Vec::new() };
        out.blocks(&self.begin, self.begin.len() - BLOCK);
        // There is no value to end before the first key.
        let begun = out.at;
        out.at -= BETWEEN.len();
        let fields = self.filled_fields(filled);
        let mut rest = fields | self.constants;
        let begin = |columns: &Columns| u32::from_le_bytes([columns[0], columns[1], columns[2], columns[3]]);
        let (identifier, bits) = self.identifier;
        if (begin(row) ^ begin(&self.blank)) & bits == 0 {
            rest &= !identifier;
        }
        let unusual = special | hidden | self.never_copied | self.constants & !fields;
        // Field by field, those that are blank passed over.
        while rest != 0 {
            let index = usize::from(self.field_at[rest.trailing_zeros() as usize % 128]);
            let field = &self.fields[index];
            rest &= rest - 1;
            if unusual & field.mask != 0 {
                self.unusual(index, row, &look, hidden, &mut out);
                continue;
            }
            let room = &mut out.out[out.at..out.at + FIELD];
            let key_length = usize::from(field.key_length) % LONGEST_KEY;
            room[..MOST_KEYS].copy_from_slice(&field.key[..MOST_KEYS]);
            if key_length > MOST_KEYS {
                room[MOST_KEYS..LONGEST_KEY].copy_from_slice(&field.key[MOST_KEYS..]);
            }
            let value = &mut room[key_length..key_length + RECORD_LENGTH + 2 * BLOCK];
            let start = usize::from(field.start) % 128;
            let length = match field.kind {
                Kind::Text => {
                    let length = 128 - (filled & field.mask).leading_zeros() as usize - start;
                    copy(value, &source[start..start + BLOCK]);
                    let mut done = BLOCK;
                    while done < length {
                        copy(&mut value[done..], &source[start + done..start + done + BLOCK]);
                        done += BLOCK;
                    }
                    length
                }
                Kind::Amount(decimals) if digit & field.mask == field.mask => {
                    let point = usize::from(field.end) - usize::from(decimals);
                    let first = (field.mask & !zeros).trailing_zeros() as usize;
                    amount(value, &source, first.min(point - 1), point, usize::from(decimals))
                }
                Kind::Date(format) if digit & field.mask == field.mask => {
                    let Some(date) = date(format, &source, start) else {
                        self.unusual(index, row, &look, hidden, &mut out);
                        continue;
                    };
                    value[..date.len()].copy_from_slice(&date);
                    DATE
                }
                _ => {
                    self.unusual(index, row, &look, hidden, &mut out);
                    continue;
                }
            };
            out.at += key_length + length;
        }
        out.end(begun);
        let length = out.at;
        text.grow(length);
    }

    /// Writes a field that is not simply copied.
    #[cold]
    fn unusual(&self, index: usize, row: &Columns, look: &Look, hidden: u128, out: &mut Cursor<'_>) {
        let (plan, field) = (&self.fields[index], &self.layout.fields[index]);
        let (start, end) = (usize::from(plan.start), usize::from(plan.end));
        if plan.is_identifier && row[start..end] == self.blank[start..end] {
            return;
        }
        out.put(key_of(field).as_bytes());
        if look.filled & plan.mask == 0 {
            return;
        }
        out.at -= 1;
        let is_number = matches!(plan.kind, Kind::Amount(_) | Kind::Date(_));
        if hidden & plan.mask != 0 {
            out.put(b"null");
        } else if is_number && look.special & plan.mask == 0 {
            // No number that would be written like this.
            out.put(b"{\"");
            out.put(RAW.as_bytes());
            out.put(b"\":\"");
            out.put(&row[start..end]);
            out.put(b"\"}");
        } else if let Some(value) = shown(self.layout, field, row, &self.blank) {
            out.shown(&value);
        }
        out.end_unquoted();
    }
}

/// A field's key with all that stands between the value before and its own.
fn key_of(field: &Field) -> String {
    if field.is_filler() {
        format!(r#"{BETWEEN}"filler_{}":""#, field.cell.first_column())
    } else {
        format!(r#"{BETWEEN}"{}":""#, field.name)
    }
}

/// Where the next bytes of a record go.
struct Cursor<'a> {
    out: &'a mut [u8],
    at: usize,
    /// Values that end without a quote end with these bytes, where the next key has put one.
    mended: Vec<(usize, u8)>,
}

impl Cursor<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Copies in blocks: short texts of any length need no call.
    #[inline]
    fn blocks(&mut self, source: &[u8], length: usize) {
        let mut done = 0;
        while done < length {
            copy(&mut self.out[self.at + done..], &source[done..done + BLOCK]);
            done += BLOCK;
        }
        self.at += length;
    }

    fn shown(&mut self, value: &Shown<'_>) {
        let mut rest = Text::default();
        // Texts are always JSON.
        if rest.value(value).is_ok() {
            self.put(rest.as_bytes());
        }
    }

    /// Ends a value that is not to be followed by a quote.
    fn end_unquoted(&mut self) {
        self.at -= 1;
        self.mended.push((self.at, self.out[self.at]));
    }

    /// Ends a record whose first field began before its place.
    #[inline]
    fn end(&mut self, begun: usize) {
        if self.at < begun {
            self.at = begun;
        } else {
            self.put(b"\"");
        }
        for &(at, byte) in &self.mended {
            self.out[at] = byte;
        }
        self.out[begun - BETWEEN.len()..begun].copy_from_slice(b":{");
        self.put(b"}},");
    }
}

/// Copies a block.
#[inline]
fn copy(to: &mut [u8], block: &[u8]) {
    to[..BLOCK].copy_from_slice(block);
}

/// Writes digits as a decimal number; tells its length.
#[inline]
fn amount(
    to: &mut [u8],
    source: &[u8; 2 * RECORD_LENGTH],
    first: usize,
    point: usize,
    decimals: usize,
) -> usize {
    copy(to, &source[first..first + BLOCK]);
    let whole = point - first;
    if decimals == 0 {
        return whole;
    }
    to[whole] = b'.';
    copy(&mut to[whole + 1..], &source[point..point + BLOCK]);
    whole + 1 + decimals
}

/// The characters of a date as JSON has it.
const DATE: usize = 10;

/// The days of the months, by their number; of those that there are none, no days.
const DAYS: [u8; 128] = {
    let mut days = [0; 128];
    let known = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while month < known.len() {
        days[month + 1] = known[month];
        month += 1;
    }
    days
};

/// The date that digits make as JSON, and a few bytes more to copy.
#[inline]
fn date(format: DateFormat, source: &[u8; 2 * RECORD_LENGTH], start: usize) -> Option<[u8; 16]> {
    let digits = &source[start..start + 8];
    let pair = |at: usize| [digits[at], digits[at + 1]];
    let ([century, year], month, day) = match format {
        DateFormat::MonthDayYear => (in_window(pair(4)), pair(0), pair(2)),
        DateFormat::YearMonthDay => (in_window(pair(0)), pair(2), pair(4)),
        DateFormat::MonthDayCenturyYear => ([pair(4), pair(6)], pair(0), pair(2)),
        DateFormat::CenturyYearMonthDay => ([pair(0), pair(2)], pair(4), pair(6)),
    };
    let (month_number, day_number) = (number(month), number(day));
    let days = DAYS[usize::from(month_number) % DAYS.len()];
    // No day is day 0, as none comes behind the last one.
    if day_number.wrapping_sub(1) >= days {
        return None;
    }
    let is_leap = || number(year).is_multiple_of(4) && (year != *b"00" || number(century).is_multiple_of(4));
    if (month_number, day_number) == (2, 29) && !is_leap() {
        return None;
    }
    let [[c1, c2], [y1, y2], [m1, m2], [d1, d2]] = [century, year, month, day];
    Some([c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, 0, 0, 0, 0, 0, 0])
}

/// The century of two digits of a year.
#[inline]
fn in_window(year: [u8; 2]) -> [[u8; 2]; 2] {
    [if year[0] < b'7' { *b"20" } else { *b"19" }, year]
}

/// What two digits say.
#[inline]
fn number([tens, ones]: [u8; 2]) -> u8 {
    (tens - b'0') * 10 + (ones - b'0')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::grammar::Source;
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
        compare_in(Grammar::builtin(), layout, row)
    }

    fn compare_in(grammar: &Grammar, layout: &Layout, row: &Columns) -> Result<(), TestCaseError> {
        let mut text = Text::default();
        let written = Plans::new(grammar).record(Some(layout), row, 0, &mut text);
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

    #[test]
    fn names_of_any_length_are_written() {
        let fields = |length: usize| {
            let name = |letter: &str| letter.repeat(length);
            format!(
                "  1-2 control_identifier AN M = \"10\" \"x\"\n  3-8 {} A C \"x\"\n  9-14 {} N C \"x\"\n  15-80 filler S M\n",
                name("a"),
                name("b"),
            )
        };
        for length in [1, 40, 41, 42, 43, 57, 58, 59, 70, 200] {
            let mut grammar = Grammar::default();
            let text = format!(
                "chapter \"Long\" revision \"1\" pages \"1\"\nrecord AE in 10 header\n{}",
                fields(length)
            );
            grammar.add(&[Source { name: "long.grammar".to_owned(), text }]).expect("a grammar");
            for text in ["10AB CD 000120", "10AB", "10      000000", "10AB\"    12", "1 \\\\", ""] {
                let mut row = [b' '; RECORD_LENGTH];
                row[..text.len()].copy_from_slice(text.as_bytes());
                compare_in(&grammar, &grammar.layouts()[0], &row).expect("the same");
            }
        }
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
