"""Controls: rows that repeat another row's training without what its data could teach.

``shuffled_labels`` keeps texts, labels and steps and breaks what binds them; ``texts_only`` keeps texts and steps and
learns no label. Held beside the row itself, they say what of its gain comes of more steps, and of more text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from stilts.errors import InputError
from stilts.study.stage import MixturePart
from stilts.tasks.registry import Registry

MASKED = "texts_only"
CONTROL_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "shuffled_labels": "a control that learns labels of other examples, drawn anew for each seed; never advised",
        MASKED: "a control that learns masked LM on the texts of its tasks instead of their labels; never advised",
    }
)
# The catalogue's masked LM, whose kind and metric a task's texts are learned by.
_TEXT_TASK = "plain"


def controlled(part: MixturePart, control: str, registry: Registry) -> MixturePart:
    """The part under a control; InputError where there are no labels to shuffle. Masked LM stays as it is."""
    if part.task.kind.self_supervised:
        if control != MASKED:
            raise InputError(
                f"control: {control}",
                f'task "{part.task.name}" has no labels',
                "There is nothing to shuffle",
                f"Leave the task out, or take control: {MASKED}",
            )
        return part
    if control != MASKED:
        return replace(part, train=tuple(replace(view, shuffled=0) for view in part.train))
    plain, task = registry.task(_TEXT_TASK), part.task
    learned = replace(
        task, kind=plain.kind, metric=plain.metric, labels=(), trained_as=f"{task.learner}-text", after="", pool=None
    )
    train, select = (tuple(replace(view, as_text=True) for view in views) for views in (part.train, part.select))
    return replace(part, task=learned, train=train, select=select)
