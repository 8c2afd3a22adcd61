//! Any sequence of filings against the simplest thing that could keep them.

use std::collections::HashMap;

use proptest::prelude::*;

use crate::support::*;

#[derive(Clone, Debug)]
struct Filing {
    number: &'static str,
    action: char,
    reference: &'static str,
    /// Whether it names another port than the summary was added at.
    elsewhere: bool,
}

impl Filing {
    fn rows(&self) -> Vec<abigate::wire::Columns> {
        let action = self.action.to_string();
        let port = if self.elsewhere { "2704" } else { "2720" };
        let values = [
            ("entry_number", self.number),
            ("broker_reference_number", self.reference),
            ("district_port_of_entry", port),
        ];
        match self.action {
            'D' => delete(&values),
            _ => with(summary(&values), &[("summary_filing_action_request_code", &action)]),
        }
    }

    /// What is on file: reference and port by number. All of it is in trade control.
    fn expected(&self, file: &mut HashMap<&'static str, (&'static str, bool)>) -> &'static str {
        let found = file.get(self.number).copied();
        let is_here = found.is_none_or(|(_, elsewhere)| elsewhere == self.elsewhere);
        let matches = self.action != 'A' || found.is_none_or(|(reference, _)| reference == self.reference);
        match (self.action, found) {
            ('D', Some(_)) if is_here => {
                file.remove(self.number);
                "997"
            }
            ('D', _) => "998",
            _ if is_here && matches => {
                file.insert(self.number, (self.reference, self.elsewhere));
                if found.is_some() { "996" } else { "995" }
            }
            _ => {
                file.remove(self.number);
                "998"
            }
        }
    }
}

fn filings() -> impl Strategy<Value = Filing> {
    let number = prop_oneof![Just("00001197"), Just("00001270")];
    let action = prop_oneof![Just('A'), Just('R'), Just('D')];
    let reference = prop_oneof![Just("ONE"), Just("TWO"), Just("")];
    (number, action, reference, prop::bool::weighted(0.2))
        .prop_map(|(number, action, reference, elsewhere)| Filing { number, action, reference, elsewhere })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_file_is_what_the_filings_made_it(batches in prop::collection::vec(prop::collection::vec(filings(), 1..6), 1..5)) {
        let mut host = host();
        let mut file = HashMap::new();
        for filings in batches {
            let expected = filings.iter().map(|filing| filing.expected(&mut file)).collect::<Vec<_>>();
            let rows = filings.iter().map(Filing::rows).collect::<Vec<_>>();
            prop_assert_eq!(dispositions(&answer(&mut host, &batch(&rows))), expected);
        }
        let mut store = host.into_store();
        for number in ["00001197", "00001270"] {
            let reference = on_file(&mut store, number).map(|summary| summary.broker_reference);
            prop_assert_eq!(reference.as_deref(), file.get(number).map(|(reference, _)| *reference));
        }
    }
}
