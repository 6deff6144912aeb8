//! Pseudo-random numbers that depend on nothing but their seed.

/// Scrambles a number; the finaliser of `SplitMix64` (Steele, Lea and Flood, 2014).
pub(super) const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stream of numbers of its own for each purpose and subject.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64, purpose: u64, subject: u64) -> Self {
        Self(mix(seed ^ mix(purpose ^ mix(subject))))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`.
    pub(super) const fn below(&mut self, bound: usize) -> usize {
        ((self.next() as u128 * bound as u128) >> 64) as usize
    }

    /// True so many times in a hundred.
    pub(super) const fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// An order of the numbers below `count` that needs no memory: a bijection on the next power of two, walked
/// along its cycle until it is below `count` again.
#[derive(Clone, Debug)]
pub(super) struct Shuffle {
    count: u64,
    mask: u64,
    shift: u32,
    seed: u64,
}

impl Shuffle {
    pub(super) const fn new(count: u64, seed: u64) -> Self {
        let bits = 64 - count.saturating_sub(1).leading_zeros();
        Self {
            count,
            mask: (1_u64 << bits) - 1,
            shift: bits / 2 + 1,
            seed: mix(seed),
        }
    }

    /// Where the number `at`, which is below `count`, has its place.
    pub(super) const fn place(&self, at: u64) -> u64 {
        let mut x = at;
        loop {
            x = self.scramble(x);
            if x < self.count {
                return x;
            }
        }
    }

    const fn scramble(&self, mut x: u64) -> u64 {
        let mut round = 0;
        while round < 3 {
            x = x
                .wrapping_mul(0xd6e8_feb8_6659_fd93)
                .wrapping_add(self.seed)
                & self.mask;
            x ^= x >> self.shift;
            round += 1;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_gives_every_number_once_and_in_no_order() {
        for count in [1, 2, 3, 7, 8, 9, 1_000, 4_097] {
            let shuffle = Shuffle::new(count, 5);
            let places: Vec<u64> = (0..count).map(|at| shuffle.place(at)).collect();
            let mut sorted = places.clone();
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..count));
            let rising = places
                .windows(2)
                .filter(|pair| pair[0] + 1 == pair[1])
                .count();
            assert!(rising <= count as usize / 50 + 4, "{rising} of {count}");
        }
    }

    #[test]
    fn dice_are_fair_enough() {
        let mut dice = Dice::new(1, 2, 3);
        let mut counts = [0; 6];
        for _ in 0..60_000 {
            counts[dice.below(6)] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_500..10_500).contains(count)),
            "{counts:?}"
        );
    }
}
