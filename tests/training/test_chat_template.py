"""What a chat template does to messages; and one that leaves thoughts out costs our training nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from factory.prompts import completion_ids, prompt_ids
from factory.recipe.load import load_recipe
from factory.recipe.recipe import RECIPES
from factory.training.chat_template import faults, strips_reasoning
from factory.tuning import ChatTokenizer
from tests.support.qwen2 import CHATML, WITHOUT_THOUGHTS, make_qwen2

MESSAGE = "'<|im_start|>' + message.role + '\\n' + message.content"
ONLY_PLAIN = (
    "{%- for message in messages %}{%- if message.role == 'system' %}{{ raise_exception('no system role') }}"
    "{%- endif %}{{ message.content }}{%- endfor %}"
)

STAR, RISE = "star_gsm8k_qwen2_5_1_5b", "rise_gsm8k"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_qwen2(tmp_path_factory.mktemp("base"))


@pytest.fixture
def tokenizer(base: Path) -> Any:
    return AutoTokenizer.from_pretrained(base)


@pytest.mark.parametrize(
    ("template", "recipe", "told"),
    [
        ("{{ raise_exception('no') }}", RISE, ["a question: the chat template refuses it (TemplateError: no)"]),
        ("{% for %}", STAR, ["a question: the chat template refuses it (TemplateSyntaxError: "]),
        (
            "{{ messages[-1].content | upper }}",
            STAR,
            ["a question: the chat template leaves out or alters a message of"],
        ),
        ("{{ messages[-1].content }}", STAR, ["prompt.exemplars: the chat template leaves out or alters a message"]),
        (
            ONLY_PLAIN,
            RISE,
            ["prompt.instruction: the chat template refuses it (TemplateError: no system role)"],
        ),
        (
            "{% for message in messages if message.role == 'user' %}{{ message.content }}{% endfor %}",
            RISE,
            [
                "prompt.instruction: the chat template leaves out or alters a message of the role 'system'",
                "a dialogue: the chat template leaves out or alters a message of the role 'assistant'",
            ],
        ),
        (CHATML.replace(MESSAGE, f"({MESSAGE}) | e"), RISE, ["a question: the chat template leaves out or alters"]),
        (
            "{% for message in messages %}{% if loop.last %}{{ message.content.splitlines()[0] }}"
            "{% else %}{{ message.content }}{% endif %}{% endfor %}",
            STAR,
            ["the chat template leaves out or alters a message of the role 'assistant', so that rationales would be"],
        ),
    ],
)
def test_a_template_that_loses_a_message_is_refused(
    tokenizer: Any, template: str, recipe: str, told: list[str]
) -> None:
    tokenizer.chat_template = template
    found = faults(tokenizer, load_recipe(recipe))
    assert [one[: len(begin)] for one, begin in zip(found, told, strict=True)] == told


def test_a_template_without_a_system_message_is_fit_where_no_prompt_has_one(tokenizer: Any) -> None:
    tokenizer.chat_template = ONLY_PLAIN
    assert faults(tokenizer, load_recipe(RISE, ["prompt.instruction=null"])) == []


def test_a_system_text_of_a_question_is_looked_at_as_well(tokenizer: Any) -> None:
    recipe = load_recipe(RISE, ["prompt.instruction=null"])
    tokenizer.chat_template = ONLY_PLAIN
    (told,) = faults(tokenizer, recipe, "Count on your fingers.")
    assert told.startswith("a question's system text: the chat template refuses it (TemplateError: no system role)")
    tokenizer.chat_template = CHATML
    assert faults(tokenizer, recipe, "Count on your fingers.") == []


@pytest.mark.parametrize("recipe", [STAR, RISE])
def test_the_templates_of_chats_and_of_plain_questions_lose_nothing(tokenizer: Any, recipe: str) -> None:
    plain = (RECIPES / "templates" / "question_answer.jinja").read_text()
    for template in (CHATML, plain):
        tokenizer.chat_template = template
        assert faults(tokenizer, load_recipe(recipe)) == []
        assert not strips_reasoning(tokenizer)


@pytest.mark.parametrize(
    ("template", "strips"),
    [
        (WITHOUT_THOUGHTS, True),
        (CHATML.replace("message.content", "message.content.split('</think>')[-1].lstrip('\\n')"), True),
        (
            CHATML.replace("message.content", "(message.content if message.role == 'user' or loop.last else 'So')"),
            False,
        ),
    ],
)
def test_thoughts_that_are_left_out_of_an_answer_are_noticed(tokenizer: Any, template: str, strips: bool) -> None:
    tokenizer.chat_template = template
    assert strips_reasoning(tokenizer) is strips


def test_our_training_keeps_the_thoughts_that_a_template_leaves_out(base: Path, tmp_path: Path) -> None:
    """Prompts are sampling's, earlier thoughts left out; the last answer is trained on to its end."""
    folder = Path(shutil.copytree(base, tmp_path / "base"))
    (folder / "chat_template.jinja").write_text(WITHOUT_THOUGHTS)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert faults(tokenizer, load_recipe(RISE)) == []
    thoughts = ["One and one?\n</think>\n\nThe answer is 3", "Two, rather.\n</think>\n\nThe answer is 2"]
    said = ["What is 1+1?", thoughts[0], "The answer is incorrect.", thoughts[1]]
    messages = [{"role": ("user", "assistant")[turn % 2], "content": text} for turn, text in enumerate(said)]
    tokens, mask = ChatTokenizer(str(folder)).tokenize_messages(messages)
    asked, told = prompt_ids(tokenizer, messages[:-1]), completion_ids(tokenizer, thoughts[1])
    assert tokens == asked + told
    assert mask == [True] * len(asked) + [False] * len(told)
    assert tokenizer.decode(told) == thoughts[1] + tokenizer.eos_token
    assert "One and one" not in tokenizer.decode(asked)
    assert "Two, rather" not in tokenizer.apply_chat_template(messages, tokenize=False)
