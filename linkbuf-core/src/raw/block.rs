//! A block: one piece of memory, who sees it, and how it is given back.
#![expect(
    unsafe_code,
    reason = "typed access to headers by raw pointer; the owner's slot is untyped"
)]

use alloc::alloc::{Layout, alloc, dealloc};
use core::{
    any::TypeId,
    mem::MaybeUninit,
    ptr::{self, NonNull},
};

use super::{node::NodePtr, refcount::Refs};
use crate::allocator::{AllocError, NodeAllocator, RawBlock};

/// Words of an owner or allocator handle that a header holds itself; a larger owner gets a box.
const STORE_WORDS: usize = 4;

/// The part of a header that lives as long as anyone sees the bytes.
#[repr(C)]
pub(super) struct Block {
    refs: Refs,
    base: *mut u8,
    cap: usize,
    /// See I2; of a foreign block: `cap`.
    init: usize,
    vtable: &'static Vtable,
    /// Set when the chain lets a native block go that views still hold.
    pins: Option<NonNull<Pins>>,
    /// The owner of foreign bytes, or the allocator of native ones.
    store: MaybeUninit<[usize; STORE_WORDS]>,
}

/// How a kind of block is given back.
pub(super) struct Vtable {
    /// Drops what `store` holds, and with it the bytes; the header stays.
    give_back: unsafe fn(BlockPtr),
    /// The type in `store`.
    holds: TypeId,
    /// An allocator's block: may be written to and used again.
    native: bool,
}

/// Bytes that slices pin after a buffer let them go; shared by the buffer and those blocks.
pub(super) struct Pins {
    refs: Refs,
    bytes: crate::sync::AtomicUsize,
}

/// A block, alive (I9).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockPtr(NonNull<Block>);

/// Reads a field of the block. The place is read by value, so no reference to the block is formed.
macro_rules! get {
    ($this:expr, $field:ident) => {{
        let p = $this.0.as_ptr();
        // SAFETY: the header is alive (I9). The field never changes while the block is shared, but for `init` and
        // `pins`, which only the chain with the block's roomy nodes asks for (I2), or whoever has the block alone.
        unsafe { (*p).$field }
    }};
}

impl BlockPtr {
    /// # Safety
    /// `p` points to a block in a live header, with provenance over the whole header.
    #[inline]
    pub(super) unsafe fn new(p: NonNull<Block>) -> BlockPtr {
        BlockPtr(p)
    }

    #[inline]
    pub(super) fn as_ptr(self) -> NonNull<Block> {
        self.0
    }

    #[inline]
    pub(super) fn base(self) -> *mut u8 {
        get!(self, base)
    }

    #[inline]
    pub(super) fn cap(self) -> usize {
        get!(self, cap)
    }

    #[inline]
    pub(super) fn init(self) -> usize {
        get!(self, init)
    }

    #[inline]
    pub(super) fn native(self) -> bool {
        get!(self, vtable).native
    }

    /// Raises or (`scrub`, of a block seen by nobody else) resets the mark of I2.
    ///
    /// # Safety
    /// The caller is the block's writer (I5), and its first `init` bytes are initialised.
    #[inline]
    pub(super) unsafe fn set_init(self, init: usize) {
        debug_assert!(init <= self.cap());
        let p = self.0.as_ptr();
        // SAFETY: alive (I9); only the block's writer reads or writes the mark (I2).
        unsafe { (*p).init = init };
    }

    /// Treats the bytes of a block that nobody else sees as never written, so that they are cleared before use.
    pub(super) fn reset_init(self) {
        debug_assert!(self.native());
        // SAFETY: none of its bytes is the part that is said to be initialised.
        unsafe { self.set_init(0) };
    }

    #[inline]
    pub(super) fn refs(&self) -> &Refs {
        let p = self.0.as_ptr();
        // SAFETY: alive (I9) for as long as the borrow of this handle; the field is atomic, and never written else.
        unsafe { &(*p).refs }
    }

