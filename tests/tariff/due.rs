//! Which headings of chapter 99 a number, an origin and a date need.

use abigate::model::{Code, CountryCode, HtsNumber, SetRole};
use abigate::tariff::{Dates, LineFacts, Standing, SummaryFacts, Tariff, TariffFacts};
use jiff::civil::{Date, date};

fn number(text: &str) -> HtsNumber {
    HtsNumber::new(text).unwrap()
}

fn standing(programme: &str, article: &str, origin: &str, day: Date) -> Standing {
    let tariff = Tariff::builtin().unwrap();
    let dues = tariff.headings_due(number(article), CountryCode::new(origin).unwrap(), day);
    let named = |name| tariff.headings().programmes().iter().position(|one| one.name == name).unwrap();
    dues.iter().find(|due| due.programme == named(programme)).unwrap().standing
}

#[test]
fn a_programme_for_all_articles_requires_a_heading_in_its_dates_and_countries() {
    assert_eq!(standing("fentanyl_cn", "6109100012", "CN", date(2025, 7, 1)), Standing::Required);
    assert_eq!(standing("fentanyl_cn", "6109100012", "VN", date(2025, 7, 1)), Standing::NotAllowed);
    assert_eq!(standing("fentanyl_cn", "6109100012", "CN", date(2025, 2, 3)), Standing::NotAllowed);
    assert_eq!(standing("reciprocal", "6109100012", "VN", date(2025, 7, 1)), Standing::Required);
}

#[test]
fn a_listed_article_requires_the_heading_and_another_may_not_have_it() {
    let day = date(2025, 7, 1);
    assert_eq!(standing("section_232", "8703230140", "JP", day), Standing::Required);
    let standing = |article, day| {
        let japan = CountryCode::new("JP").unwrap();
        Tariff::builtin().unwrap().heading_standing(number("99039401"), number(article), japan, day)
    };
    assert_eq!(standing("8703230140", day), Some(Standing::Required));
    assert_eq!(standing("6109100012", day), Some(Standing::NotAllowed));
    assert_eq!(standing("8703230140", date(2025, 4, 2)), Some(Standing::NotAllowed));
}

/// The tariff with an export whose footnotes refer to headings.
fn with_footnotes(from: &str) -> Tariff {
    let export = r#"[
 {"htsno":"6109.10.00","indent":"1","general":"16.5%","other":"90%","footnotes":[{"columns":["general"],"value":"See 9903.88.15.","type":"endnote"}]},
 {"htsno":"6109.10.00.12","indent":"2","general":"","other":"","footnotes":[]},
 {"htsno":"6109.90.10","indent":"1","general":"32%","other":"90%","footnotes":[]}
]"#;
    let tariff = Tariff::builtin().unwrap();
    let read = abigate::tariff::import(tariff, "export", export.as_bytes(), from.parse().ok()).unwrap();
    let mut text = Vec::new();
    abigate::tariff::write_schedule(&read.version, &read.rows, &mut text).unwrap();
    let mut tariff = tariff.clone();
    tariff.add_schedule(std::str::from_utf8(&text).unwrap()).unwrap();
    tariff
}

#[test]
fn a_footnote_of_the_schedule_requires_its_heading_from_its_day() {
    let tariff = with_footnotes("2025-01-01");
    let standing = |article, origin, day| {
        let dues = tariff.headings_due(number(article), CountryCode::new(origin).unwrap(), day);
        let named = tariff.headings().programmes().iter().position(|one| one.name == "section_301").unwrap();
        dues.iter().find(|due| due.programme == named).unwrap().standing
    };
    let day = date(2025, 7, 1);
    assert_eq!(standing("6109100012", "CN", day), Standing::Required);
    assert_eq!(standing("6109100012", "VN", day), Standing::NotAllowed);
    assert_eq!(standing("6109901000", "CN", day), Standing::Allowed);
    assert_eq!(standing("6109100012", "CN", date(2024, 12, 31)), Standing::Allowed);
    let china = CountryCode::new("CN").unwrap();
    let of_heading = tariff.heading_standing(number("99038815"), number("6109100012"), china, day);
    assert_eq!(of_heading, Some(Standing::Required));
}

