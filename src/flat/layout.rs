//! Layout files compiled: rows with their fields, and the mapping's levels.

use serde_json::Value;

use super::cell::{Field, Kind};
use super::frame::DESCRIPTOR;
use super::mapping::{Level, levels};
use super::number::{Form, Sign};
use super::parse::{
    FieldPart, FieldStatement, FileStatement, Flag, RowStatement, Separator, Standing, Statement,
};
use crate::grammar::parse::{place_before, statements};
use crate::grammar::{ClassSet, Designation, Grammar, LoadError, Source, Values};
use crate::wire::Encoding;

/// The longest row a layout may have: the longest record of z/OS data sets.
const LONGEST: usize = 32_760;

/// What messages call the layouts that come with the program.
const OWN_TABLE: &str = "the program's own table";

/// A file of a partner's or user's own layout and how it becomes entry summaries.
#[derive(Clone, Debug)]
pub struct FlatLayout {
    pub(super) name: String,
    /// The file that the layout was read from.
    pub(super) source: String,
    pub(super) format: Format,
    pub(super) rows: Vec<Row>,
    /// The mapping: the batch, its block, the summary, and the lists within it.
    pub(super) levels: Vec<Level>,
}

/// What a file is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// Rows of a fixed length.
    Fixed { length: usize, separator: Separator, encoding: Encoding },
    /// Rows of comma separated values behind a header.
    Csv,
}

/// One kind of row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) standing: Standing,
    pub(super) fields: Vec<Field>,
}

/// What cannot be, and how many bytes before the end of the file that is.
pub(super) type Refusal = (Option<usize>, String);

impl FlatLayout {
    /// Reads a layout file. Code lists that it names are those of `grammar`.
    ///
    /// # Errors
    /// The place in the file that breaks the language or says what cannot be.
    pub fn load(source: &Source, grammar: &Grammar) -> Result<Self, LoadError> {
        let error =
            |line, column, message| LoadError::Grammar { file: source.name.clone(), line, column, message };
        let statements = statements(&source.text, super::parse::statement)
            .map_err(|(place, message)| error(place.line, place.column, message))?;
        let statements = statements.into_iter().map(|(_, statement)| statement).collect();
        let compiled = compile(statements, grammar).map_err(|(rest, message)| {
            let place = place_before(&source.text, rest.unwrap_or(source.text.len()));
            error(place.line, place.column, message)
        })?;
        Ok(Self { source: source.name.clone(), ..compiled })
    }

    /// The layout of the CSV that the program writes and reads by itself: a row for each line item.
    ///
    /// # Errors
    /// None: the layout is tested.
    pub fn entry_lines(grammar: &Grammar) -> Result<Self, LoadError> {
        let text = include_str!("../../grammars/flat/entry_lines.layout").to_owned();
        let layout = Self::load(&Source { name: "entry_lines.layout".to_owned(), text }, grammar)?;
        Ok(Self { source: OWN_TABLE.to_owned(), ..layout })
    }

    /// The layout of the long form of that CSV: a row for each tariff number of a line item.
    ///
    /// # Errors
    /// None: the layout is tested.
    pub fn tariff_lines(grammar: &Grammar) -> Result<Self, LoadError> {
        let text = include_str!("../../grammars/flat/tariff_lines.layout").to_owned();
        let layout = Self::load(&Source { name: "tariff_lines.layout".to_owned(), text }, grammar)?;
        Ok(Self { source: OWN_TABLE.to_owned(), ..layout })
    }

    /// What the file is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its rows are comma separated values.
    #[must_use]
    pub fn is_csv(&self) -> bool {
        self.format == Format::Csv
    }

