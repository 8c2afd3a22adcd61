//! Which headings of chapter 99 a number, an origin and a date need.

use abigate::model::{CountryCode, HtsNumber};
use abigate::tariff::{Standing, Tariff};
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

#[test]
fn a_list_that_the_tables_do_not_hold_requires_nothing() {
    assert_eq!(standing("section_301", "6109100012", "CN", date(2025, 7, 1)), Standing::Allowed);
    assert_eq!(standing("section_301", "6109100012", "VN", date(2025, 7, 1)), Standing::NotAllowed);
}
