//! The grammar language, read with nom. See `docs/grammar.md`.
//!
//! The parser gives a syntax tree in which every statement keeps the place it came from; names are
//! resolved when the tree is compiled ([`super::load`]).

use nom::branch::alt;
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::{char, digit1, satisfy};
use nom::combinator::{cut, map, map_res, opt, value, verify};
use nom::error::{ContextError, ErrorKind, FromExternalError, ParseError, context};
use nom::multi::{many0, many1};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::cell::DateFormat;
use super::class::ClassSet;
use super::layout::{ConditionCode, Designation, Direction, FieldConditions, Values};
use super::structure::{Discriminator, GroupMember, Order, RecordMember, StructureConditions};
use super::{Basis, Chapter};

/// Where in a grammar file a statement stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

/// One statement of a grammar file.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `chapter`.
    Chapter(Chapter),
    /// `transaction APP answers APP`.
    Pairing { input: String, response: String },
    /// `borrow APP in|out from APP in|out`.
    Borrowing { borrower: (String, Direction), lender: (String, Direction) },
    /// `record`.
    Record(RecordStatement),
    /// `structure`.
    Structure { application: String, direction: Direction, group: GroupTemplate },
    /// `fragment`.
    Fragment { name: String, members: Vec<MemberTemplate> },
}

/// A record's layout as written.
#[derive(Clone, Debug)]
pub struct RecordStatement {
    pub application: String,
    pub direction: Direction,
    pub record: String,
    pub name: String,
    pub variant: String,
    pub fields: Vec<FieldStatement>,
}

/// A field as written.
#[derive(Clone, Debug)]
pub struct FieldStatement {
    /// Bytes from its beginning to the end of the file; see [`place_before`].
    pub rest: usize,
    pub first: usize,
    pub last: usize,
    pub name: String,
    pub element: String,
    pub class: ClassSet,
    pub accepted: Option<ClassSet>,
    pub designation: Designation,
    pub decimals: Option<u8>,
    pub date_format: Option<DateFormat>,
    pub values: Values,
    pub also: Vec<Values>,
    pub decides: bool,
    pub conditions: FieldConditions,
    pub note: String,
}

/// A structure's member as written: fragments are not yet in place.
#[derive(Clone, Debug)]
pub enum MemberTemplate {
    Record(RecordMember),
    Group(GroupTemplate),
    Use(String),
}

/// A group as written; `group.members` is empty.
#[derive(Clone, Debug)]
pub struct GroupTemplate {
    pub group: GroupMember,
    pub members: Vec<MemberTemplate>,
}

/// What the parser stumbled over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble<'a> {
    /// The text from there on.
    pub rest: &'a str,
    /// What was being read.
    pub expected: &'static str,
}

impl<'a> ParseError<&'a str> for Trouble<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, expected: "" }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(self, other: Self) -> Self {
        // The alternative that came further says more.
        if self.rest.len() < other.rest.len() { self } else { other }
    }
}

impl<'a> ContextError<&'a str> for Trouble<'a> {
    fn add_context(rest: &'a str, expected: &'static str, other: Self) -> Self {
        // What was read from this very place on is better named by the whole than by its first part.
        let from_here = blank(rest).len() == blank(other.rest).len();
        if from_here || other.expected.is_empty() { Self { expected, ..other } } else { other }
    }
}

impl<'a, E> FromExternalError<&'a str, E> for Trouble<'a> {
    fn from_external_error(rest: &'a str, _: ErrorKind, _: E) -> Self {
        Self { rest, expected: "" }
    }
}

pub(crate) type Result<'a, T> = IResult<&'a str, T, Trouble<'a>>;

/// Reads a grammar file.
///
/// # Errors
/// The place and what was expected there.
pub fn parse(text: &str) -> std::result::Result<Vec<(Place, Statement)>, (Place, String)> {
    statements(text, statement)
}

