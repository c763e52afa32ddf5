"""The way of a published generation back to generation 0: each names its parent, and what it names must be there."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text

from factory import terminal
from factory.errors import FactoryError
from factory.reading.counts import miscounted
from factory.targets import Published, PublishError
from factory.targets.manifest import manifest_digest
from factory.targets.named import published

SAME = ("base_model", "corpus", "recipe_fingerprint")
"""Facts that are one in all generations of a dataset."""

MAY_CHANGE = ("code_commit", "prompt_sha256", "verifier", "check_versions")
"""Facts whose change is worth a note: a later phase of the recipe or another release of this project changes them."""


@dataclass(frozen=True)
class Generation:
    """One generation of a lineage, as ``python -m factory lineage WHERE --json`` prints it."""

    generation: int
    where: str
    """What to type to find it again."""
    commit: str | None
    """The Hub's commit; None in a folder."""
    manifest_sha256: str
    model: str | None
    """The model that was sampled."""
    examples: int
    """Rows of the table."""
    accuracy: float | None
    """Of that model on the eval split, as a fraction of 1."""
    mismatches: list[str]
    """What does not hold of this generation or between it and its parent; in words."""
    notes: list[str]
    """What changed since its parent and may, and what could not be compared; in words."""


@dataclass(frozen=True)
class Link:
    """A generation with its manifest and the digest of that manifest."""

    published: Published
    manifest: dict[str, Any]
    sha256: str

    @classmethod
    def of(cls, published: Published) -> "Link":
        """Read the manifest.

        Raises:
            PublishError: it is none of a published generation of a dataset.
        """
        manifest = published.manifest()
        if not manifest["tables"]:
            trained_on = manifest["facts"].get("dataset")
            source = f", trained on {trained_on}" if trained_on else ""
            raise PublishError(f"{published.where} is a model{source}, not a generation of a dataset")
        return cls(published, manifest, manifest_digest(published))

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.manifest["facts"]
        return found


def lineage(newest: Published) -> list[Generation]:
    """A generation and those it came from, newest first; ends at generation 0 or where a parent is not to be had.

    Raises:
        PublishError: the first manifest is none of a published generation, or the Hub is out of reach.
    """
    here = Link.of(newest)
    named = re.search(r"gen-(\d+)$", newest.where)  # a folder may have been given any name
    number = int(named[1]) if named else here.manifest["generation"]
    found: list[Generation] = []
    while True:
        parent, missing = _parent(here, number)
        mismatches, notes = [*_own_mismatches(here, number), *missing], list(_own_notes(here))
        if parent:
            mismatches += _mismatches_with(parent, here)
            notes += _notes_with(parent, here)
        found.append(_generation(here, number, mismatches, notes))
        if not parent:
            return found
        here, number = parent, number - 1


def show(where: str, as_json: bool) -> None:
    """Print the lineage of a published generation, as text or as JSON: a list of :class:`Generation`, newest first.

    Raises:
        ConfigError: nothing is published there.
        FactoryError: something does not match, which has been printed; or it could not be read.
    """
    generations = lineage(published(where))
    if as_json:
        print(json.dumps([asdict(one) for one in generations], indent=2))
    else:
        tell(generations)
    count = sum(len(one.mismatches) for one in generations)
    if count:
        mismatches = "1 mismatch" if count == 1 else f"{count} mismatches"
        raise FactoryError(f"the lineage of {where} does not hold: {mismatches}")


def tell(generations: list[Generation]) -> None:
    """Print a row a generation, and below it every mismatch and note."""
    left, right = "<", ">"
    columns = {"gen": right, "where": left, "commit": left, "manifest": left, "sampled model": left}
    columns |= {"examples": right, "accuracy": right, "holds": left}
    rows = [
        (
            *(str(one.generation), one.where, (one.commit or "")[:12], one.manifest_sha256[:16], one.model or ""),
            *(f"{one.examples:,}", "" if one.accuracy is None else f"{one.accuracy:.1%}"),
            "no" if one.mismatches else "yes",
        )
        for one in generations
    ]
    terminal.print_table(columns, rows)
    terminal.console.print()
    for one in generations:
        for kind, texts in (("mismatch", one.mismatches), ("note", one.notes)):
            for text in texts:
                terminal.console.print(Text(f"  {kind:<9} gen-{one.generation}: {text}"))


def _parent(child: Link, number: int) -> tuple[Link | None, list[str]]:
    """The generation before, and why there is none if there should be one."""
    if number == 0:
        return None, []
    try:
        found = child.published.sibling(number - 1)
        return (Link.of(found), []) if found else (None, [f"its parent gen-{number - 1} is not there"])
    except PublishError as error:
        return None, [f"its parent cannot be read: {error}"]


