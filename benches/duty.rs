//! Duty and fees: `cargo bench --bench duty`.
//!
//! `lines` computes lines with three chapter 99 headings each, in a schedule of 30,000 numbers.
//! `decimal_arithmetic` does nothing but the products, roundings and sums of the same lines; the last line of the
//! report is its time over that of `lines`, the share of decimal arithmetic. `load` reads that schedule from its text;
//! the memory it takes stands in the column of the most that was allocated.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use abigate::model::{Code, CountryCode, HtsNumber};
use abigate::tariff::{
    Amount, Dates, LineFacts, SummaryFacts, TableError, Tariff, TariffFacts, round_to_cents,
};
use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use jiff::civil::Date;
use rust_decimal::Decimal;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Numbers in the schedule: as many as the published one has, with suffixes.
const NUMBERS: u32 = 30_000;
/// Lines of a summary, at most 998 by the chapter.
const LINES: u32 = 998;

fn main() {
    divan::main();
    // Only where benches are measured, and not where they are tried or listed.
    if std::env::args().any(|argument| argument == "--bench") {
        print_share();
    }
}

/// The share of decimal arithmetic: the shortest of several turns of each, one after the other.
fn print_share() {
    let (Some(facts), Ok(tariff)) = (facts(), TARIFF.as_ref()) else { return };
    let amounts = Amounts::of(&facts);
    let shortest = |run: &dyn Fn()| (0..TURNS).map(|_| timed(run)).min().unwrap_or_default();
    let whole = shortest(&|| {
        black_box(tariff.assess(black_box(&facts)));
    });
    let decimal = shortest(&|| {
        black_box(amounts.compute());
    });
    let share = 100.0 * decimal.as_secs_f64() / whole.as_secs_f64();
    println!(
        "decimal arithmetic: {share:.0}% of the time of lines ({:.0} of {:.0} ns a line)",
        decimal.as_secs_f64() * 1e9 / f64::from(LINES),
        whole.as_secs_f64() * 1e9 / f64::from(LINES),
    );
}

/// Turns of which the shortest counts.
const TURNS: u32 = 200;

