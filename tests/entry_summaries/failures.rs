//! The store fails at call 1, 2, 3 and so on: of each batch all is kept, or nothing.

use std::cell::Cell;
use std::rc::Rc;

use abigate::envelope::Sender;
use abigate::store::{
    Archive, BatchOnFile, CensusWarning, EntryKey, EntrySummary, Ledger, Mail, SetAsideKind, SqliteStore,
    Store, StoreError, Unit, WarningQuery, Withdrawal,
};

use crate::support::*;

/// Counts calls down, and fails when none is left.
#[derive(Clone)]
struct Fuse(Rc<Cell<Option<u32>>>);

impl Fuse {
    /// Added to the calls: it fails only once.
    const ONCE: u32 = 1 << 31;

    fn burn(&self) -> Result<(), StoreError> {
        match self.0.get() {
            Some(Self::ONCE) => {
                self.0.set(None);
                Err(StoreError::Refused("injected".to_owned()))
            }
            Some(0) => Err(StoreError::Refused("injected".to_owned())),
            Some(left) => {
                self.0.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

struct Faulty<S> {
    inner: S,
    fuse: Fuse,
    defects: Defects,
}

struct FaultyUnit<U> {
    inner: U,
    fuse: Fuse,
    defects: Defects,
}

/// What goes wrong otherwise than by an error that is told.
#[derive(Clone, Copy, Default)]
struct Defects {
    /// The program ends in a panic when this entry is looked up.
    panics_at: Option<&'static str>,
    /// Nobody knows whether a commit was kept.
    is_uncertain: bool,
}

impl<S: Store> Store for Faulty<S> {
    type Unit<'a>
        = FaultyUnit<S::Unit<'a>>
    where
        Self: 'a;

    fn begin(&mut self) -> Result<Self::Unit<'_>, StoreError> {
        self.fuse.burn()?;
        Ok(FaultyUnit { inner: self.inner.begin()?, fuse: self.fuse.clone(), defects: self.defects })
    }

    fn newest_mail(&mut self) -> Result<i64, StoreError> {
        self.fuse.burn()?;
        self.inner.newest_mail()
    }

    fn next_mail(&mut self, recipient: &Sender, after: i64) -> Result<Option<Mail>, StoreError> {
        self.fuse.burn()?;
        self.inner.next_mail(recipient, after)
    }
}

impl<U: Unit> Unit for FaultyUnit<U> {
    fn entry_summary(&mut self, key: &EntryKey) -> Result<Option<EntrySummary>, StoreError> {
        assert_ne!(self.defects.panics_at, Some(&*key.number), "a defect of the program");
        self.fuse.burn()?;
        self.inner.entry_summary(key)
    }

    fn put_entry_summary(&mut self, summary: &EntrySummary) -> Result<(), StoreError> {
        self.fuse.burn()?;
        self.inner.put_entry_summary(summary)
    }

    fn remove_entry_summary(&mut self, key: &EntryKey) -> Result<(), StoreError> {
        self.fuse.burn()?;
        self.inner.remove_entry_summary(key)
    }

    fn consolidated_into(&mut self, release: &EntryKey) -> Result<Option<EntryKey>, StoreError> {
        self.fuse.burn()?;
        self.inner.consolidated_into(release)
    }

    fn consolidate(&mut self, summary: &EntryKey, releases: &[EntryKey]) -> Result<(), StoreError> {
        self.fuse.burn()?;
        self.inner.consolidate(summary, releases)
    }

    fn consolidated_by(&mut self, summary: &EntryKey) -> Result<Vec<EntryKey>, StoreError> {
        self.fuse.burn()?;
        self.inner.consolidated_by(summary)
    }

    fn withdrawals(&mut self, warehouse: &EntryKey) -> Result<Vec<Withdrawal>, StoreError> {
        self.fuse.burn()?;
        self.inner.withdrawals(warehouse)
    }

    fn finalize(&mut self, warehouse: &EntryKey, withdrawal: &EntryKey) -> Result<(), StoreError> {
        self.fuse.burn()?;
        self.inner.finalize(warehouse, withdrawal)
    }

    fn ledger(&mut self) -> Result<&mut dyn Ledger, StoreError> {
        self.fuse.burn()?;
        self.inner.ledger()
    }

    fn put_census_warnings(
        &mut self,
        entry: &EntryKey,
        warnings: &[CensusWarning],
    ) -> Result<(), StoreError> {
        self.fuse.burn()?;
        self.inner.put_census_warnings(entry, warnings)
    }

    fn census_warnings(&mut self, query: &WarningQuery<'_>) -> Result<Vec<CensusWarning>, StoreError> {
        self.fuse.burn()?;
        self.inner.census_warnings(query)
    }

    fn override_census_warning(
        &mut self,
        entry: &EntryKey,
        line: &str,
        code: &str,
        reason: &str,
    ) -> Result<bool, StoreError> {
        self.fuse.burn()?;
        self.inner.override_census_warning(entry, line, code, reason)
    }

    fn put_batch(&mut self, batch: &BatchOnFile) -> Result<i64, StoreError> {
        self.fuse.burn()?;
        self.inner.put_batch(batch)
    }

    fn archive(&mut self) -> Result<&mut dyn Archive, StoreError> {
        self.fuse.burn()?;
        self.inner.archive()
    }

    fn commit(self) -> Result<(), StoreError> {
        self.fuse.burn()?;
        if self.defects.is_uncertain {
            return Err(StoreError::Uncertain(rusqlite::Error::InvalidQuery));
        }
        self.inner.commit()
    }
}

/// One summary replaced, one deleted, one added, one refused with what it was to correct.
fn mixed_batch() -> abigate::envelope::RawBatch {
    batch(&[
        summary(&[("entry_number", "00001270")]),
        delete(&[("entry_number", "00002674")]),
        delete(&[]),
        summary(&[("entry_number", "00009042")]),
        summary(&[("entry_number", "00009059"), ("broker_reference_number", "OTHER")]),
    ])
}

const NUMBERS: [&str; 5] = ["00001197", "00001270", "00002674", "00009042", "00009059"];

fn prepared() -> SqliteStore {
    let mut host = host();
    let before = ["00001197", "00001270", "00009059"].map(|number| summary(&[("entry_number", number)]));
    assert_eq!(dispositions(&answer(&mut host, &batch(&before))), ["995"; 3]);
    host.into_store()
}

fn faulty(fuse: &Fuse) -> Faulty<SqliteStore> {
    Faulty { inner: prepared(), fuse: fuse.clone(), defects: Defects::default() }
}

type Contents = (Vec<Option<EntrySummary>>, usize);

fn contents(store: &mut SqliteStore) -> Contents {
    (NUMBERS.map(|number| on_file(store, number)).to_vec(), store.batches().unwrap().len())
}

#[test]
fn a_failing_store_keeps_all_of_a_batch_or_nothing() {
    let mut undisturbed = host_in(world(""), prepared());
    let complete = answer(&mut undisturbed, &mixed_batch());
    assert_eq!(dispositions(&complete), ["996", "998", "997", "995", "998"], "{complete:#?}");
    let after = contents(&mut undisturbed.into_store());
    let before = contents(&mut prepared());
    assert_ne!(before, after);
    for calls in 0.. {
        let fuse = Fuse(Rc::new(Cell::new(None)));
        let mut host = host_in(world(""), faulty(&fuse));
        fuse.0.set(Some(calls));
        let found = answer(&mut host, &mixed_batch());
        let failed = fuse.0.get() == Some(0);
        fuse.0.set(None);
        let now = contents(&mut host.into_store().inner);
        if found == complete {
            assert_eq!(now, after, "after {calls} calls");
            assert!(calls > 15, "the store was hardly asked");
            return;
        }
        assert!(failed);
        assert_eq!(dispositions(&found), ["ZZZ"; 5], "after {calls} calls: {found:#?}");
        assert_eq!(now, before, "after {calls} calls");
    }
}

#[test]
fn the_batch_can_be_sent_again_after_a_system_failure() {
    let fuse = Fuse(Rc::new(Cell::new(None)));
    let mut host = host_in(world(""), faulty(&fuse));
    fuse.0.set(Some(7));
    let failed = answer(&mut host, &mixed_batch());
    let expected = "\
E0 SUMMRY 000001 REF ID: EEE 00001270 ORC-26119
E1RFZZZ   ** ACE SYSTEM FAILURE **                EEE  00001270     ORC-26119";
    assert_eq!(failed[2..4].join("\n"), expected);
    fuse.0.set(None);
    let again = answer(&mut host, &mixed_batch());
    assert_eq!(dispositions(&again), ["996", "998", "997", "995", "998"]);
}

/// Two batches that come at the same moment, and what they are answered.
fn together<S: Store>(host: &mut abigate::host::Host<'_, S>) -> Vec<Vec<String>> {
    let batches = [mixed_batch(), batch(&[delete(&[("entry_number", "00001270")])])];
    let examiner = host.examiner();
    let waiting = batches.each_ref().map(|batch| {
        let examined = examiner.examine(batch, &Trusted, &noon());
        assert!(examined.is_some());
        (batch, &Trusted as &dyn abigate::host::Peer, examined)
    });
    let answers = host.answer_all(waiting.into(), &noon());
    answers.into_iter().flat_map(|answer| codes(&lines(&answer.unwrap()))).collect()
}

#[test]
fn batches_kept_together_are_answered_as_one_after_the_other() {
    let mut host = host_in(world(""), prepared());
    let found = together(&mut host);
    assert_eq!(contents(&mut host.into_store()).1, 3);
    let mut host = host_in(world(""), prepared());
    let one = codes(&answer(&mut host, &mixed_batch()));
    let two = codes(&answer(&mut host, &batch(&[delete(&[("entry_number", "00001270")])])));
    assert_eq!(found, [one, two].concat());
}

#[test]
fn a_failing_store_keeps_nothing_of_batches_that_came_together() {
    let mut undisturbed = host_in(world(""), prepared());
    let complete = together(&mut undisturbed);
    let before = contents(&mut prepared());
    for calls in 0.. {
        let fuse = Fuse(Rc::new(Cell::new(None)));
        let mut host = host_in(world(""), faulty(&fuse));
        fuse.0.set(Some(calls));
        let found = together(&mut host);
        fuse.0.set(None);
        if found == complete {
            assert!(calls > 20, "the store was hardly asked");
            return;
        }
        assert_eq!(found, vec![vec!["ZZZ"]; 6], "after {calls} calls");
        assert_eq!(contents(&mut host.into_store().inner), before, "after {calls} calls");
    }
}

#[test]
fn one_failure_of_the_store_costs_nothing_but_time() {
    let complete = together(&mut host_in(world(""), prepared()));
    for calls in 0..20 {
        let fuse = Fuse(Rc::new(Cell::new(None)));
        let mut host = host_in(world(""), faulty(&fuse));
        fuse.0.set(Some(calls | Fuse::ONCE));
        assert_eq!(together(&mut host), complete, "after {calls} calls");
        assert_eq!(fuse.0.get(), None);
    }
}

/// A host on a store with defects, which hold from the moment on when it has begun.
fn with_defects(defects: Defects) -> abigate::host::Host<'static, Faulty<SqliteStore>> {
    let mut host = host_in(world(""), faulty(&Fuse(Rc::new(Cell::new(None)))));
    host.store().defects = defects;
    host
}

#[test]
fn a_batch_at_which_the_program_fails_is_answered_and_set_aside_and_all_others_go_on() {
    let mut host = with_defects(Defects { panics_at: Some("00009042"), ..Defects::default() });
    let good = batch(&[delete(&[("entry_number", "00001270")])]);
    for _ in 0..2 {
        let bad = mixed_batch();
        let waiting = [&bad, &good].map(|batch| (batch, &Trusted as &dyn abigate::host::Peer, None));
        let answers = host.answer_all(waiting.into(), &noon());
        let answers = answers.into_iter().map(|answer| lines(&answer.unwrap())).collect::<Vec<_>>();
        assert_eq!(dispositions(&answers[0]), ["ZZZ"; 5]);
        assert_ne!(dispositions(&answers[1]), ["ZZZ"]);
    }
    let store = &mut host.into_store().inner;
    assert_eq!(on_file(store, "00001270"), None, "the other batch has taken effect");
    assert!(on_file(store, "00001197").is_some(), "of the bad one nothing is kept");
    let aside = store.begin().unwrap().archive().unwrap().all_set_aside().unwrap();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(aside[0].kind, SetAsideKind::Batch);
    assert!(aside[0].reason.contains("a defect of the program"), "{aside:?}");
    assert_eq!(aside[0].records.len(), mixed_batch().rows.len());
    assert!(!aside[0].records.as_flattened().windows(6).any(|bytes| bytes == b"PASSWD"));
}

#[test]
fn nobody_is_told_anything_when_it_is_not_known_whether_the_batch_was_kept() {
    let mut host = with_defects(Defects { is_uncertain: true, ..Defects::default() });
    let (one, other) = (mixed_batch(), batch(&[delete(&[])]));
    let waiting = [&one, &other].map(|batch| (batch, &Trusted as &dyn abigate::host::Peer, None));
    let answers = host.answer_all(waiting.into(), &noon());
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert!(host.answer_in_any_case(&one, &Trusted, &noon()).is_err());
}

/// A store that another program holds, and how often it was waited for.
struct Locked {
    inner: SqliteStore,
    is_locked: bool,
    waits: u32,
}

impl Store for Locked {
    type Unit<'a> = <SqliteStore as Store>::Unit<'a>;

    fn begin(&mut self) -> Result<Self::Unit<'_>, StoreError> {
        if !self.is_locked {
            return self.inner.begin();
        }
        self.waits += 1;
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        Err(rusqlite::Error::SqliteFailure(busy, None).into())
    }

    fn newest_mail(&mut self) -> Result<i64, StoreError> {
        self.inner.newest_mail()
    }

    fn next_mail(&mut self, recipient: &Sender, after: i64) -> Result<Option<Mail>, StoreError> {
        self.inner.next_mail(recipient, after)
    }
}

#[test]
fn batches_that_come_together_wait_for_a_locked_store_only_once() {
    let mut host = host_in(world(""), Locked { inner: prepared(), is_locked: false, waits: 0 });
    host.store().is_locked = true;
    let batches = (0..6).map(|_| batch(&[delete(&[])])).collect::<Vec<_>>();
    let waiting = batches.iter().map(|batch| (batch, &Trusted as &dyn abigate::host::Peer, None));
    let answers = host.answer_all(waiting.collect(), &noon());
    for answer in answers {
        assert_eq!(dispositions(&lines(&answer.unwrap())), ["ZZZ"]);
    }
    assert_eq!(host.store().waits, 1);
}
