"""The crate of a probe: the line that it repeats, and a manifest whose program takes the compiled Burn."""

import json
import tomllib

from burn_verify.burn.wasm import PROFILE_OF_WASM, features_of_burn, settings_of_profile
from burn_verify.record.codec import result_and_target
from burn_verify.ship.probe import contents_of_probe, line_of, probe_files


def test_the_line_is_a_line_of_a_record(proven):
    result, target = result_and_target(line_of(proven))

    assert (result.case_id, result.verdict) == ("file/add", "agrees")
    assert target == proven.ready.built.target
    assert not result.durations


def test_a_probe_is_another_target(proven):
    line = {**json.loads(line_of(proven)), "via": "probe on x86_64 (a processor)"}

    _, target = result_and_target(json.dumps(line))

    assert target.name == "0.22.1 flex probe on x86_64 (a processor)"


def test_everything_is_in_the_program(proven):
    contents = contents_of_probe(proven)
    files = probe_files(proven, contents)
    manifest = tomllib.loads(files["Cargo.toml"].decode())

    assert "dev-dependencies" not in manifest
    assert manifest["package"]["version"] == "0.1.0"
    assert {"serde_json", "bytes", "log"} <= manifest["dependencies"].keys()
    # It would bring features of crates below Burn with which Burn is not compiled here.
    assert "zip" not in manifest["dependencies"]
    assert "build.rs" not in files
    assert "{{" not in files["src/main.rs"].decode().replace("{{}}", "")
    assert "include_bytes!" in files["src/lib.rs"].decode()


def test_for_webassembly_the_features_and_the_profile_are_those_of_its_workspace(proven):
    files = probe_files(proven, contents_of_probe(proven), wasm=True)
    manifest = tomllib.loads(files["Cargo.toml"].decode())

    assert manifest["dependencies"]["burn"]["features"] == features_of_burn()
    assert manifest["dependencies"]["burn"]["version"] == "=0.22.1"
    assert "serde_json" in manifest["dependencies"]
    assert manifest["profile"] == {PROFILE_OF_WASM: settings_of_profile()}
    assert "dev-dependencies" not in manifest
