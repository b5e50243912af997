//! The JSON for machines: where and when, and name → value, unit, spread.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::{Run, rows};

/// All that was measured, as a JSON object.
///
/// `results` maps `scenario/contender` to `value`, `unit`, `spread` (half the distance of the samples' quartiles, as a
/// part of the value), `ratio` (to the scenario's baseline, with quartiles) and `allocs`, of which each may be missing.
///
/// ```
/// let json = linkbuf_bench::report::json(&Default::default());
/// assert!(json["results"].as_object().unwrap().is_empty());
/// ```
pub fn json(run: &Run) -> Value {
    let mut results = Map::new();
    for row in rows(run) {
        let mut result = Map::new();
        result.insert("value".into(), json!(row.value));
        result.insert("unit".into(), json!(row.unit));
        if let Some(spread) = row.spread {
            result.insert("spread".into(), json!(spread));
        }
        if let Some(r) = row.ratio {
            let ratio = json!({ "median": r.median, "low": r.low, "high": r.high });
            result.insert("ratio".into(), ratio);
        }
        if !row.allocs.is_empty() {
            let allocs = row.allocs.iter();
            let allocs: Map<_, _> = allocs
                .map(|(calls, part)| (format!("per {part}"), json!(calls)))
                .collect();
            result.insert("allocs".into(), allocs.into());
        }
        if !row.verdicts.is_empty() {
            let verdicts = row.verdicts.iter().map(|v| {
                json!({ "level": v.level.to_string(), "bound": v.bound, "found": v.found, "met": v.met })
            });
            result.insert("bars".into(), verdicts.collect());
        }
        results.insert(format!("{}/{}", row.scenario, row.contender), result.into());
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    json!({
        "about": run.about,
        "unix_time": time.map_or(0, |t| t.as_secs()),
        "results": results,
    })
}
