//! Rates from the text that the schedule prints.

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{char, multispace0, satisfy};
use nom::combinator::{map, opt, recognize, value};
use nom::error::ParseError;
use nom::multi::{many0, separated_list1};
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{Err, IResult, Parser};
use rust_decimal::Decimal;

use super::rate::{Coded, Part, Polarized, Rate, RateError, Sum, Term};
use super::unit::{UnitId, Units};

/// Where parsing stopped: what is left there, and what was expected.
struct Stop<'t> {
    rest: &'t str,
    expected: &'static str,
}

impl<'t> ParseError<&'t str> for Stop<'t> {
    fn from_error_kind(rest: &'t str, _: nom::error::ErrorKind) -> Self {
        Self { rest, expected: "a rate such as 3.4%, 41 cents/kg + 16.3%, $1.89/kg or Free" }
    }

    fn append(_: &'t str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }

    /// Of two that failed, the one that came further.
    fn or(self, other: Self) -> Self {
        if self.rest.len() <= other.rest.len() { self } else { other }
    }
}

type Parsed<'t, T> = IResult<&'t str, T, Stop<'t>>;

/// How the schedule says that a number has the rate of another one.
const DERIVED: [&str; 3] =
    ["the rate applicable to", "the rates applicable to", "the rate of duty applicable to"];
/// How it says that a number has the duty of the one beside it, between these two.
const BESIDE: [&str; 3] = ["the duty ", "the rate of duty ", "the rate provided "];
const BESIDE_END: &str = "applicable subheading";
/// How it says that a note or other law gives the rate.
const NOTE: [&str; 5] = ["see ", "no change", "the rate provided", "as provided", "a duty upon "];

impl Rate {
    /// The rate that a text prints. A text that is not understood is [`Rate::Unread`], which says where
    /// it stops being so.
    #[must_use]
    pub fn parse(text: &str, units: &Units) -> Self {
        let text = text.trim();
        let found = delimited(multispace0, rate(units), (footnotes, multispace0)).parse(text);
        let stop = match found {
            Ok(("", rate)) => return rate,
            Ok((rest, _)) => Stop { rest, expected: "+, a bound or the end" },
            Err(Err::Error(stop) | Err::Failure(stop)) => stop,
            Err(Err::Incomplete(_)) => Stop { rest: "", expected: "a rate" },
        };
        let at = text[..text.len() - stop.rest.len()].chars().count() + 1;
        let found = stop.rest.chars().take(30).collect();
        Self::Unread(RateError { at, found, expected: stop.expected })
    }
}

fn rate<'t>(units: &'t Units) -> impl Parser<&'t str, Output = Rate, Error = Stop<'t>> {
    alt((
        map(coded, |coded| Rate::Coded(Box::new(coded))),
        |text| phrase(text, &DERIVED, Rate::Derived),
        |text| beside(text, units),
        |text| phrase(text, &NOTE, Rate::Note),
        |text| polarized(text, units),
        |text| parts(text, units),
        map(|text| sum(text, units), |sum| Rate::Sum(Box::new(sum))),
        free,
    ))
}

fn free(text: &str) -> Parsed<'_, Rate> {
    let (rest, _) = tag_no_case("free")(text)?;
    // What stands behind a comma or in parentheses is the condition it is free on.
    let condition = preceded((multispace0, alt((tag(","), tag("(")))), nom::combinator::rest);
    value(Rate::Free, opt(condition)).parse(rest)
}

/// One of a few beginnings, and whatever follows it.
fn phrase<'t>(text: &'t str, beginnings: &[&str], rate: Rate) -> Parsed<'t, Rate> {
    if beginnings.iter().any(|begin| starts(text, begin)) {
        return Ok(("", rate));
    }
    Err(Err::Error(Stop::from_error_kind(text, nom::error::ErrorKind::Tag)))
}

