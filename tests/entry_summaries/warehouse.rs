//! Warehouse entries, their withdrawals and what is left (usage note bb).

use abigate::envelope::RawBatch;
use abigate::host::Host;
use abigate::store::SqliteStore;
use abigate::wire::Columns;
use rust_decimal::Decimal;

use crate::support::*;

const WAREHOUSE: &str = "00001924";

/// The warehouse entry of the sample, and its withdrawal.
fn parts() -> (Vec<Columns>, Vec<Columns>) {
    let rows = sample("good/31-warehouse-withdrawal");
    let from = rows.iter().rposition(|row| row.starts_with(b"10")).unwrap();
    (rows[2..from].to_vec(), rows[from..rows.len() - 2].to_vec())
}

/// A withdrawal of some pieces, half a kilogram each; the totals of the sample stay, since of this one line
/// duty and fees are what the sample says.
fn withdrawal(number: &str, pieces: u32, is_final: bool) -> Vec<Columns> {
    let mut rows = with(parts().1, &[("entry_number", number), ("broker_reference_number", number)]);
    put(&mut rows, "30", "final_warehouse_withdrawal_indicator", if is_final { "Y" } else { "" });
    put(&mut rows, "50", "quantity_1", &format!("{pieces:0>10}00"));
    put(&mut rows, "50", "quantity_2", &format!("{:0>12}", pieces * 50));
    rows
}

fn send(host: &mut Host<'static, SqliteStore>, summaries: &[Vec<Columns>]) -> Vec<Vec<String>> {
    let frame = sample("good/31-warehouse-withdrawal");
    let mut rows = frame[..2].to_vec();
    rows.extend(summaries.iter().flatten());
    rows.extend(&frame[frame.len() - 2..]);
    codes(&answer(host, &RawBatch::from_rows(rows)))
}

/// The pieces that are left, and whether the warehouse entry is closed.
fn left(host: &mut Host<'static, SqliteStore>) -> (Decimal, bool) {
    let balance = host.warehouse_balance(&key(WAREHOUSE)).unwrap().unwrap();
    let pieces = balance.lines.iter().find(|line| line.unit == "NO").unwrap();
    let weight = balance.lines.iter().find(|line| line.unit == "KG").unwrap();
    assert_eq!(weight.left() * Decimal::TWO, pieces.left());
    (pieces.left(), balance.closed)
}

fn removal(number: &str) -> Vec<Columns> {
    delete(&[
        ("entry_number", number),
        ("broker_reference_number", number),
        ("entry_type_code", "31"),
        ("district_port_of_entry", "2704"),
    ])
}

const FIRST: &str = "00002187";
const SECOND: &str = "00001197";
const THIRD: &str = "00001270";
const FOURTH: &str = "00002344";

#[test]
fn three_withdrawals_run_the_balance_down_and_the_last_closes_it() {
    let mut host = host();
    assert_eq!(send(&mut host, &[parts().0]), [["995"]]);
    assert_eq!(left(&mut host), (8000.into(), false));
    assert_eq!(send(&mut host, &[withdrawal(FIRST, 1000, false)]), [["995"]]);
    assert_eq!(left(&mut host), (7000.into(), false));
    assert_eq!(send(&mut host, &[withdrawal(SECOND, 2500, false)]), [["995"]]);
    assert_eq!(left(&mut host), (4500.into(), false));
    assert_eq!(send(&mut host, &[withdrawal(THIRD, 4500, true)]), [["995"]]);
    assert_eq!(left(&mut host), (0.into(), true));
    // No further withdrawal can be made.
    assert_eq!(send(&mut host, &[withdrawal(FOURTH, 100, false)]), [["305", "998"]]);
    assert_eq!(left(&mut host), (0.into(), true));
}

#[test]
fn replaced_and_deleted_withdrawals_give_back_what_they_took() {
    let mut host = host();
    send(&mut host, &[parts().0, withdrawal(FIRST, 1000, false), withdrawal(SECOND, 2500, true)]);
    assert_eq!(left(&mut host), (4500.into(), true));
    assert_eq!(send(&mut host, &[withdrawal(FIRST, 400, false)]), [["996"]]);
    assert_eq!(left(&mut host), (5100.into(), true));
    assert_eq!(send(&mut host, &[removal(SECOND)]), [["997"]]);
    assert_eq!(left(&mut host), (7600.into(), false));
}

#[test]
fn the_last_withdrawal_can_be_made_another() {
    let mut host = host();
    send(&mut host, &[parts().0, withdrawal(FIRST, 1000, false), withdrawal(SECOND, 2500, true)]);
    // Another one on file takes the designation over.
    assert_eq!(send(&mut host, &[withdrawal(FIRST, 1000, true)]), [["996"]]);
    assert_eq!(left(&mut host), (4500.into(), true));
    assert_eq!(send(&mut host, &[withdrawal(FIRST, 1000, false)]), [["996"]]);
    assert_eq!(left(&mut host), (4500.into(), false), "the second is the last no longer");
    assert_eq!(send(&mut host, &[withdrawal(THIRD, 100, false)]), [["995"]]);
}

#[test]
fn a_warehouse_entry_with_withdrawals_stays_one() {
    let mut host = host();
    send(&mut host, &[parts().0, withdrawal(FIRST, 1000, false)]);
    let other_type = with(parts().0, &[("entry_type_code", "01")]);
    assert_eq!(send(&mut host, &[other_type]), [["B65", "998"]]);
}

#[test]
fn goods_that_were_warehoused_twice_stay_five_years_from_the_first_importation() {
    let rows = sample("good/22-re-warehouse");
    let from = rows.iter().rposition(|row| row.starts_with(b"10")).unwrap();
    let again = rows[from..rows.len() - 2].to_vec();
    for (imported, expected) in [("2021-08-04", vec!["304", "998"]), ("2021-08-05", vec!["995"])] {
        let first = format!(
            "[[entry_summary]]\nfiler = \"EEE\"\nentry_number = \"{WAREHOUSE}\"\nport = \"2704\"\nentry_type = \"21\"\n\
             importer = \"96-2205130\"\nimport_date = \"{imported}\"\n"
        );
        let mut host = host_in(world(&first), SqliteStore::in_memory().unwrap());
        let mut again = again.clone();
        put(&mut again, "11", "estimated_entry_date", "080426");
        assert_eq!(send(&mut host, &[again]), [["995"]]);
        // A day later, out of the second warehouse.
        let mut out = withdrawal(FIRST, 1000, false);
        put(&mut out, "30", "associated_warehouse_entry_number", "00002005");
        assert_eq!(send(&mut host, &[out]), [expected], "{imported}");
    }
}
