"""A lineage holds, or says what does not: every way in which a published generation can be other than it was."""

import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from factory import terminal
from factory.errors import FactoryError
from factory.publishing.tree import model_tree
from factory.reading.diff.diff import diff
from factory.reading.lineage import lineage, show
from factory.targets import PublishError, registry
from factory.targets.hub import Hub
from factory.targets.named import published
from factory.targets.registry import Folder
from tests.support.chain import Damage, changed, publish, rows
from tests.support.hub_server import HubServer

OTHER_SHA256 = hashlib.sha256(b"other").hexdigest()
DATA = "data/train-00000-of-00001.parquet"
pytest_plugins = ("tests.support.chain",)


def test_a_lineage_that_holds(home: Path) -> None:
    found = lineage(Folder(home / "gen-2"))
    assert [(one.generation, one.mismatches, one.notes) for one in found] == [(2, [], []), (1, [], []), (0, [], [])]
    assert [one.model for one in found] == ["gen-1/checkpoint", "gen-0/checkpoint", "base"]
    assert [(one.examples, one.accuracy, one.commit) for one in found] == [
        (3, 0.5, None),
        (2, 0.25, None),
        (1, 0, None),
    ]
    for one in found:
        manifest = home / f"gen-{one.generation}" / "manifest.json"
        assert Path(one.where).resolve() == manifest.parent.resolve()
        assert one.manifest_sha256 == hashlib.sha256(manifest.read_bytes()).hexdigest()


def test_a_folder_of_another_name_among_its_siblings(home: Path) -> None:
    (home / "gen-2").rename(home / "newest")
    found = lineage(Folder(home / "newest"))
    assert [(one.generation, one.mismatches) for one in found] == [(2, []), (1, []), (0, [])]


