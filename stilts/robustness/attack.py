"""Attacks: a search, within a budget of queries, for a change of an example that makes a finished model err.

*Characters*, after DeepWordBug (Gao et al. 2018, arXiv 1801.04354): words are ranked by how much the loss grows where
one is blotted out, then edited in that order, one slip each, of a few tried slips the one that costs the model most.
The paper asks for the classifier's output; here it is the loss of the right answer, so that all kinds can be attacked.
*Sentences*, after AddSent (Jia and Liang 2017, arXiv 1707.07328): sentences are added to a paragraph, one at a time,
until one misleads; ``distractors.py`` says where they come from.

A query is one example that goes through the model once. An attack succeeds where the example's own score falls to half
of what it was, or less; only examples of which the model had something right are attacked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from stilts.kinds.scored import Scored
from stilts.metrics.metric import FloatArray
from stilts.robustness.characters import keyboard, swap
from stilts.robustness.distractors import Distractors, with_sentence
from stilts.robustness.lots import Lot
from stilts.robustness.model_asked import ModelAsked
from stilts.robustness.perturb import lot_of
from stilts.robustness.segments import words
from stilts.study.robust import Attack, Stress
from stilts.tasks.passage import Passage

# What a word is blotted out by: a character that no language uses.
_BLOT = "\u25a1"
# Slips that are tried of a word, each one query.
_TRIED = 3
_ENOUGH = 0.5


class Site(NamedTuple):
    """A word of an example: its passage, its piece, where it stands there."""

    passage: int
    piece: int
    start: int
    end: int


@dataclass(slots=True)
class _Victim:
    """An example under attack: ``clean`` is its score before, ``now`` after what was done to it so far."""

    example: Any
    draw: Lot
    clean: float
    now: float
    altered: Any
    queries: int = 1
    loss: float = 0.0
    edits: dict[Site, str] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)
    most: int = 0

    @property
    def is_beaten(self) -> bool:
        return self.now <= _ENOUGH * self.clean

    def with_edits(self, edits: dict[Site, str]) -> Any:
        """The example with these words in place of its own."""
        passages = list(self.example.passages())
        for site in sorted(edits, reverse=True):  # later places first, so that earlier ones stay where they are
            passages[site.passage] = _put(passages[site.passage], site, edits[site])
        return self.example.with_passages(passages)


def attacked(asked: ModelAsked, examples: Sequence[Any], stress: Stress, language: str) -> tuple[list[Any], Scored]:
    """The examples as the attack left them, and what the model makes of them."""
    goodness = asked.goodness(examples)
    victims = [
        _Victim(example=one, draw=lot_of(stress, one), clean=float(good), now=float(good), altered=one)
        for one, good in zip(examples, goodness, strict=True)
        if good > 0
    ]
    if stress.what is Attack.CHARACTERS:
        _by_characters(asked, victims, stress, language)
    else:
        _by_sentences(asked, victims, Distractors(examples), stress)
    left = {id(victim.example): victim.altered for victim in victims}
    final = [left.get(id(one), one) for one in examples]
    tried = len(victims)
    beside = {
        "attack_success": 100.0 * sum(victim.is_beaten for victim in victims) / tried if tried else 0.0,
        "queries": sum(victim.queries for victim in victims) / tried if tried else 0.0,
    }
    return final, replace(asked.scored(final), beside=beside)


def _by_sentences(asked: ModelAsked, victims: Sequence[_Victim], source: Distractors, stress: Stress) -> None:
    assert stress.queries is not None
    offered = [list(_distracted(victim, source, stress.queries - 1)) for victim in victims]
    for number in range(stress.queries - 1):
        going = [
            (victim, offers[number])
            for victim, offers in zip(victims, offered, strict=True)
            if not victim.is_beaten and number < len(offers)
        ]
        if not going:
            break
        for (victim, variant), good in zip(going, asked.goodness([one for _, one in going]), strict=True):
            victim.queries += 1
            if good < victim.now:
                victim.now, victim.altered = float(good), variant


def _distracted(victim: _Victim, source: Distractors, most: int) -> Iterator[Any]:
    """The example with one sentence more, of the most likely ones first."""
    passages = victim.example.passages()
    for number, passage in enumerate(passages):
        if passage.may_grow:
            for sentence in source.ranked(passages[number - 1].text, passage, victim.draw, most):
                grown = with_sentence(passage, sentence, victim.draw.at(sentence))
                yield victim.example.with_passages([*passages[:number], grown, *passages[number + 1 :]])


def _by_characters(asked: ModelAsked, victims: Sequence[_Victim], stress: Stress, language: str) -> None:
    assert stress.queries is not None
    for victim, loss in zip(victims, asked.losses([victim.example for victim in victims]), strict=True):
        victim.loss = float(loss)
    _rank(asked, victims, stress)
    while going := [v for v in victims if not v.is_beaten and v.sites and v.most and v.queries < stress.queries]:
        _one_word_each(asked, going, stress.queries, language)


def _rank(asked: ModelAsked, victims: Sequence[_Victim], stress: Stress) -> None:
    """Orders the words of each example by what blotting one out costs the model; half of the queries are for that."""
    assert stress.queries is not None
    asking: list[tuple[_Victim, Site]] = []
    for victim in victims:
        every = list(_sites(victim.example.passages()))
        victim.most = max(1, round(stress.strength * len(every))) if stress.strength else 0
        ranked = sorted(every, key=lambda site: victim.draw.at(tuple(site)).number)
        victim.sites = ranked[: stress.queries // 2 - 1] if victim.most else []
        victim.queries += len(victim.sites)
        asking += [(victim, site) for site in victim.sites]
    losses = asked.losses([victim.with_edits({site: _BLOT}) for victim, site in asking])
    found: dict[int, dict[Site, float]] = {}
    for (victim, site), loss in zip(asking, losses, strict=True):
        found.setdefault(id(victim), {})[site] = float(loss)
    for victim in victims:
        costs = found.get(id(victim), {})
        victim.sites.sort(key=lambda site: costs[site])  # the last costs most: sites are taken from the end


def _one_word_each(asked: ModelAsked, going: Sequence[_Victim], queries: int, language: str) -> None:
    """Edits the most important word that is left of each, by the slip of those tried that costs the model most."""
    tries: list[tuple[_Victim, dict[Site, str]]] = []
    for victim in going:
        site = victim.sites.pop()
        for new in _slips(victim, site, language)[: queries - victim.queries]:
            tries.append((victim, {**victim.edits, site: new}))
            victim.queries += 1
    losses = asked.losses([victim.with_edits(edits) for victim, edits in tries])
    best = _costliest(tries, losses)
    kept = [(victim, *best[id(victim)]) for victim in going if id(victim) in best]
    if not kept:
        return
    variants = [victim.with_edits(edits) for victim, edits, _ in kept]
    for (victim, edits, loss), variant, good in zip(kept, variants, asked.goodness(variants), strict=True):
        victim.edits, victim.loss, victim.altered, victim.now = edits, loss, variant, float(good)
        victim.most -= 1


def _costliest(
    tries: Sequence[tuple[_Victim, dict[Site, str]]], losses: FloatArray
) -> dict[int, tuple[dict[Site, str], float]]:
    """Of each victim the edits of the largest loss, where that is more than it was."""
    best: dict[int, tuple[dict[Site, str], float]] = {}
    for (victim, edits), loss in zip(tries, np.asarray(losses).tolist(), strict=True):
        if loss > max(victim.loss, best.get(id(victim), ({}, -np.inf))[1]):
            best[id(victim)] = (edits, loss)
    return best


def _slips(victim: _Victim, site: Site, language: str) -> list[str]:
    """A few ways to misspell a word, each another."""
    text = victim.example.passages()[site.passage].pieces[site.piece].text[site.start : site.end]
    draws = [victim.draw.at((*site, number)) for number in range(_TRIED)]
    found = [swap(text, language, draws[0]), *(keyboard(text, language, draw) for draw in draws[1:])]
    return [new for new in dict.fromkeys(found) if new and new != text]


def _sites(passages: Sequence[Passage]) -> Iterator[Site]:
    for number, passage in enumerate(passages):
        for at, piece in enumerate(passage.pieces):
            if not piece.fixed:
                yield from (Site(number, at, start, end) for start, end in words(piece.text))


def _put(passage: Passage, site: Site, new: str) -> Passage:
    pieces = list(passage.pieces)
    text = pieces[site.piece].text
    pieces[site.piece] = pieces[site.piece].saying(text[: site.start] + new + text[site.end :])
    return passage.of(pieces)
