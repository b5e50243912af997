//! The names that a command line may hold, and what is said of one that is none.

/// Of this likeness on, a name may be what was meant; 1 is the same.
const NEAR: f64 = 0.75;

/// That `asked` isn't the name of a `what`, and which of the `known` are near it; all, if none is.
pub(crate) fn unknown(what: &str, asked: &str, known: &[&str]) -> String {
    let lower = asked.to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&lower, &name.to_lowercase());
    let mut near: Vec<_> = known
        .iter()
        .map(|name| (likeness(name), *name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.truncate(4);
    let near: Vec<_> = near.into_iter().map(|(_, name)| name).collect();
    match near.is_empty() {
        true => format!(
            "no {what} is called {asked}; there are {}",
            known.join(", ")
        ),
        false => format!("no {what} is called {asked}; near it: {}", near.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::unknown;

    #[test]
    fn near_names_are_told_and_all_where_none_is_near() {
        let known = ["pooled", "pooled-mmap", "mimalloc"];
        assert_eq!(
            unknown("backend", "poled", &known),
            "no backend is called poled; near it: pooled, pooled-mmap"
        );
        assert_eq!(
            unknown("backend", "xyz", &known),
            "no backend is called xyz; there are pooled, pooled-mmap, mimalloc"
        );
    }
}
