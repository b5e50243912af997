//! Recorded runs of netpoll's buffer: the same operations must give the same answers.

use linkbuf_core::{
    Heap,
    testing::{
        allocators::{Odd, Tracking},
        contract,
    },
};

/// A test per trace.
macro_rules! traces {
    ($($test:ident: $file:literal,)*) => {
        const FILES: &[&str] = &[$($file),*];

        $(
            #[test]
            fn $test() {
                replay($file, include_str!(concat!("../conformance/", $file)));
            }
        )*
    };
}

traces! {
    netpoll_500001: "netpoll-500001.trace",
    netpoll_500004: "netpoll-500004.trace",
    netpoll_500007: "netpoll-500007.trace",
    netpoll_500010: "netpoll-500010.trace",
    netpoll_500013: "netpoll-500013.trace",
    netpoll_500016: "netpoll-500016.trace",
    netpoll_500019: "netpoll-500019.trace",
    netpoll_500022: "netpoll-500022.trace",
    netpoll_500025: "netpoll-500025.trace",
    netpoll_500028: "netpoll-500028.trace",
    netpoll_500031: "netpoll-500031.trace",
    netpoll_500034: "netpoll-500034.trace",
    netpoll_500037: "netpoll-500037.trace",
    netpoll_500040: "netpoll-500040.trace",
    netpoll_500043: "netpoll-500043.trace",
    netpoll_500046: "netpoll-500046.trace",
    netpoll_500049: "netpoll-500049.trace",
    netpoll_500052: "netpoll-500052.trace",
    netpoll_500055: "netpoll-500055.trace",
    netpoll_500058: "netpoll-500058.trace",
    netpoll_500061: "netpoll-500061.trace",
    netpoll_500064: "netpoll-500064.trace",
    netpoll_500067: "netpoll-500067.trace",
    netpoll_500070: "netpoll-500070.trace",
    netpoll_500073: "netpoll-500073.trace",
    netpoll_500076: "netpoll-500076.trace",
    netpoll_500079: "netpoll-500079.trace",
    netpoll_500082: "netpoll-500082.trace",
    netpoll_500085: "netpoll-500085.trace",
    netpoll_500088: "netpoll-500088.trace",
    netpoll_500091: "netpoll-500091.trace",
    netpoll_500094: "netpoll-500094.trace",
    netpoll_500100: "netpoll-500100.trace",
    netpoll_500106: "netpoll-500106.trace",
    netpoll_500112: "netpoll-500112.trace",
    netpoll_500115: "netpoll-500115.trace",
    netpoll_500118: "netpoll-500118.trace",
    netpoll_500121: "netpoll-500121.trace",
    netpoll_500124: "netpoll-500124.trace",
    netpoll_500127: "netpoll-500127.trace",
}

fn replay(name: &str, text: &str) {
    let watched = Tracking::with_quarantine(Heap);
    contract::traces(&watched, &[(name, text)]);
    watched.assert_balanced();
    contract::traces(&Odd::new(), &[(name, text)]);
}

#[test]
fn every_trace_has_its_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".trace"))
        .collect();
    found.sort();
    assert_eq!(found, FILES);
    assert_eq!(found.len(), 40);
}
