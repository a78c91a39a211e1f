"""How many padded tokens an evaluation batch holds, where nobody says otherwise: a plan and a run say the same."""

from __future__ import annotations

# With 2,048 a CPU evaluates 10 to 15 % faster than with 8,192 (benchmarks/RESULTS.md): its caches hold them.
_ON_CPU, _ELSEWHERE = 2048, 8192


def usual_eval_tokens(*, on_cpu: bool) -> int:
    """Padded tokens that go through a model at once, without a backward pass."""
    return _ON_CPU if on_cpu else _ELSEWHERE