#[test]
fn lists_of_the_tables_require_and_a_part_of_a_list_forbids_nothing() {
    let day = date(2025, 7, 1);
    // List 3 of section 301 names static converters, the tables hold a part of list 4A.
    assert_eq!(standing("section_301", "8504409570", "CN", day), Standing::Required);
    assert_eq!(standing("section_301", "6109100012", "CN", day), Standing::Allowed);
    // The list of steel is whole.
    assert_eq!(standing("section_232", "7210490091", "DE", day), Standing::Required);
    let of = |heading, article, origin| {
        let origin = CountryCode::new(origin).unwrap();
        Tariff::builtin().unwrap().heading_standing(number(heading), number(article), origin, day)
    };
    assert_eq!(of("99038187", "6109100012", "DE"), Some(Standing::NotAllowed));
    assert_eq!(of("99038187", "7210490091", "GB"), Some(Standing::NotAllowed));
    assert_eq!(of("99038194", "7210490091", "GB"), Some(Standing::Required));
    assert_eq!(of("99038815", "6109100012", "CN"), Some(Standing::Allowed));
    // 7216.61, .69 and .91 are not in the list, 7216.99 is.
    assert_eq!(of("99038187", "7216990000", "DE"), Some(Standing::Required));
    assert_eq!(of("99038187", "7216910000", "DE"), Some(Standing::NotAllowed));
}

fn line(origin: &str, numbers: &[&str]) -> LineFacts {
    let facts = numbers.iter().map(|digits| TariffFacts::new(number(digits), 1_000.into()));
    LineFacts::new(CountryCode::new(origin).unwrap(), facts.collect())
}

#[test]
fn a_summary_is_told_what_it_lacks() {
    let day = date(2025, 7, 1);
    let mut facts = SummaryFacts {
        entry_type: Code::new("01").ok(),
        mode: Code::new("40").ok(),
        dates: Dates { entry: Some(day), ..Dates::received(day) },
        consolidated: false,
        consolidated_express: false,
        express_port: false,
        manual: false,
        lines: vec![
            line("CN", &["99038803", "99030124", "8504409570"]),
            line("DE", &["99039401", "99030125", "6109100012"]),
            line("CN", &["9801001053", "8504409570"]),
        ],
    };
    let tariff = Tariff::builtin().unwrap();
    let told = |facts: &SummaryFacts| {
        let dues = tariff.headings_of(facts);
        let wrong = dues.iter().filter(|due| due.is_wrong());
        wrong.map(|due| (due.line, due.programme.clone(), due.missing)).collect::<Vec<_>>()
    };
    let word = str::to_owned;
    assert_eq!(told(&facts), [(1, word("reciprocal"), true), (2, word("section_232"), false)]);
    facts.lines.remove(1);
    facts.lines[0] = line("CN", &["99038803", "99030124", "99030132", "8504409570"]);
    assert_eq!(told(&facts), []);
    // A product exclusion stands in place of a heading of section 232.
    let mut steel = facts.clone();
    steel.lines = vec![line("DE", &["99030133", "7210490091"])];
    assert_eq!(told(&steel), [(1, word("section_232"), true)]);
    steel.lines[0].excluded = true;
    assert_eq!(told(&steel), []);
    // Nothing is missing where nothing is owed.
    facts.lines[0] = line("CN", &["8504409570"]);
    assert_eq!(told(&facts).len(), 3);
    facts.lines[0].set_role = Some(SetRole::Component);
    assert_eq!(told(&facts), []);
}

#[test]
fn a_list_that_the_tables_do_not_hold_requires_nothing() {
    assert_eq!(standing("section_301", "6109100012", "CN", date(2025, 7, 1)), Standing::Allowed);
    assert_eq!(standing("section_301", "6109100012", "VN", date(2025, 7, 1)), Standing::NotAllowed);
}