DAMAGES: dict[str, tuple[Damage, list[tuple[int, str]]]] = {
    "tampered file": (
        lambda home: (home / "gen-1" / DATA).write_bytes(b"other"),
        [
            (
                1,
                rf"{DATA} is not what was published: sha256 {OTHER_SHA256}, in the manifest \w{{64}}",
            )
        ],
    ),
    "missing file": (
        lambda home: (home / "gen-0" / "recipe.yaml").unlink(),
        [(0, "recipe.yaml is in the manifest and not there")],
    ),
    "extra file": (
        lambda home: (home / "gen-2" / "data" / "more.parquet").write_bytes(b""),
        [(2, "data/more.parquet is there and not in the manifest")],
    ),
    "other manifest of the parent": (
        changed("gen-1/facts/seed", 8),
        [
            (
                2,
                r"its parent gen-1 has another manifest\.json than when it was published: sha256 \w{64}, .* \w{64}",
            )
        ],
    ),
    "missing parent": (lambda home: shutil.rmtree(home / "gen-1"), [(2, "its parent gen-1 is not there")]),
    "missing first generation": (lambda home: shutil.rmtree(home / "gen-0"), [(1, "its parent gen-0 is not there")]),
    "parent without JSON": (
        lambda home: (home / "gen-1" / "manifest.json").write_text("{"),
        [(2, r"its parent cannot be read: \S+gen-1/manifest\.json cannot be read: .*")],
    ),
    "a generation in another's place": (
        lambda home: shutil.copytree(home / "gen-0", home / "gen-1", dirs_exist_ok=True),
        [
            (2, "names gen-1 as its parent, where gen-0 lies"),
            (2, r"its parent gen-0 has another manifest\.json .*"),
            (2, "its model was trained on gen-1, not on its parent gen-0"),
            (1, "its manifest calls itself generation 0"),
            (1, "names no parent"),
            (1, "does not say that its model was trained on gen-0"),
        ],
    ),
    "no parent named": (changed("gen-2/facts/parent", None), [(2, "names no parent")]),
    "a parent of the first": (
        changed("gen-0/facts/parent", {"generation": 3}),
        [(1, r"its parent gen-0 has another manifest\.json .*"), (0, "is the first and names a parent, gen-3")],
    ),
    "other generation named": (
        changed("gen-2/facts/parent/generation", 0),
        [(2, "names gen-0 as its parent, where gen-1 lies")],
    ),
    "model trained on another generation": (
        changed("gen-2/facts/model/trained_on/generation", 0),
        [(2, "its model was trained on gen-0, not on its parent gen-1")],
    ),
    "model trained on other examples": (
        changed("gen-2/facts/model/trained_on/examples_sha256", "ee"),
        [(2, r"its model was trained on other examples than those of gen-1: sha256 ee, in gen-1 1{64}")],
    ),
    "model trained on nothing known": (
        changed("gen-2/facts/model/trained_on", None),
        [(2, "does not say that its model was trained on gen-1")],
    ),
    "other dataset": (changed("gen-2/name", "products"), [(2, "is of the dataset products, and gen-1 of sums")]),
    "other base model": (
        changed("gen-2/facts/base_model/sha256", "bb"),
        [
            (
                2,
                r'base_model is {"name": "tiny_llama", "sha256": "bb"}, in gen-1 .*"(ba){32}"}',
            )
        ],
    ),
    "other corpus": (changed("gen-2/facts/corpus/sha256", None), [(2, r"corpus is .*null}, in gen-1 .*")]),
    "questions without a rollout": (
        changed("gen-2/facts/questions", {"train": 3}),
        [(2, "it has rollouts of 1 questions, and 3 were to be sampled")],
    ),
    "attempts that are nowhere": (
        changed("gen-2/facts/funnel", [{"what": "attempts", "count": 9}]),
        [(2, "of its 9 attempts 3 are examples and 0 rejects")],
    ),
    "rows that no file has": (
        changed("gen-2/tables/rollouts/rows", 4),
        [(2, "its rollouts are 4, in its files 1"), (2, "it has rollouts of 4 questions, and gen-1 of 1")],
    ),
    "other recipe": (
        changed("gen-2/facts/recipe_fingerprint", "f"),
        [(2, 'recipe_fingerprint is "f", in gen-1 "4ec1be"')],
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_does_not_hold_is_said(home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    damage, expected = DAMAGES[name]
    damage(home)
    found = lineage(Folder(home / "gen-2"))
    said = [(one.generation, text) for one in found for text in one.mismatches]
    assert len(said) == len(expected), said
    for (generation, text), (of, pattern) in zip(said, expected, strict=True):
        assert generation == of
        assert re.fullmatch(pattern, text), text
    with pytest.raises(FactoryError, match=f"gen-2 does not hold: {len(said)} mismatch"):
        show(str(home / "gen-2"), as_json=True)
    assert [one["mismatches"] for one in json.loads(capsys.readouterr().out)] == [one.mismatches for one in found]


def test_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with HubServer(tmp_path / "server") as server:
        server.adopt(monkeypatch)
        commits = [publish(Hub("owner/sums"), generation, *rows(generation)).commit for generation in range(2)]
        show("owner/sums@gen-1", as_json=True)
        newest, first = json.loads(capsys.readouterr().out)
        assert (newest["where"], first["where"]) == ("owner/sums@gen-1", "owner/sums@gen-0")
        assert [first["commit"], newest["commit"]] == commits
        assert [one["mismatches"] + one["notes"] for one in (newest, first)] == [[], []]

        git = server.repository("owner/sums").git
        author = ("-c", "user.name=another", "-c", "user.email=another@localhost")
        other = git(*author, "commit-tree", "gen-0^{tree}", "-m", "the same files").strip()
        git("tag", "--force", "gen-0", other)
        newest, first = lineage(published("owner/sums@gen-1"))
        assert newest.mismatches == [
            f"its parent gen-0 is another commit than when it was published: {other}, recorded {commits[0]}"
        ]
        assert first.mismatches == []
        git("tag", "--delete", "gen-0")
        assert [one.mismatches for one in lineage(published("owner/sums@gen-1"))] == [["its parent gen-0 is not there"]]


def test_what_may_change_is_a_note(home: Path) -> None:
    changed("gen-2/facts/verifier", {"name": "exact", "version": "2"})(home)
    changed("gen-2/facts/validation", {"passed": False, "failures": ["3 doubles", "no rows"]})(home)
    changed("gen-2/facts/parent/commit", "deed")(home)
    found = lineage(Folder(home / "gen-2"))
    assert not any(one.mismatches for one in found)
    assert [one.notes for one in found[1:]] == [[], []]
    assert found[0].notes == [
        "was published with --unsafe: 3 doubles; no rows",
        "the commit of its parent could not be compared: none, recorded deed",
        'verifier is {"name": "exact", "version": "2"}, in gen-1 {"name": "exact", "version": "1"}',
    ]


def test_a_model_is_not_a_generation_of_a_dataset(home: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}")
    tree = tmp_path / "models" / "gen-0"
    tree.mkdir(parents=True)
    model_tree(tree, name="sums", generation=0, checkpoint=checkpoint, facts={"dataset": "registry/sums/gen-0"})
    told = f"{tree} is a model, trained on registry/sums/gen-0, not a generation of a dataset"
    for command in (lambda: show(str(tree), as_json=True), lambda: diff(Folder(home / "gen-0"), Folder(tree))):
        with pytest.raises(PublishError, match=f"^{re.escape(told)}$"):
            command()


def test_a_disk_that_fails_is_a_mismatch(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> str:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(registry, "digest", fail)
    found = lineage(Folder(home / "gen-1"))
    assert [one.mismatches for one in found] == [
        [f"its files cannot be read: [Errno 5] Input/output error: '{one.where}/README.md'"] for one in found
    ]


def test_it_is_shown_whole_however_narrow_the_terminal_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "gen-1" / "[note]:apple:.txt").touch()
    out = io.StringIO()
    monkeypatch.setattr(terminal, "console", Console(file=out, highlight=False, soft_wrap=True, width=20))
    found = lineage(Folder(home / "gen-2"))
    with pytest.raises(FactoryError):
        show(str(home / "gen-2"), as_json=False)
    names, *rows, empty, mismatch = out.getvalue().splitlines()
    assert names.split() == ["gen", "where", "commit", "manifest", "sampled", "model", "examples", "accuracy", "holds"]
    assert [line.split() for line in rows] == [
        ["2", found[0].where, found[0].manifest_sha256[:16], "gen-1/checkpoint", "3", "50.0%", "yes"],
        ["1", found[1].where, found[1].manifest_sha256[:16], "gen-0/checkpoint", "2", "25.0%", "no"],
        ["0", found[2].where, found[2].manifest_sha256[:16], "base", "1", "0.0%", "yes"],
    ]
    assert empty == ""
    assert mismatch == "  mismatch  gen-1: [note]:apple:.txt is there and not in the manifest"
