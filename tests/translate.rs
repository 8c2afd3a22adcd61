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
        DateFormat::YearMonthDay => format!("{:02}{month:02}{day:02}", year % 100),
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

/// A transaction along a random way through the structure map, now and then to records wanted most.
fn walk(
    bench: &Bench,
    choices: &mut Choices<'_>,
    length: usize,
    wanted: &[(String, String)],
) -> Vec<Columns> {
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
        let prefers = |symbol: Symbol| wanted.iter().any(|(id, _)| id == bench.automaton.record(symbol));
        if choices.below(2) == 0 && ways.iter().any(|(symbol, _)| prefers(*symbol)) {
            ways.retain(|(symbol, _)| prefers(*symbol));
        }
        let (symbol, ahead) = ways.swap_remove(choices.below(ways.len()));
        let id = bench.automaton.record(symbol);
        let layouts = bench.layouts(id);
        let layout = layouts[choices.below(layouts.len())];
        let mut columns = record(choices, layout);
        let mark = bench.automaton.symbols_of(id).find(|(own, _)| *own == symbol).and_then(|(_, mark)| mark);
        if let Some(mark) = mark {
            layout.cell(&mark.field).unwrap().put_text(&mut columns, &mark.values[0]).unwrap();
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
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_way_through_the_structure_map_survives(seed in proptest::collection::vec(any::<u16>(), 200..6000)) {
        let bench = Bench::new();
        let mut choices = Choices { bytes: seed.iter() };
        let rows = walk(&bench, &mut choices, 60, &[]);
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
    for _ in 0..1000 {
        let seed: Vec<u16> = (0..2500)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 24) as u16
            })
            .collect();
        let rows = walk(&bench, &mut Choices { bytes: seed.iter() }, 60, &missing);
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

fn rows(lines: &[&str]) -> Vec<Columns> {
    lines
        .iter()
        .map(|line| {
            let mut columns = [b' '; 80];
            columns[..line.len()].copy_from_slice(line.as_bytes());
            columns
        })
        .collect()
}

/// The samples a broker would recognise are canonical: they come back byte for byte.
#[test]
fn good_samples_come_back() {
    let bench = Bench::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/entry_summary/good");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.to_str().unwrap();
        if !name.ends_with(".abi") || name.ends_with(".answer.abi") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut transaction: Vec<&str> = Vec::new();
        for line in text.lines() {
            let envelope = line.starts_with(['A', 'B', 'Y', 'Z']);
            if (envelope || line.starts_with("10")) && !transaction.is_empty() {
                there_and_back(&bench, &rows(&transaction));
                transaction.clear();
                count += 1;
            }
            if !envelope {
                transaction.push(line);
            }
        }
    }
    assert!(count > 0);
}

const PLAIN: [&str; 9] = [
    "10AB76  03245278 2704REF 1       0111 X           2112126",
    "1112-3456789  12-3456789                 112026112026       CA",
    "40  001 CNCN110126        0000000100570350000001200    N",
    "44COTTON SHIRTS",
    "47MCNABCTRA123SHE",
    "47S12-3456789",
    "506109100012 0000016500 0000001000 000000012000DOZ000000034000KG",
    "6249900003200",
    "9000000016500 00000003200 00000000000 00000000000 00000000000",
];

#[test]
fn a_plain_summary_in_json() {
    let bench = Bench::new();
    let filing = bench.decode(&rows(&PLAIN));
    let json: serde_json::Value = serde_json::from_str(&filing.to_json().unwrap()).unwrap();
    assert_eq!(json["action"], "add");
    assert_eq!(json["header"]["entry_number"], "03245278");
    assert_eq!(json["header"]["preliminary_statement_date"], "2026-11-21");
    assert_eq!(json["header"]["signed"], true);
    assert_eq!(json["header"].get("live_entry"), None);
    assert_eq!(json["importation"]["importer_of_record"], "12-3456789");
    assert_eq!(json["lines"][0]["parties"][0]["role"], "manufacturer");
    assert_eq!(json["lines"][0]["parties"][1]["identifier"], "12-3456789");
    assert_eq!(json["lines"][0]["tariffs"][0]["duty"], "165.00");
    assert_eq!(json["lines"][0]["tariffs"][0]["value"], "1000");
    assert_eq!(json["lines"][0]["tariffs"][0]["quantities"][1]["unit"], "KG");
    assert_eq!(json["grand_totals"]["antidumping"], "0.00");
    assert_eq!(json["grand_totals"].get("other_revenue"), None, "blank is not zero");
    there_and_back(&bench, &rows(&PLAIN));
}

#[test]
fn unknown_names_in_json_are_refused() {
    let bench = Bench::new();
    let json = bench.decode(&rows(&PLAIN)).to_json().unwrap();
    for (name, other) in
        [("\"signed\"", "\"sined\""), ("\"tariffs\"", "\"tarifs\""), ("\"action\"", "\"deed\"")]
    {
        assert!(EntrySummaryFiling::from_json(&json.replacen(name, other, 1)).is_err(), "{other}");
    }
    assert!(EntrySummaryFiling::from_json(&json.replacen("6109100012", "61091", 1)).is_err());
}