    /// The names of the columns of comma separated values, in the order they are written.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flat_map(|row| &row.fields).map(|field| field.name.as_str())
    }

    /// The header of comma separated values.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        super::read::csv_row(self.columns().map(str::as_bytes))
    }

    /// The encoding of its files.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.format {
            Format::Fixed { encoding, .. } => encoding,
            Format::Csv => Encoding::Ascii,
        }
    }

    /// Puts what stands before and behind a row around it.
    pub(super) fn framed(&self, row: Vec<u8>) -> Vec<u8> {
        let Format::Fixed { separator: Separator::Descriptors { blocks }, .. } = self.format else {
            return [row.as_slice(), self.separator()].concat();
        };
        let mut framed = Vec::new();
        for around in (0..=usize::from(blocks)).rev() {
            // The longest row is shorter than what 16 bits count.
            let length = row.len() + DESCRIPTOR * (around + 1);
            framed.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            framed.extend_from_slice(&[0, 0]);
        }
        framed.extend_from_slice(&row);
        framed
    }

    /// The bytes behind a row.
    pub(super) fn separator(&self) -> &'static [u8] {
        let Format::Fixed { separator, encoding, .. } = self.format else { return b"\n" };
        match (separator, encoding.is_ebcdic()) {
            (Separator::None | Separator::Descriptors { .. }, _) => b"",
            (Separator::LineFeed, false) => b"\n",
            (Separator::CarriageReturnLineFeed, false) => b"\r\n",
            (Separator::LineFeed, true) => &[Encoding::EBCDIC_LINE_FEED],
            (Separator::CarriageReturnLineFeed, true) => &[b'\r', Encoding::EBCDIC_LINE_FEED],
            (Separator::NewLine, _) => &[Encoding::EBCDIC_NEW_LINE],
        }
    }
}

fn compile(statements: Vec<Statement>, grammar: &Grammar) -> Result<FlatLayout, Refusal> {
    let (mut file, mut mapping) = (None, None);
    let mut written = Vec::new();
    for statement in statements {
        let twice = match statement {
            Statement::File(statement) => file.replace(statement).map(|_| "flat"),
            Statement::Mapping(levels) => mapping.replace(levels).map(|_| "mapping"),
            Statement::Row(row) => {
                written.push(row);
                None
            }
        };
        if let Some(name) = twice {
            return Err((None, format!("{name} stands twice")));
        }
    }
    let file = file.ok_or((None, "there is no flat statement".to_owned()))?;
    let format = format_of(&file)?;
    let mut rows: Vec<Row> = Vec::new();
    for statement in &written {
        if rows.iter().any(|row| row.name == statement.name) {
            return Err((None, format!("row {} stands twice", statement.name)));
        }
        rows.push(compile_row(statement, format, grammar)?);
    }
    if format == Format::Csv && rows.len() != 1 {
        return Err((None, format!("found {} rows, expected one: CSV has one kind of row", rows.len())));
    }
    let mapping = mapping.ok_or((None, "there is no mapping".to_owned()))?;
    let levels = levels(&mapping, &rows, grammar)?;
    Ok(FlatLayout { name: file.name, source: String::new(), format, rows, levels })
}

fn format_of(file: &FileStatement) -> Result<Format, Refusal> {
    if file.is_csv {
        let fixed = file.length.is_some() || file.separator.is_some() || file.encoding.is_some();
        let message = "CSV has no length, separator or encoding".to_owned();
        return if fixed { Err((None, message)) } else { Ok(Format::Csv) };
    }
    let length = file.length.filter(|length| (1..=LONGEST).contains(length));
    let length = length.ok_or((None, format!("the length of a row is to be 1 to {LONGEST}")))?;
    let encoding = file.encoding.unwrap_or_default();
    let separator = file.separator.unwrap_or(Separator::LineFeed);
    if separator == Separator::NewLine && !encoding.is_ebcdic() {
        return Err((None, "NEL separates rows in EBCDIC only".to_owned()));
    }
    Ok(Format::Fixed { length, separator, encoding })
}

