"""CUDA's autocast on the pretend device: what computes in bf16, what in fp32 (torch.amp's "Op Eligibility")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

_LOWER = (
    "addbmm addmm addmv addr baddbmm bmm chain_matmul linalg_multi_dot linear matmul mm mv prelu "
    "scaled_dot_product_attention"
)
_FP32 = (
    "acos asin binary_cross_entropy_with_logits cdist cosh cosine_embedding_loss cosine_similarity cumprod cumsum dist "
    "erfinv exp expm1 frobenius_norm.dim group_norm hinge_embedding_loss huber_loss kl_div l1_loss layer_norm "
    "linalg_vector_norm log log10 log1p log2 log_softmax.int logsumexp margin_ranking_loss mse_loss native_layer_norm "
    "nll_loss nll_loss_nd norm.Scalar norm.ScalarOpt_dim pow.Scalar pow.Tensor_Scalar pow.Tensor_Tensor prod "
    "prod.dim_int reciprocal rsqrt sinh smooth_l1_loss soft_margin_loss softmax.int softplus sum sum.dim_IntList tan"
)
# These take the widest type among what they are given.
_WIDEST = "addcdiv addcmul atan2 bilinear cross dot index_put scatter_add tensordot vdot"
_KEY = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)


def autocast_library() -> list[torch.library.Library]:
    """The registrations, which last as long as what is returned."""
    rest = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    rest.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    casts = torch.library.Library("aten", "IMPL", "AutocastPrivateUse1")
    for names, dtype in (
        (_LOWER, lambda _: torch.get_autocast_dtype("gpu")),
        (_FP32, lambda _: torch.float32),
        (_WIDEST, _widest),
    ):
        for name in names.split():
            operation, _, overload = name.partition(".")
            op = getattr(getattr(torch.ops.aten, operation), overload or "default")
            casts.impl(name, _casting(op, dtype))
    return [rest, casts]


def _casting(op: Any, dtype: Callable[[list[torch.Tensor]], torch.dtype]) -> Callable[..., Any]:
    def kernel(*args: Any, **kwargs: Any) -> Any:
        floats: list[torch.Tensor] = []
        tree_map_only(torch.Tensor, lambda each: floats.append(each) if _eligible(each) else None, (args, kwargs))
        wanted = dtype(floats) if floats else torch.float32

        def cast(each: torch.Tensor) -> torch.Tensor:
            return each.to(wanted) if _eligible(each) else each

        with torch._C._ExcludeDispatchKeyGuard(_KEY):
            return op(*tree_map_only(torch.Tensor, cast, args), **tree_map_only(torch.Tensor, cast, kwargs))

    return kernel


def _eligible(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dtype is not torch.float64


def _widest(floats: list[torch.Tensor]) -> torch.dtype:
    return torch.float32 if any(each.dtype is torch.float32 for each in floats) else floats[0].dtype
