//! Test data in which no two near positions look alike, so that a byte lost, repeated or moved is seen.

/// `len` bytes of it; another `seed`, other bytes.
pub(super) fn pattern(len: usize, seed: u64) -> Vec<u8> {
    // xorshift64*: the quality doesn't matter, only that it doesn't repeat.
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes()[0]
        })
        .collect()
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