/// Reads a file of statements.
pub(crate) fn statements<T>(
    text: &str,
    statement: impl Fn(&str) -> Result<'_, T>,
) -> std::result::Result<Vec<(Place, T)>, (Place, String)> {
    let mut rest = text;
    let mut statements = Vec::new();
    loop {
        rest = blank(rest);
        if rest.is_empty() {
            return Ok(statements);
        }
        let place = place_of(text, rest);
        match statement(rest) {
            Ok((after, statement)) => {
                statements.push((place, statement));
                rest = after;
            }
            Err(nom::Err::Error(trouble) | nom::Err::Failure(trouble)) => {
                let at = blank(trouble.rest);
                let found = at.split_whitespace().next().unwrap_or("the end of the file");
                let expected = if trouble.expected.is_empty() { "something else" } else { trouble.expected };
                return Err((place_of(text, at), format!("found {found}, expected {expected}")));
            }
            Err(nom::Err::Incomplete(_)) => return Err((place, "the file ends too early".to_owned())),
        }
    }
}

/// Skips white space and comments.
pub(crate) fn blank(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.strip_prefix('#') {
            Some(comment) => text = comment.find('\n').map_or("", |end| &comment[end..]),
            None => return text,
        }
    }
}

/// The place that so many bytes before the end of a file are.
pub fn place_before(whole: &str, rest: usize) -> Place {
    place_of(whole, &whole[whole.len() - rest..])
}

fn place_of(whole: &str, rest: &str) -> Place {
    let before = &whole[..whole.len() - rest.len()];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Place { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

/// A parser behind white space and comments.
pub(crate) fn token<'a, O>(
    mut inner: impl Parser<&'a str, Output = O, Error = Trouble<'a>>,
) -> impl FnMut(&'a str) -> Result<'a, O> {
    move |text| inner.parse(blank(text))
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '*' | '$' | '%' | '+' | '.' | '-')
}

pub(crate) fn bare_word(text: &str) -> Result<'_, &str> {
    token(take_while1(is_word))(text)
}

pub(crate) fn keyword<'a>(expected: &'static str) -> impl FnMut(&'a str) -> Result<'a, &'a str> {
    move |text| context(expected, verify(bare_word, |word: &str| word == expected)).parse(text)
}

pub(crate) fn quoted(text: &str) -> Result<'_, String> {
    let escaped = preceded(char('\\'), satisfy(|letter| letter == '"' || letter == '\\'));
    let plain = satisfy(|letter| letter != '"' && letter != '\\');
    let body = map(many0(alt((plain, escaped))), |letters| letters.into_iter().collect());
    token(delimited(char('"'), body, context("a closing quote", cut(char('"')))))(text)
}

pub(crate) fn word(text: &str) -> Result<'_, String> {
    alt((quoted, map(bare_word, str::to_owned))).parse(text)
}

fn direction(text: &str) -> Result<'_, Direction> {
    context(
        "in or out",
        alt((value(Direction::Input, keyword("in")), value(Direction::Output, keyword("out")))),
    )
    .parse(text)
}

pub(crate) fn designation(text: &str) -> Result<'_, Designation> {
    context(
        "a designation: M, C or O",
        alt((
            value(Designation::Mandatory, keyword("M")),
            value(Designation::Conditional, keyword("C")),
            value(Designation::Optional, keyword("O")),
        )),
    )
    .parse(text)
}

pub(crate) fn class(text: &str) -> Result<'_, ClassSet> {
    let classes = |printed: &str| {
        printed.split('/').try_fold(ClassSet::default(), |all, name| {
            ClassSet::from_name(name).map(|class| all | class).ok_or(())
        })
    };
    let printed = token(take_while1(|letter: char| letter.is_ascii_uppercase() || letter == '/'));
    context("a class such as AN or D/S", map_res(printed, classes)).parse(text)
}

fn condition(text: &str) -> Result<'_, ConditionCode> {
    context("a condition code", map_res(bare_word, |code: &str| ConditionCode::new(code).ok_or(())))
        .parse(text)
}

fn statement(text: &str) -> Result<'_, Statement> {
    context(
        "chapter, transaction, borrow, record, structure or fragment",
        alt((chapter, pairing, borrowing, record, structure, fragment)),
    )
    .parse(text)
}