fn compile_row(statement: &RowStatement, format: Format, grammar: &Grammar) -> Result<Row, Refusal> {
    let mut fields: Vec<Field> = Vec::new();
    let mut next = 0;
    for written in &statement.fields {
        let at = |message: String| (Some(written.rest), message);
        let (start, end) = match (format, written.columns) {
            (Format::Csv, None) => (fields.len(), fields.len()),
            (Format::Fixed { length, .. }, Some((first, last))) => {
                if first != next + 1 || last < first {
                    return Err(at(format!("{} begins at {first}, expected {}", written.name, next + 1)));
                }
                if last > length {
                    return Err(at(format!("{} ends at {last}, beyond the row", written.name)));
                }
                next = last;
                (first - 1, last)
            }
            (Format::Csv, Some(_)) => return Err(at("a field of CSV has no columns".to_owned())),
            (Format::Fixed { .. }, None) => return Err(at(format!("{} has no columns", written.name))),
        };
        if written.name != "filler" && fields.iter().any(|known| known.name == written.name) {
            return Err(at(format!("{} stands twice", written.name)));
        }
        fields.push(compile_field(written, start, end, format, grammar).map_err(at)?);
    }
    if let Format::Fixed { length, .. } = format
        && next != length
    {
        return Err((None, format!("row {} ends at {next}, expected {length}", statement.name)));
    }
    Ok(Row { name: statement.name.clone(), standing: statement.standing, fields })
}

fn compile_field(
    written: &FieldStatement,
    start: usize,
    end: usize,
    format: Format,
    grammar: &Grammar,
) -> Result<Field, String> {
    let has = |flag: Flag| written.parts.contains(&FieldPart::Flag(flag));
    let mut field = Field {
        name: written.name.clone(),
        start,
        end,
        kind: kind_of(written, end - start, format)?,
        mandatory: written.designation == Designation::Mandatory && written.name != "filler",
        values: None,
        decides: has(Flag::Decides),
        zero_blank: has(Flag::ZeroBlank),
        space_blank: has(Flag::SpaceBlank),
        low_blank: has(Flag::LowBlank),
        once: has(Flag::Once),
        secret: has(Flag::Secret),
    };
    check_blanks(&field, format)?;
    if let Format::Fixed { separator, encoding, .. } = format
        && field.is_packed()
        && !matches!(separator, Separator::None | Separator::Descriptors { .. })
        && encoding.is_ebcdic()
    {
        return Err("packed digits may look like the ends of lines: expected separator none".to_owned());
    }
    let values = written.parts.iter().find_map(|part| match part {
        FieldPart::Values(values) => Some(values),
        _ => None,
    });
    let known = match values {
        None | Some(Values::Any) => None,
        Some(Values::Constant(text)) => Some(vec![text.clone()]),
        Some(Values::OneOf(texts)) => Some(texts.clone()),
        Some(Values::List(name)) => {
            let list = grammar.list(name).ok_or_else(|| format!("there is no code list {name}"))?;
            Some(list.codes().map(str::to_owned).collect())
        }
    };
    let blank = vec![b' '; field.width()];
    for text in known.iter().flatten() {
        let fits = if format == Format::Csv {
            field.text_of(text).map(drop)
        } else {
            field.write(Some(text), Encoding::Ebcdic037, &mut blank.clone())
        };
        fits.map_err(|expected| format!("{text:?} does not fit {}: expected {expected}", field.name))?;
    }
    field.values = known.map(|mut values| {
        values.sort_unstable();
        values.dedup();
        values
    });
    if field.decides && field.values.is_none() {
        return Err(format!("{} decides, but its values are not known", field.name));
    }
    Ok(field)
}

/// Refuses the words for blanks where they could not do anything.
fn check_blanks(field: &Field, format: Format) -> Result<(), String> {
    if field.space_blank && !field.is_packed() {
        return Err(format!(
            "space_blank is for packed fields: spaces in {} stand for nothing without it",
            field.name
        ));
    }
    if field.low_blank && format == Format::Csv {
        return Err("low_blank is for rows of a fixed length".to_owned());
    }
    Ok(())
}