    /// Does `store` hold a `T`?
    pub(super) fn holds<T: 'static>(self) -> bool {
        get!(self, vtable).holds == TypeId::of::<T>()
    }

    /// The value that owns the bytes, if it is a `T`.
    ///
    /// # Safety
    /// The caller holds a reference to the block for all of `'a`; a thread that did not make the block asks only for
    /// a `T` that is `Sync`.
    pub(super) unsafe fn owner<'a, T: 'static>(self) -> Option<&'a T> {
        if !self.holds::<T>() {
            return None;
        }
        let at = self.stored::<T>();
        // SAFETY: `holds` proves the type; the value lives, unmoved, as long as the header (I1), which the caller's
        // reference keeps; nothing forms a mutable reference to it before it is dropped.
        Some(unsafe { &*at })
    }

    /// Where the `T` of this block is.
    fn stored<T>(self) -> *mut T {
        let p = self.0.as_ptr();
        // SAFETY: alive (I9); no reference is formed.
        let store = unsafe { &raw mut (*p).store };
        if fits::<T>() {
            store.cast::<T>()
        } else {
            // SAFETY: `put_store` wrote a pointer there for a type that does not fit.
            unsafe { store.cast::<*mut T>().read() }
        }
    }

    /// Makes the fresh memory of a header a native block.
    ///
    /// # Safety
    /// The header is the caller's alone. `raw` was given by `alloc`.
    pub(super) unsafe fn write_native<A: NodeAllocator>(
        self,
        raw: RawBlock,
        alloc: A,
        refs: usize,
    ) {
        const {
            assert!(
                fits::<A>(),
                "an allocator handle has at most four words, aligned to a word"
            );
        };
        let p = self.0.as_ptr();
        let block = Block {
            refs: Refs::new(refs),
            base: raw.ptr.as_ptr(),
            cap: raw.len,
            init: raw.init,
            vtable: native_vtable::<A>(),
            pins: None,
            store: MaybeUninit::uninit(),
        };
        // SAFETY: the caller's memory; what was there before is dead.
        unsafe { p.write(block) };
        let at = self.stored::<A>();
        // SAFETY: as above, and `A` fits (asserted).
        unsafe { at.write(alloc) };
    }

    /// Makes the fresh memory of a header a block of foreign bytes, which `value` owns. Gives the value back if there
    /// is no memory for its box.
    ///
    /// # Safety
    /// The header is the caller's alone. After `Ok` the caller sets the range of bytes by `set_foreign_range`.
    pub(super) unsafe fn write_foreign<T: Send + 'static>(
        self,
        value: T,
        refs: usize,
    ) -> Result<(), (AllocError, T)> {
        let boxed = if fits::<T>() {
            None
        } else {
            let layout = Layout::new::<T>();
            let at = if layout.size() == 0 {
                // Too large an alignment for the store, and nothing to allocate.
                ptr::without_provenance_mut(layout.align())
            } else {
                // SAFETY: the size is not 0.
                unsafe { alloc(layout) }
            };
            match NonNull::new(at) {
                Some(at) => Some(at.cast::<T>()),
                None => {
                    return Err((
                        AllocError {
                            size: layout.size(),
                        },
                        value,
                    ));
                }
            }
        };
        let p = self.0.as_ptr();
        let block = Block {
            refs: Refs::new(refs),
            base: ptr::null_mut(),
            cap: 0,
            init: 0,
            vtable: foreign_vtable::<T>(),
            pins: None,
            store: MaybeUninit::uninit(),
        };
        // SAFETY: the caller's memory; what was there before is dead.
        unsafe { p.write(block) };
        // SAFETY: as above; no reference is formed.
        let store = unsafe { &raw mut (*p).store };
        if let Some(at) = boxed {
            // SAFETY: fresh memory of this layout.
            unsafe { at.as_ptr().write(value) };
            // SAFETY: a pointer fits.
            unsafe { store.cast::<*mut T>().write(at.as_ptr()) };
        } else {
            // SAFETY: `fits` was asked above.
            unsafe { store.cast::<T>().write(value) };
        }
        Ok(())
    }

    /// # Safety
    /// The block is foreign and its header the caller's alone; `bytes` are borrowed from the owner in its store.
    pub(super) unsafe fn set_foreign_range(self, bytes: &[u8]) {
        let p = self.0.as_ptr();
        // SAFETY: the caller's alone.
        unsafe { (*p).base = bytes.as_ptr().cast_mut() };
        // SAFETY: as above.
        unsafe { (*p).cap = bytes.len() };
        // SAFETY: as above.
        unsafe { (*p).init = bytes.len() };
    }

    /// Takes the owner out again; the block is dead then.
    ///
    /// # Safety
    /// The block is foreign, of this `T`, its header the caller's alone, and nobody sees its bytes.
    pub(super) unsafe fn take_owner<T>(self) -> T {
        let at = self.stored::<T>();
        // SAFETY: the caller's promise; the store is not used again.
        let value = unsafe { at.read() };
        if !fits::<T>() {
            // SAFETY: `at` is the box of `write_foreign`, now empty.
            unsafe { free_box(at) };
        }
        value
    }

    /// Gives the bytes back to whoever gave them: drops the owner, or calls the allocator. The header stays and is
    /// the caller's.
    ///
    /// # Safety
    /// The count is 0, or all of it the caller's: nobody sees the block, and nobody will.
    pub(super) unsafe fn give_back(self) {
        let pins = get!(self, pins);
        let cap = self.cap();
        let give_back = get!(self, vtable).give_back;
        if let Some(pins) = pins {
            Pins::unpin(pins, cap);
        }
        // SAFETY: the function belongs to this block, and this is its last use by the caller's promise.
        unsafe { give_back(self) };
    }

    /// Gives back the bytes and frees the header they stood in.
    ///
    /// # Safety
    /// As `give_back`, and the header is in no list (I6): its node left its chain.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn destroy(self) {
        /// Frees the header also when the owner's drop panics.
        struct Free(NodePtr);
        impl Drop for Free {
            fn drop(&mut self) {
                // SAFETY: the header is in no list, its block is dead: this is its last use.
                unsafe { self.0.free() };
            }
        }
        let _header = Free(self.header());
        // SAFETY: passed on.
        unsafe { self.give_back() };
    }

    /// The header that this block stands in.
    #[inline]
    pub(super) fn header(self) -> NodePtr {
        NodePtr::of_block(self)
    }

    /// Has its bytes counted by `pins` until it is given back.
    ///
    /// # Safety
    /// The caller holds references that it gives up afterwards, so that whoever comes last sees the mark.
    pub(super) unsafe fn pin(self, pins: NonNull<Pins>) {
        Pins::pin(pins, self.cap());
        let p = self.0.as_ptr();
        // SAFETY: alive (I9); the field is read only by this chain, and by whoever comes last, after this Release (I3).
        unsafe { (*p).pins = Some(pins) };
    }

    /// Takes back `pin`, of a block that is the caller's alone again.
    pub(super) fn unpin(self) {
        debug_assert!(self.native());
        if let Some(pins) = get!(self, pins) {
            let p = self.0.as_ptr();
            // SAFETY: alive (I9), and nobody else sees the block.
            unsafe { (*p).pins = None };
            Pins::unpin(pins, self.cap());
        }
    }

    pub(super) fn is_pinned(self) -> bool {
        get!(self, pins).is_some()
    }
}

