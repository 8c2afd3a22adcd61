//! Properties that hold whatever the facts are.

use std::sync::LazyLock;

use abigate::grammar::Grammar;
use abigate::model::{Code, CountryCode, HtsNumber};
use abigate::tariff::{
    Amount, Assessment, Dates, LineFacts, Rate, Sources, SummaryFacts, Tariff, TariffFacts, Units,
};
use jiff::civil::Date;
use proptest::prelude::*;
use rust_decimal::Decimal;

const ROWS: &str = "version\ttest\tproperties
number\tfrom\tgeneral\tcolumn_2\tunits
03010001\t2020-01-01\t12.5 cents/kg but not less than 8%\t20%\tKG
03010002\t2020-01-01\t9% but not less than 4 cents/kg nor more than 12 cents/kg\t20%\tKG
03010003\t2020-01-01\t33 1/3%\t20%\tKG
03010004\t2020-01-01\tcode A: advalorem 0.05 other 0.002\t20%\tKG NO DEG
";

static TARIFF: LazyLock<Tariff> = LazyLock::new(|| {
    let mut tariff = Tariff::new(&Sources::builtin(), Grammar::builtin()).unwrap();
    tariff.add_schedule(ROWS).unwrap();
    tariff
});

const NUMBERS: [&str; 14] = [
    "3924104000",
    "4202929700",
    "2204215040",
    "22043000",
    "24021030",
    "64021950",
    "65050008",
    "1701121000",
    "8504409580",
    "76061230",
    "03010001",
    "03010002",
    "03010003",
    "03010004",
];
const HEADINGS: [&str; 12] = [
    "99038801", "99030124", "99030125", "99030220", "99030219", "99038187", "99030133", "99030301",
    "99030177", "99030209", "99030132", "99034525",
];
const ORIGINS: [&str; 8] = ["CN", "DE", "VN", "BR", "RU", "IL", "KH", "XO"];

fn number(text: &str) -> HtsNumber {
    HtsNumber::new(text).unwrap()
}

fn quantity(amount: u32, unit: &str) -> Option<Amount> {
    Some(Amount { amount: Decimal::new(i64::from(amount), 2), unit: Some(Code::new(unit).unwrap()) })
}

/// A commodity with its quantities in all units that the rates may ask for.
fn commodity(hts: &str, value: u32, first: u32, second: u32) -> TariffFacts {
    let mut facts = TariffFacts::new(number(hts), value.into());
    let units = match hts {
        "2204215040" => ["L", "NO", "M"],
        "22043000" => ["L", "PFL", "M"],
        "24021030" => ["K", "KG", "M"],
        "64021950" => ["PRS", "KG", "M"],
        "1701121000" => ["KG", "DEG", "M"],
        "03010004" => ["KG", "NO", "DEG"],
        _ => ["NO", "KG", "M"],
    };
    let degrees = |unit: &str, amount: u32| if unit == "DEG" { amount % 10_000 } else { amount };
    facts.quantities = [
        quantity(degrees(units[0], first), units[0]),
        quantity(degrees(units[1], second), units[1]),
        quantity(degrees(units[2], 700), units[2]),
    ];
    facts
}

