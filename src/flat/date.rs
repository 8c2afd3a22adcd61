//! Dates in whatever order a file has them.

use jiff::civil::Date;

/// The order of a date's parts, with the signs between them: `CCYYMMDD`, `MM/DD/YY`, `CYYDDD`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    written: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    /// `CCYY`.
    CenturyAndYear,
    /// `C`: 0 for the years 1900 to 1999, 1 for 2000 to 2099, and so on.
    Century,
    /// `YY`; without a century 00 to 69 are 2000 to 2069, 70 to 99 are 1970 to 1999, as on the wire.
    Year,
    Month,
    Day,
    /// `DDD`: the day of the year.
    DayOfYear,
    Sign(char),
}

const NAMES: [(&str, Part); 6] = [
    ("CCYY", Part::CenturyAndYear),
    ("DDD", Part::DayOfYear),
    ("YY", Part::Year),
    ("MM", Part::Month),
    ("DD", Part::Day),
    ("C", Part::Century),
];

impl Part {
    fn width(self) -> usize {
        NAMES.iter().find(|(_, part)| *part == self).map_or(1, |(name, _)| name.len())
    }
}

impl Pattern {
    /// The pattern that is written so; `None` if it does not name a day once and wholly.
    pub(super) fn new(written: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some(sign) = rest.chars().next() {
            let named = NAMES.iter().find(|(name, _)| rest.starts_with(name));
            let (length, part) = named.map_or((1, Part::Sign(sign)), |(name, part)| (name.len(), *part));
            let is_sign = matches!(part, Part::Sign(_));
            if is_sign && (!sign.is_ascii_punctuation()) || !is_sign && parts.contains(&part) {
                return None;
            }
            parts.push(part);
            rest = &rest[length..];
        }
        let has = |part: Part| parts.contains(&part);
        let year = has(Part::CenturyAndYear) != has(Part::Year) && (!has(Part::Century) || has(Part::Year));
        let day = has(Part::DayOfYear) != has(Part::Day) && has(Part::Month) == has(Part::Day);
        (year && day).then(|| Self { parts, written: written.to_owned() })
    }

    /// How a grammar file names it.
    pub(super) fn name(&self) -> &str {
        &self.written
    }

    /// How many characters a date has.
    pub(super) fn width(&self) -> usize {
        self.written.len()
    }

    /// Whether there are digits only.
    pub(super) fn is_numeric(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part, Part::Sign(_)))
    }

    /// The date that a text is.
    pub(super) fn read(&self, text: &str) -> Option<Date> {
        if text.len() != self.width() || !text.is_ascii() {
            return None;
        }
        let (mut century, mut year, mut month, mut day, mut day_of_year) = (None, 0, 1, 1, None);
        let mut at = 0;
        for part in &self.parts {
            let digits = &text[at..at + part.width()];
            at += part.width();
            if let Part::Sign(sign) = part {
                if !digits.starts_with(*sign) {
                    return None;
                }
                continue;
            }
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let number = digits.parse::<i16>().ok()?;
            match part {
                Part::CenturyAndYear => (century, year) = (Some(number / 100), number % 100),
                Part::Century => century = Some(19 + number),
                Part::Year => year = number,
                Part::Month => month = i8::try_from(number).ok()?,
                Part::Day => day = i8::try_from(number).ok()?,
                Part::DayOfYear => day_of_year = Some(number),
                Part::Sign(_) => {}
            }
        }
        let century = century.unwrap_or(if year < 70 { 20 } else { 19 });
        let first = Date::new(century * 100 + year, month, day).ok()?;
        match day_of_year {
            None => Some(first),
            Some(number) => first.with().day_of_year(number).build().ok(),
        }
    }

    /// The date as text; `None` for a year that the pattern cannot tell.
    pub(super) fn write(&self, date: Date) -> Option<String> {
        let text = self.parts.iter().fold(String::new(), |text, part| match part {
            Part::CenturyAndYear => format!("{text}{:04}", date.year()),
            Part::Century => format!("{text}{}", date.year() / 100 - 19),
            Part::Year => format!("{text}{:02}", date.year() % 100),
            Part::Month => format!("{text}{:02}", date.month()),
            Part::Day => format!("{text}{:02}", date.day()),
            Part::DayOfYear => format!("{text}{:03}", date.day_of_year()),
            Part::Sign(sign) => format!("{text}{sign}"),
        });
        (self.read(&text) == Some(date)).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_in_many_orders() {
        let day = date(2026, 8, 3);
        for (pattern, text) in [
            ("MMDDYY", "080326"),
            ("CCYYMMDD", "20260803"),
            ("MM/DD/YY", "08/03/26"),
            ("CCYY-MM-DD", "2026-08-03"),
            ("YYDDD", "26215"),
            ("CCYYDDD", "2026215"),
            ("CYYMMDD", "1260803"),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(pattern.write(day).as_deref(), Some(text));
            assert_eq!(pattern.read(text), Some(day));
        }
    }

    #[test]
    fn patterns_name_a_day_once() {
        for wrong in ["", "MMDD", "YYMM", "CCYYYYMMDD", "MMDDYYMM", "YYMMDDD", "YYxDDD", "CMMDD"] {
            assert_eq!(Pattern::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_day_is_no_date() {
        for (pattern, text) in [
            ("MMDDYY", "023026"),
            ("MMDDYY", "08032"),
            ("YYDDD", "26366"),
            ("MM/DD/YY", "08-03-26"),
            ("CCYYMMDD", "2026+803"),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().read(text), None, "{text}");
        }
        assert_eq!(Pattern::new("MMDDYY").unwrap().write(date(1969, 1, 1)), None);
        assert_eq!(Pattern::new("CYYMMDD").unwrap().write(date(1899, 1, 1)), None);
    }
}
