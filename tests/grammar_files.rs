//! The grammar files that come with the program.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::Path;

use abigate::grammar::{Basis, Cursor, Direction, Grammar, Values};

/// Code lists that a host's reference data supplies.
const OF_THE_HOST: [&str; 24] = [
    "accounting_class",
    "agency_program",
    "cargo_release_condition",
    "carrier",
    "drawback_condition",
    "fee_class",
    "filer",
    "firms",
    "hts",
    "in_bond_condition",
    "manifest_unit",
    "pga_affirmation_of_compliance",
    "pga_entity_role",
    "pga_entry_status",
    "pga_line_status",
    "pga_reference_qualifier",
    "pga_routing_type",
    "pga_source_type",
    "pga_status_reason",
    "pga_sub_reason",
    "pga_vessel_characteristic",
    "schedule_d",
    "schedule_k",
    "surety",
];

#[test]
fn built_in_grammars_load() {
    let folder = tempfile::tempdir().unwrap();
    let grammar = Grammar::with_folder(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    for layout in grammar.layouts().iter().filter(|layout| layout.application != "*") {
        let structure = grammar.structure(&layout.application, layout.direction);
        assert!(structure.is_some(), "structure {} {}", layout.application, layout.direction.name());
    }
    assert!(grammar.layouts().len() > 500);
}

#[test]
fn every_list_is_there() {
    let grammar = Grammar::builtin();
    let mut absent = BTreeSet::new();
    for field in grammar.layouts().iter().flat_map(|layout| &layout.fields) {
        for values in std::iter::once(&field.values).chain(&field.also) {
            if let Values::List(name) = values
                && grammar.list(name).is_none()
                && !OF_THE_HOST.contains(&name.as_str())
            {
                absent.insert(name.clone());
            }
        }
    }
    assert!(absent.is_empty(), "no such lists: {absent:?}");
}

/// What README says of them.
#[test]
fn applications_are_described() {
    let grammar = Grammar::builtin();
    let counts = [Direction::Input, Direction::Output].map(|direction| {
        let known = grammar.applications().iter().filter(|application| application.direction == direction);
        let described = known.clone().filter(|known| grammar.chapter(&known.code, direction).is_some());
        (described.count(), known.count())
    });
    assert_eq!(counts, [(21, 34), (28, 47)]);
    let basis = |application| grammar.chapter(application, Direction::Input).map(|chapter| chapter.basis);
    assert_eq!(basis("SE"), Some(Basis::Chapter));
    assert_eq!(basis("TE"), Some(Basis::Transcription));
    assert_eq!(basis("RE"), Some(Basis::Outline));
    assert_eq!(basis("MA"), None);
}

#[test]
fn every_condition_of_a_field_has_a_narrative() {
    let grammar = Grammar::builtin();
    let mut absent = BTreeSet::new();
    for layout in grammar.layouts() {
        for field in &layout.fields {
            let own = &field.conditions;
            let codes = [own.missing, own.unknown, own.invalid, own.zero].into_iter().flatten();
            for code in codes.chain(own.checks.iter().map(|(_, code)| *code)) {
                let application = if layout.application == "PGA" { "AE" } else { &layout.application };
                if grammar.condition(application, code).is_none() {
                    absent.insert(format!("{application} {code}"));
                }
            }
        }
    }
    assert!(absent.is_empty(), "no narrative: {absent:?}");
}

#[test]
fn narratives_fit_their_field() {
    let in_use = |application: &str| matches!(application, "*" | "AE" | "AX");
    for condition in Grammar::builtin().conditions().rows().iter().filter(|row| in_use(&row.application)) {
        let narrative = &condition.narrative;
        assert!(narrative.len() <= 40 && narrative.is_ascii(), "{}: {narrative}", condition.code);
        assert_eq!(narrative, &narrative.to_uppercase(), "{}", condition.code);
    }
}

/// Where the project's table of facts is at hand, the export equals it in app, dir, record, variant,
/// start, end, class, desig and decimals.
#[test]
fn export_equals_the_tables_of_facts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/catair/layouts");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return;
    };
    let mut exported = Vec::new();
    abigate::grammar::export(Grammar::builtin(), &[], &mut exported).unwrap();
    let exported = String::from_utf8(exported).unwrap();
    let key = |line: &str| {
        let cells = line.split('\t').collect::<Vec<_>>();
        [0, 1, 2, 3, 7, 8, 9, 10, 11].map(|column| cells[column].to_owned()).join("\t")
    };
    let ours = exported.lines().skip(1).map(key).collect::<BTreeSet<_>>();
    let mut theirs = BTreeSet::new();
    for path in files.map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(path).unwrap();
        let rows = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("app\t"));
        for row in rows.filter(|row| !row.trim().is_empty()) {
            theirs.insert(key(row));
        }
    }
    let missing = theirs.difference(&ours).take(10).collect::<Vec<_>>();
    let extra = ours.difference(&theirs).take(10).collect::<Vec<_>>();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}\nextra {extra:#?}");
}

