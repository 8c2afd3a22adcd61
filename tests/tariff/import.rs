//! Published schedules: small ones of each form, and the real ones where they are at hand.

use std::path::Path;

use abigate::model::HtsNumber;
use abigate::tariff::{Import, Rate, Tariff, import, write_schedule};
use jiff::civil::Date;

use crate::samples::abigate;

const DATABASE: &str =
    "hts8|brief_description|quantity_1_code|quantity_2_code|mfn_text_rate|mfn_rate_type_code|\
col1_special_text|gsp_indicator|gsp_ctry_excluded|korea_indicator|korea_rate_type_code|korea_ad_val_rate|\
korea_specific_rate|col2_text_rate|col2_rate_type_code|begin_effect_date|end_effective_date
01022940|\"Cattle, 6\"\" tall\"|NO|KG|1 cents/kg|2||A*||KR|5|0.01|0.002|5.5 cents/kg|2|1/1/2024|12/31/2025
1022940|Cattle, later|NO|KG|2 cents/kg|2||||KR||0||5.5 cents/kg|2|1/1/2026|12/31/2050
01022941|No date|NO||2%|7||||||||3%|7||
01022942|Odd rate|NO||some of it|7||||||||3%|4|1/1/2024|12/31/2050
";

const EXPORT: &str = r#"[
 {"htsno":"0101","indent":"0","description":"Live horses","superior":"true","units":[],"general":"","special":"","other":"","footnotes":[]},
 {"htsno":"0101.21.00","indent":"2","description":"Purebred <i>animals</i>","superior":null,"units":[],"general":"Free","special":"","other":"Free"},
 {"htsno":"0101.21.00.10","indent":"3","description":"Males","units":["No."],"general":"","special":"","other":""},
 {"htsno":"0102.29.40.34","indent":"3","description":"Heads","units":["No.","kg"],"general":"1¢/kg","special":"Free (A+,AU,BH) 0.5¢/kg (KR)","other":"5.5¢/kg"},
 {"htsno":"0106.11.00.00","indent":"1","description":"Primates","units":["X"],"general":"Free","special":"","other":"15%"},
 {"htsno":"9903.88.03","indent":"0","description":"Articles","units":[],"general":"The duty provided in the applicable subheading + 25%","special":"The duty provided in the applicable subheading + 25%","other":"The duty provided in the applicable subheading"},
 {"htsno":"0101.21.00.1","indent":"3","description":"Misprint","units":["m<sup>2</sup>"],"general":"","special":"","other":""}
]"#;

const REPORT: &str = "HTS Date:,2/21/2026,,\n,,,\nTariff Number,Description,Effective Date,Expiration Date,\
Census Qty 1,Census Qty 2,Census Qty 3,AD Duty,CV Duty,PGA 1,PGA 2\n\
0101210010,\"MALE HORSES, PUREBRED\",2/3/2012,12/31/2030,NO,,,Y,N,AM7,FD3\n\
01012100XX,BROKEN,2/3/2012,12/31/2030,NO,,,N,N,,\n";

fn read(name: &str, text: &str) -> Import {
    import(Tariff::builtin().unwrap(), name, text.as_bytes(), Some(Date::constant(2026, 1, 1))).unwrap()
}

/// The tariff with a schedule that was written and read again.
fn with(imports: &[Import]) -> Tariff {
    let mut text = Vec::new();
    for import in imports {
        write_schedule(&import.version, &import.rows, &mut text).unwrap();
    }
    let mut tariff = Tariff::builtin().unwrap().clone();
    tariff.add_schedule(std::str::from_utf8(&text).unwrap()).unwrap();
    tariff
}

fn number(text: &str) -> HtsNumber {
    HtsNumber::new(text).unwrap()
}

#[test]
fn the_database_is_read_by_its_columns() {
    let read = read("database", DATABASE);
    assert_eq!(read.rows.len(), 3);
    assert_eq!(read.refused.len(), 1, "{:?}", read.refused);
    assert_eq!(read.refused[0].line, 4);
    assert!(read.refused[0].why.contains("begin_effect_date"), "{:?}", read.refused);
    assert_eq!(read.rows[0].special, "Free (A*) $0.002/kg + 1% (KR)");
    assert_eq!(read.rows[1].special, "Free (KR)");
    assert_eq!(read.rows[0].description, "Cattle, 6\" tall");
    let doubts = read.doubts.iter().map(|doubt| doubt.text.as_str()).collect::<Vec<_>>();
    assert_eq!(doubts, ["some of it", "some of it", "3%"]);
    assert_eq!(read.rates(Tariff::builtin().unwrap()), [6, 5, 0, 1]);
    let tariff = with(&[read]);
    let general =
        |date| tariff.schedule().find(number("01022940"), date).unwrap().general().unwrap().text.clone();
    assert_eq!(&*general(Date::constant(2025, 12, 31)), "1 cents/kg");
    assert_eq!(&*general(Date::constant(2026, 1, 1)), "2 cents/kg");
}

