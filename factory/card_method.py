"""What a dataset card says of the method: how its examples came about, what they are worth, whom to cite.

See :mod:`factory.card` for the facts that this is made from.
"""

from typing import Any

from factory import markdown

ORIGINS = {
    "sampled": "sampled without a hint, and right",
    "rationalized": "right when the gold answer was shown as a hint, after every attempt without it had failed",
    "corrected": "right in a later turn, after feedback",
    "reference": "given, not sampled; at turn 1 after another question's rationale in place of a failed attempt",
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
"""What each criterion keeps (see :mod:`factory.criteria`)."""

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


def introduction(manifest: dict[str, Any]) -> str:
    """The title and what the dataset is."""
    tables, facts = manifest["tables"], manifest["facts"]
    corpus = f" of {markdown.text(facts['corpus'])}" if "corpus" in facts else ""
    parent = facts.get("parent_generation")
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
        + (f" The generation before it is `gen-{parent}`." if parent is not None else "")
    )


def how_made(manifest: dict[str, Any]) -> str:
    """How the examples came about, in words and facts."""
    facts = manifest["facts"]
    model, validation = facts.get("model", {}), facts.get("validation", {})
    expectations = f" ({validation['expectations']} expectations)" if "expectations" in validation else ""
    turns = (
        " The `messages` of `corrected` examples hold the attempts before, wrong ones, and the feedback on them: only "
        "the last message is to be trained on."
    )
    shown = {
        "Method": facts.get("method"),
        "Base model": facts.get("base_model"),
        "Sampled model": " ".join(filter(None, [model.get("name"), model.get("digest")])),
        "Teacher": facts.get("teacher"),
        "Corpus": facts.get("corpus"),
        "Verifier": facts.get("verifier"),
        "Criterion": facts.get("criterion"),
        "Weight": weight(facts),
        "Validation": ("passed" if validation["passed"] else "failed") + expectations if validation else None,
    }
    return (
        f"## How it was made\n\nEvery question was put to the model. Kept were {KEPT[criterion(facts)]}, subject to "
        "curation. No prompt to train on holds a hint: the `messages` of `rationalized` examples ask the question "
        f"without it.{turns if 'corrected' in manifest['tables']['examples']['by_origin'] else ''}\n\n"
        f"{markdown.fact_list(shown)}"
    ).rstrip()


def limits(manifest: dict[str, Any]) -> str:
    """What a user should not expect of the examples."""
    told = [
        "The verifier reads the final answer only: some rationales reach the right answer by a wrong step.",
        "Questions that the model finds easy are over-represented; those that no attempt answered are missing.",
        "The text was written by a language model and has its mistakes, habits and biases.",
    ]
    if holds_wrong(manifest["facts"]):
        told[1] = "Questions that no attempt answered are there with wrong attempts only."
        told.insert(0, "A training that does not read `weight` learns the wrong attempts as well as the right ones.")
    if "rationalized" in manifest["tables"]["examples"]["by_origin"]:
        told.insert(1, "A rationale sampled under a hint may restate the answer instead of deriving it.")
    return "## Known limits\n\n" + "\n".join(f"- {limit}" for limit in told)


def citation(facts: dict[str, Any]) -> str:
    """The papers behind the methods of this generation and of those before it, as far as they are known."""
    methods = facts.get("methods") or [facts.get("method", "")]
    cited = [CITATIONS[method.casefold()] for method in methods if method.casefold() in CITATIONS]
    if not cited:
        return ""
    names = " and then ".join(name for name, _ in cited)
    papers = markdown.block("\n\n".join(paper for _, paper in cited), "bibtex")
    return f"## Citation\n\nThe method is {names}:\n\n{papers}"
