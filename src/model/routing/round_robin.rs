//! Each target in turn, from the first.

/// The policy and whose turn it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin {
    next: usize,
}

impl RoundRobin {
    #[inline]
    pub(super) const fn choose(&mut self, targets: usize) -> usize {
        let chosen = if self.next < targets { self.next } else { 0 };
        self.next = chosen + 1;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_follows_the_last() {
        let mut policy = RoundRobin::default();
        assert_eq!([0; 5].map(|_| policy.choose(3)), [0, 1, 2, 0, 1]);
        assert_eq!(policy.choose(1), 0, "targets may become fewer");
    }
}