fn chapter(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("chapter")(text)?;
    let from = alt((
        value(Basis::Transcription, keyword(Basis::Transcription.name())),
        value(Basis::Outline, keyword(Basis::Outline.name())),
    ));
    let basis = map(opt(preceded(keyword("from"), cut(from))), Option::unwrap_or_default);
    let parts = (word, preceded(keyword("revision"), word), preceded(keyword("pages"), word), basis);
    map(cut(parts), |(name, revision, pages, basis)| {
        Statement::Chapter(Chapter { name, revision, pages, basis })
    })
    .parse(text)
}

fn pairing(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("transaction")(text)?;
    let parts = (word, preceded(keyword("answers"), word));
    map(cut(parts), |(input, response)| Statement::Pairing { input, response }).parse(text)
}

fn borrowing(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("borrow")(text)?;
    let parts = ((word, direction), preceded(keyword("from"), (word, direction)));
    map(cut(parts), |(borrower, lender)| Statement::Borrowing { borrower, lender }).parse(text)
}

fn record(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("record")(text)?;
    let (text, (application, direction, record, name)) = cut((word, direction, word, word)).parse(text)?;
    let (text, variant) = opt(preceded(keyword("variant"), cut(word))).parse(text)?;
    let (text, fields) = cut(many1(field)).parse(text)?;
    let variant = variant.unwrap_or_default();
    Ok((text, Statement::Record(RecordStatement { application, direction, record, name, variant, fields })))
}

pub(crate) fn column(text: &str) -> Result<'_, usize> {
    map_res(digit1, str::parse::<usize>).parse(text)
}

fn field(text: &str) -> Result<'_, FieldStatement> {
    let start = blank(text).len();
    let (text, first) = context("a position such as 9-16", token(column)).parse(text)?;
    let (text, last) = opt(preceded(char('-'), cut(column))).parse(text)?;
    let (text, name) = cut(context("a field name", map(bare_word, str::to_owned))).parse(text)?;
    let (text, class) = cut(class).parse(text)?;
    let (text, designation) = cut(designation).parse(text)?;
    let mut field = FieldStatement {
        rest: start,
        first,
        last: last.unwrap_or(first),
        name,
        element: String::new(),
        class,
        accepted: None,
        designation,
        decimals: None,
        date_format: None,
        values: Values::Any,
        also: Vec::new(),
        decides: false,
        conditions: FieldConditions::default(),
        note: String::new(),
    };
    let mut rest = text;
    while let (after, Some(part)) = opt(field_part).parse(rest)? {
        field.apply(part);
        rest = after;
    }
    Ok((rest, field))
}

#[derive(Clone)]
enum FieldPart {
    Element(String),
    Accept(ClassSet),
    Decimals(u8),
    Date(DateFormat),
    Values(Values),
    Also(Values),
    Decides,
    Missing(ConditionCode),
    Unknown(ConditionCode),
    Invalid(ConditionCode),
    Zero(ConditionCode),
    Check(String, ConditionCode),
    Note(String),
}

impl FieldStatement {
    fn apply(&mut self, part: FieldPart) {
        match part {
            FieldPart::Element(element) => self.element = element,
            FieldPart::Accept(class) => self.accepted = Some(class),
            FieldPart::Decimals(decimals) => self.decimals = Some(decimals),
            FieldPart::Date(format) => self.date_format = Some(format),
            FieldPart::Values(values) => self.values = values,
            FieldPart::Also(values) => self.also.push(values),
            FieldPart::Decides => self.decides = true,
            FieldPart::Missing(code) => self.conditions.missing = Some(code),
            FieldPart::Unknown(code) => self.conditions.unknown = Some(code),
            FieldPart::Invalid(code) => self.conditions.invalid = Some(code),
            FieldPart::Zero(code) => self.conditions.zero = Some(code),
            FieldPart::Check(name, code) => self.conditions.checks.push((name, code)),
            FieldPart::Note(note) => self.note = note,
        }
    }
}

