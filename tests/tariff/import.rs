//! Published schedules: small ones of each form, and the real ones where they are at hand.

use std::path::Path;

use abigate::model::{Code, HtsNumber};
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

/// The export as the USITC writes it: lines without numbers, rates and footnotes of superiors, `null`, fields that are
/// missing or spelled in two ways, line ends within texts.
const REAL_SHAPE: &str = r#"[
 {"htsno":"8504","indent":"0","description":"Electrical transformers, static converters","superior":null,"units":[],
  "general":"","special":"","other":"","footnotes":[],"quotaQuantity":null,"additionalDuties":null,"addiitionalDuties":null},
 {"htsno":"8504.40","indent":"1","description":"Static converters:","superior":"true","units":null,"general":null,"special":null,"other":null,"footnotes":null},
 {"htsno":"","indent":"2","description":"Other:","superior":"true","units":[],"general":"","special":"","other":"","footnotes":[]},
 {"htsno":"8504.40.95","indent":"3","description":"Other","superior":null,"units":[],"general":"1.5%",
  "special":"Free (A,AU,BH,CL,CO,D,E,IL,JO,\nKR,MA,OM,P,PA,PE,S,SG)","other":"35%",
  "footnotes":[{"columns":["general"],"marker":"1","value":"See 9903.88.03. ","type":"endnote"}]},
 {"htsno":"8504.40.95.70","indent":"4","description":"Inverters","units":["No."],"general":"","special":"","other":"",
  "footnotes":[{"columns":["desc"],"value":"See 9903.88.69 and statistical note 2 to this chapter.","type":"endnote"},{"columns":[],"value":null}]},
 {"htsno":"2826.90","indent":"1","description":"Other:","units":[],"general":"","special":"","other":""},
 {"htsno":"2826.90.90","indent":"2","description":"Other","units":[],"general":"3.1%","special":"Free (A,AU) See 9822.04.40 (KR)","other":"25%"},
 {"htsno":"2826.90.90.10","indent":"4","description":"An indent that jumps","units":["kg"]},
 {"htsno":"","indent":1,"description":"A superior text that has the rate","general":"6.3¢/kg + 2%","special":"Free (S)","other":"20%","units":[]},
 {"htsno":"2827.10.00.10","indent":2,"description":"The number below it","units":["kg"],"general":null,"special":null,"other":null},
 {"htsno":"9903.88.03","indent":"0","description":"Articles","units":[""],"general":"The duty provided in the applicable\n subheading + 25%","special":"","other":"","footnotes":[]},
 {"htsno":"9903.18.02","indent":"0","description":"Quota","units":["X"],"general":"No change","special":"No change","other":"No change","quotaQuantity":"<i>1,000 t</i>"},
 {"htsno":"9105.19.30","indent":"3","description":"Clocks","units":["No.","Jwls."],"general":"43¢ each + 2.8¢/jewel over 7 + 3.7% on the case","special":"Free (R)","other":"$1.20 each + 35%","footnotes":[]},
 {"htsno":"2208.30.30","statisticalSuffix":"30","indent":"2","description":"Whiskies","units":["pf.liters"],"general":"Free","special":"","other":"$1.99/pf.liter","status":"x"},
 {"htsno":"0404.90.28","indent":"2","description":"Dairy","units":["kg cmsc<sup>2</sup>"],"general":"1¢/kg","special":"Free","other":"2¢/kg","addiitionalDuties":"some more"},
 "no line"
]"#;

#[test]
fn the_export_is_read_in_its_real_shape() {
    let read = read("export", REAL_SHAPE);
    let refused = read.refused.iter().map(|refused| (refused.line, refused.why.as_str())).collect::<Vec<_>>();
    assert_eq!(refused, [(16, "no line of the schedule")]);
    assert_eq!(read.ignored, ["status"]);
    let doubts = read.doubts.iter().map(|doubt| (doubt.line, doubt.text.as_str())).collect::<Vec<_>>();
    let expected = [
        (13, "43\u{a2} each + 2.8\u{a2}/jewel over 7 + 3.7% on the case"),
        (15, "some more"),
        (15, "kg cmsc2"),
        (15, "Free"),
    ];
    assert_eq!(doubts, expected);
    let tariff = with(&[read]);
    let date = Date::constant(2026, 8, 3);
    let find = |digits| tariff.schedule().find(number(digits), date).unwrap();
    // The suffix has the rate of its eight digits, its own footnotes and theirs.
    let inverter = find("8504409570");
    assert_eq!(&*inverter.general().unwrap().text, "1.5%");
    assert_eq!(&*inverter.special(&[Code::new("SG").unwrap()]).unwrap().text, "Free");
    let references = tariff.schedule().references(number("8504409570"), date).collect::<Vec<_>>();
    assert_eq!(references, [number("99038869"), number("99038803")]);
    assert_eq!(&*find("2826909010").general().unwrap().text, "3.1%");
    assert_eq!(find("28269090").special(&[Code::new("KR").unwrap()]).unwrap().rate, Rate::Note);
    assert_eq!(&*find("2827100010").general().unwrap().text, "6.3\u{a2}/kg + 2%");
    assert_eq!(&*find("2827100010").column_2().unwrap().text, "20%");
    assert!(matches!(find("99038803").general().unwrap().rate, Rate::Beside(_)));
    assert_eq!(find("2208303030").units()[0].unwrap().as_str(), "PFL");
    assert_eq!(&*find("22083030").general().unwrap().text, "Free");
}

