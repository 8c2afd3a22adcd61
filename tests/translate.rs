//! Entry summary filings there and back: whatever the structure map allows, with canonical values,
//! survives decoding and encoding, byte for byte; and so does the model, and its JSON.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use abigate::grammar::{
    Automaton, ClassSet, Cursor, DateFormat, Direction, Field, Grammar, Layout, Symbol, Values,
};
use abigate::message::{Assembler, Identifier, Transaction};
use abigate::model::EntrySummaryFiling;
use abigate::translate::EntrySummaryCodec;
use abigate::wire::Columns;
use proptest::prelude::*;

struct Bench {
    grammar: &'static Grammar,
    automaton: &'static Automaton,
    codec: EntrySummaryCodec,
}

impl Bench {
    fn new() -> Self {
        let grammar = Grammar::builtin();
        let (_, automaton) = grammar.structure("AE", Direction::Input).unwrap();
        Self { grammar, automaton, codec: EntrySummaryCodec::new(grammar).unwrap() }
    }

    fn assemble(&self, rows: &[Columns]) -> Transaction {
        let identifier = Identifier::new(self.grammar, "AE", Direction::Input, self.automaton);
        let mut assembler = Assembler::new(identifier, self.automaton);
        let mut finished = None;
        for (number, row) in rows.iter().enumerate() {
            let pushed = assembler.push(row, number as u64 + 1, &mut finished);
            pushed.unwrap_or_else(|fault| panic!("{fault} at {number}:\n{}", shown(rows)));
        }
        assert!(finished.is_none());
        assembler.finish().unwrap().unwrap()
    }

    fn decode(&self, rows: &[Columns]) -> EntrySummaryFiling {
        let filing = self.codec.decode(&self.assemble(rows));
        filing.unwrap_or_else(|problems| panic!("{}\n{}", problems[0], shown(rows)))
    }

    fn layouts(&self, record: &str) -> Vec<&'static Layout> {
        let own: Vec<_> = self.grammar.variants("AE", Direction::Input, record).collect();
        if own.is_empty() { self.grammar.variants("PGA", Direction::Input, record).collect() } else { own }
    }
}

fn shown(rows: &[Columns]) -> String {
    rows.iter().map(|row| String::from_utf8_lossy(row).into_owned() + "|\n").collect()
}

/// A source of choices that proptest can shrink.
struct Choices<'a> {
    bytes: std::slice::Iter<'a, u16>,
}

impl Choices<'_> {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or_default()) % limit
    }
}

/// Fields whose model type is narrower than the class: a few good values each.
fn known_values(name: &str) -> Option<&'static [&'static str]> {
    let name = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '_');
    Some(match name {
        "importer_of_record_number" | "consignee_number" | "designated_notify_party_number" => {
            &["123-45-6789", "12-3456789", "12-3456789AB", "120199-12345", "000000000000"]
        }
        "entry_filer_code" | "release_entry_filer_code" | "associated_warehouse_entry_filer_code" => {
            &["B76", "9Z9"]
        }
        "entry_number" | "release_entry_number" | "associated_warehouse_entry_number" => {
            &["03245278", "00000007"]
        }
        "supplier_id_code" => &["CNABCTRA123SHE", "XQABCTRA"],
        "hts_number" | "current_hts_number_for_pf_status_merchandise" => &["6109100012", "99030125"],
        "case_number" => &["A570084000", "C570085001"],
        "country_of_origin_code" => &["CN", "**"],
        name if name.ends_with("country_code") || name.contains("country_of_") => &["CN", "KR", "XQ"],
        name if name.contains("district_port") || name == "designated_exam_port_code" => &["2704", "0101"],
        "foreign_port_of_lading_code" => &["57035"],
        _ => return None,
    })
}

fn digits(choices: &mut Choices<'_>, width: usize) -> String {
    (0..width).map(|_| char::from(b'0' + choices.below(10) as u8)).collect()
}

fn date(choices: &mut Choices<'_>, format: DateFormat) -> String {
    let (month, day) = (choices.below(12) + 1, choices.below(28) + 1);
    let year = 1970 + choices.below(100);
    match format {
        DateFormat::MonthDayYear => format!("{month:02}{day:02}{:02}", year % 100),
        DateFormat::MonthDayCenturyYear => format!("{month:02}{day:02}{year}"),
        DateFormat::CenturyYearMonthDay => format!("{year}{month:02}{day:02}"),
    }
}

/// A canonical value of a field that is not blank.
fn value(choices: &mut Choices<'_>, record: &str, field: &Field) -> String {
    let cell = field.cell;
    let dated = cell.date_format();
    let numeric = cell.class().is_numeric();
    match (&field.values, known_values(&field.name)) {
        (Values::Constant(text), _) => text.clone(),
        (Values::OneOf(texts), _) => texts[choices.below(texts.len())].clone(),
        (_, Some(known)) if !record.starts_with("PG") => known[choices.below(known.len())].to_owned(),
        _ if dated.is_some() => date(choices, dated.unwrap()),
        _ if numeric => digits(choices, cell.width()),
        _ => {
            let sets: &[u8] = if cell.class().has(ClassSet::SPECIAL) {
                b"ABCXYZ019-/,.&"
            } else if cell.class().has(ClassSet::ALPHANUMERIC | ClassSet::NUMERIC) {
                b"ABCXYZ0123456789"
            } else {
                b"ABCDEFXYZ"
            };
            let length = 1 + choices.below(cell.width());
            (0..length).map(|_| char::from(sets[choices.below(sets.len())])).collect()
        }
    }
}