/// A layout that no field decides for is still that of its own record alone.
#[test]
fn a_layout_matches_no_record_of_another_kind() {
    let grammar = Grammar::builtin();
    let layouts = grammar.layouts_under("AE", Direction::Input);
    assert!(layouts.len() > 50);
    for layout in &layouts {
        for other in layouts.iter().filter(|other| !other.record.starts_with(&layout.record)) {
            assert!(!layout.matches(&other.blank()), "{} {}", layout.record, other.record);
        }
    }
}

#[test]
fn deciding_fields_choose_the_layout() {
    let grammar = Grammar::builtin();
    let variant = |application: &str, direction, record: &str, text: &str| {
        let mut columns = [b' '; 80];
        columns[..text.len()].copy_from_slice(text.as_bytes());
        let layout = grammar.resolve(application, direction, record, &columns).expect("a layout");
        layout.variant.clone()
    };
    // A wrong value in a declaration leaves it the declaration it is.
    assert_eq!(variant("AE", Direction::Input, "54", "5401Q"), "iad_01");
    assert_eq!(variant("AE", Direction::Input, "54", "5406NO SUCH CERT"), "iad_06");
    assert_eq!(variant("AE", Direction::Input, "54", "5499"), "");
    assert_eq!(variant("AX", Direction::Output, "E0", "E0 SUMMRY 000001 REF ID:"), "summry");
    assert_eq!(variant("AX", Direction::Output, "E0", "E0 PG01   000001 REF ID:"), "pga");
    assert_eq!(variant("*", Direction::Output, "B", "B  1201N01AX"), "response");
    assert_eq!(variant("*", Direction::Output, "B", "B  1201N01PFP"), "statement");
    assert_eq!(variant("ER", Direction::Output, "JK", "JK BILLING DATA NOT ON FILE"), "no_billing");
    assert_eq!(variant("ER", Direction::Output, "JK", "JK 1234"), "");
    let version = |version: &str| format!("SO70{:74}{version}", "");
    assert_eq!(variant("SO", Direction::Output, "SO70", &version("04")), "");
    assert_eq!(variant("SO", Direction::Output, "SO70", &version("03")), "pre_v04");
    assert_eq!(variant("SO", Direction::Output, "SO70", &version("  ")), "pre_v04");
    let mut generated = [b' '; 80];
    (generated[0], generated[79]) = (b'Z', b'Z');
    let layout = grammar.resolve("*", Direction::Output, "Z", &generated).expect("a layout");
    assert_eq!(layout.variant, "ace_generated");
    // A list is found by its column of codes, wherever that stands.
    let conditions = grammar.list("conditions").expect("the conditions");
    assert!(conditions.contains("995"));
}

#[test]
fn misplaced_partner_agency_records_raise_their_own_conditions() {
    let (_, automaton) = Grammar::builtin().structure("PGA", Direction::Input).expect("the set");
    let condition = |records: &str| {
        let mut cursor = Cursor::default();
        let symbols = records.split(' ').map(|record| automaton.symbol(record).expect(record));
        let mut faults = symbols.filter_map(|symbol| cursor.step(automaton, symbol).err());
        faults.next().map(|fault| fault.condition().to_string()).unwrap_or_default()
    };
    assert_eq!(condition("OI PG01 PG02 PG07 PG08 PG19 PG20 PG21 PG26"), "");
    assert_eq!(condition("OI PG01 PG02 PG50 PG07 PG51 PG07 PG19"), "");
    for (records, expected) in [
        ("OI PG02", "P03"),
        ("OI PG01 PG10", "P54"),
        ("OI PG01 PG50", "P35"),
        ("OI PG01 PG02 PG08", "P28"),
        ("OI PG01 PG02 PG20", "P33"),
        ("OI PG01 PG02 PG21", "P34"),
        ("OI PG01 PG02 PG13 PG17", "P29"),
        ("OI PG01 PG02 PG50 PG17", "P32"),
    ] {
        assert_eq!(condition(records), expected, "{records}");
    }
}

#[test]
fn a_field_at_fault_is_named_with_its_place() {
    let text = "record ZZ in 10 x\n  1-2 a A M\n  4-80 b X M\n".to_owned();
    let source = abigate::grammar::Source { name: "own.grammar".to_owned(), text };
    let error = Grammar::default().add(&[source]).unwrap_err();
    assert_eq!(error.to_string(), "own.grammar:3:3: b begins at 4, expected 3");
}
