//! Slices of readable bytes with the lifetime of the chain's borrow (I8).

use super::{chain::Chain, chain_read::Cut};
use crate::{allocator::NodeAllocator, error::Error};

/// A mutable borrow of a chain for reading: what it hands out lives as long as the borrow, also beside what it hands
/// out later, because nothing that it can do frees or writes bytes (I8).
pub(crate) struct ReadSession<'b, A: NodeAllocator> {
    chain: &'b mut Chain<A>,
}

impl<'b, A: NodeAllocator> ReadSession<'b, A> {
    #[inline]
    pub(crate) fn new(chain: &'b mut Chain<A>) -> Self {
        ReadSession { chain }
    }

    #[inline]
    pub(crate) fn chain(&self) -> &Chain<A> {
        self.chain
    }

    #[inline]
    pub(crate) fn next(&mut self, n: usize) -> Result<&'b [u8], Error> {
        self.chain.take(n)
    }

    #[inline]
    pub(crate) fn peek(&mut self, n: usize) -> Result<&'b [u8], Error> {
        self.chain.look(n)
    }

    #[inline]
    pub(crate) fn skip(&mut self, n: usize) -> Result<(), Error> {
        self.chain.skip(n)
    }

    #[inline]
    pub(crate) fn read_into(&mut self, dst: &mut [u8]) -> Result<(), Error> {
        self.chain.read_into(dst)
    }

    /// Up to and with the first `byte`, consumed.
    #[inline]
    pub(crate) fn until(&mut self, byte: u8) -> Result<&'b [u8], Error> {
        let n = self.chain.find_byte(byte)?;
        self.chain.take(n)
    }

    /// Up to and with the first `pattern`, consumed.
    pub(crate) fn until_bytes(&mut self, pattern: &[u8]) -> Result<&'b [u8], Error> {
        let n = self.chain.find_bytes(pattern)?;
        self.chain.take(n)
    }

    /// A view of the next `n` bytes, consumed.
    #[inline]
    pub(crate) fn cut(&mut self, n: usize) -> Result<Cut, Error> {
        self.chain.cut(n)
    }
}
