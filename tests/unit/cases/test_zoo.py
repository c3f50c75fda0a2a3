"""Names of the zoo: what each stands for, and what is said of one that stands for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases import zoo
from burn_verify.core.case import Hints, InputHint
from burn_verify.core.errors import UsageError

MIRROR_ONLY = [
    "all-MiniLM-L6-v2",
    "blazeface_front",
    "candy",
    "dtln_model_1",
    "FastestDet",
    "gtcrn_simple",
    "logreg_iris-ortwheel",
    "magika_v2_1",
    "micro_kws_m_qdq",
    "micro_kws_m_static_fp32",
    "mlperf-tiny-ic-resnet8",
    "mnist-burn-example",
    "mobilenetv2-fp32-dequant",
    "resnet20_cifar10",
    "rf_iris-skl",
    "silero_vad_16k_op15",
    "silero_vad_v6",
    "squeezenet-fp16",
    "squeezenet-fp32-from-fp16",
    "supres-webjs",
    "tinyllama-stories260K",
    "vit_pgd_2_3_16",
    "yolox_nano-iinfer",
    "yunet_n_dynamic",
]
IN_BOTH = ["mnist-12", "mnist-8", "mobilenetv2-12-int8", "super-resolution-10", "ultraface-RFB-320"]
OFFICIAL = 184
ZOO = zoo.load()
NAMES = [*ZOO.entries, *ZOO.aliases]


def resolved(name):
    return [entry.name for entry in ZOO.resolve(name)]


def test_the_catalogue_is_read_once():
    assert zoo.load() is ZOO


def test_every_model_of_the_mirror_is_there():
    assert not [name for name in MIRROR_ONLY if ZOO.entries[name].hub_path]
    assert all(ZOO.entries[name].download for name in IN_BOTH)


def test_every_official_model_is_there_once():
    paths = [entry.hub_path for entry in ZOO.entries.values() if entry.hub_path]
    assert len(paths) == len(set(paths)) == OFFICIAL
    assert len(ZOO.entries) == OFFICIAL + len(MIRROR_ONLY)
    official = {entry.sha256 for entry in ZOO.entries.values() if entry.hub_path}
    assert not [name for name in MIRROR_ONLY if ZOO.entries[name].sha256 in official]


def test_names_and_files_are_unique_whatever_the_case():
    assert len({name.casefold().replace("_", "-") for name in ZOO.entries}) == len(ZOO.entries)
    assert len({entry.file.casefold() for entry in ZOO.entries.values()}) == len(ZOO.entries)


def test_a_model_in_both_lists_has_the_hub_and_the_mirror():
    entry = ZOO.entries["mnist-8"]
    assert entry.file == "models/mnist-8.onnx"
    assert entry.download is not None
    assert entry.download.path == "validated/vision/classification/mnist/model/mnist-8.onnx"
    assert entry.download.test_data == "validated/vision/classification/mnist/model/mnist-8.tar.gz"
    assert (entry.opset, entry.size, entry.licence) == (8, 26454, "MIT")
    assert ZOO.base_url.endswith("/")


@pytest.mark.parametrize("name", list(ZOO.entries))
def test_an_entry_comes_first_under_its_own_name(name):
    assert resolved(name)[0] == name
    assert resolved(name.swapcase()) == resolved(name)


@pytest.mark.parametrize(
    ("alias", "names"),
    [
        ("mnist", ["mnist-12", "mnist-8", "mnist-7", "mnist-1"]),
        ("mobilenetv2", ["mobilenetv2-12", "mobilenetv2-10", "mobilenetv2-7", "mobilenetv2-fp32-dequant"]),
        ("resnet18", ["resnet18-v1-7"]),
        ("minilm", ["all-MiniLM-L6-v2"]),
        ("candy", ["candy", "candy-9", "candy-8"]),
        ("version-rfb-320", ["ultraface-RFB-320"]),
    ],
)
def test_an_alias_lists_its_entries_best_first(alias, names):
    assert resolved(alias) == names


def test_squeezenet_ends_with_the_substitute():
    names = resolved("squeezenet")
    assert names[0] == "squeezenet1.0-12"
    assert names[-2:] == ["squeezenet1.1-7", "squeezenet-fp32-from-fp16"]


@pytest.mark.parametrize(
    ("beginning", "first"),
    [
        ("mobil", "mobilenetv2-12"),  # one alias, however many entries
        ("FastestD", "FastestDet"),  # no alias and one entry
        ("inception_v1", "inception-v1-12"),
        ("Silero", "silero_vad_v6"),
    ],
)
def test_a_beginning_that_fits_once_will_do(beginning, first):
    assert resolved(beginning)[0] == first


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("resnet", ["'resnet' fits several", "resnet18", "resnet152"]),
        ("mobilenetv2-1", ["fits several", "mobilenetv2-10", "mobilenetv2-12-qdq"]),
        ("minst", ["no zoo model is called 'minst'", "did you mean mnist"]),
        ("rfb", ["did you mean", "ultraface-RFB-320"]),
        ("€", ["no zoo model is called", "try alexnet"]),
        ("", ["no zoo model is called ''"]),
    ],
)
def test_a_name_that_cannot_be_meant_lists_what_can(name, parts):
    with pytest.raises(UsageError) as error:
        ZOO.resolve(name)
    assert "\n" not in str(error.value)
    assert [part for part in parts if part not in str(error.value)] == []


@given(st.text() | st.sampled_from(NAMES).flatmap(lambda name: st.integers(0, len(name)).map(lambda end: name[:end])))
def test_resolving_finds_entries_or_raises_one_line(name):
    found, refusal = (), ""
    try:
        found = ZOO.resolve(name)
    except UsageError as error:
        refusal = str(error)
    assert bool(found) != bool(refusal)
    assert len(refusal.splitlines()) <= 1
    assert all(entry is ZOO.entries[entry.name] for entry in found)
    assert ZOO.seeded_architecture(name) in {None, *ZOO.seeded.values()}


def test_hints_say_what_to_feed():
    assert ZOO.entries["mnist-12"].hints == Hints()
    assert ZOO.entries["resnet18-v1-7"].hints == Hints(dims=(("N", 2),))
    assert ZOO.entries["rf_iris-skl"].hints.inputs == (
        InputHint(name="float_input", shape=(8, 4), scale=2.0, shift=3.0),
    )
    hints = ZOO.entries["all-MiniLM-L6-v2"].hints
    assert hints.inputs == (InputHint(name="input_ids", low=0, high=30000),)
    assert dict(hints.dims) == {"batch": 2, "sequence": 8}


def test_aliases_stand_for_entries():
    assert all(set(names) <= set(ZOO.entries) for names in ZOO.aliases.values())


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("resnet18", "resnet18"),
        ("ResNet18-v1-7", "resnet18"),
        ("squeezenet1.1-7", "squeezenet"),
        ("inception-v2-9", "inception_v2"),
        ("inception", "inception_v1"),
        ("mobil", "mobilenetv2"),
        ("resnet18-v2-7", None),  # another architecture
        ("mnist-12-int8", None),
        ("resnet", None),
        ("nothing of the kind", None),
    ],
)
def test_the_seeded_architecture_is_that_of_the_alias(name, architecture):
    assert ZOO.seeded_architecture(name) == architecture