def _generation(link: Link, number: int, mismatches: list[str], notes: list[str]) -> Generation:
    measured = {one["generation"]: one["accuracy"] for one in link.facts.get("accuracy") or []}
    return Generation(
        generation=number,
        where=link.published.where,
        commit=link.published.commit,
        manifest_sha256=link.sha256,
        model=(link.facts.get("model") or {}).get("name"),
        examples=link.manifest["tables"]["examples"]["rows"],
        accuracy=measured.get(link.manifest["generation"]),
        mismatches=mismatches,
        notes=notes,
    )


def _own_mismatches(link: Link, number: int) -> Iterator[str]:
    """What does not hold of a generation by itself: its number, its files, whether it names a parent."""
    if link.manifest["generation"] != number:
        yield f"its manifest calls itself generation {link.manifest['generation']}"
    yield from _other_files(link)
    yield from miscounted(link.manifest)
    parent, model = link.facts.get("parent"), link.facts.get("model") or {}
    if number == 0 and parent:
        yield f"is the first and names a parent, gen-{parent.get('generation')}"
    if number == 0 and model.get("trained_on"):
        yield f"is the first, and its model was trained on gen-{model['trained_on'].get('generation')}"
    if number > 0 and not parent:
        yield "names no parent"


def _other_files(link: Link) -> Iterator[str]:
    recorded = link.manifest["files"]
    try:
        found = link.published.digests()
    except OSError as error:
        yield f"its files cannot be read: {error}"
        return
    for path in sorted(recorded.keys() | found.keys()):
        if path not in found:
            yield f"{path} is in the manifest and not there"
        elif path not in recorded:
            yield f"{path} is there and not in the manifest"
        elif found[path] != recorded[path]["sha256"]:
            yield f"{path} is not what was published: sha256 {found[path]}, in the manifest {recorded[path]['sha256']}"


def _own_notes(link: Link) -> Iterator[str]:
    validation = link.facts.get("validation") or {}
    if validation.get("passed") is False:
        yield f"was published with --unsafe: {'; '.join(validation.get('failures', []))}"


def _mismatches_with(parent: Link, child: Link) -> Iterator[str]:
    """What the child says of its parent and the parent does not bear out, and what must be the same in both."""
    before = f"gen-{parent.manifest['generation']}"
    if recorded := child.facts.get("parent"):
        if recorded.get("generation") != parent.manifest["generation"]:
            yield f"names gen-{recorded.get('generation')} as its parent, where {before} lies"
        if recorded.get("manifest_sha256") != parent.sha256:
            yield (
                f"its parent {before} has another manifest.json than when it was published: "
                f"sha256 {parent.sha256}, recorded {recorded.get('manifest_sha256')}"
            )
        known, now = recorded.get("commit"), parent.published.commit
        if known and now and known != now:
            yield f"its parent {before} is another commit than when it was published: {now}, recorded {known}"
    trained_on = (child.facts.get("model") or {}).get("trained_on") or {}
    if not trained_on:
        yield f"does not say that its model was trained on {before}"
    elif trained_on.get("generation") != parent.manifest["generation"]:
        yield f"its model was trained on gen-{trained_on.get('generation')}, not on its parent {before}"
    elif trained_on.get("examples_sha256") != parent.facts.get("examples_sha256"):
        yield (
            f"its model was trained on other examples than those of {before}: "
            f"sha256 {trained_on.get('examples_sha256')}, in {before} {parent.facts.get('examples_sha256')}"
        )
    sampled = [link.manifest["tables"]["rollouts"]["rows"] for link in (parent, child)]
    if sampled[0] != sampled[1]:
        yield f"it has rollouts of {sampled[1]:,} questions, and {before} of {sampled[0]:,}"
    if child.manifest["name"] != parent.manifest["name"]:
        yield f"is of the dataset {child.manifest['name']}, and {before} of {parent.manifest['name']}"
    yield from _changes(parent, child, SAME)


def _notes_with(parent: Link, child: Link) -> Iterator[str]:
    known, now = (child.facts.get("parent") or {}).get("commit"), parent.published.commit
    if (known is None) != (now is None):
        yield f"the commit of its parent could not be compared: {now or 'none'}, recorded {known or 'none'}"
    yield from _changes(parent, child, MAY_CHANGE)


def _changes(parent: Link, child: Link, facts: tuple[str, ...]) -> Iterator[str]:
    for fact in facts:
        old, new = parent.facts.get(fact), child.facts.get(fact)
        if old != new:
            yield f"{fact} is {json.dumps(new)}, in gen-{parent.manifest['generation']} {json.dumps(old)}"
