//! What the system says of memory is read right.

use linkbuf_bench::resident::{Machine, Resident};

/// Of a process with 64 MiB of reserved huge pages and some memory that it gave up; Linux 6.18.
const ROLLUP: &str = "\
5587ac0a1000-7ffd0b7f2000 ---p 00000000 00:00 0                          [rollup]
Rss:              134612 kB
Pss:              131302 kB
Pss_Dirty:        130184 kB
Pss_Anon:         130184 kB
Pss_File:           1118 kB
Pss_Shmem:             0 kB
Shared_Clean:       3440 kB
Shared_Dirty:          0 kB
Private_Clean:       988 kB
Private_Dirty:    130184 kB
Referenced:       132560 kB
Anonymous:        130184 kB
KSM:                   0 kB
LazyFree:           2048 kB
AnonHugePages:    126976 kB
ShmemPmdMapped:        0 kB
FilePmdMapped:         0 kB
Shared_Hugetlb:     4096 kB
Private_Hugetlb:   61440 kB
Swap:                  0 kB
SwapPss:               0 kB
Locked:                0 kB
";

const MEMINFO: &str = "\
MemTotal:       24622436 kB
MemFree:        22904508 kB
MemAvailable:   23567344 kB
Buffers:           37372 kB
AnonHugePages:         0 kB
HugePages_Total:       8
HugePages_Free:        8
HugePages_Rsvd:        3
HugePages_Surp:        0
Hugepagesize:       2048 kB
Hugetlb:           16384 kB
";

#[test]
fn a_rollup_is_read() {
    let resident = Resident::parse(ROLLUP).expect("it is whole");
    let want = Resident {
        rss: 134_612 << 10,
        private_hugetlb: 61_440 << 10,
        shared_hugetlb: 4096 << 10,
        lazy_free: 2048 << 10,
        transparent: 126_976 << 10,
    };
    assert_eq!(resident, want);
    assert_eq!(resident.adjusted(), (134_612 + 61_440 + 4096 - 2048) << 10);
}

#[test]
fn huge_pages_are_told_as_a_part() {
    let resident = Resident::parse(ROLLUP).expect("it is whole");
    let part = f64::from(126_976 + 61_440 + 4096) / f64::from(134_612 + 61_440 + 4096 - 2048);
    assert!((resident.on_huge_pages() - part).abs() < 1e-9);
    // A kernel that makes none doesn't speak of them.
    let without = ROLLUP.replace("AnonHugePages", "Other");
    let resident = Resident::parse(&without).expect("it is whole");
    assert_eq!(resident.transparent, 0);
}

#[test]
fn a_rollup_that_lacks_a_figure_is_refused() {
    for name in ["Rss", "Private_Hugetlb", "Shared_Hugetlb", "LazyFree"] {
        let lines = ROLLUP.lines().filter(|line| !line.starts_with(name));
        let cut: Vec<_> = lines.collect();
        assert_eq!(Resident::parse(&cut.join("\n")), None, "{name}");
    }
    let words = ROLLUP.replace("134612", "many");
    assert_eq!(Resident::parse(&words), None);
}

#[test]
fn the_machines_memory_is_read() {
    let machine = Machine::parse(MEMINFO).expect("it is whole");
    assert_eq!(machine.available, 23_567_344 << 10);
    assert_eq!(
        machine.huge,
        (5 * 2048) << 10,
        "three of eight are promised"
    );
    // A kernel without huge pages doesn't speak of them.
    let plain = Machine::parse("MemAvailable: 1 kB\n").expect("it is whole");
    assert_eq!(plain.huge, 0);
    assert_eq!(Machine::parse("MemTotal: 1 kB\n"), None);
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_has_some() {
    let resident = Resident::now().expect("Linux tells");
    assert!(resident.adjusted() > 100 << 10, "{resident:?}");
    assert!(Machine::now().expect("Linux tells").available > 0);
}
