//! A row of bits that can be inserted and removed: which pieces, in the order of their addresses, have room.

use std::collections::TryReserveError;

const WORD: usize = 64;

/// Bits in a row. Finding the first one looks at one word for 64 of them, from where the last search ended.
#[derive(Debug, Default)]
pub(super) struct Row {
    words: Vec<u64>,
    len: usize,
    /// All words before this one are zero.
    hint: usize,
}

impl Row {
    pub(super) const fn new() -> Self {
        Row {
            words: Vec::new(),
            len: 0,
            hint: 0,
        }
    }

    pub(super) fn own_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    /// Room for one more bit.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.words.try_reserve(1)
    }

    /// Inserts a zero at `at <= len`. [`reserve`](Self::reserve) made room for it.
    pub(super) fn insert(&mut self, at: usize) {
        debug_assert!(at <= self.len);
        if self.len.is_multiple_of(WORD) {
            self.words.push(0);
        }
        self.len += 1;
        let mut carry = 0;
        let mut words = self.words.iter_mut().skip(at / WORD);
        if let Some(word) = words.next() {
            let below = (1_u64 << (at % WORD)) - 1;
            carry = *word >> (WORD - 1);
            *word = *word & below | (*word & !below) << 1;
        }
        for word in words {
            let out = *word >> (WORD - 1);
            *word = *word << 1 | carry;
            carry = out;
        }
    }

    /// Removes the bit at `at < len`.
    pub(super) fn remove(&mut self, at: usize) {
        debug_assert!(at < self.len);
        let mut carry = 0;
        for (i, word) in self.words.iter_mut().enumerate().skip(at / WORD).rev() {
            let out = *word & 1;
            if i == at / WORD {
                let below = (1_u64 << (at % WORD)) - 1;
                *word = *word & below | (*word >> 1) & !below | carry << (WORD - 1);
            } else {
                *word = *word >> 1 | carry << (WORD - 1);
            }
            carry = out;
        }
        self.len -= 1;
        if self.len.is_multiple_of(WORD) {
            self.words.pop();
        }
        self.hint = self.hint.min(at / WORD);
    }

    pub(super) fn set(&mut self, at: usize, on: bool) {
        if let Some(word) = self.words.get_mut(at / WORD) {
            let bit = 1 << (at % WORD);
            if on {
                *word |= bit;
                self.hint = self.hint.min(at / WORD);
            } else {
                *word &= !bit;
            }
        }
    }

    /// The lowest one.
    pub(super) fn first(&mut self) -> Option<usize> {
        for (i, word) in self.words.iter().enumerate().skip(self.hint) {
            if *word != 0 {
                self.hint = i;
                return Some(i * WORD + word.trailing_zeros() as usize);
            }
        }
        self.hint = self.words.len();
        None
    }

    /// The lowest one of those from `at` on.
    pub(super) fn first_from(&self, at: usize) -> Option<usize> {
        let skip = (at / WORD).max(self.hint);
        self.words
            .iter()
            .enumerate()
            .skip(skip)
            .find_map(|(i, word)| {
                let above = at.saturating_sub(i * WORD);
                let left = if above < WORD {
                    *word >> above << above
                } else {
                    0
                };
                (left != 0).then(|| i * WORD + left.trailing_zeros() as usize)
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_vector_of_bools(steps in prop::collection::vec((0_usize..1000, 0_u8..8), 1..600)) {
            let (mut row, mut model) = (Row::new(), Vec::new());
            for (at, step) in steps {
                if step < 4 || model.is_empty() {
                    let at = at % (model.len() + 1);
                    row.reserve().expect("memory for the test");
                    row.insert(at);
                    model.insert(at, false);
                    row.set(at, step % 2 == 0);
                    model[at] = step % 2 == 0;
                } else if step < 6 {
                    let at = at % model.len();
                    row.remove(at);
                    model.remove(at);
                } else {
                    let at = at % model.len();
                    row.set(at, step == 6);
                    model[at] = step == 6;
                }
                prop_assert_eq!(row.first(), model.iter().position(|on| *on));
                let wanted = model.iter().enumerate().skip(at).find(|(_, on)| **on);
                prop_assert_eq!(row.first_from(at), wanted.map(|(i, _)| i));
            }
        }
    }
}