fn timed(run: &dyn Fn()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// A schedule with rates of all common kinds, every number with a suffix of its own.
fn schedule() -> String {
    let rates = [
        "3.4%",
        "Free",
        "41 cents/kg + 16.3%",
        "17.6%",
        "6.3 cents/liter",
        "$1.89/kg",
        "2.5%",
        "96 cents/doz. + 1.4%",
    ];
    let mut text = "version\tbench\tmade up\nnumber\tfrom\tto\tgeneral\tspecial\tcolumn_2\tunits\tad\tcv\tagencies\tdescription\n".to_owned();
    for index in 0..NUMBERS / 2 {
        let (number, rate) = (1_010_000 + index * 61, rates[index as usize % rates.len()]);
        let special =
            format!("Free (A,AU,BH,CL,CO,E,IL,JO,MA,OM,P,PA,PE,S,SG) {}.{}% (KR)", index % 9, index % 7);
        let _ = writeln!(
            text,
            "{number:08}\t2020-07-01\t2050-12-31\t{rate}\t{special}\t{}%\tNO KG\t\t\t\tArticles of kind {index}",
            20 + index % 60
        );
        let _ = writeln!(
            text,
            "{number:08}{:02}\t2020-07-01\t2030-12-31\t\t\t\tNO KG\tY\t\tAM7 FD{}\tArticles of kind {index}, other",
            index % 100,
            index % 5
        );
    }
    text
}

static SCHEDULE: LazyLock<String> = LazyLock::new(schedule);
static TARIFF: LazyLock<Result<Tariff, TableError>> = LazyLock::new(loaded);

/// The tariff with the large schedule.
fn loaded() -> Result<Tariff, TableError> {
    let mut tariff = Tariff::builtin()?.clone();
    tariff.add_schedule(black_box(&SCHEDULE))?;
    Ok(tariff)
}

/// Lines of Chinese goods with Section 301 and both IEEPA headings.
fn facts() -> Option<SummaryFacts> {
    let number = |text: &str| HtsNumber::new(text).ok();
    let date = Date::constant(2025, 7, 1);
    let origin = CountryCode::new("CN").ok()?;
    let headings = ["99038801", "99030124", "99030125"];
    let headings =
        headings.into_iter().map(|heading| Some(TariffFacts::new(number(heading)?, Decimal::ZERO)));
    let headings = headings.collect::<Option<Vec<_>>>()?;
    let mut lines = Vec::new();
    for index in 0..LINES {
        // Numbers with a plain ad valorem rate, from all over the schedule.
        let place = index * 8 * 1_873 % (NUMBERS / 2) / 8 * 8;
        let digits = format!("{:08}{:02}", 1_010_000 + place * 61, place % 100);
        let mut commodity = TariffFacts::new(number(&digits)?, Decimal::from(1_000 + index * 37));
        let quantity = |amount: u32, unit| Some(Amount { amount: amount.into(), unit: Code::new(unit).ok() });
        commodity.quantities = [quantity(index + 1, "NO"), quantity(3 * index + 1, "KG"), None];
        lines.push(LineFacts::new(origin, headings.iter().cloned().chain([commodity]).collect()));
    }
    Some(SummaryFacts {
        entry_type: Code::new("01").ok(),
        mode: Code::new("11").ok(),
        dates: Dates { entry: Some(date), ..Dates::received(date) },
        consolidated: false,
        consolidated_express: false,
        express_port: false,
        manual: false,
        lines,
    })
}

#[divan::bench]
fn lines(bencher: Bencher<'_, '_>) {
    let (Some(facts), Ok(tariff)) = (facts(), TARIFF.as_ref()) else { return };
    let problems = tariff.assess(&facts).problems;
    assert!(problems.is_empty(), "{:?}", problems.first());
    bencher.counter(ItemsCount::new(LINES)).bench(|| tariff.assess(black_box(&facts)));
}

/// With every step in words.
#[divan::bench]
fn lines_explained(bencher: Bencher<'_, '_>) {
    let (Some(facts), Ok(tariff)) = (facts(), TARIFF.as_ref()) else { return };
    bencher.counter(ItemsCount::new(LINES)).bench(|| tariff.explain(black_box(&facts)));
}

/// The values of the lines and the rates that they are multiplied with.
struct Amounts {
    values: Vec<Decimal>,
    /// The normal duty and three headings.
    rates: [Decimal; 4],
    /// The processing fee and the harbor fee.
    fees: [Decimal; 2],
}

impl Amounts {
    fn of(facts: &SummaryFacts) -> Self {
        Self {
            values: facts.lines.iter().map(LineFacts::value).collect(),
            rates: [34, 250, 200, 100].map(|rate| Decimal::new(rate, 3)),
            fees: [Decimal::new(3_464, 6), Decimal::new(125, 5)],
        }
    }

    fn compute(&self) -> (Decimal, [Decimal; 2]) {
        let (mut duty, mut fee) = (Decimal::ZERO, [Decimal::ZERO; 2]);
        for value in black_box(&self.values) {
            let mut line = Decimal::ZERO;
            for rate in black_box(&self.rates) {
                line += round_to_cents(Decimal::ZERO + value * rate);
            }
            duty += line;
            for (total, rate) in fee.iter_mut().zip(black_box(&self.fees)) {
                *total += round_to_cents(value * rate);
            }
        }
        (duty, fee)
    }
}

#[divan::bench]
fn decimal_arithmetic(bencher: Bencher<'_, '_>) {
    let Some(facts) = facts() else { return };
    let amounts = Amounts::of(&facts);
    bencher.counter(ItemsCount::new(LINES)).bench(|| amounts.compute());
}

#[divan::bench]
fn load(bencher: Bencher<'_, '_>) {
    LazyLock::force(&SCHEDULE);
    bencher.counter(ItemsCount::new(NUMBERS)).bench(loaded);
}
