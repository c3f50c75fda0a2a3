"""From names to cases: where a model of the zoo is taken from, with a catalogue and a hub of this test's own."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from burn_verify.cases import sized, zoo
from burn_verify.cases.load import prepare, stored_location
from burn_verify.cases.select import Selection
from burn_verify.cases.zoo import Zoo, ZooEntry
from burn_verify.core.case import Case, Download, Hints, ModelFile, Seeded, Unavailable
from burn_verify.core.errors import LoadError, UsageError
from burn_verify.core.option_values import ALL
from burn_verify.system.cache import Cache
from burn_verify.system.download import reachable
from burn_verify.system.files import sha256_of


@dataclass
class Network:
    """Stands in for the question whether the hub can be reached."""

    up: bool = False
    asked: int = 0

    def reachable(self, url: str) -> bool:
        self.asked += 1
        return self.up


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    return folder


def select(
    cache: Cache, network: Network | None = None, mirror: Path | None = None, *, offline: bool = False
) -> Selection:
    return Selection(cache, mirror=mirror, offline=offline, reach=network.reachable if network else reachable)


def chosen(
    name: str, cache: Cache, network: Network | None = None, mirror: Path | None = None, *, offline: bool = False
) -> Case:
    (case,) = select(cache, network, mirror, offline=offline).choose([name]).cases
    return case


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def entry(name: str) -> ZooEntry:
    return zoo.load().entries[name]


def download_of(name: str) -> Download:
    download = entry(name).download
    assert download is not None
    return download


# ── which source ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_mirror_comes_before_the_cache(cache: Cache, network: Network, mirror: Path) -> None:
    network.up = True
    path = put(mirror / entry("mnist-12").file)
    put(stored_location(cache, download_of("mnist-12")))
    case = chosen("mnist", cache, network, mirror)
    assert case == Case(
        id="zoo/mnist-12",
        corpus="zoo",
        source=ModelFile(path=path, sha256=entry("mnist-12").sha256),
        hints=entry("mnist-12").hints,
    )
    assert network.asked == 0


@pytest.mark.parametrize("place", ["models/mnist-12.onnx", "mnist-12.onnx", "hub"])
def test_every_layout_of_a_mirror(cache: Cache, network: Network, mirror: Path, place: str) -> None:
    path = put(mirror / (download_of("mnist-12").path if place == "hub" else place))
    assert chosen("mnist-12", cache, network, mirror).source == ModelFile(path=path, sha256=entry("mnist-12").sha256)


def test_the_cache_comes_before_the_hub(cache: Cache, network: Network, mirror: Path) -> None:
    network.up = True
    path = put(stored_location(cache, download_of("mnist-12")))
    assert chosen("mnist", cache, network, mirror).source == ModelFile(path=path, sha256=entry("mnist-12").sha256)
    assert network.asked == 0


def test_another_version_at_hand_comes_before_the_hub(cache: Cache, network: Network, mirror: Path) -> None:
    network.up = True
    put(mirror / "mnist-8.onnx")
    assert chosen("mnist", cache, network, mirror).id == "zoo/mnist-8"


def test_the_hub_comes_before_the_stand_in(cache: Cache, network: Network, mirror: Path) -> None:
    network.up = True
    case = chosen("mnist", cache, network, mirror)
    assert case.id == "zoo/mnist-12"
    assert case.source == download_of("mnist-12")
    assert case.note is None


def test_a_stand_in_says_that_it_is_one(cache: Cache, network: Network) -> None:
    case = chosen("mnist", cache, network)
    assert case.id == "zoo/mnist@seeded"
    assert case.source == Seeded(architecture="mnist")
    assert case.note is not None
    assert "random weights" in case.note


def test_what_cannot_be_had_ends_at_load(cache: Cache, network: Network) -> None:
    case = chosen("bert", cache, network)
    assert case.id == "zoo/bertsquad-12"
    assert isinstance(case.source, Unavailable)
    with pytest.raises(LoadError, match=r"bertsquad-12 .*--zoo-mirror") as caught:
        prepare(case, cache)
    assert caught.value.reason == "not available here"


def test_the_hub_is_asked_once_a_run(cache: Cache, network: Network) -> None:
    choose = select(cache, network).choose
    choose(["mnist", "bert", "squeezenet"])
    choose(["mnist"])
    assert network.asked == 1


def test_offline_never_asks(cache: Cache, network: Network) -> None:
    network.up = True
    assert chosen("mnist", cache, network, offline=True).id == "zoo/mnist@seeded"
    with pytest.raises(UsageError):
        select(cache, network, offline=True).choose(["all"])
    assert network.asked == 0


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_name(cache: Cache, network: Network) -> None:
    with pytest.raises(UsageError, match=r"no zoo model is called 'mnits': did you mean .*mnist"):
        select(cache, network).choose(["mnits"])
    assert network.asked == 0


def test_names_that_mean_the_same_case_give_it_once(cache: Cache, network: Network) -> None:
    choice = select(cache, network).choose(["squeezenet", "mnist", "MNIST-12", "mnist"])
    assert [case.id for case in choice.cases] == ["zoo/squeezenet@seeded", "zoo/mnist@seeded"]
    assert choice.left_out == ()


def test_files_stand_beside_models_of_the_zoo(cache: Cache, network: Network, identity: Callable[..., Path]) -> None:
    path = identity()
    choice = select(cache, network).choose([str(path), "mnist", str(path.parent)])
    assert [case.id for case in choice.cases] == ["zoo/mnist@seeded", "file/identity"]


def test_a_path_that_leads_nowhere(cache: Cache, network: Network, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        select(cache, network).choose([str(tmp_path / "missing.onnx")])


# ── all ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_with_nothing_at_hand(cache: Cache, network: Network, mirror: Path) -> None:
    with pytest.raises(UsageError, match=r"--models all: .*--zoo-mirror"):
        select(cache, network, mirror).choose(["all"])
    assert network.asked == 1


def test_all_means_what_is_at_hand_and_names_the_rest(cache: Cache, network: Network, mirror: Path) -> None:
    for name in ("mnist-8", "squeezenet1.0-12"):
        put(mirror / entry(name).file)
    choice = select(cache, network, mirror).choose(["ALL"])
    assert {case.id for case in choice.cases} == {"zoo/mnist-8", "zoo/squeezenet1.0-12"}
    assert all(isinstance(case.source, ModelFile) for case in choice.cases)
    rest = set(zoo.load().entries) - {"mnist-8", "squeezenet1.0-12"}
    assert sorted(choice.left_out) == sorted(f"zoo/{name}" for name in rest)


def test_all_with_a_hub_leaves_out_what_only_a_mirror_holds(cache: Cache, network: Network) -> None:
    network.up = True
    choice = select(cache, network).choose(["all"])
    assert all(isinstance(case.source, Download) for case in choice.cases)
    elsewhere = [one for one in zoo.load().entries.values() if one.download is None]
    assert elsewhere
    assert sorted(choice.left_out) == sorted(f"zoo/{one.name}" for one in elsewhere)
    assert network.asked == 1


# ── downloads, from a hub on this machine ────────────────────────────────────────────────────────────────────────────


def archive(members: Mapping[str, bytes]) -> bytes:
    """Return a ``.tar.gz`` with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tensor(values: float) -> bytes:
    return numpy_helper.from_array(np.full((2, 3), values, np.float32)).SerializeToString()


