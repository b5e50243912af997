//! Pages as bits: 64 of them in a word, blocks of them as runs of bits.

/// Blocks of 1, 2, 4, 8 and 16 pages lie at multiples of their size.
pub(super) const ORDERS: usize = 5;

/// What [`orders`] says of a word that has blocks of every order.
pub(super) const ALL_ORDERS: u8 = (1 << ORDERS) - 1;

/// Pages in a word.
pub(super) const WORD: usize = 64;

/// A bit at each multiple of 2^order.
const STARTS: [u64; ORDERS] = {
    let mut starts = [0; ORDERS];
    let mut order = 0;
    while order < ORDERS {
        starts[order] = u64::MAX / ((1 << (1 << order)) - 1);
        order += 1;
    }
    starts
};

/// The bits of an aligned block of 2^order pages that starts at bit 0.
pub(super) const fn block(order: usize) -> u64 {
    (1 << (1 << order)) - 1
}

/// Where aligned blocks of 2^order pages are all ones: a bit at the start of each.
pub(super) fn full_blocks(mut bits: u64, order: usize) -> u64 {
    for i in 0..order {
        bits &= bits >> (1 << i);
    }
    bits & STARTS.get(order).copied().unwrap_or(0)
}

/// The bits of all aligned blocks of 2^order pages that are all ones.
pub(super) fn keep_full(bits: u64, order: usize) -> u64 {
    // The blocks don't overlap, so a product is a union.
    full_blocks(bits, order).wrapping_mul(block(order))
}

/// The bits of all aligned blocks of 2^order pages that hold a one.
pub(super) fn fill_touched(bits: u64, order: usize) -> u64 {
    !keep_full(!bits, order)
}

/// For each order, as a bit: is there an aligned block of this many ones?
pub(super) fn orders(bits: u64) -> u8 {
    let mut found = 0;
    let mut run = bits;
    for (order, starts) in STARTS.into_iter().enumerate() {
        found |= u8::from(run & starts != 0) << order;
        run &= run >> (1 << order);
    }
    found
}

/// The pages `first..first + count`, as (word, bits in it).
pub(super) fn masks(first: usize, count: usize) -> impl Iterator<Item = (usize, u64)> {
    let end = first + count;
    let words = if count == 0 {
        0..0
    } else {
        first / WORD..end.div_ceil(WORD)
    };
    words.map(move |word| {
        let low = first.saturating_sub(word * WORD);
        let high = (end - word * WORD).min(WORD);
        (word, (u64::MAX >> (WORD - (high - low))) << low)
    })
}

/// Runs of ones in a row of words, as (first page, count), in order.
pub(super) fn runs(words: &[u64]) -> impl Iterator<Item = (usize, usize)> {
    let pages = words.len() * WORD;
    let bit = |page: usize| {
        words
            .get(page / WORD)
            .is_some_and(|w| w >> (page % WORD) & 1 == 1)
    };
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = (at..pages).find(|page| bit(*page))?;
        let end = (first..pages).find(|page| !bit(*page)).unwrap_or(pages);
        at = end;
        Some((first, end - first))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bit(bits: u64, at: usize) -> bool {
        bits >> at & 1 == 1
    }

    proptest! {
        #[test]
        fn blocks_are_found_as_by_looking_at_each_bit(a: u64, b: u64, order in 0..ORDERS) {
            // Runs of ones are rare in random bits.
            for bits in [a, a | b, a & b, !a | b << 7, !0, 0] {
                let size = 1 << order;
                let (mut starts, mut full, mut touched) = (0_u64, 0_u64, 0_u64);
                for start in (0..WORD).step_by(size) {
                    let ones = (start..start + size).filter(|at| bit(bits, *at)).count();
                    let all = block(order) << start;
                    if ones == size {
                        starts |= 1 << start;
                        full |= all;
                    }
                    if ones > 0 {
                        touched |= all;
                    }
                }
                prop_assert_eq!(full_blocks(bits, order), starts);
                prop_assert_eq!(keep_full(bits, order), full);
                prop_assert_eq!(fill_touched(bits, order), touched);
                prop_assert_eq!(orders(bits) >> order & 1 == 1, starts != 0);
            }
        }

        #[test]
        fn masks_and_runs_are_the_same_pages(first in 0_usize..512, count in 1_usize..512) {
            prop_assume!(first + count <= 512);
            let mut words = [0_u64; 8];
            for (word, mask) in masks(first, count) {
                words[word] |= mask;
            }
            for page in 0..512 {
                let wanted = (first..first + count).contains(&page);
                prop_assert_eq!(bit(words[page / WORD], page % WORD), wanted);
            }
            prop_assert_eq!(runs(&words).collect::<Vec<_>>(), [(first, count)]);
        }
    }

    #[test]
    fn no_pages_are_no_words() {
        assert_eq!(masks(5, 0).next(), None);
        assert_eq!(masks(64, 0).next(), None);
    }

    #[test]
    fn runs_end_at_zeros_and_go_on_across_words() {
        let words = [1 << 63 | 0b0110, 0b1011];
        let found: Vec<_> = runs(&words).collect();
        assert_eq!(found, [(1, 2), (63, 3), (67, 1)]);
        assert_eq!(runs(&[]).next(), None);
    }
}
