"""Whether a tokenizer.json can be trusted with a study's texts, found out in a process that may die of it.

A file of somebody else's making may hold regular expressions that never end, replacements that grow without bound, or
token ids that the encoder has no embedding for. ``check_tokenizer`` is the entry; ``probed`` runs in the child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from stilts.bounded_file import not_a_file
from stilts.data.tokenizing import is_tokenizer_fault, read_tokenizer
from stilts.errors import EncoderError
from stilts.shown import shown_json
from stilts.tasks.families import FAMILIES
from stilts.tasks.family import Family, TextState
from stilts.tasks.special_tokens import special_tokens

# What the child may use: XLM-R's tokenizer, 17 MB of JSON, takes 3 s of CPU and under 1 GiB.
_CPU_S, _WALL_S, _MEMORY = 30, 600, 4 * 2**30
_SENTENCES = (
    "the quick brown fox jumps over the lazy dog and then it runs away from the other dogs of the small town ",
    "THE QUICK BROWN FOX, JUMPS: OVER 1234567890 LAZY DOGS; (AND) [SO] {ON} 'n' \"on\" 3.14159 50% a@b.c http://d/e?f=g",
    "Füchse, ça va? Ŝatas ĉi tion. Быстрая лиса прыгает. Η γρήγορη αλεπού. السلام عليكم. שלום. सर्वे मनुष्याः। ",
    "快速的棕色狐狸跳过懒狗。素早い茶色の狐がのろまな犬を飛び越える。빠른 갈색 여우.",
    "สุนัขจิ้งจอก გამარჯობა \U0001f469\u200d\U0001f467 e\u0301\u200b\u00a0 ",
)
# Runs of one character make nested repetitions backtrack; what ends them makes sure that they do not match.
_RUNS = [character * 300 + end for character in "aA1 .-_\t\n語" for end in ("", "!")]


def probe_texts() -> list[str]:
    """Sentences of many scripts, as they are, long, and without their spaces; and runs of one character."""
    long = [sentence * 20 for sentence in _SENTENCES]
    return ["", *_SENTENCES, *long, *(text.replace(" ", "") for text in long), *_RUNS]


def check_tokenizer(path: Path, num_embeddings: int, model_type: str = "xlm-roberta") -> None:
    """Raises EncoderError unless the tokenizer loads, encodes, and knows no id from ``num_embeddings`` on.

    Its special tokens and its template must be such as encoders of ``model_type`` are read by.

    All of that happens in a child process with limits on time and memory; its answer is kept as long as the file stays
    as it is.
    """
    asked = f"tokenizer {path}"
    kind = not_a_file(path)
    if kind is not None:
        raise EncoderError(asked, f"it is {kind}, not a file", next_step="Copy the encoder's tokenizer.json there")
    try:
        state = path.stat()
    except OSError as error:
        raise EncoderError(asked, f"it cannot be read ({error.strerror})", next_step="Copy it again") from error
    found = _answer(str(path), num_embeddings, model_type, state.st_size, state.st_mtime_ns)
    if found:
        raise EncoderError(
            asked,
            found,
            "Its ids index the encoder's embeddings, and its rules are run on every text of the study",
            "Use the tokenizer.json that the encoder was published with",
        )


@lru_cache(maxsize=64)
def _answer(path: str, num_embeddings: int, model_type: str, size: int, mtime_ns: int) -> str:
    """What is wrong with the tokenizer, in words; empty where nothing is."""
    root = str(Path(__file__).parents[2])
    search = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    # Every thread would reserve address space of its own, and many cores of it all that there may be.
    single = {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    environment = {**os.environ, **single, "PYTHONPATH": search, "RUST_BACKTRACE": "0"}
    command = [sys.executable, "-m", __name__, path, str(num_embeddings), model_type]
    try:
        ended = subprocess.run(
            command, capture_output=True, env=environment, timeout=_WALL_S, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it did not encode a page of text in {_WALL_S} s"
    if ended.returncode == 0:
        return str(json.loads(ended.stdout.splitlines()[-1]))
    if ended.returncode < 0:
        return f"encoding a page of text takes more than {_CPU_S} s or {_MEMORY // 2**30} GiB of memory"
    reason = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return f"it could not be tried ({(reason or ['no reason given'])[0][:200]})"


def probed(path: str, num_embeddings: int, model_type: str = "xlm-roberta") -> str:
    """What is wrong with the tokenizer, in words; empty where nothing is. Runs with limits, in a process of its own."""
    text = None
    try:
        tokenizer = read_tokenizer(Path(path))
        found = _vocabulary_fault(tokenizer.get_vocab(with_added_tokens=True), num_embeddings)
        if found:
            return found
        found = _template_fault(tokenizer, FAMILIES[model_type])
        if found:
            return found
        for text in probe_texts():
            encoding = tokenizer.encode(text)
            tokenizer.encode(text.split(), is_pretokenized=True, add_special_tokens=False)
            tokenizer.decode(encoding.ids, skip_special_tokens=False)
    except EncoderError as error:
        return error.found
    except BaseException as error:
        if not is_tokenizer_fault(error):
            raise
        return f'it fails on the text "{(text or "")[:40]}..." ({" ".join(str(error).split())[:200]})'
    return ""


def _vocabulary_fault(vocabulary: dict[str, int], num_embeddings: int) -> str:
    beyond = sorted(token for token, number in vocabulary.items() if number >= num_embeddings)
    if beyond:
        shown = ", ".join(f'"{token[:40]}"' for token in beyond[:3]) + (", ..." if len(beyond) > 3 else "")
        return f"{len(beyond)} of its tokens have no embedding, of which there are {num_embeddings}: {shown}"
    return ""


def _template_fault(tokenizer: Tokenizer, family: Family) -> str:
    """Why encoded texts are not such as the family is read by; "" where they are."""
    special, pair = special_tokens(tokenizer), tokenizer.encode("a b", "c")
    lacking = {
        "unknown texts": special.unknown is None and family.text_state is TextState.FIRST,
        "masks": special.mask is None and bool(family.lm_head),
    }
    if any(lacking.values()):
        return f"it has no token for {' and for '.join(role for role, lacks in lacking.items() if lacks)}"
    shown = " ".join(pair.tokens)[:80]
    if special.between != pair.ids[_first_behind(pair)]:
        return f'its template puts no token between two texts: a pair becomes "{shown}"'
    if special.reads_from_end and family.text_state is TextState.FIRST:
        return f'its template puts no token before a text, which would stand for it: a pair becomes "{shown}"'
    if family.is_causal and not special.reads_from_end:
        return f'its template puts tokens around texts, as no decoder is read: a pair becomes "{shown}"'
    return ""


def _first_behind(pair: Encoding) -> int:
    """The place of the first token behind the first text."""
    return max(place for place, text in enumerate(pair.sequence_ids) if text == 0) + 1


def _limit() -> None:
    """Bounds the process, so that what a tokenizer asks for without end is refused to it."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # which knows the limit and does not let it be set
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(
            resource.RLIMIT_AS, (_MEMORY if hard == resource.RLIM_INFINITY else min(hard, _MEMORY), hard)
        )


if __name__ == "__main__":
    _limit()
    print(shown_json(probed(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])))
