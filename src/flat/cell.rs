//! One field of a row: its place, what may stand in it, and its value both ways.
//!
//! A value is text as the JSON of the model has it: amounts with their point, dates in ISO form,
//! everything else as it stands without fill. Nothing is a blank field.

use std::str::FromStr;

use jiff::civil::Date;

use super::date::Pattern;
use super::number::{Form, Whole, pack, unpack, unzone, zone};
use crate::grammar::ClassSet;
use crate::wire::Encoding;

/// A field of a row.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Its columns, from 0; in CSV its place among the fields, both times.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
    pub(super) mandatory: bool,
    /// What it may hold, if that is known, sorted.
    pub(super) values: Option<Vec<String>>,
    pub(super) decides: bool,
    /// Whether zero stands for nothing.
    pub(super) zero_blank: bool,
    /// Whether a packed field full of spaces stands for nothing.
    pub(super) space_blank: bool,
    /// Whether bytes of zero (LOW-VALUES) stand for spaces.
    pub(super) low_blank: bool,
    /// Whether the field is written only in the first row of its element.
    pub(super) once: bool,
    /// Whether what stands in it is not to be shown.
    pub(super) secret: bool,
}

/// What kind of value stands in a field.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Text; without a class any character that can be displayed.
    Text { class: Option<ClassSet>, right: bool, upper: bool },
    /// A number: an amount if it has decimals, else digits that are a name.
    Number { form: Form, signed: bool, decimals: Option<usize>, digits: usize },
    /// A date.
    Date { pattern: Pattern, packed: bool },
}

/// The digits in as many places as a field has; all of them where there is no end to it.
fn fit(number: &Whole, places: usize) -> Option<String> {
    if places == usize::MAX { Some(number.digits.clone()) } else { number.in_places(places) }
}

/// How many values an error names.
const NAMED: usize = 12;

