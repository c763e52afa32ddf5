"""What the recipes for GPUs need to run on a CPU: their corpora in small, in their own formats, and a teacher."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from factory.engines import Completion, ContextOverflow, Sampling
from factory.engines.scripted import Scripted
from factory.files import read_json
from factory.prompts import Message, prompt_ids
from factory.recipe.load import load_recipe
from factory.recipe.recipe import RECIPES

QUESTIONS = 16
EVAL = 4
"""Of the questions, the first ones measure a model."""

SAID = "7"
"""The answer to every second question in words."""

Book = dict[str, list[str]]
"""``{question: [right completion, wrong completion]}``"""


def for_gpus() -> list[str]:
    """The recipes that ask for a GPU, by name."""
    recipes = (load_recipe(path.stem) for path in sorted(RECIPES.glob("*.yaml")))
    return [
        recipe.name
        for recipe in recipes
        if any(phase.finetune.gpus or phase.rollout.gpus_per_engine for phase in recipe.phases)
    ]


def gsm8k(folder: Path) -> Book:
    book, rows = {}, []
    for number in range(QUESTIONS):
        has, total = 1 + number % 6, int(SAID) if number % 2 else 20 + number
        question = f"Ida has {has} pens in box {number} and gets {total - has} more. How many pens has she now?"
        told = f"She has {has} + {total - has} = "
        rows.append({"question": question, "answer": f"{told}<<{has}+{total - has}={total}>>{total}.\n#### {total}"})
        book[question] = [f"{told}{found} pens. The answer is {found}." for found in (total, total + 1)]
    _write(folder, test=rows[:EVAL], train=rows[EVAL:])
    return book


def commonsense_qa(folder: Path) -> Book:
    book, rows = {}, []
    things = dict(zip("ABCDE", ("hammer", "lantern", "teapot", "blanket", "violin"), strict=True))
    for number in range(QUESTIONS):
        gold, other = "ABCDE"[number % 5], "ABCDE"[(number + 2) % 5]
        stem = f"What should a shop keep on shelf {number}, beside the last {things[gold]} that it has?"
        choices = [{"label": label, "text": text} for label, text in things.items()]
        asked = {"question_concept": "shop", "choices": choices, "stem": stem}
        rows.append({"id": f"{number:032x}", "answerKey": gold, "question": asked})
        told = "The answer must be of the same kind. Therefore, the answer is"
        book[stem] = [f"{told} {things[label]} ({label.lower()})." for label in (gold, other)]
    _write(folder, dev_rand_split=rows[:EVAL], train_rand_split=rows[EVAL:])
    return book


def math(folder: Path) -> Book:
    book, rows = {}, []
    for number in range(QUESTIONS):
        problem = rf"What is $\frac{{{number}}}{{11}} + \frac{{1}}{{11}}$?"
        right, wrong = (rf"\frac{{{number + more}}}{{11}}" for more in (1, 2))
        solution = rf"The numerators make ${number} + 1 = {number + 1}$. The answer is $\boxed{{{right}}}$."
        facts = {"level": 1, "subject": "Algebra", "unique_id": f"algebra/{number}.json"}
        rows.append({"problem": problem, "solution": solution, "answer": right, **facts})
        book[problem] = [solution, rf"I guess. The answer is $\boxed{{{wrong}}}$."]
    _write(folder, test=rows[:EVAL], train=rows[EVAL:])
    return book


CORPORA = {
    "factory.corpora.gsm8k.gsm8k": gsm8k,
    "factory.corpora.commonsense_qa.commonsense_qa": commonsense_qa,
    "factory.corpora.math.math": math,
}
"""What writes a corpus of that format to a folder, and says how its questions may be answered."""


def _write(folder: Path, **rows: list[dict[str, Any]]) -> None:
    folder.mkdir()
    for name, lines in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


class FromBook(Scripted):
    """Knows the right and the wrong answer to every question of a book, and gives the right one half of the time.

    The prompt is rendered and counted by the tokenizer of the model, and refused where vLLM would refuse it.

    Args:
        book: JSON file of ``{question: [right completion, wrong completion]}``.
        max_model_len: as vLLM's.
    """

    def __init__(self, model: str, /, *, book: Path, max_model_len: int):
        from transformers import AutoTokenizer

        super().__init__(model)
        self.tokenizer, self.book, self.limit = AutoTokenizer.from_pretrained(model), read_json(book), max_model_len

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        prompt = len(prompt_ids(self.tokenizer, messages))
        if prompt >= self.limit:
            raise ContextOverflow(f"{prompt} tokens")
        text = answer(self.book, messages, right=random.Random(seed).random() < 0.5)
        return Completion(text, "stop", prompt, len(self.tokenizer.encode(text)))


def answer(book: Book, messages: list[Message], right: bool) -> str:
    """What the book has on the question that was asked last; feedback may have come after it."""
    asked = (message["content"] for message in reversed(messages) if message["role"] == "user")
    question = next(question for content in asked for question in book if question in content)
    return book[question][0 if right else 1]


@contextmanager
def teacher(model: str, book: Book) -> Iterator[str]:
    """A server on loopback that answers every question right, by the name of ``model``; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({"object": "list", "data": [{"id": model, "object": "model"}]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = {"role": "assistant", "content": answer(book, asked["messages"], right=True)}
            usage = {"prompt_tokens": 1, "completion_tokens": 1}
            self.reply({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})

        def reply(self, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """The tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
