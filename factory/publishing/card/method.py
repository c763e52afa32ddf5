"""What a dataset card says of the method: how its examples came about, what they are worth, whom to cite.

See :mod:`factory.publishing.card.card` for the facts that this is made from.
"""

from collections.abc import Iterator
from typing import Any

from factory.publishing.card import markdown

ORIGINS = {
    "sampled": "sampled without a hint, and right",
    "rationalized": "right when the gold answer was shown as a hint, after every attempt without it had failed",
    "corrected": "right in a later turn, after feedback",
    "reference": "given, not sampled",
}

ORIGINS_OF_ANY_REWARD = ORIGINS | {
    "sampled": "the first turn of a dialogue, right or wrong",
    "corrected": "a later turn, after feedback, right or wrong",
}

KEPT = {
    "correct": "attempts whose final answer the verifier found right",
    "all": "the best attempts of each turn, right or wrong",
    "better": "the best attempts of the first turn, right or wrong, and of later turns where they beat the turn before",
    "best": "the best attempts of the first turn, right or wrong, and of later turns where no turn before beats them",
    "success": "the best attempts of each turn where they are right",
}
"""What each criterion keeps (see :mod:`factory.curation.criteria`)."""

TAKEN_OVER = (
    " Some examples are those of earlier generations that say something new ({}): the columns `generation` and `model` "
    "say what sampled them, and their attempts are among the rollouts of that generation."
)

CITATIONS = {
    "star": (
        "STaR ([arXiv 2203.14465](https://arxiv.org/abs/2203.14465))",
        """\
@inproceedings{zelikman2022star,
  title     = {{STaR}: Bootstrapping Reasoning With Reasoning},
  author    = {Eric Zelikman and Yuhuai Wu and Jesse Mu and Noah D. Goodman},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2022},
  note      = {arXiv:2203.14465},
}""",
    ),
    "rise": (
        "RISE ([arXiv 2407.18219](https://arxiv.org/abs/2407.18219))",
        """\
@inproceedings{qu2024recursive,
  title     = {Recursive Introspection: Teaching Language Model Agents How to Self-Improve},
  author    = {Yuxiao Qu and Tianjun Zhang and Naman Garg and Aviral Kumar},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2024},
  note      = {arXiv:2407.18219},
}""",
    ),
}
"""By strategy: its name with a link, and the paper."""


def meanings_of_origins(manifest: dict[str, Any]) -> dict[str, str]:
    """What each origin means in this dataset."""
    meanings = ORIGINS_OF_ANY_REWARD if holds_wrong(manifest["facts"]) else ORIGINS
    if not manifest["tables"]["examples"]["dialogues"]:
        return meanings
    after = "; at turn 1 after another question's rationale in place of a failed attempt"
    return meanings | {"reference": meanings["reference"] + after}


def holds_wrong(facts: dict[str, Any]) -> bool:
    """Whether there may be examples whose final answer is not right."""
    return criterion(facts) not in ("correct", "success")


def criterion(facts: dict[str, Any]) -> str:
    """What made an attempt an example; without a criterion it had to be correct."""
    name: str = facts.get("criterion", "correct")
    return name


def weight(facts: dict[str, Any]) -> str | None:
    """The formula of the column ``weight``; None where every example weighs 1."""
    if "tau" not in facts:
        return None
    reward = "(reward - mean reward of the question)" if facts["centred"] else "reward"
    return f"exp({reward} / {facts['tau']:g})"


def unsafe(facts: dict[str, Any]) -> str:
    """What stands above everything else where a generation was published although it failed validation."""
    validation = facts.get("validation", {"passed": True})
    if validation["passed"]:
        return ""
    told = "**This generation failed validation.** It was published all the same, with `--unsafe`."
    failures = markdown.bullets(map(markdown.text, validation.get("failures", ())))
    return markdown.warning(f"{told} What failed:\n\n{failures}" if failures else told)


def introduction(manifest: dict[str, Any]) -> str:
    """The title and what the dataset is."""
    tables, facts = manifest["tables"], manifest["facts"]
    corpus = f" of {markdown.text(facts['corpus']['name'])}" if "corpus" in facts else ""
    given = " (those of the origin `reference` were given)" if "reference" in tables["examples"]["by_origin"] else ""
    if holds_wrong(facts):
        what = (
            "each with a rationale. The rationales were written by a language model, and **not all of them reach the "
            f"right answer**: kept were {KEPT[criterion(facts)]}{given}. The column `reward` tells them apart (1: "
            "right, 0: wrong, -1: no final answer), and an example counts in the training loss by its `weight`"
            + (f", {markdown.text(weight(facts))}." if "tau" in facts else ".")
        )
    else:
        what = (
            "each with a rationale that leads to its answer. The rationales were written by a language model and kept "
            f"where a verifier found the final answer right{given}."
        )
    return (
        f"# {markdown.text(manifest['name'])}, generation {manifest['generation']}\n\n"
        f"**{tables['examples']['rows']:,} examples** for fine-tuning: questions{corpus}, {what}\n\n"
        f"Beside them lie all {tables['rollouts']['rows']:,} rollouts (per question every attempt, right and wrong) "
        f"and {tables['rejects']['rows']:,} rejects (the attempts that were not kept, with the reason)."
    )