#[test]
fn the_export_is_read_with_its_inheritance() {
    let read = read("export", EXPORT);
    assert_eq!(read.refused.len(), 1, "{:?}", read.refused);
    let tariff = with(&[read]);
    let date = Date::constant(2026, 8, 3);
    let find = |digits| tariff.schedule().find(number(digits), date).unwrap();
    assert_eq!(find("0101210010").general().unwrap().rate, Rate::Free);
    assert_eq!(find("0101210010").units()[0].unwrap().as_str(), "NO");
    assert_eq!(find("0101210010").description(), "Males");
    assert_eq!(find("01061100").general().unwrap().rate, Rate::Free);
    let cattle = find("0102294034");
    assert_eq!(
        cattle.special(&[abigate::model::Code::new("KR").unwrap()]).unwrap().text.as_ref(),
        "0.5\u{a2}/kg"
    );
    assert_eq!(cattle.general().unwrap().rate.code(tariff.schedule().units(), &[]), None);
    assert!(matches!(find("99038803").general().unwrap().rate, Rate::Beside(_)));
    assert!(tariff.schedule().find(number("0101210010"), Date::constant(2025, 12, 31)).is_none());
}

#[test]
fn the_report_gives_units_and_flags() {
    let read = read("report", REPORT);
    assert_eq!((read.rows.len(), read.refused.len()), (1, 1));
    assert_eq!(read.refused[0].line, 5);
    let row = &read.rows[0];
    assert_eq!((row.antidumping, row.countervailing, row.agencies.as_str()), (true, false, "AM7 FD3"));
    assert_eq!(row.period.to, Date::constant(2030, 12, 31));
    let tariff = with(&[read]);
    let article = tariff.schedule().find(number("0101210010"), Date::constant(2026, 8, 3)).unwrap();
    assert_eq!((article.cases(), article.agencies()), ((true, false), "AM7 FD3"));
}

#[test]
fn versions_stand_side_by_side_and_complete_each_other() {
    let tariff = with(&[read("export", EXPORT), read("report", REPORT)]);
    let article = tariff.schedule().find(number("0101210010"), Date::constant(2026, 8, 3)).unwrap();
    assert_eq!(article.general().unwrap().rate, Rate::Free);
    assert_eq!(article.version().unwrap().0.name, "export");
    assert_eq!(tariff.schedule().versions().len(), 3);
}

#[test]
fn what_is_no_schedule_is_refused() {
    for text in ["", "a,b\n1,2\n", "[1", "{\"a\":1}", "[{\"htsno\":3}]"] {
        assert!(import(Tariff::builtin().unwrap(), "x", text.as_bytes(), None).is_err(), "{text}");
    }
    assert!(Tariff::builtin().unwrap().clone().add_schedule("number\tfrom\n01010101\t2020-13-01\n").is_err());
    let error = Tariff::builtin()
        .unwrap()
        .clone()
        .add_schedule("version\ta\tb\nnumber\tfrom\n0101010\t\n")
        .unwrap_err();
    assert!(error.to_string().starts_with("schedule:3: found \"0101010\""), "{error}");
}

#[test]
fn the_command_tells_what_was_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("database.txt"), DATABASE).unwrap();
    let output = abigate(&["tariff", "import", &path("database.txt"), "-o", &path("schedule")]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("3 rows, 1 refused; 6 rates: 5 read, 0 by a note, 1 not read; 3 in doubt"),
        "{text}"
    );
    assert!(text.contains("refused: line 4, 01022941: \"2%\": begin_effect_date"), "{text}");
    let shown =
        abigate(&["tariff", "--schedule", &path("schedule"), "show", "0102.29.40", "--date", "2025-02-03"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("general   1 cents/kg (computation code 2)"), "{text}");
}

/// Where the published rows are at hand: all are taken over, and the codes that the file gives are those
/// that the texts give, but for the file's own slips.
#[test]
fn real_rows_are_read() {
    let Ok(folder) = std::env::var("ABIGATE_PUBLISHED_SCHEDULES") else { return };
    let read = |name: &str| {
        let bytes = std::fs::read(Path::new(&folder).join(name)).unwrap();
        import(Tariff::builtin().unwrap(), name, &bytes, None).unwrap()
    };
    let database = read("usitc_tariff_2025.tsv");
    assert_eq!((database.rows.len(), database.refused.len(), database.doubts.len()), (6381, 0, 5));
    assert_eq!(database.rates(Tariff::builtin().unwrap())[3], 0);
    let report = read("hts_units_pga_2026-02.csv");
    assert_eq!((report.rows.len(), report.refused.len()), (22154, 0));
}
