//! How an allocator is held: by reference for the life of the program, or counted.

use std::{ops::Deref, sync::Arc};

/// A reference to an allocator's state. A static one is cloned and dropped at no cost; a counted one costs an atomic
/// add and an atomic subtract, and frees the state with the last handle or block.
#[derive(Debug)]
pub(crate) enum Handle<T: 'static> {
    Static(&'static T),
    Shared(Arc<T>),
}

impl<T> Handle<T> {
    /// The same state for the life of the program; from now on clones of what is returned cost nothing.
    pub(crate) fn leak(self) -> Handle<T> {
        match self {
            Handle::Static(state) => Handle::Static(state),
            // A box that is leaked holds the count up, so the state lives on.
            Handle::Shared(state) => Handle::Static(Box::leak(Box::new(state))),
        }
    }
}

impl<T> Handle<T> {
    /// A way back to the state that does not keep a counted one.
    #[cfg(feature = "pooled")]
    pub(crate) fn downgrade(&self) -> WeakHandle<T> {
        match self {
            Handle::Static(state) => WeakHandle::Static(state),
            Handle::Shared(state) => WeakHandle::Shared(Arc::downgrade(state)),
        }
    }
}

/// Leads to the state for as long as somebody else holds it.
#[cfg(feature = "pooled")]
pub(crate) enum WeakHandle<T: 'static> {
    Static(&'static T),
    Shared(std::sync::Weak<T>),
}

#[cfg(feature = "pooled")]
impl<T> WeakHandle<T> {
    pub(crate) fn upgrade(&self) -> Option<Handle<T>> {
        match self {
            WeakHandle::Static(state) => Some(Handle::Static(state)),
            WeakHandle::Shared(state) => state.upgrade().map(Handle::Shared),
        }
    }
}

impl<T> Clone for Handle<T> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Handle::Static(state) => Handle::Static(state),
            Handle::Shared(state) => Handle::Shared(Arc::clone(state)),
        }
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Handle::Static(state) => state,
            Handle::Shared(state) => state,
        }
    }
}
