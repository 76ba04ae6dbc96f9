//! torch's random permutations, so that one seed means one split in both programs.

/// The Mersenne Twister of torch's CPU generator (Matsumoto & Nishimura 1998, 32 bits).
struct MersenneTwister {
    state: [u32; WORDS],
    next: usize,
}

const WORDS: usize = 624;
const MIDDLE: usize = 397;

impl MersenneTwister {
    /// As `torch.manual_seed(seed)`, which keeps the lower 32 bits.
    fn new(seed: u64) -> Self {
        let mut state = [seed as u32; WORDS];
        for word in 1..WORDS {
            let before = state[word - 1];
            state[word] = 1_812_433_253_u32
                .wrapping_mul(before ^ before >> 30)
                .wrapping_add(word as u32);
        }
        Self { state, next: WORDS }
    }

    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            self.renew();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    fn renew(&mut self) {
        for word in 0..WORDS {
            let (high, low) = (self.state[word], self.state[(word + 1) % WORDS]);
            let mixed = high & 0x8000_0000 | low & 0x7fff_ffff;
            let twist = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[word] = self.state[(word + MIDDLE) % WORDS] ^ mixed >> 1 ^ twist;
        }
        self.next = 0;
    }
}

/// `torch.randperm(n)` after `torch.manual_seed(seed)`, on the CPU: `0..n` in random order.
///
/// torch takes 64-bit words where `n` is beyond some 200 millions; no such data set fits here.
pub(crate) fn randperm(n: usize, seed: u64) -> Vec<u32> {
    let mut random = MersenneTwister::new(seed);
    let mut order: Vec<u32> = (0..n as u32).collect();
    for first in 0..n.saturating_sub(1) {
        let chosen = first + random.word() as usize % (n - first);
        order.swap(first, chosen);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What torch 2.15 gives.
    #[test]
    fn permutations_are_those_of_torch() {
        let cases: [(usize, u64, &[u32]); 6] = [
            (1, 0, &[0]),
            (2, 5, &[1, 0]),
            (10, 1234, &[5, 4, 8, 2, 6]),
            (1000, 7, &[615, 284, 599, 580, 347]),
            (112_800, 1234, &[32_175, 20_921, 90_582, 90_788, 55_388]),
            (50, (1 << 33) + 17, &[9, 42, 49, 40, 18]),
        ];
        for (n, seed, beginning) in cases {
            let order = randperm(n, seed);
            assert_eq!(&order[..beginning.len()], beginning, "{n} of seed {seed}");
            let mut sorted = order;
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..n as u32), "{n} of seed {seed}");
        }
        assert!(randperm(0, 3).is_empty());
    }
}
