//! Where batches wait: for the threads that examine them, then for the host thread.
//!
//! Each connection has at most one batch here, so the number of connections and the bytes that the gateway
//! may hold bound what waits. Long batches wait apart from short ones and are answered in parts, so that a
//! short one waits for one part of a long one and never for the whole.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tracing::Span;

use super::queue::FairQueue;
use super::{Answer, AnswerError, Peer};
use crate::envelope::RawBatch;
use crate::host::Examined;
use crate::wire::Columns;

/// How many records of a long batch are answered before others have their turn, how many records short
/// batches that are kept together may have, and beyond how many records a batch is long: some 250 entry
/// summaries, a few hundredths of a second.
pub(super) const PART: usize = 4000;

/// How many waiting batches are answered together: enough to share the cost of keeping them, few enough
/// that the first does not wait long for the last.
const TOGETHER: usize = 64;

/// How many long batches wait for the host thread once they are examined. What was found out about a
/// batch takes several times the room of its records.
const LONG_READY: usize = 2;

/// Something short that the host is asked for.
pub(super) type Task = Box<dyn FnOnce(&mut dyn Answer) + Send>;

/// A batch that waits, and who waits for its answer.
pub(super) struct BatchRequest {
    pub(super) batch: RawBatch,
    pub(super) peer: Arc<Peer>,
    pub(super) span: Span,
    pub(super) examined: Option<Examined>,
    pub(super) reply: oneshot::Sender<Result<Vec<Columns>, AnswerError>>,
}

/// What the host thread does next: all tasks, short batches together, and a part of a long one.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) tasks: Vec<Task>,
    pub(super) short: Vec<BatchRequest>,
    pub(super) long: Option<BatchRequest>,
}

/// The place where connections, examiners and the host thread meet.
pub(super) struct Exchange {
    state: Mutex<State>,
    /// Something waits to be examined, or there is room for what has been.
    for_examiners: Condvar,
    /// Something waits for the host thread.
    for_host: Condvar,
}

struct State {
    unexamined: Lanes,
    examined: Lanes,
    tasks: Vec<Task>,
    /// Whether anybody examines; otherwise batches go to the host thread at once.
    is_examined: bool,
    /// How many batches are being examined.
    in_examination: usize,
    /// How many short batches may wait for the host thread once they are examined.
    room: usize,
    /// Nothing more will come.
    is_closed: bool,
}

struct Lanes {
    short: FairQueue<BatchRequest>,
    long: FairQueue<BatchRequest>,
}

impl Lanes {
    fn new() -> Self {
        Self { short: FairQueue::new(), long: FairQueue::new() }
    }

    fn push(&mut self, request: BatchRequest) {
        let (sender, weight) = (request.peer.account(), request.weight());
        if request.is_long() {
            self.long.push(sender, weight, request);
        } else {
            self.short.push(sender, weight, request);
        }
    }

    fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_empty()
    }
}

impl BatchRequest {
    fn weight(&self) -> usize {
        self.batch.rows.len()
    }

    fn is_long(&self) -> bool {
        self.weight() > PART
    }
}

impl Exchange {
    pub(super) fn new(is_examined: bool, room: usize) -> Self {
        let state = State {
            unexamined: Lanes::new(),
            examined: Lanes::new(),
            tasks: Vec::new(),
            is_examined,
            in_examination: 0,
            room,
            is_closed: false,
        };
        Self { state: Mutex::new(state), for_examiners: Condvar::new(), for_host: Condvar::new() }
    }

    /// Takes a batch. Once the exchange has been abandoned the batch is dropped, and with it the promise of
    /// a reply.
    pub(super) fn push(&self, request: BatchRequest) {
        let mut state = self.state();
        if state.is_closed {
            return;
        }
        if state.is_examined {
            state.unexamined.push(request);
            // not every examiner takes every batch
            self.for_examiners.notify_all();
        } else {
            state.examined.push(request);
            self.for_host.notify_one();
        }
    }

    /// Takes a task, as [`Self::push`] takes a batch.
    pub(super) fn push_task(&self, task: Task) {
        let mut state = self.state();
        if !state.is_closed {
            state.tasks.push(task);
            self.for_host.notify_one();
        }
    }

    /// The next batch to be examined. Waits until there is one; none when no more will come.
    pub(super) fn next_to_examine(&self, takes_long: bool) -> Option<BatchRequest> {
        let mut state = self.state();
        loop {
            if let Some(request) = state.next_to_examine(takes_long) {
                state.in_examination += 1;
                return Some(request);
            }
            if state.is_closed && state.unexamined.is_empty() {
                return None;
            }
            state = self.for_examiners.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a batch that has been examined.
    pub(super) fn put_examined(&self, request: BatchRequest) {
        let mut state = self.state();
        state.in_examination -= 1;
        state.examined.push(request);
        self.for_host.notify_one();
    }

    /// Takes back a long batch of which a part has been answered.
    pub(super) fn put_back(&self, request: BatchRequest) {
        let sender = request.peer.account();
        self.state().examined.long.push_front(sender, PART, request);
    }

    /// What the host thread does next. Waits until there is something; none when no more will come.
    pub(super) fn next_turn(&self) -> Option<Turn> {
        let mut state = self.state();
        loop {
            if !state.tasks.is_empty() || !state.examined.is_empty() {
                let turn = state.turn();
                self.for_examiners.notify_all();
                return Some(turn);
            }
            if state.is_closed && state.unexamined.is_empty() && state.in_examination == 0 {
                return None;
            }
            state = self.for_host.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing more will come; what is there is still done.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.for_examiners.notify_all();
        self.for_host.notify_all();
    }

    /// The host thread has ended: nobody will be answered any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.is_closed = true;
        (state.unexamined, state.examined) = (Lanes::new(), Lanes::new());
        state.tasks.clear();
        self.for_examiners.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing that is done while it is held can panic halfway
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_to_examine(&mut self, takes_long: bool) -> Option<BatchRequest> {
        let short = if self.examined.short.len() < self.room || self.is_closed {
            self.unexamined.short.take(usize::MAX)
        } else {
            None
        };
        let has_room = self.examined.long.len() < LONG_READY || self.is_closed;
        let long = || if takes_long && has_room { self.unexamined.long.take(usize::MAX) } else { None };
        short.or_else(long).map(|(_, request)| request)
    }

    fn turn(&mut self) -> Turn {
        let mut turn = Turn { tasks: std::mem::take(&mut self.tasks), ..Turn::default() };
        let mut room = PART;
        while turn.short.len() < TOGETHER
            && let Some((weight, request)) = self.examined.short.take(room)
        {
            room -= weight;
            turn.short.push(request);
        }
        turn.long = self.examined.long.take(usize::MAX).map(|(_, request)| request);
        turn
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exchange").finish_non_exhaustive()
    }
}
