//! Finding a delimiter across nodes, without looking at a byte twice.

use memchr::{memchr, memmem};

use super::{chain::Chain, pieces::Pieces};
use crate::{allocator::NodeAllocator, error::Error};

/// The longest pattern that is remembered in place.
const INLINE: usize = 7;

/// A pattern up to this length is looked for by its first byte.
const SHORT: usize = 8;

/// How far the last failed search came.
#[repr(C)]
pub(super) struct Searched {
    /// The position before which no match begins.
    upto: usize,
    /// The pattern, if it is short; `len` 0: nothing is remembered.
    bytes: [u8; INLINE],
    len: u8,
}

/// `Searched::len` of a pattern that is in the cold table.
const LONG: u8 = u8::MAX;

impl Searched {
    pub(super) const fn new() -> Searched {
        Searched {
            upto: 0,
            bytes: [0; INLINE],
            len: 0,
        }
    }

    /// Forgets a search whose pattern is in the cold table.
    pub(super) fn forget_long(&mut self) {
        if self.len == LONG {
            self.len = 0;
        }
    }

    #[inline]
    pub(super) fn forget(&mut self) {
        self.len = 0;
    }
}

impl<A: NodeAllocator> Chain<A> {
    /// How many readable bytes there are up to and with the first `byte`.
    #[inline]
    pub(crate) fn find_byte(&mut self, byte: u8) -> Result<usize, Error> {
        let mut scanned = 0;
        if self.searched.len == 0 {
            let piece = self.first_piece();
            if let Some(i) = memchr(byte, piece) {
                return Ok(i + 1);
            }
            scanned = piece.len();
        }
        self.find_slow(&[byte], scanned)
    }

    /// How many readable bytes there are up to and with the first `pattern`. An empty one is found at once.
    pub(crate) fn find_bytes(&mut self, pattern: &[u8]) -> Result<usize, Error> {
        match *pattern {
            [] => Ok(0),
            [byte] => self.find_byte(byte),
            _ => {
                let mut scanned = 0;
                if self.searched.len == 0 {
                    let piece = self.first_piece();
                    if let Some(i) = find_in(piece, 0, pattern) {
                        return Ok(i + pattern.len());
                    }
                    // A match may begin in the last bytes and end in a later piece.
                    scanned = piece.len().saturating_sub(pattern.len() - 1);
                }
                self.find_slow(pattern, scanned)
            }
        }
    }

    /// Finds `pattern`, which does not begin within the first `scanned` bytes.
    #[inline(never)]
    fn find_slow(&mut self, pattern: &[u8], scanned: usize) -> Result<usize, Error> {
        self.settle();
        let len = self.len();
        let position = self.position();
        let from = if self.remembers(pattern) {
            // Bytes that were read meanwhile need no search.
            let ahead = self.searched.upto.wrapping_sub(position);
            if ahead <= len { ahead } else { 0 }
        } else {
            scanned
        };
        if let Some(n) = search(self.pieces(), from, pattern) {
            self.searched.forget();
            return Ok(n);
        }
        let tail = len.min(pattern.len() - 1);
        self.remember(pattern, position.wrapping_add(from.max(len - tail)));
        Err(Error::NotFound { readable: len })
    }

    /// Forgets a search that the reader has come past. At each border of nodes: positions can't come round to it again
    /// between two, as a node has no more than `isize::MAX` bytes.
    #[inline]
    pub(super) fn forget_passed(&mut self) {
        if self.searched.upto.wrapping_sub(self.position()) > self.len() {
            self.searched.forget();
        }
    }

    fn remembers(&self, pattern: &[u8]) -> bool {
        match self.searched.len {
            0 => false,
            LONG => self.cold.as_ref().is_some_and(|c| c.pattern() == pattern),
            n => self.searched.bytes.get(..usize::from(n)) == Some(pattern),
        }
    }

    fn remember(&mut self, pattern: &[u8], upto: usize) {
        if !self.remembers(pattern) {
            self.searched.forget();
            if let Some(bytes) = self.searched.bytes.get_mut(..pattern.len()) {
                bytes.copy_from_slice(pattern);
                self.searched.len = bytes.len() as u8;
            } else if self.cold().is_ok_and(|c| c.set_pattern(pattern)) {
                self.searched.len = LONG;
                self.recount();
            }
        }
        self.searched.upto = upto;
    }
}

/// Where `pattern` (not empty) ends that begins at `from` or later, counted over all pieces.
///
/// O(bytes) within pieces; a match that may cross a border costs up to the pattern's length per candidate.
fn search(pieces: Pieces<'_>, from: usize, pattern: &[u8]) -> Option<usize> {
    let m = pattern.len();
    let mut pieces = pieces;
    let mut base = 0;
    while let Some(piece) = pieces.next() {
        let mut at = from.saturating_sub(base).min(piece.len());
        if let Some(i) = find_in(piece, at, pattern) {
            return Some(base + i + m);
        }
        // A match may begin here and end in a later piece.
        at = at.max(piece.len().saturating_sub(m - 1));
        while let Some(i) = piece.get(at..).and_then(|rest| memchr(pattern[0], rest)) {
            if crosses(&piece[at + i..], pieces.clone(), pattern) {
                return Some(base + at + i + m);
            }
            at += i + 1;
        }
        base += piece.len();
    }
    None
}

/// Where `pattern` (not empty) begins in one piece, at `from` or later.
fn find_in(piece: &[u8], from: usize, pattern: &[u8]) -> Option<usize> {
    if pattern.len() > SHORT {
        return Some(memmem::find(piece.get(from..)?, pattern)? + from);
    }
    // For a delimiter such as "\r\n", preparing a searcher costs more than the search.
    let mut at = from;
    loop {
        at += memchr(pattern[0], piece.get(at..)?)?;
        if piece.get(at..)?.starts_with(pattern) {
            return Some(at);
        }
        at += 1;
    }
}

/// Does `pattern` begin with all of `head` and go on in `rest`?
fn crosses(head: &[u8], rest: Pieces<'_>, pattern: &[u8]) -> bool {
    let Some(mut pattern) = pattern.strip_prefix(head) else {
        return false;
    };
    for piece in rest {
        let n = piece.len().min(pattern.len());
        if piece[..n] != pattern[..n] {
            return false;
        }
        pattern = &pattern[n..];
        if pattern.is_empty() {
            return true;
        }
    }
    pattern.is_empty()
}
