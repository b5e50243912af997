//! A list of views that several slices share: what a slice across nodes stands on.
#![expect(
    unsafe_code,
    reason = "a hand-made shared list that its maker can fill again"
)]

use alloc::alloc::{Layout, alloc, dealloc};
use core::{mem, ptr::NonNull, slice};

use super::{refcount::Refs, view::View};
use crate::allocator::AllocError;

/// A view and where its bytes end, counted from the list's first byte.
struct Entry {
    view: View,
    end: usize,
}

/// The head of the allocation; `cap` entries follow, the first `len` of them filled.
#[repr(C)]
struct Head {
    /// Those who read the views. The last one drops them.
    readers: Refs,
    /// Those who hold the memory: the readers together count one, and a buffer that fills the list again one.
    holders: Refs,
    cap: usize,
    len: usize,
}

/// A reader's share of a list.
pub(crate) struct ViewList(NonNull<Head>);

/// A holder's share of a list: its memory, not its views. A buffer keeps it to fill the list again when the last
/// reader is gone, so that slices across nodes cost no allocation in the steady state.
pub(super) struct ListMemory(NonNull<Head>);

// SAFETY: the entries are not written to while there are readers; views are `Send + Sync`; the counts are atomic.
unsafe impl Send for ViewList {}
// SAFETY: as above.
unsafe impl Sync for ViewList {}

fn layout(cap: usize) -> Option<Layout> {
    let entries = Layout::array::<Entry>(cap).ok()?;
    let (layout, offset) = Layout::new::<Head>().extend(entries).ok()?;
    debug_assert_eq!(
        offset,
        size_of::<Head>(),
        "the entries need no padding before them"
    );
    Some(layout)
}

const _: () = assert!(size_of::<Head>().is_multiple_of(align_of::<Entry>()));

/// The first entry.
fn entries(head: NonNull<Head>) -> NonNull<Entry> {
    // SAFETY: the allocation goes on behind the head (`layout`), or ends there when `cap` is 0.
    unsafe { head.add(1) }.cast()
}

impl ListMemory {
    /// Memory for `cap` views.
    pub(super) fn alloc(cap: usize) -> Result<ListMemory, AllocError> {
        let layout = layout(cap).ok_or(AllocError { size: usize::MAX })?;
        // SAFETY: the head is not zero-sized.
        let at = unsafe { alloc(layout) };
        let at = NonNull::new(at.cast::<Head>()).ok_or(AllocError {
            size: layout.size(),
        })?;
        let head = Head {
            readers: Refs::new(0),
            holders: Refs::new(1),
            cap,
            len: 0,
        };
        // SAFETY: fresh memory of this layout.
        unsafe { at.write(head) };
        Ok(ListMemory(at))
    }

    pub(super) fn cap(&self) -> usize {
        let head = self.0.as_ptr();
        // SAFETY: alive: `self` holds it; the capacity never changes.
        unsafe { (*head).cap }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Head>() + self.cap() * size_of::<Entry>()
    }

    /// Has the last reader gone, and its views with it?
    pub(super) fn idle(&self) -> bool {
        let head = self.0.as_ptr();
        // SAFETY: alive: `self` holds it; the field is atomic.
        let holders = unsafe { &(*head).holders };
        // The readers' share of the memory goes after their views were dropped (`ViewList::drop`).
        holders.only(1)
    }

    /// Fills an idle list with views, of which there are at most `cap`, and makes a reader of all of it.
    ///
    /// The views are counted before the first is taken; should the iterator give more, the rest is ignored.
    pub(super) fn fill(&mut self, views: impl Iterator<Item = View>) -> ViewList {
        assert!(self.idle(), "a list that is read is not filled");
        let cap = self.cap();
        let first = entries(self.0);
        let (mut len, mut end) = (0, 0);
        for view in views.take(cap) {
            end += view.len();
            // SAFETY: `len < cap` entries in the allocation.
            let at = unsafe { first.add(len) };
            // SAFETY: there are no readers, so the memory is ours; what was there is dead.
            unsafe { at.write(Entry { view, end }) };
            len += 1;
        }
        let head = self.0.as_ptr();
        // SAFETY: no readers yet: ours alone.
        unsafe { (*head).len = len };
        // SAFETY: as above.
        unsafe { (*head).readers = Refs::new(1) };
        // SAFETY: alive; atomic.
        unsafe { &(*head).holders }.add(1);
        ViewList(self.0)
    }
}

impl Drop for ListMemory {
    fn drop(&mut self) {
        free_if_last(self.0);
    }
}

/// Gives up one share of the memory.
fn free_if_last(at: NonNull<Head>) {
    let head = at.as_ptr();
    // SAFETY: alive: the caller's share is given up here; the borrow ends with the statement.
    let last = unsafe { &(*head).holders }.sub(1);
    if last {
        // SAFETY: the capacity is what it was allocated with.
        let cap = unsafe { (*head).cap };
        if let Some(layout) = layout(cap) {
            // SAFETY: allocated with this layout, and nobody holds it any more; the views were dropped by the last
            // reader, and the head needs no drop.
            unsafe { dealloc(head.cast(), layout) };
        }
    }
}

impl ViewList {
    fn as_slice(&self) -> &[Entry] {
        let head = self.0.as_ptr();
        // SAFETY: alive, and unwritten while there are readers, `self` being one.
        let len = unsafe { (*head).len };
        // SAFETY: the first `len` entries are filled, and unwritten as above.
        unsafe { slice::from_raw_parts(entries(self.0).as_ptr(), len) }
    }

    /// Bytes of all views.
    pub(crate) fn len(&self) -> usize {
        self.as_slice().last().map_or(0, |e| e.end)
    }

    /// The view that holds byte `at`, its index, and the offset of `at` in it. O(log views).
    pub(crate) fn find(&self, at: usize) -> Option<(usize, &View, usize)> {
        let entries = self.as_slice();
        let i = entries.partition_point(|e| e.end <= at);
        let e = entries.get(i)?;
        Some((i, &e.view, at - (e.end - e.view.len())))
    }

    /// The view with this index.
    pub(crate) fn get(&self, i: usize) -> Option<&View> {
        self.as_slice().get(i).map(|e| &e.view)
    }
}

impl Clone for ViewList {
    fn clone(&self) -> ViewList {
        let head = self.0.as_ptr();
        // SAFETY: alive; atomic.
        unsafe { &(*head).readers }.add(1);
        ViewList(self.0)
    }
}

impl Drop for ViewList {
    fn drop(&mut self) {
        /// Gives up the readers' share of the memory, also when an owner's drop panics.
        struct Share(NonNull<Head>);
        impl Drop for Share {
            fn drop(&mut self) {
                free_if_last(self.0);
            }
        }

        let head = self.0.as_ptr();
        // SAFETY: alive: this reader's share is given up here; the borrow ends with the statement.
        let last = unsafe { &(*head).readers }.sub(1);
        if last {
            let _share = Share(self.0);
            // SAFETY: the length changes only without readers and by the holder, who waits for the readers' share.
            let len = unsafe { (*head).len };
            let all = core::ptr::slice_from_raw_parts_mut(entries(self.0).as_ptr(), len);
            if mem::needs_drop::<Entry>() {
                // SAFETY: filled entries that nobody reads any more; they are dead afterwards.
                unsafe { core::ptr::drop_in_place(all) };
            }
        }
    }
}
