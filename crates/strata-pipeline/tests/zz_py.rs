#![allow(missing_docs)]
use strata_pipeline::params::*;
#[test]
fn diff() {
    let all: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("/tmp/dvc-template-odd/py.json").unwrap())
            .unwrap();
    let (mut n, mut bad, mut err) = (0, 0, 0);
    for r in all.as_array().unwrap() {
        n += 1;
        let g = read_python(r["t"].as_str().unwrap());
        match g {
            Err(e) => {
                if !r["e"].is_null() {
                    err += 1;
                    println!("ERR {} {e}", r["f"])
                }
            }
            Ok(v) => {
                if r["clean"].as_bool().unwrap() {
                    let w = from_json(&r["e"]);
                    if v != w && !format!("{w:?}").contains("\u{fffd}") {
                        bad += 1;
                        if bad < 25 {
                            println!("DIFF {}", r["f"]);
                            if let (Some(a), Some(b)) = (v.as_map(), w.as_map()) {
                                for (k, x) in b {
                                    if a.get(k) != Some(x) {
                                        println!(
                                            "  want {k:?} {:.150}\n  got {:.150}",
                                            format!("{x:?}"),
                                            format!("{:?}", a.get(k))
                                        );
                                        break;
                                    }
                                }
                                for k in a.keys() {
                                    if !b.contains_key(k) {
                                        println!("  extra {k:?}");
                                        break;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{n} files, {bad} differ, {err} errors");
}