fn field_part(text: &str) -> Result<'_, FieldPart> {
    let decimals = map_res(token(digit1), str::parse::<u8>);
    let format = map_res(bare_word, |name: &str| DateFormat::from_name(name).ok_or(()));
    alt((
        map(quoted, FieldPart::Element),
        map(preceded(token(char('=')), cut(quoted)), |text| FieldPart::Values(Values::Constant(text))),
        map(preceded(keyword("accept"), cut(class)), FieldPart::Accept),
        map(preceded(keyword("decimals"), cut(decimals)), FieldPart::Decimals),
        map(preceded(keyword("date"), cut(context("a date format", format))), FieldPart::Date),
        map(preceded(keyword("in"), cut(values)), FieldPart::Values),
        map(preceded(keyword("also"), cut(values)), FieldPart::Also),
        value(FieldPart::Decides, keyword("decides")),
        map(preceded(keyword("missing"), cut(condition)), FieldPart::Missing),
        map(preceded(keyword("unknown"), cut(condition)), FieldPart::Unknown),
        map(preceded(keyword("invalid"), cut(condition)), FieldPart::Invalid),
        map(preceded(keyword("zero"), cut(condition)), FieldPart::Zero),
        map(preceded(keyword("check"), cut((word, condition))), |(name, code)| FieldPart::Check(name, code)),
        map(preceded(keyword("note"), cut(quoted)), FieldPart::Note),
    ))
    .parse(text)
}

pub(crate) fn values(text: &str) -> Result<'_, Values> {
    let list =
        map(preceded(token(char('@')), take_while(is_word)), |name: &str| Values::List(name.to_owned()));
    context("@list or {values}", alt((list, map(few, Values::OneOf)))).parse(text)
}

fn few(text: &str) -> Result<'_, Vec<String>> {
    delimited(token(char('{')), many1(word), token(char('}'))).parse(text)
}

fn structure_conditions(text: &str) -> Result<'_, StructureConditions> {
    let mut all = StructureConditions::default();
    let mut rest = text;
    let named = |name: &'static str| preceded(keyword(name), cut(condition));
    loop {
        let part = alt((
            map(named("header_missing"), |code| (0, code)),
            map(named("unknown"), |code| (1, code)),
            map(named("sequence"), |code| (2, code)),
            map(named("exceeded"), |code| (3, code)),
            map(named("missing"), |code| (4, code)),
            map(named("gap"), |code| (5, code)),
        ));
        let (after, Some((which, code))) = opt(part).parse(rest)? else {
            return Ok((rest, all));
        };
        let slot = match which {
            0 => &mut all.header_missing,
            1 => &mut all.unknown,
            2 => &mut all.sequence,
            3 => &mut all.exceeded,
            4 => &mut all.missing,
            _ => &mut all.gap,
        };
        *slot = Some(code);
        rest = after;
    }
}

fn order(text: &str) -> Result<'_, Order> {
    let named = alt((value(Order::Unordered, keyword("unordered")), value(Order::Choice, keyword("choice"))));
    map(opt(named), Option::unwrap_or_default).parse(text)
}

fn structure(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("structure")(text)?;
    let (text, (application, direction, name)) = cut((word, direction, word)).parse(text)?;
    let number = map_res(token(digit1), str::parse::<u32>);
    let (text, maximum) = opt(preceded(keyword("at_most"), cut(context("a number", number)))).parse(text)?;
    let (text, conditions) = structure_conditions(text)?;
    let (text, order) = order(text)?;
    let (text, members) = many1(member).parse(text)?;
    let (text, _) = cut(keyword("end")).parse(text)?;
    let group = GroupMember {
        name,
        designation: Designation::Mandatory,
        maximum,
        order,
        conditions,
        members: Vec::new(),
    };
    Ok((text, Statement::Structure { application, direction, group: GroupTemplate { group, members } }))
}

fn fragment(text: &str) -> Result<'_, Statement> {
    let (text, _) = keyword("fragment")(text)?;
    let body = delimited(token(char('{')), many1(member), token(char('}')));
    map(cut((word, body)), |(name, members)| Statement::Fragment { name, members }).parse(text)
}

