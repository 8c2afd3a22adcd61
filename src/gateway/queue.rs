//! Queues by sender, emptied in fair turns: who sends much waits for itself.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many records more a sender may have taken with each turn.
const QUANTUM: usize = 1000;

/// Things that wait, each with a weight in records, in the queue of whoever brought them. Turns go round
/// the queues, and each turn lets a queue take [`QUANTUM`] records more (deficit round robin): over time,
/// senders are served the same number of records, in however many pieces they bring them.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    queues: HashMap<Arc<str>, Queue<T>>,
    /// The senders that have something in their queue, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    /// How many things wait in all queues.
    waiting: usize,
}

#[derive(Debug)]
struct Queue<T> {
    things: VecDeque<(usize, T)>,
    /// How many records may be taken in this turn.
    credit: usize,
}

impl<T> FairQueue<T> {
    pub(super) fn new() -> Self {
        Self { queues: HashMap::new(), turns: VecDeque::new(), waiting: 0 }
    }

    /// How many things wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Puts a thing behind the sender's others.
    pub(super) fn push(&mut self, sender: Arc<str>, weight: usize, thing: T) {
        self.queue(sender).things.push_back((weight, thing));
    }

    /// Puts a thing before the sender's others: it has been begun.
    pub(super) fn push_front(&mut self, sender: Arc<str>, weight: usize, thing: T) {
        self.queue(sender).things.push_front((weight, thing));
    }

    fn queue(&mut self, sender: Arc<str>) -> &mut Queue<T> {
        self.waiting += 1;
        let turns = &mut self.turns;
        self.queues.entry(sender).or_insert_with_key(|sender| {
            turns.push_back(Arc::clone(sender));
            Queue { things: VecDeque::new(), credit: 0 }
        })
    }

    /// Takes the next thing whose turn it is, with its weight, if it is no heavier than `room`. What is
    /// heavier keeps its turn.
    pub(super) fn take(&mut self, room: usize) -> Option<(usize, T)> {
        loop {
            let sender = self.turns.front()?;
            let queue = self.queues.get_mut(sender)?;
            let weight = queue.things.front().map(|(weight, _)| *weight)?;
            if weight <= queue.credit {
                if weight > room {
                    return None;
                }
                queue.credit -= weight;
                self.waiting -= 1;
                let taken = queue.things.pop_front();
                if queue.things.is_empty() {
                    self.queues.remove(sender);
                    self.turns.pop_front();
                }
                return taken;
            }
            queue.credit += QUANTUM;
            self.turns.rotate_left(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &mut FairQueue<&'static str>, count: usize) -> Vec<&'static str> {
        (0..count).filter_map(|_| queue.take(usize::MAX)).map(|(_, thing)| thing).collect()
    }

    #[test]
    fn whoever_sends_little_waits_for_one_turn_of_whoever_sends_much() {
        let mut queue = FairQueue::new();
        for _ in 0..100 {
            queue.push("much".into(), 900, "much");
        }
        queue.push("little".into(), 20, "little");
        queue.push("little".into(), 20, "little");
        assert_eq!(taken(&mut queue, 4), ["much", "little", "little", "much"]);
        assert_eq!(queue.len(), 98);
    }

    #[test]
    fn senders_are_served_the_same_number_of_records() {
        let mut queue = FairQueue::new();
        for _ in 0..1000 {
            queue.push("heavy".into(), 2500, "heavy");
            queue.push("light".into(), 50, "light");
        }
        let first = taken(&mut queue, 500);
        let heavy = first.iter().filter(|thing| **thing == "heavy").count();
        assert!((8..=12).contains(&heavy), "{heavy} heavy ones beside {} light ones", 500 - heavy);
    }

    #[test]
    fn what_is_too_heavy_for_the_room_keeps_its_turn_and_its_place() {
        let mut queue = FairQueue::new();
        queue.push("one".into(), 300, "first");
        queue.push("one".into(), 10, "second");
        assert!(queue.take(299).is_none());
        assert_eq!(queue.take(300).map(|(_, thing)| thing), Some("first"));
        queue.push_front("one".into(), 300, "first again");
        assert_eq!(taken(&mut queue, 9), ["first again", "second"]);
        assert!(queue.is_empty());
    }
}
