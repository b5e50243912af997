//! Test data in which no two near positions look alike, so that a byte lost, repeated or moved is seen.

use std::ops::RangeInclusive;

/// Numbers that are the same in every run. xorshift64*: the quality doesn't matter, only that it doesn't repeat.
pub(super) struct Numbers(u64);

impl Numbers {
    /// Another `seed`, other numbers.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One of `range`, which isn't empty.
    pub(super) fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        let span = (range.end() - range.start() + 1) as u64;
        // The upper bits are the good ones; the remainder fits, as `span` did.
        range.start() + ((self.next() >> 16) % span) as usize
    }
}

/// `len` bytes of it; another `seed`, other bytes.
pub(super) fn pattern(len: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    (0..len).map(|_| numbers.next().to_be_bytes()[0]).collect()
}

/// `bytes` in pieces of the lengths that `numbers` has within `range`; the last one is what is left.
pub(super) fn cut<'a>(
    mut bytes: &'a [u8],
    numbers: &mut Numbers,
    range: RangeInclusive<usize>,
) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(numbers.within(range.clone()).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// `Ok` if both are the same, else what differs first.
pub(super) fn expect_same(got: &[u8], want: &[u8]) -> Result<(), String> {
    if got == want {
        return Ok(());
    }
    let at = got.iter().zip(want).take_while(|(g, w)| g == w).count();
    Err(format!(
        "{} bytes came out of {}; the first difference is at {at}",
        got.len(),
        want.len()
    ))
}
