"""Toy languages: texts and tasks of every kind, made from a seed; start reading at ``generate.py``.

``lexicon`` has the words, ``facts`` what is said, ``grammar`` how a language says it, ``generators`` the tasks,
``tokenizer`` the pieces. Nothing here is data of the world: whoever prints a score on it labels it "toy".
"""

from stilts.data.toy.generate import SPLITS, generate
from stilts.data.toy.generators import GENERATORS
from stilts.data.toy.tokenizer import toy_tokenizer_json

__all__ = ["GENERATORS", "SPLITS", "generate", "toy_tokenizer_json"]
