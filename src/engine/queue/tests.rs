//! The queue compared with a simple one: a sorted map of all pending events.

use std::collections::BTreeMap;

use super::*;
use crate::engine::random::{Draw, RandomStream};

/// Pops all events.
fn drain(queue: &mut EventQueue<u64>) -> Vec<(u64, u64)> {
    std::iter::from_fn(|| queue.pop_until(SimTime::MAX)).map(|(at, event)| (at.as_nanos(), event)).collect()
}

#[test]
fn events_come_in_order_of_time_and_then_of_scheduling() {
    let mut queue = EventQueue::default();
    let lane = queue.lane(SimDuration::from_nanos(5)).expect("a lane");
    queue.schedule_last(SimTime::from_nanos(5), 4);
    queue.schedule(SimTime::from_nanos(5), 1);
    queue.schedule_in(lane, 2);
    queue.schedule(SimTime::from_nanos(5), 3);
    queue.schedule(SimTime::from_nanos(4), 0);
    assert_eq!(drain(&mut queue), [(4, 0), (5, 1), (5, 2), (5, 3), (5, 4)]);
}

#[test]
fn no_event_beyond_the_horizon_is_popped() {
    let mut queue = EventQueue::default();
    queue.schedule(SimTime::from_nanos(10), 0_u64);
    assert_eq!(queue.pop_until(SimTime::from_nanos(9)), None);
    assert_eq!(queue.pop_until(SimTime::from_nanos(10)), Some((SimTime::from_nanos(10), 0)));
    assert_eq!(queue.now(), SimTime::from_nanos(10));
    assert!(queue.is_empty());
}

#[test]
fn a_cancelled_event_never_happens_and_a_past_one_cannot_be_cancelled() {
    let mut queue = EventQueue::default();
    let past = queue.schedule_cancellable(SimTime::from_nanos(1), 1_u64);
    let never = queue.schedule_cancellable(SimTime::from_nanos(2), 2);
    queue.schedule_cancellable(SimTime::from_nanos(3), 3);
    assert_eq!(queue.pop_until(SimTime::MAX), Some((SimTime::from_nanos(1), 1)));
    assert!(!queue.cancel(past));
    assert!(queue.cancel(never));
    assert!(!queue.cancel(never), "it is cancelled already");
    assert_eq!(queue.len(), 1);
    assert_eq!(drain(&mut queue), [(3, 3)]);
    assert!(queue.cancelled.is_empty());
}

#[test]
fn there_are_at_most_eight_lanes_and_the_same_delay_shares_one() {
    let mut queue = EventQueue::<u64>::default();
    let first = queue.lane(SimDuration::from_nanos(0));
    let lanes = (0..20).filter_map(|delay| queue.lane(SimDuration::from_nanos(delay))).count();
    assert_eq!(lanes, 8);
    assert_eq!(queue.lane(SimDuration::from_nanos(0)), first);
}

/// Asserts that the queue agrees with a sorted map through random operations. Keeps about `pending` events in the
/// queue; their delays have fewer than `spread` bits.
fn compare_with_a_map(seed: u64, pending: usize, spread: u64) {
    let mut random = RandomStream::from_seed(seed);
    let mut queue = EventQueue::default();
    let lanes: Vec<LaneId> =
        [0, 3, 1_000].iter().filter_map(|&delay| queue.lane(SimDuration::from_nanos(delay))).collect();
    let mut expected: BTreeMap<(u64, bool, u64), Option<EventKey>> = BTreeMap::new();
    let mut now = 0;
    for number in 0..20_000_u64 {
        if random.chance(0.002) {
            let (modulus, rest) = (1 + random.below(20), random.below(20));
            let removed = queue.remove_where(|event| event % modulus == rest % modulus);
            let (matching, kept) =
                expected.into_iter().partition(|((.., event), _)| event % modulus == rest % modulus);
            expected = kept;
            let matching: BTreeMap<(u64, bool, u64), Option<EventKey>> = matching;
            let removed: Vec<_> = removed.into_iter().map(|(at, event)| (at.as_nanos(), event)).collect();
            assert_eq!(removed, matching.keys().map(|&(at, _, event)| (at, event)).collect::<Vec<_>>());
        }
        let target = if number < 10_000 { pending } else { pending / 50 };
        let bits = random.below(spread);
        let at = now + random.below(1 << bits);
        match random.below(8) {
            _ if expected.len() > target => {
                let horizon = if random.chance(0.5) { u64::MAX } else { at };
                let popped =
                    queue.pop_until(SimTime::from_nanos(horizon)).map(|(at, event)| (at.as_nanos(), event));
                let next = expected.first_key_value().map(|(key, _)| *key).filter(|key| key.0 <= horizon);
                assert_eq!(popped, next.map(|(at, _, event)| (at, event)), "seed {seed}, operation {number}");
                if let Some(key) = next {
                    expected.remove(&key);
                    now = key.0;
                }
            }
            0 => {
                let lane = random.index(lanes.len());
                queue.schedule_in(lanes[lane], number);
                expected.insert((now + [0, 3, 1_000][lane], false, number), None);
            }
            1 => {
                queue.schedule_last(SimTime::from_nanos(at), number);
                expected.insert((at, true, number), None);
            }
            2 | 3 => {
                let key = queue.schedule_cancellable(SimTime::from_nanos(at), number);
                expected.insert((at, false, number), Some(key));
            }
            4 => {
                let cancellable = expected.iter().find_map(|(place, key)| key.map(|key| (*place, key)));
                if let Some((place, key)) = cancellable {
                    assert!(queue.cancel(key));
                    expected.remove(&place);
                }
            }
            _ => {
                queue.schedule(SimTime::from_nanos(at), number);
                expected.insert((at, false, number), None);
            }
        }
        assert_eq!(queue.len(), expected.len());
    }
    let rest: Vec<_> = expected.keys().map(|&(at, _, event)| (at, event)).collect();
    assert_eq!(drain(&mut queue), rest);
}