/// Does a header hold a `T` itself?
const fn fits<T>() -> bool {
    size_of::<T>() <= size_of::<[usize; STORE_WORDS]>() && align_of::<T>() <= align_of::<usize>()
}

/// # Safety
/// `at` is the box that `write_foreign` made for a `T`, and the `T` is gone.
unsafe fn free_box<T>(at: *mut T) {
    let layout = Layout::new::<T>();
    if layout.size() != 0 {
        // SAFETY: allocated with this layout in `write_foreign`.
        unsafe { dealloc(at.cast(), layout) };
    }
}

fn native_vtable<A: NodeAllocator>() -> &'static Vtable {
    /// # Safety
    /// See `BlockPtr::give_back`; the store holds an `A`.
    unsafe fn give_back<A: NodeAllocator>(block: BlockPtr) {
        let at = block.stored::<A>();
        // SAFETY: `write_native` put an `A` there, and it is read out for the last time.
        let alloc = unsafe { at.read() };
        if let Some(ptr) = NonNull::new(block.base()) {
            let raw = RawBlock {
                ptr,
                len: block.cap(),
                init: block.init(),
            };
            // SAFETY: this handle is a clone of the one that gave the block (same length, I1), the mark is I2's, and
            // nobody uses the memory by the caller's promise.
            unsafe { alloc.deallocate(raw) };
        }
    }
    const {
        &Vtable {
            give_back: give_back::<A>,
            holds: TypeId::of::<A>(),
            native: true,
        }
    }
}