#[test]
fn spaces_before_numbers_are_zeros() {
    let bench = Bench::new();
    let mut padded = PLAIN;
    padded[6] = "506109100012      16500       1000        12000DOZ       34000KG";
    assert_eq!(bench.decode(&rows(&padded)), bench.decode(&rows(&PLAIN)));
}

#[test]
fn a_delete_request_is_a_header() {
    let bench = Bench::new();
    let delete = rows(&["10DB76  03245278 2704REF 1       01"]);
    assert_eq!(bench.decode(&delete).lines, []);
    there_and_back(&bench, &delete);
}

/// What the model cannot hold is named, every bit of it, and never a taxpayer's number.
#[test]
fn problems_name_record_field_and_columns() {
    let bench = Bench::new();
    let mut bad = PLAIN;
    bad[0] = "10AB76  03245278 2704REF 1       0111 X          J2113126";
    bad[1] = "1112-345678A  12-3456789                 112026112026       CA";
    bad[6] = "506109100012 00000165   0000001000 000000012000DOZ000000034000KG";
    let problems = bench.codec.decode(&bench.assemble(&rows(&bad))).unwrap_err();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| {
            (
                problem.record.as_str(),
                problem.number,
                problem.field.as_str(),
                problem.columns,
                problem.found.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("10", 1, "filler", (50, 50), "*"),
            ("10", 1, "preliminary_statement_print_date", (52, 57), "113126"),
            ("11", 2, "importer_of_record_number", (3, 14), "**-*******  "),
            ("50", 7, "duty_amount", (14, 23), "00000165  "),
        ]
    );
    assert!(!format!("{problems:?}").contains("345678A"));
    assert!(!format!("{:?}", bench.decode(&rows(&PLAIN))).contains("12-3456789"));
}

#[test]
fn a_gap_in_a_row_is_a_problem() {
    let bench = Bench::new();
    let mut gap = PLAIN.to_vec();
    gap.insert(2, "35H01   H02");
    let problems = bench.codec.decode(&bench.assemble(&rows(&gap))).unwrap_err();
    assert_eq!((problems.len(), problems[0].record.as_str()), (1, "35"));
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let bench = Bench::new();
    let good = bench.decode(&rows(&PLAIN));
    let refused = |change: fn(&mut EntrySummaryFiling)| {
        let mut filing = good.clone();
        change(&mut filing);
        let mut rows = vec![[b'9'; 80]];
        let problem = bench.codec.encode_into(&filing, &mut rows).unwrap_err();
        assert_eq!(rows.len(), 1, "nothing is appended");
        (problem.record, problem.field, problem.columns)
    };
    let duty = refused(|filing| filing.lines[0].tariffs[0].duty = "0.001".parse().unwrap());
    assert_eq!(duty, ("50".to_owned(), "duty_amount".to_owned(), (14, 23)));
    let value = refused(|filing| filing.lines[0].tariffs[0].value = "12345678901".parse().unwrap());
    assert_eq!(value, ("50".to_owned(), "value_of_goods_amount".to_owned(), (25, 34)));
    let negative = refused(|filing| filing.lines[0].fees[0].amount = "-1".parse().unwrap());
    assert_eq!(negative, ("62".to_owned(), "user_fee_amount".to_owned(), (6, 13)));
    let date =
        refused(|filing| filing.header.preliminary_statement_date = Some("1969-12-31".parse().unwrap()));
    assert_eq!(date, ("10".to_owned(), "preliminary_statement_print_date".to_owned(), (52, 57)));
    let class = refused(|filing| filing.header.mode_of_transport = Some("*1".parse().unwrap()));
    assert_eq!(class, ("10".to_owned(), "mot_code".to_owned(), (36, 37)));
    let row = refused(|filing| {
        let quantity = filing.lines[0].tariffs[0].quantities[0].clone();
        filing.lines[0].tariffs[0].quantities.extend([quantity.clone(), quantity]);
    });
    assert_eq!(row.0, "50");
}