fn summary(lines: Vec<LineFacts>, day: i32) -> SummaryFacts {
    let date = Date::constant(2025, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
    SummaryFacts {
        entry_type: Some(Code::new("01").unwrap()),
        mode: Some(Code::new("11").unwrap()),
        dates: Dates { entry: Some(date), ..Dates::received(date) },
        consolidated: false,
        consolidated_express: false,
        express_port: false,
        manual: false,
        lines,
    }
}

fn line(origin: &str, headings: &[&str], commodity: TariffFacts) -> LineFacts {
    let headings = headings.iter().map(|heading| TariffFacts::new(number(heading), Decimal::ZERO));
    LineFacts::new(CountryCode::new(origin).unwrap(), headings.chain([commodity]).collect())
}

fn duty(assessment: &Assessment) -> Decimal {
    assessment.totals.duty
}

fn headings() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(HEADINGS.to_vec(), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// More value never means less duty under one rate, nor less fee.
    #[test]
    fn more_value_is_not_less_duty(
        hts in proptest::sample::select(NUMBERS.to_vec()), origin in proptest::sample::select(ORIGINS.to_vec()),
        headings in headings(), value in 0u32..2_000_000, more in 0u32..500_000,
        first in 0u32..9_000_000, second in 0u32..9_000_000, day in 0i32..700,
    ) {
        let of = |value| {
            let facts = summary(vec![line(origin, &headings, commodity(hts, value, first, second))], day);
            TARIFF.assess(&facts)
        };
        let (less, greater) = (of(value), of(value + more));
        prop_assert!(duty(&less) <= duty(&greater), "{less:?} {greater:?}");
        prop_assert!(less.totals.fees <= greater.totals.fees);
    }

    /// A line that is split in two owes what it owed in one, but for half a cent a rounding, and for what
    /// comes to less than a cent, which is zero. Bounds and degrees are no matter of a split: the parts have
    /// the same degrees, and bounds go with the quantity.
    #[test]
    fn a_split_line_sums_to_the_whole(
        hts in proptest::sample::select(NUMBERS[..10].to_vec()), origin in proptest::sample::select(ORIGINS.to_vec()),
        headings in headings(), one in 0u32..1_000_000, two in 0u32..1_000_000,
        first in [0u32..4_000_000, 0u32..4_000_000], second in [0u32..4_000_000, 0u32..4_000_000], day in 0i32..700,
    ) {
        let degrees = hts == "1701121000";
        let second = if degrees { [second[0], second[0]] } else { second };
        let whole_second = if degrees { second[0] } else { second[0] + second[1] };
        let assess = |lines| TARIFF.assess(&summary(lines, day));
        let whole = assess(vec![line(origin, &headings, commodity(hts, one + two, first[0] + first[1], whole_second))]);
        let parts = assess(vec![
            line(origin, &headings, commodity(hts, one, first[0], second[0])),
            line(origin, &headings, commodity(hts, two, first[1], second[1])),
        ]);
        let numbers = Decimal::from(headings.len() + 1);
        let tolerance = numbers * Decimal::new(25, 3);
        prop_assert!((duty(&whole) - duty(&parts)).abs() <= tolerance, "{whole:?} {parts:?}");
    }

    /// A heading that is removed and put back changes nothing; one that is exempt changes nothing anyway.
    #[test]
    fn removing_and_restoring_a_heading_is_identity(
        hts in proptest::sample::select(NUMBERS.to_vec()), origin in proptest::sample::select(ORIGINS.to_vec()),
        headings in headings(), value in 0u32..2_000_000, day in 0i32..700,
    ) {
        let facts = summary(vec![line(origin, &headings, commodity(hts, value, 1_000, 2_000))], day);
        let before = TARIFF.explain(&facts);
        for removed in &headings {
            let mut less = facts.without(|heading| heading == number(removed));
            let without = TARIFF.assess(&less);
            let place = headings.iter().position(|heading| heading == removed).unwrap();
            less.lines[0].tariffs.insert(place, TariffFacts::new(number(removed), Decimal::ZERO));
            prop_assert_eq!(&TARIFF.explain(&less), &before);
            // An addition goes with its heading; a replacement gives the normal duty back.
            let own = before.lines[0].duties[place];
            let replaces = TARIFF.headings().periods(number(removed)).iter()
                .any(|heading| heading.kind == abigate::tariff::HeadingKind::Replace);
            if !replaces {
                prop_assert_eq!(duty(&before) - own, duty(&without));
            }
        }
        let stripped = TARIFF.without_ieepa(&facts);
        prop_assert_eq!(TARIFF.without_ieepa(&stripped), stripped);
    }

    /// A rate is read from any text without a panic, and a text that is not understood says where.
    #[test]
    fn any_text_is_a_rate_or_says_where_not(text in "[0-9$.%/+ a-zA-Z\u{a2}()]{0,60}") {
        let units = Units::default();
        if let Rate::Unread(error) = Rate::parse(&text, &units) {
            prop_assert!(error.at <= text.chars().count() + 1);
        }
    }

    /// Facts of any size never stop the program.
    #[test]
    fn facts_of_any_size_are_computed_or_refused(
        hts in proptest::sample::select(NUMBERS.to_vec()), value in any::<i128>(), amount in any::<i64>(),
        scale in 0u32..20, headings in headings(), day in 0i32..700,
    ) {
        let value = Decimal::try_from_i128_with_scale(value >> 32, scale).unwrap_or_default();
        let mut commodity = commodity(hts, 1, 1, 1);
        commodity.value = value;
        for quantity in commodity.quantities.iter_mut().flatten() {
            quantity.amount = Decimal::new(amount, 2);
        }
        let _ = TARIFF.explain(&summary(vec![line("CN", &headings, commodity)], day));
    }
}
