//! The backends by name.

use std::{error::Error, fmt, str::FromStr};

use linkbuf_core::Heap;

use super::AnyAllocator;

/// Declares [`Backend`] from one table: variant, name, features it needs, allocator.
macro_rules! backends {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal [$($feature:literal)*] => $alloc:expr;)*) => {
        /// A backend that is compiled in, chosen by name.
        ///
        /// ```
        /// use linkbuf_alloc::Backend;
        /// use linkbuf_core::LinkBuffer;
        ///
        /// let configured = "heap";
        /// let backend: Backend = configured.parse()?;
        /// let buf = LinkBuffer::new_in(backend.allocator());
        /// assert_eq!(backend.to_string(), "heap");
        /// assert!("hepa".parse::<Backend>().unwrap_err().to_string().contains("there are: heap"));
        /// # drop(buf);
        /// # Ok::<(), linkbuf_alloc::UnknownBackend>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Backend {
            $($(#[doc = $doc])+ $(#[cfg(feature = $feature)])* $variant,)*
        }

        /// All that could be compiled in, with the features it takes.
        const KNOWN: &[(&str, &[&str])] = &[$(($name, &[$($feature),*])),*];

        impl Backend {
            /// All that is compiled in.
            #[must_use]
            pub const fn available() -> &'static [Backend] {
                &[$($(#[cfg(feature = $feature)])* Backend::$variant,)*]
            }

            /// The name that [`FromStr`] takes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])* Backend::$variant => $name,)*
                }
            }

            /// The process-wide allocator of this kind. Its clones cost nothing.
            #[must_use]
            pub fn allocator(self) -> AnyAllocator {
                match self {
                    $($(#[cfg(feature = $feature)])* Backend::$variant => $alloc,)*
                }
            }
        }
    };
}

backends! {
    /// `heap`: the program's global allocator.
    Heap "heap" [] => AnyAllocator::new(Heap);
    /// `pooled`: per-thread caches before slabs from the heap.
    Pooled "pooled" ["pooled"] => process::<crate::Pooled>();
    /// `mmap`: blocks cut from anonymous mappings.
    Mmap "mmap" ["mmap"] => process::<crate::Mmap>();
    /// `hugepage`: blocks cut from huge pages, as far as they are to be had.
    HugePage "hugepage" ["hugepage"] => process::<crate::HugePage>();
    /// `mimalloc`: mimalloc's heap.
    Mimalloc "mimalloc" ["mimalloc"] => AnyAllocator::new(crate::Mimalloc);
    /// `pooled-mmap`: per-thread caches before mappings.
    PooledMmap "pooled-mmap" ["pooled" "mmap"] => process::<crate::Pooled<crate::Mmap>>();
    /// `pooled-hugepage`: per-thread caches before huge pages.
    PooledHugePage "pooled-hugepage" ["pooled" "hugepage"] => process::<crate::Pooled<crate::HugePage>>();
    /// `pooled-mimalloc`: per-thread caches before mimalloc.
    PooledMimalloc "pooled-mimalloc" ["pooled" "mimalloc"] => process::<crate::Pooled<crate::Mimalloc>>();
}

#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
fn process<A: crate::ProcessWide>() -> AnyAllocator {
    AnyAllocator::from_static(A::process())
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    /// Takes a [`name`](Backend::name), spelled exactly so.
    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        Backend::available()
            .iter()
            .copied()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| UnknownBackend { name: name.into() })
    }
}

/// There is no backend of this name, or it is not compiled in. The message says which there are.
///
/// ```
/// use linkbuf_alloc::Backend;
///
/// let unknown = "slab".parse::<Backend>().unwrap_err();
/// assert_eq!(unknown.name(), "slab");
/// assert_eq!(unknown.features(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBackend {
    name: Box<str>,
}

impl UnknownBackend {
    /// The name that was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The features of this crate that would bring it; `None` where none does.
    #[must_use]
    pub fn features(&self) -> Option<&'static [&'static str]> {
        let known = KNOWN.iter().find(|(name, _)| *name == &*self.name);
        known.map(|(_, features)| *features)
    }
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.features() {
            Some(features) => {
                write!(f, "the backend \"{}\" is not compiled in", self.name)?;
                write!(f, " (linkbuf-alloc's features: {})", features.join(", "))?;
            }
            None => write!(f, "no backend is called {:?}", self.name)?,
        }
        let names: Vec<_> = Backend::available().iter().map(|b| b.name()).collect();
        write!(f, "; there are: {}", names.join(", "))
    }
}

impl Error for UnknownBackend {}