#[test]
fn answers_to_a_search_are_read_as_well() {
    let list = read("list", EXPORT);
    let wrapped = read("answer", &format!("\u{feff}{{\"message\":null,\"results\":{EXPORT}}}"));
    assert_eq!(wrapped.rows, list.rows);
}

/// Whatever program has held the database: other separators, quotes, encodings, line ends, and columns in any order.
#[test]
fn the_database_is_read_in_any_dress() {
    let plain = read("database", DATABASE);
    let same = |bytes: &[u8], what: &str| {
        let read = import(Tariff::builtin().unwrap(), "database", bytes, None).unwrap();
        assert_eq!(read.rows, plain.rows, "{what}");
        assert_eq!(read.refused.len(), plain.refused.len(), "{what}");
    };
    let tabs = DATABASE.replace('|', "\t");
    same(tabs.as_bytes(), "tabs, quoted");
    same(tabs.replace("\"Cattle, 6\"\" tall\"", "Cattle, 6\" tall").as_bytes(), "tabs, not quoted");
    same(DATABASE.replace('|', ";").as_bytes(), "semicolons");
    same(format!("\u{feff}{}", DATABASE.replace('\n', "\r\n")).as_bytes(), "mark and line ends");
    let wide = DATABASE.encode_utf16().flat_map(u16::to_le_bytes);
    same(&[0xff, 0xfe].into_iter().chain(wide).collect::<Vec<_>>(), "UTF-16");
    let backwards = |line: &str| line.split('|').rev().collect::<Vec<_>>().join("|");
    let reordered = DATABASE.lines().map(backwards).collect::<Vec<_>>().join("\n");
    same(reordered.as_bytes(), "columns in another order");
    let latin = "hts8,mfn_text_rate\n22029928,\"5\u{a2}/liter\"\n".chars().map(|c| u8::try_from(c).unwrap());
    let latin = import(Tariff::builtin().unwrap(), "latin", &latin.collect::<Vec<_>>(), None).unwrap();
    assert_eq!((latin.rows[0].general.as_str(), latin.doubts.len()), ("5\u{a2}/liter", 0));
}

/// Columns by the names of the published database: rates of any type, two prefixes for a programme, the
/// special column as printed for what has no column of its own, and columns that are not needed.
#[test]
fn every_kind_of_special_rate_is_taken_over() {
    let text = "hts8,quantity_1_code,quantity_2_code,wto_binding_code,mfn_text_rate,mfn_rate_type_code,col1_special_text,\
nafta_mexico_ind,mexico_rate_type_code,mexico_ad_val_rate,mexico_specific_rate,japan_indicator,japan_rate_type_code,\
japan_ad_val_rate,japan_specific_rate,japan_other_rate,korea_indicator,korea_rate_type_code,korea_ad_val_rate,footnote_comment\n\
65050008,NO,KG,B,13.5 cents/kg + 6.3% + 1.9 cents/article,6,\"Free (CL,SG)\",MX,7,0.031,0,JP,6,0.05,0.01,0.2,KR,7,9999.999999,See 9903.88.15\n";
    let read = read("database", text);
    assert!(read.refused.is_empty(), "{:?}", read.refused);
    assert_eq!(read.ignored, ["wto_binding_code"]);
    assert_eq!(
        read.rows[0].special,
        "Free (CL,SG) 3.1% (MX) code 6: specific 0.01 advalorem 0.05 other 0.2 (JP)"
    );
    assert_eq!(read.rows[0].headings, Some(vec![number("99038815")]));
    let doubts =
        read.doubts.iter().map(|doubt| (doubt.text.as_str(), doubt.why.as_str())).collect::<Vec<_>>();
    assert_eq!(doubts, [("KR", "no number for the special rate")]);
    assert_eq!(read.rows[0].period.from, Date::constant(2026, 1, 1));
}