fn starts(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

fn beside<'t>(text: &'t str, units: &Units) -> Parsed<'t, Rate> {
    let begins = BESIDE.iter().any(|begin| starts(text, begin));
    let Some(end) = text.find(BESIDE_END).filter(|_| begins) else {
        return Err(Err::Error(Stop::from_error_kind(text, nom::error::ErrorKind::Tag)));
    };
    let (rest, more) = opt(preceded(plus, |text| sum(text, units))).parse(&text[end + BESIDE_END.len()..])?;
    Ok((rest, Rate::Beside(Box::new(more.unwrap_or_default()))))
}

fn sum<'t>(text: &'t str, units: &Units) -> Parsed<'t, Sum> {
    let (rest, terms) = separated_list1(plus, |text| term(text, units)).parse(text)?;
    let (rest, least) = opt(preceded(bound("less"), |text| term(text, units))).parse(rest)?;
    let (rest, most) = opt(preceded(bound("more"), |text| term(text, units))).parse(rest)?;
    Ok((rest, Sum { terms, least, most }))
}

/// Terms of which some are on parts of the article: `44 cents each + 6% on the case + 14% on the strap, band
/// or bracelet`.
fn parts<'t>(text: &'t str, units: &Units) -> Parsed<'t, Rate> {
    let (rest, parts) = separated_list1(plus, |text| part(text, units)).parse(text)?;
    if parts.iter().all(|part| part.on.is_empty()) {
        return Err(Err::Error(Stop::from_error_kind(text, nom::error::ErrorKind::Verify)));
    }
    Ok((rest, Rate::Parts(parts.into())))
}

fn part<'t>(text: &'t str, units: &Units) -> Parsed<'t, Part> {
    let (rest, term) = term(text, units)?;
    let named = preceded((multispace0, tag("on ")), take_while1(|c| c != '+'));
    let (after, on) = opt(named).parse(rest)?;
    match on {
        None => Ok((rest, Part { term, on: String::new() })),
        Some(on) if units.part(on).is_some() => Ok((after, Part { term, on: on.trim().to_lowercase() })),
        Some(_) => Err(Err::Error(Stop { rest, expected: "a part of the table of units" })),
    }
}

fn plus(text: &str) -> Parsed<'_, ()> {
    value((), delimited(multispace0, alt((tag("+"), tag("plus "), tag("and "))), multispace0)).parse(text)
}

/// `but not less than` and `nor more than`.
fn bound<'t>(word: &'static str) -> impl Parser<&'t str, Output = (), Error = Stop<'t>> {
    let begin = alt((tag_no_case("but not "), tag_no_case("nor "), tag_no_case("not ")));
    value((), (opt(tag(",")), multispace0, begin, tag_no_case(word), tag_no_case(" than "), multispace0))
}

fn term<'t>(text: &'t str, units: &Units) -> Parsed<'t, Term> {
    alt((percent, |text| {
        specific(text, units).map(|(rest, (dollars, unit))| (rest, Term::Specific { dollars, unit }))
    }))
    .parse(text)
}

fn percent(text: &str) -> Parsed<'_, Term> {
    let (rest, whole) = number(text)?;
    let (rest, part) = opt(preceded(char(' '), pair(terminated(number, char('/')), number))).parse(rest)?;
    let (rest, _) = (multispace0, tag("%")).parse(rest)?;
    let (rest, _) = opt(alt((tag(" on the entire set"), tag(" ad valorem"), tag(" ad val.")))).parse(rest)?;
    let hundred = |amount: Decimal| amount / Decimal::ONE_HUNDRED;
    let fraction = part.and_then(|(above, below)| Some((above, below, u8::try_from(below).ok()?)));
    Ok((
        rest,
        match fraction {
            None => Term::AdValorem { rate: hundred(whole), over: 1 },
            // 33 1/3% is 100% over 3: a third of a percent has no end as a decimal.
            Some((above, below, over)) => Term::AdValorem { rate: hundred(whole * below + above), over },
        },
    ))
}