impl Field {
    pub(super) fn width(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_filler(&self) -> bool {
        self.name == "filler"
    }

    /// The value that a field always has.
    pub(super) fn constant(&self) -> Option<&str> {
        match self.values.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    pub(super) fn is_amount(&self) -> bool {
        matches!(self.kind, Kind::Number { decimals: Some(_), .. })
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self.kind, Kind::Number { form: Form::Packed, .. } | Kind::Date { packed: true, .. })
    }

    /// Reads the value from its bytes.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn read(&self, bytes: &[u8], encoding: Encoding) -> Result<Option<String>, String> {
        let is_all = |filling: u8| bytes.iter().all(|byte| *byte == filling);
        let (is_low, is_spaces) = (is_all(0), is_all(encoding.space()));
        if self.low_blank && is_low || self.space_blank && is_spaces {
            return self.judge(None);
        }
        if self.is_packed() {
            let number = unpack(bytes).ok_or_else(|| match (is_spaces, is_low) {
                (true, _) => {
                    format!("{}; spaces stand for nothing where the layout says space_blank", self.expected())
                }
                (_, true) => {
                    format!("{}; zeros stand for nothing where the layout says low_blank", self.expected())
                }
                _ => self.expected(),
            })?;
            return self.judge(self.of_packed(&number)?);
        }
        let mut text = String::with_capacity(bytes.len());
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == 0 {
                if !self.low_blank {
                    let expected =
                        "characters; bytes of zero stand for spaces where the layout says low_blank";
                    return Err(expected.to_owned());
                }
                text.push(' ');
                continue;
            }
            let latin = encoding.decode_byte(self.plain_sign(byte, at, bytes.len(), encoding));
            if latin < b' '
                || (0x7f..=0x9f).contains(&latin)
                || encoding == Encoding::Ascii && !latin.is_ascii()
            {
                return Err(format!("characters of {encoding} that can be displayed"));
            }
            text.push(char::from(latin));
        }
        self.read_text(&text)
    }

    /// The byte that holds the sign of a zoned number in EBCDIC, with the sign that IBM prefers: A and E
    /// are plus as C is, B is minus as D is. Any other byte as it is.
    fn plain_sign(&self, byte: u8, at: usize, length: usize, encoding: Encoding) -> u8 {
        let Kind::Number { form: Form::Zoned(sign), .. } = &self.kind else { return byte };
        let is_sign = !sign.separate && at == if sign.leading { 0 } else { length - 1 };
        match byte >> 4 {
            _ if !is_sign || !encoding.is_ebcdic() || byte & 15 > 9 => byte,
            0xa | 0xe => 0xc0 | byte & 15,
            0xb => 0xd0 | byte & 15,
            _ => byte,
        }
    }

    /// Reads the value from its characters.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn read_text(&self, text: &str) -> Result<Option<String>, String> {
        if self.is_filler() {
            let blank = !matches!(self.kind, Kind::Text { class: Some(ClassSet::SPACE), .. });
            return if blank || text.trim_matches(' ').is_empty() {
                Ok(None)
            } else {
                Err("spaces".to_owned())
            };
        }
        let trimmed = text.trim_end_matches(' ');
        if trimmed.is_empty() {
            return self.judge(None);
        }
        let value = match &self.kind {
            Kind::Text { class, right, upper } => {
                let value = if *right { trimmed.trim_start_matches(' ') } else { trimmed };
                let value = if *upper { value.to_uppercase() } else { value.to_owned() };
                let admitted = |letter: char| match class {
                    Some(class) => u8::try_from(letter).is_ok_and(|byte| class.admits(byte)),
                    None => true,
                };
                if !value.chars().all(admitted) {
                    return Err(self.expected_instead_of(&value));
                }
                Some(value)
            }
            Kind::Number { form, decimals, .. } => self.number(text, *form, *decimals)?,
            Kind::Date { pattern, .. } => {
                if self.zero_blank && trimmed.bytes().all(|byte| byte == b'0') {
                    None
                } else {
                    Some(pattern.read(trimmed).ok_or_else(|| self.expected())?.to_string())
                }
            }
        };
        self.judge(value)
    }

    fn number(&self, text: &str, form: Form, decimals: Option<usize>) -> Result<Option<String>, String> {
        let number = match form {
            Form::Plain { space_filled } => {
                let digits = if space_filled { text.trim_start_matches(' ') } else { text };
                let valid = digits.bytes().all(|byte| byte.is_ascii_digit());
                valid.then(|| Whole { negative: false, digits: digits.to_owned() })
            }
            Form::Point => Whole::of_amount(text.trim_matches(' '), decimals.unwrap_or_default()),
            Form::Zoned(sign) => unzone(text, sign),
            Form::Packed => None,
        };
        self.value_of(&number.ok_or_else(|| self.expected())?)
    }

    fn of_packed(&self, number: &Whole) -> Result<Option<String>, String> {
        let Kind::Date { pattern, .. } = &self.kind else { return self.value_of(number) };
        let digits = number.in_places(pattern.width()).filter(|_| !number.negative);
        let digits = digits.ok_or_else(|| self.expected())?;
        if self.zero_blank && digits.bytes().all(|digit| digit == b'0') {
            return Ok(None);
        }
        pattern.read(&digits).map(|date| Some(date.to_string())).ok_or_else(|| self.expected())
    }

    fn value_of(&self, number: &Whole) -> Result<Option<String>, String> {
        let Kind::Number { signed, decimals, digits, .. } = self.kind else { return Err(self.expected()) };
        let places = fit(number, digits).filter(|_| signed || !number.negative);
        let places = places.ok_or_else(|| self.expected())?;
        if self.zero_blank && places.bytes().all(|digit| digit == b'0') {
            return Ok(None);
        }
        Ok(Some(match decimals {
            Some(decimals) => number.amount(decimals),
            None => places,
        }))
    }

    /// Whether the value is one that may stand here.
    fn judge(&self, value: Option<String>) -> Result<Option<String>, String> {
        match (&value, &self.values) {
            (None, _) if self.mandatory => Err("a value".to_owned()),
            (Some(text), Some(values)) if values.binary_search(text).is_err() => Err(self.expected()),
            _ => Ok(value),
        }
    }

    /// Writes a value over bytes that are spaces.
    ///
    /// # Errors
    /// What would have fit.
    pub(super) fn write(
        &self,
        value: Option<&str>,
        encoding: Encoding,
        bytes: &mut [u8],
    ) -> Result<(), String> {
        let value = match value {
            Some(value) => value,
            None if self.mandatory => return Err("a value".to_owned()),
            None if self.zero_blank => "0",
            None if self.space_blank => return Ok(()),
            None if self.is_packed() && self.low_blank => {
                bytes.fill(0);
                return Ok(());
            }
            None if self.is_packed() => return Err(self.expected()),
            None => return Ok(()),
        };
        if let Some(number) = self.packed(value)? {
            let signed = matches!(self.kind, Kind::Number { signed: true, .. });
            return pack(&number, signed, bytes).ok_or_else(|| self.expected());
        }
        let text = self.text_of(value)?;
        let length = text.chars().count();
        let start = if self.is_right() { bytes.len().checked_sub(length) } else { Some(0) };
        let start = start.filter(|start| start + length <= bytes.len()).ok_or_else(|| self.expected())?;
        for (byte, letter) in bytes[start..].iter_mut().zip(text.chars()) {
            let encoded = encoding.encode_char(letter);
            *byte = encoded.ok_or_else(|| format!("characters of {encoding}"))?;
        }
        Ok(())
    }

    /// The value as the field gives it back when it is written and read again.
    ///
    /// # Errors
    /// What would have fit.
    pub(super) fn settled(&self, value: &str, encoding: Encoding) -> Result<Option<String>, String> {
        if self.width() == 0 {
            return self.read_text(&self.text_of(value)?);
        }
        let mut bytes = vec![encoding.space(); self.width()];
        self.write(Some(value), encoding, &mut bytes)?;
        self.read(&bytes, encoding)
    }

    fn is_right(&self) -> bool {
        matches!(
            self.kind,
            Kind::Text { right: true, .. }
                | Kind::Number { form: Form::Point | Form::Plain { space_filled: true }, .. }
        )
    }

    fn packed(&self, value: &str) -> Result<Option<Whole>, String> {
        match &self.kind {
            _ if !self.is_packed() => Ok(None),
            Kind::Number { .. } => Ok(Some(self.whole(value)?)),
            _ => Whole::of_amount(&self.text_of(value)?, 0).map(Some).ok_or_else(|| self.expected()),
        }
    }

    /// The number that a value stands for, if it fits.
    fn whole(&self, value: &str) -> Result<Whole, String> {
        let Kind::Number { signed, decimals, digits, .. } = self.kind else { return Err(self.expected()) };
        let number = match decimals {
            Some(decimals) => Whole::of_amount(value, decimals),
            None => Whole::of_amount(value, 0).filter(|_| value.bytes().all(|byte| byte.is_ascii_digit())),
        };
        number
            .filter(|number| (signed || !number.negative) && fit(number, digits).is_some())
            .ok_or_else(|| self.expected())
    }

    /// The characters of a value.
    ///
    /// # Errors
    /// What would have fit.
    pub(super) fn text_of(&self, value: &str) -> Result<String, String> {
        match &self.kind {
            Kind::Text { .. } => {
                let again = self.read_text(value)?;
                if again.as_deref() == Some(value) { Ok(value.to_owned()) } else { Err(self.expected()) }
            }
            Kind::Date { pattern, .. } if value == "0" && self.zero_blank => Ok("0".repeat(pattern.width())),
            Kind::Date { pattern, .. } => {
                let text = Date::from_str(value).ok().and_then(|date| pattern.write(date));
                text.ok_or_else(|| self.expected())
            }
            Kind::Number { form, signed, decimals, digits } => {
                let number = self.whole(value)?;
                let text = match form {
                    Form::Plain { space_filled: true } => Some(Whole { negative: false, ..number }.amount(0)),
                    Form::Plain { .. } | Form::Packed => fit(&number, *digits),
                    Form::Point => Some(number.amount(decimals.unwrap_or_default())),
                    Form::Zoned(sign) => zone(&number, *signed, *sign, self.width()),
                };
                text.ok_or_else(|| self.expected())
            }
        }
    }

    /// What may stand here, said of a text that may not.
    fn expected_instead_of(&self, text: &str) -> String {
        match crate::model::cannot_travel(text, self.secret) {
            Some(reason) if text.bytes().any(|byte| byte.is_ascii_lowercase()) && !self.secret => {
                format!("{reason}; the word upper in the layout turns it")
            }
            Some(reason) => reason,
            None => self.expected(),
        }
    }

    /// What may stand here, in words.
    pub(super) fn expected(&self) -> String {
        if let Some(values) = &self.values
            && values.len() <= NAMED
        {
            return if values.len() == 1 {
                format!("{:?}", values[0])
            } else {
                format!("one of {}", values.join(" "))
            };
        }
        let what = match &self.kind {
            Kind::Date { pattern, .. } => return format!("a date as {}", pattern.name()),
            Kind::Text { class: Some(class), .. } => format!("characters: {}", class.in_words()),
            Kind::Text { class: None, .. } => "characters".to_owned(),
            Kind::Number { form, signed, decimals, digits } => {
                let form = match form {
                    Form::Packed => "packed ",
                    Form::Zoned(_) => "zoned ",
                    Form::Point | Form::Plain { .. } => "",
                };
                let places = decimals.map(|decimals| format!(", {decimals} of them decimals"));
                let sign = if *signed { "" } else { ", without a sign" };
                let most = if *digits == usize::MAX { String::new() } else { format!("at most {digits} ") };
                return format!("{most}{form}digits{}{sign}", places.unwrap_or_default());
            }
        };
        if self.width() == 0 { what } else { format!("at most {} {what}", self.width()) }
    }
}