#[test]
fn the_report_pads_numbers_of_eight_digits() {
    let text = REPORT.replace("01012100XX,BROKEN", "0099038815,ARTICLE OF CHINA");
    let read = read("report", &text);
    assert_eq!((read.rows.len(), read.refused.len()), (2, 0));
    assert_eq!(read.rows[1].number, number("99038815"));
}

#[test]
fn later_footnotes_stand_in_place_of_earlier_ones() {
    let export = |footnotes: &str, from| {
        let text = format!(
            r#"[{{"htsno":"8471.30.01.00","indent":"1","general":"Free","other":"35%","footnotes":[{footnotes}]}}]"#
        );
        let mut read = import(Tariff::builtin().unwrap(), from, text.as_bytes(), from.parse().ok()).unwrap();
        read.version.name = from.to_owned();
        read
    };
    let tariff = with(&[
        export(r#"{"value":"See 9903.88.15"}"#, "2019-09-01"),
        export("", "2019-12-15"),
        read("report", REPORT),
    ]);
    let references = |date| tariff.schedule().references(number("8471300100"), date).count();
    assert_eq!(references(Date::constant(2019, 12, 14)), 1);
    assert_eq!(references(Date::constant(2019, 12, 15)), 0);
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
    // Numbers of chapters 98 and 99 have eight digits, and no chapter is 0.
    let of =
        |chapter: &str| report.rows.iter().filter(|row| row.number.as_str().starts_with(chapter)).count();
    assert_eq!((of("00"), of("98"), of("99")), (0, 499, 1302));
    // What is reported gives what the rates ask for, but for contents of ores, which share one code.
    let tariff = with(&[database, report]);
    let (mut asked, mut lacking) = (0, std::collections::BTreeSet::new());
    for row in read("hts_units_pga_2026-02.csv").rows.iter().filter(|row| row.number.as_str().len() == 10) {
        let found = tariff.schedule().find(row.number, Date::constant(2026, 2, 21));
        let Some(article) = found else { continue };
        let Some(Rate::Sum(sum)) = article.general().map(|printed| &printed.rate) else { continue };
        for term in &sum.terms {
            let abigate::tariff::Term::Specific { unit, .. } = term else { continue };
            asked += 1;
            let units = tariff.schedule().units();
            let given = article
                .units()
                .into_iter()
                .flatten()
                .any(|code| units.convert(*unit, 1.into(), code).is_some());
            if !given {
                lacking.insert((row.number.as_str()[..8].to_owned(), units.name(*unit).to_owned()));
            }
        }
    }
    assert!(asked > 1_000);
    println!("{lacking:?}");
    assert!(lacking.len() < 12, "{lacking:?}");
}

#[test]
fn whole_editions_become_one_schedule_with_the_first_and_last_day_of_each_row() {
    let folder = tempfile::tempdir().unwrap();
    let line = |number: &str, rate: &str, units: &str| {
        format!(
            r#"{{"htsno":"{number}","indent":"1","description":"X","units":[{units}],"general":"{rate}","special":"","other":"9%","footnotes":[]}}"#
        )
    };
    let write = |name: &str, lines: &[String]| {
        std::fs::write(folder.path().join(name), format!("[{}]", lines.join(","))).unwrap();
    };
    write("1.json", &[line("0101.21.00", "1%", r#""No. and kg""#), line("0102.29.40", "2%", r#""Dz Pcs""#)]);
    write("2.json", &[line("0101.21.00", "1%", r#""No. and kg""#), line("0102.29.40", "3%", r#""kg cmsc""#)]);
    write("3.json", &[line("0102.29.40", "3%", r#""kg cmsc""#)]);
    let table = "# editions\nfile\tedition\tin_force\n1.json\tone\t2025-01-01\n2.json\ttwo\t2025-07-01\n3.json\tthree\t2026-01-01\n";
    std::fs::write(folder.path().join("editions.tsv"), table).unwrap();
    let schedule = folder.path().join("all.schedule");
    let (table, schedule) = (folder.path().join("editions.tsv"), schedule.to_str().unwrap().to_owned());
    let arguments = ["tariff", "import", "--editions", table.to_str().unwrap(), "-o", &schedule];
    let output = abigate(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let rows = std::fs::read_to_string(&schedule).unwrap();
    let rows = rows.lines().filter(|line| line.starts_with('0')).map(|line| {
        let cells = line.split('\t').collect::<Vec<_>>();
        [cells[0], cells[1], cells[2], cells[3], cells[6]].join(" ")
    });
    let expected = [
        "01012100 2025-01-01 2025-12-31 1% NO KG",
        "01022940 2025-01-01 2025-06-30 2% DPC",
        "01022940 2025-07-01  3% CKG",
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
}
