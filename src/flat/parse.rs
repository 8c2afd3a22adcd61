//! The statements of a flat file's layout, in the grammar language. See `docs/flat-files.md`.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, digit1};
use nom::combinator::{cut, map, map_res, not, opt, value, verify};
use nom::error::context;
use nom::multi::{many0, many1};
use nom::sequence::{delimited, preceded, terminated};

use super::date::Pattern;
use crate::grammar::parse::{
    Result, bare_word, blank, class, column, designation, keyword, quoted, token, values, word,
};
use crate::grammar::{ClassSet, Designation, Values};
use crate::wire::Encoding;

/// One statement of a layout file.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    File(FileStatement),
    Row(RowStatement),
    Mapping(Vec<LevelStatement>),
}

/// `flat`: what the file is like.
#[derive(Clone, Debug)]
pub(super) struct FileStatement {
    pub(super) name: String,
    pub(super) is_csv: bool,
    pub(super) length: Option<usize>,
    pub(super) separator: Option<Separator>,
    pub(super) encoding: Option<Encoding>,
}

/// What stands between two rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Separator {
    None,
    LineFeed,
    CarriageReturnLineFeed,
    /// EBCDIC's new line.
    NewLine,
    /// Nothing; a record descriptor word stands before each row, and with `blocks` a block descriptor
    /// word before each block of them (IBM's record formats V and VB).
    Descriptors {
        blocks: bool,
    },
}

/// Where in the file a row stands that is told by that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Anywhere,
    First,
    Last,
}

/// `row` and its fields.
#[derive(Clone, Debug)]
pub(super) struct RowStatement {
    pub(super) name: String,
    pub(super) standing: Standing,
    pub(super) fields: Vec<FieldStatement>,
}

/// A field; `class` is nothing where any character may stand.
#[derive(Clone, Debug)]
pub(super) struct FieldStatement {
    /// Bytes from its beginning to the end of the file.
    pub(super) rest: usize,
    pub(super) columns: Option<(usize, usize)>,
    pub(super) name: String,
    pub(super) class: Option<ClassSet>,
    pub(super) designation: Designation,
    pub(super) parts: Vec<FieldPart>,
}

/// What may stand behind a field's designation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FieldPart {
    Text,
    Decimals(usize),
    Digits(usize),
    Date(Pattern),
    Values(Values),
    Flag(Flag),
}

/// Words that stand alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flag {
    Decides,
    Packed,
    Zoned,
    Pc,
    Leading,
    Separate,
    Point,
    Unsigned,
    ZeroBlank,
    SpaceBlank,
    LowBlank,
    Once,
    Right,
    Upper,
    Secret,
}

const FLAGS: [(&str, Flag); 15] = [
    ("decides", Flag::Decides),
    ("packed", Flag::Packed),
    ("zoned", Flag::Zoned),
    ("pc", Flag::Pc),
    ("leading", Flag::Leading),
    ("separate", Flag::Separate),
    ("point", Flag::Point),
    ("unsigned", Flag::Unsigned),
    ("zero_blank", Flag::ZeroBlank),
    ("space_blank", Flag::SpaceBlank),
    ("low_blank", Flag::LowBlank),
    ("once", Flag::Once),
    ("right", Flag::Right),
    ("upper", Flag::Upper),
    ("secret", Flag::Secret),
];

/// `batch`, `block` or `summary` of a mapping, or `each` within them.
#[derive(Clone, Debug)]
pub(super) struct LevelStatement {
    pub(super) rest: usize,
    /// The level's name, or the path of the list that its elements stand in.
    pub(super) name: String,
    pub(super) row: Option<String>,
    pub(super) keys: Vec<String>,
    pub(super) members: Vec<MemberStatement>,
}

/// Something in a level.
#[derive(Clone, Debug)]
pub(super) struct MemberStatement {
    pub(super) rest: usize,
    pub(super) kind: MemberKind,
}

#[derive(Clone, Debug)]
pub(super) enum MemberKind {
    Entry { path: String, source: SourceStatement, integer: bool, codes: Vec<(String, Code)> },
    Each(LevelStatement),
    With { row: String, members: Vec<MemberStatement> },
    Ignore(Vec<String>),
    Rest(String),
    Number(String),
    Count { field: String, row: String },
    Sum { field: String, of: String },
}

/// Where the value of an entry comes from.
#[derive(Clone, Debug)]
pub(super) enum SourceStatement {
    Field(String),
    Constant(Code),
}

/// A value of the model as a mapping writes it: a bare `true` or `false` is no text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Code {
    Bool(bool),
    Text(String),
}

pub(super) fn statement(text: &str) -> Result<'_, Statement> {
    context("flat, row or mapping", alt((file, row, mapping))).parse(text)
}