/// Rows of values are packed: six releases a record, five totals a record.
#[test]
fn rows_are_packed() {
    let bench = Bench::new();
    let mut filing = bench.decode(&rows(&PLAIN));
    let release: abigate::model::Release =
        serde_json::from_str(r#"{"filer_code": "B76", "entry_number": "03245278"}"#).unwrap();
    filing.releases = vec![release; 13].into();
    let encoded = bench.codec.encode(&filing).unwrap();
    assert_eq!(encoded.iter().filter(|row| row.starts_with(b"32")).count(), 3);
    assert_eq!(bench.decode(&encoded), filing);
}

/// A line has either invoices or a ruling and description of its own.
#[test]
fn descriptions_behind_invoices_would_change_hands() {
    let bench = Bench::new();
    let mut filing = bench.decode(&rows(&PLAIN));
    let invoice = r#"{"supplier": "CNABCTRA123SHE", "number": "INV-1", "lines": [{"first": 1, "last": 4}]}"#;
    filing.lines[0].invoices = vec![serde_json::from_str(invoice).unwrap()];
    assert_eq!(bench.codec.encode(&filing).unwrap_err().field, "invoices");
    filing.lines[0].invoices[0].descriptions = std::mem::take(&mut filing.lines[0].descriptions);
    assert_eq!(bench.decode(&bench.codec.encode(&filing).unwrap()), filing);
}

/// Groups of the partner agency set become branches; `PG50` and `PG51` keep theirs together.
#[test]
fn agency_records_make_a_tree() {
    let bench = Bench::new();
    let mut lines = PLAIN.to_vec();
    let set = ["OI        COTTON SHIRTS", "PG01001FDAFOO", "PG02P", "PG50", "PG05GENUS", "PG51", "PG06262CN"];
    lines.splice(7..7, set);
    let filing = bench.decode(&rows(&lines));
    let tree = &filing.lines[0].tariffs[0].agency_data;
    let ids = |records: &[abigate::model::AgencyRecord]| {
        records.iter().map(|record| record.record.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(tree), ["OI"]);
    assert_eq!(ids(&tree[0].children), ["PG01", "PG02"]);
    let product = &tree[0].children[1];
    assert_eq!(ids(&product.children), ["PG50", "PG06"]);
    assert_eq!(ids(&product.children[0].children), ["PG05", "PG51"]);
    let agency = tree[0].children[0].fields.get("government_agency_code").map(ToString::to_string);
    assert_eq!(agency.as_deref(), Some("FDA"));
    there_and_back(&bench, &rows(&lines));
}

/// Substituted data of the header stand between their `PG00` records.
#[test]
fn agency_substitutions_keep_their_place() {
    let bench = Bench::new();
    let start = "PG00S";
    let mut lines = PLAIN.to_vec();
    lines.splice(2..2, [start, "PG01001FDAFOO", "PG05GENUS", "PG00E"]);
    let filing = bench.decode(&rows(&lines));
    assert_eq!(filing.agency_substitutions.len(), 1);
    assert_eq!(filing.agency_substitutions[0].children.len(), 3);
    there_and_back(&bench, &rows(&lines));
}

#[test]
fn unknown_agency_names_are_refused() {
    let bench = Bench::new();
    let mut filing = bench.decode(&rows(&PLAIN));
    for (record, field) in
        [(r#"{"record": "PG99"}"#, ""), (r#"{"record": "OI", "fields": {"colour": "RED"}}"#, "colour")]
    {
        filing.lines[0].tariffs[0].agency_data = vec![serde_json::from_str(record).unwrap()];
        assert_eq!(bench.codec.encode(&filing).unwrap_err().field, field);
    }
}

#[test]
fn a_grammar_without_the_records_makes_no_codec() {
    assert!(EntrySummaryCodec::new(&Grammar::default()).is_err());
}

/// The enums of the model have the codes that the grammar lists, no more and no fewer.
#[test]
fn codes_are_those_of_the_grammar() {
    use abigate::model::{
        Action, AgencyDataIncluded, Answer, BillKind, BondDesignation, BondKind, BusinessIdentifierScheme,
        ContinuousBondChange, DeferredTax, DutySecurity, FeeExemption, ProductClaim, RateKind, RulingKind,
        SanctionField, SanctionKind, SetRole, ShipmentUsage, ZoneStatus,
    };
    macro_rules! compare {
        ($($kind:ident $record:literal $field:literal,)*) => {$(
            let layout = Grammar::builtin().find("AE", Direction::Input, $record, "").unwrap();
            let Values::OneOf(listed) = &layout.field($field).unwrap().values else {
                panic!("{} {} has no short list", $record, $field);
            };
            let mut listed: Vec<&str> = listed.iter().map(String::as_str).collect();
            let mut codes: Vec<&str> = $kind::ALL.iter().map(|code| code.code()).collect();
            listed.sort_unstable();
            codes.sort_unstable();
            assert_eq!(codes, listed, "{} {}", $record, $field);
        )*};
    }
    compare! {
        Action "10" "summary_filing_action_request_code",
        ShipmentUsage "10" "shipment_usage_type_code",
        DeferredTax "10" "deferred_tax_payment_code",
        AgencyDataIncluded "10" "pga_data_included_indicator",
        BillKind "23" "manifest_component_type_code",
        BondKind "31" "bond_type_code",
        BondDesignation "31" "bond_designation_type_code",
        ContinuousBondChange "31" "continuous_bond_indicator",
        BusinessIdentifierScheme "SE31" "gbi_identifier_qualifier",
        BusinessIdentifierScheme "SE51" "gbi_identifier_qualifier",
        SetRole "40" "article_set_indicator",
        ProductClaim "40" "product_claim_code",
        Answer "40" "related_party_indicator",
        FeeExemption "40" "fee_exemption_code",
        ZoneStatus "41" "ftz_merchandise_status_code",
        RulingKind "43" "ruling_type_code",
        DutySecurity "53" "bond_cash_claim_code",
        RateKind "53" "case_rate_type_qualifier_code",
        SanctionKind "SE62" "record_type",
        SanctionField "SE62" "field_name",
    }
}