#[test]
fn the_queue_agrees_with_a_sorted_map_at_any_size_and_time_scale() {
    for (seed, pending) in (1..).zip([1, 3, 20, 40, 100, 130, 300, 2_000, 6_000]) {
        for spread in [1, 4, 12, 30, 55] {
            compare_with_a_map(seed, pending, spread);
        }
    }
}

#[test]
fn first_events_come_before_all_others_of_their_instant_unless_it_has_begun() {
    let mut queue = EventQueue::default();
    let at = SimTime::from_nanos;
    queue.schedule(at(0), 2_u64);
    queue.schedule(at(5), 6);
    queue.schedule_first(at(5), 4);
    queue.schedule_first(at(0), 1);
    queue.schedule_first(at(5), 5);
    assert_eq!(queue.pop_until(at(0)), Some((at(0), 1)));
    assert_eq!(queue.pop_until(at(0)), Some((at(0), 2)));
    queue.schedule(at(0), 3);
    queue.schedule_first(at(0), 4);
    assert_eq!(drain(&mut queue), [(0, 3), (0, 4), (5, 4), (5, 5), (5, 6)]);
}

#[test]
fn removing_events_from_a_long_lane_leaves_the_rest_in_order() {
    let mut queue = EventQueue::default();
    let lane = queue.lane(SimDuration::from_nanos(9)).expect("a lane");
    for number in 0..2_000_u64 {
        queue.schedule_in(lane, number);
    }
    for _ in 0..300 {
        queue.pop_until(SimTime::MAX);
    }
    let odd = queue.remove_where(|number| number % 2 == 1);
    assert_eq!(odd.len(), 850);
    for number in 2_000..2_300 {
        queue.schedule_in(lane, number);
    }
    let rest: Vec<u64> = drain(&mut queue).into_iter().map(|(_, number)| number).collect();
    let expected: Vec<u64> = (300..2_000).filter(|number| number % 2 == 0).chain(2_000..2_300).collect();
    assert_eq!(rest, expected);
    queue.schedule_in(lane, 7);
    assert_eq!(queue.remove_where(|_| true).len(), 1);
    assert!(queue.is_empty() && queue.pop_until(SimTime::MAX).is_none());
}

#[test]
fn a_cancelled_event_is_not_among_the_removed_ones() {
    let mut queue = EventQueue::default();
    let key = queue.schedule_cancellable(SimTime::from_nanos(1), 1_u64);
    queue.schedule_cancellable(SimTime::from_nanos(2), 2);
    assert!(queue.cancel(key));
    assert_eq!(queue.remove_where(|_| true), [(SimTime::from_nanos(2), 2)]);
    assert!(queue.is_empty() && queue.cancelled.is_empty());
}

#[test]
fn cancelled_events_do_not_accumulate() {
    let mut queue = EventQueue::default();
    for number in 0..100_000_u64 {
        let key = queue.schedule_cancellable(SimTime::from_nanos(1_000_000 + number), number);
        if number % 1_000 != 0 {
            assert!(queue.cancel(key));
        }
        let held = queue.near_queue.len() + queue.wheel.len();
        assert!(held <= 2 * (queue.len() + 1024) + 1, "{held} events held, {} pending", queue.len());
    }
    assert_eq!(drain(&mut queue).len(), 100);
}