def how_made(manifest: dict[str, Any]) -> str:
    """How the examples came about, in words and facts."""
    facts = manifest["facts"]
    validation, before = facts.get("validation", {}), facts.get("methods", [])[:-1]
    expectations = f" ({validation['expectations']} expectations)" if "expectations" in validation else ""
    by_origin = manifest["tables"]["examples"]["by_origin"]
    taken_over = facts.get("taken_over", {})
    by_generation = ", ".join(f"generation {m}: {count:,}" for m, count in taken_over.items())
    messages = {
        "rationalized": " The `messages` of `rationalized` examples ask the question without it.",
        "corrected": " The `messages` of `corrected` examples hold the attempts before, wrong ones, and the feedback "
        "on them: only the last message is to be trained on.",
    }
    shown = {
        "Method": facts.get("method", "") + (f" (after generations of {', '.join(before)})" if before else ""),
        "Base model": named(facts.get("base_model")),
        "Sampled model": named(facts.get("model")),
        "Teacher": facts.get("teacher"),
        "Corpus": named(facts.get("corpus")),
        "Prompt": short(facts.get("prompt_sha256")),
        "Verifier": " ".join(filter(None, map(facts.get("verifier", {}).get, ("name", "version")))),
        "Process checks": ", ".join(f"{name} {version}" for name, version in facts.get("check_versions", {}).items()),
        "Criterion": facts.get("criterion"),
        "Weight": weight(facts),
        "Held against": held_against(facts),
        "Validation": ("passed" if validation["passed"] else "failed") + expectations if validation else None,
    }
    return (
        f"## How it was made\n\nEvery question was put to the model. Kept were {KEPT[criterion(facts)]}, subject to "
        "curation. No prompt to train on holds a hint."
        f"{''.join(told for origin, told in messages.items() if origin in by_origin)}"
        f"{TAKEN_OVER.format(by_generation) if taken_over else ''}\n\n"
        f"{markdown.fact_list(shown)}"
    ).rstrip()


def held_against(facts: dict[str, Any]) -> str | None:
    """The test questions that no example is, or is most of."""
    if "decontamination" not in facts:
        return None
    sets, dropped = facts["decontamination"]["sets"], facts["decontamination"]["dropped"]
    named = [f"{one['name']} ({one['questions']:,} questions, {short(one['sha256'])})" for one in sets]
    return f"{'; '.join(named)}. {dropped:,} attempts were dropped for it"


def named(part: dict[str, Any] | None) -> str | None:
    """A model or a corpus with its digest: a name may stand for different files."""
    if not part:
        return None
    return " ".join(filter(None, [part["name"], short(part.get("sha256"))]))


def short(sha256: str | None) -> str | None:
    """As much of a digest as tells files apart; ``manifest.json`` has all of it."""
    return sha256 and f"sha256:{sha256[:16]}"


def limits(manifest: dict[str, Any]) -> str:
    """What a user should not expect of the examples."""
    facts, by_origin = manifest["facts"], manifest["tables"]["examples"]["by_origin"]
    told = [
        "The verifier reads the final answer only: some rationales reach the right answer by a wrong step.",
        "Questions that the model finds easy are over-represented; those that no attempt answered are missing.",
        "The text was written by a language model and has its mistakes, habits and biases.",
    ]
    if holds_wrong(facts):
        told[1] = "Questions that no attempt answered are there with wrong attempts only."
        told.insert(0, "A training that does not read `weight` learns the wrong attempts as well as the right ones.")
    if "rationalized" in by_origin:
        told.insert(1, "A rationale sampled under a hint may restate the answer instead of deriving it.")
    told += [*_languages(facts), *_licences(facts)]
    flawed = list(_flawed(manifest))
    if not flawed:
        return f"## Known limits\n\n{markdown.bullets(told)}"
    return (
        f"## Known limits\n\n{markdown.bullets(told)}\n\nProcess checks look beyond the final answer. Of the correct "
        f"attempts they were put to, kept or not, these are flawed; to the others a check does not apply:\n\n"
        f"{markdown.table(['check', 'origin', 'checked', 'flawed', 'share', 'others'], flawed)}\n\n"
        "The column `checks` has the results of each example, with the reason."
    )


def _flawed(manifest: dict[str, Any]) -> Iterator[list[str]]:
    for name, by_origin in manifest["facts"].get("checks", {}).items():
        for origin, count in by_origin.items():
            checked = count["passed"] + count["failed"]
            yield [
                markdown.text(name),
                origin,
                f"{checked:,}",
                f"{count['failed']:,}",
                f"{count['failed'] / checked:.1%}" if checked else "",
                f"{count.get('not_applicable', 0):,}",
            ]


def _languages(facts: dict[str, Any]) -> Iterator[str]:
    if languages := facts.get("language"):
        yield (
            f"It is in one language, `{languages[0]}`."
            if len(languages) == 1
            else (f"It is in the languages {', '.join(f'`{language}`' for language in languages)}.")
        )


def _licences(facts: dict[str, Any]) -> Iterator[str]:
    """The licence of the dataset, and that it is not the only one."""
    given = facts.get("license")
    sources = [markdown.text(facts[part]["name"]) for part in ("corpus", "base_model") if facts.get(part)]
    sources += [markdown.text(facts["teacher"])] if facts.get("teacher") else []
    told = f"Its licence is `{given}`." if given else "No licence is known."
    yield f"{told} The terms of what it was made from hold as well: {', '.join(sources)}." if sources else told


def citation(facts: dict[str, Any]) -> str:
    """The papers behind the methods of this generation and of those before it, as far as they are known."""
    methods = facts.get("methods") or [facts.get("method", "")]
    cited = [CITATIONS[method.casefold()] for method in methods if method.casefold() in CITATIONS]
    if not cited:
        return ""
    names = " and then ".join(name for name, _ in cited)
    papers = markdown.block("\n\n".join(paper for _, paper in cited), "bibtex")
    return f"## Citation\n\nThe method is {names}:\n\n{papers}"