fn kind_of(written: &FieldStatement, width: usize, format: Format) -> Result<Kind, String> {
    let has = |flag: Flag| written.parts.contains(&FieldPart::Flag(flag));
    let (mut pattern, mut decimals, mut digits) = (None, None, None);
    for part in &written.parts {
        match part {
            FieldPart::Date(written) => pattern = Some(written.clone()),
            FieldPart::Decimals(number) => decimals = Some(*number),
            FieldPart::Digits(number) => digits = Some(*number),
            _ => {}
        }
    }
    let class = written.class;
    let (packed, zoned) = (has(Flag::Packed), has(Flag::Zoned));
    if format == Format::Csv && (packed || zoned) {
        return Err("packed and zoned digits are for rows of a fixed length".to_owned());
    }
    if class.is_some_and(|class| class.has(ClassSet::DATE)) && pattern.is_none() {
        pattern = super::date::Pattern::new("MMDDYY");
    }
    if let Some(pattern) = pattern {
        let places = if packed { width * 2 - 1 } else { width };
        let fits = if packed {
            pattern.is_numeric() && pattern.width() <= places
        } else {
            pattern.width() == places
        };
        if format != Format::Csv && !fits {
            return Err(format!("{} has {width} columns, a date as {}", written.name, pattern.name()));
        }
        return Ok(Kind::Date { pattern, packed });
    }
    let sign =
        Sign { leading: has(Flag::Leading), separate: has(Flag::Separate), personal_computer: has(Flag::Pc) };
    let space_filled = class == Some(ClassSet::SPACE_FILLED_NUMERIC);
    let is_number =
        class.is_some_and(|class| class == ClassSet::NUMERIC || class == ClassSet::SPACE_FILLED_NUMERIC);
    if !is_number {
        return match packed || zoned || decimals.is_some() || digits.is_some() {
            true => Err(format!("{} is of no numeric class: expected N or SN", written.name)),
            false => Ok(Kind::Text { class, right: has(Flag::Right), upper: has(Flag::Upper) }),
        };
    }
    let point = has(Flag::Point) || format == Format::Csv && decimals.is_some();
    let (form, places) = match (packed, zoned, point) {
        (true, false, false) => (Form::Packed, width * 2 - 1),
        (false, true, false) => (Form::Zoned(sign), width - usize::from(sign.separate)),
        (false, false, true) => (Form::Point, if width == 0 { usize::MAX } else { width }),
        (false, false, false) => (Form::Plain { space_filled }, if width == 0 { usize::MAX } else { width }),
        _ => return Err(format!("{} is to be packed, zoned or with a point, not two of them", written.name)),
    };
    if digits.is_some_and(|digits| digits == 0 || digits > places) {
        return Err(format!("{} has room for {places} digits", written.name));
    }
    let has_sign = !matches!(form, Form::Plain { .. }) && decimals.is_some();
    let signed = has_sign && !has(Flag::Unsigned);
    Ok(Kind::Number { form, signed, decimals, digits: digits.unwrap_or(places) })
}

impl Row {
    /// Whether a row's deciding fields speak for this kind.
    pub(super) fn is_this(&self, bytes: &[u8], encoding: Encoding) -> bool {
        let mut deciding = self.fields.iter().filter(|field| field.decides);
        deciding.all(|field| {
            let cell = bytes.get(field.start..field.end);
            cell.is_some_and(|cell| field.read(cell, encoding).is_ok_and(|value| value.is_some()))
        })
    }

    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name && !field.is_filler())
    }
}

/// The values of a row's fields, and what is wrong with them.
pub(super) type Cells = Vec<Option<String>>;

/// A row's cells before anything is in them but its constants.
pub(super) fn blank_cells(row: &Row) -> Cells {
    row.fields.iter().map(|field| field.constant().map(str::to_owned)).collect()
}

/// The constant of a mapping as JSON.
pub(super) fn constant(code: &super::parse::Code) -> Value {
    match code {
        super::parse::Code::Bool(known) => Value::Bool(*known),
        super::parse::Code::Text(text) => Value::String(text.clone()),
    }
}