fn foreign_vtable<T: Send + 'static>() -> &'static Vtable {
    /// # Safety
    /// See `BlockPtr::give_back`; the store holds a `T` or its box.
    unsafe fn give_back<T>(block: BlockPtr) {
        /// Frees the box also when the owner's drop panics.
        struct Free<T>(*mut T);
        impl<T> Drop for Free<T> {
            fn drop(&mut self) {
                if !fits::<T>() {
                    // SAFETY: the box of `write_foreign`, whose value was dropped in place.
                    unsafe { free_box(self.0) };
                }
            }
        }
        let at = Free(block.stored::<T>());
        // SAFETY: `write_foreign` put the value there; this is its last use. `T: Send`, so any thread may.
        unsafe { ptr::drop_in_place(at.0) };
    }
    const {
        &Vtable {
            give_back: give_back::<T>,
            holds: TypeId::of::<T>(),
            native: false,
        }
    }
}

impl Pins {
    /// A counter that the caller holds, or `None` if there is no memory: then nothing is counted.
    pub(super) fn create() -> Option<NonNull<Pins>> {
        // SAFETY: `Pins` is not zero-sized.
        let at = NonNull::new(unsafe { alloc(Layout::new::<Pins>()) })?.cast::<Pins>();
        let pins = Pins {
            refs: Refs::new(1),
            bytes: crate::sync::AtomicUsize::new(0),
        };
        // SAFETY: fresh memory of this layout.
        unsafe { at.as_ptr().write(pins) };
        Some(at)
    }

    fn pin(this: NonNull<Pins>, bytes: usize) {
        // SAFETY: the caller holds a reference.
        let pins = unsafe { this.as_ref() };
        pins.refs.add(1);
        pins.bytes.fetch_add(bytes, crate::sync::Ordering::Relaxed);
    }

    fn unpin(this: NonNull<Pins>, bytes: usize) {
        {
            // SAFETY: the block's reference is given up only below.
            let pins = unsafe { this.as_ref() };
            pins.bytes.fetch_sub(bytes, crate::sync::Ordering::Relaxed);
        }
        Pins::release(this);
    }

    pub(super) fn bytes(this: NonNull<Pins>) -> usize {
        // SAFETY: the caller holds a reference.
        unsafe { this.as_ref() }
            .bytes
            .load(crate::sync::Ordering::Relaxed)
    }

    /// Gives up a reference that the caller holds.
    pub(super) fn release(this: NonNull<Pins>) {
        // SAFETY: the caller's reference is given up here and not before; the borrow ends with the statement.
        let last = unsafe { this.as_ref() }.refs.sub(1);
        if last {
            // SAFETY: made with this layout; nobody holds it any more. Its fields need no drop.
            unsafe { dealloc(this.as_ptr().cast(), Layout::new::<Pins>()) };
        }
    }
}