fn file(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("flat")(text)?;
    let (text, name) = cut(word).parse(text)?;
    let mut file = FileStatement { name, is_csv: false, length: None, separator: None, encoding: None };
    let mut rest = text;
    let number = || map_res(token(digit1), str::parse::<usize>);
    loop {
        let part = alt((
            value(FilePart::Csv, keyword("csv")),
            map(preceded(keyword("length"), cut(context("a number of columns", number()))), FilePart::Length),
            map(preceded(keyword("separator"), cut(separator)), FilePart::Separator),
            map(preceded(keyword("encoding"), cut(encoding)), FilePart::Encoding),
        ));
        let (after, Some(part)) = opt(part).parse(rest)? else { return Ok((rest, Statement::File(file))) };
        match part {
            FilePart::Csv => file.is_csv = true,
            FilePart::Length(length) => file.length = Some(length),
            FilePart::Separator(separator) => file.separator = Some(separator),
            FilePart::Encoding(encoding) => file.encoding = Some(encoding),
        }
        rest = after;
    }
}

#[derive(Clone, Copy)]
enum FilePart {
    Csv,
    Length(usize),
    Separator(Separator),
    Encoding(Encoding),
}

fn separator(text: &str) -> Result<'_, Separator> {
    context(
        "none, LF, CRLF, NEL, RDW or BDW",
        alt((
            value(Separator::Descriptors { blocks: false }, keyword("RDW")),
            value(Separator::Descriptors { blocks: true }, keyword("BDW")),
            value(Separator::None, keyword("none")),
            value(Separator::LineFeed, keyword("LF")),
            value(Separator::CarriageReturnLineFeed, keyword("CRLF")),
            value(Separator::NewLine, keyword("NEL")),
        )),
    )
    .parse(text)
}

fn encoding(text: &str) -> Result<'_, Encoding> {
    let known = |name: &str| Encoding::from_name(name).ok_or(());
    context("ascii, cp037 or cp1047", map_res(bare_word, known)).parse(text)
}

fn row(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("row")(text)?;
    let (text, name) = cut(word).parse(text)?;
    let standing = alt((value(Standing::First, keyword("first")), value(Standing::Last, keyword("last"))));
    let (text, standing) = opt(standing).parse(text)?;
    let (text, _) = opt(note).parse(text)?;
    let (text, fields) = cut(many1(field)).parse(text)?;
    let standing = standing.unwrap_or(Standing::Anywhere);
    Ok((text, Statement::Row(RowStatement { name, standing, fields })))
}

fn field(text: &str) -> Result<'_, FieldStatement> {
    let rest = blank(text).len();
    let (text, _) = not(alt((keyword("row"), keyword("mapping"), keyword("flat")))).parse(text)?;
    let (text, first) = opt(token(column)).parse(text)?;
    let (text, last) = match first {
        Some(_) => opt(preceded(char('-'), cut(column))).parse(text)?,
        None => (text, None),
    };
    let (text, name) = if first.is_some() { cut(name).parse(text)? } else { name(text)? };
    let (text, class) = cut(class_or_any).parse(text)?;
    let (text, designation) = cut(designation).parse(text)?;
    let (text, parts) = many0(field_part).parse(text)?;
    let columns = first.map(|first| (first, last.unwrap_or(first)));
    Ok((text, FieldStatement { rest, columns, name, class, designation, parts }))
}

/// The name of a field: a word, or a quoted text where the names of the file have spaces.
fn name(text: &str) -> Result<'_, String> {
    context("a field", word).parse(text)
}

/// The class of a field; none for `T`, which takes any character.
fn class_or_any(text: &str) -> Result<'_, Option<ClassSet>> {
    context("a class such as AN, or T", alt((value(None, keyword("T")), map(class, Some)))).parse(text)
}

/// A text for people. A quoted text with a class and a designation behind it is the next field's name.
fn note(text: &str) -> Result<'_, String> {
    terminated(quoted, not((class_or_any, designation))).parse(text)
}

fn field_part(text: &str) -> Result<'_, FieldPart> {
    let number = || map_res(token(digit1), str::parse::<usize>);
    let pattern_text = token(take_while1(|letter: char| !letter.is_whitespace()));
    let pattern = map_res(pattern_text, |written: &str| Pattern::new(written).ok_or(()));
    let flag = map_res(bare_word, |name: &str| {
        FLAGS.iter().find(|(known, _)| *known == name).map(|(_, flag)| *flag).ok_or(())
    });
    alt((
        value(FieldPart::Text, note),
        map(preceded(token(char('=')), cut(quoted)), |text| FieldPart::Values(Values::Constant(text))),
        map(preceded(keyword("decimals"), cut(number())), FieldPart::Decimals),
        map(preceded(keyword("digits"), cut(number())), FieldPart::Digits),
        map(
            preceded(keyword("date"), cut(context("a date's order, such as CCYYMMDD", pattern))),
            FieldPart::Date,
        ),
        map(preceded(keyword("in"), cut(values)), FieldPart::Values),
        value(FieldPart::Text, preceded(keyword("note"), cut(quoted))),
        map(flag, FieldPart::Flag),
    ))
    .parse(text)
}

