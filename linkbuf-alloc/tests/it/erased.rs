//! Backends by name, and allocators without their type.

use linkbuf_alloc::{AnyAllocator, Backend};
use linkbuf_core::{Heap, LinkBuffer, NodeAllocator};

#[test]
fn every_backend_has_its_name_and_works() {
    assert_eq!(Backend::available()[0], Backend::Heap);
    for backend in Backend::available().iter().copied() {
        let named: Backend = backend.to_string().parse().unwrap();
        assert_eq!(named, backend);
        let mut buf = LinkBuffer::new_in(named.allocator());
        buf.write_string(backend.name()).unwrap();
        buf.flush();
        assert_eq!(buf.next(buf.len()).unwrap(), backend.name().as_bytes());
    }
}

#[test]
fn the_features_decide_which_backends_there_are() {
    let there_is = |name: &str| name.parse::<Backend>().is_ok();
    let pooled = cfg!(feature = "pooled");
    assert!(there_is("heap"));
    assert_eq!(there_is("pooled"), pooled);
    assert_eq!(there_is("mmap"), cfg!(feature = "mmap"));
    assert_eq!(there_is("hugepage"), cfg!(feature = "hugepage"));
    assert_eq!(there_is("mimalloc"), cfg!(feature = "mimalloc"));
    assert_eq!(there_is("pooled-mmap"), pooled && cfg!(feature = "mmap"));
    assert_eq!(
        there_is("pooled-hugepage"),
        pooled && cfg!(feature = "hugepage")
    );
    assert_eq!(
        there_is("pooled-mimalloc"),
        pooled && cfg!(feature = "mimalloc")
    );
}

#[test]
fn an_unknown_name_is_told_with_what_there_is() {
    let known: Vec<_> = Backend::available().iter().map(|b| b.name()).collect();
    let known = known.join(", ");
    let unknown = "Heap".parse::<Backend>().unwrap_err();
    assert_eq!((unknown.name(), unknown.features()), ("Heap", None));
    assert_eq!(
        unknown.to_string(),
        format!("no backend is called \"Heap\"; there are: {known}")
    );
}

#[cfg(not(all(feature = "pooled", feature = "mmap")))]
#[test]
fn a_backend_that_is_not_compiled_in_is_told_with_its_features() {
    let missing = "pooled-mmap".parse::<Backend>().unwrap_err();
    assert_eq!(missing.features(), Some(&["pooled", "mmap"][..]));
    let told = missing.to_string();
    assert!(
        told.contains("not compiled in (linkbuf-alloc's features: pooled, mmap); there are: heap")
    );
}

#[test]
fn an_erased_allocator_says_what_the_hidden_one_says() {
    let any = AnyAllocator::new(Heap);
    assert_eq!(any.node_size(), Heap.node_size());
    assert_eq!(any.page_size(), Heap.page_size());
    assert_eq!(any.default_tail_policy(), Heap.default_tail_policy());
    assert_eq!(any.good_size(5000), Heap.good_size(5000));
    assert_eq!(any.figures(), Heap.figures());
    assert_eq!(format!("{any:?}"), "AnyAllocator(linkbuf_core::heap::Heap)");
    assert!(size_of::<AnyAllocator>() <= 3 * size_of::<usize>());
}