/// Dollars or cents a unit.
fn specific<'t>(text: &'t str, units: &Units) -> Parsed<'t, (Decimal, UnitId)> {
    let (rest, dollars) =
        alt((preceded(tag("$"), number), map(terminated(number, cents), cents_in_dollars))).parse(text)?;
    let (rest, _) = (multispace0, opt(alt((tag("/"), tag_no_case("per ")))), multispace0).parse(rest)?;
    let end = unit_end(rest);
    let phrase = rest[..end].trim_end();
    match units.find(phrase) {
        Some(unit) => Ok((&rest[phrase.len()..], (dollars, unit))),
        None => Err(Err::Error(Stop { rest, expected: "a unit of the table of units" })),
    }
}

fn cents(text: &str) -> Parsed<'_, &str> {
    preceded(multispace0, alt((tag_no_case("cents"), tag_no_case("cent"), tag("\u{a2}")))).parse(text)
}

fn cents_in_dollars(cents: Decimal) -> Decimal {
    cents / Decimal::ONE_HUNDRED
}

/// Where the words of a unit end.
fn unit_end(text: &str) -> usize {
    let ends = ["+", " less ", " but ", " plus ", ", but ", " nor ", " not "];
    let first = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    // A footnote is a number, a slash and nothing more.
    let noted = text[..first].trim_end();
    match noted.rsplit_once(' ') {
        Some((before, last)) if is_footnote(last) => before.len(),
        _ => first,
    }
}

fn is_footnote(word: &str) -> bool {
    word.strip_suffix('/').is_some_and(|mark| !mark.is_empty() && mark.bytes().all(|b| b.is_ascii_digit()))
}

fn footnotes(text: &str) -> Parsed<'_, ()> {
    let mark = (multispace0, take_while1(|c: char| c.is_ascii_digit()), char('/'));
    value((), many0(mark)).parse(text)
}

fn polarized<'t>(text: &'t str, units: &Units) -> Parsed<'t, Rate> {
    let (rest, (full, unit)) = specific(text, units)?;
    let (rest, _) = tag_no_case(" less ")(rest)?;
    let (rest, (per_degree, _)) = degree(rest)?;
    let (rest, _) = take_while(|c| c != ')')(rest)?;
    let (rest, _) = (char(')'), bound("less")).parse(rest)?;
    let (rest, (least, _)) = specific(rest, units)?;
    Ok((rest, Rate::Polarized(Polarized { full, per_degree, least, unit })))
}

/// `0.020668 cents/kg for each degree under 100 degrees`
fn degree(text: &str) -> Parsed<'_, (Decimal, &str)> {
    let amount = map(terminated(number, cents), cents_in_dollars);
    let words = recognize((take_while(|c| c != '1'), tag("100 degrees")));
    pair(amount, words).parse(text)
}

/// `code B: specific 0.10 advalorem 0.05 other 0.002`, which is ours: no schedule prints the codes.
fn coded(text: &str) -> Parsed<'_, Coded> {
    let code = satisfy(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    let (rest, code) = delimited(tag("code "), code, tag(":")).parse(text)?;
    let part = |name: &'static str| opt(preceded((multispace0, tag(name), tag(" ")), number));
    let (rest, (specific, ad_valorem, other)) =
        (part("specific"), part("advalorem"), part("other")).parse(rest)?;
    let [specific, ad_valorem, other] = [specific, ad_valorem, other].map(Option::unwrap_or_default);
    Ok((rest, Coded { code: code.to_string(), specific, ad_valorem, other }))
}

