//! The values that a field may hold: each class at its edges, and every code.

use abigate::grammar::{ClassSet, DateFormat, Designation, Field, Grammar, Values};

/// Days around the turns of centuries and of the window of two-digit years: year, month, day.
const DAYS: [(u16, u8, u8); 8] = [
    (1970, 1, 1),
    (1999, 12, 31),
    (2000, 1, 1),
    (2000, 2, 29),
    (2024, 2, 29),
    (2026, 8, 3),
    (2069, 12, 31),
    (2068, 2, 29),
];

/// Days that four digits of a year carry besides.
const FAR_DAYS: [(u16, u8, u8); 4] = [(1900, 2, 28), (1969, 12, 31), (2100, 2, 28), (9999, 12, 31)];

/// Every sign of a standard keyboard that class X admits, lower case apart.
const SIGNS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Values as they stand in canonical records; a blank is the empty text.
pub fn values_of(field: &Field) -> Vec<String> {
    let mut values = coded(field).unwrap_or_else(|| of_class(field));
    values.retain(|value| value.len() <= field.cell.width());
    let may_be_blank = field.designation != Designation::Mandatory || field.cell.class().has(ClassSet::SPACE);
    if may_be_blank && !matches!(field.values, Values::Constant(_)) {
        values.push(String::new());
    }
    values
}

/// Values that are right but not as they should be written.
pub fn clumsy(field: &Field) -> Vec<String> {
    let class = field.cell.class();
    let width = field.cell.width();
    if field.holds_date() {
        return of_class(field);
    }
    if class.is_numeric() {
        let mut values = vec![format!("{:>width$}", 0), format!("{:>width$}", 7), "9".repeat(width)];
        if width > 2 {
            values.push(format!("{:>width$}", 42));
        }
        values.push(" ".repeat(width));
        return values;
    }
    if class.has(ClassSet::ALPHABETIC | ClassSet::ALPHANUMERIC | ClassSet::SPECIAL) {
        return vec!["a".to_owned(), "z".repeat(width), "Ab".chars().take(width).collect(), String::new()];
    }
    vec![String::new()]
}

/// Every code that a field may hold, if its codes are known.
fn coded(field: &Field) -> Option<Vec<String>> {
    let mut codes = Vec::new();
    for values in std::iter::once(&field.values).chain(&field.also) {
        match values {
            Values::Any => return None,
            Values::Constant(text) => codes.push(text.clone()),
            Values::OneOf(texts) => codes.extend(texts.iter().cloned()),
            Values::List(name) => {
                // A host's list: any value of the class may be on it.
                let Some(list) = Grammar::builtin().list(name) else { return Some(with_class(field, codes)) };
                codes.extend(list.codes().map(str::to_owned));
            }
        }
    }
    Some(codes)
}

fn with_class(field: &Field, mut codes: Vec<String>) -> Vec<String> {
    codes.extend(of_class(field));
    codes
}

fn of_class(field: &Field) -> Vec<String> {
    let class = field.cell.class();
    let width = field.cell.width();
    if let Some(format) = field.cell.date_format() {
        return days(format);
    }
    if class.is_numeric() {
        let digits = |number: &str| format!("{number:0>width$}");
        let ascending = (0..width).map(|place| char::from(b'1' + (place % 9) as u8)).collect();
        let mut values = vec![digits("0"), digits("1"), "9".repeat(width), digits("5"), ascending];
        if class.has(ClassSet::SIGNED) {
            values.push(format!("{:>width$}", "-1"));
            values.push(format!("-{}", "9".repeat(width - 1)));
            values.push(format!("{:>width$}", "-1234"));
        }
        return values;
    }
    let mut values = Vec::new();
    if class.has(ClassSet::ALPHABETIC | ClassSet::ALPHANUMERIC | ClassSet::SPECIAL) {
        values.extend(["A".to_owned(), "Z".repeat(width)]);
        if width > 2 {
            values.push(format!("A{}Z", " ".repeat(width - 2)));
            values.push(" AZ".to_owned());
        }
    }
    if class.has(ClassSet::ALPHANUMERIC | ClassSet::NUMERIC | ClassSet::SPECIAL) {
        values.extend(["0".to_owned(), "9".repeat(width)]);
    }
    if class.has(ClassSet::SPECIAL) {
        let signs = SIGNS.as_bytes();
        values.extend((0..signs.len()).step_by(width).map(|from| {
            let until = (from + width).min(signs.len());
            String::from_utf8(signs[from..until].to_vec()).unwrap()
        }));
    }
    values
}

fn days(format: DateFormat) -> Vec<String> {
    let four_digits = matches!(format, DateFormat::MonthDayCenturyYear | DateFormat::CenturyYearMonthDay);
    let far = FAR_DAYS.iter().filter(|_| four_digits);
    let text = |&(year, month, day): &(u16, u8, u8)| match format {
        DateFormat::MonthDayYear => format!("{month:02}{day:02}{:02}", year % 100),
        DateFormat::YearMonthDay => format!("{:02}{month:02}{day:02}", year % 100),
        DateFormat::MonthDayCenturyYear => format!("{month:02}{day:02}{year:04}"),
        DateFormat::CenturyYearMonthDay => format!("{year:04}{month:02}{day:02}"),
    };
    DAYS.iter().chain(far).map(text).collect()
}