DATA = {"test_data_set_0/input_0.pb": tensor(1.0), "test_data_set_0/output_0.pb": tensor(1.0)}


@dataclass
class Shop:
    """A catalogue with one entry, ``tiny-1``, and the hub that has it."""

    hub: Any
    catalogue: Zoo
    monkeypatch: pytest.MonkeyPatch

    def offer(self, test_data: bytes | None = None, **changes: Any) -> None:
        """Put stored data beside the model, and change what the catalogue says of them."""
        if test_data is not None:
            self.hub.files["sub/tiny-1.tar.gz"] = test_data
            found = hashlib.sha256(test_data).hexdigest()
            changes = {"hub_test_data": "sub/tiny-1.tar.gz", "hub_test_data_sha256": found, **changes}
        entries = {"tiny-1": replace(self.catalogue.entries["tiny-1"], **changes)}
        self.catalogue = replace(self.catalogue, entries=entries)
        self.monkeypatch.setattr(zoo, "load", lambda: self.catalogue)


@pytest.fixture
def shop(hub: Any, identity: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Shop:
    path = identity("elsewhere/tiny-1.onnx")
    hub.files["sub/tiny-1.onnx"] = path.read_bytes()
    tiny = ZooEntry(
        name="tiny-1",
        family="Tiny",
        opset=17,
        sha256=sha256_of(path),
        size=path.stat().st_size,
        file="models/tiny-1.onnx",
        hub_path="sub/tiny-1.onnx",
        dims=(("n", 2),),
    )
    catalogue = Zoo(base_url=hub.url, entries={"tiny-1": tiny}, aliases={"tiny": ("tiny-1",)}, seeded={})
    shop = Shop(hub, catalogue, monkeypatch)
    shop.offer()
    return shop


def kept(cache: Cache) -> list[str]:
    """Return the names of all files in the cache but the locks."""
    return sorted(path.name for path in (cache.root / "zoo").rglob("*") if path.is_file())


def test_a_download(cache: Cache, shop: Shop) -> None:
    case = chosen("tiny", cache)
    prepared = prepare(case, cache)
    assert case.hints == Hints(dims=(("n", 2),))
    assert prepared.model == stored_location(cache, case.source)  # type: ignore[arg-type]
    assert prepared.digest == shop.catalogue.entries["tiny-1"].sha256
    assert prepared.stored == ()
    assert kept(cache) == ["tiny-1.onnx", "tiny-1.onnx.json"]
    assert shop.hub.asked == ["sub/tiny-1.onnx"]


@pytest.mark.parametrize("wrapping", ["", "tiny-1/", "some/where/"])
def test_a_download_with_stored_data(cache: Cache, shop: Shop, wrapping: str) -> None:
    shop.offer(archive({wrapping + name: content for name, content in DATA.items()}))
    prepared = prepare(chosen("tiny", cache), cache)
    (stored,) = prepared.stored
    assert stored.name == "test_data_set_0"
    assert [path.read_bytes() for path in (*stored.inputs, *stored.outputs)] == [tensor(1.0), tensor(1.0)]


def test_the_next_run_finds_model_and_stored_data_in_the_cache(cache: Cache, shop: Shop) -> None:
    shop.offer(archive({f"tiny-1/{name}": content for name, content in DATA.items()}))
    first = prepare(chosen("tiny", cache), cache)
    asked = list(shop.hub.asked)
    case = chosen("tiny", cache, offline=True)
    again = prepare(case, cache)
    assert isinstance(case.source, ModelFile)
    assert replace(again, case=first.case) == first
    assert shop.hub.asked == asked


def test_a_wrong_model_fails_every_time(cache: Cache, shop: Shop) -> None:
    shop.hub.files["sub/tiny-1.onnx"] += b"!"
    for _ in range(2):
        with pytest.raises(LoadError) as caught:
            prepare(chosen("tiny", cache), cache)
        assert caught.value.reason == "wrong sha256"
        assert kept(cache) == []


def test_wrong_stored_data_fail_every_time(cache: Cache, shop: Shop) -> None:
    shop.offer(archive(DATA), hub_test_data_sha256="0" * 64)
    for _ in range(2):
        with pytest.raises(LoadError, match=r"tiny-1\.tar\.gz") as caught:
            prepare(chosen("tiny", cache), cache)
        assert caught.value.reason == "wrong sha256"
        assert kept(cache) == []


def test_missing_stored_data(cache: Cache, shop: Shop) -> None:
    shop.offer(archive(DATA))
    del shop.hub.files["sub/tiny-1.tar.gz"]
    with pytest.raises(LoadError, match="404"):
        prepare(chosen("tiny", cache), cache)


@pytest.mark.parametrize("name", ["../evil", "test_data_set_0/../../evil", "../../../../evil"])
def test_an_archive_that_reaches_out_is_refused(cache: Cache, shop: Shop, tmp_path: Path, name: str) -> None:
    shop.offer(archive({**DATA, name: b"evil"}))
    for _ in range(2):
        with pytest.raises(LoadError, match="cannot be unpacked") as caught:
            prepare(chosen("tiny", cache), cache)
        assert caught.value.reason == "broken test data"
    assert not list(tmp_path.rglob("*evil*"))
    assert kept(cache) == ["tiny-1.tar.gz"]


def test_an_absolute_name_in_an_archive_stays_inside(cache: Cache, shop: Shop, tmp_path: Path) -> None:
    shop.offer(archive({**DATA, f"{tmp_path}/evil": b"evil"}))
    assert len(prepare(chosen("tiny", cache), cache).stored) == 1
    assert not (tmp_path / "evil").exists()


def test_an_archive_with_a_link_out_is_refused(cache: Cache, shop: Shop, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo("test_data_set_0/input_0.pb")
        info.type, info.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(info)
    shop.offer(buffer.getvalue())
    with pytest.raises(LoadError, match="cannot be unpacked"):
        prepare(chosen("tiny", cache), cache)


@pytest.mark.parametrize("damage", ["cut", "scrambled", "no archive", "empty"])
def test_an_archive_that_cannot_be_unpacked(cache: Cache, shop: Shop, damage: str) -> None:
    whole = archive(DATA)
    middle = len(whole) // 2
    content = {
        "cut": whole[:middle],
        "scrambled": whole[:middle] + bytes(byte ^ 0xFF for byte in whole[middle:]),
        "no archive": b"<html>sign in first</html>",
        "empty": b"",
    }[damage]
    shop.offer(content)
    with pytest.raises(LoadError, match="cannot be unpacked") as caught:
        prepare(chosen("tiny", cache), cache)
    assert caught.value.reason == "broken test data"
    assert kept(cache) == ["tiny-1.tar.gz"]


def test_an_archive_without_data_sets_is_fetched_once(cache: Cache, shop: Shop) -> None:
    shop.offer(archive({"README": b"nothing here"}))
    assert prepare(chosen("tiny", cache), cache).stored == ()
    assert prepare(chosen("tiny", cache), cache).stored == ()
    assert shop.hub.asked == ["sub/tiny-1.tar.gz", "sub/tiny-1.onnx"]


def test_what_an_interrupted_run_left_is_swept_away(cache: Cache, shop: Shop) -> None:
    shop.offer(archive(DATA))
    case = chosen("tiny", cache)
    assert isinstance(case.source, Download)
    put(stored_location(cache, case.source).parent / "unpacked" / "test_data_set_7" / "input_0.pb")
    assert [stored.name for stored in prepare(case, cache).stored] == ["test_data_set_0"]


def test_the_hub_of_the_package_is_a_folder_on_https() -> None:
    base_url = zoo.load().base_url
    assert base_url.startswith("https://")
    assert base_url.endswith("/")
    assert ALL not in zoo.load().aliases


def test_beside_latency_operators_are_graphs_at_useful_sizes(cache: Cache) -> None:
    cases = select(cache).choose([], ops=["conv", "MatMul"], sized=True).cases
    wanted = [graph.case_id for graph in sized.GRAPHS if graph.op_type in ("Conv", "MatMul")]
    assert [case.id for case in cases] == wanted
    assert {case.corpus for case in cases} == {sized.CORPUS}
    prepared = prepare(cases[0], cache)
    assert prepared.op_types == ("Conv",)


def test_the_id_of_a_graph_at_a_useful_size_is_known_in_any_case(cache: Cache) -> None:
    graph = sized.GRAPHS[0]
    (case,) = select(cache).choose([], ops=[graph.case_id]).cases
    assert case.id == graph.case_id


def test_a_file_that_no_name_means_is_told(
    cache: Cache, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights of mine").touch()
    with pytest.raises(UsageError, match=r"the file weights of mine is meant by \./weights of mine"):
        chosen("weights of mine", cache, network)