/// An exact number; commas between thousands do not count.
fn number(text: &str) -> Parsed<'_, Decimal> {
    let (rest, digits) = take_while1(|c: char| c.is_ascii_digit() || c == '.' || c == ',')(text)?;
    let wrong = || Err::Error(Stop { rest: text, expected: "a number" });
    let digits = digits.trim_end_matches(',').replace(',', "");
    let number = digits.parse::<Decimal>().map_err(|_| wrong())?;
    // Beyond these no rate is printed, and nothing overflows in a product with value and quantity.
    if number.scale() > 9 || number > Decimal::from(1_000_000) {
        return Err(wrong());
    }
    Ok((rest, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariff::table::Sources;

    fn units() -> Units {
        Units::new(&Sources::builtin()).unwrap()
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn terms(text: &str) -> Vec<Term> {
        match Rate::parse(text, &units()) {
            Rate::Sum(sum) => sum.terms,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn printed_rates_are_exact() {
        let units = units();
        let kg = units.find("kg").unwrap();
        let specific = |dollars, unit| Term::Specific { dollars: dec(dollars), unit };
        assert_eq!(terms("3.4%"), [Term::ad_valorem(dec("0.034"))]);
        assert_eq!(terms("33 1/3%"), [Term::AdValorem { rate: dec("1"), over: 3 }]);
        assert_eq!(terms("41 cents/kg + 16.3%"), [specific("0.41", kg), Term::ad_valorem(dec("0.163"))]);
        assert_eq!(terms("41\u{a2}/kg + 16.3%"), terms("41 cents/kg +16.3%"));
        assert_eq!(terms("$1,000.50/t 1/"), [specific("1000.50", units.find("t").unwrap())]);
        assert_eq!(terms("1.5 cents each"), [specific("0.015", units.find("each").unwrap())]);
        assert_eq!(terms("1.5\u{a2}/each"), terms("1.5 cents each"));
        assert_eq!(terms("36\u{a2} each + 5.6% + 2\u{a2}/jewel").len(), 3);
        assert_eq!(terms("0.3\u{a2}/line/gross + 4.6%").len(), 2);
        assert_eq!(
            terms("86.1\u{a2}/m2of recording surface"),
            terms("86.1\u{a2}/m\u{b2} of recording surface")
        );
        assert_eq!(terms("31.4 cents/pf. liter"), terms("31.4 cents/pf.liter"));
        let three = terms("13.5 cents/kg + 6.3% + 1.9 cents/ article");
        assert_eq!(three.len(), 3);
        assert_eq!(Rate::parse("Free", &units), Rate::Free);
        assert_eq!(Rate::parse("Free 2/", &units), Rate::Free);
        assert_eq!(Rate::parse("Free, under bond", &units), Rate::Free);
        assert_eq!(Rate::parse("Free (see note 3)", &units), Rate::Free);
        assert_eq!(Rate::parse("See additional U.S. note 1", &units), Rate::Note);
        assert_eq!(
            Rate::parse("The rate applicable to the natural juice in heading 2009", &units),
            Rate::Derived
        );
    }

    #[test]
    fn bounds_and_additions_are_read() {
        let units = units();
        let Rate::Sum(sum) = Rate::parse("2.5% but not less than 1.2 cents/kg nor more than $4/kg", &units)
        else {
            panic!("not a sum");
        };
        assert!(sum.least.is_some() && sum.most.is_some());
        let Rate::Beside(more) = Rate::parse("The duty provided in the applicable subheading + 25%", &units)
        else {
            panic!("not beside");
        };
        assert_eq!(more.terms, [Term::ad_valorem(dec("0.25"))]);
        let text = "The rate of duty provided for in the applicable subheading plus 7.5%";
        assert!(matches!(Rate::parse(text, &units), Rate::Beside(more) if more.terms.len() == 1));
        let text = "3.6606 cents/kg less 0.020668 cents/kg for each degree under 100 degrees (and fractions of a \
                    degree in proportion) but not less than 3.143854 cents/kg";
        let Rate::Polarized(sugar) = Rate::parse(text, &units) else { panic!("not polarized") };
        assert_eq!(sugar.full, dec("0.036606"));
        assert_eq!(sugar.per_degree, dec("0.00020668"));
        assert_eq!(sugar.least, dec("0.03143854"));
    }

    #[test]
    fn what_is_no_rate_says_where() {
        for (text, at) in [("", 1), ("about 3%", 1), ("3% or so", 4), ("4 cents/parsec", 9), ("5% + ", 4)] {
            match Rate::parse(text, &units()) {
                Rate::Unread(error) => assert_eq!(error.at, at, "{text}: {error}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