fn maximum(text: &str) -> Result<'_, Option<u32>> {
    let star = value(None, token(char('*')));
    context(
        "a maximum: a number or *",
        alt((star, map_res(token(digit1), |digits: &str| digits.parse().map(Some)))),
    )
    .parse(text)
}

fn member(text: &str) -> Result<'_, MemberTemplate> {
    let using = map(preceded(keyword("use"), cut(word)), MemberTemplate::Use);
    alt((using, map(group, MemberTemplate::Group), record_member)).parse(text)
}

fn record_member(text: &str) -> Result<'_, MemberTemplate> {
    let identifier = verify(bare_word, |word: &str| word != "end");
    let (text, record) =
        context("a record, group, use, } or end", map(identifier, str::to_owned)).parse(text)?;
    let (text, (designation, maximum)) = cut((designation, maximum)).parse(text)?;
    let one = map(quoted, |value| vec![value]);
    let mark = map((word, alt((one, few))), |(field, values)| Discriminator { field, values });
    let (text, discriminator) = opt(preceded(keyword("when"), cut(mark))).parse(text)?;
    let (text, conditions) = structure_conditions(text)?;
    Ok((
        text,
        MemberTemplate::Record(RecordMember { record, designation, maximum, discriminator, conditions }),
    ))
}

fn group(text: &str) -> Result<'_, GroupTemplate> {
    let (text, _) = keyword("group")(text)?;
    let (text, (name, designation, maximum)) = cut((word, designation, maximum)).parse(text)?;
    let (text, conditions) = structure_conditions(text)?;
    let (text, order) = order(text)?;
    let (text, members) = cut(delimited(
        context("{", token(char('{'))),
        many1(member),
        context("a record, group, use or }", token(char('}'))),
    ))
    .parse(text)?;
    let group = GroupMember { name, designation, maximum, order, conditions, members: Vec::new() };
    Ok((text, GroupTemplate { group, members }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
chapter "Small" revision "1" pages "1"   # a comment
transaction AE answers AX
record AE in 10 header variant one
  1-2  control_identifier A M = "10" "Control Identifier" note "with a \"quote\""
  3    action A M in {A "R S"} missing B01 unknown B02 check word B03
  4-9  day D/S C date MMDDYY invalid 203
  10-80 filler S M accept X
structure AE in summary sequence A04
  10 M 1
  group line C 998 exceeded A08 unordered { 40 M 1 PG00 M * when mark "S" use rest }
  group way C 1 choice { 60 M 1 when mark {A B} 70 M 1 }
end
borrow AX out from AE in
fragment rest { 50 M 1 }
"#;

    #[test]
    fn every_statement_is_read() {
        let statements = parse(SMALL).unwrap();
        assert_eq!(statements.len(), 6);
        let (place, Statement::Record(record)) = &statements[2] else { panic!("a record") };
        assert_eq!((place.line, place.column), (4, 1));
        assert_eq!((record.variant.as_str(), record.fields.len()), ("one", 4));
        assert_eq!(record.fields[0].note, "with a \"quote\"");
        assert_eq!(record.fields[1].values, Values::OneOf(vec!["A".into(), "R S".into()]));
        let (_, Statement::Structure { group, .. }) = &statements[3] else { panic!("a structure") };
        assert_eq!(group.members.len(), 3);
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, line, column, expected) in [
            ("chapter \"a\" revision 1", 1, 23, "pages"),
            ("record AE in 10 x\n 1-2 a Q M", 2, 8, "class"),
            ("record AE in 10 x\n 1-2 a A M missing ?", 2, 20, "condition"),
            ("structure AE in x 10 Z 1 end", 1, 22, "designation"),
            ("nonsense", 1, 1, "chapter"),
            ("structure AE in x 10 M 1", 1, 25, "end"),
            ("chapter \"unclosed", 1, 18, "quote"),
        ] {
            let (place, message) = parse(text).unwrap_err();
            assert_eq!((place.line, place.column), (line, column), "{text}: {message}");
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
