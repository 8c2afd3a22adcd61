//! The words and signs of a file of rules.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while, take_while1};
use nom::character::complete::{char, multispace1, satisfy};
use nom::combinator::{consumed, map, recognize, value};
use nom::multi::{many0_count, many1_count};
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

use super::RuleError;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token<'a> {
    /// Letters, digits, underscores; a `#` for an item's number, a `:` before a variant; `0.125`.
    Word(&'a str),
    /// What stands between double quotes.
    Text(&'a str),
    /// The name of a list, without its `@`.
    List(&'a str),
    Sign(&'a str),
}

impl Token<'_> {
    /// How many bytes it takes in the file.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Word(text) | Self::Sign(text) => text.len(),
            Self::Text(text) => text.len() + 2,
            Self::List(name) => name.len() + 1,
        }
    }
}

pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, RuleError> {
    let mut rest = skip(text);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let offset = text.len() - rest.len();
        let (behind, token) =
            token(rest).map_err(|_| RuleError::at(text, offset, "neither a word, a text nor a sign"))?;
        found.push((offset, token));
        rest = skip(behind);
    }
    Ok(found)
}

fn skip(text: &str) -> &str {
    let comment = value((), pair(char('#'), take_while(|sign| sign != '\n')));
    let mut blank = recognize(many0_count(alt((value((), multispace1::<&str, ()>), comment))));
    blank.parse(text).map_or(text, |(rest, _)| rest)
}

fn token(text: &str) -> IResult<&str, Token<'_>> {
    let quoted = delimited(char('"'), recognize(many0_count(is_not("\"\n"))), char('"'));
    let signs = alt((
        tag("!="),
        tag("<="),
        tag(">="),
        tag("="),
        tag("<"),
        tag(">"),
        tag("+"),
        tag("*"),
        tag("-"),
        tag("("),
        tag(")"),
        tag("{"),
        tag("}"),
        tag("["),
        tag("]"),
        tag("."),
        tag(","),
    ));
    alt((
        map(quoted, Token::Text),
        map(preceded(char('@'), take_while1(is_word)), Token::List),
        map(fraction, Token::Word),
        map(recognize(pair(satisfy(char::is_alphanumeric), take_while(is_word))), Token::Word),
        map(signs, Token::Sign),
    ))
    .parse(text)
}

/// A number with decimal places; a record and its field are told apart by the letter behind the dot.
fn fraction(text: &str) -> IResult<&str, &str> {
    let digits = || many1_count(satisfy(|sign| sign.is_ascii_digit()));
    map(consumed((digits(), char('.'), digits())), |(text, _)| text).parse(text)
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '#' | ':')
}
