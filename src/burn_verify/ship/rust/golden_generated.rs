#[test]
fn burn_onnx_wrote_the_code_and_the_weights_that_were_verified() {
    // Without the first line and `Default`, which name files of the machine that builds.
    let code = include_str!(concat!(env!("OUT_DIR"), "/model/model.rs"));
    let code = code.split_once('\n').filter(|(first, _)| first.starts_with("// Generated from")).map_or(code, |it| it.1);
    let (before, after) = code.split_once("impl Default for Model {\n").expect("the code has a default");
    let after = after.split_once("\n}\n").expect("the default ends").1.trim_start_matches('\n');
    assert_eq!(sha256(format!("{before}{after}").as_bytes()), "{{digest}}", "burn-onnx writes other code now");
    let weights = without_ids(include_bytes!(concat!(env!("OUT_DIR"), "/model/model.bpk")));
    assert_eq!(sha256(&weights), "{{weights}}", "burn-onnx writes other weights now");
}

/// Blanks the ids of parameters, which burn-onnx draws anew each time; the weights that are loaded are those stored here.
fn without_ids(bytes: &[u8]) -> Vec<u8> {
    let mut made = bytes.to_vec();
    let mut place = 0;
    while let Some(found) = made[place..].windows(8).position(|it| it == b"param_id") {
        let from = place + found + 8;
        place = (from + 9).min(made.len());
        made[from..place].fill(0);
    }
    made
}