fn mapping(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("mapping")(text)?;
    let name = alt((keyword("batch"), keyword("block"), keyword("summary")));
    let named = context("batch, block or summary", map(name, str::to_owned));
    let (text, levels) = cut(many1(level(named))).parse(text)?;
    let (text, _) = context("batch, block, summary or end", cut(keyword("end"))).parse(text)?;
    Ok((text, Statement::Mapping(levels)))
}

fn level<'a>(
    mut name: impl Parser<&'a str, Output = String, Error = crate::grammar::parse::Trouble<'a>>,
) -> impl FnMut(&'a str) -> Result<'a, LevelStatement> {
    move |text| {
        let rest = blank(text).len();
        let (text, name) = name.parse(text)?;
        let (text, row) = opt(preceded(keyword("from"), cut(word))).parse(text)?;
        let (text, keys) = opt(preceded(keyword("by"), cut(names))).parse(text)?;
        let (text, members) = cut(members).parse(text)?;
        Ok((text, LevelStatement { rest, name, row, keys: keys.unwrap_or_default(), members }))
    }
}

fn names(text: &str) -> Result<'_, Vec<String>> {
    context("the names of fields", many1(word)).parse(text)
}

fn members(text: &str) -> Result<'_, Vec<MemberStatement>> {
    delimited(
        context("{", token(char('{'))),
        many0(member),
        context("a path, each, with, ignore, rest, number, count, sum or }", token(char('}'))),
    )
    .parse(text)
}

fn member(text: &str) -> Result<'_, MemberStatement> {
    let rest = blank(text).len();
    let each = map(preceded(keyword("each"), cut(level(path))), MemberKind::Each);
    let with = map(preceded(keyword("with"), cut((word, members))), |(row, members)| MemberKind::With {
        row,
        members,
    });
    // One line a statement would do for people, but line ends mean nothing: a comma goes on.
    let more = many0(preceded(token(char(',')), cut(name)));
    let ignored = map((name, more), |(first, more)| [vec![first], more].concat());
    let ignore = map(preceded(keyword("ignore"), cut(ignored)), MemberKind::Ignore);
    let left = map(preceded(keyword("rest"), cut(name)), MemberKind::Rest);
    let number = map(preceded(keyword("number"), cut(name)), MemberKind::Number);
    let of = || preceded(keyword("of"), word);
    let count =
        map(preceded(keyword("count"), cut((name, of()))), |(field, row)| MemberKind::Count { field, row });
    let sum = map(preceded(keyword("sum"), cut((name, of()))), |(field, of)| MemberKind::Sum { field, of });
    let (text, kind) = alt((each, with, ignore, left, number, count, sum, entry)).parse(text)?;
    Ok((text, MemberStatement { rest, kind }))
}

/// A path as one word: the signs of [`super::path::Path`].
fn path(text: &str) -> Result<'_, String> {
    let start = blank(text);
    let mut inside = false;
    let end = start.find(|letter: char| {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        let own = letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '[' | ']');
        !own && (!inside || letter.is_whitespace() || letter == '{')
    });
    let length = end.unwrap_or(start.len());
    let taken = map(nom::bytes::complete::take(length), str::to_owned);
    context("a path of the model", verify(taken, |path: &str| !path.is_empty())).parse(start)
}

fn entry(text: &str) -> Result<'_, MemberKind> {
    let (text, path) = path(text)?;
    let constant = map(preceded(token(char('=')), cut(code)), SourceStatement::Constant);
    let field = map(word, SourceStatement::Field);
    let (text, source) = cut(context("= and a constant, or a field", alt((constant, field)))).parse(text)?;
    let (text, integer) = opt(keyword("integer")).parse(text)?;
    let pairs = delimited(
        token(char('{')),
        many1((quoted, cut(code))),
        context("a quoted text, or }", token(char('}'))),
    );
    let (text, codes) = opt(pairs).parse(text)?;
    let integer = integer.is_some();
    Ok((text, MemberKind::Entry { path, source, integer, codes: codes.unwrap_or_default() }))
}

fn code(text: &str) -> Result<'_, Code> {
    context(
        "a value: true, false, a word or a quoted text",
        alt((
            map(quoted, Code::Text),
            value(Code::Bool(true), keyword("true")),
            value(Code::Bool(false), keyword("false")),
            map(bare_word, |text: &str| Code::Text(text.to_owned())),
        )),
    )
    .parse(text)
}