/// A record of canonical values; fields of a numbered row all stand, so that rows are full.
fn record(choices: &mut Choices<'_>, layout: &Layout) -> Columns {
    let mut columns = layout.blank();
    let party = choices.below(4);
    for field in layout.fields.iter().filter(|field| !field.is_filler()) {
        let numbered =
            field.name.ends_with(|last: char| last.is_ascii_digit()) || field.name.contains("range_");
        let mandatory = field.designation == abigate::grammar::Designation::Mandatory;
        let row = numbered && !layout.record.starts_with("PG");
        let text = match (layout.record.as_str(), field.name.as_str()) {
            ("47", "article_party_type_code") => ["M", "C", "S", "E"][party].to_owned(),
            ("47", "article_party_identifier") => {
                ["CNABCTRA123SHE", "12-3456789", "123-45-6789", "KRSAMPLE"][party].to_owned()
            }
            ("54", "importers_additional_declaration_type_code") if layout.variant.is_empty() => {
                "77".to_owned()
            }
            ("PG00", "substitution_indicator") => continue,
            _ if !mandatory && !row && choices.below(2) == 0 => continue,
            (id, _) => value(choices, id, field),
        };
        field
            .cell
            .put_text(&mut columns, &text)
            .unwrap_or_else(|error| panic!("{} {}: {error}", layout.record, field.name));
    }
    columns
}

/// A transaction along a random way through the structure map, biased towards new kinds of records.
fn walk(bench: &Bench, choices: &mut Choices<'_>, length: usize) -> Vec<Columns> {
    let symbols: Vec<Symbol> = bench
        .automaton
        .records()
        .flat_map(|id| bench.automaton.symbols_of(id).map(|(symbol, _)| symbol))
        .collect();
    let mut cursor = Cursor::default();
    let mut rows: Vec<Columns> = Vec::new();
    let mut complete = 0;
    while rows.len() < length {
        let mut ways = Vec::new();
        for &symbol in &symbols {
            let mut ahead = cursor.clone();
            let fits = ahead.step(bench.automaton, symbol).is_ok();
            let begins_another = bench.automaton.record(symbol) == "10" && !rows.is_empty();
            if fits && !begins_another {
                ways.push((symbol, ahead));
            }
        }
        if ways.is_empty() {
            break;
        }
        let (symbol, ahead) = ways.swap_remove(choices.below(ways.len()));
        let id = bench.automaton.record(symbol);
        let layouts = bench.layouts(id);
        let layout = layouts[choices.below(layouts.len())];
        let mut columns = record(choices, layout);
        let mark = bench.automaton.symbols_of(id).find(|(own, _)| *own == symbol).and_then(|(_, mark)| mark);
        if let Some(mark) = mark {
            layout.cell(&mark.field).unwrap().put_text(&mut columns, &mark.value).unwrap();
        }
        rows.push(columns);
        cursor = ahead;
        if cursor.finish(bench.automaton).is_ok() {
            complete = rows.len();
        }
    }
    rows.truncate(complete);
    rows
}

fn there_and_back(bench: &Bench, rows: &[Columns]) {
    let filing = bench.decode(rows);
    let encoded = bench.codec.encode(&filing).unwrap_or_else(|problem| panic!("{problem}\n{}", shown(rows)));
    assert_eq!(shown(&encoded), shown(rows));
    assert_eq!(bench.decode(&encoded), filing);
    let json = filing.to_json().unwrap();
    let again = EntrySummaryFiling::from_json(&json).unwrap_or_else(|error| panic!("{error}\n{json}"));
    assert_eq!(again, filing, "{json}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_way_through_the_structure_map_survives(seed in proptest::collection::vec(any::<u16>(), 200..6000)) {
        let bench = Bench::new();
        let mut choices = Choices { bytes: seed.iter() };
        let rows = walk(&bench, &mut choices, 60);
        if !rows.is_empty() {
            there_and_back(&bench, &rows);
        }
    }
}

/// Every layout of every record of the map is reached from somewhere, decoded and encoded.
#[test]
fn all_records_of_the_structure_are_translated() {
    let bench = Bench::new();
    let mut missing: Vec<(String, String)> = bench
        .automaton
        .records()
        .flat_map(|id| {
            bench.layouts(id).into_iter().map(move |layout| (id.to_owned(), layout.variant.clone()))
        })
        .collect();
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..4000 {
        let seed: Vec<u16> = (0..2500)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 24) as u16
            })
            .collect();
        let rows = walk(&bench, &mut Choices { bytes: seed.iter() }, 60);
        if rows.is_empty() {
            continue;
        }
        there_and_back(&bench, &rows);
        let transaction = bench.assemble(&rows);
        missing.retain(|(id, variant)| {
            !transaction.nodes().iter().any(|node| {
                let layout = bench.grammar.layout(node.layout);
                layout.record == *id && layout.variant == *variant
            })
        });
        if missing.is_empty() {
            return;
        }
    }
    panic!("never reached: {missing:?}");
}
